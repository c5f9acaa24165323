//! How a row is stored: what every change of one comes to.

use crate::clock::Timestamp;
use crate::error::Result;
use crate::expiry;
use crate::txn::{View, Writer};
use crate::wide_column::cell::Deletion;
use crate::wide_column::index;
use crate::wide_column::layout;
use crate::wide_column::read::covering;
use crate::wide_column::record::{Built, Parts, RowView, Rules, merge, supersedes};
use crate::wide_column::schema::{Definition, TableRecord};
use crate::wide_column::view;

/// The rules by which rows of a table are merged below a deletion.
pub(super) fn with_rules<R>(
    table: &TableRecord,
    over: Option<Deletion>,
    swept_at: Option<i64>,
    body: impl FnOnce(&Rules<'_>) -> R,
) -> R {
    let has_dropped = table.has_dropped();
    let column = |id: u16| match table.parts_of(id) {
        // Nothing was dropped, so that no cell is of a column that there is not.
        None if !has_dropped => Some(Parts::Bytes),
        found => found,
    };
    body(&Rules { over, column: &column, has_dropped, grace: table.grace(), swept_at })
}

/// The rules of rows whose table is not known any more, for what does not depend on it.
pub(super) fn without_table<R>(grace: i64, body: impl FnOnce(&Rules<'_>) -> R) -> R {
    body(&Rules { over: None, column: &|_| Some(Parts::Bytes), has_dropped: false, grace, swept_at: None })
}

/// Stores an entry, or removes it when it is empty, and moves its deadline from where it was scheduled.
pub(super) fn put_entry(writer: &mut Writer, key: &[u8], scheduled: Option<Timestamp>, row: &Built) -> Result<()> {
    let deadline = row.deadline.filter(|_| !row.is_empty);
    if let Some(scheduled) = scheduled.filter(|_| deadline != scheduled) {
        expiry::cancel(writer, scheduled, key);
    }
    if let Some(deadline) = deadline.filter(|_| deadline != scheduled) {
        expiry::schedule(writer, deadline, key)?;
    }
    if row.is_empty {
        writer.remove(key);
        return Ok(());
    }
    writer.put(key, &row.bytes)
}

/// How a partition was deleted.
pub(super) fn deletion_of(view: &View, table: &TableRecord, partition: &[u8]) -> Result<Option<Deletion>> {
    if !table.has_deleted_partitions() {
        return Ok(None);
    }
    match view.get(&layout::header(partition))? {
        Some(header) => Ok(RowView::new(&header)?.deletion),
        None => Ok(None),
    }
}

/// What a row lies under.
pub(super) fn over(view: &View, table: &TableRecord, partition: &[u8], clustering: &[u8]) -> Result<Option<Deletion>> {
    let deletion = deletion_of(view, table, partition)?;
    if !table.has_deleted_ranges() {
        return Ok(deletion);
    }
    Ok(deletion.max(covering(view, partition, clustering)?))
}

/// Merges what a write says of a row into what is stored of it, and stores that.
pub(super) fn merge_into(
    writer: &mut Writer,
    table: &Definition,
    key: &[u8],
    update: &Built,
    over: Option<Deletion>,
) -> Result<()> {
    if update.is_empty {
        return Ok(());
    }
    let Some(stored) = writer.get(key)? else {
        if over.is_none() {
            return save(writer, &table.record, key, None, update);
        }
        let fresh = RowView::new(&update.bytes)?;
        let built = with_rules(&table.record, over, None, |rules| merge(&RowView::default(), &fresh, rules))?;
        return save(writer, &table.record, key, None, &built);
    };
    let merged = with_rules(&table.record, over, None, |rules| {
        if supersedes(&update.bytes, &stored, rules) {
            return Ok(None);
        }
        merge(&RowView::new(&stored)?, &RowView::new(&update.bytes)?, rules).map(Some)
    })?;
    let built = merged.as_ref().unwrap_or(update);
    if !table.record.is_followed() {
        // Nobody asks for what was there, so that it need not be copied.
        return put_entry(writer, key, built.scheduled, built);
    }
    let stored = stored.into_owned();
    save(writer, &table.record, key, Some((&RowView::new(&stored)?, built.scheduled)), built)
}

/// Stores a row in the place of `old`, or nothing when it is empty, and moves its deadline from where it was scheduled.
pub(super) fn save(
    writer: &mut Writer,
    table: &TableRecord,
    key: &[u8],
    old: Option<(&RowView<'_>, Option<Timestamp>)>,
    row: &Built,
) -> Result<()> {
    let scheduled = old.and_then(|(_, scheduled)| scheduled);
    if table.is_followed() {
        let none = RowView::default();
        let new = if row.is_empty { none } else { RowView::new(&row.bytes)? };
        changed(writer, table, key, (old.map_or(&none, |(old, _)| old), &new))?;
    }
    put_entry(writer, key, scheduled, row)
}

/// A row has changed from `old` to `new`: what every write of a row calls, whatever made it, and what sees both.
pub(super) fn changed(
    writer: &mut Writer,
    table: &TableRecord,
    key: &[u8],
    both: (&RowView<'_>, &RowView<'_>),
) -> Result<()> {
    index::changed(writer, table, key, both)?;
    view::changed(writer, table, key, both)
}
