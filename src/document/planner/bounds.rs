//! Intervals of values that a condition confines a field to.
//!
//! Bounds are what an index entry of a matching document must meet, and may let in more: every document found is matched
//! against the whole filter again. They are kept as encoded values, whose byte order is the order of values.

use std::cmp::Ordering;
use std::sync::Arc;

use bson::Bson;

use crate::document::collation::Collator;
use crate::document::filter::{RangeOperator, Test};
use crate::document::index_key::{self, put_empty_array, put_value};
use crate::document::order::{Class, Order, Value};
use crate::error::Result;

/// One end of an interval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    /// An encoded value, or the beginning of all values of a class.
    pub(crate) bytes: Vec<u8>,
    pub(crate) included: bool,
    label: Label,
}

/// What `explain` shows of an edge. Nobody else makes a text of it.
#[derive(Clone, Debug, PartialEq)]
enum Label {
    Value(Bson),
    EmptyArray,
    Start(Class),
    End(Class),
    MinKey,
    MaxKey,
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::EmptyArray => f.write_str("[]"),
            Self::Start(class) => write!(f, "{class:?}…"),
            Self::End(class) => write!(f, "…{class:?}"),
            Self::MinKey => f.write_str("MinKey"),
            Self::MaxKey => f.write_str("MaxKey"),
        }
    }
}

/// The values between two edges.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) lower: Edge,
    pub(crate) upper: Edge,
}

/// Disjoint intervals in ascending order.
pub(crate) type Bounds = Vec<Interval>;

/// What `test` confines the keys of an index to whose text `collator` orders; `None` when that is nothing an index could use.
pub(crate) fn of(test: &Test, collator: Option<&Arc<Collator>>) -> Result<Option<Bounds>> {
    let (test, of_test) = match test {
        Test::Collated(collated) => (&collated.test, Some(&collated.collator)),
        test => (test, None),
    };
    if of_test != collator && test.has_text() {
        return Ok(None);
    }
    let order = Order::of(collator.map(|collator| &**collator));
    let mut bounds = match test {
        Test::Exists
        | Test::Regex(_)
        | Test::Size(_)
        | Test::Kinds(_)
        | Test::Mod(..)
        | Test::Bits(_)
        | Test::ElementMatches(_)
        | Test::ElementIs(_)
        | Test::Collated(_) => return Ok(None),
        Test::Equal(operand) => points(operand, order)?,
        Test::In(operands) => {
            let mut all = Vec::with_capacity(operands.len());
            for operand in operands {
                all.extend(points(operand, order)?);
            }
            all
        }
        Test::Range(operator, operand) => match range(*operator, operand, order)? {
            Some(bounds) => bounds,
            None => return Ok(None),
        },
    };
    bounds.sort_by(|a, b| a.lower.cmp_as_lower(&b.lower));
    // The first element of an array operand can be another operand; points are all there is then.
    bounds.dedup_by(|a, b| a.lower.bytes == b.lower.bytes);
    Ok(Some(bounds))
}

/// Where a value equal to `value`, which is no array, is in an index without a collation.
pub(crate) fn equal(value: &Bson) -> Result<Bounds> {
    points(value, Order::SIMPLE)
}

/// The same in a hashed field; `None` for what holds more than single values.
pub(crate) fn hashed(bounds: Bounds) -> Result<Option<Bounds>> {
    if !bounds.iter().all(Interval::is_point) {
        return Ok(None);
    }
    let point =
        |interval: Interval| Ok(Interval::point(index_key::hashed(&interval.lower.bytes)?, interval.lower.label));
    let mut bounds = bounds.into_iter().map(point).collect::<Result<Bounds>>()?;
    bounds.sort_by(|a, b| a.lower.cmp_as_lower(&b.lower));
    Ok(Some(bounds))
}

/// Whether what `test` confines a field to are values that a wildcard index has entries of: not null, which a missing field is too,
/// and neither objects nor arrays, into which it goes.
pub(crate) fn are_of_values(test: &Test) -> bool {
    let is_value = |operand: &Bson| {
        !matches!(
            operand,
            Bson::Null | Bson::Undefined | Bson::Document(_) | Bson::Array(_) | Bson::MinKey | Bson::MaxKey
        )
    };
    match test.uncollated() {
        Test::Equal(operand) | Test::Range(_, operand) => is_value(operand),
        Test::In(operands) => operands.iter().all(is_value),
        _ => false,
    }
}

/// Whether all that is in `inner` is in `outer` as well.
pub(crate) fn contains(outer: &[Interval], inner: &[Interval]) -> bool {
    let within = |inner: &Interval, outer: &Interval| {
        outer.lower.cmp_as_lower(&inner.lower).is_le() && inner.upper.cmp_as_upper(&outer.upper).is_le()
    };
    inner.iter().all(|inner| outer.iter().any(|outer| within(inner, outer)))
}

/// What is in both lists.
pub(crate) fn intersect(a: &[Interval], b: &[Interval]) -> Bounds {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut both = Vec::new();
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let lower = if x.lower.cmp_as_lower(&y.lower).is_ge() { &x.lower } else { &y.lower };
        let first_to_end = x.upper.cmp_as_upper(&y.upper);
        let upper = if first_to_end.is_le() { &x.upper } else { &y.upper };
        let common = Interval { lower: lower.clone(), upper: upper.clone() };
        if !common.is_empty() {
            both.push(common);
        }
        if first_to_end.is_le() {
            a.next()
        } else {
            b.next()
        };
    }
    both
}

impl Interval {
    /// Whether it holds one value.
    pub(crate) fn is_point(&self) -> bool {
        self.lower.included && self.upper.included && self.lower.bytes == self.upper.bytes
    }

    /// Everything.
    pub(crate) fn all() -> Self {
        let lower = Edge { bytes: vec![0], included: true, label: Label::MinKey };
        let upper = Edge { bytes: vec![0xff], included: true, label: Label::MaxKey };
        Self { lower, upper }
    }

    /// Dates up to `last`, in milliseconds.
    pub(crate) fn dates_until(last: i64) -> Result<Self> {
        let last = Edge::value(&Bson::DateTime(bson::DateTime::from_millis(last)), true, Order::SIMPLE)?;
        Ok(Self { lower: Edge::start_of(Class::Date), upper: last })
    }

    fn point(bytes: Vec<u8>, label: Label) -> Self {
        let edge = Edge { bytes, included: true, label };
        Self { lower: edge.clone(), upper: edge }
    }

    fn is_empty(&self) -> bool {
        match self.lower.bytes.cmp(&self.upper.bytes) {
            Ordering::Less => false,
            Ordering::Equal => !self.is_point(),
            Ordering::Greater => true,
        }
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = if self.lower.included { '[' } else { '(' };
        let close = if self.upper.included { ']' } else { ')' };
        write!(f, "{open}{}, {}{close}", self.lower.label, self.upper.label)
    }
}

impl Edge {
    fn cmp_as_lower(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes).then(other.included.cmp(&self.included))
    }

    fn cmp_as_upper(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes).then(self.included.cmp(&other.included))
    }

    fn value(value: &Bson, included: bool, order: Order<'_>) -> Result<Self> {
        Ok(Self { bytes: encoded(value, order)?, included, label: Label::Value(value.clone()) })
    }

    /// Below every value of `class`.
    fn start_of(class: Class) -> Self {
        Self { bytes: vec![class as u8], included: true, label: Label::Start(class) }
    }

    /// Above every value of `class`: the byte after a class byte is none.
    fn end_of(class: Class) -> Self {
        Self { bytes: vec![(class as u8) + 1], included: false, label: Label::End(class) }
    }
}

/// Where a value equal to `operand` is in an index. An array is found under its first element, or, as an element of
/// another array, under itself.
fn points(operand: &Bson, order: Order<'_>) -> Result<Bounds> {
    let mut points = vec![Interval::point(encoded(operand, order)?, Label::Value(operand.clone()))];
    if let Bson::Array(elements) = operand {
        let inner =
            elements.first().map(|first| Ok((encoded(first, order)?, Label::Value(first.clone())))).transpose()?;
        let (bytes, label) = inner.unwrap_or_else(|| {
            let mut bytes = Vec::new();
            put_empty_array(&mut bytes, false);
            (bytes, Label::EmptyArray)
        });
        points.push(Interval::point(bytes, label));
    }
    Ok(points)
}

/// The values of the operand's class on one side of it. Arrays are not stored whole, and the keys of all classes do not
/// confine anything: `None`.
fn range(operator: RangeOperator, operand: &Bson, order: Order<'_>) -> Result<Option<Bounds>> {
    let value = Value::from(operand);
    let class = value.class();
    let lone = match &value {
        Value::MinKey | Value::MaxKey | Value::Array(_) => return Ok(None),
        Value::Null => true,
        Value::Number(number) => number.is_nan(),
        _ => false,
    };
    let included = operator.takes(Ordering::Equal);
    if lone {
        return Ok(Some(if included { points(operand, order)? } else { Vec::new() }));
    }
    let edge = Edge::value(operand, included, order)?;
    let interval = match operator {
        RangeOperator::Greater | RangeOperator::GreaterOrEqual => Interval { lower: edge, upper: Edge::end_of(class) },
        RangeOperator::Less | RangeOperator::LessOrEqual if class == Class::Number => {
            Interval { lower: Edge::value(&Bson::Double(f64::NAN), false, order)?, upper: edge }
        }
        RangeOperator::Less | RangeOperator::LessOrEqual => Interval { lower: Edge::start_of(class), upper: edge },
    };
    Ok(Some(vec![interval]))
}

fn encoded(value: &Bson, order: Order<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    put_value(&mut bytes, &Value::from(value), order)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]
mod tests {
    use super::*;
    use crate::document::filter::Filter;
    use bson::{Document, bson, doc};

    fn bounds(filter: Document) -> Option<Vec<String>> {
        let filter = Filter::compile(&filter, &crate::document::expression::Names::default()).unwrap();
        let mut found: Option<Bounds> = None;
        for (_, test) in filter.conjuncts() {
            let next = of(test, None).unwrap()?;
            found = Some(found.map_or(next.clone(), |found| intersect(&found, &next)));
        }
        Some(found?.iter().map(ToString::to_string).collect())
    }

    // SEM: DOC-FLT-3
    #[test]
    fn ranges_end_with_the_class_of_their_operand() {
        assert_eq!(bounds(doc! { "a": { "$gt": 5 } }).unwrap(), ["(5, …Number)"]);
        assert_eq!(bounds(doc! { "a": { "$lte": 5 } }).unwrap(), ["(NaN, 5]"]);
        assert_eq!(bounds(doc! { "a": { "$lt": "m" } }).unwrap(), ["[String…, \"m\")"]);
        assert_eq!(bounds(doc! { "a": { "$gte": null } }).unwrap(), ["[null, null]"]);
        assert!(bounds(doc! { "a": { "$gt": null } }).unwrap().is_empty());
        assert!(bounds(doc! { "a": { "$lt": f64::NAN } }).unwrap().is_empty());
        assert_eq!(bounds(doc! { "a": { "$gt": Bson::MinKey } }), None);
        assert_eq!(bounds(doc! { "a": { "$gt": [1] } }), None);
    }

    #[test]
    fn ranges_intersect_and_points_are_sorted() {
        assert_eq!(bounds(doc! { "a": { "$gt": 1, "$lt": 9 } }).unwrap(), ["(1, 9)"]);
        assert!(bounds(doc! { "a": { "$gt": 9, "$lt": 1 } }).unwrap().is_empty());
        assert!(bounds(doc! { "a": { "$gt": 1, "$lt": "z" } }).unwrap().is_empty());
        assert_eq!(bounds(doc! { "a": { "$in": [3, 1, 1.0], "$gte": 2 } }).unwrap(), ["[3, 3]"]);
        assert_eq!(
            bounds(doc! { "a": { "$in": ["x", 1, null] } }).unwrap(),
            ["[null, null]", "[1, 1]", "[\"x\", \"x\"]"]
        );
    }

    #[test]
    fn an_array_is_found_under_its_first_element_or_itself() {
        assert_eq!(bounds(doc! { "a": [1, 2] }).unwrap(), ["[1, 1]", "[[1, 2], [1, 2]]"]);
        assert_eq!(bounds(doc! { "a": [] }).unwrap(), ["[[], []]", "[[], []]"]);
        assert!(Interval::point(encoded(&bson!(0.0), Order::SIMPLE).unwrap(), Label::EmptyArray).is_point());
    }
}
