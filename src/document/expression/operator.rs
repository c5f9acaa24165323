//! The operators: their names, what they take, and those of comparison, truth and choice.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use bson::raw::{RawBson, RawBsonRef, RawDocument};

use super::date::Part;
use super::total::Total;
use super::{Expression, Value, arithmetic, date, text};
use crate::document::order;
use crate::document::path::elements;
use crate::error::Result;

/// What an operation does with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Mod,
    Abs,
    Compare(Comparison),
    And,
    Or,
    Not,
    Cond,
    IfNull,
    Concat,
    ToUpper,
    ToLower,
    ToString,
    Sum,
    Avg,
    Min,
    Max,
    DatePart(Part),
    DateToString,
}

/// Which outcome of a comparison counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Cmp,
}

/// How the arguments of an operator are written.
pub(super) enum Shape {
    /// One after the other, this many of them; a single one needs no brackets.
    Listed(RangeInclusive<usize>),
    /// The same, or as an object with these fields, of which those marked `true` are required.
    Named(RangeInclusive<usize>, &'static [(&'static str, bool)]),
}

/// One line of the table of operators.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) operator: Operator,
    pub(super) shape: Shape,
}

const fn listed(name: &'static str, operator: Operator, arguments: RangeInclusive<usize>) -> Entry {
    Entry { name, operator, shape: Shape::Listed(arguments) }
}

const fn date_part(name: &'static str, part: Part) -> Entry {
    let shape = Shape::Named(1..=1, &[("date", true), ("timezone", false)]);
    Entry { name, operator: Operator::DatePart(part), shape }
}

/// Every operator that is modelled, `$literal` aside, whose operand is not an expression.
pub(super) const OPERATORS: &[Entry] = &[
    listed("$add", Operator::Add, 0..=usize::MAX),
    listed("$subtract", Operator::Subtract, 2..=2),
    listed("$multiply", Operator::Multiply, 0..=usize::MAX),
    listed("$divide", Operator::Divide, 2..=2),
    listed("$mod", Operator::Mod, 2..=2),
    listed("$abs", Operator::Abs, 1..=1),
    listed("$eq", Operator::Compare(Comparison::Eq), 2..=2),
    listed("$ne", Operator::Compare(Comparison::Ne), 2..=2),
    listed("$gt", Operator::Compare(Comparison::Gt), 2..=2),
    listed("$gte", Operator::Compare(Comparison::Gte), 2..=2),
    listed("$lt", Operator::Compare(Comparison::Lt), 2..=2),
    listed("$lte", Operator::Compare(Comparison::Lte), 2..=2),
    listed("$cmp", Operator::Compare(Comparison::Cmp), 2..=2),
    listed("$and", Operator::And, 0..=usize::MAX),
    listed("$or", Operator::Or, 0..=usize::MAX),
    listed("$not", Operator::Not, 1..=1),
    Entry {
        name: "$cond",
        operator: Operator::Cond,
        shape: Shape::Named(3..=3, &[("if", true), ("then", true), ("else", true)]),
    },
    listed("$ifNull", Operator::IfNull, 2..=usize::MAX),
    listed("$concat", Operator::Concat, 0..=usize::MAX),
    listed("$toUpper", Operator::ToUpper, 1..=1),
    listed("$toLower", Operator::ToLower, 1..=1),
    listed("$toString", Operator::ToString, 1..=1),
    listed("$sum", Operator::Sum, 0..=usize::MAX),
    listed("$avg", Operator::Avg, 0..=usize::MAX),
    listed("$min", Operator::Min, 0..=usize::MAX),
    listed("$max", Operator::Max, 0..=usize::MAX),
    date_part("$year", Part::Year),
    date_part("$month", Part::Month),
    date_part("$dayOfMonth", Part::DayOfMonth),
    date_part("$dayOfWeek", Part::DayOfWeek),
    date_part("$dayOfYear", Part::DayOfYear),
    date_part("$hour", Part::Hour),
    date_part("$minute", Part::Minute),
    date_part("$second", Part::Second),
    date_part("$millisecond", Part::Millisecond),
    Entry {
        name: "$dateToString",
        operator: Operator::DateToString,
        // It has no form without field names.
        shape: Shape::Named(
            usize::MAX..=usize::MAX,
            &[("date", true), ("format", false), ("timezone", false), ("onNull", false)],
        ),
    },
];

impl Operator {
    /// Applies the operator to the values of `arguments` over `root`.
    pub(super) fn evaluate<'a>(self, arguments: &'a [Expression], root: &'a RawDocument) -> Result<Value<'a>> {
        match self {
            Self::And => Ok(all(arguments, root, true)?.into()),
            Self::Or => Ok((!all(arguments, root, false)?).into()),
            Self::Cond => {
                let [condition, then, otherwise] = arguments else { return Ok(Value::Missing) };
                let chosen = if condition.evaluate(root)?.is_true() { then } else { otherwise };
                chosen.evaluate(root)
            }
            Self::IfNull => first_not_null(arguments, root),
            Self::Sum | Self::Avg | Self::Min | Self::Max => self.fold(arguments, root),
            Self::Add => arithmetic::add(&values(arguments, root)?),
            Self::Multiply => arithmetic::multiply(&values(arguments, root)?),
            Self::Concat => text::concat(&values(arguments, root)?),
            Self::DatePart(part) => date::part(part, &values(arguments, root)?),
            Self::DateToString => date::to_string(&values(arguments, root)?),
            Self::Subtract | Self::Divide | Self::Mod | Self::Compare(_) => {
                let [left, right] = arguments else { return Ok(Value::Missing) };
                self.binary(&left.evaluate(root)?, &right.evaluate(root)?)
            }
            Self::Abs | Self::Not | Self::ToUpper | Self::ToLower | Self::ToString => {
                let [argument] = arguments else { return Ok(Value::Missing) };
                self.unary(argument.evaluate(root)?)
            }
        }
    }

    fn binary<'a>(self, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>> {
        match self {
            Self::Subtract => arithmetic::subtract(left, right),
            Self::Divide => arithmetic::divide(left, right),
            Self::Mod => arithmetic::modulo(left, right),
            Self::Compare(comparison) => Ok(comparison.of(left.compare(right))),
            _ => Ok(Value::Missing),
        }
    }

    fn unary(self, argument: Value<'_>) -> Result<Value<'_>> {
        match self {
            Self::Abs => arithmetic::abs(&argument),
            Self::Not => Ok((!argument.is_true()).into()),
            Self::ToUpper => Ok(text::operand(&argument, "$toUpper")?.to_ascii_uppercase().into()),
            Self::ToLower => Ok(text::operand(&argument, "$toLower")?.to_ascii_lowercase().into()),
            Self::ToString => text::to_string(argument),
            _ => Ok(Value::Missing),
        }
    }

    /// `$sum` and its like as an expression: over the arguments, or over the elements of a single array.
    fn fold<'a>(self, arguments: &'a [Expression], root: &'a RawDocument) -> Result<Value<'a>> {
        let mut fold = Fold { operator: self, total: Total::default(), extreme: None };
        if let [single] = arguments {
            let value = single.evaluate(root)?;
            match value.get() {
                Some(RawBsonRef::Array(array)) => {
                    for element in elements(array) {
                        fold.push(element?);
                    }
                }
                Some(value) => fold.push(value),
                None => {}
            }
        } else {
            for argument in arguments {
                if let Some(value) = argument.evaluate(root)?.get() {
                    fold.push(value);
                }
            }
        }
        Ok(fold.finish())
    }
}

impl Comparison {
    fn of(self, ordering: Ordering) -> Value<'static> {
        match self {
            Self::Eq => ordering.is_eq().into(),
            Self::Ne => ordering.is_ne().into(),
            Self::Gt => ordering.is_gt().into(),
            Self::Gte => ordering.is_ge().into(),
            Self::Lt => ordering.is_lt().into(),
            Self::Lte => ordering.is_le().into(),
            Self::Cmp => Value::Borrowed(RawBsonRef::Int32(ordering as i32)),
        }
    }
}

/// Whether every argument's truth is `wanted`; the first that differs ends it.
fn all(arguments: &[Expression], root: &RawDocument, wanted: bool) -> Result<bool> {
    for argument in arguments {
        if argument.evaluate(root)?.is_true() != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first argument that is neither null nor missing; the last one whatever it is.
fn first_not_null<'a>(arguments: &'a [Expression], root: &'a RawDocument) -> Result<Value<'a>> {
    let mut value = Value::Missing;
    for argument in arguments {
        value = argument.evaluate(root)?;
        if !value.is_nullish() {
            break;
        }
    }
    Ok(value)
}

fn values<'a>(arguments: &'a [Expression], root: &'a RawDocument) -> Result<Vec<Value<'a>>> {
    arguments.iter().map(|argument| argument.evaluate(root)).collect()
}

/// What `$sum`, `$avg`, `$min` and `$max` gather.
struct Fold {
    operator: Operator,
    total: Total,
    extreme: Option<RawBson>,
}

impl Fold {
    fn push(&mut self, value: RawBsonRef<'_>) {
        match self.operator {
            Operator::Min => keep_extreme(&mut self.extreme, value, Ordering::Less),
            Operator::Max => keep_extreme(&mut self.extreme, value, Ordering::Greater),
            _ => self.total.add(value),
        }
    }

    fn finish(self) -> Value<'static> {
        match self.operator {
            Operator::Sum => self.total.sum().into(),
            Operator::Avg => self.total.average().map_or(Value::NULL, Value::from),
            _ => self.extreme.map_or(Value::NULL, Value::Owned),
        }
    }
}

/// Replaces `extreme` by `value` when that is `wanted` than it; null and undefined never count.
pub(crate) fn keep_extreme(extreme: &mut Option<RawBson>, value: RawBsonRef<'_>, wanted: Ordering) {
    if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
        return;
    }
    let better = extreme.as_ref().is_none_or(|held| order::compare(value, held.as_raw_bson_ref()) == wanted);
    if better {
        *extreme = Some(value.into());
    }
}
