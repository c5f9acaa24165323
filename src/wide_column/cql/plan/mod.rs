//! From a syntax tree to plans of reads and writes: names are looked up, types are compared, values are serialized.
//!
//! Everything that Cassandra refuses is refused here, with its class and in its words. What it does and is not there yet is
//! [`Error::Unsupported`](crate::Error::Unsupported), by name.

mod answer;
mod assign;
mod authorize;
mod constant;
mod context;
mod define;
mod describe;
mod direct;
mod expression;
mod group;
mod json;
mod kept;
mod lookup;
mod modify;
mod named;
mod outcome;
mod restrict;
mod role;
mod select;
mod selector;
mod slices;
mod system;
mod types;
mod value;
mod warn;

pub(super) use answer::Answer;
#[allow(unused_imports, reason = "not every door speaks CQL")]
pub(crate) use answer::Columns;
pub(crate) use context::SerializedValue;
pub(super) use context::{Asked, Context, Given, Page, SYSTEM_KEYSPACES};
pub(super) use define::define;
pub(super) use describe::describe;
pub(super) use kept::Kept;
pub(super) use modify::{modifications, timestamp};
pub(super) use outcome::{applied, applied_to};
pub(super) use role::{change as change_role, is_list, list as list_roles, password as password_of};
pub(super) use select::select;
pub(super) use warn::of_batch as warnings_of_batch;
