//! What commands take: the names and types of their fields, checked before anything runs.
//!
//! Which fields a command knows, of which types, and which of them it must have, stands in one table for each. So the errors for
//! a field that is unknown, missing, of the wrong type or there twice are made here, alike for all commands.
//!
//! # Source
//! MongoDB manual, database commands.

use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use bitflags::bitflags;
use bson::spec::ElementType;
use bson::{Decimal128, Document, RawArray, RawBsonRef, RawDocument};

use crate::document::{Collation, Hint};
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::wire::{Request, Sequence};

bitflags! {
    /// The types that a field may have. One of no type at all may have every type.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Types: u16 {
        const BOOL = 1;
        const LONG = 1 << 1;
        const INT = 1 << 2;
        const DECIMAL = 1 << 3;
        const DOUBLE = 1 << 4;
        const STRING = 1 << 5;
        const OBJECT = 1 << 6;
        const ARRAY = 1 << 7;
        const BINARY = 1 << 8;
        const TIMESTAMP = 1 << 9;
        /// Every number.
        const NUMBER = Self::LONG.bits() | Self::INT.bits() | Self::DECIMAL.bits() | Self::DOUBLE.bits();
        /// What is taken as true or false.
        const TRUTH = Self::BOOL.bits() | Self::NUMBER.bits();
    }
}

/// One field of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    name: &'static str,
    types: Types,
    is_required: bool,
    /// The code for a value of another type.
    mismatch: i32,
    /// Null is a value of a wrong type, and not as if the field had not been written.
    refuses_null: bool,
}

impl Field {
    /// A field that may be left out.
    pub(super) const fn new(name: &'static str, types: Types) -> Self {
        Self { name, types, is_required: false, mismatch: code::TYPE_MISMATCH, refuses_null: false }
    }

    /// A field of any type.
    pub(super) const fn any(name: &'static str) -> Self {
        Self::new(name, Types::empty())
    }

    /// The same field, without which the command is refused.
    pub(super) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same field, refused with `code` when it is of another type, or null.
    pub(super) const fn strict(self, code: i32) -> Self {
        Self { mismatch: code, refuses_null: true, ..self }
    }
}

/// Fields that every command takes.
const GENERIC: &[Field] = &[
    Field::new("$db", Types::STRING),
    Field::new("lsid", Types::OBJECT),
    Field::new("txnNumber", Types::LONG),
    Field::new("autocommit", Types::BOOL),
    Field::new("startTransaction", Types::BOOL),
    Field::new("stmtId", Types::INT),
    Field::new("stmtIds", Types::ARRAY),
    Field::new("readConcern", Types::OBJECT),
    Field::new("writeConcern", Types::OBJECT),
    Field::new("maxTimeMS", Types::NUMBER),
    Field::new("$readPreference", Types::OBJECT),
    Field::new("$clusterTime", Types::OBJECT),
    Field::new("apiVersion", Types::STRING),
    Field::new("apiStrict", Types::BOOL),
    Field::new("apiDeprecationErrors", Types::BOOL),
    Field::any("comment"),
    Field::any("$client"),
    Field::any("$audit"),
    Field::any("$queryOptions"),
    Field::any("maxTimeMSOpOnly"),
    Field::any("rawData"),
];

/// The fields of one request, which have the types that their command asks for.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    /// The command's own name, or the path to what is within it, which begins the paths of fields in errors.
    command: &'static str,
    first: RawBsonRef<'a>,
    fields: Vec<(&'a str, RawBsonRef<'a>)>,
    sequences: &'a [Sequence<'a>],
}

impl<'a> Arguments<'a> {
    /// Checks the fields of `request` against what `command` takes.
    ///
    /// # Errors
    /// 40415 for a field that is not known, 14 for one of another type, 40413 for one that is there twice, 40414 for one that is
    /// missing.
    ///
    /// # Cost
    /// O(fields of the request × fields of the command).
    pub(super) fn check(
        command: &'static str,
        known: &'static [Field],
        takes_anything: bool,
        request: &'a Request<'a>,
    ) -> Result<Self> {
        let mut elements = request.body.iter();
        let Some(Ok((_, first))) = elements.next() else {
            return Err(Failure::new(code::FAILED_TO_PARSE, "a command has at least a name"));
        };
        let mut found = Self { command, first, fields: Vec::new(), sequences: &request.sequences };
        for element in elements {
            let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            found.add(name.as_str(), value, &[known, GENERIC], takes_anything)?;
        }
        for sequence in found.sequences {
            found.refuse_second(sequence.name)?;
            if field_named(sequence.name, known).is_none() {
                return Err(found.unknown(sequence.name));
            }
        }
        found.with_all_of(known)
    }

    /// Checks the fields of a document within a command, which `path` leads to, against what it takes.
    ///
    /// # Errors
    /// As [`Arguments::check`].
    pub(super) fn within(path: &'static str, known: &'static [Field], document: &'a RawDocument) -> Result<Self> {
        let mut found = Self { command: path, first: RawBsonRef::Null, fields: Vec::new(), sequences: &[] };
        for element in document {
            let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            if !known.iter().any(|field| field.name == name.as_str()) {
                return Err(found.unknown(name.as_str()));
            }
            found.add(name.as_str(), value, &[known], false)?;
        }
        found.with_all_of(known)
    }

    fn with_all_of(self, known: &[Field]) -> Result<Self> {
        let is_missing = |field: &&Field| field.is_required && !self.has(field.name);
        match known.iter().find(is_missing) {
            Some(field) => Err(self.missing(field.name)),
            None => Ok(self),
        }
    }

    fn add(&mut self, name: &'a str, value: RawBsonRef<'a>, known: &[&[Field]], takes_anything: bool) -> Result<()> {
        let Some(field) = known.iter().copied().flatten().find(|field| field.name == name) else {
            // The shell and old drivers mark what is theirs so.
            return if takes_anything || name.starts_with('$') { Ok(()) } else { Err(self.unknown(name)) };
        };
        self.refuse_second(name)?;
        // As if it had not been written.
        let is_null = matches!(value, RawBsonRef::Null | RawBsonRef::Undefined);
        if is_null && !field.types.is_empty() && !field.refuses_null {
            return Ok(());
        }
        if !field.types.is_empty() && !field.types.intersects(type_of(value)) {
            return Err(Failure { code: field.mismatch, ..self.wrong_type(name, value, field.types) });
        }
        self.fields.push((field.name, value));
        Ok(())
    }

    /// The value of the command's own name: most often a collection.
    pub(super) fn first(&self) -> RawBsonRef<'a> {
        self.first
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.sequences.iter().any(|sequence| sequence.name == name)
    }

    /// The value of `name`, where it is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<RawBsonRef<'a>> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }

    /// The document `name`.
    pub(super) fn document(&self, name: &str) -> Option<&'a RawDocument> {
        self.get(name).and_then(RawBsonRef::as_document)
    }

    /// A copy of the document `name`.
    ///
    /// # Errors
    /// Code 22 for one that does not decode.
    pub(super) fn decoded(&self, name: &str) -> Result<Option<Document>> {
        self.document(name).map(decode).transpose()
    }

    /// The array `name`.
    pub(super) fn array(&self, name: &str) -> Option<&'a RawArray> {
        self.get(name).and_then(RawBsonRef::as_array)
    }

    /// The text `name`.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(RawBsonRef::as_str)
    }

    /// The number `name`, without its fraction; beyond 64 bits the nearest that there is.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(integer_of)
    }

    /// The truth of `name`: numbers other than zero are true.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(truth_of)
    }

    /// The hint that the field `hint` gives.
    ///
    /// # Errors
    /// As [`Arguments::decoded`].
    pub(super) fn hint(&self) -> Result<Option<Hint>> {
        match self.get("hint") {
            Some(RawBsonRef::String(name)) => Ok(Some(Hint::from(name))),
            Some(RawBsonRef::Document(keys)) => decode(keys).map(|keys| Some(Hint::from(keys))),
            _ => Ok(None),
        }
    }

    /// The collation of an operation; an empty one is none.
    ///
    /// # Errors
    /// As [`Collation::from_document`].
    pub(super) fn collation(&self) -> Result<Option<Collation>> {
        let collation = self.decoded("collation")?.filter(|collation| !collation.is_empty());
        Ok(collation.as_ref().map(Collation::from_document).transpose()?)
    }

    /// The documents `name`, which are an array of the command or came beside it.
    ///
    /// # Errors
    /// 14 for an element that is not a document.
    pub(super) fn documents(&self, name: &str) -> Result<Vec<&'a RawDocument>> {
        if let Some(sequence) = self.sequences.iter().find(|sequence| sequence.name == name) {
            return Ok(sequence.documents.clone());
        }
        let Some(array) = self.array(name) else { return Ok(Vec::new()) };
        let mut documents = Vec::new();
        for (at, element) in array.into_iter().enumerate() {
            let element = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            let document = element.as_document();
            documents.push(document.ok_or_else(|| self.wrong_type(&format!("{name}.{at}"), element, Types::OBJECT))?);
        }
        Ok(documents)
    }

    fn refuse_second(&self, name: &str) -> Result<()> {
        if self.fields.iter().any(|(field, _)| *field == name) {
            let message = format!("BSON field '{}.{name}' is a duplicate field.", self.command);
            return Err(Failure::new(code::DUPLICATE_FIELD, message));
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> Failure {
        let message = format!("BSON field '{}.{name}' is an unknown field.", self.command);
        Failure::new(code::UNKNOWN_FIELD, message)
    }

    fn missing(&self, name: &str) -> Failure {
        let message = format!("BSON field '{}.{name}' is missing but a required field", self.command);
        Failure::new(code::MISSING_FIELD, message)
    }

    fn wrong_type(&self, name: &str, value: RawBsonRef<'_>, expected: Types) -> Failure {
        wrong_type(&format!("{}.{name}", self.command), value, expected)
    }
}

/// The error for the value of a field at `path` that has none of the `expected` types.
pub(super) fn wrong_type(path: &str, value: RawBsonRef<'_>, expected: Types) -> Failure {
    let names: Vec<_> = NAMED.iter().filter(|(kind, _)| expected.contains(*kind)).map(|(_, name)| *name).collect();
    let expected = match names.as_slice() {
        [name] => format!("type '{name}'"),
        names => format!("types '[{}]'", names.join(", ")),
    };
    let message = format!("BSON field '{path}' is the wrong type '{}', expected {expected}", type_name(value));
    Failure::new(code::TYPE_MISMATCH, message)
}

const NAMED: &[(Types, &str)] = &[
    (Types::BOOL, "bool"),
    (Types::LONG, "long"),
    (Types::INT, "int"),
    (Types::DECIMAL, "decimal"),
    (Types::DOUBLE, "double"),
    (Types::STRING, "string"),
    (Types::OBJECT, "object"),
    (Types::ARRAY, "array"),
    (Types::BINARY, "binData"),
    (Types::TIMESTAMP, "timestamp"),
];

fn field_named(name: &str, known: &[Field]) -> Option<Field> {
    known.iter().chain(GENERIC).find(|field| field.name == name).copied()
}

/// The type of a value, as far as a field may have it.
pub(super) fn type_of(value: RawBsonRef<'_>) -> Types {
    match value {
        RawBsonRef::Boolean(_) => Types::BOOL,
        RawBsonRef::Int64(_) => Types::LONG,
        RawBsonRef::Int32(_) => Types::INT,
        RawBsonRef::Decimal128(_) => Types::DECIMAL,
        RawBsonRef::Double(_) => Types::DOUBLE,
        RawBsonRef::String(_) => Types::STRING,
        RawBsonRef::Document(_) => Types::OBJECT,
        RawBsonRef::Array(_) => Types::ARRAY,
        RawBsonRef::Binary(_) => Types::BINARY,
        RawBsonRef::Timestamp(_) => Types::TIMESTAMP,
        _ => Types::empty(),
    }
}

/// The name that errors have for the type of a value.
pub(super) fn type_name(value: RawBsonRef<'_>) -> &'static str {
    match value.element_type() {
        ElementType::Double => "double",
        ElementType::String => "string",
        ElementType::EmbeddedDocument => "object",
        ElementType::Array => "array",
        ElementType::Binary => "binData",
        ElementType::Undefined => "undefined",
        ElementType::ObjectId => "objectId",
        ElementType::Boolean => "bool",
        ElementType::DateTime => "date",
        ElementType::Null => "null",
        ElementType::RegularExpression => "regex",
        ElementType::DbPointer => "dbPointer",
        ElementType::JavaScriptCode => "javascript",
        ElementType::Symbol => "symbol",
        ElementType::JavaScriptCodeWithScope => "javascriptWithScope",
        ElementType::Int32 => "int",
        ElementType::Timestamp => "timestamp",
        ElementType::Int64 => "long",
        ElementType::Decimal128 => "decimal",
        ElementType::MinKey => "minKey",
        ElementType::MaxKey => "maxKey",
    }
}

/// A copy of `document`.
///
/// # Errors
/// Code 22 for one that does not decode.
pub(super) fn decode(document: &RawDocument) -> Result<Document> {
    const INVALID_BSON: i32 = 22;
    Document::try_from(document).map_err(|error| Failure::new(INVALID_BSON, error.to_string()))
}

/// A number as one of 64 bits: a double without its fraction, a decimal rounded, half to even; beyond the ends the end.
pub(super) fn integer_of(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(number) => Some(number.into()),
        RawBsonRef::Int64(number) => Some(number),
        RawBsonRef::Double(number) => Some(nearest(number)),
        RawBsonRef::Decimal128(number) => rounded(number),
        RawBsonRef::Boolean(truth) => Some(truth.into()),
        _ => None,
    }
}

/// A decimal rounded, half to even; not a number is zero, and what is beyond the ends is the end.
fn rounded(number: Decimal128) -> Option<i64> {
    /// Beyond this many digits before the point nothing fits into 64 bits.
    const DIGITS_MAX: i64 = 40;
    let text = number.to_string();
    let near = text.parse().map(nearest).ok()?;
    let exact = BigDecimal::from_str(&text).ok().filter(|exact| exact.fractional_digit_count() > -DIGITS_MAX);
    let whole = exact.and_then(|exact| exact.with_scale_round(0, RoundingMode::HalfEven).to_i64());
    Some(whole.unwrap_or(near))
}

/// Whether a number is exactly one.
pub(super) fn is_one(number: RawBsonRef<'_>) -> bool {
    double_of(number).is_some_and(|double| double.to_bits() == 1.0_f64.to_bits())
}

/// A number that is whole and has 64 bits.
pub(super) fn whole_of(number: RawBsonRef<'_>) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "the end of the range is a power of two")]
    let fits = |double: f64| double.fract() == 0.0 && double.abs() < i64::MAX as f64;
    match number {
        RawBsonRef::Double(_) | RawBsonRef::Decimal128(_) => {
            double_of(number).filter(|double| double.is_finite() && fits(*double)).map(nearest)
        }
        RawBsonRef::Boolean(_) => None,
        other => integer_of(other),
    }
}

/// The nearest double.
pub(super) fn double_of(number: RawBsonRef<'_>) -> Option<f64> {
    match number {
        RawBsonRef::Double(number) => Some(number),
        RawBsonRef::Decimal128(number) => number.to_string().parse().ok(),
        #[expect(clippy::cast_precision_loss, reason = "only small numbers are told apart")]
        other => integer_of(other).map(|number| number as f64),
    }
}

/// The integer towards zero; not a number is zero, and what is beyond the ends is the end.
fn nearest(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating is what is wanted")]
    let integer = number as i64;
    integer
}

/// Whether a number or boolean is true.
pub(super) fn truth_of(value: RawBsonRef<'_>) -> Option<bool> {
    match value {
        RawBsonRef::Double(number) => Some(number != 0.0),
        RawBsonRef::Decimal128(number) => Some(!is_zero(&number.to_string())),
        value => integer_of(value).map(|number| number != 0),
    }
}

/// Whether the text of a decimal is one of zero: no digit before the exponent is another.
fn is_zero(decimal: &str) -> bool {
    let digits = decimal.split(['E', 'e']).next().unwrap_or_default();
    digits.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'+' | b'.'))
}

#[cfg(test)]
mod tests;
