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
pub(in crate::server::redis) struct Door {
    pub(in crate::server::redis) store: Store,
    /// What the frame of the door has.
    pub(in crate::server::redis) shared: Arc<Shared>,
    /// Whether clients speak TLS.
    pub(in crate::server::redis) is_encrypted: bool,
    /// Those of the numbered databases.
    pub(in crate::server::redis) keyspaces: [Arc<Keyspace>; DATABASES.len()],
    pub(in crate::server::redis) users: Users,
    /// What users were denied.
    pub(in crate::server::redis) denials: RefCell<Log>,
    pub(in crate::server::redis) started: Timestamp,
    pub(in crate::server::redis) saves: Arc<Saves>,
    /// How many changes the command that runs says that it makes.
    pub(in crate::server::redis) changes: Cell<Option<u64>>,
    pub(in crate::server::redis) random: RefCell<fastrand::Rng>,
    pub(in crate::server::redis) scans: RefCell<Scans>,
    pub(in crate::server::redis) clients: Rc<Clients>,
    pub(in crate::server::redis) blocked: RefCell<Blocked>,
    pub(in crate::server::redis) ears: Arc<Ears>,
    pub(in crate::server::redis) monitors: Monitors,
    pub(in crate::server::redis) pause: Pause,
    pub(in crate::server::redis) parameters: Parameters,
    /// What the parameters allow clients to take up.
    pub(in crate::server::redis) bounds: Cell<Bounds>,
    /// A commit has failed: before the next write the store is asked whether it can write.
    pub(in crate::server::redis) has_failed: Cell<bool>,
    pub(in crate::server::redis) slow_log: RefCell<SlowLog<SlowRequest>>,
    pub(in crate::server::redis) latencies: RefCell<Latencies>,
    pub(in crate::server::redis) meter: Arc<Meter>,
    pub(in crate::server::redis) counters: Counters,
    /// What commands and subcommands have done, by their slot.
    pub(in crate::server::redis) calls: Calls<usize>,
    /// What `INFO` gave rates of last.
    pub(in crate::server::redis) samples: Samples,
    /// Which of all servers this is, in hexadecimal.
    pub(in crate::server::redis) run_id: String,
    /// What `SHUTDOWN` calls.
    pub(in crate::server::redis) shutdown: Option<Shutdown>,
    /// Clients who come while a script runs for long.
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(in crate::server::redis) newcomers: Newcomers,
    /// Made for the first script.
    #[cfg(feature = "lua")]
    pub(in crate::server::redis) scripting: std::cell::OnceCell<Scripting>,
}

/// What the slow log keeps of a request.
#[derive(Debug)]
pub(in crate::server::redis) struct SlowRequest {
    /// As it was sent, cut.
    pub(in crate::server::redis) words: Vec<Vec<u8>>,
    /// Of the client, with its name.
    pub(in crate::server::redis) address: String,
    pub(in crate::server::redis) name: Vec<u8>,
}

/// What `INFO` counts beside what every door does.
#[derive(Debug, Default)]
pub(in crate::server::redis) struct Counters {
    pub(in crate::server::redis) hits: Cell<u64>,
    pub(in crate::server::redis) misses: Cell<u64>,
    /// Values that Redis would have left to a thread to remove.
    pub(in crate::server::redis) lazily_freed: Cell<u64>,
    /// The most bytes that keys and values have taken whenever somebody asked.
    pub(in crate::server::redis) peak_bytes: Cell<u64>,
    /// What the frame had counted when `CONFIG RESETSTAT` last ran.
    pub(in crate::server::redis) before: Cell<Counted>,
}

/// What the frame of the door counts.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::server::redis) struct Counted {
    pub(in crate::server::redis) metrics: Metrics,
    /// Clients that were turned away.
    pub(in crate::server::redis) rejected: u64,
    /// Clients that were closed because all together took up too much.
    pub(in crate::server::redis) evicted: u64,
}

impl Counters {
    /// Sets all counts to zero; those of the frame go on from `before`.
    pub(in crate::server::redis) fn reset(&self, before: Counted) {
        self.hits.set(0);
        self.misses.set(0);
        self.lazily_freed.set(0);
        self.peak_bytes.set(0);
        self.before.set(before);
    }

    pub(in crate::server::redis) fn lazily_freed(&self, values: u64) {
        self.lazily_freed.set(self.lazily_freed.get() + values);
    }

    pub(in crate::server::redis) fn lookup(&self, found: bool) {
        let cell = if found { &self.hits } else { &self.misses };
        cell.set(cell.get() + 1);
    }
}

impl Door {
    /// Counts an error by the code that its text begins with.
    pub(in crate::server::redis) fn count_error(&self, text: &str) {
        self.calls.tally.error(text.split(' ').next().unwrap_or_default());
    }

    /// What scripts take up.
    #[cfg(feature = "lua")]
    pub(in crate::server::redis) fn script_usage(&self) -> Usage {
        self.scripting.get().map(Scripting::usage).unwrap_or_default()
    }

    /// What the frame has counted.
    pub(in crate::server::redis) fn counted(&self) -> Counted {
        let rejected = self.shared.turned_away.load(Ordering::Relaxed);
        Counted { metrics: self.meter.read(), rejected, evicted: self.clients.evicted() }
    }

    /// Has connections and the frame heed what the parameters allow now.
    pub(in crate::server::redis) fn heed_parameters(&self) {
        self.bounds.set(Bounds::of(&self.parameters));
        self.shared.clients_max.store(self.parameters.clients_max(), Ordering::Relaxed);
        self.shared.keepalive_seconds.store(self.parameters.keepalive_seconds(), Ordering::Relaxed);
    }

    /// The address of a client, and the door's end of the connection, as Redis shows them.
    pub(in crate::server::redis) fn addresses_of(&self, client: &Client) -> [String; 2] {
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
    pub(in crate::server::redis) fn check_writable(&self) -> Result<(), Refusal> {
        if !self.has_failed.get() {
            return Ok(());
        }
        let failure = self.store.failure();
        // A commit that was too large, or a panic, says nothing of the next one.
        self.has_failed.set(failure.is_some());
        failure.map_or(Ok(()), |reason| Err(cannot_write(&reason).into()))
    }

    /// Forgets what was read from, or written to, the store within a transaction that was not committed.
    pub(in crate::server::redis) fn forget_uncommitted(&self) {
        self.has_failed.set(true);
        #[cfg(feature = "lua")]
        if let Some(scripting) = self.scripting.get() {
            scripting.forget_libraries();
        }
    }

    /// The keyspace of a database's number, of which there are [`DATABASES`].
    pub(in crate::server::redis) fn keyspace(&self, database: usize) -> &Arc<Keyspace> {
        let [first, ..] = &self.keyspaces;
        self.keyspaces.get(database).unwrap_or(first)
    }

    /// A random number below `end`, which is not 0.
    pub(in crate::server::redis) fn random_below(&self, end: u64) -> u64 {
        self.random.borrow_mut().u64(..end.max(1))
    }
}
