//! `$bitAnd`, `$bitOr`, `$bitXor` and `$bitNot`, of integers.

use super::super::compile::{Call, Function, listed};
use super::super::env::Env;
use super::super::value::Value;
use super::operand::unsuitable;
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$bitAnd", 0, usize::MAX, |call, env| fold(call, env, -1, |a, b| a & b)),
    listed("$bitOr", 0, usize::MAX, |call, env| fold(call, env, 0, |a, b| a | b)),
    listed("$bitXor", 0, usize::MAX, |call, env| fold(call, env, 0, |a, b| a ^ b)),
    listed("$bitNot", 1, 1, not),
];

/// Combines the integers. The result is an int64 when one of them is.
fn fold<'a>(call: Call<'a>, env: &mut Env<'a>, start: i64, combine: fn(i64, i64) -> i64) -> Result<Value<'a>> {
    let (mut result, mut is_wide) = (start, false);
    let values = call.all(env)?;
    if values.iter().any(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    for value in values {
        match value.number() {
            Some(Number::Int32(number)) => result = combine(result, number.into()),
            Some(Number::Int64(number)) => (result, is_wide) = (combine(result, number), true),
            _ => return Err(unsuitable(call.name, &value, Code::TYPE_MISMATCH)),
        }
    }
    // Bits above the sign of an int32 are all equal to it, whatever the operation.
    Ok(match i32::try_from(result) {
        Ok(narrow) if !is_wide => narrow.into(),
        _ => Number::Int64(result).into(),
    })
}

fn not<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    if value.is_nullish() {
        return Ok(Value::NULL);
    }
    match value.number() {
        Some(Number::Int32(number)) => Ok((!number).into()),
        Some(Number::Int64(number)) => Ok(Number::Int64(!number).into()),
        _ => Err(unsuitable(call.name, &value, Code::TYPE_MISMATCH)),
    }
}
