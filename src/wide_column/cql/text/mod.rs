//! Values of scalar types as CQL writes them.
//!
//! A constant has no type of its own: `'2026-03-01'` is a text, a date or a timestamp, whichever its column is. What kind of
//! constant a type takes is in [`takes`], what one says in [`parse`].
//!
//! # Source
//! CQL reference, *Constants*, *Working with timestamps* and its neighbours; messages are Cassandra's. Difference: a timestamp
//! without a zone is in UTC.

mod duration;
mod json;
mod moment;

use std::net::IpAddr;

use crate::wide_column::cql::ast::LiteralKind;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::{BigDecimal, BigInt, Uuid};
pub(super) use json::{Json, column_name, from_json, value as value_of_json};

/// Why a text is no value of its type, in Cassandra's words.
pub(super) type Parsed<T> = Result<T, String>;

/// Whether a column of `cql_type` takes constants of `kind`.
pub(super) fn takes(cql_type: &CqlType, kind: LiteralKind) -> bool {
    use CqlType as T;
    match kind {
        LiteralKind::String => {
            matches!(cql_type, T::Ascii | T::Text | T::Inet | T::Date | T::Time | T::Timestamp)
        }
        LiteralKind::Integer => matches!(
            cql_type,
            T::Bigint
                | T::Counter
                | T::Date
                | T::Decimal
                | T::Double
                | T::Duration
                | T::Float
                | T::Int
                | T::Smallint
                | T::Time
                | T::Timestamp
                | T::Tinyint
                | T::Varint
        ),
        LiteralKind::Float => matches!(cql_type, T::Decimal | T::Double | T::Float),
        LiteralKind::Boolean => matches!(cql_type, T::Boolean),
        LiteralKind::Duration => matches!(cql_type, T::Duration),
        LiteralKind::Uuid => matches!(cql_type, T::Uuid | T::Timeuuid),
        LiteralKind::Hex => matches!(cql_type, T::Blob),
    }
}

/// What messages call a kind of constant.
pub(super) fn kind_name(kind: LiteralKind) -> &'static str {
    match kind {
        LiteralKind::String => "STRING",
        LiteralKind::Integer => "INTEGER",
        LiteralKind::Float => "FLOAT",
        LiteralKind::Boolean => "BOOLEAN",
        LiteralKind::Duration => "DURATION",
        LiteralKind::Uuid => "UUID",
        LiteralKind::Hex => "HEX",
    }
}

/// The value of the scalar type `cql_type` that `text` says.
///
/// # Errors
/// A message for text that says none.
pub(super) fn parse(cql_type: &CqlType, text: &str) -> Parsed<CqlValue> {
    let made = |what: &str| format!("Unable to make {what} from '{text}'");
    Ok(match cql_type {
        CqlType::Ascii => CqlValue::Text(ascii(text)?.to_owned()),
        CqlType::Text => CqlValue::Text(text.to_owned()),
        CqlType::Tinyint => CqlValue::Tinyint(text.parse().map_err(|_| made("byte"))?),
        CqlType::Smallint => CqlValue::Smallint(text.parse().map_err(|_| made("short"))?),
        CqlType::Int => CqlValue::Int(text.parse().map_err(|_| made("int"))?),
        CqlType::Bigint => CqlValue::Bigint(text.parse().map_err(|_| made("long"))?),
        CqlType::Counter => CqlValue::Counter(text.parse().map_err(|_| made("long"))?),
        CqlType::Varint => CqlValue::Varint(text.parse::<BigInt>().map_err(|_| made("int"))?),
        CqlType::Float => CqlValue::Float(text.parse().map_err(|_| made("float"))?),
        CqlType::Double => CqlValue::Double(text.parse().map_err(|_| made("double"))?),
        CqlType::Decimal => CqlValue::Decimal(text.parse::<BigDecimal>().map_err(|_| made("BigDecimal"))?),
        CqlType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" => CqlValue::Boolean(true),
            "false" => CqlValue::Boolean(false),
            _ => return Err(made("boolean")),
        },
        CqlType::Inet => CqlValue::Inet(text.parse::<IpAddr>().map_err(|_| made("inet address"))?),
        CqlType::Uuid => CqlValue::Uuid(Uuid::parse_str(text).map_err(|_| made("UUID"))?),
        CqlType::Timeuuid => {
            let uuid = Uuid::parse_str(text).map_err(|_| format!("Unknown timeuuid representation: {text}"))?;
            if uuid.get_version_num() != 1 {
                return Err(format!("TimeUUID supports only version 1 UUIDs: {text}"));
            }
            CqlValue::Uuid(uuid)
        }
        CqlType::Blob => CqlValue::Blob(hexadecimal(text)?),
        CqlType::Date => CqlValue::Date(moment::date(text)?),
        CqlType::Time => CqlValue::Time(moment::time(text)?),
        CqlType::Timestamp => CqlValue::Timestamp(moment::timestamp(text)?),
        CqlType::Duration => {
            let (months, days, nanoseconds) = duration::parse(text)?;
            CqlValue::Duration { months, days, nanoseconds }
        }
        other => return Err(format!("{other} has no constants")),
    })
}

fn ascii(text: &str) -> Parsed<&str> {
    match text.bytes().find(|byte| !byte.is_ascii()) {
        None => Ok(text),
        Some(byte) => Err(format!("Invalid byte for ascii: {}", byte.cast_signed())),
    }
}

/// The bytes of `0x…`.
fn hexadecimal(text: &str) -> Parsed<Vec<u8>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let odd = || "An hex string representing bytes must have an even length".to_owned();
    let pair = |pair: &[u8]| {
        let [first, second] = pair else { return Err(odd()) };
        let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let bad = || format!("Non-hex characters in {text}");
        Ok(digit(first).ok_or_else(bad)? << 4 | digit(second).ok_or_else(bad)?)
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_parsed_or_refused_in_the_words_of_cassandra() {
        assert_eq!(parse(&CqlType::Int, "-7"), Ok(CqlValue::Int(-7)));
        assert_eq!(parse(&CqlType::Blob, "0x00fF"), Ok(CqlValue::Blob(vec![0, 255])));
        assert_eq!(parse(&CqlType::Boolean, "TRUE"), Ok(CqlValue::Boolean(true)));
        assert_eq!(parse(&CqlType::Inet, "::1"), Ok(CqlValue::Inet("::1".parse().unwrap())));
        assert_eq!(parse(&CqlType::Decimal, "1.00").unwrap(), CqlValue::Decimal("1.00".parse().unwrap()));
        for (cql_type, text, message) in [
            (CqlType::Int, "2147483648", "Unable to make int from '2147483648'"),
            (CqlType::Tinyint, "128", "Unable to make byte from '128'"),
            (CqlType::Inet, "1.2.3", "Unable to make inet address from '1.2.3'"),
            (CqlType::Blob, "0xf", "An hex string representing bytes must have an even length"),
            (CqlType::Ascii, "é", "Invalid byte for ascii: -61"),
            (
                CqlType::Timeuuid,
                "123e4567-e89b-42d3-a456-426614174000",
                "TimeUUID supports only version 1 UUIDs: 123e4567-e89b-42d3-a456-426614174000",
            ),
        ] {
            assert_eq!(parse(&cql_type, text), Err(message.to_owned()));
        }
        assert!(parse(&CqlType::Float, "NaN").is_ok() && parse(&CqlType::Double, "-Infinity").is_ok());
    }

    // SEM: WID-TYP-1
    #[test]
    fn every_kind_of_constant_is_taken_by_the_types_that_cassandra_lets_it() {
        let takes = |kind| {
            let all = [CqlType::Text, CqlType::Int, CqlType::Date, CqlType::Uuid, CqlType::Blob, CqlType::Double];
            all.map(|cql_type| super::takes(&cql_type, kind))
        };
        assert_eq!(takes(LiteralKind::String), [true, false, true, false, false, false]);
        assert_eq!(takes(LiteralKind::Integer), [false, true, true, false, false, true]);
        assert_eq!(takes(LiteralKind::Uuid), [false, false, false, true, false, false]);
        assert_eq!(takes(LiteralKind::Hex), [false, false, false, false, true, false]);
    }
}
