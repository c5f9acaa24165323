//! Changes in one buffer, in the order in which they were made.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::engine::changes::index::Index;
use crate::engine::changes::prefixes::Prefixes;
use crate::engine::changes::{Change, Sorted, runs};
use crate::engine::tree::heads::{HEAD_BYTES, common, head};
use crate::engine::tree::{Found, Stored};
use crate::engine::{Direction, KeyRange};

/// Up to this many changes are searched by comparing the hashes of all, and their order is made whenever somebody asks for it.
const CHANGES_SCANNED_MAX: usize = 256;

/// Of more, this many are compared that the index does not have yet.
const CHANGES_BEHIND_MAX: usize = 32;

/// From this many changes on there is room for what only larger changes need.
const CHANGES_BESIDE_MAX: usize = 16;

/// What the buffer has room for at first: a change or two need no second allocation.
const BYTES_AT_FIRST: usize = 512;

/// More bytes of what is no longer in use are given back, if they are the half of all.
const GARBAGE_BYTES: usize = 32 << 10;

/// So often what is alike in the eight bytes that are compared is sorted by others.
const SORT_LEVELS_MAX: usize = 4;

/// From this many changes on it is worth while to look whether they come in a few runs.
const CHANGES_IN_RUNS_MIN: usize = 64;

/// Hashes that are compared at once.
const STRIDE: usize = 16;

/// Changes by key, each key once.
///
/// Most keys that are asked for were not changed: a search compares hashes, all of them while they are few, which takes less
/// time than to compare two keys, and through a table when they are more. Order is made when somebody asks for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    /// Keys and values, one behind the other.
    bytes: Vec<u8>,
    slots: SmallVec<[Slot; 8]>,
    /// Those of the keys, at the places of their slots.
    hashes: SmallVec<[u32; 8]>,
    /// Slots that are not forgotten.
    len: usize,
    /// Bytes of their keys, and of the values that are put.
    size: usize,
    /// Bytes of the buffer that no slot is for.
    garbage: usize,
    /// Whether some slot was ever one of a key that is removed or forgotten.
    has_absent: bool,
    last: Last,
    more: Option<Box<More>>,
}

/// What the last search found: what is looked up is often written next.
///
/// In the lower half is the hash; above it [`Last::IS_MISSED`], if no slot has that, or the number of the slot, from 1.
#[derive(Debug, Default)]
struct Last(AtomicU64);

impl Clone for Last {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Last {
    /// Above all hashes, so that no hash is 0.
    const IS_MISSED: u64 = 1 << 32;

    /// Where the number of a slot begins.
    const SLOT_SHIFT: u32 = 33;

    #[inline]
    fn note_missed(&self, hash: u32) {
        self.0.store(Self::IS_MISSED | u64::from(hash), Ordering::Relaxed);
    }

    #[inline]
    fn note_found(&self, hash: u32, at: usize) {
        // A slot has its place in 32 bits; one whose number does not fit is not remembered.
        let slot = (at as u64 + 1).checked_mul(1 << Self::SLOT_SHIFT).unwrap_or(0);
        self.0.store(slot | u64::from(hash), Ordering::Relaxed);
    }

    #[inline]
    fn is_missed(&self, hash: u32) -> bool {
        self.0.load(Ordering::Relaxed) == Self::IS_MISSED | u64::from(hash)
    }

    /// The slot that had this hash.
    #[inline]
    fn slot(&self, hash: u32) -> Option<usize> {
        let last = self.0.load(Ordering::Relaxed);
        let slot = usize::try_from(last >> Self::SLOT_SHIFT).unwrap_or(0).checked_sub(1)?;
        (last & u64::from(u32::MAX) == u64::from(hash)).then_some(slot)
    }

    #[inline]
    fn forget(&mut self) {
        *self.0.get_mut() = 0;
    }
}

/// What only larger changes need.
#[derive(Clone, Debug, Default)]
struct More {
    /// Empty up to `CHANGES_SCANNED_MAX` slots, and a few behind from then on.
    index: Index,
    /// Large values, which are shared with the tree that they will be in.
    large: Vec<Arc<[u8]>>,
    /// The changes in order, from when somebody has asked for it.
    sorted: OnceLock<Sorted>,
    /// Their places in order, for those who make or write them all; until the next change.
    order: OnceLock<Order>,
    /// What the keys begin with, from when somebody has asked whether any begins with some bytes.
    prefixes: OnceLock<Prefixes>,
}

/// Where a change is in the buffer.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: u32,
    key_bytes: u16,
    /// Bytes of the value behind the key, or one of the following.
    value: u16,
}

/// The key is removed.
const REMOVED: u16 = u16::MAX;
/// Nothing becomes of the key; the slot waits for it to be changed again.
const FORGOTTEN: u16 = u16::MAX - 1;
/// Behind the key is the number of a large value.
const LARGE: u16 = u16::MAX - 2;
/// Bytes of that number.
const NUMBER_BYTES: usize = 4;

impl Slot {
    /// Bytes behind the key.
    fn value_bytes(self) -> usize {
        match self.value {
            REMOVED | FORGOTTEN => 0,
            LARGE => NUMBER_BYTES,
            bytes => bytes.into(),
        }
    }

    fn end(self) -> usize {
        self.at as usize + usize::from(self.key_bytes) + self.value_bytes()
    }
}

impl Buffer {
    /// Whether a change fits in: offsets have 32 bits, lengths of keys 16.
    #[inline]
    pub(super) fn has_room(&self, key: &[u8], value: Stored<'_>) -> bool {
        let bytes = self.bytes.len().saturating_add(key.len()).saturating_add(value.inline().len() + NUMBER_BYTES);
        key.len() <= u16::MAX.into() && u32::try_from(bytes).is_ok()
    }

    /// Whether keys are so alike in their hashes that they are looked for in vain for too long.
    #[inline]
    pub(super) fn is_crowded(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.index.is_crowded())
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the keys, and of the values that are put.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Bytes that are kept in the buffer itself, those of large values not counted.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are so few that a copy, or making their order, costs next to nothing.
    pub(super) fn is_small(&self) -> bool {
        self.slots.len() <= CHANGES_SCANNED_MAX
    }

    /// Sets what becomes of `key`, and calls `before` with what was to become of it. The caller has asked whether there
    /// is room.
    pub(super) fn set(&mut self, key: &[u8], value: Stored<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        let hash = hash(key);
        let is_new = self.slots.is_empty() || self.last.is_missed(hash);
        let found = if is_new { None } else { self.search(key, hash) };
        before(found.and_then(|at| self.nth(at)).map(|(_, found)| Change::of(found)));
        self.set_at(found, key, value, hash);
    }

    /// As [`Buffer::set`], of a key that nothing was put at yet. Unless one was removed, nothing has become of it, and it need not be
    /// looked for.
    pub(super) fn set_new(&mut self, key: &[u8], value: Stored<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        if self.has_absent {
            return self.set(key, value, before);
        }
        let hash = hash(key);
        debug_assert!(self.search_all(key, hash).is_none(), "it is new");
        before(None);
        self.set_at(None, key, value, hash);
    }

    /// Sets what becomes of `key`, for which the slot that was found is, or none.
    #[inline]
    fn set_at(&mut self, found: Option<usize>, key: &[u8], value: Stored<'_>, hash: u32) {
        self.forget_places();
        match found {
            Some(at) => self.change_again(at, key, value),
            None => self.add(key, value, hash),
        }
        if let Some(sorted) = self.more.as_mut().and_then(|more| more.sorted.get_mut()) {
            sorted.insert(key, value);
        }
    }

    /// Lets go of what [`Buffer::order_of_all`] has made.
    #[inline]
    fn forget_places(&mut self) {
        if let Some(more) = self.more.as_mut().filter(|more| more.order.get().is_some()) {
            more.order = OnceLock::new();
        }
    }

    /// Adds a key that is not there.
    fn add(&mut self, key: &[u8], value: Stored<'_>, hash: u32) {
        self.last.forget();
        self.len += 1;
        self.size += key.len() + value.bytes();
        let slot = self.push(key, value);
        self.slots.push(slot);
        self.hashes.push(hash);
        let Some(more) = &mut self.more else {
            if self.slots.len() >= CHANGES_BESIDE_MAX {
                self.more = Some(Box::default());
            }
            return;
        };
        // Some at a time: what each waits for in memory, they wait for together.
        if self.slots.len() > CHANGES_SCANNED_MAX && self.slots.len() - more.index.len() >= CHANGES_BEHIND_MAX {
            more.index.extend_to(&self.hashes);
        }
        if let Some(prefixes) = more.prefixes.get_mut() {
            prefixes.add(key);
        }
    }

    /// Puts key and value at the end of the buffer.
    fn push(&mut self, key: &[u8], value: Stored<'_>) -> Slot {
        if self.bytes.capacity() == 0 {
            self.bytes = Vec::with_capacity(BYTES_AT_FIRST.max(key.len() + value.inline().len()));
        }
        let (at, key_bytes) = (low(self.bytes.len()), short(key.len()));
        self.bytes.extend_from_slice(key);
        let value = match value {
            Stored::Removed => {
                self.has_absent = true;
                REMOVED
            }
            Stored::Bytes(value) => {
                self.bytes.extend_from_slice(value);
                short(value.len())
            }
            Stored::Large(value) => {
                let large = &mut self.more.get_or_insert_default().large;
                self.bytes.extend_from_slice(&low(large.len()).to_le_bytes());
                large.push(Arc::clone(value));
                LARGE
            }
        };
        Slot { at, key_bytes, value }
    }

    /// Sets what becomes of the key of a slot that is there: in its place if there is room.
    fn change_again(&mut self, at: usize, key: &[u8], value: Stored<'_>) {
        let Some(mut slot) = self.slots.get(at).copied() else { return };
        let value_at = slot.at as usize + key.len();
        // The same key with a value as long as before, as counters and flags have it.
        if let Stored::Bytes(value) = value
            && slot.value < LARGE
            && usize::from(slot.value) == value.len()
        {
            if let Some(place) = self.bytes.get_mut(value_at..value_at + value.len()) {
                place.copy_from_slice(value);
            }
            return;
        }
        if let Some(old_bytes) = self.nth(at).map(|(_, old)| old.bytes()) {
            self.size -= old_bytes;
        } else {
            self.len += 1;
            self.size += key.len();
        }
        self.size += value.bytes();
        let room = slot.value_bytes();
        // A key that changes again and again stays in its place as long as its value fits there. What a change leaves
        // unused is counted, and gathered once it is much.
        match value {
            Stored::Bytes(value) if slot.value != LARGE && value.len() <= room => {
                if let Some(place) = self.bytes.get_mut(value_at..value_at + value.len()) {
                    place.copy_from_slice(value);
                }
                slot.value = short(value.len());
                self.garbage += room - value.len();
            }
            Stored::Removed => {
                self.let_go_of_large(slot);
                self.has_absent = true;
                slot.value = REMOVED;
                self.garbage += room;
            }
            Stored::Large(value) if slot.value == LARGE => {
                if let Some(place) = self.large_mut(slot) {
                    *place = Arc::clone(value);
                }
            }
            Stored::Bytes(_) | Stored::Large(_) => {
                self.let_go_of_large(slot);
                self.garbage += key.len() + room;
                slot = self.push(key, value);
            }
        }
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
        self.give_back();
    }

    /// Takes back what was to become of `key`.
    pub(super) fn forget(&mut self, key: &[u8]) {
        let Some(at) = self.search(key, hash(key)) else { return };
        let Some(old_bytes) = self.nth(at).map(|(_, old)| old.bytes()) else { return };
        self.len -= 1;
        self.size -= key.len() + old_bytes;
        self.last.forget();
        self.forget_places();
        if let Some(sorted) = self.more.as_mut().and_then(|more| more.sorted.get_mut()) {
            sorted.remove(key);
        }
        let Some(slot) = self.slots.get(at).copied() else { return };
        self.let_go_of_large(slot);
        // An operation is undone from its end: as a rule it is the last that is forgotten.
        if at + 1 == self.slots.len() && slot.end() == self.bytes.len() && at < CHANGES_SCANNED_MAX {
            self.bytes.truncate(slot.at as usize);
            self.slots.pop();
            self.hashes.pop();
            return;
        }
        self.garbage += slot.value_bytes();
        self.has_absent = true;
        if let Some(slot) = self.slots.get_mut(at) {
            slot.value = FORGOTTEN;
        }
        self.give_back();
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Found<'_>> {
        // Most that is read is read where nothing was written.
        if self.slots.is_empty() {
            return None;
        }
        let at = self.search(key, hash(key))?;
        self.nth(at).map(|(_, found)| found)
    }

    /// The change in the slot `n`; `None` for one that is forgotten.
    #[inline]
    fn nth(&self, n: usize) -> Option<(&[u8], Found<'_>)> {
        let slot = self.slots.get(n)?;
        let (key, rest) = self.bytes.get(slot.at as usize..)?.split_at_checked(slot.key_bytes.into())?;
        let found = match slot.value {
            REMOVED => Found::Removed,
            FORGOTTEN => return None,
            LARGE => Found::Large(self.more.as_ref()?.large.get(number(rest))?),
            bytes => Found::Bytes(rest.get(..usize::from(bytes))?),
        };
        Some((key, found))
    }

    /// The key of the slot `n`, forgotten or not.
    #[inline]
    fn key(&self, n: usize) -> &[u8] {
        let key = self.slots.get(n).and_then(|slot| {
            let at = slot.at as usize;
            self.bytes.get(at..at + usize::from(slot.key_bytes))
        });
        key.unwrap_or_default()
    }

    /// The changes in the order in which they were made.
    #[inline]
    pub(super) fn each(&self) -> impl Iterator<Item = (&[u8], Found<'_>)> {
        (0..self.slots.len()).filter_map(|at| self.nth(at))
    }

    /// The changes, lowest key first, whose order is made for this.
    pub(super) fn in_order(&self) -> BufferIter<'_> {
        match self.more.as_ref().and_then(|more| more.order.get()) {
            Some(order) => BufferIter { changes: self, order: OrderIter::Kept(order.iter()) },
            None => self.iter_of(self.order(|_| true)),
        }
    }

    /// The places of the changes, lowest key first, made when this is first asked and kept until the next change.
    pub(super) fn order_of_all(&self) -> Option<&[(u64, u32)]> {
        let more = self.more.as_ref()?;
        Some(more.order.get_or_init(|| self.order(|_| true)))
    }

    /// The change at a place.
    #[inline]
    pub(super) fn at(&self, (_, at): (u64, u32)) -> Option<(&[u8], Found<'_>)> {
        self.nth(at as usize)
    }

    fn iter_of(&self, order: Order) -> BufferIter<'_> {
        BufferIter { changes: self, order: OrderIter::Made(order.into_iter()) }
    }

    /// The changes of keys in `range`, lowest key first.
    pub(super) fn range(&self, range: &KeyRange) -> BufferIter<'_> {
        self.iter_of(self.order(|key| range.contains(key)))
    }

    /// How many changes there are of keys in `range`.
    pub(super) fn count(&self, range: &KeyRange) -> usize {
        self.each().filter(|(key, _)| range.contains(key)).count()
    }

    fn order(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Order {
        let mut order: Order = SmallVec::new();
        // Keys of one model begin alike; what they share says nothing about their order.
        let (mut first, mut shared, mut last, mut is_sorted) = (None, 0, &[][..], true);
        for (at, slot) in self.slots.iter().enumerate() {
            let key = self.key(at);
            if slot.value == FORGOTTEN || !is_wanted(key) {
                continue;
            }
            match first {
                None => (first, shared) = (Some(key), key.len()),
                Some(first) => {
                    let start = first.get(..shared).unwrap_or_default();
                    if !key.starts_with(start) {
                        shared = common(start, key);
                    }
                }
            }
            is_sorted &= last <= key;
            last = key;
            order.push((0, low(at)));
        }
        if !is_sorted {
            self.sort(&mut order, shared, SORT_LEVELS_MAX);
        }
        order
    }

    /// Sorts places of keys that share their first `skip` bytes: by the number that the next eight are, and what is alike in them by
    /// what comes after those. To compare keys would wait for memory each time.
    fn sort(&self, order: &mut [(u64, u32)], skip: usize, levels: usize) {
        for (head_of, at) in &mut *order {
            *head_of = head(self.key(*at as usize), skip);
        }
        if levels == 0 {
            let key = |at: u32| self.key(at as usize);
            order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))));
            return;
        }
        if order.len() < CHANGES_IN_RUNS_MIN || !runs::sort(order) {
            order.sort_unstable_by_key(|(head, _)| *head);
        }
        for alike in order.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            let mut keys = alike.iter().map(|(_, at)| self.key(*at as usize));
            let first = keys.next().unwrap_or_default();
            let shared = keys.fold(first, |shared, key| {
                if key.starts_with(shared) { shared } else { shared.get(..common(shared, key)).unwrap_or_default() }
            });
            // Those that differ only in how many zeros they end with are compared as they are.
            let levels = if shared.len() < skip + HEAD_BYTES { 0 } else { levels - 1 };
            self.sort(alike, shared.len(), levels);
        }
    }

    /// The changes in order, made when this is first asked and kept up to date from then on.
    pub(super) fn sorted(&self) -> Option<&Sorted> {
        let more = self.more.as_ref()?;
        Some(more.sorted.get_or_init(|| self.to_sorted()))
    }

    /// Whether it is sure that no key begins with `prefix`.
    pub(super) fn excludes(&self, prefix: &[u8]) -> bool {
        let Some(more) = &self.more else { return false };
        let prefixes = || {
            let mut prefixes = Prefixes::of_length(prefix.len());
            (0..self.slots.len()).for_each(|at| prefixes.add(self.key(at)));
            prefixes
        };
        more.prefixes.get_or_init(prefixes).excludes(prefix)
    }

    /// Those that somebody has asked for before.
    pub(super) fn sorted_before(&self) -> Option<&Sorted> {
        self.more.as_ref()?.sorted.get()
    }

    /// Lets go of what [`Buffer::sorted`] has made.
    #[inline]
    pub(super) fn forget_order(&mut self) {
        if let Some(more) = self.more.as_mut().filter(|more| more.sorted.get().is_some()) {
            more.sorted = OnceLock::new();
        }
    }

    /// The changes as a tree.
    pub(super) fn to_sorted(&self) -> Sorted {
        let mut sorted = Sorted::default();
        for (key, found) in self.in_order() {
            sorted.insert(key, found.stored());
        }
        sorted
    }

    /// A cursor that owns a copy of the changes in `range`; `None` where there are none.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> Option<BufferCursor> {
        let mut kept = Self::default();
        for (key, found) in self.range(range) {
            let slot = kept.push(key, found.stored());
            kept.slots.push(slot);
        }
        if direction == Direction::Backward {
            kept.slots.reverse();
        }
        (!kept.slots.is_empty()).then_some(BufferCursor { changes: kept, at: 0 })
    }

    /// The slot of `key`, forgotten or not.
    #[inline]
    fn search(&self, key: &[u8], hash: u32) -> Option<usize> {
        if let Some(at) = self.last.slot(hash)
            && self.key(at) == key
        {
            return Some(at);
        }
        let found = self.search_all(key, hash);
        if let Some(at) = found {
            self.last.note_found(hash, at);
        }
        found
    }

    fn search_all(&self, key: &[u8], hash: u32) -> Option<usize> {
        let (mut hashes, mut is_alike) = (&*self.hashes, false);
        if hashes.len() > CHANGES_SCANNED_MAX {
            let index = &self.more.as_ref()?.index;
            let found = index.find(hash, |at| {
                let is_it = hashes.get(at) == Some(&hash);
                is_alike |= is_it;
                is_it && self.key(at) == key
            });
            if found.is_some() {
                return found;
            }
            hashes = hashes.get(index.len()..).unwrap_or_default();
        }
        let from = self.hashes.len() - hashes.len();
        let (strides, rest) = hashes.as_chunks::<STRIDE>();
        for (number, stride) in strides.iter().enumerate() {
            // Without a branch for each, so that they are compared together.
            let alike: u8 = stride.iter().map(|other| u8::from(*other == hash)).sum();
            if alike > 0 {
                is_alike = true;
                if let Some(at) = self.search_in(from + number * STRIDE, stride, key, hash) {
                    return Some(at);
                }
            }
        }
        let from = self.hashes.len() - rest.len();
        let in_rest = (from..).zip(rest).filter(|(_, other)| **other == hash).map(|(at, _)| at);
        for at in in_rest {
            is_alike = true;
            if self.key(at) == key {
                return Some(at);
            }
        }
        if !is_alike {
            self.last.note_missed(hash);
        }
        None
    }

    fn search_in(&self, from: usize, hashes: &[u32], key: &[u8], hash: u32) -> Option<usize> {
        let alike = (from..).zip(hashes).filter(|(_, other)| **other == hash);
        alike.map(|(at, _)| at).find(|at| self.key(*at) == key)
    }

    fn large_mut(&mut self, slot: Slot) -> Option<&mut Arc<[u8]>> {
        let number = number(self.bytes.get(slot.end() - NUMBER_BYTES..).unwrap_or_default());
        self.more.as_mut()?.large.get_mut(number)
    }

    fn let_go_of_large(&mut self, slot: Slot) {
        if slot.value == LARGE
            && let Some(value) = self.large_mut(slot)
        {
            *value = Arc::default();
        }
    }

    /// Packs the buffer again when most of it is not in use.
    fn give_back(&mut self) {
        if self.garbage < GARBAGE_BYTES || self.garbage < self.bytes.len() / 2 {
            return;
        }
        let old = std::mem::take(self);
        self.bytes.reserve(old.bytes.len() - old.garbage);
        for (at, hash) in old.hashes.iter().enumerate() {
            if let Some((key, found)) = old.nth(at) {
                self.add(key, found.stored(), *hash);
            }
        }
        if let Some(old) = old.more {
            let more = self.more.get_or_insert_default();
            (more.sorted, more.prefixes) = (old.sorted, old.prefixes);
        }
    }
}

/// As good as the keys' own: only a change that is looked for in vain costs more than it has to when two are equal.
fn hash(key: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    // The upper half is the better mixed one.
    u32::try_from(hasher.finish() >> 32).unwrap_or(0)
}

/// The number of a large value.
fn number(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(usize::MAX, |number| u32::from_le_bytes(*number) as usize)
}

/// An offset in the buffer, for which `has_room` has returned `true`.
fn low(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The length of a key, for which `has_room` has returned `true`, or of a value that is not large.
fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Places of slots, each with the head of its key while they are sorted.
type Order = SmallVec<[(u64, u32); 8]>;

/// Changes by reference.
#[derive(Debug)]
pub(super) struct BufferIter<'a> {
    changes: &'a Buffer,
    order: OrderIter<'a>,
}

#[derive(Debug)]
enum OrderIter<'a> {
    Made(smallvec::IntoIter<[(u64, u32); 8]>),
    Kept(std::slice::Iter<'a, (u64, u32)>),
}

impl<'a> Iterator for BufferIter<'a> {
    type Item = (&'a [u8], Found<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let place = match &mut self.order {
            OrderIter::Made(order) => order.next()?,
            OrderIter::Kept(order) => *order.next()?,
        };
        self.changes.at(place)
    }
}

/// Walks over changes of its own and lends each until the next step.
#[derive(Debug)]
pub(in crate::engine) struct BufferCursor {
    changes: Buffer,
    at: usize,
}

impl BufferCursor {
    pub(super) fn step(&mut self) -> Option<(&[u8], Found<'_>)> {
        self.at += 1;
        self.changes.nth(self.at - 1)
    }
}
