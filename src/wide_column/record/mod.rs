//! Rows and partition headers as bytes: read without taking them apart, merged from bytes to bytes.
//!
//! # Storage
//! | bytes | field    | encoding                                                                        |
//! |-------|----------|---------------------------------------------------------------------------------|
//! | 1     | format   | `0x02`                                                                          |
//! | 1     | flags    | which of the following there are, in this order                                 |
//! | 8     | time     | `01`: the timestamp that most cells have, as an ordered i64                     |
//! | 1..   | expiry   | `02`: what has that time expires: the second at which it does, and the time to live |
//! | 1..   | expired  | `04`: it has expired: the second                                                |
//! | 0     | marker   | `08`: the row exists without any cell; time and expiry are those above           |
//! | 9..   | deletion | `10`: the timestamp, as an ordered i64, and the local time                       |
//! | 1..   | kept     | `20`: what of the row's key does not come back from it: how many; of each which part (0 is the partition key, then the clustering columns), length and bytes |
//! | 0..   | cells    | to the end, by column and part                                                  |
//!
//! | bytes | of a cell   | encoding                                                                 |
//! |-------|-------------|--------------------------------------------------------------------------|
//! | 1..   | column      | its id                                                                   |
//! | 1     | kind        | `00` live, `01` expiring, `02` expired, `03` tombstone, `04` counter, `05` deletion of all parts; `08` time and `10` expiry are those of the row, `20` it is a part |
//! | 1..   | time        | unless `08`: how much later than the row's                               |
//! | 1..   | local time  | expiring (unless `10`), expired, tombstone, deletion: the second         |
//! | 1..   | ttl         | expiring (unless `10`): seconds                                          |
//! | 1..   | part        | `20`: length and bytes: the element, key, or place in a list             |
//! | 1..   | value       | live and expiring: length and bytes; counter: what it has come to         |
//!
//! Numbers are of variable length ([`vint`](crate::wide_column::vint)), those that can be negative signed, unless said otherwise. The row's time is the marker's, or
//! else the first cell's.
//!
//! # Invariants
//! 1. A row holds nothing that its own deletion covers, and no part of a column that the deletion of that column's parts covers.
//! 2. The deadline of a row ([`Built::deadline`]) follows from the row and its table's grace alone.

mod build;
mod merge;
mod view;

pub(super) use build::{Builder, Built};
pub(crate) use merge::Parts;
pub(super) use merge::{Rules, merge, supersedes};
pub(super) use view::{CellView, Part, RowView, cells_of_plain, first_plain, value_of_first};

const FORMAT: u8 = 0x02;

const HAS_TIME: u8 = 0x01;
const EXPIRES: u8 = 0x02;
const IS_EXPIRED: u8 = 0x04;
const HAS_MARKER: u8 = 0x08;
const HAS_DELETION: u8 = 0x10;
const HAS_KEPT: u8 = 0x20;

const LIVE: u8 = 0x00;
const EXPIRING: u8 = 0x01;
const EXPIRED: u8 = 0x02;
const TOMBSTONE: u8 = 0x03;
const COUNTER: u8 = 0x04;
const DELETION: u8 = 0x05;
const KIND: u8 = 0x07;
const OF_ROW_TIME: u8 = 0x08;
const OF_ROW_EXPIRY: u8 = 0x10;
const HAS_PART: u8 = 0x20;

#[cfg(test)]
mod tests;
