//! Waiting for commits to become durable on behalf of tasks, which must not keep their threads.
//!
//! A commit is synced by whoever waits for it first. A task has a thread of the store's wait, which is started with the
//! first commit that has to be waited for and rests as long as there is none. It waits for the newest of the commits
//! that it has been given, so that all of them share one sync; those that come meanwhile share the next.
//!
//! # Invariants
//! 1. Whatever has been given is settled, whether somebody still waits for it or not.
//! 2. Tasks are woken, and stores let go, without a lock.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

/// A commit that somebody has to wait for.
pub(super) trait Unsettled: fmt::Debug + Send {
    /// Waits until it is durable. Called again, it returns the same.
    fn settle(&self) -> Result<()>;

    /// The name of the engine that it was made on.
    fn engine(&self) -> &'static str;
}

/// The thread that waits, and what it is given.
#[derive(Debug, Default)]
pub(crate) struct Settler(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    given: Condvar,
}

#[derive(Debug, Default)]
struct State {
    commits: Vec<(Box<dyn Unsettled>, Settling)>,
    /// There is a thread that will look at them.
    is_running: bool,
    stop: bool,
    thread: Option<JoinHandle<()>>,
}

/// A commit that the thread waits for, and how it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settling(Arc<Ending>);

#[derive(Debug, Default)]
struct Ending {
    outcome: Mutex<Outcome>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Outcome {
    settled: Option<Result<()>>,
    waker: Option<Waker>,
}

impl Settling {
    /// How it ended, once; until then, whoever asked last is woken.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Result<()>> {
        let mut outcome = self.0.outcome.lock();
        if let Some(settled) = outcome.settled.take() {
            return Poll::Ready(settled);
        }
        let replaced = outcome.waker.replace(context.waker().clone());
        drop(outcome);
        drop(replaced);
        Poll::Pending
    }

    /// Keeps the thread until it has ended.
    pub(crate) fn wait(&self) -> Result<()> {
        let mut outcome = self.0.outcome.lock();
        loop {
            if let Some(settled) = outcome.settled.take() {
                return settled;
            }
            self.0.ended.wait(&mut outcome);
        }
    }

    fn end(&self, settled: Result<()>) {
        let mut outcome = self.0.outcome.lock();
        outcome.settled = Some(settled);
        let waker = outcome.waker.take();
        drop(outcome);
        self.0.ended.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Settler {
    /// Leaves the wait for `pending` to the thread. Where no thread can be started, this one waits.
    pub(super) fn settle(&self, pending: Box<dyn Unsettled>) -> Settling {
        let settling = Settling::default();
        let mut state = self.0.state.lock();
        if !state.is_running {
            let shared = Arc::clone(&self.0);
            match std::thread::Builder::new().name("larder-commits".to_owned()).spawn(move || run(&shared)) {
                Ok(thread) => (state.is_running, state.thread) = (true, Some(thread)),
                Err(error) => {
                    drop(state);
                    tracing::warn!(%error, "the thread that waits for commits cannot be started");
                    settling.end(pending.settle());
                    return settling;
                }
            }
        }
        state.commits.push((pending, settling.clone()));
        drop(state);
        self.0.given.notify_one();
        settling
    }

    /// Returns when the thread has settled what it was given, and ended. What is given later starts another.
    pub(crate) fn finish(&self) {
        let mut state = self.0.state.lock();
        let Some(thread) = state.thread.take() else { return };
        state.stop = state.is_running;
        drop(state);
        self.0.given.notify_all();
        // The thread itself may drop the store, in a waker of the user's; it does not wait for its own end.
        if thread.thread().id() != std::thread::current().id() {
            // A panic of it has been printed and concerns nobody else.
            let _ = thread.join();
        }
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        // Commits that are waited for hold the store open, so there are none.
        self.finish();
    }
}

fn run(shared: &Shared) {
    while let Some(batch) = next_batch(shared) {
        // From the last: the first call waits, and the others find it done.
        for (pending, settling) in batch.into_iter().rev() {
            let settled = settle(pending);
            // A waker that panics must not leave the others waiting.
            if catch_unwind(AssertUnwindSafe(|| settling.end(settled))).is_err() {
                tracing::error!("the waker of a task that waited for a commit panicked");
            }
        }
    }
}

/// Settles `pending`, and lets go of its store before anybody learns of it.
fn settle(pending: Box<dyn Unsettled>) -> Result<()> {
    let settle = || catch_unwind(AssertUnwindSafe(|| pending.settle()));
    // Wakers of those who hear of the commit run here. When one panics, the commit has settled all the same, as the second
    // call returns.
    let settled = settle().or_else(|_| settle()).unwrap_or_else(|_| {
        let message = "it panicked when a commit was waited for".to_owned();
        Err(Error::Engine { engine: pending.engine(), message })
    });
    if catch_unwind(AssertUnwindSafe(|| drop(pending))).is_err() {
        tracing::error!("closing a store panicked");
    }
    settled
}

/// What is to be settled next; `None` at the end.
fn next_batch(shared: &Shared) -> Option<Vec<(Box<dyn Unsettled>, Settling)>> {
    let mut state = shared.state.lock();
    while state.commits.is_empty() && !state.stop {
        shared.given.wait(&mut state);
    }
    if state.commits.is_empty() {
        (state.is_running, state.stop) = (false, false);
        return None;
    }
    Some(std::mem::take(&mut state.commits))
}
