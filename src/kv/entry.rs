//! What all kinds of keys have in common: being there, being replaced, and being gone at a deadline.
//!
//! Every function takes the name of a head, as [`Keyspace::head`](crate::kv::layout::Keyspace::head) makes it: the engine has it
//! under a shorter key when the user's is long, which is nobody's business but this module's ([`stored`]). Removing costs the
//! same, however much there is: many elements are left to a job.

use std::sync::Arc;

use crate::catalog::job::{self, Allowance};
use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::Result;
use crate::expiry;
use crate::kv::event::{KeyEvents, tell};
use crate::kv::layout::{Elements, long_key, stored};
use crate::kv::record::{Head, Kind, named};
use crate::kv::state::{Counted, Keys, note_removed};
use crate::txn::{View, Writer};

/// Reads a key with `read`, which is given head and payload, unless the key is missing or expired.
pub(super) fn look<R>(view: &View, key: &[u8], read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    find(view, key, true, read)
}

/// As [`look`], and does not count as a use of the key.
pub(super) fn peek<R>(view: &View, key: &[u8], read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    find(view, key, false, read)
}

fn find<R>(view: &View, key: &[u8], is_use: bool, read: impl FnOnce(Head, &[u8]) -> Result<R>) -> Result<Option<R>> {
    let at = stored(key);
    let found = view.get(&at)?;
    let live = match &found {
        Some(record) => Some(Head::decode(record)?).filter(|(head, _)| head.is_live(|| view.now())),
        None => None,
    };
    let usage = &view.state::<Keys>().usage;
    let Some((head, payload)) = live else {
        usage.count(Counted::Misses);
        view.meter().returned(0);
        return Ok(None);
    };
    usage.count(Counted::Hits);
    view.meter().returned(1);
    if is_use {
        usage.touch(view, &at);
    }
    read(head, payload).map(Some)
}

/// As [`look`], and removes what an expired key has left behind, so that the key can be written to.
pub(super) fn claim<R>(
    writer: &mut Writer,
    key: &[u8],
    read: impl FnOnce(Head, &[u8]) -> Result<R>,
) -> Result<Option<R>> {
    let expired = {
        let at = stored(key);
        let Some(record) = writer.get(&at)? else { return Ok(None) };
        let (head, payload) = Head::decode(&record)?;
        if head.is_live(|| writer.now()) {
            touch(writer, &at);
            return read(head, payload).map(Some);
        }
        head
    };
    remove(writer, key, expired)?;
    note_removed(writer, Counted::Expired);
    tell(writer, KeyEvents::EXPIRED, "expired", key);
    Ok(None)
}

/// Notes that the key whose head is kept at `at` is used.
fn touch(view: &View, at: &[u8]) {
    view.state::<Keys>().usage.touch(view, at);
}

/// Puts a record where there was none, or where [`clear`] has removed all but the record.
#[inline]
pub(super) fn create(writer: &mut Writer, key: &[u8], head: Head, payload: &[u8]) -> Result<()> {
    let at = stored(key);
    touch(writer, &at);
    if let Some(deadline) = head.deadline {
        expiry::schedule(writer, deadline, &at)?;
    }
    replace(writer, key, head, payload)
}

/// Puts a record in the place of one with the same head.
#[inline]
pub(super) fn replace(writer: &mut Writer, key: &[u8], head: Head, payload: &[u8]) -> Result<()> {
    if payload.len() < COPIED_ONCE_BYTES {
        return writer.put(stored(key), head.encode(long_key(key), payload));
    }
    writer.put_shared(stored(key), &joined(&head.encode(long_key(key), &[]), payload))
}

/// Bytes of a payload from which on it is copied to where it stays at once.
const COPIED_ONCE_BYTES: usize = 64 << 10;

/// Both in one value, without another copy of either.
fn joined(first: &[u8], second: &[u8]) -> Arc<[u8]> {
    // Its length is known to the iterator, so that the value is made in its place.
    let mut value: Arc<[u8]> = std::iter::repeat_n(0, first.len() + second.len()).collect();
    if let Some((start, rest)) = Arc::get_mut(&mut value).and_then(|bytes| bytes.split_at_mut_checked(first.len())) {
        start.copy_from_slice(first);
        rest.copy_from_slice(second);
    }
    value
}

/// Removes everything that belongs to a key with this head, but its record.
pub(super) fn clear(writer: &mut Writer, key: &[u8], head: Head) -> Result<()> {
    cancel(writer, key, head);
    match head.elements() {
        Some(elements) => job::remove(writer, elements.prefix()),
        None => Ok(()),
    }
}

/// The elements of the collection with this head, or of one that is to be made where there is none.
pub(super) fn elements(writer: &mut Writer, head: Option<Head>) -> Result<Elements> {
    match head {
        Some(head) => head.require_elements(),
        None => Ok(Elements::of(writer.next_storage_id()?)),
    }
}

/// Puts the head of a collection, whose elements follow, where there is nothing.
pub(super) fn create_collection(
    writer: &mut Writer,
    key: &[u8],
    kind: Kind,
    deadline: Option<Timestamp>,
) -> Result<Elements> {
    let elements = elements(writer, None)?;
    create(writer, key, Head::collection(kind, deadline, &elements), &[])?;
    Ok(elements)
}

/// Removes heads at `target`, the place of a keyspace that was emptied, with all that belongs to them, as [`job::step`] does.
pub(crate) fn reclaim(
    writer: &mut Writer,
    target: &[u8],
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    let mut cursor = writer.range(&job::rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, record)) = cursor.next()? else { return Ok(true) };
        let (head, _) = Head::decode(record)?;
        if let Some(elements) = head.elements() {
            // One with many elements becomes a job of its own.
            match job::few(writer, &elements.all())? {
                None => job::remove_later(writer, elements.prefix())?,
                Some(few) => {
                    for element in few {
                        allowance.spend(&element, &[]);
                        writer.remove(element);
                    }
                }
            }
        }
        if head.deadline.is_some() {
            allowance.spend(key, &[]);
        }
        allowance.spend(key, record);
        place.clear();
        place.extend_from_slice(key);
        remove_head(writer, &named(key, record)?, head);
    }
    Ok(false)
}

/// Removes a key with this head, and all that belongs to it.
pub(super) fn remove(writer: &mut Writer, key: &[u8], head: Head) -> Result<()> {
    clear(writer, key, head)?;
    writer.remove(stored(key));
    Ok(())
}

/// Takes the deadline of a key with this head back.
pub(super) fn cancel(writer: &mut Writer, key: &[u8], head: Head) {
    if let Some(deadline) = head.deadline {
        expiry::cancel(writer, deadline, &stored(key));
    }
}

/// Removes the head of a key whose elements are all removed, or belong to another head from now on.
pub(super) fn remove_head(writer: &mut Writer, key: &[u8], head: Head) {
    cancel(writer, key, head);
    writer.remove(stored(key));
}
