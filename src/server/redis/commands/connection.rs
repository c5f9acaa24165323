//! The connection itself: who the client is, and how it wants to be spoken to.

use std::sync::Arc;

use crate::server::redis::acl::{DEFAULT, User};
use crate::server::redis::commands::client::{self, check_name, set_name};
use crate::server::redis::commands::keys::database_of;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::options::REDIS_VERSION;
use crate::server::redis::run::admission::record_failed_login;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, container, integer, is};
use crate::server::redis::state::session::Session;

pub(super) const COMMANDS: &[Handler] = &[
    command("auth", auth),
    container("client", client::SUBCOMMANDS),
    command("echo", echo),
    command("hello", hello),
    command("ping", ping),
    command("quit", quit),
    command("reset", reset),
    command("select", select),
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
    let topics = std::mem::take(&mut call.session.topics);
    topics.take();
    *call.session = Session { topics, ..Session::new(id, call.door.users.default_user()) };
    call.door.monitors.remove(id);
    if let Some(client) = call.door.clients.get(id) {
        client.inbox.replace(None);
        client.is_evictable.set(true);
        client.is_not_touching.set(false);
    }
    set_name(call, &[]);
    call.reply.simple("RESET");
    Ok(())
}

fn auth(call: &mut Call<'_>) -> Outcome {
    match call.rest(1) {
        [password] => {
            if call.door.users.default_user().account().has_no_password {
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
    let Some(user) = call.door.users.admit(name, password) else {
        record_failed_login(call, name);
        return Err("WRONGPASS invalid username-password pair or user is disabled.".into());
    };
    become_user(call, user);
    call.session.is_authenticated = true;
    Ok(())
}

fn become_user(call: &mut Call<'_>, user: Arc<User>) {
    if let Some(client) = call.door.clients.get(call.session.id) {
        client.user.replace(Arc::clone(&user));
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
    // There are clients that go by this order.
    call.reply.map(7);
    for text in ["server", "redis", "version", REDIS_VERSION, "proto"] {
        call.reply.bulk(text);
    }
    call.reply.integer(if protocol == Protocol::Resp3 { 3 } else { 2 });
    call.reply.bulk("id");
    call.reply.count(call.session.id);
    for text in ["mode", "standalone", "role", "master", "modules"] {
        call.reply.bulk(text);
    }
    call.reply.array(0);
    Ok(())
}
