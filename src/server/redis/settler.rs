//! Waiting for commits to become durable, away from the thread that runs commands.
//!
//! One thread waits for the newest commit that it was given; those that came before it are durable then too, so that
//! all of them share one sync. It is given them when the door has nothing left to run: clients that were answered
//! together ask again together, and a sync that began with the first of them would have the others wait for a second
//! one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::txn::Pending;

/// A door that always has something to run does not hold commits back for longer.
const HELD_BACK_MAX: Duration = Duration::from_micros(500);

/// Why a commit is not known to be durable.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsettled {
    /// What the store says.
    #[error(transparent)]
    Store(#[from] Error),
    #[error("waiting for the commit panicked")]
    Panicked,
    #[error("the door is closing")]
    Closing,
}

type Outcome = Result<(), Unsettled>;
type Settled = oneshot::Sender<Outcome>;
type Batch = Vec<(Pending, Settled)>;

/// What became of the commits that the thread was given, which the door's own thread passes on.
pub(super) type Outcomes = UnboundedReceiver<Vec<(Settled, Outcome)>>;

/// Hands commits to the thread that waits for them. Clones hand them to the same one.
#[derive(Clone, Debug)]
pub(super) struct Settler(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    held_back: Mutex<HeldBack>,
    waits: Waits,
}

/// Who waits for commits.
#[derive(Debug)]
enum Waits {
    Thread(Sender<Batch>),
    /// Whoever flushes.
    #[cfg(feature = "testing")]
    Here,
}

/// Commits that the thread was not given yet.
#[derive(Debug, Default)]
struct HeldBack {
    commits: Batch,
    /// Since the first of them came.
    since: Option<Stopwatch>,
}

impl Settler {
    /// Starts the thread, which ends when the last clone has gone.
    pub(super) fn start() -> std::io::Result<(Self, Outcomes)> {
        let ((thread, commits), (told, outcomes)) = (channel(), unbounded_channel());
        std::thread::Builder::new().name("larder-redis-sync".to_owned()).spawn(move || run(&commits, &told))?;
        let waits = Waits::Thread(thread);
        Ok((Self(Arc::new(Shared { held_back: Mutex::default(), waits })), outcomes))
    }

    /// Makes one without a thread: commits are waited for by [`Settler::flush`], and nothing depends on time.
    #[cfg(feature = "testing")]
    pub(super) fn without_thread() -> Self {
        Self(Arc::new(Shared { held_back: Mutex::default(), waits: Waits::Here }))
    }

    /// Completes `settled` when `pending` is durable, by way of [`tell`].
    pub(super) fn send(&self, pending: Pending, settled: Settled) {
        let mut held_back = self.0.held_back.lock();
        held_back.commits.push((pending, settled));
        let since = held_back.since.get_or_insert_with(Stopwatch::start);
        if since.elapsed() >= HELD_BACK_MAX && self.has_thread() {
            self.give(&mut held_back);
        }
    }

    /// Gives the thread what has come: the door has nothing left to run. Returns whether there was anything.
    pub(super) fn flush(&self) -> bool {
        self.give(&mut self.0.held_back.lock())
    }

    fn has_thread(&self) -> bool {
        matches!(self.0.waits, Waits::Thread(_))
    }

    /// As [`Settler::flush`], if the door did not come to that for long.
    pub(super) fn flush_if_late(&self) {
        let mut held_back = self.0.held_back.lock();
        if held_back.since.as_ref().is_some_and(|since| since.elapsed() >= HELD_BACK_MAX) && self.has_thread() {
            self.give(&mut held_back);
        }
    }

    fn give(&self, held_back: &mut HeldBack) -> bool {
        if held_back.commits.is_empty() {
            return false;
        }
        let batch = std::mem::take(&mut held_back.commits);
        held_back.since = None;
        match &self.0.waits {
            // Without the thread the receivers of the answers find their other ends gone, and say so.
            Waits::Thread(thread) => drop(thread.send(batch)),
            #[cfg(feature = "testing")]
            Waits::Here => {
                for (settled, outcome) in batch.into_iter().rev().map(settle_one) {
                    // The connection may have gone.
                    let _ = settled.send(outcome);
                }
            }
        }
        true
    }
}

/// Waits until a commit is durable, together with others.
///
/// # Errors
/// [`Unsettled`].
pub(super) async fn settle(settler: &Settler, pending: &Pending) -> Result<(), Unsettled> {
    if pending.is_durable() {
        return Ok(pending.settle()?);
    }
    let (settled, outcome) = oneshot::channel();
    settler.send(pending.clone(), settled);
    outcome.await.unwrap_or(Err(Unsettled::Closing))
}

/// Waits for one commit. A panic is an outcome too: others wait behind it.
fn settle_one((pending, settled): (Pending, Settled)) -> (Settled, Outcome) {
    let outcome = catch_unwind(AssertUnwindSafe(|| pending.settle()));
    (settled, outcome.map_err(|_| Unsettled::Panicked).and_then(|outcome| outcome.map_err(Unsettled::Store)))
}

fn run(commits: &Receiver<Batch>, told: &UnboundedSender<Vec<(Settled, Outcome)>>) {
    while let Ok(first) = commits.recv() {
        let batch: Vec<_> = first.into_iter().chain(commits.try_iter().flatten()).collect();
        // In the order of the commits from the last: the first call waits, and the others find it done.
        // The door may have gone.
        let _ = told.send(batch.into_iter().rev().map(settle_one).collect());
    }
}

/// Tells the connections what became of their commits: the thread wakes the door once for all of them.
pub(super) async fn tell(mut outcomes: Outcomes) {
    while let Some(batch) = outcomes.recv().await {
        for (settled, outcome) in batch {
            // The connection may have gone.
            let _ = settled.send(outcome);
        }
    }
}
