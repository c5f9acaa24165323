//! The list of a table's deleted partitions and ranges, by which it is known when there are none any more.
//!
//! # Storage
//! | bytes | field  | encoding                                                                       |
//! |-------|--------|--------------------------------------------------------------------------------|
//! | 1     | owner  | `0x41`, of indexes                                                             |
//! | 4     | table  | its storage id, u32, which no index has                                        |
//! | 1     | area   | that of the entry in the table: `0x00` a partition's header, `0x08` a range     |
//! | 9..   | entry  | its key, from the token on                                                      |
//!
//! # Invariants
//! 1. Of a table that says so ([`TableRecord::lists_deleted`]), every header and range has an entry here, and nothing else has. Tables
//!    that were made before there were lists say so when they have been emptied.

use crate::catalog::job;
use crate::engine::KeyRange;
use crate::error::Result;
use crate::txn::Writer;
use crate::wide_column::definitions;
use crate::wide_column::index;
use crate::wide_column::layout::{self, Place};
use crate::wide_column::schema::{Definition, TableRecord};

/// Bytes of an entry's key before the token.
const TABLE_BYTES: usize = 5;

/// Enters a header or range.
pub(super) fn enter(writer: &mut Writer, table: &Definition, key: &[u8]) -> Result<()> {
    if table.record.lists_deleted() {
        writer.put(entry(table, key)?, [])?;
    }
    Ok(())
}

/// Takes out a header or range in the place of which there is another one.
pub(super) fn replaced(writer: &mut Writer, table: &Definition, key: &[u8]) -> Result<()> {
    if table.record.lists_deleted() {
        writer.remove(entry(table, key)?);
    }
    Ok(())
}

/// Takes out a header or range that has been kept long enough. When it was the last one, reads and writes look for none any more.
pub(super) fn removed(writer: &mut Writer, table: &Definition, key: &[u8]) -> Result<()> {
    replaced(writer, table, key)?;
    if !table.record.lists_deleted() || !writer.is_empty(&KeyRange::prefix(&area(table, key)?))? {
        return Ok(());
    }
    let is_header = matches!(layout::split(key)?.1, Place::Header);
    let clear = |record: &mut TableRecord| record.clear_deleted_of(is_header, !is_header);
    definitions::change(writer, table.storage, clear).map(drop)
}

/// Removes the list of a table.
pub(super) fn remove(writer: &mut Writer, table: &Definition) -> Result<()> {
    job::remove(writer, &index::all(table.storage))
}

fn area(table: &Definition, key: &[u8]) -> Result<Vec<u8>> {
    let mut out = index::all(table.storage);
    out.push(layout::area(layout::split(key)?.1));
    Ok(out)
}

fn entry(table: &Definition, key: &[u8]) -> Result<Vec<u8>> {
    let mut out = area(table, key)?;
    out.extend_from_slice(key.get(TABLE_BYTES..).unwrap_or_default());
    Ok(out)
}
