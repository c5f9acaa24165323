//! One key, whatever it holds: whether it is there, what kind it is, removing, renaming, moving and copying it.

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::condition::Condition;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::keyspace::{Kv, Room};
use crate::kv::record::{Head, Kind};
use crate::kv::{entry, stream};
use crate::txn::{Scope, WriteScope, Writer};

impl<S: Scope> Kv<S> {
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

    /// As [`Kv::exists`], and counts as a use of the key, by which eviction goes.
    ///
    /// # Errors
    /// As [`Kv::exists`].
    ///
    /// # Cost
    /// One lookup.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, kv::EvictionPolicy};
    /// let store = Store::in_memory();
    /// store.set_memory_budget(Some(1 << 20), EvictionPolicy::AllKeysLru)?;
    /// store.kv().set("k", "v")?;
    /// assert!(store.kv().touch("k")? && !store.kv().touch("other")?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `TOUCH`.
    #[doc(alias = "TOUCH")]
    pub fn touch(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.read("touch", key.as_ref(), |view, key| Ok(entry::look(view, key, |_, _| Ok(()))?.is_some()))
    }

    /// The address of `key`, by which events of it are published.
    #[cfg(feature = "server")]
    pub(crate) fn address(&self, key: &[u8]) -> Result<Vec<u8>> {
        Ok(self.keyspace.address(key)?.into_vec())
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
    #[cfg(feature = "server")]
    pub(crate) fn entries_of(&self, key: impl AsRef<[u8]>) -> Result<u64> {
        self.read("entries_of", key.as_ref(), |view, key| {
            let elements = entry::peek(view, key, |head, _| Ok(head.elements()))?.flatten();
            elements.map_or(Ok(0), |elements| view.count(&elements.all()))
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Removes `key`, whatever it holds, and returns whether it was there.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too long.
    ///
    /// # Cost
    /// O(log n). The elements of what is large are removed in the background
    /// ([`Store::run_jobs`](crate::Store::run_jobs)).
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
            tell(writer, KeyEvents::GENERIC, "del", key);
            Ok(true)
        })
    }

    /// Gives `from` the name `to`, in the place of what was there; returns whether there was a key `from`.
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

    /// Moves `key` to the keyspace `target`, unless there is one of its name; returns whether it was moved.
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
    let ranges = if head.kind == Kind::Stream { stream::ranges(writer, &from)? } else { vec![from.all()] };
    for range in ranges {
        let mut cursor = writer.range(&range, Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            writer.put(from.moved(key, &elements), value)?;
        }
    }
    Ok(())
}
