//! Running requests: one after the other, those that arrive together in one transaction.

use std::fmt::Write;

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::error::Result;
use crate::limits;
use crate::server::redis::blocked::{Answer, serve};
use crate::server::redis::command::{Call, Command, Flags, Outcome, Refusal, find, is};
use crate::server::redis::commands::permit;
use crate::server::redis::door::Door;
use crate::server::redis::monitor::{self, Sender};
use crate::server::redis::pause;
use crate::server::redis::reply::Reply;
use crate::server::redis::request::{Parsed, ProtocolError, parse};
use crate::server::redis::session::{Session, Silence, Wait, Waiting};
use crate::server::redis::slow_log::{Entry, Laps, cut};
use crate::server::redis::tally::End;
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
    /// Replies to others, who waited for what was done.
    pub(super) answers: Vec<Answer>,
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
    let outcome = door.store.transaction_pending(|transaction| {
        // It runs once on an engine of this process; on another it would run again from here.
        reply.truncate(before);
        forget_places(door, session);
        let (mut consumed, mut laps) = (0, Laps::start());
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
            if door.pause.is_on() && pause::holds(door, session, &slices) {
                session.is_paused = true;
                return Ok((consumed, false, None));
            }
            consumed += length;
            if !slices.is_empty() {
                respond(&mut Call { transaction, door, session, words: &slices, reply });
                note_if_slow(door, session, &slices, &mut laps);
            }
            if session.is_closing || session.blocked.is_some() {
                return Ok((consumed, false, None));
            }
        }
        Ok((consumed, true, None))
    });
    let ((consumed, goes_on, broken), pending) = outcome.inspect_err(|_| forget_places(door, session))?;
    let answers = door.blocked.borrow_mut().committed();
    Ok(Run { consumed, pending, answers, goes_on, broken })
}

/// Takes back who was served, and who began to wait, in a transaction that was not committed.
pub(super) fn forget_places(door: &Door, session: &mut Session) {
    let mut blocked = door.blocked.borrow_mut();
    blocked.rolled_back();
    if let Some(wait) = session.blocked.take() {
        blocked.remove(wait.place);
    }
    blocked.listen(&door.store, &door.ears);
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
    call.door.meter.requests.add(1);
    if call.session.silence == Silence::Next {
        call.session.silence = Silence::This;
    }
    let outcome = dispatch(call);
    let waiting = call.session.waiting.take();
    call.door.tally.end(call.words, outcome.is_err());
    if let Err(refusal) = outcome {
        // A reply that was begun has to go.
        call.reply.truncate(from);
        refuse(call, &refusal);
    } else if let Some(waiting) = waiting {
        wait(call, waiting, from);
    }
    let touched = call.transaction.take_touched();
    if !touched.is_empty() {
        serve(call.transaction, call.door, touched);
        let mut blocked = call.door.blocked.borrow_mut();
        blocked.listen(&call.door.store, &call.door.ears);
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

/// Answers an error, and counts it.
fn refuse(call: &mut Call<'_>, refusal: &Refusal) {
    let text = refusal.text();
    call.door.meter.errors.add(1);
    call.door.tally.error(&text);
    call.reply.error(&text);
}

/// Counts how long a request took, and keeps it if that was long. There is one look at the clock for each, and none when
/// nothing is kept.
fn note_if_slow(door: &Door, session: &Session, words: &[&[u8]], laps: &mut Laps) {
    let Ok(slow) = u64::try_from(door.parameters.slow_micros.get()) else { return };
    let lap = laps.lap();
    door.tally.time(lap);
    let micros = u64::try_from(lap.as_micros()).unwrap_or(u64::MAX);
    if micros < slow || find(words.first().copied().unwrap_or_default()).is_none() {
        return;
    }
    let address = door.clients.borrow().get(&session.id).map(|client| client.address.to_string()).unwrap_or_default();
    let (words, name) = (cut(words), session.name.clone());
    let entry = Entry { id: 0, at: door.store.now(), micros, words, address, name };
    let most = usize::try_from(door.parameters.number("slowlog-max-len")).unwrap_or(0);
    door.slow_log.borrow_mut().push(entry, most);
}

/// Gives the client a place among those who wait, and takes back the reply that began at `from` until its time is over.
fn wait(call: &mut Call<'_>, waiting: Waiting, from: usize) {
    let kv = call.kv();
    // A key that is too long was refused when the command ran.
    let heads = waiting.keys.iter().filter_map(|key| kv.address(key).ok()).collect();
    let nil = call.reply.bytes().get(from..).unwrap_or_default().to_vec();
    call.reply.truncate(from);
    let deadline = waiting.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut blocked = call.door.blocked.borrow_mut();
    let (place, answered) = blocked.insert(call.session, waiting, heads);
    blocked.listen(&call.door.store, &call.door.ears);
    call.session.blocked = Some(Wait { place, answered, deadline, nil });
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
    call.door.tally.ask(command);
    if !command.has_arity(call.words.len()) {
        spoil(call);
        let refusal = format!("wrong number of arguments for '{}' command", command.name);
        if command.name == "exec" {
            // It ends its transaction, or none, all the same.
            call.session.queue = None;
            call.session.watched.clear();
            return Err(format!("EXECABORT Transaction discarded because of: {refusal}").into());
        }
        return Err(format!("ERR {refusal}").into());
    }
    if let Err(refusal) = command.check_subcommand(call.words) {
        spoil(call);
        return Err(refusal);
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
        if client.is_not_touching.get() {
            call.transaction.set_counts_uses(command.name == "touch");
        }
    }
    if call.session.outbox.is_some() && (command.flags.has(Flags::READ) || command.flags.has(Flags::WRITE)) {
        return Err("ERR Replica can't interact with the keyspace".into());
    }
    call.door.tally.begin(command);
    monitor::run(call, command, Sender::Client)
}

/// Runs a command that a script calls.
#[cfg(feature = "lua")]
pub(super) fn run_queued(call: &mut Call<'_>, sender: Sender) {
    run_timed(call, sender, &mut Laps::start());
}

fn run_timed(call: &mut Call<'_>, sender: Sender, laps: &mut Laps) {
    let from = call.reply.len();
    let outcome = match find(call.word(0)) {
        Some(command) => run_permitted(call, command, sender, laps),
        None => Err(unknown(call.words).into()),
    };
    // Within a transaction nothing waits (SEM: KV-TX-1).
    call.session.waiting = None;
    if let Err(refusal) = outcome {
        call.reply.truncate(from);
        refuse(call, &refusal);
    }
}

/// Runs a command if its user may, who may have been changed since it was queued.
fn run_permitted(call: &mut Call<'_>, command: &'static Command, sender: Sender, laps: &mut Laps) -> Outcome {
    let is_permitted = if call.session.user.is_unrestricted() { Ok(()) } else { permit(call, command) };
    let (outcome, ran) = match is_permitted {
        Ok(()) => (monitor::run(call, command, sender), true),
        Err(refusal) => (Err(refusal), false),
    };
    let end = match &outcome {
        Ok(()) => End::Done,
        Err(_) if ran => End::Failed,
        Err(_) => End::Rejected,
    };
    // What asked for it is still running, and has its own time.
    call.door.tally.within(command, call.words, end, laps.lap());
    outcome
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
    let mut laps = Laps::start();
    for words in commands {
        let words: Slices<'_> = words.iter().map(Vec::as_slice).collect();
        run_timed(&mut Call { transaction, door, session, words: &words, reply }, Sender::Client, &mut laps);
    }
}
