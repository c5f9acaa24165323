//! Slices as bytes.

use std::ops::Bound;

use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, Result};
use crate::limits;
use crate::wide_column::layout;
use crate::wide_column::read::plan::{Edge, Slice};
use crate::wide_column::schema::TableRecord;

/// Rows of a partition by their encoded clustering columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::wide_column) struct Bounds {
    pub(in crate::wide_column) start: Vec<u8>,
    /// Before which they end; `None` is with the last row.
    pub(in crate::wide_column) end: Option<Vec<u8>>,
    /// Whether `start` is the whole key of one row.
    pub(super) is_row: bool,
}

impl Bounds {
    /// The rows of a slice; `None` when there can be none.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a bound that is as long as only keys may be.
    pub(in crate::wide_column) fn of(table: &TableRecord, slice: &Slice) -> Result<Option<Self>> {
        let is_prefix = slice.start == slice.end && slice.start.is_inclusive;
        let encode = |edge: &Edge| {
            let clustering = layout::clustering(table, &edge.values)?;
            if !is_prefix && let Some((at, Some(_))) = clustering.kept.last() {
                // Keys do not show on which side of it a long value is that begins like it.
                let found = edge.values.get(*at).map_or(0, |value| value.len() as u64);
                let max = limits::WIDE_CLUSTERING_KEY_BYTES_MAX as u64;
                return Err(Error::LimitExceeded { limit: "bytes of a bound of a range of rows", max, found });
            }
            Ok(clustering.key.into_vec())
        };
        let first = encode(&slice.start)?;
        let start = match (slice.start.values.is_empty() || slice.start.is_inclusive, successor(&first)) {
            (true, _) => first,
            (false, Some(after)) => after,
            (false, None) => return Ok(None),
        };
        let end = match (slice.end.values.is_empty(), slice.end.is_inclusive) {
            (true, _) => None,
            (false, true) => successor(&encode(&slice.end)?),
            (false, false) => Some(encode(&slice.end)?),
        };
        let is_row = is_prefix && slice.start.values.len() == table.shape().clustering.len();
        Ok(Some(Self { start, end, is_row }).filter(|bounds| bounds.end.as_ref().is_none_or(|end| bounds.start < *end)))
    }

    pub(super) fn contains(&self, clustering: &[u8]) -> bool {
        *self.start <= *clustering && self.end.as_ref().is_none_or(|end| *clustering < **end)
    }

    /// What of them comes behind a row, in the direction of reading.
    pub(super) fn behind(mut self, row: &[u8], direction: Direction) -> Option<Self> {
        self.is_row = false;
        match direction {
            Direction::Forward if *self.start <= *row => {
                // The least that comes after a row's key.
                self.start = [row, &[0]].concat();
            }
            Direction::Backward if self.end.as_ref().is_none_or(|end| **end > *row) => self.end = Some(row.to_vec()),
            _ => {}
        }
        self.end.as_ref().is_none_or(|end| self.start < *end).then_some(self)
    }

    /// The keys of the rows, below what the keys of all rows of a partition begin with.
    pub(super) fn keys(&self, rows: &[u8]) -> KeyRange {
        let key = |rest: &[u8]| Key::from([rows, rest].concat());
        let end = self.end.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(key(end)));
        KeyRange::prefix(rows).clamp(Bound::Included(key(&self.start)), end)
    }
}

/// The least bytes that come after everything that begins with `prefix`; `None` when nothing does.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if let Some(next) = last.checked_add(1) {
            after.push(next);
            return Some(after);
        }
    }
    None
}
