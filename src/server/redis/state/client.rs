//! The clients of a door: what others may know of each, beside what every door knows.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::channel::Gauge;
use crate::clock::Timestamp;
use crate::kv::Watch;
use crate::server::clients;
use crate::server::redis::acl::User;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::state::interim::Interim;
use crate::server::redis::state::session::{Session, Topics};

/// A client of the door.
pub(in crate::server::redis) type Client = clients::Client<Known>;

/// Every client of the door.
pub(in crate::server::redis) type Clients = clients::Clients<Known>;

/// What `CLIENT LIST` shows of a client.
#[derive(Debug)]
pub(in crate::server::redis) struct Known {
    /// Until the connection's task takes it.
    session: RefCell<Option<Session>>,
    pub(in crate::server::redis) interim: Interim,
    pub(in crate::server::redis) user: RefCell<Arc<User>>,
    pub(in crate::server::redis) name: RefCell<Vec<u8>>,
    pub(in crate::server::redis) library: RefCell<(Vec<u8>, Vec<u8>)>,
    pub(in crate::server::redis) seen: Cell<Seen>,
    /// Bytes of replies that wait to be sent.
    pub(in crate::server::redis) waiting_bytes: Cell<usize>,
    /// What waits in the queue of a subscriber.
    pub(in crate::server::redis) inbox: RefCell<Option<Gauge>>,
    pub(in crate::server::redis) topics: Rc<RefCell<Topics>>,
    pub(in crate::server::redis) last_command: Cell<&'static str>,
    pub(in crate::server::redis) is_not_touching: Cell<bool>,
}

impl Known {
    /// That of a client which comes at `at` and begins with `session`.
    pub(in crate::server::redis) fn of(session: Session, at: Timestamp) -> Self {
        let known = Self {
            interim: Interim::default(),
            user: RefCell::new(Arc::clone(&session.user)),
            name: RefCell::default(),
            library: RefCell::default(),
            seen: Cell::new(Seen::of(&session, at)),
            waiting_bytes: Cell::default(),
            inbox: RefCell::default(),
            topics: Rc::clone(&session.topics),
            last_command: Cell::new("NULL"),
            is_not_touching: Cell::default(),
            session: RefCell::new(Some(session)),
        };
        // Nothing has been read yet.
        known.interim.set_at_rest(true);
        known
    }

    /// The session, for the connection's task; `None` if it was taken.
    pub(in crate::server::redis) fn take_session(&self) -> Option<Session> {
        self.session.take()
    }
}

/// What a connection was like after its last requests.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::redis) struct Seen {
    pub(in crate::server::redis) at: Timestamp,
    pub(in crate::server::redis) database: usize,
    pub(in crate::server::redis) protocol: Protocol,
    /// Commands that wait for `EXEC`, and their bytes.
    pub(in crate::server::redis) queued: Option<(usize, usize)>,
    pub(in crate::server::redis) watched_keys: usize,
    pub(in crate::server::redis) is_waiting: bool,
    pub(in crate::server::redis) is_monitor: bool,
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(in crate::server::redis) is_authenticated: bool,
    /// Bytes that wait to be run, and room for more.
    pub(in crate::server::redis) received: (usize, usize),
    /// Bytes that there is room for in replies.
    pub(in crate::server::redis) reply_bytes: usize,
}

impl Seen {
    /// How a session is at `at`, without its buffers.
    pub(in crate::server::redis) fn of(session: &Session, at: Timestamp) -> Self {
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
