//! The engine on disk: fjall's log-structured tree, for data larger than memory.
//!
//! # Storage
//! A directory that fjall lays out, with two of its keyspaces and one file beside them:
//!
//! | where           | key      | value                                                                  |
//! |-----------------|----------|------------------------------------------------------------------------|
//! | `entries`       | any      | the store's own entries, and nothing else                              |
//! | `meta`          | `format` | `6c6172646572` (`larder`), then the format's version as a big-endian u32 |
//! | `meta`          | `commit` | number of the last commit, as a big-endian u64                         |
//! | `larder.synced` |          | number of the last commit known to be on the medium, then its complement |
//!
//! The counter is written in the batch of the commit it counts, and lives outside `entries` so that no scan has to step
//! over its old versions.
//!
//! # Invariants
//! 1. Everything is read through fjall's snapshots: its plain iterators can see half of a batch.
//! 2. One thread at a time writes to fjall: the leader of a group of commits (`engine/group`). The snapshot it takes after its
//!    write therefore ends with exactly that group.
//! 3. Whatever was synced is found again, or opening fails: fjall cuts its journal at the first record it cannot read and
//!    says nothing, so the counter is compared with `larder.synced`.
//!
//! # Isolation and cost
//! `snapshot` and `fork` are O(1). `get` is a lookup in each level that may hold the key; `count` and `nth` walk the range.
//! Commits that wait for the medium at the same time share one sync.
//!
//! # Source
//! Documentation of the crate `fjall`, version 3.1: atomic batches, snapshots, `PersistMode`.

mod disk;
mod failure;
mod snapshot;

use std::path::Path;
use std::sync::Arc;

use crate::engine::group::GroupEngine;
use crate::engine::{Changes, CheckReport, Durability, Engine, EngineStats, Reads, Snapshot, Ticket};
use crate::error::{Error, InvalidKind, Result};
use disk::Disk;

/// The smallest journal that fjall takes, in bytes.
const JOURNAL_BYTES_MIN: u64 = 64 << 20;

/// Sizes of a [`FjallEngine`].
///
/// # Examples
/// ```
/// use larder::engine::fjall::FjallOptions;
/// let options = FjallOptions::default().cache_bytes(256 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until an engine is opened with them"]
pub struct FjallOptions {
    cache_bytes: u64,
    journal_bytes: u64,
}

impl Default for FjallOptions {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, journal_bytes: 512 << 20 }
    }
}

impl FjallOptions {
    /// Memory for blocks read from disk, in bytes; 32 MiB unless set.
    ///
    /// # Examples
    /// ```
    /// # use larder::engine::fjall::FjallOptions;
    /// assert_eq!(FjallOptions::default().cache_bytes(32 << 20), FjallOptions::default());
    /// ```
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// What the journal may take on disk before its entries are moved to the tree, in bytes; 512 MiB unless set, at least
    /// 64 MiB.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Error, engine::fjall::{FjallEngine, FjallOptions}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let too_small = FjallOptions::default().journal_bytes(1 << 20);
    /// assert!(matches!(FjallEngine::open_with(dir.path(), &too_small), Err(Error::Invalid { .. })));
    /// ```
    pub fn journal_bytes(mut self, bytes: u64) -> Self {
        self.journal_bytes = bytes;
        self
    }
}

/// Keeps its entries in a directory, and only what is in use in memory.
///
/// Dropping it syncs and closes it. The directory can be opened again once its snapshots, cursors and forks are gone too.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, fjall::FjallEngine};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("shop.larder");
/// let engine = FjallEngine::open(&path)?;
/// let changes = Changes::putting(b"a", b"1");
/// engine.commit(&changes, None, Durability::Sync)?.wait()?;
/// drop(engine);
/// assert!(FjallEngine::open(&path)?.snapshot()?.get(b"a")?.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct FjallEngine(GroupEngine<Disk>);

impl FjallEngine {
    /// Opens the store in the directory `path`, or creates it there.
    ///
    /// # Errors
    /// [`Error::Open`] when the directory is not a store, is in use, or may not be used; [`Error::Corruption`] when what it
    /// holds is damaged or ends before the last commit that was on the medium; [`Error::Io`] for everything else.
    ///
    /// # Cost
    /// Reads the journal, whose size [`FjallOptions::journal_bytes`] bounds, and which is empty after the store was closed.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Error, engine::{Engine, fjall::FjallEngine}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let engine = FjallEngine::open(dir.path())?;
    /// assert_eq!(engine.stats()?.commit.0, 0);
    /// assert!(matches!(FjallEngine::open(dir.path()), Err(Error::Open { .. })), "it is in use");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &FjallOptions::default())
    }

    /// As [`FjallEngine::open`], with other sizes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a journal below 64 MiB, otherwise as [`FjallEngine::open`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, fjall::{FjallEngine, FjallOptions}};
    /// # let dir = tempfile::tempdir().unwrap();
    /// let options = FjallOptions::default().cache_bytes(8 << 20).journal_bytes(64 << 20);
    /// let engine = FjallEngine::open_with(dir.path(), &options)?;
    /// assert!(engine.is_persistent());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn open_with(path: &Path, options: &FjallOptions) -> Result<Self> {
        if options.journal_bytes < JOURNAL_BYTES_MIN {
            let message = format!("a journal takes at least {JOURNAL_BYTES_MIN} bytes, not {}", options.journal_bytes);
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        let (disk, opened) = Disk::open(path, options)?;
        Ok(Self(GroupEngine::new(disk, opened)))
    }
}

impl Engine for FjallEngine {
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

    /// Moves everything from the journal to the tree, so that opening has nothing to put into memory again, and removes the journals
    /// that are full. The one in use is still read when the store is opened after a crash, of which it holds at most 64 MB
    /// and the last commits; after [`Engine::close`] nothing is.
    ///
    /// # Cost
    /// Writes what was committed since the last time, up to what fjall holds in memory. Writers wait for it.
    fn checkpoint(&self) -> Result<()> {
        self.0.checkpoint()
    }

    /// Reads every entry. Blocks are checked as they are read from disk, and those in the cache are not read again.
    /// Damage ends the reading, and is in the report with the directory's name: fjall does not say where it is.
    fn check(&self) -> Result<CheckReport> {
        self.0.check()
    }

    /// Waits for a write in progress. The bytes on disk include what the journal has set aside; entries and their bytes are not known
    /// without reading them, and so `None`, and there are no checkpoints as the durable engine has them.
    fn stats(&self) -> Result<EngineStats> {
        self.0.stats()
    }

    /// Moves everything from the journal to the tree and empties the journal, so that opening reads nothing of it.
    fn close(&self) -> Result<()> {
        self.0.close()
    }
}
