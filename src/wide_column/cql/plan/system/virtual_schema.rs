//! `system_virtual_schema`: the keyspaces, tables and columns that Cassandra does not store either, which are these.

use super::schema::{COLUMNS, columns_of};
use super::shape::{Of, Seen, Shape};
use crate::error::Result;
use crate::wide_column::schema::TableRecord;
use crate::wide_column::value::CqlValue;

/// The one virtual keyspace.
pub(in crate::wide_column::cql::plan) const OWN: &str = "system_virtual_schema";

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        keyspace: OWN,
        table: "keyspaces",
        clustering: 0,
        columns: &[("keyspace_name", Of::Text)],
        rows: |_| Ok(vec![vec![OWN.into()]]),
    },
    Shape {
        keyspace: OWN,
        table: "tables",
        clustering: 1,
        columns: &[("keyspace_name", Of::Text), ("table_name", Of::Text), ("comment", Of::Text)],
        rows: tables,
    },
    Shape { keyspace: OWN, table: "columns", clustering: 2, columns: COLUMNS, rows: columns },
];

/// What is said of a table.
pub(in crate::wide_column::cql::plan) fn comment_of(table: &str) -> String {
    format!("virtual {} definitions", table.strip_suffix('s').unwrap_or(table))
}

fn own<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a Shape> {
    seen.shapes.iter().filter(|shape| shape.keyspace == OWN)
}

#[expect(clippy::unnecessary_wraps, reason = "as the rows of other tables are made")]
fn tables(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let row = |shape: &Shape| vec![OWN.into(), shape.table.into(), comment_of(shape.table).into()];
    Ok(own(seen).map(row).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "as the rows of other tables are made")]
fn columns(seen: &Seen<'_>) -> Result<Vec<Vec<CqlValue>>> {
    let of = |shape: &Shape| columns_of(OWN, shape.table, &TableRecord::new(shape.schema()));
    Ok(own(seen).flat_map(of).collect())
}
