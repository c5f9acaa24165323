//! Parameters.

use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, container, help, integer, is};

pub(super) const COMMANDS: &[Handler] = &[container("config", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] = &[
    command("get", get),
    command("help", help),
    command("resetstat", reset_stat),
    command("rewrite", |_| Err("ERR The server is running without a config file".into())),
    command("set", set),
];

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
    call.door.heed_parameters();
    call.reply.ok();
    Ok(())
}

/// Refuses a number of clients that the system has no open files for.
fn check_clients(call: &Call<'_>, pairs: &[[&[u8]; 2]]) -> Outcome {
    let most = call.door.shared.sockets_max();
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
    call.door.counters.reset(call.door.counted());
    call.door.calls.tally.reset();
    call.reply.ok();
    Ok(())
}
