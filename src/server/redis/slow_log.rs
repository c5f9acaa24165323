//! Commands that took long.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Stopwatch, Timestamp};
use crate::server::redis::door::Door;
use crate::server::redis::spec::{Flags, Spec};

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// A command that took long.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) micros: u64,
    pub(super) words: Vec<Vec<u8>>,
    pub(super) address: String,
    pub(super) name: Vec<u8>,
}

impl SlowLog {
    /// Keeps an entry, and no more than `most`.
    pub(super) fn push(&mut self, mut entry: Entry, most: usize) {
        entry.id = self.next_id;
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(most);
    }

    /// From the newest on.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Measures one command after another, with one look at the clock for each.
#[derive(Debug)]
pub(super) struct Laps {
    watch: Stopwatch,
    last: Duration,
}

impl Laps {
    pub(super) fn start() -> Self {
        Self { watch: Stopwatch::start(), last: Duration::ZERO }
    }

    /// The time since the call before.
    pub(super) fn lap(&mut self) -> Duration {
        let now = self.watch.elapsed();
        let lap = now.saturating_sub(self.last);
        self.last = now;
        lap
    }
}

/// Whether so long a time is kept.
pub(super) fn is_slow(door: &Door, time: Duration) -> bool {
    let slow = u64::try_from(door.parameters.slow_micros());
    slow.is_ok_and(|slow| time.as_micros() >= slow.into())
}

/// Whether a command is kept itself. `EXEC` is not: what it runs is.
pub(super) fn has_entry(spec: &Spec) -> bool {
    !spec.flags.contains(Flags::SKIP_SLOWLOG)
}

/// Keeps a request of the client `id`, if it took long. The words are [`cut`].
pub(super) fn note(door: &Door, id: u64, words: &[Vec<u8>], time: Duration) {
    if !is_slow(door, time) {
        return;
    }
    let clients = door.clients.borrow();
    let client = clients.get(&id);
    let address = client.map(|client| client.address.to_string()).unwrap_or_default();
    let name = client.map(|client| client.name.borrow().clone()).unwrap_or_default();
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let entry = Entry { id: 0, at: door.store.now(), micros, words: words.to_vec(), address, name };
    door.slow_log.borrow_mut().push(entry, door.parameters.slow_log_len());
}
