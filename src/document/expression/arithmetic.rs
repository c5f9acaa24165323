//! Arithmetic: null and missing give null, other non-numbers are an error, dates move by milliseconds.

use bson::DateTime;
use bson::raw::RawBsonRef;

use super::{Value, type_name};
use crate::document::number::{Decimal, Number};
use crate::error::{Error, InvalidKind, Result};

/// `$add`: numbers, and at most one date, which the numbers move.
pub(super) fn add(values: &[Value<'_>]) -> Result<Value<'static>> {
    if values.iter().any(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    let mut date = None;
    let mut sum = Number::Int32(0);
    for value in values {
        match value.or_null() {
            RawBsonRef::DateTime(moment) if date.is_none() => date = Some(moment),
            other => sum = sum.add(number(other, "$add")?),
        }
    }
    match date {
        Some(date) => moved(date, sum),
        None => Ok(sum.into()),
    }
}

/// `$multiply`.
pub(super) fn multiply(values: &[Value<'_>]) -> Result<Value<'static>> {
    if values.iter().any(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    let mut product = Number::Int32(1);
    for value in values {
        product = product.multiply(number(value.or_null(), "$multiply")?);
    }
    Ok(product.into())
}

/// `$subtract`: of numbers; of dates, in milliseconds; of milliseconds from a date.
pub(super) fn subtract(left: &Value<'_>, right: &Value<'_>) -> Result<Value<'static>> {
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    match (left.or_null(), right.or_null()) {
        (RawBsonRef::DateTime(left), RawBsonRef::DateTime(right)) => {
            let millis = left.timestamp_millis().checked_sub(right.timestamp_millis()).ok_or_else(date_overflow)?;
            Ok(Number::Int64(millis).into())
        }
        (RawBsonRef::DateTime(left), right) => {
            let millis = number(right, "$subtract")?;
            moved(left, Number::Int32(0).subtract(millis))
        }
        (left, right) => Ok(number(left, "$subtract")?.subtract(number(right, "$subtract")?).into()),
    }
}

/// `$divide`: a double, or a decimal when one takes part.
pub(super) fn divide(left: &Value<'_>, right: &Value<'_>) -> Result<Value<'static>> {
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    let (left, right) = (number(left.or_null(), "$divide")?, number(right.or_null(), "$divide")?);
    left.divide(right).map(Value::from).ok_or_else(|| by_zero("$divide"))
}

/// `$mod`: the remainder of the division that truncates, with the sign of the dividend.
pub(super) fn modulo(left: &Value<'_>, right: &Value<'_>) -> Result<Value<'static>> {
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    let (left, right) = (number(left.or_null(), "$mod")?, number(right.or_null(), "$mod")?);
    if right.is_zero() {
        return Err(by_zero("$mod"));
    }
    let remainder = match (left, right) {
        // Only the smallest integer by -1 wraps, and its remainder is 0.
        (Number::Int32(left), Number::Int32(right)) => Number::Int32(left.wrapping_rem(right)),
        (Number::Int32(left), Number::Int64(right)) => Number::Int64(i64::from(left).wrapping_rem(right)),
        (Number::Int64(left), Number::Int32(right)) => Number::Int64(left.wrapping_rem(right.into())),
        (Number::Int64(left), Number::Int64(right)) => Number::Int64(left.wrapping_rem(right)),
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => decimal_remainder(left, right),
        (Number::Double(_), _) | (_, Number::Double(_)) => Number::Double(left.as_f64() % right.as_f64()),
    };
    Ok(remainder.into())
}

/// `$abs`.
pub(super) fn abs(value: &Value<'_>) -> Result<Value<'static>> {
    if value.is_nullish() {
        return Ok(Value::NULL);
    }
    let absolute = match number(value.or_null(), "$abs")? {
        Number::Int32(value) => value.checked_abs().map_or(Number::Int64(i64::from(value).abs()), Number::Int32),
        Number::Int64(value) => Number::Int64(value.checked_abs().ok_or_else(|| {
            Error::invalid(InvalidKind::Overflow, "$abs of the smallest 64-bit integer does not fit one")
        })?),
        Number::Double(value) => Number::Double(value.abs()),
        Number::Decimal(value) => {
            let bits = u128::from_le_bytes(value.bytes()) & !(1 << 127);
            Number::Decimal(bson::Decimal128::from_bytes(bits.to_le_bytes()))
        }
    };
    Ok(absolute.into())
}

fn decimal_remainder(left: Number, right: Number) -> Number {
    match (decimal(left), decimal(right)) {
        (Decimal::Finite { value: left, negative }, Decimal::Finite { value: right, .. }) => {
            Number::Decimal(Decimal::Finite { value: left % right, negative }.pack())
        }
        (finite @ Decimal::Finite { .. }, Decimal::Infinite(_)) => Number::Decimal(finite.pack()),
        _ => Number::Decimal(Decimal::NaN.pack()),
    }
}

fn decimal(number: Number) -> Decimal {
    match number {
        Number::Int32(value) => Decimal::Finite { value: value.into(), negative: value < 0 },
        Number::Int64(value) => Decimal::Finite { value: value.into(), negative: value < 0 },
        Number::Double(value) => Decimal::from_f64(value),
        Number::Decimal(value) => Decimal::unpack(value),
    }
}

/// `date`, moved by a number of milliseconds, a fraction of which is rounded.
fn moved(date: DateTime, millis: Number) -> Result<Value<'static>> {
    let whole = millis.as_i64().or_else(|| Number::Double(millis.as_f64().round()).as_i64());
    let moment = whole.and_then(|whole| date.timestamp_millis().checked_add(whole)).ok_or_else(date_overflow)?;
    Ok(Value::Borrowed(RawBsonRef::DateTime(DateTime::from_millis(moment))))
}

fn number(value: RawBsonRef<'_>, operator: &str) -> Result<Number> {
    Number::from_raw(value).ok_or_else(|| {
        let message = format!("{operator} does not take a value of type {}", type_name(value));
        Error::invalid(InvalidKind::Type, message)
    })
}

fn by_zero(operator: &str) -> Error {
    Error::value(format!("{operator} by zero"))
}

fn date_overflow() -> Error {
    Error::invalid(InvalidKind::Overflow, "the result is past the dates that 64 bits of milliseconds can hold")
}
