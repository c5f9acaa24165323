//! Running requests: one after the other, those that arrive together in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use tokio::time::Instant;

use crate::limits;
use crate::server::redis::frame::refusal::{PANICKED, text_of};
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::frame::request::{Allowed, Parsed, Parser, ProtocolError, Slices};
use crate::server::redis::run::admission::{
    holds, is_for_queues, not_for_subscribers, not_in_transactions, permit, unknown, wants_own_transaction,
};
use crate::server::redis::run::command::{Call, Command, OpenDoor, Outcome, Refusal, is};
use crate::server::redis::run::serve_blocked::serve;
use crate::server::redis::run::show::Sender;
use crate::server::redis::run::{changes, slow};
use crate::server::redis::spec::secrets::cut;
use crate::server::redis::spec::{Flags, Spec, Traits};
use crate::server::redis::state::blocked::Answer;
use crate::server::redis::state::session::{Queue, Session, Silence, Wait, Waiting};
use crate::server::slow_log::Laps;
use crate::server::tally::End;
use crate::store::Transaction;
use crate::txn::{Pending, Turn};

/// How far a run of requests came.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a finding of its own, and any of them may come with any other"
)]
pub(crate) struct Run {
    /// Bytes of the requests that were run.
    pub(crate) consumed: usize,
    /// Where its replies begin.
    pub(crate) from: usize,
    /// Replies that the client is due: one for each request, unless it wants none.
    pub(crate) due: usize,
    /// What became of its transaction. Nothing of the replies may be sent before this has settled; an error is the text
    /// that each request gets instead.
    pub(crate) outcome: Result<Pending, String>,
    /// Replies to others, who waited for what was done.
    pub(crate) answers: Vec<Answer>,
    /// Another run may follow at once: what is left is not only the beginning of a request.
    pub(crate) goes_on: bool,
    /// The next request needs the turn to write, which this run did not have.
    pub(crate) wants_turn: bool,
    /// A command panicked: nobody knows what it left behind in the session.
    pub(crate) has_panicked: bool,
    /// The client sent what is no request.
    pub(crate) broken: Option<ProtocolError>,
    /// The client sent what a browser sends.
    pub(crate) is_from_a_browser: bool,
}

/// What a run leaves beside its transaction.
#[derive(Debug, Default)]
struct Progress {
    consumed: usize,
    due: usize,
    goes_on: bool,
    wants_turn: bool,
    broken: Option<ProtocolError>,
    is_from_a_browser: bool,
}

/// A request that is there. Its words are the parser's until that reads the next one.
#[derive(Debug)]
pub(crate) struct Next {
    /// The bytes that it takes.
    length: Result<usize, ProtocolError>,
    /// What its name stands for.
    command: Option<&'static Command>,
    needs_turn: bool,
}

impl Next {
    /// Whether it may only run with the turn to write.
    pub(crate) fn needs_turn(&self) -> bool {
        self.needs_turn
    }
}

/// The request that `bytes` begin with. `None` when there is only the beginning of one.
pub(crate) fn next(door: &OpenDoor, session: &Session, parser: &mut Parser, bytes: &[u8]) -> Option<Next> {
    let length = match parser.parse(bytes, allowed(door, session)) {
        Ok(Parsed::Partial) => return None,
        Ok(Parsed::Whole(length)) => length,
        Err(broken) => return Some(Next { length: Err(broken), command: None, needs_turn: false }),
    };
    let command = parser.word(bytes, 0).and_then(|name| door.find(name, parser.word(bytes, 1)));
    let needs_turn = needs_turn(session, command, || parser.words(bytes).iter().any(|word| is(word, "block")));
    Some(Next { length: Ok(length), command, needs_turn })
}

/// Whether a request may only run with the turn to write. Those that only read, or have nothing to do with what is
/// stored, go on while others write, and hold nobody up. Who may begin to wait for a key has the turn: nothing may come
/// to the key between the look at it and the place among those who wait.
fn needs_turn(session: &Session, command: Option<&Command>, says_block: impl FnOnce() -> bool) -> bool {
    let Some(command) = command else { return false };
    if session.queue.is_some() {
        return true;
    }
    let (flags, traits) = (command.spec.flags, command.spec.traits);
    let reads = flags.contains(Flags::READONLY) && !traits.contains(Traits::NOTES);
    !(reads || traits.contains(Traits::NO_STORE)) || (traits.contains(Traits::MAY_WAIT) && says_block())
}

/// Runs the requests that `bytes` begin with in one transaction, and writes their replies; `first` is the first of
/// them. Without the turn to write it ends before the first that needs it.
///
/// A command that fails leaves what those before it did: Redis rolls nothing back.
pub(crate) fn run(
    door: &OpenDoor,
    session: &mut Session,
    (parser, first): (&mut Parser, Next),
    bytes: &[u8],
    reply: &mut Reply,
    turn: Option<Turn<'_>>,
) -> Run {
    let from = reply.len();
    let mut progress = Progress::default();
    let mut first = Some(first);
    let is_reading = turn.is_none();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut body = |transaction: &Transaction| {
            // It runs once on an engine of this process; on another it would run again from here.
            reply.truncate(from);
            forget_places(door, session);
            progress = Progress::default();
            let next = first.take().or_else(|| {
                parser.reset();
                next(door, session, parser, bytes)
            });
            if let Some(next) = next {
                run_in(transaction, door, session, (parser, next), bytes, (reply, from), (&mut progress, is_reading));
            }
            Ok(())
        };
        match turn {
            Some(turn) => door.store.transaction_unsettled(turn, body),
            None => door.store.reading_unsettled(&mut body),
        }
    }));
    // The places of its words, which may be many.
    parser.let_go();
    let has_panicked = outcome.is_err();
    let outcome = match outcome {
        Ok(Ok(((), pending))) => Ok(pending),
        Ok(Err(error)) => Err(text_of(&error)),
        Err(_) => Err(PANICKED.to_owned()),
    };
    let answers = if outcome.is_ok() && !is_reading { door.blocked.borrow_mut().committed() } else { Vec::new() };
    let Progress { consumed, due, goes_on, wants_turn, broken, is_from_a_browser } = progress;
    Run { consumed, from, due, outcome, answers, goes_on, wants_turn, has_panicked, broken, is_from_a_browser }
}

/// As [`run`], for who has nothing else to do while another has the turn. `None` when there is only the beginning of a
/// request.
pub(crate) fn run_now(
    door: &OpenDoor,
    session: &mut Session,
    parser: &mut Parser,
    bytes: &[u8],
    reply: &mut Reply,
) -> Option<Run> {
    let first = next(door, session, parser, bytes)?;
    let turn = first.needs_turn().then(|| door.store.wait_for_turn());
    Some(run(door, session, (parser, first), bytes, reply, turn))
}

/// Runs requests until there is a reason to end the transaction.
fn run_in(
    transaction: &Transaction,
    door: &OpenDoor,
    session: &mut Session,
    (parser, mut request): (&mut Parser, Next),
    bytes: &[u8],
    (reply, from): (&mut Reply, usize),
    (progress, is_reading): (&mut Progress, bool),
) {
    let mut laps = Laps::start();
    for count in 0.. {
        let rest = bytes.get(progress.consumed..).unwrap_or_default();
        let Next { length, command, needs_turn } = request;
        let length = match length {
            Ok(length) => length,
            Err(broken) => {
                progress.broken = Some(broken);
                return;
            }
        };
        let slices = parser.words(rest);
        if is_from_a_browser(&slices) {
            progress.is_from_a_browser = true;
            return;
        }
        let is_alone = command.is_some_and(|command| wants_own_transaction(session, command.spec));
        if count > 0 && (is_alone || (is_reading && needs_turn)) {
            progress.goes_on = true;
            progress.wants_turn = is_reading && needs_turn;
            return;
        }
        if door.pause.is_on() && holds(door, session, command, &slices) {
            session.is_paused = true;
            return;
        }
        progress.consumed += length;
        if !slices.is_empty() {
            let mut call =
                Call { transaction, door, session: &mut *session, command, words: &slices, reply: &mut *reply };
            respond(&mut call, &mut progress.due);
            note_if_slow(door, session, command, &slices, &mut laps);
        }
        if session.is_closing || session.blocked.is_some() {
            return;
        }
        // What has been replied is to be sent, and what stands alone stands alone.
        let is_long = count + 1 == limits::PIPELINE_REQUESTS_MAX || reply.len() - from > limits::RUN_REPLY_BYTES;
        if is_long || is_alone {
            progress.goes_on = true;
            return;
        }
        drop(slices);
        let rest = bytes.get(progress.consumed..).unwrap_or_default();
        match next(door, session, parser, rest) {
            Some(next) => request = next,
            None => return,
        }
    }
}

/// What the client may send.
fn allowed(door: &OpenDoor, session: &Session) -> Allowed {
    Allowed { is_authenticated: session.is_authenticated, word_bytes: door.bounds.get().word_bytes }
}

/// Whether the words are of a request of HTTP: a web page may have a browser send it to any address, and what follows
/// in it would be run.
fn is_from_a_browser(words: &[&[u8]]) -> bool {
    words.first().is_some_and(|name| is(name, "post") || is(name, "host:"))
}

/// Takes back who was served, and who began to wait, in a transaction that was not committed.
pub(super) fn forget_places(door: &OpenDoor, session: &mut Session) {
    let mut blocked = door.blocked.borrow_mut();
    blocked.rolled_back();
    if let Some(wait) = session.blocked.take() {
        blocked.remove(wait.place);
    }
    blocked.listen(&door.store, &door.ears);
}

/// Puts an error for each of the `due` requests of a run in the place of its replies, which begin at `from`, and of `answers` to
/// others: nothing of it was committed.
pub(crate) fn take_back(
    door: &OpenDoor,
    session: &mut Session,
    (from, due): (usize, usize),
    answers: Vec<Answer>,
    reply: &mut Reply,
    text: &str,
) {
    forget_places(door, session);
    door.forget_uncommitted();
    reply.truncate(from);
    for _ in 0..due {
        door.meter.errors.add(1);
        door.count_error(text);
        reply.error(text);
    }
    for answer in answers {
        answer.fail(text);
    }
}

/// Runs one request, and writes its reply unless the client wants none; counts it among those that are due.
fn respond(call: &mut Call<'_>, due: &mut usize) {
    let from = call.reply.len();
    call.reply.protocol = call.session.protocol;
    call.door.meter.requests.add(1);
    *due += 1;
    if call.session.silence == Silence::Next {
        call.session.silence = Silence::This;
    }
    let outcome = dispatch(call).and_then(|()| call.reply.check());
    let waiting = call.session.waiting.take();
    call.door.calls.end(|slot| slot, outcome.is_err());
    if let Err(refusal) = outcome {
        // A reply that was begun has to go.
        warn_if_over(call);
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
        Silence::No | Silence::Next => call.reply.forget_pushes(),
        silence @ (Silence::All | Silence::This) => {
            *due -= 1;
            // Messages are no replies.
            call.reply.keep_pushes(from);
            if silence == Silence::This {
                call.session.silence = Silence::No;
            }
        }
    }
}

/// Logs a reply that is too long.
fn warn_if_over(call: &Call<'_>) {
    if call.reply.is_over() {
        let command = String::from_utf8_lossy(call.word(0).get(..32).unwrap_or(call.word(0))).into_owned();
        let (client, limit) = (call.session.id, limits::OUTPUT_BUFFER_BYTES_MAX);
        tracing::warn!(client, command, bytes = call.reply.len(), limit, "a reply is too long, and was not sent");
    }
}

/// Answers an error, and counts it.
fn refuse(call: &mut Call<'_>, refusal: &Refusal) {
    let text = refusal.text();
    call.door.meter.errors.add(1);
    call.door.count_error(&text);
    call.reply.error(&text);
}

/// Counts how long a request took, and keeps it if that was long. The clock is read once per request, and not at all
/// when nothing is kept.
fn note_if_slow(
    door: &OpenDoor,
    session: &Session,
    command: Option<&'static Command>,
    words: &[&[u8]],
    laps: &mut Laps,
) {
    let latency_ms = door.parameters.latency_ms();
    if door.parameters.slow_micros() < 0 && latency_ms == 0 {
        return;
    }
    let lap = laps.lap();
    door.calls.time(lap);
    // A command that waits has its entry when it is done.
    let Some(command) = command.filter(|_| session.blocked.is_none()) else { return };
    if latency_ms > 0 {
        door.latencies.borrow_mut().note(command.spec, door.store.now(), lap, latency_ms);
    }
    if slow::is_slow(door, lap) && slow::has_entry(command.spec) {
        slow::note(door, session.id, &cut(words), lap);
    }
}

/// Gives the client a place among those who wait, and takes back the reply that began at `from` until its time is over.
fn wait(call: &mut Call<'_>, waiting: Waiting, from: usize) {
    let kv = call.kv();
    // A key that is too long was refused when the command ran.
    let heads = waiting.keys.iter().filter_map(|awaited| kv.address(&awaited.key).ok()).map(Rc::from).collect();
    // Whatever the command replies where nothing waits, at the end of its time the reply is a null array.
    call.reply.truncate(from);
    call.reply.nil_array();
    let nil = call.reply.bytes().get(from..).unwrap_or_default().to_vec();
    call.reply.truncate(from);
    let deadline = waiting.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut blocked = call.door.blocked.borrow_mut();
    let (place, answered) = blocked.insert(call.session, waiting, heads, cut(call.words));
    blocked.listen(&call.door.store, &call.door.ears);
    let is_silent = matches!(call.session.silence, Silence::This | Silence::All);
    call.session.blocked = Some(Wait { place, answered, deadline, nil, is_silent });
}

/// Finds the command, and refuses it, queues it or runs it.
fn dispatch(call: &mut Call<'_>) -> Outcome {
    let spoil = |call: &mut Call<'_>| {
        if let Some(queue) = &mut call.session.queue {
            queue.is_spoilt = true;
        }
    };
    let Some(command) = call.command else {
        spoil(call);
        return Err(unknown(call.words).into());
    };
    let spec = command.spec;
    call.door.calls.ask(spec.slot);
    if let Err(refusal) = command.check(call.words) {
        spoil(call);
        if spec.traits.contains(Traits::RUNS_QUEUE) {
            // It ends its transaction, or none, all the same.
            call.session.queue = None;
            call.session.watched.clear();
            let text = refusal.text();
            let reason = text.strip_prefix("ERR ").unwrap_or(&text);
            return Err(format!("EXECABORT Transaction discarded because of: {reason}").into());
        }
        return Err(refusal);
    }
    if !call.session.is_authenticated && !spec.flags.contains(Flags::NO_AUTH) {
        spoil(call);
        return Err("NOAUTH Authentication required.".into());
    }
    if !call.session.user.is_unrestricted() {
        permit(call, spec).inspect_err(|_| spoil(call))?;
    }
    if call.session.is_subscriber_only() && !spec.traits.contains(Traits::SUBSCRIBERS) {
        return Err(not_for_subscribers(spec).into());
    }
    if spec.flags.contains(Flags::WRITE) {
        call.door.check_writable().inspect_err(|_| spoil(call))?;
    }
    if call.session.queue.is_some() && !spec.traits.contains(Traits::UNQUEUED) {
        return queue(call, spec);
    }
    note_shown(call, spec);
    if call.session.outbox.is_some() && spec.flags.intersects(Flags::READONLY | Flags::WRITE) {
        return Err("ERR Replica can't interact with the keyspace".into());
    }
    call.door.calls.begin(spec.slot);
    changes::run(call, command, Sender::Client)
}

/// Shows others what the client runs, and has its requests be no uses of keys if it wants that.
fn note_shown(call: &mut Call<'_>, spec: &Spec) {
    // The client is looked for when another command comes, not with each of a pipeline: both change by commands only.
    if !std::ptr::eq(call.session.shown.0, spec.name)
        && let Some(client) = call.door.clients.get(call.session.id)
    {
        client.last_command.set(spec.name);
        call.session.shown = (spec.name, client.is_not_touching.get());
    }
    if call.session.shown.1 {
        call.transaction.set_counts_uses(spec.traits.contains(Traits::TOUCHES));
    }
}

/// Runs a command that a script calls.
#[cfg(feature = "lua")]
pub(crate) fn run_called(call: &mut Call<'_>) {
    run_timed(call, Sender::Script, &mut Laps::start());
}

fn run_timed(call: &mut Call<'_>, sender: Sender, laps: &mut Laps) {
    let from = call.reply.len();
    let outcome = match call.command {
        Some(command) => run_permitted(call, command, sender, laps).and_then(|()| call.reply.check()),
        None => Err(unknown(call.words).into()),
    };
    // Within a transaction nothing waits (SEM: KV-TX-1).
    call.session.waiting = None;
    if let Err(refusal) = outcome {
        warn_if_over(call);
        call.reply.truncate(from);
        refuse(call, &refusal);
    }
}

/// Runs a command if its user may, who may have been changed since it was queued.
fn run_permitted(call: &mut Call<'_>, command: &'static Command, sender: Sender, laps: &mut Laps) -> Outcome {
    let mut is_permitted = if call.session.user.is_unrestricted() { Ok(()) } else { permit(call, command.spec) };
    if command.spec.flags.contains(Flags::WRITE) {
        is_permitted = is_permitted.and_then(|()| call.door.check_writable());
    }
    let (outcome, ran) = match is_permitted {
        Ok(()) => (changes::run(call, command, sender), true),
        Err(refusal) => (Err(refusal), false),
    };
    let end = match &outcome {
        Ok(()) => End::Done,
        Err(_) if ran => End::Failed,
        Err(_) => End::Rejected,
    };
    // What asked for it is still running, and has its own time.
    let lap = laps.lap();
    call.door.calls.within(command.spec.slot, end, lap);
    if matches!(sender, Sender::Client) && slow::is_slow(call.door, lap) {
        slow::note(call.door, call.session.id, &cut(call.words), lap);
    }
    outcome
}

fn queue(call: &mut Call<'_>, spec: &Spec) -> Outcome {
    let bytes = Queue::cost(call.words);
    let bytes_max = call.door.bounds.get().query_bytes;
    let Some(queue) = &mut call.session.queue else { return Ok(()) };
    if !is_for_queues(spec) {
        queue.is_spoilt = true;
        return Err(not_in_transactions(spec).into());
    }
    if needs_room(call.door, spec)
        && let Err(error) = call.kv().make_room()
    {
        if let Some(queue) = &mut call.session.queue {
            queue.is_spoilt = true;
        }
        return Err(error.into());
    }
    let Some(queue) = &mut call.session.queue else { return Ok(()) };
    queue.bytes = queue.bytes.saturating_add(bytes);
    if queue.bytes > bytes_max || queue.commands.len() >= limits::QUEUED_COMMANDS_MAX {
        queue.is_spoilt = true;
        return Err("ERR the commands that are queued take too much memory".into());
    }
    queue.commands.push(call.words.iter().map(|word| word.to_vec()).collect());
    call.reply.simple("QUEUED");
    Ok(())
}

/// Whether a command is refused when the budget of bytes is spent, if there is one.
pub(crate) fn needs_room(door: &OpenDoor, spec: &Spec) -> bool {
    door.store.memory_budget().0.is_some() && spec.flags.contains(Flags::DENYOOM)
}

/// The commands of a transaction of the client's, one after the other.
pub(crate) fn run_all(
    transaction: &Transaction,
    door: &OpenDoor,
    session: &mut Session,
    commands: &[Vec<Vec<u8>>],
    reply: &mut Reply,
) {
    reply.array(commands.len());
    let mut laps = Laps::start();
    for words in commands {
        let words: Slices<'_> = words.iter().map(Vec::as_slice).collect();
        let command = door.registry.find(&words);
        run_timed(&mut Call { transaction, door, session, command, words: &words, reply }, Sender::Client, &mut laps);
    }
}
