//! A number within a bitmap: its type, and where it begins.

use crate::error::{Error, InvalidKind, Result};
use crate::kv::bits::{locate, out_of_range, replace_bit};

/// An integer of 1 to 64 bits within a string, highest bit first.
///
/// # Examples
/// ```
/// use larder::kv::BitField;
/// let kv = larder::Store::in_memory().kv();
/// kv.set("k", [0x12, 0x34])?;
/// assert_eq!(kv.bit_field_get("k", &[BitField::unsigned(4)?.at(4), BitField::signed(8)?.nth(1)])?, [2, 0x34]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitField {
    pub(super) signed: bool,
    pub(super) bits: u8,
    pub(super) offset: u64,
}

impl BitField {
    /// An unsigned integer of 1 to 63 bits, at the beginning of the string.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of bits.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitField;
    /// assert!(BitField::unsigned(63).is_ok() && BitField::unsigned(64).is_err());
    /// ```
    pub fn unsigned(bits: u8) -> Result<Self> {
        Self::checked(false, bits, 63)
    }

    /// A signed integer of 1 to 64 bits, in two's complement, at the beginning of the string.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of bits.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitField;
    /// assert!(BitField::signed(64).is_ok() && BitField::signed(0).is_err());
    /// ```
    pub fn signed(bits: u8) -> Result<Self> {
        Self::checked(true, bits, 64)
    }

    /// The same integer, from the bit at `offset` on.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitField;
    /// assert_eq!(BitField::unsigned(8)?.at(16), BitField::unsigned(8)?.nth(2));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// The same integer, as number `index` of an array of such.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::BitField;
    /// assert_eq!(BitField::signed(5)?.nth(3), BitField::signed(5)?.at(15));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn nth(self, index: u64) -> Self {
        self.at(index.saturating_mul(u64::from(self.bits)))
    }

    fn checked(signed: bool, bits: u8, max: u8) -> Result<Self> {
        if (1..=max).contains(&bits) {
            return Ok(Self { signed, bits, offset: 0 });
        }
        let problem = "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
        Err(Error::invalid(InvalidKind::Value, problem))
    }

    /// The least and the greatest number that fit.
    pub(super) fn bounds(self) -> (i128, i128) {
        let half = 1_i128 << (self.bits - 1);
        if self.signed { (-half, half - 1) } else { (0, 2 * half - 1) }
    }

    /// The number that fits and has the low bits of `number`.
    pub(super) fn wrap(self, number: i128) -> i128 {
        let (least, greatest) = self.bounds();
        (number - least).rem_euclid(greatest - least + 1) + least
    }

    /// How many bytes a string has that just holds the integer.
    pub(super) fn end(self) -> Result<usize> {
        let last = self.offset.checked_add(u64::from(self.bits) - 1).ok_or_else(out_of_range)?;
        Ok(locate(last)?.0 + 1)
    }

    pub(super) fn get(self, value: &[u8]) -> Result<i64> {
        let mut number = 0_i128;
        for offset in self.offsets()? {
            let (byte, mask) = locate(offset)?;
            number = number << 1 | i128::from(value.get(byte).is_some_and(|byte| byte & mask != 0));
        }
        i64::try_from(self.wrap(number)).map_err(|_| out_of_range())
    }

    /// Stores the low bits of `number` in a `value` that reaches far enough.
    pub(super) fn set(self, value: &mut [u8], number: i64) -> Result<()> {
        for (shift, offset) in (0..self.bits).rev().zip(self.offsets()?) {
            let (byte, mask) = locate(offset)?;
            replace_bit(value, byte, mask, number >> shift & 1 == 1);
        }
        Ok(())
    }

    fn offsets(self) -> Result<std::ops::Range<u64>> {
        self.end()?;
        Ok(self.offset..self.offset + u64::from(self.bits))
    }
}
