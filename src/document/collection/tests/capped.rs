//! Capped collections: trimming by size and by count.

use bson::{Document, doc};

use crate::document::{Code, Collection, CollectionChange, CollectionOptions, IndexOptions, WriteModel};
use crate::{Error, Store};

fn log(size: i64, max: Option<i64>) -> (Store, Collection<Document>) {
    let store = Store::in_memory();
    let options = CollectionOptions::default().capped(size, max);
    store.database("d").create_collection_with("log", options).unwrap();
    let log = store.database("d").collection("log");
    (store, log)
}

fn ids(log: &Collection<Document>) -> Vec<i32> {
    log.find(doc! {}).to_vec().unwrap().iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> Option<i32> {
    Code::of(&refused.unwrap_err()).map(Code::number)
}

#[test]
fn the_oldest_go_by_count_in_natural_order() {
    let (_store, log) = log(1 << 20, Some(5));
    log.create_index_with(doc! { "x": 1 }, IndexOptions::default()).unwrap();
    for id in [10, 7, 3, 8, 1, 5, 9, 2, 6, 4] {
        log.insert_one(&doc! { "_id": id, "x": id }).unwrap();
    }
    assert_eq!(ids(&log), [5, 9, 2, 6, 4]);
    let backwards = log.find(doc! {}).sort(doc! { "$natural": -1 }).limit(2).to_vec().unwrap();
    assert_eq!(backwards, [doc! { "_id": 4, "x": 4 }, doc! { "_id": 6, "x": 6 }]);
    assert_eq!(log.count_documents(doc! { "x": 10 }).unwrap(), 0, "its entry is gone, too");
    log.insert_one(&doc! { "_id": 10 }).unwrap();
    assert_eq!((ids(&log), log.count_documents(doc! {}).unwrap()), (vec![9, 2, 6, 4, 10], 5));
    log.insert_many((20..40).map(|id| doc! { "_id": id })).unwrap();
    assert_eq!(ids(&log), [35, 36, 37, 38, 39]);
}

#[test]
fn the_oldest_go_by_size_and_what_is_counted_follows_every_write() {
    let (_store, log) = log(4_096, None);
    let document = |id: i32, len: usize| doc! { "_id": id, "text": "x".repeat(len) };
    let of = |len: usize| document(0, len).to_vec().unwrap().len();
    let len = 1_024 - of(0);
    assert_eq!(of(len), 1_024);
    log.insert_many((0..6).map(|id| document(id, len))).unwrap();
    assert_eq!(ids(&log), [2, 3, 4, 5]);
    // Room is made by what removes and shrinks, and taken by what grows.
    log.delete_one(doc! { "_id": 3 }).unwrap();
    log.insert_one(&document(6, len)).unwrap();
    assert_eq!(ids(&log), [2, 4, 5, 6]);
    log.update_one(doc! { "_id": 6 }, doc! { "$set": { "text": "" } }).unwrap();
    log.insert_one(&document(7, len - of(0))).unwrap();
    assert_eq!(ids(&log), [2, 4, 5, 6, 7]);
    log.update_one(doc! { "_id": 6 }, doc! { "$set": { "text": "x".repeat(len) } }).unwrap();
    assert_eq!(ids(&log), [2, 4, 5, 6, 7], "an update trims nothing");
    assert_eq!(log.bulk_write([WriteModel::insert_one(&document(8, 0)).unwrap()]).run().unwrap().inserted(), 1);
    assert_eq!(ids(&log), [4, 5, 6, 7, 8]);
    log.insert_one(&document(9, 5_000)).unwrap();
    assert_eq!(ids(&log), [9], "larger than the collection, and alone in it");
    log.insert_many((0..4).map(|id| document(id, len))).unwrap();
    assert_eq!(ids(&log), [0, 1, 2, 3]);
}

#[test]
fn bounds_are_rounded_and_checked() {
    let bounds = |size, max| {
        let (store, _) = log(size, max);
        let capped = store.database("d").list_collections().unwrap().remove(0).options.capped_bounds().unwrap();
        (capped.size, capped.max)
    };
    assert_eq!(bounds(1, Some(0)), (4_096, None));
    assert_eq!(bounds(4_097, Some(-5)), (4_352, None));
    assert_eq!(bounds(1 << 50, Some(7)), (1 << 50, Some(7)));
    let store = Store::in_memory();
    let create =
        |size, max| store.database("d").create_collection_with("log", CollectionOptions::default().capped(size, max));
    for (size, max) in [(0, None), (-1, None), ((1 << 50) + 1, None), (4_096, Some(1 << 31))] {
        assert_eq!(code(create(size, max)), Some(2));
    }
}

#[test]
fn smaller_bounds_trim_with_the_next_insert() {
    let (store, log) = log(1 << 20, Some(10));
    log.insert_many((1..6).map(|id| doc! { "_id": id })).unwrap();
    let database = store.database("d");
    database.modify_collection("log", CollectionChange::default().capped_max(3)).unwrap();
    assert_eq!(ids(&log), [1, 2, 3, 4, 5]);
    log.insert_one(&doc! { "_id": 6 }).unwrap();
    assert_eq!(ids(&log), [4, 5, 6]);
    database.create_collection("plain").unwrap();
    let resized = database.modify_collection("plain", CollectionChange::default().capped_size(4_096));
    assert_eq!(code(resized), Some(72));
}

#[test]
fn a_collection_is_converted_in_its_order_without_its_indexes() {
    let store = Store::in_memory();
    let database = store.database("d");
    let log = database.collection::<Document>("log");
    log.create_index(doc! { "x": 1 }).unwrap();
    log.insert_many([5, 2, 8, 1, 3].map(|id| doc! { "_id": id, "x": "x".repeat(1_500) })).unwrap();
    database.convert_to_capped("log", 4_096).unwrap();
    assert_eq!(ids(&log), [1, 3]);
    assert_eq!(log.list_indexes().unwrap().len(), 1);
    log.insert_one(&doc! { "_id": 9, "x": "x".repeat(1_500) }).unwrap();
    assert_eq!(ids(&log), [3, 9], "and counts from what it had");
    assert_eq!(log.stats().unwrap().unwrap().capped.map(|capped| capped.size), Some(4_096));
    let other = database.collection::<Document>("other");
    other.insert_one(&doc! { "_id": 1 }).unwrap();
    assert_eq!(code(other.aggregate_out([doc! { "$out": "log" }])), Some(17_152));
    assert_eq!(code(database.convert_to_capped("none", 4_096)), Some(26));
    assert!(matches!(database.clone_as_capped("other", "log", 4_096), Err(Error::AlreadyExists { .. })));
}
