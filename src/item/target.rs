//! The table a handle works on.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::catalog::{self, Entry, Kind, job};
use crate::error::Result;
use crate::item::definition::{Change, Definition, TableRecord};
use crate::item::details::Details;
use crate::item::origin::Origin;
use crate::item::place::Place;
use crate::item::record::{Names, RecordRef};
use crate::item::{Fault, Item, layout};
use crate::txn::{Operation, View, Writer};

/// A name of a table, shared by the handles that were made from one.
#[derive(Debug)]
pub(super) struct Target {
    in_catalogue: catalog::Target<TableRecord>,
    pub(super) place: Place,
    /// What the last item was read with, for the next one.
    last: Mutex<Option<Reading>>,
}

/// What an item that is returned needs of its table.
#[derive(Debug)]
struct Reading {
    table: Definition,
    origin: Arc<Origin>,
    names: Names,
}

impl Target {
    pub(super) fn new(place: Place, name: &str) -> Arc<Self> {
        let in_catalogue = catalog::Target::new(Kind::ItemTable, &place.namespace(), name);
        Arc::new(Self { in_catalogue, place, last: Mutex::default() })
    }

    pub(super) fn name(&self) -> &Arc<str> {
        self.in_catalogue.name()
    }

    pub(super) fn arn(&self) -> String {
        self.place.table_arn(self.name())
    }

    /// The item of `record`, as it was read from the table.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no record.
    pub(super) fn item(&self, table: &Definition, record: RecordRef<'_>) -> Result<Item> {
        // Who comes while somebody else reads makes the item without.
        let Some(mut last) = self.last.try_lock() else {
            return Ok(record.to_item()?.read_from(&Origin::new(self.name(), table)));
        };
        let reading = match &mut *last {
            Some(reading) if Arc::ptr_eq(&reading.table, table) => reading,
            last => last.insert(Reading {
                table: Arc::clone(table),
                origin: Origin::new(self.name(), table),
                names: Names::default(),
            }),
        };
        let (item, _) = record.to_measured_item(&mut reading.names)?;
        Ok(item.read_from(&reading.origin))
    }

    /// The operation `verb` on the table.
    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("item", verb, self.name())
    }

    /// The table's definition, for an operation on its items.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`] when there is no such table, or it is being made or removed.
    pub(super) fn definition(&self, view: &View) -> Result<Definition> {
        let found = self.usable(view)?;
        found.ok_or_else(|| Fault::ResourceNotFound { resource: None }.into_error())
    }

    /// The table's definition, if there is such a table and its items can be read and written.
    pub(super) fn usable(&self, view: &View) -> Result<Option<Definition>> {
        let is_usable = |table: &Definition| {
            let phase = table.record.phase_at(|| view.now());
            !phase.is_some_and(|phase| matches!(phase.change, Change::Making | Change::Removing))
        };
        Ok(self.find(view)?.filter(is_usable))
    }

    /// The table's definition, for an operation on the table.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`], which names the table.
    pub(super) fn described(&self, view: &View) -> Result<Definition> {
        let found = self.find(view)?;
        found.ok_or_else(|| {
            let resource = Some(format!("Table: {} not found", self.name()));
            Fault::ResourceNotFound { resource }.into_error()
        })
    }

    /// The table's definition, if there is such a table.
    pub(super) fn find(&self, view: &View) -> Result<Option<Definition>> {
        Ok(self.stored(view)?.filter(|table| !table.record.is_gone(|| view.now())))
    }

    /// What the catalogue has under the name, which may be a table whose time is over.
    pub(super) fn stored(&self, view: &View) -> Result<Option<Definition>> {
        self.in_catalogue.get(view)
    }

    /// Makes the name free, if only a table has it whose time is over.
    ///
    /// # Errors
    /// [`Fault::ResourceInUse`] when there is a table.
    pub(super) fn free_name(&self, writer: &mut Writer) -> Result<()> {
        let Some(table) = self.stored(writer)? else { return Ok(()) };
        if table.record.is_gone(|| writer.now()) {
            return self.remove(writer, &table);
        }
        Err(Fault::ResourceInUse { resource: format!("Table already exists: {}", self.name()) }.into_error())
    }

    /// Creates the table, whose name is free.
    pub(super) fn create(&self, writer: &mut Writer, record: TableRecord, details: &Details) -> Result<Definition> {
        let table = self.in_catalogue.create(writer, record)?;
        details.put(writer, table.storage)?;
        Ok(table)
    }

    /// Gives the table its name, which is free, when its items are stored already.
    #[cfg(feature = "exports")]
    pub(super) fn give_name(&self, writer: &mut Writer, table: &Entry<TableRecord>, details: &Details) -> Result<()> {
        self.in_catalogue.update(writer, table)?;
        details.put(writer, table.storage)
    }

    /// Removes the table with its items and indexes.
    pub(super) fn remove(&self, writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
        self.in_catalogue.remove(writer);
        let stored = layout::table_prefix(table.storage);
        job::cancel(writer, &stored)?;
        job::remove(writer, &stored)
    }

    /// Changes the definition of the table.
    pub(super) fn update(&self, writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
        self.in_catalogue.update(writer, table)
    }
}
