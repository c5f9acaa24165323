//! Requests that took long: the newest of them, and measuring one after another. What of a request is kept is the door's own `R`.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Stopwatch, Timestamp};

/// The newest of the requests that took long.
#[derive(Debug)]
pub(crate) struct SlowLog<R> {
    entries: VecDeque<Entry<R>>,
    next_id: u64,
}

/// A request that took long.
#[derive(Debug)]
pub(crate) struct Entry<R> {
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) time: Duration,
    pub(crate) request: R,
}

impl<R> Default for SlowLog<R> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), next_id: 0 }
    }
}

impl<R> SlowLog<R> {
    /// Keeps a request that ended at `at` and took `time`, and no more than `most` in all.
    pub(crate) fn push(&mut self, at: Timestamp, time: Duration, request: R, most: usize) {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push_front(Entry { id, at, time, request });
        self.entries.truncate(most);
    }

    /// From the newest on.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<R>> {
        self.entries.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Measures one request after another, with one look at the clock for each.
#[derive(Debug)]
pub(crate) struct Laps(Stopwatch);

impl Laps {
    pub(crate) fn start() -> Self {
        Self(Stopwatch::start())
    }

    /// The time since the call before.
    pub(crate) fn lap(&mut self) -> Duration {
        self.0.restart()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_under_numbers_that_go_on() {
        let mut log = SlowLog::default();
        for request in ["a", "b", "c"] {
            log.push(Timestamp::from_micros(1), Duration::from_secs(1), request, 2);
        }
        let kept: Vec<_> = log.entries().map(|entry| (entry.id, entry.request)).collect();
        assert_eq!(kept, [(2, "c"), (1, "b")]);
        log.clear();
        log.push(Timestamp::from_micros(1), Duration::from_secs(1), "d", 2);
        assert_eq!((log.len(), log.entries().next().unwrap().id), (1, 3));
    }

    #[test]
    fn laps_add_up() {
        let (watch, mut laps) = (Stopwatch::start(), Laps::start());
        std::thread::sleep(Duration::from_millis(2));
        let sum = laps.lap() + laps.lap();
        assert!(sum >= Duration::from_millis(2) && sum <= watch.elapsed(), "{sum:?}");
    }
}
