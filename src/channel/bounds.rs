//! How much a subscriber's queue may hold.

use crate::limits;

/// The bounds of a subscriber's queue, for [`Store::subscriber`](crate::Store::subscriber). What goes beyond either of
/// them is dropped, and the subscriber learns of it ([`Lost`](crate::channel::Lost)); one message is taken whatever
/// they are.
///
/// # Examples
/// ```
/// use larder::channel::QueueBounds;
/// let store = larder::Store::in_memory();
/// let inbox = store.subscriber(QueueBounds::default().messages(2))?;
/// inbox.subscribe("ticks")?;
/// for n in 0..5 {
///     store.publish("ticks", n.to_string())?;
/// }
/// drop(store);
/// let lost: u64 = inbox.filter_map(Result::err).map(|lost| lost.messages).sum();
/// assert_eq!(lost, 3);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "bounds do nothing until a subscriber is made with them"]
pub struct QueueBounds {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self { messages: limits::SUBSCRIBER_QUEUE_MESSAGES, bytes: limits::SUBSCRIBER_QUEUE_BYTES }
    }
}

impl QueueBounds {
    /// At most this many messages; [`limits::SUBSCRIBER_QUEUE_MESSAGES`] unless set.
    ///
    /// # Examples
    /// ```
    /// let bounds = larder::channel::QueueBounds::default().messages(1_000_000);
    /// # let _ = bounds;
    /// ```
    pub fn messages(mut self, messages: usize) -> Self {
        self.messages = messages;
        self
    }

    /// At most this many bytes: of each message its channel, its payload and [`limits::MESSAGE_OVERHEAD_BYTES`];
    /// [`limits::SUBSCRIBER_QUEUE_BYTES`] unless set.
    ///
    /// # Examples
    /// ```
    /// let bounds = larder::channel::QueueBounds::default().bytes(1 << 20);
    /// # let _ = bounds;
    /// ```
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
