//! `$group`: the documents of equal `_id` become one, in the order the groups were first seen.
//!
//! Groups are found by hash of a canonical encoding, in which equal values have equal bytes; the representation that is
//! shown is the first one seen.

use std::collections::HashMap;

use bson::raw::{CString, RawBson, RawBsonRef, RawDocumentBuf, cstr};
use bson::{Bson, Document, doc};

use super::accumulator::{Accumulator, State};
use crate::document::code::Code;
use crate::document::expression::{
    Context, DIVIDE_BY_ZERO, Env, Expression, MODULO_BY_ZERO, Names, append, check_depth, check_size, heap_bytes, name,
};
use crate::document::index_key::put_value;
use crate::document::number::Number;
use crate::document::order::{Order, Value};
use crate::document::rows::Input;
use crate::error::{Error, Result};
use crate::limits;

/// What a group costs besides its values: its entry in the table and its states.
const GROUP_OVERHEAD_BYTES: usize = 128;

/// A compiled `$group`.
#[derive(Clone, Debug)]
pub(super) struct Group {
    id: Expression,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
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
    pub(super) fn compile(text: &Document, names: &Names) -> Result<Self> {
        let Some(id) = text.get("_id") else {
            return Err(Code::GROUP_WITHOUT_ID.syntax("$group needs an _id, which may be null"));
        };
        let fields = text.iter().filter(|(name, _)| *name != "_id");
        Ok(Self {
            id: identity(id, names)?,
            fields: fields.map(|(name, value)| Field::compile(name, value, names)).collect::<Result<_>>()?,
        })
    }

    /// Reads all of `input`; the groups in the order of their first documents.
    ///
    /// # Errors
    /// Those of `input` and of the expressions; [`Error::LimitExceeded`] past [`limits::SORT_BYTES_MAX`].
    pub(super) fn run(
        self,
        mut input: Input,
        context: &Context,
    ) -> Result<impl Iterator<Item = Result<RawDocumentBuf>> + Send + use<>> {
        let mut table = Table::default();
        while input.advance()? {
            context.check_time()?;
            self.take(&mut table, &mut Env::new(input.row()?, context))?;
        }
        let Self { fields, .. } = self;
        Ok(table.groups.into_iter().map(move |(id, states)| finish(id, states, &fields)))
    }

    fn take<'a>(&'a self, table: &mut Table, env: &mut Env<'a>) -> Result<()> {
        let id = self.id.evaluate(env).map_err(renumbered)?;
        let order = env.order();
        let position = table.position(id.or_null(), &self.fields, order)?;
        let states = table.groups.get_mut(position).map(|(_, states)| states);
        for (state, field) in states.into_iter().flatten().zip(&self.fields) {
            let before = state.bytes();
            state.add(&field.expression.evaluate(env).map_err(renumbered)?, env.root(), order)?;
            table.bytes = (table.bytes + state.bytes()).saturating_sub(before);
        }
        limits::check("group bytes", limits::SORT_BYTES_MAX, table.bytes)
    }
}

/// Divisions by zero have numbers of their own in groups.
fn renumbered(error: Error) -> Error {
    match error {
        Error::Invalid { message, .. } if message == DIVIDE_BY_ZERO => Code::GROUP_DIVIDE_BY_ZERO.value(message),
        Error::Invalid { message, .. } if message == MODULO_BY_ZERO => Code::GROUP_MODULO_BY_ZERO.value(message),
        other => other,
    }
}

impl Field {
    fn compile(text: &str, value: &Bson, names: &Names) -> Result<Self> {
        if text.starts_with('$') {
            return Err(
                Code::GROUP_FIELD_DOLLAR.syntax(format!("the field {text:?} of a group begins with a dollar sign"))
            );
        }
        if text.contains('.') {
            return Err(Code::GROUP_FIELD_DOT.syntax(format!("the field {text:?} of a group has a dot in its name")));
        }
        let Bson::Document(call) = value else {
            return Err(
                Code::GROUP_FIELD_NOT_ACCUMULATOR.syntax(format!("the field {text:?} of a group is no accumulator"))
            );
        };
        let (accumulator, expression) = Accumulator::compile(call, names)?;
        Ok(Self { name: name(text)?, accumulator, expression })
    }
}

#[derive(Default)]
struct Table {
    /// Keyed by chance, since values come from whoever writes documents; a quarter of what the standard hash costs.
    positions: HashMap<Vec<u8>, usize, ahash::RandomState>,
    groups: Vec<(RawBson, Vec<State>)>,
    bytes: usize,
    /// Where the next key is written, so that a document of a known group allocates none.
    scratch: Vec<u8>,
}

impl Table {
    /// The position of the group of `id`, which is created if there is none yet.
    fn position(&mut self, id: RawBsonRef<'_>, fields: &[Field], order: Order<'_>) -> Result<usize> {
        self.scratch.clear();
        put_value(&mut self.scratch, &Value::from(id), order)?;
        if let Some(position) = self.positions.get(&self.scratch) {
            return Ok(*position);
        }
        let position = self.groups.len();
        self.bytes += GROUP_OVERHEAD_BYTES * (1 + fields.len()) + self.scratch.len() + heap_bytes(id);
        self.groups.push((id.into(), fields.iter().map(|field| State::new(&field.accumulator)).collect()));
        self.positions.insert(self.scratch.clone(), position);
        Ok(position)
    }
}

/// Compiles the `_id`. An object of one field groups by that field alone, so that a missing value is null there as it is
/// without an object; an object of several fields leaves out those without a value.
fn identity(text: &Bson, names: &Names) -> Result<Expression> {
    if let Bson::Document(fields) = text
        && fields.keys().next().is_some_and(|name| !name.starts_with('$'))
        && fields.values().all(|value| matches!(value, Bson::Boolean(_)) || Number::from_bson(value).is_some())
    {
        return Err(Code::GROUP_INCLUSION.syntax("the _id of a group looks like an inclusion; use $literal"));
    }
    let single = text.as_document().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    match single {
        Some((name, value)) if !name.starts_with('$') => {
            Expression::compile(&doc! { name: { "$ifNull": [value.clone(), Bson::Null] } }.into(), names)
        }
        _ => Expression::compile(text, names),
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
