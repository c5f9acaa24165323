//! What all kinds of keys have in common: being there, being replaced, and being gone at a deadline.
//!
//! Every function takes the engine key of a head, as [`Keyspace::head`](crate::kv::key::Keyspace::head) makes it.

use crate::error::Result;
use crate::expiry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::key::Elements;
use crate::kv::record::Head;
use crate::txn::{Counted, View, Writer};

/// Reads a key with `read`, which is given head and payload, unless the key is missing or expired.
pub(super) fn look<R>(view: &View, key: &[u8], read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    peek(view, key, |head, payload| {
        view.touch(key);
        read(head, payload)
    })
}

/// As [`look`], and does not count as a use of the key.
pub(super) fn peek<R>(view: &View, key: &[u8], read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    let found = view.get(key)?;
    let live = match &found {
        Some(record) => Some(Head::decode(record)?).filter(|(head, _)| head.is_live(|| view.now())),
        None => None,
    };
    let Some((head, payload)) = live else {
        view.usage().count(Counted::Misses);
        return Ok(None);
    };
    view.usage().count(Counted::Hits);
    read(head, payload).map(Some)
}

/// As [`look`], and removes what an expired key has left behind, so that the key can be written to.
pub(super) fn claim<R>(
    writer: &mut Writer,
    key: &[u8],
    read: impl FnOnce(Head, &[u8]) -> Result<R>,
) -> Result<Option<R>> {
    let expired = {
        let Some(record) = writer.get(key)? else { return Ok(None) };
        let (head, payload) = Head::decode(&record)?;
        if head.is_live(|| writer.now()) {
            writer.touch(key);
            return read(head, payload).map(Some);
        }
        head
    };
    remove(writer, key, expired)?;
    writer.note_removed(Counted::Expired);
    tell(writer, KeyEvents::EXPIRED, "expired", key);
    Ok(None)
}

/// Puts a record where there was none, or where [`clear`] has removed all but the record.
pub(super) fn create(writer: &mut Writer, key: &[u8], head: Head, payload: &[u8]) -> Result<()> {
    writer.touch(key);
    if let Some(deadline) = head.deadline {
        expiry::schedule(writer, deadline, key)?;
    }
    replace(writer, key, head, payload)
}

/// Puts a record in the place of one with the same head.
pub(super) fn replace(writer: &mut Writer, key: &[u8], head: Head, payload: &[u8]) -> Result<()> {
    writer.put(key, head.encode(payload))
}

/// Removes everything that belongs to a key with this head, but its record.
pub(super) fn clear(writer: &mut Writer, key: &[u8], head: Head) -> Result<()> {
    if let Some(deadline) = head.deadline {
        expiry::cancel(writer, deadline, key);
    }
    if head.kind.has_elements() {
        writer.remove_range(&Elements::of(key)?.all())?;
    }
    Ok(())
}

/// Removes a key with this head, and all that belongs to it.
pub(super) fn remove(writer: &mut Writer, key: &[u8], head: Head) -> Result<()> {
    clear(writer, key, head)?;
    writer.remove(key);
    Ok(())
}

/// Removes the head of a key whose elements are all removed.
pub(super) fn remove_head(writer: &mut Writer, key: &[u8], head: Head) {
    if let Some(deadline) = head.deadline {
        expiry::cancel(writer, deadline, key);
    }
    writer.remove(key);
}
