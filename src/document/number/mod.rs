//! Numbers: int32, int64, double and decimal128 as one class.
//!
//! They compare by mathematical value, exactly, and their arithmetic returns the narrowest type that holds the result:
//! int32 widens to int64, int64 to double, and a decimal128 among the operands makes the result one.
//!
//! # Decimals
//! Decimal arithmetic is exact ([`BigDecimal`]) and then rounded once, half to even, to 34 digits. Sums keep the smaller
//! exponent and products the sum of the exponents, so that 1.10 + 2.20 is 3.30 and not 3.3. A double that meets a decimal
//! is taken with 15 significant digits, as the original does.
//!
//! # Source
//! IEEE 754-2008, section 3.5.2 (decimal interchange format, binary encoding) and 5.2 (preferred exponents).

mod decimal;
mod functions;
mod series;

use std::cmp::Ordering;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use bson::{Bson, Decimal128, RawBsonRef};

pub(super) use self::decimal::Decimal;
use self::decimal::{divide_exactly, multiply_exactly, sign_of};

/// 2^63, the first double past every int64.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A BSON number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int32(i32),
    Int64(i64),
    Double(f64),
    Decimal(Decimal128),
}

/// A number's exact value.
#[derive(Clone, Debug, PartialEq)]
enum Exact {
    NaN,
    Infinite(Sign),
    Finite(BigDecimal),
}

/// A number between two neighbouring doubles, as index keys store it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Truncated {
    /// The nearest double toward zero; never −0.
    pub(super) toward_zero: f64,
    /// The exact value, when the double is not it.
    pub(super) exact: Option<BigDecimal>,
}

impl Number {
    /// The number that `value` is, or `None` when it is none.
    pub(super) fn from_raw(value: RawBsonRef<'_>) -> Option<Self> {
        match value {
            RawBsonRef::Int32(n) => Some(Self::Int32(n)),
            RawBsonRef::Int64(n) => Some(Self::Int64(n)),
            RawBsonRef::Double(n) => Some(Self::Double(n)),
            RawBsonRef::Decimal128(n) => Some(Self::Decimal(n)),
            _ => None,
        }
    }

    /// The number that `value` is, or `None` when it is none.
    pub(super) fn from_bson(value: &Bson) -> Option<Self> {
        match value {
            Bson::Int32(n) => Some(Self::Int32(*n)),
            Bson::Int64(n) => Some(Self::Int64(*n)),
            Bson::Double(n) => Some(Self::Double(*n)),
            Bson::Decimal128(n) => Some(Self::Decimal(*n)),
            _ => None,
        }
    }

    /// Whether it is the NaN of either type.
    pub(super) fn is_nan(self) -> bool {
        match self {
            Self::Double(n) => n.is_nan(),
            Self::Decimal(n) => matches!(Decimal::unpack(n), Decimal::NaN),
            Self::Int32(_) | Self::Int64(_) => false,
        }
    }

    /// Whether it is a zero, of any type and sign.
    pub(super) fn is_zero(self) -> bool {
        match self {
            Self::Int32(n) => n == 0,
            Self::Int64(n) => n == 0,
            Self::Double(n) => n == 0.0,
            Self::Decimal(n) => matches!(Decimal::unpack(n), Decimal::Finite { value, .. } if value.is_zero()),
        }
    }

    /// Whether its exact value is finite.
    pub(super) fn is_finite(self) -> bool {
        match self {
            Self::Double(n) => n.is_finite(),
            Self::Decimal(n) => matches!(Decimal::unpack(n), Decimal::Finite { .. }),
            Self::Int32(_) | Self::Int64(_) => true,
        }
    }

    /// The nearest double.
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int32(n) => f64::from(n),
            Self::Int64(n) => i64_to_f64(n),
            Self::Double(n) => n,
            Self::Decimal(n) => Decimal::unpack(n).as_f64(),
        }
    }

    /// The value as an integer, or `None` when it is not one or does not fit.
    pub(super) fn as_i64(self) -> Option<i64> {
        match self {
            Self::Int32(n) => Some(n.into()),
            Self::Int64(n) => Some(n),
            Self::Double(n) => f64_to_i64(n).filter(|_| n.fract() == 0.0),
            Self::Decimal(n) => match Decimal::unpack(n) {
                Decimal::Finite { value, .. } if value.is_integer() => {
                    // An integer of more than 40 digits does not fit, and would be costly to write out.
                    let small = value.is_zero() || value.digits().cast_signed() - value.fractional_digit_count() < 40;
                    small.then(|| i64::try_from(value.with_scale(0).into_bigint_and_exponent().0).ok()).flatten()
                }
                _ => None,
            },
        }
    }

    /// The integer that a server of the imitated product takes the number for: a double is cut off, a decimal rounded, half to
    /// even. `None` when it does not fit.
    pub(super) fn to_i64_leniently(self) -> Option<i64> {
        match self {
            Self::Double(n) => f64_to_i64(n.trunc()),
            Self::Decimal(n) => match Decimal::unpack(n) {
                Decimal::Finite { value, .. } if value.digits().cast_signed() - value.fractional_digit_count() < 40 => {
                    let rounded = value.with_scale_round(0, RoundingMode::HalfEven);
                    i64::try_from(rounded.into_bigint_and_exponent().0).ok()
                }
                _ => None,
            },
            whole => whole.as_i64(),
        }
    }

    /// Orders by exact value; NaN equals NaN and is below every other number, and −0 equals 0.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int32(a), Self::Int32(b)) => a.cmp(&b),
            (Self::Double(a), Self::Double(b)) => compare_f64(a, b),
            (Self::Decimal(_), _) | (_, Self::Decimal(_)) => self.exact().compare(&other.exact()),
            (Self::Double(a), Self::Int32(b)) => compare_f64(a, b.into()),
            (Self::Int32(a), Self::Double(b)) => compare_f64(a.into(), b),
            (Self::Double(a), Self::Int64(b)) => compare_i64_f64(b, a).reverse(),
            (Self::Int64(a), Self::Double(b)) => compare_i64_f64(a, b),
            (Self::Int32(a), Self::Int64(b)) => i64::from(a).cmp(&b),
            (Self::Int64(a), Self::Int32(b)) => a.cmp(&b.into()),
            (Self::Int64(a), Self::Int64(b)) => a.cmp(&b),
        }
    }

    /// The sum; where int64 overflows, as a double.
    pub(super) fn add(self, other: Self) -> Self {
        self.checked_add(other).unwrap_or_else(|| Self::Double(self.as_f64() + other.as_f64()))
    }

    /// The difference; where int64 overflows, as a double.
    pub(super) fn subtract(self, other: Self) -> Self {
        self.checked_subtract(other).unwrap_or_else(|| Self::Double(self.as_f64() - other.as_f64()))
    }

    /// The product; where int64 overflows, as a double.
    pub(super) fn multiply(self, other: Self) -> Self {
        self.checked_multiply(other).unwrap_or_else(|| Self::Double(self.as_f64() * other.as_f64()))
    }

    /// The sum, or `None` when int64 overflows.
    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_add, |a, b| a + b, |a, b| a + b)
    }

    /// The difference, or `None` when int64 overflows.
    pub(super) fn checked_subtract(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_sub, |a, b| a - b, |a, b| a - b)
    }

    /// The product, or `None` when int64 overflows.
    pub(super) fn checked_multiply(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_mul, |a, b| a * b, multiply_exactly)
    }

    /// The quotient, a double or a decimal; `None` when `divisor` is zero.
    pub(super) fn divide(self, divisor: Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        if let (Self::Decimal(_), _) | (_, Self::Decimal(_)) = (self, divisor) {
            let quotient = self.decimal().combine(&divisor.decimal(), |a, b| a / b, divide_exactly);
            return Some(Self::Decimal(quotient.pack()));
        }
        Some(Self::Double(self.as_f64() / divisor.as_f64()))
    }

    /// The least integer that is not below it, of the same type.
    pub(super) fn ceil(self) -> Self {
        self.whole(f64::ceil, RoundingMode::Ceiling)
    }

    /// The greatest integer that is not above it, of the same type.
    pub(super) fn floor(self) -> Self {
        self.whole(f64::floor, RoundingMode::Floor)
    }

    /// Rounded half to even, `place` digits behind the point; `None` when an int64 does not hold it.
    pub(super) fn round(self, place: i64) -> Option<Self> {
        self.rescale(place, RoundingMode::HalfEven)
    }

    /// Cut off `place` digits behind the point; `None` when an int64 does not hold it.
    pub(super) fn cut(self, place: i64) -> Option<Self> {
        self.rescale(place, RoundingMode::Down)
    }

    /// The square root, a double or a decimal.
    pub(super) fn sqrt(self) -> Self {
        let Self::Decimal(packed) = self else { return Self::Double(self.as_f64().sqrt()) };
        match Decimal::unpack(packed) {
            Decimal::Finite { value, negative } if value.is_zero() => {
                let scale = value.fractional_digit_count().div_euclid(2);
                Self::Decimal(Decimal::Finite { value: BigDecimal::new(0.into(), scale), negative }.pack())
            }
            Decimal::Finite { value, .. } => {
                Self::Decimal(value.sqrt().map_or(Decimal::NaN, |root| Decimal::finite(root.normalized())).pack())
            }
            Decimal::Infinite(Sign::Minus) | Decimal::NaN => Self::Decimal(Decimal::NaN.pack()),
            infinite @ Decimal::Infinite(_) => Self::Decimal(infinite.pack()),
        }
    }

    fn whole(self, doubles: fn(f64) -> f64, mode: RoundingMode) -> Self {
        match self {
            Self::Double(n) => Self::Double(doubles(n)),
            Self::Decimal(n) => match Decimal::unpack(n) {
                // What has no digit behind the point within 34 digits is none to the original.
                Decimal::Finite { value, .. }
                    if value.digits().cast_signed() - value.fractional_digit_count() <= 34 =>
                {
                    self.rescale(0, mode).unwrap_or(self)
                }
                _ => Self::Decimal(Decimal::NaN.pack()),
            },
            integer => integer,
        }
    }

    fn rescale(self, place: i64, mode: RoundingMode) -> Option<Self> {
        let rounded = |value: BigDecimal| {
            if value.fractional_digit_count() > place { value.with_scale_round(place, mode) } else { value }
        };
        let integer = |n: i64| i64::try_from(rounded(n.into()).with_scale(0).into_bigint_and_exponent().0).ok();
        Some(match self {
            Self::Int32(n) => {
                let whole = integer(n.into())?;
                i32::try_from(whole).map_or(Self::Int64(whole), Self::Int32)
            }
            Self::Int64(n) => Self::Int64(integer(n)?),
            Self::Double(n) => match exact_f64(n) {
                // A text of digits is read to the nearest double; the sign of a zero stays.
                Some(value) => {
                    Self::Double(Decimal::Finite { value: rounded(value), negative: n.is_sign_negative() }.as_f64())
                }
                None => self,
            },
            Self::Decimal(n) => match Decimal::unpack(n) {
                Decimal::Finite { value, negative } => {
                    let missing = place - value.fractional_digit_count();
                    let fits = place > 0 && missing > 0 && value.digits().cast_signed() + missing <= 34;
                    // Places that are asked for are filled with zeros.
                    let value = if fits { value.with_scale(place) } else { rounded(value) };
                    Self::Decimal(Decimal::Finite { value, negative }.pack())
                }
                _ => self,
            },
        })
    }

    /// The nearest double toward zero, and the exact value unless that is it.
    pub(super) fn truncate(self) -> Truncated {
        let float = match self {
            Self::Int32(n) => return Truncated::exactly(n.into()),
            Self::Double(n) => return Truncated::exactly(n),
            Self::Int64(n) => match i64_to_f64(n) {
                // Nearly every integer is a double; the others are taken apart exactly, which is costly.
                float if f64_to_i64(float) == Some(n) => return Truncated::exactly(float),
                float => float,
            },
            Self::Decimal(_) => self.as_f64(),
        };
        let exact = match self.exact() {
            Exact::Finite(exact) => exact,
            Exact::NaN | Exact::Infinite(_) => return Truncated::exactly(float),
        };
        let float = if float.is_infinite() { f64::MAX.copysign(float) } else { float };
        match exact_f64(float).map(|rounded| rounded.cmp(&exact)) {
            Some(Ordering::Equal) | None => Truncated::exactly(float),
            Some(order) if (order == Ordering::Greater) == (exact.sign() == Sign::Plus) => {
                // Rounding went away from zero: the neighbour of smaller magnitude has the next lower bit pattern.
                Truncated { toward_zero: f64::from_bits(float.to_bits().saturating_sub(1)) + 0.0, exact: Some(exact) }
            }
            Some(_) => Truncated { toward_zero: float + 0.0, exact: Some(exact) },
        }
    }

    fn combine(
        self,
        other: Self,
        integers: fn(i64, i64) -> Option<i64>,
        doubles: fn(f64, f64) -> f64,
        decimals: fn(&BigDecimal, &BigDecimal) -> BigDecimal,
    ) -> Option<Self> {
        Some(match (self, other) {
            (Self::Decimal(_), _) | (_, Self::Decimal(_)) => {
                Self::Decimal(self.decimal().combine(&other.decimal(), doubles, decimals).pack())
            }
            (Self::Double(_), _) | (_, Self::Double(_)) => Self::Double(doubles(self.as_f64(), other.as_f64())),
            (Self::Int32(a), Self::Int32(b)) => {
                let wide = integers(a.into(), b.into())?;
                i32::try_from(wide).map_or(Self::Int64(wide), Self::Int32)
            }
            (Self::Int32(a), Self::Int64(b)) => Self::Int64(integers(a.into(), b)?),
            (Self::Int64(a), Self::Int32(b)) => Self::Int64(integers(a, b.into())?),
            (Self::Int64(a), Self::Int64(b)) => Self::Int64(integers(a, b)?),
        })
    }

    fn exact(self) -> Exact {
        let float = match self {
            Self::Int32(n) => return Exact::Finite(n.into()),
            Self::Int64(n) => return Exact::Finite(n.into()),
            Self::Decimal(n) => return Decimal::unpack(n).into(),
            Self::Double(n) => n,
        };
        match exact_f64(float) {
            Some(value) => Exact::Finite(value),
            None if float.is_nan() => Exact::NaN,
            None => Exact::Infinite(sign_of(float.is_sign_negative())),
        }
    }

    /// The number as an operand of decimal arithmetic.
    pub(super) fn decimal(self) -> Decimal {
        match self {
            Self::Int32(n) => Decimal::finite(n.into()),
            Self::Int64(n) => Decimal::finite(n.into()),
            Self::Decimal(n) => Decimal::unpack(n),
            Self::Double(n) => Decimal::from_f64(n),
        }
    }
}

impl From<Number> for Bson {
    fn from(number: Number) -> Self {
        match number {
            Number::Int32(n) => Self::Int32(n),
            Number::Int64(n) => Self::Int64(n),
            Number::Double(n) => Self::Double(n),
            Number::Decimal(n) => Self::Decimal128(n),
        }
    }
}

impl Truncated {
    fn exactly(float: f64) -> Self {
        // Adding zero turns −0 into 0.
        Self { toward_zero: float + 0.0, exact: None }
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Self {
        match decimal {
            Decimal::NaN => Self::NaN,
            Decimal::Infinite(sign) => Self::Infinite(sign),
            Decimal::Finite { value, .. } => Self::Finite(value),
        }
    }
}

impl Exact {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NaN => 0,
            Self::Infinite(Sign::Minus) => 1,
            Self::Finite(_) => 2,
            Self::Infinite(_) => 3,
        }
    }
}

/// The exact value of a finite double.
fn exact_f64(float: f64) -> Option<BigDecimal> {
    BigDecimal::try_from(float).ok()
}

fn compare_f64(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Compares without rounding the integer to a double.
fn compare_i64_f64(integer: i64, float: f64) -> Ordering {
    match f64_to_i64(float) {
        Some(whole) => integer.cmp(&whole).then(compare_f64(0.0, float.fract())),
        None if float > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    }
}

/// The integer part, when an int64 holds it.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked, and the fraction is meant to go")]
fn f64_to_i64(float: f64) -> Option<i64> {
    (-TWO_TO_63..TWO_TO_63).contains(&float).then_some(float as i64)
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
fn i64_to_f64(integer: i64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests;
