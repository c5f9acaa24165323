//! What the door knows of one connection.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::channel::Subscriber;
use crate::kv::Kind;
use crate::kv::Watch;
use crate::server::redis::acl::User;
use crate::server::redis::frame::reply::Protocol;
use crate::server::redis::state::monitor::Outbox;

/// A place in the order of those who wait.
pub(crate) type Place = u64;

/// The state that a client's commands set and depend on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) database: usize,
    pub(crate) protocol: Protocol,
    pub(crate) name: Vec<u8>,
    pub(crate) library_name: Vec<u8>,
    pub(crate) library_version: Vec<u8>,
    pub(crate) is_authenticated: bool,
    /// Whose rights the client has.
    pub(crate) user: Arc<User>,
    pub(crate) queue: Option<Queue>,
    /// What each `WATCH` named.
    pub(crate) watched: Vec<Watch>,
    /// Where messages come, once something was subscribed to.
    pub(crate) subscriber: Option<Subscriber>,
    /// Shared with what the door knows of the client.
    pub(crate) topics: Rc<RefCell<Topics>>,
    /// Where the requests of all clients come, after `MONITOR`.
    pub(crate) outbox: Option<Rc<Outbox>>,
    pub(crate) silence: Silence,
    /// The command that ran last has nothing to give yet.
    pub(crate) waiting: Option<Waiting>,
    /// Since the command that ran last has nothing to give, the client waits.
    pub(crate) blocked: Option<Wait>,
    /// The command that the client was last shown to run, and whether it asked then that its requests be no uses of keys.
    pub(crate) shown: (&'static str, bool),
    /// The next request is to wait for the end of a `CLIENT PAUSE`.
    pub(crate) is_paused: bool,
    /// The connection ends when what was written has been sent.
    pub(crate) is_closing: bool,
}

/// Commands that wait for `EXEC`.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) commands: Vec<Vec<Vec<u8>>>,
    /// The memory that they take, by [`Queue::cost`].
    pub(crate) bytes: usize,
    /// One of them was refused, and so all will be.
    pub(crate) is_spoilt: bool,
}

/// What an allocation takes beside what it was asked for, at most, in bytes.
const ALLOCATION_BYTES: usize = 32;

impl Queue {
    /// The memory that a command takes in a queue, in bytes.
    pub(crate) fn cost(words: &[&[u8]]) -> usize {
        let each = size_of::<Vec<u8>>() + ALLOCATION_BYTES;
        let words: usize = words.iter().map(|word| word.len() + each).sum();
        words + each
    }
}

/// A command that is to run again when one of its keys has something.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// What it waits for.
    pub(crate) wants: Wants,
    /// Its words before the key and behind it, when it runs for one of its keys.
    pub(crate) before: Vec<Vec<u8>>,
    pub(crate) after: Vec<Vec<u8>>,
    pub(crate) keys: Vec<Awaited>,
    /// For how long; `None` waits without an end.
    pub(crate) timeout: Option<Duration>,
}

/// What a key has to have for a command that waits to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A value of this kind.
    Kind(Kind),
    /// Whatever it has: a group is waited for that may be gone.
    Anything,
}

/// A key that is waited for.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) key: Vec<u8>,
    /// What belongs to the key among the words: an id, if anything.
    pub(crate) id: Option<Vec<u8>>,
}

impl Waiting {
    /// The command as it runs for the key at a place.
    pub(crate) fn words(&self, at: usize) -> Vec<&[u8]> {
        let key = self.keys.get(at).into_iter().flat_map(|awaited| std::iter::once(&awaited.key).chain(&awaited.id));
        self.before.iter().chain(key).chain(&self.after).map(Vec::as_slice).collect()
    }
}

/// A client's waiting.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) place: Place,
    /// Where the reply comes; an empty one stands for the end of the time.
    pub(crate) answered: oneshot::Receiver<Vec<u8>>,
    /// By the time of the system: a clock that stands still holds no client up for ever.
    pub(crate) deadline: Option<Instant>,
    /// The reply at the end of the time.
    pub(crate) nil: Vec<u8>,
    /// The client wants no reply to the command that waits.
    pub(crate) is_silent: bool,
}

/// What commands that were taken back may have changed of a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    database: usize,
    protocol: Protocol,
    is_authenticated: bool,
    user: *const User,
    name: *const u8,
    silence: Silence,
    topics: [usize; 3],
    is_monitor: bool,
    /// Commands that wait for `EXEC`, and keys that are watched.
    transaction: (Option<usize>, usize),
}

impl State {
    /// Whether a client to which every request since `before` was refused can go on: what it knows of the session is
    /// still so. A transaction that it has ended is over, whatever became of it.
    pub(crate) fn is_as(&self, before: &Self) -> bool {
        let over = (None, 0);
        let is_transaction_known = self.transaction == before.transaction || self.transaction == over;
        is_transaction_known && *self == Self { transaction: self.transaction, ..*before }
    }
}

/// What a client has subscribed to.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    pub(crate) channels: BTreeSet<Vec<u8>>,
    pub(crate) patterns: BTreeSet<Vec<u8>>,
    pub(crate) shards: BTreeSet<Vec<u8>>,
}

impl Topics {
    pub(crate) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.shards.is_empty()
    }
}

/// What `CLIENT REPLY` has turned off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Silence {
    #[default]
    No,
    /// The reply to the command that comes next.
    Next,
    /// The reply to this command.
    This,
    All,
}

impl Session {
    /// That of a new connection of the user `user`, who is `default`.
    pub(crate) fn new(id: u64, user: Arc<User>) -> Self {
        let is_authenticated = user.is_open();
        Self {
            id,
            database: 0,
            protocol: Protocol::default(),
            name: Vec::new(),
            library_name: Vec::new(),
            library_version: Vec::new(),
            is_authenticated,
            user,
            queue: None,
            watched: Vec::new(),
            subscriber: None,
            topics: Rc::default(),
            outbox: None,
            silence: Silence::default(),
            waiting: None,
            blocked: None,
            shown: ("", false),
            is_paused: false,
            is_closing: false,
        }
    }

    /// What the client knows of it.
    pub(crate) fn state(&self) -> State {
        let topics = self.topics.borrow();
        let watched = self.watched.iter().map(Watch::len).sum();
        State {
            database: self.database,
            protocol: self.protocol,
            is_authenticated: self.is_authenticated,
            user: Arc::as_ptr(&self.user),
            name: self.name.as_ptr(),
            silence: self.silence,
            topics: [topics.channels.len(), topics.patterns.len(), topics.shards.len()],
            is_monitor: self.outbox.is_some(),
            transaction: (self.queue.as_ref().map(|queue| queue.commands.len()), watched),
        }
    }

    /// Whether the next request would be answered at once, whatever came before.
    pub(crate) fn is_plain(&self) -> bool {
        self.silence == Silence::No && self.blocked.is_none() && !self.is_closing
    }

    /// Whether only commands about subscriptions may be sent: in RESP2, while there are any.
    pub(crate) fn is_subscriber_only(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriber.is_some() && !self.topics.borrow().is_empty()
    }
}
