//! Decimal128 taken apart, computed with, and put together again.

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use bson::Decimal128;

/// Significant digits of a decimal128.
const DIGITS_MAX: u64 = 34;
/// Largest coefficient: 34 nines.
const COEFFICIENT_MAX: u128 = 9_999_999_999_999_999_999_999_999_999_999_999;
const EXPONENT_BIAS: i64 = 6_176;
const EXPONENT_MIN: i64 = -EXPONENT_BIAS;
const EXPONENT_MAX: i64 = 6_111;
/// Bits of the coefficient below the exponent.
const COEFFICIENT_BITS: u32 = 113;

/// A decimal128 taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decimal {
    NaN,
    Infinite(Sign),
    /// The scale of `value` is the negated exponent. `negative` tells −0 from 0.
    Finite {
        value: BigDecimal,
        negative: bool,
    },
}

impl Decimal {
    /// Takes `packed` apart.
    pub(crate) fn unpack(packed: Decimal128) -> Self {
        let bits = u128::from_le_bytes(packed.bytes());
        let negative = bits >> 127 == 1;
        match bits >> 122 & 0x1f {
            0x1f => return Self::NaN,
            0x1e => return Self::Infinite(sign_of(negative)),
            _ => {}
        }
        // Two bits set announce a coefficient past the largest one, which the standard reads as zero.
        let oversized = bits >> 125 & 3 == 3;
        let exponent = if oversized { bits >> 111 } else { bits >> COEFFICIENT_BITS } & 0x3fff;
        let coefficient = if oversized { 0 } else { bits & ((1 << COEFFICIENT_BITS) - 1) };
        let coefficient = if coefficient > COEFFICIENT_MAX { 0 } else { coefficient };
        let exponent = i64::try_from(exponent).unwrap_or(0) - EXPONENT_BIAS;
        let integer = BigInt::from(coefficient);
        Self::Finite { value: BigDecimal::new(if negative { -integer } else { integer }, -exponent), negative }
    }

    /// The nearest decimal128: rounded half to even to 34 digits, infinite when it is too large.
    pub(crate) fn pack(self) -> Decimal128 {
        let (value, negative) = match self {
            Self::NaN => return special(0x1f, false),
            Self::Infinite(sign) => return special(0x1e, sign == Sign::Minus),
            Self::Finite { value, negative } => (value, negative),
        };
        let value = pad(round(value));
        let (integer, scale) = value.into_bigint_and_exponent();
        let coefficient = u128::try_from(integer.magnitude()).ok().filter(|c| *c <= COEFFICIENT_MAX);
        let exponent = if integer.is_zero() { (-scale).clamp(EXPONENT_MIN, EXPONENT_MAX) } else { -scale };
        match (coefficient, u128::try_from(exponent + EXPONENT_BIAS)) {
            (Some(coefficient), Ok(biased)) if exponent <= EXPONENT_MAX => {
                let bits = u128::from(negative) << 127 | biased << COEFFICIENT_BITS | coefficient;
                Decimal128::from_bytes(bits.to_le_bytes())
            }
            _ => special(0x1e, negative),
        }
    }

    pub(crate) fn finite(value: BigDecimal) -> Self {
        let negative = value.sign() == Sign::Minus;
        Self::Finite { value, negative }
    }

    /// A double as the original takes it into decimal arithmetic: with 15 significant digits.
    pub(crate) fn from_f64(float: f64) -> Self {
        if float.is_nan() {
            return Self::NaN;
        }
        match format!("{float:.14e}").parse() {
            Ok(value) if float.is_finite() => Self::Finite { value, negative: float.is_sign_negative() },
            _ => Self::Infinite(sign_of(float.is_sign_negative())),
        }
    }

    pub(crate) fn as_f64(&self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinite(Sign::Minus) => f64::NEG_INFINITY,
            Self::Infinite(_) => f64::INFINITY,
            Self::Finite { value, negative } => {
                let (integer, scale) = value.as_bigint_and_exponent();
                // The standard library rounds a decimal text to the nearest double.
                let magnitude = format!("{}e{}", integer.magnitude(), -scale).parse().unwrap_or(f64::NAN);
                if *negative { -magnitude } else { magnitude }
            }
        }
    }

    /// The sign and kind of the value as a double, which has the same rules for NaN, infinities and signed zeros.
    fn shadow(&self) -> f64 {
        match self {
            Self::Finite { value, negative } => {
                let magnitude = if value.is_zero() { 0.0 } else { 1.0 };
                if *negative { -magnitude } else { magnitude }
            }
            _ => self.as_f64(),
        }
    }

    pub(crate) fn combine(
        &self,
        other: &Self,
        doubles: fn(f64, f64) -> f64,
        decimals: fn(&BigDecimal, &BigDecimal) -> BigDecimal,
    ) -> Self {
        let shadow = doubles(self.shadow(), other.shadow());
        let (Self::Finite { value: a, .. }, Self::Finite { value: b, .. }) = (self, other) else {
            return match shadow {
                n if n.is_nan() => Self::NaN,
                n if n.is_infinite() => Self::Infinite(sign_of(n.is_sign_negative())),
                n => Self::Finite { value: BigDecimal::zero(), negative: n.is_sign_negative() },
            };
        };
        let value = decimals(a, b);
        let negative =
            if value.is_zero() { shadow == 0.0 && shadow.is_sign_negative() } else { value.sign() == Sign::Minus };
        Self::Finite { value, negative }
    }
}

/// A quotient with digits enough to be rounded to 34, and with the preferred exponent when it is exact.
pub(crate) fn divide_exactly(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    let ((a_int, a_scale), (b_int, b_scale)) = (a.as_bigint_and_exponent(), b.as_bigint_and_exponent());
    let preferred = a_scale - b_scale;
    if a_int.is_zero() {
        return BigDecimal::new(BigInt::zero(), preferred);
    }
    // Two digits more than are kept: one to round at, one for what the division leaves over.
    let extra = i64::try_from(DIGITS_MAX + 2 + b.digits()).unwrap_or(0) - i64::try_from(a.digits()).unwrap_or(0);
    let extra = u32::try_from(extra.max(0)).unwrap_or(0);
    let widened = &a_int * BigInt::from(10).pow(extra);
    let (mut quotient, remainder) = (&widened / &b_int, &widened % &b_int);
    let mut scale = preferred + i64::from(extra);
    let ten = BigInt::from(10);
    if !remainder.is_zero() {
        // A last digit that is not zero keeps the rounding from seeing a tie where there is none.
        let sticky = if (a_int.sign() == Sign::Minus) == (b_int.sign() == Sign::Minus) { 1 } else { -1 };
        return BigDecimal::new(quotient * &ten + sticky, scale + 1);
    }
    while scale > preferred && (&quotient % &ten).is_zero() {
        quotient /= &ten;
        scale -= 1;
    }
    BigDecimal::new(quotient, scale)
}

/// A product whose exponent is the sum of the operands'. The crate's own drops zeros when an operand is 1.
pub(crate) fn multiply_exactly(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    let ((a_int, a_scale), (b_int, b_scale)) = (a.as_bigint_and_exponent(), b.as_bigint_and_exponent());
    BigDecimal::new(a_int * b_int, a_scale + b_scale)
}

/// Rounds to 34 digits and to the smallest exponent.
fn round(value: BigDecimal) -> BigDecimal {
    let mut value = value;
    loop {
        let surplus = value.digits().saturating_sub(DIGITS_MAX).cast_signed();
        let surplus = surplus.max(value.fractional_digit_count() + EXPONENT_MIN);
        if surplus <= 0 || value.is_zero() {
            return value;
        }
        // A carry can add a digit again: 99…9.5 becomes 100…0.
        value = value.with_scale_round(value.fractional_digit_count() - surplus, RoundingMode::HalfEven);
    }
}

/// Appends zeros to the coefficient of a value whose exponent is too large, as far as they fit.
fn pad(value: BigDecimal) -> BigDecimal {
    let excess = -value.fractional_digit_count() - EXPONENT_MAX;
    let room = DIGITS_MAX.saturating_sub(value.digits()).cast_signed();
    if excess > 0 && excess <= room { value.with_scale(-EXPONENT_MAX) } else { value }
}

fn special(combination: u128, negative: bool) -> Decimal128 {
    Decimal128::from_bytes((u128::from(negative) << 127 | combination << 122).to_le_bytes())
}

pub(crate) fn sign_of(negative: bool) -> Sign {
    if negative { Sign::Minus } else { Sign::Plus }
}
