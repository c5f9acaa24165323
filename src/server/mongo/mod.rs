//! The door for MongoDB clients: `OP_MSG` on a local socket.

mod client;
mod command;
mod commands;
mod connection;
mod cursors;
mod door;
mod fail_points;
mod failure;
mod fields;
mod run;
mod sessions;
mod topology;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::LocalSet;

use crate::server::listener::{Address, ListenError, accept};
use crate::server::worker::{Worker, drain};
use crate::store::Store;
use client::Client;
use door::Door;

/// A door for MongoDB clients. Dropping it closes it.
#[derive(Debug)]
pub struct MongoServer {
    address: SocketAddr,
    _worker: Worker,
}

impl MongoServer {
    /// Opens a door to `store`.
    pub fn start(store: &Store, address: Address, is_standalone: bool, is_for_tests: bool) -> Result<Self, ListenError> {
        let listener = address.listen()?;
        let address = listener.local_addr().map_err(|error| ListenError(error.to_string()))?;
        let door = Arc::new(Door::new(store.clone(), is_standalone, is_for_tests, 7));
        let serve = move |stopped: tokio::sync::oneshot::Receiver<()>| {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build() else {
                return;
            };
            let connections = LocalSet::new();
            let mut ids = 0;
            connections.block_on(&runtime, async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, |stream, peer| {
                        ids += 1;
                        let client = Arc::new(Client::new(ids, peer.to_string(), address.to_string()));
                        let _ = stream.set_nodelay(true);
                        tokio::task::spawn_local(connection::serve(Arc::clone(&door), client, stream));
                    }) => {}
                }
            });
            drain(&runtime, connections);
        };
        let worker = Worker::start("larder-mongo", serve).map_err(|error| ListenError(error.to_string()))?;
        Ok(Self { address, _worker: worker })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
