//! Choices made before a store is opened.

use std::path::Path;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::engine::durable::{DurableEngine, DurableOptions, Existence};
use crate::engine::{CommitNumber, Durability, Engine, MemoryEngine};
use crate::error::Result;
use crate::store::Store;
use crate::txn::Core;

/// Chooses clock, durability and engine, then opens a [`Store`].
///
/// # Examples
/// ```
/// use larder::{ManualClock, Store, Timestamp};
/// let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
/// let store = Store::builder().clock(clock).in_memory();
/// assert_eq!(store.now().as_seconds(), 1_700_000_000);
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it opens a store"]
pub struct Builder {
    clock: Arc<dyn Clock>,
    durability: Durability,
    existence: Existence,
    seed: Option<u64>,
}

impl Default for Builder {
    fn default() -> Self {
        let (clock, durability, existence) = (Arc::new(SystemClock), Durability::Sync, Existence::Either);
        Self { clock, durability, existence, seed: None }
    }
}

impl Builder {
    /// Reads the time from `clock` instead of the system's.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, Timestamp};
    /// let store = Store::builder().clock(ManualClock::at(Timestamp::from_seconds(5))).in_memory();
    /// assert_eq!(store.now().as_seconds(), 5);
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the identifiers of the store the same in every run: those of documents that are inserted without one. With
    /// the same seed, the same history and the same times on the clock, they are the same; forks have others, in the
    /// order in which they are made.
    ///
    /// Without a seed they are unique across stores and forks. Two stores with the same seed make the same ones: use it
    /// in tests only.
    ///
    /// # Examples
    /// ```
    /// use larder::{Document, ManualClock, Store, bson::doc};
    /// let first_id = |builder: larder::Builder| {
    ///     let people = builder.clock(ManualClock::default()).in_memory().collection::<Document>("people");
    ///     people.insert_one(&doc! { "name": "ann" }).map(|done| done.inserted_id)
    /// };
    /// assert_eq!(first_id(Store::builder().seed(7))?, first_id(Store::builder().seed(7))?);
    /// assert_ne!(first_id(Store::builder())?, first_id(Store::builder())?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets how far a commit goes before it returns; [`Durability::Sync`] unless set. A store in memory ignores it: nothing
    /// of it is durable.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, engine::{Durability, MemoryEngine}};
    /// use std::{sync::Arc, time::Duration};
    /// let builder = Store::builder().durability(Durability::Interval(Duration::from_secs(1)));
    /// builder.engine(Arc::new(MemoryEngine::new()))?.kv().set("k", "v")?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// An empty store in memory.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::builder().in_memory();
    /// assert_eq!(store.stats()?.disk_bytes, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn in_memory(self) -> Store {
        let core = Core::new(Arc::new(MemoryEngine::new()), self.clock, Durability::None);
        core.set_seed(self.seed, CommitNumber::default());
        Store::from_quiet_core(core)
    }

    /// Opens the store in the directory `path`, or creates it there. See [`Store::open`].
    ///
    /// # Errors
    /// As [`Store::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, engine::Durability};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("shop.larder");
    /// let store = Store::builder().durability(Durability::None).open(&path)?;
    /// store.kv().set("k", "v")?;
    /// drop(store);
    /// assert!(Store::builder().open(&path)?.kv().get("k")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open(self, path: impl AsRef<Path>) -> Result<Store> {
        let options = DurableOptions::default().existence(self.existence);
        let engine = DurableEngine::open_with(path.as_ref(), &options)?;
        self.engine(Arc::new(engine))
    }

    /// Makes [`Builder::open`] refuse to create a store.
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, OpenProblem, Store};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let error = Store::builder().must_exist().open(dir.path().join("typo")).unwrap_err();
    /// assert!(matches!(error, Error::Open { problem: OpenProblem::Missing, .. }));
    /// ```
    pub fn must_exist(mut self) -> Self {
        self.existence = Existence::Required;
        self
    }

    /// Makes [`Builder::open`] refuse to open a store that is there already.
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, OpenProblem, Store};
    /// # let dir = tempfile::tempdir().unwrap();
    /// drop(Store::builder().must_be_new().open(dir.path())?);
    /// let error = Store::builder().must_be_new().open(dir.path()).unwrap_err();
    /// assert!(matches!(error, Error::Open { problem: OpenProblem::Exists, .. }));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn must_be_new(mut self) -> Self {
        self.existence = Existence::Refused;
        self
    }

    /// Opens a store on an engine of the caller's.
    ///
    /// # Errors
    /// What the engine returns for the first snapshot.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, engine::MemoryEngine};
    /// use std::sync::Arc;
    /// let store = Store::builder().engine(Arc::new(MemoryEngine::new()))?;
    /// store.kv().set("k", "v")?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn engine(self, engine: Arc<dyn Engine>) -> Result<Store> {
        let commit = engine.latest()?.commit();
        let core = Core::new(engine, self.clock, self.durability);
        core.set_seed(self.seed, commit);
        Store::from_core(core)
    }
}
