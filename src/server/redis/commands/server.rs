//! The server: its time, its checkpoints, its end.

use crate::server::redis::options::{DATABASES, REDIS_VERSION};
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, is};

pub(super) const COMMANDS: &[Handler] = &[
    command("bgrewriteaof", rewrite_log),
    command("bgsave", background_save),
    command("lastsave", last_save),
    command("lolwut", lolwut),
    command("save", save),
    command("shutdown", shutdown),
    command("swapdb", swap_db),
    command("time", time),
    command("wait", wait),
    command("waitaof", wait_aof),
];

fn time(call: &mut Call<'_>) -> Outcome {
    let micros = call.door.store.now().as_micros();
    call.reply.bulks([(micros.div_euclid(1_000_000)).to_string(), micros.rem_euclid(1_000_000).to_string()]);
    Ok(())
}

fn lolwut(call: &mut Call<'_>) -> Outcome {
    call.reply.verbatim(&format!("Redis ver. {} (Larder {})\n", REDIS_VERSION, env!("CARGO_PKG_VERSION")));
    Ok(())
}

/// There are no replicas to wait for.
fn wait(call: &mut Call<'_>) -> Outcome {
    call.integer(1)?;
    if call.integer(2)? < 0 {
        return Err("ERR timeout is negative".into());
    }
    call.reply.integer(0);
    Ok(())
}

/// A reply is sent when what was written before is durable; there are no replicas to wait for.
fn wait_aof(call: &mut Call<'_>) -> Outcome {
    let (local, replicas) = (call.integer(1)?, call.integer(2)?);
    if !(0..=1).contains(&local) || replicas < 0 {
        return Err("ERR value is out of range, must be positive".into());
    }
    if call.integer(3)? < 0 {
        return Err("ERR timeout is negative".into());
    }
    if local > 0 && call.door.store.stats()?.disk_bytes == 0 {
        return Err("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.".into());
    }
    // What was answered is as durable as the store makes it; waiting changes nothing.
    call.reply.array(2);
    call.reply.integer(local);
    call.reply.integer(0);
    Ok(())
}

/// Makes a checkpoint. What the requests before it in the same pipeline wrote is in the log, as always.
fn save(call: &mut Call<'_>) -> Outcome {
    if call.door.saves.is_running() {
        return Err("ERR Background save already in progress".into());
    }
    call.door.saves.save(&call.door.store)?;
    call.reply.ok();
    Ok(())
}

fn background_save(call: &mut Call<'_>) -> Outcome {
    if !matches!(call.rest(1), [] | [_]) || call.rest(1).first().is_some_and(|word| !is(word, "schedule")) {
        return Err(Refusal::syntax());
    }
    begin_save(call, "ERR Background save already in progress")?;
    call.reply.simple("Background saving started");
    Ok(())
}

/// This is a checkpoint too: checkpoints are what shorten the log.
fn rewrite_log(call: &mut Call<'_>) -> Outcome {
    begin_save(call, "ERR Background append only file rewriting already in progress")?;
    call.reply.simple("Background append only file rewriting started");
    Ok(())
}

fn begin_save(call: &Call<'_>, refusal: &str) -> Outcome {
    let begun =
        call.door.saves.begin(&call.door.store).map_err(|error| format!("ERR cannot start a thread: {error}"))?;
    if begun { Ok(()) } else { Err(refusal.into()) }
}

fn last_save(call: &mut Call<'_>) -> Outcome {
    call.reply.integer(call.door.saves.last().as_seconds());
    Ok(())
}

/// Asks the program that opened the door to exit; refused unless it registered `on_shutdown`.
fn shutdown(call: &mut Call<'_>) -> Outcome {
    let (mut saves, mut keeps, mut aborts) = (false, false, false);
    let words = call.rest(1);
    for word in words {
        match () {
            () if is(word, "save") => saves = true,
            () if is(word, "nosave") => keeps = true,
            () if is(word, "abort") => aborts = true,
            () if is(word, "now") || is(word, "force") => {}
            () => return Err(Refusal::syntax()),
        }
    }
    if (saves && keeps) || (aborts && words.len() > 1) {
        return Err(Refusal::syntax());
    }
    if aborts {
        return Err("ERR No shutdown in progress.".into());
    }
    let Some(end) = &call.door.shutdown else {
        return Err(
            "ERR not supported: SHUTDOWN, for the program that opened this door did not say how to end it".into()
        );
    };
    if saves {
        call.door.saves.save(&call.door.store)?;
    }
    end.call();
    call.session.is_closing = true;
    Ok(())
}

fn swap_db(call: &mut Call<'_>) -> Outcome {
    let first = call.integer(1).map_err(|_| "ERR invalid first DB index")?;
    let second = call.integer(2).map_err(|_| "ERR invalid second DB index")?;
    let number = |number: i64| usize::try_from(number).ok().filter(|number| *number < DATABASES.len());
    let (Some(first), Some(second)) = (number(first), number(second)) else {
        return Err("ERR DB index is out of range".into());
    };
    call.kv_at(first).swap(&call.kv_at(second))?;
    if first == second {
        call.transaction.set_changes(call.transaction.changes() + 1);
    }
    call.reply.ok();
    Ok(())
}
