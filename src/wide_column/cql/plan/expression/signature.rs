//! What a function takes, returns and does.

use super::moments::{self, Duration};
use crate::error::{Error, Result};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// A function with the values it is called with.
#[derive(Debug)]
pub(in crate::wide_column::cql::plan) struct Called<'a> {
    pub(super) values: &'a [CqlValue],
    pub(super) types: &'a [CqlType],
    pub(super) returns: &'a CqlType,
}

impl Called<'_> {
    pub(super) fn value(&self, nth: usize) -> &CqlValue {
        self.values.get(nth).unwrap_or(&CqlValue::Null)
    }

    pub(super) fn duration(&self, nth: usize) -> Duration {
        Duration::of(self.value(nth)).unwrap_or(Duration { months: 0, days: 0, nanos: 0 })
    }

    pub(super) fn millis(&self, nth: usize) -> i64 {
        moments::millis(self.value(nth)).unwrap_or_default()
    }
}

/// What a function does.
pub(in crate::wide_column::cql::plan) type Run = fn(&Called<'_>) -> Result<CqlValue>;

/// A function for arguments of these types.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) arguments: Vec<CqlType>,
    pub(super) returns: CqlType,
    pub(super) run: Run,
    /// Whether it makes something of null; others make null of it.
    pub(super) takes_null: bool,
}

impl Signature {
    pub(super) fn new(arguments: impl Into<Vec<CqlType>>, returns: CqlType, run: Run) -> Self {
        Self { arguments: arguments.into(), returns, run, takes_null: false }
    }

    pub(super) fn taking_null(self) -> Self {
        Self { takes_null: true, ..self }
    }

    /// As Cassandra's messages show it.
    pub(super) fn shown(&self, name: &str) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        format!("system.{name} : ({}) -> {}", arguments.join(", "), self.returns)
    }
}

/// The type of the only argument.
pub(super) fn one_of_any(name: &str, given: &[Option<CqlType>]) -> Result<CqlType> {
    match given {
        [Some(of)] => Ok(of.clone()),
        [None] => Err(cannot_infer(name)),
        _ => Err(wrong_count(name, 1, given.len())),
    }
}

pub(super) fn cannot_infer(name: &str) -> Error {
    invalid(format!("Cannot infer type of argument in call to function system.{name}: use type casts to disambiguate"))
}

pub(super) fn wrong_count(name: &str, required: usize, provided: usize) -> Error {
    invalid(format!(
        "Invalid number of arguments in call to function system.{name}: {required} required but {provided} provided"
    ))
}
