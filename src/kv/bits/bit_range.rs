//! Ranges of bits, and what is counted and searched in them.

use crate::error::Result;
use crate::kv::{Kv, string};
use crate::txn::Scope;

/// A part of a string, in bytes or in bits; both ends belong to it.
///
/// A negative index counts from the end, -1 being the last. What is before the beginning is moved to it, and what is past
/// the end to the end.
///
/// # Examples
/// ```
/// use larder::kv::BitRange;
/// let kv = larder::Store::in_memory().kv();
/// kv.set("k", "foobar")?;
/// assert_eq!(kv.bit_count("k", BitRange::all())?, 26);
/// assert_eq!(kv.bit_count("k", BitRange::bytes(1, 1))?, 6);
/// assert_eq!(kv.bit_count("k", BitRange::bits(5, -1))?, 24);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitRange {
    pub(super) start: i64,
    /// `None` when nobody has said where the string ends.
    pub(super) stop: Option<i64>,
    /// How many bits an index stands for.
    pub(super) width: u64,
}

impl BitRange {
    /// The whole string, which [`Kv::bit_position`] takes as followed by zeros.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.bit_count("k", larder::kv::BitRange::all())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self::bytes_from(0)
    }

    /// From byte `start` on, which [`Kv::bit_position`] takes as followed by zeros.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0xff, 0x01])?;
    /// assert_eq!(kv.bit_count("k", larder::kv::BitRange::bytes_from(1))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn bytes_from(start: i64) -> Self {
        Self { start, stop: None, width: 8 }
    }

    /// From byte `start` to byte `stop`.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0xff, 0x01])?;
    /// assert_eq!(kv.bit_count("k", larder::kv::BitRange::bytes(0, -2))?, 8);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn bytes(start: i64, stop: i64) -> Self {
        Self { start, stop: Some(stop), width: 8 }
    }

    /// From bit `start` to bit `stop`.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0xff, 0x01])?;
    /// assert_eq!(kv.bit_count("k", larder::kv::BitRange::bits(6, -1))?, 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn bits(start: i64, stop: i64) -> Self {
        Self { start, stop: Some(stop), width: 1 }
    }

    /// The first and the last bit, in a string of `len` bytes; `None` when there are none.
    fn within(self, len: usize) -> Option<(u64, u64)> {
        let indexes = u64::try_from(len).ok()? * 8 / self.width;
        let index = |index: i64| match index {
            ..0 => indexes.saturating_sub(index.unsigned_abs()),
            0.. => index.unsigned_abs(),
        };
        let (start, stop) = (index(self.start), index(self.stop.unwrap_or(-1)).min(indexes.checked_sub(1)?));
        (start <= stop).then(|| (start * self.width, (stop + 1) * self.width - 1))
    }

    /// Whether both ends count from the end, the wrong way round. Counting looks at this before it moves them.
    pub(super) fn is_reversed(self) -> bool {
        self.stop.is_some_and(|stop| self.start < 0 && stop < 0 && self.start > stop)
    }
}

impl<S: Scope> Kv<S> {
    /// How many bits are set in `range` of the string at `key`; 0 when there is no such key.
    ///
    /// # Errors
    /// [`Error::WrongType`](crate::Error::WrongType) when the key holds something else,
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// One lookup, and O(n) for n bytes of the range.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitRange;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "foobar")?;
    /// assert_eq!(kv.bit_count("k", BitRange::bytes(0, 0))?, 4);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BITCOUNT`.
    #[doc(alias = "BITCOUNT")]
    pub fn bit_count(&self, key: impl AsRef<[u8]>, range: BitRange) -> Result<u64> {
        self.read("bit_count", key.as_ref(), |view, key| {
            Ok(string::look(view, key, |value| count(value, range))?.unwrap_or(0))
        })
    }

    /// The offset of the first bit in `range` of the string at `key` that is `bit`, counted from the beginning of the
    /// string.
    ///
    /// A clear bit is found past the end of the string too, unless the range has an end or the string is empty. In a key
    /// that does not exist it is bit 0, whatever the range.
    ///
    /// # Errors
    /// As [`Kv::bit_count`].
    ///
    /// # Cost
    /// As [`Kv::bit_count`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitRange;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", [0xff, 0xf0])?;
    /// assert_eq!(kv.bit_position("k", false, BitRange::all())?, Some(12));
    /// assert_eq!(kv.bit_position("k", true, BitRange::bytes_from(1))?, Some(8));
    /// assert_eq!(kv.bit_position("k", false, BitRange::bytes(0, 0))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BITPOS`.
    #[doc(alias = "BITPOS")]
    pub fn bit_position(&self, key: impl AsRef<[u8]>, bit: bool, range: BitRange) -> Result<Option<u64>> {
        self.read("bit_position", key.as_ref(), |view, key| {
            let found = string::look(view, key, |value| position(value, bit, range))?;
            Ok(found.unwrap_or((!bit).then_some(0)))
        })
    }
}

fn count(value: &[u8], range: BitRange) -> u64 {
    let Some((first, last)) = range.within(value.len()).filter(|_| !range.is_reversed()) else { return 0 };
    let part = part(value, first, last);
    let ones = part.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    let before = part.first().map_or(0, |byte| (byte & !after(first)).count_ones());
    let behind = part.last().map_or(0, |byte| (byte & !up_to(last)).count_ones());
    ones - u64::from(before) - u64::from(behind)
}

fn position(value: &[u8], bit: bool, range: BitRange) -> Option<u64> {
    let (first, last) = range.within(value.len())?;
    let other = if bit { 0x00 } else { 0xff };
    let (head, rest) = part(value, first, last).split_first()?;
    // In these bytes the bits that are set are those looked for.
    let head = (head ^ other) & after(first);
    let found = if head == 0 { rest.iter().position(|byte| *byte != other) } else { None };
    let (byte, index) = match found {
        Some(at) => (rest.get(at)? ^ other, at + 1),
        None => (head, 0),
    };
    let offset = (first / 8 + u64::try_from(index).ok()?) * 8 + u64::from(byte.leading_zeros());
    if byte != 0 && offset <= last {
        return Some(offset);
    }
    (!bit && range.stop.is_none()).then_some(last + 1)
}

/// The bytes of `value` that hold the bits `first` to `last`.
fn part(value: &[u8], first: u64, last: u64) -> &[u8] {
    let byte = |bit: u64| usize::try_from(bit / 8).unwrap_or(usize::MAX);
    value.get(byte(first)..=byte(last)).unwrap_or_default()
}

/// A mask of the bits of a byte from the bit at `offset` on.
fn after(offset: u64) -> u8 {
    0xff >> (offset % 8)
}

/// A mask of the bits of a byte up to the bit at `offset`.
fn up_to(offset: u64) -> u8 {
    0xff << (7 - offset % 8)
}
