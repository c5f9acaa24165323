//! What the door does with a client's bytes: whole messages to the pool, replies to the client.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::limits;
use crate::server::buffers::Output;
use crate::server::clients;
use crate::server::connection::{Bounds, Connection, End, Failure, Kept, Next as Found, Protocol, Ran};
use crate::server::door::{Local, Service};
use crate::server::mongo::client::Client;
use crate::server::mongo::fail_points::Fault;
use crate::server::mongo::run::{self, Next, Outcome};
use crate::server::mongo::state::{Connected, State};
use crate::server::mongo::wire::{self, Malformed};
use crate::server::panics::Panicked;
use crate::server::stream::{Peer, Socket};
use crate::server::tally::{self, Tally};

/// The door on its thread.
pub(super) struct Mongo {
    state: Arc<State>,
    tally: Arc<Tally>,
    local: Local<()>,
}

impl Mongo {
    pub(super) fn new(state: Arc<State>, tally: Arc<Tally>, local: Local<()>) -> Self {
        Self { state, tally, local }
    }
}

/// How often what nobody uses any more is looked for. By the store's clock it may be more than late: then nobody has asked since.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

impl Service for Mongo {
    type Client = ();

    fn welcome(&self, _: u64, _: Peer) {}

    async fn serve(self: Rc<Self>, client: Rc<clients::Client<()>>, socket: Socket) {
        let (clients, shared) = (Rc::clone(&self.local.clients), Arc::clone(&self.local.shared));
        let at_door = || match shared.address.path() {
            Some(path) => path.display().to_string(),
            None => shared.address.to_string(),
        };
        let reached = client.local.map_or_else(at_door, |address| address.to_string());
        let id = i32::try_from(client.id).unwrap_or(i32::MAX);
        let told = Arc::new(Client::new(id, client.peer.to_string(), reached));
        let settler = self.local.settler.clone();
        let _connected = Connected::new(&self.state);
        let messages = Messages { door: self, client: Rc::clone(&client), told, wanted: 0, last: None };
        Connection::new(messages, (clients, client), settler, Arc::clone(&shared.meter)).serve(socket).await;
    }

    async fn run(self: Rc<Self>) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            self.state.sweep();
        }
    }
}

/// One client's messages.
struct Messages {
    door: Rc<Mongo>,
    client: Rc<clients::Client<()>>,
    told: Arc<Client>,
    /// Bytes of the message that has begun, once they are known.
    wanted: usize,
    /// The message that was run last, until what it has done is durable.
    last: Option<Arc<[u8]>>,
}

impl Protocol for Messages {
    type Client = ();
    type Event = ();

    fn next(&mut self, input: &[u8]) -> Found {
        let length = wire::length(input);
        self.wanted = length.as_ref().ok().copied().flatten().unwrap_or(0);
        match length {
            Ok(Some(length)) if input.len() < length => Found::Partial,
            Ok(None) => Found::Partial,
            // What is no message is found out when it is to be run.
            Ok(Some(_)) | Err(_) => Found::Whole,
        }
    }

    async fn run(&mut self, input: &[u8], output: &mut Output) -> Ran {
        let from = output.len();
        match self.run_first(input, output).await {
            Ok(ran) => ran,
            Err(error) => {
                let (client, peer) = (self.client.id, self.client.peer);
                tracing::warn!(client, %peer, %error, "a client that sends no message is disconnected");
                Ran { consumed: input.len(), from, pending: None, end: Some(End::AfterReplies) }
            }
        }
    }

    fn fail(&mut self, failure: Failure, output: &mut Output) -> Result<(), End> {
        let (Some(message), Failure::Commit(error)) = (self.last.take(), failure) else { return Err(End::Gone) };
        let mut reply = Vec::new();
        run::refuse_commit(&message, error, &mut reply).map_err(|_| End::Gone)?;
        output.write(&reply);
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        Bounds { input_bytes: limits::MONGO_MESSAGE_BYTES_MAX + limits::QUERY_BUFFER_SLACK_BYTES, ..Bounds::default() }
    }

    fn kept(&self) -> Kept {
        Kept { input: self.last.as_ref().map_or(0, |message| message.len()), ..Kept::default() }
    }

    fn wanted(&self) -> usize {
        self.wanted
    }

    fn settled(&mut self) {
        self.last = None;
    }
}

impl Messages {
    /// Runs the first message of `input`.
    async fn run_first(&mut self, input: &[u8], output: &mut Output) -> Result<Ran, Malformed> {
        let from = output.len();
        let length = wire::length(input)?.unwrap_or(input.len());
        let message: Arc<[u8]> = input.get(..length).unwrap_or(input).into();
        self.last = Some(Arc::clone(&message));
        let mut waited = None;
        loop {
            let watch = Stopwatch::start();
            let (outcome, reply) = match self.on_pool(&message, waited.take()).await {
                Ok(ran) => ran?,
                Err(Panicked) => return Ok(Ran { consumed: length, from, pending: None, end: Some(End::Gone) }),
            };
            let pending = match outcome.next {
                Next::End => return Ok(Ran { consumed: length, from, pending: None, end: Some(End::Gone) }),
                Next::WaitFor(time, fault) => {
                    tokio::select! {
                        biased;
                        // The door closes: nothing more is to be learned.
                        () = self.client.ended() => {}
                        () = tokio::time::sleep(time) => {}
                    }
                    waited = Some(fault);
                    continue;
                }
                Next::GoOn(pending) => pending,
            };
            self.count(outcome.command, &watch);
            output.write(&reply);
            // A message that goes on stays, and is run again.
            let consumed = if outcome.goes_on { 0 } else { length };
            return Ok(Ran { consumed, from, pending, end: None });
        }
    }

    /// Runs a message away from the thread that has the connections.
    async fn on_pool(
        &self,
        message: &Arc<[u8]>,
        waited: Option<Fault>,
    ) -> Result<Result<(Outcome, Vec<u8>), Malformed>, Panicked> {
        let (state, told, message) = (Arc::clone(&self.door.state), Arc::clone(&self.told), Arc::clone(message));
        let work = move || {
            let mut reply = Vec::new();
            run::run(&state, &told, &message, waited, &mut reply).map(|outcome| (outcome, reply))
        };
        match &self.door.local.pool {
            Some(pool) => pool.run(work).await,
            None => Ok(work()),
        }
    }

    fn count(&self, command: Option<(usize, Option<i32>)>, watch: &Stopwatch) {
        let meter = &self.door.local.shared.meter;
        meter.requests.add(1);
        let Some((slot, code)) = command else {
            meter.errors.add(1);
            return;
        };
        if let Some(code) = code {
            meter.errors.add(1);
            self.door.tally.error(&code.to_string());
        }
        self.door.tally.count(slot, if code.is_some() { tally::End::Failed } else { tally::End::Done });
        self.door.tally.time(slot, watch.elapsed());
    }
}
