//! Dialects: the service words what it refuses by region and month, and so does the door.
//!
//! The rules are in `dialects.txt`. A region that has a dialect of its own name differs from the newest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const TABLE: &str = include_str!("dialects.txt");
const NEWEST: &str = "newest";

static DIALECTS: LazyLock<BTreeMap<&'static str, Words>> = LazyLock::new(|| parse(TABLE).unwrap_or_default());

/// How a door words what it refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As the service was last seen to.
    #[default]
    Newest,
    /// As the one with this name.
    Named(&'static str),
    /// As the region does that the client signs for.
    ByRegion,
}

/// How one dialect words the faults of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    early: BTreeSet<&'static str>,
    sentences: BTreeMap<&'static str, &'static str>,
    missing: BTreeMap<&'static str, &'static str>,
    /// How long the name of a table is at least.
    pub(super) name_length_least: i64,
    /// Whether only the first fault of the name of a table is told.
    pub(super) first_fault_of_names: bool,
    /// Whether faults of values and expressions have the words of faults of members before them.
    pub(super) is_wrapped: bool,
    /// Whether elements of a set are listed in quotes.
    pub(super) quotes_elements: bool,
}

/// The rules of a dialect, by operation.
#[derive(Clone, Debug, Default)]
struct Words {
    of: BTreeMap<&'static str, Rules>,
    others: Rules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            early: BTreeSet::new(),
            sentences: BTreeMap::new(),
            missing: BTreeMap::new(),
            name_length_least: 3,
            first_fault_of_names: false,
            is_wrapped: false,
            quotes_elements: true,
        }
    }
}

impl Rules {
    /// Whether the member at `rule` is looked at before everything else.
    pub(super) fn is_early(&self, rule: &str) -> bool {
        self.early.contains(rule)
    }

    /// What is said of the member at `rule` when it is empty, if there is a sentence of its own for that.
    pub(super) fn sentence(&self, rule: &str) -> Option<&'static str> {
        self.sentences.get(rule).copied()
    }

    /// The same of a member that is not there.
    pub(super) fn missing(&self, rule: &str) -> Option<&'static str> {
        self.missing.get(rule).copied()
    }
}

impl Dialect {
    /// The dialect with this name: `newest`, `region`, or one of the table.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            NEWEST => Some(Self::Newest),
            "region" => Some(Self::ByRegion),
            name => DIALECTS.get_key_value(name).map(|(name, _)| Self::Named(name)),
        }
    }

    /// The names of all of them.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        DIALECTS.keys().copied().chain(["region"])
    }

    /// The rules for `operation`, asked for by a client that signs for `region`.
    pub(super) fn rules(&self, operation: &str, region: &str) -> &'static Rules {
        static NONE: LazyLock<Rules> = LazyLock::new(Rules::default);
        let name = match self {
            Self::Newest => NEWEST,
            Self::Named(name) => name,
            Self::ByRegion => region,
        };
        let words = DIALECTS.get(name).or_else(|| DIALECTS.get(NEWEST));
        words.map_or(&*NONE, |words| words.of.get(operation).unwrap_or(&words.others))
    }
}

impl Words {
    fn rules(&mut self, operation: &'static str) -> &mut Rules {
        self.of.entry(operation).or_insert_with(|| self.others.clone())
    }
}

/// Reads the table; the line that is none is the error.
fn parse(table: &'static str) -> Result<BTreeMap<&'static str, Words>, &'static str> {
    let mut dialects = BTreeMap::new();
    let mut current = None;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("dialect ") {
            current = Some(name);
            dialects.insert(name, Words::default());
        } else if let Some(like) = line.strip_prefix("like ") {
            let words = dialects.get(like).cloned().ok_or(line)?;
            dialects.insert(current.ok_or(line)?, words);
        } else {
            let words = current.and_then(|name| dialects.get_mut(name)).ok_or(line)?;
            read(words, line).ok_or(line)?;
        }
    }
    Ok(dialects)
}

fn read(words: &mut Words, line: &'static str) -> Option<()> {
    let mut parts = line.split(' ');
    let (kind, first) = (parts.next()?, parts.next()?);
    match kind {
        "early" => words.rules(first).early.extend(parts),
        "late" => parts.for_each(|member| _ = words.rules(first).early.remove(member)),
        "sentence" | "missing" => {
            let member = parts.next()?;
            let (_, text) = line.split_once(member)?;
            let rules = words.rules(first);
            let sentences = if kind == "missing" { &mut rules.missing } else { &mut rules.sentences };
            sentences.insert(member, text.trim_start());
        }
        "names" => {
            let rules = words.rules(first);
            rules.name_length_least = parts.next()?.parse().ok()?;
            rules.first_fault_of_names = parts.next()? == "first";
        }
        "wrap" => [first].into_iter().chain(parts).for_each(|operation| words.rules(operation).is_wrapped = true),
        "sets" => {
            let quotes_elements = first == "json";
            words.others.quotes_elements = quotes_elements;
            words.of.values_mut().for_each(|rules| rules.quotes_elements = quotes_elements);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert!(parse(TABLE).is_ok());
        assert_eq!(Dialect::names().collect::<Vec<_>>(), ["2026-05", "me-central-1", "newest", "region"]);
        assert_eq!(Dialect::named("1999"), None);
        assert!(parse("dialect a\nnonsense b").is_err() && parse("early a b").is_err());
    }

    #[test]
    fn a_region_without_a_dialect_speaks_the_newest() {
        let by_region = Dialect::named("region").unwrap();
        let empty_batch = |region| by_region.rules("BatchGetItem", region).sentence("RequestItems").is_some();
        assert!(empty_batch("me-central-1") && !empty_batch("eu-west-1"));
        assert!(Dialect::Newest.rules("PutItem", "").is_wrapped);
        assert!(!Dialect::named("2026-05").unwrap().rules("PutItem", "").is_wrapped);
        assert_eq!(Dialect::Newest.rules("Nothing", ""), &Rules::default());
    }
}
