//! Documents as values of Rust, by way of serde.
//!
//! What BSON is to serde is for the `bson` crate to say. What most documents are made of (objects, arrays, text, numbers, truth,
//! null, ids and plain binary data) is the same here, with less work for each field; as soon as something else is met, or
//! something goes wrong, the crate deserializes the document from the start, and what it says counts.
//!
//! # Invariants
//! 1. [`decoded`] gives a value only if the crate gives the same; but what nobody asks for is not looked at, whatever it is.
//! 2. Text is borrowed from the document; nothing is allocated but by the value itself.

use std::cell::Cell;
use std::fmt;

use bson::oid::ObjectId;
use bson::spec::ElementType;
use bson::{Bson, DateTime, Document, RawDocument};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::document::raw::name_length;
use crate::limits;

/// The value of `document`, or `None` when that is for the crate to find out.
pub(super) fn decoded<T: DeserializeOwned>(document: &RawDocument) -> Option<T> {
    let is_left_to_crate = Cell::new(false);
    let value = Value {
        kind: ElementType::EmbeddedDocument as u8,
        bytes: document.as_bytes(),
        is_left_to_crate: &is_left_to_crate,
    };
    // A field whose error somebody turns into a value counts, too.
    T::deserialize(value).ok().filter(|_| !is_left_to_crate.get())
}

/// `document` as a tree of values, or `None` when that is for the crate to find out.
pub(super) fn tree(document: &RawDocument) -> Option<Document> {
    fields(document.as_bytes(), limits::DOCUMENT_DEPTH_MAX).ok()
}

fn fields(bytes: &[u8], levels: usize) -> Result<Document> {
    let is_left_to_crate = Cell::new(false);
    let mut elements = Elements::of(bytes, &is_left_to_crate)?;
    let mut document = Document::new();
    while let Some((name, value)) = elements.next()? {
        let name = std::str::from_utf8(name).map_err(|_| Left)?;
        document.insert(name.to_owned(), value.tree(levels)?);
    }
    Ok(document)
}

fn items(bytes: &[u8], levels: usize) -> Result<Vec<Bson>> {
    let is_left_to_crate = Cell::new(false);
    let mut elements = Elements::of(bytes, &is_left_to_crate)?;
    let mut items = Vec::new();
    while let Some((_, value)) = elements.next()? {
        items.push(value.tree(levels)?);
    }
    Ok(items)
}

/// Something is for the crate. What it is, the crate says.
#[derive(Debug)]
struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to the crate")
    }
}

impl std::error::Error for Left {}

impl de::Error for Left {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, Left>;

/// A value in a document.
#[derive(Clone, Copy)]
struct Value<'de, 'c> {
    /// The byte of its type.
    kind: u8,
    bytes: &'de [u8],
    is_left_to_crate: &'c Cell<bool>,
}

const DOUBLE: u8 = ElementType::Double as u8;
const STRING: u8 = ElementType::String as u8;
const DOCUMENT: u8 = ElementType::EmbeddedDocument as u8;
const ARRAY: u8 = ElementType::Array as u8;
const BINARY: u8 = ElementType::Binary as u8;
const OBJECT_ID: u8 = ElementType::ObjectId as u8;
const DATE: u8 = ElementType::DateTime as u8;
const BOOLEAN: u8 = ElementType::Boolean as u8;
const NULL: u8 = ElementType::Null as u8;
const INT32: u8 = ElementType::Int32 as u8;
const INT64: u8 = ElementType::Int64 as u8;

/// What a length takes.
const LENGTH: usize = 4;

/// The byte of binary data that means nothing in particular.
const GENERIC: u8 = 0;

/// How names of newtypes begin that mean something to the crate.
const MARK: char = '$';

fn left<T>() -> Result<T> {
    Err(Left)
}

/// The length at the beginning of `bytes`.
fn length(bytes: &[u8]) -> Option<usize> {
    let (length, _) = bytes.split_first_chunk::<LENGTH>()?;
    usize::try_from(i32::from_le_bytes(*length)).ok()
}

/// The text whose length is in front of it and whose end is a zero.
fn text(bytes: &[u8]) -> Option<&str> {
    let (_, text) = bytes.split_first_chunk::<LENGTH>()?;
    let (0, text) = text.split_last()? else { return None };
    std::str::from_utf8(text).ok()
}

impl<'de> Value<'de, '_> {
    fn array<const N: usize>(&self) -> Result<[u8; N]> {
        self.bytes.try_into().map_err(|_| Left)
    }

    fn text(&self) -> Result<&'de str> {
        text(self.bytes).ok_or(Left)
    }

    /// Leaves everything to the crate, whatever becomes of the error.
    fn leave<T>(&self) -> Result<T> {
        self.is_left_to_crate.set(true);
        left()
    }
}

impl<'de, 'c> Value<'de, 'c> {
    fn elements(&self) -> Result<Elements<'de, 'c>> {
        Elements::of(self.bytes, self.is_left_to_crate)
    }

    /// The value as part of a tree, in which there may be so many more levels.
    fn tree(&self, levels: usize) -> Result<Bson> {
        let below = levels.checked_sub(1).ok_or(Left);
        Ok(match self.kind {
            INT32 => Bson::Int32(i32::from_le_bytes(self.array()?)),
            INT64 => Bson::Int64(i64::from_le_bytes(self.array()?)),
            DOUBLE => Bson::Double(f64::from_le_bytes(self.array()?)),
            DATE => Bson::DateTime(DateTime::from_millis(i64::from_le_bytes(self.array()?))),
            OBJECT_ID => Bson::ObjectId(ObjectId::from_bytes(self.array()?)),
            STRING => Bson::String(self.text()?.to_owned()),
            BOOLEAN => match self.bytes {
                [0] => Bson::Boolean(false),
                [1] => Bson::Boolean(true),
                _ => return left(),
            },
            NULL => Bson::Null,
            DOCUMENT => Bson::Document(fields(self.bytes, below?)?),
            ARRAY => Bson::Array(items(self.bytes, below?)?),
            _ => return left(),
        })
    }
}

impl<'de> de::Deserializer<'de> for Value<'de, '_> {
    type Error = Left;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.kind {
            INT32 => visitor.visit_i32(i32::from_le_bytes(self.array()?)),
            INT64 => visitor.visit_i64(i64::from_le_bytes(self.array()?)),
            DOUBLE => visitor.visit_f64(f64::from_le_bytes(self.array()?)),
            STRING => visitor.visit_borrowed_str(self.text()?),
            BOOLEAN => match self.bytes {
                [0] => visitor.visit_bool(false),
                [1] => visitor.visit_bool(true),
                _ => self.leave(),
            },
            NULL => visitor.visit_unit(),
            DOCUMENT => visitor.visit_map(self.elements()?),
            ARRAY => visitor.visit_seq(self.elements()?),
            BINARY => match self.bytes.split_at_checked(LENGTH + 1) {
                Some(([.., GENERIC], bytes)) => visitor.visit_borrowed_bytes(bytes),
                _ => self.leave(),
            },
            _ => self.leave(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.kind == NULL { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.kind == OBJECT_ID { visitor.visit_borrowed_bytes(self.bytes) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name.starts_with(MARK) { self.leave() } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.kind == STRING { visitor.visit_enum(self.text()?.into_deserializer()) } else { self.leave() }
    }

    /// What nobody asks for is not even looked at.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool char str byte_buf unit unit_struct string identifier seq tuple tuple_struct struct map
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64
    }
}

/// The elements of a document or an array.
struct Elements<'de, 'c> {
    /// From the type of the next one on.
    rest: &'de [u8],
    /// The one whose name was given.
    value: Option<Value<'de, 'c>>,
    is_left_to_crate: &'c Cell<bool>,
}

impl<'de, 'c> Elements<'de, 'c> {
    /// The elements of a document or an array of these bytes.
    fn of(bytes: &'de [u8], is_left_to_crate: &'c Cell<bool>) -> Result<Self> {
        let (_, rest) = bytes.split_first_chunk::<LENGTH>().ok_or(Left)?;
        Ok(Self { rest, value: None, is_left_to_crate })
    }

    /// The name of the next element, as bytes, and its value.
    fn next(&mut self) -> Result<Option<(&'de [u8], Value<'de, 'c>)>> {
        let (kind, rest) = self.rest.split_first().ok_or(Left)?;
        if *kind == 0 {
            return if rest.is_empty() { Ok(None) } else { left() };
        }
        let end = name_length(rest).ok_or(Left)?;
        let (name, rest) = rest.split_at_checked(end).ok_or(Left)?;
        let (_, rest) = rest.split_first().ok_or(Left)?;
        let size = match *kind {
            INT32 => Some(4),
            INT64 | DOUBLE | DATE => Some(8),
            BOOLEAN => Some(1),
            NULL => Some(0),
            OBJECT_ID => Some(12),
            STRING => length(rest).and_then(|length| length.checked_add(LENGTH)),
            DOCUMENT | ARRAY => length(rest),
            BINARY => length(rest).and_then(|length| length.checked_add(LENGTH + 1)),
            _ => {
                self.is_left_to_crate.set(true);
                None
            }
        };
        let (bytes, rest) = size.and_then(|size| rest.split_at_checked(size)).ok_or(Left)?;
        self.rest = rest;
        Ok(Some((name, Value { kind: *kind, bytes, is_left_to_crate: self.is_left_to_crate })))
    }
}

/// The name of an element.
struct Name<'de>(&'de [u8]);

impl<'de> Name<'de> {
    fn text(self) -> Result<BorrowedStrDeserializer<'de, Left>> {
        std::str::from_utf8(self.0).map(BorrowedStrDeserializer::new).map_err(|_| Left)
    }
}

impl<'de> de::Deserializer<'de> for Name<'de> {
    type Error = Left;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.text()?.deserialize_any(visitor)
    }

    /// The fields of a struct are known by the bytes of their names, too, and that those are ASCII is seen sooner than that
    /// they are UTF-8.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_ascii() { visitor.visit_borrowed_bytes(self.0) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.text()?.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct option newtype_struct seq tuple tuple_struct struct map
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 ignored_any
    }
}

impl<'de> MapAccess<'de> for Elements<'de, '_> {
    type Error = Left;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((name, value)) = self.next()? else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(self.value.take().ok_or(Left)?)
    }
}

impl<'de> SeqAccess<'de> for Elements<'de, '_> {
    type Error = Left;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.next()?.map(|(_, value)| seed.deserialize(value)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::spec::BinarySubtype;
    use bson::{Binary, Decimal128, RawDocumentBuf, Timestamp, doc};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        #[serde(default)]
        b: Option<String>,
        #[serde(rename = "c", default)]
        list: Vec<f64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Word {
        One,
        Two,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        a: i64,
        #[serde(default)]
        inner: Option<Inner>,
        #[serde(default)]
        word: Option<Word>,
        #[serde(default)]
        at: Option<DateTime>,
        #[serde(default)]
        id: Option<ObjectId>,
        #[serde(flatten)]
        others: BTreeMap<String, Bson>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain {
        a: i64,
        inner: Inner,
        word: Word,
        id: ObjectId,
    }

    /// Turns what does not deserialize into nothing.
    #[expect(clippy::unnecessary_wraps, reason = "serde wants it so")]
    fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<DateTime>, D::Error> {
        Ok(DateTime::deserialize(deserializer).ok())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Lenient {
        #[serde(deserialize_with = "lenient")]
        at: Option<DateTime>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i32),
        Text(String),
        Other(Document),
    }

    fn raw(document: &Document) -> RawDocumentBuf {
        RawDocumentBuf::try_from(document).unwrap()
    }

    /// Whether a value is what the crate makes of the document, or left to it.
    fn agrees<T: DeserializeOwned + PartialEq + fmt::Debug>(document: &Document) -> Option<T> {
        let raw = raw(document);
        let by_crate = bson::deserialize_from_slice::<T>(raw.as_bytes()).ok();
        let decoded = decoded::<T>(&raw);
        assert!(decoded.is_none() || decoded == by_crate, "{document}: {decoded:?} and {by_crate:?}");
        decoded
    }

    #[test]
    fn structs_and_trees_are_decoded() {
        let simple = doc! { "a": [1, { "b": DateTime::MIN }], "c": null, "d": "x", "e": true, "f": 1.5, "g": 1_i64 };
        assert_eq!(tree(&raw(&simple)), Some(simple));
        let document = doc! {
            "x": 1, "a": 7, "inner": { "b": "text", "c": [1.5, 2.0], "z": Bson::MaxKey }, "word": "Two",
            "id": ObjectId::from_bytes([7; 12]),
        };
        let inner = Inner { b: Some("text".into()), list: vec![1.5, 2.0] };
        let found = agrees::<Plain>(&document);
        // What is in the inner document beside its fields is of a kind that is not decoded here.
        assert_eq!(found, None);
        let mut document = document;
        document.get_document_mut("inner").unwrap().remove("z");
        let expected = Plain { a: 7, inner, word: Word::Two, id: ObjectId::from_bytes([7; 12]) };
        assert_eq!(agrees::<Plain>(&document), Some(expected));
    }

    #[test]
    fn what_the_crate_reads_otherwise_is_left_to_it_even_when_the_error_is_swallowed() {
        assert_eq!(agrees::<Lenient>(&doc! { "at": DateTime::MIN }), None);
        assert_eq!(agrees::<Lenient>(&doc! { "at": 1 }), Some(Lenient { at: None }));
        for value in [Bson::from(1), "x".into(), doc! { "k": 1 }.into(), doc! { "k": DateTime::MIN }.into()] {
            agrees::<BTreeMap<String, Either>>(&doc! { "v": value });
        }
    }

    #[test]
    fn bytes_that_are_no_document_are_left_to_the_crate() {
        let whole = raw(&doc! { "a": 1, "inner": { "b": "text" }, "word": "One" }).into_bytes();
        for place in 4..whole.len() {
            for byte in [0, 1, 2, 3, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] = byte;
                let Ok(document) = RawDocument::from_bytes(&bytes) else { continue };
                let by_crate = bson::deserialize_from_slice::<Outer>(&bytes).ok();
                let found = decoded::<Outer>(document);
                assert!(found.is_none() || found == by_crate, "{bytes:02x?}");
                let found = tree(document);
                assert!(found.is_none() || found == Document::try_from(document).ok(), "{bytes:02x?}");
            }
        }
    }

    fn value() -> impl Strategy<Value = Bson> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Bson::from),
            any::<i64>().prop_map(Bson::from),
            (-1e9..1e9).prop_map(Bson::Double),
            "[a-zé]{0,3}".prop_map(Bson::from),
            any::<bool>().prop_map(Bson::from),
            Just(Bson::Null),
            Just(Bson::DateTime(DateTime::MIN)),
            Just(Bson::ObjectId(ObjectId::from_bytes([1; 12]))),
            Just(Bson::Decimal128("1.5".parse::<Decimal128>().unwrap())),
            Just(Bson::Timestamp(Timestamp { time: 1, increment: 2 })),
            prop_oneof![Just(BinarySubtype::Generic), Just(BinarySubtype::Uuid)]
                .prop_map(|subtype| Bson::Binary(Binary { subtype, bytes: vec![3; 16] })),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array),
                prop::collection::vec(("[a-c]", inner), 0..4)
                    .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_is_what_the_crate_makes_of_it(
            fields in prop::collection::vec(("(a|inner|word|at|id|b|c|v)", value()), 0..6),
        ) {
            let document: Document = fields.into_iter().collect();
            let made = tree(&raw(&document));
            prop_assert!(made.is_none() || made.as_ref() == Some(&document), "{:?}", made);
            agrees::<Document>(&document);
            agrees::<Outer>(&document);
            agrees::<Inner>(&document);
            agrees::<Lenient>(&document);
            agrees::<BTreeMap<String, Either>>(&document);
            agrees::<BTreeMap<String, Option<Vec<u8>>>>(&document);
        }
    }
}
