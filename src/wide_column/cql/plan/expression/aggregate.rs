//! One value of many rows: `COUNT`, `MIN`, `MAX`, `SUM`, `AVG`.

use std::cmp::Ordering;

use super::{At, Expression, numbers};
use crate::error::Result;
use crate::wide_column::order::compare;
use crate::wide_column::serialize::deserialize;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// How one value is made of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    Min,
    Max,
    Sum,
    Average,
}

impl Kind {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "min" => Self::Min,
            "max" => Self::Max,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            _ => return None,
        })
    }
}

/// An aggregate of a query.
#[derive(Clone, Debug)]
pub(in crate::wide_column::cql::plan) struct Aggregated {
    pub(super) kind: Kind,
    /// Of what; of rows when there is nothing.
    pub(super) of: Option<Expression>,
}

/// What rows have come to.
#[derive(Clone, Debug)]
pub(in crate::wide_column::cql::plan) struct State {
    count: i64,
    /// The smallest or largest value.
    best: Option<Vec<u8>>,
    sum: CqlValue,
    /// What was lost when floats were added.
    lost: f64,
}

impl State {
    pub(in crate::wide_column::cql::plan) fn new(of: &Aggregated) -> Self {
        Self { count: 0, best: None, sum: of.summed().map_or(CqlValue::Null, |of| numbers::zero(&of)), lost: 0.0 }
    }

    /// Takes one more row.
    pub(in crate::wide_column::cql::plan) fn add(&mut self, own: &Aggregated, at: &At<'_>) -> Result<()> {
        let Some(of) = &own.of else {
            self.count += 1;
            return Ok(());
        };
        let Some(bytes) = of.bytes(at)? else { return Ok(()) };
        self.count += 1;
        match own.kind {
            Kind::Count => {}
            Kind::Min | Kind::Max => {
                let wanted = if own.kind == Kind::Min { Ordering::Less } else { Ordering::Greater };
                if self.best.as_ref().is_none_or(|best| compare(&of.cql_type, &bytes, best) == wanted) {
                    self.best = Some(bytes.into_owned());
                }
            }
            Kind::Sum | Kind::Average => match (deserialize(&of.cql_type, &bytes)?, own.summed()) {
                // No value, in bytes that are none.
                (CqlValue::Empty, _) => self.count -= 1,
                (next, Some(CqlType::Double)) => self.add_float(numbers::double(&next)),
                (next, Some(summed)) => self.sum = numbers::sum(&self.sum, &next, &summed)?,
                (_, None) => {}
            },
        }
        Ok(())
    }

    /// Adds a float so that no digits get lost (Kahan).
    fn add_float(&mut self, next: f64) {
        let CqlValue::Double(sum) = self.sum else { return };
        let corrected = next - self.lost;
        let after = sum + corrected;
        self.lost = if after.is_finite() { (after - sum) - corrected } else { 0.0 };
        self.sum = CqlValue::Double(after);
    }

    /// The value of all rows.
    pub(in crate::wide_column::cql::plan) fn finish(self, own: &Aggregated) -> Result<CqlValue> {
        let Some(of) = &own.of else { return Ok(CqlValue::Bigint(self.count)) };
        Ok(match own.kind {
            Kind::Count => CqlValue::Bigint(self.count),
            Kind::Min | Kind::Max => {
                self.best.map(|best| deserialize(&of.cql_type, &best)).transpose()?.unwrap_or(CqlValue::Null)
            }
            Kind::Sum if of.cql_type == CqlType::Float => numbers::convert(&self.sum, &CqlType::Float)?,
            Kind::Sum => self.sum,
            Kind::Average => numbers::mean(&self.sum, self.count, &of.cql_type)?,
        })
    }
}

impl Aggregated {
    /// The type in which it adds up.
    fn summed(&self) -> Option<CqlType> {
        let of = &self.of.as_ref()?.cql_type;
        match self.kind {
            Kind::Sum if matches!(of, CqlType::Float | CqlType::Double) => Some(CqlType::Double),
            Kind::Sum => Some(of.clone()),
            Kind::Average => Some(numbers::wide(of)),
            _ => None,
        }
    }

    /// The columns that it looks at.
    pub(in crate::wide_column::cql::plan) fn columns(&self) -> Vec<usize> {
        self.of.as_ref().map(Expression::columns).unwrap_or_default()
    }

    /// The type of its value.
    pub(super) fn returns(&self) -> CqlType {
        match (&self.of, self.kind) {
            (None, _) | (_, Kind::Count) => CqlType::Bigint,
            (Some(of), _) => of.cql_type.clone(),
        }
    }
}
