//! Sums and averages that do not depend on how the values come in.
//!
//! Each kind of number is summed in a form that loses nothing on the way (integers in 128 bits, decimals exactly) or
//! hardly anything (doubles with the rounding errors of all additions carried along), and rounded once at the end.

use bigdecimal::{BigDecimal, Zero};
use bson::Decimal128;
use bson::raw::RawBsonRef;

use super::value::Value;
use crate::document::number::{Decimal, Number};

/// The running total of `$sum` and `$avg`. What is not a number does not count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Total {
    count: u64,
    widest: Width,
    integers: i128,
    doubles: Compensated,
    decimals: Option<BigDecimal>,
    /// The sum of what is not finite, once there is any: it decides the result.
    special: Option<f64>,
    /// Whether the first that is not a number is a decimal with a sign, which then stays.
    is_negative_nan: bool,
}

/// The decimal that is not a number and has a sign.
const NEGATIVE_NAN: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfc];

/// The type of the result, as far as the operands decide it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    #[default]
    Int32,
    Int64,
    Double,
    Decimal,
}

impl Total {
    /// Adds `value` if it is a number.
    pub(crate) fn add(&mut self, value: RawBsonRef<'_>) {
        let Some(number) = Number::from_raw(value) else { return };
        self.count += 1;
        let width = match number {
            Number::Int32(value) => {
                self.integers += i128::from(value);
                Width::Int32
            }
            Number::Int64(value) => {
                self.integers += i128::from(value);
                Width::Int64
            }
            Number::Double(value) => {
                self.add_double(value);
                Width::Double
            }
            Number::Decimal(value) => {
                if let Decimal::Finite { value, .. } = Decimal::unpack(value) {
                    let sum = self.decimals.take();
                    self.decimals = Some(sum.map_or(value.clone(), |sum| sum + value));
                } else {
                    let was_nan = self.special.is_some_and(f64::is_nan);
                    self.is_negative_nan |= !was_nan && value.bytes() == NEGATIVE_NAN;
                    self.add_double(number.as_f64());
                }
                Width::Decimal
            }
        };
        self.widest = self.widest.max(width);
    }

    /// The sum, of the widest type among the numbers or wider where it does not fit; the int32 zero without numbers.
    pub(crate) fn sum(&self) -> Number {
        match self.widest {
            Width::Decimal => self.decimal(),
            Width::Double => Number::Double(self.double()),
            Width::Int32 | Width::Int64 => match (i32::try_from(self.integers), i64::try_from(self.integers)) {
                (Ok(sum), _) if self.widest == Width::Int32 => Number::Int32(sum),
                (_, Ok(sum)) => Number::Int64(sum),
                _ => Number::Double(self.double()),
            },
        }
    }

    /// The average, a double or a decimal, or none without numbers.
    pub(crate) fn average(&self) -> Option<Number> {
        if self.is_negative_nan {
            return Some(self.decimal());
        }
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        let sum = if self.widest == Width::Decimal { self.decimal() } else { Number::Double(self.double()) };
        // Only a count of zero gives none.
        sum.divide(Number::Int64(count))
    }

    fn add_double(&mut self, value: f64) {
        if value.is_finite() {
            self.doubles.add(value);
        } else {
            self.special = Some(self.special.unwrap_or(0.0) + value);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the sum of integers is rounded to a double once, here")]
    fn double(&self) -> f64 {
        let mut doubles = self.doubles.clone();
        if self.integers != 0 {
            doubles.add(self.integers as f64);
        }
        self.special.unwrap_or_else(|| doubles.value())
    }

    fn decimal(&self) -> Number {
        if self.is_negative_nan {
            return Number::Decimal(Decimal128::from_bytes(NEGATIVE_NAN));
        }
        if let Some(special) = self.special {
            return Number::Decimal(Decimal::from_f64(special).pack());
        }
        let mut sum = self.decimals.clone();
        let mut add = |part: BigDecimal| sum = Some(sum.take().map_or(part.clone(), |sum| sum + part));
        if self.integers != 0 {
            add(self.integers.into());
        }
        // Both parts are finite unless the doubles overflowed, and then the result is infinite.
        for part in [self.doubles.sum, self.doubles.correction] {
            match BigDecimal::try_from(part) {
                Ok(_) if part == 0.0 => {}
                Ok(part) => add(part),
                Err(_) => return Number::Decimal(Decimal::from_f64(self.doubles.value()).pack()),
            }
        }
        // The sum begins with zero, whose exponent an exact zero keeps.
        let value = match sum.unwrap_or_default() {
            zero if zero.is_zero() && zero.fractional_digit_count() < 0 => BigDecimal::zero(),
            value => value,
        };
        let negative = value.sign() == bigdecimal::num_bigint::Sign::Minus;
        Number::Decimal(Decimal::Finite { value, negative }.pack())
    }
}

/// A running mean and the squares of what differs from it (Welford's method).
#[derive(Clone, Debug)]
pub(crate) struct Deviation {
    of_sample: bool,
    count: f64,
    mean: f64,
    squares: f64,
}

impl Deviation {
    /// The deviation of a population, or of a sample.
    pub(crate) fn new(of_sample: bool) -> Self {
        Self { of_sample, count: 0.0, mean: 0.0, squares: 0.0 }
    }

    /// Adds `value` if it is a number.
    pub(crate) fn add(&mut self, value: &Value<'_>) {
        let Some(number) = value.number() else { return };
        let number = number.as_f64();
        self.count += 1.0;
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    /// The standard deviation, or null without enough numbers.
    pub(crate) fn value(&self) -> Value<'static> {
        let divisor = if self.of_sample { self.count - 1.0 } else { self.count };
        if divisor <= 0.0 {
            return Value::NULL;
        }
        Number::Double((self.squares / divisor).sqrt()).into()
    }
}

/// A sum of finite doubles and the rounding errors made on the way (Neumaier's variant of Kahan's summation).
#[derive(Clone, Debug, Default)]
struct Compensated {
    sum: f64,
    correction: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.correction +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        // A sum that overflowed has a correction without meaning.
        if self.sum.is_finite() { self.sum + self.correction } else { self.sum }
    }
}
