//! What is kept at a key of the engine, for a person.

use crate::catalog::{self, Kind};
use crate::encoding::ordered::Reader;
use crate::error::Result;
use crate::txn::View;
use crate::wide_column::layout::{self, Place};
use crate::wide_column::record;
use crate::wide_column::schema::{Column, TableRecord};

/// Names the row or partition that is kept at `key`: `row {id: Int(7), at: Bigint(1)} of table shop.events`.
pub(crate) fn describe(view: &View, key: &[u8]) -> Result<Option<String>> {
    let mut reader = Reader::new(key);
    reader.u8()?;
    let found = catalog::find::<TableRecord>(view, Kind::WideTable, reader.u32()?)?;
    let Some((keyspace, name, TableRecord { schema, .. })) = found else { return Ok(None) };
    let (_, partition_key, place) = layout::split(key)?;
    // What is long is in the row, unless that is gone.
    let row = view.get(key)?.map(|bytes| record::decode(&bytes)).transpose()?.unwrap_or_default();
    let mut long = row.long.as_slice();
    let partition_key = match (partition_key, long.split_first()) {
        (Some(whole), _) => whole,
        (None, Some((whole, rest))) => {
            long = rest;
            whole.clone()
        }
        (None, None) => return Ok(None),
    };
    let mut values = layout::split_partition(&schema, &partition_key)?;
    let mut names: Vec<_> = schema.partition_columns().map(Column::name).collect();
    let what = match place {
        Place::Header => "partition",
        Place::Row(clustering) => {
            values.extend(layout::split_clustering(&schema, clustering, long)?);
            names.extend(schema.clustering_columns().map(|(column, _)| column.name()));
            "row"
        }
    };
    let columns: Vec<_> = names.iter().zip(values).map(|(name, value)| format!("{name}: {value:?}")).collect();
    Ok(Some(format!("{what} {{{}}} of table {keyspace}.{name}", columns.join(", "))))
}
