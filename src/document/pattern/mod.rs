//! Key patterns: which paths an index or a sort goes by, in which directions, and the keys a document has under them.
//!
//! # Arrays
//! A document has one key for each element of an array on one of the paths. Paths that go through the same array walk
//! it together, paths through different arrays cannot be combined. A missing field counts as null, an empty array has a
//! key of its own below null.
//!
//! A sort takes the lowest of a document's keys under the sort's pattern, in which descending fields are inverted: the
//! smallest element ascending and the largest descending.

use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument};

use crate::document::code::Code;
use crate::document::index_key::{put_empty_array, put_field, put_index_field};
use crate::document::number::Number;
use crate::document::order::Value;
use crate::document::path::{FieldPath, For, Part, elements};
use crate::document::raw::{corrupt, field};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// Paths with directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    fields: Vec<PatternField>,
}

/// How a value becomes a field of a key.
type PutField = fn(&mut Vec<u8>, &Value<'_>, bool) -> Result<()>;

/// One path of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternField {
    pub(super) path: FieldPath,
    pub(super) descending: bool,
}

/// The keys of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Encoded fields, distinct and in order; at least one.
    pub(super) encoded: Vec<Vec<u8>>,
    /// The fields of the pattern that go through an array, one bit each, the first lowest.
    pub(super) multikey: u32,
}

impl Pattern {
    /// Reads `{path: direction, …}`; any number above 0 is ascending, any below descending.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a direction that names an index type or `$meta`, [`InvalidKind::Value`] for any other
    /// mistake, [`Error::LimitExceeded`] for too many fields.
    pub(super) fn parse(keys: &Document) -> Result<Self> {
        let fields = keys.iter().map(|(path, direction)| {
            let descending = is_descending(path, direction)?;
            Self::field(path, descending, For::Index)
        });
        Self::from_fields(fields)
    }

    /// The order that `keys` ask for, of which `direction` reads each value.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a direction that is read as neither 1 nor -1, and for what is not a key pattern.
    pub(super) fn parse_sort(keys: &Document, direction: impl Fn(Number) -> Option<i64>) -> Result<Self> {
        let fields = keys.iter().map(|(path, value)| {
            if let Some(expression) = value.as_document()
                && let Some((by, kind)) = expression.iter().next()
            {
                if by == "$meta" {
                    return Err(sort_by_meta(expression, kind));
                }
                return Err(Code::SORT_EXPRESSION.syntax(format!("a sort by an expression is one by $meta, not {by}")));
            }
            let Some(number) = Number::from_bson(value) else {
                let message = format!("$sort key ordering must be 1 or -1, and that of {path:?} is not");
                return Err(Code::SORT_DIRECTION_TYPE.value(message));
            };
            let Some(direction @ (1 | -1)) = direction(number) else {
                let message = format!("$sort key ordering must be 1 or -1, and that of {path:?} is not");
                return Err(Code::SORT_DIRECTION.value(message));
            };
            Self::field(path, direction < 0, For::Expression)
        });
        if keys.is_empty() {
            return Err(Code::SORT_EMPTY.value("a sort needs at least one field"));
        }
        Self::from_fields(fields)
    }

    /// A pattern as the catalogue keeps it.
    pub(super) fn from_pairs(pairs: &[(String, i8)]) -> Result<Self> {
        Self::from_fields(pairs.iter().map(|(path, direction)| Self::field(path, *direction < 0, For::Index)))
    }

    /// The pattern as the catalogue keeps it.
    pub(super) fn to_pairs(&self) -> Vec<(String, i8)> {
        self.fields.iter().map(|field| (field.path.as_str().to_owned(), field.direction())).collect()
    }

    /// The pattern as a user writes it.
    pub(super) fn to_document(&self) -> Document {
        self.fields
            .iter()
            .map(|field| (field.path.as_str().to_owned(), Bson::Int32(field.direction().into())))
            .collect()
    }

    pub(super) fn fields(&self) -> &[PatternField] {
        &self.fields
    }

    /// The keys of `document` in an index, where long values are shortened.
    ///
    /// # Errors
    /// [`InvalidKind::ParallelArrays`] when two paths go through different arrays; [`InvalidKind::Value`] when a number in
    /// a path is both a position in an array and a field of its objects.
    pub(super) fn keys(&self, document: &RawDocument) -> Result<Keys> {
        self.encode(document, put_index_field)
    }

    /// The key that `document` sorts by, whole.
    ///
    /// # Errors
    /// As [`Pattern::keys`].
    pub(super) fn sort_key(&self, document: &RawDocument) -> Result<Vec<u8>> {
        Ok(self.encode(document, put_field)?.encoded.into_iter().next().unwrap_or_default())
    }

    fn encode(&self, document: &RawDocument, put: PutField) -> Result<Keys> {
        let slots = self.fields.iter().map(|field| Slot::In(document, field.path.parts())).collect();
        let mut keys = Keys::default();
        self.expand(slots, put, &mut keys)?;
        keys.encoded.sort_unstable();
        keys.encoded.dedup();
        Ok(keys)
    }

    fn field(path: &str, descending: bool, purpose: For) -> Result<PatternField> {
        Ok(PatternField { path: FieldPath::parse(path, purpose)?, descending })
    }

    fn from_fields(fields: impl Iterator<Item = Result<PatternField>>) -> Result<Self> {
        let fields = fields.collect::<Result<Vec<_>>>()?;
        limits::check("fields of a key pattern", limits::INDEX_KEYS_MAX, fields.len())?;
        if fields.is_empty() {
            return Err(Code::CANNOT_CREATE_INDEX.value("a key pattern needs at least one field"));
        }
        for (index, field) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|other| other.path == field.path) {
                return Err(Error::value(format!("{:?} is twice in a pattern", field.path.as_str())));
            }
        }
        Ok(Self { fields })
    }

    /// Walks every slot to its value or to the first array, and then once more for each element of that array.
    ///
    /// Each round uses up a part of a path, which bounds the recursion.
    fn expand<'a>(&'a self, mut slots: Vec<Slot<'a>>, put: PutField, keys: &mut Keys) -> Result<()> {
        let mut shared: Option<&RawArray> = None;
        for (index, slot) in slots.iter_mut().enumerate() {
            if let Slot::In(document, parts) = *slot {
                *slot = descend(document, parts)?;
            }
            let Slot::At(array, _) = *slot else { continue };
            keys.multikey |= 1 << index;
            if shared.is_some_and(|other| !std::ptr::eq(other.as_bytes(), array.as_bytes())) {
                return Err(Error::invalid(InvalidKind::ParallelArrays, self.parallel()));
            }
            shared = Some(array);
        }
        let Some(array) = shared else { return self.put_key(&slots, put, keys) };
        if array.is_empty() {
            let emptied = slots.into_iter().map(|slot| slot.step(None)).collect();
            return self.expand(emptied, put, keys);
        }
        for element in elements(array) {
            let element = element?;
            self.expand(slots.iter().map(|slot| slot.step(Some(element))).collect(), put, keys)?;
        }
        Ok(())
    }

    fn put_key(&self, slots: &[Slot<'_>], put: PutField, keys: &mut Keys) -> Result<()> {
        let mut key = Vec::new();
        for (slot, field) in slots.iter().zip(&self.fields) {
            match slot {
                Slot::Value(value) => put(&mut key, &Value::from(*value), field.descending)?,
                Slot::EmptyArray => put_empty_array(&mut key, field.descending),
                Slot::In(..) | Slot::At(..) => {}
            }
        }
        keys.encoded.push(key);
        Ok(())
    }

    fn parallel(&self) -> String {
        let paths: Vec<_> = self.fields.iter().map(|field| field.path.as_str()).collect();
        format!("cannot index or sort by parallel arrays: two of {} are arrays in one document", paths.join(", "))
    }
}

impl PatternField {
    fn direction(&self) -> i8 {
        if self.descending { -1 } else { 1 }
    }
}

/// How far the walk has got on one path.
#[derive(Clone, Copy, Debug)]
enum Slot<'a> {
    /// In an object, with parts to go.
    In(&'a RawDocument, &'a [Part]),
    /// At an array, with parts to go in its elements, or none.
    At(&'a RawArray, &'a [Part]),
    /// Done; missing is null.
    Value(RawBsonRef<'a>),
    /// Done, at an array without elements.
    EmptyArray,
}

impl<'a> Slot<'a> {
    /// Steps from an array to one of its elements, or to `None` because it has none.
    fn step(self, element: Option<RawBsonRef<'a>>) -> Self {
        let Self::At(_, parts) = self else { return self };
        match element {
            None if parts.is_empty() => Self::EmptyArray,
            Some(value) if parts.is_empty() => Self::Value(value),
            Some(RawBsonRef::Document(document)) => Self::In(document, parts),
            _ => Self::Value(RawBsonRef::Null),
        }
    }
}

/// Follows `parts` to their value or to an array.
fn descend<'a>(document: &'a RawDocument, parts: &'a [Part]) -> Result<Slot<'a>> {
    let (mut document, mut parts) = (document, parts);
    while let Some((part, rest)) = parts.split_first() {
        match (field(document, part.name())?, rest) {
            (Some(RawBsonRef::Array(array)), rest) => match at_position(array, rest)? {
                Slot::In(inner, rest) => (document, parts) = (inner, rest),
                stop => return Ok(stop),
            },
            (Some(value), []) => return Ok(Slot::Value(value)),
            (Some(RawBsonRef::Document(inner)), rest) => (document, parts) = (inner, rest),
            (_, _) => break,
        }
    }
    Ok(Slot::Value(RawBsonRef::Null))
}

/// Follows the positions that `parts` begin with; stops at `array` itself when they begin with a name.
fn at_position<'a>(array: &'a RawArray, parts: &'a [Part]) -> Result<Slot<'a>> {
    let (mut array, mut parts) = (array, parts);
    while let Some((part, rest)) = parts.split_first() {
        let Some(position) = part.position() else { break };
        let Some(element) = array.get(position).map_err(corrupt)? else { break };
        refuse_ambiguity(array, part)?;
        match (element, rest) {
            (RawBsonRef::Array(inner), rest) => (array, parts) = (inner, rest),
            (value, []) => return Ok(Slot::Value(value)),
            (RawBsonRef::Document(inner), rest) => return Ok(Slot::In(inner, rest)),
            _ => return Ok(Slot::Value(RawBsonRef::Null)),
        }
    }
    Ok(Slot::At(array, parts))
}

fn refuse_ambiguity(array: &RawArray, part: &Part) -> Result<()> {
    for element in elements(array) {
        if let RawBsonRef::Document(document) = element?
            && field(document, part.name())?.is_some()
        {
            let message = format!("{:?} is both a position in an array and a field of its objects", part.name());
            return Err(Code::AMBIGUOUS_INDEX_KEY_PATH.value(message));
        }
    }
    Ok(())
}

/// Why there is no sort by `{$meta: kind}`.
fn sort_by_meta(expression: &Document, kind: &Bson) -> Error {
    const KINDS: &[&str] = &[
        "textScore",
        "searchScore",
        "vectorSearchScore",
        "score",
        "randVal",
        "geoNearDistance",
        "searchSequenceToken",
    ];
    if expression.len() > 1 {
        return Code::FAILED_TO_PARSE.syntax("$meta stands alone in a sort");
    }
    match kind.as_str() {
        Some(kind) if KINDS.contains(&kind) => Error::unsupported(format!("a sort by $meta {kind:?}")),
        _ => Code::SORT_META.syntax("there is no sort by this $meta"),
    }
}

fn is_descending(path: &str, direction: &Bson) -> Result<bool> {
    match (direction, Number::from_bson(direction)) {
        (_, Some(number)) if !number.is_nan() && !number.is_zero() => Ok(number.as_f64() < 0.0),
        (Bson::String(kind), _) => Err(Error::unsupported(format!("index type {kind:?}"))),
        (Bson::Document(expression), _) => {
            let name = expression.keys().next().map_or("{}", String::as_str);
            Err(Error::unsupported(format!("sort or index by expression {name}")))
        }
        _ => {
            let message = format!("the direction of {path:?} must be 1 or -1, not {:?}", direction.element_type());
            Err(Code::CANNOT_CREATE_INDEX.value(message))
        }
    }
}

#[cfg(test)]
mod tests;
