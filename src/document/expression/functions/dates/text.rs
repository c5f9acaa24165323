//! Dates as texts, and texts as dates.

use bson::Timestamp;

use super::super::super::compile::{Argument, Call, Named};
use super::super::super::env::Env;
use super::super::super::value::Value;
use super::super::operand::text;
use super::{date, millis, zone};
use crate::document::code::Code;
use crate::document::date::{Zone, check_parse_format, formatted, month_name, parse, parse_formatted};
use crate::error::{Error, Result};

pub(super) static TO_STRING: Named = Named {
    fields: &[
        Argument("date", Some(Code::DATE_TO_STRING_WITHOUT_DATE)),
        Argument("format", None),
        Argument("timezone", None),
        Argument("onNull", None),
    ],
    not_object: Code::DATE_TO_STRING_NOT_OBJECT,
    unknown: Code::DATE_TO_STRING_UNKNOWN_ARGUMENT,
};

pub(super) static FROM_STRING: Named = Named {
    fields: &[
        Argument("dateString", Some(Code::DATE_FROM_STRING_WITHOUT_TEXT)),
        Argument("format", None),
        Argument("timezone", None),
        Argument("onError", None),
        Argument("onNull", None),
    ],
    not_object: Code::DATE_FROM_STRING_NOT_OBJECT,
    unknown: Code::DATE_FROM_STRING_UNKNOWN_ARGUMENT,
};

const ISO: &str = "%Y-%m-%dT%H:%M:%S.%LZ";

/// `$dateToString` over date, format, time zone and the text for null.
pub(super) fn to_string<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (value, format, zone_text) = (call.value(0, env)?, call.given(1, env)?, call.given(2, env)?);
    let format = match &format {
        // Only UTC itself has a letter in the default format.
        None if zone_text.as_ref().is_none_or(|zone| zone.text() == Some("UTC")) => ISO,
        None => "%Y-%m-%dT%H:%M:%S.%L",
        Some(format) if format.is_nullish() => return Ok(Value::NULL),
        Some(format) => text(call.name, format, Code::DATE_FORMAT_TYPE)?,
    };
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(Value::NULL) };
    if value.is_nullish() {
        return Ok(call.given(3, env)?.unwrap_or(Value::NULL));
    }
    formatted(millis(&value, Code::DATE_TYPE)?, &zone, format).map(Value::from)
}

/// `$dateFromString` over text, format, time zone and the values for what is no date and for null.
pub(super) fn from_string<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (value, format, zone_text) = (call.value(0, env)?, call.given(1, env)?, call.given(2, env)?);
    let is_null = |given: &Option<Value<'_>>| given.as_ref().is_some_and(Value::is_nullish);
    let pattern = match &format {
        Some(format) if !format.is_nullish() => {
            let pattern = text(call.name, format, Code::DATE_FROM_STRING_FORMAT_TYPE)?;
            check_parse_format(pattern)?;
            Some(pattern)
        }
        _ => None,
    };
    let zone = zone(zone_text.as_ref())?;
    if value.is_nullish() {
        return Ok(call.given(4, env)?.unwrap_or(Value::NULL));
    }
    let found = match value.text() {
        None => None,
        Some(_) if zone.is_none() || is_null(&format) => return Ok(Value::NULL),
        Some(text) => {
            let zone = zone.as_ref().filter(|_| zone_text.is_some());
            pattern.map_or_else(|| parse(text, zone), |pattern| parse_formatted(text, pattern, zone))
        }
    };
    match (found, call.argument(3)) {
        (Some(millis), _) => Ok(date(millis)),
        (None, Some(on_error)) => on_error.evaluate(env),
        (None, None) => Err(no_date(&value)),
    }
}

fn no_date(value: &Value<'_>) -> Error {
    let message = match value.text() {
        Some(text) => format!("{text:?} is no date"),
        None => format!("$dateFromString does not take a value of type {}", value.type_name()),
    };
    Code::CONVERSION_FAILURE.value(message)
}

/// A date as `2026-03-01T12:00:00.000Z`.
pub(in super::super) fn iso_text(date: bson::DateTime) -> Result<String> {
    formatted(date.timestamp_millis(), &Zone::UTC, ISO)
}

/// A timestamp as `Mar  1 12:00:00:7`.
pub(in super::super) fn timestamp_text(timestamp: Timestamp) -> Result<String> {
    let millis = i64::from(timestamp.time) * 1_000;
    let (_, month, day) = Zone::UTC.wall(millis).date();
    let (time, month) = (formatted(millis, &Zone::UTC, "%H:%M:%S")?, month_name(month));
    Ok(format!("{} {day:>2} {time}:{}", month.get(..3).unwrap_or(month), timestamp.increment))
}

/// The milliseconds since 1970 of a text that is a date, in UTC where it does not say otherwise.
pub(in super::super) fn parse_iso(text: &str) -> Option<i64> {
    parse(text, None)
}
