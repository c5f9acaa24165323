//! The heads of keys that agree for long, as those of a partition's rows do: what tells them apart comes late.
//!
//! The entries of a leaf whose heads have the same first half are a *family*. As a rule their heads are the eight bytes of the keys after
//! the first `skip`, as those of all others. When all of a family of many would be equal, they become *late*: their second halves are the
//! four bytes after all that the keys of the family share. They are sorted as before, within the family and beside others.
//! A search touches three entries of a family, two of them at once, where it would touch six of a hundred by halves.
//!
//! # Cost
//! An insertion into a family costs no more than one elsewhere where the new key shares as much; else, and where the first or the last
//! is removed and the rest share more, every key of the family is looked at.
//!
//! # Invariants
//! 1. All heads of a family are late, or none is.
//! 2. Late heads are those of what the first and the last key of the family share.

use std::cmp::Ordering;
use std::ops::Range;

use crate::engine::tree::heads::{common, count_below, head, partition_point, side};
use crate::engine::tree::leaf::Leaf;

/// Bits of half a head.
const HALF: u32 = u32::BITS;

/// How many a family has before it is worth while to give it late heads: fewer are as soon found by halves.
const LATE_MIN: usize = 16;

/// Where a key belongs that is not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) at: usize,
    /// What the heads around it say, if they are late and the key shares as much as theirs do.
    late: Option<Late>,
}

/// The late head of a key, and how many bytes it shares with its family.
#[derive(Clone, Copy, Debug)]
struct Late {
    head: u64,
    shared: usize,
}

impl Gap {
    #[inline]
    pub(super) fn at(at: usize) -> Self {
        Self { at, late: None }
    }
}

/// Whether entries with these heads are of one family.
#[inline]
pub(super) fn is_family(one: u64, other: u64) -> bool {
    one >> HALF == other >> HALF
}

/// The late head of `key` in a family of `head`, whose keys share `shared` bytes.
#[inline]
fn late_head(family: u64, key: &[u8], shared: usize) -> u64 {
    (family >> HALF << HALF) | (head(key, shared) >> HALF)
}

impl<const N: usize> Leaf<N> {
    /// Whether the head of the entry at `at` is late.
    #[inline]
    pub(super) fn is_late(&self, at: usize) -> bool {
        self.late >> at & 1 == 1
    }

    /// The places of the family of `head`, if their heads are late.
    #[inline]
    pub(super) fn late_family(&self, head: u64) -> Option<Range<usize>> {
        let half = head >> HALF;
        let start = count_below(&self.heads, half << HALF);
        if start >= self.len || self.heads[start] >> HALF != half || !self.is_late(start) {
            return None;
        }
        Some(start..partition_point(start + 1..self.len, |place| self.heads[place] >> HALF == half))
    }

    /// The places of the family of the entry at `at`.
    #[inline]
    pub(super) fn family(&self, at: usize) -> Range<usize> {
        let half = self.heads[at] >> HALF;
        let start = partition_point(0..at, |place| self.heads[place] >> HALF < half);
        start..partition_point(at + 1..self.len, |place| self.heads[place] >> HALF == half)
    }

    /// The place of `key` in a family with late heads: where it is, or where it belongs.
    #[inline(never)]
    pub(super) fn search_family(&self, family: Range<usize>, key: &[u8]) -> Result<usize, Gap> {
        let shared = self.shared(&family);
        let head = late_head(self.heads[family.start], key, shared);
        let start = partition_point(family.start..family.end, |place| self.heads[place] < head);
        // Seldom more than one.
        let end = (start..family.end).find(|place| self.heads[*place] != head).unwrap_or(family.end);
        let at = partition_point(start..end, |place| self.key(place) < key);
        if at < end && self.key(at) == key {
            return Ok(at);
        }
        // That it shares as much was taken for granted.
        Err(match side(key, &self.key(family.start)[..shared], self.skip) {
            Ordering::Less => Gap::at(family.start),
            Ordering::Equal => Gap { at, late: Some(Late { head, shared }) },
            Ordering::Greater => Gap::at(family.end),
        })
    }

    /// The place after every other, if `key`, which is of the family of the last entry, shares as much with it as all of them do, and
    /// comes after it.
    #[inline]
    pub(super) fn gap_behind_family(&self, head: u64, key: &[u8]) -> Option<Gap> {
        let (at, shared) = (self.len, self.shared_at_end);
        let (last, last_head) = (self.key(at - 1), self.heads[at - 1]);
        if shared == 0 || key.get(..shared)? != &last[..shared] {
            return None;
        }
        let head = late_head(head, key, shared);
        let is_behind = last_head < head || (last_head == head && last < key);
        is_behind.then_some(Gap { at, late: Some(Late { head, shared }) })
    }

    /// How many bytes the keys of a family share.
    #[inline]
    fn shared(&self, family: &Range<usize>) -> usize {
        common(self.key(family.start), self.key(family.end - 1))
    }

    /// What the head of the entry at `at` is by its key.
    pub(super) fn head_at(&self, at: usize) -> u64 {
        let head = head(self.key(at), self.skip);
        if self.is_late(at) { late_head(head, self.key(at), self.shared(&self.family(at))) } else { head }
    }

    /// Whether what is known of the family of the last entry is so.
    pub(super) fn knows_end(&self) -> bool {
        let Some(last) = self.len.checked_sub(1).filter(|_| self.shared_at_end > 0) else {
            return self.shared_at_end == 0;
        };
        self.is_late(last) && self.shared(&self.family(last)) == self.shared_at_end
    }

    /// Makes room for the head of an entry that is in `gap` now, and sets it.
    #[inline]
    pub(super) fn insert_head(&mut self, gap: Gap, key: &[u8]) {
        let at = gap.at;
        if at + 1 == self.len {
            self.shared_at_end = gap.late.map_or(0, |late| late.shared);
        } else {
            self.heads.copy_within(at..self.len - 1, at + 1);
            if self.late != 0 {
                let below = (1 << at) - 1;
                self.late = (self.late & below) | ((self.late & !below) << 1);
            }
        }
        if let Some(Late { head, .. }) = gap.late {
            // It does not share more with the first or the last of them: those are farther from each other than it is from them.
            self.late |= 1 << at;
            self.heads[at] = head;
        } else {
            self.heads[at] = head(key, self.skip);
            self.join_family(at);
        }
    }

    /// Has the family of a new entry get other heads, if they are late, or should be.
    #[inline]
    fn join_family(&mut self, at: usize) {
        let head = self.heads[at];
        let neighbours = [at.checked_sub(1), (at + 1 < self.len).then_some(at + 1)].into_iter().flatten();
        let (mut are_late, mut is_equal) = (false, false);
        for relative in neighbours.filter(|place| is_family(self.heads[*place], head)) {
            are_late |= self.is_late(relative);
            is_equal |= self.heads[relative] == head;
        }
        if are_late || is_equal {
            self.renew_family(at, are_late);
        }
    }

    /// Gives the family of the entry at `at`, whose heads are late or not, those that it should have.
    pub(super) fn renew_family(&mut self, at: usize, are_late: bool) {
        let family = self.family(at);
        let plain_head = |place| if are_late { head(self.key(place), self.skip) } else { self.heads[place] };
        if family.len() >= LATE_MIN && plain_head(family.start) == plain_head(family.end - 1) {
            self.make_late(family);
        } else if are_late {
            self.make_plain(family);
        }
    }

    /// Takes out the head of the entry at `at`, which is about to go.
    pub(super) fn remove_head(&mut self, at: usize) {
        self.shared_at_end = 0;
        let family = self.is_late(at).then(|| self.family(at));
        if let Some(family) = family {
            self.remove_from_family(at, family);
        }
        self.heads.copy_within(at + 1..self.len, at);
        self.heads[self.len - 1] = u64::MAX;
        if self.late != 0 {
            let below = (1 << at) - 1;
            self.late = (self.late & below) | (self.late >> 1 & !below);
        }
    }

    /// Renews the late heads of a family that shares more without the entry at `at`.
    fn remove_from_family(&mut self, at: usize, family: Range<usize>) {
        let others = match at {
            _ if at == family.start => at + 1..family.end,
            _ if at + 1 == family.end => family.start..at,
            // What was between others does not change what they share.
            _ => return,
        };
        match others.len() {
            0 => {}
            1..LATE_MIN => self.make_plain(others),
            _ if self.shared(&others) == self.shared(&family) => {}
            _ => self.make_late(others),
        }
    }

    /// Gives all of a family late heads.
    fn make_late(&mut self, family: Range<usize>) {
        let shared = self.shared(&family);
        if family.end == self.len {
            self.shared_at_end = shared;
        }
        for place in family {
            self.late |= 1 << place;
            self.heads[place] = late_head(self.heads[place], self.key(place), shared);
        }
    }

    /// Gives none of a family late heads.
    fn make_plain(&mut self, family: Range<usize>) {
        if family.end == self.len {
            self.shared_at_end = 0;
        }
        for place in family {
            self.late &= !(1 << place);
            self.heads[place] = head(self.key(place), self.skip);
        }
    }

    /// Takes the heads of all entries from their keys.
    pub(super) fn renew_heads(&mut self) {
        (self.late, self.shared_at_end) = (0, 0);
        for at in 0..self.len {
            self.heads[at] = head(self.key(at), self.skip);
        }
        self.heads[self.len..].fill(u64::MAX);
        let mut start = 0;
        while let Some(of) = self.heads[..self.len].get(start) {
            let end = start + self.heads[start..self.len].iter().take_while(|head| is_family(**head, *of)).count();
            if end - start >= LATE_MIN && self.heads[start] == self.heads[end - 1] {
                self.make_late(start..end);
            }
            start = end;
        }
    }
}
