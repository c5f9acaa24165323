//! Queries and scans: items of one partition key, or every item, of a table or of one of its indexes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Direction;
use crate::error::Result;
use crate::item::check::PreparedRead;
use crate::item::condition::KeyCondition;
use crate::item::expression::Condition;
use crate::item::page::{ItemIter, LastKey, Page, PageReader, Pages};
use crate::item::plan::Options;
use crate::item::reads::read;
use crate::item::request::{self, Select};
use crate::item::target::Target;
use crate::item::{AttributeValue, ExpressionKind, Item, RequestFault, run_read};
use crate::txn::{AutoCommit, Scope};

/// A query or scan that is being put together. [`Query::run`] reads item after item, [`Query::to_vec`] all of them,
/// [`Query::page`] one page and [`Query::pages`] page after page.
///
/// Given by [`ItemTable::query`](crate::ItemTable::query) and [`ItemTable::scan`](crate::ItemTable::scan). A query's items
/// come in the order of their sort key. A scan's come in the order of a hash of their partition key, and of the sort key
/// within one.
///
/// # Examples
/// ```
/// use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
/// let table = Store::in_memory().item_table("Orders");
/// table.create(
///     TableSchema::new("PK", ScalarAttributeType::S)
///         .global_index(GlobalIndex::new("by-status", "status", ScalarAttributeType::S).sort_key("total", ScalarAttributeType::N)),
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
    keys: Option<KeyExpression>,
    typed_filter: Option<Condition>,
    options: Options,
    texts: Texts,
}

/// Expressions as text.
#[derive(Clone, Debug, Default)]
struct Texts {
    filter: Option<String>,
    projection: Option<String>,
    names: Option<BTreeMap<String, String>>,
    values: Option<BTreeMap<String, AttributeValue>>,
}

/// Which items of a table or index a query reads: a typed condition, made with [`key`](crate::item::key), or the text of
/// a key condition expression.
///
/// # Examples
/// ```
/// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
/// # let table = Store::in_memory().item_table("Events");
/// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
/// table.put(&Item::from([("PK", "a")]))?;
/// let typed = table.query(key("PK").eq("a")).to_vec()?;
/// assert_eq!(table.query("PK = :pk").value(":pk", "a").to_vec()?, typed);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "KeyConditionExpression")]
pub enum KeyExpression {
    /// A typed condition.
    Typed(KeyCondition),
    /// Text, whose values are given with [`Query::value`].
    Text(String),
}

impl From<KeyCondition> for KeyExpression {
    fn from(condition: KeyCondition) -> Self {
        Self::Typed(condition)
    }
}

impl From<&str> for KeyExpression {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for KeyExpression {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<S: Scope> Query<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, keys: Option<KeyExpression>) -> Self {
        let options = Options { is_query: keys.is_some(), ..Options::default() };
        Self { scope, target, keys, typed_filter: None, options, texts: Texts::default() }
    }

    /// Returns only items that `expression` holds for. What it keeps out is read all the same, and counts for limits
    /// and pages.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// for id in 0..5 {
    ///     table.put(&Item::from([("id", id), ("age", id * 10)]))?;
    /// }
    /// let page = table.scan().filter("age > :min").value(":min", 20).page()?;
    /// assert_eq!((page.count, page.scanned), (2, 5));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "FilterExpression")]
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.texts.filter = Some(expression.into());
        self
    }

    /// As [`Query::filter`], with a typed condition.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, path}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// table.put(&Item::from([("id", 1), ("age", 30)]))?;
    /// assert_eq!(table.scan().only(path("age").lt(20)).page()?.count, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn only(mut self, condition: Condition) -> Self {
        self.typed_filter = Some(condition);
        self
    }

    /// Returns of each item only what `expression` names.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// table.put(&Item::from([("id", 1), ("age", 30)]))?;
    /// assert_eq!(table.scan().projection("age").to_vec()?, [Item::from([("age", 30)])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ProjectionExpression")]
    pub fn projection(mut self, expression: impl Into<String>) -> Self {
        self.texts.projection = Some(expression.into());
        self
    }

    /// Has `placeholder`, which begins with `#`, stand for an attribute in the expressions.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// table.put(&Item::from([("id", 1), ("size", 30)]))?;
    /// assert_eq!(table.scan().projection("#s").name("#s", "size").to_vec()?, [Item::from([("size", 30)])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ExpressionAttributeNames")]
    pub fn name(mut self, placeholder: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.texts.names.get_or_insert_default().insert(placeholder.into(), attribute.into());
        self
    }

    /// Has `placeholder`, which begins with `:`, stand for `value` in the expressions.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// table.put(&Item::from([("id", 1), ("age", 30)]))?;
    /// assert_eq!(table.scan().filter("age = :n").value(":n", 30).page()?.count, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ExpressionAttributeValues")]
    pub fn value(mut self, placeholder: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.texts.values.get_or_insert_default().insert(placeholder.into(), value.into());
        self
    }

    /// Reads the newest state, also when the store was told to lag ([`Items::lag`](crate::item::Items::lag)). Global
    /// indexes refuse it, as the service's do.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// assert_eq!(table.scan().consistent().page()?.count, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ConsistentRead")]
    pub fn consistent(mut self) -> Self {
        self.options.is_consistent = true;
        self
    }

    /// Reads segment `number`, from 0, of `total` of a scan: each item is in one of them, whatever is written meanwhile.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("id", ScalarAttributeType::N))?;
    /// for id in 0..50 {
    ///     table.put(&Item::from([("id", id)]))?;
    /// }
    /// let sizes = (0..4).map(|number| Ok(table.scan().segment(number, 4).run()?.count()));
    /// assert_eq!(sizes.sum::<larder::Result<usize>>()?, 50);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("Segment", "TotalSegments"))]
    pub fn segment(mut self, number: u32, total: u32) -> Self {
        self.options.segment = Some((number, total));
        self
    }

    /// Counts the items that pass the filter, up to the limit.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Cost
    /// O(log n + k) for k items read; none is decoded.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
    /// for n in 0..5 {
    ///     table.put(&Item::from([("PK", "a")]).with("SK", n))?;
    /// }
    /// assert_eq!(table.query(key("PK").eq("a")).count()?, 5);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias("Select", "COUNT"))]
    pub fn count(mut self) -> Result<u64> {
        self.options.select = Some(Select::Count);
        self.texts.projection = None;
        self.read("query", |reader| Pages::new(reader).map(|page| Ok(page?.count)).sum())
    }

    /// Reads the index `name`: the items that it shows, as it shows them. A query's condition is then on the key
    /// attributes of the index.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # let by_mail = GlobalIndex::new("by-mail", "mail", ScalarAttributeType::S);
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).global_index(by_mail))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::N))?;
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
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
        self.options.start_after = Some(key.into().into());
        self
    }

    /// Reads item after item, all from the snapshot of this moment, one in memory at a time.
    ///
    /// # Errors
    /// An [`Error::Item`](crate::Error::Item): for a condition that is none on the key, a limit of 0, a start key of other
    /// attributes or outside of the condition, an index that does not exist or is still being built, and a table that does
    /// not exist.
    ///
    /// # Cost
    /// O(log n + k) for k items; from an index, k gets more.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
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
    pub fn run(self) -> Result<ItemIter> {
        self.read("query", |reader| Ok(ItemIter::new(reader)))
    }

    /// Reads every item into memory.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
    /// table.put(&Item::from([("PK", "ann")]))?;
    /// assert_eq!(table.scan().to_vec()?, [Item::from([("PK", "ann")])]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_vec(self) -> Result<Vec<Item>> {
        self.read("query", |reader| ItemIter::new(reader).collect())
    }

    /// Reads one page: up to the limit and the page size, or up to
    /// [`limits::ITEM_PAGE_BYTES_MAX`](crate::limits::ITEM_PAGE_BYTES_MAX), whichever comes first.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema}};
    /// # let table = Store::in_memory().item_table("Users");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S))?;
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
        self.read("query", |mut reader| reader.next_page())
    }

    /// Reads page after page, all from the snapshot of this moment.
    ///
    /// # Errors
    /// As [`Query::run`].
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, item::{Item, ScalarAttributeType, TableSchema, key}};
    /// # let table = Store::in_memory().item_table("Events");
    /// # table.create(TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N))?;
    /// assert_eq!(table.query(key("PK").eq("USER#7")).pages()?.count(), 1, "one page without items");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pages(self) -> Result<Pages> {
        self.read("query", |reader| Ok(Pages::new(reader)))
    }

    fn read<R>(&self, verb: &'static str, end: impl FnOnce(PageReader) -> Result<R>) -> Result<R> {
        let prepared = self.prepare()?;
        let verb = if self.keys.is_some() { verb } else { "scan" };
        read(&self.scope, self.target.operation(verb), self.options.is_consistent, |names, items| {
            let table = self.target.definition(names)?;
            let options = Options {
                filter: prepared.filter.clone(),
                projection: prepared.projection.clone(),
                ..self.options.clone()
            };
            end(run_read::reader(items, &self.target, &table, &options, &prepared)?)
        })
    }

    /// What can be said without the table, by the request that it amounts to.
    fn prepare(&self) -> Result<PreparedRead> {
        if self.keys.is_none() && self.options.direction == Direction::Backward {
            let text = "only the items of one partition key can be reversed";
            return Err(RequestFault::other(text));
        }
        let smallest = self.options.limit.into_iter().chain(self.options.page_size).min();
        let limit = smallest.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let Texts { filter, projection, names, values } = self.texts.clone();
        let mut prepared = if let Some(KeyExpression::Text(text)) = &self.keys {
            let request = request::Query {
                table_name: self.target.name().to_string(),
                index_name: self.options.index.clone(),
                select: self.options.select,
                limit,
                projection_expression: projection,
                filter_expression: filter,
                key_condition_expression: Some(text.clone()),
                expression_attribute_names: names,
                expression_attribute_values: values,
                ..request::Query::default()
            };
            request.prepare()?
        } else {
            let request = request::Scan {
                table_name: self.target.name().to_string(),
                index_name: self.options.index.clone(),
                select: self.options.select,
                limit,
                segment: self.options.segment.map(|(number, _)| i64::from(number)),
                total_segments: self.options.segment.map(|(_, total)| i64::from(total)),
                projection_expression: projection,
                filter_expression: filter,
                expression_attribute_names: names,
                expression_attribute_values: values,
                ..request::Scan::default()
            };
            request.prepare()?
        };
        if let Some(KeyExpression::Typed(condition)) = &self.keys {
            prepared.key_condition = Some(condition.clone());
        }
        if let Some(condition) = &self.typed_filter {
            condition.check(ExpressionKind::Filter)?;
            prepared.filter = Some(Arc::new(condition.clone()));
        }
        Ok(prepared)
    }
}
