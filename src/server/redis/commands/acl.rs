//! Users.

use std::rc::Rc;

use crate::server::redis::acl::check::{Denied, check};
use crate::server::redis::acl::log::Entry;
use crate::server::redis::acl::rights::{Rights, Selector, hex};
use crate::server::redis::acl::{DEFAULT, category, rules};
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, find, is};
use crate::server::redis::commands::{all, client_list};
use crate::server::redis::session::Topics;
use crate::server::redis::subcommand::write_help;
use crate::{glob, limits};

pub(super) const COMMANDS: &[Command] = &[command("acl", -2, Flags::NONE, Keys::NONE, "server", acl)];

const HELP: &[&str] = &[
    "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CAT [<category>]",
    "    The categories, or the commands of one.",
    "DELUSER <username> [<username> ...]",
    "    Remove users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Whether a user may run a command; it is not run.",
    "GETUSER <username>",
    "    What a user may do.",
    "GENPASS [<bits>]",
    "    A random password, of 256 bits unless said otherwise.",
    "LIST",
    "    Users with their rules.",
    "LOAD",
    "    Refused: there is no file of users.",
    "LOG [<count> | RESET]",
    "    What was denied.",
    "SAVE",
    "    Refused: there is no file of users.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Make or change a user.",
    "USERS",
    "    The names of the users.",
    "WHOAMI",
    "    The name of the user of this connection.",
    "HELP",
    "    This help.",
];

const NO_FILE: &str = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL \
                       SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in \
                       order to store users in the Redis configuration.";

fn acl(call: &mut Call<'_>) -> Outcome {
    let (subcommand, rest) = (call.word(1).to_ascii_lowercase(), call.rest(2));
    match (&*subcommand, rest) {
        (b"cat", []) => call.reply.bulks(category::NAMES),
        (b"cat", [name]) => cat(call, name)?,
        (b"deluser", [_, ..]) => delete_users(call, rest)?,
        (b"dryrun", [name, words @ ..]) if !words.is_empty() => dry_run(call, name, words)?,
        (b"genpass", []) => generate(call, 256)?,
        (b"genpass", [_]) => {
            let bits = call.integer(2)?;
            generate(call, bits)?;
        }
        (b"getuser", [name]) => get_user(call, name),
        (b"help", []) => write_help(call, HELP),
        (b"list", []) => {
            let lines = call.door.users.all();
            call.reply.bulks(lines.iter().map(|user| [b"user ", &*user.name, b" ", &user.rights().line()].concat()));
        }
        (b"load" | b"save", []) => return Err(NO_FILE.into()),
        (b"log", []) => log(call, 10),
        (b"log", [word]) if is(word, "reset") => {
            call.door.users.log.borrow_mut().clear();
            call.reply.ok();
        }
        (b"log", [_]) => {
            let count = usize::try_from(call.integer(2)?).unwrap_or(0);
            log(call, count);
        }
        (b"setuser", [name, rules @ ..]) => set_user(call, name, rules)?,
        (b"users", []) => {
            let users = call.door.users.all();
            call.reply.bulks(users.iter().map(|user| &user.name));
        }
        (b"whoami", []) => {
            let user = Rc::clone(&call.session.user);
            call.reply.bulk(&user.name);
        }
        _ => return Err(misused("acl", call.word(1))),
    }
    Ok(())
}

/// What is said of a subcommand that there is none of, or not with so many words.
pub(super) fn misused(name: &str, subcommand: &[u8]) -> Refusal {
    if let Some((subcommand, _)) = category::subcommand(name, subcommand) {
        return format!("ERR wrong number of arguments for '{name}|{subcommand}' command").into();
    }
    let subcommand = String::from_utf8_lossy(subcommand);
    format!("ERR unknown subcommand '{subcommand:.128}'. Try {} HELP.", name.to_uppercase()).into()
}

fn cat(call: &mut Call<'_>, name: &[u8]) -> Outcome {
    let unknown = || Refusal::Text(format!("ERR Unknown category '{}'", String::from_utf8_lossy(name)));
    let wanted = category::named(name).ok_or_else(unknown)?;
    let mut names = Vec::new();
    for command in all() {
        if category::of(command) & wanted != 0 {
            names.push(command.name.to_owned());
        }
        let subcommands = category::of_subcommands(command.name).filter(|(_, categories)| categories & wanted != 0);
        names.extend(subcommands.map(|(subcommand, _)| format!("{}|{subcommand}", command.name)));
    }
    call.reply.bulks(names);
    Ok(())
}

fn set_user(call: &mut Call<'_>, name: &[u8], words: &[&[u8]]) -> Outcome {
    if name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err("ERR Usernames can't contain spaces or null characters".into());
    }
    let users = &call.door.users;
    let user = users.get(name);
    if user.is_none() && users.len() >= limits::USERS_MAX {
        return Err("ERR there are too many users".into());
    }
    let mut rights =
        user.map_or_else(|| Rights::of_new_user(call.door.parameters.new_users_hear()), |user| user.rights().clone());
    rules::apply(&mut rights, words).map_err(|problem| format!("ERR {problem}"))?;
    users.set(name, rights);
    part_with_subscribers(call, name);
    call.reply.ok();
    Ok(())
}

/// Parts with the clients of a user who subscribe to what the user may no longer subscribe to.
fn part_with_subscribers(call: &mut Call<'_>, name: &[u8]) {
    let Some(user) = call.door.users.get(name) else { return };
    let rights = user.rights();
    for (id, client) in call.door.clients.borrow().iter() {
        if client.user.borrow().name != name || may_hear(&rights, &client.topics.borrow()) {
            continue;
        }
        if *id == call.session.id {
            call.session.is_closing = true;
        } else {
            client.end();
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
        for (id, client) in call.door.clients.borrow().iter() {
            if *id != call.session.id && client.user.borrow().name == *name {
                client.end();
            }
        }
    }
    call.reply.count(removed);
    Ok(())
}

fn get_user(call: &mut Call<'_>, name: &[u8]) {
    let Some(user) = call.door.users.get(name) else { return call.reply.nil() };
    let rights = user.rights();
    call.reply.map(6);
    call.reply.bulk("flags");
    let flags: Vec<_> = rights.flags().collect();
    call.reply.set(flags.len());
    for flag in flags {
        call.reply.bulk(flag);
    }
    call.reply.bulk("passwords");
    call.reply.bulks(rights.passwords.iter().map(|hash| hex(hash)));
    describe(call, &rights.root);
    call.reply.bulk("selectors");
    call.reply.array(rights.others.len());
    for selector in &rights.others {
        call.reply.map(3);
        describe(call, selector);
    }
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

fn dry_run(call: &mut Call<'_>, name: &[u8], words: &[&[u8]]) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let user = call.door.users.get(name).ok_or_else(|| format!("ERR User '{}' not found", text(name)))?;
    let name = words.first().copied().unwrap_or_default();
    let command = find(name).ok_or_else(|| format!("ERR Command '{}' not found", text(name)))?;
    if !command.takes(words.len()) {
        return Err(format!("ERR wrong number of arguments for '{}' command", command.name).into());
    }
    match check(&user.rights(), command, words) {
        Ok(()) => call.reply.ok(),
        Err(denied) => call.reply.bulk(denied.text(&user.name, true)),
    }
    Ok(())
}

fn log(call: &mut Call<'_>, count: usize) {
    let now = call.door.store.now();
    let log = call.door.users.log.borrow();
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

/// Refuses a request that the session's user may not make, and records that.
pub(in crate::server::redis) fn permit(call: &mut Call<'_>, command: &Command) -> Outcome {
    let user = Rc::clone(&call.session.user);
    let checked = check(&user.rights(), command, call.words);
    checked.map_err(|denied| {
        let context = if call.session.queue.is_some() { "multi" } else { "toplevel" };
        record(call, &denied, context);
        format!("NOPERM {}", denied.text(&user.name, false)).into()
    })
}

fn record(call: &Call<'_>, denied: &Denied, context: &'static str) {
    record_entry(call, denied.reason(), context, denied.object(), &call.session.user.name);
}

/// Records that a client was not admitted as a user.
pub(super) fn record_failed_login(call: &Call<'_>, user: &[u8]) {
    let command = call.word(0).to_ascii_uppercase();
    record_entry(call, "auth", "toplevel", &command, user);
}

fn record_entry(call: &Call<'_>, reason: &'static str, context: &'static str, object: &[u8], user: &[u8]) {
    let client = client_list::own_line(call).trim_end().to_owned();
    let now = call.door.store.now();
    // What a client sent is kept, but not all of it.
    let cut = |bytes: &[u8]| bytes.get(..bytes.len().min(limits::DENIAL_OBJECT_BYTES_MAX)).unwrap_or_default().to_vec();
    let (object, user) = (cut(object), cut(user));
    let entry = Entry { id: 0, count: 1, reason, context, object, user, client, created: now, updated: now };
    call.door.users.log.borrow_mut().record(entry, call.door.parameters.denials_kept());
}
