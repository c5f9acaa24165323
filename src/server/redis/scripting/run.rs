//! Running a script or a function: its commands, its reply, its error.

use std::cell::RefCell;

use mlua::{Error, Function, Lua, MultiValue, Value};

use crate::server::redis::command::{Call, Command, Flags, Outcome, find};
use crate::server::redis::execute::{self, Slices};
use crate::server::redis::monitor::Sender;
use crate::server::redis::reply::{Protocol, Reply};
use crate::server::redis::scripting::Scripting;
use crate::server::redis::scripting::convert;
use crate::server::redis::scripting::interpreter::raise;

/// What is to run.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// The SHA-1 of a script, the name of a function.
    pub(super) name: &'a str,
    pub(super) function: &'a Function,
    pub(super) is_script: bool,
    pub(super) is_read_only: bool,
    pub(super) keys: &'a [&'a [u8]],
    pub(super) arguments: &'a [&'a [u8]],
}

/// Runs `program` and writes what it returns.
pub(super) fn run(scripting: &Scripting, call: &mut Call<'_>, program: &Program<'_>) -> Outcome {
    let (database, interpreter) = (call.session.database, &scripting.interpreter);
    let shared = &interpreter.shared;
    let outcome = {
        let call = RefCell::new(&mut *call);
        interpreter.lua.scope(|scope| {
            let commands = scope.create_function(|lua, (is_protected, words): (bool, MultiValue)| {
                let mut call = call.try_borrow_mut().map_err(|_| raise("ERR a command is running"))?;
                let outcome = command(lua, &mut call, shared.is_resp3.get(), program.is_read_only, words);
                match outcome {
                    Err(Error::ExternalError(error)) if is_protected => {
                        let table = lua.create_table()?;
                        table.raw_set("err", error.to_string())?;
                        Ok(Value::Table(table))
                    }
                    Ok(Value::Table(table)) if !is_protected => match table.raw_get::<Value>("err")? {
                        Value::String(text) => Err(raise(text.to_string_lossy())),
                        _ => Ok(Value::Table(table)),
                    },
                    outcome => outcome,
                }
            })?;
            shared.commands.replace(Some(commands));
            let outcome = interpreter.run(program.function, (program.keys, program.arguments), program.is_script);
            shared.commands.take();
            outcome
        })
    };
    call.session.database = database;
    call.session.waiting = None;
    let is_resp3 = shared.is_resp3.get();
    match outcome {
        Ok(Ok(value)) => {
            convert::write(call.reply, &value, is_resp3, 0).map_err(|error| format!("ERR {error}"))?;
            Ok(())
        }
        Ok(Err(error)) => Err(text_of(&error, program.name).into()),
        Err(error) => Err(format!("ERR {} script: {}", first_line(&error), program.name).into()),
    }
}

/// The first line of what mlua says.
pub(super) fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
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

/// What an error of a library's says, without where it was.
pub(super) fn message_of(error: &Value) -> String {
    let Value::Table(table) = error else { return "ERR unknown error".to_owned() };
    let message = table.raw_get::<Value>("err").ok().and_then(|value| Some(value.as_string()?.to_string_lossy()));
    message.unwrap_or_else(|| "ERR unknown error".to_owned())
}

/// Runs one command of a script's, and gives its reply.
fn command(
    lua: &Lua,
    call: &mut Call<'_>,
    is_resp3: bool,
    is_read_only: bool,
    words: MultiValue,
) -> mlua::Result<Value> {
    let words = words.into_vec();
    if words.is_empty() {
        return Err(raise("ERR Please specify at least one argument for this redis lib call"));
    }
    let words: Option<Vec<_>> = words.iter().map(convert::word).collect();
    let words = words.ok_or_else(|| raise("ERR Lua redis lib command arguments must be strings or integers"))?;
    let words: Slices<'_> = words.iter().map(Vec::as_slice).collect();
    let found = find(words.first().copied().unwrap_or_default());
    let found = found.ok_or_else(|| raise("ERR Unknown Redis command called from script"))?;
    if !found.has_arity(words.len()) {
        return Err(raise("ERR Wrong number of args calling Redis command from script"));
    }
    if !is_for_scripts(found) {
        return Err(raise("ERR This Redis command is not allowed from script"));
    }
    if is_read_only && (found.flags.has(Flags::WRITE) || matches!(found.name, "publish" | "spublish" | "pfcount")) {
        return Err(raise("ERR Write commands are not allowed from read-only scripts."));
    }
    let protocol = if is_resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
    let mut reply = Reply::in_protocol(protocol);
    let mut inner = Call {
        transaction: call.transaction,
        door: call.door,
        session: &mut *call.session,
        words: &words,
        reply: &mut reply,
    };
    execute::run_queued(&mut inner, Sender::Script);
    Ok(convert::read(lua, reply.bytes())?.0)
}

/// Whether a script may call a command: none that is about the connection, the server or other scripts.
fn is_for_scripts(command: &Command) -> bool {
    !command.flags.has(Flags::NO_MULTI)
        && !command.flags.has(Flags::ADMIN)
        && !matches!(
            command.name,
            "acl"
                | "auth"
                | "client"
                | "discard"
                | "eval"
                | "eval_ro"
                | "evalsha"
                | "evalsha_ro"
                | "exec"
                | "fcall"
                | "fcall_ro"
                | "function"
                | "hello"
                | "latency"
                | "monitor"
                | "multi"
                | "psubscribe"
                | "punsubscribe"
                | "quit"
                | "reset"
                | "role"
                | "script"
                | "ssubscribe"
                | "subscribe"
                | "sunsubscribe"
                | "unsubscribe"
                | "unwatch"
                | "wait"
                | "watch"
        )
}
