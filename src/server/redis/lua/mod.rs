//! Scripts: `EVAL` and functions, in Lua 5.1.
//!
//! # How it works
//! The door has one interpreter, made for the first script. A script runs within the transaction of its request, and
//! nothing comes between its commands. What it wrote before an error stays, as in Redis: nothing is rolled back,
//! whether it raised the error or was ended by a limit.
//!
//! # Invariants
//! 1. A script changes nothing that another one sees but keys: its libraries and globals cannot be written to, and what it sets of
//!    them ends with it.
//! 2. Every script ends: its instructions, the steps of the libraries, its memory and its time are bounded (`allowance`), and what it
//!    catches does not keep it going.
//! 3. No number that a script gives reaches C unchecked where C does not check it (`sandbox.lua`).
//!
//! # Source
//! Redis documentation, "Scripting with Lua", "Redis functions", "Lua API reference", version 7.2.

pub(super) mod allowance;
mod api;
mod bits;
pub(super) mod convert;
mod digest;
mod failure;
pub(super) mod flags;
pub(super) mod functions;
pub(super) mod interpreter;
mod json;
mod json_settings;
mod kept;
mod loading;
pub(super) mod message;
mod message_pack;
mod pattern;
pub(super) mod registered;
pub(super) mod scripts;
pub(super) mod service;
pub(super) mod stats;
mod structs;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use allowance::Allowance;
use functions::Libraries;
use interpreter::Interpreter;
use scripts::Scripts;
use stats::Usage;

/// What a door keeps for its scripts.
#[derive(Debug)]
pub(super) struct Scripting {
    pub(super) interpreter: Interpreter,
    pub(super) scripts: RefCell<Scripts>,
    /// Read from the store when they are first asked for.
    pub(super) libraries: RefCell<Option<Libraries>>,
}

impl Scripting {
    /// A new interpreter, whose scripts end soon after `closing` is set.
    pub(super) fn new(allowance: Allowance, closing: Arc<AtomicBool>) -> mlua::Result<Self> {
        let interpreter = Interpreter::new(allowance, closing)?;
        Ok(Self { interpreter, scripts: RefCell::default(), libraries: RefCell::default() })
    }

    /// Forgets the libraries, so that they are read again: what was done to them was not committed.
    pub(super) fn forget_libraries(&self) {
        self.libraries.replace(None);
    }

    /// Forgets the libraries if they keep more than they may, and reads them from the store again: what they keep is
    /// lost.
    pub(super) fn forget_if_too_much(&self) {
        if self.interpreter.keeps_too_much(self.scripts.borrow().bytes()) {
            self.libraries.take();
            self.interpreter.lua.expire_registry_values();
            // What has gone with them is collected when it is needed, at the latest.
            if let Err(error) = self.interpreter.lua.gc_collect() {
                tracing::warn!(%error, "what libraries of functions kept could not be collected");
            }
            tracing::warn!("libraries of functions kept more than they may, and begin anew");
        }
    }

    /// Bytes in use: of the interpreter beside its own, and of the scripts that are kept; and how many scripts,
    /// libraries and functions there are.
    pub(super) fn usage(&self) -> Usage {
        let (scripts, libraries) = (self.scripts.borrow(), self.libraries.borrow());
        Usage {
            bytes: self.interpreter.lua.used_memory(),
            scripts: scripts.len(),
            scripts_bytes: scripts.bytes(),
            libraries: libraries.as_ref().map_or(0, BTreeMap::len),
            functions: libraries.iter().flat_map(|all| all.values()).map(|library| library.functions.len()).sum(),
        }
    }
}
