//! The heads of keys that agree for long, as those of a partition's rows do: what tells them apart comes late.
//!
//! The entries of a leaf whose heads have the same first half are a *family*. As a rule their heads are the eight bytes of the keys after
//! the first `skip`, as those of all others. When all of a family of many would be equal, they become *late*: their second halves are the
//! four bytes after all that the keys of the family share. They are sorted as before, within the family and beside others.
//! How many bytes each family shares is kept, so that a search touches one entry, where it would touch six of a hundred by halves.
//!
//! # Cost
//! An insertion into a family costs no more than one elsewhere where the new key shares as much; else, and where the first or the last
//! is removed and the rest share more, every key of the family is looked at.
//!
//! # Invariants
//! 1. All heads of a family are late, or none is.
//! 2. Late heads are those of what the first and the last key of the family share, and [`Lates`] has how many bytes these are, in the
//!    order of the families.
//! 3. A family with late heads has at least [`LATE_MIN`] entries, so that there is room for what each of them shares.

use std::cmp::Ordering;
use std::ops::Range;

use crate::engine::tree::heads::{count_below, head, partition_point};
use crate::engine::tree::leaf::Leaf;

/// Bits of half a head.
const HALF: u32 = u32::BITS;

/// How many a family has before it is worth while to give it late heads: fewer are as soon found by halves.
const LATE_MIN: usize = 16;

/// How many families with late heads a leaf may have.
const FAMILIES_MAX: usize = u128::BITS as usize / LATE_MIN;

/// Which heads of a leaf are late. Bits are in the order of the places.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lates {
    /// A bit for each entry whose head is late: its first half is that of all keys of its family, and its second half the four bytes
    /// after all that these share.
    entries: u128,
    /// A bit for the first entry of each family with late heads.
    firsts: u128,
    /// How many bytes the keys of each of these families share.
    shared: [u16; FAMILIES_MAX],
}

impl Lates {
    /// The number of the family that begins at `first` or is the next to begin.
    #[inline]
    fn number(&self, first: usize) -> usize {
        (self.firsts & below(first)).count_ones() as usize
    }

    /// Has a family with late heads, which may be there in part, share so many bytes.
    fn set(&mut self, family: &Range<usize>, shared: u16) {
        let (number, bits) = (self.number(family.start), bits_of(family));
        if self.firsts & bits == 0 {
            self.shared[number..].rotate_right(1);
        }
        self.shared[number] = shared;
        self.entries |= bits;
        self.firsts = self.firsts & !bits | 1 << family.start;
    }

    /// Has a family no late heads.
    fn clear(&mut self, family: &Range<usize>) {
        let (number, bits) = (self.number(family.start), bits_of(family));
        if self.firsts & bits != 0 {
            self.shared[number..].rotate_left(1);
        }
        self.entries &= !bits;
        self.firsts &= !bits;
    }

    /// Makes room for an entry at `at` whose head is late, or not.
    #[inline]
    fn insert(&mut self, at: usize, is_late: bool, is_first: bool) {
        let insert = |bits: u128, bit: bool| bits & below(at) | u128::from(bit) << at | (bits & !below(at)) << 1;
        self.entries = insert(self.entries, is_late);
        self.firsts = insert(self.firsts, false);
        if is_first {
            self.firsts ^= 3 << at;
        }
    }

    /// Takes out the entry at `at`, which is not the first of a family.
    #[inline]
    fn remove(&mut self, at: usize) {
        let remove = |bits: u128| bits & below(at) | bits >> 1 & !below(at);
        (self.entries, self.firsts) = (remove(self.entries), remove(self.firsts));
    }

    /// Splits off those from `middle` on. What was cut there begins no family yet.
    pub(super) fn split_off(&mut self, middle: usize) -> Self {
        let mut right = Self { entries: self.entries >> middle, firsts: self.firsts >> middle, ..Self::default() };
        let number = self.number(middle);
        right.shared[..FAMILIES_MAX - number].copy_from_slice(&self.shared[number..]);
        (self.entries, self.firsts) = (self.entries & below(middle), self.firsts & below(middle));
        right
    }
}

/// The bits of all places below `at`.
#[inline]
fn below(at: usize) -> u128 {
    (1 << at) - 1
}

/// The bits of places.
fn bits_of(places: &Range<usize>) -> u128 {
    below(places.start) ^ u128::MAX >> (u128::BITS as usize - places.end)
}

/// Where a key belongs that is not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) at: usize,
    /// The late head of the key, if the heads around it are late and the key shares as much as theirs do.
    late: Option<u64>,
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

/// The late head of a key in the family of a head; `late` are the eight bytes of it behind all that the keys of the family share.
#[inline]
fn late_head(family: u64, late: u64) -> u64 {
    (family >> HALF << HALF) | (late >> HALF)
}

impl<const N: usize> Leaf<N> {
    /// Whether any heads are late.
    #[inline]
    pub(super) fn has_late(&self) -> bool {
        self.lates.entries != 0
    }

    /// Whether the head of the entry at `at` is late.
    #[inline]
    pub(super) fn is_late(&self, at: usize) -> bool {
        self.lates.entries >> at & 1 == 1
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
        let shared = usize::from(self.lates.shared[self.lates.number(family.start)]);
        let head = late_head(self.heads[family.start], head(key, shared));
        let start = partition_point(family.start..family.end, |place| self.heads[place] < head);
        // Seldom more than one.
        let end = (start..family.end).find(|place| self.heads[*place] != head).unwrap_or(family.end);
        let at = match self.search_between(start..end, key) {
            Ok(at) => return Ok(at),
            Err(at) => at,
        };
        // That it shares as much was taken for granted.
        Err(match self.key(at.min(family.end - 1)).side(key, shared, self.skip) {
            Ordering::Less => Gap::at(family.start),
            Ordering::Equal => Gap { at, late: Some(head) },
            Ordering::Greater => Gap::at(family.end),
        })
    }

    /// The place after every other, if `key`, which is of the family of the last entry, shares as much with it as all of them do, and
    /// comes after it.
    #[inline]
    pub(super) fn gap_behind_family(&self, plain: u64, key: &[u8]) -> Option<Gap> {
        let at = self.len;
        let (last, last_head) = (self.key(at - 1), self.heads[at - 1]);
        let number = self.lates.firsts.count_ones() as usize - 1;
        let shared = usize::from(self.lates.shared[number]);
        if last.side(key, shared, 0).is_ne() {
            return None;
        }
        let head = late_head(plain, head(key, shared));
        let is_behind = last_head < head || (last_head == head && last.compare(key, shared).is_lt());
        is_behind.then_some(Gap { at, late: Some(head) })
    }

    /// How many bytes the keys of a family share.
    #[inline]
    fn shared(&self, family: &Range<usize>) -> usize {
        self.key(family.start).common(self.key(family.end - 1))
    }

    /// What the head of the entry at `at` is by its key.
    pub(super) fn head_at(&self, at: usize) -> u64 {
        let (key, head) = (self.key(at), self.key(at).head(self.skip));
        if self.is_late(at) { late_head(head, key.head(self.shared(&self.family(at)))) } else { head }
    }

    /// Whether what is known of families with late heads is so.
    pub(super) fn knows_families(&self) -> bool {
        let (mut at, mut number) = (0, 0);
        while at < self.len {
            let family = self.family(at);
            if self.is_late(at) {
                let is_first = self.lates.firsts & bits_of(&family) == 1 << at;
                if !is_first
                    || family.len() < LATE_MIN
                    || usize::from(self.lates.shared[number]) != self.shared(&family)
                {
                    return false;
                }
                number += 1;
            }
            at = family.end;
        }
        self.lates.firsts.count_ones() as usize == number
    }

    /// Makes room for the head of an entry that is in `gap` now, and sets it.
    #[inline]
    pub(super) fn insert_head(&mut self, gap: Gap, key: &[u8]) {
        let (at, is_last) = (gap.at, gap.at + 1 == self.len);
        if !is_last {
            self.heads.copy_within(at..self.len - 1, at + 1);
        }
        match gap.late {
            // It does not share more with the first or the last of them: those are farther from each other than it is from them.
            Some(late) if is_last => {
                self.lates.entries |= 1 << at;
                self.heads[at] = late;
            }
            Some(late) => {
                let is_first = self.lates.firsts >> at & 1 == 1 && is_family(self.heads[at], late);
                self.lates.insert(at, true, is_first);
                self.heads[at] = late;
            }
            None => {
                if !is_last && self.has_late() {
                    self.lates.insert(at, false, false);
                }
                self.heads[at] = head(key, self.skip);
                self.join_family(at);
            }
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
        let plain_head = |place| if are_late { self.key(place).head(self.skip) } else { self.heads[place] };
        if family.len() >= LATE_MIN && plain_head(family.start) == plain_head(family.end - 1) {
            self.make_late(family);
        } else if are_late {
            self.make_plain(family);
        }
    }

    /// Takes out the head of the entry at `at`, which is about to go.
    pub(super) fn remove_head(&mut self, at: usize) {
        if self.is_late(at) {
            self.remove_from_family(at, self.family(at));
        }
        self.heads.copy_within(at + 1..self.len, at);
        self.heads[self.len - 1] = u64::MAX;
        self.lates.remove(at);
    }

    /// Renews the late heads of a family that shares more without the entry at `at`.
    fn remove_from_family(&mut self, at: usize, family: Range<usize>) {
        if family.len() <= LATE_MIN {
            return self.make_plain(family);
        }
        if at == family.start {
            self.lates.firsts ^= 3 << at;
        }
        let others = match at {
            _ if at == family.start => at + 1..family.end,
            _ if at + 1 == family.end => family.start..at,
            // What was between others does not change what they share.
            _ => return,
        };
        if self.shared(&others) != self.shared(&family) {
            self.make_late(others);
        }
    }

    /// Gives all of a family late heads, if it shares no more than is counted.
    fn make_late(&mut self, family: Range<usize>) {
        let shared = self.shared(&family);
        let Ok(counted) = u16::try_from(shared) else { return self.make_plain(family) };
        self.lates.set(&family, counted);
        for place in family {
            self.heads[place] = late_head(self.heads[place], self.key(place).head(shared));
        }
    }

    /// Gives none of a family late heads.
    fn make_plain(&mut self, family: Range<usize>) {
        self.lates.clear(&family);
        for place in family {
            self.heads[place] = self.key(place).head(self.skip);
        }
    }

    /// Takes the heads of all entries from their keys.
    pub(super) fn renew_heads(&mut self) {
        self.lates = Lates::default();
        for at in 0..self.len {
            self.heads[at] = self.key(at).head(self.skip);
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
