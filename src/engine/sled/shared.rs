//! sled's one state, which the engine, its snapshots and their cursors share.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::sled::failure;
use crate::engine::sled::undo::{Old, Undo};
use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, Result};

/// sled's log.
pub(super) const LOG_FILE: &str = "db";

/// How often, and how far apart, it is tried to find the file unlocked after the last handle to it was dropped.
const UNLOCK_TRIES: u32 = 200;
const UNLOCK_PAUSE: Duration = Duration::from_millis(5);

/// What the engine, its snapshots and cursors share.
pub(super) struct Shared {
    /// `None` only while it is dropped.
    database: Option<sled::Db>,
    pub(super) undo: Undo,
    path: PathBuf,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(database: sled::Db, path: PathBuf) -> Self {
        Self { database: Some(database), undo: Undo::default(), path }
    }

    pub(super) fn database(&self) -> Result<&sled::Db> {
        self.database.as_ref().ok_or(Error::Closed)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What `key` holds now.
    pub(super) fn get(&self, key: &[u8]) -> Result<Old> {
        self.call("read", |tree| tree.get(key))
    }

    /// The first entries of `range` now, at most `limit`. Some of a commit that is being made may be among them.
    pub(super) fn range(&self, range: &KeyRange, direction: Direction, limit: usize) -> Result<Vec<(Key, sled::IVec)>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.call("read", |tree| {
            let entries = tree.range((range.start().clone(), range.end().clone()));
            let entry =
                |entry: sled::Result<(sled::IVec, sled::IVec)>| entry.map(|(key, value)| (Key::from(&*key), value));
            match direction {
                Direction::Forward => entries.take(limit).map(entry).collect(),
                Direction::Backward => entries.rev().take(limit).map(entry).collect(),
            }
        })
    }

    /// Calls sled, whose panics are errors here; `action` names the call in them.
    pub(super) fn call<T>(&self, action: &'static str, call: impl FnOnce(&sled::Tree) -> sled::Result<T>) -> Result<T> {
        let database = self.database()?;
        failure::call(action, &self.path, || call(database))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.database.take());
        // sled's pool may hold the file, and so its lock, a moment longer. Whoever opens the store next should not find it so.
        let Ok(file) = File::open(self.path.join(LOG_FILE)) else { return };
        for _ in 0..UNLOCK_TRIES {
            if file.try_lock().is_ok() {
                return;
            }
            std::thread::sleep(UNLOCK_PAUSE);
        }
    }
}
