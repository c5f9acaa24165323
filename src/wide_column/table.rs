//! The handle of a table.

use std::sync::Arc;

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};
use crate::wide_column::mutation::{Mutation, WriteOptions};
use crate::wide_column::prepared::PreparedInsert;
use crate::wide_column::schema::{Definition, TableSchema};
use crate::wide_column::select::Select;
use crate::wide_column::target::{Target, operation};
use crate::wide_column::types::CqlType;
use crate::wide_column::value::{CqlValue, Values};
use crate::wide_column::write;

/// A wide-column table: partitions, each of rows in the order of their clustering columns.
///
/// Given by [`Store::wide_table`](crate::Store::wide_table) and its likes on transactions and snapshots. Inserts and
/// updates are upserts: they do not ask whether the row exists. Each operation but
/// [`create`](Self::create) and [`drop_table`](Self::drop_table) returns
/// [`Error::NotFound`](crate::Error::NotFound) when the table does not exist.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
/// let events = Store::in_memory().wide_table("analytics", "events");
/// events.create(
///     TableSchema::new()
///         .partition_key("user", CqlType::Text)
///         .clustering("at", CqlType::Bigint, Order::Descending)
///         .column("kind", CqlType::Text),
/// )?;
/// let insert = events.prepare_insert(&["user", "at", "kind"])?;
/// insert.execute(("ann", 1i64, "signup"))?;
/// insert.execute(("ann", 2i64, "order"))?;
/// let newest = events.select(("ann",)).limit(1).to_vec()?;
/// assert_eq!(newest[0].get("kind"), Some(&"order".into()));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, *Data definition* and *Data manipulation*.
#[derive(Clone, Debug)]
pub struct WideTable<S = AutoCommit> {
    pub(super) scope: S,
    pub(super) target: Arc<Target>,
}

impl<S: Scope> WideTable<S> {
    pub(crate) fn new(scope: S, keyspace: &str, name: &str) -> Self {
        Self { scope, target: Target::new(keyspace, name) }
    }

    /// The names of the keyspaces that have tables, in byte order.
    pub(crate) fn list_keyspace_names(scope: &S) -> Result<Vec<String>> {
        scope.read(operation("list_keyspace_names", ""), |view| catalog::namespaces(view, Kind::WideTable))
    }

    /// The table's definition.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let days = Store::in_memory().wide_table("analytics", "days");
    /// assert!(days.schema().is_err());
    /// days.create(TableSchema::new().partition_key("day", CqlType::Date))?;
    /// assert_eq!(days.schema()?.columns().count(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn schema(&self) -> Result<TableSchema> {
        self.read("schema", |view| Ok(self.target.definition(view)?.record.declared()))
    }

    /// Checks an insert into `columns` once, to be executed many times with other values.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown table or column,
    /// [`Error::Invalid`](crate::Error::Invalid) when a key column is missing or a column is named twice.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.prepare_insert(&["name", "id"])?.execute(("Ann", 7))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// assert!(users.prepare_insert(&["name"]).is_err(), "a key column is missing");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("prepare", "PreparedStatement"))]
    pub fn prepare_insert(&self, columns: &[&str]) -> Result<PreparedInsert<S>> {
        self.read("prepare_insert", |view| {
            let definition = self.target.definition(view)?;
            PreparedInsert::new(self.scope.clone(), Arc::clone(&self.target), definition, columns)
        })
    }

    /// A query of the rows of one partition, given by the value of each partition column.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert(&[("id", 7.into())])?;
    /// users.insert(&[("id", 8.into())])?;
    /// assert_eq!(users.select((7,)).to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `SELECT`.
    #[doc(alias = "SELECT")]
    pub fn select(&self, partition: impl Values) -> Select<S> {
        Select::new(self.scope.clone(), Arc::clone(&self.target), Some(partition.into_values()))
    }

    /// A query of every row of the table: partitions in the order of their tokens, the rows of each in
    /// clustering order.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("name", CqlType::Text))?;
    /// users.insert(&[("name", "test".into())])?;
    /// users.insert(&[("name", "xd".into())])?;
    /// let names: Vec<_> = users.scan().to_vec()?.iter().map(|row| row.get("name").cloned()).collect();
    /// assert_eq!(names, [Some("test".into()), Some("xd".into())]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "SELECT")]
    pub fn scan(&self) -> Select<S> {
        Select::new(self.scope.clone(), Arc::clone(&self.target), None)
    }

    /// A checked write to the table as `view` of the handle's own scope has it, for a batch.
    pub(super) fn check(
        &self,
        build: impl FnOnce(&TableSchema) -> Result<Mutation>,
    ) -> Result<(Arc<Target>, Definition, Mutation)> {
        self.read("prepare", |view| {
            let definition = self.target.definition(view)?;
            let mutation = build(&definition.record.schema)?;
            Ok((Arc::clone(&self.target), definition, mutation))
        })
    }

    pub(super) fn read<R>(&self, verb: &'static str, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        self.scope.read(self.target.operation(verb), body)
    }
}

impl<S: WriteScope> WideTable<S> {
    /// Creates the table. When it exists with the same definition nothing happens.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when it exists with another definition,
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) when the
    /// names or columns are none a table can have.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let days = Store::in_memory().wide_table("analytics", "days");
    /// let schema = TableSchema::new().partition_key("day", CqlType::Date);
    /// days.create(schema.clone())?;
    /// days.create(schema.clone())?;
    /// assert!(days.create(schema.column("visits", CqlType::Int)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `CREATE TABLE`.
    #[expect(clippy::needless_pass_by_value, reason = "a definition is built in place")]
    #[doc(alias = "CREATE TABLE")]
    pub fn create(&self, schema: TableSchema) -> Result<()> {
        self.scope.write(self.target.operation("create"), |writer| self.target.create(writer, &schema))
    }

    /// Removes the table and every row of it, and returns whether there was one.
    ///
    /// # Cost
    /// O(log n). The rows are removed in the background, when there are many ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let days = Store::in_memory().wide_table("analytics", "days");
    /// days.create(TableSchema::new().partition_key("day", CqlType::Date))?;
    /// assert!(days.drop_table()?);
    /// assert!(!days.drop_table()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DROP TABLE`.
    #[doc(alias = "DROP TABLE")]
    pub fn drop_table(&self) -> Result<bool> {
        self.scope.write(self.target.operation("drop_table").freeing(true), |writer| self.target.remove(writer))
    }

    /// Removes every row, whatever its timestamps, and every trace of what was deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    ///
    /// # Cost
    /// As [`drop_table`](Self::drop_table).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let days = Store::in_memory().wide_table("analytics", "days");
    /// days.create(TableSchema::new().partition_key("day", CqlType::Int))?;
    /// days.insert(&[("day", 7.into())])?;
    /// days.truncate()?;
    /// assert!(days.scan().to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `TRUNCATE`.
    pub fn truncate(&self) -> Result<()> {
        self.scope.write(self.target.operation("truncate"), |writer| self.target.empty(writer))
    }

    /// Adds a regular column; rows have no value in it yet. Returns whether it is new.
    ///
    /// A name that a dropped column had may be used again, with another type too: what that column held stays hidden, and so does
    /// what is written with a timestamp from before it was dropped.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the table has another column of that name;
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a name that no column
    /// can have, or a column too many; [`Error::NotFound`](crate::Error::NotFound) when there is no table.
    ///
    /// # Cost
    /// O(log n): rows are as they were.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert(&[("id", 7.into())])?;
    /// assert!(users.add_column("name", CqlType::Text)?);
    /// users.update(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER TABLE ADD`.
    #[doc(alias = "ALTER TABLE")]
    pub fn add_column(&self, name: &str, column_type: CqlType) -> Result<bool> {
        self.scope.write(self.target.operation("add_column"), |writer| {
            self.target.alter(writer, |table| table.add_column(name, column_type))
        })
    }

    /// Drops a regular column, and returns whether there was one. A row that had nothing else, and was not inserted, is gone.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a column of the primary key; [`Error::NotFound`](crate::Error::NotFound) when
    /// there is no table.
    ///
    /// # Cost
    /// O(log n). What rows hold of the column is removed when they are written, and in the background
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// assert!(users.drop_column("name")?);
    /// users.add_column("name", CqlType::Int)?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER TABLE DROP`.
    #[doc(alias = "ALTER TABLE")]
    pub fn drop_column(&self, name: &str) -> Result<bool> {
        self.scope
            .write(self.target.operation("drop_column").freeing(true), |writer| self.target.drop_column(writer, name))
    }

    /// Renames a column of the primary key.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a regular column, and a name that no column can have;
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when there is a column of the new name;
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no table, or no such column.
    ///
    /// # Cost
    /// O(log n): rows are as they were.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into())])?;
    /// users.rename_column("id", "user")?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("user"), Some(&7.into()));
    /// assert!(users.rename_column("name", "nick").is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER TABLE RENAME`.
    #[doc(alias = "ALTER TABLE")]
    pub fn rename_column(&self, from: &str, to: &str) -> Result<()> {
        let rename =
            |writer: &mut Writer| self.target.alter(writer, |table| table.rename_column(from, to).map(|()| true));
        self.scope.write(self.target.operation("rename_column"), rename).map(drop)
    }

    /// Sets the time to live of values that are written without one from now on; 0 is for ever.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) over 20 years; [`Error::NotFound`](crate::Error::NotFound) when there
    /// is no table.
    ///
    /// # Cost
    /// O(log n): rows are as they were.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.set_default_ttl(3_600)?;
    /// assert_eq!(users.schema()?.default_ttl_seconds(), 3_600);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER TABLE WITH default_time_to_live`.
    #[doc(alias = "ALTER TABLE")]
    pub fn set_default_ttl(&self, seconds: u32) -> Result<()> {
        let set =
            |writer: &mut Writer| self.target.alter(writer, |table| table.set_default_ttl(seconds).map(|()| true));
        self.scope.write(self.target.operation("set_default_ttl"), set).map(drop)
    }

    /// Writes a row, given as its columns and their values. Columns that are not given stay as they are; null deletes.
    ///
    /// The row exists from then on, even when every regular column of it is null.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown column, [`Error::Invalid`](crate::Error::Invalid)
    /// when a key column is missing or a value does not fit its column, which is named;
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// Three reads (definition, partition, row) and one write of O(log n), and the size of the row. [`PreparedInsert`]
    /// saves looking up the names.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.insert(&[("id", 7.into()), ("name", CqlValue::Null)])?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `INSERT`.
    #[doc(alias = "INSERT")]
    pub fn insert(&self, row: &[(&str, CqlValue)]) -> Result<()> {
        self.insert_with(row, WriteOptions::default())
    }

    /// As [`insert`](Self::insert), with a time to live or timestamp of its own.
    ///
    /// # Errors
    /// As [`insert`](Self::insert); [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a time to live over 20
    /// years.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// use std::time::Duration;
    /// let clock = ManualClock::default();
    /// let sessions = Store::builder().clock(clock.clone()).in_memory().wide_table("shop", "sessions");
    /// sessions.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// sessions.insert_with(&[("id", 7.into())], WriteOptions::default().ttl_seconds(60))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert!(sessions.select((7,)).to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `INSERT … USING`.
    #[doc(alias("USING TTL", "USING TIMESTAMP"))]
    pub fn insert_with(&self, row: &[(&str, CqlValue)], options: WriteOptions) -> Result<()> {
        self.mutate("insert", false, |schema| write::write_row(schema, row, true, options))
    }

    /// Writes columns of a row, given as its columns and their values, the key columns included.
    ///
    /// Unlike after an [`insert`](Self::insert), a row that only updates have written vanishes with its last value.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), and [`Error::Invalid`](crate::Error::Invalid) when no regular column is given.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, CqlValue, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.update(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.update(&[("id", 7.into()), ("name", CqlValue::Null)])?;
    /// assert!(users.select((7,)).to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `UPDATE`.
    #[doc(alias = "UPDATE")]
    pub fn update(&self, row: &[(&str, CqlValue)]) -> Result<()> {
        self.update_with(row, WriteOptions::default())
    }

    /// As [`update`](Self::update), with a time to live or timestamp of its own.
    ///
    /// # Errors
    /// As [`update`](Self::update); [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a time to live over 20
    /// years.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.update(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.update_with(&[("id", 7.into()), ("name", "Old".into())], WriteOptions::default().timestamp(1))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `UPDATE … USING`.
    pub fn update_with(&self, row: &[(&str, CqlValue)], options: WriteOptions) -> Result<()> {
        self.mutate("update", false, |schema| write::write_row(schema, row, false, options))
    }

    /// Deletes a row, given by its primary key: the partition columns' values, then the clustering columns'.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the values are not those of a primary key.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert(&[("id", 7.into())])?;
    /// users.delete_row((7,))?;
    /// assert!(users.scan().to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DELETE`.
    #[doc(alias = "DELETE")]
    pub fn delete_row(&self, primary_key: impl Values) -> Result<()> {
        self.delete_row_with(primary_key, WriteOptions::default())
    }

    /// As [`delete_row`](Self::delete_row), with a timestamp of its own: what was written later stays.
    ///
    /// # Errors
    /// As [`delete_row`](Self::delete_row), and [`Error::Invalid`](crate::Error::Invalid) for a time to live.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert_with(&[("id", 7.into())], WriteOptions::default().timestamp(20))?;
    /// users.delete_row_with((7,), WriteOptions::default().timestamp(19))?;
    /// assert_eq!(users.scan().to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DELETE … USING TIMESTAMP`.
    pub fn delete_row_with(&self, primary_key: impl Values, options: WriteOptions) -> Result<()> {
        let primary_key = primary_key.into_values();
        self.mutate("delete_row", true, |schema| write::delete_row(schema, &primary_key, options))
    }

    /// Deletes the values of `columns` in a row, given by its primary key.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the values are not those of a primary key, or when `columns` is
    /// empty or has a key column; [`Error::NotFound`](crate::Error::NotFound) for an unknown column.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.insert(&[("id", 7.into()), ("name", "Ann".into())])?;
    /// users.delete_columns((7,), &["name"])?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DELETE column, … FROM`.
    #[doc(alias = "DELETE")]
    pub fn delete_columns(&self, primary_key: impl Values, columns: &[&str]) -> Result<()> {
        self.delete_columns_with(primary_key, columns, WriteOptions::default())
    }

    /// As [`delete_columns`](Self::delete_columns), with a timestamp of its own.
    ///
    /// # Errors
    /// As [`delete_columns`](Self::delete_columns), and [`Error::Invalid`](crate::Error::Invalid) for a time to live.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema, WriteOptions}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// let at = |micros| WriteOptions::default().timestamp(micros);
    /// users.insert_with(&[("id", 7.into()), ("name", "Ann".into())], at(20))?;
    /// users.delete_columns_with((7,), &["name"], at(19))?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_columns_with(&self, primary_key: impl Values, columns: &[&str], options: WriteOptions) -> Result<()> {
        let primary_key = primary_key.into_values();
        self.mutate("delete_columns", true, |schema| write::delete_columns(schema, &primary_key, columns, options))
    }

    /// Deletes every row of a partition, given by the value of each partition column.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the values are not those of a partition key.
    ///
    /// # Cost
    /// O(rows of the partition).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// let notes = Store::in_memory().wide_table("shop", "notes");
    /// notes.create(
    ///     TableSchema::new().partition_key("user", CqlType::Int).clustering("n", CqlType::Int, Order::Ascending),
    /// )?;
    /// notes.insert(&[("user", 7.into()), ("n", 1.into())])?;
    /// notes.delete_partition((7,))?;
    /// assert!(notes.select((7,)).to_vec()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DELETE`.
    #[doc(alias = "DELETE")]
    pub fn delete_partition(&self, partition: impl Values) -> Result<()> {
        self.delete_partition_with(partition, WriteOptions::default())
    }

    /// As [`delete_partition`](Self::delete_partition), with a timestamp of its own.
    ///
    /// # Errors
    /// As [`delete_partition`](Self::delete_partition), and [`Error::Invalid`](crate::Error::Invalid) for a time to
    /// live.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema, WriteOptions}};
    /// # let notes = Store::in_memory().wide_table("shop", "notes");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Int);
    /// # notes.create(schema.clustering("n", CqlType::Int, Order::Ascending))?;
    /// for n in [1, 2] {
    ///     let written = WriteOptions::default().timestamp(n.into());
    ///     notes.insert_with(&[("user", 7.into()), ("n", n.into())], written)?;
    /// }
    /// notes.delete_partition_with((7,), WriteOptions::default().timestamp(1))?;
    /// assert_eq!(notes.select((7,)).to_vec()?[0].get("n"), Some(&2.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn delete_partition_with(&self, partition: impl Values, options: WriteOptions) -> Result<()> {
        let partition = partition.into_values();
        self.mutate("delete_partition", true, |schema| write::delete_partition(schema, &partition, options))
    }

    /// Writes what `build` makes. A deletion leaves a mark, and yet is how room is made.
    fn mutate(&self, verb: &'static str, frees: bool, build: impl Fn(&TableSchema) -> Result<Mutation>) -> Result<()> {
        self.scope.write(self.target.operation(verb).freeing(frees), |writer| {
            let definition = self.target.definition(writer)?;
            let mutation = build(&definition.record.schema)?;
            let timestamp = writer.unique_micros()?;
            mutation.apply(writer, &definition, timestamp)
        })
    }
}
