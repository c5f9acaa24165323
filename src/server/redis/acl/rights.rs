//! What a user may do.

use crate::server::redis::spec::Access;
use crate::server::redis::spec::category::Categories;
use crate::server::users;

/// What channels a new user has, in the order of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewUsersHear {
    All,
    None,
}

/// What a rule about commands is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Category(Categories),
    Command(&'static str),
    /// A command with this as its second word.
    Subcommand(&'static str, Vec<u8>),
}

/// A rule about commands; the last that concerns a command decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Right {
    pub(super) is_allowed: bool,
    pub(crate) subject: Subject,
}

/// Commands together with the keys and channels that they may be used on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    /// Whether a command that no rule concerns is allowed.
    pub(super) has_all_commands: bool,
    pub(crate) rights: Vec<Right>,
    pub(super) has_all_keys: bool,
    pub(crate) keys: Vec<(Vec<u8>, Access)>,
    pub(crate) has_all_channels: bool,
    pub(crate) channels: Vec<Vec<u8>>,
}

/// What a user may do, by any of its selectors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    /// Of no effect: every dump is looked through.
    pub(crate) skips_sanitizing: bool,
    pub(crate) root: Selector,
    pub(crate) others: Vec<Selector>,
}

impl Rights {
    /// Everything.
    pub(super) fn all() -> Self {
        let root =
            Selector { has_all_commands: true, has_all_keys: true, has_all_channels: true, ..Selector::default() };
        Self { root, ..Self::default() }
    }

    pub(crate) fn selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.others)
    }

    /// How many rules there are in all.
    pub(super) fn len(&self) -> usize {
        let of = |selector: &Selector| 1 + selector.rights.len() + selector.keys.len() + selector.channels.len();
        self.selectors().map(of).sum()
    }

    /// Each selector as rules that make it.
    pub(super) fn lines(&self) -> impl Iterator<Item = Vec<u8>> {
        let others = self.others.iter().map(|other| [b"(", &*other.line(), b")"].concat());
        std::iter::once(self.root.line()).chain(others)
    }
}

impl users::Rights for Rights {
    fn are_all(&self) -> bool {
        let root = &self.root;
        root.has_all_commands && root.rights.is_empty() && root.has_all_keys && root.has_all_channels
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

    pub(crate) fn describe_commands(&self) -> Vec<u8> {
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

    pub(crate) fn describe_keys(&self) -> Vec<u8> {
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

    pub(crate) fn describe_channels(&self) -> Vec<u8> {
        if self.has_all_channels {
            return b"&*".to_vec();
        }
        self.channels.iter().map(|pattern| [b"&", &**pattern].concat()).collect::<Vec<_>>().join(&b' ')
    }
}
