//! The Redis door as several clients at once see it: those that wait, those that listen, those that do harm.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod blocking;
mod clients;
mod events;
mod limits;
mod monitor;
mod parameters;
mod pause;
mod replies;
mod rights;
#[cfg(feature = "lua")]
mod scripts;
mod server;
mod shard;

use std::io::{Read, Write};
use std::net::TcpStream;
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
        Self::of(Store::in_memory())
    }

    /// A door to a store that the test has made.
    fn of(store: Store) -> Self {
        let server = RedisServer::start(&store, &RedisOptions::default().enable_debug_command()).unwrap();
        Self { store, server }
    }

    /// The bytes that come back for requests, which are lines, when all of `bytes` are there.
    fn raw(&self, requests: &str, bytes: usize) -> String {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(requests.as_bytes()).unwrap();
        let mut reply = vec![0; bytes];
        stream.read_exact(&mut reply).unwrap();
        String::from_utf8(reply).unwrap()
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
