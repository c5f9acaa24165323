//! Reading: one plan, one executor, whatever asks and wherever rows come from.
//!
//! A [`plan::Plan`] says what to read; a [`Reader`] walks over it and lends each row ([`FoundRow`]) to a sink: the typed interface, a
//! protocol, JSON. Rows stay bytes until a sink asks for a value.
//!
//! # Cost
//! A whole primary key is one lookup, and one more where partitions of the table have been deleted, one for its ranges, one
//! for its static values. A slice costs a descent, and what it steps over.

mod base;
mod bounds;
mod entries;
pub(crate) mod filter;
mod found;
mod get;
pub(crate) mod json;
pub(crate) mod plan;
pub(crate) mod position;
mod ranges;
mod reader;
pub(crate) mod sink;
mod state;
pub(crate) mod virtual_table;

pub(in crate::wide_column) use bounds::Bounds;
pub(crate) use found::{Fetch, FoundRow, Written};
pub(crate) use get::get;
pub(in crate::wide_column) use ranges::{DeletedRange, covering, overlapping};
pub(crate) use reader::Reader;
pub(crate) use sink::Flow;

#[cfg(test)]
mod tests;
