//! What keys take.

use crate::server::redis::options::DATABASES;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, container, help, integer, is};

pub(super) const COMMANDS: &[Handler] = &[container("memory", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] = &[
    command("doctor", |call| tell(call, "Nothing is examined here: MEMORY STATS has what the keys take.\n")),
    command("help", help),
    command("malloc-stats", |call| tell(call, "The allocator is the system's, and tells nothing.\n")),
    command("purge", purge),
    command("stats", stats),
    command("usage", usage),
];

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
    for database in 0..DATABASES.len() {
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
