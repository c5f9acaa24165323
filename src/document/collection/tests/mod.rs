mod between;
mod bulk_writes;
mod capped;
mod hints;
mod indexes;
mod pipelines;
mod tails;
mod upserts;
mod validators;
mod views;

use bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use crate::document::{IndexOptions, Stage};
use crate::error::{Error, InvalidKind};
use crate::{Collection, ManualClock, Result, Scope, Store, Timestamp};

fn events() -> Collection<Document> {
    Store::in_memory().collection("events")
}

fn ids<S: Scope>(collection: &Collection<Document, S>, filter: Document, sort: Document) -> Vec<Bson> {
    let found = collection.find(filter).sort(sort).to_vec().unwrap();
    found.into_iter().map(|mut document| document.remove("_id").unwrap()).collect()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Event {
    _id: i32,
    kind: String,
    tags: Vec<String>,
}

#[test]
fn serde_types_come_back_as_they_went_in() {
    let store = Store::in_memory();
    let events = store.collection::<Event>("events");
    let event = Event { _id: 7, kind: "login".into(), tags: vec!["a".into(), "b".into()] };
    assert_eq!(events.insert_one(&event).unwrap().inserted_id, Bson::Int32(7));
    assert_eq!(events.find_one(doc! { "tags": "b" }).unwrap(), Some(event));
    events.with_type::<Document>().insert_one(&doc! { "_id": 8 }).unwrap();
    let error = events.find(doc! { "_id": 8 }).to_vec().unwrap_err();
    assert!(matches!(error, Error::Invalid { kind: InvalidKind::Serialization, .. }), "{error}");
    assert_eq!(events.find(doc! {}).run().unwrap().flatten().count(), 1);
}

#[test]
fn a_document_is_found_by_its_id_as_by_a_filter_that_demands_it() {
    let store = Store::in_memory();
    let on_store = store.collection::<Document>("events");
    let (object, operator) = (doc! { "a": 1 }, doc! { "$gt": 0 });
    let ids = [Bson::from(1), "b".into(), Bson::Null, 2.5.into(), object.into(), "x".repeat(2_000).into()];
    on_store.insert_many(ids.iter().map(|id| doc! { "_id": id, "n": 1 })).unwrap();
    let before = store.snapshot().unwrap();
    store
        .transaction(|tx| -> Result<()> {
            let events = tx.collection::<Document>("events");
            events.insert_one(&doc! { "_id": 3 })?;
            events.delete_one(doc! { "_id": 1 })?;
            assert_eq!((events.find_by_id(3)?, events.find_by_id(1)?), (Some(doc! { "_id": 3 }), None));
            Ok(())
        })
        .unwrap();
    assert!(before.collection::<Document>("events").find_by_id(1).unwrap().is_some());
    for id in ids.iter().skip(1) {
        let found = on_store.find_by_id(id.clone()).unwrap();
        assert_eq!(found, on_store.find_one(doc! { "_id": { "$eq": id } }).unwrap());
        assert!(found.is_some(), "{id}");
    }
    for other in [Bson::from(operator), Bson::Array(vec![]), true.into()] {
        assert_eq!(on_store.find_by_id(other).unwrap(), None, "it is a value, not a condition");
    }
    assert_eq!(store.collection::<Document>("nothing").find_by_id(1).unwrap(), None);
    let view = crate::document::CollectionOptions::default().view_on("events", [doc! { "$project": { "n": 0 } }]);
    store.database("default").create_collection_with("shown", view).unwrap();
    assert_eq!(store.collection::<Document>("shown").find_by_id("b").unwrap(), Some(doc! { "_id": "b" }));
}

#[test]
fn the_store_a_transaction_and_a_snapshot_answer_alike() {
    let store = Store::in_memory();
    let on_store = store.collection::<Document>("events");
    on_store.create_index(doc! { "n": -1 }).unwrap();
    on_store.insert_many([doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }]).unwrap();
    let before = store.snapshot().unwrap();
    store
        .transaction(|tx| {
            let events = tx.collection::<Document>("events");
            events.insert_one(&doc! { "_id": 3, "n": 3 })?;
            assert_eq!(ids(&events, doc! { "n": { "$gte": 2 } }, doc! { "n": 1 }), [2.into(), 3.into()]);
            assert!(events.insert_one(&doc! { "_id": 1 }).unwrap_err().is_duplicate_key());
            assert_eq!(events.count_documents(doc! {})?, 3, "the failed insert left nothing");
            events.delete_many(doc! { "n": { "$lt": 2 } })
        })
        .unwrap();
    assert_eq!(ids(&on_store, doc! {}, doc! { "n": -1 }), [3.into(), 2.into()]);
    let at_snapshot = before.collection::<Document>("events");
    assert_eq!(ids(&at_snapshot, doc! { "n": 1 }, doc! {}), [Bson::Int32(1)]);
    assert_eq!(at_snapshot.list_indexes().unwrap().len(), 2);
}

// SEM: DOC-CUR-2
#[test]
fn a_cursor_in_a_transaction_does_not_see_later_writes() {
    let store = Store::in_memory();
    store
        .transaction(|tx| {
            let events = tx.collection::<Document>("events");
            events.insert_many((0..5).map(|n| doc! { "_id": n }))?;
            let cursor = events.find(doc! { "_id": { "$gte": 0 } }).run()?;
            for event in cursor {
                events.insert_one(&doc! { "_id": event?.get_i32("_id").unwrap() + 100 })?;
            }
            assert_eq!(events.count_documents(doc! {})?, 10);
            Ok::<_, crate::Error>(())
        })
        .unwrap();
}

// SEM: DOC-CUR-1
#[test]
fn skip_and_limit_work_on_sorted_documents() {
    let events = events();
    events.insert_many([5, 3, 1, 4, 2].map(|n| doc! { "_id": n, "n": n % 2 })).unwrap();
    for index in [false, true] {
        if index {
            events.create_index(doc! { "n": 1 }).unwrap();
        }
        let page = |skip, limit| {
            let found = events.find(doc! {}).sort(doc! { "n": 1 }).skip(skip).limit(limit).to_vec().unwrap();
            found.iter().map(|event| event.get_i32("_id").unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(page(0, 0), [4, 2, 5, 3, 1], "ties in order of insertion");
        assert_eq!(page(1, 3), [2, 5, 3]);
        assert_eq!(page(4, 9), [1]);
        assert!(page(9, 1).is_empty());
    }
}

// SEM: DOC-UPD-9
#[test]
fn ids_that_are_made_are_ascending_and_with_a_seed_the_same_in_every_run() {
    let run = || {
        let clock = ManualClock::default();
        clock.set(Timestamp::from_seconds(1_000));
        let store = Store::builder().clock(clock).seed(7).in_memory();
        let collections = ["a", "b"].map(|name| store.collection::<Document>(name));
        let insert = |n: usize| collections[n % 2].insert_one(&doc! { "n": 1 }).unwrap().inserted_id;
        (0..6).map(insert).collect::<Vec<_>>()
    };
    let made = run();
    assert_eq!(made, run());
    let hex: Vec<_> = made.iter().map(|id| id.as_object_id().unwrap().to_hex()).collect();
    assert!(hex.iter().all(|id| id.starts_with("000003e8")), "{hex:?}");
    assert!(hex[0] < hex[2] && hex[2] < hex[4]);
    assert!((0..6).all(|i| !hex[..i].contains(&hex[i])), "distinct over collections: {hex:?}");
}

// SEM: DOC-UPD-7, DOC-UPD-10
#[test]
fn updates_report_matched_and_modified_and_keep_indexes_in_step() {
    let events = events();
    events.create_index(doc! { "n": 1 }).unwrap();
    events.insert_many([doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }, doc! { "_id": 3, "n": 2 }]).unwrap();
    let result = events.update_many(doc! { "n": { "$gte": 1 } }, doc! { "$set": { "n": 2 } }).unwrap();
    assert_eq!((result.matched, result.modified), (3, 1));
    assert_eq!(ids(&events, doc! { "n": 2 }, doc! {}).len(), 3);
    assert!(ids(&events, doc! { "n": 1 }, doc! {}).is_empty());
    let one = events.update_one(doc! { "n": 2 }, doc! { "$inc": { "n": 1 } }).unwrap();
    assert_eq!((one.matched, one.modified), (1, 1));
    assert_eq!(events.update_one(doc! { "n": 99 }, doc! { "$inc": { "n": 1 } }).unwrap().matched, 0);
    assert_eq!(events.delete_many(doc! { "n": 2 }).unwrap(), 2);
    assert_eq!(ids(&events, doc! { "n": 3 }, doc! {}), [Bson::Int32(1)]);
}

#[test]
fn an_update_does_not_meet_its_own_results() {
    let events = events();
    events.create_index(doc! { "n": 1 }).unwrap();
    events.insert_many((0..20).map(|n| doc! { "n": n })).unwrap();
    let result = events.update_many(doc! { "n": { "$gte": 0 } }, doc! { "$inc": { "n": 1000 } }).unwrap();
    assert_eq!((result.matched, result.modified), (20, 20));
    assert_eq!(events.count_documents(doc! { "n": { "$gte": 2000 } }).unwrap(), 0);
}

// SEM: DOC-UPD-10
#[test]
fn a_write_of_many_keeps_what_it_did_before_it_failed_and_says_how_much() {
    let store = Store::in_memory();
    let events = store.collection::<Document>("events");
    events.create_index_with(doc! { "n": 1 }, IndexOptions::default().unique(true)).unwrap();
    let error = events.insert_many([doc! { "n": 1 }, doc! { "n": 2 }, doc! { "n": 1 }, doc! { "n": 3 }]).unwrap_err();
    assert!(error.is_duplicate_key() && matches!(error, Error::Partial { done: 2, .. }), "{error}");
    assert_eq!(events.count_documents(doc! {}).unwrap(), 2);
    let error = events.insert_many([doc! { "n": 1 }, doc! { "n": 3 }]).unwrap_err();
    assert!(matches!(error, Error::DuplicateKey { .. }), "nothing was done before");
    let update = || (doc! {}, doc! { "$set": { "n": 7 } });
    let error = events.update_many(update().0, update().1).unwrap_err();
    assert!(error.is_duplicate_key() && matches!(error, Error::Partial { done: 1, .. }), "{error}");
    assert_eq!(events.find(doc! { "n": { "$in": [2, 7] } }).to_vec().unwrap().len(), 2);
    // In a transaction it is one operation, which is undone.
    events.update_one(doc! { "n": 7 }, doc! { "$set": { "n": 1 } }).unwrap();
    store
        .transaction(|tx| {
            let events = tx.collection::<Document>("events");
            let error = events.update_many(update().0, update().1).unwrap_err();
            assert!(matches!(error, Error::DuplicateKey { .. }));
            assert!(events.insert_many([doc! { "n": 3 }, doc! { "n": 1 }]).unwrap_err().is_duplicate_key());
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(events.find(doc! { "n": { "$in": [1, 2] } }).to_vec().unwrap().len(), 2);
    assert_eq!(events.count_documents(doc! {}).unwrap(), 2);
}

// SEM: DOC-UPD-10
#[test]
fn a_failed_insert_leaves_its_transaction_as_it_was() {
    let store = Store::in_memory();
    let insert = |events: &Collection<Document, _>| {
        assert!(events.insert_many([doc! { "_id": 1, "n": [1] }, doc! { "_id": 1 }]).unwrap_err().is_duplicate_key());
        assert!(events.list_indexes().unwrap().is_empty(), "the collection does not exist yet");
        events.create_index(doc! { "n": 1 }).unwrap();
        events.insert_one(&doc! { "_id": 1, "n": 1 }).unwrap();
        assert!(events.insert_many([doc! { "_id": 2, "n": [1, 2] }, doc! { "_id": 1 }]).is_err());
        assert_eq!(ids(events, doc! { "n": 1 }, doc! {}), [Bson::Int32(1)]);
        events.insert_many([doc! { "_id": 2, "n": 2 }, doc! { "_id": 3, "n": [1, 3] }]).unwrap();
    };
    let tx = store.begin().unwrap();
    insert(&tx.collection("events"));
    assert_eq!(ids(&tx.collection("events"), doc! { "n": { "$gte": 2 } }, doc! {}), [2.into(), 3.into()]);
    tx.commit().unwrap();
    let events = store.collection::<Document>("events");
    assert_eq!(ids(&events, doc! { "n": { "$gte": 2 } }, doc! {}), [2.into(), 3.into()]);
    assert_eq!(ids(&events, doc! { "n": 1 }, doc! { "n": -1 }), [3.into(), 1.into()]);
}

// SEM: DOC-IDX-5
#[test]
fn a_duplicate_key_is_named_with_the_value_that_is_taken() {
    let events = events();
    events.create_index_with(doc! { "a.x": -1, "b": 1 }, IndexOptions::default().unique(true)).unwrap();
    let inner = |x: Vec<i32>| x.into_iter().map(|x| doc! { "x": x }).collect::<Vec<_>>();
    events.insert_many([doc! { "a": inner(vec![2, 3]), "b": 7 }, doc! { "a": { "x": [] } }, doc! {}]).unwrap();
    for (document, value) in [
        (doc! { "a": inner(vec![1, 2]), "b": 7 }, "{ a.x: 2, b: 7 }"),
        (doc! { "a": { "x": [] }, "b": null }, "{ a.x: [], b: null }"),
        (doc! { "a": 5 }, "{ a.x: null, b: null }"),
    ] {
        let error = events.insert_one(&document).unwrap_err();
        assert!(matches!(&error, Error::DuplicateKey { value: taken, .. } if taken == value), "{document}: {error}");
    }
    let error = events.insert_one(&doc! { "a": inner(vec![1, 2]), "b": 7 }).unwrap_err();
    let Error::DuplicateKey { key_pattern, key_value, .. } = error else { panic!("{error}") };
    assert_eq!((*key_pattern, *key_value), (doc! { "a.x": -1, "b": 1 }, doc! { "a.x": 2, "b": 7 }));
}

// SEM: DOC-UPD-2, DOC-UPD-9
/// What a transaction has removed comes back when it rolls back, also when it was the first of the store to insert.
#[test]
fn an_insert_after_a_rollback_replaces_nothing() {
    let store = Store::in_memory();
    let documents = [doc! { "_id": 1 }, doc! { "_id": 2 }];
    store.collection::<Document>("events").insert_many(documents.clone()).unwrap();
    let fork = store.fork().unwrap();
    let events = fork.collection::<Document>("events");
    let outcome: Result<()> = fork.transaction(|tx| {
        let events = tx.collection::<Document>("events");
        events.delete_many(doc! {})?;
        events.insert_one(&doc! { "_id": 3 })?;
        Err(Error::value("taken back"))
    });
    assert!(outcome.is_err());
    events.insert_many([doc! { "_id": 4 }, doc! { "_id": 5 }]).unwrap();
    assert_eq!(ids(&events, doc! {}, doc! { "_id": 1 }), [1, 2, 4, 5].map(Bson::from));
    assert_eq!(events.find(doc! { "_id": { "$lt": 3 } }).to_vec().unwrap(), documents);
}

#[test]
fn the_id_never_changes() {
    let events = events();
    events.insert_one(&doc! { "_id": 1, "n": 1 }).unwrap();
    let error = events.replace_one(doc! {}, &doc! { "_id": 2 }).unwrap_err();
    assert!(matches!(error, Error::Invalid { kind: InvalidKind::ImmutableField, .. }), "{error}");
    assert_eq!(events.replace_one(doc! {}, &doc! { "n": 1 }).unwrap().modified, 1, "by an equal document too");
    assert_eq!(events.replace_one(doc! {}, &doc! { "m": 1, "_id": 1 }).unwrap().modified, 1);
    assert_eq!(events.find_one(doc! {}).unwrap(), Some(doc! { "_id": 1, "m": 1 }));
}

// SEM: DOC-IDX-5
#[test]
fn unique_counts_missing_as_null_and_not_twice_in_one_document() {
    let people = events();
    people.create_index_with(doc! { "email": 1 }, IndexOptions::default().unique(true)).unwrap();
    people.insert_one(&doc! { "email": ["a", "b", "a"] }).unwrap();
    let error = people.insert_one(&doc! { "email": "b" }).unwrap_err();
    let shown = "duplicate key in default.events, index email_1: { email: \"b\" }";
    assert_eq!(error.to_string(), shown);
    people.insert_one(&doc! {}).unwrap();
    assert!(people.insert_one(&doc! { "email": null }).unwrap_err().is_duplicate_key());
    people.update_one(doc! { "email": "a" }, doc! { "$set": { "email": ["b", "c"] } }).unwrap();
    people.insert_one(&doc! { "email": "a" }).unwrap();
}

// SEM: DOC-IDX-5
#[test]
fn an_index_over_duplicates_cannot_be_made_unique() {
    let people = events();
    people.insert_many([doc! { "n": 1 }, doc! { "n": 1.0 }]).unwrap();
    let error = people.create_index_with(doc! { "n": 1 }, IndexOptions::default().unique(true)).unwrap_err();
    assert!(error.is_duplicate_key());
    assert_eq!(people.list_indexes().unwrap().len(), 1);
    people.create_index(doc! { "n": 1 }).unwrap();
    assert_eq!(people.find(doc! { "n": 1 }).explain().unwrap().keys_examined, 2);
}

// SEM: DOC-IDX-3
#[test]
fn documents_with_parallel_arrays_cannot_be_indexed_or_sorted() {
    let events = events();
    events.insert_one(&doc! { "a": [1], "b": [1] }).unwrap();
    let parallel = |error: Error| matches!(error, Error::Invalid { kind: InvalidKind::ParallelArrays, .. });
    assert!(parallel(events.create_index(doc! { "a": 1, "b": 1 }).unwrap_err()));
    assert!(parallel(events.find(doc! {}).sort(doc! { "a": 1, "b": 1 }).run().unwrap_err()));
}

// SEM: DOC-EXP-1, DOC-EXP-2
#[test]
fn explain_tells_stages_and_counts() {
    let events = events();
    assert_eq!(events.find(doc! {}).explain().unwrap().stage.to_string(), "COLLSCAN", "no collection yet");
    events.create_index(doc! { "user": 1, "at": -1 }).unwrap();
    events.insert_many((0..10).map(|n| doc! { "user": n % 2, "at": n })).unwrap();
    let explain =
        events.find(doc! { "user": 1, "at": { "$gt": 4 } }).sort(doc! { "at": -1 }).limit(2).explain().unwrap();
    assert_eq!((explain.keys_examined, explain.documents_examined, explain.returned), (2, 2, 2));
    let Stage::Fetch { input } = explain.stage else { panic!("{}", explain.stage) };
    let Stage::IxScan { index, multikey, .. } = *input else { panic!("{input}") };
    assert_eq!((index.as_str(), multikey), ("user_1_at_-1", false));
    let explain = events.find(doc! { "at": 3 }).sort(doc! { "at": 1 }).explain().unwrap();
    assert_eq!((explain.keys_examined, explain.documents_examined, explain.returned), (0, 10, 1));
    assert_eq!(explain.stage.to_string(), "SORT { \"at\": 1 } < COLLSCAN");
}

// SEM: DOC-IDX-4
#[test]
fn an_array_makes_an_index_multikey_for_good() {
    let events = events();
    events.create_index(doc! { "a": 1 }).unwrap();
    events.insert_one(&doc! { "_id": 1, "a": 1 }).unwrap();
    let multikey = || match events.find(doc! { "a": 1 }).explain().unwrap().stage {
        Stage::Fetch { input } => matches!(*input, Stage::IxScan { multikey: true, .. }),
        other => panic!("{other}"),
    };
    assert!(!multikey());
    events.update_one(doc! { "_id": 1 }, doc! { "$set": { "a": [1, 2, 3] } }).unwrap();
    assert!(multikey());
    assert_eq!(ids(&events, doc! { "a": { "$in": [1, 2, 3] } }, doc! {}), [Bson::Int32(1)], "once");
    events.delete_many(doc! {}).unwrap();
    assert!(multikey());
}

#[test]
fn a_dropped_collection_leaves_nothing_and_can_be_made_again() {
    let store = Store::in_memory();
    let (database, events) = (store.database("default"), store.collection::<Document>("events"));
    events.create_index(doc! { "a": 1 }).unwrap();
    events.insert_one(&doc! { "_id": 1, "a": 1 }).unwrap();
    assert!(database.drop_collection("events").unwrap());
    assert_eq!(events.find_one(doc! { "a": 1 }).unwrap(), None);
    assert!(events.list_indexes().unwrap().is_empty());
    assert_eq!(store.stats().unwrap().entries, Some(1), "the last catalogue id");
    events.insert_one(&doc! { "_id": 1 }).unwrap();
    assert_eq!(events.count_documents(doc! {}).unwrap(), 1);
}

#[test]
fn a_dropped_index_is_not_used() {
    let events = events();
    events.create_index(doc! { "a": 1 }).unwrap();
    events.insert_one(&doc! { "_id": 1, "a": 1 }).unwrap();
    events.drop_index("a_1").unwrap();
    events.update_one(doc! { "_id": 1 }, doc! { "$set": { "a": 2 } }).unwrap();
    events.create_index(doc! { "a": -1 }).unwrap();
    assert_eq!(ids(&events, doc! { "a": 2 }, doc! {}), [Bson::Int32(1)]);
    assert!(ids(&events, doc! { "a": 1 }, doc! {}).is_empty());
    assert!(!events.drop_index("a_1").unwrap());
    assert!(events.drop_index("_id_").is_err());
}

#[test]
fn names_no_collection_can_have_are_refused() {
    let store = Store::in_memory();
    for name in ["", "a\0b", "a$b"] {
        assert!(store.collection::<Document>(name).insert_one(&doc! {}).is_err(), "{name:?}");
    }
    let long = store.collection::<Document>(&"x".repeat(256)).insert_one(&doc! {}).unwrap_err();
    assert!(matches!(long, Error::LimitExceeded { max: 255, found: 256, .. }));
}

// SEM: DOC-IDX-13
#[test]
fn a_value_longer_than_a_key_is_indexed_and_unique() {
    let events = events();
    events.create_index_with(doc! { "a": 1 }, IndexOptions::default().unique(true)).unwrap();
    let long = |last: &str| "x".repeat(5 << 20) + last;
    events.insert_many([doc! { "_id": 1, "a": long("b") }, doc! { "_id": 2, "a": long("a") }]).unwrap();
    let error = events.insert_one(&doc! { "a": long("b") }).unwrap_err();
    assert!(error.is_duplicate_key() && error.to_string().len() < 1_000, "{error}");
    assert_eq!(ids(&events, doc! { "a": long("a") }, doc! {}), [Bson::Int32(2)]);
    assert_eq!(events.find(doc! { "a": long("b") }).explain().unwrap().keys_examined, 1);
    assert_eq!(ids(&events, doc! {}, doc! { "a": 1 }), [2.into(), 1.into()]);
    assert_eq!(ids(&events, doc! { "a": { "$gt": long("a") } }, doc! {}), [Bson::Int32(1)]);
    // The keys of an index with as many fields as it may have fit an engine.
    let fields: Vec<_> = (0..32).map(|n| format!("f{n}")).collect();
    events.create_index(fields.iter().map(|name| (name.clone(), Bson::Int32(1))).collect()).unwrap();
    let mut wide: Document = fields.iter().map(|name| (name.clone(), Bson::String("y".repeat(2_000)))).collect();
    wide.insert("_id", 3);
    events.insert_one(&wide).unwrap();
    assert_eq!(events.delete_many(doc! {}).unwrap(), 3);
}

// SEM: DOC-SORT-4
#[test]
fn a_sort_by_an_index_reads_no_more_of_a_tie_than_it_answers() {
    let events = events();
    events.create_index(doc! { "a": 1 }).unwrap();
    events.insert_many((0..50).map(|n| doc! { "_id": n, "a": n / 25 })).unwrap();
    let one = events.find(doc! {}).sort(doc! { "a": 1 }).skip(1).limit(2);
    assert_eq!(one.explain().unwrap().keys_examined, 3);
    let settled = events.find(doc! { "a": 1 }).sort(doc! { "a": -1 }).limit(1);
    assert_eq!(settled.explain().unwrap().keys_examined, 1);
    assert_eq!(ids(&events, doc! { "a": 1 }, doc! { "a": -1 })[0], Bson::Int32(25), "a tie is in order of insertion");
    assert_eq!(ids(&events, doc! {}, doc! { "a": -1 })[..2], [25.into(), 26.into()]);
}

#[test]
fn optimistic_inserts_of_one_key_conflict_and_of_others_do_not() {
    let store = Store::in_memory();
    let events = store.collection::<Document>("events");
    events.insert_one(&doc! { "_id": 0 }).unwrap();
    let (one, two) = (store.begin().unwrap(), store.begin().unwrap());
    one.collection::<Document>("events").insert_one(&doc! { "_id": 1 }).unwrap();
    two.collection::<Document>("events").insert_one(&doc! { "_id": 2 }).unwrap();
    let three = store.begin().unwrap();
    three.collection::<Document>("events").insert_one(&doc! { "_id": 1 }).unwrap();
    one.commit().unwrap();
    two.commit().unwrap();
    assert!(three.commit().unwrap_err().is_retryable());
}

// SEM: DOC-AGG-12
#[test]
fn a_leading_match_and_sort_of_a_pipeline_use_an_index() {
    let events = events();
    events.create_index(doc! { "user": 1, "n": 1 }).unwrap();
    events.insert_many((0..10).map(|n| doc! { "_id": n, "user": n % 2, "n": 10 - n })).unwrap();
    let stages = [doc! { "$match": { "user": 1 } }, doc! { "$sort": { "n": 1 } }, doc! { "$limit": 2 }];
    let found = events.aggregate(stages).unwrap().collect::<Result<Vec<_>>>().unwrap();
    assert_eq!(found, [doc! { "_id": 9, "user": 1, "n": 1 }, doc! { "_id": 7, "user": 1, "n": 3 }]);
}
