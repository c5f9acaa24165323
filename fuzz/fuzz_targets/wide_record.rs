//! Records of wide-column rows merge to the same bytes in both orders, and once; values of a type come back, and are in keys in the
//! order of their type.
//!
//! The first byte says which it is, the second how long the first of two is; of values the type is behind that.

#![no_main]

use larder::internals::{merge_wide_records, order_wide_values, wide_value_again};
use larder::wide_column::CqlType;
use libfuzzer_sys::fuzz_target;

/// A type by a number.
fn cql_type(number: u8) -> CqlType {
    let plain = [
        CqlType::Ascii,
        CqlType::Bigint,
        CqlType::Blob,
        CqlType::Boolean,
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
    let own = plain[usize::from(number) % plain.len()].clone();
    match usize::from(number) / plain.len() {
        0 | 1 => own,
        2 => CqlType::frozen(CqlType::list(own)),
        3 => CqlType::tuple([own, CqlType::Text]),
        4 => CqlType::vector(own, 2),
        5 if own != CqlType::Duration => CqlType::frozen(CqlType::set(own)),
        6 if own != CqlType::Duration => CqlType::frozen(CqlType::map(own, CqlType::Int)),
        _ => CqlType::tuple([CqlType::frozen(CqlType::list(own))]),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, second, rest @ ..] = bytes else { return };
    let (one, other) = rest.split_at(usize::from(*second).min(rest.len()));
    if kind & 1 == 0 {
        let Some((merged, turned)) = merge_wide_records(one, other) else { return };
        assert_eq!(merged, turned, "{one:02x?} {other:02x?}");
        for again in [one, other] {
            assert_eq!(merge_wide_records(&merged, again), Some((merged.clone(), merged.clone())), "{again:02x?}");
        }
        return;
    }
    let Some((number, other)) = other.split_first() else { return };
    let cql_type = cql_type(*number);
    let Some(first) = wide_value_again(&cql_type, one) else { return };
    assert_eq!(wide_value_again(&cql_type, &first).as_ref(), Some(&first), "{cql_type}");
    let Some(second) = wide_value_again(&cql_type, other) else { return };
    if let Some((values, keys)) = order_wide_values(&cql_type, &first, &second) {
        assert_eq!(values, keys, "{cql_type}: {first:02x?} {second:02x?}");
    }
});
