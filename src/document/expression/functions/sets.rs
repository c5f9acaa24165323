//! Arrays as sets: equal elements count once, and their order does not matter.
//!
//! A set that is made has its elements in their order, so that the same operands give the same array.

use std::collections::BTreeMap;

use super::super::compile::{Arguments, Call, Function, listed};
use super::super::env::Env;
use super::super::value::{List, Value};
use super::operand::unsuitable;
use crate::document::code::Code;
use crate::document::index_key::canonical;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$setUnion", 0, usize::MAX, union),
    listed("$setIntersection", 0, usize::MAX, intersection),
    listed("$setDifference", 2, 2, difference),
    listed("$setIsSubset", 2, 2, is_subset),
    Function {
        name: "$setEquals",
        arguments: Arguments::Counted(2, usize::MAX, Code::SET_EQUALS_ARITY),
        evaluate: equals,
        repeats: false,
    },
    listed("$anyElementTrue", 1, 1, any_element_true),
    listed("$allElementsTrue", 1, 1, all_elements_true),
];

/// Values by their canonical bytes, whose order is that of the values.
type Set<'a> = BTreeMap<Vec<u8>, Value<'a>>;

fn union<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut all = Set::new();
    for place in 0..call.arguments.len() {
        let value = call.value(place, env)?;
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        for (key, value) in set(call, env, value, Code::UNION_TYPE)? {
            all.entry(key).or_insert(value);
        }
    }
    array(all)
}

fn intersection<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut common: Option<Set<'a>> = None;
    for place in 0..call.arguments.len() {
        let value = call.value(place, env)?;
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        let next = set(call, env, value, Code::INTERSECTION_TYPE)?;
        common = Some(match common {
            Some(common) => common.into_iter().filter(|(key, _)| next.contains_key(key)).collect(),
            None => next,
        });
    }
    array(common.unwrap_or_default())
}

/// The elements of the first that are not in the second, in the first one's order.
fn difference<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (left, right) = call.pair(env)?;
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    if !left.is_array() {
        return Err(unsuitable(call.name, &left, Code::DIFFERENCE_FIRST_TYPE));
    }
    let mut gone = set(call, env, right, Code::DIFFERENCE_SECOND_TYPE)?;
    let mut list = List::default();
    for value in left.into_elements()?.unwrap_or_default() {
        let key = canonical(value.or_null(), env.order())?;
        if let std::collections::btree_map::Entry::Vacant(place) = gone.entry(key) {
            place.insert(Value::NULL);
            list.push(value)?;
        }
    }
    Ok(list.into())
}

fn is_subset<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (left, right) = call.pair(env)?;
    let left = set(call, env, left, Code::SUBSET_FIRST_TYPE)?;
    let right = set(call, env, right, Code::SUBSET_SECOND_TYPE)?;
    Ok(left.keys().all(|key| right.contains_key(key)).into())
}

fn equals<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let values = call.all(env)?;
    let sets = values.into_iter().map(|value| set(call, env, value, Code::SET_EQUALS_TYPE));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let same = |pair: &[Set<'_>]| matches!(pair, [left, right] if left.keys().eq(right.keys()));
    Ok(sets.windows(2).all(same).into())
}

fn any_element_true<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let elements = elements(call, env, Code::ANY_ELEMENT_TYPE)?;
    Ok(elements.iter().any(Value::is_true).into())
}

fn all_elements_true<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let elements = elements(call, env, Code::ALL_ELEMENTS_TYPE)?;
    Ok(elements.iter().all(Value::is_true).into())
}

fn elements<'a>(call: Call<'a>, env: &mut Env<'a>, code: Code) -> Result<Vec<Value<'a>>> {
    let value = call.value(0, env)?;
    if !value.is_array() {
        return Err(unsuitable(call.name, &value, code));
    }
    Ok(value.into_elements()?.unwrap_or_default())
}

fn set<'a>(call: Call<'a>, env: &Env<'a>, value: Value<'a>, code: Code) -> Result<Set<'a>> {
    if !value.is_array() {
        return Err(unsuitable(call.name, &value, code));
    }
    let elements = value.into_elements()?.unwrap_or_default();
    env.context().spend(elements.len())?;
    let mut set = Set::new();
    for element in elements {
        set.entry(canonical(element.or_null(), env.order())?).or_insert(element);
    }
    Ok(set)
}

fn array(set: Set<'_>) -> Result<Value<'_>> {
    List::of(set.into_values()).map(Value::from)
}
