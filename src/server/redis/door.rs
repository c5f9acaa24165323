//! What all connections of one door share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::TcpStream;

use crate::channel::Gauge;
use crate::clock::Timestamp;
use crate::kv::{Keyspace, Watch};
use crate::limits;
use crate::server::metrics::{Meter, Metrics};
use crate::server::redis::acl::{User, Users};
use crate::server::redis::blocked::{Blocked, Ears};
use crate::server::redis::bounds::Bounds;
use crate::server::redis::busy::{Interim, Newcomers};
use crate::server::redis::config::Parameters;
use crate::server::redis::latency::Latencies;
use crate::server::redis::monitor::Monitors;
use crate::server::redis::pause::Pause;
use crate::server::redis::refusal::{Refusal, cannot_write};
use crate::server::redis::reply::Protocol;
use crate::server::redis::saves::Saves;
use crate::server::redis::session::{Session, Topics};
use crate::server::redis::slow_log::SlowLog;
use crate::server::redis::tally::Tally;
use crate::server::redis::{DATABASES, Shutdown};
use crate::store::Store;

/// The door, within its thread.
pub(super) struct Door {
    pub(super) store: Store,
    pub(super) address: SocketAddr,
    /// Those of the numbered databases.
    pub(super) keyspaces: [Arc<Keyspace>; DATABASES.len()],
    pub(super) users: Users,
    pub(super) started: Timestamp,
    pub(super) saves: Arc<Saves>,
    /// How many changes the command that runs says that it makes.
    pub(super) changes: Cell<Option<u64>>,
    pub(super) random: RefCell<fastrand::Rng>,
    pub(super) scans: RefCell<Scans>,
    pub(super) clients: RefCell<BTreeMap<u64, Rc<Client>>>,
    pub(super) blocked: RefCell<Blocked>,
    pub(super) ears: Arc<Ears>,
    pub(super) monitors: Monitors,
    pub(super) pause: Pause,
    pub(super) parameters: Parameters,
    /// What the parameters allow clients to take up.
    pub(super) bounds: Cell<Bounds>,
    /// The most clients that can be let in, whatever the parameters say.
    pub(super) clients_max: usize,
    /// What all clients take up, in bytes.
    pub(super) clients_bytes: Cell<usize>,
    /// A commit has failed: before the next write the store is asked whether it can write.
    pub(super) has_failed: Cell<bool>,
    pub(super) slow_log: RefCell<SlowLog>,
    pub(super) latencies: RefCell<Latencies>,
    pub(super) meter: Arc<Meter>,
    pub(super) counters: Counters,
    pub(super) tally: Tally,
    /// Which of all servers this is, in hexadecimal.
    pub(super) run_id: String,
    /// What `SHUTDOWN` calls.
    pub(super) shutdown: Option<Shutdown>,
    /// The door is to end: what runs for long has to, too.
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(super) closing: Arc<AtomicBool>,
    /// Clients who come while a script runs for long.
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(super) newcomers: RefCell<Option<Newcomers>>,
    /// Made for the first script.
    #[cfg(feature = "lua")]
    pub(super) scripting: std::cell::OnceCell<crate::server::redis::scripting::Scripting>,
}

/// What `CLIENT LIST` tells of a client, and how it is told to go.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    /// The door's end of the connection.
    pub(super) local: SocketAddr,
    /// The connection's socket, for who looks at it while the connection's task cannot run.
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(super) stream: Weak<TcpStream>,
    pub(super) interim: Interim,
    /// The number that the system has for the socket; -1 where there is none.
    pub(super) socket: i32,
    pub(super) since: Timestamp,
    pub(super) user: RefCell<Rc<User>>,
    pub(super) name: RefCell<Vec<u8>>,
    pub(super) library: RefCell<(Vec<u8>, Vec<u8>)>,
    pub(super) seen: Cell<Seen>,
    /// What the connection takes up, in bytes.
    pub(super) bytes: Cell<usize>,
    /// Bytes of replies that wait to be sent.
    pub(super) waiting_bytes: Cell<usize>,
    /// What waits in the queue of a subscriber.
    pub(super) inbox: RefCell<Option<Gauge>>,
    pub(super) topics: Rc<RefCell<Topics>>,
    pub(super) last_command: Cell<&'static str>,
    pub(super) is_not_evicted: Cell<bool>,
    pub(super) is_not_touching: Cell<bool>,
    /// Ends the connection when what has begun is answered.
    pub(super) kill: tokio::sync::Notify,
    /// Ends it even if the client does not read what is being sent.
    pub(super) cut: tokio::sync::Notify,
}

/// What a connection was like after its last requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) database: usize,
    pub(super) protocol: Protocol,
    /// Commands that wait for `EXEC`, and their bytes.
    pub(super) queued: Option<(usize, usize)>,
    pub(super) watched_keys: usize,
    pub(super) is_waiting: bool,
    pub(super) is_monitor: bool,
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(super) is_authenticated: bool,
    /// Bytes that wait to be run, and room for more.
    pub(super) received: (usize, usize),
    /// Bytes that there is room for in replies.
    pub(super) reply_bytes: usize,
}

impl Seen {
    /// How a session is at `at`, without its buffers.
    pub(super) fn of(session: &Session, at: Timestamp) -> Self {
        Self {
            at,
            database: session.database,
            protocol: session.protocol,
            queued: session.queue.as_ref().map(|queue| (queue.commands.len(), queue.bytes)),
            watched_keys: session.watched.iter().map(Watch::len).sum(),
            is_waiting: session.blocked.is_some() || session.is_paused,
            is_monitor: session.outbox.is_some(),
            is_authenticated: session.is_authenticated,
            received: (0, 0),
            reply_bytes: 0,
        }
    }
}

impl Client {
    /// Parts with the client, whatever it does.
    pub(super) fn end(&self) {
        self.kill.notify_one();
        self.cut.notify_one();
    }
}

/// What `INFO` counts beside what every door does.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Cell<u64>,
    pub(super) misses: Cell<u64>,
    /// Values that Redis would have left to a thread to remove.
    pub(super) lazily_freed: Cell<u64>,
    /// Connections that were turned away.
    pub(super) rejected: Cell<u64>,
    /// Connections that were closed because all together took up too much.
    pub(super) evicted: Cell<u64>,
    /// The most bytes that keys and values have taken whenever somebody asked.
    pub(super) peak_bytes: Cell<u64>,
    /// What the meter said when `CONFIG RESETSTAT` last ran.
    pub(super) before: Cell<Metrics>,
}

impl Counters {
    /// Begins to count anew, after `before`.
    pub(super) fn reset(&self, before: Metrics) {
        self.hits.set(0);
        self.misses.set(0);
        self.lazily_freed.set(0);
        self.rejected.set(0);
        self.evicted.set(0);
        self.peak_bytes.set(0);
        self.before.set(before);
    }

    pub(super) fn lazily_freed(&self, values: u64) {
        self.lazily_freed.set(self.lazily_freed.get() + values);
    }

    pub(super) fn lookup(&self, found: bool) {
        let cell = if found { &self.hits } else { &self.misses };
        cell.set(cell.get() + 1);
    }
}

/// Where scans have come to. A cursor is a number to a client, and a key to the store: keys move when others come and go.
#[derive(Debug, Default)]
pub(super) struct Scans {
    after: BTreeMap<u64, Vec<u8>>,
    order: VecDeque<u64>,
    last: u64,
}

impl Scans {
    /// The key after which the scan of a cursor goes on.
    pub(super) fn get(&self, cursor: u64) -> Option<Vec<u8>> {
        self.after.get(&cursor).cloned()
    }

    /// A cursor for going on after `key`.
    pub(super) fn insert(&mut self, key: Vec<u8>) -> u64 {
        self.last += 1;
        self.after.insert(self.last, key);
        self.order.push_back(self.last);
        if self.order.len() > limits::SCAN_CURSORS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.after.remove(&oldest);
        }
        self.last
    }
}

impl Door {
    /// Has what other clients have sent run first.
    pub(super) async fn let_others_run(&self) {
        let has_others = self.clients.borrow().len() > 1;
        if has_others {
            tokio::task::yield_now().await;
        }
    }

    /// Refuses a write to a store that cannot write any more.
    pub(super) fn check_writable(&self) -> Result<(), Refusal> {
        if !self.has_failed.get() {
            return Ok(());
        }
        let failure = self.store.failure();
        // A commit that was too large, or a panic, says nothing of the next one.
        self.has_failed.set(failure.is_some());
        failure.map_or(Ok(()), |reason| Err(cannot_write(&reason).into()))
    }

    /// Forgets what was read from, or written to, the store within a transaction that was not committed.
    pub(super) fn forget_uncommitted(&self) {
        self.has_failed.set(true);
        #[cfg(feature = "lua")]
        if let Some(scripting) = self.scripting.get() {
            scripting.forget_libraries();
        }
    }

    /// Notes what a connection takes up now, and closes the largest when all together take up too much.
    pub(super) fn note_bytes(&self, client: &Client, bytes: usize) {
        let all = self.clients_bytes.get() - client.bytes.replace(bytes) + bytes;
        self.clients_bytes.set(all);
        let most = self.bounds.get().all_bytes(|| self.store.memory_budget().0);
        if all > most {
            self.evict_clients(most);
        }
    }

    fn evict_clients(&self, most: usize) {
        let clients = self.clients.borrow();
        while self.clients_bytes.get() > most {
            let evictable = clients.iter().filter(|(_, client)| !client.is_not_evicted.get() && client.bytes.get() > 0);
            let Some((id, client)) = evictable.max_by_key(|(_, client)| client.bytes.get()) else { return };
            let bytes = client.bytes.replace(0);
            tracing::error!(client = id, address = %client.address, bytes, limit = most, "a client is closed to make room");
            self.clients_bytes.set(self.clients_bytes.get() - bytes);
            self.counters.evicted.set(self.counters.evicted.get() + 1);
            client.end();
        }
    }

    /// The keyspace of a database's number, of which there are [`DATABASES`].
    pub(super) fn keyspace(&self, database: usize) -> &Arc<Keyspace> {
        let [first, ..] = &self.keyspaces;
        self.keyspaces.get(database).unwrap_or(first)
    }

    /// A random number below `end`, which is not 0.
    pub(super) fn random_below(&self, end: u64) -> u64 {
        self.random.borrow_mut().u64(..end.max(1))
    }
}
