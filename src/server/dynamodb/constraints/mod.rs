//! Constraints of the members of requests, from a table of the service's own model.
//!
//! `dynamodb.txt` and `streams.txt` are written by `generate.py`; `seen.txt` has what the model does not say. None of
//! the operations is known here: what a request may hold is walked as the table has it.

mod check;
mod model;
mod place;
#[cfg(test)]
mod sample;
mod shown;
#[cfg(test)]
mod tests;
mod types;

use std::sync::LazyLock;

pub(super) use self::model::{Model, Of};

use crate::server::dynamodb::dialect::Rules;
use crate::server::dynamodb::failure::Failure;
use crate::server::dynamodb::json::Json;

const SEEN: &str = include_str!("seen.txt");

// That the tables can be read is tested.
static ITEMS: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("dynamodb.txt"), SEEN).unwrap_or_default());
static STREAMS: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("streams.txt"), SEEN).unwrap_or_default());

/// The model of tables and items.
pub(super) fn items() -> &'static Model {
    &ITEMS
}

/// The model of streams.
pub(super) fn streams() -> &'static Model {
    &STREAMS
}

/// The operation that a target names, with the model that it is of.
pub(super) fn find(target: &str) -> Option<(&'static Model, &'static str)> {
    let (service, name) = target.split_once('.')?;
    let model = [items(), streams()].into_iter().find(|model| model.target == service)?;
    model.operation(name).map(|(name, _)| (model, name))
}

/// Checks the members of a request of `operation`: their types, then their constraints.
///
/// # Errors
/// `SerializationException` for the first member of another type, `ValidationException` for all that break a constraint.
pub(super) fn check(model: &Model, operation: &str, request: &Json<'_>, rules: &Rules) -> Result<(), Failure> {
    let Some((_, Some(place))) = model.operation(operation) else { return Ok(()) };
    types::check(model, request, place)?;
    check::check(model, request, place, rules)
}
