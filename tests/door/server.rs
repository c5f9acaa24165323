//! What the server counts and tells, and its end.

use std::collections::HashMap;
use std::sync::mpsc;

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};
use redis::Connection;

use crate::{Served, ask};

/// A line of `INFO everything`, without its name.
fn line(connection: &mut Connection, name: &str) -> Option<String> {
    let info: String = ask(connection, "INFO everything").unwrap();
    info.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned()))
}

#[test]
fn commands_of_a_transaction_are_counted_too() {
    let served = Served::new();
    let mut connection = served.connect();
    for request in ["MULTI", "SET k v", "LPUSH k v", "GET k", "EXEC"] {
        // The reply to `EXEC` has an error in it.
        let _ = ask::<redis::Value>(&mut connection, request);
    }
    for (name, begin, end) in [
        ("cmdstat_multi", "calls=1,", ",rejected_calls=0,failed_calls=0"),
        ("cmdstat_exec", "calls=1,", ",rejected_calls=0,failed_calls=0"),
        ("cmdstat_set", "calls=1,", ",rejected_calls=0,failed_calls=0"),
        ("cmdstat_lpush", "calls=1,", ",rejected_calls=0,failed_calls=1"),
        ("errorstat_WRONGTYPE", "count=1", ""),
        ("total_error_replies", "1", ""),
    ] {
        let line = line(&mut connection, name).unwrap();
        assert!(line.starts_with(begin) && line.ends_with(end), "{name}:{line}");
    }
}

#[cfg(feature = "lua")]
#[test]
fn commands_of_a_script_are_counted_too() {
    let served = Served::new();
    let mut connection = served.connect();
    let mut eval = redis::cmd("EVAL");
    eval.arg("for n = 1, 3 do redis.call('INCR', KEYS[1]) end").arg(1).arg("n").exec(&mut connection).unwrap();
    assert!(line(&mut connection, "cmdstat_incr").unwrap().starts_with("calls=3,"));
    assert!(line(&mut connection, "cmdstat_eval").unwrap().starts_with("calls=1,"));
}

#[test]
fn a_histogram_has_every_call_below_its_last_bound() {
    let served = Served::new();
    let mut connection = served.connect();
    for _ in 0..10 {
        ask::<()>(&mut connection, "SET k v").unwrap();
        ask::<()>(&mut connection, "CONFIG GET port").unwrap();
    }
    let told: HashMap<String, Vec<redis::Value>> = ask(&mut connection, "LATENCY HISTOGRAM set config get").unwrap();
    assert_eq!(told.len(), 2);
    for name in ["set", "config|get"] {
        let [_, calls, _, buckets] = told[name].as_slice() else { panic!("{told:?}") };
        assert_eq!(*calls, redis::Value::Int(10));
        let redis::Value::Array(buckets) = buckets else { panic!("{told:?}") };
        assert_eq!(buckets.last(), Some(&redis::Value::Int(10)));
    }
    assert!(line(&mut connection, "latency_percentiles_usec_set").unwrap().starts_with("p50="));
    ask::<()>(&mut connection, "CONFIG SET latency-tracking no").unwrap();
    assert_eq!(line(&mut connection, "latency_percentiles_usec_set"), None);
}

#[test]
fn clients_that_are_turned_away_are_counted() {
    let served = Served::new();
    let mut connection = served.connect();
    ask::<()>(&mut connection, "CONFIG SET maxclients 1").unwrap();
    let client = redis::Client::open(format!("redis://{}", served.server.address())).unwrap();
    assert!(client.get_connection().is_err());
    assert_eq!(line(&mut connection, "rejected_connections").as_deref(), Some("1"));
}

#[test]
fn saves_are_counted() {
    let served = Served::new();
    let mut connection = served.connect();
    ask::<()>(&mut connection, "SAVE").unwrap();
    assert_eq!(line(&mut connection, "rdb_saves").as_deref(), Some("1"));
    let begun: String = ask(&mut connection, "BGSAVE").unwrap();
    assert_eq!(begun, "Background saving started");
    while line(&mut connection, "rdb_bgsave_in_progress").as_deref() == Some("1") {
        std::thread::yield_now();
    }
    assert_eq!(line(&mut connection, "rdb_saves").as_deref(), Some("2"));
    ask::<()>(&mut connection, "DEBUG RELOAD").unwrap();
    assert_eq!(line(&mut connection, "rdb_saves").as_deref(), Some("3"));
    let begun: String = ask(&mut connection, "BGREWRITEAOF").unwrap();
    assert_eq!(begun, "Background append only file rewriting started");
}

#[test]
fn who_opened_the_door_says_whether_clients_may_end_it() {
    let served = Served::new();
    let refused = ask::<()>(&mut served.connect(), "SHUTDOWN NOSAVE").unwrap_err();
    assert!(refused.to_string().contains("not supported"), "{refused}");
    let (sender, asked) = mpsc::channel();
    let options = RedisOptions::default().on_shutdown(move || sender.send(()).unwrap());
    let ending = RedisServer::start(&Store::in_memory(), &options).unwrap();
    let client = redis::Client::open(format!("redis://{}", ending.address())).unwrap();
    let mut connection = client.get_connection().unwrap();
    // There is no reply: the connection ends.
    assert!(ask::<()>(&mut connection, "SHUTDOWN").is_err());
    asked.recv().unwrap();
}
