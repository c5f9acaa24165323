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
use crate::kv::dump::budget::Budget;
use crate::kv::dump::reader::Decoder;
use crate::kv::dump::value::Value;
use crate::kv::dump::{bad, stream, tag};
use crate::kv::number::parse_float;

/// The value of a type and what follows it.
pub(super) fn decode(bytes: &[u8]) -> Result<Value> {
    let (kind, rest) = bytes.split_first().ok_or_else(bad)?;
    let mut decoder = Decoder { rest, budget: Budget::default() };
    let value = match *kind {
        tag::STRING => Value::String(decoder.string()?),
        tag::LIST => Value::List(decoder.repeat(Decoder::string)?),
        tag::SET => Value::Set(decoder.repeat(Decoder::string)?),
        tag::SORTED_SET => Value::SortedSet(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.text_score()?)))?),
        tag::HASH => Value::Hash(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.string()?)))?),
        tag::SORTED_SET_2 => Value::SortedSet(decoder.repeat(|decoder| Ok((decoder.string()?, decoder.score()?)))?),
        tag::SET_INTSET => {
            let bytes = decoder.string()?;
            Value::Set(intset(&bytes, &mut decoder.budget)?)
        }
        tag::HASH_LISTPACK => Value::Hash(pairs(decoder.listpack()?)?),
        tag::SORTED_SET_LISTPACK => {
            let scored = pairs(decoder.listpack()?)?.into_iter();
            let members = scored.map(|(member, score)| Ok((member, parse_float(&score).ok_or_else(bad)?)));
            Value::SortedSet(members.collect::<Result<_>>()?)
        }
        tag::LIST_QUICKLIST_2 => Value::List(decoder.repeat(Decoder::node)?.into_iter().flatten().collect()),
        tag::SET_LISTPACK => Value::Set(decoder.listpack()?),
        tag::STREAM_1 => Value::Stream(stream::decode(&mut decoder, 1)?),
        tag::STREAM_2 => Value::Stream(stream::decode(&mut decoder, 2)?),
        tag::STREAM_3 => Value::Stream(stream::decode(&mut decoder, 3)?),
        _ => return Err(bad()),
    };
    if decoder.rest.is_empty() { value.check() } else { Err(bad()) }
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
