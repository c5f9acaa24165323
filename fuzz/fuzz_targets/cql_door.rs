//! Whatever a client sends, it is answered or cut off: frames and segments are read, and statements run on a store of their own, without
//! a panic.
//!
//! The first byte says what the rest is: frames as they are, or the body of one, which gets a header here, so that bodies are reached
//! whose lengths nobody has to guess.

#![no_main]

use larder::Store;
use larder::internals::answer_cql;
use libfuzzer_sys::fuzz_target;

/// A frame of this version and operation.
fn frame(version: u8, operation: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![version, 0, 0, 1, operation];
    frame.extend_from_slice(&(body.len() as i32).to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

/// A query without values.
fn query(text: &str) -> Vec<u8> {
    let mut body = (text.len() as i32).to_be_bytes().to_vec();
    body.extend_from_slice(text.as_bytes());
    body.extend_from_slice(&[0, 1, 0]);
    frame(4, 7, &body)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let store = Store::in_memory();
    // Something is there to be read and changed.
    for text in [
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE k.t (a int, b text, v list<int>, PRIMARY KEY (a, b))",
        "INSERT INTO k.t (a, b, v) VALUES (1, 'x', [1, 2])",
    ] {
        assert!(!answer_cql(&store, &query(text)).expect("it is stored").is_empty());
    }
    let operation = [7, 9, 10, 13][usize::from(kind >> 1 & 3)];
    let input = if kind & 1 == 0 { bytes.to_vec() } else { frame(4 + (kind >> 3 & 1), operation, bytes) };
    answer_cql(&store, &input).expect("the store goes on");
    assert!(!answer_cql(&store, &query("SELECT * FROM k.t")).expect("the store goes on").is_empty());
    store.check().expect("the store is whole");
});
