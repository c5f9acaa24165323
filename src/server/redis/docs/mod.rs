//! What commands are for and how they are called, as `COMMAND` tells clients.
//!
//! # Files
//! One for each group of commands. A command is a paragraph: its name with its arguments ([`argument`]); what it does; since
//! when, how many words it has (negative for at least so many), its cost, its flags and hints for clients, divided by
//! semicolons; and a line for each place of its keys ([`key_spec`]). Subcommands stand behind their command, as `command|name`.
//!
//! # Source
//! Redis command reference, version 7.2, and what redis-server answers to `COMMAND`; the texts are our own.

mod argument;
mod key_spec;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) use argument::{Argument, Kind};
pub(super) use key_spec::{Begin, Find, KeySpec};

/// The groups: what `COMMAND` calls them, and their commands.
const GROUPS: [&str; 16] = [
    include_str!("bitmap.txt"),
    include_str!("cluster.txt"),
    include_str!("connection.txt"),
    include_str!("generic.txt"),
    include_str!("geo.txt"),
    include_str!("hash.txt"),
    include_str!("hyperloglog.txt"),
    include_str!("list.txt"),
    include_str!("pubsub.txt"),
    include_str!("scripting.txt"),
    include_str!("server.txt"),
    include_str!("set.txt"),
    include_str!("sorted_set.txt"),
    include_str!("stream.txt"),
    include_str!("string.txt"),
    include_str!("transactions.txt"),
];

/// What is told of a command or subcommand.
#[derive(Debug)]
pub(super) struct Doc {
    /// With that of its command when it is a subcommand.
    pub(super) name: &'static str,
    pub(super) arguments: Vec<Argument>,
    pub(super) summary: &'static str,
    pub(super) since: &'static str,
    /// Since when others are preferred to it.
    pub(super) deprecated: Option<&'static str>,
    pub(super) arity: i32,
    pub(super) cost: &'static str,
    flags: &'static str,
    tips: &'static str,
    pub(super) keys: Vec<KeySpec>,
}

impl Doc {
    /// Its flags, as redis-server names them.
    pub(super) fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.split_ascii_whitespace()
    }

    /// Hints for clients and proxies.
    pub(super) fn tips(&self) -> impl Iterator<Item = &'static str> {
        self.tips.split_ascii_whitespace()
    }

    /// `None` for a paragraph that is none.
    fn parse(paragraph: &'static str) -> Option<Self> {
        let mut lines = paragraph.lines().map(str::trim);
        let (head, summary, facts) = (lines.next()?, lines.next()?, lines.next()?);
        let (name, arguments) = head.split_once(' ').unwrap_or((head, ""));
        let mut facts = facts.split(';').map(str::trim);
        let (since, arity) = (facts.next()?, facts.next()?.parse().ok()?);
        let (since, deprecated) = match since.split_once(" deprecated ") {
            Some((since, deprecated)) => (since, Some(deprecated)),
            None => (since, None),
        };
        let mut fact = || facts.next().unwrap_or_default();
        let (cost, flags, tips) = (fact(), fact(), fact());
        let keys = lines.map(KeySpec::parse).collect::<Option<_>>()?;
        let arguments = Argument::parse_all(arguments)?;
        Some(Self { name, arguments, summary, since, deprecated, arity, cost, flags, tips, keys })
    }
}

static DOCS: LazyLock<BTreeMap<&'static str, Doc>> = LazyLock::new(|| {
    let paragraphs = GROUPS.iter().flat_map(|group| group.split("\n\n"));
    paragraphs.filter_map(Doc::parse).map(|doc| (doc.name, doc)).collect()
});

/// What is told of a command, or of a subcommand by its full name, in lower case.
pub(super) fn of(name: &str) -> Option<&'static Doc> {
    DOCS.get(name)
}

/// What is told of the subcommands of a command, with their names.
pub(super) fn subcommands(command: &str) -> impl Iterator<Item = (&'static str, &'static Doc)> {
    DOCS.values().filter_map(move |doc| {
        let (of, name) = doc.name.split_once('|')?;
        (of == command).then_some((name, doc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redis::acl::category;
    use crate::server::redis::command::every;

    #[test]
    fn every_paragraph_is_read() {
        for paragraph in GROUPS.iter().flat_map(|group| group.split("\n\n")) {
            assert!(Doc::parse(paragraph).is_some(), "{paragraph}");
        }
        let paragraphs: usize = GROUPS.iter().map(|group| group.split("\n\n").count()).sum();
        assert_eq!(DOCS.len(), paragraphs, "a name is there twice");
    }

    #[test]
    fn every_command_is_told_of() {
        for command in every() {
            let doc = of(command.name).unwrap_or_else(|| panic!("{} is missing", command.name));
            assert_eq!(doc.arity, command.arity, "{}", command.name);
            for subcommand in command.subcommands {
                let name = format!("{}|{}", command.name, subcommand.name);
                let doc = of(&name).unwrap_or_else(|| panic!("{name} is missing"));
                assert_eq!(doc.arity, subcommand.arity, "{name}");
            }
        }
    }

    #[test]
    fn subcommands_have_categories() {
        for command in every() {
            for (name, _) in subcommands(command.name) {
                assert!(category::subcommand(command.name, name.as_bytes()).is_some(), "{} {name}", command.name);
            }
        }
    }

    #[test]
    fn places_of_keys_are_those_of_the_table() {
        for command in every().filter(|command| subcommands(command.name).count() == 0) {
            let doc = of(command.name).unwrap();
            let has_keys = doc.keys.iter().any(|place| place.flags().all(|flag| flag != "not_key"));
            let is_movable = doc.flags().any(|flag| flag == "movablekeys");
            assert_eq!(has_keys, command.keys.step != 0 || is_movable, "{}", command.name);
        }
    }
}
