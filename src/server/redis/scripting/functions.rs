//! Functions: libraries of them, kept in the store.

use std::collections::BTreeMap;

use mlua::{Function, Lua, Value};

use crate::limits;
use crate::server::redis::command::{Call, Refusal};
use crate::server::redis::scripting::allowance::raise;
use crate::server::redis::scripting::flags::Flags;
use crate::server::redis::scripting::interpreter::{CompileError, Interpreter, Kept};
use crate::server::redis::scripting::run::{cause, first_line, message_of};

/// Where the libraries are: names with their code.
const KEYSPACE: &str = "larder.functions";

/// A function as `redis.register_function` has it.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) name: String,
    pub(super) callback: Kept<Function>,
    pub(super) description: Option<String>,
    pub(super) flags: Flags,
}

/// A library.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub(super) code: Vec<u8>,
    pub(super) functions: Vec<Registered>,
}

/// Every library, by its name.
pub(super) type Libraries = BTreeMap<String, Library>;

/// The function of a name, in whatever case.
pub(super) fn find<'a>(libraries: &'a Libraries, name: &str) -> Option<&'a Registered> {
    let mut all = libraries.values().flat_map(|library| &library.functions);
    all.find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Reads the libraries of the store.
pub(super) fn read(interpreter: &Interpreter, call: &Call<'_>) -> Result<Libraries, Refusal> {
    let (kv, mut libraries) = (call.transaction.kv_named(KEYSPACE), Libraries::new());
    for (key, _) in kv.keys_after(None, limits::LIBRARIES_MAX)? {
        let code = kv.get(&key)?.unwrap_or_default();
        match compile(interpreter, &code) {
            Ok((name, library)) => drop(libraries.insert(name, library)),
            Err(error) => tracing::warn!(error, "a library of functions does not load"),
        }
    }
    Ok(libraries)
}

/// Adds a library, which has been compiled, in the place of one of its name.
pub(super) fn put(call: &Call<'_>, libraries: &mut Libraries, name: &str, library: Library) -> Result<(), Refusal> {
    check(libraries, name, &library)?;
    call.transaction.kv_named(KEYSPACE).set(name, &library.code)?;
    libraries.insert(name.to_owned(), library);
    Ok(())
}

/// Refuses a library with a function that another one has, and one too many.
fn check(libraries: &Libraries, name: &str, library: &Library) -> Result<(), Refusal> {
    if !libraries.contains_key(name) {
        limits::check("function libraries", limits::LIBRARIES_MAX, libraries.len() + 1)?;
    }
    let others = libraries.iter().filter(|(other, _)| *other != name).flat_map(|(_, other)| &other.functions);
    let taken = |own: &&Registered| others.clone().any(|other| other.name.eq_ignore_ascii_case(&own.name));
    match library.functions.iter().find(taken).map(|own| &own.name) {
        Some(taken) => Err(format!("ERR Function {taken} already exists").into()),
        None => Ok(()),
    }
}

pub(super) fn remove(call: &Call<'_>, libraries: &mut Libraries, name: &str) -> Result<bool, Refusal> {
    call.transaction.kv_named(KEYSPACE).remove(name)?;
    Ok(libraries.remove(name).is_some())
}

/// The name of a library, and the library with what it registers.
pub(super) fn compile(interpreter: &Interpreter, code: &[u8]) -> Result<(String, Library), String> {
    if code.len() > limits::LIBRARY_BYTES_MAX {
        return Err(format!("ERR a library may have {} bytes", limits::LIBRARY_BYTES_MAX));
    }
    let (name, body) = metadata(code)?;
    let function = interpreter.compile(body, true).map_err(|error| match error {
        CompileError::Code(text) => format!("ERR Error compiling function: {text}"),
        CompileError::Over(text) => text,
    })?;
    interpreter.shared.registered.replace(Some(Vec::new()));
    let outcome = interpreter.load(&function);
    let functions = interpreter.shared.registered.take().unwrap_or_default();
    let failed = match outcome {
        Ok(Ok(_)) if functions.is_empty() => return Err("ERR No functions registered".to_owned()),
        Ok(Ok(_)) => return Ok((name, Library { code: code.to_vec(), functions })),
        Ok(Err(error)) => message_of(&error),
        Err(error) => first_line(cause(&error)),
    };
    Err(format!("ERR Error registering functions: {failed}"))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The name that the first line gives, and what follows, with the line's end.
fn metadata(code: &[u8]) -> Result<(String, &[u8]), String> {
    if !code.starts_with(b"#!") {
        return Err("ERR Missing library metadata".to_owned());
    }
    let end = code.iter().position(|byte| *byte == b'\n').ok_or("ERR Invalid library metadata")?;
    let (line, body) = code.split_at(end);
    let line = String::from_utf8_lossy(line);
    let mut words = line.strip_prefix("#!").unwrap_or_default().split_ascii_whitespace();
    let engine = words.next().unwrap_or_default();
    let mut name = None;
    for word in words {
        let Some(value) = word.strip_prefix("name=") else {
            return Err(format!("ERR Invalid metadata value given: {word}"));
        };
        if name.replace(value).is_some() {
            return Err("ERR Invalid metadata value, name argument was given multiple times".to_owned());
        }
    }
    let name = name.ok_or("ERR Library name was not given")?;
    if !is_name(name) {
        return Err("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                    character long"
            .to_owned());
    }
    if !engine.eq_ignore_ascii_case("lua") {
        return Err(format!("ERR Engine '{engine}' not found"));
    }
    Ok((name.to_owned(), body))
}

/// Reads the arguments of `redis.register_function`.
pub(super) fn register(lua: &Lua, arguments: &[Value]) -> mlua::Result<Registered> {
    let text = |value: &Value| value.as_string().map(mlua::LuaString::to_string_lossy);
    let (mut name, mut callback, mut description, mut flags) = (None, None, None, Flags::given());
    match arguments {
        [Value::Table(table)] => {
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                let key = text(&key)
                    .ok_or_else(|| raise("ERR named argument key given to redis.register_function is not a string"))?;
                match (&*key, &value) {
                    ("function_name", value) => {
                        let given = text(value);
                        name = Some(given.ok_or_else(|| {
                            raise("ERR function_name argument given to redis.register_function must be a string")
                        })?);
                    }
                    ("description", value) => {
                        let given = text(value);
                        description = Some(given.ok_or_else(|| {
                            raise("ERR description argument given to redis.register_function must be a string")
                        })?);
                    }
                    ("callback", Value::Function(function)) => callback = Some(function.clone()),
                    ("callback", _) => {
                        return Err(raise("ERR callback argument given to redis.register_function must be a function"));
                    }
                    ("flags", Value::Table(given)) => {
                        for flag in given.sequence_values::<Value>() {
                            if !text(&flag?).is_some_and(|flag| flags.add(&flag)) {
                                return Err(raise("ERR unknown flag given"));
                            }
                        }
                    }
                    ("flags", _) => {
                        return Err(raise(
                            "ERR flags argument to redis.register_function must be a table representing function flags",
                        ));
                    }
                    _ => return Err(raise("ERR unknown argument given to redis.register_function")),
                }
            }
            if name.is_none() {
                return Err(raise("ERR redis.register_function must get a function name argument"));
            }
            if callback.is_none() {
                return Err(raise("ERR redis.register_function must get a callback argument"));
            }
        }
        [_] => {
            return Err(raise(
                "ERR calling redis.register_function with a single argument is only applicable to Lua table \
                 (representing named arguments).",
            ));
        }
        [given, function] => {
            let given = match given {
                Value::Integer(number) => Some(number.to_string()),
                other => text(other),
            };
            name = Some(given.ok_or_else(|| raise("ERR first argument to redis.register_function must be a string"))?);
            let Value::Function(function) = function else {
                return Err(raise("ERR second argument to redis.register_function must be a function"));
            };
            callback = Some(function.clone());
        }
        _ => return Err(raise("ERR wrong number of arguments to redis.register_function")),
    }
    match (name, callback) {
        (Some(name), Some(callback)) if is_name(&name) => {
            let callback = Kept::new(lua, &callback).map_err(raise)?;
            Ok(Registered { name, callback, description, flags })
        }
        _ => Err(raise(
            "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        )),
    }
}

/// What `FUNCTION DUMP` begins with: a mark and the version of the form.
const DUMP_MARK: &[u8] = b"LARDERFN\x01";

/// Every library as one payload: the mark, each code with its length before it in 4 bytes (little-endian), and the CRC-32C of
/// all that in 4 bytes.
pub(super) fn dump(libraries: &Libraries) -> Vec<u8> {
    let mut payload = DUMP_MARK.to_vec();
    for library in libraries.values() {
        // `LIBRARY_BYTES_MAX` is far below.
        payload.extend_from_slice(&u32::try_from(library.code.len()).unwrap_or(u32::MAX).to_le_bytes());
        payload.extend_from_slice(&library.code);
    }
    payload.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    payload
}

/// The codes of a payload; `None` when it is none of [`dump`]'s.
pub(super) fn undump(payload: &[u8]) -> Option<Vec<&[u8]>> {
    let (content, sum) = payload.split_last_chunk::<4>()?;
    if crc32c::crc32c(content) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = content.strip_prefix(DUMP_MARK)?;
    let mut codes = Vec::new();
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let (code, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        codes.push(code);
        rest = after;
    }
    Some(codes)
}
