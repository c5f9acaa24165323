#![expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]

use bson::{Document, doc};

use super::*;
use crate::document::schema::{Added, CollectionOptions, IndexOptions};

/// A collection with indexes of these keys; bits of `multikey` are set in all of them.
fn schema(indexes: impl IntoIterator<Item = Document>, multikey: u32) -> Schema {
    let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
    for keys in indexes {
        let added = schema.add(&keys, &IndexOptions::default()).unwrap();
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

fn with_options(indexes: impl IntoIterator<Item = (Document, IndexOptions)>) -> Schema {
    let mut schema = Schema::new(None, CollectionOptions::default()).unwrap();
    for (keys, options) in indexes {
        schema.add(&keys, &options).unwrap();
    }
    schema
}

// SEM: DOC-IDX-6
#[test]
fn a_sparse_index_is_used_where_it_misses_nothing() {
    let schema = with_options([(doc! { "a": 1, "b": 1 }, IndexOptions::default().sparse(true))]);
    let uses = |filter, sort| plan(&schema, filter, sort).contains("IXSCAN a_1_b_1");
    assert!(uses(doc! { "a": 1 }, doc! {}) && uses(doc! { "a": { "$gt": 1 } }, doc! { "a": 1 }));
    assert!(uses(doc! { "a": null, "b": 1 }, doc! {}), "a match has b");
    assert!(uses(doc! { "a": { "$exists": true } }, doc! { "a": 1 }));
    assert!(!uses(doc! { "a": null }, doc! {}) && !uses(doc! {}, doc! { "a": 1 }));
    assert!(!uses(doc! { "a": { "$in": [1, null] } }, doc! {}) && !uses(doc! { "c": 1 }, doc! { "a": 1 }));
}

// SEM: DOC-IDX-7
#[test]
fn a_partial_index_is_used_when_its_filter_is_implied_and_a_hidden_one_never() {
    let options = IndexOptions::default();
    let partial = options.clone().partial_filter(doc! { "open": true });
    let schema = with_options([(doc! { "a": 1 }, partial), (doc! { "b": 1 }, options.hidden(true))]);
    assert!(plan(&schema, doc! { "a": 1, "open": true }, doc! {}).contains("IXSCAN a_1"));
    assert!(plan(&schema, doc! { "open": true }, doc! { "a": 1 }).contains("IXSCAN a_1"));
    assert_eq!(plan(&schema, doc! { "a": 1 }, doc! {}), "COLLSCAN");
    assert_eq!(plan(&schema, doc! { "b": 1 }, doc! {}), "COLLSCAN");
}

#[test]
fn a_hashed_field_serves_single_values() {
    let schema = with_options([(doc! { "a": "hashed", "b": 1 }, IndexOptions::default())]);
    let found = plan(&schema, doc! { "a": 1, "b": { "$gt": 2 } }, doc! {});
    assert_eq!(found, "FETCH < IXSCAN a_hashed_b_1 forward {a: [1, 1], b: (2, …Number)}");
    assert!(plan(&schema, doc! { "a": { "$in": [1, "x"] } }, doc! {}).contains("IXSCAN"));
    assert!(plan(&schema, doc! { "a": 1 }, doc! { "b": -1 }).starts_with("FETCH"), "which gives the order of b");
    assert_eq!(plan(&schema, doc! { "a": { "$gt": 1 } }, doc! {}), "COLLSCAN");
    assert!(plan(&schema, doc! {}, doc! { "a": 1 }).starts_with("SORT"));
}

#[test]
fn a_wildcard_serves_one_path() {
    let beside = IndexOptions::default().wildcard_projection(doc! { "x": 0 });
    let mut schema = with_options([(doc! { "$**": 1 }, IndexOptions::default())]);
    let scan = |rest: &str| format!("FETCH < IXSCAN $**_1 forward {{$_path: {rest}}}");
    assert_eq!(plan(&schema, doc! { "a.b": 1 }, doc! {}), scan("[\"a.b\", \"a.b\"], a.b: [1, 1]"));
    assert_eq!(plan(&schema, doc! { "a": { "$gt": 1, "$lt": 5 } }, doc! {}), scan("[\"a\", \"a\"], a: (1, 5)"));
    assert!(plan(&schema, doc! { "a": { "$gt": 1 } }, doc! { "a": 1 }).starts_with("FETCH"));
    for filter in [
        doc! { "a": null },
        doc! { "a": { "b": 1 } },
        doc! { "a": [1] },
        doc! { "a": { "$in": [1, null] } },
        doc! { "a.0": 1 },
        doc! { "a": { "$exists": true } },
        doc! { "_id.b": 1 },
    ] {
        assert_eq!(plan(&schema, filter.clone(), doc! {}), "COLLSCAN", "{filter}");
    }
    assert!(plan(&schema, doc! {}, doc! { "a": 1 }).starts_with("SORT"), "documents without the field have no entry");
    Arc::make_mut(&mut schema.indexes[1]).array_paths = vec!["a".to_owned()];
    assert_eq!(
        plan(&schema, doc! { "a.b": { "$gt": 1, "$lt": 5 } }, doc! {}),
        scan("[\"a.b\", \"a.b\"], a.b: (1, …Number)")
    );
    assert!(plan(&schema, doc! { "a": 1 }, doc! { "a": 1 }).starts_with("SORT"));
    let schema = with_options([(doc! { "x": 1, "$**": 1 }, beside)]);
    assert!(plan(&schema, doc! { "x": 1, "a": 2 }, doc! {}).contains("{x: [1, 1], $_path: [\"a\", \"a\"], a: [2, 2]}"));
    assert!(plan(&schema, doc! { "x": 1 }, doc! {}).contains("{x: [1, 1]}"));
    assert_eq!(plan(&schema, doc! { "a": 2 }, doc! {}), "COLLSCAN");
}

#[test]
fn a_hint_is_used_whatever_it_finds() {
    let options = IndexOptions::default();
    let partial = options.clone().partial_filter(doc! { "open": true });
    let schema =
        with_options([(doc! { "a": 1 }, partial), (doc! { "b": 1 }, options.clone()), (doc! { "c.$**": 1 }, options)]);
    let with = |filter: &Document, hint: Hint| {
        let filter = Filter::compile(filter, &crate::document::expression::Names::default()).unwrap();
        choose(7, &schema, &filter, None, Some(&hint)).map(|plan| plan.stage(None).to_string())
    };
    let one = doc! { "_id": 1 };
    assert_eq!(with(&one, "a_1".into()).unwrap(), "FETCH < IXSCAN a_1 forward {a: [MinKey, MaxKey]}");
    assert_eq!(with(&doc! { "b": 2 }, "b_1".into()).unwrap(), "FETCH < IXSCAN b_1 forward {b: [2, 2]}");
    assert!(with(&one, "_id_".into()).unwrap().contains("IXSCAN _id_"));
    assert_eq!(with(&one, doc! { "$natural": 1 }.into()).unwrap(), "COLLSCAN");
    let error = with(&one, "c.$**_1".into()).unwrap_err();
    assert_eq!(Code::of(&error), Some(Code::NO_QUERY_EXECUTION_PLANS));
}
