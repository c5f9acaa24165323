//! What a conditional write returns.

use std::sync::Arc;

use crate::error::Result;
use crate::wide_column::cql::ast::{Modification, Name};
use crate::wide_column::cql::plan::answer::Answer;
use crate::wide_column::cql::plan::selector::all_columns;
use crate::wide_column::schema::{Column, TableRecord};
use crate::wide_column::serialize::deserialize;
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::Outcome;
use crate::wide_column::write::plan::{Condition, Plan};

/// The answer to writes of which some have conditions; without any, an empty one.
///
/// When they were not applied, it has the rows that the conditions were looked at: all columns of them for `IF EXISTS` and
/// `IF NOT EXISTS`, the columns that are asked about otherwise, with the primary key when it is a batch.
pub(in crate::wide_column::cql) fn applied(plans: &[Plan], outcome: Outcome, is_batch: bool) -> Result<Answer> {
    if plans.iter().all(|plan| plan.condition.is_none()) {
        return Ok(Answer::default());
    }
    let guarded: Vec<_> = plans.iter().filter_map(|plan| Some((plan, plan.condition.as_ref()?))).collect();
    let Some((first, _)) = guarded.first() else { return Ok(Answer::default()) };
    let mut columns = vec![("[applied]".to_owned(), CqlType::Boolean)];
    let Outcome::NotApplied(found) = outcome else {
        return Ok(Answer { columns: columns.into(), rows: vec![vec![CqlValue::Boolean(true)]], ..Answer::default() });
    };
    let table = &first.table.record;
    if found.iter().all(Option::is_none) {
        return Ok(Answer { columns: columns.into(), rows: vec![vec![CqlValue::Boolean(false)]], ..Answer::default() });
    }
    let places = shown(table, &guarded, is_batch);
    for at in &places {
        let own = table.column(*at)?;
        columns.push((own.name().to_owned(), own.column_type().clone()));
    }
    let mut rows = Vec::with_capacity(found.len());
    for row in found.into_iter().flatten() {
        let mut values = vec![CqlValue::Boolean(false)];
        for at in &places {
            let bytes = row.get(*at).and_then(Option::as_ref);
            let value = bytes.map(|bytes| deserialize(table.column(*at)?.column_type(), bytes)).transpose()?;
            values.push(value.unwrap_or(CqlValue::Null));
        }
        rows.push(values);
    }
    Ok(Answer { columns: columns.into(), rows, ..Answer::default() })
}

/// The table that [`applied`] tells of, behind its keyspace: that of the first write with a condition.
pub(in crate::wide_column::cql) fn applied_to<'m>(
    keyspace: Option<&str>,
    modifications: impl IntoIterator<Item = &'m Modification>,
) -> Option<Arc<(String, String)>> {
    let name = modifications.into_iter().find(|own| own.is_conditional())?.table();
    let keyspace = name.keyspace.as_ref().map(Name::as_str).or(keyspace)?;
    Some(Arc::new((keyspace.to_owned(), name.name.as_str().to_owned())))
}

/// Which columns are shown, in the order of `SELECT *`.
fn shown(table: &TableRecord, guarded: &[(&Plan, &Condition)], with_key: bool) -> Vec<usize> {
    let is_asked = |at: usize| {
        guarded.iter().any(|(_, condition)| match condition {
            Condition::NotExists | Condition::Exists => true,
            Condition::Columns(conditions) => conditions.iter().any(|condition| condition.column == at),
        })
    };
    let is_key = |at: usize| table.column(at).is_ok_and(Column::is_key);
    all_columns(table).into_iter().filter(|at| is_asked(*at) || (with_key && is_key(*at))).collect()
}
