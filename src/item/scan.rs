//! Scans: every item of a table or index.

use crate::engine::KeyRange;
use crate::error::Result;
use crate::item::page::{Options, PageReader, Plan};
use crate::item::{ItemTable, Items, LastKey, Page, Pages};
use crate::txn::{Scope, View};

/// A scan that is being put together; [`Scan::run`], [`Scan::pages`] and [`Scan::items`] run it.
///
/// Items come in the order of their partition key and then of their sort key; the imitated product promises none.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, KeyType, TableSchema}};
/// let table = Store::in_memory().item_table("Users");
/// table.create(TableSchema::new("PK", KeyType::S))?;
/// for id in ["a", "b", "c"] {
///     table.put(&Item::from([("PK", id)]))?;
/// }
/// let page = table.scan().limit(2).run()?;
/// let rest = table.scan().start_after(page.last_key.expect("there is more")).run()?;
/// assert_eq!((page.items.len(), rest.items.len()), (2, 1));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Scan`.
#[derive(Clone, Debug)]
#[must_use = "a scan reads nothing until it is run"]
pub struct Scan<S> {
    table: ItemTable<S>,
    options: Options,
}

impl<S: Scope> Scan<S> {
    pub(super) fn new(table: ItemTable<S>) -> Self {
        Self { table, options: Options::default() }
    }

    /// Reads the global index `name`: the items that it shows, as it shows them.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, item::{GlobalIndex, Item, KeyType, TableSchema}};
    /// let table = Store::in_memory().item_table("Users");
    /// table.create(TableSchema::new("PK", KeyType::S).global_index(GlobalIndex::new("by-mail", "mail", KeyType::S)))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// table.put(&Item::from([("PK", "b")]))?;
    /// assert_eq!(table.scan().index("by-mail").run()?.items.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "IndexName")]
    pub fn index(mut self, name: impl Into<String>) -> Self {
        self.options.index = Some(name.into());
        self
    }

    /// Ends each page after `items` of them, at least 1. It does not end [`Scan::pages`] or [`Scan::items`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// # for id in ["a", "b", "c"] {
    /// #     table.put(&Item::from([("PK", id)]))?;
    /// # }
    /// let scan = table.scan().limit(2);
    /// assert_eq!(scan.run()?.items.len(), 2);
    /// assert_eq!(scan.items()?.count(), 3);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "Limit")]
    pub fn limit(mut self, items: usize) -> Self {
        self.options.limit = Some(items);
        self
    }

    /// Begins behind the item with the key attributes of `key`, which need not exist.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// # for id in ["a", "b", "c"] {
    /// #     table.put(&Item::from([("PK", id)]))?;
    /// # }
    /// let first = table.scan().limit(1).run()?;
    /// let rest = table.scan().start_after(first.last_key.expect("there is more")).run()?;
    /// assert_eq!(rest.items.len(), 2);
    /// assert!(!rest.items.contains(&first.items[0]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ExclusiveStartKey")]
    pub fn start_after(mut self, key: impl Into<LastKey>) -> Self {
        self.options.start_after = Some(key.into());
        self
    }

    /// Reads one page, as [`Query::run`](crate::item::Query::run) does.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit of 0 and for a start key of other attributes;
    /// [`Error::NotFound`](crate::Error::NotFound) for a table or index that does not exist.
    ///
    /// # Cost
    /// O(log n + k) for k items; from an index, k gets more.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// # for id in ["a", "b", "c"] {
    /// #     table.put(&Item::from([("PK", id)]))?;
    /// # }
    /// let page = table.scan().run()?;
    /// assert_eq!((page.items.len(), page.last_key), (3, None));
    /// assert!(table.scan().limit(0).run().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn run(&self) -> Result<Page> {
        self.table.scope.read(self.table.operation("scan"), |view| self.reader(view)?.next_page())
    }

    /// Reads page after page, all from the snapshot of this moment.
    ///
    /// # Errors
    /// As [`Scan::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// assert_eq!(table.scan().pages()?.count(), 1, "one page without items");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pages(&self) -> Result<Pages> {
        self.table.scope.read(self.table.operation("scan"), |view| Ok(Pages::new(self.reader(view)?)))
    }

    /// Reads item after item, all from the snapshot of this moment, one in memory at a time.
    ///
    /// # Errors
    /// As [`Scan::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// assert_eq!(table.scan().items()?.count(), 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn items(&self) -> Result<Items> {
        self.table.scope.read(self.table.operation("scan"), |view| Ok(Items::new(self.reader(view)?)))
    }

    fn reader(&self, view: &View) -> Result<PageReader> {
        let table = self.table.open(view)?;
        let plan =
            Plan::new(self.table.target.name(), table, &self.options, |_, _, prefix| Ok(KeyRange::prefix(&prefix)))?;
        PageReader::new(plan, view.fork())
    }
}
