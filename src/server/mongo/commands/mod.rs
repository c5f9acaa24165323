//! The commands, a family a file.

mod aggregate;
mod authentication;
mod bulk;
mod coll_mod;
mod collections;
mod create;
mod cursors;
mod diagnostics;
mod explain;
mod find;
mod handshake;
mod indexes;
mod modify;
mod operations;
mod pipeline;
mod sessions;
mod sources;
mod stats;
mod upkeep;
mod write;

pub(super) use sessions::session_id;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::server::mongo::command::Command;

/// Every command, by family.
const FAMILIES: &[&[Command]] = &[
    handshake::COMMANDS,
    authentication::COMMANDS,
    diagnostics::COMMANDS,
    sessions::COMMANDS,
    find::COMMANDS,
    aggregate::COMMANDS,
    cursors::COMMANDS,
    explain::COMMANDS,
    write::COMMANDS,
    bulk::COMMANDS,
    modify::COMMANDS,
    stats::COMMANDS,
    operations::COMMANDS,
    collections::COMMANDS,
    create::COMMANDS,
    indexes::COMMANDS,
    coll_mod::COMMANDS,
    upkeep::COMMANDS,
];

/// Commands by each of their names, with the slot they are counted in. Names are told apart by their case, as in the original.
static BY_NAME: LazyLock<HashMap<&'static str, (usize, &'static Command)>> = LazyLock::new(|| {
    let names = |(slot, command): (usize, &'static Command)| {
        let all = std::iter::once(command.name).chain(command.aliases.iter().copied());
        all.map(move |name| (name, (slot, command)))
    };
    every().enumerate().flat_map(names).collect()
});

/// The names of all commands, by slot.
pub(super) fn names() -> Arc<[String]> {
    every().map(|command| command.name.to_owned()).collect()
}

/// The number under which the command of this name is counted.
pub(super) fn slot(name: &str) -> Option<usize> {
    BY_NAME.get(name).map(|(slot, _)| *slot)
}

/// All commands.
pub(super) fn every() -> impl Iterator<Item = &'static Command> {
    FAMILIES.iter().copied().flatten()
}

/// The command of this name.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    BY_NAME.get(name).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests;
