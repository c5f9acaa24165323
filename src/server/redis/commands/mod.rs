//! The commands, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "the table has one signature for all of them")]

mod connection;
mod dump;
mod hashes;
mod keys;
mod lists;
mod pubsub;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod strings;
mod transactions;

use crate::server::redis::command::Command;

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    [
        connection::COMMANDS,
        dump::COMMANDS,
        hashes::COMMANDS,
        keys::COMMANDS,
        lists::COMMANDS,
        pubsub::COMMANDS,
        scripting::COMMANDS,
        server::COMMANDS,
        sets::COMMANDS,
        sorted_sets::COMMANDS,
        strings::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
}
