//! What the fuzz targets call.

use std::cmp::Ordering;

use crate::error::Result;
use crate::wide_column::cell::Content;
use crate::wide_column::order;
use crate::wide_column::record::{CellView, Parts, RowView, Rules, merge};
use crate::wide_column::serialize::{deserialize, serialize};
use crate::wide_column::types::CqlType;

/// Seconds for which rows of the probes keep tombstones.
const GRACE: i64 = 10;

/// Two rows' records merged, in one order and in the other; `None` when one of them is no row that could be stored, or has counters,
/// which are added up.
///
/// # Examples
/// ```
/// use larder::internals::merge_wide_records;
/// // Both of time 0: the first has the marker, the second column 3 with the value "v".
/// let (marker, cell) = (b"\x02\x09\x80\0\0\0\0\0\0\0", b"\x02\x01\x80\0\0\0\0\0\0\0\x03\x08\x01v");
/// let (one, other) = merge_wide_records(marker, cell).unwrap();
/// assert_eq!((&one, &one[10..]), (&other, &cell[10..]));
/// assert_eq!(merge_wide_records(b"", cell), None);
/// ```
pub fn merge_wide_records(one: &[u8], other: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (one, other) = (stored(one).ok()??, stored(other).ok()??);
    let (one, other) = (RowView::new(&one).ok()?, RowView::new(&other).ok()?);
    if one.kept_bytes() != other.kept_bytes() {
        return None;
    }
    let both = |a: &RowView<'_>, b: &RowView<'_>| merge(a, b, &rules()).ok().map(|built| built.bytes);
    Some((both(&one, &other)?, both(&other, &one)?))
}

fn rules() -> Rules<'static> {
    Rules { over: None, column: &|_| Some(Parts::Bytes), has_dropped: false, grace: GRACE, swept_at: None }
}

/// The row as it would be stored.
fn stored(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    let row = RowView::new(bytes)?;
    let is_sound =
        |content: &Content<'_>| !matches!(content, Content::Expiring { ttl: 0, .. } | Content::Counter { .. });
    if row.marker().is_some_and(|marker| !is_sound(&marker.content)) {
        return Ok(None);
    }
    let mut last = None;
    for cell in row.cells() {
        let CellView { id, part, cell } = cell?;
        if last >= Some((id, part)) || !is_sound(&cell.content) {
            return Ok(None);
        }
        last = Some((id, part));
    }
    let built = merge(&RowView::default(), &row, &rules())?;
    Ok((!built.is_empty).then_some(built.bytes))
}

/// The serialized form of the value that `bytes` are; `None` when they are none of `cql_type`.
///
/// # Examples
/// ```
/// use larder::{internals::wide_value_again, wide_column::CqlType};
/// assert_eq!(wide_value_again(&CqlType::Int, &[0, 0, 0, 7]), Some(vec![0, 0, 0, 7]));
/// assert_eq!(wide_value_again(&CqlType::Int, &[7]), None);
/// ```
pub fn wide_value_again(cql_type: &CqlType, bytes: &[u8]) -> Option<Vec<u8>> {
    let value = deserialize(cql_type, bytes).ok()?;
    let mut out = Vec::new();
    serialize(&value, cql_type, &mut out).ok()?;
    Some(out)
}

/// How two serialized values compare, and how what keys have of them does; `None` when a key cannot have one of them.
///
/// # Examples
/// ```
/// use larder::{internals::order_wide_values, wide_column::CqlType};
/// use std::cmp::Ordering::Less;
/// assert_eq!(order_wide_values(&CqlType::Int, &[0xff; 4], &[0; 4]), Some((Less, Less)));
/// ```
pub fn order_wide_values(cql_type: &CqlType, one: &[u8], other: &[u8]) -> Option<(Ordering, Ordering)> {
    let key = |value: &[u8]| {
        let mut key = Vec::new();
        // Long values are in keys with their first bytes only.
        matches!(order::put(&mut key, cql_type, value, usize::MAX / 4), Ok(false)).then_some(key)
    };
    Some((order::compare(cql_type, one, other), key(one)?.cmp(&key(other)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::{any_type, typed_value};
    use proptest::prelude::*;

    fn row() -> impl Strategy<Value = Vec<u8>> {
        let byte = || prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0x80), Just(0xff), 0u8..0x40, any::<u8>()];
        // Cells by the layout, and anything behind them.
        let cell = (0u8..6, 0u8..0x40, prop::collection::vec(byte(), 0..6))
            .prop_map(|(id, head, rest)| [&[id, head][..], &rest].concat());
        (0u8..0x40, prop::collection::vec(byte(), 0..24), prop::collection::vec(cell, 0..4))
            .prop_map(|(flags, head, cells)| [&[0x02, flags][..], &head, &cells.concat()].concat())
    }

    proptest! {
        // SEM: WID-LWW-2
        #[test]
        fn any_two_rows_merge_alike_in_both_orders(one in row(), other in row()) {
            if let Some((a, b)) = merge_wide_records(&one, &other) {
                prop_assert_eq!(&a, &b);
                prop_assert_eq!(merge_wide_records(&a, &one), Some((a.clone(), a)));
            }
        }

        #[test]
        fn any_bytes_are_a_value_of_a_type_or_none(cql_type in any_type(), bytes: Vec<u8>) {
            if let Some(again) = wide_value_again(&cql_type, &bytes) {
                prop_assert_eq!(wide_value_again(&cql_type, &again), Some(again));
            }
        }

        // SEM: WID-TYP-3
        #[test]
        fn values_are_in_keys_in_the_order_of_their_type((cql_type, value) in typed_value(), bytes: Vec<u8>) {
            let own = crate::wide_column::testing::form(&cql_type, &value);
            prop_assert_eq!(wide_value_again(&cql_type, &own), Some(own.clone()));
            if let Some(other) = wide_value_again(&cql_type, &bytes)
                && let Some((ordering, of_keys)) = order_wide_values(&cql_type, &own, &other)
            {
                prop_assert_eq!(ordering, of_keys);
            }
        }
    }
}
