//! Messages as a [`Stream`], for tasks.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::channel::message::{Lost, Message, RecvError};
use crate::channel::subscriber::Subscriber;

/// Messages as they come, waiting for each without keeping a thread, until the store has gone. Works with every executor.
///
/// A [`Subscriber`] is an [`Iterator`] as well, which *does* keep the thread. Where the traits of both are in scope, a call such as
/// `inbox.next()` is ambiguous and does not compile; [`Subscriber::into_stream`] gives what is only a stream.
///
/// # Examples
/// ```
/// use futures_lite::{StreamExt, future::block_on};
/// let store = larder::Store::in_memory();
/// let mut inbox = store.subscribe("orders")?;
/// store.publish("orders", "1")?;
/// let first = block_on(StreamExt::next(&mut inbox)).unwrap()?;
/// assert_eq!(first.payload(), b"1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Stream for Subscriber {
    type Item = Result<Message, Lost>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (queue, place) = self.queue_and_place();
        match queue.poll_take(place, context.waker()) {
            Ok(Some(message)) => Poll::Ready(Some(Ok(message))),
            Ok(None) => Poll::Pending,
            Err(RecvError::Lost(lost)) => Poll::Ready(Some(Err(lost))),
            Err(RecvError::Disconnected) => Poll::Ready(None),
        }
    }
}

impl Subscriber {
    /// The messages as a [`Stream`] that is nothing else, so that `next` and `map` are those of tasks.
    ///
    /// # Examples
    /// ```
    /// use futures_lite::{StreamExt, future::block_on};
    /// let store = larder::Store::in_memory();
    /// let mut inbox = store.subscribe("orders")?.into_stream();
    /// store.publish("orders", "1")?;
    /// assert_eq!(block_on(inbox.next()).unwrap()?.payload(), b"1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_stream(self) -> Messages {
        Messages { subscriber: self }
    }
}

/// Messages of a [`Subscriber`] as they come, for tasks only. Made by [`Subscriber::into_stream`].
///
/// # Examples
/// ```
/// use futures_lite::{StreamExt, future::block_on};
/// let store = larder::Store::in_memory();
/// let inbox = store.subscribe("orders")?.into_stream();
/// store.publish("orders", "1")?;
/// store.publish("orders", "2")?;
/// drop(store);
/// let payloads = inbox.map(|message| message.unwrap().payload().to_vec());
/// assert_eq!(block_on(payloads.collect::<Vec<_>>()), [b"1", b"2"]);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless they are polled"]
pub struct Messages {
    subscriber: Subscriber,
}

impl Messages {
    /// The subscriber, to subscribe to more, or to receive in another way.
    ///
    /// # Examples
    /// ```
    /// let inbox = larder::Store::in_memory().subscribe("orders")?.into_stream();
    /// inbox.subscriber().subscribe("returns").unwrap_err(); // the store has gone
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Stream for Messages {
    type Item = Result<Message, Lost>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.subscriber).poll_next(context)
    }
}
