//! Where records of streams are, and what they hold.
//!
//! | bytes | field    | encoding                                              |
//! |-------|----------|-------------------------------------------------------|
//! | 6     | table    | owner, storage id and kind `0x03` (`item/layout.rs`)  |
//! | 4     | stream   | its id in the table, big-endian                       |
//! | 4     | shard    | which part of all hashes, big-endian                  |
//! | 8     | hour     | of the number: hours since 1970, as an ordered i64    |
//! | 8     | number   | microseconds that no other record has, likewise       |
//!
//! The hour is there so that what is too old can be named, and removed, by one prefix.
//!
//! The value:
//!
//! | bytes | field  | encoding                                                                      |
//! |-------|--------|-------------------------------------------------------------------------------|
//! | 1     | format | `0x01`                                                                        |
//! | 1     | flags  | `1` there was an item, `2` there is one, `4` it expired, `8` and `16` images  |
//! | 4     | keys   | length, big-endian; then the record of the key attributes                     |
//! | 4     | old    | if flag `8` is set: length, then the record of the item as it was             |
//! | 0..   | new    | if flag `16` is set: the record of the item as it is                          |

use std::ops::Bound;

use crate::encoding::ordered::{Reader, put_i64};
use crate::engine::{Key as StoredKey, KeyRange};
use crate::error::{Error, Result};
use crate::item::layout::{STREAM, table_prefix};

const FORMAT: u8 = 0x01;
const WAS: u8 = 1;
const IS: u8 = 2;
const EXPIRED: u8 = 4;
const OLD: u8 = 8;
const NEW: u8 = 16;

const HOUR_MICROS: i64 = 3_600 * 1_000_000;

/// Bytes before the number.
const NUMBER_AT: usize = 6 + 4 + 4 + 8;

/// The hour that `number` is in.
pub(super) fn hour_of(number: i64) -> i64 {
    number.div_euclid(HOUR_MICROS)
}

/// The first number of `hour`.
pub(super) fn start_of(hour: i64) -> i64 {
    hour.saturating_mul(HOUR_MICROS)
}

/// What the keys of records of a shard begin with.
fn shard_prefix(table: u32, stream: u32, shard: u32) -> Vec<u8> {
    let mut key = table_prefix(table);
    key.push(STREAM);
    key.extend_from_slice(&stream.to_be_bytes());
    key.extend_from_slice(&shard.to_be_bytes());
    key
}

/// What the keys of records of a shard in one hour begin with.
pub(super) fn hour_prefix(table: u32, stream: u32, shard: u32, hour: i64) -> Vec<u8> {
    let mut key = shard_prefix(table, stream, shard);
    put_i64(&mut key, hour);
    key
}

/// The key of a record.
pub(super) fn key(table: u32, stream: u32, shard: u32, number: i64) -> Vec<u8> {
    let mut key = hour_prefix(table, stream, shard, hour_of(number));
    put_i64(&mut key, number);
    key
}

/// The keys of records of a shard with numbers from `start` up to, but not including, `end`.
pub(super) fn range(table: u32, stream: u32, shard: u32, start: i64, end: i64) -> KeyRange {
    let bound = |number| StoredKey::from(key(table, stream, shard, number));
    let all = KeyRange::prefix(&shard_prefix(table, stream, shard));
    all.clamp(Bound::Included(bound(start)), Bound::Excluded(bound(end)))
}

/// The number in the key of a record.
pub(super) fn number(key: &[u8]) -> Result<i64> {
    Reader::new(key.get(NUMBER_AT..).unwrap_or_default()).i64()
}

/// A record of a stream as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) was: bool,
    pub(super) is: bool,
    pub(super) has_expired: bool,
    /// The record of the key attributes.
    pub(super) keys: &'a [u8],
    /// The records of the images that the stream shows.
    pub(super) old: Option<&'a [u8]>,
    pub(super) new: Option<&'a [u8]>,
}

impl<'a> Stored<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let flags = [
            (self.was, WAS),
            (self.is, IS),
            (self.has_expired, EXPIRED),
            (self.old.is_some(), OLD),
            (self.new.is_some(), NEW),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
        let mut out = vec![FORMAT, flags];
        put_measured(&mut out, self.keys);
        if let Some(old) = self.old {
            put_measured(&mut out, old);
        }
        out.extend_from_slice(self.new.unwrap_or_default());
        out
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(corrupt("its format is unknown"));
        }
        let flags = reader.u8()?;
        let has = |flag| flags & flag != 0;
        let (keys, rest) = take_measured(reader.rest())?;
        let (old, rest) = if has(OLD) {
            let (old, rest) = take_measured(rest)?;
            (Some(old), rest)
        } else {
            (None, rest)
        };
        if !has(NEW) && !rest.is_empty() {
            return Err(corrupt("bytes are left over"));
        }
        let new = has(NEW).then_some(rest);
        Ok(Self { was: has(WAS), is: has(IS), has_expired: has(EXPIRED), keys, old, new })
    }
}

fn put_measured(out: &mut Vec<u8>, bytes: &[u8]) {
    // No record is longer.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take_measured(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut reader = Reader::new(bytes);
    let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    reader.rest().split_at_checked(length).ok_or_else(|| corrupt("it ends inside a field"))
}

fn corrupt(detail: &str) -> Error {
    Error::corrupt("stream record", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn keys_come_in_the_order_of_their_numbers() {
        let numbers = [i64::MIN / 2, -HOUR_MICROS - 1, -1, 0, 1, HOUR_MICROS - 1, HOUR_MICROS, 5 * HOUR_MICROS];
        let keys = numbers.map(|number| key(1, 2, 3, number));
        assert!(keys.is_sorted());
        for (key, expected) in keys.iter().zip(numbers) {
            assert_eq!(number(key).unwrap(), expected);
        }
        let range = range(1, 2, 3, -1, HOUR_MICROS);
        let inside = keys.iter().filter(|key| range.contains(&StoredKey::from(key.as_slice()))).count();
        assert_eq!(inside, 4, "-1, 0, 1 and the end of the hour");
        assert_eq!(
            format!("{:?}", StoredKey::from(key(1, 2, 3, 0))),
            "30000000010300000002000000038000000000000000".to_owned() + "8000000000000000"
        );
    }

    proptest! {
        #[test]
        fn a_record_comes_back(
            flags in any::<[bool; 3]>(),
            keys in vec(any::<u8>(), 0..5),
            old in prop::option::of(vec(any::<u8>(), 0..5)),
            new in prop::option::of(vec(any::<u8>(), 0..5)),
        ) {
            let [was, is, has_expired] = flags;
            let stored = Stored { was, is, has_expired, keys: &keys, old: old.as_deref(), new: new.as_deref() };
            let bytes = stored.encode();
            prop_assert_eq!(Stored::decode(&bytes).unwrap(), stored);
        }

        #[test]
        fn arbitrary_bytes_are_an_error_or_a_record(bytes in vec(0u8..20, 0..20)) {
            let _ = Stored::decode(&bytes);
        }
    }
}
