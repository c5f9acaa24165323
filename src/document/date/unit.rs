//! Units of time, and moving, counting and cutting dates by them.

use super::wall::{DAY_MS, Wall, days_of_month};
use super::zone::Zone;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    /// The unit of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    /// Milliseconds of a unit that always has as many and does not depend on clocks; none for those of a day and more.
    pub(crate) fn millis(self) -> Option<i64> {
        match self {
            Self::Hour => Some(3_600_000),
            Self::Minute => Some(60_000),
            Self::Second => Some(1_000),
            Self::Millisecond => Some(1),
            _ => None,
        }
    }

    /// Months of a unit of whole months.
    pub(crate) fn months(self) -> Option<i64> {
        match self {
            Self::Year => Some(12),
            Self::Quarter => Some(3),
            Self::Month => Some(1),
            _ => None,
        }
    }

    /// The largest amount of the unit that lies between two dates.
    pub(crate) fn amount_max(self) -> i64 {
        const YEARS: i64 = 584_942_417;
        match self {
            Self::Year => YEARS,
            Self::Quarter => YEARS * 4,
            Self::Month => YEARS * 12,
            Self::Week => 30_500_568_904,
            Self::Day => 213_503_982_334,
            Self::Hour => 5_124_095_576_030,
            Self::Minute => 307_445_734_561_825,
            Self::Second => 18_446_744_073_709_551,
            Self::Millisecond => i64::MAX,
        }
    }

    /// The date `amount` units after `millis`; `None` past 64 bits.
    ///
    /// Units of a day and more move what a clock in `zone` shows, smaller ones the moment itself. A day that a month does not
    /// have becomes its last.
    pub(crate) fn add(self, millis: i64, amount: i64, zone: &Zone) -> Option<i64> {
        if amount == 0 {
            return Some(millis);
        }
        if let Some(unit) = self.millis() {
            return millis.checked_add(unit.checked_mul(amount)?);
        }
        let wall = zone.wall(millis);
        let Some(months) = self.months() else {
            let days = amount.checked_mul(if self == Self::Week { 7 } else { 1 })?;
            return zone.moment(wall.on(wall.days().checked_add(days)?));
        };
        let month = wall.months().checked_add(months.checked_mul(amount)?)?;
        // Dates are within some 300 million years.
        let year = Some(month.div_euclid(12)).filter(|year| year.unsigned_abs() < 1 << 30)?;
        let month = month.rem_euclid(12) + 1;
        let (_, _, day) = wall.date();
        let day = day.min(days_of_month(year, month));
        zone.moment(Wall::of_date(year, month, day).plus(wall.millis_of_day()))
    }

    /// How many beginnings of the unit lie between two dates, on clocks in `zone`; `None` past 64 bits. Weeks begin on the day
    /// `first`.
    pub(crate) fn between(self, start: i64, end: i64, zone: &Zone, first: i64) -> Option<i64> {
        if self == Self::Millisecond {
            return end.checked_sub(start);
        }
        let (from, to) = (zone.wall(start), zone.wall(end));
        if let Some(unit) = self.millis() {
            let place = |wall: Wall| i64::try_from(wall.since_epoch().div_euclid(unit.into())).ok();
            // What clocks were put forward meanwhile has not passed.
            let moved = (zone.offset_at(end) - zone.offset_at(start)) * 1_000 / unit;
            return Some(place(to)? - place(from)? - moved);
        }
        let place = |wall: Wall| match self {
            Self::Week => (wall.days() + 4 - first).div_euclid(7),
            Self::Day => wall.days(),
            unit => wall.months().div_euclid(unit.months().unwrap_or(1)),
        };
        Some(place(to) - place(from))
    }

    /// The beginning of the bin of `size` units that holds `millis`; `None` past 64 bits. Bins are counted from the beginning of
    /// the year 2000 in `zone`, weeks from the first day `first` of that year.
    pub(crate) fn floor(self, millis: i64, size: i64, zone: &Zone, first: i64) -> Option<i64> {
        let year_2000 = Wall::of_date(2_000, 1, 1);
        if let Some(unit) = self.millis() {
            let bin = i128::from(unit) * i128::from(size);
            let origin = i128::from(zone.moment(year_2000)?);
            return i64::try_from(origin + (i128::from(millis) - origin).div_euclid(bin) * bin).ok();
        }
        let wall = zone.wall(millis);
        let Some(months) = self.months() else {
            let (days, origin) = match self {
                Self::Week => (7, year_2000.days() + (first - year_2000.weekday()).rem_euclid(7)),
                _ => (1, year_2000.days()),
            };
            let bin = size.checked_mul(days)?;
            let day = origin + (wall.days() - origin).div_euclid(bin).checked_mul(bin)?;
            return zone.moment(year_2000.on(day));
        };
        let (bin, origin) = (size.checked_mul(months)?, year_2000.months());
        let month = origin + (wall.months() - origin).div_euclid(bin).checked_mul(bin)?;
        // A bin that begins before all dates.
        let year = Some(month.div_euclid(12)).filter(|year| year.unsigned_abs() < 1 << 30)?;
        zone.moment(Wall::of_date(year, month.rem_euclid(12) + 1, 1))
    }

    /// Whether bins of `size` units are no longer than a date of 64 bits can be away.
    pub(crate) fn has_bins_of(self, size: i64) -> bool {
        let unit = self.millis().unwrap_or(match self {
            Self::Day => DAY_MS,
            Self::Week => DAY_MS * 7,
            unit => DAY_MS * 30 * unit.months().unwrap_or(1),
        });
        size.checked_mul(unit).is_some()
    }
}

/// The day of the week of a name or its first three letters, in any case, from 0 for Sunday.
pub(crate) fn weekday(name: &str) -> Option<i64> {
    const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let is_it =
        |day: &&str| name.eq_ignore_ascii_case(day) || day.get(..3).is_some_and(|day| name.eq_ignore_ascii_case(day));
    NAMES.iter().position(is_it).and_then(|place| i64::try_from(place).ok())
}
