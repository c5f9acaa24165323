//! What is computed from the rows of a window.

use std::ops::Range;

use bson::raw::RawBson;

use super::bounds::Window;
use super::{Partition, lend};
use crate::document::aggregate::accumulator::{Accumulator, State};
use crate::document::code::Code;
use crate::document::date::Unit;
use crate::document::expression::{Expression, Value, heap_bytes};
use crate::document::number::Number;
use crate::error::{Error, Result};
use crate::limits;

/// A window function.
#[derive(Clone, Debug)]
pub(super) enum Function {
    Accumulate {
        accumulator: Accumulator,
        expression: Expression,
        window: Window,
    },
    /// The place of the row, from 1; rows that sort alike have the place of the first of them.
    Rank,
    /// The same, counting rows that sort alike as one.
    DenseRank,
    DocumentNumber,
    /// The value of the row so many further on.
    Shift {
        output: Expression,
        by: i64,
        default: RawBson,
    },
    /// The last value that is not null.
    LastObserved(Expression),
    /// Nulls between two numbers become what lies between them.
    LinearFill(Expression),
    /// An average in which older values count less and less.
    MovingAverage {
        input: Expression,
        weight: Number,
    },
    /// By how much the input changes with the sort value, or what it sums up to.
    Slope {
        input: Expression,
        unit: Option<Unit>,
        window: Window,
        is_integral: bool,
    },
    Covariance {
        pair: (Expression, Expression),
        window: Window,
        of_sample: bool,
    },
}

type Values = Vec<Option<RawBson>>;

impl Function {
    /// The values for all rows of a partition.
    pub(super) fn values(&self, partition: &Partition<'_>) -> Result<Values> {
        match self {
            Self::Accumulate { accumulator, expression, window } => {
                accumulated(partition, accumulator, expression, window)
            }
            Self::Rank => Ok(ranks(partition, |_, place| place)),
            Self::DenseRank => Ok(ranks(partition, |before, _| before + 1)),
            Self::DocumentNumber => Ok((1..=partition.rows.len()).map(|place| Some(count(place))).collect()),
            Self::Shift { output, by, default } => shifted(partition, output, *by, default),
            Self::LastObserved(expression) => {
                let mut last = None;
                let mut values = partition.evaluated(expression)?;
                for value in &mut values {
                    if lend(value.as_ref()).is_nullish() {
                        value.clone_from(&last);
                        value.get_or_insert(RawBson::Null);
                    } else {
                        last.clone_from(value);
                    }
                }
                Ok(values)
            }
            Self::LinearFill(expression) => filled(partition, expression),
            Self::MovingAverage { input, weight } => averaged(partition, input, *weight),
            Self::Slope { input, unit, window, is_integral } => {
                let points = points(partition, input, *unit)?;
                let value = |range: Range<usize>| {
                    let points = points.get(range).unwrap_or_default();
                    if *is_integral { integral(points) } else { derivative(points) }
                };
                Ok(partition.windows(window)?.into_iter().map(|range| Some(number(value(range)))).collect())
            }
            Self::Covariance { pair, window, of_sample } => covariances(partition, pair, window, *of_sample),
        }
    }
}

fn number(number: Option<Number>) -> RawBson {
    number.map_or(RawBson::Null, |number| Value::from(number).into_owned().unwrap_or(RawBson::Null))
}

fn count(count: usize) -> RawBson {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    i32::try_from(count).map_or(RawBson::Int64(count), RawBson::Int32)
}

fn accumulated(
    partition: &Partition<'_>,
    accumulator: &Accumulator,
    expression: &Expression,
    window: &Window,
) -> Result<Values> {
    let values = partition.evaluated(expression)?;
    let take = |state: &mut State, range: Range<usize>| {
        partition.context.spend(range.len())?;
        for (value, row) in
            values.get(range.clone()).into_iter().flatten().zip(partition.rows.get(range).into_iter().flatten())
        {
            state.add(&lend(value.as_ref()), row, partition.context.order())?;
        }
        Ok(())
    };
    let (mut done, mut bytes) = (Vec::with_capacity(values.len()), 0);
    let (mut state, mut held) = (State::new(accumulator), 0..0);
    for range in partition.windows(window)? {
        // A window that only grows is not summed up again.
        if range.start != held.start || range.end < held.end {
            (state, held) = (State::new(accumulator), range.start..range.start);
        }
        take(&mut state, held.end..range.end)?;
        held = range;
        let value = state.clone().finish().into_owned();
        bytes += size_of::<RawBson>() + value.as_ref().map_or(0, |value| heap_bytes(value.as_raw_bson_ref()));
        limits::check("bytes of a sort in memory", limits::SORT_BYTES_MAX, bytes)?;
        done.push(value);
    }
    Ok(done)
}

/// Places by sort value: `next` gives that of a row which sorts behind the one before, from that one's and from its number.
fn ranks(partition: &Partition<'_>, next: fn(usize, usize) -> usize) -> Values {
    let (mut ranks, mut rank, mut before) = (Vec::with_capacity(partition.places.len()), 0, None);
    for (place, key) in partition.places.iter().enumerate() {
        if before != Some(key) {
            rank = next(rank, place + 1);
        }
        before = Some(key);
        ranks.push(Some(count(rank)));
    }
    ranks
}

fn shifted(partition: &Partition<'_>, output: &Expression, by: i64, default: &RawBson) -> Result<Values> {
    let values = partition.evaluated(output)?;
    let value = |place: usize| {
        let place = i64::try_from(place).ok()?.checked_add(by)?;
        values.get(usize::try_from(place).ok()?)
    };
    let shifted = |place| match value(place) {
        Some(Some(value)) => value.clone(),
        Some(None) => RawBson::Null,
        None => default.clone(),
    };
    Ok((0..values.len()).map(|place| Some(shifted(place))).collect())
}

/// Numbers in the place of nulls, on the line between their neighbours.
fn filled(partition: &Partition<'_>, expression: &Expression) -> Result<Values> {
    let (mut values, along) = (partition.evaluated(expression)?, partition.sort_values()?);
    let along = along.iter().map(|value| position(value.as_ref(), None)).collect::<Result<Vec<_>>>()?;
    let mut last: Option<(usize, Number)> = None;
    for place in 0..values.len() {
        let Some(value) = values.get(place).map(Option::as_ref).filter(|value| !lend(*value).is_nullish()) else {
            continue;
        };
        let Some(here) = lend(value).number() else {
            return Err(Code::LINEAR_FILL_TYPE.wrong_type("$linearFill takes numbers and nulls"));
        };
        if let Some((from, start)) = last {
            for between in from + 1..place {
                let (Some(x0), Some(x), Some(x1)) = (along.get(from), along.get(between), along.get(place)) else {
                    continue;
                };
                let fraction = x.subtract(*x0).divide(x1.subtract(*x0));
                let between_value = fraction.map(|fraction| start.add(here.subtract(start).multiply(fraction)));
                if let Some(slot) = values.get_mut(between) {
                    *slot = Some(number(between_value));
                }
            }
        }
        last = Some((place, here));
    }
    Ok(values.into_iter().map(|value| value.or(Some(RawBson::Null))).collect())
}

fn averaged(partition: &Partition<'_>, input: &Expression, weight: Number) -> Result<Values> {
    let mut average: Option<Number> = None;
    let rest = Number::Int32(1).subtract(weight);
    let mut done = Vec::new();
    for value in partition.evaluated(input)? {
        if let Some(value) = lend(value.as_ref()).number() {
            let next = match average {
                None => value,
                Some(average) => value.multiply(weight).add(average.multiply(rest)),
            };
            // The average is no integer, even of one.
            average = Some(if let Number::Decimal(_) = next { next } else { Number::Double(next.as_f64()) });
        }
        done.push(Some(number(average)));
    }
    Ok(done)
}

/// What a sort value is as a number: that of a date in milliseconds, or in units.
fn position(value: Option<&RawBson>, unit: Option<Unit>) -> Result<Number> {
    match (value, unit) {
        (Some(RawBson::DateTime(date)), None) => Ok(Number::Int64(date.timestamp_millis())),
        (Some(RawBson::DateTime(date)), Some(unit)) => {
            let millis = Number::Int64(date.timestamp_millis());
            let unit = unit.millis().unwrap_or(if unit == Unit::Week { 604_800_000 } else { 86_400_000 });
            Ok(millis.divide(Number::Int64(unit)).unwrap_or(millis))
        }
        (value, None) => lend(value).number().ok_or_else(|| not_sortable("numbers or dates")),
        (_, Some(_)) => Err(not_sortable("dates, with a unit")),
    }
}

fn not_sortable(wanted: &str) -> Error {
    Code::WINDOW_SORT_VALUE.wrong_type(format!("this window function sorts by {wanted}"))
}

/// The sort value and the input of each row; `None` for an input that is no number.
fn points(partition: &Partition<'_>, input: &Expression, unit: Option<Unit>) -> Result<Vec<Option<(Number, Number)>>> {
    let (inputs, along) = (partition.evaluated(input)?, partition.sort_values()?);
    let point = |(value, along): (&Option<RawBson>, &Option<RawBson>)| {
        if unit.is_none() && matches!(along, Some(RawBson::DateTime(_))) {
            return Err(not_sortable("numbers, without a unit"));
        }
        let x = position(along.as_ref(), unit)?;
        let y = match value {
            Some(RawBson::DateTime(date)) => Some(Number::Int64(date.timestamp_millis())),
            value => lend(value.as_ref()).number(),
        };
        Ok(y.map(|y| (x, y)))
    };
    inputs.iter().zip(&along).map(point).collect()
}

fn derivative(points: &[Option<(Number, Number)>]) -> Option<Number> {
    let [Some((x0, y0)), .., Some((x1, y1))] = points else { return None };
    y1.subtract(*y0).divide(x1.subtract(*x0))
}

/// The area below the line through the points.
fn integral(points: &[Option<(Number, Number)>]) -> Option<Number> {
    let points: Vec<_> = points.iter().flatten().collect();
    if points.is_empty() {
        return None;
    }
    let mut area = Number::Double(0.0);
    for pair in points.windows(2) {
        if let [(x0, y0), (x1, y1)] = pair {
            let twice = y0.add(*y1).multiply(x1.subtract(*x0));
            area = area.add(twice.divide(Number::Int32(2))?);
        }
    }
    Some(area)
}

fn covariances(
    partition: &Partition<'_>,
    (x, y): &(Expression, Expression),
    window: &Window,
    of_sample: bool,
) -> Result<Values> {
    let (xs, ys) = (partition.evaluated(x)?, partition.evaluated(y)?);
    let pair = |(x, y): (&Option<RawBson>, &Option<RawBson>)| {
        lend(x.as_ref()).number().zip(lend(y.as_ref()).number()).map(|(x, y)| (x.as_f64(), y.as_f64()))
    };
    let pairs: Vec<_> = xs.iter().zip(&ys).map(pair).collect();
    let mut done = Vec::with_capacity(pairs.len());
    for range in partition.windows(window)? {
        partition.context.spend(range.len())?;
        let (mut count, mut mean_x, mut mean_y, mut products) = (0.0, 0.0, 0.0, 0.0);
        for (x, y) in pairs.get(range).into_iter().flatten().flatten() {
            count += 1.0;
            let before = x - mean_x;
            mean_x += before / count;
            mean_y += (y - mean_y) / count;
            products += before * (y - mean_y);
        }
        let divisor = if of_sample { count - 1.0 } else { count };
        done.push(Some(number((divisor > 0.0).then_some(Number::Double(products / divisor)))));
    }
    Ok(done)
}
