//! What an expression returns: a BSON value, borrowed or made, or nothing at all.
//!
//! Missing is a state of its own: a projection omits it, an array shows it as null, `$push` skips it.
//!
//! A computed array or object is kept as its values, and encoded when somebody needs its bytes. What it holds is counted as it
//! grows, so that no expression makes more than [`limits::SORT_BYTES_MAX`] of it, or nests deeper than a document may.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

use bson::raw::{CStr, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::check::too_deep;
use crate::document::number::Number;
use crate::document::order::{self, Order};
use crate::document::path::{Part, elements};
use crate::document::raw::{corrupt, field};
use crate::error::Result;
use crate::limits;

/// What an element of a computed array takes beside its bytes.
const ELEMENT_BYTES: usize = 64;

/// The value of an expression over one document.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// There is no value: a path that leads nowhere, or `$$REMOVE`.
    Missing,
    /// A value of the document or of the expression's text.
    Borrowed(RawBsonRef<'a>),
    /// A value that was computed.
    Owned(RawBson),
    /// An array that was computed.
    List(List<'a>),
    /// An object that was computed.
    Object(Object<'a>),
}

/// A computed array.
#[derive(Clone, Debug, Default)]
pub(crate) struct List<'a> {
    values: Vec<Value<'a>>,
    weight: Weight,
    encoded: OnceCell<Box<RawArrayBuf>>,
}

/// The fields of an object in their order.
pub(crate) type Fields<'a> = Vec<(Cow<'a, CStr>, Value<'a>)>;

/// A computed object. Its names are distinct.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object<'a> {
    fields: Fields<'a>,
    weight: Weight,
    encoded: OnceCell<Box<RawDocumentBuf>>,
}

/// How much a computed value holds.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    bytes: usize,
    /// Computed levels below.
    levels: usize,
}

impl Weight {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Missing | Value::Borrowed(_) => Self::default(),
            Value::Owned(value) => Self { bytes: heap_bytes(value.as_raw_bson_ref()), levels: 0 },
            Value::List(List { weight, .. }) | Value::Object(Object { weight, .. }) => *weight,
        }
    }

    fn add(&mut self, value: &Value<'_>) -> Result<()> {
        let Self { bytes, levels } = Self::of(value);
        self.bytes = self.bytes.saturating_add(bytes + ELEMENT_BYTES);
        self.levels = self.levels.max(levels + 1);
        limits::check("bytes of a computed value", limits::SORT_BYTES_MAX, self.bytes)?;
        if self.levels > limits::DOCUMENT_DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(())
    }

    fn remove(&mut self, value: &Value<'_>) {
        self.bytes = self.bytes.saturating_sub(Self::of(value).bytes + ELEMENT_BYTES);
    }
}

impl<'a> List<'a> {
    /// An array of `values`.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error) when they hold too much.
    pub(crate) fn of(values: impl IntoIterator<Item = Value<'a>>) -> Result<Self> {
        let mut list = Self::default();
        values.into_iter().try_for_each(|value| list.push(value))?;
        Ok(list)
    }

    /// Appends `value`; a missing one is null.
    ///
    /// # Errors
    /// As [`List::of`].
    pub(crate) fn push(&mut self, value: Value<'a>) -> Result<()> {
        self.encoded.take();
        let value = if let Value::Missing = value { Value::NULL } else { value };
        self.weight.add(&value)?;
        self.values.push(value);
        Ok(())
    }

    fn encode(&self) -> &RawArrayBuf {
        self.encoded.get_or_init(|| {
            let mut array = RawArrayBuf::new();
            self.values.iter().for_each(|value| array.push(value.or_null()));
            Box::new(array)
        })
    }
}

impl<'a> Object<'a> {
    /// The object of `fields`, of which missing values are left out.
    ///
    /// # Errors
    /// As [`List::of`].
    pub(crate) fn of(fields: impl IntoIterator<Item = (Cow<'a, CStr>, Value<'a>)>) -> Result<Self> {
        let mut object = Self::default();
        fields.into_iter().try_for_each(|(name, value)| object.append(name, value))?;
        Ok(object)
    }

    /// Appends a field whose name is not there yet, unless the value is missing.
    ///
    /// # Errors
    /// As [`List::of`].
    pub(crate) fn append(&mut self, name: Cow<'a, CStr>, value: Value<'a>) -> Result<()> {
        if let Value::Missing = value {
            return Ok(());
        }
        self.encoded.take();
        self.weight.add(&value)?;
        self.weight.bytes += name.as_str().len();
        self.fields.push((name, value));
        Ok(())
    }

    /// Sets a field in its place, or appends it; a missing value removes it.
    ///
    /// # Errors
    /// As [`List::of`].
    pub(crate) fn set(&mut self, name: Cow<'a, CStr>, value: Value<'a>) -> Result<()> {
        let Some(place) = self.fields.iter().position(|(held, _)| **held == *name) else {
            return self.append(name, value);
        };
        self.encoded.take();
        if let Value::Missing = value {
            self.fields.remove(place);
        } else if let Some((_, held)) = self.fields.get_mut(place) {
            self.weight.remove(held);
            self.weight.add(&value)?;
            *held = value;
        }
        Ok(())
    }

    fn encode(&self) -> &RawDocumentBuf {
        self.encoded.get_or_init(|| {
            let mut document = RawDocumentBuf::new();
            self.fields.iter().for_each(|(name, value)| document.append(name.as_ref(), value.or_null()));
            Box::new(document)
        })
    }
}

impl<'a> Value<'a> {
    pub(crate) const NULL: Self = Self::Borrowed(RawBsonRef::Null);

    /// The value, unless it is missing. A computed array or object is encoded for it, once.
    pub(crate) fn get(&self) -> Option<RawBsonRef<'_>> {
        match self {
            Self::Missing => None,
            Self::Borrowed(value) => Some(*value),
            Self::Owned(value) => Some(value.as_raw_bson_ref()),
            Self::List(list) => Some(RawBsonRef::Array(list.encode())),
            Self::Object(object) => Some(RawBsonRef::Document(object.encode())),
        }
    }

    /// The value, with null in the place of a missing one.
    #[inline]
    pub(crate) fn or_null(&self) -> RawBsonRef<'_> {
        self.get().unwrap_or(RawBsonRef::Null)
    }

    /// The value in memory of its own, unless it is missing.
    pub(crate) fn into_owned(self) -> Option<RawBson> {
        match self {
            Self::Missing => None,
            Self::Borrowed(value) => Some(value.into()),
            Self::Owned(value) => Some(value),
            Self::List(list) => {
                list.encode();
                list.encoded.into_inner().map(|array| RawBson::Array(*array))
            }
            Self::Object(object) => {
                object.encode();
                object.encoded.into_inner().map(|document| RawBson::Document(*document))
            }
        }
    }

    /// The elements of an array, or `None` when it is none.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error) when it does not decode.
    pub(crate) fn into_elements(self) -> Result<Option<Vec<Value<'a>>>> {
        Ok(match self {
            Self::Borrowed(RawBsonRef::Array(array)) => {
                Some(elements(array).map(|element| element.map(Value::Borrowed)).collect::<Result<_>>()?)
            }
            Self::Owned(RawBson::Array(array)) => {
                Some(elements(&array).map(|element| Ok(Value::Owned(element?.into()))).collect::<Result<_>>()?)
            }
            Self::List(list) => Some(list.values),
            _ => None,
        })
    }

    /// The array to append to, or `None` when it is none. A computed one is not copied.
    ///
    /// # Errors
    /// As [`List::of`] and [`Value::into_elements`].
    pub(crate) fn into_list(self) -> Result<Option<List<'a>>> {
        match self {
            Self::List(list) => Ok(Some(list)),
            other => other.into_elements()?.map(List::of).transpose(),
        }
    }

    /// The object to change, or `None` when it is none. A computed one is not copied.
    ///
    /// # Errors
    /// As [`List::of`], and [`Error::Corruption`](crate::Error) when it does not decode.
    pub(crate) fn into_object(self) -> Result<Option<Object<'a>>> {
        Ok(match self {
            Self::Borrowed(RawBsonRef::Document(document)) => {
                let mut object = Object::default();
                for element in document {
                    let (name, value) = element.map_err(corrupt)?;
                    object.append(Cow::Borrowed(name), Value::Borrowed(value))?;
                }
                Some(object)
            }
            Self::Owned(RawBson::Document(document)) => {
                let mut object = Object::default();
                for element in &document {
                    let (name, value) = element.map_err(corrupt)?;
                    object.append(Cow::Owned(name.to_owned()), Value::Owned(value.into()))?;
                }
                Some(object)
            }
            Self::Object(object) => Some(object),
            _ => None,
        })
    }

    /// The fields of an object, or `None` when it is none.
    ///
    /// # Errors
    /// As [`Value::into_object`].
    pub(crate) fn into_fields(self) -> Result<Option<Fields<'a>>> {
        Ok(self.into_object()?.map(|object| object.fields))
    }

    /// The value of the field `name` of an object; missing when it has none, or is no object.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error) when it does not decode.
    pub(crate) fn into_field(self, name: &str) -> Result<Value<'a>> {
        Ok(match self {
            Self::Borrowed(RawBsonRef::Document(document)) => {
                field(document, name)?.map_or(Self::Missing, Self::Borrowed)
            }
            Self::Owned(RawBson::Document(document)) => {
                field(&document, name)?.map_or(Self::Missing, |value| Self::Owned(value.into()))
            }
            Self::Object(object) => {
                let found = object.fields.into_iter().find(|(held, _)| held.as_str() == name);
                found.map_or(Self::Missing, |(_, value)| value)
            }
            _ => Self::Missing,
        })
    }

    /// What `path` leads to from this value, through the elements of arrays, whose values come as an array.
    ///
    /// A name is never an array position here, and one array level is crossed per name.
    ///
    /// # Errors
    /// As [`List::of`] and [`Value::into_elements`].
    pub(crate) fn follow(self, path: &[Part]) -> Result<Value<'a>> {
        let Some((first, rest)) = path.split_first() else { return Ok(self) };
        if let Self::Borrowed(RawBsonRef::Document(document)) = self {
            return lookup(document, path);
        }
        if !self.is_array() {
            return self.into_field(first.name())?.follow(rest);
        }
        let mut found = List::default();
        for element in self.into_elements()?.into_iter().flatten() {
            if element.is_object()
                && let value @ (Self::Borrowed(_) | Self::Owned(_) | Self::List(_) | Self::Object(_)) =
                    element.follow(path)?
            {
                found.push(value)?;
            }
        }
        Ok(Self::List(found))
    }

    /// Whether the value is an array.
    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Self::List(_) | Self::Borrowed(RawBsonRef::Array(_)) | Self::Owned(RawBson::Array(_)))
    }

    /// Whether the value is an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Borrowed(RawBsonRef::Document(_)) | Self::Owned(RawBson::Document(_)))
    }

    /// The number the value is, if it is one.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Missing | Self::List(_) | Self::Object(_) => None,
            Self::Borrowed(value) => Number::from_raw(*value),
            Self::Owned(value) => Number::from_raw(value.as_raw_bson_ref()),
        }
    }

    /// The text the value is, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Borrowed(RawBsonRef::String(text)) => Some(text),
            Self::Owned(RawBson::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is missing, null or undefined, which most operators treat alike.
    pub(crate) fn is_nullish(&self) -> bool {
        match self {
            Self::Missing | Self::Borrowed(RawBsonRef::Null | RawBsonRef::Undefined) => true,
            Self::Owned(value) => matches!(value, RawBson::Null | RawBson::Undefined),
            _ => false,
        }
    }

    /// Whether a condition holds: all but false, null, undefined, missing and zero is true.
    pub(crate) fn is_true(&self) -> bool {
        if self.is_array() || self.is_object() {
            return true;
        }
        match self.or_null() {
            RawBsonRef::Null | RawBsonRef::Undefined => false,
            RawBsonRef::Boolean(value) => value,
            value => Number::from_raw(value).is_none_or(|number| !number.is_zero()),
        }
    }

    /// The name of the type, as `$type` returns it and messages name it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::List(_) => "array",
            Self::Object(_) => "object",
            Self::Borrowed(value) => order::type_name(*value),
            Self::Owned(value) => order::type_name(value.as_raw_bson_ref()),
        }
    }

    /// Orders two values of expressions across all types.
    ///
    /// Unlike a stored field, a missing value is not null here: it sorts just below it, so that `$gt: ["$a", null]`
    /// asks whether `a` is there and not null.
    pub(crate) fn compare(&self, other: &Value<'_>, order: Order<'_>) -> Ordering {
        let is_min = |value| matches!(value, RawBsonRef::MinKey);
        match (self.get(), other.get()) {
            (None, None) => Ordering::Equal,
            (None, Some(right)) if is_min(right) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(left), None) if is_min(left) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => order.compare(left, right),
        }
    }
}

impl From<RawBson> for Value<'_> {
    fn from(value: RawBson) -> Self {
        Self::Owned(value)
    }
}

impl<'a> From<RawBsonRef<'a>> for Value<'a> {
    fn from(value: RawBsonRef<'a>) -> Self {
        Self::Borrowed(value)
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

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Borrowed(RawBsonRef::Int32(value))
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

impl<'a> From<List<'a>> for Value<'a> {
    fn from(value: List<'a>) -> Self {
        Self::List(value)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(value: Object<'a>) -> Self {
        Self::Object(value)
    }
}

/// Bytes of a value on the heap.
pub(crate) fn heap_bytes(value: RawBsonRef<'_>) -> usize {
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => text.len(),
        RawBsonRef::Document(document) => document.as_bytes().len(),
        RawBsonRef::Array(array) => array.as_bytes().len(),
        RawBsonRef::Binary(binary) => binary.bytes.len(),
        RawBsonRef::RegularExpression(regex) => regex.pattern.len() + regex.options.len(),
        RawBsonRef::JavaScriptCodeWithScope(code) => code.code.len() + code.scope.as_bytes().len(),
        _ => 0,
    }
}

/// Follows `path` from `document`, as [`Value::follow`] does.
///
/// # Errors
/// As [`Value::follow`].
pub(crate) fn lookup<'a>(document: &'a RawDocument, path: &[Part]) -> Result<Value<'a>> {
    let Some((first, rest)) = path.split_first() else { return Ok(Value::Borrowed(RawBsonRef::Document(document))) };
    let Some(value) = field(document, first.name())? else { return Ok(Value::Missing) };
    if rest.is_empty() {
        return Ok(Value::Borrowed(value));
    }
    match value {
        RawBsonRef::Document(inner) => lookup(inner, rest),
        RawBsonRef::Array(array) => {
            let mut found = List::default();
            for element in elements(array) {
                if let RawBsonRef::Document(inner) = element?
                    && let value @ (Value::Borrowed(_) | Value::List(_)) = lookup(inner, rest)?
                {
                    found.push(value)?;
                }
            }
            Ok(Value::List(found))
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
