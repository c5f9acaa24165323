//! What scripts take up: `FUNCTION STATS`.

use std::time::Duration;

use crate::server::redis::frame::reply::Reply;

/// What scripts take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Of the interpreter, all in all.
    pub(crate) bytes: usize,
    pub(crate) scripts: usize,
    pub(crate) scripts_bytes: usize,
    pub(crate) libraries: usize,
    pub(crate) functions: usize,
}

/// Writes `FUNCTION STATS`, with the name of the function that runs, the words that called it, and how long it has been
/// running.
pub(crate) fn write_stats(reply: &mut Reply, usage: Usage, running: Option<(&str, &[&[u8]], Duration)>) {
    reply.map(2);
    reply.bulk("running_script");
    match running {
        None => reply.nil(),
        Some((name, words, elapsed)) => {
            reply.map(3);
            reply.bulk("name");
            reply.bulk(name);
            reply.bulk("command");
            reply.bulks(words);
            reply.bulk("duration_ms");
            reply.count(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        }
    }
    reply.bulk("engines");
    reply.map(1);
    reply.bulk("LUA");
    reply.map(2);
    reply.bulk("libraries_count");
    reply.count(usage.libraries as u64);
    reply.bulk("functions_count");
    reply.count(usage.functions as u64);
}
