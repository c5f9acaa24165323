//! Functions of collections: their keys, values, count, and what their elements come to.

use super::numbers;
use super::signature::{Called, Signature, one_of_any};
use crate::error::Result;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::order::compare;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// The function `name` of one collection.
///
/// # Errors
/// Cassandra's, for what is no collection, and sums of what is no number.
pub(super) fn signature(name: &str, given: &[Option<CqlType>]) -> Result<Signature> {
    let of = one_of_any(name, given)?;
    let misfit = |expected: &str| {
        Err(invalid(format!("Function system.{name} requires a {expected} argument, but found argument of type {of}")))
    };
    let element = match of.thawed() {
        CqlType::List(element) | CqlType::Set(element) => Some(element.as_ref().clone()),
        _ => None,
    };
    let (returns, run): (_, super::signature::Run) = match (name, of.thawed(), element) {
        ("map_keys", CqlType::Map(both), _) => (CqlType::set(both.0.clone()), keys),
        ("map_values", CqlType::Map(both), _) => (CqlType::list(both.1.clone()), values),
        ("map_keys" | "map_values", ..) => return misfit("map"),
        ("collection_count", CqlType::Map(_), _) | ("collection_count", _, Some(_)) => (CqlType::Int, count),
        ("collection_count", ..) => return misfit("collection"),
        ("collection_min", _, Some(element)) => (element, min),
        ("collection_max", _, Some(element)) => (element, max),
        ("collection_sum", _, Some(element)) if numbers::is_number(&element) => (element, sum),
        ("collection_avg", _, Some(element)) if numbers::is_number(&element) => (element, mean),
        ("collection_sum" | "collection_avg", ..) => return misfit("numeric set or list"),
        _ => return misfit("set or list"),
    };
    Ok(Signature::new([of], returns, run))
}

fn parts(value: &CqlValue) -> &[CqlValue] {
    match value {
        CqlValue::List(parts) | CqlValue::Set(parts) => parts,
        _ => &[],
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as other functions are")]
fn keys(call: &Called<'_>) -> Result<CqlValue> {
    let CqlValue::Map(entries) = call.value(0) else { return Ok(CqlValue::Null) };
    Ok(CqlValue::Set(entries.iter().map(|(key, _)| key.clone()).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "as other functions are")]
fn values(call: &Called<'_>) -> Result<CqlValue> {
    let CqlValue::Map(entries) = call.value(0) else { return Ok(CqlValue::Null) };
    Ok(CqlValue::List(entries.iter().map(|(_, value)| value.clone()).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "as other functions are")]
fn count(call: &Called<'_>) -> Result<CqlValue> {
    let count = match call.value(0) {
        CqlValue::Map(entries) => entries.len(),
        other => parts(other).len(),
    };
    Ok(CqlValue::Int(i32::try_from(count).unwrap_or(i32::MAX)))
}

/// The smallest or the largest element; null of none.
fn extreme(call: &Called<'_>, is_max: bool) -> Result<CqlValue> {
    let mut found: Option<(Vec<u8>, &CqlValue)> = None;
    for part in parts(call.value(0)) {
        let bytes = part.to_serialized(call.returns)?;
        let is_better = found.as_ref().is_none_or(|(best, _)| {
            let order = compare(call.returns, &bytes, best);
            if is_max { order.is_gt() } else { order.is_lt() }
        });
        if is_better {
            found = Some((bytes, part));
        }
    }
    Ok(found.map_or(CqlValue::Null, |(_, value)| value.clone()))
}

fn min(call: &Called<'_>) -> Result<CqlValue> {
    extreme(call, false)
}

fn max(call: &Called<'_>) -> Result<CqlValue> {
    extreme(call, true)
}

fn sum(call: &Called<'_>) -> Result<CqlValue> {
    let add = |sum: CqlValue, part: &CqlValue| numbers::sum(&sum, part, call.returns);
    parts(call.value(0)).iter().try_fold(numbers::zero(call.returns), add)
}

fn mean(call: &Called<'_>) -> Result<CqlValue> {
    let of = numbers::wide(call.returns);
    let parts = parts(call.value(0));
    let add = |sum: CqlValue, part: &CqlValue| numbers::sum(&sum, part, &of);
    let sum = parts.iter().try_fold(numbers::zero(&of), add)?;
    numbers::mean(&sum, i64::try_from(parts.len()).unwrap_or(i64::MAX), call.returns)
}
