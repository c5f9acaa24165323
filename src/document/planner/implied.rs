//! Whether a filter implies another one: what a partial index has to be used for.
//!
//! A condition on a field implies another on the same field when every element that meets the one meets the other, so that arrays
//! change nothing. Conditions are not put together to imply a third.

use bson::Bson;

use crate::document::filter::{Filter, Node, Test};
use crate::document::order::Order;
use crate::document::path::FieldPath;
use crate::document::planner::bounds;
use crate::error::Result;

/// Whether every document that matches `filter` matches `partial`.
pub(super) fn by(filter: &Filter, partial: &Filter) -> Result<bool> {
    by_nodes(&filter.nodes().iter().collect::<Vec<_>>(), partial.nodes())
}

/// Whether documents for which all of `given` hold meet all of `wanted`. Compiling bounds the depth of both.
fn by_nodes(given: &[&Node], wanted: &[Node]) -> Result<bool> {
    for node in wanted {
        if !implies(given, node)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn implies(given: &[&Node], wanted: &Node) -> Result<bool> {
    for node in given {
        let holds = match node {
            Node::All(nodes) => implies(&nodes.iter().collect::<Vec<_>>(), wanted)?,
            Node::Any(nodes) => {
                let mut all = !nodes.is_empty();
                for node in nodes {
                    all = all && implies(&[node], wanted)?;
                }
                all
            }
            Node::Field { path, test } => field_implies(path, test, wanted)?,
            Node::None(_) | Node::Expression(_) => false,
        };
        if holds {
            return Ok(true);
        }
    }
    // What no condition implies whole may be implied in parts.
    match wanted {
        Node::All(nodes) => by_nodes(given, nodes),
        Node::Any(nodes) => {
            for node in nodes {
                if implies(given, node)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

fn field_implies(path: &FieldPath, test: &Test, wanted: &Node) -> Result<bool> {
    match wanted {
        Node::Field { path: wanted_path, test: wanted } if path == wanted_path => test_implies(test, wanted),
        _ => Ok(false),
    }
}

fn test_implies(test: &Test, wanted: &Test) -> Result<bool> {
    if test.collator() != wanted.collator() && test.has_text() && wanted.has_text() {
        return Ok(false);
    }
    let collator = test.collator().or(wanted.collator());
    let order = Order::of(collator.map(|collator| &**collator));
    let bounds_of = |test| bounds::of(test, collator);
    let (collated, collated_wanted) = (test, wanted);
    let (test, wanted) = (test.uncollated(), wanted.uncollated());
    let operands = match test {
        Test::Equal(operand) => std::slice::from_ref(operand),
        Test::In(operands) => operands,
        _ => &[],
    };
    Ok(match (test, wanted) {
        (_, Test::Exists) => !test.accepts_missing(),
        (Test::Kinds(kinds), Test::Kinds(wanted)) => kinds == wanted,
        (Test::Equal(_) | Test::In(_), Test::Equal(value)) => {
            operands.iter().all(|operand| order.compare_bson(operand, value).is_eq())
        }
        (Test::Equal(_) | Test::In(_), Test::In(values)) => {
            operands.iter().all(|operand| values.iter().any(|value| order.compare_bson(operand, value).is_eq()))
        }
        (Test::Equal(_) | Test::In(_) | Test::Range(..), Test::Range(_, operand)) if is_single(operand) => {
            let is_exact = match test {
                Test::Range(_, of) => is_single(of),
                _ => operands.iter().all(is_single),
            };
            if !is_exact {
                return Ok(false);
            }
            match (bounds_of(collated)?, bounds_of(collated_wanted)?) {
                (Some(given), Some(wanted)) => bounds::contains(&wanted, &given),
                _ => false,
            }
        }
        _ => false,
    })
}

/// Whether the bounds for an operand are what meets the condition, and nothing else.
fn is_single(operand: &Bson) -> bool {
    !matches!(operand, Bson::Null | Bson::Undefined | Bson::Array(_) | Bson::MinKey | Bson::MaxKey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Document, doc};

    #[expect(clippy::needless_pass_by_value, reason = "documents are written in place, with `doc!`")]
    fn implied_by(filter: Document, partial: Document) -> bool {
        let compile = |filter| Filter::compile(filter, &crate::document::expression::Names::default()).unwrap();
        by(&compile(&filter), &compile(&partial)).unwrap()
    }

    // SEM: DOC-IDX-7
    #[test]
    fn a_narrower_condition_implies_a_wider_one() {
        for (filter, partial) in [
            (doc! {}, doc! {}),
            (doc! { "a": 7 }, doc! { "a": 7.0 }),
            (doc! { "a": 7 }, doc! { "a": { "$gt": 5 } }),
            (doc! { "a": { "$gt": 5 } }, doc! { "a": { "$gte": 5 } }),
            (doc! { "a": { "$gte": 5, "$lte": 10 } }, doc! { "a": { "$gte": 5, "$lte": 10 } }),
            (doc! { "a": { "$in": [6, 7] } }, doc! { "a": { "$in": [5, 6, 7] } }),
            (doc! { "a": { "$in": [6, 7] } }, doc! { "a": { "$gt": 5 } }),
            (doc! { "a": { "$gt": 5 } }, doc! { "a": { "$exists": true } }),
            (doc! { "a": { "$type": "string" } }, doc! { "a": { "$type": "string" } }),
            (doc! { "a": null }, doc! { "a": null }),
            (doc! { "a": [1, 2] }, doc! { "a": [1, 2] }),
            (doc! { "b": 1, "a": { "$lt": 1 } }, doc! { "$or": [{ "a": { "$lt": 5 } }, { "c": 1 }] }),
            (doc! { "$or": [{ "a": 1 }, { "a": 2 }] }, doc! { "a": { "$lt": 5 } }),
            (doc! { "$or": [{ "a": 1, "b": 2 }, { "b": 9 }] }, doc! { "$or": [{ "a": 1 }, { "b": 9 }] }),
            (doc! { "$and": [{ "a": 1 }, { "b": 2 }] }, doc! { "b": 2, "a": 1 }),
        ] {
            assert!(implied_by(filter.clone(), partial.clone()), "{filter} implies {partial}");
        }
    }

    #[test]
    fn what_may_match_more_implies_nothing() {
        for (filter, partial) in [
            (doc! {}, doc! { "a": 7 }),
            (doc! { "a": { "$gt": 5 } }, doc! { "a": { "$gt": 6 } }),
            (doc! { "a": { "$gte": 5 } }, doc! { "a": { "$gt": 5 } }),
            (doc! { "a": { "$gt": 5 } }, doc! { "b": { "$gt": 5 } }),
            (doc! { "a": null }, doc! { "a": { "$exists": true } }),
            (doc! { "a": { "$in": [null, 1] } }, doc! { "a": { "$exists": true } }),
            (doc! { "a": { "$in": [5, 8] } }, doc! { "a": { "$in": [5, 6] } }),
            (doc! { "a": "x" }, doc! { "a": { "$gt": 5 } }),
            (doc! { "a": { "$ne": 5 } }, doc! { "a": { "$exists": true } }),
            (doc! { "$nor": [{ "a": 1 }] }, doc! { "a": 1 }),
            (doc! { "a": [7] }, doc! { "a": { "$gt": 5 } }),
            (doc! { "$or": [{ "a": 1 }, { "b": 2 }] }, doc! { "a": 1 }),
            (doc! { "a": { "$type": "number" } }, doc! { "a": { "$type": "int" } }),
        ] {
            assert!(!implied_by(filter.clone(), partial.clone()), "{filter} does not imply {partial}");
        }
    }
}
