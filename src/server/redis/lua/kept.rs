//! Values that stay in Lua's own tables.

use std::marker::PhantomData;
use std::rc::Rc;

use mlua::{FromLua, IntoLua, Lua, RegistryKey};

/// A value that stays in Lua's own tables until it is asked for. It is compared and cloned without Lua.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    key: Rc<RegistryKey>,
    kind: PhantomData<T>,
}

impl<T: IntoLua + FromLua + Clone> Kept<T> {
    pub(crate) fn new(lua: &Lua, value: &T) -> Result<Self, String> {
        // Those that nobody has any more make room.
        lua.expire_registry_values();
        let key = lua.create_registry_value(value.clone()).map_err(|error| format!("ERR {error}"))?;
        Ok(Self { key: Rc::new(key), kind: PhantomData })
    }

    pub(crate) fn get(&self, lua: &Lua) -> mlua::Result<T> {
        lua.registry_value(&self.key)
    }
}
