//! Which rows a window holds.

use std::cmp::Ordering;
use std::ops::Range;

use bson::raw::RawBson;

use crate::document::code::Code;
use crate::document::date::{Unit, Zone};
use crate::document::number::Number;
use crate::error::Result;

/// Which rows around a row count.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Window {
    /// The whole partition.
    All,
    /// From so many rows before or behind to so many; `None` is the end of the partition.
    Documents(Option<i64>, Option<i64>),
    /// Rows whose sort values differ by no more than this.
    Range { lower: Option<Number>, upper: Option<Number>, unit: Option<Unit> },
}

/// The values that the rows of a partition are sorted by, ascending.
#[derive(Debug)]
pub(super) enum Keys {
    Numbers(Vec<Number>),
    /// Milliseconds since 1970.
    Dates(Vec<i64>, Unit),
}

impl Keys {
    /// Reads the sort values: dates when the window has a unit of time, else numbers.
    ///
    /// # Errors
    /// [`Code::WINDOW_RANGE_DATE`] and [`Code::WINDOW_RANGE_NUMBER`] for a value that is not one.
    pub(super) fn new(values: &[Option<RawBson>], unit: Option<Unit>) -> Result<Self> {
        if let Some(unit) = unit {
            let date = |value: &Option<RawBson>| match value {
                Some(RawBson::DateTime(date)) => Ok(date.timestamp_millis()),
                _ => Err(Code::WINDOW_RANGE_DATE.wrong_type("a range with a unit is over dates")),
            };
            return Ok(Self::Dates(values.iter().map(date).collect::<Result<_>>()?, unit));
        }
        let number = |value: &Option<RawBson>| {
            let number = value.as_ref().and_then(|value| Number::from_raw(value.as_raw_bson_ref()));
            number.ok_or_else(|| Code::WINDOW_RANGE_NUMBER.wrong_type("a range without a unit is over numbers"))
        };
        Ok(Self::Numbers(values.iter().map(number).collect::<Result<_>>()?))
    }

    /// How many rows, from the front, lie below the value that is `offset` away from that of the row at `place`, or at it, too.
    fn count(&self, place: usize, offset: Number, with_equal: bool) -> usize {
        let is_in = |order: Ordering| order.is_lt() || (with_equal && order.is_eq());
        match self {
            Self::Numbers(numbers) => {
                let Some(bound) = numbers.get(place).map(|number| number.add(offset)) else { return 0 };
                numbers.partition_point(|number| is_in(number.compare(bound)))
            }
            Self::Dates(dates, unit) => {
                let Some(date) = dates.get(place) else { return 0 };
                let amount = offset.as_i64().unwrap_or(0);
                // What is past all dates holds all of them, or none.
                let end = if amount < 0 { i64::MIN } else { i64::MAX };
                let bound = unit.add(*date, amount, &Zone::UTC).unwrap_or(end);
                dates.partition_point(|date| is_in(date.cmp(&bound)))
            }
        }
    }
}

impl Window {
    /// The rows in the window of the row at `place` of `count`.
    pub(super) fn around(&self, place: usize, count: usize, keys: Option<&Keys>) -> Range<usize> {
        let (start, end) = match self {
            Self::All => (0, count),
            Self::Documents(lower, upper) => {
                let at = |offset: i64| {
                    let place = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(offset);
                    usize::try_from(place).unwrap_or(0).min(count)
                };
                (lower.map_or(0, at), upper.map_or(count, |upper| at(upper.saturating_add(1))))
            }
            Self::Range { lower, upper, .. } => {
                let Some(keys) = keys else { return 0..count };
                let start = lower.map_or(0, |lower| keys.count(place, lower, false));
                (start, upper.map_or(count, |upper| keys.count(place, upper, true)))
            }
        };
        start.min(end)..end
    }
}
