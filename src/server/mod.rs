//! Front doors: servers on local sockets that speak the protocols of the products whose models the store has.
//!
//! A door has no semantics of its own: what a client can do through it, an embedded caller can do without. What doors share is
//! here: where they listen, how many clients they let in, and how they are closed.

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;

mod listener;

pub use listener::{Address, ListenError};
