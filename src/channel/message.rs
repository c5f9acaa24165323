//! What a subscriber receives: messages, and word of those it lost.

use std::fmt;
use std::sync::Arc;

use crate::engine::CommitNumber;
use crate::limits;

/// Whose name a channel's is: a sharded channel and a plain one of the same name are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    Plain,
    /// Patterns do not match it.
    Sharded,
}

/// A message as it was published, shared by all who receive it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) namespace: Namespace,
    pub(super) channel: Box<[u8]>,
    pub(super) payload: Box<[u8]>,
    pub(super) commit: CommitNumber,
}

/// A message, received through one subscription. Clones share its bytes.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe_pattern("orders:*")?;
/// store.publish("orders:eu", "1")?;
/// let message = inbox.recv()?;
/// assert_eq!((message.channel(), message.payload()), (&b"orders:eu"[..], &b"1"[..]));
/// assert_eq!(message.pattern(), Some(&b"orders:*"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Message {
    published: Arc<Published>,
    pattern: Option<Arc<[u8]>>,
}

impl Message {
    pub(super) fn new(published: &Arc<Published>, pattern: Option<&Arc<[u8]>>) -> Self {
        Self { published: Arc::clone(published), pattern: pattern.map(Arc::clone) }
    }

    /// The channel it was published to.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe_pattern("orders:*")?;
    /// store.publish("orders:eu", "1")?;
    /// assert_eq!(inbox.recv()?.channel(), b"orders:eu");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn channel(&self) -> &[u8] {
        &self.published.channel
    }

    /// What was published.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// assert_eq!(inbox.recv()?.payload(), b"1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.published.payload
    }

    /// The pattern it was received through; `None` when the subscription names the channel.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (named, matching) = (store.subscribe("orders:eu")?, store.subscribe_pattern("orders:*")?);
    /// store.publish("orders:eu", "1")?;
    /// assert_eq!(named.recv()?.pattern(), None);
    /// assert_eq!(matching.recv()?.pattern(), Some(&b"orders:*"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn pattern(&self) -> Option<&[u8]> {
        self.pattern.as_deref()
    }

    /// What it counts with in a queue, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.published.channel.len() + self.published.payload.len() + limits::MESSAGE_OVERHEAD_BYTES
    }

    /// Whether it was published to a sharded channel.
    ///
    /// # Examples
    /// ```
    /// use larder::channel::QueueBounds;
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscriber(QueueBounds::default())?;
    /// inbox.subscribe_sharded("orders")?;
    /// store.publish_sharded("orders", "1")?;
    /// assert!(inbox.recv()?.is_sharded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        self.published.namespace == Namespace::Sharded
    }

    /// The commit it was published with, or, when its transaction wrote nothing, the last one before it.
    ///
    /// A snapshot of this commit or a later one holds everything the publishing transaction wrote.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.transaction(|tx| {
    ///     tx.kv().set("order:1", "open")?;
    ///     tx.publish("orders", "1")
    /// })?;
    /// assert_eq!(inbox.recv()?.commit(), store.snapshot()?.commit());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn commit(&self) -> CommitNumber {
        self.published.commit
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("channel", &String::from_utf8_lossy(self.channel()))
            .field("pattern", &self.pattern().map(String::from_utf8_lossy))
            .field("payload_bytes", &self.payload().len())
            .field("commit", &self.commit())
            .finish()
    }
}

/// Messages that would have been next were dropped, because the subscriber's queue was full.
///
/// # Examples
/// ```
/// use larder::limits::SUBSCRIBER_QUEUE_MESSAGES;
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("ticks")?;
/// store.transaction(|tx| (0..SUBSCRIBER_QUEUE_MESSAGES + 2).try_for_each(|_| tx.publish("ticks", "").map(drop)))?;
/// drop(store);
/// let lost: u64 = inbox.filter_map(Result::err).map(|lost| lost.messages).sum();
/// assert_eq!(lost, 2);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{messages} messages were lost, because the subscriber's queue was full")]
#[non_exhaustive]
pub struct Lost {
    /// How many were dropped at this place; never 0.
    pub messages: u64,
}

/// Why [`Subscriber::recv`](crate::Subscriber::recv) has no message.
///
/// # Examples
/// ```
/// use larder::channel::RecvError;
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("orders")?;
/// drop(store);
/// assert_eq!(inbox.recv().unwrap_err(), RecvError::Disconnected);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RecvError {
    /// Messages are missing here; the next call goes on behind the gap.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The store has gone, and everything has been received.
    #[error("the store has gone; there will be no more messages")]
    Disconnected,
}

/// Why [`Subscriber::recv_timeout`](crate::Subscriber::recv_timeout) has no message.
///
/// # Examples
/// ```
/// use larder::channel::RecvTimeoutError;
/// use std::time::Duration;
/// let inbox = larder::Store::in_memory().subscribe("orders")?;
/// assert_eq!(inbox.recv_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Disconnected);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RecvTimeoutError {
    /// Messages are missing here; the next call goes on behind the gap.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// No message came in time.
    #[error("no message came in time")]
    Timeout,
    /// The store has gone, and everything has been received.
    #[error("the store has gone; there will be no more messages")]
    Disconnected,
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lost(lost) => Self::Lost(lost),
            RecvError::Disconnected => Self::Disconnected,
        }
    }
}
