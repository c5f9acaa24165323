//! Item numbers: decimals of 38 significant digits, exact.
//!
//! # Invariants
//! A value has one representation: zeros at either end do not count, and there is no negative zero. Arithmetic
//! equality, `Eq`, `Hash`, the stored key and set membership agree. Nothing is ever rounded: what does not fit is an
//! error.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Supported data types*: Number.

mod arithmetic;
mod encoding;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::item::Fault;

pub(super) use encoding::{put_key, put_record, skip_record, take_key, take_record};

/// Largest power of ten of a number's first digit.
const MAGNITUDE_MAX: i64 = 125;

/// Smallest power of ten of a number's first digit.
const MAGNITUDE_MIN: i64 = -130;

/// Powers of ten with which every coefficient is in range.
const SAFE_EXPONENTS: std::ops::RangeInclusive<i64> = MAGNITUDE_MIN..=MAGNITUDE_MAX - 37;

/// The first coefficient that has too many digits.
const COEFFICIENT_END: u128 = 10u128.pow(38);

/// A decimal number of up to 38 significant digits: zero, or of magnitude 1E-130 up to 10E125, exact.
///
/// Made from text, from integers, or from an `f64` (see [`Number::try_from`]); ordered by value. Printed plainly, never
/// with an exponent. It takes 24 bytes and nothing on the heap.
///
/// # Examples
/// ```
/// use larder::item::Number;
/// let price: Number = "01.500".parse()?;
/// assert_eq!(price.to_string(), "1.5");
/// assert_eq!(Number::from(1), "1.0".parse()?);
/// assert!(Number::from(2) < Number::from(10));
/// assert!("1e126".parse::<Number>().is_err());
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` Developer Guide, *Supported data types*: Number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Number {
    /// The halves of the coefficient, an `i128`, which would align the number, and all values, to 16 bytes.
    high: i64,
    low: u64,
    /// Power of ten of the coefficient's last digit, which is not 0 unless the number is.
    exponent: i16,
}

impl Number {
    /// The number as an integer, or `None` when it has a fraction or does not fit.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!("7.0".parse::<Number>()?.to_i64(), Some(7));
    /// assert_eq!("7.5".parse::<Number>()?.to_i64(), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.to_i128().and_then(|integer| i64::try_from(integer).ok())
    }

    /// The number as an unsigned integer, or `None` when it is negative, has a fraction or does not fit.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!(Number::from(u64::MAX).to_u64(), Some(u64::MAX));
    /// assert_eq!(Number::from(-1).to_u64(), None);
    /// ```
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        self.to_i128().and_then(|integer| u64::try_from(integer).ok())
    }

    /// The number as an integer of 128 bits, or `None` when it has a fraction or does not fit.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!("1e38".parse::<Number>()?.to_i128(), Some(10i128.pow(38)));
    /// assert_eq!("1e39".parse::<Number>()?.to_i128(), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        let zeros = u32::try_from(self.exponent).ok()?;
        self.coefficient().checked_mul(10i128.checked_pow(zeros)?)
    }

    /// The number as an unsigned integer of 128 bits, or `None` when it is negative, has a fraction or does not fit.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!("3e38".parse::<Number>()?.to_u128(), Some(3 * 10u128.pow(38)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn to_u128(&self) -> Option<u128> {
        let zeros = u32::try_from(self.exponent).ok()?;
        u128::try_from(self.coefficient()).ok()?.checked_mul(10u128.checked_pow(zeros)?)
    }

    /// The nearest float. Digits past a float's precision are lost; the number itself keeps them.
    ///
    /// # Examples
    /// ```
    /// use larder::item::Number;
    /// assert_eq!("41.5".parse::<Number>()?.to_f64(), 41.5);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        if self.exponent == 0
            && let Ok(integer) = i32::try_from(self.coefficient())
        {
            return f64::from(integer);
        }
        // Every number is far inside the range of floats, so that the text always parses.
        format!("{}e{}", self.coefficient(), self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// What the number counts as in an item's size: one byte, one for each two digits before and each
    /// two behind the point, zeros at either end apart, and one for a sign.
    pub(super) fn size_bytes(&self) -> usize {
        if self.is_zero() {
            return 1;
        }
        let digits = self.digits();
        let fraction = usize::try_from(-self.exponent).unwrap_or(0).min(digits);
        1 + (digits - fraction).div_ceil(2) + fraction.div_ceil(2) + usize::from(self.is_negative())
    }

    fn coefficient(&self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.low)
    }

    fn is_zero(&self) -> bool {
        self.high == 0 && self.low == 0
    }

    fn is_negative(&self) -> bool {
        self.high < 0
    }

    /// How many digits the coefficient has; zero has one.
    fn digits(&self) -> usize {
        digits_of(self.coefficient().unsigned_abs())
    }

    /// The power of ten of the first digit.
    fn magnitude(&self) -> i64 {
        i64::from(self.exponent) + i64::try_from(self.digits()).unwrap_or(i64::MAX) - 1
    }

    /// `coefficient` × 10^`exponent`.
    ///
    /// # Errors
    /// Why that is no number.
    fn from_parts(is_negative: bool, mut coefficient: u128, mut exponent: i64) -> Result<Self, Fault> {
        if coefficient == 0 {
            return Ok(Self::default());
        }
        while is_multiple_of_ten(coefficient) {
            coefficient /= 10;
            exponent = exponent.saturating_add(1);
        }
        Self::from_trimmed(is_negative, coefficient, exponent)
    }

    /// `coefficient` × 10^`exponent`, with a last digit other than 0.
    fn from_trimmed(is_negative: bool, coefficient: u128, exponent: i64) -> Result<Self, Fault> {
        if coefficient >= COEFFICIENT_END {
            return Err(Fault::NumberTooPrecise);
        }
        // Whatever its digits are, up to 38 of them.
        if !SAFE_EXPONENTS.contains(&exponent) {
            let digits = i64::try_from(digits_of(coefficient)).unwrap_or(i64::MAX);
            check_magnitude(exponent.saturating_add(digits - 1))?;
        }
        // Both fit: they have just been checked.
        let exponent = i16::try_from(exponent).map_err(|_| Fault::NumberOverflow)?;
        let coefficient = i128::try_from(coefficient).map_err(|_| Fault::NumberTooPrecise)?;
        Ok(Self::pack(if is_negative { -coefficient } else { coefficient }, exponent))
    }

    fn pack(coefficient: i128, exponent: i16) -> Self {
        let (mut high, mut low) = ([0; 8], [0; 8]);
        let bytes = coefficient.to_be_bytes();
        let (first, last) = bytes.split_at(8);
        high.copy_from_slice(first);
        low.copy_from_slice(last);
        Self { high: i64::from_be_bytes(high), low: u64::from_be_bytes(low), exponent }
    }

    /// An integer of at most 64 bits, which always fits.
    fn from_integer(mut coefficient: i128) -> Self {
        let mut exponent = 0;
        while coefficient != 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        Self::pack(coefficient, exponent)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.exponent == other.exponent {
            return self.coefficient().cmp(&other.coefficient());
        }
        let signs = self.coefficient().signum().cmp(&other.coefficient().signum());
        signs.then_with(|| {
            let magnitudes = self.magnitude().cmp(&other.magnitude());
            let sizes = magnitudes.then_with(|| self.left_aligned().cmp(&other.left_aligned()));
            if self.is_negative() { sizes.reverse() } else { sizes }
        })
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                Self::from_integer(i128::from(value))
            }
        }
    )*};
}

from_integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl TryFrom<i128> for Number {
    type Error = Error;

    /// # Errors
    /// [`Fault::NumberTooPrecise`] for an integer of more than 38 significant digits.
    fn try_from(value: i128) -> Result<Self> {
        Self::from_parts(value < 0, value.unsigned_abs(), 0).map_err(Fault::into_error)
    }
}

impl TryFrom<u128> for Number {
    type Error = Error;

    /// # Errors
    /// [`Fault::NumberTooPrecise`] for an integer of more than 38 significant digits.
    fn try_from(value: u128) -> Result<Self> {
        Self::from_parts(false, value, 0).map_err(Fault::into_error)
    }
}

impl TryFrom<f64> for Number {
    type Error = Error;

    /// The shortest decimal that reads back as the same float, which is what a JSON encoder writes: 0.1 becomes 0.1.
    ///
    /// # Errors
    /// [`Fault::NotANumber`] for NaN and infinities; [`Fault::NumberOverflow`] and [`Fault::NumberUnderflow`] for floats
    /// beyond the range of numbers.
    fn try_from(value: f64) -> Result<Self> {
        if !value.is_finite() {
            return Err(Fault::NotANumber(value.to_string()).into_error());
        }
        format!("{value:e}").parse()
    }
}

impl FromStr for Number {
    type Err = Error;

    /// Reads `[+-] digits [. digits] [e [+-] digits]`; digits may be missing on one side of the point.
    ///
    /// # Errors
    /// [`Fault::NotANumber`] for other text, and for an exponent that does not fit 64 bits;
    /// [`Fault::NumberTooPrecise`] for more than 38 significant digits; [`Fault::NumberOverflow`] and
    /// [`Fault::NumberUnderflow`] beyond the range, where zero is as large as the exponent it is written with.
    ///
    /// # Cost
    /// O(length), whatever the exponent.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).map_err(Fault::into_error)
    }
}

fn parse(text: &str) -> Result<Number, Fault> {
    let not_a_number = || Fault::NotANumber(text.to_owned());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(not_a_number)?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut digits = Digits::default();
    for byte in integer.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return Err(not_a_number());
        }
        digits.push(byte - b'0');
    }
    if digits.read == 0 {
        return Err(not_a_number());
    }
    if digits.is_too_long {
        return Err(Fault::NumberTooPrecise);
    }
    if digits.coefficient == 0 {
        check_magnitude(exponent)?;
        return Ok(Number::default());
    }
    let behind_point = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let trailing = i64::try_from(digits.zeros).unwrap_or(i64::MAX);
    let exponent = exponent.saturating_sub(behind_point).saturating_add(trailing);
    Number::from_parts(mantissa.starts_with('-'), digits.coefficient, exponent)
}

/// Reads digits one by one, however many, and keeps the significant ones.
#[derive(Default)]
struct Digits {
    coefficient: u128,
    /// Zeros that are significant if another digit follows.
    zeros: usize,
    read: usize,
    is_too_long: bool,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        self.read += 1;
        if digit == 0 {
            self.zeros += usize::from(self.coefficient != 0);
            return;
        }
        let shift = u32::try_from(self.zeros + 1).ok().and_then(|zeros| 10u128.checked_pow(zeros));
        let shifted = shift.and_then(|shift| self.coefficient.checked_mul(shift)).unwrap_or(COEFFICIENT_END);
        self.zeros = 0;
        if self.coefficient == 0 {
            self.coefficient = u128::from(digit);
        } else if shifted < COEFFICIENT_END {
            self.coefficient = shifted + u128::from(digit);
        } else {
            self.is_too_long = true;
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative() {
            f.write_str("-")?;
        }
        let coefficient = self.coefficient().unsigned_abs();
        // Integers of 64 bits are written several times as fast.
        if let (Ok(coefficient), Ok(zeros)) = (u64::try_from(coefficient), u32::try_from(self.exponent))
            && let Some(integer) = 10u64.checked_pow(zeros).and_then(|power| coefficient.checked_mul(power))
        {
            return write!(f, "{integer}");
        }
        let Ok(behind_point) = usize::try_from(-self.exponent) else {
            return write!(f, "{coefficient}{:0<1$}", "", usize::from(self.exponent.unsigned_abs()));
        };
        if behind_point == 0 {
            return write!(f, "{coefficient}");
        }
        let digits = coefficient.to_string();
        match digits.len().checked_sub(behind_point) {
            None | Some(0) => write!(f, "0.{digits:0>behind_point$}"),
            Some(point) => {
                let (integer, fraction) = digits.split_at_checked(point).unwrap_or((&digits, ""));
                write!(f, "{integer}.{fraction}")
            }
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An exponent, if it is one and fits.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn check_magnitude(magnitude: i64) -> Result<(), Fault> {
    if magnitude > MAGNITUDE_MAX {
        return Err(Fault::NumberOverflow);
    }
    if magnitude < MAGNITUDE_MIN {
        return Err(Fault::NumberUnderflow);
    }
    Ok(())
}

fn digits_of(coefficient: u128) -> usize {
    // Most coefficients have few digits, and arithmetic of 64 bits is several times as fast.
    let log = u64::try_from(coefficient).map_or_else(|_| coefficient.checked_ilog10(), u64::checked_ilog10);
    log.map_or(1, |log| log as usize + 1)
}

fn is_multiple_of_ten(coefficient: u128) -> bool {
    u64::try_from(coefficient).map_or_else(|_| coefficient.is_multiple_of(10), |small| small.is_multiple_of(10))
}

/// 10^`power`, for powers that a coefficient can have.
fn ten_to(power: usize) -> u128 {
    u32::try_from(power).ok().and_then(|power| 10u128.checked_pow(power)).unwrap_or(COEFFICIENT_END)
}
