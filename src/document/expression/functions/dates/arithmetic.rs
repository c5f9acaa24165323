//! Dates moved, counted and cut by units of time.

use super::super::super::compile::{Argument, Call, Named};
use super::super::super::env::Env;
use super::super::super::value::Value;
use super::super::operand::text;
use super::{date, millis, unit, zone};
use crate::document::code::Code;
use crate::document::date::{Unit, weekday};
use crate::document::number::Number;
use crate::error::Result;

pub(super) static ADD: Named = Named {
    fields: &[
        Argument("startDate", Some(Code::DATE_ADD_WITHOUT_ARGUMENT)),
        Argument("unit", Some(Code::DATE_ADD_WITHOUT_ARGUMENT)),
        Argument("amount", Some(Code::DATE_ADD_WITHOUT_ARGUMENT)),
        Argument("timezone", None),
    ],
    not_object: Code::DATE_ADD_NOT_OBJECT,
    unknown: Code::DATE_ADD_UNKNOWN_ARGUMENT,
};

pub(super) static DIFF: Named = Named {
    fields: &[
        Argument("startDate", Some(Code::DATE_DIFF_WITHOUT_START)),
        Argument("endDate", Some(Code::DATE_DIFF_WITHOUT_END)),
        Argument("unit", Some(Code::DATE_DIFF_WITHOUT_UNIT)),
        Argument("timezone", None),
        Argument("startOfWeek", None),
    ],
    not_object: Code::DATE_DIFF_NOT_OBJECT,
    unknown: Code::DATE_DIFF_UNKNOWN_ARGUMENT,
};

pub(super) static TRUNC: Named = Named {
    fields: &[
        Argument("date", Some(Code::DATE_TRUNC_WITHOUT_DATE)),
        Argument("unit", Some(Code::DATE_TRUNC_WITHOUT_UNIT)),
        Argument("binSize", None),
        Argument("timezone", None),
        Argument("startOfWeek", None),
    ],
    not_object: Code::DATE_TRUNC_NOT_OBJECT,
    unknown: Code::DATE_TRUNC_UNKNOWN_ARGUMENT,
};

/// `$dateAdd`, and `$dateSubtract`, which takes the same arguments.
pub(super) fn add<'a>(call: Call<'a>, env: &mut Env<'a>, is_negated: bool) -> Result<Value<'a>> {
    let (start, unit_text, amount) = (call.value(0, env)?, call.value(1, env)?, call.value(2, env)?);
    let zone_text = call.given(3, env)?;
    if start.is_nullish() || unit_text.is_nullish() || amount.is_nullish() {
        return Ok(Value::NULL);
    }
    let unit = unit(call.name, &unit_text)?;
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(Value::NULL) };
    let start = millis(&start, Code::DATE_ADD_START_TYPE)?;
    let amount = whole(&amount)
        .ok_or_else(|| Code::DATE_ADD_AMOUNT.value(format!("the amount of {} is a whole number", call.name)))?;
    let amount = if is_negated {
        let negated = amount.checked_neg();
        negated.ok_or_else(|| Code::DATE_SUBTRACT_AMOUNT.value("the amount of $dateSubtract has no negative"))?
    } else {
        amount
    };
    if unit.amount_max() < i64::MAX && !(-unit.amount_max()..=unit.amount_max()).contains(&amount) {
        return Err(Code::DATE_ADD_AMOUNT_RANGE.value(format!("{} by more than there are dates", call.name)));
    }
    let moved = unit.add(start, amount, &zone);
    moved.map(date).ok_or_else(|| Code::DATE_ADD_OVERFLOW.overflow(format!("the result of {} is no date", call.name)))
}

/// `$dateDiff`.
pub(super) fn diff<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (start, end, unit_text) = (call.value(0, env)?, call.value(1, env)?, call.value(2, env)?);
    let (zone_text, week_text) = (call.given(3, env)?, call.given(4, env)?);
    if start.is_nullish() || end.is_nullish() || unit_text.is_nullish() {
        return Ok(Value::NULL);
    }
    let unit = unit(call.name, &unit_text)?;
    let Some(first) = start_of_week(call.name, unit, week_text.as_ref())? else { return Ok(Value::NULL) };
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(Value::NULL) };
    let (start, end) = (millis(&start, Code::DATE_DIFF_DATE_TYPE)?, millis(&end, Code::DATE_DIFF_DATE_TYPE)?);
    let count = unit.between(start, end, &zone, first);
    let count =
        count.ok_or_else(|| Code::DATE_DIFF_OVERFLOW.overflow("the result of $dateDiff does not fit 64 bits"))?;
    Ok(Number::Int64(count).into())
}

/// `$dateTrunc`.
pub(super) fn trunc<'a>(call: Call<'a>, env: &mut Env<'a>) -> Result<Value<'a>> {
    let (start, unit_text, size) = (call.value(0, env)?, call.value(1, env)?, call.given(2, env)?);
    let (zone_text, week_text) = (call.given(3, env)?, call.given(4, env)?);
    if start.is_nullish() || unit_text.is_nullish() || size.as_ref().is_some_and(Value::is_nullish) {
        return Ok(Value::NULL);
    }
    let unit = unit(call.name, &unit_text)?;
    let Some(first) = start_of_week(call.name, unit, week_text.as_ref())? else { return Ok(Value::NULL) };
    let Some(zone) = zone(zone_text.as_ref())? else { return Ok(Value::NULL) };
    let start = millis(&start, Code::DATE_TRUNC_DATE_TYPE)?;
    let size = match size {
        None => 1,
        Some(size) => whole(&size).ok_or_else(|| Code::DATE_TRUNC_BIN.value("the size of bins is a whole number"))?,
    };
    if size <= 0 {
        return Err(Code::DATE_TRUNC_BIN_VALUE.value("the size of bins is positive"));
    }
    if !unit.has_bins_of(size) {
        let code = if unit.months().is_some() { Code::DATE_TRUNC_BIN_MONTHS } else { Code::DATE_TRUNC_BIN_HOURS };
        return Err(code.value("the size of bins is too large"));
    }
    let cut = unit.floor(start, size, &zone, first);
    cut.map(date).ok_or_else(|| Code::OVERFLOW.overflow("the result of $dateTrunc is no date"))
}

/// The day that weeks begin with, from 0 for Sunday, or `None` for a null one. It matters only to weeks.
fn start_of_week(function: &str, unit: Unit, value: Option<&Value<'_>>) -> Result<Option<i64>> {
    let Some(value) = value.filter(|_| unit == Unit::Week) else { return Ok(Some(0)) };
    if value.is_nullish() {
        return Ok(None);
    }
    let name = text(function, value, Code::START_OF_WEEK_TYPE)?;
    let day = weekday(name).ok_or_else(|| Code::START_OF_WEEK.value(format!("there is no day of the week {name:?}")));
    day.map(Some)
}

/// The whole number that `value` is.
fn whole(value: &Value<'_>) -> Option<i64> {
    value.number()?.as_i64()
}
