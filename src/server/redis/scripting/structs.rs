//! `struct`: values as bytes, in a form that a format says.
//!
//! # Source
//! Redis Lua API reference, "struct library": `>` `<` `!n` ` ` `x` `b/B` `h/H` `l/L` `T` `i/In` `cn` `s` `f` `d`.

use mlua::{Lua, MultiValue, Table, Value};

use crate::server::redis::scripting::interpreter::fail;

/// Largest integer, and largest alignment, in bytes.
const INTEGER_BYTES_MAX: usize = 32;

/// One thing that a format asks for.
enum Part {
    Padding,
    Integer { len: usize, is_signed: bool },
    Chars(usize),
    CString,
    Float,
    Double,
}

/// A format on its way.
struct Format<'a> {
    rest: &'a [u8],
    is_little: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, is_little: true, alignment: 1 }
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// The next part, with the zeros that align what comes at `at`.
    fn next(&mut self, lua: &Lua, at: usize) -> mlua::Result<Option<(Part, usize)>> {
        while let Some((option, rest)) = self.rest.split_first() {
            self.rest = rest;
            let part = match option {
                b' ' => continue,
                b'>' => {
                    self.is_little = false;
                    continue;
                }
                b'<' => {
                    self.is_little = true;
                    continue;
                }
                b'!' => {
                    self.alignment = self.number().unwrap_or(8);
                    if !self.alignment.is_power_of_two() || self.alignment > INTEGER_BYTES_MAX {
                        return Err(fail(lua, "alignment is not a power of 2"));
                    }
                    continue;
                }
                b'x' => Part::Padding,
                b'b' | b'B' => Part::Integer { len: 1, is_signed: *option == b'b' },
                b'h' | b'H' => Part::Integer { len: 2, is_signed: *option == b'h' },
                b'l' | b'L' => Part::Integer { len: 8, is_signed: *option == b'l' },
                b'T' => Part::Integer { len: 8, is_signed: false },
                b'i' | b'I' => {
                    let len = self.number().unwrap_or(4);
                    if len == 0 || len > INTEGER_BYTES_MAX {
                        return Err(fail(
                            lua,
                            &format!("integral size {len} is larger than limit of {INTEGER_BYTES_MAX}"),
                        ));
                    }
                    Part::Integer { len, is_signed: *option == b'i' }
                }
                b'c' => Part::Chars(self.number().unwrap_or(1)),
                b's' => Part::CString,
                b'f' => Part::Float,
                b'd' | b'n' => Part::Double,
                other => return Err(fail(lua, &format!("invalid format option '{}'", other.escape_ascii()))),
            };
            let size = match part {
                Part::Integer { len, .. } => len,
                Part::Float => 4,
                Part::Double => 8,
                _ => 1,
            };
            let alignment = size.min(self.alignment);
            let zeros =
                if alignment.is_power_of_two() && alignment > 1 { at.wrapping_neg() & (alignment - 1) } else { 0 };
            return Ok(Some((part, zeros)));
        }
        Ok(None)
    }
}

pub(super) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "pack",
        lua.create_function(|lua, (format, values): (mlua::LuaString, MultiValue)| {
            lua.create_string(pack(lua, &format.as_bytes(), values)?)
        })?,
    )?;
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    table.raw_set("size", lua.create_function(|lua, format: mlua::LuaString| size(lua, &format.as_bytes()))?)?;
    Ok(table)
}

#[expect(clippy::cast_possible_truncation, reason = "C casts")]
fn pack(lua: &Lua, format: &[u8], values: MultiValue) -> mlua::Result<Vec<u8>> {
    let (mut format, mut values, mut bytes) = (Format::new(format), values.into_iter(), Vec::new());
    while let Some((part, zeros)) = format.next(lua, bytes.len())? {
        bytes.resize(bytes.len() + zeros, 0);
        if let Part::Padding = part {
            bytes.push(0);
            continue;
        }
        let value = values.next().ok_or_else(|| fail(lua, "bad argument to 'pack' (value expected)"))?;
        let number =
            || lua.coerce_number(value.clone())?.ok_or_else(|| fail(lua, "bad argument to 'pack' (number expected)"));
        let mut ordered = |mut content: Vec<u8>| {
            if !format.is_little {
                content.reverse();
            }
            bytes.extend_from_slice(&content);
        };
        match part {
            Part::Padding => {}
            Part::Integer { len, .. } => {
                let integer = number()?.floor() as i64;
                let fill = if integer < 0 { 0xff } else { 0 };
                let mut content = integer.to_le_bytes().to_vec();
                content.resize(len, fill);
                ordered(content);
            }
            Part::Float => ordered((number()? as f32).to_le_bytes().to_vec()),
            Part::Double => ordered(number()?.to_le_bytes().to_vec()),
            Part::Chars(_) | Part::CString => {
                let text =
                    lua.coerce_string(value)?.ok_or_else(|| fail(lua, "bad argument to 'pack' (string expected)"))?;
                let text = text.as_bytes();
                match part {
                    Part::Chars(len) if len > 0 => {
                        let text =
                            text.get(..len).ok_or_else(|| fail(lua, "bad argument to 'pack' (string too short)"))?;
                        bytes.extend_from_slice(text);
                    }
                    Part::Chars(_) => bytes.extend_from_slice(&text),
                    _ => {
                        bytes.extend_from_slice(&text);
                        bytes.push(0);
                    }
                }
            }
        }
    }
    Ok(bytes)
}

/// The values, and then the place after them.
fn unpack(
    lua: &Lua,
    (format, data, from): (mlua::LuaString, mlua::LuaString, Option<i64>),
) -> mlua::Result<MultiValue> {
    let (format, data) = (format.as_bytes(), data.as_bytes());
    let mut format = Format::new(&format);
    let mut at = usize::try_from(from.unwrap_or(1) - 1).map_err(|_| fail(lua, "offset must be 1 or greater"))?;
    let mut values: Vec<Value> = Vec::new();
    let short = || fail(lua, "data string too short");
    while let Some((part, zeros)) = format.next(lua, at)? {
        at = at.saturating_add(zeros);
        let take = |len: usize| data.get(at..at.saturating_add(len)).ok_or_else(short);
        let ordered = |content: &[u8]| {
            let mut content = content.to_vec();
            if !format.is_little {
                content.reverse();
            }
            content
        };
        let len = match part {
            Part::Padding => {
                take(1)?;
                1
            }
            Part::Integer { len, is_signed } => {
                values.push(Value::Number(integer(&ordered(take(len)?), is_signed)));
                len
            }
            Part::Float => {
                let content = ordered(take(4)?);
                let content = content.first_chunk().ok_or_else(short)?;
                values.push(Value::Number(f32::from_le_bytes(*content).into()));
                4
            }
            Part::Double => {
                let content = ordered(take(8)?);
                let content = content.first_chunk().ok_or_else(short)?;
                values.push(Value::Number(f64::from_le_bytes(*content)));
                8
            }
            Part::Chars(len) => {
                // A length of 0 stands for the number that came before.
                let len = match (len, values.last()) {
                    (0, Some(Value::Number(_) | Value::Integer(_))) => {
                        let last = values.pop().unwrap_or(Value::Nil);
                        let len = lua.coerce_integer(last)?.and_then(|len| usize::try_from(len).ok());
                        len.ok_or_else(short)?
                    }
                    (0, _) => return Err(fail(lua, "format 'c0' needs a previous size")),
                    (len, _) => len,
                };
                values.push(Value::String(lua.create_string(take(len)?)?));
                len
            }
            Part::CString => {
                let rest = data.get(at..).ok_or_else(short)?;
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or_else(|| fail(lua, "unfinished string in data"))?;
                values.push(Value::String(lua.create_string(take(end)?)?));
                end + 1
            }
        };
        at = at.saturating_add(len);
    }
    values.push(Value::Integer(i64::try_from(at.saturating_add(1)).unwrap_or(i64::MAX)));
    Ok(MultiValue::from_vec(values))
}

/// The number that little-endian bytes are; of more than 8 the lowest count.
#[expect(clippy::cast_precision_loss, reason = "numbers of Lua are doubles")]
fn integer(content: &[u8], is_signed: bool) -> f64 {
    let is_negative = is_signed && content.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut low = [if is_negative { 0xff } else { 0 }; 8];
    low.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
    if is_signed { i64::from_le_bytes(low) as f64 } else { u64::from_le_bytes(low) as f64 }
}

fn size(lua: &Lua, format: &[u8]) -> mlua::Result<usize> {
    let (mut format, mut at) = (Format::new(format), 0usize);
    while let Some((part, zeros)) = format.next(lua, at)? {
        let len = match part {
            Part::Padding => 1,
            Part::Integer { len, .. } => len,
            Part::Float => 4,
            Part::Double => 8,
            Part::Chars(len) if len > 0 => len,
            Part::Chars(_) => return Err(fail(lua, "variable-length format")),
            Part::CString => return Err(fail(lua, "variable-size format")),
        };
        at = at.saturating_add(zeros).saturating_add(len);
    }
    Ok(at)
}
