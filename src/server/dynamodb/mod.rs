//! The door for `DynamoDB` clients: JSON over HTTP.
//!
//! # How it works
//! [`DynamoDb`] is a function from request to response. [`DynamoDbServer`] calls it for what comes in on a socket: a few
//! threads share one listener, operations run on a small pool, and a response waits until what it tells of is durable.
//!
//! A request is read once into a tree (`json`); its members are checked against a table of the service's own model
//! (`constraints`), read into a request of the model (`requests`), and run (`operations`). What comes of it is
//! written straight into the body (`responses`). How a fault is worded is the dialect's (`dialect`).
//!
//! # Invariants
//! 1. No client learns of a commit before it is durable.
//! 2. Every operation of the service is run, or refused by name. So is every member of a request that is run.
//! 3. A body is not read beyond its limit, and no depth of it uses up the stack.
//!
//! # Source
//! `DynamoDB` API Reference; *AWS Signature Version 4 for API requests*. What differs is in
//! `docs/compatibility/dynamodb.md`.

mod answer;
mod constraints;
mod dialect;
mod failure;
mod faults;
mod ids;
mod json;
mod operations;
mod options;
mod protocol;
mod requests;
mod responses;
mod signature;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

pub use answer::DynamoDb;
pub use options::DynamoDbOptions;

use crate::server::address::{Address, ListenError};
use crate::server::door::{Door, Kind};
use crate::server::meters::Meters;
use crate::server::metrics::Metrics;
use crate::server::tally::Tally;
use crate::store::Store;
use protocol::Serving;

/// Threads that run operations.
const POOL_THREADS: usize = 8;

/// A door for `DynamoDB` clients. Dropping it closes it.
///
/// # Examples
/// ```
/// use larder::{Store, server::dynamodb::{DynamoDbOptions, DynamoDbServer}};
/// let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default())?;
/// println!("http://{}", server.address());
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Debug)]
pub struct DynamoDbServer {
    door: Door,
    meters: Meters,
}

impl DynamoDbServer {
    /// Opens a door to `store`.
    ///
    /// # Errors
    /// [`ListenError`] when the address is taken, is none of this machine's, or can be reached from others while there is
    /// no key; when a key or secret is empty; or when the system gives no thread.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::dynamodb::{DynamoDbOptions, DynamoDbServer}};
    /// let store = Store::in_memory();
    /// let server = DynamoDbServer::start(&store, &DynamoDbOptions::default())?;
    /// let again = DynamoDbOptions::default().address(server.address().clone());
    /// assert!(DynamoDbServer::start(&store, &again).is_err(), "the port is taken");
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn start(store: &Store, options: &DynamoDbOptions) -> Result<Self, ListenError> {
        options.check()?;
        let service = DynamoDb::new(store, options);
        let names = protocol::names();
        // Made before there is a door, whose threads each add what they count.
        let tallies: Vec<_> = (0..options.threads).map(|_| Arc::new(Tally::new(Arc::clone(&names)))).collect();
        let kind = Kind { name: "dynamodb", threads: options.threads, pool_threads: POOL_THREADS };
        let waiting = parking_lot::Mutex::new(tallies.clone());
        let door = Door::open(&kind, store, &options.door, move |local| {
            let tally = waiting.lock().pop().unwrap_or_else(|| Arc::new(Tally::new(Arc::clone(&names))));
            Serving::new(service.clone(), tally, local)
        })?;
        let meters = Meters::new("aws.dynamodb", "item", Arc::clone(&door.shared().meter));
        for tally in tallies {
            meters.add(tally);
        }
        Ok(Self { door, meters })
    }

    /// Returns where it listens; the port is the real one.
    ///
    /// # Examples
    /// See [`DynamoDbServer`].
    #[must_use]
    pub fn address(&self) -> &Address {
        self.door.address()
    }

    /// Returns what it has done so far. Bytes are those of bodies.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::dynamodb::{DynamoDbOptions, DynamoDbServer}};
    /// let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default())?;
    /// assert_eq!(server.metrics().requests, 0);
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.door.metrics()
    }

    /// Returns what it counts, for whoever publishes it.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::dynamodb::{DynamoDbOptions, DynamoDbServer}};
    /// let server = DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default())?;
    /// let _meters = server.meters();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn meters(&self) -> Meters {
        self.meters.clone()
    }

    /// Closes the door: requests that have arrived are answered. The store stays open.
    ///
    /// # Examples
    /// ```
    /// use larder::{Store, server::dynamodb::{DynamoDbOptions, DynamoDbServer}};
    /// DynamoDbServer::start(&Store::in_memory(), &DynamoDbOptions::default())?.close();
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn close(self) {
        drop(self);
    }
}
