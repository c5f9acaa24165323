//! `cmsgpack`: MessagePack.
//!
//! # Source
//! MessagePack specification; Redis Lua API reference, "cmsgpack library".

use mlua::{Lua, LuaString, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::scripting::interpreter::fail;

pub(super) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("_NAME", "cmsgpack")?;
    let pack = |lua: &Lua, values: MultiValue| {
        if values.is_empty() {
            return Err(fail(lua, "bad argument #0 to 'pack' (MessagePack pack needs input.)"));
        }
        let mut bytes = Vec::new();
        values.iter().try_for_each(|value| write(&mut bytes, value, 0))?;
        lua.create_string(bytes)
    };
    table.raw_set("pack", lua.create_function(pack)?)?;
    let unpack =
        |lua: &Lua, bytes: LuaString| read_all(lua, &bytes.as_bytes(), 0, usize::MAX).map(|(values, _)| values);
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    let limited = |lua: &Lua, (bytes, limit, offset): (LuaString, i64, Option<i64>)| {
        let limit = usize::try_from(limit).unwrap_or(0);
        read_some(lua, &bytes.as_bytes(), offset, if limit == 0 { usize::MAX } else { limit })
    };
    table.raw_set("unpack_limit", lua.create_function(limited)?)?;
    let one = |lua: &Lua, (bytes, offset): (LuaString, Option<i64>)| read_some(lua, &bytes.as_bytes(), offset, 1);
    table.raw_set("unpack_one", lua.create_function(one)?)?;
    Ok(table)
}

fn head(bytes: &mut Vec<u8>, len: usize, (fixed, fixed_max): (u8, usize), wide: [Option<u8>; 3]) {
    let [byte, short, long] = wide;
    match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
        (Ok(small), ..) if len <= fixed_max => bytes.push(fixed | small),
        (Ok(small), ..) if byte.is_some() => bytes.extend_from_slice(&[byte.unwrap_or(0), small]),
        (_, Ok(len), _) if short.is_some() => {
            bytes.push(short.unwrap_or(0));
            bytes.extend_from_slice(&len.to_be_bytes());
        }
        (_, _, len) => {
            bytes.push(long.unwrap_or(0));
            bytes.extend_from_slice(&len.unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}

fn write_integer(bytes: &mut Vec<u8>, number: i64) {
    if let Ok(small) = i8::try_from(number)
        && small >= -32
    {
        bytes.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(number) = u64::try_from(number) {
        if let Ok(number) = u8::try_from(number) {
            bytes.extend_from_slice(&[0xcc, number]);
        } else if let Ok(number) = u16::try_from(number) {
            bytes.push(0xcd);
            bytes.extend_from_slice(&number.to_be_bytes());
        } else if let Ok(number) = u32::try_from(number) {
            bytes.push(0xce);
            bytes.extend_from_slice(&number.to_be_bytes());
        } else {
            bytes.push(0xcf);
            bytes.extend_from_slice(&number.to_be_bytes());
        }
    } else if let Ok(number) = i8::try_from(number) {
        bytes.push(0xd0);
        bytes.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        bytes.push(0xd1);
        bytes.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        bytes.push(0xd2);
        bytes.extend_from_slice(&number.to_be_bytes());
    } else {
        bytes.push(0xd3);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what fits is checked by the way back")]
fn write_number(bytes: &mut Vec<u8>, number: f64) {
    if number.fract() == 0.0 && number.abs() < 9.2e18 {
        return write_integer(bytes, number as i64);
    }
    let short = number as f32;
    if f64::from(short).to_bits() == number.to_bits() {
        bytes.push(0xca);
        bytes.extend_from_slice(&short.to_be_bytes());
    } else {
        bytes.push(0xcb);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}

/// What is nested too deeply is nil, and so is what has no form.
fn write(bytes: &mut Vec<u8>, value: &Value, depth: usize) -> mlua::Result<()> {
    match value {
        Value::Boolean(flag) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => write_integer(bytes, *number),
        Value::Number(number) => write_number(bytes, *number),
        Value::String(text) => {
            let text = text.as_bytes();
            head(bytes, text.len(), (0xa0, 31), [Some(0xd9), Some(0xda), Some(0xdb)]);
            bytes.extend_from_slice(&text);
        }
        Value::Table(table) if depth < limits::MESSAGE_PACK_DEPTH_MAX => {
            let pairs = table.pairs::<Value, Value>().collect::<mlua::Result<Vec<_>>>()?;
            let len = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
            let is_array = pairs.iter().all(|(key, _)| matches!(key, Value::Integer(at) if (1..=len).contains(at)));
            if is_array {
                head(bytes, pairs.len(), (0x90, 15), [None, Some(0xdc), Some(0xdd)]);
                for at in 1..=len {
                    write(bytes, &table.raw_get(at)?, depth + 1)?;
                }
            } else {
                head(bytes, pairs.len(), (0x80, 15), [None, Some(0xde), Some(0xdf)]);
                for (key, value) in &pairs {
                    write(bytes, key, depth + 1)?;
                    write(bytes, value, depth + 1)?;
                }
            }
        }
        _ => bytes.push(0xc0),
    }
    Ok(())
}

/// Up to `limit` values, and the place after them.
fn read_all(lua: &Lua, bytes: &[u8], from: usize, limit: usize) -> mlua::Result<(MultiValue, usize)> {
    let mut reader = Reader { lua, rest: bytes.get(from..).unwrap_or_default() };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && values.len() < limit.min(limits::MESSAGE_PACK_VALUES_MAX) {
        values.push(reader.value(0)?);
    }
    Ok((MultiValue::from_vec(values), bytes.len() - reader.rest.len()))
}

/// The same from a place on; the place where to go on, or -1 at the end, comes first.
fn read_some(lua: &Lua, bytes: &[u8], offset: Option<i64>, limit: usize) -> mlua::Result<MultiValue> {
    let offset = usize::try_from(offset.unwrap_or(0)).ok().filter(|offset| *offset <= bytes.len());
    let offset = offset.ok_or_else(|| fail(lua, "Start offset greater than input length or negative."))?;
    let (mut values, at) = read_all(lua, bytes, offset, limit)?;
    let next = if at == bytes.len() { -1 } else { i64::try_from(at).unwrap_or(i64::MAX) };
    values.push_front(Value::Integer(next));
    Ok(values)
}

struct Reader<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> mlua::Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| fail(self.lua, "Missing bytes in input."))?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, len: usize) -> mlua::Result<u64> {
        Ok(self.take(len)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn len(&mut self, bytes: usize) -> mlua::Result<usize> {
        Ok(usize::try_from(self.unsigned(bytes)?).unwrap_or(usize::MAX))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of Lua are doubles")]
    fn value(&mut self, depth: usize) -> mlua::Result<Value> {
        if depth > limits::SCRIPT_VALUE_DEPTH_MAX {
            return Err(fail(self.lua, "Bad data format in input."));
        }
        let first = self.take(1)?.first().copied().unwrap_or(0xc0);
        Ok(match first {
            0..=0x7f => Value::Integer(first.into()),
            0xe0.. => Value::Integer(first.cast_signed().into()),
            0x80..=0x8f => return self.map((first & 15).into(), depth),
            0x90..=0x9f => return self.array((first & 15).into(), depth),
            0xa0..=0xbf => self.text((first & 31).into())?,
            0xc0 => Value::Nil,
            0xc2 | 0xc3 => Value::Boolean(first == 0xc3),
            0xc4 | 0xd9 => {
                let len = self.len(1)?;
                self.text(len)?
            }
            0xc5 | 0xda => {
                let len = self.len(2)?;
                self.text(len)?
            }
            0xc6 | 0xdb => {
                let len = self.len(4)?;
                self.text(len)?
            }
            0xca => {
                let bits = u32::try_from(self.unsigned(4)?).unwrap_or(0);
                Value::Number(f32::from_bits(bits).into())
            }
            0xcb => Value::Number(f64::from_bits(self.unsigned(8)?)),
            0xcc..=0xcf => Value::Number(self.unsigned(1 << (first - 0xcc))? as f64),
            0xd0..=0xd3 => {
                let len = 1usize << (first - 0xd0);
                let shift = 64 - 8 * u32::try_from(len).unwrap_or(8);
                Value::Number((self.unsigned(len)?.cast_signed() << shift >> shift) as f64)
            }
            0xdc | 0xdd => {
                let len = self.len(if first == 0xdc { 2 } else { 4 })?;
                return self.array(len, depth);
            }
            0xde | 0xdf => {
                let len = self.len(if first == 0xde { 2 } else { 4 })?;
                return self.map(len, depth);
            }
            _ => return Err(fail(self.lua, "Bad data format in input.")),
        })
    }

    fn text(&mut self, len: usize) -> mlua::Result<Value> {
        Ok(Value::String(self.lua.create_string(self.take(len)?)?))
    }

    fn array(&mut self, len: usize, depth: usize) -> mlua::Result<Value> {
        let table = self.lua.create_table()?;
        for at in 1..=len {
            table.raw_set(at, self.value(depth + 1)?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, len: usize, depth: usize) -> mlua::Result<Value> {
        let table = self.lua.create_table()?;
        for _ in 0..len {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            if matches!(key, Value::Nil) || matches!(&key, Value::Number(number) if number.is_nan()) {
                return Err(fail(self.lua, "Bad data format in input."));
            }
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }
}
