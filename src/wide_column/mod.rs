//! Wide-column tables: rows in partitions, each cell with its own time.
//!
//! [`WideTable`] is the handle, [`TableSchema`] a definition, [`Select`] a query, [`WideBatch`] several writes as one.
//! This is the typed interface; the language is not there yet.
//!
//! ```
//! use larder::{Store, wide_column::{CqlType, Order, TableSchema}};
//!
//! let readings = Store::in_memory().wide_table("home", "readings");
//! readings.create(
//!     TableSchema::new()
//!         .partition_key("sensor", CqlType::Text)
//!         .clustering("second", CqlType::Int, Order::Descending)
//!         .column("celsius", CqlType::Double),
//! )?;
//! let insert = readings.prepare_insert(&["sensor", "second", "celsius"])?;
//! for (second, celsius) in [(0, 19.5), (60, 19.75), (120, 20.25)] {
//!     insert.execute(("attic", second, celsius))?;
//! }
//! let newest = readings.select(("attic",)).limit(1).to_vec()?;
//! assert_eq!(newest[0].get("celsius"), Some(&20.25.into()));
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Storage
//! One entry per row, its regular columns' cells together in one record (`record`); one entry per deleted partition,
//! its header. Keys put partitions in token order and rows in clustering order (`layout`). Values are stored in the
//! serialized form of the CQL protocol (`serialize`). A row or header with anything that expires, or with a trace of
//! what was deleted, has one entry in the deadline index, at the earliest moment the sweeper can do something about it.
//!
//! # Invariants
//! 1. A table's rows are what its writes say under the rules of `cell`, in whatever order they were made: a late write
//!    with an older timestamp loses against values and deletions alike, for as long as traces are kept (ten days).
//! 2. What is seen of a row is what its partition's deletion and the dropped columns of its table do not cover. A row that is
//!    written holds nothing that they cover; what others hold of it is removed by a job, and a deletion is kept for as long as
//!    there is such a job (`docs/wide-column-deletion.md`).
//! 3. The deadline index has an entry for a row exactly where `StoredRow::deadline` says.
//!
//! # Isolation and cost
//! A write reads the header and the row, and writes the row: O(log n), and the size of the row. Deleting a partition writes its
//! header. A query reads one snapshot; k rows cost O(log n + k). Changing the definition costs O(log n), however many rows there
//! are.
//!
//! # Source
//! CQL reference and Cassandra's documentation. Differences: `docs/compatibility/cassandra.md`.

mod batch;
mod cell;
mod clustering;
mod describe;
mod layout;
mod mutation;
mod prepared;
mod record;
mod row;
mod schema;
mod select;
mod serialize;
mod table;
mod target;
mod token;
mod types;
mod value;
mod write;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use batch::WideBatch;
pub use bigdecimal::BigDecimal;
pub use bigdecimal::num_bigint::BigInt;
pub(crate) use describe::describe;
pub use mutation::WriteOptions;
pub(crate) use mutation::{expire, reclaim, tidy};
pub use prepared::PreparedInsert;
pub use row::{Row, Rows};
pub use schema::{Column, ColumnKind, Order, TableSchema};
pub use select::Select;
pub use table::WideTable;
pub use types::CqlType;
pub use uuid::Uuid;
pub use value::{CqlValue, Values};
