//! Inserting what does not match.

use bson::{Bson, Document, Timestamp, bson, doc};

use crate::document::{Code, Collection, UpdateModifications, UpdateOptions};
use crate::{Error, Result, Store};

fn people() -> Collection<Document> {
    Store::in_memory().collection("people")
}

/// The document that an upsert makes.
fn upserted(filter: Document, update: impl Into<UpdateModifications>) -> Result<Document> {
    let people = people();
    let done = people.update_one_with(filter, update, UpdateOptions::default().upsert(true))?;
    let document = people.find_one(doc! {})?.unwrap();
    assert_eq!((done.matched, done.modified), (0, 0));
    assert_eq!(done.upserted_id.as_ref(), document.get("_id"));
    Ok(document)
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
    Code::of(&result.unwrap_err()).unwrap().number()
}

// SEM: DOC-UPD-8
#[test]
fn the_new_document_has_what_the_filter_compares_for_equality_and_what_the_update_makes() {
    let filter = doc! {
        "_id": 1, "a": 1, "b": { "$gt": 5 }, "c.d": { "$eq": 2 }, "$and": [{ "e": 3 }, { "f": { "$ne": 1 } }],
        "$or": [{ "g": 4 }], "h": { "$in": [5] }, "i": { "$in": [5, 6] }, "$nor": [{ "j": 1 }],
    };
    let new = upserted(filter, doc! { "$inc": { "a": 1 }, "$setOnInsert": { "z": 1 }, "$unset": { "e": "" } }).unwrap();
    assert_eq!(new, doc! { "_id": 1, "a": 2, "c": { "d": 2 }, "g": 4, "h": 5, "z": 1 });
    let clauses = doc! { "_id": 1, "$or": [{ "a": 1 }, { "b": 2 }] };
    assert_eq!(upserted(clauses, doc! { "$set": { "c": 1 } }).unwrap(), doc! { "_id": 1, "c": 1 });
    assert!(upserted(doc! { "a": 1 }, doc! { "$set": { "b": 1 } }).unwrap().get_object_id("_id").is_ok());
    let pipeline = vec![doc! { "$set": { "b": { "$add": ["$a", 1] } } }];
    assert_eq!(upserted(doc! { "_id": 1, "a": 1 }, pipeline).unwrap(), doc! { "_id": 1, "a": 1, "b": 2 });
}

// SEM: DOC-UPD-8
#[test]
fn a_filter_that_compares_a_path_twice_makes_no_document() {
    for filter in [
        doc! { "a": 1, "$and": [{ "a": 2 }] },
        doc! { "a": 1, "a.b": 2 },
        doc! { "a.b": 2, "a": { "c": 1 } },
        doc! { "a": { "c": 1 }, "a.b": 2 },
    ] {
        assert_eq!(code(upserted(filter.clone(), doc! { "$set": { "x": 1 } })), 54, "{filter}");
    }
}

#[test]
fn the_id_of_the_filter_stays() {
    for (filter, id) in [
        (doc! { "_id": 1 }, bson!(2)),
        (doc! { "_id": { "a": 1, "b": 2 } }, bson!({ "a": 1, "b": 9 })),
        (doc! { "_id.a": 1 }, bson!({ "a": 2 })),
        (doc! { "_id": [1, 2] }, bson!([2, 1])),
    ] {
        assert_eq!(code(upserted(filter.clone(), doc! { "$setOnInsert": { "_id": id } })), 66, "{filter}");
    }
    assert_eq!(upserted(doc! {}, doc! { "$set": { "_id": 7 } }).unwrap(), doc! { "_id": 7 });
}

#[test]
fn a_replacement_that_is_inserted_takes_no_more_than_the_id_from_the_filter() {
    let people = people();
    let upsert = || UpdateOptions::default().upsert(true);
    people.replace_one_with(doc! { "_id": 1, "a": 5 }, &doc! { "b": 1 }, upsert()).unwrap();
    assert_eq!(people.find_one(doc! {}).unwrap(), Some(doc! { "_id": 1, "b": 1 }));
    assert_eq!(code(people.replace_one_with(doc! { "_id": 2 }, &doc! { "_id": 3 }, upsert())), 66);
    assert_eq!(code(people.replace_one_with(doc! {}, &doc! { "$set": { "a": 1 } }, upsert())), 2);
    let filters = upsert().array_filters([doc! { "e": 1 }]);
    assert_eq!(code(people.replace_one_with(doc! {}, &doc! {}, filters)), 9);
}

#[test]
fn an_upsert_of_all_inserts_one_document_and_only_when_none_matches() {
    let people = people();
    let options = || UpdateOptions::default().upsert(true);
    let update = || doc! { "$inc": { "n": 1 } };
    let first = people.update_many_with(doc! { "a": 1 }, update(), options()).unwrap();
    assert!(first.upserted_id.is_some() && first.matched == 0);
    let second = people.update_many_with(doc! { "a": 1 }, update(), options()).unwrap();
    assert_eq!((second.matched, second.modified, second.upserted_id), (1, 1, None));
    let sorted = options().sort(doc! { "a": 1 });
    assert_eq!(code(people.update_many_with(doc! {}, update(), sorted)), 9);
}

#[test]
fn an_upsert_looks_through_a_large_collection_before_it_inserts() {
    let people = people();
    let count = i32::try_from(crate::limits::BULK_STEP_DOCUMENTS_MAX).unwrap() + 10;
    people.insert_many((0..count).map(|id| doc! { "_id": id })).unwrap();
    let options = || UpdateOptions::default().upsert(true);
    let last =
        people.update_many_with(doc! { "_id": { "$gte": count - 1 } }, doc! { "$set": { "a": 1 } }, options()).unwrap();
    assert_eq!((last.matched, last.upserted_id), (1, None));
    let all = people.update_many_with(doc! { "b": null }, doc! { "$set": { "b": 1 } }, options()).unwrap();
    assert_eq!((all.matched, all.upserted_id), (u64::try_from(count).unwrap(), None));
}

#[test]
fn a_sort_says_which_document_is_changed() {
    let people = people();
    people.insert_many([doc! { "_id": 1, "n": 5 }, doc! { "_id": 2, "n": 9 }, doc! { "_id": 3, "n": 7 }]).unwrap();
    let highest = || UpdateOptions::default().sort(doc! { "n": -1 });
    people.update_one_with(doc! {}, doc! { "$set": { "n": 0 } }, highest()).unwrap();
    people.replace_one_with(doc! {}, &doc! { "n": 1 }, highest()).unwrap();
    let left: Vec<_> = people.find(doc! {}).to_vec().unwrap();
    assert_eq!(left, [doc! { "_id": 1, "n": 5 }, doc! { "_id": 2, "n": 0 }, doc! { "_id": 3, "n": 1 }]);
}

// SEM: DOC-UPD-12
#[test]
fn an_empty_timestamp_at_the_top_of_a_new_document_is_the_time_now() {
    let people = people();
    let empty = Timestamp { time: 0, increment: 0 };
    let is_filled = |document: &Document, name: &str| document.get_timestamp(name).unwrap().time > 0;
    people.insert_one(&doc! { "_id": 1, "t": empty, "in": { "t": empty }, "list": [empty] }).unwrap();
    people.insert_one(&doc! { "_id": empty }).unwrap();
    let first = people.find_one(doc! { "_id": 1 }).unwrap().unwrap();
    assert!(is_filled(&first, "t"));
    assert_eq!(first.get_document("in").unwrap(), &doc! { "t": empty });
    assert_eq!(first.get_array("list").unwrap(), &vec![Bson::Timestamp(empty)]);
    assert!(people.find_one(doc! { "_id": empty }).unwrap().is_some(), "an _id stays");
    people.replace_one(doc! { "_id": 1 }, &doc! { "t": empty }).unwrap();
    assert!(is_filled(&people.find_one(doc! { "_id": 1 }).unwrap().unwrap(), "t"));
}

// SEM: DOC-UPD-7
#[test]
fn a_replacement_by_an_equal_document_counts_as_a_change() {
    let people = people();
    people.insert_one(&doc! { "_id": 1, "a": 1 }).unwrap();
    let done = people.replace_one(doc! {}, &doc! { "_id": 1, "a": 1 }).unwrap();
    assert_eq!((done.matched, done.modified), (1, 1));
}

// SEM: DOC-UPD-9
#[test]
fn an_id_with_a_field_that_begins_with_a_dollar_sign_is_refused() {
    let people = people();
    assert_eq!(code(people.insert_one(&doc! { "_id": { "$x": 1 } })), 52);
    assert_eq!(code(people.insert_one(&doc! { "_id": [1] })), 53);
}

// SEM: DOC-UPD-9
#[test]
fn an_update_keeps_to_the_depth_of_a_stored_document() {
    let people = people();
    people.insert_one(&doc! { "_id": 1 }).unwrap();
    let set = |levels: usize| {
        people.update_one(doc! {}, doc! { "$set": { format!("n{levels}{}", ".a".repeat(levels - 1)): 1 } })
    };
    assert!(set(180).is_ok(), "a document of 180 levels");
    assert!(matches!(set(181), Err(Error::LimitExceeded { max: 180, .. })));
}
