//! Values as JSON, as `SELECT JSON` has them.
//!
//! # Source
//! CQL reference, *JSON support*: `toJson`.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::wide_column::parts::{Fields, elements, entries, vector};
use crate::wide_column::serialize::deserialize;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Appends a value; none is null.
pub(crate) fn put(out: &mut String, cql_type: &CqlType, bytes: Option<&[u8]>) -> Result<()> {
    let Some(bytes) = bytes else {
        out.push_str("null");
        return Ok(());
    };
    match cql_type.thawed() {
        CqlType::List(element) | CqlType::Set(element) => {
            list(out, elements(bytes)?.map(|part| part.map(|part| (&**element, Some(part)))))
        }
        CqlType::Vector(element, dimension) => {
            let parts = vector(element, *dimension, bytes)?.into_iter();
            list(out, parts.map(|part| Ok((&**element, Some(part)))))
        }
        CqlType::Tuple(types) => {
            let mut fields = Fields::new(bytes);
            list(out, types.iter().map(|field| Ok((field, fields.next_field()?))))
        }
        CqlType::Map(both) => {
            let mut key = String::new();
            let all = entries(bytes)?.map(|entry| {
                let (own, value) = entry?;
                key.clear();
                put(&mut key, &both.0, Some(own))?;
                // A key that is no text is its JSON as text.
                let name = if key.starts_with('"') { key.clone() } else { quoted(&key) };
                Ok((name, &both.1, Some(value)))
            });
            object(out, all)
        }
        CqlType::Udt(user_type) => {
            let mut fields = Fields::new(bytes);
            let all =
                user_type.fields().iter().map(|(name, field)| Ok((column_name(name), field, fields.next_field()?)));
            object(out, all)
        }
        native => {
            scalar(out, &deserialize(native, bytes)?);
            Ok(())
        }
    }
}

/// The name of a column or field as a key: in double quotes of its own where CQL needs them.
pub(crate) fn column_name(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { quoted(name) } else { quoted(&format!("\"{name}\"")) }
}

fn list<'t, 'b>(out: &mut String, parts: impl Iterator<Item = Result<(&'t CqlType, Option<&'b [u8]>)>>) -> Result<()> {
    out.push('[');
    for (nth, part) in parts.enumerate() {
        let (cql_type, bytes) = part?;
        if nth > 0 {
            out.push_str(", ");
        }
        put(out, cql_type, bytes)?;
    }
    out.push(']');
    Ok(())
}

/// Appends an object of names, which are JSON already, and values.
pub(crate) fn object<'t, B: AsRef<[u8]>>(
    out: &mut String,
    fields: impl Iterator<Item = Result<(String, &'t CqlType, Option<B>)>>,
) -> Result<()> {
    out.push('{');
    for (nth, field) in fields.enumerate() {
        let (name, cql_type, bytes) = field?;
        if nth > 0 {
            out.push_str(", ");
        }
        out.push_str(&name);
        out.push_str(": ");
        put(out, cql_type, bytes.as_ref().map(AsRef::as_ref))?;
    }
    out.push('}');
    Ok(())
}

/// Appends a value of a scalar type.
pub(crate) fn scalar(out: &mut String, value: &CqlValue) {
    let text = |out: &mut String, text: &str| out.push_str(&quoted(text));
    match value {
        CqlValue::Text(value) => text(out, value),
        CqlValue::Blob(bytes) => text(out, &hexadecimal(bytes)),
        CqlValue::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        CqlValue::Tinyint(value) => put_display(out, value),
        CqlValue::Smallint(value) => put_display(out, value),
        CqlValue::Int(value) => put_display(out, value),
        CqlValue::Bigint(value) | CqlValue::Counter(value) => put_display(out, value),
        CqlValue::Varint(value) => put_display(out, value),
        CqlValue::Decimal(value) => put_display(out, value),
        CqlValue::Double(value) if value.is_finite() => put_display(out, &format_args!("{value:?}")),
        CqlValue::Float(value) if value.is_finite() => put_display(out, &format_args!("{value:?}")),
        CqlValue::Double(value) => text(out, special(*value)),
        CqlValue::Float(value) => text(out, special(f64::from(*value))),
        CqlValue::Uuid(value) => text(out, &value.to_string()),
        CqlValue::Inet(value) => text(out, &value.to_string()),
        CqlValue::Timestamp(millis) => text(out, &timestamp(*millis)),
        date @ CqlValue::Date(_) => text(out, &day(date.days_since_epoch().unwrap_or_default())),
        CqlValue::Time(nanos) => text(out, &time(*nanos)),
        CqlValue::Duration { months, days, nanoseconds } => text(out, &duration(*months, *days, *nanoseconds)),
        // No bytes at all.
        _ => text(out, ""),
    }
}

/// `0x01ff`
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn put_display(out: &mut String, value: &impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// `2011-02-03 04:05:00.000Z`; of a moment that has no date here, the milliseconds.
pub(crate) fn timestamp(millis: i64) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S.%3fZ").to_string(),
        Err(_) => millis.to_string(),
    }
}

/// `2011-02-03`; of a day that has no date here, the days since 1970-01-01.
fn day(days: i32) -> String {
    let epoch = Date::constant(1970, 1, 1);
    let moved = jiff::Span::new().try_days(days).and_then(|span| epoch.checked_add(span));
    moved.map_or_else(|_| days.to_string(), |date| date.strftime("%Y-%m-%d").to_string())
}

fn time(nanos: i64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{:02}:{:02}:{:02}.{rest:09}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `1y2mo3d4h5m6s7ms8us9ns`, without the parts that are zero.
pub(crate) fn duration(months: i32, days: i32, nanoseconds: i64) -> String {
    let is_negative = months < 0 || days < 0 || nanoseconds < 0;
    let (months, days, nanos) = (months.unsigned_abs(), days.unsigned_abs(), nanoseconds.unsigned_abs());
    let parts = [
        (u64::from(months / 12), "y"),
        (u64::from(months % 12), "mo"),
        (u64::from(days), "d"),
        (nanos / 3_600_000_000_000, "h"),
        (nanos / 60_000_000_000 % 60, "m"),
        (nanos / 1_000_000_000 % 60, "s"),
        (nanos / 1_000_000 % 1_000, "ms"),
        (nanos / 1_000 % 1_000, "us"),
        (nanos % 1_000, "ns"),
    ];
    let mut text = String::from(if is_negative { "-" } else { "" });
    for (amount, unit) in parts.into_iter().filter(|(amount, _)| *amount > 0) {
        let _ = write!(text, "{amount}{unit}");
    }
    if text.is_empty() { "0ns".to_owned() } else { text }
}

/// Text as JSON.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A row as an object.
pub(crate) fn put_row(out: &mut String, row: &super::FoundRow<'_>, columns: &[super::Fetch]) -> Result<()> {
    let fields = columns.iter().map(|of| {
        let column = row.table().column(of.at())?;
        Ok::<_, Error>((column_name(column.name()), column.column_type(), row.fetch(*of)?))
    });
    object(out, fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::UserType;
    use crate::wide_column::testing::form;

    fn json(cql_type: &CqlType, value: &CqlValue) -> String {
        let mut out = String::new();
        put(&mut out, cql_type, Some(&form(cql_type, value))).unwrap();
        out
    }

    // SEM: WID-QRY-2
    #[test]
    fn values_are_json_as_cassandra_writes_it() {
        assert_eq!(json(&CqlType::Text, &"a\"\n\u{1}".into()), r#""a\"\n\u0001""#);
        assert_eq!(json(&CqlType::Blob, &vec![1u8, 255].into()), r#""0x01ff""#);
        assert_eq!(json(&CqlType::Double, &1.0.into()), "1.0");
        assert_eq!(json(&CqlType::Double, &f64::NAN.into()), r#""NaN""#);
        assert_eq!(json(&CqlType::Timestamp, &CqlValue::Timestamp(1_296_705_900_001)), r#""2011-02-03 04:05:00.001Z""#);
        assert_eq!(json(&CqlType::Date, &CqlValue::date_from_days_since_epoch(-1)), r#""1969-12-31""#);
        assert_eq!(json(&CqlType::Time, &CqlValue::Time(29_574_123_456_789)), r#""08:12:54.123456789""#);
        let duration = CqlValue::Duration { months: 14, days: 3, nanoseconds: 3_600_000_000_001 };
        assert_eq!(json(&CqlType::Duration, &duration), r#""1y2mo3d1h1ns""#);
        let map = CqlType::map(CqlType::Int, CqlType::frozen(CqlType::list(CqlType::Text)));
        let value = CqlValue::Map(vec![(1.into(), CqlValue::List(vec!["a".into(), "b".into()]))]);
        assert_eq!(json(&map, &value), r#"{"1": ["a", "b"]}"#);
        let udt = CqlType::udt(UserType::new("k", "t").field("a", CqlType::Int).field("B", CqlType::Boolean));
        let value = CqlValue::Udt(vec![("B".to_owned(), true.into())]);
        assert_eq!(json(&udt, &value), r#"{"a": null, "\"B\"": true}"#);
        assert_eq!(json(&CqlType::Int, &CqlValue::Empty), r#""""#);
    }
}
