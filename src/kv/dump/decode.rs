//! Reading a value: what servers 7.0 and 7.2 write, which has compact forms of small values.
//!
//! | type        | value       | after the type                                                             |
//! |-------------|-------------|----------------------------------------------------------------------------|
//! | `00`–`05`   |             | as in `encode.rs`; `03` is a sorted set with scores as text                |
//! | `0b`        | set         | string: an intset, which is its width and number in 4 bytes each, and the integers in ascending order, all little-endian |
//! | `10`        | hash        | string: a listpack of names and values                                     |
//! | `11`        | sorted set  | string: a listpack of members and scores                                   |
//! | `12`        | list        | length; of each node, 1 and a value as a string, or 2 and a listpack as a string |
//! | `14`        | set         | string: a listpack of members                                              |
//! | `0f` `13` `15` | stream   | `stream.rs`                                                                |
//!
//! Where a string is expected, `c0`, `c1` and `c2` stand for an integer of 1, 2, 4 bytes, little-endian, and `c3` for a string
//! that is compressed (`lzf.rs`): the length of the compressed bytes, that of the string, and the compressed bytes.

use crate::error::Result;
use crate::kv::dump::value::Value;
use crate::kv::dump::{bad, listpack, lzf, stream};
use crate::kv::number::parse_float;
use crate::limits;

pub(super) const STRING: u8 = 0x00;
pub(super) const LIST: u8 = 0x01;
pub(super) const SET: u8 = 0x02;
const SORTED_SET: u8 = 0x03;
pub(super) const HASH: u8 = 0x04;
pub(super) const SORTED_SET_2: u8 = 0x05;
const SET_INTSET: u8 = 0x0b;
const STREAM_1: u8 = 0x0f;
const HASH_LISTPACK: u8 = 0x10;
const SORTED_SET_LISTPACK: u8 = 0x11;
const LIST_QUICKLIST_2: u8 = 0x12;
pub(super) const STREAM_2: u8 = 0x13;
const SET_LISTPACK: u8 = 0x14;
const STREAM_3: u8 = 0x15;

/// How much more may be held of a value.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(limits::RESTORED_BYTES_MAX)
    }
}

impl Budget {
    /// What holding a string costs besides its bytes.
    const STRING_BYTES: usize = 48;

    fn charge(&mut self, bytes: usize) -> Result<()> {
        let left = self.0.checked_sub(bytes.saturating_add(Self::STRING_BYTES));
        let spent = || limits::RESTORED_BYTES_MAX.saturating_sub(self.0).saturating_add(bytes);
        match left {
            Some(left) => self.0 = left,
            None => limits::check(
                "restored bytes",
                limits::RESTORED_BYTES_MAX,
                spent().max(limits::RESTORED_BYTES_MAX + 1),
            )?,
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.charge(bytes.len())?;
        Ok(bytes.to_vec())
    }

    pub(super) fn number(&mut self, number: i64) -> Result<Vec<u8>> {
        self.charge(20)?;
        Ok(number.to_string().into_bytes())
    }
}

/// The value of a type and what follows it.
pub(super) fn decode(bytes: &[u8]) -> Result<Value> {
    let (kind, rest) = bytes.split_first().ok_or_else(bad)?;
    let mut decoder = Decoder { rest, budget: Budget::default() };
    let value = match *kind {
        STRING => Value::String(decoder.string()?),
        LIST => Value::List(decoder.repeat(Decoder::string)?),
        SET => Value::Set(decoder.repeat(Decoder::string)?),
        SORTED_SET => Value::SortedSet(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.text_score()?)))?),
        HASH => Value::Hash(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.string()?)))?),
        SORTED_SET_2 => Value::SortedSet(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.score()?)))?),
        SET_INTSET => {
            let bytes = decoder.string()?;
            Value::Set(intset(&bytes, &mut decoder.budget)?)
        }
        HASH_LISTPACK => Value::Hash(pairs(decoder.listpack()?)?),
        SORTED_SET_LISTPACK => {
            let scored = pairs(decoder.listpack()?)?.into_iter();
            let members = scored.map(|(member, score)| Ok((member, parse_float(&score).ok_or_else(bad)?)));
            Value::SortedSet(members.collect::<Result<_>>()?)
        }
        LIST_QUICKLIST_2 => Value::List(decoder.repeat(Decoder::node)?.into_iter().flatten().collect()),
        SET_LISTPACK => Value::Set(decoder.listpack()?),
        STREAM_1 => Value::Stream(stream::decode(&mut decoder, 1)?),
        STREAM_2 => Value::Stream(stream::decode(&mut decoder, 2)?),
        STREAM_3 => Value::Stream(stream::decode(&mut decoder, 3)?),
        _ => return Err(bad()),
    };
    if decoder.rest.is_empty() { value.check() } else { Err(bad()) }
}

/// What is left of a value.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
    pub(super) budget: Budget,
}

/// What stands where a length or a special string may.
enum Length {
    Plain(u64),
    Special(u8),
}

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(bad)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(bad)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn length_or_special(&mut self) -> Result<Length> {
        let [first] = self.array()?;
        Ok(match first {
            0..0x40 => Length::Plain(first.into()),
            0x40..0x80 => {
                let [low] = self.array()?;
                Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(low))
            }
            0x80 => Length::Plain(u32::from_be_bytes(self.array()?).into()),
            0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            0xc0.. => Length::Special(first & 0x3f),
            _ => return Err(bad()),
        })
    }

    pub(super) fn length(&mut self) -> Result<u64> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(bad()),
        }
    }

    fn len(&mut self) -> Result<usize> {
        usize::try_from(self.length()?).map_err(|_| bad())
    }

    pub(super) fn string(&mut self) -> Result<Vec<u8>> {
        match self.length_or_special()? {
            Length::Plain(length) => {
                let bytes = self.take(usize::try_from(length).map_err(|_| bad())?)?;
                self.budget.bytes(bytes)
            }
            Length::Special(0) => {
                let number = i8::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(1) => {
                let number = i16::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(2) => {
                let number = i32::from_le_bytes(self.array()?);
                self.budget.number(number.into())
            }
            Length::Special(3) => {
                let (compressed, length) = (self.len()?, self.len()?);
                self.budget.charge(length)?;
                lzf::decompress(self.take(compressed)?, length)
            }
            Length::Special(_) => Err(bad()),
        }
    }

    pub(super) fn listpack(&mut self) -> Result<Vec<Vec<u8>>> {
        let bytes = self.string()?;
        listpack::read(&bytes, &mut self.budget)
    }

    /// As many of what `read` reads as the length before them says. Each takes a byte at least, so the length is not trusted.
    pub(super) fn repeat<R>(&mut self, mut read: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        let mut all = Vec::new();
        for _ in 0..self.length()? {
            all.push(read(self)?);
        }
        Ok(all)
    }

    fn score(&mut self) -> Result<f64> {
        Some(f64::from_le_bytes(self.array()?)).filter(|score| !score.is_nan()).ok_or_else(bad)
    }

    fn text_score(&mut self) -> Result<f64> {
        match self.array()? {
            [253] => Err(bad()),
            [254] => Ok(f64::INFINITY),
            [255] => Ok(f64::NEG_INFINITY),
            [length] => parse_float(self.take(length.into())?).ok_or_else(bad),
        }
    }

    fn node(&mut self) -> Result<Vec<Vec<u8>>> {
        match self.length()? {
            1 => Ok(vec![self.string()?]),
            2 => self.listpack(),
            _ => Err(bad()),
        }
    }
}

fn pairs(entries: Vec<Vec<u8>>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut pairs = Vec::with_capacity(entries.len() / 2);
    let mut entries = entries.into_iter();
    while let Some(first) = entries.next() {
        pairs.push((first, entries.next().ok_or_else(bad)?));
    }
    Ok(pairs)
}

fn intset(bytes: &[u8], budget: &mut Budget) -> Result<Vec<Vec<u8>>> {
    let (width, rest) = bytes.split_first_chunk().ok_or_else(bad)?;
    let (count, rest) = rest.split_first_chunk().ok_or_else(bad)?;
    let width = match u32::from_le_bytes(*width) {
        2 => 2,
        4 => 4,
        8 => 8,
        _ => return Err(bad()),
    };
    let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| bad())?;
    if count.checked_mul(width) != Some(rest.len()) {
        return Err(bad());
    }
    let mut before = None;
    let members = rest.chunks_exact(width).map(|digits| {
        let sign = if digits.last().is_some_and(|high| high & 0x80 != 0) { 0xff } else { 0 };
        let mut all = [sign; 8];
        all.iter_mut().zip(digits).for_each(|(to, digit)| *to = *digit);
        let number = i64::from_le_bytes(all);
        if before.replace(number).is_some_and(|before| before >= number) {
            return Err(bad());
        }
        budget.number(number)
    });
    members.collect()
}
