//! Channels: messages to whoever subscribes at the moment, released by the commit of the transaction that published them.
//!
//! Nothing is stored. A publication is an effect of its transaction: it reaches the queues of the subscribers after the
//! commit is durable, in commit order and, within a transaction, in the order of publication; one that rolls back
//! publishes nothing (SEM: KV-PUB-1).
//!
//! # Invariants
//! 1. A publisher never waits for a subscriber: a queue that is full, by messages or by bytes, drops what does not fit and
//!    counts it (SEM: KV-PUB-4).
//! 2. A subscriber learns how many messages it lost at the place where they would have been.
//! 3. A message is in a queue once for each subscription that matches, the channel's first (SEM: KV-PUB-2).
//! 4. Subscribers are disconnected when the store has gone or is closed, and still get what is in their queue.
//!
//! The queue is our own, because it has to keep the marks of loss in order and to wake threads and tasks alike, and a
//! ready-made channel does one of these at most.
//!
//! # Cost
//! Publishing costs one lookup, one match per pattern, and for each match one reference to the message, which is shared.
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

use std::sync::Arc;
use std::task::Waker;

pub use bounds::QueueBounds;
pub(crate) use hub::Hub;
pub use message::{Lost, Message, RecvError, RecvTimeoutError};
pub use stream::Messages;
#[cfg(feature = "redis")]
pub(crate) use subscriber::Gauge;
pub use subscriber::{Iter, Recv, Subscriber};

use crate::engine::CommitNumber;
use crate::error::Result;
use crate::limits;
use crate::txn::{Effect, Operation, WriteScope};
use message::Published;

/// Publishes in a scope.
#[derive(Debug)]
pub(crate) struct Channels<'a, S> {
    scope: S,
    hub: &'a Arc<Hub>,
}

impl<'a, S: WriteScope> Channels<'a, S> {
    pub(crate) fn new(scope: S, hub: &'a Arc<Hub>) -> Self {
        Self { scope, hub }
    }

    /// Publishes `payload` when the transaction is durable, and answers how many subscriptions match now.
    pub(crate) fn publish(&self, channel: &[u8], payload: &[u8]) -> Result<usize> {
        self.publish_in(channel, payload, false)
    }

    /// As [`Channels::publish`], perhaps to a sharded channel.
    pub(crate) fn publish_in(&self, channel: &[u8], payload: &[u8], is_sharded: bool) -> Result<usize> {
        let target = String::from_utf8_lossy(channel);
        // Nothing of a message is kept.
        self.scope.write(Operation::new("channel", "publish", &target).freeing(true), |writer| {
            limits::check("channel name bytes", limits::CHANNEL_BYTES_MAX, channel.len())?;
            limits::check("message payload bytes", limits::PAYLOAD_BYTES_MAX, payload.len())?;
            let hub = Arc::clone(self.hub);
            let bytes = channel.len() + payload.len() + limits::MESSAGE_OVERHEAD_BYTES;
            let delivery = Delivery { hub, channel: channel.into(), payload: payload.into(), is_sharded };
            writer.publish_on_commit(delivery, bytes)?;
            Ok(self.hub.count_matches(channel, is_sharded))
        })
    }
}

/// A message on its way to whoever subscribes when it is released.
#[derive(Debug)]
struct Delivery {
    hub: Arc<Hub>,
    channel: Box<[u8]>,
    payload: Box<[u8]>,
    is_sharded: bool,
}

impl Effect for Delivery {
    fn release(self: Box<Self>, commit: CommitNumber, woken: &mut Vec<Waker>) {
        let Self { hub, channel, payload, is_sharded } = *self;
        hub.deliver(&Arc::new(Published { channel, payload, commit, is_sharded }), woken);
    }
}
