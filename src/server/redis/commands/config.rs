//! Parameters.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, container};
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

pub(super) const COMMANDS: &[Command] = &[container("config", Flags::ADMIN, Keys::NONE, "server", SUBCOMMANDS)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("get", -3, get),
    subcommand("help", 2, help),
    subcommand("resetstat", 2, reset_stat),
    subcommand("rewrite", 2, |_| Err("ERR The server is running without a config file".into())),
    subcommand("set", -4, set),
];

const HELP: &[&str] = &[
    "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET <pattern> [<pattern> ...]",
    "    Parameters whose names match, with their values.",
    "HELP",
    "    This text.",
    "RESETSTAT",
    "    Count anew what INFO counts.",
    "REWRITE",
    "    Refused: there is no file of parameters.",
    "SET <parameter> <value> [<parameter> <value> ...]",
    "    Set parameters, all or none.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn get(call: &mut Call<'_>) -> Outcome {
    let patterns: Vec<_> = call.rest(2).iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
    let found = call.door.parameters.matching(&patterns, &call.door.store);
    call.reply.map(found.len());
    for (name, value) in found {
        call.reply.bulk(name);
        call.reply.bulk(value);
    }
    Ok(())
}

fn set(call: &mut Call<'_>) -> Outcome {
    let (pairs, rest) = call.rest(2).as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Refusal::syntax());
    }
    call.door.parameters.set(pairs, &call.door.store, &call.door.users)?;
    call.reply.ok();
    Ok(())
}

fn reset_stat(call: &mut Call<'_>) -> Outcome {
    call.door.counters.reset(call.door.meter.read());
    call.door.tally.reset();
    call.reply.ok();
    Ok(())
}
