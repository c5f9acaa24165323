//! Events of keys: what happens to a key is published on channels named after it, once it is durable.

use crate::error::{Error, InvalidKind, Result};
use crate::kv::layout::{Keyspace, address_of};
use crate::kv::state::{self, KeyEvent, Keys, Publish};
use crate::txn::{Core, Writer};

/// Which events of keys are published, and on which channels. Nothing unless chosen, for every event costs a message.
///
/// An event is a message on one or two channels: `__keyspace@<keyspace>__:<key>`, whose message is the event's name, with
/// [`KeyEvents::ON_KEY_CHANNELS`]; and `__keyevent@<keyspace>__:<event>`, whose message is the key, with
/// [`KeyEvents::ON_EVENT_CHANNELS`]. A set without either publishes nothing.
///
/// # Examples
/// ```
/// use larder::kv::KeyEvents;
/// let events = KeyEvents::parse("Ex")?;
/// assert_eq!(events, KeyEvents::ON_EVENT_CHANNELS.and(KeyEvents::EXPIRED));
/// assert_eq!(events.to_string(), "xE");
/// assert_eq!(KeyEvents::parse("KEA")?.to_string(), "AKE");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Source
/// Redis manual, keyspace notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyEvents(u32);

impl KeyEvents {
    /// None.
    pub const NONE: Self = Self(0);
    /// Of keys whatever they hold: deleted, renamed, given a deadline. Flag `g`.
    pub const GENERIC: Self = Self(1);
    /// Of strings. Flag `$`.
    pub const STRINGS: Self = Self(1 << 1);
    /// Of lists. Flag `l`.
    pub const LISTS: Self = Self(1 << 2);
    /// Of sets. Flag `s`.
    pub const SETS: Self = Self(1 << 3);
    /// Of hashes. Flag `h`.
    pub const HASHES: Self = Self(1 << 4);
    /// Of sorted sets. Flag `z`.
    pub const SORTED_SETS: Self = Self(1 << 5);
    /// A key was removed because its deadline has passed. Flag `x`.
    pub const EXPIRED: Self = Self(1 << 6);
    /// A key was removed to stay within the budget of memory. Flag `e`.
    pub const EVICTED: Self = Self(1 << 7);
    /// Of streams. Flag `t`.
    pub const STREAMS: Self = Self(1 << 8);
    /// All of the above. Flag `A`.
    pub const ALL: Self = Self((1 << 9) - 1);
    /// On channels named after keys. Flag `K`.
    pub const ON_KEY_CHANNELS: Self = Self(1 << 16);
    /// On channels named after events. Flag `E`.
    pub const ON_EVENT_CHANNELS: Self = Self(1 << 17);

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

    /// Reads flags, as in the parameter `notify-keyspace-events` of Redis.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a flag that is unknown, and for `m`, `n` and `d`: reads that find nothing, new keys and modules
    /// are not told of.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::KeyEvents;
    /// assert_eq!(KeyEvents::parse("")?, KeyEvents::NONE);
    /// assert!(KeyEvents::parse("Km").unwrap_err().to_string().contains("not told of"));
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn parse(flags: &str) -> Result<Self> {
        flags.chars().try_fold(Self::NONE, |events, flag| match flag {
            'A' => Ok(events.and(Self::ALL)),
            'm' | 'n' | 'd' => {
                let what = format!("events of the class {flag:?} are not told of");
                Err(Error::invalid(InvalidKind::Value, what))
            }
            flag => match Self::FLAGS.iter().find(|(known, _)| *known == flag) {
                Some((_, class)) => Ok(events.and(*class)),
                None => Err(Error::invalid(InvalidKind::Value, format!("{flag:?} is no class of events"))),
            },
        })
    }

    /// These and `other`.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::KeyEvents;
    /// assert!(KeyEvents::LISTS.and(KeyEvents::SETS).has(KeyEvents::SETS));
    /// ```
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in these.
    ///
    /// # Examples
    /// ```
    /// use larder::kv::KeyEvents;
    /// assert!(KeyEvents::ALL.has(KeyEvents::EVICTED) && !KeyEvents::ALL.has(KeyEvents::ON_KEY_CHANNELS));
    /// ```
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits, of which an event has one.
    const fn bits(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for KeyEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.has(Self::ALL);
        if all {
            f.write_str("A")?;
        }
        for (flag, class) in Self::FLAGS {
            if self.has(class) && !(all && Self::ALL.has(class)) {
                write!(f, "{flag}")?;
            }
        }
        Ok(())
    }
}

/// Tells that `name` happened to the key whose head is kept at `head`.
pub(super) fn tell(writer: &mut Writer, class: KeyEvents, name: &'static str, head: &[u8]) {
    if !state::is_heard(writer, class.bits()) {
        return;
    }
    match address_of(writer, head) {
        Ok(Some(address)) => state::tell(writer, class.bits(), name, &address),
        // What was emptied is removed without a word.
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "an event of a key could not be told"),
    }
}

/// Has `publish` be told of these events from now on, and of no others.
pub(crate) fn publish_events(core: &Core, events: KeyEvents, publish: Publish) {
    let has_channel = events.has(KeyEvents::ON_KEY_CHANNELS) || events.has(KeyEvents::ON_EVENT_CHANNELS);
    core.state::<Keys>().observed.set_published(if has_channel { events.bits() } else { 0 }, publish);
}

/// The channels and messages of an event.
pub(crate) fn messages(event: &KeyEvent, wanted: u32) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let wanted = KeyEvents(wanted);
    let (keyspace, key) = Keyspace::name_and_key(&event.head)?;
    let channel = |kind: &str, rest: &[u8]| [b"__", kind.as_bytes(), b"@", &keyspace, b"__:", rest].concat();
    let mut messages = Vec::new();
    if wanted.has(KeyEvents::ON_KEY_CHANNELS) {
        messages.push((channel("keyspace", &key), event.name.as_bytes().to_vec()));
    }
    if wanted.has(KeyEvents::ON_EVENT_CHANNELS) {
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
            assert_eq!(KeyEvents::parse(flags).unwrap().to_string(), written, "{flags}");
        }
        for flags in ["q", "Km", "n", "d", "K E"] {
            assert!(KeyEvents::parse(flags).is_err(), "{flags}");
        }
    }

    #[test]
    fn events_come_in_order_on_the_channels_that_were_chosen_and_only_after_the_commit() {
        let clock = ManualClock::default();
        let store = Store::builder().clock(clock.clone()).in_memory();
        store.publish_key_events(KeyEvents::parse("KEA").unwrap());
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
        store.publish_key_events(KeyEvents::parse("Kx").unwrap());
        kv.set("k", "v").unwrap();
        assert!(names().is_empty(), "not chosen");
    }
}
