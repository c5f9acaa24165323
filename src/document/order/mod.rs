//! The total order of values.
//!
//! Values of different classes are ordered by class, values of one class as [`Value::compare`] says. Stored and owned
//! values compare with each other, so that a filter's operands need no encoding.
//!
//! The deprecated types stay readable: a symbol is a string, undefined is null, a database pointer is ordered by its bytes
//! between regular expressions and code.
//!
//! # Source
//! MongoDB manual, Comparison/Sort Order.

use std::cmp::Ordering;

use bson::raw::{RawIter, cstr};
use bson::spec::BinarySubtype;
use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};

use crate::document::collation::Collator;
use crate::document::number::Number;

/// What the length within binary data of the old subtype takes.
pub(super) const BINARY_OLD_LENGTH_BYTES: usize = 4;

/// The classes of values, low to high. The bytes are stored in index keys; never reuse one.
///
/// Every byte is above 0, which ends an object or array, and below 0xff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Class {
    MinKey = 0x08,
    /// The entry of an empty array in an index; no value is of this class.
    EmptyArray = 0x10,
    Null = 0x18,
    Number = 0x20,
    String = 0x28,
    Object = 0x30,
    Array = 0x38,
    Binary = 0x40,
    ObjectId = 0x48,
    Boolean = 0x50,
    Date = 0x58,
    Timestamp = 0x60,
    Regex = 0x68,
    Pointer = 0x70,
    Code = 0x78,
    ScopedCode = 0x80,
    MaxKey = 0xf0,
}

/// An order of values: that of MongoDB's, with text ordered by a collation, if there is one.
///
/// Without a collation text is ordered by its bytes. Names of fields always are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order<'c> {
    collator: Option<&'c Collator>,
}

impl<'c> Order<'c> {
    /// Text by its bytes.
    pub(super) const SIMPLE: Order<'static> = Order { collator: None };

    /// Text by `collator`, or, without one, by its bytes.
    pub(super) fn of(collator: Option<&'c Collator>) -> Self {
        Self { collator }
    }

    /// Orders two stored values.
    pub(super) fn compare(self, a: RawBsonRef<'_>, b: RawBsonRef<'_>) -> Ordering {
        Value::from(a).compare_in(&Value::from(b), self)
    }

    /// Orders two owned values.
    pub(super) fn compare_bson(self, a: &Bson, b: &Bson) -> Ordering {
        Value::from(a).compare_in(&Value::from(b), self)
    }

    fn text(self, a: &str, b: &str) -> Ordering {
        match self.collator {
            None => a.cmp(b),
            Some(collator) => collator.compare(a, b),
        }
    }

    /// Bytes whose order is that of texts; nothing when those are the bytes of the text.
    pub(super) fn text_key(self, text: &str) -> Option<Vec<u8>> {
        self.collator.map(|collator| collator.key(text))
    }
}

/// Orders two stored values, text by its bytes.
pub(super) fn compare(a: RawBsonRef<'_>, b: RawBsonRef<'_>) -> Ordering {
    Order::SIMPLE.compare(a, b)
}

/// Whether there is text in `value`, so that its order depends on a collation.
pub(super) fn has_text(value: &Bson) -> bool {
    match value {
        Bson::String(_) | Bson::Symbol(_) => true,
        Bson::Array(elements) => elements.iter().any(has_text),
        Bson::Document(fields) => fields.values().any(has_text),
        Bson::JavaScriptCodeWithScope(code) => code.scope.values().any(has_text),
        _ => false,
    }
}

/// A value, stored or owned, as the order sees it.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    MinKey,
    Null,
    Number(Number),
    String(&'a str),
    Object(Fields<'a>),
    Array(Fields<'a>),
    Binary(BinarySubtype, &'a [u8]),
    ObjectId([u8; 12]),
    Boolean(bool),
    /// Milliseconds since 1970.
    Date(i64),
    Timestamp(Timestamp),
    Regex(&'a str, &'a str),
    /// The encoded pointer.
    Pointer(Vec<u8>),
    Code(&'a str),
    ScopedCode(&'a str, Fields<'a>),
    MaxKey,
}

impl Value<'_> {
    /// The class of the value.
    pub(super) fn class(&self) -> Class {
        match self {
            Self::MinKey => Class::MinKey,
            Self::Null => Class::Null,
            Self::Number(_) => Class::Number,
            Self::String(_) => Class::String,
            Self::Object(_) => Class::Object,
            Self::Array(_) => Class::Array,
            Self::Binary(..) => Class::Binary,
            Self::ObjectId(_) => Class::ObjectId,
            Self::Boolean(_) => Class::Boolean,
            Self::Date(_) => Class::Date,
            Self::Timestamp(_) => Class::Timestamp,
            Self::Regex(..) => Class::Regex,
            Self::Pointer(_) => Class::Pointer,
            Self::Code(_) => Class::Code,
            Self::ScopedCode(..) => Class::ScopedCode,
            Self::MaxKey => Class::MaxKey,
        }
    }

    /// Orders two values. Recursion is bounded by [`crate::limits::DOCUMENT_DEPTH_MAX`], which every stored document and
    /// every operand is checked against.
    pub(super) fn compare_in(&self, other: &Value<'_>, order: Order<'_>) -> Ordering {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.compare(*b),
            (Value::String(a), Value::String(b)) => order.text(a, b),
            (Value::Code(a), Value::Code(b)) => a.cmp(b),
            (Value::Object(a), Value::Object(b)) => compare_objects(*a, *b, order),
            (Value::Array(a), Value::Array(b)) => compare_arrays(*a, *b, order),
            (Value::Binary(a_type, a), Value::Binary(b_type, b)) => {
                let lengths = binary_length(*a_type, a).cmp(&binary_length(*b_type, b));
                lengths.then_with(|| u8::from(*a_type).cmp(&u8::from(*b_type))).then_with(|| a.cmp(b))
            }
            (Value::ObjectId(a), Value::ObjectId(b)) => a.cmp(b),
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => (a.time, a.increment).cmp(&(b.time, b.increment)),
            (Value::Regex(a, a_flags), Value::Regex(b, b_flags)) => (a, a_flags).cmp(&(b, b_flags)),
            (Value::Pointer(a), Value::Pointer(b)) => a.cmp(b),
            (Value::ScopedCode(a, a_scope), Value::ScopedCode(b, b_scope)) => {
                a.cmp(b).then_with(|| compare_objects(*a_scope, *b_scope, order))
            }
            _ => self.class().cmp(&other.class()),
        }
    }
}

/// The length that binary data is ordered by: the old subtype holds its length once more.
pub(super) fn binary_length(subtype: BinarySubtype, bytes: &[u8]) -> usize {
    bytes.len() + if subtype == BinarySubtype::BinaryOld { BINARY_OLD_LENGTH_BYTES } else { 0 }
}

/// Field by field: the classes of the values, then the names, then the values.
fn compare_objects(a: Fields<'_>, b: Fields<'_>, by: Order<'_>) -> Ordering {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        let ((a_name, a), (b_name, b)) = match (a.next(), b.next()) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        let order = a.class().cmp(&b.class()).then_with(|| a_name.cmp(b_name)).then_with(|| a.compare_in(&b, by));
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_arrays(a: Fields<'_>, b: Fields<'_>, by: Order<'_>) -> Ordering {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        let ((_, a), (_, b)) = match (a.next(), b.next()) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        let order = a.compare_in(&b, by);
        if order.is_ne() {
            return order;
        }
    }
}

/// An object or array, whose fields or elements are walked on demand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fields<'a> {
    Raw(&'a RawDocument),
    RawArray(&'a RawArray),
    Owned(&'a Document),
    OwnedArray(&'a [Bson]),
}

impl<'a> Fields<'a> {
    /// The fields in stored order; elements of an array have empty names.
    ///
    /// Documents are validated before they are stored; a field that does not decode all the same ends the walk.
    pub(super) fn iter(self) -> FieldsIter<'a> {
        match self {
            Self::Raw(document) => FieldsIter::Raw(document.iter_elements()),
            Self::RawArray(array) => FieldsIter::RawArray(array.iter_elements()),
            Self::Owned(document) => FieldsIter::Owned(document.iter()),
            Self::OwnedArray(elements) => FieldsIter::OwnedArray(elements.iter()),
        }
    }
}

/// Walks over [`Fields`].
pub(super) enum FieldsIter<'a> {
    Raw(RawIter<'a>),
    RawArray(RawIter<'a>),
    Owned(bson::document::Iter<'a>),
    OwnedArray(std::slice::Iter<'a, Bson>),
}

impl<'a> Iterator for FieldsIter<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Raw(iter) => {
                let element = iter.next()?.ok()?;
                Some((element.key().as_str(), Value::from(element.value().ok()?)))
            }
            Self::RawArray(iter) => Some(("", Value::from(iter.next()?.ok()?.value().ok()?))),
            Self::Owned(iter) => iter.next().map(|(name, value)| (name.as_str(), Value::from(value))),
            Self::OwnedArray(iter) => iter.next().map(|value| ("", Value::from(value))),
        }
    }
}

impl<'a> From<RawBsonRef<'a>> for Value<'a> {
    fn from(value: RawBsonRef<'a>) -> Self {
        match value {
            RawBsonRef::MinKey => Self::MinKey,
            RawBsonRef::Null | RawBsonRef::Undefined => Self::Null,
            RawBsonRef::Int32(n) => Self::Number(Number::Int32(n)),
            RawBsonRef::Int64(n) => Self::Number(Number::Int64(n)),
            RawBsonRef::Double(n) => Self::Number(Number::Double(n)),
            RawBsonRef::Decimal128(n) => Self::Number(Number::Decimal(n)),
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Self::String(text),
            RawBsonRef::Document(document) => Self::Object(Fields::Raw(document)),
            RawBsonRef::Array(array) => Self::Array(Fields::RawArray(array)),
            RawBsonRef::Binary(binary) => Self::Binary(binary.subtype, binary.bytes),
            RawBsonRef::ObjectId(id) => Self::ObjectId(id.bytes()),
            RawBsonRef::Boolean(value) => Self::Boolean(value),
            RawBsonRef::DateTime(date) => Self::Date(date.timestamp_millis()),
            RawBsonRef::Timestamp(timestamp) => Self::Timestamp(timestamp),
            RawBsonRef::RegularExpression(regex) => Self::Regex(regex.pattern.as_str(), regex.options.as_str()),
            RawBsonRef::DbPointer(_) => Self::Pointer(pointer_bytes(value)),
            RawBsonRef::JavaScriptCode(code) => Self::Code(code),
            RawBsonRef::JavaScriptCodeWithScope(scoped) => Self::ScopedCode(scoped.code, Fields::Raw(scoped.scope)),
            RawBsonRef::MaxKey => Self::MaxKey,
        }
    }
}

impl<'a> From<&'a Bson> for Value<'a> {
    fn from(value: &'a Bson) -> Self {
        match value {
            Bson::MinKey => Self::MinKey,
            Bson::Null | Bson::Undefined => Self::Null,
            Bson::Int32(n) => Self::Number(Number::Int32(*n)),
            Bson::Int64(n) => Self::Number(Number::Int64(*n)),
            Bson::Double(n) => Self::Number(Number::Double(*n)),
            Bson::Decimal128(n) => Self::Number(Number::Decimal(*n)),
            Bson::String(text) | Bson::Symbol(text) => Self::String(text),
            Bson::Document(document) => Self::Object(Fields::Owned(document)),
            Bson::Array(array) => Self::Array(Fields::OwnedArray(array)),
            Bson::Binary(binary) => Self::Binary(binary.subtype, &binary.bytes),
            Bson::ObjectId(id) => Self::ObjectId(id.bytes()),
            Bson::Boolean(value) => Self::Boolean(*value),
            Bson::DateTime(date) => Self::Date(date.timestamp_millis()),
            Bson::Timestamp(timestamp) => Self::Timestamp(*timestamp),
            Bson::RegularExpression(regex) => Self::Regex(regex.pattern.as_str(), regex.options.as_str()),
            Bson::DbPointer(pointer) => {
                let mut document = RawDocumentBuf::new();
                document.append(cstr!(""), pointer.clone());
                Self::Pointer(document.as_bytes().to_vec())
            }
            Bson::JavaScriptCode(code) => Self::Code(code),
            Bson::JavaScriptCodeWithScope(scoped) => Self::ScopedCode(&scoped.code, Fields::Owned(&scoped.scope)),
            Bson::MaxKey => Self::MaxKey,
        }
    }
}

/// The type of a value as messages name it.
pub(super) fn type_name(value: RawBsonRef<'_>) -> &'static str {
    match value {
        RawBsonRef::Double(_) => "double",
        RawBsonRef::String(_) => "string",
        RawBsonRef::Array(_) => "array",
        RawBsonRef::Document(_) => "object",
        RawBsonRef::Boolean(_) => "bool",
        RawBsonRef::Null => "null",
        RawBsonRef::RegularExpression(_) => "regex",
        RawBsonRef::JavaScriptCode(_) => "javascript",
        RawBsonRef::JavaScriptCodeWithScope(_) => "javascriptWithScope",
        RawBsonRef::Int32(_) => "int",
        RawBsonRef::Int64(_) => "long",
        RawBsonRef::Timestamp(_) => "timestamp",
        RawBsonRef::Binary(_) => "binData",
        RawBsonRef::ObjectId(_) => "objectId",
        RawBsonRef::DateTime(_) => "date",
        RawBsonRef::Symbol(_) => "symbol",
        RawBsonRef::Decimal128(_) => "decimal",
        RawBsonRef::Undefined => "undefined",
        RawBsonRef::MaxKey => "maxKey",
        RawBsonRef::MinKey => "minKey",
        RawBsonRef::DbPointer(_) => "dbPointer",
    }
}

/// A database pointer has no public parts, but its encoding has an order too.
fn pointer_bytes(value: RawBsonRef<'_>) -> Vec<u8> {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!(""), value);
    document.as_bytes().to_vec()
}

#[cfg(test)]
pub(super) mod tests;
