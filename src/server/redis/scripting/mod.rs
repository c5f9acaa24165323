//! Scripts: `EVAL` and functions, in Lua 5.1.
//!
//! # How it works
//! The door has one interpreter, made for the first script. A script runs within the transaction of its request, and nothing comes
//! between its commands. What it wrote before an error stays, as in Redis: nothing is rolled back, whether it raised the error or
//! was ended by a limit.
//!
//! # Invariants
//! 1. A script changes nothing that another one sees but keys: its libraries and globals cannot be written to.
//! 2. Every script ends: its instructions, the steps of its patterns, its memory and its time are bounded (`limits`), and what it
//!    catches does not keep it going.
//!
//! # Source
//! Redis documentation, "Scripting with Lua", "Redis functions", "Lua API reference", version 7.2.

mod api;
mod bits;
mod convert;
mod functions;
mod handlers;
mod interpreter;
mod json;
mod message_pack;
mod pattern;
mod run;
mod scripts;
mod structs;

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use crate::server::redis::command::{Call, Refusal};
use functions::Libraries;
pub(super) use handlers::{call_function, eval, eval_sha, function, script};
use interpreter::{Allowance, Interpreter};
use scripts::Scripts;

/// What a door keeps for its scripts.
#[derive(Debug)]
pub(super) struct Scripting {
    interpreter: Interpreter,
    scripts: RefCell<Scripts>,
    /// Read from the store when they are first asked for.
    libraries: RefCell<Option<Libraries>>,
}

impl Scripting {
    fn new(allowance: Allowance) -> mlua::Result<Self> {
        let interpreter = Interpreter::new(allowance)?;
        Ok(Self { interpreter, scripts: RefCell::default(), libraries: RefCell::default() })
    }

    /// Has the libraries read again: what was done to them was not committed.
    pub(super) fn forget_libraries(&self) {
        self.libraries.replace(None);
    }

    /// The door's.
    fn of<'a>(call: &Call<'a>) -> Result<&'a Self, Refusal> {
        if let Some(scripting) = call.door.scripting.get() {
            return Ok(scripting);
        }
        let made = Self::new(Allowance::default()).map_err(|error| format!("ERR Lua cannot be started: {error}"))?;
        Ok(call.door.scripting.get_or_init(|| made))
    }
}
