//! What was delivered and not acknowledged: asking for it, and keeping both of its elements in step.

use std::ops::RangeBounds;
use std::time::Duration;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::stream::backlog::{ALL, expect, has_idled};
use crate::kv::stream::group::{Group, Opened, check_consumer};
use crate::kv::stream::layout::{self, Bounds, GroupElements};
use crate::kv::stream::record::Pending;
use crate::kv::stream::{StreamId, id, range};
use crate::txn::{AutoCommit, Scope, View};

/// How much is pending in a group.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let group = stream.group("g");
/// group.create(StreamId::MIN)?;
/// group.read("ann", None)?;
/// let pending = group.pending()?;
/// assert_eq!((pending.count, pending.first, pending.last), (1, Some(id), Some(id)));
/// assert_eq!(pending.consumers, [(b"ann".to_vec(), 1)]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSummary {
    /// How many entries.
    pub count: u64,
    /// The lowest id among them.
    pub first: Option<StreamId>,
    /// The highest.
    pub last: Option<StreamId>,
    /// The consumers that have any, by name, and how many each has.
    pub consumers: Vec<(Vec<u8>, u64)>,
}

/// An entry that was delivered and not acknowledged. It may have been removed from the stream.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let group = stream.group("g");
/// group.create(StreamId::MIN)?;
/// group.read("ann", None)?;
/// assert_eq!(group.pending_entries(..).entries()?[0].deliveries, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// Its id.
    pub id: StreamId,
    /// The consumer it is pending for.
    pub consumer: Vec<u8>,
    /// How long ago it was last delivered.
    pub idle: Duration,
    /// How often it was delivered.
    pub deliveries: u64,
}

/// Asks a group for pending entries. Made by [`Group::pending_entries`]; nothing is read before
/// [`PendingQuery::entries`].
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let group = stream.group("g");
/// group.create(StreamId::MIN)?;
/// group.read("ann", None)?;
/// assert_eq!(group.pending_entries(..).consumer("ann").limit(10).entries()?.len(), 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query reads nothing until its entries are asked for"]
pub struct PendingQuery<S = AutoCommit> {
    group: Group<S>,
    bounds: Bounds,
    consumer: Option<Vec<u8>>,
    min_idle: Duration,
    limit: u64,
}

impl<S: Scope> Group<S> {
    /// How much is pending, and for whom.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Four lookups and one count; one count per consumer.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert_eq!(group.pending()?.count, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XPENDING` with key and group.
    #[doc(alias = "XPENDING")]
    pub fn pending(&self) -> Result<PendingSummary> {
        self.look("stream.group.pending", |view, opened| summary(view, &opened.elements))
    }

    /// Asks for the pending entries whose id is within `bounds`, lowest first.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::{GroupOptions, Start}};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.pending_entries(StreamId::new(5, 0)..).entries()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XPENDING` with a range.
    #[doc(alias = "XPENDING")]
    pub fn pending_entries(&self, bounds: impl RangeBounds<StreamId>) -> PendingQuery<S> {
        let bounds = range::owned(&bounds);
        PendingQuery { group: self.clone(), bounds, consumer: None, min_idle: Duration::ZERO, limit: u64::MAX }
    }
}

impl<S: Scope> PendingQuery<S> {
    /// Only those of one consumer.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.pending_entries(..).consumer("nobody").entries()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn consumer(mut self, name: impl AsRef<[u8]>) -> Self {
        self.consumer = Some(name.as_ref().to_vec());
        self
    }

    /// Only those that were last delivered at least this long ago (`IDLE`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// use std::time::Duration;
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.pending_entries(..).idle(Duration::from_secs(60)).entries()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn idle(mut self, at_least: Duration) -> Self {
        self.min_idle = at_least;
        self
    }

    /// At most this many.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.pending_entries(..).limit(10).entries()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = entries;
        self
    }

    /// The pending entries asked for, by id.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound excludes the first or last id there can be, and as every method of [`Group`].
    ///
    /// # Cost
    /// Two lookups; O(1) per entry within the bounds, and one lookup more for each when a consumer is given.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// assert_eq!(group.pending_entries(..).entries()?[0].consumer, b"ann");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn entries(self) -> Result<Vec<PendingEntry>> {
        id::check_bounds(self.bounds)?;
        self.consumer.as_deref().map_or(Ok(()), check_consumer)?;
        self.group.look("stream.group.pending_entries", |view, opened| self.run(view, opened))
    }

    fn run(&self, view: &View, opened: &Opened<'_>) -> Result<Vec<PendingEntry>> {
        let (now, elements) = (view.now(), &opened.elements);
        let range = match &self.consumer {
            Some(consumer) => elements.owned_between(consumer, self.bounds)?,
            None => elements.pending_between(self.bounds),
        };
        let mut cursor = view.range(&range, Direction::Forward)?;
        let mut entries = Vec::new();
        let mut left = self.limit;
        while left > 0
            && let Some((key, value)) = cursor.next()?
        {
            let id = layout::id_of(key)?;
            let found = if self.consumer.is_some() { expect(view, elements, id)? } else { Pending::decode(value)? };
            if has_idled(&found, now, self.min_idle) {
                let idle = now.saturating_since(found.delivered);
                entries.push(PendingEntry { id, consumer: found.consumer, idle, deliveries: found.deliveries });
                left -= 1;
            }
        }
        Ok(entries)
    }
}

fn summary(view: &View, elements: &GroupElements) -> Result<PendingSummary> {
    let all = elements.pending_between(ALL);
    let edge = |direction| view.first(&all, direction)?.map(|(key, _)| layout::id_of(&key)).transpose();
    let mut consumers = Vec::new();
    let mut cursor = view.range(&elements.consumers(), Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        let name = elements.consumer_name(key)?;
        let count = view.count(&elements.owned_between(name, ALL)?)?;
        if count > 0 {
            consumers.push((name.to_vec(), count));
        }
    }
    let (first, last) = (edge(Direction::Forward)?, edge(Direction::Backward)?);
    Ok(PendingSummary { count: view.count(&all)?, first, last, consumers })
}
