//! What is stored where: keys of partitions and rows.
//!
//! # Storage
//! | bytes | field         | encoding                                                                                 |
//! |-------|---------------|------------------------------------------------------------------------------------------|
//! | 1     | owner         | `0x40`                                                                                   |
//! | 4     | table         | its storage id, u32                                                                      |
//! | 8     | token         | [`token`] of the partition key, as an ordered i64                                        |
//! | 2..   | partition key | serialized, escaped and ended; several columns joined as length (u16), bytes, `00`       |
//! | 1     | area          | `0x00` the partition's header, `0x04` its static values, `0x08` a range of rows that was deleted, `0x10` a row |
//! | 0..   | clustering    | of a row: each clustering column, as [`order`] encodes it; inverted when descending. Of a range: where it begins |
//!
//! A partition key of more than 8 KiB, and a clustering column of more than its share of
//! [`limits::WIDE_CLUSTERING_KEY_BYTES_MAX`], is there with its first bytes and a hash, and whole in the row's record
//! ([`long`]). No two rows of a partition have long values in a column that agree in all that the key has of them but
//! the hash, unless they are the same value: so the order of rows is that of their values. What does not come back from a
//! key (the digits of a decimal) is in the row's record too.
//!
//! So a table's partitions come in token order, and a partition's rows in clustering order.
//! The row `7`, descending, of partition `"xd"` of table 1:
//! `40 00000001 be8ef74cd6f42497 78640000 10 7ffffff8`.

use std::borrow::Cow;
use std::ops::Bound;

use smallvec::SmallVec;

use crate::encoding::long;
use crate::encoding::ordered::{Reader, invert, put_i64};
use crate::encoding::owner::WIDE_ROWS as OWNER;
use crate::engine::{Key, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::exception::Exception;
use crate::wide_column::order;
use crate::wide_column::record::RowView;
use crate::wide_column::schema::{Order, TableRecord};
use crate::wide_column::token::token;

const HEADER: u8 = 0x00;
const STATIC: u8 = 0x04;
const RANGE: u8 = 0x08;
const ROW: u8 = 0x10;

/// Bytes before the partition key.
const HEAD_BYTES: usize = 13;

/// What each of several partition columns takes beside its bytes.
const JOINT_BYTES: usize = 3;

/// What `key` of a table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A partition's header.
    Header,
    /// A partition's static values.
    Static,
    /// A range of rows that was deleted, with where it begins.
    Range(&'a [u8]),
    /// The row with these encoded clustering columns.
    Row(&'a [u8]),
}

/// The byte that says what of a partition a key is.
pub(super) fn area(place: Place<'_>) -> u8 {
    match place {
        Place::Header => HEADER,
        Place::Static => STATIC,
        Place::Range(_) => RANGE,
        Place::Row(_) => ROW,
    }
}

/// The partitions of a table whose tokens are within bounds.
pub(super) fn tokens(id: u32, start: Bound<i64>, end: Bound<i64>) -> KeyRange {
    let at = |token: i64| {
        let mut key = table_prefix(id);
        put_i64(&mut key, token);
        KeyRange::prefix(&key)
    };
    let start = match start {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(token) => at(token).start().clone(),
        Bound::Excluded(token) => after(at(token).end()),
    };
    let end = match end {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(token) => at(token).end().clone(),
        Bound::Excluded(token) => before(at(token).start()),
    };
    KeyRange::prefix(&table_prefix(id)).clamp(start, end)
}

/// What every key of a partition begins with, with room for a row's.
pub(super) fn partition(id: u32, partition_key: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(HEAD_BYTES + 2 * partition_key.len().min(64) + 64);
    put_table_prefix(&mut key, id);
    put_i64(&mut key, token(partition_key));
    long::put_inner(&mut key, partition_key, limits::KEY_COMPONENT_BYTES_MAX);
    key
}

/// Whether the partition key does not stand whole in the keys of its partition.
pub(super) fn is_long(partition_key: &[u8]) -> bool {
    partition_key.len() > limits::KEY_COMPONENT_BYTES_MAX / 2
        && long::put_inner(&mut Vec::new(), partition_key, limits::KEY_COMPONENT_BYTES_MAX)
}

/// The key of a partition's header.
pub(super) fn header(partition: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, HEADER, &[])
}

/// The key of a partition's static values.
pub(super) fn statics(partition: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, STATIC, &[])
}

/// The key of the deleted range of a partition that begins here.
pub(super) fn range(partition: &[u8], start: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, RANGE, start)
}

/// What the keys of a partition's rows begin with.
pub(super) fn rows(partition: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, ROW, &[])
}

/// What the keys of a partition's deleted ranges begin with.
pub(super) fn ranges(partition: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, RANGE, &[])
}

/// Makes the key of the row with these encoded clustering columns of what the keys of its partition begin with.
pub(super) fn append_row(partition: &mut Vec<u8>, clustering: &[u8]) {
    partition.push(ROW);
    partition.extend_from_slice(clustering);
}

/// The key of the row with these encoded clustering columns.
pub(super) fn row(partition: &[u8], clustering: &[u8]) -> SmallVec<[u8; 128]> {
    with_area(partition, ROW, clustering)
}

fn with_area(partition: &[u8], area: u8, rest: &[u8]) -> SmallVec<[u8; 128]> {
    let mut key = SmallVec::with_capacity(partition.len() + 1 + rest.len());
    key.extend_from_slice(partition);
    key.push(area);
    key.extend_from_slice(rest);
    key
}

/// The storage id of the table that `key`, or what keys begin with, belongs to.
pub(super) fn storage_of(key: &[u8]) -> Result<u32> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    reader.u32()
}

/// Takes a key apart: the bytes its partition's keys begin with, and what of the partition it is.
pub(super) fn split(key: &[u8]) -> Result<(&[u8], Place<'_>)> {
    let mut reader = Reader::new(key);
    reader.array::<HEAD_BYTES>()?;
    long::skip_inner(&mut reader)?;
    let at = key.len() - reader.rest().len();
    Ok((key.get(..at).unwrap_or_default(), place(reader.rest())?))
}

/// What of its partition a key is, from what follows the bytes that all keys of the partition begin with.
#[inline]
pub(super) fn place(rest: &[u8]) -> Result<Place<'_>> {
    match rest.split_first() {
        Some((&ROW, rest)) => Ok(Place::Row(rest)),
        Some((&HEADER, _)) => Ok(Place::Header),
        Some((&STATIC, _)) => Ok(Place::Static),
        Some((&RANGE, rest)) => Ok(Place::Range(rest)),
        other => Err(Error::corrupt("wide-column key", format!("area {other:02x?}"))),
    }
}

/// The partition key from what the keys of a partition begin with; `None` when it does not stand whole in them.
pub(super) fn partition_key_of(partition: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut reader = Reader::new(partition);
    reader.array::<HEAD_BYTES>()?;
    long::take_inner(&mut reader)
}

/// The partition key from what the keys of a partition begin with, or from one of its rows when it does not stand whole in them.
pub(super) fn whole_partition_key<'r>(partition: &[u8], row: &RowView<'r>) -> Result<Cow<'r, [u8]>> {
    if let Some(key) = partition_key_of(partition)? {
        return Ok(Cow::Owned(key));
    }
    let kept = row.kept(0)?.ok_or_else(|| Error::corrupt("partition key", "it is nowhere whole"))?;
    Ok(Cow::Borrowed(kept))
}

/// The serialized partition key of serialized values, one of each partition column.
///
/// # Errors
/// In Cassandra's words when it is too long, or when a lone partition column is empty.
pub(crate) fn join_partition(values: &[impl AsRef<[u8]>]) -> Result<SmallVec<[u8; 24]>> {
    if let [value] = values {
        let value = value.as_ref();
        if value.is_empty() {
            return Err(Exception::Invalid.error("Key may not be empty"));
        }
        check_key(value.len())?;
        return Ok(SmallVec::from_slice(value));
    }
    let mut key = SmallVec::new();
    for value in values {
        let bytes = value.as_ref();
        check_key(key.len() + bytes.len() + JOINT_BYTES)?;
        // Just checked.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        key.extend_from_slice(&length.to_be_bytes());
        key.extend_from_slice(bytes);
        key.push(0);
    }
    Ok(key)
}

fn check_key(found: usize) -> Result<()> {
    if found > limits::WIDE_KEY_BYTES_MAX {
        let max = limits::WIDE_KEY_BYTES_MAX;
        return Err(Exception::Invalid.error(format!("Key length of {found} is longer than maximum of {max}")));
    }
    Ok(())
}

/// The value of a partition column from what [`join_partition`] made of so many.
pub(super) fn partition_value(key: &[u8], columns: usize, nth: usize) -> Result<&[u8]> {
    if columns == 1 {
        return Ok(key);
    }
    let broken = || Error::corrupt("partition key", "its parts do not fit its columns");
    let mut rest = key;
    for _ in 0..nth {
        (_, rest) = take_joint(rest).ok_or_else(broken)?;
    }
    let (value, rest) = take_joint(rest).ok_or_else(broken)?;
    // Only the last one ends the key.
    if rest.is_empty() == (nth + 1 == columns) { Ok(value) } else { Err(broken()) }
}

fn take_joint(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = key.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let (end, rest) = rest.split_first()?;
    (*end == 0).then_some((value, rest))
}

/// The serialized values of the clustering columns of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyValues {
    bytes: Vec<u8>,
    ends: SmallVec<[usize; 8]>,
}

impl KeyValues {
    /// The value of the column at this place of the key.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(at)?)
    }

    /// Whether `key` has a value of each clustering column and nothing else, as the key of a row has.
    pub(super) fn is_clustering(table: &TableRecord, key: &[u8]) -> bool {
        let (mut reader, mut out) = (Reader::new(key), Vec::new());
        for (at, order) in &table.shape().clustering {
            reader.set_descending(*order == Order::Descending);
            let Ok(column) = table.column(*at) else { return false };
            if order::take(&mut reader, column.column_type(), &mut out).is_err() {
                return false;
            }
        }
        reader.rest().is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Takes the clustering columns' values from a row's key, and from the row what does not come back from it.
    pub(super) fn read_clustering(&mut self, table: &TableRecord, key: &[u8], row: &RowView<'_>) -> Result<()> {
        self.clear();
        let mut reader = Reader::new(key);
        for (nth, (at, order)) in table.shape().clustering.iter().enumerate() {
            reader.set_descending(*order == Order::Descending);
            let start = self.bytes.len();
            let is_whole = order::take(&mut reader, table.column(*at)?.column_type(), &mut self.bytes)?;
            if !row.kept_bytes().is_empty()
                && let Some(kept) = row.kept(nth + 1)?
            {
                self.bytes.truncate(start);
                self.bytes.extend_from_slice(kept);
            } else if !is_whole {
                return Err(Error::corrupt("clustering key", "a long part is nowhere whole"));
            }
            self.end();
        }
        if reader.rest().is_empty() { Ok(()) } else { Err(Error::corrupt("clustering key", "bytes are left over")) }
    }
}

/// The clustering columns of a row, or the first of them, as its key has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Clustering {
    pub(super) key: SmallVec<[u8; 64]>,
    /// What does not come back from the key: which column, and where it ends in the key when it is long there.
    pub(super) kept: SmallVec<[(usize, Option<usize>); 1]>,
}

/// Encodes serialized values of the first clustering columns.
///
/// # Errors
/// In Cassandra's words, or by name, when one, or they together, are too long; [`Error::Corruption`] for what is no value of its
/// column.
pub(super) fn clustering(table: &TableRecord, values: &[impl AsRef<[u8]>]) -> Result<Clustering> {
    let shape = table.shape();
    let mut out = Clustering::default();
    // The engine's keys are vectors in the end; one is enough here.
    let mut key = Vec::with_capacity(64);
    let mut back = Vec::new();
    for (nth, (value, (at, order))) in values.iter().zip(&shape.clustering).enumerate() {
        let (value, start) = (value.as_ref(), key.len());
        check_key(value.len())?;
        let later = shape.clustering.len() - nth - 1;
        let room = limits::WIDE_CLUSTERING_KEY_BYTES_MAX.saturating_sub(start) / later.saturating_add(1);
        let cql_type = table.column(*at)?.column_type();
        let is_long = order::put(&mut key, cql_type, value, room.saturating_sub(long::INNER_BYTES))?;
        limits::check("clustering key bytes", limits::WIDE_CLUSTERING_KEY_BYTES_MAX, key.len())?;
        if is_long {
            out.kept.push((nth, Some(key.len())));
        } else if shape.is_lossy.get(nth) == Some(&true) {
            back.clear();
            order::take(&mut Reader::new(key.get(start..).unwrap_or_default()), cql_type, &mut back)?;
            if back != value {
                out.kept.push((nth, None));
            }
        }
        if *order == Order::Descending
            && let Some(field) = key.get_mut(start..)
        {
            invert(field);
        }
    }
    out.key = SmallVec::from_vec(key);
    Ok(out)
}

/// What every key of a table begins with.
pub(super) fn table_prefix(id: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(HEAD_BYTES);
    put_table_prefix(&mut key, id);
    key
}

fn put_table_prefix(key: &mut Vec<u8>, id: u32) {
    key.push(OWNER);
    key.extend_from_slice(&id.to_be_bytes());
}

/// The start of what comes after a range with this end.
pub(super) fn after(end: &Bound<Key>) -> Bound<Key> {
    match end.clone() {
        Bound::Excluded(key) => Bound::Included(key),
        other => other,
    }
}

/// The end of what comes before a range with this start.
pub(super) fn before(start: &Bound<Key>) -> Bound<Key> {
    match start.clone() {
        Bound::Included(key) => Bound::Excluded(key),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::hex;
    use crate::wide_column::{CqlType, TableSchema};
    use proptest::prelude::*;

    // SEM: WID-ROW-1, WID-QRY-3
    #[test]
    fn the_layout_is_the_documented_one() {
        let schema =
            TableSchema::new().partition_key("p", CqlType::Text).clustering("c", CqlType::Int, Order::Descending);
        let table = TableRecord::new(schema);
        let partition_key = join_partition(&["xd"]).unwrap();
        let encoded = clustering(&table, &[7i32.to_be_bytes()]).unwrap();
        let partition = partition(1, &partition_key);
        let key = row(&partition, &encoded.key);
        assert_eq!(hex(&key), "4000000001be8ef74cd6f4249778640000107ffffff8");
        assert_eq!(split(&key).unwrap(), (&partition[..], Place::Row(&[0x7f, 0xff, 0xff, 0xf8])));
        assert_eq!(partition_key_of(&partition).unwrap().as_deref(), Some(&b"xd"[..]));
        let mut values = KeyValues::default();
        values.read_clustering(&table, &encoded.key, &RowView::default()).unwrap();
        assert_eq!((values.get(0), values.get(1)), (Some(&7i32.to_be_bytes()[..]), None));
        let places = [header(&partition), statics(&partition), range(&partition, b"a"), key];
        assert!(places.is_sorted());
        let place = |at: usize| split(&places[at]).unwrap().1;
        assert_eq!([place(0), place(1), place(2)], [Place::Header, Place::Static, Place::Range(b"a")]);
    }

    // SEM: WID-QRY-3
    #[test]
    fn several_partition_columns_are_joined_with_their_lengths() {
        let key = join_partition(&[&b"ab"[..], &1i32.to_be_bytes()]).unwrap();
        assert_eq!(hex(&key), "000261620000040000000100");
        assert_eq!(partition_value(&key, 2, 0).unwrap(), b"ab");
        assert_eq!(partition_value(&key, 2, 1).unwrap(), 1i32.to_be_bytes());
        assert!(partition_value(&key, 3, 1).is_err() && partition_value(&key, 3, 2).is_err());
    }

    #[test]
    fn a_lone_partition_column_may_not_be_empty_but_one_of_two_may() {
        assert!(join_partition(&[""]).unwrap_err().to_string().contains("Key may not be empty"));
        assert!(join_partition(&["", ""]).is_ok());
    }

    // SEM: WID-ROW-5
    #[test]
    fn keys_over_the_limit_are_refused_in_cassandras_words() {
        let words = "Key length of 65536 is longer than maximum of 65535";
        let long = vec![1; limits::WIDE_KEY_BYTES_MAX + 1];
        assert_eq!(join_partition(&[&long]).unwrap_err().to_string(), words);
        let schema = TableSchema::new().clustering("c", CqlType::Blob, Order::Ascending);
        assert_eq!(clustering(&TableRecord::new(schema), &[&long]).unwrap_err().to_string(), words);
        assert!(join_partition(&[&long[1..]]).is_ok());
    }

    // SEM: WID-TYP-3
    #[test]
    fn what_does_not_come_back_from_a_key_is_to_be_kept() {
        let schema = TableSchema::new().clustering("c", CqlType::Decimal, Order::Ascending);
        let table = TableRecord::new(schema);
        let kept = |bytes: &[u8]| clustering(&table, &[bytes]).unwrap().kept.into_vec();
        assert_eq!(kept(&[0, 0, 0, 2, 100]), [(0, None)], "1.00");
        assert_eq!(kept(&[0, 0, 0, 0, 1]), []);
    }

    proptest! {
        #[test]
        fn any_bytes_split_or_are_an_error(bytes in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..30)) {
            let schema = TableSchema::new()
                .partition_key("a", CqlType::Text)
                .partition_key("b", CqlType::Int)
                .clustering("c", CqlType::Varint, Order::Descending)
                .clustering("d", CqlType::Decimal, Order::Ascending);
            let _ = split(&bytes);
            let _ = partition_key_of(&bytes);
            let mut values = KeyValues::default();
            let _ = partition_value(&bytes, 2, 1);
            let _ = values.read_clustering(&TableRecord::new(schema), &bytes, &RowView::default());
        }
    }
}
