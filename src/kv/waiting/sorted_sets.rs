//! Waiting for members of sorted sets.

use std::time::Duration;

use crate::engine::Direction;
use crate::error::Result;
use crate::kv::{Kv, SortedSet};
use crate::txn::AutoCommit;

/// The key of a sorted set, and members that were taken off it with their scores.
type Popped = (Vec<u8>, Vec<(Vec<u8>, f64)>);

impl Kv<AutoCommit> {
    /// Takes up to `count` members with the lowest scores off the first sorted set at `keys` that has any, and waits while none has:
    /// answers its key, and the members, lowest first; `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop_min`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`]; each try looks at one key after the other.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// kv.sorted_set("later").add("b", 2.0)?;
    /// let popped = kv.pop_min_wait(["now", "later"], 1, None)?;
    /// assert_eq!(popped, Some((b"later".to_vec(), vec![(b"a".to_vec(), 1.0)])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub fn pop_min_wait<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        count: u64,
        timeout: Option<Duration>,
    ) -> Result<Option<Popped>> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for(&keys, timeout, || pop_first(self, &keys, Direction::Forward, count))
    }

    /// As [`Kv::pop_min_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`Kv::pop_min_wait`].
    ///
    /// # Cost
    /// As [`Kv::pop_min_wait`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// let (key, members) = futures_lite::future::block_on(kv.pop_min_async(["now", "later"], 5))?;
    /// assert_eq!((&*key, members.len()), (&b"later"[..], 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub async fn pop_min_async<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>, count: u64) -> Result<Popped> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for_async(&keys, || pop_first(self, &keys, Direction::Forward, count)).await
    }

    /// Takes up to `count` members with the highest scores off the first sorted set at `keys` that has any, and waits while none has:
    /// answers its key, and the members, highest first; `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop_max`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`]; each try looks at one key after the other.
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// kv.sorted_set("later").add("b", 2.0)?;
    /// let popped = kv.pop_max_wait(["now", "later"], 1, None)?;
    /// assert_eq!(popped, Some((b"later".to_vec(), vec![(b"b".to_vec(), 2.0)])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub fn pop_max_wait<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        count: u64,
        timeout: Option<Duration>,
    ) -> Result<Option<Popped>> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for(&keys, timeout, || pop_first(self, &keys, Direction::Backward, count))
    }

    /// As [`Kv::pop_max_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`Kv::pop_max_wait`].
    ///
    /// # Cost
    /// As [`Kv::pop_max_wait`].
    ///
    /// # Examples
    /// ```
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// let (key, members) = futures_lite::future::block_on(kv.pop_max_async(["now", "later"], 5))?;
    /// assert_eq!((&*key, members.len()), (&b"later"[..], 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub async fn pop_max_async<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>, count: u64) -> Result<Popped> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for_async(&keys, || pop_first(self, &keys, Direction::Backward, count)).await
    }
}

impl SortedSet<AutoCommit> {
    /// Takes the member with the lowest score, and waits for one while there is none: `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop_min`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`] and [`SortedSet::pop_min`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(due.pop_min_wait(None)?, Some((b"a".to_vec(), 10.0)));
    /// assert_eq!(due.pop_min_wait(Some(Duration::from_millis(1)))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMIN`.
    #[doc(alias = "BZPOPMIN")]
    pub fn pop_min_wait(&self, timeout: Option<Duration>) -> Result<Option<(Vec<u8>, f64)>> {
        let (kv, key) = self.place();
        kv.wait_for([key], timeout, || Ok(self.pop_min(1)?.pop()))
    }

    /// As [`SortedSet::pop_min_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`SortedSet::pop_min_wait`].
    ///
    /// # Cost
    /// As [`SortedSet::pop_min_wait`].
    ///
    /// # Examples
    /// ```
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(futures_lite::future::block_on(due.pop_min_async())?, (b"a".to_vec(), 10.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMIN`.
    #[doc(alias = "BZPOPMIN")]
    pub async fn pop_min_async(&self) -> Result<(Vec<u8>, f64)> {
        let (kv, key) = self.place();
        kv.wait_for_async([key], || Ok(self.pop_min(1)?.pop())).await
    }

    /// Takes the member with the highest score, and waits for one while there is none: `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop_max`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`] and [`SortedSet::pop_max`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(due.pop_max_wait(None)?, Some((b"a".to_vec(), 10.0)));
    /// assert_eq!(due.pop_max_wait(Some(Duration::from_millis(1)))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMAX`.
    #[doc(alias = "BZPOPMAX")]
    pub fn pop_max_wait(&self, timeout: Option<Duration>) -> Result<Option<(Vec<u8>, f64)>> {
        let (kv, key) = self.place();
        kv.wait_for([key], timeout, || Ok(self.pop_max(1)?.pop()))
    }

    /// As [`SortedSet::pop_max_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`SortedSet::pop_max_wait`].
    ///
    /// # Cost
    /// As [`SortedSet::pop_max_wait`].
    ///
    /// # Examples
    /// ```
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(futures_lite::future::block_on(due.pop_max_async())?, (b"a".to_vec(), 10.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMAX`.
    #[doc(alias = "BZPOPMAX")]
    pub async fn pop_max_async(&self) -> Result<(Vec<u8>, f64)> {
        let (kv, key) = self.place();
        kv.wait_for_async([key], || Ok(self.pop_max(1)?.pop())).await
    }
}

/// Takes members off the first set that has any; `None` when none has.
fn pop_first<K: AsRef<[u8]>>(
    kv: &Kv<AutoCommit>,
    keys: &[K],
    direction: Direction,
    count: u64,
) -> Result<Option<Popped>> {
    for key in keys {
        let set = kv.sorted_set(key);
        let members = match direction {
            Direction::Forward => set.pop_min(count)?,
            Direction::Backward => set.pop_max(count)?,
        };
        if !members.is_empty() {
            return Ok(Some((key.as_ref().to_vec(), members)));
        }
    }
    Ok(None)
}
