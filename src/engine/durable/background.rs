//! The thread that makes segments and checkpoints while writers go on.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::engine::durable::ENGINE;
use crate::error::{Error, Result};

/// Notifies the thread that the log has taken a segment.
#[derive(Debug, Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    woken: bool,
    stop: bool,
}

impl Signal {
    /// Wakes the thread to look for work.
    pub(super) fn wake(&self) {
        self.state.lock().woken = true;
        self.changed.notify_one();
    }

    /// Whether there may be work since this was last asked.
    pub(super) fn take_wake(&self) -> bool {
        std::mem::take(&mut self.state.lock().woken)
    }

    /// Whether the store is being closed.
    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().stop
    }

    /// Ends the thread's work as soon as can be.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_one();
    }

    /// Waits for work. `false` when there will be no more.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while !state.woken && !state.stop {
            self.changed.wait(&mut state);
        }
        state.woken = false;
        !state.stop
    }
}

/// A thread that runs `work` each time it is woken, until it is stopped.
pub(super) fn spawn(signal: Arc<Signal>, work: impl Fn() + Send + 'static) -> Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("larder-log".to_owned());
    let run = move || {
        while signal.wait() {
            work();
        }
    };
    let message = |error| format!("cannot start a thread: {error}");
    thread.spawn(run).map_err(|error| Error::Engine { engine: ENGINE, message: message(error) })
}
