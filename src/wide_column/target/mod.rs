//! The table a handle works on.

mod view;

use std::sync::Arc;

use crate::catalog::{self, Kind};
use crate::error::{Error, Result};
use crate::txn::{Operation, View, Writer};
use crate::wide_column::exception::Exception;
use crate::wide_column::role;
use crate::wide_column::schema::{Definition, NewIndex, TableRecord, TableSchema, check_identifier};
use crate::wide_column::write::{remove_index, remove_table, tidy_table};

pub(super) use view::remove_tables;
use view::{check_remove, check_views};

const WHAT: &str = "wide-column table";

/// The operation `verb` on what `label` names.
pub(super) fn operation<'a>(verb: &'static str, label: &'a str) -> Operation<'a> {
    Operation::new("wide_column", verb, label)
}

/// A name of a table, shared by the handles that were made from one.
#[derive(Debug)]
pub(super) struct Target {
    in_catalogue: catalog::Target<TableRecord>,
    /// `keyspace.name`, for reports and errors.
    label: String,
}

impl Target {
    pub(super) fn new(keyspace: &str, name: &str) -> Arc<Self> {
        let in_catalogue = catalog::Target::new(Kind::WideTable, keyspace, name);
        Arc::new(Self { in_catalogue, label: format!("{keyspace}.{name}") })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The operation `verb` on the table.
    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        operation(verb, &self.label)
    }

    /// The table's definition.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such table.
    pub(super) fn definition(&self, view: &View) -> Result<Definition> {
        let found = self.in_catalogue.get(view)?;
        found.ok_or_else(|| Error::NotFound { what: WHAT, name: self.label.clone() })
    }

    pub(super) fn create(&self, writer: &mut Writer, schema: &TableSchema) -> Result<()> {
        check_identifier("keyspace", self.in_catalogue.namespace())?;
        check_identifier("table", self.in_catalogue.name())?;
        schema.validate()?;
        let same =
            |stored: &TableRecord, asked: &TableRecord| stored.view.is_none() && stored.declared() == asked.declared();
        self.in_catalogue.create_or_same(writer, TableRecord::new(schema.clone()), same, (WHAT, &self.label))
    }

    /// Changes the definition, unless `change` says that there is nothing to be changed. Returns what it says.
    pub(super) fn alter(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut TableRecord) -> Result<bool>,
    ) -> Result<bool> {
        let before = self.definition(writer)?;
        if before.record.view.is_some() {
            let message = "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead";
            return Err(Exception::Invalid.error(message));
        }
        let mut table = before.as_ref().clone();
        let is_changed = change(&mut table.record)?;
        if is_changed {
            check_views(&table.record)?;
            self.in_catalogue.update(writer, &table)?;
            self.tell_views(writer, &before.record, &table.record)?;
        }
        Ok(is_changed)
    }

    /// Drops a regular column and what rows have of it; returns whether there was one.
    pub(super) fn drop_column(&self, writer: &mut Writer, name: &str) -> Result<bool> {
        self.check_drop_column(writer, name)?;
        let at = writer.unique_micros()?;
        let was_there = self.alter(writer, |table| table.drop_column(name, at))?;
        if was_there {
            let table = self.definition(writer)?;
            tidy_table(writer, &table)?;
        }
        Ok(was_there)
    }

    /// Creates an index, and enters what is there.
    pub(super) fn create_index(&self, writer: &mut Writer, new: &NewIndex<'_>) -> Result<()> {
        check_identifier("index", new.name)?;
        if self.definition(writer)?.record.view.is_some() {
            let message = "Secondary indexes on materialized views aren't supported";
            return Err(Exception::Invalid.error(message));
        }
        let storage = catalog::next_id(writer)?;
        let is_new = self.alter(writer, |table| table.add_index(new, storage))?;
        if is_new {
            // The rows that are there are entered by what tidies them.
            tidy_table(writer, &self.definition(writer)?)?;
        }
        Ok(())
    }

    /// Drops an index; returns whether there was one.
    pub(super) fn drop_index(&self, writer: &mut Writer, name: &str) -> Result<bool> {
        let definition = self.definition(writer)?;
        let Some(index) = definition.record.indexes.iter().find(|index| index.name == name) else { return Ok(false) };
        self.alter(writer, |table| {
            table.indexes.retain(|index| index.name != name);
            Ok(true)
        })?;
        remove_index(writer, index.storage)?;
        Ok(true)
    }

    /// Removes the table with its rows, and returns whether there was one.
    ///
    /// # Errors
    /// In Cassandra's words for a view, and for a table that has views.
    pub(super) fn remove(&self, writer: &mut Writer) -> Result<bool> {
        let Some(entry) = self.in_catalogue.get(writer)? else { return Ok(false) };
        check_remove(&entry.record)?;
        self.remove_entry(writer, &entry)
    }

    /// Removes a table or view, with its rows, of which nothing else knows.
    pub(super) fn remove_entry(&self, writer: &mut Writer, entry: &Definition) -> Result<bool> {
        self.in_catalogue.remove(writer);
        role::forget_table(writer, self.in_catalogue.namespace(), self.in_catalogue.name())?;
        remove_table(writer, entry)?;
        Ok(true)
    }

    /// Removes every row, and those of the table's views.
    pub(super) fn empty(&self, writer: &mut Writer) -> Result<()> {
        let entry = self.definition(writer)?;
        if entry.record.view.is_some() {
            let message = "Cannot TRUNCATE materialized view directly; must truncate base table instead";
            return Err(Exception::Invalid.error(message));
        }
        let mut empty = entry.as_ref().clone();
        empty.storage = catalog::next_id(writer)?;
        empty.record.clear_deleted();
        for index in &mut empty.record.indexes {
            (index.storage, index.is_building) = (catalog::next_id(writer)?, false);
        }
        self.empty_views(writer, &mut empty)?;
        self.in_catalogue.update(writer, &empty)?;
        remove_table(writer, &entry)
    }
}

/// Whether writes that were made for one definition can be made by the other. A table that was emptied is the same one, stored
/// elsewhere.
pub(super) fn is_same(one: &Definition, other: &Definition) -> bool {
    Arc::ptr_eq(one, other) || (one.id == other.id && one.record.has_same_columns(&other.record))
}
