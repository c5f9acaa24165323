//! Operators on text.

use bson::raw::{RawBson, RawBsonRef};

use super::{Value, date, type_name};
use crate::error::{Error, InvalidKind, Result};

/// `$concat`: all of them, or null when one of them is null or missing.
pub(super) fn concat(values: &[Value<'_>]) -> Result<Value<'static>> {
    let mut all = String::new();
    for value in values {
        match value.or_null() {
            RawBsonRef::String(text) => all.push_str(text),
            RawBsonRef::Null | RawBsonRef::Undefined => return Ok(Value::NULL),
            other => return Err(unsuitable("$concat", other)),
        }
    }
    Ok(all.into())
}

/// The operand of an operator that takes text, numbers and dates for text, and null for the empty string.
pub(super) fn operand(value: &Value<'_>, operator: &str) -> Result<String> {
    match value.or_null() {
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(String::new()),
        value @ (RawBsonRef::Boolean(_) | RawBsonRef::ObjectId(_)) => Err(unsuitable(operator, value)),
        value => text_of(value, operator),
    }
}

/// `$toString`.
pub(super) fn to_string(value: Value<'_>) -> Result<Value<'_>> {
    if value.is_nullish() {
        return Ok(Value::NULL);
    }
    if let Value::Borrowed(RawBsonRef::String(_)) | Value::Owned(RawBson::String(_)) = value {
        return Ok(value);
    }
    text_of(value.or_null(), "$toString").map(Value::from)
}

fn text_of(value: RawBsonRef<'_>, operator: &str) -> Result<String> {
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Ok(text.to_owned()),
        RawBsonRef::Boolean(value) => Ok(value.to_string()),
        RawBsonRef::Int32(value) => Ok(value.to_string()),
        RawBsonRef::Int64(value) => Ok(value.to_string()),
        RawBsonRef::Double(value) => Ok(double_text(value)),
        RawBsonRef::Decimal128(value) => Ok(value.to_string()),
        RawBsonRef::ObjectId(id) => Ok(id.to_hex()),
        RawBsonRef::DateTime(moment) => date::iso_text(moment),
        other => Err(unsuitable(operator, other)),
    }
}

/// The shortest text that reads back as `value`, with an exponent where digits alone would be mostly zeros.
fn double_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        value.to_string()
    } else {
        let text = format!("{value:e}");
        if text.contains("e-") { text } else { text.replace('e', "e+") }
    }
}

fn unsuitable(operator: &str, value: RawBsonRef<'_>) -> Error {
    Error::invalid(InvalidKind::Type, format!("{operator} does not take a value of type {}", type_name(value)))
}
