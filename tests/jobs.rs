//! Dropping costs the same, however much there is: the name goes at once, what is stored in commits of bounded size.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::bson::doc;
use larder::engine::{Changes, Durability, Engine, MemoryEngine, Reads, Ticket};
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema};
use larder::kv::stream::NewId;
use larder::kv::{AddOptions, End, EvictionPolicy, StreamId};
use larder::limits::{JOB_STEP_ENTRIES_MAX, REMOVED_AT_ONCE_MAX};
use larder::wide_column::{CqlType, Order};
use larder::{Document, Error, Kv, ManualClock, Result, Store, Timestamp, wide_column};
use proptest::prelude::*;

use common::{Commits, Watched};

/// Longest wait for the background thread; it takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Notes how many entries each commit changes.
#[derive(Debug, Default)]
struct Sizes(Mutex<Vec<usize>>);

impl Commits for Sizes {
    fn commit(
        &self,
        inner: &MemoryEngine,
        changes: &Changes,
        reads: Option<&Reads>,
        durability: Durability,
    ) -> Result<Ticket> {
        self.0.lock().unwrap().push(changes.len());
        inner.commit(changes, reads, durability)
    }
}

type Counted = Watched<Sizes>;

impl Counted {
    /// The sizes of the commits since this was last asked.
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.commits.0.lock().unwrap())
    }

    fn put(&self, key: &[u8], value: &[u8]) {
        self.inner.commit(&Changes::putting(key, value), None, Durability::None).unwrap().wait().unwrap();
    }
}

fn counted() -> (Store, Arc<Counted>, ManualClock) {
    let (engine, clock) =
        (Arc::new(Counted::new(Sizes::default())), ManualClock::at(Timestamp::from_seconds(1_700_000_000)));
    let store = Store::builder().clock(clock.clone()).engine(Arc::clone(&engine) as Arc<dyn Engine>).unwrap();
    (store, engine, clock)
}

fn entries(store: &Store) -> u64 {
    store.stats().unwrap().entries.unwrap()
}

const MANY: usize = 20_000;

fn many() -> impl Iterator<Item = String> {
    (0..MANY).map(|n| n.to_string())
}

/// Runs `drop`, asserts that it was one small commit, and returns what it returned.
fn in_one_small_commit<R>(engine: &Counted, drop: impl FnOnce() -> Result<R>) -> R {
    engine.take();
    let value = drop().unwrap();
    let commits = engine.take();
    assert!(commits.len() == 1 && commits[0] <= 10, "entries changed by each commit: {commits:?}");
    value
}

/// Runs the jobs, and asserts that each commit was of bounded size and that so many entries are left.
fn run_jobs(store: &Store, engine: &Counted, left: u64) {
    engine.take();
    store.run_jobs().unwrap();
    let most = engine.take().into_iter().max().unwrap_or(0);
    assert!(most <= JOB_STEP_ENTRIES_MAX + REMOVED_AT_ONCE_MAX + 10, "a commit changed {most} entries");
    assert_eq!((store.pending_jobs().unwrap(), entries(store)), (0, left));
}

/// Makes a large collection of each kind at `prefix` and the name of the kind.
fn fill(kv: &Kv, prefix: &str) -> Vec<String> {
    kv.unsorted_set(format!("{prefix}set")).add_many(many()).unwrap();
    kv.hash(format!("{prefix}hash")).set_many(many().map(|n| (n, "v"))).unwrap();
    kv.list(format!("{prefix}list")).push(End::Back, many()).unwrap();
    kv.sorted_set(format!("{prefix}sorted_set")).add_many(many().map(|n| (n, 1.0)), AddOptions::default()).unwrap();
    ["set", "hash", "list", "sorted_set"].map(|kind| format!("{prefix}{kind}")).to_vec()
}

#[test]
fn removing_a_large_group_changes_few_entries_and_a_new_one_of_its_name_has_nothing_of_it() {
    let (store, engine, _) = counted();
    let stream = store.kv().stream("s");
    store
        .transaction(|tx| {
            let stream = tx.kv().stream("s");
            (0..MANY).try_for_each(|_| stream.add(NewId::Auto, [("a", "1")]).map(drop))
        })
        .unwrap();
    let (group, other) = (stream.group("g"), stream.group("other"));
    for group in [&group, &other] {
        group.create(StreamId::MIN).unwrap();
    }
    other.read("ann", Some(3)).unwrap();
    let left = entries(&store);
    assert_eq!(group.read("ann", None).unwrap().len(), MANY);
    assert!(in_one_small_commit(&engine, || group.remove()));
    assert!(store.pending_jobs().unwrap() > 0);
    group.create(StreamId::MIN).unwrap();
    assert_eq!((group.pending().unwrap().count, group.consumers().unwrap().len()), (0, 0));
    assert!(store.kv().copy("s", &store.kv(), "t").unwrap());
    assert_eq!(store.kv().stream("t").group("other").pending().unwrap().count, 3);
    assert!(in_one_small_commit(&engine, || store.kv().remove("t")));
    run_jobs(&store, &engine, left);
    assert_eq!((stream.len().unwrap(), other.pending().unwrap().count), (MANY as u64, 3));
    assert_eq!(group.read("bob", None).unwrap().len(), MANY);
    assert!(in_one_small_commit(&engine, || store.kv().remove("s")));
    store.run_jobs().unwrap();
    assert_eq!(store.kv().len().unwrap(), 0);
}

#[test]
fn removing_a_large_key_changes_few_entries_whatever_removes_it() {
    let (store, engine, clock) = counted();
    let kv = store.kv();
    kv.unsorted_set("small").add("m").unwrap();
    let left = entries(&store);
    for key in fill(&kv, "deleted:") {
        assert!(in_one_small_commit(&engine, || kv.remove(&key)));
    }
    for key in fill(&kv, "overwritten:") {
        in_one_small_commit(&engine, || kv.set(&key, "v"));
        assert!(in_one_small_commit(&engine, || kv.remove(&key)));
    }
    for key in fill(&kv, "renamed over:") {
        kv.set("other", "v").unwrap();
        assert!(in_one_small_commit(&engine, || kv.rename("other", &key)));
        kv.remove(&key).unwrap();
    }
    for key in fill(&kv, "expired:") {
        assert!(in_one_small_commit(&engine, || kv.expire(&key, Duration::from_secs(1))));
        clock.advance(Duration::from_secs(1));
        assert_eq!(in_one_small_commit(&engine, || store.sweep_expired()), 1);
    }
    assert_eq!(kv.len().unwrap(), 1);
    assert_eq!(store.pending_jobs().unwrap(), 16);
    run_jobs(&store, &engine, left);
}

#[test]
fn renaming_and_moving_a_large_key_take_its_head_along_and_nothing_else() {
    let (store, engine, _) = counted();
    let (kv, other) = (store.kv(), store.kv_named("other"));
    for key in fill(&kv, "") {
        assert!(in_one_small_commit(&engine, || kv.rename(&key, "renamed")));
        assert!(in_one_small_commit(&engine, || kv.move_to("renamed", &other)));
        assert!(in_one_small_commit(&engine, || other.rename("renamed", &key)));
    }
    assert_eq!(kv.len().unwrap(), 0);
    assert_eq!(other.unsorted_set("set").len().unwrap(), MANY as u64);
    assert_eq!(other.hash("hash").get("7").unwrap().as_deref(), Some(&b"v"[..]));
    assert_eq!(other.list("list").get(-1).unwrap(), many().last().map(String::into_bytes));
    assert_eq!(other.sorted_set("sorted_set").len().unwrap(), MANY as u64);
    assert_eq!(store.pending_jobs().unwrap(), 0);
}

#[test]
fn what_is_small_is_removed_at_once_and_leaves_no_job() {
    let (store, _, _) = counted();
    let kv = store.kv();
    kv.unsorted_set("first").add("m").unwrap();
    let left = entries(&store);
    let few = || (0..REMOVED_AT_ONCE_MAX).map(|n| n.to_string());
    kv.unsorted_set("set").add_many(few()).unwrap();
    kv.remove("set").unwrap();
    assert_eq!((store.pending_jobs().unwrap(), entries(&store)), (0, left));
    kv.set_all(&few().map(|n| (n, "v")).collect::<Vec<_>>()).unwrap();
    kv.remove("first").unwrap();
    assert_eq!(kv.clear().unwrap(), REMOVED_AT_ONCE_MAX as u64);
    assert_eq!((store.pending_jobs().unwrap(), entries(&store)), (0, left - 2));
}

#[test]
fn emptying_and_swapping_keyspaces_changes_few_entries() {
    let (store, engine, clock) = counted();
    let (kv, other) = (store.kv(), store.kv_named("other"));
    fill(&kv, "");
    let strings: Vec<_> = many().map(|n| (format!("string:{n}"), "v")).collect();
    kv.set_all(&strings).unwrap();
    for n in 0..100 {
        kv.expire(format!("string:{n}"), Duration::from_mins(1)).unwrap();
    }
    other.set("k", "v").unwrap();
    in_one_small_commit(&engine, || kv.swap(&other));
    assert_eq!((kv.len().unwrap(), other.len().unwrap()), (1, MANY as u64 + 4));
    assert_eq!(other.get("string:7").unwrap().as_deref(), Some(&b"v"[..]));
    in_one_small_commit(&engine, || other.swap(&kv));
    assert_eq!(in_one_small_commit(&engine, || kv.clear()), MANY as u64 + 4);
    assert_eq!((kv.len().unwrap(), other.len().unwrap()), (0, 1));
    kv.set("string:7", "new").unwrap();
    clock.advance(Duration::from_mins(1));
    // Where the keyspace is, in two entries; two keys; the end of the block of storage ids.
    run_jobs(&store, &engine, 5);
    assert_eq!(kv.get("string:7").unwrap().as_deref(), Some(&b"new"[..]));
    assert_eq!(store.list_kv_names().unwrap(), ["0", "other"]);
    assert_eq!(store.sweep_expired().unwrap(), 0, "the deadlines went with their keys");
}

#[test]
fn no_event_tells_of_keys_that_expire_after_their_keyspace_was_emptied() {
    let (store, _, clock) = counted();
    store.publish_key_events(larder::kv::KeyEvents::ALL | larder::kv::KeyEvents::ON_EVENT_CHANNELS);
    let kv = store.kv();
    for n in 0..100 {
        kv.set_with_ttl(n.to_string(), "v", Duration::from_secs(1)).unwrap();
    }
    kv.clear().unwrap();
    let heard = store.subscribe_pattern("*").unwrap();
    clock.advance(Duration::from_secs(1));
    store.sweep_expired().unwrap();
    store.run_jobs().unwrap();
    assert!(heard.try_recv().unwrap().is_none());
    kv.set("k", "v").unwrap();
    assert_eq!(heard.try_recv().unwrap().unwrap().channel(), b"__keyevent@0__:set", "under the keyspace's name");
    assert_eq!(store.key_stats().expired, 0);
}

#[test]
fn dropping_collections_indexes_and_tables_changes_few_entries() {
    let (store, engine, clock) = counted();
    let events = store.collection::<Document>("events");
    events.create_index(doc! { "kind": 1 }).unwrap();
    events.insert_many((0..20_000).map(|n| doc! { "_id": n, "kind": "login" })).unwrap();
    let items = store.item_table("items");
    let index = GlobalIndex::new("by_kind", "kind", ScalarAttributeType::S);
    items.create(TableSchema::new("pk", ScalarAttributeType::S).global_index(index)).unwrap();
    let rows = store.wide_table("shop", "rows");
    let schema = wide_column::TableSchema::new().partition_key("p", CqlType::Int);
    rows.create(schema.clustering("n", CqlType::Int, Order::Ascending)).unwrap();
    let insert = rows.prepare_insert(&["p", "n"]).unwrap();
    let fill_rows = || {
        let expiring = wide_column::WriteOptions::default().ttl_seconds(60);
        store
            .transaction(|tx| {
                let insert = tx.wide_table("shop", "rows").prepare_insert(&["p", "n"])?;
                (0..1_000).try_for_each(|n| insert.execute_with((1, n), expiring))
            })
            .unwrap();
    };
    store
        .transaction(|tx| {
            let items = tx.item_table("items");
            many().try_for_each(|n| items.put(&Item::new().with("pk", n).with("kind", "login")).map(drop))
        })
        .unwrap();
    fill_rows();

    in_one_small_commit(&engine, || events.drop_index("kind_1"));
    assert_eq!(events.count_documents(doc! { "kind": "login" }).unwrap(), MANY as u64);
    assert!(in_one_small_commit(&engine, || store.database("default").drop_collection("events")));
    in_one_small_commit(&engine, || items.delete_table());
    in_one_small_commit(&engine, || rows.truncate());
    assert!(rows.scan().to_vec().unwrap().is_empty());
    insert.execute((1, 7)).unwrap();
    assert_eq!(rows.select((1,)).to_vec().unwrap().len(), 1, "what was prepared before goes where the rows are now");
    fill_rows();
    assert!(in_one_small_commit(&engine, || rows.drop_table()));
    assert!(insert.execute((1, 7)).is_err());

    assert_eq!(events.count_documents(doc! {}).unwrap(), 0);
    events.insert_one(&doc! { "_id": 1 }).unwrap();
    // The name, record and index entry of the new collection; the last id and the last time.
    run_jobs(&store, &engine, 5);
    assert_eq!(events.count_documents(doc! {}).unwrap(), 1);
    clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(store.sweep_expired().unwrap(), 0, "the deadlines went with their rows");
}

#[test]
fn a_drop_that_rolls_back_leaves_everything_and_no_job() {
    let (store, _, _) = counted();
    let kv = store.kv();
    fill(&kv, "");
    store.collection::<Document>("events").insert_many((0..100).map(|n| doc! { "_id": n })).unwrap();
    let before = entries(&store);
    let outcome = store.transaction(|tx| {
        tx.kv().remove("set")?;
        tx.kv().clear()?;
        tx.kv().set("k", "v")?;
        tx.database("default").drop_collection("events")?;
        assert_eq!((tx.kv().len()?, tx.kv().get("k")?), (1, Some(b"v".to_vec())));
        assert_eq!(tx.collection::<Document>("events").count_documents(doc! {})?, 0);
        Err::<(), _>(Error::Closed)
    });
    assert!(outcome.is_err());
    assert_eq!((store.pending_jobs().unwrap(), entries(&store)), (0, before));
    assert_eq!((kv.len().unwrap(), kv.unsorted_set("set").len().unwrap()), (4, MANY as u64));
    assert_eq!(store.collection::<Document>("events").count_documents(doc! {}).unwrap(), 100);
}

#[test]
fn snapshots_and_forks_keep_what_is_dropped_after_them() {
    let (store, engine, _) = counted();
    let kv = store.kv();
    fill(&kv, "");
    let (before, fork) = (store.snapshot().unwrap(), store.fork().unwrap());
    kv.remove("set").unwrap();
    kv.set_all(&many().map(|n| (n, "v")).collect::<Vec<_>>()).unwrap();
    kv.clear().unwrap();
    let after = store.fork().unwrap();
    store.run_jobs().unwrap();
    engine.take();
    assert_eq!(before.kv().unsorted_set("set").len().unwrap(), MANY as u64);
    assert_eq!(fork.kv().hash("hash").len().unwrap(), MANY as u64);
    assert_eq!((after.kv().len().unwrap(), after.pending_jobs().unwrap()), (0, 2));
    after.kv().unsorted_set("set").add("m").unwrap();
    after.run_jobs().unwrap();
    assert_eq!(after.kv().unsorted_set("set").len().unwrap(), 1);
}

#[test]
fn jobs_go_on_after_a_store_was_opened_again_and_ids_are_not_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::builder().clock(ManualClock::default()).durability(Durability::None).open(dir.path()).unwrap();
    let store = open();
    store.kv().unsorted_set("set").add_many(many()).unwrap();
    store.kv().remove("set").unwrap();
    store.close().unwrap();
    for _ in 0..3 {
        let store = open();
        assert_eq!(store.pending_jobs().unwrap(), 1);
        store.kv().unsorted_set("set").add("m").unwrap();
        assert_eq!(store.kv().unsorted_set("set").len().unwrap(), 1, "nothing of the one that was removed");
        store.kv().remove("set").unwrap();
        store.close().unwrap();
    }
    let store = open();
    assert_eq!(store.run_jobs().unwrap(), MANY as u64);
    // The end of the block of storage ids.
    assert_eq!((store.pending_jobs().unwrap(), entries(&store)), (0, 1));
}

#[test]
fn the_background_thread_works_jobs_off_those_of_an_opened_store_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::builder().clock(ManualClock::default()).open(dir.path()).unwrap();
    store.kv().unsorted_set("set").add_many(many()).unwrap();
    store.kv().remove("set").unwrap();
    store.close().unwrap();
    let store = Store::open(dir.path()).unwrap();
    await_jobs(&store);
    store.kv().hash("hash").set_many(many().map(|n| (n, "v"))).unwrap();
    store.kv().remove("hash").unwrap();
    await_jobs(&store);
    assert_eq!(entries(&store), 1);
}

fn await_jobs(store: &Store) {
    let watch = larder::Stopwatch::start();
    while store.pending_jobs().unwrap() > 0 {
        assert!(watch.elapsed() < PATIENCE, "the background thread does nothing");
        std::thread::yield_now();
    }
}

#[test]
fn a_job_that_fails_stops_no_other_and_is_tried_again() {
    let (store, engine, _) = counted();
    let kv = store.kv();
    kv.set_all(&many().map(|n| (n, "v")).collect::<Vec<_>>()).unwrap();
    engine.put(b"\x20\x30\0\0damaged", b"\xff");
    kv.clear().unwrap();
    kv.unsorted_set("set").add_many(many()).unwrap();
    kv.remove("set").unwrap();
    store.collection::<Document>("events").insert_many((0..100).map(|n| doc! { "_id": n })).unwrap();
    store.database("default").drop_collection("events").unwrap();
    assert_eq!(store.pending_jobs().unwrap(), 3);
    for _ in 0..2 {
        assert!(matches!(store.run_jobs(), Err(Error::Corruption { .. })));
        assert_eq!(store.pending_jobs().unwrap(), 1);
    }
    engine.put(b"\x20\x30\0\0damaged", b"\x01\0v");
    store.run_jobs().unwrap();
    assert_eq!(store.pending_jobs().unwrap(), 0);
}

#[test]
fn a_deadline_that_cannot_be_worked_off_stops_no_other() {
    let (store, engine, clock) = counted();
    let kv = store.kv();
    for key in ["a", "b", "c"] {
        kv.set_with_ttl(key, "v", Duration::from_secs(1)).unwrap();
    }
    engine.put(b"\x20\x30\0\0b", b"\xff");
    clock.advance(Duration::from_secs(1));
    assert!(matches!(store.sweep_expired(), Err(Error::Corruption { .. })));
    assert_eq!(kv.len().unwrap(), 1, "the damaged one");
    assert_eq!(store.key_stats().expired, 2);
}

#[test]
fn a_sweep_is_bounded_by_what_it_removes_not_by_how_many_deadlines_it_works_off() {
    let (store, engine, clock) = counted();
    let kv = store.kv();
    for key in 0..500 {
        let set = kv.unsorted_set(key.to_string());
        set.add_many((0..REMOVED_AT_ONCE_MAX).map(|n| n.to_string())).unwrap();
        kv.expire(key.to_string(), Duration::from_secs(1)).unwrap();
    }
    clock.advance(Duration::from_secs(1));
    engine.take();
    assert_eq!(store.sweep_expired().unwrap(), 500);
    let most = engine.take().into_iter().max().unwrap();
    assert!(most <= JOB_STEP_ENTRIES_MAX + REMOVED_AT_ONCE_MAX + 10, "a commit changed {most} entries");
    assert_eq!(entries(&store), 1);
}

#[test]
fn an_optimistic_transaction_conflicts_with_what_was_dropped_under_it() {
    let (store, _, _) = counted();
    let kv = store.kv();
    kv.unsorted_set("set").add_many(many()).unwrap();
    kv.set_all(&many().map(|n| (n, "v")).collect::<Vec<_>>()).unwrap();
    let tx = store.begin().unwrap();
    tx.kv().unsorted_set("set").add("late").unwrap();
    kv.remove("set").unwrap();
    kv.unsorted_set("set").add("new").unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());

    let tx = store.begin().unwrap();
    tx.kv().set("7", "late").unwrap();
    kv.clear().unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());
    let tx = store.begin().unwrap();
    tx.kv().set("7", "late").unwrap();
    kv.swap(&store.kv_named("other")).unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());
    let (one, two) = (store.begin().unwrap(), store.begin().unwrap());
    one.kv().set("one", "1").unwrap();
    two.kv().set("two", "2").unwrap();
    one.commit().unwrap();
    two.commit().unwrap();
    assert_eq!(kv.len().unwrap(), 2);
    store.run_jobs().unwrap();
    assert_eq!(kv.len().unwrap(), 2);
}

#[test]
fn an_optimistic_drop_is_a_drop() {
    let (store, engine, _) = counted();
    let kv = store.kv();
    kv.set_all(&many().map(|n| (n, "v")).collect::<Vec<_>>()).unwrap();
    let tx = store.begin().unwrap();
    assert_eq!(tx.kv().clear().unwrap(), MANY as u64);
    tx.kv().set("k", "v").unwrap();
    tx.commit().unwrap();
    assert_eq!(kv.len().unwrap(), 1);
    run_jobs(&store, &engine, 4);
}

#[test]
fn dropping_what_is_large_makes_room_and_evicting_it_too() {
    let value = "v".repeat(1_000);
    for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLru] {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let kv = store.kv();
        kv.hash("hash").set_many((0..5_000).map(|n| (n.to_string(), value.as_str()))).unwrap();
        store.set_memory_budget(Some(1 << 20), policy).unwrap();
        if policy == EvictionPolicy::NoEviction {
            assert!(matches!(kv.set("k", "v"), Err(Error::OutOfMemory { .. })));
            kv.remove("hash").unwrap();
        }
        for n in 0..10 {
            kv.set(format!("k{n}"), "v").unwrap();
        }
        assert_eq!(kv.len().unwrap(), 10, "only what was large is gone");
        assert!(store.stats().unwrap().bytes.unwrap() <= 1 << 20, "the writers have removed it");
        let outcome = (0..2_000).try_for_each(|n| kv.set(format!("live{n}"), &value));
        assert_eq!(outcome.is_err(), policy == EvictionPolicy::NoEviction, "what lives is bounded as ever");
    }
}

/// What is done to three keyspaces.
#[derive(Clone, Debug)]
enum Op {
    Set(usize, u8, u8),
    Add(usize, u8, u8),
    /// More keys than are removed at once.
    Fill(usize),
    Remove(usize, u8),
    Rename(usize, u8, u8),
    Move(usize, u8, usize),
    Clear(usize),
    Swap(usize, usize),
    RunJobs,
}

fn op() -> impl Strategy<Value = Op> {
    let (space, key) = (|| 0..3usize, || 0..3u8);
    prop_oneof![
        4 => (space(), key(), any::<u8>()).prop_map(|(space, key, value)| Op::Set(space, key, value)),
        4 => (space(), key(), 0..3u8).prop_map(|(space, key, member)| Op::Add(space, key, member)),
        2 => space().prop_map(Op::Fill),
        2 => (space(), key()).prop_map(|(space, key)| Op::Remove(space, key)),
        2 => (space(), key(), key()).prop_map(|(space, from, to)| Op::Rename(space, from, to)),
        2 => (space(), key(), space()).prop_map(|(from, key, to)| Op::Move(from, key, to)),
        3 => space().prop_map(Op::Clear),
        4 => (space(), space()).prop_map(|(one, two)| Op::Swap(one, two)),
        1 => Just(Op::RunJobs),
    ]
}

/// Keys with a string, or the members of a set.
type Model = [BTreeMap<Vec<u8>, std::result::Result<Vec<u8>, Vec<Vec<u8>>>>; 3];

const FILLED: usize = REMOVED_AT_ONCE_MAX + 6;

fn apply_to_model(op: &Op, model: &mut Model) {
    match *op {
        Op::Set(space, key, value) => drop(model[space].insert(vec![key], Ok(vec![value]))),
        Op::Add(space, key, member) => {
            if let Err(set) = model[space].entry(vec![key]).or_insert_with(|| Err(Vec::new()))
                && let Err(place) = set.binary_search(&vec![member])
            {
                set.insert(place, vec![member]);
            }
        }
        Op::Fill(space) => {
            model[space].extend((0..FILLED).map(|n| (format!("filled{n:03}").into_bytes(), Ok(b"v".to_vec()))));
            model[space].insert(vec![2], Err((0..FILLED).map(|n| format!("m{n:03}").into_bytes()).collect()));
        }
        Op::Remove(space, key) => drop(model[space].remove(&vec![key])),
        Op::Rename(space, from, to) => {
            if let Some(value) = model[space].remove(&vec![from]) {
                model[space].insert(vec![to], value);
            }
        }
        Op::Move(from, key, to) => {
            if from != to
                && !model[to].contains_key(&vec![key])
                && let Some(value) = model[from].remove(&vec![key])
            {
                model[to].insert(vec![key], value);
            }
        }
        Op::Clear(space) => model[space].clear(),
        Op::Swap(one, two) => model.swap(one, two),
        Op::RunJobs => {}
    }
}

fn apply<S: larder::WriteScope>(op: &Op, spaces: &[Kv<S>; 3]) -> Result<()> {
    match op {
        Op::Set(space, key, value) => spaces[*space].set([*key], [*value])?,
        Op::Add(space, key, member) => match spaces[*space].unsorted_set([*key]).add([*member]) {
            Ok(_) | Err(Error::WrongType { .. }) => {}
            Err(error) => return Err(error),
        },
        Op::Fill(space) => {
            for n in 0..FILLED {
                spaces[*space].set(format!("filled{n:03}"), "v")?;
            }
            spaces[*space].remove([2])?;
            spaces[*space].unsorted_set([2]).add_many((0..FILLED).map(|n| format!("m{n:03}")))?;
        }
        Op::Remove(space, key) => drop(spaces[*space].remove([*key])?),
        Op::Rename(space, from, to) => drop(spaces[*space].rename([*from], [*to])?),
        Op::Move(from, key, to) => drop(spaces[*from].move_to([*key], &spaces[*to])?),
        Op::Clear(space) => drop(spaces[*space].clear()?),
        Op::Swap(one, two) => spaces[*one].swap(&spaces[*two])?,
        Op::RunJobs => {}
    }
    Ok(())
}

fn check<S: larder::Scope>(spaces: &[Kv<S>; 3], model: &Model) {
    for (space, expected) in spaces.iter().zip(model) {
        let keys: Vec<_> = space.keys_after(None, 1_000).unwrap().into_iter().map(|(key, _)| key).collect();
        assert!(keys.iter().eq(expected.keys()), "{keys:?}");
        assert_eq!(space.len().unwrap(), expected.len() as u64);
        for (key, value) in expected {
            match value {
                Ok(string) => assert_eq!(space.get(key).unwrap().as_ref(), Some(string)),
                Err(members) => {
                    let set = space.unsorted_set(key);
                    assert_eq!(&set.members().unwrap(), members);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn keyspaces_hold_what_they_are_given_wherever_they_are_stored(
        runs in prop::collection::vec((prop::collection::vec(op(), 1..8), 0..4u8), 1..8),
    ) {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let names = ["0", "one", "two"];
        // Kept over all runs, so that what they remember of places is put to the test.
        let spaces = names.map(|name| store.kv_named(name));
        let mut model = Model::default();
        for (ops, how) in runs {
            let (before, unchanged) = (store.snapshot().unwrap(), model.clone());
            let old = names.map(|name| before.kv_named(name));
            match how {
                // One by one.
                0 => for op in &ops {
                    apply(op, &spaces).unwrap();
                    apply_to_model(op, &mut model);
                    if matches!(op, Op::RunJobs) {
                        store.run_jobs().unwrap();
                    }
                },
                // In a transaction that is taken back, or not.
                1 | 2 => {
                    let mut changed = model.clone();
                    let outcome = store.transaction(|tx| {
                        let spaces = names.map(|name| tx.kv_named(name));
                        for op in &ops {
                            apply(op, &spaces)?;
                            apply_to_model(op, &mut changed);
                            check(&spaces, &changed);
                        }
                        if how == 1 { Err(Error::Closed) } else { Ok(()) }
                    });
                    if outcome.is_ok() {
                        model = changed;
                    }
                }
                // In one that nobody keeps from committing.
                _ => {
                    let tx = store.begin().unwrap();
                    for op in &ops {
                        apply(op, &names.map(|name| tx.kv_named(name))).unwrap();
                        apply_to_model(op, &mut model);
                    }
                    tx.commit().unwrap();
                }
            }
            check(&spaces, &model);
            check(&old, &unchanged);
            let fork = store.fork().unwrap();
            check(&names.map(|name| fork.kv_named(name)), &model);
        }
        store.run_jobs().unwrap();
        check(&spaces, &model);
        for space in &spaces {
            space.clear().unwrap();
        }
        store.run_jobs().unwrap();
        let (left, spaces_elsewhere) = (entries(&store), 3);
        prop_assert!(left <= 1 + 2 * spaces_elsewhere, "{} entries belong to nobody", left);
    }
}
