//! Time zones: fixed distances from UTC, and the rules of places.
//!
//! The rules come with the program (the database of IANA as `jiff` bundles it), so that a result does not depend on the machine.
//! They are looked up by their exact names. Where a date lies past the calendar that `jiff` has, the rules of the same day of an
//! earlier or later cycle of 400 years hold.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::wall::{CYCLE_DAYS, DAY_MS, Wall};

/// What is looked up lies within some 400 years of 1970, or within the years from 0 to 9200 where it is there already.
const LATEST_MS: i64 = 228_000_000_000_000;
const EARLIEST_MS: i64 = -62_000_000_000_000;
const CYCLE_MS: i64 = CYCLE_DAYS * DAY_MS;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// So many seconds ahead of UTC.
    Fixed(i64),
    /// A place.
    Place(TimeZone),
}

impl Zone {
    pub(crate) const UTC: Self = Self::Fixed(0);

    /// The time zone of a text: a name of the database of IANA, `UTC`, `+hh`, `+hhmm` or `+hh:mm`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if matches!(text, "UTC" | "GMT" | "Z") {
            return Some(Self::UTC);
        }
        if text.starts_with(['+', '-']) {
            return offset(text).map(Self::Fixed);
        }
        let place = TimeZone::get(text).ok()?;
        // The database finds names in any case.
        (place.iana_name() == Some(text) && !place.is_unknown()).then_some(Self::Place(place))
    }

    /// What a clock in this time zone shows `millis` after the beginning of 1970 in UTC.
    pub(crate) fn wall(&self, millis: i64) -> Wall {
        Wall::new(i128::from(millis) + i128::from(self.offset_at(millis)) * 1_000)
    }

    /// Seconds that the time zone is ahead of UTC at a moment.
    pub(crate) fn offset_at(&self, millis: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Place(place) => {
                let moment = Timestamp::from_millisecond(within(millis)).unwrap_or(Timestamp::UNIX_EPOCH);
                place.to_offset(moment).seconds().into()
            }
        }
    }

    /// The milliseconds since 1970 in UTC when a clock in this time zone shows `wall`; `None` past 64 bits.
    ///
    /// What it shows twice is the earlier moment; what it skips, as far after the gap as it is behind its beginning.
    pub(crate) fn moment(&self, wall: Wall) -> Option<i64> {
        let local = wall.since_epoch();
        let seconds = match self {
            Self::Fixed(seconds) => *seconds,
            Self::Place(place) => {
                let near = within(i64::try_from(local).ok()?);
                let shown = Wall::new(near.into());
                let moment = place.to_ambiguous_timestamp(civil(shown)?).compatible().ok()?;
                let behind = i128::from(moment.as_millisecond()) - i128::from(near);
                return i64::try_from(local + behind).ok();
            }
        };
        i64::try_from(local - i128::from(seconds) * 1_000).ok()
    }
}

/// The moment of the same day of another cycle of the calendar which the database of time zones reaches.
fn within(millis: i64) -> i64 {
    if millis > LATEST_MS {
        LATEST_MS - CYCLE_MS + (millis - LATEST_MS).rem_euclid(CYCLE_MS)
    } else if millis < EARLIEST_MS {
        let cycle = i128::from(CYCLE_MS);
        let within = (i128::from(millis) - i128::from(EARLIEST_MS)).rem_euclid(cycle);
        EARLIEST_MS + i64::try_from(within).unwrap_or(0)
    } else {
        millis
    }
}

fn civil(wall: Wall) -> Option<DateTime> {
    let (year, month, day) = wall.date();
    let small = |number: i64| i8::try_from(number).ok();
    let nanos = i32::try_from(wall.millisecond() * 1_000_000).ok()?;
    let (hour, minute, second) = (small(wall.hour())?, small(wall.minute())?, small(wall.second())?);
    DateTime::new(i16::try_from(year).ok()?, small(month)?, small(day)?, hour, minute, second, nanos).ok()
}

/// The seconds of `+hh`, `+hhmm` and `+hh:mm`, and of the same behind a minus sign. Each part is any number of two digits.
pub(crate) fn offset(text: &str) -> Option<i64> {
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
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?;
    Some(sign * (number(hours)? * 3_600 + number(minutes)? * 60))
}
