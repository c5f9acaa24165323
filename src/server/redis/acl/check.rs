//! Whether a user may run a request.

use crate::glob;
use crate::server::redis::acl::rights::{Right, Rights, Selector, Subject};
use crate::server::redis::spec::{Access, Flags, Spec, keys};

/// What a user may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Run this command.
    Command(String),
    /// Use this key.
    Key(Vec<u8>),
    /// Use this channel.
    Channel(Vec<u8>),
}

impl Denied {
    /// The reason that `ACL LOG` gives.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Key(_) => "key",
            Self::Channel(_) => "channel",
        }
    }

    pub(crate) fn object(&self) -> &[u8] {
        match self {
            Self::Command(name) => name.as_bytes(),
            Self::Key(name) | Self::Channel(name) => name,
        }
    }

    /// The error that a client gets. It names the key or channel only if `names_it`.
    pub(crate) fn text(&self, user: &[u8], names_it: bool) -> String {
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

    /// Of the denials of several selectors, the one that came furthest is returned.
    fn progress(&self) -> u8 {
        match self {
            Self::Command(_) => 0,
            Self::Key(_) => 1,
            Self::Channel(_) => 2,
        }
    }
}

/// Whether one of the selectors allows a request.
pub(crate) fn check(rights: &Rights, spec: &'static Spec, words: &[&[u8]]) -> Result<(), Denied> {
    let mut told: Option<Denied> = None;
    for selector in rights.selectors() {
        match check_selector(selector, spec, words) {
            Ok(()) => return Ok(()),
            Err(denied) if told.as_ref().is_none_or(|told| told.progress() < denied.progress()) => told = Some(denied),
            Err(_) => {}
        }
    }
    told.map_or(Ok(()), Err)
}

fn check_selector(selector: &Selector, spec: &'static Spec, words: &[&[u8]]) -> Result<(), Denied> {
    // What has to be possible before one has authenticated is allowed to everybody.
    if !spec.flags.contains(Flags::NO_AUTH) && !allows_command(selector, spec, words) {
        return Err(Denied::Command(spec.name.to_owned()));
    }
    if !selector.has_all_keys {
        let mut denied = None;
        keys::for_each(spec, words, |key, place| {
            if denied.is_none() && !allows_key(selector, key, place.access(words)) {
                denied = Some(key);
            }
        });
        if let Some(key) = denied {
            return Err(Denied::Key(key.to_vec()));
        }
        // Keys that patterns name are not known before the command runs.
        if keys::may_have_hidden(spec) && has_pattern(words) {
            return Err(Denied::Key(Vec::new()));
        }
    }
    if !selector.has_all_channels {
        let (channels, is_literal) = spec.channels(words);
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
fn allows_command(selector: &Selector, spec: &Spec, words: &[&[u8]]) -> bool {
    let (command, argument) = (spec.command(), words.get(1).copied().unwrap_or_default());
    let concerns = |right: &&Right| match &right.subject {
        Subject::Category(category) => spec.categories.intersects(*category),
        Subject::Command(name) => *name == command,
        Subject::Subcommand(name, wanted) => *name == command && argument.eq_ignore_ascii_case(wanted),
    };
    let last = selector.rights.iter().rev().find(concerns);
    last.map_or(selector.has_all_commands, |right| right.is_allowed)
}

fn allows_key(selector: &Selector, key: &[u8], access: Access) -> bool {
    selector.keys.iter().any(|(pattern, allowed)| allowed.contains(access) && glob::matches(pattern, key))
}

/// Whether `SORT` reads keys that a pattern names.
fn has_pattern(words: &[&[u8]]) -> bool {
    let pairs = words.iter().skip(2).zip(words.iter().skip(3));
    pairs.into_iter().any(|(name, pattern)| {
        (name.eq_ignore_ascii_case(b"by") && pattern.contains(&b'*'))
            || (name.eq_ignore_ascii_case(b"get") && *pattern != b"#")
    })
}
