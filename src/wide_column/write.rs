//! From named columns and their values to a checked write.

use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::layout::{Clustering, join_partition, put_clustering};
use crate::wide_column::mutation::{Change, Mutation, WriteOptions};
use crate::wide_column::schema::{Column, ColumnKind, TableSchema};
use crate::wide_column::serialize::serialize;
use crate::wide_column::value::CqlValue;

/// Where the values of an INSERT or UPDATE go: what can be checked before they are known.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Whether the row is to exist without any cell: an INSERT.
    marker: bool,
    /// The column of each value.
    columns: Vec<Column>,
    /// Positions of the values of the partition columns, in their order.
    partition: Vec<usize>,
    /// Positions of the values of the clustering columns, in their order.
    clustering: Vec<usize>,
    /// Positions of the values of the regular columns, in the order of their ids.
    regular: Vec<usize>,
}

impl Plan {
    /// A plan for values of `names`: each a column of the table, every key column among them, none twice.
    pub(super) fn new(schema: &TableSchema, names: &[&str], marker: bool) -> Result<Self> {
        let columns = names.iter().map(|name| schema.require(name).cloned()).collect::<Result<Vec<_>>>()?;
        if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
        {
            return Err(Error::invalid(InvalidKind::Value, format!("column {twice:?} is given twice")));
        }
        let position = |column: &Column| {
            let position = names.iter().position(|name| *name == column.name());
            position.ok_or_else(|| missing(column))
        };
        let partition = schema.partition_columns().map(position).collect::<Result<_>>()?;
        let clustering = schema.clustering_columns().map(|(column, _)| position(column)).collect::<Result<_>>()?;
        let mut regular: Vec<(u16, usize)> = Vec::new();
        for (at, column) in columns.iter().enumerate().filter(|(_, column)| column.kind() == ColumnKind::Regular) {
            regular.push((column.id(), at));
        }
        regular.sort_unstable();
        if !marker && regular.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "an update sets at least one column"));
        }
        Ok(Self { marker, columns, partition, clustering, regular: regular.into_iter().map(|(_, at)| at).collect() })
    }

    /// The write of `values`, one of each planned column.
    pub(super) fn bind(&self, schema: &TableSchema, values: &[CqlValue], options: WriteOptions) -> Result<Mutation> {
        check_count(values.len(), self.columns.iter())?;
        let partition = partition_key(schema, &pick(&self.partition, values))?;
        let clustering = clustering_key(schema, &pick(&self.clustering, values))?;
        let mut cells = Vec::with_capacity(self.regular.len());
        for at in &self.regular {
            if let (Some(column), Some(value)) = (self.columns.get(*at), values.get(*at)) {
                value.check(column)?;
                match value {
                    CqlValue::Unset => {}
                    CqlValue::Null => cells.push((column.id(), None)),
                    value => cells.push((column.id(), Some(serialize(value)?))),
                }
            }
        }
        Mutation::write(schema, partition, Change::Write { clustering, marker: self.marker, cells }, options)
    }
}

/// The write of a row given as pairs of column and value.
pub(super) fn write_row(
    schema: &TableSchema,
    row: &[(&str, CqlValue)],
    marker: bool,
    options: WriteOptions,
) -> Result<Mutation> {
    let names: Vec<_> = row.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = row.iter().map(|(_, value)| value.clone()).collect();
    Plan::new(schema, &names, marker)?.bind(schema, &values, options)
}

/// The deletion of the row with this primary key: partition columns, then clustering columns.
pub(super) fn delete_row(schema: &TableSchema, primary_key: &[CqlValue], options: WriteOptions) -> Result<Mutation> {
    let (partition, clustering) = split_key(schema, primary_key)?;
    Mutation::delete(partition, Change::DeleteRow { clustering }, options)
}

/// The deletion of the cells of `names` in the row with this primary key.
pub(super) fn delete_columns(
    schema: &TableSchema,
    primary_key: &[CqlValue],
    names: &[&str],
    options: WriteOptions,
) -> Result<Mutation> {
    let (partition, clustering) = split_key(schema, primary_key)?;
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let column = schema.require(name)?;
        if column.kind() != ColumnKind::Regular {
            let message = format!("key column {name:?} cannot be deleted from a row");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        ids.push(column.id());
    }
    if ids.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, "no column to delete is named"));
    }
    ids.sort_unstable();
    ids.dedup();
    let cells = ids.into_iter().map(|id| (id, None)).collect();
    Mutation::delete(partition, Change::Write { clustering, marker: false, cells }, options)
}

/// The deletion of a partition.
pub(super) fn delete_partition(schema: &TableSchema, values: &[CqlValue], options: WriteOptions) -> Result<Mutation> {
    Mutation::delete(whole_partition_key(schema, values)?, Change::DeletePartition, options)
}

/// The serialized partition key of `values`, which have to be one of each partition column.
pub(super) fn whole_partition_key(schema: &TableSchema, values: &[CqlValue]) -> Result<Vec<u8>> {
    check_count(values.len(), schema.partition_columns())?;
    partition_key(schema, &values.iter().collect::<Vec<_>>())
}

fn split_key(schema: &TableSchema, primary_key: &[CqlValue]) -> Result<(Vec<u8>, Clustering)> {
    let clustering_columns = schema.clustering_columns().map(|(column, _)| column);
    check_count(primary_key.len(), schema.partition_columns().chain(clustering_columns))?;
    let values: Vec<_> = primary_key.iter().collect();
    let (partition, clustering) = values.split_at(schema.partition_columns().count().min(values.len()));
    Ok((partition_key(schema, partition)?, clustering_key(schema, clustering)?))
}

fn partition_key(schema: &TableSchema, values: &[&CqlValue]) -> Result<Vec<u8>> {
    schema.partition_columns().zip(values).try_for_each(|(column, value)| value.check_key(column))?;
    join_partition(values)
}

fn clustering_key(schema: &TableSchema, values: &[&CqlValue]) -> Result<Clustering> {
    let (mut clustering, mut later) = (Clustering::default(), schema.clustering_columns().count());
    for ((column, order), value) in schema.clustering_columns().zip(values) {
        later = later.saturating_sub(1);
        value.check_key(column)?;
        put_clustering(&mut clustering, (column, order), later, value)?;
    }
    Ok(clustering)
}

fn pick<'a>(positions: &[usize], values: &'a [CqlValue]) -> Vec<&'a CqlValue> {
    positions.iter().filter_map(|at| values.get(*at)).collect()
}

fn check_count<'a>(found: usize, columns: impl Iterator<Item = &'a Column> + Clone) -> Result<()> {
    let needed = columns.clone().count();
    if found != needed {
        let names = columns.map(Column::name).collect::<Vec<_>>().join(", ");
        return Err(Error::invalid(InvalidKind::Value, format!("{needed} values are needed ({names}), found {found}")));
    }
    Ok(())
}

fn missing(column: &Column) -> Error {
    Error::invalid(InvalidKind::Value, format!("key column {:?} has no value", column.name()))
}
