//! Channels: messages to whoever subscribes at the moment, released by the commit of the transaction that published
//! them.
//!
//! Nothing is stored. A publication is a note of its transaction: it reaches the queues of the subscribers after the
//! commit is durable, in commit order and, within a transaction, in the order of publication; one that rolls back
//! publishes nothing.
//!
//! ```
//! use larder::Store;
//!
//! let store = Store::in_memory();
//! let inbox = store.subscribe_pattern("orders:*")?;
//! store.transaction(|tx| {
//!     tx.kv().set("order:1", "3 apples")?;
//!     tx.publish("orders:new", "1")
//! })?;
//! let message = inbox.recv()?;
//! assert_eq!((message.channel(), message.payload()), (&b"orders:new"[..], &b"1"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//! 1. A publisher never waits for a subscriber: a queue that is full, by messages or by bytes, drops what does not fit
//!    and counts it.
//! 2. A subscriber learns how many messages it lost at the place where they would have been.
//! 3. A message is in a queue once for each subscription that matches, the channel's first.
//! 4. Sharded channels are a namespace of their own, which patterns do not match.
//! 5. Subscribers are disconnected when the store has gone or is closed, and still get what is in their queue.
//!
//! The queue is our own, because it has to keep the marks of loss in order and to wake threads and tasks alike, and a
//! ready-made channel does one of these at most.
//!
//! # Cost
//! Publishing costs one lookup, one match per pattern, and for each match one reference to the message, which is
//! shared.
//!
//! # Source
//! Redis manual, "Redis Pub/Sub"; command reference, `PUBLISH`, `SUBSCRIBE`, `PSUBSCRIBE`. Differences:
//! `docs/compatibility/redis.md`.

mod bounds;
mod hub;
mod message;
mod queue;
mod stream;
mod subscriber;
mod subscriptions;

use std::borrow::Cow;
use std::sync::Arc;
use std::task::Waker;

pub use bounds::QueueBounds;
pub(crate) use hub::Hub;
pub use message::{Lost, Message, RecvError, RecvTimeoutError};
pub use stream::Messages;
#[cfg(feature = "server")]
pub(crate) use subscriber::Gauge;
pub use subscriber::{Iter, Recv, Subscriber};
pub use subscriptions::Subscriptions;

use crate::encoding::owner::Slot;
use crate::engine::CommitNumber;
use crate::error::Result;
use crate::limits;
use crate::txn::{Note, Operation, States, WriteScope, Writer};
use message::{Namespace, Published};

/// Publishes in a scope.
#[derive(Debug)]
pub(crate) struct Channels<S>(S);

impl<S: WriteScope> Channels<S> {
    pub(crate) fn new(scope: S) -> Self {
        Self(scope)
    }

    /// Publishes `payload` when the transaction is durable, and returns how many subscriptions match now.
    pub(crate) fn publish(&self, channel: &[u8], payload: &[u8]) -> Result<usize> {
        self.publish_in(Namespace::Plain, channel, payload)
    }

    /// As [`Channels::publish`], to a sharded channel.
    pub(crate) fn publish_sharded(&self, channel: &[u8], payload: &[u8]) -> Result<usize> {
        self.publish_in(Namespace::Sharded, channel, payload)
    }

    fn publish_in(&self, namespace: Namespace, channel: &[u8], payload: &[u8]) -> Result<usize> {
        self.write("publish", channel, |writer| {
            limits::check("channel name bytes", limits::CHANNEL_BYTES_MAX, channel.len())?;
            limits::check("message payload bytes", limits::PAYLOAD_BYTES_MAX, payload.len())?;
            let bytes = channel.len() + payload.len() + limits::MESSAGE_OVERHEAD_BYTES;
            let before = writer.last_note::<Delivery>(Slot::Channels).map_or(0, |delivery| delivery.bytes_so_far);
            let bytes_so_far = before.saturating_add(bytes);
            limits::check("message bytes of a transaction", limits::TRANSACTION_MESSAGE_BYTES_MAX, bytes_so_far)?;
            let delivery = Delivery { namespace, channel: channel.into(), payload: payload.into(), bytes_so_far };
            writer.note(Slot::Channels, delivery);
            Ok(writer.state::<Arc<Hub>>().count_matches(namespace, channel))
        })
    }

    /// Runs an operation on `channel`. Nothing of a message is kept, so that it needs no room.
    fn write<R>(&self, verb: &'static str, channel: &[u8], body: impl FnMut(&mut Writer) -> Result<R>) -> Result<R> {
        // Nearly all names are text, which is checked faster than it is mended.
        let target = std::str::from_utf8(channel).map_or_else(|_| String::from_utf8_lossy(channel), Cow::Borrowed);
        self.0.write(Operation::new("channel", verb, &target).freeing(true), body)
    }
}

/// A message on its way to whoever subscribes when it is released.
#[derive(Debug)]
struct Delivery {
    namespace: Namespace,
    channel: Box<[u8]>,
    payload: Box<[u8]>,
    /// Of the transaction's messages up to this one.
    bytes_so_far: usize,
}

impl Note for Delivery {
    fn release(self: Box<Self>, states: &States, commit: CommitNumber, woken: &mut Vec<Waker>) {
        let Self { namespace, channel, payload, .. } = *self;
        states.get::<Arc<Hub>>().deliver(&Arc::new(Published { namespace, channel, payload, commit }), woken);
    }
}
