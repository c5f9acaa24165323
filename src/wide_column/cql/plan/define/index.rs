//! Secondary indexes.

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cql::ast::{CreateIndex, TargetKind};
use crate::wide_column::cql::plan::context::{Context, invalid};
use crate::wide_column::cql::plan::define::common::{check_name, found};
use crate::wide_column::schema::{self, Column, ColumnKind, IndexTarget, TableRecord};
use crate::wide_column::target::Target;
use crate::wide_column::types::CqlType;

/// `CREATE INDEX`
pub(super) fn create_index(writer: &mut Writer, session: Option<&str>, create: &CreateIndex) -> Result<()> {
    if create.is_custom || create.class.is_some() {
        let class = create.class.as_deref().unwrap_or_default();
        return Err(Error::unsupported(format!("custom indexes: {class}")));
    }
    if !create.properties.is_empty() {
        return Err(invalid("Cannot specify options for a non-CUSTOM index"));
    }
    let context = Context::new(writer, session, &[]);
    let keyspace = context.keyspace(&create.table)?.to_owned();
    let table_name = create.table.name.as_str();
    let Some(table) = found(&context, &create.table, false)? else { return Ok(()) };
    if table.record.shape().is_counter {
        return Err(invalid("Secondary indexes on counter tables aren't supported"));
    }
    let [only] = &create.targets[..] else {
        return Err(invalid("Only CUSTOM indexes support multiple columns"));
    };
    let column = only.column.as_str();
    let Some(own) = table.record.schema.column_named(column) else {
        return Err(invalid(format!("Column '{column}' doesn't exist")));
    };
    check_indexable(&table.record, own)?;
    let kind = index_target(column, own.column_type(), only.kind)?;
    let name = match &create.name {
        Some(name) => name.as_str().to_owned(),
        None => free_name(&context, &keyspace, &format!("{table_name}_{column}_idx"))?,
    };
    check_name("Index", &name)?;
    for (_, other) in schema::tables(context.view, &keyspace)? {
        if other.record.indexes.iter().any(|index| index.name == name) {
            return if create.if_not_exists { Ok(()) } else { Err(invalid(format!("Index '{name}' already exists"))) };
        }
    }
    let is_same = |index: &&schema::IndexDefinition| index.column == own.id() && index.target == kind;
    if let Some(index) = table.record.indexes.iter().find(is_same) {
        return if create.if_not_exists {
            Ok(())
        } else {
            let other = &index.name;
            Err(invalid(format!("Index {name} is a duplicate of existing index {other}")))
        };
    }
    Target::new(&keyspace, table_name).create_index(writer, &name, column, kind)
}

/// Refuses a column that no index can be of.
fn check_indexable(table: &TableRecord, column: &Column) -> Result<()> {
    let (name, cql_type) = (column.name(), column.column_type());
    if cql_type.any(&mut |part| *part == CqlType::Duration) {
        let what = match cql_type.thawed() {
            whole if whole.is_collection() => "collections containing durations",
            CqlType::Tuple(_) => "tuples containing durations",
            CqlType::Udt(_) => "UDTs containing durations",
            _ => "duration columns",
        };
        return Err(invalid(format!("Secondary indexes are not supported on {what}")));
    }
    if column.kind() == ColumnKind::PartitionKey && table.shape().partition.len() == 1 {
        return Err(invalid(format!("Cannot create secondary index on the only partition key column {name}")));
    }
    if matches!(cql_type, CqlType::Vector(..)) {
        return Err(Error::unsupported(format!("an index of the vector column {name:?}")));
    }
    Ok(())
}

/// What of a column an index is, in the order in which Cassandra refuses.
fn index_target(column: &str, cql_type: &CqlType, kind: TargetKind) -> Result<IndexTarget> {
    let is_multi_cell = cql_type.is_multi_cell();
    let is_frozen = cql_type.is_collection() && !is_multi_cell;
    // The values of a collection need not be named.
    let kind = if kind == TargetKind::Simple && cql_type.is_collection() { TargetKind::Values } else { kind };
    let shown = match kind {
        TargetKind::Simple => "",
        TargetKind::Values => "values",
        TargetKind::Keys => "keys",
        TargetKind::Entries => "entries",
        TargetKind::Full => "full",
    };
    if is_frozen && kind != TargetKind::Full {
        return Err(invalid(format!(
            "Cannot create {shown}() index on frozen column {column}. Frozen collections are immutable and must be fully indexed by using the 'full({column})' modifier"
        )));
    }
    if !is_frozen && kind == TargetKind::Full {
        return Err(invalid("full() indexes can only be created on frozen collections"));
    }
    if !cql_type.is_collection() && kind != TargetKind::Simple {
        return Err(invalid(format!(
            "Cannot create {shown}() index on {column}. Non-collection columns only support simple indexes"
        )));
    }
    let is_map = matches!(cql_type, CqlType::Map(_));
    if !is_map && matches!(kind, TargetKind::Keys | TargetKind::Entries) {
        return Err(invalid(format!("Cannot create index on {shown} of column {column} with non-map type")));
    }
    if is_multi_cell && matches!(cql_type, CqlType::Udt(_)) {
        return Err(invalid(format!("Cannot create index on non-frozen UDT column {column}")));
    }
    Ok(match kind {
        TargetKind::Simple => IndexTarget::Value,
        TargetKind::Values => IndexTarget::Elements,
        TargetKind::Keys => IndexTarget::Keys,
        TargetKind::Entries => IndexTarget::Entries,
        TargetKind::Full => IndexTarget::Full,
    })
}

/// `name`, or with a number behind it the first one that no index of the keyspace has.
fn free_name(context: &Context<'_>, keyspace: &str, name: &str) -> Result<String> {
    let tables = schema::tables(context.view, keyspace)?;
    let is_taken =
        |name: &str| tables.iter().any(|(_, table)| table.record.indexes.iter().any(|index| index.name == name));
    let mut free = name.to_owned();
    let mut number = 0u32;
    while is_taken(&free) {
        number += 1;
        free = format!("{name}_{number}");
    }
    Ok(free)
}
