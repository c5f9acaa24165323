//! Streams: entries of fields in the order of their ids, and groups of consumers that share the work on them.
//!
//! A [`Stream`] is appended to, read and trimmed; a [`Group`] delivers each of its entries to one of its consumers and
//! keeps it pending until it is acknowledged. Nothing here waits for an entry to come.
//!
//! # Storage
//! The head holds the last id, the greatest deleted id and how many entries were ever added. Each entry, group, consumer
//! and pending entry is an element of its own (`kv/layout.rs`, `record.rs`), so that no operation rewrites another entry.
//!
//! # Invariants
//! 1. The ids of entries, and the greatest deleted id, are at most the last id of the head.
//! 2. A stream without entries stays, with its last id and its groups, until its key is removed.
//! 3. A pending entry has exactly one owned entry, that of its consumer, and its consumer exists.
//! 4. Consumers and pending entries exist only with their group.
//!
//! # Cost
//! A length is a count of the engine. Operations are O(log n) for each entry they touch.
//!
//! # Source
//! Redis command reference 7.2, "Streams". Differences: `docs/compatibility/redis.md`.

mod backlog;
mod claim;
mod counters;
mod deliver;
mod details;
mod group;
mod id;
mod image;
mod info;
mod layout;
mod pending;
mod range;
mod record;
mod trim;

pub use claim::{AutoClaimed, ClaimOptions};
pub use details::{ConsumerDetails, Delivery, GroupDetails, StreamDetails};
#[cfg(feature = "server")]
pub(crate) use group::GROUP;
pub use group::{Group, GroupOptions, Start};
pub use id::{NewId, StreamId};
pub(super) use image::{GroupImage, Image, PendingImage};
pub use info::{ConsumerInfo, GroupInfo, StreamInfo};
pub use pending::{PendingEntry, PendingQuery, PendingSummary};
pub use record::{Entry, Fields};
pub use trim::Trim;

use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::Elements;
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, Room, entry};
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};
use record::State;

#[cfg(test)]
mod tests;

/// What a stream is called in errors.
pub(crate) const STREAM: &str = "stream";

/// The stream at one key of a keyspace. Given by [`Kv::stream`].
///
/// A stream comes into being with its first entry or, if asked for, its first group, and stays when it is empty. Every
/// method returns [`Error::WrongType`] when the key holds something else, and [`Error::LimitExceeded`] for a key that
/// is too long.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::NewId};
/// let readings = larder::Store::in_memory().kv().stream("readings");
/// let first = readings.add(NewId::Auto, [("celsius", "21"), ("place", "hall")])?;
/// let second = readings.add(NewId::Auto, [("celsius", "22")])?;
/// assert!(first < second);
/// assert_eq!(readings.read_after(first, None)?.len(), 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stream<S = AutoCommit> {
    kv: Kv<S>,
    key: Vec<u8>,
}

impl<S> Stream<S> {
    /// The keyspace, and the key in it.
    pub(super) fn place(&self) -> (&Kv<S>, &[u8]) {
        (&self.kv, &self.key)
    }

    /// The error that there is no such stream.
    fn not_found(&self) -> Error {
        Error::NotFound { what: STREAM, name: String::from_utf8_lossy(&self.key).into_owned() }
    }
}

impl<S: Scope> Kv<S> {
    /// The stream at `key`. It need not exist; adding the first entry creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.stream("log").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn stream(&self, key: impl AsRef<[u8]>) -> Stream<S> {
        Stream::new(self.clone(), key.as_ref())
    }
}

impl<S: Scope> Stream<S> {
    pub(super) fn new(kv: Kv<S>, key: &[u8]) -> Self {
        Self { kv, key: key.to_vec() }
    }

    /// The group `name` of this stream. It need not exist.
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert!(stream.group("workers").pending().is_err(), "there is no such group");
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn group(&self, name: impl AsRef<[u8]>) -> Group<S> {
        Group::new(self.clone(), name.as_ref())
    }

    /// How many entries there are; 0 when there is no such key.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup and one count.
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.len()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XLEN`.
    #[doc(alias = "XLEN")]
    pub fn len(&self) -> Result<u64> {
        let len = self.read("stream.len", |view, stream, _| view.count(&layout::entries(stream)))?;
        Ok(len.unwrap_or(0))
    }

    /// Whether there are no entries. There may be a key all the same.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// As [`Stream::len`].
    ///
    /// # Examples
    /// ```
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert!(stream.is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The last id that was given out, be the entry there or not; `0-0` when there is none. Redis writes it `$`.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let id = stream.add(StreamId::new(5, 0), [("a", "1")])?;
    /// stream.remove([id])?;
    /// assert_eq!(stream.last_id()?, id);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREAD`, "The special `$` ID".
    #[doc(alias = "XREAD")]
    pub fn last_id(&self) -> Result<StreamId> {
        Ok(self.read("stream.last_id", |_, _, state| Ok(state.last))?.unwrap_or_default())
    }

    /// Runs `body` on the elements and the state, unless there is no such key.
    fn read<R>(
        &self,
        verb: &'static str,
        body: impl FnOnce(&View, &Elements, State) -> Result<R>,
    ) -> Result<Option<R>> {
        self.kv.read(verb, &self.key, |view, key| {
            let found = entry::look(view, key, |head, payload| {
                head.expect(Kind::Stream, key)?;
                Ok((head.require_elements()?, State::decode(payload)?))
            })?;
            found.map(|(elements, state)| body(view, &elements, state)).transpose()
        })
    }
}

/// How an entry is added: whether to a stream that is not there, and what goes for it.
///
/// # Examples
/// ```
/// use larder::kv::stream::{AddOptions, NewId, Trim};
/// let stream = larder::Store::in_memory().kv().stream("s");
/// let options = AddOptions::default().only_existing().trim(Trim::max_len(100));
/// assert_eq!(stream.add_with(NewId::Auto, [("a", "1")], &options)?, None);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XADD`.
#[derive(Clone, Debug, Default)]
pub struct AddOptions {
    only_existing: bool,
    trim: Option<Trim>,
}

impl AddOptions {
    /// Adds nothing when there is no such key (`NOMKSTREAM`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{AddOptions, NewId};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.add_with(NewId::Auto, [("a", "1")], &AddOptions::default().only_existing())?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn only_existing(mut self) -> Self {
        self.only_existing = true;
        self
    }

    /// Trims the stream after the entry was added.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{AddOptions, NewId, Trim};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for n in 0..5 {
    ///     stream.add_with(NewId::Auto, [("n", n.to_string())], &AddOptions::default().trim(Trim::max_len(2)))?;
    /// }
    /// assert_eq!(stream.len()?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn trim(mut self, trim: Trim) -> Self {
        self.trim = Some(trim);
        self
    }
}

impl<S: WriteScope> Stream<S> {
    /// Adds an entry with these fields after all others, and returns its id. A deadline stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the id is not greater than the last one, which may be that of an entry that is gone, or
    /// when there is no field; [`Error::LimitExceeded`] for fields of more than
    /// [`limits::ENGINE_VALUE_BYTES_MAX`](crate::limits::ENGINE_VALUE_BYTES_MAX) together.
    ///
    /// # Cost
    /// One lookup and two puts.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// assert_eq!(stream.add(NewId::At(5), [("a", "1")])?, StreamId::new(5, 0));
    /// assert_eq!(stream.add(NewId::At(5), [("a", "2")])?, StreamId::new(5, 1));
    /// assert!(stream.add(StreamId::new(5, 1), [("a", "3")]).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XADD`.
    #[doc(alias = "XADD")]
    pub fn add<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        id: impl Into<NewId>,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Result<StreamId> {
        let (id, fields) = (id.into(), record::encode_fields(fields)?);
        id::check_new(id)?;
        self.write("stream.add", |writer, key, stream, found| append(writer, key, stream, found, id, &fields))
    }

    /// As [`Stream::add`], with options; `None` when there is no such key and none was to be made.
    ///
    /// # Errors
    /// As [`Stream::add`] and [`Stream::trim`].
    ///
    /// # Cost
    /// As [`Stream::add`] and [`Stream::trim`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::{AddOptions, Trim}};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let options = AddOptions::default().trim(Trim::min_id(StreamId::new(2, 0)));
    /// stream.add_with(StreamId::new(2, 0), [("a", "2")], &options)?;
    /// assert_eq!(stream.len()?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XADD` with `NOMKSTREAM`, `MAXLEN` and `MINID`.
    #[doc(alias = "XADD")]
    pub fn add_with<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        id: impl Into<NewId>,
        fields: impl IntoIterator<Item = (F, V)>,
        options: &AddOptions,
    ) -> Result<Option<StreamId>> {
        let (id, fields) = (id.into(), record::encode_fields(fields)?);
        if let Some(trim) = &options.trim {
            trim.check()?;
        }
        id::check_new(id)?;
        self.write("stream.add_with", |writer, key, stream, found| {
            if options.only_existing && found.is_none() {
                return Ok(None);
            }
            let id = append(writer, key, stream, found, id, &fields)?;
            if let Some(trim) = &options.trim {
                let state = claim(writer, key)?.map(|(_, state)| state).unwrap_or_default();
                trim.run(writer, stream, state)?;
            }
            Ok(Some(id))
        })
    }

    /// Sets the last id, and with it, when they are given, how many entries were ever added and the greatest deleted id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key; [`Error::Invalid`] when `last` is less than the id of an entry or than a deleted one, or
    /// when there are more entries than `entries_added`.
    ///
    /// # Cost
    /// Two lookups, one count and one put.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// stream.set_id(StreamId::new(9, 0), None, None)?;
    /// assert!(stream.add(StreamId::new(8, 0), [("a", "2")]).is_err());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XSETID`.
    #[doc(alias = "XSETID")]
    pub fn set_id(&self, last: StreamId, entries_added: Option<u64>, max_deleted: Option<StreamId>) -> Result<()> {
        if max_deleted.is_some_and(|max_deleted| last < max_deleted) {
            return Err(invalid("The ID specified in XSETID is smaller than the provided max_deleted_entry_id"));
        }
        self.write("stream.set_id", |writer, key, stream, found| {
            let Some((head, mut state)) = found else { return Err(self.not_found()) };
            check_last(writer, stream, state, last, entries_added)?;
            let before = state;
            state.last = last;
            state.added = entries_added.unwrap_or(state.added);
            state.max_deleted =
                max_deleted.filter(|max_deleted| *max_deleted != StreamId::MIN).unwrap_or(state.max_deleted);
            if state != before {
                entry::replace(writer, key, head, &state.encode())?;
            }
            tell(writer, KeyEvents::STREAMS, "xsetid", key);
            Ok(())
        })
    }

    /// Runs an operation that may make the stream larger, as [`Stream::write_to`] does.
    fn write<R>(
        &self,
        verb: &'static str,
        body: impl FnMut(&mut Writer, &[u8], &Elements, Option<(Head, State)>) -> Result<R>,
    ) -> Result<R> {
        self.write_to(Room::Needed, verb, body)
    }

    /// Runs an operation that makes nothing larger.
    fn free<R>(
        &self,
        verb: &'static str,
        body: impl FnMut(&mut Writer, &[u8], &Elements, Option<(Head, State)>) -> Result<R>,
    ) -> Result<R> {
        self.write_to(Room::NotNeeded, verb, body)
    }

    /// Runs `body` on the elements, and on head and state when there is such a key.
    fn write_to<R>(
        &self,
        room: Room,
        verb: &'static str,
        mut body: impl FnMut(&mut Writer, &[u8], &Elements, Option<(Head, State)>) -> Result<R>,
    ) -> Result<R> {
        self.kv.write_to(room, verb, &self.key, |writer, key| {
            let found = claim(writer, key)?;
            let elements = entry::elements(writer, found.map(|(head, _)| head))?;
            body(writer, key, &elements, found)
        })
    }
}

/// What there is of a stream: not what groups had that were removed, and that is left to a job.
pub(super) fn ranges(view: &View, stream: &Elements) -> Result<Vec<KeyRange>> {
    let (entries, groups) = (layout::entries(stream), layout::groups(stream));
    let mut ranges = vec![entries, groups.clone()];
    let mut cursor = view.range(&groups, Direction::Forward)?;
    while let Some((_, group)) = cursor.next()? {
        let elements = layout::GroupElements::of(stream, record::GroupState::decode(group)?.number);
        ranges.extend(elements.all().map(KeyRange::prefix));
    }
    Ok(ranges)
}

/// The entries of a stream, without what its groups have.
pub(super) fn entries_of(stream: &Elements) -> KeyRange {
    layout::entries(stream)
}

/// Head and state of the stream that is to be written to.
fn claim(writer: &mut Writer, key: &[u8]) -> Result<Option<(Head, State)>> {
    entry::claim(writer, key, |head, payload| {
        head.expect(Kind::Stream, key)?;
        Ok((head, State::decode(payload)?))
    })
}

/// Makes a stream with these elements where there is none.
fn create(writer: &mut Writer, key: &[u8], stream: &Elements, state: State) -> Result<()> {
    entry::create(writer, key, Head::collection(Kind::Stream, None, stream), &state.encode())
}

/// Adds an entry whose value is `fields`.
fn append(
    writer: &mut Writer,
    key: &[u8],
    stream: &Elements,
    found: Option<(Head, State)>,
    id: NewId,
    fields: &[u8],
) -> Result<StreamId> {
    let mut state = found.map(|(_, state)| state).unwrap_or_default();
    let id = id::choose(id, state.last, writer.now())?;
    writer.put(layout::entry(stream, id), fields)?;
    state.last = id;
    state.added = state.added.saturating_add(1);
    match found {
        Some((head, _)) => entry::replace(writer, key, head, &state.encode())?,
        None => create(writer, key, stream, state)?,
    }
    tell(writer, KeyEvents::STREAMS, "xadd", key);
    Ok(id)
}

/// Refuses a last id, and a number of entries ever added, that the stream contradicts.
fn check_last(view: &View, stream: &Elements, state: State, last: StreamId, added: Option<u64>) -> Result<()> {
    if last < state.max_deleted {
        return Err(invalid("The ID specified in XSETID is smaller than current max_deleted_entry_id"));
    }
    let extent = counters::Extent::of(view, stream, state)?;
    if extent.len > 0 && last < extent.top {
        return Err(invalid("The ID specified in XSETID is smaller than the target stream top item"));
    }
    if added.is_some_and(|added| extent.len > added) {
        return Err(invalid("The entries_added specified in XSETID is smaller than the target stream length"));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::invalid(InvalidKind::Value, message)
}
