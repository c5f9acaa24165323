//! Waiting for entries of streams.

use std::time::Duration;

use crate::error::Result;
use crate::kv::stream::{Entry, Group};
use crate::kv::{Stream, StreamId};
use crate::txn::AutoCommit;

impl Stream<AutoCommit> {
    /// Up to `count` entries after `id`, and waits while there are none: none when `timeout` has passed. Entries stay, and all
    /// who wait get them.
    ///
    /// To read what comes from now on, ask for [`Stream::last_id`] first.
    ///
    /// # Errors
    /// As every method, and those of [`Kv::wait_for`](crate::kv::Kv::wait_for).
    ///
    /// # Cost
    /// As [`Kv::wait_for`](crate::kv::Kv::wait_for) and [`Stream::read_after`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// let first = stream.add(NewId::Auto, [("a", "1")])?;
    /// assert_eq!(stream.read_after_wait(StreamId::MIN, None, None)?[0].id, first);
    /// assert!(stream.read_after_wait(first, None, Some(Duration::from_millis(1)))?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREAD` with `BLOCK`.
    #[doc(alias = "XREAD")]
    pub fn read_after_wait(&self, id: StreamId, count: Option<u64>, timeout: Option<Duration>) -> Result<Vec<Entry>> {
        let (kv, key) = self.place();
        Ok(kv.wait_for([key], timeout, || self.read_after(id, count).map(some))?.unwrap_or_default())
    }

    /// As [`Stream::read_after_wait`], as [`Kv::wait_for_async`](crate::kv::Kv::wait_for_async) waits.
    ///
    /// # Errors
    /// As [`Stream::read_after_wait`].
    ///
    /// # Cost
    /// As [`Stream::read_after_wait`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(NewId::Auto, [("a", "1")])?;
    /// assert_eq!(futures_lite::future::block_on(stream.read_after_async(StreamId::MIN, None))?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREAD` with `BLOCK`.
    #[doc(alias = "XREAD")]
    pub async fn read_after_async(&self, id: StreamId, count: Option<u64>) -> Result<Vec<Entry>> {
        let (kv, key) = self.place();
        kv.wait_for_async([key], || self.read_after(id, count).map(some)).await
    }
}

impl Group<AutoCommit> {
    /// Delivers to `consumer` up to `count` entries that the group has not had, and waits while there are none: none when
    /// `timeout` has passed. Each entry goes to one of those who wait.
    ///
    /// # Errors
    /// As [`Group::read`], also when the group is removed meanwhile and something happens to the stream; and those of
    /// [`Kv::wait_for`](crate::kv::Kv::wait_for).
    ///
    /// # Cost
    /// As [`Kv::wait_for`](crate::kv::Kv::wait_for) and [`Group::read`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// use std::time::Duration;
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(NewId::Auto, [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// assert_eq!(group.read_wait("ann", None, None)?.len(), 1);
    /// assert!(group.read_wait("ann", None, Some(Duration::from_millis(1)))?.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREADGROUP` with `BLOCK`.
    #[doc(alias = "XREADGROUP")]
    pub fn read_wait(
        &self,
        consumer: impl AsRef<[u8]>,
        count: Option<u64>,
        timeout: Option<Duration>,
    ) -> Result<Vec<Entry>> {
        let ((kv, key), consumer) = (self.stream().place(), consumer.as_ref());
        Ok(kv.wait_for([key], timeout, || self.read(consumer, count).map(some))?.unwrap_or_default())
    }

    /// As [`Group::read_wait`], as [`Kv::wait_for_async`](crate::kv::Kv::wait_for_async) waits.
    ///
    /// # Errors
    /// As [`Group::read_wait`].
    ///
    /// # Cost
    /// As [`Group::read_wait`].
    ///
    /// # Examples
    /// ```
    /// use larder::kv::{StreamId, stream::NewId};
    /// let stream = larder::Store::in_memory().kv().stream("s");
    /// stream.add(NewId::Auto, [("a", "1")])?;
    /// let group = stream.group("g");
    /// group.create(StreamId::MIN)?;
    /// assert_eq!(futures_lite::future::block_on(group.read_async("ann", None))?.len(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `XREADGROUP` with `BLOCK`.
    #[doc(alias = "XREADGROUP")]
    pub async fn read_async(&self, consumer: impl AsRef<[u8]>, count: Option<u64>) -> Result<Vec<Entry>> {
        let ((kv, key), consumer) = (self.stream().place(), consumer.as_ref());
        kv.wait_for_async([key], || self.read(consumer, count).map(some)).await
    }
}

/// Entries, if there are any.
fn some(entries: Vec<Entry>) -> Option<Vec<Entry>> {
    (!entries.is_empty()).then_some(entries)
}
