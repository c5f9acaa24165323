//! What one operation reads, writes and returns, counted while somebody listens.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::clock::Stopwatch;
use crate::encoding::owner;
use crate::error::Error;
use crate::txn::operation::Operation;

/// Counts for one operation; nothing, when nobody listens. Clones count together, and the record is made when the last one goes: a cursor
/// that outlives its operation belongs to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Option<Arc<Counts>>);

/// Fields of the record, as `docs/guide/observing.md` lists them.
struct Counts {
    model: &'static str,
    verb: &'static str,
    target: String,
    watch: Stopwatch,
    entries_examined: AtomicU64,
    /// One more than there were; 0 when the model does not report it.
    entries_returned: AtomicU64,
    /// As `entries_returned`.
    entries_dead: AtomicU64,
    bytes_read: AtomicU64,
    entries_written: AtomicU64,
    bytes_written: AtomicU64,
    index: OnceLock<String>,
    outcome: OnceLock<Result<(), String>>,
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts").field("model", &self.model).field("verb", &self.verb).finish_non_exhaustive()
    }
}

impl Meter {
    /// Begins to count for `operation`.
    pub(super) fn start(operation: &Operation<'_>) -> Self {
        let Operation { model, verb, target, .. } = *operation;
        Self(Some(Arc::new(Counts {
            model,
            verb,
            target: target.to_owned(),
            watch: Stopwatch::start(),
            entries_examined: AtomicU64::default(),
            entries_returned: AtomicU64::default(),
            entries_dead: AtomicU64::default(),
            bytes_read: AtomicU64::default(),
            entries_written: AtomicU64::default(),
            bytes_written: AtomicU64::default(),
            index: OnceLock::new(),
            outcome: OnceLock::new(),
        })))
    }

    /// Whether somebody listens.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Counts an entry that was looked at. What names mean is not counted: whether it is looked up depends on who asked before.
    pub(super) fn read(&self, key: &[u8], value: &[u8]) {
        if let Some(counts) = self.0.as_ref().filter(|_| key.first() != Some(&owner::CATALOGUE)) {
            counts.entries_examined.fetch_add(1, Ordering::Relaxed);
            add(&counts.bytes_read, key.len() + value.len());
        }
    }

    /// Counts an entry that was put or removed.
    pub(super) fn wrote(&self, key: &[u8], value: &[u8]) {
        if let Some(counts) = &self.0 {
            counts.entries_written.fetch_add(1, Ordering::Relaxed);
            add(&counts.bytes_written, key.len() + value.len());
        }
    }

    /// Counts more of what the operation returns: documents, rows, items, values.
    pub(crate) fn returned(&self, more: u64) {
        if let Some(counts) = &self.0 {
            report(&counts.entries_returned, more);
        }
    }

    /// Counts more of what the operation met and cannot be seen any more: rows and values that were deleted, or have run out.
    pub(crate) fn dead(&self, more: u64) {
        if let Some(counts) = &self.0 {
            report(&counts.entries_dead, more);
        }
    }

    /// Notes which index is gone through.
    pub(crate) fn index(&self, name: &str) {
        if let Some(counts) = &self.0 {
            counts.index.get_or_init(|| name.to_owned());
        }
    }

    /// Notes how the operation ended; only the first call counts.
    pub(super) fn end<R>(&self, outcome: &Result<R, Error>) {
        if let Some(counts) = &self.0 {
            counts.outcome.get_or_init(|| outcome.as_ref().map(drop).map_err(ToString::to_string));
        }
    }
}

/// Counts more of what a model need not report.
fn report(counter: &AtomicU64, more: u64) {
    // The first call shows that they are counted at all.
    let _ = counter.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
    counter.fetch_add(more, Ordering::Relaxed);
}

fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(bytes as u64, Ordering::Relaxed);
}

impl Drop for Counts {
    fn drop(&mut self) {
        let micros = u64::try_from(self.watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let outcome = match self.outcome.get() {
            Some(Ok(())) => "ok",
            Some(Err(_)) => "error",
            None => "panicked",
        };
        tracing::debug!(
            target: "larder::operation",
            model = self.model,
            verb = self.verb,
            target = &*self.target,
            outcome,
            micros,
            entries_examined = *self.entries_examined.get_mut(),
            entries_returned = self.entries_returned.get_mut().checked_sub(1),
            entries_dead = self.entries_dead.get_mut().checked_sub(1),
            bytes_read = *self.bytes_read.get_mut(),
            entries_written = *self.entries_written.get_mut(),
            bytes_written = *self.bytes_written.get_mut(),
            index = self.index.get().map(String::as_str),
            error = self.outcome.get().and_then(|outcome| outcome.as_ref().err()).map(String::as_str),
        );
    }
}

impl Operation<'_> {
    /// Runs `body`, which counts with the meter it is given, and records how it ended. The record goes to [`tracing`], at debug level and
    /// target `larder::operation`; when nobody listens, nothing is measured.
    pub(super) fn record<R>(self, body: impl FnOnce(&Meter) -> Result<R, Error>) -> Result<R, Error> {
        if !tracing::enabled!(target: "larder::operation", tracing::Level::DEBUG) {
            return body(&Meter::default());
        }
        let meter = Meter::start(&self);
        let outcome = body(&meter);
        meter.end(&outcome);
        outcome
    }
}
