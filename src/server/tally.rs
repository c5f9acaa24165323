//! What each command of a door has done: how often it ran, how long that took, and how it ended.
//!
//! # How it works
//! A door numbers its commands: each has a *slot*, with a line of counts that is made when it is first needed. A thread of the
//! door has a tally of its own, and is the only one that counts there, so that counting is an addition and no more; whoever else
//! is interested reads, and adds up those of all threads. Which command runs is known to [`Calls`], which never leaves its thread.
//!
//! Times are those that the door measures anyway: what it does not time is counted without.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use crate::limits;
use crate::server::metrics::Metrics;

/// Histogram buckets: bucket *n* counts times up to 1024·2ⁿ ns, the last one everything longer.
pub(crate) const BUCKETS: usize = 27;

/// Seconds that a rate is measured over at least.
const RATE_SECONDS_MIN: f64 = 1.0;

/// The counts of one thread of a door.
#[derive(Debug)]
pub(crate) struct Tally {
    /// By slot.
    names: Arc<[String]>,
    lines: Box<[OnceLock<Box<Line>>]>,
    /// By the code that the error has.
    errors: Mutex<BTreeMap<String, u64>>,
}

/// The counts of a command or subcommand.
#[derive(Debug, Default)]
pub(crate) struct Line {
    calls: Number,
    nanos: Number,
    /// Refused before they ran.
    rejected: Number,
    /// Answered with an error.
    failed: Number,
    buckets: [Number; BUCKETS],
}

/// A count of which only one thread is the writer.
#[derive(Debug, Default)]
struct Number(AtomicU64);

impl Number {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    /// Two moves, where an addition that others can do at the same time would take the memory for itself.
    fn add(&self, more: u64) {
        self.set(self.get().saturating_add(more));
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Failed,
    /// Refused before it ran.
    Rejected,
}

impl Tally {
    /// Counts for a door whose commands have these names, by slot.
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        let lines = names.iter().map(|_| OnceLock::new()).collect();
        Self { names, lines, errors: Mutex::default() }
    }

    /// Counts a call.
    pub(crate) fn count(&self, slot: usize, end: End) {
        let Some(line) = self.lines.get(slot) else { return };
        let line = line.get_or_init(Box::default);
        match end {
            End::Rejected => return line.rejected.add(1),
            End::Failed => line.failed.add(1),
            End::Done => {}
        }
        line.calls.add(1);
    }

    /// Adds the time of a call that was counted.
    pub(crate) fn time(&self, slot: usize, lap: Duration) {
        if let Some(line) = self.lines.get(slot).and_then(OnceLock::get) {
            line.time(lap);
        }
    }

    /// Counts an error by its code.
    pub(crate) fn error(&self, code: &str) {
        let mut errors = self.errors.lock();
        if let Some(count) = errors.get_mut(code) {
            *count += 1;
        } else if errors.len() < limits::ERROR_CODES_MAX {
            // Clients may make up codes of their own: of them, not all are kept.
            errors.insert(code.to_owned(), 1);
        }
    }

    /// How often each code was returned.
    pub(crate) fn errors(&self) -> Vec<(String, u64)> {
        self.errors.lock().iter().map(|(code, count)| (code.clone(), *count)).collect()
    }

    /// The lines on which there is something, with their names, by slot.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.names.iter().zip(&self.lines).filter_map(|(name, line)| {
            let line = line.get().filter(|line| line.calls.get() + line.rejected.get() > 0)?;
            Some((name.as_str(), &**line))
        })
    }

    /// Begins again from 0. Only the thread that counts does so.
    pub(crate) fn reset(&self) {
        self.lines.iter().filter_map(OnceLock::get).for_each(|line| line.clear());
        self.errors.lock().clear();
    }
}

impl Line {
    fn time(&self, lap: Duration) {
        let nanos = u64::try_from(lap.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.add(nanos);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.add(1);
        }
    }

    fn clear(&self) {
        let Self { calls, nanos, rejected, failed, buckets } = self;
        [calls, nanos, rejected, failed].into_iter().chain(buckets).for_each(|number| number.set(0));
    }

    /// Calls that ran, failed ones among them.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.get()
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.get()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.get()
    }

    /// Nanoseconds of all calls that were timed.
    pub(crate) fn nanos(&self) -> u64 {
        self.nanos.get()
    }

    /// Whole microseconds of all calls.
    pub(crate) fn micros(&self) -> u64 {
        self.nanos.get() / 1_000
    }

    /// Microseconds of a call.
    #[expect(clippy::cast_precision_loss, reason = "an average need not be exact")]
    pub(crate) fn micros_per_call(&self) -> f64 {
        self.nanos.get() as f64 / 1_000.0 / self.calls.get().max(1) as f64
    }

    /// How many calls fell into each bucket.
    pub(crate) fn buckets(&self) -> [u64; BUCKETS] {
        self.buckets.each_ref().map(Number::get)
    }

    /// How many calls took no longer than that many microseconds: wherever there are more than before.
    pub(crate) fn histogram(&self) -> Vec<(u64, u64)> {
        let mut sum = 0;
        let counts = self.buckets().into_iter().enumerate().filter(|(_, count)| *count > 0);
        let cumulated = counts.map(|(at, count)| {
            sum += count;
            (bound_nanos(at) / 1_000, sum)
        });
        cumulated.collect()
    }

    /// The microseconds that `percent` of the calls took at most, to the next power of two; `None` without calls.
    #[expect(clippy::cast_precision_loss, reason = "that many calls take longer than the program lives")]
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let buckets = self.buckets();
        let wanted = (percent / 100.0 * buckets.iter().sum::<u64>() as f64).max(1.0);
        let mut sum = 0;
        let at = buckets.iter().position(|count| {
            sum += count;
            sum as f64 >= wanted
        });
        at.map(|at| (bound_nanos(at) - 1) as f64 / 1_000.0)
    }
}

/// The bucket of a time.
fn bucket_of(nanos: u64) -> usize {
    let units = nanos.saturating_sub(1) >> 10;
    usize::try_from(u64::BITS - units.leading_zeros()).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest time of a bucket.
pub(crate) fn bound_nanos(bucket: usize) -> u64 {
    1_024 << bucket.min(BUCKETS)
}

/// What a door's thread runs at the moment, and counts when it has ended. `C` is what the door calls a command.
#[derive(Debug)]
pub(crate) struct Calls<C: Copy> {
    pub(crate) tally: Arc<Tally>,
    /// The command that a client asked for, and whether it has begun to run.
    asked: Cell<Option<(C, bool)>>,
    /// The slot of the call whose time comes next.
    last: Cell<Option<usize>>,
}

impl<C: Copy> Calls<C> {
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self { tally, asked: Cell::new(None), last: Cell::new(None) }
    }

    /// A client asked for a command.
    pub(crate) fn ask(&self, command: C) {
        self.asked.set(Some((command, false)));
    }

    /// What was asked for runs.
    pub(crate) fn begin(&self, command: C) {
        self.asked.set(Some((command, true)));
    }

    /// What was asked for has ended; what was queued, and what is no command, is not counted.
    pub(crate) fn end(&self, slot_of: impl FnOnce(C) -> usize, is_error: bool) {
        self.last.set(None);
        match (self.asked.take(), is_error) {
            (Some((command, true)), false) => self.count(slot_of(command), End::Done),
            (Some((command, true)), true) => self.count(slot_of(command), End::Failed),
            (Some((command, false)), true) => self.count(slot_of(command), End::Rejected),
            (Some((_, false)), false) | (None, _) => {}
        }
    }

    /// Counts a call, the time of which may come next.
    pub(crate) fn count(&self, slot: usize, end: End) {
        self.tally.count(slot, end);
        if end != End::Rejected {
            self.last.set(Some(slot));
        }
    }

    /// Counts a call that another made, which is still running: of a transaction or a script.
    pub(crate) fn within(&self, slot: usize, end: End, lap: Duration) {
        self.count(slot, end);
        self.time(lap);
    }

    /// How long the call that was counted last has taken.
    pub(crate) fn time(&self, lap: Duration) {
        if let Some(slot) = self.last.take() {
            self.tally.time(slot, lap);
        }
    }
}

/// What happens in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) requests: f64,
    pub(crate) read_bytes: f64,
    pub(crate) written_bytes: f64,
}

/// What was counted at the last two moments that somebody asked for rates.
#[derive(Debug, Default)]
pub(crate) struct Samples(Cell<[Sample; 2]>);

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    since_start: Duration,
    metrics: Metrics,
}

impl Samples {
    /// What happens in a second, since somebody asked before, but at least a second ago.
    pub(crate) fn rates(&self, since_start: Duration, metrics: Metrics) -> Rates {
        let [older, newer] = self.0.get();
        let is_old_enough =
            |sample: Sample| (since_start.saturating_sub(sample.since_start)).as_secs_f64() >= RATE_SECONDS_MIN;
        let begin = if is_old_enough(newer) {
            self.0.set([newer, Sample { since_start, metrics }]);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(names: [&str; 3]) -> Arc<Tally> {
        Arc::new(Tally::new(names.map(str::to_owned).into()))
    }

    #[test]
    fn a_call_is_counted_as_it_ended() {
        let tally = tally(["get", "object", "object|encoding"]);
        let calls = Calls::new(Arc::clone(&tally));
        let slot = |slot| slot;
        calls.ask(0);
        calls.end(slot, true);
        calls.begin(0);
        calls.end(slot, true);
        calls.time(Duration::from_micros(3));
        calls.begin(1);
        calls.end(|slot| slot + 1, false);
        // Queued.
        calls.ask(0);
        calls.end(slot, false);
        calls.time(Duration::from_micros(3));
        // No such slot.
        calls.count(3, End::Done);
        calls.time(Duration::from_micros(3));
        calls.within(2, End::Done, Duration::from_micros(7));
        let lines: Vec<_> = tally.lines().map(|(name, line)| (name, line.calls(), line.micros())).collect();
        assert_eq!(lines, [("get", 1, 3), ("object|encoding", 2, 7)]);
        let (_, line) = tally.lines().next().unwrap();
        assert_eq!((line.rejected(), line.failed(), line.nanos()), (1, 1, 3_000));
        tally.reset();
        assert_eq!(tally.lines().count(), 0);
    }

    #[test]
    fn others_read_what_a_thread_counts() {
        let tally = tally(["a", "b", "c"]);
        let counts = Arc::clone(&tally);
        std::thread::spawn(move || counts.count(1, End::Done)).join().unwrap();
        assert_eq!(tally.lines().map(|(name, _)| name).collect::<Vec<_>>(), ["b"]);
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
        assert_eq!(line.buckets().iter().sum::<u64>(), 4);
    }

    #[test]
    fn codes_of_errors_are_bounded() {
        let tally = tally(["a", "b", "c"]);
        for n in 0..limits::ERROR_CODES_MAX + 10 {
            tally.error(&format!("CODE{n}"));
        }
        tally.error("CODE1");
        assert_eq!(tally.errors().len(), limits::ERROR_CODES_MAX);
        assert!(tally.errors().contains(&("CODE1".to_owned(), 2)));
    }

    #[test]
    fn rates_are_of_a_second_at_least() {
        let samples = Samples::default();
        let metrics = |requests| Metrics { requests, ..Metrics::default() };
        let rate = |seconds: f64, requests| {
            let rate = samples.rates(Duration::from_secs_f64(seconds), metrics(requests)).requests;
            rate.round()
        };
        assert_eq!(rate(0.1, 5).total_cmp(&5.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(10.0, 100).total_cmp(&10.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(20.0, 400).total_cmp(&30.0), std::cmp::Ordering::Equal);
        assert_eq!(rate(20.5, 400).total_cmp(&29.0), std::cmp::Ordering::Equal);
    }
}
