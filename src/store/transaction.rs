//! Transactions and snapshots as a user holds them.

use std::sync::Arc;

use crate::engine::CommitNumber;
use crate::error::Result;
use crate::store::Store;
use crate::txn::{AtSnapshot, InTransaction, Running, Writer};

/// A transaction over every model: it reads one snapshot and its own writes, and commits whole or not at all.
///
/// Its handles ([`Transaction::kv`], [`Transaction::collection`], …) are the store's own types with the same methods; any
/// number of them may be used side by side. Given by [`Store::transaction`] and [`Store::begin`].
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let tx = store.begin()?;
/// tx.kv().set("k", "v")?;
/// assert!(store.kv().get("k")?.is_none(), "not committed yet");
/// tx.commit()?;
/// assert!(store.kv().get("k")?.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    store: Store,
    running: Running,
}

impl Transaction {
    pub(super) fn new(store: Store, running: Running) -> Self {
        Self { store, running }
    }

    pub(super) fn into_writer(self) -> Writer {
        self.running.into_writer()
    }

    pub(super) fn scope(&self) -> InTransaction<'_> {
        InTransaction::new(&self.running)
    }

    /// Whether nothing that is watched was changed.
    #[cfg(feature = "redis")]
    pub(crate) fn is_unchanged(&self, watch: &crate::store::Watch) -> Result<bool> {
        self.store.inner.core.is_unchanged(&watch.reads)
    }

    /// Whether every keyspace with a watched key is where it was. The keys of one that was emptied, or has changed places, are
    /// others, whatever their entries are.
    #[cfg(feature = "redis")]
    pub(crate) fn is_in_place(&self, watch: &crate::store::Watch) -> Result<bool> {
        self.store.inner.core.is_unchanged(&watch.places)
    }

    /// The keys that something happened to since this was last asked. Empty while nobody waits for keys.
    #[cfg(feature = "redis")]
    pub(crate) fn take_touched(&self) -> Vec<Box<[u8]>> {
        self.running.take_touched()
    }

    /// Whether the operations that follow count as uses of their keys.
    #[cfg(feature = "redis")]
    pub(crate) fn set_counts_uses(&self, counts_uses: bool) {
        self.running.set_counts_uses(counts_uses);
    }

    /// As [`Transaction::kv_named`], with a name that was prepared before.
    #[cfg(feature = "redis")]
    pub(crate) fn kv_in(&self, keyspace: &Arc<crate::kv::Keyspace>) -> crate::kv::Kv<InTransaction<'_>> {
        crate::kv::Kv::in_keyspace(self.scope(), keyspace)
    }

    /// Publishes `payload` to the subscribers of the sharded channel `channel`.
    #[cfg(feature = "redis")]
    pub(crate) fn publish_sharded(&self, channel: &[u8], payload: &[u8]) -> Result<usize> {
        crate::channel::Channels::new(self.scope(), self.hub()).publish_in(channel, payload, true)
    }

    pub(super) fn hub(&self) -> &Arc<crate::channel::Hub> {
        self.store.hub()
    }

    /// Commits what the transaction wrote, and releases its messages.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when something it read was changed since it began: run it again.
    /// [`Error::NestedTransaction`](crate::Error::NestedTransaction) inside an exclusive transaction of this thread.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (one, two) = (store.begin()?, store.begin()?);
    /// one.kv().incr("visits")?;
    /// two.kv().incr("visits")?;
    /// one.commit()?;
    /// assert!(two.commit().unwrap_err().is_retryable());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn commit(self) -> Result<()> {
        self.store.inner.core.commit_optimistic(self.running.into_writer())
    }

    /// Forgets what the transaction wrote. Dropping it does the same.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let tx = store.begin()?;
    /// tx.kv().set("k", "v")?;
    /// tx.rollback();
    /// assert!(store.kv().get("k")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn rollback(self) {}
}

/// The store at one moment, for reading. It never changes, and keeps nobody from writing. Clones are the same moment.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let before = store.snapshot()?;
/// store.kv().set("k", "v")?;
/// assert!(before.kv().get("k")?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot {
    scope: AtSnapshot,
}

impl Snapshot {
    pub(super) fn new(scope: AtSnapshot) -> Self {
        Self { scope }
    }

    pub(super) fn scope(&self) -> AtSnapshot {
        self.scope.clone()
    }

    /// The last commit the snapshot holds.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let before = store.snapshot()?;
    /// store.kv().set("k", "v")?;
    /// assert_eq!(store.snapshot()?.commit(), before.commit().next());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn commit(&self) -> CommitNumber {
        self.scope.snapshot().commit()
    }
}
