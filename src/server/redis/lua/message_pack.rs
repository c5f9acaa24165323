//! `cmsgpack`: MessagePack.
//!
//! # Source
//! MessagePack specification; Redis Lua API reference, "cmsgpack library".

use std::rc::Rc;

use mlua::{Lua, LuaString, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::lua::allowance::{Output, Shared};
use crate::server::redis::lua::failure::fail;

pub(crate) fn functions(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("_NAME", "cmsgpack")?;
    let own = Rc::clone(shared);
    let pack = move |lua: &Lua, values: MultiValue| {
        if values.is_empty() {
            return Err(fail(lua, "bad argument #0 to 'pack' (MessagePack pack needs input.)"));
        }
        let mut bytes = Output::new(lua, &own);
        values.iter().try_for_each(|value| write(&mut bytes, value, 0))?;
        bytes.into_string()
    };
    table.raw_set("pack", lua.create_function(pack)?)?;
    let own = Rc::clone(shared);
    let unpack = move |lua: &Lua, bytes: LuaString| {
        read_all(lua, &own, &bytes.as_bytes(), 0, usize::MAX).map(|(values, _)| values)
    };
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    let own = Rc::clone(shared);
    let limited = move |lua: &Lua, (bytes, limit, offset): (LuaString, i64, Option<i64>)| {
        let limit = usize::try_from(limit).unwrap_or(0);
        read_some(lua, &own, &bytes.as_bytes(), offset, if limit == 0 { usize::MAX } else { limit })
    };
    table.raw_set("unpack_limit", lua.create_function(limited)?)?;
    let own = Rc::clone(shared);
    let one =
        move |lua: &Lua, (bytes, offset): (LuaString, Option<i64>)| read_some(lua, &own, &bytes.as_bytes(), offset, 1);
    table.raw_set("unpack_one", lua.create_function(one)?)?;
    Ok(table)
}

fn head(
    bytes: &mut Output<'_>,
    len: usize,
    (fixed, fixed_max): (u8, usize),
    wide: [Option<u8>; 3],
) -> mlua::Result<()> {
    let [byte, short, long] = wide;
    match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
        (Ok(small), ..) if len <= fixed_max => bytes.push(fixed | small),
        (Ok(small), ..) if byte.is_some() => bytes.extend(&[byte.unwrap_or(0), small]),
        (_, Ok(len), _) if short.is_some() => tagged(bytes, short.unwrap_or(0), &len.to_be_bytes()),
        (_, _, len) => tagged(bytes, long.unwrap_or(0), &len.unwrap_or(u32::MAX).to_be_bytes()),
    }
}

fn tagged(bytes: &mut Output<'_>, tag: u8, content: &[u8]) -> mlua::Result<()> {
    bytes.push(tag)?;
    bytes.extend(content)
}

fn write_integer(bytes: &mut Output<'_>, number: i64) -> mlua::Result<()> {
    if let Ok(small) = i8::try_from(number)
        && small >= -32
    {
        bytes.extend(&small.to_be_bytes())
    } else if let Ok(number) = u64::try_from(number) {
        if let Ok(number) = u8::try_from(number) {
            bytes.extend(&[0xcc, number])
        } else if let Ok(number) = u16::try_from(number) {
            tagged(bytes, 0xcd, &number.to_be_bytes())
        } else if let Ok(number) = u32::try_from(number) {
            tagged(bytes, 0xce, &number.to_be_bytes())
        } else {
            tagged(bytes, 0xcf, &number.to_be_bytes())
        }
    } else if let Ok(number) = i8::try_from(number) {
        tagged(bytes, 0xd0, &number.to_be_bytes())
    } else if let Ok(number) = i16::try_from(number) {
        tagged(bytes, 0xd1, &number.to_be_bytes())
    } else if let Ok(number) = i32::try_from(number) {
        tagged(bytes, 0xd2, &number.to_be_bytes())
    } else {
        tagged(bytes, 0xd3, &number.to_be_bytes())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what fits is checked by the way back")]
fn write_number(bytes: &mut Output<'_>, number: f64) -> mlua::Result<()> {
    if number.fract() == 0.0 && number.abs() < 9.2e18 {
        return write_integer(bytes, number as i64);
    }
    let short = number as f32;
    if f64::from(short).to_bits() == number.to_bits() {
        tagged(bytes, 0xca, &short.to_be_bytes())
    } else {
        tagged(bytes, 0xcb, &number.to_be_bytes())
    }
}

/// What is nested too deeply is nil, and so is what has no form.
fn write(bytes: &mut Output<'_>, value: &Value, depth: usize) -> mlua::Result<()> {
    bytes.shared.spend(4)?;
    match value {
        Value::Boolean(flag) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => write_integer(bytes, *number),
        Value::Number(number) => write_number(bytes, *number),
        Value::String(text) => {
            let text = text.as_bytes();
            head(bytes, text.len(), (0xa0, 31), [Some(0xd9), Some(0xda), Some(0xdb)])?;
            bytes.extend(&text)
        }
        Value::Table(table) if depth < limits::MESSAGE_PACK_DEPTH_MAX => write_table(bytes, table, depth),
        _ => bytes.push(0xc0),
    }
}

fn write_table(bytes: &mut Output<'_>, table: &Table, depth: usize) -> mlua::Result<()> {
    let (mut count, mut max, mut is_array) = (0usize, 0i64, true);
    for pair in table.pairs::<Value, Value>() {
        bytes.shared.spend(2)?;
        count += 1;
        match pair?.0 {
            Value::Integer(at) if at > 0 => max = max.max(at),
            _ => is_array = false,
        }
    }
    // Different places from 1 on, of which none is beyond their number, are all of them.
    if is_array && usize::try_from(max).is_ok_and(|max| max == count) {
        head(bytes, count, (0x90, 15), [None, Some(0xdc), Some(0xdd)])?;
        (1..=max).try_for_each(|at| write(bytes, &table.raw_get(at)?, depth + 1))
    } else {
        head(bytes, count, (0x80, 15), [None, Some(0xde), Some(0xdf)])?;
        table.pairs::<Value, Value>().try_for_each(|pair| {
            let (key, value) = pair?;
            write(bytes, &key, depth + 1)?;
            write(bytes, &value, depth + 1)
        })
    }
}

/// Up to `limit` values, and the place after them.
fn read_all(lua: &Lua, shared: &Shared, bytes: &[u8], from: usize, limit: usize) -> mlua::Result<(MultiValue, usize)> {
    let mut reader = Reader { lua, shared, rest: bytes.get(from..).unwrap_or_default() };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && values.len() < limit.min(limits::MESSAGE_PACK_VALUES_MAX) {
        values.push(reader.value(0)?);
    }
    Ok((MultiValue::from_vec(values), bytes.len() - reader.rest.len()))
}

/// The same from a place on; the place where to go on, or -1 at the end, comes first.
fn read_some(lua: &Lua, shared: &Shared, bytes: &[u8], offset: Option<i64>, limit: usize) -> mlua::Result<MultiValue> {
    let offset = usize::try_from(offset.unwrap_or(0)).ok().filter(|offset| *offset <= bytes.len());
    let offset = offset.ok_or_else(|| fail(lua, "Start offset greater than input length or negative."))?;
    let (mut values, at) = read_all(lua, shared, bytes, offset, limit)?;
    let next = if at == bytes.len() { -1 } else { i64::try_from(at).unwrap_or(i64::MAX) };
    values.push_front(Value::Integer(next));
    Ok(values)
}

struct Reader<'a> {
    lua: &'a Lua,
    shared: &'a Shared,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> mlua::Result<&'a [u8]> {
        self.shared.spend_bytes(len.min(self.rest.len()))?;
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
