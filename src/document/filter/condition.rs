//! Conditions on values: whether one holds for what a path reaches.

use std::cmp::Ordering;
use std::sync::Arc;

use bson::{RawArray, RawBsonRef, RawDocument};

use super::{Collated, ElementTest, Node, RangeOperator, Test, all};
use crate::document::collation::Collator;
use crate::document::expression::Context;
use crate::document::number::Number;
use crate::document::order::{Order, Value, has_text};
use crate::document::path::{FieldPath, Part, Reached, elements};
use crate::document::raw::{corrupt, field};
use crate::error::Result;

impl Test {
    /// The comparison with text ordered by `collator`, if there is one.
    pub(super) fn collated(self, collator: Option<&Arc<Collator>>) -> Self {
        match collator {
            Some(collator) if self.has_text() => {
                Self::Collated(Box::new(Collated { collator: Arc::clone(collator), test: self }))
            }
            _ => self,
        }
    }

    /// Whether it compares with text.
    pub(in crate::document) fn has_text(&self) -> bool {
        match self {
            Self::Equal(value) | Self::Range(_, value) => has_text(value),
            Self::In(values) => values.iter().any(has_text),
            Self::Collated(collated) => collated.test.has_text(),
            _ => false,
        }
    }

    /// What orders the text that it compares with, if not its bytes do.
    pub(in crate::document) fn collator(&self) -> Option<&Arc<Collator>> {
        if let Self::Collated(collated) = self { Some(&collated.collator) } else { None }
    }

    /// The comparison, whatever orders text.
    pub(in crate::document) fn uncollated(&self) -> &Self {
        if let Self::Collated(collated) = self { &collated.test } else { self }
    }

    pub(super) fn holds(&self, reached: Reached<'_>, context: &Context) -> Result<bool> {
        match (self, reached) {
            (Self::Exists, reached) => Ok(reached != Reached::Missing),
            (_, Reached::Missing) => Ok(self.accepts_missing()),
            (Self::Size(_) | Self::ElementMatches(_) | Self::ElementIs(_), Reached::Field(value)) => {
                self.accepts(value, context)
            }
            (_, Reached::Field(value @ RawBsonRef::Array(array))) => {
                for element in elements(array) {
                    if self.accepts(element?, context)? {
                        return Ok(true);
                    }
                }
                self.accepts(value, context)
            }
            (_, Reached::Field(value) | Reached::Element(value)) => self.accepts(value, context),
        }
    }

    /// Whether the condition holds for a field that is not there, which counts as null to comparisons.
    pub(in crate::document) fn accepts_missing(&self) -> bool {
        match self.uncollated() {
            test @ (Self::Equal(_) | Self::In(_) | Self::Range(..)) => test.compares(&Value::Null, Order::SIMPLE),
            _ => false,
        }
    }

    /// The position of the first element, of the first array that `parts` lead through, for which the condition holds.
    pub(super) fn position(&self, document: &RawDocument, parts: &[Part], context: &Context) -> Result<Option<usize>> {
        let Some((part, rest)) = parts.split_first() else { return Ok(None) };
        match field(document, part.name())? {
            Some(RawBsonRef::Document(inner)) => self.position(inner, rest, context),
            Some(RawBsonRef::Array(array)) => {
                for (place, element) in elements(array).enumerate() {
                    let holds = match (self, element?, rest) {
                        (Self::ElementMatches(nodes), RawBsonRef::Document(inner), []) => all(nodes, inner, context)?,
                        (Self::ElementIs(tests), element, []) => all_accept(tests, element, context)?,
                        (test, element, []) => test.accepts(element, context)?,
                        (test, RawBsonRef::Document(inner), rest) => {
                            let path = FieldPath::of(rest);
                            let node = Node::Field { path, test: test.clone() };
                            node.matches(inner, context)?
                        }
                        _ => false,
                    };
                    if holds {
                        return Ok(Some(place));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Whether a comparison holds for one value, as a whole.
    fn compares(&self, value: &Value<'_>, order: Order<'_>) -> bool {
        match self {
            Self::Equal(operand) => value.compare_in(&Value::from(operand), order).is_eq(),
            Self::In(operands) => {
                operands.binary_search_by(|operand| Value::from(operand).compare_in(value, order)).is_ok()
            }
            Self::Range(operator, operand) => operator.holds(value, &Value::from(operand), order),
            _ => false,
        }
    }

    /// Whether the condition holds for one value, as a whole.
    fn accepts(&self, value: RawBsonRef<'_>, context: &Context) -> Result<bool> {
        Ok(match (self, value) {
            (Self::Equal(_) | Self::In(_) | Self::Range(..), value) => {
                self.compares(&Value::from(value), Order::SIMPLE)
            }
            (Self::Collated(collated), value) => {
                collated.test.compares(&Value::from(value), Order::of(Some(&collated.collator)))
            }
            (Self::Exists, _) => true,
            (Self::Regex(pattern), RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => {
                pattern.regular.is_match(text)?
            }
            (Self::Regex(pattern), RawBsonRef::RegularExpression(stored)) => {
                stored.pattern.as_str() == pattern.text && stored.options.as_str() == pattern.options
            }
            (Self::Size(size), RawBsonRef::Array(array)) => {
                i64::try_from(elements(array).count()).is_ok_and(|n| n == *size)
            }
            (Self::Kinds(kinds), value) => kinds.contains(value),
            (Self::Mod(divisor, remainder), value) => {
                let whole = Number::from_raw(value).and_then(|number| number.cut(0)).and_then(Number::as_i64);
                whole.is_some_and(|whole| whole.wrapping_rem(*divisor) == *remainder)
            }
            (Self::Bits(bits), value) => bits.holds(value),
            (Self::ElementMatches(nodes), RawBsonRef::Array(array)) => any_element(array, nodes, context)?,
            (Self::ElementIs(tests), RawBsonRef::Array(array)) => {
                for element in elements(array) {
                    if all_accept(tests, element?, context)? {
                        return Ok(true);
                    }
                }
                false
            }
            _ => false,
        })
    }
}

impl ElementTest {
    fn accepts(&self, value: RawBsonRef<'_>, context: &Context) -> Result<bool> {
        for test in &self.tests {
            if !test.accepts(value, context)? {
                return Ok(self.negated);
            }
        }
        Ok(!self.negated)
    }
}

pub(super) fn all_accept(tests: &[ElementTest], value: RawBsonRef<'_>, context: &Context) -> Result<bool> {
    for test in tests {
        if !test.accepts(value, context)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an element is an object that meets the conditions, or an array, whose positions are its field names.
fn any_element(array: &RawArray, nodes: &[Node], context: &Context) -> Result<bool> {
    for element in elements(array) {
        let holds = match element? {
            RawBsonRef::Document(document) => all(nodes, document, context)?,
            RawBsonRef::Array(inner) => {
                all(nodes, RawDocument::from_bytes(inner.as_bytes()).map_err(corrupt)?, context)?
            }
            _ => false,
        };
        if holds {
            return Ok(true);
        }
    }
    Ok(false)
}

impl RangeOperator {
    /// Whether a value that compares with the operand like this is in range.
    pub(in crate::document) fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// Compares within the operand's class only, except that `MinKey` and `MaxKey` compare with everything; NaN is in
    /// no range but its own.
    fn holds(self, value: &Value<'_>, operand: &Value<'_>, order: Order<'_>) -> bool {
        let order = value.compare_in(operand, order);
        match (value, operand) {
            (_, Value::MinKey | Value::MaxKey) => self.takes(order),
            (Value::Number(a), Value::Number(b)) if a.is_nan() || b.is_nan() => order.is_eq() && self.takes(order),
            _ => value.class() == operand.class() && self.takes(order),
        }
    }
}
