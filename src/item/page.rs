//! Reading items in key order, page by page: what queries and scans have in common.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::item::plan::{Plan, Shows};
use crate::item::record::{self, Names, RecordRef};
use crate::item::{Item, RequestFault, layout};
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
/// let token = after.to_string();
/// assert_eq!(token.parse::<LastKey>()?, after, "for a client to keep");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// `DynamoDB` API Reference, `Query`: `LastEvaluatedKey`, `ExclusiveStartKey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKey(pub(super) Item);

impl LastKey {
    /// The key attributes.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
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

/// Writes the key as a token for a client to keep: hexadecimal digits, which `FromStr` reads.
impl std::fmt::Display for LastKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let record = record::encode(&self.0).map_err(|_| std::fmt::Error)?;
        record.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for LastKey {
    type Err = Error;

    /// # Errors
    /// [`RequestFault::StartKey`] for what `Display` did not write.
    fn from_str(token: &str) -> Result<Self> {
        let digits = token.as_bytes().chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2);
            text.and_then(|text| u8::from_str_radix(text, 16).ok())
        });
        let record: Option<Vec<u8>> = digits.collect();
        let item = record.and_then(|record| record::decode(&record).ok());
        item.map(Self).ok_or_else(|| RequestFault::StartKey.into_error())
    }
}

impl serde::Serialize for LastKey {
    /// As its token.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for LastKey {
    /// From its token.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = String::deserialize(deserializer)?;
        token.parse().map_err(serde::de::Error::custom)
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
/// use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Events");
/// table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
    /// The items that passed the filter, in key order or its reverse; none when only their number was asked for.
    pub items: Vec<Item>,
    /// How many items passed the filter.
    #[doc(alias = "Count")]
    pub count: u64,
    /// Where to go on; only its absence means that there is no more. A page that a limit ended has one even when
    /// nothing follows.
    #[doc(alias = "LastEvaluatedKey")]
    pub last_key: Option<LastKey>,
    /// Items read to make the page, whether they passed the filter or not.
    #[doc(alias = "ScannedCount")]
    pub scanned: u64,
    /// The sizes of what was read, of the table or the index, and of items that the index does not show.
    pub(super) bytes: usize,
    pub(super) joined: Vec<usize>,
}

/// Reads the rows of a plan in order, all from one view.
#[derive(Debug)]
struct Rows {
    plan: Plan,
    view: View,
    cursor: Cursor,
    /// The stored key of the last row.
    last: Vec<u8>,
    /// What the last row was read with, for the next one: the stored key of the item that an index entry belongs to, and
    /// the names of attributes.
    item_key: Vec<u8>,
    names: Names,
}

/// A row that was read: what counts, and what becomes of it.
struct Row {
    size: usize,
    /// The size of the item, when that was fetched for what the index does not show.
    joined: Option<usize>,
    passes: bool,
    item: Option<Item>,
}

impl Rows {
    /// Reads a row; `None` at the end.
    fn next(&mut self) -> Result<Option<Row>> {
        let Self { plan, view, cursor, last, item_key, names } = self;
        let Some((key, value)) = cursor.next()? else { return Ok(None) };
        last.clear();
        last.extend_from_slice(key);
        let table = &plan.table;
        let mut fetch = |index| {
            layout::put_item_key_of_entry(item_key, table.storage, &table.record, index, key)?;
            let record = view.get(item_key)?;
            record.ok_or_else(|| Error::corrupt("item index", "an entry belongs to no item"))
        };
        let (size, record) = match plan.index() {
            None => (None, Cow::Borrowed(value)),
            Some(index) if index.is_covering() && plan.joins => {
                (Some(RecordRef::new(value)?.size_bytes()?), fetch(index)?)
            }
            Some(index) if index.is_covering() => (None, Cow::Borrowed(value)),
            Some(index) => (None, fetch(index)?),
        };
        let record = RecordRef::new(&record)?;
        let passes = match &plan.filter {
            Some(filter) => filter.holds(record)?,
            None => true,
        };
        let (item, whole) = match &plan.shows {
            Shows::All if passes => {
                let (item, whole) = record.to_measured_item(names)?;
                (Some(item), whole)
            }
            Shows::Some(projection) if passes => (Some(projection.project(record)?), record.size_bytes()?),
            _ => (None, record.size_bytes()?),
        };
        let item = item.map(|item| item.read_from(&plan.origin));
        let joined = size.map(|_| whole);
        Ok(Some(Row { size: size.unwrap_or(whole), joined, passes, item }))
    }

    /// The key attributes of the row whose stored key is `key`.
    fn key_of(&self, key: &[u8]) -> Result<LastKey> {
        layout::attributes_of(&self.plan.table.record, self.plan.index(), key).map(LastKey)
    }
}

/// Makes pages of what a plan reads.
#[derive(Debug)]
pub(super) struct PageReader {
    rows: Rows,
    /// A row that was read and no longer fitted on its page, with its stored key.
    held: Option<(Row, Vec<u8>)>,
    /// Rows that may still be read.
    left: u64,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("size", &self.size).finish_non_exhaustive()
    }
}

impl PageReader {
    pub(super) fn new(plan: Plan, view: View) -> Result<Self> {
        let (cursor, left) = (view.range(&plan.range, plan.direction)?, plan.limit);
        view.meter().returned(0);
        if let Some(index) = plan.index() {
            view.meter().index(&index.name);
        }
        Ok(Self {
            rows: Rows { plan, view, cursor, last: Vec::new(), item_key: Vec::new(), names: Names::default() },
            held: None,
            left,
        })
    }

    /// The next page: up to the limit or the size of a page, or up to [`limits::ITEM_PAGE_BYTES_MAX`], whichever comes
    /// first. What the filter keeps out counts.
    pub(super) fn next_page(&mut self) -> Result<Page> {
        let mut page = Page::default();
        // The stored key of the last row that is on the page.
        let mut last = Vec::new();
        while self.left > 0 && page.scanned < self.rows.plan.page_size {
            let Some(row) = self.next_row()? else {
                self.rows.view.meter().returned(page.count);
                return Ok(page);
            };
            if page.bytes + row.size > limits::ITEM_PAGE_BYTES_MAX && page.scanned > 0 {
                self.held = Some((row, std::mem::take(&mut self.rows.last)));
                self.left += 1;
                break;
            }
            page.bytes += row.size;
            page.joined.extend(row.joined);
            page.scanned += 1;
            page.count += u64::from(row.passes);
            page.items.extend(row.item);
            // The memory of the one before takes the next.
            std::mem::swap(&mut last, &mut self.rows.last);
        }
        page.last_key = (page.scanned > 0).then(|| self.rows.key_of(&last)).transpose()?;
        self.rows.view.meter().returned(page.count);
        Ok(page)
    }

    /// The next row, whose stored key is in `rows.last` then.
    fn next_row(&mut self) -> Result<Option<Row>> {
        if self.left == 0 {
            return Ok(None);
        }
        let row = match self.held.take() {
            Some((row, key)) => {
                self.rows.last = key;
                Some(row)
            }
            None => self.rows.next()?,
        };
        self.left -= u64::from(row.is_some());
        Ok(row)
    }

    /// The next item that passes the filter.
    fn next_item(&mut self) -> Result<Option<Item>> {
        while let Some(row) = self.next_row()? {
            if let Some(item) = row.item {
                return Ok(Some(item));
            }
        }
        Ok(None)
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
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
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
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// table.put(&Item::new().with("PK", "ann"))?;
/// let mut items = table.scan().run()?;
/// assert_eq!(items.next().unwrap()?, Item::new().with("PK", "ann"));
/// assert!(items.next().is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "items are read as they are asked for"]
pub struct ItemIter(Option<PageReader>);

impl ItemIter {
    pub(super) fn new(reader: PageReader) -> Self {
        Self(Some(reader))
    }
}

impl Iterator for ItemIter {
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

impl std::iter::FusedIterator for ItemIter {}
