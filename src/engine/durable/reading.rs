//! A store that nobody has open, read without changing anything in its directory.

use std::path::Path;
use std::sync::Arc;

use crate::engine::durable::directory::{self, Directory};
use crate::engine::durable::{DurableOptions, format, recover};
use crate::engine::memory::TreeSnapshot;
use crate::engine::{EngineStats, Snapshot};
use crate::error::Result;
use crate::vfs::File;

/// A store that nobody has open, as it would be if it were opened.
///
/// It is read from a directory that may be one that cannot be written to, such as a snapshot of a file system or a medium that
/// was mounted to be read; nothing is made, removed or mended there. While it lives, nobody can open the store to write.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, durable::{ClosedStore, DurableEngine}};
/// # let dir = tempfile::tempdir().unwrap();
/// let engine = DurableEngine::open(dir.path())?;
/// engine.commit(&Changes::putting("a", "1"), None, Durability::Sync)?.wait()?;
/// assert!(ClosedStore::read(dir.path()).is_err(), "it is in use");
/// engine.close()?;
/// assert_eq!(ClosedStore::read(dir.path())?.stats().entries, Some(1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct ClosedStore {
    state: Arc<TreeSnapshot>,
    stats: EngineStats,
    /// Where the system has locks.
    _lock: Option<Box<dyn File>>,
}

impl ClosedStore {
    /// Reads the store in the directory `path`.
    ///
    /// # Errors
    /// As [`DurableEngine::open`](super::DurableEngine::open). On a file system without locks, whether somebody has it open cannot
    /// be known.
    ///
    /// # Cost
    /// As [`DurableEngine::open`](super::DurableEngine::open), in time and memory.
    ///
    /// # Examples
    /// ```
    /// use larder::{Error, engine::durable::ClosedStore};
    /// # let dir = tempfile::tempdir().unwrap();
    /// assert!(matches!(ClosedStore::read(&dir.path().join("typo")), Err(Error::Open { .. })));
    /// ```
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_with(path, &DurableOptions::default())
    }

    /// As [`ClosedStore::read`], with other choices.
    ///
    /// # Errors
    /// As [`ClosedStore::read`].
    ///
    /// # Examples
    /// ```
    /// use larder::engine::durable::{ClosedStore, DurableEngine, DurableOptions};
    /// # let dir = tempfile::tempdir().unwrap();
    /// drop(DurableEngine::open(dir.path())?);
    /// assert!(ClosedStore::read_with(dir.path(), &DurableOptions::default()).is_ok());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn read_with(path: &Path, options: &DurableOptions) -> Result<Self> {
        let directory = Directory { vfs: Arc::clone(&options.vfs), path: directory::absolute(path)? };
        let (id, lock) = directory.open_to_read()?;
        let found = recover::find(&directory, id)?;
        let mut log_bytes = 0;
        for sequence in &found.listing.segments {
            log_bytes += directory.read_start(&directory::segment_name(*sequence), 0)?.1;
        }
        let (last_checkpoint, checkpoint_bytes) = found.checkpoint.unzip();
        let checkpoint_bytes = checkpoint_bytes.unwrap_or(0);
        let stats = EngineStats {
            commit: found.state.commit(),
            entries: Some(found.state.tree().len()),
            bytes: Some(found.state.tree().bytes()),
            disk_bytes: log_bytes + checkpoint_bytes + format::fixed_bytes(found.listing.has_close),
            log_bytes,
            checkpoint_bytes,
            last_checkpoint,
            syncs: 0,
        };
        Ok(Self { state: Arc::new(found.state), stats, _lock: lock })
    }

    /// What it holds, and how large its files are.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::durable::{ClosedStore, DurableEngine};
    /// # let dir = tempfile::tempdir().unwrap();
    /// drop(DurableEngine::open(dir.path())?);
    /// let stats = ClosedStore::read(dir.path())?.stats();
    /// assert!(stats.entries == Some(0) && stats.disk_bytes > 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        self.stats
    }

    /// Its entries.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::durable::{self, ClosedStore, DurableEngine};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let (path, copy) = (dir.path().join("store"), dir.path().join("copy"));
    /// drop(DurableEngine::open(&path)?);
    /// durable::backup(&*ClosedStore::read(&path)?.snapshot(), &copy)?;
    /// assert!(DurableEngine::open(&copy).is_ok());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::clone(&self.state) as Arc<dyn Snapshot>
    }
}
