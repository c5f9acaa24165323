//! Stages over collections: joins, windows, accumulators, and stages that write.

use super::*;
use crate::document::Code;

fn filled(documents: impl IntoIterator<Item = Document>) -> (Store, Collection<Document>) {
    let store = Store::in_memory();
    let collection = store.collection("events");
    collection.insert_many(documents).unwrap();
    (store, collection)
}

fn run(collection: &Collection<Document>, stages: impl IntoIterator<Item = Document>) -> Result<Vec<Document>> {
    collection.aggregate(stages)?.collect()
}

fn code(result: Result<impl std::fmt::Debug>) -> Option<i32> {
    Code::of(&result.expect_err("a mistake")).map(Code::number)
}

#[test]
fn accumulators_of_a_group() {
    let (_store, events) = filled([
        doc! { "_id": 1, "a": [1, 2], "x": 5, "y": "p" },
        doc! { "_id": 2, "a": [2, 3], "x": 1, "y": "q" },
        doc! { "_id": 3, "x": 3, "y": "r" },
    ]);
    let one = |accumulator: Document| {
        let group = doc! { "$group": { "_id": null, "r": accumulator } };
        run(&events, [doc! { "$sort": { "_id": 1 } }, group]).map(|mut found| found.remove(0).remove("r").unwrap())
    };
    let cases = [
        (doc! { "$setUnion": "$a" }, Bson::from(vec![1, 2, 3])),
        (doc! { "$concatArrays": "$a" }, Bson::from(vec![1, 2, 2, 3])),
        (doc! { "$concatArrays": "$nope" }, Bson::Array(vec![])),
        (doc! { "$top": { "sortBy": { "x": 1 }, "output": "$y" } }, "q".into()),
        (doc! { "$bottom": { "sortBy": { "x": 1 }, "output": "$y" } }, "p".into()),
        (doc! { "$topN": { "sortBy": { "x": -1 }, "output": "$y", "n": 2 } }, Bson::from(vec!["p", "r"])),
        (doc! { "$bottomN": { "sortBy": { "x": -1 }, "output": "$y", "n": 2 } }, Bson::from(vec!["r", "q"])),
        (doc! { "$bottomN": { "sortBy": { "x": -1 }, "output": "$a", "n": 1 } }, bson::bson!([[2, 3]])),
        (doc! { "$firstN": { "input": "$x", "n": 2 } }, Bson::from(vec![5, 1])),
        (doc! { "$lastN": { "input": "$x", "n": 2 } }, Bson::from(vec![1, 3])),
        (doc! { "$minN": { "input": "$x", "n": 2 } }, Bson::from(vec![1, 3])),
        (doc! { "$maxN": { "input": "$x", "n": 2 } }, Bson::from(vec![5, 3])),
        (doc! { "$median": { "input": "$x", "method": "approximate" } }, Bson::from(3.0)),
        (
            doc! { "$percentile": { "input": "$x", "p": [0.0, 0.5, 1], "method": "approximate" } },
            Bson::from(vec![1.0, 3.0, 5.0]),
        ),
        // What the original makes of the smallest and the greatest value.
        (doc! { "$last": Bson::MinKey }, doc! { "": Bson::MinKey }.into()),
        (doc! { "$addToSet": Bson::MaxKey }, Bson::Array(vec![doc! { "": Bson::MaxKey }.into()])),
    ];
    for (accumulator, expected) in cases {
        assert_eq!(one(accumulator.clone()).unwrap(), expected, "{accumulator}");
    }
    let mistakes = [
        (doc! { "$setUnion": "$x" }, 14),
        (doc! { "$concatArrays": null }, 14),
        (doc! { "$add": [1, 2] }, 40_237),
        (doc! { "$nope": 1 }, 15_952),
        (doc! {}, 40_234),
        (doc! { "": 1 }, 40_234),
        (doc! { "$sum": 1, "$avg": 1 }, 40_238),
        (doc! { "$topN": { "sortBy": { "x": 1 }, "output": "$x" } }, 5_788_003),
        (doc! { "$firstN": { "input": "$x" } }, 5_787_906),
        (doc! { "$percentile": { "input": "$x", "p": [2], "method": "approximate" } }, 7_750_303),
        (doc! { "$sum": { "$divide": ["$x", 0] } }, 4_848_401),
        (doc! { "$max": { "$mod": ["$x", 0] } }, 4_848_403),
    ];
    for (accumulator, number) in mistakes {
        assert_eq!(code(one(accumulator.clone())), Some(number), "{accumulator}");
    }
}

#[test]
fn merge_puts_each_document_where_it_belongs() {
    let merged = |options: Document| {
        let (store, events) = filled([doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }]);
        let target = store.collection::<Document>("target");
        target.insert_one(&doc! { "_id": 1, "old": true }).unwrap();
        let mut merge = doc! { "into": "target" };
        merge.extend(options);
        let count = events.aggregate_out([doc! { "$sort": { "_id": 1 } }, doc! { "$merge": merge }])?;
        assert_eq!(count, 2);
        target.find(doc! {}).sort(doc! { "_id": 1 }).to_vec()
    };
    let new = doc! { "_id": 2, "n": 2 };
    let cases = [
        (doc! {}, vec![doc! { "_id": 1, "old": true, "n": 1 }, new.clone()]),
        (doc! { "whenMatched": "replace" }, vec![doc! { "_id": 1, "n": 1 }, new.clone()]),
        (doc! { "whenMatched": "keepExisting" }, vec![doc! { "_id": 1, "old": true }, new.clone()]),
        (doc! { "whenNotMatched": "discard" }, vec![doc! { "_id": 1, "old": true, "n": 1 }]),
        (
            doc! { "whenMatched": [{ "$set": { "sum": { "$add": ["$$new.n", "$$more"] } } }], "let": { "more": "$n" } },
            vec![doc! { "_id": 1, "old": true, "sum": 2 }, new],
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(merged(options.clone()).unwrap(), expected, "{options}");
    }
    let mistakes = [
        (doc! { "whenMatched": "fail" }, 11_000),
        (doc! { "whenNotMatched": "fail" }, 13_113),
        (doc! { "whenMatched": "fail", "whenNotMatched": "discard" }, 51_181),
        (doc! { "on": "n" }, 51_183),
        (doc! { "on": [] }, 51_187),
        (doc! { "on": ["a", "a"] }, 31_465),
        (doc! { "on": 1 }, 51_186),
        (doc! { "into": 1 }, 51_178),
        (doc! { "into": "" }, 5_786_800),
        (doc! { "into": { "db": "x" } }, 5_786_801),
        (doc! { "whenMatched": 1 }, 51_191),
        (doc! { "let": { "a": 1 } }, 51_199),
        (doc! { "whenMatched": [], "let": { "new": 1 } }, 51_273),
        (doc! { "nope": 1 }, 40_415),
    ];
    for (options, number) in mistakes {
        assert_eq!(code(merged(options.clone())), Some(number), "{options}");
    }
}

#[test]
fn merge_goes_by_fields_with_a_unique_index() {
    let (store, events) = filled([doc! { "_id": 1, "k": 7, "n": 1 }]);
    let target = store.collection::<Document>("target");
    target.create_index_with(doc! { "k": 1 }, IndexOptions::default().unique(true)).unwrap();
    target.insert_one(&doc! { "_id": 9, "k": 7 }).unwrap();
    let merge = |stages: Vec<Document>| {
        let merge = doc! { "$merge": { "into": "target", "on": "k", "whenMatched": "merge" } };
        events.aggregate_out(stages.into_iter().chain([merge]))
    };
    merge(vec![doc! { "$unset": "_id" }]).unwrap();
    assert_eq!(target.find(doc! {}).to_vec().unwrap(), [doc! { "_id": 9, "k": 7, "n": 1 }]);
    assert_eq!(code(merge(vec![doc! { "$unset": "k" }])), Some(51_132));
    assert_eq!(code(merge(vec![doc! { "$set": { "k": [1] } }])), Some(51_185));
    assert!(matches!(events.aggregate([doc! { "$merge": "target" }]), Err(Error::Unsupported { .. })));
}

#[test]
fn graph_lookup_reaches_each_document_once() {
    let (_store, people) = filled([
        doc! { "_id": 1, "name": "a", "boss": ["b", "c"] },
        doc! { "_id": 2, "name": "b", "boss": "d" },
        doc! { "_id": 3, "name": "c", "boss": "d" },
        doc! { "_id": 4, "name": "d", "boss": "a" },
    ]);
    let reached = |options: Document| {
        let mut graph = doc! {
            "from": "events", "startWith": "$boss", "connectFromField": "boss", "connectToField": "name", "as": "r",
        };
        graph.extend(options);
        let stages = [doc! { "$match": { "_id": 1 } }, doc! { "$graphLookup": graph }];
        run(&people, stages).map(|mut found| {
            let found = found.remove(0).remove("r").unwrap();
            let mut found: Vec<_> =
                found.as_array().unwrap().iter().map(|one| one.as_document().unwrap().clone()).collect();
            found.sort_by_key(|one| one.get_i32("_id").unwrap());
            found.into_iter().map(|one| (one.get_i32("_id").unwrap(), one.get("d").cloned())).collect::<Vec<_>>()
        })
    };
    let step = |step: i64| Some(Bson::Int64(step));
    assert_eq!(reached(doc! {}).unwrap(), [(1, None), (2, None), (3, None), (4, None)]);
    assert_eq!(reached(doc! { "depthField": "d", "maxDepth": 1 }).unwrap(), [(2, step(0)), (3, step(0)), (4, step(1))]);
    assert_eq!(
        reached(doc! { "restrictSearchWithMatch": { "name": { "$ne": "c" } }, "maxDepth": 0 }).unwrap(),
        [(2, None)]
    );
    let mistakes = [
        (doc! { "maxDepth": "x" }, 40_100),
        (doc! { "maxDepth": -1 }, 40_101),
        (doc! { "maxDepth": 1.5 }, 40_102),
        (doc! { "connectToField": 1 }, 40_103),
        (doc! { "nope": 1 }, 40_104),
    ];
    for (options, number) in mistakes {
        assert_eq!(code(reached(options.clone())), Some(number), "{options}");
    }
}

/// Of 1, 2 and 5 with 10, 20 and 40.
const COVARIANCE: f64 = 190.0 / 9.0;

fn windowed(collection: &Collection<Document>, sort: Document, function: Document) -> Result<Vec<Bson>> {
    let stage = doc! { "$setWindowFields": { "partitionBy": "$p", "sortBy": sort, "output": { "r": function } } };
    let found = run(collection, [stage, doc! { "$sort": { "_id": 1 } }])?;
    Ok(found.into_iter().map(|mut row| row.remove("r").unwrap_or(Bson::Undefined)).collect())
}

#[test]
fn windows_by_documents_ranges_and_times() {
    let day = |day: i64| bson::DateTime::from_millis(day * 86_400_000);
    let (_store, rows) = filled([
        doc! { "_id": 1, "p": 1, "n": 1, "v": 10, "t": day(1) },
        doc! { "_id": 2, "p": 1, "n": 2, "v": 20, "t": day(2) },
        doc! { "_id": 3, "p": 1, "n": 2, "v": null, "t": day(4) },
        doc! { "_id": 4, "p": 1, "n": 5, "v": 40, "t": day(40) },
        doc! { "_id": 5, "p": 2, "n": 1, "v": 1, "t": day(1) },
    ]);
    let by_n = |function| windowed(&rows, doc! { "n": 1 }, function).unwrap();
    let null = Bson::Null;
    let cases: Vec<(Document, Vec<Bson>)> = vec![
        (doc! { "$sum": "$v" }, vec![70.into(), 70.into(), 70.into(), 70.into(), 1.into()]),
        (
            doc! { "$sum": "$v", "window": { "documents": ["unbounded", "current"] } },
            vec![10.into(), 30.into(), 30.into(), 70.into(), 1.into()],
        ),
        (
            doc! { "$push": "$v", "window": { "documents": [-1, 0] } },
            vec![
                bson::bson!([10]),
                bson::bson!([10, 20]),
                bson::bson!([20, null]),
                bson::bson!([null, 40]),
                bson::bson!([1]),
            ],
        ),
        (
            doc! { "$count": {}, "window": { "documents": [1, 2] } },
            vec![2.into(), 2.into(), 1.into(), 0.into(), 0.into()],
        ),
        (
            doc! { "$sum": "$v", "window": { "range": [-1, 0] } },
            vec![10.into(), 30.into(), 30.into(), 40.into(), 1.into()],
        ),
        (doc! { "$rank": {} }, vec![1.into(), 2.into(), 2.into(), 4.into(), 1.into()]),
        (doc! { "$denseRank": {} }, vec![1.into(), 2.into(), 2.into(), 3.into(), 1.into()]),
        (doc! { "$documentNumber": {} }, vec![1.into(), 2.into(), 3.into(), 4.into(), 1.into()]),
        (
            doc! { "$shift": { "output": "$v", "by": -1, "default": "none" } },
            vec!["none".into(), 10.into(), 20.into(), null.clone(), "none".into()],
        ),
        (doc! { "$locf": "$v" }, vec![10.into(), 20.into(), 20.into(), 40.into(), 1.into()]),
        (doc! { "$linearFill": "$v" }, vec![10.into(), 20.into(), 20.0.into(), 40.into(), 1.into()]),
        (
            doc! { "$expMovingAvg": { "input": "$v", "alpha": 0.5 } },
            vec![10.0.into(), 15.0.into(), 15.0.into(), 27.5.into(), 1.0.into()],
        ),
        (
            doc! { "$derivative": { "input": "$v" }, "window": { "documents": [-1, 0] } },
            vec![null.clone(), 10.0.into(), null.clone(), null.clone(), null.clone()],
        ),
        (
            doc! { "$integral": { "input": "$v" }, "window": { "documents": ["unbounded", "current"] } },
            vec![0.0.into(), 15.0.into(), 15.0.into(), 105.0.into(), 0.0.into()],
        ),
        (
            doc! { "$covariancePop": ["$n", "$v"] },
            vec![COVARIANCE.into(), COVARIANCE.into(), COVARIANCE.into(), COVARIANCE.into(), 0.0.into()],
        ),
    ];
    for (function, expected) in cases {
        let found = by_n(function.clone());
        let close = |(found, expected): (&Bson, &Bson)| match (found, expected) {
            (Bson::Double(found), Bson::Double(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        assert!(found.iter().zip(&expected).all(close) && found.len() == expected.len(), "{function}: {found:?}");
    }
    let by_time = doc! { "$sum": "$v", "window": { "range": [-1, 0], "unit": "month" } };
    let expected: Vec<Bson> = vec![10.into(), 30.into(), 30.into(), 40.into(), 1.into()];
    assert_eq!(windowed(&rows, doc! { "t": 1 }, by_time).unwrap(), expected);
}

#[test]
fn what_is_wrong_with_a_window_is_said() {
    let (_store, rows) = filled([doc! { "_id": 1, "n": "text" }]);
    let mistakes = [
        (doc! { "$rank": 1 }, 5_371_603),
        (doc! { "$rank": {}, "window": { "documents": [0, 0] } }, 5_371_601),
        (doc! { "$nope": 1 }, 9),
        (doc! { "$sum": 1, "window": { "documents": [1, 0] } }, 5_339_900),
        (doc! { "$sum": 1, "window": { "range": [-1, 0] } }, 5_429_413),
        (doc! { "$sum": 1, "window": { "range": [-1, 0], "unit": "day" } }, 5_429_513),
        (doc! { "$sum": 1, "window": 1 }, 9),
    ];
    for (function, number) in mistakes {
        assert_eq!(code(windowed(&rows, doc! { "n": 1 }, function.clone())), Some(number), "{function}");
    }
    let unsorted = doc! { "$setWindowFields": { "output": { "r": { "$sum": 1, "window": { "documents": [0, 1] } } } } };
    assert_eq!(code(run(&rows, [unsorted])), Some(5_339_901));
    let ranked = doc! { "$setWindowFields": { "output": { "r": { "$rank": {} } } } };
    assert_eq!(code(run(&rows, [ranked])), Some(5_371_602));
}

// SEM: DOC-AGG-9
#[test]
fn lookup_says_what_is_wrong_and_takes_an_empty_array_for_null() {
    let (store, rows) = filled([doc! { "_id": 1, "l": [], "m": ["x"] }]);
    store.collection::<Document>("other").insert_many([doc! { "_id": 1, "f": null }, doc! { "_id": 2 }]).unwrap();
    for path in ["l", "m.7", "nope"] {
        let lookup = doc! { "from": "other", "localField": path, "foreignField": "f", "as": "r" };
        let found = run(&rows, [doc! { "$lookup": lookup }]).unwrap();
        assert_eq!(found[0].get_array("r").unwrap().len(), 2, "{path}");
    }
    let mistakes = [
        (doc! { "localField": 1 }, 14),
        (doc! { "let": 1 }, 14),
        (doc! { "pipeline": 1 }, 14),
        (doc! { "nope": 1 }, 40_415),
        (doc! { "from": { "db": "x", "coll": "y" } }, 9),
        (doc! { "from": { "x": 1 } }, 40_415),
        (doc! { "from": { "db": 1, "coll": "y" } }, 14),
        (doc! { "from": ".x" }, 73),
        (doc! { "let": { "": 1 }, "pipeline": [] }, 9),
        (doc! { "pipeline": [{ "$documents": [] }] }, 73),
    ];
    for (options, number) in mistakes {
        let mut lookup = doc! { "from": "other", "localField": "l", "foreignField": "f", "as": "r" };
        lookup.extend(options.clone());
        assert_eq!(code(run(&rows, [doc! { "$lookup": lookup }])), Some(number), "{options}");
    }
}

#[test]
fn pipelines_have_variables_and_end_when_their_time_is_over() {
    use std::time::Duration;

    use crate::document::AggregateOptions;
    let (_store, events) = filled((0..10).map(|n| doc! { "_id": n }));
    let run =
        |stages: Vec<Document>, options| -> Result<Vec<Document>> { events.aggregate_with(stages, options)?.collect() };
    let least = AggregateOptions::default().let_vars(doc! { "least": { "$add": [3, 4] } });
    let stages =
        vec![doc! { "$match": { "$expr": { "$gt": ["$_id", "$$least"] } } }, doc! { "$set": { "least": "$$least" } }];
    assert_eq!(run(stages, least).unwrap(), [doc! { "_id": 8, "least": 7 }, doc! { "_id": 9, "least": 7 }]);
    for stage in [
        doc! { "$match": { "_id": { "$gte": 0 } } },
        doc! { "$set": { "x": 1 } },
        doc! { "$group": { "_id": null } },
        doc! { "$sort": { "x": 1 } },
        doc! { "$setWindowFields": { "output": { "n": { "$sum": 1 } } } },
    ] {
        let over = AggregateOptions::default().max_time(Duration::ZERO);
        assert_eq!(code(run(vec![stage.clone()], over)), Some(50), "{stage}");
        let long = AggregateOptions::default().max_time(Duration::from_mins(10));
        assert!(run(vec![stage], long).is_ok());
    }
}

#[test]
fn buckets_of_about_the_same_size() {
    let (_store, events) =
        filled((0..).zip([1, 2, 2, 2, 5, 6, 7]).map(|(id, n): (i32, i32)| doc! { "_id": id, "n": n }));
    let buckets = |options: Document| {
        let mut stage = doc! { "groupBy": "$n", "buckets": 3 };
        stage.extend(options);
        run(&events, [doc! { "$bucketAuto": stage }])
    };
    let bucket = |min: i32, max: i32, count: i32| doc! { "_id": { "min": min, "max": max }, "count": count };
    assert_eq!(buckets(doc! {}).unwrap(), [bucket(1, 5, 4), bucket(5, 7, 2), bucket(7, 7, 1)]);
    assert_eq!(buckets(doc! { "buckets": 1 }).unwrap(), [bucket(1, 7, 7)]);
    let summed = buckets(doc! { "buckets": 1.0, "output": { "sum": { "$sum": "$n" } } }).unwrap();
    assert_eq!(summed, [doc! { "_id": { "min": 1, "max": 7 }, "sum": 25 }]);
    let mistakes = [
        (doc! { "groupBy": 1 }, 40_239),
        (doc! { "buckets": "x" }, 40_241),
        (doc! { "buckets": 1.5 }, 40_242),
        (doc! { "buckets": 0 }, 40_243),
        (doc! { "output": 1 }, 40_244),
        (doc! { "nope": 1 }, 40_245),
        (doc! { "output": { "x": 1 } }, 40_234),
    ];
    for (options, number) in mistakes {
        assert_eq!(code(buckets(options.clone())), Some(number), "{options}");
    }
}
