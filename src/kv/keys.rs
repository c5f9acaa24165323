//! All keys of a keyspace: their names, how many there are, emptying it and changing places with another.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use crate::catalog::job;
use crate::encoding::owner;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::expiry;
use crate::kv::entry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::keyspace::{Kv, Room};
use crate::kv::layout::{Keyspace, address_of, key_of, numbered_place, place_of, stored};
use crate::kv::record::{Head, Kind, named};
use crate::kv::state::tell_all;
use crate::txn::{Operation, Scope, WriteScope};
use crate::{glob, limits};

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

    /// Up to `limit` keys that come after `after` in bytewise order, with their kinds; from the first when that is
    /// `None`.
    ///
    /// Called again with the last key it returned until it returns fewer than `limit`, it gives every key that was
    /// there all the time exactly once.
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

    /// Returns how many keys have a deadline, and how far off it is on the average. Beyond
    /// [`limits::DEADLINES_READ_MAX`](crate::limits::DEADLINES_READ_MAX) deadlines of all models both are estimated from those that come
    /// first.
    ///
    /// # Errors
    /// As [`Kv::len`].
    ///
    /// # Cost
    /// O(n) in the deadlines that are read.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let store = larder::Store::builder().clock(larder::ManualClock::default()).in_memory();
    /// store.kv().set_with_ttl("a", "1", Duration::from_secs(10))?;
    /// store.kv().set_with_ttl("b", "2", Duration::from_secs(30))?;
    /// store.kv().set("c", "3")?;
    /// assert_eq!(store.kv().deadlines()?, (2, Duration::from_secs(20)));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `INFO keyspace`.
    pub fn deadlines(&self) -> Result<(u64, Duration)> {
        self.scope.read(self.operation("deadlines"), |view| {
            let heads = self.keyspace.heads(view)?;
            let first = expiry::first(view, limits::DEADLINES_READ_MAX)?;
            let own: Vec<_> = first.iter().filter(|(_, target)| heads.contains(target)).collect();
            let left = own.iter().map(|(deadline, _)| deadline.saturating_since(view.now()));
            let average = left.sum::<Duration>() / u32::try_from(own.len()).unwrap_or(u32::MAX).max(1);
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
                let name = named(head, record)?;
                let key = key_of(&name)?;
                if glob::matches(pattern, key) && Head::decode(record)?.0.is_live(|| view.now()) {
                    keys.push(key.to_vec());
                }
            }
            Ok(keys)
        })
    }
}

impl<S: WriteScope> Kv<S> {
    /// Removes every key, and returns how many there were.
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
                    // Who waits for what the key had learns that it is gone; no event is published.
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

    /// Swaps the contents of two keyspaces.
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
            // Who waits for a key in either is served; no event is published.
            tell_all(writer, one.own());
            tell_all(writer, two.own());
            Ok(())
        })
    }
}
