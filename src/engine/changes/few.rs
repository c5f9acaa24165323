//! A few small changes in one buffer.

use std::ops::{Bound, Range};

use smallvec::SmallVec;

use crate::engine::{Change, Direction, KeyRange};

/// More changes than this are kept in a tree.
const CHANGES_MAX: usize = 256;

/// More bytes than this, those of overwritten values included, are kept in a tree.
const BYTES_MAX: usize = 16 << 10;

/// What the buffer has room for at first: a change or two need no second allocation.
const BYTES_AT_FIRST: usize = 512;

/// Changes by key, of which there is room for a few.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    /// Keys and values, one behind the other.
    bytes: Vec<u8>,
    /// In the order of the keys.
    slots: SmallVec<[Slot; 8]>,
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
        let found = self.search(key);
        before(found.ok().and_then(|at| self.nth(at)).map(|(_, change)| change));
        let value = change.value();
        let value_bytes = value.map(|value| short(value.len()));
        if let Ok(at) = found
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
        match found {
            Ok(at) => {
                if let Some(place) = self.slots.get_mut(at) {
                    *place = slot;
                }
            }
            Err(at) => self.slots.insert(at, slot),
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    /// Has nothing become of `key`.
    pub(super) fn forget(&mut self, key: &[u8]) {
        if let Ok(at) = self.search(key) {
            self.slots.remove(at);
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Change<'_>> {
        let at = self.search(key).ok()?;
        self.nth(at).map(|(_, change)| change)
    }

    /// The change that has `n` before it.
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

    /// The changes of keys in `range`, lowest key first.
    #[inline]
    pub(super) fn range(&self, range: &KeyRange) -> FewIter<'_> {
        FewIter { changes: self, places: self.places(range) }
    }

    /// A cursor that owns a copy of the changes in `range`.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> FewCursor {
        let mut kept = Self::default();
        for (key, change) in self.range(range) {
            let value = change.value();
            let slot = Slot {
                at: short(kept.bytes.len()),
                key_bytes: short(key.len()),
                value_bytes: value.map(|value| short(value.len())),
            };
            kept.slots.push(slot);
            kept.bytes.extend_from_slice(key);
            kept.bytes.extend_from_slice(value.unwrap_or_default());
        }
        if direction == Direction::Backward {
            kept.slots.reverse();
        }
        FewCursor { changes: kept, at: 0 }
    }

    /// The places of the keys in `range`.
    fn places(&self, range: &KeyRange) -> Range<usize> {
        let place = |key: &[u8], is_behind: bool| match self.search(key) {
            Ok(at) => at + usize::from(is_behind),
            Err(at) => at,
        };
        let start = match range.start() {
            Bound::Unbounded => 0,
            Bound::Included(key) => place(key, false),
            Bound::Excluded(key) => place(key, true),
        };
        let end = match range.end() {
            Bound::Unbounded => self.slots.len(),
            Bound::Included(key) => place(key, true),
            Bound::Excluded(key) => place(key, false),
        };
        start..end
    }

    /// Where `key` is, or would be.
    #[inline]
    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        self.slots.binary_search_by(|slot| {
            let at = usize::from(slot.at);
            let other = self.bytes.get(at..at + usize::from(slot.key_bytes)).unwrap_or_default();
            other.cmp(key)
        })
    }
}

/// An offset or length in the buffer, which is bounded far below.
fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The changes of a range, by reference.
#[derive(Debug)]
pub(super) struct FewIter<'a> {
    changes: &'a Few,
    places: Range<usize>,
}

impl<'a> Iterator for FewIter<'a> {
    type Item = (&'a [u8], Change<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.changes.nth(self.places.next()?)
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
