//! Bytes that decode as a field are the field's only encoding.
//!
//! The kinds of the fields are part of the input, so that the fuzzer finds its way past each of them to the next.

#![no_main]

use arbitrary::Arbitrary;
use larder::Result;
use larder::encoding::ordered::{Reader, invert, put_bytes, put_f64, put_i32, put_i64};
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

fuzz_target!(|input: (Vec<(Kind, bool)>, Vec<u8>)| {
    let (kinds, key) = input;
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
