//! The server: what it is, what it has done, what it is set to.

use std::fmt::Write;
use std::time::Duration;

use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, find, is};
use crate::server::redis::commands::all;
use crate::server::redis::key_words;

const ADMIN: Flags = Flags::ADMIN;
const GROUP: &str = "server";

pub(super) const COMMANDS: &[Command] = &[
    command("bgsave", -1, ADMIN, Keys::NONE, GROUP, background_save),
    command("command", -1, Flags::NONE, Keys::NONE, GROUP, commands),
    command("debug", -2, ADMIN, Keys::NONE, GROUP, debug),
    command("info", -1, Flags::NONE, Keys::NONE, GROUP, info),
    command("lastsave", 1, ADMIN.and(Flags::FAST), Keys::NONE, GROUP, last_save),
    command("lolwut", -1, Flags::READ.and(Flags::FAST), Keys::NONE, GROUP, lolwut),
    command("replicaof", 3, ADMIN, Keys::NONE, GROUP, replica_of),
    command("role", 1, ADMIN.and(Flags::FAST), Keys::NONE, GROUP, role),
    command("save", 1, ADMIN, Keys::NONE, GROUP, save),
    command("slaveof", 3, ADMIN, Keys::NONE, GROUP, replica_of),
    command("swapdb", 3, Flags::WRITE.and(Flags::FAST), Keys::NONE, GROUP, swap_db),
    command("time", 1, Flags::FAST, Keys::NONE, GROUP, time),
    command("wait", 3, Flags::NONE, Keys::NONE, GROUP, wait),
    command("waitaof", 4, Flags::NONE, Keys::NONE, GROUP, wait_aof),
];

fn time(call: &mut Call<'_>) -> Outcome {
    let micros = call.door.store.now().as_micros();
    call.reply.bulks([(micros.div_euclid(1_000_000)).to_string(), micros.rem_euclid(1_000_000).to_string()]);
    Ok(())
}

fn lolwut(call: &mut Call<'_>) -> Outcome {
    call.reply.verbatim(&format!(
        "Redis ver. {} (Larder {})\n",
        super::super::REDIS_VERSION,
        env!("CARGO_PKG_VERSION")
    ));
    Ok(())
}

fn role(call: &mut Call<'_>) -> Outcome {
    call.reply.array(3);
    call.reply.bulk("master");
    call.reply.integer(0);
    call.reply.array(0);
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

/// It is a master, and stays one.
fn replica_of(call: &mut Call<'_>) -> Outcome {
    if !is(call.word(1), "no") || !is(call.word(2), "one") {
        return Err(format!("ERR not supported: {}", String::from_utf8_lossy(call.word(0)).to_uppercase()).into());
    }
    call.reply.ok();
    Ok(())
}

/// Makes a checkpoint. What the requests before it in the same pipeline wrote is in the log, as always.
fn save(call: &mut Call<'_>) -> Outcome {
    call.door.store.checkpoint()?;
    call.door.last_save.set(call.door.store.now());
    call.reply.ok();
    Ok(())
}

fn background_save(call: &mut Call<'_>) -> Outcome {
    let store = call.door.store.clone();
    let started = std::thread::Builder::new().name("larder-save".to_owned()).spawn(move || {
        if let Err(error) = store.checkpoint() {
            tracing::error!(%error, "a checkpoint that a client asked for failed");
        }
    });
    started.map_err(|error| format!("ERR cannot start a thread: {error}"))?;
    call.door.last_save.set(call.door.store.now());
    call.reply.simple("Background saving started");
    Ok(())
}

fn last_save(call: &mut Call<'_>) -> Outcome {
    call.reply.integer(call.door.last_save.get().as_seconds());
    Ok(())
}

fn swap_db(_call: &mut Call<'_>) -> Outcome {
    Err("ERR not supported: SWAPDB".into())
}

fn debug(call: &mut Call<'_>) -> Outcome {
    match call.rest(1) {
        [name, _] if is(name, "sleep") => {
            let seconds = call.float(2)?;
            let pause = Duration::try_from_secs_f64(seconds).map_err(|_| Refusal::not_an_integer())?;
            std::thread::sleep(pause.min(Duration::from_mins(1)));
            call.reply.ok();
            Ok(())
        }
        _ => Err(format!("ERR not supported: DEBUG {}", String::from_utf8_lossy(call.word(1)).to_uppercase()).into()),
    }
}

fn commands(call: &mut Call<'_>) -> Outcome {
    match call.rest(1) {
        [] => {
            call.reply.array(all().count());
            all().for_each(|command| describe(call, command));
        }
        [name] if is(name, "count") => call.reply.count(all().count() as u64),
        [name, rest @ ..] if is(name, "info") => {
            let wanted: Vec<_> =
                if rest.is_empty() { all().map(Some).collect() } else { rest.iter().map(|name| find(name)).collect() };
            call.reply.array(wanted.len());
            for command in wanted {
                match command {
                    Some(command) => describe(call, command),
                    None => call.reply.nil_array(),
                }
            }
        }
        [name] if is(name, "list") => {
            let names: Vec<_> = all().map(|command| command.name).collect();
            call.reply.bulks(names);
        }
        [name, rest @ ..] if is(name, "docs") => {
            let wanted: Vec<_> =
                all().filter(|command| rest.is_empty() || rest.iter().any(|name| is(name, command.name))).collect();
            call.reply.map(wanted.len());
            for command in wanted {
                call.reply.bulk(command.name);
                call.reply.map(1);
                call.reply.bulk("group");
                call.reply.bulk(command.group);
            }
        }
        [name, words @ ..] if is(name, "getkeys") && !words.is_empty() => {
            let keys = keys_of(words)?;
            call.reply.bulks(keys);
        }
        _ => return Err("ERR unknown subcommand or wrong number of arguments for 'command'. Try COMMAND HELP.".into()),
    }
    Ok(())
}

fn describe(call: &mut Call<'_>, command: &Command) {
    call.reply.array(10);
    call.reply.bulk(command.name);
    call.reply.integer(command.arity.into());
    let flags: Vec<_> = command.flags.names().collect();
    call.reply.set(flags.len());
    for flag in flags {
        call.reply.simple(flag);
    }
    for number in [command.keys.first, command.keys.last, command.keys.step] {
        call.reply.integer(number.into());
    }
    // Categories of users, hints, key specifications and subcommands: none of them are kept.
    for _ in 0..4 {
        call.reply.array(0);
    }
}

/// The keys among the words of a command.
fn keys_of<'a>(words: &[&'a [u8]]) -> Result<Vec<&'a [u8]>, Refusal> {
    let command = words.first().and_then(|name| find(name)).ok_or("ERR Invalid command specified")?;
    if !command.has_arity(words.len()) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let mut keys = Vec::new();
    key_words::for_each(command, words, |key, _| keys.push(key));
    if keys.is_empty() {
        return Err("ERR The command has no key arguments".into());
    }
    Ok(keys)
}

fn info(call: &mut Call<'_>) -> Outcome {
    let wanted = call.rest(1);
    let is_wanted = |section: &str| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|word| is(word, section) || is(word, "all") || is(word, "everything") || is(word, "default"))
    };
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if is_wanted(&name.to_lowercase()) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {name}\r\n");
            write(call, &mut text)?;
        }
    }
    call.reply.verbatim(&text);
    Ok(())
}

type Section = fn(&Call<'_>, &mut String) -> Outcome;

const SECTIONS: [(&str, Section); 7] = [
    ("Server", server_section),
    ("Clients", clients_section),
    ("Memory", memory_section),
    ("Persistence", persistence_section),
    ("Stats", stats_section),
    ("Replication", replication_section),
    ("Keyspace", keyspace_section),
];

fn fields<'a>(text: &mut String, fields: impl IntoIterator<Item = (&'a str, String)>) -> Outcome {
    for (name, value) in fields {
        // Writing to a string does not fail.
        let _ = write!(text, "{name}:{value}\r\n");
    }
    Ok(())
}

fn server_section(call: &Call<'_>, text: &mut String) -> Outcome {
    let uptime = call.door.store.now().saturating_since(call.door.started).as_secs();
    fields(
        text,
        [
            ("redis_version", super::super::REDIS_VERSION.to_owned()),
            ("larder_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("redis_mode", "standalone".to_owned()),
            ("os", std::env::consts::OS.to_owned()),
            ("arch_bits", usize::BITS.to_string()),
            ("process_id", std::process::id().to_string()),
            ("tcp_port", call.door.address.port().to_string()),
            ("server_time_usec", call.door.store.now().as_micros().to_string()),
            ("uptime_in_seconds", uptime.to_string()),
            ("uptime_in_days", (uptime / 86_400).to_string()),
        ],
    )
}

fn clients_section(call: &Call<'_>, text: &mut String) -> Outcome {
    fields(
        text,
        [
            ("connected_clients", call.door.clients.borrow().len().to_string()),
            ("maxclients", call.door.parameters.number("maxclients").to_string()),
            ("blocked_clients", call.door.blocked.borrow().len().to_string()),
        ],
    )
}

fn memory_section(call: &Call<'_>, text: &mut String) -> Outcome {
    let stats = call.door.store.stats()?;
    let (budget, policy) = call.door.store.memory_budget();
    fields(
        text,
        [
            ("used_memory", stats.bytes.unwrap_or(0).to_string()),
            ("maxmemory", budget.unwrap_or(0).to_string()),
            ("maxmemory_policy", policy.name().to_owned()),
        ],
    )
}

fn persistence_section(call: &Call<'_>, text: &mut String) -> Outcome {
    let stats = call.door.store.stats()?;
    fields(
        text,
        [
            ("loading", "0".to_owned()),
            ("rdb_bgsave_in_progress", "0".to_owned()),
            ("rdb_last_save_time", call.door.last_save.get().as_seconds().to_string()),
            ("aof_enabled", u8::from(stats.disk_bytes > 0).to_string()),
            ("larder_commit", stats.commit.to_string()),
            ("larder_disk_bytes", stats.disk_bytes.to_string()),
            ("larder_syncs", stats.syncs.to_string()),
        ],
    )
}

fn stats_section(call: &Call<'_>, text: &mut String) -> Outcome {
    let counters = &call.door.counters;
    let metrics = call.door.meter.read().since(counters.before.get());
    let keys = call.door.store.key_stats();
    fields(
        text,
        [
            ("total_connections_received", metrics.connections.to_string()),
            ("total_commands_processed", metrics.requests.to_string()),
            ("total_net_input_bytes", metrics.read_bytes.to_string()),
            ("total_net_output_bytes", metrics.written_bytes.to_string()),
            ("expired_keys", keys.expired.to_string()),
            ("evicted_keys", keys.evicted.to_string()),
            ("keyspace_hits", counters.hits.get().to_string()),
            ("keyspace_misses", counters.misses.get().to_string()),
            ("total_error_replies", metrics.errors.to_string()),
        ],
    )
}

fn replication_section(_call: &Call<'_>, text: &mut String) -> Outcome {
    fields(text, [("role", "master".to_owned()), ("connected_slaves", "0".to_owned())])
}

fn keyspace_section(call: &Call<'_>, text: &mut String) -> Outcome {
    for database in 0..super::super::DATABASES.len() {
        let keys = call.kv_at(database).len()?;
        if keys > 0 {
            fields(text, [(&*format!("db{database}"), format!("keys={keys}"))])?;
        }
    }
    Ok(())
}
