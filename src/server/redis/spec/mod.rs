//! What each command is: how it is called, what it does with which keys, who may run it and when.
//!
//! The text files beside this one say it, and nothing else does: `COMMAND`, `HELP`, access control, the tally and the
//! running of requests all read them.
//!
//! # Files
//! One for each group of commands. A command is a paragraph: its name with its arguments ([`argument`]); what it does;
//! its facts; a line for each place of its keys ([`key_spec`]) and one for its channels, which begins with `&`.
//! Subcommands stand behind their command, as `command|name`. The facts are divided by semicolons:
//!
//! 1. since when it is there, and since when others are preferred to it
//! 2. how many words it has with its name; negative for at least that many
//! 3. its cost
//! 4. its flags, as redis-server names them ([`Flags`])
//! 5. hints for clients
//! 6. what clients do not see: categories, when its group and flags do not give them ([`category`]), and [`Traits`]
//!
//! # Cost
//! The files are read once, when the first door opens; arguments are read when somebody asks for them.
//!
//! # Source
//! Redis command reference, version 7.2, and what redis-server returns to `COMMAND`; the texts are our own.

mod argument;
mod flags;
mod help;
mod key_spec;

pub(super) mod category;
pub(super) mod keys;
pub(super) mod secrets;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub(super) use argument::{Argument, Kind};
use category::Categories;
pub(super) use flags::{Flags, Traits};
pub(super) use help::help;
pub(super) use key_spec::{Access, Begin, Find, KeySpec};

/// The groups: what `COMMAND` calls them, and their commands.
const GROUPS: [(&str, &str); 16] = [
    ("bitmap", include_str!("bitmap.txt")),
    ("cluster", include_str!("cluster.txt")),
    ("connection", include_str!("connection.txt")),
    ("generic", include_str!("generic.txt")),
    ("geo", include_str!("geo.txt")),
    ("hash", include_str!("hash.txt")),
    ("hyperloglog", include_str!("hyperloglog.txt")),
    ("list", include_str!("list.txt")),
    ("pubsub", include_str!("pubsub.txt")),
    ("scripting", include_str!("scripting.txt")),
    ("server", include_str!("server.txt")),
    ("set", include_str!("set.txt")),
    ("sorted-set", include_str!("sorted_set.txt")),
    ("stream", include_str!("stream.txt")),
    ("string", include_str!("string.txt")),
    ("transactions", include_str!("transactions.txt")),
];

/// What a command or subcommand is.
#[derive(Debug)]
pub(super) struct Spec {
    /// In lower case; of a subcommand with that of its command: `client|list`.
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    arguments: &'static str,
    pub(super) summary: &'static str,
    pub(super) since: &'static str,
    /// Since when others are preferred to it.
    pub(super) deprecated: Option<&'static str>,
    /// Words with its name, and its command's if it is a subcommand; negative for at least that many.
    pub(super) arity: i32,
    pub(super) cost: &'static str,
    pub(super) flags: Flags,
    tips: &'static str,
    pub(super) traits: Traits,
    pub(super) categories: Categories,
    pub(super) keys: Vec<KeySpec>,
    channels: Option<Channels>,
    /// None unless the first argument chooses one.
    pub(super) subcommands: Vec<Spec>,
    /// A number of its own, from 0 on.
    pub(super) slot: usize,
}

/// Which words are channels.
#[derive(Clone, Copy, Debug)]
struct Channels {
    first: usize,
    /// To the end of the words.
    are_many: bool,
    are_patterns: bool,
}

impl Spec {
    /// The name of the command that it is, or is a subcommand of.
    pub(super) fn command(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(command, _)| command)
    }

    /// Its name without that of its command.
    pub(super) fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, own)| own)
    }

    /// Whether its second word names one of several commands.
    pub(super) fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// Whether that many words are enough, and not too many.
    pub(super) fn has_arity(&self, words: usize) -> bool {
        let words = i32::try_from(words).unwrap_or(i32::MAX);
        if self.arity < 0 { words >= -self.arity } else { words == self.arity }
    }

    /// The subcommand of this name, in any case.
    pub(super) fn subcommand(&self, name: &[u8]) -> Option<&Self> {
        self.subcommands.iter().find(|subcommand| name.eq_ignore_ascii_case(subcommand.own_name().as_bytes()))
    }

    /// This, and then its subcommands.
    pub(super) fn with_subcommands(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.subcommands)
    }

    pub(super) fn arguments(&self) -> Vec<Argument> {
        // A test has looked at them all.
        Argument::parse_all(self.arguments).unwrap_or_default()
    }

    /// Hints for clients and proxies.
    pub(super) fn tips(&self) -> impl Iterator<Item = &'static str> {
        self.tips.split_ascii_whitespace()
    }

    /// The channels that a request names, and whether as patterns.
    pub(super) fn channels<'a, 'b>(&self, words: &'b [&'a [u8]]) -> (&'b [&'a [u8]], bool) {
        let Some(channels) = self.channels else { return (&[], false) };
        let from = words.get(channels.first..).unwrap_or_default();
        let named = if channels.are_many { from } else { from.get(..1).unwrap_or_default() };
        (named, channels.are_patterns)
    }

    /// `None` for a paragraph that does not follow the form above.
    fn parse(group: &'static str, paragraph: &'static str) -> Option<Self> {
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
        let (cost, flags, tips, own) = (fact(), fact(), fact(), fact());
        let flags = flags.split_ascii_whitespace().map(flags::named).collect::<Option<_>>()?;
        let (own_categories, traits): (Vec<&str>, Vec<&str>) =
            own.split_ascii_whitespace().partition(|word| word.starts_with('@'));
        let categories = own_categories.into_iter().map(|word| flags::named(word.get(1..)?)).collect::<Option<_>>()?;
        let traits = traits.into_iter().map(flags::named).collect::<Option<_>>()?;
        let (mut keys, mut channels) = (Vec::new(), None);
        for line in lines {
            match line.strip_prefix('&') {
                Some(line) => channels = Some(Channels::parse(line)?),
                None => keys.push(KeySpec::parse(line)?),
            }
        }
        Some(Self {
            name,
            group,
            arguments,
            summary,
            since,
            deprecated,
            arity,
            cost,
            flags,
            tips,
            traits,
            categories,
            keys,
            channels,
            subcommands: Vec::new(),
            slot: 0,
        })
    }
}

impl Channels {
    /// Reads `1`, `1...` or `1... pattern`: the first word, whether there are more, and whether they are patterns.
    fn parse(line: &str) -> Option<Self> {
        let (place, are_patterns) = match line.split_once(' ') {
            Some((place, "pattern")) => (place, true),
            Some(_) => return None,
            None => (line, false),
        };
        let (first, are_many) = place.strip_suffix("...").map_or((place, false), |first| (first, true));
        Some(Self { first: first.parse().ok()?, are_many, are_patterns })
    }
}

/// Every command, with its subcommands.
static SPECS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let mut specs: Vec<Spec> = Vec::with_capacity(256);
    for (group, text) in GROUPS {
        for spec in text.split("\n\n").filter_map(|paragraph| Spec::parse(group, paragraph)) {
            match specs.last_mut().filter(|last| spec.command() == last.name) {
                Some(last) => last.subcommands.push(spec),
                None => specs.push(spec),
            }
        }
    }
    let mut next = 0;
    for spec in &mut specs {
        spec.categories = category::of(spec, spec.is_container());
        for subcommand in &mut spec.subcommands {
            subcommand.categories = category::of(subcommand, false);
        }
        for slot in std::iter::once(&mut spec.slot).chain(spec.subcommands.iter_mut().map(|spec| &mut spec.slot)) {
            *slot = next;
            next += 1;
        }
    }
    specs
});

/// Every command, by its name.
static BY_NAME: LazyLock<FxHashMap<&'static [u8], &'static Spec>> =
    LazyLock::new(|| SPECS.iter().map(|spec| (spec.name.as_bytes(), spec)).collect());

/// Every command, each with its subcommands in it.
pub(super) fn all() -> &'static [Spec] {
    &SPECS
}

/// Every command, each with its subcommands behind it.
pub(super) fn every() -> impl Iterator<Item = &'static Spec> {
    all().iter().flat_map(Spec::with_subcommands)
}

/// The command of a name in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Spec> {
    with_lower_case(name, |name| BY_NAME.get(name).copied())
}

/// The longest name of a command.
const NAME_BYTES_MAX: usize = 32;

/// Hands `look` a name in lower case, unless no command's is that long.
pub(super) fn with_lower_case<R>(name: &[u8], look: impl FnOnce(&[u8]) -> Option<R>) -> Option<R> {
    let mut buffer = [0; NAME_BYTES_MAX];
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    look(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraphs() -> impl Iterator<Item = (&'static str, &'static str)> {
        GROUPS.iter().flat_map(|(group, text)| text.split("\n\n").map(move |paragraph| (*group, paragraph)))
    }

    #[test]
    fn every_paragraph_is_read() {
        for (group, paragraph) in paragraphs() {
            let spec = Spec::parse(group, paragraph).unwrap_or_else(|| panic!("{paragraph}"));
            assert!(Argument::parse_all(spec.arguments).is_some(), "{paragraph}");
            assert!(spec.arity != 0 && spec.name.len() <= NAME_BYTES_MAX, "{paragraph}");
        }
        let read: Vec<_> = all().iter().flat_map(Spec::with_subcommands).collect();
        assert_eq!(read.len(), paragraphs().count());
        assert!(read.iter().enumerate().all(|(at, spec)| spec.slot == at), "each has a number of its own");
        let names: std::collections::BTreeSet<_> = read.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), read.len(), "a name is there twice");
    }

    #[test]
    fn subcommands_stand_behind_their_command() {
        for spec in all() {
            assert!(!spec.name.contains('|'), "{}", spec.name);
            for subcommand in &spec.subcommands {
                assert_eq!(subcommand.command(), spec.name);
                assert!(!subcommand.is_container());
            }
        }
    }

    #[test]
    fn flags_are_told_in_the_order_of_the_files() {
        for (group, paragraph) in paragraphs() {
            let written = paragraph.lines().nth(2).unwrap().split(';').nth(3).unwrap_or_default();
            let told: Vec<_> = Spec::parse(group, paragraph).unwrap().flags.names().collect();
            assert_eq!(told.join(" "), written.trim(), "{paragraph}");
        }
    }

    #[test]
    fn a_command_is_found_by_its_name_in_any_case() {
        for spec in all() {
            assert_eq!(find(spec.name.to_uppercase().as_bytes()).unwrap().name, spec.name);
        }
        assert!(find(b"nosuchcommand").is_none() && find(b"client|list").is_none() && find(&[b'a'; 100]).is_none());
        assert_eq!(find(b"client").unwrap().subcommand(b"LIST").unwrap().name, "client|list");
    }

    #[test]
    fn paragraphs_with_unknown_words_are_noticed() {
        for facts in ["1.0.0; 1; ; quick", "1.0.0; 1; ; ; ; @colour", "1.0.0; 1; ; ; ; odd", "1.0.0; one", "1.0.0"] {
            let paragraph = format!("name\nWhat it does.\n{facts}").leak();
            assert!(Spec::parse("generic", paragraph).is_none(), "{facts}");
        }
        assert!(Spec::parse("generic", "name\nWhat it does.\n1.0.0; 1\n&x").is_none());
    }

    #[test]
    fn channels_are_where_the_command_has_them() {
        for (request, channels, are_patterns) in [
            ("publish a b", "a", false),
            ("spublish a b", "a", false),
            ("subscribe a b", "a b", false),
            ("ssubscribe a b", "a b", false),
            ("psubscribe a* b", "a* b", true),
            ("unsubscribe a", "", false),
            ("publish", "", false),
        ] {
            let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
            let (found, patterns) = find(words[0]).unwrap().channels(&words);
            assert_eq!((found.join(&b' '), patterns), (channels.as_bytes().to_vec(), are_patterns), "{request}");
        }
    }
}
