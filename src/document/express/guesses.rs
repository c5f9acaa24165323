//! In which record a value of a unique index was found last: a find by `_id` looks there first, and so descends the tree once
//! where it otherwise does twice.
//!
//! What is remembered is a guess, and whoever uses it checks it: the record has to be there in his view, and to have the value.
//! As the index is unique, no other record has it then. So nothing is to be taken back when documents change, go or come
//! again, when transactions roll back, or for those who read an older state.
//!
//! # Layout
//! Tables of words, of which the last one that was made is used. A word is 16 bits of the hash of the value and 48 of the record's
//! id; zero is an empty one, since no record has that id. Four words are a bucket; the one that is put into it last comes first, and the
//! oldest goes. A table gets a larger one beside it when half as many words were put into it as it has: fuller ones lose words, for
//! buckets are not equally full. It begins empty, and what is still asked for is put there again.
//!
//! # Cost
//! A hash, four words of one line of memory, and one of the two descents saved. At most 1.8 MB for a store, and 2 KB for one in
//! which a few values are looked for.
//!
//! # Source
//! The reference manual of `MySQL`, *Adaptive Hash Index*, has the same for pages of its tree.

use std::hash::{BuildHasher, Hasher};
use std::iter;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bson::RawBsonRef;

use crate::document::layout::RecordId;
use crate::encoding::owner::Slot;
use crate::txn::State;

/// Words of the tables, powers of two.
const WORDS: [usize; 6] = [1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 17];

const BUCKET_WORDS: usize = 4;

/// Bits of a word that are the record's id.
const ID_BITS: u32 = 48;

/// A larger id is not remembered.
const ID_MAX: RecordId = (1 << ID_BITS) - 1;

/// Whole numbers up to here are the same as doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The guesses of an open store.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    hashes: ahash::RandomState,
    tables: [OnceLock<Box<[AtomicU64]>>; WORDS.len()],
    /// Which table is used.
    current: AtomicUsize,
    /// How many words were put into it.
    filled: AtomicUsize,
}

impl State for Guesses {
    const SLOT: Slot = Slot::Guesses;
}

impl Guesses {
    /// The place of `value` under an index of a collection; equal numbers have one place, whatever their types.
    pub(super) fn place(&self, collection: u32, index: u32, value: RawBsonRef<'_>) -> Place<'_> {
        let mut hasher = self.hashes.build_hasher();
        hasher.write_u64(u64::from(collection) << 32 | u64::from(index));
        match value {
            RawBsonRef::Int32(number) => hasher.write_i64(number.into()),
            RawBsonRef::Int64(number) => hasher.write_i64(number),
            #[expect(clippy::cast_possible_truncation, reason = "a whole number, which is small enough")]
            RawBsonRef::Double(number) if number.fract() == 0.0 && number.abs() <= EXACT_MAX => {
                hasher.write_i64(number as i64);
            }
            RawBsonRef::Double(number) => hasher.write_u64(number.to_bits()),
            RawBsonRef::String(text) => hasher.write(text.as_bytes()),
            RawBsonRef::ObjectId(id) => hasher.write(&id.bytes()),
            RawBsonRef::DateTime(moment) => hasher.write_i64(moment.timestamp_millis()),
            RawBsonRef::Binary(binary) => hasher.write(binary.bytes),
            RawBsonRef::Boolean(truth) => hasher.write_u8(truth.into()),
            // All of them share a place.
            _ => {}
        }
        Place { of: self, hash: hasher.finish() }
    }

    fn table(&self, nth: usize) -> Option<&[AtomicU64]> {
        let words = WORDS.get(nth)?;
        let table = self.tables.get(nth)?;
        Some(table.get_or_init(|| iter::repeat_with(AtomicU64::default).take(*words).collect()))
    }

    /// Counts a word that was put into a table, which may be full now.
    fn count(&self, nth: usize) {
        let filled = self.filled.fetch_add(1, Ordering::Relaxed) + 1;
        let is_full = WORDS.get(nth).is_some_and(|words| filled >= words / 2) && nth + 1 < WORDS.len();
        // Of several at once, one goes on to the next table.
        if is_full && self.current.compare_exchange(nth, nth + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.filled.store(0, Ordering::Relaxed);
        }
    }
}

/// Where a value is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'g> {
    of: &'g Guesses,
    hash: u64,
}

impl<'g> Place<'g> {
    fn bucket(self) -> Option<(usize, &'g [AtomicU64])> {
        let nth = self.of.current.load(Ordering::Relaxed);
        let table = self.of.table(nth)?;
        // The upper bits are the tag. As there is a power of two of buckets, this is the number of one of them.
        let bucket = self.hash & (table.len() / BUCKET_WORDS).saturating_sub(1) as u64;
        let at = usize::try_from(bucket).ok()? * BUCKET_WORDS;
        Some((nth, table.get(at..at + BUCKET_WORDS)?))
    }

    fn tag(self) -> u64 {
        self.hash >> ID_BITS
    }

    /// The records that may have the value: as a rule one or none.
    #[inline]
    pub(super) fn guesses(self) -> impl Iterator<Item = RecordId> + use<'g> {
        let words = self.bucket().map(|(_, words)| words).unwrap_or_default();
        let words = words.iter().map(|word| word.load(Ordering::Relaxed));
        words.filter(move |word| *word != 0 && word >> ID_BITS == self.tag()).map(|word| word & ID_MAX)
    }

    /// Remembers that the record `id` has the value.
    #[cold]
    pub(super) fn remember(self, id: RecordId) {
        let Some((nth, words)) = self.bucket().filter(|_| (1..=ID_MAX).contains(&id)) else { return };
        let mut put = self.tag() << ID_BITS | id;
        // Two at once may lose a word, or have it twice.
        for word in words {
            put = word.swap(put, Ordering::Relaxed);
            if put == 0 {
                break;
            }
        }
        self.of.count(nth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(guesses: &Guesses, value: RawBsonRef<'_>) -> Vec<RecordId> {
        guesses.place(1, 0, value).guesses().collect()
    }

    #[test]
    fn what_is_remembered_is_found_under_equal_numbers_and_nowhere_else() {
        let guesses = Guesses::default();
        assert!(found(&guesses, RawBsonRef::Int32(7)).is_empty());
        guesses.place(1, 0, RawBsonRef::Int32(7)).remember(3);
        for seven in [RawBsonRef::Int32(7), RawBsonRef::Int64(7), RawBsonRef::Double(7.0)] {
            assert_eq!(found(&guesses, seven), [3]);
        }
        assert!(found(&guesses, RawBsonRef::Double(7.5)).is_empty());
        assert_eq!(guesses.place(2, 0, RawBsonRef::Int32(7)).guesses().count(), 0, "another collection");
        assert_eq!(guesses.place(1, 1, RawBsonRef::Int32(7)).guesses().count(), 0, "another index");
    }

    #[test]
    fn ids_that_leave_no_room_for_the_hash_are_not_remembered() {
        let guesses = Guesses::default();
        for id in [0, ID_MAX + 1, u64::MAX] {
            guesses.place(1, 0, RawBsonRef::Int32(7)).remember(id);
        }
        assert!(found(&guesses, RawBsonRef::Int32(7)).is_empty());
        guesses.place(1, 0, RawBsonRef::Int32(7)).remember(ID_MAX);
        assert_eq!(found(&guesses, RawBsonRef::Int32(7)), [ID_MAX]);
    }

    #[test]
    fn tables_grow_to_what_is_asked_for_and_no_further_than_the_last() {
        let guesses = Guesses::default();
        let ask = |values: i32| {
            for value in 0..values {
                let place = guesses.place(1, 0, RawBsonRef::Int32(value));
                if place.guesses().next().is_none() {
                    place.remember(u64::from(value.unsigned_abs()) + 1);
                }
            }
        };
        let table = || guesses.current.load(Ordering::Relaxed);
        (0..100).for_each(|_| ask(8));
        assert_eq!(table(), 0, "a few values have room in the first");
        (0..3).for_each(|_| ask(10_000));
        assert_eq!(table(), 4);
        let is_found =
            |value: &i32| found(&guesses, RawBsonRef::Int32(*value)).contains(&(u64::from(value.unsigned_abs()) + 1));
        assert!((0..10_000).filter(is_found).count() > 9_900, "what is asked for again is remembered");
        (0..3).for_each(|_| ask(200_000));
        assert_eq!(table(), WORDS.len() - 1);
    }
}
