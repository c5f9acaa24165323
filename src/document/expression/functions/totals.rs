//! `$sum`, `$avg`, `$min` and `$max` as expressions: over the arguments, or over the elements of a single array.

use std::cmp::Ordering;

use bson::raw::{RawBson, RawBsonRef};

use super::super::compile::{Call, Function, listed};
use super::super::env::Env;
use super::super::total::{Deviation, Total};
use super::super::value::Value;
use crate::document::order::Order;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$sum", 0, usize::MAX, |call, env| Ok(total(call, env)?.sum().into())),
    listed("$avg", 0, usize::MAX, |call, env| Ok(total(call, env)?.average().map_or(Value::NULL, Value::from))),
    listed("$min", 0, usize::MAX, |call, env| extreme(call, env, Ordering::Less)),
    listed("$stdDevPop", 0, usize::MAX, |call, env| deviation(call, env, false)),
    listed("$stdDevSamp", 0, usize::MAX, |call, env| deviation(call, env, true)),
    listed("$max", 0, usize::MAX, |call, env| extreme(call, env, Ordering::Greater)),
];

fn total<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Total> {
    let mut total = Total::default();
    for value in operands(call, env)? {
        if value.number().is_some() {
            total.add(value.or_null());
        }
    }
    Ok(total)
}

fn extreme<'a>(call: Call<'a>, env: &mut Env<'a>, wanted: Ordering) -> Result<Value<'a>> {
    let mut extreme = Value::NULL;
    for value in operands(call, env)? {
        if !value.is_nullish() && (extreme.is_nullish() || value.compare(&extreme, env.order()) == wanted) {
            extreme = value;
        }
    }
    Ok(extreme)
}

/// The standard deviation of the numbers among the operands.
fn deviation<'a>(call: Call<'a>, env: &mut Env<'a>, of_sample: bool) -> Result<Value<'a>> {
    let mut deviation = Deviation::new(of_sample);
    operands(call, env)?.iter().for_each(|value| deviation.add(value));
    Ok(deviation.value())
}

fn operands<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Vec<Value<'a>>> {
    if call.arguments.len() != 1 {
        return call.all(env);
    }
    let single = call.value(0, env)?;
    if single.is_array() { Ok(single.into_elements()?.unwrap_or_default()) } else { Ok(vec![single]) }
}

/// Replaces `extreme` by `value` when that is `wanted` than it; null and undefined never count.
pub(crate) fn keep_extreme(extreme: &mut Option<RawBson>, value: RawBsonRef<'_>, wanted: Ordering, order: Order<'_>) {
    if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
        return;
    }
    let better = extreme.as_ref().is_none_or(|held| order.compare(value, held.as_raw_bson_ref()) == wanted);
    if better {
        *extreme = Some(value.into());
    }
}
