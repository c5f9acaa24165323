//! Bulk writes.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc, rawdoc};
use proptest::prelude::*;

use crate::document::{BulkWriteResult, Code, Collection, UpdateOptions, WriteModel, WriteOutcome};
use crate::{Error, Store, WriteScope, limits};

fn insert(id: i32) -> WriteModel {
    WriteModel::insert_raw(rawdoc! { "_id": id })
}

fn ids<S: WriteScope>(collection: &Collection<Document, S>) -> Vec<i32> {
    collection
        .find(doc! {})
        .sort(doc! { "_id": 1 })
        .to_vec()
        .unwrap()
        .iter()
        .map(|document| document.get_i32("_id").unwrap())
        .collect()
}

fn refused(result: &BulkWriteResult) -> Vec<(usize, i32)> {
    result.errors().map(|(index, error)| (index, Code::of(error).unwrap().number())).collect()
}

#[test]
fn the_first_refused_write_ends_an_ordered_one_and_no_other() {
    let writes = || [insert(1), insert(1), insert(2), WriteModel::delete_one(doc! { "$nothing": 1 }), insert(3)];
    let events = Store::in_memory().collection::<Document>("events");
    let ordered = events.bulk_write(writes()).run().unwrap();
    assert_eq!((ordered.writes.len(), refused(&ordered), ids(&events)), (2, vec![(1, 11_000)], vec![1]));
    let events = Store::in_memory().collection::<Document>("events");
    let unordered = events.bulk_write(writes()).ordered(false).run().unwrap();
    assert_eq!((unordered.writes.len(), unordered.errors().count(), ids(&events)), (5, 2, vec![1, 2, 3]));
}

#[test]
fn a_refused_write_says_which_key_it_was() {
    let events = Store::in_memory().collection::<Document>("events");
    events.create_index_with(doc! { "n": 1 }, crate::document::IndexOptions::default().unique(true)).unwrap();
    let insert = |id: i32| WriteModel::insert_raw(rawdoc! { "_id": id, "n": 5 });
    let done = events.bulk_write([insert(1), insert(2)]).run().unwrap();
    let Some((1, Error::DuplicateKey { key_pattern, key_value, .. })) = done.errors().next() else {
        panic!("{done:?}")
    };
    assert_eq!((&**key_pattern, &**key_value), (&doc! { "n": 1 }, &doc! { "n": 5 }));
    assert_eq!(ids(&events), [1], "no entry of the refused one is left");
    assert_eq!(events.count_documents(doc! { "n": 5 }).unwrap(), 1);
}

#[test]
fn writes_of_all_kinds_follow_one_another() {
    let events = Store::in_memory().collection::<Document>("events");
    let (set, upsert) = (|n: i32| doc! { "$set": { "n": n } }, UpdateOptions::default().upsert(true));
    let done = events.bulk_write([
        insert(1),
        insert(2),
        WriteModel::update_many(doc! {}, set(1), UpdateOptions::default()),
        WriteModel::update_one(doc! { "_id": 2 }, set(1), UpdateOptions::default()),
        WriteModel::update_many(doc! { "_id": 7 }, set(2), upsert.clone()),
        WriteModel::replace_raw(doc! { "_id": 8 }, rawdoc! { "n": 9 }, upsert),
        WriteModel::delete_many(doc! { "n": { "$gte": 2 } }),
        WriteModel::delete_one(doc! { "n": 1 }),
    ]);
    let done = done.run().unwrap().into_result().unwrap();
    assert_eq!((done.inserted(), done.matched(), done.modified(), done.deleted()), (2, 3, 2, 3));
    assert_eq!(done.upserted().collect::<Vec<_>>(), [(4, &Bson::Int32(7)), (5, &Bson::Int32(8))]);
    assert_eq!(events.find(doc! {}).to_vec().unwrap(), [doc! { "_id": 2, "n": 1 }]);
}

#[test]
fn many_writes_are_several_commits() {
    let events = Store::in_memory().collection::<Document>("events");
    let count = i32::try_from(limits::JOB_STEP_ENTRIES_MAX).unwrap() * 3;
    let done = events.bulk_write((0..count).map(|id| insert(id / 2 * 2))).ordered(false).run().unwrap();
    assert_eq!(
        (done.inserted(), done.errors().count()),
        (u64::try_from(count / 2).unwrap(), usize::try_from(count / 2).unwrap())
    );
    assert_eq!(done.errors().map(|(index, _)| index % 2).sum::<usize>(), done.errors().count(), "every second one");
}

#[test]
fn in_a_transaction_a_refused_write_undoes_the_others_and_nothing_else() {
    let store = Store::in_memory();
    store
        .transaction(|tx| {
            let events = tx.collection::<Document>("events");
            events.insert_one(&doc! { "_id": 1 })?;
            for ordered in [true, false] {
                let done = events.bulk_write([insert(2), insert(1), insert(3)]).ordered(ordered).run()?;
                assert!(matches!(done.writes[..], [WriteOutcome::Undone, WriteOutcome::Failed(_)]));
                assert_eq!((done.inserted(), refused(&done), ids(&events)), (0, vec![(1, 11_000)], vec![1]));
            }
            let all = WriteModel::update_many(doc! {}, doc! { "$set": { "n": 1 } }, UpdateOptions::default());
            assert_eq!(events.bulk_write([insert(4), all]).run()?.into_result()?.modified(), 2);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(ids(&store.collection("events")), [1, 4]);
}

#[test]
fn a_result_with_a_refused_write_is_an_error_that_says_how_much_was_done() {
    let events = Store::in_memory().collection::<Document>("events");
    let error =
        events.bulk_write([insert(1), insert(1), insert(2)]).ordered(false).run().unwrap().into_result().unwrap_err();
    assert!(matches!(error, Error::Partial { done: 2, .. }) && error.is_duplicate_key());
    let error = events.bulk_write([insert(1)]).run().unwrap().into_result().unwrap_err();
    assert!(matches!(error, Error::DuplicateKey { .. }));
    assert!(events.bulk_write([]).run().unwrap().into_result().unwrap().writes.is_empty());
}

/// A write of a property test: its kind, an `_id` and a number.
type Write = (u8, i32, i32);

fn model(&(kind, id, n): &Write) -> WriteModel {
    let upsert = UpdateOptions::default().upsert(kind == 3);
    match kind {
        0 => WriteModel::insert_raw(rawdoc! { "_id": id, "n": n }),
        1 => WriteModel::delete_one(doc! { "_id": id }),
        2 | 3 => WriteModel::update_one(doc! { "_id": id }, doc! { "$inc": { "n": n } }, upsert),
        4 => WriteModel::update_many(doc! { "n": { "$lt": n } }, doc! { "$inc": { "n": 10 } }, upsert),
        _ => WriteModel::delete_many(doc! { "n": { "$gt": n + 10 } }),
    }
}

/// Does the write to a map, and returns whether it was refused.
fn apply(&(kind, id, n): &Write, held: &mut BTreeMap<i32, i32>) -> bool {
    match kind {
        0 if held.contains_key(&id) => return true,
        0 => drop(held.insert(id, n)),
        1 => drop(held.remove(&id)),
        2 => drop(held.get_mut(&id).map(|held| *held += n)),
        3 => *held.entry(id).or_insert(0) += n,
        4 => held.values_mut().filter(|held| **held < n).for_each(|held| *held += 10),
        _ => held.retain(|_, held| *held <= n + 10),
    }
    false
}

proptest! {
    #[test]
    fn a_bulk_write_is_its_writes_one_after_the_other(
        writes in prop::collection::vec((0..6u8, 0..6i32, 0..6i32), 0..24), ordered: bool,
    ) {
        let events = Store::in_memory().collection::<Document>("events");
        let done = events.bulk_write(writes.iter().map(model)).ordered(ordered).run().unwrap();
        let (mut held, mut expected) = (BTreeMap::new(), Vec::new());
        for (index, write) in writes.iter().enumerate() {
            if apply(write, &mut held) {
                expected.push((index, 11_000));
                if ordered {
                    break;
                }
            }
        }
        prop_assert_eq!(refused(&done), expected);
        let stored = events.find(doc! {}).to_vec().unwrap();
        let stored: BTreeMap<_, _> = stored.iter().map(|held| (held.get_i32("_id").unwrap(), held.get_i32("n").unwrap())).collect();
        prop_assert_eq!(stored, held);
    }
}

/// An insertion of a document with few ids, unique values and elements of an array.
fn document() -> impl Strategy<Value = bson::RawDocumentBuf> {
    let id = prop::option::weighted(
        0.9,
        prop_oneof![(0..12i32).prop_map(Bson::Int32), Just(Bson::from("b")), Just(Bson::Null)],
    );
    let unique = prop_oneof![
        (0..12i32).prop_map(Bson::Int32),
        prop::collection::vec(0..12i32, 0..3).prop_map(Bson::from),
        Just(Bson::Null),
    ];
    (id, unique, prop::bool::weighted(0.1)).prop_map(|(id, unique, is_parallel)| {
        let mut document = Document::new();
        document.extend(id.map(|id| ("_id".to_owned(), id)));
        document.insert("u", unique);
        if is_parallel {
            document.extend(doc! { "a": [1, 2], "b": [1, 2] });
        }
        bson::RawDocumentBuf::try_from(document).unwrap()
    })
}

proptest! {
    /// A batch looks up what is common to its insertions once, and does not look for keys above all others.
    #[test]
    fn a_batch_inserts_and_refuses_what_one_by_one_would_be(
        before in prop::collection::vec(document(), 0..4),
        documents in prop::collection::vec(document(), 1..16),
        ordered: bool,
        descending: bool,
    ) {
        let store = || {
            let events = Store::in_memory().collection::<Document>("events");
            let keys = doc! { "u": if descending { -1 } else { 1 } };
            events.create_index_with(keys, crate::document::IndexOptions::default().unique(true)).unwrap();
            events.create_index(doc! { "a": 1, "b": 1 }).unwrap();
            for document in &before {
                let _ = events.with_type::<bson::RawDocumentBuf>().insert_one(document);
            }
            events
        };
        // Ids that are made differ.
        let all = |events: &Collection<Document>| {
            let mut all = events.find(doc! {}).sort(doc! { "$natural": 1 }).to_vec().unwrap();
            for document in all.iter_mut().filter(|document| document.get_object_id("_id").is_ok()) {
                document.remove("_id");
            }
            all
        };
        let (single, batch) = (store(), store());
        let mut codes = Vec::new();
        for document in &documents {
            let inserted = single.with_type::<bson::RawDocumentBuf>().insert_one(document);
            codes.push(inserted.err().map(|error| Code::of(&error).map(Code::number)));
            if ordered && codes.last().is_some_and(Option::is_some) {
                break;
            }
        }
        let references: Vec<&bson::RawDocument> = documents.iter().map(|document| &**document).collect();
        let done = batch.insert_many_raw(&references, ordered).unwrap();
        let outcomes: Vec<_> = done
            .writes
            .iter()
            .map(|write| if let WriteOutcome::Failed(error) = write { Some(Code::of(error).map(Code::number)) } else { None })
            .collect();
        prop_assert_eq!(outcomes, codes);
        prop_assert_eq!(all(&batch), all(&single));
        let hinted = |events: &Collection<Document>, hint: Document| events.find(doc! {}).hint(hint).count().unwrap();
        for hint in [doc! { "_id": 1 }, doc! { "u": if descending { -1 } else { 1 } }, doc! { "a": 1, "b": 1 }] {
            prop_assert_eq!(hinted(&batch, hint.clone()), hinted(&single, hint));
        }
    }
}
