//! Commits of one process over a state in memory: what the memory engine and a fork have in common.
//!
//! # Invariants
//! 1. The state in the lock is that after the last commit; a snapshot is a clone of it.
//! 2. `commits` is held from the check of the reads to the change of the state, so commits are ordered and checked against
//!    every earlier one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::engine::history::History;
use crate::engine::{Changes, CommitNumber, Reads, Snapshot, Ticket, check_changes};
use crate::error::{Error, Result};

/// Up to this many changes are made in place under the readers' lock; more are made on a copy that is swapped in, so
/// that readers never wait for a large commit.
const CHANGES_IN_PLACE_MAX: usize = 64;

/// A state that is cloned in O(1), and that a clone of does not change with.
pub(super) trait State: Snapshot + Clone + 'static {
    /// Makes `changes`, as the commit `number`.
    fn apply(&mut self, changes: &Changes, number: CommitNumber);
}

/// The commits, snapshots and conflicts of an engine whose whole state is an `S`.
#[derive(Debug, Default)]
pub(super) struct Local<S> {
    state: RwLock<S>,
    commits: Mutex<()>,
    history: History,
    closed: AtomicBool,
}

impl<S: State> Local<S> {
    pub(super) fn new(state: S) -> Self {
        let (commits, history, closed) = (Mutex::default(), History::default(), AtomicBool::default());
        Self { state: RwLock::new(state), commits, history, closed }
    }

    /// The state after the last commit.
    pub(super) fn state(&self) -> Result<S> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        Ok(self.state.read().clone())
    }

    /// As [`Engine::snapshot`](crate::engine::Engine::snapshot).
    pub(super) fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(Arc::new(self.state()?))
    }

    /// As [`Engine::begin`](crate::engine::Engine::begin).
    pub(super) fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        let _commits = self.commits.lock();
        Ok(self.history.watch(self.snapshot()?))
    }

    /// As [`Engine::commit`](crate::engine::Engine::commit), durable or not.
    pub(super) fn commit(&self, changes: &Changes, reads: Option<&Reads>) -> Result<Ticket> {
        check_changes(changes)?;
        let _commits = self.commits.lock();
        if let Some(reads) = reads {
            self.history.check(reads)?;
        }
        let mut current = self.state()?;
        if changes.is_empty() {
            return Ok(Ticket::settled(current.commit()));
        }
        let number = current.commit().next();
        self.history.record(changes, number);
        if changes.len() <= CHANGES_IN_PLACE_MAX {
            // Dropped first, so that nothing but a real snapshot shares nodes with the state.
            drop(current);
            self.state.write().apply(changes, number);
        } else {
            current.apply(changes, number);
            let old = std::mem::replace(&mut *self.state.write(), current);
            // Dropped here, after the lock: the old state may be the last holder of many nodes.
            drop(old);
        }
        Ok(Ticket::settled(number))
    }

    /// As [`Engine::close`](crate::engine::Engine::close).
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
