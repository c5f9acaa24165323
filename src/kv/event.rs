//! Events of keys: what happens to a key is published on channels named after it, once it is durable.

use std::str::FromStr;

use bitflags::bitflags;

use crate::error::{Error, InvalidKind, Result};
use crate::kv::layout::{Keyspace, address_of};
use crate::kv::state::{self, KeyEvent, Keys, Publish};
use crate::txn::{Core, Writer};

bitflags! {
    /// Which events of keys are published, and on which channels. Nothing unless chosen, for every event costs a message.
    ///
    /// An event is a message on one or two channels: `__keyspace@<keyspace>__:<key>`, whose message is the event's name, with
    /// [`KeyEvents::ON_KEY_CHANNELS`]; and `__keyevent@<keyspace>__:<event>`, whose message is the key, with
    /// [`KeyEvents::ON_EVENT_CHANNELS`]. A set without either publishes nothing.
    ///
    /// As text they are the flags of the parameter `notify-keyspace-events` of Redis.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::KeyEvents;
    /// let events: KeyEvents = "Ex".parse()?;
    /// assert_eq!(events, KeyEvents::ON_EVENT_CHANNELS | KeyEvents::EXPIRED);
    /// assert_eq!(events.to_string(), "xE");
    /// assert_eq!("KEA".parse::<KeyEvents>()?.to_string(), "AKE");
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Source
    /// Redis manual, keyspace notifications.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct KeyEvents: u32 {
        /// Of keys whatever they hold: deleted, renamed, given a deadline. Flag `g`.
        const GENERIC = 1;
        /// Of strings. Flag `$`.
        const STRINGS = 1 << 1;
        /// Of lists. Flag `l`.
        const LISTS = 1 << 2;
        /// Of sets. Flag `s`.
        const SETS = 1 << 3;
        /// Of hashes. Flag `h`.
        const HASHES = 1 << 4;
        /// Of sorted sets. Flag `z`.
        const SORTED_SETS = 1 << 5;
        /// A key was removed because its deadline has passed. Flag `x`.
        const EXPIRED = 1 << 6;
        /// A key was removed to stay within the budget of memory. Flag `e`.
        const EVICTED = 1 << 7;
        /// Of streams. Flag `t`.
        const STREAMS = 1 << 8;
        /// All of the above. Flag `A`.
        const ALL = (1 << 9) - 1;
        /// On channels named after keys. Flag `K`.
        const ON_KEY_CHANNELS = 1 << 16;
        /// On channels named after events. Flag `E`.
        const ON_EVENT_CHANNELS = 1 << 17;
    }
}

impl KeyEvents {
    /// None.
    pub const NONE: Self = Self::empty();

    const FLAGS: [(char, Self); 11] = [
        ('g', Self::GENERIC),
        ('$', Self::STRINGS),
        ('l', Self::LISTS),
        ('s', Self::SETS),
        ('h', Self::HASHES),
        ('z', Self::SORTED_SETS),
        ('x', Self::EXPIRED),
        ('e', Self::EVICTED),
        ('t', Self::STREAMS),
        ('K', Self::ON_KEY_CHANNELS),
        ('E', Self::ON_EVENT_CHANNELS),
    ];
}

impl FromStr for KeyEvents {
    type Err = Error;

    /// Reads flags. An unknown one is [`Error::Invalid`], and so are `m`, `n` and `d`: reads that find nothing, new
    /// keys and modules are not published.
    fn from_str(flags: &str) -> Result<Self> {
        flags.chars().try_fold(Self::NONE, |events, flag| match flag {
            'A' => Ok(events | Self::ALL),
            'm' | 'n' | 'd' => {
                let what = format!("events of the class {flag:?} are not told of");
                Err(Error::invalid(InvalidKind::Value, what))
            }
            flag => match Self::FLAGS.iter().find(|(known, _)| *known == flag) {
                Some((_, class)) => Ok(events | *class),
                None => Err(Error::invalid(InvalidKind::Value, format!("{flag:?} is no class of events"))),
            },
        })
    }
}

impl std::fmt::Display for KeyEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.contains(Self::ALL);
        if all {
            f.write_str("A")?;
        }
        for (flag, class) in Self::FLAGS {
            if self.contains(class) && !(all && Self::ALL.contains(class)) {
                write!(f, "{flag}")?;
            }
        }
        Ok(())
    }
}

/// Publishes that `name` happened to the key whose head is kept at `head`.
#[inline]
pub(super) fn tell(writer: &mut Writer, class: KeyEvents, name: &'static str, head: &[u8]) {
    // Most often there is nobody.
    if state::is_heard(writer, class.bits()) {
        tell_heard(writer, class, name, head);
    }
}

fn tell_heard(writer: &mut Writer, class: KeyEvents, name: &'static str, head: &[u8]) {
    match address_of(writer, head) {
        Ok(Some(address)) => state::tell(writer, class.bits(), name, &address),
        // What was emptied is removed without a word.
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "an event of a key could not be told"),
    }
}

/// Calls `publish` for these events from now on, and for no others.
pub(crate) fn publish_events(core: &Core, events: KeyEvents, publish: Publish) {
    let has_channel = events.intersects(KeyEvents::ON_KEY_CHANNELS | KeyEvents::ON_EVENT_CHANNELS);
    core.state::<Keys>().observed.set_published(if has_channel { events.bits() } else { 0 }, publish);
}

/// The channels and messages of an event.
pub(crate) fn messages(event: &KeyEvent, wanted: KeyEvents) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (keyspace, key) = Keyspace::name_and_key(&event.head)?;
    let channel = |kind: &str, rest: &[u8]| [b"__", kind.as_bytes(), b"@", &keyspace, b"__:", rest].concat();
    let mut messages = Vec::new();
    if wanted.contains(KeyEvents::ON_KEY_CHANNELS) {
        messages.push((channel("keyspace", &key), event.name.as_bytes().to_vec()));
    }
    if wanted.contains(KeyEvents::ON_EVENT_CHANNELS) {
        messages.push((channel("keyevent", event.name.as_bytes()), key));
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::store::Store;

    #[test]
    fn flags_are_read_and_written_as_in_redis() {
        for (flags, written) in
            [("", ""), ("KEA", "AKE"), ("Kg$", "g$K"), ("Elshzxet", "lshzxetE"), ("Kg$lshzxet", "AK")]
        {
            assert_eq!(flags.parse::<KeyEvents>().unwrap().to_string(), written, "{flags}");
        }
        for flags in ["q", "Km", "n", "d", "K E"] {
            assert!(flags.parse::<KeyEvents>().is_err(), "{flags}");
        }
    }

    #[test]
    fn events_come_in_order_on_the_channels_that_were_chosen_and_only_after_the_commit() {
        let clock = ManualClock::default();
        let store = Store::builder().clock(clock.clone()).in_memory();
        store.publish_key_events("KEA".parse().unwrap());
        let heard = store.subscribe_pattern("__key*").unwrap();
        let names = || -> Vec<String> {
            std::iter::from_fn(|| heard.try_recv().unwrap())
                .filter(|message| message.channel().starts_with(b"__keyspace@0__:"))
                .map(|message| String::from_utf8(message.payload().to_vec()).unwrap())
                .collect()
        };
        let kv = store.kv_named("0");
        kv.set_with_ttl("k", "1", Duration::from_secs(1)).unwrap();
        kv.increment("k", 1).unwrap();
        kv.append("k", "0").unwrap();
        assert_eq!(names(), ["set", "expire", "incrby", "append"]);
        clock.advance(Duration::from_secs(2));
        store.sweep_expired().unwrap();
        assert_eq!(names(), ["expired"]);
        kv.hash("h").set("f", "v").unwrap();
        kv.hash("h").remove("f").unwrap();
        kv.unsorted_set("s").add("m").unwrap();
        kv.rename("s", "t").unwrap();
        kv.persist("t").unwrap();
        assert_eq!(names(), ["hset", "hdel", "del", "sadd", "rename_from", "rename_to"]);
        let undone = store.transaction(|tx| {
            tx.kv_named("0").set("k", "v")?;
            Err::<(), _>(Error::Closed)
        });
        assert!(undone.is_err());
        assert!(names().is_empty(), "nothing was committed");
        store.publish_key_events("Kx".parse().unwrap());
        kv.set("k", "v").unwrap();
        assert!(names().is_empty(), "not chosen");
    }
}
