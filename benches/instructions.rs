//! One operation, so many times, for what counts instructions: unlike times, they do not depend on what else the machine does.
//!
//! ```sh
//! cargo bench --no-run --bench instructions
//! valgrind --tool=callgrind target/release/deps/instructions-… kv.set 6000
//! ```
//! An operation's cost is the difference of two runs, divided by that of their counts. `all` has every operation done, `list`
//! prints their names. `benches/instructions.py` counts all of them, of one such program or of several beside each other.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]
#![expect(clippy::needless_for_each, reason = "what is there before takes a line of each operation")]

use std::hint::black_box;

use std::ops::Bound;

use larder::bson::doc;
use larder::engine::{Changes, Direction, Durability, Engine, Key as EngineKey, KeyRange, MemoryEngine};
use larder::item::{GlobalIndex, Item, Key, ScalarAttributeType, WriteRequest, key};
use larder::wide_column::{CqlType, CqlValue, Order, PreparedInsert};
use larder::{Collection, Document, ManualClock, Store, WideTable};

/// Entries that are there before.
const ENTRIES: u64 = 20_000;

const CQL_INSERT: &str = "INSERT INTO analytics.events_by_day (date, event_time, event_type, data) VALUES (?, ?, ?, ?)";

type Subject = (&'static str, fn(Store, u64));

const SUBJECTS: &[Subject] = &[
    ("engine.get", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| drop(black_box(engine.snapshot().unwrap().get(&entry(n)).unwrap().unwrap())));
    }),
    ("engine.overwrite", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| put(&engine, &[entry(n)]));
    }),
    ("engine.insert", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| put(&engine, &[entry(ENTRIES + n)]));
    }),
    ("engine.insert, in order", |_, turns| {
        let engine = MemoryEngine::new();
        each_number(turns, |n| put(&engine, &[format!("key{n:021}").into_bytes()]));
    }),
    ("engine.batch of four", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| put(&engine, &[0, 1, 2, 3].map(|at| entry(ENTRIES + n * 4 + at))));
    }),
    ("engine.insert, a snapshot every 1,000", |_, turns| {
        let engine = filled_engine();
        let mut kept = None;
        each_number(turns, |n| {
            if n.is_multiple_of(1_000) {
                kept = Some(engine.snapshot().unwrap());
            }
            put(&engine, &[entry(ENTRIES + n)]);
        });
        drop(kept);
    }),
    ("engine.scan of 100, forward", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| scan(&engine, &entry(n), Direction::Forward));
    }),
    ("engine.scan of 100, backward", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |n| scan(&engine, &entry(n), Direction::Backward));
    }),
    ("engine.rank", |_, turns| {
        let snapshot = filled_engine().snapshot().unwrap();
        each_number(turns, |n| {
            let below = KeyRange::new(Bound::Unbounded, Bound::Excluded(EngineKey::from(&entry(n)[..])));
            black_box(snapshot.count(&below).unwrap());
        });
    }),
    ("engine.snapshot", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |_| drop(black_box(engine.snapshot().unwrap())));
    }),
    ("engine.fork", |_, turns| {
        let engine = filled_engine();
        each_number(turns, |_| drop(black_box(engine.fork().unwrap())));
    }),
    ("a store made and dropped", |_, turns| each_number(turns, |_| drop(black_box(Store::in_memory())))),
    ("a transaction that does nothing", |store, turns| {
        each_number(turns, |_| store.transaction(|_| Ok::<_, larder::Error>(())).unwrap());
    }),
    ("begin, commit of nothing", |store, turns| each_number(turns, |_| store.begin().unwrap().commit().unwrap())),
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
    ("sorted_set.increment", |store, turns| {
        let (kv, keys) = filled(&store);
        let set = kv.sorted_set("set");
        keys.iter().for_each(|key| set.add(key, 1.0).map(drop).unwrap());
        each(turns, &keys, |key| set.increment(key, 1.0).map(drop).unwrap());
    }),
    ("sorted_set.score", |store, turns| {
        let (kv, keys) = filled(&store);
        let set = kv.sorted_set("set");
        keys.iter().for_each(|key| set.add(key, 1.0).map(drop).unwrap());
        each(turns, &keys, |key| set.score(key).map(black_box).map(drop).unwrap());
    }),
    ("sorted_set.top of 10", |store, turns| {
        let (kv, keys) = filled(&store);
        let set = kv.sorted_set("set");
        keys.iter().zip(0u32..).for_each(|(key, n)| set.add(key, f64::from(n)).map(drop).unwrap());
        each_number(turns, |_| drop(black_box(set.top(10).unwrap())));
    }),
    ("sorted_set.rank", |store, turns| {
        let (kv, keys) = filled(&store);
        let set = kv.sorted_set("set");
        keys.iter().zip(0u32..).for_each(|(key, n)| set.add(key, f64::from(n)).map(drop).unwrap());
        each(turns, &keys, |key| set.rank(key).map(black_box).map(drop).unwrap());
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
    ("newest 10 documents by an index", |store, turns| {
        let events = events(&store);
        let filter = doc! { "user": 7i64 };
        each_number(turns, |_| {
            let newest = events.find(filter.clone()).sort(doc! { "at": -1 }).limit(10);
            drop(black_box(newest.to_vec().unwrap()));
        });
    }),
    ("100 documents of a range", |store, turns| {
        let events = events(&store);
        let filter = doc! { "_id": { "$gte": 1_000i64, "$lt": 1_100i64 } };
        each_number(turns, |_| drop(black_box(events.find(filter.clone()).to_vec().unwrap())));
    }),
    ("$group of 2,000 documents", |store, turns| {
        let events = events(&store);
        let pipeline = [
            doc! { "$match": { "at": { "$gte": 100i64 } } },
            doc! { "$group": { "_id": "$user", "total": { "$sum": "$amount" } } },
            doc! { "$sort": { "total": -1 } },
            doc! { "$limit": 10 },
        ];
        each_number(turns, |_| assert!(events.aggregate(pipeline.clone()).unwrap().count() > 0));
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
    ("newest 100 items of a table", |store, turns| {
        let table = items(&store);
        (0..2_000).for_each(|n| table.put(&item(n)).map(drop).unwrap());
        let newest = table.query(key("PK").eq("USER#0").and(key("SK").begins_with("EVENT#"))).reverse().limit(100);
        each_number(turns, |_| drop(black_box(newest.clone().to_vec().unwrap())));
    }),
    ("newest 100 items of an index", |store, turns| {
        let table = items(&store);
        (0..2_000).for_each(|n| table.put(&item(n)).map(drop).unwrap());
        let newest = table.query(key("GSI1PK").eq("KIND#3")).index("GSI1").reverse().limit(100);
        each_number(turns, |_| drop(black_box(newest.clone().to_vec().unwrap())));
    }),
    ("item.batch_write of 25", |store, turns| {
        let table = items(&store);
        let batch: Vec<WriteRequest> = (0..25).map(|n| WriteRequest::put(item(n * 7))).collect();
        each_number(turns, |_| drop(table.batch_write(batch.clone()).unwrap()));
    }),
    ("wide insert", |store, turns| {
        let insert = rows(&store).1;
        each_number(turns, |n| insert.execute(row(1, n)).unwrap());
    }),
    ("wide batch of 25", |store, turns| {
        let insert = rows(&store).1;
        each_number(turns, |turn| {
            let mut batch = store.wide_batch();
            (0..25).for_each(|n| batch.insert(&insert, row(2, turn * 25 + n)).unwrap());
            batch.execute().unwrap();
        });
    }),
    ("cql prepared insert", |store, turns| {
        let insert = rows(&store).1;
        (0..100).for_each(|n| insert.execute(row(1, n)).unwrap());
        let session = store.cql();
        let insert = session.prepare(CQL_INSERT).unwrap();
        each_number(turns, |n| drop(session.execute(&insert, row(1, n)).unwrap()));
    }),
    ("cql prepared conditional insert, not applied", |store, turns| {
        rows(&store).1.execute(row(1, 7)).unwrap();
        let session = store.cql();
        let insert = session.prepare(&format!("{CQL_INSERT} IF NOT EXISTS")).unwrap();
        each_number(turns, |_| assert!(!session.execute(&insert, row(1, 7)).unwrap().is_applied()));
    }),
    ("cql prepared select of a row", |store, turns| {
        let insert = rows(&store).1;
        (0..1_000).for_each(|n| insert.execute(row(1, n)).unwrap());
        let session = store.cql();
        let text = "SELECT event_type, data FROM analytics.events_by_day WHERE date = ? AND event_time = ?";
        let select = session.prepare(text).unwrap();
        let key = |n: u64| (day(1), CqlValue::Timestamp(number(n % 1_000)));
        each_number(turns, |n| assert_eq!(session.query(&select, key(n)).unwrap().rows().len(), 1));
    }),
    ("cql prepared update of a row", |store, turns| {
        let insert = rows(&store).1;
        (0..1_000).for_each(|n| insert.execute(row(1, n)).unwrap());
        let session = store.cql();
        let text = "UPDATE analytics.events_by_day SET event_type = ?, data = ? WHERE date = ? AND event_time = ?";
        let update = session.prepare(text).unwrap();
        let values = |n: u64| ("click", "some text", day(1), CqlValue::Timestamp(number(n % 1_000)));
        each_number(turns, |n| drop(session.execute(&update, values(n)).unwrap()));
    }),
    ("cql select of a row, parsed and planned", |store, turns| {
        let insert = rows(&store).1;
        (0..1_000).for_each(|n| insert.execute(row(1, n)).unwrap());
        let session = store.cql();
        let text = "SELECT event_type, data FROM analytics.events_by_day WHERE date = ? AND event_time = ?";
        let key = |n: u64| (day(1), CqlValue::Timestamp(number(n % 1_000)));
        each_number(turns, |n| assert_eq!(session.query(text, key(n)).unwrap().rows().len(), 1));
    }),
    ("wide get of a row", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(1, n)).unwrap());
        let get = table.prepare_get(&["event_type", "data"]).unwrap();
        let key = |n: u64| (day(1), CqlValue::Timestamp(number(n % 1_000)));
        each_number(turns, |n| drop(black_box(get.get(key(n)).unwrap().unwrap())));
    }),
    ("wide get of a row as bytes", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(1, n)).unwrap());
        let get = table.prepare_get(&["event_type", "data"]).unwrap();
        let key = |n: u64| (day(1), CqlValue::Timestamp(number(n % 1_000)));
        each_number(turns, |n| {
            let mut bytes = Vec::with_capacity(128);
            assert!(get.to_protocol(key(n), &mut bytes).unwrap());
            black_box(bytes);
        });
    }),
    ("100 rows of a partition as bytes", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(n / 100, n)).unwrap());
        each_number(turns, |_| {
            let mut bytes = Vec::with_capacity(16 << 10);
            let query = table.select((day(5),)).columns(["event_type", "data"]).limit(100);
            assert_eq!(query.to_protocol(&mut bytes).unwrap(), 100);
            black_box(bytes);
        });
    }),
    ("100 rows of a partition, borrowed", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(n / 100, n)).unwrap());
        each_number(turns, |_| {
            let mut bytes = 0;
            let query = table.select((day(5),)).columns(["event_type", "data"]).limit(100);
            let sum = query.for_each(|row| {
                let event: Event<'_> = row.to()?;
                bytes += event.event_type.len() + event.data.len();
                Ok(())
            });
            sum.unwrap();
            black_box(bytes);
        });
    }),
    ("a partition of 100 rows", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(n / 100, n)).unwrap());
        each_number(turns, |_| drop(black_box(table.select((day(5),)).to_vec().unwrap())));
    }),
    ("10 rows of a partition", |store, turns| {
        let (table, insert) = rows(&store);
        (0..1_000).for_each(|n| insert.execute(row(n / 100, n)).unwrap());
        each_number(turns, |_| {
            let range = CqlValue::Timestamp(540)..CqlValue::Timestamp(550);
            drop(black_box(table.select((day(5),)).range("event_time", range).to_vec().unwrap()));
        });
    }),
    ("publish to nobody", |store, turns| {
        each_number(turns, |_| store.publish("orders", [b'x'; 100]).map(drop).unwrap());
    }),
    ("publish to one, and receive", |store, turns| {
        let inbox = store.subscribe("orders").unwrap();
        each_number(turns, |_| {
            store.publish("orders", [b'x'; 100]).unwrap();
            drop(black_box(inbox.recv().unwrap()));
        });
    }),
    ("publish to 100, and receive", |store, turns| {
        let inboxes: Vec<_> = (0..100).map(|_| store.subscribe("orders").unwrap()).collect();
        each_number(turns, |_| {
            store.publish("orders", [b'x'; 100]).unwrap();
            inboxes.iter().for_each(|inbox| drop(black_box(inbox.recv().unwrap())));
        });
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let turns = arguments.get(1).and_then(|turns| turns.parse().ok()).unwrap_or(1_000);
    let asked = arguments.first().map_or("all", String::as_str);
    for &(name, run) in SUBJECTS {
        if asked == "list" {
            println!("{name}");
        } else if asked == "all" || asked == name {
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

/// Calls `operation` with the numbers below `turns`.
fn each_number(turns: u64, operation: impl FnMut(u64)) {
    (0..turns).for_each(operation);
}

/// A key of an entry of the engine, the next nowhere near; below [`ENTRIES`] it is there in one that was filled.
fn entry(n: u64) -> Vec<u8> {
    let place = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n >> 7;
    format!("key{place:021}").into_bytes()
}

fn filled_engine() -> MemoryEngine {
    let engine = MemoryEngine::new();
    (0..ENTRIES).for_each(|n| put(&engine, &[entry(n)]));
    engine
}

fn put(engine: &MemoryEngine, keys: &[Vec<u8>]) {
    let mut changes = Changes::new();
    keys.iter().for_each(|key| changes.put(key, [b'x'; 150]));
    engine.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
}

fn scan(engine: &MemoryEngine, from: &[u8], direction: Direction) {
    let edge = Bound::Included(EngineKey::from(from));
    let range = match direction {
        Direction::Forward => KeyRange::new(edge, Bound::Unbounded),
        Direction::Backward => KeyRange::new(Bound::Unbounded, edge),
    };
    let mut cursor = engine.snapshot().unwrap().range(&range, direction).unwrap();
    for _ in 0..100 {
        black_box(cursor.next().unwrap());
    }
}

/// A collection of 2,000 events with two indexes.
fn events(store: &Store) -> Collection<Document> {
    let events = store.collection::<Document>("events");
    events.create_index(doc! { "user": 1, "at": -1 }).unwrap();
    events.create_index(doc! { "kind": 1 }).unwrap();
    let event = |n: i64| doc! { "_id": n, "user": n % 100, "at": n, "kind": "view", "path": "/17", "amount": n % 7 };
    events.insert_many((0..2_000).map(event)).unwrap();
    events
}

fn rows(store: &Store) -> (WideTable, PreparedInsert) {
    let table = store.wide_table("analytics", "events_by_day");
    let schema = larder::wide_column::TableSchema::new()
        .partition_key("date", CqlType::Date)
        .clustering("event_time", CqlType::Timestamp, Order::Descending)
        .column("event_type", CqlType::Text)
        .column("data", CqlType::Text);
    table.create(schema).unwrap();
    let insert = table.prepare_insert(&["date", "event_time", "event_type", "data"]).unwrap();
    (table, insert)
}

/// A row, as far as it is asked for.
#[derive(serde::Deserialize)]
struct Event<'a> {
    event_type: &'a str,
    data: &'a str,
}

fn day(n: u64) -> CqlValue {
    CqlValue::date_from_days_since_epoch(i32::try_from(n).unwrap())
}

fn row(of: u64, millis: u64) -> (CqlValue, CqlValue, &'static str, &'static str) {
    (day(of), CqlValue::Timestamp(number(millis)), "click", "some text")
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
    let index = GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S).sort_key("GSI1SK", ScalarAttributeType::S);
    let schema = larder::item::TableSchema::new("PK", ScalarAttributeType::S)
        .sort_key("SK", ScalarAttributeType::S)
        .global_index(index);
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
