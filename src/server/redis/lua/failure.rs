//! Errors as the libraries of Lua have them.

use mlua::{Error, Lua};

use crate::limits;

/// An error that says where it is, as the libraries of Lua have it.
pub(crate) fn fail(lua: &Lua, text: &str) -> Error {
    match place(lua) {
        Some((source, line)) => Error::runtime(format!("{}:{line}: {text}", source.trim_start_matches('@'))),
        None => Error::runtime(text),
    }
}

/// A wrong argument, as the libraries of Lua report it.
pub(super) fn bad_argument(lua: &Lua, at: usize, function: &str, problem: &str) -> Error {
    fail(lua, &format!("bad argument #{at} to '{function}' ({problem})"))
}

/// The line of the script that runs.
pub(crate) fn place(lua: &Lua) -> Option<(String, usize)> {
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
