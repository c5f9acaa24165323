//! What tables and indexes go through while they are made, changed and removed, when that is to take time.
//!
//! A table's definition carries its phase and the moment at which that ends. What is said of the table, and what can be
//! done with it, follows from the phase and the clock alone: nothing has to happen at that moment. A deadline clears
//! the phase out of the definition some time later, or removes the table that was being deleted.

use std::time::Duration;

use crate::catalog::Entry;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::expiry;
use crate::item::definition::{Change, Phase, TableRecord};
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{Fault, layout};
use crate::txn::{View, Writer};

/// How long making, changing and removing a table takes by the store's clock; no time at all unless it is said.
///
/// # Examples
/// See [`Items::lifecycle`](crate::item::Items::lifecycle).
///
/// # Source
/// `DynamoDB` API Reference, `TableDescription` (`TableStatus`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// For how long a new table is `CREATING`.
    pub creating: Duration,
    /// For how long a table that is changed is `UPDATING`, and an index of it that is added `CREATING` or one that is
    /// removed `DELETING`.
    pub updating: Duration,
    /// For how long a table that is deleted is `DELETING`.
    pub deleting: Duration,
}

impl Lifecycle {
    /// The same time for all three.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use larder::item::Lifecycle;
    /// let lifecycle = Lifecycle::of(Duration::from_secs(5));
    /// assert_eq!(lifecycle.deleting, Duration::from_secs(5));
    /// assert_eq!(Lifecycle::default(), Lifecycle::of(Duration::ZERO));
    /// ```
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self { creating: time, updating: time, deleting: time }
    }

    fn time_of(&self, change: &Change) -> Duration {
        match change {
            Change::Making => self.creating,
            Change::Table | Change::IndexAdded(_) | Change::IndexRemoved(_) => self.updating,
            Change::Removing => self.deleting,
        }
    }

    /// The phase that `change` begins at `now`, if it takes time.
    pub(super) fn phase(&self, change: Change, now: Timestamp) -> Option<Phase> {
        let time = self.time_of(&change);
        (!time.is_zero()).then(|| Phase { until: now.saturating_add(time).as_micros(), change })
    }
}

/// Notes when the phase of `table` is to be cleared.
pub(super) fn schedule(writer: &mut Writer, table: &Entry<TableRecord>) -> Result<()> {
    match &table.record.phase {
        Some(phase) => {
            expiry::schedule(writer, Timestamp::from_micros(phase.until), &layout::details_key(table.storage))
        }
        None => Ok(()),
    }
}

/// Clears the phase of the table that is stored under `storage`, if it is over; a table that was being deleted goes.
pub(super) fn end(writer: &mut Writer, storage: u32) -> Result<()> {
    let Some((target, table)) = writer.state::<Tables>().of_storage(writer, storage)? else { return Ok(()) };
    let now = writer.now();
    if table.record.phase.is_none() || table.record.phase_at(|| now).is_some() {
        return Ok(());
    }
    if table.record.is_gone(|| now) {
        return target.remove(writer, &table);
    }
    let mut table = table.as_ref().clone();
    table.record.phase = None;
    target.update(writer, &table)
}

/// Refuses to change or remove a table that is made, changed or removed at the moment.
pub(super) fn check_idle(view: &View, target: &Target, table: &Entry<TableRecord>, is_removal: bool) -> Result<()> {
    let doing = match table.record.phase_at(|| view.now()).map(|phase| &phase.change) {
        None => return Ok(()),
        Some(Change::Making) => "created",
        Some(Change::IndexAdded(_) | Change::IndexRemoved(_)) if is_removal => {
            return Err(in_use("Cannot delete table while indexes are being created, updated, or deleted."));
        }
        Some(Change::Table | Change::IndexAdded(_) | Change::IndexRemoved(_)) => "updated",
        Some(Change::Removing) => "deleted",
    };
    Err(in_use(&format!("Table is being {doing}: {}", target.name())))
}

/// Refuses to change what belongs to a table that is being made or removed. Its being changed does not matter.
pub(super) fn check_there(view: &View, target: &Target, table: &Entry<TableRecord>) -> Result<()> {
    match table.record.phase_at(|| view.now()).map(|phase| &phase.change) {
        Some(Change::Making | Change::Removing) => check_idle(view, target, table, false),
        _ => Ok(()),
    }
}

fn in_use(what: &str) -> Error {
    Fault::ResourceInUse { resource: format!("Attempt to change a resource which is still in use: {what}") }
        .into_error()
}
