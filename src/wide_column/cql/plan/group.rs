//! `GROUP BY`.

use crate::error::Result;
use crate::wide_column::cql::ast::{Comparison, Relation, Select, Selector};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::expression::{Compiler, Expression, Node};
use crate::wide_column::schema::TableRecord;

/// Whether the column at this position is restricted to one value.
pub(super) fn is_fixed(table: &TableRecord, select: &Select, at: usize) -> bool {
    let name = table.column(at).map(crate::wide_column::schema::Column::name).unwrap_or_default();
    select.relations.iter().any(|relation| match relation {
        Relation::Column { column, comparison: Comparison::Equal, .. } => column.as_str() == name,
        _ => false,
    })
}

/// What rows are grouped by: the first columns of the primary key, of which those may be left out that are restricted to one value;
/// of the last one it may be a function.
///
/// # Errors
/// Cassandra's for other columns.
pub(super) fn grouped(
    context: &Context<'_>,
    table: &TableRecord,
    (keyspace, label): (&str, &str),
    select: &Select,
) -> Result<Vec<Expression>> {
    if select.group_by.is_empty() {
        return Ok(Vec::new());
    }
    let shape = table.shape();
    let key: Vec<usize> = shape.partition.iter().copied().chain(shape.clustering.iter().map(|(at, _)| *at)).collect();
    let is_fixed = |at: usize| is_fixed(table, select, at);
    let mut left = key.iter().copied();
    let mut grouped = Vec::with_capacity(select.group_by.len());
    let mut columns = Vec::with_capacity(select.group_by.len());
    for (nth, selector) in select.group_by.iter().enumerate() {
        let mut compiler = Compiler::new(context, keyspace, Some((table, label)));
        let found = compiler.compile(selector, None)?;
        if !compiler.aggregates.is_empty() || !matches!(selector, Selector::Column(_) | Selector::Call(_)) {
            return Err(invalid("Group by currently only support columns and functions of the last of them"));
        }
        let own = found.columns();
        let [at] = own[..] else {
            return Err(invalid("GROUP BY functions must have one clustering column name as parameter"));
        };
        let column = table.column(at)?;
        if !column.is_key() {
            let name = column.name();
            return Err(invalid(format!(
                "Group by is currently only supported on the columns of the PRIMARY KEY, got {name}"
            )));
        }
        if !matches!(found.node, Node::Column(_)) {
            if nth + 1 < select.group_by.len() {
                return Err(invalid("Functions are only supported on the last element of the GROUP BY clause"));
            }
            if shape.partition.contains(&at) {
                return Err(invalid("Functions are not supported on partition key columns in the GROUP BY clause"));
            }
        }
        loop {
            match left.next() {
                Some(next) if next == at => break,
                Some(next) if is_fixed(next) => {}
                _ => {
                    return Err(invalid(
                        "Group by currently only support groups of columns following their declared order in the PRIMARY KEY",
                    ));
                }
            }
        }
        columns.push(at);
        grouped.push(found);
    }
    if shape.partition.iter().any(|at| !columns.contains(at) && !is_fixed(*at)) {
        return Err(invalid("Group by is not supported on only a part of the partition key"));
    }
    if select.distinct && columns.iter().any(|at| !shape.partition.contains(at)) {
        return Err(invalid("Grouping on clustering columns is not allowed for SELECT DISTINCT queries"));
    }
    Ok(grouped)
}
