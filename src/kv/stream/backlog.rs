//! What is pending in a group: both of its elements, in step.

use std::ops::Bound;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::Direction;
use crate::error::{Error, Result};
use crate::kv::stream::StreamId;
use crate::kv::stream::layout::{self, Bounds, GroupElements};
use crate::kv::stream::record::Pending;
use crate::txn::{View, Writer};

/// Every id.
pub(super) const ALL: Bounds = (Bound::Unbounded, Bound::Unbounded);

/// Whether the last delivery is at least `min_idle` ago; with 0 it always is, even if the clock was set back.
pub(super) fn has_idled(pending: &Pending, now: Timestamp, min_idle: Duration) -> bool {
    now.saturating_since(pending.delivered) >= min_idle
}

pub(super) fn get(view: &View, elements: &GroupElements, id: StreamId) -> Result<Option<Pending>> {
    view.get(&elements.pending(id))?.map(|value| Pending::decode(&value)).transpose()
}

/// The pending entry that a consumer owns.
pub(super) fn expect(view: &View, elements: &GroupElements, id: StreamId) -> Result<Pending> {
    get(view, elements, id)?.ok_or_else(|| Error::corrupt("stream group", format!("{id} is owned and not pending")))
}

/// Makes `id` pending as `after` says, in the place of `before`.
pub(super) fn put(
    writer: &mut Writer,
    elements: &GroupElements,
    id: StreamId,
    before: Option<&Pending>,
    after: &Pending,
) -> Result<()> {
    writer.put(elements.pending(id), after.encode())?;
    if before.is_some_and(|before| before.consumer == after.consumer) {
        return Ok(());
    }
    if let Some(before) = before {
        writer.remove(elements.owned(&before.consumer, id)?);
    }
    writer.put(elements.owned(&after.consumer, id)?, &[][..])
}

/// Ends that `id` is pending as `found` says.
pub(super) fn forget(writer: &mut Writer, elements: &GroupElements, id: StreamId, found: &Pending) -> Result<()> {
    writer.remove(elements.pending(id));
    writer.remove(elements.owned(&found.consumer, id)?);
    Ok(())
}

/// Drops whatever is pending for a consumer, and returns how much that was.
pub(super) fn forget_consumer(writer: &mut Writer, elements: &GroupElements, name: &[u8]) -> Result<u64> {
    let owned = elements.owned_between(name, ALL)?;
    let mut cursor = writer.range(&owned, Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        writer.remove(elements.pending(layout::id_of(key)?));
    }
    writer.remove_range(&owned)
}
