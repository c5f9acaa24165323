//! Waiting until a key has something: as a thread, for a time, or as a task, until the future is dropped.

mod sorted_sets;
mod streams;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::error::Result;
use crate::kv::state::Keys;
use crate::kv::{End, Kv, List};
use crate::txn::AutoCommit;

impl Kv<AutoCommit> {
    /// What `attempt` finds. It is tried at once, and again whenever something has happened to one of `keys`, until it finds
    /// something or `timeout` has passed; without a timeout there is no end. `None` at the end of the time.
    ///
    /// Those who wait for a key get their turns in the order in which they came. The time that is waited is that of the system,
    /// not of the store's clock.
    ///
    /// # Errors
    /// Those of `attempt`, which end the waiting; [`Error::LimitExceeded`](crate::Error::LimitExceeded) for a key that is too
    /// long; [`Error::NestedTransaction`](crate::Error::NestedTransaction) inside an exclusive transaction of this thread;
    /// [`Error::Closed`](crate::Error::Closed) when the store is closed, also while waiting.
    ///
    /// # Cost
    /// Nothing while waiting. While anybody waits, each write of a key costs a look at who waits for it.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let kv = larder::Store::in_memory().kv();
    /// let jobs = kv.unsorted_set("jobs");
    /// let worker = std::thread::spawn({
    ///     let (kv, jobs) = (kv.clone(), jobs.clone());
    ///     move || kv.wait_for(["jobs"], Some(Duration::from_secs(10)), || jobs.nth(0))
    /// });
    /// jobs.add("sweep")?;
    /// assert_eq!(worker.join().unwrap()?, Some(b"sweep".to_vec()));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn wait_for<K: AsRef<[u8]>, R>(
        &self,
        keys: impl IntoIterator<Item = K>,
        timeout: Option<Duration>,
        attempt: impl FnMut() -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        Keys::wait_for(self.scope.core(), &self.heads_of(keys)?, timeout, attempt)
    }

    /// As [`Kv::wait_for`], without holding up the thread. It has no end of its own: dropping the future ends the waiting, and
    /// nothing that was found is lost with it.
    ///
    /// It needs no runtime. `attempt` runs when the task is polled, and commits there.
    ///
    /// # Errors
    /// As [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`].
    ///
    /// # Examples
    /// ```
    /// use futures_lite::future::{block_on, poll_once};
    /// let kv = larder::Store::in_memory().kv();
    /// let jobs = kv.unsorted_set("jobs");
    /// assert!(block_on(poll_once(Box::pin(kv.wait_for_async(["jobs"], || jobs.nth(0))))).is_none());
    /// jobs.add("sweep")?;
    /// assert_eq!(block_on(kv.wait_for_async(["jobs"], || jobs.nth(0)))?, b"sweep");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub async fn wait_for_async<K: AsRef<[u8]>, R>(
        &self,
        keys: impl IntoIterator<Item = K>,
        attempt: impl FnMut() -> Result<Option<R>>,
    ) -> Result<R> {
        let heads = self.heads_of(keys)?;
        Keys::wait_for_async(self.scope.core(), &heads, attempt).await
    }

    fn heads_of<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Vec<u8>>> {
        keys.into_iter().map(|key| Ok(self.keyspace.address(key.as_ref())?.into_vec())).collect()
    }
}

impl List<AutoCommit> {
    /// Takes the value at `end` off the list, and waits for one while there is none: `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As every method, and those of [`Kv::wait_for`].
    ///
    /// # Cost
    /// As [`Kv::wait_for`] and [`List::pop`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// use std::time::Duration;
    /// let queue = larder::Store::in_memory().kv().list("queue");
    /// queue.push(End::Back, ["job"])?;
    /// assert_eq!(queue.pop_wait(End::Front, None)?, Some(b"job".to_vec()));
    /// assert_eq!(queue.pop_wait(End::Front, Some(Duration::from_millis(1)))?, None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BLPOP`.
    #[doc(alias = "BLPOP")]
    pub fn pop_wait(&self, end: End, timeout: Option<Duration>) -> Result<Option<Vec<u8>>> {
        let (kv, key) = self.place();
        kv.wait_for([key], timeout, || self.pop(end))
    }

    /// As [`List::pop_wait`], as [`Kv::wait_for_async`] waits.
    ///
    /// # Errors
    /// As [`List::pop_wait`].
    ///
    /// # Cost
    /// As [`List::pop_wait`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::End;
    /// let queue = larder::Store::in_memory().kv().list("queue");
    /// queue.push(End::Back, ["job"])?;
    /// assert_eq!(futures_lite::future::block_on(queue.pop_async(End::Front))?, b"job");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `BLPOP`.
    #[doc(alias = "BLPOP")]
    pub async fn pop_async(&self, end: End) -> Result<Vec<u8>> {
        let (kv, key) = self.place();
        kv.wait_for_async([key], || self.pop(end)).await
    }
}
