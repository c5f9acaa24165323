//! Views of the table a handle works on.

use std::sync::Arc;

use crate::catalog;
use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::exception::Exception;
use crate::wide_column::schema::{self, Definition, TableOptions, TableRecord, ViewOf, ViewSchema, check_identifier};
use crate::wide_column::target::Target;
use crate::wide_column::write::{remove_table, tidy_table};

const WHAT: &str = "materialized view";

/// What Cassandra says of a grace of nothing.
const GRACE: &str = "to 0, since this value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause \
                     undelivered updates to expire before being replayed.";

fn refused(message: impl Into<String>) -> Error {
    Exception::Invalid.error(message)
}

impl Target {
    fn beside(&self, name: &str) -> Arc<Self> {
        Self::new(self.in_catalogue.namespace(), name)
    }

    /// Creates a view of the table, and shows what is there; nothing happens when there is the same one.
    pub(in crate::wide_column) fn create_view(
        &self,
        writer: &mut Writer,
        name: &str,
        schema: &ViewSchema,
    ) -> Result<()> {
        check_identifier("view", name)?;
        let base = self.definition(writer)?;
        let own = (self.in_catalogue.namespace(), &**self.in_catalogue.name());
        let record = schema.record(name, own, (base.storage, &base.record))?;
        let view = self.beside(name);
        if let Some(there) = view.in_catalogue.get(writer)? {
            let is_same = there.record.view == record.view
                && there.record.conditions == record.conditions
                && there.record.declared() == record.declared();
            let taken = || Error::AlreadyExists { what: WHAT, name: view.label().to_owned() };
            return if is_same { Ok(()) } else { Err(taken()) };
        }
        let storage = view.in_catalogue.create(writer, record)?.storage;
        self.alter(writer, |table| {
            table.views.push(ViewOf { name: name.to_owned(), storage, is_building: true });
            Ok(true)
        })?;
        // The rows that are there are shown by what tidies them.
        tidy_table(writer, &self.definition(writer)?)
    }

    /// Drops a view, which this is; returns whether there was one.
    ///
    /// # Errors
    /// In Cassandra's words for a table that is no view.
    pub(in crate::wide_column) fn drop_view(&self, writer: &mut Writer) -> Result<bool> {
        let Some(entry) = self.in_catalogue.get(writer)? else { return Ok(false) };
        let Some(definition) = &entry.record.view else {
            return Err(refused(format!("Materialized view '{}' doesn't exist", self.label())));
        };
        let base = self.beside(&definition.base);
        if base.in_catalogue.get(writer)?.is_some() {
            base.alter(writer, |table| {
                table.views.retain(|view| view.storage != entry.storage);
                Ok(true)
            })?;
        }
        self.remove_entry(writer, &entry)
    }

    /// Changes the options of a view, which this is.
    ///
    /// # Errors
    /// In Cassandra's words for a table that is no view, and for options that no view can have.
    pub(in crate::wide_column) fn set_view_options(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut TableOptions),
    ) -> Result<()> {
        let mut view = self.definition(writer)?.as_ref().clone();
        if view.record.view.is_none() {
            return Err(refused(format!("Materialized view '{}' doesn't exist", self.label())));
        }
        view.record.set_options(change)?;
        if view.record.grace() == 0 {
            return Err(refused(format!("Cannot alter gc_grace_seconds of a materialized view {GRACE}")));
        }
        if view.record.schema.default_ttl_seconds() > 0 {
            return Err(refused(
                "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always expire \
                 at the same time than the corresponding data in the parent table.",
            ));
        }
        self.in_catalogue.update(writer, &view)
    }

    /// Refuses to drop a column of a table that has views.
    pub(super) fn check_drop_column(&self, writer: &Writer, name: &str) -> Result<()> {
        let table = self.definition(writer)?;
        let is_column = table.record.schema.column_named(name).is_some_and(|column| !column.is_key());
        if is_column && !table.record.views.is_empty() {
            let base = self.in_catalogue.name();
            return Err(refused(format!("Cannot drop column {name} on base table {base} with materialized views")));
        }
        Ok(())
    }

    /// Tells the views of a table how it was changed.
    pub(super) fn tell_views(&self, writer: &mut Writer, before: &TableRecord, table: &TableRecord) -> Result<()> {
        for own in &table.views {
            let view = self.beside(&own.name);
            let Some(entry) = view.in_catalogue.get(writer)? else { continue };
            let mut changed = entry.as_ref().clone();
            if changed.record.follow(before, table) {
                view.in_catalogue.update(writer, &changed)?;
            }
        }
        Ok(())
    }

    /// Removes the rows of the views of a table that is emptied.
    pub(super) fn empty_views(&self, writer: &mut Writer, table: &mut catalog::Entry<TableRecord>) -> Result<()> {
        for own in &mut table.record.views {
            let view = self.beside(&own.name);
            let Some(entry) = view.in_catalogue.get(writer)? else { continue };
            let mut empty = entry.as_ref().clone();
            empty.storage = catalog::next_id(writer)?;
            if let Some(definition) = &mut empty.record.view {
                definition.base_storage = table.storage;
            }
            (own.storage, own.is_building) = (empty.storage, false);
            view.in_catalogue.update(writer, &empty)?;
            remove_table(writer, &entry)?;
        }
        Ok(())
    }
}

/// Refuses a definition that no base of a view has.
pub(super) fn check_views(table: &TableRecord) -> Result<()> {
    if !table.views.is_empty() && table.grace() == 0 {
        return Err(refused(format!("Cannot alter gc_grace_seconds of the base table of a materialized view {GRACE}")));
    }
    Ok(())
}

/// Refuses to drop a view as a table, and a table that has views.
pub(super) fn check_remove(table: &TableRecord) -> Result<()> {
    if table.view.is_some() {
        let message = "Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.";
        return Err(refused(message));
    }
    if table.views.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = table.views.iter().map(|view| view.name.as_str()).collect();
    let names = names.join(", ");
    Err(refused(format!("Cannot drop a table when materialized views still depend on it ({names})")))
}

/// Removes every table and view of a keyspace; returns whether there was one.
pub(in crate::wide_column) fn remove_tables(writer: &mut Writer, keyspace: &str) -> Result<bool> {
    let all: Vec<(String, Definition)> = schema::tables(writer, keyspace)?;
    for (name, definition) in &all {
        Target::new(keyspace, name).remove_entry(writer, definition)?;
    }
    Ok(!all.is_empty())
}
