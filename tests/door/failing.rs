//! A store whose disk fails, as clients see it: no reply tells of what is not there.

use std::path::Path;
use std::sync::Arc;

use larder::Store;
use larder::engine::Durability;
use larder::engine::durable::{DurableEngine, DurableOptions};
use larder::server::redis::{RedisOptions, RedisServer};
use larder::vfs::Vfs;
use larder::vfs::sim::{Call, Fault, SimVfs};

use crate::{Raw, Served, ask};

/// A store on a simulated disk, with its door.
fn on_disk(durability: Durability) -> (SimVfs, Served) {
    let disk = SimVfs::new(1);
    // Only what is synced now and then needs a thread for that.
    let has_threads = matches!(durability, Durability::Interval(_));
    let vfs = Arc::new(disk.clone()) as Arc<dyn Vfs>;
    let options = DurableOptions::default().vfs(vfs).store_id(1);
    let options = if has_threads { options } else { options.without_threads() };
    let engine = DurableEngine::open_with(Path::new("/disk/store"), &options).unwrap();
    let store = Store::builder().durability(durability).engine(Arc::new(engine)).unwrap();
    let server = RedisServer::start(&store, &RedisOptions::default().enable_debug_command()).unwrap();
    (disk, Served { store, server })
}

/// Has every write fail from now on.
fn break_disk(disk: &SimVfs) {
    disk.fail(Fault::at(Call::Write, 1).with(std::io::ErrorKind::StorageFull).forever());
}

const LEVELS: [Durability; 3] =
    [Durability::Sync, Durability::None, Durability::Interval(std::time::Duration::from_hours(1))];

fn assert_refused(client: &mut Raw, requests: usize) {
    for line in client.lines(requests) {
        assert!(line.starts_with("-MISCONF Errors writing to the data store: "), "{line}");
    }
}

#[test]
fn each_request_of_a_run_that_could_not_be_committed_gets_one_error_and_nothing_else() {
    for level in LEVELS {
        let (disk, served) = on_disk(level);
        let mut client = served.raw();
        client.send("SET before 1\r\n");
        assert_eq!(client.lines(1), ["+OK"]);
        break_disk(&disk);
        client.send(
            "SET a 1\r\nINCR b\r\nMULTI\r\nSET c 1\r\nGET before\r\nEXEC\r\nLPUSH l x\r\nPUBLISH p m\r\nGET a\r\n",
        );
        assert_refused(&mut client, 9);
        // The connection goes on, and so do reads; each write is refused for itself.
        client.send("EXISTS a b c l\r\nGET before\r\nSET d 1\r\nPING\r\nDEL before\r\nPUBLISH p m\r\n");
        assert_eq!(client.lines(3), [":0", "$1", "1"]);
        assert_refused(&mut client, 1);
        assert_eq!(client.lines(1), ["+PONG"]);
        assert_refused(&mut client, 1);
        assert_eq!(client.lines(1), [":0"]);
        // It is so for others, too.
        let mut other = served.raw();
        other.send("SET e 1\r\nFLUSHALL\r\nEXISTS before e\r\n");
        assert_refused(&mut other, 2);
        assert_eq!(other.lines(1), [":1"]);
    }
}

#[test]
fn a_sync_that_fails_takes_back_what_waited_for_it() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut client = served.raw();
    disk.fail(Fault::at(Call::Sync, 1));
    client.send("SET a 1\r\nSET b 1\r\n");
    assert_refused(&mut client, 2);
    client.send("EXISTS a b\r\n");
    assert_eq!(client.lines(1), [":0"]);
}

#[test]
fn a_command_that_is_queued_for_a_store_that_cannot_write_is_refused_at_once() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut client = served.raw();
    break_disk(&disk);
    client.send("SET a 1\r\n");
    assert_refused(&mut client, 1);
    client.send("MULTI\r\nGET a\r\nSET a 1\r\nEXEC\r\n");
    assert_eq!(client.lines(2), ["+OK", "+QUEUED"]);
    assert_refused(&mut client, 1);
    assert!(client.line().unwrap().starts_with("-EXECABORT"));
}

#[test]
fn what_tells_of_the_server_works_on_a_store_that_cannot_write() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut connection = served.connect();
    let info: String = ask(&mut connection, "INFO persistence").unwrap();
    assert!(info.contains("aof_last_write_status:ok\r"), "{info}");
    let _: () = ask(&mut connection, "SET before 1").unwrap();
    break_disk(&disk);
    let refused = ask::<()>(&mut connection, "SET a 1").unwrap_err();
    assert_eq!(refused.code(), Some("MISCONF"));
    let info: String = ask(&mut connection, "INFO everything").unwrap();
    assert!(info.contains("aof_last_write_status:err\r") && info.contains("used_memory:"), "{info}");
    for command in
        ["MEMORY STATS", "LASTSAVE", "DBSIZE", "CONFIG GET *", "CLIENT LIST", "SLOWLOG GET", "LATENCY LATEST", "TIME"]
    {
        let told: redis::RedisResult<redis::Value> = ask(&mut connection, command);
        assert!(told.is_ok(), "{command}: {told:?}");
    }
    assert_eq!(served.store.failure().is_some(), served.store.kv().set("k", "v").is_err());
    // A checkpoint cannot be made either, and is said to have failed.
    ask::<()>(&mut connection, "SAVE").unwrap_err();
    let info: String = ask(&mut connection, "INFO persistence").unwrap();
    assert!(info.contains("rdb_last_bgsave_status:err\r"), "{info}");
}

#[test]
fn who_waited_for_what_could_not_be_committed_gets_an_error() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut waiting = served.raw();
    waiting.send("BLPOP q 0\r\n");
    served.await_blocked(1);
    disk.fail(Fault::at(Call::Sync, 1));
    let mut client = served.raw();
    client.send("RPUSH q x\r\n");
    assert_refused(&mut client, 1);
    assert_refused(&mut waiting, 1);
    for client in [&mut waiting, &mut client] {
        client.send("LLEN q\r\n");
        assert_eq!(client.lines(1), [":0"]);
    }
}

#[test]
fn nobody_gets_a_message_that_was_not_committed() {
    let (disk, served) = on_disk(Durability::Sync);
    let (mut listener, mut client) = (served.raw(), served.raw());
    listener.send("SUBSCRIBE c\r\n");
    assert_eq!(listener.lines(6), ["*3", "$9", "subscribe", "$1", "c", ":1"]);
    break_disk(&disk);
    client.send("MULTI\r\nSET k v\r\nPUBLISH c lost\r\nEXEC\r\n");
    assert_refused(&mut client, 4);
    // Messages alone need no disk.
    client.send("PUBLISH c next\r\n");
    assert_eq!(client.lines(1), [":1"]);
    assert_eq!(listener.lines(7), ["*3", "$7", "message", "$1", "c", "$4", "next"]);
}

#[test]
fn a_session_that_is_not_what_its_client_believes_ends() {
    for (requests, count) in
        [("SET a 1\r\nSELECT 1\r\n", 2), ("SET a 1\r\nMULTI\r\nGET a\r\n", 3), ("SET a 1\r\nSUBSCRIBE c\r\n", 2)]
    {
        let (disk, served) = on_disk(Durability::Sync);
        let mut client = served.raw();
        break_disk(&disk);
        client.send(requests);
        assert_refused(&mut client, count);
        assert!(client.has_ended(), "{requests}");
    }
}

#[test]
fn who_wants_no_replies_gets_no_errors() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut client = served.raw();
    client.send("CLIENT REPLY OFF\r\nPING\r\n");
    break_disk(&disk);
    client.send("SET a 1\r\nSET b 1\r\n");
    client.send("CLIENT REPLY ON\r\nEXISTS a b\r\n");
    // `CLIENT REPLY ON` may come in the run that fails, and then has no effect that the client could count on.
    let line = client.line();
    assert!(line.as_deref() == Some("+OK") || line.is_some_and(|line| line.starts_with("-MISCONF")));
}

#[cfg(feature = "lua")]
#[test]
fn a_function_that_was_not_committed_is_in_no_cache() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut connection = served.connect();
    let library = |name: &str| format!("#!lua name={name}\nredis.register_function('{name}', function() return 1 end)");
    let load = |connection: &mut redis::Connection, name: &str| {
        redis::cmd("FUNCTION").arg("LOAD").arg(library(name)).query::<String>(connection)
    };
    load(&mut connection, "kept").unwrap();
    disk.fail(Fault::at(Call::Sync, 1));
    assert_eq!(load(&mut connection, "lost").unwrap_err().code(), Some("MISCONF"));
    assert!(ask::<i64>(&mut connection, "FCALL lost 0").unwrap_err().to_string().contains("not found"));
    assert_eq!(ask(&mut connection, "FCALL kept 0"), Ok(1));
    assert_eq!(ask::<()>(&mut connection, "FUNCTION DELETE kept").unwrap_err().code(), Some("MISCONF"));
    assert_eq!(ask(&mut connection, "FCALL kept 0"), Ok(1));
}

#[cfg(feature = "lua")]
#[test]
fn a_script_that_wrote_what_could_not_be_committed_gets_an_error() {
    let (disk, served) = on_disk(Durability::Sync);
    let mut connection = served.connect();
    let run = |connection: &mut redis::Connection| {
        redis::cmd("EVAL")
            .arg("redis.call('SET', KEYS[1], 1) return 'done'")
            .arg(1)
            .arg("k")
            .query::<String>(connection)
    };
    break_disk(&disk);
    // The second is refused before it writes.
    for _ in 0..2 {
        let refused = run(&mut connection).unwrap_err();
        assert_eq!(refused.code(), Some("MISCONF"), "{refused}");
    }
    assert_eq!(ask(&mut connection, "EXISTS k"), Ok(0));
}

#[test]
fn a_command_that_panics_takes_back_its_run_and_ends_its_connection_only() {
    let (_disk, served) = on_disk(Durability::Sync);
    let (mut client, mut other) = (served.raw(), served.raw());
    other.send("SET kept 1\r\n");
    assert_eq!(other.lines(1), ["+OK"]);
    client.send("MULTI\r\nSET a 1\r\nDEBUG PANIC\r\nEXEC\r\nSET b 1\r\n");
    for line in client.lines(4) {
        assert_eq!(line, "-ERR internal error: the command panicked");
    }
    assert!(client.has_ended());
    // One that an administrator sends stands alone.
    let mut client = served.raw();
    client.send("SET alone 1\r\nDEBUG PANIC\r\n");
    assert_eq!(client.lines(2), ["+OK", "-ERR internal error: the command panicked"]);
    other.send("EXISTS a b\r\nEXISTS kept alone\r\nSET after 1\r\n");
    assert_eq!(other.lines(3), [":0", ":2", "+OK"]);
    served.store.kv().set("embedded", "1").unwrap();
}

#[test]
#[ignore = "takes several GiB of memory"]
fn a_command_that_makes_a_commit_too_large_is_refused_with_the_limit_and_the_others_are_kept() {
    let (_disk, served) = on_disk(Durability::Sync);
    let mut client = served.raw();
    client.send("SETRANGE b 59999999 x\r\n");
    assert_eq!(client.lines(1), [":60000000"]);
    let copies: Vec<String> = (0..36).map(|n| format!("COPY b b{n}\r\n")).collect();
    client.send(format!("SET innocent 1\r\n{}SET last 1\r\n", copies.concat()));
    let replies = client.lines(38);
    let (done, refused) = replies.split_at(36);
    assert!(done[0] == "+OK" && done[1..].iter().all(|reply| reply == ":1"), "{replies:?}");
    assert!(refused[0].starts_with("-ERR commit bytes is limited to 2147483648, found "), "{replies:?}");
    assert_eq!(refused[1], "+OK");
    client.send("EXISTS innocent b0 b34 b35 last\r\n");
    assert_eq!(client.lines(1), [":4"]);
}
