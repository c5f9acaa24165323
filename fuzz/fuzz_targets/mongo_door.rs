//! Whatever a client sends, it is answered or cut off: messages are read and run on a store of their own, without a panic.
//!
//! The first byte says what the rest is: messages as they are, or the body of one, which gets a header here, so that commands are
//! reached whose lengths nobody has to guess.

#![no_main]

use larder::Store;
use larder::bson::{Document, RawDocumentBuf, doc};
use larder::internals::answer_mongo;
use libfuzzer_sys::fuzz_target;

/// An `OP_MSG` with this body.
fn message(body: &[u8]) -> Vec<u8> {
    let words = [16 + 5 + body.len() as i32, 1, 0, 2013, 0];
    let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    message.push(0);
    message.extend_from_slice(body);
    message
}

/// A command of the database `d`.
fn command(body: Document) -> Vec<u8> {
    let mut body = body;
    body.insert("$db", "d");
    message(RawDocumentBuf::try_from(&body).expect("it encodes").as_bytes())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let store = Store::in_memory();
    // Something is there to be read and changed.
    let documents = [doc! { "_id": 1, "a": [1, 2], "n": 1 }, doc! { "_id": 2, "a": "x", "n": 2.5 }];
    let first = command(doc! { "insert": "c", "documents": documents.to_vec() });
    assert!(!answer_mongo(&store, &first).expect("it is stored").is_empty());
    let input = if kind & 1 == 0 { bytes.to_vec() } else { message(bytes) };
    answer_mongo(&store, &input).expect("the store goes on");
    let last = command(doc! { "listCollections": 1 });
    assert!(!answer_mongo(&store, &last).expect("the store goes on").is_empty());
    store.check().expect("the store is whole");
});
