//! One client: what it sends is run and answered, and what is published for it is sent, on the connection of the frame.
//!
//! # How it works
//! The frame reads, settles and writes ([`connection`]). What is here says what a request is, runs those that have arrived as
//! few transactions, and waits for whatever else there may be for a client: messages, the reply to a command that waits, requests of
//! others to show, the end of a pause, and what was done for it while a script had the thread.
//!
//! # Invariants
//! 1. When a commit fails, every request of the run gets one error instead of its reply.
//! 2. What waits, both ways, is bounded ([`Bounds`](crate::server::redis::config::bounds::Bounds)).

use std::rc::Rc;
use std::time::Duration;

use crate::channel::{Message, RecvError, Subscriber};
use crate::server::buffers::{Buffers, Output, READ_BYTES};
use crate::server::connection::{self, Bounds, End, Failure, Kept, Ran, sleep};
use crate::server::redis::frame::refusal::{PANICKED, text_of};
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::frame::request::Parser;
use crate::server::redis::run::command::OpenDoor;
use crate::server::redis::run::execute::{self, Next, Run};
use crate::server::redis::state::blocked::Answer;
use crate::server::redis::state::client::{Client, Known, Seen};
use crate::server::redis::state::interim::Replay;
use crate::server::redis::state::monitor::Outbox;
use crate::server::redis::state::session::{Session, State, Wait};
use crate::txn::Turn;

/// Messages are taken from their queues while less than this waits to be sent, in bytes.
const TAKEN_BYTES: usize = 4 * READ_BYTES;

/// What a connection has waited for beside its socket.
pub(super) enum Event {
    Published(Result<Message, RecvError>),
    Answered(Waited),
    /// There is something for a client that monitors.
    Shown,
    /// A pause has changed.
    GoesOn,
    /// Something was done for the client while a script had the thread.
    Resumed,
    /// Messages were lost.
    FallenBehind,
    Idle,
}

/// How the waiting of a command ends.
pub(super) enum Waited {
    Answered(Vec<u8>),
    /// The sender of the reply has gone.
    Lost,
    TimedOut,
}

/// What was run and is not known to be durable.
struct Unsettled {
    /// Where its replies begin.
    from: usize,
    /// Replies that the client is due.
    due: usize,
    /// Replies to others, who waited for what was done.
    answers: Vec<Answer>,
    /// What the client knew of the session before.
    before: State,
    /// What is wrong with what comes behind it, if that is no request.
    broken: Option<String>,
}

/// The protocol on one connection.
pub(super) struct Conversation {
    door: Rc<OpenDoor>,
    client: Rc<Client>,
    session: Session,
    parser: Parser,
    reply: Reply,
    /// The request that the input begins with.
    next: Option<Next>,
    unsettled: Option<Unsettled>,
}

impl connection::Protocol for Conversation {
    type Client = Known;
    type Event = Event;

    fn next(&mut self, input: &[u8]) -> connection::Next {
        self.next = execute::next(&self.door, &self.session, &mut self.parser, input);
        if self.next.is_some() { connection::Next::Whole } else { connection::Next::Partial }
    }

    async fn run(&mut self, input: &[u8], output: &mut Output) -> Ran {
        let nothing = |end| Ran { consumed: 0, from: 0, pending: None, end };
        let Some(first) = self.next.take() else { return nothing(None) };
        let door = Rc::clone(&self.door);
        let turn = if first.needs_turn() {
            let Some(turn) = self::turn(&door).await else { return nothing(Some(End::Gone)) };
            Some(turn)
        } else {
            None
        };
        self.writing(output, |this| {
            let before = this.session.state();
            let requests = (&mut this.parser, first);
            let mut run = execute::run(&door, &mut this.session, requests, input, &mut this.reply, turn);
            let earlier = this.run_on(input, &mut run);
            this.conclude(earlier, run, before)
        })
    }

    fn settled(&mut self) {
        if let Some(unsettled) = &mut self.unsettled {
            std::mem::take(&mut unsettled.answers).into_iter().for_each(Answer::send);
        }
        self.unsettled = None;
    }

    fn fail(&mut self, failure: Failure, output: &mut Output) -> Result<(), End> {
        let unsettled = self.unsettled.take();
        self.writing(output, |this| {
            let (Failure::Commit(error), Some(unsettled)) = (failure, unsettled) else {
                // Commands that panic are taken back by themselves: nobody knows how many requests these were.
                this.reply.error(PANICKED);
                return Err(End::AfterError);
            };
            let Unsettled { from, due, answers, before, broken } = unsettled;
            execute::take_back(&this.door, &mut this.session, (from, due), answers, &mut this.reply, &text_of(&error));
            this.note_seen();
            let is_broken = broken.is_some();
            this.complain(broken);
            if is_broken || !this.session.state().is_as(&before) { Err(End::AfterError) } else { Ok(()) }
        })
    }

    async fn wait(&mut self, waiting_bytes: usize) -> Event {
        let (is_waiting, is_paused) = (self.session.blocked.is_some(), self.session.is_paused);
        let (has_subscriptions, is_monitor) = (self.session.subscriber.is_some(), self.session.outbox.is_some());
        let takes_messages = waiting_bytes < TAKEN_BYTES;
        // As in Redis it counts for those who send commands, and not for those who wait or listen.
        let idle_seconds = self.door.parameters.idle_seconds();
        let may_idle = idle_seconds == 0 || has_subscriptions || is_waiting || is_monitor || is_paused;
        tokio::select! {
            biased;
            () = messages_lost(self.session.subscriber.as_ref()), if has_subscriptions => Event::FallenBehind,
            next = next_message(self.session.subscriber.as_ref()), if has_subscriptions && takes_messages => {
                Event::Published(next)
            }
            next = next_answer(self.session.blocked.as_mut()), if is_waiting => Event::Answered(next),
            () = next_requests(self.session.outbox.as_deref()), if is_monitor && takes_messages => Event::Shown,
            () = self.door.pause.changes(), if is_paused => Event::GoesOn,
            () = self.client.interim.ready.notified() => Event::Resumed,
            () = sleep(Duration::from_secs(idle_seconds)), if !may_idle => Event::Idle,
        }
    }

    async fn happened(&mut self, event: Event, output: &mut Output) -> Result<(), End> {
        match event {
            Event::Published(message) => self.writing(output, |this| this.deliver(message)),
            Event::Answered(waited) => {
                self.stop_waiting(waited, output).await;
                Ok(())
            }
            Event::Shown => {
                let outbox = self.session.outbox.as_ref();
                let shown = outbox.map_or(Some(Vec::new()), |outbox| outbox.take());
                output.write(&shown.ok_or(End::Gone)?);
                Ok(())
            }
            Event::GoesOn => {
                self.session.is_paused = false;
                Ok(())
            }
            Event::FallenBehind => Err(self.fallen_behind(output.waiting().len())),
            Event::Resumed => Ok(()),
            Event::Idle => Err(End::Gone),
        }
    }

    fn may_run(&self) -> bool {
        self.session.blocked.is_none() && !self.session.is_paused
    }

    fn is_waiting(&self) -> bool {
        self.session.blocked.is_some()
    }

    fn bounds(&self) -> Bounds {
        let bounds = self.door.bounds.get();
        Bounds {
            input_bytes: bounds.query_bytes,
            output: bounds.output(!self.session.topics.borrow().is_empty()),
            all_bytes: bounds.all_bytes(|| self.door.store.memory_budget().0),
        }
    }

    fn kept(&self) -> Kept {
        let outbox = self.session.outbox.as_ref().map_or(0, |outbox| outbox.len());
        let queue = self.session.queue.as_ref().map_or(0, |queue| queue.bytes);
        let messages = self.session.subscriber.as_ref().map_or(0, Subscriber::pending_bytes);
        Kept { input: self.parser.bytes(), output: messages, other: outbox + queue }
    }

    fn wanted(&self) -> usize {
        self.parser.wanted()
    }

    fn idle(&mut self, buffers: &Buffers, may_read: bool) {
        let Buffers { input, output } = buffers;
        let received = (input.len(), input.capacity() - input.len());
        self.client.waiting_bytes.set(output.waiting().len());
        self.client.seen.set(Seen { received, reply_bytes: output.capacity(), ..self.client.seen.get() });
        if let Some(subscriber) = &self.session.subscriber {
            subscriber.set_queue_bytes_max(self.bounds().output.hard_bytes);
        }
        self.client.interim.set_at_rest(may_read && output.waiting().is_empty() && self.is_at_rest(buffers));
    }

    fn rest(&mut self, buffers: &mut Buffers) {
        // If one of the others runs a script for long, this one's replies are sent meanwhile.
        self.client.interim.set_at_rest(self.is_at_rest(buffers));
        self.client.interim.lend(&mut buffers.output);
    }

    fn resume(&mut self, buffers: &mut Buffers) -> Result<(), End> {
        self.client.interim.set_at_rest(false);
        let Some(rest) = self.client.interim.take() else { return Ok(()) };
        let is_changed = !rest.replay.is_empty();
        for replay in rest.replay {
            self.replay(replay)?;
        }
        if is_changed {
            self.note_seen();
        }
        buffers.output.put_back(rest.unsent);
        buffers.input.put_before(rest.received);
        Ok(())
    }
}

impl Conversation {
    pub(super) fn new(door: Rc<OpenDoor>, client: Rc<Client>, session: Session) -> Self {
        let (parser, reply) = (Parser::default(), Reply::default());
        Self { door, client, session, parser, reply, next: None, unsettled: None }
    }

    /// Has replies go to `output` meanwhile.
    fn writing<T>(&mut self, output: &mut Output, write: impl FnOnce(&mut Self) -> T) -> T {
        self.reply.swap(output);
        let written = write(self);
        self.reply.swap(output);
        written
    }

    /// Runs what comes behind requests that only read at once, too, if it can: others do not come in between. `run` is the last run then,
    /// and the one of those requests is returned.
    fn run_on(&mut self, input: &[u8], run: &mut Run) -> Option<Run> {
        if !run.wants_turn || run.outcome.is_err() {
            return None;
        }
        let door = Rc::clone(&self.door);
        let turn = door.store.try_turn()?;
        let rest = input.get(run.consumed..).unwrap_or_default();
        let next = execute::next(&door, &self.session, &mut self.parser, rest)?;
        let requests = (&mut self.parser, next);
        let second = execute::run(&door, &mut self.session, requests, rest, &mut self.reply, Some(turn));
        Some(std::mem::replace(run, second))
    }

    /// Takes back what was not committed, and says what the rest waits for.
    #[inline]
    fn conclude(&mut self, earlier: Option<Run>, run: Run, before: State) -> Ran {
        let Run { from, due, outcome, answers, has_panicked, .. } = run;
        let consumed = run.consumed + earlier.as_ref().map_or(0, |earlier| earlier.consumed);
        let broken = run.broken.map(|broken| format!("ERR Protocol error: {}", broken.0));
        let mut end = None;
        // What was read waits for a commit that is not newer: it stays if that is durable, whatever becomes of what comes behind it.
        let read = earlier.and_then(|earlier| Some((earlier.from, earlier.due, earlier.outcome.ok()?)));
        let (from, due, answers, pending) = match outcome {
            Ok(pending) => {
                let (from, due) = match read {
                    Some((read_from, read_due, read)) if !read.is_durable() => (read_from, read_due + due),
                    _ => (from, due),
                };
                (from, due, answers, Some(pending))
            }
            Err(text) => {
                tracing::warn!(client = self.session.id, requests = due, error = text, "requests were taken back");
                execute::take_back(&self.door, &mut self.session, (from, due), answers, &mut self.reply, &text);
                if has_panicked || !self.session.state().is_as(&before) {
                    end = Some(End::AfterError);
                }
                let read = read.map(|(from, read_due, read)| (from, read_due + due, Vec::new(), Some(read)));
                read.unwrap_or_else(|| (from, due, Vec::new(), None))
            }
        };
        if broken.is_some() {
            end = Some(End::AfterError);
        }
        if run.is_from_a_browser {
            let address = self.client.peer;
            tracing::warn!(%address, "a client sent a request of HTTP, perhaps by way of a browser, and is disconnected");
            end = Some(End::Gone);
        }
        self.complain(broken.clone());
        self.note_seen();
        if self.session.is_closing {
            end.get_or_insert(End::AfterReplies);
        }
        if pending.is_some() {
            self.unsettled = Some(Unsettled { from, due, answers, before, broken });
        }
        Ran { consumed, from, pending, end }
    }

    /// Writes what is wrong with what the client has sent.
    fn complain(&mut self, broken: Option<String>) {
        if let Some(text) = broken {
            self.reply.error(&text);
        }
    }

    /// Notes what others may know of the session.
    fn note_seen(&self) {
        let Seen { received, reply_bytes, .. } = self.client.seen.get();
        let seen = Seen::of(&self.session, self.door.store.now());
        self.client.seen.set(Seen { received, reply_bytes, ..seen });
    }

    /// Whether the next request would be read and answered at once.
    fn is_at_rest(&self, buffers: &Buffers) -> bool {
        buffers.input.len() == 0 && self.session.is_plain() && !self.session.is_paused
    }

    /// Does to the session what a request did that was answered while a script had the thread.
    fn replay(&mut self, replay: Replay) -> Result<(), End> {
        match replay {
            Replay::Request(bytes) => {
                let (mut parser, mut unheard) = (Parser::default(), Reply::default());
                let Some(first) = execute::next(&self.door, &self.session, &mut parser, &bytes) else { return Ok(()) };
                // Nothing of what it is for writes.
                let run = execute::run(&self.door, &mut self.session, (&mut parser, first), &bytes, &mut unheard, None);
                if run.outcome.is_err() || self.session.is_closing {
                    return Err(End::Gone);
                }
            }
            Replay::Spoil => {
                if let Some(queue) = &mut self.session.queue {
                    queue.is_spoilt = true;
                }
            }
            Replay::Discard => {
                self.session.queue = None;
                self.session.watched.clear();
            }
        }
        Ok(())
    }

    /// Writes the reply to the command that waited.
    async fn stop_waiting(&mut self, waited: Waited, output: &mut Output) {
        let Some(wait) = self.session.blocked.take() else { return };
        let was_waiting = self.door.blocked.borrow_mut().remove(wait.place);
        self.door.blocked.borrow_mut().listen(&self.door.store, &self.door.ears);
        let answer = match waited {
            Waited::Answered(answer) if answer.is_empty() => Ok(wait.nil),
            Waited::Answered(answer) => Ok(answer),
            Waited::TimedOut if was_waiting => Ok(wait.nil),
            // Something was found just now, and is about to be durable.
            Waited::TimedOut => wait.answered.await.map_err(drop),
            Waited::Lost => Err(()),
        };
        self.writing(output, |this| match answer {
            _ if wait.is_silent => {}
            Ok(answer) => this.reply.raw(&answer),
            Err(()) => this.reply.error("ERR what was found could not be committed"),
        });
    }

    /// Writes a message that was published, and those that wait behind it.
    fn deliver(&mut self, first: Result<Message, RecvError>) -> Result<(), End> {
        self.reply.protocol = self.session.protocol;
        let mut next = Some(first);
        while let Some(message) = next {
            // Like Redis at its limit for output, the door disconnects a client that does not keep up (SEM: KV-PUB-4).
            let Ok(message) = message else { return Err(self.fallen_behind(self.reply.waiting().len())) };
            write_message(&mut self.reply, &message);
            if self.reply.waiting().len() >= TAKEN_BYTES {
                // The rest comes after these have been sent.
                break;
            }
            next = self.session.subscriber.as_ref().and_then(|subscriber| subscriber.try_recv().transpose());
        }
        Ok(())
    }

    /// Logs that the client does not keep up, while that many bytes of replies wait.
    fn fallen_behind(&self, waiting_bytes: usize) -> End {
        let (client, address) = (self.session.id, self.client.peer);
        let limit = self.door.bounds.get().output(true).hard_bytes;
        let bytes = waiting_bytes + self.session.subscriber.as_ref().map_or(0, Subscriber::pending_bytes);
        tracing::warn!(client, %address, bytes, limit, "a subscriber that does not read is disconnected");
        End::Gone
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.door.monitors.remove(self.session.id);
        if let Some(wait) = &self.session.blocked {
            let mut blocked = self.door.blocked.borrow_mut();
            blocked.remove(wait.place);
            blocked.listen(&self.door.store, &self.door.ears);
        }
    }
}

/// The turn to write. While somebody else has it, others are served.
async fn turn(door: &OpenDoor) -> Option<Turn<'_>> {
    match door.store.try_turn() {
        Some(turn) => Some(turn),
        // The door's thread is within no transaction of its own.
        None => door.store.turn().await.ok(),
    }
}

/// The reply to a client that waits.
async fn next_answer(wait: Option<&mut Wait>) -> Waited {
    let Some(wait) = wait else { return std::future::pending().await };
    let answered = &mut wait.answered;
    let answer = match wait.deadline {
        None => answered.await,
        Some(deadline) => match tokio::time::timeout_at(deadline, answered).await {
            Ok(answer) => answer,
            Err(_) => return Waited::TimedOut,
        },
    };
    answer.map_or(Waited::Lost, Waited::Answered)
}

async fn messages_lost(subscriber: Option<&Subscriber>) {
    match subscriber {
        Some(subscriber) => subscriber.overflowed().await,
        None => std::future::pending().await,
    }
}

async fn next_message(subscriber: Option<&Subscriber>) -> Result<Message, RecvError> {
    match subscriber {
        Some(subscriber) => subscriber.recv_async().await,
        None => std::future::pending().await,
    }
}

/// Waits until there is something for a client that monitors.
async fn next_requests(outbox: Option<&Outbox>) {
    match outbox {
        Some(outbox) => outbox.ready.notified().await,
        None => std::future::pending().await,
    }
}

fn write_message(reply: &mut Reply, message: &Message) {
    match message.pattern() {
        None => {
            reply.push(3);
            reply.bulk(if message.is_sharded() { "smessage" } else { "message" });
        }
        Some(pattern) => {
            reply.push(4);
            reply.bulk("pmessage");
            reply.bulk(pattern);
        }
    }
    reply.bulk(message.channel());
    reply.bulk(message.payload());
}
