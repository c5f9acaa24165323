//! What other clients get while a script runs for long, and how they end it.
//!
//! # How it works
//! The door has one thread, and a script has it for as long as it runs. From `busy-reply-threshold` on the script's own
//! hook calls [`attend`] every few milliseconds. It lets in who has connected, and reads, without waiting, what clients
//! have sent whose connections are at rest: nothing of theirs is half read, half answered or waited for. What was about
//! to be sent to them is sent, and their whole requests are answered here, most of them by `BUSY`; `SCRIPT KILL`,
//! `FUNCTION KILL` and `SHUTDOWN NOSAVE` do what they say.
//!
//! A connection's task has its state to itself and cannot run now. So a request that changes that state (`AUTH`,
//! `HELLO`, `MULTI`, `WATCH`, `RESET`, …) is answered by what is known of the state, and kept; the task runs it again,
//! unheard, when the script is over. That a request was refused within `MULTI` is kept, too. All that is an
//! [`Interim`].
//!
//! # Source
//! Redis documentation, "Scripting with Lua", "Script execution"; `SCRIPT KILL`, `FUNCTION KILL`.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use crate::limits;
use crate::server::redis::acl;
use crate::server::redis::frame::reply::{Protocol, Reply};
use crate::server::redis::frame::request::{Allowed, Parsed, Parser};
use crate::server::redis::lua::stats::write_stats;
use crate::server::redis::run::admission;
use crate::server::redis::run::command::{Call, Command, OpenDoor, is};
use crate::server::redis::spec::{Flags, Traits};
use crate::server::redis::state::client::{Client, Seen};
use crate::server::redis::state::door::Door;
use crate::server::redis::state::interim::{Replay, Rest};
use crate::server::redis::state::session::Session;
use crate::server::stream::Socket;
use crate::store::Transaction;

/// Bytes that are read at once.
const READ_BYTES: usize = 4 << 10;

const BUSY_SCRIPT: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const BUSY_FUNCTION: &str = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
const UNKILLABLE: &str = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait \
                          the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.";

/// What the door is busy with.
pub(crate) struct Busy<'a> {
    pub(crate) transaction: &'a Transaction,
    pub(crate) door: &'a OpenDoor,
    /// The script's SHA-1, or the function's name.
    pub(crate) name: &'a str,
    pub(crate) is_script: bool,
    pub(crate) has_written: bool,
    /// The command that runs it.
    pub(crate) words: &'a [&'a [u8]],
    pub(crate) elapsed: Duration,
}

/// What is to become of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    GoesOn,
    Killed,
    ServerEnds,
}

/// Looks at what clients have sent, replies to it, and returns what they want of the script.
pub(crate) fn attend(busy: &Busy<'_>) -> Verdict {
    busy.door.newcomers.let_in();
    let mut verdict = Verdict::GoesOn;
    for client in busy.door.clients.all().iter().filter(|client| client.interim.is_at_rest.get()) {
        verdict = verdict.max(attend_one(busy, client));
    }
    verdict
}

/// Wakes the connections up for which something was done.
pub(crate) fn release(door: &Door) {
    door.clients.for_each(|client| {
        // What TLS has made of replies and the socket had no room for is the task's to send.
        let has_unsent = || client.socket.upgrade().is_some_and(|socket| socket.has_unsent());
        if client.interim.has_any() || has_unsent() {
            client.interim.ready.notify_one();
        }
    });
}

fn attend_one(busy: &Busy<'_>, client: &Client) -> Verdict {
    let mut rest = client.interim.rest.borrow_mut();
    let Some(socket) = client.socket.upgrade() else { return Verdict::GoesOn };
    if !rest.unsent.is_empty() {
        let sent = socket.write_now(&rest.unsent).unwrap_or(0);
        rest.unsent.drain(..sent);
    }
    if rest.is_deferred || !rest.unsent.is_empty() {
        return Verdict::GoesOn;
    }
    read(busy.door, &socket, &mut rest.received);
    let (mut consumed, mut verdict, mut replies) = (0, Verdict::GoesOn, Vec::new());
    loop {
        let Rest { received, replay, is_deferred, is_closing, .. } = &mut *rest;
        let bytes = received.get(consumed..).unwrap_or_default();
        let (is_authenticated, word_bytes) = (client.seen.get().is_authenticated, busy.door.bounds.get().word_bytes);
        let mut parser = Parser::default();
        let len = match parser.parse(bytes, Allowed { is_authenticated, word_bytes }) {
            Ok(Parsed::Partial) => break,
            Ok(Parsed::Whole(len)) => len,
            Err(_) => {
                // It ends the connection, which the task does.
                *is_deferred = true;
                break;
            }
        };
        let words = parser.words(bytes);
        if !words.is_empty() {
            let mut answer = Answer {
                busy,
                client,
                reply: Reply::in_protocol(client.seen.get().protocol),
                replay: None,
                ends: false,
            };
            verdict = verdict.max(answer.to(&words));
            replies.extend_from_slice(answer.reply.bytes());
            let ends = answer.ends;
            replay.extend(match answer.replay {
                Some(Effect::Request) => Some(Replay::Request(bytes.get(..len).unwrap_or_default().to_vec())),
                Some(Effect::Spoil) => Some(Replay::Spoil),
                Some(Effect::Discard) => Some(Replay::Discard),
                None => None,
            });
            if ends {
                // What comes after it is nobody's.
                (*is_deferred, *is_closing) = (true, true);
                consumed += len;
                break;
            }
        }
        consumed += len;
    }
    rest.received.drain(..consumed);
    let sent = if replies.is_empty() { 0 } else { socket.write_now(&replies).unwrap_or(0) };
    busy.door.meter.written_bytes.add(sent);
    rest.unsent = replies.split_off(sent);
    if rest.is_closing && rest.unsent.is_empty() {
        // The client sees the end of the connection; the rest of it ends with its task.
        let _ = socket.shutdown_now();
    }
    verdict
}

/// Reads what is there, up to a bound.
fn read(door: &Door, socket: &Socket, received: &mut Vec<u8>) {
    let mut buffer = [0; READ_BYTES];
    while received.len() < limits::INTERIM_BYTES_MAX {
        match socket.read_now(&mut buffer) {
            // Whether the client has gone, the task will see.
            Ok(0) => return,
            Ok(len) => {
                door.meter.read_bytes.add(len);
                received.extend_from_slice(buffer.get(..len).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The reply to one request.
struct Answer<'a> {
    busy: &'a Busy<'a>,
    client: &'a Client,
    reply: Reply,
    /// What it does to what only the task can change.
    replay: Option<Effect>,
    /// It is the last one.
    ends: bool,
}

/// What a request does to the state of a connection.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// What it always does.
    Request,
    Spoil,
    Discard,
}

impl Answer<'_> {
    /// Answers a request, and returns what it wants of the script.
    fn to(&mut self, words: &[&[u8]]) -> Verdict {
        self.busy.door.meter.requests.add(1);
        let is_queueing = self.client.seen.get().queued.is_some();
        let Some(command) = self.busy.door.registry.find(words) else {
            self.spoil(is_queueing);
            return self.refuse(&admission::unknown(words));
        };
        if let Err(text) = self.check(command, words) {
            self.spoil(is_queueing);
            return self.refuse(&text);
        }
        let spec = command.spec;
        if !spec.flags.contains(Flags::ALLOW_BUSY) {
            let text = self.busy_text();
            if spec.traits.contains(Traits::RUNS_QUEUE) {
                self.replay = Some(Effect::Discard);
                self.set_queueing(false);
                return self.refuse(&format!("EXECABORT Transaction discarded because of: {text}"));
            }
            self.spoil(is_queueing);
            return self.refuse(text);
        }
        if is_queueing && !spec.traits.contains(Traits::UNQUEUED) {
            // The task queues it, or refuses it in the same words.
            self.replay = Some(Effect::Request);
            if !admission::is_for_queues(spec) {
                return self.refuse(&admission::not_in_transactions(spec));
            }
            self.reply.simple("QUEUED");
            return Verdict::GoesOn;
        }
        self.run_allowed(command, words, is_queueing)
    }

    /// Runs one of the commands that Redis runs while it is busy.
    fn run_allowed(&mut self, command: &'static Command, words: &[&[u8]], is_queueing: bool) -> Verdict {
        let asks = |name: &str| words.iter().skip(1).any(|word| is(word, name));
        match command.spec.name {
            "script|kill" if self.busy.is_script => self.kill(),
            "function|kill" if !self.busy.is_script => self.kill(),
            "function|stats" if !self.busy.is_script => {
                let running = Some((self.busy.name, self.busy.words, self.busy.elapsed));
                write_stats(&mut self.reply, self.busy.door.script_usage(), running);
                Verdict::GoesOn
            }
            "shutdown" if asks("nosave") => {
                let is_done = self.run(command, words);
                if is_done { Verdict::ServerEnds } else { Verdict::GoesOn }
            }
            _ if command.spec.traits.contains(Traits::REPLAYED) => {
                self.replay = self.run(command, words).then_some(Effect::Request);
                Verdict::GoesOn
            }
            "reset" => {
                // What the client hears goes with the task's own run.
                self.run(command, words);
                self.client.topics.take();
                self.set_queueing(false);
                self.done()
            }
            "quit" => {
                self.reply.ok();
                self.ends = true;
                self.done()
            }
            "multi" if is_queueing => self.refuse("ERR MULTI calls can not be nested"),
            "watch" if is_queueing => self.refuse("ERR WATCH inside MULTI is not allowed"),
            "discard" if !is_queueing => self.refuse("ERR DISCARD without MULTI"),
            "multi" | "discard" => {
                self.set_queueing(command.spec.name == "multi");
                self.reply.ok();
                self.done()
            }
            "watch" | "unwatch" => {
                self.reply.ok();
                self.done()
            }
            _ => {
                let text = self.busy_text();
                self.refuse(text)
            }
        }
    }

    fn busy_text(&self) -> &'static str {
        if self.busy.is_script { BUSY_SCRIPT } else { BUSY_FUNCTION }
    }

    /// The task does it again when the script is over.
    fn done(&mut self) -> Verdict {
        self.replay = Some(Effect::Request);
        Verdict::GoesOn
    }

    /// A request that is refused within `MULTI` has `EXEC` refused, too.
    fn spoil(&mut self, is_queueing: bool) {
        if is_queueing {
            self.replay = Some(Effect::Spoil);
        }
    }

    /// Notes whether requests are queued from now on.
    fn set_queueing(&self, is_queueing: bool) {
        let seen = self.client.seen.get();
        self.client.seen.set(Seen { queued: is_queueing.then_some((0, 0)), ..seen });
    }

    /// Answers an error; the script goes on.
    fn refuse(&mut self, text: &str) -> Verdict {
        self.busy.door.meter.errors.add(1);
        self.busy.door.count_error(text);
        self.reply.error(text);
        Verdict::GoesOn
    }

    /// What refuses a request before it is looked at whether the door is busy.
    fn check(&self, command: &Command, words: &[&[u8]]) -> Result<(), String> {
        command.check(words).map_err(|refusal| refusal.text())?;
        if !self.client.seen.get().is_authenticated && !command.spec.flags.contains(Flags::NO_AUTH) {
            return Err("NOAUTH Authentication required.".to_owned());
        }
        let user = self.client.user.borrow();
        acl::check::check(&user.account().rights, command.spec, words)
            .map_err(|denied| format!("NOPERM {}", denied.text(&user.name, true)))?;
        let is_subscriber =
            self.client.seen.get().protocol == Protocol::Resp2 && !self.client.topics.borrow().is_empty();
        if is_subscriber && !command.spec.traits.contains(Traits::SUBSCRIBERS) {
            return Err(admission::not_for_subscribers(command.spec));
        }
        Ok(())
    }

    fn kill(&mut self) -> Verdict {
        if self.busy.has_written {
            return self.refuse(UNKILLABLE);
        }
        self.reply.ok();
        Verdict::Killed
    }

    /// Runs a command on a stand-in for the connection's state, and returns whether it was done.
    fn run(&mut self, command: &'static Command, words: &[&[u8]]) -> bool {
        let seen = self.client.seen.get();
        let mut session = Session::new(self.client.id, Arc::clone(&self.client.user.borrow()));
        (session.protocol, session.is_authenticated) = (seen.protocol, seen.is_authenticated);
        let (transaction, door) = (self.busy.transaction, self.busy.door);
        let outcome = command.run(&mut Call {
            transaction,
            door,
            session: &mut session,
            command: Some(command),
            words,
            reply: &mut self.reply,
        });
        if let Err(refusal) = outcome {
            self.reply.truncate(0);
            let _ = self.refuse(&refusal.text());
            return false;
        }
        let (protocol, is_authenticated) = (session.protocol, session.is_authenticated);
        self.client.seen.set(Seen { protocol, is_authenticated, ..seen });
        true
    }
}
