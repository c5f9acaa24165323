//! Document collections: BSON documents, found by filters, kept in order by indexes.
//!
//! ```
//! use larder::{Store, bson::doc};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Event { user_id: i64, kind: String }
//!
//! let store = Store::in_memory();
//! let events = store.collection::<Event>("events");
//! events.create_index(doc! { "user_id": 1 })?;
//! events.insert_one(&Event { user_id: 7, kind: "login".into() })?;
//! assert_eq!(events.find_one(doc! { "user_id": 7 })?.unwrap().kind, "login");
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Storage
//! A collection is a name in the catalogue with the definitions of its indexes (`schema`). Its documents are stored as raw
//! BSON under record ids in order of insertion, its index entries as order-preserving keys (`layout`, `index_key`).
//!
//! # Invariants
//! 1. A document and its entries in every index change together (`maintain`).
//! 2. A query returns the same with and without indexes; what is sorted, in the same order (`planner`).
//! 3. Every document has an `_id`, which is its first field, is unique in the collection and never changes.
//!
//! # Isolation
//! Every operation reads one snapshot, a cursor for its whole life; every operation that writes is atomic, also over
//! many documents.
//!
//! # Source
//! MongoDB manual. Differences and gaps: `docs/compatibility/mongodb.md`.

mod aggregate;
mod build;
mod bulk;
mod cancel;
mod capped;
mod code;
mod collation;
mod collection;
mod convert;
mod database;
mod date;
mod decode;
mod depth;
mod describe;
mod distinct;
mod expiring;
mod express;
mod expression;
mod filter;
mod find;
mod growth;
mod hint;
mod index_key;
mod index_kind;
mod insert;
mod layout;
mod maintain;
mod number;
mod order;
mod path;
mod pattern;
mod planner;
mod projection;
mod raw;
mod regular;
mod rows;
mod scan;
mod schema;
mod shown;
mod stats;
mod stored;
#[allow(dead_code, reason = "only doors run operations for others, and not every door")]
mod supervision;
mod update;
mod views;
mod well_formed;

#[cfg(feature = "server")]
#[allow(unused_imports, reason = "not every door adds to what is told of collections")]
pub(crate) use aggregate::Served;
pub(crate) use build::FILLING;
pub use cancel::CancelToken;
pub use code::Code;
pub use collation::{Alternate, CaseFirst, Collation, MaxVariable};
pub use collection::{
    AggregateOptions, BulkWrite, BulkWriteResult, Collection, DeleteOptions, Find, FindAndModifyResult,
    FindOneAndOptions, InsertManyResult, InsertOneResult, Modify, ReturnDocument, Tail, UpdateOptions, UpdateResult,
    WriteModel, WriteOutcome,
};
pub use database::Database;
pub(crate) use describe::describe;
pub(crate) use expiring::{next_sweep, sweep};
pub use find::Cursor;
pub use hint::Hint;
pub use planner::{Explain, Stage};
pub use schema::{
    Capped, CollectionChange, CollectionInfo, CollectionOptions, IndexChange, IndexInfo, IndexOptions,
    ValidationAction, ValidationLevel,
};
pub use stats::{CollectionStats, IndexStats};
#[cfg(feature = "server")]
#[allow(unused_imports, reason = "not every door runs operations for others")]
pub(crate) use supervision::Supervision;
pub use update::{UpdateDescription, UpdateModifications};
#[cfg(feature = "server")]
#[allow(unused_imports, reason = "not every door takes BSON")]
pub(crate) use well_formed::is_well_formed;
