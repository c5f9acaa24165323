//! Running a script or a function: its commands, its reply, its error.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use mlua::{Error, Function, Lua, MultiValue, Value};

use crate::server::redis::acl;
use crate::server::redis::frame::reply::{Protocol, Reply};
use crate::server::redis::lua::Scripting;
use crate::server::redis::lua::allowance::{Shared, raise};
use crate::server::redis::lua::convert::{self, Form, Words, Writer};
use crate::server::redis::lua::flags::Flags;
use crate::server::redis::lua::message::{cause, first_line};
use crate::server::redis::lua::service::Service;
use crate::server::redis::run::busy::{self, Busy, Verdict};
use crate::server::redis::run::command::{Call, Command, Outcome, Registry, is};
use crate::server::redis::run::execute;
use crate::server::redis::spec::{self, Begin, Spec, Traits};

/// What is to run.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// The SHA-1 of a script, the name of a function.
    pub(super) name: &'a str,
    pub(super) function: &'a Function,
    pub(super) is_script: bool,
    pub(super) flags: Flags,
    /// The command is the form that may not write.
    pub(super) is_read_only: bool,
    pub(super) keys: &'a [&'a [u8]],
    pub(super) arguments: &'a [&'a [u8]],
}

/// A script that runs, as its commands and other clients find it.
struct Running<'a, 'b> {
    program: &'a Program<'a>,
    shared: &'a Shared,
    registry: &'static Registry,
    is_read_only: bool,
    /// Its first write may be refused for want of memory; those that follow belong to it.
    may_exceed_memory: bool,
    has_written: Cell<bool>,
    /// Other clients have been looked at.
    is_watched: Cell<bool>,
    call: RefCell<&'a mut Call<'b>>,
    /// The words of the command that the script calls, and its reply: room that the next uses again.
    room: RefCell<(Words, Reply)>,
}

/// Runs `program` and writes what it returns.
pub(super) fn run(scripting: &Scripting, call: &mut Call<'_>, program: &Program<'_>) -> Outcome {
    let is_read_only = program.is_read_only || program.flags.no_writes;
    check_flags(call, program)?;
    let (database, interpreter) = (call.session.database, &scripting.interpreter);
    let shared = &interpreter.shared;
    // What ends a script may come when no code of the script's runs any more, and has its code then.
    let failed = |error: &Error| {
        let line = first_line(error);
        format!("ERR {} script: {}", line.strip_prefix("ERR ").unwrap_or(&line), program.name)
    };
    interpreter.begin().map_err(|error| failed(&error))?;
    shared.watch_from(Duration::from_millis(call.door.parameters.busy_reply_ms()));
    let outcome = {
        let running = Running {
            program,
            shared,
            registry: call.door.registry,
            is_read_only,
            may_exceed_memory: program.flags.allow_oom,
            has_written: Cell::new(false),
            is_watched: Cell::new(false),
            call: RefCell::new(&mut *call),
            room: RefCell::default(),
        };
        let outcome = interpreter.lua.scope(|scope| {
            let services = scope.create_function(|lua, (service, words): (usize, MultiValue)| {
                let is_many = service >= Service::COUNT;
                match Service::ALL.get(if is_many { service - Service::COUNT } else { service }) {
                    Some(Service::Call) => running.command(lua, (words, is_many), false),
                    Some(Service::ProtectedCall) => running.command(lua, (words, is_many), true),
                    Some(Service::AclCheck) => running.may_run((words, is_many)).map(|may| plain(Value::Boolean(may))),
                    _ => {
                        running.watch();
                        Ok(plain(Value::Nil))
                    }
                }
            })?;
            shared.services.replace(Some(services.clone()));
            let words = (program.keys, program.arguments);
            let outcome = interpreter.run(program.function, words, program.is_script, Some(&services));
            shared.services.take();
            outcome
        });
        if running.is_watched.get() {
            busy::release(running.call.borrow().door);
        }
        outcome
    };
    call.session.database = database;
    call.session.waiting = None;
    match outcome {
        Ok(Ok(value)) => {
            let written = Writer::new(call.reply, shared).write(&value, 0);
            written.map_err(|error| failed(cause(&error)).into())
        }
        Ok(Err(error)) => Err(text_of(&error, program.name).into()),
        Err(error) => Err(failed(cause(&error)).into()),
    }
}

/// Refuses a program whose flags do not let it run now, before it begins.
fn check_flags(call: &Call<'_>, program: &Program<'_>) -> Outcome {
    // A script without a line of flags is from before there were any: its commands are looked at one by one.
    if program.flags.is_given {
        if !program.flags.allow_oom && !program.flags.no_writes && call.transaction.is_out_of_memory() {
            return Err("OOM command not allowed when used memory > 'maxmemory'.".into());
        }
        if program.is_read_only && !program.flags.no_writes {
            return Err("ERR Can not execute a script with write flag using *_ro command.".into());
        }
    }
    Ok(())
}

/// Words as the script hands them over: one by one, or how many there are and a table of them.
type Handed = (MultiValue, bool);

/// A value, or what the sandbox makes one of.
type Answered = mlua::Result<(Value, Form, MultiValue)>;

fn plain(value: Value) -> (Value, Form, MultiValue) {
    (value, None, MultiValue::new())
}

impl Running<'_, '_> {
    /// Runs the command whose words the script has handed over.
    fn command(&self, lua: &Lua, words: Handed, is_protected: bool) -> Answered {
        let outcome = self.reply(lua, words);
        match outcome {
            Err(Error::ExternalError(error)) if is_protected => {
                self.shared.check()?;
                let table = lua.create_table()?;
                table.raw_set("err", error.to_string())?;
                Ok(plain(Value::Table(table)))
            }
            Ok((Value::Table(table), form, rest)) if !is_protected => match table.raw_get::<Value>("err")? {
                Value::String(text) => Err(raise(text.to_string_lossy())),
                _ => Ok((Value::Table(table), form, rest)),
            },
            outcome => outcome,
        }
    }

    /// Takes the words that the script has handed over.
    fn take(&self, words: &mut Words, handed: Handed) -> mlua::Result<()> {
        words.clear();
        self.shared.spend(1)?;
        let mut all = true;
        match handed {
            (values, false) => {
                for value in &values {
                    all &= words.push(self.shared, value)?;
                }
            }
            (values, true) => {
                let mut values = values.into_iter();
                let (Some(Value::Integer(count)), Some(Value::Table(table))) = (values.next(), values.next()) else {
                    return Err(raise("ERR the words of a command are missing"));
                };
                for at in 1..=count {
                    all &= words.push(self.shared, &table.raw_get(at)?)?;
                }
            }
        }
        if !all {
            return Err(raise("ERR Lua redis lib command arguments must be strings or integers"));
        }
        Ok(())
    }

    /// The command that `words` name; `unknown` is the error if there is none.
    fn find(&self, words: &[&[u8]], unknown: &str) -> mlua::Result<&'static Command> {
        if words.is_empty() {
            return Err(raise("ERR Please specify at least one argument for this redis lib call"));
        }
        // A subcommand that does not exist is not a command either.
        let is_whole = |found: &&Command| !found.spec.is_container() || words.len() == 1;
        self.registry.find(words).filter(is_whole).ok_or_else(|| raise(unknown))
    }

    fn reply(&self, lua: &Lua, handed: Handed) -> Answered {
        let mut room = self.room.try_borrow_mut().map_err(|_| raise("ERR a command is running"))?;
        let (words, reply) = &mut *room;
        self.take(words, handed)?;
        let words = words.slices();
        let found = self.find(&words, "ERR Unknown Redis command called from script")?;
        if !found.spec.has_arity(words.len()) {
            return Err(raise("ERR Wrong number of args calling Redis command from script"));
        }
        if !is_for_scripts(found.spec) {
            return Err(raise("ERR This Redis command is not allowed from script"));
        }
        let is_write = found.spec.flags.contains(spec::Flags::WRITE);
        if self.is_read_only && (is_write || found.spec.traits.contains(Traits::REPLICATES)) {
            return Err(raise("ERR Write commands are not allowed from read-only scripts."));
        }
        if blocks(found.spec, &words) {
            let name = words.first().copied().unwrap_or_default();
            let name = String::from_utf8_lossy(name).to_ascii_uppercase();
            return Err(raise(format!("ERR {name} command is not allowed with BLOCK option from scripts")));
        }
        let mut call = self.call.try_borrow_mut().map_err(|_| raise("ERR a command is running"))?;
        reply.clear();
        reply.protocol = if self.shared.is_resp3.get() { Protocol::Resp3 } else { Protocol::Resp2 };
        // What was begun with enough memory is not torn apart.
        let exceeds = is_write && (self.may_exceed_memory || self.has_written.get());
        if is_write {
            self.has_written.set(true);
        }
        let mut inner = Call {
            transaction: call.transaction,
            door: call.door,
            session: &mut *call.session,
            command: Some(found),
            words: &words,
            reply,
        };
        if exceeds {
            inner.transaction.set_exceeds_memory(true);
        }
        execute::run_called(&mut inner);
        if exceeds {
            call.transaction.set_exceeds_memory(false);
        }
        drop(call);
        convert::answer(lua, self.shared, reply.bytes())
    }

    /// Whether the script's user may run the command whose words it has handed over.
    fn may_run(&self, handed: Handed) -> mlua::Result<bool> {
        let mut room = self.room.try_borrow_mut().map_err(|_| raise("ERR a command is running"))?;
        let (words, _) = &mut *room;
        self.take(words, handed)?;
        let words = words.slices();
        let found = self.find(&words, "ERR Invalid command passed to redis.acl_check_cmd()")?;
        let call = self.call.try_borrow().map_err(|_| raise("ERR a command is running"))?;
        let account = call.session.user.account();
        Ok(acl::check::check(&account.rights, found.spec, &words).is_ok())
    }

    /// Looks at what other clients want of a door that is busy.
    fn watch(&self) {
        let Ok(call) = self.call.try_borrow() else { return };
        self.is_watched.set(true);
        let verdict = busy::attend(&Busy {
            transaction: call.transaction,
            door: call.door,
            name: self.program.name,
            is_script: self.program.is_script,
            has_written: self.has_written.get(),
            words: call.words,
            elapsed: self.shared.elapsed(),
        });
        match verdict {
            Verdict::GoesOn => {}
            Verdict::Killed => self.shared.end("ERR Script killed by user with SCRIPT KILL..."),
            Verdict::ServerEnds => self.shared.end("ERR the script was ended: the server is closing"),
        }
    }
}

/// Whether the words of a reading of streams ask to wait. What comes after `STREAMS` is no option.
fn blocks(asked: &Spec, words: &[&[u8]]) -> bool {
    // Their keys are behind a word, and so are their options before it.
    let Some(&Begin::Keyword(_, from)) = asked.keys.first().map(|place| &place.begin) else { return false };
    if !asked.flags.contains(spec::Flags::BLOCKING) {
        return false;
    }
    let mut options = usize::try_from(from).ok().and_then(|from| words.get(from..)).unwrap_or_default();
    loop {
        options = match options {
            [option, ..] if is(option, "streams") => return false,
            [option, _, ..] if is(option, "block") => return true,
            [option, _, rest @ ..] if is(option, "count") => rest,
            [_, rest @ ..] => rest,
            [] => return false,
        };
    }
}

/// A script's error as clients get it.
fn text_of(error: &Value, name: &str) -> String {
    let table = match error {
        Value::Table(table) => table,
        Value::String(text) => return format!("ERR {} script: {name}", text.to_string_lossy()),
        _ => return format!("ERR unknown error script: {name}"),
    };
    let text = |field: &str| table.raw_get::<Option<String>>(field).ok().flatten();
    let message = table.raw_get::<Value>("err").ok().and_then(|value| Some(value.as_string()?.to_string_lossy()));
    let message = message.unwrap_or_else(|| "ERR unknown error".to_owned());
    match (text("source"), table.raw_get::<Option<i64>>("line").ok().flatten()) {
        (Some(source), Some(line)) => format!("{message} script: {name}, on {source}:{line}."),
        _ => format!("{message} script: {name}"),
    }
}

/// Whether a script may call a command: none that is about the connection, the server or other scripts.
fn is_for_scripts(asked: &Spec) -> bool {
    !asked.flags.intersects(spec::Flags::NOSCRIPT | spec::Flags::NO_MULTI)
}
