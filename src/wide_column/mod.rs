//! Wide-column tables: rows in partitions, each cell with its own time.
//!
//! [`WideTable`] is the handle, [`TableSchema`] a definition, [`Select`] a query, [`RowChange`] a change of one row, [`WideBatch`]
//! several writes as one, [`WideKeyspace`] what belongs to tables together. This is the typed interface; it comes to the plans of
//! `read` and `write`, as a language does.
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
//! One entry per row, its regular columns' cells together in one record (`record`); one per partition for its static values, one
//! for its deletion and one for each deleted range of it. Keys put partitions in token order and rows in clustering order
//! (`layout`). Values are stored in the serialized form of the CQL protocol (`serialize`). A row or header with anything
//! that expires, or with a trace of what was deleted, has an entry in the deadline index, at the earliest moment the
//! sweeper can do something about it. Indexes have entries of their own (`index`). `docs/wide-column.md` has all of it.
//!
//! # Invariants
//! 1. A table's rows are what its writes say under the rules of `cell`, in whatever order they were made: a late write
//!    with an older timestamp loses against values and deletions alike, for as long as traces are kept (ten days, unless
//!    the table says otherwise). Counters, which are added to, and the places of lists depend on the order.
//! 2. What is seen of a row is what its partition's deletion, the deleted ranges and the dropped columns of its table do not
//!    cover. A row that is written holds nothing that they cover; what others hold of it is removed by a job, and a deletion is
//!    kept for as long as there is such a job (`docs/wide-column-deletion.md`).
//! 3. The deadline index has an entry for a row where its record says; another one may be left where the table's
//!    `gc_grace_seconds` was changed, and changes nothing when it comes.
//!
//! # Isolation and cost
//! A write reads the row, and writes it: O(log n), and the size of the row. Deleting a partition or a range writes one entry. A
//! query reads one snapshot; k rows cost O(log n + k). Changing the definition costs O(log n), however many rows there are.
//!
//! # Source
//! CQL reference and Cassandra's documentation. Differences: `docs/compatibility/cassandra.md`.

mod batch;
mod bind;
mod cell;
mod change;
mod comparison;
#[doc(hidden)] // its page is docs/cql.md; fuzz targets reach it as `larder::internals::cql`
pub mod cql;
mod definitions;
mod describe;
mod exception;
mod filter;
mod index;
mod keyspace;
mod layout;
mod options;
mod order;
mod parts;
mod prepared;
pub(crate) mod probe;
pub(crate) mod read;
mod record;
pub(crate) mod role;
mod row;
pub(crate) mod schema;
mod select;
mod serialize;
mod table;
mod target;
mod token;
mod tombstones;
mod types;
mod value;
mod view;
mod vint;
pub(crate) mod write;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use batch::WideBatch;
pub use bigdecimal::BigDecimal;
pub use bigdecimal::num_bigint::BigInt;
pub use change::{Applied, RowChange};
pub use cql::{Cql, CqlAnswer, CqlStatement, PreparedStatement};
pub(crate) use definitions::{set_tombstone_thresholds, tombstone_thresholds};
pub(crate) use describe::describe;
pub use exception::Exception;
pub use filter::Filter;
pub use keyspace::WideKeyspace;
pub(crate) use keyspace::names as keyspace_names;
pub use options::WriteOptions;
pub use prepared::PreparedInsert;
pub use row::{Row, Rows};
pub use schema::{Column, ColumnKind, IndexTarget, Order, TableOptions, TableSchema, ViewSchema};
pub use select::{Page, PagePosition, PreparedGet, RowRef, Select};
pub use table::WideTable;
pub use types::{CqlType, UserType};
pub use uuid::Uuid;
pub use value::{CqlValue, Values};
pub(crate) use write::{expire, reclaim, tidy};
