//! What the door refuses, and what it bears.

use std::io::{Read, Write};
use std::net::TcpStream;

use larder::kv::EvictionPolicy;

use crate::{Served, ask};

#[test]
fn a_spent_budget_refuses_what_needs_room_and_nothing_else() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "SET k 0123456789").unwrap();
    served.store.set_memory_budget(Some(10), EvictionPolicy::NoEviction).unwrap();
    for command in ["SET j v", "LPUSH l a", "HSET h f v", "ZADD z 1 m", "SADD s m", "XADD x * f v", "APPEND k 1"] {
        let refused = ask::<redis::Value>(&mut connection, command).unwrap_err();
        assert_eq!(refused.code(), Some("OOM"), "{command}: {refused}");
    }
    let value: String = ask(&mut connection, "GET k").unwrap();
    assert_eq!(value, "0123456789");
    let _: u64 = ask(&mut connection, "DEL k").unwrap();
    let _: () = ask(&mut connection, "SET j v").unwrap();
}

#[test]
fn evicted_keys_make_room() {
    let served = Served::new();
    served.store.set_memory_budget(Some(10_000), EvictionPolicy::AllKeysLfu).unwrap();
    let mut connection = served.connect();
    for n in 0..1_000 {
        let _: () = ask(&mut connection, &format!("SET key:{n} {n:0100}")).unwrap();
    }
    let left: u64 = ask(&mut connection, "DBSIZE").unwrap();
    assert!((50..100).contains(&left), "{left}");
    assert_eq!(served.store.key_stats().evicted, 1_000 - left);
}

#[test]
fn what_is_no_request_ends_its_connection_and_no_other() {
    let served = Served::new();
    let mut connection = served.connect();
    let too_long = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", larder::limits::STRING_BYTES_MAX + 1);
    for request in
        [&*too_long, "*1\r\n$-5\r\n", "*99999999999\r\n", "*1\r\n$99999999999\r\n", "*1\r\n+PING\r\n", "SET \"k\r\n"]
    {
        let mut broken = TcpStream::connect(served.server.address().socket_addr().unwrap()).unwrap();
        broken.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        broken.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("-ERR Protocol error"), "{request:?}: {reply:?}");
        let alive: String = ask(&mut connection, "PING").unwrap();
        assert_eq!(alive, "PONG");
    }
}

#[test]
fn a_client_that_sends_nothing_is_parted_with_after_the_timeout() {
    let served = Served::new();
    let (mut idle, mut connection) =
        (TcpStream::connect(served.server.address().socket_addr().unwrap()).unwrap(), served.connect());
    idle.write_all(b"PING\r\n").unwrap();
    let mut reply = [0; 7];
    idle.read_exact(&mut reply).unwrap();
    let refused = ask::<()>(&mut connection, "CONFIG SET timeout 1 appendonly yes").unwrap_err();
    assert!(refused.to_string().contains("appendonly"), "{refused}");
    let _: () = ask(&mut connection, "CONFIG SET timeout 1").unwrap();
    idle.write_all(b"PING\r\n").unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"+PONG\r\n");
}

// SEM: KV-TX-1
#[test]
fn an_exec_with_too_many_words_ends_its_transaction() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "MULTI").unwrap();
    let refused = ask::<redis::Value>(&mut connection, "EXEC now").unwrap_err();
    assert_eq!(refused.code(), Some("EXECABORT"), "{refused}");
    let refused = ask::<redis::Value>(&mut connection, "EXEC").unwrap_err();
    assert!(refused.to_string().contains("EXEC without MULTI"), "{refused}");
}

#[test]
fn a_bit_that_is_set_to_what_it_is_changes_nothing() {
    let served = Served::new();
    let (mut connection, mut other) = (served.connect(), served.connect());
    for (write, is_run) in [("SETBIT k 0 0", true), ("SETBIT k 1 0", false), ("SETBIT k 99 0", false)] {
        let _: () = ask(&mut connection, "SET k 0").unwrap();
        let _: () = redis::cmd("SETBIT").arg("k").arg(1).arg(1).exec(&mut connection).unwrap();
        for command in ["WATCH k", "MULTI"] {
            let _: () = ask(&mut connection, command).unwrap();
        }
        let _: u8 = ask(&mut other, write).unwrap();
        let replies: Option<Vec<u8>> = ask(&mut connection, "EXEC").unwrap();
        assert_eq!(replies.is_some(), is_run, "{write}");
    }
}

#[test]
fn the_write_that_makes_a_key_is_no_more_than_its_first_use() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CONFIG SET maxmemory-policy allkeys-lfu").unwrap();
    for (command, frequency) in [("SET k v", 5), ("GET k", 6)] {
        let _: redis::Value = ask(&mut connection, command).unwrap();
        assert_eq!(ask(&mut connection, "OBJECT FREQ k"), Ok(frequency), "after {command}");
    }
}

#[test]
fn a_new_user_has_dumps_looked_through() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "ACL SETUSER ann on").unwrap();
    let users: Vec<String> = ask(&mut connection, "ACL LIST").unwrap();
    assert_eq!(users[0], "user ann on sanitize-payload resetchannels -@all");
    assert_eq!(users[1], "user default on nopass sanitize-payload ~* &* +@all");
}

// SEM: KV-EXP-6
#[test]
fn a_list_of_one_value_that_is_turned_keeps_its_deadline() {
    let served = Served::new();
    let mut connection = served.connect();
    for turn in ["LMOVE k k LEFT RIGHT", "LMOVE k k RIGHT RIGHT", "RPOPLPUSH k k", "BLMOVE k k LEFT LEFT 1"] {
        for command in ["DEL k", "RPUSH k a", "EXPIREAT k 99999999999", turn] {
            let _: redis::Value = ask(&mut connection, command).unwrap();
        }
        assert_eq!(ask(&mut connection, "EXPIRETIME k"), Ok(99_999_999_999_u64), "{turn}");
        assert_eq!(ask(&mut connection, "LRANGE k 0 -1"), Ok(vec!["a".to_owned()]), "{turn}");
    }
}
