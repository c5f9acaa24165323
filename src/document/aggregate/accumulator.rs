//! Accumulators: what `$group` keeps of the values of one group.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};

use bson::raw::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf};
use bson::{Bson, DateTime, Document};

use crate::document::code::Code;
use crate::document::expression::{Context, Env, Expression, Names, Total, Value, heap_bytes, keep_extreme};
use crate::document::index_key::canonical;
use crate::document::number::Number;
use crate::document::order::Order;
use crate::document::raw::{corrupt, field};
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
}

/// Accumulators that the imitated product has and this crate has not.
pub(super) const UNMODELLED: &[&str] =
    &["$accumulator", "$bottom", "$bottomN", "$concatArrays", "$median", "$percentile", "$setUnion", "$top", "$topN"];

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
    Merged(RawDocumentBuf),
    Deviation(Deviation),
    Kept(Kept),
}

/// A running mean and the squares of what differs from it (Welford's method).
#[derive(Debug)]
pub(super) struct Deviation {
    of_sample: bool,
    count: f64,
    mean: f64,
    squares: f64,
}

/// Some of the values.
#[derive(Debug)]
pub(super) struct Kept {
    values: VecDeque<RawBson>,
    bytes: usize,
    count: usize,
    which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    First,
    Last,
    Smallest,
    Greatest,
}

/// Distinct values in the order they were first seen.
#[derive(Debug, Default)]
pub(super) struct Set {
    seen: HashSet<Vec<u8>>,
    seen_bytes: usize,
    values: RawArrayBuf,
}

impl State {
    pub(super) fn new(accumulator: &Accumulator) -> Self {
        let kept = |count, which| Self::Kept(Kept { values: VecDeque::new(), bytes: 0, count, which });
        match *accumulator {
            Accumulator::Sum | Accumulator::Count => Self::Sum(Total::default()),
            Accumulator::Avg => Self::Average(Total::default()),
            Accumulator::Min => Self::Extreme(None, Ordering::Less),
            Accumulator::Max => Self::Extreme(None, Ordering::Greater),
            Accumulator::First => Self::First(None),
            Accumulator::Last => Self::Last(RawBson::Null),
            Accumulator::Push => Self::Push(RawArrayBuf::new()),
            Accumulator::AddToSet => Self::Set(Set::default()),
            Accumulator::MergeObjects => Self::Merged(RawDocumentBuf::new()),
            Accumulator::Deviation { of_sample } => {
                Self::Deviation(Deviation { of_sample, count: 0.0, mean: 0.0, squares: 0.0 })
            }
            Accumulator::Ends { count, first } => kept(count, if first { Which::First } else { Which::Last }),
            Accumulator::Extremes { count, smallest } => {
                kept(count, if smallest { Which::Smallest } else { Which::Greatest })
            }
        }
    }

    /// Takes in the value of one document.
    pub(super) fn add(&mut self, value: &Value<'_>, order: Order<'_>) -> Result<()> {
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
            Self::Kept(kept) => kept.add(value, order),
        }
        Ok(())
    }

    /// Bytes that the state holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Sum(_) | Self::Average(_) | Self::Deviation(_) => 0,
            Self::Merged(merged) => merged.as_bytes().len(),
            Self::Kept(kept) => kept.bytes,
            Self::Extreme(value, _) | Self::First(value) => {
                value.as_ref().map_or(0, |value| heap_bytes(value.as_raw_bson_ref()))
            }
            Self::Last(value) => heap_bytes(value.as_raw_bson_ref()),
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
            Self::Merged(merged) => Value::Owned(RawBson::Document(merged)),
            Self::Deviation(deviation) => deviation.value(),
            Self::Kept(kept) => {
                let mut array = RawArrayBuf::new();
                kept.values.into_iter().for_each(|value| array.push(value));
                Value::Owned(RawBson::Array(array))
            }
        }
    }
}

impl Set {
    fn add(&mut self, value: RawBsonRef<'_>, order: Order<'_>) -> Result<()> {
        let key = canonical(value, order)?;
        let key_bytes = key.len();
        if self.seen.insert(key) {
            self.seen_bytes += key_bytes;
            self.values.push(value);
        }
        Ok(())
    }
}

impl Accumulator {
    /// The accumulator of this name, whose arguments are still to be read.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "$sum" => Self::Sum,
            "$avg" => Self::Avg,
            "$min" => Self::Min,
            "$max" => Self::Max,
            "$first" => Self::First,
            "$last" => Self::Last,
            "$push" => Self::Push,
            "$addToSet" => Self::AddToSet,
            "$count" => Self::Count,
            "$mergeObjects" => Self::MergeObjects,
            "$stdDevPop" => Self::Deviation { of_sample: false },
            "$stdDevSamp" => Self::Deviation { of_sample: true },
            "$firstN" => Self::Ends { count: 0, first: true },
            "$lastN" => Self::Ends { count: 0, first: false },
            "$minN" => Self::Extremes { count: 0, smallest: true },
            "$maxN" => Self::Extremes { count: 0, smallest: false },
            _ => return None,
        })
    }

    /// The accumulator with what its operand says about it, and the text of the expression whose values it takes.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error) for an operand that it does not take.
    pub(super) fn with_arguments(self, name: &str, operand: &Bson, names: &Names) -> Result<(Self, Bson)> {
        match (self, operand) {
            (Self::Count, Bson::Document(operand)) if operand.is_empty() => Ok((self, Bson::Int32(1))),
            (Self::Count, _) => Err(Code::TYPE_MISMATCH.syntax("$count takes an empty document")),
            (Self::Ends { first, .. }, operand) => {
                let (count, input) = counted(name, operand, names)?;
                Ok((Self::Ends { count, first }, input))
            }
            (Self::Extremes { smallest, .. }, operand) => {
                let (count, input) = counted(name, operand, names)?;
                Ok((Self::Extremes { count, smallest }, input))
            }
            (_, Bson::Array(_)) => {
                Err(Code::ACCUMULATOR_UNARY.syntax(format!("the accumulator {name} takes one argument")))
            }
            (_, operand) => Ok((self, operand.clone())),
        }
    }
}

/// The count and the text of `{input, n}`; the count is a constant.
fn counted(name: &str, operand: &Bson, names: &Names) -> Result<(usize, Bson)> {
    let (Some(input), Some(n), 2) = (
        operand.as_document().and_then(|operand| operand.get("input")),
        operand.as_document().and_then(|operand| operand.get("n")),
        operand.as_document().map_or(0, Document::len),
    ) else {
        return Err(Code::ACCUMULATOR_COUNT_MISSING.syntax(format!("the accumulator {name} takes input and n")));
    };
    let (empty, context) = (RawDocumentBuf::new(), Context::new(DateTime::from_millis(0), 0, Vec::new()));
    let expression = Expression::compile(n, names)?;
    let n = expression.evaluate(&mut Env::new(&empty, &context))?.number().and_then(Number::as_i64);
    let n = n.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let n = n.ok_or_else(|| Code::ACCUMULATOR_COUNT.value(format!("the n of {name} is a positive constant")))?;
    Ok((n, input.clone()))
}

/// `merged` with the fields of an object; null counts as an empty one.
fn merge(merged: &RawDocumentBuf, value: &Value<'_>) -> Result<RawDocumentBuf> {
    if value.is_nullish() {
        return Ok(merged.clone());
    }
    let Some(RawBsonRef::Document(new)) = value.get() else {
        let message = format!("$mergeObjects does not take a value of type {}", value.type_name());
        return Err(Code::MERGE_OBJECTS_TYPE.wrong_type(message));
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

impl Deviation {
    fn add(&mut self, value: &Value<'_>) {
        let Some(number) = value.number() else { return };
        let number = number.as_f64();
        self.count += 1.0;
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    fn value(&self) -> Value<'static> {
        let divisor = if self.of_sample { self.count - 1.0 } else { self.count };
        if divisor <= 0.0 {
            return Value::NULL;
        }
        Number::Double((self.squares / divisor).sqrt()).into()
    }
}

impl Kept {
    fn add(&mut self, value: &Value<'_>, by: Order<'_>) {
        let raw = value.or_null();
        match self.which {
            Which::First if self.values.len() == self.count => return,
            Which::First | Which::Last => self.values.push_back(raw.into()),
            Which::Smallest | Which::Greatest if value.is_nullish() => return,
            Which::Smallest | Which::Greatest => {
                let behind = |held: &RawBson| {
                    let order = by.compare(held.as_raw_bson_ref(), raw);
                    if self.which == Which::Smallest { order.is_le() } else { order.is_ge() }
                };
                let place = self.values.partition_point(behind);
                if place == self.count {
                    return;
                }
                self.values.insert(place, raw.into());
            }
        }
        self.bytes += heap_bytes(raw) + size_of::<RawBson>();
        if self.values.len() > self.count {
            let gone = if self.which == Which::Last { self.values.pop_front() } else { self.values.pop_back() };
            let bytes = gone.map_or(0, |gone| heap_bytes(gone.as_raw_bson_ref()) + size_of::<RawBson>());
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}
