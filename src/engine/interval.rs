//! The background sync of [`Durability::Interval`](crate::engine::Durability::Interval).
//!
//! The thread exists only once a commit has asked for it, and sleeps while everything is synced.

use std::fmt::Debug;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

/// What is synced in the background.
pub(super) trait Syncs: Debug + Send + Sync + 'static {
    /// The engine's name.
    fn name(&self) -> &'static str;

    /// Makes every commit so far survive loss of power.
    fn sync(&self) -> Result<()>;
}

/// Syncs an engine some time after its first commit that was not.
#[derive(Debug)]
pub(super) struct IntervalSync<S> {
    commits: Arc<S>,
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How long the first commit that is not synced may wait; `None` when there is none.
    within: Option<Duration>,
    /// A commit may wait less long than the one before it that the thread sleeps for.
    hurry: bool,
    stop: bool,
}

impl<S: Syncs> IntervalSync<S> {
    /// Nothing to sync yet.
    pub(super) fn new(commits: &Arc<S>) -> Self {
        Self { commits: Arc::clone(commits), signal: Arc::default(), thread: Mutex::new(None) }
    }

    /// Starts the thread unless it runs.
    ///
    /// # Errors
    /// [`Error::Closed`] after [`IntervalSync::stop`]; [`Error::Engine`] when the system gives no thread.
    pub(super) fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_some() {
            return Ok(());
        }
        if self.signal.state.lock().stop {
            return Err(Error::Closed);
        }
        let (commits, signal) = (Arc::clone(&self.commits), Arc::clone(&self.signal));
        let builder = std::thread::Builder::new().name("larder-sync".to_owned());
        let started = builder.spawn(move || run(&*commits, &signal));
        *thread = Some(started.map_err(|error| Error::Engine {
            engine: self.commits.name(),
            message: format!("cannot start a thread: {error}"),
        })?);
        Ok(())
    }

    /// Sees to it that everything that is committed by now is synced after `within`, or earlier.
    pub(super) fn sync_within(&self, within: Duration) {
        let mut state = self.signal.state.lock();
        match state.within {
            None => state.within = Some(within),
            // Intervals do not change while a store is open, so that an early sync costs less than exact deadlines.
            Some(earlier) if within < earlier => state.hurry = true,
            Some(_) => return,
        }
        drop(state);
        self.signal.changed.notify_one();
    }

    /// Ends the thread, and returns when it has ended. What it has not synced is left to the caller.
    pub(super) fn stop(&self) {
        let mut thread = self.thread.lock();
        self.signal.state.lock().stop = true;
        self.signal.changed.notify_one();
        if thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that syncs a store in the background panicked");
        }
    }
}

fn run(commits: &impl Syncs, signal: &Signal) {
    let mut state = signal.state.lock();
    while !state.stop {
        let Some(within) = state.within else {
            signal.changed.wait(&mut state);
            continue;
        };
        signal.changed.wait_while_for(&mut state, |state| !state.stop && !state.hurry, within);
        // Taken back before the sync, so that a commit during it asks for another.
        (state.within, state.hurry) = (None, false);
        let synced = parking_lot::MutexGuard::unlocked(&mut state, || commits.sync());
        if let Err(error) = synced {
            // The engine has noted it, and refuses every later commit.
            tracing::error!(%error, "a sync in the background failed");
            return;
        }
    }
}
