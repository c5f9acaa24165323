//! The commands: what each runs, and what it is given when it does.

use std::cell::Cell;
use std::ops::Deref;

use rustc_hash::FxHashMap;

use crate::kv::Kv;
pub(crate) use crate::server::redis::frame::refusal::{Outcome, Refusal};
use crate::server::redis::frame::reply::Reply;
pub(crate) use crate::server::redis::frame::words::{float, integer, is};
use crate::server::redis::spec::{self, Spec};
use crate::server::redis::state::door::Door;
use crate::server::redis::state::session::{Session, Waiting};
use crate::store::Transaction;
use crate::txn::InTransaction;

/// What runs a command, or a subcommand.
type Run = fn(&mut Call<'_>) -> Outcome;

/// A line of a family's table: what runs the command of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handler {
    name: &'static str,
    run: Run,
    /// None unless its first argument chooses one.
    subcommands: &'static [Handler],
}

/// A line for a command, or for a subcommand of [`container`].
pub(crate) const fn command(name: &'static str, run: Run) -> Handler {
    Handler { name, run, subcommands: &[] }
}

/// A line for a command that has subcommands and does nothing without one.
pub(crate) const fn container(name: &'static str, subcommands: &'static [Handler]) -> Handler {
    command_or_container(name, |call| Err(unknown_subcommand(call.words)), subcommands)
}

/// A line for a command that has subcommands, and does something when none of them is chosen.
pub(crate) const fn command_or_container(name: &'static str, run: Run, subcommands: &'static [Handler]) -> Handler {
    Handler { name, run, subcommands }
}

/// What a request runs: a command, or a subcommand.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) spec: &'static Spec,
    run: Run,
    subcommands: Vec<Command>,
}

impl Command {
    /// `None` for a handler of which the files of [`spec`] say nothing.
    fn of(handler: &Handler) -> Option<Self> {
        let spec = spec::find(handler.name.as_bytes())?;
        let subcommand = |handler: &Handler| {
            Some(Self { spec: spec.subcommand(handler.name.as_bytes())?, run: handler.run, subcommands: Vec::new() })
        };
        Some(Self { spec, run: handler.run, subcommands: handler.subcommands.iter().filter_map(subcommand).collect() })
    }

    /// The subcommand that the word after the name chooses, if there are any and it is one; else the command itself.
    fn chosen(&self, word: Option<&[u8]>) -> &Command {
        let Some(word) = word.filter(|_| !self.subcommands.is_empty()) else { return self };
        let mut subcommands = self.subcommands.iter();
        subcommands.find(|subcommand| is(word, subcommand.spec.own_name())).unwrap_or(self)
    }

    /// Refuses words that are too few or too many, or choose no subcommand of those there are.
    pub(crate) fn check(&self, words: &[&[u8]]) -> Outcome {
        if !self.spec.has_arity(words.len()) {
            return Err(self.wrong_arity());
        }
        if self.spec.is_container() && words.len() > 1 {
            return Err(unknown_subcommand(words));
        }
        Ok(())
    }

    /// What is said of a request with too few or too many words.
    pub(crate) fn wrong_arity(&self) -> Refusal {
        format!("ERR wrong number of arguments for '{}' command", self.spec.name).into()
    }

    pub(crate) fn run(&self, call: &mut Call<'_>) -> Outcome {
        (self.run)(call)
    }
}

/// What is said of a second word that names no subcommand.
fn unknown_subcommand(words: &[&[u8]]) -> Refusal {
    let word = |at: usize| String::from_utf8_lossy(words.get(at).copied().unwrap_or_default());
    format!("ERR unknown subcommand '{:.128}'. Try {} HELP.", word(1), word(0).to_uppercase()).into()
}

/// What Redis says of a subcommand whose options it does not know.
pub(crate) fn unknown_option(call: &Call<'_>) -> Refusal {
    let (command, word) = (String::from_utf8_lossy(call.word(0)).to_uppercase(), String::from_utf8_lossy(call.word(1)));
    format!("ERR unknown subcommand or wrong number of arguments for '{word:.128}'. Try {command} HELP.").into()
}

/// Runs `HELP`: writes what the subcommands of its command are.
#[expect(clippy::unnecessary_wraps, reason = "commands are run so")]
pub(crate) fn help(call: &mut Call<'_>) -> Outcome {
    let lines = spec::find(call.word(0)).map(spec::help).unwrap_or_default();
    write_help(call, &lines);
    Ok(())
}

/// Writes a text for people, line by line.
pub(crate) fn write_help<S: AsRef<str>>(call: &mut Call<'_>, lines: &[S]) {
    call.reply.array(lines.len());
    for line in lines {
        call.reply.simple(line.as_ref());
    }
}

/// Every command that a door has.
#[derive(Debug)]
pub(crate) struct Registry(FxHashMap<&'static [u8], Command>);

impl Registry {
    /// The commands that `handlers` run. One of which the files of [`spec`] say nothing is left out.
    pub(crate) fn new(handlers: impl Iterator<Item = &'static Handler>) -> Self {
        Self(handlers.filter_map(Command::of).map(|command| (command.spec.name.as_bytes(), command)).collect())
    }

    /// Returns what a request asks for, by its first word and, when that names a command with subcommands, its second,
    /// both in any case. When the second is no subcommand, that is the command itself, which refuses it.
    pub(crate) fn find<W: AsRef<[u8]>>(&self, words: &[W]) -> Option<&Command> {
        let (name, rest) = words.split_first()?;
        Some(self.named(name.as_ref())?.chosen(rest.first().map(AsRef::as_ref)))
    }

    /// The command of a name in any case, whatever follows it.
    fn named(&self, name: &[u8]) -> Option<&Command> {
        spec::with_lower_case(name, |name| self.0.get(name))
    }
}

/// A door with the commands that it has.
pub(crate) struct OpenDoor {
    pub(crate) door: Door,
    pub(crate) registry: &'static Registry,
    /// The command that was asked for last, which the requests of a pipeline mostly repeat.
    last: Cell<Option<Named>>,
}

/// Bytes of a name that is remembered: longer ones are seldom in pipelines.
const REMEMBERED_BYTES: usize = 16;

/// A command by the bytes with which a client asked for it.
#[derive(Clone, Copy, Debug)]
struct Named {
    bytes: [u8; REMEMBERED_BYTES],
    length: usize,
    command: &'static Command,
}

impl Named {
    fn new(name: &[u8], command: &'static Command) -> Option<Self> {
        let mut bytes = [0; REMEMBERED_BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { bytes, length: name.len(), command })
    }

    fn has(&self, name: &[u8]) -> bool {
        self.bytes.get(..self.length) == Some(name)
    }
}

impl OpenDoor {
    pub(crate) fn new(door: Door, registry: &'static Registry) -> Self {
        Self { door, registry, last: Cell::default() }
    }

    /// As [`Registry::find`], of a name and the word that follows it.
    pub(crate) fn find(&self, name: &[u8], second: Option<&[u8]>) -> Option<&'static Command> {
        let command = if let Some(last) = self.last.get().filter(|last| last.has(name)) {
            last.command
        } else {
            let command = self.registry.named(name)?;
            self.last.set(Named::new(name, command));
            command
        };
        Some(command.chosen(second))
    }
}

impl Deref for OpenDoor {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// One run of a command.
pub(crate) struct Call<'a> {
    pub(crate) transaction: &'a Transaction,
    pub(crate) door: &'a OpenDoor,
    pub(crate) session: &'a mut Session,
    /// What the words ask for; `None` when there is no such command.
    pub(crate) command: Option<&'static Command>,
    /// The command's name and what follows it.
    pub(crate) words: &'a [&'a [u8]],
    pub(crate) reply: &'a mut Reply,
}

impl<'a> Call<'a> {
    /// The word at a place; the arity has been checked.
    pub(crate) fn word(&self, at: usize) -> &'a [u8] {
        self.words.get(at).copied().unwrap_or_default()
    }

    /// The words from a place on.
    pub(crate) fn rest(&self, from: usize) -> &'a [&'a [u8]] {
        self.words.get(from..).unwrap_or_default()
    }

    /// The selected keyspace.
    pub(crate) fn kv(&self) -> Kv<InTransaction<'a>> {
        self.kv_at(self.session.database)
    }

    /// The keyspace of a database's number.
    pub(crate) fn kv_at(&self, database: usize) -> Kv<InTransaction<'a>> {
        self.transaction.kv_in(self.door.keyspace(database))
    }

    /// Makes the client wait until one of `waiting.keys` has something, and then runs the command for this key, as if
    /// it came only then. Within a transaction nothing waits: the reply is what the client gets there.
    pub(crate) fn wait(&mut self, waiting: Waiting) {
        self.session.waiting = Some(waiting);
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, Refusal> {
        integer(self.word(at)).ok_or_else(Refusal::not_an_integer)
    }

    pub(crate) fn float(&self, at: usize) -> Result<f64, Refusal> {
        float(self.word(at)).ok_or_else(|| "ERR value is not a valid float".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> &'static Registry {
        &crate::server::redis::REGISTRY
    }

    #[test]
    fn every_command_of_the_files_has_a_handler_and_no_other_has() {
        let handlers: Vec<_> = crate::server::redis::commands::all().collect();
        assert_eq!(handlers.len(), spec::all().len(), "a command is told of and not there, or is there twice");
        for handler in handlers {
            let spec = spec::find(handler.name.as_bytes()).unwrap_or_else(|| panic!("{} is not told of", handler.name));
            let names = |own: &str| format!("{}|{own}", handler.name);
            let mut own: Vec<_> = handler.subcommands.iter().map(|subcommand| names(subcommand.name)).collect();
            own.sort();
            let mut told: Vec<_> = spec.subcommands.iter().map(|subcommand| subcommand.name.to_owned()).collect();
            told.sort();
            assert_eq!(own, told);
        }
    }

    #[test]
    fn a_request_is_found_by_its_words_in_any_case() {
        for spec in spec::all().iter().flat_map(Spec::with_subcommands) {
            let words: Vec<_> = spec.name.to_uppercase().split('|').map(str::to_owned).collect();
            assert_eq!(registry().find(&words).unwrap().spec.name, spec.name);
        }
        assert_eq!(registry().find(&["client", "nosuch"]).unwrap().spec.name, "client");
        assert_eq!(registry().find(&["get", "list"]).unwrap().spec.name, "get");
        assert!(registry().find(&["nosuchcommand"]).is_none() && registry().find::<&str>(&[]).is_none());
    }

    #[test]
    fn requests_with_wrong_words_are_refused_by_the_name_of_what_they_ask_for() {
        let text = |request: &str| {
            let words: Vec<_> = request.split(' ').map(str::as_bytes).collect();
            registry().find(&words).unwrap().check(&words).map_err(|refusal| refusal.text())
        };
        for (request, refused) in [
            ("get", Some("ERR wrong number of arguments for 'get' command")),
            ("CLIENT", Some("ERR wrong number of arguments for 'client' command")),
            ("Client Id 1", Some("ERR wrong number of arguments for 'client|id' command")),
            ("Client Nosuch", Some("ERR unknown subcommand 'Nosuch'. Try CLIENT HELP.")),
            ("command nosuch", Some("ERR unknown subcommand 'nosuch'. Try COMMAND HELP.")),
            ("command", None),
            ("client id", None),
            ("get a", None),
        ] {
            assert_eq!(text(request), refused.map_or(Ok(()), |text| Err(text.to_owned())), "{request}");
        }
    }
}
