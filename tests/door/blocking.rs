//! Clients that wait until a key has something.

use std::collections::BTreeSet;
use std::thread;

use larder::{kv::End, limits};

use crate::{Served, ask};

type Popped = Option<(String, String)>;

/// A thread that sends a command and answers its reply.
fn waiting<T: redis::FromRedisValue + Send + 'static>(served: &Served, command: &str) -> thread::JoinHandle<T> {
    let (mut connection, command) = (served.connect(), command.to_owned());
    thread::spawn(move || ask(&mut connection, &command).unwrap())
}

#[test]
fn those_who_wait_are_served_in_the_order_in_which_they_came() {
    let served = Served::new();
    let mut clients = Vec::new();
    for n in 0..5 {
        clients.push(waiting::<Popped>(&served, "BLPOP other queue 0"));
        served.await_blocked(n + 1);
    }
    let mut writer = served.connect();
    let pushed: u64 = ask(&mut writer, "RPUSH queue 0 1 2").unwrap();
    assert_eq!(pushed, 3);
    served.await_blocked(2);
    let _: u64 = ask(&mut writer, "RPUSH other 3").unwrap();
    let _: u64 = ask(&mut writer, "RPUSH queue 4").unwrap();
    let popped: Vec<Popped> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    let expected = [("queue", "0"), ("queue", "1"), ("queue", "2"), ("other", "3"), ("queue", "4")];
    assert_eq!(popped, expected.map(|(key, value)| Some((key.to_owned(), value.to_owned()))));
    let left: u64 = ask(&mut writer, "EXISTS queue other").unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_somebody_waits_for_is_gone_before_the_next_command_of_a_pipeline() {
    let served = Served::new();
    let client = waiting::<Popped>(&served, "BRPOP queue 0");
    served.await_blocked(1);
    let mut writer = served.connect();
    let replies: (u64, Option<String>, u64) =
        redis::pipe().rpush("queue", "a").cmd("LPOP").arg("queue").rpush("queue", "b").query(&mut writer).unwrap();
    assert_eq!(replies, (1, None, 1));
    assert_eq!(client.join().unwrap(), Some(("queue".to_owned(), "a".to_owned())));
}

#[test]
fn a_transaction_is_whole_before_anybody_is_served_and_waits_for_nothing_itself() {
    let served = Served::new();
    let client = waiting::<Popped>(&served, "BLPOP queue 0");
    served.await_blocked(1);
    let mut writer = served.connect();
    let replies: (u64, u64, Option<String>, Popped) = redis::pipe()
        .atomic()
        .rpush("queue", "a")
        .rpush("queue", "b")
        .lpop("queue", None)
        .cmd("BLPOP")
        .arg("nothing")
        .arg(0)
        .query(&mut writer)
        .unwrap();
    assert_eq!(replies, (1, 2, Some("a".to_owned()), None));
    assert_eq!(client.join().unwrap(), Some(("queue".to_owned(), "b".to_owned())));
}

#[test]
fn a_value_moves_on_through_those_who_wait() {
    let served = Served::new();
    let last = waiting::<Popped>(&served, "BLPOP third 0");
    served.await_blocked(1);
    let middle = waiting::<Option<String>>(&served, "BLMOVE second third LEFT RIGHT 0");
    served.await_blocked(2);
    let first = waiting::<Option<String>>(&served, "BRPOPLPUSH first second 0");
    served.await_blocked(3);
    let _: u64 = ask(&mut served.connect(), "LPUSH first x").unwrap();
    assert_eq!(first.join().unwrap().as_deref(), Some("x"));
    assert_eq!(middle.join().unwrap().as_deref(), Some("x"));
    assert_eq!(last.join().unwrap(), Some(("third".to_owned(), "x".to_owned())));
}

#[test]
fn writers_in_the_process_wake_clients_and_clients_wake_threads() {
    let served = Served::new();
    let kv = served.store.kv_named("0");
    let client = waiting::<Popped>(&served, "BLPOP queue 0");
    served.await_blocked(1);
    kv.list("queue").push(End::Back, ["a"]).unwrap();
    assert_eq!(client.join().unwrap(), Some(("queue".to_owned(), "a".to_owned())));

    let thread = thread::spawn(move || kv.list("queue").pop_wait(End::Front, None).unwrap());
    let _: u64 = ask(&mut served.connect(), "RPUSH queue b").unwrap();
    assert_eq!(thread.join().unwrap().as_deref(), Some(&b"b"[..]));
}

#[test]
fn renamed_copied_and_restored_keys_wake_those_who_wait_and_other_kinds_do_not() {
    let served = Served::new();
    let mut writer = served.connect();
    let client = waiting::<Popped>(&served, "BLPOP queue 0");
    served.await_blocked(1);
    let _: () = ask(&mut writer, "SET queue text").unwrap();
    let _: u64 = ask(&mut writer, "DEL queue").unwrap();
    let _: u64 = ask(&mut writer, "ZADD queue 1 m").unwrap();
    served.await_blocked(1);
    let _: u64 = ask(&mut writer, "RPUSH source a").unwrap();
    let _: () = ask(&mut writer, "RENAME source queue").unwrap();
    assert_eq!(client.join().unwrap(), Some(("queue".to_owned(), "a".to_owned())));
}

#[test]
fn databases_that_are_swapped_wake_those_who_wait_and_change_what_is_watched() {
    let served = Served::new();
    let (mut writer, mut watcher) = (served.connect(), served.connect());
    let client = waiting::<Popped>(&served, "BLPOP queue 0");
    served.await_blocked(1);
    let _: () = ask(&mut watcher, "SET watched 0").unwrap();
    let _: () = ask(&mut watcher, "WATCH watched").unwrap();
    let _: () = ask(&mut writer, "SELECT 1").unwrap();
    let _: u64 = ask(&mut writer, "RPUSH queue a b").unwrap();
    let _: () = ask(&mut writer, "SWAPDB 0 1").unwrap();
    assert_eq!(client.join().unwrap(), Some(("queue".to_owned(), "a".to_owned())));
    let _: () = ask(&mut watcher, "MULTI").unwrap();
    let _: () = ask(&mut watcher, "SET watched 1").unwrap();
    let done: Option<Vec<String>> = ask(&mut watcher, "EXEC").unwrap();
    assert_eq!(done, None, "the key has gone to the other database");
}

// SEM: KV-TX-3
#[test]
fn emptying_a_large_database_changes_the_watched_keys_that_are_there_and_no_others() {
    let served = Served::new();
    let (mut watcher, mut writer) = (served.connect(), served.connect());
    for (key, is_changed) in [("k7", true), ("none", false), ("other", false)] {
        for n in 0..100 {
            let _: () = ask(&mut writer, &format!("SET k{n} v")).unwrap();
        }
        let _: () = ask(&mut watcher, &format!("SELECT {}", i32::from(key == "other"))).unwrap();
        let _: () = ask(&mut watcher, "SET other v").unwrap();
        let _: () = ask(&mut watcher, &format!("WATCH {key}")).unwrap();
        let _: () = ask(&mut writer, "FLUSHDB").unwrap();
        assert_eq!(ask::<u64>(&mut writer, "DBSIZE").unwrap(), 0);
        let _: () = ask(&mut watcher, "MULTI").unwrap();
        let _: () = ask(&mut watcher, "PING").unwrap();
        let done: Option<Vec<String>> = ask(&mut watcher, "EXEC").unwrap();
        assert_eq!(done.is_none(), is_changed, "{key}");
    }
}

#[test]
fn sorted_sets_and_streams_are_waited_for() {
    let served = Served::new();
    let mut writer = served.connect();
    let popped = waiting::<Option<(String, String, f64)>>(&served, "BZPOPMIN board 0");
    let read = waiting::<redis::Value>(&served, "XREAD BLOCK 0 STREAMS log $");
    served.await_blocked(2);
    let _: u64 = ask(&mut writer, "ZADD board 2 b 1 a").unwrap();
    let _: String = ask(&mut writer, "XADD log 1-1 f v").unwrap();
    assert_eq!(popped.join().unwrap(), Some(("board".to_owned(), "a".to_owned(), 1.0)));
    assert!(format!("{:?}", read.join().unwrap()).contains("1-1"));

    let _: () = ask(&mut writer, "XGROUP CREATE log workers $").unwrap();
    let one = waiting::<redis::Value>(&served, "XREADGROUP GROUP workers ann BLOCK 0 STREAMS log >");
    served.await_blocked(1);
    let two = waiting::<redis::Value>(&served, "XREADGROUP GROUP workers bob BLOCK 0 STREAMS log >");
    served.await_blocked(2);
    let _: (String, String) = redis::pipe()
        .cmd("XADD")
        .arg(&["log", "2-1", "f", "v"])
        .cmd("XADD")
        .arg(&["log", "2-2", "f", "v"])
        .query(&mut writer)
        .unwrap();
    assert!(format!("{:?}", one.join().unwrap()).contains("2-1"));
    assert!(format!("{:?}", two.join().unwrap()).contains("2-2"));
}

#[test]
fn a_group_that_is_destroyed_ends_the_waiting_for_it() {
    let served = Served::new();
    let mut writer = served.connect();
    let _: () = ask(&mut writer, "XGROUP CREATE log workers $ MKSTREAM").unwrap();
    let mut connection = served.connect();
    let reader = thread::spawn(move || {
        ask::<redis::Value>(&mut connection, "XREADGROUP GROUP workers ann BLOCK 0 STREAMS log >").unwrap_err()
    });
    served.await_blocked(1);
    let _: u64 = ask(&mut writer, "XGROUP DESTROY log workers").unwrap();
    assert_eq!(reader.join().unwrap().code(), Some("NOGROUP"));
}

#[test]
fn waiting_ends_with_its_time_with_the_connection_and_by_another_client() {
    let served = Served::new();
    let popped: Popped = ask(&mut served.connect(), "BLPOP queue 0.01").unwrap();
    assert_eq!(popped, None);

    let mut connection = served.connect();
    let id: u64 = ask(&mut connection, "CLIENT ID").unwrap();
    let client = thread::spawn(move || ask::<Popped>(&mut connection, "BLPOP queue 0"));
    served.await_blocked(1);
    let mut other = served.connect();
    let released: (u64, u64) = (
        ask(&mut other, &format!("CLIENT UNBLOCK {id} ERROR")).unwrap(),
        ask(&mut other, "CLIENT UNBLOCK 999").unwrap(),
    );
    assert_eq!(released, (1, 0));
    assert_eq!(client.join().unwrap().unwrap_err().code(), Some("UNBLOCKED"));

    // Nothing is given to a client that has gone.
    let mut gone = served.connect();
    gone.send_packed_command(&redis::cmd("BLPOP").arg("queue").arg(0).get_packed_command()).unwrap();
    served.await_blocked(1);
    drop(gone);
    served.await_blocked(0);
    let _: u64 = ask(&mut other, "RPUSH queue a").unwrap();
    let left: u64 = ask(&mut other, "LLEN queue").unwrap();
    assert_eq!(left, 1);
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice_among_many() {
    const WORKERS: usize = 8;
    const VALUES: usize = 400;
    let served = Served::new();
    let workers: Vec<_> = (0..WORKERS)
        .map(|n| {
            let mut connection = served.connect();
            thread::spawn(move || {
                let keys = if n % 2 == 0 { "a b" } else { "b a" };
                let mut taken = Vec::new();
                loop {
                    let popped: Popped = ask(&mut connection, &format!("BLPOP {keys} 0")).unwrap();
                    match popped.unwrap().1 {
                        end if end == "end" => return taken,
                        value => taken.push(value),
                    }
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut connection = served.connect();
            let kv = served.store.kv_named("0");
            thread::spawn(move || {
                for n in 0..VALUES {
                    let (key, value) = (if n % 2 == 0 { "a" } else { "b" }, format!("{writer}:{n}"));
                    if writer == 0 {
                        kv.list(key).push(End::Back, [value]).unwrap();
                    } else {
                        let _: u64 = ask(&mut connection, &format!("RPUSH {key} {value}")).unwrap();
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let mut connection = served.connect();
    for _ in 0..WORKERS {
        let _: u64 = ask(&mut connection, "RPUSH a end").unwrap();
    }
    let taken: Vec<String> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(taken.len(), 4 * VALUES);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 4 * VALUES);
}

#[test]
fn a_waiting_command_whose_run_fails_is_answered_with_its_error() {
    let served = Served::new();
    let mut writer = served.connect();
    let _: () = ask(&mut writer, "SET target text").unwrap();
    for command in ["BRPOPLPUSH blist target 0", "BLMOVE blist target LEFT LEFT 0"] {
        let mut connection = served.connect();
        let client = thread::spawn(move || ask::<redis::Value>(&mut connection, command).unwrap_err());
        served.await_blocked(1);
        let _: u64 = ask(&mut writer, "RPUSH blist foo").unwrap();
        assert_eq!(client.join().unwrap().code(), Some("WRONGTYPE"), "{command}");
        let left: Vec<String> = ask(&mut writer, "LRANGE blist 0 -1").unwrap();
        assert_eq!(left, ["foo"], "{command}");
        let _: u64 = ask(&mut writer, "DEL blist").unwrap();
    }
}

#[test]
fn whoever_waits_for_a_group_learns_that_it_is_gone() {
    for (change, code) in [
        ("DEL log", "NOGROUP"),
        ("UNLINK log", "NOGROUP"),
        ("FLUSHALL", "NOGROUP"),
        ("FLUSHDB", "NOGROUP"),
        ("SWAPDB 0 1", "NOGROUP"),
        ("RENAME log other", "NOGROUP"),
        ("SET log text", "WRONGTYPE"),
        ("RESTORE log 0 x", ""),
    ] {
        for in_transaction in [false, true] {
            let served = Served::new();
            let mut writer = served.connect();
            let _: () = ask(&mut writer, "XGROUP CREATE log workers $ MKSTREAM").unwrap();
            let mut connection = served.connect();
            let reader = thread::spawn(move || {
                ask::<redis::Value>(&mut connection, "XREADGROUP GROUP workers ann BLOCK 0 STREAMS log >").unwrap_err()
            });
            served.await_blocked(1);
            if in_transaction {
                let _: () = ask(&mut writer, "MULTI").unwrap();
            }
            let done = ask::<redis::Value>(&mut writer, change);
            if in_transaction {
                let _: redis::Value = ask(&mut writer, "EXEC").unwrap_or(redis::Value::Nil);
            }
            if code.is_empty() {
                // It is refused, and the group stays.
                assert!(done.is_err() || in_transaction);
                served.await_blocked(1);
                let _: u64 = ask(&mut writer, "XGROUP DESTROY log workers").unwrap();
                assert_eq!(reader.join().unwrap().code(), Some("NOGROUP"));
                continue;
            }
            assert_eq!(reader.join().unwrap().code(), Some(code), "{change}, {in_transaction}");
        }
    }
}

#[test]
fn whoever_waits_in_a_large_database_learns_that_it_was_emptied_or_exchanged() {
    for change in ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1"] {
        let served = Served::new();
        let mut writer = served.connect();
        let _: () = ask(&mut writer, "XGROUP CREATE log workers $ MKSTREAM").unwrap();
        for n in 0..=limits::REMOVED_AT_ONCE_MAX {
            served.store.kv().set(format!("k{n}"), "v").unwrap();
        }
        let mut connection = served.connect();
        let reader = thread::spawn(move || {
            ask::<redis::Value>(&mut connection, "XREADGROUP GROUP workers ann BLOCK 0 STREAMS log >").unwrap_err()
        });
        served.await_blocked(1);
        let _: () = ask(&mut writer, change).unwrap();
        assert_eq!(reader.join().unwrap().code(), Some("NOGROUP"), "{change}");
    }
}

#[test]
fn of_several_keys_that_are_written_together_the_first_one_written_is_taken_from() {
    let served = Served::new();
    let client = waiting::<Popped>(&served, "BLPOP a b 0");
    served.await_blocked(1);
    let _: (u64, u64) = redis::pipe().atomic().rpush("b", "1").rpush("a", "2").query(&mut served.connect()).unwrap();
    assert_eq!(client.join().unwrap(), Some(("b".to_owned(), "1".to_owned())));
}
