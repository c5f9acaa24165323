//! Checkpoints that clients ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::Store;

/// What has become of them. A thread that makes one writes here.
#[derive(Debug)]
pub(super) struct Saves {
    last_micros: AtomicI64,
    count: AtomicU64,
    is_running: AtomicBool,
    has_failed: AtomicBool,
}

impl Saves {
    /// None yet; that of the start counts as the last.
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            last_micros: AtomicI64::new(started.as_micros()),
            count: AtomicU64::new(0),
            is_running: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    /// When the last was made.
    pub(super) fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.last_micros.load(Ordering::Relaxed))
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    /// Whether the last one could not be made.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Makes one now.
    pub(super) fn save(&self, store: &Store) -> Result<()> {
        let outcome = store.checkpoint();
        self.has_failed.store(outcome.is_err(), Ordering::Relaxed);
        if outcome.is_ok() {
            self.last_micros.store(store.now().as_micros(), Ordering::Relaxed);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Has a thread make one, unless one does already, and answers whether it begins.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(super) fn begin(self: &Arc<Self>, store: &Store) -> std::io::Result<bool> {
        if self.is_running.swap(true, Ordering::Relaxed) {
            return Ok(false);
        }
        let (saves, store) = (Arc::clone(self), store.clone());
        let started = std::thread::Builder::new().name("larder-save".to_owned()).spawn(move || {
            if let Err(error) = saves.save(&store) {
                tracing::error!(%error, "a checkpoint that a client asked for failed");
            }
            saves.is_running.store(false, Ordering::Relaxed);
        });
        if let Err(error) = started {
            self.is_running.store(false, Ordering::Relaxed);
            return Err(error);
        }
        Ok(true)
    }
}
