//! The handle of an item table.

use std::sync::Arc;

use crate::catalog::{Entry, Kind, Target, job};
use crate::error::{Error, Result};
use crate::item::batch::Admission;
use crate::item::origin::Origin;
use crate::item::schema::{TableRecord, check_name};
use crate::item::write::Change;
use crate::item::{Item, Key, KeyCondition, Query, Scan, TableSchema, layout, record};
use crate::txn::{AutoCommit, Operation, Scope, View, WriteScope};

/// Namespace of every item table in the catalogue.
const NAMESPACE: &str = "";

/// An item table, on the store, in a transaction or on a snapshot. Cheap to clone.
///
/// Given by [`Store::item_table`](crate::Store::item_table). Every operation but [`ItemTable::create`] answers
/// [`Error::NotFound`] when the table does not exist.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, KeyType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::S))?;
/// for n in 1..=3 {
///     table.put(&Item::new().with("PK", "USER#7").with("SK", format!("EVENT#{n}")).with("n", n))?;
/// }
/// let newest = table.query(key("PK").eq("USER#7").and(key("SK").begins_with("EVENT#"))).reverse().limit(2).run()?;
/// assert_eq!(newest.items[0].get("n"), Some(&3.into()));
/// assert_eq!(newest.items.len(), 2);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference.
#[derive(Clone, Debug)]
pub struct ItemTable<S = AutoCommit> {
    pub(super) scope: S,
    pub(super) target: Arc<Target<TableRecord>>,
    pub(super) admission: Option<Admission>,
}

impl<S: Scope> ItemTable<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        let target = Arc::new(Target::new(Kind::ItemTable, NAMESPACE, name));
        Self { scope, target, admission: None }
    }

    /// The schema the table was created with.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the table does not exist.
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
        self.scope.read(self.operation("schema"), |view| Ok(self.open(view)?.record.schema()))
    }

    /// The item with the primary key `key`: `("USER#7", "EVENT#1")`, or `("USER#7",)` in a table without a sort key.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::LimitExceeded`] when no item of the table can have such a key.
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
        self.scope.read(self.operation("get"), |view| {
            let table = self.open(view)?;
            let stored = view.get(&layout::item_key(table.storage, &table.record.keys, &key)?)?;
            stored
                .map(|bytes| Ok(record::decode(&bytes)?.read_from(&Origin::new(self.target.name(), &table))))
                .transpose()
        })
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
    /// let page = table.query(key("PK").eq("USER#7").and(key("SK").lt(3))).run()?;
    /// assert!(page.items.iter().filter_map(|item| item.get("SK")).eq([&1.into(), &2.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Query`.
    #[doc(alias = "Query")]
    pub fn query(&self, condition: KeyCondition) -> Query<S> {
        Query::new(self.clone(), condition)
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
    /// assert_eq!(table.scan().run()?.items.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Scan`.
    #[doc(alias = "Scan")]
    pub fn scan(&self) -> Scan<S> {
        Scan::new(self.clone())
    }

    pub(super) fn open(&self, view: &View) -> Result<Arc<Entry<TableRecord>>> {
        let table = self.target.get(view)?;
        table.ok_or_else(|| Error::NotFound { what: "item table", name: self.name().to_owned() })
    }

    pub(super) fn name(&self) -> &str {
        self.target.name()
    }

    pub(super) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("item", verb, self.name())
    }
}

impl<S: WriteScope> ItemTable<S> {
    /// Creates the table. When it exists with the same schema, nothing happens.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when it exists with another schema; [`Error::Invalid`] or [`Error::LimitExceeded`] for a
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
        check_name("item table", self.name())?;
        let record = TableRecord::new(schema.checked()?);
        self.scope.write(self.operation("create"), |writer| {
            let same = |stored: &TableRecord, asked: &TableRecord| stored.schema() == asked.schema();
            self.target.create_or_same(writer, record.clone(), same, ("item table", self.name()))
        })
    }

    /// Removes the table with its items and indexes. Another may be created under its name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist.
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
    /// table.delete_table()?;
    /// assert!(table.schema().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `DeleteTable`.
    #[doc(alias = "DeleteTable")]
    pub fn delete_table(&self) -> Result<()> {
        self.scope.write(self.operation("delete_table").freeing(true), |writer| {
            let table = self.open(writer)?;
            self.target.remove(writer);
            job::remove(writer, &layout::table_prefix(table.storage))
        })
    }

    /// Puts `item` in the place of the item with its primary key, and answers the item that was there.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a key attribute of the table is missing, or one of the table or an index is empty or of
    /// another type; [`Error::LimitExceeded`] for an item that is too large. Nothing is written then.
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
        self.scope.write(self.operation("put"), |writer| {
            let table = self.open(writer)?;
            let old = Change::put(&table, item)?.apply(writer, &table)?;
            Ok(old.map(|old| old.read_from(&Origin::new(self.target.name(), &table))))
        })
    }

    /// Removes the item with the primary key `key`, and answers it; `None` when there was none.
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
        self.scope.write(self.operation("delete").freeing(true), |writer| {
            let table = self.open(writer)?;
            let old = Change::delete(&table, &key)?.apply(writer, &table)?;
            Ok(old.map(|old| old.read_from(&Origin::new(self.target.name(), &table))))
        })
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
        let stored = table.scope.read(table.operation("test"), stored).unwrap().unwrap();
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
