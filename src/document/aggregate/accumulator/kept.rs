//! Some of the values: those that came first or last, the smallest or greatest, or those of the rows that a sort puts first.

use std::collections::VecDeque;

use bson::RawDocument;
use bson::raw::{RawArrayBuf, RawBson};

use crate::document::expression::{Value, heap_bytes};
use crate::document::index_key::canonical;
use crate::document::order::Order as ValueOrder;
use crate::document::pattern::Pattern;
use crate::error::Result;

/// Which values are kept.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// By when they come.
    Arrival { first: bool },
    /// By themselves; nulls are none.
    Value { smallest: bool },
    /// By their rows.
    Sorted { pattern: Pattern, first: bool },
}

/// Some of the values, in the order they are returned in.
#[derive(Clone, Debug)]
pub(in crate::document::aggregate) struct Kept {
    /// Each with the bytes that it is ordered by, if it is.
    values: VecDeque<(Vec<u8>, RawBson)>,
    bytes: usize,
    count: usize,
    order: Order,
    is_single: bool,
}

impl Kept {
    pub(super) fn new(count: usize, order: Order, is_single: bool) -> Self {
        Self { values: VecDeque::new(), bytes: 0, count, order, is_single }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in the value of a row.
    pub(super) fn add(&mut self, value: &Value<'_>, row: &RawDocument, order: ValueOrder<'_>) -> Result<()> {
        // Where an equal one goes: behind those that are there, except at the end of a sort, of which the last are kept.
        let (key, place) = match &self.order {
            Order::Arrival { first: true } if self.values.len() == self.count => return Ok(()),
            Order::Arrival { .. } => (Vec::new(), self.values.len()),
            Order::Value { .. } if value.is_nullish() => return Ok(()),
            Order::Value { smallest } => {
                let key = canonical(value.or_null(), order)?;
                let place =
                    self.values.partition_point(|(held, _)| if *smallest { *held <= key } else { *held >= key });
                (key, place)
            }
            Order::Sorted { pattern, .. } => {
                let key = pattern.sort_key(row)?;
                let place = self.values.partition_point(|(held, _)| *held <= key);
                (key, place)
            }
        };
        let from_front = matches!(self.order, Order::Arrival { first: false } | Order::Sorted { first: false, .. });
        if self.values.len() == self.count && (if from_front { place == 0 } else { place == self.count }) {
            return Ok(());
        }
        let value: RawBson = value.or_null().into();
        self.bytes += weight(&key, &value);
        self.values.insert(place, (key, value));
        if self.values.len() > self.count {
            let gone = if from_front { self.values.pop_front() } else { self.values.pop_back() };
            let bytes = gone.map_or(0, |(key, value)| weight(&key, &value));
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Value<'static> {
        let mut values = self.values.into_iter().map(|(_, value)| value);
        if self.is_single {
            return values.next().map_or(Value::NULL, Value::Owned);
        }
        let mut array = RawArrayBuf::new();
        values.for_each(|value| array.push(value));
        Value::Owned(RawBson::Array(array))
    }
}

fn weight(key: &[u8], value: &RawBson) -> usize {
    key.len() + heap_bytes(value.as_raw_bson_ref()) + size_of::<(Vec<u8>, RawBson)>()
}
