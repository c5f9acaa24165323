//! `CLIENT PAUSE`.

use std::thread;

use redis::{Connection, Value};

use crate::{Served, ask};

/// Returns when so many clients wait.
fn await_held(connection: &mut Connection, clients: usize) {
    loop {
        let list: String = ask(connection, "CLIENT LIST").unwrap();
        if list.lines().filter(|line| line.contains(" flags=b ")).count() == clients {
            return;
        }
        thread::yield_now();
    }
}

#[test]
fn writes_wait_and_run_when_the_pause_is_over() {
    let served = Served::new();
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "CLIENT PAUSE 100000 WRITE").unwrap();
    let writers: Vec<_> = ["SET k 1", "PUBLISH c m", "PFCOUNT h", "BLPOP l 0.01"]
        .into_iter()
        .map(|command| {
            let mut connection = served.connect();
            thread::spawn(move || ask::<Value>(&mut connection, command).unwrap())
        })
        .collect();
    await_held(&mut admin, writers.len());
    let value: Option<String> = ask(&mut admin, "GET k").unwrap();
    assert_eq!(value, None);
    served.store.kv_named("0").set("k", "0").unwrap();
    let value: String = ask(&mut admin, "GET k").unwrap();
    assert_eq!(value, "0", "the program that has the store is not paused");
    let _: () = ask(&mut admin, "CLIENT UNPAUSE").unwrap();
    for writer in writers {
        drop(writer.join().unwrap());
    }
    let value: String = ask(&mut admin, "GET k").unwrap();
    assert_eq!(value, "1");
}

#[test]
fn a_pause_ends_by_itself_and_is_never_shortened() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CLIENT PAUSE 300 ALL").unwrap();
    let pong: String = ask(&mut connection, "PING").unwrap();
    assert_eq!(pong, "PONG");
    let _: () = ask(&mut connection, "CLIENT PAUSE 100000 WRITE").unwrap();
    let _: () = ask(&mut connection, "CLIENT PAUSE 1 WRITE").unwrap();
    let mut writer = served.connect();
    let writer = thread::spawn(move || ask::<()>(&mut writer, "SET k 1").unwrap());
    await_held(&mut connection, 1);
    let _: () = ask(&mut connection, "CLIENT UNPAUSE").unwrap();
    writer.join().unwrap();
}

#[test]
fn what_is_queued_waits_at_its_exec_only_if_it_writes() {
    let served = Served::new();
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "CLIENT PAUSE 100000 WRITE").unwrap();
    let mut reader = served.connect();
    for command in ["MULTI", "GET k", "EXEC"] {
        let _: Value = ask(&mut reader, command).unwrap();
    }
    for command in ["MULTI", "GET k", "DISCARD"] {
        let _: Value = ask(&mut reader, command).unwrap();
    }
    let mut writer = served.connect();
    let queued: Value = ask(&mut writer, "MULTI").unwrap();
    assert_eq!(queued, Value::Okay);
    let writer = thread::spawn(move || {
        let _: Value = ask(&mut writer, "SET k 1").unwrap();
        ask::<Value>(&mut writer, "EXEC").unwrap()
    });
    loop {
        let list: String = ask(&mut admin, "CLIENT LIST").unwrap();
        if list.contains("flags=xb") {
            break;
        }
        thread::yield_now();
    }
    let _: () = ask(&mut admin, "CLIENT UNPAUSE").unwrap();
    assert_eq!(writer.join().unwrap(), Value::Array(vec![Value::Okay]));
}

#[test]
fn who_waits_for_the_end_of_a_pause_can_be_parted_with() {
    let served = Served::new();
    let mut admin = served.connect();
    let mut held = served.connect();
    let id: u64 = ask(&mut held, "CLIENT ID").unwrap();
    let _: () = ask(&mut admin, "CLIENT PAUSE 100000 WRITE").unwrap();
    let held = thread::spawn(move || ask::<()>(&mut held, "SET k 1").unwrap_err());
    await_held(&mut admin, 1);
    let killed: u64 = ask(&mut admin, &format!("CLIENT KILL ID {id}")).unwrap();
    assert_eq!(killed, 1);
    assert!(held.join().unwrap().is_connection_dropped());
}
