//! Whether a request may run now: for its user, within `MULTI`, during a pause, beside others in a transaction.

use std::fmt::Write;
use std::sync::Arc;

use crate::limits;
use crate::server::redis::acl::check::{Denied, check};
use crate::server::redis::acl::log::Entry;
use crate::server::redis::run::client_line;
use crate::server::redis::run::command::{Call, Command, OpenDoor, Outcome};
use crate::server::redis::spec::{Flags, Spec, Traits};
use crate::server::redis::state::pause::Held;
use crate::server::redis::state::session::Session;

/// Refuses a request that the session's user may not make, and records that.
pub(super) fn permit(call: &mut Call<'_>, spec: &'static Spec) -> Outcome {
    let user = Arc::clone(&call.session.user);
    let checked = check(&user.account().rights, spec, call.words);
    checked.map_err(|denied| {
        let context = if call.session.queue.is_some() { "multi" } else { "toplevel" };
        record(call, &denied, context);
        format!("NOPERM {}", denied.text(&user.name, false)).into()
    })
}

fn record(call: &Call<'_>, denied: &Denied, context: &'static str) {
    record_entry(call, denied.reason(), context, denied.object(), &call.session.user.name);
}

/// Records that a client was not admitted as a user.
pub(crate) fn record_failed_login(call: &Call<'_>, user: &[u8]) {
    let command = call.word(0).to_ascii_uppercase();
    record_entry(call, "auth", "toplevel", &command, user);
}

fn record_entry(call: &Call<'_>, reason: &'static str, context: &'static str, object: &[u8], user: &[u8]) {
    let client = client_line::own_line(call).trim_end().to_owned();
    let now = call.door.store.now();
    // What a client sent is kept, but not all of it.
    let cut = |bytes: &[u8]| bytes.get(..bytes.len().min(limits::DENIAL_OBJECT_BYTES_MAX)).unwrap_or_default().to_vec();
    let (object, user) = (cut(object), cut(user));
    let entry = Entry { id: 0, count: 1, reason, context, object, user, client, created: now, updated: now };
    call.door.denials.borrow_mut().record(entry, call.door.parameters.denials_kept());
}

/// Whether a request has to be in a transaction by itself. What is watched is compared with what is committed; and what
/// an administrator does takes effect in the door, whatever becomes of the writes of others.
pub(super) fn wants_own_transaction(session: &Session, spec: &Spec) -> bool {
    spec.traits.contains(Traits::ALONE)
        || (!session.watched.is_empty() && spec.traits.contains(Traits::RUNS_QUEUE))
        || (session.queue.is_none() && spec.flags.contains(Flags::ADMIN))
}

/// Whether a request has to wait. What would be refused is refused at once; `CLIENT UNPAUSE` never waits.
pub(crate) fn holds(door: &OpenDoor, session: &Session, command: Option<&Command>, words: &[&[u8]]) -> bool {
    let Some((_, held)) = door.pause.current() else { return false };
    let Some(command) = command else { return false };
    let spec = command.spec;
    let is_refused =
        command.check(words).is_err() || (!session.is_authenticated && !spec.flags.contains(Flags::NO_AUTH));
    if spec.traits.contains(Traits::UNPAUSED) || is_refused {
        return false;
    }
    held == Held::All || writes(spec) || (spec.traits.contains(Traits::RUNS_QUEUE) && queue_writes(door, session))
}

/// Whether what a command does is for others too, and not only its reply.
fn writes(spec: &Spec) -> bool {
    spec.flags.contains(Flags::WRITE) || spec.traits.contains(Traits::REPLICATES)
}

fn queue_writes(door: &OpenDoor, session: &Session) -> bool {
    let queued = session.queue.iter().flat_map(|queue| &queue.commands);
    queued.filter_map(|words| door.registry.find(words)).any(|command| writes(command.spec))
}

/// Whether `MULTI` can queue it.
pub(super) fn is_for_queues(spec: &Spec) -> bool {
    !spec.flags.contains(Flags::NO_MULTI) && !spec.traits.contains(Traits::NO_QUEUE)
}

/// What refuses a command that `MULTI` cannot queue.
pub(super) fn not_in_transactions(spec: &Spec) -> String {
    format!("ERR {} is not allowed in transactions", spec.name.to_uppercase())
}

/// What refuses a command of a client that listens.
pub(super) fn not_for_subscribers(spec: &Spec) -> String {
    format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        spec.name
    )
}

/// What Redis says of a command that it does not know.
pub(crate) fn unknown(words: &[&[u8]]) -> String {
    let name = String::from_utf8_lossy(words.first().copied().unwrap_or_default());
    let mut text = format!("ERR unknown command '{name:.128}', with args beginning with: ");
    for word in words.iter().skip(1) {
        if text.len() > 300 {
            break;
        }
        // Writing to a string does not fail.
        let _ = write!(text, "'{:.128}' ", String::from_utf8_lossy(word));
    }
    text
}
