//! What the model's property tests draw from.

use std::net::IpAddr;

use proptest::prelude::*;

use super::cell::{Cell, Content, Deletion, StoredRow};
use super::{BigDecimal, BigInt, CqlType, CqlValue, Uuid};

/// `bytes` in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// A type with a value of it.
pub(super) fn typed_value() -> impl Strategy<Value = (CqlType, CqlValue)> {
    prop::sample::select(CqlType::ALL.to_vec()).prop_flat_map(|cql_type| (Just(cql_type), value_of(cql_type)))
}

/// A value of `cql_type`, often a small or a special one.
pub(super) fn value_of(cql_type: CqlType) -> BoxedStrategy<CqlValue> {
    match cql_type {
        CqlType::Ascii => "[ -~\0]{0,4}".prop_map(CqlValue::Text).boxed(),
        CqlType::Text => "[a-c\0ä\u{10ffff}]{0,4}".prop_map(CqlValue::Text).boxed(),
        CqlType::Blob => {
            prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..5).prop_map(CqlValue::Blob).boxed()
        }
        CqlType::Boolean => any::<bool>().prop_map(CqlValue::Boolean).boxed(),
        CqlType::Bigint => integer().prop_map(CqlValue::Bigint).boxed(),
        CqlType::Timestamp => integer().prop_map(CqlValue::Timestamp).boxed(),
        CqlType::Int => any::<i32>().prop_map(CqlValue::Int).boxed(),
        CqlType::Smallint => any::<i16>().prop_map(CqlValue::Smallint).boxed(),
        CqlType::Tinyint => any::<i8>().prop_map(CqlValue::Tinyint).boxed(),
        CqlType::Date => any::<u32>().prop_map(CqlValue::Date).boxed(),
        CqlType::Time => (0..86_400_000_000_000i64).prop_map(CqlValue::Time).boxed(),
        CqlType::Double => prop_oneof![any::<f64>(), prop::sample::select(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.0])]
            .prop_map(CqlValue::Double)
            .boxed(),
        CqlType::Float => prop_oneof![any::<f32>(), prop::sample::select(vec![0.0, -0.0, f32::NAN, -f32::NAN, 1.0])]
            .prop_map(CqlValue::Float)
            .boxed(),
        CqlType::Varint => {
            let wide = prop_oneof![-300i128..300, any::<i128>()];
            wide.prop_map(|integer| CqlValue::Varint(BigInt::from(integer))).boxed()
        }
        CqlType::Decimal => (prop_oneof![-200i128..200, any::<i128>()], -9i64..9)
            .prop_map(|(integer, scale)| CqlValue::Decimal(BigDecimal::new(integer.into(), scale)))
            .boxed(),
        CqlType::Inet => prop_oneof![
            any::<[u8; 4]>().prop_map(|octets| CqlValue::Inet(IpAddr::from(octets))),
            any::<[u8; 16]>().prop_map(|octets| CqlValue::Inet(IpAddr::from(octets))),
        ]
        .boxed(),
        CqlType::Uuid => uuid(prop::sample::select(vec![1u8, 4, 7]).boxed()).boxed(),
        CqlType::Timeuuid => uuid(Just(1).boxed()).boxed(),
    }
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![-3i64..3, any::<i64>()]
}

/// UUIDs that differ in few bytes, so that every rule of their order is reached.
fn uuid(version: BoxedStrategy<u8>) -> impl Strategy<Value = CqlValue> {
    (prop::array::uniform16(prop::sample::select(vec![0u8, 1, 0x7f, 0x80, 0xff])), version).prop_map(
        |(mut bytes, version)| {
            bytes[6] = (bytes[6] & 0x0f) | (version << 4);
            bytes[8] = (bytes[8] & 0x3f) | 0x80;
            CqlValue::Uuid(Uuid::from_bytes(bytes))
        },
    )
}

/// A cell with few timestamps, local times and values, so that ties are common.
pub(super) fn cell() -> impl Strategy<Value = Cell> {
    (0i64..3, content()).prop_map(|(timestamp, content)| Cell { timestamp, content })
}

pub(super) fn deletion() -> impl Strategy<Value = Deletion> {
    (0i64..3, 0i64..3).prop_map(|(timestamp, deleted)| Deletion { timestamp, deleted })
}

/// A row as it could be stored: nothing of it is covered by its own deletion.
pub(super) fn stored_row() -> impl Strategy<Value = StoredRow> {
    let marker = prop::option::of((0i64..3, prop::option::of((10i64..13, 1u32..3)))).prop_map(|marker| {
        marker.map(|(timestamp, expiry)| {
            let value = Vec::new();
            let content = match expiry {
                None => Content::Live { value },
                Some((expires, ttl)) => Content::Expiring { value, expires, ttl },
            };
            Cell { timestamp, content }
        })
    });
    let long = prop_oneof![Just(vec![]), Just(vec![b"long".to_vec(), vec![]])];
    (marker, prop::option::of(deletion()), prop::collection::btree_map(0u16..3, cell(), 0..3), long).prop_map(
        |(marker, deletion, cells, long)| {
            let row = StoredRow { marker, deletion: None, cells: cells.into_iter().collect(), long };
            row.merge(StoredRow { deletion, ..StoredRow::default() })
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    let value = || prop::collection::vec(0u8..2, 0..2);
    prop_oneof![
        value().prop_map(|value| Content::Live { value }),
        (value(), 10i64..13, 1u32..3).prop_map(|(value, expires, ttl)| Content::Expiring { value, expires, ttl }),
        (10i64..13).prop_map(|expires| Content::Expired { expires }),
        (0i64..3).prop_map(|deleted| Content::Tombstone { deleted }),
    ]
}
