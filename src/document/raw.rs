//! Finding one field in the bytes of a stored document, without decoding what is passed on the way.
//!
//! Filters, sorts, index keys and groups do this for every document they look at, and it is several times as fast as
//! asking the `bson` crate, which decodes each value it passes; `docs/decisions/0002-bson.md` has the figures. Values of
//! common types are read here, the rest by the crate.
//!
//! # Source
//! BSON specification, version 1.1.

use bson::{DateTime, Decimal128, RawBsonRef, RawDocument, RawDocumentBuf, oid::ObjectId};
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::limits;

/// A document without elements.
const EMPTY: [u8; 5] = [5, 0, 0, 0, 0];

/// What the length takes that a document begins with.
const LENGTH_BYTES: usize = size_of::<i32>();

/// A stored document that does not decode.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn corrupt(error: bson::error::Error) -> Error {
    Error::corrupt("document", error.to_string())
}

/// A field where it was found: the byte that says its type, and the bytes of its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    document: &'a RawDocument,
    tag: u8,
    value: &'a [u8],
}

impl<'a> Element<'a> {
    /// The bytes of a string, which are UTF-8 in what was stored; `None` for a value of another type.
    #[inline]
    pub(super) fn text(self) -> Option<&'a [u8]> {
        if self.tag != STRING {
            return None;
        }
        self.value.get(4..self.value.len().checked_sub(1)?)
    }

    /// Whether type and bytes are the same.
    fn is_same(self, other: Element<'_>) -> bool {
        self.tag == other.tag && self.value == other.value
    }

    /// The value of the field, whose name is `name`.
    ///
    /// # Errors
    /// [`Error::Corruption`] when the bytes are not BSON.
    #[inline]
    pub(super) fn value(self, name: &str) -> Result<Option<RawBsonRef<'a>>> {
        match common(self.tag, self.value)? {
            Some(value) => Ok(Some(value)),
            None => self.document.get(name).map_err(corrupt),
        }
    }
}

/// The value of the top-level field `name`, the first if there are several.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early or are not BSON. Bytes behind the field are not looked at.
///
/// # Cost
/// One step for each field up to `name`.
pub(super) fn field<'a>(document: &'a RawDocument, name: &str) -> Result<Option<RawBsonRef<'a>>> {
    match element(document, name)? {
        Some(element) => element.value(name),
        None => Ok(None),
    }
}

/// Whether the top-level field `name` is the same in both documents, byte by byte, or in neither.
///
/// # Errors
/// As [`field`].
pub(super) fn same_field(a: &RawDocument, b: &RawDocument, name: &str) -> Result<bool> {
    Ok(match (element(a, name)?, element(b, name)?) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, None) => true,
        _ => false,
    })
}

/// The top-level field `name`, as [`field`] finds it, with its value as it is stored.
///
/// # Errors
/// As [`field`].
pub(super) fn element<'a>(document: &'a RawDocument, name: &str) -> Result<Option<Element<'a>>> {
    let wanted = Wanted::new(name.as_bytes());
    let mut rest = document.as_bytes().get(LENGTH_BYTES..).ok_or_else(cut_short)?;
    loop {
        let (&tag, named) = rest.split_first().ok_or_else(cut_short)?;
        if tag == 0 {
            return Ok(None);
        }
        let (length, is_it) = wanted.is_at(named).ok_or_else(cut_short)?;
        let value = named.get(length + 1..).ok_or_else(cut_short)?;
        let bytes = value_bytes(tag, value).ok_or_else(cut_short)?;
        let (value, behind) = value.split_at_checked(bytes).ok_or_else(cut_short)?;
        if is_it {
            return Ok(Some(Element { document, tag, value }));
        }
        rest = behind;
    }
}

/// The top-level elements of a document in their order, as they are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a> {
    document: &'a RawDocument,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// # Errors
    /// [`Error::Corruption`] for what is too short to be a document.
    pub(super) fn of(document: &'a RawDocument) -> Result<Self> {
        let rest = document.as_bytes().get(LENGTH_BYTES..).ok_or_else(cut_short)?;
        Ok(Self { document, rest })
    }

    /// The bytes from the next element on, and at last the zero that ends the document.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The name of the next element, and where it was found.
    ///
    /// # Errors
    /// As [`field`].
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(&'a [u8], Element<'a>)>> {
        self.step().ok_or_else(cut_short)
    }

    #[inline]
    #[expect(clippy::option_option, reason = "the end, or no element")]
    fn step(&mut self) -> Option<Option<(&'a [u8], Element<'a>)>> {
        let (&tag, named) = self.rest.split_first()?;
        if tag == 0 {
            return Some(None);
        }
        let (name, ended) = named.split_at_checked(name_length(named)?)?;
        let (_, value) = ended.split_first()?;
        let (value, rest) = value.split_at_checked(value_bytes(tag, value)?)?;
        self.rest = rest;
        Some(Some((name, Element { document: self.document, tag, value })))
    }
}

/// Which fields at the top of two documents differ.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    documents: (&'a RawDocument, &'a RawDocument),
    /// The names of those that differ, if both have the same fields in the same order, but for more of them at the end.
    names: Option<SmallVec<[&'a [u8]; 4]>>,
}

impl<'a> Difference<'a> {
    /// Compares the documents field by field.
    ///
    /// # Errors
    /// As [`field`].
    pub(super) fn between(before: &'a RawDocument, after: &'a RawDocument) -> Result<Self> {
        let (mut old, mut new) = (Elements::of(before)?, Elements::of(after)?);
        let mut names = SmallVec::new();
        loop {
            match (old.next()?, new.next()?) {
                (None, None) => return Ok(Self { documents: (before, after), names: Some(names) }),
                (Some((name, old)), Some((other, new))) if name == other => {
                    if !old.is_same(new) {
                        names.push(name);
                    }
                }
                (Some((name, _)), None) | (None, Some((name, _))) => names.push(name),
                (Some(_), Some(_)) => return Ok(Self { documents: (before, after), names: None }),
            }
        }
    }

    /// Whether the field `name` is another one, or in one document alone.
    ///
    /// # Errors
    /// As [`field`].
    pub(super) fn has(&self, name: &str) -> Result<bool> {
        match &self.names {
            Some(names) => Ok(names.contains(&name.as_bytes())),
            None => Ok(!same_field(self.documents.0, self.documents.1, name)?),
        }
    }
}

/// An empty document with room for so many bytes.
pub(super) fn with_room(bytes: usize) -> RawDocumentBuf {
    let mut document = Vec::with_capacity(bytes);
    document.extend_from_slice(&EMPTY);
    RawDocumentBuf::from_bytes(document).unwrap_or_default()
}

/// `document` with `elements` behind its own, as they are stored in another one.
///
/// # Errors
/// [`Error::LimitExceeded`] when it is longer than its length can say.
pub(super) fn with_elements(document: RawDocumentBuf, elements: &[u8]) -> Result<RawDocumentBuf> {
    if elements.is_empty() {
        return Ok(document);
    }
    let mut bytes = document.into_bytes();
    bytes.pop();
    bytes.extend_from_slice(elements);
    bytes.push(0);
    let length = i32::try_from(bytes.len()).map_err(|_| Error::LimitExceeded {
        limit: "document bytes",
        max: limits::DOCUMENT_BYTES_MAX as u64,
        found: bytes.len() as u64,
    })?;
    if let Some(place) = bytes.first_chunk_mut() {
        *place = length.to_le_bytes();
    }
    RawDocumentBuf::from_bytes(bytes).map_err(corrupt)
}

/// A name that is looked for. Most are short: eight bytes are compared, and searched for the zero that ends a name, as one number.
#[derive(Clone, Copy)]
struct Wanted<'n> {
    name: &'n [u8],
    /// The name and its zero, the first byte lowest, and which bits they take; for a long name no number equals it.
    word: u64,
    mask: u64,
}

/// The lowest and the highest bit of every byte.
const LOWEST: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGHEST: u64 = 0x8080_8080_8080_8080;

/// A number whose lowest bit is the highest of the first byte of `word` that is zero; 0 when none is.
#[inline]
pub(super) fn zeros_of(word: u64) -> u64 {
    word.wrapping_sub(LOWEST) & !word & HIGHEST
}

impl<'n> Wanted<'n> {
    #[inline]
    fn new(name: &'n [u8]) -> Self {
        if name.len() >= size_of::<u64>() {
            return Self { name, word: 1, mask: 0 };
        }
        let word = name.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        Self { name, word, mask: u64::MAX >> (8 * (7 - name.len())) }
    }

    /// How long the name is that `bytes` begin with, up to its zero, and whether it is this one; `None` when it does not end.
    #[inline]
    fn is_at(self, bytes: &[u8]) -> Option<(usize, bool)> {
        if let Some(chunk) = bytes.first_chunk() {
            let word = u64::from_le_bytes(*chunk);
            let zeros = zeros_of(word);
            if zeros != 0 {
                return Some((zeros.trailing_zeros() as usize / 8, word & self.mask == self.word));
            }
        }
        let length = bytes.iter().position(|byte| *byte == 0)?;
        Some((length, bytes.get(..length) == Some(self.name)))
    }
}

/// How long the name is that `bytes` begin with, up to its zero; `None` when it does not end.
#[inline]
pub(super) fn name_length(bytes: &[u8]) -> Option<usize> {
    if let Some(chunk) = bytes.first_chunk() {
        let zeros = zeros_of(u64::from_le_bytes(*chunk));
        if zeros != 0 {
            return Some(zeros.trailing_zeros() as usize / 8);
        }
    }
    bytes.iter().position(|byte| *byte == 0)
}

/// The type of strings.
const STRING: u8 = 0x02;

/// Says that the bytes of a value say how many they are.
pub(super) const VARIES: u8 = u8::MAX;

/// How many bytes the values of each type have, for the types up to decimal128.
pub(super) const FIXED_BYTES: [u8; 20] =
    [VARIES, 8, VARIES, VARIES, VARIES, VARIES, 0, 12, 1, 8, 0, VARIES, VARIES, VARIES, VARIES, VARIES, 4, 8, 8, 16];

/// How many bytes the value of type `tag` has that `bytes` begin with; `None` when that cannot be said.
#[inline]
fn value_bytes(tag: u8, bytes: &[u8]) -> Option<usize> {
    match FIXED_BYTES.get(usize::from(tag)) {
        Some(&fixed) if fixed != VARIES => Some(usize::from(fixed)),
        _ if tag == STRING => Some(length(bytes)?.saturating_add(4)),
        _ => varying_bytes(tag, bytes),
    }
}

/// The same for the types that [`value_bytes`] does not know: they are rare, and kept out of what each field that is passed costs.
#[inline(never)]
fn varying_bytes(tag: u8, bytes: &[u8]) -> Option<usize> {
    Some(match tag {
        0x7f | 0xff => 0,
        // The length of a document, array or code with scope counts itself.
        0x03 | 0x04 | 0x0f => length(bytes)?,
        0x0d | 0x0e => length(bytes)?.saturating_add(4),
        0x05 => length(bytes)?.saturating_add(5),
        0x0c => length(bytes)?.saturating_add(4 + 12),
        0x0b => {
            // A regular expression: two strings, each ended by a zero.
            let mut zeros = bytes.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
            zeros.nth(1)? + 1
        }
        _ => return None,
    })
}

/// The value, when its type is one that is read here.
fn common(tag: u8, bytes: &[u8]) -> Result<Option<RawBsonRef<'_>>> {
    Ok(Some(match tag {
        0x01 => RawBsonRef::Double(f64::from_le_bytes(array(bytes)?)),
        STRING => {
            let text = bytes.get(4..bytes.len().saturating_sub(1)).ok_or_else(cut_short)?;
            RawBsonRef::String(
                std::str::from_utf8(text).map_err(|_| Error::corrupt("document", "a string is not UTF-8"))?,
            )
        }
        0x03 => {
            let document = RawDocument::from_bytes(bytes);
            RawBsonRef::Document(document.map_err(corrupt)?)
        }
        0x07 => RawBsonRef::ObjectId(ObjectId::from_bytes(array(bytes)?)),
        0x08 => RawBsonRef::Boolean(bytes != [0]),
        0x09 => RawBsonRef::DateTime(DateTime::from_millis(i64::from_le_bytes(array(bytes)?))),
        0x0a => RawBsonRef::Null,
        0x10 => RawBsonRef::Int32(i32::from_le_bytes(array(bytes)?)),
        0x12 => RawBsonRef::Int64(i64::from_le_bytes(array(bytes)?)),
        0x13 => RawBsonRef::Decimal128(Decimal128::from_bytes(array(bytes)?)),
        _ => return Ok(None),
    }))
}

fn length(bytes: &[u8]) -> Option<usize> {
    let (length, _) = bytes.split_first_chunk()?;
    usize::try_from(i32::from_le_bytes(*length)).ok()
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| cut_short())
}

fn cut_short() -> Error {
    Error::corrupt("document", "it ends inside an element, or one is of no type that there is")
}

#[cfg(test)]
mod tests {
    use bson::spec::BinarySubtype;
    use bson::{Binary, Bson, JavaScriptCodeWithScope, Regex, Timestamp, doc};
    use proptest::prelude::*;

    use super::*;

    /// A document with a field of every type.
    fn every_type() -> bson::RawDocumentBuf {
        let regex = Regex { pattern: "a.b".try_into().unwrap(), options: "i".try_into().unwrap() };
        let scope = JavaScriptCodeWithScope { code: "x".into(), scope: doc! { "x": 1 } };
        let document = doc! {
            "double": 1.5, "string": "a\0b", "empty": "", "document": { "a": { "b": 1 } }, "array": [1, [2]],
            "binary": Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 1, 2] }, "undefined": Bson::Undefined,
            "id": ObjectId::from_bytes([7; 12]), "yes": true, "no": false, "date": DateTime::from_millis(-1),
            "null": Bson::Null, "regex": regex, "code": Bson::JavaScriptCode("f()".into()), "symbol": Bson::Symbol("s".into()),
            "scope": scope, "int": 1, "timestamp": Timestamp { time: 1, increment: 2 }, "long": i64::MIN,
            "decimal": "1.10".parse::<Decimal128>().unwrap(), "min": Bson::MinKey, "max": Bson::MaxKey,
        };
        bson::RawDocumentBuf::try_from(document).unwrap()
    }

    #[test]
    fn every_type_is_found_and_read_as_the_crate_reads_it() {
        let document = every_type();
        for element in &document {
            let (name, value) = element.unwrap();
            let found = field(&document, name.as_str()).unwrap().unwrap();
            assert_eq!(Bson::try_from(found).unwrap(), Bson::try_from(value).unwrap(), "{name}");
        }
        assert!(field(&document, "absent").unwrap().is_none());
        assert!(field(&document, "").unwrap().is_none());
    }

    #[test]
    fn elements_are_those_of_the_crate_and_can_be_put_together_again() {
        let document = every_type();
        let (mut elements, mut copy) = (Elements::of(&document).unwrap(), with_room(10));
        for element in &document {
            let (name, value) = element.unwrap();
            let before = elements.rest();
            let (found, element) = elements.next().unwrap().unwrap();
            assert_eq!(found, name.as_str().as_bytes());
            assert_eq!(
                element.value(name.as_str()).unwrap().map(|found| Bson::try_from(found).unwrap()),
                Some(Bson::try_from(value).unwrap())
            );
            copy = with_elements(copy, &before[..before.len() - elements.rest().len()]).unwrap();
        }
        assert!(elements.next().unwrap().is_none());
        assert_eq!(copy, document);
    }

    proptest! {
        #[test]
        fn a_field_is_in_the_difference_when_it_is_another_one(
            a in prop::collection::vec(("[abc]", 0..3i32), 0..5), b in prop::collection::vec(("[abc]", 0..3i32), 0..5), alike: bool,
        ) {
            let raw = |fields: &[(String, i32)]| {
                let mut document = RawDocumentBuf::new();
                for (name, n) in fields {
                    document.append(bson::raw::CString::try_from(name.as_str()).unwrap(), *n);
                }
                document
            };
            // With the same names more often than chance has it.
            let b: Vec<_> = if alike { a.iter().zip(&b).map(|((name, _), (_, n))| (name.clone(), *n)).collect() } else { b };
            let (a, b) = (raw(&a), raw(&b));
            let difference = Difference::between(&a, &b).unwrap();
            for name in ["a", "b", "c", "d"] {
                let is_other = !same_field(&a, &b, name).unwrap();
                // A field whose name is there twice may be named for the second one.
                let times = |of: &RawDocumentBuf| of.iter().flatten().filter(|(found, _)| found.as_str() == name).count();
                let twice = times(&a) > 1 || times(&b) > 1;
                prop_assert!(difference.has(name).unwrap() == is_other || twice && !is_other, "{name} of {a:?} and {b:?}");
            }
        }

        #[test]
        fn damage_is_an_error_or_another_value_and_never_a_panic(at in 4usize..200, byte: u8, cut in 5usize..200) {
            let mut bytes = every_type().into_bytes();
            let length = bytes.len();
            bytes[at.min(length - 2)] = byte;
            bytes.truncate(cut.max(5).min(length));
            let length = i32::try_from(bytes.len()).unwrap();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            *bytes.last_mut().unwrap() = 0;
            if let Ok(document) = RawDocument::from_bytes(&bytes) {
                for name in ["double", "regex", "scope", "max", "absent"] {
                    let _ = field(document, name);
                }
            }
        }
    }
}
