//! What others notice of what is large: how long dropping it takes, whether its memory is used again, and how long a write, and
//! a runtime of one thread, wait beside an update of many documents.
//!
//! ```sh
//! cargo bench --bench jobs
//! ```

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use larder::bson::doc;
use larder::{Collection, Document, Store};

/// Documents of the collection, and members of the set, that are dropped.
const DROPPED: u32 = 1_000_000;

/// Documents that are updated in one call.
const UPDATED: u32 = 200_000;

/// How many are inserted at once.
const BATCH: u32 = 1_000;

fn main() {
    // Criterion's arguments, which `cargo bench` passes to every benchmark, choose nothing here.
    println!(
        "| | the call returns after | MB resident: filled | when the jobs are done | filled again |\n|---|---|---|---|---|"
    );
    drops("a collection of a million documents", fill_collection, |store| {
        assert!(store.database("shop").drop_collection("people").unwrap());
    });
    drops("a set of a million members", fill_set, |store| assert!(store.kv().remove("set").unwrap()));
    println!("\n| beside `update_many` of 200,000 documents | that takes | longest wait | waits |\n|---|---|---|---|");
    beside_update("`kv.set` in a thread", wait_for_turns);
    beside_update("a runtime of one thread that sets a key every millisecond", wait_for_ticks);
}

fn fill(people: &Collection<Document>, count: u32) {
    for batch in 0..count / BATCH {
        let documents = (0..BATCH).map(|n| doc! { "n": i64::from(batch * BATCH + n), "name": "of some length" });
        people.insert_many(documents).unwrap();
    }
}

fn fill_collection(store: &Store) {
    fill(&store.database("shop").collection("people"), DROPPED);
}

fn fill_set(store: &Store) {
    let (kv, set) = (store.kv(), "set");
    for batch in 0..DROPPED / BATCH {
        kv.unsorted_set(set).add_many((0..BATCH).map(|n| format!("member{:08}", batch * BATCH + n))).unwrap();
    }
}

fn drops(what: &str, fill: fn(&Store), remove: fn(&Store)) {
    let store = Store::in_memory();
    fill(&store);
    let filled = resident_megabytes();
    let start = Instant::now();
    remove(&store);
    let took = start.elapsed();
    while store.pending_jobs().unwrap() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let removed = resident_megabytes();
    fill(&store);
    println!("| {what} | {took:.2?} | {filled} | {removed} | {} |", resident_megabytes());
}

/// Runs `wait` in a thread while many documents are updated in one call. It returns its longest wait and how often it waited.
fn beside_update(what: &str, wait: fn(&Store, &AtomicBool) -> (Duration, u32)) {
    let store = Store::in_memory();
    let people = store.collection::<Document>("people");
    fill(&people, UPDATED);
    let is_done = AtomicBool::new(false);
    let (took, (longest, count)) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| wait(&store, &is_done));
        let start = Instant::now();
        people.update_many(doc! {}, doc! { "$inc": { "n": 1 } }).unwrap();
        let took = start.elapsed();
        is_done.store(true, Ordering::Relaxed);
        (took, waits.join().unwrap())
    });
    println!("| {what} | {took:.2?} | {longest:.2?} | {count} |");
}

/// Sets a key again and again.
fn wait_for_turns(store: &Store, is_done: &AtomicBool) -> (Duration, u32) {
    let (mut longest, mut count) = (Duration::ZERO, 0);
    while !is_done.load(Ordering::Relaxed) {
        let start = Instant::now();
        store.kv().set("key", "value").unwrap();
        longest = longest.max(start.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_micros(200));
    }
    (longest, count)
}

/// Runs a task that sets keys beside one that only sleeps; tells how much longer the latter slept than it wanted.
fn wait_for_ticks(store: &Store, is_done: &AtomicBool) -> (Duration, u32) {
    const TICK: Duration = Duration::from_millis(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let writes = async {
            while !is_done.load(Ordering::Relaxed) {
                store.transaction_async(|tx| tx.kv().set("key", "value")).await.unwrap();
                tokio::time::sleep(TICK).await;
            }
        };
        let ticks = async {
            let (mut longest, mut count) = (Duration::ZERO, 0);
            while !is_done.load(Ordering::Relaxed) {
                let start = Instant::now();
                tokio::time::sleep(TICK).await;
                longest = longest.max(start.elapsed().saturating_sub(TICK));
                count += 1;
            }
            (longest, count)
        };
        tokio::join!(writes, ticks).1
    })
}

/// Megabytes of this process that are in memory.
fn resident_megabytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096 / 1_000_000
}
