//! The functions of Cassandra that make one value of others: which there are, for which types, and what they do.

use bigdecimal::{RoundingMode, Signed};

use super::collections;
use super::masks;
use super::moments;
use super::numbers::{self, convert, double};
use super::signature::{Called, Run, Signature, one_of_any};
use super::vectors;
use crate::error::{Error, Result};
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::read::json;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Types that have a function to and from bytes each.
const WITH_BYTES: [CqlType; 19] = [
    CqlType::Ascii,
    CqlType::Bigint,
    CqlType::Boolean,
    CqlType::Counter,
    CqlType::Date,
    CqlType::Decimal,
    CqlType::Double,
    CqlType::Duration,
    CqlType::Float,
    CqlType::Inet,
    CqlType::Int,
    CqlType::Smallint,
    CqlType::Text,
    CqlType::Time,
    CqlType::Timestamp,
    CqlType::Timeuuid,
    CqlType::Tinyint,
    CqlType::Uuid,
    CqlType::Varint,
];

/// The functions that `name` is, one for each types of arguments; none when there is no such function.
pub(super) fn overloads(name: &str) -> Vec<Signature> {
    use CqlType as T;
    let of_numbers = |run: Run| {
        let one = |of: &T| Signature::new([of.clone()], of.clone(), run);
        numbers::TYPES.iter().map(one).collect()
    };
    let of_moments = |types: &[T], returns: T, run: Run| {
        types.iter().map(|of| Signature::new([of.clone()], returns.clone(), run)).collect()
    };
    match name {
        "abs" => of_numbers(abs),
        "exp" => of_numbers(exp),
        "log" => of_numbers(log),
        "log10" => of_numbers(log10),
        "round" => of_numbers(round),
        "todate" | "to_date" => {
            of_moments(&[T::Timeuuid, T::Timestamp], T::Date, |call| Ok(moments::date(call.millis(0))))
        }
        "totimestamp" | "to_timestamp" => {
            of_moments(&[T::Timeuuid, T::Date], T::Timestamp, |call| Ok(CqlValue::Timestamp(call.millis(0))))
        }
        "tounixtimestamp" | "to_unix_timestamp" => {
            let types = [T::Timeuuid, T::Timestamp, T::Date];
            of_moments(&types, T::Bigint, |call| Ok(CqlValue::Bigint(call.millis(0))))
        }
        "mintimeuuid" | "min_timeuuid" => {
            of_moments(&[T::Timestamp], T::Timeuuid, |call| Ok(moments::bound_uuid(call.millis(0), false)))
        }
        "maxtimeuuid" | "max_timeuuid" => {
            of_moments(&[T::Timestamp], T::Timeuuid, |call| Ok(moments::bound_uuid(call.millis(0), true)))
        }
        "floor" => vec![
            Signature::new([T::Timestamp, T::Duration], T::Timestamp, floor),
            Signature::new([T::Timestamp, T::Duration, T::Timestamp], T::Timestamp, floor),
            Signature::new([T::Timeuuid, T::Duration], T::Timestamp, floor),
            Signature::new([T::Timeuuid, T::Duration, T::Timestamp], T::Timestamp, floor),
            Signature::new([T::Date, T::Duration], T::Date, floor_date),
            Signature::new([T::Date, T::Duration, T::Date], T::Date, floor_date),
            Signature::new([T::Time, T::Duration], T::Time, floor_time),
        ],
        "mask_inner" | "mask_outer" => masks::of_text(name == "mask_inner"),
        _ => of_bytes(name),
    }
}

/// `intAsBlob` and its like.
fn of_bytes(name: &str) -> Vec<Signature> {
    let named = |name: &str| {
        let name = if name == "varchar" { "text" } else { name };
        WITH_BYTES.iter().find(|of| of.to_string() == name).cloned()
    };
    if let Some(of) = name.strip_suffix("_as_blob").or_else(|| name.strip_suffix("asblob")).and_then(named) {
        return vec![Signature::new([of], CqlType::Blob, |call| {
            let of = call.types.first().unwrap_or(&CqlType::Blob);
            call.value(0).to_serialized(of).map(CqlValue::Blob)
        })];
    }
    if let Some(of) = name.strip_prefix("blob_as_").or_else(|| name.strip_prefix("blobas")).and_then(named) {
        return vec![Signature::new([CqlType::Blob], of, |call| {
            let CqlValue::Blob(bytes) = call.value(0) else { return Ok(CqlValue::Null) };
            CqlValue::from_serialized(call.returns, bytes).map_err(|_| {
                let (hex, of) = (json::hexadecimal(bytes), call.returns);
                invalid(format!(
                    "In call to function system.blob_as_{of}, value {hex} is not a valid binary representation for type {of}"
                ))
            })
        })];
    }
    Vec::new()
}

/// A function whose types are those of what it is called with, as far as they are known; `None` when `name` is none.
///
/// # Errors
/// Cassandra's, for arguments of other types.
pub(super) fn made(name: &str, given: &[Option<CqlType>]) -> Option<Result<Signature>> {
    Some(match name {
        "tojson" | "to_json" => one_of_any(name, given).map(|of| {
            Signature::new([of], CqlType::Text, |call| {
                let mut text = String::new();
                let of = call.types.first().unwrap_or(&CqlType::Blob);
                let bytes = match call.value(0) {
                    CqlValue::Null | CqlValue::Unset => None,
                    value => Some(value.to_serialized(of)?),
                };
                json::put(&mut text, of, bytes.as_deref())?;
                Ok(CqlValue::Text(text))
            })
            .taking_null()
        }),
        "map_keys" | "map_values" | "collection_count" | "collection_min" | "collection_max" | "collection_sum"
        | "collection_avg" => collections::signature(name, given),
        "mask_null" | "mask_default" | "mask_replace" | "mask_hash" => masks::signature(name, given),
        "similarity_cosine" | "similarity_euclidean" | "similarity_dot_product" => vectors::signature(name, given),
        _ => return None,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "as other functions are")]
fn abs(call: &Called<'_>) -> Result<CqlValue> {
    Ok(match call.value(0) {
        CqlValue::Tinyint(n) => CqlValue::Tinyint(n.wrapping_abs()),
        CqlValue::Smallint(n) => CqlValue::Smallint(n.wrapping_abs()),
        CqlValue::Int(n) => CqlValue::Int(n.wrapping_abs()),
        CqlValue::Bigint(n) => CqlValue::Bigint(n.wrapping_abs()),
        CqlValue::Counter(n) => CqlValue::Counter(n.wrapping_abs()),
        CqlValue::Float(n) => CqlValue::Float(n.abs()),
        CqlValue::Double(n) => CqlValue::Double(n.abs()),
        CqlValue::Varint(n) => CqlValue::Varint(n.abs()),
        CqlValue::Decimal(n) => CqlValue::Decimal(n.abs()),
        other => other.clone(),
    })
}

/// What a function of floats makes of a number of any type.
fn of_double(call: &Called<'_>, name: &str, run: fn(f64) -> f64) -> Result<CqlValue> {
    match call.value(0) {
        number @ (CqlValue::Varint(_) | CqlValue::Decimal(_)) => {
            Err(Error::unsupported(format!("{name} of a {}", number.kind())))
        }
        number => convert(&CqlValue::Double(run(double(number))), call.returns),
    }
}

fn exp(call: &Called<'_>) -> Result<CqlValue> {
    of_double(call, "exp", f64::exp)
}

fn log(call: &Called<'_>) -> Result<CqlValue> {
    of_double(call, "log", f64::ln)
}

fn log10(call: &Called<'_>) -> Result<CqlValue> {
    of_double(call, "log10", f64::log10)
}

/// Halves go up, towards the larger number, as in Java; of decimals away from zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "numbers are held at the ends, as in Java"
)]
fn round(call: &Called<'_>) -> Result<CqlValue> {
    Ok(match call.value(0) {
        CqlValue::Float(n) => CqlValue::Float((n + 0.5).floor() as i32 as f32),
        CqlValue::Double(n) => CqlValue::Double((n + 0.5).floor() as i64 as f64),
        CqlValue::Decimal(n) => {
            let whole = convert(&CqlValue::Decimal(n.abs() * 2 + 1), &CqlType::Varint)?;
            let CqlValue::Varint(whole) = whole else { return Ok(CqlValue::Null) };
            let rounded: crate::wide_column::BigInt = whole / 2;
            let rounded = if n.is_negative() { -rounded } else { rounded };
            CqlValue::Decimal(crate::wide_column::BigDecimal::from(rounded).with_scale_round(0, RoundingMode::Down))
        }
        other => other.clone(),
    })
}

fn floor(call: &Called<'_>) -> Result<CqlValue> {
    let start = if call.values.len() > 2 { call.millis(2) } else { 0 };
    moments::floor_timestamp(call.millis(0), call.duration(1), start).map(CqlValue::Timestamp)
}

fn floor_date(call: &Called<'_>) -> Result<CqlValue> {
    let days = |nth| call.value(nth).days_since_epoch().unwrap_or_default();
    moments::floor_date(days(0), call.duration(1), if call.values.len() > 2 { days(2) } else { 0 })
}

fn floor_time(call: &Called<'_>) -> Result<CqlValue> {
    match call.value(0) {
        CqlValue::Time(nanos) => moments::floor_time(*nanos, call.duration(1)),
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, of: &CqlType, value: impl Into<CqlValue>) -> Result<CqlValue> {
        let found = overloads(name).into_iter().find(|own| own.arguments == [of.clone()]).unwrap();
        let values = [value.into()];
        (found.run)(&Called { values: &values, types: &found.arguments, returns: &found.returns })
    }

    #[test]
    fn functions_of_numbers_keep_their_type() {
        assert_eq!(run("abs", &CqlType::Int, -5).unwrap(), CqlValue::Int(5));
        assert_eq!(run("exp", &CqlType::Int, 1).unwrap(), CqlValue::Int(2));
        assert_eq!(run("log10", &CqlType::Double, 100.0).unwrap(), CqlValue::Double(2.0));
        for (n, expected) in [(2.5, 3.0), (-2.5, -2.0), (2.4, 2.0)] {
            assert_eq!(run("round", &CqlType::Double, n).unwrap(), CqlValue::Double(expected));
        }
        let decimal = |text: &str| CqlValue::Decimal(text.parse().unwrap());
        for (n, expected) in [("2.5", "3"), ("-2.5", "-3"), ("1.49", "1")] {
            assert_eq!(run("round", &CqlType::Decimal, decimal(n)).unwrap(), decimal(expected));
        }
        assert!(matches!(run("exp", &CqlType::Decimal, decimal("1")), Err(Error::Unsupported { .. })));
    }

    #[test]
    fn every_type_but_blob_goes_to_bytes_and_back() {
        for of in &WITH_BYTES {
            let value = match of {
                CqlType::Int => CqlValue::Int(7),
                CqlType::Text => "a".into(),
                _ => continue,
            };
            let bytes = run(&format!("{of}asblob"), of, value.clone()).unwrap();
            assert_eq!(run(&format!("blob_as_{of}"), &CqlType::Blob, bytes).unwrap(), value);
        }
        let error = run("blobasint", &CqlType::Blob, vec![1u8]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "In call to function system.blob_as_int, value 0x01 is not a valid binary representation for type int"
        );
        assert!(overloads("blobasblob").is_empty() && overloads("nothing").is_empty());
    }
}
