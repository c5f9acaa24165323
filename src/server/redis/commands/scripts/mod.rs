//! Scripts and functions. Without the feature `lua` their commands are there only to say so.

use crate::server::redis::run::command::{Handler, command, container, help};

#[cfg(feature = "lua")]
mod handlers;
#[cfg(feature = "lua")]
mod libraries;
#[cfg(feature = "lua")]
mod run;

pub(super) const COMMANDS: &[Handler] = &[
    command("eval", handlers::eval),
    command("eval_ro", handlers::eval),
    command("evalsha", handlers::eval_sha),
    command("evalsha_ro", handlers::eval_sha),
    command("fcall", handlers::call_function),
    command("fcall_ro", handlers::call_function),
    container("function", FUNCTION),
    container("script", SCRIPT),
];

const FUNCTION: &[Handler] = &[
    command("delete", handlers::function_delete),
    command("dump", handlers::function_dump),
    command("flush", handlers::function_flush),
    command("help", help),
    command("kill", handlers::kill),
    command("list", handlers::function_list),
    command("load", handlers::function_load),
    command("restore", handlers::function_restore),
    command("stats", handlers::function_stats),
];

const SCRIPT: &[Handler] = &[
    command("debug", handlers::script_debug),
    command("exists", handlers::script_exists),
    command("flush", handlers::script_flush),
    command("help", help),
    command("kill", handlers::kill),
    command("load", handlers::script_load),
];

#[cfg(not(feature = "lua"))]
mod handlers {
    use crate::server::redis::run::command::{Call, Outcome};

    pub(super) fn refuse(_: &mut Call<'_>) -> Outcome {
        Err("ERR this build of larder has no scripts: feature `lua`".into())
    }

    pub(super) use self::{
        refuse as call_function, refuse as eval, refuse as eval_sha, refuse as function_delete,
        refuse as function_dump, refuse as function_flush, refuse as function_list, refuse as function_load,
        refuse as function_restore, refuse as function_stats, refuse as kill, refuse as script_debug,
        refuse as script_exists, refuse as script_flush, refuse as script_load,
    };
}
