//! The parts of dates, and dates from their parts.

use std::borrow::Cow;

use bson::Timestamp;
use bson::raw::{RawBsonRef, cstr};

use super::super::super::compile::{Argument, Call, Named};
use super::super::super::env::Env;
use super::super::super::value::{Object, Value};
use super::super::operand::unsuitable;
use super::{date, int, millis, zone};
use crate::document::code::Code;
use crate::document::date::{Wall, Zone};
use crate::document::number::Number;
use crate::error::Result;

pub(super) static TO_PARTS: Named = Named {
    fields: &[
        Argument("date", Some(Code::DATE_TO_PARTS_WITHOUT_DATE)),
        Argument("timezone", None),
        Argument("iso8601", None),
    ],
    not_object: Code::DATE_TO_PARTS_NOT_OBJECT,
    unknown: Code::DATE_TO_PARTS_UNKNOWN_ARGUMENT,
};

pub(super) static FROM_PARTS: Named = Named {
    fields: &[
        Argument("year", None),
        Argument("month", None),
        Argument("day", None),
        Argument("isoWeekYear", None),
        Argument("isoWeek", None),
        Argument("isoDayOfWeek", None),
        Argument("hour", None),
        Argument("minute", None),
        Argument("second", None),
        Argument("millisecond", None),
        Argument("timezone", None),
    ],
    not_object: Code::DATE_FROM_PARTS_NOT_OBJECT,
    unknown: Code::DATE_FROM_PARTS_UNKNOWN_ARGUMENT,
};

/// A part of a date and, if given, of a time zone.
pub(super) fn one<'a>(call: Call<'a>, env: &mut Env<'a>, part: fn(Wall) -> i64) -> Result<Value<'a>> {
    Ok(wall(call, env)?.map_or(Value::NULL, |wall| int(part(wall))))
}

pub(super) fn iso_week_year<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let year = wall(call, env)?.map(|wall| wall.iso_week().0);
    Ok(year.map_or(Value::NULL, |year| Number::Int64(year).into()))
}

/// What a clock in the time zone of the second argument shows at the date of the first.
fn wall<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Option<Wall>> {
    let (value, zone_text) = (call.value(0, env)?, call.given(1, env)?);
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(None) };
    if value.is_nullish() {
        return Ok(None);
    }
    Ok(Some(zone.wall(millis(&value, Code::DATE_TYPE)?)))
}

/// `$tsSecond` and `$tsIncrement`.
pub(super) fn timestamp<'a>(
    call: Call<'a>,
    env: &mut Env<'a>,
    code: Code,
    part: fn(Timestamp) -> u32,
) -> Result<Value<'a>> {
    let value = call.value(0, env)?;
    match value.or_null() {
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(Value::NULL),
        RawBsonRef::Timestamp(timestamp) => Ok(Number::Int64(part(timestamp).into()).into()),
        _ => Err(unsuitable(call.name, &value, code)),
    }
}

/// `$dateToParts` over date, time zone and whether to use weeks of ISO 8601.
pub(super) fn to_parts<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (Some(wall), iso) = (wall(call, env)?, call.given(2, env)?) else { return Ok(Value::NULL) };
    let is_iso = match iso.as_ref().map(Value::or_null) {
        None => false,
        Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(Value::NULL),
        Some(RawBsonRef::Boolean(is_iso)) => is_iso,
        Some(_) => return Err(Code::DATE_TO_PARTS_ISO_TYPE.wrong_type("iso8601 is true or false")),
    };
    let of_day = if is_iso {
        let (year, week) = wall.iso_week();
        [(cstr!("isoWeekYear"), year), (cstr!("isoWeek"), week), (cstr!("isoDayOfWeek"), wall.iso_weekday())]
    } else {
        let (year, month, day) = wall.date();
        [(cstr!("year"), year), (cstr!("month"), month), (cstr!("day"), day)]
    };
    let of_time = [
        (cstr!("hour"), wall.hour()),
        (cstr!("minute"), wall.minute()),
        (cstr!("second"), wall.second()),
        (cstr!("millisecond"), wall.millisecond()),
    ];
    let parts = of_day.into_iter().chain(of_time).map(|(name, part)| (Cow::Borrowed(name), int(part)));
    Ok(Object::of(parts)?.into())
}

/// `$dateFromParts`: parts outside of their ranges lead into other ones, except years.
pub(super) fn from_parts<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    check_parts(call)?;
    let is_iso = call.argument(3).is_some();
    let first = if is_iso { 3 } else { 0 };
    let mut parts = [0; 7];
    for (slot, place) in parts.iter_mut().zip((first..first + 3).chain(6..10)) {
        match part(call, env, place, i64::from(place < 6))? {
            Some(value) => *slot = value,
            None => return Ok(Value::NULL),
        }
    }
    let zone_text = call.given(10, env)?;
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(Value::NULL) };
    let [year, middle, last, hour, minute, second, millisecond] = parts;
    if !(1..=9_999).contains(&year) {
        return Err(Code::DATE_FROM_PARTS_YEAR.value("the year of $dateFromParts is from 1 to 9999"));
    }
    let day = if is_iso { Wall::of_week(year, middle, last) } else { Wall::of_date(year, middle, last) };
    let made = moment(day, [hour, minute, second, millisecond], &zone);
    made.map(date).ok_or_else(|| Code::OVERFLOW.overflow("the result of $dateFromParts is no date"))
}

/// Refuses parts of both ways to name a day, and none.
fn check_parts(call: Call<'_>) -> Result<()> {
    let has = |places: std::ops::Range<usize>| places.into_iter().any(|place| call.argument(place).is_some());
    match (call.argument(0).is_some(), call.argument(3).is_some()) {
        (false, false) => {
            Err(Code::DATE_FROM_PARTS_WITHOUT_YEAR.syntax("$dateFromParts needs a year or an isoWeekYear"))
        }
        (true, _) if has(3..6) => {
            Err(Code::DATE_FROM_PARTS_MIXED.syntax("$dateFromParts does not mix years and weeks"))
        }
        (_, true) if has(0..3) => {
            Err(Code::DATE_FROM_PARTS_ISO_MIXED.syntax("$dateFromParts does not mix weeks with months and days"))
        }
        _ => Ok(()),
    }
}

/// The part at `place`, or `default` when it is not given; `None` for null.
fn part<'a>(call: Call<'a>, env: &mut Env<'a>, place: usize, default: i64) -> Result<Option<i64>> {
    let Some(value) = call.given(place, env)? else { return Ok(Some(default)) };
    if value.is_nullish() {
        return Ok(None);
    }
    let whole = value.number().and_then(Number::as_i64);
    let whole = whole.ok_or_else(|| unsuitable(call.name, &value, Code::DATE_FROM_PARTS_TYPE))?;
    // Seconds and their fractions have no range; years have one of their own.
    let is_small = matches!(place, 1 | 2 | 4 | 5 | 6 | 7);
    if is_small && i16::try_from(whole).is_err() {
        return Err(Code::DATE_FROM_PARTS_RANGE.value("a part of $dateFromParts is from -32768 to 32767"));
    }
    Ok(Some(whole))
}

fn moment(day: Wall, time: [i64; 4], zone: &Zone) -> Option<i64> {
    let units = [3_600_000, 60_000, 1_000, 1];
    let millis =
        time.into_iter().zip(units).try_fold(0i64, |sum, (part, unit)| sum.checked_add(part.checked_mul(unit)?))?;
    zone.moment(day.plus(millis))
}
