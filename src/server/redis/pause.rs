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

use crate::server::redis::command::{Command, find};
use crate::server::redis::door::Door;
use crate::server::redis::session::Session;
use crate::server::redis::spec::{Flags, Spec, Traits};

/// What waits, ordered by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Held {
    Writes,
    All,
}

/// The pause that there is, if any.
#[derive(Debug, Default)]
pub(super) struct Pause {
    now: Cell<Option<(Instant, Held)>>,
    changed: Notify,
}

impl Pause {
    /// Whether there may be one; it may be over.
    pub(super) fn is_on(&self) -> bool {
        self.now.get().is_some()
    }

    /// Begins one, or makes the one that there is longer and wider, but not less.
    pub(super) fn begin(&self, time: Duration, held: Held) {
        let Some(until) = Instant::now().checked_add(time) else { return };
        let (until, held) =
            self.current().map_or((until, held), |(other, before)| (other.max(until), before.max(held)));
        self.now.set(Some((until, held)));
        self.changed.notify_waiters();
    }

    pub(super) fn end(&self) {
        self.now.set(None);
        self.changed.notify_waiters();
    }

    /// Waits until it is over, or another.
    pub(super) async fn changes(&self) {
        let changed = self.changed.notified();
        if let Some((until, _)) = self.current() {
            // It is over then, or was changed before.
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    fn current(&self) -> Option<(Instant, Held)> {
        let now = self.now.get().filter(|(until, _)| *until > Instant::now());
        self.now.set(now);
        now
    }
}

/// Whether a request has to wait. What would be refused is refused at once; `CLIENT UNPAUSE` never waits.
pub(super) fn holds(door: &Door, session: &Session, command: Option<&Command>, words: &[&[u8]]) -> bool {
    let Some((_, held)) = door.pause.current() else { return false };
    let Some(command) = command else { return false };
    let spec = command.spec;
    let is_refused =
        command.check(words).is_err() || (!session.is_authenticated && !spec.flags.contains(Flags::NO_AUTH));
    if spec.traits.contains(Traits::UNPAUSED) || is_refused {
        return false;
    }
    held == Held::All || writes(spec) || (spec.traits.contains(Traits::RUNS_QUEUE) && queue_writes(session))
}

/// Whether what a command does is for others too, and not only what it answers.
fn writes(spec: &Spec) -> bool {
    spec.flags.contains(Flags::WRITE) || spec.traits.contains(Traits::REPLICATES)
}

fn queue_writes(session: &Session) -> bool {
    let queued = session.queue.iter().flat_map(|queue| &queue.commands);
    queued.filter_map(|words| find(words)).any(|command| writes(command.spec))
}
