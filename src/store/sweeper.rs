//! Background work: the expiry sweeper, which removes what is past its deadline and documents that are past the time of an index, and the jobs that transactions left. One
//! thread does both; whoever has a clock that is turned by hand does them by hand.
//!
//! The thread exists only on a clock that runs by itself, and only once there is something to do.

use std::ops::Bound;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::catalog::job;
use crate::clock::Timestamp;
use crate::encoding::owner;
use crate::engine::Key;
use crate::error::{Error, Result};
use crate::store::jobs;
use crate::txn::{Core, View, Writer};
use crate::{document, expiry, item, kv, limits, wide_column};

/// Longest sleep: a wall clock that is set forward is noticed after this.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// How long what failed is left alone.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Works off every deadline that is due, and returns how many there were.
///
/// # Errors
/// That of the first deadline that failed; the others are worked off all the same. It stays, and is tried again the
/// next time.
pub(super) fn sweep(core: &Arc<Core>, stop: impl Fn() -> bool) -> Result<u64> {
    let (mut swept, mut after, mut failure) = (0, Bound::Unbounded, None);
    while !stop() {
        let attempted = core.exclusive_after_others(|mut writer| {
            let batch = sweep_batch(&mut writer, after.clone())?;
            Ok::<_, Error>((batch, writer))
        })?;
        let (batch, error) = attempted.settle()?;
        swept += batch.swept;
        if let Some(error) = error {
            tracing::warn!(%error, "something expired and cannot be removed");
            failure.get_or_insert(error);
        }
        after = match batch.last {
            Some(last) => Bound::Excluded(last),
            None => break,
        };
    }
    let documents = sweep_documents(core, &stop);
    if let Err(error) = &documents {
        tracing::warn!(%error, "documents are past their time and cannot be removed");
    }
    let swept = swept + documents?;
    failure.map_or(Ok(swept), Err)
}

/// Removes the documents that are past the time of an index, and returns how many there were.
fn sweep_documents(core: &Arc<Core>, stop: &impl Fn() -> bool) -> Result<u64> {
    let mut swept = 0;
    loop {
        // Most stores have no such index, and the turn to write is not theirs to take for nothing.
        let view = View::new(Arc::clone(core), core.engine().snapshot()?, None);
        if stop() || document::next_sweep(&view)?.is_none_or(|due| due > core.now()) {
            return Ok(swept);
        }
        let attempted = core.exclusive_after_others(|mut writer| {
            let done = document::sweep(&mut writer)?;
            Ok::<_, Error>((done, writer))
        })?;
        let (removed, has_more) = attempted.settle()?;
        swept += removed;
        if !has_more {
            return Ok(swept);
        }
    }
}

/// What one transaction of the sweeper did.
#[derive(Debug, Default)]
struct Batch {
    swept: u64,
    /// Where the next one goes on; `None` when there is no more.
    last: Option<Key>,
}

/// Works off deadlines that are due and kept after `after`, until the transaction is as large as a step of a job. A deadline that
/// fails is passed over.
fn sweep_batch(writer: &mut Writer, after: Bound<Key>) -> Result<(Batch, Option<Error>)> {
    let due = expiry::due(writer, writer.now(), after, limits::SWEEP_BATCH_MAX)?;
    let (mut batch, mut failure) = (Batch::default(), None);
    let is_full = due.len() == limits::SWEEP_BATCH_MAX;
    for (n, (key, deadline, target)) in due.iter().enumerate() {
        let mark = writer.mark();
        match expire(writer, *deadline, target) {
            Ok(()) => batch.swept += 1,
            Err(error) => {
                writer.undo_to(mark);
                failure.get_or_insert(error);
            }
        }
        let (entries, bytes) = writer.size();
        let is_large = entries >= limits::JOB_STEP_ENTRIES_MAX || bytes >= limits::JOB_STEP_BYTES_MAX;
        let has_more = n + 1 < due.len() || is_full;
        if has_more && (is_large || n + 1 == due.len()) {
            batch.last = Some(key.clone());
            break;
        }
    }
    Ok((batch, failure))
}

/// Lets the model that owns `target` remove it.
fn expire(writer: &mut Writer, deadline: Timestamp, target: &[u8]) -> Result<()> {
    expiry::cancel(writer, deadline, target);
    match target.first() {
        Some(&owner::KEYS) => kv::expire(writer, target),
        Some(&owner::ITEMS) => item::expire(writer, target),
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
    /// The earliest moment known to the thread at which there is work.
    next: Option<Timestamp>,
    stop: bool,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Learns from `core` of every new deadline, when its clock runs by itself.
    pub(super) fn new(core: &Arc<Core>) -> Self {
        let signal = Arc::new(Signal::default());
        if core.clock().runs() {
            let (of_core, of_signal) = (Arc::downgrade(core), Arc::clone(&signal));
            core.set_wake_up(move |at| wake(&of_signal, &of_core, at));
        }
        Self { signal }
    }

    /// Starts the thread when the engine was opened with deadlines or jobs in it.
    pub(super) fn start_for_stored_work(&self, core: &Arc<Core>) -> Result<()> {
        if core.clock().runs()
            && let Some(at) = next_work(core)?
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
    let spawned = std::thread::Builder::new().name("larder-background".into()).spawn(move || run(&of_thread, &core));
    match spawned {
        Ok(thread) => state.thread = Some(thread),
        Err(error) => {
            // Space stays taken until the next deadline or job tries again; no read is wrong for it.
            state.next = None;
            tracing::warn!(%error, "the background thread cannot be started");
        }
    }
}

fn run(signal: &Signal, core: &Weak<Core>) {
    loop {
        if !sleep(signal, core) {
            return;
        }
        let Some(core) = core.upgrade() else { return };
        // Between two commits, so that closing a store does not wait for what may take minutes.
        let stop = || signal.state.lock().stop;
        let outcome = sweep(&core, stop).and(jobs::run(&core, stop)).and_then(|_| next_work(&core));
        let next = match outcome {
            Ok(next) => next,
            Err(Error::Closed) => return,
            // What failed has been reported; a new deadline wakes the thread earlier.
            Err(error) => {
                tracing::debug!(%error, "background work is left for later");
                Some(core.now().saturating_add(PAUSE_AFTER_FAILURE))
            }
        };
        let mut state = signal.state.lock();
        state.next = [state.next, next].into_iter().flatten().min();
    }
}

/// When there is something to do: at once while there are jobs.
fn next_work(core: &Arc<Core>) -> Result<Option<Timestamp>> {
    // Not as an operation, which a transaction that sets the budget would refuse.
    let view = View::new(Arc::clone(core), core.engine().snapshot()?, None);
    if jobs::are_left(core, &view)? {
        return Ok(Some(core.now()));
    }
    // Who does a job and waits for it may fail, and leave it.
    let again = (job::count(&view)? > 0).then(|| core.now().saturating_add(PAUSE_AFTER_FAILURE));
    Ok([again, expiry::earliest(&view)?, document::next_sweep(&view)?].into_iter().flatten().min())
}

/// Waits for the next moment with work; `false` when the store is going.
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
