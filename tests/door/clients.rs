//! What clients are told of one another, and do to one another.

use redis::{Connection, RedisResult};

use crate::{Served, ask};

#[test]
fn every_container_says_what_its_subcommands_are() {
    let served = Served::new();
    let mut connection = served.connect();
    for name in
        ["ACL", "CLIENT", "CONFIG", "DEBUG", "LATENCY", "MEMORY", "OBJECT", "PUBSUB", "SLOWLOG", "XGROUP", "XINFO"]
    {
        let lines: Vec<redis::Value> = ask(&mut connection, &format!("{name} HELP")).unwrap();
        let lines: Vec<_> = lines
            .into_iter()
            .map(|line| match line {
                redis::Value::SimpleString(line) => line,
                other => panic!("{name}: {other:?}"),
            })
            .collect();
        assert!(lines[0].starts_with(&format!("{name} <subcommand> [<arg> ")), "{name}: {}", lines[0]);
        assert!(lines[0].ends_with(" Subcommands are:") && lines.contains(&"HELP".to_owned()), "{name}");
    }
}

fn is_parted_with(connection: &mut Connection) -> bool {
    let pong: RedisResult<String> = ask(connection, "PING");
    pong.is_err()
}

#[test]
fn the_list_has_the_fields_of_redis_in_their_order() {
    let served = Served::new();
    let mut connection = served.connect();
    let _: () = ask(&mut connection, "CLIENT SETNAME ann").unwrap();
    let _: () = ask(&mut connection, "CLIENT SETINFO LIB-NAME rust").unwrap();
    let line: String = ask(&mut connection, "CLIENT INFO").unwrap();
    let fields: Vec<_> = line.split_ascii_whitespace().map(|field| field.split_once('=').unwrap()).collect();
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let expected = "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp \
                    obl oll omem tot-mem events cmd user redir resp lib-name lib-ver";
    assert_eq!(names, expected.split(' ').collect::<Vec<_>>());
    for (name, value) in [("name", "ann"), ("flags", "N"), ("cmd", "client|info"), ("user", "default"), ("multi", "-1")]
    {
        assert!(fields.contains(&(name, value)), "{name}: {line}");
    }
}

#[test]
fn a_client_that_is_meant_is_parted_with() {
    let served = Served::new();
    let mut admin = served.connect();
    let _: () = ask(&mut admin, "ACL SETUSER ann on nopass +@all ~* &*").unwrap();
    for filter in ["ID {id}", "ADDR {addr}", "USER ann", "USER ann TYPE normal LADDR {laddr}", "ID {id} SKIPME no"] {
        let mut other = served.connect();
        let _: () = ask(&mut other, "AUTH ann x").unwrap();
        let line: String = ask(&mut other, "CLIENT INFO").unwrap();
        let mut command = format!("CLIENT KILL {filter}");
        for field in line.split_ascii_whitespace() {
            let (name, value) = field.split_once('=').unwrap();
            command = command.replace(&format!("{{{name}}}"), value);
        }
        let killed: u64 = ask(&mut admin, &command).unwrap();
        assert_eq!(killed, 1, "{command}");
        assert!(is_parted_with(&mut other), "{command}");
    }
    for filter in ["TYPE pubsub", "USER ann", "MAXAGE 100000", "ADDR 127.0.0.1:1", "TYPE replica", "ID 9999"] {
        let killed: u64 = ask(&mut admin, &format!("CLIENT KILL {filter}")).unwrap();
        assert_eq!(killed, 0, "{filter}");
    }
    let killed: u64 = ask(&mut admin, "CLIENT KILL TYPE normal SKIPME no").unwrap();
    assert!(killed >= 1);
    assert!(is_parted_with(&mut admin));
}

#[test]
fn who_loses_a_channel_is_parted_with() {
    let served = Served::new();
    let mut admin = served.connect();
    for (kept, lost, subscribe) in [
        ("&b &c", "&b", "SUBSCRIBE c"),
        ("&b*", "&b", "SUBSCRIBE bb"),
        ("&p*", "&p", "PSUBSCRIBE p*"),
        ("&s", "&t", "SSUBSCRIBE s"),
        ("allchannels", "&t", "SUBSCRIBE s"),
    ] {
        let _: () = ask(&mut admin, &format!("ACL SETUSER ann reset on nopass +@all ~* {kept}")).unwrap();
        let mut listener = served.connect();
        let _: () = ask(&mut listener, "AUTH ann x").unwrap();
        let _: redis::Value = ask(&mut listener, subscribe).unwrap();
        let _: () = ask(&mut admin, &format!("ACL SETUSER ann {kept} +@all")).unwrap();
        let list: String = ask(&mut admin, "CLIENT LIST TYPE pubsub").unwrap();
        assert_eq!(list.lines().count(), 1, "{subscribe}");
        let _: () = ask(&mut admin, &format!("ACL SETUSER ann resetchannels {lost}")).unwrap();
        assert!(is_parted_with(&mut listener), "{subscribe}");
        while !ask::<String>(&mut admin, "CLIENT LIST TYPE pubsub").unwrap().is_empty() {}
    }
}

#[test]
fn who_does_not_touch_leaves_no_trace_of_use_but_by_touch() {
    let served = Served::new();
    let mut client = served.connect();
    let _: () = ask(&mut client, "CONFIG SET maxmemory-policy allkeys-lfu").unwrap();
    let _: () = ask(&mut client, "SET k v").unwrap();
    let frequency = |client: &mut redis::Connection| ask::<u64>(client, "OBJECT FREQ k").unwrap();
    let at_first = frequency(&mut client);
    let _: () = ask(&mut client, "CLIENT NO-TOUCH ON").unwrap();
    for _ in 0..10 {
        let _: String = ask(&mut client, "GET k").unwrap();
    }
    assert_eq!(frequency(&mut client), at_first);
    let _: u64 = ask(&mut client, "TOUCH k").unwrap();
    assert_eq!(frequency(&mut client), at_first + 1, "the first uses always count");
    let _: () = ask(&mut client, "CLIENT NO-TOUCH OFF").unwrap();
    for _ in 0..1_000 {
        let _: String = ask(&mut client, "GET k").unwrap();
    }
    assert!(frequency(&mut client) > at_first + 1);
}
