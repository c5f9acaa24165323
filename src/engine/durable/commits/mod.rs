//! The order of commits, what readers see of it, and one sync for all that wait at the same time.
//!
//! A commit that need not be synced is written to the log and shown at once. One that has to be synced is ordered and
//! kept in memory, so that the next writer goes on from it; whoever waits for it first *leads*: it writes everything
//! that is pending, syncs the log, shows the state after it, and wakes the others. Commits that arrive meanwhile form
//! the next group. A leader gives the writers that the last group has just woken a moment to come back, or two halves
//! of the writers would take turns with groups of half the size.
//!
//! # Invariants
//! 1. What is shown is the state after some commit, and every commit up to it is as durable as it was asked to be.
//! 2. `unpublished` has exactly the commits that are ordered and not shown; while it has any, no commit is written
//!    around them. Only while it has any, `newest` may be there: to make a tree that shares nodes with the one that is
//!    shown means to copy nodes, so that it is made only when it is read.
//! 3. The log is written to under the lock of the order, or by the one leader.
//! 4. What is ordered has its room in the log. A commit for which none can be had is refused before it is ordered, and
//!    leaves no trace; the next one asks again.
//! 5. After a failed write or sync nothing is written again: what the medium holds is unknown, and a second sync that
//!    succeeds would say nothing about the first.
//!
//! Locks are taken in this order: `syncing`, `order`, `published`. Trees are dropped outside of all of them.

use std::fmt::Debug;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::engine::durable::format::{Records, record_bytes};
use crate::engine::durable::sync::{Condvar, Gate, Mutex, MutexGuard, RwLock, yield_now};
use crate::engine::history::History;
use crate::engine::memory::TreeSnapshot;
use crate::engine::{Changes, CommitNumber, Reads, Settle, Snapshot, Ticket};
use crate::error::{Error, Result};
use crate::limits;

/// A leader waits for others to join it no longer than this part of what the last sync took.
const GATHER_PART: u32 = 2;

/// For so long it does not sleep meanwhile.
const GATHER_AWAKE: Duration = Duration::from_micros(100);

/// What commits are written to.
pub(super) trait Log: Debug + Send {
    /// What has to be synced, apart from the log, so that writing can go on meanwhile.
    type Unsynced: Unsynced;

    /// Writes `records`; `synced` is the last commit that is known to be on the medium.
    fn append(&mut self, records: &mut Records, synced: CommitNumber) -> Result<()>;

    /// Everything written since the last call. The caller syncs it before anybody calls again.
    fn unsynced(&mut self) -> Self::Unsynced;
}

/// The room that a log has, which is asked for while the log may be written to by somebody else.
pub(super) trait Room: Debug + Send + Sync {
    /// Sets `bytes` aside for the next record. Records are written in the order in which this was called for them.
    ///
    /// # Errors
    /// When they cannot be had. Then nothing is changed.
    fn reserve(&self, bytes: usize) -> Result<()>;
}

/// What a log has written and not synced.
pub(super) trait Unsynced: Debug + Send {
    /// The last commit written.
    fn last(&self) -> CommitNumber;

    /// Syncs it.
    fn sync(&self) -> Result<()>;
}

/// The commits of an open store.
#[derive(Debug)]
pub(super) struct Commits<L> {
    order: Mutex<Order<L>>,
    room: Arc<dyn Room>,
    /// Passed when a flight has landed, or the log is free again.
    landed: Gate,
    /// Notified when as many commits have joined a leader's as it gathers.
    joined: Condvar,
    /// Held by whoever syncs, so that each learns of the failure of the one before.
    syncing: Mutex<()>,
    published: RwLock<Arc<TreeSnapshot>>,
    history: History,
    closed: AtomicBool,
    syncs: AtomicU64,
    gathers: bool,
}

#[derive(Debug)]
struct Order<L> {
    /// `None` while a leader writes to it, and once closed.
    log: Option<L>,
    /// Commits that are ordered and not written.
    pending: Records,
    /// Every commit that is ordered and not shown, with its changes.
    unpublished: Vec<(CommitNumber, Changes)>,
    /// The state after the last of them, once somebody has asked for it.
    newest: Option<Arc<TreeSnapshot>>,
    /// A leader gathers or writes.
    is_flying: bool,
    /// How often the gate has been passed, or is about to be.
    landings: u64,
    /// Those who wait for the log to be free; no new leader overtakes them.
    quiet_wanted: usize,
    last: CommitNumber,
    synced: CommitNumber,
    /// Commits that the next group may grow to.
    expected: usize,
    /// What the last flight took.
    flight_time: Duration,
    failure: Option<String>,
}

impl<L: Log + 'static> Commits<L> {
    /// Goes on from `state`, all of which is on the medium, with `log`, whose room is `room`. With `gathers`, leaders wait a
    /// little for others.
    pub(super) fn new(log: L, room: Arc<dyn Room>, state: TreeSnapshot, gathers: bool) -> Self {
        let last = state.commit();
        let order = Order {
            log: Some(log),
            pending: Records::default(),
            unpublished: Vec::new(),
            newest: None,
            is_flying: false,
            landings: 0,
            quiet_wanted: 0,
            last,
            synced: last,
            expected: 0,
            flight_time: Duration::ZERO,
            failure: None,
        };
        Self {
            order: Mutex::new(order),
            room,
            landed: Gate::default(),
            joined: Condvar::default(),
            syncing: Mutex::default(),
            published: RwLock::new(Arc::new(state)),
            history: History::default(),
            closed: AtomicBool::new(false),
            syncs: AtomicU64::new(0),
            gathers,
        }
    }

    /// The state that readers see.
    pub(super) fn snapshot(&self) -> Result<Arc<TreeSnapshot>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        Ok(Arc::clone(&self.published.read()))
    }

    /// The state after the last commit.
    pub(super) fn latest(&self) -> Result<Arc<TreeSnapshot>> {
        let mut order = self.order.lock();
        let shown = self.snapshot()?;
        if order.unpublished.is_empty() {
            return Ok(shown);
        }
        let order = &mut *order;
        Ok(Arc::clone(order.newest.get_or_insert_with(|| Arc::new(after(&shown, &order.unpublished)))))
    }

    /// A snapshot whose reads a later commit checks.
    pub(super) fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        let order = self.order.lock();
        let snapshot = self.history.watch(self.snapshot()?);
        // They were perhaps not remembered when they came.
        for (number, changes) in &order.unpublished {
            self.history.record(changes, *number);
        }
        Ok(snapshot)
    }

    /// How often the log was synced.
    pub(super) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Orders a commit. Unless it is to be synced, it is in the log and shown when this returns.
    pub(super) fn commit(self: &Arc<Self>, changes: Changes, reads: Option<&Reads>, sync: bool) -> Result<Ticket> {
        limits::check("commit bytes", limits::COMMIT_BYTES_MAX, record_bytes(&changes))?;
        changes.prepare();
        let mut order = self.order.lock();
        self.refuse(&order)?;
        if let Some(reads) = reads {
            self.history.check(reads)?;
        }
        if changes.is_empty() {
            return Ok(self.ticket(order.last, sync || !order.unpublished.is_empty()));
        }
        let (number, start) = (order.last.next(), order.pending.len());
        // Whatever may refuse the commit comes before it has a number: once it is ordered, others build on it.
        if !order.pending.push_commit(number, &changes) {
            let message = format!("there is no memory for a commit of {} bytes", record_bytes(&changes));
            return Err(Error::Engine { engine: super::ENGINE, message });
        }
        if let Err(error) = self.room.reserve(order.pending.len() - start) {
            order.pending.cut(start);
            return Err(error);
        }
        // Nobody waits for a sync that this one would have to stay behind, so no group and no flight are needed.
        if !sync && order.unpublished.is_empty() {
            let commit = [(number, changes)];
            let old = self.write_through(&mut order, &commit)?;
            drop(order);
            drop((old, commit));
            return Ok(Ticket::settled(number));
        }
        if let Some(newest) = &mut order.newest {
            Arc::make_mut(newest).apply(&changes, number);
        }
        self.history.record(&changes, number);
        order.unpublished.push((number, changes));
        order.last = number;
        let is_full = order.pending.len() > limits::COMMIT_GROUP_BYTES_MAX;
        let is_gathered = order.pending.commits() >= order.expected;
        drop(order);
        if is_gathered {
            self.joined.notify_one();
        }
        if is_full || !sync {
            self.advance(number)?;
        }
        Ok(self.ticket(number, true))
    }

    /// Makes every commit so far survive loss of power.
    pub(super) fn sync(&self) -> Result<()> {
        let order = self.order.lock();
        self.refuse(&order)?;
        let last = order.last;
        drop(order);
        self.advance(last)
    }

    /// Runs `ask` while nobody writes, with the log and the state after everything in it.
    pub(super) fn quietly<T>(
        &self,
        ask: impl FnOnce(&mut L, &Arc<TreeSnapshot>, CommitNumber) -> Result<T>,
    ) -> Result<T> {
        self.with_order_quietly(
            |order| self.refuse(order),
            |order| match &mut order.log {
                Some(log) => ask(log, &self.published.read(), order.synced),
                None => Err(Error::Closed),
            },
        )
    }

    /// As [`Commits::quietly`], for callers that only look: also after a failure.
    pub(super) fn look<T>(&self, ask: impl FnOnce(&L) -> T) -> Result<T> {
        self.with_order_quietly(|_| Ok(()), |order| order.log.as_ref().map(ask).ok_or(Error::Closed))
    }

    /// Why nothing is written any more.
    pub(super) fn failure(&self) -> Option<String> {
        self.order.lock().failure.clone()
    }

    /// Runs `ask` while nobody writes, unless `check` refuses.
    fn with_order_quietly<T>(
        &self,
        check: impl FnOnce(&Order<L>) -> Result<()>,
        ask: impl FnOnce(&mut Order<L>) -> Result<T>,
    ) -> Result<T> {
        let mut order = self.order.lock();
        order.quiet_wanted += 1;
        while order.is_flying {
            order = self.wait_for_landing(order);
        }
        order.quiet_wanted -= 1;
        order.landings += 1;
        let landings = order.landings;
        let refused = check(&order);
        let answer = refused.and_then(|()| ask(&mut order));
        drop(order);
        self.landed.pass(landings);
        answer
    }

    /// As [`Commits::quietly`], when everything that is ordered has been written. An outer error of `change` says that nothing
    /// was done; after an inner one nothing is written any more.
    pub(super) fn change_log<T>(
        &self,
        change: impl FnOnce(&mut L, &Arc<TreeSnapshot>, CommitNumber) -> Result<Result<T>>,
    ) -> Result<T> {
        self.with_order_quietly(
            |order| self.refuse(order),
            |order| {
                let Some(log) = &mut order.log else { return Err(Error::Closed) };
                // Shown once they are synced, as by the leader that would have written them.
                let written = log.append(&mut order.pending, order.synced);
                order.pending.clear();
                let (outcome, is_final) = match written.map(|()| change(log, &self.published.read(), order.synced)) {
                    Ok(Ok(outcome)) => (outcome, true),
                    Ok(Err(error)) => (Err(error), false),
                    Err(error) => (Err(error), true),
                };
                if let (Err(error), true) = (&outcome, is_final) {
                    order.failure.get_or_insert_with(|| error.to_string());
                }
                outcome
            },
        )
    }

    /// Writes and syncs what is left, then `finish` and lets go of the log.
    pub(super) fn close(&self, finish: impl FnOnce(&mut L, CommitNumber) -> Result<()>) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let outcome = self.advance_to_last();
        let (outcome, log, state) = self.with_order_quietly(
            |_| Ok(()),
            |order| {
                let outcome = match (&mut order.log, outcome) {
                    (Some(log), Ok(())) => finish(log, order.synced),
                    (_, outcome) => outcome,
                };
                Ok((outcome, order.log.take(), mem::take(&mut *self.published.write())))
            },
        )?;
        // Outside of the lock, as every tree.
        drop((log, state));
        outcome
    }

    fn advance_to_last(&self) -> Result<()> {
        let last = self.order.lock().last;
        self.advance(last)
    }

    fn ticket(self: &Arc<Self>, number: CommitNumber, waits: bool) -> Ticket {
        if waits { Ticket::pending(number, Arc::clone(self) as Arc<dyn Settle>) } else { Ticket::settled(number) }
    }

    /// Writes and shows a commit that nothing waits before. It is the last record of `pending`, and the only one.
    /// Returns what has to be dropped outside of the locks.
    fn write_through(
        &self,
        order: &mut Order<L>,
        commit: &[(CommitNumber, Changes); 1],
    ) -> Result<Option<Arc<TreeSnapshot>>> {
        let [(number, changes)] = commit;
        let Some(log) = &mut order.log else { return Err(Error::Closed) };
        let written = log.append(&mut order.pending, order.synced);
        order.pending.clear();
        if let Err(error) = written {
            order.failure = Some(error.to_string());
            return Err(error);
        }
        order.last = *number;
        self.history.record(changes, *number);
        Ok(self.publish(commit))
    }

    /// Shows what follows what is shown. What that was has to be dropped outside of the locks.
    #[must_use]
    fn publish(&self, commits: &[(CommitNumber, Changes)]) -> Option<Arc<TreeSnapshot>> {
        let mut published = self.published.write();
        if let Some(state) = Arc::get_mut(&mut published).filter(|state| are_quick(state, commits)) {
            for (number, changes) in commits {
                state.apply(changes, *number);
            }
            return None;
        }
        let shown = Arc::clone(&published);
        drop(published);
        let state = Arc::new(after(&shown, commits));
        drop(shown);
        Some(mem::replace(&mut *self.published.write(), state))
    }

    /// Returns when every commit up to `number` is on the medium and shown; leads where nobody does.
    fn advance(&self, number: CommitNumber) -> Result<()> {
        let mut order = self.order.lock();
        loop {
            if order.synced >= number {
                return Ok(());
            }
            order.refuse_after_failure()?;
            if order.is_flying || order.quiet_wanted > 0 {
                order = self.wait_for_landing(order);
            } else if order.log.is_none() {
                return Err(Error::Closed);
            } else if !order.unpublished.is_empty() {
                self.lead(order)?;
                order = self.order.lock();
            } else {
                drop(order);
                self.sync_written()?;
                order = self.order.lock();
            }
        }
    }

    /// Writes and syncs what is pending, as one group.
    fn lead<'a>(&'a self, mut order: MutexGuard<'a, Order<L>>) -> Result<()> {
        order.is_flying = true;
        order = self.gather(order);
        // The log is taken out of the order, so that others order their commits while it is written.
        let Some(mut log) = order.log.take() else { return Err(Error::Closed) };
        let (mut records, last) = (mem::take(&mut order.pending), order.last);
        let (state, synced) = (order.newest.clone(), order.synced);
        drop(order);
        let watch = Stopwatch::start();
        // A panic must not leave the others waiting for a leader that has gone.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            log.append(&mut records, synced)?;
            // The system reports a failed write-back to one sync only. So syncs take turns, and each looks whether the one
            // before it failed: its own would succeed, over pages that are lost.
            let _syncing = self.syncing.lock();
            self.order.lock().refuse_after_failure()?;
            self.syncs.fetch_add(1, Ordering::Relaxed);
            log.unsynced().sync()
        }));
        let outcome = outcome.unwrap_or_else(|_| {
            Err(Error::Engine { engine: super::ENGINE, message: "it panicked during a write".to_owned() })
        });
        let (commits, micros) = (records.commits(), micros(&watch));
        records.clear();
        let mut order = self.order.lock();
        order.is_flying = false;
        order.landings += 1;
        let landings = order.landings;
        order.log = Some(log);
        let (mut old, mut shown) = ((None, None), Vec::new());
        match &outcome {
            Ok(()) => {
                order.flight_time = watch.elapsed();
                order.synced = last;
                // Whoever was served by this flight is likely to come back soon, beside those who came meanwhile.
                order.expected = commits + order.pending.commits();
                let landed = order.unpublished.partition_point(|(number, _)| *number <= last);
                shown.extend(order.unpublished.drain(..landed));
                // Nothing was ordered meanwhile: what is newest is about to be published, and the buffer is free again.
                if order.last == last {
                    old.0 = order.newest.take();
                    order.pending = records;
                }
                old.1 = match state {
                    Some(state) => Some(mem::replace(&mut *self.published.write(), state)),
                    None => self.publish(&shown),
                };
            }
            // What was ordered meanwhile builds on commits that may not be there: all of it fails.
            Err(error) => {
                order.failure.get_or_insert_with(|| error.to_string());
                order.pending = Records::default();
                order.unpublished = Vec::new();
                old = (order.newest.take(), state);
            }
        }
        drop(order);
        self.landed.pass(landings);
        if tracing::enabled!(target: "larder::sync", tracing::Level::DEBUG) {
            let bytes: usize = shown.iter().map(|(_, changes)| changes.bytes()).sum();
            record_sync(commits as u64, bytes as u64, micros, &outcome);
        }
        // Only now, without any lock: the last reference to a state takes many nodes with it.
        drop((old, shown));
        outcome
    }

    /// Lets go of `order` until somebody has passed the gate who had not before.
    fn wait_for_landing<'a>(&'a self, order: MutexGuard<'a, Order<L>>) -> MutexGuard<'a, Order<L>> {
        let landings = order.landings;
        drop(order);
        self.landed.wait_past(landings);
        self.order.lock()
    }

    /// Waits a little for the writers that the last flight woke.
    ///
    /// Yields before it sleeps: sleeping and being woken takes about as long as the others need to arrive.
    fn gather<'a>(&'a self, mut order: MutexGuard<'a, Order<L>>) -> MutexGuard<'a, Order<L>> {
        if !self.gathers || order.pending.commits() >= order.expected {
            return order;
        }
        let (watch, patience) = (Stopwatch::start(), order.flight_time / GATHER_PART);
        while order.pending.commits() < order.expected {
            let waited = watch.elapsed();
            if waited >= patience {
                break;
            } else if waited < GATHER_AWAKE {
                drop(order);
                yield_now();
                order = self.order.lock();
            } else {
                self.joined.wait_for(&mut order, patience.saturating_sub(waited));
            }
        }
        order
    }

    /// Syncs what is written, beside those who go on writing.
    fn sync_written(&self) -> Result<()> {
        let _syncing = self.syncing.lock();
        let mut order = self.order.lock();
        order.refuse_after_failure()?;
        // A flight syncs everything; whoever called looks again when it has landed.
        let Some(log) = &mut order.log else { return Ok(()) };
        let unsynced = log.unsynced();
        drop(order);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let watch = Stopwatch::start();
        let outcome = unsynced.sync();
        record_sync(0, 0, micros(&watch), &outcome);
        let mut order = self.order.lock();
        match &outcome {
            Ok(()) => order.synced = order.synced.max(unsynced.last()),
            // What was ordered meanwhile builds on commits that may not be there: all of it fails.
            Err(error) => {
                order.failure.get_or_insert_with(|| error.to_string());
            }
        }
        outcome
    }

    fn refuse(&self, order: &Order<L>) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        order.refuse_after_failure()
    }
}

fn micros(watch: &Stopwatch) -> u64 {
    u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Records a sync, and the commits that were written with it; those written before it are not counted.
fn record_sync(commits: u64, bytes: u64, micros: u64, outcome: &Result<()>) {
    let error = outcome.as_ref().err().map(tracing::field::display);
    let outcome = if error.is_none() { "ok" } else { "error" };
    tracing::debug!(target: "larder::sync", commits, bytes, micros, outcome, error);
}

/// Whether making `commits` takes so little that readers may wait for it.
fn are_quick(state: &TreeSnapshot, commits: &[(CommitNumber, Changes)]) -> bool {
    match commits {
        [(_, changes)] => state.is_quick(changes),
        _ => Changes::are_quick(commits.iter().map(|(_, changes)| changes)),
    }
}

/// The state after `commits`, which follow `state`.
fn after(state: &TreeSnapshot, commits: &[(CommitNumber, Changes)]) -> TreeSnapshot {
    let mut state = state.clone();
    for (number, changes) in commits {
        state.apply(changes, *number);
    }
    state
}

impl<L: Log + 'static> Settle for Commits<L> {
    fn settle(&self, number: CommitNumber) -> Result<()> {
        self.advance(number)
    }
}

impl<L> Order<L> {
    fn refuse_after_failure(&self) -> Result<()> {
        match &self.failure {
            None => Ok(()),
            Some(reason) => Err(Error::ReadOnly { reason: reason.clone() }),
        }
    }
}

#[cfg(test)]
mod tests;
