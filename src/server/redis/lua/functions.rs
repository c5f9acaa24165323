//! Functions: libraries of them, kept in the store.

use std::collections::BTreeMap;

use crate::limits;
use crate::server::redis::lua::interpreter::{CompileError, Interpreter};
use crate::server::redis::lua::loading::is_name;
use crate::server::redis::lua::message::{cause, first_line, message_of};
use crate::server::redis::lua::registered::Registered;

/// A library.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    pub(crate) code: Vec<u8>,
    pub(crate) functions: Vec<Registered>,
}

/// Every library, by its name.
pub(crate) type Libraries = BTreeMap<String, Library>;

/// The function of a name, in whatever case.
pub(crate) fn find<'a>(libraries: &'a Libraries, name: &str) -> Option<&'a Registered> {
    let mut all = libraries.values().flat_map(|library| &library.functions);
    all.find(|function| function.name.eq_ignore_ascii_case(name))
}

/// The name of a library, and the library with what it registers.
pub(crate) fn compile(interpreter: &Interpreter, code: &[u8]) -> Result<(String, Library), String> {
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

/// What `FUNCTION DUMP` begins with: a mark and the version of the form.
const DUMP_MARK: &[u8] = b"LARDERFN\x01";

/// Every library as one payload: the mark, each code with its length before it in 4 bytes (little-endian), and the
/// CRC-32C of all that in 4 bytes.
pub(crate) fn dump(libraries: &Libraries) -> Vec<u8> {
    let mut payload = DUMP_MARK.to_vec();
    for library in libraries.values() {
        // `LIBRARY_BYTES_MAX` is far below.
        payload.extend_from_slice(&u32::try_from(library.code.len()).unwrap_or(u32::MAX).to_le_bytes());
        payload.extend_from_slice(&library.code);
    }
    payload.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    payload
}

/// The codes of a payload; `None` when [`dump`] did not make it.
pub(crate) fn undump(payload: &[u8]) -> Option<Vec<&[u8]>> {
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
