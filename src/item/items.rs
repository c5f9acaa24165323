//! The handle over all item tables of an account and a region.

use std::sync::Arc;

use crate::error::Result;
use crate::item::lifecycle::Lifecycle;
use crate::item::place::Place;
use crate::item::reads::read;
use crate::item::request::{
    BatchGetItem, BatchGetItemOutput, BatchWriteItem, BatchWriteItemOutput, DeleteItem, GetItem, GetItemOutput,
    PutItem, Query, ReadOutput, Scan, TransactGetItems, TransactGetItemsOutput, TransactWriteItems,
    TransactWriteItemsOutput, UpdateItem, WriteItemOutput,
};
use crate::item::state::{BatchAdmission, Tables};
use crate::item::target::Target;
use crate::item::{ItemTable, run_batch, run_item, run_read, run_transact};
use crate::txn::{AtSnapshot, AutoCommit, Operation, Scope, View, WriteScope};

/// All item tables of an account and a region, on the store, in a transaction or on a snapshot. Cheap to clone.
///
/// Given by [`Store::items`](crate::Store::items). Every operation of the API that this model has is a method here, which
/// takes the operation's request ([`request`](crate::item::request)). What is done to one table is said more shortly by
/// its [`ItemTable`].
///
/// # Errors
/// What is wrong with a request is an [`Error::Item`](crate::Error::Item) with a [`Fault`](crate::item::Fault); of several
/// faults the one that the service would name.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, request::PutItem}};
/// let store = Store::in_memory();
/// store.item_table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
/// let put = PutItem { table_name: "Users".into(), item: Item::from([("id", "a")]), ..PutItem::default() };
/// store.items().put_item(&put)?;
/// let elsewhere = store.items().at("111122223333", "eu-west-1");
/// assert!(elsewhere.put_item(&put).is_err(), "there is no such table there");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference.
#[derive(Clone, Debug)]
pub struct Items<S = AutoCommit> {
    pub(super) scope: S,
    pub(super) place: Place,
    /// How long what is done to tables takes.
    pub(super) lifecycle: Lifecycle,
    /// The folder of buckets.
    #[cfg(feature = "exports")]
    pub(super) buckets: Option<Arc<std::path::Path>>,
}

impl<S: Scope> Items<S> {
    pub(crate) fn new(scope: S) -> Self {
        Self {
            scope,
            place: Place::default(),
            lifecycle: Lifecycle::default(),
            #[cfg(feature = "exports")]
            buckets: None,
        }
    }

    /// The tables of `account`, twelve digits, in `region`. Those of [`Store::items`](crate::Store::items) are in
    /// `us-east-1`, of account `000000000000`.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let items = Store::in_memory().items().at("111122223333", "eu-west-1");
    /// items.table("Users").create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// assert_eq!(items.describe_table("Users")?.table_arn, "arn:aws:dynamodb:eu-west-1:111122223333:table/Users");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn at(mut self, account: impl Into<String>, region: impl Into<String>) -> Self {
        self.place = Place { account: account.into(), region: region.into() };
        self
    }

    /// These tables, with requests to make, change and remove them taking as long as `lifecycle` says by the store's
    /// clock. Until that time is over a table is described as `CREATING`, `UPDATING` or `DELETING`, and so are indexes
    /// that are added and removed; what cannot be done meanwhile is refused as by the service. An [`ItemTable`] is told of
    /// what is going on, too, but what it does itself is done at once, because it returns when it is done.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use larder::{ManualClock, Store, item::{Lifecycle, ScalarAttributeType, TableSchema}};
    /// use larder::item::request::{CreateTable, TableStatus};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let items = store.items().lifecycle(Lifecycle::of(Duration::from_secs(5)));
    /// items.create_table(&CreateTable::new("Users", &TableSchema::new("id", ScalarAttributeType::S)))?;
    /// assert_eq!(items.describe_table("Users")?.table_status, TableStatus::Creating);
    /// assert!(items.delete_table("Users").is_err(), "not yet");
    /// store.manual_clock().expect("it has one").advance(Duration::from_secs(5));
    /// assert_eq!(items.describe_table("Users")?.table_status, TableStatus::Active);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `CreateTable`, `UpdateTable` and `DeleteTable`.
    #[must_use]
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// The table `name`, which need not exist.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let users = Store::in_memory().items().table("Users");
    /// users.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn table(&self, name: &str) -> ItemTable<S> {
        ItemTable::new(self.scope.clone(), self.place.clone(), name)
    }

    /// Reads an item; see [`GetItem`].
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// ```
    /// use larder::item::request::GetItem;
    /// let get = GetItem { table_name: "Nowhere".into(), ..GetItem::default() };
    /// assert!(larder::Store::in_memory().items().get_item(&get).is_err());
    /// ```
    pub fn get_item(&self, request: &GetItem) -> Result<GetItemOutput> {
        let prepared = request.prepare()?;
        self.read("get_item", &request.table_name, request.consistent_read, |names, items| {
            run_item::get(names, items, &*self.target(names, &request.table_name)?, request, &prepared)
        })
    }

    /// Reads items of one partition key; see [`Query`].
    ///
    /// # Cost
    /// O(log n + k) for k items read.
    ///
    /// # Examples
    /// ```
    /// let query = larder::item::request::Query::default();
    /// assert!(larder::Store::in_memory().items().query(&query).is_err(), "of which table?");
    /// ```
    pub fn query(&self, request: &Query) -> Result<ReadOutput> {
        let prepared = request.prepare()?;
        self.read("query", &request.table_name, request.consistent_read, |names, items| {
            run_read::query(names, items, &*self.target(names, &request.table_name)?, request, &prepared)
        })
    }

    /// Reads every item, or those of a segment; see [`Scan`].
    ///
    /// # Cost
    /// O(log n + k) for k items read.
    ///
    /// # Examples
    /// ```
    /// let scan = larder::item::request::Scan::default();
    /// assert!(larder::Store::in_memory().items().scan(&scan).is_err(), "of which table?");
    /// ```
    pub fn scan(&self, request: &Scan) -> Result<ReadOutput> {
        let prepared = request.prepare()?;
        self.read("scan", &request.table_name, request.consistent_read, |names, items| {
            run_read::scan(names, items, &*self.target(names, &request.table_name)?, request, &prepared)
        })
    }

    /// Reads items of any tables; see [`BatchGetItem`].
    ///
    /// # Cost
    /// As that many reads. Up to 16 MB are returned; what is more comes back unprocessed.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::BatchGetItem::default();
    /// assert!(larder::Store::in_memory().items().batch_get_item(&nothing).is_err());
    /// ```
    pub fn batch_get_item(&self, request: &BatchGetItem) -> Result<BatchGetItemOutput> {
        let prepared = request.prepare()?;
        // Each table says for itself whether the newest state has to be read; one that has to decides for all.
        let is_consistent = request.request_items.values().any(|keys| keys.consistent_read);
        self.read("batch_get_item", "", is_consistent, |names, items| {
            run_batch::get(names, items, &self.place, request, &prepared)
        })
    }

    /// Reads items of any tables, as they are at one moment; see [`TransactGetItems`].
    ///
    /// # Cost
    /// As that many reads.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::TransactGetItems::default();
    /// assert!(larder::Store::in_memory().items().transact_get_items(&nothing).is_err());
    /// ```
    pub fn transact_get_items(&self, request: &TransactGetItems) -> Result<TransactGetItemsOutput> {
        let prepared = request.prepare()?;
        self.read("transact_get_items", "", true, |names, items| {
            run_transact::get(names, items, &self.place, request, &prepared)
        })
    }

    /// The target of the table `name`, by name or ARN, which was checked.
    pub(super) fn target(&self, view: &View, name: &str) -> Result<Arc<Target>> {
        let (place, name) = self.place.resolve(name)?;
        Ok(view.state::<Tables>().target(&place, &name))
    }

    pub(super) fn read<R>(
        &self,
        verb: &'static str,
        table: &str,
        is_consistent: bool,
        body: impl FnOnce(&View, &View) -> Result<R>,
    ) -> Result<R> {
        read(&self.scope, Operation::new("item", verb, table), is_consistent, body)
    }
}

impl Items<AutoCommit> {
    /// Serves reads that may be eventual from `snapshot` from now on, and from the newest state again when that is
    /// `None`. This is for testing callers: the service promises no more, and never does it when one looks.
    ///
    /// It concerns reads without `consistent_read` on the whole store, outside of transactions and snapshots: gets,
    /// queries, scans and batches, of indexes too. What names mean, and consistent reads, are always the newest.
    ///
    /// # Cost
    /// O(1). The snapshot keeps what it shows.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// let store = Store::in_memory();
    /// let users = store.item_table("Users");
    /// users.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// store.items().lag(Some(&store.snapshot()?.items()))?;
    /// users.put(&Item::from([("id", "a")]))?;
    /// assert!(users.get("a")?.is_none(), "an eventual read");
    /// assert!(users.get_item("a").consistent().run()?.is_some());
    /// store.items().lag(None)?;
    /// assert!(users.get("a")?.is_some());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` Developer Guide, *DynamoDB read consistency*.
    pub fn lag(&self, snapshot: Option<&Items<AtSnapshot>>) -> Result<()> {
        let snapshot = snapshot.map(|items| Arc::clone(items.scope.snapshot()));
        self.scope.read(Operation::new("item", "lag", ""), |view| {
            view.state::<Tables>().set_lag(snapshot);
            Ok(())
        })
    }

    /// Has `admit` decide which entries of batches are processed, by the name of the table and the place of the entry in
    /// the call; all are again when that is `None`.
    ///
    /// This simulates tables that throttle, on the whole store, so that a caller can test the code that sends
    /// unprocessed entries again. `admit` is called once for each entry, before the call checks or writes anything.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, WriteRequest}};
    /// let store = Store::in_memory();
    /// let table = store.item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// store.items().admit_batches(Some(std::sync::Arc::new(|_, place| place % 2 == 0)))?;
    /// let mut requests: Vec<_> = ["a", "b", "c", "d"].map(|id| WriteRequest::put(Item::from([("PK", id)]))).into();
    /// let mut calls = 0;
    /// while !requests.is_empty() {
    ///     requests = table.batch_write(requests)?.unprocessed;
    ///     calls += 1;
    /// }
    /// assert_eq!(calls, 3, "4, then 2, then 1");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn admit_batches(&self, admit: Option<BatchAdmission>) -> Result<()> {
        self.scope.read(Operation::new("item", "admit_batches", ""), |view| {
            view.state::<Tables>().set_admission(admit);
            Ok(())
        })
    }
}

impl<S: WriteScope> Items<S> {
    /// Puts an item; see [`PutItem`].
    ///
    /// # Cost
    /// O(log n) for the table, and again for each index entry that changes.
    ///
    /// # Examples
    /// ```
    /// let put = larder::item::request::PutItem::default();
    /// assert!(larder::Store::in_memory().items().put_item(&put).is_err(), "into which table?");
    /// ```
    pub fn put_item(&self, request: &PutItem) -> Result<WriteItemOutput> {
        let prepared = request.prepare()?;
        self.scope.write(Operation::new("item", "put_item", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            run_item::put(writer, &target, request, &prepared)
        })
    }

    /// Changes attributes of an item; see [`UpdateItem`].
    ///
    /// # Cost
    /// As a put.
    ///
    /// # Examples
    /// ```
    /// let update = larder::item::request::UpdateItem::default();
    /// assert!(larder::Store::in_memory().items().update_item(&update).is_err(), "in which table?");
    /// ```
    pub fn update_item(&self, request: &UpdateItem) -> Result<WriteItemOutput> {
        let prepared = request.prepare()?;
        self.scope.write(Operation::new("item", "update_item", &request.table_name), |writer| {
            let target = self.target(writer, &request.table_name)?;
            run_item::update(writer, &target, request, &prepared)
        })
    }

    /// Removes an item; see [`DeleteItem`].
    ///
    /// # Cost
    /// O(log n) for the table and each index.
    ///
    /// # Examples
    /// ```
    /// let delete = larder::item::request::DeleteItem::default();
    /// assert!(larder::Store::in_memory().items().delete_item(&delete).is_err(), "from which table?");
    /// ```
    pub fn delete_item(&self, request: &DeleteItem) -> Result<WriteItemOutput> {
        let prepared = request.prepare()?;
        self.scope.write(Operation::new("item", "delete_item", &request.table_name).freeing(true), |writer| {
            let target = self.target(writer, &request.table_name)?;
            run_item::delete(writer, &target, request, &prepared)
        })
    }

    /// Puts and deletes items of any tables; see [`BatchWriteItem`].
    ///
    /// # Atomicity and cost
    /// What is processed is one commit, which the service does not promise. As that many puts.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::BatchWriteItem::default();
    /// assert!(larder::Store::in_memory().items().batch_write_item(&nothing).is_err());
    /// ```
    pub fn batch_write_item(&self, request: &BatchWriteItem) -> Result<BatchWriteItemOutput> {
        request.check()?;
        let admitted = self
            .scope
            .read(Operation::new("item", "batch_write_item", ""), |view| Ok(run_batch::admit(view, request)))?;
        let operation = Operation::new("item", "batch_write_item", "").freeing(request.only_deletes());
        self.scope.write(operation, |writer| run_batch::write(writer, &self.place, request, &admitted))
    }

    /// Writes items of any tables, or none of them; see [`TransactWriteItems`].
    ///
    /// # Atomicity and cost
    /// One commit. As that many updates.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::TransactWriteItems::default();
    /// assert!(larder::Store::in_memory().items().transact_write_items(&nothing).is_err());
    /// ```
    pub fn transact_write_items(&self, request: &TransactWriteItems) -> Result<TransactWriteItemsOutput> {
        let prepared = request.prepare()?;
        self.scope.write(Operation::new("item", "transact_write_items", ""), |writer| {
            run_transact::write(writer, &self.place, request, &prepared)
        })
    }
}
