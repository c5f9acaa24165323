//! Users.

use std::sync::Arc;

use crate::encoding::hex::hex;
use crate::server::redis::acl::check::check;
use crate::server::redis::acl::rights::{Rights, Selector};
use crate::server::redis::acl::{DEFAULT, account, rules};
use crate::server::redis::run::command::{
    Call, Handler, Outcome, Refusal, command, container, help, is, unknown_option,
};
use crate::server::redis::spec::category::Categories;
use crate::server::redis::spec::{self, Spec};
use crate::server::redis::state::session::Topics;
use crate::{glob, limits};

pub(super) const COMMANDS: &[Handler] = &[container("acl", SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] = &[
    command("cat", cat),
    command("deluser", delete_user),
    command("dryrun", dry_run),
    command("genpass", generate_password),
    command("getuser", get_user),
    command("help", help),
    command("list", list),
    command("load", |_| Err(NO_FILE.into())),
    command("log", show_log),
    command("save", |_| Err(NO_FILE.into())),
    command("setuser", set_user),
    command("users", users),
    command("whoami", who_am_i),
];

const NO_FILE: &str = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL \
                       SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in \
                       order to store users in the Redis configuration.";

fn delete_user(call: &mut Call<'_>) -> Outcome {
    delete_users(call, call.rest(2))
}

fn dry_run(call: &mut Call<'_>) -> Outcome {
    try_request(call, call.word(2), call.rest(3))
}

fn generate_password(call: &mut Call<'_>) -> Outcome {
    let bits = match call.rest(2) {
        [] => 256,
        [_] => call.integer(2)?,
        _ => return Err(unknown_option(call)),
    };
    generate(call, bits)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let users = call.door.users.all();
    call.reply.bulks(users.iter().map(|user| [b"user ", &*user.name, b" ", &account::line(&user.account())].concat()));
    Ok(())
}

fn show_log(call: &mut Call<'_>) -> Outcome {
    match call.rest(2) {
        [] => log(call, 10),
        [word] if is(word, "reset") => {
            call.door.denials.borrow_mut().clear();
            call.reply.ok();
        }
        [_] => {
            let count = usize::try_from(call.integer(2)?).unwrap_or(0);
            log(call, count);
        }
        _ => return Err(unknown_option(call)),
    }
    Ok(())
}

fn users(call: &mut Call<'_>) -> Outcome {
    let users = call.door.users.all();
    call.reply.bulks(users.iter().map(|user| &user.name));
    Ok(())
}

fn who_am_i(call: &mut Call<'_>) -> Outcome {
    let user = Arc::clone(&call.session.user);
    call.reply.bulk(&user.name);
    Ok(())
}

fn cat(call: &mut Call<'_>) -> Outcome {
    let name = match call.rest(2) {
        [] => {
            call.reply.bulks(Categories::all().names().collect::<Vec<_>>());
            return Ok(());
        }
        [name] => *name,
        _ => return Err(unknown_option(call)),
    };
    let unknown = || Refusal::Text(format!("ERR Unknown category '{}'", String::from_utf8_lossy(name)));
    let wanted = Categories::named(name).ok_or_else(unknown)?;
    let all = spec::all().iter().flat_map(Spec::with_subcommands);
    let names: Vec<_> = all.filter(|spec| spec.categories.intersects(wanted)).map(|spec| spec.name).collect();
    call.reply.bulks(names);
    Ok(())
}

fn set_user(call: &mut Call<'_>) -> Outcome {
    let (name, words) = (call.word(2), call.rest(3));
    if name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err("ERR Usernames can't contain spaces or null characters".into());
    }
    let users = &call.door.users;
    let user = users.get(name);
    if user.is_none() && users.len() >= limits::USERS_MAX {
        return Err("ERR there are too many users".into());
    }
    let new = || account::of_new_user(call.door.parameters.new_users_hear());
    let mut account = user.map_or_else(new, |user| user.account().clone());
    rules::apply(&mut account, words).map_err(|problem| format!("ERR {problem}"))?;
    users.set(name, account);
    part_with_subscribers(call, name);
    call.reply.ok();
    Ok(())
}

/// Parts with the clients of a user who subscribe to what the user may no longer subscribe to.
fn part_with_subscribers(call: &mut Call<'_>, name: &[u8]) {
    let Some(user) = call.door.users.get(name) else { return };
    let rights = &user.account().rights;
    for client in call.door.clients.all() {
        if client.user.borrow().name != name || may_hear(rights, &client.topics.borrow()) {
            continue;
        }
        if client.id == call.session.id {
            call.session.is_closing = true;
        } else {
            client.cut_off();
        }
    }
}

/// Whether one of the selectors has every channel, and every pattern literally.
fn may_hear(rights: &Rights, topics: &Topics) -> bool {
    rights.selectors().any(|selector| {
        let has = |name: &Vec<u8>| selector.channels.iter().any(|pattern| glob::matches(pattern, name));
        selector.has_all_channels
            || (topics.patterns.iter().all(|pattern| selector.channels.contains(pattern))
                && topics.channels.iter().chain(&topics.shards).all(has))
    })
}

fn delete_users(call: &mut Call<'_>, names: &[&[u8]]) -> Outcome {
    if names.contains(&DEFAULT) {
        return Err("ERR The 'default' user cannot be removed".into());
    }
    let mut removed = 0;
    for name in names {
        if !call.door.users.remove(name) {
            continue;
        }
        removed += 1;
        if call.session.user.name == *name {
            call.session.is_closing = true;
        }
        for client in call.door.clients.all() {
            if client.id != call.session.id && client.user.borrow().name == *name {
                client.cut_off();
            }
        }
    }
    call.reply.count(removed);
    Ok(())
}

fn get_user(call: &mut Call<'_>) -> Outcome {
    let Some(user) = call.door.users.get(call.word(2)) else {
        call.reply.nil();
        return Ok(());
    };
    let account = user.account();
    call.reply.map(6);
    call.reply.bulk("flags");
    let flags: Vec<_> = account::flags(&account).collect();
    call.reply.set(flags.len());
    for flag in flags {
        call.reply.bulk(flag);
    }
    call.reply.bulk("passwords");
    call.reply.bulks(account.credentials.hashes.iter().map(|hash| hex(hash)));
    describe(call, &account.rights.root);
    call.reply.bulk("selectors");
    call.reply.array(account.rights.others.len());
    for selector in &account.rights.others {
        call.reply.map(3);
        describe(call, selector);
    }
    Ok(())
}

fn describe(call: &mut Call<'_>, selector: &Selector) {
    for (name, text) in [
        ("commands", selector.describe_commands()),
        ("keys", selector.describe_keys()),
        ("channels", selector.describe_channels()),
    ] {
        call.reply.bulk(name);
        call.reply.bulk(text);
    }
}

fn generate(call: &mut Call<'_>, bits: i64) -> Outcome {
    let bits = usize::try_from(bits).ok().filter(|bits| (1..=4_096).contains(bits)).ok_or(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
    )?;
    let mut bytes = vec![0; bits.div_ceil(8)];
    getrandom::fill(&mut bytes).map_err(|error| format!("ERR the system gives no random bytes: {error}"))?;
    let mut text = hex(&bytes);
    text.truncate(bits.div_ceil(4));
    call.reply.bulk(text);
    Ok(())
}

/// Says whether the user `name` may make a request.
fn try_request(call: &mut Call<'_>, name: &[u8], words: &[&[u8]]) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let user = call.door.users.get(name).ok_or_else(|| format!("ERR User '{}' not found", text(name)))?;
    let name = words.first().copied().unwrap_or_default();
    let command = call.door.registry.find(words).ok_or_else(|| format!("ERR Command '{}' not found", text(name)))?;
    if !command.spec.has_arity(words.len()) {
        return Err(command.wrong_arity());
    }
    match check(&user.account().rights, command.spec, words) {
        Ok(()) => call.reply.ok(),
        Err(denied) => call.reply.bulk(denied.text(&user.name, true)),
    }
    Ok(())
}

fn log(call: &mut Call<'_>, count: usize) {
    let now = call.door.store.now();
    let log = call.door.denials.borrow();
    call.reply.array(log.entries().len().min(count));
    for entry in log.entries().take(count) {
        call.reply.map(10);
        call.reply.bulk("count");
        call.reply.count(entry.count);
        for (name, text) in [
            ("reason", entry.reason.as_bytes()),
            ("context", entry.context.as_bytes()),
            ("object", &entry.object),
            ("username", &entry.user),
        ] {
            call.reply.bulk(name);
            call.reply.bulk(text);
        }
        call.reply.bulk("age-seconds");
        call.reply.double(now.saturating_since(entry.created).as_secs_f64());
        call.reply.bulk("client-info");
        call.reply.bulk(&entry.client);
        call.reply.bulk("entry-id");
        call.reply.count(entry.id);
        call.reply.bulk("timestamp-created");
        call.reply.integer(entry.created.as_millis());
        call.reply.bulk("timestamp-last-updated");
        call.reply.integer(entry.updated.as_millis());
    }
}
