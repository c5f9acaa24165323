//! The interpreter: Lua 5.1 in a sandbox, with an allowance of steps, bytes and seconds for each script.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{Error, Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use crate::clock::Stopwatch;
use crate::limits;
use crate::server::redis::scripting::functions::Registered;
use crate::server::redis::scripting::{api, bits, json, message_pack, pattern, structs};

/// Instructions between two looks at the allowance.
const INSTRUCTIONS_PER_LOOK: u32 = 500;

/// What one script may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) instructions: u64,
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            instructions: limits::SCRIPT_INSTRUCTIONS_MAX,
            bytes: limits::SCRIPT_MEMORY_BYTES_MAX,
            time: Duration::from_secs(limits::SCRIPT_SECONDS_MAX),
        }
    }
}

/// What the functions that a script calls share.
#[derive(Debug)]
pub(super) struct Shared {
    left: Cell<u64>,
    /// When the script began, and how long it may take.
    time: Cell<Option<(Stopwatch, Duration)>>,
    /// Why the script has to end, whatever it catches.
    over: Cell<Option<&'static str>>,
    /// Runs commands while a script runs.
    pub(super) commands: RefCell<Option<Function>>,
    pub(super) is_resp3: Cell<bool>,
    /// The state of `math.random`.
    pub(super) random: Cell<u64>,
    /// What a library registers while it is loaded.
    pub(super) registered: RefCell<Option<Vec<Registered>>>,
}

impl Shared {
    /// Takes `steps` from the allowance.
    pub(super) fn spend(&self, steps: u64) -> mlua::Result<()> {
        if self.over.get().is_none() {
            let left = self.left.get().saturating_sub(steps);
            self.left.set(left);
            if left == 0 {
                self.over.set(Some("ERR the script was ended: it runs more instructions than a script may"));
            } else if self.time.get().is_some_and(|(since, time)| since.elapsed() > time) {
                self.over.set(Some("ERR the script was ended: it runs for longer than a script may"));
            }
        }
        self.over.get().map_or(Ok(()), |text| Err(raise(text)))
    }
}

/// An error that a script sees as a table with the field `err`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(pub(super) String);

/// An error with a code.
pub(super) fn raise(text: impl Into<String>) -> Error {
    Error::external(Raised(text.into()))
}

/// An error that says where it is, as the libraries of Lua have it.
pub(super) fn fail(lua: &Lua, text: &str) -> Error {
    match place(lua) {
        Some((source, line)) => Error::runtime(format!("{}:{line}: {text}", source.trim_start_matches('@'))),
        None => Error::runtime(text),
    }
}

/// The line of the script that runs.
pub(super) fn place(lua: &Lua) -> Option<(String, usize)> {
    for level in 1..limits::SCRIPT_FRAMES_MAX {
        let found = lua.inspect_stack(level, |frame| {
            let source = frame.source().source?.into_owned();
            source.starts_with("@user_").then_some((source, frame.current_line()?))
        })?;
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What a script catches: errors of ours in the form that its own have.
pub(super) fn plain(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let Value::Error(error) = value else { return Ok(value) };
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

/// Lua, ready to run scripts.
#[derive(Debug)]
pub(super) struct Interpreter {
    pub(super) lua: Lua,
    pub(super) shared: Rc<Shared>,
    allowance: Allowance,
    environment: Table,
    globals: Table,
    library_environment: Table,
    run: Function,
    load: Function,
}

impl Interpreter {
    pub(super) fn new(allowance: Allowance) -> mlua::Result<Self> {
        let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(false))?;
        let shared = Rc::new(Shared {
            left: Cell::new(u64::MAX),
            time: Cell::new(None),
            over: Cell::new(None),
            commands: RefCell::default(),
            is_resp3: Cell::new(false),
            random: Cell::new(api::seed(0)),
            registered: RefCell::default(),
        });
        let native = native(&lua, &shared, allowance)?;
        let sandbox = lua.load(include_str!("sandbox.lua")).set_name("=sandbox").into_function()?;
        let (environment, globals, library_environment, run, load) = sandbox.call(native)?;
        let watch = Rc::clone(&shared);
        let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_LOOK);
        lua.set_global_hook(triggers, move |_, _| {
            watch.spend(INSTRUCTIONS_PER_LOOK.into())?;
            Ok(VmState::Continue)
        })?;
        Ok(Self { lua, shared, allowance, environment, globals, library_environment, run, load })
    }

    /// Compiles a script, or a library of functions.
    ///
    /// # Errors
    /// What the compiler says, with the line.
    pub(super) fn compile(&self, code: &[u8], is_library: bool) -> Result<Function, String> {
        let (name, environment) = if is_library {
            ("@user_function", &self.library_environment)
        } else {
            ("@user_script", &self.environment)
        };
        self.begin().map_err(|error| error.to_string())?;
        let chunk = self.lua.load(code).set_name(name).set_mode(ChunkMode::Text).set_environment(environment.clone());
        chunk.into_function().map_err(|error| match error {
            Error::SyntaxError { message, .. } => message,
            other => other.to_string(),
        })
    }

    /// Calls what was compiled, with an allowance of its own. Scripts find their keys and arguments in globals, functions are
    /// given them.
    ///
    /// # Errors
    /// The error's table, or what keeps the interpreter from making one.
    pub(super) fn run(
        &self,
        function: &Function,
        words: (&[&[u8]], &[&[u8]]),
        is_script: bool,
    ) -> mlua::Result<Result<Value, Value>> {
        self.begin()?;
        let list = |words: &[&[u8]]| {
            let words = words.iter().map(|word| self.lua.create_string(word)).collect::<mlua::Result<Vec<_>>>()?;
            self.lua.create_sequence_from(words)
        };
        let (keys, arguments) = (list(words.0)?, list(words.1)?);
        if is_script {
            self.globals.raw_set("KEYS", &keys)?;
            self.globals.raw_set("ARGV", &arguments)?;
        }
        outcome(self.run.call((function, keys, arguments)))
    }

    /// Runs a library once, so that it registers its functions.
    pub(super) fn load(&self, library: &Function) -> mlua::Result<Result<Value, Value>> {
        self.begin()?;
        outcome(self.load.call(library))
    }

    fn begin(&self) -> mlua::Result<()> {
        if self.lua.used_memory() > self.allowance.bytes / 4 {
            self.lua.gc_collect()?;
        }
        self.lua.set_memory_limit(self.lua.used_memory().saturating_add(self.allowance.bytes))?;
        self.shared.left.set(self.allowance.instructions);
        self.shared.time.set(Some((Stopwatch::start(), self.allowance.time)));
        self.shared.over.set(None);
        self.shared.is_resp3.set(false);
        Ok(())
    }
}

fn outcome(results: mlua::Result<MultiValue>) -> mlua::Result<Result<Value, Value>> {
    let mut results = results?.into_iter();
    let succeeded = matches!(results.next(), Some(Value::Boolean(true)));
    let value = results.next().unwrap_or(Value::Nil);
    Ok(if succeeded { Ok(value) } else { Err(value) })
}

/// What the sandbox is built from.
fn native(lua: &Lua, shared: &Rc<Shared>, allowance: Allowance) -> mlua::Result<Table> {
    let native = lua.create_table()?;
    let watch = Rc::clone(shared);
    let catch = move |lua: &Lua, value: Value| {
        watch.spend(0)?;
        caught(lua, value)
    };
    native.raw_set("caught", lua.create_function(catch)?)?;
    native.raw_set("trace", lua.create_function(trace)?)?;
    native.raw_set("bytes_max", allowance.bytes)?;
    native.raw_set("redis", api::commands(lua, shared)?)?;
    native.raw_set("loading", api::loading(lua, shared)?)?;
    native.raw_set("random", api::random(lua, shared)?)?;
    native.raw_set("randomseed", api::random_seed(lua, shared)?)?;
    native.raw_set("string", pattern::functions(lua, shared)?)?;
    let libraries = lua.create_table()?;
    libraries.raw_set("bit", bits::functions(lua)?)?;
    libraries.raw_set("cjson", json::functions(lua)?)?;
    libraries.raw_set("cmsgpack", message_pack::functions(lua)?)?;
    libraries.raw_set("struct", structs::functions(lua)?)?;
    native.raw_set("libraries", libraries)?;
    Ok(native)
}
