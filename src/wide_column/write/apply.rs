//! One write.

use crate::error::{Error, InvalidKind, Result};
use crate::txn::Writer;
use crate::wide_column::cell::Deletion;
use crate::wide_column::exception::Exception;
use crate::wide_column::layout::{self, Clustering};
use crate::wide_column::read::Bounds;
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::record::{Builder, RowView, merge};
use crate::wide_column::schema::{ColumnKind, Definition, check_ttl};
use crate::wide_column::write::delete;
use crate::wide_column::write::plan::{CellChange, Change, Plan};
use crate::wide_column::write::store;
use crate::wide_column::write::update::{RowWrite, Times};
use crate::{encoding::long, engine::Direction, engine::KeyRange, limits, txn::View};

/// Makes a write to `table`, which is the plan's as it is now.
pub(super) fn apply(writer: &mut Writer, table: &Definition, plan: &Plan, timestamp: i64) -> Result<()> {
    check_timestamp(timestamp)?;
    let now = plan.now.unwrap_or_else(|| writer.now().as_seconds());
    let partition = layout::partition(table.storage, &plan.partition);
    let deletion = Deletion { timestamp, deleted: now };
    let deletes = !matches!(plan.change, Change::Row { .. });
    if deletes && plan.ttl.is_some_and(|ttl| ttl > 0) {
        return Err(Error::invalid(InvalidKind::Value, "a deletion takes no time to live"));
    }
    match &plan.change {
        Change::Row { clustering, has_marker, cells } => {
            let ttl = plan.ttl.unwrap_or(table.record.schema.default_ttl_seconds());
            check_ttl(ttl)?;
            if table.record.shape().is_counter && (plan.ttl.is_some_and(|ttl| ttl > 0) || *has_marker) {
                let message = "Cannot provide a time to live for, or insert into, a table with counters";
                return Err(Exception::Invalid.error(message));
            }
            let write = Write { table, partition: &partition, plan, times: Times { timestamp, ttl, now } };
            if table.record.shape().has_static {
                write.statics(writer, cells)?;
            }
            match clustering {
                Some(values) => write.row(writer, values, *has_marker, cells),
                None => Ok(()),
            }
        }
        Change::DeleteRow(values) => {
            let clustering = whole(table, values)?;
            let mut row = Builder::new(table.record.grace());
            row.set_deletion(Some(deletion));
            let write = Write { table, partition: &partition, plan, times: Times { timestamp, ttl: 0, now } };
            write.of_row(&[], false, Some((&clustering, values))).keep(&mut row);
            let over = store::over(writer, &table.record, &partition, &clustering.key)?;
            let key = layout::row(&partition, &clustering.key);
            check_order(writer, &partition, &clustering, values)?;
            store::merge_into(writer, table, &key, &row.build(), over)
        }
        Change::DeleteRange(slice) => match Bounds::of(&table.record, slice)? {
            Some(bounds) => delete::range(writer, table, &partition, &bounds, deletion),
            None => Ok(()),
        },
        Change::DeletePartition => delete::partition(writer, table, &partition, deletion),
    }
}

/// Refuses the one timestamp that cells do not have.
pub(in crate::wide_column) fn check_timestamp(timestamp: i64) -> Result<()> {
    if timestamp == i64::MIN {
        let (min, max) = (i64::MIN + 1, i64::MAX);
        return Err(Exception::Invalid.error(format!("Out of bound timestamp, must be in [{min}, {max}]")));
    }
    Ok(())
}

/// The clustering columns of a whole row.
fn whole(table: &Definition, values: &[Bytes]) -> Result<Clustering> {
    let needed = table.record.shape().clustering.len();
    if values.len() != needed {
        let message = format!("a row has {needed} clustering columns, found {} values", values.len());
        return Err(Error::invalid(InvalidKind::Value, message));
    }
    layout::clustering(&table.record, values)
}

/// A write of cells to a partition.
struct Write<'p> {
    table: &'p Definition,
    partition: &'p [u8],
    plan: &'p Plan,
    times: Times,
}

impl Write<'_> {
    fn of_row<'w>(
        &'w self,
        cells: &'w [CellChange],
        has_marker: bool,
        clustering: Option<(&'w Clustering, &'w [Bytes])>,
    ) -> RowWrite<'w> {
        let kind = if clustering.is_some() { ColumnKind::Regular } else { ColumnKind::Static };
        let partition = layout::is_long(&self.plan.partition).then_some(&self.plan.partition[..]);
        RowWrite { table: &self.table.record, times: self.times, has_marker, cells, kind, partition, clustering }
    }

    /// Writes static cells.
    fn statics(&self, writer: &mut Writer, cells: &[CellChange]) -> Result<()> {
        let write = self.of_row(cells, false, None);
        let key = layout::statics(self.partition);
        let over = store::deletion_of(writer, &self.table.record, self.partition)?;
        self.store(writer, &write, &key, over)
    }

    /// Writes a row.
    fn row(&self, writer: &mut Writer, values: &[Bytes], has_marker: bool, cells: &[CellChange]) -> Result<()> {
        let clustering = whole(self.table, values)?;
        let write = self.of_row(cells, has_marker, Some((&clustering, values)));
        let key = layout::row(self.partition, &clustering.key);
        check_order(writer, self.partition, &clustering, values)?;
        let over = store::over(writer, &self.table.record, self.partition, &clustering.key)?;
        self.store(writer, &write, &key, over)
    }

    fn store(&self, writer: &mut Writer, write: &RowWrite<'_>, key: &[u8], over: Option<Deletion>) -> Result<()> {
        let update = if write.needs_current() {
            // What is there of a list, below what hides it.
            let stored = writer.get(key)?.map(std::borrow::Cow::into_owned);
            let row = stored.as_deref().map_or(Ok(RowView::default()), RowView::new)?;
            let seen =
                store::with_rules(&self.table.record, over, None, |rules| merge(&row, &RowView::default(), rules))?;
            let seen = if seen.is_empty { RowView::default() } else { RowView::new(&seen.bytes)? };
            write.build(writer, &seen)?
        } else {
            write.build(writer, &RowView::default())?
        };
        store::merge_into(writer, self.table, key, &update, over)
    }
}

/// Refuses a long value that agrees with another one of its column in all that keys have of them, for the two could not be kept in
/// order.
fn check_order(view: &View, partition: &[u8], clustering: &Clustering, values: &[Bytes]) -> Result<()> {
    let key = &clustering.key;
    for (nth, end) in &clustering.kept {
        let Some(end) = *end else { continue };
        let (first, own) = (key.get(..long::hash_start(end)).unwrap_or_default(), key.get(..end).unwrap_or_default());
        let (alike, own) = (KeyRange::prefix(&layout::row(partition, first)), layout::row(partition, own));
        for direction in [Direction::Forward, Direction::Backward] {
            if view.first(&alike, direction)?.is_some_and(|(found, _)| !found.starts_with(&own)) {
                let max = limits::WIDE_CLUSTERING_KEY_BYTES_MAX as u64;
                let limit = "first bytes of a clustering column in which two of its values agree";
                return Err(Error::LimitExceeded {
                    limit,
                    max,
                    found: values.get(*nth).map_or(0, |value| value.len() as u64),
                });
            }
        }
    }
    Ok(())
}
