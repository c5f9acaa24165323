//! Integers of variable length, as the CQL protocol has them in durations and vectors.
//!
//! The number of leading ones in the first byte is the number of bytes that follow it; the rest is the value, big-endian. A
//! signed one is folded first, so that small numbers of either sign are short.

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};

/// Appends an unsigned integer.
#[inline]
pub(super) fn put_unsigned(out: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        Ok(byte @ 0..0x80) => out.push(byte),
        _ => put_long(out, value),
    }
}

fn put_long(out: &mut Vec<u8>, value: u64) {
    // Each byte after the first costs one bit of it, so that it takes seven bits more.
    let bits = u64::BITS - value.leading_zeros();
    let after = bits.saturating_sub(1) / 7;
    if after >= 8 {
        out.push(u8::MAX);
        out.extend_from_slice(&value.to_be_bytes());
        return;
    }
    let ones = u64::from(!(u8::MAX >> after));
    let marked = value | ones << (8 * after);
    let bytes = marked.to_be_bytes();
    out.extend_from_slice(bytes.get(bytes.len() - 1 - after as usize..).unwrap_or_default());
}

/// Appends a signed integer.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, fold(value));
}

/// Takes what [`put_unsigned`] put. Other lengths of the same number are taken, too.
#[inline]
pub(super) fn take_unsigned(reader: &mut Reader<'_>) -> Result<u64> {
    let (first, rest) = reader.rest().split_first().ok_or_else(cut_short)?;
    if *first < 0x80 {
        *reader = Reader::new(rest);
        return Ok(u64::from(*first));
    }
    if let (0x80..0xc0, [second, rest @ ..]) = (*first, rest) {
        *reader = Reader::new(rest);
        return Ok(u64::from(first & 0x3f) << 8 | u64::from(*second));
    }
    let after = first.leading_ones();
    let (bytes, rest) = rest.split_at_checked(after as usize).ok_or_else(cut_short)?;
    *reader = Reader::new(rest);
    let own = if after >= 7 { 0 } else { u64::from(first & (u8::MAX >> after)) };
    Ok(bytes.iter().fold(own, |value, byte| value << 8 | u64::from(*byte)))
}

/// Takes what [`put_signed`] put.
#[inline]
pub(super) fn take_signed(reader: &mut Reader<'_>) -> Result<i64> {
    let folded = take_unsigned(reader)?;
    Ok((folded >> 1).cast_signed() ^ -((folded & 1).cast_signed()))
}

/// Takes a length, and the bytes it is of.
#[inline]
pub(super) fn take_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let length = usize::try_from(take_unsigned(reader)?).unwrap_or(usize::MAX);
    let (bytes, rest) = reader.rest().split_at_checked(length).ok_or_else(cut_short)?;
    *reader = Reader::new(rest);
    Ok(bytes)
}

/// Appends the length of `bytes`, and them.
#[inline]
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn fold(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

#[cold]
fn cut_short() -> Error {
    Error::corrupt("integer of variable length", "it is cut short")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsigned(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_unsigned(&mut out, value);
        out
    }

    #[test]
    fn lengths_are_those_of_the_protocol() {
        assert_eq!(unsigned(0), [0]);
        assert_eq!(unsigned(127), [0x7f]);
        assert_eq!(unsigned(128), [0x80, 0x80]);
        assert_eq!(unsigned(256_000), [0xc3, 0xe8, 0x00]);
        assert_eq!(unsigned(u64::MAX), [0xff; 9]);
        let mut out = Vec::new();
        put_signed(&mut out, -1);
        assert_eq!(out, [1]);
    }

    proptest! {
        #[test]
        fn integers_come_back(wide: u64, shift in 0u32..64, signed: i64, tail: u8) {
            for value in [wide, wide >> shift, signed.cast_unsigned()] {
                let mut bytes = unsigned(value);
                put_signed(&mut bytes, value.cast_signed());
                bytes.push(tail);
                let mut reader = Reader::new(&bytes);
                prop_assert_eq!(take_unsigned(&mut reader).unwrap(), value);
                prop_assert_eq!(take_signed(&mut reader).unwrap(), value.cast_signed());
                prop_assert_eq!(reader.rest(), &[tail]);
            }
        }

        #[test]
        fn any_bytes_are_an_integer_or_an_error(bytes: Vec<u8>) {
            let _ = take_unsigned(&mut Reader::new(&bytes));
            let _ = take_bytes(&mut Reader::new(&bytes));
        }
    }
}
