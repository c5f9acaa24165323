//! What clients are told while a script runs for long, beside a real redis-server.

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::judge::{Client, Judge, Reply};

/// What each client sends before the script, while it runs, and after it has been killed.
const STORIES: &[(&[&str], &[&str], &[&str])] = &[
    // One that is at rest.
    (
        &["SET k 1"],
        &["PING", "GET k", "NOSUCH", "GET", "SHUTDOWN", "FUNCTION STATS", "EXEC", "DISCARD", "UNWATCH"],
        &["GET k"],
    ),
    // A transaction that was begun before.
    (&["MULTI", "SET k 2"], &["SET k 3", "MULTI", "WATCH k", "EXEC"], &["EXEC", "GET k"]),
    (&["MULTI", "SET k 4"], &["GET k"], &["SET k 5", "EXEC", "GET k"]),
    (&["MULTI", "SET k 6"], &["DISCARD", "DISCARD", "MULTI"], &["SET k 7", "EXEC", "GET k"]),
    (&["MULTI", "SET k 8"], &["UNWATCH"], &["EXEC", "GET k"]),
    (&["MULTI", "SET k 8"], &["NOSUCH"], &["EXEC", "GET k"]),
    // One that is begun meanwhile, as a pipeline.
    (&[], &["MULTI", "SET k 9", "EXEC"], &["EXEC", "GET k"]),
    (&[], &["MULTI", "SET k 9"], &["SET k 10", "EXEC", "GET k"]),
    (&[], &["MULTI"], &["SET k 11", "EXEC", "GET k"]),
    // What is watched.
    (&["WATCH w"], &["UNWATCH"], &["SET w 1", "MULTI", "EXEC"]),
    (&["WATCH w"], &["DISCARD"], &["SET w 2", "MULTI", "EXEC"]),
    (&[], &["WATCH w"], &["SET w 3", "MULTI", "EXEC"]),
    (&["WATCH w"], &["RESET"], &["SET w 4", "MULTI", "EXEC"]),
    // One that listens.
    (&["SUBSCRIBE c"], &["PING", "GET k", "SUBSCRIBE d"], &["PING"]),
    (&["SUBSCRIBE c"], &["RESET", "GET k", "MULTI"], &["PING", "EXEC"]),
    (&["SELECT 1", "MULTI"], &["RESET", "EXEC"], &["GET k"]),
    (&[], &["HELLO 2 SETNAME a b", "AUTH a b"], &["PING"]),
];

/// A reply, without what is said of a server's own.
fn told(reply: Reply) -> Reply {
    match reply {
        // Texts that differ between versions and are compared elsewhere.
        Reply::Error(text) if text.starts_with("ERR") => Reply::Error("ERR".to_owned()),
        other => other,
    }
}

fn words(request: &str) -> Vec<&str> {
    request.split(' ').collect()
}

/// Tells a story to a server; the replies to each part.
fn replies(port: u16, (before, during, after): (&[&str], &[&str], &[&str])) -> [Vec<Reply>; 3] {
    let (mut client, mut other, mut runner) = (Client::connect(port), Client::connect(port), Client::connect(port));
    other.call(&["FLUSHALL"]);
    other.call(&["CONFIG", "SET", "busy-reply-threshold", "1"]);
    let mut ask = |part: &[&str]| part.iter().map(|request| told(client.call(&words(request)))).collect::<Vec<_>>();
    let before = ask(before);
    runner.send(&["EVAL", "while true do end", "0"]);
    while !matches!(other.call(&["PING"]), Reply::Error(_)) {}
    let during = ask(during);
    assert_eq!(other.call(&["SCRIPT", "KILL"]), Reply::Text(b"OK".to_vec()));
    assert!(matches!(runner.read(), Reply::Error(_)));
    [before, during, ask(after)]
}

#[test]
fn clients_are_told_of_a_long_script_as_by_a_redis_server() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default()).unwrap();
    for story in STORIES {
        assert_eq!(
            replies(server.address().socket_addr().unwrap().port(), *story),
            replies(judge.port, *story),
            "{story:?}"
        );
    }
}

#[test]
fn quit_ends_the_connection_during_a_long_script() {
    let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default()).unwrap();
    let port = server.address().socket_addr().unwrap().port();
    let (mut client, mut other, mut runner) = (Client::connect(port), Client::connect(port), Client::connect(port));
    client.call(&["MULTI"]);
    other.call(&["CONFIG", "SET", "busy-reply-threshold", "1"]);
    runner.send(&["EVAL", "while true do end", "0"]);
    while !matches!(other.call(&["PING"]), Reply::Error(_)) {}
    assert_eq!(client.call(&["QUIT"]), Reply::Text(b"OK".to_vec()));
    assert!(client.has_ended());
    assert_eq!(other.call(&["SCRIPT", "KILL"]), Reply::Text(b"OK".to_vec()));
    runner.read();
    assert_eq!(other.call(&["PING"]), Reply::Text(b"PONG".to_vec()));
}
