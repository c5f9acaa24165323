//! A function that a library has registered.

use mlua::Function;

use crate::server::redis::lua::flags::Flags;
use crate::server::redis::lua::kept::Kept;

/// A function as `redis.register_function` has it.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) callback: Kept<Function>,
    pub(crate) description: Option<String>,
    pub(crate) flags: Flags,
}
