//! What a client may still do when its user has been changed.

use std::thread;

use redis::{Connection, RedisResult, Value};

use crate::{Served, ask};

/// A connection as `eve`, who may do everything with keys that begin with `job:`.
fn eve(served: &Served) -> Connection {
    let _: () = ask(&mut served.connect(), "ACL SETUSER eve on >secret +@all ~job:* resetchannels").unwrap();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "AUTH eve secret").unwrap();
    connection
}

fn waiting(mut connection: Connection, command: &str) -> thread::JoinHandle<RedisResult<Value>> {
    let command = command.to_owned();
    thread::spawn(move || ask(&mut connection, &command))
}

#[test]
fn whoever_waits_gets_nothing_that_the_user_may_no_longer_have() {
    for (command, write, left) in [
        ("BLPOP job:1 0", "RPUSH job:1 x", "LLEN job:1"),
        ("BLMPOP 0 2 job:0 job:1 LEFT", "RPUSH job:1 x", "LLEN job:1"),
        ("BLMOVE job:1 job:2 LEFT LEFT 0", "RPUSH job:1 x", "LLEN job:1"),
        ("BRPOPLPUSH job:1 job:2 0", "RPUSH job:1 x", "LLEN job:1"),
        ("BZPOPMIN job:1 0", "ZADD job:1 1 x", "ZCARD job:1"),
        ("BZMPOP 0 1 job:1 MAX", "ZADD job:1 1 x", "ZCARD job:1"),
        ("XREAD BLOCK 0 STREAMS job:1 $", "XADD job:1 * f v", "XLEN job:1"),
        ("XREADGROUP GROUP g c BLOCK 0 STREAMS job:1 >", "XADD job:1 * f v", "XLEN job:1"),
    ] {
        let name = command.split(' ').next().unwrap().to_lowercase();
        for change in ["resetkeys", "-@all", &format!("-{name}")] {
            let served = Served::new();
            let mut admin = served.connect();
            if name == "xreadgroup" {
                let _: () = ask(&mut admin, "XGROUP CREATE job:1 g $ MKSTREAM").unwrap();
            }
            let client = waiting(eve(&served), command);
            served.await_blocked(1);
            let _: () = ask(&mut admin, &format!("ACL SETUSER eve {change}")).unwrap();
            let _: Value = ask(&mut admin, write).unwrap();
            let refused = client.join().unwrap().unwrap_err();
            assert_eq!(refused.code(), Some("NOPERM"), "{command}, {change}: {refused}");
            assert_eq!(ask(&mut admin, left), Ok(1_u64), "{command}, {change}");
            assert_eq!(ask(&mut admin, "EXISTS job:2"), Ok(0_u64), "{command}, {change}");
            let log: Vec<Value> = ask(&mut admin, "ACL LOG").unwrap();
            assert_eq!(log.len(), 1, "{command}, {change}");
        }
    }
}

#[test]
fn a_user_that_is_turned_off_keeps_the_connections_that_there_are_as_in_redis() {
    let served = Served::new();
    let client = waiting(eve(&served), "BLPOP job:1 0");
    served.await_blocked(1);
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "ACL SETUSER eve off").unwrap();
    let _: u64 = ask(&mut admin, "RPUSH job:1 x").unwrap();
    assert!(client.join().unwrap().is_ok());
}

#[test]
fn nothing_is_given_to_a_user_that_is_removed() {
    let served = Served::new();
    let client = waiting(eve(&served), "BLPOP job:1 0");
    served.await_blocked(1);
    let mut admin = served.connect();
    // In one pipeline: the client is still connected when the value comes.
    let _: (u64, u64) =
        redis::pipe().cmd("ACL").arg(&["DELUSER", "eve"]).cmd("RPUSH").arg(&["job:1", "x"]).query(&mut admin).unwrap();
    assert!(client.join().unwrap().is_err());
    assert_eq!(ask(&mut admin, "LLEN job:1"), Ok(1_u64));
}

#[test]
fn a_command_that_was_held_up_by_a_pause_needs_the_rights_of_the_moment_when_it_runs() {
    let served = Served::new();
    let mut admin = served.connect();
    let connection = eve(&served);
    let _: () = ask(&mut admin, "CLIENT PAUSE 100000 WRITE").unwrap();
    let client = waiting(connection, "SET job:1 x");
    while !ask::<String>(&mut admin, "CLIENT LIST").unwrap().contains(" flags=b ") {
        thread::yield_now();
    }
    let _: () = ask(&mut admin, "ACL SETUSER eve resetkeys").unwrap();
    let _: () = ask(&mut admin, "CLIENT UNPAUSE").unwrap();
    assert_eq!(client.join().unwrap().unwrap_err().code(), Some("NOPERM"));
    assert_eq!(ask(&mut admin, "EXISTS job:1"), Ok(0_u64));
}

#[test]
fn a_user_that_there_is_not_is_refused_as_one_with_another_password() {
    let served = Served::new();
    let mut client = eve(&served);
    let mut texts = Vec::new();
    for attempt in ["AUTH eve wrong", "AUTH nobody secret", "HELLO 2 AUTH nobody secret"] {
        texts.push(ask::<Value>(&mut client, attempt).unwrap_err().to_string());
    }
    let _: () = ask(&mut served.connect(), "ACL SETUSER eve off").unwrap();
    texts.push(ask::<Value>(&mut client, "AUTH eve secret").unwrap_err().to_string());
    assert!(texts.iter().all(|text| *text == texts[0] && text.contains("WRONGPASS")), "{texts:?}");
}

#[test]
fn a_password_is_shown_to_nobody() {
    let served = Served::new();
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "CONFIG SET slowlog-log-slower-than 0").unwrap();
    let mut client = served.connect();
    for request in [
        "AUTH hidden",
        "AUTH ann hidden",
        "HELLO 2 AUTH ann hidden",
        "MIGRATE 127.0.0.1 1 k 0 5 AUTH hidden",
        "MIGRATE 127.0.0.1 1 k 0 5 AUTH2 ann hidden",
        "ACL SETUSER ann on >hidden",
        "ACL DRYRUN default AUTH hidden",
        "ACL DRYRUN default AUTH ann hidden",
        "ACL DRYRUN default CONFIG SET requirepass hidden",
        "CONFIG SET masterauth hidden",
        "COMMAND GETKEYS MIGRATE h 1 k 0 5 AUTH hidden",
    ] {
        // Some are refused.
        let _ = ask::<Value>(&mut client, request);
        for shown in ["SLOWLOG GET -1", "CLIENT LIST", "ACL LOG", "INFO everything", "LATENCY LATEST"] {
            let text = format!("{:?}", ask::<Value>(&mut admin, shown).unwrap());
            assert!(!text.contains("hidden"), "{request}: {shown}: {text}");
        }
    }
    let _: () = ask(&mut client, "CONFIG SET requirepass hidden").unwrap();
    let _: () = ask(&mut client, "CONFIG SET requirepass ").unwrap();
    assert!(!format!("{:?}", ask::<Value>(&mut admin, "SLOWLOG GET -1").unwrap()).contains("hidden"));
}
