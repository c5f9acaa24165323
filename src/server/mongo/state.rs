//! What the connections of a MongoDB door share.

use std::sync::atomic::{AtomicU64, Ordering};

use bson::oid::ObjectId;

use crate::clock::{Stopwatch, Timestamp};
use crate::server::mongo::cursors::Cursors;
use crate::server::mongo::fail_points::FailPoints;
use crate::server::mongo::options::MongoOptions;
use crate::server::mongo::sessions::Sessions;
use crate::server::mongo::topology::Topology;
use crate::server::users::{Everything, Users};
use crate::store::Store;

/// The state of a door. Commands run on several threads; each part has a lock of its own, held for a moment.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) cursors: Cursors,
    pub(super) sessions: Sessions,
    pub(super) topology: Topology,
    /// Of a door for tests.
    pub(super) fail_points: Option<FailPoints>,
    pub(super) opened: Stopwatch,
    pub(super) counts: Counts,
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
            topology: Topology::new(options.is_standalone, ObjectId::from_bytes(process), now),
            fail_points: options.is_for_tests.then(FailPoints::default),
            opened: Stopwatch::start(),
            counts: Counts::default(),
            users,
            secret: random.u64(..),
            store,
        }
    }

    /// The store's time.
    pub(super) fn now(&self) -> Timestamp {
        self.store.now()
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
