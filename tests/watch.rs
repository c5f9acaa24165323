//! Watching keys, as an embedded caller does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use larder::kv::{End, Watch, stream::NewId};
use larder::{Error, ManualClock, Result, Store};

/// What somebody does to a key.
type Change = fn(&Store) -> Result<()>;

/// Whether a transaction of `watch` runs.
fn runs(store: &Store, watch: Watch) -> bool {
    store.transaction_watching(watch, |tx| tx.kv().increment("runs", 1)).unwrap().is_some()
}

// SEM: KV-TX-3
#[test]
fn a_watch_sees_every_kind_of_change_and_nothing_else() {
    let changes: [(&str, Change); 7] = [
        ("a new value", |store| store.kv().set("k", "2")),
        ("the same value", |store| store.kv().set("k", "1")),
        ("a deadline", |store| store.kv().expire("k", Duration::from_secs(9)).map(drop)),
        ("removal", |store| store.kv().remove("k").map(drop)),
        ("renaming", |store| store.kv().rename("k", "other").map(drop)),
        ("emptying the keyspace", |store| store.kv().clear().map(drop)),
        ("swapping the keyspace", |store| store.kv().swap(&store.kv_named("other"))),
    ];
    for (name, change) in changes {
        let store = Store::in_memory();
        store.kv().set("k", "1").unwrap();
        let watch = store.kv().watch(["k", "absent"]).unwrap();
        assert_eq!(watch.len(), 2);
        change(&store).unwrap();
        assert!(!watch.is_unchanged().unwrap() && !runs(&store, watch), "{name}");
        assert!(!store.kv().exists("runs").unwrap(), "{name}: the body did not run");
    }
    let store = Store::in_memory();
    store.kv().set("k", "1").unwrap();
    let watch = store.kv().watch(["k"]).unwrap();
    store.kv().get("k").unwrap();
    store.kv().set("other", "1").unwrap();
    store.kv_named("other").set("k", "1").unwrap();
    store.kv().remove("absent").unwrap();
    assert!(watch.is_unchanged().unwrap() && runs(&store, watch));
}

#[test]
fn a_watch_sees_changes_of_elements() {
    let store = Store::in_memory();
    let kv = store.kv();
    let changes: [&dyn Fn() -> Result<()>; 4] = [
        &|| kv.hash("k").set("field", "2").map(drop),
        &|| kv.hash("k").remove("field").map(drop),
        &|| kv.list("k").push(End::Back, ["value"]).map(drop),
        &|| kv.list("k").pop(End::Back).map(drop),
    ];
    for change in changes {
        let watch = kv.watch(["k"]).unwrap();
        assert!(watch.is_unchanged().unwrap());
        change().unwrap();
        assert!(!runs(&store, watch));
    }
    kv.stream("k").add(NewId::Auto, [("f", "v")]).unwrap();
    let watch = kv.watch(["k"]).unwrap();
    kv.stream("k").add(NewId::Auto, [("f", "v")]).unwrap();
    assert!(!runs(&store, watch));
}

#[test]
fn a_key_that_was_not_there_is_the_same_while_it_is_not_whatever_is_emptied() {
    let store = Store::in_memory();
    for n in 0..5_000 {
        store.kv().set(format!("{n}"), "").unwrap();
    }
    let watch = store.kv().watch(["absent"]).unwrap();
    store.kv().clear().unwrap();
    assert!(runs(&store, watch));
    let watch = store.kv().watch(["absent"]).unwrap();
    store.kv().set("absent", "").unwrap();
    assert!(!runs(&store, watch));
}

// SEM: KV-TX-3
#[test]
fn a_key_that_expires_has_changed() {
    let clock = ManualClock::default();
    let store = Store::builder().clock(clock.clone()).in_memory();
    store.kv().set_with_ttl("k", "1", Duration::from_secs(5)).unwrap();
    let watch = store.kv().watch(["k"]).unwrap();
    clock.advance(Duration::from_secs(4));
    assert!(watch.is_unchanged().unwrap());
    clock.advance(Duration::from_secs(1));
    assert!(!watch.is_unchanged().unwrap() && !runs(&store, watch));
}

#[test]
fn keyspaces_are_watched_together_and_stores_are_not() {
    let (store, other) = (Store::in_memory(), Store::in_memory());
    let mut watch = store.kv().watch([""; 0]).unwrap();
    assert!(watch.is_empty());
    watch.add(&store.kv_named("one"), "k").unwrap();
    watch.add(&store.kv_named("two"), "k").unwrap();
    assert!(matches!(watch.add(&other.kv(), "k"), Err(Error::Invalid { .. })));
    assert!(watch.is_unchanged().unwrap());
    store.kv_named("two").set("k", "1").unwrap();
    assert!(!watch.is_unchanged().unwrap());
    let result = other.transaction_watching(watch, |tx| tx.kv().set("k", "1"));
    assert!(matches!(result, Err(Error::Invalid { .. })));
}

#[test]
fn watching_inside_an_exclusive_transaction_is_refused() {
    let store = Store::in_memory();
    let watch = store.kv().watch(["k"]).unwrap();
    store
        .transaction(|_| {
            assert!(matches!(store.kv().watch(["k"]), Err(Error::NestedTransaction)));
            assert!(matches!(watch.is_unchanged(), Err(Error::NestedTransaction)));
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn threads_that_watch_lose_no_update() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Store::in_memory(), Store::open(dir.path()).unwrap()] {
        store.kv().set("n", "0").unwrap();
        let add = || -> Result<bool> {
            let watch = store.kv().watch(["n"])?;
            let n: u64 = String::from_utf8(store.kv().get("n")?.unwrap()).unwrap().parse().unwrap();
            Ok(store.transaction_watching(watch, |tx| tx.kv().set("n", (n + 1).to_string()))?.is_some())
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| while !add().unwrap() {}));
            }
        });
        assert_eq!(store.kv().get("n").unwrap().as_deref(), Some(&b"100"[..]));
    }
}
