//! CQL: the language of wide-column tables, as Cassandra 5.0 has it.
//!
//! `parser` makes a syntax tree (`ast`) of a statement; printing it (its `Display`) makes a text that parses to an equal
//! one. `plan` compares it with the schema and makes plans of reads and writes, as the typed interface does; [`Cql`] is a
//! session. How it works: `docs/cql.md`.
//!
//! # Cost
//! Parsing reads the text once and allocates what the tree holds. Length, tokens, levels and markers of a statement are
//! bounded ([`CQL_DEPTH_MAX`](crate::limits::CQL_DEPTH_MAX) and its like), and so is the stack that parsing, printing and dropping a tree take.
//!
//! # Source
//! Cassandra 5.0: its grammar, for what parses; its messages for what does not. Differences:
//! `docs/compatibility/cassandra.md`.

mod answer;
mod ast;
mod fault;
mod keyword;
mod lexer;
mod parser;
mod plan;
mod print;
#[allow(dead_code, reason = "not every door speaks CQL")]
mod served;
mod session;
mod text;
mod token;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use answer::CqlAnswer;
#[cfg(feature = "server")]
#[allow(unused_imports, reason = "not every door speaks CQL")]
pub(crate) use plan::{Columns, SerializedValue};
#[cfg(feature = "server")]
#[allow(unused_imports, reason = "not every door speaks CQL")]
pub(crate) use served::{BatchOf, Changed, Described, Effect, Marker, PageOf, Served, Times};
pub use session::{Cql, CqlStatement, PreparedStatement};

use crate::error::Result;

/// The statement of `text`, printed: what a fuzzer and a benchmark reach of the parser and the printer.
///
/// # Errors
/// Those of parsing: a text that is no statement, or one that is too long or too deep.
pub fn printed(text: &str) -> Result<String> {
    parser::parse(text).map(|parsed| parsed.to_string())
}

/// How many markers the statement of `text` has.
///
/// # Errors
/// Those of parsing: a text that is no statement, or one that is too long or too deep.
pub fn markers(text: &str) -> Result<usize> {
    parser::parse(text).map(|parsed| parsed.markers.len())
}
