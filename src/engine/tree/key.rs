//! The key of an entry as a leaf has it: what it shares with others of the leaf, and the rest.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::engine::tree::heads::{HEAD_BYTES, common, head, side};

/// A key in two parts.
///
/// # Cost
/// Comparing it with a key in one part costs a comparison more where it has a stem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeKey<'a> {
    /// The number of its stem in its leaf; 0 if it has none.
    pub(super) number: usize,
    /// What it begins with, as other keys of its leaf do. Often empty.
    pub(super) stem: &'a [u8],
    /// All that comes after that.
    pub(super) rest: &'a [u8],
}

impl<'a> TreeKey<'a> {
    /// The key in one part.
    pub(in crate::engine) fn whole(self) -> Cow<'a, [u8]> {
        if self.stem.is_empty() { Cow::Borrowed(self.rest) } else { Cow::Owned([self.stem, self.rest].concat()) }
    }

    /// How it compares with `key`, the first `sure` bytes of which are known to be the same.
    #[inline]
    pub(super) fn compare(self, key: &[u8], sure: usize) -> Ordering {
        let stem = self.stem.len();
        if stem > sure {
            let own = self.stem.get(sure..).unwrap_or_default();
            let other = key.get(sure..stem.min(key.len())).unwrap_or_default();
            match own.cmp(other) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        self.rest.cmp(key.get(stem..).unwrap_or_default())
    }

    /// On which side of the keys that begin with its first `end` bytes a `key` is, the first `sure` bytes of which are known to be the same.
    #[inline]
    pub(super) fn side(self, key: &[u8], end: usize, sure: usize) -> Ordering {
        let stem = self.stem.len();
        let by_stem = side(key, self.stem.get(..end).unwrap_or(self.stem), sure);
        let rest = self.rest.get(..end.saturating_sub(stem)).unwrap_or_default();
        by_stem.then_with(|| side(key.get(stem..).unwrap_or_default(), rest, sure.saturating_sub(stem)))
    }

    /// How many bytes both keys share at their start.
    pub(super) fn common(self, other: Self) -> usize {
        let (short, long) = if self.stem.len() <= other.stem.len() { (self, other) } else { (other, self) };
        let stem = common(short.stem, long.stem);
        if stem < short.stem.len() {
            return stem;
        }
        let behind = long.stem.get(stem..).unwrap_or_default();
        let middle = common(short.rest, behind);
        if middle < behind.len() {
            return stem + middle;
        }
        stem + middle + common(short.rest.get(middle..).unwrap_or_default(), long.rest)
    }

    /// Its head, as [`head`] has it for a key in one part.
    #[inline]
    pub(super) fn head(self, skip: usize) -> u64 {
        let stem = self.stem.len();
        if skip >= stem {
            head(self.rest, skip - stem)
        } else if stem - skip >= HEAD_BYTES {
            head(self.stem, skip)
        } else {
            let of_stem = head(self.stem, skip);
            of_stem | head(self.rest, 0) >> (8 * (stem - skip))
        }
    }

    /// Its first `count` bytes, or all.
    pub(super) fn first(self, count: usize) -> Vec<u8> {
        let mut first = self.stem.get(..count).unwrap_or(self.stem).to_vec();
        first.extend_from_slice(self.rest.get(..count - first.len()).unwrap_or(self.rest));
        first
    }
}

/// The shortest key that is above `left` and not above `right`.
pub(super) fn separator(left: TreeKey<'_>, right: TreeKey<'_>) -> Vec<u8> {
    right.first(left.common(right) + 1)
}

impl<'a> From<&'a [u8]> for TreeKey<'a> {
    fn from(key: &'a [u8]) -> Self {
        Self { number: 0, stem: &[], rest: key }
    }
}
