//! Requests of the model, read from JSON whose members have been checked.
//!
//! A request that has a member which the service knows and nothing here reads is refused by the name of that member.

mod batch;
mod items;
mod reader;
mod statements;
mod streams;
mod tables;
mod transfers;
mod values;

pub(super) use batch::{batch_get_item, batch_write_item, transact_get_items, transact_write_items};
pub(super) use items::{delete_item, get_item, put_item, query, scan, update_item};
pub(super) use reader::Reader;
pub(super) use statements::{batch_execute_statement, execute_statement, execute_transaction};
pub(super) use streams::{describe_stream, get_records, get_shard_iterator, list_streams};
pub(super) use tables::{create_table, list_tables, tag_resource, untag_resource, update_table, update_time_to_live};
pub(super) use transfers::{export_table, import_table, list_exports, list_imports, update_continuous_backups};
