//! What a library of functions finds in `redis` while it is loaded.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};

use crate::server::redis::lua::allowance::{Shared, raise};
use crate::server::redis::lua::api::minimum;
use crate::server::redis::lua::flags::Flags;
use crate::server::redis::lua::kept::Kept;
use crate::server::redis::lua::registered::Registered;

/// `redis` as a library has it while it is loaded.
pub(crate) fn loading(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let redis = minimum(lua)?;
    let shared = Rc::clone(shared);
    let register = move |lua: &Lua, arguments: MultiValue| {
        let registered = register(lua, &arguments.into_vec())?;
        let mut all = shared.registered.borrow_mut();
        let all = all
            .as_mut()
            .ok_or_else(|| raise("ERR redis.register_function can only be called on FUNCTION LOAD command"))?;
        if all.iter().any(|other| other.name.eq_ignore_ascii_case(&registered.name)) {
            return Err(raise("ERR Function already exists in the library"));
        }
        all.push(registered);
        Ok(())
    };
    redis.raw_set("register_function", lua.create_function(register)?)?;
    Ok(redis)
}

/// Whether a library or function may have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Reads the arguments of `redis.register_function`.
fn register(lua: &Lua, arguments: &[Value]) -> mlua::Result<Registered> {
    let text = |value: &Value| value.as_string().map(mlua::LuaString::to_string_lossy);
    let (mut name, mut callback, mut description, mut flags) = (None, None, None, Flags::given());
    match arguments {
        [Value::Table(table)] => {
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                let key = text(&key)
                    .ok_or_else(|| raise("ERR named argument key given to redis.register_function is not a string"))?;
                match (&*key, &value) {
                    ("function_name", value) => {
                        let given = text(value);
                        name = Some(given.ok_or_else(|| {
                            raise("ERR function_name argument given to redis.register_function must be a string")
                        })?);
                    }
                    ("description", value) => {
                        let given = text(value);
                        description = Some(given.ok_or_else(|| {
                            raise("ERR description argument given to redis.register_function must be a string")
                        })?);
                    }
                    ("callback", Value::Function(function)) => callback = Some(function.clone()),
                    ("callback", _) => {
                        return Err(raise("ERR callback argument given to redis.register_function must be a function"));
                    }
                    ("flags", Value::Table(given)) => {
                        for flag in given.sequence_values::<Value>() {
                            if !text(&flag?).is_some_and(|flag| flags.add(&flag)) {
                                return Err(raise("ERR unknown flag given"));
                            }
                        }
                    }
                    ("flags", _) => {
                        return Err(raise(
                            "ERR flags argument to redis.register_function must be a table representing function flags",
                        ));
                    }
                    _ => return Err(raise("ERR unknown argument given to redis.register_function")),
                }
            }
            if name.is_none() {
                return Err(raise("ERR redis.register_function must get a function name argument"));
            }
            if callback.is_none() {
                return Err(raise("ERR redis.register_function must get a callback argument"));
            }
        }
        [_] => {
            return Err(raise(
                "ERR calling redis.register_function with a single argument is only applicable to Lua table \
                 (representing named arguments).",
            ));
        }
        [given, function] => {
            let given = match given {
                Value::Integer(number) => Some(number.to_string()),
                other => text(other),
            };
            name = Some(given.ok_or_else(|| raise("ERR first argument to redis.register_function must be a string"))?);
            let Value::Function(function) = function else {
                return Err(raise("ERR second argument to redis.register_function must be a function"));
            };
            callback = Some(function.clone());
        }
        _ => return Err(raise("ERR wrong number of arguments to redis.register_function")),
    }
    match (name, callback) {
        (Some(name), Some(callback)) if is_name(&name) => {
            let callback = Kept::new(lua, &callback).map_err(raise)?;
            Ok(Registered { name, callback, description, flags })
        }
        _ => Err(raise(
            "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        )),
    }
}
