//! Texts of dates without a format: ISO 8601, and the ways people write dates in.
//!
//! Words and numbers come in any order, apart by spaces and commas: `Oct 20 2020`, `Wed Jan 31 12:05:28 +03:30 1996`,
//! `20 October 2020 3:15 pm`, `10/20/2020`, `20.10.2020`. A text names a year, a month and a day.

use super::format::{month_named, number};
use super::unit::weekday;
use super::wall::{Wall, days_of_month};
use super::zone::{Zone, offset};

/// The moment that `text` is, in `zone` or else in UTC; `None` when it is none, or names a time zone while `zone` is given.
pub(crate) fn parse(text: &str, zone: Option<&Zone>) -> Option<i64> {
    let mut found = Found::default();
    let mut rest = text.trim_ascii();
    if let Some(behind) = found.iso_date(rest) {
        rest = behind;
    }
    while !rest.is_empty() {
        rest = match rest.strip_prefix([' ', ',', '\t']) {
            Some(rest) => rest,
            None => found.word(rest)?,
        };
    }
    let (year, month, day) = (found.year?, found.month?, found.day?);
    if !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let wall = Wall::of_date(year, month, day).plus(found.millis.unwrap_or(0));
    match (found.zone, zone) {
        (Some(_), Some(_)) => None,
        (Some(zone), None) => zone.moment(wall),
        (None, zone) => zone.unwrap_or(&Zone::UTC).moment(wall),
    }
}

/// What was found in a text so far. Each part is in it once.
#[derive(Debug, Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    /// Milliseconds since midnight.
    millis: Option<i64>,
    zone: Option<Zone>,
}

/// Sets what is not there yet.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.is_none().then(|| *slot = Some(value))
}

impl Found {
    /// `2026-03-01` and `20260301`, and the `T` before a time. Returns what is behind them.
    fn iso_date<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (year, rest) = digits(text, 4)?;
        let (month, day, rest) = if let Some(rest) = rest.strip_prefix('-') {
            let (month, rest) = number(rest, 2)?;
            let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
            (month, day, rest)
        } else {
            let (month, rest) = digits(rest, 2)?;
            let (day, rest) = digits(rest, 2)?;
            (month, day, rest)
        };
        let rest = match rest.chars().next() {
            None | Some(' ' | 'Z' | '+' | '-') => rest,
            Some('T' | 't') => {
                let (millis, rest) = time(rest.get(1..)?)?;
                self.millis = Some(millis);
                rest
            }
            Some(_) => return None,
        };
        (self.year, self.month, self.day) = (Some(year), Some(month), Some(day));
        Some(rest)
    }

    /// Takes one word from the beginning of `text`, and returns what is behind it.
    fn word<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let first = text.chars().next()?;
        if first.is_ascii_digit() {
            return self.numbers(text);
        }
        if matches!(first, '+' | '-') {
            let length = 1 + text.bytes().skip(1).take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
            let (written, rest) = text.split_at_checked(length)?;
            // A clock without a time shows no time zone.
            self.millis?;
            once(&mut self.zone, Zone::Fixed(offset(written)?))?;
            return Some(rest);
        }
        let length = text.bytes().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'_')).count();
        let (word, rest) = text.split_at_checked(length).filter(|(word, _)| !word.is_empty())?;
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        self.named(word)?;
        Some(rest)
    }

    fn named(&mut self, word: &str) -> Option<()> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if weekday(word).is_some() || is("of") || is("at") {
            return Some(());
        }
        if let Some((month, length)) = month_named(word, false)
            && (length == word.len() || is("sept"))
        {
            return once(&mut self.month, month);
        }
        if is("am") || is("pm") {
            let millis = self.millis?;
            let hour = millis / 3_600_000;
            if !(1..=12).contains(&hour) {
                return None;
            }
            let moved = hour % 12 + if is("pm") { 12 } else { 0 } - hour;
            self.millis = Some(millis + moved * 3_600_000);
            return Some(());
        }
        let zone = if is("z") || is("utc") || is("gmt") { Zone::UTC } else { Zone::parse(word)? };
        once(&mut self.zone, zone)
    }

    /// A time, a date of numbers, a year or a day.
    fn numbers<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (value, rest) = number(text, 9)?;
        let length = text.len() - rest.len();
        match rest.chars().next() {
            Some(':') => {
                let (millis, rest) = time(text)?;
                once(&mut self.millis, millis)?;
                Some(rest)
            }
            Some(separator @ ('/' | '-' | '.')) => self.date(value, length, separator, rest.get(1..)?),
            _ if length == 4 => once(&mut self.year, value).map(|()| rest),
            _ if length <= 2 => {
                let suffix = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| rest.strip_prefix(suffix));
                if suffix.is_none() && self.day.is_some() {
                    return None;
                }
                once(&mut self.day, value)?;
                Some(suffix.unwrap_or(rest))
            }
            _ => None,
        }
    }

    /// `10/20/2020`, `2020/10/20`, `20-10-2020`, `20.10.2020`, `20-oct-2020`.
    fn date<'t>(&mut self, first: i64, length: usize, separator: char, rest: &'t str) -> Option<&'t str> {
        let (second, rest, is_named) = match month_named(rest, false) {
            Some((month, length)) => (month, rest.get(length..)?, true),
            None => number(rest, 2).map(|(value, rest)| (value, rest, false))?,
        };
        let (third, rest) = number(rest.strip_prefix(separator)?, 4).filter(|(_, rest)| !starts_with_digit(rest))?;
        let (year, month, day) = match (length, separator) {
            (4, _) => (first, second, third),
            (1 | 2, '/') if !is_named => (third, first, second),
            (1 | 2, _) => (third, second, first),
            _ => return None,
        };
        once(&mut self.year, Some(year).filter(|year| *year >= 100)?)?;
        once(&mut self.month, month)?;
        once(&mut self.day, day)?;
        Some(rest)
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_digit())
}

/// Exactly `count` digits, and what is behind them.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    number(text, count).filter(|(_, rest)| text.len() - rest.len() == count)
}

/// The milliseconds of `hh:mm`, `hh:mm:ss` and `hh:mm:ss.fff`, also without colons, and what is behind them.
fn time(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = number(text, 2)?;
    let has_colons = rest.starts_with(':');
    let part = |rest| -> Option<(i64, &str)> {
        let rest: &str = rest;
        let rest = if has_colons { rest.strip_prefix(':')? } else { rest };
        digits(rest, 2).filter(|(value, _)| *value < 60)
    };
    let (minute, rest) = if has_colons || starts_with_digit(rest) { part(rest)? } else { (0, rest) };
    let (second, rest) = part(rest).unwrap_or((0, rest));
    let (fraction, rest) = match rest.strip_prefix(['.', ',']).filter(|rest| starts_with_digit(rest)) {
        Some(behind) => {
            let length = behind.bytes().take_while(u8::is_ascii_digit).count();
            let (written, rest) = behind.split_at_checked(length)?;
            let (value, left) = number(written, 3)?;
            let scale = [100, 10, 1].get((written.len() - left.len()).checked_sub(1)?).copied()?;
            (value * scale, rest)
        }
        None => (0, rest),
    };
    (hour < 24).then_some((((hour * 60 + minute) * 60 + second) * 1_000 + fraction, rest))
}
