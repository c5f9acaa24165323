//! Elementary functions of decimals, computed by series over integers that stand for 120 digits behind the point.
//!
//! 34 digits are kept of a result. The others make up for what reductions of the argument lose, so that nearly every result is
//! the nearest decimal there is.

use std::sync::LazyLock;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, Zero};

/// Digits behind the point.
const SCALE: u32 = 120;

static ONE: LazyLock<BigInt> = LazyLock::new(|| BigInt::from(10).pow(SCALE));
static LN_2: LazyLock<BigInt> = LazyLock::new(|| artanh_twice(&(&*ONE / 3)));
/// 10 is 2 · 2 · 2 · 1.25.
static LN_10: LazyLock<BigInt> = LazyLock::new(|| &*LN_2 * 3 + artanh_twice(&(&*ONE / 9)));
/// π by Machin's formula.
static PI: LazyLock<BigInt> = LazyLock::new(|| (arctan_series(&(&*ONE / 5)) * 4 - arctan_series(&(&*ONE / 239))) * 4);

/// What comes of a function: exact, or rounded later.
pub(super) type Made = BigDecimal;

fn fixed(value: &BigDecimal) -> BigInt {
    value.with_scale(SCALE.into()).into_bigint_and_exponent().0
}

fn made(fixed: BigInt) -> Made {
    BigDecimal::new(fixed, SCALE.into())
}

fn times(a: &BigInt, b: &BigInt) -> BigInt {
    a * b / &*ONE
}

fn over(a: &BigInt, b: &BigInt) -> BigInt {
    a * &*ONE / b
}

fn root(a: &BigInt) -> BigInt {
    (a * &*ONE).sqrt()
}

/// The sum of `first`, and of each term made from the one before it, until one is zero.
fn sum(first: BigInt, mut next: impl FnMut(&BigInt, u32) -> BigInt, divide: impl Fn(u32) -> u32) -> BigInt {
    let (mut total, mut term) = (first.clone(), first);
    // No series here takes more terms than digits.
    for place in 1..=4 * SCALE {
        term = next(&term, place);
        if term.is_zero() {
            break;
        }
        total += &term / divide(place);
    }
    total
}

/// 2 · artanh z, which is ln((1 + z) / (1 − z)).
fn artanh_twice(z: &BigInt) -> BigInt {
    let square = times(z, z);
    sum(z.clone(), |term, _| times(term, &square), |place| 2 * place + 1) * 2
}

/// arctan z for a small z.
fn arctan_series(z: &BigInt) -> BigInt {
    let square = -times(z, z);
    sum(z.clone(), |term, _| times(term, &square), |place| 2 * place + 1)
}

/// e^x of a number between −20,000 and 20,000.
pub(super) fn exp(x: &BigDecimal) -> Made {
    let x = fixed(x);
    let tens = (&x * 2 + &*LN_10) / (&*LN_10 * 2);
    let rest: BigInt = (&x - &tens * &*LN_10) >> 10;
    let mut power = sum(ONE.clone(), |term, place| times(term, &rest) / place, |_| 1);
    for _ in 0..10 {
        power = times(&power, &power);
    }
    BigDecimal::new(power, i64::from(SCALE) - i64::try_from(&tens).unwrap_or(0))
}

/// ln x of a positive number.
pub(super) fn ln(x: &BigDecimal) -> Made {
    made(ln_fixed(x))
}

fn ln_fixed(x: &BigDecimal) -> BigInt {
    let digits = i64::try_from(x.digits()).unwrap_or(i64::MAX);
    let (coefficient, scale) = x.as_bigint_and_exponent();
    // Between 1 and 10, then between 0.75 and 1.5.
    let mut mantissa = fixed(&BigDecimal::new(coefficient, digits - 1));
    let (tens, mut halves) = (digits - 1 - scale, 0);
    while &mantissa * 2 > &*ONE * 3 {
        mantissa >>= 1;
        halves += 1;
    }
    let z = over(&(&mantissa - &*ONE), &(&mantissa + &*ONE));
    artanh_twice(&z) + &*LN_2 * halves + &*LN_10 * tens
}

/// The logarithm to the base 10 of a positive number.
pub(super) fn log10(x: &BigDecimal) -> Made {
    let (coefficient, scale) = x.normalized().into_bigint_and_exponent();
    if coefficient == BigInt::from(1) {
        return BigDecimal::from(-scale);
    }
    made(over(&ln_fixed(x), &LN_10))
}

/// `y · ln x`, of which e to the power is x^y.
pub(super) fn exponent(x: &BigDecimal, y: &BigDecimal) -> BigDecimal {
    made(ln_fixed(x)) * y
}

/// sin x and cos x. `None` when x is so large that it takes more digits to find its place on the circle.
pub(super) fn sin_cos(x: &BigDecimal) -> Option<(Made, Made)> {
    let magnitude = i64::try_from(x.digits()).ok()? - x.fractional_digit_count();
    if magnitude > 40 {
        return None;
    }
    let circle = &*PI * 2;
    let x: BigInt = (fixed(x) % circle) >> 8;
    let square = -times(&x, &x);
    let mut sin = sum(x, |term, place| times(term, &square) / (2 * place * (2 * place + 1)), |_| 1);
    let mut cos = sum(ONE.clone(), |term, place| times(term, &square) / (2 * place * (2 * place - 1)), |_| 1);
    for _ in 0..8 {
        (sin, cos) = (times(&sin, &cos) * 2, times(&cos, &cos) - times(&sin, &sin));
    }
    Some((made(sin), made(cos)))
}

/// arctan x.
pub(super) fn arctan(x: &BigDecimal) -> Made {
    let magnitude = i64::try_from(x.digits()).unwrap_or(0) - x.fractional_digit_count();
    if magnitude > i64::from(SCALE) {
        let half = made(&*PI / 2);
        return if x.sign() == Sign::Minus { -half } else { half };
    }
    made(arctan_fixed(&fixed(x)))
}

fn arctan_fixed(x: &BigInt) -> BigInt {
    if x.magnitude() > ONE.magnitude() {
        let quarter: BigInt = &*PI / 2;
        let rest = arctan_fixed(&over(&ONE, x));
        return if x.sign() == Sign::Minus { -quarter - rest } else { quarter - rest };
    }
    let mut small = x.clone();
    for _ in 0..4 {
        let hypotenuse = root(&(&*ONE + times(&small, &small)));
        small = over(&small, &(&*ONE + hypotenuse));
    }
    arctan_series(&small) * 16
}

/// arcsin x of a number from −1 to 1.
pub(super) fn arcsin(x: &BigDecimal) -> Made {
    let x = fixed(x);
    let other = root(&(&*ONE - times(&x, &x)));
    if other.is_zero() {
        let quarter: BigInt = &*PI / 2;
        return made(if x.sign() == Sign::Minus { -quarter } else { quarter });
    }
    made(arctan_fixed(&over(&x, &other)))
}

/// arccos x of a number from −1 to 1.
pub(super) fn arccos(x: &BigDecimal) -> Made {
    made(&*PI / 2) - arcsin(x)
}

/// arsinh x.
pub(super) fn arsinh(x: &BigDecimal) -> Made {
    let value = x.abs();
    let below = value.square() + BigDecimal::from(1);
    let found = ln(&(&value + square_root(&below)));
    if x.sign() == Sign::Minus { -found } else { found }
}

/// arcosh x of a number from 1.
pub(super) fn arcosh(x: &BigDecimal) -> Made {
    ln(&(x + square_root(&(x.square() - BigDecimal::from(1)))))
}

/// artanh x of a number between −1 and 1.
pub(super) fn artanh(x: &BigDecimal) -> Made {
    let one = BigDecimal::from(1);
    let (above, below) = (fixed(&(&one + x)), fixed(&(&one - x)));
    made(ln_fixed(&made(over(&above, &below))) / 2)
}

/// The square root of a number that is not negative, of 120 digits.
fn square_root(x: &BigDecimal) -> BigDecimal {
    let (coefficient, scale) = x.as_bigint_and_exponent();
    let digits = i64::try_from(x.digits()).unwrap_or(0);
    let extra = (2 * i64::from(SCALE) - digits).max(0);
    let extra = extra + (scale + extra).rem_euclid(2);
    let widened = coefficient * BigInt::from(10).pow(u32::try_from(extra).unwrap_or(0));
    let doubled = scale + extra;
    BigDecimal::new(widened.sqrt(), doubled / 2)
}

/// π.
pub(super) fn pi() -> Made {
    made(PI.clone())
}
