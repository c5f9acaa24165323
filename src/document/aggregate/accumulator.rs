//! Accumulators: what `$group` keeps of the values of one group.

use std::cmp::Ordering;
use std::collections::HashSet;

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef};

use crate::document::expression::{Total, Value, keep_extreme};
use crate::document::index_key::canonical;
use crate::error::Result;

/// What to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulator {
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    Push,
    AddToSet,
    Count,
}

/// Every accumulator that is modelled.
pub(super) const ACCUMULATORS: &[(&str, Accumulator)] = &[
    ("$sum", Accumulator::Sum),
    ("$avg", Accumulator::Avg),
    ("$min", Accumulator::Min),
    ("$max", Accumulator::Max),
    ("$first", Accumulator::First),
    ("$last", Accumulator::Last),
    ("$push", Accumulator::Push),
    ("$addToSet", Accumulator::AddToSet),
    ("$count", Accumulator::Count),
];

/// What is kept so far.
#[derive(Debug)]
pub(super) enum State {
    Sum(Total),
    Average(Total),
    /// The value that is `.1` than all others.
    Extreme(Option<RawBson>, Ordering),
    First(Option<RawBson>),
    Last(RawBson),
    Push(RawArrayBuf),
    Set(Set),
}

/// Distinct values in the order they were first seen.
#[derive(Debug, Default)]
pub(super) struct Set {
    seen: HashSet<Vec<u8>>,
    seen_bytes: usize,
    values: RawArrayBuf,
}

impl State {
    pub(super) fn new(accumulator: Accumulator) -> Self {
        match accumulator {
            Accumulator::Sum | Accumulator::Count => Self::Sum(Total::default()),
            Accumulator::Avg => Self::Average(Total::default()),
            Accumulator::Min => Self::Extreme(None, Ordering::Less),
            Accumulator::Max => Self::Extreme(None, Ordering::Greater),
            Accumulator::First => Self::First(None),
            Accumulator::Last => Self::Last(RawBson::Null),
            Accumulator::Push => Self::Push(RawArrayBuf::new()),
            Accumulator::AddToSet => Self::Set(Set::default()),
        }
    }

    /// Takes in the value of one document.
    pub(super) fn add(&mut self, value: &Value<'_>) -> Result<()> {
        match self {
            Self::Sum(total) | Self::Average(total) => total.add(value.or_null()),
            Self::Extreme(extreme, wanted) => keep_extreme(extreme, value.or_null(), *wanted),
            Self::First(first) => {
                first.get_or_insert_with(|| value.or_null().into());
            }
            Self::Last(last) => *last = value.or_null().into(),
            Self::Push(values) => {
                if let Some(value) = value.get() {
                    values.push(value);
                }
            }
            Self::Set(set) => {
                if let Some(value) = value.get() {
                    set.add(value)?;
                }
            }
        }
        Ok(())
    }

    /// Bytes that the state holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Sum(_) | Self::Average(_) => 0,
            Self::Extreme(value, _) | Self::First(value) => {
                value.as_ref().map_or(0, |value| bytes(value.as_raw_bson_ref()))
            }
            Self::Last(value) => bytes(value.as_raw_bson_ref()),
            Self::Push(values) => values.as_bytes().len(),
            Self::Set(set) => set.seen_bytes + set.values.as_bytes().len(),
        }
    }

    /// The value of the group's field.
    pub(super) fn finish(self) -> Value<'static> {
        match self {
            Self::Sum(total) => total.sum().into(),
            Self::Average(total) => total.average().map_or(Value::NULL, Value::from),
            Self::Extreme(value, _) | Self::First(value) => value.map_or(Value::NULL, Value::Owned),
            Self::Last(value) => Value::Owned(value),
            Self::Push(values) | Self::Set(Set { values, .. }) => Value::Owned(RawBson::Array(values)),
        }
    }
}

impl Set {
    fn add(&mut self, value: RawBsonRef<'_>) -> Result<()> {
        let key = canonical(value)?;
        let key_bytes = key.len();
        if self.seen.insert(key) {
            self.seen_bytes += key_bytes;
            self.values.push(value);
        }
        Ok(())
    }
}

/// Bytes of a value on the heap.
pub(super) fn bytes(value: RawBsonRef<'_>) -> usize {
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => text.len(),
        RawBsonRef::Document(document) => document.as_bytes().len(),
        RawBsonRef::Array(array) => array.as_bytes().len(),
        RawBsonRef::Binary(binary) => binary.bytes.len(),
        RawBsonRef::RegularExpression(regex) => regex.pattern.len() + regex.options.len(),
        RawBsonRef::JavaScriptCodeWithScope(code) => code.code.len() + code.scope.as_bytes().len(),
        _ => 0,
    }
}
