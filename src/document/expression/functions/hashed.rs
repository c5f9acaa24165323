//! `$toHashedIndexKey`: the number that MongoDB's indexes on hashes have for a value.
//!
//! It is the first half of the MD5 of a seed of zero, the class of the value, and its bytes; numbers are cut off to integers of
//! 64 bits. Indexes of this crate hash otherwise, and nobody sees how.
//!
//! # Source
//! MongoDB manual: `$toHashedIndexKey`, Hashed Indexes, and the examples of hashes there.

use bson::raw::{RawBsonRef, RawDocumentBuf, cstr};

use super::super::value::Value;
use crate::document::number::Number;
use crate::encoding::md5::md5;
use crate::error::{Error, Result};

/// What is in front of a value that stands alone in a document: the length, a type, and an empty name.
const BEFORE_VALUE_BYTES: usize = 4 + 1 + 1;

/// The hash of `value`.
///
/// # Errors
/// [`Error::Unsupported`] for types whose hashes are not known.
pub(super) fn hashed(value: &Value<'_>) -> Result<i64> {
    let raw = value.or_null();
    let (class, bytes) = match raw {
        RawBsonRef::Null | RawBsonRef::Undefined => (5, Vec::new()),
        RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Double(_) => (10, whole(raw).to_le_bytes().to_vec()),
        RawBsonRef::String(_) => (15, alone(raw)),
        RawBsonRef::Binary(_) => (30, alone(raw)),
        RawBsonRef::ObjectId(_) => (35, alone(raw)),
        RawBsonRef::Boolean(_) => (40, alone(raw)),
        RawBsonRef::DateTime(_) => (45, alone(raw)),
        RawBsonRef::Timestamp(_) => (47, alone(raw)),
        _ => return Err(Error::unsupported(format!("$toHashedIndexKey of a value of type {}", value.type_name()))),
    };
    let (seed, class) = (0_i32.to_le_bytes(), i32::to_le_bytes(class));
    let hash = md5(&[seed.as_slice(), class.as_slice(), bytes.as_slice()].concat());
    Ok(i64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default()))
}

/// A number without its fraction: zero for what is none, and the end for what is beyond the ends.
fn whole(number: RawBsonRef<'_>) -> i64 {
    let Some(number) = Number::from_raw(number) else { return 0 };
    match number.to_i64_leniently() {
        Some(whole) => whole,
        None if number.is_nan() => 0,
        None if number.compare(Number::Int32(0)).is_gt() => i64::MAX,
        None => i64::MIN,
    }
}

/// The bytes of a value in a document.
fn alone(value: RawBsonRef<'_>) -> Vec<u8> {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!(""), value);
    let bytes = document.as_bytes();
    bytes.get(BEFORE_VALUE_BYTES..bytes.len().saturating_sub(1)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_the_manual_shows() {
        let hash = |value: RawBsonRef<'_>| hashed(&Value::Borrowed(value)).unwrap();
        assert_eq!(hash(RawBsonRef::String("string to hash")), 763_543_691_661_428_748);
        for one in [RawBsonRef::Int32(1), RawBsonRef::Int64(1), RawBsonRef::Double(1.0), RawBsonRef::Double(1.987)] {
            assert_eq!(hash(one), 5_902_408_780_260_971_510);
        }
        assert_eq!(hash(RawBsonRef::Double(f64::NAN)), hash(RawBsonRef::Int32(0)));
        assert_ne!(hash(RawBsonRef::Null), hash(RawBsonRef::Int32(0)));
        assert!(hashed(&Value::Borrowed(RawBsonRef::MaxKey)).is_err());
    }
}
