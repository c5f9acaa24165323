//! Rows of materialized views, and the hook that keeps them.
//!
//! A row of a view follows from the row of its base and from nothing else: each is made from what is stored of the other, cells with
//! their times. No writes meet in a view, so there are no tombstones in it, and nothing to be swept: where cells of the base expire
//! or are removed, the hook is called.
//!
//! # Storage
//! A view is stored as a table. Its records have the cells of the base's that have a value, under the same ids. Where the key has a
//! column that is none of the base's key, the marker has that column's time and is all that makes the row be there; else the marker is
//! the base's, and cells of columns that the view does not show are there without their values, since they make the base's row be there.
//!
//! # Invariants
//! 1. A view has a row for each row of its base that is *stored* with a value in every column of the view's key, and whose key meets
//!    what the view's `WHERE` says, unless the view's key could be none: longer than keys are, or an empty value as a whole partition
//!    key. Conditions are of the base's key only, so that no write takes a row out of them.
//! 2. Deletions of partitions and ranges of the base that its rows still lie under are not in the view. A read of the view asks for
//!    them (`read::base`), when the base's definition says that there may be any.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::txn::Writer;
use crate::wide_column::cell::{Cell, Content};
use crate::wide_column::definitions;
use crate::wide_column::layout::{self, Clustering, KeyValues, Place, join_partition};
use crate::wide_column::order::compare;
use crate::wide_column::read::filter::{contains, element_of};
use crate::wide_column::read::plan::Bytes;
use crate::wide_column::record::{Builder, CellView, Part, RowView};
use crate::wide_column::schema::{Column, ColumnKind, Definition, TableRecord, ViewCondition, ViewTest};
use crate::wide_column::types::CqlType;

/// A row of the base has changed from `old` to `new`.
pub(super) fn changed(
    writer: &mut Writer,
    base: &TableRecord,
    key: &[u8],
    (old, new): (&RowView<'_>, &RowView<'_>),
) -> Result<()> {
    for view in &base.views {
        let Some(definition) = definitions::of_storage(writer, view.storage)? else { continue };
        let (before, after) = (entry(base, &definition, key, old)?, entry(base, &definition, key, new)?);
        if before == after {
            continue;
        }
        if let Some((gone, _)) = before.filter(|(gone, _)| after.as_ref().is_none_or(|(key, _)| key != gone)) {
            writer.remove(gone);
        }
        if let Some((key, row)) = after {
            writer.put(key, row)?;
        }
    }
    Ok(())
}

/// An entry of a view: the key and the row.
type Entry = (SmallVec<[u8; 128]>, Vec<u8>);

/// What the view shows of a row: an entry of its table; `None` when it is nothing.
fn entry(base: &TableRecord, view: &Definition, key: &[u8], row: &RowView<'_>) -> Result<Option<Entry>> {
    let key_column = view.record.view.as_ref().and_then(|definition| definition.key_column);
    let (prefix, Place::Row(clustering)) = layout::split(key)? else { return Ok(None) };
    let Some((marker, key_value)) = presence(base, row, key_column)? else { return Ok(None) };
    let whole = layout::whole_partition_key(prefix, row)?;
    let partition = &*whole;
    let mut of_clustering = KeyValues::default();
    of_clustering.read_clustering(base, clustering, row)?;
    let value = |at: usize| own_value(base, view.record.column(at)?.id(), (partition, &of_clustering), key_value);
    if !view.record.conditions.is_empty() && !meets_all(base, &view.record, (partition, &of_clustering))? {
        return Ok(None);
    }
    let shape = view.record.shape();
    let partition_values = shape.partition.iter().map(|at| value(*at)).collect::<Result<Vec<_>>>()?;
    let clustering_values = shape.clustering.iter().map(|(at, _)| value(*at)).collect::<Result<Vec<_>>>()?;
    let Some((partition, clustering)) = encoded(&view.record, &partition_values, &clustering_values)? else {
        return Ok(None);
    };
    let mut builder = Builder::new(view.record.grace());
    builder.set_marker(marker);
    if layout::is_long(&partition) {
        builder.keep(0, &partition);
    }
    for (nth, _) in &clustering.kept {
        builder.keep(nth + 1, clustering_values.get(*nth).copied().unwrap_or_default());
    }
    for cell in row.cells() {
        let CellView { id, part, cell } = cell?;
        if cell.value().is_none() || base.column_with(id).is_none() {
            continue;
        }
        match view.record.column_with(id).map(Column::kind) {
            Some(ColumnKind::Regular) => builder.push(CellView { id, part, cell }),
            None if key_column.is_none() => builder.push(CellView { id, part, cell: without_value(cell) }),
            _ => {}
        }
    }
    let built = builder.build();
    let prefix = layout::partition(view.storage, &partition);
    Ok((!built.is_empty).then(|| (layout::row(&prefix, &clustering.key), built.bytes)))
}

/// Whether the key of a row of the base meets what the view's `WHERE` says of it.
fn meets_all(base: &TableRecord, view: &TableRecord, key: (&[u8], &KeyValues)) -> Result<bool> {
    for ViewCondition { columns, test, .. } in &view.conditions {
        if *test == ViewTest::IsNotNull {
            continue;
        }
        let mut values = SmallVec::<[(&CqlType, &[u8]); 4]>::new();
        for id in columns {
            let Some(column) = base.column_with(*id) else { return Ok(false) };
            values.push((column.column_type(), own_value(base, *id, key, &[])?));
        }
        if !meets(&values, test)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether values, each with its type, meet a test.
fn meets(values: &[(&CqlType, &[u8])], test: &ViewTest) -> Result<bool> {
    let compared = |others: &[Vec<u8>]| {
        let mut each = values.iter().zip(others).map(|((of, value), other)| compare(of, value, other));
        each.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    let Some((of, value)) = values.first() else { return Ok(true) };
    match test {
        ViewTest::IsNotNull => Ok(true),
        ViewTest::Compare(comparison, others) => Ok(comparison.is_met_by(compared(others))),
        ViewTest::In(several) => Ok(several.iter().any(|others| compared(others).is_eq())),
        ViewTest::Contains(element) => contains(of, value, element),
        ViewTest::ContainsKey(key) => Ok(element_of(of, value, key)?.is_some()),
        ViewTest::Entry(key, other) => match (element_of(of, value, key)?, of.thawed()) {
            (Some(found), CqlType::Map(both)) => Ok(compare(&both.1, found, other).is_eq()),
            _ => Ok(false),
        },
    }
}

/// The marker of the view's row, and the value of the column that is in the view's key and not in the base's; `None` when that has
/// none.
fn presence<'r>(
    base: &TableRecord,
    row: &RowView<'r>,
    key_column: Option<u16>,
) -> Result<Option<(Option<Cell<'static>>, &'r [u8])>> {
    let Some(wanted) = key_column else {
        let marker = row.marker().filter(|marker| marker.value().is_some());
        let is_there = marker.is_some() || !row.bytes_of_cells().is_empty();
        return Ok(is_there.then_some((marker, &[])));
    };
    if base.column_with(wanted).is_none() {
        return Ok(None);
    }
    for cell in row.cells() {
        let CellView { id, part, cell } = cell?;
        if let (true, Part::Whole, Some(value)) = (id == wanted, part, cell.value()) {
            return Ok(Some((Some(without_value(cell)), value)));
        }
    }
    Ok(None)
}

/// The value of the column with this id, of the base's key or else the one that is none of it.
fn own_value<'v>(
    base: &TableRecord,
    id: u16,
    (partition, clustering): (&'v [u8], &'v KeyValues),
    other: &'v [u8],
) -> Result<&'v [u8]> {
    let shape = base.shape();
    let at = shape.by_id.get(usize::from(id)).copied().flatten();
    if let Some(nth) = shape.partition.iter().position(|own| Some(*own) == at) {
        return layout::partition_value(partition, shape.partition.len(), nth);
    }
    match shape.clustering.iter().position(|(own, _)| Some(*own) == at) {
        Some(nth) => clustering.get(nth).ok_or_else(|| Error::corrupt("wide-column key", "a part is missing")),
        None => Ok(other),
    }
}

/// The key of a row of the view; `None` when it cannot be one.
fn encoded(view: &TableRecord, partition: &[&[u8]], clustering: &[&[u8]]) -> Result<Option<(Bytes, Clustering)>> {
    let key = join_partition(partition).and_then(|key| Ok((key, layout::clustering(view, clustering)?)));
    match key {
        Ok(key) => Ok(Some(key)),
        Err(error @ Error::Corruption { .. }) => Err(error),
        Err(_) => Ok(None),
    }
}

/// A cell that says no more than that its row is there.
fn without_value(cell: Cell<'_>) -> Cell<'static> {
    let content = match cell.content {
        Content::Expiring { expires, ttl, .. } => Content::Expiring { value: &[], expires, ttl },
        _ => Content::Live { value: &[] },
    };
    Cell { timestamp: cell.timestamp, content }
}

#[cfg(test)]
mod tests;
