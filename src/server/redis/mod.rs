//! The door for Redis clients: RESP2 and RESP3 on a local socket.
//!
//! # How it works
//! One thread has all connections, and runs the commands of each in the order in which they came. Those that arrived
//! together share a transaction, and so a commit; their replies leave together, when it is durable. With
//! [`Durability::Sync`](crate::engine::Durability::Sync) a second thread waits for the disk, for all connections at
//! once.
//!
//! # Invariants
//! 1. No client learns of a commit before it is durable, not even the one that made it; when a commit fails, each request of
//!    its run gets one error, whatever had been written for it.
//! 2. Malformed input ends the connection it came on, and no other. So does a panic.
//! 3. What a connection may have waiting is bounded, both ways, and so is what all of them have (`limits`).
//!
//! # Source
//! Redis command reference and serialization protocol specification, version 7.2. What is there, and what differs, is
//! in `docs/compatibility/redis.md`.

mod acl;
mod commands;
mod config;
mod frame;
#[cfg(feature = "lua")]
mod lua;
mod options;
mod protocol;
mod run;
mod spec;
mod state;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use crate::kv::Keyspace;
use crate::limits;
use crate::server::address::{Address, ListenError};
use crate::server::connection::Connection;
use crate::server::door::{self as frame_door, Kind, Local, Newcomers, Service, Shared};
use crate::server::meters::Meters;
use crate::server::metrics::Metrics;
use crate::server::saves::Saves;
use crate::server::settler::Settler;
use crate::server::stream::{Peer, Socket};
use crate::server::tally::{Calls, Samples, Tally};
use crate::store::Store;
use config::Parameters;
use config::bounds::Bounds;
use frame::reply::Reply;
use frame::request::Parser;
use options::DATABASES;
pub use options::{RedisOptions, UserError};
use protocol::Conversation;
use run::command::{OpenDoor, Registry};
use run::execute;
use run::hearing::hear;
use state::client::{Client, Clients, Known};
use state::door::{Counters, Door};
use state::session::Session;
use state::{monitor, pause};

/// Every command.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(commands::all()));

/// Digits of the name of a server that runs.
const RUN_ID_DIGITS: usize = 40;

/// A door for Redis clients. Dropping it closes it.
///
/// # Examples
/// ```
/// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
/// use std::io::{Read, Write};
/// let store = Store::in_memory();
/// let server = RedisServer::start(&store, &RedisOptions::default())?;
/// let mut client = std::net::TcpStream::connect(server.address().socket_addr().unwrap())?;
/// client.write_all(b"SET greeting hello\r\n")?;
/// let mut reply = [0; 5];
/// client.read_exact(&mut reply)?;
/// assert_eq!(&reply, b"+OK\r\n");
/// assert_eq!(store.kv().get("greeting")?.as_deref(), Some(&b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RedisServer {
    door: frame_door::Door,
    tally: Arc<Tally>,
}

impl RedisServer {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// [`ListenError`] when the address is taken, does not belong to this machine, or can be reached from others while
    /// there is no user; when a name or password is empty; or when the system gives no thread.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let store = Store::in_memory();
    /// let server = RedisServer::start(&store, &RedisOptions::default())?;
    /// let again = RedisOptions::default().address(server.address().clone());
    /// assert!(RedisServer::start(&store, &again).is_err(), "the port is taken");
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn start(store: &Store, options: &RedisOptions) -> Result<Self, ListenError> {
        options.check()?;
        let tally = tally();
        let (kept, own, counted) = (store.clone(), options.clone(), Arc::clone(&tally));
        let make = move |local: Local<Known>| {
            let Local { shared, clients, settler, newcomers, .. } = local;
            let door = door(kept.clone(), &own, Arc::clone(&counted), (shared, clients, newcomers));
            RedisThread { door: Rc::new(door), settler }
        };
        // All that connections share is in `Rc`s, and commands are short: one thread has both.
        let kind = Kind { name: "redis", threads: 1, pool_threads: 0 };
        let door = frame_door::Door::open(&kind, store, &options.door, make)?;
        Ok(Self { door, tally })
    }

    /// Returns where it listens; the port is the real one.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
    /// assert!(server.address().socket_addr().is_some_and(|address| address.port() > 0));
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> &Address {
        self.door.address()
    }

    /// What it has done so far.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
    /// assert_eq!(server.metrics().connections, 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.door.metrics()
    }

    /// Returns what it counts, for whoever publishes that.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let meters = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?.meters();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn meters(&self) -> Meters {
        let shared = Arc::clone(self.door.shared());
        let meters = Meters::new("redis", "kv", Arc::clone(&shared.meter)).with_connected(move || shared.connected());
        meters.add(Arc::clone(&self.tally));
        meters
    }

    /// Closes the door: what has arrived is run and answered, for at most
    /// [`CLOSING_MS_MAX`](crate::limits::CLOSING_MS_MAX), and connections are closed. The store stays open.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
    /// server.close();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn close(self) {
        drop(self);
    }
}

/// The counts of all commands and subcommands, by slot.
fn tally() -> Arc<Tally> {
    Arc::new(Tally::new(spec::every().map(|spec| spec.name.to_owned()).collect()))
}

/// What the door's thread has.
struct RedisThread {
    door: Rc<OpenDoor>,
    settler: Settler,
}

impl Service for RedisThread {
    type Client = Known;

    fn welcome(&self, id: u64, _: Peer) -> Known {
        Known::of(Session::new(id, self.door.users.default_user()), self.door.store.now())
    }

    async fn serve(self: Rc<Self>, client: Rc<Client>, socket: Socket) {
        let Some(session) = client.take_session() else { return };
        let conversation = Conversation::new(Rc::clone(&self.door), Rc::clone(&client), session);
        let (clients, meter) = (Rc::clone(&self.door.clients), Arc::clone(&self.door.meter));
        Connection::new(conversation, (clients, client), self.settler.clone(), meter).serve(socket).await;
    }

    async fn run(self: Rc<Self>) {
        let (door, parameters) = (&self.door, &self.door.parameters);
        let (saves, points) = (Arc::clone(&door.saves), || parameters.save_points());
        tokio::select! {
            () = hear(Rc::clone(door), self.settler.clone()) => {}
            () = saves.save_when_due(door.store.clone(), points, &parameters.save_points_changed) => {}
        }
    }

    fn turned_away(&self) -> Vec<u8> {
        b"-ERR max number of clients reached\r\n".to_vec()
    }
}

/// What the connections of a door share.
fn door(
    store: Store,
    options: &RedisOptions,
    tally: Arc<Tally>,
    (shared, clients, newcomers): (Arc<Shared>, Rc<Clients>, Newcomers),
) -> OpenDoor {
    let seed = options.door.seed_or_random();
    let random = fastrand::Rng::with_seed(seed);
    // Not what commands draw, which stays the same for the same seed.
    let mut digits = fastrand::Rng::with_seed(seed ^ u64::MAX);
    let run_id = (0..RUN_ID_DIGITS).map(|_| digits.digit(16)).collect();
    let parameters = Parameters::new(&store, &shared.address, options.password.as_deref());
    let parameters = parameters.with_debug(options.allows_debug).with_tls(options.is_encrypted());
    let users = options.users();
    let clients_max = shared.sockets_max();
    if clients_max < limits::CLIENTS_MAX {
        tracing::warn!(clients_max, "the system gives so few open files that fewer clients are let in");
        let most = clients_max.to_string();
        if let Err(refusal) = parameters.set(&[[b"maxclients", most.as_bytes()]], &store, &users) {
            tracing::error!(error = refusal.text(), "the parameter maxclients is not what it should be");
        }
    }
    let door = Door {
        started: store.now(),
        saves: Arc::new(Saves::new(&store)),
        changes: Cell::default(),
        store,
        is_encrypted: options.is_encrypted(),
        keyspaces: DATABASES.map(|name| Arc::new(Keyspace::new(name))),
        users,
        denials: RefCell::default(),
        random: RefCell::new(random),
        scans: RefCell::default(),
        clients,
        blocked: RefCell::default(),
        ears: Arc::default(),
        monitors: monitor::Monitors::default(),
        pause: pause::Pause::default(),
        bounds: Cell::new(Bounds::of(&parameters)),
        parameters,
        has_failed: Cell::default(),
        slow_log: RefCell::default(),
        latencies: RefCell::default(),
        meter: Arc::clone(&shared.meter),
        shared,
        counters: Counters::default(),
        calls: Calls::new(tally),
        samples: Samples::default(),
        run_id,
        shutdown: options.door.shutdown.clone(),
        newcomers,
        #[cfg(feature = "lua")]
        scripting: std::cell::OnceCell::new(),
    };
    door.heed_parameters();
    OpenDoor::new(door, &REGISTRY)
}

/// A door at which nobody listens.
fn door_alone(store: Store, options: &RedisOptions) -> OpenDoor {
    let shared = Arc::new(Shared::new(Address::local(0), 1));
    door(store, options, tally(), (shared, Rc::default(), Newcomers::default()))
}

/// Returns the replies of a door to the bytes of one client, which sends nothing after them.
///
/// For fuzzing: it needs no socket.
///
/// # Errors
/// Those of the store.
#[doc(hidden)]
pub fn answer(store: &Store, bytes: &[u8]) -> crate::error::Result<Vec<u8>> {
    let door = door_alone(store.clone(), &RedisOptions::default().seed(0));
    let mut session = Session::new(1, door.users.default_user());
    let (mut parser, mut reply, mut consumed) = (Parser::default(), Reply::default(), 0);
    loop {
        let rest = bytes.get(consumed..).unwrap_or_default();
        let Some(run) = execute::run_now(&door, &mut session, &mut parser, rest, &mut reply) else { break };
        assert!(!run.has_panicked, "a command panicked");
        if let Ok(pending) = &run.outcome {
            pending.settle()?;
        }
        consumed += run.consumed;
        if !run.goes_on || session.is_closing {
            break;
        }
    }
    Ok(reply.bytes().to_vec())
}
