//! Queries.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use crate::engine::{Direction, Key, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::limits;
use crate::txn::{AutoCommit, Scope, View};
use crate::wide_column::layout::{self, Clustering};
use crate::wide_column::mutation;
use crate::wide_column::row::{Partition, Row, Rows, Selection};
use crate::wide_column::schema::{Column, ColumnKind, Order, TableSchema};
use crate::wide_column::target::Target;
use crate::wide_column::value::CqlValue;
use crate::wide_column::write::whole_partition_key;

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
    /// The partition columns' values, `None` for the whole table.
    partition: Option<Vec<CqlValue>>,
    columns: Option<Vec<String>>,
    restrictions: Vec<(String, Restriction)>,
    direction: Direction,
    limit: Option<u64>,
}

#[derive(Clone, Debug)]
enum Restriction {
    Equal(CqlValue),
    Range(Bound<CqlValue>, Bound<CqlValue>),
}

impl<S: Scope> Select<S> {
    pub(super) fn new(scope: S, target: Arc<Target>, partition: Option<Vec<CqlValue>>) -> Self {
        let (columns, restrictions) = (None, Vec::new());
        Self { scope, target, partition, columns, restrictions, direction: Direction::Forward, limit: None }
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
        self.direction = self.direction.reversed();
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
        self.read("select", Iterator::collect)
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
        self.read("select", Ok)
    }

    fn restrict(mut self, column: &str, restriction: Restriction) -> Self {
        self.restrictions.push((column.to_owned(), restriction));
        self
    }

    fn read<R>(self, verb: &'static str, end: impl FnOnce(Rows) -> Result<R>) -> Result<R> {
        self.scope.read(self.target.operation(verb), |view| end(self.open(view)?))
    }

    fn open(&self, view: &View) -> Result<Rows> {
        if self.limit == Some(0) {
            return Err(Error::invalid(InvalidKind::Value, "a limit is at least 1"));
        }
        let definition = self.target.definition(view)?;
        let (schema, storage) = (&definition.record.schema, definition.storage);
        let selection = self.selection(schema)?;
        self.check_restrictions(schema)?;
        let (range, partition) = match &self.partition {
            None => (self.table_range(storage)?, Partition::Any),
            Some(values) => {
                let partition = layout::partition(storage, &whole_partition_key(schema, values)?);
                let deletion = mutation::deletion_of(view, &partition)?;
                let restriction = |name: &str| self.restrictions.iter().find(|(of, _)| of == name).map(|(_, r)| r);
                (clustering_range(schema, layout::rows(&partition), restriction)?, Partition::One(deletion))
            }
        };
        let (cursor, limit) = (view.range(&range, self.direction)?, self.limit.unwrap_or(u64::MAX));
        Ok(Rows::new((cursor, view.meter()), definition, selection, view.now().as_seconds(), limit, partition))
    }

    fn selection(&self, schema: &TableSchema) -> Result<Selection> {
        let columns = match &self.columns {
            None => schema.columns().cloned().collect(),
            Some(names) => names.iter().map(|name| schema.require(name).cloned()).collect::<Result<Vec<_>>>()?,
        };
        if columns.is_empty() {
            return Err(Error::invalid(InvalidKind::Value, "a query asks for at least one column"));
        }
        Ok(Selection::new(schema, columns))
    }

    fn check_restrictions(&self, schema: &TableSchema) -> Result<()> {
        for (at, (name, _)) in self.restrictions.iter().enumerate() {
            check_restrictable(schema.require(name)?)?;
            if self.restrictions.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(InvalidKind::Value, format!("column {name:?} is restricted twice")));
            }
        }
        Ok(())
    }

    fn table_range(&self, id: u32) -> Result<KeyRange> {
        if let Some((name, _)) = self.restrictions.first() {
            let message = format!("column {name:?} can only be restricted within one partition");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        if self.direction == Direction::Backward {
            return Err(Error::invalid(InvalidKind::Value, "only the rows of one partition can be reversed"));
        }
        Ok(layout::table(id))
    }
}

fn check_restrictable(column: &Column) -> Result<()> {
    let name = column.name();
    match column.kind() {
        ColumnKind::Clustering(_) => Ok(()),
        ColumnKind::PartitionKey => {
            let message = format!("partition column {name:?} is given to `select`, not restricted afterwards");
            Err(Error::invalid(InvalidKind::Value, message))
        }
        ColumnKind::Regular => {
            Err(Error::unsupported(format!("restricting {name:?}, which is not a clustering column and has no index")))
        }
    }
}

/// The keys under `prefix` that the restrictions let in.
fn clustering_range<'a>(
    schema: &TableSchema,
    prefix: Vec<u8>,
    restriction_of: impl Fn(&str) -> Option<&'a Restriction>,
) -> Result<KeyRange> {
    let mut equal = Clustering::default();
    let mut later = schema.clustering_columns().count();
    let mut range = None;
    // The first column without equality: after it nothing can be restricted.
    let mut last: Option<&str> = None;
    for (column, order) in schema.clustering_columns() {
        later = later.saturating_sub(1);
        let restriction = restriction_of(column.name());
        if let (Some(last), Some(_)) = (last, restriction) {
            let name = column.name();
            let message =
                format!("column {name:?} cannot be restricted: {last:?} before it is not restricted by equality");
            return Err(Error::invalid(InvalidKind::Value, message));
        }
        match restriction {
            Some(Restriction::Equal(value)) => put(&mut equal, (column, order), later, value)?,
            Some(Restriction::Range(lower, upper)) => {
                range = Some(slice(&prefix, &equal, (column, order), later, (lower, upper))?);
                last = Some(column.name());
            }
            None => last = last.or(Some(column.name())),
        }
    }
    Ok(range.unwrap_or_else(|| KeyRange::prefix(&[prefix, equal.key].concat())))
}

/// The keys with these equal columns whose next column is between the bounds.
fn slice(
    prefix: &[u8],
    equal: &Clustering,
    (column, order): (&Column, Order),
    later: usize,
    (lower, upper): (&Bound<CqlValue>, &Bound<CqlValue>),
) -> Result<KeyRange> {
    let (first, last) = if order == Order::Descending { (upper, lower) } else { (lower, upper) };
    let field = |value: &CqlValue| {
        let mut clustering = equal.clone();
        put(&mut clustering, (column, order), later, value)?;
        if let Some((_, whole)) = clustering.long.get(equal.long.len()) {
            // Keys do not show on which side of it a long value is that begins like it.
            let (max, found) = (limits::WIDE_CLUSTERING_KEY_BYTES_MAX as u64, whole.len() as u64);
            return Err(Error::LimitExceeded { limit: "bytes of a bound of a range of rows", max, found });
        }
        Ok::<_, Error>(KeyRange::prefix(&[prefix, &clustering.key].concat()))
    };
    let start = match first {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(value) => field(value)?.start().clone(),
        Bound::Excluded(value) => after(field(value)?.end()),
    };
    let end = match last {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(value) => field(value)?.end().clone(),
        Bound::Excluded(value) => before(field(value)?.start()),
    };
    Ok(KeyRange::prefix(&[prefix, &equal.key].concat()).clamp(start, end))
}

/// The start of what comes after a range with this end.
fn after(end: &Bound<Key>) -> Bound<Key> {
    match end.clone() {
        Bound::Excluded(key) => Bound::Included(key),
        other => other,
    }
}

/// The end of what comes before a range with this start.
fn before(start: &Bound<Key>) -> Bound<Key> {
    match start.clone() {
        Bound::Included(key) => Bound::Excluded(key),
        other => other,
    }
}

fn put(clustering: &mut Clustering, column: (&Column, Order), later: usize, value: &CqlValue) -> Result<()> {
    value.check_key(column.0)?;
    layout::put_clustering(clustering, column, later, value)
}
