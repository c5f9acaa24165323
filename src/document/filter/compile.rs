//! From filter documents to conditions.

use bson::{Bson, Document};

use crate::document::filter::{Node, RangeOperator, Test};
use crate::document::number::Number;
use crate::document::order::compare_bson;
use crate::document::path::Path;
use crate::document::stored::check_depth;
use crate::error::{Error, Result};
use crate::limits;

/// Compiles a whole filter: conditions that all have to hold.
pub(super) fn query(filter: &Document) -> Result<Vec<Node>> {
    conditions(filter, 1)
}

fn conditions(filter: &Document, depth: usize) -> Result<Vec<Node>> {
    limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
    let mut nodes = Vec::with_capacity(filter.len());
    for (name, value) in filter {
        match name.as_str() {
            "$and" => nodes.push(Node::All(clauses(name, value, depth)?)),
            "$or" => nodes.push(Node::Any(clauses(name, value, depth)?)),
            "$nor" => nodes.push(Node::None(clauses(name, value, depth)?)),
            operator if operator.starts_with('$') => return Err(unsupported(operator)),
            path => nodes.extend(field(&Path::parse(path)?, value, depth)?),
        }
    }
    Ok(nodes)
}

/// The conditions in the array of `$and`, `$or` or `$nor`, each a document of its own (SEM: DOC-FLT-8).
fn clauses(operator: &str, value: &Bson, depth: usize) -> Result<Vec<Node>> {
    let clauses = value.as_array().filter(|clauses| !clauses.is_empty());
    let clauses = clauses.ok_or_else(|| Error::value(format!("{operator} takes a non-empty array")))?;
    let clause = |clause: &Bson| match clause {
        Bson::Document(filter) => Ok(Node::All(conditions(filter, depth + 1)?)),
        other => Err(Error::value(format!("{operator} takes documents, not {:?}", other.element_type()))),
    };
    clauses.iter().map(clause).collect()
}

/// The conditions on one field: operators, or equality with a value.
fn field(path: &Path, value: &Bson, depth: usize) -> Result<Vec<Node>> {
    match value {
        Bson::Document(operators) if operators.keys().next().is_some_and(|name| name.starts_with('$')) => {
            limits::check("filter levels", limits::DOCUMENT_DEPTH_MAX, depth)?;
            operators.iter().map(|(name, operand)| operator(path, name, operand, depth)).collect()
        }
        Bson::RegularExpression(_) => Err(unsupported("$regex")),
        value => Ok(vec![test(path, Test::Equal(operand(value)?))]),
    }
}

fn operator(path: &Path, name: &str, value: &Bson, depth: usize) -> Result<Node> {
    let range = |operator| {
        if matches!(value, Bson::RegularExpression(_)) {
            return Err(Error::value(format!("{name} does not take a regular expression")));
        }
        Ok(test(path, Test::Range(operator, operand(value)?)))
    };
    match name {
        "$eq" => Ok(test(path, Test::Equal(operand(value)?))),
        "$ne" if matches!(value, Bson::RegularExpression(_)) => {
            Err(Error::value("$ne does not take a regular expression"))
        }
        "$ne" => Ok(Node::None(vec![test(path, Test::Equal(operand(value)?))])),
        "$gt" => range(RangeOperator::Greater),
        "$gte" => range(RangeOperator::GreaterOrEqual),
        "$lt" => range(RangeOperator::Less),
        "$lte" => range(RangeOperator::LessOrEqual),
        "$in" => Ok(test(path, Test::In(list(name, value)?))),
        "$nin" => Ok(Node::None(vec![test(path, Test::In(list(name, value)?))])),
        "$exists" if is_true(value) => Ok(test(path, Test::Exists)),
        "$exists" => Ok(Node::None(vec![test(path, Test::Exists)])),
        "$not" => match value {
            Bson::RegularExpression(_) => Err(unsupported("$regex")),
            Bson::Document(inner) if inner.keys().next().is_some_and(|name| name.starts_with('$')) => {
                Ok(Node::None(vec![Node::All(field(path, value, depth + 1)?)]))
            }
            other => Err(Error::value(format!("$not takes a document of operators, not {:?}", other.element_type()))),
        },
        operator if operator.starts_with('$') => Err(unsupported(operator)),
        name => Err(Error::value(format!("field {name:?} among the operators on {:?}", path.as_str()))),
    }
}

/// The sorted operands of `$in`.
fn list(operator: &str, value: &Bson) -> Result<Vec<Bson>> {
    let values = value.as_array().ok_or_else(|| Error::value(format!("{operator} takes an array")))?;
    if values.iter().any(|value| matches!(value, Bson::RegularExpression(_))) {
        return Err(unsupported("$regex"));
    }
    let mut operands = values.iter().map(operand).collect::<Result<Vec<_>>>()?;
    operands.sort_by(compare_bson);
    operands.dedup_by(|a, b| compare_bson(a, b).is_eq());
    Ok(operands)
}

fn operand(value: &Bson) -> Result<Bson> {
    check_depth(value)?;
    Ok(value.clone())
}

/// Truth as `$exists` sees it: everything but false, null and zero.
fn is_true(value: &Bson) -> bool {
    match value {
        Bson::Boolean(value) => *value,
        Bson::Null | Bson::Undefined => false,
        other => Number::from_bson(other).is_none_or(|number| !number.is_zero()),
    }
}

fn test(path: &Path, test: Test) -> Node {
    Node::Field { path: path.clone(), test }
}

fn unsupported(operator: &str) -> Error {
    Error::unsupported(format!("query operator {operator}"))
}
