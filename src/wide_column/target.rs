//! The table a handle works on.

use std::sync::Arc;

use crate::catalog::{self, Kind};
use crate::error::{Error, Result};
use crate::txn::{Operation, View, Writer};
use crate::wide_column::mutation;
use crate::wide_column::schema::{Definition, TableRecord, TableSchema, check_identifier};

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
        let same = |stored: &TableRecord, asked: &TableRecord| stored.declared() == asked.declared();
        self.in_catalogue.create_or_same(writer, TableRecord::new(schema.clone()), same, (WHAT, &self.label))
    }

    /// Changes the definition, unless `change` says that there is nothing to be changed. Returns what it says.
    pub(super) fn alter(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut TableRecord) -> Result<bool>,
    ) -> Result<bool> {
        let mut table = self.definition(writer)?.as_ref().clone();
        let is_changed = change(&mut table.record)?;
        if is_changed {
            self.in_catalogue.update(writer, &table)?;
        }
        Ok(is_changed)
    }

    /// Drops a regular column and what rows have of it; returns whether there was one.
    pub(super) fn drop_column(&self, writer: &mut Writer, name: &str) -> Result<bool> {
        let at = writer.unique_micros()?;
        let was_there = self.alter(writer, |table| table.drop_column(name, at))?;
        if was_there {
            let table = self.definition(writer)?;
            mutation::tidy_table(writer, &table)?;
        }
        Ok(was_there)
    }

    /// Removes the table with its rows, and returns whether there was one.
    pub(super) fn remove(&self, writer: &mut Writer) -> Result<bool> {
        let Some(entry) = self.in_catalogue.get(writer)? else { return Ok(false) };
        self.in_catalogue.remove(writer);
        mutation::remove_table(writer, entry.storage)?;
        Ok(true)
    }

    /// Removes every row.
    pub(super) fn empty(&self, writer: &mut Writer) -> Result<()> {
        let entry = self.definition(writer)?;
        self.in_catalogue.renew(writer, &entry)?;
        mutation::remove_table(writer, entry.storage)
    }
}

/// Whether writes that were made for one definition can be made by the other. A table that was emptied is the same one, stored
/// elsewhere.
pub(super) fn is_same(one: &Definition, other: &Definition) -> bool {
    Arc::ptr_eq(one, other) || (one.id == other.id && one.record == other.record)
}
