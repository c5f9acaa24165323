//! Larder keeps documents, keys, sorted sets, channels, item tables and wide-column tables inside the process, on one
//! storage layer, under one transaction and one clock.
//!
//! The models are those of MongoDB, Redis, DynamoDB and Cassandra, with their rules of behaviour; no server has to
//! be started. A [`Store`] is in memory or in a directory, and gives out handles:
//!
//! | model               | handle                                                   | in the manner of |
//! |---------------------|----------------------------------------------------------|------------------|
//! | documents           | [`Store::collection`] → [`Collection`]                   | MongoDB          |
//! | keys, sets, streams | [`Store::kv`] → [`Kv`], [`SortedSet`], [`Stream`]        | Redis            |
//! | channels            | [`Store::publish`], [`Store::subscribe`] → [`Subscriber`]| Redis            |
//! | item tables         | [`Store::item_table`] → [`ItemTable`]                    | DynamoDB         |
//! | wide-column tables  | [`Store::wide_table`] → [`WideTable`]                    | Cassandra        |
//!
//! # One transaction over every model
//!
//! ```
//! use larder::{Document, Store, bson::doc};
//!
//! let store = Store::in_memory();
//! let inbox = store.subscribe("orders")?;
//! store.transaction(|tx| {
//!     tx.collection::<Document>("orders").insert_one(&doc! { "_id": 1, "user": "ann", "amount": 30 })?;
//!     tx.kv().remove("user:ann:profile")?;
//!     tx.kv().sorted_set("leaderboard").increment("ann", 30.0)?;
//!     tx.publish("orders", "order 1")
//! })?;
//! assert_eq!(inbox.try_recv()?.unwrap().payload(), b"order 1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same handles work on the store, where each call is a transaction of its own, in a [`Transaction`], and on a
//! [`Snapshot`]: they are generic over their [`Scope`], and every operation is written once. Code that takes
//! [`&impl Handles`](Handles) runs on all three, and [`&impl WriteHandles`](WriteHandles) on the first two.
//!
//! # Features
//!
//! None is on by default; the core has every model, in memory and on disk.
//!
//! | feature   | what it adds |
//! |-----------|--------------|
//! | `json`    | conversions between BSON and `serde_json` values, in [`bson`] |
//! | `testing` | a simulated disk that fails, fills up and loses power, in [`vfs`] |
//! | `fjall`   | an engine for data larger than memory, in [`engine`] |
//! | `sled`    | an engine on sled 0.34, likewise |
//! | `redis`   | the door for Redis clients, in `server` |
//! | `mongo`   | the door for MongoDB clients, likewise |
//! | `http`    | a door for those who watch a server: `/health` and `/metrics` |
//! | `tls`     | TLS for doors |
//! | `lua`     | scripts of Redis clients; builds Lua from C |
//! | `cli`     | the program `larder`, which opens the doors |
//!
//! # In async code
//!
//! [`Store::transaction_async`] and [`Transaction::commit_async`] are awaited without keeping the thread; a
//! [`Subscriber`] is a stream; reads wait for nobody.
//!
//! # Guide
//!
//! The pages of `docs/guide/` in the repository, whose programs are tests: opening and durability (`opening.md`),
//! errors (`errors.md`), transactions, isolation and retrying (`transactions.md`), async code (`async.md`), which Rust
//! type becomes what (`types.md`), pages (`paging.md`), many writes at once (`batches.md`), changing a schema
//! (`schema-changes.md`), backup and restore (`backup.md`), watching a store (`observing.md`), forks and clocks in
//! tests (`testing.md`), Redis clients (`doors.md`). Short programs for each model are in `examples/`.
//!
//! # One clock, and forks
//!
//! ```
//! use larder::{ManualClock, Store};
//! use std::time::Duration;
//!
//! let seeded = Store::builder().clock(ManualClock::default()).in_memory();
//! seeded.kv().set_with_ttl("session", "ann", Duration::from_secs(60))?;
//!
//! let case = seeded.fork()?; // O(1), whatever the size, with time of its own
//! case.manual_clock().expect("as the store has").advance(Duration::from_secs(60));
//! assert!(case.kv().get("session")?.is_none());
//! assert!(seeded.kv().get("session")?.is_some());
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Durability
//!
//! A store in a directory acknowledges a commit when it would survive loss of power
//! ([`Durability::Sync`], the default); weaker levels are asked for by name.
//!
//! # What is not modelled is refused
//!
//! An operator, option or type that Larder does not know is [`Error::Unsupported`], by name. Nothing is ignored,
//! rounded or cut off. Limits are in [`limits`], checked before anything is written.

#![cfg_attr(docsrs, feature(doc_cfg))]
// What doors stand on is used by none then.
#![cfg_attr(all(feature = "server", not(feature = "redis")), allow(dead_code, unused_imports))]

pub mod channel;
pub mod document;
mod encoding;
pub mod engine;
pub mod item;
pub mod kv;
pub mod limits;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(any(feature = "cql", feature = "http", feature = "mongo", feature = "redis"))))]
// whoever uses it asks for a door
pub mod server;
#[cfg_attr(not(feature = "testing"), doc(hidden))] // simulated disks are what it is for
pub mod vfs;
pub mod wide_column;

mod catalog;
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
pub use engine::{CheckReport, CommitNumber, Direction, Durability, EngineStats};
pub use error::{Error, InvalidKind, OpenProblem, Result};
pub use item::ItemTable;
pub use kv::{Geo, Hash, HyperLogLog, Kv, List, SortedSet, Stream, UnsortedSet};
pub use store::{Builder, Commit, Handles, Snapshot, Store, Transaction, WriteHandles};
pub use txn::{AtSnapshot, AutoCommit, InTransaction, Isolation, Scope, WriteScope};
pub use wide_column::{WideBatch, WideKeyspace, WideTable};

/// What the fuzz targets reach into. It may change with any version.
#[doc(hidden)]
pub mod internals {
    pub use crate::encoding::{decimal, ordered};
    pub use crate::item::probe::{
        condition_holds, is_statement, number_arithmetic, project_item, read_record, update_item,
    };
    #[cfg(any(fuzzing, feature = "testing"))]
    pub use crate::kv::{dump_again, dump_again_unsealed};
    #[cfg(feature = "cql")]
    pub use crate::server::cql::answer as answer_cql;
    #[cfg(feature = "mongo")]
    pub use crate::server::mongo::answer as answer_mongo;
    #[cfg(feature = "redis")]
    pub use crate::server::redis::answer;
    pub use crate::wide_column::cql;
    pub use crate::wide_column::probe::{merge_wide_records, order_wide_values, wide_value_again};
}

/// The programs in the README and the guide, compiled and run as documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/guide/async.md")]
    struct Async;
    #[doc = include_str!("../docs/guide/backup.md")]
    struct Backup;
    #[doc = include_str!("../docs/guide/batches.md")]
    struct Batches;
    #[cfg(feature = "redis")]
    #[doc = include_str!("../docs/guide/doors.md")]
    struct Doors;
    #[doc = include_str!("../docs/guide/errors.md")]
    struct Errors;
    #[doc = include_str!("../docs/guide/observing.md")]
    struct Observing;
    #[doc = include_str!("../docs/guide/opening.md")]
    struct Opening;
    #[doc = include_str!("../docs/guide/paging.md")]
    struct Paging;
    #[doc = include_str!("../docs/guide/schema-changes.md")]
    struct SchemaChanges;
    #[doc = include_str!("../docs/guide/testing.md")]
    struct Testing;
    #[doc = include_str!("../docs/guide/transactions.md")]
    struct Transactions;
    #[doc = include_str!("../docs/guide/types.md")]
    struct Types;
}
