//! What clients make a door keep.

use bson::{Bson, Uuid, doc};

use super::{Door, batch, cursor_id};
use crate::limits;

fn session(byte: u8) -> bson::Document {
    doc! { "id": Uuid::from_bytes([byte; 16]) }
}

#[test]
fn a_session_that_ends_takes_its_cursors_and_replies_with_it() {
    let door = Door::open();
    let documents: Vec<_> = (0..10).map(|n| doc! { "_id": n }).collect();
    door.done(doc! { "insert": "c", "documents": documents, "lsid": session(1), "txnNumber": 1_i64 });
    let open = |size: i32| cursor_id(&door.done(doc! { "find": "c", "batchSize": size, "lsid": session(1) }));
    let id = open(2);
    assert_eq!((door.0.0.sessions.len(), door.0.0.cursors.len()), (1, 1));
    door.done(doc! { "endSessions": [session(1)] });
    assert_eq!((door.0.0.sessions.len(), door.0.0.cursors.len()), (0, 0));
    assert_eq!(door.code(doc! { "getMore": id, "collection": "c" }), 43);
}

#[test]
fn a_write_that_is_sent_again_is_made_once_and_one_that_was_refused_may_be_sent_again() {
    let door = Door::open();
    let insert =
        |number: i64| doc! { "insert": "c", "documents": [{ "n": 1 }], "lsid": session(1), "txnNumber": number };
    let first = door.done(insert(1));
    let again = door.done(insert(1));
    assert_eq!(first.get("n"), again.get("n"));
    assert_eq!(door.done(doc! { "count": "c" }).get_i32("n").ok(), Some(1));
    let wrong = doc! { "insert": "c", "documents": [], "lsid": session(1), "txnNumber": 2_i64 };
    assert_eq!((door.code(wrong.clone()), door.code(wrong)), (16, 16));
    door.done(insert(2));
    assert_eq!(door.code(insert(1)), 225);
}

#[test]
fn there_are_only_so_many_cursors() {
    let door = Door::open();
    door.done(doc! { "insert": "c", "documents": [{ "_id": 1 }, { "_id": 2 }] });
    let find = || door.send(doc! { "find": "c", "batchSize": 1 });
    let mut last = Bson::Null;
    for _ in 0..=limits::MONGO_CURSORS_MAX {
        last = find().remove("code").unwrap_or(Bson::Null);
    }
    assert_eq!((last, door.0.0.cursors.len()), (Bson::Int32(2), limits::MONGO_CURSORS_MAX));
    assert_eq!(batch(&door.done(doc! { "find": "c" })).len(), 2, "what needs no cursor goes on");
}

/// A message with this body, and a section of documents beside it.
fn message(body: &bson::Document, documents: &[bson::Document]) -> Vec<u8> {
    let mut rest = vec![0, 0, 0, 0, 0];
    rest.extend(body.to_vec().unwrap());
    let listed: Vec<u8> = documents.iter().flat_map(|document| document.to_vec().unwrap()).collect();
    rest.push(1);
    rest.extend(i32::try_from(4 + 10 + listed.len()).unwrap().to_le_bytes());
    rest.extend(b"documents\0");
    rest.extend(listed);
    let length = i32::try_from(16 + rest.len()).unwrap();
    let mut message: Vec<u8> = [length, 1, 0, 2013].iter().flat_map(|word| word.to_le_bytes()).collect();
    message.extend(rest);
    message
}

#[test]
fn a_message_with_a_wrong_byte_is_answered_or_ends_the_connection() {
    let store = crate::store::Store::in_memory();
    let body = doc! { "insert": "c", "ordered": false, "writeConcern": { "w": 1 }, "$db": "d" };
    let documents = [doc! { "_id": 1, "a": [1, { "b": 2.5 }] }, doc! { "_id": "x", "d": bson::oid::ObjectId::new() }];
    let right = message(&body, &documents);
    assert!(!crate::server::mongo::answer(&store, &right).unwrap().is_empty());
    for place in 0..right.len() {
        for byte in [0, 1, 2, 3, 5, 16, 127, 128, 255] {
            let mut wrong = right.clone();
            wrong[place] = byte;
            let replies = crate::server::mongo::answer(&store, &wrong).unwrap();
            let inside = b"inside of the server";
            assert!(!replies.windows(inside.len()).any(|part| part == inside), "{byte} at {place}");
        }
    }
    assert!(crate::server::mongo::answer(&store, &right[..right.len() - 1]).unwrap().is_empty(), "it is not whole");
}
