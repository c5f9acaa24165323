//! Channels.

use std::collections::BTreeSet;

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, is};
use crate::server::redis::session::Subscriptions;

const FLAGS: Flags = Flags::PUBSUB.and(Flags::FAST);
const SUBSCRIBE: Flags = Flags::PUBSUB.and(Flags::NO_MULTI);
const GROUP: &str = "pubsub";

pub(super) const COMMANDS: &[Command] = &[
    command("psubscribe", -2, SUBSCRIBE, Keys::NONE, GROUP, |call| subscribe(call, Topic::Pattern)),
    command("publish", 3, FLAGS, Keys::NONE, GROUP, publish),
    command("pubsub", -2, FLAGS, Keys::NONE, GROUP, pubsub),
    command("punsubscribe", -1, SUBSCRIBE, Keys::NONE, GROUP, |call| unsubscribe(call, Topic::Pattern)),
    command("subscribe", -2, SUBSCRIBE, Keys::NONE, GROUP, |call| subscribe(call, Topic::Channel)),
    command("unsubscribe", -1, SUBSCRIBE, Keys::NONE, GROUP, |call| unsubscribe(call, Topic::Channel)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Channel,
    Pattern,
}

fn publish(call: &mut Call<'_>) -> Outcome {
    let receivers = call.transaction.publish(call.word(1), call.word(2))?;
    call.reply.count(receivers as u64);
    Ok(())
}

fn subscribe(call: &mut Call<'_>, topic: Topic) -> Outcome {
    if call.session.subscriptions.is_none() {
        let subscriber = call.door.store.subscriber()?;
        let (channels, patterns) = (BTreeSet::new(), BTreeSet::new());
        call.session.subscriptions = Some(Subscriptions { subscriber, channels, patterns });
    }
    for name in call.rest(1) {
        let Some(subscribed) = &mut call.session.subscriptions else { return Ok(()) };
        let reply = match topic {
            Topic::Channel => {
                subscribed.subscriber.subscribe(name)?;
                subscribed.channels.insert(name.to_vec());
                "subscribe"
            }
            Topic::Pattern => {
                subscribed.subscriber.subscribe_pattern(name)?;
                subscribed.patterns.insert(name.to_vec());
                "psubscribe"
            }
        };
        let count = subscribed.len();
        call.reply.push(3);
        call.reply.bulk(reply);
        call.reply.bulk(name);
        call.reply.count(count as u64);
    }
    Ok(())
}

fn unsubscribe(call: &mut Call<'_>, topic: Topic) -> Outcome {
    let reply = if topic == Topic::Channel { "unsubscribe" } else { "punsubscribe" };
    let subscribed = call.session.subscriptions.as_ref();
    let all = subscribed.map(|subscribed| match topic {
        Topic::Channel => subscribed.channels.iter().cloned().collect(),
        Topic::Pattern => subscribed.patterns.iter().cloned().collect(),
    });
    let names: Vec<Vec<u8>> = match call.rest(1) {
        [] => all.unwrap_or_default(),
        names => names.iter().map(|name| name.to_vec()).collect(),
    };
    if names.is_empty() {
        let count = call.session.subscriptions.as_ref().map_or(0, Subscriptions::len);
        call.reply.push(3);
        call.reply.bulk(reply);
        call.reply.nil();
        call.reply.count(count as u64);
    }
    for name in names {
        let mut count = 0;
        if let Some(subscribed) = &mut call.session.subscriptions {
            match topic {
                Topic::Channel => {
                    subscribed.subscriber.unsubscribe(&name);
                    subscribed.channels.remove(&name);
                }
                Topic::Pattern => {
                    subscribed.subscriber.unsubscribe_pattern(&name);
                    subscribed.patterns.remove(&name);
                }
            }
            count = subscribed.len();
        }
        call.reply.push(3);
        call.reply.bulk(reply);
        call.reply.bulk(name);
        call.reply.count(count as u64);
    }
    Ok(())
}

fn pubsub(call: &mut Call<'_>) -> Outcome {
    let subcommand = call.word(1);
    if is(subcommand, "channels") && call.words.len() <= 3 {
        let pattern = call.rest(2).first().copied();
        let channels = call.door.store.channels(pattern);
        call.reply.bulks(channels);
    } else if is(subcommand, "numsub") {
        let names = call.rest(2);
        call.reply.array(names.len() * 2);
        for name in names {
            call.reply.bulk(name);
            let count = call.door.store.subscribers_of(name);
            call.reply.count(count as u64);
        }
    } else if is(subcommand, "numpat") && call.words.len() == 2 {
        let count = call.door.store.patterns();
        call.reply.count(count as u64);
    } else {
        return Err(Refusal::Text(format!(
            "ERR unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP.",
            String::from_utf8_lossy(subcommand)
        )));
    }
    Ok(())
}
