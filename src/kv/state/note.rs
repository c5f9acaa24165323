//! What is noted of keys while a transaction runs: what happened to them, and how much was removed to make room.

use std::task::Waker;

use crate::encoding::owner::Slot;
use crate::engine::CommitNumber;
use crate::kv::state::Keys;
use crate::kv::state::usage::Counted;
use crate::txn::{Note, States, View, Writer};

/// Something that happened to a key.
#[derive(Debug)]
pub(crate) struct KeyEvent {
    /// One bit, of those of [`KeyEvents`](crate::kv::KeyEvents).
    pub(in crate::kv) class: u32,
    pub(in crate::kv) name: &'static str,
    /// The key's address: what the model calls it, wherever it is stored.
    pub(in crate::kv) head: Box<[u8]>,
}

/// A note, with what the whole transaction has come to.
#[derive(Debug)]
struct KeyNote {
    /// Bytes that were removed to make room.
    freed: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Event(KeyEvent),
    /// Something happened to every key whose address begins in this way.
    All(Box<[u8]>),
    /// A key was removed without having been asked for.
    Removed(Counted),
    Freed,
}

impl Note for KeyNote {
    fn release(self: Box<Self>, states: &States, commit: CommitNumber, woken: &mut Vec<Waker>) {
        let Keys { usage, observed, .. } = states.get();
        match &self.what {
            What::Event(event) => {
                if let Some(publish) = observed.publisher_of(event.class) {
                    publish(states, event, observed.published(), commit, woken);
                }
                if observed.is_waited_for() {
                    observed.waiters.ring(&event.head, woken);
                }
            }
            What::All(prefix) => {
                if observed.is_waited_for() {
                    observed.waiters.ring_all(prefix, woken);
                }
            }
            What::Removed(what) => usage.count(*what),
            What::Freed => {}
        }
    }
}

fn note(writer: &mut Writer, more_freed: u64, what: What) {
    let freed = freed(writer).saturating_add(more_freed);
    writer.note(Slot::Keys, KeyNote { freed, what });
}

/// Bytes that the transaction has removed to make room.
pub(in crate::kv) fn freed(writer: &Writer) -> u64 {
    writer.last_note::<KeyNote>(Slot::Keys).map_or(0, |note| note.freed)
}

/// Notes how many bytes were removed to make room.
pub(in crate::kv) fn note_freed(writer: &mut Writer, bytes: u64) {
    if bytes > 0 {
        note(writer, bytes, What::Freed);
    }
}

/// Counts a key that is removed without having been asked for, once the transaction is durable.
pub(in crate::kv) fn note_removed(writer: &mut Writer, what: Counted) {
    note(writer, 0, What::Removed(what));
}

/// Whether anybody wants to know of events of a class.
pub(in crate::kv) fn is_heard(view: &View, class: u32) -> bool {
    view.state::<Keys>().observed.wants(class)
}

/// Publishes, once the transaction is durable, that `name` happened to the key with the address `head`.
pub(in crate::kv) fn tell(writer: &mut Writer, class: u32, name: &'static str, head: &[u8]) {
    if is_heard(writer, class) {
        note(writer, 0, What::Event(KeyEvent { class, name, head: head.into() }));
    }
}

/// Wakes those who wait, once the transaction is durable, since something happened to every key whose address begins
/// with `prefix`.
pub(in crate::kv) fn tell_all(writer: &mut Writer, prefix: &[u8]) {
    if writer.state::<Keys>().observed.is_waited_for() {
        note(writer, 0, What::All(prefix.into()));
    }
}

/// The keys that something happened to behind the first `from` notes of a transaction; none while nobody waits for keys.
#[cfg(feature = "server")]
pub(crate) fn touched_since(writer: &Writer, from: usize) -> Vec<Box<[u8]>> {
    if !writer.state::<Keys>().observed.is_waited_for() {
        return Vec::new();
    }
    let head = |note: &KeyNote| match &note.what {
        What::Event(event) => Some(event.head.clone()),
        What::All(prefix) => Some(prefix.clone()),
        What::Removed(_) | What::Freed => None,
    };
    writer.notes_since::<KeyNote>(from).filter_map(head).collect()
}
