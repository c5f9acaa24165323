//! `CAST`, and the operators of moments beside those of numbers.

use super::moments::{self, Duration};
use super::numbers;
use crate::error::Result;
use crate::limits;
use crate::wide_column::cql::ast::Arithmetic;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::read::json;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Whether values of one type can be cast to another.
pub(super) fn is_cast(from: &CqlType, to: &CqlType) -> bool {
    use CqlType as T;
    if from == to {
        return true;
    }
    match to {
        T::Text | T::Ascii => {
            numbers::is_number(from)
                || matches!(
                    from,
                    T::Ascii | T::Boolean | T::Date | T::Inet | T::Time | T::Timestamp | T::Timeuuid | T::Uuid
                )
        }
        T::Timestamp => matches!(from, T::Timeuuid | T::Date),
        T::Date => matches!(from, T::Timeuuid | T::Timestamp),
        T::Counter => false,
        to => numbers::is_number(from) && numbers::is_number(to),
    }
}

/// A value as one of another type; the types go together ([`is_cast`]).
pub(super) fn cast(value: &CqlValue, to: &CqlType) -> Result<CqlValue> {
    if matches!(value, CqlValue::Empty) {
        return Ok(CqlValue::Null);
    }
    Ok(match to {
        CqlType::Text | CqlType::Ascii => CqlValue::Text(text(value)),
        CqlType::Timestamp => moments::millis(value).map_or(CqlValue::Null, CqlValue::Timestamp),
        CqlType::Date => moments::millis(value).map_or(CqlValue::Null, moments::date),
        to if numbers::is_number(to) => numbers::convert(value, to)?,
        _ => value.clone(),
    })
}

fn text(value: &CqlValue) -> String {
    match value {
        CqlValue::Text(text) => text.clone(),
        CqlValue::Timestamp(millis) => json::timestamp(*millis).replacen(' ', "T", 1),
        other => {
            let mut text = String::new();
            json::scalar(&mut text, other);
            text.trim_matches('"').to_owned()
        }
    }
}

/// The type of `left operator right`; `None` when there is no such operator.
pub(super) fn result(left: &CqlType, operator: Arithmetic, right: &CqlType) -> Option<CqlType> {
    match (left, operator, right) {
        (CqlType::Timestamp | CqlType::Date, Arithmetic::Add | Arithmetic::Subtract, CqlType::Duration) => {
            Some(left.clone())
        }
        (CqlType::Text, Arithmetic::Add, CqlType::Text | CqlType::Ascii)
        | (CqlType::Ascii, Arithmetic::Add, CqlType::Text) => Some(CqlType::Text),
        (CqlType::Ascii, Arithmetic::Add, CqlType::Ascii) => Some(CqlType::Ascii),
        _ => numbers::common(left, right),
    }
}

/// `left operator right`, of the type that [`result`] says.
pub(super) fn calculate(left: &CqlValue, operator: Arithmetic, right: &CqlValue, of: &CqlType) -> Result<CqlValue> {
    if matches!((left, right), (CqlValue::Empty, _) | (_, CqlValue::Empty)) {
        return Ok(CqlValue::Null);
    }
    let duration = || {
        let duration = Duration::of(right).ok_or_else(|| invalid("a duration is missing"))?;
        Ok::<_, crate::error::Error>(if operator == Arithmetic::Subtract { duration.negated() } else { duration })
    };
    match (left, right, of) {
        (CqlValue::Timestamp(millis), _, CqlType::Timestamp) => moments::timestamp_plus(*millis, duration()?),
        (date @ CqlValue::Date(_), _, CqlType::Date) => {
            moments::date_plus(date.days_since_epoch().unwrap_or_default(), duration()?)
        }
        (CqlValue::Text(left), CqlValue::Text(right), _) => {
            let bytes = left.len().saturating_add(right.len());
            limits::check("bytes of a text that is computed", limits::WIDE_VALUE_BYTES_MAX, bytes)?;
            Ok(CqlValue::Text(format!("{left}{right}")))
        }
        _ => numbers::calculate(left, operator, right, of),
    }
}
