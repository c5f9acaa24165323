//! What documents answer where stores like this one have been wrong.
//!
//! Classes that are about expressions alone are tested beside them (`src/document/expression/tests/`), those about
//! limits in `tests/models/nesting.rs`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use larder::bson::spec::BinarySubtype;
use larder::bson::{Binary, Bson, Document, Timestamp, bson, doc};
use larder::document::{AggregateOptions, Code, FindOneAndOptions, IndexOptions, ReturnDocument, UpdateOptions};
use larder::{Collection, Error, ManualClock, Result, Store};

fn collection() -> Collection<Document> {
    Store::in_memory().collection("c")
}

fn with(documents: impl IntoIterator<Item = Document>) -> Collection<Document> {
    let collection = collection();
    collection.insert_many(documents).unwrap();
    collection
}

fn code<T>(outcome: Result<T>) -> Option<Code> {
    outcome.err().and_then(|error| Code::of(&error))
}

fn ids(collection: &Collection<Document>, filter: Document) -> Vec<i32> {
    let found = collection.find(filter).sort(doc! { "_id": 1 }).to_vec().unwrap();
    found.iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

fn aggregate(collection: &Collection<Document>, stages: impl IntoIterator<Item = Document>) -> Result<Vec<Document>> {
    collection.aggregate(stages)?.collect()
}

// SEM: DOC-UPD-5
#[test]
fn a_negative_zero_that_is_incremented_by_zero_stays_as_it_is() {
    let c = with([doc! { "_id": 1, "a": -0.0 }]);
    assert_eq!(c.update_one(doc! {}, doc! { "$inc": { "a": 0.0 } }).unwrap().modified, 0);
    assert!(c.find_one(doc! {}).unwrap().unwrap().get_f64("a").unwrap().is_sign_negative());
    c.update_one(doc! {}, doc! { "$mul": { "b": 5i64 } }).unwrap();
    assert_eq!(c.find_one(doc! {}).unwrap().unwrap().get_i64("b").unwrap(), 0);
}

// SEM: DOC-UPD-11
#[test]
fn a_field_below_the_top_may_begin_with_a_dollar_sign() {
    let c = with([doc! { "_id": 1 }]);
    c.update_one(doc! {}, doc! { "$set": { "a.$bad": 1 } }).unwrap();
    assert_eq!(c.find_one(doc! {}).unwrap(), Some(doc! { "_id": 1, "a": { "$bad": 1 } }));
    assert_eq!(code(c.update_one(doc! {}, doc! { "$set": { "$bad": 1 } })), Some(Code::DOLLAR_PREFIXED_FIELD_NAME));
}

// SEM: DOC-FLT-11
#[test]
fn paths_with_empty_parts_are_allowed_in_filters() {
    let c = with([doc! { "_id": 1, "": 1 }, doc! { "_id": 2, "a": { "": { "b": 1 } } }]);
    assert_eq!(ids(&c, doc! { "": 1 }), [1]);
    assert_eq!(ids(&c, doc! { "a..b": 1 }), [2]);
    assert_eq!(ids(&c, doc! { ".a": 1 }), [] as [i32; 0]);
}

// SEM: DOC-AGG-18
#[test]
fn stages_take_what_the_server_takes() {
    let c = with([doc! { "_id": 1, "a": 2 }]);
    assert_eq!(aggregate(&c, [doc! { "$set": {} }]).unwrap(), [doc! { "_id": 1, "a": 2 }]);
    assert_eq!(aggregate(&c, [doc! { "$set": { "a": {} } }]).unwrap(), [doc! { "_id": 1, "a": {} }]);
    let group = doc! { "$group": { "_id": null, "": { "$sum": "$a" } } };
    assert_eq!(aggregate(&c, [group]).unwrap(), [doc! { "_id": null, "": 2 }]);
    for accumulator in ["$push", "$addToSet"] {
        let group = doc! { "$group": { "_id": null, "p": { accumulator: ["$a"] } } };
        assert_eq!(code(aggregate(&c, [group])), Some(Code::ACCUMULATOR_UNARY));
    }
    for id in [bson!({ "a": 1 }), bson!({ "a": true })] {
        assert_eq!(code(aggregate(&c, [doc! { "$group": { "_id": id } }])), Some(Code::GROUP_INCLUSION));
    }
}

// SEM: DOC-FLT-8
#[test]
fn operators_in_a_list_are_an_error() {
    let c = collection();
    for operator in ["$in", "$nin"] {
        assert_eq!(code(c.find_one(doc! { "a": { operator: [{ "$gt": 1 }] } })), Some(Code::BAD_VALUE));
    }
}

// SEM: DOC-SORT-6
#[test]
fn a_stage_cuts_off_a_direction_and_a_query_does_not() {
    let c = with([doc! { "_id": 1, "v": 2 }, doc! { "_id": 2, "v": 1 }]);
    for direction in [bson!(1.9), Bson::Decimal128("0.51".parse().unwrap())] {
        assert_eq!(aggregate(&c, [doc! { "$sort": { "v": direction } }]).unwrap()[0].get_i32("_id").unwrap(), 2);
    }
    assert_eq!(code(c.find(doc! {}).sort(doc! { "v": 2 }).run()), Some(Code::SORT_DIRECTION));
}

// SEM: DOC-UPD-12
#[test]
fn an_empty_timestamp_at_the_top_is_filled_in() {
    let clock = ManualClock::default();
    clock.set(larder::Timestamp::from_seconds(1_000));
    let c = Store::builder().clock(clock).in_memory().collection::<Document>("c");
    let empty = Timestamp { time: 0, increment: 0 };
    c.insert_one(&doc! { "_id": 1, "t": empty, "n": { "t": empty } }).unwrap();
    let stored = c.find_one(doc! {}).unwrap().unwrap();
    assert_eq!(stored.get_timestamp("t").unwrap().time, 1_000);
    assert_eq!(stored.get_document("n").unwrap().get_timestamp("t").unwrap(), empty);
}

// SEM: DOC-ORD-6
#[test]
fn old_binary_data_sorts_by_its_inner_length_too() {
    let binary = |subtype| Binary { subtype, bytes: vec![1, 2] };
    let c = with([
        doc! { "_id": 1, "b": binary(BinarySubtype::BinaryOld) },
        doc! { "_id": 2, "b": binary(BinarySubtype::UserDefined(128)) },
    ]);
    for indexed in [false, true] {
        if indexed {
            c.create_index(doc! { "b": 1 }).unwrap();
        }
        let found = c.find(doc! {}).sort(doc! { "b": 1 }).to_vec().unwrap();
        assert_eq!(found[0].get_i32("_id").unwrap(), 2, "indexed: {indexed}");
    }
}

// SEM: DOC-UPD-7
#[test]
fn a_replacement_by_an_equal_document_modifies_it() {
    let c = with([doc! { "_id": 1, "a": 1 }]);
    assert_eq!(c.replace_one(doc! {}, &doc! { "_id": 1, "a": 1 }).unwrap().modified, 1);
    assert_eq!(c.update_one(doc! {}, doc! { "$set": { "a": 1 } }).unwrap().modified, 0);
}

// SEM: DOC-IDX-10
#[test]
fn indexes_of_the_same_keys_and_of_the_id() {
    let c = with([doc! { "_id": 1, "a": 1 }]);
    c.create_index(doc! { "a": 1 }).unwrap();
    c.create_index_with(doc! { "a": 1 }, IndexOptions::default().unique(true).name("u")).unwrap();
    assert_eq!(c.list_indexes().unwrap().len(), 3);
    assert!(c.insert_one(&doc! { "_id": 2, "a": 1 }).unwrap_err().is_duplicate_key());
    assert_eq!(code(c.create_index(doc! { "_id": -1 })), Some(Code::BAD_VALUE));
}

// SEM: DOC-UPD-9
#[test]
fn an_id_with_an_operator_is_refused() {
    assert_eq!(code(collection().insert_one(&doc! { "_id": { "$x": 1 } })), Some(Code::DOLLAR_PREFIXED_FIELD_NAME));
}

// SEM: DOC-UPD-9
#[test]
fn a_computed_document_may_be_a_little_larger_than_a_stored_one() {
    let c = with([doc! { "_id": 1, "a": "x".repeat((16 << 20) - 50) }]);
    let with_more = |bytes: usize| doc! { "$set": { "b": "y".repeat(bytes) } };
    let found = aggregate(&c, [with_more(16_000), doc! { "$project": { "b": 1 } }]).unwrap();
    assert_eq!(found[0].get_str("b").unwrap().len(), 16_000);
    assert_eq!(aggregate(&c, [with_more(16_000)]).unwrap().len(), 1);
    assert_eq!(code(aggregate(&c, [with_more(17_000)])), Some(Code::DOCUMENT_TOO_LARGE));
    let stored = c.aggregate_out([with_more(1_000), doc! { "$out": "other" }]);
    assert_eq!(code(stored), Some(Code::DOCUMENT_TOO_LARGE));
    assert_eq!(code(c.update_one(doc! {}, with_more(1_000))), Some(Code::DOCUMENT_TOO_LARGE));
}

// SEM: DOC-FLT-11
#[test]
fn a_position_is_also_a_name_in_the_elements() {
    let c = with([doc! { "_id": 1, "a": [{ "b": 1 }] }, doc! { "_id": 2, "a": [5] }, doc! { "_id": 3 }]);
    assert_eq!(ids(&c, doc! { "a.0": null }), [1, 3]);
    c.create_index(doc! { "a.0": 1 }).unwrap();
    assert_eq!(ids(&c, doc! { "a.0": null }), [1, 3], "an index changes no answer");
    assert_eq!(ids(&c, doc! { "a.0": 5 }), [2]);
}

// SEM: DOC-AGG-9
#[test]
fn what_a_join_finds_may_be_large_until_a_later_stage_makes_it_smaller() {
    let c = with((0..18).map(|n| doc! { "_id": n, "all": 1, "text": "x".repeat(1 << 20) }));
    let join = doc! { "$lookup": { "from": "c", "localField": "all", "foreignField": "all", "as": "found" } };
    let head = [doc! { "$limit": 1 }, join];
    let counted = head.iter().cloned().chain([doc! { "$project": { "n": { "$size": "$found" } } }]);
    assert_eq!(aggregate(&c, counted).unwrap(), [doc! { "_id": 0, "n": 18 }]);
    assert_eq!(code(aggregate(&c, head)), Some(Code::DOCUMENT_TOO_LARGE));
}

#[test]
fn what_may_not_stand_in_a_place_has_the_number_of_the_server() {
    let c = with([doc! { "_id": 1, "a": [1] }]);
    let number = |outcome: Option<Code>| outcome.map(Code::number);
    for filter in [
        doc! { "a": { "$elemMatch": { "$where": "1" } } },
        doc! { "a": { "$elemMatch": { "$text": { "$search": "x" } } } },
        doc! { "a": { "$not": { "$where": "1" } } },
    ] {
        assert_eq!(number(code(c.find_one(filter.clone()))), Some(2), "{filter}");
    }
    let filtered = |filter: Document| {
        let options = UpdateOptions::default().array_filters([filter]);
        number(code(c.update_one_with(doc! {}, doc! { "$set": { "a.$[x]": 1 } }, options)))
    };
    assert_eq!(filtered(doc! { "$text": { "$search": "x" } }), Some(2));
    assert_eq!(filtered(doc! { "x.at": { "$near": [0, 0] } }), Some(5_626_500));
    let projected = c.find(doc! {}).projection(doc! { "a": { "$set": 1 } }).to_vec();
    assert_eq!(number(code(projected)), Some(31_325));
    for stage in ["$currentOp", "$listLocalSessions", "$listSessions"] {
        let nested = doc! { "$lookup": { "from": "c", "as": "x", "pipeline": [{ stage: {} }] } };
        assert_eq!(number(code(aggregate(&c, [nested]))), Some(73), "{stage}");
    }
    assert_eq!(number(code(aggregate(&c, [doc! { "$unwind": "$a\0b" }]))), Some(16_419));
    let variables = AggregateOptions::default().let_vars(doc! { "t": "$$CLUSTER_TIME" });
    let run = c.aggregate_with::<Document>([doc! { "$match": {} }], variables);
    assert_eq!(number(code(run)), Some(51_144));
}

// SEM: DOC-UPD-1, DOC-UPD-6
#[test]
fn arrays_are_pushed_to_pulled_from_and_changed_in_their_elements() {
    let c = with([doc! { "_id": 1, "a": [3, 1, 2], "o": [{ "k": 1, "n": 1 }, { "k": 2, "n": 1 }] }]);
    let step = |update: Document| {
        c.update_one(doc! { "_id": 1 }, update).unwrap();
        c.find_one(doc! {}).unwrap().unwrap()
    };
    let pushed = step(doc! { "$push": { "a": { "$each": [9, 0], "$sort": 1, "$slice": -4 } } });
    assert_eq!(pushed.get("a"), Some(&bson!([1, 2, 3, 9])));
    assert_eq!(
        step(doc! { "$push": { "a": { "$each": [7], "$position": -1 } } }).get("a"),
        Some(&bson!([1, 2, 3, 7, 9]))
    );
    assert_eq!(step(doc! { "$addToSet": { "a": { "$each": [1.0, 4] } } }).get("a"), Some(&bson!([1, 2, 3, 7, 9, 4])));
    assert_eq!(step(doc! { "$pull": { "a": { "$gte": 4 } } }).get("a"), Some(&bson!([1, 2, 3])));
    assert_eq!(step(doc! { "$pop": { "a": -1 } }).get("a"), Some(&bson!([2, 3])));
    assert_eq!(step(doc! { "$pullAll": { "a": [3] } }).get("a"), Some(&bson!([2])));
    assert_eq!(step(doc! { "$inc": { "a.$[]": 1 } }).get("a"), Some(&bson!([3])));
    assert_eq!(step(doc! { "$pull": { "o": { "k": 1 } } }).get("o"), Some(&bson!([{ "k": 2, "n": 1 }])));
    c.update_one(doc! { "o.k": 2 }, doc! { "$set": { "o.$.n": 5 } }).unwrap();
    assert_eq!(c.find_one(doc! {}).unwrap().unwrap().get("o"), Some(&bson!([{ "k": 2, "n": 5 }])));
    let options = UpdateOptions::default().array_filters([doc! { "x.k": { "$gt": 1 } }]);
    c.update_one_with(doc! {}, doc! { "$set": { "o.$[x].n": 6 } }, options).unwrap();
    assert_eq!(c.find_one(doc! {}).unwrap().unwrap().get("o"), Some(&bson!([{ "k": 2, "n": 6 }])));
    assert_eq!(code(c.update_one(doc! {}, doc! { "$push": { "_id": 1 } })), Some(Code::BAD_VALUE));
}

// SEM: DOC-UPD-1, DOC-UPD-6
#[test]
fn fields_are_renamed_compared_dated_and_their_bits_changed() {
    let clock = ManualClock::default();
    clock.set(larder::Timestamp::from_seconds(1_000));
    let c = Store::builder().clock(clock).in_memory().collection::<Document>("c");
    c.insert_one(&doc! { "_id": 1, "a": 5, "b": 12 }).unwrap();
    let update = doc! {
        "$rename": { "a": "x.y", "none": "z" }, "$max": { "m": 3 }, "$currentDate": { "at": true }, "$bit": { "b": { "and": 10 } },
    };
    c.update_one(doc! {}, update).unwrap();
    let expected = doc! {
        "_id": 1, "b": 8, "at": larder::bson::DateTime::from_millis(1_000_000), "m": 3, "x": { "y": 5 },
    };
    assert_eq!(c.find_one(doc! {}).unwrap(), Some(expected));
    assert_eq!(c.update_one(doc! {}, doc! { "$min": { "m": 9 } }).unwrap().modified, 0);
}

// SEM: DOC-UPD-8
#[test]
fn an_upsert_begins_with_what_the_filter_demands() {
    let c = collection();
    let upsert = || UpdateOptions::default().upsert(true);
    let update = doc! { "$set": { "n": 1 }, "$setOnInsert": { "new": true } };
    let filter = doc! { "_id": 7, "$and": [{ "a.b": "x" }], "q": { "$gt": 5 }, "r": { "$in": [3] } };
    let done = c.update_one_with(filter.clone(), update.clone(), upsert()).unwrap();
    assert_eq!((done.matched, done.modified, done.upserted_id), (0, 0, Some(7.into())));
    let expected = doc! { "_id": 7, "a": { "b": "x" }, "r": 3, "n": 1, "new": true };
    assert_eq!(c.find_one(doc! {}).unwrap(), Some(expected));
    let done = c.update_many_with(doc! { "_id": 8 }, doc! { "$inc": { "n": 2 } }, upsert()).unwrap();
    assert_eq!(done.upserted_id, Some(8.into()));
    let options = FindOneAndOptions::default().return_document(ReturnDocument::After).update(upsert());
    let after = c.find_one_and_replace_with(doc! { "_id": 9 }, &doc! { "n": 3 }, options).unwrap();
    assert_eq!(after, Some(doc! { "_id": 9, "n": 3 }));
}

// SEM: DOC-AGG-9
#[test]
fn documents_are_joined_by_equality_and_by_a_pipeline() {
    let store = Store::in_memory();
    let (orders, items) = (store.collection::<Document>("orders"), store.collection::<Document>("items"));
    orders
        .insert_many([doc! { "_id": 1, "item": ["a", "b"] }, doc! { "_id": 2 }, doc! { "_id": 3, "item": "c" }])
        .unwrap();
    items
        .insert_many([doc! { "_id": 1, "sku": "a", "n": 5 }, doc! { "_id": 2, "sku": "b", "n": 7 }, doc! { "_id": 3 }])
        .unwrap();
    let lookup = doc! { "$lookup": { "from": "items", "localField": "item", "foreignField": "sku", "as": "found" } };
    let count = doc! { "$project": { "n": { "$size": "$found" } } };
    let found = aggregate(&orders, [lookup, count]).unwrap();
    assert_eq!(found, [doc! { "_id": 1, "n": 2 }, doc! { "_id": 2, "n": 1 }, doc! { "_id": 3, "n": 0 }]);
    let lookup = doc! { "$lookup": {
        "from": "items", "let": { "id": "$_id" }, "as": "later",
        "pipeline": [{ "$match": { "$expr": { "$gt": ["$_id", "$$id"] } } }, { "$project": { "_id": 1 } }],
    } };
    let found = aggregate(&orders, [lookup, doc! { "$project": { "later": "$later._id" } }]).unwrap();
    assert_eq!(found[0], doc! { "_id": 1, "later": [2, 3] });
    assert_eq!(found[2], doc! { "_id": 3, "later": [] });
}

// SEM: DOC-AGG-1
#[test]
fn facets_unions_samples_and_documents_of_their_own() {
    let c = with((0..4).map(|n| doc! { "_id": n, "n": n % 2 }));
    let facet =
        doc! { "$facet": { "count": [{ "$count": "n" }], "first": [{ "$sort": { "_id": 1 } }, { "$limit": 1 }] } };
    let expected = doc! { "count": [{ "n": 4 }], "first": [{ "_id": 0, "n": 0 }] };
    assert_eq!(aggregate(&c, [facet]).unwrap(), [expected]);
    let union = doc! { "$unionWith": { "pipeline": [{ "$documents": [{ "x": 1 }] }] } };
    assert_eq!(aggregate(&c, [doc! { "$limit": 1 }, union]).unwrap().len(), 2);
    assert_eq!(aggregate(&c, [doc! { "$sample": { "size": 3 } }]).unwrap().len(), 3);
    let bucket = doc! { "$bucket": { "groupBy": "$_id", "boundaries": [0, 3], "default": "more" } };
    assert_eq!(aggregate(&c, [bucket]).unwrap(), [doc! { "_id": 0, "count": 3 }, doc! { "_id": "more", "count": 1 }]);
    let nested = doc! { "$facet": { "a": [{ "$facet": { "b": [] } }] } };
    assert_eq!(code(aggregate(&c, [nested])), Some(Code::FACET_STAGE_NOT_ALLOWED));
    assert_eq!(code(aggregate(&c, [doc! { "$limit": 1 }, doc! { "$documents": [] }])), Some(Code::NOT_FIRST_STAGE));
    assert_eq!(code(aggregate(&c, [doc! { "$out": "x" }, doc! { "$limit": 1 }])), Some(Code::NOT_LAST_STAGE));
    assert!(matches!(aggregate(&c, [doc! { "$out": "x" }]), Err(Error::Unsupported { .. })));
}

#[test]
fn a_store_with_a_seed_gives_the_same_sample_in_every_run() {
    let run = || {
        let c = Store::builder().seed(7).in_memory().collection::<Document>("c");
        c.insert_many((0..50).map(|n| doc! { "_id": n })).unwrap();
        aggregate(&c, [doc! { "$sample": { "size": 5 } }]).unwrap()
    };
    assert_eq!(run(), run());
}
