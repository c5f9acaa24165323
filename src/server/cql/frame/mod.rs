//! The native protocol of Cassandra as bytes, in versions 4 and 5: frames, segments, compression, requests and replies.
//!
//! Nothing here knows a store. Requests are read in place, replies written once.
//!
//! # Invariants
//! 1. Whatever bytes come, reading them is a request or a [`Malformed`], never a panic; nothing is set aside for a length or count
//!    before it has been compared with a limit or with what is there.
//! 2. A body is read to its end.
//!
//! # Source
//! Cassandra's documentation: *CQL binary protocol*, versions 4 and 5.

mod column;
mod compression;
mod consistency;
mod failure;
mod header;
mod malformed;
mod reader;
mod request;
mod response;
mod segment;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use column::{ColumnSpec, DataType, Metadata, Rows, Simple};
#[cfg(test)]
pub(crate) use compression::compress_body;
pub(crate) use compression::decompress_body;
pub(crate) use consistency::Consistency;
pub(crate) use failure::{Failure, What, WriteKind};
pub(crate) use header::{Flags, HEADER_BYTES, Header, Operation, Refused, Version};
pub(crate) use malformed::Malformed;
pub(crate) use reader::Value;
pub(crate) use request::{Batch, BatchKind, BatchStatement, EventKind, Parameters, Request};
pub(crate) use response::{Change, Reply, Response, Target};
pub(crate) use segment::{Segment, write_segments};
pub(crate) use writer::TooLong;
