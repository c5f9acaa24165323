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
pub(crate) type Client = clients::Client<Known>;

/// Every client of the door.
pub(crate) type Clients = clients::Clients<Known>;

/// What `CLIENT LIST` shows of a client.
#[derive(Debug)]
pub(crate) struct Known {
    /// Until the connection's task takes it.
    session: RefCell<Option<Session>>,
    pub(crate) interim: Interim,
    pub(crate) user: RefCell<Arc<User>>,
    pub(crate) name: RefCell<Vec<u8>>,
    pub(crate) library: RefCell<(Vec<u8>, Vec<u8>)>,
    pub(crate) seen: Cell<Seen>,
    /// Bytes of replies that wait to be sent.
    pub(crate) waiting_bytes: Cell<usize>,
    /// What waits in the queue of a subscriber.
    pub(crate) inbox: RefCell<Option<Gauge>>,
    pub(crate) topics: Rc<RefCell<Topics>>,
    pub(crate) last_command: Cell<&'static str>,
    pub(crate) is_not_touching: Cell<bool>,
}

impl Known {
    /// That of a client which comes at `at` and begins with `session`.
    pub(crate) fn of(session: Session, at: Timestamp) -> Self {
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
    pub(crate) fn take_session(&self) -> Option<Session> {
        self.session.take()
    }
}

/// What a connection was like after its last requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    pub(crate) database: usize,
    pub(crate) protocol: Protocol,
    /// Commands that wait for `EXEC`, and their bytes.
    pub(crate) queued: Option<(usize, usize)>,
    pub(crate) watched_keys: usize,
    pub(crate) is_waiting: bool,
    pub(crate) is_monitor: bool,
    pub(crate) is_authenticated: bool,
    /// Bytes that wait to be run, and room for more.
    pub(crate) received: (usize, usize),
    /// Bytes that there is room for in replies.
    pub(crate) reply_bytes: usize,
}

impl Seen {
    /// How a session is at `at`, without its buffers.
    pub(crate) fn of(session: &Session, at: Timestamp) -> Self {
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
