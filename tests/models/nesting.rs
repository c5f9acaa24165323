//! Nesting: however deep a value is, it is stored, or refused by the name of the limit. It never overflows the stack.

use std::thread;

use larder::bson::{Bson, doc};
use larder::document::{AggregateOptions, IndexOptions, UpdateOptions, WriteModel};
use larder::item::{AttributeMap, AttributeValue, Item};
use larder::{Document, Error, Store, limits};
use serde::{Deserialize, Serialize};

use crate::{item_table, store};

/// What a thread has unless it is asked for more.
const STACK_BYTES: usize = 2 << 20;

/// Deeper than any stack of that size is for one frame of a recursion a level.
const DEEP: usize = 9_000;

/// Runs `body` where a deep recursion would end the process.
fn on_a_plain_stack(body: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK_BYTES).spawn(body).unwrap().join().unwrap();
}

/// A document of `levels` levels, itself the first.
fn nested(levels: usize) -> Document {
    (1..levels).fold(doc! {}, |inner, _| doc! { "a": inner })
}

/// An array of `levels` levels.
fn nested_array(levels: usize) -> Bson {
    (1..levels).fold(Bson::Array(vec![]), |inner, _| Bson::Array(vec![inner]))
}

/// `leaf` in `levels` documents of one `operator`, each with an array.
fn operators(operator: &str, levels: usize, leaf: Document) -> Document {
    (0..levels).fold(leaf, |inner, _| doc! { operator: [inner] })
}

fn assert_too_deep<T: std::fmt::Debug>(outcome: larder::Result<T>, what: &str) {
    let error = outcome.unwrap_err();
    let nests =
        || error.item_fault().is_some_and(|fault| fault.to_string().starts_with("Nesting Levels have exceeded"));
    assert!(matches!(error, Error::LimitExceeded { .. }) || nests(), "{what}: {error}");
}

// SEM: DOC-UPD-9
#[test]
fn a_stored_document_of_180_levels_is_all_there_and_one_of_181_is_refused() {
    on_a_plain_stack(|| {
        let collection = store().0.collection::<Document>("deep");
        let deepest = limits::DOCUMENT_STORED_DEPTH_MAX;
        let mut document = nested(deepest);
        document.insert("_id", 1);
        collection.insert_one(&document).unwrap();
        collection.create_index(doc! { "a": 1 }).unwrap();
        let found = collection.find_one(doc! { "a": document.get_document("a").unwrap() }).unwrap().unwrap();
        assert_eq!(found.get("a"), document.get("a"));
        assert_eq!(collection.find(doc! {}).sort(doc! { "a": -1 }).to_vec().unwrap().len(), 1);
        let groups: Vec<_> = collection.aggregate([doc! { "$group": { "_id": "$a" } }]).unwrap().collect();
        assert_eq!(groups[0].as_ref().unwrap().get("_id"), document.get("a"));
        collection.update_one(doc! {}, doc! { "$set": { "b": 1 } }).unwrap();
        let error = collection.insert_one(&nested(deepest + 1)).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { max: 180, found: 181, .. }), "{error}");
        let path = vec!["b"; deepest].join(".");
        collection.replace_one(doc! {}, &doc! {}).unwrap();
        collection.update_one(doc! {}, doc! { "$set": { &path: 1 } }).unwrap();
        assert_eq!(collection.count_documents(doc! { &path: 1 }).unwrap(), 1);
        collection.replace_one(doc! {}, &doc! {}).unwrap();
        assert_too_deep(collection.update_one(doc! {}, doc! { "$set": { format!("{path}.b"): 1 } }), "$set");
    });
}

// SEM: DOC-UPD-9
#[test]
fn documents_of_any_depth_are_refused_on_the_way_in() {
    on_a_plain_stack(|| {
        let collection = store().0.collection::<Document>("deep");
        collection.insert_one(&doc! { "_id": 1, "n": 1 }).unwrap();
        // Made anew each time: to copy one takes more stack than to make and drop it.
        let makers: [fn() -> Document; 2] = [|| nested(DEEP), || doc! { "a": nested_array(DEEP) }];
        for make in makers {
            let document = make();
            assert_too_deep(collection.insert_one(&document), "insert_one");
            assert_too_deep(collection.insert_many([&document]), "insert_many");
            assert_too_deep(collection.replace_one(doc! {}, &document), "replace_one");
            assert_too_deep(collection.update_one(doc! {}, doc! { "$set": { "a": make() } }), "update_one");
        }
        assert_eq!(collection.find(doc! {}).to_vec().unwrap(), [doc! { "_id": 1, "n": 1 }]);
    });
}

// SEM: DOC-UPD-9
#[test]
fn filters_projections_and_sorts_of_any_depth_are_refused() {
    on_a_plain_stack(|| {
        let collection = store().0.collection::<Document>("deep");
        collection.insert_one(&doc! { "n": 1 }).unwrap();
        let makers: [fn() -> Document; 5] = [
            || operators("$and", DEEP / 2, doc! { "n": 1 }),
            || operators("$nor", DEEP / 2, doc! { "n": 1 }),
            || doc! { "n": (0..DEEP).fold(doc! { "$gt": 0 }, |inner, _| doc! { "$not": inner }) },
            || doc! { "n": nested(DEEP) },
            || doc! { "n": { "$in": [nested_array(DEEP)] } },
        ];
        for filter in makers {
            assert_too_deep(collection.find(filter()).to_vec(), "find");
            assert_too_deep(collection.find(filter()).explain(), "explain");
            assert_too_deep(collection.find_one(filter()), "find_one");
            assert_too_deep(collection.count_documents(filter()), "count_documents");
            assert_too_deep(collection.delete_many(filter()), "delete_many");
            assert_too_deep(collection.aggregate([doc! { "$match": filter() }]), "$match");
            assert_too_deep(
                collection.explain_aggregate([doc! { "$match": filter() }], AggregateOptions::default(), false),
                "explain",
            );
            let write = WriteModel::update_one(filter(), doc! { "$set": { "n": 2 } }, UpdateOptions::default());
            let done = collection.bulk_write([write]).run().unwrap();
            assert!(matches!(done.errors().next(), Some((0, Error::LimitExceeded { .. }))));
            let options = IndexOptions::default().partial_filter(filter());
            assert_too_deep(collection.create_index_with(doc! { "n": 1 }, options), "partial index");
        }
        assert!(collection.find(doc! { "$and": [nested_array(DEEP)] }).to_vec().is_err(), "not a document");
        assert!(collection.find(doc! { "n": { "$not": nested_array(DEEP) } }).to_vec().is_err(), "no operators");
        assert_too_deep(collection.find(doc! {}).projection(nested(DEEP)).to_vec(), "projection");
        assert!(collection.find(doc! {}).sort(doc! { "n": nested_array(DEEP) }).to_vec().is_err());
        assert!(collection.create_index(doc! { "n": nested_array(DEEP) }).is_err());
        assert!(collection.create_index(nested(DEEP)).is_err());
        assert_eq!(collection.count_documents(doc! {}).unwrap(), 1);
    });
}

// SEM: DOC-UPD-9
#[test]
fn stages_and_expressions_of_any_depth_are_refused() {
    on_a_plain_stack(|| {
        let collection = store().0.collection::<Document>("deep");
        collection.insert_one(&doc! { "n": 1 }).unwrap();
        let makers: [fn() -> Document; 3] = [
            || operators("$add", DEEP / 2, doc! { "$literal": 1 }),
            || nested(DEEP),
            || doc! { "$literal": nested(DEEP) },
        ];
        for deep in makers {
            let stages: [fn(Document) -> Document; 9] = [
                |deep| doc! { "$project": { "x": deep } },
                |deep| doc! { "$addFields": { "x": deep } },
                |deep| doc! { "$group": { "_id": deep } },
                |deep| doc! { "$group": { "_id": null, "x": { "$sum": deep } } },
                |deep| doc! { "$replaceWith": deep },
                |deep| doc! { "$sortByCount": deep },
                |deep| doc! { "$sort": deep },
                |deep| doc! { "$unwind": deep },
                |deep| doc! { "$limit": deep },
            ];
            for stage in stages {
                assert_too_deep(collection.aggregate([stage(deep())]), "aggregate");
            }
        }
    });
}

// SEM: DOC-UPD-9
#[test]
fn a_pipeline_cannot_build_what_is_deeper_than_200_levels() {
    on_a_plain_stack(|| {
        let collection = store().0.collection::<Document>("deep");
        collection.insert_one(&nested(limits::DOCUMENT_STORED_DEPTH_MAX)).unwrap();
        let wrap = |levels: usize| (0..levels).map(|_| doc! { "$replaceWith": { "a": "$$ROOT" } }).collect::<Vec<_>>();
        let deepest = limits::DOCUMENT_DEPTH_MAX - limits::DOCUMENT_STORED_DEPTH_MAX;
        assert!(collection.aggregate(wrap(deepest)).unwrap().next().unwrap().is_ok());
        assert_too_deep(collection.aggregate(wrap(deepest + 1)).unwrap().next().unwrap(), "$replaceWith");
        let grouped =
            [doc! { "$group": { "_id": null, "all": { "$push": "$$ROOT" } } }].into_iter().chain(wrap(deepest - 1));
        assert_too_deep(collection.aggregate(grouped).and_then(|mut found| found.next().unwrap()), "$push");
    });
}

#[derive(Debug, Deserialize, Serialize)]
struct Node {
    next: Option<Box<Node>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct List(Vec<List>);

/// Wraps itself without making a level.
struct Wrapper(usize);

impl Serialize for Wrapper {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_i32(7),
            more if more % 2 == 0 => serializer.serialize_some(&Self(more - 1)),
            more => serializer.serialize_newtype_struct("Wrapper", &Self(more - 1)),
        }
    }
}

#[derive(Serialize)]
struct Holds<T> {
    #[serde(rename = "PK")]
    pk: &'static str,
    #[serde(rename = "SK")]
    sk: i32,
    value: T,
}

fn chain(levels: usize) -> Node {
    (1..levels).fold(Node { next: None }, |inner, _| Node { next: Some(Box::new(inner)) })
}

#[test]
fn values_of_callers_types_of_any_depth_are_refused() {
    on_a_plain_stack(|| {
        let (store, _) = store();
        let (nodes, lists) = (store.collection::<Node>("nodes"), store.collection::<Holds<List>>("lists"));
        nodes.insert_one(&chain(limits::DOCUMENT_STORED_DEPTH_MAX)).unwrap();
        let mut found = nodes.find_one(doc! {}).unwrap().unwrap();
        let mut levels = 1;
        while let Some(next) = found.next {
            (found, levels) = (*next, levels + 1);
        }
        assert_eq!(levels, limits::DOCUMENT_STORED_DEPTH_MAX);
        assert_too_deep(nodes.insert_one(&chain(DEEP)), "structs");
        let list = (1..DEEP).fold(List(vec![]), |inner, _| List(vec![inner]));
        let holds = Holds { pk: "a", sk: 1, value: list };
        assert_too_deep(lists.insert_one(&holds), "lists");
        assert_too_deep(Item::from_serialize(&holds), "an item of lists");
        let wrapped = |levels| Holds { pk: "a", sk: 1, value: Wrapper(levels) };
        let wrappers = store.collection::<Holds<Wrapper>>("wrappers");
        wrappers.insert_one(&wrapped(100)).unwrap();
        assert_too_deep(wrappers.insert_one(&wrapped(1_000_000)), "wrappers");
        assert!(Item::from_serialize(&wrapped(100)).is_ok());
        assert_too_deep(Item::from_serialize(&wrapped(1_000_000)), "an item of wrappers");
    });
}

#[test]
fn items_of_any_depth_are_refused_and_still_looked_at() {
    on_a_plain_stack(|| {
        let store = Store::in_memory();
        let table = item_table(&store);
        let lists = (1..DEEP).fold(AttributeValue::L(vec![]), |inner, _| AttributeValue::L(vec![inner]));
        let maps =
            (1..DEEP).fold(AttributeValue::M(AttributeMap::new()), |inner, _| AttributeValue::M([("a", inner)].into()));
        for deep in [lists, maps] {
            let item: Item = [("PK", "a".into()), ("SK", 1.into()), ("v", deep)].into_iter().collect();
            assert_too_deep(table.put(&item), "put");
            assert_too_deep(item.deserialize::<Document>(), "deserialize");
            assert!(item.size_bytes() > DEEP);
        }
        assert!(table.get(("a", 1)).unwrap().is_none());
    });
}
