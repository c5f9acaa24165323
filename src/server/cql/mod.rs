//! The door for CQL clients: the native protocol of Cassandra, versions 4 and 5, on a local socket.
//!
//! # How it works
//! One thread has all connections; statements run on a small pool, reads on snapshots side by side, writers one after the other. A
//! reply waits until what its statement has written is durable, and for no other reply: each has the number of its request.
//!
//! # Invariants
//! 1. No client learns of a commit before it is durable.
//! 2. Bytes that are no request end the connection they came on, and no other. A panic of a statement is an error of that statement.
//! 3. What is not modelled is refused by name.
//!
//! # Source
//! Cassandra's documentation: *CQL binary protocol*, versions 4 and 5. What is there, and what differs, is in
//! `docs/compatibility/cassandra.md`.

mod frame;
mod options;
mod paging;
mod prepared;
mod prepared_id;
mod protocol;
mod run;
mod specified;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::server::address::{Address, ListenError};
use crate::server::door::{Door, Kind};
use crate::server::meters::Meters;
use crate::server::metrics::Metrics;
use crate::server::tally::Tally;
use crate::store::Store;
pub use options::CqlOptions;
use state::State;

/// Threads that run statements.
const POOL_THREADS: usize = 8;

/// A door for CQL clients. Dropping it closes it.
///
/// # Examples
/// ```
/// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
/// let store = Store::in_memory();
/// let server = CqlServer::start(&store, &CqlOptions::default())?;
/// println!("{}", server.address());
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Debug)]
pub struct CqlServer {
    door: Door,
    tally: Arc<Tally>,
}

impl CqlServer {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// [`ListenError`] when the address is taken, is none of this machine's, or can be reached from others while there is no
    /// user; when a name or password is empty; or when the system gives no thread.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
    /// let store = Store::in_memory();
    /// let server = CqlServer::start(&store, &CqlOptions::default())?;
    /// let again = CqlOptions::default().address(server.address().clone());
    /// assert!(CqlServer::start(&store, &again).is_err(), "the port is taken");
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn start(store: &Store, options: &CqlOptions) -> Result<Self, ListenError> {
        let users = options.users()?;
        let state = Arc::new(State::new(store.clone(), options, users));
        let tally = Arc::new(Tally::new(protocol::operation_names()));
        let kind = Kind { name: "cql", threads: 1, pool_threads: POOL_THREADS };
        let (shared, counts) = (Arc::clone(&state), Arc::clone(&tally));
        let door = Door::open(&kind, store, &options.door, move |local| {
            protocol::Door::new(Arc::clone(&shared), Arc::clone(&counts), local)
        })?;
        Ok(Self { door, tally })
    }

    /// Returns where it listens.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
    /// let server = CqlServer::start(&Store::in_memory(), &CqlOptions::default())?;
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
    /// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
    /// let server = CqlServer::start(&Store::in_memory(), &CqlOptions::default())?;
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
    /// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
    /// let meters = CqlServer::start(&Store::in_memory(), &CqlOptions::default())?.meters();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn meters(&self) -> Meters {
        let shared = Arc::clone(self.door.shared());
        let meters = Meters::new("cassandra", "wide_column", Arc::clone(&shared.meter));
        let meters = meters.with_connected(move || shared.connected());
        meters.add(Arc::clone(&self.tally));
        meters
    }

    /// Closes the door: what has arrived is run and answered, for at most
    /// [`CLOSING_MS_MAX`](crate::limits::CLOSING_MS_MAX), and connections are closed. The store stays open.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::cql::{CqlOptions, CqlServer}};
    /// let server = CqlServer::start(&Store::in_memory(), &CqlOptions::default())?;
    /// server.close();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn close(self) {
        drop(self);
    }
}

/// Returns the replies of a door to the frames of one client, which are run one after the other, without a connection: the handshake
/// is over, and what is no statement is passed over.
///
/// For fuzzing: it needs no socket.
///
/// # Errors
/// Those of the store. Bytes that are no frame end what is read, and are no error.
#[doc(hidden)]
pub fn answer(store: &Store, bytes: &[u8]) -> crate::error::Result<Vec<u8>> {
    use frame::{HEADER_BYTES, Header, Operation, Segment};
    let options = CqlOptions::default();
    let users = crate::server::users::Users::new(crate::server::users::Account::open(crate::server::users::Everything));
    let state = State::new(store.clone(), &options, users);
    let session = state::Session::default();
    // As segments they are only read.
    for compresses in [false, true] {
        let mut rest = bytes;
        while let Ok(Some(segment)) = Segment::read(rest, compresses) {
            rest = rest.get(segment.length..).unwrap_or_default();
        }
    }
    let (mut rest, mut replies) = (bytes, Vec::new());
    while let Ok(Some(header)) = Header::read(rest)
        && let Some((frame, later)) = rest.split_at_checked(HEADER_BYTES + header.length)
    {
        rest = later;
        let Header { version, flags, operation, stream, .. } = header;
        if matches!(operation, Operation::Query | Operation::Prepare | Operation::Execute | Operation::Batch) {
            let body = frame.get(HEADER_BYTES..).unwrap_or_default().to_vec();
            let outcome = run::run(&state, &session, &run::Work { version, flags, operation, body });
            outcome.pending.as_ref().map_or(Ok(()), crate::txn::Pending::settle)?;
            replies.extend(outcome.reply.frame(version, stream, false).unwrap_or_default());
            if outcome.is_last {
                break;
            }
        }
    }
    Ok(replies)
}
