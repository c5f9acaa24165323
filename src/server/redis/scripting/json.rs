//! `cjson`: JSON texts.
//!
//! # Source
//! Lua CJSON 2.1 manual; RFC 8259.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, LuaString, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::scripting::convert::format_number;
use crate::server::redis::scripting::interpreter::fail;

/// What scripts can set, for all scripts of the door.
#[derive(Clone, Copy, Debug)]
struct Settings {
    converts_sparse: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    digits: usize,
    depth: usize,
}

const SETTINGS: Settings = Settings {
    converts_sparse: false,
    sparse_ratio: 2,
    sparse_safe: 10,
    digits: 14,
    depth: limits::SCRIPT_VALUE_DEPTH_MAX,
};

pub(super) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    let settings = Rc::new(Cell::new(SETTINGS));
    let shared = Rc::clone(&settings);
    let encode = move |lua: &Lua, value: Value| {
        let mut text = Vec::new();
        write(lua, &shared.get(), &mut text, &value, 0)?;
        lua.create_string(text)
    };
    table.raw_set("encode", lua.create_function(encode)?)?;
    let decode = |lua: &Lua, text: LuaString| {
        let text = text.as_bytes();
        let mut reader = Reader { lua, text: &text, at: 0 };
        let value = reader.value(0)?;
        reader.skip();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(reader.unexpected("the end")),
        }
    };
    table.raw_set("decode", lua.create_function(decode)?)?;
    let shared = Rc::clone(&settings);
    let sparse = move |_: &Lua, (converts, ratio, safe): (Option<bool>, Option<i64>, Option<i64>)| {
        let mut settings = shared.get();
        settings.converts_sparse = converts.unwrap_or(settings.converts_sparse);
        settings.sparse_ratio = ratio.unwrap_or(settings.sparse_ratio);
        settings.sparse_safe = safe.unwrap_or(settings.sparse_safe);
        shared.set(settings);
        Ok((settings.converts_sparse, settings.sparse_ratio, settings.sparse_safe))
    };
    table.raw_set("encode_sparse_array", lua.create_function(sparse)?)?;
    let shared = Rc::clone(&settings);
    let precision = move |lua: &Lua, digits: Option<i64>| {
        let mut settings = shared.get();
        if let Some(digits) = digits {
            let digits = usize::try_from(digits).ok().filter(|digits| (1..=14).contains(digits));
            settings.digits = digits.ok_or_else(|| fail(lua, "bad argument #1 (expected integer between 1 and 14)"))?;
            shared.set(settings);
        }
        Ok(settings.digits)
    };
    table.raw_set("encode_number_precision", lua.create_function(precision)?)?;
    // What these set is as it is: depth has one bound, and numbers that JSON has not are read and not written.
    for (name, value) in [
        ("encode_max_depth", Value::Integer(SETTINGS.depth.try_into().unwrap_or(i64::MAX))),
        ("decode_max_depth", Value::Integer(SETTINGS.depth.try_into().unwrap_or(i64::MAX))),
        ("encode_keep_buffer", Value::Boolean(true)),
        ("encode_invalid_numbers", Value::Boolean(false)),
        ("decode_invalid_numbers", Value::Boolean(true)),
    ] {
        table.raw_set(name, lua.create_function(move |_, _: MultiValue| Ok(value.clone()))?)?;
    }
    Ok(table)
}

fn write(lua: &Lua, settings: &Settings, text: &mut Vec<u8>, value: &Value, depth: usize) -> mlua::Result<()> {
    if depth > settings.depth {
        return Err(fail(lua, &format!("Cannot serialise, excessive depth ({depth})")));
    }
    match value {
        Value::Nil => text.extend_from_slice(b"null"),
        value if value.is_null() => text.extend_from_slice(b"null"),
        Value::Boolean(flag) => text.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Integer(number) => text.extend_from_slice(number_of(*number, settings).as_bytes()),
        Value::Number(number) if number.is_finite() => {
            text.extend_from_slice(format_number(*number, settings.digits).as_bytes());
        }
        Value::Number(_) => return Err(fail(lua, "Cannot serialise number: must not be NaN or Inf")),
        Value::String(string) => write_string(text, &string.as_bytes()),
        Value::Table(table) => return write_table(lua, settings, text, table, depth),
        other => {
            return Err(fail(lua, &format!("Cannot serialise {}: type not supported", other.type_name())));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of Lua are doubles")]
fn number_of(number: i64, settings: &Settings) -> String {
    format_number(number as f64, settings.digits)
}

fn write_string(text: &mut Vec<u8>, string: &[u8]) {
    text.push(b'"');
    for byte in string {
        match byte {
            b'"' | b'\\' | b'/' => text.extend_from_slice(&[b'\\', *byte]),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            0x08 => text.extend_from_slice(b"\\b"),
            0x0c => text.extend_from_slice(b"\\f"),
            0..=0x1f | 0x7f => text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
}

/// The length of the array that a table is, if it has only places for keys.
fn array_len(lua: &Lua, settings: &Settings, table: &Table) -> mlua::Result<Option<i64>> {
    let (mut max, mut count) = (0, 0);
    for pair in table.pairs::<Value, Value>() {
        let place = match pair?.0 {
            Value::Integer(place) => Some(place),
            Value::Number(_) | Value::String(_) => return Ok(None),
            _ => None,
        };
        match place {
            Some(place) if place > 0 => {
                max = max.max(place);
                count += 1;
            }
            _ => return Ok(None),
        }
    }
    let is_sparse = settings.sparse_ratio > 0 && max > settings.sparse_safe && max / settings.sparse_ratio > count;
    match (is_sparse, settings.converts_sparse) {
        (true, false) => Err(fail(lua, "Cannot serialise table: excessively sparse array")),
        (true, true) => Ok(None),
        _ => Ok(Some(max).filter(|max| *max > 0)),
    }
}

fn write_table(lua: &Lua, settings: &Settings, text: &mut Vec<u8>, table: &Table, depth: usize) -> mlua::Result<()> {
    if let Some(len) = array_len(lua, settings, table)? {
        text.push(b'[');
        for at in 1..=len {
            if at > 1 {
                text.push(b',');
            }
            write(lua, settings, text, &table.raw_get(at)?, depth + 1)?;
        }
        text.push(b']');
        return Ok(());
    }
    text.push(b'{');
    let mut is_first = true;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if !is_first {
            text.push(b',');
        }
        is_first = false;
        match key {
            Value::String(key) => write_string(text, &key.as_bytes()),
            Value::Integer(key) => write_string(text, number_of(key, settings).as_bytes()),
            Value::Number(key) => write_string(text, format_number(key, settings.digits).as_bytes()),
            _ => return Err(fail(lua, "Cannot serialise table: table key must be a number or string")),
        }
        text.push(b':');
        write(lua, settings, text, &value, depth + 1)?;
    }
    text.push(b'}');
    Ok(())
}

struct Reader<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, wanted: &str) -> mlua::Error {
        let found = match self.peek() {
            None => "T_END",
            Some(b'}') => "T_OBJ_END",
            Some(b']') => "T_ARR_END",
            Some(b',') => "T_COMMA",
            Some(b':') => "T_COLON",
            Some(_) => "invalid token",
        };
        fail(self.lua, &format!("Expected {wanted} but found {found} at character {}", self.at + 1))
    }

    fn takes(&mut self, word: &[u8]) -> bool {
        let is_next = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> mlua::Result<Value> {
        if depth > limits::SCRIPT_VALUE_DEPTH_MAX {
            return Err(fail(self.lua, &format!("Found too many nested data structures ({depth})")));
        }
        self.skip();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::String(self.lua.create_string(self.string()?)?)),
            _ if self.takes(b"true") => Ok(Value::Boolean(true)),
            _ if self.takes(b"false") => Ok(Value::Boolean(false)),
            _ if self.takes(b"null") => Ok(Value::NULL),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> mlua::Result<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        let word = rest.get(..len).unwrap_or_default();
        let number = if word.eq_ignore_ascii_case(b"nan") || word.eq_ignore_ascii_case(b"-nan") {
            Some(f64::NAN)
        } else if word.starts_with(b"+") {
            None
        } else {
            crate::server::redis::command::float(word)
        };
        match number {
            Some(number) => {
                self.at += len;
                Ok(Value::Number(number))
            }
            None => Err(self.unexpected("value")),
        }
    }

    fn array(&mut self, depth: usize) -> mlua::Result<Value> {
        self.at += 1;
        let table = self.lua.create_table()?;
        self.skip();
        if self.takes(b"]") {
            return Ok(Value::Table(table));
        }
        for at in 1.. {
            let value = self.value(depth + 1)?;
            table.raw_set(at, value)?;
            self.skip();
            if self.takes(b"]") {
                break;
            }
            if !self.takes(b",") {
                return Err(self.unexpected("comma or array end"));
            }
        }
        Ok(Value::Table(table))
    }

    fn object(&mut self, depth: usize) -> mlua::Result<Value> {
        self.at += 1;
        let table = self.lua.create_table()?;
        self.skip();
        if self.takes(b"}") {
            return Ok(Value::Table(table));
        }
        loop {
            self.skip();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("object key string"));
            }
            let key = self.lua.create_string(self.string()?)?;
            self.skip();
            if !self.takes(b":") {
                return Err(self.unexpected("colon"));
            }
            let value = self.value(depth + 1)?;
            table.raw_set(key, value)?;
            self.skip();
            if self.takes(b"}") {
                return Ok(Value::Table(table));
            }
            if !self.takes(b",") {
                return Err(self.unexpected("comma or object end"));
            }
        }
    }

    /// The bytes of a string, from its opening quote on.
    fn string(&mut self) -> mlua::Result<Vec<u8>> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let byte = self.peek().ok_or_else(|| self.unexpected("value"))?;
            self.at += 1;
            match byte {
                b'"' => return Ok(bytes),
                0..=0x1f => return Err(self.unexpected("value")),
                b'\\' => {
                    let escaped = self.peek().ok_or_else(|| self.unexpected("value"))?;
                    self.at += 1;
                    bytes.push(match escaped {
                        b'"' | b'\\' | b'/' => escaped,
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'u' => {
                            let point = self.code_point()?;
                            bytes.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
                            continue;
                        }
                        _ => {
                            return Err(fail(
                                self.lua,
                                &format!("Expected value but found invalid escape code at character {}", self.at),
                            ));
                        }
                    });
                }
                other => bytes.push(other),
            }
        }
    }

    fn code_point(&mut self) -> mlua::Result<char> {
        let invalid =
            fail(self.lua, &format!("Expected value but found invalid unicode escape code at character {}", self.at));
        let high = self.unit();
        let point = match high {
            Some(high @ 0xd800..=0xdbff) if self.takes(b"\\u") => match self.unit() {
                Some(low @ 0xdc00..=0xdfff) => Some(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)),
                _ => None,
            },
            other => other,
        };
        point.and_then(char::from_u32).ok_or(invalid)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.text.get(self.at..self.at + 4)?).ok()?;
        self.at += 4;
        if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
    }
}
