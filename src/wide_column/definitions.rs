//! Definitions of tables by what their rows are stored under, which is what background work knows of a table, and by name.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

use crate::catalog::{self, Entry, Kind};
use crate::encoding::owner::Slot;
use crate::error::Result;
use crate::txn::{Core, State, View};
use crate::wide_column::schema::{self, Definition, TableRecord};
use crate::wide_column::tombstones::Thresholds;

/// What an open store keeps of them, and what it was told about reading.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    found: Mutex<Found>,
    thresholds: Thresholds,
}

#[derive(Debug, Default)]
struct Found {
    /// The state of the catalogue in which they were found.
    epoch: Option<u64>,
    by_storage: FxHashMap<u32, Option<Definition>>,
    /// By keyspace and name; of those that are there.
    by_name: FxHashMap<String, FxHashMap<String, Definition>>,
}

impl Found {
    /// Forgets what was found in another state of the catalogue.
    fn turn_to(&mut self, epoch: u64) {
        if self.epoch != Some(epoch) {
            *self = Self { epoch: Some(epoch), ..Self::default() };
        }
    }
}

impl State for Definitions {
    const SLOT: Slot = Slot::WideTables;
}

/// Sets how many deleted rows and cells a read passes before it says so, and how many before it fails.
pub(crate) fn set_tombstone_thresholds(core: &Core, warn: u64, fail: u64) {
    core.state::<Definitions>().thresholds.set(warn, fail);
}

/// What [`set_tombstone_thresholds`] set.
pub(crate) fn tombstone_thresholds(core: &Core) -> (u64, u64) {
    core.state::<Definitions>().thresholds.get()
}

/// The same, for a read.
pub(super) fn thresholds_of(view: &View) -> (u64, u64) {
    view.state::<Definitions>().thresholds.get()
}

/// The table whose rows are stored under `storage`; `None` when it was dropped, or is stored elsewhere by now.
///
/// # Cost
/// O(tables) once after each change of the catalogue, then O(1).
pub(super) fn of_storage(view: &View, storage: u32) -> Result<Option<Definition>> {
    let Some(epoch) = view.epoch() else { return find(view, storage) };
    let kept = &view.state::<Definitions>().found;
    {
        let mut kept = kept.lock();
        kept.turn_to(epoch);
        if let Some(found) = kept.by_storage.get(&storage) {
            return Ok(found.clone());
        }
    }
    let found = find(view, storage)?;
    let mut kept = kept.lock();
    if kept.epoch == Some(epoch) {
        kept.by_storage.insert(storage, found.clone());
    }
    Ok(found)
}

/// The table `name` of a keyspace, for those who do not keep a [`catalog::Target`] of it.
///
/// # Cost
/// A lookup and decoding it once after each change of the catalogue, then O(1).
pub(super) fn of_name(view: &View, keyspace: &str, name: &str) -> Result<Option<Definition>> {
    let Some(epoch) = view.epoch() else { return schema::table(view, keyspace, name) };
    let kept = &view.state::<Definitions>().found;
    {
        let mut kept = kept.lock();
        kept.turn_to(epoch);
        if let Some(found) = kept.by_name.get(keyspace).and_then(|tables| tables.get(name)) {
            view.note(&catalog::key(Kind::WideTable, keyspace, name));
            return Ok(Some(Arc::clone(found)));
        }
    }
    let Some(found) = schema::table(view, keyspace, name)? else { return Ok(None) };
    let mut kept = kept.lock();
    if kept.epoch == Some(epoch) {
        kept.by_name.entry(keyspace.to_owned()).or_default().insert(name.to_owned(), Arc::clone(&found));
    }
    Ok(Some(found))
}

fn find(view: &View, storage: u32) -> Result<Option<Definition>> {
    Ok(catalog::find_entry::<TableRecord>(view, Kind::WideTable, storage)?.map(|(_, _, entry)| Arc::new(entry)))
}

/// Changes the definition of the table whose rows are stored under `storage`, and returns it as it is then.
pub(super) fn change(
    writer: &mut crate::txn::Writer,
    storage: u32,
    change: impl FnOnce(&mut TableRecord),
) -> Result<Option<Definition>> {
    let Some((keyspace, name, mut entry)) = catalog::find_entry::<TableRecord>(writer, Kind::WideTable, storage)?
    else {
        return Ok(None);
    };
    change(&mut entry.record);
    catalog::Target::new(Kind::WideTable, &keyspace, &name).update(writer, &entry)?;
    let Entry { id, storage, record } = entry;
    Ok(Some(Arc::new(Entry { id, storage, record })))
}
