//! Who waits for capped collections to grow is woken when an insert is durable.
//!
//! All of them are woken by every commit that has inserted into a capped collection; each looks whether it was its own.

use std::task::Waker;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::clock::Stopwatch;
use crate::encoding::owner::Slot;
use crate::engine::CommitNumber;
use crate::txn::{Note, State, States, Writer};

/// How often capped collections have grown.
#[derive(Debug, Default)]
pub(super) struct Growth {
    count: Mutex<u64>,
    came: Condvar,
}

impl State for Growth {
    const SLOT: Slot = Slot::Capped;

    fn close(&self) {
        self.add();
    }
}

impl Growth {
    /// How often they have, to be waited past.
    pub(super) fn count(&self) -> u64 {
        *self.count.lock()
    }

    /// Waits until they have grown again since there were `seen`, and returns whether they have within `timeout`.
    pub(super) fn wait_past(&self, seen: u64, timeout: Duration) -> bool {
        let stopwatch = Stopwatch::start();
        let mut count = self.count.lock();
        while *count == seen {
            let left = timeout.saturating_sub(stopwatch.elapsed());
            if left.is_zero() {
                return false;
            }
            self.came.wait_for(&mut count, left);
        }
        true
    }

    fn add(&self) {
        let mut count = self.count.lock();
        *count = count.wrapping_add(1);
        self.came.notify_all();
    }
}

/// A transaction has inserted into a capped collection.
#[derive(Debug)]
struct Grown;

impl Note for Grown {
    fn release(self: Box<Self>, states: &States, _: CommitNumber, _: &mut Vec<Waker>) {
        states.get::<Growth>().add();
    }
}

/// Notes that a capped collection grows, once in a transaction.
pub(super) fn note(writer: &mut Writer) {
    if writer.last_note::<Grown>(Slot::Capped).is_none() {
        writer.note(Slot::Capped, Grown);
    }
}
