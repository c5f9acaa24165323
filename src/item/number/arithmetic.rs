//! Adding and subtracting, exactly.

use crate::item::Fault;
use crate::item::number::{COEFFICIENT_END, Number, ten_to};
use crate::limits;

impl Number {
    /// The sum of both numbers.
    ///
    /// # Errors
    /// [`Fault::NumberTooPrecise`] when it has more than 38 significant digits; [`Fault::NumberOverflow`] and
    /// [`Fault::NumberUnderflow`] when it is out of range.
    ///
    /// # Examples
    /// ```
    /// use larder::item::{Fault, Number};
    /// assert_eq!(Number::from(1).checked_add("0.5".parse()?), Ok("1.5".parse()?));
    /// assert_eq!(Number::from(1).checked_add("1e-38".parse()?), Err(Fault::NumberTooPrecise));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` Developer Guide, *Update expressions*: incrementing and decrementing numeric attributes.
    pub fn checked_add(self, other: Self) -> Result<Self, Fault> {
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = usize::from(high.exponent.abs_diff(low.exponent));
        // The last digit of the sum is that of `low`, which is not zero, so that no digit of a sum that is longer than 38
        // can be dropped. Beyond a shift of 38 every sum is; up to there, a coefficient that does not fit 128 bits leaves at
        // least 3.4E38 - 1E38, which has 39 digits.
        if shift > limits::ITEM_NUMBER_DIGITS_MAX {
            return Err(Fault::NumberTooPrecise);
        }
        let scaled = high.coefficient().unsigned_abs().checked_mul(ten_to(shift)).ok_or(Fault::NumberTooPrecise)?;
        let small = low.coefficient().unsigned_abs();
        let (is_negative, sum) = if high.is_negative() == low.is_negative() {
            (high.is_negative(), scaled.checked_add(small).ok_or(Fault::NumberTooPrecise)?)
        } else if scaled >= small {
            (high.is_negative(), scaled - small)
        } else {
            (low.is_negative(), small - scaled)
        };
        Self::from_parts(is_negative, sum, i64::from(low.exponent))
    }

    /// The difference of both numbers.
    ///
    /// # Errors
    /// As [`Number::checked_add`].
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!(Number::from(1).checked_sub("1.5".parse()?), Ok("-0.5".parse()?));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` Developer Guide, *Update expressions*: incrementing and decrementing numeric attributes.
    pub fn checked_sub(self, other: Self) -> Result<Self, Fault> {
        self.checked_add(Self::pack(-other.coefficient(), other.exponent))
    }

    /// The digits of the coefficient, as the leading ones of 38.
    pub(super) fn left_aligned(&self) -> u128 {
        let zeros = limits::ITEM_NUMBER_DIGITS_MAX.saturating_sub(self.digits());
        self.coefficient().unsigned_abs().saturating_mul(ten_to(zeros)).min(COEFFICIENT_END)
    }
}
