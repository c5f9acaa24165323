//! Numbers that are given out once each, beside the transactions: unique times, storage ids, ids in the catalogue.
//!
//! They are counted in memory, so that two transactions that take some do not conflict over a counter. What is stored is the end of
//! a lease, some way ahead: a commit that holds a number past the end moves it on, so that few commits have an entry more.
//!
//! # Invariants
//! 1. No committed transaction holds a number past the stored end. A store that is opened again, after a crash too, goes on behind
//!    the end, and so gives out nothing twice, and no time before another.
//! 2. What is left of a lease when the store is closed, and what rolled back, is not given out again.
//! 3. A fork goes on behind what was given out when it was made.
//!
//! # Storage
//! | key     | value                                                  | ahead                                     |
//! |---------|--------------------------------------------------------|-------------------------------------------|
//! | `02 01` | a time that no unique time is after, `i64` big-endian  | [`limits::UNIQUE_TIME_LEASE_MICROS`]      |
//! | `02 02` | the last storage id that may be in use, `u64`          | [`limits::STORAGE_ID_BLOCK`]              |
//! | `01 00` | the last id of a name that may be in use, `u32`        | [`limits::CATALOGUE_ID_BLOCK`]            |
//!
//! A store that is opened again within the lease of its times is ahead of the clock by what is left of it, and waits for the clock by
//! going on in steps of a microsecond. That is why the lease is short: a second of time has many commits.

use parking_lot::Mutex;

use crate::encoding::owner;
use crate::error::{Error, Result};
use crate::limits;

/// What is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// Microseconds, each time a later one.
    Times = 0,
    /// What something is stored under.
    StorageIds = 1,
    /// Who something with a name is.
    CatalogueIds = 2,
}

impl Sequence {
    const ALL: [Self; 3] = [Self::Times, Self::StorageIds, Self::CatalogueIds];

    /// Where the end of the lease is stored.
    pub(super) const fn key(self) -> [u8; 2] {
        match self {
            Self::Times => [owner::TRANSACTIONS, 0x01],
            Self::StorageIds => [owner::TRANSACTIONS, 0x02],
            Self::CatalogueIds => [owner::CATALOGUE, 0x00],
        }
    }

    /// How far ahead of what was given out a lease ends.
    const fn ahead(self) -> i64 {
        match self {
            Self::Times => limits::UNIQUE_TIME_LEASE_MICROS,
            Self::StorageIds => limits::STORAGE_ID_BLOCK,
            Self::CatalogueIds => limits::CATALOGUE_ID_BLOCK,
        }
    }

    /// What comes before the first number.
    const fn before_all(self) -> i64 {
        if matches!(self, Self::Times) { i64::MIN } else { 0 }
    }

    const fn max(self) -> i64 {
        if matches!(self, Self::CatalogueIds) { u32::MAX as i64 } else { i64::MAX }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Times => "unique times",
            Self::StorageIds => "storage ids",
            Self::CatalogueIds => "catalogue ids",
        }
    }

    /// The bytes that are stored of `end`.
    pub(super) fn encode(self, end: i64) -> Vec<u8> {
        let bytes = end.to_be_bytes();
        let skipped = if self == Self::CatalogueIds { 4 } else { 0 };
        bytes.get(skipped..).unwrap_or_default().to_vec()
    }

    fn decode(self, bytes: &[u8]) -> Result<i64> {
        let end = if self == Self::CatalogueIds {
            bytes.try_into().ok().map(|bytes| u32::from_be_bytes(bytes).into())
        } else {
            bytes.try_into().ok().map(i64::from_be_bytes)
        };
        end.filter(|end| *end >= self.before_all())
            .ok_or_else(|| Error::corrupt(self.name(), "their stored end is none"))
    }
}

/// The leases of one open store.
#[derive(Debug, Default)]
pub(super) struct Leases([Mutex<Lease>; 3]);

#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    /// The last number given out; `None` before the first one.
    last: Option<i64>,
    /// The stored end, once it is known.
    stored: Option<i64>,
}

/// Which sequences a transaction has taken numbers of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken(u8);

impl Taken {
    pub(super) fn note(&mut self, sequence: Sequence) {
        self.0 |= 1 << sequence as u8;
    }

    /// Whether there are any: of most transactions there are not.
    pub(super) const fn any(self) -> bool {
        self.0 != 0
    }

    fn has(self, sequence: Sequence) -> bool {
        self.0 & 1 << sequence as u8 != 0
    }
}

/// The ends that a commit stores.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends([Option<i64>; 3]);

impl Ends {
    pub(super) fn each(self) -> impl Iterator<Item = (Sequence, i64)> {
        Sequence::ALL.into_iter().zip(self.0).filter_map(|(sequence, end)| Some((sequence, end?)))
    }
}

impl Leases {
    /// A number that no other call gets: `at_least`, or the one behind the last. `stored` gets what an earlier run stored; it is asked
    /// once.
    pub(super) fn next(
        &self,
        sequence: Sequence,
        at_least: i64,
        stored: impl FnOnce() -> Result<Option<Vec<u8>>>,
    ) -> Result<i64> {
        let mut lease = self.of(sequence).lock();
        if lease.stored.is_none() {
            let end = stored()?.map(|bytes| sequence.decode(&bytes)).transpose()?;
            lease.stored = Some(end.unwrap_or(sequence.before_all()));
        }
        let last = lease.last.or(lease.stored).unwrap_or(sequence.before_all());
        let next = last.checked_add(1).filter(|next| *next <= sequence.max()).ok_or_else(|| Error::LimitExceeded {
            limit: sequence.name(),
            max: sequence.max().unsigned_abs(),
            found: sequence.max().unsigned_abs().saturating_add(1),
        })?;
        let next = next.max(at_least);
        lease.last = Some(next);
        Ok(next)
    }

    /// What a commit has to store that holds numbers of these sequences.
    ///
    /// The last number of all counts, not the last of the transaction: a later one may have been committed before it.
    pub(super) fn to_store(&self, taken: Taken) -> Ends {
        let end = |sequence: Sequence| {
            let Lease { last, stored } = *self.of(sequence).lock();
            let last = last.filter(|last| Some(*last) > stored)?;
            Some(last.saturating_add(sequence.ahead()).min(sequence.max()))
        };
        Ends(Sequence::ALL.map(|sequence| taken.has(sequence).then(|| end(sequence)).flatten()))
    }

    /// A commit has stored `ends`.
    pub(super) fn note_stored(&self, ends: Ends) {
        for (sequence, end) in ends.each() {
            let mut lease = self.of(sequence).lock();
            lease.stored = lease.stored.max(Some(end));
        }
    }

    /// Goes on behind what `other` has given out, on an engine that holds what was committed there.
    pub(super) fn go_on_from(&self, other: &Self) {
        for (own, other) in self.0.iter().zip(&other.0) {
            let last = other.lock().last;
            own.lock().last = last;
        }
    }

    fn of(&self, sequence: Sequence) -> &Mutex<Lease> {
        let Self([times, storage_ids, catalogue_ids]) = self;
        match sequence {
            Sequence::Times => times,
            Sequence::StorageIds => storage_ids,
            Sequence::CatalogueIds => catalogue_ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(leases: &Leases, sequence: Sequence) -> Option<i64> {
        let mut taken = Taken::default();
        taken.note(sequence);
        leases.to_store(taken).each().next().map(|(_, end)| end)
    }

    fn next(leases: &Leases, sequence: Sequence, at_least: i64) -> i64 {
        leases.next(sequence, at_least, || panic!("it is known")).unwrap()
    }

    #[test]
    fn numbers_are_given_out_once_and_a_lease_is_stored_once() {
        let (leases, sequence) = (Leases::default(), Sequence::StorageIds);
        assert_eq!(end_of(&leases, sequence), None);
        assert_eq!(leases.next(sequence, 0, || Ok(None)).unwrap(), 1);
        assert_eq!(next(&leases, sequence, 0), 2);
        let end = end_of(&leases, sequence).unwrap();
        assert_eq!(end, 2 + limits::STORAGE_ID_BLOCK);
        assert_eq!(end_of(&leases, sequence), Some(end), "the commit that was to store it failed");
        assert!(leases.to_store(Taken::default()).each().next().is_none(), "a commit without numbers stores nothing");
        let mut taken = Taken::default();
        taken.note(sequence);
        leases.note_stored(leases.to_store(taken));
        for _ in 0..limits::STORAGE_ID_BLOCK {
            next(&leases, sequence, 0);
            assert_eq!(end_of(&leases, sequence), None);
        }
        next(&leases, sequence, 0);
        assert!(end_of(&leases, sequence) > Some(end));
        let opened_again = Leases::default();
        assert_eq!(opened_again.next(sequence, 0, || Ok(Some(sequence.encode(end)))).unwrap(), end + 1);
    }

    #[test]
    fn times_follow_the_clock_and_never_go_back() {
        let (leases, sequence) = (Leases::default(), Sequence::Times);
        assert_eq!(leases.next(sequence, -5, || Ok(None)).unwrap(), -5);
        assert_eq!([next(&leases, sequence, 10), next(&leases, sequence, 3)], [10, 11]);
        let fork = Leases::default();
        fork.go_on_from(&leases);
        assert_eq!(fork.next(sequence, 0, || Ok(Some(sequence.encode(1_000)))).unwrap(), 12);
        assert_eq!(end_of(&fork, sequence), None, "the end that is stored is behind it");
    }

    #[test]
    fn ids_of_names_end_where_their_bytes_do() {
        let (leases, sequence) = (Leases::default(), Sequence::CatalogueIds);
        let last = i64::from(u32::MAX) - 1;
        assert_eq!(leases.next(sequence, 0, || Ok(Some(sequence.encode(last)))).unwrap(), last + 1);
        assert_eq!(end_of(&leases, sequence), Some(i64::from(u32::MAX)));
        let refused = leases.next(sequence, 0, || Ok(None));
        assert!(matches!(refused, Err(Error::LimitExceeded { limit: "catalogue ids", .. })), "{refused:?}");
        assert!(Leases::default().next(sequence, 0, || Ok(Some(vec![1]))).is_err(), "too few bytes");
    }
}
