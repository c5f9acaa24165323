//! Bytes that decode as an item are its only record, and measure what it does; looking at others ends.
//!
//! Numbers of the record agree with themselves: what is added and taken away again is the same.

#![no_main]

use larder::internals::{number_arithmetic, read_record};
use larder::item::AttributeValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((item, again, size_bytes)) = read_record(bytes) else { return };
    assert_eq!(again, bytes, "{item:?}");
    assert_eq!(size_bytes, item.size_bytes(), "{item:?}");
    let numbers: Vec<_> = item.iter().filter_map(|(_, value)| value.as_n().copied()).collect();
    for pair in numbers.windows(2) {
        let (sum, difference) = number_arithmetic(pair[0], pair[1]);
        if let Some(sum) = sum {
            assert_eq!(number_arithmetic(sum, pair[1]).1, Some(pair[0]), "{pair:?}");
        }
        assert_eq!(difference.map(|difference| difference > 0.into()), difference.map(|_| pair[0] > pair[1]), "{pair:?}");
        assert_eq!(AttributeValue::from(pair[0]).as_n().copied(), pair[0].to_string().parse().ok());
    }
});
