//! Front doors: servers on local sockets that speak the protocols of the products whose models the store has.
//!
//! A door has no semantics of its own: what a client can do through it, an embedded caller can do without. What doors share is
//! here: where they listen, who may come in, what they count, and how they are closed.

#![cfg_attr(
    not(all(feature = "cql", feature = "http", feature = "lua", feature = "mongo", feature = "tls")),
    allow(dead_code, reason = "each door needs its part of what all share")
)]

#[cfg(feature = "cql")]
#[cfg_attr(docsrs, doc(cfg(feature = "cql")))]
pub mod cql;
#[cfg(feature = "dynamodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "dynamodb")))]
pub mod dynamodb;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub mod http;
#[cfg(feature = "mongo")]
#[cfg_attr(docsrs, doc(cfg(feature = "mongo")))]
pub mod mongo;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;

mod address;
mod buffers;
mod clients;
mod connection;
mod door;
mod ears;
#[cfg(any(feature = "http", feature = "dynamodb"))]
mod hypertext;
mod keepalive;
mod listener;
mod meters;
mod metrics;
mod options;
mod panics;
mod password;
mod pool;
mod process;
mod saves;
#[cfg(feature = "scram")]
mod scram;
mod settler;
mod slow_log;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod users;
mod worker;

pub use address::{Address, ListenError};
pub use meters::Meters;
pub use metrics::Metrics;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::Tls;
