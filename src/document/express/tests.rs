//! Finds by a unique value return the same whether or not the value was found before.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use proptest::prelude::*;

use crate::document::{Collection, IndexOptions};
use crate::{Error, Store};

/// What is done with a collection with a unique index on `u`.
#[derive(Clone, Debug)]
enum Step {
    /// Stores a document with this `_id` and `u`, or replaces the one that is there.
    Put(i32, Bson),
    Remove(i32),
    /// Does the same, and takes it back.
    RolledBack(i32, Bson),
    /// Looks for all of them, twice, so that each was found before.
    Find,
    /// Goes on in a fork.
    Fork,
    /// Remembers the state, which is looked at again at the end.
    Snapshot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let unique = prop_oneof![
        4 => (0..6).prop_map(Bson::from),
        1 => (0..6).prop_map(|number| Bson::from(f64::from(number))),
        1 => (0..6).prop_map(|number: i32| Bson::from(number.to_string())),
        2 => (0..6).prop_map(|number| Bson::from(vec![number])),
    ];
    let step = prop_oneof![
        4 => (0..5, unique.clone()).prop_map(|(id, unique)| Step::Put(id, unique)),
        2 => (0..5).prop_map(Step::Remove),
        1 => (0..5, unique).prop_map(|(id, unique)| Step::RolledBack(id, unique)),
        3 => Just(Step::Find),
        1 => Just(Step::Fork),
        1 => Just(Step::Snapshot),
    ];
    prop::collection::vec(step, 1..30)
}

fn events(store: &Store) -> Collection<Document> {
    store.collection("events")
}

type Model = BTreeMap<i32, Bson>;

/// Puts a document, unless another one has its value.
fn put(model: &mut Model, id: i32, unique: &Bson) -> bool {
    let is_free = model.iter().all(|(own, other)| *own == id || !has(other, &key(unique)));
    if is_free {
        model.insert(id, unique.clone());
    }
    is_free
}

/// What an index has of a value or of the only element of an array.
fn key(value: &Bson) -> Bson {
    match value {
        Bson::Array(elements) => key(&elements[0]),
        Bson::Int32(number) => Bson::Double((*number).into()),
        other => other.clone(),
    }
}

fn has(value: &Bson, wanted: &Bson) -> bool {
    key(value) == *wanted
}

fn check(model: &Model, find: impl Fn(Document) -> Option<Document>, find_by_id: impl Fn(i32) -> Option<Document>) {
    let document = |id: i32| model.get(&id).map(|unique| doc! { "_id": id, "u": unique.clone() });
    for _ in 0..2 {
        for id in 0..5 {
            assert_eq!(find_by_id(id), document(id));
            assert_eq!(find(doc! { "_id": f64::from(id) }), document(id));
        }
        for wanted in (0..6).flat_map(|number| [Bson::from(number), Bson::from(number.to_string())]) {
            let id = model.iter().find(|(_, unique)| has(unique, &key(&wanted))).map(|(id, _)| *id);
            assert_eq!(find(doc! { "u": wanted }), id.and_then(document));
        }
    }
}

proptest! {
    #[test]
    fn what_was_found_before_changes_nothing(steps in steps()) {
        let (mut store, mut model) = (Store::in_memory(), Model::new());
        let mut earlier = Vec::new();
        events(&store).create_index_with(doc! { "u": 1 }, IndexOptions::default().unique(true)).unwrap();
        for step in steps {
            match step {
                Step::Put(id, unique) => {
                    let document = doc! { "_id": id, "u": unique.clone() };
                    let stored = if model.contains_key(&id) {
                        events(&store).replace_one(doc! { "_id": id }, &document).map(drop)
                    } else {
                        events(&store).insert_one(&document).map(drop)
                    };
                    prop_assert_eq!(stored.is_ok(), put(&mut model, id, &unique));
                }
                Step::Remove(id) => {
                    let removed = events(&store).delete_one(doc! { "_id": id }).unwrap();
                    prop_assert_eq!(removed == 1, model.remove(&id).is_some());
                }
                Step::RolledBack(id, unique) => {
                    let outcome: Result<(), Error> = store.transaction(|tx| {
                        let events = tx.collection::<Document>("events");
                        let mut model = model.clone();
                        events.delete_one(doc! { "_id": id })?;
                        model.remove(&id);
                        if put(&mut model, id, &unique) {
                            events.insert_one(&doc! { "_id": id, "u": unique })?;
                        }
                        check(&model, |filter| events.find_one(filter).unwrap(), |id| events.find_by_id(id).unwrap());
                        Err(Error::value("taken back"))
                    });
                    prop_assert!(outcome.is_err());
                }
                Step::Find => {
                    let events = events(&store);
                    check(&model, |filter| events.find_one(filter).unwrap(), |id| events.find_by_id(id).unwrap());
                }
                Step::Fork => store = store.fork().unwrap(),
                Step::Snapshot => earlier.push((store.snapshot().unwrap(), model.clone())),
            }
        }
        for (snapshot, model) in earlier {
            let events = snapshot.collection::<Document>("events");
            check(&model, |filter| events.find_one(filter).unwrap(), |id| events.find_by_id(id).unwrap());
        }
    }
}

/// The documents of which one takes the value that another had, in the record that follows.
#[test]
fn a_value_that_has_moved_to_another_document_is_found_there() {
    let store = Store::in_memory();
    let events = events(&store);
    events.create_index_with(doc! { "u": 1 }, IndexOptions::default().unique(true)).unwrap();
    events.insert_many([doc! { "_id": 1, "u": "a" }, doc! { "_id": 2, "u": "b" }]).unwrap();
    let id_of =
        |unique: &str| events.find_one(doc! { "u": unique }).unwrap().map(|found| found.get_i32("_id").unwrap());
    assert_eq!((id_of("a"), id_of("a"), id_of("b")), (Some(1), Some(1), Some(2)));
    events.update_one(doc! { "u": "a" }, doc! { "$set": { "u": "c" } }).unwrap();
    assert_eq!((id_of("a"), id_of("c")), (None, Some(1)));
    events.update_one(doc! { "u": "b" }, doc! { "$set": { "u": "a" } }).unwrap();
    assert_eq!((id_of("a"), id_of("b"), id_of("c")), (Some(2), None, Some(1)));
}
