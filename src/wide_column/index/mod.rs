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
//!
//! | index            | value                                                                                    |
//! |------------------|------------------------------------------------------------------------------------------|
//! | Cassandra's own  | serialized; of a column of the key with the bytes that all have that are equal to it: 1.0 and 1.00 are one |
//! | storage-attached | of numbers, times and `inet` in their order ([`order`]), so that a range of values is a range of entries; text as its options make it ([`Analysis`]); others as of a column of the key |
//!
//! The int 7 in an index stored under 5: `41 00000005 00ff00ff00ff07 0000`, and the row; in a storage-attached one
//! `41 00000005 8000ff00ff07 0000`, and the row.
//!
//! # Invariants
//! 1. A row has an entry for each value of the column that it is stored with, seen or not: what has expired or lies under a
//!    deletion is still entered until it is swept or tidied. So a read looks at the row that an entry names, and asks it again.
//! 2. A column of the key has an entry for each row that is stored with a marker or a value; one of the partition key for the static
//!    values, too, since a partition may have nothing else.

mod analysis;
mod terms;

use std::ops::Bound;

use crate::encoding::long::{INNER_BYTES, put_inner, skip_inner};
use crate::encoding::ordered::Reader;
use crate::encoding::owner::WIDE_INDEXES as OWNER;
use crate::engine::{Key, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::Writer;
use crate::wide_column::index::terms::Terms;
use crate::wide_column::layout::{self, KeyValues, Place};
#[cfg(doc)]
use crate::wide_column::order;
use crate::wide_column::parts::{elements, entries};
use crate::wide_column::record::{CellView, Part, RowView};
use crate::wide_column::schema::{Column, ColumnKind, IndexDefinition, IndexTarget, TableRecord};
use crate::wide_column::types::CqlType;

pub(crate) use analysis::Analysis;
pub(crate) use terms::finds_ranges;

/// Bytes of a row's key before the token.
const TABLE_BYTES: usize = 5;

/// What is sought in an index, with serialized values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// A value of the column, an element, or a key.
    Value(Vec<u8>),
    /// A key of a map with its value.
    Entry(Vec<u8>, Vec<u8>),
    /// Values within bounds, of an index that [finds ranges](finds_ranges).
    Range(Bound<Vec<u8>>, Bound<Vec<u8>>),
}

/// What every entry of an index begins with; of a table, the list of what is deleted in it (`write::listed`).
pub(super) fn all(storage: u32) -> Vec<u8> {
    let mut key = vec![OWNER];
    key.extend_from_slice(&storage.to_be_bytes());
    key
}

/// The entries that have what is sought in the index at this position of the table's list. Of a range there are some more at its
/// ends.
pub(super) fn sought(table: &TableRecord, index: usize, sought: &Sought) -> Result<KeyRange> {
    let missing = || Error::value("there is no such index");
    let index = table.indexes.get(index).ok_or_else(missing)?;
    let terms = Terms::new(table.column_with(index.column).ok_or_else(missing)?, index);
    let (start, end) = match sought {
        Sought::Value(value) => return Ok(KeyRange::prefix(&of_value(index.storage, &terms.one(value)?))),
        Sought::Entry(key, value) => return Ok(KeyRange::prefix(&of_value(index.storage, &terms.entry(key, value)?))),
        Sought::Range(start, end) => (start, end),
    };
    // Bounds are of all that begins so: values that are equal, or so long that keys do not tell them apart.
    let at = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Included(value) | Bound::Excluded(value) => {
            Ok::<_, Error>(Some(KeyRange::prefix(&begin_of_value(index.storage, &terms.one(value)?))))
        }
        Bound::Unbounded => Ok(None),
    };
    let start = at(start)?.map_or(Bound::Unbounded, |first| first.start().clone());
    let end = at(end)?.map_or(Bound::Unbounded, |last| last.end().clone());
    Ok(KeyRange::prefix(&all(index.storage)).clamp(start, end))
}

fn of_value(storage: u32, value: &[u8]) -> Vec<u8> {
    let mut key = all(storage);
    put_inner(&mut key, value, limits::KEY_COMPONENT_BYTES_MAX);
    key
}

/// What the entries of a value begin with, without what ends the value.
fn begin_of_value(storage: u32, value: &[u8]) -> Vec<u8> {
    let mut key = all(storage);
    let is_long = put_inner(&mut key, value, limits::KEY_COMPONENT_BYTES_MAX);
    key.truncate(key.len() - if is_long { INNER_BYTES } else { 2 });
    key
}

/// What of an entry names the row: the row's key in its table, from the token on.
pub(super) fn row_of(entry: &[u8]) -> Result<&[u8]> {
    let mut reader = Reader::new(entry);
    reader.array::<TABLE_BYTES>()?;
    skip_inner(&mut reader)?;
    Ok(reader.rest())
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

fn entry(index: &IndexDefinition, value: &[u8], row: &[u8]) -> Key {
    let mut key = of_value(index.storage, value);
    key.extend_from_slice(row.get(TABLE_BYTES..).unwrap_or_default());
    Key::from(key)
}

/// The values that what is stored at a key is entered with, each once.
fn values(table: &TableRecord, index: &IndexDefinition, key: &[u8], row: &RowView<'_>) -> Result<Vec<Vec<u8>>> {
    let Some(column) = table.column_with(index.column) else { return Ok(Vec::new()) };
    let terms = Terms::new(column, index);
    match column.kind() {
        ColumnKind::PartitionKey | ColumnKind::Clustering(_) => {
            Ok(key_value(table, column, key, row)?.map(|value| terms.one(&value)).transpose()?.into_iter().collect())
        }
        ColumnKind::Regular | ColumnKind::Static => cell_values(column, index.target, &terms, row),
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
        return Ok(Some(layout::partition_value(&whole, shape.partition.len(), nth)?.to_vec()));
    }
    let (Place::Row(clustering), Some(nth)) = (place, shape.clustering.iter().position(|(own, _)| Some(*own) == at))
    else {
        return Ok(None);
    };
    let mut values = KeyValues::default();
    values.read_clustering(table, clustering, row)?;
    let value = values.get(nth).ok_or_else(|| Error::corrupt("wide-column key", "a part is missing"))?;
    Ok(Some(value.to_vec()))
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

/// The values of a regular or static column.
fn cell_values(column: &Column, target: IndexTarget, terms: &Terms<'_>, row: &RowView<'_>) -> Result<Vec<Vec<u8>>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for view in row.cells() {
        let CellView { id, part, cell } = view?;
        if id != column.id() {
            continue;
        }
        let Some(value) = cell.value() else { continue };
        match (target, part) {
            (IndexTarget::Value | IndexTarget::Full, Part::Whole) => found.push(terms.one(value)?),
            (IndexTarget::Elements, Part::Whole) if column.column_type().thawed().is_collection() => {
                for element in elements(value)? {
                    found.push(terms.one(element?)?);
                }
            }
            (IndexTarget::Keys, Part::Whole) => {
                for entry in entries(value)? {
                    found.push(terms.one(entry?.0)?);
                }
            }
            (IndexTarget::Entries, Part::Whole) => {
                for entry in entries(value)? {
                    let (key, value) = entry?;
                    found.push(terms.entry(key, value)?);
                }
            }
            (IndexTarget::Elements, Part::Element(path)) => {
                // An element of a set is its path, of a list or map its value.
                let is_set = matches!(column.column_type(), CqlType::Set(_));
                found.push(terms.one(if is_set { path } else { value })?);
            }
            (IndexTarget::Keys, Part::Element(path)) => found.push(terms.one(path)?),
            (IndexTarget::Entries, Part::Element(path)) => found.push(terms.entry(path, value)?),
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests;
