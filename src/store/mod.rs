//! The store: opening, snapshots, transactions, forks, and the handles of every model.

mod builder;
mod commit;
mod describe;
mod fork;
mod handles;
mod jobs;
mod owner;
mod run;
mod sweeper;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::task::Waker;

pub use builder::Builder;
pub use commit::Commit;
pub use owner::{Handles, WriteHandles};
pub use transaction::{Snapshot, Transaction};

use crate::catalog::job;
use crate::channel::Hub;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::engine::{CheckReport, CommitNumber, Durability, EngineStats, durable};
use crate::error::{Error, Result};
use crate::kv::{self, EvictionPolicy, EvictionTuning, KeyEvent, KeyEvents, KeyStats, Keys};
use crate::txn::{AtSnapshot, AutoCommit, Core, Models, States};
use crate::wide_column;
use sweeper::Sweeper;

/// What models do on behalf of any transaction.
static MODELS: Models = Models { make_room: kv::make_room, describe: describe::describe, reclaim: jobs::reclaim };

/// An open store. Clones are the same store. When the last one goes, subscribers are disconnected and nothing is removed in
/// the background any more; the files are closed when the models' handles and the snapshots have gone too.
///
/// Models are reached through handles: [`Store::collection`], [`Store::kv`], [`Store::item_table`], … Each call on such a
/// handle is a transaction of its own; [`Store::transaction`] makes one of many.
///
/// # Examples
/// ```
/// use larder::Store;
/// let store = Store::in_memory();
/// store.kv().set("greeting", "hello")?;
/// assert_eq!(store.kv().get("greeting")?.as_deref(), Some(&b"hello"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    sweeper: Sweeper,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Commits whose tasks have gone hold the store open until they are durable.
        self.core.settler().finish();
        if let Some(hub) = self.core.states().made::<Arc<Hub>>() {
            hub.disconnect();
        }
    }
}

impl Store {
    /// An empty store in memory, on the system's clock.
    ///
    /// # Cost
    /// No thread is started until something is given a time to live, or something large is dropped.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// assert_eq!(store.stats()?.entries, Some(0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn in_memory() -> Self {
        Self::builder().in_memory()
    }

    /// Opens the store in the directory `path`, or creates it there.
    ///
    /// Commits are durable when they return; [`Builder::durability`] chooses otherwise.
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open) when the directory is not a store, is in use, may not be used or has a newer format;
    /// [`Error::Damaged`](crate::Error::Damaged) when a file of it does not hold what was written.
    ///
    /// # Cost
    /// All entries are kept in memory; opening reads about a million of them per second. For data larger than memory,
    /// see the engine `fjall`.
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("shop.larder");
    /// let store = larder::Store::open(&path)?;
    /// store.kv().set("k", "v")?;
    /// drop(store);
    /// assert!(larder::Store::open(&path)?.kv().get("k")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path)
    }

    /// Chooses clock, durability or engine before opening.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// assert_eq!(store.now().as_micros(), 0);
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn from_core(core: Arc<Core>) -> Result<Self> {
        let store = Self::from_quiet_core(core);
        store.start_sweeping()?;
        Ok(store)
    }

    /// Removes in the background what is past its deadline and what was dropped, of what is stored too.
    fn start_sweeping(&self) -> Result<()> {
        self.inner.sweeper.start_for_stored_work(&self.inner.core)
    }

    /// A store that does nothing in the background until something new is given a deadline or dropped: its engine holds
    /// nothing, or it is a fork.
    fn from_quiet_core(core: Arc<Core>) -> Self {
        let sweeper = Sweeper::new(&core);
        core.set_models(&MODELS);
        Self { inner: Arc::new(Inner { core, sweeper }) }
    }

    /// The store as it is now, for any number of reads. Costs O(1) and blocks nobody. The snapshot is of this moment too: what has
    /// a deadline is there for as long as the snapshot is held, if it is there now.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "old")?;
    /// let before = store.snapshot()?;
    /// store.kv().set("k", "new")?;
    /// assert_eq!(before.kv().get("k")?.as_deref(), Some(&b"old"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn snapshot(&self) -> Result<Snapshot> {
        AtSnapshot::take(&self.inner.core).map(Snapshot::new)
    }

    /// Removes what has expired by the store's clock, now, and returns how many deadlines were processed.
    ///
    /// On a clock that runs by itself this happens in the background. Nothing depends on it but space: no read shows
    /// what its model counts as expired.
    ///
    /// # Errors
    /// What a write returns.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store};
    /// use std::time::Duration;
    /// let clock = ManualClock::default();
    /// let store = Store::builder().clock(clock.clone()).in_memory();
    /// store.kv().set_with_ttl("session", "7", Duration::from_secs(1))?;
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(store.sweep_expired()?, 1);
    /// assert_eq!(store.stats()?.entries, Some(0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sweep_expired(&self) -> Result<u64> {
        sweeper::sweep(&self.inner.core, || false)
    }

    /// Does the work that was left for later, now, and returns how many entries were removed by it, or read and made into entries of
    /// indexes.
    ///
    /// Dropping something large, a collection of documents, a table, a set of a million members, takes its name away and leaves
    /// the removal of what is stored as a job; so is the building of an index that nobody waits for. On a clock that runs by itself jobs are worked off in the background, on one that is
    /// turned by hand here. Nothing depends on it but space: what was dropped is gone for every reader. Each job goes on where
    /// it got to, after the store was opened again too.
    ///
    /// # Errors
    /// That of the first job that failed. The others are done all the same; the failed one stays for the next call, unless it was an index
    /// that cannot be built, which is taken away again.
    ///
    /// # Cost
    /// O(n) in what was dropped, in commits of at most [`limits::JOB_STEP_ENTRIES_MAX`](crate::limits::JOB_STEP_ENTRIES_MAX) entries,
    /// between which others write.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let set = store.kv().unsorted_set("set");
    /// set.add_many((0..1_000).map(|n| n.to_string()))?;
    /// store.kv().remove("set")?;
    /// assert_eq!((store.kv().len()?, store.pending_jobs()?), (0, 1));
    /// assert_eq!(store.run_jobs()?, 1_000);
    /// assert_eq!(store.pending_jobs()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn run_jobs(&self) -> Result<u64> {
        jobs::run(&self.inner.core, || false)
    }

    /// How many jobs there are for [`Store::run_jobs`], or the background thread.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// # Cost
    /// O(log n) in engines that count.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().pending_jobs()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pending_jobs(&self) -> Result<u64> {
        job::count(&self.inner.core.view()?)
    }

    /// The store's time.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().now().as_seconds() > 1_700_000_000);
    /// ```
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.core.now()
    }

    /// The clock that the store reads, when it is one that is turned by hand: the way to the clock of a fork.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store};
    /// use std::time::Duration;
    /// let seeded = Store::builder().clock(ManualClock::default()).in_memory();
    /// seeded.kv().set_with_ttl("session", "ann", Duration::from_secs(60))?;
    ///
    /// let case = seeded.fork()?;
    /// case.manual_clock().expect("its own").advance(Duration::from_secs(60));
    /// assert!(case.kv().get("session")?.is_none());
    /// assert!(seeded.kv().get("session")?.is_some(), "no time has passed here");
    /// assert!(Store::in_memory().manual_clock().is_none(), "it is on the system's clock");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn manual_clock(&self) -> Option<ManualClock> {
        self.inner.core.clock().as_manual().cloned()
    }

    /// How far each commit goes before it returns.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, engine::Durability};
    /// assert_eq!(Store::in_memory().durability(), Durability::None);
    /// ```
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.inner.core.durability()
    }

    /// Why nothing can be written any more; `None` while it can, as far as is known. Reads go on, and every write returns
    /// [`Error::ReadOnly`](crate::Error::ReadOnly) until the store is opened again.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().failure(), None);
    /// ```
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.inner.core.engine().failure()
    }

    /// What the storage engine holds.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// assert_eq!(store.stats()?.commit.0, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn stats(&self) -> Result<EngineStats> {
        self.inner.core.engine().stats()
    }

    /// Makes every commit so far survive power loss, whatever durability the store was opened with.
    ///
    /// # Errors
    /// An I/O error when the medium refuses.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.sync()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sync(&self) -> Result<()> {
        self.inner.core.engine().sync()
    }

    /// Makes the files as small, and as fast to open, as they get. The engine does so by itself as they grow.
    ///
    /// # Errors
    /// An I/O error. Nothing is lost by it.
    ///
    /// # Cost
    /// Writes every entry, beside readers and writers.
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = larder::Store::open(dir.path())?;
    /// store.kv().set("k", "v")?;
    /// store.checkpoint()?;
    /// assert_eq!(store.stats()?.last_checkpoint, Some(store.stats()?.commit));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Result<()> {
        self.inner.core.engine().checkpoint()
    }

    /// Copies the store as it is now to the directory `path`, which must not be there or be empty, while readers and writers go
    /// on. Whatever engine this store is on, [`Store::open`] opens the copy.
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open) when something is at `path`; an I/O error when it cannot be written. Then there is
    /// nothing at `path`.
    ///
    /// # Cost
    /// O(n).
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("copy.larder");
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// store.backup(&path)?;
    /// assert!(larder::Store::open(&path)?.kv().get("k")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        durable::backup(&*self.inner.core.engine().snapshot()?, path.as_ref())
    }

    /// Reads everything the store consists of and reports what is damaged. For a store that nobody has open, or that cannot be
    /// opened, there is [`engine::durable::check`](crate::engine::durable::check()).
    ///
    /// # Errors
    /// An I/O error. Damage is in the report.
    ///
    /// # Cost
    /// Reads every file, beside readers and writers.
    ///
    /// # Examples
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// let store = larder::Store::open(dir.path())?;
    /// store.kv().set("k", "v")?;
    /// assert!(store.check()?.damage.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn check(&self) -> Result<CheckReport> {
        self.inner.core.engine().check()
    }

    /// Syncs and closes the store for every clone and handle; their next call returns
    /// [`Error::Closed`](crate::Error::Closed), and so does each call that waits for a key or for a value that is being computed.
    /// Subscribers end. Dropping the last handle closes the store too, but cannot report an error.
    ///
    /// # Errors
    /// An I/O error when the last sync fails.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.clone().close()?;
    /// assert!(store.kv().get("k").is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn close(self) -> Result<()> {
        self.inner.core.close()
    }

    /// Publishes these events of keys from now on, and no others. None are unless chosen.
    ///
    /// Every writer's events are published, after its commit and in the order of commits; a key that is removed at its
    /// deadline by the sweeper counts as well. [`KeyEvents`] lists the channels.
    ///
    /// # Cost
    /// A message for each event, or two, whether anybody subscribes or not.
    ///
    /// # Examples
    /// ```
    /// use larder::Store;
    /// let store = Store::in_memory();
    /// store.publish_key_events("KEA".parse()?);
    /// let events = store.subscribe("__keyspace@0__:k")?;
    /// store.kv_named("0").set("k", "v")?;
    /// assert_eq!(events.try_recv()?.unwrap().payload(), b"set");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, keyspace notifications.
    pub fn publish_key_events(&self, events: KeyEvents) {
        kv::publish_events(&self.inner.core, events, publish_key_event);
        // On a fork, which has not begun to: what is removed at its deadline is an event.
        if let Err(error) = self.start_sweeping() {
            tracing::warn!(%error, "stored deadlines could not be read");
        }
    }

    /// Limits what the store holds to `budget` bytes of keys and values, over all models; `None` lifts the limit.
    ///
    /// Once more is held, every operation that may need room makes some first, whichever model it is of: keys of keyspaces are
    /// evicted by `policy` until the budget is kept. Documents, items and rows are never evicted. When there is no key left
    /// that the policy lets go, the operation is refused with [`Error::OutOfMemory`], which has both numbers. Operations that
    /// only remove, and messages, are always let through.
    ///
    /// An operation may go past the budget by what it writes itself, since its size is known only when it is done; the
    /// next one makes room for it. Within a transaction, what it wrote counts as if nothing had been there before. What the
    /// process needs besides is in `docs/performance.md`. Neither setting is stored, and a fork has none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on an engine that does not count bytes: fjall and sled do not.
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(100), EvictionPolicy::AllKeysLru)?;
    /// for n in 0..100 {
    ///     store.kv().set(format!("key:{n}"), "value")?;
    /// }
    /// assert!(store.stats()?.bytes.unwrap() <= 120 && store.kv().exists("key:99")?);
    /// store.set_memory_budget(Some(10), EvictionPolicy::NoEviction)?;
    /// assert!(matches!(store.kv().set("more", ""), Err(Error::OutOfMemory { .. })));
    /// let orders = store.collection::<larder::Document>("orders");
    /// assert!(matches!(orders.insert_one(&larder::bson::doc! {}), Err(Error::OutOfMemory { budget: 10, .. })));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, key eviction.
    pub fn set_memory_budget(&self, budget: Option<u64>, policy: EvictionPolicy) -> Result<()> {
        if budget.is_some() && self.inner.core.engine().latest()?.bytes().is_none() {
            return Err(Error::unsupported("a budget of bytes"));
        }
        kv::set_budget(&self.inner.core, budget, policy);
        // On a fork, which has not begun to: what is past its deadline takes no room from what is not.
        self.start_sweeping()
    }

    /// The budget that [`Store::set_memory_budget`] set, and the policy.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// assert_eq!(store.memory_budget(), (None, EvictionPolicy::NoEviction));
    /// store.set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLru)?;
    /// assert_eq!(store.memory_budget(), (Some(1 << 20), EvictionPolicy::AllKeysLru));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, key eviction.
    #[must_use]
    pub fn memory_budget(&self) -> (Option<u64>, EvictionPolicy) {
        kv::budget(&self.inner.core)
    }

    /// Sets how many deleted rows and values a read of a wide-column table may pass: over `warn` a page says so
    /// ([`Page::has_many_tombstones`](crate::wide_column::Page::has_many_tombstones)), and over `fail` the read is given up, with an
    /// error of the class of failed reads. 1,000 and 100,000 unless set; [`u64::MAX`] is never. How many they were is in the operation's
    /// record (`entries_dead`, `docs/guide/observing.md`). Neither is stored, and a fork begins with the defaults.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Exception, Order, TableSchema}};
    /// let store = Store::in_memory();
    /// let notes = store.wide_table("shop", "notes");
    /// notes.create(TableSchema::new().partition_key("user", CqlType::Int).clustering("n", CqlType::Int, Order::Ascending))?;
    /// for n in 0..10 {
    ///     notes.insert(&[("user", 7.into()), ("n", n.into())])?;
    ///     notes.delete_row((7, n))?;
    /// }
    /// store.set_tombstone_thresholds(9, 100);
    /// assert!(notes.select((7,)).page(5)?.has_many_tombstones);
    /// store.set_tombstone_thresholds(5, 9);
    /// assert_eq!(Exception::of(&notes.select((7,)).to_vec().unwrap_err()), Exception::ReadFailure);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Cassandra's settings `tombstone_warn_threshold` and `tombstone_failure_threshold`.
    #[doc(alias("tombstone_warn_threshold", "tombstone_failure_threshold"))]
    pub fn set_tombstone_thresholds(&self, warn: u64, fail: u64) {
        wide_column::set_tombstone_thresholds(&self.inner.core, warn, fail);
    }

    /// What [`Store::set_tombstone_thresholds`] set.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().tombstone_thresholds(), (1_000, 100_000));
    /// ```
    #[must_use]
    pub fn tombstone_thresholds(&self) -> (u64, u64) {
        wide_column::tombstone_thresholds(&self.inner.core)
    }

    /// What was counted of keys since the store was opened.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// store.kv().get("k")?;
    /// store.kv().get("other")?;
    /// let stats = store.key_stats();
    /// assert_eq!((stats.hits, stats.misses, stats.evicted), (1, 1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `INFO stats`.
    #[must_use]
    pub fn key_stats(&self) -> KeyStats {
        self.inner.core.state::<Keys>().stats()
    }

    /// Returns how many operations have changed something since the store was opened, those of committed transactions.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set("k", "v")?;
    /// store.kv().remove("other")?;
    /// assert_eq!(store.changes(), 1, "there was nothing to remove");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `INFO persistence`.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.inner.core.operations()
    }

    /// Returns how keys to evict are searched for.
    ///
    /// # Examples
    /// See [`Store::set_eviction_tuning`].
    #[must_use]
    pub fn eviction_tuning(&self) -> EvictionTuning {
        self.inner.core.state::<Keys>().tuning()
    }

    /// Sets how keys to evict are searched for, until the store is closed.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionTuning};
    /// let store = Store::in_memory();
    /// store.set_eviction_tuning(EvictionTuning { samples: 10, ..store.eviction_tuning() });
    /// assert_eq!(store.eviction_tuning().samples, 10);
    /// ```
    ///
    /// # Source
    /// Redis manual, key eviction; `maxmemory-samples`, `lfu-decay-time` and `lfu-log-factor` of the configuration file.
    pub fn set_eviction_tuning(&self, tuning: EvictionTuning) {
        self.inner.core.state::<Keys>().set_tuning(tuning);
    }

    /// Rings `bell` for every key that something happens to.
    #[cfg(feature = "server")]
    pub(crate) fn add_bell(&self, bell: Arc<dyn kv::Bell>) -> u64 {
        self.inner.core.state::<Keys>().add_bell(bell)
    }

    #[cfg(feature = "server")]
    pub(crate) fn remove_bell(&self, id: u64) {
        self.inner.core.state::<Keys>().remove_bell(id);
    }

    fn scope(&self) -> AutoCommit {
        AutoCommit::new(Arc::clone(&self.inner.core))
    }

    fn hub(&self) -> &Arc<Hub> {
        self.inner.core.state()
    }
}

/// Publishes an event of a key as messages.
fn publish_key_event(states: &States, event: &KeyEvent, wanted: u32, commit: CommitNumber, woken: &mut Vec<Waker>) {
    match kv::messages(event, KeyEvents::from_bits_retain(wanted)) {
        Ok(messages) => states.get::<Arc<Hub>>().publish(messages, commit, woken),
        Err(error) => tracing::error!(%error, "an event of a key could not be told"),
    }
}
