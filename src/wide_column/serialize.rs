//! The serialized form of values: what partition keys and cells hold.
//!
//! It is that of the CQL binary protocol, so that a front door passes bytes through:
//!
//! | type                            | bytes                                                               |
//! |---------------------------------|---------------------------------------------------------------------|
//! | `tinyint` … `bigint`, `time`, `timestamp`, `float`, `double`, `date` | big-endian, at their width     |
//! | `boolean`                       | one byte, `00` or `01`                                              |
//! | `ascii`, `text`, `blob`         | as they are                                                         |
//! | `inet`                          | 4 or 16 bytes                                                       |
//! | `uuid`, `timeuuid`              | 16 bytes                                                            |
//! | `varint`                        | two's complement, big-endian, as short as possible                  |
//! | `decimal`                       | scale as an i32, then the unscaled `varint`                         |

use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use uuid::Uuid;

use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Serializes a value that [`CqlValue::check`] has passed.
///
/// # Errors
/// [`Error::Invalid`] for what has no serialized form: null, not set, a decimal whose scale is out of bounds.
pub(super) fn serialize(value: &CqlValue) -> Result<Vec<u8>> {
    Ok(match value {
        CqlValue::Null | CqlValue::Unset => {
            return Err(Error::invalid(InvalidKind::Value, "null has no serialized form"));
        }
        CqlValue::Blob(bytes) => bytes.clone(),
        CqlValue::Boolean(value) => vec![u8::from(*value)],
        CqlValue::Date(days) => days.to_be_bytes().to_vec(),
        CqlValue::Decimal(decimal) => serialize_decimal(decimal)?,
        CqlValue::Double(value) => value.to_be_bytes().to_vec(),
        CqlValue::Float(value) => value.to_be_bytes().to_vec(),
        CqlValue::Inet(IpAddr::V4(address)) => address.octets().to_vec(),
        CqlValue::Inet(IpAddr::V6(address)) => address.octets().to_vec(),
        CqlValue::Int(value) => value.to_be_bytes().to_vec(),
        CqlValue::Bigint(value) | CqlValue::Time(value) | CqlValue::Timestamp(value) => value.to_be_bytes().to_vec(),
        CqlValue::Smallint(value) => value.to_be_bytes().to_vec(),
        CqlValue::Text(text) => text.clone().into_bytes(),
        CqlValue::Tinyint(value) => value.to_be_bytes().to_vec(),
        CqlValue::Uuid(uuid) => uuid.as_bytes().to_vec(),
        CqlValue::Varint(integer) => integer.to_signed_bytes_be(),
    })
}

/// The value of type `cql_type` that `bytes` are the serialized form of.
///
/// # Errors
/// [`Error::Corruption`] when they are not.
pub(super) fn deserialize(cql_type: CqlType, bytes: &[u8]) -> Result<CqlValue> {
    let value = match cql_type {
        CqlType::Ascii | CqlType::Text => std::str::from_utf8(bytes).ok().map(|text| CqlValue::Text(text.to_owned())),
        CqlType::Bigint => fixed(bytes).map(|bytes| CqlValue::Bigint(i64::from_be_bytes(bytes))),
        CqlType::Blob => Some(CqlValue::Blob(bytes.to_vec())),
        CqlType::Boolean => fixed(bytes).map(|[byte]| CqlValue::Boolean(byte != 0)),
        CqlType::Decimal => bytes.split_first_chunk().map(|(scale, unscaled)| {
            let unscaled = BigInt::from_signed_bytes_be(unscaled);
            CqlValue::Decimal(BigDecimal::new(unscaled, i32::from_be_bytes(*scale).into()))
        }),
        CqlType::Double => fixed(bytes).map(|bytes| CqlValue::Double(f64::from_be_bytes(bytes))),
        CqlType::Float => fixed(bytes).map(|bytes| CqlValue::Float(f32::from_be_bytes(bytes))),
        CqlType::Int => fixed(bytes).map(|bytes| CqlValue::Int(i32::from_be_bytes(bytes))),
        CqlType::Timestamp => fixed(bytes).map(|bytes| CqlValue::Timestamp(i64::from_be_bytes(bytes))),
        CqlType::Uuid | CqlType::Timeuuid => fixed(bytes).map(|bytes| CqlValue::Uuid(Uuid::from_bytes(bytes))),
        CqlType::Varint => Some(CqlValue::Varint(BigInt::from_signed_bytes_be(bytes))),
        CqlType::Inet => address(bytes).map(CqlValue::Inet),
        CqlType::Date => fixed(bytes).map(|bytes| CqlValue::Date(u32::from_be_bytes(bytes))),
        CqlType::Time => fixed(bytes).map(|bytes| CqlValue::Time(i64::from_be_bytes(bytes))),
        CqlType::Smallint => fixed(bytes).map(|bytes| CqlValue::Smallint(i16::from_be_bytes(bytes))),
        CqlType::Tinyint => fixed(bytes).map(|bytes| CqlValue::Tinyint(i8::from_be_bytes(bytes))),
    };
    value.ok_or_else(|| Error::corrupt("column value", format!("{} bytes are no {cql_type}", bytes.len())))
}

/// The address of 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    fixed::<4>(bytes).map(IpAddr::from).or_else(|| fixed::<16>(bytes).map(IpAddr::from))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn serialize_decimal(decimal: &BigDecimal) -> Result<Vec<u8>> {
    let (unscaled, scale) = decimal.as_bigint_and_exponent();
    let scale = i32::try_from(scale)
        .map_err(|_| Error::invalid(InvalidKind::Value, format!("scale {scale} of a decimal does not fit 32 bits")))?;
    let mut bytes = scale.to_be_bytes().to_vec();
    bytes.extend_from_slice(&unscaled.to_signed_bytes_be());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::typed_value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_comes_back((cql_type, value) in typed_value()) {
            let bytes = serialize(&value).unwrap();
            let back = deserialize(cql_type, &bytes).unwrap();
            prop_assert_eq!(serialize(&back).unwrap(), bytes, "bit for bit, NaN and trailing zeros too");
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            for cql_type in CqlType::ALL {
                let _ = deserialize(cql_type, &bytes);
            }
        }
    }

    // SEM: WID-TYP-2
    #[test]
    fn forms_are_those_of_the_protocol() {
        let hex = |value: CqlValue| serialize(&value).unwrap();
        assert_eq!(hex(CqlValue::date_from_days_since_epoch(0)), [0x80, 0, 0, 0]);
        assert_eq!(hex(CqlValue::date_from_days_since_epoch(-1)), [0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(hex(CqlValue::Varint(128.into())), [0x00, 0x80]);
        assert_eq!(hex(CqlValue::Varint((-128).into())), [0x80]);
        assert_eq!(hex(CqlValue::Decimal("1.50".parse().unwrap())), [0, 0, 0, 2, 0x00, 0x96]);
        assert_eq!(hex(CqlValue::Inet("10.0.0.1".parse().unwrap())), [10, 0, 0, 1]);
    }
}
