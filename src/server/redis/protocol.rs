//! One client: what it sends is read, run and answered; what is published for it is sent.
//!
//! # How it works
//! Reading, running and sending go on side by side: a client may send all of its requests before it reads the first
//! reply. While much waits to be sent to it, its requests are read and not run, until there is no more room for them
//! either.
//!
//! # Invariants
//! 1. No reply is sent before what it reports is durable. When that fails, every request of the run gets one error instead of
//!    its reply.
//! 2. What waits, both ways, is bounded ([`Bounds`](crate::server::redis::config::bounds::Bounds)); a client that lets more pile up is
//!    disconnected, with a line in the log.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::channel::{Message, RecvError, Subscriber};
use crate::clock::Stopwatch;
use crate::limits;
use crate::server::redis::frame::input::{Input, READ_BYTES};
use crate::server::redis::frame::refusal::text_of;
use crate::server::redis::frame::reply::Reply;
use crate::server::redis::frame::request::Parser;
use crate::server::redis::run::command::OpenDoor;
use crate::server::redis::run::execute::{self, Run};
use crate::server::redis::state::blocked::Answer;
use crate::server::redis::state::client::{Client, Seen};
use crate::server::redis::state::interim::Replay;
use crate::server::redis::state::monitor::Outbox;
use crate::server::redis::state::session::{Session, Wait};
use crate::server::settler::Settler;
use crate::txn::Turn;

/// Messages are taken from their queues while less than this waits to be sent, in bytes.
const TAKEN_BYTES: usize = 4 * READ_BYTES;

/// After this time a client that does not read is looked at again, though nothing has come from it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client has gone, or its socket has.
    Gone,
    /// What was written is sent first.
    AfterReplies,
    /// The same, and what the client goes on sending is read for a while: otherwise it would not see the replies.
    AfterError,
}

/// What has happened while a connection waited.
enum Event {
    /// The client is to go at once.
    Cut,
    /// The door closes.
    Ended,
    Read(std::io::Result<usize>),
    Sent(std::io::Result<usize>),
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
    LookAgain,
}

/// How the waiting of a command ends.
enum Waited {
    Answered(Vec<u8>),
    /// The sender of the reply has gone.
    Lost,
    TimedOut,
}

/// One client's connection.
pub(super) struct Connection {
    door: Rc<OpenDoor>,
    client: Rc<Client>,
    session: Session,
    settler: Settler,
    input: Input,
    parser: Parser,
    reply: Reply,
    /// There may be a whole request that was not run.
    has_requests: bool,
    /// The client sends no more.
    is_at_end: bool,
    /// Since when more waits to be sent than the soft limit says.
    over_since: Option<Stopwatch>,
}

impl Connection {
    pub(super) fn new(door: Rc<OpenDoor>, client: Rc<Client>, session: Session, settler: Settler) -> Self {
        Self {
            door,
            client,
            session,
            settler,
            input: Input::default(),
            parser: Parser::default(),
            reply: Reply::default(),
            has_requests: false,
            is_at_end: false,
            over_since: None,
        }
    }

    /// Serves the client until either side ends it.
    pub(super) async fn serve(mut self, mut reader: impl AsyncRead + Unpin, mut writer: impl AsyncWrite + Unpin) {
        let end = loop {
            let stepped = self.step(&mut reader, &mut writer).await.and_then(|()| self.check_output());
            if stepped == Err(End::Gone) {
                return;
            }
            self.settler.flush_if_late();
            // Clients that are written to together wake up once. If one of the others runs a script for long, this one's replies
            // are sent meanwhile.
            self.client.interim.set_at_rest(stepped.is_ok() && self.is_at_rest());
            self.client.interim.lend(&mut self.reply);
            self.door.let_others_run().await;
            if self.take_interim().is_err() {
                return;
            }
            if let Err(end) = stepped {
                break end;
            }
            if self.send_now(&mut writer).await.is_err() {
                return;
            }
            self.note_bytes();
        };
        let client = Rc::clone(&self.client);
        tokio::select! {
            biased;
            () = client.cut.notified() => {}
            () = self.part(end, &mut reader, &mut writer) => {}
        }
    }

    /// Waits for something to do, and does it.
    async fn step(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), End> {
        let event = self.wait(reader, writer).await;
        self.take_interim()?;
        match event {
            Event::Cut | Event::Idle | Event::Sent(Ok(0) | Err(_)) | Event::Read(Err(_)) => return Err(End::Gone),
            Event::Sent(Ok(bytes)) => self.note_sent(bytes),
            // What has come before is still run and answered.
            Event::Read(Ok(0)) | Event::Ended => self.is_at_end = true,
            Event::Read(Ok(bytes)) => {
                self.door.meter.read_bytes.add(bytes);
                self.has_requests = true;
            }
            Event::Published(message) => return self.deliver(message),
            Event::Answered(waited) => {
                self.stop_waiting(waited).await;
                self.has_requests = true;
            }
            Event::Shown => {
                let outbox = self.session.outbox.as_ref();
                let shown = outbox.map_or(Some(Vec::new()), |outbox| outbox.take());
                self.reply.raw(&shown.ok_or(End::Gone)?);
                return Ok(());
            }
            Event::GoesOn => {
                self.session.is_paused = false;
                self.has_requests = true;
            }
            Event::FallenBehind => return Err(self.fallen_behind()),
            Event::LookAgain | Event::Resumed => {}
        }
        if self.can_run() {
            self.run().await?;
        }
        self.check_input()
    }

    /// Whether the next request would be read and answered at once.
    fn is_at_rest(&self) -> bool {
        self.input.len() == 0 && !self.is_at_end && self.session.is_plain() && !self.session.is_paused
    }

    /// Goes on from what was done for the client while a script had the thread.
    fn take_interim(&mut self) -> Result<(), End> {
        self.client.interim.set_at_rest(false);
        let Some(rest) = self.client.interim.take() else { return Ok(()) };
        let is_changed = !rest.replay.is_empty();
        for replay in rest.replay {
            self.replay(replay)?;
        }
        if is_changed {
            self.client.seen.set(Seen::of(&self.session, self.door.store.now()));
        }
        self.reply.put_back(rest.unsent);
        self.has_requests |= !rest.received.is_empty();
        self.input.put_before(rest.received);
        Ok(())
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

    /// Whether there is a request that may be run now.
    fn can_run(&self) -> bool {
        let has_room = self.reply.waiting().len() < limits::OUTPUT_HELD_BYTES
            || self.input.len() >= self.door.bounds.get().query_bytes;
        self.has_requests && has_room && self.session.blocked.is_none() && !self.session.is_paused
    }

    async fn wait(&mut self, reader: &mut (impl AsyncRead + Unpin), writer: &mut (impl AsyncWrite + Unpin)) -> Event {
        let can_run = self.can_run();
        let waiting = self.reply.waiting();
        let (is_waiting, is_paused) = (self.session.blocked.is_some(), self.session.is_paused);
        let (has_subscriptions, is_monitor) = (self.session.subscriber.is_some(), self.session.outbox.is_some());
        let takes_messages = waiting.len() < TAKEN_BYTES;
        // As in Redis it counts for those who send commands, and not for those who wait or listen.
        let idle_seconds = self.door.parameters.idle_seconds();
        let may_idle = idle_seconds == 0 || has_subscriptions || is_waiting || is_monitor || is_paused;
        self.client.interim.set_at_rest(waiting.is_empty() && self.is_at_rest());
        tokio::select! {
            biased;
            () = self.client.cut.notified() => Event::Cut,
            () = self.client.kill.notified() => Event::Ended,
            () = std::future::ready(()), if can_run => Event::LookAgain,
            sent = writer.write(waiting), if !waiting.is_empty() => Event::Sent(sent),
            read = reader.read_buf(self.input.buffer(self.parser.wanted())), if !self.is_at_end => Event::Read(read),
            () = messages_lost(self.session.subscriber.as_ref()), if has_subscriptions => Event::FallenBehind,
            next = next_message(self.session.subscriber.as_ref()), if has_subscriptions && takes_messages => {
                Event::Published(next)
            }
            next = next_answer(self.session.blocked.as_mut()), if is_waiting => Event::Answered(next),
            () = next_requests(self.session.outbox.as_deref()), if is_monitor && takes_messages => Event::Shown,
            () = self.door.pause.changes(), if is_paused => Event::GoesOn,
            () = self.client.interim.ready.notified() => Event::Resumed,
            () = sleep(LOOK_AGAIN), if !waiting.is_empty() => Event::LookAgain,
            () = sleep(Duration::from_secs(idle_seconds)), if !may_idle => Event::Idle,
        }
    }

    /// Runs the requests that have arrived, and writes their replies.
    async fn run(&mut self) -> Result<(), End> {
        let before = self.session.state();
        let (door, rest) = (Rc::clone(&self.door), self.input.rest());
        let Some(first) = execute::next(&door, &self.session, &mut self.parser, rest) else {
            self.has_requests = false;
            return Ok(());
        };
        let turn = if first.needs_turn() { Some(self.turn(&door).await?) } else { None };
        let requests = (&mut self.parser, first);
        let mut run = execute::run(&door, &mut self.session, requests, rest, &mut self.reply, turn);
        // What comes behind requests that only read runs at once, too, if it can: others do not come in between.
        let mut earlier = None;
        if run.wants_turn
            && run.outcome.is_ok()
            && let Some(turn) = door.store.try_turn()
        {
            let rest = rest.get(run.consumed..).unwrap_or_default();
            if let Some(next) = execute::next(&door, &self.session, &mut self.parser, rest) {
                let requests = (&mut self.parser, next);
                let second = execute::run(&door, &mut self.session, requests, rest, &mut self.reply, Some(turn));
                earlier = Some(std::mem::replace(&mut run, second));
            }
        }
        if run.is_from_a_browser {
            let address = self.client.address;
            tracing::warn!(%address, "a client sent a request of HTTP, perhaps by way of a browser, and is disconnected");
            return Err(End::Gone);
        }
        self.has_requests = run.goes_on;
        self.input.consume(run.consumed + earlier.as_ref().map_or(0, |earlier| earlier.consumed));
        let broken = run.broken.take();
        let settled = match &run.outcome {
            Ok(pending) => self.settler.settle(pending).await.map_err(|error| text_of(&error)),
            Err(text) => Err(text.clone()),
        };
        let mut end = Ok(());
        match settled {
            Ok(()) => run.answers.into_iter().for_each(Answer::send),
            Err(text) => {
                if let Some(read) = earlier
                    && let Ok(pending) = &read.outcome
                    && self.settler.settle(pending).await.is_err()
                {
                    // What was read will not be durable either.
                    let (due, answers) = (read.due + run.due, run.answers);
                    run = Run { due, answers, has_panicked: run.has_panicked, ..read };
                }
                tracing::warn!(client = self.session.id, requests = run.due, error = text, "requests were taken back");
                let has_panicked = run.has_panicked;
                execute::take_back(&self.door, &mut self.session, run, &mut self.reply, &text);
                if has_panicked || !self.session.state().is_as(&before) {
                    end = Err(End::AfterError);
                }
            }
        }
        if let Some(broken) = broken {
            self.reply.error(&format!("ERR Protocol error: {}", broken.0));
            end = Err(End::AfterError);
        }
        let seen = Seen::of(&self.session, self.door.store.now());
        self.client.seen.set(seen);
        if self.session.is_closing { Err(end.err().unwrap_or(End::AfterReplies)) } else { end }
    }

    /// The turn to write. While somebody else has it, others are served.
    async fn turn<'a>(&self, door: &'a OpenDoor) -> Result<Turn<'a>, End> {
        if let Some(turn) = door.store.try_turn() {
            return Ok(turn);
        }
        tokio::select! {
            biased;
            () = self.client.cut.notified() => Err(End::Gone),
            // The door's thread is within no transaction of its own.
            turn = door.store.turn() => turn.map_err(|_| End::Gone),
        }
    }

    /// Writes the reply to the command that waited.
    async fn stop_waiting(&mut self, waited: Waited) {
        let Some(wait) = self.session.blocked.take() else { return };
        self.reply.protocol = self.session.protocol;
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
        match answer {
            _ if wait.is_silent => {}
            Ok(answer) => self.reply.raw(&answer),
            Err(()) => self.reply.error("ERR what was found could not be committed"),
        }
    }

    /// Writes a message that was published, and those that wait behind it.
    fn deliver(&mut self, first: Result<Message, RecvError>) -> Result<(), End> {
        self.reply.protocol = self.session.protocol;
        let mut next = Some(first);
        while let Some(message) = next {
            // Like Redis at its limit for output, the door disconnects a client that does not keep up (SEM: KV-PUB-4).
            let Ok(message) = message else { return Err(self.fallen_behind()) };
            write_message(&mut self.reply, &message);
            if self.reply.waiting().len() >= TAKEN_BYTES {
                // The rest comes after these have been sent.
                break;
            }
            next = self.session.subscriber.as_ref().and_then(|subscriber| subscriber.try_recv().transpose());
        }
        Ok(())
    }

    fn fallen_behind(&self) -> End {
        let (client, address) = (self.session.id, self.client.address);
        let limit = self.door.bounds.get().output(true).hard_bytes;
        let bytes = self.waiting_bytes();
        tracing::warn!(client, %address, bytes, limit, "a subscriber that does not read is disconnected");
        End::Gone
    }

    /// Bytes that wait to be sent.
    fn waiting_bytes(&self) -> usize {
        let queued = self.session.subscriber.as_ref().map_or(0, Subscriber::pending_bytes);
        self.reply.waiting().len() + queued
    }

    /// Ends the connection of a client that has sent more than may wait to be run, or sends no more and has everything.
    fn check_input(&self) -> Result<(), End> {
        if self.is_at_end {
            let is_done = self.reply.waiting().is_empty() && !self.can_run();
            return if is_done || self.session.blocked.is_some() { Err(End::Gone) } else { Ok(()) };
        }
        let (bytes, limit) = (self.input.len() + self.parser.bytes(), self.door.bounds.get().query_bytes);
        if bytes <= limit || self.can_run() {
            return Ok(());
        }
        let (client, address) = (self.session.id, self.client.address);
        tracing::warn!(client, %address, bytes, limit, "a client that sends more than may wait is disconnected");
        Err(End::Gone)
    }

    /// Ends the connection of a client to which more waits to be sent than may.
    fn check_output(&mut self) -> Result<(), End> {
        if self.reply.waiting().is_empty() && self.session.subscriber.is_none() {
            self.over_since = None;
            return Ok(());
        }
        let is_subscriber = !self.session.topics.borrow().is_empty();
        let bound = self.door.bounds.get().output(is_subscriber);
        if let Some(subscriber) = &self.session.subscriber {
            subscriber.set_queue_bytes_max(bound.hard_bytes);
        }
        let bytes = self.waiting_bytes();
        let is_long_over = if bytes > bound.soft_bytes {
            self.over_since.get_or_insert_with(Stopwatch::start).elapsed() >= bound.soft_time
        } else {
            self.over_since = None;
            false
        };
        if bytes <= bound.hard_bytes && !is_long_over && !self.reply.is_over() {
            return Ok(());
        }
        let limit = if is_long_over { bound.soft_bytes } else { bound.hard_bytes };
        let (client, address) = (self.session.id, self.client.address);
        tracing::warn!(client, %address, bytes, limit, "a client that does not read is disconnected");
        Err(End::Gone)
    }

    /// Sends what the system takes at once.
    async fn send_now(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> Result<(), End> {
        while !self.reply.waiting().is_empty() {
            let waiting = self.reply.waiting();
            let sent = poll_fn(|context| match Pin::new(&mut *writer).poll_write(context, waiting) {
                Poll::Ready(sent) => Poll::Ready(Some(sent)),
                Poll::Pending => Poll::Ready(None),
            });
            match sent.await {
                None => break,
                Some(Ok(bytes)) if bytes > 0 => self.note_sent(bytes),
                Some(_) => return Err(End::Gone),
            }
        }
        Ok(())
    }

    fn note_sent(&mut self, bytes: usize) {
        self.door.meter.written_bytes.add(bytes);
        self.reply.note_sent(bytes);
    }

    /// Tells the door what the connection takes up.
    fn note_bytes(&self) {
        let outbox = self.session.outbox.as_ref().map_or(0, |outbox| outbox.len());
        let queue = self.session.queue.as_ref().map_or(0, |queue| queue.bytes);
        let queued = self.session.subscriber.as_ref().map_or(0, Subscriber::pending_bytes);
        let bytes = self.input.capacity() + self.parser.bytes() + self.reply.capacity() + outbox + queue + queued;
        let received = (self.input.len(), self.input.capacity() - self.input.len());
        self.client.waiting_bytes.set(self.reply.waiting().len());
        self.client.seen.set(Seen { received, reply_bytes: self.reply.capacity(), ..self.client.seen.get() });
        self.door.note_bytes(&self.client, bytes);
    }

    /// Sends what is left, and ends the connection so that the client can read it.
    async fn part(&mut self, end: End, reader: &mut (impl AsyncRead + Unpin), writer: &mut (impl AsyncWrite + Unpin)) {
        while !self.reply.waiting().is_empty() {
            match writer.write(self.reply.waiting()).await {
                Ok(bytes) if bytes > 0 => self.note_sent(bytes),
                _ => return,
            }
        }
        if end != End::AfterError || writer.shutdown().await.is_err() {
            return;
        }
        // Closed with bytes that nobody has read, the connection would be reset, and the client lose what was sent to it.
        self.input = Input::default();
        let mut bytes = vec![0; READ_BYTES];
        let drained = async {
            let mut left = limits::LINGER_BYTES_MAX;
            while let Ok(read @ 1..) = reader.read(&mut bytes).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.client.kill.notified() => {}
            _ = tokio::time::timeout(Duration::from_millis(limits::LINGER_MS_MAX), drained) => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.door.note_bytes(&self.client, 0);
        self.door.clients.borrow_mut().remove(&self.session.id);
        self.door.monitors.remove(self.session.id);
        if let Some(wait) = &self.session.blocked {
            let mut blocked = self.door.blocked.borrow_mut();
            blocked.remove(wait.place);
            blocked.listen(&self.door.store, &self.door.ears);
        }
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

/// Looks at the clock only when it is waited for.
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
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
