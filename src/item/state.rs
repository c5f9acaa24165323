//! What is kept in memory for an open store: the tables that were used, and the rules that tests set.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::catalog::{self, Kind};
use crate::encoding::owner::Slot;
use crate::engine::Snapshot;
use crate::error::Result;
use crate::item::definition::{Definition, TableRecord};
use crate::item::place::Place;
use crate::item::target::Target;
use crate::limits;
use crate::txn::{State, View};

/// What item tables keep for an open store.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Targets with their decoded definitions, by namespace and name.
    by_name: Mutex<HashMap<(Place, String), Arc<Target>>>,
    /// Which target had a storage id when that was last looked for. It may have another by now.
    by_storage: Mutex<HashMap<u32, Arc<Target>>>,
    /// What reads that may be eventual are served from.
    lag: Mutex<Option<Arc<dyn Snapshot>>>,
    admission: Mutex<Option<Admission>>,
}

/// Decides which entries of batches are processed: by the name of their table, and their place in the call.
///
/// # Examples
/// See [`Items::admit_batches`](crate::item::Items::admit_batches).
pub type BatchAdmission = Arc<dyn Fn(&str, usize) -> bool + Send + Sync>;

#[derive(Clone)]
struct Admission(BatchAdmission);

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}

impl State for Tables {
    const SLOT: Slot = Slot::Items;

    /// Nothing waits for it; a snapshot that is held is let go.
    fn close(&self) {
        *self.lag.lock() = None;
    }
}

impl Tables {
    /// The target of the table `name` at `place`, the same for everybody who asks.
    pub(super) fn target(&self, place: &Place, name: &str) -> Arc<Target> {
        let mut known = self.by_name.lock();
        let key = (place.clone(), name.to_owned());
        if let Some(target) = known.get(&key) {
            return Arc::clone(target);
        }
        if known.len() >= limits::ITEM_TABLES_KEPT_MAX {
            known.clear();
        }
        Arc::clone(known.entry(key).or_insert_with(|| Target::new(place.clone(), name)))
    }

    /// The table that is stored under `storage`, if there still is one, its time over or not.
    pub(super) fn of_storage(&self, view: &View, storage: u32) -> Result<Option<(Arc<Target>, Definition)>> {
        let known = self.by_storage.lock().get(&storage).cloned();
        if let Some(target) = known
            && let Some(table) = target.stored(view)?.filter(|table| table.storage == storage)
        {
            return Ok(Some((target, table)));
        }
        let found = catalog::find::<TableRecord>(view, Kind::ItemTable, storage)?;
        let Some((namespace, name, _)) = found else { return Ok(None) };
        let target = self.target(&Place::of_namespace(&namespace), &name);
        let Some(table) = target.stored(view)?.filter(|table| table.storage == storage) else { return Ok(None) };
        let mut known = self.by_storage.lock();
        if known.len() >= limits::ITEM_TABLES_KEPT_MAX {
            known.clear();
        }
        known.insert(storage, Arc::clone(&target));
        Ok(Some((target, table)))
    }

    /// Serves reads that may be eventual from `snapshot`; from the newest state when there is none.
    pub(super) fn set_lag(&self, snapshot: Option<Arc<dyn Snapshot>>) {
        *self.lag.lock() = snapshot;
    }

    /// What a read that may be eventual is to be served from, if not from the newest state.
    pub(super) fn lag(&self) -> Option<Arc<dyn Snapshot>> {
        self.lag.lock().clone()
    }

    pub(super) fn set_admission(&self, admit: Option<BatchAdmission>) {
        *self.admission.lock() = admit.map(Admission);
    }

    /// Whether the entry at `place` of a batch, for `table`, is processed.
    pub(super) fn admission(&self) -> Option<BatchAdmission> {
        self.admission.lock().as_ref().map(|Admission(admit)| Arc::clone(admit))
    }
}
