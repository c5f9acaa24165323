//! Functions of dates, on the clocks of time zones.

mod arithmetic;
mod parts;
mod text;

use bson::DateTime;
use bson::oid::ObjectId;
use bson::raw::RawBsonRef;

use super::super::compile::{Argument, Arguments, Evaluate, Function, Named, listed, named};
use super::super::value::Value;
use super::operand::{text as text_of, unsuitable};
use crate::document::code::Code;
use crate::document::date::{Unit, Wall, Zone};
use crate::document::number::Number;
use crate::error::Result;
pub(super) use text::{iso_text, parse_iso, timestamp_text};

pub(super) const FUNCTIONS: &[Function] = &[
    named("$dateAdd", &arithmetic::ADD, |call, env| arithmetic::add(call, env, false)),
    named("$dateDiff", &arithmetic::DIFF, arithmetic::diff),
    named("$dateFromParts", &parts::FROM_PARTS, parts::from_parts),
    named("$dateFromString", &text::FROM_STRING, text::from_string),
    named("$dateSubtract", &arithmetic::ADD, |call, env| arithmetic::add(call, env, true)),
    named("$dateToParts", &parts::TO_PARTS, parts::to_parts),
    named("$dateToString", &text::TO_STRING, text::to_string),
    named("$dateTrunc", &arithmetic::TRUNC, arithmetic::trunc),
    part("$dayOfMonth", |call, env| parts::one(call, env, |at| at.date().2)),
    part("$dayOfWeek", |call, env| parts::one(call, env, |at| at.weekday() + 1)),
    part("$dayOfYear", |call, env| parts::one(call, env, Wall::day_of_year)),
    part("$hour", |call, env| parts::one(call, env, Wall::hour)),
    part("$isoDayOfWeek", |call, env| parts::one(call, env, Wall::iso_weekday)),
    part("$isoWeek", |call, env| parts::one(call, env, |at| at.iso_week().1)),
    part("$isoWeekYear", parts::iso_week_year),
    part("$millisecond", |call, env| parts::one(call, env, Wall::millisecond)),
    part("$minute", |call, env| parts::one(call, env, Wall::minute)),
    part("$month", |call, env| parts::one(call, env, |at| at.date().1)),
    part("$second", |call, env| parts::one(call, env, Wall::second)),
    listed("$tsIncrement", 1, 1, |call, env| parts::timestamp(call, env, Code::TS_INCREMENT_TYPE, |at| at.increment)),
    listed("$tsSecond", 1, 1, |call, env| parts::timestamp(call, env, Code::TS_SECOND_TYPE, |at| at.time)),
    part("$week", |call, env| parts::one(call, env, Wall::week)),
    part("$year", |call, env| parts::one(call, env, Wall::year)),
];

static DATE: Named = Named {
    fields: &[Argument("date", Some(Code::DATE_WITHOUT_DATE)), Argument("timezone", None)],
    not_object: Code::DATE_ARRAY_ARGUMENT,
    unknown: Code::DATE_UNKNOWN_ARGUMENT,
};

const fn part(name: &'static str, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Either(1, &DATE), evaluate, repeats: false }
}

/// Milliseconds since 1970. Timestamps and object ids hold a date, to the second.
fn millis(value: &Value<'_>, code: Code) -> Result<i64> {
    match value.or_null() {
        RawBsonRef::DateTime(date) => Ok(date.timestamp_millis()),
        RawBsonRef::Timestamp(timestamp) => Ok(i64::from(timestamp.time) * 1_000),
        RawBsonRef::ObjectId(id) => Ok(object_id_millis(id)),
        _ => Err(unsuitable("a function of dates", value, code)),
    }
}

/// The milliseconds since 1970 of an object id, whose seconds have a sign.
pub(super) fn object_id_millis(id: ObjectId) -> i64 {
    let [a, b, c, d, ..] = id.bytes();
    i64::from(i32::from_be_bytes([a, b, c, d])) * 1_000
}

/// A time zone, or none for a null one; without one it is UTC.
fn zone(value: Option<&Value<'_>>) -> Result<Option<Zone>> {
    let Some(value) = value else { return Ok(Some(Zone::UTC)) };
    if value.is_nullish() {
        return Ok(None);
    }
    let text = text_of("a time zone", value, Code::TIME_ZONE_TYPE)?;
    let zone = Zone::parse(text).ok_or_else(|| Code::TIME_ZONE.value(format!("there is no time zone {text:?}")))?;
    Ok(Some(zone))
}

fn unit(function: &str, value: &Value<'_>) -> Result<Unit> {
    let text = text_of(function, value, Code::DATE_UNIT_TYPE)?;
    Unit::parse(text).ok_or_else(|| Code::FAILED_TO_PARSE.value(format!("there is no unit of time {text:?}")))
}

fn date(millis: i64) -> Value<'static> {
    Value::Borrowed(RawBsonRef::DateTime(DateTime::from_millis(millis)))
}

/// A part of a date as 32-bit integer, or a wider one where it needs to be.
fn int(number: i64) -> Value<'static> {
    i32::try_from(number).map_or_else(|_| Number::Int64(number).into(), Value::from)
}
