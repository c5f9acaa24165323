//! What a clock and a calendar on a wall show.

pub(crate) const DAY_MS: i64 = 86_400_000;

/// Days of the calendar from its first one to 1970-01-01, in the count that begins on the first of March of the year 0.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself, days of the week included.
pub(crate) const CYCLE_DAYS: i64 = 146_097;

/// A date and a time of day, in no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wall {
    /// Days since 1970-01-01.
    days: i64,
    /// Milliseconds since midnight, less than a day.
    millis: i64,
}

impl Wall {
    /// What is shown `millis` after midnight of 1970-01-01.
    pub(crate) fn new(millis: i128) -> Self {
        let day = i128::from(DAY_MS);
        let days = i64::try_from(millis.div_euclid(day)).unwrap_or(i64::MAX);
        Self { days, millis: i64::try_from(millis.rem_euclid(day)).unwrap_or(0) }
    }

    /// Midnight of a day of a month. Months below 1 and above 12 lead into other years.
    pub(crate) fn of_date(year: i64, month: i64, day: i64) -> Self {
        let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
        // The year begins in March, so that what is irregular about February comes last.
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5;
        let days = era * CYCLE_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
        Self { days: days + day - 1, millis: 0 }
    }

    /// Midnight of a day of a week of ISO 8601; weeks and days may lie outside of the year and the week.
    pub(crate) fn of_week(year: i64, week: i64, day: i64) -> Self {
        // The fourth of January is in the first week.
        let fourth = Self::of_date(year, 1, 4);
        let monday = fourth.days - (fourth.iso_weekday() - 1);
        Self { days: monday + (week - 1) * 7 + day - 1, millis: 0 }
    }

    /// The same, so many milliseconds later; they may be more than a day, or negative.
    pub(crate) fn plus(self, millis: i64) -> Self {
        Self::new(self.since_epoch() + i128::from(millis))
    }

    /// The same time of day on the day so many days after 1970-01-01.
    pub(crate) fn on(self, days: i64) -> Self {
        Self { days, ..self }
    }

    /// Milliseconds since midnight of 1970-01-01 on the same wall.
    pub(crate) fn since_epoch(self) -> i128 {
        i128::from(self.days) * i128::from(DAY_MS) + i128::from(self.millis)
    }

    pub(crate) fn days(self) -> i64 {
        self.days
    }

    pub(crate) fn millis_of_day(self) -> i64 {
        self.millis
    }

    /// Year, month from 1 to 12, day of the month from 1.
    pub(crate) fn date(self) -> (i64, i64, i64) {
        let days = self.days + EPOCH_DAYS;
        let (era, of_era) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (year + era * 400 + i64::from(month <= 2), month, day)
    }

    pub(crate) fn year(self) -> i64 {
        self.date().0
    }

    pub(crate) fn hour(self) -> i64 {
        self.millis / 3_600_000
    }

    pub(crate) fn minute(self) -> i64 {
        self.millis / 60_000 % 60
    }

    pub(crate) fn second(self) -> i64 {
        self.millis / 1_000 % 60
    }

    pub(crate) fn millisecond(self) -> i64 {
        self.millis % 1_000
    }

    /// The day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        self.days - Self::of_date(self.year(), 1, 1).days + 1
    }

    /// The day of the week, from 0 for Sunday.
    pub(crate) fn weekday(self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// The day of the week, from 1 for Monday to 7 for Sunday.
    pub(crate) fn iso_weekday(self) -> i64 {
        (self.days + 3).rem_euclid(7) + 1
    }

    /// The week of the year, where weeks begin on Sundays and days before the first Sunday are in week 0.
    pub(crate) fn week(self) -> i64 {
        (self.day_of_year() + 6 - self.weekday()) / 7
    }

    /// The year and the week of ISO 8601: weeks begin on Mondays, and the first one has the fourth of January.
    pub(crate) fn iso_week(self) -> (i64, i64) {
        // A week belongs to the year of its Thursday.
        let thursday = self.on(self.days - self.iso_weekday() + 4);
        (thursday.year(), (thursday.day_of_year() - 1) / 7 + 1)
    }

    /// The months since January of the year 0.
    pub(crate) fn months(self) -> i64 {
        let (year, month, _) = self.date();
        year * 12 + month - 1
    }
}

/// The number of days of a month from 1 to 12.
pub(crate) fn days_of_month(year: i64, month: i64) -> i64 {
    Wall::of_date(year, month + 1, 1).days - Wall::of_date(year, month, 1).days
}
