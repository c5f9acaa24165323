//! A few small changes in one buffer.

use std::hash::Hasher;

use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::engine::{Change, Direction, KeyRange};

/// More changes than this are kept in a tree.
const CHANGES_MAX: usize = 256;

/// More bytes than this, those of overwritten values included, are kept in a tree.
const BYTES_MAX: usize = 16 << 10;

/// What the buffer has room for at first: a change or two need no second allocation.
const BYTES_AT_FIRST: usize = 512;

/// Hashes that are compared at once.
const STRIDE: usize = 16;

/// Changes by key, of which there is room for a few.
///
/// Most keys that are asked for were not changed: a search compares hashes, all of them, which takes less time than to compare
/// two keys. Order is made when somebody asks for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    /// Keys and values, one behind the other.
    bytes: Vec<u8>,
    slots: SmallVec<[Slot; 8]>,
    /// Those of the keys, at the places of their slots.
    hashes: SmallVec<[u32; 8]>,
}

/// Where a change is in the buffer.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: u16,
    key_bytes: u16,
    /// `None` for a removal.
    value_bytes: Option<u16>,
}

impl Few {
    /// Whether a change of so many bytes of key and value fits in.
    #[inline]
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.slots.len() < CHANGES_MAX && self.bytes.len().saturating_add(bytes) <= BYTES_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of the keys, and of the values that are put.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |slot: &Slot| usize::from(slot.key_bytes) + usize::from(slot.value_bytes.unwrap_or(0));
        self.slots.iter().map(bytes).sum()
    }

    /// Sets what becomes of `key`, and tells `before` what was to become of it. The caller has asked whether there is room.
    pub(super) fn set(&mut self, key: &[u8], change: Change<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        let hash = hash(key);
        let found = self.search(key, hash);
        before(found.and_then(|at| self.nth(at)).map(|(_, change)| change));
        let value = change.value();
        let value_bytes = value.map(|value| short(value.len()));
        if let Some(at) = found
            && let Some(slot) = self.slots.get_mut(at)
        {
            let value_at = usize::from(slot.at) + usize::from(slot.key_bytes);
            let value = value.unwrap_or_default();
            if value.len() <= slot.value_bytes.map_or(0, usize::from) {
                if let Some(place) = self.bytes.get_mut(value_at..value_at + value.len()) {
                    place.copy_from_slice(value);
                }
                slot.value_bytes = value_bytes;
                return;
            }
        }
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BYTES_AT_FIRST.max(key.len() + value.map_or(0, <[u8]>::len)));
        }
        let slot = Slot { at: short(self.bytes.len()), key_bytes: short(key.len()), value_bytes };
        if let Some(place) = found.and_then(|at| self.slots.get_mut(at)) {
            *place = slot;
        } else {
            self.slots.push(slot);
            self.hashes.push(hash);
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    /// Has nothing become of `key`.
    pub(super) fn forget(&mut self, key: &[u8]) {
        if let Some(at) = self.search(key, hash(key)) {
            self.slots.remove(at);
            self.hashes.remove(at);
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Change<'_>> {
        let at = self.search(key, hash(key))?;
        self.nth(at).map(|(_, change)| change)
    }

    /// The change that was made as the `n`th, counted from 0.
    #[inline]
    pub(super) fn nth(&self, n: usize) -> Option<(&[u8], Change<'_>)> {
        let slot = self.slots.get(n)?;
        let (key, rest) = self.bytes.get(usize::from(slot.at)..)?.split_at_checked(slot.key_bytes.into())?;
        let change = match slot.value_bytes {
            Some(bytes) => Change::Put(rest.get(..usize::from(bytes))?),
            None => Change::Remove,
        };
        Some((key, change))
    }

    /// The changes in the order in which they were made.
    #[inline]
    pub(super) fn each(&self) -> impl Iterator<Item = (&[u8], Change<'_>)> {
        (0..self.slots.len()).filter_map(|at| self.nth(at))
    }

    /// The changes of keys in `range`, lowest key first.
    pub(super) fn range(&self, range: &KeyRange) -> FewIter<'_> {
        let key = |at: u8| self.nth(at.into()).map(|(key, _)| key);
        let mut order: Order = (0..self.slots.len()).filter_map(|at| u8::try_from(at).ok()).collect();
        order.retain(|at| key(*at).is_some_and(|key| range.contains(key)));
        order.sort_unstable_by(|a, b| key(*a).cmp(&key(*b)));
        FewIter { changes: self, order: order.into_iter() }
    }

    /// A cursor that owns a copy of the changes in `range`.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> FewCursor {
        let mut kept = Self::default();
        for (key, change) in self.range(range) {
            let value = change.value();
            let (at, key_bytes) = (short(kept.bytes.len()), short(key.len()));
            kept.slots.push(Slot { at, key_bytes, value_bytes: value.map(|value| short(value.len())) });
            kept.bytes.extend_from_slice(key);
            kept.bytes.extend_from_slice(value.unwrap_or_default());
        }
        if direction == Direction::Backward {
            kept.slots.reverse();
        }
        FewCursor { changes: kept, at: 0 }
    }

    /// Where the change of `key` is.
    #[inline]
    fn search(&self, key: &[u8], hash: u32) -> Option<usize> {
        let (strides, rest) = self.hashes.as_chunks::<STRIDE>();
        for (number, stride) in strides.iter().enumerate() {
            // Without a branch for each, so that they are compared together.
            let alike: u8 = stride.iter().map(|other| u8::from(*other == hash)).sum();
            if alike > 0
                && let Some(at) = self.search_in(number * STRIDE, stride, key, hash)
            {
                return Some(at);
            }
        }
        self.search_in(self.hashes.len() - rest.len(), rest, key, hash)
    }

    fn search_in(&self, from: usize, hashes: &[u32], key: &[u8], hash: u32) -> Option<usize> {
        let alike = (from..).zip(hashes).filter(|(_, other)| **other == hash);
        alike.map(|(at, _)| at).find(|at| self.nth(*at).is_some_and(|(other, _)| other == key))
    }
}

/// As good as the keys' own: only a change that is looked for in vain costs more than it has to when two are equal.
fn hash(key: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    // The upper half is the better mixed one.
    u32::try_from(hasher.finish() >> 32).unwrap_or(0)
}

/// An offset or length in the buffer, which is bounded far below.
fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Places of slots.
type Order = SmallVec<[u8; 32]>;

/// The changes of a range, by reference.
#[derive(Debug)]
pub(super) struct FewIter<'a> {
    changes: &'a Few,
    order: smallvec::IntoIter<[u8; 32]>,
}

impl<'a> Iterator for FewIter<'a> {
    type Item = (&'a [u8], Change<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.changes.nth(self.order.next()?.into())
    }
}

/// Walks over changes of its own and lends each until the next step.
#[derive(Debug)]
pub(in crate::engine) struct FewCursor {
    changes: Few,
    at: usize,
}

impl FewCursor {
    pub(super) fn step(&mut self) -> Option<(&[u8], Change<'_>)> {
        self.at += 1;
        self.changes.nth(self.at - 1)
    }
}
