//! Commands that took longer than `latency-monitor-threshold`: `LATENCY LATEST`, `HISTORY` and `GRAPH`.
//!
//! # Source
//! Redis manual, latency monitoring.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::server::redis::spec::{Flags, Spec};

/// Samples of an event that are kept; the oldest is forgotten first.
const SAMPLES_MAX: usize = 160;

/// What took long, by event.
#[derive(Debug, Default)]
pub(crate) struct Latencies(BTreeMap<&'static str, Event>);

/// An event: that commands of a class took long.
#[derive(Debug, Default)]
pub(crate) struct Event {
    samples: VecDeque<Sample>,
    /// The longest time ever, in milliseconds.
    pub(crate) longest_ms: u64,
}

/// The longest time of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Since the epoch.
    pub(crate) second: i64,
    pub(crate) ms: u64,
}

impl Latencies {
    /// Notes that a command took so long, unless that is less than `threshold_ms`.
    pub(crate) fn note(&mut self, spec: &Spec, at: Timestamp, time: Duration, threshold_ms: u64) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        if ms < threshold_ms {
            return;
        }
        let name = if spec.flags.contains(Flags::FAST) { "fast-command" } else { "command" };
        let event = self.0.entry(name).or_default();
        event.longest_ms = event.longest_ms.max(ms);
        let second = at.as_seconds();
        match event.samples.back_mut().filter(|last| last.second == second) {
            Some(last) => last.ms = last.ms.max(ms),
            None => event.samples.push_back(Sample { second, ms }),
        }
        if event.samples.len() > SAMPLES_MAX {
            event.samples.pop_front();
        }
    }

    /// The events in the order of their names.
    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = (&'static str, &Event)> {
        self.0.iter().map(|(name, event)| (*name, event))
    }

    /// The event of this name, in any case.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Event> {
        self.events().find(|(other, _)| name.eq_ignore_ascii_case(other.as_bytes())).map(|(_, event)| event)
    }

    /// Forgets the events that `is_meant`, and returns how many there were.
    pub(crate) fn forget(&mut self, is_meant: impl Fn(&str) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(|name, _| !is_meant(name));
        before - self.0.len()
    }
}

impl Event {
    /// From the oldest on.
    pub(crate) fn samples(&self) -> impl ExactSizeIterator<Item = Sample> {
        self.samples.iter().copied()
    }

    pub(crate) fn latest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// Lines of text with a column for each sample, the higher the longer it took.
    pub(crate) fn graph(&self, name: &str) -> String {
        /// Lines of the graph.
        const LINES: u64 = 4;
        let times = || self.samples.iter().map(|sample| sample.ms);
        let (low, high) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let mut text = format!("{name}: {low} to {high} ms, at most {} ms ever\n", self.longest_ms);
        for line in (0..LINES).rev() {
            // A column that reaches this line reaches all below it; every one has the lowest.
            let least = low + (high - low) * line / LINES;
            let is_reached = |ms: u64| line == 0 || ms > least;
            let columns: String = times().map(|ms| if is_reached(ms) { '#' } else { ' ' }).collect();
            text.push_str(columns.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::spec::find;

    fn noted(times: &[(i64, u64)]) -> Latencies {
        let mut latencies = Latencies::default();
        for (second, ms) in times {
            let at = Timestamp::from_seconds(*second);
            latencies.note(find(b"keys").unwrap(), at, Duration::from_millis(*ms), 10);
        }
        latencies
    }

    #[test]
    fn a_second_has_its_longest_time_and_what_is_short_is_not_noted() {
        let latencies = noted(&[(1, 9), (1, 20), (1, 30), (1, 10), (2, 12)]);
        let event = latencies.get(b"COMMAND").unwrap();
        let samples: Vec<_> = event.samples().collect();
        assert_eq!(samples, [Sample { second: 1, ms: 30 }, Sample { second: 2, ms: 12 }]);
        assert_eq!((event.longest_ms, event.latest().unwrap().ms), (30, 12));
        assert!(latencies.get(b"fast-command").is_none());
    }

    #[test]
    fn the_oldest_samples_are_forgotten_but_not_the_longest_time() {
        let times: Vec<_> = (0..200).map(|second| (second, if second == 0 { 99 } else { 10 })).collect();
        let latencies = noted(&times);
        let event = latencies.get(b"command").unwrap();
        assert_eq!((event.samples().len(), event.longest_ms), (SAMPLES_MAX, 99));
    }

    #[test]
    fn a_graph_has_higher_columns_for_longer_times() {
        let latencies = noted(&[(1, 10), (2, 30), (3, 50)]);
        let graph = latencies.get(b"command").unwrap().graph("command");
        assert_eq!(graph, "command: 10 to 50 ms, at most 50 ms ever\n  #\n  #\n ##\n###\n");
    }

    #[test]
    fn events_are_forgotten_by_name() {
        let mut latencies = noted(&[(1, 10)]);
        assert_eq!((latencies.forget(|name| name == "other"), latencies.forget(|_| true)), (0, 1));
    }
}
