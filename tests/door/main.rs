//! The Redis door as several clients at once see it: those that wait, those that listen, those that do harm.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod blocking;
mod buffers;
mod clients;
mod events;
#[cfg(feature = "testing")]
mod failing;
mod limits;
mod monitor;
mod parameters;
mod pause;
mod reading;
mod replies;
mod rights;
#[cfg(feature = "lua")]
mod scripts;
mod server;
mod shard;

use std::io::{BufRead, BufReader, Read, Write};
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
    fn replies(&self, requests: &str, bytes: usize) -> String {
        let mut client = self.raw();
        client.send(requests);
        let mut reply = vec![0; bytes];
        client.stream.read_exact(&mut reply).unwrap();
        String::from_utf8(reply).unwrap()
    }

    /// A connection whose replies have to come within half a minute.
    fn connect(&self) -> Connection {
        let client = redis::Client::open(format!("redis://{}", self.server.address())).unwrap();
        let connection = client.get_connection().unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        connection
    }

    /// As [`Served::connect`], for what no client library sends.
    fn raw(&self) -> Raw {
        Raw::connect(&self.server)
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

/// A connection that is used byte by byte.
struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    fn connect(server: &RedisServer) -> Self {
        let stream = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self { stream: BufReader::with_capacity(1 << 20, stream) }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next line, without its end; `None` when the connection has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        // One that was reset has ended, too.
        let read = self.stream.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next lines.
    fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line().expect("a line")).collect()
    }

    /// A bulk string.
    fn bulk(&mut self) -> Vec<u8> {
        let head = self.line().expect("a bulk string");
        let length =
            head.strip_prefix('$').and_then(|length| length.parse().ok()).unwrap_or_else(|| panic!("{head:.99}"));
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }

    fn has_ended(&mut self) -> bool {
        self.line().is_none()
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
