//! Reading items in key order, page by page: what queries and scans have in common.

use std::ops::Bound;
use std::sync::Arc;

use crate::catalog::Entry;
use crate::engine::{Direction, Key as StoredKey, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::item::origin::Origin;
use crate::item::schema::{Definition, IndexRecord, Projection, TableRecord};
use crate::item::{Item, layout, record};
use crate::limits;
use crate::txn::{Cursor, View};

/// Where a page ended: the key attributes of its last item, for [`Query::start_after`](crate::item::Query::start_after).
///
/// After a page of an index it holds the index's key attributes and the table's. One can be made from an item of such
/// attributes; an item with that key need not exist.
///
/// # Examples
/// ```
/// use larder::item::{Item, LastKey};
/// let after = LastKey::from(Item::from([("PK", "USER#7"), ("SK", "EVENT#5")]));
/// assert_eq!(after.attributes().len(), 2);
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`: `LastEvaluatedKey`, `ExclusiveStartKey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKey(Item);

impl LastKey {
    /// The key attributes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, KeyType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", KeyType::S))?;
    /// table.put(&Item::from([("PK", "a"), ("mail", "a@example.org")]))?;
    /// let after = table.scan().limit(1).page()?.last_key.expect("the limit ended the page");
    /// assert_eq!(after.attributes(), &Item::from([("PK", "a")]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn attributes(&self) -> &Item {
        &self.0
    }
}

impl From<Item> for LastKey {
    fn from(attributes: Item) -> Self {
        Self(attributes)
    }
}

impl From<LastKey> for Item {
    fn from(key: LastKey) -> Self {
        key.0
    }
}

/// One page of what a query or scan reads.
///
/// # Examples
/// ```
/// use larder::{Store, item::{Item, KeyType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// table.create(TableSchema::new("PK", KeyType::S).sort_key("SK", KeyType::N))?;
/// for n in 0..3 {
///     table.put(&Item::new().with("PK", "USER#7").with("SK", n))?;
/// }
/// let page = table.query(key("PK").eq("USER#7")).limit(2).page()?;
/// assert_eq!(page.items.len(), 2);
/// let after = page.last_key.expect("there is more");
/// let rest = table.query(key("PK").eq("USER#7")).start_after(after).page()?;
/// assert_eq!((rest.items.len(), rest.last_key), (1, None));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`: response elements.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The items, in key order or its reverse.
    pub items: Vec<Item>,
    /// Where to go on; only its absence means that there is no more. A page that a limit ended has one even when
    /// nothing follows.
    #[doc(alias = "LastEvaluatedKey")]
    pub last_key: Option<LastKey>,
    /// Items read to make the page.
    #[doc(alias = "ScannedCount")]
    pub scanned: u64,
}

/// What is read, whichever way it was asked for.
#[derive(Debug)]
pub(super) struct Plan {
    table: Definition,
    origin: Arc<Origin>,
    /// Place of the index that is read, in the table's list.
    index: Option<usize>,
    range: KeyRange,
    direction: Direction,
    /// Items of one page.
    page_size: u64,
    /// Items in all.
    limit: u64,
}

/// How a query or scan was asked to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) index: Option<String>,
    pub(super) direction: Direction,
    pub(super) limit: Option<u64>,
    pub(super) page_size: Option<u64>,
    pub(super) start_after: Option<LastKey>,
}

impl Options {
    /// Refuses what no table could read.
    pub(super) fn check(&self) -> Result<()> {
        if self.limit == Some(0) || self.page_size == Some(0) {
            return Err(invalid("a limit, and the size of a page, is at least 1"));
        }
        Ok(())
    }
}

impl Plan {
    /// A plan to read `range` of the table, or of the index that `options` name.
    pub(super) fn new(
        name: &Arc<str>,
        table: Definition,
        options: &Options,
        range: impl FnOnce(&Entry<TableRecord>, Option<&IndexRecord>) -> Result<KeyRange>,
    ) -> Result<Self> {
        let index = options.index.as_ref().map(|name| position(&table.record, name)).transpose()?;
        let (origin, range) =
            (Origin::new(name, &table), range(&table, index.and_then(|place| table.record.indexes.get(place)))?);
        let (page_size, limit) = (options.page_size.unwrap_or(u64::MAX), options.limit.unwrap_or(u64::MAX));
        let mut plan = Self { table, origin, index, range, direction: options.direction, page_size, limit };
        if let Some(key) = &options.start_after {
            let start = plan.stored_key(key)?;
            if !plan.range.contains(&start) {
                return Err(invalid("the start key is outside of what the query reads"));
            }
            let (start, end) = match plan.direction {
                Direction::Forward => (Bound::Excluded(start), Bound::Unbounded),
                Direction::Backward => (Bound::Unbounded, Bound::Excluded(start)),
            };
            plan.range = plan.range.clamp(start, end);
        }
        Ok(plan)
    }

    fn index(&self) -> Option<&IndexRecord> {
        self.index.and_then(|place| self.table.record.indexes.get(place))
    }

    /// Whether `name` is a key attribute of the table or of the index that is read.
    fn is_key(&self, name: &str) -> bool {
        self.table.record.keys.has(name) || self.index().is_some_and(|index| index.index.keys.has(name))
    }

    /// The key attributes of `item`.
    fn last_key(&self, item: &Item) -> LastKey {
        let attributes = item.iter().filter(|(name, _)| self.is_key(name));
        LastKey(attributes.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The stored key that `key` stands for; it has to hold exactly the key attributes.
    fn stored_key(&self, key: &LastKey) -> Result<StoredKey> {
        if let Some((name, _)) = key.0.iter().find(|(name, _)| !self.is_key(name)) {
            return Err(invalid(&format!(
                "the start key holds {name:?}, which is not a key attribute of what is read"
            )));
        }
        let keys = &self.table.record.keys;
        let of_item = layout::key_of_item(self.table.storage, keys, &key.0)?;
        let stored = match self.index() {
            None => of_item,
            Some(index) => layout::key_of_entry(self.table.storage, keys, index, &key.0)?
                .ok_or_else(|| invalid("the start key lacks a key attribute of the index"))?,
        };
        Ok(StoredKey::from(stored))
    }

    /// Takes away what the index does not show.
    fn project(&self, item: &mut Item) {
        match self.index().map(|index| &index.index.projection) {
            None | Some(Projection::All) => {}
            Some(Projection::KeysOnly) => item.retain(|name| self.is_key(name)),
            Some(Projection::Include(names)) => {
                item.retain(|name| self.is_key(name) || names.iter().any(|included| included == name));
            }
        }
    }
}

/// Reads the items of a plan in order, all from one view.
#[derive(Debug)]
struct Rows {
    plan: Plan,
    view: View,
    cursor: Cursor,
}

impl Rows {
    fn next(&mut self) -> Result<Option<Item>> {
        let Some((key, value)) = self.cursor.next()? else { return Ok(None) };
        let origin = &self.plan.origin;
        let Some(index) = self.plan.index() else { return Ok(Some(record::decode(value)?.read_from(origin))) };
        let item_key = layout::item_key_of_entry(self.plan.table.storage, index, key)?;
        let record = self.view.get(&item_key)?;
        let record = record.ok_or_else(|| Error::corrupt("item index", "an entry belongs to no item"))?;
        let mut item = record::decode(&record)?.read_from(origin);
        self.plan.project(&mut item);
        Ok(Some(item))
    }
}

/// Makes pages of what a plan reads.
#[derive(Debug)]
pub(super) struct PageReader {
    rows: Rows,
    /// An item that was read and no longer fitted on its page.
    held: Option<Item>,
    /// Items that may still be returned.
    left: u64,
}

impl PageReader {
    pub(super) fn new(plan: Plan, view: View) -> Result<Self> {
        let (cursor, left) = (view.range(&plan.range, plan.direction)?, plan.limit);
        view.meter().returned(0);
        if let Some(index) = plan.index() {
            view.meter().index(index.index.name());
        }
        Ok(Self { rows: Rows { plan, view, cursor }, held: None, left })
    }

    /// The next page: up to the limit or the size of a page, or up to [`limits::ITEM_PAGE_BYTES_MAX`], whichever comes
    /// first.
    pub(super) fn next_page(&mut self) -> Result<Page> {
        let mut page = Page::default();
        let mut bytes = 0;
        while self.left > 0 && page.scanned < self.rows.plan.page_size {
            let Some(item) = self.next_item()? else {
                self.rows.view.meter().returned(page.scanned);
                return Ok(page);
            };
            bytes += item.size_bytes();
            if bytes > limits::ITEM_PAGE_BYTES_MAX && !page.items.is_empty() {
                self.held = Some(item);
                self.left += 1;
                break;
            }
            page.items.push(item);
            page.scanned += 1;
        }
        page.last_key = page.items.last().map(|item| self.rows.plan.last_key(item));
        self.rows.view.meter().returned(page.scanned);
        Ok(page)
    }

    fn next_item(&mut self) -> Result<Option<Item>> {
        if self.left == 0 {
            return Ok(None);
        }
        let item = match self.held.take() {
            Some(item) => Some(item),
            None => self.rows.next()?,
        };
        self.left -= u64::from(item.is_some());
        Ok(item)
    }

    /// Whether the limit has been reached.
    fn is_done(&self) -> bool {
        self.left == 0
    }
}

/// All pages of a query or scan, read from one snapshot; ends after the page without a last key, at the limit, or after
/// an error.
///
/// Given by [`Query::pages`](crate::item::Query::pages). It owns what it reads, and holds one page at a time.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, KeyType, TableSchema}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", KeyType::S))?;
/// for user in ["ann", "bob", "cid"] {
///     table.put(&Item::new().with("PK", user))?;
/// }
/// let mut pages = table.scan().page_size(2).pages()?;
/// assert_eq!(pages.next().unwrap()?.items.len(), 2);
/// assert_eq!(pages.next().unwrap()?.items.len(), 1);
/// assert!(pages.next().is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "pages are read as they are asked for"]
pub struct Pages(Option<PageReader>);

impl Pages {
    pub(super) fn new(reader: PageReader) -> Self {
        Self(Some(reader))
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        let reader = self.0.as_mut()?;
        let page = reader.next_page();
        if reader.is_done() || !page.as_ref().is_ok_and(|page| page.last_key.is_some()) {
            self.0 = None;
        }
        Some(page)
    }
}

impl std::iter::FusedIterator for Pages {}

/// All items of a query or scan, read from one snapshot one by one; ends after an error.
///
/// Given by [`Query::run`](crate::item::Query::run). It owns what it reads.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, KeyType, TableSchema}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", KeyType::S))?;
/// table.put(&Item::new().with("PK", "ann"))?;
/// let mut items = table.scan().run()?;
/// assert_eq!(items.next().unwrap()?, Item::new().with("PK", "ann"));
/// assert!(items.next().is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "items are read as they are asked for"]
pub struct Items(Option<PageReader>);

impl Items {
    pub(super) fn new(reader: PageReader) -> Self {
        Self(Some(reader))
    }
}

impl Iterator for Items {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Result<Item>> {
        let reader = self.0.as_mut()?;
        let item = reader.next_item().transpose();
        if matches!(item, Some(Ok(_))) {
            reader.rows.view.meter().returned(1);
        } else {
            self.0 = None;
        }
        item
    }
}

impl std::iter::FusedIterator for Items {}

fn position(record: &TableRecord, name: &str) -> Result<usize> {
    let place = record.indexes.iter().position(|index| index.index.name() == name);
    let place = place.ok_or_else(|| Error::NotFound { what: "index", name: name.to_owned() })?;
    if record.indexes.get(place).is_some_and(|index| index.is_building) {
        return Err(invalid(&format!("index {name:?} is being built and cannot be read yet")));
    }
    Ok(place)
}

pub(super) fn invalid(message: &str) -> Error {
    Error::invalid(InvalidKind::Value, message)
}
