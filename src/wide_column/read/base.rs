//! What of its base's deletions a view's rows lie under.

use crate::catalog::{self, Kind};
use crate::error::{Error, Result};
use crate::txn::View;
use crate::wide_column::cell::Deletion;
use crate::wide_column::definitions;
use crate::wide_column::layout::{self, KeyValues, join_partition};
use crate::wide_column::read::ranges::covering;
use crate::wide_column::record::RowView;
use crate::wide_column::schema::{Definition, TableRecord};

/// The table that a view is of, when partitions or ranges of rows may have been deleted in it: rows of the view are there until the
/// base's have been removed.
#[derive(Debug)]
pub(super) struct Base {
    table: Definition,
    /// Where the view's key has the columns of the base's partition key, and its clustering columns.
    partition: Vec<Own>,
    clustering: Vec<Own>,
}

/// A column of a view's key: the nth of its partition key, or of its clustering columns.
#[derive(Clone, Copy, Debug)]
enum Own {
    Partition(usize),
    Clustering(usize),
}

impl Base {
    /// The base of `table`, if that is a view and may show what is deleted.
    pub(super) fn of(view: &View, table: &TableRecord) -> Result<Option<Self>> {
        let Some(definition) = &table.view else { return Ok(None) };
        // Who reads the view has read whether anything of the base was deleted.
        view.note(&catalog::key(Kind::WideTable, &definition.keyspace, &definition.base));
        let Some(base) = definitions::of_storage(view, definition.base_storage)? else { return Ok(None) };
        if !base.record.has_deleted_partitions() && !base.record.has_deleted_ranges() {
            return Ok(None);
        }
        let (own, shape) = (table.shape(), base.record.shape());
        let place = |at: usize| {
            let id = base.record.column(at)?.id();
            let place = own.by_id.get(usize::from(id)).copied().flatten();
            let of_partition = own.partition.iter().position(|own| Some(*own) == place).map(Own::Partition);
            let found = of_partition
                .or_else(|| own.clustering.iter().position(|(own, _)| Some(*own) == place).map(Own::Clustering));
            found.ok_or_else(|| Error::corrupt("materialized view", "a column of its base's key is not in its own"))
        };
        let partition = shape.partition.iter().map(|at| place(*at)).collect::<Result<_>>()?;
        let clustering = shape.clustering.iter().map(|(at, _)| place(*at)).collect::<Result<_>>()?;
        Ok(Some(Self { partition, clustering, table: base }))
    }

    /// What the row of the base lies under that the view's row with this key shows.
    pub(super) fn over(&self, view: &View, own: &TableRecord, key: &[u8], row: &KeyValues) -> Result<Option<Deletion>> {
        let columns = own.shape().partition.len();
        let value = |own: &Own| match own {
            Own::Partition(nth) => layout::partition_value(key, columns, *nth),
            Own::Clustering(nth) => row.get(*nth).ok_or_else(|| Error::corrupt("wide-column key", "a part is missing")),
        };
        let record = &self.table.record;
        let partition = join_partition(&self.partition.iter().map(value).collect::<Result<Vec<_>>>()?)?;
        let prefix = layout::partition(self.table.storage, &partition);
        let mut deletion = None;
        if record.has_deleted_partitions()
            && let Some(header) = view.get(&layout::header(&prefix))?
        {
            deletion = RowView::new(&header)?.deletion;
        }
        if record.has_deleted_ranges() {
            let values = self.clustering.iter().map(value).collect::<Result<Vec<_>>>()?;
            deletion = deletion.max(covering(view, &prefix, &layout::clustering(record, &values)?.key)?);
        }
        Ok(deletion)
    }
}
