use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use proptest::prelude::*;

use super::*;
use crate::catalog::fill::Filled;
use crate::document::{Collection, IndexOptions};
use crate::engine::{Direction, KeyRange};
use crate::error::Error;
use crate::{ManualClock, Store, WriteScope};

/// What other writers do while an index is built.
#[derive(Clone, Debug)]
enum Other {
    Insert(Vec<i32>),
    Set(i32, i32),
    Remove(i32),
}

fn other() -> impl Strategy<Value = Other> {
    let (id, n) = (0..24i32, 0..30i32);
    prop_oneof![
        2 => prop::collection::vec(n.clone(), 0..3).prop_map(Other::Insert),
        3 => (id.clone(), n).prop_map(|(id, n)| Other::Set(id, n)),
        2 => id.prop_map(Other::Remove),
    ]
}

fn value(elements: &[i32]) -> Bson {
    match elements {
        [one] => Bson::Int32(*one),
        many => many.iter().map(|n| Bson::Int32(*n)).collect::<Vec<_>>().into(),
    }
}

/// The entries of the index of so many places behind `_id_`, and those that the documents ought to have there.
fn entries(events: &Collection<Document>, place: usize) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    let core = events.scope().auto_commit().unwrap().core();
    let view = core.view().unwrap();
    let entry = events.namespace().get(&view).unwrap().unwrap();
    let index = &entry.record.indexes[place];
    let prefix = layout::index_prefix(entry.storage, index.id);
    let keys = |prefix: &[u8]| {
        let mut cursor = view.range(&KeyRange::prefix(prefix), Direction::Forward).unwrap();
        let mut keys = Vec::new();
        while let Some((key, value)) = cursor.next().unwrap() {
            keys.push((key.to_vec(), value.to_vec()));
        }
        keys
    };
    let records = keys(&layout::records_prefix(entry.storage));
    let expected = records.iter().flat_map(|(key, value)| {
        let id = layout::record_id(key).unwrap();
        let keys = index.keys_of(RawDocument::from_bytes(value).unwrap()).unwrap();
        keys.encoded.into_iter().map(|fields| layout::entry(&prefix, &fields, id)).collect::<Vec<_>>()
    });
    (keys(&prefix).into_iter().map(|(key, _)| key).collect(), expected.collect())
}

/// A step of the only job, of so many records.
fn one_step(events: &Collection<Document>, records: usize) -> Option<Filled> {
    let core = events.scope().auto_commit().unwrap().core();
    core.exclusive(|mut writer| {
        let Some((target, job)) = job::next(&writer, None)?.filter(|(_, job)| job.work == job::Work::Fill) else {
            return Ok::<_, Error>((None, writer));
        };
        let filled = fill::step(&mut writer, &target, job, FILLING, &mut Allowance::of(records))?;
        Ok((Some(filled), writer))
    })
    .unwrap()
}

/// Enters the index in the catalogue as being built, with its first records.
fn begin_index(events: &Collection<Document>, options: &IndexOptions, records: usize) -> crate::Result<bool> {
    let core = events.scope().auto_commit().unwrap().core();
    let namespace = events.namespace();
    core.exclusive(|mut writer| {
        let mut changed = namespace.get_or_create(&mut writer)?.as_ref().clone();
        let crate::document::schema::Added::New(index) = changed.record.add(&doc! { "n": 1 }, options)? else {
            panic!("new")
        };
        let is_all = begin(&mut writer, namespace, &mut changed, &index, &mut Allowance::of(records))?;
        Ok((is_all, writer))
    })
}

proptest! {
    // SEM: DOC-IDX-3, DOC-IDX-5
    #[test]
    fn an_index_built_among_other_writers_is_the_one_built_at_once(
        values in prop::collection::vec(prop::collection::vec(0..30i32, 0..3), 0..20),
        unique: bool,
        records in 1..6usize,
        others in prop::collection::vec(prop::collection::vec(other(), 0..4), 0..12),
    ) {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let events = store.collection::<Document>("events");
        events.insert_many((0..).zip(&values).map(|(id, elements): (i32, _)| doc! { "_id": id, "n": value(elements) })).unwrap();
        let options = IndexOptions::default().unique(unique);
        let (mut next, mut others) = (100, others.into_iter());
        let mut filled = match begin_index(&events, &options, records) {
            Ok(true) => Filled::Done,
            Ok(false) => Filled::More,
            Err(error) => Filled::Refused(error),
        };
        while let Filled::More = filled {
            prop_assert!(events.list_indexes().unwrap()[1].is_building);
            for other in others.next().unwrap_or_default() {
                let outcome = match &other {
                    Other::Insert(elements) => {
                        next += 1;
                        events.insert_one(&doc! { "_id": next, "n": value(elements) }).map(drop)
                    }
                    Other::Set(id, n) => events.update_one(doc! { "_id": id }, doc! { "$set": { "n": n } }).map(drop),
                    Other::Remove(id) => events.delete_one(doc! { "_id": id }).map(drop),
                };
                prop_assert!(outcome.is_ok() || unique && outcome.unwrap_err().is_duplicate_key());
            }
            let (found, expected) = entries(&events, 1);
            prop_assert!(found.is_subset(&expected), "an entry of nothing");
            let stage = events.find(doc! { "n": 1 }).explain().unwrap().stage.to_string();
            prop_assert!(!stage.contains("n_1"), "{stage}");
            filled = one_step(&events, records).unwrap();
        }
        if let Filled::Refused(error) = filled {
                prop_assert!(unique && error.is_duplicate_key());
                prop_assert_eq!(events.list_indexes().unwrap().len(), 1);
                store.run_jobs().unwrap();
                let records = events.count_documents(doc! {}).unwrap();
                let of_catalogue = if values.is_empty() { 1 } else { 2 };
                prop_assert_eq!(store.stats().unwrap().entries, Some(records * 2 + of_catalogue));
        } else {
                prop_assert!(!events.list_indexes().unwrap()[1].is_building);
                let (found, expected) = entries(&events, 1);
                prop_assert_eq!(&found, &expected);
                if unique {
                    let fields: BTreeSet<_> = found.iter().map(|key| &key[..key.len() - 8]).collect();
                    prop_assert_eq!(fields.len(), found.len());
                }
                for n in 0..30 {
                    let by_index = events.count_documents(doc! { "n": n }).unwrap();
                    let by_scan = events.count_documents(doc! { "$or": [{ "n": n }] }).unwrap();
                    prop_assert_eq!(by_index, by_scan);
                }
        }
        prop_assert_eq!(store.pending_jobs().unwrap(), 0);
    }
}

// When two make an index, and the one whose job found duplicates clears up, the other may have made it anew already.
#[test]
fn an_index_that_was_made_anew_is_not_dropped_with_the_one_before() {
    let store = Store::in_memory();
    let events = store.collection::<Document>("events");
    let target = || {
        let view = events.scope().auto_commit().unwrap().core().view().unwrap();
        let entry = Namespace::new("default", "events").get_collection(&view).unwrap().unwrap();
        layout::index_prefix(entry.storage, entry.record.indexes[1].id)
    };
    events.create_index(doc! { "n": 1 }).unwrap();
    let before = target();
    assert!(events.drop_index("n_1").unwrap());
    events.create_index(doc! { "n": 1 }).unwrap();
    assert!(!events.drop_index_at("n_1", Some(&before)).unwrap());
    assert_eq!(events.list_indexes().unwrap().len(), 2);
    assert!(events.drop_index_at("n_1", Some(&target())).unwrap());
    assert_eq!(events.list_indexes().unwrap().len(), 1);
}
