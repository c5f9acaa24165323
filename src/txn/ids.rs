//! Numbers for identifiers that are to be unique beyond the store.
//!
//! Each open store counts on from a number of its own: 63 bits that come from the system's randomness or from a seed. Two stores
//! give out the same number only when their ranges meet, which for a billion numbers each has a chance of one in several
//! billion; a fork is a store of its own.
//!
//! With a seed everything follows from it: the start from the seed and the last commit of the store that was opened, so that a
//! store that is opened again goes on elsewhere; a fork's seed from the seed and how many forks there were before.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::encoding::mix::mix;
use crate::engine::CommitNumber;

/// Leaves room above the start, so that numbers ascend.
const START_MAX: u64 = u64::MAX >> 1;

/// Where a store's identifiers come from.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: Option<u64>,
    next: AtomicU64,
    forks: AtomicU64,
}

impl Ids {
    /// Those of a store that goes on after `commit`; reproducible with a `seed`.
    pub(crate) fn new(seed: Option<u64>, commit: CommitNumber) -> Self {
        let start = match seed {
            Some(seed) => mix(mix(seed) ^ commit.0),
            None => random(),
        };
        Self { seed, next: AtomicU64::new(start & START_MAX), forks: AtomicU64::new(0) }
    }

    /// A number that no other call gets, on this store or another one.
    pub(crate) fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The seed of the next fork, if there is one.
    pub(crate) fn seed_of_fork(&self) -> Option<u64> {
        let fork = self.forks.fetch_add(1, Ordering::Relaxed);
        self.seed.map(|seed| mix(seed ^ mix(fork + 1)))
    }
}

/// A number from the system's randomness, by way of the keys that it gives to hash tables. The process counts as well: one that was
/// forked has the keys of the other.
fn random() -> u64 {
    RandomState::new().hash_one((std::process::id(), "identifiers of a store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again_and_an_other_commit_others() {
        let of = |seed, commit| Ids::new(seed, CommitNumber(commit)).next();
        assert_eq!(of(Some(7), 0), of(Some(7), 0));
        assert_ne!(of(Some(7), 0), of(Some(8), 0));
        assert_ne!(of(Some(7), 0), of(Some(7), 1));
        assert_ne!(of(None, 0), of(None, 0));
    }

    #[test]
    fn numbers_ascend_whatever_the_start() {
        for seed in 0..1_000 {
            let ids = Ids::new(Some(seed), CommitNumber(0));
            let (first, second) = (ids.next(), ids.next());
            assert_eq!(first.checked_add(1), Some(second));
        }
    }

    #[test]
    fn forks_have_seeds_of_their_own_in_the_same_order_again() {
        let seeds = || {
            let ids = Ids::new(Some(7), CommitNumber(0));
            [ids.seed_of_fork(), ids.seed_of_fork(), ids.seed_of_fork()]
        };
        let [first, second, third] = seeds();
        assert_eq!(seeds(), [first, second, third]);
        assert!(first != second && second != third && first != Some(7));
        assert_eq!(Ids::new(None, CommitNumber(0)).seed_of_fork(), None);
    }
}
