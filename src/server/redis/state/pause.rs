//! `CLIENT PAUSE`: for a time the requests of clients wait, and run when it is over.
//!
//! Only what comes through the door waits; the program that has the store goes on.
//!
//! # Source
//! Redis command reference, `CLIENT PAUSE`, `CLIENT UNPAUSE`.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What waits, ordered by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Held {
    Writes,
    All,
}

/// The pause that there is, if any.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    now: Cell<Option<(Instant, Held)>>,
    changed: Notify,
}

impl Pause {
    /// Whether there may be one; it may be over.
    pub(crate) fn is_on(&self) -> bool {
        self.now.get().is_some()
    }

    /// Begins one, or makes the one that there is longer and wider, but not less.
    pub(crate) fn begin(&self, time: Duration, held: Held) {
        let Some(until) = Instant::now().checked_add(time) else { return };
        let (until, held) =
            self.current().map_or((until, held), |(other, before)| (other.max(until), before.max(held)));
        self.now.set(Some((until, held)));
        self.changed.notify_waiters();
    }

    pub(crate) fn end(&self) {
        self.now.set(None);
        self.changed.notify_waiters();
    }

    /// Waits until it is over, or another.
    pub(crate) async fn changes(&self) {
        let changed = self.changed.notified();
        if let Some((until, _)) = self.current() {
            // It is over then, or was changed before.
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    /// Until when it lasts, and what it holds.
    pub(crate) fn current(&self) -> Option<(Instant, Held)> {
        let now = self.now.get().filter(|(until, _)| *until > Instant::now());
        self.now.set(now);
        now
    }
}
