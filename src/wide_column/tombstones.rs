//! How much that is deleted a read may pass.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits;

/// What an open store has been told.
#[derive(Debug)]
pub(super) struct Thresholds {
    warn: AtomicU64,
    fail: AtomicU64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { warn: limits::WIDE_TOMBSTONES_WARN.into(), fail: limits::WIDE_TOMBSTONES_MAX.into() }
    }
}

impl Thresholds {
    /// After how many a read says so, and after how many it fails.
    pub(super) fn get(&self) -> (u64, u64) {
        (self.warn.load(Ordering::Relaxed), self.fail.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, warn: u64, fail: u64) {
        self.warn.store(warn, Ordering::Relaxed);
        self.fail.store(fail, Ordering::Relaxed);
    }
}
