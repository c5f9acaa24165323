//! Stores that earlier versions wrote are opened by this one, with everything in them.
//!
//! `tests/fixtures/v…/` is a store that the version with format N wrote, from 2 on, the first that is read: one part of it in a checkpoint, one in the log, which
//! ends without a close. It is never written again; a new format adds a directory, and so does a new record of the catalogue: `v2.1` has
//! the second one of collections, `v2` the first. Item tables and wide-column tables of before `v2.2` are not read
//! (`docs/decisions/0015-item-tables.md`, `0016-wide-column-records.md`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use larder::bson::doc;
use larder::engine::durable::{self, DurableEngine, DurableOptions};
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key};
use larder::kv::Ttl;
use larder::wide_column::{CqlType, CqlValue, Order};
use larder::{Document, Error, ManualClock, Store, Timestamp};

/// What this version writes.
const NEWEST: &str = "v2.2";

/// Customers and orders in the store, half of them in its checkpoint.
const ORDERS: i32 = 8;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn open(path: &Path) -> Store {
    // No thread, a small segment and a fixed identity, so that the same files are written whenever they are written.
    let options = DurableOptions::default().without_threads().segment_bytes(8 << 10).store_id(0x1a4d_e401);
    let engine = DurableEngine::open_with(path, &options).unwrap();
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    Store::builder().clock(clock).seed(7).engine(Arc::new(engine)).unwrap()
}

fn create(store: &Store) {
    let orders = store.collection::<Document>("orders");
    orders.create_index(doc! { "customer": 1, "amount": -1 }).unwrap();
    let by_amount =
        GlobalIndex::new("by_amount", "customer", ScalarAttributeType::S).sort_key("amount", ScalarAttributeType::N);
    let schema = TableSchema::new("id", ScalarAttributeType::N).global_index(by_amount);
    store.item_table("orders").create(schema).unwrap();
    let schema = larder::wide_column::TableSchema::new()
        .partition_key("customer", CqlType::Text)
        .clustering("id", CqlType::Int, Order::Ascending)
        .column("amount", CqlType::Int);
    store.wide_table("shop", "orders").create(schema).unwrap();
}

fn customer(id: i32) -> String {
    format!("customer {}", id % 3)
}

fn write_order(store: &Store, id: i32) {
    let (customer, amount) = (&*customer(id), id * 10);
    store
        .transaction(|tx| {
            let order = doc! { "_id": id, "customer": customer, "amount": amount };
            tx.collection::<Document>("orders").insert_one(&order)?;
            tx.kv().set(format!("order:{id}"), amount.to_string())?;
            tx.kv().set_with_ttl(format!("cart:{id}"), "full", Duration::from_mins(1))?;
            tx.kv().sorted_set("spent").increment(customer, f64::from(amount))?;
            let item =
                Item::new().with("id", i64::from(id)).with("customer", customer).with("amount", i64::from(amount));
            tx.item_table("orders").put(&item)?;
            let row = [CqlValue::from(customer), CqlValue::Int(id), CqlValue::Int(amount)];
            tx.wide_table("shop", "orders").prepare_insert(&["customer", "id", "amount"])?.execute(row)
        })
        .unwrap();
}

/// Looks at the store through every model, its indexes and its counts; at items and rows only if this version wrote them: others are
/// refused.
fn check_orders(store: &Store, is_newest: bool) {
    if !is_newest {
        let rows = store.wide_table("shop", "orders").scan().to_vec();
        assert!(matches!(rows, Err(Error::Corruption { .. })), "{rows:?}");
    }
    let orders = store.collection::<Document>("orders");
    assert_eq!(orders.count_documents(doc! {}).unwrap(), u64::try_from(ORDERS).unwrap());
    for id in 0..ORDERS {
        let (customer, amount) = (&*customer(id), id * 10);
        let order = orders.find_one(doc! { "customer": customer, "amount": amount }).unwrap().unwrap();
        assert_eq!(order, doc! { "_id": id, "customer": customer, "amount": amount });
        assert_eq!(store.kv().get(format!("order:{id}")).unwrap().unwrap(), amount.to_string().as_bytes());
        assert_eq!(store.kv().ttl(format!("cart:{id}")).unwrap(), Ttl::Expires(Duration::from_mins(1)));
        let item = store.item_table("orders").get(i64::from(id));
        match item {
            Ok(item) if is_newest => assert_eq!(item.unwrap().get("customer"), Some(&customer.into())),
            other => assert!(!is_newest && matches!(other, Err(Error::Corruption { .. })), "{other:?}"),
        }
        if is_newest {
            let rows = store.wide_table("shop", "orders").select([CqlValue::from(customer)]).to_vec().unwrap();
            assert!(rows.iter().any(|row| row.get("amount") == Some(&CqlValue::Int(amount))));
        }
    }
    if is_newest {
        let found = store.item_table("orders").query(key("customer").eq(customer(1))).index("by_amount").reverse();
        assert_eq!(found.run().unwrap().count(), 3);
    }
    let spent = store.kv().sorted_set("spent");
    assert_eq!((spent.len().unwrap(), spent.score(customer(1)).unwrap()), (3, Some(120.0)));
    assert!(store.check().unwrap().damage.is_empty());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn write_store(path: &Path) -> Store {
    let store = open(path);
    create(&store);
    (0..ORDERS / 2).for_each(|id| write_order(&store, id));
    store.checkpoint().unwrap();
    (ORDERS / 2..ORDERS).for_each(|id| write_order(&store, id));
    store
}

#[test]
fn this_version_opens_what_every_version_wrote() {
    let mut versions = 0;
    for version in fs::read_dir(fixtures()).unwrap() {
        let (dir, version) = (tempfile::tempdir().unwrap(), version.unwrap().path());
        println!("{}", version.display());
        let path = dir.path().join("store");
        copy(&version, &path);
        assert!(durable::check(&path).unwrap().damage.is_empty());
        let store = open(&path);
        let stats = store.stats().unwrap();
        assert!(stats.last_checkpoint.is_some_and(|commit| commit < stats.commit), "both are read");
        let is_newest = version.ends_with(NEWEST);
        check_orders(&store, is_newest);
        // And goes on with it.
        store.kv().set("later", "1").unwrap();
        store.checkpoint().unwrap();
        store.close().unwrap();
        check_orders(&open(&path), is_newest);
        versions += 1;
    }
    assert_eq!(versions, 3);
}

/// Byte for byte: a change of what is written is a change of the format, and needs a new number. Checkpoints are left out,
/// because another version of the compression may find a shorter form of the same.
#[test]
fn this_version_writes_its_format_as_it_always_did() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = write_store(&path);
    for file in fs::read_dir(fixtures().join(NEWEST)).unwrap() {
        let (name, expected) = (file.as_ref().unwrap().file_name(), fs::read(file.unwrap().path()).unwrap());
        if Path::new(&name).extension().is_some_and(|extension| extension == "checkpoint") {
            continue;
        }
        let written = fs::read(path.join(&name)).unwrap();
        assert!(written == expected, "{} has changed", name.display());
    }
    drop(store);
}

/// Not a test: writes the fixture of a new format, when one is made on purpose.
#[test]
#[ignore = "it writes a fixture"]
fn write_the_fixture_of_a_new_format() {
    let (dir, version) = (tempfile::tempdir().unwrap(), fixtures().join(NEWEST));
    let path = dir.path().join("store");
    let store = write_store(&path);
    check_orders(&store, true);
    fs::create_dir_all(fixtures()).unwrap();
    copy(&path, &version);
    fs::remove_file(version.join("lock")).unwrap();
}
