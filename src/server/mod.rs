//! Front doors: servers on local sockets that speak the protocols of the products whose models the store has.
//!
//! A door has no semantics of its own: what a client can do through it, an embedded caller can do without. What doors share is
//! here: where they listen, who may come in, what they count, and how they are closed.

#![cfg_attr(
    not(all(feature = "http", feature = "mongo", feature = "redis")),
    allow(dead_code, reason = "each door needs its part of what all share")
)]

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
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod buffers;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod clients;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod connection;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod door;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod ears;
mod keepalive;
mod listener;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod meters;
mod metrics;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod options;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod panics;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod password;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod pool;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod process;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod saves;
#[cfg(feature = "scram")]
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod scram;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod settler;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod slow_log;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod stream;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod tally;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
#[allow(dead_code, reason = "the doors that need it come onto the frame one by one")]
mod users;
mod worker;

pub use address::{Address, ListenError};
pub use meters::Meters;
pub use metrics::Metrics;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::Tls;
