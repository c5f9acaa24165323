//! Streams of a table's changes.
//!
//! # Invariants
//! 1. Each write that changes an item while its table has a stream has one record, in the transaction of the write.
//! 2. Numbers of records of a shard ascend in the order of commits, and never repeat: who has read up to one misses none
//!    that is committed later. A transaction that is begun and committed later conflicts with changes of the same shard.
//! 3. A record is there for 24 hours by the clock and at most one hour longer; no reader sees it longer than 24.
//!
//! # Source
//! `DynamoDB Streams` API Reference; `DynamoDB` Developer Guide, *Change data capture for DynamoDB Streams*.

mod iterator;
mod layout;
mod read;
mod shard;

pub(super) use read::{describe, get_records, get_shard_iterator, label, list};

use crate::catalog::{Entry, job};
use crate::clock::Timestamp;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::expiry;
use crate::item::definition::TableRecord;
use crate::item::record::RecordRef;
use crate::item::request::StreamViewType;
use crate::item::written::{Origin, Written};
use crate::txn::Writer;

/// Appends the record of a change to the stream of `table`, if it has one.
pub(super) fn append(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    key: &[u8],
    written: &Written,
    origin: Origin,
) -> Result<()> {
    let Some(stream) = &table.record.stream else { return Ok(()) };
    let Some(some) = written.new.as_deref().or(written.old.as_deref()) else { return Ok(()) };
    let keys = RecordRef::new(some)?.retain(|name| table.record.keys.has(name))?;
    let (shows_old, shows_new) = match StreamViewType::of_number(stream.view) {
        StreamViewType::KeysOnly => (false, false),
        StreamViewType::NewImage => (false, true),
        StreamViewType::OldImage => (true, false),
        StreamViewType::NewAndOldImages => (true, true),
    };
    let stored = layout::Stored {
        was: written.old.is_some(),
        is: written.new.is_some(),
        has_expired: origin == Origin::Expiry,
        keys: &keys,
        old: written.old.as_deref().filter(|_| shows_old),
        new: written.new.as_deref().filter(|_| shows_new),
    };
    let number = writer.unique_micros()?;
    let part = shard::part_of(super::layout::hash_of_item(key), stream.shards);
    let hour = layout::hour_prefix(table.storage, stream.id, part, layout::hour_of(number));
    if is_first(writer, &hour)? {
        let end = layout::start_of(layout::hour_of(number).saturating_add(1));
        expiry::schedule(writer, Timestamp::from_micros(end.saturating_add(shard::KEPT_MICROS)), &hour)?;
    }
    // A number is given when the change is made. One that is committed after a larger one would never be read.
    if writer.is_tracked() {
        writer.note_range(&layout::range(table.storage, stream.id, part, number, i64::MAX));
    }
    writer.put(layout::key(table.storage, stream.id, part, number), stored.encode())
}

/// Whether nothing is stored below `hour`. Two transactions that each find nothing make the same deadline: that is not what
/// they depend on.
fn is_first(writer: &Writer, hour: &[u8]) -> Result<bool> {
    let range = KeyRange::prefix(hour);
    let first = if writer.is_tracked() {
        writer.unnoted().first(&range, Direction::Forward)?
    } else {
        writer.first(&range, Direction::Forward)?
    };
    Ok(first.is_none())
}

/// Removes the records of an hour of a shard, whose deadline has come.
pub(super) fn trim(writer: &mut Writer, hour: &[u8]) -> Result<()> {
    job::remove(writer, hour)
}
