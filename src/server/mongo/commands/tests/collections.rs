//! Collections, views and capped collections through their commands.

use bson::{Bson, Document, doc};

use super::{Door, batch, cursor_id};

#[test]
fn a_refused_document_is_a_write_error_with_its_reason() {
    let door = Door::open();
    door.done(doc! { "create": "c", "validator": { "n": { "$gt": 0 } } });
    let reply = door.done(doc! { "insert": "c", "documents": [{ "_id": 1, "n": 0 }] });
    let error = reply.get_array("writeErrors").unwrap()[0].as_document().unwrap();
    assert_eq!((error.get_i32("code").unwrap(), error.get_str("errmsg").unwrap()), (121, "Document failed validation"));
    let info = error.get_document("errInfo").unwrap();
    assert_eq!(info.get("failingDocumentId"), Some(&Bson::Int32(1)));
    assert_eq!(info.get_document("details").unwrap().get_str("operatorName").unwrap(), "$gt");
    let bypassing = doc! { "insert": "c", "documents": [{ "_id": 1, "n": 0 }], "bypassDocumentValidation": true };
    assert_eq!(door.done(bypassing).get_i32("n").unwrap(), 1);
    let modify = doc! { "findAndModify": "c", "query": { "_id": 1 }, "update": { "$set": { "n": -1 } } };
    assert_eq!(door.code(modify.clone()), 121);
    door.done(doc! { "collMod": "c", "validationAction": "warn" });
    door.done(modify);
    assert_eq!(door.code(doc! { "collMod": "c", "validationLevel": "Strict" }), 2);
    assert_eq!(door.code(doc! { "create": "e", "validator": 1 }), 14);
}

#[test]
fn a_collection_that_is_made_again_is_one_if_it_is_the_same() {
    let door = Door::open();
    let capped = doc! { "create": "c", "capped": true, "size": 100_000, "max": 5 };
    door.done(capped.clone());
    door.done(capped);
    assert_eq!(door.code(doc! { "create": "c" }), 48);
    assert_eq!(door.code(doc! { "create": "e", "capped": true }), 72);
    assert_eq!(door.code(doc! { "create": "e", "size": 5_000 }), 72);
    assert_eq!(door.code(doc! { "create": "e", "capped": true, "size": true }), 14);
    assert_eq!(door.code(doc! { "create": "e", "pipeline": [] }), 72);
}

#[test]
fn lists_say_what_a_collection_is() {
    let door = Door::open();
    door.done(doc! { "create": "capped", "capped": true, "size": 4_096, "max": 100 });
    door.done(doc! { "create": "plain", "validator": { "n": 1 } });
    door.done(
        doc! { "create": "view", "viewOn": "plain", "pipeline": [null, { "$match": { "x": 1 } }], "capped": true },
    );
    let about = |name: &str| batch(&door.done(doc! { "listCollections": 1, "filter": { "name": name } })).remove(0);
    let capped = doc! { "capped": true, "size": 4_096, "max": 100 };
    assert_eq!(about("capped").get_document("options").unwrap(), &capped);
    let validated = doc! { "validator": { "n": 1 }, "validationLevel": "strict", "validationAction": "error" };
    assert_eq!(about("plain").get_document("options").unwrap(), &validated);
    let view = about("view");
    assert_eq!(view.get_str("type").unwrap(), "view");
    assert_eq!(
        view.get_document("options").unwrap(),
        &doc! { "viewOn": "plain", "pipeline": [{ "$match": { "x": 1 } }] }
    );
    assert_eq!(view.get_document("info").unwrap(), &doc! { "readOnly": true });
    let views =
        doc! { "listCollections": 1, "filter": { "type": "view" }, "nameOnly": true, "cursor": { "batchSize": 1 } };
    let views = door.done(views);
    assert_eq!((batch(&views), cursor_id(&views)), (vec![doc! { "name": "view", "type": "view" }], 0));
    let dropped = door.done(doc! { "drop": "view" });
    assert!(dropped.get_str("ns").unwrap() == "d.view" && !dropped.contains_key("nIndexesWas"));
}

#[test]
fn a_view_is_read_and_not_written() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1, "x": 1 }, { "_id": 2, "x": 2 }] });
    door.done(doc! { "create": "v", "viewOn": "c", "pipeline": [{ "$match": { "x": 2 } }] });
    assert_eq!(batch(&door.done(doc! { "find": "v" })), [doc! { "_id": 2, "x": 2 }]);
    assert_eq!(door.done(doc! { "count": "v" }).get_i32("n").unwrap(), 1);
    for command in [
        doc! { "createIndexes": "v", "indexes": [{ "key": { "x": 1 }, "name": "x_1" }] },
        doc! { "listIndexes": "v" },
        doc! { "collStats": "v" },
        doc! { "convertToCapped": "v", "size": 4_096 },
    ] {
        assert_eq!(door.code(command), 166);
    }
    let reply = door.done(doc! { "insert": "v", "documents": [{}] });
    assert_eq!(reply.get_array("writeErrors").unwrap()[0].as_document().unwrap().get_i32("code").unwrap(), 166);
    door.done(doc! { "collMod": "v", "viewOn": "c", "pipeline": [] });
    assert_eq!(door.done(doc! { "count": "v" }).get_i32("n").unwrap(), 2);
    assert_eq!(door.code(doc! { "collMod": "v", "viewOn": "c" }), 72);
}

#[test]
fn a_tailable_cursor_stays_open_and_goes_on() {
    let door = Door::open();
    door.done(doc! { "create": "c", "capped": true, "size": 100_000, "max": 3 });
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1 }] });
    let found = door.done(doc! { "find": "c", "tailable": true, "awaitData": true });
    let id = cursor_id(&found);
    assert_eq!((batch(&found).len(), id != 0), (1, true));
    let more = || door.send(doc! { "getMore": id, "collection": "c", "maxTimeMS": 1 });
    assert_eq!((batch(&more()), cursor_id(&more())), (vec![], id));
    door.done(doc! { "insert": "c", "documents": [{ "_id": 2 }] });
    assert_eq!(batch(&more()), [doc! { "_id": 2 }]);
    door.done(doc! { "insert": "c", "documents": [{ "_id": 3 }, { "_id": 4 }, { "_id": 5 }, { "_id": 6 }] });
    assert_eq!(more().get_i32("code").unwrap(), 136);
    assert_eq!(more().get_i32("code").unwrap(), 43, "it has ended with that");
    assert_eq!(door.code(doc! { "find": "c", "awaitData": true }), 9);
    door.done(doc! { "create": "plain" });
    assert_eq!(door.code(doc! { "find": "plain", "tailable": true }), 2);
}

#[test]
fn a_rename_asks_for_the_uuids_it_is_given() {
    let door = Door::open();
    door.done(doc! { "create": "a" });
    door.done(doc! { "create": "b" });
    let list = batch(&door.done(doc! { "listCollections": 1, "filter": { "name": "b" } }));
    let uuid = list[0].get_document("info").unwrap().get("uuid").unwrap().clone();
    let rename = |dropped: Bson| {
        let reply = door.send_to("admin", doc! { "renameCollection": "d.a", "to": "d.b", "dropTarget": dropped });
        reply.get_i32("code").unwrap_or(0)
    };
    assert_eq!(rename(Bson::Int32(1)), 14);
    assert_eq!(rename(bson::Uuid::from_bytes([7; 16]).into()), 361);
    assert_eq!(rename(false.into()), 48);
    assert_eq!(rename(uuid), 0);
    door.done(doc! { "create": "a" });
    door.done(doc! { "drop": "b" });
    door.done(doc! { "create": "b", "viewOn": "a" });
    assert_eq!(rename(true.into()), 48, "a view is not dropped for it");
}

#[test]
fn every_command_compares_text_by_its_collation() {
    let door = Door::open();
    let collation = || doc! { "locale": "en", "strength": 2 };
    let names = ["Ann", "ann", "Bob"].map(|name| Bson::from(doc! { "_id": name, "n": 0 }));
    door.done(doc! { "insert": "c", "documents": names.to_vec() });
    let by = doc! { "_id": "ANN" };
    let found = |reply: Document| batch(&reply).len();
    assert_eq!(found(door.done(doc! { "find": "c", "filter": by.clone(), "collation": collation() })), 2);
    assert_eq!(found(door.done(doc! { "find": "c", "filter": by.clone(), "collation": {} })), 0);
    let pipeline = vec![doc! { "$match": by.clone() }];
    let aggregate = doc! { "aggregate": "c", "pipeline": pipeline, "cursor": {}, "collation": collation() };
    assert_eq!(found(door.done(aggregate)), 2);
    let n = |reply: Document| reply.get_i32("n").unwrap();
    assert_eq!(n(door.done(doc! { "count": "c", "query": by.clone(), "collation": collation() })), 2);
    let distinct = door.done(doc! { "distinct": "c", "key": "_id", "collation": collation() });
    assert_eq!(distinct.get_array("values").unwrap().len(), 2);
    let update = doc! { "q": by.clone(), "u": { "$inc": { "n": 1 } }, "multi": true, "collation": collation() };
    assert_eq!(n(door.done(doc! { "update": "c", "updates": [update] })), 2);
    let modify =
        doc! { "findAndModify": "c", "query": by.clone(), "update": { "$inc": { "n": 1 } }, "collation": collation() };
    assert_eq!(door.done(modify).get_document("value").unwrap().get_i32("n").unwrap(), 1);
    let explained = door.done(doc! { "explain": { "find": "c", "filter": by.clone(), "collation": collation() } });
    assert!(explained.to_string().contains("COLLSCAN"), "the index on _id orders bytes: {explained}");
    let bulk = doc! { "delete": 0, "filter": by.clone(), "multi": true, "collation": collation() };
    let bulk = doc! { "bulkWrite": 1, "ops": [bulk], "nsInfo": [{ "ns": "d.c" }] };
    let mut of_admin = bulk.clone();
    of_admin.insert("errorsOnly", false);
    assert_eq!(door.send_to("admin", of_admin).get_i32("nDeleted").unwrap(), 2);
    let delete = doc! { "q": { "_id": "BOB" }, "limit": 1, "collation": collation() };
    assert_eq!(n(door.done(doc! { "delete": "c", "deletes": [delete] })), 1);
    assert_eq!(door.code(doc! { "find": "c", "collation": { "locale": "zzz" } }), 2);
    assert_eq!(door.code(doc! { "find": "c", "collation": { "strength": 1 } }), 40_414);
}

#[test]
fn lists_show_collations_in_full() {
    let door = Door::open();
    door.done(doc! { "create": "c", "collation": { "locale": "da" } });
    door.done(doc! { "create": "c", "collation": { "locale": "da" } });
    assert_eq!(door.code(doc! { "create": "c", "collation": { "locale": "sv" } }), 48);
    let swedish = doc! { "key": { "a": 1 }, "name": "a", "collation": { "locale": "sv", "strength": 1 } };
    let simple = doc! { "key": { "a": 1 }, "name": "bytes", "collation": { "locale": "simple" } };
    door.done(doc! { "createIndexes": "c", "indexes": [swedish, { "key": { "a": 1 }, "name": "inherited" }, simple] });
    let full = |locale: &str, strength: i32, case_first: &str| {
        doc! {
            "locale": locale, "caseLevel": false, "caseFirst": case_first, "strength": strength, "numericOrdering": false,
            "alternate": "non-ignorable", "maxVariable": "punct", "normalization": false, "backwards": false,
            "version": "57.1",
        }
    };
    let about = batch(&door.done(doc! { "listCollections": 1 })).remove(0);
    for place in ["options", "idIndex"] {
        let shown = about.get_document(place).unwrap().get_document("collation").unwrap();
        assert_eq!(shown, &full("da", 3, "upper"), "{place}");
    }
    let indexes = batch(&door.done(doc! { "listIndexes": "c" }));
    let shown: Vec<_> = indexes.iter().map(|index| index.get_document("collation").ok().cloned()).collect();
    let danish = || Some(full("da", 3, "upper"));
    assert_eq!(shown, [danish(), Some(full("sv", 1, "off")), danish(), None]);
    assert_eq!(
        door.code(doc! { "createIndexes": "c", "indexes": [{ "key": { "b": 1 }, "name": "b", "collation": {} }] }),
        2
    );
}

#[test]
fn an_index_is_listed_with_background_as_it_was_given() {
    let door = Door::open();
    let index = |name: &str| doc! { "key": { name: 1 }, "name": name };
    let with = |name: &str, background: Bson| {
        let mut index = index(name);
        index.insert("background", background);
        index
    };
    let indexes = [with("a", true.into()), with("b", 0.into()), index("c")];
    door.done(doc! { "createIndexes": "c", "indexes": indexes.map(Bson::from).to_vec() });
    let listed = batch(&door.done(doc! { "listIndexes": "c" }));
    let shown: Vec<_> = listed.iter().map(|index| index.get_bool("background").ok()).collect();
    assert_eq!(shown, [None, Some(true), Some(false), None]);
    door.done(doc! { "createIndexes": "c", "indexes": [index("a")] });
    assert_eq!(batch(&door.done(doc! { "listIndexes": "c" })), listed, "it is the same index");
}

#[test]
fn a_view_is_read_with_its_collation() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": "a" }, { "_id": "A" }] });
    let english = || doc! { "locale": "en", "strength": 2 };
    door.done(
        doc! { "create": "v", "viewOn": "c", "pipeline": [{ "$match": { "_id": "A" } }], "collation": english() },
    );
    assert_eq!(batch(&door.done(doc! { "find": "v" })).len(), 2);
    assert_eq!(batch(&door.done(doc! { "find": "v", "collation": english() })).len(), 2);
    assert_eq!(door.code(doc! { "find": "v", "collation": { "locale": "en" } }), 167);
    assert_eq!(door.code(doc! { "create": "w", "viewOn": "v", "pipeline": [] }), 167);
}
