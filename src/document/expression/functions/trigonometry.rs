//! Trigonometry: angles are in radians, null and missing give null, and other non-numbers are an error.

use super::super::compile::{Call, Function, listed};
use super::super::env::Env;
use super::super::value::Value;
use super::arithmetic::{numbers, operand};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::{Error, Result};

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$acos", 1, 1, |call, env| within(call, env, Bounds::ONE, Number::acos)),
    listed("$acosh", 1, 1, |call, env| within(call, env, Bounds::FROM_ONE, Number::acosh)),
    listed("$asin", 1, 1, |call, env| within(call, env, Bounds::ONE, Number::asin)),
    listed("$asinh", 1, 1, |call, env| plain(call, env, Number::asinh)),
    listed("$atan", 1, 1, |call, env| plain(call, env, Number::atan)),
    listed("$atan2", 2, 2, atan2),
    listed("$atanh", 1, 1, |call, env| within(call, env, Bounds::ONE, Number::atanh)),
    listed("$cos", 1, 1, |call, env| circular(call, env, Number::cos)),
    listed("$cosh", 1, 1, |call, env| plain(call, env, Number::cosh)),
    listed("$degreesToRadians", 1, 1, |call, env| plain(call, env, Number::to_radians)),
    listed("$radiansToDegrees", 1, 1, |call, env| plain(call, env, Number::to_degrees)),
    listed("$sin", 1, 1, |call, env| circular(call, env, Number::sin)),
    listed("$sinh", 1, 1, |call, env| plain(call, env, Number::sinh)),
    listed("$tan", 1, 1, |call, env| circular(call, env, Number::tan)),
    listed("$tanh", 1, 1, |call, env| plain(call, env, Number::tanh)),
];

/// The numbers that a function is defined for, both ends included.
#[derive(Clone, Copy, Debug)]
struct Bounds(f64, f64);

impl Bounds {
    const ONE: Self = Self(-1.0, 1.0);
    const FROM_ONE: Self = Self(1.0, f64::INFINITY);

    fn hold(self, number: Number) -> bool {
        number.is_nan()
            || (number.compare(Number::Double(self.0)).is_ge() && number.compare(Number::Double(self.1)).is_le())
    }
}

fn plain<'a>(call: Call<'a>, env: &mut Env<'a>, compute: fn(Number) -> Number) -> Result<Value<'a>> {
    Ok(operand(call, env)?.map_or(Value::NULL, |number| compute(number).into()))
}

fn within<'a>(call: Call<'a>, env: &mut Env<'a>, bounds: Bounds, compute: fn(Number) -> Number) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    if !bounds.hold(number) {
        return Err(
            Code::TRIGONOMETRY_VALUE.value(format!("{} takes a number from {} to {}", call.name, bounds.0, bounds.1))
        );
    }
    Ok(compute(number).into())
}

fn circular<'a>(call: Call<'a>, env: &mut Env<'a>, compute: fn(Number) -> Option<Number>) -> Result<Value<'a>> {
    let Some(number) = operand(call, env)? else { return Ok(Value::NULL) };
    if !number.is_nan() && !number.is_finite() {
        return Err(Code::TRIGONOMETRY_VALUE.value(format!("{} takes a finite number", call.name)));
    }
    let found = compute(number).ok_or_else(|| Error::unsupported(format!("{} of a decimal above 1E+40", call.name)))?;
    Ok(found.into())
}

fn atan2<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let both = numbers(call, env, Code::ATAN2_FIRST_TYPE, Code::ATAN2_SECOND_TYPE)?;
    Ok(both.map_or(Value::NULL, |(up, right)| up.atan2(right).into()))
}
