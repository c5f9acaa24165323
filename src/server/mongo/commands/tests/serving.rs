//! What tools ask of a server.

use bson::{Bson, Document, doc};

use super::{Door, batch};
use crate::server::password::Credentials;
use crate::server::users::{Account, Everything};

fn door() -> Door {
    let door = Door::open();
    let documents: Vec<_> = (0..10).map(|n| doc! { "_id": n }).collect();
    door.done(doc! { "insert": "c", "documents": documents });
    door
}

fn aggregate(door: &Door, name: impl Into<Bson>, stage: Document) -> Vec<Document> {
    batch(&door.done(doc! { "aggregate": name.into(), "pipeline": [stage], "cursor": {} }))
}

#[test]
fn sizes_are_those_of_what_is_stored() {
    let door = door();
    // A document of one integer has 14 bytes.
    let stats = door.done(doc! { "collStats": "c" });
    let of = |name: &str| stats.get_i32(name).unwrap();
    assert_eq!((of("count"), of("size"), of("avgObjSize"), of("nindexes")), (10, 140, 14, 1));
    assert!(stats.get_document("indexSizes").unwrap().get_i32("_id_").unwrap() > 0);
    let scaled = door.done(doc! { "collStats": "c", "scale": 14 });
    assert_eq!((scaled.get_i32("size").ok(), scaled.get_i32("scaleFactor").ok()), (Some(10), Some(14)));
    assert_eq!(door.code(doc! { "collStats": "c", "scale": 0 }), 2);
    let stats = door.done(doc! { "dbStats": 1 });
    assert_eq!(
        (stats.get_i32("objects").ok(), stats.get_i32("dataSize").ok(), stats.get_i32("collections").ok()),
        (Some(10), Some(140), Some(1))
    );
    let size = door.done(doc! { "dataSize": "d.c" });
    assert_eq!((size.get_i32("size").ok(), size.get_i32("numObjects").ok()), (Some(140), Some(10)));
    let listed = door.send_to("admin", doc! { "listDatabases": 1 });
    let one = listed.get_array("databases").unwrap()[0].as_document().unwrap().clone();
    assert!(one.get_i64("sizeOnDisk").unwrap() > 140, "{one}");
    assert_eq!(listed.get_i64("totalSize").unwrap(), one.get_i64("sizeOnDisk").unwrap());
}

#[test]
fn stages_about_a_collection_begin_a_pipeline() {
    let door = door();
    let stats = aggregate(&door, "c", doc! { "$collStats": { "count": {}, "storageStats": { "scale": 2 } } });
    assert_eq!((stats[0].get_i32("count").ok(), stats[0].get_str("ns").ok()), (Some(10), Some("d.c")));
    assert_eq!(stats[0].get_document("storageStats").unwrap().get_i32("size").ok(), Some(70));
    let indexes = aggregate(&door, "c", doc! { "$indexStats": {} });
    assert_eq!((indexes[0].get_str("name").ok(), indexes[0].get_i32("entries").ok()), (Some("_id_"), Some(10)));
    let stages = [doc! { "$indexStats": {} }, doc! { "$project": { "_id": 0, "name": 1 } }];
    let named = batch(&door.done(doc! { "aggregate": "c", "pipeline": stages.to_vec(), "cursor": {} }));
    assert_eq!(named, [doc! { "name": "_id_" }]);
    let code = |name: Bson, stage: Document| door.code(doc! { "aggregate": name, "pipeline": [stage], "cursor": {} });
    assert_eq!(code("c".into(), doc! { "$collStats": { "latencyStats": {} } }), 238);
    assert_eq!(code("c".into(), doc! { "$collStats": { "nosuch": {} } }), 40415);
    assert_eq!(code(1.into(), doc! { "$collStats": {} }), 73);
    assert_eq!(code("none".into(), doc! { "$collStats": { "count": {} } }), 26);
}

#[test]
fn a_running_command_is_shown_and_can_be_ended() {
    let door = door();
    let shown = door.send_to("admin", doc! { "currentOp": 1 });
    let running = shown.get_array("inprog").unwrap()[0].as_document().unwrap().clone();
    assert_eq!(running.get_document("command").unwrap().get_i32("currentOp").ok(), Some(1));
    let body = doc! { "aggregate": 1, "pipeline": [{ "$currentOp": { "localOps": true } }], "cursor": {} };
    let shown = batch(&door.send_to("admin", body));
    assert_eq!(shown[0].get_str("op").ok(), Some("command"));
    let id = shown[0].get_i32("opid").unwrap();
    assert_eq!(door.send_to("admin", doc! { "killOp": 1, "op": id }).get_f64("ok").ok(), Some(1.0));
}

#[test]
fn the_sequence_of_a_graphical_client_works() {
    let door = door();
    let admin = |body: Document| {
        let reply = door.send_to("admin", body);
        assert_eq!(reply.get_f64("ok").ok(), Some(1.0), "{reply}");
        reply
    };
    admin(doc! { "connectionStatus": 1, "showPrivileges": true });
    assert!(admin(doc! { "hostInfo": 1 }).get_document("os").is_ok());
    admin(doc! { "getCmdLineOpts": 1 });
    admin(doc! { "buildInfo": 1 });
    admin(doc! { "getParameter": 1, "featureCompatibilityVersion": 1 });
    assert!(admin(doc! { "top": 1 }).get_document("totals").unwrap().contains_key("d.c"));
    let status = admin(doc! { "serverStatus": 1 });
    assert!(status.get_document("connections").is_ok() && status.get_document("opcounters").is_ok());
    door.done(doc! { "listCollections": 1, "nameOnly": false });
    assert_eq!(aggregate(&door, "c", doc! { "$sample": { "size": 3 } }).len(), 3);
    let valid = door.done(doc! { "validate": "c" });
    assert_eq!((valid.get_bool("valid").ok(), valid.get_i32("nrecords").ok()), (Some(true), Some(10)));
    assert_eq!(door.code(doc! { "validate": "none" }), 26);
}

#[test]
fn commands_outside_of_the_stable_api_are_refused_to_those_who_ask_for_it() {
    let door = door();
    let strict = |mut body: Document| {
        body.extend(doc! { "apiVersion": "1", "apiStrict": true });
        door.send(body).get_i32("code").unwrap_or(0)
    };
    assert_eq!((strict(doc! { "find": "c" }), strict(doc! { "ping": 1 })), (0, 0));
    assert_eq!((strict(doc! { "distinct": "c", "key": "x" }), strict(doc! { "collStats": "c" })), (323, 323));
    let pipeline = |stage: Document| doc! { "aggregate": "c", "pipeline": [stage], "cursor": {} };
    assert_eq!(strict(pipeline(doc! { "$indexStats": {} })), 323);
    assert_eq!(strict(pipeline(doc! { "$collStats": { "storageStats": {} } })), 323);
    assert_eq!(strict(pipeline(doc! { "$collStats": { "count": {} } })), 0);
}

#[test]
fn administrators_are_told_of_the_disk_the_profile_and_the_users() {
    let door = door();
    assert_eq!(door.send_to("admin", doc! { "fsync": 1 }).get_i32("numFiles").ok(), Some(1));
    assert_eq!(door.send_to("admin", doc! { "fsync": 1, "lock": true }).get_i32("code").ok(), Some(238));
    assert_eq!(door.code(doc! { "fsync": 1 }), 13);
    let off = door.done(doc! { "profile": -1 });
    assert_eq!((off.get_i32("was").ok(), off.get_i32("slowms").ok()), (Some(0), Some(100)));
    assert_eq!((door.code(doc! { "profile": 2 }), door.code(doc! { "profile": "on" })), (238, 2));
    let credentials = Credentials::of(b"secret");
    door.0.0.users.set(b"ann", Account::with(credentials, Everything));
    let names = |database: &str, asked: Bson| {
        let reply = door.send_to(database, doc! { "usersInfo": asked });
        let users = reply.get_array("users").unwrap().iter();
        users.map(|user| user.as_document().unwrap().get_str("_id").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ann = ["admin.ann"];
    assert_eq!(names("admin", 1.into()), ann);
    assert_eq!(names("admin", "ann".into()), ann);
    assert_eq!(names("d", doc! { "user": "ann", "db": "admin" }.into()), ann);
    assert_eq!(names("d", doc! { "forAllDBs": true }.into()), ann);
    assert_eq!(names("admin", vec!["bob", "ann"].into()), ann);
    assert!(names("d", 1.into()).is_empty() && names("d", "ann".into()).is_empty(), "users are of admin");
    assert_eq!(door.code(doc! { "usersInfo": 5 }), 2);
    assert_eq!(door.code(doc! { "usersInfo": 1, "showCredentials": true }), 238);
}
