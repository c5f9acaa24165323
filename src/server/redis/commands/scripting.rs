//! Scripts and functions. Without the feature `lua` their commands are there only to say so.

use crate::server::redis::command::{Command, Flags, Keys, command};

#[cfg(feature = "lua")]
use crate::server::redis::scripting as handlers;

const GROUP: &str = "scripting";

pub(super) const COMMANDS: &[Command] = &[
    command("eval", -3, Flags::NONE, Keys::NONE, GROUP, handlers::eval),
    command("eval_ro", -3, Flags::READ, Keys::NONE, GROUP, handlers::eval),
    command("evalsha", -3, Flags::NONE, Keys::NONE, GROUP, handlers::eval_sha),
    command("evalsha_ro", -3, Flags::READ, Keys::NONE, GROUP, handlers::eval_sha),
    command("fcall", -3, Flags::NONE, Keys::NONE, GROUP, handlers::call_function),
    command("fcall_ro", -3, Flags::READ, Keys::NONE, GROUP, handlers::call_function),
    command("function", -2, Flags::NONE, Keys::NONE, GROUP, handlers::function),
    command("script", -2, Flags::NONE, Keys::NONE, GROUP, handlers::script),
];

#[cfg(not(feature = "lua"))]
mod handlers {
    use crate::server::redis::command::{Call, Outcome};

    pub(super) fn refuse(_: &mut Call<'_>) -> Outcome {
        Err("ERR this build of larder has no scripts: feature `lua`".into())
    }

    pub(super) use self::{
        refuse as call_function, refuse as eval, refuse as eval_sha, refuse as function, refuse as script,
    };
}
