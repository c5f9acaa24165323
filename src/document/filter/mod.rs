//! Filters: conditions on documents, compiled once per call and run on raw BSON.
//!
//! A condition holds for a field when it holds for its value or, if that is an array, for one of its elements, so that
//! two conditions may be met by two elements. Negations are the complement over whole documents. A missing field counts
//! as null, except to `$exists`.
//!
//! # Cost
//! Matching walks the top level of the document once per condition, and decodes nothing else. `$in` searches its sorted
//! operands.
//!
//! # Source
//! MongoDB manual, Query and Projection Operators. What is not modelled is refused by name: `docs/compatibility/mongodb.md`.

mod bits;
mod compile;
mod condition;
mod kinds;
mod places;

use std::sync::Arc;

use bson::{Bson, Document, RawBsonRef, RawDocument};

use self::bits::Bits;
use self::condition::all_accept;
use self::kinds::Kinds;
pub(super) use self::places::refuse_operators;
use crate::document::collation::Collator;
use crate::document::expression::{Context, Env, Expression, Names};
use crate::document::order::Order;
use crate::document::path::{FieldPath, Reached};
use crate::document::raw::element;
use crate::document::regular::Regular;
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
    Field {
        path: FieldPath,
        test: Test,
    },
    /// `$expr`.
    Expression(Expression),
}

/// A condition on a value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Equal(Bson),
    /// Sorted by the order of values.
    In(Vec<Bson>),
    Range(RangeOperator, Bson),
    Exists,
    Regex(Box<Pattern>),
    Size(i64),
    Kinds(Kinds),
    /// The divisor and the remainder.
    Mod(i64, i64),
    Bits(Bits),
    /// Some element is an object, or an array by its positions, that meets the conditions.
    ElementMatches(Vec<Node>),
    /// Some element meets the conditions itself.
    ElementIs(Vec<ElementTest>),
    /// A comparison with text that a collation orders; whatever else is compared needs none.
    Collated(Box<Collated>),
}

/// A comparison under a collation.
#[derive(Clone, Debug)]
pub(super) struct Collated {
    pub(super) collator: Arc<Collator>,
    /// `Equal`, `In` or `Range`.
    pub(super) test: Test,
}

/// Conditions on one value as a whole, of which all hold, or, negated, not all.
#[derive(Clone, Debug)]
pub(super) struct ElementTest {
    negated: bool,
    tests: Vec<Test>,
}

/// A regular expression as a condition: matches text, and itself where it is stored.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regular: Regular,
    text: String,
    options: String,
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
    /// Compiles a filter document, whose expressions may use the variables `names`.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for an operator that is not modelled, by its name;
    /// [`Error::Invalid`](crate::Error::Invalid) for one that does not exist and for operands an operator does not take;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for nesting past
    /// [`DOCUMENT_DEPTH_MAX`](crate::limits::DOCUMENT_DEPTH_MAX).
    pub(super) fn compile(filter: &Document, names: &Names) -> Result<Self> {
        Ok(Self { nodes: compile::query(filter, names)? })
    }

    /// The filter that lets everything through.
    pub(super) fn all() -> Self {
        Self { nodes: Vec::new() }
    }

    /// The filter for a field that equals one of `values`, which count as they are, regular expressions too.
    pub(super) fn equal_any(path: &FieldPath, mut values: Vec<Bson>, collator: Option<&Arc<Collator>>) -> Self {
        let order = Order::of(collator.map(|collator| &**collator));
        values.sort_by(|a, b| order.compare_bson(a, b));
        values.dedup_by(|a, b| order.compare_bson(a, b).is_eq());
        let test = Test::In(values).collated(collator);
        Self { nodes: vec![Node::Field { path: path.clone(), test }] }
    }

    /// The filter that lets through what both let through.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.nodes.extend(other.nodes);
        self
    }

    /// The condition of a `$pull` on the elements of an array: an object without operators is one on their fields, and anything
    /// else one on the elements themselves.
    ///
    /// # Errors
    /// As [`Filter::compile`].
    pub(super) fn compile_element(condition: &Bson, names: &Names) -> Result<ElementFilter> {
        compile::element(condition, names)
    }

    /// Whether `document` meets every condition.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) when the document does not decode; those of expressions.
    pub(super) fn matches(&self, document: &RawDocument, context: &Context) -> Result<bool> {
        all(&self.nodes, document, context)
    }

    /// Whether it holds for every document.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The conditions, all of which hold for a match.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The conditions on fields that every match meets: those at the top level and in `$and`.
    pub(super) fn conjuncts(&self) -> Vec<(&FieldPath, &Test)> {
        fn collect<'f>(nodes: &'f [Node], found: &mut Vec<(&'f FieldPath, &'f Test)>) {
            for node in nodes {
                match node {
                    Node::All(nodes) => collect(nodes, found),
                    Node::Field { path, test } => found.push((path, test)),
                    Node::Any(_) | Node::None(_) | Node::Expression(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.nodes, &mut found);
        found
    }

    /// The value that `_id` has to equal, when that is the only condition and it finds at most one document.
    pub(super) fn identity(&self) -> Option<&Bson> {
        match self.nodes.as_slice() {
            [Node::Field { path, test: Test::Equal(value) }] if path.as_str() == "_id" => {
                // An array could be an element of nothing: no `_id` is one. Null would be a missing `_id`: there is none.
                (!matches!(value, Bson::Array(_))).then_some(value)
            }
            _ => None,
        }
    }

    /// The position of the element by which `document` was found: of the array that the last condition that goes through one
    /// holds for.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(super) fn position(&self, document: &RawDocument, context: &Context) -> Result<Option<usize>> {
        let mut position = None;
        for (path, test) in self.conjuncts() {
            position = test.position(document, path.parts(), context)?.or(position);
        }
        Ok(position)
    }

    /// The values that the filter demands of paths: what an upsert begins with.
    pub(super) fn equalities(&self) -> Vec<(&FieldPath, &Bson)> {
        let mut found = Vec::new();
        for (path, test) in self.conjuncts() {
            match test.uncollated() {
                Test::Equal(value) => found.push((path, value)),
                Test::In(values) => {
                    if let [value] = values.as_slice() {
                        found.push((path, value));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Calls `visit` with the path of every condition, and returns whether those are all that it reads.
    pub(super) fn each_path(&self, visit: &mut dyn FnMut(&str)) -> bool {
        self.nodes.iter().all(|node| node.each_path(visit))
    }
}

/// A condition on an element of an array.
#[derive(Clone, Debug)]
pub(super) enum ElementFilter {
    /// It is an object that meets the conditions.
    Fields(Vec<Node>),
    /// It meets the conditions itself.
    Value(Vec<ElementTest>),
}

impl ElementFilter {
    /// Whether `element` meets it.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(super) fn matches(&self, element: RawBsonRef<'_>, context: &Context) -> Result<bool> {
        match (self, element) {
            (Self::Fields(nodes), RawBsonRef::Document(document)) => all(nodes, document, context),
            (Self::Fields(_), _) => Ok(false),
            (Self::Value(tests), element) => all_accept(tests, element, context),
        }
    }
}

fn all(nodes: &[Node], document: &RawDocument, context: &Context) -> Result<bool> {
    for node in nodes {
        if !node.matches(document, context)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(nodes: &[Node], document: &RawDocument, context: &Context) -> Result<bool> {
    for node in nodes {
        if node.matches(document, context)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Node {
    fn matches(&self, document: &RawDocument, context: &Context) -> Result<bool> {
        match self {
            Self::All(nodes) => all(nodes, document, context),
            Self::Any(nodes) => any(nodes, document, context),
            Self::None(nodes) => Ok(!any(nodes, document, context)?),
            // A text is compared where it is stored, without being read: most scans look for one.
            Self::Field { path, test: test @ Test::Equal(Bson::String(text)) } if let [part] = path.parts() => {
                let Some(element) = element(document, part.name())? else { return Ok(false) };
                if let Some(stored) = element.text() {
                    return Ok(stored == text.as_bytes());
                }
                match element.value(part.name())? {
                    Some(value) => test.holds(Reached::Field(value), context),
                    None => Ok(false),
                }
            }
            Self::Field { path, test } => {
                // A visit cannot fail by itself: the first failure ends the walk.
                let mut failure = None;
                let found = path.any(document, |reached| match test.holds(reached, context) {
                    Ok(holds) => holds,
                    Err(error) => failure.replace(error).is_none(),
                })?;
                failure.map_or(Ok(found), Err)
            }
            Self::Expression(expression) => Ok(expression.evaluate(&mut Env::new(document, context))?.is_true()),
        }
    }

    fn each_path(&self, visit: &mut dyn FnMut(&str)) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) | Self::None(nodes) => nodes.iter().all(|node| node.each_path(visit)),
            Self::Field { path, .. } => {
                visit(path.as_str());
                true
            }
            Self::Expression(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
