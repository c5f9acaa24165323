//! Arithmetic of numbers: of which type a result is, and what it is. Integers wrap, as in Java.

use bigdecimal::num_bigint::Sign;
use bigdecimal::{RoundingMode, ToPrimitive, Zero};

use crate::error::{Error, Result};
use crate::wide_column::cql::ast::Arithmetic;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::exception::Exception;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::{BigDecimal, BigInt};

/// Digits that a quotient of decimals has at least, and behind the point at most.
const QUOTIENT_DIGITS: i64 = 32;
const QUOTIENT_SCALE_MAX: i64 = 1_000;

/// Digits of a decimal or varint that is computed, at most: Cassandra rounds behind as many, which is refused here.
const DIGITS_MAX: u64 = 10_000;

/// The types that numbers have, from the one that gives way to all others on; decimals take every other number.
pub(super) const TYPES: [CqlType; 9] = [
    CqlType::Tinyint,
    CqlType::Smallint,
    CqlType::Int,
    CqlType::Bigint,
    CqlType::Counter,
    CqlType::Float,
    CqlType::Double,
    CqlType::Varint,
    CqlType::Decimal,
];

pub(super) fn is_number(cql_type: &CqlType) -> bool {
    TYPES.contains(cql_type)
}

/// Bytes of an integer of fixed width.
fn width(cql_type: &CqlType) -> Option<u8> {
    match cql_type {
        CqlType::Tinyint => Some(1),
        CqlType::Smallint => Some(2),
        CqlType::Int => Some(4),
        CqlType::Bigint | CqlType::Counter => Some(8),
        _ => None,
    }
}

/// The type of what comes out of numbers of these types; `None` when one is none of numbers.
pub(super) fn common(a: &CqlType, b: &CqlType) -> Option<CqlType> {
    use CqlType as T;
    if !is_number(a) || !is_number(b) {
        return None;
    }
    let has = |of: &T| a == of || b == of;
    let has_float = has(&T::Float) || has(&T::Double);
    Some(if has(&T::Decimal) || (has(&T::Varint) && has_float) {
        T::Decimal
    } else if has(&T::Varint) {
        T::Varint
    } else if has(&T::Double) || (has_float && (width(a) == Some(8) || width(b) == Some(8))) {
        T::Double
    } else if has_float {
        T::Float
    } else {
        match width(a).max(width(b)) {
            Some(1) => T::Tinyint,
            Some(2) => T::Smallint,
            Some(4) => T::Int,
            _ => T::Bigint,
        }
    })
}

/// An integer of any type; `None` of what is none.
pub(super) fn integer(value: &CqlValue) -> Option<BigInt> {
    Some(match value {
        CqlValue::Tinyint(n) => (*n).into(),
        CqlValue::Smallint(n) => (*n).into(),
        CqlValue::Int(n) => (*n).into(),
        CqlValue::Bigint(n) | CqlValue::Counter(n) => (*n).into(),
        CqlValue::Varint(n) => n.clone(),
        _ => return None,
    })
}

/// A number as a float; zero for what is none.
pub(super) fn double(value: &CqlValue) -> f64 {
    match value {
        CqlValue::Float(n) => f64::from(*n),
        CqlValue::Double(n) => *n,
        CqlValue::Decimal(n) => n.to_f64().unwrap_or_default(),
        other => integer(other).and_then(|n| n.to_f64()).unwrap_or_default(),
    }
}

/// A number as a decimal.
///
/// # Errors
/// Those of floats that are no numbers.
fn decimal(value: &CqlValue) -> Result<BigDecimal> {
    let float = |text: String| {
        let number = text.parse::<BigDecimal>();
        number.map_err(|_| invalid(format!("{text} cannot be cast to decimal")))
    };
    match value {
        CqlValue::Decimal(n) => Ok(n.clone()),
        CqlValue::Float(n) => float(format!("{n:?}")),
        CqlValue::Double(n) => float(format!("{n:?}")),
        other => Ok(BigDecimal::from(integer(other).unwrap_or_default())),
    }
}

/// The lowest 64 bits.
fn low(n: &BigInt) -> i64 {
    let bytes = n.to_signed_bytes_le();
    let fill = if n.sign() == Sign::Minus { 0xff } else { 0 };
    let mut own = [fill; 8];
    for (to, from) in own.iter_mut().zip(bytes) {
        *to = from;
    }
    i64::from_le_bytes(own)
}

/// An integer in a type of integers, cut off where it does not fit.
#[expect(clippy::cast_possible_truncation, reason = "numbers are cut off, as Java does it")]
fn fitted(n: BigInt, to: &CqlType) -> CqlValue {
    match to {
        CqlType::Tinyint => CqlValue::Tinyint(low(&n) as i8),
        CqlType::Smallint => CqlValue::Smallint(low(&n) as i16),
        CqlType::Int => CqlValue::Int(low(&n) as i32),
        CqlType::Bigint => CqlValue::Bigint(low(&n)),
        CqlType::Counter => CqlValue::Counter(low(&n)),
        _ => CqlValue::Varint(n),
    }
}

/// What a decimal takes when it is written out.
fn check_size(n: &BigDecimal) -> Result<()> {
    let (_, scale) = n.as_bigint_and_exponent();
    let digits = n.digits().saturating_add(scale.unsigned_abs());
    if digits > DIGITS_MAX {
        return Err(Error::LimitExceeded {
            limit: "digits of a number that is computed",
            max: DIGITS_MAX,
            found: digits,
        });
    }
    Ok(())
}

fn check_integer(n: &BigInt) -> Result<()> {
    // Ten bits are three digits and a bit.
    let digits = n.bits() / 10 * 3;
    if digits > DIGITS_MAX {
        return Err(Error::LimitExceeded {
            limit: "digits of a number that is computed",
            max: DIGITS_MAX,
            found: digits,
        });
    }
    Ok(())
}

/// A number as one of another type, as `CAST` makes it.
///
/// # Errors
/// Cassandra's for floats that are no numbers; [`Error::LimitExceeded`] for decimals of too many digits.
#[expect(clippy::cast_possible_truncation, reason = "numbers are cut off, as Java does it")]
pub(super) fn convert(value: &CqlValue, to: &CqlType) -> Result<CqlValue> {
    Ok(match to {
        CqlType::Float => CqlValue::Float(match value {
            CqlValue::Float(n) => *n,
            other => double(other) as f32,
        }),
        CqlType::Double => CqlValue::Double(double(value)),
        CqlType::Decimal => CqlValue::Decimal(decimal(value)?),
        to => match value {
            CqlValue::Float(_) | CqlValue::Double(_) if !matches!(to, CqlType::Varint) => {
                let n = double(value);
                match to {
                    // Java goes over an integer of 32 bits, which is where a float is held at the ends.
                    CqlType::Tinyint => CqlValue::Tinyint(n as i32 as i8),
                    CqlType::Smallint => CqlValue::Smallint(n as i32 as i16),
                    CqlType::Int => CqlValue::Int(n as i32),
                    CqlType::Counter => CqlValue::Counter(n as i64),
                    _ => CqlValue::Bigint(n as i64),
                }
            }
            CqlValue::Float(_) | CqlValue::Double(_) | CqlValue::Decimal(_) => {
                let n = decimal(value)?;
                check_size(&n)?;
                let (whole, _) = n.with_scale_round(0, RoundingMode::Down).into_bigint_and_exponent();
                fitted(whole, to)
            }
            other => fitted(integer(other).unwrap_or_default(), to),
        },
    })
}

/// `left operator right`, numbers of any types, as one of the type `of`, which is [`common`] to both.
///
/// # Errors
/// Cassandra's for what is divided by zero; [`Error::LimitExceeded`] for what gets too many digits.
pub(super) fn calculate(left: &CqlValue, operator: Arithmetic, right: &CqlValue, of: &CqlType) -> Result<CqlValue> {
    Ok(match of {
        CqlType::Float => {
            let (CqlValue::Float(a), CqlValue::Float(b)) = (convert(left, of)?, convert(right, of)?) else {
                return Ok(CqlValue::Null);
            };
            CqlValue::Float(match operator {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            })
        }
        CqlType::Double => {
            let (a, b) = (double(left), double(right));
            CqlValue::Double(match operator {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            })
        }
        CqlType::Decimal => {
            let (a, b) = (decimal(left)?, decimal(right)?);
            check_size(&a)?;
            check_size(&b)?;
            let found = match operator {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                _ if b.is_zero() => return Err(by_zero(operator, "decimal")),
                Arithmetic::Divide => quotient(&a, &b),
                Arithmetic::Remainder => a % b,
            };
            check_size(&found)?;
            CqlValue::Decimal(found)
        }
        integers => {
            let (a, b) = (integer(left).unwrap_or_default(), integer(right).unwrap_or_default());
            let found = match operator {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                _ if b.is_zero() => return Err(by_zero(operator, &integers.to_string())),
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            };
            check_integer(&found)?;
            fitted(found, integers)
        }
    })
}

fn by_zero(operator: Arithmetic, of: &str) -> Error {
    Exception::FunctionFailure.error(format!("the operation '{of} {operator} {of}' failed: / by zero"))
}

/// A quotient with as many digits as Cassandra gives it.
fn quotient(a: &BigDecimal, b: &BigDecimal) -> BigDecimal {
    let (own, own_scale) = a.as_bigint_and_exponent();
    let (by, by_scale) = b.as_bigint_and_exponent();
    let digits = |n: &BigDecimal| i64::try_from(n.digits()).unwrap_or(i64::MAX);
    let first = (digits(a) - own_scale) - (digits(b) - by_scale);
    let scale = (QUOTIENT_DIGITS - first).max(own_scale).max(by_scale).clamp(QUOTIENT_DIGITS, QUOTIENT_SCALE_MAX);
    // One digit more than is kept, which decides how it is rounded; what is cut off behind it is not zero if anything is.
    let shift = scale + 1 - own_scale + by_scale;
    let ten = |power: i64| BigInt::from(10).pow(u32::try_from(power).unwrap_or_default());
    let (own, by) = if shift >= 0 { (own * ten(shift), by) } else { (own, by * ten(-shift)) };
    BigDecimal::new(own / by, scale + 1).with_scale_round(scale, RoundingMode::HalfUp).normalized_at_zero()
}

/// Decimals without zeros at the end of what is behind the point.
trait Stripped {
    fn normalized_at_zero(self) -> Self;
}

impl Stripped for BigDecimal {
    fn normalized_at_zero(self) -> Self {
        if self.is_zero() { Self::zero() } else { self.normalized() }
    }
}

/// `- value`
pub(super) fn negated(value: &CqlValue) -> Result<CqlValue> {
    Ok(match value {
        CqlValue::Tinyint(n) => CqlValue::Tinyint(n.wrapping_neg()),
        CqlValue::Smallint(n) => CqlValue::Smallint(n.wrapping_neg()),
        CqlValue::Int(n) => CqlValue::Int(n.wrapping_neg()),
        CqlValue::Bigint(n) => CqlValue::Bigint(n.wrapping_neg()),
        CqlValue::Counter(n) => CqlValue::Counter(n.wrapping_neg()),
        CqlValue::Varint(n) => CqlValue::Varint(-n),
        CqlValue::Decimal(n) => CqlValue::Decimal(-n),
        CqlValue::Float(n) => CqlValue::Float(-n),
        CqlValue::Double(n) => CqlValue::Double(-n),
        other => return Err(invalid(format!("a {} has no negative", other.kind()))),
    })
}

/// The sum of two numbers of the type `of`.
pub(super) fn sum(a: &CqlValue, b: &CqlValue, of: &CqlType) -> Result<CqlValue> {
    calculate(a, Arithmetic::Add, b, of)
}

/// Zero of a type of numbers; null of another one.
pub(super) fn zero(of: &CqlType) -> CqlValue {
    if is_number(of) { convert(&CqlValue::Tinyint(0), of).unwrap_or(CqlValue::Null) } else { CqlValue::Null }
}

/// The type in which a mean of numbers of this type is summed up: no sum gets too large for it.
pub(super) fn wide(of: &CqlType) -> CqlType {
    match of {
        CqlType::Float | CqlType::Double => CqlType::Double,
        CqlType::Decimal => CqlType::Decimal,
        _ => CqlType::Varint,
    }
}

/// A sum of so many numbers of the type `of`, divided by their count: integers are cut off, decimals keep their scale.
pub(super) fn mean(sum: &CqlValue, count: i64, of: &CqlType) -> Result<CqlValue> {
    if count == 0 {
        return Ok(zero(of));
    }
    if let CqlValue::Decimal(sum) = sum {
        check_size(sum)?;
        let (_, scale) = sum.as_bigint_and_exponent();
        let exact = sum / BigDecimal::from(count);
        return Ok(CqlValue::Decimal(exact.with_scale_round(scale, RoundingMode::HalfEven)));
    }
    if matches!(of, CqlType::Float | CqlType::Double) {
        #[expect(clippy::cast_precision_loss, reason = "a count has fewer bits than a float has digits")]
        return convert(&CqlValue::Double(double(sum) / count as f64), of);
    }
    calculate(sum, Arithmetic::Divide, &CqlValue::Bigint(count), &CqlType::Varint).and_then(|mean| convert(&mean, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> CqlValue {
        CqlValue::Decimal(text.parse().unwrap())
    }

    #[test]
    fn the_type_of_a_result_is_the_wider_one() {
        use CqlType as T;
        for (a, b, expected) in [
            (T::Tinyint, T::Tinyint, Some(T::Tinyint)),
            (T::Tinyint, T::Int, Some(T::Int)),
            (T::Int, T::Counter, Some(T::Bigint)),
            (T::Int, T::Float, Some(T::Float)),
            (T::Bigint, T::Float, Some(T::Double)),
            (T::Varint, T::Bigint, Some(T::Varint)),
            (T::Varint, T::Float, Some(T::Decimal)),
            (T::Double, T::Decimal, Some(T::Decimal)),
            (T::Int, T::Text, None),
        ] {
            assert_eq!(common(&a, &b), expected, "{a} and {b}");
            assert_eq!(common(&b, &a), expected, "{b} and {a}");
        }
    }

    #[test]
    fn integers_wrap_and_quotients_are_cut_off() {
        let of = |a: i32, operator, b: i32| calculate(&a.into(), operator, &b.into(), &CqlType::Int).unwrap();
        assert_eq!(of(i32::MAX, Arithmetic::Add, 1), CqlValue::Int(i32::MIN));
        assert_eq!(of(i32::MIN, Arithmetic::Divide, -1), CqlValue::Int(i32::MIN));
        assert_eq!(of(-7, Arithmetic::Divide, 2), CqlValue::Int(-3));
        assert_eq!(of(-7, Arithmetic::Remainder, 2), CqlValue::Int(-1));
        let error = calculate(&1.into(), Arithmetic::Divide, &0.into(), &CqlType::Int).unwrap_err();
        assert_eq!(error.to_string(), "the operation 'int / int' failed: / by zero");
        assert_eq!(Exception::of(&error), Exception::FunctionFailure);
    }

    #[test]
    fn decimals_are_exact_and_quotients_have_32_digits() {
        let of = |a, operator, b| calculate(&decimal(a), operator, &decimal(b), &CqlType::Decimal).unwrap();
        assert_eq!(of("1.10", Arithmetic::Add, "2"), decimal("3.10"));
        assert_eq!(of("1", Arithmetic::Divide, "4"), decimal("0.25"));
        assert_eq!(of("10", Arithmetic::Divide, "3"), decimal("3.33333333333333333333333333333333"));
        assert_eq!(of("2", Arithmetic::Divide, "3"), decimal("0.66666666666666666666666666666667"));
        assert_eq!(of("5.5", Arithmetic::Remainder, "2"), decimal("1.5"));
        let huge = calculate(&decimal("1e1000000000"), Arithmetic::Add, &decimal("1"), &CqlType::Decimal);
        assert!(matches!(huge, Err(Error::LimitExceeded { .. })), "{huge:?}");
        assert!(convert(&decimal("1e1000000000"), &CqlType::Int).is_err());
    }

    #[test]
    fn numbers_are_cut_off_or_held_at_the_ends_as_in_java() {
        for (value, to, expected) in [
            (CqlValue::Int(300), CqlType::Tinyint, CqlValue::Tinyint(44)),
            (CqlValue::Double(3e9), CqlType::Int, CqlValue::Int(i32::MAX)),
            (CqlValue::Double(-1.9), CqlType::Bigint, CqlValue::Bigint(-1)),
            (CqlValue::Double(f64::NAN), CqlType::Int, CqlValue::Int(0)),
            (decimal("-1.9"), CqlType::Varint, CqlValue::Varint((-1).into())),
            (decimal("4294967297.5"), CqlType::Int, CqlValue::Int(1)),
            (CqlValue::Double(1.5), CqlType::Decimal, decimal("1.5")),
        ] {
            assert_eq!(convert(&value, &to).unwrap(), expected, "{value:?} to {to}");
        }
        assert!(convert(&CqlValue::Double(f64::NAN), &CqlType::Decimal).is_err());
    }

    #[test]
    fn a_mean_has_the_type_of_its_numbers() {
        assert_eq!(mean(&CqlValue::Varint(7.into()), 2, &CqlType::Int).unwrap(), CqlValue::Int(3));
        assert_eq!(mean(&decimal("0.25"), 2, &CqlType::Decimal).unwrap(), decimal("0.12"));
        assert_eq!(mean(&CqlValue::Double(3.0), 2, &CqlType::Float).unwrap(), CqlValue::Float(1.5));
        assert_eq!(mean(&CqlValue::Null, 0, &CqlType::Bigint).unwrap(), CqlValue::Bigint(0));
    }
}
