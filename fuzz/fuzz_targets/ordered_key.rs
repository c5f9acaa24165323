//! Bytes that decode as a field are the field's only encoding, and a value comes back as it went, in the order of its kind.
//!
//! The kinds of the fields are part of the input, so that the fuzzer finds its way past each of them to the next. So are
//! pairs of values, for what few bytes that are made up would be the encoding of.

#![no_main]

use std::cmp::Ordering;
use std::fmt::Debug;

use arbitrary::Arbitrary;
use larder::Result;
use larder::internals::ordered::{Reader, invert, put_bytes, put_f64, put_i32, put_i64};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Kind {
    U8,
    U16,
    U32,
    U64,
    I32,
    I64,
    F64,
    Bytes,
}

/// Reads a field of `kind` and answers its encoding.
fn encode_again(kind: &Kind, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match kind {
        Kind::U8 => out.push(reader.u8()?),
        Kind::U16 => out.extend(reader.u16()?.to_be_bytes()),
        Kind::U32 => out.extend(reader.u32()?.to_be_bytes()),
        Kind::U64 => out.extend(reader.u64()?.to_be_bytes()),
        Kind::I32 => put_i32(&mut out, reader.i32()?),
        Kind::I64 => put_i64(&mut out, reader.i64()?),
        Kind::F64 => put_f64(&mut out, reader.f64()?),
        Kind::Bytes => put_bytes(&mut out, &reader.bytes()?),
    }
    Ok(out)
}

/// Two values of one kind.
#[derive(Arbitrary, Debug)]
enum Pair {
    I32(i32, i32),
    I64(i64, i64),
    F64(f64, f64),
    Bytes(Vec<u8>, Vec<u8>),
}

/// Checks that values come back from their encodings, with what follows them, and are in the order of these.
fn check_pair<T: Debug>(
    pair: [&T; 2],
    compare: impl Fn(&T, &T) -> Ordering,
    descending: bool,
    put: impl Fn(&mut Vec<u8>, &T),
    take: impl Fn(&mut Reader<'_>) -> Result<T>,
) {
    let encoded = pair.map(|value| {
        let mut key = Vec::new();
        put(&mut key, value);
        if descending {
            invert(&mut key);
        }
        let end = key.len();
        key.push(7);
        let mut reader = Reader::new(&key);
        reader.set_descending(descending);
        let read = take(&mut reader).expect("what was written can be read");
        assert_eq!(compare(&read, value), Ordering::Equal, "{read:?} and {value:?}");
        assert_eq!(reader.rest(), [7]);
        key.truncate(end);
        key
    });
    let order = encoded[0].cmp(&encoded[1]);
    let order = if descending { order.reverse() } else { order };
    assert_eq!(order, compare(pair[0], pair[1]), "{pair:?}");
}

fuzz_target!(|input: (Vec<(Kind, bool)>, Vec<u8>, Vec<(Pair, bool)>)| {
    let (kinds, key, pairs) = input;
    for (pair, descending) in &pairs {
        let down = *descending;
        match pair {
            Pair::I32(a, b) => check_pair([a, b], i32::cmp, down, |out, n| put_i32(out, *n), |reader| reader.i32()),
            Pair::I64(a, b) => check_pair([a, b], i64::cmp, down, |out, n| put_i64(out, *n), |reader| reader.i64()),
            Pair::F64(a, b) => {
                check_pair([a, b], f64::total_cmp, down, |out, n| put_f64(out, *n), |reader| reader.f64());
            }
            Pair::Bytes(a, b) => {
                check_pair([a, b], Vec::cmp, down, |out, bytes| put_bytes(out, bytes), |reader| reader.bytes());
            }
        }
    }
    let mut reader = Reader::new(&key);
    for (kind, descending) in &kinds {
        reader.set_descending(*descending);
        let before = reader.rest();
        let Ok(mut field) = encode_again(kind, &mut reader) else { return };
        if *descending {
            invert(&mut field);
        }
        let used = before.len() - reader.rest().len();
        assert_eq!(field, &before[..used], "{kind:?}");
    }
});
