//! Everything there is to know about a stream at once: its entries, and what is pending in its groups.

use crate::clock::Timestamp;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::stream::backlog::{ALL, expect};
use crate::kv::stream::info::{groups, info};
use crate::kv::stream::layout::{self, GroupElements};
use crate::kv::stream::record::{Consumer, Entry, Pending, State};
use crate::kv::stream::{GroupInfo, Stream, StreamId, StreamInfo, group, range};
use crate::txn::{Scope, View};

/// A stream with its entries and groups.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// stream.add(StreamId::new(2, 0), [("a", "2")])?;
/// let details = stream.details(Some(1))?;
/// assert_eq!((details.info.len, details.entries.len()), (2, 1));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XINFO STREAM` with `FULL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDetails {
    /// The stream as a whole.
    pub info: StreamInfo,
    /// The first entries.
    pub entries: Vec<Entry>,
    /// The groups, by name.
    pub groups: Vec<GroupDetails>,
}

/// A group with what is pending in it and with its consumers.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// stream.group("g").create(StreamId::MIN)?;
/// stream.group("g").read("ann", None)?;
/// let group = stream.details(None)?.groups.remove(0);
/// assert_eq!((group.info.pending, group.pending[0].id), (1, id));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDetails {
    /// The group as a whole.
    pub info: GroupInfo,
    /// The first of the entries that are pending, by id.
    pub pending: Vec<Delivery>,
    /// The consumers, by name.
    pub consumers: Vec<ConsumerDetails>,
}

/// A consumer with what is pending for it.
///
/// # Examples
/// ```
/// use larder::kv::stream::{GroupOptions, Start};
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.group("g").create_with(Start::End, GroupOptions::default().make_stream())?;
/// stream.group("g").create_consumer("ann")?;
/// let consumer = stream.details(None)?.groups.remove(0).consumers.remove(0);
/// assert_eq!((&consumer.name[..], consumer.active), (&b"ann"[..], None));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerDetails {
    /// Its name.
    pub name: Vec<u8>,
    /// When it last read or claimed, with or without success.
    pub seen: Timestamp,
    /// When it last got something, if ever.
    pub active: Option<Timestamp>,
    /// How many entries are pending for it.
    pub count: u64,
    /// The first of them, by id.
    pub pending: Vec<Delivery>,
}

/// That an entry was delivered, and is pending.
///
/// # Examples
/// ```
/// use larder::kv::StreamId;
/// let stream = larder::Store::in_memory().kv().stream("s");
/// stream.add(StreamId::new(1, 0), [("a", "1")])?;
/// stream.group("g").create(StreamId::MIN)?;
/// stream.group("g").read("ann", None)?;
/// let delivery = stream.details(None)?.groups.remove(0).pending.remove(0);
/// assert_eq!((&delivery.consumer[..], delivery.count), (&b"ann"[..], 1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the entry.
    pub id: StreamId,
    /// The consumer it is pending for.
    pub consumer: Vec<u8>,
    /// When it was last delivered.
    pub time: Timestamp,
    /// How often it was delivered.
    pub count: u64,
}

impl<S: Scope> Stream<S> {
    /// What there is to know about the stream, with up to `count` of its entries, and as many of those that are pending in
    /// each group and for each consumer.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such stream.
    ///
    /// # Cost
    /// As [`Stream::info`] and [`Stream::groups`]; O(1) per entry, and one lookup more per entry of a consumer.
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.details(None).unwrap_err().to_string(), "no stream named \"s\"");
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XINFO STREAM` with `FULL` and `COUNT`.
    #[doc(alias = "XINFO STREAM")]
    pub fn details(&self, count: Option<u64>) -> Result<StreamDetails> {
        let found = self.read("stream.details", |view, stream, state| details(view, stream, state, count))?;
        found.ok_or_else(|| self.not_found())
    }
}

fn details(view: &View, stream: &Elements, state: State, count: Option<u64>) -> Result<StreamDetails> {
    let groups = groups(view, stream, state)?.into_iter().map(|info| {
        let elements = group::elements_of(view, stream, &info.name)?;
        let pending = deliveries(view, &elements, &elements.pending_between(ALL), count)?;
        Ok(GroupDetails { info, pending, consumers: consumers(view, &elements, count)? })
    });
    Ok(StreamDetails {
        groups: groups.collect::<Result<_>>()?,
        info: info(view, stream, state)?,
        entries: range::collect(view, &layout::entries(stream), Direction::Forward, count)?,
    })
}

fn consumers(view: &View, elements: &GroupElements, count: Option<u64>) -> Result<Vec<ConsumerDetails>> {
    let mut consumers = Vec::new();
    let mut cursor = view.range(&elements.consumers(), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let (name, Consumer { seen, active }) = (elements.consumer_name(key)?.to_vec(), Consumer::decode(value)?);
        let owned = elements.owned_between(&name, ALL)?;
        let pending = deliveries(view, elements, &owned, count)?;
        consumers.push(ConsumerDetails { name, seen, active, count: view.count(&owned)?, pending });
    }
    Ok(consumers)
}

/// The deliveries that a range of elements is about, be they the pending ones or a consumer's.
fn deliveries(view: &View, elements: &GroupElements, range: &KeyRange, count: Option<u64>) -> Result<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    let mut cursor = view.range(range, Direction::Forward)?;
    for _ in 0..count.unwrap_or(u64::MAX) {
        let Some((key, value)) = cursor.next()? else { break };
        let id = layout::id_of(key)?;
        // What a consumer owns says only that it does.
        let Pending { delivered: time, deliveries: count, consumer } =
            if value.is_empty() { expect(view, elements, id)? } else { Pending::decode(value)? };
        deliveries.push(Delivery { id, consumer, time, count });
    }
    Ok(deliveries)
}
