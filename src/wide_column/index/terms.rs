//! Values as an index enters them.

use std::borrow::Cow;

use crate::encoding::ordered::Reader;
use crate::error::{Error, Result};
use crate::wide_column::index::analysis::Analysis;
use crate::wide_column::order;
use crate::wide_column::schema::{Column, IndexDefinition, IndexTarget, TableRecord};
use crate::wide_column::types::CqlType;

/// How an index has the values of what it is of.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    form: Form,
    /// Of what values are; of entries, of keys and of values.
    types: (&'t CqlType, &'t CqlType),
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// As they are stored.
    Stored,
    /// With the bytes that all that are equal in the order of their type have.
    Canonical,
    /// In the order of their type.
    Ordered,
    /// As texts that have been analysed.
    Analyzed(Analysis),
}

impl<'t> Terms<'t> {
    pub(super) fn new(column: &'t Column, index: &IndexDefinition) -> Self {
        let cql_type = column.column_type();
        let types = match (index.target, cql_type.thawed()) {
            (IndexTarget::Value | IndexTarget::Full, _) => (cql_type, cql_type),
            (IndexTarget::Keys, CqlType::Map(both)) => (&both.0, &both.0),
            (IndexTarget::Elements, CqlType::Map(both)) => (&both.1, &both.1),
            (IndexTarget::Entries, CqlType::Map(both)) => (&both.0, &both.1),
            (_, CqlType::List(element) | CqlType::Set(element)) => (&**element, &**element),
            (_, other) => (other, other),
        };
        // What a type gets more fields of later would have other bytes then. In keys it cannot.
        let grows = |part: &CqlType| part.any(&mut |part| matches!(part, CqlType::Udt(_)));
        let form = match (index.is_storage_attached(), types.0.thawed()) {
            (false, _) if column.is_key() => Form::Canonical,
            (false, _) => Form::Stored,
            (true, _) if !column.is_key() && (grows(types.0) || grows(types.1)) => Form::Stored,
            (true, _) if index.target == IndexTarget::Entries => Form::Canonical,
            (true, CqlType::Ascii | CqlType::Text) => Form::Analyzed(Analysis::of(index)),
            (true, own) if is_ordered(own) => Form::Ordered,
            (true, _) => Form::Canonical,
        };
        Self { form, types }
    }

    /// A value, an element or a key.
    pub(super) fn one(&self, value: &[u8]) -> Result<Vec<u8>> {
        self.of(self.types.0, value).map(Cow::into_owned)
    }

    /// A key of a map with its value: each with its length before it, as a tuple has them.
    pub(super) fn entry(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        let (key, value) = (self.of(self.types.0, key)?, self.of(self.types.1, value)?);
        let mut out = Vec::with_capacity(8 + key.len() + value.len());
        for part in [key, value] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(&part);
        }
        Ok(out)
    }

    fn of<'v>(&self, cql_type: &CqlType, value: &'v [u8]) -> Result<Cow<'v, [u8]>> {
        match self.form {
            Form::Stored => Ok(Cow::Borrowed(value)),
            Form::Canonical => Ok(canonical(cql_type, value)),
            Form::Ordered => ordered(cql_type, value).map(Cow::Owned),
            Form::Analyzed(analysis) => Ok(analysis.term(value)),
        }
    }
}

/// Whether a storage-attached index has values of the type in order, so that ranges of them are found.
///
/// # Source
/// Cassandra 5.0, `IndexTermType`: texts, booleans, `uuid` and frozen values are only looked up.
fn is_ordered(cql_type: &CqlType) -> bool {
    matches!(
        cql_type,
        CqlType::Tinyint
            | CqlType::Smallint
            | CqlType::Int
            | CqlType::Bigint
            | CqlType::Varint
            | CqlType::Float
            | CqlType::Double
            | CqlType::Decimal
            | CqlType::Date
            | CqlType::Time
            | CqlType::Timestamp
            | CqlType::Timeuuid
            | CqlType::Inet
    )
}

/// Whether the index at this position finds ranges of values.
pub(crate) fn finds_ranges(table: &TableRecord, index: &IndexDefinition) -> bool {
    let column = table.column_with(index.column);
    index.is_storage_attached()
        && index.target == IndexTarget::Value
        && column.is_some_and(|column| is_ordered(column.column_type()))
}

/// A value with the bytes that all that are equal to it in the order of their type have.
fn canonical<'v>(cql_type: &CqlType, value: &'v [u8]) -> Cow<'v, [u8]> {
    let encoded = || {
        let (mut key, mut back) = (Vec::new(), Vec::new());
        order::put(&mut key, cql_type, value, usize::MAX)?;
        order::take(&mut Reader::new(&key), cql_type, &mut back).map(|_| back)
    };
    // What has no order is only equal to itself.
    if order::is_lossy(cql_type) { encoded().map_or(Cow::Borrowed(value), Cow::Owned) } else { Cow::Borrowed(value) }
}

/// Bytes in the order of the type. Numbers that are too long for a key are all at the end where they are.
fn ordered(cql_type: &CqlType, value: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len() + 8);
    match order::put(&mut out, cql_type, value, usize::MAX) {
        Ok(_) => Ok(out),
        Err(Error::LimitExceeded { .. }) => Ok(at_the_end(cql_type, value).to_vec()),
        Err(error) => Err(error),
    }
}

/// Before all negative numbers of an order, and behind the empty value, or behind all positive ones.
fn at_the_end(cql_type: &CqlType, value: &[u8]) -> &'static [u8] {
    let scale = if *cql_type == CqlType::Decimal { 4 } else { 0 };
    let is_negative = value.get(scale).is_some_and(|first| first & 0x80 != 0);
    if is_negative { &[0x00, 0x01] } else { &[0x04] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide_column::testing::form;
    use crate::wide_column::{BigDecimal, BigInt, CqlValue};

    #[test]
    fn numbers_that_are_too_long_are_at_the_ends() {
        let varint =
            |number: BigInt| ordered(&CqlType::Varint, &form(&CqlType::Varint, &CqlValue::Varint(number))).unwrap();
        let huge: BigInt = BigInt::from(1) << (8_usize * 70_000);
        let most: BigInt = BigInt::from(1) << (8_usize * 65_000);
        assert!(varint(-huge.clone()) < varint(-most.clone()) && varint(-most.clone()) < varint(0.into()));
        assert!(varint(0.into()) < varint(most.clone()) && varint(most) < varint(huge));
        let decimal = |unscaled: i32, scale: i32| {
            let value = CqlValue::Decimal(BigDecimal::new(unscaled.into(), scale.into()));
            ordered(&CqlType::Decimal, &form(&CqlType::Decimal, &value)).unwrap()
        };
        let rising = [
            decimal(-10, i32::MIN),
            decimal(-1, -5),
            decimal(-1, i32::MAX),
            decimal(0, 0),
            decimal(1, i32::MAX),
            decimal(1, 0),
            decimal(10, i32::MIN),
        ];
        assert!(rising.windows(2).all(|pair| pair[0] < pair[1]), "{rising:?}");
    }
}
