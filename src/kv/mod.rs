//! Keys with strings, counters, hashes, lists, sets, sorted sets and streams, each with an optional deadline.
//!
//! A keyspace maps a key, any bytes, to a value of one kind; an operation of another kind is refused with [`Error::WrongType`](crate::Error::WrongType).
//!
//! # Storage
//! Each key has a head entry with its type, its deadline and, when it is a string, its bytes, else the storage id of its elements
//! (`kv/record.rs`). A hash has one more entry per field, a list per value, a set per member; a sorted set has two per member: member → score, and (score, member) →
//! nothing (`kv/key.rs`); what a stream has is told in [`stream`]. A deadline is also in the store's index of deadlines, under the key of the head.
//!
//! # Invariants
//! 1. A collection without elements has no head (SEM: KV-STR-3). Elements belong to the head that has their storage id.
//! 2. The two entries of a member exist together or not at all.
//! 3. A head with a deadline has exactly one entry in the index of deadlines, at that deadline.
//! 4. Elements whose head is gone have a job, and so have heads whose keyspace is elsewhere.
//! 5. No read shows a key from its deadline on, swept or not (SEM: KV-EXP-2); a write removes what it has left first.
//!
//! # Isolation and cost
//! An operation reads one snapshot. `get` is one lookup in the engine; `set` and `increment` are one lookup and one put while
//! no deadline is set or dropped. Removing, renaming and moving cost the same for keys of any size, and so do emptying a
//! keyspace and swapping two; what is stored is removed by a job (`docs/jobs.md`). Adding to a sorted set of n members costs O(log n), a range of k members O(k) more.
//!
//! # Strings and sorted sets with a meaning
//! Bitmaps (`kv/bits/`) and `HyperLogLog`s (`kv/hyperloglog/`) are strings, places (`kv/geo/`) are sorted sets, as they are
//! in Redis: what is stored is the same, and the operations on strings and sorted sets work on them.
//!
//! Rate limits (`kv/rate_limit/`) are strings with a deadline; `docs/caching-and-limits.md` tells of them, and of values that are
//! computed once and kept (`kv/cache.rs`). Any key is carried to another store, or a Redis server, as a dump (`kv/dump/`).
//!
//! # Source
//! Redis command reference. Differences: `docs/compatibility/redis.md`.

mod bits;
mod cache;
mod collection;
mod condition;
mod deadline;
mod describe;
mod dump;
mod end;
mod entry;
mod event;
mod eviction;
mod geo;
mod hash;
mod hyperloglog;
mod key;
mod keyspace;
mod list;
mod number;
mod rate_limit;
mod record;
mod set_options;
mod sorted_set;
mod state;
pub mod stream;
mod string;
mod substring;
mod unsorted_set;
mod usage;
mod waiting;

use std::sync::Arc;

pub use bits::{BitField, BitFieldOperation, BitOperation, BitOverflow, BitRange};
pub use cache::CacheOptions;
pub use condition::{Condition, Until};
pub use deadline::Ttl;
pub(crate) use describe::describe;
#[doc(hidden)]
pub use dump::{dump_again, dump_again_unsealed};
pub use end::End;
pub use event::KeyEvents;
pub(crate) use event::{messages, publish_events};
#[cfg(feature = "lua")]
pub(crate) use eviction::is_out_of_memory;
pub use eviction::{EvictionPolicy, KeyStats};
pub(crate) use eviction::{budget, make_room, set_budget};
pub use geo::{Geo, GeoAdded, GeoCondition, GeoMatch, GeoPosition, GeoSearch, GeoShape, GeoUnit};
pub use hash::Hash;
pub use hyperloglog::HyperLogLog;
#[cfg(feature = "redis")]
pub(crate) use key::Keyspace;
pub use list::List;
pub use rate_limit::{Decision, RateLimit, RateLimiter};
pub use record::Kind;
pub use set_options::{SetOptions, SetOutcome};
pub use sorted_set::{AddOptions, Added, Aggregate, Combination, RangeQuery, ScoreChange, SortedSet};
#[cfg(feature = "lua")]
pub(crate) use state::EXCEEDS_MEMORY;
#[cfg(feature = "redis")]
pub(crate) use state::{Bell, NO_USE, Tuning, touched_since};
pub(crate) use state::{KeyEvent, Keys};
pub use stream::{Stream, StreamId};
pub use unsorted_set::UnsortedSet;

use crate::catalog::job::Allowance;
use crate::engine::Direction;
use crate::error::Result;
use crate::txn::{AutoCommit, Operation, Scope, View, WriteScope, Writer};
use crate::{glob, limits};
#[cfg(not(feature = "redis"))]
use key::Keyspace;
use record::Head;

#[cfg(test)]
mod tests;

/// One keyspace: its strings, counters, hashes, lists, sets, sorted sets and streams.
///
/// Given by [`Store::kv`](crate::Store::kv) and [`Store::kv_named`](crate::Store::kv_named), and by a transaction's and a
/// snapshot's methods of the same names. Keys are any bytes, at most [`limits::KEY_BYTES_MAX`] of them, and
/// come in bytewise order, as members and fields do; those that are longer than
/// [`limits::KEY_COMPONENT_BYTES_MAX`] and agree in so many bytes come in an order of their own, always the same.
///
/// # Examples
/// ```
/// let kv = larder::Store::in_memory().kv();
/// kv.set("greeting", "hello")?;
/// assert_eq!(kv.get("greeting")?.as_deref(), Some(&b"hello"[..]));
/// kv.sorted_set("board").add("ann", 41.5)?;
/// assert_eq!(kv.sorted_set("board").rank("ann")?, Some(0));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Kv<S = AutoCommit> {
    scope: S,
    keyspace: Arc<Keyspace>,
}

/// Entries whose change is a change of a key.
#[cfg(feature = "redis")]
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) head: crate::engine::Key,
    /// Those of its elements, while there is such a collection; another has another head.
    pub(crate) elements: Option<crate::engine::KeyRange>,
    /// Where it is told that the keyspace is somewhere else.
    pub(crate) place: crate::engine::Key,
}

impl<S: Scope> Kv<S> {
    pub(crate) fn new(scope: S, name: &str) -> Self {
        Self { scope, keyspace: Arc::new(Keyspace::new(name)) }
    }

    /// As [`Kv::new`], with a name that was prepared before.
    #[cfg(feature = "redis")]
    pub(crate) fn in_keyspace(scope: S, keyspace: &Arc<Keyspace>) -> Self {
        Self { scope, keyspace: Arc::clone(keyspace) }
    }

    /// The sorted set at `key`. It need not exist; adding the first member creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.sorted_set("board").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn sorted_set(&self, key: impl AsRef<[u8]>) -> SortedSet<S> {
        SortedSet::new(self.clone(), key.as_ref())
    }

    /// The hash at `key`. It need not exist; setting the first field creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.hash("user:7").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn hash(&self, key: impl AsRef<[u8]>) -> Hash<S> {
        Hash::new(self.clone(), key.as_ref())
    }

    /// The list at `key`. It need not exist; pushing the first value creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.list("queue").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn list(&self, key: impl AsRef<[u8]>) -> List<S> {
        List::new(self.clone(), key.as_ref())
    }

    /// The set at `key`. It need not exist; adding the first member creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert!(kv.unsorted_set("tags").is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn unsorted_set(&self, key: impl AsRef<[u8]>) -> UnsortedSet<S> {
        UnsortedSet::new(self.clone(), key.as_ref())
    }

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

    /// The places in the sorted set at `key`. It need not exist; adding the first place creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.geo("cities").position("Palermo")?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn geo(&self, key: impl AsRef<[u8]>) -> Geo<S> {
        Geo::new(self.clone(), key.as_ref())
    }

    /// The `HyperLogLog` at `key`. It need not exist; adding to it creates it.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// assert_eq!(kv.hyperloglog("visitors").count()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn hyperloglog(&self, key: impl AsRef<[u8]>) -> HyperLogLog<S> {
        HyperLogLog::new(self.clone(), key.as_ref())
    }

    /// Whether there is anything at `key`. Asking does not count as a use of it.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "")?;
    /// assert!(kv.exists("k")? && !kv.exists("other")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `EXISTS`.
    #[doc(alias = "EXISTS")]
    pub fn exists(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.read("exists", key.as_ref(), |view, key| Ok(entry::peek(view, key, |_, _| Ok(()))?.is_some()))
    }

    /// As [`Kv::exists`], and counts as a use of the key.
    ///
    /// # Source
    /// Redis command reference, `TOUCH`.
    #[cfg(feature = "redis")]
    pub(crate) fn touch(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.read("touch", key.as_ref(), |view, key| Ok(entry::look(view, key, |_, _| Ok(()))?.is_some()))
    }

    /// The keys that match the glob `pattern`, in bytewise order.
    ///
    /// `*` stands for any bytes, `?` for one, `[a-z]` and `[^a]` for one of a class; a backslash takes the meaning off
    /// the next byte.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a pattern longer than [`limits::KEY_PATTERN_BYTES_MAX`].
    ///
    /// # Cost
    /// Reads the heads of the whole keyspace.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("user:1", "ann")?;
    /// kv.set("order:1", "tea")?;
    /// assert_eq!(kv.keys_matching("user:*")?, [b"user:1"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `KEYS`.
    #[doc(alias = "KEYS")]
    pub fn keys_matching(&self, pattern: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>> {
        let pattern = pattern.as_ref();
        self.scope.read(self.operation("keys_matching"), |view| {
            limits::check("pattern bytes", limits::KEY_PATTERN_BYTES_MAX, pattern.len())?;
            let mut cursor = view.range(&self.keyspace.heads(view)?, Direction::Forward)?;
            let mut keys = Vec::new();
            while let Some((head, record)) = cursor.next()? {
                let name = record::named(head, record)?;
                let key = key::key_of(&name)?;
                if glob::matches(pattern, key) && Head::decode(record)?.0.is_live(|| view.now()) {
                    keys.push(key.to_vec());
                }
            }
            Ok(keys)
        })
    }

    /// What a change of `key` changes: its head, or one of its elements. What groups do to a stream is no change of it.
    #[cfg(feature = "redis")]
    pub(crate) fn watched(&self, key: &[u8]) -> Result<Watched> {
        self.read("watched", key, |view, head| {
            let head = key::stored(head);
            let found = view.get(&head)?.map(|record| Head::decode(&record).map(|(head, _)| head)).transpose()?;
            let elements = found.and_then(|found| {
                let elements = found.elements()?;
                Some(if found.kind == Kind::Stream { stream::entries_of(&elements) } else { elements.all() })
            });
            let place = crate::engine::Key::from(self.keyspace.entry());
            Ok(Watched { head: crate::engine::Key::from(&*head), elements, place })
        })
    }

    /// The address of `key`, by which events of it are told.
    #[cfg(feature = "redis")]
    pub(crate) fn address(&self, key: &[u8]) -> Result<Vec<u8>> {
        Ok(self.keyspace.address(key)?.into_vec())
    }

    fn read<R>(&self, verb: &'static str, key: &[u8], body: impl FnOnce(&View, &[u8]) -> Result<R>) -> Result<R> {
        self.scope.read(self.operation(verb), |view| body(view, &self.keyspace.head(view, key)?))
    }

    fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation::new("kv", verb, self.keyspace.name())
    }
}

impl<S: WriteScope> Kv<S> {
    /// Removes `key`, whatever it holds, and answers whether it was there.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// O(log n). The elements of what is large are removed in the background ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert!(kv.remove("k")?);
    /// assert!(!kv.remove("k")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `DEL`.
    #[doc(alias = "DEL")]
    #[doc(alias = "delete")]
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.free("remove", key.as_ref(), |writer, key| {
            let Some(head) = entry::claim(writer, key, |head, _| Ok(head))? else { return Ok(false) };
            entry::remove(writer, key, head)?;
            event::tell(writer, KeyEvents::GENERIC, "del", key);
            Ok(true)
        })
    }

    /// Runs an operation on `key` that may make it larger.
    fn write<R>(&self, verb: &'static str, key: &[u8], body: impl FnMut(&mut Writer, &[u8]) -> Result<R>) -> Result<R> {
        self.write_to(Room::Needed, verb, key, body)
    }

    /// Runs an operation on `key` that makes nothing larger, and so is never refused for lack of room.
    fn free<R>(&self, verb: &'static str, key: &[u8], body: impl FnMut(&mut Writer, &[u8]) -> Result<R>) -> Result<R> {
        self.write_to(Room::NotNeeded, verb, key, body)
    }

    fn write_to<R>(
        &self,
        room: Room,
        verb: &'static str,
        key: &[u8],
        mut body: impl FnMut(&mut Writer, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.change(room, verb, |writer| {
            let head = self.keyspace.head(writer, key)?;
            body(writer, &head)
        })
    }

    /// Runs an operation, for which room is made first if it needs any.
    fn change<R>(&self, room: Room, verb: &'static str, body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        self.scope.write(self.operation(verb).freeing(room == Room::NotNeeded), body)
    }

    /// Removes keys until what is held is within the budget, as an operation that needs room does.
    #[cfg(feature = "redis")]
    pub(crate) fn make_room(&self) -> Result<()> {
        self.change(Room::Needed, "make_room", |_| Ok(()))
    }
}

/// Whether an operation may make what is held larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// It may: within a budget, room is made for it first.
    Needed,
    /// It makes nothing larger.
    NotNeeded,
}

/// Does a step of removing what is left of a keyspace that was emptied.
pub(crate) fn reclaim(
    writer: &mut Writer,
    target: &[u8],
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    entry::reclaim(writer, target, place, allowance)
}

/// Removes the key whose head is kept at `target`, if its deadline has passed.
///
/// The deadline is the stored one: that of a key which was written to since the index was read is left alone. What belongs to a
/// keyspace that was emptied is left to the job of that.
pub(crate) fn expire(writer: &mut Writer, target: &[u8]) -> Result<()> {
    if key::address_of(writer, target)?.is_none() {
        return Ok(());
    }
    if key::long_key(target).is_none() {
        return entry::claim(writer, target, |_, _| Ok(())).map(drop);
    }
    let Some(record) = writer.get(target)? else { return Ok(()) };
    let name = record::named(target, &record)?.into_owned();
    entry::claim(writer, &name, |_, _| Ok(())).map(drop)
}
