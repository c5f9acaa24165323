//! The commands, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "the table has one signature for all of them")]

mod combinations;
mod connection;
mod hashes;
mod keys;
mod lcs;
mod lists;
mod pubsub;
mod ranges;
mod scan;
mod server;
mod sets;
mod sort;
mod sorted_sets;
mod strings;
mod transactions;
mod waiting;

use crate::server::redis::command::Command;

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    [
        combinations::COMMANDS,
        connection::COMMANDS,
        hashes::COMMANDS,
        keys::COMMANDS,
        lcs::COMMANDS,
        lists::COMMANDS,
        pubsub::COMMANDS,
        ranges::COMMANDS,
        server::COMMANDS,
        sets::COMMANDS,
        sort::COMMANDS,
        sorted_sets::COMMANDS,
        strings::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
}
