//! Kinds and options of indexes, as a caller of a collection meets them.

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc};

use super::events;
use crate::document::{Code, IndexChange, IndexOptions};
use crate::{Collection, ManualClock, Result, Store};

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> i32 {
    Code::of(&outcome.unwrap_err()).unwrap().number()
}

fn options() -> IndexOptions {
    IndexOptions::default()
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let events = events();
    let refused = |keys: Document, options: IndexOptions| code(events.create_index_with(keys, options));
    assert_eq!(refused(doc! { "a": 1 }, options().sparse(true).partial_filter(doc! { "a": 1 })), 67);
    assert_eq!(refused(doc! { "a": "hashed" }, options().unique(true)), 16_764);
    assert_eq!(refused(doc! { "$**": 1 }, options().unique(true)), 67);
    assert_eq!(refused(doc! { "$**": 1 }, options().sparse(true)), 67);
    assert_eq!(refused(doc! { "$**": 1 }, options().expire_after(Duration::ZERO)), 67);
    assert_eq!(refused(doc! { "a": 1, "b": 1 }, options().expire_after(Duration::ZERO)), 67);
    assert_eq!(refused(doc! { "a": 1 }, options().expire_after(Duration::from_secs(1 << 31))), 67);
    assert_eq!(refused(doc! { "a": 1 }, options().name("")), 67);
    assert_eq!(refused(doc! { "_id": 1 }, options().sparse(true)), 197);
    assert_eq!(refused(doc! { "_id": 1 }, options().expire_after(Duration::ZERO)), 197);
    assert_eq!(refused(doc! { "_id": 1 }, options().hidden(true)), 2);
    assert_eq!(refused(doc! { "_id": -1 }, options()), 2);
    assert!(events.list_indexes().unwrap().is_empty(), "nothing was made");
}

// SEM: DOC-IDX-10
#[test]
fn indexes_with_the_same_keys_stand_side_by_side_when_they_are_others() {
    let events = events();
    let make = |name: &str, options: IndexOptions| events.create_index_with(doc! { "a": 1 }, options.name(name));
    let partial = |filter: Document| options().partial_filter(filter);
    make("a_1", options()).unwrap();
    make("unique", options().unique(true)).unwrap();
    make("sparse", options().sparse(true)).unwrap();
    make("5", partial(doc! { "a": { "$gt": 5 } })).unwrap();
    make("6", partial(doc! { "a": { "$gt": 6 } })).unwrap();
    assert_eq!(events.list_indexes().unwrap().len(), 6);
    make("5", partial(doc! { "a": { "$gt": 5.0 } })).unwrap();
    make("sparse", options().sparse(true)).unwrap();
    assert_eq!(events.list_indexes().unwrap().len(), 6, "identical ones are left as they are");
    assert_eq!(code(make("other", options().sparse(true))), 85);
    assert_eq!(code(make("a_1", options().hidden(true))), 85);
    assert_eq!(code(make("a_1", options().expire_after(Duration::ZERO))), 85);
    assert_eq!(code(make("a_1", partial(doc! { "b": 1 }))), 86);
    assert_eq!(code(events.create_index_with(doc! { "b": 1 }, options().name("a_1"))), 86);
    assert_eq!(events.create_index(doc! { "a": 1.0 }).unwrap(), "a_1");
    assert_eq!(events.create_index(doc! { "a": 2 }).unwrap(), "a_2", "other values are other keys");
}

// SEM: DOC-IDX-5, DOC-IDX-6, DOC-IDX-7
#[test]
fn a_unique_index_is_unique_among_what_it_has() {
    let events = events();
    events.create_index_with(doc! { "a": 1 }, options().unique(true).sparse(true)).unwrap();
    let open = options().unique(true).partial_filter(doc! { "open": true }).hidden(true);
    events.create_index_with(doc! { "b": 1 }, open).unwrap();
    events.insert_many([doc! { "b": 1 }, doc! { "b": 1 }, doc! { "b": 1, "open": true }]).unwrap();
    let is_refused = |document: Document| events.insert_one(&document).is_err_and(|error| error.is_duplicate_key());
    assert!(is_refused(doc! { "b": 1, "open": true }), "a hidden index is unique as well");
    assert!(!is_refused(doc! { "a": null }) && is_refused(doc! { "a": null }), "null is a value");
    let opened = events.update_one(doc! { "open": { "$exists": false }, "b": 1 }, doc! { "$set": { "open": true } });
    assert!(opened.unwrap_err().is_duplicate_key());
    events.delete_one(doc! { "open": true }).unwrap();
    assert_eq!(events.update_one(doc! { "b": 1 }, doc! { "$set": { "open": true } }).unwrap().modified, 1);
}

fn plan(events: &Collection<Document>, filter: Document) -> String {
    events.find(filter).explain().unwrap().stage.to_string()
}

#[test]
fn an_index_is_hidden_and_shown() {
    let events = events();
    events.create_index(doc! { "a": 1 }).unwrap();
    let hide = |hidden| events.modify_index("a_1", IndexChange::default().hidden(hidden)).unwrap();
    assert!(plan(&events, doc! { "a": 1 }).contains("IXSCAN"));
    let (before, after) = hide(true);
    assert!(!before.hidden && after.hidden);
    assert_eq!(plan(&events, doc! { "a": 1 }), "COLLSCAN");
    events.insert_one(&doc! { "a": 1 }).unwrap();
    assert!(events.find_one(doc! { "a": 1 }).unwrap().is_some());
    assert_eq!(code(events.find(doc! { "a": 1 }).hint("a_1").run().map(drop)), 2);
    hide(false);
    assert_eq!(events.find(doc! { "a": 1 }).explain().unwrap().keys_examined, 1, "it was maintained");
    assert_eq!(code(events.modify_index("_id_", IndexChange::default().hidden(true))), 2);
    assert_eq!(code(events.modify_index("b_1", IndexChange::default().hidden(true))), 27);
    let nothing = Store::in_memory().collection::<Document>("nothing");
    assert_eq!(code(nothing.modify_index("a_1", IndexChange::default().hidden(true))), 26);
}

#[test]
fn an_index_becomes_unique_once_it_is_prepared_and_can_be() {
    let events = events();
    events.insert_many([doc! { "_id": 1, "a": 1 }, doc! { "_id": 2, "a": 1 }]).unwrap();
    events.create_index(doc! { "a": 1 }).unwrap();
    let change = |change: IndexChange| events.modify_index("a_1", change);
    assert_eq!(code(change(IndexChange::default().unique())), 72);
    change(IndexChange::default().prepare_unique(true)).unwrap();
    assert_eq!(code(events.insert_one(&doc! { "a": 1 })), 11_000);
    assert_eq!(code(change(IndexChange::default().unique())), 359);
    events.delete_one(doc! { "_id": 2 }).unwrap();
    let (before, after) = change(IndexChange::default().unique()).unwrap();
    assert!(before.prepare_unique && !before.unique && after.unique && !after.prepare_unique);
    assert_eq!(code(events.insert_one(&doc! { "a": 1 })), 11_000);
}

#[test]
fn a_hashed_index_finds_single_values_and_takes_no_arrays() {
    let events = events();
    events.create_index(doc! { "a": "hashed" }).unwrap();
    events.insert_many([doc! { "_id": 1, "a": 1.0 }, doc! { "_id": 2 }, doc! { "_id": 3, "a": { "b": 1 } }]).unwrap();
    let ids =
        |filter| events.find(filter).to_vec().unwrap().iter().map(|found| found["_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(doc! { "a": 1 }), [Bson::Int32(1)]);
    assert_eq!(ids(doc! { "a": null }), [Bson::Int32(2)]);
    assert_eq!(ids(doc! { "a": { "b": 1 } }), [Bson::Int32(3)]);
    assert_eq!(events.find(doc! { "a": 1 }).explain().unwrap().keys_examined, 1);
    assert_eq!(code(events.insert_one(&doc! { "a": [1] })), 16_766);
    assert_eq!(code(events.create_index(doc! { "a": "text" })), 238);
}

#[test]
fn arrays_below_a_wildcard_are_known_to_its_bounds() {
    let events = events();
    events.create_index(doc! { "$**": 1 }).unwrap();
    events.insert_many([doc! { "a": { "b": [1, 20] } }, doc! { "a": { "b": 7 } }]).unwrap();
    let between = doc! { "a.b": { "$gt": 5, "$lt": 10 } };
    assert!(plan(&events, between.clone()).contains("IXSCAN $**_1"));
    assert_eq!(events.count_documents(between).unwrap(), 2);
    assert_eq!(events.count_documents(doc! { "a.b": { "$in": [1, 20] } }).unwrap(), 1, "found twice, given once");
}

fn kept(clock: &ManualClock, options: IndexOptions, keys: Document) -> (Store, Collection<Document>) {
    let store = Store::builder().clock(clock.clone()).in_memory();
    let sessions = store.collection::<Document>("sessions");
    sessions.create_index_with(keys, options).unwrap();
    (store, sessions)
}

fn left(sessions: &Collection<Document>) -> Vec<i32> {
    let found = sessions.find(doc! {}).sort(doc! { "_id": 1 }).to_vec().unwrap();
    found.iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

// SEM: DOC-IDX-8
#[test]
fn documents_expire_by_the_earliest_date_of_an_index() {
    for direction in [1, -1] {
        let clock = ManualClock::default();
        let options = options().expire_after(Duration::from_mins(1)).hidden(true);
        let (store, sessions) = kept(&clock, options, doc! { "at": direction });
        let at = |seconds: i64| Bson::DateTime(DateTime::from_millis(seconds * 1_000));
        sessions
            .insert_many([
                doc! { "_id": 1, "at": at(0) },
                doc! { "_id": 2, "at": at(30) },
                doc! { "_id": 3, "at": [at(500), at(1), "x", at(2)] },
                doc! { "_id": 4, "at": "soon" },
                doc! { "_id": 5, "at": 0 },
                doc! { "_id": 6 },
                doc! { "_id": 7, "at": [] },
                doc! { "_id": 8, "at": at(-10_000_000_000) },
            ])
            .unwrap();
        assert_eq!(store.sweep_expired().unwrap(), 1, "long before the epoch");
        clock.advance(Duration::from_mins(1));
        assert_eq!(left(&sessions), [1, 2, 3, 4, 5, 6, 7], "they are read until somebody sweeps");
        assert_eq!(store.sweep_expired().unwrap(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(store.sweep_expired().unwrap(), 1);
        assert_eq!(left(&sessions), [2, 4, 5, 6, 7]);
        let later = IndexChange::default().expire_after(Duration::from_hours(1));
        let name = sessions.list_indexes().unwrap()[1].name.clone();
        sessions.modify_index(&name, later).unwrap();
        clock.advance(Duration::from_mins(50));
        assert_eq!(store.sweep_expired().unwrap(), 0);
        sessions.modify_index(&name, IndexChange::default().expire_after(Duration::ZERO)).unwrap();
        assert_eq!(store.sweep_expired().unwrap(), 1);
        assert_eq!(left(&sessions), [4, 5, 6, 7]);
    }
}

#[test]
fn documents_without_entries_do_not_expire_and_many_do_in_steps() {
    let clock = ManualClock::default();
    let options = options().expire_after(Duration::ZERO).partial_filter(doc! { "temporary": true });
    let (store, sessions) = kept(&clock, options, doc! { "at": 1 });
    let at = DateTime::from_millis(0);
    sessions.insert_many((0..3_000).map(|n| doc! { "_id": n, "at": at, "temporary": true })).unwrap();
    sessions.insert_one(&doc! { "_id": 3_000, "at": at }).unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.sweep_expired().unwrap(), 3_000);
    assert_eq!(left(&sessions), [3_000]);
    sessions.create_index(doc! { "at": 1, "b": 1 }).unwrap();
    let on_two = sessions.modify_index("at_1_b_1", IndexChange::default().expire_after(Duration::ZERO));
    assert_eq!(code(on_two), 72);
}

#[test]
fn several_indexes_are_made_together_or_not_at_all() {
    let events = Store::in_memory().collection::<Document>("events");
    events.insert_many((0..3_000).map(|n| doc! { "_id": n, "a": n, "same": 1 })).unwrap();
    let names = |unique_on: &str| {
        let plain = (doc! { "a": 1 }, options());
        events.create_indexes([plain, (doc! { unique_on: 1 }, options().unique(true))])
    };
    assert!(names("same").unwrap_err().is_duplicate_key());
    assert_eq!(events.list_indexes().unwrap().len(), 1, "only the one on _id");
    assert!(names("none").unwrap_err().is_duplicate_key(), "no document has the field");
    let bad = events.create_indexes([(doc! { "a": 1 }, options()), (doc! { "b": 0 }, options())]);
    assert!(bad.is_err() && events.list_indexes().unwrap().len() == 1);
    assert_eq!(
        events.create_indexes([(doc! { "a": 1 }, options()), (doc! { "same": 1 }, options())]).unwrap(),
        ["a_1", "same_1"]
    );
    assert!(names("a").is_err(), "two of one name");
    assert_eq!(events.find(doc! { "a": 7 }).count().unwrap(), 1);
}

#[test]
fn documents_expire_in_the_background_on_a_clock_that_runs() {
    let store = Store::in_memory();
    let sessions = store.collection::<Document>("sessions");
    sessions.insert_one(&doc! { "at": DateTime::from_millis(0) }).unwrap();
    sessions.create_index_with(doc! { "at": 1 }, options().expire_after(Duration::ZERO)).unwrap();
    let is_gone = || sessions.count_documents(doc! {}).unwrap() == 0;
    // However long the thread has to wait for a processor.
    while !is_gone() {
        std::thread::sleep(Duration::from_millis(1));
    }
}
