//! `$and`, `$or` and `$not`.

use super::super::compile::{Call, Function, listed};
use super::super::env::Env;
use super::super::value::Value;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] =
    &[listed("$and", 0, usize::MAX, and), listed("$or", 0, usize::MAX, or), listed("$not", 1, 1, not)];

fn and<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    Ok(all(call, env, true)?.into())
}

fn or<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    Ok((!all(call, env, false)?).into())
}

fn not<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    Ok((!call.value(0, env)?.is_true()).into())
}

/// Whether every argument's truth is `wanted`; the first that differs ends it.
fn all<'a>(call: Call<'a>, env: &mut Env<'a>, wanted: bool) -> Result<bool> {
    for place in 0..call.arguments.len() {
        if call.value(place, env)?.is_true() != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}
