//! `$group`: the documents of equal `_id` become one, in the order the groups were first seen.
//!
//! Groups are found by hash of a canonical encoding, in which equal values (SEM: DOC-ORD-3) have equal bytes; the
//! representation that is shown is the first one seen.

use std::collections::HashMap;

use bson::raw::{CString, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use bson::{Bson, Document, doc};

use super::Documents;
use super::accumulator::{ACCUMULATORS, Accumulator, State, bytes};
use crate::document::expression::{Expression, append, check_depth, check_size, name};
use crate::document::index_key::put_value;
use crate::document::order::Value;
use crate::error::{Error, Result};
use crate::limits;

/// What a group costs besides its values: its entry in the table and its states.
const GROUP_OVERHEAD_BYTES: usize = 128;

/// A compiled `$group`.
#[derive(Debug)]
pub(super) struct Group {
    id: Expression,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: CString,
    accumulator: Accumulator,
    expression: Expression,
}

impl Group {
    /// Compiles `{_id: expression, field: {$accumulator: expression}, …}`.
    ///
    /// # Errors
    /// [`InvalidKind::Syntax`] without `_id` or for a field that is no accumulator, [`Error::Unsupported`] names an
    /// accumulator that is not modelled.
    pub(super) fn compile(text: &Document) -> Result<Self> {
        let Some(id) = text.get("_id") else { return Err(Error::syntax("$group needs an _id, which may be null")) };
        let fields = text.iter().filter(|(name, _)| *name != "_id");
        Ok(Self {
            id: identity(id)?,
            fields: fields.map(|(name, value)| Field::compile(name, value)).collect::<Result<_>>()?,
        })
    }

    /// Reads all of `input`; the groups in the order of their first documents.
    ///
    /// # Errors
    /// Those of `input` and of the expressions; [`Error::LimitExceeded`] past [`limits::SORT_BYTES_MAX`].
    pub(super) fn run(self, input: Documents) -> Result<impl Iterator<Item = Result<RawDocumentBuf>> + Send> {
        let mut table = Table::default();
        for document in input {
            self.take(&mut table, &document?)?;
        }
        let Self { fields, .. } = self;
        Ok(table.groups.into_iter().map(move |(id, states)| finish(id, states, &fields)))
    }

    fn take(&self, table: &mut Table, document: &RawDocument) -> Result<()> {
        let id = self.id.evaluate(document)?;
        let position = table.position(id.or_null(), &self.fields)?;
        let states = table.groups.get_mut(position).map(|(_, states)| states);
        for (state, field) in states.into_iter().flatten().zip(&self.fields) {
            let before = state.bytes();
            state.add(&field.expression.evaluate(document)?)?;
            table.bytes = (table.bytes + state.bytes()).saturating_sub(before);
        }
        limits::check("group bytes", limits::SORT_BYTES_MAX, table.bytes)
    }
}

impl Field {
    fn compile(text: &str, value: &Bson) -> Result<Self> {
        if text.is_empty() || text.starts_with('$') || text.contains('.') {
            return Err(Error::syntax(format!("{text:?} cannot name a field of a group")));
        }
        let Some((operator, operand)) =
            value.as_document().filter(|value| value.len() == 1).and_then(|v| v.iter().next())
        else {
            return Err(Error::syntax(format!("the field {text:?} of a group is not one accumulator")));
        };
        let accumulator = ACCUMULATORS.iter().find(|(name, _)| name == operator).map(|(_, accumulator)| *accumulator);
        let expression = match (accumulator, operand) {
            (Some(Accumulator::Count), Bson::Document(operand)) if operand.is_empty() => Bson::Int32(1),
            (Some(Accumulator::Count), _) => return Err(Error::syntax("$count takes an empty document")),
            (Some(Accumulator::Push | Accumulator::AddToSet), operand) => operand.clone(),
            (Some(_), Bson::Array(_)) => {
                return Err(Error::syntax(format!("the accumulator {operator} takes one argument")));
            }
            (_, operand) => operand.clone(),
        };
        let accumulator = accumulator.ok_or_else(|| Error::unsupported(format!("accumulator {operator}")))?;
        Ok(Self { name: name(text)?, accumulator, expression: Expression::compile(&expression)? })
    }
}

#[derive(Default)]
struct Table {
    positions: HashMap<Vec<u8>, usize>,
    groups: Vec<(RawBson, Vec<State>)>,
    bytes: usize,
    /// Where the next key is written, so that a document of a known group allocates none.
    scratch: Vec<u8>,
}

impl Table {
    /// The position of the group of `id`, which is created if there is none yet.
    fn position(&mut self, id: RawBsonRef<'_>, fields: &[Field]) -> Result<usize> {
        self.scratch.clear();
        put_value(&mut self.scratch, &Value::from(id))?;
        if let Some(position) = self.positions.get(&self.scratch) {
            return Ok(*position);
        }
        let position = self.groups.len();
        self.bytes += GROUP_OVERHEAD_BYTES * (1 + fields.len()) + self.scratch.len() + bytes(id);
        self.groups.push((id.into(), fields.iter().map(|field| State::new(field.accumulator)).collect()));
        self.positions.insert(self.scratch.clone(), position);
        Ok(position)
    }
}

/// Compiles the `_id`. An object of one field groups by that field alone, so that a missing value is null there as it is
/// without an object; an object of several fields leaves out those without a value.
fn identity(text: &Bson) -> Result<Expression> {
    let single = text.as_document().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    match single {
        Some((name, value)) if !name.starts_with('$') => {
            Expression::compile(&doc! { name: { "$ifNull": [value.clone(), Bson::Null] } }.into())
        }
        _ => Expression::compile(text),
    }
}

fn finish(id: RawBson, states: Vec<State>, fields: &[Field]) -> Result<RawDocumentBuf> {
    let mut document = RawDocumentBuf::new();
    check_depth(id.as_raw_bson_ref(), limits::DOCUMENT_DEPTH_MAX - 1)?;
    document.append(cstr!("_id"), id);
    for (state, field) in states.into_iter().zip(fields) {
        let value = state.finish();
        check_depth(value.or_null(), limits::DOCUMENT_DEPTH_MAX - 1)?;
        append(&mut document, &field.name, &value);
    }
    check_size(&document)?;
    Ok(document)
}
