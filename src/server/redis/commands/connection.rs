//! The connection itself: who the client is, and how it wants to be spoken to.

use std::rc::Rc;

use crate::server::redis::acl::{DEFAULT, User};
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, integer, is};
use crate::server::redis::commands::acl;
use crate::server::redis::commands::keys::database_of;
use crate::server::redis::door::Client;
use crate::server::redis::reply::Protocol;
use crate::server::redis::session::{Session, Silence};

const FAST: Flags = Flags::FAST;
const OPEN: Flags = Flags::FAST.and(Flags::NO_AUTH);
const GROUP: &str = "connection";

pub(super) const COMMANDS: &[Command] = &[
    command("auth", -2, OPEN, Keys::NONE, GROUP, auth),
    command("client", -2, Flags::NONE, Keys::NONE, GROUP, client),
    command("echo", 2, FAST, Keys::NONE, GROUP, echo),
    command("hello", -1, OPEN, Keys::NONE, GROUP, hello),
    command("ping", -1, FAST, Keys::NONE, GROUP, ping),
    command("quit", -1, OPEN, Keys::NONE, GROUP, quit),
    command("reset", 1, OPEN, Keys::NONE, GROUP, reset),
    command("select", 2, FAST, Keys::NONE, GROUP, select),
];

fn ping(call: &mut Call<'_>) -> Outcome {
    if call.words.len() > 2 {
        return Err("ERR wrong number of arguments for 'ping' command".into());
    }
    if call.session.is_subscriber_only() {
        call.reply.bulks(["pong".as_bytes(), call.word(1)]);
    } else if call.words.len() == 2 {
        call.reply.bulk(call.word(1));
    } else {
        call.reply.simple("PONG");
    }
    Ok(())
}

fn echo(call: &mut Call<'_>) -> Outcome {
    call.reply.bulk(call.word(1));
    Ok(())
}

fn select(call: &mut Call<'_>) -> Outcome {
    call.session.database = database_of(call, 1)?;
    call.reply.ok();
    Ok(())
}

fn quit(call: &mut Call<'_>) -> Outcome {
    call.session.is_closing = true;
    call.reply.ok();
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Outcome {
    let id = call.session.id;
    become_user(call, call.door.users.default_user());
    *call.session = Session::new(id, call.door.users.default_user());
    set_name(call, &[]);
    call.reply.simple("RESET");
    Ok(())
}

fn auth(call: &mut Call<'_>) -> Outcome {
    match call.rest(1) {
        [password] => {
            if call.door.users.default_user().rights().has_no_password {
                return Err(
                    "ERR AUTH <password> called without any password configured for the default user. Are you \
                            sure your configuration is correct?"
                        .into(),
                );
            }
            authenticate(call, DEFAULT, password)?;
        }
        [name, password] => authenticate(call, name, password)?,
        _ => return Err(Refusal::syntax()),
    }
    call.reply.ok();
    Ok(())
}

fn authenticate(call: &mut Call<'_>, name: &[u8], password: &[u8]) -> Outcome {
    let Some(user) = call.door.users.get(name).filter(|user| user.admits(password)) else {
        acl::record_failed_login(call, name);
        return Err("WRONGPASS invalid username-password pair or user is disabled.".into());
    };
    become_user(call, user);
    call.session.is_authenticated = true;
    Ok(())
}

fn become_user(call: &mut Call<'_>, user: Rc<User>) {
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        client.user.replace(Rc::clone(&user));
    }
    call.session.user = user;
}

fn hello(call: &mut Call<'_>) -> Outcome {
    let mut rest = call.rest(1);
    let mut protocol = call.session.protocol;
    if let [version, options @ ..] = rest {
        protocol = match integer(version) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err("NOPROTO unsupported protocol version".into()),
            None => return Err("ERR Protocol version is not an integer or out of range".into()),
        };
        rest = options;
    }
    let mut name = None;
    loop {
        rest = match rest {
            [] => break,
            [word, user, password, rest @ ..] if is(word, "auth") => {
                authenticate(call, user, password)?;
                rest
            }
            [word, new, rest @ ..] if is(word, "setname") => {
                check_name(new)?;
                name = Some(*new);
                rest
            }
            [word, ..] => {
                return Err(format!("ERR Syntax error in HELLO option '{}'", String::from_utf8_lossy(word)).into());
            }
        };
    }
    if !call.session.is_authenticated {
        return Err("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                    <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                    the same time"
            .into());
    }
    if let Some(name) = name {
        set_name(call, name);
    }
    call.session.protocol = protocol;
    call.reply.protocol = protocol;
    call.reply.map(8);
    let texts = [
        ("server", "redis"),
        ("version", super::super::REDIS_VERSION),
        ("larder_version", env!("CARGO_PKG_VERSION")),
        ("mode", "standalone"),
        ("role", "master"),
    ];
    for (name, text) in texts {
        call.reply.bulk(name);
        call.reply.bulk(text);
    }
    call.reply.bulk("proto");
    call.reply.integer(if protocol == Protocol::Resp3 { 3 } else { 2 });
    call.reply.bulk("id");
    call.reply.count(call.session.id);
    call.reply.bulk("modules");
    call.reply.array(0);
    Ok(())
}

fn client(call: &mut Call<'_>) -> Outcome {
    let subcommand = call.word(1);
    match call.rest(2) {
        [] if is(subcommand, "id") => call.reply.count(call.session.id),
        [] if is(subcommand, "getname") => {
            let name = Some(&call.session.name).filter(|name| !name.is_empty()).cloned();
            call.reply.bulk_or_nil(name);
        }
        [name] if is(subcommand, "setname") => {
            check_name(name)?;
            set_name(call, name);
            call.reply.ok();
        }
        [attribute, value] if is(subcommand, "setinfo") => set_info(call, attribute, value)?,
        [] if is(subcommand, "info") => {
            let line = own_line(call);
            call.reply.verbatim(&line);
        }
        [] if is(subcommand, "list") => {
            let lines = lines(call, |_| true);
            call.reply.verbatim(&lines);
        }
        [word, kind] if is(subcommand, "list") && is(word, "type") => list_of_kind(call, kind)?,
        [word, ids @ ..] if is(subcommand, "list") && is(word, "id") && !ids.is_empty() => list_by_id(call, ids)?,
        _ if is(subcommand, "list") => return Err(Refusal::syntax()),
        // Nobody is told of keys that change.
        [] if is(subcommand, "getredir") => call.reply.integer(-1),
        [] if is(subcommand, "trackinginfo") => {
            call.reply.map(3);
            call.reply.bulk("flags");
            call.reply.set(1);
            call.reply.bulk("off");
            call.reply.bulk("redirect");
            call.reply.integer(-1);
            call.reply.bulk("prefixes");
            call.reply.array(0);
        }
        options if is(subcommand, "kill") => kill(call, options)?,
        [mode] if is(subcommand, "reply") => {
            call.session.silence = match mode {
                mode if is(mode, "on") => Silence::No,
                mode if is(mode, "off") => Silence::All,
                mode if is(mode, "skip") => Silence::Next,
                _ => return Err(Refusal::syntax()),
            };
            if call.session.silence == Silence::No {
                call.reply.ok();
            }
        }
        // What is used last is not evicted less readily here: nothing is evicted.
        [mode] if is(subcommand, "no-evict") || is(subcommand, "no-touch") => {
            if !is(mode, "on") && !is(mode, "off") {
                return Err(Refusal::syntax());
            }
            call.reply.ok();
        }
        _ if is(subcommand, "unblock") && (3..=4).contains(&call.words.len()) => unblock(call)?,
        _ if ["tracking", "caching", "pause", "unpause"].iter().any(|name| is(subcommand, name)) => {
            let name = String::from_utf8_lossy(subcommand).to_uppercase();
            return Err(format!("ERR not supported: CLIENT {name}").into());
        }
        _ => {
            return Err(format!(
                "ERR unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.",
                String::from_utf8_lossy(subcommand)
            )
            .into());
        }
    }
    Ok(())
}

/// The lines of all clients, or of those of a kind that there is none of.
fn list_of_kind(call: &mut Call<'_>, kind: &[u8]) -> Outcome {
    if is(kind, "pubsub") {
        return Err("ERR not supported: CLIENT LIST TYPE PUBSUB".into());
    }
    let is_known = ["normal", "master", "replica", "slave"].iter().any(|known| is(kind, known));
    if !is_known {
        return Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(kind)).into());
    }
    let lines = if is(kind, "normal") { lines(call, |_| true) } else { String::new() };
    call.reply.verbatim(&lines);
    Ok(())
}

fn list_by_id(call: &mut Call<'_>, ids: &[&[u8]]) -> Outcome {
    let ids: Option<Vec<_>> = ids.iter().map(|id| integer(id)).collect();
    let ids = ids.ok_or("ERR Invalid client ID")?;
    let lines = lines(call, |id| i64::try_from(id).is_ok_and(|id| ids.contains(&id)));
    call.reply.verbatim(&lines);
    Ok(())
}

fn lines(call: &Call<'_>, is_meant: impl Fn(u64) -> bool) -> String {
    let clients = call.door.clients.borrow();
    clients.iter().filter(|(id, _)| is_meant(**id)).map(|(id, client)| line(*id, Some(client), call)).collect()
}

fn check_name(name: &[u8]) -> Outcome {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(());
    }
    Err("ERR Client names cannot contain spaces, newlines or special characters.".into())
}

fn set_name(call: &mut Call<'_>, name: &[u8]) {
    call.session.name = name.to_vec();
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        *client.name.borrow_mut() = name.to_vec();
    }
}

fn set_info(call: &mut Call<'_>, attribute: &[u8], value: &[u8]) -> Outcome {
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

/// The line of the client that the call is of.
pub(super) fn own_line(call: &Call<'_>) -> String {
    line(call.session.id, call.door.clients.borrow().get(&call.session.id).map(AsRef::as_ref), call)
}

/// A client's line in `CLIENT LIST`.
fn line(id: u64, client: Option<&Client>, call: &Call<'_>) -> String {
    let Some(client) = client else { return String::new() };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let age = call.door.store.now().saturating_since(client.since).as_secs();
    let library = client.library.borrow();
    format!(
        "id={id} addr={} laddr={} name={} age={age} db={} cmd={} user={} lib-name={} lib-ver={}\n",
        client.address,
        call.door.address,
        text(&client.name.borrow()),
        client.database.get(),
        client.last_command.get(),
        text(&client.user.borrow().name),
        text(&library.0),
        text(&library.1),
    )
}

fn kill(call: &mut Call<'_>, options: &[&[u8]]) -> Outcome {
    let clients = call.door.clients.borrow();
    let is_old_form = options.len() == 1;
    let (mut skip_me, mut id, mut address) = (!is_old_form, None, None);
    if let [old] = options {
        address = Some(String::from_utf8_lossy(old).into_owned());
    } else {
        let (pairs, rest) = options.as_chunks::<2>();
        if !rest.is_empty() || pairs.is_empty() {
            return Err(Refusal::syntax());
        }
        for [name, value] in pairs {
            if is(name, "id") {
                id = Some(
                    integer(value)
                        .and_then(|id| u64::try_from(id).ok())
                        .ok_or("ERR client-id should be greater than 0")?,
                );
            } else if is(name, "addr") {
                address = Some(String::from_utf8_lossy(value).into_owned());
            } else if is(name, "skipme") {
                skip_me = is(value, "yes");
            } else {
                return Err(Refusal::syntax());
            }
        }
    }
    let mut killed = 0;
    for (client_id, client) in clients.iter() {
        let is_meant = id.is_none_or(|id| id == *client_id)
            && address.as_ref().is_none_or(|address| *address == client.address.to_string());
        if is_meant && !(skip_me && *client_id == call.session.id) {
            client.kill.notify_one();
            killed += 1;
        }
    }
    drop(clients);
    if !is_old_form {
        call.reply.count(killed);
    } else if killed == 0 {
        return Err("ERR No such client".into());
    } else {
        call.reply.ok();
    }
    Ok(())
}

/// Ends the waiting of another client, as if its time were over or with an error.
fn unblock(call: &mut Call<'_>) -> Outcome {
    let id = call.integer(2)?;
    let error = match call.word(3) {
        reason if call.words.len() == 3 || is(reason, "timeout") => None,
        reason if is(reason, "error") => Some("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        _ => return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR".into()),
    };
    let was_waiting = u64::try_from(id).is_ok_and(|id| call.door.blocked.borrow_mut().release(id, error));
    call.door.blocked.borrow_mut().listen(&call.door.store, &call.door.ears);
    call.reply.flag(was_waiting);
    Ok(())
}
