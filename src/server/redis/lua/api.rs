//! What scripts find in `redis`, and random numbers.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::server::redis::lua::allowance::{Shared, raise, seed};
use crate::server::redis::lua::digest::sha1_hex;
use crate::server::redis::lua::failure::{bad_argument, fail};
use crate::server::redis::options::REDIS_VERSION;

/// `redis` as scripts have it.
pub(crate) fn commands(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let redis = common(lua, shared)?;
    redis.raw_set("breakpoint", lua.create_function(|_, ()| Ok(false))?)?;
    redis.raw_set("debug", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    redis.raw_set("replicate_commands", lua.create_function(|_, ()| Ok(true))?)?;
    redis.raw_set("set_repl", lua.create_function(set_repl)?)?;
    for (name, value) in [("REPL_ALL", 3), ("REPL_NONE", 0), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_AOF", 1)] {
        redis.raw_set(name, value)?;
    }
    Ok(redis)
}

/// What there is always.
pub(super) fn minimum(lua: &Lua) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    for (name, value) in [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)] {
        redis.raw_set(name, value)?;
    }
    let version = REDIS_VERSION;
    redis.raw_set("REDIS_VERSION", version)?;
    let number = version.split('.').fold(0u32, |number, part| (number << 8) | part.parse::<u32>().unwrap_or(0));
    redis.raw_set("REDIS_VERSION_NUM", number)?;
    redis.raw_set("log", lua.create_function(log)?)?;
    Ok(redis)
}

fn common(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let redis = minimum(lua)?;
    redis.raw_set("error_reply", lua.create_function(error_reply)?)?;
    redis.raw_set("status_reply", lua.create_function(status_reply)?)?;
    let watch = Rc::clone(shared);
    redis.raw_set("sha1hex", lua.create_function(move |lua, arguments| sha1(lua, &watch, arguments))?)?;
    let shared = Rc::clone(shared);
    let set_resp = move |lua: &Lua, arguments: MultiValue| {
        let [version] = &*arguments.into_vec() else {
            return Err(raise("ERR redis.setresp() requires one argument."));
        };
        let version = lua.coerce_number(version.clone())?;
        let is_resp3 = version == Some(3.0);
        if !is_resp3 && version != Some(2.0) {
            return Err(raise("ERR RESP version must be 2 or 3."));
        }
        shared.is_resp3.set(is_resp3);
        Ok(())
    };
    redis.raw_set("setresp", lua.create_function(set_resp)?)?;
    Ok(redis)
}

fn single_field(lua: &Lua, name: &str, text: &[u8]) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(name, lua.create_string(text)?)?;
    Ok(table)
}

fn error_reply(lua: &Lua, arguments: MultiValue) -> mlua::Result<Table> {
    let [Value::String(text)] = &*arguments.into_vec() else {
        return single_field(lua, "err", b"ERR wrong number or type of arguments");
    };
    let text = text.as_bytes();
    let text = text.strip_prefix(b"-").unwrap_or(&text);
    if text.contains(&b' ') {
        single_field(lua, "err", text)
    } else {
        single_field(lua, "err", &[b"ERR ", text].concat())
    }
}

fn status_reply(lua: &Lua, arguments: MultiValue) -> mlua::Result<Table> {
    match &*arguments.into_vec() {
        [Value::String(text)] => single_field(lua, "ok", &text.as_bytes()),
        _ => single_field(lua, "err", b"ERR wrong number or type of arguments"),
    }
}

fn sha1(lua: &Lua, shared: &Shared, arguments: MultiValue) -> mlua::Result<String> {
    let [value] = &*arguments.into_vec() else { return Err(raise("ERR wrong number of arguments")) };
    let Some(text) = lua.coerce_string(value.clone())? else { return Ok(sha1_hex(&[])) };
    // It takes several times as long as copying.
    shared.spend_bytes(text.as_bytes().len().saturating_mul(8))?;
    Ok(sha1_hex(&text.as_bytes()))
}

fn log(lua: &Lua, arguments: MultiValue) -> mlua::Result<()> {
    let arguments = arguments.into_vec();
    let [level, parts @ ..] = &*arguments else {
        return Err(raise("ERR redis.log() requires two arguments or more."));
    };
    if parts.is_empty() {
        return Err(raise("ERR redis.log() requires two arguments or more."));
    }
    let (Value::Number(_) | Value::Integer(_)) = level else {
        return Err(raise("ERR First argument must be a number (log level)."));
    };
    let mut text = String::new();
    for part in parts {
        if let Some(part) = lua.coerce_string(part.clone())? {
            text.push_str(&part.to_string_lossy());
        }
    }
    match lua.coerce_integer(level.clone())? {
        Some(0 | 1) => tracing::debug!(script = text),
        Some(2) => tracing::info!(script = text),
        Some(3) => tracing::warn!(script = text),
        _ => return Err(raise("ERR Invalid debug level.")),
    }
    Ok(())
}

/// Nothing is replicated: what is asked for is checked, and that is all.
fn set_repl(lua: &Lua, arguments: MultiValue) -> mlua::Result<()> {
    let [flags] = &*arguments.into_vec() else { return Err(raise("ERR redis.set_repl() requires two arguments.")) };
    match lua.coerce_integer(flags.clone())? {
        Some(0..=3) => Ok(()),
        _ => Err(raise("ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")),
    }
}

/// `math.random`: POSIX's `lrand48`, so that a seed gives the same numbers on every machine.
pub(crate) fn random(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua: &Lua, arguments: MultiValue| {
        let state = shared.random.get().wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & 0xffff_ffff_ffff;
        shared.random.set(state);
        let bits = u32::try_from(state >> 17).unwrap_or(0);
        let max = u32::try_from(i32::MAX).unwrap_or(u32::MAX);
        let number = f64::from(bits % max) / f64::from(max);
        let bound = |at: usize, value: &Value| integer(lua, at, "random", value);
        let (at, low, high) = match &*arguments.into_vec() {
            [] => return Ok(number),
            [high] => (1, 1.0, bound(1, high)?),
            [low, high] => (2, bound(1, low)?, bound(2, high)?),
            _ => return Err(fail(lua, "wrong number of arguments")),
        };
        if low > high {
            return Err(bad_argument(lua, at, "random", "interval is empty"));
        }
        Ok((number * (high - low + 1.0)).floor() + low)
    })
}

/// A number as C takes it for an `int`; what does not fit is 0.
fn integer(lua: &Lua, at: usize, function: &str, value: &Value) -> mlua::Result<f64> {
    let number = lua
        .coerce_number(value.clone())?
        .ok_or_else(|| bad_argument(lua, at, function, &format!("number expected, got {}", value.type_name())))?;
    let number = number.trunc();
    Ok(if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) { number } else { 0.0 })
}

#[expect(clippy::cast_possible_truncation, reason = "a number within 32 bits")]
pub(crate) fn random_seed(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua: &Lua, number: Value| {
        let number = integer(lua, 1, "randomseed", &number)? as i32;
        shared.random.set(seed(number.cast_unsigned()));
        Ok(())
    })
}
