//! Scripts that are known by their SHA-1.

use std::collections::{HashMap, VecDeque};

use mlua::Function;

use crate::limits;
use crate::server::redis::scripting::api::sha1_hex;
use crate::server::redis::scripting::interpreter::Interpreter;

/// A compiled script.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) sha: String,
    pub(super) function: Function,
    pub(super) is_read_only: bool,
    bytes: usize,
}

/// Compiled scripts, the oldest of which go when there are too many.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    by_sha: HashMap<String, Script>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Scripts {
    /// The script of a SHA-1 in lower or upper case.
    pub(super) fn get(&self, sha: &[u8]) -> Option<&Script> {
        self.by_sha.get(&*String::from_utf8_lossy(sha).to_ascii_lowercase())
    }

    /// The script `code`, compiled if it was not.
    pub(super) fn load(&mut self, interpreter: &Interpreter, code: &[u8]) -> Result<Script, String> {
        let sha = sha1_hex(code);
        if let Some(script) = self.by_sha.get(&sha) {
            return Ok(script.clone());
        }
        let (is_read_only, body) = shebang(code)?;
        let function = interpreter
            .compile(body, false)
            .map_err(|error| format!("ERR Error compiling script (new function): {error}"))?;
        let script = Script { sha: sha.clone(), function, is_read_only, bytes: code.len() };
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

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Flags that Redis knows; only the first says something here.
pub(super) const FLAGS: [&str; 5] = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

/// Whether the first line of a script says that it does not write, and what follows, with the line's end so that lines count on.
fn shebang(code: &[u8]) -> Result<(bool, &[u8]), String> {
    if !code.starts_with(b"#!") {
        return Ok((false, code));
    }
    let end = code.iter().position(|byte| *byte == b'\n').ok_or("ERR Invalid script shebang")?;
    let (line, body) = code.split_at(end);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(format!("ERR Unexpected engine in script shebang: {engine}"));
    }
    let mut is_read_only = false;
    for word in words {
        let flags = word.strip_prefix("flags=").ok_or_else(|| format!("ERR Unknown lua shebang option: {word}"))?;
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            if !FLAGS.contains(&flag) {
                return Err(format!("ERR Unexpected flag in script shebang: {flag}"));
            }
            is_read_only |= flag == "no-writes";
        }
    }
    Ok((is_read_only, body))
}
