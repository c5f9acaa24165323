//! Commands that took long.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, container, integer};
use crate::server::redis::subcommand::{Subcommand, subcommand, unknown_option, write_help};

pub(super) const COMMANDS: &[Command] = &[container("slowlog", Flags::ADMIN, Keys::NONE, "server", SUBCOMMANDS)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("get", -2, get),
    subcommand("help", 2, help),
    subcommand("len", 2, len),
    subcommand("reset", 2, reset),
];

/// Entries that `SLOWLOG GET` gives unless told otherwise.
const SHOWN: usize = 10;

const HELP: &[&str] = &[
    "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET [<count>]",
    "    The newest entries, 10 unless said otherwise; all for -1.",
    "HELP",
    "    This text.",
    "LEN",
    "    How many entries there are.",
    "RESET",
    "    Forget them.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn get(call: &mut Call<'_>) -> Outcome {
    let shown = match call.rest(2) {
        [] => SHOWN,
        [count] => match integer(count) {
            Some(-1) => usize::MAX,
            Some(count @ 0..) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return Err("ERR count should be greater than or equal to -1".into()),
        },
        _ => return Err(unknown_option(call)),
    };
    let log = call.door.slow_log.borrow();
    call.reply.array(log.len().min(shown));
    for entry in log.entries().take(shown) {
        call.reply.array(6);
        call.reply.count(entry.id);
        call.reply.integer(entry.at.as_seconds());
        call.reply.count(entry.micros);
        call.reply.bulks(&entry.words);
        call.reply.bulk(&entry.address);
        call.reply.bulk(&entry.name);
    }
    Ok(())
}

fn len(call: &mut Call<'_>) -> Outcome {
    let len = call.door.slow_log.borrow().len();
    call.reply.count(len as u64);
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Outcome {
    call.door.slow_log.borrow_mut().clear();
    call.reply.ok();
    Ok(())
}
