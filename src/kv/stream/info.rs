//! What there is to know about a stream, its groups and their consumers.

use std::time::Duration;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::stream::backlog::ALL;
use crate::kv::stream::counters::Extent;
use crate::kv::stream::group::Group;
use crate::kv::stream::layout::{self, GroupElements};
use crate::kv::stream::record::{Consumer, Entry, GroupState, State};
use crate::kv::stream::{Stream, StreamId, range};
use crate::txn::{Scope, View};

/// A stream as a whole.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// let info = stream.info()?;
/// assert_eq!((info.len, info.last_id, info.entries_added), (1, id, 1));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XINFO STREAM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// How many entries there are.
    pub len: u64,
    /// The last id that was given out (`last-generated-id`).
    pub last_id: StreamId,
    /// The greatest id that was deleted by name; `0-0` when none was (`max-deleted-entry-id`).
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
    /// The id of the first entry; `0-0` when there is none (`recorded-first-entry-id`).
    pub first_id: StreamId,
    /// How many groups there are.
    pub groups: u64,
    /// The first entry.
    pub first_entry: Option<Entry>,
    /// The last entry.
    pub last_entry: Option<Entry>,
}

/// A group of a stream.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// stream.group("g").create(StreamId::MIN)?;
/// let groups = stream.groups()?;
/// assert_eq!((&groups[0].name[..], groups[0].lag), (&b"g"[..], Some(1)));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XINFO GROUPS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub name: Vec<u8>,
    /// How many consumers it has.
    pub consumers: u64,
    /// How many entries are pending in it.
    pub pending: u64,
    /// The last id that was delivered.
    pub last_delivered_id: StreamId,
    /// How many of the entries ever added are up to it, when that is known.
    pub entries_read: Option<u64>,
    /// How many entries are yet to be delivered, when that is known. It is negative when the group was made with more entries
    /// read than there are.
    pub lag: Option<i64>,
}

/// A consumer of a group.
///
/// # Examples
/// ```
/// use larder::kv::stream::{GroupOptions, Start};
/// let group = larder::Store::in_memory().kv().stream("s").group("g");
/// group.create_with(Start::End, GroupOptions::default().make_stream())?;
/// group.create_consumer("ann")?;
/// assert_eq!(group.consumers()?[0].inactive, None);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XINFO CONSUMERS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// Its name.
    pub name: Vec<u8>,
    /// How many entries are pending for it.
    pub pending: u64,
    /// How long ago it last read or claimed, with or without success.
    pub idle: Duration,
    /// How long ago it last got something, if ever.
    pub inactive: Option<Duration>,
}

impl<S: Scope> Stream<S> {
    /// What there is to know about the stream.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such stream.
    ///
    /// # Cost
    /// Five lookups and two counts.
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert!(matches!(stream.info(), Err(larder::Error::NotFound { what: "stream", .. })));
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XINFO STREAM`.
    #[doc(alias = "XINFO STREAM")]
    pub fn info(&self) -> Result<StreamInfo> {
        self.read("stream.info", info)?.ok_or_else(|| self.not_found())
    }

    /// The groups of the stream, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such stream.
    ///
    /// # Cost
    /// Three lookups and one count; two counts per group.
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(larder::kv::StreamId::new(1, 0), [("a", "1")])?;
    /// assert!(stream.groups()?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XINFO GROUPS`.
    #[doc(alias = "XINFO GROUPS")]
    pub fn groups(&self) -> Result<Vec<GroupInfo>> {
        self.read("stream.groups", groups)?.ok_or_else(|| self.not_found())
    }
}

impl<S: Scope> Group<S> {
    /// The consumers of the group, by name.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups; one count per consumer.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// group.read("ann", None)?;
    /// assert_eq!(group.consumers()?[0].name, b"ann");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XINFO CONSUMERS`.
    #[doc(alias = "XINFO CONSUMERS")]
    pub fn consumers(&self) -> Result<Vec<ConsumerInfo>> {
        self.look("stream.group.consumers", |view, opened| consumers(view, &opened.elements))
    }
}

pub(super) fn info(view: &View, stream: &Elements, state: State) -> Result<StreamInfo> {
    let extent = Extent::of(view, stream, state)?;
    let edge =
        |direction| -> Result<_> { Ok(range::collect(view, &layout::entries(stream), direction, Some(1))?.pop()) };
    Ok(StreamInfo {
        len: extent.len,
        last_id: state.last,
        max_deleted_id: state.max_deleted,
        entries_added: state.added,
        first_id: extent.first,
        groups: view.count(&layout::groups(stream))?,
        first_entry: edge(Direction::Forward)?,
        last_entry: edge(Direction::Backward)?,
    })
}

pub(super) fn groups(view: &View, stream: &Elements, state: State) -> Result<Vec<GroupInfo>> {
    let extent = Extent::of(view, stream, state)?;
    let mut groups = Vec::new();
    let mut cursor = view.range(&layout::groups(stream), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let name = layout::group_name(stream, key)?;
        let group = GroupState::decode(value)?;
        let elements = GroupElements::of(stream, group.number);
        groups.push(GroupInfo {
            name: name.to_vec(),
            consumers: view.count(&elements.consumers())?,
            pending: view.count(&elements.pending_between(ALL))?,
            last_delivered_id: group.last,
            entries_read: group.read,
            lag: extent.lag(group),
        });
    }
    Ok(groups)
}

fn consumers(view: &View, elements: &GroupElements) -> Result<Vec<ConsumerInfo>> {
    let now = view.now();
    let mut consumers = Vec::new();
    let mut cursor = view.range(&elements.consumers(), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let (name, consumer) = (elements.consumer_name(key)?, Consumer::decode(value)?);
        consumers.push(ConsumerInfo {
            name: name.to_vec(),
            pending: view.count(&elements.owned_between(name, ALL)?)?,
            idle: now.saturating_since(consumer.seen),
            inactive: consumer.active.map(|active| now.saturating_since(active)),
        });
    }
    Ok(consumers)
}
