//! What is done to a table through its handle: making it, its indexes, expiry and streams, and removing it.

use crate::catalog::fill;
use crate::catalog::job::Allowance;
use crate::error::Result;
use crate::item::lifecycle::{self, Lifecycle};
use crate::item::request::{
    CreateTable, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, StreamSpecification, StreamViewType,
    TableDescription, UpdateTable, UpdateTimeToLive,
};
use crate::item::{GlobalIndex, ItemTable, TableSchema, build, control};
use crate::txn::{Claim, WriteScope, Writer};

impl<S: WriteScope> ItemTable<S> {
    /// Creates the table.
    ///
    /// # Errors
    /// [`Fault::ResourceInUse`](crate::item::Fault::ResourceInUse) when it exists, whatever its schema; another fault for a
    /// name or schema that no table can have.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// assert!(table.create(TableSchema::new("PK", ScalarAttributeType::S)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `CreateTable`.
    #[doc(alias = "CreateTable")]
    #[expect(clippy::needless_pass_by_value, reason = "a schema is declared in place")]
    pub fn create(&self, schema: TableSchema) -> Result<()> {
        let request = CreateTable::new(self.target.name().to_string(), &schema);
        let schema = request.schema()?;
        self.scope.write(self.target.operation("create"), |writer| {
            control::create(writer, &self.target, &request, &schema, &Lifecycle::default()).map(drop)
        })
    }

    /// Creates the table, unless it exists with the same schema.
    ///
    /// # Errors
    /// As [`ItemTable::create`], when it exists with another.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create_if_absent(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.create_if_absent(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// assert!(table.create_if_absent(TableSchema::new("PK", ScalarAttributeType::N)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a schema is declared in place")]
    pub fn create_if_absent(&self, schema: TableSchema) -> Result<()> {
        let request = CreateTable::new(self.target.name().to_string(), &schema);
        let schema = request.schema()?;
        self.scope.write(self.target.operation("create_if_absent"), |writer| {
            control::create_if_absent(writer, &self.target, &request, &schema)
        })
    }

    /// Removes the table with its items and indexes, and returns whether there was one. Another may be created under its name.
    ///
    /// # Errors
    /// A fault when it is protected against that.
    ///
    /// # Cost
    /// O(log n). Items and index entries are removed in the background, when there are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// assert!(table.delete_table()?);
    /// assert!(!table.delete_table()?, "it is gone");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteTable`.
    #[doc(alias = "DeleteTable")]
    pub fn delete_table(&self) -> Result<bool> {
        self.scope.write(self.target.operation("delete_table").freeing(true), |writer| {
            if self.target.find(writer)?.is_none() {
                return Ok(false);
            }
            control::delete(writer, &self.target, &Lifecycle::default()).map(|_| true)
        })
    }

    /// Has the items of the table expire at the second that their attribute `attribute` says, a number of seconds since
    /// 1970. They are removed in the background some time after that, and until then are returned.
    ///
    /// # Errors
    /// A fault when they expire already, by this attribute or another.
    ///
    /// # Cost
    /// O(n) for n items, in the background when they are many.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use larder::{ManualClock, Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let sessions = store.item_table("Sessions");
    /// sessions.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// sessions.expire_by("until")?;
    /// sessions.put(&Item::from([("id", "a")]).with("until", 60))?;
    /// store.manual_clock().expect("it has one").advance(Duration::from_secs(61));
    /// assert!(sessions.get("a")?.is_some(), "not yet swept");
    /// store.sweep_expired()?;
    /// assert!(sessions.get("a")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTimeToLive`.
    #[doc(alias("UpdateTimeToLive", "TTL"))]
    pub fn expire_by(&self, attribute: impl Into<String>) -> Result<()> {
        self.update_time_to_live(attribute.into(), true)
    }

    /// Has items of the table no longer expire by `attribute`.
    ///
    /// # Errors
    /// A fault when they do not.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// # let sessions = Store::in_memory().item_table("Sessions");
    /// # sessions.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// sessions.expire_by("until")?;
    /// sessions.stop_expiring_by("until")?;
    /// assert!(sessions.stop_expiring_by("until").is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTimeToLive`.
    pub fn stop_expiring_by(&self, attribute: impl Into<String>) -> Result<()> {
        self.update_time_to_live(attribute.into(), false)
    }

    fn update_time_to_live(&self, attribute_name: String, enabled: bool) -> Result<()> {
        let request = UpdateTimeToLive { table_name: self.target.name().to_string(), attribute_name, enabled };
        self.scope.write(self.target.operation("update_time_to_live"), |writer| {
            control::update_time_to_live(writer, &self.target, &request, &mut Allowance::of_step())
        })
    }

    /// Gives the table a stream, whose records show `view`, and returns its ARN.
    ///
    /// # Errors
    /// A fault when the table has one.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{ScalarAttributeType, TableSchema, request::StreamViewType}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// let arn = table.enable_stream(StreamViewType::NewAndOldImages)?;
    /// assert!(arn.contains("table/Users/stream/"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTable`: `StreamSpecification`.
    #[doc(alias = "StreamSpecification")]
    pub fn enable_stream(&self, view: StreamViewType) -> Result<String> {
        let stream = StreamSpecification { stream_enabled: true, stream_view_type: Some(view) };
        let described = self.update_stream(stream)?;
        Ok(described.latest_stream_arn.unwrap_or_default())
    }

    /// Takes the stream from the table. What it has can be read for another day.
    ///
    /// # Errors
    /// A fault when the table has none.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{ScalarAttributeType, TableSchema, request::StreamViewType}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// table.enable_stream(StreamViewType::KeysOnly)?;
    /// table.disable_stream()?;
    /// assert!(table.disable_stream().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTable`: `StreamSpecification`.
    pub fn disable_stream(&self) -> Result<()> {
        self.update_stream(StreamSpecification::default()).map(drop)
    }

    fn update_stream(&self, stream: StreamSpecification) -> Result<TableDescription> {
        let table_name = self.target.name().to_string();
        let request = UpdateTable { table_name, stream_specification: Some(stream), ..UpdateTable::default() };
        request.check()?;
        self.scope.write(self.target.operation("update_stream"), |writer| {
            control::update(writer, &self.target, &request, &Lifecycle::default(), &mut Allowance::of_step())
        })
    }

    /// Adds a global index to the table, and returns when it can be queried. When the table has it, nothing happens.
    ///
    /// Of items that are there already, those whose key attributes the index cannot hold are left out of it; items that are put
    /// from now on are refused then.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the table has another index of that name; an
    /// [`Error::Item`](crate::Error::Item) for an index that the table cannot have, when the table does not exist, and when
    /// somebody removed the index meanwhile.
    ///
    /// # Atomicity and cost
    /// O(n log n) for n items. On the store in commits of bounded size, between which others have their turns; what is not done
    /// when the process ends is done in the background later. In a transaction it is part of it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
    /// let table = Store::in_memory().item_table("Users");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// table.add_index(GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S))?;
    /// assert_eq!(table.query(key("mail").eq("a@example.org")).index("by-mail").to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTable` with `GlobalSecondaryIndexUpdates`.
    #[doc(alias("UpdateTable", "CreateGlobalSecondaryIndexAction"))]
    #[expect(clippy::needless_pass_by_value, reason = "an index is declared in place")]
    pub fn add_index(&self, index: GlobalIndex) -> Result<()> {
        self.check_index(&index)?;
        let waits_on = self.scope.auto_commit();
        loop {
            // Claimed before others see the job: what goes wrong with it is for this thread to know.
            let mut claim: Option<Claim<'_>> = None;
            let added = self.scope.write(self.target.operation("add_index"), |writer| {
                claim = None;
                let Some(store) = waits_on else {
                    let (added, _) = self.add(writer, &index, &mut Allowance::unbounded())?;
                    // Another one's may be half filled.
                    build::advance(writer, &self.target, index.name(), &mut Allowance::unbounded())?;
                    return Ok((added, true));
                };
                let (added, is_new) = self.add(writer, &index, &mut Allowance::of_step())?;
                if is_new && !added.is_complete {
                    claim = store.core().claims().try_claim(&added.entries);
                }
                Ok((added, is_new))
            })?;
            let (added, is_new) = added;
            let Some(store) = waits_on.filter(|_| !added.is_complete) else { return Ok(()) };
            let claim = claim.take().unwrap_or_else(|| store.core().claims().claim(&added.entries));
            let outcome = fill::run(store.core(), &added.entries, build::FILLING);
            drop(claim);
            // Another one's index that could not be built is added again, and the error found out about.
            if is_new {
                outcome?;
                // Unless it was removed while it was being filled.
                return self.index_status(index.name()).map(drop);
            }
        }
    }

    /// As [`ItemTable::add_index`], and returns at once: the index is filled in the background, or by
    /// [`Store::run_jobs`](crate::Store::run_jobs) on a clock that is turned by hand. Until then it is kept up to date and
    /// cannot be queried. A table with few items has a complete one at once.
    ///
    /// # Errors
    /// As [`ItemTable::add_index`].
    ///
    /// # Cost
    /// O(log n), and what a step of a job costs.
    ///
    /// # Examples
    /// ```
    /// use larder::{ManualClock, Store, item::{GlobalIndex, IndexStatus, Item, ScalarAttributeType, TableSchema}};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let table = store.item_table("Numbers");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::N))?;
    /// for n in 0..2_000 {
    ///     table.put(&Item::from([("PK", n), ("half", n / 2)]))?;
    /// }
    /// table.add_index_in_background(GlobalIndex::new("by-half", "half", ScalarAttributeType::N))?;
    /// assert_eq!(table.index_status("by-half")?, IndexStatus::Creating);
    /// store.run_jobs()?;
    /// assert_eq!(table.index_status("by-half")?, IndexStatus::Active);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTable` with `GlobalSecondaryIndexUpdates`.
    #[expect(clippy::needless_pass_by_value, reason = "an index is declared in place")]
    pub fn add_index_in_background(&self, index: GlobalIndex) -> Result<()> {
        self.check_index(&index)?;
        let add = |writer: &mut _| self.add(writer, &index, &mut Allowance::of_step());
        self.scope.write(self.target.operation("add_index"), add).map(drop)
    }

    /// Refuses an index that no table could have.
    fn check_index(&self, index: &GlobalIndex) -> Result<()> {
        let asked = GlobalSecondaryIndex::from(index);
        let request = UpdateTable {
            table_name: self.target.name().to_string(),
            attribute_definitions: index.definitions(),
            global_secondary_index_updates: Some(vec![GlobalSecondaryIndexUpdate::Create(asked.clone())]),
            ..UpdateTable::default()
        };
        request.check()?;
        request.new_index(&asked).map(drop)
    }

    /// Adds `index` as far as the allowance goes, and says whether it was not there before.
    pub(super) fn add(
        &self,
        writer: &mut Writer,
        index: &GlobalIndex,
        allowance: &mut Allowance,
    ) -> Result<(build::Added, bool)> {
        lifecycle::check_idle(writer, &self.target, self.target.definition(writer)?.as_ref(), false)?;
        if let Some(there) = build::there(writer, &self.target, index)? {
            return Ok((there, false));
        }
        control::check_new_index(&self.target.definition(writer)?, index)?;
        Ok((build::add(writer, &self.target, index.clone(), allowance)?, true))
    }

    /// Removes the global index `name`, complete or not, and returns whether there was one.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`](crate::item::Fault::ResourceNotFound) when the table does not exist.
    ///
    /// # Cost
    /// O(log n). Its entries are removed in the background, when there are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.add_index(GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S))?;
    /// assert!(table.remove_index("by-mail")?);
    /// assert!(!table.remove_index("by-mail")?, "it is gone");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteGlobalSecondaryIndexAction`.
    #[doc(alias = "DeleteGlobalSecondaryIndexAction")]
    pub fn remove_index(&self, name: &str) -> Result<bool> {
        self.scope.write(self.target.operation("remove_index").freeing(true), |writer| {
            lifecycle::check_idle(writer, &self.target, self.target.definition(writer)?.as_ref(), false)?;
            build::remove(writer, &self.target, name)
        })
    }
}
