//! The connection of a protocol that is bytes both ways: what a client sends is read, run and settled, and what it gets is written.
//!
//! # How it works
//! Reading, running and sending go on side by side: a client may send all of its requests before it reads the first reply. While
//! much waits to be sent to it, its requests are read and not run, until there is no more room for them either. A [`Protocol`] says
//! what a request is and runs it; it may wait for something else than the socket as well: messages, a timer, the end of a pause.
//!
//! # Invariants
//! 1. No reply is sent before what it tells of is durable. When that fails, or a request panics, nothing of what was written for
//!    the run is sent, but what [`Protocol::fail`] writes instead.
//! 2. What waits, both ways, is bounded ([`Protocol::bounds`]); a client that lets more pile up is disconnected, with a line in the
//!    log.
//! 3. A client that is to go at once goes, whatever it does and whatever it waits for, but for a commit that is being made durable.
//!
//! # Cost
//! A turn of the loop costs one read, one write and as many looks as there are things to wait for; nothing is allocated but room for
//! the bytes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::limits;
use crate::server::buffers::{Buffers, Input, Output, READ_BYTES};
use crate::server::clients::{Client, Clients, Going};
use crate::server::metrics::Meter;
use crate::server::panics::caught;
use crate::server::settler::Settler;
use crate::server::stream::Socket;
use crate::txn::Pending;

/// After this time a client that does not read is looked at again, though nothing has come from it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a client sends, gets and waits for.
pub(crate) trait Protocol {
    /// What the door keeps for a client.
    type Client;
    /// What else than the socket may have something for the client.
    type Event;

    /// Says what the bytes that were not run begin with.
    fn next(&mut self, input: &[u8]) -> Next;

    /// Runs requests that `input` begins with, at least one, and writes their replies.
    async fn run(&mut self, input: &[u8], output: &mut Output) -> Ran;

    /// Writes what each request of a run gets instead of its reply, which was dropped. Returns whether the connection can go on: not if
    /// the client would believe something of it that is not so.
    fn fail(&mut self, failure: Failure, output: &mut Output) -> Result<(), End>;

    /// Waits for something else than the socket. It is dropped, and called again, whenever something happens at the socket.
    ///
    /// `waiting_bytes` wait to be sent: a protocol may let messages wait where they are while those are many.
    async fn wait(&mut self, waiting_bytes: usize) -> Self::Event {
        let _ = waiting_bytes;
        std::future::pending().await
    }

    /// Does what is to be done when that has come.
    async fn happened(&mut self, event: Self::Event, output: &mut Output) -> Result<(), End> {
        let _ = (event, output);
        Ok(())
    }

    /// Returns whether requests may be run now: not while one of them waits.
    fn may_run(&self) -> bool {
        true
    }

    /// Returns whether the connection of a client that sends no more is kept for something other than its requests.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Returns whether requests that were run are still to be answered: the connection of a client that sends no more is kept for
    /// that.
    fn owes_replies(&self) -> bool {
        false
    }

    /// Returns how much may wait. Is asked once in a turn.
    fn bounds(&self) -> Bounds;

    /// Returns what the protocol itself keeps for the client.
    fn kept(&self) -> Kept {
        Kept::default()
    }

    /// Returns how many bytes the request has that the input begins with, as far as that is known.
    fn wanted(&self) -> usize {
        0
    }

    /// Is called when what the last run has done is durable.
    fn settled(&mut self) {}

    /// Is called before the connection waits for something. Unless `may_read`, the client sends no more, or is not heard any more.
    fn idle(&mut self, buffers: &Buffers, may_read: bool) {
        let _ = (buffers, may_read);
    }

    /// Is called before other connections run: what is about to be sent may be taken, and be sent by who takes it.
    fn rest(&mut self, buffers: &mut Buffers) {
        let _ = buffers;
    }

    /// Is called after either. What it puts into the input is run.
    fn resume(&mut self, buffers: &mut Buffers) -> Result<(), End> {
        let _ = buffers;
        Ok(())
    }
}

/// What a client's bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A request of which something is missing.
    Partial,
    /// A request, which can be run.
    Whole,
}

/// What became of requests that ran.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Bytes of the requests.
    pub(crate) consumed: usize,
    /// Where the replies begin that are dropped when `pending` fails.
    pub(crate) from: usize,
    /// What has to be durable before the replies are sent; none if the run has waited for that itself, or there is nothing.
    pub(crate) pending: Option<Pending>,
    /// Whether the connection ends with them.
    pub(crate) end: Option<End>,
}

/// Why what was written for a run is not sent.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store says so of the commit.
    Commit(Error),
    /// A request has panicked. The connection ends.
    Panicked,
}

/// What a protocol keeps for a client, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Of what was sent and is to be run.
    pub(crate) input: usize,
    /// Of what is to be sent.
    pub(crate) output: usize,
    /// Of anything else.
    pub(crate) other: usize,
}

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes that a client may have sent and that wait to be run.
    pub(crate) input_bytes: usize,
    pub(crate) output: OutputBound,
    /// Bytes that all clients of the thread may take up; beyond that the largest go.
    pub(crate) all_bytes: usize,
}

/// How much may wait to be sent to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputBound {
    /// Never more than this.
    pub(crate) hard_bytes: usize,
    /// More than this for no longer than `soft_time`.
    pub(crate) soft_bytes: usize,
    pub(crate) soft_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let most = limits::OUTPUT_BUFFER_BYTES_MAX;
        Self {
            input_bytes: limits::QUERY_BUFFER_BYTES_MAX,
            output: OutputBound { hard_bytes: most, soft_bytes: most, soft_time: Duration::ZERO },
            all_bytes: limits::CLIENTS_BYTES_MAX,
        }
    }
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client has gone, or its socket has.
    Gone,
    /// What was written is sent first.
    AfterReplies,
    /// The same, and what the client goes on sending is read for a while: otherwise it would not see the replies.
    AfterError,
}

/// What has happened while a connection waited.
enum Happened<E> {
    /// The client is to go, or the door closes.
    Goes(Going),
    Read(io::Result<usize>),
    Sent(io::Result<usize>),
    Flushed(io::Result<()>),
    Other(E),
    LookAgain,
}

/// The clients of a thread, and one of them.
type Admitted<M> = (Rc<Clients<M>>, Rc<Client<M>>);

/// One client's connection.
pub(crate) struct Connection<P: Protocol> {
    protocol: P,
    clients: Rc<Clients<P::Client>>,
    client: Rc<Client<P::Client>>,
    settler: Settler,
    meter: std::sync::Arc<Meter>,
    buffers: Buffers,
    /// There may be a whole request that was not run.
    has_requests: bool,
    /// The client sends no more.
    is_at_end: bool,
    /// Since when more waits to be sent than the soft limit says.
    over_since: Option<Stopwatch>,
    /// Those of this turn.
    bounds: Bounds,
}

impl<P: Protocol> Connection<P> {
    pub(crate) fn new(
        protocol: P,
        (clients, client): Admitted<P::Client>,
        settler: Settler,
        meter: std::sync::Arc<Meter>,
    ) -> Self {
        Self {
            bounds: protocol.bounds(),
            protocol,
            clients,
            client,
            settler,
            meter,
            buffers: Buffers::default(),
            has_requests: false,
            is_at_end: false,
            over_since: None,
        }
    }

    /// Serves the client until either side ends it.
    pub(crate) async fn serve(mut self, mut socket: Socket) {
        let end = loop {
            let stepped = self.step(&mut socket).await.and_then(|()| self.check_output());
            if stepped == Err(End::Gone) {
                return;
            }
            self.settler.flush_if_late();
            // Clients that are written to together wake up once.
            if stepped.is_ok() && !self.is_at_end {
                self.protocol.rest(&mut self.buffers);
            }
            self.clients.let_others_run().await;
            if self.resume().is_err() {
                return;
            }
            if let Err(end) = stepped {
                break end;
            }
            if self.send_now(&mut socket).await.is_err() {
                return;
            }
            self.note_bytes();
        };
        let client = Rc::clone(&self.client);
        tokio::select! {
            biased;
            () = client.was_cut_off() => {}
            () = self.part(end, &mut socket) => {}
        }
    }

    /// Waits for something to do, and does it.
    async fn step(&mut self, socket: &mut Socket) -> Result<(), End> {
        self.protocol.idle(&self.buffers, !self.is_at_end);
        let happened = self.wait(socket).await;
        self.resume()?;
        self.bounds = self.protocol.bounds();
        match happened {
            Happened::Goes(Going::AtOnce)
            | Happened::Sent(Ok(0) | Err(_))
            | Happened::Flushed(Err(_))
            | Happened::Read(Err(_)) => {
                return Err(End::Gone);
            }
            Happened::Sent(Ok(bytes)) => self.note_sent(bytes),
            // What has come before is still run and answered.
            Happened::Read(Ok(0)) | Happened::Goes(_) => self.is_at_end = true,
            Happened::Read(Ok(bytes)) => {
                self.meter.read_bytes.add(bytes);
                self.has_requests = true;
            }
            Happened::Other(event) => {
                self.protocol.happened(event, &mut self.buffers.output).await?;
                self.has_requests = true;
            }
            Happened::Flushed(Ok(())) | Happened::LookAgain => {}
        }
        if self.can_run() {
            self.run().await?;
        }
        self.check_input()
    }

    /// Goes on after others have run.
    fn resume(&mut self) -> Result<(), End> {
        let before = self.buffers.input.len();
        self.protocol.resume(&mut self.buffers)?;
        self.has_requests |= self.buffers.input.len() > before;
        Ok(())
    }

    /// Whether there is a request that may be run now.
    fn can_run(&self) -> bool {
        let Buffers { input, output } = &self.buffers;
        let has_room = output.waiting().len() < limits::OUTPUT_HELD_BYTES || input.len() >= self.bounds.input_bytes;
        self.has_requests && input.len() > 0 && has_room && self.protocol.may_run()
    }

    /// Whether a client that sends no more has everything.
    fn is_done(&self) -> bool {
        let is_sent = self.buffers.output.waiting().is_empty();
        self.is_at_end && is_sent && !self.can_run() && !self.protocol.owes_replies()
    }

    async fn wait(&mut self, socket: &mut Socket) -> Happened<P::Event> {
        // What was owed may have been sent since that was looked at last.
        let (can_run, wanted) = (self.can_run() || self.is_done(), self.protocol.wanted());
        let (mut reader, mut flusher, has_unsent) = (socket.clone(), socket.clone(), socket.has_unsent());
        let Buffers { input, output } = &mut self.buffers;
        let waiting = output.waiting();
        let known = if self.is_at_end { Going::AfterReplies } else { Going::No };
        tokio::select! {
            biased;
            going = self.client.goes(known) => Happened::Goes(going),
            () = std::future::ready(()), if can_run => Happened::LookAgain,
            sent = socket.write(waiting), if !waiting.is_empty() => Happened::Sent(sent),
            done = flusher.flush(), if has_unsent && waiting.is_empty() => Happened::Flushed(done),
            read = reader.read_buf(input.buffer(wanted)), if !self.is_at_end => Happened::Read(read),
            event = self.protocol.wait(waiting.len()) => Happened::Other(event),
            () = sleep(LOOK_AGAIN), if !waiting.is_empty() => Happened::LookAgain,
        }
    }

    /// Runs requests that are there, and answers them.
    async fn run(&mut self) -> Result<(), End> {
        let Buffers { input, output } = &mut self.buffers;
        if self.protocol.next(input.rest()) == Next::Partial {
            self.has_requests = false;
            return Ok(());
        }
        let before = output.len();
        let ran = tokio::select! {
            biased;
            _ = self.client.goes(Going::AfterReplies) => return Err(End::Gone),
            ran = caught(self.protocol.run(input.rest(), output)) => ran,
        };
        let Ok(Ran { consumed, from, pending, end }) = ran else {
            output.truncate(before);
            // Whatever it says, the state of the connection may be half changed.
            let _ = self.protocol.fail(Failure::Panicked, output);
            return Err(End::AfterError);
        };
        input.consume(consumed);
        if let Some(pending) = &pending {
            // Whatever becomes of the client, others may wait for what the run has done.
            match self.settler.settle(pending).await {
                Ok(()) => self.protocol.settled(),
                Err(error) => {
                    tracing::warn!(client = self.client.id, %error, "requests were taken back");
                    output.truncate(from);
                    self.protocol.fail(Failure::Commit(error), output)?;
                }
            }
        }
        end.map_or(Ok(()), Err)
    }

    /// Ends the connection of a client that has sent more than may wait to be run, or sends no more and has everything.
    fn check_input(&self) -> Result<(), End> {
        if self.is_at_end {
            return if self.is_done() || self.protocol.is_waiting() { Err(End::AfterReplies) } else { Ok(()) };
        }
        let bytes = self.buffers.input.len() + self.protocol.kept().input;
        let limit = self.bounds.input_bytes;
        if bytes <= limit || self.can_run() {
            return Ok(());
        }
        let (client, address) = (self.client.id, self.client.peer);
        tracing::warn!(client, %address, bytes, limit, "a client that sends more than may wait is disconnected");
        Err(End::Gone)
    }

    /// Ends the connection of a client to which more waits to be sent than may.
    fn check_output(&mut self) -> Result<(), End> {
        let bytes = self.buffers.output.waiting().len() + self.protocol.kept().output;
        if bytes == 0 && !self.buffers.output.is_over() {
            self.over_since = None;
            return Ok(());
        }
        let bound = self.bounds.output;
        let is_long_over = if bytes > bound.soft_bytes {
            self.over_since.get_or_insert_with(Stopwatch::start).elapsed() >= bound.soft_time
        } else {
            self.over_since = None;
            false
        };
        if bytes <= bound.hard_bytes && !is_long_over && !self.buffers.output.is_over() {
            return Ok(());
        }
        let limit = if is_long_over { bound.soft_bytes } else { bound.hard_bytes };
        let (client, address) = (self.client.id, self.client.peer);
        tracing::warn!(client, %address, bytes, limit, "a client that does not read is disconnected");
        Err(End::Gone)
    }

    /// Sends what the system takes at once.
    async fn send_now(&mut self, socket: &mut Socket) -> Result<(), End> {
        while !self.buffers.output.waiting().is_empty() {
            let waiting = self.buffers.output.waiting();
            let sent = poll_fn(|context| match Pin::new(&mut *socket).poll_write(context, waiting) {
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
        self.meter.written_bytes.add(bytes);
        self.buffers.output.note_sent(bytes);
    }

    /// Tells the door what the connection takes up.
    fn note_bytes(&self) {
        let Buffers { input, output } = &self.buffers;
        let kept = self.protocol.kept();
        let bytes = input.capacity() + output.capacity() + kept.input + kept.output + kept.other;
        self.clients.note_bytes(&self.client, bytes, self.bounds.all_bytes);
    }

    /// Sends what was written, and ends the connection so that the client can read it.
    async fn part(&mut self, end: End, socket: &mut Socket) {
        while !self.buffers.output.waiting().is_empty() {
            match socket.write(self.buffers.output.waiting()).await {
                Ok(bytes) if bytes > 0 => self.note_sent(bytes),
                _ => return,
            }
        }
        // TLS says that it ends; otherwise a client could not tell the end from an attack.
        if (end != End::AfterError && !socket.is_encrypted()) || socket.shutdown().await.is_err() {
            return;
        }
        if end == End::AfterError {
            self.linger(socket).await;
        }
    }

    /// Reads on: closed with bytes that nobody has read, the connection would be reset, and the client lose what was sent to it.
    async fn linger(&mut self, socket: &mut Socket) {
        self.buffers.input = Input::default();
        let mut bytes = vec![0; READ_BYTES];
        let drained = async {
            let mut left = limits::LINGER_BYTES_MAX;
            while let Ok(read @ 1..) = socket.read(&mut bytes).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.client.ended() => {}
            _ = tokio::time::timeout(Duration::from_millis(limits::LINGER_MS_MAX), drained) => {}
        }
    }
}

/// Looks at the clock only when it is waited for.
pub(crate) async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
