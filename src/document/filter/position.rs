//! Which element of an array a filter found.

use bson::{RawBsonRef, RawDocument};

use crate::document::filter::{Filter, Node, Test};
use crate::document::order::Value;
use crate::document::path::{Part, Path, elements};
use crate::document::raw::field;
use crate::error::Result;

impl Filter {
    /// The position of the element by which a condition on an array holds, of the last condition that looks for one.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(in crate::document) fn position(&self, document: &RawDocument) -> Result<Option<usize>> {
        last(&self.nodes, document)
    }
}

fn last(nodes: &[Node], document: &RawDocument) -> Result<Option<usize>> {
    let mut found = None;
    for node in nodes {
        found = position(node, document)?.or(found);
    }
    Ok(found)
}

fn position(node: &Node, document: &RawDocument) -> Result<Option<usize>> {
    match node {
        Node::All(nodes) => last(nodes, document),
        Node::Any(nodes) => {
            for node in nodes {
                if node.matches(document)? {
                    return position(node, document);
                }
            }
            Ok(None)
        }
        Node::None(_) | Node::Field { test: Test::Exists, .. } => Ok(None),
        Node::Field { path, test } => in_document(document, path.parts(), test),
    }
}

fn in_document(document: &RawDocument, parts: &[Part], test: &Test) -> Result<Option<usize>> {
    let Some((part, rest)) = parts.split_first() else { return Ok(None) };
    match field(document, part.name())? {
        Some(RawBsonRef::Document(inner)) => in_document(inner, rest, test),
        Some(RawBsonRef::Array(array)) => {
            for (place, element) in elements(array).enumerate() {
                if holds(element?, rest, test)? {
                    return Ok(Some(place));
                }
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Whether `test` holds for `element`, or for what `parts` lead to in it.
fn holds(element: RawBsonRef<'_>, parts: &[Part], test: &Test) -> Result<bool> {
    match element {
        element if parts.is_empty() => Ok(test.accepts(&Value::from(element))),
        RawBsonRef::Document(inner) => {
            let names: Vec<_> = parts.iter().map(Part::name).collect();
            Path::parse(&names.join("."))?.any(inner, |reached| test.holds(reached))
        }
        _ => Ok(false),
    }
}
