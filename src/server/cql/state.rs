//! What the connections of a CQL door share.

use std::fmt;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::server::cql::options::CqlOptions;
use crate::server::cql::paging::Seal;
use crate::server::cql::prepared::Table;
use crate::server::users::{Everything, Users};
use crate::store::Store;

/// The state of a door. Requests run on several threads; each part has a lock of its own, held for a moment.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) users: Users<Everything>,
    pub(super) prepared: Table,
    pub(super) seal: Option<Seal>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("prepared", &self.prepared).finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn new(store: Store, options: &CqlOptions, users: Users<Everything>) -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // Without randomness of the system, what hash maps are seeded with is the next best.
            key = Sha256::digest(options.door.seed_or_random().to_be_bytes()).into();
        }
        Self { store, users, prepared: Table::default(), seal: Seal::new(&key) }
    }
}

/// What a connection keeps between its requests.
#[derive(Debug, Default)]
pub(super) struct Session {
    keyspace: Mutex<Option<String>>,
}

impl Session {
    /// The keyspace of names that say none.
    pub(super) fn keyspace(&self) -> Option<String> {
        self.keyspace.lock().clone()
    }

    pub(super) fn set_keyspace(&self, keyspace: &str) {
        *self.keyspace.lock() = Some(keyspace.to_owned());
    }
}
