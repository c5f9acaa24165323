//! Waiting for a key to have something, in the order of arrival.
//!
//! Who waits has a place in the queue of each of its keys. An event gives the turn to the first of its key's queue; who has the
//! turn tries, and passes it on: when it found nothing, because the next may want something else; when it found something,
//! because there may be more. So nobody who came later gets what somebody waits for, and nothing is left lying.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::kv::state::Keys;
use crate::txn::Core;

/// Those who wait, by key.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    queues: Mutex<Queues>,
}

#[derive(Debug, Default)]
struct Queues {
    /// Nobody waits any more.
    is_closed: bool,
    by_key: HashMap<Vec<u8>, VecDeque<Arc<Place>>>,
    /// Those who keep queues of their own.
    #[cfg(feature = "server")]
    bells: Vec<(u64, Arc<dyn Bell>)>,
    #[cfg(feature = "server")]
    last_bell: u64,
}

impl Queues {
    fn is_empty(&self) -> bool {
        #[cfg(feature = "server")]
        let has_bells = !self.bells.is_empty();
        #[cfg(not(feature = "server"))]
        let has_bells = false;
        self.by_key.is_empty() && !has_bells
    }
}

/// Somebody who keeps a queue of their own, and learns of every key.
#[cfg(feature = "server")]
pub(crate) trait Bell: std::fmt::Debug + Send + Sync {
    /// Something happened to the key with the address `head`, or to all keys of the keyspace whose empty key that is. It must not block, fail or use the store.
    fn ring(&self, head: &[u8]);
}

/// One who waits: a thread, or a task.
#[derive(Debug, Default)]
struct Place {
    turn: Mutex<Turn>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    is_here: bool,
    /// It is the last one: the store is closed.
    is_last: bool,
    /// The task to wake.
    task: Option<Waker>,
}

impl Place {
    /// Gives out the task to wake: not before no lock is held, for a waker may run, or drop, whatever its task owns.
    #[must_use]
    fn give_turn(&self, is_last: bool) -> Option<Waker> {
        let mut turn = self.turn.lock();
        turn.is_here = true;
        turn.is_last |= is_last;
        let task = turn.task.take();
        drop(turn);
        self.came.notify_one();
        task
    }

    /// Takes the turn, or has `task` woken when it comes.
    fn poll(&self, task: &Waker) -> Poll<()> {
        let mut turn = self.turn.lock();
        let is_here = std::mem::take(&mut turn.is_here);
        let replaced = if is_here { turn.task.take() } else { turn.task.replace(task.clone()) };
        drop(turn);
        // Dropped without the lock, as tasks are woken without it.
        drop(replaced);
        if is_here { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Refuses to go on when the turn that was taken is the last one.
    fn refuse_if_last(&self) -> Result<()> {
        if self.turn.lock().is_last { Err(Error::Closed) } else { Ok(()) }
    }

    /// Waits for the turn and takes it; `false` when the time is over.
    fn wait(&self, timeout: Option<Duration>, stopwatch: &Stopwatch) -> bool {
        let mut turn = self.turn.lock();
        while !turn.is_here {
            match timeout {
                None => self.came.wait(&mut turn),
                Some(timeout) => {
                    let left = timeout.saturating_sub(stopwatch.elapsed());
                    if left.is_zero() {
                        return false;
                    }
                    self.came.wait_for(&mut turn, left);
                }
            }
        }
        turn.is_here = false;
        true
    }
}

impl Waiters {
    /// Gives the turn to the first who waits for the key at `head`, and gives out the task to wake.
    pub(super) fn ring(&self, head: &[u8], woken: &mut Vec<Waker>) {
        let queues = self.queues.lock();
        #[cfg(feature = "server")]
        for (_, bell) in &queues.bells {
            bell.ring(head);
        }
        if let Some(first) = queues.by_key.get(head).and_then(VecDeque::front) {
            woken.extend(first.give_turn(false));
        }
    }

    /// Gives everybody a last turn, now and later, and lets nobody wait.
    pub(super) fn close(&self) {
        let mut woken = Vec::new();
        let mut queues = self.queues.lock();
        queues.is_closed = true;
        for place in queues.by_key.values().flatten() {
            woken.extend(place.give_turn(true));
        }
        drop(queues);
        woken.into_iter().for_each(Waker::wake);
    }

    /// As [`Waiters::ring`], for every key whose address begins with `prefix`. Bells get the prefix.
    pub(super) fn ring_all(&self, prefix: &[u8], woken: &mut Vec<Waker>) {
        let queues = self.queues.lock();
        #[cfg(feature = "server")]
        for (_, bell) in &queues.bells {
            bell.ring(prefix);
        }
        let mut waited: Vec<_> = queues.by_key.iter().filter(|(head, _)| head.starts_with(prefix)).collect();
        waited.sort_unstable_by_key(|(head, _)| *head);
        woken.extend(waited.into_iter().filter_map(|(_, queue)| queue.front()?.give_turn(false)));
    }

    /// Passes the turn to the one behind `place`, in each of its queues.
    fn pass_on(&self, place: &Arc<Place>, heads: &[Vec<u8>]) {
        let mut woken = Vec::new();
        let queues = self.queues.lock();
        for queue in heads.iter().filter_map(|head| queues.by_key.get(head)) {
            let behind = queue.iter().skip_while(|other| !Arc::ptr_eq(other, place)).nth(1);
            if let Some(behind) = behind {
                woken.extend(behind.give_turn(false));
            }
        }
        drop(queues);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// A place in the queues, which is left when this is dropped, by a panic too.
struct Queued<'a> {
    core: &'a Core,
    heads: &'a [Vec<u8>],
    place: Arc<Place>,
}

impl<'a> Queued<'a> {
    /// Lets the one behind try.
    fn pass_on(&self) {
        self.core.state::<Keys>().observed.waiters.pass_on(&self.place, self.heads);
    }

    fn join(core: &'a Core, heads: &'a [Vec<u8>]) -> Self {
        let (place, mut woken) = (Arc::new(Place::default()), Vec::new());
        let mut queues = core.state::<Keys>().observed.waiters.queues.lock();
        let mut is_first = true;
        for head in heads {
            let queue = queues.by_key.entry(head.clone()).or_default();
            if !queue.iter().any(|other| Arc::ptr_eq(other, &place)) {
                is_first &= queue.is_empty();
                queue.push_back(Arc::clone(&place));
            }
        }
        core.state::<Keys>().observed.set_waited_for(true);
        if queues.is_closed {
            woken.extend(place.give_turn(true));
        } else if is_first {
            place.turn.lock().is_here = true;
        } else {
            // What is there already goes to those who came before first.
            for first in heads.iter().filter_map(|head| queues.by_key.get(head)?.front()) {
                woken.extend(first.give_turn(false));
            }
        }
        drop(queues);
        woken.into_iter().for_each(Waker::wake);
        Self { core, heads, place }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.pass_on();
        let mut queues = self.core.state::<Keys>().observed.waiters.queues.lock();
        for head in self.heads {
            if let Some(queue) = queues.by_key.get_mut(head) {
                queue.retain(|other| !Arc::ptr_eq(other, &self.place));
                if queue.is_empty() {
                    queues.by_key.remove(head);
                }
            }
        }
        self.core.state::<Keys>().observed.set_waited_for(!queues.is_empty());
    }
}

impl Keys {
    /// What `attempt` finds, tried whenever something happens to one of the keys at `heads`; `None` after `timeout`, which
    /// without an end is never. Time is that of the system: a clock that stands still does not hold anybody up for ever.
    ///
    /// # Errors
    /// Those of `attempt`; [`Error::NestedTransaction`] inside an exclusive transaction of this thread; [`Error::Closed`] once
    /// the store is closed.
    pub(in crate::kv) fn wait_for<R>(
        core: &Core,
        heads: &[Vec<u8>],
        timeout: Option<Duration>,
        mut attempt: impl FnMut() -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        core.refuse_nesting()?;
        let stopwatch = Stopwatch::start();
        let queued = Queued::join(core, heads);
        while queued.place.wait(timeout, &stopwatch) {
            queued.place.refuse_if_last()?;
            if let Some(found) = attempt()? {
                return Ok(Some(found));
            }
            queued.pass_on();
        }
        Ok(None)
    }

    /// As [`Keys::wait_for`], without holding up the thread, and without an end: dropping the future ends the waiting, and the
    /// turn goes to the next.
    ///
    /// # Errors
    /// As [`Keys::wait_for`].
    pub(in crate::kv) async fn wait_for_async<R>(
        core: &Core,
        heads: &[Vec<u8>],
        mut attempt: impl FnMut() -> Result<Option<R>>,
    ) -> Result<R> {
        core.refuse_nesting()?;
        let queued = Queued::join(core, heads);
        loop {
            poll_fn(|context| queued.place.poll(context.waker())).await;
            queued.place.refuse_if_last()?;
            core.refuse_nesting()?;
            if let Some(found) = attempt()? {
                return Ok(found);
            }
            queued.pass_on();
        }
    }

    /// Rings `bell` for every key that something happens to, until [`Keys::remove_bell`] is called with the returned
    /// number.
    #[cfg(feature = "server")]
    pub(crate) fn add_bell(&self, bell: Arc<dyn Bell>) -> u64 {
        let mut queues = self.observed.waiters.queues.lock();
        queues.last_bell += 1;
        let id = queues.last_bell;
        queues.bells.push((id, bell));
        self.observed.set_waited_for(true);
        id
    }

    #[cfg(feature = "server")]
    pub(crate) fn remove_bell(&self, id: u64) {
        let mut queues = self.observed.waiters.queues.lock();
        queues.bells.retain(|(other, _)| *other != id);
        self.observed.set_waited_for(!queues.is_empty());
    }
}
