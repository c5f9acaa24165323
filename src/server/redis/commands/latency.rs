//! Latencies: how long the calls of commands took. Single events are not kept, as in a server whose
//! `latency-monitor-threshold` is 0.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, container, is};
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
    "    How many calls took no longer than so many microseconds.",
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
    let names = call.rest(2);
    // A command stands for its subcommands too.
    let is_meant = |name: &str| {
        let command = name.split('|').next().unwrap_or(name);
        names.is_empty() || names.iter().any(|word| is(word, name) || is(word, command))
    };
    let lines = call.door.tally.lines().filter(|(name, line)| line.calls.get() > 0 && is_meant(name));
    let lines: Vec<_> = lines.map(|(name, line)| (name, line.calls.get(), line.histogram())).collect();
    call.reply.map(lines.len());
    for (name, calls, buckets) in lines {
        call.reply.bulk(name);
        call.reply.map(2);
        call.reply.bulk("calls");
        call.reply.count(calls);
        call.reply.bulk("histogram_usec");
        call.reply.map(buckets.len());
        for (micros, count) in buckets {
            call.reply.count(micros);
            call.reply.count(count);
        }
    }
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
