//! The commands, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "the table has one signature for all of them")]

mod bitmaps;
mod connection;
mod dump;
mod geo;
mod geo_search;
mod hashes;
mod hyperloglogs;
mod key_places;
mod keys;
mod lists;
mod pubsub;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod stream_groups;
mod stream_info;
mod stream_reads;
mod streams;
mod strings;
mod transactions;

use crate::server::redis::command::Command;

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    [
        bitmaps::COMMANDS,
        connection::COMMANDS,
        dump::COMMANDS,
        geo::COMMANDS,
        hashes::COMMANDS,
        hyperloglogs::COMMANDS,
        keys::COMMANDS,
        lists::COMMANDS,
        pubsub::COMMANDS,
        scripting::COMMANDS,
        server::COMMANDS,
        sets::COMMANDS,
        sorted_sets::COMMANDS,
        streams::COMMANDS,
        strings::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
}
