//! What a program that embeds a store gets back from its allocator, and what the allocator costs it: the same program with three
//! allocators.
//!
//! ```sh
//! cd benches/allocators && cargo build --release
//! for allocator in system mimalloc jemalloc; do target/release/$allocator; done
//! MALLOC_TRIM_THRESHOLD_=131072 target/release/system
//! ```
//! Each part is a process of its own, so that none finds the memory that another one has left. *Filled*, *removed* and *later* are
//! what the process has resident, in MB: when everything is written, when the call that removes it has returned, and when
//! the store's own thread has removed what was left to it and fifteen seconds have passed in which a key is written every ten
//! milliseconds.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use larder::{Document, Store, bson::doc};

const LATER: Duration = Duration::from_secs(15);

/// A part that fills a store, and the call that empties it.
type Removal = (&'static str, fn(&Store), fn(&Store));

const REMOVALS: [Removal; 7] = [
    ("1,000,000 keys of 300 B, cleared", |store| keys(store, 1_000_000, 300), |store| assert!(store.kv().clear().unwrap() > 0)),
    ("1,000,000 keys of 300 B, deleted one by one", |store| keys(store, 1_000_000, 300), |store| delete(store, 1_000_000)),
    ("1,000,000 of 300 B scattered, nine of ten deleted", |store| keys(store, 1_000_000, 300), most),
    ("400,000 keys of 2 KB, cleared", |store| keys(store, 400_000, 2_000), |store| assert!(store.kv().clear().unwrap() > 0)),
    ("a set of 1,000,000 members, deleted", set, |store| assert!(store.kv().delete("set").unwrap())),
    ("500,000 documents, dropped", documents, |store| assert!(store.database("shop").drop_collection("people").unwrap())),
    ("1,000,000 keys of 300 B, the store dropped", |store| keys(store, 1_000_000, 300), |_| ()),
];

/// Runs the part of the arguments, or each in a process of its own.
pub fn main(allocator: &str) {
    match std::env::args().nth(1).as_deref() {
        None => all(allocator),
        Some("nothing") => {}
        Some("speed") => speed(),
        Some(part) => removal(part.parse().unwrap()),
    }
}

fn all(allocator: &str) {
    println!("| {allocator} | filled | removed | later |\n|---|---|---|---|");
    for (number, (name, ..)) in REMOVALS.iter().enumerate() {
        println!("| {name} | {} |", run(&number.to_string()));
    }
    println!("\nset and get of 1,000,000 keys, insert of a document, ns: {}", run("speed"));
    let start = Instant::now();
    (0..100).for_each(|_| drop(run("nothing")));
    println!("a process that does nothing: {:.2} ms\n", start.elapsed().as_secs_f64() * 10.0);
}

fn run(part: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap()).arg(part).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn removal(number: usize) {
    let (_, fill, remove) = REMOVALS[number];
    let store = Store::in_memory();
    fill(&store);
    let filled = resident();
    remove(&store);
    let removed = resident();
    let is_dropped = number + 1 == REMOVALS.len();
    let other = if is_dropped { Store::in_memory() } else { store.clone() };
    drop(store);
    let until = Instant::now() + LATER;
    while other.pending_jobs().unwrap() > 0 || Instant::now() < until {
        other.kv().set("key", "value").unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("{filled:.0} | {removed:.0} | {:.0}", resident());
}

fn scattered(n: u64, of: u64) -> u64 {
    n * 7_919 % of
}

fn keys(store: &Store, count: u64, bytes: usize) {
    let value = "x".repeat(bytes);
    for hundred in 0..count / 100 {
        let set = |tx: &larder::Transaction| {
            let kv = tx.kv();
            (0..100).try_for_each(|n| kv.set(format!("key{:08}", scattered(hundred * 100 + n, count)), &value))
        };
        store.transaction(set).unwrap();
    }
}

fn delete(store: &Store, count: u64) {
    (0..count).for_each(|n| assert!(store.kv().delete(format!("key{n:08}")).unwrap()));
}

fn most(store: &Store) {
    (0..1_000_000).filter(|n| n % 10 > 0).for_each(|n| assert!(store.kv().delete(format!("key{n:08}")).unwrap()));
}

fn set(store: &Store) {
    let set = store.kv().unsorted_set("set");
    for thousand in 0..1_000 {
        set.add_many((0..1_000).map(|n| format!("member{:08}", scattered(thousand * 1_000 + n, 1_000_000)))).unwrap();
    }
}

fn documents(store: &Store) {
    let people = store.database("shop").collection::<Document>("people");
    for thousand in 0..500 {
        let documents = (0..1_000).map(|n| doc! { "n": thousand * 1_000 + n, "name": "of some length", "city": "a city" });
        people.insert_many(documents).unwrap();
    }
}

fn speed() {
    const KEYS: u64 = 1_000_000;
    let store = Store::in_memory();
    let kv = store.kv();
    let each = |run: &dyn Fn(u64)| {
        let start = cpu_ns();
        (0..KEYS).for_each(run);
        (cpu_ns() - start) / KEYS as f64
    };
    let key = |n| format!("key{:08}", scattered(n, KEYS));
    let set = each(&|n| kv.set(key(n), "a value of some length").unwrap());
    let get = each(&|n| drop(kv.get(key(n)).unwrap()));
    let people = store.collection::<Document>("people");
    let insert = each(&|n| drop(people.insert_one(&doc! { "n": n as i64, "name": "of some length" }).unwrap()));
    println!("{set:.0}, {get:.0}, {insert:.0}");
}

/// Nanoseconds that this thread has had a processor for.
fn cpu_ns() -> f64 {
    // Up to date when the thread has just been off it.
    std::thread::yield_now();
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

/// Megabytes of this process that are in memory.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0 / 1e6
}
