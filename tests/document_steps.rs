//! Writes of many documents and the building of indexes go in steps of bounded size, between which others write.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use larder::bson::doc;
use larder::document::IndexOptions;
use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::engine::{Changes, Durability, Engine, MemoryEngine, Reads, Ticket};
use larder::limits::JOB_STEP_ENTRIES_MAX;
use larder::vfs::Vfs;
use larder::vfs::sim::SimVfs;
use larder::{Collection, Document, Error, ManualClock, Result, Store};

use common::{Commits, Watched};

/// Longest wait for another thread.
const PATIENCE: Duration = Duration::from_mins(2);

/// Is told of how many changes a commit has.
type Call = Box<dyn FnMut(usize) + Send>;

/// Notes how many entries each commit changes, and calls somebody with that.
#[derive(Default)]
struct Seen {
    sizes: Mutex<Vec<usize>>,
    call: Mutex<Option<Call>>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl Commits for Seen {
    fn commit(
        &self,
        inner: &MemoryEngine,
        changes: &Changes,
        reads: Option<&Reads>,
        durability: Durability,
    ) -> Result<Ticket> {
        self.sizes.lock().unwrap().push(changes.len());
        if let Some(call) = &mut *self.call.lock().unwrap() {
            call(changes.len());
        }
        inner.commit(changes, reads, durability)
    }
}

impl Seen {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.sizes.lock().unwrap())
    }
}

fn seen() -> (Store, Arc<Watched<Seen>>) {
    let engine = Arc::new(Watched::new(Seen::default()));
    let store = Store::builder().clock(ManualClock::default()).engine(Arc::clone(&engine) as Arc<dyn Engine>).unwrap();
    (store, engine)
}

fn numbers(count: i32) -> impl Iterator<Item = Document> {
    (0..count).map(|n| doc! { "_id": n, "n": n % 1_000 })
}

/// A collection of so many documents, made in one transaction.
fn filled(store: &Store, count: i32) -> Collection<Document> {
    store.transaction(|tx| tx.collection::<Document>("events").insert_many(numbers(count)).map(drop)).unwrap();
    store.collection("events")
}

fn entries(store: &Store) -> u64 {
    store.stats().unwrap().entries.unwrap()
}

/// Asserts that the index on `n` is complete, serves queries and has what the documents have.
fn assert_indexed(events: &Collection<Document>) {
    let explain = events.find(doc! { "n": 7 }).explain().unwrap();
    assert!(explain.stage.to_string().contains("n_1"), "{}", explain.stage);
    for n in [0, 7, 999, 5_000] {
        let by_scan = events.count_documents(doc! { "$or": [{ "n": n }] }).unwrap();
        assert_eq!(events.count_documents(doc! { "n": n }).unwrap(), by_scan);
    }
    let all = events.count_documents(doc! {}).unwrap();
    assert_eq!(events.find(doc! {}).sort(doc! { "n": 1 }).explain().unwrap().keys_examined, all);
}

// SEM: DOC-UPD-10
#[test]
fn what_is_small_is_one_commit_and_what_is_large_several_of_bounded_size() {
    let (store, engine) = seen();
    let events = store.collection::<Document>("events");
    let sizes = |what: &dyn Fn()| {
        engine.commits.take();
        what();
        engine.commits.take()
    };
    for count in [100, 10_000] {
        let all = [
            sizes(&|| drop(events.insert_many(numbers(count)).unwrap())),
            sizes(&|| drop(events.create_index(doc! { "n": 1 }).unwrap())),
            sizes(&|| assert!(events.update_many(doc! {}, doc! { "$inc": { "n": 1 } }).unwrap().modified > 0)),
            sizes(&|| {
                let ahead = events.update_many(doc! { "n": { "$gt": 1 } }, doc! { "$inc": { "n": 1_000 } }).unwrap();
                assert_eq!(ahead.matched, ahead.modified);
            }),
            sizes(&|| assert_eq!(events.delete_many(doc! {}).unwrap(), u64::try_from(count).unwrap())),
        ];
        for sizes in all {
            assert_eq!(sizes.len() == 1, count == 100, "{sizes:?}");
            assert!(sizes.iter().all(|size| *size <= JOB_STEP_ENTRIES_MAX + 10), "{sizes:?}");
        }
        events.drop_index("n_1").unwrap();
    }
    let in_transaction = sizes(&|| {
        store
            .transaction(|tx| {
                let events = tx.collection::<Document>("events");
                events.insert_many(numbers(10_000))?;
                events.create_index(doc! { "n": 1 })?;
                events.update_many(doc! {}, doc! { "$inc": { "n": 1 } })?;
                assert_eq!(events.find(doc! { "n": 7 }).explain()?.documents_examined, 10);
                Ok::<_, Error>(())
            })
            .unwrap();
    });
    assert_eq!(in_transaction.len(), 1);
}

/// Runs `bulk` while another thread sets a key again and again, and returns how many of those commits came between two of its own.
fn interleaved(bulk: impl FnOnce(&Collection<Document>)) -> usize {
    let (store, engine) = seen();
    let events = filled(&store, 20_000);
    let is_done = AtomicBool::new(false);
    let (comes, come) = std::sync::mpsc::channel();
    thread::scope(|threads| {
        let mut waits = Some(come);
        // The first step of the operation ends when the other thread is about to write.
        *engine.commits.call.lock().unwrap() = Some(Box::new(move |size| {
            if size > 100 {
                if let Some(come) = waits.take() {
                    come.recv_timeout(PATIENCE).unwrap();
                }
                // On a busy machine the other thread needs a while to get from there to where it waits.
                thread::sleep(Duration::from_millis(2));
            }
        }));
        engine.commits.take();
        threads.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                // Nobody listens any more when the first step is done.
                let _ = comes.send(());
                store.kv().set("k", "v").unwrap();
            }
        });
        bulk(&events);
        is_done.store(true, Ordering::Relaxed);
    });
    let sizes = engine.commits.take();
    let is_step = |size: &usize| *size > 100;
    let (first, last) = (sizes.iter().position(is_step).unwrap(), sizes.iter().rposition(is_step).unwrap());
    sizes[first..last].iter().filter(|size| !is_step(size)).count()
}

#[test]
fn another_thread_writes_between_the_steps_of_a_large_update() {
    let between = interleaved(|events| {
        let done = events.update_many(doc! {}, doc! { "$inc": { "n": 1 } }).unwrap();
        assert_eq!((done.matched, done.modified), (20_000, 20_000));
    });
    assert!(between > 0);
}

#[test]
fn another_thread_writes_between_the_steps_of_a_large_removal_and_of_building_an_index() {
    assert!(interleaved(|events| assert_eq!(events.delete_many(doc! {}).unwrap(), 20_000)) > 0);
    assert!(interleaved(|events| drop(events.create_index(doc! { "n": 1 }).unwrap())) > 0);
    assert!(interleaved(|events| drop(events.insert_many((0..20_000).map(|n| doc! { "n": n })).unwrap())) > 0);
}

#[test]
fn a_task_writes_between_the_steps_of_a_large_update() {
    let (store, engine) = seen();
    let events = filled(&store, 20_000);
    engine.commits.take();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let bulk =
            tokio::task::spawn_blocking(move || events.update_many(doc! {}, doc! { "$inc": { "n": 1 } }).unwrap());
        while !bulk.is_finished() {
            store.transaction_async(|tx| tx.kv().set("k", "v")).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(bulk.await.unwrap().modified, 20_000);
    });
    let sizes = engine.commits.take();
    let (first, last) =
        (sizes.iter().position(|size| *size > 100).unwrap(), sizes.iter().rposition(|size| *size > 100).unwrap());
    assert!(sizes[first..last].iter().any(|size| *size < 100), "{sizes:?}");
}

// SEM: DOC-IDX-3
#[test]
fn an_index_is_built_while_others_write_and_is_complete_when_the_call_returns() {
    let store = Store::in_memory();
    let events = filled(&store, 20_000);
    thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for n in 0..500 {
                events.insert_one(&doc! { "n": n }).unwrap();
                events.update_one(doc! { "_id": n * 40 }, doc! { "$set": { "n": 5_000 } }).unwrap();
                events.delete_one(doc! { "_id": 19_999 - n }).unwrap();
            }
        });
        events.create_index(doc! { "n": 1 }).unwrap();
        assert!(!events.list_indexes().unwrap()[1].is_building);
        writer.join().unwrap();
    });
    assert_eq!(events.count_documents(doc! { "n": 5_000 }).unwrap(), 488, "twelve of them were removed");
    assert_indexed(&events);
}

// SEM: DOC-IDX-5
#[test]
fn a_duplicate_that_is_found_late_takes_the_unique_index_away_again() {
    let (store, _) = seen();
    let events = store.collection::<Document>("events");
    events.insert_many((0..5_000).map(|n| doc! { "_id": n, "n": n })).unwrap();
    events.insert_one(&doc! { "_id": 5_000, "n": 4_999 }).unwrap();
    let before = entries(&store);
    let unique = || IndexOptions::default().unique(true);
    let error = events.create_index_with(doc! { "n": 1 }, unique()).unwrap_err();
    assert!(error.is_duplicate_key() && error.to_string().contains("4999"), "{error}");
    assert_eq!(events.list_indexes().unwrap().len(), 1);
    store.run_jobs().unwrap();
    assert_eq!((entries(&store), store.pending_jobs().unwrap()), (before, 0));
    // Nobody waits for this one: whoever runs the jobs is told.
    events.create_index_with(doc! { "n": 1 }, unique().in_background(true)).unwrap();
    assert!(events.list_indexes().unwrap()[1].is_building);
    assert!(events.insert_one(&doc! { "n": 7 }).unwrap_err().is_duplicate_key(), "that one is indexed already");
    assert!(store.run_jobs().unwrap_err().is_duplicate_key());
    store.run_jobs().unwrap();
    assert_eq!((entries(&store), store.pending_jobs().unwrap()), (before, 0));
    events.delete_one(doc! { "_id": 5_000 }).unwrap();
    events.create_index_with(doc! { "n": 1 }, unique()).unwrap();
    assert!(events.insert_one(&doc! { "n": 4_999 }).unwrap_err().is_duplicate_key());
}

#[test]
fn two_who_make_the_same_index_both_wait_for_it_and_are_both_told_what_is_wrong() {
    let store = Store::in_memory();
    let events = store.collection::<Document>("events");
    events.insert_many((0..4_000).map(|n| doc! { "_id": n, "n": n })).unwrap();
    let make = |unique: bool| {
        let options = IndexOptions::default().unique(unique);
        thread::scope(|threads| {
            let both = [(); 2].map(|()| threads.spawn(|| events.create_index_with(doc! { "n": 1 }, options.clone())));
            both.map(|thread| thread.join().unwrap())
        })
    };
    assert!(make(false).iter().all(Result::is_ok));
    assert_indexed(&events);
    events.drop_index("n_1").unwrap();
    events.insert_one(&doc! { "_id": 4_000, "n": 3_999 }).unwrap();
    // One finds out while the other waits, and then again for that one: in which order differs from time to time.
    for _ in 0..20 {
        for made in make(true) {
            let error = made.unwrap_err();
            assert!(error.is_duplicate_key(), "{error}");
        }
    }
}

#[test]
fn dropping_an_index_or_its_collection_while_it_is_built_ends_the_job() {
    let (store, _) = seen();
    let events = filled(&store, 5_000);
    let before = entries(&store);
    let in_background = || IndexOptions::default().in_background(true);
    events.create_index_with(doc! { "n": 1 }, in_background()).unwrap();
    assert_eq!(store.pending_jobs().unwrap(), 1);
    events.drop_index("n_1").unwrap();
    store.run_jobs().unwrap();
    assert_eq!((entries(&store), store.pending_jobs().unwrap()), (before, 0));
    events.create_index_with(doc! { "n": 1 }, in_background()).unwrap();
    assert!(store.database("default").drop_collection("events").unwrap());
    store.run_jobs().unwrap();
    assert_eq!((entries(&store), store.pending_jobs().unwrap()), (1, 0), "the last id");
    // One that somebody waits for is gone for him.
    let events = filled(&store, 20_000);
    thread::scope(|threads| {
        let waits = threads.spawn(|| events.create_index(doc! { "n": 1 }));
        while events.list_indexes().unwrap().len() == 1 && !waits.is_finished() {
            thread::yield_now();
        }
        let dropped = events.drop_index("n_1");
        match waits.join().unwrap() {
            // It was complete before it was dropped.
            Ok(name) => assert_eq!(name, "n_1"),
            Err(error) => assert!(matches!(error, Error::NotFound { what: "index", .. }), "{error}"),
        }
        dropped.unwrap();
    });
    store.run_jobs().unwrap();
    assert_eq!(entries(&store), 40_002);
}

#[test]
fn an_index_that_was_begun_goes_on_after_the_store_was_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::builder().clock(ManualClock::default()).durability(Durability::None).open(dir.path()).unwrap();
    let events = filled(&store, 10_000);
    events.create_index_with(doc! { "n": 1 }, IndexOptions::default().in_background(true)).unwrap();
    store.close().unwrap();
    // On a clock that runs by itself, so that the background thread does it.
    let store = Store::open(dir.path()).unwrap();
    let events = store.collection::<Document>("events");
    let watch = larder::Stopwatch::start();
    while events.list_indexes().unwrap()[1].is_building {
        assert!(watch.elapsed() < PATIENCE, "the background thread does nothing");
        thread::yield_now();
    }
    assert_indexed(&events);
}

#[test]
fn an_index_that_loses_power_while_it_is_built_is_there_or_goes_on() {
    let open = |disk: &SimVfs| {
        let vfs = Arc::new(disk.clone()) as Arc<dyn Vfs>;
        let options = DurableOptions::default().vfs(vfs).without_threads().segment_bytes(64 << 10).store_id(1);
        let engine = DurableEngine::open_with(Path::new("/disk/store"), &options)?;
        Store::builder().clock(ManualClock::default()).engine(Arc::new(engine))
    };
    let disk = SimVfs::new(1);
    let store = open(&disk).unwrap();
    filled(&store, 5_000);
    drop(store);
    let mut building = 0;
    for call in (1..).step_by(3) {
        let disk = disk.fork();
        let store = open(&disk).unwrap();
        let events = store.collection::<Document>("events");
        disk.cut_power_at(call);
        let outcome = events.create_index(doc! { "n": 1 });
        let is_off = disk.is_off();
        drop((events, store));
        disk.restart();
        let store = open(&disk).unwrap();
        let events = store.collection::<Document>("events");
        let indexes = events.list_indexes().unwrap();
        assert!(outcome.is_err() || indexes.len() == 2 && !indexes[1].is_building, "acknowledged is durable");
        building += u32::from(indexes.get(1).is_some_and(|index| index.is_building));
        assert_eq!(events.update_many(doc! { "n": 7 }, doc! { "$set": { "n": 5_000 } }).unwrap().modified, 5);
        store.run_jobs().unwrap();
        if indexes.len() == 2 {
            assert_indexed(&events);
        } else {
            events.create_index(doc! { "n": 1 }).unwrap();
            assert_indexed(&events);
        }
        if !is_off {
            break;
        }
    }
    assert!(building > 0, "it was never interrupted");
}
