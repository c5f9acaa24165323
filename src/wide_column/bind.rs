//! From named columns and their values to plans of writes.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::error::{Error, InvalidKind, Result};
use crate::wide_column::layout::join_partition;
use crate::wide_column::options::WriteOptions;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::schema::{Column, Definition, TableRecord};
use crate::wide_column::serialize::{Fault, normal, serialize};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::plan::{CellChange, CellOperation, Change, Plan};

/// A value as a column takes it.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Unset,
    Null,
    Value(Bytes),
}

impl Bound {
    /// The serialized form of `value` as one of `cql_type`.
    #[inline]
    pub(super) fn of(value: &CqlValue, cql_type: &CqlType) -> Result<Self, Fault> {
        // What most columns are of goes where it is to lie at once.
        Ok(Self::Value(match (value, cql_type) {
            (CqlValue::Null, _) => return Ok(Self::Null),
            (CqlValue::Unset, _) => return Ok(Self::Unset),
            (CqlValue::Text(text), CqlType::Text) => Bytes::from_slice(text.as_bytes()),
            (CqlValue::Blob(bytes), CqlType::Blob) => Bytes::from_slice(bytes),
            (CqlValue::Int(number), CqlType::Int) => Bytes::from_slice(&number.to_be_bytes()),
            (CqlValue::Date(number), CqlType::Date) => Bytes::from_slice(&number.to_be_bytes()),
            (CqlValue::Bigint(number), CqlType::Bigint) | (CqlValue::Timestamp(number), CqlType::Timestamp) => {
                Bytes::from_slice(&number.to_be_bytes())
            }
            (CqlValue::Double(number), CqlType::Double) => Bytes::from_slice(&number.to_be_bytes()),
            (CqlValue::Uuid(uuid), CqlType::Uuid) => Bytes::from_slice(uuid.as_bytes()),
            _ => {
                let mut bytes = Vec::new();
                serialize(value, cql_type, &mut bytes)?;
                Bytes::from_vec(bytes)
            }
        }))
    }

    /// The value of `cql_type` that is serialized as `bytes`, checked through and through.
    pub(super) fn of_serialized(bytes: &[u8], cql_type: &CqlType) -> Result<Self, Fault> {
        Ok(Self::Value(match normal(cql_type, bytes)? {
            Cow::Borrowed(bytes) => Bytes::from_slice(bytes),
            Cow::Owned(bytes) => Bytes::from_vec(bytes),
        }))
    }
}

/// The serialized form of a value for a column.
///
/// # Errors
/// [`Error::Invalid`] when the column does not take it, which is named.
#[inline]
pub(super) fn bind(column: &Column, value: &CqlValue) -> Result<Bound> {
    Bound::of(value, column.column_type())
        .map_err(|fault| fault.of(&format!("column {:?}", column.name()), column.column_type()))
}

/// As [`bind`], of a column that is part of the key.
pub(super) fn bind_key(column: &Column, value: &CqlValue) -> Result<Bytes> {
    match bind(column, value)? {
        Bound::Value(bytes) => Ok(bytes),
        Bound::Null | Bound::Unset => {
            let message = format!("key column {:?} does not take a {}", column.name(), value.kind());
            Err(Error::invalid(InvalidKind::Value, message))
        }
    }
}

/// Where the values of an INSERT or UPDATE go: what can be checked before they are known.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// Whether the row is to exist without any cell: an INSERT.
    has_marker: bool,
    /// Positions in the table's list of the columns that values are of.
    columns: Vec<usize>,
    /// Of the partition columns, in their order, which of the values.
    partition: Vec<usize>,
    /// Of the clustering columns; `None` when only static columns are given, and none of these.
    clustering: Option<Vec<usize>>,
    /// Of the other columns, in the order of their ids.
    cells: Vec<usize>,
}

impl Binding {
    /// For values of `names`: each a column of the table, every key column among them, none twice. Where all others are static,
    /// the clustering columns may be left out.
    pub(super) fn new(table: &TableRecord, names: &[&str], has_marker: bool) -> Result<Self> {
        let place = |name: &&str| {
            table.schema.require(name)?;
            Ok(table.schema.columns().position(|column| column.name() == *name).unwrap_or_default())
        };
        let columns = names.iter().map(place).collect::<Result<Vec<_>>>()?;
        if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
        {
            return Err(Error::invalid(InvalidKind::Value, format!("column {twice:?} is given twice")));
        }
        if !has_marker && columns.iter().all(|at| table.column(*at).is_ok_and(Column::is_key)) {
            return Err(Error::invalid(InvalidKind::Value, "an update sets at least one column"));
        }
        Self::of(table, columns, has_marker)
    }

    /// For values of the columns at these positions, none of which is there twice.
    ///
    /// # Errors
    /// As [`new`](Self::new), for a column of the key that is not among them.
    pub(super) fn of(table: &TableRecord, columns: Vec<usize>, has_marker: bool) -> Result<Self> {
        let position = |at: usize| {
            let position = columns.iter().position(|own| *own == at);
            position.map_or_else(|| Err(missing(table.column(at)?)), Ok)
        };
        let shape = table.shape();
        let partition = shape.partition.iter().map(|at| position(*at)).collect::<Result<_>>()?;
        let mut cells = Vec::new();
        let mut is_all_static = true;
        for (nth, at) in columns.iter().enumerate() {
            let column = table.column(*at)?;
            if !column.is_key() {
                is_all_static &= column.kind() == crate::wide_column::schema::ColumnKind::Static;
                cells.push((column.id(), nth));
            }
        }
        cells.sort_unstable();
        let has_clustering = shape.clustering.iter().any(|(at, _)| columns.contains(at));
        let clustering = if is_all_static && !cells.is_empty() && !has_clustering {
            None
        } else {
            Some(shape.clustering.iter().map(|(at, _)| position(*at)).collect::<Result<_>>()?)
        };
        let cells = cells.into_iter().map(|(_, nth)| nth).collect();
        Ok(Self { has_marker, columns, partition, clustering, cells })
    }

    /// The write of `values`, one of each column.
    pub(super) fn bind(&self, table: &Definition, values: &[CqlValue], options: WriteOptions) -> Result<Plan> {
        let record = &table.record;
        if values.len() != self.columns.len() {
            return Err(wrong_count(values.len(), self.columns.iter().filter_map(|at| record.column(*at).ok())));
        }
        let value =
            |nth: usize| values.get(nth).ok_or_else(|| Error::invalid(InvalidKind::Value, "a value is missing"));
        let key = |nth: usize, column: &Column| bind_key(column, value(nth)?);
        let cell = |nth: usize, column: &Column| bind(column, value(nth)?);
        let (partition, change) = self.bind_with(record, key, cell)?;
        Ok(plan(table, partition, change, options))
    }

    /// The partition that is written to, and what changes there: `key` and `cell` give the value in a place, which is of the column.
    pub(super) fn bind_with(
        &self,
        record: &TableRecord,
        key: impl Fn(usize, &Column) -> Result<Bytes>,
        cell: impl Fn(usize, &Column) -> Result<Bound>,
    ) -> Result<(Bytes, Change)> {
        let column = |nth: usize| {
            let at = self.columns.get(nth).copied().unwrap_or(usize::MAX);
            Ok::<_, Error>((at, record.column(at)?))
        };
        let key = |nth: &usize| key(*nth, column(*nth)?.1);
        let partition = if let [nth] = &self.partition[..] {
            join_partition(&[key(nth)?])?
        } else {
            join_partition(&self.partition.iter().map(key).collect::<Result<SmallVec<[Bytes; 4]>>>()?)?
        };
        let clustering = self.clustering.as_ref().map(|own| own.iter().map(key).collect::<Result<Vec<_>>>());
        let clustering = clustering.transpose()?;
        let mut cells = Vec::with_capacity(self.cells.len());
        for nth in &self.cells {
            let (at, column) = column(*nth)?;
            let operation = match cell(*nth, column)? {
                Bound::Unset => continue,
                Bound::Null => CellOperation::Set(None),
                Bound::Value(value) if *column.column_type() == CqlType::Counter => {
                    CellOperation::Add(value[..].try_into().map(i64::from_be_bytes).unwrap_or_default())
                }
                Bound::Value(value) => CellOperation::Set(Some(value)),
            };
            cells.push(CellChange { column: at, operation });
        }
        let has_marker = self.has_marker && clustering.is_some();
        Ok((partition, Change::Row { clustering, has_marker, cells }))
    }
}

fn plan(table: &Definition, partition: Bytes, change: Change, options: WriteOptions) -> Plan {
    let WriteOptions { ttl_seconds: ttl, timestamp } = options;
    Plan { table: Definition::clone(table), partition, change, ttl, timestamp, now: None, condition: None }
}

/// The write of a row given as pairs of column and value.
pub(super) fn write_row(
    table: &Definition,
    row: &[(&str, CqlValue)],
    has_marker: bool,
    options: WriteOptions,
) -> Result<Plan> {
    let names: Vec<_> = row.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = row.iter().map(|(_, value)| value.clone()).collect();
    Binding::new(&table.record, &names, has_marker)?.bind(table, &values, options)
}

/// The deletion of the row with this primary key: partition columns, then clustering columns.
pub(super) fn delete_row(table: &Definition, primary_key: &[CqlValue], options: WriteOptions) -> Result<Plan> {
    let (partition, clustering) = split_key(table, primary_key, false)?;
    deletion(table, partition, Change::DeleteRow(clustering.unwrap_or_default()), options)
}

/// The deletion of the values of `names` in the row with this primary key; of a partition, of static columns.
pub(super) fn delete_columns(
    table: &Definition,
    primary_key: &[CqlValue],
    names: &[&str],
    options: WriteOptions,
) -> Result<Plan> {
    let record = &table.record;
    let (partition, clustering) = split_key(table, primary_key, true)?;
    let is_partition = clustering.is_none();
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        let column = record.schema.require(name)?;
        let is_static = column.kind() == crate::wide_column::schema::ColumnKind::Static;
        if column.is_key() || (is_partition && !is_static) {
            let message = format!("column {name:?} cannot be deleted from there");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        places.push((column.id(), record.schema.columns().position(|own| own.name() == *name).unwrap_or_default()));
    }
    if places.is_empty() {
        return Err(Error::invalid(InvalidKind::Value, "no column to delete is named"));
    }
    places.sort_unstable();
    places.dedup();
    let cells = places.into_iter().map(|(_, column)| CellChange { column, operation: CellOperation::Set(None) });
    let change = Change::Row { clustering, has_marker: false, cells: cells.collect() };
    deletion(table, partition, change, options)
}

/// The deletion of a partition.
pub(super) fn delete_partition(table: &Definition, values: &[CqlValue], options: WriteOptions) -> Result<Plan> {
    deletion(table, partition_key(&table.record, values)?, Change::DeletePartition, options)
}

/// A change that only deletes, and so takes no time to live.
pub(super) fn deletion(table: &Definition, partition: Bytes, change: Change, options: WriteOptions) -> Result<Plan> {
    if options.ttl_seconds.is_some() {
        return Err(Error::invalid(InvalidKind::Value, "a deletion takes no time to live"));
    }
    Ok(Plan { ttl: Some(0), ..plan(table, partition, change, options) })
}

/// The serialized partition key of `values`, which have to be one of each partition column.
pub(super) fn partition_key(table: &TableRecord, values: &[CqlValue]) -> Result<Bytes> {
    let shape = table.shape();
    if values.len() != shape.partition.len() {
        return Err(wrong_count(values.len(), table.schema.partition_columns()));
    }
    let mut parts = shape.partition.iter().zip(values);
    if let ([_], Some((at, value))) = (&shape.partition[..], parts.next()) {
        return join_partition(&[bind_key(table.column(*at)?, value)?]);
    }
    let parts = shape.partition.iter().zip(values);
    let parts = parts.map(|(at, value)| bind_key(table.column(*at)?, value));
    join_partition(&parts.collect::<Result<Vec<_>>>()?)
}

/// The partition key and clustering columns of a primary key; without the latter when only the former is given, and that is wanted.
pub(super) fn split_key(
    table: &Definition,
    primary_key: &[CqlValue],
    may_be_partition: bool,
) -> Result<(Bytes, Option<Vec<Bytes>>)> {
    let record = &table.record;
    let shape = record.shape();
    if may_be_partition && primary_key.len() == shape.partition.len() && !shape.clustering.is_empty() {
        return Ok((partition_key(record, primary_key)?, None));
    }
    if primary_key.len() != shape.partition.len() + shape.clustering.len() {
        let clustering_columns = record.schema.clustering_columns().map(|(column, _)| column);
        return Err(wrong_count(primary_key.len(), record.schema.partition_columns().chain(clustering_columns)));
    }
    let (partition, clustering) = primary_key.split_at(shape.partition.len().min(primary_key.len()));
    let clustering = shape.clustering.iter().zip(clustering);
    let clustering = clustering.map(|((at, _), value)| bind_key(record.column(*at)?, value));
    let clustering = clustering.collect::<Result<_>>()?;
    Ok((partition_key(record, partition)?, Some(clustering)))
}

fn wrong_count<'a>(found: usize, columns: impl Iterator<Item = &'a Column>) -> Error {
    let names: Vec<_> = columns.map(Column::name).collect();
    let (needed, names) = (names.len(), names.join(", "));
    Error::invalid(InvalidKind::Value, format!("{needed} values are needed ({names}), found {found}"))
}

fn missing(column: &Column) -> Error {
    Error::invalid(InvalidKind::Value, format!("key column {:?} has no value", column.name()))
}
