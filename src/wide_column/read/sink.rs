//! What takes rows: rows as bytes of the protocol.

use crate::error::Result;
use crate::wide_column::parts::{NULL, put_part};
use crate::wide_column::read::found::{Fetch, FoundRow};

/// Whether a sink wants more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// The row was taken, and is the last one for now.
    Stop,
}

/// What takes rows.
pub(crate) type Sink<'a> = dyn FnMut(&FoundRow<'_>) -> Result<Flow> + 'a;

/// Rows as the protocol has them: of each column its length (i32, -1 for null) and its value.
///
/// # Source
/// CQL binary protocol, version 4, section 4.2.5.2, *Rows*.
#[derive(Debug)]
pub(crate) struct ProtocolRows {
    /// The columns that are wanted.
    columns: Vec<Fetch>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) count: u32,
    /// Rows of a page.
    max: u32,
}

impl ProtocolRows {
    /// Of these columns, at most `max` rows.
    pub(crate) fn new(columns: Vec<Fetch>, max: u32) -> Self {
        Self { columns, bytes: Vec::new(), count: 0, max }
    }

    /// Appends a row.
    pub(crate) fn take(&mut self, row: &FoundRow<'_>) -> Result<Flow> {
        put_row(&mut self.bytes, row, &self.columns)?;
        self.count += 1;
        Ok(if self.count >= self.max { Flow::Stop } else { Flow::Continue })
    }
}

/// Appends the values of these columns of a row.
pub(crate) fn put_row(out: &mut Vec<u8>, row: &FoundRow<'_>, columns: &[Fetch]) -> Result<()> {
    let (stored, mut next) = (row.stored(), 0);
    for of in columns {
        match (stored, of.cell()) {
            (Some(cells), Some(id)) => put(out, cells.value(id, &mut next)),
            _ => put(out, row.value(of.at())?.as_deref()),
        }
    }
    Ok(())
}

#[expect(clippy::inline_always, reason = "a call for each value is a third of what there is to do")]
#[inline(always)]
fn put(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.extend_from_slice(&NULL.to_be_bytes()),
        Some(value) => put_part(out, value),
    }
}
