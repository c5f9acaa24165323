//! Keys with strings, counters, hashes, lists, sets, sorted sets and streams, each with an optional deadline.
//!
//! A keyspace maps a key, any bytes, to a value of one kind; an operation of another kind is refused with
//! [`Error::WrongType`](crate::Error::WrongType).
//!
//! ```
//! use larder::{Store, kv::End};
//! use std::time::Duration;
//!
//! let kv = Store::in_memory().kv();
//! kv.set_with_ttl("session:7", "ann", Duration::from_secs(1_800))?;
//! assert_eq!(kv.increment("visits", 1)?, 1);
//! kv.hash("cart:ann").set_many([("apples", "3"), ("pears", "1")])?;
//! kv.list("jobs").push(End::Back, ["pack", "ship"])?;
//! kv.sorted_set("scores").increment("ann", 31.0)?;
//! assert_eq!(kv.sorted_set("scores").top(10)?, [(b"ann".to_vec(), 31.0)]);
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # Storage
//! Each key has a head entry with its type, its deadline and, when it is a string, its bytes, else the storage id of
//! its elements (`kv/record.rs`). A hash has one more entry per field, a list per value, a set per member; a sorted set
//! has two per member: member → score, and (score, member) → nothing (`kv/layout.rs`); what a stream has is described
//! in [`stream`]. A deadline is also in the store's index of deadlines, under the key of the head.
//!
//! # Invariants
//! 1. A collection without elements has no head. Elements belong to the head that has their storage id.
//! 2. The two entries of a member exist together or not at all.
//! 3. A head with a deadline has exactly one entry in the index of deadlines, at that deadline.
//! 4. Elements whose head is gone have a job, and so have heads whose keyspace is elsewhere.
//! 5. No read shows a key from its deadline on, swept or not; a write removes what it has left first.
//!
//! # Isolation and cost
//! An operation reads one snapshot. `get` is one lookup in the engine; `set` and `increment` are one lookup and one put
//! while no deadline is set or dropped. Removing, renaming and moving cost the same for keys of any size, and so do
//! emptying a keyspace and swapping two; what is stored is removed by a job (`docs/jobs.md`). Adding to a sorted set of
//! n members costs O(log n), a range of k members O(k) more.
//!
//! # Strings and sorted sets with a meaning
//! Bitmaps (`kv/bits/`) and `HyperLogLog`s (`kv/hyperloglog/`) are strings, places (`kv/geo/`) are sorted sets, as they
//! are in Redis: what is stored is the same, and the operations on strings and sorted sets work on them.
//!
//! Rate limits (`kv/rate_limit/`) are strings with a deadline; `docs/caching-and-limits.md` describes them, and
//! values that are computed once and kept (`kv/cache/`). Any key is carried to another store, or a Redis server, as a
//! dump (`kv/dump/`).
//!
//! # Source
//! Redis command reference. Differences: `docs/compatibility/redis.md`.

mod bits;
mod cache;
mod collection;
mod condition;
mod deadline;
mod describe;
mod dump;
mod end;
mod entry;
mod event;
mod eviction;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod keys;
mod keyspace;
mod layout;
mod list;
mod number;
mod rate_limit;
mod record;
mod set_options;
mod sorted_set;
mod state;
pub mod stream;
mod string;
mod substring;
mod unsorted_set;
mod usage;
mod waiting;
mod watch;

pub use bits::{BitField, BitFieldOperation, BitOperation, BitOverflow, BitRange};
pub use cache::CacheOptions;
pub use condition::{Condition, Until};
pub use deadline::Ttl;
pub(crate) use deadline::expire;
pub(crate) use describe::describe;
#[cfg(any(fuzzing, test, feature = "testing"))]
#[doc(hidden)]
pub use dump::{dump_again, dump_again_unsealed};
pub use end::End;
pub(crate) use entry::reclaim;
pub use event::KeyEvents;
pub(crate) use event::{messages, publish_events};
pub use eviction::{EvictionPolicy, KeyStats};
pub(crate) use eviction::{budget, is_out_of_memory, make_room, set_budget};
pub use geo::{Geo, GeoAdded, GeoCondition, GeoMatch, GeoPosition, GeoSearch, GeoShape, GeoUnit};
pub use hash::Hash;
pub use hyperloglog::HyperLogLog;
pub use keyspace::Kv;
#[cfg(feature = "server")]
pub(crate) use layout::Keyspace;
pub use list::List;
pub use rate_limit::{Decision, RateLimit, RateLimiter};
pub use record::Kind;
pub use set_options::{SetOptions, SetOutcome};
pub use sorted_set::{AddOptions, Added, Aggregate, Combination, RangeQuery, ScoreChange, SortedSet};
pub use state::EvictionTuning;
#[cfg(feature = "server")]
pub(crate) use state::{Bell, touched_since};
pub(crate) use state::{EXCEEDS_MEMORY, KeyEvent, Keys, NO_USE};
pub use stream::{Stream, StreamId};
pub use unsorted_set::UnsortedSet;
pub use watch::Watch;

use keyspace::Room;

#[cfg(test)]
mod tests;
