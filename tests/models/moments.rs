//! A snapshot has one moment: what had a deadline when it was taken stays as it was, whatever the clock shows later.

use std::time::Duration;

use larder::bson::doc;
use larder::kv::stream::NewId;
use larder::kv::{End, RateLimit, StreamId, Ttl};
use larder::wide_column::{CqlValue, WriteOptions};
use larder::{Document, Snapshot};

use crate::{store, wide_table};

const SECOND: Duration = Duration::from_secs(1);

/// Everything of every model that depends on time, as `snapshot` shows it.
fn shown(snapshot: &Snapshot) -> Vec<String> {
    let kv = snapshot.kv();
    let limit = kv.rate_limit("limit", RateLimit::fixed_window(2, 10 * SECOND));
    let rows = snapshot.wide_table("shop", "events");
    let group = kv.stream("stream").group("workers");
    vec![
        format!("{:?}", kv.get("string").unwrap()),
        format!("{:?} {:?}", kv.ttl("string").unwrap(), kv.deadline("string").unwrap()),
        format!("{:?}", kv.exists("hash").unwrap()),
        format!("{:?}", kv.hash("hash").get("f").unwrap()),
        format!("{:?}", kv.list("list").get(0).unwrap()),
        format!("{:?}", kv.unsorted_set("set").len().unwrap()),
        format!("{:?}", kv.sorted_set("board").top(3).unwrap()),
        format!("{:?}", kv.stream("stream").len().unwrap()),
        format!("{:?}", group.consumers().unwrap()),
        format!("{:?}", kv.keys_matching("*").unwrap()),
        format!("{:?}", kv.keys_after(None, 100).unwrap()),
        format!("{:?}", kv.nth_key(0).unwrap()),
        format!("{:?}", limit.peek().unwrap()),
        format!("{:?}", rows.select((1,)).to_vec().unwrap().iter().map(|row| row.ttl("name")).collect::<Vec<_>>()),
        format!("{:?}", rows.scan().to_vec().unwrap().len()),
    ]
}

// SEM: ALL-3
#[test]
fn a_snapshot_shows_the_same_for_ever() {
    let (store, clock) = store();
    let (kv, rows) = (store.kv(), wide_table(&store));
    kv.set_with_ttl("string", "v", 10 * SECOND).unwrap();
    kv.hash("hash").set("f", "v").unwrap();
    kv.list("list").push(End::Back, ["v"]).unwrap();
    kv.unsorted_set("set").add("m").unwrap();
    kv.sorted_set("board").add("ann", 1.0).unwrap();
    kv.stream("stream").add(NewId::Auto, [("f", "v")]).unwrap();
    kv.stream("stream").group("workers").create(StreamId::default()).unwrap();
    for key in ["hash", "list", "set", "board", "stream"] {
        kv.expire(key, 10 * SECOND).unwrap();
    }
    let _ = kv.rate_limit("limit", RateLimit::fixed_window(2, 10 * SECOND)).try_acquire(2).unwrap();
    let row = [("id", 1.into()), ("at", CqlValue::Bigint(1)), ("name", "Ann".into())];
    rows.insert_with(&row, WriteOptions::default().ttl_seconds(10)).unwrap();
    let snapshot = store.snapshot().unwrap();
    let (before, clone) = (shown(&snapshot), snapshot.clone());
    let mut cursor = snapshot.wide_table("shop", "events").scan().run().unwrap();
    for seconds in [5, 5, 1, 86_400] {
        clock.advance(seconds * SECOND);
        assert_eq!(shown(&snapshot), before);
    }
    store.sweep_expired().unwrap();
    assert_eq!(shown(&clone), before, "the sweeper has been here");
    assert!(cursor.next().is_some_and(|row| row.is_ok()), "a cursor is at the moment of its snapshot");
    assert!(!kv.exists("string").unwrap() && rows.scan().to_vec().unwrap().is_empty());
    assert_eq!(snapshot.kv().ttl("string").unwrap(), Ttl::Expires(10 * SECOND));
    let later = store.snapshot().unwrap();
    assert!(later.kv().get("string").unwrap().is_none(), "a later one has its own moment");
}

#[test]
fn what_a_snapshot_reads_makes_nothing_recently_used() {
    let (store, clock) = store();
    store.set_memory_budget(None, larder::kv::EvictionPolicy::AllKeysLru).unwrap();
    store.kv().set("k", "v").unwrap();
    let snapshot = store.snapshot().unwrap();
    clock.advance(30 * SECOND);
    snapshot.kv().get("k").unwrap();
    assert_eq!(store.kv().idle_seconds("k").unwrap(), Some(30));
    store.kv().get("k").unwrap();
    snapshot.kv().get("k").unwrap();
    assert_eq!(store.kv().idle_seconds("k").unwrap(), Some(0));
}

#[test]
fn a_fork_is_another_store_and_goes_on_with_its_own_clock() {
    let (store, _clock) = store();
    store.kv().set_with_ttl("k", "v", SECOND).unwrap();
    store.collection::<Document>("c").insert_one(&doc! {}).unwrap();
    let fork = store.fork().unwrap();
    fork.manual_clock().unwrap().advance(SECOND);
    assert!(!fork.kv().exists("k").unwrap());
    assert!(store.kv().exists("k").unwrap());
}
