//! Groups: making, setting and removing them and their consumers.

use crate::catalog::job;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::kv::Room;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::Elements;
use crate::kv::stream::layout::{self, GroupElements};
use crate::kv::stream::record::{Consumer, GroupState, State};
use crate::kv::stream::{Stream, StreamId, backlog, create};
use crate::limits;
use crate::txn::{AutoCommit, Scope, View, WriteScope, Writer};

/// What a group is called in errors.
pub(crate) const GROUP: &str = "consumer group";

/// A group of consumers of a stream. Given by [`Stream::group`].
///
/// The group remembers the last id it delivered, and each delivered entry until it is acknowledged. Names of groups and
/// of consumers are any bytes, at most [`limits::GROUP_NAME_BYTES_MAX`] of them. Unless it says otherwise, a method
/// returns [`Error::NotFound`] when there is no such stream or consumer group, and [`Error::LimitExceeded`] for a name
/// that is too long.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::Start};
/// let jobs = larder::Store::in_memory().kv().stream("jobs");
/// let id = jobs.add(StreamId::new(1, 0), [("task", "sweep")])?;
/// let workers = jobs.group("workers");
/// workers.create(StreamId::MIN)?;
/// assert_eq!(workers.read("ann", None)?[0].id, id);
/// assert!(workers.read("bob", None)?.is_empty(), "ann has it");
/// assert_eq!(workers.acknowledge([id])?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Group<S = AutoCommit> {
    stream: Stream<S>,
    name: Vec<u8>,
}

/// Where a group begins to read.
///
/// # Examples
/// ```
/// use larder::kv::{StreamId, stream::Start};
/// assert_eq!(Start::from(StreamId::new(5, 0)), Start::After(StreamId::new(5, 0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the last id of the stream (`$`): with what comes from now on.
    End,
    /// After this id.
    After(StreamId),
}

impl From<StreamId> for Start {
    fn from(id: StreamId) -> Self {
        Self::After(id)
    }
}

/// How a group is made.
///
/// # Examples
/// ```
/// use larder::kv::stream::{GroupOptions, Start};
/// let kv = larder::Store::in_memory().kv();
/// kv.stream("s").group("g").create_with(Start::End, GroupOptions::default().make_stream())?;
/// assert!(kv.exists("s")?);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `XGROUP CREATE`.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupOptions {
    make_stream: bool,
    entries_read: Option<u64>,
}

impl GroupOptions {
    /// Makes an empty stream when there is no such key (`MKSTREAM`).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// assert!(group.create(Start::End).is_err());
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn make_stream(mut self) -> Self {
        self.make_stream = true;
        self
    }

    /// How many of the entries ever added are up to where the group begins (`ENTRIESREAD`), for the group's lag.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::GroupOptions};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// for ms in 1..=3 {
    ///     stream.add(StreamId::new(ms, 0), [("a", "1")])?;
    /// }
    /// stream.group("g").create_with(StreamId::new(2, 0), GroupOptions::default().entries_read(2))?;
    /// assert_eq!(stream.groups()?[0].lag, Some(1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn entries_read(mut self, entries: u64) -> Self {
        self.entries_read = Some(entries);
        self
    }
}

/// A group that exists.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) stream: &'a Elements,
    pub(super) state: State,
    pub(super) name: &'a [u8],
    pub(super) group: GroupState,
    pub(super) elements: GroupElements,
}

impl Opened<'_> {
    /// Stores the group in another state.
    pub(super) fn put(&self, writer: &mut Writer, group: GroupState) -> Result<()> {
        writer.put(layout::group(self.stream, self.name), group.encode())
    }

    /// The consumer `name`, which is new when there is none, seen now.
    pub(super) fn see(&self, view: &View, name: &[u8]) -> Result<Consumer> {
        let now = view.now();
        let consumer = self.consumer(view, name)?;
        Ok(consumer.map_or(Consumer::new(now), |consumer| Consumer { seen: now, ..consumer }))
    }

    pub(super) fn consumer(&self, view: &View, name: &[u8]) -> Result<Option<Consumer>> {
        view.get(&self.elements.consumer(name))?.map(|value| Consumer::decode(&value)).transpose()
    }

    /// Stores the consumer `name`, active at `active` when that is a time.
    pub(super) fn put_consumer(
        &self,
        writer: &mut Writer,
        name: &[u8],
        consumer: Consumer,
        active: Option<Timestamp>,
    ) -> Result<()> {
        let consumer = Consumer { active: active.or(consumer.active), ..consumer };
        writer.put(self.elements.consumer(name), consumer.encode())
    }
}

/// What came of an operation that needs a group.
enum Found<R> {
    NoKey,
    NoGroup,
    Group(R),
}

impl<S> Group<S> {
    /// The stream that it is of.
    pub(in crate::kv) fn stream(&self) -> &Stream<S> {
        &self.stream
    }
}

impl<S: Scope> Group<S> {
    pub(super) fn new(stream: Stream<S>, name: &[u8]) -> Self {
        Self { stream, name: name.to_vec() }
    }

    /// Whether there is such a key and such a group.
    ///
    /// # Errors
    /// As every method, but for a missing key or group.
    ///
    /// # Cost
    /// Two lookups.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// assert!(!group.exists()?);
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.exists()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn exists(&self) -> Result<bool> {
        check_name("group name bytes", &self.name)?;
        let found = self.stream.read("stream.group.exists", |view, stream, state| {
            self.open(view, stream, state).map(|group| group.is_some())
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Runs `body` on the group.
    pub(super) fn look<R>(&self, verb: &'static str, body: impl FnOnce(&View, &Opened<'_>) -> Result<R>) -> Result<R> {
        check_name("group name bytes", &self.name)?;
        let found = self.stream.read(verb, |view, stream, state| match self.open(view, stream, state)? {
            None => Ok(Found::NoGroup),
            Some(opened) => body(view, &opened).map(Found::Group),
        })?;
        self.require(found.unwrap_or(Found::NoKey))
    }

    fn open<'a>(&'a self, view: &View, stream: &'a Elements, state: State) -> Result<Option<Opened<'a>>> {
        let Some(value) = view.get(&layout::group(stream, &self.name))? else { return Ok(None) };
        let group = GroupState::decode(&value)?;
        let elements = GroupElements::of(stream, group.number);
        Ok(Some(Opened { stream, state, name: &self.name, group, elements }))
    }

    fn require<R>(&self, found: Found<R>) -> Result<R> {
        match found {
            Found::Group(result) => Ok(result),
            Found::NoKey => Err(self.stream.not_found()),
            Found::NoGroup => Err(Error::NotFound { what: GROUP, name: self.shown() }),
        }
    }

    /// The name of the group, as errors show it.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

impl<S: WriteScope> Group<S> {
    /// Makes the group; it begins to read at `start`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key, and [`Error::AlreadyExists`] when there is such a group.
    ///
    /// # Cost
    /// Two lookups and one put.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::Start};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// stream.group("g").create(Start::End)?;
    /// assert!(stream.group("g").read("ann", None)?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP CREATE`.
    #[doc(alias = "XGROUP CREATE")]
    pub fn create(&self, start: impl Into<Start>) -> Result<()> {
        self.create_with(start, GroupOptions::default())
    }

    /// As [`Group::create`], with options.
    ///
    /// # Errors
    /// As [`Group::create`].
    ///
    /// # Cost
    /// As [`Group::create`], and one more put for a new stream.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.create(Start::End).is_err(), "there is one already");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP CREATE` with `MKSTREAM` and `ENTRIESREAD`.
    #[doc(alias = "XGROUP CREATE")]
    pub fn create_with(&self, start: impl Into<Start>, options: GroupOptions) -> Result<()> {
        let start = start.into();
        check_name("group name bytes", &self.name)?;
        self.stream.write("stream.group.create", |writer, key, stream, found| {
            if found.is_none() && !options.make_stream {
                return Err(self.stream.not_found());
            }
            let element = layout::group(stream, &self.name);
            if found.is_some() && writer.get(&element)?.is_some() {
                return Err(Error::AlreadyExists { what: GROUP, name: self.shown() });
            }
            let state = found.map(|(_, state)| state).unwrap_or_default();
            if found.is_none() {
                create(writer, key, stream, state)?;
            }
            let number = writer.next_storage_id()?;
            let group = GroupState { last: begin(start, state), number, read: options.entries_read };
            writer.put(element, group.encode())?;
            tell(writer, KeyEvents::STREAMS, "xgroup-create", key);
            Ok(())
        })
    }

    /// Sets where the group reads on, and how many of the entries ever added are up to there. What is pending stays so.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups and one put.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::Start};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(Start::End)?;
    /// group.set_id(StreamId::MIN, None)?;
    /// assert_eq!(group.read("ann", None)?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP SETID`.
    #[doc(alias = "XGROUP SETID")]
    pub fn set_id(&self, start: impl Into<Start>, entries_read: Option<u64>) -> Result<()> {
        let start = start.into();
        let found = self.try_write(Room::Needed, "stream.group.set_id", Some("xgroup-setid"), |writer, opened| {
            opened.put(writer, GroupState { last: begin(start, opened.state), read: entries_read, ..opened.group })
        })?;
        self.require(found)
    }

    /// Removes the group with all that is pending in it, and returns whether it was there.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such stream.
    ///
    /// # Cost
    /// O(log n). Consumers and pending entries, when they are many, are removed in the background
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.remove()? && !group.remove()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP DESTROY`.
    #[doc(alias = "XGROUP DESTROY")]
    pub fn remove(&self) -> Result<bool> {
        let found =
            self.try_write(Room::NotNeeded, "stream.group.remove", Some("xgroup-destroy"), |writer, opened| {
                for prefix in opened.elements.all() {
                    job::remove(writer, prefix)?;
                }
                writer.remove(layout::group(opened.stream, opened.name));
                Ok(true)
            })?;
        match found {
            Found::NoGroup => Ok(false),
            found => self.require(found),
        }
    }

    /// Makes a consumer, and returns whether it is new. Reading and claiming do this too.
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Three lookups and one put.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::stream::{GroupOptions, Start};
    /// let group = larder::Store::in_memory().kv().stream("s").group("g");
    /// group.create_with(Start::End, GroupOptions::default().make_stream())?;
    /// assert!(group.create_consumer("ann")? && !group.create_consumer("ann")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP CREATECONSUMER`.
    #[doc(alias = "XGROUP CREATECONSUMER")]
    pub fn create_consumer(&self, name: impl AsRef<[u8]>) -> Result<bool> {
        let name = name.as_ref();
        let found = self.try_write(
            Room::Needed,
            "stream.group.create_consumer",
            Some("xgroup-createconsumer"),
            |writer, opened| {
                check_consumer(name)?;
                if opened.consumer(writer, name)?.is_some() {
                    return Ok(false);
                }
                let consumer = Consumer::new(writer.now());
                opened.put_consumer(writer, name, consumer, None)?;
                Ok(true)
            },
        )?;
        self.require(found)
    }

    /// Removes a consumer, and returns how many entries were pending for it: nobody gets them any more, unless they are
    /// claimed with [`ClaimOptions::force`](super::ClaimOptions::force).
    ///
    /// # Errors
    /// As every method.
    ///
    /// # Cost
    /// Two lookups, one removal, and two per entry that is pending for the consumer.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::StreamId;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(StreamId::new(1, 0), [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// group.read("ann", None)?;
    /// assert_eq!(group.remove_consumer("ann")?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XGROUP DELCONSUMER`.
    #[doc(alias = "XGROUP DELCONSUMER")]
    pub fn remove_consumer(&self, name: impl AsRef<[u8]>) -> Result<u64> {
        let name = name.as_ref();
        let found = self.try_write(
            Room::NotNeeded,
            "stream.group.remove_consumer",
            Some("xgroup-delconsumer"),
            |writer, opened| {
                check_consumer(name)?;
                let lost = backlog::forget_consumer(writer, &opened.elements, name)?;
                writer.remove(opened.elements.consumer(name));
                Ok(lost)
            },
        )?;
        self.require(found)
    }

    /// Runs `body` on the group.
    pub(super) fn write<R>(
        &self,
        verb: &'static str,
        body: impl FnMut(&mut Writer, &Opened<'_>) -> Result<R>,
    ) -> Result<R> {
        let found = self.try_write(Room::Needed, verb, None, body)?;
        self.require(found)
    }

    /// Runs `body`, which makes nothing larger, on the group; `None` when there is no such key or group.
    pub(super) fn free_if_there<R>(
        &self,
        verb: &'static str,
        body: impl FnMut(&mut Writer, &Opened<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        Ok(match self.try_write(Room::NotNeeded, verb, None, body)? {
            Found::Group(result) => Some(result),
            Found::NoKey | Found::NoGroup => None,
        })
    }

    /// Runs `body` on the group, and tells that `told` happened to its key. Of reading, claiming and acknowledging nobody is
    /// told.
    fn try_write<R>(
        &self,
        room: Room,
        verb: &'static str,
        told: Option<&'static str>,
        mut body: impl FnMut(&mut Writer, &Opened<'_>) -> Result<R>,
    ) -> Result<Found<R>> {
        check_name("group name bytes", &self.name)?;
        self.stream.write_to(room, verb, |writer, key, stream, found| {
            let Some((_, state)) = found else { return Ok(Found::NoKey) };
            let Some(opened) = self.open(writer, stream, state)? else { return Ok(Found::NoGroup) };
            let result = body(writer, &opened)?;
            if let Some(event) = told {
                tell(writer, KeyEvents::STREAMS, event, key);
            }
            Ok(Found::Group(result))
        })
    }
}

fn begin(start: Start, state: State) -> StreamId {
    match start {
        Start::End => state.last,
        Start::After(id) => id,
    }
}

/// The elements of the group `name`, which exists.
pub(super) fn elements_of(view: &View, stream: &Elements, name: &[u8]) -> Result<GroupElements> {
    let value = view.get(&layout::group(stream, name))?;
    let value = value.ok_or_else(|| Error::corrupt("stream group", "it is listed and not there"))?;
    Ok(GroupElements::of(stream, GroupState::decode(&value)?.number))
}

pub(super) fn check_consumer(name: &[u8]) -> Result<()> {
    check_name("consumer name bytes", name)
}

pub(super) fn check_name(limit: &'static str, name: &[u8]) -> Result<()> {
    limits::check(limit, limits::GROUP_NAME_BYTES_MAX, name.len())
}
