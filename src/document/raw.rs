//! Finding one field in the bytes of a stored document, without decoding what is passed on the way.
//!
//! Filters, sorts, index keys and groups do this for every document they look at, and it is several times as fast as
//! asking the `bson` crate, which decodes each value it passes; `docs/decisions/0002-bson.md` has the figures. Values of
//! common types are read here, the rest by the crate.
//!
//! # Source
//! BSON specification, version 1.1.

use bson::{DateTime, Decimal128, RawBsonRef, RawDocument, oid::ObjectId};

use crate::error::{Error, Result};

/// A stored document that does not decode.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn corrupt(error: bson::error::Error) -> Error {
    Error::corrupt("document", error.to_string())
}

/// The value of the top-level field `name`, the first if there are several.
///
/// # Errors
/// [`Error::Corruption`] when the bytes end early or are not BSON. Bytes behind the field are not looked at.
///
/// # Cost
/// One step for each field up to `name`.
pub(super) fn field<'a>(document: &'a RawDocument, name: &str) -> Result<Option<RawBsonRef<'a>>> {
    let mut rest = document.as_bytes().get(4..).ok_or_else(cut_short)?;
    loop {
        let (&tag, after_tag) = rest.split_first().ok_or_else(cut_short)?;
        if tag == 0 {
            return Ok(None);
        }
        let end = after_tag.iter().position(|byte| *byte == 0).ok_or_else(cut_short)?;
        let (key, after_key) = after_tag.split_at_checked(end).ok_or_else(cut_short)?;
        let value = after_key.get(1..).ok_or_else(cut_short)?;
        let (value, after_value) = value.split_at_checked(value_bytes(tag, value)?).ok_or_else(cut_short)?;
        if key == name.as_bytes() {
            return match common(tag, value)? {
                Some(value) => Ok(Some(value)),
                None => document.get(name).map_err(corrupt),
            };
        }
        rest = after_value;
    }
}

/// How many bytes the value of an element of type `tag` has, of which `bytes` are the first.
fn value_bytes(tag: u8, bytes: &[u8]) -> Result<usize> {
    Ok(match tag {
        0x06 | 0x0a | 0x7f | 0xff => 0,
        0x08 => 1,
        0x10 => 4,
        0x01 | 0x09 | 0x11 | 0x12 => 8,
        0x07 => 12,
        0x13 => 16,
        // The length of a document, array or code with scope counts itself.
        0x03 | 0x04 | 0x0f => length(bytes)?,
        0x02 | 0x0d | 0x0e => length(bytes)?.saturating_add(4),
        0x05 => length(bytes)?.saturating_add(5),
        0x0c => length(bytes)?.saturating_add(4 + 12),
        0x0b => {
            // A regular expression: two strings, each ended by a zero.
            let mut zeros = bytes.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
            zeros.nth(1).ok_or_else(cut_short)? + 1
        }
        other => return Err(Error::corrupt("document", format!("an element of type {other:02x}"))),
    })
}

/// The value, when its type is one that is read here.
fn common(tag: u8, bytes: &[u8]) -> Result<Option<RawBsonRef<'_>>> {
    Ok(Some(match tag {
        0x01 => RawBsonRef::Double(f64::from_le_bytes(array(bytes)?)),
        0x02 => {
            let text = bytes.get(4..bytes.len() - 1).ok_or_else(cut_short)?;
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

fn length(bytes: &[u8]) -> Result<usize> {
    let length = i32::from_le_bytes(array(bytes.get(..4).ok_or_else(cut_short)?)?);
    usize::try_from(length).map_err(|_| Error::corrupt("document", "a length is negative"))
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| cut_short())
}

fn cut_short() -> Error {
    Error::corrupt("document", "it ends inside an element")
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

    proptest! {
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
