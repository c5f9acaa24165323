//! The commands themselves: what there is, what it is for, how it is called, and which words of a request are keys.

use crate::glob;
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::run::command::{Call, Handler, Outcome, Refusal, command, command_or_container, help, is};
use crate::server::redis::spec::category::Categories;
use crate::server::redis::spec::{self, Access, Argument, Begin, Find, Flags, KeySpec, Kind, Spec, keys};

pub(super) const COMMANDS: &[Handler] = &[command_or_container("command", info, SUBCOMMANDS)];

const SUBCOMMANDS: &[Handler] = &[
    command("count", count),
    command("docs", docs),
    command("getkeys", get_keys),
    command("getkeysandflags", get_keys_and_flags),
    command("help", help),
    command("info", info),
    command("list", list),
];

fn count(call: &mut Call<'_>) -> Outcome {
    call.reply.count(spec::all().len() as u64);
    Ok(())
}

/// The command or subcommand of a name like `get` or `client|list`, in any case.
fn named(name: &[u8]) -> Option<&'static Spec> {
    let mut names = name.splitn(2, |byte| *byte == b'|');
    let command = spec::find(names.next()?)?;
    names.next().map_or(Some(command), |name| command.subcommand(name))
}

fn info(call: &mut Call<'_>) -> Outcome {
    let wanted: Vec<_> = match call.rest(2) {
        [] => spec::all().iter().map(Some).collect(),
        names => names.iter().map(|name| named(name)).collect(),
    };
    call.reply.array(wanted.len());
    for spec in wanted {
        match spec {
            Some(spec) => write_info(call.reply, spec),
            None => call.reply.nil(),
        }
    }
    Ok(())
}

fn write_info(reply: &mut Reply, spec: &Spec) {
    reply.array(10);
    reply.bulk(spec.name);
    reply.integer(spec.arity.into());
    write_names(reply, &spec.flags.names().collect::<Vec<_>>());
    for number in keys::range(spec) {
        reply.integer(number);
    }
    write_names(reply, &spec.categories.names().map(|name| format!("@{name}")).collect::<Vec<_>>());
    let tips: Vec<_> = spec.tips().collect();
    reply.set(tips.len());
    for tip in tips {
        reply.bulk(tip);
    }
    reply.set(spec.keys.len());
    for place in &spec.keys {
        write_key_spec(reply, place);
    }
    reply.set(spec.subcommands.len());
    // They have none of their own.
    for subcommand in &spec.subcommands {
        write_info(reply, subcommand);
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
    let (begin, find) = spec.told();
    reply.bulk("begin_search");
    match begin {
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
    match find {
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
        [] => spec::all().iter().collect(),
        names => names.iter().filter_map(|name| named(name)).collect(),
    };
    call.reply.map(wanted.len());
    for spec in wanted {
        write_docs(call.reply, spec);
    }
    Ok(())
}

/// Writes the name, and the documentation.
fn write_docs(reply: &mut Reply, spec: &Spec) {
    reply.bulk(spec.name);
    let (arguments, deprecated, has_cost) = (spec.arguments(), spec.deprecated, !spec.cost.is_empty());
    let parts = [has_cost, deprecated.is_some(), deprecated.is_some(), !arguments.is_empty(), spec.is_container()];
    reply.map(3 + parts.into_iter().filter(|is_there| *is_there).count());
    for (name, text) in [("summary", spec.summary), ("since", spec.since), ("group", spec.group)] {
        reply.bulk(name);
        reply.bulk(text);
    }
    if has_cost {
        reply.bulk("complexity");
        reply.bulk(spec.cost);
    }
    if let Some(since) = deprecated {
        reply.bulk("doc_flags");
        write_names(reply, &["deprecated"]);
        reply.bulk("deprecated_since");
        reply.bulk(since);
    }
    if !arguments.is_empty() {
        reply.bulk("arguments");
        write_arguments(reply, &arguments);
    }
    if spec.is_container() {
        reply.bulk("subcommands");
        reply.map(spec.subcommands.len());
        // They have none of their own.
        for subcommand in &spec.subcommands {
            write_docs(reply, subcommand);
        }
    }
}

/// Writes arguments, and those that they consist of: as deep as the files have them.
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
        [] => spec::every().map(|spec| spec.name).collect(),
        [by, filter, value] if is(by, "filterby") => filtered(filter, value)?,
        _ => return Err(Refusal::syntax()),
    };
    names.sort_unstable();
    call.reply.bulks(names);
    Ok(())
}

/// The names, those of subcommands too, that a filter lets through.
fn filtered(filter: &[u8], value: &[u8]) -> Result<Vec<&'static str>, Refusal> {
    if is(filter, "module") {
        return Ok(Vec::new());
    }
    if is(filter, "aclcat") {
        let wanted = Categories::named(value).unwrap_or(Categories::empty());
        return Ok(spec::every().filter(|spec| spec.categories.intersects(wanted)).map(|spec| spec.name).collect());
    }
    if is(filter, "pattern") {
        let pattern = value.to_ascii_lowercase();
        return Ok(spec::every()
            .map(|spec| spec.name)
            .filter(|name| glob::matches(&pattern, name.as_bytes()))
            .collect());
    }
    Err(Refusal::syntax())
}

fn get_keys(call: &mut Call<'_>) -> Outcome {
    let keys = keys_of(call, call.rest(2))?;
    call.reply.bulks(keys.iter().map(|key| key.name));
    Ok(())
}

fn get_keys_and_flags(call: &mut Call<'_>) -> Outcome {
    let keys = keys_of(call, call.rest(2))?;
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
    place: &'static KeySpec,
}

impl Found<'_> {
    /// What the request does with it.
    fn flags(&self) -> Vec<&'static str> {
        if !self.place.has_flag("variable_flags") {
            return self.place.flags().collect();
        }
        // The words decide whether it is written to, and whether what was there is read.
        match (self.access.contains(Access::READ), self.access.contains(Access::WRITE)) {
            (true, false) => vec!["RO", "access"],
            (false, true) => vec!["OW", "update"],
            _ => vec!["RW", "access", "update"],
        }
    }
}

/// The keys among the words of a request.
fn keys_of<'a>(call: &Call<'_>, words: &[&'a [u8]]) -> Result<Vec<Found<'a>>, Refusal> {
    let spec = call.door.registry.find(words).ok_or("ERR Invalid command specified")?.spec;
    if spec.keys.is_empty() {
        return Err("ERR The command has no key arguments".into());
    }
    if !spec.has_arity(words.len()) {
        return Err("ERR Invalid number of arguments specified for command".into());
    }
    let mut found = Vec::new();
    keys::for_each(spec, words, |name, place| found.push(Found { name, access: place.access(words), place }));
    if found.is_empty() && !spec.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err("ERR Invalid arguments specified for command".into());
    }
    Ok(found)
}
