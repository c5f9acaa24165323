//! A dump that is restored is one value: dumped, restored and dumped again it is the same bytes.
//!
//! The input is a type and a value; version and checksum are put after it, so that whatever is behind them is reached.

#![no_main]

use larder::internals::{dump_again, dump_again_unsealed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(dump) = dump_again_unsealed(bytes) {
        assert_eq!(dump_again(&dump).expect("what was dumped is restored"), dump);
    }
    // With what may be version and checksum.
    drop(dump_again(bytes));
});
