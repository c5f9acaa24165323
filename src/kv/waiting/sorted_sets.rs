//! Waiting for members of sorted sets.

use std::time::Duration;

use crate::error::Result;
use crate::kv::{End, Kv, SortedSet};
use crate::txn::AutoCommit;

/// The key of a sorted set, and members that were taken off it with their scores.
type Popped = (Vec<u8>, Vec<(Vec<u8>, f64)>);

impl Kv<AutoCommit> {
    /// Takes up to `count` members at an end off the first sorted set at `keys` that has any, and waits while none has: returns its
    /// key, and the members, the outermost first; `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop_many`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`]; each try looks at one key after the other.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// kv.sorted_set("later").add("b", 2.0)?;
    /// let popped = kv.pop_sorted_wait(["now", "later"], End::Back, 1, None)?;
    /// assert_eq!(popped, Some((b"later".to_vec(), vec![(b"b".to_vec(), 2.0)])));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub fn pop_sorted_wait<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        end: End,
        count: u64,
        timeout: Option<Duration>,
    ) -> Result<Option<Popped>> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for(&keys, timeout, || pop_first(self, &keys, end, count))
    }

    /// As [`Kv::pop_sorted_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`Kv::pop_sorted_wait`].
    ///
    /// # Cost
    /// As [`Kv::pop_sorted_wait`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let kv = larder::Store::in_memory().kv();
    /// kv.sorted_set("later").add("a", 1.0)?;
    /// let (key, members) = futures_lite::future::block_on(kv.pop_sorted_async(["now", "later"], End::Front, 5))?;
    /// assert_eq!((&*key, members.len()), (&b"later"[..], 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZMPOP`.
    #[doc(alias = "BZMPOP")]
    pub async fn pop_sorted_async<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        end: End,
        count: u64,
    ) -> Result<Popped> {
        let keys: Vec<_> = keys.into_iter().collect();
        self.wait_for_async(&keys, || pop_first(self, &keys, end, count)).await
    }
}

impl SortedSet<AutoCommit> {
    /// Takes the member at an end off the set, and waits for one while there is none: `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`SortedSet::pop`], and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`] and [`SortedSet::pop`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// use std::time::Duration;
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(due.pop_wait(End::Front, None)?, Some((b"a".to_vec(), 10.0)));
    /// assert_eq!(due.pop_wait(End::Front, Some(Duration::from_millis(1)))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMIN`, `BZPOPMAX`.
    #[doc(alias("BZPOPMIN", "BZPOPMAX"))]
    pub fn pop_wait(&self, end: End, timeout: Option<Duration>) -> Result<Option<(Vec<u8>, f64)>> {
        let (kv, key) = self.place();
        kv.wait_for([key], timeout, || self.pop(end))
    }

    /// As [`SortedSet::pop_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`SortedSet::pop_wait`].
    ///
    /// # Cost
    /// As [`SortedSet::pop_wait`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let due = larder::Store::in_memory().kv().sorted_set("due");
    /// due.add("a", 10.0)?;
    /// assert_eq!(futures_lite::future::block_on(due.pop_async(End::Back))?, (b"a".to_vec(), 10.0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BZPOPMIN`, `BZPOPMAX`.
    #[doc(alias("BZPOPMIN", "BZPOPMAX"))]
    pub async fn pop_async(&self, end: End) -> Result<(Vec<u8>, f64)> {
        let (kv, key) = self.place();
        kv.wait_for_async([key], || self.pop(end)).await
    }
}

/// Takes members off the first set that has any; `None` when none has.
fn pop_first<K: AsRef<[u8]>>(kv: &Kv<AutoCommit>, keys: &[K], end: End, count: u64) -> Result<Option<Popped>> {
    for key in keys {
        let members = kv.sorted_set(key).pop_many(end, count)?;
        if !members.is_empty() {
            return Ok(Some((key.as_ref().to_vec(), members)));
        }
    }
    Ok(None)
}
