use std::cmp::Ordering;
use std::sync::Arc;

use bson::{Bson, DateTime, Decimal128, Document, RawDocumentBuf, bson, doc};
use proptest::prelude::*;

use super::{Exec, Leading, Pipeline, Place};
use crate::document::code::Code;
use crate::document::expression::{Context, Names};
use crate::document::filter::Filter;
use crate::document::order::Order;
use crate::document::rows::{Input, Made};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::{Operation, Scope};

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn made(documents: impl Iterator<Item = Result<RawDocumentBuf>> + Send + 'static) -> Input {
    Box::new(Made::new(documents))
}

fn stream(documents: &[Document]) -> Input {
    made(documents.iter().map(|document| Ok(raw(document))).collect::<Vec<_>>().into_iter())
}

fn compile(stages: Vec<Document>) -> Result<Pipeline> {
    Pipeline::compile(stages, Place::Collection, &Names::default())
}

fn context() -> Arc<Context> {
    Arc::new(Context::new(DateTime::from_millis(1_000), 7, Vec::new()))
}

/// What a pipeline over `input` gives, in a store that has nothing else.
fn start(pipeline: Pipeline, input: Input) -> Result<Input> {
    let store = crate::Store::in_memory();
    let at = store.snapshot().unwrap();
    let collection = at.collection::<Document>("c");
    collection.scope().read(Operation::new("document", "aggregate", ""), |view| {
        pipeline.run(input, &Exec::new(view, "test", context()))
    })
}

fn all(mut rows: Input) -> Result<Vec<Document>> {
    let mut all = Vec::new();
    while rows.advance()? {
        all.push(Document::try_from(rows.row()?).unwrap());
    }
    Ok(all)
}

fn try_run(documents: &[Document], stages: &[Document]) -> Result<Vec<Document>> {
    all(start(compile(stages.to_vec())?, stream(documents))?)
}

fn run(documents: &[Document], stages: &[Document]) -> Vec<Document> {
    try_run(documents, stages).unwrap()
}

/// The values of field `a`, with null for none.
fn column(documents: &[Document]) -> Vec<Bson> {
    documents.iter().map(|document| document.get("a").cloned().unwrap_or(Bson::Null)).collect()
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse::<Decimal128>().unwrap())
}

fn orders() -> Vec<Document> {
    vec![
        doc! { "_id": 1, "user": "ann", "amount": 5, "tags": ["x", "y"] },
        doc! { "_id": 2, "user": "bob", "amount": 7.5, "tags": [] },
        doc! { "_id": 3, "user": "ann", "amount": null, "tags": "z" },
        doc! { "_id": 4, "amount": 2i64 },
        doc! { "_id": 5, "user": null, "amount": "n/a", "tags": ["y"] },
    ]
}

#[test]
fn a_report_runs_through_all_its_stages() {
    let top = run(
        &orders(),
        &[
            doc! { "$match": { "_id": { "$lt": 5 } } },
            doc! { "$group": { "_id": "$user", "total": { "$sum": "$amount" }, "orders": { "$count": {} } } },
            doc! { "$sort": { "total": -1 } },
            doc! { "$limit": 2 },
            doc! { "$project": { "_id": 0, "user": "$_id", "total": 1 } },
        ],
    );
    assert_eq!(top, [doc! { "total": 7.5, "user": "bob" }, doc! { "total": 5, "user": "ann" }]);
}

// SEM: DOC-AGG-7
#[test]
fn groups_gather_by_equality_in_the_order_first_seen() {
    let ones = [bson!(1), bson!("a"), decimal("1.00"), bson!(null), bson!(1.0), bson!(1i64)];
    let mut documents: Vec<_> = ones.into_iter().map(|k| doc! { "k": k }).collect();
    documents.push(doc! {});
    let groups = run(&documents, &[doc! { "$group": { "_id": "$k", "n": { "$sum": 1 } } }]);
    let expected = [doc! { "_id": 1, "n": 4 }, doc! { "_id": "a", "n": 1 }, doc! { "_id": null, "n": 2 }];
    assert_eq!(groups, expected);
    let compound = run(
        &[doc! { "a": 1 }, doc! { "a": 1.0, "b": 2 }, doc! { "a": 1 }],
        &[doc! { "$group": { "_id": { "x": "$a", "y": "$b" } } }],
    );
    assert_eq!(compound, [doc! { "_id": { "x": 1 } }, doc! { "_id": { "x": 1.0, "y": 2 } }]);
    let single =
        run(&[doc! {}, doc! { "a": null }], &[doc! { "$group": { "_id": { "x": "$a" }, "n": { "$sum": 1 } } }]);
    assert_eq!(
        single,
        [doc! { "_id": { "x": null }, "n": 2 }],
        "the only field of an object is null when it is missing"
    );
    assert_eq!(run(&[], &[doc! { "$group": { "_id": null, "n": { "$sum": 1 } } }]), Vec::<Document>::new());
}

// SEM: DOC-AGG-7
#[test]
fn accumulators_see_nulls_and_gaps_each_in_its_own_way() {
    let text = doc! { "_id": null,
        "sum": { "$sum": "$amount" }, "avg": { "$avg": "$amount" }, "none": { "$avg": "$zz" }, "zero": { "$sum": "$zz" },
        "min": { "$min": "$amount" }, "max": { "$max": "$amount" }, "least": { "$min": "$zz" },
        "first": { "$first": "$user" }, "last": { "$last": "$user" }, "gone": { "$last": "$zz" },
        "users": { "$push": "$user" }, "set": { "$addToSet": "$user" }, "n": { "$count": {} },
    };
    let groups = run(&orders(), &[doc! { "$group": text }]);
    let expected = doc! { "_id": null,
        "sum": 14.5, "avg": 14.5 / 3.0, "none": null, "zero": 0,
        "min": 2i64, "max": "n/a", "least": null,
        "first": "ann", "last": null, "gone": null,
        "users": ["ann", "bob", "ann", null], "set": ["ann", "bob", null], "n": 5,
    };
    assert_eq!(groups, [expected]);
}

#[test]
fn a_group_that_is_malformed_is_refused() {
    for text in [
        doc! {},
        doc! { "n": { "$sum": 1 } },
        doc! { "_id": 1, "n": 1 },
        doc! { "_id": 1, "n": { "$sum": 1, "$avg": 1 } },
        doc! { "_id": 1, "n": { "$sum": [1, 2] } },
        doc! { "_id": 1, "n": { "$count": 1 } },
        doc! { "_id": 1, "a.b": { "$sum": 1 } },
    ] {
        let error = compile(vec![doc! { "$group": text.clone() }]).unwrap_err();
        assert!(matches!(error, Error::Invalid { kind: InvalidKind::Syntax, .. }), "{text}: {error}");
    }
    let unknown = compile(vec![doc! { "$group": { "_id": 1, "m": { "$accumulator": 1 } } }]).unwrap_err();
    assert!(matches!(unknown, Error::Unsupported { feature } if feature == "accumulator $accumulator"));
}

#[test]
fn groups_and_sorts_have_a_memory_limit() {
    let large = doc! { "a": "x".repeat(4 << 20) };
    let too_many = || -> Input {
        let large = raw(&large);
        made(std::iter::repeat_with(move || Ok(large.clone())).take(limits::SORT_BYTES_MAX / (4 << 20) + 1))
    };
    let run = |stage: Document| start(compile(vec![stage]).unwrap(), too_many()).map(|_| ());
    let group = run(doc! { "$group": { "_id": null, "all": { "$push": "$a" } } });
    assert!(matches!(group, Err(Error::LimitExceeded { limit: "group bytes", .. })));
    assert!(matches!(run(doc! { "$sort": { "b": 1 } }), Err(Error::LimitExceeded { limit: "sort bytes", .. })));
    let top = vec![doc! { "$sort": { "b": 1 } }, doc! { "$limit": 1 }];
    assert!(start(compile(top).unwrap(), too_many()).is_ok(), "only what is asked for is held");
}

// SEM: DOC-SORT-1, DOC-SORT-2
#[test]
fn sorting_looks_at_the_least_or_the_greatest_element() {
    let documents = [doc! {}, doc! { "a": 1 }, doc! { "a": [] }, doc! { "a": [1] }, doc! { "a": [0, 1] }];
    let ascending = run(&documents, &[doc! { "$sort": { "a": 1 } }]);
    assert_eq!(column(&ascending), [bson!([]), bson!(null), bson!([0, 1]), bson!(1), bson!([1])]);
    let descending = run(&documents, &[doc! { "$sort": { "a": -1 } }]);
    assert_eq!(column(&descending), [bson!(1), bson!([1]), bson!([0, 1]), bson!(null), bson!([])]);
}

// SEM: DOC-SORT-3
#[test]
fn two_arrays_do_not_meet_in_one_sort() {
    let parallel = try_run(&[doc! { "a": [1], "b": [2] }], &[doc! { "$sort": { "a": 1, "b": 1 } }]);
    assert!(matches!(parallel, Err(Error::Invalid { kind: InvalidKind::ParallelArrays, .. })));
    for text in [doc! {}, doc! { "a": 2 }, doc! { "a": "up" }] {
        assert!(compile(vec![doc! { "$sort": text }]).is_err());
    }
}

// SEM: DOC-AGG-8
#[test]
fn unwinding_drops_what_has_no_elements_unless_told() {
    let unwound = run(&orders(), &[doc! { "$unwind": "$tags" }, doc! { "$project": { "tags": 1 } }]);
    let expected = [
        doc! { "_id": 1, "tags": "x" },
        doc! { "_id": 1, "tags": "y" },
        doc! { "_id": 3, "tags": "z" },
        doc! { "_id": 5, "tags": "y" },
    ];
    assert_eq!(unwound, expected);
    let options = doc! { "path": "$tags", "preserveNullAndEmptyArrays": true, "includeArrayIndex": "at" };
    let kept = run(&orders(), &[doc! { "$unwind": options }, doc! { "$project": { "tags": 1, "at": 1 } }]);
    let expected = [
        doc! { "_id": 1, "tags": "x", "at": 0i64 },
        doc! { "_id": 1, "tags": "y", "at": 1i64 },
        doc! { "_id": 2, "at": null },
        doc! { "_id": 3, "tags": "z", "at": null },
        doc! { "_id": 4, "at": null },
        doc! { "_id": 5, "tags": "y", "at": 0i64 },
    ];
    assert_eq!(kept, expected);
}

// SEM: DOC-AGG-8
#[test]
fn unwinding_reaches_into_objects_and_keeps_the_order_of_fields() {
    let documents =
        [doc! { "a": { "x": 0, "b": [1, [2]], "y": 3 }, "z": 4 }, doc! { "a": [{ "b": [1] }] }, doc! { "a": 1 }];
    let stage = doc! { "$unwind": { "path": "$a.b", "includeArrayIndex": "a.y" } };
    let unwound = run(&documents, &[stage]);
    let expected =
        [doc! { "a": { "x": 0, "b": 1, "y": 0i64 }, "z": 4 }, doc! { "a": { "x": 0, "b": [2], "y": 1i64 }, "z": 4 }];
    assert_eq!(unwound.iter().map(raw).collect::<Vec<_>>(), expected.iter().map(raw).collect::<Vec<_>>());
    for text in [bson!("a"), bson!(1), bson!({}), bson!({ "path": 1 }), bson!("$a..b")] {
        assert!(compile(vec![doc! { "$unwind": text }]).is_err());
    }
}

#[test]
fn counting_answers_nothing_for_nothing() {
    assert_eq!(run(&orders(), &[doc! { "$count": "n" }]), [doc! { "n": 5 }]);
    assert_eq!(run(&[], &[doc! { "$count": "n" }]), Vec::<Document>::new());
    for name in [bson!(""), bson!("$n"), bson!("a.b"), bson!(1), bson!("a\0")] {
        assert!(compile(vec![doc! { "$count": name }]).is_err());
    }
}

#[test]
fn limits_and_skips_take_whole_numbers() {
    let ids = |stages: &[Document]| {
        run(&orders(), stages).iter().map(|document| document.get_i32("_id").unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[doc! { "$skip": 1 }, doc! { "$limit": 2i64 }]), [2, 3]);
    assert_eq!(ids(&[doc! { "$limit": 2.0 }, doc! { "$skip": 1 }]), [2]);
    assert_eq!(ids(&[doc! { "$skip": 9 }]), [] as [i32; 0]);
    for stage in [
        doc! { "$limit": 0 },
        doc! { "$limit": -1 },
        doc! { "$limit": 1.5 },
        doc! { "$skip": -1 },
        doc! { "$skip": "1" },
    ] {
        assert!(matches!(compile(vec![stage]), Err(Error::Invalid { kind: InvalidKind::Value, .. })));
    }
}

#[test]
fn fields_are_added_and_removed_and_roots_replaced() {
    let documents = [doc! { "_id": 1, "a": { "b": 2 }, "c": 3 }];
    for set in ["$addFields", "$set"] {
        let expected = doc! { "_id": 1, "a": { "b": 2, "d": 5 }, "c": 2 };
        let stage = doc! { set: { "c": "$a.b", "a.d": { "$add": ["$a.b", "$c"] } } };
        assert_eq!(run(&documents, &[stage]), [expected]);
    }
    assert_eq!(run(&documents, &[doc! { "$unset": "a" }]), [doc! { "_id": 1, "c": 3 }]);
    assert_eq!(run(&documents, &[doc! { "$unset": ["a.b", "c"] }]), [doc! { "_id": 1, "a": {} }]);
    assert_eq!(run(&documents, &[doc! { "$replaceRoot": { "newRoot": "$a" } }]), [doc! { "b": 2 }]);
    assert_eq!(run(&documents, &[doc! { "$replaceWith": { "x": "$c" } }]), [doc! { "x": 3 }]);
    let scalar = try_run(&documents, &[doc! { "$replaceWith": "$c" }]);
    assert!(matches!(scalar, Err(Error::Invalid { kind: InvalidKind::Type, .. })));
    let counted = run(&orders(), &[doc! { "$sortByCount": "$user" }]);
    let expected =
        [doc! { "_id": "ann", "count": 2 }, doc! { "_id": null, "count": 2 }, doc! { "_id": "bob", "count": 1 }];
    assert_eq!(counted, expected);
}

// SEM: DOC-AGG-1
#[test]
fn other_stages_are_refused_by_name() {
    let nonsense = compile(vec![doc! { "$nonsense": {} }]).unwrap_err();
    assert_eq!(Code::of(&nonsense), Some(Code::UNKNOWN_STAGE));
    for stage in ["$changeStream", "$geoNear", "$search", "$listSampledQueries"] {
        let error = compile(vec![doc! { stage: {} }]).unwrap_err();
        assert!(matches!(error, Error::Unsupported { feature } if feature == format!("pipeline stage {stage}")));
    }
    let of_server = compile(vec![doc! { "$currentOp": {} }]).unwrap_err();
    assert_eq!(Code::of(&of_server), Some(Code::INVALID_NAMESPACE));
    for stage in [
        doc! {},
        doc! { "$limit": 1, "$skip": 1 },
        doc! { "$project": {} },
        doc! { "$match": 1 },
        doc! { "$unset": [] },
    ] {
        assert!(matches!(compile(vec![stage.clone()]), Err(Error::Invalid { .. })), "{stage}");
    }
    let endless = vec![doc! { "$limit": 1 }; limits::PIPELINE_STAGES_MAX + 1];
    assert!(matches!(compile(endless), Err(Error::LimitExceeded { limit: "pipeline stages", .. })));
}

#[test]
fn the_answer_streams_and_ends_at_the_first_error() {
    let documents = [doc! { "a": 1 }, doc! { "a": 0 }, doc! { "a": 2 }];
    let stage = doc! { "$project": { "x": { "$divide": [1, "$a"] } } };
    let mut answer = start(compile(vec![stage]).unwrap(), stream(&documents)).unwrap();
    assert!(answer.advance().unwrap());
    assert_eq!(Document::try_from(answer.row().unwrap()).unwrap(), doc! { "x": 1.0 });
    assert!(answer.advance().is_err());

    let endless = made(std::iter::repeat_with(|| Ok(raw(&doc! { "a": [1, 2] }))));
    let stages = vec![doc! { "$unwind": "$a" }, doc! { "$match": { "a": 2 } }, doc! { "$limit": 3 }];
    let found = all(start(compile(stages).unwrap(), endless).unwrap()).unwrap();
    assert_eq!(found.len(), 3, "no more is read than asked for");
}

// SEM: DOC-AGG-12
#[test]
fn the_head_of_a_pipeline_becomes_a_find() {
    let split = |stages: &[Document]| {
        let (leading, rest) = compile(stages.to_vec()).unwrap().split_leading();
        (leading, rest.stages.len())
    };
    let (matching, sort) = (doc! { "$match": { "a": 1 } }, doc! { "$sort": { "b": 1 } });
    let (filter, by) = (Some(doc! { "a": 1 }), Some(doc! { "b": 1 }));
    assert_eq!(split(&[]), (Leading::default(), 0));
    assert_eq!(split(&[doc! { "$limit": 3 }]), (Leading::default(), 1));
    let find = Leading { filter: filter.clone(), sort: by.clone(), limit: Some(2) };
    let head = [matching.clone(), sort.clone(), doc! { "$limit": 3 }, doc! { "$limit": 2 }, doc! { "$skip": 1 }];
    assert_eq!(split(&head), (find, 1));
    assert_eq!(split(&[sort.clone(), matching.clone()]), (Leading { filter, sort: by, limit: None }, 0));
    let page = [sort.clone(), doc! { "$skip": 4 }, doc! { "$limit": 3 }];
    let (leading, left) = split(&page);
    assert_eq!((leading.limit, left), (Some(7), 2), "the sort keeps no more than the page needs");
    let both = Some(doc! { "$and": [{ "a": 1 }, { "a": 1 }] });
    assert_eq!(split(&[matching.clone(), matching.clone()]).0.filter, both);
    assert_eq!(split(&[sort.clone(), sort, matching]).1, 2, "a second sort stays");
}

fn small() -> impl Strategy<Value = Bson> {
    prop_oneof![
        Just(Bson::Null),
        (0..3i32).prop_map(Bson::Int32),
        (0..3i32).prop_map(|value| Bson::Double(value.into())),
        "[xy]".prop_map(Bson::String),
    ]
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let value = prop_oneof![4 => small(), 1 => prop::collection::vec(small(), 0..3).prop_map(Bson::Array)];
    let fields = prop::collection::btree_map("[ab]", value, 0..3);
    prop::collection::vec(fields, 0..12).prop_map(|documents| {
        let numbered = documents.into_iter().zip(0i32..);
        numbered.map(|(fields, id)| std::iter::once(("_id".to_owned(), id.into())).chain(fields).collect()).collect()
    })
}

fn stage() -> impl Strategy<Value = Document> {
    prop_oneof![
        small().prop_map(|value| doc! { "$match": { "a": value } }),
        small().prop_map(|value| doc! { "$match": { "b": { "$gte": value } } }),
        prop::sample::select(vec![1, -1]).prop_map(|direction| doc! { "$sort": { "a": direction } }),
        prop::sample::select(vec![1, -1]).prop_map(|direction| doc! { "$sort": { "b": direction, "_id": -1 } }),
        (1..6i32).prop_map(|limit| doc! { "$limit": limit }),
        (0..4i32).prop_map(|skip| doc! { "$skip": skip }),
        Just(doc! { "$unwind": "$a" }),
        Just(doc! { "$set": { "c": "$a" } }),
        Just(doc! { "$set": { "a": "$b" } }),
        Just(doc! { "$unset": "a" }),
        Just(doc! { "$group": { "_id": "$a", "_first": { "$first": "$_id" }, "b": { "$sum": "$b" } } }),
        Just(doc! { "$project": { "b": 1, "a": "$b" } }),
    ]
}

/// A `find` as it is meant: filter, sort, limit, each over everything.
fn found(documents: &[Document], leading: &Leading) -> Vec<Document> {
    let filter = leading.filter.as_ref().map(|filter| Filter::compile(filter, &Names::default()).unwrap());
    let matches =
        |document: &&Document| filter.as_ref().is_none_or(|filter| filter.matches(&raw(document), &context()).unwrap());
    let mut found: Vec<_> = documents.iter().filter(matches).cloned().collect();
    if let Some(sort) = &leading.sort {
        found = run(&found, &[doc! { "$sort": sort.clone() }]);
    }
    found.truncate(leading.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap()));
    found
}

/// `$group` by `a` as a fold over a list of groups.
fn folded(documents: &[Document]) -> Vec<Document> {
    let mut groups: Vec<(Bson, Vec<&Document>)> = Vec::new();
    for document in documents {
        let id = document.get("a").cloned().unwrap_or(Bson::Null);
        match groups.iter_mut().find(|(held, _)| Order::SIMPLE.compare_bson(held, &id) == Ordering::Equal) {
            Some((_, members)) => members.push(document),
            None => groups.push((id, vec![document])),
        }
    }
    let summarize = |(id, members): (Bson, Vec<&Document>)| {
        let values: Vec<&Bson> = members.iter().filter_map(|document| document.get("b")).collect();
        let doubles: Vec<f64> = values.iter().filter_map(|value| value.as_f64()).collect();
        let integers: Vec<i32> = values.iter().filter_map(|value| value.as_i32()).collect();
        let sum = doubles.iter().sum::<f64>() + f64::from(integers.iter().sum::<i32>());
        let count = i32::try_from(doubles.len() + integers.len()).unwrap();
        let some = values.iter().copied().filter(|value| **value != Bson::Null);
        // Of equal values the first one seen counts, for both extremes.
        let least = some.clone().reduce(|a, b| if Order::SIMPLE.compare_bson(b, a).is_lt() { b } else { a });
        let greatest = some.reduce(|a, b| if Order::SIMPLE.compare_bson(b, a).is_gt() { b } else { a });
        doc! {
            "_id": id,
            "sum": if doubles.is_empty() { bson!(integers.iter().sum::<i32>()) } else { bson!(sum) },
            "avg": if count == 0 { Bson::Null } else { bson!(sum / f64::from(count)) },
            "min": least.cloned().unwrap_or(Bson::Null),
            "max": greatest.cloned().unwrap_or(Bson::Null),
            "all": values.into_iter().cloned().collect::<Vec<_>>(),
            "n": i32::try_from(members.len()).unwrap(),
        }
    };
    groups.into_iter().map(summarize).collect()
}

proptest! {
    // SEM: DOC-AGG-12
    #[test]
    fn splitting_off_the_head_changes_no_result(documents in documents(), stages in prop::collection::vec(stage(), 0..6)) {
        let whole = try_run(&documents, &stages);
        let (leading, rest) = compile(stages).unwrap().split_leading();
        let pushed = start(rest, stream(&found(&documents, &leading))).and_then(all);
        prop_assert_eq!(whole.unwrap(), pushed.unwrap());
    }

    // SEM: DOC-AGG-12
    #[test]
    fn rewriting_changes_no_result(documents in documents(), stages in prop::collection::vec(stage(), 0..7)) {
        let whole = try_run(&documents, &stages);
        let rewritten = start(compile(stages).unwrap().rewritten(), stream(&documents)).and_then(all);
        prop_assert_eq!(whole.unwrap(), rewritten.unwrap());
    }

    // SEM: DOC-AGG-7
    #[test]
    fn grouping_agrees_with_a_fold(documents in documents()) {
        let text = doc! { "_id": "$a", "sum": { "$sum": "$b" }, "avg": { "$avg": "$b" }, "min": { "$min": "$b" },
            "max": { "$max": "$b" }, "all": { "$push": "$b" }, "n": { "$count": {} } };
        prop_assert_eq!(run(&documents, &[doc! { "$group": text }]), folded(&documents));
    }

    #[test]
    fn the_first_few_of_a_sort_are_those_of_the_whole_sort(
        documents in documents(),
        skip in 0..4u8,
        limit in 1..6u8,
    ) {
        let sort = doc! { "$sort": { "a": 1 } };
        let whole = run(&documents, std::slice::from_ref(&sort));
        let few = run(&documents, &[sort, doc! { "$skip": i32::from(skip) }, doc! { "$limit": i32::from(limit) }]);
        let expected: Vec<_> = whole.into_iter().skip(skip.into()).take(limit.into()).collect();
        prop_assert_eq!(few, expected);
    }

    // SEM: DOC-SORT-1, DOC-SORT-4
    #[test]
    fn a_sort_is_stable_and_ordered(documents in documents()) {
        let scalars: Vec<_> =
            documents.into_iter().filter(|document| !matches!(document.get("a"), Some(Bson::Array(_)))).collect();
        let key = |document: &Document| document.get("a").cloned().unwrap_or(Bson::Null);
        let mut expected = scalars.clone();
        expected.sort_by(|left, right| Order::SIMPLE.compare_bson(&key(left), &key(right)));
        prop_assert_eq!(run(&scalars, &[doc! { "$sort": { "a": 1 } }]), expected);
    }
}
