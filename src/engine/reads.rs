//! What an optimistic transaction read.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::engine::{CommitNumber, Direction, Key, KeyRange};

/// The keys and ranges an optimistic transaction read, and when.
///
/// # Examples
/// ```
/// use larder::engine::{CommitNumber, KeyRange, Reads};
/// let mut reads = Reads::at(CommitNumber(7));
/// reads.add_key(b"stock");
/// reads.add_range(KeyRange::prefix(b"order:"));
/// assert!(reads.contains(b"stock") && reads.contains(b"order:9") && !reads.contains(b"user:1"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Reads {
    at: CommitNumber,
    keys: BTreeSet<Key>,
    ranges: Vec<KeyRange>,
}

impl Reads {
    /// Nothing read yet, on a snapshot that `at` is the last commit of.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Reads};
    /// let reads = Reads::at(CommitNumber(7));
    /// assert!(!reads.contains(b"stock"));
    /// ```
    #[must_use]
    pub fn at(at: CommitNumber) -> Self {
        Self { at, ..Self::default() }
    }

    /// The last commit of the snapshot that was read.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{CommitNumber, Reads};
    /// assert_eq!(Reads::at(CommitNumber(7)).commit(), CommitNumber(7));
    /// ```
    #[must_use]
    pub fn commit(&self) -> CommitNumber {
        self.at
    }

    /// The keys read one by one.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, Reads};
    /// let mut reads = Reads::default();
    /// reads.add_key(b"stock");
    /// assert!(reads.keys().eq([&Key::from(&b"stock"[..])]));
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The ranges read.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{KeyRange, Reads};
    /// let mut reads = Reads::default();
    /// reads.add_range(KeyRange::prefix(b"order:"));
    /// assert_eq!(reads.ranges(), [KeyRange::prefix(b"order:")]);
    /// ```
    #[must_use]
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// Whether `key` was read, by itself or in a range.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{KeyRange, Reads};
    /// let mut reads = Reads::default();
    /// reads.add_range(KeyRange::prefix(b"order:"));
    /// assert!(reads.contains(b"order:9") && !reads.contains(b"stock"));
    /// ```
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.keys.contains(key) || self.ranges.iter().any(|range| range.contains(key))
    }

    /// Notes that `key` was looked up, found or not.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Reads;
    /// let mut reads = Reads::default();
    /// reads.add_key(b"stock");
    /// reads.add_key(b"stock");
    /// assert_eq!(reads.keys().count(), 1);
    /// ```
    pub fn add_key(&mut self, key: &[u8]) {
        if !self.keys.contains(key) {
            self.keys.insert(Key::from(key));
        }
    }

    /// Notes that the whole of `range` was read.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{KeyRange, Reads};
    /// let mut reads = Reads::default();
    /// reads.add_range(KeyRange::all());
    /// assert!(reads.contains(b"stock"));
    /// ```
    pub fn add_range(&mut self, range: KeyRange) {
        self.ranges.push(range);
    }

    /// Notes that a cursor over `range` has been opened, and returns the place to report its progress to.
    pub(crate) fn open_cursor(&mut self) -> usize {
        // Until the cursor moves it has seen nothing.
        self.ranges.push(KeyRange::new(Bound::Unbounded, Bound::Excluded(Key::default())));
        self.ranges.len() - 1
    }

    /// Notes how far the cursor at `place` has seen `range`: up to `last`, or to its end.
    pub(crate) fn advance_cursor(&mut self, place: usize, range: &KeyRange, direction: Direction, last: Option<&[u8]>) {
        let Some(seen) = self.ranges.get_mut(place) else { return };
        let edge = last.map_or(Bound::Unbounded, |key| Bound::Included(Key::from(key)));
        *seen = match direction {
            Direction::Forward => range.clone().clamp(Bound::Unbounded, edge),
            Direction::Backward => range.clone().clamp(edge, Bound::Unbounded),
        };
    }
}
