//! Parameters.

use crate::server::redis::bounds::Bounds;
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, container, integer, is};
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
    check_clients(call, pairs)?;
    call.door.parameters.set(pairs, &call.door.store, &call.door.users)?;
    call.door.bounds.set(Bounds::of(&call.door.parameters));
    call.reply.ok();
    Ok(())
}

/// Refuses a number of clients that the system has no open files for.
fn check_clients(call: &Call<'_>, pairs: &[[&[u8]; 2]]) -> Outcome {
    let most = call.door.clients_max;
    let wanted = pairs.iter().find(|[name, _]| is(name, "maxclients")).and_then(|[_, value]| integer(value));
    if wanted.is_some_and(|wanted| usize::try_from(wanted).is_ok_and(|wanted| wanted > most)) {
        return Err(format!(
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle \
             the specified number of clients, try with {most}"
        )
        .into());
    }
    Ok(())
}

fn reset_stat(call: &mut Call<'_>) -> Outcome {
    call.door.counters.reset(call.door.meter.read());
    call.door.tally.reset();
    call.reply.ok();
    Ok(())
}
