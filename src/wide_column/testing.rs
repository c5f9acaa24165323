//! What the model's property tests draw from.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{BigDecimal, BigInt, CqlType, CqlValue, UserType, Uuid};

/// `bytes` in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// The serialized form of a value that is one of `cql_type`.
pub(super) fn form(cql_type: &CqlType, value: &CqlValue) -> Vec<u8> {
    let mut out = Vec::new();
    super::serialize::serialize(value, cql_type, &mut out).unwrap_or_else(|fault| panic!("{value:?}: {fault:?}"));
    out
}

/// Types without parts and an order.
fn scalar() -> impl Strategy<Value = CqlType> {
    prop::sample::select(vec![
        CqlType::Ascii,
        CqlType::Bigint,
        CqlType::Blob,
        CqlType::Boolean,
        CqlType::Date,
        CqlType::Decimal,
        CqlType::Double,
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
    ])
}

/// A type, most often one without parts.
pub(super) fn any_type() -> impl Strategy<Value = CqlType> {
    scalar().prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(CqlType::list),
            inner.clone().prop_map(CqlType::set),
            inner.clone().prop_map(|element| CqlType::frozen(CqlType::set(element))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| CqlType::map(key, value)),
            (inner.clone(), 1u16..3).prop_map(|(element, dimension)| CqlType::vector(element, dimension)),
            prop::collection::vec(inner.clone(), 1..3).prop_map(CqlType::tuple),
            (inner.clone(), inner).prop_map(|(a, b)| CqlType::udt(UserType::new("k", "t").field("a", a).field("b", b))),
        ]
    })
}

/// A type with a value of it.
pub(super) fn typed_value() -> impl Strategy<Value = (CqlType, CqlValue)> {
    any_type().prop_flat_map(|cql_type| {
        let value = value_of(&cql_type);
        (Just(cql_type), value)
    })
}

/// A value of `cql_type`, often a small or a special one, sometimes the empty one.
pub(super) fn value_of(cql_type: &CqlType) -> BoxedStrategy<CqlValue> {
    let value = some_value_of(cql_type);
    let is_text = matches!(cql_type, CqlType::Ascii | CqlType::Text | CqlType::Blob);
    if cql_type.has_empty_value() && !is_text {
        prop_oneof![9 => value, 1 => Just(CqlValue::Empty)].boxed()
    } else {
        value
    }
}

fn some_value_of(cql_type: &CqlType) -> BoxedStrategy<CqlValue> {
    match cql_type {
        CqlType::Ascii => "[ -~\0]{0,4}".prop_map(CqlValue::Text).boxed(),
        CqlType::Text => "[a-c\0ä\u{10ffff}]{0,4}".prop_map(CqlValue::Text).boxed(),
        CqlType::Blob => {
            prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..5).prop_map(CqlValue::Blob).boxed()
        }
        CqlType::Boolean => any::<bool>().prop_map(CqlValue::Boolean).boxed(),
        CqlType::Bigint => integer().prop_map(CqlValue::Bigint).boxed(),
        CqlType::Counter => integer().prop_map(CqlValue::Counter).boxed(),
        CqlType::Timestamp => integer().prop_map(CqlValue::Timestamp).boxed(),
        CqlType::Int => prop_oneof![Just(i32::MIN), -2i32..2, any::<i32>()].prop_map(CqlValue::Int).boxed(),
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
        CqlType::Duration => (0..3i32, 0..3i32, 0..3i64)
            .prop_map(|(months, days, nanoseconds)| CqlValue::Duration { months, days, nanoseconds })
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
        CqlType::List(element) => prop::collection::vec(value_of(element), 0..3).prop_map(CqlValue::List).boxed(),
        CqlType::Set(element) => prop::collection::vec(value_of(element), 0..3).prop_map(CqlValue::Set).boxed(),
        CqlType::Map(both) => {
            prop::collection::vec((value_of(&both.0), value_of(&both.1)), 0..3).prop_map(CqlValue::Map).boxed()
        }
        CqlType::Vector(element, dimension) => {
            prop::collection::vec(some_value_of(element), usize::from(*dimension)).prop_map(CqlValue::Vector).boxed()
        }
        CqlType::Tuple(types) => {
            let fields: Vec<_> = types.iter().map(nullable).collect();
            fields.prop_map(CqlValue::Tuple).boxed()
        }
        CqlType::Udt(user_type) => {
            let fields: Vec<_> =
                user_type.fields().iter().map(|(name, field)| (Just(name.clone()), nullable(field))).collect();
            fields.prop_map(CqlValue::Udt).boxed()
        }
        CqlType::Frozen(inner) => value_of(inner),
    }
}

fn nullable(cql_type: &CqlType) -> BoxedStrategy<CqlValue> {
    prop_oneof![3 => value_of(cql_type), 1 => Just(CqlValue::Null)].boxed()
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![Just(i64::MIN), -3i64..3, any::<i64>()]
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
