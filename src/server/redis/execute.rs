//! Running requests: one after the other, those that arrive together in one transaction.

use std::fmt::Write;

use smallvec::SmallVec;

use crate::error::Result;
use crate::limits;
use crate::server::redis::command::{Call, Command, Flags, Outcome, find, is};
use crate::server::redis::commands::permit;
use crate::server::redis::door::{Counters, Door};
use crate::server::redis::reply::Reply;
use crate::server::redis::request::{Parsed, ProtocolError, parse};
use crate::server::redis::session::{Session, Silence};
use crate::store::Transaction;
use crate::txn::Pending;

/// A request's words.
pub(super) type Slices<'a> = SmallVec<[&'a [u8]; 6]>;

/// How far a run of requests came.
#[derive(Debug)]
pub(super) struct Run {
    /// Bytes of the requests that were run.
    pub(super) consumed: usize,
    /// Nothing of the replies may be sent before this has settled.
    pub(super) pending: Pending,
    /// Another run may follow at once: what is left is not only the beginning of a request.
    pub(super) goes_on: bool,
    /// The client sent what is no request.
    pub(super) broken: Option<ProtocolError>,
}

/// Runs the requests that `bytes` begin with in one transaction, and writes their replies.
///
/// A command that fails leaves what those before it did: Redis rolls nothing back (SEM: KV-TX-1).
pub(super) fn run(door: &Door, session: &mut Session, bytes: &[u8], reply: &mut Reply) -> Result<Run> {
    let before = reply.len();
    let ((consumed, goes_on, broken), pending) = door.store.transaction_pending(|transaction| {
        // It runs once on an engine of this process; on another it would run again from here.
        reply.truncate(before);
        let mut consumed = 0;
        for count in 0.. {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let (words, owned, length) = match parse(rest, session.is_authenticated) {
                Ok(Parsed::Partial) => return Ok((consumed, false, None)),
                Ok(Parsed::Whole(words, length)) => (words, Vec::new(), length),
                Ok(Parsed::Line(words, length)) => (SmallVec::new(), words, length),
                Err(broken) => return Ok((consumed, false, Some(broken))),
            };
            let slices: Slices<'_> = if owned.is_empty() {
                words.iter().map(|word| rest.get(word.clone()).unwrap_or_default()).collect()
            } else {
                owned.iter().map(Vec::as_slice).collect()
            };
            if count > 0 && (count == limits::PIPELINE_REQUESTS_MAX || wants_own_transaction(session, &slices)) {
                return Ok((consumed, true, None));
            }
            consumed += length;
            if !slices.is_empty() {
                respond(&mut Call { transaction, door, session, words: &slices, reply });
            }
            if session.is_closing {
                return Ok((consumed, false, None));
            }
        }
        Ok((consumed, true, None))
    })?;
    Ok(Run { consumed, pending, goes_on, broken })
}

/// Whether what was written before has to be committed first: what is watched is compared with what is committed.
fn wants_own_transaction(session: &Session, words: &[&[u8]]) -> bool {
    let name = words.first().copied().unwrap_or_default();
    is(name, "watch") || (!session.watched.is_empty() && is(name, "exec"))
}

/// Runs one request, and writes its reply unless the client wants none.
fn respond(call: &mut Call<'_>) {
    let from = call.reply.len();
    call.reply.protocol = call.session.protocol;
    Counters::add(&call.door.counters.commands, 1);
    if call.session.silence == Silence::Next {
        call.session.silence = Silence::This;
    }
    let outcome = dispatch(call);
    if let Err(refusal) = outcome {
        // A reply that was begun has to go.
        call.reply.truncate(from);
        Counters::add(&call.door.counters.errors, 1);
        call.reply.error(&refusal.text());
    }
    match call.session.silence {
        Silence::No | Silence::Next => {}
        Silence::All => call.reply.truncate(from),
        Silence::This => {
            call.reply.truncate(from);
            call.session.silence = Silence::No;
        }
    }
}

/// Finds the command, and refuses it, queues it or runs it.
fn dispatch(call: &mut Call<'_>) -> Outcome {
    let spoil = |call: &mut Call<'_>| {
        if let Some(queue) = &mut call.session.queue {
            queue.is_spoilt = true;
        }
    };
    let Some(command) = find(call.word(0)) else {
        spoil(call);
        return Err(unknown(call.words).into());
    };
    if !command.takes(call.words.len()) {
        spoil(call);
        return Err(format!("ERR wrong number of arguments for '{}' command", command.name).into());
    }
    if !call.session.is_authenticated && !command.flags.has(Flags::NO_AUTH) {
        spoil(call);
        return Err("NOAUTH Authentication required.".into());
    }
    if !call.session.user.is_unrestricted() {
        permit(call, command).inspect_err(|_| spoil(call))?;
    }
    if call.session.is_subscriber_only() && !is_for_subscribers(command) {
        return Err(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            command.name
        )
        .into());
    }
    if call.session.queue.is_some() && !is_for_transactions(command) {
        return queue(call, command);
    }
    if let Some(client) = call.door.clients.borrow().get(&call.session.id) {
        client.last_command.set(command.name);
    }
    (command.run)(call)
}

/// Runs a command that was queued.
pub(super) fn run_queued(call: &mut Call<'_>) {
    let from = call.reply.len();
    let outcome = match find(call.word(0)) {
        // The user may have been changed since.
        Some(command) if !call.session.user.is_unrestricted() => {
            permit(call, command).and_then(|()| (command.run)(call))
        }
        Some(command) => (command.run)(call),
        None => Err(unknown(call.words).into()),
    };
    if let Err(refusal) = outcome {
        call.reply.truncate(from);
        Counters::add(&call.door.counters.errors, 1);
        call.reply.error(&refusal.text());
    }
}

fn queue(call: &mut Call<'_>, command: &Command) -> Outcome {
    let bytes: usize = call.words.iter().map(|word| word.len()).sum();
    let Some(queue) = &mut call.session.queue else { return Ok(()) };
    if command.flags.has(Flags::NO_MULTI) {
        queue.is_spoilt = true;
        return Err(format!("ERR {} is not allowed in transactions", command.name.to_uppercase()).into());
    }
    queue.bytes = queue.bytes.saturating_add(bytes);
    if queue.bytes > limits::QUERY_BUFFER_BYTES_MAX {
        queue.is_spoilt = true;
        return Err("ERR the commands that are queued take too much memory".into());
    }
    queue.commands.push(call.words.iter().map(|word| word.to_vec()).collect());
    call.reply.simple("QUEUED");
    Ok(())
}

fn is_for_subscribers(command: &Command) -> bool {
    matches!(
        command.name,
        "subscribe"
            | "unsubscribe"
            | "psubscribe"
            | "punsubscribe"
            | "ssubscribe"
            | "sunsubscribe"
            | "ping"
            | "quit"
            | "reset"
    )
}

/// Whether it takes effect although `MULTI` queues others.
fn is_for_transactions(command: &Command) -> bool {
    matches!(command.name, "multi" | "exec" | "discard" | "watch" | "quit" | "reset")
}

/// What Redis says of a command that it does not know.
fn unknown(words: &[&[u8]]) -> String {
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

/// The commands of a transaction of the client's, one after the other.
pub(super) fn run_all(
    transaction: &Transaction,
    door: &Door,
    session: &mut Session,
    commands: &[Vec<Vec<u8>>],
    reply: &mut Reply,
) {
    reply.array(commands.len());
    for words in commands {
        let words: Slices<'_> = words.iter().map(Vec::as_slice).collect();
        run_queued(&mut Call { transaction, door, session, words: &words, reply });
    }
}
