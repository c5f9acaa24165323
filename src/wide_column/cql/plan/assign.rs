//! What `SET`, `DELETE` and `IF` say of columns.

use crate::error::Result;
use crate::wide_column::bind::Bound;
use crate::wide_column::cql::ast::{
    Assignment, Condition as Written, ConditionTarget, ConditionTest, Deletion, InValues, Name, Term,
};
use crate::wide_column::cql::plan::context::{Context, column, invalid};
use crate::wide_column::cql::plan::value::{Receiver, bound, given_list, serialized, value_of};
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::schema::{Column, TableRecord};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::plan::{CellChange, CellOperation, ColumnCondition, ColumnTest, Part};

/// What `column = value` writes; `None` when it is not set.
pub(super) fn set(own: &Column, value: Bound) -> Result<Option<CellOperation>> {
    if *own.column_type() == CqlType::Counter {
        let name = own.name();
        return Err(invalid(format!(
            "Cannot set the value of counter column {name} (counters can only be incremented/decremented, not set)"
        )));
    }
    Ok(match value {
        Bound::Unset => None,
        Bound::Null => Some(CellOperation::Set(None)),
        Bound::Value(value) => Some(CellOperation::Set(Some(value))),
    })
}

/// What an assignment of `UPDATE` does to its column; `None` when its value is not set.
pub(super) fn assigned(
    context: &Context<'_>,
    table: &TableRecord,
    label: &str,
    assignment: &Assignment,
) -> Result<Option<CellChange>> {
    let (at, own) = column(table, label, assignment.column())?;
    let (name, cql_type) = (own.name(), own.column_type());
    if own.is_key() {
        return Err(invalid(format!("PRIMARY KEY part {name} found in SET part")));
    }
    let receiver = Receiver::new(name, cql_type);
    let is_counter = *cql_type == CqlType::Counter;
    let misfit = || {
        if cql_type.is_collection() && !cql_type.is_multi_cell() {
            return invalid(format!("Invalid operation ({assignment}) for frozen collection column {name}"));
        }
        invalid(format!("Invalid operation ({assignment}) for non counter column {name}"))
    };
    let amount = |term: &Term| match value_of(context, term, receiver)? {
        CqlValue::Counter(amount) | CqlValue::Bigint(amount) => Ok(Some(amount)),
        CqlValue::Unset => Ok(None),
        _ => Err(invalid("Invalid null value for counter increment")),
    };
    let operation = match assignment {
        Assignment::Set(_, term) => set(own, bound(context, term, receiver)?)?,
        Assignment::Add(_, term) if is_counter => amount(term)?.map(CellOperation::Add),
        Assignment::Subtract(_, term) if is_counter => {
            let negated = |amount: i64| {
                amount.checked_neg().ok_or_else(|| {
                    invalid(format!(
                        "The negation of {amount} overflows supported counter precision (signed 8 bytes integer)"
                    ))
                })
            };
            amount(term)?.map(negated).transpose()?.map(CellOperation::Add)
        }
        Assignment::Prepend(_, term) if matches!(cql_type, CqlType::List(_)) => {
            value_or_none(bound(context, term, receiver)?).map(CellOperation::Prepend)
        }
        Assignment::Prepend(..) => {
            return Err(invalid(format!("Invalid operation ({assignment}) for non list column {name}")));
        }
        Assignment::Add(_, term) if is_grown(cql_type) => {
            value_or_none(bound(context, term, receiver)?).map(CellOperation::Append)
        }
        Assignment::Subtract(_, term) if is_grown(cql_type) => {
            let of = match cql_type {
                CqlType::Map(both) => CqlType::set(both.0.clone()),
                other => other.clone(),
            };
            value_or_none(bound(context, term, Receiver::new(name, &of))?).map(CellOperation::Remove)
        }
        Assignment::Add(..) | Assignment::Subtract(..) => return Err(misfit()),
        Assignment::SetElement(_, key, term) => element(context, own, key, Some(term), &assignment.to_string())?,
        Assignment::SetField(_, field, term) => {
            let (nth, field_type) = field_of(own, field, &assignment.to_string())?;
            match bound(context, term, Receiver::new(name, &field_type))? {
                Bound::Unset => None,
                Bound::Null => Some(CellOperation::SetField(nth, None)),
                Bound::Value(value) => Some(CellOperation::SetField(nth, Some(value))),
            }
        }
    };
    Ok(operation.map(|operation| CellChange { column: at, operation }))
}

/// Whether elements may be added to it and taken from it.
fn is_grown(cql_type: &CqlType) -> bool {
    matches!(cql_type, CqlType::List(_) | CqlType::Set(_) | CqlType::Map(_))
}

/// Adding null, or what is not set, adds nothing.
fn value_or_none(value: Bound) -> Option<Bytes> {
    match value {
        Bound::Value(value) => Some(value),
        Bound::Null | Bound::Unset => None,
    }
}

/// An element that is set, or without a term deleted; `None` when it is not set.
fn element(
    context: &Context<'_>,
    own: &Column,
    key: &Term,
    term: Option<&Term>,
    shown: &str,
) -> Result<Option<CellOperation>> {
    let (name, cql_type) = (own.name(), own.column_type());
    let key_of = |of: &CqlType| match bound(context, key, Receiver::new(name, of))? {
        Bound::Value(key) => Ok(key),
        Bound::Null => Err(invalid(if matches!(cql_type, CqlType::Map(_)) {
            "Invalid null map key"
        } else {
            "Invalid null value for list index"
        })),
        Bound::Unset => Err(invalid(if matches!(cql_type, CqlType::Map(_)) {
            "Invalid unset map key"
        } else {
            "Invalid unset value for list index"
        })),
    };
    let value_of = |of: &CqlType| match term {
        None => Ok(Some(None)),
        Some(term) => Ok(match bound(context, term, Receiver::new(name, of))? {
            Bound::Unset => None,
            Bound::Null => Some(None),
            Bound::Value(value) => Some(Some(value)),
        }),
    };
    Ok(match cql_type {
        CqlType::List(part) => {
            let index = index(&key_of(&CqlType::Int)?);
            value_of(part)?.map(|value| CellOperation::SetIndex(index, value))
        }
        CqlType::Map(both) => {
            let key = key_of(&both.0)?;
            value_of(&both.1)?.map(|value| CellOperation::SetElement(key, value))
        }
        CqlType::Set(part) if term.is_none() => {
            let value = self::value_of(context, key, Receiver::new(name, part))?;
            value_or_none(serialized(&CqlValue::Set(vec![value]), Receiver::new(name, cql_type))?)
                .map(CellOperation::Remove)
        }
        CqlType::Set(_) => return Err(invalid(format!("Invalid operation ({shown}) for set column {name}"))),
        other if other.is_collection() => {
            return Err(invalid(format!("Invalid operation ({shown}) for frozen collection column {name}")));
        }
        _ => return Err(invalid(format!("Invalid operation ({shown}) for non collection column {name}"))),
    })
}

fn index(bytes: &Bytes) -> i32 {
    bytes[..].try_into().map_or(-1, i32::from_be_bytes)
}

/// The place and type of a field of a column.
fn field_of(own: &Column, field: &Name, shown: &str) -> Result<(usize, CqlType)> {
    let name = own.name();
    let CqlType::Udt(user_type) = own.column_type() else {
        let what = if matches!(own.column_type().thawed(), CqlType::Udt(_)) { "frozen UDT" } else { "non-UDT" };
        return Err(invalid(format!("Invalid operation ({shown}) for {what} column {name}")));
    };
    let found = user_type.fields().iter().enumerate().find(|(_, (own, _))| own == field.as_str());
    let (nth, (_, field_type)) =
        found.ok_or_else(|| invalid(format!("UDT column {name} does not have a field named {}", field.as_str())))?;
    Ok((nth, field_type.clone()))
}

/// What a deletion of `DELETE` does to its column.
pub(super) fn deleted(
    context: &Context<'_>,
    table: &TableRecord,
    label: &str,
    deletion: &Deletion,
) -> Result<Option<CellChange>> {
    let name = match deletion {
        Deletion::Column(name) | Deletion::Element(name, _) | Deletion::Field(name, _) => name,
    };
    let (at, own) = column(table, label, name)?;
    if own.is_key() {
        let name = own.name();
        return Err(invalid(format!("Invalid identifier {name} for deletion (should not be a PRIMARY KEY part)")));
    }
    let operation = match deletion {
        Deletion::Column(_) => Some(CellOperation::Set(None)),
        Deletion::Element(_, key) => element(context, own, key, None, &deletion.to_string())?,
        Deletion::Field(_, field) => {
            Some(CellOperation::SetField(field_of(own, field, &deletion.to_string())?.0, None))
        }
    };
    Ok(operation.map(|operation| CellChange { column: at, operation }))
}

/// A condition of `IF`.
pub(super) fn condition(
    context: &Context<'_>,
    table: &TableRecord,
    label: &str,
    written: &Written,
) -> Result<ColumnCondition> {
    let (at, own) = column(table, label, &written.column)?;
    let name = own.name();
    if own.is_key() {
        return Err(invalid(format!("PRIMARY KEY column '{name}' cannot have IF conditions")));
    }
    let (part, of) = match (&written.target, own.column_type().thawed()) {
        (ConditionTarget::Column, _) => (Part::Whole, own.column_type().clone()),
        (ConditionTarget::Element(key), CqlType::List(element)) => {
            match bound(context, key, Receiver::new(name, &CqlType::Int))? {
                Bound::Value(key) => (Part::Index(index(&key)), element.as_ref().clone()),
                _ => return Err(invalid("Invalid null value for list element access")),
            }
        }
        (ConditionTarget::Element(key), CqlType::Map(both)) => match bound(context, key, Receiver::new(name, &both.0))?
        {
            Bound::Value(key) => (Part::Element(key), both.1.clone()),
            _ => return Err(invalid("Invalid null value for map element access")),
        },
        (ConditionTarget::Element(_), CqlType::Set(_)) => {
            return Err(invalid(format!("Invalid element access syntax for set column {name}")));
        }
        (ConditionTarget::Element(_), _) => {
            return Err(invalid(format!("Invalid element access syntax for non-collection column {name}")));
        }
        (ConditionTarget::Field(field), CqlType::Udt(user_type)) => {
            let found = user_type.fields().iter().enumerate().find(|(_, (own, _))| own == field.as_str());
            let missing = || invalid(format!("Unknown field {} for column {name}", field.as_str()));
            let (nth, (_, field_type)) = found.ok_or_else(missing)?;
            (Part::Field(nth), field_type.clone())
        }
        (ConditionTarget::Field(_), _) => {
            return Err(invalid(format!("Cannot use field access on non-UDT column {name}")));
        }
    };
    let nullable = |value: Bound| match value {
        Bound::Value(value) => Ok(Some(value)),
        Bound::Null => Ok(None),
        Bound::Unset => Err(invalid("Invalid 'unset' value in condition")),
    };
    let receiver = Receiver::new(name, &of);
    let test = match &written.test {
        ConditionTest::Compare(how, term) => ColumnTest::Compare(*how, nullable(bound(context, term, receiver)?)?),
        ConditionTest::In(InValues::List(terms)) => {
            ColumnTest::In(terms.iter().map(|term| nullable(bound(context, term, receiver)?)).collect::<Result<_>>()?)
        }
        ConditionTest::In(InValues::Marker(marker)) => match &*given_list(context, marker.index, receiver)? {
            CqlValue::List(values) => ColumnTest::In(
                values.iter().map(|value| nullable(serialized(value, receiver)?)).collect::<Result<_>>()?,
            ),
            _ => return Err(invalid("Invalid null list in IN condition")),
        },
        ConditionTest::Contains { key, value } => {
            let part = match (of.thawed(), key) {
                (CqlType::List(element) | CqlType::Set(element), false) => element.as_ref().clone(),
                (CqlType::Map(both), false) => both.1.clone(),
                (CqlType::Map(both), true) => both.0.clone(),
                (_, true) => return Err(invalid(format!("Cannot use CONTAINS KEY on non-map column {name}"))),
                (_, false) => return Err(invalid(format!("Cannot use CONTAINS on non-collection column {name}"))),
            };
            let value = nullable(bound(context, value, Receiver::new(name, &part))?)?;
            let value = value.ok_or_else(|| invalid("Invalid comparison with null for operator \"CONTAINS\""))?;
            if *key { ColumnTest::ContainsKey(value) } else { ColumnTest::Contains(value) }
        }
    };
    Ok(ColumnCondition { column: at, part, test })
}
