//! Entries of secondary indexes, and what keeps them.
//!
//! # Storage
//! | bytes | field   | encoding                                                                          |
//! |-------|---------|-----------------------------------------------------------------------------------|
//! | 1     | owner   | `0x41`                                                                            |
//! | 4     | index   | its storage id, u32                                                               |
//! | 2..   | value   | serialized, escaped and ended; a long one with a hash ([`put_inner`])             |
//! | 9..   | row     | the row's key in its table, from the token on; of a static column, the key of the static values |
//!
//! The value of an entry is empty. Entries of one value so come in the order of the table, and are read as a slice of it.
//! The value of a column of the key is as the key's order has it: 1.0 and 1.00 are one.
//!
//! # Invariants
//! 1. A row has an entry for each value of the column that it is stored with, seen or not: what has expired or lies under a
//!    deletion is still entered until it is swept or tidied. So a read looks at the row that an entry names, and asks it again.
//! 2. A column of the key has an entry for each row that is stored with a marker or a value; one of the partition key for the static
//!    values, too, since a partition may have nothing else.

use std::borrow::Cow;

use crate::encoding::long::put_inner;
use crate::encoding::ordered::Reader;
use crate::encoding::owner::WIDE_INDEXES as OWNER;
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::Writer;
use crate::wide_column::layout::{self, KeyValues, Place};
use crate::wide_column::order;
use crate::wide_column::parts::{elements, entries};
use crate::wide_column::record::{CellView, Part, RowView};
use crate::wide_column::schema::{Column, ColumnKind, IndexDefinition, IndexTarget, TableRecord};
use crate::wide_column::types::CqlType;

/// Bytes of a row's key before the token.
const TABLE_BYTES: usize = 5;

/// What every entry of an index begins with; of a table, the list of what is deleted in it (`write::listed`).
pub(super) fn all(storage: u32) -> Vec<u8> {
    let mut key = vec![OWNER];
    key.extend_from_slice(&storage.to_be_bytes());
    key
}

/// What the entries of a value in the index at this position of the table's list begin with.
pub(super) fn prefix(table: &TableRecord, index: usize, value: &[u8]) -> Result<Vec<u8>> {
    let definition = table.indexes.get(index).ok_or_else(|| Error::value("there is no such index"))?;
    let value = match table.column_with(definition.column) {
        Some(column) if column.is_key() => in_order(column.column_type(), value),
        _ => Cow::Borrowed(value),
    };
    Ok(of_value(definition.storage, &value))
}

fn of_value(storage: u32, value: &[u8]) -> Vec<u8> {
    let mut key = all(storage);
    put_inner(&mut key, value, limits::KEY_COMPONENT_BYTES_MAX);
    key
}

/// A key and value of a map as one value of an index of entries: each with its length before it, as a tuple has them.
pub(super) fn entry_value(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + key.len() + value.len());
    for part in [key, value] {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// A row has changed from `old` to `new`.
pub(super) fn changed(
    writer: &mut Writer,
    table: &TableRecord,
    key: &[u8],
    (old, new): (&RowView<'_>, &RowView<'_>),
) -> Result<()> {
    for index in &table.indexes {
        let (before, after) = (values(table, index, key, old)?, values(table, index, key, new)?);
        for value in before.iter().filter(|value| !after.contains(value)) {
            writer.remove(entry(index, value, key));
        }
        for value in after.iter().filter(|value| !before.contains(value)) {
            writer.put(entry(index, value, key), [])?;
        }
    }
    Ok(())
}

fn entry(index: &IndexDefinition, value: &[u8], row: &[u8]) -> Vec<u8> {
    let mut key = of_value(index.storage, value);
    key.extend_from_slice(row.get(TABLE_BYTES..).unwrap_or_default());
    key
}

/// The values that what is stored at a key is entered with, each once.
fn values(table: &TableRecord, index: &IndexDefinition, key: &[u8], row: &RowView<'_>) -> Result<Vec<Vec<u8>>> {
    let Some(column) = table.column_with(index.column) else { return Ok(Vec::new()) };
    match column.kind() {
        ColumnKind::PartitionKey | ColumnKind::Clustering(_) => {
            Ok(key_value(table, column, key, row)?.into_iter().collect())
        }
        ColumnKind::Regular | ColumnKind::Static => cell_values(column, index.target, row),
    }
}

/// The value of a column of the key, if the row has it: static values have only those of the partition key.
fn key_value(table: &TableRecord, column: &Column, key: &[u8], row: &RowView<'_>) -> Result<Option<Vec<u8>>> {
    if !is_there(row)? {
        return Ok(None);
    }
    let (partition, place) = layout::split(key)?;
    let shape = table.shape();
    let at = shape.by_id.get(usize::from(column.id())).copied().flatten();
    if let Some(nth) = shape.partition.iter().position(|own| Some(*own) == at) {
        let whole = layout::whole_partition_key(partition, row)?;
        let value = layout::partition_value(&whole, shape.partition.len(), nth)?;
        return Ok(Some(in_order(column.column_type(), value).into_owned()));
    }
    let (Place::Row(clustering), Some(nth)) = (place, shape.clustering.iter().position(|(own, _)| Some(*own) == at))
    else {
        return Ok(None);
    };
    let mut values = KeyValues::default();
    values.read_clustering(table, clustering, row)?;
    let value = values.get(nth).ok_or_else(|| Error::corrupt("wide-column key", "a part is missing"))?;
    Ok(Some(in_order(column.column_type(), value).into_owned()))
}

/// Whether anything is stored of a row that makes it be there, seen or not.
fn is_there(row: &RowView<'_>) -> Result<bool> {
    if row.marker().is_some_and(|marker| marker.value().is_some()) {
        return Ok(true);
    }
    for view in row.cells() {
        if view?.cell.value().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A value with the bytes that all that are equal to it in the order of their type have.
fn in_order<'v>(cql_type: &CqlType, value: &'v [u8]) -> Cow<'v, [u8]> {
    let encoded = || {
        let (mut key, mut back) = (Vec::new(), Vec::new());
        order::put(&mut key, cql_type, value, usize::MAX)?;
        order::take(&mut Reader::new(&key), cql_type, &mut back).map(|_| back)
    };
    // What has no order is only equal to itself.
    if order::is_lossy(cql_type) { encoded().map_or(Cow::Borrowed(value), Cow::Owned) } else { Cow::Borrowed(value) }
}

/// The values of a regular or static column.
fn cell_values(column: &Column, target: IndexTarget, row: &RowView<'_>) -> Result<Vec<Vec<u8>>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for view in row.cells() {
        let CellView { id, part, cell } = view?;
        if id != column.id() {
            continue;
        }
        let Some(value) = cell.value() else { continue };
        match (target, part) {
            (IndexTarget::Value | IndexTarget::Full, Part::Whole) => found.push(value.to_vec()),
            (IndexTarget::Elements, Part::Whole) if column.column_type().thawed().is_collection() => {
                for element in elements(value)? {
                    found.push(element?.to_vec());
                }
            }
            (IndexTarget::Keys, Part::Whole) => {
                for entry in entries(value)? {
                    found.push(entry?.0.to_vec());
                }
            }
            (IndexTarget::Entries, Part::Whole) => {
                for entry in entries(value)? {
                    let (key, value) = entry?;
                    found.push(entry_value(key, value));
                }
            }
            (IndexTarget::Elements, Part::Element(path)) => {
                // An element of a set is its path, of a list or map its value.
                let is_set = matches!(column.column_type(), CqlType::Set(_));
                found.push(if is_set { path.to_vec() } else { value.to_vec() });
            }
            (IndexTarget::Keys, Part::Element(path)) => found.push(path.to_vec()),
            (IndexTarget::Entries, Part::Element(path)) => found.push(entry_value(path, value)),
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests;
