//! Writing: one plan, one executor, whatever asks.
//!
//! A [`plan::Plan`] says what changes in one partition; [`execute`] makes several of them, all or none. Conditions are looked at
//! first, for they are of the state before. Every row that is stored, by a write, the sweeper or a job, goes through [`store`], which
//! moves its deadline and calls the one hook that sees the row before and after (`store::changed`),
//! for indexes and views.
//!
//! # Cost
//! A row is one lookup and one put; one lookup more where partitions of the table have been deleted, and one where ranges have.
//! Deleting a partition or a range is O(log n), whatever it covers.

mod apply;
mod condition;
mod delete;
mod execute;
mod listed;
pub(crate) mod plan;
mod store;
mod tidy;
mod update;

pub(crate) use execute::{Outcome, execute};
#[cfg(test)]
pub(in crate::wide_column) use tidy::deadline;
pub(crate) use tidy::{expire, reclaim, tidy};
pub(in crate::wide_column) use tidy::{remove_index, remove_table, tidy_table};
