//! What all connections of one door share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::limits;
use crate::server::metrics::{Meter, Metrics};
use crate::server::redis::Shutdown;
use crate::server::redis::acl::{User, Users};
use crate::server::redis::blocked::{Blocked, Ears};
use crate::server::redis::config::Parameters;
use crate::server::redis::saves::Saves;
use crate::server::redis::slow_log::SlowLog;
use crate::server::redis::tally::Tally;
use crate::store::Store;

/// The door, within its thread.
pub(super) struct Door {
    pub(super) store: Store,
    pub(super) address: SocketAddr,
    pub(super) users: Users,
    pub(super) started: Timestamp,
    pub(super) saves: Arc<Saves>,
    pub(super) random: RefCell<fastrand::Rng>,
    pub(super) scans: RefCell<Scans>,
    pub(super) clients: RefCell<BTreeMap<u64, Rc<Client>>>,
    pub(super) blocked: RefCell<Blocked>,
    pub(super) ears: Arc<Ears>,
    pub(super) parameters: Parameters,
    pub(super) slow_log: RefCell<SlowLog>,
    pub(super) meter: Arc<Meter>,
    pub(super) counters: Counters,
    pub(super) tally: Tally,
    /// Which of all servers this is, in hexadecimal.
    pub(super) run_id: String,
    /// What `SHUTDOWN` calls.
    pub(super) shutdown: Option<Shutdown>,
    /// Made for the first script.
    #[cfg(feature = "lua")]
    pub(super) scripting: std::cell::OnceCell<crate::server::redis::scripting::Scripting>,
}

/// What `CLIENT LIST` tells of a client, and how it is told to go.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) since: Timestamp,
    pub(super) user: RefCell<Rc<User>>,
    pub(super) name: RefCell<Vec<u8>>,
    pub(super) library: RefCell<(Vec<u8>, Vec<u8>)>,
    pub(super) database: Cell<usize>,
    pub(super) last_command: Cell<&'static str>,
    pub(super) kill: tokio::sync::Notify,
}

/// What `INFO` counts beside what every door does.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Cell<u64>,
    pub(super) misses: Cell<u64>,
    /// Connections that were turned away.
    pub(super) rejected: Cell<u64>,
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
        self.rejected.set(0);
        self.peak_bytes.set(0);
        self.before.set(before);
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
    /// A random number below `end`, which is not 0.
    pub(super) fn random_below(&self, end: u64) -> u64 {
        self.random.borrow_mut().u64(..end.max(1))
    }
}
