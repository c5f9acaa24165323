//! What all handles of one store share: its engine, its clock, its turn to write.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::clock::{Clock, Timestamp};
use crate::engine::{CommitNumber, Durability, Engine, Ticket};
use crate::error::Result;
use crate::limits;
use crate::txn::claims::Claims;
use crate::txn::epoch::Epochs;
use crate::txn::ids::Ids;
use crate::txn::leases::Leases;
use crate::txn::note::{Note, NoteList};
use crate::txn::settler::Settler;
use crate::txn::state::{State, States};
use crate::txn::turns::{AwaitTurn, Turn, Turns};

/// What models do on behalf of any transaction, whose type is named by those who call it.
type Hooks = &'static (dyn Any + Send + Sync);

/// Called with a moment at which background work falls due.
type WakeUp = Box<dyn Fn(Timestamp) + Send + Sync>;

/// One open store below its handles.
pub(crate) struct Core {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    durability: Durability,
    turns: Turns,
    settler: Settler,
    /// Notes of commits that may not be durable yet, in commit order.
    notes: Mutex<VecDeque<(CommitNumber, Box<dyn Note>)>>,
    /// Whether there are any: asked by every commit, most often in vain. Set with the turn to write, so that later
    /// commits see it.
    has_notes: AtomicBool,
    /// What models keep for the store.
    states: States,
    sequences: Mutex<FxHashMap<Vec<u8>, u64>>,
    leases: Leases,
    epochs: Epochs,
    wake_up: OnceLock<WakeUp>,
    /// What the store, which knows all models, has them do.
    models: OnceLock<Hooks>,
    ids: OnceLock<Ids>,
    /// Bytes of keys and values that may be held; [`NO_BUDGET`] for as many as there are.
    budget: AtomicU64,
    commit_bytes_max: usize,
    /// Operations that have changed something, of all commits.
    operations: AtomicU64,
    /// Jobs that are done by the threads that wait for them.
    claims: Claims,
}

const NO_BUDGET: u64 = u64::MAX;

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
            turns: Turns::default(),
            settler: Settler::default(),
            notes: Mutex::default(),
            has_notes: AtomicBool::new(false),
            states: States::default(),
            sequences: Mutex::default(),
            leases: Leases::default(),
            epochs,
            wake_up: OnceLock::new(),
            models: OnceLock::new(),
            ids: OnceLock::new(),
            budget: AtomicU64::new(NO_BUDGET),
            commit_bytes_max,
            operations: AtomicU64::new(0),
            claims: Claims::default(),
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

    /// What the model whose state `T` is keeps for the store.
    pub(crate) fn state<T: State>(&self) -> &T {
        self.states.get()
    }

    /// What all models keep for the store.
    pub(crate) fn states(&self) -> &States {
        &self.states
    }

    /// How many bytes of keys and values may be held, over all models, unless that is not limited.
    pub(crate) fn budget(&self) -> Option<u64> {
        let budget = self.budget.load(Ordering::Relaxed);
        (budget != NO_BUDGET).then_some(budget)
    }

    pub(crate) fn set_budget(&self, budget: Option<u64>) {
        self.budget.store(budget.unwrap_or(NO_BUDGET), Ordering::Relaxed);
    }

    /// Sets what is called when a commit makes background work due. Only the first call counts.
    pub(crate) fn set_wake_up(&self, wake_up: impl Fn(Timestamp) + Send + Sync + 'static) {
        // A second setting would be a mistake of the store, which sets it once, right after `new`.
        let _ = self.wake_up.set(Box::new(wake_up));
    }

    /// Sets what models do on behalf of any transaction. Only the first call counts.
    pub(crate) fn set_models(&self, models: Hooks) {
        // As above.
        let _ = self.models.set(models);
    }

    /// What models do on behalf of any transaction.
    pub(super) fn models(&self) -> Option<Hooks> {
        self.models.get().copied()
    }

    /// How much the changes of one transaction may come to.
    pub(super) fn commit_bytes_max(&self) -> usize {
        self.commit_bytes_max
    }

    /// Closes the engine, and what models keep.
    pub(crate) fn close(&self) -> Result<()> {
        let outcome = self.engine.close();
        // Afterwards, so that whoever comes now is refused by the one or the other.
        self.states.close();
        outcome
    }

    /// Makes identifiers of a store that goes on after `commit` reproducible, if there is a `seed`; otherwise the first that is
    /// asked for begins at a random number. Only the first call counts.
    pub(crate) fn set_seed(&self, seed: Option<u64>, commit: CommitNumber) {
        if seed.is_some() {
            // As above.
            let _ = self.ids.set(Ids::new(seed, commit));
        }
    }

    /// The seed of the next fork, if there is one.
    pub(crate) fn seed_of_fork(&self) -> Option<u64> {
        self.ids.get().and_then(Ids::seed_of_fork)
    }

    /// Where identifiers come from.
    pub(crate) fn ids(&self) -> &Ids {
        self.ids.get_or_init(|| Ids::new(None, CommitNumber::default()))
    }

    /// The epoch of a view whose last commit is `commit`.
    pub(super) fn epoch_at(&self, commit: CommitNumber) -> Option<u64> {
        self.epochs.at(commit)
    }

    /// The turn to write, to be awaited.
    pub(crate) fn turn(&self) -> AwaitTurn<'_> {
        self.turns.wait_for()
    }

    /// The turn to write, if nobody has it.
    #[cfg(feature = "server")]
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        self.turns.try_take()
    }

    /// The turn to write, for which the thread waits.
    pub(crate) fn take_turn(&self) -> Turn<'_> {
        self.turns.take()
    }

    /// Counts the operations of a transaction that have changed something, once it is committed.
    pub(super) fn count_operations(&self, operations: u64) {
        self.operations.fetch_add(operations, Ordering::Relaxed);
    }

    /// How many operations have changed something since the store was opened.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What waits for commits on behalf of tasks.
    pub(crate) fn settler(&self) -> &Settler {
        &self.settler
    }

    /// Jobs that are done by the threads that wait for them.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
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

    /// The numbers that are given out beside the transactions.
    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Starts the times and ids of a fork behind what was given out here. Called when its engine was forked.
    pub(crate) fn lead_on(&self, fork: &Self) {
        fork.leases.go_on_from(&self.leases);
    }

    /// Keeps notes until their commit is durable. The caller has the turn.
    #[inline]
    pub(super) fn queue_notes(&self, notes: NoteList, commit: CommitNumber) {
        if !notes.is_empty() {
            let mut queue = self.notes.lock();
            queue.extend(notes.into_iter().map(|note| (commit, note)));
            self.has_notes.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until the commit is durable, then releases the notes of it and of all before it.
    pub(super) fn settle(&self, ticket: &Ticket) -> Result<()> {
        let outcome = ticket.wait();
        if self.has_notes.load(Ordering::Relaxed) {
            self.settle_notes(ticket.number(), outcome.is_ok());
        }
        outcome
    }

    /// Releases the notes of a commit that has become durable, and of all before it, or forgets those of one that has not.
    fn settle_notes(&self, number: CommitNumber, is_durable: bool) {
        let mut queue = self.notes.lock();
        if !is_durable {
            // Its own only: a commit before it may be durable, although its committer has not come here yet.
            queue.retain(|(commit, _)| *commit != number);
        }
        // Released under the lock of the queue, so that two committers cannot swap their messages; woken without it.
        let mut woken = Vec::new();
        while let Some((commit, note)) = queue.pop_front_if(|(commit, _)| is_durable && *commit <= number) {
            note.release(&self.states, commit, &mut woken);
        }
        self.has_notes.store(!queue.is_empty(), Ordering::Relaxed);
        drop(queue);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Begins the background work of the store at `at`, or earlier.
    pub(super) fn wake_background(&self, at: Timestamp) {
        if let Some(wake_up) = self.wake_up.get() {
            wake_up(at);
        }
    }

    pub(super) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    pub(crate) fn refuse_nesting(&self) -> Result<()> {
        self.turns.refuse_nesting()
    }
}
