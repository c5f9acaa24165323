//! Inserts, updates, removals.

use bson::{Bson, Document, doc};

use super::{Door, batch};

#[test]
fn each_write_is_made_or_refused_for_itself() {
    let door = Door::open();
    let documents = [doc! { "_id": 1 }, doc! { "_id": 1 }, doc! { "_id": 2 }];
    let ordered = door.done(doc! { "insert": "c", "documents": documents.to_vec() });
    assert_eq!(ordered.get_i32("n").ok(), Some(1));
    let error = ordered.get_array("writeErrors").unwrap()[0].as_document().unwrap();
    assert_eq!((error.get_i32("index").ok(), error.get_i32("code").ok()), (Some(1), Some(11000)));
    assert_eq!(error.get_document("keyValue").ok(), Some(&doc! { "_id": 1 }));
    let unordered = door.done(doc! { "insert": "c", "documents": documents.to_vec(), "ordered": false });
    assert_eq!((unordered.get_i32("n").ok(), unordered.get_array("writeErrors").unwrap().len()), (Some(1), 2));
}

#[test]
fn more_writes_than_a_commit_has_room_for_are_several() {
    let door = Door::open();
    let before = door.0.0.store.stats().unwrap().commit.0;
    let documents: Vec<_> = (0..30_000).map(|n| doc! { "_id": n, "n": 0 }).collect();
    assert_eq!(door.done(doc! { "insert": "c", "documents": documents }).get_i32("n").ok(), Some(30_000));
    let many = doc! { "q": {}, "u": { "$inc": { "n": 1 } }, "multi": true };
    let done = door.done(doc! { "update": "c", "updates": [many] });
    assert_eq!((done.get_i32("n").ok(), done.get_i32("nModified").ok()), (Some(30_000), Some(30_000)));
    let done = door.done(doc! { "delete": "c", "deletes": [{ "q": {}, "limit": 0 }] });
    assert_eq!(done.get_i32("n").ok(), Some(30_000));
    let commits = door.0.0.store.stats().unwrap().commit.0 - before;
    assert!(commits > 10, "{commits} commits, between which others write");
}

#[test]
fn an_update_has_a_sort_constants_and_an_upsert() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1, "n": 1 }, { "_id": 2, "n": 2 }] });
    let statement = doc! { "q": {}, "u": [{ "$set": { "c": "$$add" } }], "c": { "add": 5 }, "sort": { "n": -1 } };
    door.done(doc! { "update": "c", "updates": [statement] });
    assert_eq!(batch(&door.done(doc! { "find": "c", "filter": { "c": 5 } })), [doc! { "_id": 2, "n": 2, "c": 5 }]);
    let statement = doc! { "q": { "_id": 9 }, "u": { "$set": { "n": 9 } }, "upsert": true };
    let done = door.done(doc! { "update": "c", "updates": [statement] });
    assert_eq!(done.get_array("upserted").unwrap(), &vec![Bson::from(doc! { "index": 0, "_id": 9 })]);
    assert_eq!(door.code(doc! { "update": "c", "updates": [{ "q": {}, "u": "text" }] }), 9);
    assert_eq!(door.code(doc! { "update": "c", "updates": [{ "u": {} }] }), 40414);
    assert_eq!(door.code(doc! { "update": "c", "updates": [{ "q": {}, "u": {}, "nosuch": 1 }] }), 40415);
    assert_eq!(door.code(doc! { "update": "c", "updates": [{ "q": {}, "u": { "a": 1 }, "multi": true }] }), 9);
    assert_eq!(door.code(doc! { "update": "c", "updates": [] }), 16);
}

#[test]
fn a_removal_has_variables_and_one_of_two_limits() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1 }, { "_id": 2 }, { "_id": 3 }] });
    let filter = doc! { "$expr": { "$gt": ["$_id", "$$least"] } };
    let removal = doc! { "q": filter, "limit": 0 };
    let done = door.done(doc! { "delete": "c", "deletes": [removal], "let": { "least": 1 } });
    assert_eq!(done.get_i32("n").ok(), Some(2));
    assert_eq!(door.code(doc! { "delete": "c", "deletes": [{ "q": {}, "limit": 2 }] }), 9);
    assert_eq!(door.code(doc! { "delete": "c", "deletes": [{ "q": {} }] }), 40414);
}

#[test]
fn a_document_is_changed_and_returned() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1, "n": 1 }, { "_id": 2, "n": 2 }] });
    let change = doc! { "$inc": { "n": 10 } };
    let done = door.done(doc! {
        "findAndModify": "c", "query": { "$expr": { "$gt": ["$n", "$$least"] } }, "let": { "least": 0 },
        "sort": { "n": -1 }, "update": change.clone(), "new": true, "fields": { "n": 1, "_id": 0 },
    });
    assert_eq!(done.get_document("value").ok(), Some(&doc! { "n": 12 }));
    assert_eq!(done.get_document("lastErrorObject").ok(), Some(&doc! { "n": 1, "updatedExisting": true }));
    let upsert = doc! { "findAndModify": "c", "query": { "_id": 7 }, "update": change.clone(), "upsert": true };
    let done = door.done(upsert);
    assert_eq!(done.get("value"), Some(&Bson::Null));
    let expected = doc! { "n": 1, "updatedExisting": false, "upserted": 7 };
    assert_eq!(done.get_document("lastErrorObject").ok(), Some(&expected));
    let done = door.done(doc! { "findAndModify": "c", "remove": true, "sort": { "_id": -1 }, "hint": "_id_" });
    assert_eq!(done.get_document("value").ok(), Some(&doc! { "_id": 7, "n": 10 }));
    assert_eq!(door.code(doc! { "findAndModify": "c" }), 9);
    assert_eq!(door.code(doc! { "findAndModify": "c", "update": 1 }), 9);
    assert_eq!(door.code(doc! { "findAndModify": "c", "update": change, "remove": true }), 9);
}

#[test]
fn a_write_that_more_members_are_to_keep_is_made_and_says_that_they_are_not_there() {
    let door = Door::open();
    let done = door.done(doc! { "insert": "c", "documents": [{ "_id": 1 }], "writeConcern": { "w": 2 } });
    assert_eq!(done.get_document("writeConcernError").unwrap().get_i32("code").ok(), Some(100));
    let done = door.done(doc! { "aggregate": "c", "pipeline": [], "cursor": {}, "writeConcern": { "w": 2 } });
    assert!(!done.contains_key("writeConcernError"), "nothing is written");
    let out = [doc! { "$out": "other" }];
    let done =
        door.done(doc! { "aggregate": "c", "pipeline": out.to_vec(), "cursor": {}, "writeConcern": { "w": "near" } });
    assert_eq!(done.get_document("writeConcernError").unwrap().get_i32("code").ok(), Some(79));
    assert_eq!(door.done(doc! { "count": "other" }).get_i32("n").ok(), Some(1));
}

#[test]
fn a_bulk_write_goes_to_several_collections() {
    let door = Door::open();
    let send = |operations: Vec<bson::Document>, ordered: bool| {
        let targets = [doc! { "ns": "d.a" }, doc! { "ns": "e.b" }];
        let body = doc! { "bulkWrite": 1, "ops": operations, "nsInfo": targets.to_vec(), "ordered": ordered };
        door.send_to("admin", body)
    };
    let operations = || {
        vec![
            doc! { "insert": 0, "document": { "_id": 1 } },
            doc! { "insert": 1, "document": { "_id": 1 } },
            doc! { "insert": 1, "document": { "_id": 1 } },
            doc! { "update": 0, "filter": { "_id": 5 }, "updateMods": { "$set": { "n": 1 } }, "upsert": true },
            doc! { "delete": 0, "filter": {}, "multi": true },
        ]
    };
    let done = send(operations(), true);
    assert_eq!(
        (done.get_i32("nInserted").ok(), done.get_i32("nErrors").ok(), done.get_i32("nDeleted").ok()),
        (Some(2), Some(1), Some(0))
    );
    let replies = batch(&done);
    assert_eq!(replies.len(), 3);
    assert_eq!((replies[2].get_i32("idx").ok(), replies[2].get_i32("code").ok()), (Some(2), Some(11000)));
    let done = send(operations(), false);
    assert_eq!(
        (done.get_i32("nErrors").ok(), done.get_i32("nUpserted").ok(), done.get_i32("nDeleted").ok()),
        (Some(3), Some(1), Some(2))
    );
    let code = |operation| send(vec![operation], true).get_i32("code").unwrap();
    assert_eq!(code(doc! { "insert": 9, "document": {} }), 2);
    assert_eq!(code(doc! { "drop": 0 }), 9);
    assert_eq!(code(doc! { "insert": 0, "document": {}, "nosuch": 1 }), 40415);
}

#[test]
fn a_pipeline_on_a_database_can_write() {
    let door = Door::open();
    let run = |last: Document, more: Document| {
        let stages = [doc! { "$documents": [{ "_id": 1 }, { "_id": 2 }] }, last];
        let mut command = doc! { "aggregate": 1, "pipeline": stages.to_vec(), "cursor": {} };
        command.extend(more);
        door.send(command)
    };
    let reply = run(doc! { "$out": "numbers" }, doc! {});
    assert!(batch(&reply).is_empty(), "{reply}");
    assert_eq!(door.done(doc! { "count": "numbers" }).get_i32("n").ok(), Some(2));
    let refused = run(doc! { "$merge": { "into": "numbers", "whenMatched": "fail" } }, doc! {});
    assert_eq!(refused.get_i32("code").ok(), Some(11_000), "{refused}");
    assert_eq!(refused.get_document("keyPattern").ok(), Some(&doc! { "_id": 1 }));
    assert_eq!(refused.get_document("keyValue").ok(), Some(&doc! { "_id": 1 }));
    let code = |more: Document| run(doc! { "$out": "numbers" }, more).get_i32("code").ok();
    assert_eq!(code(doc! { "readConcern": { "level": "linearizable" } }), Some(72));
    assert_eq!(code(doc! { "bypassDocumentValidation": true }), Some(238));
    let sessions = [doc! { "$listLocalSessions": {} }, doc! { "$out": "sessions" }];
    let reply = door.done(doc! { "aggregate": 1, "pipeline": sessions.to_vec(), "cursor": {} });
    assert!(batch(&reply).is_empty());
}
