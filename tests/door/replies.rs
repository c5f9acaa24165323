//! Replies to the byte, where a client library would not tell the difference.

use larder::server::redis::{RedisOptions, RedisServer};
use larder::{ManualClock, Store, Timestamp};
use redis::Value;

use crate::{Served, ask};

#[test]
fn nil_is_a_string_or_an_array_as_in_redis() {
    let served = Served::new();
    for (requests, reply) in [
        ("BRPOPLPUSH no b 0.01\r\n", "*-1\r\n"),
        ("BLMOVE no b LEFT LEFT 0.01\r\n", "*-1\r\n"),
        ("BLPOP no 0.01\r\n", "*-1\r\n"),
        (
            "MULTI\r\nBRPOPLPUSH no b 0\r\nBLMOVE no b LEFT LEFT 0\r\nEXEC\r\n",
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$-1\r\n$-1\r\n",
        ),
        ("ACL GETUSER nosuch\r\n", "$-1\r\n"),
        ("COMMAND INFO nosuch\r\n", "*1\r\n$-1\r\n"),
    ] {
        assert_eq!(served.replies(requests, reply.len()), reply, "{requests}");
    }
}

#[test]
fn hello_tells_in_the_order_of_redis() {
    let served = Served::new();
    let hello: Vec<Value> = ask(&mut served.connect(), "HELLO 2").unwrap();
    let names: Vec<String> = hello.chunks(2).map(|pair| redis::from_redis_value(pair[0].clone()).unwrap()).collect();
    assert_eq!(names, ["server", "version", "proto", "id", "mode", "role", "modules"]);
}

#[test]
fn debug_is_refused_unless_the_program_lets_clients_have_it() {
    let door = RedisServer::start(&Store::in_memory(), &RedisOptions::default()).unwrap();
    let client = redis::Client::open(format!("redis://{}", door.address())).unwrap();
    let mut connection = client.get_connection().unwrap();
    for request in ["DEBUG SLEEP 0", "DEBUG HELP", "DEBUG POPULATE 1000000"] {
        let refused = ask::<Value>(&mut connection, request).unwrap_err();
        assert!(refused.to_string().contains("DEBUG command not allowed"), "{refused}");
    }
    let told = |connection: &mut redis::Connection| -> (String, String) {
        ask(connection, "CONFIG GET enable-debug-command").unwrap()
    };
    assert_eq!(told(&mut connection).1, "no");
    let served = Served::new();
    assert_eq!(told(&mut served.connect()).1, "yes");
    let _: () = ask(&mut served.connect(), "DEBUG SLEEP 0").unwrap();
}

// SEM: KV-TX-3
#[test]
fn what_is_watched_has_changed_when_redis_says_so() {
    let served = Served::new();
    let (mut watcher, mut other) = (served.connect(), served.connect());
    for request in ["RPUSH l a b", "SET s v", "SET bits x", "XADD x 1-1 f v", "XGROUP CREATE x old 0"] {
        let _: Value = ask(&mut other, request).unwrap();
    }
    for (key, write, is_run) in [
        ("l", "LTRIM l 0 -1", false),
        ("x", "XGROUP CREATE x new 0", true),
        ("x", "XGROUP CREATECONSUMER x old ann", true),
        ("x", "XREADGROUP GROUP old ann STREAMS x >", true),
        ("x", "XACK x old 1-1", true),
        ("x", "XSETID x 1-1", true),
        ("x", "XADD x 2-1 f v", false),
        ("x", "XTRIM x MAXLEN 1", false),
        ("s", "GETEX s PERSIST", true),
        ("s", "GETEX s EX 100", false),
        ("s", "GETEX s PERSIST", false),
        ("bits", "BITFIELD bits SET u8 0 120", true),
        ("bits", "BITFIELD bits SET u8 0 121", false),
        ("new", "BITFIELD new SET u8 0 0", false),
    ] {
        for request in [&format!("WATCH {key}"), "MULTI"] {
            let _: () = ask(&mut watcher, request).unwrap();
        }
        let _: Value = ask(&mut other, write).unwrap();
        let replies: Option<Vec<Value>> = ask(&mut watcher, "EXEC").unwrap();
        assert_eq!(replies.is_some(), is_run, "{write}");
    }
}

#[test]
fn looking_at_a_key_is_no_use_of_it() {
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    let served = Served::of(Store::builder().clock(clock.clone()).in_memory());
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CONFIG SET maxmemory-policy allkeys-lru").unwrap();
    let _: () = ask(&mut connection, "SET k v").unwrap();
    clock.advance(std::time::Duration::from_secs(3));
    for request in [
        "TTL k",
        "PTTL k",
        "EXPIRETIME k",
        "TYPE k",
        "EXISTS k",
        "OBJECT ENCODING k",
        "OBJECT REFCOUNT k",
        "MEMORY USAGE k",
    ] {
        let _: Value = ask(&mut connection, request).unwrap();
        assert_eq!(ask(&mut connection, "OBJECT IDLETIME k"), Ok(3_u64), "{request}");
    }
    for request in ["TOUCH k", "GET k"] {
        let _: Value = ask(&mut connection, request).unwrap();
        assert_eq!(ask(&mut connection, "OBJECT IDLETIME k"), Ok(0_u64), "{request}");
        clock.advance(std::time::Duration::from_secs(3));
    }
}

#[test]
fn an_approximate_trim_removes_whole_nodes() {
    let served = Served::new();
    let mut connection = served.connect();
    for _ in 0..1_000 {
        let _: String = ask(&mut connection, "XADD s MAXLEN ~ 555 * f v").unwrap();
    }
    assert_eq!(ask(&mut connection, "XLEN s"), Ok(600_u64));
    for (trim, removed, left) in [
        ("XTRIM s MAXLEN ~ 0 LIMIT 1", 0, 600),
        ("XTRIM s MAXLEN ~ 550", 0, 600),
        ("XTRIM s MAXLEN ~ 0 LIMIT 250", 200, 400),
        ("XTRIM s MAXLEN = 350", 50, 350),
        ("XTRIM s MAXLEN ~ 290", 50, 300),
        ("XTRIM s MINID ~ 0-1", 0, 300),
        ("XTRIM s MAXLEN ~ 0 LIMIT 0", 300, 0),
    ] {
        assert_eq!(ask(&mut connection, trim), Ok(removed), "{trim}");
        assert_eq!(ask(&mut connection, "XLEN s"), Ok(left), "{trim}");
    }
    let _: () = ask(&mut connection, "CONFIG SET stream-node-max-entries 10").unwrap();
    for n in 1..=25 {
        let _: String = ask(&mut connection, &format!("XADD t {n} f v")).unwrap();
    }
    assert_eq!(ask(&mut connection, "XTRIM t MINID ~ 25"), Ok(20_u64));
}

#[test]
fn a_rank_whose_negative_is_no_number_is_refused() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: u64 = ask(&mut connection, "RPUSH l a").unwrap();
    let refused = ask::<Value>(&mut connection, &format!("LPOS l a RANK {}", i64::MIN)).unwrap_err();
    assert!(refused.to_string().contains("value is out of range"), "{refused}");
}

#[test]
fn a_command_that_needs_room_is_refused_when_it_is_queued() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "SET k 0123456789").unwrap();
    let _: () = ask(&mut connection, "CONFIG SET maxmemory 1").unwrap();
    let _: () = ask(&mut connection, "MULTI").unwrap();
    assert_eq!(ask::<Value>(&mut connection, "SET x 1").unwrap_err().code(), Some("OOM"));
    assert_eq!(ask::<Value>(&mut connection, "EXEC").unwrap_err().code(), Some("EXECABORT"));
    for request in ["MULTI", "GET k", "DEL k"] {
        let _: Value = ask(&mut connection, request).unwrap();
    }
    let replies: (String, u64) = ask(&mut connection, "EXEC").unwrap();
    assert_eq!(replies, ("0123456789".to_owned(), 1), "reading and removing need no room");

    // What has become too much meanwhile is told at the end.
    for request in ["CONFIG SET maxmemory 0", "SET k 0123456789", "CONFIG SET maxmemory 1000", "MULTI", "SET x 1"] {
        let _: Value = ask(&mut connection, request).unwrap();
    }
    let _: () = ask(&mut served.connect(), "CONFIG SET maxmemory 1").unwrap();
    let refused = ask::<Value>(&mut connection, "EXEC").unwrap_err();
    assert!(refused.code() == Some("EXECABORT") && refused.to_string().contains("OOM"), "{refused}");
}
