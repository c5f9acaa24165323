//! Ranges of keys.

use std::cmp::Ordering;
use std::ops::{Bound, RangeBounds};

use crate::engine::Key;

/// Which end a cursor starts from.
///
/// # Examples
/// ```
/// use larder::engine::{Direction, Engine, KeyRange, MemoryEngine};
/// # use larder::engine::{Changes, Durability, Key};
/// # let engine = MemoryEngine::new();
/// # let entry = |key: &[u8]| (Key::from(key), Some(b"1"));
/// # engine.commit(&Changes::from_iter([entry(b"a"), entry(b"b")]), None, Durability::None)?.wait()?;
/// let mut cursor = engine.snapshot()?.range(&KeyRange::all(), Direction::Backward)?;
/// assert_eq!(cursor.next()?.map(|(key, _)| key), Some(&b"b"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the lowest key up.
    #[default]
    Forward,
    /// From the highest key down.
    Backward,
}

impl Direction {
    /// The other direction.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Direction;
    /// assert_eq!(Direction::Forward.reversed(), Direction::Backward);
    /// ```
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// The keys between two bounds.
///
/// # Examples
/// ```
/// use larder::engine::KeyRange;
/// let users = KeyRange::prefix(b"user:");
/// assert!(users.contains(b"user:7") && !users.contains(b"usher"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    start: Bound<Key>,
    end: Bound<Key>,
}

impl KeyRange {
    /// Every key, to be borrowed for as long as anybody likes.
    pub(super) const ALL: Self = Self { start: Bound::Unbounded, end: Bound::Unbounded };

    /// Every key.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::KeyRange;
    /// assert!(KeyRange::all().contains(b"") && KeyRange::all().contains(&[0xff; 40]));
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// The keys that begin with `prefix`.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::KeyRange;
    /// let orders = KeyRange::prefix(b"order:");
    /// assert!(orders.contains(b"order:") && orders.contains(b"order:9") && !orders.contains(b"order;"));
    /// ```
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: Bound::Included(Key::from(prefix)), end: after_prefix(prefix) }
    }

    /// What the keys of the range begin with, if those are all the keys that do.
    pub(super) fn as_prefix(&self) -> Option<&[u8]> {
        let Bound::Included(prefix) = &self.start else { return None };
        let Bound::Excluded(end) = &self.end else { return None };
        // What ends in the highest byte is not found, which is no loss.
        let (last, rest) = prefix.split_last()?;
        let (after, same) = end.split_last()?;
        (last.checked_add(1) == Some(*after) && rest == same).then_some(prefix)
    }

    /// The keys between two bounds. Bounds in the wrong order make an empty range.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, KeyRange};
    /// use std::ops::Bound;
    /// let range = KeyRange::new(Bound::Excluded(Key::from(&b"a"[..])), Bound::Included(Key::from(&b"c"[..])));
    /// assert!(!range.contains(b"a") && range.contains(b"aa") && range.contains(b"c"));
    /// ```
    #[must_use]
    pub fn new(start: Bound<Key>, end: Bound<Key>) -> Self {
        Self { start, end }
    }

    /// The keys of this range that are also between `start` and `end`.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, KeyRange};
    /// use std::ops::Bound;
    /// let page = KeyRange::prefix(b"a").clamp(Bound::Excluded(Key::from(&b"ab"[..])), Bound::Unbounded);
    /// assert!(page.contains(b"ac") && !page.contains(b"ab") && !page.contains(b"b"));
    /// ```
    #[must_use]
    pub fn clamp(self, start: Bound<Key>, end: Bound<Key>) -> Self {
        let start = if cmp_starts(&start, &self.start).is_gt() { start } else { self.start };
        let end = if cmp_ends(&end, &self.end).is_lt() { end } else { self.end };
        Self { start, end }
    }

    /// The keys of this range that come after everything in `other`.
    pub(crate) fn behind(self, other: &Self) -> Self {
        let start = match &other.end {
            Bound::Excluded(end) => Bound::Included(end.clone()),
            Bound::Included(end) => Bound::Excluded(end.clone()),
            // Nothing does.
            Bound::Unbounded => return Self::new(Bound::Unbounded, Bound::Excluded(Key::default())),
        };
        self.clamp(start, Bound::Unbounded)
    }

    /// Whether `key` is in the range.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::KeyRange;
    /// let range = KeyRange::prefix(b"a");
    /// assert!(range.contains(b"a\xff") && !range.contains(b"b"));
    /// ```
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        let above = match &self.start {
            Bound::Included(start) => key >= &**start,
            Bound::Excluded(start) => key > &**start,
            Bound::Unbounded => true,
        };
        let below = match &self.end {
            Bound::Included(end) => key <= &**end,
            Bound::Excluded(end) => key < &**end,
            Bound::Unbounded => true,
        };
        above && below
    }

    /// Whether no key can be in the range.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, KeyRange};
    /// use std::ops::Bound;
    /// let (a, b) = (Key::from(&b"a"[..]), Key::from(&b"b"[..]));
    /// assert!(KeyRange::new(Bound::Included(b), Bound::Included(a)).is_empty());
    /// assert!(!KeyRange::prefix(b"a").is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Unbounded, Bound::Excluded(end)) => end.is_empty(),
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
                start >= end
            }
        }
    }

    /// Where the range starts.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, KeyRange};
    /// use std::ops::Bound;
    /// assert_eq!(KeyRange::prefix(b"a").start(), &Bound::Included(Key::from(&b"a"[..])));
    /// ```
    #[must_use]
    pub fn start(&self) -> &Bound<Key> {
        &self.start
    }

    /// Where the range ends.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Key, KeyRange};
    /// use std::ops::Bound;
    /// assert_eq!(KeyRange::prefix(b"a").end(), &Bound::Excluded(Key::from(&b"b"[..])));
    /// ```
    #[must_use]
    pub fn end(&self) -> &Bound<Key> {
        &self.end
    }
}

impl RangeBounds<[u8]> for &KeyRange {
    fn start_bound(&self) -> Bound<&[u8]> {
        self.start.as_ref().map(|key| &**key)
    }

    fn end_bound(&self) -> Bound<&[u8]> {
        self.end.as_ref().map(|key| &**key)
    }
}

/// The bound behind every key that begins with `prefix`.
fn after_prefix(prefix: &[u8]) -> Bound<Key> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return Bound::Excluded(Key::from(end));
        }
    }
    Bound::Unbounded
}

/// Orders start bounds by the first key they let in.
fn cmp_starts(a: &Bound<Key>, b: &Bound<Key>) -> Ordering {
    match (a, b) {
        _ if a == b => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) if a != b => a.cmp(b),
        (Bound::Included(_), _) => Ordering::Less,
        (Bound::Excluded(_), _) => Ordering::Greater,
    }
}

/// Orders end bounds by the last key they let in.
fn cmp_ends(a: &Bound<Key>, b: &Bound<Key>) -> Ordering {
    match (a, b) {
        _ if a == b => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) if a != b => a.cmp(b),
        (Bound::Included(_), _) => Ordering::Greater,
        (Bound::Excluded(_), _) => Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xfe), Just(0xff)], 0..4)
    }

    fn bound() -> impl Strategy<Value = Bound<Key>> {
        prop_oneof![
            Just(Bound::Unbounded),
            key().prop_map(|k| Bound::Included(Key::from(k))),
            key().prop_map(|k| Bound::Excluded(Key::from(k))),
        ]
    }

    proptest! {
        #[test]
        fn prefix_holds_exactly_the_keys_that_begin_with_it(prefix in key(), probe in key()) {
            prop_assert_eq!(KeyRange::prefix(&prefix).contains(&probe), probe.starts_with(&prefix));
        }

        #[test]
        fn what_is_said_to_be_a_prefix_is_one(start in bound(), end in bound(), prefix in key(), probe in key()) {
            let range = KeyRange::new(start, end);
            if let Some(prefix) = range.as_prefix() {
                prop_assert_eq!(range.contains(&probe), probe.starts_with(prefix));
            }
            let range = KeyRange::prefix(&prefix);
            prop_assert_eq!(range.as_prefix().is_some(), prefix.last().is_some_and(|last| *last < 0xff));
        }

        #[test]
        fn clamp_is_intersection(a in bound(), b in bound(), c in bound(), d in bound(), probe in key()) {
            let (one, two) = (KeyRange::new(a, b), KeyRange::new(c.clone(), d.clone()));
            let both = one.contains(&probe) && two.contains(&probe);
            prop_assert_eq!(one.clamp(c, d).contains(&probe), both);
        }

        #[test]
        fn an_empty_range_holds_nothing(a in bound(), b in bound(), probe in key()) {
            let range = KeyRange::new(a, b);
            prop_assert!(!(range.is_empty() && range.contains(&probe)));
        }
    }
}
