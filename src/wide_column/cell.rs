//! Cells and deletions, and the rules by which writes of different times meet.
//!
//! Nothing here reads or writes. A column that has parts (a collection that is not frozen) has a cell of each; what is deleted of it as a whole is a
//! [`Deletion`] of its own. Where two writes meet, the larger one under a total order stays, so writes may arrive in any
//! order, and more than once; only counters are added to.
//!
//! # Time
//! A write's *timestamp* (microseconds, usually of the clock) decides what wins. *Local* times (seconds of the store's
//! clock) decide when an expiring cell ends and when a tombstone has done its duty.
//!
//! # Source
//! Cassandra's `Cells.resolveRegular` and `resolveCounter` for ties, and its documentation on tombstones. Differences:
//! `docs/compatibility/cassandra.md`.

use std::cmp::Ordering;

/// What was last written to a column of a row, or to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// Microseconds; the highest wins.
    pub(super) timestamp: i64,
    pub(super) content: Content<'a>,
}

/// What a cell holds. Times are local, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// A value for ever.
    Live { value: &'a [u8] },
    /// A value until `expires`, `ttl` after it was written.
    Expiring { value: &'a [u8], expires: i64, ttl: u32 },
    /// An expiring cell whose value has been swept. It still meets other writes as what it was.
    Expired { expires: i64 },
    /// A deletion.
    Tombstone { deleted: i64 },
    /// What a counter has come to; in a write, what is added.
    Counter { value: i64 },
}

impl<'a> Cell<'a> {
    /// A cell of `value` as a write with `ttl` seconds to live (0: for ever) makes it.
    pub(super) fn new(timestamp: i64, value: &'a [u8], ttl: u32, now: i64) -> Self {
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

    /// Whether a read at `now` sees a value.
    #[inline]
    pub(super) fn is_live(&self, now: i64) -> bool {
        match &self.content {
            Content::Live { .. } | Content::Counter { .. } => true,
            Content::Expiring { expires, .. } => now < *expires,
            Content::Expired { .. } | Content::Tombstone { .. } => false,
        }
    }

    /// The value, whether or not it has expired; of a counter none.
    #[inline]
    pub(super) fn value(&self) -> Option<&'a [u8]> {
        match self.content {
            Content::Live { value } | Content::Expiring { value, .. } => Some(value),
            Content::Expired { .. } | Content::Tombstone { .. } | Content::Counter { .. } => None,
        }
    }

    /// Seconds a cell that is visible at `now` still has, `None` for ever.
    pub(super) fn remaining_ttl(&self, now: i64) -> Option<u32> {
        match &self.content {
            Content::Expiring { expires, .. } => Some(u32::try_from(expires.saturating_sub(now)).unwrap_or(u32::MAX)),
            _ => None,
        }
    }

    /// What two writes to one cell come to.
    pub(super) fn reconcile(self, other: Self) -> Self {
        match (self.content, other.content) {
            // What is added to a counter is added, whatever its time; a deletion of it is for ever.
            (Content::Counter { value: a }, Content::Counter { value: b }) => Self {
                timestamp: self.timestamp.max(other.timestamp),
                content: Content::Counter { value: a.wrapping_add(b) },
            },
            (Content::Counter { .. }, Content::Tombstone { .. }) => other,
            (Content::Tombstone { .. }, Content::Counter { .. }) => self,
            _ if self.precedence(&other).is_lt() => other,
            _ => self,
        }
    }

    /// Timestamp; then a tombstone over an expiring cell over a live one; then the later local time; then the larger
    /// value. The time to live comes last only to make the order total.
    fn precedence(&self, other: &Self) -> Ordering {
        let key = |cell: &Self| match cell.content {
            Content::Live { .. } | Content::Counter { .. } => (cell.timestamp, 0u8, 0),
            Content::Expiring { expires, .. } | Content::Expired { expires } => (cell.timestamp, 1, expires),
            Content::Tombstone { deleted } => (cell.timestamp, 2, deleted),
        };
        key(self).cmp(&key(other)).then_with(|| self.tie_break().cmp(&other.tie_break()))
    }

    fn tie_break(&self) -> (&'a [u8], u32) {
        match self.content {
            Content::Live { value } => (value, 0),
            Content::Expiring { value, ttl, .. } => (value, ttl),
            Content::Expired { .. } | Content::Tombstone { .. } | Content::Counter { .. } => (&[], 0),
        }
    }

    /// When the sweeper has something to do with the cell, where tombstones are kept for `grace` seconds.
    pub(super) fn deadline(&self, grace: i64) -> Option<i64> {
        match self.content {
            Content::Live { .. } | Content::Counter { .. } => None,
            Content::Expiring { expires, .. } => Some(expires),
            Content::Expired { expires } => Some(expires.saturating_add(grace)),
            Content::Tombstone { deleted } => Some(deleted.saturating_add(grace)),
        }
    }

    /// What is left of the cell at `now`.
    pub(super) fn swept(mut self, now: i64, grace: i64) -> Option<Self> {
        if let Content::Expiring { expires, .. } = self.content
            && expires <= now
        {
            self.content = Content::Expired { expires };
        }
        match self.deadline(grace) {
            Some(deadline) if deadline <= now => None,
            _ => Some(self),
        }
    }
}

/// A tombstone over a partition, a range of rows, a row or the parts of a column: it hides what was written at its timestamp or
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deletion {
    /// Microseconds.
    pub(super) timestamp: i64,
    /// Local time of the deletion, in seconds.
    pub(super) deleted: i64,
}

impl Deletion {
    /// When it has been kept for as long as it has to be.
    pub(super) fn deadline(self, grace: i64) -> i64 {
        self.deleted.saturating_add(grace)
    }

    /// The deletion, unless `over` hides it.
    pub(super) fn below(self, over: Option<Self>) -> Option<Self> {
        over.is_none_or(|over| self.timestamp > over.timestamp).then_some(self)
    }
}

/// Whether what was written at `timestamp` is hidden by `deletion`.
#[inline]
pub(super) fn is_covered(timestamp: i64, deletion: Option<Deletion>) -> bool {
    deletion.is_some_and(|deletion| timestamp <= deletion.timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn live(timestamp: i64, value: &[u8]) -> Cell<'_> {
        Cell::new(timestamp, value, 0, 0)
    }

    fn expiring(timestamp: i64, value: &[u8], ttl: u32) -> Cell<'_> {
        Cell::new(timestamp, value, ttl, 100)
    }

    fn assert_beats(winner: Cell<'_>, loser: Cell<'_>) {
        assert_eq!(winner.reconcile(loser), winner);
        assert_eq!(loser.reconcile(winner), winner);
    }

    // SEM: WID-LWW-1, WID-LWW-2
    #[test]
    fn ties_are_decided_by_kind_then_local_time_then_value() {
        assert_beats(live(2, b"a"), Cell::tombstone(1, 900));
        assert_beats(Cell::tombstone(1, 0), live(1, b"z"));
        assert_beats(expiring(1, b"a", 5), live(1, b"z"));
        assert_beats(Cell::tombstone(1, 0), expiring(1, b"z", 5));
        assert_beats(expiring(1, b"a", 6), expiring(1, b"z", 5));
        assert_beats(expiring(1, b"b", 5), expiring(1, b"a", 5));
        assert_beats(Cell::tombstone(1, 8), Cell::tombstone(1, 7));
        assert_beats(live(1, b"ab"), live(1, b"a"));
        assert_beats(live(1, b"\xff"), live(1, b"\x7f"));
    }

    // SEM: WID-LWW-4
    #[test]
    fn counters_are_added_to_until_they_are_deleted() {
        let counter = |timestamp, value| Cell { timestamp, content: Content::Counter { value } };
        assert_eq!(counter(2, 5).reconcile(counter(1, 3)), counter(2, 8));
        assert_beats(Cell::tombstone(1, 0), counter(9, 5));
    }

    // SEM: WID-TTL-1
    #[test]
    fn an_expiring_cell_is_visible_until_its_second_has_come() {
        let cell = expiring(1, b"v", 60);
        assert!(cell.is_live(159) && !cell.is_live(160));
        assert_eq!(cell.remaining_ttl(159), Some(1));
    }

    // SEM: WID-TMB-1
    #[test]
    fn an_expired_cell_leaves_a_trace_until_the_grace_has_passed() {
        let trace = expiring(5, b"v", 60).swept(160, 1_000).unwrap();
        assert_eq!(trace.content, Content::Expired { expires: 160 });
        assert_beats(trace, live(4, b"late"));
        assert_eq!(trace.deadline(1_000), Some(1_160));
        assert!(trace.swept(1_159, 1_000).is_some() && trace.swept(1_160, 1_000).is_none());
    }

    pub(in crate::wide_column) fn cell() -> impl Strategy<Value = Cell<'static>> {
        const VALUES: [&[u8]; 3] = [b"", b"\0", b"\x01"];
        let value = || prop::sample::select(VALUES.to_vec());
        let content = prop_oneof![
            value().prop_map(|value| Content::Live { value }),
            (value(), 10i64..13, 1u32..3).prop_map(|(value, expires, ttl)| Content::Expiring { value, expires, ttl }),
            (10i64..13).prop_map(|expires| Content::Expired { expires }),
            (0i64..3).prop_map(|deleted| Content::Tombstone { deleted }),
        ];
        (0i64..3, content).prop_map(|(timestamp, content)| Cell { timestamp, content })
    }

    proptest! {
        // SEM: WID-LWW-2
        #[test]
        fn reconciling_is_commutative_associative_and_idempotent(a in cell(), b in cell(), c in cell()) {
            prop_assert_eq!(a.reconcile(b), b.reconcile(a));
            prop_assert_eq!(a.reconcile(b).reconcile(c), a.reconcile(b.reconcile(c)));
            prop_assert_eq!(a.reconcile(b).reconcile(a), a.reconcile(b));
        }
    }
}
