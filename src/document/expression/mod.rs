//! Expressions: what `$project`, `$group` and computed projections calculate from a document.
//!
//! An expression is compiled once, from its BSON text into a tree, and evaluated against raw documents. Field paths
//! borrow from the document; only what is computed is allocated. A missing field is a value of its own, see [`Value`].
//!
//! # Invariants
//! 1. Everything that is wrong with an expression by itself (an operator that is not modelled, a wrong number of
//!    arguments) is found by [`Expression::compile`], before a document is read.
//! 2. The tree is at most [`limits::EXPRESSION_DEPTH_MAX`] deep, which bounds every recursion over it.
//! 3. Operators are an enum; their names are looked at only while compiling.
//!
//! # Source
//! `MongoDB` manual: Aggregation Operators, Field Paths, System Variables (SEM: DOC-AGG-3 to DOC-AGG-6).

mod arithmetic;
mod compile;
mod date;
mod operator;
mod text;
mod total;
mod value;

use bson::raw::{CString, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use self::operator::Operator;
pub(super) use self::operator::keep_extreme;
pub(super) use self::total::Total;
pub(super) use self::value::{Value, append, check_depth, check_size, check_specification, constant, name};
use crate::error::Result;
#[cfg(doc)]
use crate::limits;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// A value that does not depend on the document.
    Constant(RawBson),
    /// `$$REMOVE`: no value.
    Remove,
    /// A path of field names from the document; without names the document itself (`$$ROOT`).
    Field(Vec<String>),
    /// A document whose values are expressions; missing ones are left out.
    Document(Vec<(CString, Expression)>),
    /// An array of expressions; missing ones are null.
    Array(Vec<Expression>),
    /// An operator and its arguments, whose number was checked when compiling.
    Operation(Operator, Vec<Expression>),
}

impl Expression {
    /// The value over `root`.
    ///
    /// # Errors
    /// [`InvalidKind::Type`](crate::InvalidKind) when an operator does not take a value's type, `Value` and `Overflow`
    /// for arithmetic without a result, [`Error::Corruption`](crate::Error) when the document does not parse.
    pub(super) fn evaluate<'a>(&'a self, root: &'a RawDocument) -> Result<Value<'a>> {
        match self {
            Self::Constant(value) => Ok(Value::Borrowed(value.as_raw_bson_ref())),
            Self::Remove => Ok(Value::Missing),
            Self::Field(path) => value::lookup(root, path),
            Self::Document(fields) => {
                let mut document = RawDocumentBuf::new();
                for (name, expression) in fields {
                    append(&mut document, name, &expression.evaluate(root)?);
                }
                Ok(Value::Owned(RawBson::Document(document)))
            }
            Self::Array(expressions) => {
                let mut array = RawArrayBuf::new();
                for expression in expressions {
                    array.push(expression.evaluate(root)?.or_null());
                }
                Ok(Value::Owned(RawBson::Array(array)))
            }
            Self::Operation(operator, arguments) => operator.evaluate(arguments, root),
        }
    }

    /// Whether the value is the same for every document.
    fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

/// The type of a value as messages name it.
fn type_name(value: RawBsonRef<'_>) -> &'static str {
    match value {
        RawBsonRef::Double(_) => "double",
        RawBsonRef::String(_) => "string",
        RawBsonRef::Array(_) => "array",
        RawBsonRef::Document(_) => "object",
        RawBsonRef::Boolean(_) => "bool",
        RawBsonRef::Null => "null",
        RawBsonRef::RegularExpression(_) => "regex",
        RawBsonRef::JavaScriptCode(_) => "javascript",
        RawBsonRef::JavaScriptCodeWithScope(_) => "javascriptWithScope",
        RawBsonRef::Int32(_) => "int",
        RawBsonRef::Int64(_) => "long",
        RawBsonRef::Timestamp(_) => "timestamp",
        RawBsonRef::Binary(_) => "binData",
        RawBsonRef::ObjectId(_) => "objectId",
        RawBsonRef::DateTime(_) => "date",
        RawBsonRef::Symbol(_) => "symbol",
        RawBsonRef::Decimal128(_) => "decimal",
        RawBsonRef::Undefined => "undefined",
        RawBsonRef::MaxKey => "maxKey",
        RawBsonRef::MinKey => "minKey",
        RawBsonRef::DbPointer(_) => "dbPointer",
    }
}

#[cfg(test)]
mod tests;
