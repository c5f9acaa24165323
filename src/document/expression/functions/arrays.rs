//! Functions of arrays that do not evaluate an expression for each element.

use std::borrow::Cow;

use bson::Bson;
use bson::raw::{CString, RawBsonRef, cstr};

use super::super::Expression;
use super::super::check::name;
use super::super::compile::{Argument, Call, Compiler, Function, Named, fields, listed, literal, named, own};
use super::super::env::Env;
use super::super::value::{List, Object, Value};
use super::operand::{count, int32, number, text, unsuitable};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::document::pattern::Pattern;
use crate::document::raw::corrupt;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$arrayElemAt", 2, 2, array_elem_at),
    listed("$arrayToObject", 1, 1, array_to_object),
    listed("$concatArrays", 0, usize::MAX, concat_arrays),
    listed("$first", 1, 1, |call, env| end(call, env, 0)),
    named("$firstN", &END, |call, env| ends(call, env, true)),
    listed("$in", 2, 2, is_in),
    listed("$indexOfArray", 2, 4, index_of_array),
    listed("$isArray", 1, 1, |call, env| Ok(call.value(0, env)?.is_array().into())),
    listed("$last", 1, 1, |call, env| end(call, env, -1)),
    named("$lastN", &END, |call, env| ends(call, env, false)),
    named("$maxN", &END, |call, env| extremes(call, env, false)),
    named("$minN", &END, |call, env| extremes(call, env, true)),
    listed("$range", 2, 3, range),
    listed("$reverseArray", 1, 1, reverse_array),
    listed("$size", 1, 1, size),
    listed("$slice", 2, 3, slice),
    own("$sortArray", parse_sort_array, sort_array),
    named("$zip", &ZIP, zip),
];

static END: Named = Named {
    fields: &[Argument("input", Some(Code::MISSING_FIELD)), Argument("n", Some(Code::MISSING_FIELD))],
    not_object: Code::FAILED_TO_PARSE,
    unknown: Code::FAILED_TO_PARSE,
};

static SORT: Named = Named {
    fields: &[
        Argument("input", Some(Code::SORT_ARRAY_WITHOUT_INPUT)),
        Argument("sortBy", Some(Code::SORT_ARRAY_WITHOUT_SORT_BY)),
    ],
    not_object: Code::SORT_ARRAY_NOT_OBJECT,
    unknown: Code::SORT_ARRAY_UNKNOWN_ARGUMENT,
};

static ZIP: Named = Named {
    fields: &[
        Argument("inputs", Some(Code::ZIP_WITHOUT_INPUTS)),
        Argument("useLongestLength", None),
        Argument("defaults", None),
    ],
    not_object: Code::ZIP_NOT_OBJECT,
    unknown: Code::ZIP_UNKNOWN_ARGUMENT,
};

/// The elements of `value`, which is an array, or `None` for null.
pub(super) fn elements<'a>(
    call: Call<'a>,
    env: &Env<'a>,
    value: Value<'a>,
    code: Code,
) -> Result<Option<Vec<Value<'a>>>> {
    if value.is_nullish() {
        return Ok(None);
    }
    if !value.is_array() {
        return Err(unsuitable(call.name, &value, code));
    }
    let elements = value.into_elements()?.unwrap_or_default();
    env.context().spend(elements.len())?;
    Ok(Some(elements))
}

/// The place of `position` among `length` elements; a negative one counts from the end.
fn place(position: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let place = if position < 0 { position + length } else { position };
    usize::try_from(place).ok()
}

fn array_elem_at<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (array, position) = call.pair(env)?;
    if array.is_nullish() || position.is_nullish() {
        return Ok(Value::NULL);
    }
    if !array.is_array() {
        return Err(unsuitable(call.name, &array, Code::ARRAY_ELEM_AT_TYPE));
    }
    let position = int32(call.name, &position, Code::ARRAY_ELEM_AT_INDEX_TYPE, Code::ARRAY_ELEM_AT_INDEX)?;
    element_at(array, position.into())
}

/// The element at `position`; missing when there is none.
fn element_at(array: Value<'_>, position: i64) -> Result<Value<'_>> {
    if let (Value::Borrowed(RawBsonRef::Array(array)), Ok(position)) = (&array, usize::try_from(position)) {
        return Ok(array.get(position).map_err(corrupt)?.map_or(Value::Missing, Value::Borrowed));
    }
    let elements = array.into_elements()?.unwrap_or_default();
    let place = place(position, elements.len());
    Ok(place.and_then(|place| elements.into_iter().nth(place)).unwrap_or(Value::Missing))
}

fn end<'a>(call: Call<'a>, env: &mut Env<'a>, position: i64) -> Result<Value<'a>> {
    let array = call.value(0, env)?;
    if array.is_nullish() {
        return Ok(Value::NULL);
    }
    if !array.is_array() {
        return Err(unsuitable(call.name, &array, Code::ARRAY_ELEM_AT_TYPE));
    }
    element_at(array, position)
}

fn ends<'a>(call: Call<'a>, env: &mut Env<'a>, from_start: bool) -> Result<Value<'a>> {
    let n = call.value(1, env)?;
    let n = number(call.name, &n, Code::ENDS_COUNT_TYPE)?.as_i64();
    let n = n.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let n = n.ok_or_else(|| Code::ENDS_COUNT.value(format!("the n of {} is a positive integer", call.name)))?;
    let input = call.value(0, env)?;
    if !input.is_array() {
        return Err(unsuitable(call.name, &input, Code::ENDS_INPUT_TYPE));
    }
    let elements = input.into_elements()?.unwrap_or_default();
    let skipped = if from_start { 0 } else { elements.len().saturating_sub(n) };
    List::of(elements.into_iter().skip(skipped).take(n)).map(Value::from)
}

/// `$minN` and `$maxN`: the smallest or the greatest elements, in that order; nulls are none.
fn extremes<'a>(call: Call<'a>, env: &mut Env<'a>, smallest: bool) -> Result<Value<'a>> {
    let n = call.value(1, env)?;
    let n = n.number().and_then(Number::as_i64).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let n = n.ok_or_else(|| Code::ACCUMULATOR_COUNT.value(format!("the n of {} is a positive integer", call.name)))?;
    let input = call.value(0, env)?;
    if !input.is_array() {
        return Err(unsuitable(call.name, &input, Code::ENDS_INPUT_TYPE));
    }
    let mut elements = input.into_elements()?.unwrap_or_default();
    elements.retain(|element| !element.is_nullish());
    let order = env.order();
    elements.sort_by(|left, right| if smallest { left.compare(right, order) } else { right.compare(left, order) });
    List::of(elements.into_iter().take(n)).map(Value::from)
}

fn size<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let array = call.value(0, env)?;
    if !array.is_array() {
        return Err(unsuitable(call.name, &array, Code::SIZE_TYPE));
    }
    Ok(count(array.into_elements()?.unwrap_or_default().len()))
}

fn concat_arrays<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut all: Option<List<'a>> = None;
    for place in 0..call.arguments.len() {
        let value = call.value(place, env)?;
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        if !value.is_array() {
            return Err(unsuitable(call.name, &value, Code::CONCAT_ARRAYS_TYPE));
        }
        match &mut all {
            // The first array is appended to: nothing of it is copied.
            None => all = value.into_list()?,
            Some(list) => {
                let elements = value.into_elements()?.unwrap_or_default();
                env.context().spend(elements.len())?;
                elements.into_iter().try_for_each(|element| list.push(element))?;
            }
        }
    }
    Ok(all.unwrap_or_default().into())
}

fn is_in<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (value, array) = call.pair(env)?;
    if !array.is_array() {
        return Err(unsuitable(call.name, &array, Code::IN_TYPE));
    }
    let elements = array.into_elements()?.unwrap_or_default();
    env.context().spend(elements.len())?;
    Ok(elements.iter().any(|element| element.compare(&value, env.order()).is_eq()).into())
}

fn index_of_array<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (array, searched) = call.pair(env)?;
    let Some(elements) = elements(call, env, array, Code::INDEX_OF_ARRAY_TYPE)? else { return Ok(Value::NULL) };
    let mut bound = |place, default| match call.given(place, env)? {
        None => Ok(default),
        Some(value) => {
            let whole = int32(call.name, &value, Code::INDEX_OF_ARRAY_BOUND_TYPE, Code::INDEX_OF_ARRAY_BOUND_TYPE)?;
            usize::try_from(whole)
                .map_err(|_| Code::INDEX_OF_ARRAY_BOUND_NEGATIVE.value("a bound of $indexOfArray is negative"))
        }
    };
    let (start, stop) = (bound(2, 0)?, bound(3, elements.len())?);
    let mut candidates = elements.iter().enumerate().take(stop).skip(start);
    let found = candidates.find(|(_, element)| element.compare(&searched, env.order()).is_eq());
    Ok(found.map_or(Value::from(-1), |(place, _)| count(place)))
}

fn range<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (start, end, step) = (call.value(0, env)?, call.value(1, env)?, call.given(2, env)?);
    let start = int32(call.name, &start, Code::RANGE_START_TYPE, Code::RANGE_START)?;
    let end = int32(call.name, &end, Code::RANGE_END_TYPE, Code::RANGE_END)?;
    let step = step.map_or(Ok(1), |step| int32(call.name, &step, Code::RANGE_STEP_TYPE, Code::RANGE_STEP))?;
    if step == 0 {
        return Err(Code::RANGE_STEP_ZERO.value("the step of $range must not be zero"));
    }
    let mut list = List::default();
    let (mut at, end, step) = (i64::from(start), i64::from(end), i64::from(step));
    while (step > 0 && at < end) || (step < 0 && at > end) {
        env.context().spend(1)?;
        list.push(i32::try_from(at).map_or(Value::Missing, Value::from))?;
        at += step;
    }
    Ok(list.into())
}

fn reverse_array<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let array = call.value(0, env)?;
    let Some(elements) = elements(call, env, array, Code::REVERSE_ARRAY_TYPE)? else { return Ok(Value::NULL) };
    List::of(elements.into_iter().rev()).map(Value::from)
}

/// `$slice: [array, n]`, the first, or of a negative n the last; `$slice: [array, position, n]`.
fn slice<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (array, second, third) = (call.value(0, env)?, call.value(1, env)?, call.given(2, env)?);
    if array.is_nullish() || second.is_nullish() || third.as_ref().is_some_and(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    if !array.is_array() {
        return Err(unsuitable(call.name, &array, Code::SLICE_TYPE));
    }
    let whole = |value: &Value<'_>| int32(call.name, value, Code::SLICE_NUMBER_TYPE, Code::SLICE_NUMBER);
    let (second, third) = (whole(&second)?, third.as_ref().map(whole).transpose()?);
    if third.is_some_and(|n| n <= 0) {
        return Err(Code::SLICE_COUNT.value("the count of $slice must be positive"));
    }
    let elements = array.into_elements()?.unwrap_or_default();
    let from = |position: i32| place(position.into(), elements.len()).unwrap_or(0);
    let (skipped, taken) = match third {
        Some(n) => (from(second), usize::try_from(n).unwrap_or(0)),
        None if second < 0 => (from(second), elements.len()),
        None => (0, usize::try_from(second).unwrap_or(0)),
    };
    List::of(elements.into_iter().skip(skipped).take(taken)).map(Value::from)
}

/// The array, and what to sort by: a document of paths or a direction.
fn parse_sort_array(
    compiler: &mut Compiler<'_>,
    name: &'static str,
    operand: &Bson,
) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &SORT, operand)?;
    let (Some(input), Some(sort_by)) = (given.first().copied().flatten(), given.get(1).copied().flatten()) else {
        return Ok(Vec::new());
    };
    match sort_by {
        Bson::Document(keys) => drop(Pattern::parse_sort(keys, Number::as_i64)?),
        other if matches!(Number::from_bson(other).and_then(Number::as_i64), Some(1 | -1)) => {}
        other if Number::from_bson(other).is_some() => {
            return Err(Code::SORT_ARRAY_DIRECTION.value("$sortArray sorts by 1, -1 or an object of them"));
        }
        _ => return Err(Code::SORT_ARRAY_SORT_TYPE.syntax("$sortArray sorts by 1, -1 or an object of them")),
    }
    Ok(vec![Some(compiler.expression(input)?), Some(literal(sort_by)?)])
}

fn sort_array<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (array, sort_by) = call.pair(env)?;
    let Some(mut elements) = elements(call, env, array, Code::SORT_ARRAY_INPUT_TYPE)? else { return Ok(Value::NULL) };
    let RawBsonRef::Document(keys) = sort_by.or_null() else {
        let order = env.order();
        elements.sort_by(|a, b| a.compare(b, order));
        if sort_by.number().is_some_and(|direction| direction.compare(Number::Int32(0)).is_lt()) {
            elements.reverse();
        }
        return List::of(elements).map(Value::from);
    };
    let keys = bson::Document::try_from(keys).map_err(corrupt)?;
    let pattern = Pattern::parse_sort(&keys, Number::as_i64)?.collated(env.context().collator());
    let mut keyed = Vec::with_capacity(elements.len());
    for element in elements {
        // What is no object sorts as one without fields.
        let key = match element.or_null() {
            RawBsonRef::Document(document) => pattern.sort_key(document)?,
            _ => pattern.sort_key(&bson::RawDocumentBuf::new())?,
        };
        keyed.push((key, element));
    }
    keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
    List::of(keyed.into_iter().map(|(_, element)| element)).map(Value::from)
}

fn zip<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let inputs = call.value(0, env)?;
    let Some(inputs) = inputs.into_elements()? else {
        return Err(Code::ZIP_INPUTS_TYPE.wrong_type("the inputs of $zip are an array of arrays"));
    };
    if inputs.is_empty() {
        return Err(Code::ZIP_WITHOUT_INPUTS.value("$zip needs at least one input"));
    }
    let is_longest = match call.given(1, env)?.map(|longest| (longest.is_true(), longest.type_name())) {
        None => false,
        Some((is_longest, "bool")) => is_longest,
        Some(_) => return Err(Code::ZIP_LONGEST_TYPE.wrong_type("useLongestLength of $zip is a boolean")),
    };
    let defaults = match call.given(2, env)? {
        None => Vec::new(),
        Some(_) if !is_longest => {
            return Err(Code::ZIP_DEFAULTS_UNUSED.value("defaults of $zip need useLongestLength to be true"));
        }
        Some(defaults) => defaults
            .into_elements()?
            .ok_or_else(|| Code::ZIP_DEFAULTS_TYPE.wrong_type("the defaults of $zip are an array"))?,
    };
    if !defaults.is_empty() && defaults.len() != inputs.len() {
        return Err(Code::ZIP_DEFAULTS_LENGTH.value("$zip takes as many defaults as inputs"));
    }
    if inputs.iter().any(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    let mut columns = Vec::with_capacity(inputs.len());
    for input in inputs {
        let column = elements(call, env, input, Code::ZIP_INPUT_TYPE)?.unwrap_or_default();
        columns.push(column);
    }
    let lengths = columns.iter().map(Vec::len);
    let length = if is_longest { lengths.max() } else { lengths.min() }.unwrap_or(0);
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut rows = List::default();
    for _ in 0..length {
        env.context().spend(columns.len())?;
        let default = |place: usize| defaults.get(place).cloned().unwrap_or(Value::NULL);
        let row = columns.iter_mut().enumerate().map(|(place, column)| column.next().unwrap_or_else(|| default(place)));
        rows.push(List::of(row)?.into())?;
    }
    Ok(rows.into())
}

/// `[[k, v], …]` or `[{k, v}, …]`; of equal keys the last counts.
fn array_to_object<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let array = call.value(0, env)?;
    let Some(elements) = elements(call, env, array, Code::ARRAY_TO_OBJECT_TYPE)? else { return Ok(Value::NULL) };
    let is_pairs = elements.first().is_some_and(Value::is_array);
    let mut object = Object::default();
    for element in elements {
        let (key, value) = match (element.is_array(), element.is_object()) {
            (true, _) if !is_pairs => {
                return Err(Code::ARRAY_TO_OBJECT_PAIR_AFTER_OBJECT.wrong_type("$arrayToObject takes pairs or objects"));
            }
            (true, _) => pair(element)?,
            (_, true) if is_pairs => {
                return Err(Code::ARRAY_TO_OBJECT_OBJECT_AFTER_PAIR.wrong_type("$arrayToObject takes pairs or objects"));
            }
            (_, true) => key_and_value(element)?,
            _ => return Err(unsuitable(call.name, &element, Code::ARRAY_TO_OBJECT_ELEMENT)),
        };
        object.set(Cow::Owned(key), if let Value::Missing = value { Value::NULL } else { value })?;
    }
    Ok(object.into())
}

fn pair(element: Value<'_>) -> Result<(CString, Value<'_>)> {
    let elements: Result<[Value<'_>; 2], _> = element.into_elements()?.unwrap_or_default().try_into();
    let [key, value] = elements
        .map_err(|_| Code::ARRAY_TO_OBJECT_PAIR_LENGTH.value("a pair of $arrayToObject has a key and a value"))?;
    Ok((key_of(&key, Code::ARRAY_TO_OBJECT_PAIR_KEY_TYPE)?, value))
}

fn key_and_value(element: Value<'_>) -> Result<(CString, Value<'_>)> {
    let fields = element.clone().into_fields()?.unwrap_or_default();
    if fields.len() != 2 {
        return Err(Code::ARRAY_TO_OBJECT_FIELDS.value("an object of $arrayToObject has the fields k and v"));
    }
    if !["k", "v"].iter().all(|wanted| fields.iter().any(|(name, _)| name.as_str() == *wanted)) {
        return Err(Code::ARRAY_TO_OBJECT_NAMES.value("an object of $arrayToObject has the fields k and v"));
    }
    let key = element.clone().into_field("k")?;
    Ok((key_of(&key, Code::ARRAY_TO_OBJECT_KEY_TYPE)?, element.into_field("v")?))
}

fn key_of(key: &Value<'_>, code: Code) -> Result<CString> {
    let key = text("$arrayToObject", key, code)?;
    if key.contains('\0') {
        return Err(Code::ARRAY_TO_OBJECT_KEY_NULL_BYTE.value("a key of $arrayToObject contains a NUL character"));
    }
    name(key)
}

/// `[{k, v}, …]` of the fields of an object.
pub(super) fn object_to_array<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let object = call.value(0, env)?;
    if object.is_nullish() {
        return Ok(Value::NULL);
    }
    if !object.is_object() {
        return Err(unsuitable(call.name, &object, Code::OBJECT_TO_ARRAY_TYPE));
    }
    let mut list = List::default();
    for (name, value) in object.into_fields()?.unwrap_or_default() {
        let key = Value::from(name.as_str().to_owned());
        list.push(Object::of([(Cow::Borrowed(cstr!("k")), key), (Cow::Borrowed(cstr!("v")), value)])?.into())?;
    }
    Ok(list.into())
}
