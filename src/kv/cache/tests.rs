//! Threads that miss together. They wait for each other on barriers and counts, never for a time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::kv::Ttl;
use crate::{Error, Store};

const THREADS: usize = 8;
const HOUR: Duration = Duration::from_hours(1);

/// Comes back when this many threads wait for a flight of the store.
fn until_waiting(kv: &Kv, threads: usize) {
    while kv.scope.core().state::<Keys>().flights.waiting() < threads {
        thread::yield_now();
    }
}

fn is_idle(kv: &Kv) -> bool {
    kv.scope.core().state::<Keys>().flights.len() == 0 && kv.scope.core().state::<Keys>().flights.waiting() == 0
}

#[test]
fn of_threads_that_miss_together_one_computes() {
    let store = Store::in_memory();
    let (computed, barrier) = (AtomicUsize::new(0), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            // Handles of their own: what is shared is the store's.
            let (kv, computed, barrier) = (store.kv(), &computed, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let value = kv.get_or_insert_with("k", HOUR, || {
                    until_waiting(&kv, THREADS - 1);
                    computed.fetch_add(1, Ordering::SeqCst);
                    "v"
                });
                assert_eq!(value.unwrap(), b"v");
            });
        }
    });
    assert_eq!(computed.load(Ordering::SeqCst), 1);
    assert!(is_idle(&store.kv()));
}

#[test]
fn after_a_failure_and_a_panic_another_computes() {
    let store = Store::in_memory();
    let attempts = AtomicUsize::new(0);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let run = || {
            let kv = store.kv();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                kv.try_get_or_insert_with("k", HOUR, || {
                    let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                    until_waiting(&kv, THREADS - 1 - attempt);
                    match attempt {
                        0 => Err(Error::application("away")),
                        1 => panic!("a panic of the test's own"),
                        _ => Ok("v"),
                    }
                })
            }));
            match outcome {
                Ok(Ok(value)) => String::from_utf8(value).unwrap(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "panic".to_owned(),
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |what: &str| outcomes.iter().filter(|outcome| *outcome == what).count();
    assert_eq!((count("away"), count("panic"), count("v")), (1, 1, THREADS - 2), "{outcomes:?}");
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    assert!(is_idle(&store.kv()));
}

#[test]
fn other_keys_and_writers_do_not_wait() {
    let kv = Store::in_memory().kv();
    let value = kv.get_or_insert_with("a", HOUR, || {
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                kv.set("written", "meanwhile").unwrap();
                kv.get_or_insert_with("b", HOUR, || "b").unwrap()
            });
            assert_eq!(other.join().unwrap(), b"b");
        });
        // And of the same thread.
        kv.get_or_insert_with("c", HOUR, || "c").unwrap()
    });
    assert_eq!(value.unwrap(), b"c");
    assert!(is_idle(&kv));
}

#[test]
fn who_would_wait_for_itself_is_refused() {
    let kv = Store::in_memory().kv();
    let inner = kv.get_or_insert_with("a", HOUR, || {
        let refused = kv.get_or_insert_with("a", HOUR, || "never").unwrap_err();
        assert!(matches!(refused, Error::Invalid { .. }), "{refused}");
        "a"
    });
    assert_eq!(inner.unwrap(), b"a");

    // Two threads, each of which asks for what the other computes: whichever comes second is refused.
    let (both_compute, refused) = (Barrier::new(2), AtomicUsize::new(0));
    thread::scope(|scope| {
        for (own, other) in [("x", "y"), ("y", "x")] {
            let (kv, both_compute, refused) = (&kv, &both_compute, &refused);
            scope.spawn(move || {
                let value = kv.get_or_insert_with(own, HOUR, || {
                    both_compute.wait();
                    kv.get_or_insert_with(other, HOUR, || "made here").unwrap_or_else(|_| {
                        refused.fetch_add(1, Ordering::SeqCst);
                        b"without".to_vec()
                    })
                });
                assert_eq!(value.unwrap(), b"without");
            });
        }
    });
    assert_eq!(refused.load(Ordering::SeqCst), 1);
    assert!(is_idle(&kv));
}

#[test]
fn what_was_put_there_meanwhile_stays() {
    let kv = Store::in_memory().kv();
    let value = kv.get_or_insert_with("k", HOUR, || {
        kv.set("k", "newer").unwrap();
        "computed"
    });
    assert_eq!(value.unwrap(), b"newer");
    assert_eq!(kv.ttl("k").unwrap(), Ttl::Persistent);
}

#[test]
fn nothing_is_computed_for_what_cannot_be_kept() {
    let store = Store::in_memory();
    let kv = store.kv();
    let refused = |kv: &Kv, key: &str, options: CacheOptions| {
        kv.get_or_insert_with(key, options, || -> &str { panic!("computed") }).unwrap_err()
    };
    for options in [
        Duration::ZERO.into(),
        CacheOptions::new(HOUR).jitter(-0.1),
        CacheOptions::new(HOUR).jitter(1.1),
        CacheOptions::new(HOUR).jitter(f64::NAN),
    ] {
        assert!(matches!(refused(&kv, "k", options), Error::Invalid { .. }));
    }
    kv.sorted_set("z").add("a", 1.0).unwrap();
    assert!(matches!(refused(&kv, "z", HOUR.into()), Error::WrongType { .. }));
    store
        .transaction(|_| {
            assert!(matches!(refused(&kv, "k", HOUR.into()), Error::NestedTransaction));
            Ok::<_, Error>(())
        })
        .unwrap();
    let overlong = vec![0; crate::limits::STRING_BYTES_MAX + 1];
    assert!(matches!(kv.get_or_insert_with("k", HOUR, || &overlong), Err(Error::LimitExceeded { .. })));
    assert!(is_idle(&kv));
}

#[test]
fn jitter_takes_off_up_to_its_fraction_by_key_and_moment() {
    let clock = ManualClock::at(Timestamp::from_seconds(1));
    let kv = Store::builder().clock(clock.clone()).in_memory().kv();
    let options = CacheOptions::new(Duration::from_secs(100)).jitter(0.5);
    let ttl = |key: &str| match kv.ttl(key).unwrap() {
        Ttl::Expires(left) => left,
        other => panic!("{other:?}"),
    };
    let keys: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    let mut ttls = BTreeSet::new();
    for key in &keys {
        kv.get_or_insert_with(key, options, || "v").unwrap();
        ttls.insert(ttl(key));
    }
    assert!(ttls.len() > 45, "{ttls:?}");
    let (least, most) = (ttls.first().unwrap().as_secs(), ttls.last().unwrap().as_secs());
    assert!((50..60).contains(&least) && (90..=100).contains(&most), "{least} {most}");
    let before = ttl("0");
    clock.advance(Duration::from_secs(100));
    kv.get_or_insert_with("0", options, || "v").unwrap();
    assert_ne!(ttl("0"), before);
}
