//! Holds the worked examples of `docs/key-layout.md`: they are what a store really writes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use larder::bson::doc;
use larder::document::CollectionOptions;
use larder::engine::{Direction, Engine, KeyRange, MemoryEngine};
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema};
use larder::kv::End;
use larder::wide_column::{self, CqlType, Order};
use larder::{Document, ManualClock, Store, Timestamp};

fn hex(key: &[u8]) -> String {
    key.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The keys in the table below the heading of the document that ends in `heading`.
fn documented(heading: &str) -> BTreeSet<String> {
    let (_, section) = include_str!("../docs/key-layout.md").split_once(heading).unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let examples = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    examples.map(|(hex, _)| hex.replace(' ', "")).collect()
}

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
    let by_type = GlobalIndex::new("by_type", "type", ScalarAttributeType::S);
    table
        .create(
            TableSchema::new("pk", ScalarAttributeType::S).sort_key("sk", ScalarAttributeType::N).global_index(by_type),
        )
        .unwrap();
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
        keys.insert(hex(key));
    }
    keys
}

#[test]
fn the_worked_examples_are_exactly_what_is_stored() {
    assert_eq!(documented("A store, key by key"), stored_keys());
}

/// What item tables keep beside items and entries of indexes in a store that did what the document says.
#[cfg(feature = "exports")]
fn keys_beside_items() -> BTreeSet<String> {
    use larder::item::Lifecycle;
    use larder::item::request::{
        CreateTable, ExportTableToPointInTime, ImportTable, InputCompressionType, InputFormat, StreamViewType,
        TransactAction, TransactWrite, TransactWriteItems, UpdateContinuousBackups,
    };

    let (engine, directory) = (Arc::new(MemoryEngine::new()), tempfile::tempdir().unwrap());
    let clock = ManualClock::at(Timestamp::from_seconds(1));
    let store = Store::builder().clock(clock).seed(7).engine(Arc::clone(&engine) as Arc<dyn Engine>).unwrap();
    let items = store.items().buckets(directory.path());
    let schema = TableSchema::new("pk", ScalarAttributeType::S);
    items.table("events").create(schema.clone()).unwrap();
    items.table("events").enable_stream(StreamViewType::KeysOnly).unwrap();
    let put = TransactWrite::new("events", TransactAction::Put(Item::from([("pk", "USER#7")])));
    let transaction = TransactWriteItems {
        transact_items: vec![put],
        client_request_token: Some("once".into()),
        ..TransactWriteItems::default()
    };
    items.transact_write_items(&transaction).unwrap();
    let backups =
        UpdateContinuousBackups { table_name: "events".into(), enabled: true, ..UpdateContinuousBackups::default() };
    items.update_continuous_backups(&backups).unwrap();
    let table_arn = items.describe_table("events").unwrap().table_arn;
    let export =
        ExportTableToPointInTime { table_arn, s3_bucket: "bucket".into(), ..ExportTableToPointInTime::default() };
    let exported = items.export_table_to_point_in_time(&export).unwrap();
    let folder = exported.export_manifest.trim_end_matches("manifest-summary.json").to_owned();
    let import = ImportTable {
        s3_key_prefix: Some(folder + "data/"),
        input_compression_type: InputCompressionType::Gzip,
        ..ImportTable::new("bucket", InputFormat::DynamodbJson, CreateTable::new("copy", &schema))
    };
    items.import_table(&import).unwrap();
    let slow = items.lifecycle(Lifecycle::of(Duration::from_secs(1)));
    slow.create_table(&CreateTable::new("slow", &schema)).unwrap();

    let mut keys = BTreeSet::new();
    let mut cursor = engine.snapshot().unwrap().range(&KeyRange::all(), Direction::Forward).unwrap();
    while let Some((key, _)) = cursor.next().unwrap() {
        let is_of_account = key.starts_with(&[0x30, 0, 0, 0, 0]);
        let is_of_stream = key.first() == Some(&0x30) && key.get(5) == Some(&3);
        if key.first() == Some(&0x03) || is_of_account || is_of_stream {
            keys.insert(hex(key));
        }
    }
    keys
}

#[cfg(feature = "exports")]
#[test]
fn what_is_kept_beside_items_is_stored_as_documented() {
    assert_eq!(documented("Beside items, key by key"), keys_beside_items());
}

#[test]
fn roles_and_permissions_are_stored_as_documented() {
    let engine = Arc::new(MemoryEngine::new());
    let store = Store::builder().engine(Arc::clone(&engine) as Arc<dyn Engine>).unwrap();
    let schema = wide_column::TableSchema::new().partition_key("user", CqlType::Text);
    store.wide_table("shop", "visits").create(schema).unwrap();
    store.cql().execute("CREATE ROLE ann", ()).unwrap();
    store.cql().execute("GRANT SELECT ON shop.visits TO ann", ()).unwrap();
    let mut keys = BTreeSet::new();
    let mut cursor = engine.snapshot().unwrap().range(&KeyRange::prefix(&[0x01]), Direction::Forward).unwrap();
    while let Some((key, _)) = cursor.next().unwrap() {
        if [0x09, 0x0a].contains(&key[1]) {
            keys.insert(hex(key));
        }
    }
    assert_eq!(documented("## Roles of CQL"), keys);
}
