//! Conditions of writes.

use crate::error::Result;
use crate::txn::View;
use crate::wide_column::order::compare;
use crate::wide_column::read::filter::{at_index, contains, element_of, field_of};
use crate::wide_column::read::plan::{self as read, Bytes, Comparison, Edge, Partitions, Slice, Source};
use crate::wide_column::read::{Flow, FoundRow, Reader};
use crate::wide_column::types::CqlType;
use crate::wide_column::write::plan::{Change, ColumnCondition, ColumnTest, Condition, Part, Plan};

/// A row as it was when a condition was looked at: a serialized value of each column, in their order.
pub(crate) type CurrentRow = Vec<Option<Vec<u8>>>;

/// Looks at the condition of a write. Returns whether it holds, and the row it was looked at, if there is one.
pub(super) fn check(view: &View, plan: &Plan, condition: &Condition) -> Result<(bool, Option<CurrentRow>)> {
    let mut found = None;
    let mut reader = Reader::new(view, read_of(plan))?;
    reader.run(view, &mut |row: &FoundRow<'_>| {
        let columns = 0..row.table().schema.columns().count();
        let values = columns.map(|at| Ok(row.value(at)?.map(std::borrow::Cow::into_owned)));
        found = Some((holds(plan, condition, Some(row))?, values.collect::<Result<_>>()?));
        Ok(Flow::Stop)
    })?;
    match found {
        Some((holds, row)) => Ok((holds, Some(row))),
        None => Ok((holds(plan, condition, None)?, None)),
    }
}

/// The query of the row that a write is to.
fn read_of(plan: &Plan) -> read::Plan {
    let (slices, is_row) = match &plan.change {
        Change::Row { clustering: Some(values), .. } | Change::DeleteRow(values) => {
            (vec![Slice { start: Edge::including(values.clone()), end: Edge::including(values.clone()) }], true)
        }
        Change::Row { clustering: None, .. } => (Vec::new(), false),
        Change::DeleteRange(slice) => (vec![slice.clone()], true),
        Change::DeletePartition => (vec![Slice::ALL], true),
    };
    read::Plan {
        source: Source::Table(plan.table.clone()),
        partitions: Partitions::Keys(vec![plan.partition.to_vec()]),
        slices,
        filters: Vec::new(),
        is_reversed: false,
        is_distinct: !is_row,
        with_static_rows: true,
        limit: Some(1),
        limit_per_partition: None,
        now: plan.now,
        resume: None,
        fetches_clustering: true,
    }
}

fn holds(plan: &Plan, condition: &Condition, row: Option<&FoundRow<'_>>) -> Result<bool> {
    let wants_row = !matches!(plan.change, Change::Row { clustering: None, .. });
    let exists = row.is_some_and(|row| row.is_row() || !wants_row);
    Ok(match condition {
        Condition::NotExists => !exists,
        Condition::Exists => exists,
        Condition::Columns(conditions) => {
            for condition in conditions {
                if !column_holds(plan, condition, row)? {
                    return Ok(false);
                }
            }
            true
        }
    })
}

fn column_holds(plan: &Plan, condition: &ColumnCondition, row: Option<&FoundRow<'_>>) -> Result<bool> {
    let cql_type = plan.table.record.column(condition.column)?.column_type();
    let whole = row.map(|row| row.value(condition.column)).transpose()?.flatten();
    let whole = whole.as_deref();
    let (value, of_type) = match (&condition.part, whole) {
        (Part::Whole, whole) => (whole, cql_type),
        (Part::Element(key), whole) => {
            let found = whole.map(|whole| element_of(cql_type, whole, key)).transpose()?.flatten();
            (found, if let CqlType::Map(both) = cql_type.thawed() { &both.1 } else { cql_type })
        }
        (Part::Index(index), whole) => {
            let found = whole.map(|whole| at_index(whole, *index)).transpose()?.flatten();
            (found, if let CqlType::List(element) = cql_type.thawed() { element } else { cql_type })
        }
        (Part::Field(field), whole) => {
            let found = whole.map(|whole| field_of(whole, *field)).transpose()?.flatten();
            let fields = if let CqlType::Udt(user_type) = cql_type.thawed() { user_type.fields() } else { &[] };
            (found, fields.get(*field).map_or(cql_type, |(_, field_type)| field_type))
        }
    };
    let equals = |other: &Option<Bytes>| match (value, other) {
        (None, None) => true,
        (Some(value), Some(other)) => compare(of_type, value, other).is_eq(),
        _ => false,
    };
    Ok(match &condition.test {
        ColumnTest::Compare(Comparison::Equal, other) => equals(other),
        ColumnTest::Compare(Comparison::NotEqual, other) => !equals(other),
        // Null is neither less nor more.
        ColumnTest::Compare(comparison, other) => match (value, other) {
            (Some(value), Some(other)) => comparison.is_met_by(compare(of_type, value, other)),
            _ => false,
        },
        ColumnTest::In(several) => several.iter().any(equals),
        ColumnTest::Contains(element) => {
            value.map(|value| contains(of_type, value, element)).transpose()?.unwrap_or(false)
        }
        ColumnTest::ContainsKey(key) => {
            value.map(|value| element_of(of_type, value, key)).transpose()?.flatten().is_some()
        }
    })
}
