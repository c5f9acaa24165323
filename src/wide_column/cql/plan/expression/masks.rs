//! Functions that hide values.

use std::net::{IpAddr, Ipv4Addr};

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::numbers;
use super::signature::{Called, Run, Signature, cannot_infer, one_of_any, wrong_count};
use crate::error::{Error, Result};
use crate::wide_column::Uuid;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// `mask_inner`, `mask_outer`
pub(super) fn of_text(is_inner: bool) -> Vec<Signature> {
    let run: Run = if is_inner { |call| partial(call, true) } else { |call| partial(call, false) };
    let mut found = Vec::new();
    for of in [CqlType::Text, CqlType::Ascii] {
        let arguments = [of.clone(), CqlType::Int, CqlType::Int];
        found.push(Signature::new(arguments.clone(), of.clone(), run).taking_null());
        let with_padding: Vec<_> = arguments.into_iter().chain([CqlType::Text]).collect();
        found.push(Signature::new(with_padding, of, run).taking_null());
    }
    found
}

/// Replaces what is between the first and last characters that are said, or these themselves.
fn partial(call: &Called<'_>, is_inner: bool) -> Result<CqlValue> {
    let CqlValue::Text(text) = call.value(0) else { return Ok(CqlValue::Null) };
    let count = |nth: usize| match call.value(nth) {
        CqlValue::Int(count) => usize::try_from(*count).map_err(|_| {
            let name = if is_inner { "mask_inner" } else { "mask_outer" };
            invalid(format!("The arguments of function system.{name} must not be negative, but one is {count}"))
        }),
        _ => Ok(0),
    };
    let (first, last) = (count(1)?, count(2)?);
    let padding = match call.value(3) {
        CqlValue::Text(padding) => {
            let mut characters = padding.chars();
            let (Some(only), None) = (characters.next(), characters.next()) else {
                let (name, found) = (if is_inner { "mask_inner" } else { "mask_outer" }, padding.chars().count());
                return Err(invalid(format!(
                    "The padding argument for function system.{name} should be single-character, but '{padding}' has {found} characters."
                )));
            };
            only
        }
        _ => '*',
    };
    let length = text.chars().count();
    let is_edge = |nth: usize| nth < first || nth >= length.saturating_sub(last);
    let shown = |(nth, own)| if is_edge(nth) == is_inner { own } else { padding };
    Ok(CqlValue::Text(text.chars().enumerate().map(shown).collect()))
}

/// `mask_null`, `mask_default`, `mask_replace`, `mask_hash`
pub(super) fn signature(name: &str, given: &[Option<CqlType>]) -> Result<Signature> {
    match name {
        "mask_null" => {
            let of = one_of_any(name, given)?;
            Ok(Signature::new([of.clone()], of, |_| Ok(CqlValue::Null)))
        }
        "mask_default" => {
            let of = one_of_any(name, given)?;
            Ok(Signature::new([of.clone()], of, |call| Ok(default(call.returns))).taking_null())
        }
        "mask_replace" => match given {
            [a, b] => {
                let of = a.as_ref().or(b.as_ref()).ok_or_else(|| cannot_infer(name))?;
                Ok(Signature::new([of.clone(), of.clone()], of.clone(), |call| Ok(call.value(1).clone())).taking_null())
            }
            _ => Err(wrong_count(name, 2, given.len())),
        },
        _ => match given {
            [Some(of)] => Ok(Signature::new([of.clone()], CqlType::Blob, hash)),
            [Some(of), _] => Ok(Signature::new([of.clone(), CqlType::Text], CqlType::Blob, hash)),
            [None] | [None, _] => Err(cannot_infer(name)),
            _ => Err(wrong_count(name, 1, given.len())),
        },
    }
}

fn hash(call: &Called<'_>) -> Result<CqlValue> {
    let bytes = call.value(0).to_serialized(call.types.first().unwrap_or(&CqlType::Blob))?;
    let algorithm = match call.value(1) {
        CqlValue::Text(name) => name.as_str(),
        _ => "SHA-256",
    };
    Ok(CqlValue::Blob(match algorithm.to_ascii_uppercase().as_str() {
        "SHA-224" => Sha224::digest(&bytes).to_vec(),
        "SHA-256" => Sha256::digest(&bytes).to_vec(),
        "SHA-384" => Sha384::digest(&bytes).to_vec(),
        "SHA-512" => Sha512::digest(&bytes).to_vec(),
        _ => return Err(Error::unsupported(format!("mask_hash by {algorithm}"))),
    }))
}

/// What is shown instead of any value of a type.
fn default(of: &CqlType) -> CqlValue {
    match of.thawed() {
        CqlType::Ascii | CqlType::Text => CqlValue::Text("****".to_owned()),
        CqlType::Blob => CqlValue::Blob(Vec::new()),
        CqlType::Boolean => CqlValue::Boolean(false),
        CqlType::Date => CqlValue::date_from_days_since_epoch(0),
        CqlType::Duration => CqlValue::Duration { months: 0, days: 0, nanoseconds: 0 },
        CqlType::Inet => CqlValue::Inet(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        CqlType::Time => CqlValue::Time(0),
        CqlType::Timestamp => CqlValue::Timestamp(0),
        CqlType::Timeuuid => CqlValue::Uuid(Uuid::from_u128(0x1000_8000_0000_0000_0000)),
        CqlType::Uuid => CqlValue::Uuid(Uuid::nil()),
        CqlType::List(_) => CqlValue::List(Vec::new()),
        CqlType::Set(_) => CqlValue::Set(Vec::new()),
        CqlType::Map(_) => CqlValue::Map(Vec::new()),
        CqlType::Tuple(fields) => CqlValue::Tuple(fields.iter().map(default).collect()),
        CqlType::Udt(own) => CqlValue::Udt(own.fields().iter().map(|(name, of)| (name.clone(), default(of))).collect()),
        CqlType::Vector(element, dimension) => CqlValue::Vector(vec![default(element); usize::from(*dimension)]),
        number => numbers::zero(number),
    }
}
