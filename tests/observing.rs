//! The records of what a store does, as a subscriber gets them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::bson::doc;
use larder::item::{self, GlobalIndex, Item, ScalarAttributeType, key};
use larder::wide_column::{CqlType, IndexTarget, TableSchema};
use larder::{Clock, Document, Error, Isolation, Store, Timestamp};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn number(&self, name: &str) -> u64 {
        self.0[name].parse().unwrap()
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<(String, Fields)>>>);

impl Records {
    /// Takes those of one target.
    fn take(&self, target: &str) -> Vec<Fields> {
        let mut records = self.0.lock().unwrap();
        let (taken, left) = std::mem::take(&mut *records).into_iter().partition(|(of, _)| of == target);
        *records = left;
        let taken: Vec<(String, Fields)> = taken;
        taken.into_iter().map(|(_, fields)| fields).collect()
    }

    fn operation(&self) -> Fields {
        self.take("larder::operation").pop().expect("an operation was recorded")
    }

    fn transaction(&self) -> Fields {
        self.take("larder::transaction").pop().expect("a transaction was recorded")
    }
}

impl Subscriber for Records {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("larder::")
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push((event.metadata().target().to_owned(), fields));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn listening(test: impl FnOnce(&Records)) {
    let records = Records::default();
    tracing::subscriber::with_default(records.clone(), || test(&records));
}

/// A hundred people, ten of each age, of which there is an index.
fn people(store: &Store) -> larder::Collection<Document> {
    let people = store.collection::<Document>("people");
    people.create_index(doc! { "age": 1 }).unwrap();
    people.insert_many((0..100).map(|n| doc! { "_id": n, "age": n / 10, "name": n.to_string() })).unwrap();
    people
}

#[test]
fn a_find_by_an_index_names_it_and_examines_what_it_finds_and_a_scan_examines_everything() {
    listening(|records| {
        let people = people(&Store::in_memory());
        people.find(doc! { "age": 3 }).to_vec().unwrap();
        let find = records.operation();
        let told = ["model", "verb", "target", "outcome", "index"].map(|name| find.0[name].as_str());
        assert_eq!(told, ["document", "find", "default.people", "ok", "age_1"]);
        assert_eq!((find.number("entries_examined"), find.number("entries_returned")), (20, 10));
        assert_eq!((find.number("entries_written"), find.number("bytes_written")), (0, 0));
        let by_index = find.number("bytes_read");

        people.find(doc! { "name": "7" }).to_vec().unwrap();
        let scan = records.operation();
        assert!(!scan.0.contains_key("index") && !scan.0.contains_key("error"));
        assert_eq!((scan.number("entries_examined"), scan.number("entries_returned")), (100, 1));
        assert!(scan.number("bytes_read") > by_index);
    });
}

#[test]
fn reads_of_items_and_rows_tell_what_they_examined_and_returned_and_by_which_index() {
    listening(|records| {
        let store = Store::in_memory();
        let items = store.item_table("people");
        let by_age = GlobalIndex::new("by-age", "age", ScalarAttributeType::N);
        items.create(item::TableSchema::new("PK", ScalarAttributeType::N).global_index(by_age)).unwrap();
        for n in 0..20 {
            items.put(&Item::from([("PK", n), ("age", n / 10)])).unwrap();
        }
        records.take("larder::operation");
        assert_eq!(items.query(key("age").eq(1)).index("by-age").to_vec().unwrap().len(), 10);
        let query = records.operation();
        assert_eq!(query.0["index"], "by-age");
        assert_eq!((query.number("entries_examined"), query.number("entries_returned")), (20, 10));

        assert_eq!(items.scan().limit(3).page().unwrap().items.len(), 3);
        let page = records.operation();
        assert!(!page.0.contains_key("index"));
        assert_eq!((page.number("entries_examined"), page.number("entries_returned")), (3, 3));

        let rows = store.wide_table("shop", "people");
        rows.create(TableSchema::new().partition_key("id", CqlType::Int)).unwrap();
        for n in 0..5 {
            rows.insert(&[("id", n.into())]).unwrap();
        }
        records.take("larder::operation");
        assert_eq!(rows.scan().limit(2).to_vec().unwrap().len(), 2);
        let scan = records.operation();
        assert_eq!(scan.number("entries_returned"), 2);
        assert!((2..5).contains(&scan.number("entries_examined")), "no more than the limit asks for");
        assert_eq!(scan.number("entries_dead"), 0);
        assert!(!scan.0.contains_key("index"));
        rows.add_column("age", CqlType::Int).unwrap();
        rows.create_index("by_age", "age", IndexTarget::Value).unwrap();
        rows.change((1,)).set("age", 7).execute().unwrap();
        records.take("larder::operation");
        assert_eq!(rows.select_by_index("by_age", 7).to_vec().unwrap().len(), 1);
        let select = records.operation();
        assert_eq!(select.0["index"], "by_age");
        assert_eq!((select.number("entries_examined"), select.number("entries_returned")), (2, 1));
        (1..4).for_each(|n| rows.delete_row((n,)).unwrap());
        records.take("larder::operation");
        assert_eq!(rows.scan().to_vec().unwrap().len(), 2);
        assert_eq!(records.operation().number("entries_dead"), 3);
    });
}

#[test]
fn a_cursor_is_recorded_once_when_it_is_dropped_with_what_was_taken_from_it() {
    listening(|records| {
        let people = people(&Store::in_memory());
        records.take("larder::operation");
        let mut cursor = people.find(doc! { "name": { "$gt": "" } }).run().unwrap();
        cursor.next().unwrap().unwrap();
        assert!(records.take("larder::operation").is_empty());
        drop(cursor);
        let found = records.take("larder::operation");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].number("entries_examined"), found[0].number("entries_returned")), (1, 1));
    });
}

#[test]
fn writes_count_the_entries_and_bytes_they_change_and_say_how_they_end() {
    listening(|records| {
        let store = Store::in_memory();
        let people = people(&store);
        people.insert_one(&doc! { "_id": 100, "age": 3 }).unwrap();
        let insert = records.operation();
        assert_eq!(insert.number("entries_written"), 3, "the document, its _id and its age");
        assert!(insert.number("bytes_written") > 40);
        people.insert_one(&doc! { "_id": 100 }).unwrap_err();
        let refused = records.operation();
        assert!(refused.0["outcome"] == "error" && refused.0["error"].contains("100"), "{refused:?}");
        people.update_one(doc! { "age": 3 }, doc! { "$set": { "seen": true } }).unwrap();
        assert_eq!(records.operation().0["index"], "age_1");

        store.kv().set("k", "value").unwrap();
        assert_eq!(records.operation().number("entries_written"), 1);
        store.kv().get("k").unwrap();
        let get = records.operation();
        assert_eq!((get.number("entries_examined"), get.number("entries_returned")), (1, 1));
        store.kv().get("other").unwrap();
        let miss = records.operation();
        assert_eq!((miss.number("entries_examined"), miss.number("entries_returned")), (0, 0));

        let rows = store.wide_table("shop", "rows");
        rows.create(TableSchema::new().partition_key("id", CqlType::Int).column("n", CqlType::Int)).unwrap();
        rows.insert(&[("id", 1.into()), ("n", 1.into())]).unwrap();
        let row = records.operation();
        assert_eq!((&*row.0["model"], &*row.0["verb"]), ("wide_column", "insert"));
        assert!(row.number("entries_written") >= 1);
    });
}

#[test]
fn operations_of_a_transaction_and_of_a_snapshot_count_for_themselves() {
    listening(|records| {
        let store = Store::in_memory();
        people(&store);
        records.take("larder::operation");
        let tx = store.begin().unwrap();
        tx.collection::<Document>("people").find(doc! { "age": 1 }).to_vec().unwrap();
        tx.kv().set("k", "v").unwrap();
        let snapshot = store.snapshot().unwrap();
        snapshot.collection::<Document>("people").find(doc! {}).to_vec().unwrap();
        let [find, set, all] = records.take("larder::operation").try_into().unwrap();
        assert_eq!((find.number("entries_examined"), find.number("entries_written")), (20, 0));
        assert_eq!((set.number("entries_written"), &*set.0["verb"]), (1, "set"));
        assert_eq!(all.number("entries_examined"), 100);
    });
}

/// Panics from its second look at the time on.
#[derive(Debug, Default)]
struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        assert!(!self.0.swap(true, Ordering::SeqCst), "on purpose");
        Timestamp::from_seconds(1)
    }
}

#[test]
fn an_operation_that_panics_is_recorded_too() {
    listening(|records| {
        let store = Store::builder().clock(BrokenClock::default()).in_memory();
        let hour = Duration::from_hours(1);
        store.kv().set_with_ttl("k", "v", hour).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| store.kv().get("k"))).is_err());
        assert_eq!(records.operation().0["outcome"], "panicked");
    });
}

#[test]
fn transactions_say_how_they_were_kept_apart_what_they_changed_and_how_they_ended() {
    listening(|records| {
        let store = Store::in_memory();
        store
            .transaction(|tx| {
                tx.kv().set("a", "1")?;
                tx.kv().set("a", "2")?;
                tx.kv().set("b", "1")
            })
            .unwrap();
        let committed = records.transaction();
        let told =
            ["isolation", "attempt", "outcome", "entries_written", "commit"].map(|name| committed.0[name].as_str());
        assert_eq!(told, ["exclusive", "1", "committed", "2", "1"]);
        assert!(committed.number("bytes_written") > 4);

        let failed = store.transaction(|tx| tx.kv().set("a", "3").and(Err::<(), _>(Error::Closed)));
        assert!(failed.is_err());
        assert_eq!(records.transaction().0["outcome"], "rolled_back");

        let (one, two) = (store.begin_with(Isolation::Snapshot).unwrap(), store.begin().unwrap());
        one.kv().increment("a", 1).unwrap();
        two.kv().increment("a", 1).unwrap();
        one.commit().unwrap();
        two.commit().unwrap_err();
        store.begin().unwrap().rollback();
        let told: Vec<_> = records
            .take("larder::transaction")
            .iter()
            .map(|record| (record.0["isolation"].clone(), record.0["outcome"].clone(), record.0.contains_key("error")))
            .collect();
        let expected = [
            ("snapshot", "committed", false),
            ("serializable", "conflict", true),
            ("serializable", "rolled_back", false),
        ];
        assert_eq!(told, expected.map(|(isolation, outcome, error)| (isolation.into(), outcome.into(), error)));
        store.kv().set("a", "4").unwrap();
        assert!(records.take("larder::transaction").is_empty(), "an operation by itself has a record of its own");
    });
}

#[test]
fn the_engine_tells_of_syncs_checkpoints_and_opening() {
    let dir = tempfile::tempdir().unwrap();
    listening(|records| {
        let store = Store::open(dir.path()).unwrap();
        let opened = records.take("larder::open").pop().unwrap();
        assert_eq!((opened.number("entries"), opened.number("files")), (0, 1));
        let pending: Vec<_> =
            (0..3).map(|n| store.transaction_pending(|tx| tx.kv().set(format!("{n}"), "v")).unwrap().1).collect();
        pending.into_iter().rev().for_each(|commit| commit.wait().unwrap());
        let syncs = records.take("larder::sync");
        assert!(syncs.iter().all(|sync| sync.0["outcome"] == "ok"));
        assert_eq!(syncs.iter().map(|sync| sync.number("commits")).sum::<u64>(), 3);
        assert!(syncs.iter().map(|sync| sync.number("bytes")).sum::<u64>() > 6);
        store.checkpoint().unwrap();
        let checkpoint = records.take("larder::checkpoint").pop().unwrap();
        assert_eq!((checkpoint.number("entries"), checkpoint.number("commit")), (3, 3));
        assert_eq!(checkpoint.number("bytes"), store.stats().unwrap().checkpoint_bytes);
        store.close().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let opened = records.take("larder::open").pop().unwrap();
        assert_eq!((opened.number("entries"), opened.number("commit"), &*opened.0["was_closed"]), (3, 3, "true"));
    });
}
