//! Queries between two keys of an index, and keys that are returned.

use std::cmp::Ordering;

use bson::{Bson, Document, doc};
use proptest::prelude::*;

use crate::document::order::Order;
use crate::document::order::tests::value;
use crate::document::{Code, Collection, CollectionOptions, Find, IndexOptions};
use crate::limits::INDEX_COMPONENT_BYTES_MAX;
use crate::{Result, Store};

fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
    Code::of(&result.unwrap_err()).unwrap().number()
}

fn ids(query: Find<Document>) -> Vec<i32> {
    query.to_vec().unwrap().iter().map(|found| found.get_i32("_id").unwrap()).collect()
}

/// The documents `{_id: 0, a: …}` and on, with an index on `keys`.
fn with_index(keys: Document, documents: impl IntoIterator<Item = Document>) -> Collection<Document> {
    let events = Store::in_memory().collection("events");
    events.create_index_with(keys, IndexOptions::default().name("i")).unwrap();
    let numbered = documents.into_iter().zip(0..).map(|(mut document, id)| {
        document.insert("_id", id);
        document
    });
    events.insert_many(numbered).unwrap();
    events
}

#[test]
fn a_lower_bound_is_in_and_an_upper_one_is_not() {
    let pairs = [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(a, b)| doc! { "a": a, "b": b });
    let ascending = with_index(doc! { "a": 1, "b": 1 }, pairs.clone());
    let all = || ascending.find(doc! {}).hint("i");
    let key = |a: f64, b: f64| doc! { "a": a, "b": b };
    assert_eq!(ids(all().min(key(1.0, 2.0)).max(key(2.0, 1.0))), [1]);
    assert_eq!(ids(all().min(key(1.0, 2.0)).max(key(2.0, 1.5))), [1, 2]);
    assert_eq!(ids(all().min(key(1.0, 2.0))), [1, 2, 3]);
    assert_eq!(ids(all().max(key(2.0, 1.5))), [0, 1, 2]);
    assert_eq!(ids(all().max(doc! {}).min(doc! {})), [0, 1, 2, 3]);
    let mixed = with_index(doc! { "a": 1, "b": -1 }, pairs);
    let all = || mixed.find(doc! {}).hint("i");
    assert_eq!(ids(all().min(key(1.0, 2.0))), [1, 0, 3, 2]);
    assert_eq!(ids(all().min(key(2.0, 1.0))), [2]);
    assert_eq!(ids(all().max(key(1.0, 1.5))), [1]);
}

#[test]
fn they_go_with_whatever_else_a_query_has() {
    let events = with_index(doc! { "a": 1 }, (0..10).map(|n| doc! { "a": n, "b": n % 3 }));
    let some = || events.find(doc! {}).hint(doc! { "a": 1 }).min(doc! { "a": 2 }).max(doc! { "a": 8 });
    assert_eq!(ids(some().sort(doc! { "a": -1 }).skip(1).limit(2)), [6, 5]);
    assert_eq!(ids(some().sort(doc! { "b": 1 }).limit(3)), [3, 6, 4]);
    assert_eq!((some().count().unwrap(), some().skip(2).limit(3).count().unwrap()), (6, 3));
    assert_eq!(some().distinct("b").unwrap().len(), 3);
    let filtered = events.find(doc! { "a": { "$gt": 3 }, "b": 0 }).hint("i").max(doc! { "a": 9 });
    assert_eq!(ids(filtered), [6]);
    assert_eq!(some().projection(doc! { "_id": 0, "a": 1 }).limit(1).to_vec().unwrap(), [doc! { "a": 2 }]);
    let by_id = events.find(doc! { "_id": 3 }).min(doc! { "_id": 3 });
    assert_eq!(ids(by_id), [3], "the index on _id goes without saying");
    let absent = Store::in_memory().collection::<Document>("absent");
    assert!(absent.find(doc! {}).hint("i").min(doc! { "a": 1 }).to_vec().unwrap().is_empty());
}

#[test]
fn explain_shows_the_bounds() {
    let events = with_index(doc! { "a": 1, "b": -1 }, (0..10).map(|n| doc! { "a": n, "b": 0 }));
    let some = || events.find(doc! {}).hint("i").min(doc! { "a": 2, "b": 5 });
    let explained = some().max(doc! { "a": 4, "b": 5 }).explain().unwrap();
    assert_eq!((explained.keys_examined, explained.returned), (2, 2));
    assert_eq!(
        explained.stage.to_string(),
        "FETCH < IXSCAN i forward {startKey: { \"a\": 2, \"b\": 5 }, startKeyInclusive: true, \
         endKey: { \"a\": 4, \"b\": 5 }, endKeyInclusive: false}"
    );
    let plan = some().sort(doc! { "a": -1, "b": 1 }).explain_plan().unwrap();
    let scan = plan.get_document("winningPlan").unwrap().get_document("inputStage").unwrap();
    assert_eq!((scan.get_str("stage").unwrap(), scan.get_str("direction").unwrap()), ("IXSCAN", "backward"));
    let bounds = doc! {
        "startKey": { "a": Bson::MaxKey, "b": Bson::MinKey }, "startKeyInclusive": true,
        "endKey": { "a": 2, "b": 5 }, "endKeyInclusive": true,
    };
    assert_eq!(scan.get_document("indexBounds").unwrap(), &bounds);
}

#[test]
fn bounds_are_of_the_keys_of_the_index_of_the_hint() {
    let events = with_index(doc! { "a": 1, "b": -1 }, (0..10).map(|n| doc! { "a": n, "b": n }));
    events.create_index(doc! { "h": "hashed" }).unwrap();
    events.create_index(doc! { "w.$**": 1 }).unwrap();
    let with = |keys: Document| events.find(doc! {}).min(keys);
    let ab = |n: i32| doc! { "a": n, "b": n };
    assert_eq!(code(with(ab(1)).to_vec()), 291);
    assert_eq!(code(with(ab(1)).hint(doc! { "$natural": 1 }).to_vec()), 291);
    assert_eq!(code(with(ab(1)).sort(doc! { "$natural": 1 }).count()), 291);
    assert_eq!(code(with(ab(1)).hint("nosuch").to_vec()), 2);
    for keys in [doc! { "a": 1 }, doc! { "b": 1, "a": 1 }, doc! { "a": 1, "b": 1, "c": 1 }, doc! { "x": 1, "b": 1 }] {
        assert_eq!(code(with(keys).hint("i").to_vec()), 51_174);
    }
    assert_eq!(code(with(doc! { "h": 1 }).hint("h_hashed").to_vec()), 51_174);
    assert_eq!(code(with(doc! { "w.$**": 1 }).hint("w.$**_1").to_vec()), 51_174);
    assert_eq!(code(with(ab(2)).max(ab(2)).hint("i").to_vec()), 51_175);
    assert_eq!(code(with(doc! { "a": 2, "b": 1 }).max(ab(2)).hint("i").explain_plan()), 51_175);
    assert_eq!(code(with(doc! { "a": Bson::MaxKey, "b": Bson::MinKey }).hint("i").to_vec()), 51_175);
    assert_eq!(code(with(ab(1)).max(doc! { "a": 2 }).hint("i").to_vec()), 51_176);
    assert_eq!(code(with(ab(1)).max(doc! { "b": 2, "a": 2 }).to_vec()), 51_176);
    assert_eq!(code(with(ab(1)).tail()), 2);
    let deep = (0..1_000).fold(Bson::Null, |inner, _| doc! { "a": inner }.into());
    assert!(with(doc! { "a": deep, "b": 1 }).hint("i").to_vec().is_err());
}

#[cfg(feature = "collation")]
#[test]
fn a_bound_is_where_the_collation_of_the_index_has_it() {
    use crate::document::Collation;
    let events = Store::in_memory().collection::<Document>("events");
    let english = || Collation::new("en").strength(2);
    let options = IndexOptions::default().name("i").collation(english());
    events.create_index_with(doc! { "a": 1 }, options).unwrap();
    events
        .insert_many(["b", "A", "C", "c", "B"].into_iter().zip(0..).map(|(a, id)| doc! { "_id": id, "a": a }))
        .unwrap();
    let some = |min: Bson| events.find(doc! {}).hint("i").min(doc! { "a": min });
    assert_eq!(ids(some("B".into()).max(doc! { "a": "c" }).collation(english())), [0, 4]);
    assert_eq!(code(some("B".into()).to_vec()), 51_174, "the query has no collation");
    assert_eq!(ids(some(7.into())).len(), 5, "which is all the same without text");
}

#[test]
fn a_document_with_several_keys_is_found_once_by_the_first_of_them() {
    let events = with_index(doc! { "a": 1 }, [doc! { "a": [7, 1, 4] }, doc! { "a": 5 }, doc! { "a": [] }, doc! {}]);
    let some = || events.find(doc! {}).hint("i").min(doc! { "a": 3 });
    assert_eq!(ids(some()), [0, 1]);
    assert_eq!(some().return_key(true).to_vec().unwrap(), [doc! { "a": 4 }, doc! { "a": 5 }]);
    let all = events.find(doc! {}).hint("i").return_key(true).to_vec().unwrap();
    assert_eq!(all, [doc! { "a": Bson::Undefined }, doc! { "a": null }, doc! { "a": 1 }, doc! { "a": 5 }]);
}

#[test]
fn a_key_has_the_fields_of_the_index_that_was_used() {
    let events = with_index(doc! { "a": 1, "b.c": -1 }, (1..4).map(|n| doc! { "a": n, "b": { "c": n * 10 }, "d": -n }));
    let keys = |query: Find<Document>| query.return_key(true).to_vec().unwrap();
    let key = |a: i32| doc! { "a": a, "b.c": a * 10 };
    assert_eq!(keys(events.find(doc! { "a": 2 })), [key(2)]);
    assert_eq!(keys(events.find(doc! { "d": -2 })), [doc! {}]);
    assert_eq!(keys(events.find(doc! { "_id": 1 })), [doc! { "_id": 1 }]);
    assert_eq!(keys(events.find(doc! {}).hint("i").sort(doc! { "a": -1, "b.c": 1 })), [key(3), key(2), key(1)]);
    assert_eq!(keys(events.find(doc! {}).hint("i").sort(doc! { "d": 1 }).limit(1)), [key(3)]);
    let shown = events.find(doc! { "a": 2 }).projection(doc! { "d": 1 }).show_record_id(true);
    assert_eq!(keys(shown), [key(2)], "nothing else has an effect");
    assert!(events.find(doc! { "a": 2 }).projection(doc! { "d": { "$nosuch": 1 } }).return_key(true).run().is_err());
    let absent = Store::in_memory().collection::<Document>("absent");
    assert!(keys(absent.find(doc! {})).is_empty());
}

#[test]
fn hashes_and_paths_of_wildcards_are_in_keys() {
    let events = with_index(doc! { "a": "hashed", "b": 1 }, [doc! { "a": "x", "b": 1.5, "w": { "x": ["p", "q"] } }]);
    let keys = |filter| events.find(filter).return_key(true).to_vec().unwrap();
    let found = keys(doc! { "a": "x" });
    assert!(found[0].get_i64("a").is_ok() && found[0].get("b") == Some(&Bson::Double(1.5)), "{found:?}");
    events.create_index(doc! { "w.$**": 1 }).unwrap();
    assert_eq!(keys(doc! { "w.x": "q" }), [doc! { "$_path": "w.x", "w.x": "q" }]);
}

#[test]
fn a_view_has_no_index() {
    let store = Store::in_memory();
    let database = store.database("shop");
    database.collection::<Document>("events").insert_one(&doc! { "a": 1 }).unwrap();
    database.create_collection_with("v", CollectionOptions::default().view_on("events", [])).unwrap();
    let v = database.collection::<Document>("v");
    assert_eq!(code(v.find(doc! {}).return_key(true).to_vec()), 168);
    assert_eq!(code(v.find(doc! {}).hint("_id_").min(doc! { "_id": 1 }).to_vec()), 168);
    assert_eq!(code(v.find(doc! {}).hint("_id_").max(doc! { "_id": 1 }).count()), 168);
}

/// Values that are met again and again, some of which are too long for a key, and others; no arrays, and no timestamp that stands for
/// the time of its insertion.
fn field() -> impl Strategy<Value = Bson> {
    let long = |n: usize| Bson::String("a".repeat(INDEX_COMPONENT_BYTES_MAX - 4 + n));
    let any = value().prop_filter("it is kept as it is", |value| {
        let is_now = value.as_timestamp().is_some_and(|at| at.time == 0 && at.increment == 0);
        !is_now && !matches!(value, Bson::Array(_) | Bson::Undefined)
    });
    prop_oneof![4 => (0..4).prop_map(Bson::Int32), 2 => (0..6_usize).prop_map(long), 2 => any]
}

proptest! {
    // SEM: DOC-IDX-1
    #[test]
    fn documents_between_two_keys_are_those_of_a_sorted_list(
        pairs in prop::collection::vec((field(), field()), 0..24),
        min in prop::option::of((field(), field())),
        max in prop::option::of((field(), field())),
        (down_a, down_b) in any::<(bool, bool)>(),
    ) {
        let turned = |order: Ordering, down: bool| if down { order.reverse() } else { order };
        let compare = |(a, b): &(Bson, Bson), (c, d): &(Bson, Bson)| {
            let by = |x: &Bson, y: &Bson, down| turned(Order::SIMPLE.compare_bson(x, y), down);
            by(a, c, down_a).then(by(b, d, down_b))
        };
        let key = |(a, b): &(Bson, Bson)| doc! { "a": a.clone(), "b": b.clone() };
        let direction = |down: bool| if down { -1 } else { 1 };
        let (up, back) = (
            doc! { "a": direction(down_a), "b": direction(down_b) },
            doc! { "a": direction(!down_a), "b": direction(!down_b) },
        );
        let events = with_index(up.clone(), pairs.iter().map(key));
        let query = || {
            let query = events.find(doc! {}).hint("i");
            query.min(min.as_ref().map(key).unwrap_or_default()).max(max.as_ref().map(key).unwrap_or_default())
        };
        let end = |low: bool, down: bool| if low == down { Bson::MaxKey } else { Bson::MinKey };
        let lower = min.clone().unwrap_or((end(true, down_a), end(true, down_b)));
        let upper = max.clone().unwrap_or((end(false, down_a), end(false, down_b)));
        if (min.is_some() || max.is_some()) && compare(&lower, &upper).is_ge() {
            prop_assert_eq!(code(query().to_vec()), 51_175);
            return Ok(());
        }
        let is_in = |pair: &(Bson, Bson)| {
            min.as_ref().is_none_or(|min| compare(pair, min).is_ge())
                && max.as_ref().is_none_or(|max| compare(pair, max).is_lt())
        };
        let mut expected: Vec<_> = pairs.iter().zip(0..).filter(|(pair, _)| is_in(pair)).collect();
        let only_ids = |found: &[(&(Bson, Bson), i32)]| found.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        prop_assert_eq!(query().count().unwrap(), expected.len() as u64);
        expected.sort_by(|(a, _), (b, _)| compare(a, b));
        prop_assert_eq!(ids(query().sort(up)), only_ids(&expected));
        let is_long = |value: &Bson| value.as_str().is_some_and(|text| text.len() > INDEX_COMPONENT_BYTES_MAX - 4);
        if !expected.iter().any(|((a, b), _)| is_long(a) || is_long(b)) {
            prop_assert_eq!(ids(query()), only_ids(&expected));
        }
        let sorted = ids(query().sort(back));
        expected.sort_by(|(a, x), (b, y)| compare(b, a).then(x.cmp(y)));
        prop_assert_eq!(sorted, only_ids(&expected));
    }
}
