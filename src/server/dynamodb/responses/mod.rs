//! What operations return, written as JSON.

mod batch;
mod capacity;
mod items;
mod statements;
mod streams;
mod tables;
mod transfers;
mod values;

pub(super) use self::batch::{batch_get, batch_write, transact_get, transact_write};
pub(super) use self::items::{get, read, write};
pub(super) use self::statements::{batch_statements, statement, transaction};
pub(super) use self::streams::{records, stream, streams};
pub(super) use self::tables::{continuous_backups, endpoint, limits, table, tables, tags, time_to_live};
pub(super) use self::transfers::{export, exports, import, imports};
pub(super) use self::values::write_item;
