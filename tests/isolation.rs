//! What an optimistic transaction conflicts with: a table of what it does, what another writer does meanwhile, and what either
//! isolation makes of that.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::bson::doc;
use larder::document::IndexOptions;
use larder::item::{Item, ScalarAttributeType, TableSchema};
use larder::wide_column::{self, CqlType, CqlValue};
use larder::{Collection, Document, Handles, InTransaction, Isolation, ManualClock, Result, Store, Transaction};

/// What the transaction does, and the other writer, in the names of the field.
struct Row {
    name: &'static str,
    transaction: fn(&Transaction) -> Result<()>,
    other: fn(&Store) -> Result<()>,
    /// Whether it commits when serializable, and under snapshot isolation.
    commits: (bool, bool),
}

fn people(tx: &Transaction) -> Collection<Document, InTransaction<'_>> {
    tx.collection("people")
}

/// People 1 to 4 with an age that is indexed and a unique email; two items, two rows, some keys.
fn seeded() -> Store {
    let store = Store::builder().clock(ManualClock::default()).in_memory();
    let people = store.collection::<Document>("people");
    people.create_index(doc! { "age": 1 }).unwrap();
    people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true)).unwrap();
    let person = |n: i32| doc! { "_id": n, "age": 20 + n, "email": n.to_string(), "city": "Rome", "tags": ["a"] };
    people.insert_many((1..=4).map(person)).unwrap();
    let items = store.item_table("items");
    items.create(TableSchema::new("id", ScalarAttributeType::S)).unwrap();
    for id in ["a", "b"] {
        items.put(&Item::new().with("id", id).with("n", 1)).unwrap();
        store.kv().set(id, "1").unwrap();
        store.kv().sorted_set("board").add(id, 1.0).unwrap();
    }
    let schema = wide_column::TableSchema::new().partition_key("id", CqlType::Text).column("n", CqlType::Int);
    store.wide_table("shop", "rows").create(schema).unwrap();
    set_row(&store, "a").and_then(|()| set_row(&store, "b")).unwrap();
    store
}

fn set_row(on: &impl larder::WriteHandles, id: &str) -> Result<()> {
    on.wide_table("shop", "rows").prepare_insert(&["id", "n"])?.execute([CqlValue::from(id), CqlValue::Int(2)])
}

fn see_row(on: &impl Handles, id: &str) -> Result<()> {
    on.wide_table("shop", "rows").select([CqlValue::from(id)]).to_vec().map(drop)
}

fn put_item(on: &impl larder::WriteHandles, id: &str) -> Result<()> {
    on.item_table("items").put(&Item::new().with("id", id).with("n", 2)).map(drop)
}

fn birthday(on: &impl larder::WriteHandles, id: i32) -> Result<()> {
    on.collection::<Document>("people").update_one(doc! { "_id": id }, doc! { "$inc": { "age": 1 } }).map(drop)
}

fn arrive(on: &impl larder::WriteHandles, id: i32, email: &str) -> Result<()> {
    let person = doc! { "_id": id, "age": 30, "email": email, "city": "Oslo" };
    on.collection::<Document>("people").insert_one(&person).map(drop)
}

/// The first of two ages that are an array: it matches what is above 40 and below 50 by one element each.
fn many_ages(on: &impl larder::WriteHandles, id: i32) -> Result<()> {
    let person = doc! { "_id": id, "age": [1, 99], "email": id.to_string() };
    on.collection::<Document>("people").insert_one(&person).map(drop)
}

const ROWS: &[Row] = &[
    Row {
        name: "lost update: both read and write one document",
        transaction: |tx| people(tx).find_one(doc! { "_id": 1 }).and_then(|_| birthday(tx, 1)),
        other: |store| birthday(store, 1),
        commits: (false, false),
    },
    Row {
        name: "one updates a document, the other removes it",
        transaction: |tx| birthday(tx, 1),
        other: |store| store.collection::<Document>("people").delete_one(doc! { "_id": 1 }).map(drop),
        commits: (false, false),
    },
    Row {
        name: "write skew: reads document 3, writes document 1; the other writes document 3",
        transaction: |tx| people(tx).find_one(doc! { "_id": 3 }).and_then(|_| birthday(tx, 1)),
        other: |store| birthday(store, 3),
        commits: (false, true),
    },
    Row {
        name: "phantom: counts, writes; the other inserts what would be counted",
        transaction: |tx| people(tx).count_documents(doc! { "age": { "$gt": 20 } }).and_then(|_| birthday(tx, 1)),
        other: |store| arrive(store, 9, "9"),
        commits: (false, true),
    },
    Row {
        name: "finds by a field without an index, updates one by _id; the other inserts",
        transaction: |tx| people(tx).find(doc! { "city": "Rome" }).to_vec().and_then(|_| birthday(tx, 1)),
        other: |store| arrive(store, 9, "9"),
        commits: (false, true),
    },
    Row {
        name: "updates what a scan finds; the other inserts what it does not find",
        transaction: |tx| people(tx).update_many(doc! { "city": "Rome" }, doc! { "$set": { "seen": true } }).map(drop),
        other: |store| arrive(store, 9, "9"),
        commits: (false, true),
    },
    Row {
        name: "updates what a scan finds; the other writes one that it found",
        transaction: |tx| people(tx).update_many(doc! { "city": "Rome" }, doc! { "$set": { "seen": true } }).map(drop),
        other: |store| birthday(store, 4),
        commits: (false, false),
    },
    Row {
        name: "updates by a scan that ends at the match; the other writes a document behind it",
        transaction: |tx| people(tx).update_one(doc! { "city": "Rome" }, doc! { "$set": { "seen": true } }).map(drop),
        other: |store| birthday(store, 4),
        commits: (true, true),
    },
    Row {
        name: "unique: both claim one value, for different documents",
        transaction: |tx| arrive(tx, 8, "new"),
        other: |store| arrive(store, 9, "new"),
        commits: (false, false),
    },
    Row {
        name: "unique: both claim one _id",
        transaction: |tx| arrive(tx, 9, "one"),
        other: |store| arrive(store, 9, "other"),
        commits: (false, false),
    },
    Row {
        name: "unique: claims different values",
        transaction: |tx| arrive(tx, 8, "8"),
        other: |store| arrive(store, 9, "9"),
        commits: (true, true),
    },
    Row {
        name: "inserts; the other creates an index",
        transaction: |tx| arrive(tx, 9, "9"),
        other: |store| store.collection::<Document>("people").create_index(doc! { "city": 1 }).map(drop),
        commits: (false, false),
    },
    Row {
        name: "updates; the other drops the collection",
        transaction: |tx| birthday(tx, 1),
        other: |store| store.database("default").drop_collection("people").map(drop),
        commits: (false, false),
    },
    Row {
        name: "reads a collection, writes elsewhere; the other creates an index on it",
        transaction: |tx| people(tx).find_one(doc! { "_id": 1 }).and_then(|_| tx.kv().set("a", "2")),
        other: |store| store.collection::<Document>("people").create_index(doc! { "city": 1 }).map(drop),
        commits: (false, true),
    },
    Row {
        name: "both create one collection",
        transaction: |tx| tx.collection::<Document>("new").insert_one(&doc! { "_id": 1 }).map(drop),
        other: |store| store.collection::<Document>("new").insert_one(&doc! { "_id": 2 }).map(drop),
        commits: (false, false),
    },
    Row {
        name: "each creates a collection",
        transaction: |tx| tx.collection::<Document>("new").insert_one(&doc! { "_id": 1 }).map(drop),
        other: |store| store.collection::<Document>("other").insert_one(&doc! { "_id": 2 }).map(drop),
        commits: (true, true),
    },
    Row {
        name: "each creates a table, of one model and of another",
        transaction: |tx| tx.item_table("new").create(TableSchema::new("id", ScalarAttributeType::S)),
        other: |store| {
            let schema = wide_column::TableSchema::new().partition_key("id", CqlType::Text);
            store.wide_table("shop", "new").create(schema)
        },
        commits: (true, true),
    },
    Row {
        name: "creates a collection; the other drops another one",
        transaction: |tx| tx.collection::<Document>("new").insert_one(&doc! { "_id": 1 }).map(drop),
        other: |store| store.database("default").drop_collection("people").map(drop),
        commits: (true, true),
    },
    Row {
        name: "creates an index; the other creates one on another collection, which is new",
        transaction: |tx| people(tx).create_index(doc! { "city": 1 }).map(drop),
        other: |store| store.collection::<Document>("other").create_index(doc! { "city": 1 }).map(drop),
        commits: (true, true),
    },
    Row {
        name: "inserts; the other inserts the first array into an indexed field",
        transaction: |tx| arrive(tx, 8, "8"),
        other: |store| many_ages(store, 9),
        commits: (true, true),
    },
    Row {
        name: "both insert the first array into an indexed field",
        transaction: |tx| many_ages(tx, 8),
        other: |store| many_ages(store, 9),
        commits: (true, true),
    },
    Row {
        name: "looks for a range of an index, writes elsewhere; the other inserts the first array into it",
        transaction: |tx| {
            let found = people(tx).find(doc! { "age": { "$gt": 40, "$lt": 50 } }).to_vec()?;
            assert!(found.is_empty());
            tx.kv().set("a", "2")
        },
        other: |store| many_ages(store, 9),
        commits: (false, true),
    },
    Row {
        name: "finds by _id, writes elsewhere; the other inserts the first array into an indexed field",
        transaction: |tx| people(tx).find_one(doc! { "_id": 1 }).and_then(|_| tx.kv().set("a", "2")),
        other: |store| many_ages(store, 9),
        commits: (true, true),
    },
    Row {
        name: "inserts the first array into an indexed field; the other drops the index",
        transaction: |tx| many_ages(tx, 8),
        other: |store| store.collection::<Document>("people").drop_index("age_1").map(drop),
        commits: (false, false),
    },
    Row {
        name: "reads only",
        transaction: |tx| people(tx).find(doc! {}).to_vec().map(drop),
        other: |store| birthday(store, 1),
        commits: (true, true),
    },
    Row {
        name: "both increment a key",
        transaction: |tx| tx.kv().increment("a", 1).map(drop),
        other: |store| store.kv().increment("a", 1).map(drop),
        commits: (false, false),
    },
    Row {
        name: "write skew of keys",
        transaction: |tx| tx.kv().get("a").and_then(|_| tx.kv().set("b", "2")),
        other: |store| store.kv().set("a", "2"),
        commits: (false, true),
    },
    Row {
        name: "adds to a sorted set; the other removes it",
        transaction: |tx| tx.kv().sorted_set("board").add("c", 1.0).map(drop),
        other: |store| store.kv().remove("board").map(drop),
        commits: (false, false),
    },
    Row {
        name: "reads a sorted set, writes elsewhere; the other adds to it",
        transaction: |tx| tx.kv().sorted_set("board").top(3).and_then(|_| tx.kv().set("b", "2")),
        other: |store| store.kv().sorted_set("board").add("c", 1.0).map(drop),
        commits: (false, true),
    },
    Row {
        name: "both put one item",
        transaction: |tx| put_item(tx, "a"),
        other: |store| put_item(store, "a"),
        commits: (false, false),
    },
    Row {
        name: "write skew of items",
        transaction: |tx| tx.item_table("items").get(("b",)).and_then(|_| put_item(tx, "a")),
        other: |store| put_item(store, "b"),
        commits: (false, true),
    },
    Row {
        name: "both write one row",
        transaction: |tx| set_row(tx, "a"),
        other: |store| set_row(store, "a"),
        commits: (false, false),
    },
    Row {
        name: "write skew of rows",
        transaction: |tx| see_row(tx, "b").and_then(|()| set_row(tx, "a")),
        other: |store| set_row(store, "b"),
        commits: (false, true),
    },
];

#[test]
fn each_isolation_conflicts_with_what_it_promises_and_no_more() {
    for row in ROWS {
        for (isolation, commits) in [(Isolation::Serializable, row.commits.0), (Isolation::Snapshot, row.commits.1)] {
            let store = seeded();
            let tx = store.begin_with(isolation).unwrap();
            (row.transaction)(&tx).unwrap();
            (row.other)(&store).unwrap();
            let outcome = tx.commit();
            assert_eq!(outcome.is_ok(), commits, "{}, {isolation:?}: {outcome:?}", row.name);
            assert!(outcome.is_ok() || outcome.unwrap_err().is_retryable(), "{}, {isolation:?}", row.name);
        }
    }
}

#[test]
fn without_another_writer_nothing_conflicts() {
    for row in ROWS {
        for isolation in [Isolation::Serializable, Isolation::Snapshot] {
            let store = seeded();
            let tx = store.begin_with(isolation).unwrap();
            (row.transaction)(&tx).unwrap();
            tx.commit().unwrap_or_else(|error| panic!("{}, {isolation:?}: {error}", row.name));
        }
    }
}

#[test]
fn under_snapshot_isolation_the_first_to_commit_wins_even_where_nothing_was_read() {
    let store = seeded();
    let (first, second) = [Isolation::Snapshot; 2].map(|isolation| store.begin_with(isolation).unwrap()).into();
    for tx in [&first, &second] {
        people(tx).delete_many(doc! { "age": 21 }).unwrap();
    }
    first.commit().unwrap();
    assert!(second.commit().unwrap_err().is_retryable());
}

#[test]
fn a_snapshot_transaction_reads_one_moment_and_its_own_writes() {
    let store = seeded();
    let tx = store.begin_with(Isolation::Snapshot).unwrap();
    arrive(&store, 9, "9").unwrap();
    assert_eq!(people(&tx).count_documents(doc! {}).unwrap(), 4);
    arrive(&tx, 8, "8").unwrap();
    assert_eq!(people(&tx).count_documents(doc! {}).unwrap(), 5);
    tx.commit().unwrap();
    assert_eq!(store.collection::<Document>("people").count_documents(doc! {}).unwrap(), 6);
}

#[test]
fn an_index_that_meets_its_first_arrays_at_once_finds_both() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let store = seeded();
        let txs = [8, 9].map(|id| (id, store.begin_with(isolation).unwrap()));
        for (id, tx) in &txs {
            many_ages(tx, *id).unwrap();
            let found = people(tx).find(doc! { "age": { "$gt": 40, "$lt": 50 } }).to_vec().unwrap();
            assert_eq!(found.len(), 1, "its own");
        }
        let [first, second] = txs.map(|(_, tx)| tx.commit());
        first.unwrap();
        // It looked for a range in which the other one has put something.
        assert_eq!(second.is_ok(), isolation == Isolation::Snapshot);
        let found = store.collection::<Document>("people").find(doc! { "age": { "$gt": 40, "$lt": 50 } }).to_vec();
        assert_eq!(found.unwrap().len(), if isolation == Isolation::Snapshot { 2 } else { 1 });
    }
}
