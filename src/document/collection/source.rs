//! What a query reads: a collection, or what a view makes of one.

use std::sync::Arc;

use crate::document::aggregate;
use crate::document::code::Code;
use crate::document::expression::{Context, Names};
use crate::document::find::{Prepared, Query};
use crate::document::rows::Input;
use crate::document::schema::Namespace;
use crate::document::views::{self, Definition};
use crate::error::Result;
use crate::txn::View;

/// Starts to find what `query` asks of the collection or view `namespace`.
///
/// # Errors
/// Those of queries and, for a view, of pipelines.
pub(super) fn open(query: &Query, view: &View, namespace: &Namespace) -> Result<Input> {
    let (prepared, context, names) = query.prepare_naming(view, namespace)?;
    match views::resolve(view, namespace)? {
        Some(definition) => of_view(query, &prepared, view, definition, (&context, &names)),
        None => Ok(Box::new(prepared.start(view, namespace, context)?)),
    }
}

/// How many documents `query` finds.
///
/// # Errors
/// As [`open`].
pub(super) fn count(query: &Query, view: &View, namespace: &Namespace) -> Result<u64> {
    let (prepared, context, names) = query.prepare_naming(view, namespace)?;
    let Some(definition) = views::resolve(view, namespace)? else { return prepared.count(view, namespace, context) };
    let mut rows = of_view(query, &prepared, view, definition, (&context, &names))?;
    let mut count = 0;
    while rows.advance()? {
        count += 1;
    }
    Ok(count)
}

fn of_view(
    query: &Query,
    prepared: &Prepared,
    view: &View,
    definition: Definition,
    environment: (&Arc<Context>, &Names),
) -> Result<Input> {
    check_view(query)?;
    aggregate::find_in_view(view, definition, query, prepared, environment)
}

/// Refuses what only a collection has: records, and their order.
pub(super) fn check_view(query: &Query) -> Result<()> {
    let refused = |option: &str| {
        Err(Code::UNRECOGNIZED_EXPRESSION.value(format!("the option {option} is not supported on a view")))
    };
    match &query.sort {
        _ if query.shows_record_id => refused("showRecordId"),
        _ if query.returns_key => refused("returnKey"),
        _ if query.between.min.is_some() => refused("min"),
        _ if query.between.max.is_some() => refused("max"),
        Some(sort) if sort.contains_key("$natural") => refused("$natural"),
        _ => Ok(()),
    }
}
