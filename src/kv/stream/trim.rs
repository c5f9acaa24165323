//! Removing entries: the oldest, or those of given ids.

use std::ops::Bound;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::entry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::key::Elements;
use crate::kv::stream::{Stream, StreamId, invalid, layout};
use crate::txn::{WriteScope, Writer};

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
}

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
        Self { keep: Keep::Newest(entries), approximate: false, limit: None }
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
        Self { keep: Keep::From(id), approximate: false, limit: None }
    }

    /// Allows more entries to stay (`~`). None does, but for [`Trim::limit`], which can only be given with it.
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

    /// Removes at most this many entries (`LIMIT`); 0 is no limit.
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

    pub(super) fn check(&self) -> Result<()> {
        if self.limit.is_some() && !self.approximate {
            return Err(invalid("syntax error, LIMIT cannot be used without the special ~ option"));
        }
        Ok(())
    }

    /// Removes what the stream has too much, and answers how much that was.
    pub(super) fn run(&self, writer: &mut Writer, stream: &Elements) -> Result<u64> {
        let limit = self.limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
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

impl<S: WriteScope> Stream<S> {
    /// Removes the oldest entries, and answers how many. The stream stays when none is left.
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
    pub fn trim(&self, trim: Trim) -> Result<u64> {
        trim.check()?;
        self.write("stream.trim", |writer, key, stream, found| {
            if found.is_none() {
                return Ok(0);
            }
            let removed = trim.run(writer, stream)?;
            if removed > 0 {
                tell(writer, KeyEvents::STREAMS, "xtrim", key);
            }
            Ok(removed)
        })
    }

    /// Removes the entries with these ids, and answers how many there were. Those that are pending in a group stay so.
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
    /// assert_eq!((stream.delete([id])?, stream.delete([id])?), (1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XDEL`.
    pub fn delete(&self, ids: impl AsRef<[StreamId]>) -> Result<u64> {
        self.write("stream.delete", |writer, key, stream, found| {
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
