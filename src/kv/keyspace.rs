//! Keys whatever they hold: their kind, their names, all of them.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::catalog::job;
use crate::clock::Timestamp;
use crate::encoding::owner;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::kv::condition::Condition;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::key::{Keyspace, address_of, key_of, numbered_place, place_of, stored};
use crate::kv::record::{Head, Kind, named};
use crate::kv::state::tell_all;
use crate::kv::{Kv, Room, entry};
use crate::txn::{Operation, Scope, WriteScope, Writer};
#[cfg(feature = "redis")]
use crate::{expiry, limits};

impl<S: Scope> Kv<S> {
    /// The names of the keyspaces that have keys, in byte order. A seek for each, those included that were emptied and are not
    /// removed yet.
    pub(crate) fn list_names(scope: &S) -> Result<Vec<String>> {
        scope.read(Operation::new("kv", "list_names", ""), |view| {
            let all = KeyRange::prefix(&[owner::KEYS]);
            let (mut rest, mut names) = (all.clone(), BTreeSet::new());
            while let Some((head, _)) = view.first(&rest, Direction::Forward)? {
                rest = all.clone().behind(&KeyRange::prefix(place_of(&head)?));
                let Some(address) = address_of(view, &head)? else { continue };
                let (name, _) = Keyspace::name_and_key(&address)?;
                names.insert(String::from_utf8_lossy(&name).into_owned());
            }
            Ok(names.into_iter().collect())
        })
    }

    /// What kind of value `key` holds.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::Kind;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.hash("user:7").set("name", "ann")?;
    /// assert_eq!(kv.kind("user:7")?, Some(Kind::Hash));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `TYPE`.
    #[doc(alias = "TYPE")]
    pub fn kind(&self, key: impl AsRef<[u8]>) -> Result<Option<Kind>> {
        self.read("kind", key.as_ref(), |view, key| entry::peek(view, key, |head, _| Ok(head.kind)))
    }

    /// How many entries the elements of `key` take up.
    ///
    /// # Cost
    /// One count.
    #[cfg(feature = "redis")]
    pub(crate) fn entries_of(&self, key: impl AsRef<[u8]>) -> Result<u64> {
        self.read("entries_of", key.as_ref(), |view, key| {
            let elements = entry::peek(view, key, |head, _| Ok(head.elements()))?.flatten();
            elements.map_or(Ok(0), |elements| view.count(&elements.all()))
        })
    }

    /// When `key` will be gone; `None` when it is not there or has no deadline.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// store.kv().set_with_ttl("k", "v", std::time::Duration::from_secs(60))?;
    /// assert!(store.kv().deadline("k")? > Some(store.now()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PEXPIRETIME`.
    #[doc(alias = "PEXPIRETIME")]
    pub fn deadline(&self, key: impl AsRef<[u8]>) -> Result<Option<Timestamp>> {
        let deadline =
            self.read("deadline", key.as_ref(), |view, key| entry::peek(view, key, |head, _| Ok(head.deadline)))?;
        Ok(deadline.flatten())
    }

    /// Up to `limit` keys that come after `after` in bytewise order, with their kinds; from the first when that is `None`.
    ///
    /// Called again with the last key it answered until it answers fewer than `limit`, it gives every key that was there all the
    /// time exactly once.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::Kind;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("a", "1")?;
    /// kv.set("b", "2")?;
    /// assert_eq!(kv.keys_after(Some(b"a"), 10)?, [(b"b".to_vec(), Kind::String)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SCAN`.
    #[doc(alias = "SCAN")]
    pub fn keys_after(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Kind)>> {
        self.scope.read(self.operation("keys_after"), |view| {
            let after = match after {
                Some(key) => Bound::Excluded(Key::from(&*stored(&self.keyspace.head(view, key)?))),
                None => Bound::Unbounded,
            };
            let mut cursor =
                view.range(&self.keyspace.heads(view)?.clamp(after, Bound::Unbounded), Direction::Forward)?;
            let mut keys = Vec::new();
            while keys.len() < limit
                && let Some((key, record)) = cursor.next()?
            {
                let (head, _) = Head::decode(record)?;
                if head.is_live(|| view.now()) {
                    keys.push((key_of(&named(key, record)?)?.to_vec(), head.kind));
                }
            }
            Ok(keys)
        })
    }

    /// How many keys there are, with those that have expired and are not removed yet.
    ///
    /// # Errors
    /// An error of the engine's.
    ///
    /// # Cost
    /// O(log n) in engines that count.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::Store::in_memory().kv().len()?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `DBSIZE`.
    #[doc(alias = "DBSIZE")]
    pub fn len(&self) -> Result<u64> {
        self.scope.read(self.operation("len"), |view| view.count(&self.keyspace.heads(view)?))
    }

    /// How many keys have a deadline, and how far off it is on the average. Beyond [`limits::DEADLINES_READ_MAX`] deadlines
    /// of all models it is estimated from those that come first.
    #[cfg(feature = "redis")]
    pub(crate) fn deadlines(&self) -> Result<(u64, std::time::Duration)> {
        self.scope.read(self.operation("deadlines"), |view| {
            let heads = self.keyspace.heads(view)?;
            let first = expiry::first(view, limits::DEADLINES_READ_MAX)?;
            let own: Vec<_> = first.iter().filter(|(_, target)| heads.contains(target)).collect();
            let left = own.iter().map(|(deadline, _)| deadline.saturating_since(view.now()));
            let average = left.sum::<std::time::Duration>() / u32::try_from(own.len()).unwrap_or(u32::MAX).max(1);
            let (read, total) = (first.len() as u64, view.count(&expiry::all())?);
            let count = (own.len() as u64).saturating_mul(total).checked_div(read).unwrap_or(0);
            Ok((count, average))
        })
    }

    /// Whether there are no keys.
    ///
    /// # Errors
    /// As [`Kv::len`].
    ///
    /// # Examples
    /// ```
    /// assert!(larder::Store::in_memory().kv().is_empty()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The first key that is there from place `n` on, in bytewise order; `None` when there is none behind it.
    ///
    /// # Errors
    /// As [`Kv::len`].
    ///
    /// # Cost
    /// O(log n), and one step for each expired key that is passed. With a random number below [`Kv::len`] it is a random key.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert_eq!(kv.nth_key(0)?.as_deref(), Some(&b"k"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RANDOMKEY`.
    #[doc(alias = "RANDOMKEY")]
    pub fn nth_key(&self, n: u64) -> Result<Option<Vec<u8>>> {
        self.scope.read(self.operation("nth_key"), |view| {
            let heads = self.keyspace.heads(view)?;
            let Some((first, _)) = view.nth(&heads, n)? else { return Ok(None) };
            let mut cursor = view.range(&heads.clamp(Bound::Included(first), Bound::Unbounded), Direction::Forward)?;
            while let Some((key, record)) = cursor.next()? {
                if Head::decode(record)?.0.is_live(|| view.now()) {
                    return key_of(&named(key, record)?).map(|key| Some(key.to_vec()));
                }
            }
            Ok(None)
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Gives `from` the name `to`, in the place of what was there; answers whether there was a key `from`.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Cost
    /// O(log n): elements stay where they are.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("a", "1")?;
    /// assert!(kv.rename("a", "b")? && kv.exists("b")? && !kv.rename("a", "c")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `RENAME`.
    #[doc(alias = "RENAME")]
    pub fn rename(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<bool> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.change(Room::NotNeeded, "rename", |writer| {
            let (from, to) = (self.keyspace.head(writer, from)?, self.keyspace.head(writer, to)?);
            let Some((head, payload)) = entry::claim(writer, &from, |head, payload| Ok((head, payload.to_vec())))?
            else {
                return Ok(false);
            };
            if from != to {
                make_way(writer, &to)?;
                relocate(writer, (&from, head, &payload), &to)?;
                tell(writer, KeyEvents::GENERIC, "rename_from", &from);
                tell(writer, KeyEvents::GENERIC, "rename_to", &to);
            }
            Ok(true)
        })
    }

    /// Moves `key` to the keyspace `target`, unless there is one of its name; answers whether it was moved.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Cost
    /// O(log n): elements stay where they are.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (live, old) = (store.kv_named("live"), store.kv_named("old"));
    /// live.set("k", "v")?;
    /// assert!(live.move_to("k", &old)? && old.exists("k")? && !live.exists("k")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `MOVE`.
    pub fn move_to(&self, key: impl AsRef<[u8]>, target: &Self) -> Result<bool> {
        let key = key.as_ref();
        self.change(Room::NotNeeded, "move_to", |writer| {
            let (from, to) = (self.keyspace.head(writer, key)?, target.keyspace.head(writer, key)?);
            let Some((head, payload)) = entry::claim(writer, &from, |head, payload| Ok((head, payload.to_vec())))?
            else {
                return Ok(false);
            };
            if from == to || entry::claim(writer, &to, |_, _| Ok(()))?.is_some() {
                return Ok(false);
            }
            relocate(writer, (&from, head, &payload), &to)?;
            tell(writer, KeyEvents::GENERIC, "move_from", &from);
            tell(writer, KeyEvents::GENERIC, "move_to", &to);
            Ok(true)
        })
    }

    /// Copies `from` to `to` in the keyspace `target`, in the place of what is there, and returns whether anything was copied: not when
    /// there is nothing at `from`, nor onto itself.
    ///
    /// # Errors
    /// As [`Kv::kind`].
    ///
    /// # Cost
    /// One put for each entry of the key.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("a", "1")?;
    /// kv.set("b", "2")?;
    /// assert!(kv.copy("a", &kv, "b")? && !kv.copy("c", &kv, "b")?);
    /// assert_eq!(kv.get("b")?.as_deref(), Some(&b"1"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `COPY` with `REPLACE`.
    #[doc(alias = "COPY")]
    pub fn copy(&self, from: impl AsRef<[u8]>, target: &Self, to: impl AsRef<[u8]>) -> Result<bool> {
        self.copy_on("copy", None, (from.as_ref(), target, to.as_ref()))
    }

    /// As [`Kv::copy`], unless there is something at `to`.
    ///
    /// # Errors
    /// As [`Kv::copy`].
    ///
    /// # Cost
    /// As [`Kv::copy`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("a", "1")?;
    /// assert!(kv.copy_if_absent("a", &kv, "b")? && !kv.copy_if_absent("a", &kv, "b")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `COPY`.
    #[doc(alias = "COPY")]
    pub fn copy_if_absent(&self, from: impl AsRef<[u8]>, target: &Self, to: impl AsRef<[u8]>) -> Result<bool> {
        self.copy_on("copy_if_absent", Some(Condition::Absent), (from.as_ref(), target, to.as_ref()))
    }

    fn copy_on(
        &self,
        verb: &'static str,
        condition: Option<Condition>,
        (from, target, to): (&[u8], &Self, &[u8]),
    ) -> Result<bool> {
        self.change(Room::Needed, verb, |writer| {
            let (from, to) = (self.keyspace.head(writer, from)?, target.keyspace.head(writer, to)?);
            let Some((head, payload)) = entry::claim(writer, &from, |head, payload| Ok((head, payload.to_vec())))?
            else {
                return Ok(false);
            };
            let is_taken = entry::claim(writer, &to, |_, _| Ok(()))?.is_some();
            if from == to || !Condition::holds(condition, is_taken) {
                return Ok(false);
            }
            make_way(writer, &to)?;
            copy(writer, (head, &payload), &to)?;
            tell(writer, KeyEvents::GENERIC, "copy_to", &to);
            Ok(true)
        })
    }

    /// Removes every key, and answers how many there were.
    ///
    /// # Errors
    /// An error of the engine's.
    ///
    /// # Cost
    /// O(log n) in engines that count. What is stored is removed in the background, when it is much
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.set("k", "v")?;
    /// assert_eq!((kv.clear()?, kv.len()?), (1, 0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `FLUSHDB`.
    #[doc(alias = "FLUSHDB")]
    pub fn clear(&self) -> Result<u64> {
        self.change(Room::NotNeeded, "clear", |writer| {
            let place = self.keyspace.place(writer)?;
            let heads = KeyRange::prefix(&place);
            if let Some(few) = job::few(writer, &heads)? {
                for key in &few {
                    let Some(record) = writer.get(key)? else { continue };
                    let (name, (head, _)) = (named(key, &record)?.into_owned(), Head::decode(&record)?);
                    entry::remove(writer, &name, head)?;
                    // Who waits for what the key had learns that it is gone; nobody is told of an event.
                    tell(writer, KeyEvents::NONE, "flushdb", &name);
                }
                return Ok(few.len() as u64);
            }
            let removed = writer.count(&heads)?;
            let next = numbered_place(writer.next_storage_id()?);
            self.keyspace.leave(writer, &place);
            self.keyspace.move_to(writer, &next)?;
            job::remove_later(writer, &place)?;
            // As above, of all keys at once.
            tell_all(writer, self.keyspace.own());
            Ok(removed)
        })
    }

    /// Has each of two keyspaces hold what the other held.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a name of a keyspace that is too long.
    ///
    /// # Cost
    /// O(log n), and a look at each key that somebody waits for.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (live, next) = (store.kv_named("live"), store.kv_named("next"));
    /// live.set("version", "1")?;
    /// next.set("version", "2")?;
    /// live.swap(&next)?;
    /// assert_eq!(live.get("version")?.as_deref(), Some(&b"2"[..]));
    /// assert_eq!(next.get("version")?.as_deref(), Some(&b"1"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SWAPDB`.
    #[doc(alias = "SWAPDB")]
    pub fn swap(&self, other: &Self) -> Result<()> {
        self.change(Room::NotNeeded, "swap", |writer| {
            let (one, two) = (&self.keyspace, &other.keyspace);
            if one.name() == two.name() {
                return Ok(());
            }
            let (place_of_one, place_of_two) = (one.place(writer)?, two.place(writer)?);
            one.leave(writer, &place_of_one);
            two.leave(writer, &place_of_two);
            one.move_to(writer, &place_of_two)?;
            two.move_to(writer, &place_of_one)?;
            // Who waits for a key in either is served; nobody is told of an event.
            tell_all(writer, one.own());
            tell_all(writer, two.own());
            Ok(())
        })
    }
}

/// Removes the key whose head is kept at `to`, if there is one.
fn make_way(writer: &mut Writer, to: &[u8]) -> Result<()> {
    match entry::claim(writer, to, |head, _| Ok(head))? {
        Some(before) => entry::remove(writer, to, before),
        None => Ok(()),
    }
}

/// Moves a head to `to`, where nothing is; its elements stay where they are.
fn relocate(writer: &mut Writer, (from, head, payload): (&[u8], Head, &[u8]), to: &[u8]) -> Result<()> {
    entry::remove_head(writer, from, head);
    entry::create(writer, to, head, payload)
}

/// Puts a copy of the key with this head and payload, and of its elements, where nothing is.
fn copy(writer: &mut Writer, (head, payload): (Head, &[u8]), to: &[u8]) -> Result<()> {
    let Some(from) = head.elements() else { return entry::create(writer, to, head, payload) };
    let elements = entry::elements(writer, None)?;
    entry::create(writer, to, head.with_elements(&elements), payload)?;
    let mut cursor = writer.range(&from.all(), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        writer.put(from.moved(key, &elements), value)?;
    }
    Ok(())
}

impl Kind {
    /// The name that Redis gives it.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::kv::Kind::SortedSet.redis_name(), "zset");
    /// ```
    ///
    /// # Source
    /// Redis command reference, `TYPE`.
    #[must_use]
    #[doc(alias = "TYPE")]
    pub fn redis_name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }
}
