//! Comparisons, across all types.

use std::cmp::Ordering;

use super::super::compile::{Call, Function, listed};
use super::super::env::Env;
use super::super::value::Value;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$eq", 2, 2, |call, env| Ok(order(call, env)?.is_eq().into())),
    listed("$ne", 2, 2, |call, env| Ok(order(call, env)?.is_ne().into())),
    listed("$gt", 2, 2, |call, env| Ok(order(call, env)?.is_gt().into())),
    listed("$gte", 2, 2, |call, env| Ok(order(call, env)?.is_ge().into())),
    listed("$lt", 2, 2, |call, env| Ok(order(call, env)?.is_lt().into())),
    listed("$lte", 2, 2, |call, env| Ok(order(call, env)?.is_le().into())),
    listed("$cmp", 2, 2, |call, env| Ok((order(call, env)? as i32).into())),
];

fn order<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Ordering> {
    let (left, right): (Value<'a>, Value<'a>) = call.pair(env)?;
    Ok(left.compare(&right))
}
