//! Reading through a group, and acknowledging what was read.

use std::ops::Bound;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::stream::counters::Extent;
use crate::kv::stream::group::{Group, Opened, check_consumer};
use crate::kv::stream::record::{Entry, Fields, Pending};
use crate::kv::stream::{StreamId, backlog, layout, range};
use crate::txn::{WriteScope, Writer};

impl<S: WriteScope> Group<S> {
    /// Delivers up to `count` entries that the group has not delivered yet to `consumer`, for which they are then pending.
    /// The consumer is made when there is none.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Six lookups and a count; one lookup and two puts per entry.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// stream.add(StreamId::new(2, 0), [("a", "2")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// assert_eq!(group.read("ann", Some(1))?[0].id, StreamId::new(1, 0));
    /// assert_eq!(group.read("bob", Some(1))?[0].id, StreamId::new(2, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREADGROUP` with `>`.
    #[doc(alias = "XREADGROUP")]
    pub fn read(&self, consumer: impl AsRef<[u8]>, count: Option<u64>) -> Result<Vec<Entry>> {
        let consumer = consumer.as_ref();
        self.write("stream.group.read", |writer, opened| deliver(writer, opened, consumer, count, true))
    }

    /// As [`Group::read`], but the entries count as acknowledged at once.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Six lookups, a count and two puts; O(k) for k entries.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// assert_eq!(group.read_acknowledged("ann", None)?.len(), 1);
    /// assert_eq!(group.pending()?.count, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREADGROUP` with `>` and `NOACK`.
    #[doc(alias = "XREADGROUP")]
    pub fn read_acknowledged(&self, consumer: impl AsRef<[u8]>, count: Option<u64>) -> Result<Vec<Entry>> {
        let consumer = consumer.as_ref();
        let body = |writer: &mut Writer, opened: &Opened<'_>| deliver(writer, opened, consumer, count, false);
        self.write("stream.group.read_acknowledged", body)
    }

    /// Delivers to `consumer` once more up to `count` of the entries after `after` that are pending for it. Those that are
    /// no longer in the stream have no fields, and are not counted as delivered again.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Three lookups and one put; two lookups and one put per entry.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// stream.remove([id])?;
    /// assert_eq!(group.read_again("ann", StreamId::MIN, None)?, [(id, None)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREADGROUP` with an id.
    #[doc(alias = "XREADGROUP")]
    pub fn read_again(
        &self,
        consumer: impl AsRef<[u8]>,
        after: StreamId,
        count: Option<u64>,
    ) -> Result<Vec<(StreamId, Option<Fields>)>> {
        let consumer = consumer.as_ref();
        self.write("stream.group.read_again", |writer, opened| deliver_again(writer, opened, consumer, after, count))
    }

    /// Acknowledges the entries with these ids, and returns how many were pending; 0 when there is no such group.
    ///
    /// # Errors
    /// As every method, but for a missing key or group.
    ///
    /// # Cost
    /// Two lookups; one lookup and two removals per entry.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// assert_eq!((group.acknowledge([id])?, group.acknowledge([id])?), (1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XACK`.
    #[doc(alias = "XACK")]
    pub fn acknowledge(&self, ids: impl AsRef<[StreamId]>) -> Result<u64> {
        let acknowledged = self.free_if_there("stream.group.acknowledge", |writer, opened| {
            let mut acknowledged = 0;
            for id in ids.as_ref() {
                if let Some(found) = backlog::get(writer, &opened.elements, *id)? {
                    backlog::forget(writer, &opened.elements, *id, &found)?;
                    acknowledged += 1;
                }
            }
            Ok(acknowledged)
        })?;
        Ok(acknowledged.unwrap_or(0))
    }
}

/// Delivers what is new to the group; `keep` makes it pending.
fn deliver(
    writer: &mut Writer,
    opened: &Opened<'_>,
    name: &[u8],
    count: Option<u64>,
    keep: bool,
) -> Result<Vec<Entry>> {
    check_consumer(name)?;
    let now = writer.now();
    let consumer = opened.see(writer, name)?;
    let new = layout::entries_between(opened.stream, (Bound::Excluded(opened.group.last), Bound::Unbounded));
    let entries = range::collect(writer, &new, Direction::Forward, count)?;
    opened.put_consumer(writer, name, consumer, (keep && !entries.is_empty()).then_some(now))?;
    if entries.is_empty() {
        return Ok(entries);
    }
    let extent = Extent::of(writer, opened.stream, opened.state)?;
    let group = entries.iter().fold(opened.group, |group, entry| extent.advance(group, entry.id));
    opened.put(writer, group)?;
    for entry in entries.iter().filter(|_| keep) {
        // It may be pending, when the group was set back.
        let before = backlog::get(writer, &opened.elements, entry.id)?;
        let delivered = Pending { delivered: now, deliveries: 1, consumer: name.to_vec() };
        backlog::put(writer, &opened.elements, entry.id, before.as_ref(), &delivered)?;
    }
    Ok(entries)
}

/// Delivers what is pending for a consumer again.
fn deliver_again(
    writer: &mut Writer,
    opened: &Opened<'_>,
    name: &[u8],
    after: StreamId,
    count: Option<u64>,
) -> Result<Vec<(StreamId, Option<Fields>)>> {
    check_consumer(name)?;
    let now = writer.now();
    let consumer = opened.see(writer, name)?;
    opened.put_consumer(writer, name, consumer, None)?;
    let owned = opened.elements.owned_between(name, (Bound::Excluded(after), Bound::Unbounded))?;
    let mut cursor = writer.range(&owned, Direction::Forward)?;
    let mut entries = Vec::new();
    for _ in 0..count.unwrap_or(u64::MAX) {
        let Some((key, _)) = cursor.next()? else { break };
        let id = layout::id_of(key)?;
        let fields = range::fields(writer, opened.stream, id)?;
        if fields.is_some() {
            let before = backlog::expect(writer, &opened.elements, id)?;
            let again = Pending {
                delivered: now,
                deliveries: before.deliveries.saturating_add(1),
                consumer: before.consumer.clone(),
            };
            backlog::put(writer, &opened.elements, id, Some(&before), &again)?;
        }
        entries.push((id, fields));
    }
    Ok(entries)
}
