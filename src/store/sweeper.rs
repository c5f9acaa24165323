//! The expiry sweeper: removes what is past its deadline, in the background or when it is told to.
//!
//! The thread exists only on a clock that runs by itself, and only once something has a deadline.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::clock::Timestamp;
use crate::encoding::owner;
use crate::error::{Error, Result};
use crate::txn::{Core, Writer};
use crate::{expiry, kv, limits, wide_column};

/// Longest sleep: a wall clock that is set forward is noticed after this.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Works off every deadline that is due, and answers how many there were.
pub(super) fn sweep(core: &Arc<Core>) -> Result<u64> {
    let mut swept = 0;
    loop {
        let batch = core.exclusive(|mut writer| {
            let due = expiry::due(&writer, writer.now(), limits::SWEEP_BATCH_MAX)?;
            for (deadline, target) in &due {
                expire(&mut writer, *deadline, target)?;
            }
            Ok((due.len(), writer))
        })?;
        swept += batch as u64;
        if batch < limits::SWEEP_BATCH_MAX {
            return Ok(swept);
        }
    }
}

/// Lets the model that owns `target` remove it.
fn expire(writer: &mut Writer, deadline: Timestamp, target: &[u8]) -> Result<()> {
    expiry::cancel(writer, deadline, target);
    match target.first() {
        Some(&owner::KEYS) => kv::expire(writer, target),
        Some(&owner::WIDE_ROWS) => wide_column::expire(writer, target),
        other => Err(Error::corrupt("deadline", format!("its target belongs to no model: {other:02x?}"))),
    }
}

/// The background thread and what wakes it.
#[derive(Debug)]
pub(super) struct Sweeper {
    signal: Arc<Signal>,
}

#[derive(Debug, Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The earliest deadline known to the thread.
    next: Option<Timestamp>,
    stop: bool,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Is told by `core` of every new deadline, when its clock runs by itself.
    pub(super) fn new(core: &Arc<Core>) -> Self {
        let signal = Arc::new(Signal::default());
        if core.clock().runs() {
            let (of_core, of_signal) = (Arc::downgrade(core), Arc::clone(&signal));
            core.set_wake_up(move |at| wake(&of_signal, &of_core, at));
        }
        Self { signal }
    }

    /// Starts the thread when the engine was opened with deadlines in it.
    pub(super) fn start_for_stored_deadlines(&self, core: &Arc<Core>) -> Result<()> {
        if core.clock().runs()
            && let Some(at) = expiry::earliest(&core.view()?)?
        {
            wake(&self.signal, &Arc::downgrade(core), at);
        }
        Ok(())
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        let thread = {
            let mut state = self.signal.state.lock();
            state.stop = true;
            state.thread.take()
        };
        self.signal.changed.notify_all();
        // Joined, so that nothing of the store is held when its last handle has gone. A panic of the thread has been
        // printed and concerns nobody else. The thread itself may drop that handle, in a clock or a waker of the user's;
        // it does not wait for its own end.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// Makes the thread look at `at` or earlier; starts it when it is not there.
fn wake(signal: &Arc<Signal>, core: &Weak<Core>, at: Timestamp) {
    let mut state = signal.state.lock();
    if state.stop || state.next.is_some_and(|next| next <= at) {
        return;
    }
    state.next = Some(at);
    if state.thread.is_some() {
        signal.changed.notify_all();
        return;
    }
    let (of_thread, core) = (Arc::clone(signal), Weak::clone(core));
    let spawned = std::thread::Builder::new().name("larder-expiry".into()).spawn(move || run(&of_thread, &core));
    match spawned {
        Ok(thread) => state.thread = Some(thread),
        Err(error) => {
            // Space stays taken until the next deadline tries again; no read is wrong for it.
            state.next = None;
            tracing::warn!(%error, "the expiry thread cannot be started");
        }
    }
}

fn run(signal: &Signal, core: &Weak<Core>) {
    loop {
        if !sleep(signal, core) {
            return;
        }
        let Some(core) = core.upgrade() else { return };
        let next = sweep(&core).and_then(|_| expiry::earliest(&core.view()?));
        let mut state = signal.state.lock();
        match next {
            Ok(next) => state.next = [state.next, next].into_iter().flatten().min(),
            Err(Error::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "expired entries could not be removed");
                state.next = Some(core.now().saturating_add(SLEEP_MAX));
            }
        }
    }
}

/// Waits for the next deadline; `false` when the store is going.
fn sleep(signal: &Signal, core: &Weak<Core>) -> bool {
    let mut state = signal.state.lock();
    loop {
        if state.stop {
            return false;
        }
        let Some(next) = state.next else {
            signal.changed.wait(&mut state);
            continue;
        };
        // Without the lock: the clock is the user's, and this may be the last hold on the store.
        let now = MutexGuard::unlocked(&mut state, || core.upgrade().map(|core| core.now()));
        let Some(now) = now else { return false };
        if state.stop || state.next != Some(next) {
            continue;
        }
        if next <= now {
            state.next = None;
            return true;
        }
        let _ = signal.changed.wait_for(&mut state, next.saturating_since(now).min(SLEEP_MAX));
    }
}
