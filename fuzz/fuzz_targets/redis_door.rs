//! Whatever a client sends, it is answered: requests are read and run on a store of their own, without a panic.

#![no_main]

use larder::Store;
use larder::internals::answer;
use libfuzzer_sys::fuzz_target;

/// Commands, so that something is there to be changed.
const FIRST: &[u8] = b"SET s 12\r\nRPUSH l a b c\r\nHSET h f v g 1\r\nSADD t 1 2 x\r\nZADD z 1 a 2 b\r\nXADD x 1-1 f v\r\n";

fuzz_target!(|bytes: &[u8]| {
    // It would sleep for as long as it is told.
    if bytes.to_ascii_lowercase().windows(5).any(|word| word == b"sleep") {
        return;
    }
    let store = Store::in_memory();
    answer(&store, FIRST).expect("what is well formed is answered");
    answer(&store, bytes).expect("the store goes on");
    // What is there afterwards can be read.
    answer(&store, b"KEYS *\r\nDBSIZE\r\n").expect("the store goes on");
    store.check().expect("the store is whole");
});
