//! A function that a library has registered.

use mlua::Function;

use crate::server::redis::lua::flags::Flags;
use crate::server::redis::lua::kept::Kept;

/// A function as `redis.register_function` has it.
#[derive(Clone, Debug)]
pub(in crate::server::redis) struct Registered {
    pub(in crate::server::redis) name: String,
    pub(in crate::server::redis) callback: Kept<Function>,
    pub(in crate::server::redis) description: Option<String>,
    pub(in crate::server::redis) flags: Flags,
}
