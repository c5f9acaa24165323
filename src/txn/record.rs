//! The record of one transaction, made when it has ended.

use crate::clock::Stopwatch;
use crate::engine::CommitNumber;
use crate::error::Error;
use crate::txn::isolation::Isolation;

/// A transaction that somebody listens for. Dropped before it was committed, it was rolled back.
#[derive(Debug)]
pub(super) struct Record {
    isolation: Option<Isolation>,
    attempt: u32,
    watch: Stopwatch,
    entries_written: u64,
    bytes_written: u64,
    outcome: &'static str,
    commit: Option<u64>,
    error: Option<String>,
}

impl Record {
    /// Begins one, if anybody listens; `isolation` is `None` for one that has the turn to write from its beginning.
    #[inline]
    pub(super) fn start(isolation: Option<Isolation>, attempt: u32) -> Option<Box<Self>> {
        tracing::enabled!(target: "larder::transaction", tracing::Level::DEBUG).then(|| {
            Box::new(Self {
                isolation,
                attempt,
                watch: Stopwatch::start(),
                entries_written: 0,
                bytes_written: 0,
                outcome: "rolled_back",
                commit: None,
                error: None,
            })
        })
    }

    /// Its commit begins, with this many changes.
    pub(super) fn changes(&mut self, entries: usize, bytes: usize) {
        (self.entries_written, self.bytes_written) = (entries as u64, bytes as u64);
        // Unless it is ended otherwise.
        self.outcome = "error";
    }

    /// Ends it with what came of its commit.
    pub(super) fn end(mut self, outcome: Result<CommitNumber, &Error>) {
        match outcome {
            Ok(commit) => (self.outcome, self.commit) = ("committed", Some(commit.0)),
            Err(error) => {
                self.outcome = if matches!(error, Error::Conflict { .. }) { "conflict" } else { "error" };
                self.error = Some(error.to_string());
            }
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let micros = u64::try_from(self.watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let isolation = match self.isolation {
            None => "exclusive",
            Some(Isolation::Serializable) => "serializable",
            Some(Isolation::Snapshot) => "snapshot",
        };
        tracing::debug!(
            target: "larder::transaction",
            isolation,
            attempt = self.attempt,
            outcome = self.outcome,
            micros,
            entries_written = self.entries_written,
            bytes_written = self.bytes_written,
            commit = self.commit,
            error = self.error.as_deref(),
        );
    }
}
