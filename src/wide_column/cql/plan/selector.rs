//! The columns of a result.

use crate::error::Result;
use crate::wide_column::cql::ast::{Selected, Selection};
use crate::wide_column::cql::plan::context::Context;
use crate::wide_column::cql::plan::expression::{Aggregated, Compiler, Expression, Node};
use crate::wide_column::schema::{ColumnKind, TableRecord};
use crate::wide_column::types::CqlType;

/// What a query returns: its columns, and the aggregates that are in them.
#[derive(Clone, Debug)]
pub(super) struct Outputs {
    pub(super) columns: Vec<Expression>,
    pub(super) aggregates: Vec<Aggregated>,
}

impl Outputs {
    /// The names and types of the columns.
    pub(super) fn names(&self) -> Vec<(String, CqlType)> {
        self.columns.iter().map(|column| (column.name.clone(), column.cql_type.clone())).collect()
    }
}

/// Every column of a table in the order of `SELECT *`: the key, static columns, the others, the last two by name.
pub(super) fn all_columns(table: &TableRecord) -> Vec<usize> {
    let mut columns: Vec<_> = table.schema.columns().enumerate().collect();
    columns.sort_by_key(|(at, column)| match column.kind() {
        ColumnKind::PartitionKey => (0, "", *at),
        ColumnKind::Clustering(_) => (1, "", *at),
        ColumnKind::Static => (2, column.name(), *at),
        ColumnKind::Regular => (3, column.name(), *at),
    });
    columns.into_iter().map(|(at, _)| at).collect()
}

/// What `selection` asks for of `table`, which is in `keyspace`.
///
/// # Errors
/// Cassandra's for what is not there; [`Error::Unsupported`](crate::Error::Unsupported) for what is not modelled.
pub(super) fn outputs(
    context: &Context<'_>,
    table: &TableRecord,
    (keyspace, label): (&str, &str),
    selection: &Selection,
) -> Result<Outputs> {
    let Selection::Some(selected) = selection else {
        let plain = |at| {
            let own = table.column(at)?;
            Ok(Expression { name: own.name().to_owned(), cql_type: own.column_type().clone(), node: Node::Column(at) })
        };
        let columns = all_columns(table).into_iter().map(plain).collect::<Result<_>>()?;
        return Ok(Outputs { columns, aggregates: Vec::new() });
    };
    let mut compiler = Compiler::new(context, keyspace, Some((table, label)));
    let mut columns = Vec::with_capacity(selected.len());
    for Selected { selector, alias } in selected {
        let mut column = compiler.compile(selector, None)?;
        if let Some(alias) = alias {
            alias.as_str().clone_into(&mut column.name);
        }
        columns.push(column);
    }
    Ok(Outputs { columns, aggregates: compiler.aggregates })
}
