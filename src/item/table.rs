//! The handle of an item table.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::item::check::{PreparedGet, PreparedWrite, check_batch_count};
use crate::item::describe::item_of;
use crate::item::place::{Place, check_table_name};
use crate::item::query::KeyExpression;
use crate::item::reads::read;
use crate::item::record::RecordRef;
use crate::item::request::{DeleteItem, GetItem, IndexStatus, PutItem, ReturnValues, TableDescription};
use crate::item::run_item::KeyOf;
use crate::item::target::Target;
use crate::item::{
    BatchWriteOutcome, DeleteBuilder, Fault, GetBuilder, Item, Key, PutBuilder, Query, RequestFault, TableSchema,
    UpdateBuilder, WriteRequest, build, description, run_batch, run_item,
};
use crate::limits;
use crate::txn::{AutoCommit, Scope, View, WriteScope};

/// The first wait between two attempts of [`ItemTable::batch_write_all`]; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// How often it tries what comes back unprocessed.
const BATCH_ATTEMPTS_MAX: u32 = 10;

/// An item table, on the store, in a transaction or on a snapshot. Cheap to clone.
///
/// Given by [`Store::item_table`](crate::Store::item_table). Operations on a table that does not exist return
/// [`Fault::ResourceNotFound`](crate::item::Fault::ResourceNotFound), but for [`ItemTable::create`] and
/// [`ItemTable::delete_table`].
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S))?;
/// for n in 1..=3 {
///     table.put(&Item::new().with("PK", "USER#7").with("SK", format!("EVENT#{n}")).with("n", n))?;
/// }
/// let newest = table.query(key("PK").eq("USER#7").and(key("SK").begins_with("EVENT#"))).reverse().limit(2).to_vec()?;
/// assert_eq!(newest[0].get("n"), Some(&3.into()));
/// assert_eq!(newest.len(), 2);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference.
#[derive(Clone, Debug)]
pub struct ItemTable<S = AutoCommit> {
    pub(super) scope: S,
    pub(super) target: Arc<Target>,
}

impl<S: Scope> ItemTable<S> {
    /// The table `name` of the usual account and region.
    pub(crate) fn of_store(scope: S, name: &str) -> Self {
        Self::new(scope, Place::default(), name)
    }

    pub(super) fn new(scope: S, place: Place, name: &str) -> Self {
        Self { scope, target: Target::new(place, name) }
    }

    /// The schema of the table.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`](crate::item::Fault::ResourceNotFound) when the table does not exist.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// assert_eq!(table.schema()?.partition_key(), ("PK", ScalarAttributeType::S));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTable`.
    #[doc(alias = "DescribeTable")]
    pub fn schema(&self) -> Result<TableSchema> {
        self.read("schema", |view| Ok(self.target.definition(view)?.record.schema()))
    }

    /// What is said of the table: what it is doing, how large it is, when it was made.
    ///
    /// # Errors
    /// [`Fault::ResourceNotFound`](crate::item::Fault::ResourceNotFound) when the table does not exist.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("PK", "a")]))?;
    /// assert_eq!(table.describe()?.item_count, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTable`.
    #[doc(alias = "DescribeTable")]
    pub fn describe(&self) -> Result<TableDescription> {
        self.read("describe", |view| description::describe(view, &self.target, &self.target.described(view)?))
    }

    /// The item with the primary key `key`: `"USER#7"`, or `("USER#7", "EVENT#1")` in a table with a sort key.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) when no item of the table can have such a key.
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S))?;
    /// let item = Item::from([("PK", "USER#7"), ("SK", "EVENT#1")]);
    /// table.put(&item)?;
    /// assert_eq!(table.get(("USER#7", "EVENT#1"))?, Some(item));
    /// assert_eq!(table.get(("USER#7", "EVENT#2"))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `GetItem`.
    #[doc(alias = "GetItem")]
    pub fn get(&self, key: impl Into<Key>) -> Result<Option<Item>> {
        let key = key.into();
        check_table_name(self.target.name())?;
        read(&self.scope, self.target.operation("get"), false, |names, items| {
            let (request, prepared) = (GetItem::default(), PreparedGet::default());
            Ok(run_item::get_by(names, items, &self.target, KeyOf::Values(&key), &request, &prepared)?.item)
        })
    }

    /// The item with the primary key `key` as a `T`, as [`Item::deserialize`] makes one, read where the item is stored:
    /// attributes that `T` does not ask for are passed over.
    ///
    /// # Errors
    /// As [`ItemTable::get`]; [`Error::Invalid`](crate::Error::Invalid) when the attributes do not make a `T`.
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// #[derive(serde::Deserialize)]
    /// struct User { age: u8 }
    /// table.put(&Item::from([("id", "ann")]).with("age", 30).with("name", "Ann"))?;
    /// assert_eq!(table.get_as::<User>("ann")?.map(|user| user.age), Some(30));
    /// assert!(table.get_as::<User>("bob")?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `GetItem`.
    pub fn get_as<T: DeserializeOwned>(&self, key: impl Into<Key>) -> Result<Option<T>> {
        let key = key.into();
        check_table_name(self.target.name())?;
        read(&self.scope, self.target.operation("get"), false, |names, items| {
            let table = self.target.definition(names)?;
            let place = KeyOf::Values(&key).stored(&table)?;
            let Some(record) = items.get(&place)? else { return Ok(None) };
            let named = || item_of(&table.record, &place, self.target.name()).ok();
            RecordRef::new(&record)?.deserialize(named).map(Some)
        })
    }

    /// Begins to read the item with the primary key `key`, with more said than [`ItemTable::get`] takes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("id", "a")]).with("age", 30).with("name", "Ann"))?;
    /// assert_eq!(table.get_item("a").projection("age").run()?, Some(Item::from([("age", 30)])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `GetItem`.
    pub fn get_item(&self, key: impl Into<Key>) -> GetBuilder<S> {
        GetBuilder::new(self.scope.clone(), Arc::clone(&self.target), key.into())
    }

    /// Whether the index `name` can be queried, or is still being built.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) for a table or index that does not exist.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, IndexStatus, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S).global_index(GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S)))?;
    /// assert_eq!(table.index_status("by-mail")?, IndexStatus::Active);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTable`: `IndexStatus`.
    #[doc(alias = "IndexStatus")]
    pub fn index_status(&self, name: &str) -> Result<IndexStatus> {
        self.read("index_status", |view| build::status(view, &self.target, name))
    }

    /// Begins a query: items of one partition key, in the order of the sort key.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
    /// for n in [3, 1, 2] {
    ///     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// }
    /// let items = table.query(key("PK").eq("USER#7").and(key("SK").lt(3))).to_vec()?;
    /// assert!(items.iter().filter_map(|item| item.get("SK")).eq([&1.into(), &2.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Query`.
    #[doc(alias = "Query")]
    pub fn query(&self, keys: impl Into<KeyExpression>) -> Query<S> {
        Query::new(self.scope.clone(), Arc::clone(&self.target), Some(keys.into()))
    }

    /// Begins a scan: every item of the table or of an index.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("PK", "USER#7")]))?;
    /// table.put(&Item::from([("PK", "USER#8")]))?;
    /// assert_eq!(table.scan().run()?.count(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Scan`.
    #[doc(alias = "Scan")]
    pub fn scan(&self) -> Query<S> {
        Query::new(self.scope.clone(), Arc::clone(&self.target), None)
    }

    fn read<R>(&self, verb: &'static str, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        read(&self.scope, self.target.operation(verb), true, |view, _| body(view))
    }
}

impl<S: WriteScope> ItemTable<S> {
    /// Puts `item` in the place of the item with its primary key, and returns the item that was there.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) when a key attribute of the table is missing, or one of the table or an index is
    /// empty, too long or of another type, and for an item that is too large. Nothing is written then.
    ///
    /// # Cost
    /// O(log n) for the table, and again for each index entry that changes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// let old = Item::new().with("PK", "USER#7").with("n", 5);
    /// assert_eq!(table.put(&old)?, None);
    /// assert_eq!(table.put(&Item::new().with("PK", "USER#7"))?, Some(old));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `PutItem` with `ReturnValues` `ALL_OLD`.
    #[doc(alias = "PutItem")]
    pub fn put(&self, item: &Item) -> Result<Option<Item>> {
        check_table_name(self.target.name())?;
        item.check()?;
        let (request, prepared) = (PutItem::default(), PreparedWrite::default());
        self.scope.write(self.target.operation("put"), |writer| {
            run_item::put_by(writer, &self.target, item, ReturnValues::AllOld, &request, &prepared)
                .map(|output| output.attributes)
        })
    }

    /// Begins to put `item`, with more said than [`ItemTable::put`] takes: a condition, what to return.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Fault, Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// let is_new = || table.put_item(Item::from([("id", "a")])).condition("attribute_not_exists(id)").run();
    /// is_new()?;
    /// let error = is_new().unwrap_err();
    /// assert!(matches!(error.item_fault(), Some(Fault::ConditionalCheckFailed { .. })));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `PutItem`.
    pub fn put_item(&self, item: Item) -> PutBuilder<S> {
        PutBuilder::new(self.scope.clone(), Arc::clone(&self.target), item)
    }

    /// Begins to change attributes of the item with the primary key `key`, which is made when there is none.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// table.update("a").expression("ADD visits :one").value(":one", 1).run()?;
    /// assert_eq!(table.get("a")?, Some(Item::new().with("id", "a").with("visits", 1)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateItem`.
    #[doc(alias = "UpdateItem")]
    pub fn update(&self, key: impl Into<Key>) -> UpdateBuilder<S> {
        UpdateBuilder::new(self.scope.clone(), Arc::clone(&self.target), key.into())
    }

    /// Begins to remove the item with the primary key `key`, with more said than [`ItemTable::delete`] takes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("id", "a")]).with("stock", 3))?;
    /// assert!(table.delete_item("a").condition("stock = :none").value(":none", 0).run().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteItem`.
    pub fn delete_item(&self, key: impl Into<Key>) -> DeleteBuilder<S> {
        DeleteBuilder::new(self.scope.clone(), Arc::clone(&self.target), key.into())
    }

    /// Removes the item with the primary key `key`, and returns it; `None` when there was none.
    ///
    /// # Errors
    /// As [`ItemTable::get`].
    ///
    /// # Cost
    /// O(log n) for the table and each index.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("PK", "USER#7")]))?;
    /// assert!(table.delete(("USER#7",))?.is_some());
    /// assert!(table.delete(("USER#7",))?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteItem` with `ReturnValues` `ALL_OLD`.
    #[doc(alias = "DeleteItem")]
    pub fn delete(&self, key: impl Into<Key>) -> Result<Option<Item>> {
        let key = key.into();
        check_table_name(self.target.name())?;
        let request = DeleteItem { return_values: ReturnValues::AllOld, ..DeleteItem::default() };
        self.scope.write(self.target.operation("delete").freeing(true), |writer| {
            let prepared = PreparedWrite::default();
            run_item::delete_by(writer, &self.target, KeyOf::Values(&key), &request, &prepared)
                .map(|output| output.attributes)
        })
    }

    /// Processes 1 to 25 puts and deletes of distinct items, in one transaction.
    ///
    /// All of them are processed, unless [`Items::admit_batches`](crate::item::Items::admit_batches) holds some back.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item) when there are none or too many, two are about the same item, or one could not
    /// be written alone, whether it was admitted or not. Nothing is written then.
    ///
    /// # Atomicity and cost
    /// What is processed is committed together, which the imitated product does not promise. As that many puts.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, WriteRequest}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// let outcome = table.batch_write([
    ///     WriteRequest::put(Item::from([("PK", "a")])),
    ///     WriteRequest::delete(("b",)),
    /// ])?;
    /// assert!(outcome.unprocessed.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `BatchWriteItem`.
    #[doc(alias = "BatchWriteItem")]
    pub fn batch_write(&self, requests: impl Into<Vec<WriteRequest>>) -> Result<BatchWriteOutcome> {
        let requests = requests.into();
        check_table_name(self.target.name())?;
        if requests.is_empty() {
            return Err(RequestFault::other("a batch write has at least one request"));
        }
        check_batch_count(requests.len())?;
        for request in &requests {
            if let WriteRequest::Put(item) = request {
                item.check()?;
            }
        }
        let name = Arc::clone(self.target.name());
        let admitted = self.scope.read(self.target.operation("batch_write"), |view| {
            Ok(run_batch::admitted(view, requests.iter().map(|_| &*name)))
        })?;
        let actions: Vec<_> = requests.iter().map(WriteRequest::action).collect();
        let frees = requests.iter().all(|request| matches!(request, WriteRequest::Delete(_)));
        self.scope.write(self.target.operation("batch_write").freeing(frees), |writer| {
            run_batch::write_table(writer, &self.target, &actions, &admitted)
        })?;
        let held_back = requests.into_iter().zip(admitted).filter(|(_, admitted)| !admitted);
        Ok(BatchWriteOutcome { unprocessed: held_back.map(|(request, _)| request).collect() })
    }

    /// Processes any number of puts and deletes, 25 in each call, and sends again what comes back unprocessed, after
    /// `wait`ing: 50 ms the first time, twice as long each further time, up to ten times.
    ///
    /// # Errors
    /// As [`ItemTable::batch_write`]; calls that came before stay. [`Error::Partial`] when something is still
    /// unprocessed in the end.
    ///
    /// # Atomicity and cost
    /// Each call is one commit on the store.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, WriteRequest}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// let requests = (0..60).map(|id| WriteRequest::put(Item::from([("id", id)])));
    /// table.batch_write_all(requests, std::thread::sleep)?;
    /// assert_eq!(table.scan().count()?, 60);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` Developer Guide, *Error retries and exponential backoff*.
    pub fn batch_write_all(
        &self,
        requests: impl IntoIterator<Item = WriteRequest>,
        mut wait: impl FnMut(Duration),
    ) -> Result<()> {
        let mut requests = requests.into_iter();
        let (mut done, mut attempts, mut pause) = (0u64, 0, FIRST_WAIT);
        let mut batch: Vec<WriteRequest> = Vec::new();
        loop {
            batch.extend(requests.by_ref().take(limits::ITEM_BATCH_WRITES_MAX.saturating_sub(batch.len())));
            if batch.is_empty() {
                return Ok(());
            }
            let sent = batch.len();
            batch = self.batch_write(std::mem::take(&mut batch))?.unprocessed;
            done = done.saturating_add((sent - batch.len()) as u64);
            if batch.is_empty() {
                (attempts, pause) = (0, FIRST_WAIT);
                continue;
            }
            attempts += 1;
            if attempts == BATCH_ATTEMPTS_MAX {
                let left = format!("{} requests are still unprocessed", batch.len());
                return Err(Error::Partial {
                    done,
                    error: Box::new(Fault::LimitExceeded { message: left }.into_error()),
                });
            }
            wait(pause);
            pause = pause.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::item::{GlobalIndex, Projection, ScalarAttributeType};

    #[test]
    fn a_definition_is_stored_in_its_known_form() {
        let table = Store::in_memory().item_table("abc");
        let index =
            GlobalIndex::new("idx", "g", ScalarAttributeType::N).projection(Projection::Include(vec!["v".into()]));
        table
            .create(
                TableSchema::new("p", ScalarAttributeType::S).sort_key("s", ScalarAttributeType::B).global_index(index),
            )
            .unwrap();
        let stored = |view: &View| Ok(view.get(b"\x01\x02\0\0abc")?.map(std::borrow::Cow::into_owned));
        let stored = table.read("test", stored).unwrap().unwrap();
        // Id 1, storage 1, format 2, 26 bytes; key p of type S, key s of type B; one index, 15 bytes: id 1, "idx", global, key g
        // of type N and no sort key, including v; last id 1.
        let expected = "00000001".to_owned()
            + "00000001"
            + "02"
            + "0000001a"
            + "01017000"
            + "01017302"
            + "01"
            + "0f"
            + "01"
            + "03696478"
            + "00"
            + "01016701"
            + "00"
            + "02010176"
            + "01";
        assert_eq!(format!("{:?}", crate::engine::Key::from(stored)), expected);
    }
}
