//! Types of values, and conversions between them.

use bson::oid::ObjectId;
use bson::raw::{RawBson, RawBsonRef};
use bson::spec::BinarySubtype;
use bson::{Bson, DateTime, Decimal128};

use super::super::Expression;
use super::super::compile::{Argument, Arguments, Call, Compiler, Function, Named, fields, listed, own};
use super::super::env::Env;
use super::super::value::Value;
use super::dates::{iso_text, parse_iso, timestamp_text};
use super::hashed::hashed;
use super::operand::{count, unsuitable};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::document::order::type_name;
use crate::error::{Error, Result};

pub(super) const FUNCTIONS: &[Function] = &[
    listed("$binarySize", 1, 1, |call, env| {
        let value = call.value(0, env)?;
        match value.or_null() {
            RawBsonRef::Null | RawBsonRef::Undefined => Ok(Value::NULL),
            RawBsonRef::String(text) => Ok(count(text.len())),
            RawBsonRef::Binary(binary) => Ok(count(binary.bytes.len())),
            _ => Err(unsuitable(call.name, &value, Code::BINARY_SIZE_TYPE)),
        }
    }),
    listed("$bsonSize", 1, 1, |call, env| {
        let value = call.value(0, env)?;
        match value.or_null() {
            RawBsonRef::Null | RawBsonRef::Undefined => Ok(Value::NULL),
            RawBsonRef::Document(document) => Ok(count(document.as_bytes().len())),
            _ => Err(unsuitable(call.name, &value, Code::BSON_SIZE_TYPE)),
        }
    }),
    own("$convert", parse_convert, convert),
    listed("$isNumber", 1, 1, |call, env| Ok(call.value(0, env)?.number().is_some().into())),
    to("$toBool", |call, env| to_one(call, env, Target::Bool)),
    to("$toDate", |call, env| to_one(call, env, Target::Date)),
    to("$toDecimal", |call, env| to_one(call, env, Target::Decimal)),
    to("$toDouble", |call, env| to_one(call, env, Target::Double)),
    listed("$toHashedIndexKey", 1, 1, |call, env| Ok(Number::Int64(hashed(&call.value(0, env)?)?).into())),
    to("$toInt", |call, env| to_one(call, env, Target::Int)),
    to("$toLong", |call, env| to_one(call, env, Target::Long)),
    to("$toObjectId", |call, env| to_one(call, env, Target::ObjectId)),
    to("$toString", |call, env| to_one(call, env, Target::String)),
    to("$toUUID", to_uuid),
    listed("$type", 1, 1, |call, env| Ok(call.value(0, env)?.type_name().to_owned().into())),
];

const fn to(name: &'static str, evaluate: super::super::compile::Evaluate) -> Function {
    Function { name, arguments: Arguments::Counted(1, 1, Code::CONVERSION_ARITY), evaluate, repeats: false }
}

static CONVERT: Named = Named {
    fields: &[
        Argument("input", Some(Code::FAILED_TO_PARSE)),
        Argument("to", Some(Code::FAILED_TO_PARSE)),
        Argument("onError", None),
        Argument("onNull", None),
        Argument("format", None),
        Argument("byteOrder", None),
        Argument("base", None),
    ],
    not_object: Code::FAILED_TO_PARSE,
    unknown: Code::FAILED_TO_PARSE,
};

/// A type that values convert to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Double,
    String,
    ObjectId,
    Bool,
    Date,
    Int,
    Long,
    Decimal,
}

impl Target {
    /// The type that `to` names, by its name or number.
    fn of(to: &Value<'_>) -> Result<Self> {
        if let Some(number) = to.number() {
            return match number.as_i64() {
                Some(1) => Ok(Self::Double),
                Some(2) => Ok(Self::String),
                Some(7) => Ok(Self::ObjectId),
                Some(8) => Ok(Self::Bool),
                Some(9) => Ok(Self::Date),
                Some(16) => Ok(Self::Int),
                Some(18) => Ok(Self::Long),
                Some(19) => Ok(Self::Decimal),
                Some(number @ (3..=6 | 10..=15 | 17 | 127 | -1)) => {
                    Err(Error::unsupported(format!("$convert to type {number}")))
                }
                _ => Err(Code::BAD_VALUE.value("the type of $convert does not exist")),
            };
        }
        match to.text() {
            Some("double") => Ok(Self::Double),
            Some("string") => Ok(Self::String),
            Some("objectId") => Ok(Self::ObjectId),
            Some("bool") => Ok(Self::Bool),
            Some("date") => Ok(Self::Date),
            Some("int") => Ok(Self::Int),
            Some("long") => Ok(Self::Long),
            Some("decimal") => Ok(Self::Decimal),
            Some(
                name @ ("object"
                | "array"
                | "binData"
                | "undefined"
                | "null"
                | "regex"
                | "dbPointer"
                | "javascript"
                | "symbol"
                | "javascriptWithScope"
                | "timestamp"
                | "minKey"
                | "maxKey"
                | "number"),
            ) => Err(Error::unsupported(format!("$convert to {name}"))),
            Some(name) => Err(Code::BAD_VALUE.value(format!("there is no type {name:?}"))),
            None if to.is_object() => Err(Error::unsupported("$convert to a type with a subtype")),
            None => Err(Code::FAILED_TO_PARSE.wrong_type("the type of $convert is a name or a number")),
        }
    }
}

/// Options that only matter for binary data are refused with it.
fn parse_convert(compiler: &mut Compiler<'_>, name: &'static str, operand: &Bson) -> Result<Vec<Option<Expression>>> {
    let given = fields(name, &CONVERT, operand)?;
    for (place, option) in [(4, "format"), (5, "byteOrder"), (6, "base")] {
        if given.get(place).copied().flatten().is_some() {
            return Err(Error::unsupported(format!("the argument {option:?} of $convert")));
        }
    }
    given.into_iter().take(4).map(|text| text.map(|text| compiler.expression(text)).transpose()).collect()
}

fn convert<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (input, to) = call.pair(env)?;
    if input.is_nullish() {
        return Ok(call.given(3, env)?.unwrap_or(Value::NULL));
    }
    if to.is_nullish() {
        return Ok(Value::NULL);
    }
    match (converted(input, Target::of(&to)?), call.argument(2)) {
        (Err(error), Some(on_error)) if Code::of(&error) == Some(Code::CONVERSION_FAILURE) => on_error.evaluate(env),
        (converted, _) => converted,
    }
}

/// `$toUUID`: of a text, or what is one already.
fn to_uuid<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    let made = match value.or_null() {
        RawBsonRef::Null | RawBsonRef::Undefined => return Ok(Value::NULL),
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Uuid => return Ok(value),
        // With hyphens only, as a UUID is shown.
        RawBsonRef::String(text) if text.len() == 36 => uuid::Uuid::try_parse(text).ok(),
        _ => None,
    };
    let made = made.ok_or_else(|| {
        let message = format!("a value of type {} does not convert to a UUID", value.type_name());
        Code::CONVERSION_FAILURE.wrong_type(message)
    })?;
    let binary = bson::Binary { subtype: BinarySubtype::Uuid, bytes: made.as_bytes().to_vec() };
    Ok(RawBson::Binary(binary).into())
}

fn to_one<'a>(call: Call<'a>, env: &mut Env<'a>, target: Target) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    if value.is_nullish() { Ok(Value::NULL) } else { converted(value, target) }
}

fn converted(value: Value<'_>, target: Target) -> Result<Value<'_>> {
    let raw = value.or_null();
    let made = match target {
        Target::Bool => return Ok(value.is_true().into()),
        Target::String => match raw {
            RawBsonRef::String(_) => return Ok(value),
            raw => to_text(raw)?.map(Value::from),
        },
        Target::ObjectId => match raw {
            RawBsonRef::ObjectId(id) => Some(id),
            RawBsonRef::String(text) => ObjectId::parse_str(text).ok().filter(|_| text.len() == 24),
            _ => None,
        }
        .map(|id| Value::Borrowed(RawBsonRef::ObjectId(id))),
        Target::Date => to_date(raw).map(|millis| Value::Borrowed(RawBsonRef::DateTime(DateTime::from_millis(millis)))),
        Target::Int => to_integer(raw).and_then(|whole| i32::try_from(whole).ok()).map(Value::from),
        Target::Long => match raw {
            RawBsonRef::DateTime(date) => Some(date.timestamp_millis()),
            raw => to_integer(raw),
        }
        .map(|whole| Number::Int64(whole).into()),
        Target::Double => to_double(raw).map(|double| Number::Double(double).into()),
        Target::Decimal => to_decimal(raw).map(|decimal| Number::Decimal(decimal).into()),
    };
    made.ok_or_else(|| {
        let message = format!("a value of type {} does not convert to {target:?}", type_name(raw));
        Code::CONVERSION_FAILURE.wrong_type(message)
    })
}

fn to_integer(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Boolean(value) => Some(value.into()),
        RawBsonRef::String(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| text.parse().ok()).flatten()
        }
        value => Number::from_raw(value)?.cut(0)?.as_i64(),
    }
}

fn to_double(value: RawBsonRef<'_>) -> Option<f64> {
    match value {
        RawBsonRef::Boolean(value) => Some(value.into()),
        RawBsonRef::DateTime(date) => Some(Number::Int64(date.timestamp_millis()).as_f64()),
        RawBsonRef::String(text) => {
            let double: f64 = text.parse().ok()?;
            // What is written with digits and yet infinite is out of range.
            let in_words = text.bytes().all(|byte| !byte.is_ascii_digit());
            (double.is_finite() || in_words).then_some(double)
        }
        RawBsonRef::Decimal128(_) => {
            let number = Number::from_raw(value)?;
            let double = number.as_f64();
            let overflows = double.is_infinite() && number.is_finite();
            (!overflows).then_some(double)
        }
        value => Number::from_raw(value).map(Number::as_f64),
    }
}

fn to_decimal(value: RawBsonRef<'_>) -> Option<Decimal128> {
    match value {
        RawBsonRef::Boolean(value) => Some(Number::Int32(value.into()).decimal().pack()),
        RawBsonRef::DateTime(date) => Some(Number::Int64(date.timestamp_millis()).decimal().pack()),
        RawBsonRef::String(text) => text.parse().ok(),
        value => Number::from_raw(value).map(|number| match number {
            Number::Decimal(decimal) => decimal,
            number => number.decimal().pack(),
        }),
    }
}

/// Milliseconds since 1970.
fn to_date(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::DateTime(date) => Some(date.timestamp_millis()),
        RawBsonRef::Timestamp(timestamp) => Some(i64::from(timestamp.time) * 1_000),
        RawBsonRef::ObjectId(id) => Some(super::dates::object_id_millis(id)),
        RawBsonRef::String(text) => parse_iso(text),
        RawBsonRef::Int64(_) | RawBsonRef::Double(_) | RawBsonRef::Decimal128(_) => {
            Number::from_raw(value)?.cut(0)?.as_i64()
        }
        _ => None,
    }
}

/// `$toString`; `None` for a type without a text.
fn to_text(value: RawBsonRef<'_>) -> Result<Option<String>> {
    Ok(Some(match value {
        RawBsonRef::Boolean(value) => value.to_string(),
        RawBsonRef::ObjectId(id) => id.to_hex(),
        RawBsonRef::Double(value) => double_text(value),
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Uuid && binary.bytes.len() == 16 => {
            let bytes = <[u8; 16]>::try_from(binary.bytes).unwrap_or_default();
            uuid::Uuid::from_bytes(bytes).to_string()
        }
        RawBsonRef::Binary(binary) => base64(binary.bytes),
        RawBsonRef::String(_)
        | RawBsonRef::Symbol(_)
        | RawBsonRef::Int32(_)
        | RawBsonRef::Int64(_)
        | RawBsonRef::Decimal128(_)
        | RawBsonRef::DateTime(_) => return display(value),
        _ => return Ok(None),
    }))
}

/// The text that functions of text take a value for; `None` for a type without one.
pub(super) fn display(value: RawBsonRef<'_>) -> Result<Option<String>> {
    Ok(Some(match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => text.to_owned(),
        RawBsonRef::Int32(value) => value.to_string(),
        RawBsonRef::Int64(value) => value.to_string(),
        RawBsonRef::Double(value) => six_digits(value),
        RawBsonRef::Decimal128(value) => value.to_string(),
        RawBsonRef::DateTime(moment) => iso_text(moment)?,
        RawBsonRef::Timestamp(timestamp) => timestamp_text(timestamp)?,
        _ => return Ok(None),
    }))
}

/// The shortest text that reads back as `value`, with an exponent from 16 digits on, and below a ten-thousandth.
fn double_text(value: f64) -> String {
    if let Some(text) = not_finite(value, "NaN", "Infinity") {
        return text;
    }
    let (mantissa, exponent) = scientific(&format!("{value:e}"));
    if value == 0.0 || (-4..16).contains(&exponent) { value.to_string() } else { with_exponent(&mantissa, exponent) }
}

/// Six significant digits, as C prints with `%g`.
fn six_digits(value: f64) -> String {
    if let Some(text) = not_finite(value, "nan", "inf") {
        return text;
    }
    let (mantissa, exponent) = scientific(&format!("{value:.5e}"));
    let trimmed = |text: &str| {
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        short.to_owned()
    };
    match usize::try_from(5 - exponent) {
        Ok(decimals) if exponent >= -4 => trimmed(&format!("{value:.decimals$}")),
        _ => with_exponent(&trimmed(&mantissa), exponent),
    }
}

fn not_finite(value: f64, nan: &str, infinity: &str) -> Option<String> {
    if value.is_nan() {
        return Some(nan.to_owned());
    }
    let sign = if value < 0.0 { "-" } else { "" };
    value.is_infinite().then(|| format!("{sign}{infinity}"))
}

/// The parts of `1.5e-7`.
fn scientific(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = usize::try_from(group >> shift & 63).ok().and_then(|at| ALPHABET.get(at));
            text.push(if place > chunk.len() { '=' } else { char::from(letter.copied().unwrap_or(b'=')) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        let text = |bytes: &[u8]| base64(bytes);
        assert_eq!(
            [text(b""), text(b"f"), text(b"fo"), text(b"foo"), text(b"foob")],
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    // SEM: DOC-AGG-16
    #[test]
    fn doubles_have_a_text_as_the_server_writes_it() {
        let cases =
            [(1e16, "1e+16"), (9e-5, "9e-05"), (1e15, "1000000000000000"), (1e-4, "0.0001"), (1.5e300, "1.5e+300")];
        assert!(
            cases.iter().all(|(value, text)| double_text(*value) == *text),
            "{:?}",
            cases.map(|(v, _)| double_text(v))
        );
        let cases =
            [(1e6, "1e+06"), (123_456.0, "123456"), (0.1, "0.1"), (1_234_567.0, "1.23457e+06"), (f64::INFINITY, "inf")];
        assert!(
            cases.iter().all(|(value, text)| six_digits(*value) == *text),
            "{:?}",
            cases.map(|(v, _)| six_digits(v))
        );
        assert_eq!((double_text(0.0), double_text(-0.0)), ("0".to_owned(), "-0".to_owned()));
    }
}
