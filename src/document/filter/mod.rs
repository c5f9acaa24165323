//! Filters: conditions on documents, compiled once per call and run on raw BSON.
//!
//! A condition holds for a field when it holds for its value or, if that is an array, for one of its elements
//! (SEM: DOC-FLT-1), so that two conditions may be met by two elements (SEM: DOC-FLT-4). Negations are the complement over
//! whole documents (SEM: DOC-FLT-5). A missing field counts as null, except to `$exists` (SEM: DOC-FLT-2).
//!
//! # Cost
//! Matching walks the top level of the document once per condition, and decodes nothing else. `$in` searches its sorted
//! operands.
//!
//! # Source
//! MongoDB manual, Query and Projection Operators. What is not modelled is refused by name: `docs/compatibility/mongodb.md`.

mod compile;
mod position;

use std::cmp::Ordering;

use bson::{Bson, Document, RawBsonRef, RawDocument};

use crate::document::order::{Fields, Value};
use crate::document::path::{Path, Reached};
use crate::error::Result;

/// A compiled filter.
///
/// A pipeline's `$match` compiles its document with [`Filter::compile`] and asks [`Filter::matches`] for each document.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// All of them have to hold.
    nodes: Vec<Node>,
}

/// A condition on a document. Nesting is bounded by the compiler.
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    None(Vec<Node>),
    Field { path: Path, test: Test },
}

/// A condition on a value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Equal(Bson),
    /// Sorted by the order of values.
    In(Vec<Bson>),
    Range(RangeOperator, Bson),
    Exists,
}

/// A comparison with an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RangeOperator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Compiles a filter document.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for an operator that is not modelled, by its name;
    /// [`Error::Invalid`](crate::Error::Invalid) for operands an operator does not take;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for nesting past
    /// [`DOCUMENT_DEPTH_MAX`](crate::limits::DOCUMENT_DEPTH_MAX).
    pub(super) fn compile(filter: &Document) -> Result<Self> {
        Ok(Self { nodes: compile::query(filter)? })
    }

    /// Whether `document` meets every condition.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when the document does not decode.
    pub(super) fn matches(&self, document: &RawDocument) -> Result<bool> {
        all(&self.nodes, document)
    }

    /// Whether it holds for every document.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The conditions on fields that every match meets: those at the top level and in `$and`.
    pub(super) fn conjuncts(&self) -> Vec<(&Path, &Test)> {
        fn collect<'f>(nodes: &'f [Node], found: &mut Vec<(&'f Path, &'f Test)>) {
            for node in nodes {
                match node {
                    Node::All(nodes) => collect(nodes, found),
                    Node::Field { path, test } => found.push((path, test)),
                    Node::Any(_) | Node::None(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.nodes, &mut found);
        found
    }
}

fn all(nodes: &[Node], document: &RawDocument) -> Result<bool> {
    for node in nodes {
        if !node.matches(document)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(nodes: &[Node], document: &RawDocument) -> Result<bool> {
    for node in nodes {
        if node.matches(document)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Node {
    fn matches(&self, document: &RawDocument) -> Result<bool> {
        match self {
            Self::All(nodes) => all(nodes, document),
            Self::Any(nodes) => any(nodes, document),
            Self::None(nodes) => Ok(!any(nodes, document)?),
            Self::Field { path, test } => path.any(document, |reached| test.holds(reached)),
        }
    }
}

impl Test {
    fn holds(&self, reached: Reached<'_>) -> bool {
        match (self, reached) {
            (Self::Exists, reached) => reached != Reached::Missing,
            (_, Reached::Missing) => self.accepts(&Value::Null),
            (_, Reached::Field(RawBsonRef::Array(array))) => {
                let array = Fields::RawArray(array);
                array.iter().any(|(_, element)| self.accepts(&element)) || self.accepts(&Value::Array(array))
            }
            (_, Reached::Field(value) | Reached::Element(value)) => self.accepts(&Value::from(value)),
        }
    }

    /// Whether the condition holds for one value, as a whole.
    fn accepts(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Equal(operand) => value.compare(&Value::from(operand)).is_eq(),
            Self::In(operands) => operands.binary_search_by(|operand| Value::from(operand).compare(value)).is_ok(),
            Self::Range(operator, operand) => operator.holds(value, &Value::from(operand)),
            Self::Exists => true,
        }
    }
}

impl RangeOperator {
    /// Whether a value that compares with the operand like this is in range.
    pub(super) fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// Compares within the operand's class only, except that `MinKey` and `MaxKey` compare with everything; NaN is in no
    /// range but its own (SEM: DOC-FLT-3).
    fn holds(self, value: &Value<'_>, operand: &Value<'_>) -> bool {
        let order = value.compare(operand);
        match (value, operand) {
            (_, Value::MinKey | Value::MaxKey) => self.takes(order),
            (Value::Number(a), Value::Number(b)) if a.is_nan() || b.is_nan() => order.is_eq() && self.takes(order),
            _ => value.class() == operand.class() && self.takes(order),
        }
    }
}

#[cfg(test)]
mod tests;
