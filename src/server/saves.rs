//! Checkpoints that clients ask for, at once or whenever so much has changed in so much time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::Store;

/// How often to look whether a checkpoint is due, while any are to be made.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A checkpoint is due when there are that many changes since the last one, which was that long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavePoint {
    pub(crate) changes: u64,
    pub(crate) seconds: u64,
}

/// What has become of them. A thread that makes one writes here.
#[derive(Debug)]
pub(crate) struct Saves {
    last_micros: AtomicI64,
    /// How many changes the store had seen at the last one.
    changes: AtomicU64,
    count: AtomicU64,
    is_running: AtomicBool,
    has_failed: AtomicBool,
}

impl Saves {
    /// None yet; that of the start counts as the last.
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            last_micros: AtomicI64::new(store.now().as_micros()),
            changes: AtomicU64::new(store.changes()),
            count: AtomicU64::new(0),
            is_running: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    /// When the last was made.
    pub(crate) fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.last_micros.load(Ordering::Relaxed))
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    /// Whether the last one could not be made.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Makes one now.
    pub(crate) fn save(&self, store: &Store) -> Result<()> {
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

    /// How many changes came after the last one: operations that changed something, unless the door counts otherwise.
    pub(crate) fn changes_since(&self, store: &Store) -> u64 {
        store.changes().saturating_sub(self.changes.load(Ordering::Relaxed))
    }

    /// Has a thread make one, unless one does already, and returns whether it begins.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(crate) fn begin(self: &Arc<Self>, store: &Store) -> std::io::Result<bool> {
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

    /// Makes the checkpoints that `points` asks for, for ever. While there are no points it waits for `changed`.
    pub(crate) async fn save_when_due(
        self: Arc<Self>,
        store: Store,
        points: impl Fn() -> Vec<SavePoint>,
        changed: &tokio::sync::Notify,
    ) {
        loop {
            if points().is_empty() {
                changed.notified().await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            if self.is_due(&store, &points())
                && let Err(error) = self.begin(&store)
            {
                tracing::error!(%error, "there is no thread for a checkpoint that is due");
            }
        }
    }

    fn is_due(&self, store: &Store, points: &[SavePoint]) -> bool {
        if points.is_empty() || self.is_running() {
            return false;
        }
        let changes = self.changes_since(store);
        let seconds = store.now().saturating_since(self.last()).as_secs();
        changes > 0 && points.iter().any(|point| changes >= point.changes && seconds >= point.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn one_is_due_after_that_many_changes_and_seconds() {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let saves = Arc::new(Saves::new(&store));
        let points = [SavePoint { changes: 2, seconds: 60 }, SavePoint { changes: 100, seconds: 1 }];
        let advance = |seconds| store.manual_clock().unwrap().advance(Duration::from_secs(seconds));
        advance(60);
        assert!(!saves.is_due(&store, &points), "nothing has changed");
        store.kv().set("a", "1").unwrap();
        assert!(!saves.is_due(&store, &points));
        store.kv().set("b", "1").unwrap();
        assert!(saves.is_due(&store, &points) && !saves.is_due(&store, &[]));
        saves.save(&store).unwrap();
        assert_eq!((saves.count(), saves.changes_since(&store), saves.has_failed()), (1, 0, false));
        assert!(!saves.is_due(&store, &points));
        for n in 0..100 {
            store.kv().set("c", n.to_string()).unwrap();
        }
        assert!(!saves.is_due(&store, &points));
        advance(1);
        assert!(saves.is_due(&store, &points));
    }
}
