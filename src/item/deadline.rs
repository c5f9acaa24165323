//! When items expire: the deadlines of a table with a TTL attribute.
//!
//! # Invariants
//! 1. While a table's TTL attribute is active, an item has a deadline if and only if the attribute is a whole number of
//!    seconds that is in the future or not more than five years past when the item is written, or when the job that
//!    switches it on comes to it.
//! 2. A deadline may be left of an attribute that was switched off: at its moment the item is looked at again.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Time to Live (TTL)*.

use crate::catalog::job::{self, Allowance};
use crate::catalog::{Entry, fill};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::expiry;
use crate::item::definition::TableRecord;
use crate::item::layout;
use crate::item::record::{Content, RecordRef};
use crate::item::written::Written;
use crate::txn::Writer;

/// Values that are further in the past are taken for mistakes.
const PAST_SECONDS_MAX: i64 = 5 * 365 * 24 * 3_600;

/// Moves the deadline of the item at `key` to where its new record has it.
pub(super) fn apply(writer: &mut Writer, table: &Entry<TableRecord>, key: &[u8], written: &Written) -> Result<()> {
    let Some(ttl) = &table.record.ttl else { return Ok(()) };
    let seconds = |record: &Option<Vec<u8>>| match record {
        Some(record) => seconds_of(record, &ttl.attribute),
        None => Ok(None),
    };
    let (old, new) = (seconds(&written.old)?, seconds(&written.new)?);
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        expiry::cancel(writer, Timestamp::from_seconds(old), key);
    }
    schedule(writer, new, key)
}

/// The second at which the item of `record` expires by `attribute`.
pub(super) fn seconds_of(record: &[u8], attribute: &str) -> Result<Option<i64>> {
    let Some(value) = RecordRef::new(record)?.get(attribute)? else { return Ok(None) };
    let Content::N(number) = value.content()? else { return Ok(None) };
    // Later moments than there are in microseconds never come.
    Ok(number.to_i64().filter(|seconds| seconds.checked_mul(1_000_000).is_some()))
}

/// Whether an item that expires at second `seconds` has expired at `now`, and not so long ago that nobody can mean it.
pub(super) fn has_expired(seconds: i64, now: Timestamp) -> bool {
    let now = now.as_micros().div_euclid(1_000_000);
    seconds <= now && !is_mistake(seconds, now)
}

fn is_mistake(seconds: i64, now: i64) -> bool {
    seconds < now.saturating_sub(PAST_SECONDS_MAX)
}

fn schedule(writer: &mut Writer, seconds: Option<i64>, key: &[u8]) -> Result<()> {
    let now = writer.now().as_micros().div_euclid(1_000_000);
    match seconds.filter(|seconds| !is_mistake(*seconds, now)) {
        Some(seconds) => expiry::schedule(writer, Timestamp::from_seconds(seconds), key),
        None => Ok(()),
    }
}

/// Gives deadlines to the items after `place`. Returns whether those are all.
pub(super) fn step(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    attribute: &str,
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    let items = layout::prefix(table.storage, None);
    fill::over(writer, &items, place, allowance, |writer, key, record, allowance| {
        let seconds = seconds_of(record, attribute)?;
        if seconds.is_some() {
            allowance.spend(key, &[]);
        }
        schedule(writer, seconds, key)
    })
}

/// Leaves the deadlines of the items after `place` to a job.
pub(super) fn later(writer: &mut Writer, table: &Entry<TableRecord>, place: Vec<u8>) -> Result<()> {
    job::fill_later(writer, &layout::deadlines_target(table.storage), place)
}
