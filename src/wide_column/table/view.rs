//! Materialized views, made and changed.

use crate::error::Result;
use crate::txn::WriteScope;
use crate::wide_column::schema::{TableOptions, ViewSchema};
use crate::wide_column::table::WideTable;

impl<S: WriteScope> WideTable<S> {
    /// Creates a materialized view of the table: a table `name` of the same keyspace that has the rows of this one by another key.
    /// Nothing happens when there is the same view.
    ///
    /// The view is read as any table, by a handle of its own, and cannot be written to: every write to this table keeps it, and so does
    /// what expires and is deleted. Values have the times that they have here. Rows that are there are shown at once when they are few;
    /// when they are many, a job does it, and until it is done the view has some of them only
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// While the table has views, it cannot be dropped, nor can columns of it.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no table, [`Error::AlreadyExists`](crate::Error::AlreadyExists) when
    /// `name` is that of something else, [`Error::Invalid`](crate::Error::Invalid) in Cassandra's words for what no view can be: one
    /// whose key lacks a column of this table's key, or has more than one that is not of it; of counters, of static columns, of
    /// another view.
    ///
    /// # Cost
    /// O(rows) when they are few, else O(log n). From then on each write of a row writes the view's row too, and removes the one it had
    /// when its key has changed. Where partitions or ranges of this table were deleted lately, each row of the view costs up to two
    /// lookups more.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Order, TableSchema, ViewSchema}};
    /// let store = Store::in_memory();
    /// let users = store.wide_table("shop", "users");
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text);
    /// users.create(schema.column("name", CqlType::Text))?;
    /// users.create_view("users_by_city", &ViewSchema::new().partition_key("city").clustering("id", Order::Ascending))?;
    ///
    /// users.insert(&[("id", 7.into()), ("city", "Graz".into()), ("name", "Ann".into())])?;
    /// let by_city = store.wide_table("shop", "users_by_city");
    /// assert_eq!(by_city.select(("Graz",)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    ///
    /// users.update(&[("id", 7.into()), ("city", "Linz".into())])?;
    /// assert!(by_city.select(("Graz",)).to_vec()?.is_empty());
    /// assert!(by_city.insert(&[("city", "Graz".into()), ("id", 8.into())]).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `CREATE MATERIALIZED VIEW`.
    #[doc(alias = "CREATE MATERIALIZED VIEW")]
    pub fn create_view(&self, name: &str, schema: &ViewSchema) -> Result<()> {
        self.scope.write(self.target.operation("create_view"), |writer| self.target.create_view(writer, name, schema))
    }

    /// Drops the materialized view that this is, and returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a table that is no view.
    ///
    /// # Cost
    /// O(log n). Its rows are removed in the background when they are many.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Order, TableSchema, ViewSchema}};
    /// let store = Store::in_memory();
    /// let users = store.wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text))?;
    /// users.create_view("users_by_city", &ViewSchema::new().partition_key("city").clustering("id", Order::Ascending))?;
    /// assert!(users.drop_table().is_err());
    /// assert!(store.wide_table("shop", "users_by_city").drop_view()?);
    /// assert!(users.drop_table()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `DROP MATERIALIZED VIEW`.
    #[doc(alias = "DROP MATERIALIZED VIEW")]
    pub fn drop_view(&self) -> Result<bool> {
        self.scope.write(self.target.operation("drop_view").freeing(true), |writer| self.target.drop_view(writer))
    }

    /// Changes options of the materialized view that this is.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is none, [`Error::Invalid`](crate::Error::Invalid) for a table that is
    /// no view and for options that none can have: a default time to live, or no `gc_grace_seconds`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, Order, TableSchema, ViewSchema}};
    /// let store = Store::in_memory();
    /// let users = store.wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text))?;
    /// users.create_view("users_by_city", &ViewSchema::new().partition_key("city").clustering("id", Order::Ascending))?;
    /// let by_city = store.wide_table("shop", "users_by_city");
    /// by_city.set_view_options(|options| options.comment = "who lives where".to_owned())?;
    /// assert_eq!(by_city.schema()?.options().comment, "who lives where");
    /// assert!(by_city.set_view_options(|options| options.default_time_to_live = 60).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER MATERIALIZED VIEW`.
    #[doc(alias = "ALTER MATERIALIZED VIEW")]
    pub fn set_view_options(&self, mut change: impl FnMut(&mut TableOptions)) -> Result<()> {
        self.scope.write(self.target.operation("set_view_options"), |writer| {
            self.target.set_view_options(writer, &mut change)
        })
    }
}
