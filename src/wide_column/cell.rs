//! Cells, deletions and rows, and the rules by which writes of different times meet.
//!
//! Nothing here reads or writes: a write is a [`StoredRow`] of what it says, and storing it is [`StoredRow::merge`]
//! with what is there. Merging takes the larger of two under a total order, so writes may arrive in any order, and more
//! than once.
//!
//! # Time
//! A write's *timestamp* (microseconds, usually of the clock) decides what wins. *Local* times (seconds of the store's
//! clock) decide when an expiring cell ends and when a tombstone has done its duty.
//!
//! # Invariants
//! 1. A row holds no cell, and no marker, that its own deletion covers.
//! 2. [`StoredRow::deadline`] follows from the row alone; the row has one entry in the deadline index, there, or none.
//!
//! # Source
//! Cassandra's `Cells.resolveRegular` for ties, and its documentation on tombstones. Differences:
//! `docs/compatibility/cassandra.md`.

use std::cmp::Ordering;

use crate::clock::Timestamp;

/// Seconds for which a tombstone is kept against late writes.
pub(super) const GC_GRACE_SECONDS: i64 = 864_000;

/// What was last written to a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Microseconds; the highest wins.
    pub(super) timestamp: i64,
    pub(super) content: Content,
}

/// What a cell holds. Times are local, in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A value for ever.
    Live { value: Vec<u8> },
    /// A value until `expires`, `ttl` after it was written.
    Expiring { value: Vec<u8>, expires: i64, ttl: u32 },
    /// An expiring cell whose value has been swept. It still meets other writes as what it was.
    Expired { expires: i64 },
    /// A deletion.
    Tombstone { deleted: i64 },
}

impl Cell {
    /// A cell of `value` as a write with `ttl` seconds to live (0: for ever) makes it.
    pub(super) fn new(timestamp: i64, value: Vec<u8>, ttl: u32, now: i64) -> Self {
        let content = match ttl {
            0 => Content::Live { value },
            ttl => Content::Expiring { value, expires: now.saturating_add(ttl.into()), ttl },
        };
        Self { timestamp, content }
    }

    /// The deletion of a cell.
    pub(super) fn tombstone(timestamp: i64, now: i64) -> Self {
        Self { timestamp, content: Content::Tombstone { deleted: now } }
    }

    /// The value that a read at `now` sees.
    pub(super) fn value(&self, now: i64) -> Option<&[u8]> {
        match &self.content {
            Content::Live { value } => Some(value),
            Content::Expiring { value, expires, .. } => (now < *expires).then_some(value),
            Content::Expired { .. } | Content::Tombstone { .. } => None,
        }
    }

    /// Seconds a cell that is visible at `now` still has, `None` for ever.
    pub(super) fn remaining_ttl(&self, now: i64) -> Option<u32> {
        match &self.content {
            Content::Expiring { expires, .. } => Some(u32::try_from(expires.saturating_sub(now)).unwrap_or(u32::MAX)),
            _ => None,
        }
    }

    /// The larger of two writes to one column.
    fn reconcile(self, other: Self) -> Self {
        if self.precedence(&other).is_lt() { other } else { self }
    }

    /// Timestamp; then a tombstone over an expiring cell over a live one; then the later local time; then the larger
    /// value. The time to live comes last only to make the order total.
    fn precedence(&self, other: &Self) -> Ordering {
        let key = |cell: &Self| match &cell.content {
            Content::Live { .. } => (cell.timestamp, 0u8, 0),
            Content::Expiring { expires, .. } | Content::Expired { expires } => (cell.timestamp, 1, *expires),
            Content::Tombstone { deleted } => (cell.timestamp, 2, *deleted),
        };
        key(self).cmp(&key(other)).then_with(|| self.tie_break().cmp(&other.tie_break()))
    }

    fn tie_break(&self) -> (&[u8], u32) {
        match &self.content {
            Content::Live { value } => (value, 0),
            Content::Expiring { value, ttl, .. } => (value, *ttl),
            Content::Expired { .. } | Content::Tombstone { .. } => (&[], 0),
        }
    }

    /// When the sweeper has something to do with the cell.
    fn deadline(&self) -> Option<i64> {
        match &self.content {
            Content::Live { .. } => None,
            Content::Expiring { expires, .. } => Some(*expires),
            Content::Expired { expires } => Some(expires.saturating_add(GC_GRACE_SECONDS)),
            Content::Tombstone { deleted } => Some(deleted.saturating_add(GC_GRACE_SECONDS)),
        }
    }

    /// What is left of the cell at `now`.
    fn swept(mut self, now: i64) -> Option<Self> {
        if let Content::Expiring { expires, .. } = self.content
            && expires <= now
        {
            self.content = Content::Expired { expires };
        }
        match self.deadline() {
            Some(deadline) if deadline <= now => None,
            _ => Some(self),
        }
    }
}

/// A tombstone over a whole row or partition: it hides what was written at its timestamp or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deletion {
    /// Microseconds.
    pub(super) timestamp: i64,
    /// Local time of the deletion, in seconds.
    pub(super) deleted: i64,
}

impl Deletion {
    fn deadline(self) -> i64 {
        self.deleted.saturating_add(GC_GRACE_SECONDS)
    }
}

/// A row as it is stored, or as a write says it.
///
/// The header of a partition has the same form: its deletion is the partition's, and it has no cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredRow {
    /// What makes a row exist without any cell: an INSERT writes it, an UPDATE does not. A cell without a value.
    pub(super) marker: Option<Cell>,
    pub(super) deletion: Option<Deletion>,
    /// By column id, ascending, each at most once.
    pub(super) cells: Vec<(u16, Cell)>,
    /// What of the row's key does not stand whole in it, serialized: the partition key, then clustering columns. Always the same in
    /// a row; not known to a write that does not need it.
    pub(super) long: Vec<Vec<u8>>,
}

impl StoredRow {
    /// Both rows' writes as one.
    pub(super) fn merge(self, other: Self) -> Self {
        let marker = match (self.marker, other.marker) {
            (Some(a), Some(b)) => Some(a.reconcile(b)),
            (a, b) => a.or(b),
        };
        let merged = Self {
            marker,
            // The latest timestamp, and of equal ones the latest local time.
            deletion: self.deletion.max(other.deletion),
            cells: merge_cells(self.cells, other.cells),
            long: self.long.max(other.long),
        };
        let deletion = merged.deletion;
        merged.without_covered(deletion)
    }

    /// The row under its partition's deletion.
    pub(super) fn below(mut self, partition: Option<Deletion>) -> Self {
        if self.deletion.map(|own| own.timestamp) <= partition.map(|over| over.timestamp) {
            self.deletion = None;
        }
        self.without_covered(partition)
    }

    /// Keeps the cells of the columns that `is_column` knows.
    pub(super) fn retain_columns(&mut self, is_column: impl Fn(u16) -> bool) {
        self.cells.retain(|(id, _)| is_column(*id));
    }

    /// Whether a read at `now` sees a row at all.
    pub(super) fn is_visible(&self, now: i64) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.value(now).is_some())
            || self.cells.iter().any(|(_, cell)| cell.value(now).is_some())
    }

    /// Whether there is nothing left to store.
    pub(super) fn is_empty(&self) -> bool {
        self.marker.is_none() && self.deletion.is_none() && self.cells.is_empty()
    }

    /// The cell of the column with this id.
    pub(super) fn cell(&self, id: u16) -> Option<&Cell> {
        let at = self.cells.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.cells.get(at).map(|(_, cell)| cell)
    }

    /// When the sweeper has something to do with the row.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let cells = self.cells.iter().filter_map(|(_, cell)| cell.deadline());
        let marker = self.marker.as_ref().and_then(Cell::deadline);
        let deletion = self.deletion.map(Deletion::deadline);
        cells.chain(marker).chain(deletion).min().map(Timestamp::from_seconds)
    }

    /// What is left of the row at `now`: values that have expired go at once, the traces of what was deleted or expired
    /// when no write older than them is expected any more.
    pub(super) fn swept(self, now: i64) -> Self {
        let kept = |(id, cell): (u16, Cell)| cell.swept(now).map(|cell| (id, cell));
        Self {
            marker: self.marker.and_then(|marker| marker.swept(now)),
            deletion: self.deletion.filter(|deletion| deletion.deadline() > now),
            cells: self.cells.into_iter().filter_map(kept).collect(),
            long: self.long,
        }
    }

    fn without_covered(mut self, deletion: Option<Deletion>) -> Self {
        if let Some(Deletion { timestamp, .. }) = deletion {
            self.marker = self.marker.filter(|marker| marker.timestamp > timestamp);
            self.cells.retain(|(_, cell)| cell.timestamp > timestamp);
        }
        self
    }
}

fn merge_cells(ours: Vec<(u16, Cell)>, theirs: Vec<(u16, Cell)>) -> Vec<(u16, Cell)> {
    let mut merged = Vec::with_capacity(ours.len().max(theirs.len()));
    let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return merged,
        };
        match order {
            Ordering::Less => merged.extend(ours.next()),
            Ordering::Greater => merged.extend(theirs.next()),
            Ordering::Equal => {
                let both = ours.next().zip(theirs.next());
                merged.extend(both.map(|((id, a), (_, b))| (id, a.reconcile(b))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{cell, deletion, stored_row};
    use proptest::prelude::*;

    fn live(timestamp: i64, value: &[u8]) -> Cell {
        Cell::new(timestamp, value.to_vec(), 0, 0)
    }

    fn expiring(timestamp: i64, value: &[u8], ttl: u32) -> Cell {
        Cell::new(timestamp, value.to_vec(), ttl, 100)
    }

    fn assert_beats(winner: &Cell, loser: &Cell) {
        assert_eq!(&winner.clone().reconcile(loser.clone()), winner);
        assert_eq!(&loser.clone().reconcile(winner.clone()), winner);
    }

    // SEM: WID-LWW-1, WID-LWW-2
    #[test]
    fn ties_are_decided_by_kind_then_local_time_then_value() {
        assert_beats(&live(2, b"a"), &Cell::tombstone(1, 900));
        assert_beats(&Cell::tombstone(1, 0), &live(1, b"z"));
        assert_beats(&expiring(1, b"a", 5), &live(1, b"z"));
        assert_beats(&Cell::tombstone(1, 0), &expiring(1, b"z", 5));
        assert_beats(&expiring(1, b"a", 6), &expiring(1, b"z", 5));
        assert_beats(&expiring(1, b"b", 5), &expiring(1, b"a", 5));
        assert_beats(&Cell::tombstone(1, 8), &Cell::tombstone(1, 7));
        assert_beats(&live(1, b"ab"), &live(1, b"a"));
    }

    // SEM: WID-TTL-1
    #[test]
    fn an_expiring_cell_is_visible_until_its_second_has_come() {
        let cell = expiring(1, b"v", 60);
        assert_eq!(cell.value(159), Some(&b"v"[..]));
        assert_eq!(cell.remaining_ttl(159), Some(1));
        assert_eq!(cell.value(160), None);
    }

    // SEM: WID-TMB-1
    #[test]
    fn an_expired_cell_leaves_a_trace_until_the_grace_has_passed() {
        let row = StoredRow { cells: vec![(0, expiring(5, b"v", 60))], ..StoredRow::default() };
        assert_eq!(row.deadline(), Some(Timestamp::from_seconds(160)));
        let trace = row.swept(160);
        assert_eq!(trace.cells[0].1.content, Content::Expired { expires: 160 });
        let late = StoredRow { cells: vec![(0, live(4, b"late"))], ..StoredRow::default() };
        assert_eq!(trace.clone().merge(late), trace);
        assert_eq!(trace.deadline(), Some(Timestamp::from_seconds(160 + GC_GRACE_SECONDS)));
        assert!(trace.swept(160 + GC_GRACE_SECONDS).is_empty());
    }

    // SEM: WID-TMB-1
    #[test]
    fn a_deletion_covers_what_is_older_or_equal() {
        let cells = vec![(0, live(1, b"a")), (1, live(2, b"b")), (2, live(3, b"c"))];
        let row = StoredRow { marker: Some(live(2, b"")), cells, ..StoredRow::default() };
        let deletion = Some(Deletion { timestamp: 2, deleted: 0 });
        let merged = row.merge(StoredRow { deletion, ..StoredRow::default() });
        assert_eq!(
            merged,
            StoredRow { marker: None, deletion, cells: vec![(2, live(3, b"c"))], ..StoredRow::default() }
        );
    }

    proptest! {
        // SEM: WID-LWW-2
        #[test]
        fn reconciling_is_commutative_associative_and_idempotent(a in cell(), b in cell(), c in cell()) {
            let both = a.clone().reconcile(b.clone());
            prop_assert_eq!(&both, &b.clone().reconcile(a.clone()));
            prop_assert_eq!(both.clone().reconcile(c.clone()), a.clone().reconcile(b.clone().reconcile(c)));
            prop_assert_eq!(both.clone().reconcile(a), both);
        }

        // SEM: WID-LWW-2
        #[test]
        fn rows_merge_alike_in_any_order(
            (rows, shuffled) in prop::collection::vec(stored_row(), 1..6)
                .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
            partition in prop::option::of(deletion()),
            at in 0usize..6,
        ) {
            let merge = |rows: &[StoredRow]| rows.iter().cloned().fold(StoredRow::default(), StoredRow::merge);
            let late = merge(&rows).below(partition);
            let (before, after) = shuffled.split_at(at.min(shuffled.len()));
            let early = after.iter().cloned().fold(merge(before).below(partition), |row, next| {
                row.merge(next).below(partition)
            });
            prop_assert_eq!(&early, &late);
            prop_assert_eq!(&late.clone().merge(early).below(partition), &late);
        }

        #[test]
        fn sweeping_changes_nothing_that_is_seen_and_ends(row in stored_row(), now in 0i64..30) {
            let swept = row.clone().swept(now);
            prop_assert_eq!(swept.is_visible(now), row.is_visible(now));
            for (id, cell) in &row.cells {
                prop_assert_eq!(swept.cell(*id).and_then(|cell| cell.value(now)), cell.value(now));
            }
            prop_assert!(swept.deadline().is_none_or(|deadline| deadline > Timestamp::from_seconds(now)));
            prop_assert_eq!(swept.clone().swept(now), swept);
        }
    }
}
