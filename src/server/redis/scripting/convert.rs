//! Replies as values of Lua, and values as replies.

use mlua::{Lua, Table, Value};

use crate::limits;
use crate::server::redis::reply::{Protocol, Reply};

/// A number in C's `%.{digits}g`.
pub(super) fn format_number(number: f64, digits: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{number:.*e}", digits - 1);
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    match usize::try_from(exponent) {
        Ok(above) if above < digits => trimmed(&format!("{number:.*}", digits - 1 - above)),
        Err(_) if exponent >= -4 => {
            let below = usize::try_from(-exponent).unwrap_or(0);
            trimmed(&format!("{number:.*}", digits - 1 + below))
        }
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
        }
    }
}

/// A number as a word of a command, or as an element of a reply: cut off, not rounded.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is out of range is checked, and has the value that Redis gives it"
)]
fn truncate(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) { number as i64 } else { i64::MIN }
}

/// Reads the reply that `bytes` begin with: its value, and what follows. Only replies of commands come here: they nest a few
/// levels.
pub(super) fn read<'a>(lua: &Lua, bytes: &'a [u8]) -> mlua::Result<(Value, &'a [u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap_or(bytes.len());
    let (line, rest) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + 2..).unwrap_or_default());
    let Some((kind, text)) = line.split_first() else { return Ok((Value::Boolean(false), rest)) };
    let len = std::str::from_utf8(text).ok().and_then(|text| text.parse::<usize>().ok());
    let single = |name: &str, value: Value| {
        let table = lua.create_table()?;
        table.raw_set(name, value)?;
        mlua::Result::Ok(Value::Table(table))
    };
    let string = |text: &[u8]| lua.create_string(text).map(Value::String);
    let value = match (kind, len) {
        (b'+', _) => single("ok", string(text)?)?,
        (b'-', _) => single("err", string(text)?)?,
        (b':', _) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            Value::Integer(number)
        }
        (b',', _) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
            single("double", Value::Number(number))?
        }
        (b'(', _) => single("big_number", string(text)?)?,
        (b'#', _) => Value::Boolean(text == b"t"),
        (b'_', _) => Value::Nil,
        (b'$' | b'=', Some(len)) => {
            let (body, after) = (rest.get(..len).unwrap_or_default(), rest.get(len + 2..).unwrap_or_default());
            let value = if *kind == b'=' {
                let table = lua.create_table()?;
                table.raw_set("format", string(body.get(..3).unwrap_or_default())?)?;
                table.raw_set("string", string(body.get(4..).unwrap_or_default())?)?;
                single("verbatim_string", Value::Table(table))?
            } else {
                string(body)?
            };
            return Ok((value, after));
        }
        (b'*' | b'>' | b'~' | b'%', Some(len)) => return read_many(lua, *kind, len, rest),
        _ => Value::Boolean(false),
    };
    Ok((value, rest))
}

fn read_many<'a>(lua: &Lua, kind: u8, len: usize, mut rest: &'a [u8]) -> mlua::Result<(Value, &'a [u8])> {
    let table = lua.create_table()?;
    for at in 1..=len {
        let (value, after) = read(lua, rest)?;
        rest = after;
        match kind {
            b'~' => table.raw_set(value, true)?,
            b'%' => {
                let (content, after) = read(lua, rest)?;
                rest = after;
                table.raw_set(value, content)?;
            }
            _ => table.raw_set(at, value)?,
        }
    }
    let name = match kind {
        b'~' => "set",
        b'%' => "map",
        _ => return Ok((Value::Table(table), rest)),
    };
    let outer = lua.create_table()?;
    outer.raw_set(name, table)?;
    Ok((Value::Table(outer), rest))
}

/// The words of a command. Numbers that are whole have no exponent; others come with 17 digits.
pub(super) fn word(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Number(number) => Some(format_number(*number, 17).into_bytes()),
        _ => None,
    }
}

/// Writes what a script returned. `is_resp3` is whether it asked for the third version's values.
pub(super) fn write(reply: &mut Reply, value: &Value, is_resp3: bool, depth: usize) -> mlua::Result<()> {
    match value {
        Value::String(text) => reply.bulk(&*text.as_bytes()),
        Value::Integer(number) => reply.integer(*number),
        Value::Number(number) => reply.integer(truncate(*number)),
        Value::Boolean(flag) if is_resp3 => reply.boolean(*flag),
        Value::Boolean(true) => reply.integer(1),
        Value::Table(_) if depth >= limits::SCRIPT_REPLY_DEPTH_MAX => reply.error("ERR reached lua stack limit"),
        Value::Table(table) => return write_table(reply, table, is_resp3, depth),
        _ => reply.nil(),
    }
    Ok(())
}

fn write_table(reply: &mut Reply, table: &Table, is_resp3: bool, depth: usize) -> mlua::Result<()> {
    match table.raw_get::<Value>("err")? {
        Value::String(text) => {
            reply.error(&text.to_string_lossy());
            return Ok(());
        }
        Value::Nil | Value::Boolean(_) | Value::Table(_) => {}
        _ => {
            reply.nil();
            return Ok(());
        }
    }
    if let Value::String(text) = table.raw_get::<Value>("ok")? {
        reply.simple(&text.to_string_lossy().replace(['\r', '\n'], " "));
        return Ok(());
    }
    if let Value::Number(number) = table.raw_get::<Value>("double")? {
        reply.double(number);
        return Ok(());
    }
    if let Value::Integer(number) = table.raw_get::<Value>("double")? {
        reply.double(number.to_string().parse().unwrap_or_default());
        return Ok(());
    }
    if let Value::Table(map) = table.raw_get::<Value>("map")? {
        let pairs = map.pairs::<Value, Value>().collect::<mlua::Result<Vec<_>>>()?;
        reply.map(pairs.len());
        for (key, value) in pairs {
            write(reply, &key, is_resp3, depth + 1)?;
            write(reply, &value, is_resp3, depth + 1)?;
        }
        return Ok(());
    }
    if let Value::Table(set) = table.raw_get::<Value>("set")? {
        let members = set.pairs::<Value, Value>().collect::<mlua::Result<Vec<_>>>()?;
        reply.set(members.len());
        for (member, _) in members {
            write(reply, &member, is_resp3, depth + 1)?;
        }
        return Ok(());
    }
    if let Value::String(digits) = table.raw_get::<Value>("big_number")? {
        reply.big_number(&digits.to_string_lossy().replace(['\r', '\n'], " "));
        return Ok(());
    }
    if let Value::Table(verbatim) = table.raw_get::<Value>("verbatim_string")?
        && let Value::String(text) = verbatim.raw_get::<Value>("string")?
    {
        let text = text.as_bytes();
        match (reply.protocol, verbatim.raw_get::<Value>("format")?) {
            (Protocol::Resp3, Value::String(format)) => reply.verbatim_as(&format.as_bytes(), &text),
            _ => reply.bulk(&*text),
        }
        return Ok(());
    }
    let mut elements = Vec::new();
    for at in 1.. {
        match table.raw_get::<Value>(at)? {
            Value::Nil => break,
            element => elements.push(element),
        }
    }
    reply.array(elements.len());
    elements.iter().try_for_each(|element| write(reply, element, is_resp3, depth + 1))
}
