//! What keys take.

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, container, integer, is};
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

pub(super) const COMMANDS: &[Command] = &[container("memory", Flags::READ, Keys::NONE, "server", SUBCOMMANDS)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("doctor", 2, |call| tell(call, "Nothing is examined here: MEMORY STATS has what the keys take.\n")),
    subcommand("help", 2, help),
    subcommand("malloc-stats", 2, |call| tell(call, "The allocator is the system's, and tells nothing.\n")),
    subcommand("purge", 2, purge),
    subcommand("stats", 2, stats),
    subcommand("usage", -3, usage),
];

const HELP: &[&str] = &[
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR",
    "    Says that nothing is examined.",
    "HELP",
    "    This text.",
    "MALLOC-STATS",
    "    Says that the allocator tells nothing.",
    "PURGE",
    "    Does nothing: the store keeps no memory that it could give back.",
    "STATS",
    "    Bytes and number of the keys.",
    "USAGE <key> [SAMPLES <count>]",
    "    Bytes of everything that is stored for a key; all of it is counted.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn tell(call: &mut Call<'_>, text: &str) -> Outcome {
    call.reply.verbatim(text);
    Ok(())
}

fn purge(call: &mut Call<'_>) -> Outcome {
    call.reply.ok();
    Ok(())
}

fn stats(call: &mut Call<'_>) -> Outcome {
    let bytes = call.door.store.stats()?.bytes.unwrap_or(0);
    let mut keys = 0;
    for database in 0..super::super::DATABASES.len() {
        keys += call.kv_at(database).len()?;
    }
    let per_key = bytes.checked_div(keys).unwrap_or(0);
    let numbers =
        [("total.allocated", bytes), ("dataset.bytes", bytes), ("keys.count", keys), ("keys.bytes-per-key", per_key)];
    call.reply.map(numbers.len());
    for (name, number) in numbers {
        call.reply.bulk(name);
        call.reply.count(number);
    }
    Ok(())
}

fn usage(call: &mut Call<'_>) -> Outcome {
    match call.rest(3) {
        [] => {}
        [word, samples] if is(word, "samples") => {
            if integer(samples).ok_or_else(Refusal::not_an_integer)? < 0 {
                return Err(Refusal::syntax());
            }
        }
        _ => return Err(Refusal::syntax()),
    }
    match call.kv().bytes_of(call.word(2))? {
        Some(bytes) => call.reply.count(bytes),
        None => call.reply.nil(),
    }
    Ok(())
}
