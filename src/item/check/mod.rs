//! What is wrong with a request by itself, and its expressions compiled.
//!
//! Each request is checked in the order of the service, without a store: names and members, then which parameters go
//! together, then expressions, then values and sizes.

mod batch;
mod items;
mod parameters;
mod read;
mod transact;

pub(super) use batch::{PreparedBatchGet, check_count as check_batch_count};
pub(super) use items::{PreparedGet, PreparedUpdate, PreparedWrite};
pub(super) use read::PreparedRead;
pub(super) use transact::{PreparedTransactGet, PreparedTransactWrite, PreparedTransaction};

use crate::error::{Error, Result};
use crate::item::{Constraint, Item, RequestFault};

/// Refuses a key that no table could have: one without attributes.
fn check_key(key: &Item) -> Result<()> {
    key.check()
}

/// A fault about the value of a member.
fn constraint(member: &str, value: impl Into<String>, constraint: Constraint) -> Error {
    RequestFault::Constraint { member: member.to_owned(), value: Some(value.into()), constraint }.into_error()
}
