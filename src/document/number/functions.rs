//! Elementary functions: of doubles as the processor computes them, of decimals by series.

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, Zero};

use super::decimal::{Decimal, divide_exactly};
use super::{Number, series};

/// Past this, a power of e is no decimal any more.
const EXPONENT_MAX: i32 = 15_000;

/// Below this a series ends with its first term.
const TINY_SCALE: i64 = 60;

impl Number {
    /// The number as a decimal.
    pub(in crate::document) fn as_decimal(self) -> Self {
        Self::Decimal(self.decimal().pack())
    }

    /// The decimal zero with the smallest exponent.
    pub(in crate::document) fn least_decimal_zero() -> Self {
        Self::Decimal(zero().pack())
    }

    /// e to the power of the number.
    pub(in crate::document) fn exp(self) -> Self {
        self.apply(f64::exp, |value| match value {
            Decimal::Infinite(Sign::Minus) => zero(),
            Decimal::Finite { value, .. } => exp(&value),
            other => other,
        })
    }

    /// The natural logarithm of a positive number.
    pub(in crate::document) fn ln(self) -> Self {
        self.apply(f64::ln, |value| match value {
            Decimal::Finite { value, .. } if value.sign() == Sign::Plus => shortest(series::ln(&value)),
            other => other,
        })
    }

    /// The logarithm to the base 10 of a positive number.
    pub(in crate::document) fn log10(self) -> Self {
        self.apply(f64::log10, |value| match value {
            Decimal::Finite { value, .. } if value.sign() == Sign::Plus => shortest(series::log10(&value)),
            other => other,
        })
    }

    /// The number to the power of `exponent`, as a decimal.
    pub(in crate::document) fn power(self, exponent: Self) -> Self {
        // The doubles of the same kinds know what comes of zeros, infinities and signs.
        let (base, exponent) = (self.decimal(), exponent.decimal());
        let (Decimal::Finite { value: x, .. }, Decimal::Finite { value: y, .. }) = (&base, &exponent) else {
            return Self::Double(base.as_f64().powf(exponent.as_f64())).as_decimal();
        };
        if x.is_zero() || y.is_zero() {
            return Self::Double(base.as_f64().powf(exponent.as_f64())).as_decimal();
        }
        let whole = y.is_integer();
        if x.sign() == Sign::Minus && !whole {
            return Self::Decimal(Decimal::NaN.pack());
        }
        let is_odd = whole && !(y / BigDecimal::from(2)).is_integer();
        let magnitude = x.abs();
        let found = match (exact_power(&magnitude, &y.abs()), y.sign()) {
            (Some(exact), Sign::Minus) => Decimal::finite(divide_exactly(&BigDecimal::from(1), &exact)),
            (Some(exact), _) => Decimal::finite(exact),
            (None, _) => exp(&series::exponent(&magnitude, y)),
        };
        let signed = match found {
            Decimal::Finite { value, .. } if x.sign() == Sign::Minus && is_odd => {
                Decimal::Finite { value: -value, negative: true }
            }
            Decimal::Infinite(_) if x.sign() == Sign::Minus && is_odd => Decimal::Infinite(Sign::Minus),
            other => other,
        };
        Self::Decimal(signed.pack())
    }

    /// A function of doubles, and the same of decimals.
    pub(in crate::document) fn apply(self, doubles: fn(f64) -> f64, decimals: impl Fn(Decimal) -> Decimal) -> Self {
        match self {
            Self::Decimal(packed) => Self::Decimal(decimals(Decimal::unpack(packed)).pack()),
            other => Self::Double(doubles(other.as_f64())),
        }
    }

    /// A function of finite decimals and zeros that is about the number itself where that is tiny.
    fn apply_near_zero(self, doubles: fn(f64) -> f64, decimals: fn(&BigDecimal) -> Option<BigDecimal>) -> Self {
        self.apply(doubles, |decimal| match &decimal {
            Decimal::Finite { value, .. } if value.is_zero() || is_tiny(value) => decimal,
            Decimal::Finite { value, .. } => decimals(value).map_or(Decimal::NaN, shortest),
            _ => Decimal::from_f64(doubles(decimal.as_f64())),
        })
    }

    /// The sine; `None` of a decimal that is too large.
    pub(in crate::document) fn sin(self) -> Option<Self> {
        self.has_place().then(|| self.apply_near_zero(f64::sin, |x| series::sin_cos(x).map(|(sin, _)| sin)))
    }

    /// The cosine; `None` of a decimal that is too large.
    pub(in crate::document) fn cos(self) -> Option<Self> {
        self.has_place().then(|| {
            self.apply(f64::cos, |decimal| match &decimal {
                Decimal::Finite { value, .. } => series::sin_cos(value).map_or(Decimal::NaN, |(_, cos)| shortest(cos)),
                _ => Decimal::NaN,
            })
        })
    }

    /// The tangent; `None` of a decimal that is too large.
    pub(in crate::document) fn tan(self) -> Option<Self> {
        self.has_place().then(|| {
            self.apply_near_zero(f64::tan, |x| {
                series::sin_cos(x).filter(|(_, cos)| !cos.is_zero()).map(|(sin, cos)| sin / cos)
            })
        })
    }

    fn has_place(self) -> bool {
        match self {
            Self::Decimal(packed) => match Decimal::unpack(packed) {
                Decimal::Finite { value, .. } => series::sin_cos(&value).is_some(),
                _ => true,
            },
            _ => true,
        }
    }

    pub(in crate::document) fn asin(self) -> Self {
        self.apply_near_zero(f64::asin, |x| Some(series::arcsin(x)))
    }

    pub(in crate::document) fn acos(self) -> Self {
        self.apply(f64::acos, |decimal| match &decimal {
            Decimal::Finite { value, .. } => shortest(series::arccos(value)),
            _ => Decimal::NaN,
        })
    }

    pub(in crate::document) fn atan(self) -> Self {
        self.apply(f64::atan, |decimal| match &decimal {
            Decimal::Finite { value, .. } if value.is_zero() || is_tiny(value) => decimal,
            Decimal::Finite { value, .. } => shortest(series::arctan(value)),
            Decimal::Infinite(sign) => {
                let half = series::pi() / BigDecimal::from(2);
                shortest(if *sign == Sign::Minus { -half } else { half })
            }
            Decimal::NaN => decimal,
        })
    }

    /// The angle of the point (`x`, the number).
    pub(in crate::document) fn atan2(self, x: Self) -> Self {
        if !matches!((self, x), (Self::Decimal(_), _) | (_, Self::Decimal(_))) {
            return Self::Double(self.as_f64().atan2(x.as_f64()));
        }
        let (up, right) = (self.decimal(), x.decimal());
        let (Decimal::Finite { value: up_value, negative }, Decimal::Finite { value: right_value, negative: is_left }) =
            (&up, &right)
        else {
            return Self::Double(up.as_f64().atan2(right.as_f64())).as_decimal();
        };
        let pi = series::pi();
        let angle = match (up_value.is_zero(), right_value.is_zero()) {
            (true, _) if *is_left => pi,
            (true, _) => return Self::Decimal(up.pack()),
            (false, true) => pi / BigDecimal::from(2),
            (false, false) => {
                let slope = series::arctan(&(up_value.abs() / right_value.abs()));
                if *is_left { pi - slope } else { slope }
            }
        };
        Self::Decimal(shortest(if *negative { -angle } else { angle }).pack())
    }

    pub(in crate::document) fn sinh(self) -> Self {
        self.hyperbolic(f64::sinh, |up, down| up - down)
    }

    pub(in crate::document) fn cosh(self) -> Self {
        self.apply(f64::cosh, |decimal| match &decimal {
            Decimal::Finite { value, .. } => match (exp(value), exp(&-value)) {
                (Decimal::Finite { value: up, .. }, Decimal::Finite { value: down, .. }) => {
                    shortest((up + down) / BigDecimal::from(2))
                }
                _ => Decimal::Infinite(Sign::Plus),
            },
            Decimal::Infinite(_) => Decimal::Infinite(Sign::Plus),
            Decimal::NaN => decimal,
        })
    }

    pub(in crate::document) fn tanh(self) -> Self {
        self.apply(f64::tanh, |decimal| match &decimal {
            Decimal::Finite { value, .. } if value.is_zero() || is_tiny(value) => decimal,
            Decimal::Finite { value, .. } if value.abs() > 100 => one(value.sign()),
            Decimal::Finite { value, .. } => {
                let (up, down) = (series::exp(value), series::exp(&-value));
                shortest((&up - &down) / (up + down))
            }
            Decimal::Infinite(sign) => one(*sign),
            Decimal::NaN => decimal,
        })
    }

    fn hyperbolic(self, doubles: fn(f64) -> f64, combine: fn(BigDecimal, BigDecimal) -> BigDecimal) -> Self {
        self.apply(doubles, |decimal| match &decimal {
            Decimal::Finite { value, .. } if value.is_zero() || is_tiny(value) => decimal,
            Decimal::Finite { value, .. } => match (exp(value), exp(&-value)) {
                (Decimal::Finite { value: up, .. }, Decimal::Finite { value: down, .. }) => {
                    shortest(combine(up, down) / BigDecimal::from(2))
                }
                _ => Decimal::Infinite(value.sign()),
            },
            _ => decimal,
        })
    }

    pub(in crate::document) fn asinh(self) -> Self {
        self.apply_near_zero(f64::asinh, |x| Some(series::arsinh(x)))
    }

    pub(in crate::document) fn acosh(self) -> Self {
        self.apply(f64::acosh, |decimal| match &decimal {
            Decimal::Finite { value, .. } => shortest(series::arcosh(value)),
            _ => decimal,
        })
    }

    /// Of a number between −1 and 1; those have none, or an infinite one.
    pub(in crate::document) fn atanh(self) -> Self {
        self.apply(f64::atanh, |decimal| match &decimal {
            Decimal::Finite { value, .. } if value.is_zero() || is_tiny(value) => decimal,
            Decimal::Finite { value, .. } if value.abs() == 1 => Decimal::Infinite(value.sign()),
            Decimal::Finite { value, .. } => shortest(series::artanh(value)),
            _ => decimal,
        })
    }

    /// An angle of degrees in radians.
    pub(in crate::document) fn to_radians(self) -> Self {
        self.scaled(std::f64::consts::PI / 180.0, || series::pi() / BigDecimal::from(180))
    }

    /// An angle of radians in degrees.
    pub(in crate::document) fn to_degrees(self) -> Self {
        self.scaled(180.0 / std::f64::consts::PI, || BigDecimal::from(180) / series::pi())
    }

    fn scaled(self, double: f64, decimal: impl Fn() -> BigDecimal) -> Self {
        match self {
            Self::Decimal(_) => self.multiply(Self::Decimal(Decimal::finite(decimal()).pack())),
            other => Self::Double(other.as_f64() * double),
        }
    }
}

fn exp(x: &BigDecimal) -> Decimal {
    if x.is_zero() {
        return Decimal::finite(BigDecimal::from(1));
    }
    if *x > EXPONENT_MAX {
        return Decimal::Infinite(Sign::Plus);
    }
    if *x < -EXPONENT_MAX {
        return zero();
    }
    Decimal::finite(series::exp(x))
}

/// The smallest zero there is, which results that are too small become.
fn zero() -> Decimal {
    Decimal::Finite { value: BigDecimal::new(0.into(), 6_176), negative: false }
}

fn one(sign: Sign) -> Decimal {
    Decimal::finite(BigDecimal::from(if sign == Sign::Minus { -1 } else { 1 }))
}

/// A result that has no more digits than are kept is exact, and goes without the zeros that a series leaves behind it.
fn shortest(value: BigDecimal) -> Decimal {
    let short = value.normalized();
    if short.digits() > 34 {
        return Decimal::finite(value);
    }
    // Whole numbers have no exponent.
    Decimal::finite(if short.fractional_digit_count() < 0 { short.with_scale(0) } else { short })
}

fn is_tiny(value: &BigDecimal) -> bool {
    value.fractional_digit_count() - i64::try_from(value.digits()).unwrap_or(0) > TINY_SCALE
}

/// The power by a small whole exponent, when it has few digits.
fn exact_power(base: &BigDecimal, exponent: &BigDecimal) -> Option<BigDecimal> {
    let exponent = Some(exponent).filter(|exponent| exponent.is_integer())?;
    let exponent: u32 = exponent.with_scale(0).into_bigint_and_exponent().0.try_into().ok()?;
    let short = base.normalized();
    (u64::from(exponent) * short.digits() <= 200)
        .then(|| (0..exponent).fold(BigDecimal::from(1), |power, _| power * &short))
}
