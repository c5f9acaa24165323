//! The commands themselves: what there is, what it is for, how it is called, and which words of a request are keys.

use crate::glob;
use crate::server::redis::acl::category::{self, Categories, NAMES};
use crate::server::redis::command::{Call, Command, Flags, Keys, Outcome, Refusal, command, every, find, is};
use crate::server::redis::docs::{self, Argument, Begin, Doc, Find, KeySpec, Kind};
use crate::server::redis::key_words::{self, Access};
use crate::server::redis::reply::Reply;
use crate::server::redis::subcommand::{Subcommand, choose, subcommand, write_help};

pub(super) const COMMANDS: &[Command] =
    &[command("command", -1, Flags::NONE.and(Flags::NO_STORE), Keys::NONE, "server", of_subcommand_or_all)];

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("count", 2, count),
    subcommand("docs", -2, docs),
    subcommand("getkeys", -3, get_keys),
    subcommand("getkeysandflags", -3, get_keys_and_flags),
    subcommand("help", 2, help),
    subcommand("info", -2, info),
    subcommand("list", -2, list),
];

const HELP: &[&str] = &[
    "COMMAND [<subcommand> [<arg> [value] [opt] ...]]. Subcommands are:",
    "(none)",
    "    As INFO, of all commands.",
    "COUNT",
    "    How many commands there are.",
    "DOCS [<command> ...]",
    "    What they are for, and their arguments.",
    "GETKEYS <request>",
    "    The keys in a request.",
    "GETKEYSANDFLAGS <request>",
    "    The keys in a request, and what is done with each.",
    "HELP",
    "    This text.",
    "INFO [<command> ...]",
    "    Words, flags, categories and places of keys.",
    "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
    "    Their names.",
];

fn help(call: &mut Call<'_>) -> Outcome {
    write_help(call, HELP);
    Ok(())
}

fn of_subcommand_or_all(call: &mut Call<'_>) -> Outcome {
    if call.words.len() == 1 {
        return info(call);
    }
    (choose("command", SUBCOMMANDS, call.words)?.run)(call)
}

fn count(call: &mut Call<'_>) -> Outcome {
    call.reply.count(every().count() as u64);
    Ok(())
}

/// A command, or one of its subcommands.
#[derive(Clone, Copy)]
struct Entry {
    command: &'static Command,
    /// The name of the subcommand.
    subcommand: Option<&'static str>,
    doc: Option<&'static Doc>,
}

impl Entry {
    fn of(command: &'static Command) -> Self {
        Self { command, subcommand: None, doc: docs::of(command.name) }
    }

    /// That of a name like `get` or `client|list`, in any case.
    fn named(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let Some((command, subcommand)) = name.split_once('|') else { return find(name.as_bytes()).map(Self::of) };
        let command = find(command.as_bytes())?;
        Self::of(command)
            .subcommands()
            .find(|entry| entry.subcommand.is_some_and(|name| is(subcommand.as_bytes(), name)))
    }

    fn subcommands(self) -> impl Iterator<Item = Self> {
        let all = if self.subcommand.is_none() { Some(docs::subcommands(self.command.name)) } else { None };
        let entry = move |(name, doc)| Self { command: self.command, subcommand: Some(name), doc: Some(doc) };
        all.into_iter().flatten().map(entry)
    }

    fn name(self) -> String {
        match self.subcommand {
            Some(subcommand) => format!("{}|{subcommand}", self.command.name),
            None => self.command.name.to_owned(),
        }
    }

    fn categories(self) -> Categories {
        let subcommand = self.subcommand.and_then(|name| category::subcommand(self.command.name, name.as_bytes()));
        subcommand.map_or_else(|| category::of(self.command), |(_, categories)| categories)
    }

    /// The first and last word that are keys, and the distance between them.
    fn key_range(self) -> [i64; 3] {
        match (self.subcommand, self.doc) {
            (None, Some(doc)) if doc.keys.is_empty() => [0; 3],
            (None, _) if self.command.keys.step != 0 => {
                [self.command.keys.first, self.command.keys.last, self.command.keys.step].map(i64::from)
            }
            // Channels of shards are told of as keys are.
            (_, doc) => doc.and_then(|doc| doc.keys.first()).map_or([0; 3], KeySpec::range),
        }
    }
}

fn info(call: &mut Call<'_>) -> Outcome {
    let wanted: Vec<_> = match call.rest(2) {
        [] => every().map(|command| Some(Entry::of(command))).collect(),
        names => names.iter().map(|name| Entry::named(name)).collect(),
    };
    call.reply.array(wanted.len());
    for entry in wanted {
        match entry {
            Some(entry) => write_info(call.reply, entry),
            None => call.reply.nil(),
        }
    }
    Ok(())
}

fn write_info(reply: &mut Reply, entry: Entry) {
    reply.array(10);
    reply.bulk(entry.name());
    reply.integer(entry.doc.map_or(entry.command.arity, |doc| doc.arity).into());
    let flags: Vec<_> = match entry.doc {
        Some(doc) => doc.flags().collect(),
        None => entry.command.flags.names().collect(),
    };
    write_names(reply, &flags);
    entry.key_range().into_iter().for_each(|number| reply.integer(number));
    let categories = entry.categories();
    let categories = NAMES.iter().enumerate().filter(|(at, _)| categories >> at & 1 == 1);
    let categories: Vec<_> = categories.map(|(_, name)| format!("@{name}")).collect();
    write_names(reply, &categories);
    let tips: Vec<_> = entry.doc.into_iter().flat_map(Doc::tips).collect();
    reply.set(tips.len());
    for tip in tips {
        reply.bulk(tip);
    }
    let keys = entry.doc.map(|doc| &*doc.keys).unwrap_or_default();
    reply.set(keys.len());
    for spec in keys {
        write_key_spec(reply, spec);
    }
    let subcommands: Vec<_> = entry.subcommands().collect();
    reply.set(subcommands.len());
    // They have none of their own.
    for entry in subcommands {
        write_info(reply, entry);
    }
}

fn write_names<S: AsRef<str>>(reply: &mut Reply, names: &[S]) {
    reply.set(names.len());
    for name in names {
        reply.simple(name.as_ref());
    }
}

fn write_key_spec(reply: &mut Reply, spec: &KeySpec) {
    reply.map(3);
    reply.bulk("flags");
    let flags: Vec<_> = spec.flags().collect();
    write_names(reply, &flags);
    let numbers = |reply: &mut Reply, kind: &str, numbers: &[(&str, i64)]| {
        reply.map(2);
        reply.bulk("type");
        reply.bulk(kind);
        reply.bulk("spec");
        reply.map(numbers.len());
        for (name, number) in numbers {
            reply.bulk(name);
            reply.integer(*number);
        }
    };
    reply.bulk("begin_search");
    match spec.begin {
        Begin::Index(index) => numbers(reply, "index", &[("index", index)]),
        Begin::Keyword(word, from) => {
            reply.map(2);
            reply.bulk("type");
            reply.bulk("keyword");
            reply.bulk("spec");
            reply.map(2);
            reply.bulk("keyword");
            reply.bulk(word);
            reply.bulk("startfrom");
            reply.integer(from);
        }
        Begin::Unknown => numbers(reply, "unknown", &[]),
    }
    reply.bulk("find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            numbers(reply, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        Find::Numbered { number, first, step } => {
            numbers(reply, "keynum", &[("keynumidx", number), ("firstkey", first), ("keystep", step)]);
        }
        Find::Unknown => numbers(reply, "unknown", &[]),
    }
}

fn docs(call: &mut Call<'_>) -> Outcome {
    let wanted: Vec<_> = match call.rest(2) {
        [] => every().map(Entry::of).collect(),
        names => names.iter().filter_map(|name| Entry::named(name)).collect(),
    };
    let wanted: Vec<_> = wanted.into_iter().filter_map(|entry| Some((entry, entry.doc?))).collect();
    call.reply.map(wanted.len());
    for (entry, doc) in wanted {
        write_docs(call.reply, entry, doc);
    }
    Ok(())
}

/// Writes the name, and what is told.
fn write_docs(reply: &mut Reply, entry: Entry, doc: &Doc) {
    let subcommands: Vec<_> = entry.subcommands().filter_map(|entry| Some((entry, entry.doc?))).collect();
    reply.bulk(doc.name);
    let (deprecated, has_cost) = (doc.deprecated, !doc.cost.is_empty());
    let parts =
        [has_cost, deprecated.is_some(), deprecated.is_some(), !doc.arguments.is_empty(), !subcommands.is_empty()];
    reply.map(3 + parts.into_iter().filter(|is_there| *is_there).count());
    for (name, text) in [("summary", doc.summary), ("since", doc.since), ("group", entry.command.group)] {
        reply.bulk(name);
        reply.bulk(text);
    }
    if has_cost {
        reply.bulk("complexity");
        reply.bulk(doc.cost);
    }
    if let Some(since) = deprecated {
        reply.bulk("doc_flags");
        write_names(reply, &["deprecated"]);
        reply.bulk("deprecated_since");
        reply.bulk(since);
    }
    if !doc.arguments.is_empty() {
        reply.bulk("arguments");
        write_arguments(reply, &doc.arguments);
    }
    if !subcommands.is_empty() {
        reply.bulk("subcommands");
        reply.map(subcommands.len());
        // They have none of their own.
        for (entry, doc) in subcommands {
            write_docs(reply, entry, doc);
        }
    }
}

/// Writes arguments, and those that they consist of: as deep as `docs` has them.
fn write_arguments(reply: &mut Reply, arguments: &[Argument]) {
    reply.array(arguments.len());
    for argument in arguments {
        let (kind, parts): (_, &[_]) = match &argument.kind {
            Kind::Word(name) => (*name, &[]),
            Kind::Key(_) => ("key", &[]),
            Kind::Token => ("pure-token", &[]),
            Kind::OneOf(parts) => ("oneof", parts),
            Kind::Block(parts) => ("block", parts),
        };
        let place = if let Kind::Key(place) = argument.kind { Some(place) } else { None };
        let flags = [
            (argument.is_optional, "optional"),
            (argument.is_multiple, "multiple"),
            (argument.repeats_token, "multiple_token"),
        ];
        let flags: Vec<_> = flags.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect();
        let is_shown = parts.is_empty();
        let optional = [is_shown, place.is_some(), argument.token.is_some(), !flags.is_empty(), !parts.is_empty()];
        reply.map(2 + optional.into_iter().filter(|is_there| *is_there).count());
        reply.bulk("name");
        reply.bulk(&argument.name);
        if is_shown {
            reply.bulk("display_text");
            reply.bulk(&argument.name);
        }
        reply.bulk("type");
        reply.bulk(kind);
        if let Some(place) = place {
            reply.bulk("key_spec_index");
            reply.count(place as u64);
        }
        if let Some(token) = argument.token {
            reply.bulk("token");
            reply.bulk(token);
        }
        if !flags.is_empty() {
            reply.bulk("flags");
            write_names(reply, &flags);
        }
        if !parts.is_empty() {
            reply.bulk("arguments");
            write_arguments(reply, parts);
        }
    }
}

fn list(call: &mut Call<'_>) -> Outcome {
    let mut names: Vec<_> = match call.rest(2) {
        [] => entries().map(Entry::name).collect(),
        [by, filter, value] if is(by, "filterby") => filtered(filter, value)?,
        _ => return Err(Refusal::syntax()),
    };
    names.sort_unstable();
    call.reply.bulks(names);
    Ok(())
}

/// Every command, each with its subcommands behind it.
fn entries() -> impl Iterator<Item = Entry> {
    every().map(Entry::of).flat_map(|entry| std::iter::once(entry).chain(entry.subcommands()))
}

/// The names, those of subcommands too, that a filter lets through.
fn filtered(filter: &[u8], value: &[u8]) -> Result<Vec<String>, Refusal> {
    if is(filter, "module") {
        return Ok(Vec::new());
    }
    if is(filter, "aclcat") {
        let wanted = category::named(value).unwrap_or(0);
        return Ok(entries().filter(|entry| entry.categories() & wanted != 0).map(Entry::name).collect());
    }
    if is(filter, "pattern") {
        let pattern = value.to_ascii_lowercase();
        return Ok(entries().map(Entry::name).filter(|name| glob::matches(&pattern, name.as_bytes())).collect());
    }
    Err(Refusal::syntax())
}

fn get_keys(call: &mut Call<'_>) -> Outcome {
    let keys = keys_of(call.rest(2))?;
    call.reply.bulks(keys.iter().map(|key| key.name));
    Ok(())
}

fn get_keys_and_flags(call: &mut Call<'_>) -> Outcome {
    let keys = keys_of(call.rest(2))?;
    call.reply.array(keys.len());
    for key in keys {
        call.reply.array(2);
        call.reply.bulk(key.name);
        write_names(call.reply, &key.flags());
    }
    Ok(())
}

/// A key of a request.
struct Found<'a> {
    name: &'a [u8],
    access: Access,
    spec: Option<&'static KeySpec>,
}

impl Found<'_> {
    /// What the request does with it.
    fn flags(&self) -> Vec<&'static str> {
        let flags: Vec<_> = self.spec.into_iter().flat_map(KeySpec::flags).collect();
        if !flags.contains(&"variable_flags") {
            return flags;
        }
        // The words decide whether it is written to, and whether what was there is read.
        match self.access {
            Access::READ => vec!["RO", "access"],
            Access::WRITE => vec!["OW", "update"],
            _ => vec!["RW", "access", "update"],
        }
    }
}

/// The keys among the words of a request.
fn keys_of<'a>(words: &[&'a [u8]]) -> Result<Vec<Found<'a>>, Refusal> {
    let command = words.first().and_then(|name| find(name)).ok_or("ERR Invalid command specified")?;
    let subcommand = words.get(1).and_then(|name| category::subcommand(command.name, name));
    let doc = match subcommand {
        Some((name, _)) => docs::of(&format!("{}|{name}", command.name)),
        None => docs::of(command.name),
    };
    let specs = doc.map(|doc| &*doc.keys).unwrap_or_default();
    if specs.is_empty() {
        return Err("ERR The command has no key arguments".into());
    }
    if !command.has_arity(words.len()) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let mut keys = Vec::new();
    key_words::for_each_in_place(command, words, |name, access, place| {
        // Of `SORT` the second place cannot be told, for a pattern has it.
        let mut told = specs
            .iter()
            .skip(place)
            .filter(|spec| spec.begin != Begin::Unknown || spec.flags().any(|flag| flag == "OW"));
        keys.push(Found { name, access, spec: told.next() });
    });
    let may_have_none = doc.is_some_and(|doc| doc.flags().any(|flag| flag == "no_mandatory_keys"));
    if keys.is_empty() && !may_have_none {
        return Err("ERR Invalid arguments specified for command".into());
    }
    Ok(keys)
}
