//! Threads that a store starts. In a process of its own, because it counts those of the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use larder::kv::EvictionPolicy;
use larder::{Stopwatch, Store};

/// How many threads the process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_store_starts_a_thread_when_it_has_to_and_a_fork_too() {
    const FAR: Duration = Duration::from_hours(24);
    let others = threads();
    let started = || threads() - others;
    let store = Store::in_memory();
    assert_eq!(started(), 0);
    store.kv().set_with_ttl("session", "ann", FAR).unwrap();
    assert_eq!(started(), 1);

    let forks: Vec<_> = (0..50).map(|_| store.fork().unwrap()).collect();
    for fork in &forks {
        fork.kv().set("k", "v").unwrap();
        futures_lite::future::block_on(fork.transaction_async(|tx| tx.kv().increment("n", 1))).unwrap();
    }
    assert_eq!(started(), 1, "what they have inherited alone is not worth a thread, nor is what needs no sync");

    forks.first().unwrap().kv().set_with_ttl("other", "v", FAR).unwrap();
    assert_eq!(started(), 2);
    forks.get(1).unwrap().publish_key_events("KEA".parse().unwrap());
    assert_eq!(started(), 3, "events of what expires are to be told");
    forks.get(2).unwrap().set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLru).unwrap();
    assert_eq!(started(), 4, "what has expired is to make room");
    drop((forks, store));
    // A thread that has been joined may take the system a moment to forget.
    let watch = Stopwatch::start();
    while started() > 0 {
        assert!(watch.elapsed() < Duration::from_mins(2), "a thread outlives its store");
        std::thread::yield_now();
    }
}
