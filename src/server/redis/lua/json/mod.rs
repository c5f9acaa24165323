//! `cjson`: JSON texts, and what scripts set about them.
//!
//! Both ways work through a stack of their own, so that no depth that a script asks for is one of this process's.
//!
//! # Source
//! Lua CJSON 2.1 manual; RFC 8259.

mod decode;
mod encode;

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Function, IntoLuaMulti, Lua, MultiValue, Table, Value};

use crate::server::redis::lua::allowance::Shared;
use crate::server::redis::lua::convert::truncate;
use crate::server::redis::lua::failure::bad_argument;
use crate::server::redis::lua::json_settings::{Invalid, Settings};

/// Whose settings a table of functions goes by.
#[derive(Clone)]
enum Owner {
    /// The script that runs: each begins with the defaults.
    Script,
    /// A table that `cjson.new` made.
    Table(Rc<Cell<Settings>>),
}

/// What the functions of one table share.
#[derive(Clone)]
struct Codec {
    shared: Rc<Shared>,
    owner: Owner,
    /// Lua's `next`.
    next: Function,
}

impl Codec {
    fn settings(&self) -> Settings {
        match &self.owner {
            Owner::Script => self.shared.json.get(),
            Owner::Table(settings) => settings.get(),
        }
    }

    fn set(&self, settings: Settings) {
        match &self.owner {
            Owner::Script => self.shared.json.set(settings),
            Owner::Table(own) => own.set(settings),
        }
    }
}

pub(super) fn functions(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let next = lua.globals().get("next")?;
    table_of(lua, &Codec { shared: Rc::clone(shared), owner: Owner::Script, next })
}

fn table_of(lua: &Lua, codec: &Codec) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    let own = codec.clone();
    let encode = move |lua: &Lua, arguments: MultiValue| {
        let value = only(lua, arguments, "encode")?;
        encode::encode(lua, &own.shared, &own.next, &own.settings(), value)
    };
    table.raw_set("encode", lua.create_function(encode)?)?;
    let own = codec.clone();
    let decode = move |lua: &Lua, arguments: MultiValue| {
        let value = only(lua, arguments, "decode")?;
        let kind = value.type_name();
        let text = match value {
            Value::String(_) | Value::Integer(_) | Value::Number(_) => lua.coerce_string(value)?,
            _ => None,
        };
        let text = text.ok_or_else(|| bad_argument(lua, 1, "decode", &format!("string expected, got {kind}")))?;
        decode::decode(lua, &own.shared, &own.settings(), &text.as_bytes())
    };
    table.raw_set("decode", lua.create_function(decode)?)?;
    let own = codec.clone();
    let new = move |lua: &Lua, _: MultiValue| {
        let owner = Owner::Table(Rc::new(Cell::new(Settings::default())));
        table_of(lua, &Codec { owner, ..own.clone() })
    };
    table.raw_set("new", lua.create_function(new)?)?;
    add_settings(lua, &table, codec)?;
    Ok(table)
}

fn only(lua: &Lua, arguments: MultiValue, function: &str) -> mlua::Result<Value> {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(bad_argument(lua, 1, function, "expected 1 argument")),
    }
}

/// What a function that sets something is given.
struct Given<'a> {
    lua: &'a Lua,
    function: &'static str,
    arguments: Vec<Value>,
}

impl Given<'_> {
    fn at(&self, at: usize) -> Option<&Value> {
        self.arguments.get(at).filter(|value| !matches!(value, Value::Nil))
    }

    /// Sets an integer, if there is one.
    fn integer(&self, at: usize, setting: &mut u32, least: i64, most: i64) -> mlua::Result<i64> {
        if let Some(value) = self.at(at) {
            let number = self.lua.coerce_number(value.clone())?.ok_or_else(|| {
                let problem = format!("number expected, got {}", value.type_name());
                bad_argument(self.lua, at + 1, self.function, &problem)
            })?;
            let number = truncate(number);
            let wanted = Some(number).filter(|number| (least..=most).contains(number));
            *setting = wanted.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
                bad_argument(self.lua, 1, self.function, &format!("expected integer between {least} and {most}"))
            })?;
        }
        Ok(i64::from(*setting))
    }

    /// The place among `options` of what is given.
    fn option(&self, at: usize, options: &[&str]) -> mlua::Result<Option<usize>> {
        let text = match self.at(at) {
            None => return Ok(None),
            Some(Value::Boolean(flag)) => return Ok(Some(usize::from(*flag))),
            Some(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => {
                self.lua.coerce_string(value.clone())?.map(|text| text.to_string_lossy()).unwrap_or_default()
            }
            Some(other) => {
                let problem = format!("string expected, got {}", other.type_name());
                return Err(bad_argument(self.lua, at + 1, self.function, &problem));
            }
        };
        match options.iter().position(|option| *option == text) {
            Some(found) => Ok(Some(found)),
            None => Err(bad_argument(self.lua, at + 1, self.function, &format!("invalid option '{text}'"))),
        }
    }

    fn flag(&self, at: usize, setting: &mut bool) -> mlua::Result<bool> {
        if let Some(option) = self.option(at, &["off", "on"])? {
            *setting = option == 1;
        }
        Ok(*setting)
    }
}

/// Sets what it is given, and returns what is set.
type Set = fn(&mut Settings, &Given<'_>) -> mlua::Result<MultiValue>;

/// The largest `int` of C.
const INT_MAX: i64 = 2_147_483_647;

fn add_settings(lua: &Lua, table: &Table, codec: &Codec) -> mlua::Result<()> {
    let all: [(&'static str, usize, Set); 7] = [
        ("encode_sparse_array", 3, |settings, given| {
            let converts = given.flag(0, &mut settings.converts_sparse)?;
            let ratio = given.integer(1, &mut settings.sparse_ratio, 0, INT_MAX)?;
            let safe = given.integer(2, &mut settings.sparse_safe, 0, INT_MAX)?;
            (converts, ratio, safe).into_lua_multi(given.lua)
        }),
        ("encode_max_depth", 1, |settings, given| {
            given.integer(0, &mut settings.encode_depth, 1, INT_MAX)?.into_lua_multi(given.lua)
        }),
        ("decode_max_depth", 1, |settings, given| {
            given.integer(0, &mut settings.decode_depth, 1, INT_MAX)?.into_lua_multi(given.lua)
        }),
        ("encode_number_precision", 1, |settings, given| {
            given.integer(0, &mut settings.digits, 1, 14)?.into_lua_multi(given.lua)
        }),
        ("encode_keep_buffer", 1, |settings, given| {
            given.flag(0, &mut settings.keeps_buffer)?.into_lua_multi(given.lua)
        }),
        ("encode_invalid_numbers", 1, |settings, given| {
            let option = given.option(0, &["off", "on", "null"])?;
            settings.encode_invalid = match option {
                None => settings.encode_invalid,
                Some(0) => Invalid::Refused,
                Some(1) => Invalid::Written,
                Some(_) => Invalid::Null,
            };
            match settings.encode_invalid {
                Invalid::Null => "null".into_lua_multi(given.lua),
                other => (other == Invalid::Written).into_lua_multi(given.lua),
            }
        }),
        ("decode_invalid_numbers", 1, |settings, given| {
            given.flag(0, &mut settings.decodes_invalid)?.into_lua_multi(given.lua)
        }),
    ];
    for (function, most, set) in all {
        let own = codec.clone();
        let apply = move |lua: &Lua, arguments: MultiValue| {
            let given = Given { lua, function, arguments: arguments.into_vec() };
            if given.arguments.len() > most {
                return Err(bad_argument(lua, most + 1, function, "found too many arguments"));
            }
            let mut settings = own.settings();
            let outcome = set(&mut settings, &given)?;
            own.set(settings);
            Ok(outcome)
        };
        table.raw_set(function, lua.create_function(apply)?)?;
    }
    Ok(())
}
