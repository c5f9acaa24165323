//! The engine on sled 0.34, for those who ask for it by name.
//!
//! sled is a log-structured B+tree that was last released in 2021. [`durable`](super::durable) is faster in everything,
//! and [`fjall`](https://docs.rs/fjall) is for data larger than memory; this engine opens the way for data that is kept
//! in sled.
//!
//! # Storage
//! A directory that sled lays out, with one of its trees, and one file beside them:
//!
//! | where           | key   | value                                                                                |
//! |-----------------|-------|--------------------------------------------------------------------------------------|
//! | default tree    | empty | `6c6172646572` (`larder`), the format's version as a big-endian u32, the number of the last commit as a big-endian u64 |
//! | default tree    | any other | the store's entries                                                              |
//! | `larder.synced` |       | number of the last commit known to be on the medium, then its complement             |
//!
//! # Invariants
//! 1. Every group of commits is one sled batch, and one thread at a time makes them (`engine/group`).
//! 2. sled has no snapshots, and its iterators can see half of a batch. What a commit changes is noted before sled is
//!    given it (`undo.rs`), and a reader looks at sled first and at the notes second.
//! 3. sled's `flush` waits until the system has written, and does not ask the disk to: for
//!    [`Durability::Sync`] the files are synced here before a commit is acknowledged.
//! 4. Whatever was synced is found again, or opening fails: sled cuts its log at the first record it cannot read and
//!    says nothing, so the commit that is found is compared with `larder.synced`.
//!
//! # What can go wrong
//! - sled can stop for good: a writer that needs room at the end of the file waits, with the lock of the segments held,
//!   until a thread of sled's pool has cut the file, and all of those wait for that lock. Used as its documentation
//!   shows, sled stopped so in 3 of 64 runs of one writer and one reader with batches of 65 keys on a busy machine.
//!   Here the pool is given time: every commit is flushed before the next begins, nothing is flushed beside it, and
//!   writers take turns. So it did not stop in 1,000 runs of the same; but nothing in sled rules it out.
//! - sled reuses parts of its file once the system has written what replaces them, and does not wait for the disk.
//!   After loss of power a disk that keeps writes in a cache of its own may therefore hold neither.
//! - Damage in the middle of the log is noticed only as far as sled notices it, and some of it by a panic, which is
//!   caught and returned as an error; its message reaches stderr.
//!
//! # Cost
//! `snapshot` and `fork` are O(1). `get` is O(log n) in sled and in the versions that open snapshots need; `count` and
//! `nth` walk the range. Each commit reads what it replaces, and waits for the system to write it, with every
//! [`Durability`]; `Sync` also lists the directory of large values. Memory is used for sled's cache and for the
//! versions that open snapshots need.
//!
//! # Source
//! Documentation and behaviour of the crate `sled`, version 0.34.7.

mod disk;
mod failure;
mod shared;
mod snapshot;
mod undo;

use std::path::Path;
use std::sync::Arc;

use crate::engine::group::GroupEngine;
use crate::engine::{Changes, CheckReport, Durability, Engine, EngineStats, Reads, Snapshot, Ticket};
use crate::error::Result;
use disk::Disk;

/// Sizes of a [`SledEngine`].
///
/// # Examples
/// ```
/// use larder::engine::sled::SledOptions;
/// let options = SledOptions::default().cache_bytes(256 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until an engine is opened with them"]
pub struct SledOptions {
    cache_bytes: u64,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}

impl SledOptions {
    /// Memory for pages of the tree, in bytes; 64 MiB unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::sled::SledOptions;
    /// assert_eq!(SledOptions::default().cache_bytes(64 << 20), SledOptions::default());
    /// ```
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }
}

/// Keeps its entries in a sled database.
///
/// Dropping it syncs and closes it. The directory can be opened again once its snapshots, cursors and forks are gone too.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, sled::SledEngine};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("shop.larder");
/// let engine = SledEngine::open(&path)?;
/// let changes = Changes::putting(b"a", b"1");
/// engine.commit(&changes, None, Durability::Sync)?.wait()?;
/// drop(engine);
/// assert!(SledEngine::open(&path)?.snapshot()?.get(b"a")?.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct SledEngine(GroupEngine<Disk>);

impl SledEngine {
    /// Opens the store in the directory `path`, or creates it there.
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open) when the directory is not a store, is in use, has a newer format, or may not be used;
    /// [`Error::Corruption`](crate::Error::Corruption) when what it holds is damaged or ends before the last commit that was on the
    /// medium; [`Error::Io`](crate::Error::Io) for everything else.
    ///
    /// # Cost
    /// Reads sled's index of the log, and what was written after that was made.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Error, engine::{Engine, sled::SledEngine}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = SledEngine::open(dir.path())?;
    /// assert_eq!(engine.stats()?.commit.0, 0);
    /// assert!(matches!(SledEngine::open(dir.path()), Err(Error::Open { .. })), "it is in use");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &SledOptions::default())
    }

    /// As [`SledEngine::open`], with other sizes.
    ///
    /// # Errors
    /// As [`SledEngine::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, sled::{SledEngine, SledOptions}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = SledEngine::open_with(dir.path(), &SledOptions::default().cache_bytes(8 << 20))?;
    /// assert!(engine.is_persistent());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open_with(path: &Path, options: &SledOptions) -> Result<Self> {
        let (disk, opened) = Disk::open(path, options)?;
        Ok(Self(GroupEngine::new(disk, opened)))
    }
}

impl Engine for SledEngine {
    fn name(&self) -> &'static str {
        failure::ENGINE
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        self.0.snapshot()
    }

    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        self.0.latest()
    }

    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.0.begin()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        self.0.commit(changes, reads, durability)
    }

    fn is_persistent(&self) -> bool {
        true
    }

    fn sync(&self) -> Result<()> {
        self.0.sync()
    }

    /// Only syncs: sled has one form of its files, and tidies them up by itself.
    fn checkpoint(&self) -> Result<()> {
        self.0.checkpoint()
    }

    /// Reads every entry. Beyond that sled checks its files only when it opens them. Damage that it notices ends the
    /// reading, and is in the report with the directory's name: sled does not say where it is.
    fn check(&self) -> Result<CheckReport> {
        self.0.check()
    }

    /// Waits for a write in progress. The bytes on disk include what sled has yet to clean up; entries and their bytes are
    /// not known without reading them, and so `None`, and there is no log apart from the rest.
    fn stats(&self) -> Result<EngineStats> {
        self.0.stats()
    }

    fn close(&self) -> Result<()> {
        self.0.close()
    }
}
