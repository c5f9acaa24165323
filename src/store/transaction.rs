//! Transactions and snapshots as a user holds them.

use std::sync::Arc;

use crate::engine::{CommitNumber, Ticket};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::{self, Watch};
use crate::store::{Commit, Store};
#[cfg(feature = "server")]
use crate::txn::Writer;
use crate::txn::{AtSnapshot, InTransaction, Pending, Running};

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
    /// How many of its notes have been asked for.
    #[cfg(feature = "server")]
    told: std::cell::Cell<usize>,
}

impl Transaction {
    pub(super) fn new(store: Store, running: Running) -> Self {
        Self {
            store,
            running,
            #[cfg(feature = "server")]
            told: std::cell::Cell::default(),
        }
    }

    /// Commits what it wrote. The caller has the turn.
    #[inline]
    pub(super) fn commit_in_turn(mut self) -> Result<Ticket> {
        let core = &self.store.inner.core;
        // A writer is long to copy, and one that wrote nothing need not be.
        match core.commit_unchanged(self.running.writer()) {
            Some(ticket) => ticket,
            None => core.commit(self.running.into_writer()),
        }
    }

    pub(super) fn scope(&self) -> InTransaction<'_> {
        InTransaction::new(&self.running)
    }

    /// Whether nothing that is watched was changed, nor has expired. The caller has the turn.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it was watched on another store.
    pub(crate) fn is_unchanged(&self, watch: &Watch) -> Result<bool> {
        if !watch.is_of(&self.store.inner.core) {
            return Err(Error::invalid(InvalidKind::Value, "keys of another store are watched"));
        }
        self.running.look(|writer| watch.is_unchanged_in(writer)).unwrap_or(Ok(false))
    }

    /// Begins to watch keys, for the holder of the turn.
    #[cfg(feature = "server")]
    pub(crate) fn watch(&self) -> Result<Watch> {
        Watch::within(&self.store.inner.core)
    }

    /// The keys that something happened to since this was last asked. Empty while nobody waits for keys.
    #[cfg(feature = "server")]
    pub(crate) fn take_touched(&self) -> Vec<Box<[u8]>> {
        let notes = self.running.look(Writer::notes).unwrap_or_default();
        let from = self.told.replace(notes);
        if from == notes {
            return Vec::new();
        }
        self.running.look(|writer| kv::touched_since(writer, from)).unwrap_or_default()
    }

    /// Runs `body` so that what it reads and writes is no use of its keys, by which eviction would go: for code that
    /// looks through keys without needing them.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLru)?;
    /// store.kv().set("k", "v")?;
    /// store.kv().set_idle_seconds("k", 90)?;
    /// store.transaction(|tx| tx.without_uses(|tx| tx.kv().get("k")))?;
    /// assert!(store.kv().idle_seconds("k")? >= Some(90));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `CLIENT NO-TOUCH`.
    #[doc(alias = "CLIENT NO-TOUCH")]
    pub fn without_uses<R>(&self, body: impl FnOnce(&Self) -> R) -> R {
        let before = self.set_counts_uses(false);
        let outcome = body(self);
        self.set_counts_uses(before);
        outcome
    }

    /// Sets whether the operations that follow count as uses of their keys, and returns what it was.
    pub(crate) fn set_counts_uses(&self, counts_uses: bool) -> bool {
        !self.running.set_mode(kv::NO_USE, !counts_uses).unwrap_or_default()
    }

    /// How many changes the transaction has made so far, as its commit will count them.
    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> u64 {
        self.running.operations()
    }

    /// Sets how many changes its commit will count: one operation may be several to the caller.
    #[cfg(feature = "server")]
    pub(crate) fn set_changes(&self, changes: u64) {
        self.running.set_operations(changes);
    }

    /// Runs `body` so that its operations may take more memory than the budget ([`Store::set_memory_budget`]): nothing is evicted for
    /// them, and they are not refused.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(0), EvictionPolicy::NoEviction)?;
    /// store.transaction(|tx| tx.beyond_budget(|tx| tx.kv().set("alarm", "on")))?;
    /// assert!(store.kv().exists("alarm")? && store.kv().set("other", "").is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, Redis programmability: scripts with `allow-oom`.
    pub fn beyond_budget<R>(&self, body: impl FnOnce(&Self) -> R) -> R {
        let before = self.set_exceeds_memory(true);
        let outcome = body(self);
        self.set_exceeds_memory(before);
        outcome
    }

    /// Sets whether the operations that follow may take more memory than the budget, and returns what it was.
    pub(crate) fn set_exceeds_memory(&self, exceeds_memory: bool) -> bool {
        self.running.set_mode(kv::EXCEEDS_MEMORY, exceeds_memory).unwrap_or_default()
    }

    /// Returns whether the budget of memory is used up, and nothing may be evicted: what needs room would be refused.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// assert!(!store.transaction(|tx| Ok::<_, larder::Error>(tx.is_out_of_memory()))?);
    /// store.set_memory_budget(Some(0), EvictionPolicy::NoEviction)?;
    /// assert!(store.transaction(|tx| Ok::<_, larder::Error>(tx.is_out_of_memory()))?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_out_of_memory(&self) -> bool {
        self.running.look(kv::is_out_of_memory).unwrap_or_default()
    }

    /// As [`Transaction::kv_named`], with a name that was prepared before.
    #[cfg(feature = "server")]
    pub(crate) fn kv_in(&self, keyspace: &Arc<kv::Keyspace>) -> kv::Kv<InTransaction<'_>> {
        kv::Kv::in_keyspace(self.scope(), keyspace)
    }

    /// Commits what the transaction wrote, and releases its messages. Waits for other writers, and for the sync.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when something it read was changed since it began, or under
    /// [`Isolation::Snapshot`](crate::Isolation::Snapshot) something it wrote: run it again.
    /// [`Error::NestedTransaction`](crate::Error::NestedTransaction) inside an exclusive transaction of this thread.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (one, two) = (store.begin()?, store.begin()?);
    /// one.kv().increment("visits", 1)?;
    /// two.kv().increment("visits", 1)?;
    /// one.commit()?;
    /// assert!(two.commit().unwrap_err().is_retryable());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("EXEC", "commitTransaction"))]
    pub fn commit(self) -> Result<()> {
        self.order()?.settle()
    }

    /// As [`Transaction::commit`], without waiting for the sync: the [`Commit`] returned is to be waited for or awaited. Waits
    /// for other writers.
    ///
    /// # Errors
    /// As [`Transaction::commit`], but for those of the sync.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let tx = store.begin()?;
    /// tx.kv().increment("visits", 1)?;
    /// tx.commit_pending()?.wait()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn commit_pending(self) -> Result<Commit> {
        self.order().map(Commit::new)
    }

    /// As [`Transaction::commit`], for a task: neither the wait for other writers nor that for the sync keeps the thread. Works
    /// with every executor.
    ///
    /// A future that is dropped before it has come to its turn leaves the transaction rolled back; later, the commit becomes durable
    /// all the same.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    ///
    /// # Examples
    /// ```
    /// # let store = larder::Store::in_memory();
    /// # futures_lite::future::block_on(async {
    /// let tx = store.begin()?;
    /// tx.kv().increment("visits", 1)?;
    /// tx.commit_async().await?;
    /// # Ok::<(), larder::Error>(())
    /// # })?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub async fn commit_async(self) -> Result<()> {
        let core = Arc::clone(&self.store.inner.core);
        let turn = core.turn().await?;
        let ticket = self.commit_in_turn()?;
        drop(turn);
        Commit::new(core.pending(ticket)).await
    }

    #[inline]
    fn order(self) -> Result<Pending> {
        let core = Arc::clone(&self.store.inner.core);
        let turn = core.turn_to_commit()?;
        let ticket = self.commit_in_turn()?;
        drop(turn);
        Ok(core.pending(ticket))
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
    #[doc(alias("DISCARD", "abortTransaction", "abort"))]
    pub fn rollback(self) {}
}

/// The store at one moment, for reading. It never changes, however far the clock goes on, and keeps nobody from writing.
/// Clones are the same moment.
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
    #[doc(alias("EXEC", "commitTransaction"))]
    pub fn commit(&self) -> CommitNumber {
        self.scope.snapshot().commit()
    }
}
