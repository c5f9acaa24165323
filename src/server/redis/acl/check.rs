//! Whether a user may run a request.

use crate::glob;
use crate::server::redis::acl::category;
use crate::server::redis::acl::rights::{Right, Rights, Selector, Subject};
use crate::server::redis::command::Command;
use crate::server::redis::key_words::{self, Access};

/// What a user may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::redis) enum Denied {
    /// Run this command.
    Command(String),
    /// Use this key.
    Key(Vec<u8>),
    /// Use this channel.
    Channel(Vec<u8>),
}

impl Denied {
    /// The reason that `ACL LOG` gives.
    pub(in crate::server::redis) fn reason(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Key(_) => "key",
            Self::Channel(_) => "channel",
        }
    }

    pub(in crate::server::redis) fn object(&self) -> &[u8] {
        match self {
            Self::Command(name) => name.as_bytes(),
            Self::Key(name) | Self::Channel(name) => name,
        }
    }

    /// What a client is told; the name of a key or channel only who may know it.
    pub(in crate::server::redis) fn text(&self, user: &[u8], names_it: bool) -> String {
        let user = String::from_utf8_lossy(user);
        let object = String::from_utf8_lossy(self.object());
        match self {
            Self::Command(_) => format!("User {user} has no permissions to run the '{object}' command"),
            Self::Key(_) if names_it => format!("User {user} has no permissions to access the '{object}' key"),
            Self::Channel(_) if names_it => format!("User {user} has no permissions to access the '{object}' channel"),
            Self::Key(_) => "No permissions to access a key".to_owned(),
            Self::Channel(_) => "No permissions to access a channel".to_owned(),
        }
    }

    /// Of the denials of several selectors, the one that came furthest is told.
    fn progress(&self) -> u8 {
        match self {
            Self::Command(_) => 0,
            Self::Key(_) => 1,
            Self::Channel(_) => 2,
        }
    }
}

/// Whether one of the selectors allows a request.
pub(in crate::server::redis) fn check(rights: &Rights, command: &Command, words: &[&[u8]]) -> Result<(), Denied> {
    let mut told: Option<Denied> = None;
    for selector in rights.selectors() {
        match check_selector(selector, command, words) {
            Ok(()) => return Ok(()),
            Err(denied) if told.as_ref().is_none_or(|told| told.progress() < denied.progress()) => told = Some(denied),
            Err(_) => {}
        }
    }
    told.map_or(Ok(()), Err)
}

fn check_selector(selector: &Selector, command: &Command, words: &[&[u8]]) -> Result<(), Denied> {
    let argument = words.get(1).copied().unwrap_or_default();
    let subcommand = category::subcommand(command.name, argument);
    // What has to be possible before one has authenticated.
    let is_open = matches!(command.name, "auth" | "hello" | "quit" | "reset");
    if !is_open && !allows_command(selector, command, subcommand, argument) {
        let name = match subcommand {
            Some((subcommand, _)) => format!("{}|{subcommand}", command.name),
            None => command.name.to_owned(),
        };
        return Err(Denied::Command(name));
    }
    if !selector.has_all_keys {
        let mut denied = None;
        key_words::for_each(command, words, |key, access| {
            if denied.is_none() && !allows_key(selector, key, access) {
                denied = Some(key);
            }
        });
        if let Some(key) = denied {
            return Err(Denied::Key(key.to_vec()));
        }
        // Keys that patterns name cannot be told before the command runs.
        if matches!(command.name, "sort" | "sort_ro") && has_pattern(words) {
            return Err(Denied::Key(Vec::new()));
        }
    }
    if !selector.has_all_channels {
        let (channels, is_literal) = channels(command, words);
        let denied = channels.iter().find(|channel| {
            let is_allowed = |pattern: &Vec<u8>| {
                if is_literal { pattern == *channel } else { glob::matches(pattern, channel) }
            };
            !selector.channels.iter().any(is_allowed)
        });
        if let Some(channel) = denied {
            return Err(Denied::Channel(channel.to_vec()));
        }
    }
    Ok(())
}

/// The last rule about a command decides.
fn allows_command(
    selector: &Selector,
    command: &Command,
    subcommand: Option<(&'static str, category::Categories)>,
    argument: &[u8],
) -> bool {
    let categories = subcommand.map_or_else(|| category::of(command), |(_, categories)| categories);
    let concerns = |right: &&Right| match &right.subject {
        Subject::Category(category) => categories & category != 0,
        Subject::Command(name) => *name == command.name,
        Subject::Subcommand(name, wanted) => *name == command.name && argument.eq_ignore_ascii_case(wanted),
    };
    let last = selector.rights.iter().rev().find(concerns);
    last.map_or(selector.has_all_commands, |right| right.is_allowed)
}

fn allows_key(selector: &Selector, key: &[u8], access: Access) -> bool {
    selector.keys.iter().any(|(pattern, allowed)| allowed.has(access) && glob::matches(pattern, key))
}

/// Whether `SORT` reads keys that a pattern names.
fn has_pattern(words: &[&[u8]]) -> bool {
    let pairs = words.iter().skip(2).zip(words.iter().skip(3));
    pairs.into_iter().any(|(name, pattern)| {
        (name.eq_ignore_ascii_case(b"by") && pattern.contains(&b'*'))
            || (name.eq_ignore_ascii_case(b"get") && *pattern != b"#")
    })
}

/// The channels that a request names, and whether as patterns, which a user has to have literally.
fn channels<'a, 'b>(command: &Command, words: &'b [&'a [u8]]) -> (&'b [&'a [u8]], bool) {
    let range = match command.name {
        "publish" | "spublish" => words.get(1..2),
        "subscribe" | "ssubscribe" | "psubscribe" => words.get(1..),
        _ => None,
    };
    (range.unwrap_or_default(), command.name == "psubscribe")
}
