//! One row by its whole primary key: a lookup, without a plan.

use crate::error::Result;
use crate::txn::View;
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
    let mut key = layout::partition(table.storage, partition);
    let prefix = key.len();
    layout::append_row(&mut key, &clustering.key);
    let Some(bytes) = view.get(&key)? else { return Ok(None) };
    let prefix = key.get(..prefix).unwrap_or_default();
    let now = now.unwrap_or_else(|| view.now().as_seconds());
    let mut current = Current::default();
    if record.has_deleted_partitions() || record.shape().has_static {
        current.load(view, record, (prefix, Some(partition)), None, now)?;
    }
    let range = if record.has_deleted_ranges() { covering(view, prefix, &clustering.key)? } else { None };
    RowView::with(&bytes, |row| {
        let mut over = current.deletion.max(range);
        if let Some(base) = Base::of(view, record)? {
            let mut own = KeyValues::default();
            own.read_clustering(record, &clustering.key, row)?;
            over = over.max(base.over(view, record, partition, &own)?);
        }
        let mut cells = Vec::new();
        let looked = look(row, record, over, now, &mut cells)?;
        let seen = Seen::new(row, looked, &cells);
        if !row.is_marked(over, now) && (seen.is_empty() || record.is_strict()) {
            return Ok(None);
        }
        let key = RowKey { encoded: &clustering.key, decoded: None };
        current.with_statics(|statics| {
            let content = Found::Stored { partition, clustering: Some(key), row: &seen, statics, now };
            each(&FoundRow { table: record, content }).map(Some)
        })
    })
}
