//! Deadlines of keys: what is seen, what is removed, and when.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::kv::Ttl;
use larder::{Clock, Error, InvalidKind, ManualClock, Stopwatch, Store, Timestamp};

const SECOND: Duration = Duration::from_secs(1);

/// Longest wait for the background thread; it takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn store() -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    (Store::builder().clock(clock.clone()).in_memory(), clock)
}

/// The entry that stays once there was a collection: the end of the block of storage ids.
const BLOCK: u64 = 1;

fn entries(store: &Store) -> u64 {
    store.stats().expect("open").entries.expect("counted in memory")
}

// SEM: KV-EXP-2, KV-EXP-5
#[test]
fn a_key_is_gone_at_its_deadline_whether_swept_or_not() {
    let (store, clock) = store();
    let kv = store.kv();
    kv.set_with_ttl("s", "v", SECOND).unwrap();
    kv.sorted_set("z").add("m", 1.0).unwrap();
    assert!(kv.expire("z", SECOND).unwrap());
    clock.advance(Duration::from_micros(999_999));
    assert_eq!(kv.ttl("s").unwrap(), Ttl::Expires(Duration::from_micros(1)));
    clock.advance(Duration::from_micros(1));
    assert_eq!((kv.ttl("s").unwrap(), kv.get("s").unwrap()), (Ttl::Missing, None));
    let set = kv.sorted_set("z");
    assert_eq!((set.score("m").unwrap(), set.len().unwrap(), set.rank("m").unwrap()), (None, 0, None));
    assert!(set.range(0, -1).unwrap().is_empty() && set.top(1).unwrap().is_empty());
    assert!(kv.keys_matching("*").unwrap().is_empty() && !kv.exists("s").unwrap());
    assert!(entries(&store) > 0, "only hidden so far");
    assert_eq!(store.sweep_expired().unwrap(), 2);
    assert_eq!(entries(&store), BLOCK);
}

#[test]
fn a_write_to_an_expired_key_finds_nothing_and_leaves_nothing_of_it() {
    let (store, clock) = store();
    let kv = store.kv();
    let expire_all = || {
        for key in ["add", "remove", "incr", "delete", "persist", "expire", "set"] {
            kv.sorted_set(key).add("old", 1.0).unwrap();
            kv.expire(key, SECOND).unwrap();
        }
        clock.advance(SECOND);
    };
    expire_all();
    assert!(kv.sorted_set("add").add("old", 2.0).unwrap(), "new");
    assert_eq!(kv.sorted_set("add").len().unwrap(), 1);
    assert!(!kv.sorted_set("remove").remove("old").unwrap());
    assert_eq!(kv.increment("incr", 1).unwrap(), 1, "no wrong type");
    assert!(!kv.remove("delete").unwrap());
    assert!(!kv.persist("persist").unwrap());
    assert!(!kv.expire("expire", SECOND).unwrap());
    kv.set("set", "v").unwrap();
    for key in ["add", "incr", "set"] {
        assert_eq!(kv.ttl(key).unwrap(), Ttl::Persistent);
    }
    assert_eq!(store.sweep_expired().unwrap(), 0, "the writes have removed what had expired");
    assert_eq!(entries(&store), 3 + 1 + 1 + BLOCK, "one set of one member, one counter, one string");
}

// SEM: KV-EXP-3
#[test]
fn a_deadline_that_is_not_in_the_future_removes_at_once() {
    let (store, _) = store();
    let kv = store.kv();
    let removals: [fn(&larder::Kv) -> larder::Result<bool>; 3] = [
        |kv| kv.expire("k", Duration::ZERO),
        |kv| kv.expire_at("k", Timestamp::from_seconds(1_700_000_000)),
        |kv| kv.expire_at("k", Timestamp::from_micros(i64::MIN)),
    ];
    for remove in removals {
        kv.set_with_ttl("k", "v", SECOND).unwrap();
        assert!(remove(&kv).unwrap());
        assert_eq!(entries(&store), 0);
        assert!(!remove(&kv).unwrap());
    }
}

// SEM: KV-EXP-6
#[test]
fn overwriting_drops_a_deadline_and_changing_keeps_it() {
    let (store, clock) = store();
    let kv = store.kv();
    kv.set_with_ttl("n", "1", SECOND).unwrap();
    kv.increment("n", 1).unwrap();
    assert_eq!(kv.ttl("n").unwrap(), Ttl::Expires(SECOND));
    kv.set("n", "1").unwrap();
    assert_eq!(kv.ttl("n").unwrap(), Ttl::Persistent);
    kv.sorted_set("z").add("m", 1.0).unwrap();
    kv.expire("z", SECOND).unwrap();
    kv.sorted_set("z").add("m", 2.0).unwrap();
    kv.sorted_set("z").add("n", 2.0).unwrap();
    assert_eq!(kv.ttl("z").unwrap(), Ttl::Expires(SECOND));
    clock.advance(SECOND);
    assert_eq!(store.sweep_expired().unwrap(), 1);
    assert!(kv.exists("n").unwrap() && !kv.exists("z").unwrap());
}

#[test]
fn a_deadline_goes_with_the_last_member() {
    let (store, clock) = store();
    let set = store.kv().sorted_set("z");
    set.add("m", 1.0).unwrap();
    store.kv().expire("z", SECOND).unwrap();
    set.remove("m").unwrap();
    assert_eq!(entries(&store), BLOCK);
    set.add("m", 1.0).unwrap();
    clock.advance(SECOND);
    assert_eq!(store.sweep_expired().unwrap(), 0);
    assert_eq!(set.len().unwrap(), 1, "the new set has no deadline");
}

// SEM: KV-EXP-7
#[test]
fn times_that_cannot_be_are_refused_and_change_nothing() {
    let (store, _) = store();
    let kv = store.kv();
    kv.set("k", "v").unwrap();
    for outcome in [
        kv.set_with_ttl("k", "new", Duration::ZERO),
        kv.set_with_ttl("k", "new", Duration::from_nanos(999)),
        kv.set_with_ttl("k", "new", Duration::MAX),
        kv.expire("k", Duration::MAX).map(drop),
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Value, .. }), "{error}");
        assert!(error.to_string().starts_with("invalid expire time"), "{error}");
    }
    assert_eq!((kv.get("k").unwrap().unwrap(), kv.ttl("k").unwrap()), (b"v".to_vec(), Ttl::Persistent));
    kv.expire_at("k", Timestamp::from_micros(i64::MAX)).unwrap();
    assert!(kv.exists("k").unwrap());
}

// SEM: KV-EXP-5
#[test]
fn the_last_deadline_counts() {
    let (store, clock) = store();
    let kv = store.kv();
    kv.set_with_ttl("k", "v", SECOND).unwrap();
    kv.expire("k", 3 * SECOND).unwrap();
    clock.advance(2 * SECOND);
    assert_eq!(store.sweep_expired().unwrap(), 0);
    assert_eq!(kv.ttl("k").unwrap(), Ttl::Expires(SECOND));
    assert!(kv.persist("k").unwrap());
    clock.advance(9 * SECOND);
    assert_eq!(store.sweep_expired().unwrap(), 0);
    assert_eq!(kv.get("k").unwrap().as_deref(), Some(&b"v"[..]));
}

#[test]
fn a_clock_that_is_set_back_brings_back_what_is_not_swept() {
    let (store, clock) = store();
    let kv = store.kv();
    kv.set_with_ttl("k", "v", SECOND).unwrap();
    clock.advance(SECOND);
    assert!(!kv.exists("k").unwrap());
    clock.set(Timestamp::from_seconds(1_700_000_000));
    assert_eq!(store.sweep_expired().unwrap(), 0);
    assert!(kv.exists("k").unwrap());
}

#[test]
fn more_deadlines_than_fit_in_one_batch_are_all_worked_off() {
    let (store, clock) = store();
    let due = larder::limits::SWEEP_BATCH_MAX as u64 + 7;
    store.transaction(|tx| (0..due).try_for_each(|n| tx.kv().set_with_ttl(format!("{n}"), "", SECOND))).unwrap();
    store.kv().set("stays", "").unwrap();
    clock.advance(SECOND);
    assert_eq!(store.sweep_expired().unwrap(), due);
    assert_eq!(entries(&store), 1);
}

#[test]
fn a_rolled_back_deadline_is_none() {
    let (store, clock) = store();
    store.kv().set("k", "v").unwrap();
    let outcome = store.transaction(|tx| {
        tx.kv().expire("k", SECOND)?;
        Err::<(), _>(Error::application("no"))
    });
    assert!(outcome.is_err());
    clock.advance(SECOND);
    assert_eq!(store.sweep_expired().unwrap(), 0);
    assert!(store.kv().exists("k").unwrap());
}

#[test]
fn a_fork_expires_by_itself() {
    let (store, clock) = store();
    store.kv().set_with_ttl("k", "v", SECOND).unwrap();
    let fork = store.fork().unwrap();
    fork.kv().persist("k").unwrap();
    let other = store.fork().unwrap();
    clock.advance(SECOND);
    assert!(fork.kv().exists("k").unwrap() && other.kv().exists("k").unwrap() && !store.kv().exists("k").unwrap());
    for fork in [&fork, &other] {
        fork.manual_clock().unwrap().advance(SECOND);
    }
    assert!(fork.kv().exists("k").unwrap() && !other.kv().exists("k").unwrap());
}

// SEM: KV-EXP-2
#[test]
fn on_the_system_clock_the_background_thread_removes() {
    let store = Store::in_memory();
    let never = store.subscribe("nothing is published here").unwrap();
    store.kv().set_with_ttl("far", "v", PATIENCE * 60).unwrap();
    store.kv().sorted_set("near").add("m", 1.0).unwrap();
    store.kv().expire("near", Duration::from_millis(20)).unwrap();
    let watch = Stopwatch::start();
    // Nobody reads or writes the keys; only the entries are counted.
    while entries(&store) > 2 + BLOCK {
        assert!(watch.elapsed() < PATIENCE, "not removed in the background");
        assert!(never.recv_timeout(Duration::from_millis(5)).is_err());
    }
    assert!(store.kv().exists("far").unwrap());
    assert_eq!(entries(&store), 2 + BLOCK, "one key and its deadline");
}

/// A clock that drops the store when the background thread reads the time, after so many earlier reads.
#[derive(Debug)]
struct LastHolder {
    store: Mutex<Option<Store>>,
    reads_before: AtomicU32,
    dropped: Sender<()>,
}

impl Clock for LastHolder {
    fn now(&self) -> Timestamp {
        let in_background = std::thread::current().name() == Some("larder-background");
        if in_background && self.reads_before.fetch_sub(1, Ordering::SeqCst) == 0 {
            drop(self.store.lock().expect("no panic").take());
            self.dropped.send(()).expect("the test waits");
        }
        Timestamp::from_seconds(if in_background { 2 } else { 0 })
    }

    fn runs(&self) -> bool {
        true
    }
}

#[test]
fn the_last_handle_may_go_on_the_thread_that_sweeps() {
    // It reads the time once to know how long to sleep, and once to sweep.
    for reads_before in [0, 1] {
        let (dropped, told) = channel();
        let clock =
            Arc::new(LastHolder { store: Mutex::new(None), reads_before: AtomicU32::new(reads_before), dropped });
        let store = Store::builder().clock(Arc::clone(&clock)).in_memory();
        let kv = store.kv();
        let mut held = clock.store.lock().unwrap();
        kv.set_with_ttl("k", "v", SECOND).unwrap();
        *held = Some(store);
        drop(held);
        told.recv_timeout(PATIENCE).expect("the thread does not wait for itself");
    }
}
