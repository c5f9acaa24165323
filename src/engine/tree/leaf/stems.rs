//! What many keys of a leaf begin with, stored once.
//!
//! The stems of a leaf are the first bytes of its `base`, in the order of their numbers, and the header of an entry names the one that its
//! key begins with. Number 1 is what all keys of the leaf begin with; the others are of *groups*, entries that are together in the leaf
//! and agree in more: rows of a partition, fields of a hash, entries of an index with the same value. A stem may be empty, and is then
//! nobody's.
//!
//! Stems are chosen when a leaf is packed, where others than those it has would save enough, and every entry is written anew then. An
//! entry that comes later begins with the stem of its neighbours, if it does; else it has none until the leaf is packed.
//!
//! # Cost
//! Choosing: a look at every head and at the ends of each group. Writing anew: a copy of each entry by itself. A search that has found an
//! entry compares its stem only from `skip` on.

use std::ops::Range;
use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::engine::tree::heads::head;
use crate::engine::tree::key::TreeKey;
use crate::engine::tree::leaf::Leaf;
use crate::engine::tree::leaf::entry::{Header, STEMS_MAX, Word, low, push_header};
use crate::engine::tree::leaf::family::is_family;

/// From how many entries on leaves have stems. Those of what a transaction has changed are smaller, and lend their keys in one part.
const ENTRIES_MIN: usize = 64;

/// The shortest stem, in bytes. Less is not worth putting keys together for those who read them in order.
const STEM_BYTES_MIN: usize = 16;

/// The longest stem, in bytes: all of them have room before the entries of a leaf.
const STEM_BYTES_MAX: usize = 2 << 10;

/// How many entries make a group.
const GROUP_MIN: usize = 4;

/// How many bytes for each place of a leaf other stems have to save before every entry is written anew for them.
const SAVED_MIN: usize = 2;

/// Entries that are to have a stem of their own.
#[derive(Clone, Debug)]
struct Group {
    places: Range<usize>,
    /// Bytes that all their keys begin with.
    stem: usize,
}

/// The stems that a leaf would have if it were written anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Stems {
    /// Bytes of what all keys begin with.
    all: usize,
    /// In the order of their places.
    groups: ArrayVec<Group, { STEMS_MAX - 1 }>,
}

impl<const N: usize> Leaf<N> {
    /// Whether entries may have stems.
    pub(in crate::engine::tree) const HAS_STEMS: bool = N >= ENTRIES_MIN;

    /// Bytes of all stems.
    #[inline]
    pub(super) fn stem_bytes(&self) -> usize {
        usize::from(self.stem_ends[STEMS_MAX + 1])
    }

    /// The stem of a number; that of 0 is empty.
    #[inline]
    pub(super) fn stem(&self, number: usize) -> &[u8] {
        &self.base[usize::from(self.stem_ends[number])..usize::from(self.stem_ends[number + 1])]
    }

    /// Has an empty leaf begin with a stem for keys that come after or before `neighbour`, which is in another leaf, as `key` does.
    pub(super) fn expect_like(&mut self, neighbour: TreeKey<'_>, key: &[u8]) {
        let stem = neighbour.common(key.into()).min(STEM_BYTES_MAX);
        if Self::HAS_STEMS && stem >= STEM_BYTES_MIN {
            self.base = Arc::from(&key[..stem]);
            self.stem_ends[2..].fill(u16::try_from(stem).unwrap_or(u16::MAX));
        }
    }

    /// The stem that an entry with this key is to have which comes to the place `at`, or has it already.
    #[inline]
    pub(super) fn stem_for(&self, at: usize, key: &[u8]) -> usize {
        let all = usize::from(self.stem_ends[2]);
        if self.stem_bytes() > all {
            let head = head(key, self.skip);
            let neighbours = [at.checked_sub(1), (at < self.len).then_some(at)].into_iter().flatten();
            for neighbour in neighbours.filter(|place| is_family(self.heads[*place], head)) {
                let number = Header::of(self.entry(neighbour)).stem();
                if number > 1 && key.starts_with(self.stem(number)) {
                    return number;
                }
            }
        }
        usize::from(all > 0 && key.starts_with(self.stem(1)))
    }

    /// The stems that would save enough beside those there are.
    pub(super) fn better_stems(&self) -> Option<Stems> {
        if !Self::HAS_STEMS || self.len < GROUP_MIN {
            return None;
        }
        let stems = self.wanted_stems();
        let (all, mut saved) = (isize_of(stems.all), isize_of(self.stem_bytes()) - isize_of(stems.all));
        let mut others = self.len;
        for Group { places, stem } in &stems.groups {
            let stem_now = self.stem_now(places.start).min(self.stem_now(places.end - 1));
            saved += (isize_of(*stem) - isize_of(stem_now)) * isize_of(places.len()) - isize_of(*stem);
            others -= places.len();
        }
        // The first entry that is in no group.
        let first_other =
            stems.groups.iter().fold(0, |at, group| if group.places.start == at { group.places.end } else { at });
        if first_other < self.len {
            saved += (all - isize_of(self.stem_now(first_other))) * isize_of(others);
        }
        (saved >= isize_of(SAVED_MIN * N)).then_some(stems)
    }

    /// Bytes of the stem that the entry at `at` has now.
    fn stem_now(&self, at: usize) -> usize {
        self.stem(Header::of(self.entry(at)).stem()).len()
    }

    fn wanted_stems(&self) -> Stems {
        let shared = |from: usize, end: usize| {
            let bytes = self.key(from).common(self.key(end - 1));
            if bytes < STEM_BYTES_MIN { 0 } else { bytes.min(STEM_BYTES_MAX) }
        };
        let mut stems = Stems { all: shared(0, self.len), ..Stems::default() };
        let mut start = 0;
        while start < self.len && !stems.groups.is_full() {
            let end = self.group_end(start);
            if end - start >= GROUP_MIN {
                let stem = shared(start, end);
                if stem > stems.all {
                    stems.groups.push(Group { places: start..end, stem });
                }
            }
            start = end;
        }
        stems
    }

    /// Where those entries end that agree in as much as the one at `start` and the next do: a family with late heads, or one head.
    fn group_end(&self, start: usize) -> usize {
        let of = self.heads[start];
        let is_late = self.is_late(start);
        let is_of = |head: &&u64| if is_late { is_family(**head, of) } else { **head == of };
        start + self.heads[start..self.len].iter().take_while(is_of).count()
    }

    /// Writes stems and entries to `out`, in order and without garbage. Slots and stems are those of `out` from now on, and the buffers
    /// are for the caller to replace.
    pub(super) fn encode(&mut self, stems: &Stems, out: &mut Vec<u8>) {
        out.clear();
        out.reserve(self.bytes() + stems.all + stems.groups.iter().map(|group| group.stem).sum::<usize>());
        let mut ends = [0; STEMS_MAX + 2];
        let of_all = (stems.all, 0);
        let firsts = std::iter::once(of_all).chain(stems.groups.iter().map(|group| (group.stem, group.places.start)));
        for ((bytes, first), end) in firsts.zip(&mut ends[2..]) {
            out.extend_from_slice(&self.key(first).first(bytes));
            *end = u16::try_from(out.len()).unwrap_or(u16::MAX);
        }
        let all = u16::try_from(out.len()).unwrap_or(u16::MAX);
        ends[2 + stems.groups.len()..].fill(all);
        let (mut beside, mut next) = (Vec::new(), 0);
        for at in 0..self.len {
            while stems.groups.get(next).is_some_and(|group| group.places.end <= at) {
                next += 1;
            }
            let (number, stem) = match stems.groups.get(next).filter(|group| group.places.contains(&at)) {
                Some(group) => (next + 2, group.stem),
                None => (usize::from(stems.all > 0), stems.all),
            };
            let slot = low(out.len());
            let entry = self.entry(at);
            let header = Header::of(entry);
            let (old, rest) = (self.stem(header.stem()), &entry[header.bytes..header.bytes + header.rest]);
            let word = match header.word() {
                Word::Beside(place) => {
                    beside.push(Arc::clone(&self.beside[place]));
                    Word::Beside(beside.len() - 1)
                }
                other => other,
            };
            push_header(out, number, old.len() + rest.len() - stem, word);
            if old.len() > stem {
                out.extend_from_slice(&old[stem..]);
            }
            out.extend_from_slice(&entry[header.bytes + stem.saturating_sub(old.len())..header.entry_bytes()]);
            self.slots[at] = slot;
        }
        self.beside = beside;
        self.garbage = 0;
        self.stem_ends = ends;
    }

    /// Has those of `stems` that its entries begin with, and its entries, which are the bytes of `range` of `entries`, for its `base`. The
    /// stems are put before them, over what is there.
    pub(super) fn take_base(&mut self, entries: &mut [u8], range: Range<usize>, stems: &[u8]) {
        let mut first = range.start;
        if !stems.is_empty() {
            let is_used = |used: u32, slot: &u32| used | 1 << Header::of(&entries[*slot as usize..]).stem();
            let used = self.slots[..self.len].iter().fold(0, is_used);
            let old_ends = self.stem_ends;
            let of = |number: usize| usize::from(old_ends[number])..usize::from(old_ends[number + 1]);
            let kept = || (1..=STEMS_MAX).filter(|number| used >> number & 1 == 1);
            first -= kept().map(|number| of(number).len()).sum::<usize>();
            let mut end = first;
            for number in 1..=STEMS_MAX {
                if used >> number & 1 == 1 {
                    let stem = &stems[of(number)];
                    entries[end..end + stem.len()].copy_from_slice(stem);
                    end += stem.len();
                }
                self.stem_ends[number + 1] = u16::try_from(end - first).unwrap_or(u16::MAX);
            }
        }
        self.base = entries[first..range.end].into();
        let first = low(first);
        self.slots[..self.len].iter_mut().for_each(|slot| *slot -= first);
    }
}

fn isize_of(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
