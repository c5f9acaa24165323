//! Queries, pipelines and cursors.

use bson::{Bson, Decimal128, doc};

use super::{Door, batch, cursor_id};

fn with_numbers(count: i32) -> Door {
    let door = Door::open();
    let documents: Vec<_> = (0..count).map(|n| doc! { "_id": n, "x": n % 3 }).collect();
    door.done(doc! { "insert": "c", "documents": documents });
    door
}

#[test]
fn a_hint_is_a_name_or_keys_and_an_index() {
    let door = with_numbers(6);
    door.done(doc! { "createIndexes": "c", "indexes": [{ "key": { "x": 1 }, "name": "x_1" }] });
    for hint in [Bson::from("x_1"), doc! { "x": 1 }.into(), doc! { "$natural": -1 }.into(), doc! {}.into()] {
        assert_eq!(door.done(doc! { "count": "c", "hint": hint.clone() }).get_i32("n").ok(), Some(6), "{hint}");
        assert_eq!(batch(&door.done(doc! { "find": "c", "hint": hint.clone() })).len(), 6);
        let cursor = doc! {};
        assert_eq!(
            batch(&door.done(doc! { "aggregate": "c", "pipeline": [], "cursor": cursor, "hint": hint })).len(),
            6
        );
    }
    for hint in [Bson::Null, 1.into(), true.into(), Bson::Array(vec![])] {
        assert_eq!(door.code(doc! { "count": "c", "hint": hint.clone() }), 9, "{hint}");
        assert_eq!(door.code(doc! { "find": "c", "hint": hint.clone() }), 9);
        assert_eq!(door.code(doc! { "distinct": "c", "key": "x", "hint": hint.clone() }), 9);
        let updates = doc! { "q": {}, "u": { "$set": { "a": 1 } }, "hint": hint };
        assert_eq!(door.code(doc! { "update": "c", "updates": [updates] }), 9);
    }
    assert_eq!(door.code(doc! { "count": "c", "hint": "nosuch" }), 2);
    assert_eq!(door.code(doc! { "count": "c", "hint": { "$natural": 1, "x": 1 } }), 2);
}

#[test]
fn a_limit_of_a_count_is_whole() {
    let door = with_numbers(6);
    let count = |limit: Bson| door.done(doc! { "count": "c", "limit": limit }).get_i32("n").unwrap();
    let decimal = |text: &str| Bson::Decimal128(text.parse::<Decimal128>().unwrap());
    assert_eq!((count(4.into()), count((-4).into()), count(decimal("30E-1")), count(0.into())), (4, 4, 3, 6));
    for limit in [Bson::Null, i64::MIN.into(), "4".into()] {
        assert_eq!(door.code(doc! { "count": "c", "limit": limit.clone() }), 2, "{limit}");
    }
    for limit in [1.5.into(), f64::NAN.into(), f64::INFINITY.into(), decimal("1.5"), decimal("1E30")] {
        assert_eq!(door.code(doc! { "count": "c", "limit": limit.clone() }), 9, "{limit}");
    }
    assert_eq!(door.done(doc! { "count": "c", "query": { "x": 0 }, "skip": 1 }).get_i32("n").ok(), Some(1));
}

#[test]
fn a_batch_size_is_cut_off_or_rounded() {
    let door = with_numbers(6);
    let first = |size: Bson| {
        batch(&door.done(doc! { "aggregate": "c", "pipeline": [], "cursor": { "batchSize": size } })).len()
    };
    let decimal = |text: &str| Bson::Decimal128(text.parse::<Decimal128>().unwrap());
    assert_eq!((first(1.5.into()), first(decimal("1.5")), first(decimal("2.5")), first((-0.9).into())), (1, 2, 2, 0));
    assert_eq!(first(Bson::Null), 6);
    let code = |cursor: Bson| door.code(doc! { "aggregate": "c", "pipeline": [], "cursor": cursor });
    assert_eq!((code(doc! { "batchSize": -1 }.into()), code(doc! { "x": 1 }.into()), code(Bson::Null)), (2, 40415, 14));
}

#[test]
fn variables_are_known_in_all_stages() {
    let door = with_numbers(6);
    let stages =
        [doc! { "$match": { "$expr": { "$eq": ["$_id", "$$wanted"] } } }, doc! { "$set": { "w": "$$wanted" } }];
    let found = door.done(doc! { "aggregate": "c", "pipeline": stages, "cursor": {}, "let": { "wanted": 4 } });
    assert_eq!(batch(&found), [doc! { "_id": 4, "x": 1, "w": 4 }]);
    let stages = [doc! { "$documents": [{ "n": 1 }] }, doc! { "$set": { "w": "$$wanted" } }];
    let found = door.done(doc! { "aggregate": 1, "pipeline": stages, "cursor": {}, "let": { "wanted": 4 } });
    assert_eq!(batch(&found), [doc! { "n": 1, "w": 4 }]);
}

#[test]
fn a_cursor_belongs_to_its_session_and_its_collection() {
    let door = with_numbers(6);
    let session = |byte: u8| doc! { "id": bson::Uuid::from_bytes([byte; 16]) };
    let id = cursor_id(&door.done(doc! { "find": "c", "batchSize": 2, "lsid": session(1) }));
    assert_eq!(door.code(doc! { "getMore": id, "collection": "c", "lsid": session(2) }), 50738);
    assert_eq!(door.code(doc! { "getMore": id, "collection": "c" }), 50738);
    assert_eq!(door.code(doc! { "getMore": id, "collection": "other", "lsid": session(1) }), 13);
    assert_eq!(door.code(doc! { "getMore": id, "collection": "c", "batchSize": -1, "lsid": session(1) }), 2);
    let more = door.done(doc! { "getMore": id, "collection": "c", "lsid": session(1) });
    assert_eq!((batch(&more).len(), cursor_id(&more)), (4, 0));
    assert_eq!(door.code(doc! { "getMore": id, "collection": "c", "lsid": session(1) }), 43);
    assert_eq!(door.code(doc! { "getMore": Bson::Null, "collection": "c" }), 40414);
}

/// `maxTimeMS` counts for a query and all of its batches.
#[test]
fn a_query_has_its_time_for_all_of_its_batches() {
    let door = Door::open_for_tests();
    let documents: Vec<_> = (0..6).map(|n| doc! { "_id": n }).collect();
    door.done(doc! { "insert": "c", "documents": documents });
    let timed = doc! { "find": "c", "batchSize": 2, "maxTimeMS": 100_000 };
    let (one, two) = (cursor_id(&door.done(timed.clone())), cursor_id(&door.done(timed)));
    let untimed = cursor_id(&door.done(doc! { "find": "c", "batchSize": 2 }));
    let more = |id: i64| doc! { "getMore": id, "collection": "c" };
    assert_eq!(batch(&door.done(more(one))).len(), 4);
    let set = |mode: &str| doc! { "configureFailPoint": "maxTimeAlwaysTimeOut", "mode": mode };
    door.send_to("admin", set("alwaysOn"));
    assert_eq!((door.code(more(two)), door.code(more(two))), (50, 43), "the cursor has ended");
    assert_eq!(batch(&door.done(more(untimed))).len(), 4, "it has as long as it takes");
    door.send_to("admin", set("off"));
    let id = cursor_id(&door.done(doc! { "find": "c", "batchSize": 2 }));
    let with_time = doc! { "getMore": id, "collection": "c", "maxTimeMS": 5 };
    assert_eq!(door.code(with_time), 2, "only a cursor that waits takes a time");
    assert_eq!(batch(&door.done(more(id))).len(), 4, "and is open still");
}

#[test]
fn cursors_are_killed_whatever_collection_is_named_and_none_after_a_mistake() {
    let door = with_numbers(6);
    let open = || cursor_id(&door.done(doc! { "find": "c", "batchSize": 2 }));
    let (one, two) = (open(), open());
    assert_eq!(door.code(doc! { "killCursors": "c", "cursors": [one, "bad"] }), 14);
    let killed = door.done(doc! { "killCursors": "other", "cursors": [one, 7_i64] });
    assert_eq!(killed.get_array("cursorsKilled").unwrap(), &vec![Bson::from(one)]);
    assert_eq!(killed.get_array("cursorsNotFound").unwrap(), &vec![Bson::from(7_i64)]);
    assert_eq!(batch(&door.done(doc! { "getMore": two, "collection": "c" })).len(), 4);
}

#[test]
fn lists_come_in_batches_too() {
    let door = with_numbers(1);
    door.done(doc! { "createIndexes": "c", "indexes": [{ "key": { "x": 1 }, "name": "x_1" }] });
    door.done(doc! { "insert": "d", "documents": [{}] });
    for (list, name) in [(doc! { "listCollections": 1 }, "$cmd.listCollections"), (doc! { "listIndexes": "c" }, "c")] {
        let mut first = list.clone();
        first.insert("cursor", doc! { "batchSize": 1 });
        let reply = door.done(first.clone());
        assert_eq!(batch(&reply).len(), 1);
        let more = door.done(doc! { "getMore": cursor_id(&reply), "collection": name });
        assert_eq!((batch(&more).len(), cursor_id(&more)), (1, 0));
        let id = cursor_id(&door.done(first));
        let killed = door.done(doc! { "killCursors": name, "cursors": [id] });
        assert_eq!(killed.get_array("cursorsKilled").unwrap(), &vec![Bson::from(id)]);
    }
}

#[test]
fn a_record_has_a_number() {
    let found = with_numbers(2).done(doc! { "find": "c", "showRecordId": true, "projection": { "x": 1, "_id": 0 } });
    assert_eq!(batch(&found)[1], doc! { "x": 1, "$recordId": 2_i64 });
}

#[test]
fn bounds_of_keys_and_keys_are_taken_and_explained() {
    let door = with_numbers(6);
    door.done(doc! { "createIndexes": "c", "indexes": [{ "key": { "x": 1, "_id": -1 }, "name": "i" }] });
    let query =
        doc! { "find": "c", "hint": "i", "min": { "x": 1, "_id": 2 }, "max": { "x": 2, "_id": 5 }, "returnKey": true };
    assert_eq!(batch(&door.done(query.clone())), [doc! { "x": 1, "_id": 1 }]);
    let explained = door.done(doc! { "explain": query, "verbosity": "queryPlanner" });
    let plan = explained.get_document("queryPlanner").unwrap().get_document("winningPlan").unwrap();
    let bounds = plan.get_document("inputStage").unwrap().get_document("indexBounds").unwrap();
    assert_eq!(bounds.get_document("endKey").unwrap(), &doc! { "x": 2, "_id": 5 });
    assert_eq!(door.code(doc! { "find": "c", "min": { "x": 1 } }), 291);
    assert_eq!(door.code(doc! { "find": "c", "hint": "i", "min": { "x": 1 } }), 51_174);
    assert_eq!(door.code(doc! { "find": "c", "hint": "i", "min": 1 }), 14);
    assert_eq!(batch(&door.done(doc! { "find": "c", "min": {}, "max": {}, "returnKey": false })).len(), 6);
}

#[test]
fn a_query_that_has_no_time_ends() {
    let door = with_numbers(5_000);
    let slow = doc! { "$expr": { "$gt": [{ "$reduce": {
        "input": { "$range": [0, 5_000] }, "initialValue": 0, "in": { "$add": ["$$value", "$$this"] },
    } }, -1] } };
    assert_eq!(door.code(doc! { "find": "c", "filter": slow, "maxTimeMS": 1 }), 50);
    assert_eq!(batch(&door.done(doc! { "find": "c", "limit": 1, "maxTimeMS": 60_000 })).len(), 1);
}
