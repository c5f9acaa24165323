//! Modules, of which there are none.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, container};
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

pub(super) const COMMANDS: &[Command] = &[container("module", Flags::ADMIN, Keys::NONE, "server", SUBCOMMANDS)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("help", 2, help),
    subcommand("list", 2, list),
    subcommand("load", -3, refuse),
    subcommand("loadex", -3, refuse),
    subcommand("unload", 3, refuse),
];

const HELP: &[&str] = &["MODULE <subcommand>. Subcommands are:", "HELP", "    This text.", "LIST", "    Empty."];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn list(call: &mut Call<'_>) -> Outcome {
    call.reply.array(0);
    Ok(())
}

fn refuse(call: &mut Call<'_>) -> Outcome {
    Err(format!("ERR not supported: MODULE {}", String::from_utf8_lossy(call.word(1)).to_uppercase()).into())
}
