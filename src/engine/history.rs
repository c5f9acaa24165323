//! Conflict detection for engines of one process.
//!
//! While some optimistic snapshot is open, the engine remembers for each key the last commit that changed it. A commit
//! with reads conflicts when one of them was changed after its snapshot. Nothing is remembered while no such snapshot
//! is open, so that plain use pays nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::engine::{
    Changes, CommitNumber, Cursor, Direction, Draft, Key, KeyRange, LentEntry, Reads, Snapshot, Value,
};
use crate::error::{Error, Result};
use crate::limits;

/// The keys changed since the oldest open optimistic snapshot. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether `open` has any: asked by every commit, most often in vain.
    is_watched: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Open optimistic snapshots by the commit they show.
    open: BTreeMap<CommitNumber, usize>,
    /// Last change of each key, complete for commits after `floor`.
    changed: BTreeMap<Key, CommitNumber>,
    /// Snapshots at or before this commit can no longer be checked once something was forgotten.
    floor: CommitNumber,
}

impl History {
    /// Starts remembering on behalf of `snapshot`, until what is returned is dropped.
    ///
    /// The caller holds the engine's commit lock, so that no commit falls between snapshot and registration.
    pub(crate) fn watch(&self, snapshot: Arc<dyn Snapshot>) -> Arc<dyn Snapshot> {
        let mut state = self.0.state.lock();
        *state.open.entry(snapshot.commit()).or_insert(0) += 1;
        // Under the state's lock as in `unwatch`; commits see it because they take the engine's lock after this.
        self.0.is_watched.store(true, Ordering::Relaxed);
        drop(state);
        Arc::new(Watched { history: self.clone(), snapshot })
    }

    /// Notes a commit. The caller holds the engine's commit lock.
    pub(crate) fn record(&self, changes: &Changes, number: CommitNumber) {
        if !self.0.is_watched.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.0.state.lock();
        if state.open.is_empty() {
            return;
        }
        if state.changed.len().saturating_add(changes.len()) > limits::CONFLICT_HISTORY_KEYS_MAX {
            // Forgetting is safe: whoever began before now will conflict, and run again.
            state.changed.clear();
            state.floor = number;
            return;
        }
        for (key, _) in changes.each() {
            state.changed.insert(Key::from(key), number);
        }
    }

    /// Checks that nothing in `reads` changed after their snapshot. The caller holds the engine's commit lock.
    ///
    /// # Errors
    /// [`Error::Conflict`] with the first changed key found.
    pub(crate) fn check(&self, reads: &Reads) -> Result<()> {
        let state = self.0.state.lock();
        let at = reads.commit();
        if at < state.floor {
            return Err(Error::conflict([]));
        }
        let changed_key = reads.keys().find(|key| state.changed.get(*key).is_some_and(|number| *number > at));
        let changed_in_range = || {
            let ranges = reads.ranges().iter().filter(|range| !range.is_empty());
            ranges.flat_map(|range| state.changed.range::<[u8], _>(range)).find(|(_, number)| **number > at)
        };
        match changed_key.or_else(|| changed_in_range().map(|(key, _)| key)) {
            Some(key) => Err(Error::conflict(&**key)),
            None => Ok(()),
        }
    }

    fn unwatch(&self, number: CommitNumber) {
        let mut state = self.0.state.lock();
        if let Some(count) = state.open.get_mut(&number) {
            *count -= 1;
            if *count == 0 {
                state.open.remove(&number);
            }
        }
        if state.open.is_empty() {
            state.changed.clear();
            self.0.is_watched.store(false, Ordering::Relaxed);
        }
    }
}

/// A snapshot whose later changes are remembered while it lives.
#[derive(Debug)]
struct Watched {
    history: History,
    snapshot: Arc<dyn Snapshot>,
}

impl Snapshot for Watched {
    fn commit(&self) -> CommitNumber {
        self.snapshot.commit()
    }

    fn bytes(&self) -> Option<u64> {
        self.snapshot.bytes()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        self.snapshot.get(key)
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        self.snapshot.range(range, direction)
    }

    fn count(&self, range: &KeyRange) -> Result<u64> {
        self.snapshot.count(range)
    }

    fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        self.snapshot.nth(range, n)
    }

    fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        self.snapshot.first(range, direction)
    }

    fn seek(&self, key: &[u8]) -> Result<Option<LentEntry<'_>>> {
        self.snapshot.seek(key)
    }

    fn is_empty(&self, range: &KeyRange) -> Result<bool> {
        self.snapshot.is_empty(range)
    }

    fn draft(&self) -> Option<Draft> {
        self.snapshot.draft()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.history.unwatch(self.snapshot.commit());
    }
}
