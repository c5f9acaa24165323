#![expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]

use bson::{Document, doc};

use super::*;
use crate::document::schema::{Added, CollectionOptions, IndexOptions};

/// A collection with indexes of these keys; bits of `multikey` are set in all of them.
fn schema(indexes: impl IntoIterator<Item = Document>, multikey: u32) -> Schema {
    let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
    for keys in indexes {
        let added = schema.add(&Pattern::parse(&keys).unwrap(), &IndexOptions::default()).unwrap();
        assert!(matches!(added, Added::New(_)));
    }
    schema.indexes.iter_mut().skip(1).for_each(|index| Arc::make_mut(index).multikey = multikey);
    schema
}

fn plan(schema: &Schema, filter: Document, sort: Document) -> String {
    let sort = (!sort.is_empty()).then(|| Pattern::parse(&sort).unwrap());
    let plan = choose(
        7,
        schema,
        &Filter::compile(&filter, &crate::document::expression::Names::default()).unwrap(),
        sort.as_ref(),
        None,
    )
    .unwrap();
    plan.stage(sort.as_ref()).to_string()
}

// SEM: DOC-IDX-1
#[test]
fn a_filter_uses_a_prefix_of_an_index() {
    let schema = schema([doc! { "a": 1, "b": -1, "c": 1 }], 0);
    let with = |filter| plan(&schema, filter, doc! {});
    let scan = |bounds: &str| format!("FETCH < IXSCAN a_1_b_-1_c_1 forward {bounds}");
    assert_eq!(with(doc! { "a": 1 }), scan("{a: [1, 1], b: [MinKey, MaxKey], c: [MinKey, MaxKey]}"));
    assert_eq!(with(doc! { "a": 1, "b": { "$gt": 2 } }), scan("{a: [1, 1], b: (2, …Number), c: [MinKey, MaxKey]}"));
    assert_eq!(
        with(doc! { "a": { "$gt": 2 }, "b": 1 }),
        scan("{a: (2, …Number), b: [MinKey, MaxKey], c: [MinKey, MaxKey]}")
    );
    let both = doc! { "$and": [{ "a": { "$in": [1, 2] } }, { "b": 3, "c": 4 }] };
    assert_eq!(with(both), scan("{a: [1, 1] [2, 2], b: [3, 3], c: [4, 4]}"));
    assert_eq!(with(doc! { "b": 1 }), "COLLSCAN");
    assert_eq!(with(doc! { "$or": [{ "a": 1 }, { "a": 2 }] }), "COLLSCAN");
    assert_eq!(with(doc! { "a": { "$ne": 1 } }), "COLLSCAN");
    assert_eq!(with(doc! { "a": { "$gt": 9, "$lt": 1 } }), scan("{a: none, b: [MinKey, MaxKey], c: [MinKey, MaxKey]}"));
}

// SEM: DOC-IDX-1
#[test]
fn an_index_gives_its_own_order_and_the_reverse() {
    let schema = schema([doc! { "a": 1, "b": -1 }], 0);
    let with = |sort| plan(&schema, doc! {}, sort);
    let bounds = "{a: [MinKey, MaxKey], b: [MinKey, MaxKey]}";
    assert_eq!(with(doc! { "a": 1, "b": -1 }), format!("FETCH < IXSCAN a_1_b_-1 forward {bounds}"));
    assert_eq!(with(doc! { "a": -1, "b": 1 }), format!("FETCH < IXSCAN a_1_b_-1 backward {bounds}"));
    assert_eq!(with(doc! { "a": -1 }), format!("FETCH < IXSCAN a_1_b_-1 backward {bounds}"));
    assert_eq!(with(doc! { "a": 1, "b": 1 }), "SORT { \"a\": 1, \"b\": 1 } < COLLSCAN");
    assert_eq!(with(doc! { "b": 1 }), "SORT { \"b\": 1 } < COLLSCAN");
    assert_eq!(with(doc! { "a": 1, "b": -1, "c": 1 }), "SORT { \"a\": 1, \"b\": -1, \"c\": 1 } < COLLSCAN");
}

// SEM: DOC-IDX-2
#[test]
fn fields_before_the_sort_need_one_value_each() {
    let schema = schema([doc! { "a": 1, "b": 1, "c": -1 }], 0);
    let with = |filter, sort| plan(&schema, filter, sort);
    assert!(with(doc! { "a": 1, "b": 2 }, doc! { "c": -1 }).starts_with("FETCH < IXSCAN a_1_b_1_c_-1 forward"));
    assert!(with(doc! { "a": 1 }, doc! { "b": -1 }).starts_with("FETCH < IXSCAN a_1_b_1_c_-1 backward"));
    assert!(with(doc! { "a": 1 }, doc! { "b": 1, "a": -1, "c": -1 }).starts_with("FETCH < IXSCAN"));
    assert!(with(doc! { "a": 1 }, doc! { "c": -1 }).starts_with("SORT"));
    assert!(with(doc! { "a": { "$in": [1, 2] } }, doc! { "b": 1 }).starts_with("SORT"));
    assert!(with(doc! { "a": { "$in": [1, 2] } }, doc! { "a": 1, "b": 1 }).starts_with("FETCH"));
    assert!(with(doc! { "a": { "$gt": 1 } }, doc! { "a": -1 }).starts_with("FETCH"));
}

// SEM: DOC-IDX-4
#[test]
fn a_multikey_field_has_one_bound_and_no_order() {
    let schema = schema([doc! { "a": 1, "b": 1 }], 0b11);
    let with = |filter, sort| plan(&schema, filter, sort);
    let bounds = "{a: (1, …Number), b: [MinKey, MaxKey]}";
    assert_eq!(with(doc! { "a": { "$gt": 1, "$lt": 9 } }, doc! {}), format!("FETCH < IXSCAN a_1_b_1 forward {bounds}"));
    let bounds = "{a: [5, 5], b: [MinKey, MaxKey]}";
    assert_eq!(
        with(doc! { "a": { "$gt": 1, "$eq": 5 }, "b": 2 }, doc! {}),
        format!("FETCH < IXSCAN a_1_b_1 forward {bounds}")
    );
    assert!(with(doc! { "a": 1 }, doc! { "b": 1 }).starts_with("SORT"));
    assert!(with(doc! { "a": 1 }, doc! { "a": 1 }).starts_with("SORT"));
}

#[test]
fn the_most_selective_index_is_chosen() {
    let schema = schema([doc! { "a": 1 }, doc! { "a": 1, "b": 1 }, doc! { "c": 1 }], 0);
    let with = |filter, sort| plan(&schema, filter, sort);
    assert!(with(doc! { "a": 1, "b": 1, "c": 1 }, doc! {}).contains("a_1_b_1"));
    assert!(with(doc! { "a": 1 }, doc! {}).contains("a_1 "), "the oldest of equals");
    assert!(with(doc! { "a": 1 }, doc! { "b": 1 }).contains("a_1_b_1"), "the one that sorts");
    assert!(with(doc! { "_id": 1, "a": { "$gt": 1 } }, doc! {}).contains("_id_"));
}

#[test]
fn too_many_ranges_are_left_to_the_filter() {
    let schema = schema([doc! { "a": 1, "b": 1 }], 0);
    let many: Vec<i32> = (0..200).collect();
    let text = plan(&schema, doc! { "a": { "$in": &many }, "b": { "$in": &many } }, doc! {});
    assert!(text.ends_with("b: [MinKey, MaxKey]}"), "{text}");
}
