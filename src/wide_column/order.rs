//! Serialized values in the order of their type: what clustering columns are encoded as in keys, and how values compare.
//!
//! | type                            | bytes                                                                 |
//! |---------------------------------|-----------------------------------------------------------------------|
//! | `int`, `bigint`, `timestamp`, `counter` | big-endian with the sign bit flipped; then the mark of zeros  |
//! | `tinyint`, `smallint`, `time`   | big-endian with the sign bit flipped                                  |
//! | `date`                          | big-endian                                                            |
//! | `boolean`                       | its byte, then the mark of zeros                                      |
//! | `float`, `double`               | ordered bits; every NaN is the positive quiet one, and so last; then the mark of zeros |
//! | `ascii`, `text`, `blob`, `inet` | escaped and terminated; a long one with a hash ([`put_inner`])        |
//! | `uuid`                          | version + 1; time (version 1) or first half; second half              |
//! | `timeuuid`                      | time; second half with the sign bit of each byte flipped; then the mark of zeros |
//! | `varint`                        | `01` negative, `02` not; length (u16); magnitude; inverted after `01` |
//! | `decimal`                       | [`put_decimal`], equal for 1.0 and 1.00                               |
//! | `list`, `set`, `map`            | before each element, or key and value, `01`; at the end `00`          |
//! | `tuple`, user's types           | each value with `01` before it, `00` where there is none              |
//! | `vector`                        | its elements                                                          |
//!
//! *Time* is the first half of a UUID with its most significant part first. *The mark of zeros*: values of a fixed width have no
//! room for the empty value, which comes first. So a value whose bytes are all `00` is followed by `01`, and the empty value
//! is as many `00` and one more; other values are followed by nothing. The empty value of the other types is `00`.
//!
//! No value's bytes are a prefix of another's. Two values that are equal in the order of their type have the same bytes: what
//! else differs in them (digits of a decimal, bits of a NaN) does not come back from a key, and is kept beside it.

use std::cmp::Ordering;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};

use crate::encoding::decimal::{put_decimal, take_decimal};
use crate::encoding::long::{put_inner, take_inner_into};
use crate::encoding::ordered::{Reader, invert};
use crate::error::{Error, Result};
use crate::wide_column::parts::{Fields, NULL, elements, entries, vector};
use crate::wide_column::types::CqlType;
use crate::wide_column::vint;

const NEGATIVE: u8 = 0x01;
const NOT_NEGATIVE: u8 = 0x02;
/// The empty value, where it is one byte.
const EMPTY: u8 = 0x00;
/// Behind the last element; and where a tuple has no value.
const NO_MORE: u8 = 0x00;
const ONE_MORE: u8 = 0x01;
/// Behind bytes that are all zero: whether they are a value, or the empty one.
const IS_VALUE: u8 = 0x01;

/// Bytes whose sign bits make their unsigned order the signed one.
const SIGN_OF_EACH_BYTE: u64 = 0x8080_8080_8080_8080;

/// Appends a serialized value of `cql_type`, text and bytes in about `max` bytes. Returns whether it is long, and so not there
/// whole.
///
/// # Errors
/// [`Error::Corruption`] for bytes that are no value of it; [`Error::LimitExceeded`] for a number too long for a key.
pub(super) fn put(out: &mut Vec<u8>, cql_type: &CqlType, bytes: &[u8], max: usize) -> Result<bool> {
    match cql_type.thawed() {
        CqlType::Ascii | CqlType::Text | CqlType::Blob | CqlType::Inet => return Ok(put_inner(out, bytes, max)),
        CqlType::Tinyint | CqlType::Smallint | CqlType::Time => put_signed(out, bytes),
        CqlType::Date => out.extend_from_slice(bytes),
        CqlType::Int => put_marked(out, 4, bytes, put_signed),
        CqlType::Bigint | CqlType::Timestamp | CqlType::Counter => put_marked(out, 8, bytes, put_signed),
        CqlType::Boolean => put_marked(out, 1, bytes, Vec::extend_from_slice),
        CqlType::Float => put_marked(out, 4, bytes, put_float),
        CqlType::Double => put_marked(out, 8, bytes, put_double),
        CqlType::Timeuuid => put_marked(out, 16, bytes, put_timeuuid),
        CqlType::Uuid => put_uuid(out, bytes),
        CqlType::Varint | CqlType::Decimal if bytes.is_empty() => out.push(EMPTY),
        CqlType::Varint => put_varint(out, &BigInt::from_signed_bytes_be(bytes))?,
        CqlType::Decimal => {
            let (scale, unscaled) = bytes.split_first_chunk().ok_or_else(malformed)?;
            let unscaled = BigInt::from_signed_bytes_be(unscaled);
            put_decimal(out, &BigDecimal::new(unscaled, i32::from_be_bytes(*scale).into()))?;
        }
        CqlType::List(element) | CqlType::Set(element) => {
            for part in elements(bytes)? {
                out.push(ONE_MORE);
                put(out, element, part?, usize::MAX)?;
            }
            out.push(NO_MORE);
        }
        CqlType::Map(both) => {
            for entry in entries(bytes)? {
                let (key, value) = entry?;
                out.push(ONE_MORE);
                put(out, &both.0, key, usize::MAX)?;
                put(out, &both.1, value, usize::MAX)?;
            }
            out.push(NO_MORE);
        }
        CqlType::Tuple(types) => {
            let mut fields = Fields::new(bytes);
            types.iter().try_for_each(|field| put_field(out, field, fields.next_field()?))?;
        }
        CqlType::Udt(user_type) => {
            let mut fields = Fields::new(bytes);
            user_type.fields().iter().try_for_each(|(_, field)| put_field(out, field, fields.next_field()?))?;
        }
        CqlType::Vector(element, dimension) => {
            for part in vector(element, *dimension, bytes)? {
                put(out, element, part, usize::MAX)?;
            }
        }
        // It has no order, and is in no key; where it is a part of a value, that compares by its bytes.
        CqlType::Duration => {
            put_inner(out, bytes, usize::MAX);
        }
        CqlType::Frozen(_) => return Err(malformed()),
    }
    Ok(false)
}

fn put_field(out: &mut Vec<u8>, cql_type: &CqlType, bytes: Option<&[u8]>) -> Result<()> {
    match bytes {
        None => out.push(NO_MORE),
        Some(bytes) => {
            out.push(ONE_MORE);
            put(out, cql_type, bytes, usize::MAX)?;
        }
    }
    Ok(())
}

/// Appends the serialized form of what [`put`] put to `out`. Returns whether it is there: a long value is not.
pub(super) fn take(reader: &mut Reader<'_>, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<bool> {
    match cql_type.thawed() {
        CqlType::Ascii | CqlType::Text | CqlType::Blob | CqlType::Inet | CqlType::Duration => {
            return take_inner_into(reader, out);
        }
        CqlType::Tinyint => out.extend_from_slice(&signed(reader.array::<1>()?)),
        CqlType::Smallint => out.extend_from_slice(&signed(reader.array::<2>()?)),
        CqlType::Time => out.extend_from_slice(&signed(reader.array::<8>()?)),
        CqlType::Date => out.extend_from_slice(&reader.array::<4>()?),
        CqlType::Int => take_marked::<4>(reader, out, signed)?,
        CqlType::Bigint | CqlType::Timestamp | CqlType::Counter => take_marked::<8>(reader, out, signed)?,
        CqlType::Boolean => take_marked::<1>(reader, out, |bytes| bytes)?,
        CqlType::Float => take_marked::<4>(reader, out, float)?,
        CqlType::Double => take_marked::<8>(reader, out, double)?,
        CqlType::Timeuuid => take_marked::<16>(reader, out, timeuuid)?,
        CqlType::Uuid => take_uuid(reader, out)?,
        CqlType::Varint => take_varint(reader, out)?,
        CqlType::Decimal => {
            if reader.peek_u8()? == EMPTY {
                reader.u8()?;
                return Ok(true);
            }
            let (unscaled, scale) = take_decimal(reader)?.into_bigint_and_exponent();
            let scale = i32::try_from(scale).map_err(|_| malformed())?;
            out.extend_from_slice(&scale.to_be_bytes());
            out.extend_from_slice(&unscaled.to_signed_bytes_be());
        }
        CqlType::List(element) | CqlType::Set(element) => {
            take_elements(reader, out, |reader, out| take_part(reader, element, out))?;
        }
        CqlType::Map(both) => take_elements(reader, out, |reader, out| {
            take_part(reader, &both.0, out)?;
            take_part(reader, &both.1, out)
        })?,
        CqlType::Tuple(types) => types.iter().try_for_each(|field| take_field(reader, field, out))?,
        CqlType::Udt(user_type) => {
            user_type.fields().iter().try_for_each(|(_, field)| take_field(reader, field, out))?;
        }
        CqlType::Vector(element, dimension) => {
            for _ in 0..*dimension {
                if element.width_in_vector().is_some() {
                    whole(take(reader, element, out)?)?;
                } else {
                    let mut part = Vec::new();
                    whole(take(reader, element, &mut part)?)?;
                    vint::put_bytes(out, &part);
                }
            }
        }
        CqlType::Frozen(_) => return Err(malformed()),
    }
    Ok(true)
}

fn whole(is_whole: bool) -> Result<()> {
    if is_whole { Ok(()) } else { Err(malformed()) }
}

fn take_elements(
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
    mut element: impl FnMut(&mut Reader<'_>, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0u32;
    loop {
        match reader.u8()? {
            NO_MORE => break,
            ONE_MORE => element(reader, out)?,
            _ => return Err(malformed()),
        }
        count += 1;
    }
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&count.to_be_bytes());
    }
    Ok(())
}

fn take_field(reader: &mut Reader<'_>, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<()> {
    match reader.u8()? {
        NO_MORE => {
            out.extend_from_slice(&NULL.to_be_bytes());
            Ok(())
        }
        ONE_MORE => take_part(reader, cql_type, out),
        _ => Err(malformed()),
    }
}

/// Appends a value with its length before it.
fn take_part(reader: &mut Reader<'_>, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    whole(take(reader, cql_type, out)?)?;
    let length = u32::try_from(out.len() - start - 4).map_err(|_| malformed())?;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// How two serialized values of `cql_type` compare. Bytes that are no values of it compare as bytes.
pub(super) fn compare(cql_type: &CqlType, a: &[u8], b: &[u8]) -> Ordering {
    match cql_type {
        CqlType::Ascii | CqlType::Text | CqlType::Blob | CqlType::Inet | CqlType::Duration | CqlType::Date => a.cmp(b),
        CqlType::Int
        | CqlType::Bigint
        | CqlType::Timestamp
        | CqlType::Time
        | CqlType::Smallint
        | CqlType::Tinyint
        | CqlType::Counter => match (a.split_first(), b.split_first()) {
            (Some((first, rest)), Some((other_first, other_rest))) => {
                (first ^ 0x80).cmp(&(other_first ^ 0x80)).then_with(|| rest.cmp(other_rest))
            }
            (a, b) => a.is_some().cmp(&b.is_some()),
        },
        other => {
            if a == b {
                return Ordering::Equal;
            }
            let encoded = |bytes: &[u8]| {
                let mut out = Vec::new();
                put(&mut out, other, bytes, usize::MAX).map(|_| out)
            };
            match (encoded(a), encoded(b)) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(b),
            }
        }
    }
}

/// Whether values of the type can be equal in its order and yet differ in their bytes, so that they do not come back from a key.
pub(super) fn is_lossy(cql_type: &CqlType) -> bool {
    cql_type.any(&mut |part| {
        matches!(
            part,
            CqlType::Decimal
                | CqlType::Varint
                | CqlType::Float
                | CqlType::Double
                | CqlType::Boolean
                | CqlType::Tuple(_)
                | CqlType::Udt(_)
        )
    })
}

/// Appends what `put` makes of a value of `width` bytes, with the mark of zeros where it is needed.
fn put_marked(out: &mut Vec<u8>, width: usize, bytes: &[u8], put: impl FnOnce(&mut Vec<u8>, &[u8])) {
    let start = out.len();
    if bytes.is_empty() {
        out.resize(start + width, 0);
        out.push(EMPTY);
        return;
    }
    put(out, bytes);
    if out.get(start..).is_some_and(|field| field.iter().all(|byte| *byte == 0)) {
        out.push(IS_VALUE);
    }
}

fn take_marked<const N: usize>(
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
    value: impl FnOnce([u8; N]) -> [u8; N],
) -> Result<()> {
    let field = reader.array::<N>()?;
    if field == [0; N] {
        match reader.u8()? {
            EMPTY => return Ok(()),
            IS_VALUE => {}
            _ => return Err(malformed()),
        }
    }
    out.extend_from_slice(&value(field));
    Ok(())
}

fn put_signed(out: &mut Vec<u8>, bytes: &[u8]) {
    if let Some((first, rest)) = bytes.split_first() {
        out.push(first ^ 0x80);
        out.extend_from_slice(rest);
    }
}

fn signed<const N: usize>(mut field: [u8; N]) -> [u8; N] {
    if let Some(first) = field.first_mut() {
        *first ^= 0x80;
    }
    field
}

fn put_float(out: &mut Vec<u8>, bytes: &[u8]) {
    let bits = bytes.try_into().map(u32::from_be_bytes).unwrap_or_default();
    let bits = if f32::from_bits(bits).is_nan() { f32::NAN.abs().to_bits() } else { bits };
    let ordered = if bits >> 31 == 1 { !bits } else { bits ^ (1 << 31) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn float(field: [u8; 4]) -> [u8; 4] {
    let ordered = u32::from_be_bytes(field);
    (if ordered >> 31 == 1 { ordered ^ (1 << 31) } else { !ordered }).to_be_bytes()
}

fn put_double(out: &mut Vec<u8>, bytes: &[u8]) {
    let bits = bytes.try_into().map(u64::from_be_bytes).unwrap_or_default();
    let bits = if f64::from_bits(bits).is_nan() { f64::NAN.abs().to_bits() } else { bits };
    let ordered = if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn double(field: [u8; 8]) -> [u8; 8] {
    let ordered = u64::from_be_bytes(field);
    (if ordered >> 63 == 1 { ordered ^ (1 << 63) } else { !ordered }).to_be_bytes()
}

/// The halves of a UUID.
fn halves(bytes: &[u8]) -> (u64, u64) {
    let whole = bytes.try_into().map(u128::from_be_bytes).unwrap_or_default();
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    (half(whole >> 64), half(whole))
}

fn put_timeuuid(out: &mut Vec<u8>, bytes: &[u8]) {
    let (first, second) = halves(bytes);
    out.extend_from_slice(&timed(first).to_be_bytes());
    out.extend_from_slice(&(second ^ SIGN_OF_EACH_BYTE).to_be_bytes());
}

fn timeuuid(field: [u8; 16]) -> [u8; 16] {
    let (first, second) = halves(&field);
    (u128::from(untimed(first)) << 64 | u128::from(second ^ SIGN_OF_EACH_BYTE)).to_be_bytes()
}

fn put_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        out.push(EMPTY);
        return;
    }
    let (first, second) = halves(bytes);
    let version = version(first);
    out.push(version + 1);
    out.extend_from_slice(&(if version == 1 { timed(first) } else { first }).to_be_bytes());
    out.extend_from_slice(&second.to_be_bytes());
}

fn take_uuid(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
    let Some(stored_version) = reader.u8()?.checked_sub(1) else { return Ok(()) };
    let first = reader.u64()?;
    let first = if stored_version == 1 { untimed(first) } else { first };
    if version(first) != stored_version {
        return Err(Error::corrupt("clustering key", "the version of a UUID is not its own"));
    }
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&reader.u64()?.to_be_bytes());
    Ok(())
}

fn version(first: u64) -> u8 {
    first.to_be_bytes()[6] >> 4
}

/// The first half of a UUID of version 1, with version and high, middle and low time in this order.
fn timed(first: u64) -> u64 {
    (first << 48) | ((first << 16) & 0xffff_0000_0000) | (first >> 32)
}

/// Undoes [`timed`].
fn untimed(ordered: u64) -> u64 {
    (ordered << 32) | ((ordered >> 16) & 0xffff_0000) | (ordered >> 48)
}

fn put_varint(out: &mut Vec<u8>, integer: &BigInt) -> Result<()> {
    let magnitude = match integer.sign() {
        Sign::NoSign => Vec::new(),
        _ => integer.magnitude().to_bytes_be(),
    };
    let length = u16::try_from(magnitude.len()).map_err(|_| Error::LimitExceeded {
        limit: "bytes of a varint in a key",
        max: u16::MAX.into(),
        found: magnitude.len() as u64,
    })?;
    let negative = integer.sign() == Sign::Minus;
    out.push(if negative { NEGATIVE } else { NOT_NEGATIVE });
    let start = out.len();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&magnitude);
    if negative && let Some(field) = out.get_mut(start..) {
        invert(field);
    }
    Ok(())
}

fn take_varint(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
    let (sign, flip) = match reader.u8()? {
        EMPTY => return Ok(()),
        NEGATIVE => (Sign::Minus, 0xff),
        NOT_NEGATIVE => (Sign::Plus, 0),
        other => return Err(Error::corrupt("clustering key", format!("sign {other:02x} of a varint"))),
    };
    let length = u16::from_be_bytes(reader.array()?.map(|byte: u8| byte ^ flip));
    let magnitude = (0..length).map(|_| Ok(reader.u8()? ^ flip)).collect::<Result<Vec<_>>>()?;
    out.extend_from_slice(&BigInt::from_bytes_be(sign, &magnitude).to_signed_bytes_be());
    Ok(())
}

#[cold]
fn malformed() -> Error {
    Error::corrupt("clustering key", "a part is no value of its column")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{any_type, form, typed_value, value_of};
    use crate::wide_column::{CqlValue, Uuid};
    use proptest::prelude::*;

    fn encoded(cql_type: &CqlType, value: &CqlValue) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(!put(&mut out, cql_type, &form(cql_type, value), usize::MAX).unwrap());
        out
    }

    fn nan_last<F: PartialOrd + Copy>(a: F, b: F, total: Ordering) -> Ordering {
        let is_nan = |x: F| x.partial_cmp(&x).is_none();
        match (is_nan(a), is_nan(b)) {
            (true, true) => Ordering::Equal,
            (a_is, b_is) if a_is || b_is => a_is.cmp(&b_is),
            _ => total,
        }
    }

    /// The order of WID-TYP-3, written down once more, on the values.
    fn model(cql_type: &CqlType, a: &CqlValue, b: &CqlValue) -> Ordering {
        let each = |element: &CqlType, a: &[CqlValue], b: &[CqlValue]| {
            let unequal = a.iter().zip(b).map(|(a, b)| model(element, a, b)).find(|order| order.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        };
        match (a, b, cql_type.thawed()) {
            (CqlValue::Null, CqlValue::Null, _) | (CqlValue::Empty, CqlValue::Empty, _) => Ordering::Equal,
            (CqlValue::Null, ..) => Ordering::Less,
            (_, CqlValue::Null, _) => Ordering::Greater,
            (CqlValue::Empty, ..) => Ordering::Less,
            (_, CqlValue::Empty, _) => Ordering::Greater,
            (CqlValue::Float(a), CqlValue::Float(b), _) => nan_last(*a, *b, a.total_cmp(b)),
            (CqlValue::Double(a), CqlValue::Double(b), _) => nan_last(*a, *b, a.total_cmp(b)),
            (CqlValue::Varint(a), CqlValue::Varint(b), _) => a.cmp(b),
            (CqlValue::Decimal(a), CqlValue::Decimal(b), _) => a.cmp(b),
            (CqlValue::Tinyint(a), CqlValue::Tinyint(b), _) => a.cmp(b),
            (CqlValue::Smallint(a), CqlValue::Smallint(b), _) => a.cmp(b),
            (CqlValue::Int(a), CqlValue::Int(b), _) => a.cmp(b),
            (CqlValue::Date(a), CqlValue::Date(b), _) => a.cmp(b),
            (CqlValue::Bigint(a), CqlValue::Bigint(b), _)
            | (CqlValue::Counter(a), CqlValue::Counter(b), _)
            | (CqlValue::Time(a), CqlValue::Time(b), _)
            | (CqlValue::Timestamp(a), CqlValue::Timestamp(b), _) => a.cmp(b),
            (CqlValue::Uuid(a), CqlValue::Uuid(b), cql_type) => {
                let time = |uuid: &Uuid| uuid.get_timestamp().map(|time| time.to_gregorian().0);
                let rest = if *cql_type == CqlType::Timeuuid {
                    let signed = |uuid: &Uuid| uuid.as_bytes()[8..].iter().map(|b| b.cast_signed()).collect::<Vec<_>>();
                    signed(a).cmp(&signed(b))
                } else {
                    a.as_bytes()[8..].cmp(&b.as_bytes()[8..])
                };
                let versions = a.get_version_num().cmp(&b.get_version_num());
                let first = if a.get_version_num() == 1 && b.get_version_num() == 1 {
                    time(a).cmp(&time(b))
                } else {
                    a.as_bytes()[..8].cmp(&b.as_bytes()[..8])
                };
                versions.then(first).then(rest)
            }
            (CqlValue::List(a), CqlValue::List(b), CqlType::List(element))
            | (CqlValue::Set(a), CqlValue::Set(b), CqlType::Set(element))
            | (CqlValue::Vector(a), CqlValue::Vector(b), CqlType::Vector(element, _)) => each(element, a, b),
            (CqlValue::Map(a), CqlValue::Map(b), CqlType::Map(both)) => {
                let flat = |entries: &[(CqlValue, CqlValue)]| {
                    entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()]).collect::<Vec<_>>()
                };
                let types = [&both.0, &both.1];
                let (a, b) = (flat(a), flat(b));
                let pairs = a.iter().zip(&b).enumerate();
                let unequal = pairs.map(|(at, (a, b))| model(types[at % 2], a, b)).find(|order| order.is_ne());
                unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (CqlValue::Tuple(a), CqlValue::Tuple(b), CqlType::Tuple(types)) => {
                let at = |values: &[CqlValue], at: usize| values.get(at).cloned().unwrap_or(CqlValue::Null);
                let fields = types.iter().enumerate();
                let mut orders = fields.map(|(n, field)| model(field, &at(a, n), &at(b, n)));
                orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }
            (CqlValue::Udt(a), CqlValue::Udt(b), CqlType::Udt(user_type)) => {
                let fields = user_type.fields().iter().enumerate();
                let mut orders = fields.map(|(n, (_, field))| model(field, &a[n].1, &b[n].1));
                orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }
            _ => form(cql_type, a).cmp(&form(cql_type, b)),
        }
    }

    fn pair() -> impl Strategy<Value = (CqlType, CqlValue, CqlValue)> {
        any_type().prop_flat_map(|cql_type| {
            let (a, b) = (value_of(&cql_type), value_of(&cql_type));
            (Just(cql_type), a, b)
        })
    }

    proptest! {
        // SEM: WID-TYP-3, WID-TYP-4
        #[test]
        fn byte_order_is_the_order_of_the_type((cql_type, a, b) in pair()) {
            let sorted = |value: &CqlValue| crate::wide_column::serialize::deserialize(&cql_type, &form(&cql_type, value)).unwrap();
            let (a, b) = (sorted(&a), sorted(&b));
            let expected = model(&cql_type, &a, &b);
            prop_assert_eq!(encoded(&cql_type, &a).cmp(&encoded(&cql_type, &b)), expected);
            prop_assert_eq!(compare(&cql_type, &form(&cql_type, &a), &form(&cql_type, &b)), expected);
        }

        #[test]
        fn a_value_comes_back_in_either_direction((cql_type, value) in typed_value(), descending: bool, tail: u8) {
            let mut key = encoded(&cql_type, &value);
            if descending {
                invert(&mut key);
            }
            key.push(tail);
            let mut reader = Reader::new(&key);
            reader.set_descending(descending);
            let mut back = Vec::new();
            prop_assert!(take(&mut reader, &cql_type, &mut back).unwrap());
            prop_assert!(compare(&cql_type, &back, &form(&cql_type, &value)).is_eq());
            prop_assert!(is_lossy(&cql_type) || back == form(&cql_type, &value));
            prop_assert_eq!(reader.rest(), &[tail]);
        }

        #[test]
        fn no_encoding_is_a_prefix_of_another((cql_type, a, b) in pair()) {
            let (a, b) = (encoded(&cql_type, &a), encoded(&cql_type, &b));
            prop_assert!(a == b || !b.starts_with(&a), "{a:02x?} {b:02x?}");
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(cql_type in any_type(), bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..20), descending: bool) {
            let mut reader = Reader::new(&bytes);
            reader.set_descending(descending);
            let mut out = Vec::new();
            let _ = take(&mut reader, &cql_type, &mut out);
            let _ = put(&mut out, &cql_type, &bytes, 10);
            let _ = compare(&cql_type, &bytes, &out);
        }
    }

    // SEM: WID-TYP-3
    #[test]
    fn the_corners_of_floats_and_decimals_are_in_order() {
        let double = |value: f64| encoded(&CqlType::Double, &CqlValue::Double(value));
        assert!(double(-0.0) < double(0.0));
        assert!(double(f64::INFINITY) < double(-f64::NAN));
        assert_eq!(double(f64::NAN), double(-f64::NAN));
        let decimal = |text: &str| encoded(&CqlType::Decimal, &CqlValue::Decimal(text.parse().unwrap()));
        assert_eq!(decimal("1.0"), decimal("1.00"));
    }

    // SEM: WID-TYP-4
    #[test]
    fn the_empty_value_comes_first_and_costs_other_values_nothing() {
        let int = |value: i32| encoded(&CqlType::Int, &value.into());
        assert_eq!(int(7), [0x80, 0, 0, 7]);
        assert_eq!(int(i32::MIN), [0, 0, 0, 0, 1]);
        assert_eq!(encoded(&CqlType::Int, &CqlValue::Empty), [0, 0, 0, 0, 0]);
        assert!(encoded(&CqlType::Int, &CqlValue::Empty) < int(i32::MIN) && int(i32::MIN) < int(i32::MIN + 1));
    }
}
