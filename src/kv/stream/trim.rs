//! Removing entries: the oldest, or those of given ids.

use std::ops::Bound;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::entry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::Elements;
use crate::kv::stream::record::State;
use crate::kv::stream::{Stream, StreamId, invalid, layout};
use crate::txn::{View, WriteScope, Writer};

/// Which of the oldest entries go.
///
/// # Examples
/// ```
/// use larder::kv::stream::{NewId, Trim};
/// let stream = larder::Store::in_memory().kv().stream("s");
/// for n in 0..5 {
///     stream.add(NewId::Auto, [("n", n.to_string())])?;
/// }
/// assert_eq!(stream.trim(Trim::max_len(3))?, 2);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XTRIM`.
#[derive(Clone, Copy, Debug)]
pub struct Trim {
    keep: Keep,
    approximate: bool,
    limit: Option<u64>,
    /// Entries and bytes of a node, of which whole ones go; 0 means no bound.
    node: Option<(u64, u64)>,
}

/// Bytes that an entry takes in a node of Redis beside its fields.
const ENTRY_OVERHEAD_BYTES: u64 = 8;

#[derive(Clone, Copy, Debug)]
enum Keep {
    /// This many.
    Newest(u64),
    /// Those from this id on.
    From(StreamId),
}

impl Trim {
    /// Keeps the newest `entries` (`MAXLEN`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::Trim;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.trim(Trim::max_len(0))?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn max_len(entries: u64) -> Self {
        Self { keep: Keep::Newest(entries), approximate: false, limit: None, node: None }
    }

    /// Keeps the entries from `id` on (`MINID`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::Trim};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// assert_eq!(stream.trim(Trim::min_id(StreamId::new(1, 1)))?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn min_id(id: StreamId) -> Self {
        Self { keep: Keep::From(id), approximate: false, limit: None, node: None }
    }

    /// Allows more entries to stay (`~`). None does, but for [`Trim::limit`] and [`Trim::whole_nodes`], which can only be
    /// given with it.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::Trim;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.trim(Trim::max_len(100).approximate())?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn approximate(mut self) -> Self {
        self.approximate = true;
        self
    }

    /// Removes at most this many entries (`LIMIT`); 0 means no limit.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{NewId, Trim};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for n in 0..5 {
    ///     stream.add(NewId::Auto, [("n", n.to_string())])?;
    /// }
    /// assert_eq!(stream.trim(Trim::max_len(0).approximate().limit(2))?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Removes whole nodes only, as Redis does with `~`: of this many entries, or of fewer whose fields have this many bytes;
    /// 0 is no bound.
    ///
    /// Entries are stored one by one here. They count as divided into nodes by their place in the order in which they were
    /// added, and by the size of the oldest one.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{NewId, Trim};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for n in 0..25 {
    ///     stream.add(NewId::Auto, [("n", n.to_string())])?;
    /// }
    /// let trim = Trim::max_len(8).approximate().whole_nodes(10, 0);
    /// assert_eq!((stream.trim(trim)?, stream.len()?), (10, 15));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis configuration file, `stream-node-max-entries` and `stream-node-max-bytes`.
    #[must_use]
    pub fn whole_nodes(mut self, entries: u64, bytes: u64) -> Self {
        self.node = Some((entries, bytes));
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if (self.limit.is_some() || self.node.is_some()) && !self.approximate {
            return Err(invalid("syntax error, LIMIT cannot be used without the special ~ option"));
        }
        Ok(())
    }

    /// Removes what the stream has beyond the bound, and returns how much that was.
    pub(super) fn run(&self, writer: &mut Writer, stream: &Elements, state: State) -> Result<u64> {
        let mut limit = self.limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        if let Some(node) = self.node {
            limit = self.in_whole_nodes(writer, stream, state, node, limit)?;
        }
        let (range, most) = match self.keep {
            Keep::Newest(entries) => {
                let range = layout::entries(stream);
                let excess = writer.count(&range)?.saturating_sub(entries);
                (range, excess.min(limit))
            }
            Keep::From(id) => (layout::entries_between(stream, (Bound::Unbounded, Bound::Excluded(id))), limit),
        };
        let mut cursor = writer.range(&range, Direction::Forward)?;
        let mut removed = 0;
        while removed < most
            && let Some((key, _)) = cursor.next()?
        {
            writer.remove(key);
            removed += 1;
        }
        Ok(removed)
    }
}

impl Trim {
    /// How many of the oldest entries may go so that whole nodes go, and no more than `limit` entries.
    fn in_whole_nodes(
        &self,
        view: &View,
        stream: &Elements,
        state: State,
        node: (u64, u64),
        limit: u64,
    ) -> Result<u64> {
        let entries = layout::entries(stream);
        let Some((_, oldest)) = view.first(&entries, Direction::Forward)? else { return Ok(0) };
        let size = node_size(node, oldest.len() as u64);
        let len = view.count(&entries)?;
        let excess = match self.keep {
            Keep::Newest(kept) => len.saturating_sub(kept),
            Keep::From(id) => view.count(&layout::entries_between(stream, (Bound::Unbounded, Bound::Excluded(id))))?,
        };
        let removed_before = state.added.saturating_sub(len) % size;
        // The last node may have fewer entries than it has room for.
        let whole = if excess == len { len } else { to_boundary(removed_before, excess, size) };
        Ok(if whole <= limit { whole } else { to_boundary(removed_before, limit, size) })
    }
}

/// Entries of a node, of which the oldest one has this many bytes.
fn node_size((entries, bytes): (u64, u64), entry_bytes: u64) -> u64 {
    let by_entries = if entries == 0 { u64::MAX } else { entries };
    let by_bytes = if bytes == 0 { u64::MAX } else { bytes / (entry_bytes + ENTRY_OVERHEAD_BYTES) };
    by_entries.min(by_bytes).max(1)
}

/// The most of `count` entries after which a node begins, where `before` entries of the first node are gone already.
fn to_boundary(before: u64, count: u64, size: u64) -> u64 {
    let end = before.saturating_add(count);
    (end - end % size).saturating_sub(before)
}

impl<S: WriteScope> Stream<S> {
    /// Removes the oldest entries, and returns how many. The stream stays when none is left.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit of what need not be approximate.
    ///
    /// # Cost
    /// One lookup, one count, and one removal per entry that goes.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{NewId, Trim};
    /// let kv = larder::Store::in_memory().kv();
    /// kv.stream("s").add(NewId::Auto, [("a", "1")])?;
    /// assert_eq!(kv.stream("s").trim(Trim::max_len(0))?, 1);
    /// assert!(kv.exists("s")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XTRIM`.
    #[doc(alias = "XTRIM")]
    pub fn trim(&self, trim: Trim) -> Result<u64> {
        trim.check()?;
        self.free("stream.trim", |writer, key, stream, found| {
            let Some((_, state)) = found else { return Ok(0) };
            let removed = trim.run(writer, stream, state)?;
            if removed > 0 {
                tell(writer, KeyEvents::STREAMS, "xtrim", key);
            }
            Ok(removed)
        })
    }

    /// Removes the entries with these ids, and returns how many there were. Those that are pending in a group stay so.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup; one lookup and one removal per entry.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::NewId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(NewId::Auto, [("a", "1")])?;
    /// assert_eq!((stream.remove([id])?, stream.remove([id])?), (1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XDEL`.
    #[doc(alias = "XDEL")]
    pub fn remove(&self, ids: impl AsRef<[StreamId]>) -> Result<u64> {
        self.free("stream.remove", |writer, key, stream, found| {
            let Some((head, mut state)) = found else { return Ok(0) };
            let mut deleted = 0;
            for id in ids.as_ref() {
                let entry = layout::entry(stream, *id);
                if writer.get(&entry)?.is_some() {
                    writer.remove(entry);
                    state.max_deleted = state.max_deleted.max(*id);
                    deleted += 1;
                }
            }
            if deleted > 0 {
                entry::replace(writer, key, head, &state.encode())?;
                tell(writer, KeyEvents::STREAMS, "xdel", key);
            }
            Ok(deleted)
        })
    }
}
