//! Partial indexes: which documents have entries.

use std::sync::Arc;

use bson::{Bson, DateTime, Document, RawDocument};

use crate::document::code::Code;
use crate::document::collation::Collator;
use crate::document::expression::{Context, Names};
use crate::document::filter::Filter;
use crate::document::index_key::put_value;
use crate::document::order::{Order, Value};
use crate::error::Result;

/// Operators that a condition on a field may have.
const OPERATORS: [&str; 9] = ["$eq", "$in", "$all", "$gt", "$gte", "$lt", "$lte", "$type", "$exists"];

/// The filter of a partial index. Two are equal when they mean the same, whatever the order of their conditions.
#[derive(Clone, Debug)]
pub(in crate::document) struct Partial {
    text: Document,
    filter: Arc<Filter>,
    context: Arc<Context>,
    /// The conditions in an order of their own.
    canonical: Vec<u8>,
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Partial {
    /// Compiles a filter, for an index whose text `collator` orders.
    ///
    /// # Errors
    /// As [`Filter::compile`]; [`Code::CANNOT_CREATE_INDEX`] for conditions that those of a query cannot be compared with.
    pub(in crate::document) fn compile(text: Document, collator: Option<&Arc<Collator>>) -> Result<Self> {
        let filter = Filter::compile(&text, &Names::default().collated(collator))?;
        let canonical = all(&text)?;
        // It has no expressions, which alone depend on it.
        let context = Context::new(DateTime::from_millis(0), 0, Vec::new());
        Ok(Self { text, filter: Arc::new(filter), context: Arc::new(context), canonical })
    }

    /// Whether `document` has entries.
    pub(in crate::document) fn takes(&self, document: &RawDocument) -> Result<bool> {
        self.filter.matches(document, &self.context)
    }

    /// The filter as it was written.
    pub(in crate::document) fn text(&self) -> &Document {
        &self.text
    }

    /// The filter.
    pub(in crate::document) fn filter(&self) -> &Filter {
        &self.filter
    }
}

/// The conditions of `filter`, of which all hold. The filter compiles, which bounds its depth.
fn all(filter: &Document) -> Result<Vec<u8>> {
    let mut clauses = Vec::new();
    conjuncts(filter, &mut clauses)?;
    Ok(joined(clauses))
}

fn conjuncts(filter: &Document, clauses: &mut Vec<Vec<u8>>) -> Result<()> {
    for (name, value) in filter {
        match (name.as_str(), value) {
            ("$and", Bson::Array(parts)) => {
                parts.iter().filter_map(Bson::as_document).try_for_each(|part| conjuncts(part, clauses))?;
            }
            ("$or", Bson::Array(parts)) => {
                let parts = parts.iter().filter_map(Bson::as_document).map(all).collect::<Result<_>>()?;
                clauses.push([b"$or".to_vec(), joined(parts)].concat());
            }
            (operator, _) if operator.starts_with('$') => return Err(refused(operator)),
            (path, Bson::Document(operators)) if operators.keys().any(|name| name.starts_with('$')) => {
                for (operator, operand) in operators {
                    clauses.push(condition(path, operator, operand)?);
                }
            }
            (_, Bson::RegularExpression(_)) => return Err(refused("a regular expression")),
            (path, value) => clauses.push(condition(path, "$eq", value)?),
        }
    }
    Ok(())
}

fn condition(path: &str, operator: &str, operand: &Bson) -> Result<Vec<u8>> {
    let is_true = |operand: &Bson| match operand {
        Bson::Boolean(truth) => *truth,
        Bson::Null | Bson::Undefined => false,
        number => crate::document::number::Number::from_bson(number).is_none_or(|number| !number.is_zero()),
    };
    if !OPERATORS.contains(&operator) {
        return Err(refused(operator));
    }
    if operator == "$exists" && !is_true(operand) {
        return Err(refused("$exists: false"));
    }
    let mut clause = [path.as_bytes(), &[0], operator.as_bytes(), &[0]].concat();
    match operator {
        "$exists" => {}
        _ => put_value(&mut clause, &Value::from(operand), Order::SIMPLE)?,
    }
    Ok(clause)
}

/// `parts` in order and each once, with their lengths.
fn joined(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort_unstable();
    parts.dedup();
    parts.iter().flat_map(|part| [&part.len().to_be_bytes()[..], part].concat()).collect()
}

fn refused(what: &str) -> crate::error::Error {
    Code::CANNOT_CREATE_INDEX.value(format!("the filter of a partial index cannot have {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn filters_that_mean_the_same_are_equal() {
        let same = |a: Document, b: Document| Partial::compile(a, None).unwrap() == Partial::compile(b, None).unwrap();
        assert!(same(doc! { "$and": [{ "a": 1 }, { "b": 2 }] }, doc! { "b": { "$eq": 2.0 }, "a": 1 }));
        assert!(same(doc! { "$or": [{ "a": 1 }, { "b": 2 }] }, doc! { "$or": [{ "b": 2 }, { "a": 1 }] }));
        assert!(!same(doc! { "a": { "$gt": 5 } }, doc! { "a": { "$gte": 5 } }));
        assert!(!same(doc! { "$or": [{ "a": 1 }, { "b": 2 }] }, doc! { "a": 1, "b": 2 }));
        assert!(!same(doc! { "a": 1 }, doc! {}));
    }

    #[test]
    fn conditions_that_queries_are_not_compared_with_are_refused() {
        for filter in [
            doc! { "a": { "$ne": 1 } },
            doc! { "a": { "$exists": false } },
            doc! { "a": { "$nin": [1] } },
            doc! { "a": { "$not": { "$gt": 1 } } },
            doc! { "a": { "$size": 1 } },
            doc! { "a": { "$regex": "x" } },
            doc! { "$nor": [{ "a": 1 }] },
            doc! { "$expr": true },
            doc! { "$or": [{ "$and": [{ "a": { "$mod": [2, 0] } }] }] },
        ] {
            let error = Partial::compile(filter.clone(), None).unwrap_err();
            assert_eq!(Code::of(&error), Some(Code::CANNOT_CREATE_INDEX), "{filter}");
        }
    }
}
