//! Item numbers: decimals of 38 significant digits, exact.
//!
//! # Invariants
//! A value has one representation: zeros at either end do not count, and there is no negative zero. Arithmetic
//! equality, `Eq`, `Hash`, the stored key and set membership agree. Nothing is ever rounded: what does not fit is an
//! error.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Supported data types*: Number.

use std::fmt;
use std::str::FromStr;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, ToPrimitive};

use crate::error::{Error, InvalidKind, Result};
use crate::limits;

/// Largest power of ten of a number's first digit.
const EXPONENT_MAX: i64 = 125;

/// Smallest power of ten of a number's first digit.
const EXPONENT_MIN: i64 = -130;

/// A decimal number of up to 38 significant digits: zero, or of magnitude 1E-130 up to 10E125, exact.
///
/// Made from text, from integers, or from an `f64` (see [`Number::try_from`]); ordered by value. Printed plainly, never
/// with an exponent.
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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(BigDecimal);

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
        if self.0.is_integer() { self.0.to_i64() } else { None }
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
        if self.0.is_integer() { self.0.to_u64() } else { None }
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
        // Every number is far inside the range of floats, so that the text always parses.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// What the number counts as in an item's size: one byte, one for each two digits before and each
    /// two behind the point, zeros at either end apart, and one for a sign.
    pub(super) fn size_bytes(&self) -> usize {
        let (coefficient, scale) = self.0.as_bigint_and_exponent();
        if coefficient.sign() == Sign::NoSign {
            return 1;
        }
        let digits = coefficient.to_i128().map_or(limits::ITEM_NUMBER_DIGITS_MAX, digits_of);
        let fraction = usize::try_from(scale).unwrap_or(0).min(digits);
        let negative = coefficient.sign() == Sign::Minus;
        1 + (digits - fraction).div_ceil(2) + fraction.div_ceil(2) + usize::from(negative)
    }

    pub(super) fn as_decimal(&self) -> &BigDecimal {
        &self.0
    }

    /// Takes a decimal over when it is in range; it has to come without trailing zeros.
    pub(super) fn from_decimal(value: &BigDecimal) -> Result<Self> {
        let (coefficient, scale) = value.as_bigint_and_exponent();
        let coefficient = coefficient.to_i128().ok_or_else(too_many_digits)?;
        Self::from_parts(coefficient, scale.saturating_neg())
    }

    /// `coefficient` × 10^`exponent`; the coefficient has no trailing zeros.
    fn from_parts(coefficient: i128, exponent: i64) -> Result<Self> {
        if coefficient == 0 {
            return Ok(Self(BigDecimal::default()));
        }
        let digits = digits_of(coefficient);
        if digits > limits::ITEM_NUMBER_DIGITS_MAX {
            return Err(too_many_digits());
        }
        let magnitude = exponent.saturating_add(i64::try_from(digits).unwrap_or(i64::MAX)) - 1;
        if magnitude > EXPONENT_MAX {
            let message = format!("number overflow: magnitudes end below 1E{}", EXPONENT_MAX + 1);
            return Err(Error::invalid(InvalidKind::Overflow, message));
        }
        if magnitude < EXPONENT_MIN {
            let message = format!("number underflow: magnitudes begin at 1E{EXPONENT_MIN}");
            return Err(Error::invalid(InvalidKind::Overflow, message));
        }
        Ok(Self(BigDecimal::new(coefficient.into(), -exponent)))
    }

    /// An integer of at most 64 bits, which always fits.
    fn from_integer(value: i128) -> Self {
        let (mut coefficient, mut exponent) = (value, 0i64);
        while coefficient != 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        Self(BigDecimal::new(coefficient.into(), -exponent))
    }
}

impl Default for Number {
    /// Zero.
    fn default() -> Self {
        Self::from_integer(0)
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

impl TryFrom<f64> for Number {
    type Error = Error;

    /// The shortest decimal that reads back as the same float, which is what a JSON encoder writes: 0.1 becomes 0.1.
    ///
    /// # Errors
    /// [`Error::Invalid`] for NaN, infinities and floats beyond the range of numbers.
    fn try_from(value: f64) -> Result<Self> {
        if !value.is_finite() {
            return Err(Error::invalid(InvalidKind::Value, format!("{value} is not an item number")));
        }
        format!("{value:e}").parse()
    }
}

impl FromStr for Number {
    type Err = Error;

    /// Reads `[+-] digits [. digits] [e [+-] digits]`; digits may be missing on one side of the point.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text, for more than 38 significant digits, and beyond the range.
    ///
    /// # Cost
    /// O(length), whatever the exponent.
    fn from_str(text: &str) -> Result<Self> {
        let not_a_number = || Error::invalid(InvalidKind::Syntax, format!("{text:?} is not a number"));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(not_a_number)?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits: String = [integer, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(not_a_number());
        }
        let significant = digits.trim_end_matches('0');
        let trailing = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self::default());
        }
        if significant.len() > limits::ITEM_NUMBER_DIGITS_MAX {
            return Err(too_many_digits());
        }
        let coefficient: i128 = significant.parse().map_err(|_| too_many_digits())?;
        let behind_point = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let exponent =
            exponent.saturating_sub(behind_point).saturating_add(i64::try_from(trailing).unwrap_or(i64::MAX));
        Self::from_parts(if negative { -coefficient } else { coefficient }, exponent)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An exponent far outside the range of numbers stands for all that are further out.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let beyond = if text.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    Some(text.parse::<i32>().map_or(beyond, i64::from))
}

fn digits_of(coefficient: i128) -> usize {
    coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn too_many_digits() -> Error {
    let message = format!("a number has at most {} significant digits", limits::ITEM_NUMBER_DIGITS_MAX);
    Error::invalid(InvalidKind::Overflow, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> InvalidKind {
        match text.parse::<Number>() {
            Err(Error::Invalid { kind, .. }) => kind,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// Numbers of few digits around zero, and of any digits anywhere.
    fn numbers() -> impl Strategy<Value = Number> {
        prop_oneof![
            (-30i128..30, -2i64..3).prop_map(|(n, e)| number(&format!("{n}e{e}"))),
            (any::<i64>(), -120i64..100).prop_map(|(n, e)| number(&format!("{n}e{e}"))),
        ]
    }

    #[test] // SEM: ITM-TYP-2
    fn zeros_at_either_end_and_the_sign_of_zero_are_trimmed() {
        for (text, printed) in [
            ("1", "1"),
            ("1.0", "1"),
            ("01", "1"),
            ("01.500", "1.5"),
            ("-0", "0"),
            ("-0.00e7", "0"),
            ("0e999999999999999999999", "0"),
            ("+12e1", "120"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1.5E-3", "-0.0015"),
        ] {
            assert_eq!(number(text).to_string(), printed, "{text}");
        }
        assert_eq!(number("1E125").to_string().len(), 126, "printed plainly");
        assert_eq!(number("100"), Number::from(100));
    }

    #[test] // SEM: ITM-TYP-2
    fn thirty_eight_digits_count_after_trimming() {
        let digits = "12345678901234567890123456789012345678";
        assert_eq!(number(digits).to_string(), digits);
        assert_eq!(number(&format!("{digits}0")).to_string(), format!("{digits}0"));
        assert_eq!(number(&format!("0.0{digits}00")).to_string(), format!("0.0{digits}"));
        assert_eq!(refused(&format!("{digits}1")), InvalidKind::Overflow);
        assert_eq!(refused(&format!("1{}1", "0".repeat(37))), InvalidKind::Overflow);
    }

    #[test] // SEM: ITM-TYP-2
    fn the_range_ends_where_the_manual_says() {
        let nines = format!("9.{}E+125", "9".repeat(37));
        assert_eq!(number(&nines).to_string(), format!("{}{}", "9".repeat(38), "0".repeat(88)));
        number("1E-130");
        number("-1E-130");
        for beyond in ["1E126", "-1E126", "1E-131", "9.9E-131", "1e99999999999999999999", "-1e-99999999999999999999"] {
            assert_eq!(refused(beyond), InvalidKind::Overflow, "{beyond}");
        }
    }

    #[test]
    fn other_text_is_no_number() {
        for text in
            ["", "-", ".", "1_000", " 1", "1 ", "0x1", "NaN", "Infinity", "1e", "1e+", "e1", "1.2.3", "--1", "1e1.5"]
        {
            assert_eq!(refused(text), InvalidKind::Syntax, "{text:?}");
        }
    }

    #[test]
    fn floats_become_their_shortest_decimal() {
        assert_eq!(Number::try_from(0.1).unwrap(), number("0.1"));
        assert_eq!(Number::try_from(-0.0).unwrap(), number("0"));
        assert_eq!(Number::try_from(1e125).unwrap(), number("1e125"));
        for beyond in [f64::NAN, f64::INFINITY, 1e126, f64::MIN_POSITIVE] {
            assert!(Number::try_from(beyond).is_err(), "{beyond}");
        }
    }

    #[test] // SEM: ITM-LIM-1
    fn size_counts_pairs_of_digits_on_each_side_of_the_point() {
        for (text, bytes) in [
            ("0", 1),
            ("27", 2),
            ("-27", 3),
            ("461", 3),
            ("1E125", 2),
            ("100", 2),
            ("1.5", 3),
            ("0.05", 2),
            ("100.25", 4),
        ] {
            assert_eq!(number(text).size_bytes(), bytes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_gives_the_number_back(a in numbers()) {
            prop_assert_eq!(number(&a.to_string()), a.clone());
            prop_assert_eq!(Number::from_decimal(a.as_decimal()).unwrap(), a);
        }

        #[test]
        fn integers_come_back(a: i64, b: u64) {
            prop_assert_eq!(Number::from(a).to_i64(), Some(a));
            prop_assert_eq!(Number::from(b).to_u64(), Some(b));
            prop_assert_eq!(Number::from(a), number(&a.to_string()));
        }

        #[test]
        fn floats_in_range_come_back(a in -1e100..1e100) {
            prop_assert_eq!(Number::try_from(a).unwrap().to_f64().total_cmp(&a), std::cmp::Ordering::Equal);
        }
    }
}
