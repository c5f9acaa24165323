//! Explanations.

use bson::{Document, doc};

use super::Door;

fn door() -> Door {
    let door = Door::open();
    door.done(doc! { "createIndexes": "c", "indexes": [{ "key": { "x": 1 }, "name": "x_1" }] });
    let documents: Vec<_> = (0..10).map(|n| doc! { "_id": n, "x": n % 5 }).collect();
    door.done(doc! { "insert": "c", "documents": documents });
    door
}

fn stage(explained: &Document) -> &str {
    let planner = explained.get_document("queryPlanner").unwrap_or_else(|_| panic!("{explained}"));
    planner.get_document("winningPlan").unwrap().get_str("stage").unwrap()
}

#[test]
fn every_command_that_finds_something_is_explained_and_writes_nothing() {
    let door = door();
    let updates = [doc! { "q": { "x": 1 }, "u": { "$set": { "y": 1 } }, "multi": true }];
    for (command, expected, returned) in [
        (doc! { "find": "c", "filter": { "x": 1 } }, "FETCH", 2),
        (doc! { "count": "c", "query": { "x": 1 } }, "COUNT", 2),
        (doc! { "distinct": "c", "key": "x", "query": { "x": 1 } }, "FETCH", 2),
        (doc! { "update": "c", "updates": updates.to_vec() }, "UPDATE", 2),
        (doc! { "delete": "c", "deletes": [{ "q": { "x": 1 }, "limit": 1 }] }, "DELETE", 1),
        (doc! { "findAndModify": "c", "query": { "x": 1 }, "remove": true }, "DELETE", 1),
        (doc! { "aggregate": "c", "pipeline": [{ "$match": { "x": 1 } }], "cursor": {} }, "FETCH", 2),
    ] {
        let plan = door.done(doc! { "explain": command.clone(), "verbosity": "queryPlanner" });
        assert_eq!(stage(&plan), expected, "{plan}");
        assert!(!plan.contains_key("executionStats") && plan.contains_key("serverInfo"));
        for verbosity in ["executionStats", "allPlansExecution"] {
            let explained = door.done(doc! { "explain": command.clone(), "verbosity": verbosity });
            let stats = explained.get_document("executionStats").unwrap();
            assert_eq!(stats.get_i64("nReturned").ok(), Some(returned), "{stats}");
            assert!(stats.get_document("executionStages").is_ok());
        }
    }
    assert_eq!(door.done(doc! { "count": "c", "query": { "y": { "$exists": false } } }).get_i32("n").ok(), Some(10));
}

#[test]
fn a_pipeline_is_explained_by_what_the_planner_does_and_the_rest() {
    let door = door();
    let stages = [doc! { "$match": { "x": 1 } }, doc! { "$group": { "_id": "$x" } }];
    let pipeline = || doc! { "aggregate": "c", "pipeline": stages.to_vec(), "cursor": {} };
    let explained = door.done(doc! { "explain": pipeline(), "verbosity": "executionStats" });
    let shown = explained.get_array("stages").unwrap();
    let head = shown[0].as_document().unwrap().get_document("$cursor").unwrap();
    assert_eq!(stage(head), "FETCH");
    assert_eq!(head.get_document("executionStats").unwrap().get_i64("totalDocsExamined").ok(), Some(2));
    assert_eq!(shown[1].as_document().unwrap().get_i64("nReturned").ok(), Some(1));
    let mut within = pipeline();
    within.insert("explain", true);
    assert!(door.done(within).get_array("stages").is_ok());
    let out = doc! { "aggregate": "c", "pipeline": [{ "$out": "other" }], "explain": true };
    assert!(door.done(out).get_array("stages").is_ok());
    assert_eq!(door.done(doc! { "count": "other" }).get_i32("n").ok(), Some(0), "nothing is written");
    let of_none = doc! { "aggregate": 1, "pipeline": [{ "$documents": [] }], "explain": true };
    assert!(door.done(of_none).get_array("stages").is_ok());
    let strict = doc! { "aggregate": "c", "pipeline": [], "explain": 1 };
    assert_eq!(door.code(strict), 14);
}

#[test]
fn queries_that_differ_in_values_alone_have_one_shape() {
    let door = door();
    let hash = |filter: Document| {
        let explained = door.done(doc! { "explain": { "find": "c", "filter": filter }, "verbosity": "queryPlanner" });
        explained.get_str("queryShapeHash").unwrap().to_owned()
    };
    assert_eq!(hash(doc! { "x": 1 }), hash(doc! { "x": 2 }));
    assert_ne!(hash(doc! { "x": 1 }), hash(doc! { "y": 1 }));
    assert_ne!(hash(doc! { "x": 1 }), hash(doc! { "x": "a" }));
    assert_eq!(hash(doc! {}).len(), 64);
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let door = door();
    let code = |command: Document| door.code(doc! { "explain": command });
    assert_eq!((code(doc! { "ping": 1 }), code(doc! { "nosuch": 1 }), code(doc! {})), (20, 59, 59));
    assert_eq!(code(doc! { "find": "c", "filter": { "$nosuch": 1 } }), 2);
    assert_eq!(code(doc! { "update": "c", "updates": [] }), 16);
    assert_eq!(door.code(doc! { "explain": { "find": "c" }, "verbosity": "much" }), 2);
    assert_eq!(door.code(doc! { "explain": 1 }), 14);
}
