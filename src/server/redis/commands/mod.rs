//! The commands, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "the table has one signature for all of them")]

mod acl;
mod connection;
mod hashes;
mod keys;
mod lists;
mod pubsub;
mod scan;
mod server;
mod sets;
mod sorted_sets;
mod strings;
mod transactions;

pub(super) use acl::permit;

use crate::server::redis::command::Command;

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    [
        acl::COMMANDS,
        connection::COMMANDS,
        hashes::COMMANDS,
        keys::COMMANDS,
        lists::COMMANDS,
        pubsub::COMMANDS,
        server::COMMANDS,
        sets::COMMANDS,
        sorted_sets::COMMANDS,
        strings::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
}
