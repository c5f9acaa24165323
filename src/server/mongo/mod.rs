//! The door for MongoDB clients: `OP_MSG` on a local socket.
//!
//! # How it works
//! One thread has all connections; commands run on a small pool, reads on snapshots side by side, writers one after the other. A reply
//! waits until what its command has written is durable.
//!
//! # Invariants
//! 1. No client learns of a commit before it is durable.
//! 2. Malformed messages end the connection they came on, and no other. So does a panic of the connection; a panic of a command is
//!    an error of that command.
//! 3. What a command takes is checked by its table before it runs; what is not modelled is refused by name.
//!
//! # Source
//! MongoDB manual, wire protocol and database commands, version 7.0. What is there, and what differs, is in
//! `docs/compatibility/mongodb.md`.

mod api;
mod client;
mod command;
mod commands;
mod concerns;
mod conversation;
mod cursors;
mod fail_points;
mod failure;
mod fields;
mod operations;
mod options;
mod protocol;
mod run;
mod sessions;
mod state;
mod topology;
mod usage;
mod wire;

use std::sync::Arc;

use crate::server::address::{Address, ListenError};
use crate::server::door::{Door, Kind};
use crate::server::meters::Meters;
use crate::server::metrics::Metrics;
use crate::server::tally::Tally;
use crate::server::users::{Account, Everything, Users};
use crate::store::Store;
use client::Client;
pub use options::MongoOptions;
use protocol::Mongo;
use run::Next;
use state::State;

/// Threads that run commands.
const POOL_THREADS: usize = 8;

/// A door for MongoDB clients. Dropping it closes it.
///
/// # Examples
/// ```
/// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
/// let store = Store::in_memory();
/// let server = MongoServer::start(&store, &MongoOptions::default())?;
/// println!("mongodb://{}", server.address());
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Debug)]
pub struct MongoServer {
    door: Door,
    tally: Arc<Tally>,
}

impl MongoServer {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// [`ListenError`] when the address is taken, is none of this machine's, or can be reached from others while there is no
    /// user; when a name or password is empty; or when the system gives no thread.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
    /// let store = Store::in_memory();
    /// let server = MongoServer::start(&store, &MongoOptions::default())?;
    /// let again = MongoOptions::default().address(server.address().clone());
    /// assert!(MongoServer::start(&store, &again).is_err(), "the port is taken");
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn start(store: &Store, options: &MongoOptions) -> Result<Self, ListenError> {
        let users = options.users()?;
        options.door.check(users.default_user().is_open())?;
        let state = Arc::new(State::new(store.clone(), options, users));
        let tally = Arc::new(Tally::new(commands::names()));
        let kind = Kind { name: "mongo", threads: 1, pool_threads: POOL_THREADS };
        let (shared, counts) = (Arc::clone(&state), Arc::clone(&tally));
        let door = Door::open(&kind, store, &options.door, move |local| {
            Mongo::new(Arc::clone(&shared), Arc::clone(&counts), local)
        })?;
        Ok(Self { door, tally })
    }

    /// Returns where it listens.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
    /// let server = MongoServer::start(&Store::in_memory(), &MongoOptions::default())?;
    /// assert!(server.address().socket_addr().unwrap().port() > 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> &Address {
        self.door.address()
    }

    /// Returns what it has done so far.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
    /// let server = MongoServer::start(&Store::in_memory(), &MongoOptions::default())?;
    /// assert_eq!(server.metrics().connections, 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.door.metrics()
    }

    /// Returns what it counts, for whoever publishes that.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
    /// let meters = MongoServer::start(&Store::in_memory(), &MongoOptions::default())?.meters();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn meters(&self) -> Meters {
        let shared = Arc::clone(self.door.shared());
        let meters = Meters::new("mongodb", "document", Arc::clone(&shared.meter));
        let meters = meters.with_connected(move || shared.connected());
        meters.add(Arc::clone(&self.tally));
        meters
    }

    /// Closes the door: what has arrived is run and answered, for at most
    /// [`CLOSING_MS_MAX`](crate::limits::CLOSING_MS_MAX), and connections are closed. The store stays open.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::mongo::{MongoOptions, MongoServer}};
    /// let server = MongoServer::start(&Store::in_memory(), &MongoOptions::default())?;
    /// server.close();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn close(self) {
        drop(self);
    }
}

/// Returns the replies of a door to the bytes of one client, which sends nothing after them. Waits are passed over.
///
/// For fuzzing: it needs no socket.
///
/// # Errors
/// Those of the store. Bytes that are no message end what is read, and are no error.
#[doc(hidden)]
pub fn answer(store: &Store, bytes: &[u8]) -> crate::error::Result<Vec<u8>> {
    let options = MongoOptions::default().seed(0).enable_test_commands();
    let users = options.users().unwrap_or_else(|_| Users::new(Account::open(Everything)));
    let door = State::new(store.clone(), &options, users);
    let client = Client::new(1, "127.0.0.1:1".to_owned(), "127.0.0.1:27017".to_owned());
    let (mut rest, mut replies, mut waited) = (bytes, Vec::new(), None);
    while let Ok(Some(length)) = wire::length(rest)
        && let Some((message, later)) = rest.split_at_checked(length)
    {
        match run::run(&door, &client, message, waited.take(), &mut replies).map(|outcome| outcome.next) {
            Ok(Next::GoOn(pending)) => {
                pending.as_ref().map_or(Ok(()), crate::txn::Pending::settle)?;
                rest = later;
            }
            Ok(Next::WaitFor(_, fault)) => waited = Some(fault),
            Ok(Next::End) | Err(_) => break,
        }
    }
    Ok(replies)
}
