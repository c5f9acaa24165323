//! What is removed later: rows that nothing shows any more, tombstones that have been kept long enough, tables that were dropped.
//!
//! # Invariants
//! 1. What is seen of a row is the row without what its partition's header and the ranges cover. A step of the job changes nothing that
//!    is seen, so that it may run at any time, twice, or never, and whoever writes meanwhile does as if it were not there.
//! 2. A header or range outlives the job of its partition: without it the rows would come back.

use crate::catalog::job::{self, Allowance};
use crate::clock::Timestamp;
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::expiry;
use crate::limits;
use crate::txn::{View, Writer};
use crate::wide_column::cell::Deletion;
use crate::wide_column::definitions;
use crate::wide_column::index;
use crate::wide_column::layout::{self, Place};
use crate::wide_column::read::{DeletedRange, covering};
use crate::wide_column::record::{Builder, RowView, merge};
use crate::wide_column::schema::{Definition, TableOptions, TableRecord};
use crate::wide_column::write::listed;
use crate::wide_column::write::store;

/// Removes what a table stored, with its deadlines.
pub(in crate::wide_column) fn remove_table(writer: &mut Writer, table: &Definition) -> Result<()> {
    for index in &table.record.indexes {
        remove_index(writer, index.storage)?;
    }
    listed::remove(writer, table)?;
    let target = layout::table_prefix(table.storage);
    job::finish(writer, &target);
    let Some(keys) = job::few(writer, &KeyRange::prefix(&target))? else {
        return job::remove_later(writer, &target);
    };
    for key in keys {
        remove_entry(writer, &key, table.record.grace())?;
    }
    Ok(())
}

/// Removes the entries of an index.
pub(in crate::wide_column) fn remove_index(writer: &mut Writer, storage: u32) -> Result<()> {
    job::remove(writer, &index::all(storage))
}

/// Removes rows, and their deadlines, of the table whose keys begin with `target`, as [`job::step`] does.
pub(crate) fn reclaim(
    writer: &mut Writer,
    target: &[u8],
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    // The definition is gone. Where it had another grace, a deadline is left that finds nothing when it comes.
    let grace = TableOptions::default().gc_grace_seconds.into();
    let mut cursor = writer.range(&job::rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else { return Ok(true) };
        allowance.spend(key, value);
        place.clear();
        place.extend_from_slice(key);
        if let Some(deadline) = deadline(key, value, grace)? {
            allowance.spend(key, &[]);
            expiry::cancel(writer, deadline, key);
        }
        writer.remove(key);
    }
    Ok(false)
}

fn remove_entry(writer: &mut Writer, key: &[u8], grace: i64) -> Result<()> {
    let deadline = writer.get(key)?.map(|value| deadline(key, &value, grace)).transpose()?.flatten();
    if let Some(deadline) = deadline {
        expiry::cancel(writer, deadline, key);
    }
    writer.remove(key);
    Ok(())
}

/// When the sweeper has something to do with an entry.
pub(in crate::wide_column) fn deadline(key: &[u8], value: &[u8], grace: i64) -> Result<Option<Timestamp>> {
    if let (_, Place::Range(start)) = layout::split(key)? {
        let range = DeletedRange::decode(start, value)?;
        return Ok(Some(Timestamp::from_seconds(range.deletion.deadline(grace))));
    }
    let row = RowView::new(value)?;
    store::without_table(grace, |rules| Ok(merge(&row, &RowView::default(), rules)?.scheduled))
}

/// Sweeps the entry at `target`, whose deadline has come and has been removed from the index.
pub(crate) fn expire(writer: &mut Writer, target: &[u8]) -> Result<()> {
    let Some(bytes) = writer.get(target)?.map(std::borrow::Cow::into_owned) else { return Ok(()) };
    let Some(table) = definitions::of_storage(writer, layout::storage_of(target)?)? else {
        // Dropped: what is left goes with the job that removes it.
        return Ok(());
    };
    let (now, grace) = (writer.now().as_seconds(), table.record.grace());
    let (partition, place) = layout::split(target)?;
    if let Place::Range(start) = place {
        let mut range = DeletedRange::decode(start, &bytes)?;
        return match kept_until(writer, &mut range.deletion, partition, (now, grace))? {
            None => {
                writer.remove(target);
                listed::removed(writer, &table, target)
            }
            Some(deadline) => {
                writer.put(target, range.encode())?;
                expiry::schedule(writer, deadline, target)
            }
        };
    }
    let row = RowView::new(&bytes)?;
    if let (Place::Header, Some(mut deletion)) = (place, row.deletion) {
        let deadline = kept_until(writer, &mut deletion, partition, (now, grace))?;
        let mut header = Builder::new(grace);
        header.set_deletion(deadline.map(|_| deletion));
        store::put_entry(writer, target, None, &header.build())?;
        return if deadline.is_none() { listed::removed(writer, &table, target) } else { Ok(()) };
    }
    let swept = store::with_rules(&table.record, None, Some(now), |rules| merge(&row, &RowView::default(), rules))?;
    store::save(writer, &table.record, target, Some((&row, None)), &swept)
}

/// Until when a deletion is kept at least; `None` when it has been kept long enough. One that alone hides rows counts as made now.
fn kept_until(
    view: &View,
    deletion: &mut Deletion,
    partition: &[u8],
    (now, grace): (i64, i64),
) -> Result<Option<Timestamp>> {
    if deletion.deadline(grace) <= now {
        if !has_job(view, partition)? {
            return Ok(None);
        }
        deletion.deleted = now.max(now.saturating_add(1).saturating_sub(grace));
    }
    Ok(Some(Timestamp::from_seconds(deletion.deadline(grace))))
}

/// Whether the partition, or its table, is still to be tidied.
fn has_job(view: &View, partition: &[u8]) -> Result<bool> {
    Ok(job::get(view, partition)?.is_some()
        || job::get(view, &layout::table_prefix(layout::storage_of(partition)?))?.is_some())
}

/// Removes from rows below `target`, a table or a partition, what cannot be seen of them any more; enters rows of a table into
/// indexes and views that are being built.
pub(crate) fn tidy(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let storage = layout::storage_of(target)?;
    let Some(table) = definitions::of_storage(writer, storage)? else { return Ok(true) };
    let is_table = target == layout::table_prefix(storage);
    let mut last: Option<(Vec<u8>, Option<Deletion>)> = None;
    let mut cursor = writer.range(&job::rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else {
            if is_table && table.record.is_building() {
                definitions::change(writer, storage, TableRecord::set_built)?;
            }
            return Ok(true);
        };
        allowance.spend(key, value);
        place.clear();
        place.extend_from_slice(key);
        let (partition, at) = layout::split(key)?;
        if !matches!(at, Place::Row(_) | Place::Static) {
            continue;
        }
        let deletion = match &last {
            Some((prefix, deletion)) if prefix == partition => *deletion,
            _ => last.insert((partition.to_vec(), store::deletion_of(writer, &table.record, partition)?)).1,
        };
        let over = match at {
            Place::Row(clustering) if table.record.has_deleted_ranges() => {
                deletion.max(covering(writer, partition, clustering)?)
            }
            _ => deletion,
        };
        tidy_row(writer, &table.record, key, value, over)?;
        if is_table && table.record.is_building() {
            enter(writer, &table.record, key)?;
        }
    }
    Ok(false)
}

/// Enters a row into every index and view of its table.
fn enter(writer: &mut Writer, table: &TableRecord, key: &[u8]) -> Result<()> {
    let Some(bytes) = writer.get(key)?.map(std::borrow::Cow::into_owned) else { return Ok(()) };
    store::changed(writer, table, key, (&RowView::default(), &RowView::new(&bytes)?))
}

/// Removes from the rows of a whole table what cannot be seen of them any more: at once when they are few, else later.
pub(in crate::wide_column) fn tidy_table(writer: &mut Writer, table: &Definition) -> Result<()> {
    let target = layout::table_prefix(table.storage);
    if job::few(writer, &KeyRange::prefix(&target))?.is_none() {
        return job::tidy_later(writer, &target);
    }
    tidy(writer, &target, &mut Vec::new(), &mut Allowance::unbounded()).map(drop)
}

/// Removes from rows of a partition what cannot be seen of them any more: at once when they are few, else later.
pub(super) fn tidy_later_or_now(
    writer: &mut Writer,
    table: &Definition,
    partition: &[u8],
    rows: &KeyRange,
) -> Result<()> {
    let Some(keys) = job::few(writer, rows)? else {
        return job::tidy_later(writer, partition);
    };
    debug_assert!(keys.len() <= limits::REMOVED_AT_ONCE_MAX);
    for key in keys {
        let Some(value) = writer.get(&key)?.map(std::borrow::Cow::into_owned) else { continue };
        let (_, Place::Row(clustering)) = layout::split(&key)? else { continue };
        let over = store::over(writer, &table.record, partition, clustering)?;
        tidy_row(writer, &table.record, &key, &value, over)?;
    }
    Ok(())
}

/// Stores a row as it is seen below a deletion, if that is less than it is.
pub(super) fn tidy_row(
    writer: &mut Writer,
    table: &TableRecord,
    key: &[u8],
    value: &[u8],
    over: Option<Deletion>,
) -> Result<()> {
    let row = RowView::new(value)?;
    let tidy = store::with_rules(table, over, None, |rules| merge(&row, &RowView::default(), rules))?;
    if tidy.bytes == value && !tidy.is_empty {
        return Ok(());
    }
    store::save(writer, table, key, Some((&row, tidy.scheduled)), &tidy)
}
