//! Watching keys: whether any was changed since, whoever changed it.

use std::sync::Arc;

use crate::engine::{Key, Reads, Snapshot};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::layout::{self, Keyspace};
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, entry, stream};
use crate::txn::{AutoCommit, Core, Scope, View};

/// Keys that are watched for changes, from when [`Kv::watch`] was called. What is to be done if there were none is
/// given to [`Store::transaction_watching`](crate::Store::transaction_watching).
///
/// A key counts as changed when its value, a part of it or its deadline was written or removed, and when it has
/// expired; writing what was there already is a change, too, and so is emptying or swapping a keyspace for the keys
/// that it has or had. What groups do to a stream is not a change of it.
///
/// # Cost
/// While it is held, what was committed meanwhile is kept, as for a [`Snapshot`](crate::Snapshot); checking costs O(log
/// n) for each key.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// store.kv().set("stock", "3")?;
/// let mut watch = store.kv().watch(["stock"])?;
/// watch.add(&store.kv_named("prices"), "apple")?;
/// let stock = store.kv().get("stock")?; // … and much later:
/// store.kv().increment("stock", -1)?;
/// let done = store.transaction_watching(watch, |tx| tx.kv().set("report", "3 left"))?;
/// assert!(done.is_none(), "it was sold meanwhile: nothing was run");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `WATCH`.
#[derive(Debug)]
#[doc(alias = "WATCH")]
pub struct Watch {
    core: Arc<Core>,
    /// While it is held, the engine remembers what changes.
    _snapshot: Arc<dyn Snapshot>,
    reads: Reads,
    /// Where the catalogue says that keyspaces are somewhere else.
    places: Reads,
    keys: Vec<WatchedKey>,
}

#[derive(Debug)]
struct WatchedKey {
    keyspace: Arc<Keyspace>,
    key: Box<[u8]>,
    was_there: bool,
}

impl Kv<AutoCommit> {
    /// Watches `keys` for changes from now on, whether they are there or not.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a key that is too long; [`Error::Closed`] when the store is closed.
    ///
    /// # Cost
    /// Two lookups for each key; see [`Watch`] for what holding it costs.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let watch = store.kv().watch(["stock"])?;
    /// let stock = store.kv().get("stock")?;
    /// let done = store.transaction_watching(watch, |tx| tx.kv().set("stock", "3"))?;
    /// assert!(done.is_some() && stock.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `WATCH`.
    #[doc(alias = "WATCH")]
    pub fn watch<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Watch> {
        let mut watch = Watch::begin(self.scope.core())?;
        keys.into_iter().try_for_each(|key| watch.add(self, key))?;
        Ok(watch)
    }
}

impl Watch {
    /// Watches nothing yet, from now on.
    pub(crate) fn begin(core: &Arc<Core>) -> Result<Self> {
        core.refuse_nesting()?;
        Self::within(core)
    }

    /// As [`Watch::begin`], for the holder of the turn.
    pub(crate) fn within(core: &Arc<Core>) -> Result<Self> {
        let snapshot = core.engine().begin()?;
        let (reads, places) = (Reads::at(snapshot.commit()), Reads::at(snapshot.commit()));
        Ok(Self { core: Arc::clone(core), _snapshot: snapshot, reads, places, keys: Vec::new() })
    }

    /// Watches `key` of `kv`, too, since the watch was begun: a change between then and now counts. Read what is to be as it was
    /// afterwards.
    ///
    /// # Errors
    /// As [`Kv::watch`]; [`Error::Invalid`] when `kv` is of another store.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let mut watch = store.kv().watch(["stock"])?;
    /// watch.add(&store.kv_named("prices"), "apple")?;
    /// assert!(watch.is_unchanged()?);
    /// store.kv_named("prices").set("apple", "2")?;
    /// assert!(!watch.is_unchanged()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn add(&mut self, kv: &Kv<AutoCommit>, key: impl AsRef<[u8]>) -> Result<()> {
        if !Arc::ptr_eq(&self.core, kv.scope.core()) {
            return Err(Error::invalid(InvalidKind::Value, "a key of another store is watched"));
        }
        self.add_in(kv, key.as_ref())
    }

    /// As [`Watch::add`], of a handle of the same store, wherever it runs.
    pub(crate) fn add_in<S: Scope>(&mut self, kv: &Kv<S>, key: &[u8]) -> Result<()> {
        kv.read("watch", key, |view, head| {
            let was_there = is_there(view, head)?;
            let head = layout::stored(head);
            let found = view.get(&head)?.map(|record| Head::decode(&record).map(|(head, _)| head)).transpose()?;
            // What another collection at the key has is behind another head.
            if let Some((kind, elements)) = found.and_then(|head| Some((head.kind, head.elements()?))) {
                let is_stream = kind == Kind::Stream;
                self.reads.add_range(if is_stream { stream::entries_of(&elements) } else { elements.all() });
            }
            self.reads.add_key(&head);
            self.places.add_key(&Key::from(kv.keyspace.entry()));
            self.keys.push(WatchedKey { keyspace: Arc::clone(&kv.keyspace), key: key.into(), was_there });
            Ok(())
        })
    }

    /// Returns how many keys are watched; one that was added twice counts twice.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// assert_eq!(store.kv().watch(["a", "b"])?.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether no keys are watched.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// assert!(store.kv().watch([""; 0])?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns whether nothing that is watched has changed so far. Waits for whoever is writing.
    ///
    /// To act on it, use [`Store::transaction_watching`](crate::Store::transaction_watching): what is not changed now
    /// may be a moment later.
    ///
    /// # Errors
    /// [`Error::NestedTransaction`] inside an exclusive transaction of this thread; [`Error::Closed`] when the store is
    /// closed.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let watch = store.kv().watch(["stock"])?;
    /// assert!(watch.is_unchanged()?);
    /// store.kv().set("stock", "3")?;
    /// assert!(!watch.is_unchanged()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_unchanged(&self) -> Result<bool> {
        let view = self.core.view()?;
        let turn = self.core.take_turn();
        let is_unchanged = self.is_unchanged_in(&view);
        drop(turn);
        is_unchanged
    }

    /// As [`Watch::is_unchanged`], for the holder of the turn, as far as `view` sees.
    pub(crate) fn is_unchanged_in(&self, view: &View) -> Result<bool> {
        if !self.core.is_unchanged(&self.reads)? {
            return Ok(false);
        }
        let is_in_place = self.core.is_unchanged(&self.places)?;
        for WatchedKey { keyspace, key, was_there } in &self.keys {
            let is_there = is_there(view, &keyspace.head(view, key)?)?;
            // Of a keyspace that was emptied, only a key that was not there and still is not is the same.
            if is_there != *was_there || (is_there && !is_in_place) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it was begun on the store that is `core`.
    pub(crate) fn is_of(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }
}

fn is_there(view: &View, head: &[u8]) -> Result<bool> {
    Ok(entry::peek(view, head, |_, _| Ok(()))?.is_some())
}
