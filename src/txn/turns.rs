//! The turn to write, and the tasks that wait for it.
//!
//! A thread waits for the turn in the lock itself. A task must not keep its thread, so it leaves a waker here, and
//! tries when it is woken. The turn is never handed to a task that is not running: a turn held by a task that waits to
//! be polled would stop every writer, and for ever when the task's only thread is one of them.
//!
//! # Invariants
//! 1. While the turn is free and tasks wait, one of them has been woken: by the one that gave the turn back, or by a
//!    woken one that went without taking it.
//! 2. A [`Turn`] lives within one poll.
//! 3. Who takes the turn after others ([`Turns::take_after_others`]) does not take it while it is free and a thread waits for it:
//!    a thread is counted before it begins to wait, and is certain to come.

use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::lock_api::GetThreadId;
use parking_lot::{Mutex, MutexGuard, RawThreadId};

use crate::clock::Stopwatch;
use crate::error::{Error, Result};

/// How long somebody who wants many turns waits for a task that was woken: some times what a runtime takes to poll it. Unlike a
/// thread, a task may not come at all.
const GIVE_WAY_MAX: Duration = Duration::from_millis(1);

/// The turn to write, given back when dropped, by a panic too.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    guard: Option<MutexGuard<'a, ()>>,
    /// Whether a thread that waits gets the turn, even when another one comes first.
    is_handed_over: bool,
}

impl<'a> Turn<'a> {
    fn new(turns: &'a Turns, guard: MutexGuard<'a, ()>) -> Self {
        turns.owner.store(this_thread(), Ordering::Relaxed);
        Self { turns, guard: Some(guard), is_handed_over: false }
    }

    /// The same turn, which is given to a thread that waits for it, if there is one. A thread that wants the turn again at once would
    /// otherwise take it before the one that has been woken comes to run.
    fn handed_over(mut self) -> Self {
        self.is_handed_over = true;
        self
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.owner.store(0, Ordering::Relaxed);
        match self.guard.take() {
            Some(guard) if self.is_handed_over => MutexGuard::unlock_fair(guard),
            guard => drop(guard),
        }
        self.turns.wake_one();
    }
}

/// The turn to write of one store, and the tasks that wait for it, in the order of arrival.
#[derive(Debug)]
pub(super) struct Turns {
    turn: Mutex<()>,
    /// The thread that has the turn, 0 when none: how a thread that would wait for itself is found.
    owner: AtomicUsize,
    /// How many tasks there are: asked by everybody who gives the turn back, most often in vain.
    count: AtomicUsize,
    /// How many have been woken and have not come yet.
    woken: AtomicUsize,
    /// How many threads wait, or are about to.
    threads: AtomicUsize,
    /// [`GIVE_WAY_MAX`], unless a test has more patience.
    patience: Mutex<Duration>,
    places: Mutex<Places>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            turn: Mutex::default(),
            owner: AtomicUsize::default(),
            count: AtomicUsize::default(),
            woken: AtomicUsize::default(),
            threads: AtomicUsize::default(),
            patience: Mutex::new(GIVE_WAY_MAX),
            places: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Places {
    waiting: VecDeque<(u64, Waker)>,
    last: u64,
}

impl Turns {
    /// Waits for the turn, and takes it.
    pub(super) fn take(&self) -> Turn<'_> {
        Turn::new(self, self.turn.try_lock().unwrap_or_else(|| self.stand_in_line()))
    }

    /// As [`Turns::take`], for a thread that wants many turns: a thread that waits and a task that was woken go first, and
    /// whoever waits when this one is given back has the next.
    pub(super) fn take_after_others(&self) -> Turn<'_> {
        self.give_way();
        self.take().handed_over()
    }

    /// The turn, to be awaited.
    pub(super) fn wait_for(&self) -> AwaitTurn<'_> {
        AwaitTurn { turns: self, place: None }
    }

    /// Refuses to go on on the thread that has the turn.
    pub(super) fn refuse_nesting(&self) -> Result<()> {
        let owner = self.owner.load(Ordering::Relaxed);
        if owner != 0 && owner == this_thread() {
            return Err(Error::NestedTransaction);
        }
        Ok(())
    }

    /// The turn, if nobody has it.
    pub(super) fn try_take(&self) -> Option<Turn<'_>> {
        self.turn.try_lock().map(|guard| Turn::new(self, guard))
    }

    fn wake_one(&self) {
        // Either this sees the task that has just come, or that task sees that the turn is free.
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut places = self.places.lock();
        let next = places.waiting.pop_front();
        self.count.store(places.waiting.len(), Ordering::Relaxed);
        if next.is_some() {
            self.woken.fetch_add(1, Ordering::Relaxed);
        }
        drop(places);
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }

    #[cold]
    fn stand_in_line(&self) -> MutexGuard<'_, ()> {
        self.threads.fetch_add(1, Ordering::SeqCst);
        let guard = self.turn.lock();
        self.threads.fetch_sub(1, Ordering::SeqCst);
        guard
    }

    /// Lets a thread that waits take the turn first, and a task that has been woken, unless that one does not come for a while.
    fn give_way(&self) {
        // Once somebody has the turn, this one stands in line behind those who wait.
        while self.threads.load(Ordering::SeqCst) > 0 && !self.turn.is_locked() {
            std::thread::yield_now();
        }
        if self.woken.load(Ordering::Relaxed) == 0 {
            return;
        }
        let (watch, patience) = (Stopwatch::start(), *self.patience.lock());
        while self.woken.load(Ordering::Relaxed) > 0 && watch.elapsed() < patience {
            std::thread::yield_now();
        }
    }

    /// How many threads wait, or are about to.
    #[cfg(test)]
    pub(super) fn waiting_threads(&self) -> usize {
        self.threads.load(Ordering::SeqCst)
    }

    /// How many tasks wait.
    #[cfg(test)]
    pub(super) fn waiting_tasks(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Has a task that was woken be waited for as long as it takes, so that no test depends on how soon it comes.
    #[cfg(test)]
    pub(super) fn be_patient(&self) {
        *self.patience.lock() = Duration::MAX;
    }

    /// Waits under `place`, which is given out at the first time.
    fn wait(&self, place: &mut Option<u64>, waker: &Waker) {
        let mut places = self.places.lock();
        let was_woken = place.is_some_and(|place| places.waiting.iter().all(|(waiting, _)| *waiting != place));
        if was_woken {
            self.woken.fetch_sub(1, Ordering::Relaxed);
        }
        let place = *place.get_or_insert_with(|| {
            places.last += 1;
            places.last
        });
        let known = places.waiting.iter_mut().find(|(waiting, _)| *waiting == place);
        let replaced = if let Some((_, known)) = known {
            Some(std::mem::replace(known, waker.clone()))
        } else {
            places.waiting.push_back((place, waker.clone()));
            None
        };
        self.count.store(places.waiting.len(), Ordering::Relaxed);
        drop(places);
        // A waker may drop what uses the store.
        drop(replaced);
        fence(Ordering::SeqCst);
    }

    /// Stops waiting, and returns whether it still was.
    fn leave(&self, place: u64) -> bool {
        let mut places = self.places.lock();
        let at = places.waiting.iter().position(|(waiting, _)| *waiting == place);
        let left = at.and_then(|at| places.waiting.remove(at));
        if left.is_none() {
            self.woken.fetch_sub(1, Ordering::Relaxed);
        }
        self.count.store(places.waiting.len(), Ordering::Relaxed);
        drop(places);
        left.is_some()
    }
}

/// The turn to write, for a task.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub(crate) struct AwaitTurn<'a> {
    turns: &'a Turns,
    place: Option<u64>,
}

impl<'a> AwaitTurn<'a> {
    fn take(&mut self) -> Option<Turn<'a>> {
        let turn = self.turns.try_take()?;
        if let Some(place) = self.place.take() {
            self.turns.leave(place);
        }
        Some(turn)
    }
}

impl<'a> Future for AwaitTurn<'a> {
    type Output = Result<Turn<'a>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Polled within an exclusive transaction of this thread, it would wait for itself.
        this.turns.refuse_nesting()?;
        if let Some(turn) = this.take() {
            return Poll::Ready(Ok(turn));
        }
        this.turns.wait(&mut this.place, context.waker());
        this.take().map_or(Poll::Pending, |turn| Poll::Ready(Ok(turn)))
    }
}

impl Drop for AwaitTurn<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place.take()
            && !self.turns.leave(place)
        {
            // It was woken and goes without the turn: the next one is to have it.
            self.turns.wake_one();
        }
    }
}

fn this_thread() -> usize {
    NonZeroUsize::get(RawThreadId::INIT.nonzero_thread_id())
}
