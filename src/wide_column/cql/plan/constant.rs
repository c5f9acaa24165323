//! Constants as values of the types that receive them.

use crate::error::Result;
use crate::wide_column::cql::ast::Literal;
use crate::wide_column::cql::plan::context::invalid;
use crate::wide_column::cql::text;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// What a term is for: a name and a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver<'a> {
    pub(super) name: &'a str,
    pub(super) cql_type: &'a CqlType,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(name: &'a str, cql_type: &'a CqlType) -> Self {
        Self { name, cql_type }
    }

    pub(super) fn part<'p>(name: &'p str, cql_type: &'p CqlType) -> Receiver<'p> {
        Receiver { name, cql_type }
    }
}

/// Whether every value of `narrow` is one of `wide` in the same bytes.
pub(super) fn is_wider(wide: &CqlType, narrow: &CqlType) -> bool {
    matches!((wide, narrow), (CqlType::Text, CqlType::Ascii) | (CqlType::Uuid, CqlType::Timeuuid) | (CqlType::Blob, _))
}

/// A constant as a value of the type `of`.
pub(super) fn constant(literal: &Literal, name: &str, of: &CqlType) -> Result<CqlValue> {
    if !text::takes(of, literal.kind) {
        let (kind, said) = (text::kind_name(literal.kind), &literal.text);
        return Err(invalid(format!("Invalid {kind} constant ({said}) for \"{name}\" of type {of}")));
    }
    text::parse(of, &literal.text).map_err(invalid)
}
