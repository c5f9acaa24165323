//! Values as index keys: byte order is the order of values, for every pair of them.
//!
//! A value is its [`Class`] byte and then:
//!
//! | class                        | body                                                                             |
//! |------------------------------|----------------------------------------------------------------------------------|
//! | `MinKey` `Null` `MaxKey` …   | nothing                                                                          |
//! | `Number`                     | nearest double toward zero as an ordered `f64` (NaN: 8 zero bytes), then `01` when it is the value, else `00` (below it) or `02` (above it) and the exact value as a decimal |
//! | `String` `Code` `Pointer`    | escaped and terminated                                                           |
//! | `Object`                     | per field: class byte, name (escaped and terminated), body; then `00`            |
//! | `Array`                      | per element: class byte, body; then `00`                                         |
//! | `Binary`                     | length (`u32`; of the old subtype 2 with the 4 bytes of its inner length), subtype, bytes |
//! | `ObjectId` `Boolean`         | 12 bytes; `00` or `01`                                                           |
//! | `Date` `Timestamp`           | ordered `i64`; seconds and increment (`u32` each)                                |
//! | `Regex`                      | pattern and flags, each escaped and terminated                                   |
//! | `ScopedCode`                 | code, escaped and terminated; scope as an object's body                          |
//!
//! Equal values of different types have one encoding: 1, 1.0 and decimal 1.00. A descending field is inverted.
//! 1 is `20 bff0000000000000 01`, and `"a"` is `28 61 0000`.
//!
//! Under a collation the body of a `String` is its sort key, escaped and terminated as the text is otherwise; so is text within
//! objects and arrays. Names of fields and code are not collated. Texts that the collation has for equal have one encoding.
//!
//! # Long values
//! A value whose encoding is longer than [`INDEX_COMPONENT_BYTES_MAX`] is in the key of an index entry with so many bytes of it and the
//! SHA-256 of all of it, 32 bytes ([`long`]), inverted together when the field descends. Values that differ in their first bytes are in
//! order; the order of those that do not is that of their hashes, and who needs theirs looks at the documents.
//!
//! # Invariants
//! No encoding is a prefix of another, so that fields can be concatenated and inverted one by one. That is so for
//! shortened ones, too: no encoding begins another one, and so none begins the first bytes of a long one, or ends there.

use bson::RawBsonRef;
use bson::spec::BinarySubtype;

use crate::document::number::{Number, Truncated};
use crate::document::order::{BINARY_OLD_LENGTH_BYTES, Class, Fields, Order, Value, binary_length};
use crate::encoding::decimal::{put_decimal, take_decimal};
use crate::encoding::long::{self, HASH_BYTES};
use crate::encoding::ordered::{Reader, invert, put_bytes, put_f64, put_i64};
use crate::error::{Error, Result};
use crate::limits::{self, INDEX_COMPONENT_BYTES_MAX};

/// Ends an object or array: below every class.
const END: u8 = 0x00;

/// How a number relates to the double before it.
const BELOW: u8 = 0x00;
const EXACT: u8 = 0x01;
const ABOVE: u8 = 0x02;

/// Appends `value`, whose text `order` orders.
///
/// # Errors
/// None for values that BSON can hold; the decimal encoding has a limit that decimal128 cannot reach.
pub(super) fn put_value(out: &mut Vec<u8>, value: &Value<'_>, order: Order<'_>) -> Result<()> {
    out.push(value.class() as u8);
    put_body(out, value, order)
}

/// Appends `value` as a field of an index key: a long one with its first bytes and its hash.
pub(super) fn put_index_field(out: &mut Vec<u8>, value: &Value<'_>, descending: bool, order: Order<'_>) -> Result<()> {
    let start = out.len();
    put_value(out, value, order)?;
    long::shorten(out, start, INDEX_COMPONENT_BYTES_MAX);
    invert_from(out, start, descending);
    Ok(())
}

/// Appends the hash of `value` as a field of an index key, which is always ascending: a number of 64 bits.
pub(super) fn put_hashed(out: &mut Vec<u8>, value: &Value<'_>, _: bool, order: Order<'_>) -> Result<()> {
    put_number_value(out, hash_number(value, order)?)
}

/// The number that a hashed field of an index key has for `value`: the first bytes of the SHA-256 of its encoding.
pub(super) fn hash_number(value: &Value<'_>, order: Order<'_>) -> Result<i64> {
    let mut encoded = Vec::new();
    put_value(&mut encoded, value, order)?;
    Ok(number_of(&encoded))
}

/// What a hashed field of an index key has for the value whose encoding is `encoded`.
pub(super) fn hashed(encoded: &[u8]) -> Result<Vec<u8>> {
    let mut field = Vec::new();
    put_number_value(&mut field, number_of(encoded))?;
    Ok(field)
}

fn number_of(encoded: &[u8]) -> i64 {
    let hash: [u8; HASH_BYTES] = long::hash(encoded);
    i64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default())
}

fn put_number_value(out: &mut Vec<u8>, number: i64) -> Result<()> {
    put_value(out, &Value::Number(Number::Int64(number)), Order::SIMPLE)
}

/// What an ascending field of an index key has for the value whose encoding is `encoded`.
pub(super) fn in_index(encoded: &[u8]) -> Vec<u8> {
    let mut field = encoded.to_vec();
    long::shorten(&mut field, 0, INDEX_COMPONENT_BYTES_MAX);
    field
}

/// What every field begins with whose value has an encoding that begins with `encoded`, or, when this is a long one, with the same
/// first bytes. Returns whether it is.
pub(super) fn first_bytes(encoded: &[u8]) -> (&[u8], bool) {
    match encoded.split_at_checked(INDEX_COMPONENT_BYTES_MAX) {
        Some((first, rest)) if !rest.is_empty() => (first, true),
        _ => (encoded, false),
    }
}

/// Appends `value` as a field of a sort key: whole, whatever its length.
pub(super) fn put_field(out: &mut Vec<u8>, value: &Value<'_>, descending: bool, order: Order<'_>) -> Result<()> {
    let start = out.len();
    put_value(out, value, order)?;
    invert_from(out, start, descending);
    Ok(())
}

/// Appends the field that stands for an empty array.
pub(super) fn put_empty_array(out: &mut Vec<u8>, descending: bool) {
    let start = out.len();
    out.push(Class::EmptyArray as u8);
    invert_from(out, start, descending);
}

/// How many bytes the first fields of the key of an index entry take, where `descending` has their directions.
///
/// # Errors
/// [`Error::Corruption`] when the bytes are not an encoding.
pub(super) fn fields_len(key: &[u8], descending: impl IntoIterator<Item = bool>) -> Result<usize> {
    let mut length = 0;
    for descending in descending {
        length += field_len(key.get(length..).unwrap_or_default(), descending)?.0;
    }
    Ok(length)
}

/// How many bytes of the key of an index entry its order by the first fields depends on: those of the fields, or, when one of them is
/// long, those up to its hash. Returns whether that is so.
pub(super) fn ordered_len(key: &[u8], descending: impl IntoIterator<Item = bool>) -> Result<(usize, bool)> {
    let mut length = 0;
    for descending in descending {
        let (of_field, is_long) = field_len(key.get(length..).unwrap_or_default(), descending)?;
        if is_long {
            return Ok((length + INDEX_COMPONENT_BYTES_MAX, true));
        }
        length += of_field;
    }
    Ok((length, false))
}

/// How many bytes the first field of `key` takes, and whether it is a long one. One that is not ends within the bound.
fn field_len(key: &[u8], descending: bool) -> Result<(usize, bool)> {
    let window = key.get(..INDEX_COMPONENT_BYTES_MAX).unwrap_or(key);
    let mut reader = Reader::new(window);
    reader.set_descending(descending);
    let skipped = reader.u8().and_then(|class| skip_body(&mut reader, class, limits::DOCUMENT_DEPTH_MAX));
    match skipped {
        Ok(()) => Ok((window.len() - reader.rest().len(), false)),
        Err(_) if key.len() >= INDEX_COMPONENT_BYTES_MAX + HASH_BYTES => {
            Ok((INDEX_COMPONENT_BYTES_MAX + HASH_BYTES, true))
        }
        Err(error) => Err(error),
    }
}

/// The bytes under which values meet that `order` has for equal.
pub(super) fn canonical(value: RawBsonRef<'_>, order: Order<'_>) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    put_value(&mut key, &Value::from(value), order)?;
    Ok(key)
}

fn put_body(out: &mut Vec<u8>, value: &Value<'_>, order: Order<'_>) -> Result<()> {
    match value {
        Value::MinKey | Value::Null | Value::MaxKey => {}
        Value::Number(number) => put_number(out, *number)?,
        Value::String(text) => match order.text_key(text) {
            None => put_bytes(out, text.as_bytes()),
            Some(key) => put_bytes(out, &key),
        },
        Value::Code(text) => put_bytes(out, text.as_bytes()),
        Value::Object(fields) => put_object(out, *fields, order)?,
        Value::Array(elements) => {
            for (_, element) in elements.iter() {
                put_value(out, &element, order)?;
            }
            out.push(END);
        }
        Value::Binary(subtype, bytes) => {
            let length = binary_length(*subtype, bytes);
            out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            out.push(u8::from(*subtype));
            out.extend_from_slice(bytes);
        }
        Value::ObjectId(id) => out.extend_from_slice(id),
        Value::Boolean(value) => out.push(u8::from(*value)),
        Value::Date(millis) => put_i64(out, *millis),
        Value::Timestamp(timestamp) => {
            out.extend_from_slice(&timestamp.time.to_be_bytes());
            out.extend_from_slice(&timestamp.increment.to_be_bytes());
        }
        Value::Regex(pattern, flags) => {
            put_bytes(out, pattern.as_bytes());
            put_bytes(out, flags.as_bytes());
        }
        Value::Pointer(bytes) => put_bytes(out, bytes),
        Value::ScopedCode(code, scope) => {
            put_bytes(out, code.as_bytes());
            put_object(out, *scope, order)?;
        }
    }
    Ok(())
}

fn put_object(out: &mut Vec<u8>, fields: Fields<'_>, order: Order<'_>) -> Result<()> {
    for (name, value) in fields.iter() {
        out.push(value.class() as u8);
        put_bytes(out, name.as_bytes());
        put_body(out, &value, order)?;
    }
    out.push(END);
    Ok(())
}

fn put_number(out: &mut Vec<u8>, number: Number) -> Result<()> {
    if number.is_nan() {
        // Below the encoding of −infinity, and of any double but the negative NaN that is never put.
        out.extend_from_slice(&[0; 8]);
        out.push(EXACT);
        return Ok(());
    }
    let Truncated { toward_zero, exact } = number.truncate();
    put_f64(out, toward_zero);
    let Some(exact) = exact else {
        out.push(EXACT);
        return Ok(());
    };
    let negative = number.compare(Number::Int32(0)).is_lt();
    out.push(if negative { BELOW } else { ABOVE });
    put_decimal(out, &exact)
}

fn skip_body(reader: &mut Reader<'_>, class: u8, depth: usize) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::corrupt("index key", "it is nested too deeply"))?;
    match class {
        c if c == Class::Number as u8 => {
            reader.array::<8>()?;
            if reader.u8()? != EXACT {
                take_decimal(reader)?;
            }
        }
        c if [Class::String as u8, Class::Code as u8, Class::Pointer as u8].contains(&c) => reader.skip_bytes()?,
        c if c == Class::Object as u8 => skip_object(reader, depth)?,
        c if c == Class::Array as u8 => loop {
            match reader.u8()? {
                END => break,
                class => skip_body(reader, class, depth)?,
            }
        },
        c if c == Class::Binary as u8 => {
            let (length, subtype) = (usize::try_from(reader.u32()?).unwrap_or(usize::MAX), reader.u8()?);
            let is_old = subtype == u8::from(BinarySubtype::BinaryOld);
            for _ in 0..length.saturating_sub(if is_old { BINARY_OLD_LENGTH_BYTES } else { 0 }) {
                reader.u8()?;
            }
        }
        c if c == Class::ObjectId as u8 => drop(reader.array::<12>()?),
        c if c == Class::Boolean as u8 => drop(reader.u8()?),
        c if c == Class::Date as u8 || c == Class::Timestamp as u8 => drop(reader.array::<8>()?),
        c if c == Class::Regex as u8 => {
            reader.skip_bytes()?;
            reader.skip_bytes()?;
        }
        c if c == Class::ScopedCode as u8 => {
            reader.skip_bytes()?;
            skip_object(reader, depth)?;
        }
        c if [Class::MinKey, Class::EmptyArray, Class::Null, Class::MaxKey].iter().any(|class| *class as u8 == c) => {}
        other => return Err(Error::corrupt("index key", format!("class byte {other:02x}"))),
    }
    Ok(())
}

fn skip_object(reader: &mut Reader<'_>, depth: usize) -> Result<()> {
    loop {
        match reader.u8()? {
            END => return Ok(()),
            class => {
                reader.skip_bytes()?;
                skip_body(reader, class, depth)?;
            }
        }
    }
}

fn invert_from(out: &mut [u8], start: usize, descending: bool) {
    if descending && let Some(field) = out.get_mut(start..) {
        invert(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::order::tests::{number, value};
    use crate::encoding::hex::hex;
    use bson::{Bson, bson, doc};
    use proptest::prelude::*;

    fn encoded(value: &Bson, descending: bool) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, &Value::from(value), descending, Order::SIMPLE).unwrap();
        out
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        assert_eq!(hex(&encoded(&bson!(1), false)), "20bff000000000000001");
        assert_eq!(hex(&encoded(&bson!("a"), false)), "28610000");
        assert_eq!(hex(&encoded(&bson!("a"), true)), "d79effff");
        assert_eq!(hex(&encoded(&bson!({ "x": true }), false)), "305078000001".to_owned() + "00");
        assert_eq!(hex(&encoded(&bson!([null]), false)), "381800");
        assert_eq!(
            hex(&encoded(&Bson::Int64((1 << 53) + 1), false)),
            "20c34000000000000002038000".to_owned() + "00105b08145d374b0a5e00"
        );
    }

    // SEM: DOC-ORD-3
    #[test]
    fn equal_numbers_of_every_type_have_one_encoding() {
        let one = [bson!(1), bson!(1i64), bson!(1.0), Bson::Decimal128("1.00".parse().unwrap())];
        assert!(one.iter().all(|value| encoded(value, false) == encoded(&bson!(1), false)));
        assert_eq!(encoded(&bson!(-0.0), false), encoded(&bson!(0), false));
        let large = Bson::Decimal128("9007199254740993".parse().unwrap());
        assert_eq!(encoded(&large, false), encoded(&Bson::Int64(9_007_199_254_740_993), false));
    }

    #[test]
    fn bytes_that_are_no_key_are_corrupt_and_no_panic() {
        let key = encoded(&bson!({ "a": [1, "x", null], "b": 0.5 }), false);
        for cut in 0..key.len() {
            assert!(fields_len(&key[..cut], [false]).is_err(), "cut at {cut}");
        }
        assert!(fields_len(&[0x38; 300], [false]).is_err(), "nested too deeply");
        assert!(fields_len(&[0x99], [false]).is_err(), "no class");
    }

    #[test]
    fn a_long_value_is_in_an_index_key_with_its_first_bytes_and_its_hash() {
        let indexed = |text: &str, descending| {
            let mut key = Vec::new();
            put_index_field(&mut key, &Value::from(&bson!(text)), descending, Order::SIMPLE).unwrap();
            key
        };
        // The class and the two bytes at the end count.
        let (longest, long) = ("a".repeat(INDEX_COMPONENT_BYTES_MAX - 3), "a".repeat(INDEX_COMPONENT_BYTES_MAX - 2));
        for descending in [false, true] {
            assert_eq!(indexed(&longest, descending), encoded(&bson!(longest.as_str()), descending));
            let mut key = indexed(&long, descending);
            assert_eq!(key.len(), INDEX_COMPONENT_BYTES_MAX + HASH_BYTES);
            let whole = encoded(&bson!(long.as_str()), descending);
            assert_eq!(key[..INDEX_COMPONENT_BYTES_MAX], whole[..INDEX_COMPONENT_BYTES_MAX]);
            assert_eq!(fields_len(&key, [descending]).unwrap(), key.len());
            assert_eq!(ordered_len(&key, [descending]).unwrap(), (INDEX_COMPONENT_BYTES_MAX, true));
            let first = indexed("b", true);
            key.splice(..0, first.iter().copied());
            key.extend(indexed("c", false));
            let both = first.len() + INDEX_COMPONENT_BYTES_MAX + HASH_BYTES;
            assert_eq!(fields_len(&key, [true, descending]).unwrap(), both);
            assert_eq!(fields_len(&key, [true, descending, false]).unwrap(), key.len());
            assert_eq!(ordered_len(&key, [true]).unwrap(), (first.len(), false));
            assert_eq!(
                ordered_len(&key, [true, descending, false]).unwrap().0,
                first.len() + INDEX_COMPONENT_BYTES_MAX
            );
            assert!(fields_len(&key[..both - 1], [true, descending]).is_err(), "damage");
        }
        assert_eq!(in_index(&encoded(&bson!(long.as_str()), false)), indexed(&long, false));
    }

    proptest! {
        // SEM: DOC-ORD-9
        #[test]
        fn byte_order_is_the_order_of_values(a in value(), b in value()) {
            let order = Order::SIMPLE.compare_bson(&a, &b);
            prop_assert_eq!(encoded(&a, false).cmp(&encoded(&b, false)), order);
            prop_assert_eq!(encoded(&a, true).cmp(&encoded(&b, true)), order.reverse());
        }

        // SEM: DOC-ORD-2, DOC-ORD-9
        #[test]
        fn byte_order_is_numeric_order(a in number(), b in number()) {
            prop_assert_eq!(encoded(&a, false).cmp(&encoded(&b, false)), Order::SIMPLE.compare_bson(&a, &b));
        }

        #[test]
        fn fields_end_where_they_say(a in value(), b in value(), down: (bool, bool), tail: u8) {
            let first = encoded(&a, down.0);
            let mut key = first.clone();
            key.extend(encoded(&b, down.1));
            let both = key.len();
            key.push(tail);
            prop_assert_eq!(fields_len(&key, [down.0]).unwrap(), first.len());
            prop_assert_eq!(fields_len(&key, [down.0, down.1]).unwrap(), both);
        }

        #[test]
        fn compound_keys_order_by_field(a in (value(), value()), b in (value(), value())) {
            let key = |(x, y): &(Bson, Bson)| [encoded(x, false), encoded(y, true)].concat();
            let order = Order::SIMPLE.compare_bson(&a.0, &b.0).then(Order::SIMPLE.compare_bson(&b.1, &a.1));
            prop_assert_eq!(key(&a).cmp(&key(&b)), order);
        }
    }

    #[test]
    fn an_empty_array_sorts_below_null_and_above_min_key() {
        let mut empty = Vec::new();
        put_empty_array(&mut empty, false);
        assert!(encoded(&Bson::MinKey, false) < empty && empty < encoded(&Bson::Null, false));
        assert_eq!(fields_len(&empty, [false]).unwrap(), 1);
        assert!(encoded(&doc! {}.into(), false) < encoded(&bson!([]), false));
    }
}
