//! Which state of the catalogue a view shows, as one number: what a cached definition is checked by.
//!
//! # Invariants
//! 1. Two views with the same epoch show the same catalogue. No number is used twice in a process, not by another store
//!    either, so that a number that comes from elsewhere matches nothing.
//! 2. While a commit that changes the catalogue is under way there is no epoch, and none for a view of an earlier
//!    commit than the last such change: a view without one looks at the stored definition.
//! 3. A transaction that changed the catalogue itself has epochs of its own; taking a change back brings the earlier
//!    one back.
//!
//! # Cost
//! Three loads, no lock and no lookup.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::CommitNumber;

/// No epoch: compare what is stored.
const NONE: u64 = 0;

/// The last number that was given out.
static LAST: AtomicU64 = AtomicU64::new(NONE);

/// A number that nobody has had.
pub(super) fn fresh() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The epoch of what is committed.
#[derive(Debug)]
pub(super) struct Epochs {
    epoch: AtomicU64,
    /// The first commit that shows it.
    since: AtomicU64,
}

impl Epochs {
    /// Of a store that was just opened.
    pub(super) fn new() -> Self {
        Self { epoch: AtomicU64::new(fresh()), since: AtomicU64::new(0) }
    }

    /// Of a store that others change as well: there is never an epoch.
    pub(super) fn never() -> Self {
        Self { epoch: AtomicU64::new(NONE), since: AtomicU64::new(u64::MAX) }
    }

    /// The epoch of a view whose last commit is `commit`.
    pub(super) fn at(&self, commit: CommitNumber) -> Option<u64> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let since = self.since.load(Ordering::Acquire);
        // When the epoch is still the same, `since` is its own: a change sets the epoch to none before anything else.
        let is_whole = self.epoch.load(Ordering::Acquire) == epoch;
        (epoch != NONE && is_whole && commit.0 >= since).then_some(epoch)
    }

    /// A commit that changes the catalogue begins. The caller has the turn to write.
    pub(super) fn begin_change(&self) {
        self.epoch.store(NONE, Ordering::Release);
    }

    /// It has ended, and `last` is the newest commit, whether it succeeded or not.
    pub(super) fn end_change(&self, last: CommitNumber) {
        self.since.store(last.0, Ordering::Release);
        self.epoch.store(fresh(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_holds_from_the_last_change_on_and_there_is_none_while_one_is_made() {
        let epochs = Epochs::new();
        let first = epochs.at(CommitNumber(0));
        assert!(first.is_some() && first == epochs.at(CommitNumber(7)));
        epochs.begin_change();
        assert_eq!(epochs.at(CommitNumber(8)), None);
        epochs.end_change(CommitNumber(8));
        assert_eq!(epochs.at(CommitNumber(7)), None, "an earlier state is not told apart by a number");
        assert!(epochs.at(CommitNumber(8)).is_some() && epochs.at(CommitNumber(8)) != first);
        assert_eq!(Epochs::never().at(CommitNumber(u64::MAX - 1)), None);
    }
}
