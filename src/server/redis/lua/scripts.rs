//! Scripts that are known by their SHA-1.

use std::collections::{HashMap, VecDeque};

use mlua::Function;

use crate::limits;
use crate::server::redis::lua::digest::sha1_hex;
use crate::server::redis::lua::flags::{Flags, shebang};
use crate::server::redis::lua::interpreter::{CompileError, Interpreter};
use crate::server::redis::lua::kept::Kept;

/// A compiled script.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) sha: String,
    pub(crate) function: Kept<Function>,
    pub(crate) flags: Flags,
    /// What it takes compiled, and in code.
    bytes: usize,
}

/// Compiled scripts, the oldest of which go when there are too many.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    by_sha: HashMap<String, Script>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Scripts {
    /// The script of a SHA-1 in lower or upper case.
    pub(crate) fn get(&self, sha: &[u8]) -> Option<&Script> {
        self.by_sha.get(&*String::from_utf8_lossy(sha).to_ascii_lowercase())
    }

    /// The script `code`, compiled if it was not.
    pub(crate) fn load(&mut self, interpreter: &Interpreter, code: &[u8]) -> Result<Script, String> {
        let sha = sha1_hex(code);
        if let Some(script) = self.by_sha.get(&sha) {
            return Ok(script.clone());
        }
        let (flags, body) = shebang(code)?;
        let before = interpreter.used_bytes();
        let function = interpreter.compile(body, false).map_err(|error| match error {
            CompileError::Code(text) => format!("ERR Error compiling script (new function): {text}"),
            CompileError::Over(text) => text,
        })?;
        let bytes = code.len().saturating_add(interpreter.used_bytes().saturating_sub(before));
        let script = Script { sha: sha.clone(), function: interpreter.keep(&function)?, flags, bytes };
        self.bytes += script.bytes;
        self.by_sha.insert(sha.clone(), script.clone());
        self.order.push_back(sha);
        while self.order.len() > limits::SCRIPTS_MAX || (self.bytes > limits::SCRIPTS_BYTES_MAX && self.order.len() > 1)
        {
            let Some(oldest) = self.order.pop_front().and_then(|oldest| self.by_sha.remove(&oldest)) else { break };
            self.bytes -= oldest.bytes;
        }
        Ok(script)
    }

    /// What is kept, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
