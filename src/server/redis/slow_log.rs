//! Commands that took long.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Stopwatch, Timestamp};

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
