//! Listpacks: strings and integers in one run of bytes, each followed by its own length, for reading backwards.
//!
//! | first byte | is                                                     | the entry goes on with      |
//! |------------|--------------------------------------------------------|-----------------------------|
//! | `0nnnnnnn` | the integer n                                          |                             |
//! | `10llllll` | a string of l bytes                                    | them                        |
//! | `110nnnnn` | a signed integer of 13 bits, the high ones             | the low 8 bits              |
//! | `1110llll` | a string of 12 bits of length, the high ones           | the low 8 bits, the bytes   |
//! | `f0`       | a string                                               | its length in 4 bytes, the bytes |
//! | `f1`–`f4`  | a signed integer of 2, 3, 4, 8 bytes                   | them                        |
//! | `ff`       | the end                                                |                             |
//!
//! Lengths and integers of whole bytes are little-endian. Before the entries are the bytes of all, in 4, and their number in
//! 2, `ffff` when it does not fit. The length after an entry has 7 bits in a byte, the high ones first, and a bit 7 in all bytes
//! but the first.
//!
//! # Source
//! S. Sanfilippo, "Listpack specification".

use crate::error::Result;
use crate::kv::dump::bad;
use crate::kv::dump::budget::Budget;

const HEADER_BYTES: usize = 6;
const END: u8 = 0xff;

/// The entries of a listpack, integers in decimal.
pub(super) fn read(listpack: &[u8], budget: &mut Budget) -> Result<Vec<Vec<u8>>> {
    let (total, after) = listpack.split_first_chunk().ok_or_else(bad)?;
    let (count, mut rest) = after.split_first_chunk().ok_or_else(bad)?;
    if usize::try_from(u32::from_le_bytes(*total)).ok() != Some(listpack.len()) {
        return Err(bad());
    }
    let mut entries = Vec::new();
    while rest != [END] {
        let (entry, after) = read_entry(rest, budget)?;
        let entry_bytes = rest.len() - after.len();
        rest = after.strip_prefix(&*back_length(entry_bytes)).ok_or_else(bad)?;
        entries.push(entry);
    }
    let count = u16::from_le_bytes(*count);
    if count != u16::MAX && usize::from(count) != entries.len() {
        return Err(bad());
    }
    Ok(entries)
}

fn read_entry<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<(Vec<u8>, &'a [u8])> {
    let (&first, rest) = bytes.split_first().ok_or_else(bad)?;
    let mut integer = |length: usize| -> Result<_> {
        let (digits, rest) = rest.split_at_checked(length).ok_or_else(bad)?;
        let sign = if digits.last().is_some_and(|high| high & 0x80 != 0) { 0xff } else { 0 };
        let mut all = [sign; 8];
        all.iter_mut().zip(digits).for_each(|(to, digit)| *to = *digit);
        Ok((budget.number(i64::from_le_bytes(all))?, rest))
    };
    match first {
        0xf1 => return integer(2),
        0xf2 => return integer(3),
        0xf3 => return integer(4),
        0xf4 => return integer(8),
        _ => {}
    }
    let string = |(length, rest): (usize, &'a [u8]), budget: &mut Budget| -> Result<_> {
        let (string, rest) = rest.split_at_checked(length).ok_or_else(bad)?;
        Ok((budget.bytes(string)?, rest))
    };
    match first {
        0..0x80 => Ok((budget.number(first.into())?, rest)),
        0x80..0xc0 => string((usize::from(first & 0x3f), rest), budget),
        0xc0..0xe0 => {
            let (&low, rest) = rest.split_first().ok_or_else(bad)?;
            let number = i64::from(first & 0x1f) << 8 | i64::from(low);
            Ok((budget.number(if number < 1 << 12 { number } else { number - (1 << 13) })?, rest))
        }
        0xe0..0xf0 => {
            let (&low, rest) = rest.split_first().ok_or_else(bad)?;
            string((usize::from(first & 0x0f) << 8 | usize::from(low), rest), budget)
        }
        0xf0 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(bad)?;
            string((usize::try_from(u32::from_le_bytes(*length)).map_err(|_| bad())?, rest), budget)
        }
        _ => Err(bad()),
    }
}

/// The bytes after an entry of this many.
fn back_length(entry_bytes: usize) -> Vec<u8> {
    // Five bytes hold 35 bits, more than a listpack has.
    let groups = match entry_bytes {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    let byte = |group: u32| {
        let low = u8::try_from(entry_bytes >> (7 * group) & 0x7f).unwrap_or_default();
        if group + 1 == groups { low } else { low | 0x80 }
    };
    (0..groups).rev().map(byte).collect()
}

/// A listpack that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADER_BYTES], count: 0 }
    }

    pub(super) fn integer(&mut self, number: i64) {
        let start = self.bytes.len();
        match (u8::try_from(number), i16::try_from(number), i32::try_from(number)) {
            (Ok(small @ 0..0x80), ..) => self.bytes.push(small),
            (_, Ok(number), _) => {
                self.bytes.push(0xf1);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
            (.., Ok(number)) => {
                self.bytes.push(0xf3);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
            _ => {
                self.bytes.push(0xf4);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        self.finish_entry(start);
    }

    pub(super) fn string(&mut self, string: &[u8]) {
        let start = self.bytes.len();
        match (u8::try_from(string.len()), u32::try_from(string.len())) {
            (Ok(length @ 0..0x40), _) => self.bytes.push(0x80 | length),
            (_, length) => {
                // A string of the store has far fewer bytes.
                self.bytes.push(0xf0);
                self.bytes.extend_from_slice(&length.unwrap_or(u32::MAX).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(string);
        self.finish_entry(start);
    }

    fn finish_entry(&mut self, start: usize) {
        let back = back_length(self.bytes.len() - start);
        self.bytes.extend_from_slice(&back);
        self.count += 1;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        // A node has one value of the store and few bytes more.
        let total = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let count = u16::try_from(self.count).unwrap_or(u16::MAX).to_le_bytes();
        let header = total.into_iter().chain(count);
        self.bytes.iter_mut().zip(header).for_each(|(to, byte)| *to = byte);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_what_the_table_says() {
        let mut writer = Writer::new();
        writer.integer(5);
        writer.string(b"ab");
        writer.integer(-1);
        let bytes = writer.finish();
        assert_eq!(bytes, [17, 0, 0, 0, 3, 0, 5, 1, 0x82, b'a', b'b', 3, 0xf1, 0xff, 0xff, 3, 0xff]);
        // 13 bits, 12 bits of length, 24 bits.
        let other = [21, 0, 0, 0, 255, 255, 0xdf, 0xff, 2, 0xe0, 1, b'x', 3, 0xf2, 0, 0, 0x80, 4, 0x7f, 1, 0xff];
        let entries = read(&other, &mut Budget::default()).unwrap();
        assert_eq!(entries, [&b"-1"[..], b"x", b"-8388608", b"127"]);
    }

    #[test]
    fn a_length_after_an_entry_has_seven_bits_in_a_byte() {
        assert_eq!(back_length(127), [127]);
        assert_eq!(back_length(128), [1, 0x80]);
        assert_eq!(back_length(16_384), [1, 0x80, 0x80]);
    }

    proptest! {
        #[test]
        fn entries_come_back(
            numbers: Vec<i64>, strings in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
        ) {
            let mut writer = Writer::new();
            for number in &numbers {
                writer.integer(*number);
            }
            for string in &strings {
                writer.string(string);
            }
            let entries = read(&writer.finish(), &mut Budget::default()).unwrap();
            let expected: Vec<_> = numbers.iter().map(|number| number.to_string().into_bytes()).chain(strings).collect();
            prop_assert_eq!(entries, expected);
        }
    }
}
