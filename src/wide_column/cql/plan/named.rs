//! The table that a statement names, and what was found out about the statement by it.

use std::sync::Arc;

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::wide_column::cql::ast::QualifiedName;
use crate::wide_column::cql::plan::context::Context;
use crate::wide_column::schema::Definition;

/// The table that a statement names, as it was found.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) table: Definition,
    keyspace: String,
    /// `keyspace.table`, as messages have it.
    pub(super) label: String,
    /// The state of the catalogue in which it was found, when that has a number.
    epoch: Option<u64>,
    /// Where its definition is stored.
    key: Vec<u8>,
}

impl Named {
    /// The table `name`.
    ///
    /// # Errors
    /// Cassandra's, when there is no such keyspace or table.
    pub(super) fn find(context: &Context<'_>, name: &QualifiedName) -> Result<Self> {
        let table = context.table(name)?;
        let keyspace = context.keyspace(name)?;
        Ok(Self::of(context, keyspace, name, table))
    }

    /// What `name` was found to be.
    pub(super) fn of(context: &Context<'_>, keyspace: &str, name: &QualifiedName, table: Definition) -> Self {
        let own = name.name.as_str();
        Self {
            table,
            keyspace: keyspace.to_owned(),
            label: format!("{keyspace}.{own}"),
            epoch: context.view.epoch(),
            key: catalog::key(Kind::WideTable, keyspace, own),
        }
    }

    pub(super) fn keyspace(&self) -> &str {
        &self.keyspace
    }

    /// Whether `name` would be found to be the same in this context.
    fn is_same(&self, context: &Context<'_>, name: &QualifiedName) -> Result<bool> {
        if self.epoch.is_none() || self.epoch != context.view.epoch() || self.keyspace != context.keyspace(name)? {
            return Ok(false);
        }
        // A transaction relies on the definition as if it had looked.
        context.view.note(&self.key);
        Ok(true)
    }
}

/// What can be kept of one statement.
pub(super) trait Keep: Send + Sync + 'static {
    /// The table that it is planned for.
    fn named(&self) -> &Named;
}

/// What is kept for the statement at `nth`, which is about the table `name`; or what `check` finds, to be kept from now on.
pub(super) fn kept<K: Keep>(
    context: &Context<'_>,
    (nth, name): (usize, &QualifiedName),
    check: impl FnOnce() -> Result<K>,
) -> Result<Arc<K>> {
    let Some(kept) = context.kept() else { return check().map(Arc::new) };
    if let Some(last) = kept.get::<K>(nth)
        && last.named().is_same(context, name)?
    {
        return Ok(last);
    }
    let (found, is_of_text) = context.of_text_alone(check);
    let found = Arc::new(found?);
    if is_of_text && found.named().epoch.is_some() {
        kept.put(nth, Arc::clone(&found));
    }
    Ok(found)
}
