//! The table a handle works on.

use std::sync::Arc;

use crate::catalog::{self, Cached, Entry, Kind};
use crate::error::{Error, InvalidKind, Result};
use crate::txn::{View, Writer};
use crate::wide_column::mutation;
use crate::wide_column::schema::{TableSchema, check_identifier};

/// A table's id and definition as an operation found them.
pub(super) type Definition = Arc<Entry<TableSchema>>;

/// A name of a table, shared by the handles that were made from one.
#[derive(Debug)]
pub(super) struct Target {
    keyspace: String,
    name: String,
    /// `keyspace.name`, for reports and errors.
    label: String,
    cached: Cached<TableSchema>,
}

impl Target {
    pub(super) fn new(keyspace: &str, name: &str) -> Arc<Self> {
        let (label, cached) = (format!("{keyspace}.{name}"), Cached::default());
        Arc::new(Self { keyspace: keyspace.to_owned(), name: name.to_owned(), label, cached })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The table's definition.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such table.
    pub(super) fn definition(&self, view: &View) -> Result<Definition> {
        let found = self.cached.get(view, Kind::WideTable, &self.keyspace, &self.name)?;
        found.ok_or_else(|| Error::NotFound { what: "wide-column table", name: self.label.clone() })
    }

    /// Refuses to go on with a definition that the table no longer has.
    pub(super) fn confirm(&self, view: &View, prepared: &Definition) -> Result<()> {
        let current = self.definition(view)?;
        if Arc::ptr_eq(&current, prepared) || current == *prepared {
            return Ok(());
        }
        let message = format!("table {} has changed since the write was prepared; prepare it again", self.label);
        Err(Error::invalid(InvalidKind::Value, message))
    }

    pub(super) fn create(&self, writer: &mut Writer, schema: &TableSchema) -> Result<()> {
        check_identifier("keyspace", &self.keyspace)?;
        check_identifier("table", &self.name)?;
        schema.validate()?;
        match catalog::get::<TableSchema>(writer, Kind::WideTable, &self.keyspace, &self.name)? {
            Some(entry) if entry.record == *schema => Ok(()),
            Some(_) => Err(Error::AlreadyExists { what: "wide-column table", name: self.label.clone() }),
            None => catalog::create(writer, Kind::WideTable, &self.keyspace, &self.name, schema).map(drop),
        }
    }

    /// Removes the table with its rows, and answers whether there was one.
    pub(super) fn remove(&self, writer: &mut Writer) -> Result<bool> {
        let Some(entry) = catalog::get::<TableSchema>(writer, Kind::WideTable, &self.keyspace, &self.name)? else {
            return Ok(false);
        };
        mutation::remove_all(writer, entry.id)?;
        catalog::remove(writer, Kind::WideTable, &self.keyspace, &self.name);
        Ok(true)
    }
}
