//! Latencies, of which none are kept, as in a server whose `latency-monitor-threshold` is 0.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, container};
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

pub(super) const COMMANDS: &[Command] = &[container("latency", Flags::ADMIN, Keys::NONE, "server", SUBCOMMANDS)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("doctor", 2, doctor),
    subcommand("graph", 3, graph),
    subcommand("help", 2, help),
    subcommand("histogram", -2, histogram),
    subcommand("history", 3, none),
    subcommand("latest", 2, none),
    subcommand("reset", -2, reset),
];

const HELP: &[&str] = &[
    "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR",
    "    Says that nothing is kept.",
    "GRAPH <event>",
    "    Refused: there are no samples.",
    "HELP",
    "    This text.",
    "HISTOGRAM [<command> ...]",
    "    Empty: how long commands take is not kept; SLOWLOG has those that took long.",
    "HISTORY <event>",
    "    Empty.",
    "LATEST",
    "    Empty.",
    "RESET [<event> ...]",
    "    Nothing to forget.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn none(call: &mut Call<'_>) -> Outcome {
    call.reply.array(0);
    Ok(())
}

fn histogram(call: &mut Call<'_>) -> Outcome {
    call.reply.map(0);
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Outcome {
    call.reply.integer(0);
    Ok(())
}

fn doctor(call: &mut Call<'_>) -> Outcome {
    call.reply.verbatim("Latencies are not monitored here; SLOWLOG has the commands that took long.\n");
    Ok(())
}

fn graph(call: &mut Call<'_>) -> Outcome {
    Err(format!("ERR No samples available for event '{}'", String::from_utf8_lossy(call.word(2))).into())
}
