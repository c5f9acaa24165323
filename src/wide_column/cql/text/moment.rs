//! Dates, times of day, and timestamps.

use super::Parsed;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const MILLIS_PER_DAY: i64 = 86_400_000;
/// The day 1970-01-01 as a `date`.
const EPOCH: i64 = 1 << 31;

/// A `date`: days, with 1970-01-01 at 2^31. Either `2026-03-01`, or that number.
pub(super) fn date(text: &str) -> Parsed<u32> {
    let bad = || format!("Unable to coerce '{text}' to a formatted date (long)");
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| bad());
    }
    let (days, rest) = civil_date(text).ok_or_else(bad)?;
    if !rest.is_empty() {
        return Err(bad());
    }
    u32::try_from(days + EPOCH).map_err(|_| format!("Input date is out of bounds: {text}"))
}

/// A `time`: nanoseconds since midnight. Either `08:12:54.123456789`, or that number.
pub(super) fn time(text: &str) -> Parsed<i64> {
    let nanos = if let Ok(nanos) = text.parse::<i64>() {
        nanos
    } else {
        let bad = || format!("(Unable to coerce '{text}' to a formatted time (long)");
        let (nanos, rest) = clock_time(text, true).ok_or_else(bad)?;
        if !rest.is_empty() {
            return Err(bad());
        }
        nanos
    };
    if (0..86_400 * NANOS_PER_SECOND).contains(&nanos) {
        Ok(nanos)
    } else {
        Err(format!("Input long out of bounds: {nanos}"))
    }
}

/// A `timestamp`: milliseconds since 1970-01-01T00:00:00Z. Either a date, perhaps with a time and a zone, or that number.
pub(super) fn timestamp(text: &str) -> Parsed<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(millis);
    }
    let bad = || format!("Unable to parse a date/time from '{text}'");
    let (days, rest) = civil_date(text).ok_or_else(bad)?;
    let (mut nanos, mut rest) = (0, rest);
    if let Some(behind) = rest.strip_prefix(['T', 't']).or_else(|| rest.strip_prefix(' ')) {
        // What is behind a space may be a zone at once.
        match clock_time(behind, false) {
            Some((time, behind)) => (nanos, rest) = (time, behind),
            None if rest.starts_with(' ') => rest = behind,
            None => return Err(bad()),
        }
    }
    let zone = zone_seconds(rest).ok_or_else(bad)?;
    let millis = days * MILLIS_PER_DAY + nanos / 1_000_000 - zone * 1_000;
    Ok(millis)
}

/// Digits at the beginning, `min` to `max` of them, as a number, and the rest.
fn digits(text: &str, min: usize, max: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(count)?;
    if count < min { None } else { Some((digits.parse().ok()?, rest)) }
}

/// Days since 1970-01-01 of `2026-03-01`, and the rest.
fn civil_date(text: &str) -> Option<(i64, &str)> {
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (year, rest) = digits(unsigned, 1, 7)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let year = if is_negative { -year } else { year };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counting from March, so that the leap day is the last of a year.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some((era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468, rest))
}

/// Nanoseconds of `08:12`, `08:12:54` or `08:12:54.123`, and the rest.
fn clock_time(text: &str, needs_seconds: bool) -> Option<(i64, &str)> {
    let (hours, rest) = digits(text, 1, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (mut seconds, mut fraction, mut rest) = (0, 0, rest);
    match rest.strip_prefix(':') {
        None if needs_seconds => return None,
        None => {}
        Some(behind) => (seconds, rest) = digits(behind, 1, 2)?,
    }
    if let Some(behind) = rest.strip_prefix('.') {
        let (number, after) = digits(behind, 1, 9)?;
        let places = u32::try_from(behind.len() - after.len()).ok()?;
        fraction = number * 10i64.pow(9 - places);
        rest = after;
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some((((hours * 60 + minutes) * 60 + seconds) * NANOS_PER_SECOND + fraction, rest))
}

/// Seconds that a zone is ahead of UTC: nothing, `Z`, `+01`, `+0100`, `+01:00`, perhaps behind a space.
fn zone_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if matches!(text, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2, 2)? };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-TYP-2
    #[test]
    fn dates_times_and_timestamps_are_read() {
        assert_eq!(date("1970-01-01"), Ok(1 << 31));
        assert_eq!(date("2147483648"), Ok(1 << 31));
        assert_eq!(date("1969-12-31"), Ok((1 << 31) - 1));
        assert_eq!(date("2000-02-29"), Ok((1 << 31) + 11_016));
        assert_eq!(time("08:12:54.123456789"), Ok(29_574_123_456_789));
        assert_eq!(time("86399999999999"), Ok(86_399_999_999_999));
        for (text, millis) in [
            ("0", 0),
            ("-1", -1),
            ("1970-01-02", 86_400_000),
            ("1970-01-01 00:00", 0),
            ("1970-01-01T00:00:01.5Z", 1_500),
            ("1970-01-01 01:00:00+01", 0),
            ("1970-01-01 01:00:00.000+0100", 0),
            ("1970-01-01T00:00:00-00:30", 1_800_000),
            ("1969-12-31T23:59:59.999", -1),
            ("2026-03-01 12:30:00 Z", 1_772_368_200_000),
        ] {
            assert_eq!(timestamp(text), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        assert_eq!(date("2021-02-29"), Err("Unable to coerce '2021-02-29' to a formatted date (long)".to_owned()));
        assert!(date("2021-2").is_err() && date("").is_err() && date("9999999-01-01").is_err());
        assert_eq!(time("24:00:00"), Err("(Unable to coerce '24:00:00' to a formatted time (long)".to_owned()));
        assert_eq!(time("-1"), Err("Input long out of bounds: -1".to_owned()));
        assert_eq!(timestamp("today"), Err("Unable to parse a date/time from 'today'".to_owned()));
        assert!(timestamp("2026-03-01Tx").is_err() && timestamp("2026-03-01 12:00+1").is_err());
    }
}
