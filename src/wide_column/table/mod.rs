//! The handle of a table.

mod define;
mod view;
mod write;

use std::sync::Arc;

use crate::error::Result;
use crate::txn::{AutoCommit, Scope, View};
use crate::wide_column::prepared::PreparedInsert;
use crate::wide_column::schema::{Definition, TableSchema};
use crate::wide_column::select::{PreparedGet, Select};
use crate::wide_column::target::Target;
use crate::wide_column::value::{CqlValue, Values};
use crate::wide_column::write::plan::Plan;

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

    /// Checks a query of single rows by their whole primary keys once, to be run with many. It asks for `columns`, or for all when
    /// none is named.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown table or column.
    ///
    /// # Examples
    /// See [`PreparedGet`].
    #[doc(alias("prepare", "PreparedStatement"))]
    pub fn prepare_get(&self, columns: &[&str]) -> Result<PreparedGet<S>> {
        self.read("prepare_get", |view| {
            let definition = self.target.definition(view)?;
            PreparedGet::new(self.scope.clone(), Arc::clone(&self.target), definition, columns)
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
        Select::of_partitions(self.scope.clone(), Arc::clone(&self.target), vec![partition.into_values()])
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
        Select::of_all(self.scope.clone(), Arc::clone(&self.target))
    }

    /// A query of the rows of several partitions, in the order in which they are given, each once.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// for id in 1..=3 {
    ///     users.insert(&[("id", id.into())])?;
    /// }
    /// let rows = users.select_all([(3,), (1,), (3,)]).to_vec()?;
    /// assert!(rows.iter().filter_map(|row| row.get("id")).eq([&3.into(), &1.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "IN")]
    pub fn select_all(&self, partitions: impl IntoIterator<Item = impl Values>) -> Select<S> {
        let partitions = partitions.into_iter().map(Values::into_values).collect();
        Select::of_partitions(self.scope.clone(), Arc::clone(&self.target), partitions)
    }

    /// A query of the rows that the index `name` has under a value: of the column, or of what of it is indexed.
    ///
    /// # Examples
    /// See [`create_index`](Self::create_index).
    pub fn select_by_index(&self, name: &str, value: impl Into<CqlValue>) -> Select<S> {
        Select::of_index(self.scope.clone(), Arc::clone(&self.target), name, value.into())
    }

    /// A checked write to the table as `view` of the handle's own scope has it, for a batch.
    pub(super) fn check(&self, build: impl FnOnce(&Definition) -> Result<Plan>) -> Result<(Arc<Target>, Plan)> {
        self.read("prepare", |view| Ok((Arc::clone(&self.target), build(&self.target.definition(view)?)?)))
    }

    pub(super) fn read<R>(&self, verb: &'static str, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        self.scope.read(self.target.operation(verb), body)
    }
}
