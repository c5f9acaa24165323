//! Accumulators: what `$group` keeps of the values of one group, and `$setWindowFields` of those of one window.

mod arguments;
mod kept;

use std::cmp::Ordering;
use std::collections::HashSet;

use bson::RawDocument;
use bson::raw::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, cstr};

use self::kept::{Kept, Order};
use crate::document::code::Code;
use crate::document::expression::{Deviation, Percentiles, Total, Value, heap_bytes, keep_extreme};
use crate::document::index_key::canonical;
use crate::document::number::Number;
use crate::document::order::Order as ValueOrder;
use crate::document::path::elements;
use crate::document::pattern::Pattern;
use crate::document::raw::{corrupt, field};
use crate::error::Result;
use crate::limits;

/// What to keep.
#[derive(Clone, Debug)]
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
    MergeObjects,
    /// The standard deviation of a population, or of a sample.
    Deviation {
        of_sample: bool,
    },
    /// The first so many, or the last.
    Ends {
        count: usize,
        first: bool,
    },
    /// The smallest so many, or the greatest.
    Extremes {
        count: usize,
        smallest: bool,
    },
    /// The values of so many rows that a sort puts first, or last.
    Sorted {
        pattern: Pattern,
        count: usize,
        first: bool,
        /// Whether one value is wanted, and not an array of one.
        is_single: bool,
    },
    /// The elements of arrays.
    ConcatArrays,
    /// The distinct elements of arrays.
    SetUnion,
    /// The values that so many are not above.
    Percentile {
        fractions: Vec<f64>,
        /// Whether one value is wanted, and not an array of one.
        is_single: bool,
    },
}

/// Accumulators that the imitated product has and this crate has not.
pub(super) const UNMODELLED: &[&str] = &["$accumulator"];

/// What is kept so far.
#[derive(Clone, Debug)]
pub(super) enum State {
    Sum(Total),
    Average(Total),
    /// The value that is `.1` than all others.
    Extreme(Option<RawBson>, Ordering),
    First(Option<RawBson>),
    Last(RawBson),
    Push(RawArrayBuf),
    Set(Set),
    Merged(RawDocumentBuf),
    Deviation(Deviation),
    Kept(Kept),
    Concatenated(RawArrayBuf),
    United(Set),
    Percentile {
        values: Vec<f64>,
        fractions: Vec<f64>,
        is_single: bool,
    },
}

/// Distinct values in the order they were first seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    seen: HashSet<Vec<u8>>,
    seen_bytes: usize,
    values: RawArrayBuf,
}

impl State {
    pub(super) fn new(accumulator: &Accumulator) -> Self {
        match accumulator {
            Accumulator::Sum | Accumulator::Count => Self::Sum(Total::default()),
            Accumulator::Avg => Self::Average(Total::default()),
            Accumulator::Min => Self::Extreme(None, Ordering::Less),
            Accumulator::Max => Self::Extreme(None, Ordering::Greater),
            Accumulator::First => Self::First(None),
            Accumulator::Last => Self::Last(RawBson::Null),
            Accumulator::Push => Self::Push(RawArrayBuf::new()),
            Accumulator::AddToSet => Self::Set(Set::default()),
            Accumulator::MergeObjects => Self::Merged(RawDocumentBuf::new()),
            Accumulator::Deviation { of_sample } => Self::Deviation(Deviation::new(*of_sample)),
            Accumulator::Ends { count, first } => {
                Self::Kept(Kept::new(*count, Order::Arrival { first: *first }, false))
            }
            Accumulator::Extremes { count, smallest } => {
                Self::Kept(Kept::new(*count, Order::Value { smallest: *smallest }, false))
            }
            Accumulator::Sorted { pattern, count, first, is_single } => {
                let order = Order::Sorted { pattern: pattern.clone(), first: *first };
                Self::Kept(Kept::new(*count, order, *is_single))
            }
            Accumulator::ConcatArrays => Self::Concatenated(RawArrayBuf::new()),
            Accumulator::SetUnion => Self::United(Set::default()),
            Accumulator::Percentile { fractions, is_single } => {
                Self::Percentile { values: Vec::new(), fractions: fractions.clone(), is_single: *is_single }
            }
        }
    }

    /// Takes in the value of one document.
    pub(super) fn add(&mut self, value: &Value<'_>, row: &RawDocument, order: ValueOrder<'_>) -> Result<()> {
        match self {
            Self::Sum(total) | Self::Average(total) => total.add(value.or_null()),
            Self::Extreme(extreme, wanted) => keep_extreme(extreme, value.or_null(), *wanted, order),
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
                    set.add(value, order)?;
                }
            }
            Self::Merged(merged) => *merged = merge(merged, value)?,
            Self::Deviation(deviation) => deviation.add(value),
            Self::Kept(kept) => kept.add(value, row, order)?,
            Self::Concatenated(all) => {
                each_element("$concatArrays", value, &mut |element| {
                    all.push(element);
                    limits::check("bytes of a computed value", limits::SORT_BYTES_MAX, all.as_bytes().len())
                })?;
            }
            Self::United(set) => each_element("$setUnion", value, &mut |element| set.add(element, order))?,
            Self::Percentile { values, .. } => values.extend(value.number().map(Number::as_f64)),
        }
        Ok(())
    }

    /// Bytes that the state holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Sum(_) | Self::Average(_) | Self::Deviation(_) => 0,
            Self::Merged(merged) => merged.as_bytes().len(),
            Self::Kept(kept) => kept.bytes(),
            Self::Percentile { values, .. } => values.len() * size_of::<f64>(),
            Self::Extreme(value, _) | Self::First(value) => {
                value.as_ref().map_or(0, |value| heap_bytes(value.as_raw_bson_ref()))
            }
            Self::Last(value) => heap_bytes(value.as_raw_bson_ref()),
            Self::Push(values) | Self::Concatenated(values) => values.as_bytes().len(),
            Self::Set(set) | Self::United(set) => set.seen_bytes + set.values.as_bytes().len(),
        }
    }

    /// The value of the group's field.
    pub(super) fn finish(self) -> Value<'static> {
        match self {
            Self::Sum(total) => total.sum().into(),
            Self::Average(total) => total.average().map_or(Value::NULL, Value::from),
            Self::Extreme(value, _) | Self::First(value) => value.map_or(Value::NULL, Value::Owned),
            Self::Last(value) => Value::Owned(wrapped(value)),
            Self::Push(values)
            | Self::Concatenated(values)
            | Self::Set(Set { values, .. })
            | Self::United(Set { values, .. }) => Value::Owned(RawBson::Array(values)),
            Self::Merged(merged) => Value::Owned(RawBson::Document(merged)),
            Self::Deviation(deviation) => deviation.value(),
            Self::Kept(kept) => kept.finish(),
            Self::Percentile { values, fractions, is_single } => Percentiles { fractions, is_single }.of(values),
        }
    }
}

/// What `$last` makes of the smallest and the greatest value: an object that holds it, under no name. The original does so.
pub(super) fn wrapped(value: RawBson) -> RawBson {
    if !matches!(value, RawBson::MinKey | RawBson::MaxKey) {
        return value;
    }
    let mut wrapper = RawDocumentBuf::new();
    wrapper.append(cstr!(""), value);
    RawBson::Document(wrapper)
}

/// Calls `visit` with the elements of an array; what is missing has none.
fn each_element(name: &str, value: &Value<'_>, visit: &mut dyn FnMut(RawBsonRef<'_>) -> Result<()>) -> Result<()> {
    match value.get() {
        None => Ok(()),
        Some(RawBsonRef::Array(array)) => elements(array).try_for_each(|element| visit(element?)),
        Some(_) => {
            Err(Code::TYPE_MISMATCH.wrong_type(format!("{name} does not take a value of type {}", value.type_name())))
        }
    }
}

impl Set {
    fn add(&mut self, value: RawBsonRef<'_>, order: ValueOrder<'_>) -> Result<()> {
        let key = canonical(value, order)?;
        let key_bytes = key.len();
        if self.seen.insert(key) {
            self.seen_bytes += key_bytes;
            self.values.push(value);
        }
        Ok(())
    }
}

/// `merged` with the fields of an object; null counts as an empty one.
fn merge(merged: &RawDocumentBuf, value: &Value<'_>) -> Result<RawDocumentBuf> {
    if value.is_nullish() {
        return Ok(merged.clone());
    }
    let Some(RawBsonRef::Document(new)) = value.get() else {
        let message = format!("$mergeObjects does not take a value of type {}", value.type_name());
        return Err(Code::MERGE_OBJECTS_NOT_OBJECT.wrong_type(message));
    };
    let mut document = RawDocumentBuf::new();
    for element in merged {
        let (name, old) = element.map_err(corrupt)?;
        document.append(name, field(new, name.as_str())?.unwrap_or(old));
    }
    for element in new {
        let (name, value) = element.map_err(corrupt)?;
        if field(merged, name.as_str())?.is_none() {
            document.append(name, value);
        }
    }
    Ok(document)
}
