//! Who subscribes to what, for those who look on.

use std::sync::{Arc, Weak};

use crate::channel::hub::Hub;
use crate::channel::message::Namespace;

/// What is subscribed to on a store, as it is when each method is called; nothing, when the store has gone. Given by
/// [`Store::subscriptions`](crate::Store::subscriptions).
///
/// Patterns that choose channels are globs: `?` is one byte, `*` any number, `[a-c]` one of these, `\\` takes the next byte as
/// it is.
///
/// # Cost
/// Lists are O(n) in what is subscribed to, counts are one lookup. Meanwhile nobody subscribes; publishers go on.
///
/// # Examples
/// ```
/// let store = larder::Store::in_memory();
/// let (eu, us) = (store.subscribe("orders:eu")?, store.subscribe("orders:us")?);
/// eu.subscribe("returns")?;
/// let subscriptions = store.subscriptions();
/// assert_eq!(subscriptions.channels("orders:*"), [b"orders:eu", b"orders:us"]);
/// assert_eq!((subscriptions.subscribers("returns"), subscriptions.subscribers("refunds")), (1, 0));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis command reference, `PUBSUB`.
#[derive(Clone, Debug)]
#[doc(alias = "PUBSUB")]
pub struct Subscriptions {
    hub: Weak<Hub>,
}

impl Subscriptions {
    pub(crate) fn new(hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::downgrade(hub) }
    }

    /// Lists the channels that somebody subscribes to by name and that `pattern` matches, in bytewise order; `*` for all.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(store.subscriptions().channels("*"), [b"orders"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB CHANNELS`.
    #[must_use]
    #[doc(alias = "PUBSUB CHANNELS")]
    pub fn channels(&self, pattern: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        self.hub.upgrade().map_or_else(Vec::new, |hub| hub.channels(Namespace::Plain, pattern.as_ref()))
    }

    /// As [`Subscriptions::channels`], of the sharded channels.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// inbox.subscribe_sharded("ticks")?;
    /// assert_eq!(store.subscriptions().sharded_channels("*"), [b"ticks"]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB SHARDCHANNELS`.
    #[must_use]
    #[doc(alias = "PUBSUB SHARDCHANNELS")]
    pub fn sharded_channels(&self, pattern: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        self.hub.upgrade().map_or_else(Vec::new, |hub| hub.channels(Namespace::Sharded, pattern.as_ref()))
    }

    /// Lists the patterns that somebody subscribes through, in bytewise order, each with how many do.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (one, two) = (store.subscribe_pattern("orders:*")?, store.subscribe_pattern("orders:*")?);
    /// assert_eq!(store.subscriptions().patterns(), [(b"orders:*".to_vec(), 2)]);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB NUMPAT`, which returns how many patterns there are.
    #[must_use]
    #[doc(alias = "PUBSUB NUMPAT")]
    pub fn patterns(&self) -> Vec<(Vec<u8>, usize)> {
        self.hub.upgrade().map_or_else(Vec::new, |hub| hub.patterns())
    }

    /// Returns how many subscribe to `channel` by its name; patterns do not count.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let (named, matching) = (store.subscribe("orders")?, store.subscribe_pattern("*")?);
    /// assert_eq!(store.subscriptions().subscribers("orders"), 1);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB NUMSUB`.
    #[must_use]
    #[doc(alias = "PUBSUB NUMSUB")]
    pub fn subscribers(&self, channel: impl AsRef<[u8]>) -> usize {
        self.hub.upgrade().map_or(0, |hub| hub.subscribers_of(Namespace::Plain, channel.as_ref()))
    }

    /// As [`Subscriptions::subscribers`], of a sharded channel.
    ///
    /// # Examples
    /// ```
    /// let store = larder::Store::in_memory();
    /// let inbox = store.subscribe("orders")?;
    /// assert_eq!(store.subscriptions().sharded_subscribers("orders"), 0);
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis command reference, `PUBSUB SHARDNUMSUB`.
    #[must_use]
    #[doc(alias = "PUBSUB SHARDNUMSUB")]
    pub fn sharded_subscribers(&self, channel: impl AsRef<[u8]>) -> usize {
        self.hub.upgrade().map_or(0, |hub| hub.subscribers_of(Namespace::Sharded, channel.as_ref()))
    }
}
