//! Keys whatever they hold: their kind, their names, all of them.

use std::ops::Bound;

use crate::clock::Timestamp;
use crate::engine::{Direction, Key};
use crate::error::Result;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::key::{Elements, key_of};
use crate::kv::record::{Head, Kind};
use crate::kv::{Kv, Room, entry};
use crate::txn::{Scope, View, WriteScope, Writer};
#[cfg(feature = "redis")]
use crate::{expiry, limits};

impl<S: Scope> Kv<S> {
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
        self.read("entries_of", key.as_ref(), |view, head| view.count(&Elements::of(head)?.all()))
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
                Some(key) => Bound::Excluded(Key::from(self.keyspace.head(key)?)),
                None => Bound::Unbounded,
            };
            let mut cursor = view.range(&self.keyspace.heads()?.clamp(after, Bound::Unbounded), Direction::Forward)?;
            let mut keys = Vec::new();
            while keys.len() < limit
                && let Some((key, record)) = cursor.next()?
            {
                let (head, _) = Head::decode(record)?;
                if head.is_live(|| view.now()) {
                    keys.push((key_of(key)?.to_vec(), head.kind));
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
        self.scope.read(self.operation("len"), |view| view.count(&self.keyspace.heads()?))
    }

    /// How many keys have a deadline, and how far off it is on the average. Beyond [`limits::DEADLINES_READ_MAX`] deadlines
    /// of all models it is estimated from those that come first.
    #[cfg(feature = "redis")]
    pub(crate) fn deadlines(&self) -> Result<(u64, std::time::Duration)> {
        self.scope.read(self.operation("deadlines"), |view| {
            let heads = self.keyspace.heads()?;
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
            let heads = self.keyspace.heads()?;
            let Some((first, _)) = view.nth(&heads, n)? else { return Ok(None) };
            let mut cursor = view.range(&heads.clamp(Bound::Included(first), Bound::Unbounded), Direction::Forward)?;
            while let Some((key, record)) = cursor.next()? {
                if Head::decode(record)?.0.is_live(|| view.now()) {
                    return key_of(key).map(|key| Some(key.to_vec()));
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
    /// One removal and one put for each entry of the key.
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
            let (from, to) = (self.keyspace.head(from)?, self.keyspace.head(to)?);
            let Some((head, payload)) = entry::claim(writer, &from, |head, payload| Ok((head, payload.to_vec())))?
            else {
                return Ok(false);
            };
            if from != to {
                copy(writer, (&from, head, &payload), &to)?;
                entry::remove(writer, &from, head)?;
                tell(writer, KeyEvents::GENERIC, "rename_from", &from);
                tell(writer, KeyEvents::GENERIC, "rename_to", &to);
            }
            Ok(true)
        })
    }

    /// Copies `from` to `to` in the keyspace `target`, in the place of what is there if `replace` says so; answers whether
    /// anything was copied.
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
    /// assert!(kv.copy("a", &kv, "b", false)? && !kv.copy("a", &kv, "b", false)?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `COPY`.
    #[doc(alias = "COPY")]
    pub fn copy(&self, from: impl AsRef<[u8]>, target: &Self, to: impl AsRef<[u8]>, replace: bool) -> Result<bool> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.change(Room::Needed, "copy", |writer| {
            let (from, to) = (self.keyspace.head(from)?, target.keyspace.head(to)?);
            let Some((head, payload)) = entry::claim(writer, &from, |head, payload| Ok((head, payload.to_vec())))?
            else {
                return Ok(false);
            };
            let is_taken = entry::claim(writer, &to, |_, _| Ok(()))?.is_some();
            if from == to || (is_taken && !replace) {
                return Ok(false);
            }
            copy(writer, (&from, head, &payload), &to)?;
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
    /// One removal for each entry.
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
            let mut cursor = writer.range(&self.keyspace.heads()?, Direction::Forward)?;
            let mut removed = 0;
            while let Some((key, record)) = cursor.next()? {
                entry::remove(writer, key, Head::decode(record)?.0)?;
                // Who waits for what the key had learns that it is gone; nobody is told of an event.
                tell(writer, KeyEvents::NONE, "flushdb", key);
                removed += 1;
            }
            Ok(removed)
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Has each of two keyspaces hold what the other held.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when a key is too long beside the other keyspace's name.
    ///
    /// # Cost
    /// A removal and a put for each entry of both. The changes are in memory until the commit.
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
            if self.keyspace.name() == other.keyspace.name() {
                return Ok(());
            }
            let before = writer.fork();
            for kv in [self, other] {
                let mut cursor = before.range(&kv.keyspace.heads()?, Direction::Forward)?;
                while let Some((key, record)) = cursor.next()? {
                    entry::remove(writer, key, Head::decode(record)?.0)?;
                    tell(writer, KeyEvents::NONE, "swapdb", key);
                }
            }
            for (from, to) in [(self, other), (other, self)] {
                let mut cursor = before.range(&from.keyspace.heads()?, Direction::Forward)?;
                while let Some((key, record)) = cursor.next()? {
                    let (head, payload) = Head::decode(record)?;
                    if head.is_live(|| before.now()) {
                        let moved = to.keyspace.head(key_of(key)?)?;
                        put_copy(writer, &before, (key, head, payload), &moved)?;
                        // Who waits for the key there is served; nobody is told of an event.
                        tell(writer, KeyEvents::NONE, "swapdb", &moved);
                    }
                }
            }
            Ok(())
        })
    }
}

/// Copies a key with its entries to the head kept at `to`, in the place of what is there.
fn copy(writer: &mut Writer, (from, head, payload): (&[u8], Head, &[u8]), to: &[u8]) -> Result<()> {
    if let Some(before) = entry::claim(writer, to, |head, _| Ok(head))? {
        entry::remove(writer, to, before)?;
    }
    let before = writer.fork();
    put_copy(writer, &before, (from, head, payload), to)
}

/// Puts a copy of a key that `before` shows, with its entries, where nothing is.
fn put_copy(writer: &mut Writer, before: &View, (from, head, payload): (&[u8], Head, &[u8]), to: &[u8]) -> Result<()> {
    entry::create(writer, to, head, payload)?;
    if head.kind.has_elements() {
        let (from, to) = (Elements::of(from)?, Elements::of(to)?);
        let mut cursor = before.range(&from.all(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            writer.put(from.moved(key, &to), value)?;
        }
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
