//! Operators on dates: their parts and their text, in UTC or at a fixed offset from it.
//!
//! Named time zones need a database of rules, which is not there: they are refused by name. Dates outside the years
//! that the calendar covers are an error, never a panic.

use std::fmt::Write as _;

use bson::raw::RawBsonRef;
use jiff::civil::DateTime as Civil;
use jiff::tz::Offset;

use super::{Value, type_name};
use crate::error::{Error, InvalidKind, Result};

/// A part of a date that has its own operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Month,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
}

/// `$year` and its like over a date and, if given, an offset.
pub(super) fn part(part: Part, values: &[Value<'_>]) -> Result<Value<'static>> {
    let (Some(millis), Some(offset)) = (millis(values.first())?, offset(values.get(1))?) else {
        return Ok(Value::NULL);
    };
    let date = civil(millis, offset)?;
    let number = match part {
        Part::Year => i32::from(date.year()),
        Part::Month => date.month().into(),
        Part::DayOfMonth => date.day().into(),
        Part::DayOfWeek => date.weekday().to_sunday_one_offset().into(),
        Part::DayOfYear => date.day_of_year().into(),
        Part::Hour => date.hour().into(),
        Part::Minute => date.minute().into(),
        Part::Second => date.second().into(),
        Part::Millisecond => date.millisecond().into(),
    };
    Ok(Value::Borrowed(RawBsonRef::Int32(number)))
}

/// `$dateToString` over date, format, time zone and the text for null.
pub(super) fn to_string<'a>(values: &[Value<'a>]) -> Result<Value<'a>> {
    let [date, format, zone, on_null] = values else { return Ok(Value::NULL) };
    let Some(millis) = millis(Some(date))? else {
        return Ok(match on_null {
            Value::Missing => Value::NULL,
            other => other.clone(),
        });
    };
    let Some(offset) = offset(Some(zone))? else { return Ok(Value::NULL) };
    let format = match format.get() {
        None if matches!(zone, Value::Missing) => "%Y-%m-%dT%H:%M:%S.%LZ",
        None => "%Y-%m-%dT%H:%M:%S.%L",
        Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(Value::NULL),
        Some(RawBsonRef::String(format)) => format,
        Some(other) => return Err(unsuitable("the format of $dateToString", other)),
    };
    formatted(civil(millis, offset)?, offset, format).map(Value::from)
}

/// A date as `2026-03-01T12:00:00.000Z`.
pub(super) fn iso_text(date: bson::DateTime) -> Result<String> {
    formatted(civil(date.timestamp_millis(), Offset::UTC)?, Offset::UTC, "%Y-%m-%dT%H:%M:%S.%LZ")
}

/// Milliseconds since 1970, or none for a null. Timestamps and object ids hold a date, to the second.
fn millis(value: Option<&Value<'_>>) -> Result<Option<i64>> {
    match value.map_or(RawBsonRef::Null, Value::or_null) {
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(None),
        RawBsonRef::DateTime(date) => Ok(Some(date.timestamp_millis())),
        RawBsonRef::Timestamp(timestamp) => Ok(Some(i64::from(timestamp.time) * 1_000)),
        RawBsonRef::ObjectId(id) => Ok(Some(id.timestamp().timestamp_millis())),
        other => Err(unsuitable("the operand of a date operator", other)),
    }
}

/// The offset a time zone stands for, or none for a null one; without a time zone it is UTC.
fn offset(zone: Option<&Value<'_>>) -> Result<Option<Offset>> {
    let text = match zone.map(Value::get) {
        None | Some(None) => return Ok(Some(Offset::UTC)),
        Some(Some(RawBsonRef::Null | RawBsonRef::Undefined)) => return Ok(None),
        Some(Some(RawBsonRef::String(text))) => text,
        Some(Some(other)) => return Err(unsuitable("a time zone", other)),
    };
    if matches!(text, "UTC" | "GMT" | "Z") {
        return Ok(Some(Offset::UTC));
    }
    let offset = fixed_offset(text).ok_or_else(|| Error::unsupported(format!("time zone {text:?}")))?;
    Ok(Some(offset))
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

fn civil(millis: i64, offset: Offset) -> Result<Civil> {
    let moment = jiff::Timestamp::from_millisecond(millis).map_err(|_| outside(millis))?;
    Ok(offset.to_datetime(moment))
}

fn outside(millis: i64) -> Error {
    Error::value(format!("the date {millis} ms from 1970 is outside the calendar's years"))
}

fn formatted(date: Civil, offset: Offset, format: &str) -> Result<String> {
    if !(0..=9_999).contains(&date.year()) {
        return Err(Error::value(format!("year {} has no text of four digits", date.year())));
    }
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            specifier(&mut text, date, offset, characters.next())?;
        } else {
            text.push(character);
        }
    }
    Ok(text)
}

/// Appends what one `%` and a letter stand for.
fn specifier(text: &mut String, date: Civil, offset: Offset, letter: Option<char>) -> Result<()> {
    let minutes = offset.seconds() / 60;
    let written = match letter {
        Some('%') => write!(text, "%"),
        Some('Y') => write!(text, "{:04}", date.year()),
        Some('m') => write!(text, "{:02}", date.month()),
        Some('d') => write!(text, "{:02}", date.day()),
        Some('H') => write!(text, "{:02}", date.hour()),
        Some('M') => write!(text, "{:02}", date.minute()),
        Some('S') => write!(text, "{:02}", date.second()),
        Some('L') => write!(text, "{:03}", date.millisecond()),
        Some('j') => write!(text, "{:03}", date.day_of_year()),
        Some('w') => write!(text, "{}", date.weekday().to_sunday_one_offset()),
        Some('u') => write!(text, "{}", date.weekday().to_monday_one_offset()),
        Some('G') => write!(text, "{:04}", date.date().iso_week_date().year()),
        Some('V') => write!(text, "{:02}", date.date().iso_week_date().week()),
        Some('z') => {
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(text, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        Some('Z') => write!(text, "{minutes:+}"),
        other => {
            let letter = other.map(String::from).unwrap_or_default();
            return Err(Error::unsupported(format!("date format specifier %{letter}")));
        }
    };
    written.map_err(|_| Error::value("the date has no text"))
}

fn unsuitable(what: &str, value: RawBsonRef<'_>) -> Error {
    Error::invalid(InvalidKind::Type, format!("{what} cannot be of type {}", type_name(value)))
}
