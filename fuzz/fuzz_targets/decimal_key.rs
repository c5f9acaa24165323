//! Bytes that decode as a decimal are its only encoding, and byte order is numeric order.
//!
//! The input is two encodings, because a pair that decodes also says how the two compare.

#![no_main]

use larder::internals::decimal::{put_decimal, take_decimal};
use larder::internals::ordered::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pair: (&[u8], &[u8])| {
    let decoded = [pair.0, pair.1].map(|bytes| {
        let mut reader = Reader::new(bytes);
        let value = take_decimal(&mut reader).ok()?;
        let used = &bytes[..bytes.len() - reader.rest().len()];
        let mut again = Vec::new();
        put_decimal(&mut again, &value).expect("what was stored can be stored");
        assert_eq!(again, used, "{value:?}");
        // Comparing numbers writes out their zeros, so only magnitudes that a person would write are compared.
        let (_, exponent) = value.as_bigint_and_exponent();
        (exponent.abs() < 1_000).then_some((value, used))
    });
    if let [Some((a, a_bytes)), Some((b, b_bytes))] = decoded {
        assert_eq!(a_bytes.cmp(b_bytes), a.cmp(&b), "{a:?} and {b:?}");
    }
});
