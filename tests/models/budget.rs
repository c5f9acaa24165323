//! The budget of memory is one of the whole store, whichever model writes.

use larder::bson::doc;
use larder::item::{GlobalIndex, Item, ScalarAttributeType, WriteRequest};
use larder::kv::{End, EvictionPolicy};
use larder::wide_column::CqlValue;
use larder::{Document, Error, Store, channel};

use crate::{item_table, store, wide_table};

const PAYLOAD: [u8; 500] = [b'x'; 500];

fn text() -> String {
    "x".repeat(500)
}

fn bytes(store: &Store) -> u64 {
    store.stats().unwrap().bytes.unwrap()
}

/// Writes of every model, each of which makes the store larger by the number that is given.
type Write = Box<dyn Fn(&Store, i32) -> larder::Result<()>>;

fn writes() -> Vec<(&'static str, Write)> {
    fn write(write: impl Fn(&Store, i32) -> larder::Result<()> + 'static) -> Write {
        Box::new(write)
    }
    let row = |n: i32| [("id", n.into()), ("at", CqlValue::Bigint(1)), ("name", text().into())];
    let item = |n: i32| Item::new().with("PK", "a").with("SK", n).with("v", text());
    let documents = |store: &Store| store.collection::<Document>("c");
    vec![
        ("insert_one", write(move |store, n| documents(store).insert_one(&doc! { "_id": n, "v": text() }).map(drop))),
        (
            "insert_many",
            write(move |store, n| documents(store).insert_many([doc! { "_id": n + 1_000, "v": text() }]).map(drop)),
        ),
        (
            "update_one",
            write(move |store, n| {
                documents(store).update_one(doc! { "_id": 0 }, doc! { "$set": { format!("f{n}"): text() } }).map(drop)
            }),
        ),
        ("create_index", write(move |store, n| documents(store).create_index(doc! { format!("f{n}"): 1 }).map(drop))),
        ("put", write(move |store, n| store.item_table("Events").put(&item(n)).map(drop))),
        (
            "batch_write",
            write(move |store, n| store.item_table("Events").batch_write([WriteRequest::put(item(n))]).map(drop)),
        ),
        (
            "add_index",
            write(|store, n| {
                // There may be twenty.
                let index = GlobalIndex::new(format!("by-v-{}", n % 15), "v", ScalarAttributeType::S);
                store.item_table("Events").add_index(index)
            }),
        ),
        ("insert", write(move |store, n| store.wide_table("shop", "events").insert(&row(n)))),
        ("set", write(|store, n| store.kv().set(format!("key{}", n + 1_000), PAYLOAD))),
    ]
}

/// A store with something of every model, and the document 0.
fn seeded() -> Store {
    let (store, _) = store();
    item_table(&store);
    wide_table(&store);
    for (_, write) in writes() {
        write(&store, 0).unwrap();
    }
    store
}

#[test]
fn a_spent_budget_refuses_writes_of_every_model_and_says_how_much_is_held() {
    let store = seeded();
    let due = store.kv_named("due").sorted_set("due");
    for member in ["a", "b", "c"] {
        due.add(member, 1.0).unwrap();
    }
    let held = bytes(&store);
    store.set_memory_budget(Some(held - 1), EvictionPolicy::NoEviction).unwrap();
    for (verb, write) in writes() {
        let error = write(&store, 1).unwrap_err();
        assert!(
            matches!(error, Error::OutOfMemory { budget, used } if budget == held - 1 && used == held),
            "{verb}: {error}"
        );
        assert!(error.to_string().contains(&held.to_string()), "{error}");
        assert_eq!(bytes(&store), held, "{verb}");
        let outcome = store.transaction(|_| write(&store.fork()?, 1));
        assert!(outcome.is_ok(), "a fork has no budget: {verb}");
    }
    // What only removes, and what is not kept, goes on.
    channel_still_works(&store);
    let (items, rows) = (store.item_table("Events"), store.wide_table("shop", "events"));
    store.collection::<Document>("c").delete_one(doc! { "_id": 0 }).unwrap();
    let _ = items.batch_write([WriteRequest::delete(("a", 0))]).unwrap();
    items.delete(("a", 1)).unwrap();
    rows.delete_row((0, 1_i64)).unwrap();
    store.kv().remove("key1000").unwrap();
    due.pop(End::Front).unwrap().unwrap();
    assert_eq!(due.pop_many(End::Back, 1).unwrap().len(), 1);
    assert!(bytes(&store) < held);
    for (verb, write) in writes() {
        write(&store, 2).unwrap_or_else(|error| panic!("{verb}: {error}"));
        store.set_memory_budget(Some(bytes(&store)), EvictionPolicy::NoEviction).unwrap();
    }
    store.set_memory_budget(Some(1), EvictionPolicy::NoEviction).unwrap();
    assert!(store.database("x").drop_collection("c").is_ok());
    store.collection::<Document>("c").drop_index("f2_1").unwrap();
    assert!(rows.drop_column("name").unwrap());
    rows.delete_partition((2,)).unwrap();
    assert!(rows.drop_table().unwrap());
    assert!(items.remove_index("by-v-2").unwrap());
    assert!(items.delete_table().unwrap());
}

fn channel_still_works(store: &Store) {
    let inbox: channel::Subscriber = store.subscribe("news").unwrap();
    store.publish("news", "still here").unwrap();
    assert!(inbox.try_recv().unwrap().is_some());
}

#[test]
fn keys_make_room_for_writes_of_every_model_and_nothing_else_does() {
    for (verb, write) in writes() {
        let store = seeded();
        for n in 1..=100 {
            store.kv().set(format!("key{n}"), PAYLOAD).unwrap();
        }
        let (budget, documents) = (bytes(&store), store.collection::<Document>("c").count_documents(doc! {}).unwrap());
        store.set_memory_budget(Some(budget), EvictionPolicy::AllKeysRandom).unwrap();
        for n in 1..=40 {
            write(&store, n).unwrap_or_else(|error| panic!("{verb}: {error}"));
        }
        // An operation may go past the budget by what it writes itself.
        assert!(bytes(&store) <= budget + 2_000, "{verb}: {} of {budget}", bytes(&store));
        assert!(store.collection::<Document>("c").count_documents(doc! {}).unwrap() >= documents, "{verb}");
        assert!(store.item_table("Events").get(("a", 0)).unwrap().is_some(), "{verb}");
        assert_eq!(store.wide_table("shop", "events").select((0,)).to_vec().unwrap().len(), 1, "{verb}");
        assert_eq!(
            store.key_stats().evicted,
            100 + 1 + u64::from(verb == "set") * 40 - store.kv().len().unwrap(),
            "{verb}"
        );
    }
}

#[test]
fn when_no_key_is_left_to_evict_the_write_is_refused() {
    let store = seeded();
    for n in 1..=5 {
        store.kv().set(format!("key{n}"), PAYLOAD).unwrap();
    }
    store.set_memory_budget(Some(1_000), EvictionPolicy::AllKeysLru).unwrap();
    let documents = store.collection::<Document>("c");
    let error = documents.insert_one(&doc! {}).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { budget: 1_000, .. }), "{error}");
    assert_eq!(
        (documents.count_documents(doc! {}).unwrap(), store.kv().len().unwrap()),
        (2, 6),
        "nothing of it is kept"
    );
    assert_eq!(store.key_stats().evicted, 0);
}

#[test]
fn an_operation_that_evicts_and_fails_leaves_the_transaction_as_it_was() {
    let store = seeded();
    store.kv().set("text", "not a number").unwrap();
    for n in 1..=20 {
        store.kv().set(format!("key{n}"), PAYLOAD).unwrap();
    }
    let keys = store.kv().len().unwrap();
    let budget = bytes(&store);
    store.set_memory_budget(Some(budget - 3_000), EvictionPolicy::AllKeysRandom).unwrap();
    store
        .transaction(|tx| {
            for _ in 0..3 {
                assert!(tx.collection::<Document>("c").insert_one(&doc! { "_id": 0 }).is_err(), "it is there already");
                assert_eq!(tx.kv().len()?, keys, "what was evicted for it is back");
            }
            tx.collection::<Document>("c").insert_one(&doc! { "_id": 7 })?;
            assert!(tx.kv().len()? < keys, "and what was freed by it is not taken for free");
            Ok::<_, larder::Error>(())
        })
        .unwrap();
    assert_eq!(store.key_stats().evicted, keys - store.kv().len().unwrap(), "only what was committed is counted");
    assert!(bytes(&store) <= budget - 2_000);
}
