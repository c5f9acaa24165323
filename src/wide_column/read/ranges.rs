//! Ranges of rows that were deleted, as a partition has them.
//!
//! # Storage
//! The key says where a range begins ([`layout::range`]); the value:
//!
//! | bytes | field     | encoding                                             |
//! |-------|-----------|------------------------------------------------------|
//! | 1     | format    | `0x01`                                               |
//! | 8     | timestamp | as an ordered i64                                    |
//! | 1..   | local time | seconds, of variable length                         |
//! | 0, 1.. | end      | nothing: it goes on to the last row; else `01` and the encoded clustering columns before which it ends |
//!
//! # Invariants
//! 1. The ranges of a partition do not overlap, so that the last one that begins at or before a row is the only one that can
//!    cover it.

use std::ops::Bound;

use crate::encoding::ordered::{Reader, put_i64};
use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Cursor, View};
use crate::wide_column::cell::Deletion;
use crate::wide_column::layout::{self, Place};
use crate::wide_column::vint::{put_signed, take_signed};

const FORMAT: u8 = 0x01;
const HAS_END: u8 = 0x01;

/// A range of the rows of a partition, and how it was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::wide_column) struct DeletedRange {
    /// The encoded clustering columns from which on.
    pub(in crate::wide_column) start: Vec<u8>,
    /// Those before which; `None` is to the last row.
    pub(in crate::wide_column) end: Option<Vec<u8>>,
    pub(in crate::wide_column) deletion: Deletion,
}

impl DeletedRange {
    fn covers(&self, clustering: &[u8]) -> bool {
        *self.start <= *clustering && self.end.as_ref().is_none_or(|end| *clustering < **end)
    }

    /// What is stored of it beside where it begins.
    pub(in crate::wide_column) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_i64(&mut out, self.deletion.timestamp);
        put_signed(&mut out, self.deletion.deleted);
        if let Some(end) = &self.end {
            out.push(HAS_END);
            out.extend_from_slice(end);
        }
        out
    }

    /// Reads the entry of a range.
    pub(in crate::wide_column) fn decode(start: &[u8], value: &[u8]) -> Result<Self> {
        let corrupt = |detail: &str| Error::corrupt("deleted range", detail);
        let mut reader = Reader::new(value);
        if reader.u8()? != FORMAT {
            return Err(corrupt("it has an unknown format"));
        }
        let deletion = Deletion { timestamp: reader.i64()?, deleted: take_signed(&mut reader)? };
        let end = match reader.rest().split_first() {
            None => None,
            Some((&HAS_END, end)) => Some(end.to_vec()),
            Some(_) => return Err(corrupt("its end is none")),
        };
        Ok(Self { start: start.to_vec(), end, deletion })
    }

    fn of_entry((key, value): (&[u8], &[u8])) -> Result<Self> {
        match layout::split(key)? {
            (_, Place::Range(start)) => Self::decode(start, value),
            _ => Err(Error::corrupt("deleted range", "its key is another's")),
        }
    }
}

/// The last range of a partition that begins at or before a row.
fn before(view: &View, partition: &[u8], clustering: &[u8]) -> Result<Option<DeletedRange>> {
    let end = Bound::Included(Key::from(&layout::range(partition, clustering)[..]));
    let range = KeyRange::prefix(&layout::ranges(partition)).clamp(Bound::Unbounded, end);
    view.first(&range, Direction::Backward)?.map(|(key, value)| DeletedRange::of_entry((&key, &value))).transpose()
}

/// How the range that a row lies in was deleted.
pub(in crate::wide_column) fn covering(view: &View, partition: &[u8], clustering: &[u8]) -> Result<Option<Deletion>> {
    let found = before(view, partition, clustering)?;
    Ok(found.filter(|range| range.covers(clustering)).map(|range| range.deletion))
}

/// The ranges of a partition that overlap one of its rows, in order.
pub(in crate::wide_column) fn overlapping(
    view: &View,
    partition: &[u8],
    start: &[u8],
    end: Option<&[u8]>,
) -> Result<Vec<DeletedRange>> {
    let mut found: Vec<_> = before(view, partition, start)?.into_iter().collect();
    found.retain(|range| range.end.as_ref().is_none_or(|end| **end > *start));
    let first = Bound::Excluded(Key::from(&layout::range(partition, start)[..]));
    let last = end.map_or(Bound::Unbounded, |end| Bound::Excluded(Key::from(&layout::range(partition, end)[..])));
    let mut cursor =
        view.range(&KeyRange::prefix(&layout::ranges(partition)).clamp(first, last), Direction::Forward)?;
    while let Some(entry) = cursor.next()? {
        found.push(DeletedRange::of_entry(entry)?);
    }
    Ok(found)
}

/// The ranges of a partition, met in the order in which its rows are read.
#[derive(Debug)]
pub(in crate::wide_column) struct Ranges {
    cursor: Cursor,
    direction: Direction,
    /// The one that was met last; `None` at the end.
    current: Option<DeletedRange>,
    /// How many were met.
    pub(in crate::wide_column) met: u64,
}

impl Ranges {
    /// From a row on, or from the end at which reading begins.
    pub(in crate::wide_column) fn open(
        view: &View,
        partition: &[u8],
        direction: Direction,
        from: Option<&[u8]>,
    ) -> Result<Self> {
        let all = KeyRange::prefix(&layout::ranges(partition));
        let range = match (direction, from) {
            (_, None) => all,
            (Direction::Forward, Some(from)) => match before(view, partition, from)? {
                None => all,
                Some(range) => {
                    let start = Bound::Included(Key::from(&layout::range(partition, &range.start)[..]));
                    all.clamp(start, Bound::Unbounded)
                }
            },
            (Direction::Backward, Some(from)) => {
                all.clamp(Bound::Unbounded, Bound::Included(Key::from(&layout::range(partition, from)[..])))
            }
        };
        let cursor = view.range(&range, direction)?;
        let mut ranges = Self { cursor, direction, current: None, met: 0 };
        ranges.step()?;
        Ok(ranges)
    }

    fn step(&mut self) -> Result<()> {
        self.current = self.cursor.next()?.map(DeletedRange::of_entry).transpose()?;
        self.met += u64::from(self.current.is_some());
        Ok(())
    }

    /// Whether none is left that a row still to be read can lie in.
    pub(super) fn are_over(&self) -> bool {
        self.current.is_none()
    }

    /// How the range that a row lies in was deleted. Rows are asked about in the order in which they are read.
    pub(in crate::wide_column) fn at(&mut self, clustering: &[u8]) -> Result<Option<Deletion>> {
        while let Some(range) = &self.current {
            let is_behind = match self.direction {
                Direction::Forward => range.end.as_ref().is_some_and(|end| **end <= *clustering),
                Direction::Backward => *range.start > *clustering,
            };
            if !is_behind {
                return Ok(range.covers(clustering).then_some(range.deletion));
            }
            self.step()?;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_range_comes_back(start: Vec<u8>, end: Option<Vec<u8>>, timestamp: i64, deleted: i64) {
            let range = DeletedRange { start, end, deletion: Deletion { timestamp, deleted } };
            prop_assert_eq!(DeletedRange::decode(&range.start, &range.encode()).unwrap(), range);
        }

        #[test]
        fn any_bytes_are_a_range_or_an_error(bytes: Vec<u8>) {
            let _ = DeletedRange::decode(&[], &bytes);
        }
    }
}
