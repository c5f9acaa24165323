//! What types, names and times to live can be.

use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::wide_column::types::CqlType;

/// Refuses what no column can be: nested too deeply, or with parts that cannot be parts.
pub(in crate::wide_column) fn check_type(cql_type: &CqlType) -> Result<()> {
    check_below(cql_type, limits::WIDE_TYPE_DEPTH_MAX, false)
}

fn below(levels: usize) -> Result<usize> {
    let max = limits::WIDE_TYPE_DEPTH_MAX as u64;
    levels.checked_sub(1).ok_or(Error::LimitExceeded { limit: "levels of a type", max, found: max + 1 })
}

fn check_below(cql_type: &CqlType, levels: usize, is_inner: bool) -> Result<()> {
    let inner = below(levels)?;
    if is_inner && *cql_type == CqlType::Counter {
        return Err(counter());
    }
    let part = |part: &CqlType| {
        if part.is_multi_cell() {
            let message = format!("Non-frozen collections are not allowed inside collections: {part}");
            return Err(Error::invalid(InvalidKind::Type, message));
        }
        check_below(part, inner, true)
    };
    match cql_type {
        // What is frozen may have anything in it: it is one value.
        CqlType::Frozen(whole) => return check_frozen(whole, inner),
        CqlType::Tuple(_) | CqlType::Vector(..) => return check_frozen(cql_type, levels),
        CqlType::List(element) | CqlType::Set(element) => part(element)?,
        CqlType::Map(both) => part(&both.0).and_then(|()| part(&both.1))?,
        CqlType::Udt(user_type) => user_type.fields().iter().try_for_each(|(_, field)| part(field))?,
        _ => {}
    }
    check_order(cql_type)
}

fn check_frozen(cql_type: &CqlType, levels: usize) -> Result<()> {
    let inner = below(levels)?;
    match cql_type {
        CqlType::Counter => return Err(counter()),
        CqlType::Vector(_, dimension) if !(1..=limits::WIDE_VECTOR_DIMENSION_MAX).contains(dimension) => {
            let max = limits::WIDE_VECTOR_DIMENSION_MAX;
            return Err(Error::value(format!("vectors may only have 1 to {max} dimensions, found {dimension}")));
        }
        CqlType::List(part) | CqlType::Set(part) | CqlType::Frozen(part) | CqlType::Vector(part, _) => {
            check_frozen(part, inner)?;
        }
        CqlType::Map(both) => check_frozen(&both.0, inner).and_then(|()| check_frozen(&both.1, inner))?,
        CqlType::Tuple(fields) => fields.iter().try_for_each(|field| check_frozen(field, inner))?,
        CqlType::Udt(user_type) => user_type.fields().iter().try_for_each(|(_, field)| check_frozen(field, inner))?,
        _ => {}
    }
    check_order(cql_type)
}

/// Refuses elements of sets and keys of maps that have no order.
fn check_order(cql_type: &CqlType) -> Result<()> {
    match cql_type {
        CqlType::Set(part) if **part == CqlType::Duration => {
            Err(Error::value("Durations are not allowed inside sets: set<duration>"))
        }
        CqlType::Map(both) if both.0 == CqlType::Duration => {
            Err(Error::value(format!("Durations are not allowed as map keys: {cql_type}")))
        }
        _ => Ok(()),
    }
}

fn counter() -> Error {
    Error::value("Counters are not allowed inside collections")
}

/// Refuses a time to live over the limit.
pub(in crate::wide_column) fn check_ttl(seconds: u32) -> Result<()> {
    let (max, found) = (limits::WIDE_TTL_SECONDS_MAX, seconds);
    if found > max {
        return Err(Error::LimitExceeded { limit: "time to live in seconds", max: max.into(), found: found.into() });
    }
    Ok(())
}

/// Refuses a name of a keyspace or table that is not 1 to 48 ASCII letters, digits and underscores.
pub(in crate::wide_column) fn check_identifier(what: &str, name: &str) -> Result<()> {
    check_name(what, name)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("{what} name {name:?} has characters other than letters, digits and underscores");
        return Err(Error::invalid(InvalidKind::Value, message));
    }
    Ok(())
}

pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, format!("a {what} needs a name")));
    }
    limits::check("characters of a keyspace, table or column name", limits::WIDE_NAME_CHARS_MAX, name.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_types_are_refused() {
        let deep = |levels| (0..levels).fold(CqlType::Int, |inner, _| CqlType::frozen(CqlType::list(inner)));
        assert!(check_type(&deep(3)).is_ok());
        assert!(matches!(check_type(&deep(limits::WIDE_TYPE_DEPTH_MAX)), Err(Error::LimitExceeded { .. })));
    }

    // SEM: WID-TYP-1
    #[test]
    fn parts_have_to_be_frozen_and_some_types_cannot_be_parts() {
        let list = CqlType::list(CqlType::Int);
        assert!(check_type(&CqlType::set(list.clone())).is_err());
        assert!(check_type(&CqlType::set(CqlType::frozen(list.clone()))).is_ok());
        assert!(check_type(&CqlType::frozen(CqlType::set(list.clone()))).is_ok());
        assert!(check_type(&CqlType::list(CqlType::Counter)).is_err());
        assert!(check_type(&CqlType::set(CqlType::Duration)).is_err());
        assert!(check_type(&CqlType::map(CqlType::Duration, CqlType::Int)).is_err());
        assert!(check_type(&CqlType::map(CqlType::Int, CqlType::Duration)).is_ok());
        assert!(check_type(&CqlType::vector(CqlType::Float, 0)).is_err());
        assert!(check_type(&CqlType::tuple([list])).is_ok(), "a tuple is frozen, with all that is in it");
    }
}
