//! `MONITOR`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Served, ask};

/// A connection that is read line by line.
struct Lines(BufReader<TcpStream>);

impl Lines {
    fn connect(served: &Served) -> Self {
        let stream = TcpStream::connect(served.server.address().socket_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The next line, without its end; empty at the end of the connection.
    fn next(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next request that is shown, without its time, and `client` in place of an address.
    fn shown(&mut self) -> String {
        let line = self.next();
        let (time, rest) = line.strip_prefix('+').unwrap().split_once(' ').unwrap();
        let (seconds, micros) = time.split_once('.').unwrap();
        assert!(seconds.parse::<u64>().is_ok() && micros.len() == 6 && micros.parse::<u32>().is_ok(), "{line}");
        let (database, rest) = rest.strip_prefix('[').unwrap().split_once(' ').unwrap();
        let (from, words) = rest.split_once("] ").unwrap();
        let from = if from.starts_with("127.0.0.1:") { "client" } else { from };
        format!("{database} {from} {words}")
    }
}

#[test]
fn a_monitor_sees_what_ran_as_redis_shows_it() {
    let served = Served::new();
    let mut monitor = Lines::connect(&served);
    monitor.send("MONITOR\r\n");
    assert_eq!(monitor.next(), "+OK");
    let mut client = Lines::connect(&served);
    for request in [
        r#"SET k "a\\b\x01\"\n\xff""#,
        "AUTH ann secret",
        "HELLO 2 AUTH default secret",
        "MULTI",
        "GET k",
        "SELECT 1",
        "EXEC",
        "CONFIG GET maxmemory",
        "CLIENT LIST TYPE master",
        "ACL SETUSER u >secret",
        "MIGRATE 127.0.0.1 1 k 0 5 AUTH2 ann secret",
        "COMMAND GETKEYS MIGRATE 127.0.0.1 1 k 0 5 AUTH secret",
        "SLOWLOG LEN",
        "NOSUCH",
        "GET",
        "CLIENT ID",
    ] {
        client.send(&format!("{request}\r\n"));
    }
    for shown in [
        r#"0 client "SET" "k" "a\\b\x01\"\n\xff""#,
        r#"0 client "AUTH" "(redacted)" "(redacted)""#,
        r#"0 client "HELLO" "2" "AUTH" "(redacted)" "(redacted)""#,
        r#"0 client "MULTI""#,
        r#"0 client "GET" "k""#,
        r#"1 client "SELECT" "1""#,
        r#"1 client "EXEC""#,
        r#"1 client "MIGRATE" "127.0.0.1" "1" "k" "0" "5" "AUTH2" "(redacted)" "(redacted)""#,
        r#"1 client "COMMAND" "GETKEYS" "MIGRATE" "127.0.0.1" "1" "k" "0" "5" "AUTH" "(redacted)""#,
        r#"1 client "CLIENT" "ID""#,
    ] {
        assert_eq!(monitor.shown(), shown);
    }
}

#[cfg(feature = "lua")]
#[test]
fn a_script_is_shown_before_its_commands() {
    let served = Served::new();
    let mut connection = served.connect();
    let mut monitor = Lines::connect(&served);
    monitor.send("MONITOR\r\n");
    assert_eq!(monitor.next(), "+OK");
    let _: () = redis::cmd("EVAL").arg("return redis.call('set', 'k', '1')").arg(0).query(&mut connection).unwrap();
    assert_eq!(monitor.shown(), r#"0 client "EVAL" "return redis.call('set', 'k', '1')" "0""#);
    assert_eq!(monitor.shown(), r#"0 lua "set" "k" "1""#);
}

#[test]
fn a_monitor_reads_no_keys_until_it_is_reset() {
    let served = Served::new();
    let mut monitor = Lines::connect(&served);
    monitor.send("MONITOR\r\nGET k\r\nPING\r\n");
    assert_eq!(monitor.next(), "+OK");
    assert_eq!(monitor.next(), "-ERR Replica can't interact with the keyspace");
    assert_eq!(monitor.next(), "+PONG");
    assert_eq!(monitor.shown(), r#"0 client "PING""#);
    monitor.send("RESET\r\nGET k\r\n");
    assert_eq!(monitor.next(), "+RESET");
    assert_eq!(monitor.next(), "$-1");
}

#[test]
fn a_monitor_that_does_not_keep_up_is_parted_with() {
    let served = Served::new();
    let mut monitor = Lines::connect(&served);
    monitor.send("MONITOR\r\n");
    assert_eq!(monitor.next(), "+OK");
    let mut connection = served.connect();
    let value = "x".repeat(16 << 20);
    for _ in 0..5 {
        let _: () = redis::cmd("SET").arg("k").arg(&value).query(&mut connection).unwrap();
    }
    // The socket may hold some of it, but not all.
    loop {
        let clients: String = ask(&mut connection, "CLIENT LIST").unwrap();
        if !clients.contains("flags=O") {
            break;
        }
        let _: () = redis::cmd("SET").arg("k").arg(&value).query(&mut connection).unwrap();
    }
}
