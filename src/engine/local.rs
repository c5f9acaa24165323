//! Commits of one process over a state in memory: what the memory engine and a fork have in common.
//!
//! # Invariants
//! 1. The state in the lock is that after the last commit; a snapshot is a reference to it. While one is held, a commit
//!    changes a clone and puts that in its place.
//! 2. `last` is held from the check of the reads to the change of the state, so commits are ordered and checked against
//!    every earlier one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::engine::history::History;
use crate::engine::{Changes, CommitNumber, Reads, Snapshot, Ticket, check_changes};
use crate::error::{Error, Result};

/// Makes `changes` to what readers see: in place where no snapshot holds it and that is quick, and otherwise on a copy that is
/// swapped in, so that readers never wait for a large commit. The caller lets nobody else do so meanwhile.
pub(super) fn publish<S: State>(published: &RwLock<Arc<S>>, changes: &Changes, number: CommitNumber) {
    let mut state = published.write();
    if let Some(state) = Arc::get_mut(&mut state).filter(|state| state.is_quick(changes)) {
        state.apply(changes, number);
        return;
    }
    let mut next = S::clone(&state);
    drop(state);
    next.apply(changes, number);
    let old = std::mem::replace(&mut *published.write(), Arc::new(next));
    // After the lock: it may be the last holder of many nodes.
    drop(old);
}

/// A state that is cloned in O(1), and that a clone of does not change with.
pub(super) trait State: Snapshot + Clone + 'static {
    /// Whether making `changes` takes so little that readers may wait for it.
    fn is_quick(&self, changes: &Changes) -> bool;

    /// Makes `changes`, as the commit `number`.
    fn apply(&mut self, changes: &Changes, number: CommitNumber);
}

/// The commits, snapshots and conflicts of an engine whose whole state is an `S`.
#[derive(Debug, Default)]
pub(super) struct Local<S> {
    state: RwLock<Arc<S>>,
    /// The last commit.
    last: Mutex<CommitNumber>,
    history: History,
    closed: AtomicBool,
}

impl<S: State> Local<S> {
    pub(super) fn new(state: S) -> Self {
        let (last, history, closed) = (Mutex::new(state.commit()), History::default(), AtomicBool::default());
        Self { state: RwLock::new(Arc::new(state)), last, history, closed }
    }

    /// The state after the last commit.
    pub(super) fn state(&self) -> Result<Arc<S>> {
        self.refuse_if_closed()?;
        Ok(Arc::clone(&self.state.read()))
    }

    fn refuse_if_closed(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::Closed) } else { Ok(()) }
    }

    /// As [`Engine::snapshot`](crate::engine::Engine::snapshot).
    pub(super) fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(self.state()?)
    }

    /// As [`Engine::begin`](crate::engine::Engine::begin).
    pub(super) fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        let _last = self.last.lock();
        Ok(self.history.watch(self.snapshot()?))
    }

    /// As [`Engine::commit`](crate::engine::Engine::commit), durable or not.
    pub(super) fn commit(&self, changes: &Changes, reads: Option<&Reads>) -> Result<Ticket> {
        check_changes(changes)?;
        changes.prepare();
        let mut last = self.last.lock();
        self.refuse_if_closed()?;
        if let Some(reads) = reads {
            self.history.check(reads)?;
        }
        if !changes.is_empty() {
            let number = last.next();
            self.history.record(changes, number);
            publish(&self.state, changes, number);
            *last = number;
        }
        Ok(Ticket::settled(*last))
    }

    /// As [`Engine::close`](crate::engine::Engine::close).
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
