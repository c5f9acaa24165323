//! The serialized form of values: what partition keys and cells hold.
//!
//! It is that of the CQL binary protocol, so that a front door passes bytes through:
//!
//! | type                            | bytes                                                               |
//! |---------------------------------|---------------------------------------------------------------------|
//! | `tinyint` … `bigint`, `time`, `timestamp`, `float`, `double`, `date`, `counter` | big-endian, at their width |
//! | `boolean`                       | one byte, `00` or `01`                                              |
//! | `ascii`, `text`, `blob`         | as they are                                                         |
//! | `inet`                          | 4 or 16 bytes                                                       |
//! | `uuid`, `timeuuid`              | 16 bytes                                                            |
//! | `varint`                        | two's complement, big-endian, as short as possible                  |
//! | `decimal`                       | scale as an i32, then the unscaled `varint`                         |
//! | `duration`                      | months, days, nanoseconds as signed integers of variable length     |
//! | `list`, `set`                   | how many elements (i32), each with its length (i32)                 |
//! | `map`                           | how many (i32), each key and value with its length (i32)            |
//! | `tuple`, user's types           | each value with its length (i32, -1 is null)                        |
//! | `vector`                        | elements of one width as they are, others each with its length (unsigned, of variable length) |
//! | the empty value                 | no bytes                                                            |
//!
//! Elements of a set and keys of a map come in the order of their type, each once.

use std::borrow::Cow;
use std::net::IpAddr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use uuid::Uuid;

use crate::encoding::ordered::Reader;
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::order;
use crate::wide_column::parts::{Fields, NULL, elements, entries, vector};
use crate::wide_column::types::{CqlType, UserType};
use crate::wide_column::value::CqlValue;
use crate::wide_column::vint;

/// Nanoseconds in a day: what a `time` is below.
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Why a value is none of a type.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is of another type, of which this is the name.
    Type(&'static str),
    /// It is of the right type, but cannot be one.
    Value(String),
}

impl Fault {
    /// The error that names what was to be of `expected`.
    pub(super) fn of(self, what: &str, expected: &CqlType) -> Error {
        match self {
            Self::Type(found) => {
                Error::invalid(InvalidKind::Type, format!("{what} is {expected} and does not take a {found}"))
            }
            Self::Value(fault) => Error::invalid(InvalidKind::Value, format!("{what}: {fault}")),
        }
    }
}

impl CqlValue {
    /// The serialized form of the value as one of `cql_type`, which is that of the CQL binary protocol.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none, or null or not set, which have no form.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, CqlValue};
    /// assert_eq!(CqlValue::Int(7).to_serialized(&CqlType::Int)?, [0, 0, 0, 7]);
    /// assert!(CqlValue::Int(7).to_serialized(&CqlType::Text).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_serialized(&self, cql_type: &CqlType) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        serialize(self, cql_type, &mut out).map_err(|fault| fault.of("the value", cql_type))?;
        Ok(out)
    }

    /// The value of `cql_type` with this serialized form, checked through and through.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bytes that are none.
    ///
    /// # Examples
    /// ```
    /// use larder::wide_column::{CqlType, CqlValue};
    /// assert_eq!(CqlValue::from_serialized(&CqlType::Int, &[0, 0, 0, 7])?, CqlValue::Int(7));
    /// assert_eq!(CqlValue::from_serialized(&CqlType::Int, &[])?, CqlValue::Empty);
    /// assert!(CqlValue::from_serialized(&CqlType::Int, &[7]).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn from_serialized(cql_type: &CqlType, bytes: &[u8]) -> Result<Self> {
        let bytes = normal(cql_type, bytes).map_err(|fault| fault.of("the value", cql_type))?;
        deserialize(cql_type, &bytes)
    }
}

/// Appends the serialized form of `value`, which is neither null nor unset, as one of `cql_type`.
pub(super) fn serialize(value: &CqlValue, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<(), Fault> {
    match (value, cql_type.thawed()) {
        (CqlValue::Empty, inner) if inner.has_empty_value() => {}
        (CqlValue::Blob(bytes), CqlType::Blob) => out.extend_from_slice(bytes),
        (CqlValue::Boolean(value), CqlType::Boolean) => out.push(u8::from(*value)),
        (CqlValue::Counter(value), CqlType::Counter)
        | (CqlValue::Bigint(value), CqlType::Bigint)
        | (CqlValue::Timestamp(value), CqlType::Timestamp) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Date(days), CqlType::Date) => out.extend_from_slice(&days.to_be_bytes()),
        (CqlValue::Decimal(decimal), CqlType::Decimal) => {
            let (unscaled, scale) = decimal.as_bigint_and_exponent();
            let fault = |_| Fault::Value("the scale of a decimal fits 32 bits".to_owned());
            out.extend_from_slice(&i32::try_from(scale).map_err(fault)?.to_be_bytes());
            out.extend_from_slice(&unscaled.to_signed_bytes_be());
        }
        (CqlValue::Double(value), CqlType::Double) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Float(value), CqlType::Float) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Duration { months, days, nanoseconds }, CqlType::Duration) => {
            check_duration(i64::from(*months), i64::from(*days), *nanoseconds)?;
            vint::put_signed(out, i64::from(*months));
            vint::put_signed(out, i64::from(*days));
            vint::put_signed(out, *nanoseconds);
        }
        (CqlValue::Inet(IpAddr::V4(address)), CqlType::Inet) => out.extend_from_slice(&address.octets()),
        (CqlValue::Inet(IpAddr::V6(address)), CqlType::Inet) => out.extend_from_slice(&address.octets()),
        (CqlValue::Int(value), CqlType::Int) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Smallint(value), CqlType::Smallint) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Tinyint(value), CqlType::Tinyint) => out.extend_from_slice(&value.to_be_bytes()),
        (CqlValue::Text(text), CqlType::Text) => out.extend_from_slice(text.as_bytes()),
        (CqlValue::Text(text), CqlType::Ascii) if text.is_ascii() => out.extend_from_slice(text.as_bytes()),
        (CqlValue::Text(_), CqlType::Ascii) => return Err(Fault::Value("the text is not ASCII".to_owned())),
        (CqlValue::Time(nanos), CqlType::Time) if (0..NANOS_PER_DAY).contains(nanos) => {
            out.extend_from_slice(&nanos.to_be_bytes());
        }
        (CqlValue::Time(_), CqlType::Time) => return Err(Fault::Value("a time is within one day".to_owned())),
        (CqlValue::Uuid(uuid), CqlType::Timeuuid) if uuid.get_version_num() != 1 => {
            return Err(Fault::Value("a timeuuid has version 1".to_owned()));
        }
        (CqlValue::Uuid(uuid), CqlType::Uuid | CqlType::Timeuuid) => out.extend_from_slice(uuid.as_bytes()),
        (CqlValue::Varint(integer), CqlType::Varint) => out.extend_from_slice(&integer.to_signed_bytes_be()),
        (CqlValue::List(elements), CqlType::List(element)) => {
            put_length(out, elements.len())?;
            elements.iter().try_for_each(|value| serialize_part(value, element, out))?;
        }
        (CqlValue::Set(elements), CqlType::Set(element)) => {
            let parts = elements.iter().map(|value| Ok((part(value, element)?, Vec::new())));
            put_sorted(out, parts.collect::<Result<_, Fault>>()?, element, false)?;
        }
        (CqlValue::Map(entries), CqlType::Map(both)) => {
            let parts = entries.iter().map(|(key, value)| Ok((part(key, &both.0)?, part(value, &both.1)?)));
            put_sorted(out, parts.collect::<Result<_, Fault>>()?, &both.0, true)?;
        }
        (CqlValue::Tuple(values), CqlType::Tuple(types)) => {
            if values.len() > types.len() {
                let message = format!("a tuple of {} values, where it has {}", values.len(), types.len());
                return Err(Fault::Value(message));
            }
            values.iter().zip(types.iter()).try_for_each(|(value, field)| serialize_nullable(value, field, out))?;
        }
        (CqlValue::Udt(values), CqlType::Udt(user_type)) => serialize_udt(values, user_type, out)?,
        (CqlValue::Vector(values), CqlType::Vector(element, dimension)) => {
            if values.len() != usize::from(*dimension) {
                return Err(Fault::Value(format!("a vector of {} elements, where it has {dimension}", values.len())));
            }
            for value in values {
                let bytes = part(value, element)?;
                match element.width_in_vector() {
                    Some(width) if bytes.len() == width => out.extend_from_slice(&bytes),
                    Some(_) => return Err(Fault::Value("an element of a vector has no bytes".to_owned())),
                    None => vint::put_bytes(out, &bytes),
                }
            }
        }
        (value, _) => return Err(Fault::Type(value.kind())),
    }
    Ok(())
}

/// The serialized form of a value that is a part of another.
fn part(value: &CqlValue, cql_type: &CqlType) -> Result<Vec<u8>, Fault> {
    if matches!(value, CqlValue::Null | CqlValue::Unset) {
        return Err(Fault::Value(format!("{} is not supported inside collections", value.kind())));
    }
    let mut bytes = Vec::new();
    serialize(value, cql_type, &mut bytes)?;
    Ok(bytes)
}

fn serialize_part(value: &CqlValue, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<(), Fault> {
    put_part(out, &part(value, cql_type)?)
}

fn serialize_nullable(value: &CqlValue, cql_type: &CqlType, out: &mut Vec<u8>) -> Result<(), Fault> {
    if matches!(value, CqlValue::Null | CqlValue::Unset) {
        out.extend_from_slice(&NULL.to_be_bytes());
        return Ok(());
    }
    serialize_part(value, cql_type, out)
}

fn serialize_udt(values: &[(String, CqlValue)], user_type: &UserType, out: &mut Vec<u8>) -> Result<(), Fault> {
    let is_field = |name: &str| user_type.fields().iter().any(|(field, _)| field == name);
    if let Some((name, _)) = values.iter().find(|(name, _)| !is_field(name)) {
        return Err(Fault::Value(format!("type {} has no field {name:?}", user_type.name())));
    }
    for (name, field) in user_type.fields() {
        let value = values.iter().rev().find(|(given, _)| given == name).map_or(&CqlValue::Null, |(_, value)| value);
        serialize_nullable(value, field, out)?;
    }
    Ok(())
}

/// Appends a set, or the keys of a map with their values: sorted, each key once, of several the last.
fn put_sorted(out: &mut Vec<u8>, mut parts: Vec<(Vec<u8>, Vec<u8>)>, key: &CqlType, is_map: bool) -> Result<(), Fault> {
    sort_parts(&mut parts, key);
    put_length(out, parts.len())?;
    for (key, value) in parts {
        put_part(out, &key)?;
        if is_map {
            put_part(out, &value)?;
        }
    }
    Ok(())
}

/// Sorts by key, and keeps the last of those that are equal.
fn sort_parts<B: AsRef<[u8]>>(parts: &mut Vec<(B, B)>, key: &CqlType) {
    // The sort is stable, so that the last one that was given comes first after the reversal.
    parts.reverse();
    parts.sort_by(|(a, _), (b, _)| order::compare(key, a.as_ref(), b.as_ref()));
    parts.dedup_by(|(later, _), (kept, _)| order::compare(key, later.as_ref(), kept.as_ref()).is_eq());
}

fn put_length(out: &mut Vec<u8>, length: usize) -> Result<(), Fault> {
    let fault = |_| Fault::Value(format!("{length} elements or bytes are too many"));
    out.extend_from_slice(&i32::try_from(length).map_err(fault)?.to_be_bytes());
    Ok(())
}

fn put_part(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Fault> {
    put_length(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

fn check_duration(months: i64, days: i64, nanoseconds: i64) -> Result<(), Fault> {
    let parts = [months, days, nanoseconds];
    if i32::try_from(months).is_err() || i32::try_from(days).is_err() {
        return Err(Fault::Value("months and days of a duration fit 32 bits".to_owned()));
    }
    if parts.iter().any(|part| *part < 0) && parts.iter().any(|part| *part > 0) {
        let message = "The duration months, days and nanoseconds must be all of the same sign";
        return Err(Fault::Value(format!("{message} ({months}, {days}, {nanoseconds})")));
    }
    Ok(())
}

/// The value of type `cql_type` that `bytes` are the serialized form of.
///
/// # Errors
/// [`Error::Corruption`] when they are not.
pub(super) fn deserialize(cql_type: &CqlType, bytes: &[u8]) -> Result<CqlValue> {
    read(cql_type, bytes, limits::WIDE_TYPE_DEPTH_MAX)
}

fn read(cql_type: &CqlType, bytes: &[u8], levels: usize) -> Result<CqlValue> {
    let below = levels.checked_sub(1).ok_or_else(|| Error::corrupt("column value", "it is nested too deeply"))?;
    let cql_type = cql_type.thawed();
    if bytes.is_empty() && cql_type.has_empty_value() {
        return Ok(match cql_type {
            CqlType::Ascii | CqlType::Text => CqlValue::Text(String::new()),
            CqlType::Blob => CqlValue::Blob(Vec::new()),
            _ => CqlValue::Empty,
        });
    }
    let value = match cql_type {
        CqlType::Ascii | CqlType::Text => std::str::from_utf8(bytes).ok().map(|text| CqlValue::Text(text.to_owned())),
        CqlType::Bigint => fixed(bytes).map(|bytes| CqlValue::Bigint(i64::from_be_bytes(bytes))),
        CqlType::Counter => fixed(bytes).map(|bytes| CqlValue::Counter(i64::from_be_bytes(bytes))),
        CqlType::Blob => Some(CqlValue::Blob(bytes.to_vec())),
        CqlType::Boolean => fixed(bytes).map(|[byte]| CqlValue::Boolean(byte != 0)),
        CqlType::Decimal => {
            bytes.split_first_chunk().filter(|(_, unscaled)| !unscaled.is_empty()).map(|(scale, unscaled)| {
                let unscaled = BigInt::from_signed_bytes_be(unscaled);
                CqlValue::Decimal(BigDecimal::new(unscaled, i32::from_be_bytes(*scale).into()))
            })
        }
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
        CqlType::Duration => read_duration(bytes),
        CqlType::List(element) => {
            Some(CqlValue::List(elements(bytes)?.map(|part| read(element, part?, below)).collect::<Result<_>>()?))
        }
        CqlType::Set(element) => {
            Some(CqlValue::Set(elements(bytes)?.map(|part| read(element, part?, below)).collect::<Result<_>>()?))
        }
        CqlType::Map(both) => {
            let entry = |entry: Result<(&[u8], &[u8])>| {
                let (key, value) = entry?;
                Ok((read(&both.0, key, below)?, read(&both.1, value, below)?))
            };
            Some(CqlValue::Map(entries(bytes)?.map(entry).collect::<Result<_>>()?))
        }
        CqlType::Tuple(types) => {
            let mut fields = Fields::new(bytes);
            let values = types.iter().map(|field| nullable(field, fields.next_field()?, below));
            Some(CqlValue::Tuple(values.collect::<Result<_>>()?)).filter(|_| fields.is_done())
        }
        CqlType::Udt(user_type) => {
            let mut fields = Fields::new(bytes);
            let value =
                |(name, field): &(String, CqlType)| Ok((name.clone(), nullable(field, fields.next_field()?, below)?));
            Some(CqlValue::Udt(user_type.fields().iter().map(value).collect::<Result<_>>()?))
        }
        CqlType::Vector(element, dimension) => {
            let parts = vector(element, *dimension, bytes)?;
            Some(CqlValue::Vector(parts.into_iter().map(|part| read(element, part, below)).collect::<Result<_>>()?))
        }
        CqlType::Frozen(_) => None,
    };
    value.ok_or_else(|| Error::corrupt("column value", format!("{} bytes are no {cql_type}", bytes.len())))
}

fn nullable(cql_type: &CqlType, bytes: Option<&[u8]>, levels: usize) -> Result<CqlValue> {
    bytes.map_or(Ok(CqlValue::Null), |bytes| read(cql_type, bytes, levels))
}

fn read_duration(bytes: &[u8]) -> Option<CqlValue> {
    let (months, days, nanoseconds) = duration(bytes)?;
    let (months, days) = (i32::try_from(months).ok()?, i32::try_from(days).ok()?);
    Some(CqlValue::Duration { months, days, nanoseconds })
}

fn duration(bytes: &[u8]) -> Option<(i64, i64, i64)> {
    let mut reader = Reader::new(bytes);
    let mut part = || vint::take_signed(&mut reader).ok();
    let parts = (part()?, part()?, part()?);
    reader.rest().is_empty().then_some(parts)
}

/// The one form of a value of `cql_type` that is serialized as `bytes`; of a type without parts it is these bytes.
pub(super) fn normal<'b>(cql_type: &CqlType, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Fault> {
    let own = cql_type.thawed();
    let has_parts = own.is_collection() || matches!(own, CqlType::Tuple(_) | CqlType::Udt(_) | CqlType::Vector(..));
    if !has_parts {
        return check_native(own, bytes).map(|()| Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    normalize(own, bytes, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Brings bytes that come from outside to the form in which values of `cql_type` are kept, in `out`: checked through and
/// through, sets and maps sorted.
fn normalize(cql_type: &CqlType, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    normalize_below(cql_type, bytes, out, limits::WIDE_TYPE_DEPTH_MAX)
}

fn normalize_below(cql_type: &CqlType, bytes: &[u8], out: &mut Vec<u8>, levels: usize) -> Result<(), Fault> {
    let malformed = |_| Fault::Value(format!("{} bytes are no value of it", bytes.len()));
    let below = levels.checked_sub(1).ok_or_else(|| Fault::Value("it is nested too deeply".to_owned()))?;
    let cql_type = cql_type.thawed();
    let whole = |part: &[u8], cql_type: &CqlType| {
        let mut out = Vec::with_capacity(part.len());
        normalize_below(cql_type, part, &mut out, below).map(|()| out)
    };
    match cql_type {
        CqlType::List(element) => {
            let parts = elements(bytes).map_err(malformed)?;
            let parts = parts.map(|part| whole(part.map_err(malformed)?, element)).collect::<Result<Vec<_>, _>>()?;
            put_length(out, parts.len())?;
            parts.iter().try_for_each(|part| put_part(out, part))?;
        }
        CqlType::Set(element) => {
            let parts = elements(bytes).map_err(malformed)?;
            let parts = parts.map(|part| Ok((whole(part.map_err(malformed)?, element)?, Vec::new())));
            put_sorted(out, parts.collect::<Result<_, Fault>>()?, element, false)?;
        }
        CqlType::Map(both) => {
            let parts = entries(bytes).map_err(malformed)?.map(|entry| {
                let (key, value) = entry.map_err(malformed)?;
                Ok((whole(key, &both.0)?, whole(value, &both.1)?))
            });
            put_sorted(out, parts.collect::<Result<_, Fault>>()?, &both.0, true)?;
        }
        CqlType::Tuple(types) => {
            let mut fields = Fields::new(bytes);
            for field in types.iter() {
                if !fields.is_done() {
                    normalize_field(field, fields.next_field().map_err(malformed)?, out, below)?;
                }
            }
            if !fields.is_done() {
                return Err(Fault::Value("it has more values than its type".to_owned()));
            }
        }
        CqlType::Udt(user_type) => {
            let mut fields = Fields::new(bytes);
            for (_, field) in user_type.fields() {
                normalize_field(field, fields.next_field().map_err(malformed)?, out, below)?;
            }
            if !fields.is_done() {
                return Err(Fault::Value("it has more fields than its type".to_owned()));
            }
        }
        CqlType::Vector(element, dimension) => {
            for part in vector(element, *dimension, bytes).map_err(malformed)? {
                let part = whole(part, element)?;
                if element.width_in_vector().is_some() {
                    out.extend_from_slice(&part);
                } else {
                    vint::put_bytes(out, &part);
                }
            }
        }
        native => {
            check_native(native, bytes)?;
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}

fn normalize_field(cql_type: &CqlType, bytes: Option<&[u8]>, out: &mut Vec<u8>, levels: usize) -> Result<(), Fault> {
    let Some(bytes) = bytes else {
        out.extend_from_slice(&NULL.to_be_bytes());
        return Ok(());
    };
    let mut part = Vec::with_capacity(bytes.len());
    normalize_below(cql_type, bytes, &mut part, levels)?;
    put_part(out, &part)
}

/// Refuses bytes that are no value of a type without parts.
fn check_native(cql_type: &CqlType, bytes: &[u8]) -> Result<(), Fault> {
    let fault = |text: &str| Err(Fault::Value(text.to_owned()));
    if bytes.is_empty() && cql_type.has_empty_value() {
        return Ok(());
    }
    if let Some(width) = cql_type.width()
        && bytes.len() != width
    {
        return Err(Fault::Value(format!("Expected {width} or 0 byte {cql_type} ({})", bytes.len())));
    }
    match cql_type {
        CqlType::Ascii if !bytes.is_ascii() => fault("Invalid byte for ascii"),
        CqlType::Text if std::str::from_utf8(bytes).is_err() => fault("String didn't validate."),
        CqlType::Inet if address(bytes).is_none() => {
            Err(Fault::Value(format!("Expected 4 or 16 byte inetaddress; got {}", bytes.len())))
        }
        CqlType::Decimal if bytes.len() < 5 => fault("a decimal has at least five bytes"),
        CqlType::Time => {
            let nanos = fixed(bytes).map(i64::from_be_bytes).unwrap_or_default();
            if (0..NANOS_PER_DAY).contains(&nanos) { Ok(()) } else { fault("a time is within one day") }
        }
        CqlType::Timeuuid if bytes.get(6).is_none_or(|byte| byte >> 4 != 1) => {
            fault("Invalid version for TimeUUID type.")
        }
        CqlType::Duration => match duration(bytes) {
            Some((months, days, nanoseconds)) => check_duration(months, days, nanoseconds),
            None => fault("Could not extract months, days and nanoseconds from the bytes of a duration"),
        },
        _ => Ok(()),
    }
}

/// The address of 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    fixed::<4>(bytes).map(IpAddr::from).or_else(|| fixed::<16>(bytes).map(IpAddr::from))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{any_type, form, typed_value};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_comes_back((cql_type, value) in typed_value()) {
            let bytes = form(&cql_type, &value);
            let back = deserialize(&cql_type, &bytes).unwrap();
            prop_assert_eq!(form(&cql_type, &back), &bytes[..], "bit for bit, NaN and trailing zeros too");
            let mut normal = Vec::new();
            normalize(&cql_type, &bytes, &mut normal).unwrap();
            prop_assert_eq!(normal, bytes);
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(cql_type in any_type(), bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..30)) {
            let mut normal = Vec::new();
            if normalize(&cql_type, &bytes, &mut normal).is_ok() {
                deserialize(&cql_type, &normal).unwrap();
            }
            let _ = deserialize(&cql_type, &bytes);
        }
    }

    // SEM: WID-TYP-2
    #[test]
    fn forms_are_those_of_the_protocol() {
        assert_eq!(form(&CqlType::Date, &CqlValue::date_from_days_since_epoch(0)), [0x80, 0, 0, 0]);
        assert_eq!(form(&CqlType::Date, &CqlValue::date_from_days_since_epoch(-1)), [0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(form(&CqlType::Varint, &CqlValue::Varint(128.into())), [0x00, 0x80]);
        assert_eq!(form(&CqlType::Varint, &CqlValue::Varint((-128).into())), [0x80]);
        assert_eq!(form(&CqlType::Decimal, &CqlValue::Decimal("1.50".parse().unwrap())), [0, 0, 0, 2, 0x00, 0x96]);
        assert_eq!(form(&CqlType::Inet, &CqlValue::Inet("10.0.0.1".parse().unwrap())), [10, 0, 0, 1]);
        let duration = CqlValue::Duration { months: 1, days: -0, nanoseconds: 64 };
        assert_eq!(form(&CqlType::Duration, &duration), [2, 0, 0x80, 0x80]);
        let set = CqlValue::Set(vec![2.into(), (-1).into(), 2.into()]);
        let bytes = [0, 0, 0, 2, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 4, 0, 0, 0, 2];
        assert_eq!(form(&CqlType::set(CqlType::Int), &set), bytes);
        let tuple = CqlValue::Tuple(vec![CqlValue::Null, true.into()]);
        let bytes = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1];
        assert_eq!(form(&CqlType::tuple([CqlType::Int, CqlType::Boolean]), &tuple), bytes);
        let vector = CqlValue::Vector(vec!["a".into(), "bc".into()]);
        assert_eq!(form(&CqlType::vector(CqlType::Text, 2), &vector), [1, b'a', 2, b'b', b'c']);
    }

    // SEM: WID-TYP-4
    #[test]
    fn scalars_but_six_have_an_empty_value() {
        let mut out = Vec::new();
        for cql_type in [CqlType::Int, CqlType::Boolean, CqlType::Uuid, CqlType::Decimal, CqlType::Inet] {
            assert!(serialize(&CqlValue::Empty, &cql_type, &mut out).is_ok());
            assert_eq!(deserialize(&cql_type, &[]).unwrap(), CqlValue::Empty);
        }
        assert_eq!(deserialize(&CqlType::Text, &[]).unwrap(), "".into());
        for cql_type in [CqlType::Tinyint, CqlType::Date, CqlType::Time, CqlType::Smallint, CqlType::Duration] {
            assert!(serialize(&CqlValue::Empty, &cql_type, &mut out).is_err());
            assert!(normalize(&cql_type, &[], &mut out).is_err());
        }
        assert!(out.is_empty());
    }

    #[test]
    fn parts_that_are_null_and_values_that_are_none_of_their_type_are_refused() {
        let mut out = Vec::new();
        let list = CqlType::list(CqlType::Int);
        assert!(matches!(serialize(&CqlValue::List(vec![CqlValue::Null]), &list, &mut out), Err(Fault::Value(_))));
        assert!(matches!(serialize(&CqlValue::List(vec!["a".into()]), &list, &mut out), Err(Fault::Type("text"))));
        let mixed = CqlValue::Duration { months: 1, days: -1, nanoseconds: 0 };
        assert!(matches!(serialize(&mixed, &CqlType::Duration, &mut out), Err(Fault::Value(_))));
        assert!(normalize(&list, &[0x7f, 0xff, 0xff, 0xff], &mut out).is_err(), "a count alone asks for no memory");
    }
}
