//! The Redis door as several clients at once see it: those that wait, those that listen, those that do harm.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod blocking;
mod clients;
mod events;
mod limits;
mod monitor;
mod pause;
#[cfg(feature = "lua")]
mod scripts;
mod server;
mod shard;

use std::time::Duration;

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};
use redis::{Connection, FromRedisValue, RedisResult};

/// A store with its door.
struct Served {
    store: Store,
    server: RedisServer,
}

impl Served {
    fn new() -> Self {
        let store = Store::in_memory();
        let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
        Self { store, server }
    }

    /// A connection whose replies have to come within half a minute.
    fn connect(&self) -> Connection {
        let client = redis::Client::open(format!("redis://{}", self.server.address())).unwrap();
        let connection = client.get_connection().unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        connection
    }

    /// Returns when so many clients wait.
    fn await_blocked(&self, clients: usize) {
        let mut connection = self.connect();
        loop {
            let info: String = ask(&mut connection, "INFO clients").unwrap();
            if info.contains(&format!("blocked_clients:{clients}\r")) {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Sends a command, whose words are divided by spaces.
fn ask<T: FromRedisValue>(connection: &mut Connection, command: &str) -> RedisResult<T> {
    let mut words = command.split(' ');
    let mut request = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        request.arg(word);
    });
    request.query(connection)
}
