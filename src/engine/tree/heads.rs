//! The first bytes that distinguish keys, as numbers: what a search looks at before it touches a key.

use std::cmp::Ordering;
use std::ops::Range;

/// Bytes of a head.
pub(in crate::engine) const HEAD_BYTES: usize = 8;

/// Heads in a line of the cache, which is compared in one go.
const HEADS_OF_LINE: usize = 8;

/// Lines of the heads of an inner node of a store.
const LINES_OF_INNER: usize = 8;

/// The eight bytes of `key` after the first `skip`, as a number whose order is theirs. Missing bytes are zero, so that a
/// key may have the head of a longer one.
#[inline]
pub(in crate::engine) fn head(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    if rest.is_empty() {
        return 0;
    }
    let missing = 8 * (HEAD_BYTES - rest.len());
    match key.last_chunk() {
        // What comes before the rest is moved out.
        Some(bytes) => u64::from_be_bytes(*bytes) << missing,
        None => rest.iter().fold(0, |head, byte| (head << 8) | u64::from(*byte)) << missing,
    }
}

/// How many of `heads` are below `head`. They are sorted, and those not in use are the largest there are.
///
/// Looks at the first of each line of the cache, and at all of those so that what is not there is waited for at once: leaves seldom
/// are. Then at the line that holds the place; no branch depends on the data.
#[inline]
pub(super) fn count_below<const N: usize>(heads: &[u64; N], head: u64) -> usize {
    let (lines, rest) = heads.as_chunks::<HEADS_OF_LINE>();
    // The last line that begins below, and not how many do: that is the same, and half of the instructions of a count, which the
    // compiler makes of sixteen bits.
    let begins_below =
        |before, (at, line): (usize, &[u64; HEADS_OF_LINE])| if line[0] < head { at + 1 } else { before };
    let before = lines.iter().enumerate().fold(0, begins_below);
    before_and_in_line(lines, rest, before, head)
}

/// The same of an inner node, which is in the cache, so that its lines are searched by halves: a quarter of the instructions.
#[inline]
pub(super) fn count_separators_below<const N: usize>(heads: &[u64; N], head: u64) -> usize {
    let (lines, rest) = heads.as_chunks::<HEADS_OF_LINE>();
    if lines.len() != LINES_OF_INNER {
        return count_below(heads, head);
    }
    let begins_below = |at: usize| usize::from(lines.get(at).is_some_and(|line| line[0] < head));
    let mut before = 0;
    for half in [LINES_OF_INNER / 2, LINES_OF_INNER / 4, 1] {
        before += half * begins_below(before + half - 1);
    }
    before_and_in_line(lines, rest, before + begins_below(before), head)
}

/// How many heads are below `head` where so many lines begin below it.
#[inline]
fn before_and_in_line(lines: &[[u64; HEADS_OF_LINE]], rest: &[u64], before: usize, head: u64) -> usize {
    let below = |heads: &[u64]| heads.iter().map(|other| usize::from(*other < head)).sum::<usize>();
    let Some(last) = before.checked_sub(1) else {
        return if lines.is_empty() { below(rest) } else { 0 };
    };
    let in_line = lines.get(last).map_or(0, |line| below(line));
    let in_rest = if before == lines.len() { below(rest) } else { 0 };
    last * HEADS_OF_LINE + in_line + in_rest
}

/// The first of `places` for which `is_before` does not hold; the places for which it does come first.
#[inline]
pub(super) fn partition_point(places: Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = places;
    while start < end {
        let middle = start.midpoint(end);
        if is_before(middle) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

/// How many bytes two keys share at their start.
#[inline]
pub(in crate::engine) fn common(a: &[u8], b: &[u8]) -> usize {
    let (words_of_a, words_of_b) = (a.as_chunks::<HEAD_BYTES>().0, b.as_chunks::<HEAD_BYTES>().0);
    let differ = words_of_a.iter().zip(words_of_b).position(|(a, b)| a != b);
    let same = HEAD_BYTES * differ.unwrap_or(words_of_a.len().min(words_of_b.len()));
    let rests = a.iter().zip(b).skip(same);
    same + rests.take_while(|(a, b)| a == b).count()
}

/// How many bytes heads leave out where all keys share `shared` bytes, of which `sure` are shared by every key that may come.
///
/// Only the sure ones need not be compared with a key that is searched for; more are left out where heads would all be equal.
pub(super) fn left_out(sure: usize, shared: usize) -> usize {
    if shared >= sure + HEAD_BYTES { shared } else { sure }
}

/// On which side of the keys that share `prefix` up to its end a `key` is, from the byte `sure` on.
#[inline]
pub(super) fn side(key: &[u8], prefix: &[u8], sure: usize) -> Ordering {
    let start = key.get(sure..prefix.len().min(key.len())).unwrap_or_default();
    start.cmp(prefix.get(sure..).unwrap_or_default())
}

/// The keys a node may hold: from `lower` on, and below `upper`, where there are such.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<'a> {
    pub(super) lower: Option<&'a [u8]>,
    pub(super) upper: Option<&'a [u8]>,
}

impl<'a> Bounds<'a> {
    pub(super) const ALL: Self = Self { lower: None, upper: None };

    /// Bytes that every key between the bounds begins with.
    pub(super) fn shared(self) -> usize {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => common(lower, upper),
            _ => 0,
        }
    }

    /// The part below `separator`.
    pub(super) fn below<'b>(self, separator: &'b [u8]) -> Bounds<'b>
    where
        'a: 'b,
    {
        Bounds { lower: self.lower, upper: Some(separator) }
    }

    /// The part from `separator` on.
    pub(super) fn above<'b>(self, separator: &'b [u8]) -> Bounds<'b>
    where
        'a: 'b,
    {
        Bounds { lower: Some(separator), upper: self.upper }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted<const N: usize>(mut values: Vec<u64>, head: u64) -> [usize; 3] {
        values.sort_unstable();
        let mut heads = [u64::MAX; N];
        heads.iter_mut().zip(&values).for_each(|(to, from)| *to = *from);
        let expected = heads.iter().filter(|other| **other < head).count();
        [count_below(&heads, head), count_separators_below(&heads, head), expected]
    }

    proptest! {
        #[test]
        fn heads_are_counted_in_nodes_of_any_width(values in prop::collection::vec(0u64..40, 0..128), head in 0u64..41) {
            let all = || values.clone();
            for [leaf, inner, expected] in [counted::<5>(all(), head), counted::<20>(all(), head), counted::<64>(all(), head), counted::<128>(all(), head)] {
                prop_assert_eq!([leaf, inner], [expected; 2]);
            }
        }

        #[test]
        fn what_keys_share_is_counted(start in prop::collection::vec(0u8..2, 0..40), a in prop::collection::vec(0u8..2, 0..12), b in prop::collection::vec(0u8..2, 0..12)) {
            let (a, b) = ([&*start, &*a].concat(), [&*start, &*b].concat());
            prop_assert_eq!(common(&a, &b), a.iter().zip(&b).take_while(|(a, b)| a == b).count());
        }
    }
}
