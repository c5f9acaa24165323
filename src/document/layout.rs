//! Where the documents of a collection and the entries of its indexes are stored.
//!
//! Records, at
//!
//! | bytes | field      | encoding                     |
//! |-------|------------|------------------------------|
//! | 1     | owner      | `0x10`                       |
//! | 4     | collection | storage id, big-endian       |
//! | 1     | area       | `0x00`                       |
//! | 8     | record     | record id, big-endian        |
//!
//! hold the raw BSON. Index entries, at
//!
//! | bytes | field      | encoding                                                                  |
//! |-------|------------|---------------------------------------------------------------------------|
//! | 1     | owner      | `0x10`                                                                    |
//! | 4     | collection | storage id, big-endian                                                    |
//! | 1     | area       | `0x01`                                                                    |
//! | 4     | index      | number within the collection, big-endian; `_id_` is 0                     |
//! | 1..   | fields     | one [`key`](crate::document::index_key) per field, inverted when descending     |
//! | 8     | record     | record id, big-endian                                                     |
//!
//! hold nothing. That a field of an index goes through an array, in some document or once, is said by a key that holds nothing
//! either:
//!
//! | bytes | field      | encoding                                                                  |
//! |-------|------------|---------------------------------------------------------------------------|
//! | 1     | owner      | `0x10`                                                                    |
//! | 4     | collection | storage id, big-endian                                                    |
//! | 1     | area       | `0x02`                                                                    |
//! | 4     | index      | number within the collection, big-endian                                  |
//! | 2..   | path       | escaped and terminated                                                    |
//! | 8     | record     | of a document that has the array, or zero: two writers that find the first array at once put two keys, and do not conflict |
//!
//! A capped collection has one key more, whose value is how many documents it holds and how many bytes these have, both in eight bytes,
//! big-endian:
//!
//! | bytes | field      | encoding                     |
//! |-------|------------|------------------------------|
//! | 1     | owner      | `0x10`                       |
//! | 4     | collection | storage id, big-endian       |
//! | 1     | area       | `0x03`                       |
//!
//! Record ids are given out in ascending order, so that the order of records is the order of insertion.
//!
//! Record 2 of collection 7 is at `10 00000007 00 0000000000000002`; its entry for `{_id: true}` in `_id_` is at
//! `10 00000007 01 00000000 5001 0000000000000002`.

use std::ops::Bound;

use crate::encoding::ordered::{Reader, put_bytes};
use crate::encoding::owner::DOCUMENTS as OWNER;
use crate::engine::{Key, KeyRange};
use crate::error::{Error, Result};

const RECORDS: u8 = 0x00;
const INDEXES: u8 = 0x01;
const ARRAYS: u8 = 0x02;
const HELD: u8 = 0x03;

/// Bytes of a record id.
pub(super) const RECORD_ID_BYTES: usize = 8;

/// Bytes of a record's key: owner, collection, area, record id.
const RECORD_KEY_BYTES: usize = 1 + size_of::<u32>() + 1 + RECORD_ID_BYTES;

/// Room for what keys begin with and, as a rule, for what follows.
const PREFIX_CAPACITY: usize = 32;

/// Number of a record in its collection, in order of insertion.
pub(super) type RecordId = u64;

/// The records of a collection.
pub(super) fn records(collection: u32) -> KeyRange {
    KeyRange::prefix(&records_prefix(collection))
}

/// The records of a collection behind the one with the id `id`.
pub(super) fn records_behind(collection: u32, id: RecordId) -> KeyRange {
    records(collection).clamp(Bound::Excluded(Key::from(&record(collection, id)[..])), Bound::Unbounded)
}

/// What the keys of a collection's records begin with.
pub(super) fn records_prefix(collection: u32) -> Vec<u8> {
    let mut key = collection_prefix(collection);
    key.push(RECORDS);
    key
}

/// The key of one record.
pub(super) fn record(collection: u32, id: RecordId) -> [u8; RECORD_KEY_BYTES] {
    let mut key = [0; RECORD_KEY_BYTES];
    let (prefix, number) = key.split_at_mut(RECORD_KEY_BYTES - RECORD_ID_BYTES);
    let [owner, collection_bytes @ .., area] = prefix else { return key };
    (*owner, *area) = (OWNER, RECORDS);
    collection_bytes.copy_from_slice(&collection.to_be_bytes());
    number.copy_from_slice(&id.to_be_bytes());
    key
}

/// What the entries of an index begin with.
pub(super) fn index_prefix(collection: u32, index: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(PREFIX_CAPACITY);
    put_index_prefix(&mut key, collection, index);
    key
}

/// Appends what the entries of an index begin with.
#[inline]
pub(super) fn put_index_prefix(out: &mut Vec<u8>, collection: u32, index: u32) {
    put_collection_prefix(out, collection);
    out.push(INDEXES);
    out.extend_from_slice(&index.to_be_bytes());
}

/// What the keys begin with that say where the indexes of a collection have arrays.
pub(super) fn arrays_prefix(collection: u32) -> Vec<u8> {
    let mut key = collection_prefix(collection);
    key.push(ARRAYS);
    key
}

/// What the keys begin with that say where one index has arrays.
pub(super) fn index_arrays_prefix(collection: u32, index: u32) -> Vec<u8> {
    let mut key = arrays_prefix(collection);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The key that says that `path` goes through an array in record `id`.
pub(super) fn array_key(collection: u32, index: u32, path: &str, id: RecordId) -> Vec<u8> {
    let mut key = index_arrays_prefix(collection, index);
    put_bytes(&mut key, path.as_bytes());
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// The index and the path that such a key is about.
pub(super) fn array(key: &[u8]) -> Result<(u32, String)> {
    let mut reader = Reader::new(key);
    reader.array::<6>()?;
    let index = reader.u32()?;
    let path = String::from_utf8(reader.bytes()?).map_err(|_| Error::corrupt("array of an index", "no path"))?;
    Ok((index, path))
}

/// The key under which a capped collection has what it holds.
pub(super) fn held(collection: u32) -> Vec<u8> {
    let mut key = collection_prefix(collection);
    key.push(HELD);
    key
}

/// The collection and the index whose entries begin with `prefix`.
pub(super) fn index_of(prefix: &[u8]) -> Result<(u32, u32)> {
    let mut reader = Reader::new(prefix);
    reader.u8()?;
    let collection = reader.u32()?;
    match reader.u8()? {
        INDEXES => Ok((collection, reader.u32()?)),
        area => Err(Error::corrupt("index prefix", format!("area {area:02x}"))),
    }
}

/// The entry of record `id` under the encoded `fields` of an index.
pub(super) fn entry(index_prefix: &[u8], fields: &[u8], id: RecordId) -> Vec<u8> {
    let mut key = Vec::with_capacity(index_prefix.len() + fields.len() + RECORD_ID_BYTES);
    key.extend_from_slice(index_prefix);
    key.extend_from_slice(fields);
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// The record id that the key of a record or an index entry ends with.
pub(super) fn record_id(key: &[u8]) -> Result<RecordId> {
    let tail = key.last_chunk::<RECORD_ID_BYTES>();
    tail.map(|tail| u64::from_be_bytes(*tail)).ok_or_else(|| Error::corrupt("document key", "it is too short"))
}

/// The encoded fields of an index entry.
pub(super) fn entry_fields<'k>(index_prefix: &[u8], key: &'k [u8]) -> Result<&'k [u8]> {
    let fields = key.len().checked_sub(RECORD_ID_BYTES).and_then(|end| key.get(index_prefix.len()..end));
    fields.ok_or_else(|| Error::corrupt("index entry", "it is too short"))
}

/// The record id that follows the last of a collection.
pub(super) fn next_record_id(last: Option<&[u8]>) -> Result<RecordId> {
    let Some(key) = last else { return Ok(1) };
    let id = key.last_chunk::<RECORD_ID_BYTES>().map(|tail| Reader::new(tail).u64()).transpose()?.unwrap_or(0);
    id.checked_add(1).ok_or_else(|| Error::LimitExceeded {
        limit: "record ids of a collection",
        max: u64::MAX,
        found: u64::MAX,
    })
}

/// What every key of a collection begins with.
pub(super) fn collection_prefix(collection: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(PREFIX_CAPACITY);
    put_collection_prefix(&mut key, collection);
    key
}

#[inline]
fn put_collection_prefix(out: &mut Vec<u8>, collection: u32) {
    out.push(OWNER);
    out.extend_from_slice(&collection.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(hex(&record(7, 2)), "1000000007000000000000000002");
        let entry = entry(&index_prefix(7, 0), &[0x50, 0x01], 2);
        assert_eq!(hex(&entry), "100000000701000000005001".to_owned() + "0000000000000002");
        assert_eq!(record_id(&entry).unwrap(), 2);
        assert_eq!(index_of(&index_prefix(7, 3)).unwrap(), (7, 3));
        assert!(index_of(&record(7, 3)).is_err() && index_of(&[0x10, 0, 0]).is_err());
        assert_eq!(entry_fields(&index_prefix(7, 0), &entry).unwrap(), [0x50, 0x01]);
        assert_eq!(hex(&array_key(7, 3, "a", 2)), "100000000702000000036100".to_owned() + "000000000000000002");
        assert_eq!(array(&array_key(7, 3, "a.b", 2)).unwrap(), (3, "a.b".to_owned()));
        assert!(array(&[0x10]).is_err() && array(&[0xff; 14]).is_err());
        assert!(entry_fields(&index_prefix(7, 0), &[0x10]).is_err() && record_id(&[1]).is_err());
    }

    #[test]
    fn a_collection_holds_its_records_and_indexes_and_no_others() {
        let range = KeyRange::prefix(&collection_prefix(7));
        assert!(range.contains(&record(7, 0)) && range.contains(&index_prefix(7, 3)));
        assert!(!range.contains(&record(8, 0)) && !records(7).contains(&index_prefix(7, 3)));
        assert_eq!(next_record_id(None).unwrap(), 1);
        assert_eq!(next_record_id(Some(&record(7, 41))).unwrap(), 42);
        assert!(next_record_id(Some(&record(7, u64::MAX))).is_err());
    }
}
