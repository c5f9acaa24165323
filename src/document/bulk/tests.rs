use std::collections::BTreeMap;

use bson::{Document, doc};
use proptest::prelude::*;

use super::*;
use crate::document::Collection;
use crate::document::expression::Names;
use crate::document::update::{Occasion, Update};
use crate::error::Error;
use crate::{Store, WriteScope};

/// Runs `steps` on the store of `collection` with so many changed entries a step, and `between` after each.
fn run<S: Steps>(
    collection: &Collection<Document>,
    entries: usize,
    steps: &mut S,
    mut between: impl FnMut(),
) -> crate::Result<()> {
    let core = collection.scope().auto_commit().unwrap().core();
    loop {
        let done = core.exclusive(|mut writer| {
            let done = steps.step(&mut writer, Room::Step { entries, bytes: usize::MAX })?;
            Ok::<_, Error>((done, writer))
        })?;
        between();
        if !steps.committed(done)? {
            return Ok(());
        }
    }
}

/// What another writer does between two steps.
#[derive(Clone, Debug)]
enum Other {
    Insert(i32),
    Set(i32, i32),
    Remove(i32),
}

fn other() -> impl Strategy<Value = Other> {
    let (id, n) = (0..24i32, 0..8i32);
    prop_oneof![
        1 => n.clone().prop_map(Other::Insert),
        3 => (id.clone(), n).prop_map(|(id, n)| Other::Set(id, n)),
        2 => id.prop_map(Other::Remove),
    ]
}

fn apply(other: &Other, events: &Collection<Document>, model: &mut BTreeMap<i32, (i32, i32)>, next: &mut i32) {
    match *other {
        Other::Insert(n) => {
            events.insert_one(&doc! { "_id": *next, "n": n, "updates": 0 }).unwrap();
            model.insert(*next, (n, 0));
            *next += 1;
        }
        Other::Set(id, n) => {
            events.update_one(doc! { "_id": id }, doc! { "$set": { "n": n } }).unwrap();
            if let Some(document) = model.get_mut(&id) {
                document.0 = n;
            }
        }
        Other::Remove(id) => {
            events.delete_one(doc! { "_id": id }).unwrap();
            model.remove(&id);
        }
    }
}

proptest! {
    /// The model: a list of those that match at the beginning, from which each step takes as many as were looked at.
    // SEM: DOC-UPD-10
    #[test]
    fn an_update_in_steps_changes_each_document_once_that_matched_at_first_and_still_does(
        values in prop::collection::vec(0..8i32, 0..20),
        least in 0..8i32,
        indexed: bool,
        entries in 1..8usize,
        others in prop::collection::vec(prop::collection::vec(other(), 0..4), 0..12),
    ) {
        let events = Store::in_memory().collection::<Document>("events");
        if indexed {
            events.create_index(doc! { "n": 1 }).unwrap();
        }
        let mut next = i32::try_from(values.len()).unwrap();
        events.insert_many((0..).zip(&values).map(|(id, n)| doc! { "_id": id, "n": n, "updates": 0 })).unwrap();
        let mut model: BTreeMap<i32, (i32, i32)> = (0..).zip(values.iter().map(|n| (*n, 0))).collect();
        let first: Vec<i32> = model.iter().filter(|(_, (n, _))| *n >= least).map(|(id, _)| *id).collect();
        let (filter, update) = (doc! { "n": { "$gte": least } }, doc! { "$inc": { "n": 100, "updates": 1 } });
        let filter = Arc::new(Filter::compile(&filter, &Names::default()).unwrap());
        let update = Update::compile(&update.into(), &[], &Names::default()).unwrap();
        let change = |records: &mut Records<'_>, Match { id, document }: Match, context: &Context| {
            let occasion = Occasion { context, filter: &filter, inserts: false };
            let Some(after) = update.apply(&document, occasion)? else { return Ok(false) };
            records.replace(id, &document, &after).map(|()| true)
        };
        let namespace = events.namespace();
        let mut each = EachMatch::new(namespace, &filter, &[], None, &change);
        let (mut others, mut interfered, mut seen) = (others.into_iter(), false, BTreeMap::new());
        run(&events, entries, &mut each, || {
            // What the step has updated, the model takes over, so that the two differ only by what is tested below.
            for document in events.find(doc! {}).to_vec().unwrap() {
                let (id, n, updates) = (document.get_i32("_id").unwrap(), document.get_i32("n").unwrap(), document.get_i32("updates").unwrap());
                let known = model.get_mut(&id).unwrap();
                if updates > known.1 {
                    assert!(known.0 >= least && n == known.0 + 100, "it still matched, and was changed as it was then");
                    *seen.entry(id).or_insert(0) += 1;
                }
                assert!(updates == known.1 || first.contains(&id), "it matched at first");
                *known = (n, updates);
            }
            for other in others.next().unwrap_or_default() {
                apply(&other, &events, &mut model, &mut next);
                interfered = true;
            }
        }).unwrap();
        prop_assert!(seen.values().all(|times| *times == 1), "{seen:?}");
        prop_assert_eq!(each.tally().changed, seen.len() as u64);
        if !interfered {
            prop_assert_eq!(seen.keys().copied().collect::<Vec<_>>(), first);
        }
    }

    #[test]
    fn what_fails_in_the_middle_ends_at_the_same_document_however_it_is_cut_into_steps(
        values in prop::collection::vec(0..12i32, 1..24),
        entries in 1..10usize,
    ) {
        let events = Store::in_memory().collection::<Document>("events");
        let documents: Vec<_> = values.iter().map(|n| bson::rawdoc! { "_id": *n }).collect();
        let at = |place: usize| Ok(documents.get(place).map(|document| &**document));
        let mut each = InsertEach::new(events.namespace(), &at);
        let mut outcome = run(&events, entries, &mut each, || ());
        let has_failed = outcome.is_err();
        while outcome.is_err() && each.shorten() {
            outcome = run(&events, entries, &mut each, || ());
        }
        let distinct = (0..values.len()).take_while(|at| !values[..*at].contains(&values[*at])).count();
        prop_assert_eq!(has_failed, distinct < values.len());
        prop_assert_eq!((each.count(), events.count_documents(doc! {}).unwrap()), (distinct as u64, distinct as u64));
    }
}
