//! Texts of dates by a format: written, and read.

use std::fmt::Write as _;

use super::wall::{Wall, days_of_month};
use super::zone::{Zone, offset};
use crate::document::code::Code;
use crate::error::{Error, Result};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The name of a month from 1 to 12.
pub(crate) fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or("")
}

/// The month that `text` begins with, by its name or the first three letters of it, and the length of that.
pub(crate) fn month_named(text: &str, in_full: bool) -> Option<(i64, usize)> {
    let has = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    (1..).zip(MONTHS).find_map(|(month, name)| match name.get(..3) {
        _ if has(name) => Some((month, name.len())),
        Some(short) if !in_full && has(short) => Some((month, short.len())),
        _ => None,
    })
}

/// The text of a moment in a time zone.
///
/// # Errors
/// [`Code::DATE_FORMAT`] for a specifier that does not exist, [`Code::DATE_YEAR_RANGE`] for a year without four digits.
pub(crate) fn formatted(millis: i64, zone: &Zone, format: &str) -> Result<String> {
    let (wall, minutes) = (zone.wall(millis), zone.offset_at(millis) / 60);
    let year = wall.year();
    if !(0..=9_999).contains(&year) {
        return Err(Code::DATE_YEAR_RANGE.value(format!("year {year} has no text of four digits")));
    }
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            specifier(&mut text, wall, minutes, characters.next())?;
        } else {
            text.push(character);
        }
    }
    Ok(text)
}

/// Appends what one `%` and a letter stand for.
fn specifier(text: &mut String, wall: Wall, minutes: i64, letter: Option<char>) -> Result<()> {
    let (year, month, day) = wall.date();
    let written = match letter {
        Some('%') => write!(text, "%"),
        Some('Y') => write!(text, "{year:04}"),
        Some('m') => write!(text, "{month:02}"),
        Some('d') => write!(text, "{day:02}"),
        Some('H') => write!(text, "{:02}", wall.hour()),
        Some('M') => write!(text, "{:02}", wall.minute()),
        Some('S') => write!(text, "{:02}", wall.second()),
        Some('L') => write!(text, "{:03}", wall.millisecond()),
        Some('j') => write!(text, "{:03}", wall.day_of_year()),
        Some('w') => write!(text, "{}", wall.weekday() + 1),
        Some('u') => write!(text, "{}", wall.iso_weekday()),
        Some('G') => write!(text, "{:04}", wall.iso_week().0),
        Some('V') => write!(text, "{:02}", wall.iso_week().1),
        Some('z') => {
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(text, "{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        Some('Z') => write!(text, "{minutes}"),
        Some('U') => write!(text, "{:02}", wall.week()),
        Some('B') => write!(text, "{}", month_name(month)),
        Some('b') => write!(text, "{}", month_name(month).get(..3).unwrap_or_default()),
        Some(letter) => return Err(no_specifier(letter)),
        None => return Err(unfinished()),
    };
    written.map_err(|_| Error::value("the date has no text"))
}

fn no_specifier(letter: char) -> Error {
    Code::DATE_FORMAT.syntax(format!("there is no date format specifier %{letter}"))
}

fn unfinished() -> Error {
    Code::DATE_FORMAT_END.syntax("a date format ends with a % alone")
}

/// Refuses a format that texts are not read by.
///
/// # Errors
/// [`Code::DATE_FORMAT`] for a specifier that does not exist or only writes.
pub(crate) fn check_parse_format(format: &str) -> Result<()> {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            match characters.next() {
                Some('b' | 'B' | 'd' | 'G' | 'H' | 'j' | 'L' | 'm' | 'M' | 'S' | 'u' | 'V' | 'Y' | 'z' | 'Z' | '%') => {
                }
                Some(letter) => return Err(no_specifier(letter)),
                None => return Err(unfinished()),
            }
        }
    }
    Ok(())
}

/// The parts of a date that a text has.
#[derive(Debug, Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_weekday: Option<i64>,
    millis: i64,
    /// Seconds ahead of UTC.
    offset: Option<i64>,
}

/// The moment that `text` is by `format`; `None` when it is none, or names a time zone while `zone` is given.
pub(crate) fn parse_formatted(text: &str, format: &str, zone: Option<&Zone>) -> Option<i64> {
    let (mut rest, mut parts) = (text, Parts::default());
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        let letter = if character == '%' { characters.next() } else { None };
        rest = match letter {
            Some(letter) if letter != '%' => parts.read(letter, rest)?,
            _ => rest.strip_prefix(character)?,
        };
    }
    if !rest.is_empty() {
        return None;
    }
    let wall = parts.date()?.plus(parts.millis);
    match (parts.offset, zone) {
        (Some(_), Some(_)) => None,
        (Some(seconds), None) => Zone::Fixed(seconds).moment(wall),
        (None, zone) => zone.unwrap_or(&Zone::UTC).moment(wall),
    }
}

impl Parts {
    /// Reads one part from the beginning of `text`, and returns what is behind it.
    fn read<'t>(&mut self, letter: char, text: &'t str) -> Option<&'t str> {
        let (slot, digits, most) = match letter {
            'Y' => (&mut self.year, 4, 9_999),
            'm' => (&mut self.month, 2, 12),
            'd' => (&mut self.day, 2, 31),
            'j' => (&mut self.day_of_year, 3, 366),
            'G' => (&mut self.iso_year, 4, 9_999),
            'V' => (&mut self.iso_week, 2, 53),
            'u' => (&mut self.iso_weekday, 1, 7),
            'b' | 'B' => {
                let (month, length) = month_named(text, false)?;
                self.month = Some(month);
                return text.get(length..);
            }
            'z' | 'Z' => return self.read_offset(letter, text),
            letter => {
                let (digits, most, unit) = match letter {
                    'H' => (2, 23, 3_600_000),
                    'M' => (2, 59, 60_000),
                    'S' => (2, 59, 1_000),
                    'L' => return self.read_millis(text),
                    _ => return None,
                };
                let (value, rest) = number(text, digits)?;
                self.millis += Some(value).filter(|value| *value <= most)? * unit;
                return Some(rest);
            }
        };
        let (value, rest) = number(text, digits)?;
        *slot = Some(value).filter(|value| *value <= most);
        slot.map(|_| rest)
    }

    fn read_millis<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (value, rest) = number(text, 3)?;
        // Fewer digits are a fraction of a second, too.
        let scale = [100, 10, 1].get((text.len() - rest.len()).checked_sub(1)?).copied()?;
        self.millis += value * scale;
        Some(rest)
    }

    fn read_offset<'t>(&mut self, letter: char, text: &'t str) -> Option<&'t str> {
        let sign = text.strip_prefix(['+', '-'])?;
        let length = 1 + sign.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
        let (written, rest) = text.split_at_checked(length)?;
        self.offset = match letter {
            'Z' => written.parse::<i64>().ok().filter(|minutes| minutes.abs() < 6_000).map(|minutes| minutes * 60),
            _ => offset(written),
        };
        self.offset.map(|_| rest)
    }

    fn date(&self) -> Option<Wall> {
        if let Some(year) = self.iso_year {
            return Some(Wall::of_week(year, self.iso_week.unwrap_or(1), self.iso_weekday.unwrap_or(1)));
        }
        let year = self.year?;
        if let Some(day) = self.day_of_year {
            // The original counts from the second of January.
            return Some(Wall::of_date(year, 1, day + 1));
        }
        let (month, day) = (self.month?, self.day?);
        ((1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day))
            .then(|| Wall::of_date(year, month, day))
    }
}

/// A number of at least one and at most `digits` digits, and what is behind it.
pub(crate) fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(digits).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}
