//! Definitions of tables, made and changed.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::txn::{WriteScope, Writer};
use crate::wide_column::schema::{ColumnKind, IndexTarget, NewIndex, TableOptions, TableSchema};
use crate::wide_column::table::WideTable;
use crate::wide_column::types::CqlType;

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
    #[expect(clippy::needless_pass_by_value, reason = "a type is built in place")]
    #[doc(alias = "ALTER TABLE")]
    pub fn add_column(&self, name: &str, column_type: CqlType) -> Result<bool> {
        self.scope.write(self.target.operation("add_column"), |writer| {
            self.target.alter(writer, |table| table.add_column(name, column_type.clone(), ColumnKind::Regular))
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
        let set = |writer: &mut Writer| {
            self.target.alter(writer, |table| {
                table.set_options(|options| options.default_time_to_live = seconds).map(|()| true)
            })
        };
        self.scope.write(self.target.operation("set_default_ttl"), set).map(drop)
    }

    /// Adds a static column; partitions have no value in it yet. Returns whether it is new.
    ///
    /// # Errors
    /// As [`add_column`](Self::add_column); [`Error::Invalid`](crate::Error::Invalid) for a table without clustering columns.
    ///
    /// # Cost
    /// O(log n): rows are as they were.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// let notes = Store::in_memory().wide_table("shop", "notes");
    /// let schema = TableSchema::new().partition_key("user", CqlType::Int);
    /// notes.create(schema.clustering("n", CqlType::Int, Order::Ascending))?;
    /// assert!(notes.add_static_column("name", CqlType::Text)?);
    /// notes.change((7,)).set("name", "Ann").execute()?;
    /// assert_eq!(notes.select((7,)).to_vec()?[0].get("name"), Some(&"Ann".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a type is built in place")]
    #[doc(alias = "ALTER TABLE")]
    pub fn add_static_column(&self, name: &str, column_type: CqlType) -> Result<bool> {
        self.scope.write(self.target.operation("add_column"), |writer| {
            self.target.alter(writer, |table| table.add_column(name, column_type.clone(), ColumnKind::Static))
        })
    }

    /// Changes options of the table.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) for values that no table can
    /// have; [`Error::NotFound`](crate::Error::NotFound) when there is no table.
    ///
    /// # Cost
    /// O(log n): rows are as they were. What is deleted already keeps the moment for which it was scheduled.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int).column("name", CqlType::Text))?;
    /// users.set_options(|options| options.gc_grace_seconds = 60)?;
    /// assert_eq!(users.schema()?.options().gc_grace_seconds, 60);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `ALTER TABLE WITH`.
    #[doc(alias = "ALTER TABLE")]
    pub fn set_options(&self, mut change: impl FnMut(&mut TableOptions)) -> Result<()> {
        let set = |writer: &mut Writer| {
            self.target.alter(writer, |table| table.set_options(|options| change(options)).map(|()| true))
        };
        self.scope.write(self.target.operation("set_options"), set).map(drop)
    }

    /// Creates a secondary index of a column, of the key or not, or of the elements, keys or entries of a collection. When there is one
    /// of that name with the same definition nothing happens.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown table or column;
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the table has another index of that name;
    /// [`Error::Invalid`](crate::Error::Invalid) for a column that does not have what is to be indexed, is a counter, a vector, or a
    /// lone partition column; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for the name.
    ///
    /// # Cost
    /// O(log n). Rows that are there are entered in the background when they are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)); until then [`select_by_index`](Self::select_by_index) does not know the index.
    /// Every write of a row costs a lookup in memory more, and an entry for each value that changes. An index of a static column has an
    /// entry for each partition.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, IndexTarget, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// let schema = TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text);
    /// users.create(schema.column("tags", CqlType::set(CqlType::Text)))?;
    /// users.create_index("users_city", "city", IndexTarget::Value)?;
    /// users.create_index("users_tags", "tags", IndexTarget::Elements)?;
    /// users.insert(&[("id", 7.into()), ("city", "Graz".into())])?;
    /// assert_eq!(users.select_by_index("users_city", "Graz").to_vec()?.len(), 1);
    /// assert_eq!(users.select_by_index("users_tags", "new").to_vec()?.len(), 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// CQL reference, `CREATE INDEX`.
    #[doc(alias = "CREATE INDEX")]
    pub fn create_index(&self, name: &str, column: &str, target: IndexTarget) -> Result<()> {
        self.scope.write(self.target.operation("create_index"), |writer| {
            let (class, options) = ("", BTreeMap::new());
            self.target.create_index(writer, &NewIndex { name, column, target, class, options })
        })
    }

    /// Drops an index, and returns whether there was one.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no table.
    ///
    /// # Cost
    /// O(log n). Its entries are removed in the background when they are many.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, IndexTarget, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int).column("city", CqlType::Text))?;
    /// users.create_index("users_city", "city", IndexTarget::Value)?;
    /// assert!(users.drop_index("users_city")? && !users.drop_index("users_city")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "DROP INDEX")]
    pub fn drop_index(&self, name: &str) -> Result<bool> {
        self.scope
            .write(self.target.operation("drop_index").freeing(true), |writer| self.target.drop_index(writer, name))
    }
}
