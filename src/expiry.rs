//! Deadlines: one exact index of what expires when, for all models.
//!
//! # Storage
//! | bytes | field    | encoding                                                            |
//! |-------|----------|---------------------------------------------------------------------|
//! | 1     | owner    | `0x03`                                                              |
//! | 8     | deadline | microseconds since the epoch, as an ordered i64                     |
//! | 0..   | target   | the model's own key, whose first byte names the model               |
//!
//! # Invariants
//! 1. A deadline is set and cancelled in the transaction that changes what it belongs to.
//! 2. Reads never depend on the sweeper having run: each model hides what is past its deadline by its own rule.

use std::ops::Bound;

use crate::clock::Timestamp;
use crate::encoding::ordered::{Reader, put_i64};
use crate::encoding::owner::DEADLINES as OWNER;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::txn::{View, Writer};

/// What a deadline takes beside its target: owner and moment.
pub(crate) const ENTRY_BYTES: u64 = 9;

/// Records that `target` expires at `deadline`.
///
/// # Errors
/// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when `target` is too long for a key.
pub(crate) fn schedule(writer: &mut Writer, deadline: Timestamp, target: &[u8]) -> Result<()> {
    writer.put(key(deadline, target), &[][..])?;
    writer.wake_at(deadline);
    Ok(())
}

/// Takes back what [`schedule`] recorded.
pub(crate) fn cancel(writer: &mut Writer, deadline: Timestamp, target: &[u8]) {
    writer.remove(key(deadline, target));
}

/// The earliest deadline there is.
pub(crate) fn earliest(view: &View) -> Result<Option<Timestamp>> {
    let first = view.first(&KeyRange::prefix(&[OWNER]), Direction::Forward)?;
    first.map(|(key, _)| decode(&key).map(|(deadline, _)| deadline)).transpose()
}

/// Up to `max` deadlines that are kept behind `start` and are not after `now`, earliest first, each with where it is kept and
/// its target.
pub(crate) fn due(
    view: &View,
    now: Timestamp,
    start: Bound<Key>,
    max: usize,
) -> Result<Vec<(Key, Timestamp, Vec<u8>)>> {
    let after = now.as_micros().checked_add(1).map(Timestamp::from_micros);
    let end = after.map_or(Bound::Unbounded, |after| Bound::Excluded(Key::from(key(after, &[]))));
    let range = KeyRange::prefix(&[OWNER]).clamp(start, end);
    let mut cursor = view.range(&range, Direction::Forward)?;
    let mut due = Vec::new();
    while due.len() < max {
        let Some((key, _)) = cursor.next()? else { break };
        let (deadline, target) = decode(key)?;
        due.push((Key::from(key), deadline, target));
    }
    Ok(due)
}

/// Up to `max` deadlines of all models, earliest first, with their targets.
pub(crate) fn first(view: &View, max: usize) -> Result<Vec<(Timestamp, Vec<u8>)>> {
    let mut cursor = view.range(&all(), Direction::Forward)?;
    let mut first = Vec::new();
    while first.len() < max {
        let Some((key, _)) = cursor.next()? else { break };
        first.push(decode(key)?);
    }
    Ok(first)
}

/// The deadlines of all models.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&[OWNER])
}

/// The target of a deadline that is kept at `key`.
pub(crate) fn target(key: &[u8]) -> Result<Vec<u8>> {
    decode(key).map(|(_, target)| target)
}

/// The target with the earliest deadline of those that begin with `owner`.
pub(crate) fn first_of(view: &View, owner: u8) -> Result<Option<Vec<u8>>> {
    let mut cursor = view.range(&all(), Direction::Forward)?;
    while let Some((key, _)) = cursor.next()? {
        let (_, target) = decode(key)?;
        if target.first() == Some(&owner) {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

fn key(deadline: Timestamp, target: &[u8]) -> Vec<u8> {
    let mut key = vec![OWNER];
    put_i64(&mut key, deadline.as_micros());
    key.extend_from_slice(target);
    key
}

fn decode(key: &[u8]) -> Result<(Timestamp, Vec<u8>)> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    let deadline = Timestamp::from_micros(reader.i64()?);
    Ok((deadline, reader.rest().to_vec()))
}
