//! What the programs that measure rivals share.

/// Nanoseconds that this thread has had of a processor.
///
/// # Panics
/// Where the system does not tell: on any but Linux.
#[must_use]
pub fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse().ok()).expect("a number")
}
