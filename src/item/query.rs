//! Queries: the items of one partition key, in the order of the sort key.

use crate::engine::Direction;
use crate::error::Result;
use crate::item::page::{Options, PageReader, Plan};
use crate::item::{ItemTable, Items, KeyCondition, LastKey, Page, Pages};
use crate::txn::{Scope, View};

/// A query that is being put together; [`Query::run`], [`Query::pages`] and [`Query::items`] run it.
///
/// # Examples
/// ```
/// use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Orders");
/// table.create(
///     TableSchema::new("PK", KeyType::S)
///         .global_index(GlobalIndex::new("by-status", "status", KeyType::S).sort_key("total", KeyType::N)),
/// )?;
/// for (id, total) in [("a", 30), ("b", 10), ("c", 20)] {
///     table.put(&Item::new().with("PK", id).with("status", "open").with("total", total))?;
/// }
/// let largest = table.query(key("status").eq("open").and(key("total").ge(20))).index("by-status").reverse();
/// let ids: Vec<_> = largest.run()?.items.iter().filter_map(|item| item.get("PK")?.as_s().map(str::to_owned)).collect();
/// assert_eq!(ids, ["a", "c"]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`.
#[derive(Clone, Debug)]
#[must_use = "a query reads nothing until it is run"]
pub struct Query<S> {
    table: ItemTable<S>,
    condition: KeyCondition,
    options: Options,
}

impl<S: Scope> Query<S> {
    pub(super) fn new(table: ItemTable<S>, condition: KeyCondition) -> Self {
        Self { table, condition, options: Options::default() }
    }

    /// Reads the global index `name`; the condition is then on its key attributes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # let by_mail = GlobalIndex::new("by-mail", "mail", KeyType::S);
    /// # table.create(TableSchema::new("PK", KeyType::S).global_index(by_mail))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// let page = table.query(key("mail").eq("a@example.org")).index("by-mail").run()?;
    /// assert_eq!(page.items[0].get("PK"), Some(&"a".into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "IndexName")]
    pub fn index(mut self, name: impl Into<String>) -> Self {
        self.options.index = Some(name.into());
        self
    }

    /// Reads from the highest sort key down.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let page = table.query(key("PK").eq("USER#7")).reverse().run()?;
    /// assert_eq!(page.items[0].get("SK"), Some(&2.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ScanIndexForward")]
    pub fn reverse(mut self) -> Self {
        self.options.direction = Direction::Backward;
        self
    }

    /// Ends each page after `items` of them, at least 1. It does not end [`Query::pages`] or [`Query::items`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let query = table.query(key("PK").eq("USER#7")).limit(2);
    /// assert_eq!(query.run()?.items.len(), 2);
    /// assert_eq!(query.items()?.count(), 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "Limit")]
    pub fn limit(mut self, items: usize) -> Self {
        self.options.limit = Some(items);
        self
    }

    /// Begins behind the item with the key attributes of `key`, which need not exist. Without a call, begins at the end
    /// the direction starts from.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let after = Item::new().with("PK", "USER#7").with("SK", 1);
    /// let page = table.query(key("PK").eq("USER#7")).start_after(after).run()?;
    /// assert_eq!(page.items, [Item::new().with("PK", "USER#7").with("SK", 2)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ExclusiveStartKey")]
    pub fn start_after(mut self, key: impl Into<LastKey>) -> Self {
        self.options.start_after = Some(key.into());
        self
    }

    /// Reads one page: up to the limit, or up to [`limits::ITEM_PAGE_BYTES_MAX`](crate::limits::ITEM_PAGE_BYTES_MAX),
    /// whichever comes first.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a condition that is not an `eq` on the partition key and at most one
    /// other on the sort key, for a limit of 0, and for a start key of other attributes or outside of the condition;
    /// [`Error::NotFound`](crate::Error::NotFound) for a table or index that does not exist.
    ///
    /// # Cost
    /// O(log n + k) for k items; from an index, k gets more.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let page = table.query(key("PK").eq("USER#7")).run()?;
    /// assert_eq!((page.items.len(), page.last_key), (3, None));
    /// assert!(table.query(key("PK").eq("USER#7")).limit(0).run().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Query`, with a consistent read.
    #[doc(alias = "Query")]
    pub fn run(&self) -> Result<Page> {
        self.table.scope.read(self.table.operation("query"), |view| self.reader(view)?.next_page())
    }

    /// Reads page after page, all from the snapshot of this moment.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// for n in 0..5 {
    ///     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// }
    /// let pages = table.query(key("PK").eq("USER#7")).limit(2).pages()?;
    /// assert_eq!(pages.map(|page| Ok(page?.items.len())).collect::<larder::Result<Vec<_>>>()?, [2, 2, 1]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pages(&self) -> Result<Pages> {
        self.table.scope.read(self.table.operation("query"), |view| Ok(Pages::new(self.reader(view)?)))
    }

    /// Reads item after item, all from the snapshot of this moment, one in memory at a time.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// for n in 0..5 {
    ///     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// }
    /// assert_eq!(table.query(key("PK").eq("USER#7")).items()?.take(3).count(), 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn items(&self) -> Result<Items> {
        self.table.scope.read(self.table.operation("query"), |view| Ok(Items::new(self.reader(view)?)))
    }

    fn reader(&self, view: &View) -> Result<PageReader> {
        let table = self.table.open(view)?;
        let plan = Plan::new(self.table.target.name(), table, &self.options, |record, index, prefix| {
            let keys = index.map_or(&record.keys, |index| &index.index.keys);
            self.condition.range(keys, prefix)
        })?;
        PageReader::new(plan, view.fork())
    }
}
