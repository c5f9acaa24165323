//! What takes rows: closures, and rows as bytes of the protocol.

use crate::error::Result;
use crate::wide_column::parts::{NULL, put_part};
use crate::wide_column::read::found::{Fetch, FoundRow};
use crate::wide_column::record::first_plain;

/// Whether a sink wants more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// The row was taken, and is the last one for now.
    Stop,
}

/// What takes rows.
pub(crate) trait Sink {
    /// Takes a row.
    ///
    /// # Errors
    /// Those of the sink, which end the read.
    fn take(&mut self, row: &FoundRow<'_>) -> Result<Flow>;

    /// Whether the sink asks for nothing but single cells, so that a reader may offer it rows as [`take_cells`](Self::take_cells) has
    /// them: the same for all rows of a read.
    fn wants_cells(&self) -> bool {
        false
    }

    /// Takes a row by the bytes of its cells, of which all can be seen that are [plain](first_plain). Returns `None` when another one
    /// is among them: nothing was taken then, and the row has to come to [`take`](Self::take).
    fn take_cells(&mut self, cells: &[u8]) -> Option<Flow> {
        let _ = cells;
        None
    }
}

impl<F: FnMut(&FoundRow<'_>) -> Result<Flow>> Sink for F {
    #[inline]
    fn take(&mut self, row: &FoundRow<'_>) -> Result<Flow> {
        self(row)
    }
}

/// Rows as the protocol has them: of each column its length (i32, -1 for null) and its value.
///
/// # Source
/// CQL binary protocol, version 4, section 4.2.5.2, *Rows*.
#[derive(Debug)]
pub(crate) struct ProtocolRows<'a> {
    /// The columns that are wanted.
    columns: &'a [Fetch],
    /// Whether each of these is one cell, and they are in the order of the cells.
    are_cells: bool,
    out: &'a mut Vec<u8>,
    pub(crate) count: u32,
    /// Rows of a page.
    max: u32,
}

impl<'a> ProtocolRows<'a> {
    /// Of these columns, at most `max` rows, which are appended to `out`.
    pub(crate) fn new(columns: &'a [Fetch], max: u32, out: &'a mut Vec<u8>) -> Self {
        let are_cells =
            columns.iter().all(|of| of.cell().is_some()) && columns.is_sorted_by(|a, b| a.cell() < b.cell());
        Self { columns, are_cells, out, count: 0, max }
    }

    #[inline]
    fn taken(&mut self) -> Flow {
        self.count += 1;
        if self.count >= self.max { Flow::Stop } else { Flow::Continue }
    }

    /// Appends the values of plain cells, walking over them once. Returns `None` at one that is none.
    #[inline]
    fn put_cells(&mut self, mut cells: &[u8]) -> Option<()> {
        // A cell has at least two bytes that are not of its value.
        self.out.reserve(cells.len() + 4 * self.columns.len());
        'columns: for of in self.columns {
            let wanted = of.cell()?;
            while let Some((id, value, after)) = first_plain(cells) {
                if id > wanted {
                    break;
                }
                cells = after;
                if id == wanted {
                    self.out.extend_from_slice(&u32::try_from(value.len()).ok()?.to_be_bytes());
                    self.out.extend_from_slice(value);
                    continue 'columns;
                }
            }
            self.out.extend_from_slice(&NULL.to_be_bytes());
        }
        while let Some((_, _, after)) = first_plain(cells) {
            cells = after;
        }
        cells.is_empty().then_some(())
    }
}

impl Sink for ProtocolRows<'_> {
    fn take(&mut self, row: &FoundRow<'_>) -> Result<Flow> {
        put_row(self.out, row, self.columns)?;
        Ok(self.taken())
    }

    fn wants_cells(&self) -> bool {
        self.are_cells
    }

    fn take_cells(&mut self, cells: &[u8]) -> Option<Flow> {
        let before = self.out.len();
        if self.put_cells(cells).is_none() {
            self.out.truncate(before);
            return None;
        }
        Some(self.taken())
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
