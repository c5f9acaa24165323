//! The receiving end.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::channel::bounds::QueueBounds;
use crate::channel::hub::{Hub, SubscriberId, Topic};
use crate::channel::message::{Lost, Message, RecvError, RecvTimeoutError};
use crate::channel::queue::Queue;
use crate::error::{Error, Result};
use crate::limits;

/// Receives what is published to its channels. Given by [`Store::subscribe`](crate::Store::subscribe) and
/// [`Store::subscribe_pattern`](crate::Store::subscribe_pattern); dropping it ends its subscriptions.
///
/// Messages wait in a queue of [`limits::SUBSCRIBER_QUEUE_MESSAGES`] and [`limits::SUBSCRIBER_QUEUE_BYTES`], or of what
/// [`Store::subscriber`](crate::Store::subscriber) is given. When it is full, further ones are dropped, and the subscriber is
/// told how many at the place where they are missing ([`Lost`]). When the store has gone, its last handle
/// dropped or any of them closed, what is in the queue can still be received.
///
/// It may be shared between threads, each message going to one of them, but does not keep the store open.
///
/// | to receive | what waits |
/// |---|---|
/// | [`Subscriber::try_recv`] | nothing |
/// | [`Subscriber::recv`], [`Subscriber::recv_timeout`], [`Subscriber::iter`], [`Iterator`] | the thread |
/// | [`Subscriber::recv_async`], [`Stream`](futures_core::Stream), [`Subscriber::into_stream`] | the task |
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("orders")?;
/// let worker = std::thread::spawn(move || {
///     inbox.map(|message| message.unwrap().payload().to_vec()).collect::<Vec<_>>()
/// });
/// store.publish("orders", "1")?;
/// store.publish("orders", "2")?;
/// drop(store);
/// assert_eq!(worker.join().unwrap(), [b"1", b"2"]);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis manual, "Redis Pub/Sub".
#[derive(Debug)]
pub struct Subscriber {
    id: SubscriberId,
    queue: Arc<Queue>,
    hub: Weak<Hub>,
    /// Its place among the waiting tasks, as a stream.
    place: Option<u64>,
}

impl Subscriber {
    /// A subscriber of nothing yet, with a queue within `bounds`.
    pub(crate) fn new(hub: &Arc<Hub>, bounds: QueueBounds) -> Result<Self> {
        let (id, queue) = hub.register(bounds)?;
        Ok(Self { id, queue, hub: Arc::downgrade(hub), place: None })
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// [`RecvError::Lost`] in the place of messages that were dropped, [`RecvError::Disconnected`] when the store has
    /// gone and everything has been received.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// assert_eq!(inbox.recv()?.payload(), b"1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv(&self) -> Result<Message, RecvError> {
        loop {
            // Without a timeout there is always something, but the loop costs less than an error for the impossible.
            if let Some(message) = self.queue.take(None)? {
                return Ok(message);
            }
        }
    }

    /// Waits for the next message, but not longer than `timeout`.
    ///
    /// # Errors
    /// As [`Subscriber::recv`], and [`RecvTimeoutError::Timeout`] when no message came in time.
    ///
    /// # Examples
    /// ```
    /// use larder::channel::RecvTimeoutError;
    /// use std::time::Duration;
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(inbox.recv_timeout(Duration::from_millis(1)).unwrap_err(), RecvTimeoutError::Timeout);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, RecvTimeoutError> {
        self.queue.take(Some(timeout))?.ok_or(RecvTimeoutError::Timeout)
    }

    /// The next message, if one is there.
    ///
    /// # Errors
    /// As [`Subscriber::recv`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert!(inbox.try_recv()?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv(&self) -> Result<Option<Message>, RecvError> {
        self.queue.try_take()
    }

    /// Waits for the next message without keeping a thread. Works with every executor.
    ///
    /// Dropping the future before it is ready loses nothing: a message leaves the queue only when the future returns
    /// it.
    ///
    /// # Errors
    /// As [`Subscriber::recv`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// let message = futures_lite::future::block_on(inbox.recv_async())?;
    /// assert_eq!(message.payload(), b"1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_async(&self) -> Recv<'_> {
        Recv { queue: &self.queue, ticket: None }
    }

    /// Iterates over messages as they come, until the store has gone; borrows the subscriber.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// let first = inbox.iter().next().unwrap()?;
    /// assert_eq!(first.payload(), b"1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter { subscriber: self }
    }

    /// The queue, and this subscriber's place in it.
    pub(super) fn queue_and_place(&mut self) -> (&Queue, &mut Option<u64>) {
        (&self.queue, &mut self.place)
    }

    /// How many messages wait in the queue.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// assert_eq!(inbox.pending(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Receives from `channel` too, and returns how many subscriptions there are then. Subscribing twice is once.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a name longer than [`limits::CHANNEL_BYTES_MAX`], [`Error::Closed`] when the store
    /// has gone.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(inbox.subscribe("returns")?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SUBSCRIBE`.
    #[doc(alias = "SUBSCRIBE")]
    pub fn subscribe(&self, channel: impl AsRef<[u8]>) -> Result<usize> {
        let channel = channel.as_ref();
        limits::check("channel name bytes", limits::CHANNEL_BYTES_MAX, channel.len())?;
        self.hub()?.add(self.id, Topic::Channel(channel.into()))
    }

    /// Receives from every channel that matches `pattern` too, and returns how many subscriptions there are then.
    ///
    /// A message that several subscriptions match is received once for each.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders:eu")?;
    /// inbox.subscribe_pattern("orders:*")?;
    /// assert_eq!(store.publish("orders:eu", "1")?, 2);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PSUBSCRIBE`.
    #[doc(alias = "PSUBSCRIBE")]
    pub fn subscribe_pattern(&self, pattern: impl AsRef<[u8]>) -> Result<usize> {
        let pattern = pattern.as_ref();
        limits::check("channel pattern bytes", limits::CHANNEL_BYTES_MAX, pattern.len())?;
        self.hub()?.add(self.id, Topic::Pattern(pattern.into()))
    }

    /// Receives from `channel` no longer, and returns whether it did. What is in the queue stays there.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert!(inbox.unsubscribe("orders"));
    /// assert_eq!(store.publish("orders", "1")?, 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `UNSUBSCRIBE`.
    #[doc(alias = "UNSUBSCRIBE")]
    pub fn unsubscribe(&self, channel: impl AsRef<[u8]>) -> bool {
        let topic = Topic::Channel(channel.as_ref().into());
        self.hub.upgrade().is_some_and(|hub| hub.remove(self.id, &topic))
    }

    /// Receives through `pattern` no longer, and returns whether it did. What is in the queue stays there.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe_pattern("orders:*")?;
    /// assert!(inbox.unsubscribe_pattern("orders:*") && !inbox.unsubscribe_pattern("orders:*"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUNSUBSCRIBE`.
    #[doc(alias = "PUNSUBSCRIBE")]
    pub fn unsubscribe_pattern(&self, pattern: impl AsRef<[u8]>) -> bool {
        let topic = Topic::Pattern(pattern.as_ref().into());
        self.hub.upgrade().is_some_and(|hub| hub.remove(self.id, &topic))
    }

    /// As [`Subscriber::subscribe`], to a sharded channel: one of a namespace of its own, which no pattern matches.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe_pattern("*")?;
    /// inbox.subscribe_sharded("orders")?;
    /// assert_eq!(store.publish_sharded("orders", "1")?, 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SSUBSCRIBE`.
    #[doc(alias = "SSUBSCRIBE")]
    pub fn subscribe_sharded(&self, channel: impl AsRef<[u8]>) -> Result<usize> {
        let channel = channel.as_ref();
        limits::check("channel name bytes", limits::CHANNEL_BYTES_MAX, channel.len())?;
        self.hub()?.add(self.id, Topic::Shard(channel.into()))
    }

    /// Receives from the sharded `channel` no longer, and returns whether it did. What is in the queue stays there.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert!(!inbox.unsubscribe_sharded("orders"), "it subscribes to the other channel of the name");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `SUNSUBSCRIBE`.
    #[doc(alias = "SUNSUBSCRIBE")]
    pub fn unsubscribe_sharded(&self, channel: impl AsRef<[u8]>) -> bool {
        let topic = Topic::Shard(channel.as_ref().into());
        self.hub.upgrade().is_some_and(|hub| hub.remove(self.id, &topic))
    }

    /// Lists the channels it subscribes to by name, in bytewise order; none when the store has gone.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// inbox.subscribe("returns")?;
    /// inbox.subscribe_pattern("user:*")?;
    /// assert_eq!(inbox.channels(), [b"orders".to_vec(), b"returns".to_vec()]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn channels(&self) -> Vec<Vec<u8>> {
        self.topics(|topic| if let Topic::Channel(name) = topic { Some(name) } else { None })
    }

    /// Lists the patterns it subscribes through, in bytewise order; none when the store has gone.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe_pattern("orders:*")?;
    /// assert_eq!(inbox.patterns(), [b"orders:*"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn patterns(&self) -> Vec<Vec<u8>> {
        self.topics(|topic| if let Topic::Pattern(pattern) = topic { Some(pattern) } else { None })
    }

    /// Lists the sharded channels it subscribes to, in bytewise order; none when the store has gone.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// inbox.subscribe_sharded("ticks")?;
    /// assert_eq!(inbox.sharded_channels(), [b"ticks"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn sharded_channels(&self) -> Vec<Vec<u8>> {
        self.topics(|topic| if let Topic::Shard(name) = topic { Some(name) } else { None })
    }

    fn topics(&self, name: impl Fn(Topic) -> Option<Arc<[u8]>>) -> Vec<Vec<u8>> {
        let topics = self.hub.upgrade().map_or_else(Vec::new, |hub| hub.topics(self.id));
        topics.into_iter().filter_map(name).map(|name| name.to_vec()).collect()
    }

    /// Waits until the queue has dropped a message, without keeping a thread: for those who would rather end such a
    /// subscription than go on behind. Works with every executor; ready at once when one was dropped before.
    ///
    /// # Examples
    /// ```
    /// use futures_lite::future::{block_on, poll_once};
    /// use larder::channel::QueueBounds;
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscriber(QueueBounds::default().messages(1))?;
    /// inbox.subscribe("ticks")?;
    /// store.publish("ticks", "1")?;
    /// assert!(block_on(poll_once(Box::pin(inbox.overflowed()))).is_none());
    /// store.publish("ticks", "2")?;
    /// block_on(inbox.overflowed());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// `client-output-buffer-limit` of the configuration file of Redis.
    pub async fn overflowed(&self) {
        Losing { queue: &self.queue, ticket: None }.await;
    }

    /// Sets how many bytes of messages the queue may hold from now on. What is in it stays there.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("ticks")?;
    /// inbox.set_queue_bytes_max(1_000);
    /// for _ in 0..3 {
    ///     store.publish("ticks", [b'x'; 400])?;
    /// }
    /// assert_eq!(inbox.pending(), 2, "the third was dropped");
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn set_queue_bytes_max(&self, bytes: usize) {
        self.queue.set_bytes_max(bytes);
    }

    /// What measures how much waits in the queue, for somebody other than the receiver.
    #[cfg(feature = "server")]
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge(Arc::clone(&self.queue))
    }

    /// How many bytes of messages wait in the queue: of each message its channel, its payload and
    /// [`limits::MESSAGE_OVERHEAD_BYTES`].
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// store.publish("orders", "1")?;
    /// assert!(inbox.pending_bytes() > "orders1".len());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn pending_bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// How many subscriptions there are, to channels and through patterns; 0 when the store has gone.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(inbox.subscriptions(), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn subscriptions(&self) -> usize {
        self.hub.upgrade().map_or(0, |hub| hub.subscriptions(self.id))
    }

    fn hub(&self) -> Result<Arc<Hub>> {
        self.hub.upgrade().ok_or(Error::Closed)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.forget(self.id);
        }
    }
}

/// Measures how much waits in a subscriber's queue.
#[cfg(feature = "server")]
#[derive(Clone, Debug)]
pub(crate) struct Gauge(Arc<Queue>);

#[cfg(feature = "server")]
impl Gauge {
    /// Messages and their bytes.
    pub(crate) fn read(&self) -> (usize, usize) {
        (self.0.len(), self.0.bytes())
    }
}

/// Waits until a queue has dropped a message.
struct Losing<'a> {
    queue: &'a Queue,
    ticket: Option<u64>,
}

impl Future for Losing<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { queue, ticket } = &mut *self;
        if queue.poll_lost(ticket, context.waker()) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Losing<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.queue.cancel(ticket);
        }
    }
}

/// Messages as they come until the store has gone. Waiting for each **keeps the thread**: in a task, use the
/// [`Stream`](futures_core::Stream), or [`Subscriber::into_stream`].
///
/// # Examples
/// See [`Subscriber`].
impl Iterator for Subscriber {
    type Item = Result<Message, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self)
    }
}

impl<'a> IntoIterator for &'a Subscriber {
    type Item = Result<Message, Lost>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Messages of a borrowed [`Subscriber`] as they come, waiting for each, until the store has gone. Made by
/// [`Subscriber::iter`].
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("orders")?;
/// store.publish("orders", "1")?;
/// drop(store);
/// let payloads: Vec<_> = inbox.iter().flatten().map(|message| message.payload().to_vec()).collect();
/// assert_eq!(payloads, [b"1"]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    subscriber: &'a Subscriber,
}

impl Iterator for Iter<'_> {
    type Item = Result<Message, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self.subscriber)
    }
}

fn next(subscriber: &Subscriber) -> Option<Result<Message, Lost>> {
    match subscriber.recv() {
        Ok(message) => Some(Ok(message)),
        Err(RecvError::Lost(lost)) => Some(Err(lost)),
        Err(RecvError::Disconnected) => None,
    }
}

/// The next message of a [`Subscriber`], to be awaited. Made by [`Subscriber::recv_async`].
///
/// # Examples
/// ```
/// use futures_lite::future::{block_on, poll_once};
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("orders")?;
/// assert!(block_on(poll_once(inbox.recv_async())).is_none(), "nothing to receive yet");
/// store.publish("orders", "1")?;
/// assert_eq!(block_on(inbox.recv_async())?.payload(), b"1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct Recv<'a> {
    queue: &'a Queue,
    /// This future's place among the waiting tasks.
    ticket: Option<u64>,
}

impl Future for Recv<'_> {
    type Output = Result<Message, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, ticket } = &mut *self;
        match queue.poll_take(ticket, context.waker()) {
            Ok(Some(message)) => Poll::Ready(Ok(message)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.queue.cancel(ticket);
        }
    }
}
