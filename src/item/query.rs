//! Queries and scans: items of one partition key, or every item, of a table or of one of its indexes.

use std::sync::Arc;

use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::item::condition::KeyCondition;
use crate::item::page::{Items, LastKey, Options, Page, PageReader, Pages, Plan, invalid};
use crate::item::target::Target;
use crate::item::{Item, layout};
use crate::txn::{AutoCommit, Scope, View};

/// A query or scan that is being put together. [`Query::run`] reads item after item, [`Query::to_vec`] all of them,
/// [`Query::page`] one page and [`Query::pages`] page after page.
///
/// Given by [`ItemTable::query`](crate::ItemTable::query) and [`ItemTable::scan`](crate::ItemTable::scan). A query's items
/// come in the order of their sort key. A scan's come in the order of their partition key and then of their sort key; the
/// imitated product promises none.
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
/// let ids: Vec<_> = largest.to_vec()?.iter().filter_map(|item| item.get("PK")?.as_s().map(str::to_owned)).collect();
/// assert_eq!(ids, ["a", "c"]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query` and `Scan`.
#[derive(Clone, Debug)]
#[must_use = "a query reads nothing until it is run"]
pub struct Query<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    /// Which items; `None` for a scan.
    condition: Option<KeyCondition>,
    options: Options,
}

impl<S: Scope> Query<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, condition: Option<KeyCondition>) -> Self {
        Self { scope, target, condition, options: Options::default() }
    }

    /// Reads the global index `name`: the items that it shows, as it shows them. A query's condition is then on the key
    /// attributes of the index.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # let by_mail = GlobalIndex::new("by-mail", "mail", KeyType::S);
    /// # table.create(TableSchema::new("PK", KeyType::S).global_index(by_mail))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// table.put(&Item::from([("PK", "b")]))?;
    /// let found = table.query(key("mail").eq("a@example.org")).index("by-mail").to_vec()?;
    /// assert_eq!(found[0].get("PK"), Some(&"a".into()));
    /// assert_eq!(table.scan().index("by-mail").to_vec()?, found, "an item without an address is not in the index");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "IndexName")]
    pub fn index(mut self, name: impl Into<String>) -> Self {
        self.options.index = Some(name.into());
        self
    }

    /// Reads from the highest sort key down. A scan that is reversed is refused.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// # for n in 0..3 {
    /// #     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// # }
    /// let items = table.query(key("PK").eq("USER#7")).reverse().to_vec()?;
    /// assert_eq!(items[0].get("SK"), Some(&2.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ScanIndexForward")]
    pub fn reverse(mut self) -> Self {
        self.options.direction = self.options.direction.reversed();
        self
    }

    /// Reads at most `items`, at least 1, whichever way it is run.
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
    /// assert_eq!((query.clone().page()?.items.len(), query.run()?.count()), (2, 2));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "Limit")]
    pub fn limit(mut self, items: u64) -> Self {
        self.options.limit = Some(items);
        self
    }

    /// Ends each page after `items`, at least 1. [`Query::run`] and [`Query::to_vec`] have no pages.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::N))?;
    /// for n in 0..5 {
    ///     table.put(&Item::new().with("PK", n))?;
    /// }
    /// let pages = table.scan().page_size(2).pages()?;
    /// assert_eq!(pages.map(|page| Ok(page?.items.len())).collect::<larder::Result<Vec<_>>>()?, [2, 2, 1]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn page_size(mut self, items: u64) -> Self {
        self.options.page_size = Some(items);
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
    /// let items = table.query(key("PK").eq("USER#7")).start_after(after).to_vec()?;
    /// assert_eq!(items, [Item::new().with("PK", "USER#7").with("SK", 2)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ExclusiveStartKey")]
    pub fn start_after(mut self, key: impl Into<LastKey>) -> Self {
        self.options.start_after = Some(key.into());
        self
    }

    /// Reads item after item, all from the snapshot of this moment, one in memory at a time.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a condition that is not an `eq` on the partition key and at most one
    /// other on the sort key, for a limit of 0, for a start key of other attributes or outside of the condition, and for an
    /// index that is still being built; [`Error::NotFound`](crate::Error::NotFound) for a table or index that does not exist.
    ///
    /// # Cost
    /// O(log n + k) for k items; from an index, k gets more.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
    /// for n in 0..5 {
    ///     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
    /// }
    /// let mut items = table.query(key("PK").eq("USER#7")).run()?;
    /// table.delete(("USER#7", 0))?;
    /// assert_eq!(items.next().expect("it was there")?.get("SK"), Some(&0.into()));
    /// assert_eq!(items.count(), 4);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("Query", "Scan"))]
    pub fn run(self) -> Result<Items> {
        self.read(|reader| Ok(Items::new(reader)))
    }

    /// Reads every item into memory.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.put(&Item::from([("PK", "ann")]))?;
    /// assert_eq!(table.scan().to_vec()?, [Item::from([("PK", "ann")])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_vec(self) -> Result<Vec<Item>> {
        self.read(|reader| Items::new(reader).collect())
    }

    /// Reads one page: up to the limit and the page size, or up to
    /// [`limits::ITEM_PAGE_BYTES_MAX`](crate::limits::ITEM_PAGE_BYTES_MAX), whichever comes first.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// for id in ["a", "b", "c"] {
    ///     table.put(&Item::from([("PK", id)]))?;
    /// }
    /// let page = table.scan().limit(2).page()?;
    /// let rest = table.scan().start_after(page.last_key.expect("there is more")).page()?;
    /// assert_eq!((page.items.len(), rest.items.len(), rest.last_key), (2, 1, None));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `DynamoDB` API Reference, `Query` and `Scan`, with a consistent read.
    pub fn page(self) -> Result<Page> {
        self.read(|mut reader| reader.next_page())
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
    /// assert_eq!(table.query(key("PK").eq("USER#7")).pages()?.count(), 1, "one page without items");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pages(self) -> Result<Pages> {
        self.read(|reader| Ok(Pages::new(reader)))
    }

    fn read<R>(&self, end: impl FnOnce(PageReader) -> Result<R>) -> Result<R> {
        let verb = if self.condition.is_some() { "query" } else { "scan" };
        self.scope.read(self.target.operation(verb), |view| end(self.reader(view)?))
    }

    fn reader(&self, view: &View) -> Result<PageReader> {
        self.options.check()?;
        if self.condition.is_none() && self.options.direction == Direction::Backward {
            return Err(invalid("only the items of one partition key can be reversed"));
        }
        let table = self.target.definition(view)?;
        let plan = Plan::new(self.target.name(), table, &self.options, |record, index| {
            let (keys, prefix) =
                (index.map_or(&record.record.keys, |index| &index.index.keys), layout::prefix(record.storage, index));
            match &self.condition {
                Some(condition) => condition.range(keys, prefix),
                None => Ok(KeyRange::prefix(&prefix)),
            }
        })?;
        PageReader::new(plan, view.fork())
    }
}
