//! Reading entries by their ids.

use std::ops::{Bound, RangeBounds};

use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::kv::layout::Elements;
use crate::kv::stream::layout::{self, Bounds};
use crate::kv::stream::record::{self, Entry, Fields};
use crate::kv::stream::{Stream, StreamId, id};
use crate::txn::{Scope, View};

impl<S: Scope> Stream<S> {
    /// The entries whose id is within `bounds`, lowest first, at most `count` of them.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when a bound excludes the first or last id there can be.
    ///
    /// # Cost
    /// One lookup, and O(k) for k entries.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for ms in 1..=3 {
    ///     stream.add(StreamId::new(ms, 0), [("a", "1")])?;
    /// }
    /// assert_eq!(stream.range(StreamId::new(2, 0).., Some(1))?[0].id, StreamId::new(2, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XRANGE`.
    #[doc(alias = "XRANGE")]
    pub fn range(&self, bounds: impl RangeBounds<StreamId>, count: Option<u64>) -> Result<Vec<Entry>> {
        self.range_from("stream.range", owned(&bounds), count, Direction::Forward)
    }

    /// The entries whose id is within `bounds`, highest first, at most `count` of them. The bounds stay as they are:
    /// lower first.
    ///
    /// # Errors
    /// As [`Stream::range`].
    ///
    /// # Cost
    /// As [`Stream::range`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for ms in 1..=3 {
    ///     stream.add(StreamId::new(ms, 0), [("a", "1")])?;
    /// }
    /// assert_eq!(stream.reverse_range(.., Some(1))?[0].id, StreamId::new(3, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREVRANGE`.
    #[doc(alias = "XREVRANGE")]
    pub fn reverse_range(&self, bounds: impl RangeBounds<StreamId>, count: Option<u64>) -> Result<Vec<Entry>> {
        self.range_from("stream.reverse_range", owned(&bounds), count, Direction::Backward)
    }

    /// The entries after `id`, lowest first, at most `count` of them.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`Stream::range`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let first = stream.add(NewId::Auto, [("a", "1")])?;
    /// assert!(stream.read_after(first, None)?.is_empty());
    /// assert_eq!(stream.read_after(StreamId::MIN, None)?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREAD` without `BLOCK`.
    #[doc(alias("XREAD", "BLOCK"))]
    pub fn read_after(&self, id: StreamId, count: Option<u64>) -> Result<Vec<Entry>> {
        let bounds = (Bound::Excluded(id), Bound::Unbounded);
        let entries = self.read("stream.read_after", |view, stream, _| {
            collect(view, &layout::entries_between(stream, bounds), Direction::Forward, count)
        })?;
        Ok(entries.unwrap_or_default())
    }

    fn range_from(
        &self,
        verb: &'static str,
        bounds: Bounds,
        count: Option<u64>,
        direction: Direction,
    ) -> Result<Vec<Entry>> {
        id::check_bounds(bounds)?;
        let entries = self
            .read(verb, |view, stream, _| collect(view, &layout::entries_between(stream, bounds), direction, count))?;
        Ok(entries.unwrap_or_default())
    }
}

/// Up to `count` entries of `range`.
pub(super) fn collect(view: &View, range: &KeyRange, direction: Direction, count: Option<u64>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut cursor = view.range(range, direction)?;
    for _ in 0..count.unwrap_or(u64::MAX) {
        let Some((key, value)) = cursor.next()? else { break };
        entries.push(Entry { id: layout::id_of(key)?, fields: record::decode_fields(value)? });
    }
    Ok(entries)
}

/// The fields of the entry `id`.
pub(super) fn fields(view: &View, stream: &Elements, id: StreamId) -> Result<Option<Fields>> {
    view.get(&layout::entry(stream, id))?.map(|value| record::decode_fields(&value)).transpose()
}

/// The bounds on their own.
pub(super) fn owned(bounds: &impl RangeBounds<StreamId>) -> Bounds {
    (bounds.start_bound().cloned(), bounds.end_bound().cloned())
}
