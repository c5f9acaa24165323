//! Holds the worked examples of `docs/key-layout.md`: they are what a store really writes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use larder::bson::doc;
use larder::document::CollectionOptions;
use larder::engine::{Direction, Engine, KeyRange, MemoryEngine};
use larder::item::{GlobalIndex, Item, KeyType, TableSchema};
use larder::kv::End;
use larder::wide_column::{self, CqlType, Order};
use larder::{Document, ManualClock, Store, Timestamp};

/// Every key of a store that did what the document says, in hexadecimal.
fn stored_keys() -> BTreeSet<String> {
    let engine = Arc::new(MemoryEngine::new());
    let clock = ManualClock::at(Timestamp::from_seconds(1));
    let store = Store::builder().clock(clock).engine(Arc::clone(&engine) as Arc<dyn Engine>).unwrap();

    let people = store.collection::<Document>("people");
    people.create_index(doc! { "age": -1 }).unwrap();
    people.insert_one(&doc! { "_id": "ann", "age": [1] }).unwrap();

    store.kv().set_with_ttl("k", "v", Duration::from_secs(1)).unwrap();
    store.kv().hash("h").set("f", "v").unwrap();
    store.kv().list("l").push(End::Back, ["a", "b"]).unwrap();
    store.kv().sorted_set("z").add("ab", 1.5).unwrap();

    let table = store.item_table("events");
    let by_type = GlobalIndex::new("by_type", "type", KeyType::S);
    table.create(TableSchema::new("pk", KeyType::S).sort_key("sk", KeyType::N).global_index(by_type)).unwrap();
    table.put(&Item::new().with("pk", "USER#7").with("sk", 5).with("type", "T")).unwrap();

    let rows = store.wide_table("shop", "visits");
    let schema = wide_column::TableSchema::new().partition_key("user", CqlType::Text);
    rows.create(schema.clustering("n", CqlType::Int, Order::Descending)).unwrap();
    rows.insert(&[("user", "xd".into()), ("n", 7.into())]).unwrap();

    store.kv_named("a").swap(&store.kv_named("b")).unwrap();
    store.kv_named("a").set("k", "v").unwrap();
    store.kv_named("c").unsorted_set("s").add_many((0..65).map(|n| n.to_string())).unwrap();
    store.kv_named("c").remove("s").unwrap();

    let options = CollectionOptions::default().capped(4_096, None);
    store.database("default").create_collection_with("log", options).unwrap();
    store.collection::<Document>("log").insert_one(&doc! { "_id": "a" }).unwrap();

    let mut keys = BTreeSet::new();
    let mut cursor = engine.snapshot().unwrap().range(&KeyRange::all(), Direction::Forward).unwrap();
    while let Some((key, _)) = cursor.next().unwrap() {
        // What the job has still to remove.
        if key.starts_with(&[0x21, 1, 4]) {
            continue;
        }
        keys.insert(key.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        }));
    }
    keys
}

#[test]
fn the_worked_examples_are_exactly_what_is_stored() {
    let (_, examples) = include_str!("../docs/key-layout.md").split_once("key by key").unwrap();
    let examples = examples.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: BTreeSet<String> = examples.map(|(hex, _)| hex.replace(' ', "")).collect();
    assert_eq!(documented, stored_keys());
}
