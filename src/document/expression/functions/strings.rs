//! Functions of text.

use super::super::compile::{Argument, Call, Function, Named, listed, named};
use super::super::env::Env;
use super::super::value::{List, Value};
use super::operand::{count, int32, number, text, unsuitable};
use super::types::display;
use crate::document::code::Code;
use crate::error::{Error, Result};
use crate::limits;

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$concat", 0, usize::MAX, concat),
    listed("$indexOfBytes", 2, 4, index_of_bytes),
    listed("$indexOfCP", 2, 4, index_of_cp),
    named("$ltrim", &TRIM, |call, env| trim(call, env, true, false)),
    named("$replaceAll", &REPLACE, |call, env| {
        replace(call, env, |input, find, replacement| input.replace(find, replacement))
    }),
    named("$replaceOne", &REPLACE, |call, env| {
        replace(call, env, |input, find, replacement| input.replacen(find, replacement, 1))
    }),
    named("$rtrim", &TRIM, |call, env| trim(call, env, false, true)),
    listed("$split", 2, 2, split),
    listed("$strLenBytes", 1, 1, |call, env| length(call, env, Code::STR_LEN_BYTES_TYPE, str::len)),
    listed("$strLenCP", 1, 1, |call, env| length(call, env, Code::STR_LEN_CP_TYPE, |text| text.chars().count())),
    listed("$strcasecmp", 2, 2, strcasecmp),
    listed("$substr", 3, 3, substr_bytes),
    listed("$substrBytes", 3, 3, substr_bytes),
    listed("$substrCP", 3, 3, substr_cp),
    listed("$toLower", 1, 1, |call, env| Ok(shown(call, env, 0)?.to_ascii_lowercase().into())),
    listed("$toUpper", 1, 1, |call, env| Ok(shown(call, env, 0)?.to_ascii_uppercase().into())),
    named("$trim", &TRIM, |call, env| trim(call, env, true, true)),
];

static TRIM: Named = Named {
    fields: &[Argument("input", Some(Code::TRIM_WITHOUT_INPUT)), Argument("chars", None)],
    not_object: Code::TRIM_NOT_OBJECT,
    unknown: Code::TRIM_UNKNOWN_ARGUMENT,
};

static REPLACE: Named = Named {
    fields: &[
        Argument("input", Some(Code::REPLACE_WITHOUT_INPUT)),
        Argument("find", Some(Code::REPLACE_WITHOUT_FIND)),
        Argument("replacement", Some(Code::REPLACE_WITHOUT_REPLACEMENT)),
    ],
    not_object: Code::REPLACE_NOT_OBJECT,
    unknown: Code::REPLACE_UNKNOWN_ARGUMENT,
};

/// What `$trim` takes off when it is not told: white space of Unicode that the manual lists, and NUL.
const WHITE_SPACE: &str = "\0 \t\n\u{b}\u{c}\r\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}";

/// The argument at `place` as text: null is empty, numbers and dates have a text.
fn shown<'a>(call: Call<'a>, env: &mut Env<'a>, place: usize) -> Result<String> {
    let value = call.value(place, env)?;
    if value.is_nullish() {
        return Ok(String::new());
    }
    display(value.or_null())?.ok_or_else(|| unsuitable(call.name, &value, Code::STRING_CONVERSION))
}

/// A made text, unless it is longer than a document may be.
fn made(text: String) -> Result<Value<'static>> {
    if text.len() > limits::DOCUMENT_BYTES_MAX {
        return Err(too_large());
    }
    Ok(text.into())
}

fn too_large() -> Error {
    Code::STRING_TOO_LARGE.value("a computed text is longer than 16 MiB")
}

/// `$concat`: all of them, or null when one of them is null or missing.
fn concat<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let mut all = String::new();
    let mut is_null = false;
    for value in call.all(env)? {
        if value.is_nullish() {
            is_null = true;
        } else {
            all.push_str(text(call.name, &value, Code::CONCAT_TYPE)?);
        }
        if all.len() > limits::DOCUMENT_BYTES_MAX {
            break;
        }
    }
    if is_null { Ok(Value::NULL) } else { made(all) }
}

fn length<'a>(call: Call<'a>, env: &mut Env<'a>, code: Code, of: fn(&str) -> usize) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    Ok(count(of(text(call.name, &value, code)?)))
}

fn strcasecmp<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (left, right) = (shown(call, env, 0)?, shown(call, env, 1)?);
    Ok((left.to_ascii_uppercase().cmp(&right.to_ascii_uppercase()) as i32).into())
}

/// The text of so many bytes from a byte on; a negative length means all the rest.
fn substr_bytes<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let string = shown(call, env, 0)?;
    let (start, length) = (call.value(1, env)?, call.value(2, env)?);
    let start = number(call.name, &start, Code::SUBSTRING_START)?.as_f64().trunc();
    let length = number(call.name, &length, Code::SUBSTRING_LENGTH)?.as_f64().trunc();
    if start < 0.0 {
        return Err(Code::SUBSTRING_START_NEGATIVE.value(format!("the start of {} is negative", call.name)));
    }
    let start = whole(start).min(string.len());
    let end = if length < 0.0 { string.len() } else { start.saturating_add(whole(length)).min(string.len()) };
    if !string.is_char_boundary(start) {
        return Err(Code::SUBSTRING_STARTS_INSIDE.value(format!("{} starts inside a character", call.name)));
    }
    if !string.is_char_boundary(end) {
        return Err(Code::SUBSTRING_ENDS_INSIDE.value(format!("{} ends inside a character", call.name)));
    }
    Ok(string.get(start..end).unwrap_or_default().to_owned().into())
}

/// The integer nearest to `number`, which is not negative, as a length.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
fn whole(number: f64) -> usize {
    number as usize
}

fn substr_cp<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let string = shown(call, env, 0)?;
    let (start, length) = (call.value(1, env)?, call.value(2, env)?);
    let start = int32(call.name, &start, Code::SUBSTR_CP_START_TYPE, Code::SUBSTR_CP_START)?;
    let length = int32(call.name, &length, Code::SUBSTR_CP_LENGTH_TYPE, Code::SUBSTR_CP_LENGTH)?;
    let Ok(length) = usize::try_from(length) else {
        return Err(Code::SUBSTR_CP_LENGTH_NEGATIVE.value("the length of $substrCP is negative"));
    };
    let Ok(start) = usize::try_from(start) else {
        return Err(Code::SUBSTR_CP_START_NEGATIVE.value("the start of $substrCP is negative"));
    };
    Ok(string.chars().skip(start).take(length).collect::<String>().into())
}

fn trim<'a>(call: Call<'a>, env: &mut Env<'a>, start: bool, end: bool) -> Result<Value<'a>> {
    let (input, chars) = (call.value(0, env)?, call.given(1, env)?);
    if input.is_nullish() {
        return Ok(Value::NULL);
    }
    let input = text(call.name, &input, Code::TRIM_INPUT_TYPE)?;
    let chars = match &chars {
        None => WHITE_SPACE,
        Some(chars) if chars.is_nullish() => return Ok(Value::NULL),
        Some(chars) => text(call.name, chars, Code::TRIM_CHARS_TYPE)?,
    };
    let mut trimmed = input;
    if start {
        trimmed = trimmed.trim_start_matches(|c| chars.contains(c));
    }
    if end {
        trimmed = trimmed.trim_end_matches(|c| chars.contains(c));
    }
    Ok(trimmed.to_owned().into())
}

fn split<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (string, separator) = call.pair(env)?;
    if string.is_nullish() || separator.is_nullish() {
        return Ok(Value::NULL);
    }
    let string = text(call.name, &string, Code::SPLIT_TYPE)?;
    let separator = text(call.name, &separator, Code::SPLIT_SEPARATOR_TYPE)?;
    if separator.is_empty() {
        return Err(Code::SPLIT_EMPTY_SEPARATOR.value("the separator of $split is empty"));
    }
    let mut list = List::default();
    for part in string.split(separator) {
        env.context().spend(1)?;
        list.push(part.to_owned().into())?;
    }
    Ok(list.into())
}

/// Where a search begins and ends, of `length` places; `None` when that leaves nothing.
fn bounds<'a>(call: Call<'a>, env: &mut Env<'a>, length: usize) -> Result<Option<(usize, usize)>> {
    let mut bound = |place, default| match call.given(place, env)? {
        None => Ok(default),
        Some(value) => {
            let whole = int32(call.name, &value, Code::INDEX_OF_BOUND_TYPE, Code::INDEX_OF_BOUND_TYPE)?;
            usize::try_from(whole)
                .map_err(|_| Code::INDEX_OF_BOUND_NEGATIVE.value(format!("a bound of {} is negative", call.name)))
        }
    };
    let (start, end) = (bound(2, 0)?, bound(3, length)?.min(length));
    Ok((start <= length && start <= end).then_some((start, end)))
}

fn index_of_bytes<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (string, searched) = call.pair(env)?;
    if string.is_nullish() {
        return Ok(Value::NULL);
    }
    let string = text(call.name, &string, Code::INDEX_OF_BYTES_TYPE)?;
    let searched = text(call.name, &searched, Code::INDEX_OF_BYTES_SEARCH_TYPE)?;
    let Some((start, end)) = bounds(call, env, string.len())? else { return Ok(Value::from(-1)) };
    let window = string.as_bytes().get(start..end).unwrap_or_default();
    let found = if searched.is_empty() {
        Some(0)
    } else {
        window.windows(searched.len()).position(|at| at == searched.as_bytes())
    };
    Ok(found.map_or(Value::from(-1), |at| count(start + at)))
}

fn index_of_cp<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (string, searched) = call.pair(env)?;
    if string.is_nullish() {
        return Ok(Value::NULL);
    }
    let string = text(call.name, &string, Code::INDEX_OF_CP_TYPE)?;
    let searched = text(call.name, &searched, Code::INDEX_OF_CP_SEARCH_TYPE)?;
    let Some((start, end)) = bounds(call, env, string.chars().count())? else { return Ok(Value::from(-1)) };
    let window: String = string.chars().take(end).skip(start).collect();
    let found = window.find(searched).and_then(|at| window.get(..at)).map(|before| before.chars().count());
    Ok(found.map_or(Value::from(-1), |at| count(start + at)))
}

fn replace<'a>(call: Call<'a>, env: &mut Env<'a>, by: fn(&str, &str, &str) -> String) -> Result<Value<'a>> {
    let values = call.all(env)?;
    let [input, find, replacement] = values.as_slice() else { return Ok(Value::NULL) };
    let mut is_null = false;
    let mut part = |value: &Value<'_>, code| {
        is_null |= value.is_nullish();
        if value.is_nullish() { Ok(String::new()) } else { text(call.name, value, code).map(str::to_owned) }
    };
    let input = part(input, Code::REPLACE_INPUT_TYPE)?;
    let find = part(find, Code::REPLACE_FIND_TYPE)?;
    let replacement = part(replacement, Code::REPLACE_REPLACEMENT_TYPE)?;
    if is_null {
        return Ok(Value::NULL);
    }
    // What would be much too large is not made.
    let added = input.matches(find.as_str()).count().saturating_mul(replacement.len());
    if added > 2 * limits::DOCUMENT_BYTES_MAX {
        return Err(too_large());
    }
    made(by(&input, &find, &replacement))
}
