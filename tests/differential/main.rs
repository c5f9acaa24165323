//! The doors beside the servers that they stand in for: the same random requests to both, and the same replies from both.
//!
//! A server that is not installed is no failure: the test says that it was skipped.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod acl;
#[cfg(feature = "lua")]
mod busy;
mod changes;
mod dump;
mod forms;
mod judge;
mod redis;
mod server;
