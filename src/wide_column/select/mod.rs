//! Queries.

mod page;
mod plan;
mod prepared;
mod range;
mod typed;

pub use page::{Page, PagePosition};
pub use prepared::PreparedGet;
pub use typed::RowRef;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use crate::error::{Error, InvalidKind, Result};
use crate::txn::{AutoCommit, Scope, View};
use crate::wide_column::filter::Filter;
use crate::wide_column::read::position::Position;
use crate::wide_column::read::{Flow, FoundRow, Reader};
use crate::wide_column::row::{Row, Rows, Selection};
use crate::wide_column::target::Target;
use crate::wide_column::value::CqlValue;

/// A query of one partition or a whole table. Nothing is read before [`run`](Self::run) or [`to_vec`](Self::to_vec).
///
/// Clustering columns are restricted from left to right: any number of them by equality, then at most one by a range.
/// Anything else is an error that names the column, when the query runs.
///
/// # Examples
/// ```
/// use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
/// let events = Store::in_memory().wide_table("analytics", "events");
/// events.create(
///     TableSchema::new()
///         .partition_key("user", CqlType::Text)
///         .clustering("at", CqlType::Int, Order::Descending)
///         .column("kind", CqlType::Text),
/// )?;
/// for at in 1..=5 {
///     events.insert(&[("user", "ann".into()), ("at", at.into()), ("kind", "click".into())])?;
/// }
/// let rows = events.select(("ann",)).range("at", 2..5).limit(2).to_vec()?;
/// let times: Vec<_> = rows.iter().filter_map(|row| row.get("at")).collect();
/// assert_eq!(times, [&4.into(), &3.into()]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// CQL reference, `SELECT`.
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Select<S = AutoCommit> {
    scope: S,
    target: Arc<Target>,
    from: From,
    columns: Option<Arc<[String]>>,
    restrictions: Vec<(String, Restriction)>,
    filters: Vec<Filter>,
    is_reversed: bool,
    is_distinct: bool,
    limit: Option<u64>,
    limit_per_partition: Option<u64>,
    after: Option<Position>,
}

/// Which rows are looked at.
#[derive(Clone, Debug)]
enum From {
    /// Those of these partitions, each with the values of the partition columns.
    Partitions(Vec<Vec<CqlValue>>),
    /// All of those whose tokens are within bounds.
    Tokens(Bound<i64>, Bound<i64>),
    /// Those that an index has under a value.
    Index(String, CqlValue),
}

#[derive(Clone, Debug)]
enum Restriction {
    Equal(CqlValue),
    In(Vec<CqlValue>),
    Range(Bound<CqlValue>, Bound<CqlValue>),
}

impl<S: Scope> Select<S> {
    fn new(scope: S, target: Arc<Target>, from: From) -> Self {
        let (columns, restrictions, filters) = (None, Vec::new(), Vec::new());
        let (is_reversed, is_distinct, after) = (false, false, None);
        let (limit, limit_per_partition) = (None, None);
        Self {
            scope,
            target,
            from,
            columns,
            restrictions,
            filters,
            is_reversed,
            is_distinct,
            limit,
            limit_per_partition,
            after,
        }
    }

    /// Of these partitions.
    pub(super) fn of_partitions(scope: S, target: Arc<Target>, partitions: Vec<Vec<CqlValue>>) -> Self {
        Self::new(scope, target, From::Partitions(partitions))
    }

    /// Of the whole table.
    pub(super) fn of_all(scope: S, target: Arc<Target>) -> Self {
        Self::new(scope, target, From::Tokens(Bound::Unbounded, Bound::Unbounded))
    }

    /// Of what an index has.
    pub(super) fn of_index(scope: S, target: Arc<Target>, index: &str, value: CqlValue) -> Self {
        Self::new(scope, target, From::Index(index.to_owned(), value))
    }

    /// Asks for these columns only; the default is all.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// let row = events.select(("ann",)).columns(["at"]).to_vec()?.remove(0);
    /// assert!(row.iter().eq([("at", Some(&1.into()))]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn columns(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.columns = Some(names.into_iter().map(|name| name.as_ref().to_owned()).collect());
        self
    }

    /// Asks for rows whose clustering column `column` is `value`.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// assert_eq!(events.select(("ann",)).eq("at", 2).to_vec()?.len(), 1);
    /// assert_eq!(events.select(("ann",)).eq("at", 9).to_vec()?.len(), 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn eq(self, column: &str, value: impl Into<CqlValue>) -> Self {
        self.restrict(column, Restriction::Equal(value.into()))
    }

    /// Asks for rows whose clustering column `column` is within `bounds`, whatever its order: `2..5`, `2..`, `..=5`, or
    /// a pair of [`Bound`]s. The lower bound is the smaller value in descending columns too.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// assert_eq!(events.select(("ann",)).range("at", 2..).to_vec()?.len(), 2);
    /// assert_eq!(events.select(("ann",)).range("at", 2..3).to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn range<V: Into<CqlValue> + Clone>(self, column: &str, bounds: impl RangeBounds<V>) -> Self {
        let own = |bound: Bound<&V>| bound.map(|value| value.clone().into());
        let range = Restriction::Range(own(bounds.start_bound()), own(bounds.end_bound()));
        self.restrict(column, range)
    }

    /// Asks for rows whose clustering column `column` is one of `values`. They come in clustering order, each once.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// let rows = events.select(("ann",)).is_in("at", [3, 1, 3, 9]).to_vec()?;
    /// assert!(rows.iter().filter_map(|row| row.get("at")).eq([&1.into(), &3.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "IN")]
    pub fn is_in<V: Into<CqlValue>>(self, column: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.restrict(column, Restriction::In(values.into_iter().map(Into::into).collect()))
    }

    /// Asks for rows that meet a condition. Of several, all have to be met. Every row that is read is looked at.
    ///
    /// # Examples
    /// See [`Filter`].
    #[doc(alias = "ALLOW FILTERING")]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Asks for one row of each partition, with its partition key and static columns.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// assert_eq!(events.scan().columns(["user"]).distinct().to_vec()?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "DISTINCT")]
    pub fn distinct(mut self) -> Self {
        self.is_distinct = true;
        self
    }

    /// Asks for partitions whose token is within `bounds`, of a query of the whole table.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// # let users = Store::in_memory().wide_table("shop", "users");
    /// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// for id in 0..10 {
    ///     users.insert(&[("id", id.into())])?;
    /// }
    /// let half = users.scan().tokens(..0)?.to_vec()?.len() + users.scan().tokens(0..)?.to_vec()?.len();
    /// assert_eq!(half, 10);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query of single partitions, or of an index.
    #[doc(alias = "token()")]
    pub fn tokens(mut self, bounds: impl RangeBounds<i64>) -> Result<Self> {
        let From::Tokens(start, end) = &mut self.from else {
            return Err(Error::invalid(InvalidKind::Value, "only a query of the whole table goes by tokens"));
        };
        (*start, *end) = (bounds.start_bound().cloned(), bounds.end_bound().cloned());
        Ok(self)
    }

    /// Asks for the first `rows` rows of each partition only; at least 1.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// for (user, at) in [("ann", 1), ("ann", 2), ("bob", 3)] {
    ///     events.insert(&[("user", user.into()), ("at", at.into())])?;
    /// }
    /// assert_eq!(events.scan().limit_per_partition(1).to_vec()?.len(), 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "PER PARTITION LIMIT")]
    pub fn limit_per_partition(mut self, rows: u64) -> Self {
        self.limit_per_partition = Some(rows);
        self
    }

    /// Asks for the rows in the reverse of their clustering order.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// let last = events.select(("ann",)).reverse().to_vec()?.remove(0);
    /// assert_eq!(last.get("at"), Some(&3.into()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "ORDER BY")]
    pub fn reverse(mut self) -> Self {
        self.is_reversed = !self.is_reversed;
        self
    }

    /// Asks for the first `rows` rows only; at least 1.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let events = Store::in_memory().wide_table("analytics", "events");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
    /// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
    /// # for at in 1..=3 {
    /// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
    /// # }
    /// assert_eq!(events.select(("ann",)).limit(2).to_vec()?.len(), 2);
    /// assert!(events.select(("ann",)).limit(0).to_vec().is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[doc(alias = "LIMIT")]
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Runs the query and collects its rows, all of one snapshot.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown table or column; [`Error::Invalid`] when the partition columns' values are
    /// not those of a key, a restriction is not left to right or does not fit its column, or the limit is 0.
    ///
    /// # Cost
    /// O(log n) and the rows it steps over: those it returns, and those among them that are deleted or expired.
    ///
    /// # Examples
    /// ```
    /// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
    /// # let notes = Store::in_memory().wide_table("shop", "notes");
    /// # let schema = TableSchema::new().partition_key("user", CqlType::Int);
    /// # notes.create(schema.clustering("n", CqlType::Int, Order::Ascending))?;
    /// for n in [2, 1] {
    ///     notes.insert(&[("user", 7.into()), ("n", n.into())])?;
    /// }
    /// let rows = notes.select((7,)).to_vec()?;
    /// assert!(rows.iter().filter_map(|row| row.get("n")).eq([&1.into(), &2.into()]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn to_vec(self) -> Result<Vec<Row>> {
        self.read("select", |view, mut reader, selection| {
            let mut rows = Vec::new();
            reader.run(view, &mut |row: &FoundRow<'_>| {
                rows.push(Row::of(row, &selection)?);
                Ok(Flow::Continue)
            })?;
            view.meter().returned(rows.len() as u64);
            Ok(rows)
        })
    }

    /// Runs the query and reads its rows one by one, all of one snapshot: that of the call.
    ///
    /// # Errors
    /// As [`to_vec`](Self::to_vec); what is found damaged on the way is an item of the iterator.
    ///
    /// # Cost
    /// O(log n), and then O(1) memory.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, wide_column::{CqlType, TableSchema}};
    /// let users = Store::in_memory().wide_table("shop", "users");
    /// users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
    /// users.insert(&[("id", 7.into())])?;
    /// for row in users.scan().run()? {
    ///     assert_eq!(row?.get("id"), Some(&7.into()));
    /// }
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn run(self) -> Result<Rows> {
        self.read("select", |view, reader, selection| Ok(Rows::new(view, reader, selection)))
    }

    fn restrict(mut self, column: &str, restriction: Restriction) -> Self {
        self.restrictions.push((column.to_owned(), restriction));
        self
    }

    fn read<R>(self, verb: &'static str, end: impl FnOnce(&View, Reader, Selection) -> Result<R>) -> Result<R> {
        self.scope.read(self.target.operation(verb), |view| {
            let definition = self.target.definition(view)?;
            let selection = Selection::new(&definition.record, self.columns.clone())?;
            let reader = Reader::new(view, self.plan(definition, &selection)?)?;
            end(view, reader, selection)
        })
    }
}
