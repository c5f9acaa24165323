//! What a client says of itself, and does to others.

use std::time::Duration;

use crate::server::redis::commands::client_list::{info, kill, list};
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, help, integer, is};
use crate::server::redis::state::client::Client;
use crate::server::redis::state::pause::Held;
use crate::server::redis::state::session::Silence;

pub(super) const SUBCOMMANDS: &[Handler] = &[
    command("caching", caching),
    command("getname", get_name),
    command("getredir", get_redirection),
    command("help", help),
    command("id", id),
    command("info", info),
    command("kill", kill),
    command("list", list),
    command("no-evict", |call| switch(call, |client, is_on| client.is_evictable.set(!is_on))),
    command("no-touch", no_touch),
    command("pause", pause),
    command("reply", reply),
    command("setinfo", set_info),
    command("setname", name),
    command("tracking", tracking),
    command("trackinginfo", tracking_info),
    command("unblock", unblock),
    command("unpause", unpause),
];

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
    if let Some(client) = call.door.clients.get(call.session.id) {
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
    if let Some(client) = call.door.clients.get(call.session.id) {
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
    if let Some(client) = call.door.clients.get(call.session.id) {
        set(&client, is_on);
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

/// No client is notified of keys that change.
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
