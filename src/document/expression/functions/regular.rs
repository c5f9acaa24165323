//! `$regexMatch`, `$regexFind` and `$regexFindAll`.

use std::borrow::Cow;
use std::sync::Arc;

use bson::raw::{RawBsonRef, cstr};

use super::super::compile::{Argument, Call, Function, Named, named};
use super::super::env::Env;
use super::super::value::{List, Object, Value};
use super::operand::{count, text, unsuitable};
use crate::document::code::Code;
use crate::document::regular::Regular;
use crate::error::Result;

pub(super) const FUNCTIONS: &[Function] = &[
    named("$regexFind", &REGEX, find),
    named("$regexFindAll", &REGEX, find_all),
    named("$regexMatch", &REGEX, matches),
];

static REGEX: Named = Named {
    fields: &[
        Argument("input", Some(Code::REGEX_WITHOUT_INPUT)),
        Argument("regex", Some(Code::REGEX_WITHOUT_REGEX)),
        Argument("options", None),
    ],
    not_object: Code::REGEX_NOT_OBJECT,
    unknown: Code::REGEX_UNKNOWN_ARGUMENT,
};

/// The text and what is looked for, or `None` when one of them is null.
fn operands<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Option<(String, Arc<Regular>)>> {
    let (input, regex, options) = (call.value(0, env)?, call.value(1, env)?, call.given(2, env)?);
    let options = match &options {
        Some(options) if !options.is_nullish() => Some(text(call.name, options, Code::REGEX_OPTIONS_TYPE)?),
        _ => None,
    };
    let pattern = match regex.or_null() {
        _ if regex.is_nullish() => None,
        RawBsonRef::String(pattern) => Some((pattern.to_owned(), options.unwrap_or_default().to_owned())),
        RawBsonRef::RegularExpression(regex) => {
            if options.is_some() && !regex.options.as_str().is_empty() {
                return Err(Code::REGEX_OPTIONS_TWICE.value(format!("{} has options in two places", call.name)));
            }
            let options = options.unwrap_or(regex.options.as_str());
            Some((regex.pattern.as_str().to_owned(), options.to_owned()))
        }
        _ => return Err(unsuitable(call.name, &regex, Code::REGEX_REGEX_TYPE)),
    };
    let regular = pattern.map(|(pattern, options)| env.context().regular(&pattern, &options)).transpose()?;
    if input.is_nullish() {
        return Ok(None);
    }
    let input = text(call.name, &input, Code::REGEX_INPUT_TYPE)?.to_owned();
    Ok(regular.map(|regular| (input, regular)))
}

fn matches<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((input, regular)) = operands(call, env)? else { return Ok(false.into()) };
    Ok(regular.is_match(&input)?.into())
}

fn find<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let Some((input, regular)) = operands(call, env)? else { return Ok(Value::NULL) };
    Ok(next(&input, &regular, 0)?.map_or(Value::NULL, |(found, _)| found))
}

fn find_all<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut list = List::default();
    let Some((input, regular)) = operands(call, env)? else { return Ok(list.into()) };
    let mut start = 0;
    while let Some((found, end)) = next(&input, &regular, start)? {
        env.context().spend(1)?;
        list.push(found)?;
        start = end;
        if start > input.len() {
            break;
        }
    }
    Ok(list.into())
}

/// The next match from byte `start` on as `{match, idx, captures}`, and where the one after it is looked for.
fn next<'a>(input: &str, regular: &Regular, start: usize) -> Result<Option<(Value<'a>, usize)>> {
    let Some(groups) = regular.find(input, start)? else { return Ok(None) };
    let Some(whole) = groups.get(0) else { return Ok(None) };
    let of_group = |place| groups.get(place).map_or(Value::NULL, |group| group.as_str().to_owned().into());
    let captures = List::of((1..groups.len()).map(of_group))?;
    let index = input.get(..whole.start()).map_or(0, |before| before.chars().count());
    let found = Object::of([
        (Cow::Borrowed(cstr!("match")), whole.as_str().to_owned().into()),
        (Cow::Borrowed(cstr!("idx")), count(index)),
        (Cow::Borrowed(cstr!("captures")), captures.into()),
    ])?;
    let end = match input.get(whole.end()..).and_then(|rest| rest.chars().next()) {
        // After an empty match the search goes on behind the next character.
        _ if whole.end() > whole.start() => whole.end(),
        Some(character) => whole.end() + character.len_utf8(),
        None => input.len() + 1,
    };
    Ok(Some((found.into(), end)))
}
