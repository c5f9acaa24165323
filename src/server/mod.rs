//! Front doors: servers on local sockets that speak the protocols of the products whose models the store has.
//!
//! A door has no semantics of its own: what a client can do through it, an embedded caller can do without. What doors share is
//! here: where they listen, who may come in, what they count, and how they are closed.

#[cfg(feature = "mongo")]
#[cfg_attr(docsrs, doc(cfg(feature = "mongo")))]
pub mod mongo;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;

mod listener;
mod metrics;
mod worker;

pub use listener::{Address, ListenError};
pub use metrics::Metrics;
