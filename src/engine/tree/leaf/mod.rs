//! A leaf: entries packed in two buffers, and for each entry its head and where it is.
//!
//! `base` holds entries as they were when the leaf was last rewritten, in order; two versions of a leaf share it. `tail` holds
//! what has come since, in the order it came. A change of an entry leaves its old bytes behind as garbage until the
//! leaf is rewritten.
//!
//! What many keys begin with is stored once, before the entries of `base`, and called a stem ([`stems`]); [`entry`] has how an entry lies
//! in the buffers.

#![expect(
    clippy::indexing_slicing,
    reason = "places come from searches of the same node, and its arrays have room for them"
)]

mod entry;
mod family;
mod stems;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::engine::tree::heads::{Bounds, common, count_below, head, partition_point};
use crate::engine::tree::key::{TreeKey, separator};
use crate::engine::tree::{Found, Stored};
use entry::{HEADER_BYTES_MAX, Header, STEMS_MAX, Word, low, push_header, set_beside};
use family::{Gap, Lates, is_family};

/// Values above this are kept beside the leaf, in bytes.
pub(in crate::engine) const INLINE_VALUE_BYTES_MAX: usize = 1 << 10;

/// Bytes that `tail` takes before the leaf is rewritten.
const TAIL_BYTES: usize = 4096;

/// By how many bytes `tail` grows.
const TAIL_STEP: usize = 512;

/// Copying this many bytes of `base` costs about as much as putting an entry behind it and gathering it later.
const BASE_BYTES_PER_CHANGE: usize = 1_500;

/// Bytes of entries a leaf has before it is split, however few they are.
const LEAF_BYTES_MAX: usize = 64 << 10;

/// How many entries in order are taken for a run that goes on: by chance there are two or three.
const RUN_MIN: usize = 8;

thread_local! {
    /// Where entries are gathered for a new `base`.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Up to `N` entries.
#[derive(Debug)]
pub(crate) struct Leaf<const N: usize> {
    len: usize,
    /// Bytes that every key that may come here begins with, and that heads leave out.
    skip: usize,
    garbage: usize,
    base: Arc<[u8]>,
    tail: Vec<u8>,
    beside: Vec<Arc<[u8]>>,
    heads: [u64; N],
    /// Which heads are late.
    lates: Lates,
    /// Where in `base` each stem ends, behind two zeros: the end of none, and the start of the first.
    stem_ends: [u16; STEMS_MAX + 2],
    slots: [u32; N],
}

impl<const N: usize> Clone for Leaf<N> {
    /// A copy that is about to be changed: with room in `tail`, or with everything moved to `base` where much is in it.
    fn clone(&self) -> Self {
        let mut tail = Vec::with_capacity(self.tail.len() + TAIL_STEP);
        tail.extend_from_slice(&self.tail);
        let mut copy = Self {
            len: self.len,
            skip: self.skip,
            garbage: self.garbage,
            base: Arc::clone(&self.base),
            tail,
            beside: self.beside.clone(),
            heads: self.heads,
            lates: self.lates,
            stem_ends: self.stem_ends,
            slots: self.slots,
        };
        if copy.tail.len() > TAIL_BYTES {
            copy.rewrite();
        }
        copy
    }
}

impl<const N: usize> Default for Leaf<N> {
    fn default() -> Self {
        const { assert!(N <= u128::BITS as usize, "each entry has a bit") };
        Self {
            len: 0,
            skip: 0,
            garbage: 0,
            base: Arc::default(),
            tail: Vec::new(),
            beside: Vec::new(),
            heads: [u64::MAX; N],
            lates: Lates::default(),
            stem_ends: [0; STEMS_MAX + 2],
            slots: [0; N],
        }
    }
}

/// Says that a change may split or merge nodes, and was not made.
#[derive(Debug)]
pub(super) struct ChangesNodes;

/// What became of an insertion.
#[derive(Debug)]
pub(super) struct Inserted<T> {
    /// Bytes of the value that was there.
    pub(super) old: Option<usize>,
    /// What had to be split off, and the separator before it.
    pub(super) split: Option<(Vec<u8>, Arc<T>)>,
}

impl<const N: usize> Leaf<N> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of its entries, garbage included.
    fn bytes(&self) -> usize {
        self.base.len() + self.tail.len()
    }

    /// The place of `key`: where it is, or where it belongs.
    #[inline]
    pub(super) fn search(&self, key: &[u8]) -> Result<usize, usize> {
        self.search_from(head(key, self.skip), key).map_err(|gap| gap.at)
    }

    /// As [`Leaf::search`], for a key that is to be put there and may well come after every other: loads in order of the keys need no
    /// search.
    #[inline]
    fn search_from_behind(&self, key: &[u8]) -> Result<usize, Gap> {
        let head = head(key, self.skip);
        match self.gap_behind(head, key) {
            Some(gap) => Err(gap),
            None => self.search_from(head, key),
        }
    }

    #[inline]
    fn search_from(&self, head: u64, key: &[u8]) -> Result<usize, Gap> {
        if self.has_late()
            && let Some(family) = self.late_family(head)
        {
            return self.search_family(family, key);
        }
        let at = count_below(&self.heads, head);
        if at >= self.len || self.heads[at] != head {
            return Err(Gap::at(at));
        }
        if at + 1 < self.len && self.heads[at + 1] == head {
            return self.search_among_equal(at, key);
        }
        self.search_between(at..at + 1, key).map_err(Gap::at)
    }

    /// The place of `key` among entries whose heads are the same as the one at `at`, the first of them, and not late.
    #[inline(never)]
    fn search_among_equal(&self, at: usize, key: &[u8]) -> Result<usize, Gap> {
        let end = partition_point(at..self.len, |place| self.heads[place] == self.heads[at]);
        self.search_between(at..end, key).map_err(Gap::at)
    }

    /// The place of `key`, which is in `places` if it is there, by whole keys.
    #[inline]
    fn search_between(&self, places: Range<usize>, key: &[u8]) -> Result<usize, usize> {
        let Range { mut start, mut end } = places;
        while start < end {
            let middle = start.midpoint(end);
            match self.key(middle).compare(key, self.skip) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => end = middle,
            }
        }
        Err(start)
    }

    /// The entry's bytes and those after it.
    #[inline]
    fn entry(&self, at: usize) -> &[u8] {
        let offset = self.slots[at] as usize;
        match offset.checked_sub(self.base.len()) {
            None => &self.base[offset..],
            Some(offset) => &self.tail[offset..],
        }
    }

    #[inline]
    pub(super) fn key(&self, at: usize) -> TreeKey<'_> {
        let entry = self.entry(at);
        let header = Header::of(entry);
        self.key_of(header.stem(), &entry[header.bytes..header.bytes + header.rest])
    }

    #[inline]
    fn key_of<'a>(&'a self, stem: usize, rest: &'a [u8]) -> TreeKey<'a> {
        TreeKey { number: stem, stem: if stem == 0 { &[] } else { self.stem(stem) }, rest }
    }

    /// The entry at a place.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each step of a scan: called, 64 instructions")]
    pub(super) fn found(&self, at: usize) -> (TreeKey<'_>, Found<'_>) {
        let entry = self.entry(at);
        let header = Header::of(entry);
        let (rest, value) = entry[header.bytes..].split_at(header.rest);
        let value = match header.word() {
            Word::Inline(bytes) => Found::Bytes(&value[..bytes]),
            Word::Beside(place) => Found::Large(&self.beside[place]),
            Word::Removed => Found::Removed,
        };
        (self.key_of(header.stem(), rest), value)
    }

    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<Found<'_>> {
        self.search(key).ok().map(|at| self.found(at).1)
    }

    /// Bytes of the entry in the buffers.
    fn entry_bytes(&self, at: usize) -> usize {
        Header::of(self.entry(at)).entry_bytes()
    }

    pub(super) fn insert(&mut self, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> Inserted<Self> {
        match self.search_from_behind(key) {
            Ok(at) => {
                let old = self.overwrite(at, value).unwrap_or_else(|| self.replace(at, key, value));
                let split = (self.bytes() > LEAF_BYTES_MAX).then(|| self.split(0, bounds)).flatten();
                Inserted { old: Some(old), split: split.map(|(separator, right)| (separator, Arc::new(right))) }
            }
            Err(gap) => {
                let (at, is_full) = (gap.at, self.len == N);
                if is_full || self.bytes() + HEADER_BYTES_MAX + key.len() > LEAF_BYTES_MAX {
                    if let Some((separator, mut right)) = self.split(at, bounds) {
                        let place = if key < &*separator { &mut *self } else { &mut right };
                        place.insert_new(key, value);
                        return Inserted { old: None, split: Some((separator, Arc::new(right))) };
                    }
                    if is_full || ((at == 0 || at == self.len) && self.len > 0) {
                        return Inserted { old: None, split: Some(self.insert_beside(key, value, bounds)) };
                    }
                }
                self.insert_at(gap, key, value);
                Inserted { old: None, split: None }
            }
        }
    }

    /// Puts a key that comes before or after all others into a leaf of its own beside this one, which stays as it is. Returns the
    /// right one of the two, and the separator before it.
    fn insert_beside(&mut self, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> (Vec<u8>, Arc<Self>) {
        if self.base.len() == self.stem_bytes() {
            self.close();
        } else {
            self.rewrite();
        }
        let is_before = self.key(0).compare(key, 0).is_gt();
        let mut other = Self { skip: bounds.shared(), ..Self::default() };
        other.expect_like(self.key(if is_before { 0 } else { self.len - 1 }), key);
        other.insert_new(key, value);
        if is_before {
            std::mem::swap(self, &mut other);
        }
        let separator = separator(self.key(self.len - 1), other.key(0));
        self.set_skip(bounds.below(&separator).shared());
        other.set_skip(bounds.above(&separator).shared());
        (separator, Arc::new(other))
    }

    /// Makes one change that neither splits the leaf nor leaves so little in it that it should be merged. Returns the
    /// bytes of the value that was there, if any was.
    pub(super) fn make(&mut self, key: &[u8], value: Stored<'_>) -> Result<Option<usize>, ChangesNodes> {
        let at = self.search_from_behind(key);
        let has_room = self.bytes() + HEADER_BYTES_MAX + key.len() + value.inline().len() <= LEAF_BYTES_MAX;
        match (at, value) {
            (Ok(at), Stored::Removed) => {
                if self.len <= N / 4 {
                    return Err(ChangesNodes);
                }
                Ok(Some(self.remove_at(at)))
            }
            (Err(_), Stored::Removed) => Ok(None),
            (Ok(at), value) => match self.overwrite(at, value) {
                Some(old) => Ok(Some(old)),
                None if has_room => Ok(Some(self.replace(at, key, value))),
                None => Err(ChangesNodes),
            },
            (Err(gap), value) => {
                if self.len == N || !has_room {
                    return Err(ChangesNodes);
                }
                self.insert_at(gap, key, value);
                Ok(None)
            }
        }
    }

    /// Whether `value` would be put in the place of another of the same length, in a leaf that shares nothing.
    pub(super) fn is_place_for(&self, key: &[u8], value: Stored<'_>) -> bool {
        let Stored::Bytes(value) = value else { return false };
        matches!(self.get(key), Some(Found::Bytes(old)) if old.len() == value.len())
    }

    /// Of how many changes that are put in the place of others a copy of everything is cheaper than one that shares `base`.
    pub(super) fn copied_for(&self) -> usize {
        1 + self.base.len() / BASE_BYTES_PER_CHANGE
    }

    /// A copy that shares nothing, so that values are put in the place of others.
    pub(super) fn copy_whole(&self) -> Self {
        let mut copy = self.clone();
        if Arc::ptr_eq(&copy.base, &self.base) {
            copy.base = Arc::from(&*self.base);
        }
        copy
    }

    /// The place after every other, if `key`, with this head, is seen to belong there.
    #[inline]
    fn gap_behind(&self, head: u64, key: &[u8]) -> Option<Gap> {
        let last = self.len.checked_sub(1)?;
        let last_head = self.heads[last];
        if self.is_late(last) && is_family(last_head, head) {
            return self.gap_behind_family(head, key);
        }
        let is_behind = last_head < head || (last_head == head && self.key(last).compare(key, self.skip).is_lt());
        is_behind.then_some(Gap::at(self.len))
    }

    /// Counts the bytes of an entry that is about to go as garbage, and lets go of what is beside the leaf.
    fn discard(&mut self, at: usize) {
        let header = Header::of(self.entry(at));
        self.garbage += header.entry_bytes();
        if let Word::Beside(place) = header.word() {
            self.beside[place] = Arc::default();
        }
    }

    /// Inserts a key that is not there, into a leaf with room.
    fn insert_new(&mut self, key: &[u8], value: Stored<'_>) {
        if let Err(gap) = self.search_from(head(key, self.skip), key) {
            self.insert_at(gap, key, value);
        }
    }

    fn insert_at(&mut self, gap: Gap, key: &[u8], value: Stored<'_>) {
        let (at, len) = (gap.at, self.len);
        self.make_room(key, value, at == len);
        let slot = self.append(self.stem_for(at, key), key, value);
        if at < len {
            self.slots.copy_within(at..len, at + 1);
        }
        self.slots[at] = slot;
        self.len += 1;
        self.insert_head(gap, key);
    }

    /// Makes room in `tail` for an entry. In a load in order of the keys the tail is the leaf, and grows.
    fn make_room(&mut self, key: &[u8], value: Stored<'_>, is_last: bool) {
        let bytes = HEADER_BYTES_MAX + key.len() + value.inline().len();
        if is_last && self.tail.len() >= self.base.len() && self.garbage == 0 {
            return;
        }
        if self.tail.len() + bytes > TAIL_BYTES && !self.tail.is_empty() {
            self.rewrite();
        }
        let needed = self.tail.len() + bytes;
        if needed > self.tail.capacity() {
            // Twice as much each time would leave a tenth of a leaf unused, and be copied no less often than a leaf is.
            self.tail.reserve_exact(bytes.max(TAIL_STEP));
        }
    }

    /// Puts the bytes of an entry whose key begins with a stem at the end of `tail`, and returns where they are.
    fn append(&mut self, stem: usize, key: &[u8], value: Stored<'_>) -> u32 {
        let slot = low(self.bytes());
        let word = match value {
            Stored::Removed => Word::Removed,
            Stored::Large(large) => {
                self.beside.push(Arc::clone(large));
                Word::Beside(self.beside.len() - 1)
            }
            Stored::Bytes(bytes) => Word::Inline(bytes.len()),
        };
        let rest = &key[self.stem(stem).len()..];
        push_header(&mut self.tail, stem, rest.len(), word);
        self.tail.extend_from_slice(rest);
        self.tail.extend_from_slice(value.inline());
        slot
    }

    /// Puts `value` behind the others and leaves the one that was there as garbage. Returns the bytes of that.
    fn replace(&mut self, at: usize, key: &[u8], value: Stored<'_>) -> usize {
        let old = self.found(at).1.bytes();
        self.make_room(key, value, false);
        let stem = Header::of(self.entry(at)).stem();
        let slot = self.append(stem, key, value);
        self.discard(at);
        self.slots[at] = slot;
        old
    }

    /// Puts `value` in the place of another of the same length, where nothing shares it. Returns the bytes of the old
    /// one if it did.
    #[inline]
    fn overwrite(&mut self, at: usize, value: Stored<'_>) -> Option<usize> {
        let entry = self.entry(at);
        let header = Header::of(entry);
        match (header.word(), value) {
            (Word::Inline(old), Stored::Bytes(new)) if old == new.len() => {
                let offset = self.slots[at] as usize + header.bytes + header.rest;
                let place = match offset.checked_sub(self.base.len()) {
                    Some(offset) => Some(&mut self.tail[offset..]),
                    None => Arc::get_mut(&mut self.base).map(|base| &mut base[offset..]),
                };
                place.map(|place| {
                    place[..new.len()].copy_from_slice(new);
                    new.len()
                })
            }
            (Word::Beside(place), Stored::Large(new)) => {
                Some(std::mem::replace(&mut self.beside[place], Arc::clone(new)).len())
            }
            (Word::Removed, Stored::Removed) => Some(0),
            _ => None,
        }
    }

    /// Removes the entry of `key`, and returns the bytes of its value.
    pub(super) fn remove(&mut self, key: &[u8]) -> Option<usize> {
        let at = self.search(key).ok()?;
        Some(self.remove_at(at))
    }

    fn remove_at(&mut self, at: usize) -> usize {
        let value = self.found(at).1.bytes();
        self.discard(at);
        self.remove_head(at);
        self.slots.copy_within(at + 1..self.len, at);
        self.len -= 1;
        if self.garbage > self.bytes() / 2 {
            self.rewrite();
        }
        value
    }

    /// Moves everything to a new `base`, in order and without garbage.
    fn rewrite(&mut self) {
        SCRATCH.with_borrow_mut(|scratch| {
            self.pack(scratch);
            self.base = Arc::from(&**scratch);
        });
        self.tail = Vec::new();
    }

    /// Puts the stems and the bytes of all entries into `out`, in order and without garbage. Slots are places there from now on, and the
    /// buffers are for the caller to replace.
    fn pack(&mut self, out: &mut Vec<u8>) {
        out.clear();
        out.shrink_to(2 * LEAF_BYTES_MAX);
        if let Some(wanted) = self.better_stems() {
            return self.encode(&wanted, out);
        }
        out.extend_from_slice(&self.base[..self.stem_bytes()]);
        if self.garbage == 0 {
            return self.gather(out);
        }
        let mut beside = Vec::new();
        for at in 0..self.len {
            let (offset, bytes) = (out.len(), self.entry_bytes(at));
            out.extend_from_slice(&self.entry(at)[..bytes]);
            keep_beside(&mut out[offset..], &self.beside, &mut beside);
            self.slots[at] = low(offset);
        }
        self.beside = beside;
        self.garbage = 0;
    }

    /// Gathers the entries of a leaf without garbage in order, behind its stems. What lies between two entries of `tail` is one piece of
    /// `base`.
    fn gather(&mut self, out: &mut Vec<u8>) {
        let base_bytes = self.base.len();
        let (mut copied, mut is_in_tail) = (out.len(), false);
        for at in 0..self.len {
            let slot = self.slots[at] as usize;
            if slot < base_bytes {
                // Where it comes when the piece from `copied` on is appended.
                self.slots[at] = low(out.len() + slot - copied);
                is_in_tail = false;
                continue;
            }
            if !is_in_tail {
                let next =
                    self.slots[at + 1..self.len].iter().map(|slot| *slot as usize).find(|slot| *slot < base_bytes);
                let next = next.unwrap_or(base_bytes);
                out.extend_from_slice(&self.base[copied..next]);
                (copied, is_in_tail) = (next, true);
            }
            self.slots[at] = low(out.len());
            let entry = &self.tail[slot - base_bytes..];
            out.extend_from_slice(&entry[..Header::of(entry).entry_bytes()]);
        }
        out.extend_from_slice(&self.base[copied..]);
    }

    /// Appends all entries of `other` to a leaf that is being made, without stems.
    fn take(&mut self, other: &Self) {
        for at in 0..other.len {
            let (key, value) = other.found(at);
            self.slots[self.len] = self.append(0, &key.whole(), value.stored());
            self.len += 1;
        }
    }

    /// Moves what is in `tail` to `base` when that has no entries: the leaf is not expected to grow.
    fn close(&mut self) {
        if self.base.len() > self.stem_bytes() || self.tail.is_empty() {
            return;
        }
        // In the order in which they came entries cannot be gathered later.
        if !self.slots[..self.len].is_sorted() {
            return self.rewrite();
        }
        match self.better_stems() {
            None if self.base.is_empty() => self.base = Arc::from(&*self.tail),
            stems => SCRATCH.with_borrow_mut(|scratch| {
                if let Some(stems) = stems {
                    self.encode(&stems, scratch);
                } else {
                    scratch.clear();
                    scratch.extend_from_slice(&self.base);
                    scratch.extend_from_slice(&self.tail);
                }
                self.base = Arc::from(&**scratch);
            }),
        }
        self.tail = Vec::new();
    }

    /// Splits off the upper part of a leaf into which a key is to be inserted at `at`: the upper half, or, where a run of keys goes on at
    /// `at`, what is behind that. Returns nothing where the key is to have a leaf of its own before or behind the others.
    fn split(&mut self, at: usize, bounds: Bounds<'_>) -> Option<(Vec<u8>, Self)> {
        let goes_down = self.goes_down(at);
        if self.len < 2 || at == self.len || (at == 0 && goes_down) {
            return None;
        }
        let middle = if self.bytes() > LEAF_BYTES_MAX {
            self.middle_by_bytes()
        } else if goes_down || self.goes_up(at) {
            at
        } else {
            self.len / 2
        };
        let separator = separator(self.key(middle - 1), self.key(middle));
        let right = self.split_off(middle, bounds, &separator);
        Some((separator, right))
    }

    /// Splits off the entries from the place `middle` on, which are those from `separator` on.
    fn split_off(&mut self, middle: usize, bounds: Bounds<'_>, separator: &[u8]) -> Self {
        let count = self.len - middle;
        let (is_cut, is_late) = (is_family(self.heads[middle - 1], self.heads[middle]), self.is_late(middle));
        let mut right = Self { len: count, skip: self.skip, ..Self::default() };
        right.heads[..count].copy_from_slice(&self.heads[middle..self.len]);
        SCRATCH.with_borrow_mut(|scratch| {
            self.pack(scratch);
            let (stems, start) = (self.stem_bytes(), self.slots[middle] as usize);
            right.slots[..count].copy_from_slice(&self.slots[middle..self.len]);
            right.stem_ends = self.stem_ends;
            let beside = std::mem::take(&mut self.beside);
            self.len = middle;
            let stem_bytes = SmallVec::<[u8; 64]>::from_slice(&scratch[..stems]);
            for (leaf, from, to) in [(&mut *self, stems, start), (&mut right, start, scratch.len())] {
                leaf.beside = take_beside(scratch, &leaf.slots[..leaf.len], &beside);
                leaf.take_base(scratch, from..to, &stem_bytes);
            }
        });
        self.tail = Vec::new();
        self.heads[middle..middle + count].fill(u64::MAX);
        right.lates = self.lates.split_off(middle);
        let cut = is_cut.then_some(is_late);
        self.settle(bounds.below(separator), middle - 1, cut);
        right.settle(bounds.above(separator), 0, cut);
        right
    }

    /// Has heads leave out what the bounds share now. Where that is as much as before, only the family at `edge` gets others, if it was
    /// cut there, with heads that were late or not.
    fn settle(&mut self, bounds: Bounds<'_>, edge: usize, cut: Option<bool>) {
        let skip = bounds.shared();
        if self.skip != skip {
            self.set_skip(skip);
        } else if let Some(is_late) = cut {
            self.renew_family(edge, is_late);
        }
    }

    /// Whether the entry at `at` is the one that came last, so that a key before it goes on a run downwards. What is behind `at` is then
    /// left alone, and stays as full as it is.
    fn goes_down(&self, at: usize) -> bool {
        at < self.len && self.slots[at] as usize + self.entry_bytes(at) == self.bytes()
    }

    /// Whether the entries before `at` are those that came last, in their order, so that a key at `at` goes on a run upwards. It then has
    /// the end of a leaf for itself, and fills that.
    fn goes_up(&self, at: usize) -> bool {
        let Some(run) = at.checked_sub(RUN_MIN).map(|first| &self.slots[first..at]) else { return false };
        let comes_last = self.slots[at - 1] as usize + self.entry_bytes(at - 1) == self.bytes();
        comes_last && run[0] as usize >= self.base.len() && run.is_sorted()
    }

    /// The place that has half of the bytes before it, but at least one entry on either side.
    fn middle_by_bytes(&self) -> usize {
        let half = (0..self.len).map(|at| self.entry_bytes(at)).sum::<usize>() / 2;
        let mut before = 0;
        let middle = (0..self.len).find(|at| {
            before += self.entry_bytes(*at);
            before > half
        });
        middle.unwrap_or(0).clamp(1, self.len - 1)
    }

    /// Takes in the entries of `right`, all of which come after its own, and may then hold the keys of both.
    pub(super) fn merge(&mut self, right: &Self) {
        let mut merged = Self { skip: self.skip.min(right.skip), ..Self::default() };
        merged.take(self);
        merged.take(right);
        merged.renew_heads();
        merged.close();
        *self = merged;
    }

    /// Whether `merge` would make one leaf that is not full.
    pub(super) fn can_merge(&self, right: &Self) -> bool {
        let bytes = self.bytes() + right.bytes() - self.garbage - right.garbage;
        self.len + right.len <= N * 3 / 4 && bytes <= LEAF_BYTES_MAX * 3 / 4
    }

    fn set_skip(&mut self, skip: usize) {
        if self.skip != skip {
            self.skip = skip;
            self.renew_heads();
        }
    }

    /// A leaf of sorted entries, the first keys of which are counted in `skip` by whoever knows the bounds.
    pub(super) fn push_sorted(&mut self, key: &[u8], value: Stored<'_>) {
        self.slots[self.len] = self.append(0, key, value);
        self.len += 1;
    }

    /// Whether another entry of that many bytes fits in by [`Leaf::push_sorted`].
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.len < N && (self.len == 0 || self.bytes() + HEADER_BYTES_MAX + bytes <= LEAF_BYTES_MAX)
    }

    /// Ends a leaf that was filled by [`Leaf::push_sorted`].
    pub(super) fn finish(&mut self, bounds: Bounds<'_>) {
        self.skip = bounds.shared();
        self.renew_heads();
        self.close();
    }

    /// Bytes of the buffers, in use or not.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.base.len() + self.tail.capacity()
    }

    /// Every invariant of the leaf.
    pub(super) fn check(&self, bounds: Bounds<'_>) -> Result<u64, String> {
        let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("leaf: {what}")) };
        ensure(self.len <= N, "too many entries")?;
        ensure(self.skip <= bounds.shared() || self.len == 0, "the prefix is longer than that of the bounds")?;
        ensure(
            self.heads[self.len..].iter().all(|head| *head == u64::MAX),
            "a head is not in use and not the largest",
        )?;
        ensure((self.len..N).all(|at| !self.is_late(at)), "a late head is not in use")?;
        ensure(self.knows_families(), "another number of bytes is shared by a family")?;
        ensure(self.stem_ends[..2] == [0, 0] && self.stem_ends.is_sorted(), "stems are out of order")?;
        let (mut live, mut bytes, mut before) = (self.stem_bytes(), 0, None);
        for at in 0..self.len {
            let (key, value) = self.found(at);
            let key = key.whole();
            ensure(self.heads[at] == self.head_at(at), "a head is not its key's")?;
            if at > 0 && is_family(self.heads[at - 1], self.heads[at]) {
                ensure(self.is_late(at - 1) == self.is_late(at), "heads of a family are late, and others are not")?;
            }
            ensure(bounds.lower.is_none_or(|lower| lower <= &*key), "a key is below the lower bound")?;
            ensure(bounds.upper.is_none_or(|upper| &*key < upper), "a key is not below the upper bound")?;
            ensure(bounds.lower.is_none_or(|lower| common(lower, &key) >= self.skip), "a key has not the prefix")?;
            live += self.entry_bytes(at);
            bytes += (key.len() + value.bytes()) as u64;
            ensure(before.is_none_or(|before| before < key), "keys are out of order")?;
            before = Some(key);
        }
        ensure(live + self.garbage == self.bytes(), "garbage is miscounted")?;
        let in_base = self.slots[..self.len].iter().filter(|slot| (**slot as usize) < self.base.len());
        ensure(self.garbage > 0 || in_base.is_sorted(), "entries that could be gathered are out of order")?;
        Ok(bytes)
    }
}

/// Hands what is beside the old leaf of an entry on to its new one.
fn keep_beside(entry: &mut [u8], old: &[Arc<[u8]>], beside: &mut Vec<Arc<[u8]>>) {
    if let Word::Beside(place) = Header::of(entry).word() {
        set_beside(entry, beside.len());
        beside.push(Arc::clone(&old[place]));
    }
}

/// What is beside a leaf for the entries at `slots` of `entries`, whose headers then say where it is among that.
fn take_beside(entries: &mut [u8], slots: &[u32], old: &[Arc<[u8]>]) -> Vec<Arc<[u8]>> {
    let mut beside = Vec::new();
    if !old.is_empty() {
        for slot in slots {
            keep_beside(&mut entries[*slot as usize..], old, &mut beside);
        }
    }
    beside
}
