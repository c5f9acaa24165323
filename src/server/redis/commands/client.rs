//! What a client says of itself, and does to others.

use std::time::Duration;

use crate::server::redis::command::{Call, Outcome, Refusal, integer, is};
use crate::server::redis::commands::client_list::{info, kill, list};
use crate::server::redis::door::Client;
use crate::server::redis::pause::Held;
use crate::server::redis::session::Silence;
use crate::server::redis::subcommand::{Subcommand, subcommand, write_help};

pub(super) const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("caching", 3, caching),
    subcommand("getname", 2, get_name),
    subcommand("getredir", 2, get_redirection),
    subcommand("help", 2, help),
    subcommand("id", 2, id),
    subcommand("info", 2, info),
    subcommand("kill", -3, kill),
    subcommand("list", -2, list),
    subcommand("no-evict", 3, |call| switch(call, |client, is_on| client.is_not_evicted.set(is_on))),
    subcommand("no-touch", 3, no_touch),
    subcommand("pause", -3, pause),
    subcommand("reply", 3, reply),
    subcommand("setinfo", 4, set_info),
    subcommand("setname", 3, name),
    subcommand("tracking", -3, tracking),
    subcommand("trackinginfo", 2, tracking_info),
    subcommand("unblock", -3, unblock),
    subcommand("unpause", 2, unpause),
];

const HELP: &[&str] = &[
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CACHING (YES|NO)",
    "    Refused: keys are not tracked for clients.",
    "GETNAME",
    "    The name of this connection.",
    "GETREDIR",
    "    -1: keys are not tracked for clients.",
    "HELP",
    "    This text.",
    "ID",
    "    The number of this connection.",
    "INFO",
    "    The line of CLIENT LIST for this connection.",
    "KILL <ip:port>",
    "    Part with the client at an address.",
    "KILL <option> <value> [<option> <value> ...]",
    "    Part with the clients that all options mean: ID <id>, TYPE (NORMAL|MASTER|REPLICA|PUBSUB), USER <name>,",
    "    ADDR <ip:port>, LADDR <ip:port>, MAXAGE <seconds>; and with this one too after SKIPME NO.",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <id> [<id> ...]]",
    "    A line for each connection.",
    "NO-EVICT (ON|OFF)",
    "    Whether this client is kept when all clients together take up too much.",
    "NO-TOUCH (ON|OFF)",
    "    Whether what this client uses, other than by TOUCH, leaves no trace for eviction.",
    "PAUSE <milliseconds> [WRITE|ALL]",
    "    Have the requests of clients wait for a time, or those of them that write.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether replies are sent.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    The library that the client uses.",
    "SETNAME <name>",
    "    Give this connection a name.",
    "TRACKING (ON|OFF) [<option> ...]",
    "    Refused unless OFF: keys are not tracked for clients.",
    "TRACKINGINFO",
    "    How keys are tracked for this connection: not at all.",
    "UNBLOCK <id> [TIMEOUT|ERROR]",
    "    End the waiting of a client.",
    "UNPAUSE",
    "    End a pause.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn id(call: &mut Call<'_>) -> Outcome {
    call.reply.count(call.session.id);
    Ok(())
}

fn get_name(call: &mut Call<'_>) -> Outcome {
    let name = Some(&call.session.name).filter(|name| !name.is_empty()).cloned();
    call.reply.bulk_or_nil(name);
    Ok(())
}

fn name(call: &mut Call<'_>) -> Outcome {
    check_name(call.word(2))?;
    set_name(call, call.word(2));
    call.reply.ok();
    Ok(())
}

pub(super) fn check_name(name: &[u8]) -> Outcome {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(());
    }
    Err("ERR Client names cannot contain spaces, newlines or special characters.".into())
}

pub(super) fn set_name(call: &mut Call<'_>, name: &[u8]) {
    call.session.name = name.to_vec();
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        *client.name.borrow_mut() = name.to_vec();
    }
}

fn set_info(call: &mut Call<'_>) -> Outcome {
    let (attribute, value) = (call.word(2), call.word(3));
    check_name(value).map_err(|_| {
        let name = String::from_utf8_lossy(attribute).to_lowercase();
        Refusal::Text(format!("ERR {name} cannot contain spaces, newlines or special characters."))
    })?;
    if is(attribute, "lib-name") {
        call.session.library_name = value.to_vec();
    } else if is(attribute, "lib-ver") {
        call.session.library_version = value.to_vec();
    } else {
        return Err(format!("ERR Unrecognized option '{}'", String::from_utf8_lossy(attribute)).into());
    }
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        let library = (call.session.library_name.clone(), call.session.library_version.clone());
        *client.library.borrow_mut() = library;
    }
    call.reply.ok();
    Ok(())
}

fn reply(call: &mut Call<'_>) -> Outcome {
    call.session.silence = match call.word(2) {
        mode if is(mode, "on") => Silence::No,
        mode if is(mode, "off") => Silence::All,
        mode if is(mode, "skip") => Silence::Next,
        _ => return Err(Refusal::syntax()),
    };
    if call.session.silence == Silence::No {
        call.reply.ok();
    }
    Ok(())
}

/// Turns something of the client's on or off.
fn switch(call: &mut Call<'_>, set: fn(&Client, bool)) -> Outcome {
    let is_on = match call.word(2) {
        mode if is(mode, "on") => true,
        mode if is(mode, "off") => false,
        _ => return Err(Refusal::syntax()),
    };
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        set(client, is_on);
    }
    call.reply.ok();
    Ok(())
}

fn no_touch(call: &mut Call<'_>) -> Outcome {
    switch(call, |client, is_on| client.is_not_touching.set(is_on))?;
    call.transaction.set_counts_uses(is(call.word(2), "off"));
    Ok(())
}

fn pause(call: &mut Call<'_>) -> Outcome {
    let held = match call.rest(3) {
        [] => Held::All,
        [mode] if is(mode, "all") => Held::All,
        [mode] if is(mode, "write") => Held::Writes,
        [_] => return Err("ERR CLIENT PAUSE mode must be WRITE or ALL".into()),
        _ => return Err(Refusal::syntax()),
    };
    let millis = integer(call.word(2)).ok_or("ERR timeout is not an integer or out of range")?;
    let millis = u64::try_from(millis).map_err(|_| "ERR timeout is negative")?;
    call.door.pause.begin(Duration::from_millis(millis), held);
    call.reply.ok();
    Ok(())
}

fn unpause(call: &mut Call<'_>) -> Outcome {
    call.door.pause.end();
    call.reply.ok();
    Ok(())
}

/// Nobody is told of keys that change.
fn caching(_: &mut Call<'_>) -> Outcome {
    Err("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
        .into())
}

fn tracking(call: &mut Call<'_>) -> Outcome {
    if is(call.word(2), "off") {
        call.reply.ok();
        return Ok(());
    }
    Err(if is(call.word(2), "on") { "ERR not supported: CLIENT TRACKING ON".into() } else { Refusal::syntax() })
}

fn get_redirection(call: &mut Call<'_>) -> Outcome {
    call.reply.integer(-1);
    Ok(())
}

fn tracking_info(call: &mut Call<'_>) -> Outcome {
    call.reply.map(3);
    call.reply.bulk("flags");
    call.reply.set(1);
    call.reply.bulk("off");
    call.reply.bulk("redirect");
    call.reply.integer(-1);
    call.reply.bulk("prefixes");
    call.reply.array(0);
    Ok(())
}

/// Ends the waiting of another client, as if its time were over or with an error.
fn unblock(call: &mut Call<'_>) -> Outcome {
    let error = match call.rest(3) {
        [] => None,
        [reason] if is(reason, "timeout") => None,
        [reason] if is(reason, "error") => Some("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        [_] => return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR".into()),
        _ => return Err(Refusal::syntax()),
    };
    let id = call.integer(2)?;
    let was_waiting = u64::try_from(id).is_ok_and(|id| call.door.blocked.borrow_mut().release(id, error));
    call.door.blocked.borrow_mut().listen(&call.door.store, &call.door.ears);
    call.reply.flag(was_waiting);
    Ok(())
}
