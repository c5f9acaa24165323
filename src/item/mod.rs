//! Item tables: items of freely chosen attributes, found by a partition key and a sort key, in the manner of
//! `DynamoDB`.
//!
//! A table is created with a [`TableSchema`] and used through an [`ItemTable`]. Items of one partition key are read in
//! the order of their sort key by [`ItemTable::query`], which also reads global secondary indexes.
//!
//! ```
//! use larder::{Store, item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, key}};
//!
//! let orders = Store::in_memory().item_table("Orders");
//! let by_state = GlobalIndex::new("by-state", "state", ScalarAttributeType::S);
//! orders.create(TableSchema::new("customer", ScalarAttributeType::S).sort_key("day", ScalarAttributeType::S).global_index(by_state))?;
//! orders.put(&Item::new().with("customer", "ann").with("day", "2024-05-01").with("cents", 12_950))?;
//! orders.put(&Item::new().with("customer", "ann").with("day", "2024-06-09").with("state", "open"))?;
//!
//! let newest = orders.query(key("customer").eq("ann").and(key("day").begins_with("2024-"))).reverse().limit(1);
//! assert_eq!(newest.to_vec()?[0].get("day"), Some(&"2024-06-09".into()));
//! assert_eq!(orders.query(key("state").eq("open")).index("by-state").to_vec()?.len(), 1);
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Storage
//! An item is one entry, its record under its primary key; each index that shows it has one more, empty entry under the
//! index key followed by the primary key. Byte layouts: `layout.rs` and `record.rs`. The catalogue holds the schema.
//!
//! # Invariants
//! 1. An item has an entry in an index if and only if it has all of the index's key attributes; both are written in one
//!    transaction. An index that was added to a table with items is filled by a job, and read once that is done
//!    (`build`).
//! 2. An item, number or set is stored in one form only, so that equal items are equal bytes.
//! 3. A page is never ended by less than its limit, its size or the end of what is read.
//!
//! # Isolation and cost
//! Every read is of one snapshot, an index's too. A get or put is O(log n) for the table and each
//! index; a page of k items costs O(log n + k), from an index k gets more.
//!
//! # Source
//! `DynamoDB` Developer Guide and API Reference. Differences: `docs/compatibility/dynamodb.md`.

mod attributes;
mod batch;
mod build;
mod capacity;
mod check;
mod condition;
mod control;
mod covering;
mod deadline;
mod definition;
mod describe;
mod description;
mod deserialize;
mod details;
mod expire;
mod expression;
mod failed_item;
mod fault;
mod items;
mod key;
mod layout;
mod legacy;
mod lifecycle;
mod map_key;
mod number;
mod operation;
mod origin;
mod page;
mod partiql;
mod path;
mod place;
mod plan;
pub(crate) mod probe;
mod query;
mod range;
mod reads;
mod record;
pub mod request;
mod run_batch;
mod run_item;
mod run_read;
mod run_statement;
mod run_statements;
mod run_transact;
mod schema;
mod serialize;
mod state;
mod statements;
mod stream;
mod streams;
mod table;
mod table_control;
mod tables;
mod target;
mod text;
mod token;
#[cfg(feature = "exports")]
mod transfer;
mod type_name;
mod value;
mod write;
mod write_builder;
mod written;

#[cfg(test)]
mod tests;

pub use attributes::Item;
pub use batch::{BatchWriteOutcome, WriteRequest};
pub(crate) use build::FILLING;
pub use condition::{KeyCondition, KeyName, key};
pub(crate) use describe::describe;
pub(crate) use expire::expire;
pub use expression::{Condition, PathName, PathSize, ProjectionPaths, path};
pub use fault::{
    CancellationReason, Constraint, ExpressionFault, ExpressionKind, FailedItem, Fault, LegacyFault, Placeholders,
    Position, RequestFault, SetType, StatementFault, TransferFault,
};
pub use items::Items;
pub use key::{Key, KeyValue};
pub use lifecycle::Lifecycle;
pub use number::Number;
pub use operation::{OPERATIONS, Support};
pub use page::{ItemIter, LastKey, Page, Pages};
pub use path::{Path, PathElement};
pub use query::{KeyExpression, Query};
pub use request::IndexStatus;
pub use schema::{GlobalIndex, LocalIndex, Projection, ScalarAttributeType, TableSchema};
pub use state::BatchAdmission;
pub use table::ItemTable;
pub use text::Text;
pub use type_name::TypeName;
pub use value::{AttributeIter, AttributeMap, AttributeValue, Element, Set};
pub use write_builder::{DeleteBuilder, GetBuilder, PutBuilder, UpdateBuilder};
