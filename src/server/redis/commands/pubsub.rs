//! Channels, and the requests of others.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::channel::QueueBounds;
use crate::server::redis::run::command::{Call, Handler, Outcome, command, container, help, unknown_option};
use crate::server::redis::state::session::Topics;

pub(super) const COMMANDS: &[Handler] = &[
    command("monitor", monitor),
    command("psubscribe", |call| subscribe(call, Topic::Pattern)),
    command("publish", publish),
    container("pubsub", SUBCOMMANDS),
    command("punsubscribe", |call| unsubscribe(call, Topic::Pattern)),
    command("spublish", publish_sharded),
    command("ssubscribe", |call| subscribe(call, Topic::Shard)),
    command("subscribe", |call| subscribe(call, Topic::Channel)),
    command("sunsubscribe", |call| unsubscribe(call, Topic::Shard)),
    command("unsubscribe", |call| unsubscribe(call, Topic::Channel)),
];

const SUBCOMMANDS: &[Handler] = &[
    command("channels", |call| channels(call, false)),
    command("help", help),
    command("numpat", patterns),
    command("numsub", |call| subscribers(call, false)),
    command("shardchannels", |call| channels(call, true)),
    command("shardnumsub", |call| subscribers(call, true)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Channel,
    Pattern,
    Shard,
}

impl Topic {
    /// What a subscription is answered with.
    fn subscribed(self) -> &'static str {
        match self {
            Self::Channel => "subscribe",
            Self::Pattern => "psubscribe",
            Self::Shard => "ssubscribe",
        }
    }

    fn unsubscribed(self) -> &'static str {
        match self {
            Self::Channel => "unsubscribe",
            Self::Pattern => "punsubscribe",
            Self::Shard => "sunsubscribe",
        }
    }

    fn names(self, topics: &mut Topics) -> &mut BTreeSet<Vec<u8>> {
        match self {
            Self::Channel => &mut topics.channels,
            Self::Pattern => &mut topics.patterns,
            Self::Shard => &mut topics.shards,
        }
    }

    /// How many subscriptions a confirmation says that a client has: those of shards are counted for themselves.
    fn count(self, topics: &Topics) -> u64 {
        let count = match self {
            Self::Shard => topics.shards.len(),
            Self::Channel | Self::Pattern => topics.channels.len() + topics.patterns.len(),
        };
        count as u64
    }
}

/// Shows the client the requests of all; asked again it sends nothing, as in Redis.
fn monitor(call: &mut Call<'_>) -> Outcome {
    if call.session.outbox.is_none() {
        call.session.outbox = Some(call.door.monitors.insert(call.session.id));
        call.reply.ok();
    }
    Ok(())
}

fn publish(call: &mut Call<'_>) -> Outcome {
    let receivers = call.transaction.publish(call.word(1), call.word(2))?;
    call.reply.count(receivers as u64);
    Ok(())
}

fn publish_sharded(call: &mut Call<'_>) -> Outcome {
    let receivers = call.transaction.publish_sharded(call.word(1), call.word(2))?;
    call.reply.count(receivers as u64);
    Ok(())
}

fn subscribe(call: &mut Call<'_>, topic: Topic) -> Outcome {
    if call.session.subscriber.is_none() {
        // Its messages are bounded by their bytes, however many they are.
        let bytes = call.door.bounds.get().output(true).hard_bytes;
        let subscriber = call.door.store.subscriber(QueueBounds::default().messages(usize::MAX).bytes(bytes))?;
        if let Some(client) = call.door.clients.get(call.session.id) {
            client.inbox.replace(Some(subscriber.gauge()));
        }
        call.session.subscriber = Some(subscriber);
    }
    let topics = Rc::clone(&call.session.topics);
    let mut topics = topics.borrow_mut();
    for name in call.rest(1) {
        let Some(subscriber) = &call.session.subscriber else { return Ok(()) };
        match topic {
            Topic::Channel => subscriber.subscribe(name)?,
            Topic::Pattern => subscriber.subscribe_pattern(name)?,
            Topic::Shard => subscriber.subscribe_sharded(name)?,
        };
        topic.names(&mut topics).insert(name.to_vec());
        answer(call, topic.subscribed(), Some(name), topic.count(&topics));
    }
    Ok(())
}

fn unsubscribe(call: &mut Call<'_>, topic: Topic) -> Outcome {
    let topics = Rc::clone(&call.session.topics);
    let mut topics = topics.borrow_mut();
    let names: Vec<Vec<u8>> = match call.rest(1) {
        [] => topic.names(&mut topics).iter().cloned().collect(),
        names => names.iter().map(|name| name.to_vec()).collect(),
    };
    if names.is_empty() {
        answer(call, topic.unsubscribed(), None, topic.count(&topics));
    }
    for name in names {
        if let Some(subscriber) = &call.session.subscriber {
            match topic {
                Topic::Channel => subscriber.unsubscribe(&name),
                Topic::Pattern => subscriber.unsubscribe_pattern(&name),
                Topic::Shard => subscriber.unsubscribe_sharded(&name),
            };
        }
        topic.names(&mut topics).remove(&name);
        answer(call, topic.unsubscribed(), Some(&name), topic.count(&topics));
    }
    Ok(())
}

fn answer(call: &mut Call<'_>, kind: &str, name: Option<&[u8]>, count: u64) {
    let from = call.reply.len();
    call.reply.push(3);
    call.reply.bulk(kind);
    call.reply.bulk_or_nil(name);
    call.reply.count(count);
    call.reply.mark_push(from);
}

fn channels(call: &mut Call<'_>, is_sharded: bool) -> Outcome {
    if call.words.len() > 3 {
        return Err(unknown_option(call));
    }
    let pattern = call.rest(2).first().copied().unwrap_or(b"*");
    let subscriptions = call.door.store.subscriptions();
    let channels = if is_sharded { subscriptions.sharded_channels(pattern) } else { subscriptions.channels(pattern) };
    call.reply.bulks(channels);
    Ok(())
}

fn subscribers(call: &mut Call<'_>, is_sharded: bool) -> Outcome {
    let names = call.rest(2);
    let subscriptions = call.door.store.subscriptions();
    call.reply.array(names.len() * 2);
    for name in names {
        call.reply.bulk(name);
        let count = if is_sharded { subscriptions.sharded_subscribers(name) } else { subscriptions.subscribers(name) };
        call.reply.count(count as u64);
    }
    Ok(())
}

fn patterns(call: &mut Call<'_>) -> Outcome {
    let count = call.door.store.subscriptions().patterns().len();
    call.reply.count(count as u64);
    Ok(())
}
