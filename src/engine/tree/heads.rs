//! The first bytes that distinguish keys, as numbers: what a search looks at before it touches a key.

use std::cmp::Ordering;

/// Bytes of a head.
pub(in crate::engine) const HEAD_BYTES: usize = 8;

/// Compared in one go when a block of heads is searched.
const STRIDE: usize = 8;

/// A run of equal heads that is looked for one by one; where keys differ late, runs are long.
const SHORT_RUN: usize = 4;

/// The eight bytes of `key` after the first `skip`, as a number whose order is theirs. Missing bytes are zero, so that a
/// key may have the head of a longer one.
#[inline]
pub(in crate::engine) fn head(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    rest.iter().fold(0, |head, byte| (head << 8) | u64::from(*byte)) << (8 * (8 - rest.len()) % 64)
}

/// How many of `heads` are below `head`. They are sorted, and those not in use are `u64::MAX`.
///
/// Looks at every eighth first, then at the block that holds the place; no branch depends on the data.
#[inline]
pub(super) fn count_below<const N: usize>(heads: &[u64; N], head: u64) -> usize {
    let (blocks, rest) = heads.as_chunks::<STRIDE>();
    let before = if N == STRIDE * STRIDE { begin_below_by_halves(blocks, head) } else { begin_below(blocks, head) };
    let Some(last) = before.checked_sub(1) else {
        return if blocks.is_empty() { below(rest, head) } else { 0 };
    };
    let in_block = blocks.get(last).map_or(0, |block| below(block, head));
    let in_rest = if before == blocks.len() { below(rest, head) } else { 0 };
    last * STRIDE + in_block + in_rest
}

/// How many blocks begin below `head`. All of them are looked at, so that what is not in the cache is waited for at once: leaves
/// seldom are.
#[inline]
fn begin_below(blocks: &[[u64; STRIDE]], head: u64) -> usize {
    // The last block that begins below, and not how many do: that is the same, and half of the instructions of a count, which the
    // compiler makes of sixteen bits.
    let begins_below = |before, (at, block): (usize, &[u64; STRIDE])| if block[0] < head { at + 1 } else { before };
    blocks.iter().enumerate().fold(0, begins_below)
}

/// The same of eight blocks by halves, a quarter of the instructions: for inner nodes, which are in the cache.
#[inline]
fn begin_below_by_halves(blocks: &[[u64; STRIDE]], head: u64) -> usize {
    let begins_below = |at: usize| blocks.get(at).is_some_and(|block| block[0] < head);
    let mut before = 0;
    for step in [4, 2, 1] {
        before += step * usize::from(begins_below(before + step - 1));
    }
    before + usize::from(begins_below(before))
}

#[inline]
fn below(heads: &[u64], head: u64) -> usize {
    heads.iter().map(|other| usize::from(*other < head)).sum()
}

/// Where the run of heads that equal `head` ends, which begins at `at`, among the first `len`.
#[inline]
pub(super) fn end_of_run<const N: usize>(heads: &[u64; N], at: usize, len: usize, head: u64) -> usize {
    let run = heads.iter().take(len).skip(at).take(SHORT_RUN).take_while(|other| **other == head).count();
    match head.checked_add(1) {
        _ if run < SHORT_RUN => at + run,
        Some(next) => count_below(heads, next),
        None => len,
    }
}

/// How many bytes two keys share at their start.
pub(in crate::engine) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
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

/// The shortest key that is above `left` and not above `right`.
pub(super) fn separator<'a>(left: &[u8], right: &'a [u8]) -> &'a [u8] {
    right.get(..=common(left, right)).unwrap_or(right)
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

    fn counted<const N: usize>(mut values: Vec<u64>, head: u64) -> (usize, usize) {
        values.sort_unstable();
        let mut heads = [u64::MAX; N];
        heads.iter_mut().zip(&values).for_each(|(to, from)| *to = *from);
        (count_below(&heads, head), heads.iter().filter(|other| **other < head).count())
    }

    proptest! {
        #[test]
        fn heads_are_counted_in_nodes_of_any_width(values in prop::collection::vec(0u64..40, 0..128), head in 0u64..41) {
            let (few, wide) = (counted::<5>(values.clone(), head), counted::<128>(values.clone(), head));
            let inner = counted::<64>(values, head);
            prop_assert_eq!((few.0, inner.0, wide.0), (few.1, inner.1, wide.1));
        }
    }
}
