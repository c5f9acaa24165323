//! One row by its whole primary key: a lookup, without a plan.

use crate::error::Result;
use crate::txn::View;
use crate::wide_column::cell::is_covered;
use crate::wide_column::layout::{self, KeyValues};
use crate::wide_column::read::base::Base;
use crate::wide_column::read::found::{Found, FoundRow, RowKey, Seen, look};
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::read::ranges::covering;
use crate::wide_column::read::state::Current;
use crate::wide_column::record::RowView;
use crate::wide_column::schema::Definition;

/// Lends the row with this serialized partition key, and a serialized value of each clustering column, to `each`; returns what that
/// does, or `None` when no row is seen there. What has expired is as of `now`, in seconds, or of the view.
///
/// # Errors
/// As [`Reader::new`](super::Reader::new), and those of `each`.
pub(crate) fn get<R>(
    view: &View,
    table: &Definition,
    partition: &[u8],
    values: &[Bytes],
    now: Option<i64>,
    each: impl FnOnce(&FoundRow<'_>) -> Result<R>,
) -> Result<Option<R>> {
    let record = &table.record;
    let clustering = layout::clustering(record, values)?;
    let prefix = layout::partition(table.storage, partition);
    let key = layout::row(&prefix, &clustering.key);
    let Some(bytes) = view.get(&key)? else { return Ok(None) };
    let now = now.unwrap_or_else(|| view.now().as_seconds());
    let mut current = Current::default();
    if record.has_deleted_partitions() || record.shape().has_static {
        current.load(view, record, (&prefix, Some(partition)), None, now)?;
    }
    let range = if record.has_deleted_ranges() { covering(view, &prefix, &clustering.key)? } else { None };
    let mut over = current.deletion.max(range);
    let row = RowView::new(&bytes)?;
    if let Some(base) = Base::of(view, record)? {
        let mut own = KeyValues::default();
        own.read_clustering(record, &clustering.key, &row)?;
        over = over.max(base.over(view, record, partition, &own)?);
    }
    let mut cells = Vec::with_capacity(8);
    look(&row, record, over, now, &mut cells)?;
    let is_marked = row.marker().is_some_and(|marker| marker.is_live(now) && !is_covered(marker.timestamp, over));
    if !is_marked && (cells.is_empty() || record.is_strict()) {
        return Ok(None);
    }
    let key = RowKey { encoded: &clustering.key, decoded: None };
    let (seen, statics) = (Seen { row, cells: &cells }, current.statics()?);
    let content = Found::Stored { partition, clustering: Some(key), row: &seen, statics: statics.as_ref(), now };
    each(&FoundRow { table: record, content }).map(Some)
}
