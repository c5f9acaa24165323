//! Moments: from one type of them to another, with durations added to them, and rounded down to steps of a duration.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::error::Result;
use crate::wide_column::Uuid;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::value::CqlValue;

/// 100-nanosecond steps from 1582-10-15 to 1970-01-01.
const GREGORIAN_TICKS: i64 = 0x01b2_1dd2_1381_4000;
pub(super) const NANOS_PER_MILLI: i64 = 1_000_000;
pub(super) const MILLIS_PER_DAY: i64 = 86_400_000;
const NANOS_PER_DAY: i64 = MILLIS_PER_DAY * NANOS_PER_MILLI;

/// The milliseconds of a timestamp, date or UUID of version 1; `None` of anything else.
pub(super) fn millis(value: &CqlValue) -> Option<i64> {
    match value {
        CqlValue::Timestamp(millis) => Some(*millis),
        CqlValue::Uuid(uuid) => Some(millis_of(uuid)),
        date => date.days_since_epoch().map(|days| i64::from(days) * MILLIS_PER_DAY),
    }
}

fn millis_of(uuid: &Uuid) -> i64 {
    let ticks = uuid.get_timestamp().map_or(0, |at| at.to_gregorian().0).cast_signed();
    (ticks - GREGORIAN_TICKS).div_euclid(10_000)
}

/// The date of a moment.
pub(super) fn date(millis: i64) -> CqlValue {
    let days = millis.div_euclid(MILLIS_PER_DAY);
    let held = if days < 0 { i32::MIN } else { i32::MAX };
    CqlValue::date_from_days_since_epoch(i32::try_from(days).unwrap_or(held))
}

/// The first UUID of version 1 of a millisecond, or the last one, by the order of Cassandra.
pub(super) fn bound_uuid(millis: i64, is_last: bool) -> CqlValue {
    let ticks = millis.saturating_mul(10_000).saturating_add(GREGORIAN_TICKS);
    let (ticks, low) = if is_last { (ticks + 9_999, 0x7f) } else { (ticks, 0x80) };
    CqlValue::Uuid(uuid(ticks.cast_unsigned(), [low; 8]))
}

/// A UUID of version 1 with these lower eight bytes as they are.
fn uuid(ticks: u64, low: [u8; 8]) -> Uuid {
    let high = (ticks << 32) | (ticks >> 16 & 0xffff_0000) | (ticks >> 48 & 0x0fff) | 0x1000;
    Uuid::from_u128(u128::from(high) << 64 | u128::from(u64::from_be_bytes(low)))
}

/// A UUID of version 1 of this moment; `step` tells those of one microsecond apart, `number` those of one step.
pub(super) fn time_uuid(micros: i64, step: u64, number: u64) -> Uuid {
    let step = i64::try_from(step % 10).unwrap_or_default();
    let ticks = micros.saturating_mul(10).saturating_add(GREGORIAN_TICKS).saturating_add(step).cast_unsigned();
    let [first, second, b0, rest @ ..] = number.to_be_bytes();
    let [b1, b2, b3, b4, b5] = rest;
    // The variant, and a multicast address, as of a node that has none of its own.
    uuid(ticks, [first & 0x3f | 0x80, second, b0 | 1, b1, b2, b3, b4, b5])
}

/// Months, days and nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duration {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) nanos: i64,
}

impl Duration {
    pub(super) fn of(value: &CqlValue) -> Option<Self> {
        match value {
            CqlValue::Duration { months, days, nanoseconds } => {
                Some(Self { months: i64::from(*months), days: i64::from(*days), nanos: *nanoseconds })
            }
            _ => None,
        }
    }

    pub(super) fn negated(self) -> Self {
        Self { months: -self.months, days: -self.days, nanos: self.nanos.saturating_neg() }
    }

    fn times(self, factor: i64) -> Option<Self> {
        Some(Self {
            months: self.months.checked_mul(factor)?,
            days: self.days.checked_mul(factor)?,
            nanos: self.nanos.checked_mul(factor)?,
        })
    }

    fn is_negative(self) -> bool {
        self.months < 0 || self.days < 0 || self.nanos < 0
    }

    /// As Cassandra's messages show it.
    fn shown(self) -> String {
        let small = |n: i64| i32::try_from(n).unwrap_or_default();
        crate::wide_column::read::json::duration(small(self.months), small(self.days), self.nanos)
    }

    /// The moment that is this much later; `None` beyond what has a date.
    fn after(self, millis: i64) -> Option<i64> {
        let moment = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis).ok()?);
        let span = Span::new().try_months(self.months).ok()?.try_days(self.days).ok()?;
        let moved = moment.checked_add(span).ok()?;
        let moved = TimeZone::UTC.to_timestamp(moved).ok()?.as_millisecond();
        moved.checked_add(self.nanos / NANOS_PER_MILLI)
    }
}

/// `timestamp + duration`
pub(super) fn timestamp_plus(millis: i64, duration: Duration) -> Result<CqlValue> {
    if duration.nanos % NANOS_PER_MILLI != 0 {
        return Err(invalid(format!(
            "The operation 'timestamp + {}' failed: The duration must have a millisecond precision. Was: {0}",
            duration.shown()
        )));
    }
    let later = duration.after(millis);
    later.map(CqlValue::Timestamp).ok_or_else(|| invalid("a timestamp with a duration added is out of bounds"))
}

/// `date + duration`
pub(super) fn date_plus(days: i32, duration: Duration) -> Result<CqlValue> {
    if duration.nanos % NANOS_PER_DAY != 0 {
        return Err(invalid(format!("The duration must have a day precision. Was: {}", duration.shown())));
    }
    let span = Span::new().try_months(duration.months).and_then(|span| span.try_days(duration.days));
    let epoch = Date::constant(1970, 1, 1);
    let moved = Span::new().try_days(days).and_then(|own| epoch.checked_add(own));
    let moved = moved.and_then(|date| date.checked_add(span?));
    let moved = moved.and_then(|date| epoch.until(date));
    let moved = moved.map_err(|_| invalid("a date with a duration added is out of bounds"))?;
    Ok(CqlValue::date_from_days_since_epoch(moved.get_days()))
}

/// The last of the moments `start`, `start + duration`, `start + 2 duration` … that is not behind `millis`.
///
/// # Errors
/// Cassandra's for a negative duration, one below a millisecond, and a start that is later.
pub(super) fn floor_timestamp(millis: i64, duration: Duration, start: i64) -> Result<i64> {
    if start > millis {
        return Err(invalid("The floor function starting time is greater than the provided time"));
    }
    if duration.is_negative() {
        return Err(invalid("Negative durations are not supported by the floor function"));
    }
    if duration.nanos % NANOS_PER_MILLI != 0 {
        return Err(precision("timestamp", duration, "1 millisecond"));
    }
    let out_of_bounds = || invalid("a moment is out of the bounds of dates");
    if duration.months == 0 {
        let step = duration.days.checked_mul(MILLIS_PER_DAY).ok_or_else(out_of_bounds)?;
        let step = step.checked_add(duration.nanos / NANOS_PER_MILLI).ok_or_else(out_of_bounds)?;
        return Ok(if step == 0 { millis } else { millis - millis.wrapping_sub(start) % step });
    }
    let at = |factor: i64| duration.times(factor).and_then(|all| all.after(start));
    // Steps are growing, so that the last one that is not behind is found by halving.
    let months = |millis: i64| {
        let moment = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis).ok()?);
        Some(i64::from(moment.year()) * 12 + i64::from(moment.month()))
    };
    let between = months(millis).zip(months(start)).map(|(end, start)| end - start).ok_or_else(out_of_bounds)?;
    let (mut low, mut high) = (0, between / duration.months + 1);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match at(middle) {
            Some(moment) if moment <= millis => low = middle,
            _ => high = middle - 1,
        }
    }
    at(low).ok_or_else(out_of_bounds)
}

/// The same of days.
pub(super) fn floor_date(days: i32, duration: Duration, start: i32) -> Result<CqlValue> {
    if duration.nanos % NANOS_PER_DAY != 0 {
        return Err(precision("date", duration, "1 day"));
    }
    let millis = |days: i32| i64::from(days) * MILLIS_PER_DAY;
    floor_timestamp(millis(days), duration, millis(start)).map(date)
}

/// The same of a time of day.
pub(super) fn floor_time(nanos: i64, duration: Duration) -> Result<CqlValue> {
    if duration.is_negative() {
        return Err(invalid("Negative durations are not supported by the floor function"));
    }
    if duration.months != 0 || duration.days != 0 || duration.nanos > NANOS_PER_DAY {
        return Err(invalid("For time values, the floor can only be computed for durations smaller that a day"));
    }
    Ok(CqlValue::Time(if duration.nanos == 0 { nanos } else { nanos - nanos % duration.nanos }))
}

fn precision(of: &str, duration: Duration, unit: &str) -> crate::error::Error {
    let shown = duration.shown();
    invalid(format!(
        "The floor on {of} values cannot be computed for the {shown} duration as precision is below {unit}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn duration(months: i64, days: i64, nanos: i64) -> Duration {
        Duration { months, days, nanos }
    }

    // SEM: WID-TYP-2
    #[test]
    fn moments_are_rounded_down_to_steps_from_the_start() {
        let moment = millis("2016-09-27T16:26:14.500Z");
        let of = |duration| floor_timestamp(moment, duration, 0).unwrap();
        assert_eq!(of(duration(0, 0, 3_600_000_000_000)), millis("2016-09-27T16:00:00Z"));
        assert_eq!(of(duration(0, 1, 0)), millis("2016-09-27T00:00:00Z"));
        assert_eq!(of(duration(1, 0, 0)), millis("2016-09-01T00:00:00Z"));
        assert_eq!(of(duration(24, 0, 0)), millis("2016-01-01T00:00:00Z"));
        assert_eq!(of(duration(0, 0, 0)), moment);
        let start = millis("2016-01-31T00:00:00Z");
        assert_eq!(
            floor_timestamp(millis("2016-03-30T00:00:00Z"), duration(1, 0, 0), start).unwrap(),
            millis("2016-02-29T00:00:00Z")
        );
        assert!(floor_timestamp(0, duration(0, 1, 0), 1).is_err());
        assert!(floor_timestamp(0, duration(0, -1, 0), 0).is_err());
        assert!(floor_timestamp(0, duration(0, 0, 1), 0).is_err());
        assert_eq!(floor_time(3_700, duration(0, 0, 1_000)).unwrap(), CqlValue::Time(3_000));
        assert_eq!(floor_date(17, duration(0, 10, 0), 0).unwrap(), CqlValue::date_from_days_since_epoch(10));
    }

    #[test]
    fn durations_are_added_to_moments() {
        let plus = |text: &str, duration| timestamp_plus(millis(text), duration).unwrap();
        assert_eq!(
            plus("2016-01-31T01:00:00Z", duration(1, 0, 1_000_000)),
            CqlValue::Timestamp(millis("2016-02-29T01:00:00.001Z"))
        );
        assert_eq!(
            plus("2016-01-31T01:00:00Z", duration(0, 1, 0).negated()),
            CqlValue::Timestamp(millis("2016-01-30T01:00:00Z"))
        );
        assert!(timestamp_plus(0, duration(0, 0, 1)).is_err() && timestamp_plus(i64::MAX, duration(1, 0, 0)).is_err());
        assert_eq!(date_plus(0, duration(1, 1, 0)).unwrap(), CqlValue::date_from_days_since_epoch(32));
        assert!(date_plus(0, duration(0, 0, 1)).is_err() && date_plus(i32::MAX, duration(1, 0, 0)).is_err());
    }

    #[test]
    fn identifiers_of_a_moment_come_between_the_bounds_of_its_millisecond() {
        let own = time_uuid(1_700_000_000_123_456, 3, u64::MAX);
        assert_eq!((own.get_version_num(), millis_of(&own)), (1, 1_700_000_000_123));
        let CqlValue::Uuid(first) = bound_uuid(1_700_000_000_123, false) else { panic!() };
        let CqlValue::Uuid(last) = bound_uuid(1_700_000_000_123, true) else { panic!() };
        assert_eq!((millis_of(&first), millis_of(&last)), (1_700_000_000_123, 1_700_000_000_123));
        assert_eq!(first.to_string().get(19..), Some("8080-808080808080"));
        let order = |a: &Uuid, b: &Uuid| {
            crate::wide_column::order::compare(&crate::wide_column::CqlType::Timeuuid, a.as_bytes(), b.as_bytes())
        };
        assert!(order(&first, &own).is_lt() && order(&own, &last).is_lt());
    }
}
