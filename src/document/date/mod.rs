//! Dates on the calendar and on the clocks of time zones.
//!
//! A date is a number of milliseconds since 1970, of 64 bits. [`Wall`] is what a clock on a wall shows at such a moment, which
//! depends on the [`Zone`] it hangs in. The calendar is the Gregorian one, also before it was introduced, and reaches as far as
//! the dates do.
//!
//! # Source
//! MongoDB manual, Date Expression Operators; ISO 8601 for weeks.

mod format;
mod parse;
mod unit;
mod wall;
mod zone;

pub(super) use format::{check_parse_format, formatted, month_name, parse_formatted};
pub(super) use parse::parse;
pub(super) use unit::{Unit, weekday};
pub(super) use wall::Wall;
pub(super) use zone::Zone;

#[cfg(test)]
mod tests;
