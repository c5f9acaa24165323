//! One operation, so many times, for what counts instructions: unlike times, they do not depend on what else the machine does.
//!
//! ```sh
//! cargo bench --no-run --bench instructions
//! valgrind --tool=callgrind target/release/deps/instructions-… kv.set 6000
//! ```
//! An operation's cost is the difference of two runs, divided by that of their counts. `all` has every operation done.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::hint::black_box;

use larder::bson::doc;
use larder::item::{GlobalIndex, Item, Key, KeyType};
use larder::wide_column::{CqlType, CqlValue, Order};
use larder::{Document, ManualClock, Store};

/// Entries that are there before.
const ENTRIES: u64 = 20_000;

type Subject = (&'static str, fn(Store, u64));

const SUBJECTS: [Subject; 12] = [
    ("kv.set", |store, turns| {
        let (kv, keys) = filled(&store);
        each(turns, &keys, |key| kv.set(key, "a value of some length").unwrap());
    }),
    ("kv.get", |store, turns| {
        let (kv, keys) = filled(&store);
        each(turns, &keys, |key| kv.get(key).map(black_box).map(drop).unwrap());
    }),
    ("kv.increment", |store, turns| {
        let kv = filled(&store).0;
        each(turns, &names("counter"), |key| kv.increment(key, 1).map(drop).unwrap());
    }),
    ("hash.set", |store, turns| {
        let (kv, keys) = filled(&store);
        let hashes: Vec<_> = names("hash").iter().map(|name| kv.hash(name)).collect();
        let mut next = hashes.iter().cycle();
        each(turns, &keys, |key| next.next().unwrap().set(key, "a value").map(drop).unwrap());
    }),
    ("sorted_set.add", |store, turns| {
        let (kv, keys) = filled(&store);
        let set = kv.sorted_set("set");
        each(turns, &keys, |key| set.add(key, 1.0).map(drop).unwrap());
    }),
    ("list.push", |store, turns| {
        let list = filled(&store).0.list("list");
        (0..turns).for_each(|_| list.push(larder::kv::End::Back, ["a value"]).map(drop).unwrap());
    }),
    ("find by _id", |store, turns| {
        let people = store.collection::<Document>("people");
        people.insert_many((0..2_000i64).map(|n| doc! { "_id": n, "name": "ann", "n": n })).unwrap();
        (0..turns)
            .for_each(|n| people.find_one(doc! { "_id": number(n * 7 % 2_000) }).map(black_box).map(drop).unwrap());
    }),
    ("insert_one", |store, turns| {
        let people = store.collection::<Document>("people");
        people.create_index(doc! { "user": 1 }).unwrap();
        let document = |n: u64| doc! { "_id": number(n), "user": number(n * 31 % 5_000), "text": "of some length" };
        (0..turns).for_each(|n| people.insert_one(&document(n)).map(drop).unwrap());
    }),
    ("update_one by _id", |store, turns| {
        let people = store.collection::<Document>("people");
        people.insert_many((0..2_000i64).map(|n| doc! { "_id": n, "name": "ann", "n": n })).unwrap();
        (0..turns).for_each(|n| {
            people.update_one(doc! { "_id": number(n * 7 % 2_000) }, doc! { "$inc": { "n": 1 } }).map(drop).unwrap();
        });
    }),
    ("item.put", |store, turns| {
        let table = items(&store);
        (0..turns).for_each(|n| table.put(&item(n)).map(black_box).map(drop).unwrap());
    }),
    ("item.get", |store, turns| {
        let table = items(&store);
        (0..2_000).for_each(|n| table.put(&item(n)).map(drop).unwrap());
        (0..turns).for_each(|n| {
            let (partition, sort) = (format!("USER#{}", n % 10), format!("EVENT#{:08}", n % 2_000));
            table.get(Key::from((&*partition, &*sort))).map(black_box).map(drop).unwrap();
        });
    }),
    ("wide insert", |store, turns| {
        let table = store.wide_table("analytics", "events_by_day");
        let schema = larder::wide_column::TableSchema::new()
            .partition_key("date", CqlType::Date)
            .clustering("event_time", CqlType::Timestamp, Order::Descending)
            .column("event_type", CqlType::Text)
            .column("data", CqlType::Text);
        table.create(schema).unwrap();
        let insert = table.prepare_insert(&["date", "event_time", "event_type", "data"]).unwrap();
        for n in 0..turns {
            let day = CqlValue::date_from_days_since_epoch(1);
            insert.execute((day, CqlValue::Timestamp(number(n)), "click", "some text")).unwrap();
        }
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let turns = arguments.get(1).and_then(|turns| turns.parse().ok()).unwrap_or(1_000);
    let asked = arguments.first().map_or("all", String::as_str);
    for (name, run) in SUBJECTS {
        if asked == "all" || asked == name {
            run(Store::builder().clock(ManualClock::default()).in_memory(), turns);
        }
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap()
}

/// Calls `operation` so many times with the next of `keys`, which are not made while it counts.
fn each(turns: u64, keys: &[String], operation: impl FnMut(&String)) {
    keys.iter().cycle().take(usize::try_from(turns).unwrap()).for_each(operation);
}

/// A keyspace, and the keys it is filled with, none of them next to its neighbours.
fn filled(store: &Store) -> (larder::Kv, Vec<String>) {
    let keys: Vec<_> = (0..ENTRIES).map(|n| format!("key{:08}", n * 7_919 % ENTRIES)).collect();
    let fill = |tx: &larder::Transaction| keys.iter().try_for_each(|key| tx.kv().set(key, "a value of some length"));
    store.transaction(fill).unwrap();
    (store.kv(), keys)
}

fn names(of: &str) -> Vec<String> {
    (0..100).map(|n| format!("{of}{n:02}")).collect()
}

fn items(store: &Store) -> larder::ItemTable {
    let table = store.item_table("Events");
    let index = GlobalIndex::new("GSI1", "GSI1PK", KeyType::S).sort_key("GSI1SK", KeyType::S);
    let schema = larder::item::TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::S).global_index(index);
    table.create(schema).unwrap();
    table
}

fn item(n: u64) -> Item {
    Item::new()
        .with("PK", format!("USER#{}", n % 10))
        .with("SK", format!("EVENT#{:08}", n % 2_000))
        .with("GSI1PK", format!("KIND#{}", n % 16))
        .with("GSI1SK", format!("{n:08}"))
        .with("note", "x".repeat(100))
}
