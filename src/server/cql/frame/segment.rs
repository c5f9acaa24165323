//! Segments: what frames of version 5 travel in once a connection has begun.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 3 or 5 | lengths | little-endian, from the lowest bit: 17 bits of what follows; when compression was agreed on, 17 bits of what comes out, 0 if it is not compressed; 1 bit: it has whole frames |
//! | 3 | CRC-24 | of the lengths |
//! | | content | whole frames, or a part of one |
//! | 4 | CRC-32 | of the content as it is here, behind four bytes that are not sent |
//!
//! # Invariants
//! 1. A segment is used when both sums are right, and its lengths when the first is: no bit that has changed on its way is taken for
//!    what was sent.

use std::borrow::Cow;

use crc::{Algorithm, CRC_32_ISO_HDLC, Crc};

use crate::limits;
use crate::server::cql::frame::compression::{compress, decompress};
use crate::server::cql::frame::malformed::{Malformed, Result};

const CRC_24: Algorithm<u32> = Algorithm {
    width: 24,
    poly: 0x97_4f0b,
    init: 0x87_5060,
    refin: false,
    refout: false,
    xorout: 0,
    check: 0,
    residue: 0,
};
const OF_LENGTHS: Crc<u32> = Crc::<u32>::new(&CRC_24);
const OF_CONTENT: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What the sum of a content begins with, so that nothing is not a content.
const BEFORE_CONTENT: [u8; 4] = [0xfa, 0x2d, 0x55, 0xca];

const LENGTH_BITS: u32 = 17;
const LENGTH_MASK: u64 = (1 << LENGTH_BITS) - 1;
const CRC_24_BYTES: usize = 3;
const CRC_32_BYTES: usize = 4;

/// Bytes of lengths.
fn lengths_bytes(compresses: bool) -> usize {
    if compresses { 5 } else { 3 }
}

fn sum_of_content(content: &[u8]) -> u32 {
    let mut digest = OF_CONTENT.digest();
    digest.update(&BEFORE_CONTENT);
    digest.update(content);
    digest.finalize()
}

/// A segment that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) content: Cow<'a, [u8]>,
    /// Whether the content is whole frames.
    pub(crate) is_self_contained: bool,
    /// Bytes of the segment.
    pub(crate) length: usize,
}

/// A number of up to eight bytes, the lowest first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What a segment says of itself: bytes here, bytes that come out (0 if it is as it is), whether it has whole frames.
fn lengths(bytes: &[u8], compresses: bool) -> Option<Result<(usize, usize, bool)>> {
    let (lengths, rest) = bytes.split_at_checked(lengths_bytes(compresses))?;
    let (sum, _) = rest.split_at_checked(CRC_24_BYTES)?;
    if u64::from(OF_LENGTHS.checksum(lengths)) != number(sum) {
        return Some(Err(Malformed::new("Segment header CRC mismatch")));
    }
    let bits = number(lengths);
    let (here, rest) = (bits & LENGTH_MASK, bits >> LENGTH_BITS);
    let (out, flags) = if compresses { (rest & LENGTH_MASK, rest >> LENGTH_BITS) } else { (0, rest) };
    let length = |bits: u64| usize::try_from(bits).unwrap_or(usize::MAX);
    Some(if flags > 1 {
        Err(Malformed::new("Unknown flags of a segment"))
    } else {
        Ok((length(here), length(out), flags == 1))
    })
}

impl<'a> Segment<'a> {
    /// Reads the segment that `bytes` begin with; none before all of it is there.
    ///
    /// # Errors
    /// [`Malformed`] when a sum is wrong, or the content does not decompress to as many bytes as it says. No segment can say that it
    /// has more than [`limits::CQL_SEGMENT_BYTES_MAX`].
    pub(crate) fn read(bytes: &'a [u8], compresses: bool) -> Result<Option<Self>> {
        let Some(lengths) = lengths(bytes, compresses) else { return Ok(None) };
        let (here, out, is_self_contained) = lengths?;
        let header = lengths_bytes(compresses) + CRC_24_BYTES;
        let Some((content, rest)) = bytes.get(header..).and_then(|rest| rest.split_at_checked(here)) else {
            return Ok(None);
        };
        let Some((sum, _)) = rest.split_at_checked(CRC_32_BYTES) else { return Ok(None) };
        if u64::from(sum_of_content(content)) != number(sum) {
            return Err(Malformed::new("Segment payload CRC mismatch"));
        }
        let content = if out == 0 { Cow::Borrowed(content) } else { Cow::Owned(decompress(content, out)?) };
        Ok(Some(Self { content, is_self_contained, length: header + here + CRC_32_BYTES }))
    }

    /// The bytes of the segment that `bytes` begin with, once they are known.
    pub(crate) fn wanted(bytes: &[u8], compresses: bool) -> usize {
        match lengths(bytes, compresses) {
            Some(Ok((here, ..))) => lengths_bytes(compresses) + CRC_24_BYTES + here + CRC_32_BYTES,
            _ => 0,
        }
    }
}

/// Writes a frame into segments, at the end of `output`: one if it has room there.
pub(crate) fn write_segments(frame: &[u8], compresses: bool, output: &mut Vec<u8>) {
    let is_self_contained = frame.len() <= limits::CQL_SEGMENT_BYTES_MAX;
    for content in frame.chunks(limits::CQL_SEGMENT_BYTES_MAX) {
        let shorter = if compresses { compress(content) } else { None };
        let (here, out) = match &shorter {
            Some(shorter) => (shorter.as_slice(), content.len()),
            None => (content, 0),
        };
        // Chunks are no longer than the bits have room for.
        let bits = |length: usize| u64::try_from(length).unwrap_or(u64::MAX) & LENGTH_MASK;
        let flag = u64::from(is_self_contained);
        let lengths = if compresses {
            bits(here.len()) | bits(out) << LENGTH_BITS | flag << (2 * LENGTH_BITS)
        } else {
            bits(here.len()) | flag << LENGTH_BITS
        };
        let lengths = lengths.to_le_bytes();
        let lengths = lengths.get(..lengths_bytes(compresses)).unwrap_or_default();
        let sum = OF_LENGTHS.checksum(lengths).to_le_bytes();
        output.extend_from_slice(lengths);
        output.extend_from_slice(sum.get(..CRC_24_BYTES).unwrap_or_default());
        output.extend_from_slice(here);
        output.extend_from_slice(&sum_of_content(here).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(frame: &[u8], compresses: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_segments(frame, compresses, &mut bytes);
        bytes
    }

    /// The sum as the protocol describes it, bit by bit.
    fn slow_crc_24(bytes: &[u8]) -> u32 {
        let mut sum = 0x87_5060;
        for byte in bytes {
            sum ^= u32::from(*byte) << 16;
            for _ in 0..8 {
                sum <<= 1;
                if sum & 0x100_0000 != 0 {
                    sum ^= 0x197_4f0b;
                }
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn the_sum_of_lengths_is_the_described_one(bytes in prop::collection::vec(any::<u8>(), 0..8)) {
            prop_assert_eq!(OF_LENGTHS.checksum(&bytes), slow_crc_24(&bytes));
        }

        // SEM: WID-WIRE-1
        #[test]
        fn a_frame_comes_back_and_a_cut_or_changed_segment_does_not(
            frame in prop::collection::vec(0_u8..3, 1..200),
            compresses: bool,
            (at, bit) in (0_usize..300, 0_u32..8),
        ) {
            let bytes = written(&frame, compresses);
            let segment = Segment::read(&bytes, compresses).unwrap().unwrap();
            prop_assert_eq!(segment.content.as_ref(), &frame);
            prop_assert_eq!((segment.is_self_contained, segment.length), (true, bytes.len()));
            let cut = at % bytes.len();
            prop_assert_eq!(Segment::read(&bytes[..cut], compresses), Ok(None));
            let mut changed = bytes;
            changed[cut] ^= 1 << bit;
            prop_assert!(Segment::read(&changed, compresses).is_err());
        }
    }

    #[test]
    fn a_long_frame_is_sent_in_parts() {
        let most = limits::CQL_SEGMENT_BYTES_MAX;
        for (length, parts) in [(most, 1), (most + 1, 2), (3 * most, 3)] {
            for compresses in [false, true] {
                let frame: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
                let bytes = written(&frame, compresses);
                let (mut rest, mut back, mut found) = (bytes.as_slice(), Vec::new(), 0);
                while let Some(segment) = Segment::read(rest, compresses).unwrap() {
                    assert_eq!(segment.is_self_contained, parts == 1);
                    assert_eq!(Segment::wanted(rest, compresses), segment.length);
                    back.extend_from_slice(&segment.content);
                    (rest, found) = (&rest[segment.length..], found + 1);
                }
                assert!(rest.is_empty() && back == frame && found == parts);
            }
        }
    }
}
