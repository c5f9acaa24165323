//! What a door counts, for whoever has opened it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a door has done since it was opened.
///
/// # Examples
/// ```
/// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
/// let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
/// assert_eq!(server.metrics().requests, 0);
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections that were let in or turned away.
    pub connections: u64,
    /// Requests that were run, queued or refused.
    pub requests: u64,
    /// Requests that were answered with an error.
    pub errors: u64,
    /// Bytes that clients sent.
    pub read_bytes: u64,
    /// Bytes that were sent to clients.
    pub written_bytes: u64,
}

impl Metrics {
    /// What has come since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            connections: self.connections.saturating_sub(earlier.connections),
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            read_bytes: self.read_bytes.saturating_sub(earlier.read_bytes),
            written_bytes: self.written_bytes.saturating_sub(earlier.written_bytes),
        }
    }
}

/// Counts, on the door's thread, and read from others.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) connections: Count,
    pub(crate) requests: Count,
    pub(crate) errors: Count,
    pub(crate) read_bytes: Count,
    pub(crate) written_bytes: Count,
}

impl Meter {
    pub(crate) fn read(&self) -> Metrics {
        Metrics {
            connections: self.connections.get(),
            requests: self.requests.get(),
            errors: self.errors.get(),
            read_bytes: self.read_bytes.get(),
            written_bytes: self.written_bytes.get(),
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: usize) {
        // Nothing else is read by what these say.
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// Adds one, and returns how many there are then.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
