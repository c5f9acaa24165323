//! What the connections of a MongoDB door share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bson::Uuid;
use bson::oid::ObjectId;

use crate::clock::{Stopwatch, Timestamp};
use crate::encoding::mix::mix;
use crate::server::mongo::cursors::Cursors;
use crate::server::mongo::fail_points::FailPoints;
use crate::server::mongo::operations::Operations;
use crate::server::mongo::options::MongoOptions;
use crate::server::mongo::sessions::Sessions;
use crate::server::mongo::topology::Topology;
use crate::server::mongo::usage::Usage;
use crate::server::users::{Everything, Users};
use crate::store::Store;

/// The state of a door. Commands run on several threads; each part has a lock of its own, held for a moment.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) cursors: Cursors,
    pub(super) sessions: Sessions,
    pub(super) topology: Topology,
    pub(super) operations: Operations,
    pub(super) usage: Usage,
    /// Of a door for tests.
    pub(super) fail_points: Option<FailPoints>,
    pub(super) opened: Stopwatch,
    pub(super) counts: Counts,
    /// Connections there are.
    pub(super) connected: AtomicUsize,
    pub(super) users: Users<Everything>,
    /// What clients who name nobody are told instead of a user's salt is made with this.
    pub(super) secret: u64,
}

/// What `serverStatus` counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) insert: AtomicU64,
    pub(super) query: AtomicU64,
    pub(super) update: AtomicU64,
    pub(super) delete: AtomicU64,
    pub(super) getmore: AtomicU64,
    pub(super) command: AtomicU64,
}

impl Counts {
    /// Counts one command by its name.
    pub(super) fn note(&self, command: &str) {
        let count = match command {
            "insert" => &self.insert,
            "find" => &self.query,
            "update" => &self.update,
            "delete" => &self.delete,
            "getMore" => &self.getmore,
            _ => &self.command,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts a connection until it is dropped.
#[derive(Debug)]
pub(super) struct Connected(Arc<State>);

impl Connected {
    pub(super) fn new(state: &Arc<State>) -> Self {
        state.connected.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(state))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    /// The state of a door to `store` that is opened now.
    pub(super) fn new(store: Store, options: &MongoOptions, users: Users<Everything>) -> Self {
        let now = store.now();
        let mut random = fastrand::Rng::with_seed(options.door.seed_or_random());
        let mut process = [0; 12];
        random.fill(&mut process);
        Self {
            cursors: Cursors::new(random.u64(..)),
            sessions: Sessions::default(),
            operations: Operations::default(),
            usage: Usage::default(),
            topology: Topology::new(options.is_standalone, ObjectId::from_bytes(process), now),
            fail_points: options.is_for_tests.then(FailPoints::default),
            opened: Stopwatch::start(),
            counts: Counts::default(),
            connected: AtomicUsize::new(0),
            users,
            secret: random.u64(..),
            store,
        }
    }

    /// The store's time.
    pub(super) fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// An identifier for a session: of version 4, from the store's seeded numbers.
    pub(super) fn new_session_id(&self) -> Uuid {
        let halves = [self.store.unique_number(), self.store.unique_number()];
        let mut bytes = [0; 16];
        for (half, place) in halves.iter().zip(bytes.chunks_exact_mut(8)) {
            place.copy_from_slice(&mix(*half).to_be_bytes());
        }
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid::from_bytes(bytes)
    }

    /// Ends cursors and sessions that were not used for long.
    pub(super) fn sweep(&self) {
        let now = self.now();
        self.cursors.sweep(now);
        let ended = self.sessions.sweep(now);
        if !ended.is_empty() {
            self.cursors.kill_of_sessions(&ended);
        }
    }
}
