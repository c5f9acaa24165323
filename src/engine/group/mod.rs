//! Group commit: the order of commits, and one write to the log for all that wait at the same time.
//!
//! A commit is ordered and kept in memory at once, so that the next writer can go on from it. Whoever then waits for it
//! first leads: it writes everything that is pending as one group, publishes the state after it, and wakes the others.
//! Commits that arrive meanwhile form the next group. The databases that this is for hold a lock of their log while they sync,
//! so that a commit handed to them at once would wait for the sync in progress and then need one of its own.
//!
//! # Invariants
//! 1. `published` ≤ `flying` ≤ `pending`: a snapshot shows only groups that are written as durably as one of their commits
//!    asked, and whole groups in order.
//! 2. There is one leader at a time, and only the leader touches the log.
//! 3. After a failed write nothing is written again: what the medium holds is unknown, and a second sync that succeeds
//!    would say nothing about the first.

mod engine;
mod mark;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::engine::history::History;
use crate::engine::interval::Syncs;
use crate::engine::{Changes, CommitNumber, Overlay, Reads, Settle, Snapshot, Ticket};
use crate::error::{Error, Result};
use crate::limits;
pub(super) use engine::GroupEngine;
pub(super) use mark::Mark;

/// What groups are written to.
pub(super) trait Log: Debug + Send + 'static {
    /// The engine's name in errors and reports.
    const ENGINE: &'static str;

    /// Writes `group` whole or not at all, and returns the state after it.
    ///
    /// A group without changes is written by syncing what came before it.
    fn append(&mut self, group: &Group) -> Result<Arc<dyn Snapshot>>;

    /// The directory of the store.
    fn path(&self) -> &Path;

    /// Bytes on disk.
    fn disk_bytes(&self) -> Result<u64>;

    /// Bytes of the log among them, with what is set aside for it; 0 when it is not apart from the rest.
    fn log_bytes(&self) -> Result<u64> {
        Ok(0)
    }

    /// Brings what is on disk into the form that is opened fastest, everything before being synced.
    fn tidy(&mut self) -> Result<()> {
        Ok(())
    }

    /// Does what is left to do before the files are let go of. Nothing is written afterwards.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Commits that are written together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Their changes; the last one wins where they change the same key.
    pub(super) changes: Changes,
    /// The last of them.
    pub(super) last: CommitNumber,
    /// Whether one of them asked for the medium.
    pub(super) sync: bool,
    /// Bytes of their keys and values, overwritten ones included.
    bytes: usize,
}

/// Where a log stood when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// The state after the last commit in it.
    pub(super) snapshot: Arc<dyn Snapshot>,
    /// The last commit known to be on the medium.
    pub(super) synced: CommitNumber,
}

/// Orders commits and writes them to a log in groups.
#[derive(Debug)]
struct GroupCommit<L> {
    state: Mutex<State>,
    /// Notified when a group has been written, or has failed.
    landed: Condvar,
    /// Held by the leader while it writes; `None` once closed.
    log: Mutex<Option<L>>,
    history: History,
    syncs: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// What readers see; `None` once closed.
    published: Option<Arc<dyn Snapshot>>,
    /// The group that its leader writes at the moment.
    flying: Option<Group>,
    /// What came after it. Its `last` is the last commit of all.
    pending: Group,
    /// The last commit in the log.
    written: CommitNumber,
    /// The last commit on the medium.
    synced: CommitNumber,
    /// Why nothing can be written any more.
    failure: Option<String>,
}

impl<L: Log> GroupCommit<L> {
    /// Goes on where `log` stands.
    fn new(log: L, opened: Opened) -> Self {
        let written = opened.snapshot.commit();
        let state = State {
            published: Some(opened.snapshot),
            flying: None,
            pending: Group::after(written),
            written,
            synced: opened.synced,
            failure: None,
        };
        Self {
            state: Mutex::new(state),
            landed: Condvar::new(),
            log: Mutex::new(Some(log)),
            history: History::default(),
            syncs: AtomicU64::new(0),
        }
    }

    /// The state after the last group that is written.
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        self.state.lock().published()
    }

    /// The state after the last commit.
    fn latest(&self) -> Result<Arc<dyn Snapshot>> {
        let state = self.state.lock();
        let mut latest = state.published()?;
        for group in state.unpublished() {
            latest = Arc::new(Overlay::new(latest, group.changes.clone()).at(group.last));
        }
        Ok(latest)
    }

    /// A snapshot of what is written, whose reads a later commit checks.
    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        let state = self.state.lock();
        let snapshot = self.history.watch(state.published()?);
        // What is ordered but not shown yet was perhaps not remembered when it came. Any number above the snapshot's will do.
        for group in state.unpublished() {
            self.history.record(&group.changes, group.last);
        }
        Ok(snapshot)
    }

    /// Orders a commit. Unless it is to be synced, it is in the log when this returns.
    fn commit(self: &Arc<Self>, changes: &Changes, reads: Option<&Reads>, sync: bool) -> Result<Ticket> {
        let mut state = self.state.lock();
        state.published()?;
        state.refuse_after_failure::<L>()?;
        if let Some(reads) = reads {
            self.history.check(reads)?;
        }
        if !changes.is_empty() {
            state.pending.add(changes, sync);
            self.history.record(changes, state.pending.last);
        }
        let number = state.pending.last;
        let group_is_full = state.pending.bytes > limits::COMMIT_GROUP_BYTES_MAX;
        drop(state);
        if !sync || group_is_full {
            self.advance(number, sync)?;
        }
        Ok(if sync { Ticket::pending(number, Arc::clone(self) as Arc<dyn Settle>) } else { Ticket::settled(number) })
    }

    /// Syncs everything committed so far.
    fn sync(&self) -> Result<()> {
        let state = self.state.lock();
        state.published()?;
        let last = state.pending.last;
        drop(state);
        self.advance(last, true)
    }

    /// Runs `ask` on the log, once a write in progress has ended.
    fn with_log<T>(&self, ask: impl FnOnce(&L) -> T) -> Result<T> {
        self.log.lock().as_ref().map(ask).ok_or(Error::Closed)
    }

    /// Makes what is on disk fast to open.
    fn tidy(&self) -> Result<()> {
        self.sync()?;
        self.log.lock().as_mut().ok_or(Error::Closed)?.tidy()
    }

    /// Writes and syncs what is left, then lets go of the log and the last snapshot.
    fn close(&self) -> Result<()> {
        let mut state = self.state.lock();
        let Some(last_snapshot) = state.published.take() else { return Ok(()) };
        let last = state.pending.last;
        drop(state);
        let mut outcome = self.advance(last, true);
        let mut log = self.log.lock().take();
        if let (Ok(()), Some(log)) = (&outcome, &mut log) {
            outcome = log.finish();
        }
        drop((last_snapshot, log));
        outcome
    }

    /// Returns when every commit up to `number` is in the log, or with `sync` on the medium; leads where nobody does.
    fn advance(&self, number: CommitNumber, sync: bool) -> Result<()> {
        let mut state = self.state.lock();
        loop {
            let reached = if sync { state.synced } else { state.written };
            if reached >= number {
                return Ok(());
            }
            state.refuse_after_failure::<L>()?;
            if state.flying.is_some() {
                self.landed.wait(&mut state);
            } else {
                self.lead(&mut state, sync)?;
            }
        }
    }

    /// Writes what is pending as one group, with the lock released meanwhile.
    fn lead(&self, state: &mut MutexGuard<'_, State>, sync: bool) -> Result<()> {
        let mut group = state.pending.take();
        group.sync |= sync;
        state.flying = Some(group.clone());
        let outcome = MutexGuard::unlocked(state, || self.append(&group));
        state.flying = None;
        self.landed.notify_all();
        match outcome {
            Ok(snapshot) => {
                state.written = group.last;
                if group.sync {
                    state.synced = group.last;
                    self.syncs.fetch_add(1, Ordering::Relaxed);
                }
                if let Some(published) = &mut state.published {
                    *published = snapshot;
                }
                Ok(())
            }
            Err(error) => {
                state.failure = Some(error.to_string());
                state.pending = Group::after(state.pending.last);
                Err(error)
            }
        }
    }

    fn append(&self, group: &Group) -> Result<Arc<dyn Snapshot>> {
        let mut log = self.log.lock();
        let log = log.as_mut().ok_or(Error::Closed)?;
        // A panic of the log must not leave the others waiting for a leader that has gone.
        let outcome = catch_unwind(AssertUnwindSafe(|| log.append(group)));
        outcome.unwrap_or_else(|_| Err(engine_error::<L>("it panicked during a write")))
    }
}

impl<L: Log> Syncs for GroupCommit<L> {
    fn name(&self) -> &'static str {
        L::ENGINE
    }

    fn sync(&self) -> Result<()> {
        Self::sync(self)
    }
}

impl<L: Log> Settle for GroupCommit<L> {
    fn settle(&self, number: CommitNumber) -> Result<()> {
        self.advance(number, true)
    }
}

impl State {
    fn published(&self) -> Result<Arc<dyn Snapshot>> {
        self.published.clone().ok_or(Error::Closed)
    }

    /// The groups after the published snapshot, in order.
    fn unpublished(&self) -> impl Iterator<Item = &Group> {
        self.flying.iter().chain([&self.pending]).filter(|group| !group.changes.is_empty())
    }

    fn refuse_after_failure<L: Log>(&self) -> Result<()> {
        match &self.failure {
            None => Ok(()),
            Some(first) => {
                Err(engine_error::<L>(format!("an earlier write failed ({first}); close the store and open it again")))
            }
        }
    }
}

impl Group {
    /// An empty one. Its changes are cloned in O(1), by the leader and by every writer that goes on from them.
    fn after(last: CommitNumber) -> Self {
        Self { changes: Changes::layer(), last, sync: false, bytes: 0 }
    }

    /// Adds one commit.
    fn add(&mut self, changes: &Changes, sync: bool) {
        self.bytes = self.bytes.saturating_add(changes.bytes());
        self.changes.append(changes);
        self.last = self.last.next();
        self.sync |= sync;
    }

    /// Empties the group and returns what it held.
    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::after(self.last))
    }
}

fn engine_error<L: Log>(message: impl Into<String>) -> Error {
    Error::Engine { engine: L::ENGINE, message: message.into() }
}

#[cfg(test)]
mod tests;
