//! The store as a user holds it: transactions over every model, snapshots, forks, the clock, misuse.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use larder::bson::doc;
use larder::item::{Item, ScalarAttributeType, TableSchema};
use larder::wide_column::{CqlType, CqlValue};
use larder::{Document, Error, Kv, ManualClock, Result, Scope, Store, Timestamp, Transaction};

/// A store with a table of each model that needs one, on a clock that stands still.
fn store() -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    let store = Store::builder().clock(clock.clone()).in_memory();
    store.item_table("orders").create(TableSchema::new("id", ScalarAttributeType::S)).unwrap();
    let schema = larder::wide_column::TableSchema::new().partition_key("id", CqlType::Text).column("n", CqlType::Int);
    store.wide_table("shop", "orders").create(schema).unwrap();
    (store, clock)
}

/// Writes an order to every model.
fn write_everywhere(tx: &Transaction, id: &str) -> Result<()> {
    tx.collection::<Document>("orders").insert_one(&doc! { "_id": id })?;
    tx.kv().set(id, "1")?;
    tx.kv().sorted_set("orders").increment(id, 1.0)?;
    tx.item_table("orders").put(&Item::new().with("id", id))?;
    let table = tx.wide_table("shop", "orders");
    table.prepare_insert(&["id", "n"])?.execute([CqlValue::from(id), CqlValue::Int(1)])?;
    tx.publish("orders", id).map(drop)
}

/// How many models know the order, out of five.
fn known(store: &Store, id: &str) -> usize {
    let now = store.snapshot().unwrap();
    let known = [
        now.collection::<Document>("orders").find_one(doc! { "_id": id }).unwrap().is_some(),
        now.kv().get(id).unwrap().is_some(),
        now.kv().sorted_set("orders").score(id).unwrap().is_some(),
        now.item_table("orders").get((id,)).unwrap().is_some(),
        now.wide_table("shop", "orders").select([CqlValue::from(id)]).to_vec().unwrap().len() == 1,
    ];
    known.into_iter().filter(|known| *known).count()
}

#[test]
fn a_transaction_commits_to_every_model_at_once_and_then_tells() {
    let (store, _) = store();
    let inbox = store.subscribe("orders").unwrap();
    let before = store.stats().unwrap().commit;
    store
        .transaction(|tx| {
            write_everywhere(tx, "a")?;
            assert_eq!(known(&store, "a"), 0, "readers of the store see nothing of it yet");
            assert!(inbox.try_recv().unwrap().is_none());
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(known(&store, "a"), 5);
    assert_eq!(store.stats().unwrap().commit, before.next(), "it is one commit");
    assert_eq!(inbox.try_recv().unwrap().unwrap().payload(), b"a");
}

#[test]
fn an_error_in_the_middle_leaves_no_trace_in_any_model() {
    let (store, _) = store();
    let inbox = store.subscribe("orders").unwrap();
    let before = store.stats().unwrap();
    let outcome = store.transaction(|tx| {
        write_everywhere(tx, "a")?;
        Err::<(), _>(Error::application("declined"))
    });
    assert_eq!(outcome.unwrap_err().to_string(), "declined");
    assert_eq!((known(&store, "a"), store.stats().unwrap()), (0, before));
    assert!(inbox.try_recv().unwrap().is_none());
}

#[test]
fn a_dropped_optimistic_transaction_leaves_no_trace_and_a_committed_one_all() {
    let (store, _) = store();
    let tx = store.begin().unwrap();
    write_everywhere(&tx, "a").unwrap();
    drop(tx);
    assert_eq!(known(&store, "a"), 0);
    let tx = store.begin().unwrap();
    write_everywhere(&tx, "a").unwrap();
    tx.commit().unwrap();
    assert_eq!(known(&store, "a"), 5);
}

#[test]
fn optimistic_transactions_that_touch_the_same_things_conflict_in_every_model() {
    type Touch = fn(&Transaction) -> Result<()>;
    let touches: [(&str, Touch); 5] = [
        ("documents", |tx| tx.collection::<Document>("c").insert_one(&doc! { "_id": 1 }).map(drop)),
        ("keys", |tx| tx.kv().increment("n", 1).map(drop)),
        ("sorted sets", |tx| tx.kv().sorted_set("z").increment("m", 1.0).map(drop)),
        ("items", |tx| tx.item_table("orders").put(&Item::new().with("id", "1")).map(drop)),
        ("rows", |tx| {
            let table = tx.wide_table("shop", "orders");
            table.prepare_insert(&["id", "n"])?.execute([CqlValue::from("1"), CqlValue::Int(1)])
        }),
    ];
    for (model, touch) in touches {
        let (store, _) = store();
        let (first, second) = (store.begin().unwrap(), store.begin().unwrap());
        touch(&first).unwrap();
        touch(&second).unwrap();
        first.commit().unwrap();
        assert!(second.commit().unwrap_err().is_retryable(), "{model}");
    }
}

#[test]
fn inserts_of_different_documents_do_not_conflict() {
    let (store, _) = store();
    store.collection::<Document>("c").insert_one(&doc! { "_id": 0 }).unwrap();
    let (first, second) = (store.begin().unwrap(), store.begin().unwrap());
    first.collection::<Document>("c").insert_one(&doc! { "_id": 1 }).unwrap();
    second.collection::<Document>("c").insert_one(&doc! { "_id": 2 }).unwrap();
    first.commit().unwrap();
    second.commit().unwrap();
    assert_eq!(store.collection::<Document>("c").count_documents(doc! {}).unwrap(), 3);
}

#[test]
fn the_stores_handles_inside_its_transaction_are_refused_not_deadlocked() {
    let (store, _) = store();
    let outer = store.kv();
    store
        .transaction(|tx| {
            assert!(matches!(outer.set("k", "v"), Err(Error::NestedTransaction)));
            assert!(matches!(outer.get("k"), Err(Error::NestedTransaction)));
            assert!(matches!(store.begin(), Err(Error::NestedTransaction)));
            assert!(matches!(store.sweep_expired(), Err(Error::NestedTransaction)));
            tx.kv().set("k", "inner")
        })
        .unwrap();
    assert_eq!(outer.get("k").unwrap().as_deref(), Some(&b"inner"[..]));
}

#[test]
fn several_handles_of_one_transaction_work_side_by_side_and_cursors_stay_as_opened() {
    let (store, _) = store();
    store
        .transaction(|tx| {
            let (kv, documents, again) = (tx.kv(), tx.collection::<Document>("c"), tx.collection::<Document>("c"));
            documents.insert_many((0..10).map(|n| doc! { "_id": n }))?;
            let mut seen = 0;
            for document in documents.find(doc! {}).run()? {
                kv.increment("seen", 1)?;
                again.delete_one(doc! { "_id": document?.get_i32("_id").unwrap() })?;
                seen += 1;
            }
            assert_eq!((seen, again.count_documents(doc! {})?), (10, 0));
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn a_fork_and_its_original_never_see_each_other_and_a_fork_forks() {
    let (store, clock) = store();
    store.transaction(|tx| write_everywhere(tx, "both")).unwrap();
    let fork = store.fork().unwrap();
    fork.transaction(|tx| write_everywhere(tx, "fork")).unwrap();
    store.transaction(|tx| write_everywhere(tx, "original")).unwrap();
    let second = fork.fork().unwrap();
    second.kv().remove("both").unwrap();
    let all = |store: &Store| ["both", "original", "fork"].map(|id| known(store, id));
    assert_eq!((all(&store), all(&fork), all(&second)), ([5, 5, 0], [5, 0, 5], [4, 0, 5]));
    clock.advance(Duration::from_secs(1));
    assert_eq!(fork.now(), second.now());
    assert_ne!(fork.now(), store.now(), "a fork has time of its own");
}

#[test]
fn messages_of_a_fork_do_not_reach_the_originals_subscribers() {
    let (store, _) = store();
    let inbox = store.subscribe("orders").unwrap();
    let fork = store.fork().unwrap();
    assert_eq!(fork.publish("orders", "x").unwrap(), 0);
    assert!(inbox.try_recv().unwrap().is_none());
}

#[test]
fn one_function_serves_store_transaction_and_snapshot() {
    fn stock<S: Scope>(kv: &Kv<S>) -> Option<Vec<u8>> {
        kv.get("stock").unwrap()
    }
    let (store, _) = store();
    store.kv().set("stock", "7").unwrap();
    let snapshot = store.snapshot().unwrap();
    store.kv().set("stock", "6").unwrap();
    assert_eq!(stock(&store.kv()).as_deref(), Some(&b"6"[..]));
    assert_eq!(stock(&snapshot.kv()).as_deref(), Some(&b"7"[..]));
    let inside = store.transaction(|tx| Ok::<_, Error>(stock(&tx.kv()))).unwrap();
    assert_eq!(inside.as_deref(), Some(&b"6"[..]));
}

#[test]
fn many_threads_lose_no_update() {
    let (store, _) = store();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let store = store.clone();
            threads.spawn(move || {
                for _ in 0..200 {
                    store.kv().increment("auto", 1).unwrap();
                    store.transaction(|tx| tx.kv().increment("exclusive", 1)).unwrap();
                }
                let mut committed = 0;
                while committed < 50 {
                    let tx = store.begin().unwrap();
                    tx.kv().increment("optimistic", 1).unwrap();
                    tx.kv().sorted_set("threads").increment(thread.to_string(), 1.0).unwrap();
                    committed += i32::from(tx.commit().is_ok());
                }
            });
        }
    });
    let counts = ["auto", "exclusive", "optimistic"].map(|key| store.kv().increment(key, 0).unwrap());
    assert_eq!(counts, [800, 800, 200]);
    assert_eq!(store.kv().sorted_set("threads").count_by_score(50.0..=50.0).unwrap(), 4);
}

#[test]
fn a_closed_store_answers_closed_to_everyone() {
    let (store, _) = store();
    let (kv, clone) = (store.kv(), store.clone());
    store.close().unwrap();
    assert!(matches!(kv.get("k"), Err(Error::Closed)));
    assert!(matches!(kv.set("k", "v"), Err(Error::Closed)));
    assert!(matches!(clone.snapshot(), Err(Error::Closed)));
    assert!(matches!(clone.fork(), Err(Error::Closed)));
}

#[test]
fn handles_and_stores_can_be_sent_and_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send>() {}
    shared::<Store>();
    shared::<Kv>();
    shared::<larder::Collection<Document>>();
    shared::<larder::ItemTable>();
    shared::<larder::WideTable>();
    shared::<larder::Snapshot>();
    sent::<Transaction>();
    sent::<larder::Subscriber>();
    let clock: Arc<dyn larder::Clock> = Arc::new(ManualClock::default());
    assert_eq!(Store::builder().clock(clock).in_memory().now(), Timestamp::default());
}
