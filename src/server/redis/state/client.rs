//! The clients of a door: what others may know of each, and how it is disconnected.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::channel::Gauge;
use crate::clock::Timestamp;
use crate::kv::Watch;
use crate::server::redis::acl::User;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::state::interim::Interim;
use crate::server::redis::state::session::{Session, Topics};

/// What `CLIENT LIST` shows of a client, and how it is disconnected.
#[derive(Debug)]
pub(in crate::server::redis) struct Client {
    pub(in crate::server::redis) address: SocketAddr,
    /// The door's end of the connection.
    pub(in crate::server::redis) local: SocketAddr,
    /// The connection's socket, for who looks at it while the connection's task cannot run.
    #[cfg_attr(not(feature = "lua"), allow(dead_code, reason = "only scripts run for so long"))]
    pub(in crate::server::redis) stream: Weak<TcpStream>,
    pub(in crate::server::redis) interim: Interim,
    /// The number that the system has for the socket; -1 where there is none.
    pub(in crate::server::redis) socket: i32,
    pub(in crate::server::redis) since: Timestamp,
    pub(in crate::server::redis) user: RefCell<Arc<User>>,
    pub(in crate::server::redis) name: RefCell<Vec<u8>>,
    pub(in crate::server::redis) library: RefCell<(Vec<u8>, Vec<u8>)>,
    pub(in crate::server::redis) seen: Cell<Seen>,
    /// What the connection takes up, in bytes.
    pub(in crate::server::redis) bytes: Cell<usize>,
    /// Bytes of replies that wait to be sent.
    pub(in crate::server::redis) waiting_bytes: Cell<usize>,
    /// What waits in the queue of a subscriber.
    pub(in crate::server::redis) inbox: RefCell<Option<Gauge>>,
    pub(in crate::server::redis) topics: Rc<RefCell<Topics>>,
    pub(in crate::server::redis) last_command: Cell<&'static str>,
    pub(in crate::server::redis) is_not_evicted: Cell<bool>,
    pub(in crate::server::redis) is_not_touching: Cell<bool>,
    /// Ends the connection when what has begun is answered.
    pub(in crate::server::redis) kill: tokio::sync::Notify,
    /// Ends it even if the client does not read what is being sent.
    pub(in crate::server::redis) cut: tokio::sync::Notify,
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

impl Client {
    /// Disconnects the client, whatever it does.
    pub(in crate::server::redis) fn end(&self) {
        self.kill.notify_one();
        self.cut.notify_one();
    }
}
