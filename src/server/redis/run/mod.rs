//! How a request runs: found, admitted, run in a transaction, shown, counted; and what happens to others by it.

pub(super) mod admission;
#[cfg(feature = "lua")]
pub(super) mod busy;
pub(super) mod changes;
pub(super) mod client_line;
pub(super) mod command;
pub(super) mod execute;
pub(super) mod hearing;
mod serve_blocked;
mod show;
mod slow;
