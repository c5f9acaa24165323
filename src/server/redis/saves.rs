//! Checkpoints that clients ask for, at once or by the parameter `save`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::Store;

/// How often the door looks whether a checkpoint is due, while it is to make any.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What has become of them. A thread that makes one writes here.
#[derive(Debug)]
pub(super) struct Saves {
    last_micros: AtomicI64,
    /// How many changes the store had seen at the last one.
    changes: AtomicU64,
    count: AtomicU64,
    is_running: AtomicBool,
    has_failed: AtomicBool,
}

impl Saves {
    /// None yet; that of the start counts as the last.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            last_micros: AtomicI64::new(store.now().as_micros()),
            changes: AtomicU64::new(store.changes()),
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
        let changes = store.changes();
        let outcome = store.checkpoint();
        self.has_failed.store(outcome.is_err(), Ordering::Relaxed);
        if outcome.is_ok() {
            self.last_micros.store(store.now().as_micros(), Ordering::Relaxed);
            self.changes.store(changes, Ordering::Relaxed);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// How many changes came after the last one, as Redis counts them; those of an embedding program are its operations
    /// that changed something.
    pub(super) fn changes_since(&self, store: &Store) -> u64 {
        store.changes().saturating_sub(self.changes.load(Ordering::Relaxed))
    }

    fn is_due(&self, store: &Store, points: &[SavePoint]) -> bool {
        if points.is_empty() || self.is_running() {
            return false;
        }
        let changes = self.changes_since(store);
        let seconds = store.now().saturating_since(self.last()).as_secs();
        changes > 0 && points.iter().any(|point| changes >= point.changes && seconds >= point.seconds)
    }

    /// Starts a thread that makes one, unless one runs already, and returns whether it did.
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

/// When a checkpoint is due: `seconds` after the last one, if at least `changes` changes came since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SavePoint {
    pub(super) seconds: u64,
    pub(super) changes: u64,
}

/// Makes checkpoints when they are due by one of `points`, which have `changed` whenever they are others than before.
pub(super) async fn save_when_due(
    saves: &Arc<Saves>,
    store: &Store,
    points: impl Fn() -> Vec<SavePoint>,
    changed: &Notify,
) {
    loop {
        if points().is_empty() {
            changed.notified().await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        if saves.is_due(store, &points())
            && let Err(error) = saves.begin(store)
        {
            tracing::error!(%error, "there is no thread for a checkpoint that is due");
        }
    }
}
