//! Functions of dates: their parts and their text, in UTC or at a fixed offset from it.
//!
//! Named time zones need a database of rules, which is not there: they are refused by name. The calendar repeats itself
//! every 400 years, so that every date of 64 bits has its parts.

use std::fmt::Write as _;

use bson::Timestamp;
use bson::oid::ObjectId;
use bson::raw::RawBsonRef;
use jiff::civil::DateTime as Civil;
use jiff::tz::Offset;

use super::super::compile::{Argument, Arguments, Call, Evaluate, Function, Named, named};
use super::super::env::Env;
use super::super::value::Value;
use super::operand::{text, unsuitable};
use crate::document::code::Code;
use crate::document::number::Number;
use crate::error::{Error, Result};

pub(super) const FUNCTIONS: &[Function] = &[
    named("$dateToString", &TO_STRING, to_string),
    part("$dayOfMonth", |call, env| of(call, env, |at| at.civil.day().into())),
    part("$dayOfWeek", |call, env| of(call, env, |at| at.civil.weekday().to_sunday_one_offset().into())),
    part("$dayOfYear", |call, env| of(call, env, |at| at.civil.day_of_year().into())),
    part("$hour", |call, env| of(call, env, |at| at.civil.hour().into())),
    part("$isoDayOfWeek", |call, env| of(call, env, |at| at.civil.weekday().to_monday_one_offset().into())),
    part("$isoWeek", |call, env| of(call, env, |at| at.civil.date().iso_week_date().week().into())),
    part("$isoWeekYear", iso_week_year),
    part("$millisecond", |call, env| of(call, env, |at| at.civil.millisecond().into())),
    part("$minute", |call, env| of(call, env, |at| at.civil.minute().into())),
    part("$month", |call, env| of(call, env, |at| at.civil.month().into())),
    part("$second", |call, env| of(call, env, |at| at.civil.second().into())),
    part("$week", |call, env| of(call, env, Moment::week)),
    part("$year", |call, env| of(call, env, |at| at.year(at.civil.year()))),
];

/// Years after which the calendar repeats itself, days of the week included, and their length.
const CYCLE_YEARS: i64 = 400;
const CYCLE_MS: i64 = 146_097 * 86_400_000;

static DATE: Named = Named {
    fields: &[Argument("date", Some(Code::DATE_WITHOUT_DATE)), Argument("timezone", None)],
    not_object: Code::DATE_ARRAY_ARGUMENT,
    unknown: Code::DATE_UNKNOWN_ARGUMENT,
};

static TO_STRING: Named = Named {
    fields: &[
        Argument("date", Some(Code::DATE_TO_STRING_WITHOUT_DATE)),
        Argument("format", None),
        Argument("timezone", None),
        Argument("onNull", None),
    ],
    not_object: Code::DATE_TO_STRING_NOT_OBJECT,
    unknown: Code::DATE_TO_STRING_UNKNOWN_ARGUMENT,
};

const fn part(name: &'static str, evaluate: Evaluate) -> Function {
    Function { name, arguments: Arguments::Either(1, &DATE), evaluate, repeats: false }
}

/// A moment as a clock on a wall shows it, in one of the cycles of the calendar.
struct Moment {
    civil: Civil,
    /// How many cycles it is later than `civil`.
    cycles: i64,
}

impl Moment {
    fn new(millis: i64, offset: Offset) -> Result<Self> {
        let (cycles, within) = (millis.div_euclid(CYCLE_MS), millis.rem_euclid(CYCLE_MS));
        let moment =
            jiff::Timestamp::from_millisecond(within).map_err(|_| Error::value("a date is not in the calendar"))?;
        Ok(Self { civil: offset.to_datetime(moment), cycles })
    }

    /// The year that `year` of the calendar stands for.
    fn year(&self, year: i16) -> i32 {
        i32::try_from(i64::from(year) + CYCLE_YEARS * self.cycles).unwrap_or(i32::MAX)
    }

    /// The week of the year, where weeks begin on Sundays and days before the first Sunday are in week 0.
    fn week(&self) -> i32 {
        let (day, weekday) = (self.civil.day_of_year(), self.civil.weekday().to_sunday_zero_offset());
        (i32::from(day) + 6 - i32::from(weekday)) / 7
    }
}

/// A part of a date and, if given, of a time zone.
fn of<'a>(call: Call<'a>, env: &mut Env<'a>, part: fn(&Moment) -> i32) -> Result<Value<'a>> {
    Ok(moment(call, env)?.map_or(Value::NULL, |moment| part(&moment).into()))
}

fn iso_week_year<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let year = moment(call, env)?.map(|at| at.year(at.civil.date().iso_week_date().year()));
    Ok(year.map_or(Value::NULL, |year| Number::Int64(year.into()).into()))
}

fn moment<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Option<Moment>> {
    let (date, zone) = (call.value(0, env)?, call.given(1, env)?);
    let Some(offset) = offset(zone.as_ref())? else { return Ok(None) };
    let Some(millis) = millis(&date)? else { return Ok(None) };
    Moment::new(millis, offset).map(Some)
}

/// `$dateToString` over date, format, time zone and the text for null.
fn to_string<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (date, format, zone) = (call.value(0, env)?, call.given(1, env)?, call.given(2, env)?);
    let format = match &format {
        // Only UTC itself has a letter in the default format.
        None if zone.as_ref().is_none_or(|zone| zone.text() == Some("UTC")) => "%Y-%m-%dT%H:%M:%S.%LZ",
        None => "%Y-%m-%dT%H:%M:%S.%L",
        Some(format) if format.is_nullish() => return Ok(Value::NULL),
        Some(format) => text(call.name, format, Code::DATE_FORMAT_TYPE)?,
    };
    let Some(offset) = offset(zone.as_ref())? else { return Ok(Value::NULL) };
    let Some(millis) = millis(&date)? else { return Ok(call.given(3, env)?.unwrap_or(Value::NULL)) };
    formatted(&Moment::new(millis, offset)?, offset, format).map(Value::from)
}

/// A date as `2026-03-01T12:00:00.000Z`.
pub(super) fn iso_text(date: bson::DateTime) -> Result<String> {
    let moment = Moment::new(date.timestamp_millis(), Offset::UTC)?;
    formatted(&moment, Offset::UTC, "%Y-%m-%dT%H:%M:%S.%LZ")
}

/// A timestamp as `Mar  1 12:00:00:7`.
pub(super) fn timestamp_text(timestamp: Timestamp) -> Result<String> {
    let moment = Moment::new(i64::from(timestamp.time) * 1_000, Offset::UTC)?;
    let (month, day) = (month_name(&moment), moment.civil.day());
    let time = formatted(&moment, Offset::UTC, "%H:%M:%S")?;
    Ok(format!("{} {day:>2} {time}:{}", month.get(..3).unwrap_or(month), timestamp.increment))
}

/// The milliseconds since 1970 of a date in one of the forms of ISO 8601, in UTC where it does not say otherwise.
pub(super) fn parse_iso(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let civil = text.parse::<Civil>().ok().filter(|_| text.len() >= 10)?;
    Offset::UTC.to_timestamp(civil).ok().map(jiff::Timestamp::as_millisecond)
}

/// The milliseconds since 1970 of an object id, whose seconds have a sign.
pub(super) fn object_id_millis(id: ObjectId) -> i64 {
    let [a, b, c, d, ..] = id.bytes();
    i64::from(i32::from_be_bytes([a, b, c, d])) * 1_000
}

/// Milliseconds since 1970, or none for a null. Timestamps and object ids hold a date, to the second.
fn millis(value: &Value<'_>) -> Result<Option<i64>> {
    match value.or_null() {
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(None),
        RawBsonRef::DateTime(date) => Ok(Some(date.timestamp_millis())),
        RawBsonRef::Timestamp(timestamp) => Ok(Some(i64::from(timestamp.time) * 1_000)),
        RawBsonRef::ObjectId(id) => Ok(Some(object_id_millis(id))),
        _ => Err(unsuitable("a function of dates", value, Code::DATE_TYPE)),
    }
}

/// The offset a time zone stands for, or none for a null one; without a time zone it is UTC.
fn offset(zone: Option<&Value<'_>>) -> Result<Option<Offset>> {
    let text = match zone {
        None => return Ok(Some(Offset::UTC)),
        Some(zone) if zone.is_nullish() => return Ok(None),
        Some(zone) => text("a time zone", zone, Code::TIME_ZONE_TYPE)?,
    };
    if matches!(text, "UTC" | "GMT" | "Z") {
        return Ok(Some(Offset::UTC));
    }
    if text.starts_with(['+', '-']) || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let offset =
            fixed_offset(text).ok_or_else(|| Code::TIME_ZONE.value(format!("there is no time zone {text:?}")))?;
        return Ok(Some(offset));
    }
    Err(Error::unsupported(format!("time zone {text:?}")))
}

/// `+hh`, `+hhmm`, `+hh:mm` and the same behind a minus sign.
fn fixed_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

fn formatted(moment: &Moment, offset: Offset, format: &str) -> Result<String> {
    let year = moment.year(moment.civil.year());
    if !(0..=9_999).contains(&year) {
        return Err(Code::DATE_YEAR_RANGE.value(format!("year {year} has no text of four digits")));
    }
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            specifier(&mut text, moment, offset, characters.next())?;
        } else {
            text.push(character);
        }
    }
    Ok(text)
}

/// Appends what one `%` and a letter stand for.
fn specifier(text: &mut String, moment: &Moment, offset: Offset, letter: Option<char>) -> Result<()> {
    let date = moment.civil;
    let minutes = offset.seconds() / 60;
    let written = match letter {
        Some('%') => write!(text, "%"),
        Some('Y') => write!(text, "{:04}", moment.year(date.year())),
        Some('m') => write!(text, "{:02}", date.month()),
        Some('d') => write!(text, "{:02}", date.day()),
        Some('H') => write!(text, "{:02}", date.hour()),
        Some('M') => write!(text, "{:02}", date.minute()),
        Some('S') => write!(text, "{:02}", date.second()),
        Some('L') => write!(text, "{:03}", date.millisecond()),
        Some('j') => write!(text, "{:03}", date.day_of_year()),
        Some('w') => write!(text, "{}", date.weekday().to_sunday_one_offset()),
        Some('u') => write!(text, "{}", date.weekday().to_monday_one_offset()),
        Some('G') => write!(text, "{:04}", moment.year(date.date().iso_week_date().year())),
        Some('V') => write!(text, "{:02}", date.date().iso_week_date().week()),
        Some('z') => {
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(text, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        Some('Z') => write!(text, "{minutes}"),
        Some('U') => write!(text, "{:02}", moment.week()),
        Some('B') => write!(text, "{}", month_name(moment)),
        Some('b') => write!(text, "{}", month_name(moment).get(..3).unwrap_or_default()),
        other => {
            let letter = other.map(String::from).unwrap_or_default();
            return Err(Code::DATE_FORMAT.syntax(format!("there is no date format specifier %{letter}")));
        }
    };
    written.map_err(|_| Error::value("the date has no text"))
}

fn month_name(moment: &Moment) -> &'static str {
    match moment.civil.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}
