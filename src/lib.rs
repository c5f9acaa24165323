//! Larder

pub mod document;
pub mod encoding;
pub mod engine;
pub mod item;
pub mod kv;
pub mod limits;
pub mod wide_column;

mod catalog;
pub mod channel;
mod clock;
mod error;
mod expiry;
mod glob;
mod store;
mod txn;

pub use bson::{self, Document};
pub use channel::Subscriber;
pub use clock::{Clock, ManualClock, Stopwatch, SystemClock, Timestamp};
pub use document::{Collection, Database};
pub use error::{Error, InvalidKind, Result};
pub use item::ItemTable;
pub use kv::Kv;
pub use store::{Builder, Snapshot, Store, Transaction};
pub use txn::{AtSnapshot, AutoCommit, InTransaction, Scope, WriteScope};
pub use wide_column::{WideBatch, WideTable};
