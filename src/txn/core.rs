//! What all handles of one store share: its engine, its clock, its turn to write.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::lock_api::GetThreadId;
use parking_lot::{Mutex, RawThreadId};

use crate::clock::{Clock, Timestamp};
use crate::encoding::owner;
use crate::engine::{Changes, CommitNumber, Durability, Engine, Reads, Snapshot, Ticket};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::epoch::Epochs;
use crate::txn::flights::Flights;
use crate::txn::ids::Ids;
use crate::txn::isolation::Isolation;
use crate::txn::observe::Observed;
use crate::txn::settler::Settler;
use crate::txn::storage_ids::StorageIds;
use crate::txn::turns::{AwaitTurn, Turn, Turns};
use crate::txn::usage::Usage;
use crate::txn::view::{Parts, View, Writer};

/// Something that leaves the store once its transaction is durable.
pub(crate) trait Effect: fmt::Debug + Send {
    /// Takes effect. Called in commit order; must not block, fail or use the store. Tasks that are to run because of it
    /// go into `woken`, for a waker may do all of that.
    fn release(self: Box<Self>, commit: CommitNumber, woken: &mut Vec<Waker>);
}

/// What the models do on behalf of any transaction. The store, which knows them all, sets it once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Models {
    /// Stays within the budget of bytes before an operation that may need more: evicts, or refuses.
    pub(crate) make_room: fn(&mut Writer) -> Result<()>,
    /// Names what is kept at a key, for a person.
    pub(crate) describe: fn(&View, &[u8]) -> Option<String>,
    /// Removes a bounded amount of what was dropped and not removed yet. Returns the bytes of it, and whether there is more.
    pub(crate) reclaim: fn(&mut Writer) -> Result<(u64, bool)>,
}

/// Called with a moment at which background work falls due.
type WakeUp = Box<dyn Fn(Timestamp) + Send + Sync>;

/// Where the last unique time is kept, so that times go on from it when the store is opened again or forked, whatever the
/// clock shows then.
pub(super) const LAST_MICROS_KEY: [u8; 2] = [owner::TRANSACTIONS, 0x01];

/// Where the end of the block of storage ids is kept that is being given out.
pub(super) const STORAGE_IDS_KEY: [u8; 2] = [owner::TRANSACTIONS, 0x02];

/// One open store below its handles.
pub(crate) struct Core {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    durability: Durability,
    /// The turn to write.
    writer: Mutex<()>,
    turns: Turns,
    settler: Settler,
    /// The thread that has the turn, 0 when none: how a thread that would wait for itself is told so.
    writer_thread: AtomicUsize,
    /// Effects of commits that may not be durable yet, in commit order.
    effects: Mutex<VecDeque<(CommitNumber, Box<dyn Effect>)>>,
    sequences: Mutex<HashMap<Vec<u8>, u64>>,
    /// The last unique time given out; `None` until the stored one has been read.
    last_micros: Mutex<Option<i64>>,
    storage_ids: Mutex<StorageIds>,
    epochs: Epochs,
    wake_up: OnceLock<WakeUp>,
    models: OnceLock<Models>,
    ids: OnceLock<Ids>,
    observed: Observed,
    usage: Usage,
    commit_bytes_max: usize,
    /// Values of keys that are being computed.
    flights: Flights,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("engine", &self.engine).field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, durability: Durability) -> Arc<Self> {
        Self::with_commits_of(engine, clock, durability, limits::COMMIT_BYTES_MAX)
    }

    /// As [`Core::new`], with smaller commits.
    pub(super) fn with_commits_of(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        durability: Durability,
        commit_bytes_max: usize,
    ) -> Arc<Self> {
        let epochs = if engine.is_shared() { Epochs::never() } else { Epochs::new() };
        Arc::new(Self {
            engine,
            clock,
            durability,
            writer: Mutex::new(()),
            turns: Turns::default(),
            settler: Settler::default(),
            writer_thread: AtomicUsize::new(0),
            effects: Mutex::default(),
            sequences: Mutex::default(),
            last_micros: Mutex::new(None),
            storage_ids: Mutex::default(),
            epochs,
            wake_up: OnceLock::new(),
            models: OnceLock::new(),
            ids: OnceLock::new(),
            observed: Observed::default(),
            usage: Usage::default(),
            commit_bytes_max,
            flights: Flights::default(),
        })
    }

    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn flights(&self) -> &Flights {
        &self.flights
    }

    /// Sets what is called when a commit makes background work due. Only the first call counts.
    pub(crate) fn set_wake_up(&self, wake_up: impl Fn(Timestamp) + Send + Sync + 'static) {
        // A second setting would be a mistake of the store, which sets it once, right after `new`.
        let _ = self.wake_up.set(Box::new(wake_up));
    }

    /// Sets what the models do for every transaction. Only the first call counts.
    pub(crate) fn set_models(&self, models: Models) {
        // As above.
        let _ = self.models.set(models);
    }

    pub(super) fn models(&self) -> Option<Models> {
        self.models.get().copied()
    }

    /// How much the changes of one transaction may come to.
    pub(super) fn commit_bytes_max(&self) -> usize {
        self.commit_bytes_max
    }

    /// Closes the engine, and ends the waiting of whoever waits for a key.
    pub(crate) fn close(&self) -> Result<()> {
        let outcome = self.engine.close();
        // Afterwards, so that who comes now is refused by the one or the other.
        self.observed.waiters.close();
        self.flights.close();
        outcome
    }

    /// Sets where identifiers come from; from the system's randomness unless it is called. Only the first call counts.
    pub(crate) fn set_ids(&self, ids: Ids) {
        // As above.
        let _ = self.ids.set(ids);
    }

    /// Where identifiers come from.
    pub(crate) fn ids(&self) -> &Ids {
        self.ids.get_or_init(|| Ids::new(None, CommitNumber::default()))
    }

    /// The epoch of a view whose last commit is `commit`.
    pub(super) fn epoch_at(&self, commit: CommitNumber) -> Option<u64> {
        self.epochs.at(commit)
    }

    /// Who wants to know what happens to keys.
    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// How much may be held, and what of it is used.
    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The last acknowledged commit's state, refused inside this thread's own exclusive transaction.
    pub(crate) fn view(self: &Arc<Self>) -> Result<View> {
        self.refuse_nesting()?;
        Ok(View::new(Arc::clone(self), self.engine.snapshot()?, None))
    }

    /// Runs `body` with the turn to write, and commits what it wrote.
    ///
    /// On an engine that others write to as well, `body` runs again when its commit conflicts.
    pub(crate) fn exclusive<R, E: From<Error>>(
        self: &Arc<Self>,
        body: impl FnMut(Writer) -> Result<(R, Writer), E>,
    ) -> Result<R, E> {
        self.exclusive_pending(body)?.settle()
    }

    /// As [`Core::exclusive`], without waiting for what it did to become durable.
    pub(crate) fn exclusive_pending<R, E>(
        self: &Arc<Self>,
        mut body: impl FnMut(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        let mut attempt = 1;
        loop {
            match self.attempt(self.take_turn(), &mut body) {
                Err(error) if error.is_retryable() && attempt < limits::TRANSACTION_ATTEMPTS_MAX => attempt += 1,
                attempted => return attempted,
            }
        }
    }

    /// Runs `body` once with the turn to write, and commits what it wrote.
    ///
    /// # Errors
    /// Those of `body`; [`Error::Conflict`] on an engine that others write to as well.
    pub(crate) fn exclusive_once<R, E>(
        self: &Arc<Self>,
        body: impl FnOnce(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        self.attempt(self.take_turn(), body)
    }

    /// As [`Core::exclusive_once`], with a turn that was taken before.
    ///
    /// # Errors
    /// Why nothing was committed, unless that is an error of `body`: that one is in what is returned, since it tells of a state
    /// that has to be durable first.
    pub(crate) fn attempt<R, E>(
        self: &Arc<Self>,
        turn: Turn<'_>,
        body: impl FnOnce(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        let writer = self.exclusive_writer()?;
        let seen = writer.commit();
        let (outcome, ticket) = match body(writer) {
            Ok((value, writer)) => (Ok(value), self.commit(writer.into_parts())?),
            Err(error) => (Err(error), self.ticket_of(seen)?),
        };
        drop(turn);
        Ok(Attempted { outcome, pending: self.pending(ticket) })
    }

    /// Runs `body`, which only reads, on the newest state, beside whoever has the turn to write. What it returns tells of commits
    /// that may not be durable yet, as with [`Core::attempt`].
    #[cfg(feature = "redis")]
    pub(crate) fn read_latest<R, E>(
        self: &Arc<Self>,
        body: impl FnOnce(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        let writer = Writer::reading(View::new(Arc::clone(self), self.engine.latest()?, None));
        let seen = writer.commit();
        let outcome = body(writer).map(|(value, _)| value);
        // Ordered before what it saw, or after: durable later at the most.
        Ok(Attempted { outcome, pending: self.pending(self.ticket_of(seen)?) })
    }

    /// Starts an optimistic transaction.
    pub(crate) fn begin(self: &Arc<Self>, isolation: Isolation) -> Result<Writer> {
        self.refuse_nesting()?;
        self.tracked_writer(isolation)
    }

    /// Commits an optimistic transaction.
    pub(crate) fn commit_optimistic(self: &Arc<Self>, writer: Writer) -> Result<Pending> {
        self.refuse_nesting()?;
        self.commit_optimistic_in(self.take_turn(), writer)
    }

    /// As [`Core::commit_optimistic`], with a turn that was taken before.
    pub(crate) fn commit_optimistic_in(self: &Arc<Self>, turn: Turn<'_>, writer: Writer) -> Result<Pending> {
        let ticket = self.commit(writer.into_parts())?;
        drop(turn);
        Ok(self.pending(ticket))
    }

    /// The turn to write, to be awaited.
    pub(crate) fn turn(&self) -> AwaitTurn<'_> {
        AwaitTurn::new(self)
    }

    /// The turn to write, if nobody has it.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        self.writer.try_lock().map(|guard| Turn::new(self, guard))
    }

    /// The tasks that wait for the turn to write.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What waits for commits on behalf of tasks.
    pub(crate) fn settler(&self) -> &Settler {
        &self.settler
    }

    fn pending(self: &Arc<Self>, ticket: Ticket) -> Pending {
        Pending { core: Arc::clone(self), ticket }
    }

    pub(crate) fn next_in_sequence(&self, name: &[u8], start: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let mut sequences = self.sequences.lock();
        if let Some(next) = sequences.get_mut(name) {
            *next += 1;
            return Ok(*next);
        }
        let first = start()?;
        sequences.insert(name.to_vec(), first);
        Ok(first)
    }

    /// A time at or after `now` that no other call gets, and that is after every one `stored` by an earlier run.
    pub(super) fn unique_micros(&self, now: Timestamp, stored: impl FnOnce() -> Result<Option<i64>>) -> Result<i64> {
        let mut last = self.last_micros.lock();
        let before = match *last {
            Some(before) => before,
            None => stored()?.unwrap_or(i64::MIN),
        };
        let micros = now.as_micros().max(before.saturating_add(1));
        *last = Some(micros);
        Ok(micros)
    }

    /// A number that no other call gets, and that is after every one `stored` by an earlier run.
    pub(super) fn next_storage_id(&self, stored: impl FnOnce() -> Result<u64>) -> Result<u64> {
        self.storage_ids.lock().next(stored)
    }

    /// Whether nothing in `reads` was changed since they were made. The caller has the turn to write.
    #[cfg(feature = "redis")]
    pub(crate) fn is_unchanged(&self, reads: &Reads) -> Result<bool> {
        match self.engine.commit(&Changes::new(), Some(reads), Durability::None) {
            Ok(_) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn exclusive_writer(self: &Arc<Self>) -> Result<Writer> {
        if self.engine.is_shared() {
            return self.tracked_writer(Isolation::Serializable);
        }
        Ok(Writer::new(View::new(Arc::clone(self), self.engine.latest()?, None)))
    }

    fn tracked_writer(self: &Arc<Self>, isolation: Isolation) -> Result<Writer> {
        let base = self.engine.begin()?;
        let reads = Arc::new(Mutex::new(Reads::at(base.commit())));
        Ok(Writer::tracked(View::new(Arc::clone(self), base, Some(reads)), isolation))
    }

    /// Hands the transaction to the engine and queues its effects. The caller has the turn.
    ///
    /// A transaction that wrote nothing has seen one snapshot, and so needs no check.
    fn commit(self: &Arc<Self>, mut parts: Parts) -> Result<Ticket> {
        if parts.changes.is_empty() && (parts.effects.is_empty() || parts.reads.is_none()) {
            // Messages alone need no disk: they can be published by a store that cannot write any more.
            let ticket = self.ticket_of(parts.base.commit())?;
            self.usage.count_operations(parts.operations);
            self.queue_effects(parts.effects, ticket.number());
            return Ok(ticket);
        }
        if let (Isolation::Snapshot, Some(reads)) = (parts.isolation, &parts.reads) {
            let mut reads = reads.lock();
            parts.changes.each().for_each(|(key, _)| reads.add_key(key));
        }
        if let (true, Some(last)) = (parts.took_times, *self.last_micros.lock()) {
            // The last time of all, not of this transaction: a later time may have been committed before it.
            parts.changes.put(LAST_MICROS_KEY, last.to_be_bytes());
        }
        let ids_end = parts.took_storage_ids.then(|| self.storage_ids.lock().to_store()).flatten();
        if let Some(end) = ids_end {
            parts.changes.put(STORAGE_IDS_KEY, end.to_be_bytes());
        }
        // An optimistic transaction's snapshot is held while its reads are checked. Any other is let go first: an engine
        // in memory changes in place what no snapshot shares.
        let held = parts.reads.is_some().then_some(parts.base);
        let outcome = {
            let reads = parts.reads.as_ref().map(|reads| reads.lock());
            let (changes, durability) = (parts.changes, self.durability);
            let commit = || self.engine.commit_owned(changes, reads.as_deref(), durability);
            if parts.changed_catalogue { self.changing_catalogue(commit) } else { commit() }
        };
        let ticket = outcome.map_err(|error| self.name_conflict(error, held.as_ref()))?;
        drop(held);
        if let Some(end) = ids_end {
            self.storage_ids.lock().note_stored(end);
        }
        self.usage.count_removed(parts.removed);
        self.usage.count_operations(parts.operations);
        self.queue_effects(parts.effects, ticket.number());
        if let (Some(at), Some(wake_up)) = (parts.wake_at, self.wake_up.get()) {
            wake_up(at);
        }
        Ok(ticket)
    }

    /// Has a conflict say what was changed, as it was in the snapshot that the transaction read.
    fn name_conflict(self: &Arc<Self>, error: Error, read: Option<&Arc<dyn Snapshot>>) -> Error {
        match (error, read, self.models.get()) {
            (Error::Conflict { key, what }, Some(read), Some(models)) => {
                let view = View::new(Arc::clone(self), Arc::clone(read), None);
                let what = (models.describe)(&view, &key).unwrap_or(what);
                Error::Conflict { key, what }
            }
            (error, ..) => error,
        }
    }

    /// Keeps effects until their commit is durable. The caller has the turn.
    fn queue_effects(&self, effects: Vec<Box<dyn Effect>>, commit: CommitNumber) {
        if !effects.is_empty() {
            self.effects.lock().extend(effects.into_iter().map(|effect| (commit, effect)));
        }
    }

    /// Runs `commit`, which changes the catalogue, with no epoch for anybody meanwhile. The caller has the turn.
    fn changing_catalogue(&self, commit: impl FnOnce() -> Result<Ticket>) -> Result<Ticket> {
        if self.engine.is_shared() {
            return commit();
        }
        self.epochs.begin_change();
        let outcome = commit();
        match &outcome {
            Ok(ticket) => self.epochs.end_change(ticket.number()),
            // What was refused changed nothing; what failed has been ordered, perhaps. Without an answer, as when the store
            // is closed, there are no epochs any more.
            Err(_) => {
                if let Ok(latest) = self.engine.latest() {
                    self.epochs.end_change(latest.commit());
                }
            }
        }
        outcome
    }

    /// A ticket for what was read of the newest state, which may not be durable yet. Without the turn it may be one for a later commit.
    ///
    /// What it answers, an error too, tells of that state; a reader after it must not be shown an earlier one.
    fn ticket_of(&self, seen: CommitNumber) -> Result<Ticket> {
        if seen <= self.engine.snapshot()?.commit() {
            return Ok(Ticket::settled(seen));
        }
        self.engine.commit(&Changes::new(), None, self.durability)
    }

    /// Waits until the commit is durable, then releases the effects of it and of all before it.
    fn settle(&self, ticket: &Ticket) -> Result<()> {
        let outcome = ticket.wait();
        let mut queue = self.effects.lock();
        if outcome.is_err() {
            // Its own effects only: a commit before it may be durable, although its committer has not come here yet.
            queue.retain(|(commit, _)| *commit != ticket.number());
            return outcome;
        }
        // Released under the lock of the queue, so that two committers cannot swap their messages; woken without it.
        let mut woken = Vec::new();
        while let Some((commit, effect)) = queue.pop_front_if(|(commit, _)| *commit <= ticket.number()) {
            effect.release(commit, &mut woken);
        }
        drop(queue);
        woken.into_iter().for_each(Waker::wake);
        outcome
    }

    pub(super) fn refuse_nesting(&self) -> Result<()> {
        let owner = self.writer_thread.load(Ordering::Relaxed);
        if owner != 0 && owner == this_thread() {
            return Err(Error::NestedTransaction);
        }
        Ok(())
    }

    /// The turn to write, for which the thread waits.
    pub(crate) fn take_turn(&self) -> Turn<'_> {
        Turn::new(self, self.writer.lock())
    }

    pub(super) fn set_writer_thread(&self, thread: usize) {
        self.writer_thread.store(thread, Ordering::Relaxed);
    }
}

/// A transaction that has ended. What came of it is told to nobody before it has settled.
#[derive(Debug)]
#[must_use = "a commit is acknowledged when it has settled"]
pub(crate) struct Attempted<R, E> {
    /// What its body returned.
    pub(crate) outcome: Result<R, E>,
    pub(crate) pending: Pending,
}

impl<R, E: From<Error>> Attempted<R, E> {
    /// Waits until what it did, or what its error tells of, is durable.
    pub(crate) fn settle(self) -> Result<R, E> {
        self.pending.settle()?;
        self.outcome
    }
}

/// A commit that is ordered and may still have to become durable, and its effects.
#[derive(Clone, Debug)]
#[must_use = "a commit is acknowledged when it has settled"]
pub(crate) struct Pending {
    core: Arc<Core>,
    ticket: Ticket,
}

impl Pending {
    /// Whether [`Pending::settle`] will not have to wait.
    pub(crate) fn is_durable(&self) -> bool {
        self.ticket.is_settled()
    }

    /// Its place in the order of all commits.
    pub(crate) fn number(&self) -> CommitNumber {
        self.ticket.number()
    }

    /// The name of the engine that it was made on.
    pub(super) fn engine(&self) -> &'static str {
        self.core.engine.name()
    }

    /// What waits for commits of its store on behalf of tasks.
    pub(crate) fn settler(&self) -> &Settler {
        &self.core.settler
    }

    /// Waits until the commit is durable, and releases its effects.
    pub(crate) fn settle(&self) -> Result<()> {
        self.core.settle(&self.ticket)
    }
}

pub(super) fn this_thread() -> usize {
    NonZeroUsize::get(RawThreadId::INIT.nonzero_thread_id())
}
