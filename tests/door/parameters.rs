//! Parameters that have an effect, and what is counted because of them.

use std::time::Duration;

use larder::{ManualClock, Store, Timestamp};
use redis::{Connection, Value};

use crate::{Served, ask};

/// A line of `INFO everything`, without its name.
fn line(connection: &mut Connection, name: &str) -> String {
    let info: String = ask(connection, "INFO everything").unwrap();
    info.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned())).unwrap()
}

fn slow_requests(connection: &mut Connection) -> Vec<String> {
    type Entry = (u64, i64, u64, Vec<String>, String, String);
    let entries: Vec<Entry> = ask(connection, "SLOWLOG GET -1").unwrap();
    entries
        .iter()
        .rev()
        .map(|(_, _, _, words, ..)| words.join(" "))
        .filter(|words| !words.starts_with("SLOWLOG"))
        .collect()
}

#[test]
fn checkpoints_are_made_at_save_points() {
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    let served = Served::of(Store::builder().clock(clock.clone()).in_memory());
    let mut connection = served.connect();
    let mut set = redis::cmd("CONFIG");
    let _: () = set.arg("SET").arg("save").arg("900 1000 60 2").query(&mut connection).unwrap();
    clock.advance(Duration::from_secs(61));
    for n in 0..2 {
        let _: () = ask(&mut connection, &format!("SET k{n} v")).unwrap();
    }
    while line(&mut connection, "rdb_saves") == "0" {
        std::thread::yield_now();
    }
    while line(&mut connection, "rdb_changes_since_last_save") != "0" {
        std::thread::yield_now();
    }
}

#[test]
fn what_changes_nothing_is_not_counted_as_a_change() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "SAVE").unwrap();
    for (request, changes) in [
        ("SETBIT k 5 1", "1"),
        ("SETBIT k 5 1", "1"),
        ("BITFIELD k SET u1 5 1", "1"),
        ("GETEX k PERSIST", "1"),
        ("PERSIST k", "1"),
        ("HDEL h f", "1"),
        ("SADD s a", "2"),
        ("SADD s a", "2"),
        ("ZADD z 1 a", "3"),
        ("ZADD z 1 a", "3"),
        ("SREM s b", "3"),
        ("DEL nothing", "3"),
        ("XADD x 1-1 f v", "4"),
        ("XSETID x 1-1", "4"),
    ] {
        let _: Value = ask(&mut connection, request).unwrap();
        assert_eq!(line(&mut connection, "rdb_changes_since_last_save"), changes, "{request}");
    }
}

#[test]
fn the_slow_log_has_a_command_that_waited_when_it_is_done_with_the_words_that_were_sent() {
    let served = Served::new();
    let (mut client, mut other) = (served.connect(), served.connect());
    let _: () = ask(&mut other, "CONFIG SET slowlog-log-slower-than 0").unwrap();
    let _: () = ask(&mut other, "SLOWLOG RESET").unwrap();
    let thread = std::thread::spawn(move || ask::<Value>(&mut client, "BLMPOP 0 2 none queue LEFT COUNT 5").unwrap());
    loop {
        let info: String = ask(&mut other, "INFO clients").unwrap();
        if info.contains("blocked_clients:1\r") {
            break;
        }
        std::thread::yield_now();
    }
    assert!(!slow_requests(&mut other).iter().any(|request| request.starts_with("BLMPOP")));
    let _: u64 = ask(&mut other, "RPUSH queue a").unwrap();
    thread.join().unwrap();
    let requests = slow_requests(&mut other);
    let waited: Vec<_> = requests.iter().filter(|request| request.starts_with("BLMPOP")).collect();
    assert_eq!(waited, ["BLMPOP 0 2 none queue LEFT COUNT 5"]);
}

#[test]
fn the_slow_log_has_the_commands_of_a_transaction_and_not_the_end_of_it() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CONFIG SET slowlog-log-slower-than 0").unwrap();
    let _: () = ask(&mut connection, "SLOWLOG RESET").unwrap();
    for request in ["MULTI", "SET k v", "BLPOP none 0", "EXEC"] {
        let _: Value = ask(&mut connection, request).unwrap();
    }
    let requests = slow_requests(&mut connection);
    let run: Vec<_> = requests.iter().filter(|request| !request.starts_with("MULTI")).collect();
    // Each of the two is there when it was queued, and when it has run.
    assert_eq!(run.iter().filter(|request| ***request == "BLPOP none 0").count(), 2, "{requests:?}");
    assert!(!requests.contains(&"EXEC".to_owned()), "{requests:?}");
}

#[test]
fn removals_that_redis_leaves_to_a_thread_are_counted() {
    let served = Served::new();
    let mut connection = served.connect();
    let fill = |connection: &mut Connection, key: &str| {
        let members: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let _: u64 = ask(connection, &format!("SADD {key} {}", members.join(" "))).unwrap();
    };
    for (request, freed) in [
        ("DEL large", 0),
        ("UNLINK large small", 1),
        ("UNLINK nothing", 1),
        ("FLUSHDB", 1),
        ("FLUSHALL ASYNC", 3),
        ("CONFIG SET lazyfree-lazy-user-del yes", 3),
        ("DEL large", 4),
        ("CONFIG SET lazyfree-lazy-user-flush yes", 4),
        ("FLUSHDB SYNC", 4),
        ("FLUSHDB", 6),
        ("CONFIG RESETSTAT", 0),
    ] {
        fill(&mut connection, "large");
        let _: () = ask(&mut connection, "SET small v").unwrap();
        let _: Value = ask(&mut connection, request).unwrap();
        assert_eq!(line(&mut connection, "lazyfreed_objects"), freed.to_string(), "{request}");
    }
}

#[test]
fn a_parameter_that_nothing_acts_on_says_so() {
    let served = Served::new();
    let mut connection = served.connect();
    for (name, value, reason) in [
        ("min-replicas-to-write", "1", "there are no replicas"),
        ("tls-cert-file", "/etc/cert", "whether and how it speaks TLS"),
        ("appendonly", "yes", "durability"),
        ("port", "7777", "chose where it listens"),
        ("hz", "100", "frequency"),
    ] {
        let refused = ask::<Value>(&mut connection, &format!("CONFIG SET {name} {value}")).unwrap_err().to_string();
        assert!(refused.contains(&format!("argument '{name}'")) && refused.contains(reason), "{refused}");
    }
}

#[test]
fn new_users_hear_what_the_parameter_says() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CONFIG SET acl-pubsub-default allchannels").unwrap();
    let _: () = ask(&mut connection, "ACL SETUSER ann on").unwrap();
    let users: Vec<String> = ask(&mut connection, "ACL LIST").unwrap();
    assert_eq!(users[0], "user ann on sanitize-payload &* -@all");
}

#[test]
fn frequencies_grow_and_fall_as_the_parameters_say() {
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    let served = Served::of(Store::builder().clock(clock.clone()).in_memory());
    let mut connection = served.connect();
    for request in ["CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 0 lfu-decay-time 0", "SET k v"] {
        let _: () = ask(&mut connection, request).unwrap();
    }
    for _ in 0..50 {
        let _: String = ask(&mut connection, "GET k").unwrap();
    }
    assert_eq!(ask(&mut connection, "OBJECT FREQ k"), Ok(55_u64), "each use counts");
    clock.advance(Duration::from_hours(1));
    assert_eq!(ask(&mut connection, "OBJECT FREQ k"), Ok(55_u64), "and is never forgotten");
    let _: () = ask(&mut connection, "CONFIG SET lfu-decay-time 6").unwrap();
    assert_eq!(ask(&mut connection, "OBJECT FREQ k"), Ok(45_u64));
}

#[test]
fn latencies_are_kept_from_the_threshold_on() {
    let served = Served::new();
    let mut connection = served.connect();
    let latest =
        |connection: &mut Connection| ask::<Vec<(String, u64, u64, u64)>>(connection, "LATENCY LATEST").unwrap();
    let _: () = ask(&mut connection, "DEBUG SLEEP 0.02").unwrap();
    assert_eq!(latest(&mut connection), []);
    // The slow log need not be on.
    let _: () = ask(&mut connection, "CONFIG SET latency-monitor-threshold 20 slowlog-log-slower-than -1").unwrap();
    let _: () = ask(&mut connection, "DEBUG SLEEP 0.02").unwrap();
    let events = latest(&mut connection);
    let (name, second, last, longest) = &events[0];
    assert!(name == "command" && *last >= 20 && longest >= last, "{events:?}");
    let history: Vec<(u64, u64)> = ask(&mut connection, "LATENCY HISTORY command").unwrap();
    assert!(history.contains(&(*second, *last)), "{history:?}");
    let graph: String = ask(&mut connection, "LATENCY GRAPH command").unwrap();
    assert!(graph.starts_with("command: "), "{graph}");
    assert_eq!(ask(&mut connection, "LATENCY RESET command"), Ok(1_u64));
    assert_eq!(latest(&mut connection), []);
}
