//! Arithmetic: null and missing give null, other non-numbers are an error, dates move by milliseconds.
//!
//! Roots, powers and logarithms of decimals are rounded to 34 digits ([`Number::exp`] and its like).

use bson::DateTime;
use bson::raw::RawBsonRef;

use super::super::compile::{Call, Function, listed, own};
use super::super::env::Env;
use super::super::value::Value;
use super::operand::number;
use crate::document::code::Code;
use crate::document::number::{Decimal, Number};
use crate::error::{Error, Result};

/// What dividing by zero says; in groups it has another number.
pub(crate) const DIVIDE_BY_ZERO: &str = "$divide by zero";
pub(crate) const MODULO_BY_ZERO: &str = "$mod by zero";

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$add", 0, usize::MAX, add),
    listed("$subtract", 2, 2, subtract),
    listed("$multiply", 0, usize::MAX, multiply),
    listed("$divide", 2, 2, divide),
    listed("$mod", 2, 2, modulo),
    listed("$abs", 1, 1, abs),
    listed("$ceil", 1, 1, |call, env| whole(call, env, Number::ceil)),
    listed("$floor", 1, 1, |call, env| whole(call, env, Number::floor)),
    listed("$round", 1, 2, round),
    listed("$trunc", 1, 2, trunc),
    listed("$sqrt", 1, 1, sqrt),
    listed("$pow", 2, 2, pow),
    listed("$exp", 1, 1, exp),
    listed("$ln", 1, 1, ln),
    listed("$log10", 1, 1, log10),
    listed("$log", 2, 2, log),
    own("$sigmoid", |compiler, _, operand| Ok(vec![Some(compiler.expression(operand)?)]), sigmoid),
];

/// `$add`: numbers, and at most one date, which the numbers move.
fn add<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let values = call.all(env)?;
    let (mut date, mut sum, mut is_null) = (None, None, false);
    for value in &values {
        if value.is_nullish() {
            is_null = true;
        } else if let RawBsonRef::DateTime(moment) = value.or_null() {
            if date.replace(moment).is_some() {
                return Err(Code::MORE_THAN_ONE_DATE.wrong_type("$add takes no more than one date"));
            }
        } else {
            let number = number(call.name, value, Code::TYPE_MISMATCH)?;
            sum = Some(sum.map_or(number, |sum: Number| sum.add(number)));
        }
    }
    match date {
        _ if is_null => Ok(Value::NULL),
        Some(date) => moved(date, sum.unwrap_or(Number::Int32(0))),
        None => Ok(sum.unwrap_or(Number::Int32(0)).into()),
    }
}

fn multiply<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (mut product, mut is_null) = (None, false);
    for value in &call.all(env)? {
        if value.is_nullish() {
            is_null = true;
            continue;
        }
        let number = number(call.name, value, Code::TYPE_MISMATCH)?;
        product = Some(product.map_or(number, |product: Number| product.multiply(number)));
    }
    Ok(if is_null { Value::NULL } else { product.unwrap_or(Number::Int32(1)).into() })
}

/// `$subtract`: of numbers; of dates, in milliseconds; of milliseconds from a date.
fn subtract<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (left, right) = call.pair(env)?;
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    match (left.or_null(), right.or_null()) {
        (RawBsonRef::DateTime(left), RawBsonRef::DateTime(right)) => {
            let millis = left.timestamp_millis().checked_sub(right.timestamp_millis()).ok_or_else(date_overflow)?;
            Ok(Number::Int64(millis).into())
        }
        (RawBsonRef::DateTime(date), _) => {
            let millis = number(call.name, &right, Code::TYPE_MISMATCH)?;
            moved(date, Number::Int32(0).subtract(millis))
        }
        _ => {
            let left = number(call.name, &left, Code::TYPE_MISMATCH)?;
            Ok(left.subtract(number(call.name, &right, Code::TYPE_MISMATCH)?).into())
        }
    }
}

/// `$divide`: a double, or a decimal when one takes part.
fn divide<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((left, right)) = numbers(call, env, Code::TYPE_MISMATCH, Code::TYPE_MISMATCH)? else {
        return Ok(Value::NULL);
    };
    left.divide(right).map(Value::from).ok_or_else(|| Code::BAD_VALUE.value(DIVIDE_BY_ZERO))
}

/// `$mod`: the remainder of the division that truncates, with the sign of the dividend.
fn modulo<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((left, right)) = numbers(call, env, Code::MODULO_TYPE, Code::MODULO_TYPE)? else {
        return Ok(Value::NULL);
    };
    if right.is_zero() {
        return Err(Code::MODULO_BY_ZERO.value(MODULO_BY_ZERO));
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

fn abs<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    let absolute = match number {
        Number::Int32(value) => value.checked_abs().map_or(Number::Int64(i64::from(value).abs()), Number::Int32),
        Number::Int64(value) => Number::Int64(
            value
                .checked_abs()
                .ok_or_else(|| Code::ABS_OVERFLOW.overflow("$abs of the smallest 64-bit integer does not fit one"))?,
        ),
        Number::Double(value) => Number::Double(value.abs()),
        Number::Decimal(value) => {
            let bits = u128::from_le_bytes(value.bytes()) & !(1 << 127);
            Number::Decimal(bson::Decimal128::from_bytes(bits.to_le_bytes()))
        }
    };
    Ok(absolute.into())
}

fn whole<'a>(call: Call<'a>, env: &mut Env<'a>, to: fn(Number) -> Number) -> Result<Value<'a>> {
    Ok(operand(call, env)?.map_or(Value::NULL, |number| to(number).into()))
}

fn round<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    placed(call, env, Number::round)
}

fn trunc<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    placed(call, env, Number::cut)
}

/// `$round` and `$trunc` to a decimal place, from 20 before the point to 100 behind it.
fn placed<'a>(call: Call<'a>, env: &mut Env<'a>, to: fn(Number, i64) -> Option<Number>) -> Result<Value<'a>> {
    let (value, place) = (call.value(0, env)?, call.given(1, env)?);
    if value.is_nullish() || place.as_ref().is_some_and(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    let value = number(call.name, &value, Code::ROUND_VALUE_TYPE)?;
    let place = match place {
        None => 0,
        Some(place) => {
            let place = number(call.name, &place, Code::ROUND_PLACE_NUMBER)?;
            let code = match place {
                Number::Double(place) if !place.is_finite() => Code::CONVERSION_OUT_OF_RANGE,
                _ => Code::ROUND_PLACE_TYPE,
            };
            place.as_i64().ok_or_else(|| code.value(format!("the place of {} is a whole number", call.name)))?
        }
    };
    if !(-20..=100).contains(&place) {
        return Err(Code::ROUND_PLACE.value(format!("the place of {} is from -20 to 100", call.name)));
    }
    let rounded = to(value, place).ok_or_else(|| {
        Code::ROUND_OVERFLOW.overflow(format!("the result of {} does not fit a 64-bit integer", call.name))
    })?;
    Ok(rounded.into())
}

fn sqrt<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    if number.compare(Number::Int32(0)).is_lt() && !number.is_nan() {
        return Err(Code::SQRT_NEGATIVE.value("$sqrt takes a number that is not negative"));
    }
    Ok(number.sqrt().into())
}

/// `$pow`: an integer where the result is one and fits, else a double.
fn pow<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((base, exponent)) = numbers(call, env, Code::POW_BASE_TYPE, Code::POW_EXPONENT_TYPE)? else {
        return Ok(Value::NULL);
    };
    let is_negative = exponent.compare(Number::Int32(0)).is_lt() && !exponent.is_nan();
    if base.is_zero() && is_negative {
        return Err(Code::POW_ZERO_NEGATIVE.value("$pow does not take zero to a negative exponent"));
    }
    if let (Number::Decimal(_), _) | (_, Number::Decimal(_)) = (base, exponent) {
        return Ok(base.power(exponent).into());
    }
    let is_integer = |number| matches!(number, Number::Int32(_) | Number::Int64(_));
    if is_integer(base) && is_integer(exponent) {
        let whole = base.as_i64().zip(exponent.as_i64()).and_then(|(base, exponent)| power(base, exponent));
        if let Some(whole) = whole {
            let is_narrow = matches!((base, exponent), (Number::Int32(_), Number::Int32(_)));
            return Ok(match i32::try_from(whole) {
                Ok(narrow) if is_narrow => narrow.into(),
                _ => Number::Int64(whole).into(),
            });
        }
    }
    Ok(Number::Double(base.as_f64().powf(exponent.as_f64())).into())
}

/// The power of integers, when it is an integer and fits.
fn power(base: i64, exponent: i64) -> Option<i64> {
    match (base, exponent) {
        (1, _) => Some(1),
        (-1, exponent) => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        (0, exponent) if exponent > 0 => Some(0),
        (base, exponent) => base.checked_pow(u32::try_from(exponent).ok()?),
    }
}

fn exp<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    Ok(operand(call, env)?.map_or(Value::NULL, |number| number.exp().into()))
}

fn ln<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    positive(call.name, number, Code::LN_VALUE)?;
    Ok(if number.is_nan() { Number::Double(f64::NAN) } else { number.ln() }.into())
}

fn log10<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    positive(call.name, number, Code::LOG10_VALUE)?;
    Ok(if number.is_nan() { Number::Double(f64::NAN) } else { number.log10() }.into())
}

fn log<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((value, base)) = numbers(call, env, Code::LOG_VALUE_TYPE, Code::LOG_BASE_TYPE)? else {
        return Ok(Value::NULL);
    };
    positive(call.name, value, Code::LOG_VALUE)?;
    if !base.is_nan() && (base.compare(Number::Int32(0)).is_le() || base.compare(Number::Int32(1)).is_eq()) {
        return Err(Code::LOG_BASE.value("the base of $log must be positive and not 1"));
    }
    let (value, base) = match (value, base) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => (value.as_decimal(), base.as_decimal()),
        both => both,
    };
    Ok(value.ln().divide(base.ln()).unwrap_or(Number::Double(f64::NAN)).into())
}

/// `$sigmoid`: 1 / (1 + e^−x).
fn sigmoid<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    if value.is_nullish() {
        return Ok(Value::NULL);
    }
    let power = Number::Int32(0).subtract(number(call.name, &value, Code::TYPE_MISMATCH)?).exp();
    let below = power.add(Number::Int32(1));
    let result = Number::Int32(1).divide(below).unwrap_or(power);
    // What a decimal infinity divides has the smallest exponent there is.
    Ok(if matches!(below, Number::Decimal(_)) && !below.is_finite() && !below.is_nan() {
        Number::least_decimal_zero()
    } else {
        result
    }
    .into())
}

fn positive(function: &str, value: Number, code: Code) -> Result<()> {
    if value.is_nan() || value.compare(Number::Int32(0)).is_gt() {
        return Ok(());
    }
    Err(code.value(format!("{function} takes a positive number")))
}

/// The one number of a call, or `None` for null.
pub(super) fn operand<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Option<Number>> {
    let value = call.value(0, env)?;
    if value.is_nullish() {
        return Ok(None);
    }
    number(call.name, &value, Code::NOT_A_NUMBER).map(Some)
}

/// The two numbers of a call, or `None` when one of them is null.
pub(super) fn numbers<'a>(
    call: Call<'a>,
    env: &mut Env<'a>,
    left: Code,
    right: Code,
) -> Result<Option<(Number, Number)>> {
    let (first, second) = call.pair(env)?;
    if first.is_nullish() || second.is_nullish() {
        return Ok(None);
    }
    let first = number(call.name, &first, left)?;
    Ok(Some((first, number(call.name, &second, right)?)))
}

fn decimal_remainder(left: Number, right: Number) -> Number {
    match (left.decimal(), right.decimal()) {
        (Decimal::Finite { value: left, negative }, Decimal::Finite { value: right, .. }) => {
            Number::Decimal(Decimal::Finite { value: left % right, negative }.pack())
        }
        (finite @ Decimal::Finite { .. }, Decimal::Infinite(_)) => Number::Decimal(finite.pack()),
        _ => Number::Decimal(Decimal::NaN.pack()),
    }
}

/// `date`, moved by a number of milliseconds, a fraction of which is rounded.
fn moved(date: DateTime, millis: Number) -> Result<Value<'static>> {
    let whole = millis.as_i64().or_else(|| Number::Double(millis.as_f64().round()).as_i64());
    let moment = whole.and_then(|whole| date.timestamp_millis().checked_add(whole)).ok_or_else(date_overflow)?;
    Ok(Value::Borrowed(RawBsonRef::DateTime(DateTime::from_millis(moment))))
}

fn date_overflow() -> Error {
    Code::OVERFLOW.overflow("the result is past the dates that 64 bits of milliseconds can hold")
}
