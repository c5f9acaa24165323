//! Conditions on values.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::wide_column::order::compare;
use crate::wide_column::parts::{Fields, elements, entries};
use crate::wide_column::read::found::FoundRow;
use crate::wide_column::read::plan::{Bytes, Filter, Test};
use crate::wide_column::schema::IndexTarget;
use crate::wide_column::types::CqlType;

/// Whether a row meets a condition. Null meets none.
pub(crate) fn passes(filter: &Filter, row: &FoundRow<'_>) -> Result<bool> {
    match filter {
        Filter::Column(at, test) => {
            let Some(value) = row.value(*at)? else { return Ok(false) };
            meets(row.table().column(*at)?.column_type(), &value, test)
        }
        Filter::Columns(columns, comparison, values) => {
            Ok(compare_columns(row, columns, values)?.is_some_and(|order| comparison.is_met_by(order)))
        }
        Filter::ColumnsIn(columns, several) => {
            for values in several {
                if compare_columns(row, columns, values)?.is_some_and(Ordering::is_eq) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// How the values of several columns compare with others, from left to right; `None` when one is null.
fn compare_columns(row: &FoundRow<'_>, columns: &[usize], values: &[Bytes]) -> Result<Option<Ordering>> {
    for (at, other) in columns.iter().zip(values) {
        let Some(value) = row.value(*at)? else { return Ok(None) };
        let order = compare(row.table().column(*at)?.column_type(), &value, other);
        if order.is_ne() {
            return Ok(Some(order));
        }
    }
    Ok(Some(Ordering::Equal))
}

/// Whether a value of `cql_type` meets a test.
pub(crate) fn meets(cql_type: &CqlType, value: &[u8], test: &Test) -> Result<bool> {
    Ok(match test {
        Test::Compare(comparison, other) => comparison.is_met_by(compare(cql_type, value, other)),
        Test::In(several) => several.iter().any(|other| compare(cql_type, value, other).is_eq()),
        Test::Contains(element) => contains(cql_type, value, element)?,
        Test::ContainsKey(key) => element_of(cql_type, value, key)?.is_some(),
        Test::Entry(key, comparison, other) => match (element_of(cql_type, value, key)?, cql_type.thawed()) {
            (Some(found), CqlType::Map(both)) => comparison.is_met_by(compare(&both.1, found, other)),
            _ => false,
        },
        Test::Field(field, comparison, other) => match (field_of(value, *field)?, cql_type.thawed()) {
            (Some(found), CqlType::Udt(user_type)) => {
                let field_type = user_type.fields().get(*field).map(|(_, field_type)| field_type);
                field_type.is_some_and(|field_type| comparison.is_met_by(compare(field_type, found, other)))
            }
            _ => false,
        },
        Test::IsNotNull => true,
        Test::Analyzed(analysis, target, term) => {
            let is_it = |text: &[u8]| *analysis.term(text) == **term;
            match (target, cql_type.thawed()) {
                (IndexTarget::Keys, CqlType::Map(_)) => any(entries(value)?.map(|entry| Ok(is_it(entry?.0))))?,
                (IndexTarget::Elements, CqlType::Map(_)) => any(entries(value)?.map(|entry| Ok(is_it(entry?.1))))?,
                (IndexTarget::Elements, _) => any(elements(value)?.map(|element| Ok(is_it(element?))))?,
                _ => is_it(value),
            }
        }
    })
}

fn any(mut each: impl Iterator<Item = Result<bool>>) -> Result<bool> {
    // What cannot be read is found, too, so that it is reported.
    each.find(|found| !matches!(found, Ok(false))).unwrap_or(Ok(false))
}

/// Whether a list or set has an element, or a map a value.
pub(crate) fn contains(cql_type: &CqlType, value: &[u8], element: &[u8]) -> Result<bool> {
    match cql_type.thawed() {
        CqlType::List(own) | CqlType::Set(own) => {
            for part in elements(value)? {
                if compare(own, part?, element).is_eq() {
                    return Ok(true);
                }
            }
        }
        CqlType::Map(both) => {
            for entry in entries(value)? {
                if compare(&both.1, entry?.1, element).is_eq() {
                    return Ok(true);
                }
            }
        }
        other => return Err(Error::value(format!("{other} contains nothing"))),
    }
    Ok(false)
}

/// The value of a map at a key; of a set, the element itself.
pub(crate) fn element_of<'a>(cql_type: &CqlType, value: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>> {
    match cql_type.thawed() {
        CqlType::Map(both) => {
            for entry in entries(value)? {
                let (own, found) = entry?;
                if compare(&both.0, own, key).is_eq() {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        }
        CqlType::Set(own) => {
            for part in elements(value)? {
                let part = part?;
                if compare(own, part, key).is_eq() {
                    return Ok(Some(part));
                }
            }
            Ok(None)
        }
        other => Err(Error::value(format!("{other} has no keys"))),
    }
}

/// The element of a list at a position.
pub(crate) fn at_index(value: &[u8], index: i32) -> Result<Option<&[u8]>> {
    let Ok(index) = usize::try_from(index) else { return Ok(None) };
    elements(value)?.nth(index).transpose()
}

/// The value of a field of a user's type, or tuple.
pub(crate) fn field_of(value: &[u8], field: usize) -> Result<Option<&[u8]>> {
    let mut fields = Fields::new(value);
    for _ in 0..field {
        fields.next_field()?;
    }
    fields.next_field()
}
