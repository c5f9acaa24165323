//! Who subscribes to what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::task::Waker;

use parking_lot::RwLock;

use crate::channel::bounds::QueueBounds;
use crate::channel::message::{Message, Namespace, Published};
use crate::channel::queue::Queue;
use crate::encoding::owner::Slot;
use crate::engine::CommitNumber;
use crate::error::{Error, Result};
use crate::glob;
use crate::txn::State;

/// The subscriptions of one store, which keeps it as a state; subscribers only know of it.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    registry: RwLock<Registry>,
}

/// Identifies a subscriber of one hub; later ones have higher numbers.
pub(super) type SubscriberId = u64;

/// What a subscription names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Channel(Arc<[u8]>),
    Pattern(Arc<[u8]>),
    /// A sharded channel.
    Shard(Arc<[u8]>),
}

/// Ordered by subscriber, so that the same calls always deliver in the same order.
type Queues = BTreeMap<SubscriberId, Arc<Queue>>;

#[derive(Debug, Default)]
struct Registry {
    /// Every subscriber, with its subscriptions or without.
    subscribers: BTreeMap<SubscriberId, (Arc<Queue>, BTreeSet<Topic>)>,
    channels: HashMap<Arc<[u8]>, Queues>,
    patterns: BTreeMap<Arc<[u8]>, Queues>,
    shards: HashMap<Arc<[u8]>, Queues>,
    next_id: SubscriberId,
    disconnected: bool,
}

impl State for Arc<Hub> {
    const SLOT: Slot = Slot::Channels;

    fn close(&self) {
        self.disconnect();
    }
}

impl Hub {
    /// Takes a new subscriber, of nothing yet, and gives out its number and its queue, which is within `bounds`.
    pub(super) fn register(&self, bounds: QueueBounds) -> Result<(SubscriberId, Arc<Queue>)> {
        let mut registry = self.registry.write();
        if registry.disconnected {
            return Err(Error::Closed);
        }
        let id = registry.next_id;
        registry.next_id += 1;
        let queue = Arc::new(Queue::new(bounds));
        registry.subscribers.insert(id, (Arc::clone(&queue), BTreeSet::new()));
        Ok((id, queue))
    }

    /// How many subscriptions a message to `channel` would reach.
    pub(super) fn count_matches(&self, namespace: Namespace, channel: &[u8]) -> usize {
        self.registry.read().count_matches(namespace, channel)
    }

    /// The channels of `namespace` that somebody subscribes to by name and that `pattern` matches, in bytewise order.
    pub(super) fn channels(&self, namespace: Namespace, pattern: &[u8]) -> Vec<Vec<u8>> {
        let registry = self.registry.read();
        let wanted = registry.channels_of(namespace).keys().filter(|name| glob::matches(pattern, name));
        let mut names: Vec<_> = wanted.map(|name| name.to_vec()).collect();
        names.sort_unstable();
        names
    }

    /// How many subscribe to `channel` by its name.
    pub(super) fn subscribers_of(&self, namespace: Namespace, channel: &[u8]) -> usize {
        self.registry.read().channels_of(namespace).get(channel).map_or(0, BTreeMap::len)
    }

    /// The patterns that somebody subscribes to, in bytewise order, each with how many do.
    pub(super) fn patterns(&self) -> Vec<(Vec<u8>, usize)> {
        self.registry.read().patterns.iter().map(|(pattern, queues)| (pattern.to_vec(), queues.len())).collect()
    }

    /// What the subscriber subscribes to, in bytewise order of each kind.
    pub(super) fn topics(&self, id: SubscriberId) -> Vec<Topic> {
        self.registry.read().subscribers.get(&id).map_or_else(Vec::new, |(_, topics)| topics.iter().cloned().collect())
    }

    /// Puts a message into the queues of everyone who subscribes to its channel, and gives out the tasks to wake.
    pub(super) fn deliver(&self, published: &Arc<Published>, woken: &mut Vec<Waker>) {
        self.registry.read().for_each_match(published.namespace, &published.channel, |queue, pattern| {
            queue.push(Message::new(published, pattern), woken);
        });
    }

    /// Delivers messages, each with its channel before it.
    pub(crate) fn publish(&self, messages: Vec<(Vec<u8>, Vec<u8>)>, commit: CommitNumber, woken: &mut Vec<Waker>) {
        for (channel, payload) in messages {
            let (channel, payload) = (channel.into(), payload.into());
            let published = Published { namespace: Namespace::Plain, channel, payload, commit };
            self.deliver(&Arc::new(published), woken);
        }
    }

    /// Tells every subscriber that there will be no more messages, and takes no new ones.
    pub(crate) fn disconnect(&self) {
        let mut woken = Vec::new();
        {
            let mut registry = self.registry.write();
            registry.disconnected = true;
            for (queue, _) in registry.subscribers.values() {
                queue.disconnect(&mut woken);
            }
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// Adds a subscription, and returns how many the subscriber has then.
    pub(super) fn add(&self, id: SubscriberId, topic: Topic) -> Result<usize> {
        let mut registry = self.registry.write();
        if registry.disconnected {
            return Err(Error::Closed);
        }
        registry.add(id, topic).ok_or(Error::Closed)
    }

    /// Takes a subscription back, and returns whether it was there.
    pub(super) fn remove(&self, id: SubscriberId, topic: &Topic) -> bool {
        self.registry.write().remove(id, topic)
    }

    /// How many subscriptions the subscriber has.
    pub(super) fn subscriptions(&self, id: SubscriberId) -> usize {
        self.registry.read().subscribers.get(&id).map_or(0, |(_, topics)| topics.len())
    }

    /// Forgets a subscriber.
    pub(super) fn forget(&self, id: SubscriberId) {
        let mut registry = self.registry.write();
        let topics = registry.subscribers.get_mut(&id).map(|(_, topics)| std::mem::take(topics));
        for topic in topics.unwrap_or_default() {
            registry.unlist(id, &topic);
        }
        registry.subscribers.remove(&id);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Registry {
    /// Who subscribes by name to which channel.
    fn channels_of(&self, namespace: Namespace) -> &HashMap<Arc<[u8]>, Queues> {
        match namespace {
            Namespace::Plain => &self.channels,
            Namespace::Sharded => &self.shards,
        }
    }

    /// Calls `each` with every queue that a message to `channel` goes to: by name, then by pattern.
    fn for_each_match(&self, namespace: Namespace, channel: &[u8], mut each: impl FnMut(&Queue, Option<&Arc<[u8]>>)) {
        if let Some(queues) = self.channels_of(namespace).get(channel) {
            for queue in queues.values() {
                each(queue, None);
            }
        }
        for (pattern, queues) in self.patterns_that_match(namespace, channel) {
            for queue in queues.values() {
                each(queue, Some(pattern));
            }
        }
    }

    fn count_matches(&self, namespace: Namespace, channel: &[u8]) -> usize {
        let of_patterns = self.patterns_that_match(namespace, channel).map(|(_, queues)| queues.len());
        self.channels_of(namespace).get(channel).map_or(0, BTreeMap::len) + of_patterns.sum::<usize>()
    }

    fn patterns_that_match<'a>(
        &'a self,
        namespace: Namespace,
        channel: &'a [u8],
    ) -> impl Iterator<Item = (&'a Arc<[u8]>, &'a Queues)> {
        let is_plain = namespace == Namespace::Plain;
        self.patterns.iter().filter(move |(pattern, _)| is_plain && glob::matches(pattern, channel))
    }

    fn add(&mut self, id: SubscriberId, topic: Topic) -> Option<usize> {
        let (queue, topics) = self.subscribers.get_mut(&id)?;
        if topics.insert(topic.clone()) {
            let queues = match topic {
                Topic::Channel(name) => self.channels.entry(name).or_default(),
                Topic::Pattern(pattern) => self.patterns.entry(pattern).or_default(),
                Topic::Shard(name) => self.shards.entry(name).or_default(),
            };
            queues.insert(id, Arc::clone(queue));
        }
        Some(topics.len())
    }

    fn remove(&mut self, id: SubscriberId, topic: &Topic) -> bool {
        let there = self.subscribers.get_mut(&id).is_some_and(|(_, topics)| topics.remove(topic));
        if there {
            self.unlist(id, topic);
        }
        there
    }

    /// Takes the subscriber off the list of `topic`, and the list away when nobody is left on it.
    fn unlist(&mut self, id: SubscriberId, topic: &Topic) {
        let queues = match topic {
            Topic::Channel(name) => self.channels.get_mut(name),
            Topic::Pattern(pattern) => self.patterns.get_mut(pattern),
            Topic::Shard(name) => self.shards.get_mut(name),
        };
        let Some(queues) = queues else { return };
        queues.remove(&id);
        if queues.is_empty() {
            match topic {
                Topic::Channel(name) => drop(self.channels.remove(name)),
                Topic::Pattern(pattern) => drop(self.patterns.remove(pattern)),
                Topic::Shard(name) => drop(self.shards.remove(name)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::subscriber::Subscriber;

    fn subscribed(hub: &Arc<Hub>, channel: &str) -> Result<Subscriber> {
        let subscriber = Subscriber::new(hub, QueueBounds::default())?;
        subscriber.subscribe(channel)?;
        Ok(subscriber)
    }

    #[test]
    fn a_subscriber_that_goes_leaves_nothing_behind() {
        let hub = Arc::new(Hub::default());
        let one = subscribed(&hub, "a").unwrap();
        one.subscribe_pattern(b"a*").unwrap();
        let two = subscribed(&hub, "a").unwrap();
        assert_eq!(hub.count_matches(Namespace::Plain, b"a"), 3);
        drop(one);
        assert_eq!(hub.count_matches(Namespace::Plain, b"a"), 1);
        drop(two);
        let registry = hub.registry.read();
        assert!(registry.subscribers.is_empty() && registry.channels.is_empty() && registry.patterns.is_empty());
    }

    #[test]
    fn a_disconnected_hub_takes_nobody() {
        let hub = Arc::new(Hub::default());
        let subscriber = subscribed(&hub, "a").unwrap();
        hub.disconnect();
        assert!(matches!(subscribed(&hub, "a"), Err(Error::Closed)));
        assert!(matches!(subscriber.subscribe(b"b"), Err(Error::Closed)));
    }
}
