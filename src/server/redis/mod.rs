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
mod socket;
mod spec;
mod state;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::kv::Keyspace;
use crate::limits;
use crate::server::address::ListenError;
use crate::server::keepalive::keep_alive;
use crate::server::listener::{self, Listener};
use crate::server::meters::Meters;
use crate::server::metrics::{Meter, Metrics};
use crate::server::saves::Saves;
use crate::server::settler::{self, Outcomes, Settler};
use crate::server::tally::{Calls, Samples, Tally};
use crate::server::worker::{Worker, drain};
use crate::store::Store;
use config::Parameters;
use config::bounds::Bounds;
use frame::reply::Reply;
use frame::request::Parser;
use options::DATABASES;
pub use options::{RedisOptions, UserError};
use protocol::Connection;
use run::command::{OpenDoor, Registry};
use run::execute;
use run::hearing::hear;
use socket::Socket;
use state::client::{Client, Seen};
use state::door::{Counters, Door};
use state::interim::{Interim, Newcomers};
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
/// let mut client = std::net::TcpStream::connect(server.address())?;
/// client.write_all(b"SET greeting hello\r\n")?;
/// let mut reply = [0; 5];
/// client.read_exact(&mut reply)?;
/// assert_eq!(&reply, b"+OK\r\n");
/// assert_eq!(store.kv().get("greeting")?.as_deref(), Some(&b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RedisServer {
    address: SocketAddr,
    meter: Arc<Meter>,
    /// Set before the thread is asked to end: it may be busy with a script.
    closing: Arc<AtomicBool>,
    _worker: Worker,
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
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
    /// let again = RedisOptions::default().address(server.address().into());
    /// assert!(RedisServer::start(&store, &again).is_err(), "the port is taken");
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn start(store: &Store, options: &RedisOptions) -> Result<Self, ListenError> {
        options.check()?;
        let listener = Listener::bind(&options.address)?.into_tcp()?;
        let failed = |error: std::io::Error| ListenError::no_thread(&error);
        let address = listener.local_addr().map_err(|error| ListenError::of(&options.address, &error))?;
        let settler = Settler::start("larder-redis-sync").map_err(failed)?;
        let meter = Arc::new(Meter::default());
        let (store, options, counted) = (store.clone(), options.clone(), Arc::clone(&meter));
        let closing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&closing);
        let serve = move |stopped| serve(store, &options, (listener, address), settler, (counted, told), stopped);
        let worker = Worker::start("larder-redis", serve).map_err(failed)?;
        Ok(Self { address, meter, closing, _worker: worker })
    }

    /// Where it listens.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::redis::{RedisOptions, RedisServer}};
    /// let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default())?;
    /// assert!(server.address().port() > 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
        self.meter.read()
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
        Meters::new("redis", "kv", Arc::clone(&self.meter))
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

/// What the door's thread does.
fn serve(
    store: Store,
    options: &RedisOptions,
    (listener, address): (TcpListener, SocketAddr),
    (settler, outcomes): (Settler, Outcomes),
    (meter, closing): (Arc<Meter>, Arc<AtomicBool>),
    stopped: oneshot::Receiver<()>,
) {
    let idle = settler.clone();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = match runtime
        .enable_io()
        .enable_time()
        .on_thread_park(move || {
            idle.flush();
        })
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the Redis door cannot wait for its sockets"),
    };
    runtime.spawn(settler::tell(outcomes));
    let door = Rc::new(door(store, options, address, (meter, closing)));
    match listener.try_clone() {
        Ok(listener) => drop(door.newcomers.replace(Some(newcomers(&door, &settler, listener)))),
        Err(error) => tracing::warn!(%error, "clients who come while a script runs for long have to wait for its end"),
    }
    let parameters = &door.parameters;
    let connections = LocalSet::new();
    connections.block_on(&runtime, async {
        tokio::select! {
            _ = stopped => {}
            () = hear(Rc::clone(&door), settler.clone()) => {}
            () = Arc::clone(&door.saves).save_when_due(door.store.clone(), || parameters.save_points(), &parameters.save_points_changed) => {}
            () = listener::accept(listener, |stream, peer| welcome_safely(&door, stream, peer, &settler)) => {}
        }
    });
    // Each ends when what it has begun is answered.
    door.clients.borrow().values().for_each(|client| client.kill.notify_one());
    drain(&runtime, connections);
    let Metrics { connections, requests, errors, read_bytes, written_bytes } = door.meter.read();
    tracing::info!(connections, requests, errors, read_bytes, written_bytes, "the Redis door is closed");
}

/// What the connections of a door share.
fn door(
    store: Store,
    options: &RedisOptions,
    address: SocketAddr,
    (meter, closing): (Arc<Meter>, Arc<AtomicBool>),
) -> OpenDoor {
    let seed = options.seed.unwrap_or_else(random_seed);
    let random = fastrand::Rng::with_seed(seed);
    // Not what commands draw, which stays the same for the same seed.
    let mut digits = fastrand::Rng::with_seed(seed ^ u64::MAX);
    let run_id = (0..RUN_ID_DIGITS).map(|_| digits.digit(16)).collect();
    let parameters = Parameters::new(&store, address, options.password.as_deref()).with_debug(options.allows_debug);
    let users = options.users();
    let clients_max = listener::sockets_max().min(limits::CLIENTS_MAX);
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
        address,
        keyspaces: DATABASES.map(|name| Arc::new(Keyspace::new(name))),
        users,
        denials: RefCell::default(),
        random: RefCell::new(random),
        scans: RefCell::default(),
        clients: RefCell::new(BTreeMap::new()),
        blocked: RefCell::default(),
        ears: Arc::default(),
        monitors: monitor::Monitors::default(),
        pause: pause::Pause::default(),
        bounds: Cell::new(Bounds::of(&parameters)),
        parameters,
        clients_max,
        clients_bytes: Cell::default(),
        has_failed: Cell::default(),
        slow_log: RefCell::default(),
        latencies: RefCell::default(),
        meter,
        counters: Counters::default(),
        calls: Calls::new(Arc::new(Tally::new(spec::every().map(|spec| spec.name.to_owned()).collect()))),
        samples: Samples::default(),
        run_id,
        shutdown: options.shutdown.clone(),
        closing,
        newcomers: RefCell::default(),
        #[cfg(feature = "lua")]
        scripting: std::cell::OnceCell::new(),
    };
    OpenDoor::new(door, &REGISTRY)
}

/// Returns the replies of a door to the bytes of one client, which sends nothing after them.
///
/// For fuzzing: it needs no socket.
///
/// # Errors
/// Those of the store.
#[doc(hidden)]
pub fn answer(store: &Store, bytes: &[u8]) -> crate::error::Result<Vec<u8>> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let door = door(store.clone(), &RedisOptions::default().seed(0), address, Default::default());
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

/// Begins a connection. A panic concerns nobody but whoever came.
fn welcome_safely(door: &Rc<OpenDoor>, stream: TcpStream, peer: SocketAddr, settler: &Settler) {
    if catch_unwind(AssertUnwindSafe(|| welcome(door, stream, peer, settler))).is_err() {
        tracing::error!(%peer, "letting a client in panicked");
    }
}

/// Lets clients in without the task that does so otherwise.
fn newcomers(door: &Rc<OpenDoor>, settler: &Settler, listener: TcpListener) -> Newcomers {
    let (door, settler) = (Rc::downgrade(door), settler.clone());
    let welcome = move |stream, peer| {
        if let (Some(door), Ok(stream)) = (door.upgrade(), TcpStream::from_std(stream)) {
            welcome_safely(&door, stream, peer, &settler);
        }
    };
    Newcomers { listener, welcome: Box::new(welcome) }
}

fn welcome(door: &Rc<OpenDoor>, mut stream: TcpStream, peer: SocketAddr, settler: &Settler) {
    let clients_max = door.bounds.get().clients.min(door.clients_max);
    if door.clients.borrow().len() >= clients_max {
        door.meter.connections.add(1);
        door.counters.rejected.set(door.counters.rejected.get() + 1);
        tokio::task::spawn_local(async move {
            let _ = stream.write_all(b"-ERR max number of clients reached\r\n").await;
        });
        return;
    }
    // Replies are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    if let Some(silence) = door.bounds.get().keepalive
        && let Err(error) = keep_alive(&stream, silence)
    {
        tracing::warn!(%error, "the system does not ask whether a client is still there");
    }
    let (local, stream) = (stream.local_addr().unwrap_or(door.address), Rc::new(stream));
    let connection = admit(door, peer, local, Some(&stream), settler);
    let [reader, writer] = [Rc::clone(&stream), stream].map(Socket);
    tokio::task::spawn_local(connection.serve(reader, writer));
}

/// Makes a client of whoever is at `peer`. Without a socket nobody else can do anything for it while its task cannot
/// run.
fn admit(
    door: &Rc<OpenDoor>,
    peer: SocketAddr,
    local: SocketAddr,
    stream: Option<&Rc<TcpStream>>,
    settler: &Settler,
) -> Connection {
    door.meter.connections.add(1);
    let id = door.meter.connections.get();
    let session = Session::new(id, door.users.default_user());
    let now = door.store.now();
    let client = Rc::new(Client {
        address: peer,
        local,
        stream: stream.map(Rc::downgrade).unwrap_or_default(),
        interim: Interim::default(),
        socket: stream.map_or(-1, |stream| number_of(stream)),
        since: now,
        user: RefCell::new(door.users.default_user()),
        name: RefCell::default(),
        library: RefCell::default(),
        seen: Cell::new(Seen::of(&session, now)),
        bytes: Cell::default(),
        waiting_bytes: Cell::default(),
        inbox: RefCell::default(),
        topics: Rc::clone(&session.topics),
        last_command: Cell::new("NULL"),
        is_not_evicted: Cell::default(),
        is_not_touching: Cell::default(),
        kill: tokio::sync::Notify::new(),
        cut: tokio::sync::Notify::new(),
    });
    // Nothing has been read yet.
    client.interim.set_at_rest(true);
    door.clients.borrow_mut().insert(id, Rc::clone(&client));
    Connection::new(Rc::clone(door), client, session, settler.clone())
}

/// The number that the system has for a socket.
#[cfg(unix)]
fn number_of(stream: &TcpStream) -> i32 {
    std::os::fd::AsRawFd::as_raw_fd(stream)
}

#[cfg(not(unix))]
fn number_of(_: &TcpStream) -> i32 {
    -1
}

/// A seed that differs from run to run.
fn random_seed() -> u64 {
    // The seeds of the standard library's hash maps are random.
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0)
}
