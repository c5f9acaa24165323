//! What functions ask of their operands.

use super::super::value::Value;
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::{Error, Result};

/// The error for a value of a type that `function` does not take.
pub(super) fn unsuitable(function: &str, value: &Value<'_>, code: Code) -> Error {
    code.wrong_type(format!("{function} does not take a value of type {}", value.type_name()))
}

/// The number that `value` is.
pub(super) fn number(function: &str, value: &Value<'_>, code: Code) -> Result<Number> {
    value.number().ok_or_else(|| unsuitable(function, value, code))
}

/// The text that `value` is.
pub(super) fn text<'v>(function: &str, value: &'v Value<'_>, code: Code) -> Result<&'v str> {
    value.text().ok_or_else(|| unsuitable(function, value, code))
}

/// The 32-bit integer that `value` is; `type_code` when it is no number, `code` when it is another one.
pub(super) fn int32(function: &str, value: &Value<'_>, type_code: Code, code: Code) -> Result<i32> {
    let number = number(function, value, type_code)?;
    number
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| code.value(format!("{function} takes a number that a 32-bit integer holds")))
}

/// A length or position as a value.
pub(super) fn count(count: usize) -> Value<'static> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    i32::try_from(count).map_or_else(|_| Number::Int64(count).into(), Value::from)
}
