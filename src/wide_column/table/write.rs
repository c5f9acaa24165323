//! Writes to tables.

use std::sync::Arc;

use crate::error::Result;
use crate::txn::WriteScope;
use crate::wide_column::bind;
use crate::wide_column::change::RowChange;
use crate::wide_column::options::WriteOptions;
use crate::wide_column::schema::Definition;
use crate::wide_column::table::WideTable;
use crate::wide_column::value::{CqlValue, Values};
use crate::wide_column::write::execute;
use crate::wide_column::write::plan::Plan;

impl<S: WriteScope> WideTable<S> {
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
    /// One lookup of the row and one write of O(log n), and the size of the row; up to two lookups more where partitions or ranges of
    /// the table have been deleted. [`PreparedInsert`](crate::wide_column::PreparedInsert) saves looking up the names.
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
        self.mutate("insert", false, |table| bind::write_row(table, row, true, options))
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
        self.mutate("update", false, |table| bind::write_row(table, row, false, options))
    }

    /// A change of a row, given by its primary key, column by column or element by element; of the static columns of a partition,
    /// given by its partition key.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.change((7,)).set("name", "Ann").execute()?;
    /// assert_eq!(users.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "UPDATE")]
    pub fn change(&self, key: impl Values) -> RowChange<S> {
        RowChange::new(self.scope.clone(), Arc::clone(&self.target), key.into_values())
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
        self.mutate("delete_row", true, |table| bind::delete_row(table, &primary_key, options))
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
        self.mutate("delete_columns", true, |table| bind::delete_columns(table, &primary_key, columns, options))
    }

    /// Deletes every row of a partition, given by the value of each partition column.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the values are not those of a partition key.
    ///
    /// # Cost
    /// O(log n), however many rows there are; they are removed in the background when they are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
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
        self.mutate("delete_partition", true, |table| bind::delete_partition(table, &partition, options))
    }

    /// Writes what `build` makes. A deletion leaves a mark, and yet is how room is made.
    fn mutate(&self, verb: &'static str, frees: bool, build: impl Fn(&Definition) -> Result<Plan>) -> Result<()> {
        self.scope.write(self.target.operation(verb).freeing(frees), |writer| {
            let definition = self.target.definition(writer)?;
            execute(writer, &[build(&definition)?], None).map(drop)
        })
    }
}
