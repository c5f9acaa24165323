//! The interpreter: Lua 5.1 in a sandbox, with an allowance of steps, bytes and seconds for each script.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mlua::{Error, Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState};

use crate::limits;
use crate::server::redis::lua::allowance::{Allowance, Shared, raise};
use crate::server::redis::lua::failure::place;
use crate::server::redis::lua::kept::Kept;
use crate::server::redis::lua::message::{cause, first_line};
use crate::server::redis::lua::service::Service;
use crate::server::redis::lua::{api, bits, json, loading, message_pack, pattern, structs};

/// Instructions between two looks at the allowance.
const INSTRUCTIONS_PER_LOOK: u32 = 250;

/// The same once the script has so much memory that one instruction may take long: it copies, compares or hashes a
/// whole string.
const INSTRUCTIONS_PER_LOOK_WHEN_LARGE: u32 = 25;

/// From where on it has so much.
const LARGE_BYTES: usize = 8 << 20;

/// Bytes of code that the compiler is given at once. It has no hook, and takes time that grows with the square of some
/// code: between two pieces it can be ended.
const PIECE_BYTES: usize = 256;

/// What a script catches: errors of ours in the form that its own have.
fn plain(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let error = match value {
        Value::Error(error) => error,
        // A place within the sandbox is not one in the script.
        Value::String(text) if text.as_bytes().starts_with(b"sandbox:") => {
            let bytes = text.as_bytes();
            let message = bytes.iter().enumerate().skip(8).find(|(_, byte)| !byte.is_ascii_digit());
            let message = message.and_then(|(at, _)| bytes.get(at..)?.strip_prefix(b": "));
            return lua.create_string(message.unwrap_or(&bytes)).map(Value::String);
        }
        other => return Ok(other),
    };
    let mut error = &*error;
    loop {
        match error {
            Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => error = cause,
            Error::ExternalError(inner) => {
                let table = lua.create_table()?;
                table.raw_set("err", lua.create_string(inner.to_string())?)?;
                return Ok(Value::Table(table));
            }
            Error::RuntimeError(text) | Error::MemoryError(text) => {
                let text = text.split("\nstack traceback:").next().unwrap_or_default();
                return Ok(Value::String(lua.create_string(text)?));
            }
            other => return Ok(Value::String(lua.create_string(other.to_string())?)),
        }
    }
}

/// What `pcall` gives for an error: the text, if there is one.
fn caught(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let value = plain(lua, value)?;
    if let Value::Table(table) = &value
        && let text @ Value::String(_) = table.raw_get::<Value>("err")?
    {
        return Ok(text);
    }
    Ok(value)
}

/// How a script ends that fails: its error, and where that was.
fn trace(lua: &Lua, value: Value) -> mlua::Result<Table> {
    let found = place(lua);
    let table = match plain(lua, value)? {
        Value::Table(table) => table,
        other => {
            let text = match &other {
                Value::String(text) => text.to_string_lossy(),
                Value::Nil => "nil".to_owned(),
                other => other.to_string()?,
            };
            let table = lua.create_table()?;
            table.raw_set("err", lua.create_string(format!("ERR {text}"))?)?;
            table
        }
    };
    if let Some((source, line)) = found {
        table.raw_set("source", source)?;
        table.raw_set("line", line)?;
    }
    Ok(table)
}

/// Why code cannot be compiled.
#[derive(Debug)]
pub(crate) enum CompileError {
    /// It is not valid code: what the compiler says.
    Code(String),
    /// It takes more time or memory than it may.
    Over(String),
}

/// Lua, ready to run scripts.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub(crate) lua: Lua,
    pub(crate) shared: Rc<Shared>,
    allowance: Allowance,
    /// Bytes that it has in use before the first script.
    own_bytes: usize,
    /// What compiles, of Lua.
    parser: Function,
    environment: Table,
    globals: Table,
    library_environment: Table,
    run: Function,
    load: Function,
}

impl Interpreter {
    /// A new one, whose scripts end soon after `closing` is set.
    pub(crate) fn new(allowance: Allowance, closing: Arc<AtomicBool>) -> mlua::Result<Self> {
        let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(false))?;
        let shared = Rc::new(Shared::new(&allowance, closing));
        let parser: Function = lua.globals().get("load")?;
        let native = native(&lua, &shared, &parser)?;
        let sandbox = lua.load(include_str!("sandbox.lua")).set_name("=sandbox").into_function()?;
        let (environment, globals, library_environment, run, load) = sandbox.call(native)?;
        hook(&lua, &shared, INSTRUCTIONS_PER_LOOK)?;
        lua.gc_collect()?;
        let own_bytes = lua.used_memory();
        lua.set_memory_limit(own_bytes.saturating_add(allowance.bytes))?;
        Ok(Self { lua, shared, allowance, own_bytes, parser, environment, globals, library_environment, run, load })
    }

    /// Compiles a script, or a library of functions.
    ///
    /// # Errors
    /// What the compiler says, with the line; or that it takes more than it may.
    pub(crate) fn compile(&self, code: &[u8], is_library: bool) -> Result<Function, CompileError> {
        let (name, environment) = if is_library {
            ("@user_function", &self.library_environment)
        } else {
            ("@user_script", &self.environment)
        };
        let over = |error: Error| {
            CompileError::Over(match cause(&error) {
                Error::ExternalError(inner) => inner.to_string(),
                other => format!("ERR {}", first_line(other)),
            })
        };
        self.begin().map_err(over)?;
        let name = self.lua.create_string(name).map_err(over)?;
        let parsed = parse(&self.lua, &self.shared, &self.parser, code, name).map_err(over)?;
        let function = parsed.map_err(CompileError::Code)?;
        function.set_environment(environment.clone()).map_err(over)?;
        Ok(function)
    }

    /// Keeps `function` for as long as what is returned is. A reference of Rust's would be one of the few thousand that
    /// there may be.
    ///
    /// # Errors
    /// That there is no memory.
    pub(crate) fn keep(&self, function: &Function) -> Result<Kept<Function>, String> {
        Kept::new(&self.lua, function)
    }

    /// Calls what was compiled, with an allowance of its own. Scripts find their keys and arguments in globals,
    /// functions are given them. What it asks of the door goes to `serve`.
    ///
    /// # Errors
    /// The error's table, or what keeps the interpreter from making one.
    pub(crate) fn run(
        &self,
        function: &Function,
        words: (&[&[u8]], &[&[u8]]),
        is_script: bool,
        serve: Option<&Function>,
    ) -> mlua::Result<Result<Value, Value>> {
        let (keys, arguments) = (self.list(words.0)?, self.list(words.1)?);
        if is_script {
            self.globals.raw_set("KEYS", &keys)?;
            self.globals.raw_set("ARGV", &arguments)?;
        }
        let outcome = self.run.call((function, keys, arguments, serve));
        if is_script {
            self.globals.raw_set("KEYS", Value::Nil)?;
            self.globals.raw_set("ARGV", Value::Nil)?;
        }
        outcome_of(outcome)
    }

    /// The words as a table. They are set one by one: all at once there is no room for them on Lua's stack.
    fn list(&self, words: &[&[u8]]) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(words.len(), 0)?;
        for (at, word) in words.iter().enumerate() {
            self.shared.spend_bytes(word.len())?;
            table.raw_set(at + 1, self.lua.create_string(word)?)?;
        }
        Ok(table)
    }

    /// Runs a library once, so that it registers its functions.
    pub(crate) fn load(&self, library: &Function) -> mlua::Result<Result<Value, Value>> {
        self.begin()?;
        self.shared.begin_load(&self.allowance);
        outcome_of(self.load.call(library))
    }

    /// Begins what is to run next with a whole allowance.
    pub(crate) fn begin(&self) -> mlua::Result<()> {
        self.lua.gc_restart();
        if self.lua.used_memory() > self.allowance.bytes / 4 {
            self.lua.gc_collect()?;
        }
        hook(&self.lua, &self.shared, INSTRUCTIONS_PER_LOOK)?;
        self.shared.begin(&self.allowance);
        Ok(())
    }

    /// Bytes that are in use, beside what the interpreter itself needs.
    pub(super) fn used_bytes(&self) -> usize {
        self.lua.used_memory().saturating_sub(self.own_bytes)
    }

    /// Whether more than `others` bytes and what libraries may keep are in use, when nothing is there that could go.
    pub(super) fn keeps_too_much(&self, others: usize) -> bool {
        let most = self.allowance.kept_bytes.saturating_add(others);
        self.used_bytes() > most && self.lua.gc_collect().is_ok() && self.used_bytes() > most
    }
}

/// Checks the allowance every `every` instructions, in the Lua thread that runs and in those that it makes.
fn hook(lua: &Lua, shared: &Rc<Shared>, every: u32) -> mlua::Result<()> {
    let shared = Rc::clone(shared);
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |lua, _| {
        shared.spend(every.into())?;
        let is_large = lua.used_memory() > LARGE_BYTES;
        if is_large || every != INSTRUCTIONS_PER_LOOK {
            // Each thread has a count of its own, so that it is set even if it was set before.
            hook(lua, &shared, if is_large { INSTRUCTIONS_PER_LOOK_WHEN_LARGE } else { INSTRUCTIONS_PER_LOOK })?;
        }
        Ok(VmState::Continue)
    })
}

fn outcome_of(results: mlua::Result<MultiValue>) -> mlua::Result<Result<Value, Value>> {
    let mut results = results?.into_iter();
    let succeeded = matches!(results.next(), Some(Value::Boolean(true)));
    let value = results.next().unwrap_or(Value::Nil);
    Ok(if succeeded { Ok(value) } else { Err(value) })
}

/// Compiles `code`: the function, or what the compiler says.
///
/// The compiler is handed small pieces, so that it can be ended. While it works no memory is collected, because Lua 5.1
/// has the name of the code where its collector does not see it.
fn parse(
    lua: &Lua,
    shared: &Rc<Shared>,
    parser: &Function,
    code: &[u8],
    name: LuaString,
) -> mlua::Result<Result<Function, String>> {
    if code.first() == Some(&0x1b) {
        return Ok(Err("bytecode is not allowed".to_owned()));
    }
    let (code, watch, at) = (code.to_vec(), Rc::clone(shared), Cell::new(0usize));
    let pieces = lua.create_function(move |lua, ()| {
        let rest = code.get(at.get()..).unwrap_or_default();
        let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
        // About what compiling it takes, if it is not of the kind that takes longer.
        watch.spend(piece.len() as u64 * 4)?;
        at.set(at.get() + piece.len());
        lua.create_string(piece)
    })?;
    lua.gc_stop();
    let parsed = parser.call::<(Value, Value)>((pieces, name));
    lua.gc_restart();
    match parsed? {
        (Value::Function(function), _) => Ok(Ok(function)),
        (_, Value::Error(error)) => Err(*error),
        (_, Value::String(message)) => Ok(Err(message.to_string_lossy())),
        _ => Ok(Err("not enough memory".to_owned())),
    }
}

/// What the sandbox is built from.
fn native(lua: &Lua, shared: &Rc<Shared>, parser: &Function) -> mlua::Result<Table> {
    let native = lua.create_table()?;
    let watch = Rc::clone(shared);
    let catch = move |lua: &Lua, value: Value| {
        watch.check()?;
        caught(lua, value)
    };
    native.raw_set("caught", lua.create_function(catch)?)?;
    native.raw_set("trace", lua.create_function(trace)?)?;
    native.raw_set("unpack_max", limits::SCRIPT_UNPACK_MAX)?;
    let (watch, parser) = (Rc::clone(shared), parser.clone());
    let compile = move |lua: &Lua, (code, name): (LuaString, LuaString)| {
        watch.spend_bytes(code.as_bytes().len())?;
        Ok(match parse(lua, &watch, &parser, &code.as_bytes(), name)? {
            Ok(function) => (Some(function), None),
            Err(message) => (None, Some(message)),
        })
    };
    native.raw_set("compile", lua.create_function(compile)?)?;
    native.raw_set("redis", api::commands(lua, shared)?)?;
    let asks = lua.create_table()?;
    for (name, service) in
        [("call", Service::Call), ("pcall", Service::ProtectedCall), ("acl_check_cmd", Service::AclCheck)]
    {
        asks.raw_set(name, service.number())?;
    }
    native.raw_set("asks", asks)?;
    native.raw_set("services", Service::COUNT)?;
    native.raw_set("words_max", limits::SCRIPT_WORDS_ON_STACK_MAX)?;
    let nobody = |_: &Lua, _: MultiValue| -> mlua::Result<()> { Err(raise("ERR no command can be run here")) };
    native.raw_set("nobody", lua.create_function(nobody)?)?;
    native.raw_set("loading", loading::loading(lua, shared)?)?;
    native.raw_set("random", api::random(lua, shared)?)?;
    native.raw_set("randomseed", api::random_seed(lua, shared)?)?;
    native.raw_set("string", pattern::functions(lua, shared)?)?;
    let libraries = lua.create_table()?;
    libraries.raw_set("bit", bits::functions(lua)?)?;
    libraries.raw_set("cjson", json::functions(lua, shared)?)?;
    libraries.raw_set("cmsgpack", message_pack::functions(lua, shared)?)?;
    libraries.raw_set("struct", structs::functions(lua, shared)?)?;
    native.raw_set("libraries", libraries)?;
    Ok(native)
}
