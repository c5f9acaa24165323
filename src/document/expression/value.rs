//! What an expression answers: a BSON value, borrowed or made, or nothing at all.
//!
//! Missing is a state of its own (SEM: ALL-4): a projection omits it, an array shows it as null, `$push` skips it.

use std::cmp::Ordering;

use bson::raw::{CStr, CString, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::{Bson, Document, JavaScriptCodeWithScope};

use crate::document::number::Number;
use crate::document::order;
use crate::document::path::elements;
use crate::document::raw::{corrupt, field};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// The value of an expression over one document.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// There is no value: a path that leads nowhere, or `$$REMOVE`.
    Missing,
    /// A value of the document or of the expression's text.
    Borrowed(RawBsonRef<'a>),
    /// A value that was computed.
    Owned(RawBson),
}

impl Value<'_> {
    pub(crate) const NULL: Self = Self::Borrowed(RawBsonRef::Null);

    /// The value, unless it is missing.
    pub(crate) fn get(&self) -> Option<RawBsonRef<'_>> {
        match self {
            Self::Missing => None,
            Self::Borrowed(value) => Some(*value),
            Self::Owned(value) => Some(value.as_raw_bson_ref()),
        }
    }

    /// The value, with null in the place of a missing one.
    pub(crate) fn or_null(&self) -> RawBsonRef<'_> {
        self.get().unwrap_or(RawBsonRef::Null)
    }

    /// The value in memory of its own, unless it is missing.
    pub(crate) fn into_owned(self) -> Option<RawBson> {
        match self {
            Self::Missing => None,
            Self::Borrowed(value) => Some(value.into()),
            Self::Owned(value) => Some(value),
        }
    }

    /// Whether the value is missing, null or undefined, which most operators treat alike.
    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self.get(), None | Some(RawBsonRef::Null | RawBsonRef::Undefined))
    }

    /// Whether a condition holds: all but false, null, undefined, missing and zero is true.
    pub(crate) fn is_true(&self) -> bool {
        match self.or_null() {
            RawBsonRef::Null | RawBsonRef::Undefined => false,
            RawBsonRef::Boolean(value) => value,
            value => Number::from_raw(value).is_none_or(|number| !number.is_zero()),
        }
    }

    /// Orders two values of expressions across all types.
    ///
    /// Unlike a stored field, a missing value is not null here: it sorts just below it, so that `$gt: ["$a", null]`
    /// asks whether `a` is there and not null.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Ordering {
        let is_min = |value| matches!(value, RawBsonRef::MinKey);
        match (self.get(), other.get()) {
            (None, None) => Ordering::Equal,
            (None, Some(right)) if is_min(right) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(left), None) if is_min(left) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => order::compare(left, right),
        }
    }
}

impl From<RawBson> for Value<'_> {
    fn from(value: RawBson) -> Self {
        Self::Owned(value)
    }
}

impl From<Number> for Value<'_> {
    fn from(value: Number) -> Self {
        Self::Borrowed(match value {
            Number::Int32(value) => RawBsonRef::Int32(value),
            Number::Int64(value) => RawBsonRef::Int64(value),
            Number::Double(value) => RawBsonRef::Double(value),
            Number::Decimal(value) => RawBsonRef::Decimal128(value),
        })
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Borrowed(RawBsonRef::Boolean(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Owned(RawBson::String(value))
    }
}

/// A field name in the form that documents store.
pub(crate) fn name(text: &str) -> Result<CString> {
    CString::try_from(text).map_err(|_| Error::value(format!("the field name {text:?} contains a NUL character")))
}

/// A value of a specification in raw form, which may nest `levels` documents and arrays.
pub(crate) fn constant(value: &Bson, levels: usize) -> Result<RawBson> {
    check_nesting(value, levels)?;
    RawBson::try_from(value.clone()).map_err(|error| Error::invalid(InvalidKind::Serialization, error.to_string()))
}

/// Refuses a specification that nests deeper than a document may, before anything recurses over it.
pub(crate) fn check_specification(document: &Document) -> Result<()> {
    document.iter().try_for_each(|(_, value)| check_nesting(value, limits::DOCUMENT_DEPTH_MAX - 1))
}

fn check_nesting(value: &Bson, levels: usize) -> Result<()> {
    let below = |levels: usize| levels.checked_sub(1).ok_or_else(too_deep);
    match value {
        Bson::Document(document) | Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { scope: document, .. }) => {
            let levels = below(levels)?;
            document.values().try_for_each(|value| check_nesting(value, levels))
        }
        Bson::Array(array) => {
            let levels = below(levels)?;
            array.iter().try_for_each(|value| check_nesting(value, levels))
        }
        _ => Ok(()),
    }
}

/// Refuses a made value that nests deeper than `levels` documents and arrays.
pub(crate) fn check_depth(value: RawBsonRef<'_>, levels: usize) -> Result<()> {
    let elements = match value {
        RawBsonRef::Document(document) => document.iter_elements(),
        RawBsonRef::Array(array) => array.iter_elements(),
        RawBsonRef::JavaScriptCodeWithScope(code) => code.scope.iter_elements(),
        _ => return Ok(()),
    };
    if levels == 0 {
        return Err(too_deep());
    }
    for element in elements {
        check_depth(element.and_then(|element| element.value()).map_err(corrupt)?, levels - 1)?;
    }
    Ok(())
}

fn too_deep() -> Error {
    let max = limits::DOCUMENT_DEPTH_MAX as u64;
    Error::LimitExceeded { limit: "document depth in levels", max, found: max + 1 }
}

/// Refuses a made document that is larger than a stored one may be.
pub(crate) fn check_size(document: &RawDocument) -> Result<()> {
    limits::check("document bytes", limits::DOCUMENT_BYTES_MAX, document.as_bytes().len())
}

/// Follows the field names `path` from `document`, through the elements of arrays, whose values come as an array.
///
/// A name is never an array position here, and one array level is crossed per name.
pub(crate) fn lookup<'a>(document: &'a RawDocument, path: &[String]) -> Result<Value<'a>> {
    let Some((first, rest)) = path.split_first() else { return Ok(Value::Borrowed(RawBsonRef::Document(document))) };
    let Some(value) = field(document, first)? else { return Ok(Value::Missing) };
    if rest.is_empty() {
        return Ok(Value::Borrowed(value));
    }
    match value {
        RawBsonRef::Document(inner) => lookup(inner, rest),
        RawBsonRef::Array(array) => {
            let mut found = RawArrayBuf::new();
            for element in elements(array) {
                if let RawBsonRef::Document(inner) = element?
                    && let Some(value) = lookup(inner, rest)?.get()
                {
                    found.push(value);
                }
            }
            Ok(Value::Owned(RawBson::Array(found)))
        }
        _ => Ok(Value::Missing),
    }
}

/// Appends `value` to `document`, unless it is missing.
pub(crate) fn append(document: &mut RawDocumentBuf, name: &CStr, value: &Value<'_>) {
    if let Some(value) = value.get() {
        document.append(name, value);
    }
}
