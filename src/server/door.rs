//! A door: its threads, who is let in, and how it ends.
//!
//! # How it works
//! Each thread of a door has a runtime of its own, with a handle of the one listener and connections that stay with it, so that
//! what they share has no lock. A [`Service`] is made on each thread, and may hold `Rc`s. Whoever lets a client in hands it to the
//! thread that has the fewest, unless that is itself. Beside them a door may have a small [`Pool`] for commands.
//!
//! # Invariants
//! 1. A client is counted from when it is let in until its connection's task ends, whatever ends it.
//! 2. A panic in one connection ends that, and no other.
//! 3. A door that is dropped lets nobody in any more, has each connection end when what it has begun is answered, and cuts off what
//!    is left after [`limits::CLOSING_MS_MAX`].

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::limits;
use crate::server::address::{Address, ListenError};
use crate::server::clients::{Client, Clients};
use crate::server::listener::{Listener, sockets_max};
use crate::server::metrics::{Meter, Metrics};
use crate::server::options::DoorOptions;
use crate::server::panics::caught;
use crate::server::pool::{Pool, PoolThreads};
use crate::server::settler::{self, Settler};
use crate::server::stream::{Arrival, Peer, Plain, Socket};
use crate::server::worker::{Worker, drain};
use crate::store::Store;

/// Clients that are let in at one look by a thread that does not get to its tasks.
const ARRIVALS_PER_LOOK: usize = 64;

/// What a door serves its clients with, on one of its threads.
pub(crate) trait Service: Sized + 'static {
    /// What the door keeps for each client beside what every door does.
    type Client: 'static;

    /// Makes what is kept for a client that is let in.
    fn welcome(&self, id: u64, peer: Peer) -> Self::Client;

    /// Serves a client until either side ends it.
    async fn serve(self: Rc<Self>, client: Rc<Client<Self::Client>>, socket: Socket);

    /// Does what is to be done beside the clients, until it is dropped when the door closes.
    async fn run(self: Rc<Self>) {}

    /// Returns what a client is sent for which there is no room. With TLS nothing is sent.
    fn turned_away(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// What kind of door it is.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// In the names of threads and in the log.
    pub(crate) name: &'static str,
    /// Threads that have connections.
    pub(crate) threads: usize,
    /// Threads that run commands beside them; none for a door that runs its commands where its connections are.
    pub(crate) pool_threads: usize,
}

/// What all threads of a door share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) address: Address,
    pub(crate) meter: Arc<Meter>,
    /// Clients that may be connected at once. The system's limit holds as well.
    pub(crate) clients_max: AtomicUsize,
    /// For how many seconds a peer may be silent before the system asks whether it is there; 0 is for ever.
    pub(crate) keepalive_seconds: AtomicU64,
    /// Clients that were turned away.
    pub(crate) turned_away: AtomicU64,
    /// Set before the threads are told to end: one may be busy.
    pub(crate) is_closing: Arc<AtomicBool>,
    /// Clients of each thread.
    counts: Vec<Arc<AtomicUsize>>,
    /// Held while a thread is chosen and a client counted for it: several let clients in.
    seating: Mutex<()>,
    /// The most clients that the system gives sockets to.
    sockets_max: usize,
}

impl Shared {
    pub(crate) fn new(address: Address, threads: usize) -> Self {
        Self {
            address,
            meter: Arc::default(),
            clients_max: AtomicUsize::new(limits::CLIENTS_MAX),
            keepalive_seconds: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            is_closing: Arc::default(),
            counts: (0..threads).map(|_| Arc::default()).collect(),
            seating: Mutex::default(),
            sockets_max: sockets_max().min(limits::CLIENTS_MAX),
        }
    }

    /// Clients that are connected to any thread.
    pub(crate) fn connected(&self) -> usize {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The most that can be connected, whatever `clients_max` says.
    pub(crate) fn sockets_max(&self) -> usize {
        self.sockets_max
    }

    /// Whether more have come than may be connected.
    fn is_over(&self) -> bool {
        self.connected() > self.clients_max.load(Ordering::Relaxed).min(self.sockets_max)
    }

    fn keepalive(&self) -> Option<Duration> {
        let seconds = self.keepalive_seconds.load(Ordering::Relaxed);
        (seconds > 0).then_some(Duration::from_secs(seconds))
    }

    /// A seat at the thread that a client goes to which `thread` has let in: the one that has the fewest, if others have fewer.
    fn seat_for(&self, thread: usize) -> Option<Seat> {
        let count = |thread: &usize| self.counts.get(*thread).map_or(0, |count| count.load(Ordering::Relaxed));
        let _one_at_a_time = self.seating.lock();
        let least = (0..self.counts.len()).min_by_key(count).unwrap_or(thread);
        let thread = if count(&least) < count(&thread) { least } else { thread };
        let count = Arc::clone(self.counts.get(thread)?);
        count.fetch_add(1, Ordering::Relaxed);
        Some(Seat { thread, count })
    }
}

/// The place of a client at a thread, for as long as this is there.
#[derive(Debug)]
struct Seat {
    thread: usize,
    count: Arc<AtomicUsize>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one thread of a door has, for the service that is made there.
pub(crate) struct Local<M> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) clients: Rc<Clients<M>>,
    pub(crate) settler: Settler,
    /// Of a door that has one.
    pub(crate) pool: Option<Pool>,
    pub(crate) newcomers: Newcomers,
}

/// Lets clients in on a thread that does not get to its tasks.
#[derive(Clone, Default)]
pub(crate) struct Newcomers(Rc<RefCell<Option<LetIn>>>);

type LetIn = Box<dyn Fn()>;

impl Newcomers {
    /// Lets in who waits already, up to some of them.
    pub(crate) fn let_in(&self) {
        if let Some(let_in) = &*self.0.borrow() {
            let_in();
        }
    }
}

/// A door that is open. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Door {
    shared: Arc<Shared>,
    // Dropped in this order: commands are waited for when no connection is left, and only then the socket is removed.
    workers: Vec<Worker>,
    _pool: Option<PoolThreads>,
    _listener: Listener,
    name: &'static str,
}

impl Door {
    /// Opens a door, with a service that `make` makes on each of its threads.
    ///
    /// # Errors
    /// [`ListenError`] when the address cannot be listened at, or the system gives no thread.
    pub(crate) fn open<S: Service>(
        kind: &Kind,
        store: &Store,
        options: &DoorOptions,
        make: impl Fn(Local<S::Client>) -> S + Send + Sync + 'static,
    ) -> Result<Self, ListenError> {
        let listener = Listener::bind(&options.address)?;
        let threads = kind.threads.clamp(1, limits::DOOR_THREADS_MAX);
        let shared = Arc::new(Shared::new(listener.address().clone(), threads));
        let failed = |error: io::Error| ListenError::no_thread(&error);
        let pool = match kind.pool_threads {
            0 => None,
            threads => Some(Pool::start(&format!("larder-{}-pool", kind.name), threads).map_err(failed)?),
        };
        let (pool, pool_threads) = pool.unzip();
        let (inboxes, arrivals): (Vec<_>, Vec<_>) = (0..threads).map(|_| unbounded_channel()).unzip();
        let make = Arc::new(make);
        let mut workers = Vec::new();
        for (thread, arrivals) in arrivals.into_iter().enumerate() {
            let place = Place {
                thread,
                name: kind.name,
                store: store.clone(),
                shared: Arc::clone(&shared),
                listener: listener.try_clone().map_err(failed)?,
                settler: Settler::start(&format!("larder-{}-sync", kind.name)).map_err(failed)?,
                pool: pool.clone(),
                inboxes: inboxes.clone(),
                arrivals,
                #[cfg(feature = "tls")]
                tls: options.tls.clone(),
            };
            let make = Arc::clone(&make);
            let run = move |stopped| place.serve(&*make, stopped);
            workers.push(Worker::start(&format!("larder-{}", kind.name), run).map_err(failed)?);
        }
        Ok(Self { shared, workers, _pool: pool_threads, _listener: listener, name: kind.name })
    }

    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> &Address {
        &self.shared.address
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.shared.meter.read()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        // All at once: each may take its time.
        self.workers.iter_mut().for_each(Worker::stop);
        self.workers.clear();
        let Metrics { connections, requests, errors, read_bytes, written_bytes } = self.metrics();
        let door = self.name;
        tracing::info!(door, connections, requests, errors, read_bytes, written_bytes, "a door is closed");
    }
}

/// What a thread is started with.
struct Place {
    thread: usize,
    name: &'static str,
    store: Store,
    shared: Arc<Shared>,
    listener: Listener,
    settler: (Settler, settler::Outcomes),
    pool: Option<Pool>,
    inboxes: Vec<UnboundedSender<(Arrival, Seat)>>,
    arrivals: UnboundedReceiver<(Arrival, Seat)>,
    #[cfg(feature = "tls")]
    tls: Option<crate::server::tls::Tls>,
}

impl Place {
    /// What a thread of the door does.
    fn serve<S: Service>(self, make: &impl Fn(Local<S::Client>) -> S, stopped: oneshot::Receiver<()>) {
        let Self { thread, name, store, shared, listener, settler: (settler, outcomes), pool, inboxes, .. } = self;
        let idle = settler.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let on_park = move || {
            idle.flush();
        };
        let runtime = match runtime.enable_io().enable_time().on_thread_park(on_park).build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, door = name, "a door cannot wait for its sockets"),
        };
        runtime.spawn(settler::tell(outcomes));
        let clients = Rc::new(Clients::default());
        let newcomers = Newcomers::default();
        let (for_clients, for_newcomers, for_shared) = (Rc::clone(&clients), newcomers.clone(), Arc::clone(&shared));
        let local = Local { shared: for_shared, clients: for_clients, settler, pool, newcomers: for_newcomers };
        let hall = Rc::new(Hall {
            service: Rc::new(make(local)),
            clients: Rc::clone(&clients),
            shared,
            store,
            inboxes,
            thread,
            ending: Notify::new(),
            #[cfg(feature = "tls")]
            tls: self.tls,
        });
        match listener.try_clone() {
            Ok(listener) => drop(newcomers.0.replace(Some(hall.newcomers(listener)))),
            Err(error) => tracing::warn!(%error, "clients who come while a thread is busy have to wait"),
        }
        let mut arrivals = self.arrivals;
        let connections = LocalSet::new();
        connections.block_on(&runtime, async {
            let beside = async {
                Rc::clone(&hall.service).run().await;
                std::future::pending::<()>().await;
            };
            let handed_over = async {
                while let Some((arrival, seat)) = arrivals.recv().await {
                    hall.welcome(arrival, seat);
                }
            };
            tokio::select! {
                _ = stopped => {}
                () = beside => {}
                () = handed_over => {}
                () = listener.accept(|arrival| hall.let_in(arrival)) => {}
            }
        });
        drop(newcomers.0.replace(None));
        hall.ending.notify_waiters();
        clients.end_all();
        drain(&runtime, connections);
    }
}

/// Where clients of one thread arrive.
struct Hall<S: Service> {
    service: Rc<S>,
    clients: Rc<Clients<S::Client>>,
    shared: Arc<Shared>,
    store: Store,
    inboxes: Vec<UnboundedSender<(Arrival, Seat)>>,
    thread: usize,
    /// The door is being closed.
    ending: Notify,
    #[cfg(feature = "tls")]
    tls: Option<crate::server::tls::Tls>,
}

impl<S: Service> Hall<S> {
    /// Lets clients in without the task that does so otherwise.
    fn newcomers(self: &Rc<Self>, listener: Listener) -> LetIn {
        let hall = Rc::downgrade(self);
        Box::new(move || {
            let Some(hall) = hall.upgrade() else { return };
            for _ in 0..ARRIVALS_PER_LOOK {
                // When there is nobody, or the system refuses, the task that lets clients in will see.
                let Ok(arrival) = listener.accept_now() else { return };
                hall.let_in(arrival);
            }
        })
    }

    /// Sends a client to the thread that is to have it.
    fn let_in(self: &Rc<Self>, arrival: Arrival) {
        let Some(seat) = self.shared.seat_for(self.thread) else { return };
        let inbox = self.inboxes.get(seat.thread).filter(|_| seat.thread != self.thread);
        let Some(inbox) = inbox else { return self.welcome(arrival, seat) };
        match arrival.into_raw() {
            // A thread that has ended lets nobody in any more.
            Ok(arrival) => drop(inbox.send((arrival, seat))),
            Err(error) => tracing::warn!(%error, "a client could not be handed to another thread"),
        }
    }

    /// Begins a connection. A panic concerns nobody but whoever came.
    fn welcome(self: &Rc<Self>, arrival: Arrival, seat: Seat) {
        let peer = arrival.peer();
        match catch_unwind(AssertUnwindSafe(|| self.enter(arrival, seat))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%peer, %error, "a client could not be let in"),
            Err(_) => tracing::error!(%peer, "letting a client in panicked"),
        }
    }

    /// Without TLS a client is one when this returns, also on a thread that does not get to its tasks.
    fn enter(self: &Rc<Self>, arrival: Arrival, seat: Seat) -> io::Result<()> {
        let (peer, id) = (arrival.peer(), self.shared.meter.connections.next());
        let plain = arrival.into_plain()?;
        if self.shared.is_over() {
            self.turn_away(plain);
            return Ok(());
        }
        plain.tune(self.shared.keepalive());
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let (hall, tls) = (Rc::clone(self), tls.clone());
            tokio::task::spawn_local(async move { hall.begin_tls(&tls, plain, (id, peer), seat).await });
            return Ok(());
        }
        tokio::task::spawn_local(self.admit(plain.into(), (id, peer), seat));
        Ok(())
    }

    /// Makes a client of whoever is at the other end of `socket`; the task serves it.
    fn admit(&self, socket: Socket, (id, peer): (u64, Peer), seat: Seat) -> impl Future<Output = ()> + use<S> {
        let more = self.service.welcome(id, peer);
        let admitted = self.clients.admit((id, peer, self.store.now()), &socket, more);
        let service = Rc::clone(&self.service);
        async move {
            let _seat = seat;
            if caught(service.serve(Rc::clone(&admitted.client), socket)).await.is_err() {
                tracing::error!(client = id, %peer, "a connection panicked, and is closed");
            }
        }
    }

    fn turn_away(&self, plain: Plain) {
        self.shared.turned_away.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return;
        }
        let text = self.service.turned_away();
        // There is room for it in a new socket.
        let _ = Socket::from(plain).write_now(&text);
    }

    /// Begins TLS with a client, and serves it then; not if the door closes before that is done.
    #[cfg(feature = "tls")]
    async fn begin_tls(&self, tls: &crate::server::tls::Tls, plain: Plain, (id, peer): (u64, Peer), seat: Seat) {
        if self.shared.is_closing.load(Ordering::Relaxed) {
            return;
        }
        let accepted = tokio::select! {
            accepted = tls.accept(plain) => accepted,
            () = self.ending.notified() => return,
        };
        match accepted {
            Ok(socket) => self.admit(socket, (id, peer), seat).await,
            Err(error) => tracing::info!(client = id, %peer, %error, "a client did not get to TLS"),
        }
    }
}
