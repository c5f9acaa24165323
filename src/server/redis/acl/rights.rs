//! What a user may do.

use subtle::ConstantTimeEq;

use crate::encoding::hex::hex;
use crate::server::redis::acl::password::{PasswordHash, hash_of};
use crate::server::redis::acl::users::Permissions;
use crate::server::redis::spec::Access;
use crate::server::redis::spec::category::Categories;

/// What channels a new user has, in the order of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::redis) enum NewUsersHear {
    All,
    None,
}

/// What a rule about commands is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::redis) enum Subject {
    Category(Categories),
    Command(&'static str),
    /// A command with this as its second word.
    Subcommand(&'static str, Vec<u8>),
}

/// A rule about commands; the last that concerns a command decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::redis) struct Right {
    pub(super) is_allowed: bool,
    pub(in crate::server::redis) subject: Subject,
}

/// Commands together with the keys and channels that they may be used on.
#[derive(Clone, Debug, Default)]
pub(in crate::server::redis) struct Selector {
    /// Whether a command that no rule concerns is allowed.
    pub(super) has_all_commands: bool,
    pub(in crate::server::redis) rights: Vec<Right>,
    pub(super) has_all_keys: bool,
    pub(in crate::server::redis) keys: Vec<(Vec<u8>, Access)>,
    pub(in crate::server::redis) has_all_channels: bool,
    pub(in crate::server::redis) channels: Vec<Vec<u8>>,
}

/// A user's passwords and rights.
#[derive(Clone, Debug, Default)]
pub(in crate::server::redis) struct Rights {
    pub(in crate::server::redis) is_on: bool,
    pub(in crate::server::redis) has_no_password: bool,
    /// Of no effect: every dump is looked through.
    pub(in crate::server::redis) skips_sanitizing: bool,
    pub(in crate::server::redis) passwords: Vec<PasswordHash>,
    pub(in crate::server::redis) root: Selector,
    pub(in crate::server::redis) others: Vec<Selector>,
}

impl Rights {
    /// Those of the user `default` at first: everything, without a password.
    pub(in crate::server::redis) fn all() -> Self {
        let root =
            Selector { has_all_commands: true, has_all_keys: true, has_all_channels: true, ..Selector::default() };
        Self { is_on: true, has_no_password: true, root, ..Self::default() }
    }

    /// Those of a user that is made: nothing, but perhaps every channel.
    pub(in crate::server::redis) fn of_new_user(hears: NewUsersHear) -> Self {
        let root = Selector { has_all_channels: hears == NewUsersHear::All, ..Selector::default() };
        Self { root, ..Self::default() }
    }

    /// Everything, with a password.
    pub(in crate::server::redis) fn all_with_password(password: &[u8]) -> Self {
        Self { has_no_password: false, passwords: vec![hash_of(password)], ..Self::all() }
    }

    pub(in crate::server::redis) fn selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.others)
    }

    /// Whether this is the hash of one of the passwords. All are compared, in a time that says nothing about them.
    fn has_password(&self, hash: &PasswordHash) -> bool {
        self.passwords.iter().fold(0, |found, kept| found | kept.ct_eq(hash).unwrap_u8()) == 1
    }

    /// How many rules there are in all.
    pub(in crate::server::redis) fn len(&self) -> usize {
        let of = |selector: &Selector| 1 + selector.rights.len() + selector.keys.len() + selector.channels.len();
        self.passwords.len() + self.selectors().map(of).sum::<usize>()
    }

    /// The line of `ACL LIST` after the name: rules that make these rights from none.
    pub(in crate::server::redis) fn line(&self) -> Vec<u8> {
        let mut words: Vec<Vec<u8>> = self.flags().map(|flag| flag.as_bytes().to_vec()).collect();
        words.extend(self.passwords.iter().map(|hash| format!("#{}", hex(hash)).into_bytes()));
        words.push(self.root.line());
        words.extend(self.others.iter().map(|other| [b"(", &*other.line(), b")"].concat()));
        words.join(&b' ')
    }

    pub(in crate::server::redis) fn flags(&self) -> impl Iterator<Item = &'static str> {
        let sanitizes = if self.skips_sanitizing { "skip-sanitize-payload" } else { "sanitize-payload" };
        let on = if self.is_on { "on" } else { "off" };
        [Some(on), self.has_no_password.then_some("nopass"), Some(sanitizes)].into_iter().flatten()
    }
}

impl Permissions for Rights {
    fn are_all(&self) -> bool {
        let root = &self.root;
        root.has_all_commands && root.rights.is_empty() && root.has_all_keys && root.has_all_channels
    }

    fn are_open(&self) -> bool {
        self.is_on && self.has_no_password
    }

    fn admit(&self, hash: &PasswordHash) -> bool {
        // Compared whatever else is true, so that the time says nothing about it.
        let has_password = self.has_password(hash);
        self.is_on && (self.has_no_password || has_password)
    }
}

impl Selector {
    fn line(&self) -> Vec<u8> {
        let mut words = vec![self.describe_keys()];
        if !self.has_all_channels {
            words.push(b"resetchannels".to_vec());
        }
        words.push(self.describe_channels());
        words.push(self.describe_commands());
        words.retain(|word| !word.is_empty());
        words.join(&b' ')
    }

    pub(in crate::server::redis) fn describe_commands(&self) -> Vec<u8> {
        let mut text = if self.has_all_commands { b"+@all".to_vec() } else { b"-@all".to_vec() };
        for right in &self.rights {
            text.extend_from_slice(if right.is_allowed { b" +" } else { b" -" });
            match &right.subject {
                Subject::Category(category) => {
                    for name in category.names() {
                        text.push(b'@');
                        text.extend_from_slice(name.as_bytes());
                    }
                }
                Subject::Command(name) => text.extend_from_slice(name.as_bytes()),
                Subject::Subcommand(name, word) => {
                    text.extend_from_slice(name.as_bytes());
                    text.push(b'|');
                    text.extend_from_slice(word);
                }
            }
        }
        text
    }

    pub(in crate::server::redis) fn describe_keys(&self) -> Vec<u8> {
        if self.has_all_keys {
            return b"~*".to_vec();
        }
        let words = self.keys.iter().map(|(pattern, access)| {
            let prefix: &[u8] = match *access {
                Access::READ => b"%R~",
                Access::WRITE => b"%W~",
                _ => b"~",
            };
            [prefix, pattern].concat()
        });
        words.collect::<Vec<_>>().join(&b' ')
    }

    pub(in crate::server::redis) fn describe_channels(&self) -> Vec<u8> {
        if self.has_all_channels {
            return b"&*".to_vec();
        }
        self.channels.iter().map(|pattern| [b"&", &**pattern].concat()).collect::<Vec<_>>().join(&b' ')
    }
}
