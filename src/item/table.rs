//! The handle of an item table.

use std::sync::Arc;

use crate::catalog::fill;
use crate::catalog::job::Allowance;
use crate::error::Result;
use crate::item::batch::{Admission, Batch};
use crate::item::origin::Origin;
use crate::item::schema::Definition;
use crate::item::target::Target;
use crate::item::write::Change;
use crate::item::{
    BatchWriteOutcome, GlobalIndex, IndexStatus, Item, Key, KeyCondition, Query, TableSchema, WriteRequest, build,
    layout, record,
};
use crate::txn::{AutoCommit, Claim, Scope, View, WriteScope};

/// An item table, on the store, in a transaction or on a snapshot. Cheap to clone.
///
/// Given by [`Store::item_table`](crate::Store::item_table). Operations on a table that does not exist return
/// [`Error::NotFound`](crate::Error::NotFound), but for [`ItemTable::create`] and [`ItemTable::delete_table`].
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, KeyType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::S))?;
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
    admission: Option<Admission>,
}

impl<S: Scope> ItemTable<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, target: Target::new(name), admission: None }
    }

    /// The schema the table was created with.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when the table does not exist.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// assert_eq!(table.schema()?.partition_key(), ("PK", KeyType::S));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DescribeTable`.
    #[doc(alias = "DescribeTable")]
    pub fn schema(&self) -> Result<TableSchema> {
        self.read("schema", |view| Ok(self.target.definition(view)?.record.schema()))
    }

    /// The item with the primary key `key`: `("USER#7", "EVENT#1")`, or `("USER#7",)` in a table without a sort key.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) when no item of the table can have such a key.
    ///
    /// # Cost
    /// O(log n).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::S))?;
    /// let item = Item::from([("PK", "USER#7"), ("SK", "EVENT#1")]);
    /// table.put(&item)?;
    /// assert_eq!(table.get(("USER#7", "EVENT#1"))?, Some(item));
    /// assert_eq!(table.get(("USER#7", "EVENT#2"))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `GetItem`, with a consistent read.
    #[doc(alias = "GetItem")]
    pub fn get(&self, key: impl Into<Key>) -> Result<Option<Item>> {
        let key = key.into();
        self.read("get", |view| {
            let table = self.target.definition(view)?;
            let stored = view.get(&layout::item_key(table.storage, &table.record.keys, &key)?)?;
            stored.map(|bytes| Ok(self.from(&table, record::decode(&bytes)?))).transpose()
        })
    }

    /// Whether the global index `name` can be queried, or is still being built.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for a table or index that does not exist.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, IndexStatus, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// table.create(TableSchema::new("PK", KeyType::S).global_index(GlobalIndex::new("by-mail", "mail", KeyType::S)))?;
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
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
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
    pub fn query(&self, condition: KeyCondition) -> Query<S> {
        Query::new(self.scope.clone(), Arc::clone(&self.target), Some(condition))
    }

    /// Begins a scan: every item of the table or of an index.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
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

    /// The handle with `admit` deciding which entries of its batch writes are processed.
    ///
    /// This simulates a table that throttles, so that a caller can test the code that sends unprocessed entries again;
    /// no other handle is concerned, and without it nothing is ever unprocessed. `admit` is called once for each entry,
    /// in the order of the call, before the call checks or writes anything.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, KeyType, TableSchema, WriteRequest}};
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// let asked = AtomicUsize::new(0);
    /// let every_other = table.with_batch_admission(move |_| asked.fetch_add(1, Relaxed) % 2 == 0);
    /// let mut requests: Vec<_> = ["a", "b", "c", "d"].map(|id| WriteRequest::put(Item::from([("PK", id)]))).into();
    /// let mut calls = 0;
    /// while !requests.is_empty() {
    ///     requests = every_other.batch_write(requests)?.unprocessed;
    ///     calls += 1;
    /// }
    /// assert_eq!(calls, 3, "4, then 2, then 1");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn with_batch_admission(mut self, admit: impl Fn(&WriteRequest) -> bool + Send + Sync + 'static) -> Self {
        self.admission = Some(Admission::new(admit));
        self
    }

    /// `item` of this table, which knows where it was read.
    fn from(&self, table: &Definition, item: Item) -> Item {
        item.read_from(&Origin::new(self.target.name(), table))
    }

    fn read<R>(&self, verb: &'static str, body: impl FnOnce(&View) -> Result<R>) -> Result<R> {
        self.scope.read(self.target.operation(verb), body)
    }
}

impl<S: WriteScope> ItemTable<S> {
    /// Creates the table. When it exists with the same schema, nothing happens.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when it exists with another schema; [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a
    /// name or schema that no table can have.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// assert!(table.create(TableSchema::new("PK", KeyType::N)).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `CreateTable`; there a second call is refused whatever its schema.
    #[doc(alias = "CreateTable")]
    pub fn create(&self, schema: TableSchema) -> Result<()> {
        self.target.check_name()?;
        let schema = schema.checked()?;
        self.scope.write(self.target.operation("create"), |writer| self.target.create(writer, &schema))
    }

    /// Removes the table with its items and indexes, and returns whether there was one. Another may be created under its name.
    ///
    /// # Cost
    /// O(log n). Items and index entries are removed in the background, when there are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// assert!(table.delete_table()?);
    /// assert!(!table.delete_table()?, "it is gone");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteTable`.
    #[doc(alias = "DeleteTable")]
    pub fn delete_table(&self) -> Result<bool> {
        self.scope.write(self.target.operation("delete_table").freeing(true), |writer| self.target.remove(writer))
    }

    /// Adds a global index to the table, and returns when it can be queried. When the table has it, nothing happens.
    ///
    /// Of items that are there already, those whose key attributes the index cannot hold are left out of it; items that are put
    /// from now on are refused then.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the table has another index of that name;
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) for an index that the
    /// table cannot have; [`Error::NotFound`](crate::Error::NotFound) when the table does not exist, or somebody removed the index
    /// meanwhile.
    ///
    /// # Atomicity and cost
    /// O(n log n) for n items. On the store in commits of bounded size, between which others have their turns; what is not done
    /// when the process ends is done in the background later. In a transaction it is part of it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema, key}};
    /// let table = Store::in_memory().item_table("Users");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// table.add_index(GlobalIndex::new("by-mail", "mail", KeyType::S))?;
    /// assert_eq!(table.query(key("mail").eq("a@example.org")).index("by-mail").to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `UpdateTable` with `GlobalSecondaryIndexUpdates`.
    #[doc(alias("UpdateTable", "CreateGlobalSecondaryIndexAction"))]
    #[expect(clippy::needless_pass_by_value, reason = "an index is declared in place")]
    pub fn add_index(&self, index: GlobalIndex) -> Result<()> {
        let waits_on = self.scope.auto_commit();
        loop {
            // Claimed before others see the job: what goes wrong with it is for this thread to know.
            let mut claim: Option<Claim<'_>> = None;
            let added = self.scope.write(self.target.operation("add_index"), |writer| {
                claim = None;
                let Some(store) = waits_on else {
                    let added = build::add(writer, &self.target, index.clone(), &mut Allowance::unbounded())?;
                    // Another one's may be half filled.
                    build::advance(writer, &self.target, index.name(), &mut Allowance::unbounded())?;
                    return Ok(added);
                };
                let added = build::add(writer, &self.target, index.clone(), &mut Allowance::of_step())?;
                if added.is_new && !added.is_complete {
                    claim = store.core().claims().try_claim(&added.entries);
                }
                Ok(added)
            })?;
            let Some(store) = waits_on.filter(|_| !added.is_complete) else { return Ok(()) };
            let claim = claim.take().unwrap_or_else(|| store.core().claims().claim(&added.entries));
            let outcome = fill::run(store.core(), &added.entries, build::FILLING);
            drop(claim);
            // Another one's index that could not be built is added again, and the error found out about.
            if added.is_new {
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
    /// use larder::{ManualClock, Store, item::{GlobalIndex, IndexStatus, Item, KeyType, TableSchema}};
    /// let store = Store::builder().clock(ManualClock::default()).in_memory();
    /// let table = store.item_table("Numbers");
    /// table.create(TableSchema::new("PK", KeyType::N))?;
    /// for n in 0..2_000 {
    ///     table.put(&Item::from([("PK", n), ("half", n / 2)]))?;
    /// }
    /// table.add_index_in_background(GlobalIndex::new("by-half", "half", KeyType::N))?;
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
        let add = |writer: &mut _| build::add(writer, &self.target, index.clone(), &mut Allowance::of_step());
        self.scope.write(self.target.operation("add_index"), add).map(drop)
    }

    /// Removes the global index `name`, complete or not, and returns whether there was one.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when the table does not exist.
    ///
    /// # Cost
    /// O(log n). Its entries are removed in the background, when there are many
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.add_index(GlobalIndex::new("by-mail", "mail", KeyType::S))?;
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
            build::remove(writer, &self.target, name)
        })
    }

    /// Puts `item` in the place of the item with its primary key, and returns the item that was there.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a key attribute of the table is missing, or one of the table or
    /// an index is empty or of another type; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for an item that is
    /// too large. Nothing is written then.
    ///
    /// # Cost
    /// O(log n) for the table, and again for each index entry that changes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
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
        self.scope.write(self.target.operation("put"), |writer| {
            item.check()?;
            let table = self.target.definition(writer)?;
            let old = Change::put(&table, item)?.apply(writer, &table)?;
            Ok(old.map(|old| self.from(&table, old)))
        })
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
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
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
        self.scope.write(self.target.operation("delete").freeing(true), |writer| {
            let table = self.target.definition(writer)?;
            let old = Change::delete(&table, &key)?.apply(writer, &table)?;
            Ok(old.map(|old| self.from(&table, old)))
        })
    }

    /// Processes 1 to 25 puts and deletes of distinct items, in one transaction.
    ///
    /// All of them are processed, unless [`ItemTable::with_batch_admission`] holds some back.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) or [`Error::LimitExceeded`](crate::Error::LimitExceeded) when there are none or too many, two are about the same item, or one
    /// could not be written alone, whether it was admitted or not. Nothing is written then.
    ///
    /// # Atomicity and cost
    /// What is processed is committed together, which the imitated product does not promise. As that many puts.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{Item, KeyType, TableSchema, WriteRequest}};
    /// let table = Store::in_memory().item_table("Events");
    /// table.create(TableSchema::new("PK", KeyType::S))?;
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
        let batch = Batch::new(requests.into(), self.admission.as_ref())?;
        self.scope.write(self.target.operation("batch_write").freeing(batch.frees()), |writer| {
            batch.apply(writer, &*self.target.definition(writer)?)
        })?;
        Ok(batch.outcome())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::item::{GlobalIndex, KeyType, Projection};

    #[test]
    fn a_definition_is_stored_in_its_known_form() {
        let table = Store::in_memory().item_table("abc");
        let index = GlobalIndex::new("idx", "g", KeyType::N).projection(Projection::Include(vec!["v".into()]));
        table.create(TableSchema::new("p", KeyType::S).sort_key("s", KeyType::B).global_index(index)).unwrap();
        let stored = |view: &View| Ok(view.get(b"\x01\x02\0\0abc")?.map(std::borrow::Cow::into_owned));
        let stored = table.read("test", stored).unwrap().unwrap();
        // Id 1, storage 1, format 2, 23 bytes; key p of type S, key s of type B; one index, 13 bytes: id 1, "idx", key g of type N, including v; last id 1.
        let expected = "00000001".to_owned()
            + "00000001"
            + "02"
            + "00000017"
            + "017000"
            + "01017302"
            + "01"
            + "0d"
            + "01"
            + "03696478"
            + "016701"
            + "00";
        assert_eq!(format!("{:?}", crate::engine::Key::from(stored)), expected + "02010176" + "01");
    }
}
