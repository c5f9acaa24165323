//! One client's requests: from bytes to statements under way, and their replies in the order in which they are ready.

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::door::{Done, Door, News, failed};
use super::wire::{Wire, frame_length};
use crate::limits;
use crate::server::buffers::Output;
use crate::server::clients;
use crate::server::connection::{Bounds, Connection, End, Failure as RunFailure, Kept, Next, Protocol, Ran};
use crate::server::cql::frame::{
    Change, Failure, Flags, HEADER_BYTES, Header, Malformed, Operation, Refused, Reply, Response, Segment, Version,
    What,
};
use crate::server::cql::run::Work;
use crate::server::cql::state::Session;
use crate::server::door::Service;
use crate::server::stream::{Peer, Socket};

impl Service for Door {
    type Client = News;

    fn welcome(&self, _: u64, _: Peer) -> News {
        News::default()
    }

    async fn serve(self: Rc<Self>, client: Rc<clients::Client<News>>, socket: Socket) {
        let (clients, shared) = (Rc::clone(&self.local.clients), Arc::clone(&self.local.shared));
        let settler = self.local.settler.clone();
        let requests = Requests::new(self, Rc::clone(&client));
        Connection::new(requests, (clients, client), settler, Arc::clone(&shared.meter)).serve(socket).await;
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was agreed on.
    Begins,
    /// A password is waited for.
    LogsIn,
    /// One has come, and is looked at.
    Checks,
    Open,
}

/// Something for a client that it does not wait for at its socket.
pub(super) enum Happening {
    Done(Box<DoneOf>),
    News,
}

/// A request that has run, and the bytes that it was held with.
pub(super) struct DoneOf(Done, usize);

/// One client's requests.
pub(super) struct Requests {
    pub(super) door: Rc<Door>,
    pub(super) client: Rc<clients::Client<News>>,
    session: Arc<Session>,
    pub(super) phase: Phase,
    pub(super) wire: Wire,
    /// Of segments that have come, what no request was made of.
    assembled: Vec<u8>,
    /// The last segment had a part of a frame.
    is_within_frame: bool,
    sender: UnboundedSender<DoneOf>,
    done: UnboundedReceiver<DoneOf>,
    under_way: usize,
    /// Bytes of their bodies.
    under_way_bytes: usize,
}

impl Protocol for Requests {
    type Client = News;
    type Event = Happening;

    fn next(&mut self, input: &[u8]) -> Next {
        let length = if self.wire.is_segmented {
            match Segment::wanted(input, self.wire.compresses) {
                0 if input.len() < limits::CQL_SEGMENT_HEADER_BYTES_MAX => usize::MAX,
                wanted => wanted,
            }
        } else {
            frame_length(input)
        };
        // What is no frame is found out when it is to be run.
        if input.len() >= length { Next::Whole } else { Next::Partial }
    }

    async fn run(&mut self, input: &[u8], output: &mut Output) -> Ran {
        let from = output.len();
        let mut rest = input;
        let mut end = None;
        while end.is_none() && self.may_run() {
            let taken = if self.wire.is_segmented { self.take_segment(rest, output) } else { self.take(rest, output) };
            match taken {
                Ok(0) => break,
                Ok(bytes) => rest = rest.get(bytes..).unwrap_or_default(),
                Err(why) => end = Some(why),
            }
        }
        let consumed = if end.is_some() { input.len() } else { input.len() - rest.len() };
        Ran { consumed, from, pending: None, end }
    }

    fn fail(&mut self, _: RunFailure, _: &mut Output) -> Result<(), End> {
        // Runs leave no commits; a panic has left the connection in between.
        Err(End::Gone)
    }

    async fn wait(&mut self, _: usize) -> Happening {
        tokio::select! {
            biased;
            Some(done) = self.done.recv() => Happening::Done(Box::new(done)),
            () = self.client.has_come.notified() => Happening::News,
        }
    }

    async fn happened(&mut self, event: Happening, output: &mut Output) -> Result<(), End> {
        match event {
            Happening::Done(done) => {
                self.finish(*done, output)?;
                // Those that are ready too leave with it.
                while let Ok(done) = self.done.try_recv() {
                    self.finish(done, output)?;
                }
            }
            Happening::News => {
                while let Some(change) = self.take_news() {
                    let reply = Response::Event(Change::clone(&change)).into();
                    output.write(&self.wire.bytes(&reply, 0));
                }
            }
        }
        self.take_assembled(output)
    }

    fn may_run(&self) -> bool {
        self.under_way < limits::CQL_REQUESTS_UNDER_WAY_MAX
    }

    fn owes_replies(&self) -> bool {
        self.under_way > 0
    }

    fn bounds(&self) -> Bounds {
        Bounds { input_bytes: limits::CQL_INPUT_BYTES_MAX, ..Bounds::default() }
    }

    fn kept(&self) -> Kept {
        Kept { input: self.assembled.len() + self.under_way_bytes, ..Kept::default() }
    }
}

impl Requests {
    fn new(door: Rc<Door>, client: Rc<clients::Client<News>>) -> Self {
        let (sender, done) = unbounded_channel();
        Self {
            door,
            client,
            session: Arc::default(),
            phase: Phase::Begins,
            wire: Wire { version: Version::NEWEST, compresses: false, is_segmented: false },
            assembled: Vec::new(),
            is_within_frame: false,
            sender,
            done,
            under_way: 0,
            under_way_bytes: 0,
        }
    }

    fn take_news(&self) -> Option<Rc<Change>> {
        self.client.changes.borrow_mut().pop_front()
    }

    /// Writes a reply that is ready.
    fn finish(&mut self, DoneOf(done, held): DoneOf, output: &mut Output) -> Result<(), End> {
        self.under_way -= 1;
        self.under_way_bytes -= held;
        output.write(&done.bytes);
        if let Some(change) = done.change {
            self.door.tell(change);
        }
        if self.phase == Phase::Checks {
            if self.session.is_logged_in() {
                self.phase = Phase::Open;
            } else {
                let (client, peer) = (self.client.id, self.client.peer);
                tracing::warn!(client, %peer, "a client was refused, for its name or its password is wrong");
            }
        }
        if done.is_last { Err(End::AfterError) } else { Ok(()) }
    }

    /// Takes a segment, and begins the requests that are whole with it. Returns its bytes.
    fn take_segment(&mut self, input: &[u8], output: &mut Output) -> Result<usize, End> {
        let segment = match Segment::read(input, self.wire.compresses) {
            Ok(None) => return Ok(0),
            Ok(Some(segment)) => segment,
            Err(why) => return Err(self.refuse(Refused { stream: 0, why }, output)),
        };
        if segment.is_self_contained && self.is_within_frame {
            let why = Malformed::new("a segment of whole frames within a frame");
            return Err(self.refuse(Refused { stream: 0, why }, output));
        }
        self.is_within_frame = !segment.is_self_contained;
        self.assembled.extend_from_slice(&segment.content);
        let length = segment.length;
        self.take_assembled(output)?;
        if self.assembled.is_empty() {
            self.is_within_frame = false;
        } else if !self.is_within_frame && self.may_run() {
            let why = Malformed::new("a part of a frame in a segment of whole frames");
            return Err(self.refuse(Refused { stream: 0, why }, output));
        }
        Ok(length)
    }

    /// Begins the requests that are whole in what segments have brought.
    fn take_assembled(&mut self, output: &mut Output) -> Result<(), End> {
        let assembled = std::mem::take(&mut self.assembled);
        let mut rest = assembled.as_slice();
        while self.may_run() {
            match self.take(rest, output)? {
                0 => break,
                bytes => rest = rest.get(bytes..).unwrap_or_default(),
            }
        }
        self.assembled = rest.to_vec();
        Ok(())
    }

    /// Begins the request that `input` begins with, and returns its bytes; 0 when it is not whole.
    fn take(&mut self, input: &[u8], output: &mut Output) -> Result<usize, End> {
        let header = match Header::read(input) {
            Ok(None) => return Ok(0),
            Ok(Some(header)) => header,
            Err(refused) => return Err(self.refuse(refused, output)),
        };
        let length = HEADER_BYTES + header.length;
        let Some(body) = input.get(HEADER_BYTES..length) else { return Ok(0) };
        self.begin(header, body, output)?;
        Ok(length)
    }

    /// Answers what nobody can go on after.
    fn refuse(&self, Refused { stream, why }: Refused, output: &mut Output) -> End {
        let (client, peer) = (self.client.id, self.client.peer);
        tracing::debug!(client, %peer, %why, "a client that does not speak the protocol is disconnected");
        self.door.local.shared.meter.errors.add(1);
        output.write(&self.wire.bytes(&Failure::from(why).into(), stream));
        End::AfterError
    }

    /// Answers a request at once.
    pub(super) fn answer(&self, header: &Header, reply: &Reply, output: &mut Output) {
        self.door.count(header.operation, failed(reply), None);
        // Until the connection has begun, the version is that of the request.
        let version = if self.phase == Phase::Begins { header.version } else { self.wire.version };
        output.write(&Wire { version, ..self.wire }.bytes(reply, header.stream));
    }

    /// Answers a request with an error, and ends the connection.
    pub(super) fn end(&self, header: &Header, what: What, message: impl Into<String>, output: &mut Output) -> End {
        self.answer(header, &Failure::new(what, message).into(), output);
        End::AfterError
    }

    fn begin(&mut self, header: Header, body: &[u8], output: &mut Output) -> Result<(), End> {
        if self.phase != Phase::Begins && header.version != self.wire.version {
            let (own, other) = (self.wire.version.number(), header.version.number());
            let why = format!(
                "Invalid message version. Got {other}/v{other} but previous messages on this connection had version \
                 {own}/v{own}"
            );
            return Err(self.end(&header, What::Protocol, why, output));
        }
        if header.flags.contains(Flags::COMPRESSED) && (!self.wire.compresses || self.wire.is_segmented) {
            let why = "a compressed body, which was not agreed on";
            return Err(self.end(&header, What::Protocol, why, output));
        }
        let is_ready = match header.operation {
            Operation::Options => true,
            Operation::Startup => self.phase == Phase::Begins,
            Operation::AuthResponse => self.phase == Phase::LogsIn,
            _ => self.phase == Phase::Open,
        };
        if !is_ready {
            let expected = match self.phase {
                Phase::Begins => "STARTUP or OPTIONS",
                Phase::LogsIn => "AUTH_RESPONSE",
                Phase::Checks => "nothing until AUTH_RESPONSE is answered",
                Phase::Open => "a statement",
            };
            let why = format!("Unexpected message {}, expecting {expected}", header.operation.name());
            return Err(self.end(&header, What::Protocol, why, output));
        }
        match header.operation {
            Operation::AuthResponse => {
                // Passwords are looked at on the pool, for that takes a while.
                self.phase = Phase::Checks;
                self.begin_statement(header, body);
                Ok(())
            }
            Operation::Query | Operation::Prepare | Operation::Execute | Operation::Batch => {
                self.begin_statement(header, body);
                Ok(())
            }
            _ => self.begin_other(header, body, output),
        }
    }

    /// Hands a statement, or a password, to the pool.
    fn begin_statement(&mut self, header: Header, body: &[u8]) {
        let Header { version, flags, stream, operation, .. } = header;
        let work = Work { version, flags, operation, body: body.to_vec() };
        let (door, session, sender) = (Rc::clone(&self.door), Arc::clone(&self.session), self.sender.clone());
        let (wire, held) = (self.wire, body.len());
        self.under_way += 1;
        self.under_way_bytes += held;
        tokio::task::spawn_local(async move {
            let done = door.execute(session, work, (wire, stream)).await;
            // A client that has gone has nobody to tell of it; others are told by it itself.
            if let Err(unsent) = sender.send(DoneOf(done, held))
                && let Some(change) = unsent.0.0.change
            {
                door.tell(change);
            }
        });
    }
}
