//! Rows as queries return them.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::read::{Fetch, Flow, FoundRow, Reader, Written};
use crate::wide_column::schema::{Column, TableRecord};
use crate::wide_column::serialize::deserialize;
use crate::wide_column::value::CqlValue;

/// The columns a query asks for.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    names: Arc<[String]>,
    /// Their positions in the table's list.
    columns: Vec<Fetch>,
}

impl Selection {
    /// Of these columns, or all.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a column that there is not; [`Error::Invalid`] for none at all.
    pub(super) fn new(table: &TableRecord, names: Option<Arc<[String]>>) -> Result<Self> {
        let (names, columns) = match names {
            None => {
                let names = Arc::clone(&table.shape().names);
                let columns = (0..names.len()).map(|at| Fetch::new(table, at)).collect();
                (names, columns)
            }
            Some(names) => {
                let mut columns = Vec::with_capacity(names.len());
                for name in &*names {
                    let missing = || Error::NotFound { what: "column", name: name.clone() };
                    columns.push(Fetch::new(table, table.position(name).ok_or_else(missing)?));
                }
                (names, columns)
            }
        };
        if columns.is_empty() {
            return Err(Error::value("a query asks for at least one column"));
        }
        Ok(Self { names, columns })
    }

    /// The columns, in their order.
    pub(super) fn columns(&self) -> &[Fetch] {
        &self.columns
    }

    /// The columns with their names, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Fetch)> {
        self.names.iter().map(String::as_str).zip(self.columns.iter().copied())
    }

    /// The column `name`, if it is selected.
    pub(super) fn find(&self, name: &str) -> Option<Fetch> {
        let nth = self.names.iter().position(|own| own == name)?;
        self.columns.get(nth).copied()
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
    names: Arc<[String]>,
    /// One of each selected column.
    fields: Vec<Option<Field>>,
}

#[derive(Clone, Debug)]
struct Field {
    value: CqlValue,
    /// Of columns that are not part of the key.
    written: Option<Written>,
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
        self.field(column)?.written.map(|written| written.timestamp)
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
        self.field(column)?.written.and_then(|written| written.ttl)
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
        let names = self.names.iter().map(String::as_str);
        names.zip(self.fields.iter().map(|field| field.as_ref().map(|field| &field.value)))
    }

    fn field(&self, name: &str) -> Option<&Field> {
        let at = self.names.iter().position(|own| own == name)?;
        self.fields.get(at)?.as_ref()
    }

    /// A row of values that were computed, with their names; null is none.
    pub(super) fn of_computed(names: &Arc<[String]>, values: Vec<CqlValue>) -> Self {
        let field = |value| Some(Field { value, written: None }).filter(|field| field.value != CqlValue::Null);
        Self { names: Arc::clone(names), fields: values.into_iter().map(field).collect() }
    }

    /// The row of all columns with these serialized values, of which it is not known when they were written.
    pub(super) fn of_values(table: &TableRecord, values: &[Option<Vec<u8>>]) -> Result<Self> {
        let field = |(column, value): (&Column, &Option<Vec<u8>>)| {
            let value = value.as_ref().map(|bytes| deserialize(column.column_type(), bytes)).transpose()?;
            Ok(value.map(|value| Field { value, written: None }))
        };
        let names: Vec<_> = table.schema.columns().map(|column| column.name().to_owned()).collect();
        let fields = table.schema.columns().zip(values).map(field).collect::<Result<_>>()?;
        Ok(Self { names: names.into(), fields })
    }

    /// The row with the values of `selection`.
    pub(super) fn of(found: &FoundRow<'_>, selection: &Selection) -> Result<Self> {
        // Collected, a list of results grows as if nothing were known of its length.
        let mut fields = Vec::with_capacity(selection.columns.len());
        let mut next = 0;
        for &of in &selection.columns {
            let field = match found.fetch_next(of, &mut next)? {
                None => None,
                Some(bytes) => {
                    let at = of.at();
                    let column = found.table().column(at)?;
                    let value = deserialize(column.column_type(), &bytes)?;
                    Some(Field { value, written: if column.is_key() { None } else { found.written(at)? } })
                }
            };
            fields.push(field);
        }
        Ok(Self { names: Arc::clone(&selection.names), fields })
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
    view: View,
    reader: Reader,
    selection: Selection,
    /// Whether nothing more comes; after an error too.
    is_done: bool,
}

impl Rows {
    pub(super) fn new(view: &View, reader: Reader, selection: Selection) -> Self {
        view.meter().returned(0);
        Self { view: view.fork(), reader, selection, is_done: false }
    }

    fn step(&mut self) -> Result<Option<Row>> {
        let (mut found, selection) = (None, &self.selection);
        let has_more = self.reader.run(&self.view, &mut |row: &FoundRow<'_>| {
            found = Some(Row::of(row, selection)?);
            Ok(Flow::Stop)
        })?;
        self.is_done = !has_more;
        Ok(found)
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let step = self.step().transpose();
        match step {
            Some(Ok(_)) => self.view.meter().returned(1),
            _ => self.is_done = true,
        }
        step
    }
}
