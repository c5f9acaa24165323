//! From the BSON text of an expression to its tree.

use bson::raw::RawDocumentBuf;
use bson::{Bson, Document};

use super::operator::{Entry, OPERATORS, Shape};
use super::{Expression, Value, constant, name};
use crate::error::{Error, Result};
use crate::limits;

impl Expression {
    /// Compiles the text of an expression.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an operator or variable that is not modelled, [`InvalidKind::Syntax`] for text that
    /// is no expression, [`Error::LimitExceeded`] past [`limits::EXPRESSION_DEPTH_MAX`].
    pub(crate) fn compile(text: &Bson) -> Result<Self> {
        any(text, 1)
    }
}

fn any(text: &Bson, depth: usize) -> Result<Expression> {
    limits::check("expression depth in levels", limits::EXPRESSION_DEPTH_MAX, depth)?;
    match text {
        Bson::String(text) if text.starts_with('$') => path(text),
        Bson::Array(items) => {
            let items = items.iter().map(|item| any(item, depth + 1)).collect::<Result<Vec<_>>>()?;
            Ok(folded(Expression::Array(items)))
        }
        Bson::Document(document) => object(document, depth),
        other => Ok(Expression::Constant(constant(other, limits::DOCUMENT_DEPTH_MAX)?)),
    }
}

/// Evaluates what does not depend on the document once and for all.
fn folded(expression: Expression) -> Expression {
    let constant = match &expression {
        Expression::Document(fields) => fields.iter().all(|(_, value)| value.is_constant()),
        Expression::Array(items) => items.iter().all(Expression::is_constant),
        _ => false,
    };
    if !constant {
        return expression;
    }
    let value = expression.evaluate(&RawDocumentBuf::new()).ok().and_then(Value::into_owned);
    value.map_or(expression, Expression::Constant)
}

/// `"$a.b"`, `"$$ROOT.a.b"`.
fn path(text: &str) -> Result<Expression> {
    let Some(variable) = text.strip_prefix("$$") else {
        return field(text.strip_prefix('$').unwrap_or(text));
    };
    match variable.split_once('.') {
        None if matches!(variable, "ROOT" | "CURRENT") => Ok(Expression::Field(Vec::new())),
        None if variable == "REMOVE" => Ok(Expression::Remove),
        Some(("ROOT" | "CURRENT", rest)) => field(rest),
        _ => Err(Error::unsupported(format!("variable {text}"))),
    }
}

fn field(dotted: &str) -> Result<Expression> {
    let parts: Vec<_> = dotted.split('.').map(str::to_owned).collect();
    limits::check("path parts", limits::PATH_PARTS_MAX, parts.len())?;
    if parts.iter().any(|part| part.is_empty() || part.starts_with('$') || part.contains('\0')) {
        return Err(Error::syntax(format!(
            "{dotted:?} is not a field path: a part of it is empty or begins with a dollar sign"
        )));
    }
    Ok(Expression::Field(parts))
}

fn object(document: &Document, depth: usize) -> Result<Expression> {
    if let Some((operator, operand)) = document.iter().next()
        && operator.starts_with('$')
    {
        if document.len() != 1 {
            return Err(Error::syntax(format!(
                "an expression has one operator; {operator} is followed by other fields"
            )));
        }
        return operation(operator, operand, depth);
    }
    let fields = document.iter().map(|(key, value)| {
        if key.starts_with('$') || key.contains('.') {
            return Err(Error::syntax(format!("{key:?} cannot name a field of a computed object")));
        }
        Ok((name(key)?, any(value, depth + 1)?))
    });
    Ok(folded(Expression::Document(fields.collect::<Result<_>>()?)))
}

fn operation(name: &str, operand: &Bson, depth: usize) -> Result<Expression> {
    if name == "$literal" {
        return Ok(Expression::Constant(constant(operand, limits::DOCUMENT_DEPTH_MAX)?));
    }
    let Some(entry) = OPERATORS.iter().find(|entry| entry.name == name) else {
        return Err(Error::unsupported(format!("expression operator {name}")));
    };
    let arguments = match (&entry.shape, operand) {
        (Shape::Named(_, fields), Bson::Document(document)) if !is_operation(document) => {
            return named(entry, fields, document, depth);
        }
        (_, Bson::Array(items)) => items.iter().map(|item| any(item, depth + 1)).collect::<Result<Vec<_>>>()?,
        (_, single) => vec![any(single, depth + 1)?],
    };
    let (Shape::Listed(accepted) | Shape::Named(accepted, _)) = &entry.shape;
    if !accepted.contains(&arguments.len()) {
        return Err(Error::syntax(format!("{name} does not take {} arguments", arguments.len())));
    }
    Ok(Expression::Operation(entry.operator, arguments))
}

fn is_operation(document: &Document) -> bool {
    document.keys().next().is_some_and(|key| key.starts_with('$'))
}

/// The arguments of `document` in the order of `fields`, without a value where an optional one was left out.
fn named(entry: &Entry, fields: &[(&str, bool)], document: &Document, depth: usize) -> Result<Expression> {
    if let Some(unknown) = document.keys().find(|key| fields.iter().all(|(name, _)| name != key)) {
        return Err(Error::unsupported(format!("argument {unknown:?} of {}", entry.name)));
    }
    let argument = |(name, required): &(&str, bool)| match document.get(name) {
        Some(text) => any(text, depth + 1),
        None if *required => Err(Error::syntax(format!("{} needs {name:?}", entry.name))),
        None => Ok(Expression::Remove),
    };
    Ok(Expression::Operation(entry.operator, fields.iter().map(argument).collect::<Result<_>>()?))
}
