//! From terms to values of the type that receives them.

use crate::error::Result;
use crate::wide_column::bind::Bound;
use crate::wide_column::cql::ast::Term;
pub(super) use crate::wide_column::cql::plan::constant::Receiver;
use crate::wide_column::cql::plan::constant::{constant, is_wider};
use crate::wide_column::cql::plan::context::{AsIs, Context, SerializedValue, invalid};
use crate::wide_column::cql::plan::expression::term_value;
use crate::wide_column::cql::plan::types::resolve;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;

/// The list that was given for the marker at `index`, of what may be in the place of `receiver`.
pub(super) fn given_list<'a>(
    context: &Context<'a>,
    index: u16,
    receiver: Receiver<'_>,
) -> Result<std::borrow::Cow<'a, CqlValue>> {
    context.given(index, &format!("in({})", receiver.name), || CqlType::list(receiver.cql_type.clone()))
}

/// The value of `term` for `receiver`.
///
/// # Errors
/// Cassandra's, for a term that is not of the receiver's type; [`Error::Unsupported`] for what is not modelled.
pub(super) fn value_of(context: &Context<'_>, term: &Term, receiver: Receiver<'_>) -> Result<CqlValue> {
    let Receiver { name, cql_type } = receiver;
    let misfit = |what: &str| invalid(format!("Invalid {what} literal for {name} of type {cql_type}"));
    Ok(match (term, cql_type.thawed()) {
        (Term::Null, _) => CqlValue::Null,
        (Term::Marker(marker), _) => context.given(marker.index, name, || cql_type.clone())?.into_owned(),
        (Term::Literal(literal), of) => constant(literal, name, of)?,
        (Term::List(terms), CqlType::List(element)) => {
            CqlValue::List(parts(context, terms, &format!("value({name})"), element)?)
        }
        (Term::List(terms), CqlType::Vector(element, dimension)) => {
            if terms.len() != usize::from(*dimension) {
                let count = terms.len();
                return Err(invalid(format!(
                    "Invalid vector literal for {name} of type {cql_type}; expected {dimension} elements, but given {count}"
                )));
            }
            CqlValue::Vector(parts(context, terms, &format!("value({name})"), element)?)
        }
        (Term::List(_), _) => return Err(misfit("list")),
        (Term::Set(terms), CqlType::Set(element)) => {
            CqlValue::Set(parts(context, terms, &format!("value({name})"), element)?)
        }
        (Term::Set(terms), CqlType::Map(_)) if terms.is_empty() => CqlValue::Map(Vec::new()),
        (Term::Set(_), _) => return Err(misfit("set")),
        (Term::Map(entries), CqlType::Map(both)) => {
            let (key_name, value_name) = (format!("key({name})"), format!("value({name})"));
            let entry = |(key, value): &(Term, Term)| {
                let key = part(context, key, Receiver::part(&key_name, &both.0))?;
                Ok((key, part(context, value, Receiver::part(&value_name, &both.1))?))
            };
            CqlValue::Map(entries.iter().map(entry).collect::<Result<_>>()?)
        }
        (Term::Map(_), _) => return Err(misfit("map")),
        (Term::UserType(fields), CqlType::Udt(user_type)) => {
            let field = |(field, term): &(crate::wide_column::cql::ast::Name, Term)| {
                let found = user_type.fields().iter().find(|(own, _)| own == field.as_str());
                let unknown = || {
                    let (field, of) = (field.as_str(), user_type.name());
                    invalid(format!("Unknown field '{field}' in value of user defined type {of}"))
                };
                let (own, field_type) = found.ok_or_else(unknown)?;
                let field_name = format!("{name}.{own}");
                Ok((own.clone(), value_of(context, term, Receiver::part(&field_name, field_type))?))
            };
            CqlValue::Udt(fields.iter().map(field).collect::<Result<_>>()?)
        }
        (Term::UserType(_), _) => return Err(misfit("user type")),
        (Term::Tuple(terms), CqlType::Tuple(types)) => {
            if terms.len() > types.len() {
                return Err(invalid(format!(
                    "Invalid tuple literal for {name}: too many elements. Type {cql_type} expects {} but got {}",
                    types.len(),
                    terms.len()
                )));
            }
            let field = |(number, (term, field)): (usize, (&Term, &CqlType))| {
                value_of(context, term, Receiver::part(&format!("{name}[{number}]"), field))
            };
            CqlValue::Tuple(terms.iter().zip(types.iter()).enumerate().map(field).collect::<Result<_>>()?)
        }
        // Of one term, they are only parentheses.
        (Term::Tuple(terms), _) => match &terms[..] {
            [term] => value_of(context, term, receiver)?,
            _ => return Err(invalid(format!("Invalid tuple type literal for {name} of type {cql_type}"))),
        },
        (Term::Call(_) | Term::Negation(_) | Term::Operation(..) | Term::Cast(..), _) => {
            term_value(context, term, receiver)?
        }
        (Term::Hint(hint, inner), of) => {
            let hinted = resolve(context, context_keyspace(of).unwrap_or_default(), hint)?;
            if hinted.thawed() != of && !is_wider(of, &hinted) {
                return Err(invalid(format!("Cannot assign value {term} to {name} of type {cql_type}")));
            }
            value_of(context, inner, Receiver::part(name, cql_type))?
        }
    })
}

/// The keyspace of a user-defined type.
fn context_keyspace(of: &CqlType) -> Option<&str> {
    match of {
        CqlType::Udt(user_type) => Some(user_type.keyspace()),
        _ => None,
    }
}

/// Terms that are elements of a collection.
fn parts(context: &Context<'_>, terms: &[Term], name: &str, element: &CqlType) -> Result<Vec<CqlValue>> {
    terms.iter().map(|term| part(context, term, Receiver::part(name, element))).collect()
}

fn part(context: &Context<'_>, term: &Term, receiver: Receiver<'_>) -> Result<CqlValue> {
    match value_of(context, term, receiver)? {
        CqlValue::Null => Err(invalid("null is not supported inside collections")),
        CqlValue::Unset => Err(invalid("unset value is not supported inside collections")),
        value => Ok(value),
    }
}

/// The serialized value of `term`, or that it is null or not set.
///
/// # Errors
/// As [`value_of`].
pub(super) fn bound(context: &Context<'_>, term: &Term, receiver: Receiver<'_>) -> Result<Bound> {
    match term {
        Term::Marker(marker) => given(context, marker.index, receiver),
        term => serialized(&value_of(context, term, receiver)?, receiver),
    }
}

/// The serialized form of what was given for a marker: bytes are only checked.
fn given(context: &Context<'_>, index: u16, receiver: Receiver<'_>) -> Result<Bound> {
    let Receiver { name, cql_type } = receiver;
    match context.given_as_is(index)? {
        AsIs::Value(value) => serialized(value, receiver),
        AsIs::Serialized(SerializedValue::Null) => Ok(Bound::Null),
        AsIs::Serialized(SerializedValue::Unset) => Ok(Bound::Unset),
        AsIs::Serialized(SerializedValue::Bytes(bytes)) => {
            Bound::of_serialized(bytes, cql_type).map_err(|fault| fault.of("the value", cql_type))
        }
        AsIs::Asked => {
            let value = context.given(index, name, || cql_type.clone())?;
            serialized(&value, receiver)
        }
    }
}

/// The serialized form of a value.
pub(super) fn serialized(value: &CqlValue, receiver: Receiver<'_>) -> Result<Bound> {
    let of = receiver.cql_type;
    Bound::of(value, of).map_err(|fault| fault.of(&format!("column {:?}", receiver.name), of))
}

/// The serialized value of a term that a column is compared with.
///
/// # Errors
/// As [`value_of`], and Cassandra's for null and what is not set.
pub(super) fn compared(context: &Context<'_>, term: &Term, receiver: Receiver<'_>) -> Result<Bytes> {
    present(bound(context, term, receiver)?, receiver.name)
}

/// The value, which has to be there.
pub(super) fn present(value: Bound, name: &str) -> Result<Bytes> {
    match value {
        Bound::Value(bytes) => Ok(bytes),
        Bound::Null => Err(invalid(format!("Invalid null value in condition for column {name}"))),
        Bound::Unset => Err(invalid(format!("Invalid unset value for column {name}"))),
    }
}

/// What was given for an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Unset,
    Null,
    Is(i64),
}

/// The integer of `LIMIT`, `TIMESTAMP` or `TTL`.
pub(super) fn integer(context: &Context<'_>, term: &Term, name: &str, cql_type: &CqlType) -> Result<Number> {
    Ok(match value_of(context, term, Receiver::new(name, cql_type))? {
        CqlValue::Unset => Number::Unset,
        CqlValue::Null => Number::Null,
        CqlValue::Int(number) => Number::Is(i64::from(number)),
        CqlValue::Bigint(number) => Number::Is(number),
        other => return Err(invalid(format!("Invalid {name} value: a {}", other.kind()))),
    })
}
