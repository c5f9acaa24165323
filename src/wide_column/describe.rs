//! What is kept at a key of the engine, for a person.

use crate::catalog::{self, Kind};
use crate::error::Result;
use crate::txn::View;
use crate::wide_column::layout::{self, KeyValues, Place};
use crate::wide_column::record::RowView;
use crate::wide_column::schema::{Column, TableRecord};
use crate::wide_column::serialize::deserialize;

/// Names the row or partition that is kept at `key`: `row {id: Int(7), at: Bigint(1)} of table shop.events`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<Option<String>> {
    let found = catalog::find::<TableRecord>(view, Kind::WideTable, layout::storage_of(key)?)?;
    let Some((keyspace, table_name, table)) = found else { return Ok(None) };
    let (prefix, place) = layout::split(key)?;
    // What does not come back from a key is in the row, unless that is gone.
    let stored = view.get(key)?.map(std::borrow::Cow::into_owned);
    let row = match (place, &stored) {
        (Place::Row(_) | Place::Static, Some(bytes)) => RowView::new(bytes)?,
        _ => RowView::default(),
    };
    let whole = layout::partition_key_of(prefix)?;
    let Some(partition_key) = whole.as_deref().map_or_else(|| row.kept(0), |whole| Ok(Some(whole)))? else {
        return Ok(None);
    };
    let mut columns = Vec::new();
    let mut name = |column: &Column, value: &[u8]| {
        columns.push(format!("{}: {:?}", column.name(), deserialize(column.column_type(), value)?));
        Ok::<_, crate::error::Error>(())
    };
    let count = table.shape().partition.len();
    for (nth, column) in table.schema.partition_columns().enumerate() {
        name(column, layout::partition_value(partition_key, count, nth)?)?;
    }
    let what = match place {
        Place::Row(clustering) => {
            let mut values = KeyValues::default();
            values.read_clustering(&table, clustering, &row)?;
            for (nth, (column, _)) in table.schema.clustering_columns().enumerate() {
                name(column, values.get(nth).unwrap_or_default())?;
            }
            "row"
        }
        Place::Header => "partition",
        Place::Static => "static values of the partition",
        Place::Range(_) => "deleted range of the partition",
    };
    Ok(Some(format!("{what} {{{}}} of table {keyspace}.{table_name}", columns.join(", "))))
}
