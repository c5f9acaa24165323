//! Values in the order of their type: what clustering columns are encoded as in keys.
//!
//! | type                            | bytes                                                                 |
//! |---------------------------------|-----------------------------------------------------------------------|
//! | integers, `time`, `timestamp`   | big-endian with the sign bit flipped                                  |
//! | `date`, `boolean`               | big-endian                                                            |
//! | `float`, `double`               | ordered bits; every NaN is the positive quiet one, and so last        |
//! | `ascii`, `text`, `blob`, `inet` | escaped and terminated; a long one with a hash ([`put_inner`])        |
//! | `uuid`                          | version; time (version 1) or first half; second half                  |
//! | `timeuuid`                      | time; second half with the sign bit of each byte flipped              |
//! | `varint`                        | `01` negative, `02` not; length (u16); magnitude; inverted after `01` |
//! | `decimal`                       | [`put_decimal`], equal for 1.0 and 1.00                               |
//!
//! No value's bytes are a prefix of another's. *Time* is the first half of a UUID with its most significant part first.

use bigdecimal::num_bigint::{BigInt, Sign};
use uuid::Uuid;

use crate::encoding::decimal::{put_decimal, take_decimal};
use crate::encoding::long::{INNER_BYTES, put_inner, take_inner};
use crate::encoding::ordered::{Reader, invert, put_f64, put_i32, put_i64};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::serialize::{address, serialize};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

const NEGATIVE: u8 = 0x01;
const NOT_NEGATIVE: u8 = 0x02;

/// Bytes whose sign bits make their unsigned order the signed one.
const SIGN_OF_EACH_BYTE: u64 = 0x8080_8080_8080_8080;

/// Appends a value that [`CqlValue::check`] has passed for a column of type `cql_type`, in about `max` bytes. Returns the value
/// when it is long, and so not there whole.
pub(super) fn put(out: &mut Vec<u8>, cql_type: CqlType, value: &CqlValue, max: usize) -> Result<Option<Vec<u8>>> {
    match value {
        CqlValue::Tinyint(value) => out.push(value.cast_unsigned() ^ (1 << 7)),
        CqlValue::Smallint(value) => out.extend_from_slice(&(value.cast_unsigned() ^ (1 << 15)).to_be_bytes()),
        CqlValue::Int(value) => put_i32(out, *value),
        CqlValue::Bigint(value) | CqlValue::Time(value) | CqlValue::Timestamp(value) => put_i64(out, *value),
        CqlValue::Date(days) => out.extend_from_slice(&days.to_be_bytes()),
        CqlValue::Boolean(value) => out.push(u8::from(*value)),
        CqlValue::Float(value) => put_f32(out, *value),
        CqlValue::Double(value) => put_f64(out, if value.is_nan() { f64::NAN.abs() } else { *value }),
        CqlValue::Text(_) | CqlValue::Blob(_) | CqlValue::Inet(_) => {
            let bytes = serialize(value)?;
            limits::check("clustering key bytes", limits::WIDE_KEY_BYTES_MAX, bytes.len())?;
            if put_inner(out, &bytes, max.saturating_sub(INNER_BYTES)) {
                return Ok(Some(bytes));
            }
        }
        CqlValue::Uuid(uuid) if cql_type == CqlType::Timeuuid => put_timeuuid(out, *uuid),
        CqlValue::Uuid(uuid) => put_uuid(out, *uuid),
        CqlValue::Varint(integer) => put_varint(out, integer)?,
        CqlValue::Decimal(value) => put_decimal(out, value)?,
        CqlValue::Null | CqlValue::Unset => {
            return Err(Error::invalid(InvalidKind::Value, "a clustering column has no value"));
        }
    }
    Ok(None)
}

/// Takes what [`put`] put; of a long value the next of those that are `long`. A decimal comes back without trailing zeros, a NaN as the positive quiet one.
pub(super) fn take(
    reader: &mut Reader<'_>,
    cql_type: CqlType,
    long: &mut std::slice::Iter<'_, Vec<u8>>,
) -> Result<CqlValue> {
    let mut bytes = |reader: &mut Reader<'_>| match take_inner(reader)? {
        Some(bytes) => Ok(bytes),
        None => long.next().cloned().ok_or_else(|| Error::corrupt("clustering key", "a long part is nowhere whole")),
    };
    Ok(match cql_type {
        CqlType::Tinyint => CqlValue::Tinyint((reader.u8()? ^ (1 << 7)).cast_signed()),
        CqlType::Smallint => CqlValue::Smallint((reader.u16()? ^ (1 << 15)).cast_signed()),
        CqlType::Int => CqlValue::Int(reader.i32()?),
        CqlType::Bigint => CqlValue::Bigint(reader.i64()?),
        CqlType::Time => CqlValue::Time(reader.i64()?),
        CqlType::Timestamp => CqlValue::Timestamp(reader.i64()?),
        CqlType::Date => CqlValue::Date(reader.u32()?),
        CqlType::Boolean => CqlValue::Boolean(reader.u8()? != 0),
        CqlType::Float => CqlValue::Float(take_f32(reader)?),
        CqlType::Double => CqlValue::Double(reader.f64()?),
        CqlType::Blob => CqlValue::Blob(bytes(reader)?),
        CqlType::Ascii | CqlType::Text => CqlValue::Text(
            String::from_utf8(bytes(reader)?).map_err(|_| Error::corrupt("clustering key", "text is not UTF-8"))?,
        ),
        CqlType::Inet => CqlValue::Inet(
            address(&bytes(reader)?).ok_or_else(|| Error::corrupt("clustering key", "an address has a bad length"))?,
        ),
        CqlType::Uuid => CqlValue::Uuid(take_uuid(reader)?),
        CqlType::Timeuuid => {
            let first = untimed(reader.u64()?);
            CqlValue::Uuid(Uuid::from_u64_pair(first, reader.u64()? ^ SIGN_OF_EACH_BYTE))
        }
        CqlType::Varint => CqlValue::Varint(take_varint(reader)?),
        CqlType::Decimal => CqlValue::Decimal(take_decimal(reader)?),
    })
}

fn put_f32(out: &mut Vec<u8>, value: f32) {
    let bits = if value.is_nan() { f32::NAN.abs().to_bits() } else { value.to_bits() };
    let ordered = if bits >> 31 == 1 { !bits } else { bits ^ (1 << 31) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn take_f32(reader: &mut Reader<'_>) -> Result<f32> {
    let ordered = reader.u32()?;
    Ok(f32::from_bits(if ordered >> 31 == 1 { ordered ^ (1 << 31) } else { !ordered }))
}

fn put_timeuuid(out: &mut Vec<u8>, uuid: Uuid) {
    let (first, second) = uuid.as_u64_pair();
    out.extend_from_slice(&timed(first).to_be_bytes());
    out.extend_from_slice(&(second ^ SIGN_OF_EACH_BYTE).to_be_bytes());
}

fn put_uuid(out: &mut Vec<u8>, uuid: Uuid) {
    let (first, second) = uuid.as_u64_pair();
    let version = version(first);
    out.push(version);
    out.extend_from_slice(&(if version == 1 { timed(first) } else { first }).to_be_bytes());
    out.extend_from_slice(&second.to_be_bytes());
}

fn take_uuid(reader: &mut Reader<'_>) -> Result<Uuid> {
    let stored_version = reader.u8()?;
    let first = reader.u64()?;
    let first = if stored_version == 1 { untimed(first) } else { first };
    if version(first) != stored_version {
        return Err(Error::corrupt("clustering key", "the version of a UUID is not its own"));
    }
    Ok(Uuid::from_u64_pair(first, reader.u64()?))
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

fn take_varint(reader: &mut Reader<'_>) -> Result<BigInt> {
    let (sign, flip) = match reader.u8()? {
        NEGATIVE => (Sign::Minus, 0xff),
        NOT_NEGATIVE => (Sign::Plus, 0),
        other => return Err(Error::corrupt("clustering key", format!("sign {other:02x} of a varint"))),
    };
    let length = u16::from_be_bytes(reader.array()?.map(|byte: u8| byte ^ flip));
    let magnitude = (0..length).map(|_| Ok(reader.u8()? ^ flip)).collect::<Result<Vec<_>>>()?;
    Ok(BigInt::from_bytes_be(sign, &magnitude))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{typed_value, value_of};
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn encoded(cql_type: CqlType, value: &CqlValue) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(put(&mut out, cql_type, value, usize::MAX).unwrap(), None);
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
    fn compare(cql_type: CqlType, a: &CqlValue, b: &CqlValue) -> Ordering {
        match (a, b) {
            (CqlValue::Float(a), CqlValue::Float(b)) => nan_last(*a, *b, a.total_cmp(b)),
            (CqlValue::Double(a), CqlValue::Double(b)) => nan_last(*a, *b, a.total_cmp(b)),
            (CqlValue::Varint(a), CqlValue::Varint(b)) => a.cmp(b),
            (CqlValue::Decimal(a), CqlValue::Decimal(b)) => a.cmp(b),
            (CqlValue::Tinyint(a), CqlValue::Tinyint(b)) => a.cmp(b),
            (CqlValue::Smallint(a), CqlValue::Smallint(b)) => a.cmp(b),
            (CqlValue::Int(a), CqlValue::Int(b)) => a.cmp(b),
            (CqlValue::Date(a), CqlValue::Date(b)) => a.cmp(b),
            (CqlValue::Bigint(a), CqlValue::Bigint(b))
            | (CqlValue::Time(a), CqlValue::Time(b))
            | (CqlValue::Timestamp(a), CqlValue::Timestamp(b)) => a.cmp(b),
            (CqlValue::Uuid(a), CqlValue::Uuid(b)) => {
                let time = |uuid: &Uuid| uuid.get_timestamp().map(|time| time.to_gregorian().0);
                let rest = if cql_type == CqlType::Timeuuid {
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
            _ => serialize(a).unwrap().cmp(&serialize(b).unwrap()),
        }
    }

    fn pair() -> impl Strategy<Value = (CqlType, CqlValue, CqlValue)> {
        prop::sample::select(CqlType::ALL.to_vec())
            .prop_flat_map(|cql_type| (Just(cql_type), value_of(cql_type), value_of(cql_type)))
    }

    proptest! {
        // SEM: WID-TYP-3
        #[test]
        fn byte_order_is_the_order_of_the_type((cql_type, a, b) in pair()) {
            prop_assert_eq!(encoded(cql_type, &a).cmp(&encoded(cql_type, &b)), compare(cql_type, &a, &b));
        }

        #[test]
        fn a_value_comes_back_in_either_direction((cql_type, value) in typed_value(), descending: bool, tail: u8) {
            let mut key = encoded(cql_type, &value);
            if descending {
                invert(&mut key);
            }
            key.push(tail);
            let mut reader = Reader::new(&key);
            reader.set_descending(descending);
            let back = take(&mut reader, cql_type, &mut [].iter()).unwrap();
            prop_assert_eq!(encoded(cql_type, &back), encoded(cql_type, &value));
            prop_assert_eq!(reader.rest(), &[tail]);
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..20), descending: bool) {
            for cql_type in CqlType::ALL {
                let mut reader = Reader::new(&bytes);
                reader.set_descending(descending);
                let _ = take(&mut reader, cql_type, &mut [].iter());
            }
        }
    }

    // SEM: WID-TYP-3
    #[test]
    fn the_corners_of_floats_and_decimals_are_in_order() {
        let double = |value: f64| encoded(CqlType::Double, &CqlValue::Double(value));
        assert!(double(-0.0) < double(0.0));
        assert!(double(f64::INFINITY) < double(-f64::NAN));
        assert_eq!(double(f64::NAN), double(-f64::NAN));
        let decimal = |text: &str| encoded(CqlType::Decimal, &CqlValue::Decimal(text.parse().unwrap()));
        assert_eq!(decimal("1.0"), decimal("1.00"));
    }
}
