//! Rows and partition headers as bytes.
//!
//! # Storage
//! | bytes | field    | encoding                                                                       |
//! |-------|----------|--------------------------------------------------------------------------------|
//! | 1     | format   | `0x01`                                                                         |
//! | 1     | flags    | `01` a marker follows, `02` a deletion, `04` before them what is long in the key |
//! | 0..   | long     | count (u16), then of each length (u32) and bytes                               |
//! | 0..   | marker   | a cell without value bytes                                                     |
//! | 0, 16 | deletion | timestamp, local time                                                          |
//! | 0..   | cells    | to the end: column id (u16, ascending) and cell                                |
//!
//! | bytes | of a cell   | encoding                                                                 |
//! |-------|-------------|--------------------------------------------------------------------------|
//! | 1     | kind        | `01` live, `02` expiring, `03` expired, `04` tombstone                   |
//! | 8     | timestamp   | microseconds                                                             |
//! | 8     | local time  | all but live: seconds at which it expires, or was deleted                |
//! | 4     | ttl         | expiring: seconds                                                        |
//! | 4..   | value       | live and expiring: length and bytes, the value's serialized form         |
//!
//! Numbers are big-endian, times as ordered i64. A row has exactly one encoding.

use crate::encoding::ordered::{Reader, put_i64};
use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::cell::{Cell, Content, Deletion, StoredRow};

const FORMAT: u8 = 0x01;
const HAS_MARKER: u8 = 0x01;
const HAS_DELETION: u8 = 0x02;
const HAS_LONG: u8 = 0x04;
const LIVE: u8 = 0x01;
const EXPIRING: u8 = 0x02;
const EXPIRED: u8 = 0x03;
const TOMBSTONE: u8 = 0x04;

/// The bytes of `row`.
///
/// # Errors
/// [`Error::LimitExceeded`] for a value no engine takes.
pub(super) fn encode(row: &StoredRow) -> Result<Vec<u8>> {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let marks = flag(row.marker.is_some(), HAS_MARKER) | flag(row.deletion.is_some(), HAS_DELETION);
    let mut out = vec![FORMAT, marks | flag(!row.long.is_empty(), HAS_LONG)];
    if !row.long.is_empty() {
        // There are fewer columns, and no component is longer than its limit.
        out.extend_from_slice(&u16::try_from(row.long.len()).unwrap_or(u16::MAX).to_be_bytes());
        for component in &row.long {
            out.extend_from_slice(&u32::try_from(component.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(component);
        }
    }
    if let Some(marker) = &row.marker {
        put_head(&mut out, marker);
    }
    if let Some(deletion) = row.deletion {
        put_i64(&mut out, deletion.timestamp);
        put_i64(&mut out, deletion.deleted);
    }
    for (id, cell) in &row.cells {
        out.extend_from_slice(&id.to_be_bytes());
        put_head(&mut out, cell);
        if let Content::Live { value } | Content::Expiring { value, .. } = &cell.content {
            limits::check("column value bytes", limits::WIDE_VALUE_BYTES_MAX, value.len())?;
            // Far below what a u32 holds, as just checked.
            out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(value);
        }
    }
    Ok(out)
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`Error::Corruption`] for anything else.
pub(super) fn decode(bytes: &[u8]) -> Result<StoredRow> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != FORMAT {
        return Err(corrupt("it has an unknown format"));
    }
    let flags = reader.u8()?;
    if flags & !(HAS_MARKER | HAS_DELETION | HAS_LONG) != 0 {
        return Err(corrupt("it has unknown flags"));
    }
    let mut long = Vec::new();
    if flags & HAS_LONG != 0 {
        for _ in 0..reader.u16()? {
            long.push(take_value(&mut reader)?);
        }
        if long.is_empty() {
            return Err(corrupt("it says that something is long, and nothing is"));
        }
    }
    let marker = if flags & HAS_MARKER != 0 { Some(take_cell(&mut reader, |_| Ok(Vec::new()))?) } else { None };
    let deletion = if flags & HAS_DELETION != 0 {
        Some(Deletion { timestamp: reader.i64()?, deleted: reader.i64()? })
    } else {
        None
    };
    let mut cells: Vec<(u16, Cell)> = Vec::new();
    while !reader.rest().is_empty() {
        let id = reader.u16()?;
        if cells.last().is_some_and(|(last, _)| *last >= id) {
            return Err(corrupt("its columns are out of order"));
        }
        cells.push((id, take_cell(&mut reader, take_value)?));
    }
    Ok(StoredRow { marker, deletion, cells, long })
}

/// Everything of a cell but its value.
fn put_head(out: &mut Vec<u8>, cell: &Cell) {
    let (kind, local_time) = match &cell.content {
        Content::Live { .. } => (LIVE, None),
        Content::Expiring { expires, .. } => (EXPIRING, Some(expires)),
        Content::Expired { expires } => (EXPIRED, Some(expires)),
        Content::Tombstone { deleted } => (TOMBSTONE, Some(deleted)),
    };
    out.push(kind);
    put_i64(out, cell.timestamp);
    if let Some(seconds) = local_time {
        put_i64(out, *seconds);
    }
    if let Content::Expiring { ttl, .. } = &cell.content {
        out.extend_from_slice(&ttl.to_be_bytes());
    }
}

fn take_cell<'a>(reader: &mut Reader<'a>, value: impl FnOnce(&mut Reader<'a>) -> Result<Vec<u8>>) -> Result<Cell> {
    let kind = reader.u8()?;
    let timestamp = reader.i64()?;
    let content = match kind {
        LIVE => Content::Live { value: value(reader)? },
        EXPIRING => {
            let (expires, ttl) = (reader.i64()?, reader.u32()?);
            Content::Expiring { value: value(reader)?, expires, ttl }
        }
        EXPIRED => Content::Expired { expires: reader.i64()? },
        TOMBSTONE => Content::Tombstone { deleted: reader.i64()? },
        _ => return Err(corrupt("a cell is of an unknown kind")),
    };
    Ok(Cell { timestamp, content })
}

fn take_value(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let length = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    let (value, rest) = reader.rest().split_at_checked(length).ok_or_else(|| corrupt("a value is cut short"))?;
    *reader = Reader::new(rest);
    Ok(value.to_vec())
}

fn corrupt(detail: &str) -> Error {
    Error::corrupt("wide-column row", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{hex, stored_row};
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let row = StoredRow {
            marker: Some(Cell::new(1, Vec::new(), 0, 0)),
            deletion: Some(Deletion { timestamp: 0, deleted: 2 }),
            cells: vec![(3, Cell::new(1, b"v".to_vec(), 60, 100)), (4, Cell::tombstone(1, 100))],
            long: vec![b"xy".to_vec()],
        };
        let hex = hex(&encode(&row).unwrap());
        let long = "0001000000027879";
        let marker = "018000000000000001";
        let deletion = "80000000000000008000000000000002";
        let expiring = "000302800000000000000180000000000000a00000003c0000000176";
        let tombstone = "00040480000000000000018000000000000064";
        assert_eq!(hex, format!("0107{long}{marker}{deletion}{expiring}{tombstone}"));
    }

    proptest! {
        #[test]
        fn a_row_comes_back(row in stored_row()) {
            prop_assert_eq!(decode(&encode(&row).unwrap()).unwrap(), row);
        }

        #[test]
        fn bytes_that_decode_are_the_encoding(bytes in prop::collection::vec(0u8..5, 0..60)) {
            let bytes = [&[FORMAT][..], &bytes].concat();
            if let Ok(row) = decode(&bytes) {
                prop_assert_eq!(encode(&row).unwrap(), bytes);
            }
        }

        #[test]
        fn a_row_cut_short_is_corrupt_or_a_shorter_row(row in stored_row(), cut in 0usize..80) {
            let bytes = encode(&row).unwrap();
            let head = &bytes[..cut.min(bytes.len())];
            match decode(head) {
                Ok(shorter) => prop_assert_eq!(encode(&shorter).unwrap(), head),
                Err(error) => prop_assert!(matches!(error, Error::Corruption { .. }), "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_a_row_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
