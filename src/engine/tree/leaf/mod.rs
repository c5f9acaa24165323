//! A leaf: entries packed in two buffers, and for each entry its head and where it is.
//!
//! `base` holds entries as they were when the leaf was last rewritten, in order; two versions of a leaf share it. `tail` holds
//! what has come since, in the order it came. A change of an entry leaves its old bytes behind as garbage until the
//! leaf is rewritten.
//!
//! An entry is its key length, its value's word (four bytes each), the key and, where the word says so, the value. The word is the
//! value's length, or says that the value is beside the leaf, or that the entry is the removal of its key.

#![expect(
    clippy::indexing_slicing,
    reason = "places come from searches of the same node, and its arrays have room for them"
)]

mod family;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::engine::tree::heads::{Bounds, common, count_below, head, partition_point, separator};
use crate::engine::tree::{Found, Stored};
use family::{Gap, is_family};

/// Values above this are kept beside the leaf, in bytes.
pub(in crate::engine) const INLINE_VALUE_BYTES_MAX: usize = 1 << 10;

/// Bytes that `tail` takes before the leaf is rewritten.
const TAIL_BYTES: usize = 4096;

/// Copying this many bytes of `base` costs about as much as putting an entry behind it and gathering it later.
const BASE_BYTES_PER_CHANGE: usize = 1_500;

/// Bytes of entries a leaf has before it is split, however few they are.
const LEAF_BYTES_MAX: usize = 64 << 10;

/// How many entries in order are taken for a run that goes on: by chance there are two or three.
const RUN_MIN: usize = 8;

const HEADER_BYTES: usize = 8;
const REMOVED: u32 = u32::MAX;
const BESIDE: u32 = 1 << 31;

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
    /// A bit for each entry whose head is late: its first half is that of all keys of its family, and its second half the four bytes
    /// after all that these share. In the order of the places.
    late: u128,
    /// How many bytes the keys share whose heads are late and in whose family the last entry is; 0 when it is not known.
    shared_at_end: usize,
    slots: [u32; N],
}

impl<const N: usize> Clone for Leaf<N> {
    /// A copy that is about to be changed: with room in `tail`, or with everything moved to `base` where much is in it.
    fn clone(&self) -> Self {
        let mut tail = Vec::with_capacity((self.tail.len() * 2).clamp(512, TAIL_BYTES).max(self.tail.len()));
        tail.extend_from_slice(&self.tail);
        let mut copy = Self {
            len: self.len,
            skip: self.skip,
            garbage: self.garbage,
            base: Arc::clone(&self.base),
            tail,
            beside: self.beside.clone(),
            heads: self.heads,
            late: self.late,
            shared_at_end: self.shared_at_end,
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
            late: 0,
            shared_at_end: 0,
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
        if self.late != 0
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
        match self.key(at).cmp(key) {
            Ordering::Less => Err(Gap::at(at + 1)),
            Ordering::Equal => Ok(at),
            Ordering::Greater => Err(Gap::at(at)),
        }
    }

    /// The place of `key` among entries whose heads are the same as the one at `at`, the first of them, and not late.
    #[inline(never)]
    fn search_among_equal(&self, at: usize, key: &[u8]) -> Result<usize, Gap> {
        let end = partition_point(at..self.len, |place| self.heads[place] == self.heads[at]);
        let place = partition_point(at..end, |place| self.key(place) < key);
        if place < end && self.key(place) == key { Ok(place) } else { Err(Gap::at(place)) }
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
    pub(super) fn key(&self, at: usize) -> &[u8] {
        let (entry, length) = key_length(self.entry(at));
        &entry[HEADER_BYTES..HEADER_BYTES + length]
    }

    /// The entry at a place.
    #[inline]
    pub(super) fn found(&self, at: usize) -> (&[u8], Found<'_>) {
        let (entry, length) = key_length(self.entry(at));
        let (key, rest) = entry[HEADER_BYTES..].split_at(length);
        let value = match word(entry) {
            REMOVED => Found::Removed,
            word if word & BESIDE != 0 => Found::Large(&self.beside[(word ^ BESIDE) as usize]),
            word => Found::Bytes(&rest[..word as usize]),
        };
        (key, value)
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Found<'_>> {
        self.search(key).ok().map(|at| self.found(at).1)
    }

    /// Bytes of the entry in the buffers.
    fn entry_bytes(&self, at: usize) -> usize {
        let (entry, key_bytes) = key_length(self.entry(at));
        let word = word(entry);
        HEADER_BYTES + key_bytes + if word & BESIDE == 0 { word as usize } else { 0 }
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
                if is_full || self.bytes() + HEADER_BYTES + key.len() > LEAF_BYTES_MAX {
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
        if self.base.is_empty() {
            self.close();
        } else {
            self.rewrite();
            self.tail = Vec::new();
        }
        let mut other = Self { skip: bounds.shared(), ..Self::default() };
        other.insert_new(key, value);
        let is_before = self.len > 0 && key < self.key(0);
        if is_before {
            std::mem::swap(self, &mut other);
        }
        let separator = separator(self.key(self.len - 1), other.key(0)).to_vec();
        self.set_skip(bounds.below(&separator).shared());
        other.set_skip(bounds.above(&separator).shared());
        (separator, Arc::new(other))
    }

    /// Makes one change that neither splits the leaf nor leaves so little in it that it should be merged. Returns the
    /// bytes of the value that was there, if any was.
    pub(super) fn make(&mut self, key: &[u8], value: Stored<'_>) -> Result<Option<usize>, ChangesNodes> {
        let at = self.search_from_behind(key);
        let has_room = self.bytes() + HEADER_BYTES + key.len() + value.inline().len() <= LEAF_BYTES_MAX;
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
        let is_behind = last_head < head || (last_head == head && self.key(last) < key);
        is_behind.then_some(Gap::at(self.len))
    }

    /// Counts the bytes of an entry that is about to go as garbage, and lets go of what is beside the leaf.
    fn discard(&mut self, at: usize) {
        self.garbage += self.entry_bytes(at);
        let word = word(self.entry(at));
        if word != REMOVED && word & BESIDE != 0 {
            self.beside[(word ^ BESIDE) as usize] = Arc::default();
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
        self.append(key, value, at == len);
        if at < len {
            self.slots.copy_within(at..len, at + 1);
        }
        self.slots[at] = self.last_offset(key, value);
        self.len += 1;
        self.insert_head(gap, key);
    }

    /// Puts an entry's bytes at the end of `tail`, making room first. In a load in order of the keys the tail is the
    /// leaf, and grows.
    fn append(&mut self, key: &[u8], value: Stored<'_>, is_last: bool) {
        let bytes = HEADER_BYTES + key.len() + value.inline().len();
        let grows = is_last && self.tail.len() >= self.base.len() && self.garbage == 0;
        if self.tail.len() + bytes > TAIL_BYTES && !self.tail.is_empty() && !grows {
            self.rewrite();
        }
        let word = match value {
            Stored::Removed => REMOVED,
            Stored::Large(large) => {
                self.beside.push(Arc::clone(large));
                BESIDE | low(self.beside.len() - 1)
            }
            Stored::Bytes(bytes) => low(bytes.len()),
        };
        let needed = self.tail.len() + bytes;
        if needed > self.tail.capacity() && !grows {
            // Twice as much each time would end with more than the tail may take.
            let more = (self.tail.capacity() * 2).clamp(512, TAIL_BYTES).max(needed);
            self.tail.reserve_exact(more - self.tail.len());
        }
        self.tail.extend_from_slice(&low(key.len()).to_le_bytes());
        self.tail.extend_from_slice(&word.to_le_bytes());
        self.tail.extend_from_slice(key);
        self.tail.extend_from_slice(value.inline());
    }

    /// Where the entry is that was appended last.
    fn last_offset(&self, key: &[u8], value: Stored<'_>) -> u32 {
        low(self.bytes() - HEADER_BYTES - key.len() - value.inline().len())
    }

    /// Puts `value` behind the others and leaves the one that was there as garbage. Returns the bytes of that.
    fn replace(&mut self, at: usize, key: &[u8], value: Stored<'_>) -> usize {
        let old = self.found(at).1.bytes();
        self.append(key, value, false);
        self.discard(at);
        self.slots[at] = self.last_offset(key, value);
        old
    }

    /// Puts `value` in the place of another of the same length, where nothing shares it. Returns the bytes of the old
    /// one if it did.
    #[inline]
    fn overwrite(&mut self, at: usize, value: Stored<'_>) -> Option<usize> {
        let (key, old) = self.found(at);
        let key_bytes = key.len();
        match (old, value) {
            (Found::Bytes(old), Stored::Bytes(new)) if old.len() == new.len() => {
                let offset = self.slots[at] as usize + HEADER_BYTES + key_bytes;
                let place = match offset.checked_sub(self.base.len()) {
                    Some(offset) => Some(&mut self.tail[offset..]),
                    None => Arc::get_mut(&mut self.base).map(|base| &mut base[offset..]),
                };
                place.map(|place| {
                    place[..new.len()].copy_from_slice(new);
                    new.len()
                })
            }
            (Found::Large(old), Stored::Large(new)) => {
                let old = old.len();
                let place = (word(self.entry(at)) ^ BESIDE) as usize;
                self.beside[place] = Arc::clone(new);
                Some(old)
            }
            (Found::Removed, Stored::Removed) => Some(0),
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
        self.tail.clear();
        self.tail.shrink_to(TAIL_BYTES);
    }

    /// Puts the bytes of all entries into `out`, in order and without garbage. Slots are places there from now on, and the buffers are
    /// for the caller to replace.
    fn pack(&mut self, out: &mut Vec<u8>) {
        out.clear();
        out.shrink_to(2 * LEAF_BYTES_MAX);
        if self.garbage == 0 {
            return self.gather(out);
        }
        let mut beside = Vec::new();
        for at in 0..self.len {
            let (offset, bytes) = (low(out.len()), self.entry_bytes(at));
            push_entry(out, &self.entry(at)[..bytes], &self.beside, &mut beside);
            self.slots[at] = offset;
        }
        self.beside = beside;
        self.garbage = 0;
    }

    /// Gathers the entries of a leaf without garbage in order. What lies between two entries of `tail` is one piece of `base`.
    fn gather(&mut self, out: &mut Vec<u8>) {
        let base_bytes = self.base.len();
        let (mut copied, mut is_in_tail) = (0, false);
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
            let (_, key_bytes) = key_length(entry);
            let word = word(entry);
            let value_bytes = if word & BESIDE == 0 { word as usize } else { 0 };
            out.extend_from_slice(&entry[..HEADER_BYTES + key_bytes + value_bytes]);
        }
        out.extend_from_slice(&self.base[copied..]);
    }

    /// Appends `count` entries of `other`, from its place `from` on, to a leaf that is being made.
    fn take(&mut self, other: &Self, from: usize, count: usize) {
        for n in from..from + count {
            self.slots[self.len] = low(self.tail.len());
            push_entry(&mut self.tail, &other.entry(n)[..other.entry_bytes(n)], &other.beside, &mut self.beside);
            self.len += 1;
        }
    }

    /// Moves what is in `tail` to `base` when that is empty: the leaf is not expected to grow.
    fn close(&mut self) {
        if self.base.is_empty() && !self.tail.is_empty() {
            // In the order in which they came entries cannot be gathered later.
            if !self.slots[..self.len].is_sorted() {
                return self.rewrite();
            }
            self.base = Arc::from(&*self.tail);
            self.tail = Vec::new();
        }
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
        let separator = separator(self.key(middle - 1), self.key(middle)).to_vec();
        let right = self.split_off(middle, bounds, &separator);
        Some((separator, right))
    }

    /// Splits off the entries from the place `middle` on, which are those from `separator` on.
    fn split_off(&mut self, middle: usize, bounds: Bounds<'_>, separator: &[u8]) -> Self {
        let count = self.len - middle;
        let (is_cut, is_late) = (is_family(self.heads[middle - 1], self.heads[middle]), self.is_late(middle));
        let mut right = Self { len: count, skip: self.skip, late: self.late >> middle, ..Self::default() };
        right.heads[..count].copy_from_slice(&self.heads[middle..self.len]);
        right.shared_at_end = self.shared_at_end;
        SCRATCH.with_borrow_mut(|scratch| {
            self.pack(scratch);
            let start = self.slots[middle];
            right.slots.iter_mut().zip(&self.slots[middle..self.len]).for_each(|(own, slot)| *own = slot - start);
            let (lower, upper) = scratch.split_at_mut(start as usize);
            let beside = std::mem::take(&mut self.beside);
            self.beside = take_beside(lower, &self.slots[..middle], &beside);
            right.beside = take_beside(upper, &right.slots[..count], &beside);
            (self.base, right.base) = (Arc::from(&*lower), Arc::from(&*upper));
        });
        self.tail = Vec::new();
        self.heads[middle..self.len].fill(u64::MAX);
        (self.len, self.shared_at_end) = (middle, 0);
        self.late &= (1 << middle) - 1;
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
        merged.take(self, 0, self.len);
        merged.take(right, 0, right.len);
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
        let at = self.len;
        self.append(key, value, true);
        self.slots[at] = self.last_offset(key, value);
        self.len += 1;
    }

    /// Whether another entry of that many bytes fits in by [`Leaf::push_sorted`].
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.len < N && (self.len == 0 || self.bytes() + HEADER_BYTES + bytes <= LEAF_BYTES_MAX)
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
        ensure(self.knows_end(), "another number of bytes is shared at the end")?;
        let (mut live, mut bytes) = (0, 0);
        for at in 0..self.len {
            let (key, value) = self.found(at);
            ensure(self.heads[at] == self.head_at(at), "a head is not its key's")?;
            if at > 0 && is_family(self.heads[at - 1], self.heads[at]) {
                ensure(self.is_late(at - 1) == self.is_late(at), "heads of a family are late, and others are not")?;
            }
            ensure(at == 0 || self.key(at - 1) < key, "keys are out of order")?;
            ensure(bounds.lower.is_none_or(|lower| lower <= key), "a key is below the lower bound")?;
            ensure(bounds.upper.is_none_or(|upper| key < upper), "a key is not below the upper bound")?;
            ensure(bounds.lower.is_none_or(|lower| common(lower, key) >= self.skip), "a key has not the prefix")?;
            live += self.entry_bytes(at);
            bytes += (key.len() + value.bytes()) as u64;
        }
        ensure(live + self.garbage == self.bytes(), "garbage is miscounted")?;
        let in_base = self.slots[..self.len].iter().filter(|slot| (**slot as usize) < self.base.len());
        ensure(self.garbage > 0 || in_base.is_sorted(), "entries that could be gathered are out of order")?;
        Ok(bytes)
    }
}

/// Appends an entry to `out`, and what is beside its old leaf to that of its new one.
fn push_entry(out: &mut Vec<u8>, entry: &[u8], old: &[Arc<[u8]>], beside: &mut Vec<Arc<[u8]>>) {
    let word = word(entry);
    if word != REMOVED && word & BESIDE != 0 {
        out.extend_from_slice(&entry[..4]);
        out.extend_from_slice(&(BESIDE | low(beside.len())).to_le_bytes());
        out.extend_from_slice(&entry[HEADER_BYTES..]);
        beside.push(Arc::clone(&old[(word ^ BESIDE) as usize]));
    } else {
        out.extend_from_slice(entry);
    }
}

/// What is beside a leaf for the entries at `slots` of `entries`, whose words then say where it is among that.
fn take_beside(entries: &mut [u8], slots: &[u32], old: &[Arc<[u8]>]) -> Vec<Arc<[u8]>> {
    let mut beside = Vec::new();
    if old.is_empty() {
        return beside;
    }
    for slot in slots {
        let entry = &mut entries[*slot as usize..];
        let word = word(entry);
        if word != REMOVED && word & BESIDE != 0 {
            entry[4..HEADER_BYTES].copy_from_slice(&(BESIDE | low(beside.len())).to_le_bytes());
            beside.push(Arc::clone(&old[(word ^ BESIDE) as usize]));
        }
    }
    beside
}

/// The entry, and how long its key is.
#[inline]
fn key_length(entry: &[u8]) -> (&[u8], usize) {
    (entry, u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) as usize)
}

#[inline]
fn word(entry: &[u8]) -> u32 {
    u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]])
}

/// An offset or count within a leaf, which is bounded far below.
fn low(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
