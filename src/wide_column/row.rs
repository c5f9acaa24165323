//! Rows as queries return them.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::txn::{Cursor, Meter};
use crate::wide_column::cell::{Deletion, StoredRow};
use crate::wide_column::layout::{self, Place};
use crate::wide_column::record;
use crate::wide_column::schema::{Column, ColumnKind, Definition, TableSchema};
use crate::wide_column::serialize::deserialize;
use crate::wide_column::value::CqlValue;

/// The columns a query asks for.
#[derive(Debug)]
pub(super) struct Selection {
    /// Each with its place in the primary key when it is part of it.
    columns: Vec<(Column, Option<usize>)>,
}

impl Selection {
    pub(super) fn new(schema: &TableSchema, columns: Vec<Column>) -> Self {
        let keys = || schema.partition_columns().chain(schema.clustering_columns().map(|(column, _)| column));
        let place = |column: &Column| keys().position(|key| key.name() == column.name());
        Self { columns: columns.into_iter().map(|column| (place(&column), column)).map(|(at, c)| (c, at)).collect() }
    }
}

/// One row that a query has found.
///
/// # Examples
/// ```
/// use larder::{ManualClock, Store, Timestamp, wide_column::{CqlType, TableSchema, WriteOptions}};
/// let clock = ManualClock::at(Timestamp::from_micros(5));
/// let users = Store::builder().clock(clock).in_memory().wide_table("shop", "users");
/// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
/// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], WriteOptions::default().ttl_seconds(60))?;
/// let row = users.select((7,)).to_vec()?.remove(0);
/// assert_eq!(row.get("name").and_then(|name| name.as_text()), Some("Ann"));
/// assert_eq!((row.write_time("name"), row.ttl("name")), (Some(5), Some(60)));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    selection: Arc<Selection>,
    /// One of each selected column.
    fields: Vec<Option<Field>>,
}

#[derive(Clone, Debug)]
struct Field {
    value: CqlValue,
    /// Of regular columns: timestamp, and seconds left to live.
    written: Option<(i64, Option<u32>)>,
}

impl Row {
    /// The value of `column`; `None` when it is null or has not been asked for.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into())])?;
    /// let row = users.select((7,)).to_vec()?.remove(0);
    /// assert_eq!((row.get("id"), row.get("name")), (Some(&7.into()), None));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&CqlValue> {
        self.field(column).map(|field| &field.value)
    }

    /// When the value of `column` was written: its timestamp in microseconds. `None` when there is no value, and for
    /// key columns, which have no time.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], WriteOptions::default().timestamp(5))?;
    /// let row = users.select((7,)).to_vec()?.remove(0);
    /// assert_eq!((row.write_time("id"), row.write_time("name")), (None, Some(5)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `WRITETIME`.
    #[must_use]
    pub fn write_time(&self, column: &str) -> Option<i64> {
        self.field(column)?.written.map(|(timestamp, _)| timestamp)
    }

    /// Seconds the value of `column` still lives. `None` when there is no value, when it lives for ever, and for key
    /// columns.
    ///
    /// # Examples
    /// ```
    /// # use larder::{ManualClock, Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # use std::time::Duration;
    /// # let clock = ManualClock::default();
    /// # let users = Store::builder().clock(clock.clone()).in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], WriteOptions::default().ttl_seconds(60))?;
    /// clock.advance(Duration::from_secs(20));
    /// assert_eq!(users.select((7,)).to_vec()?[0].ttl("name"), Some(40));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `TTL`.
    #[must_use]
    pub fn ttl(&self, column: &str) -> Option<u32> {
        self.field(column)?.written.and_then(|(_, ttl)| ttl)
    }

    /// The columns asked for, in that order, with their values.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into())])?;
    /// let row = users.select((7,)).columns(["name", "id"]).to_vec()?.remove(0);
    /// assert!(row.iter().eq([("name", None), ("id", Some(&7.into()))]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&CqlValue>)> {
        let names = self.selection.columns.iter().map(|(column, _)| column.name());
        names.zip(self.fields.iter().map(|field| field.as_ref().map(|field| &field.value)))
    }

    fn field(&self, name: &str) -> Option<&Field> {
        let at = self.selection.columns.iter().position(|(column, _)| column.name() == name)?;
        self.fields.get(at)?.as_ref()
    }
}

/// The rows that a query finds, read as they are asked for. It owns its snapshot; later writes do not show in it.
///
/// # Examples
/// ```
/// # use larder::{Store, wide_column::{CqlType, TableSchema}};
/// # let users = Store::in_memory().wide_table("shop", "users");
/// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
/// users.insert(&[("id", 7.into())])?;
/// let mut rows = users.scan().run()?;
/// users.delete_row((7,))?;
/// assert_eq!(rows.next().expect("it was there")?.get("id"), Some(&7.into()));
/// assert!(rows.next().is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct Rows {
    cursor: Cursor,
    reader: RowReader,
    /// Rows that may still be returned; 0 after an error too.
    left: u64,
    meter: Meter,
}

impl Rows {
    pub(super) fn new(
        (cursor, meter): (Cursor, &Meter),
        definition: Definition,
        selection: Selection,
        now: i64,
        limit: u64,
        partition: Partition,
    ) -> Self {
        let (deletion, is_scan) = match partition {
            Partition::One(deletion) => (deletion, false),
            Partition::Any => (None, true),
        };
        let selection = Arc::new(selection);
        let reader = RowReader { definition, selection, now, partition: None, deletion, header: None, is_scan };
        meter.returned(0);
        Self { cursor, reader, left: limit, meter: meter.clone() }
    }

    fn step(&mut self) -> Result<Option<Row>> {
        while let Some((key, value)) = self.cursor.next()? {
            if let Some(row) = self.reader.read(key, value)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let step = self.step().transpose();
        if matches!(step, Some(Ok(_))) {
            self.left -= 1;
            self.meter.returned(1);
        } else {
            self.left = 0;
        }
        step
    }
}

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Partition {
    /// Rows of one partition, which was deleted so.
    One(Option<Deletion>),
    /// Whole partitions, each with its header before its rows.
    Any,
}

/// Makes rows of entries.
#[derive(Debug)]
struct RowReader {
    definition: Definition,
    selection: Arc<Selection>,
    /// Local time of the read, in seconds.
    now: i64,
    /// The partition of the last row: what its keys begin with, and its values.
    partition: Option<(Vec<u8>, Vec<CqlValue>)>,
    /// How that partition was deleted.
    deletion: Option<Deletion>,
    /// Of a scan, the last header: what the keys of its partition begin with, and its deletion.
    header: Option<(Vec<u8>, Option<Deletion>)>,
    is_scan: bool,
}

impl RowReader {
    /// The row of an entry, unless the entry is a header or there is nothing to be seen of the row.
    fn read(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Row>> {
        let (prefix, partition_key, place) = layout::split(key)?;
        let schema = &self.definition.record.schema;
        let mut stored = record::decode(value)?;
        let Place::Row(clustering) = place else {
            self.header = Some((prefix.to_vec(), stored.deletion));
            return Ok(None);
        };
        // A long partition key comes before what is long of the clustering columns.
        let (whole, long) = match (&partition_key, stored.long.split_first()) {
            (None, Some((whole, long))) => (whole, long),
            (Some(whole), _) => (whole, stored.long.as_slice()),
            (None, None) => return Err(Error::corrupt("partition key", "it is nowhere whole")),
        };
        let clustering = layout::split_clustering(schema, clustering, long)?;
        let partition = match &self.partition {
            Some((last, values)) if last == prefix => values,
            _ => {
                if self.is_scan {
                    self.deletion =
                        self.header.take().filter(|(of, _)| of == prefix).and_then(|(_, deletion)| deletion);
                }
                let values = layout::split_partition(schema, whole)?;
                &self.partition.insert((prefix.to_vec(), values)).1
            }
        };
        if self.deletion.is_some() {
            stored = stored.below(self.deletion);
        }
        self.definition.record.retain_columns(&mut stored);
        if !stored.is_visible(self.now) {
            return Ok(None);
        }
        let keys: Vec<_> = partition.iter().chain(&clustering).collect();
        let now = self.now;
        let field = |(column, place): &(Column, Option<usize>)| field(column, *place, &keys, &stored, now);
        let fields = self.selection.columns.iter().map(field).collect::<Result<_>>()?;
        Ok(Some(Row { selection: Arc::clone(&self.selection), fields }))
    }
}

fn field(
    column: &Column,
    place: Option<usize>,
    keys: &[&CqlValue],
    stored: &StoredRow,
    now: i64,
) -> Result<Option<Field>> {
    if column.kind() != ColumnKind::Regular {
        let value = place.and_then(|at| keys.get(at));
        let value = value.ok_or_else(|| Error::corrupt("wide-column key", "a part is missing"))?;
        return Ok(Some(Field { value: (*value).clone(), written: None }));
    }
    let Some(cell) = stored.cell(column.id()) else { return Ok(None) };
    let Some(bytes) = cell.value(now) else { return Ok(None) };
    let value = deserialize(column.column_type(), bytes)?;
    Ok(Some(Field { value, written: Some((cell.timestamp, cell.remaining_ttl(now))) }))
}
