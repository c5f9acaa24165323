//! Queries read page by page.

use crate::error::{Error, InvalidKind, Result};
use crate::txn::Scope;
use crate::wide_column::read::position::Position;
use crate::wide_column::read::{Flow, FoundRow};
use crate::wide_column::row::Row;
use crate::wide_column::select::Select;

/// Some rows of a query, and where they ended.
///
/// # Examples
/// ```
/// # use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
/// # let events = Store::in_memory().wide_table("analytics", "events");
/// # let schema = TableSchema::new().partition_key("user", CqlType::Text);
/// # events.create(schema.clustering("at", CqlType::Int, Order::Ascending))?;
/// # for at in 1..=5 {
/// #     events.insert(&[("user", "ann".into()), ("at", at.into())])?;
/// # }
/// let (mut query, mut rows) = (events.select(("ann",)), 0);
/// loop {
///     let page = query.clone().page(2)?;
///     rows += page.rows.len();
///     let Some(position) = page.next else { break };
///     query = query.after(position);
/// }
/// assert_eq!(rows, 5);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where to go on ([`Select::after`]); `None` when that was all. There may be nothing behind it.
    pub next: Option<PagePosition>,
    /// Whether more that is deleted was passed than is good
    /// ([`Store::set_tombstone_thresholds`](crate::Store::set_tombstone_thresholds)).
    pub has_many_tombstones: bool,
}

/// Where a page ended: a row, so that what is written meanwhile neither loses nor repeats one.
///
/// # Examples
/// ```
/// # use larder::{Store, wide_column::{CqlType, PagePosition, TableSchema}};
/// # let users = Store::in_memory().wide_table("shop", "users");
/// # users.create(TableSchema::new().partition_key("id", CqlType::Int))?;
/// for id in [1, 2] {
///     users.insert(&[("id", id.into())])?;
/// }
/// let bytes = users.scan().page(1)?.next.expect("there is another row").to_bytes();
/// let rest = users.scan().after(PagePosition::from_bytes(&bytes)?).to_vec()?;
/// assert_eq!(rest.len(), 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePosition(Position);

impl PagePosition {
    /// The position as bytes, to be kept or sent. They have the row's key in them, and are not authenticated.
    ///
    /// # Examples
    /// See [`PagePosition`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// The position of bytes that [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`Error::Invalid`] for others.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::wide_column::PagePosition::from_bytes(b"page 2").is_err());
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Position::decode(bytes).map(Self)
    }
}

impl<S: Scope> Select<S> {
    /// Asks for the rows behind a position, which a page of the same query has ended at. Its limits go on from there.
    ///
    /// # Examples
    /// See [`Page`].
    pub fn after(mut self, position: PagePosition) -> Self {
        self.after = Some(position.0);
        self
    }

    /// Runs the query for at most `rows` rows.
    ///
    /// # Errors
    /// As [`to_vec`](Select::to_vec), and [`Error::Invalid`] for a page of no rows.
    ///
    /// # Cost
    /// O(log n) and the rows it steps over, wherever the page is.
    ///
    /// # Examples
    /// See [`Page`].
    #[doc(alias = "fetch_size")]
    pub fn page(self, rows: usize) -> Result<Page> {
        if rows == 0 {
            return Err(Error::invalid(InvalidKind::Value, "a page has at least one row"));
        }
        self.read("select", |view, mut reader, selection| {
            let mut found = Vec::new();
            let has_more = reader.run(view, &mut |row: &FoundRow<'_>| {
                found.push(Row::of(row, &selection)?);
                Ok(if found.len() >= rows { Flow::Stop } else { Flow::Continue })
            })?;
            view.meter().returned(found.len() as u64);
            let next = reader.position().filter(|_| has_more).map(PagePosition);
            Ok(Page { rows: found, next, has_many_tombstones: reader.has_many_dead() })
        })
    }
}
