//! What is stored where: keys of partitions and rows.
//!
//! # Storage
//! | bytes | field         | encoding                                                                                 |
//! |-------|---------------|------------------------------------------------------------------------------------------|
//! | 1     | owner         | `0x40`                                                                                   |
//! | 4     | table         | its storage id, u32                                                                      |
//! | 8     | token         | [`token`] of the partition key, as an ordered i64                                        |
//! | 2..   | partition key | serialized, escaped and ended; several columns joined as length (u16), bytes, `00`       |
//! | 1     | area          | `0x00` the partition's header, `0x10` a row                                              |
//! | 0..   | clustering    | of a row: each clustering column, as [`clustering`] encodes it; inverted when descending |
//!
//! A partition key of more than 8 KiB, and a clustering column of more than its share of
//! [`limits::WIDE_CLUSTERING_KEY_BYTES_MAX`], is there with its first bytes and a hash, and whole in the row's record
//! ([`long`]). No two rows of a partition have long values in a column that agree in all that the key has of them but
//! the hash, unless they are the same value: so the order of rows is that of their values.
//!
//! So a table's partitions come in token order, and a partition's rows in clustering order.
//! The row `7`, descending, of partition `"xd"` of table 1:
//! `40 00000001 be8ef74cd6f42497 78640000 10 7ffffff8`.

use crate::encoding::long;
use crate::encoding::ordered::{Reader, invert, put_i64};
use crate::encoding::owner::WIDE_ROWS as OWNER;
use crate::engine::KeyRange;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::clustering;
use crate::wide_column::schema::{Column, Order, TableSchema};
use crate::wide_column::serialize::{deserialize, serialize};
use crate::wide_column::token::token;
use crate::wide_column::value::CqlValue;

const HEADER: u8 = 0x00;
const ROW: u8 = 0x10;

/// What each of several partition columns takes beside its bytes.
const JOINT_BYTES: usize = 3;

/// What `key` of a table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A partition's header.
    Header,
    /// The row with these encoded clustering columns.
    Row(&'a [u8]),
}

/// Everything of the table that is stored under `id`.
pub(super) fn table(id: u32) -> KeyRange {
    KeyRange::prefix(&table_prefix(id))
}

/// What every key of a partition begins with.
pub(super) fn partition(id: u32, partition_key: &[u8]) -> Vec<u8> {
    let mut key = table_prefix(id);
    put_i64(&mut key, token(partition_key));
    long::put_inner(&mut key, partition_key, limits::KEY_COMPONENT_BYTES_MAX);
    key
}

/// Whether the partition key does not stand whole in the keys of its partition.
pub(super) fn is_long(partition_key: &[u8]) -> bool {
    long::put_inner(&mut Vec::new(), partition_key, limits::KEY_COMPONENT_BYTES_MAX)
}

/// The key of a partition's header.
pub(super) fn header(partition: &[u8]) -> Vec<u8> {
    [partition, &[HEADER]].concat()
}

/// What the keys of a partition's rows begin with.
pub(super) fn rows(partition: &[u8]) -> Vec<u8> {
    [partition, &[ROW]].concat()
}

/// The key of the row with these encoded clustering columns.
pub(super) fn row(partition: &[u8], clustering: &[u8]) -> Vec<u8> {
    [partition, &[ROW], clustering].concat()
}

/// The storage id of the table that `key`, or what keys begin with, belongs to.
pub(super) fn storage_of(key: &[u8]) -> Result<u32> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    reader.u32()
}

/// What a key consists of.
pub(super) type Parts<'a> = (&'a [u8], Option<Vec<u8>>, Place<'a>);

/// Takes a key apart: the bytes its partition's keys begin with, its partition key unless it is long, and what of the partition it
/// is.
pub(super) fn split(key: &[u8]) -> Result<Parts<'_>> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    reader.u32()?;
    reader.i64()?;
    let partition_key = long::take_inner(&mut reader)?;
    let prefix = key.len() - reader.rest().len();
    let place = match reader.u8()? {
        HEADER => Place::Header,
        ROW => Place::Row(reader.rest()),
        other => return Err(Error::corrupt("wide-column key", format!("area {other:02x}"))),
    };
    Ok((key.get(..prefix).unwrap_or_default(), partition_key, place))
}

/// The serialized partition key of checked values, one of each partition column.
///
/// # Errors
/// [`Error::LimitExceeded`] when it is too long, [`Error::Invalid`] when a lone partition column is empty.
pub(super) fn join_partition(values: &[&CqlValue]) -> Result<Vec<u8>> {
    if let [value] = values {
        let key = serialize(value)?;
        if key.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "a partition key may not be empty"));
        }
        check_partition(key.len())?;
        return Ok(key);
    }
    let mut key = Vec::new();
    for value in values {
        let bytes = serialize(value)?;
        check_partition(key.len() + bytes.len() + JOINT_BYTES)?;
        // Just checked.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        key.extend_from_slice(&length.to_be_bytes());
        key.extend_from_slice(&bytes);
        key.push(0);
    }
    Ok(key)
}

/// The partition columns' values from what [`join_partition`] made.
pub(super) fn split_partition(schema: &TableSchema, key: &[u8]) -> Result<Vec<CqlValue>> {
    let columns: Vec<_> = schema.partition_columns().collect();
    if let [column] = columns[..] {
        return Ok(vec![deserialize(column.column_type(), key)?]);
    }
    let broken = || Error::corrupt("partition key", "its parts do not fit its columns");
    let (mut values, mut rest) = (Vec::with_capacity(columns.len()), key);
    for column in columns {
        let (length, after) = rest.split_first_chunk().ok_or_else(broken)?;
        let (bytes, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or_else(broken)?;
        let Some((0, after)) = after.split_first() else { return Err(broken()) };
        values.push(deserialize(column.column_type(), bytes)?);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(broken());
    }
    Ok(values)
}

/// The clustering columns of a row, or the first of them, as its key has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Clustering {
    pub(super) key: Vec<u8>,
    /// What is long of them, each with where it ends in the key.
    pub(super) long: Vec<(usize, Vec<u8>)>,
}

/// Appends the checked value of one clustering column, which is followed by `later` of them, to those before it.
///
/// # Errors
/// [`Error::LimitExceeded`] when it, or they together, are too long.
pub(super) fn put_clustering(
    clustering: &mut Clustering,
    (column, order): (&Column, Order),
    later: usize,
    value: &CqlValue,
) -> Result<()> {
    let Clustering { key, long } = clustering;
    let start = key.len();
    let share = limits::WIDE_CLUSTERING_KEY_BYTES_MAX.saturating_sub(start) / later.saturating_add(1);
    let whole = clustering::put(key, column.column_type(), value, share)?;
    if order == Order::Descending
        && let Some(field) = key.get_mut(start..)
    {
        invert(field);
    }
    long.extend(whole.map(|whole| (key.len(), whole)));
    limits::check("clustering key bytes", limits::WIDE_CLUSTERING_KEY_BYTES_MAX, key.len())
}

/// The clustering columns' values from what [`put_clustering`] made of all of them.
pub(super) fn split_clustering(schema: &TableSchema, key: &[u8], long: &[Vec<u8>]) -> Result<Vec<CqlValue>> {
    let (mut reader, mut long) = (Reader::new(key), long.iter());
    let mut values = Vec::new();
    for (column, order) in schema.clustering_columns() {
        reader.set_descending(order == Order::Descending);
        values.push(clustering::take(&mut reader, column.column_type(), &mut long)?);
    }
    if !reader.rest().is_empty() {
        return Err(Error::corrupt("clustering key", "bytes are left over"));
    }
    Ok(values)
}

/// What every key of a table begins with.
pub(super) fn table_prefix(id: u32) -> Vec<u8> {
    let mut key = vec![OWNER];
    key.extend_from_slice(&id.to_be_bytes());
    key
}

fn check_partition(found: usize) -> Result<()> {
    limits::check("partition key bytes", limits::WIDE_KEY_BYTES_MAX, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::CqlType;
    use crate::wide_column::testing::hex;
    use proptest::prelude::*;

    fn clustering_of(schema: &TableSchema, value: &CqlValue) -> Result<Vec<u8>> {
        let mut clustering = Clustering::default();
        put_clustering(&mut clustering, schema.clustering_columns().next().unwrap(), 0, value)?;
        Ok(clustering.key)
    }

    // SEM: WID-ROW-1, WID-QRY-3
    #[test]
    fn the_layout_is_the_documented_one() {
        let schema =
            TableSchema::new().partition_key("p", CqlType::Text).clustering("c", CqlType::Int, Order::Descending);
        let partition_key = join_partition(&[&CqlValue::from("xd")]).unwrap();
        let clustering = clustering_of(&schema, &CqlValue::from(7)).unwrap();
        let row = row(&partition(1, &partition_key), &clustering);
        assert_eq!(hex(&row), "4000000001be8ef74cd6f4249778640000107ffffff8");
        let (prefix, key, place) = split(&row).unwrap();
        assert_eq!((hex(prefix).as_str(), key.as_deref()), ("4000000001be8ef74cd6f4249778640000", Some(&b"xd"[..])));
        assert_eq!(place, Place::Row(&[0x7f, 0xff, 0xff, 0xf8]));
        assert_eq!(split_clustering(&schema, &clustering, &[]).unwrap(), [CqlValue::from(7)]);
        assert_eq!(split(&header(&partition(1, b"xd"))).unwrap().2, Place::Header);
    }

    // SEM: WID-QRY-3
    #[test]
    fn several_partition_columns_are_joined_with_their_lengths() {
        let schema = TableSchema::new().partition_key("a", CqlType::Text).partition_key("b", CqlType::Int);
        let values = [CqlValue::from("ab"), CqlValue::from(1)];
        let key = join_partition(&[&values[0], &values[1]]).unwrap();
        assert_eq!(hex(&key), "000261620000040000000100");
        assert_eq!(split_partition(&schema, &key).unwrap(), values);
    }

    #[test]
    fn a_lone_partition_column_may_not_be_empty_but_one_of_two_may() {
        assert!(join_partition(&[&CqlValue::from("")]).is_err());
        assert!(join_partition(&[&CqlValue::from(""), &CqlValue::from("")]).is_ok());
    }

    #[test]
    fn keys_over_the_limit_are_refused() {
        let long = CqlValue::Blob(vec![1; limits::WIDE_KEY_BYTES_MAX + 1]);
        let error = join_partition(&[&long]).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { limit: "partition key bytes", .. }), "{error}");
        let schema = TableSchema::new().clustering("c", CqlType::Blob, Order::Ascending);
        assert!(matches!(clustering_of(&schema, &long), Err(Error::LimitExceeded { .. })));
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
            let _ = split_partition(&schema, &bytes);
            let _ = split_clustering(&schema, &bytes, &[]);
        }
    }
}
