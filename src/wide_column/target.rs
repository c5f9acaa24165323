//! The table a handle works on.

use std::sync::Arc;

use crate::catalog::{self, Entry, Kind};
use crate::error::{Error, InvalidKind, Result};
use crate::txn::{View, Writer};
use crate::wide_column::mutation;
use crate::wide_column::schema::{TableSchema, check_identifier};

/// A table's ids and definition as an operation found them.
pub(super) type Definition = Arc<Entry<TableSchema>>;

const WHAT: &str = "wide-column table";

/// A name of a table, shared by the handles that were made from one.
#[derive(Debug)]
pub(super) struct Target {
    in_catalogue: catalog::Target<TableSchema>,
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

    /// The table's definition.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such table.
    pub(super) fn definition(&self, view: &View) -> Result<Definition> {
        let found = self.in_catalogue.get(view)?;
        found.ok_or_else(|| Error::NotFound { what: WHAT, name: self.label.clone() })
    }

    /// Where the table's rows are stored. Refuses to go on with a definition that the table no longer has.
    pub(super) fn confirm(&self, view: &View, prepared: &Definition) -> Result<u32> {
        let current = self.definition(view)?;
        // A table that was emptied is the same one, stored elsewhere.
        if Arc::ptr_eq(&current, prepared) || (current.id == prepared.id && current.record == prepared.record) {
            return Ok(current.storage);
        }
        let message = format!("table {} has changed since the write was prepared; prepare it again", self.label);
        Err(Error::invalid(InvalidKind::Value, message))
    }

    pub(super) fn create(&self, writer: &mut Writer, schema: &TableSchema) -> Result<()> {
        check_identifier("keyspace", self.in_catalogue.namespace())?;
        check_identifier("table", self.in_catalogue.name())?;
        schema.validate()?;
        let same = |stored: &TableSchema, asked: &TableSchema| stored == asked;
        self.in_catalogue.create_or_same(writer, schema.clone(), same, (WHAT, &self.label))
    }

    /// Removes the table with its rows, and answers whether there was one.
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
