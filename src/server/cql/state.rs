//! What the connections of a CQL door share.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::server::cql::options::CqlOptions;
use crate::server::cql::paging::Seal;
use crate::server::cql::prepared::Table;
use crate::server::users::{Everything, Users};
use crate::store::Store;
use crate::wide_column::role::{Actor, RoleActor};

/// The state of a door. Requests run on several threads; each part has a lock of its own, held for a moment.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) users: Users<Everything>,
    /// Their names.
    configured: Arc<BTreeSet<String>>,
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
        let configured = Arc::new(options.names());
        Self { store, users, configured, prepared: Table::default(), seal: Seal::new(&key) }
    }

    /// Whether the door was opened with a user of this name.
    pub(super) fn is_configured(&self, name: &str) -> bool {
        self.configured.contains(name)
    }

    /// The role `name`, as one that runs statements here.
    pub(super) fn role(&self, name: &str) -> RoleActor {
        RoleActor { name: name.into(), configured: Arc::clone(&self.configured) }
    }
}

/// What a connection keeps between its requests.
#[derive(Debug)]
pub(super) struct Session {
    keyspace: Mutex<Option<String>>,
    actor: Mutex<Actor>,
}

impl Default for Session {
    /// One of a client that was not asked who it is, or not yet.
    fn default() -> Self {
        Self { keyspace: Mutex::default(), actor: Mutex::new(Actor::Anonymous) }
    }
}

impl Session {
    /// The keyspace of names that say none.
    pub(super) fn keyspace(&self) -> Option<String> {
        self.keyspace.lock().clone()
    }

    pub(super) fn set_keyspace(&self, keyspace: &str) {
        *self.keyspace.lock() = Some(keyspace.to_owned());
    }

    /// Who runs the statements of the client.
    pub(super) fn actor(&self) -> Actor {
        self.actor.lock().clone()
    }

    /// The client is this role from now on.
    pub(super) fn log_in(&self, role: RoleActor) {
        *self.actor.lock() = Actor::Role(role);
    }

    /// Whether the client has said who it is.
    pub(super) fn is_logged_in(&self) -> bool {
        self.actor.lock().role().is_some()
    }
}
