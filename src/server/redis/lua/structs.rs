//! `struct`: values as bytes, in a form that a format says.
//!
//! # Source
//! Redis Lua API reference, "struct library": `>` `<` `!n` ` ` `x` `b/B` `h/H` `l/L` `T` `i/In` `cn` `s` `f` `d`.

use std::rc::Rc;

use mlua::{Lua, LuaString, MultiValue, Table, Value};

use crate::limits;
use crate::server::redis::lua::allowance::{Output, Shared};
use crate::server::redis::lua::convert::truncate;
use crate::server::redis::lua::failure::{bad_argument, fail};

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

/// A format on its way, for one of the functions.
struct Format<'a> {
    rest: &'a [u8],
    function: &'static str,
    is_little: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(rest: &'a [u8], function: &'static str) -> Self {
        Self { rest, function, is_little: true, alignment: 1 }
    }

    /// The number that comes next, if there is one.
    fn number(&mut self, lua: &Lua) -> mlua::Result<Option<usize>> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some((number, rest)) = self.rest.split_at_checked(digits).filter(|(number, _)| !number.is_empty()) else {
            return Ok(None);
        };
        self.rest = rest;
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i32>().ok());
        let number = number.and_then(|number| usize::try_from(number).ok());
        number.map(Some).ok_or_else(|| fail(lua, "integral size overflow"))
    }

    /// The next part, with the zeros that align what comes at `at`.
    fn next(&mut self, lua: &Lua, shared: &Shared, at: usize) -> mlua::Result<Option<(Part, usize)>> {
        while let Some((option, rest)) = self.rest.split_first() {
            shared.spend(4)?;
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
                    self.alignment = self.number(lua)?.unwrap_or(8);
                    if !self.alignment.is_power_of_two() || self.alignment > INTEGER_BYTES_MAX {
                        return Err(fail(lua, &format!("alignment {} is not a power of 2", self.alignment)));
                    }
                    continue;
                }
                b'x' => Part::Padding,
                b'b' | b'B' => Part::Integer { len: 1, is_signed: *option == b'b' },
                b'h' | b'H' => Part::Integer { len: 2, is_signed: *option == b'h' },
                b'l' | b'L' => Part::Integer { len: 8, is_signed: *option == b'l' },
                b'T' => Part::Integer { len: 8, is_signed: false },
                b'i' | b'I' => {
                    let len = self.number(lua)?.unwrap_or(4);
                    if len > INTEGER_BYTES_MAX {
                        return Err(fail(
                            lua,
                            &format!("integral size {len} is larger than limit of {INTEGER_BYTES_MAX}"),
                        ));
                    }
                    Part::Integer { len, is_signed: *option == b'i' }
                }
                b'c' => Part::Chars(self.number(lua)?.unwrap_or(1)),
                b's' => Part::CString,
                b'f' => Part::Float,
                b'd' | b'n' => Part::Double,
                other => {
                    let problem = format!("invalid format option '{}'", other.escape_ascii());
                    return Err(bad_argument(lua, 1, self.function, &problem));
                }
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

pub(crate) fn functions(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let own = Rc::clone(shared);
    let pack = move |lua: &Lua, arguments: MultiValue| pack(lua, &own, arguments);
    table.raw_set("pack", lua.create_function(pack)?)?;
    let own = Rc::clone(shared);
    let unpack = move |lua: &Lua, arguments: MultiValue| unpack(lua, &own, &arguments.into_vec());
    table.raw_set("unpack", lua.create_function(unpack)?)?;
    let own = Rc::clone(shared);
    let size = move |lua: &Lua, arguments: MultiValue| {
        let format = text(lua, "size", 1, arguments.front())?;
        size(lua, &own, &format.as_bytes())
    };
    table.raw_set("size", lua.create_function(size)?)?;
    Ok(table)
}

fn kind(value: Option<&Value>) -> &'static str {
    value.map_or("no value", Value::type_name)
}

/// An argument that is a string, or a number as one.
fn text(lua: &Lua, function: &str, at: usize, value: Option<&Value>) -> mlua::Result<LuaString> {
    let found = match value {
        Some(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => lua.coerce_string(value.clone())?,
        _ => None,
    };
    found.ok_or_else(|| bad_argument(lua, at, function, &format!("string expected, got {}", kind(value))))
}

#[expect(clippy::cast_possible_truncation, reason = "C casts")]
fn pack(lua: &Lua, shared: &Shared, arguments: MultiValue) -> mlua::Result<LuaString> {
    let mut arguments = arguments.into_iter();
    let format = text(lua, "pack", 1, arguments.next().as_ref())?;
    let format = format.as_bytes();
    let (mut format, mut bytes) = (Format::new(&format, "pack"), Output::new(lua, shared));
    let mut place = 1;
    while let Some((part, zeros)) = format.next(lua, shared, bytes.len())? {
        bytes.extend([0; INTEGER_BYTES_MAX].get(..zeros).unwrap_or_default())?;
        if let Part::Padding = part {
            bytes.push(0)?;
            continue;
        }
        // Redis has a nil behind the arguments.
        let value = arguments.next().unwrap_or(Value::Nil);
        place += 1;
        let number = || {
            let problem = || bad_argument(lua, place, "pack", &format!("number expected, got {}", value.type_name()));
            lua.coerce_number(value.clone())?.ok_or_else(problem)
        };
        let is_little = format.is_little;
        let mut ordered = |content: &mut [u8]| {
            if !is_little {
                content.reverse();
            }
            bytes.extend(content)
        };
        match part {
            Part::Padding => {}
            Part::Integer { len, .. } => {
                let integer = number()?.floor() as i64;
                let mut content = [if integer < 0 { 0xff } else { 0 }; INTEGER_BYTES_MAX];
                content.iter_mut().zip(integer.to_le_bytes()).for_each(|(to, from)| *to = from);
                ordered(content.get_mut(..len).unwrap_or_default())?;
            }
            Part::Float => ordered(&mut (number()? as f32).to_le_bytes())?,
            Part::Double => ordered(&mut number()?.to_le_bytes())?,
            Part::Chars(_) | Part::CString => {
                let text = text(lua, "pack", place, Some(&value))?;
                let text = text.as_bytes();
                match part {
                    Part::Chars(len) if len > 0 => {
                        let text = text.get(..len);
                        bytes.extend(text.ok_or_else(|| bad_argument(lua, place + 1, "pack", "string too short"))?)?;
                    }
                    Part::Chars(_) => bytes.extend(&text)?,
                    _ => {
                        bytes.extend(&text)?;
                        bytes.push(0)?;
                    }
                }
            }
        }
    }
    bytes.into_string()
}

/// The values, and then the place after them.
fn unpack(lua: &Lua, shared: &Shared, arguments: &[Value]) -> mlua::Result<MultiValue> {
    let format = text(lua, "unpack", 1, arguments.first())?;
    let data = text(lua, "unpack", 2, arguments.get(1))?;
    let (format, data) = (format.as_bytes(), data.as_bytes());
    let mut at = match arguments.get(2) {
        None | Some(Value::Nil) => 0,
        Some(value) => {
            let problem = || bad_argument(lua, 3, "unpack", &format!("number expected, got {}", value.type_name()));
            let from = truncate(lua.coerce_number(value.clone())?.ok_or_else(problem)?);
            match from {
                0 => return Err(bad_argument(lua, 3, "unpack", "offset must be 1 or greater")),
                // As in C, a negative one is beyond every end.
                from => usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX),
            }
        }
    };
    let mut format = Format::new(&format, "unpack");
    let mut values: Vec<Value> = Vec::new();
    let short = || bad_argument(lua, 2, "unpack", "data string too short");
    while let Some((part, zeros)) = format.next(lua, shared, at)? {
        at = at.saturating_add(zeros);
        let take = |len: usize| data.get(at..at.saturating_add(len)).ok_or_else(short);
        let ordered = |content: &[u8]| {
            let mut content = content.to_vec();
            if !format.is_little {
                content.reverse();
            }
            content
        };
        let string = |content: &[u8]| {
            shared.spend_bytes(content.len())?;
            lua.create_string(content).map(Value::String)
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
                let len = match (len, values.pop()) {
                    (0, Some(Value::Number(len))) => usize::try_from(truncate(len)).map_err(|_| short())?,
                    (0, _) => return Err(fail(lua, "format 'c0' needs a previous size")),
                    (len, last) => {
                        values.extend(last);
                        len
                    }
                };
                values.push(string(take(len)?)?);
                len
            }
            Part::CString => {
                let rest = data.get(at..).ok_or_else(short)?;
                shared.spend_bytes(rest.len())?;
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or_else(|| fail(lua, "unfinished string in data"))?;
                values.push(string(take(end)?)?);
                end + 1
            }
        };
        at = at.saturating_add(len);
        if values.len() > limits::MESSAGE_PACK_VALUES_MAX {
            return Err(fail(lua, "stack overflow (too many results)"));
        }
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

fn size(lua: &Lua, shared: &Shared, format: &[u8]) -> mlua::Result<usize> {
    let (mut format, mut at) = (Format::new(format, "size"), 0usize);
    let variable = |option: &str| bad_argument(lua, 1, "size", &format!("option '{option}' has no fixed size"));
    while let Some((part, zeros)) = format.next(lua, shared, at)? {
        let len = match part {
            Part::Padding => 1,
            Part::Integer { len, .. } => len,
            Part::Float => 4,
            Part::Double => 8,
            Part::Chars(len) if len > 0 => len,
            Part::Chars(_) => return Err(variable("c0")),
            Part::CString => return Err(variable("s")),
        };
        at = at.saturating_add(zeros).saturating_add(len);
    }
    Ok(at)
}
