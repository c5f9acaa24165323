//! What all connections of one door share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clock::Timestamp;
use crate::kv::Keyspace;
use crate::server::door::{Newcomers, Shared};
use crate::server::ears::Ears;
use crate::server::metrics::{Meter, Metrics};
use crate::server::options::Shutdown;
use crate::server::redis::acl::Users;
use crate::server::redis::acl::log::Log;
use crate::server::redis::config::Parameters;
use crate::server::redis::config::bounds::Bounds;
use crate::server::redis::frame::refusal::{Refusal, cannot_write};
#[cfg(feature = "lua")]
use crate::server::redis::lua::Scripting;
#[cfg(feature = "lua")]
use crate::server::redis::lua::stats::Usage;
use crate::server::redis::options::DATABASES;
use crate::server::redis::state::blocked::Blocked;
use crate::server::redis::state::client::{Client, Clients};
use crate::server::redis::state::latency::Latencies;
use crate::server::redis::state::monitor::Monitors;
use crate::server::redis::state::pause::Pause;
use crate::server::redis::state::scans::Scans;
use crate::server::saves::Saves;
use crate::server::slow_log::SlowLog;
use crate::server::stream::Peer;
use crate::server::tally::{Calls, Samples};
use crate::store::Store;

/// The door, within its thread.
pub(crate) struct Door {
    pub(crate) store: Store,
    /// What the frame of the door has.
    pub(crate) shared: Arc<Shared>,
    /// Whether clients speak TLS.
    pub(crate) is_encrypted: bool,
    /// Those of the numbered databases.
    pub(crate) keyspaces: [Arc<Keyspace>; DATABASES.len()],
    pub(crate) users: Users,
    /// What users were denied.
    pub(crate) denials: RefCell<Log>,
    pub(crate) started: Timestamp,
    pub(crate) saves: Arc<Saves>,
    /// How many changes the command that runs says that it makes.
    pub(crate) changes: Cell<Option<u64>>,
    pub(crate) random: RefCell<fastrand::Rng>,
    pub(crate) scans: RefCell<Scans>,
    pub(crate) clients: Rc<Clients>,
    pub(crate) blocked: RefCell<Blocked>,
    pub(crate) ears: Arc<Ears>,
    pub(crate) monitors: Monitors,
    pub(crate) pause: Pause,
    pub(crate) parameters: Parameters,
    /// What the parameters allow clients to take up.
    pub(crate) bounds: Cell<Bounds>,
    /// A commit has failed: before the next write the store is asked whether it can write.
    pub(crate) has_failed: Cell<bool>,
    pub(crate) slow_log: RefCell<SlowLog<SlowRequest>>,
    pub(crate) latencies: RefCell<Latencies>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) counters: Counters,
    /// What commands and subcommands have done, by their slot.
    pub(crate) calls: Calls<usize>,
    /// What `INFO` gave rates of last.
    pub(crate) samples: Samples,
    /// Which of all servers this is, in hexadecimal.
    pub(crate) run_id: String,
    /// What `SHUTDOWN` calls.
    pub(crate) shutdown: Option<Shutdown>,
    /// Clients who come while a script runs for long.
    pub(crate) newcomers: Newcomers,
    /// Made for the first script.
    #[cfg(feature = "lua")]
    pub(crate) scripting: std::cell::OnceCell<Scripting>,
}

/// What the slow log keeps of a request.
#[derive(Debug)]
pub(crate) struct SlowRequest {
    /// As it was sent, cut.
    pub(crate) words: Vec<Vec<u8>>,
    /// Of the client, with its name.
    pub(crate) address: String,
    pub(crate) name: Vec<u8>,
}

/// What `INFO` counts beside what every door does.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Cell<u64>,
    pub(crate) misses: Cell<u64>,
    /// Values that Redis would have left to a thread to remove.
    pub(crate) lazily_freed: Cell<u64>,
    /// The most bytes that keys and values have taken whenever somebody asked.
    pub(crate) peak_bytes: Cell<u64>,
    /// What the frame had counted when `CONFIG RESETSTAT` last ran.
    pub(crate) before: Cell<Counted>,
}

/// What the frame of the door counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) metrics: Metrics,
    /// Clients that were turned away.
    pub(crate) rejected: u64,
    /// Clients that were closed because all together took up too much.
    pub(crate) evicted: u64,
}

impl Counters {
    /// Sets all counts to zero; those of the frame go on from `before`.
    pub(crate) fn reset(&self, before: Counted) {
        self.hits.set(0);
        self.misses.set(0);
        self.lazily_freed.set(0);
        self.peak_bytes.set(0);
        self.before.set(before);
    }

    pub(crate) fn lazily_freed(&self, values: u64) {
        self.lazily_freed.set(self.lazily_freed.get() + values);
    }

    pub(crate) fn lookup(&self, found: bool) {
        let cell = if found { &self.hits } else { &self.misses };
        cell.set(cell.get() + 1);
    }
}

impl Door {
    /// Counts an error by the code that its text begins with.
    pub(crate) fn count_error(&self, text: &str) {
        self.calls.tally.error(text.split(' ').next().unwrap_or_default());
    }

    /// What scripts take up.
    #[cfg(feature = "lua")]
    pub(crate) fn script_usage(&self) -> Usage {
        self.scripting.get().map(Scripting::usage).unwrap_or_default()
    }

    /// What the frame has counted.
    pub(crate) fn counted(&self) -> Counted {
        let rejected = self.shared.turned_away.load(Ordering::Relaxed);
        Counted { metrics: self.meter.read(), rejected, evicted: self.clients.evicted() }
    }

    /// Has connections and the frame heed what the parameters allow now.
    pub(crate) fn heed_parameters(&self) {
        self.bounds.set(Bounds::of(&self.parameters));
        self.shared.clients_max.store(self.parameters.clients_max(), Ordering::Relaxed);
        self.shared.keepalive_seconds.store(self.parameters.keepalive_seconds(), Ordering::Relaxed);
    }

    /// The address of a client, and the door's end of the connection, as Redis shows them.
    pub(crate) fn addresses_of(&self, client: &Client) -> [String; 2] {
        let door = || match self.shared.address.path() {
            // All clients of a unix socket have its path.
            Some(path) => format!("{}:0", path.display()),
            None => self.shared.address.to_string(),
        };
        let peer = match client.peer {
            Peer::Tcp(address) => address.to_string(),
            Peer::Unix => door(),
        };
        [peer, client.local.map_or_else(door, |local| local.to_string())]
    }

    /// Refuses a write to a store that cannot write any more.
    pub(crate) fn check_writable(&self) -> Result<(), Refusal> {
        if !self.has_failed.get() {
            return Ok(());
        }
        let failure = self.store.failure();
        // A commit that was too large, or a panic, says nothing of the next one.
        self.has_failed.set(failure.is_some());
        failure.map_or(Ok(()), |reason| Err(cannot_write(&reason).into()))
    }

    /// Forgets what was read from, or written to, the store within a transaction that was not committed.
    pub(crate) fn forget_uncommitted(&self) {
        self.has_failed.set(true);
        #[cfg(feature = "lua")]
        if let Some(scripting) = self.scripting.get() {
            scripting.forget_libraries();
        }
    }

    /// The keyspace of a database's number, of which there are [`DATABASES`].
    pub(crate) fn keyspace(&self, database: usize) -> &Arc<Keyspace> {
        let [first, ..] = &self.keyspaces;
        self.keyspaces.get(database).unwrap_or(first)
    }

    /// A random number below `end`, which is not 0.
    pub(crate) fn random_below(&self, end: u64) -> u64 {
        self.random.borrow_mut().u64(..end.max(1))
    }
}
