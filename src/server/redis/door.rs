//! What all connections of one door share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::clock::Timestamp;
use crate::limits;
use crate::server::redis::acl::{User, Users};
use crate::store::Store;

/// The door, within its thread.
pub(super) struct Door {
    pub(super) store: Store,
    pub(super) address: SocketAddr,
    pub(super) users: Users,
    pub(super) started: Timestamp,
    pub(super) last_save: Cell<Timestamp>,
    pub(super) random: RefCell<fastrand::Rng>,
    pub(super) scans: RefCell<Scans>,
    pub(super) clients: RefCell<BTreeMap<u64, Rc<Client>>>,
    pub(super) parameters: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
    pub(super) counters: Counters,
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

/// What `INFO` counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: Cell<u64>,
    pub(super) commands: Cell<u64>,
    pub(super) errors: Cell<u64>,
    pub(super) hits: Cell<u64>,
    pub(super) misses: Cell<u64>,
    pub(super) read_bytes: Cell<u64>,
    pub(super) written_bytes: Cell<u64>,
}

impl Counters {
    pub(super) fn add(cell: &Cell<u64>, more: u64) {
        cell.set(cell.get().wrapping_add(more));
    }

    /// Begins to count anew.
    pub(super) fn reset(&self) {
        for cell in [&self.commands, &self.errors, &self.hits, &self.misses, &self.read_bytes, &self.written_bytes] {
            cell.set(0);
        }
    }

    pub(super) fn lookup(&self, found: bool) {
        Self::add(if found { &self.hits } else { &self.misses }, 1);
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
