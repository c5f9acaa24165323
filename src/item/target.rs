//! The table a handle works on.

use std::sync::Arc;

use crate::catalog::{self, Entry, Kind, job};
use crate::error::{Error, Result};
use crate::item::layout;
use crate::item::schema::{Definition, TableRecord, TableSchema, check_name};
use crate::txn::{Operation, View, Writer};

/// Namespace of every item table in the catalogue.
const NAMESPACE: &str = "";

const WHAT: &str = "item table";

/// A name of a table, shared by the handles that were made from one.
#[derive(Debug)]
pub(super) struct Target {
    in_catalogue: catalog::Target<TableRecord>,
}

impl Target {
    pub(super) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { in_catalogue: catalog::Target::new(Kind::ItemTable, NAMESPACE, name) })
    }

    pub(super) fn name(&self) -> &Arc<str> {
        self.in_catalogue.name()
    }

    /// The operation `verb` on the table.
    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("item", verb, self.name())
    }

    /// The table's definition.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such table.
    pub(super) fn definition(&self, view: &View) -> Result<Definition> {
        let found = self.in_catalogue.get(view)?;
        found.ok_or_else(|| Error::NotFound { what: WHAT, name: self.name().to_string() })
    }

    /// Refuses a name that no table can have.
    pub(super) fn check_name(&self) -> Result<()> {
        check_name(WHAT, self.name())
    }

    /// Creates the table with a checked `schema`.
    pub(super) fn create(&self, writer: &mut Writer, schema: &TableSchema) -> Result<()> {
        let same = |stored: &TableRecord, asked: &TableRecord| stored.schema() == asked.schema();
        let record = TableRecord::new(schema.clone());
        self.in_catalogue.create_or_same(writer, record, same, (WHAT, self.name()))
    }

    /// Removes the table with its items and indexes, and returns whether there was one.
    pub(super) fn remove(&self, writer: &mut Writer) -> Result<bool> {
        let Some(table) = self.in_catalogue.get(writer)? else { return Ok(false) };
        self.in_catalogue.remove(writer);
        let stored = layout::table_prefix(table.storage);
        job::cancel(writer, &stored)?;
        job::remove(writer, &stored)?;
        Ok(true)
    }

    /// Changes the definition of the table.
    pub(super) fn update(&self, writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
        self.in_catalogue.update(writer, table)
    }
}
