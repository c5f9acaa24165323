//! How an entry lies in the buffers of a leaf.
//!
//! ```text
//! header u32: what becomes of the value (16 bits), bytes of the rest of the key (12 bits), number of its stem (4 bits)
//! bytes of the rest u32, where the 12 bits have no room for them
//! rest of the key, value
//! ```
//! The first of the three is the length of the value, or says that the value is beside the leaf, or that the entry is the removal of its
//! key.

#![expect(
    clippy::inline_always,
    reason = "a header is read at every step of a search, and taken apart in registers: called, 39 instructions"
)]

use crate::engine::tree::leaf::INLINE_VALUE_BYTES_MAX;

/// Bytes of the header of an entry, as a rule.
pub(super) const HEADER_BYTES: usize = 4;

/// Bytes of the header of an entry with a long key.
pub(super) const HEADER_BYTES_MAX: usize = 8;

/// How many stems a leaf may have; number 0 is none.
pub(super) const STEMS_MAX: usize = 15;

const REST_SHIFT: u32 = 16;
const REST_LONG: usize = 0xfff;
const STEM_SHIFT: u32 = 28;
const REMOVED: u32 = 0xffff;
const BESIDE: u32 = 0x8000;

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It has so many bytes, which lie behind the key.
    Inline(usize),
    /// It lies beside the leaf, at this place.
    Beside(usize),
    /// There is none.
    Removed,
}

/// The header of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    bits: u32,
    /// Bytes of the key behind its stem.
    pub(super) rest: usize,
    /// Bytes of the header itself.
    pub(super) bytes: usize,
}

impl Header {
    /// The header of the entry that `entry` begins with.
    #[inline(always)]
    pub(super) fn of(entry: &[u8]) -> Self {
        let bits = number(entry);
        let rest = (bits >> REST_SHIFT) as usize & REST_LONG;
        if rest == REST_LONG { Self::of_long(entry, bits) } else { Self { bits, rest, bytes: HEADER_BYTES } }
    }

    #[cold]
    fn of_long(entry: &[u8], bits: u32) -> Self {
        let rest = number(entry.get(HEADER_BYTES..).unwrap_or_default());
        Self { bits, rest: rest as usize, bytes: HEADER_BYTES_MAX }
    }

    /// Which of the stems of the leaf the key begins with; 0 is none.
    #[inline(always)]
    pub(super) fn stem(self) -> usize {
        (self.bits >> STEM_SHIFT) as usize
    }

    #[inline(always)]
    pub(super) fn word(self) -> Word {
        match self.bits & REMOVED {
            REMOVED => Word::Removed,
            beside if beside & BESIDE != 0 => Word::Beside((beside ^ BESIDE) as usize),
            length => Word::Inline(length as usize),
        }
    }

    /// Bytes of the value that lie behind the key.
    #[inline(always)]
    pub(super) fn value(self) -> usize {
        let word = self.bits & REMOVED;
        if word & BESIDE == 0 { word as usize } else { 0 }
    }

    /// Bytes of the entry.
    #[inline(always)]
    pub(super) fn entry_bytes(self) -> usize {
        self.bytes + self.rest + self.value()
    }
}

#[inline(always)]
fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Appends a header.
#[inline]
pub(super) fn push_header(out: &mut Vec<u8>, stem: usize, rest: usize, word: Word) {
    debug_assert!(stem <= STEMS_MAX, "a stem has a number");
    let word = match word {
        Word::Inline(bytes) => {
            debug_assert!(bytes <= INLINE_VALUE_BYTES_MAX, "a large value is beside the leaf");
            low(bytes)
        }
        Word::Beside(at) => {
            debug_assert!(low(at) < REMOVED ^ BESIDE, "few values are beside a leaf");
            BESIDE | low(at)
        }
        Word::Removed => REMOVED,
    };
    let bits = word | low(rest.min(REST_LONG)) << REST_SHIFT | low(stem) << STEM_SHIFT;
    out.extend_from_slice(&bits.to_le_bytes());
    if rest >= REST_LONG {
        out.extend_from_slice(&low(rest).to_le_bytes());
    }
}

/// Says in the header of `entry` that its value is at another place beside the leaf.
#[expect(clippy::indexing_slicing, reason = "an entry has a header")]
pub(super) fn set_beside(entry: &mut [u8], at: usize) {
    let bits = number(entry) & !REMOVED | BESIDE | low(at);
    entry[..HEADER_BYTES].copy_from_slice(&bits.to_le_bytes());
}

/// An offset or count within a leaf, which is bounded far below.
pub(super) fn low(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
