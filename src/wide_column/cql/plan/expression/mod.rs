//! What is computed of rows, and of values in a statement: a tree of columns, constants, functions and operators, each of a type
//! that is known before anything runs.
//!
//! `compile` makes the tree of a selector or a term, and finds types as Cassandra does: what says its type by itself goes
//! first, constants and markers are of the type that is then wanted of them.

mod aggregate;
mod casts;
mod collections;
mod compile;
mod functions;
mod masks;
mod moments;
mod numbers;
mod signature;
mod vectors;

use std::borrow::Cow;

pub(super) use aggregate::{Aggregated, State};
pub(super) use compile::{Compiler, term_value};
use signature::{Called, Run};

use crate::error::Result;
use crate::wide_column::Uuid;
use crate::wide_column::cql::ast::Arithmetic;
use crate::wide_column::cql::plan::context::Context;
use crate::wide_column::order::compare;
use crate::wide_column::read::FoundRow;
use crate::wide_column::serialize::{deserialize, serialize};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// Something that has a value of a type.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// What the column of a result is called that has it.
    pub(super) name: String,
    pub(super) cql_type: CqlType,
    pub(super) node: Node,
}

/// Where the value comes from.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(CqlValue),
    /// A column of the table.
    Column(usize),
    /// When a column, or a part of it, was written, or how long it lives.
    Time(TimeOf, usize, Option<Within>),
    /// The result of the aggregate at this place.
    Aggregate(usize),
    /// Another one for each row.
    Moment(Moment),
    Apply(Apply, Vec<Expression>),
}

/// What of the time of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeOf {
    Written,
    LastWritten,
    Ttl,
}

/// A part of a column: the key of an element, or the place of a field.
#[derive(Clone, Debug)]
pub(super) struct Within(pub(super) Vec<u8>);

/// What has no arguments and yet another value each time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Uuid,
    Timeuuid,
    Timestamp,
    Date,
    Time,
}

/// What is done with the values of other expressions.
#[derive(Clone, Debug)]
pub(super) enum Apply {
    Function(Run, bool),
    Arithmetic(Arithmetic),
    Negate,
    Cast,
    Element,
    /// From what on and up to what, as far as that is said.
    Slice(bool, bool),
    Field(usize),
    Token,
    List,
    Set,
    Map,
    Tuple,
    UserType,
    Vector,
}

/// What an expression is evaluated with.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) row: Option<&'a FoundRow<'a>>,
    /// What the aggregates have come to.
    pub(super) aggregates: &'a [CqlValue],
}

impl Expression {
    /// The columns that it looks at.
    pub(super) fn columns(&self) -> Vec<usize> {
        match &self.node {
            Node::Column(at) | Node::Time(_, at, _) => vec![*at],
            Node::Apply(_, parts) => parts.iter().flat_map(Self::columns).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether `is` holds for it or anything within it.
    fn any(&self, is: &impl Fn(&Node) -> bool) -> bool {
        is(&self.node)
            || match &self.node {
                Node::Apply(_, parts) => parts.iter().any(|part| part.any(is)),
                _ => false,
            }
    }

    /// Its value.
    ///
    /// # Errors
    /// Those of the functions, and of reading the row.
    pub(super) fn value(&self, at: &At<'_>) -> Result<CqlValue> {
        match &self.node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Column(column) => match at.row.map(|row| row.value(*column)).transpose()?.flatten() {
                None => Ok(CqlValue::Null),
                Some(bytes) => deserialize(&self.cql_type, &bytes),
            },
            Node::Time(what, column, within) => {
                at.row.map_or(Ok(CqlValue::Null), |row| time(row, *what, *column, within.as_ref(), &self.cql_type))
            }
            Node::Aggregate(nth) => Ok(at.aggregates.get(*nth).cloned().unwrap_or(CqlValue::Null)),
            Node::Moment(moment) => Ok(moment.value(at.context)),
            Node::Apply(apply, parts) => {
                let values = parts.iter().map(|part| part.value(at)).collect::<Result<Vec<_>>>()?;
                self.applied(apply, parts, &values)
            }
        }
    }

    /// The serialized value; `None` is null. That of a column is not looked into.
    pub(super) fn bytes<'r>(&self, at: &At<'r>) -> Result<Option<Cow<'r, [u8]>>> {
        if let (Node::Column(column), Some(row)) = (&self.node, at.row) {
            return row.value(*column);
        }
        let value = self.value(at)?;
        if matches!(value, CqlValue::Null | CqlValue::Unset) {
            return Ok(None);
        }
        let mut out = Vec::new();
        serialize(&value, &self.cql_type, &mut out).map_err(|fault| fault.of(&self.name, &self.cql_type))?;
        Ok(Some(Cow::Owned(out)))
    }

    /// The same with what depends on the row replaced by what it is there.
    pub(super) fn fixed(&self, at: &At<'_>) -> Result<Self> {
        let node = match &self.node {
            Node::Apply(apply, parts) if self.any(&|node| matches!(node, Node::Aggregate(_))) => {
                Node::Apply(apply.clone(), parts.iter().map(|part| part.fixed(at)).collect::<Result<_>>()?)
            }
            Node::Aggregate(nth) => Node::Aggregate(*nth),
            _ => Node::Constant(self.value(at)?),
        };
        Ok(Self { name: String::new(), cql_type: self.cql_type.clone(), node })
    }

    fn applied(&self, apply: &Apply, parts: &[Self], values: &[CqlValue]) -> Result<CqlValue> {
        let is_null = |value: &CqlValue| matches!(value, CqlValue::Null | CqlValue::Unset);
        let (first, second) = (values.first().unwrap_or(&CqlValue::Null), values.get(1).unwrap_or(&CqlValue::Null));
        let takes_null = matches!(
            apply,
            Apply::Function(_, true)
                | Apply::List
                | Apply::Set
                | Apply::Map
                | Apply::Tuple
                | Apply::UserType
                | Apply::Vector
        );
        if !takes_null && values.iter().any(is_null) {
            return Ok(CqlValue::Null);
        }
        let types = || parts.iter().map(|part| part.cql_type.clone()).collect::<Vec<_>>();
        Ok(match apply {
            Apply::Function(run, _) => run(&Called { values, types: &types(), returns: &self.cql_type })?,
            Apply::Arithmetic(operator) => casts::calculate(first, *operator, second, &self.cql_type)?,
            Apply::Negate => numbers::negated(first)?,
            Apply::Cast => casts::cast(first, &self.cql_type)?,
            Apply::Token => {
                let serialized = values.iter().zip(parts).map(|(value, part)| value.to_serialized(&part.cql_type));
                let serialized = serialized.map(|bytes| bytes.map(crate::wide_column::read::plan::Bytes::from_vec));
                let key = crate::wide_column::layout::join_partition(&serialized.collect::<Result<Vec<_>>>()?)?;
                CqlValue::Bigint(crate::wide_column::token::token(&key))
            }
            Apply::Element => element(parts.first().map(|part| &part.cql_type), first, second)?,
            Apply::Slice(has_from, has_to) => {
                let from = has_from.then_some(second);
                let to = has_to.then(|| values.last().unwrap_or(&CqlValue::Null));
                slice(&self.cql_type, first, from, to)?
            }
            Apply::Field(nth) => match (first, parts.first().map(|part| part.cql_type.thawed())) {
                (CqlValue::Udt(fields), Some(CqlType::Udt(own))) => {
                    let name = own.fields().get(*nth).map(|(name, _)| name);
                    fields.iter().find(|(own, _)| Some(own) == name).map_or(CqlValue::Null, |(_, value)| value.clone())
                }
                _ => CqlValue::Null,
            },
            Apply::List => CqlValue::List(values.to_vec()),
            Apply::Set => CqlValue::Set(values.to_vec()),
            Apply::Vector => CqlValue::Vector(values.to_vec()),
            Apply::Tuple => CqlValue::Tuple(values.to_vec()),
            Apply::Map => CqlValue::Map(
                values.chunks_exact(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone()))).collect(),
            ),
            Apply::UserType => match self.cql_type.thawed() {
                CqlType::Udt(own) => {
                    let field = |((name, _), value): (&(String, CqlType), &CqlValue)| (name.clone(), value.clone());
                    CqlValue::Udt(own.fields().iter().zip(values).map(field).collect())
                }
                _ => CqlValue::Null,
            },
        })
    }
}

impl Moment {
    fn value(self, context: &Context<'_>) -> CqlValue {
        context.note_more();
        let view = context.view;
        let millis = view.now().as_millis();
        match self {
            Self::Uuid => {
                let (high, low) = (view.unique_number(), view.unique_number());
                let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
                CqlValue::Uuid(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
            Self::Timeuuid => {
                let uuid: Uuid = moments::time_uuid(view.now().as_micros(), context.next_made(), view.unique_number());
                CqlValue::Uuid(uuid)
            }
            Self::Timestamp => CqlValue::Timestamp(millis),
            Self::Date => moments::date(millis),
            Self::Time => CqlValue::Time(millis.rem_euclid(moments::MILLIS_PER_DAY) * moments::NANOS_PER_MILLI),
        }
    }
}

/// When a column was written: of one with parts, one number for each or the largest of them.
fn time(
    row: &FoundRow<'_>,
    what: TimeOf,
    column: usize,
    within: Option<&Within>,
    returns: &CqlType,
) -> Result<CqlValue> {
    let shown = |written: crate::wide_column::read::Written| match what {
        TimeOf::Written | TimeOf::LastWritten => CqlValue::Bigint(written.timestamp),
        TimeOf::Ttl => written.ttl.map_or(CqlValue::Null, |ttl| CqlValue::Int(i32::try_from(ttl).unwrap_or(i32::MAX))),
    };
    let parts = row.parts_written(column)?;
    if let Some(Within(path)) = within {
        let own = parts.into_iter().find(|(own, _)| own == path);
        return Ok(own.map_or(CqlValue::Null, |(_, written)| shown(written)));
    }
    if what == TimeOf::LastWritten {
        let last = parts.into_iter().map(|(_, written)| written.timestamp).max();
        return Ok(last.map_or(CqlValue::Null, CqlValue::Bigint));
    }
    if matches!(returns, CqlType::List(_)) {
        let all: Vec<_> = parts.into_iter().map(|(_, written)| shown(written)).collect();
        return Ok(if all.is_empty() { CqlValue::Null } else { CqlValue::List(all) });
    }
    Ok(parts.into_iter().next().map_or(CqlValue::Null, |(_, written)| shown(written)))
}

/// Compares two values of one type.
fn ordered(of: &CqlType, a: &CqlValue, b: &CqlValue) -> Result<std::cmp::Ordering> {
    Ok(compare(of, &a.to_serialized(of)?, &b.to_serialized(of)?))
}

/// `map[key]`, `set[element]`
fn element(of: Option<&CqlType>, whole: &CqlValue, key: &CqlValue) -> Result<CqlValue> {
    match (of.map(CqlType::thawed), whole) {
        (Some(CqlType::Map(both)), CqlValue::Map(entries)) => {
            for (own, value) in entries {
                if ordered(&both.0, own, key)?.is_eq() {
                    return Ok(value.clone());
                }
            }
            Ok(CqlValue::Null)
        }
        (Some(CqlType::Set(element)), CqlValue::Set(parts)) => {
            for own in parts {
                if ordered(element, own, key)?.is_eq() {
                    return Ok(own.clone());
                }
            }
            Ok(CqlValue::Null)
        }
        _ => Ok(CqlValue::Null),
    }
}

/// `map[from..to]`, `set[from..to]`, both ends included; null when there is nothing within.
fn slice(of: &CqlType, whole: &CqlValue, from: Option<&CqlValue>, to: Option<&CqlValue>) -> Result<CqlValue> {
    let is_within = |of: &CqlType, own: &CqlValue| {
        let above = from.map_or(Ok(true), |from| ordered(of, own, from).map(std::cmp::Ordering::is_ge))?;
        let below = to.map_or(Ok(true), |to| ordered(of, own, to).map(std::cmp::Ordering::is_le))?;
        Ok::<_, crate::error::Error>(above && below)
    };
    Ok(match (of.thawed(), whole) {
        (CqlType::Map(both), CqlValue::Map(entries)) => {
            let mut found = Vec::new();
            for (key, value) in entries {
                if is_within(&both.0, key)? {
                    found.push((key.clone(), value.clone()));
                }
            }
            if found.is_empty() { CqlValue::Null } else { CqlValue::Map(found) }
        }
        (CqlType::Set(element), CqlValue::Set(parts)) => {
            let mut found = Vec::new();
            for own in parts {
                if is_within(element, own)? {
                    found.push(own.clone());
                }
            }
            if found.is_empty() { CqlValue::Null } else { CqlValue::Set(found) }
        }
        _ => CqlValue::Null,
    })
}
