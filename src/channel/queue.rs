//! The bounded queue between publishers and one subscriber.
//!
//! # Invariants
//! 1. There are never more messages, nor more bytes of them, than the bounds say, but that one message is always taken.
//!    What does not fit is dropped, newest first, and counted in a mark behind the messages that were there.
//! 2. Two marks always have a message between them, so there is at most one more of them than there are messages.
//! 3. Whatever arrives wakes every waiting task and one waiting thread. A task that is woken for nothing waits again,
//!    so a future may be dropped at any time without a message being missed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::channel::bounds::QueueBounds;
use crate::channel::message::{Lost, Message, RecvError};
use crate::clock::Stopwatch;

/// Holds what a subscriber has not received yet.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    messages_max: usize,
    /// May be changed while the queue is in use.
    bytes_max: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    /// How many of the entries are messages.
    messages: usize,
    /// What the messages take, by [`Message::bytes`].
    bytes: usize,
    /// Something was dropped, and may not have been reported yet.
    has_lost: bool,
    disconnected: bool,
    /// The tasks that wait, each under the ticket of its future.
    waiting: Vec<(u64, Waker)>,
    next_ticket: u64,
}

#[derive(Debug)]
enum Entry {
    Message(Message),
    Lost(Lost),
}

/// What there is to receive now.
pub(super) type Received = Result<Option<Message>, RecvError>;

impl Queue {
    /// An empty queue within `bounds`. One message is taken whatever they are.
    pub(super) fn new(bounds: QueueBounds) -> Self {
        let (messages_max, bytes_max) = (bounds.messages, AtomicUsize::new(bounds.bytes));
        Self { state: Mutex::default(), arrived: Condvar::new(), messages_max, bytes_max }
    }

    /// Sets the bound of bytes. Messages that are there stay.
    pub(super) fn set_bytes_max(&self, bytes: usize) {
        // Nothing else is read by what this says.
        self.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of the messages that are there.
    pub(super) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Is ready when a message was dropped; until then has `waker` woken when something arrives.
    pub(super) fn poll_lost(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        let has_lost = state.has_lost;
        let replaced =
            if has_lost { ticket.take().and_then(|ticket| state.forget(ticket)) } else { state.wait_as(ticket, waker) };
        drop(state);
        drop(replaced);
        has_lost
    }

    /// Adds `message`, or counts it as lost, and gives out the tasks to wake.
    ///
    /// The caller wakes them when it holds no lock: a waker may run, or drop, whatever its task owns.
    pub(super) fn push(&self, message: Message, woken: &mut Vec<Waker>) {
        let bytes = message.bytes();
        let mut state = self.state.lock();
        let has_room = state.messages < self.messages_max
            && state.bytes.saturating_add(bytes) <= self.bytes_max.load(Ordering::Relaxed);
        if has_room || state.messages == 0 {
            state.messages += 1;
            state.bytes += bytes;
            state.entries.push_back(Entry::Message(message));
        } else if let Some(Entry::Lost(lost)) = state.entries.back_mut() {
            lost.messages = lost.messages.saturating_add(1);
        } else {
            state.entries.push_back(Entry::Lost(Lost { messages: 1 }));
            state.has_lost = true;
        }
        state.wake_into(woken);
        drop(state);
        self.arrived.notify_one();
    }

    /// Lets nobody wait any more: what is left can be received, and then there is an end. Gives out the tasks to wake.
    pub(super) fn disconnect(&self, woken: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        state.disconnected = true;
        state.wake_into(woken);
        drop(state);
        self.arrived.notify_all();
    }

    /// Takes what is next; `None` when nothing is there yet.
    pub(super) fn try_take(&self) -> Received {
        self.state.lock().take()
    }

    /// Takes what is next, waiting for it up to `timeout` or, without one, for as long as it takes; `None` when the time is
    /// up.
    pub(super) fn take(&self, timeout: Option<Duration>) -> Received {
        let limited = timeout.map(|timeout| (timeout, Stopwatch::start()));
        let mut state = self.state.lock();
        loop {
            let received = state.take();
            if !matches!(received, Ok(None)) {
                return received;
            }
            let left = limited.as_ref().map(|(timeout, watch)| timeout.saturating_sub(watch.elapsed()));
            if !self.wait(&mut state, left) {
                return Ok(None);
            }
        }
    }

    /// Waits until something arrives; `false` when no time is left for it.
    fn wait(&self, state: &mut MutexGuard<'_, State>, left: Option<Duration>) -> bool {
        match left {
            None => self.arrived.wait(state),
            Some(Duration::ZERO) => return false,
            // Whether it timed out or not, the caller looks again before it gives up.
            Some(left) => {
                let _ = self.arrived.wait_for(state, left);
            }
        }
        true
    }

    /// Takes what is next, or has `waker` woken when something arrives. `ticket` is where the future keeps its place.
    pub(super) fn poll_take(&self, ticket: &mut Option<u64>, waker: &Waker) -> Received {
        let mut state = self.state.lock();
        let received = state.take();
        let replaced = match received {
            Ok(None) => state.wait_as(ticket, waker),
            _ => ticket.take().and_then(|ticket| state.forget(ticket)),
        };
        drop(state);
        // Dropped without the lock, as wakers are woken without it.
        drop(replaced);
        received
    }

    /// Forgets a task that no longer waits.
    pub(super) fn cancel(&self, ticket: u64) {
        let forgotten = self.state.lock().forget(ticket);
        drop(forgotten);
    }

    /// How many messages are there.
    pub(super) fn len(&self) -> usize {
        self.state.lock().messages
    }
}

impl State {
    fn take(&mut self) -> Received {
        match self.entries.pop_front() {
            Some(Entry::Message(message)) => {
                self.messages -= 1;
                self.bytes -= message.bytes();
                Ok(Some(message))
            }
            Some(Entry::Lost(lost)) => Err(RecvError::Lost(lost)),
            None if self.disconnected => Err(RecvError::Disconnected),
            None => Ok(None),
        }
    }

    /// Moves the tasks that wait to those that are to be woken.
    #[inline]
    fn wake_into(&mut self, woken: &mut Vec<Waker>) {
        // Most subscribers are threads, or busy: asking first is cheaper than to drain nothing.
        if !self.waiting.is_empty() {
            woken.extend(self.waiting.drain(..).map(|(_, waker)| waker));
        }
    }

    /// Registers `waker` under `ticket`, and gives out the one it replaces.
    fn wait_as(&mut self, ticket: &mut Option<u64>, waker: &Waker) -> Option<Waker> {
        let ticket = *ticket.get_or_insert_with(|| {
            self.next_ticket += 1;
            self.next_ticket
        });
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == ticket) {
            Some((_, known)) if known.will_wake(waker) => None,
            Some((_, known)) => Some(std::mem::replace(known, waker.clone())),
            None => {
                self.waiting.push((ticket, waker.clone()));
                None
            }
        }
    }

    fn forget(&mut self, ticket: u64) -> Option<Waker> {
        let place = self.waiting.iter().position(|(waiting, _)| *waiting == ticket)?;
        Some(self.waiting.swap_remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::channel::message::Published;
    use crate::engine::CommitNumber;

    fn message(number: u64) -> Message {
        let published = Published {
            channel: Box::default(),
            payload: Box::default(),
            commit: CommitNumber(number),
            namespace: crate::channel::message::Namespace::Plain,
        };
        Message::new(&Arc::new(published), None)
    }

    proptest! {
        // SEM: KV-PUB-4
        #[test]
        fn what_is_lost_is_told_exactly_where_it_is_missing(
            pushes in prop::collection::vec(any::<bool>(), 0..60), capacity in 0usize..4, is_by_bytes in any::<bool>(),
        ) {
            let each = message(0).bytes();
            let bounds = if is_by_bytes {
                // Half a message more is room for none.
                QueueBounds::default().messages(usize::MAX).bytes(capacity * each + each / 2)
            } else {
                QueueBounds::default().messages(capacity)
            };
            let queue = Queue::new(bounds);
            let (mut pushed, mut seen) = (0, 0);
            let mut look = |received: Received| match received {
                Ok(Some(message)) => {
                    assert_eq!(message.commit(), CommitNumber(seen), "the next one after what was seen or told as lost");
                    seen += 1;
                }
                Err(RecvError::Lost(lost)) => {
                    assert!(lost.messages > 0);
                    seen += lost.messages;
                }
                Ok(None) | Err(RecvError::Disconnected) => {}
            };
            for push in pushes {
                if push {
                    queue.push(message(pushed), &mut Vec::new());
                    pushed += 1;
                } else {
                    look(queue.try_take());
                }
                prop_assert!(queue.len() <= capacity.max(1));
                prop_assert_eq!(queue.bytes(), queue.len() * each);
                prop_assert!(queue.state.lock().entries.len() <= 2 * capacity.max(1) + 1);
            }
            queue.disconnect(&mut Vec::new());
            loop {
                let received = queue.take(None);
                if matches!(received, Err(RecvError::Disconnected)) {
                    break;
                }
                look(received);
            }
            prop_assert_eq!(seen, pushed);
        }
    }

    #[test]
    fn a_task_that_stops_waiting_leaves_nothing_behind() {
        let queue = Queue::new(QueueBounds::default().messages(1));
        let (mut first, mut second) = (None, None);
        for _ in 0..3 {
            assert!(matches!(queue.poll_take(&mut first, Waker::noop()), Ok(None)));
            assert!(matches!(queue.poll_take(&mut second, Waker::noop()), Ok(None)));
        }
        assert_eq!(queue.state.lock().waiting.len(), 2, "one place per future, however often it is polled");
        queue.cancel(first.unwrap());
        let mut woken = Vec::new();
        queue.push(message(0), &mut woken);
        assert_eq!(woken.len(), 1);
        assert!(matches!(queue.poll_take(&mut second, Waker::noop()), Ok(Some(_))));
        assert!(second.is_none() && queue.state.lock().waiting.is_empty());
    }

    #[test]
    fn a_wait_without_time_ends_at_once() {
        assert!(matches!(Queue::new(QueueBounds::default()).take(Some(Duration::ZERO)), Ok(None)));
    }
}
