//! Items as stored bytes. An item has exactly one record.
//!
//! | bytes | field      | encoding                                                             |
//! |-------|------------|----------------------------------------------------------------------|
//! | 1     | format     | `0x01`                                                               |
//! | 0..   | attributes | count, then (length, name, value) with names ascending               |
//!
//! A length or count is a base-128 varint, lowest seven bits first, of as few bytes as it needs. A length counts bytes.
//!
//! | type          | byte      | then                                                               |
//! |---------------|-----------|--------------------------------------------------------------------|
//! | S, B          | `01`,`03` | length, bytes                                                      |
//! | N             | `02`      | the form for records of `number/encoding.rs`, which ends itself    |
//! | BOOL          | `04`,`05` | nothing: false, true                                               |
//! | NULL          | `06`      | nothing                                                            |
//! | M             | `07`      | length, then as the attributes of the record                       |
//! | L             | `08`      | length, count, values                                              |
//! | SS, NS, BS    | `09`..`0b`| length, count, then elements ascending, each as in its type without the byte |
//!
//! `{"a": "b", "n": 12.5}` is `01 02 01 61 01 01 62 01 6e 02 21 ff 7d`.
//!
//! Every value can be passed over without looking into it, so that attributes are found, filtered and projected where
//! they are stored ([`RecordRef`]), and equal values are equal bytes.

mod cursor;
mod decode;
mod measure;
mod names;
mod retain;
mod sequence;
#[cfg(test)]
mod tests;
mod view;

use crate::error::{Error, Result};
use crate::item::number::put_record as put_number;
use crate::item::{AttributeIter, AttributeValue, Item};
use crate::limits;

pub(crate) use cursor::ValueRef;
pub(crate) use names::Names;
pub(crate) use sequence::{Elements, Entries, Members};
pub(crate) use view::{Content, RecordRef};

const FORMAT: u8 = 0x01;

/// What a value takes beside its text or bytes, and what one of another kind takes, roughly: room that is made at once.
const FIELD_BYTES: usize = 4;
const OTHER_VALUE_BYTES: usize = 16;

const S: u8 = 0x01;
const N: u8 = 0x02;
const B: u8 = 0x03;
const FALSE: u8 = 0x04;
const TRUE: u8 = 0x05;
const NULL: u8 = 0x06;
const M: u8 = 0x07;
const L: u8 = 0x08;
const SS: u8 = 0x09;
const NS: u8 = 0x0a;
const BS: u8 = 0x0b;

/// The record of `item`.
///
/// # Errors
/// [`Error::LimitExceeded`] when it nests too deeply: that bounds the recursion.
pub(super) fn encode(item: &Item) -> Result<Vec<u8>> {
    let room = item.iter().map(|(name, value)| {
        name.len()
            + FIELD_BYTES
            + match value {
                AttributeValue::S(text) => text.len() + FIELD_BYTES,
                AttributeValue::B(bytes) => bytes.len() + FIELD_BYTES,
                _ => OTHER_VALUE_BYTES,
            }
    });
    let mut out = Vec::with_capacity(FIELD_BYTES + room.sum::<usize>());
    out.push(FORMAT);
    put_map(&mut out, item.iter(), 1)?;
    Ok(out)
}

/// The stored form of a value by itself, as constants of expressions are kept: see [`ValueRef::of`].
///
/// # Errors
/// [`Error::LimitExceeded`] when it nests too deeply.
pub(super) fn encode_value(value: &AttributeValue) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    put_value(&mut out, value, 1)?;
    Ok(out)
}

/// The item of a record.
///
/// # Errors
/// [`Error::Corruption`] for bytes that [`encode`] does not write.
pub(super) fn decode(bytes: &[u8]) -> Result<Item> {
    RecordRef::new(bytes)?.to_item()
}

fn put_map(out: &mut Vec<u8>, entries: AttributeIter<'_>, level: usize) -> Result<()> {
    put_length(out, entries.len());
    for (name, value) in entries {
        put_bytes(out, name.as_bytes());
        put_value(out, value, level)?;
    }
    Ok(())
}

/// Lists and maps inside `value` are at `level`.
fn put_value(out: &mut Vec<u8>, value: &AttributeValue, level: usize) -> Result<()> {
    match value {
        AttributeValue::S(string) => {
            out.push(S);
            put_bytes(out, string.as_bytes());
        }
        AttributeValue::N(number) => {
            out.push(N);
            put_number(out, number);
        }
        AttributeValue::B(bytes) => {
            out.push(B);
            put_bytes(out, bytes);
        }
        AttributeValue::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
        AttributeValue::Null => out.push(NULL),
        AttributeValue::M(map) => {
            limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, level)?;
            put_measured(out, M, |out| put_map(out, map.iter(), level + 1))?;
        }
        AttributeValue::L(list) => {
            limits::check("item nesting levels", limits::ITEM_DEPTH_MAX, level)?;
            put_measured(out, L, |out| {
                put_length(out, list.len());
                list.iter().try_for_each(|value| put_value(out, value, level + 1))
            })?;
        }
        AttributeValue::Ss(set) => put_measured(out, SS, |out| {
            put_length(out, set.iter().len());
            set.iter().for_each(|string| put_bytes(out, string.as_bytes()));
            Ok(())
        })?,
        AttributeValue::Ns(set) => put_measured(out, NS, |out| {
            put_length(out, set.iter().len());
            set.iter().for_each(|number| put_number(out, number));
            Ok(())
        })?,
        AttributeValue::Bs(set) => put_measured(out, BS, |out| {
            put_length(out, set.iter().len());
            set.iter().for_each(|bytes| put_bytes(out, bytes));
            Ok(())
        })?,
    }
    Ok(())
}

/// Appends `tag`, and behind it what `put` appends, preceded by its length.
fn put_measured(out: &mut Vec<u8>, tag: u8, put: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    // Most lengths have one byte, which is put in its place afterwards.
    out.extend_from_slice(&[tag, 0]);
    let start = out.len();
    put(out)?;
    let length = out.len().saturating_sub(start);
    if let Some(place) = out.get_mut(start.saturating_sub(1)) {
        let [low, ..] = length.to_le_bytes();
        *place = low;
    }
    if length >= 0x80 {
        let mut bytes = Vec::new();
        put_length(&mut bytes, length);
        out.splice(start.saturating_sub(1)..start, bytes);
    }
    Ok(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn too_short() -> Error {
    corrupt("it ends inside a field")
}

fn corrupt(detail: impl Into<String>) -> Error {
    Error::corrupt("item record", detail)
}
