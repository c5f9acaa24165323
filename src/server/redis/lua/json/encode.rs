//! Tables as JSON texts.

use mlua::{Function, Lua, LuaString, Table, Value};

use crate::server::redis::lua::allowance::{Output, Shared};
use crate::server::redis::lua::convert::format_number;
use crate::server::redis::lua::failure::fail;
use crate::server::redis::lua::json_settings::{Invalid, Settings};

/// A table that is being written.
enum Frame {
    Array { table: Table, at: i64, len: i64 },
    Object { table: Table, key: Value },
}

struct Encoder<'a> {
    lua: &'a Lua,
    settings: &'a Settings,
    text: Output<'a>,
    frames: Vec<Frame>,
}

pub(super) fn encode(
    lua: &Lua,
    shared: &Shared,
    next: &Function,
    settings: &Settings,
    value: Value,
) -> mlua::Result<LuaString> {
    let mut encoder = Encoder { lua, settings, text: Output::new(lua, shared), frames: Vec::new() };
    encoder.begin(value)?;
    while let Some(frame) = encoder.frames.last_mut() {
        match frame {
            Frame::Array { at, len, .. } if *at > *len => {
                encoder.text.push(b']')?;
                encoder.frames.pop();
            }
            Frame::Array { table, at, .. } => {
                let value = table.raw_get(*at)?;
                if *at > 1 {
                    encoder.text.push(b',')?;
                }
                *at += 1;
                encoder.begin(value)?;
            }
            Frame::Object { table, key } => {
                let is_first = matches!(key, Value::Nil);
                let (name, value): (Value, Value) = next.call((&*table, &*key))?;
                if matches!(name, Value::Nil) {
                    encoder.text.push(b'}')?;
                    encoder.frames.pop();
                    continue;
                }
                *key = name.clone();
                if !is_first {
                    encoder.text.push(b',')?;
                }
                encoder.key(&name)?;
                encoder.text.push(b':')?;
                encoder.begin(value)?;
            }
        }
    }
    encoder.text.into_string()
}

impl Encoder<'_> {
    /// Writes a value, or the beginning of a table.
    fn begin(&mut self, value: Value) -> mlua::Result<()> {
        self.text.shared.spend(4)?;
        match value {
            Value::Nil => self.text.extend(b"null"),
            value if value.is_null() => self.text.extend(b"null"),
            Value::Boolean(flag) => self.text.extend(if flag { b"true" } else { b"false" }),
            Value::Integer(number) => self.number(as_double(number)),
            Value::Number(number) => self.number(number),
            Value::String(string) => self.string(&string.as_bytes()),
            Value::Table(table) => self.begin_table(table),
            other => Err(fail(self.lua, &format!("Cannot serialise {}: type not supported", other.type_name()))),
        }
    }

    fn begin_table(&mut self, table: Table) -> mlua::Result<()> {
        let depth = self.frames.len() + 1;
        if depth > usize::try_from(self.settings.encode_depth).unwrap_or(usize::MAX) {
            return Err(fail(self.lua, &format!("Cannot serialise, excessive nesting ({depth})")));
        }
        if let Some(len) = self.array_len(&table)? {
            self.text.push(b'[')?;
            self.frames.push(Frame::Array { table, at: 1, len });
        } else {
            self.text.push(b'{')?;
            self.frames.push(Frame::Object { table, key: Value::Nil });
        }
        Ok(())
    }

    /// The length of the array that a table is, if it has only places for keys.
    fn array_len(&self, table: &Table) -> mlua::Result<Option<i64>> {
        let (mut max, mut count) = (0i64, 0i64);
        for pair in table.pairs::<Value, Value>() {
            self.text.shared.spend(2)?;
            match pair?.0 {
                // Larger ones are no places in C.
                Value::Integer(place) if (1..=i64::from(i32::MAX)).contains(&place) => {
                    max = max.max(place);
                    count += 1;
                }
                _ => return Ok(None),
            }
        }
        let (ratio, safe) = (i64::from(self.settings.sparse_ratio), i64::from(self.settings.sparse_safe));
        if ratio > 0 && max > count.saturating_mul(ratio) && max > safe {
            if !self.settings.converts_sparse {
                return Err(fail(self.lua, "Cannot serialise table: excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(Some(max).filter(|max| *max > 0))
    }

    fn key(&mut self, key: &Value) -> mlua::Result<()> {
        match key {
            Value::String(key) => self.string(&key.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                self.text.push(b'"')?;
                self.number(match key {
                    Value::Integer(key) => as_double(*key),
                    Value::Number(key) => *key,
                    _ => 0.0,
                })?;
                self.text.push(b'"')
            }
            other => {
                let kind = other.type_name();
                Err(fail(self.lua, &format!("Cannot serialise {kind}: table key must be a number or string")))
            }
        }
    }

    fn number(&mut self, number: f64) -> mlua::Result<()> {
        let text = match (number.is_finite(), self.settings.encode_invalid) {
            (true, _) => format_number(number, usize::try_from(self.settings.digits).unwrap_or(14)),
            (false, Invalid::Refused) => {
                return Err(fail(self.lua, "Cannot serialise number: must not be NaN or Inf"));
            }
            (false, Invalid::Null) => "null".to_owned(),
            (false, Invalid::Written) if number.is_nan() => "nan".to_owned(),
            (false, Invalid::Written) => if number > 0.0 { "inf" } else { "-inf" }.to_owned(),
        };
        self.text.extend(text.as_bytes())
    }

    fn string(&mut self, string: &[u8]) -> mlua::Result<()> {
        self.text.push(b'"')?;
        let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | b'/' | 0..=0x1f | 0x7f);
        let mut rest = string;
        while !rest.is_empty() {
            let plain = rest.iter().take_while(|byte| is_plain(byte)).count();
            let (copied, special) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
            self.text.extend(copied)?;
            let Some((byte, after)) = special.split_first() else { break };
            match byte {
                b'"' | b'\\' | b'/' => self.text.extend(&[b'\\', *byte])?,
                b'\n' => self.text.extend(b"\\n")?,
                b'\r' => self.text.extend(b"\\r")?,
                b'\t' => self.text.extend(b"\\t")?,
                0x08 => self.text.extend(b"\\b")?,
                0x0c => self.text.extend(b"\\f")?,
                other => self.text.extend(format!("\\u{other:04x}").as_bytes())?,
            }
            rest = after;
        }
        self.text.push(b'"')
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of Lua are doubles")]
fn as_double(number: i64) -> f64 {
    number as f64
}
