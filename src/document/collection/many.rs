//! Writes of every document that matches.

use std::sync::Arc;

use bson::Document;

use crate::document::bulk::{EachMatch, Tally};
use crate::document::code::Code;
use crate::document::collection::modify;
use crate::document::collection::options::{DeleteOptions, UpdateOptions};
use crate::document::expression::Context;
use crate::document::filter::Filter;
use crate::document::maintain::Records;
use crate::document::scan::Match;
use crate::document::schema::Namespace;
use crate::document::update::{Occasion, Update, UpdateModifications};
use crate::error::Result;

/// Applies `update` to all that matches `filter`, as `drive` runs it.
///
/// # Errors
/// Those of filters and updates; [`Error::Invalid`](crate::Error::Invalid) for a sort, which says which one is changed.
pub(super) fn update(
    namespace: &Namespace,
    filter: &Document,
    update: &UpdateModifications,
    options: &UpdateOptions,
    drive: impl FnOnce(&mut EachMatch<'_>) -> Result<()>,
) -> Result<Tally> {
    if options.sort.is_some() {
        return Err(Code::FAILED_TO_PARSE.syntax("an update of all documents that match takes no sort"));
    }
    let variables = options.variables()?;
    let filter = Arc::new(Filter::compile(filter, &variables.names)?);
    let update = Update::compile(update, &options.array_filters, &variables.names)?;
    let change = |records: &mut Records<'_>, found: Match, context: &Context| {
        let occasion = Occasion { context, filter: &filter, inserts: false };
        let after = update.apply(&found.document, occasion)?;
        modify::replace(records, namespace, &found, after.as_deref())
    };
    let mut each = EachMatch::new(namespace, &filter, &variables.values, options.hinted(), &change);
    drive(&mut each)?;
    Ok(each.tally())
}

/// Removes all that matches `filter`, as `drive` runs it.
///
/// # Errors
/// Those of filters.
pub(super) fn remove(
    namespace: &Namespace,
    filter: &Document,
    options: &DeleteOptions,
    drive: impl FnOnce(&mut EachMatch<'_>) -> Result<()>,
) -> Result<Tally> {
    let variables = options.variables()?;
    let filter = Arc::new(Filter::compile(filter, &variables.names)?);
    let change = |records: &mut Records<'_>, Match { id, document }: Match, _: &Context| {
        records.remove(id, &document).map(|()| true)
    };
    let mut each = EachMatch::new(namespace, &filter, &variables.values, options.hinted(), &change);
    drive(&mut each)?;
    Ok(each.tally())
}
