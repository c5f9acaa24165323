//! What each command has done: how often it ran, how long that took, and how it ended.
//!
//! A command has a line of counts of its own, and so has each of its subcommands; lines are made when they are first
//! needed. The door's thread is the only one that counts, so that counting is an addition and no more. Times are those
//! that the slow log measures anyway: while it is off, calls are counted and their times are not.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::limits;
use crate::server::metrics::Metrics;

/// Buckets of the histogram: bucket *n* counts times up to 1024·2ⁿ ns, the last one everything longer.
const BUCKETS: usize = 27;

/// Seconds that a rate is measured over at least.
const RATE_SECONDS_MIN: f64 = 1.0;

/// The counts of a door.
#[derive(Debug)]
pub(super) struct Tally {
    lines: Vec<OnceCell<Box<Line>>>,
    /// By the code that the error begins with.
    errors: RefCell<BTreeMap<String, u64>>,
    /// The command that a client asked for, and whether it has begun to run.
    asked: Cell<Option<(usize, bool)>>,
    /// The line of the call whose time comes next.
    last: Cell<Option<usize>>,
    samples: Cell<[Sample; 2]>,
}

/// The counts of a command or subcommand.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) calls: Cell<u64>,
    nanos: Cell<u64>,
    /// Refused before they ran.
    pub(super) rejected: Cell<u64>,
    /// Answered with an error.
    pub(super) failed: Cell<u64>,
    buckets: [Cell<u64>; BUCKETS],
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Failed,
    Rejected,
}

/// What was counted at a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    since_start: Duration,
    metrics: Metrics,
}

/// What happens in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rates {
    pub(super) requests: f64,
    pub(super) read_bytes: f64,
    pub(super) written_bytes: f64,
}

impl Tally {
    /// A tally of this many commands and subcommands.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            lines: (0..slots).map(|_| OnceCell::new()).collect(),
            errors: RefCell::default(),
            asked: Cell::new(None),
            last: Cell::new(None),
            samples: Cell::default(),
        }
    }

    /// A client asked for a command.
    pub(super) fn ask(&self, slot: usize) {
        self.asked.set(Some((slot, false)));
    }

    /// What was asked for runs.
    pub(super) fn begin(&self, slot: usize) {
        self.asked.set(Some((slot, true)));
    }

    /// What was asked for has ended; what was queued, and what is no command, is not counted.
    pub(super) fn end(&self, is_error: bool) {
        self.last.set(None);
        match (self.asked.take(), is_error) {
            (Some((slot, true)), false) => self.count(slot, End::Done),
            (Some((slot, true)), true) => self.count(slot, End::Failed),
            (Some((slot, false)), true) => self.count(slot, End::Rejected),
            (Some((_, false)), false) | (None, _) => {}
        }
    }

    /// Counts a call, the time of which may come next.
    pub(super) fn count(&self, slot: usize, end: End) {
        let Some(line) = self.lines.get(slot) else { return };
        let line = line.get_or_init(Box::default);
        let add_one = |cell: &Cell<u64>| cell.set(cell.get() + 1);
        match end {
            End::Rejected => return add_one(&line.rejected),
            End::Failed => add_one(&line.failed),
            End::Done => {}
        }
        add_one(&line.calls);
        self.last.set(Some(slot));
    }

    /// Counts a call that another made, which is still running: of a transaction or a script.
    pub(super) fn within(&self, slot: usize, end: End, lap: Duration) {
        self.count(slot, end);
        self.time(lap);
    }

    /// How long the call that was counted last has taken.
    pub(super) fn time(&self, lap: Duration) {
        let line = self.last.take().and_then(|slot| self.lines.get(slot)?.get());
        if let Some(line) = line {
            line.time(lap);
        }
    }

    /// Counts an error by its code.
    pub(super) fn error(&self, text: &str) {
        let code = text.split(' ').next().unwrap_or_default();
        let mut errors = self.errors.borrow_mut();
        if let Some(count) = errors.get_mut(code) {
            *count += 1;
        } else if errors.len() < limits::ERROR_CODES_MAX {
            // Scripts make up codes of their own: of them, not all are kept.
            errors.insert(code.to_owned(), 1);
        }
    }

    /// How often each code was answered.
    pub(super) fn errors(&self) -> Vec<(String, u64)> {
        self.errors.borrow().iter().map(|(code, count)| (code.clone(), *count)).collect()
    }

    /// The line of a command or subcommand, if there is something on it.
    pub(super) fn line(&self, slot: usize) -> Option<&Line> {
        let line = self.lines.get(slot)?.get()?;
        (line.calls.get() + line.rejected.get() > 0).then_some(&**line)
    }

    /// Sets all counts to zero.
    pub(super) fn reset(&self) {
        self.lines.iter().filter_map(OnceCell::get).for_each(|line| line.clear());
        self.errors.borrow_mut().clear();
        self.last.set(None);
    }

    /// What happens in a second, since somebody asked before, but at least a second ago.
    pub(super) fn rates(&self, since_start: Duration, metrics: Metrics) -> Rates {
        let [older, newer] = self.samples.get();
        let is_old_enough =
            |sample: Sample| (since_start.saturating_sub(sample.since_start)).as_secs_f64() >= RATE_SECONDS_MIN;
        let begin = if is_old_enough(newer) {
            self.samples.set([newer, Sample { since_start, metrics }]);
            newer
        } else {
            older
        };
        let seconds = since_start.saturating_sub(begin.since_start).as_secs_f64().max(RATE_SECONDS_MIN);
        let more = metrics.since(begin.metrics);
        #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
        let rate = |count: u64| count as f64 / seconds;
        Rates {
            requests: rate(more.requests),
            read_bytes: rate(more.read_bytes),
            written_bytes: rate(more.written_bytes),
        }
    }
}

impl Line {
    fn time(&self, lap: Duration) {
        let nanos = u64::try_from(lap.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.set(self.nanos.get().saturating_add(nanos));
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.set(bucket.get() + 1);
        }
    }

    fn clear(&self) {
        let Self { calls, nanos, rejected, failed, buckets } = self;
        [calls, nanos, rejected, failed].into_iter().chain(buckets).for_each(|cell| cell.set(0));
    }

    /// Whole microseconds of all calls.
    pub(super) fn micros(&self) -> u64 {
        self.nanos.get() / 1_000
    }

    /// Microseconds of a call.
    #[expect(clippy::cast_precision_loss, reason = "an average need not be exact")]
    pub(super) fn micros_per_call(&self) -> f64 {
        self.nanos.get() as f64 / 1_000.0 / self.calls.get().max(1) as f64
    }

    /// Pairs of microseconds and how many calls took no longer, for each bucket that has any.
    pub(super) fn histogram(&self) -> Vec<(u64, u64)> {
        let mut sum = 0;
        let counts = self.buckets.iter().enumerate().filter(|(_, count)| count.get() > 0);
        let cumulated = counts.map(|(at, count)| {
            sum += count.get();
            (bound_nanos(at) / 1_000, sum)
        });
        cumulated.collect()
    }

    /// The microseconds that `percent` of the calls took at most, to the next power of two; `None` without calls.
    pub(super) fn percentile(&self, percent: f64) -> Option<f64> {
        let total: u64 = self.buckets.iter().map(Cell::get).sum();
        #[expect(clippy::cast_precision_loss, reason = "so many calls take longer than the program lives")]
        let wanted = (percent / 100.0 * total as f64).max(1.0);
        let mut sum = 0;
        let at = self.buckets.iter().position(|count| {
            sum += count.get();
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let sum = sum as f64;
            sum >= wanted
        });
        #[expect(clippy::cast_precision_loss, reason = "it is a power of two")]
        at.map(|at| (bound_nanos(at) - 1) as f64 / 1_000.0)
    }
}

/// The bucket of a time.
fn bucket_of(nanos: u64) -> usize {
    let units = nanos.saturating_sub(1) >> 10;
    usize::try_from(u64::BITS - units.leading_zeros()).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest time of a bucket.
fn bound_nanos(bucket: usize) -> u64 {
    1_024 << bucket.min(BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_a_line_of_its_own() {
        let tally = Tally::new(3);
        (0..4).for_each(|slot| tally.count(slot, End::Done));
        let calls = |slot| tally.line(slot).map(|line| line.calls.get());
        assert_eq!([0, 1, 2, 3].map(calls), [Some(1), Some(1), Some(1), None]);
    }

    #[test]
    fn a_call_is_counted_as_it_ended() {
        let tally = Tally::new(2);
        tally.ask(0);
        tally.end(true);
        tally.begin(0);
        tally.end(true);
        tally.time(Duration::from_micros(3));
        tally.begin(1);
        tally.end(false);
        // Queued.
        tally.ask(0);
        tally.end(false);
        tally.time(Duration::from_micros(3));
        let counts = |slot| {
            let line = tally.line(slot).unwrap();
            (line.calls.get(), line.rejected.get(), line.failed.get(), line.micros())
        };
        assert_eq!((counts(0), counts(1)), ((1, 1, 1, 3), (1, 0, 0, 0)));
        tally.reset();
        assert!(tally.line(0).is_none() && tally.line(1).is_none());
    }

    #[test]
    fn times_are_told_apart_by_powers_of_two() {
        for (nanos, micros) in [(0, 1), (1_024, 1), (1_025, 2), (2_048, 2), (2_049, 4), (1 << 30, 1_073_741)] {
            assert_eq!(bound_nanos(bucket_of(nanos)) / 1_000, micros, "{nanos}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        let line = Line::default();
        assert_eq!(line.percentile(50.0), None);
        for micros in [1, 1, 100, 100_000] {
            line.time(Duration::from_micros(micros));
        }
        assert_eq!(line.histogram(), [(1, 2), (131, 3), (134_217, 4)]);
        assert_eq!(line.percentile(50.0), Some(1.023));
        assert_eq!(line.percentile(99.9), Some(134_217.727));
    }

    #[test]
    fn codes_of_errors_are_bounded() {
        let tally = Tally::new(0);
        for n in 0..limits::ERROR_CODES_MAX + 10 {
            tally.error(&format!("CODE{n} of a script"));
        }
        tally.error("CODE1 again");
        assert_eq!(tally.errors().len(), limits::ERROR_CODES_MAX);
        assert!(tally.errors().contains(&("CODE1".to_owned(), 2)));
    }

    #[test]
    fn rates_are_of_a_second_at_least() {
        let tally = Tally::new(0);
        let metrics = |requests| Metrics { requests, ..Metrics::default() };
        let rate = |seconds: f64, requests| {
            let rate = tally.rates(Duration::from_secs_f64(seconds), metrics(requests)).requests;
            rate.round()
        };
        assert_eq!(rate(0.1, 5).total_cmp(&5.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(10.0, 100).total_cmp(&10.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(20.0, 400).total_cmp(&30.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(20.5, 400).total_cmp(&29.0), std::cmp::Ordering::Equal);
    }
}
