//! What the programs that measure rivals share.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds that this thread has had of a processor, to now: what `/proc` says of it is as old as the last tick of the system,
/// some milliseconds.
#[must_use]
pub fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Both are positive: a thread has not run for longer than 2^63 ns.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
