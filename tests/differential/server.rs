//! What the server tells of itself and its commands, beside a real redis-server.

use std::collections::{BTreeMap, BTreeSet};

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::judge::{Client, Judge, Reply};

/// Requests that both answer the same, errors included.
const REQUESTS: &[&str] = &[
    "SET k zero EXAT 9999999999",
    "SELECT 1",
    "RPUSH l a b",
    "ZADD z 1 a 2 b",
    "SELECT 0",
    "SWAPDB 0 1",
    "GET k",
    "LRANGE l 0 -1",
    "ZRANGE z 0 -1 WITHSCORES",
    "DBSIZE",
    "SWAPDB 1 1",
    "SELECT 1",
    "GET k",
    "EXPIRETIME k",
    "DBSIZE",
    "SWAPDB 1 0",
    "DBSIZE",
    "SWAPDB 0 16",
    "SWAPDB -1 0",
    "SWAPDB x 0",
    "SWAPDB 0 x",
    "SWAPDB 0",
    "FLUSHALL",
    "SELECT 0",
    "ROLE",
    "ASKING",
    "READONLY",
    "READWRITE",
    "CLUSTER INFO",
    "CLUSTER MYID",
    "CLUSTER SLOTS",
    "CLUSTER SHARDS",
    "CLUSTER NODES",
    "CLUSTER KEYSLOT a",
    "CLUSTER COUNTKEYSINSLOT 1",
    "CLUSTER HELP",
    "CLUSTER NOSUCH",
    "CLUSTER KEYSLOT",
    "CLUSTER",
    "REPLICAOF NO ONE",
    "SLAVEOF no one",
    "REPLICAOF host port",
    "REPLICAOF host 65536",
    "REPLICAOF host",
    "FAILOVER",
    "FAILOVER ABORT",
    "MODULE LIST",
    "MODULE NOSUCH",
    "MODULE LOAD",
    "WAIT 0 0",
    "WAIT 0 -1",
    "WAIT x 0",
    "SHUTDOWN ABORT",
    "SHUTDOWN NOSUCH",
    "SHUTDOWN SAVE NOSAVE",
    "SHUTDOWN ABORT NOW",
    "BGSAVE NOSUCH",
    "BGSAVE SCHEDULE x",
    "LASTSAVE x",
    "TIME x",
    "DEBUG SLEEP 0",
    "DEBUG SET-ACTIVE-EXPIRE 0",
    "DEBUG SET-ACTIVE-EXPIRE 1",
    "DEBUG SET-ACTIVE-EXPIRE",
    "DEBUG QUICKLIST-PACKED-THRESHOLD 100",
    "DEBUG QUICKLIST-PACKED-THRESHOLD 0",
    "DEBUG QUICKLIST-PACKED-THRESHOLD 100x",
    "DEBUG REPLYBUFFER RESIZING 0",
    "DEBUG NOSUCH",
    "DEBUG OBJECT nosuch",
    "DEBUG ERROR oops",
    "DEBUG POPULATE 3",
    "DEBUG POPULATE 2 x 3",
    "GET key:2",
    "GET x:1",
    "DEBUG POPULATE 1 long 20",
    "GET long:0",
    "DBSIZE",
    "DEBUG PROTOCOL string",
    "DEBUG PROTOCOL integer",
    "DEBUG PROTOCOL double",
    "DEBUG PROTOCOL bignum",
    "DEBUG PROTOCOL null",
    "DEBUG PROTOCOL array",
    "DEBUG PROTOCOL set",
    "DEBUG PROTOCOL map",
    "DEBUG PROTOCOL attrib",
    "DEBUG PROTOCOL push",
    "DEBUG PROTOCOL verbatim",
    "DEBUG PROTOCOL true",
    "DEBUG PROTOCOL nosuch",
    "COMMAND NOSUCH",
    "COMMAND COUNT x",
    "COMMAND LIST NOSUCH",
    "COMMAND LIST FILTERBY NOSUCH x",
    "COMMAND LIST FILTERBY MODULE x",
    "COMMAND LIST FILTERBY ACLCAT nosuch",
    "COMMAND LIST FILTERBY ACLCAT string",
    "COMMAND LIST FILTERBY ACLCAT hash",
    "COMMAND LIST FILTERBY ACLCAT geo",
    "COMMAND LIST FILTERBY ACLCAT sortedset",
    "COMMAND LIST FILTERBY ACLCAT stream",
    "COMMAND LIST FILTERBY ACLCAT blocking",
    "COMMAND LIST FILTERBY ACLCAT transaction",
    "COMMAND LIST FILTERBY PATTERN xrea*",
    "COMMAND LIST FILTERBY PATTERN XINFO*",
    "COMMAND GETKEYS SET a b",
    "COMMAND GETKEYS MSET a b c d",
    "COMMAND GETKEYS EVAL x 2 a b",
    "COMMAND GETKEYS XREAD COUNT 1 STREAMS a b 0 0",
    "COMMAND GETKEYS ZUNIONSTORE d 2 a b",
    "COMMAND GETKEYS SORT a STORE b",
    "COMMAND GETKEYS OBJECT ENCODING a",
    "COMMAND GETKEYS NOSUCH a",
    "COMMAND GETKEYS PING a",
    "COMMAND GETKEYS SET a",
    "COMMAND GETKEYSANDFLAGS SET a b",
    "COMMAND GETKEYSANDFLAGS SET a b GET",
    "COMMAND GETKEYSANDFLAGS GET a x",
    "COMMAND GETKEYSANDFLAGS SORT a STORE b",
    "COMMAND GETKEYSANDFLAGS LMOVE a b LEFT RIGHT",
    "COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0",
    "COMMAND GETKEYSANDFLAGS BITFIELD a SET u8 0 1",
    "COMMAND GETKEYSANDFLAGS BITOP AND a b c",
    "COMMAND GETKEYSANDFLAGS SINTERSTORE a b c",
    "COMMAND GETKEYSANDFLAGS ZUNIONSTORE a 2 b c",
    "COMMAND GETKEYSANDFLAGS EVAL x 2 a b",
    "COMMAND GETKEYSANDFLAGS XREADGROUP GROUP g c STREAMS a >",
    "COMMAND GETKEYSANDFLAGS GEORADIUS a 1 1 1 m STORE b",
    "COMMAND GETKEYSANDFLAGS EXISTS a b",
    "COMMAND GETKEYSANDFLAGS DEL a b",
    "LATENCY HISTOGRAM nosuch",
    "HSET h f 1",
    "HINCRBYFLOAT h f +inf",
    "HINCRBYFLOAT h f -inf",
    "HINCRBYFLOAT h f nan",
    "SINTERCARD a k",
    "SINTERCARD 0 k",
    "SINTERCARD 2 k",
    "ZINTERCARD 0 k",
    "ZINTERCARD a k",
    "ZINTERCARD 0",
    "ZINTERCARD 1 k LIMIT -1",
    "HSCAN nokey 0 NOVALUES",
    "SSCAN nokey 0 NOSUCH",
    "ZSCAN nokey 0 COUNT x",
    "HSCAN h 0 NOSUCH",
    "HSCAN nokey x NOSUCH",
    "SET k v",
    "PEXPIREAT k 9223372036854770000",
    "EXISTS k",
    "PEXPIRETIME k",
    "EXPIRETIME k",
    "SET k w KEEPTTL",
    "PEXPIRETIME k",
    "APPEND k x",
    "COPY k far",
    "PEXPIRETIME far",
    "RENAME far further",
    "PEXPIRETIME further",
    "PEXPIREAT k 9223372036854770001 LT",
    "PEXPIREAT k 9223372036854770001 GT",
    "PEXPIRETIME k",
    "PEXPIREAT k 9223372036854775",
    "PEXPIRETIME k",
    "PEXPIREAT k 9223372036854776",
    "PEXPIRETIME k",
    "SADD far a",
    "EXPIREAT far 9223372036854000",
    "PEXPIRETIME far",
    "SADD far b",
    "EXPIRETIME far",
    "PERSIST far",
    "PEXPIRETIME far",
    "DEL far further",
    "EXPIREAT k 9223372036854775",
    "EXPIREAT k 9223372036854776",
    "PEXPIRE k 9223372036854775807",
    "PEXPIRE k 9223370000000000000",
    "EXPIRE k 9223372036854775807",
    "EXPIREAT k -9223372036854775808",
    "EXISTS k",
    "PEXPIREAT k -9223372036854775808",
    "EXISTS k",
    "SET k v PXAT 9223372036854775807",
    "PEXPIRETIME k",
    "SET k v PX 9223372036854775807",
    "GETEX k PXAT 9223372036854770000",
    "PEXPIRETIME k",
    "SET k2 v EXAT 9223372036854000",
    "EXPIRETIME k2",
    "GETSET k2 w",
    "PEXPIRETIME k2",
    "SET k v EXAT 9223372036854776",
    "PSETEX k 9223372036854775807 v",
    "RPUSH l a b c",
    "LPOS l c RANK -9223372036854775807",
    "LPOS l c RANK 9223372036854775807",
    "SRANDMEMBER nokey -9223372036854775808",
    "HRANDFIELD nokey -9223372036854775808",
    "ZRANDMEMBER nokey -9223372036854775808",
    "LREM l -9223372036854775808 c",
    "LRANGE l -9223372036854775808 9223372036854775807",
    "LINDEX l -9223372036854775808",
];

/// Where 7.2 differs from 7.0, which is asked here; and where Redis has a pattern in a place for keys, or a token of no bytes.
const INFO_DIFFERS: &[&str] =
    &["bitop", "command|getkeys", "command|getkeysandflags", "migrate", "sort", "sort_ro", "zrank", "zrevrank"];

/// Commands that no script may call in 7.0, which is asked here. In 7.2 scripts may, and they do not wait there; nothing else about
/// them differs.
const FOR_SCRIPTS_SINCE_7_2: &[&str] = &["blmove", "blpop", "brpop", "brpoplpush", "bzpopmax", "bzpopmin", "wait"];

fn words(request: &str) -> Vec<&str> {
    request.split(' ').collect()
}

fn text(reply: &Reply) -> String {
    let Reply::Text(bytes) = reply else { panic!("{reply:?}") };
    String::from_utf8(bytes.clone()).unwrap()
}

fn parts(reply: Reply) -> Vec<Reply> {
    let Reply::Array(parts) = reply else { panic!("{reply:?}") };
    parts
}

/// Members of sets in order.
fn sorted(reply: Reply) -> Reply {
    let Reply::Array(mut parts) = reply else { return reply };
    parts.sort();
    Reply::Array(parts)
}

/// What is told of commands, by their names; without `notes`, which are for people.
fn infos(client: &mut Client, names: &[String]) -> BTreeMap<String, Reply> {
    let request: Vec<_> = ["COMMAND", "INFO"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let told = parts(client.call(&request)).into_iter().filter(|reply| *reply != Reply::Nil).map(|reply| {
        let mut parts = parts(reply);
        // Flags and hints.
        parts[2] = sorted(parts[2].clone());
        parts[6] = sorted(parts[6].clone());
        parts[7] = sorted(parts[7].clone());
        let Reply::Array(specs) = &mut parts[8] else { panic!("no places of keys") };
        for spec in specs {
            let Reply::Array(pairs) = spec else { panic!("{spec:?}") };
            if text(&pairs[0]) == "notes" {
                pairs.drain(..2);
            }
        }
        // Subcommands are asked for by their names.
        parts.truncate(9);
        (text(&parts[0]), Reply::Array(parts))
    });
    told.collect()
}

/// Removes a flag from what `COMMAND INFO` says of a command, and returns whether it was there.
fn remove_flag(info: &mut Reply, flag: &str) -> bool {
    let Reply::Array(facts) = info else { panic!("{info:?}") };
    let Reply::Array(flags) = &mut facts[2] else { panic!("{facts:?}") };
    let before = flags.len();
    flags.retain(|found| text(found) != flag);
    flags.len() < before
}

/// The arguments that `COMMAND DOCS` tells, by the names of commands: types, tokens and flags, and what they consist of.
fn arguments(client: &mut Client, names: &[String]) -> BTreeMap<String, String> {
    let request: Vec<_> = ["COMMAND", "DOCS"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let told = parts(client.call(&request));
    let told = told.chunks(2).map(|pair| {
        let facts = parts(pair[1].clone());
        let arguments = facts.chunks(2).find(|fact| text(&fact[0]) == "arguments");
        (text(&pair[0]), arguments.map(|fact| shape(&fact[1])).unwrap_or_default())
    });
    told.collect()
}

fn shape(arguments: &Reply) -> String {
    let shapes = parts(arguments.clone()).into_iter().map(|argument| {
        let (mut facts, mut inner) = (Vec::new(), String::new());
        for fact in parts(argument).chunks(2) {
            match text(&fact[0]).as_str() {
                "type" | "token" => facts.push(text(&fact[1])),
                "flags" => facts.push(format!("{:?}", sorted(fact[1].clone()))),
                "key_spec_index" => facts.push(format!("{:?}", fact[1])),
                "arguments" => inner = shape(&fact[1]),
                _ => {}
            }
        }
        format!("({}{inner})", facts.join(" "))
    });
    shapes.collect()
}

fn both() -> Option<(Judge, RedisServer, [Client; 2])> {
    let judge = Judge::start()?;
    let server = RedisServer::start(&Store::in_memory(), &RedisOptions::default().enable_debug_command()).unwrap();
    let clients = [Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port())];
    Some((judge, server, clients))
}

#[test]
fn the_server_answers_alike() {
    let Some((_judge, _server, [mut theirs, mut ours])) = both() else { return };
    let mut differ = Vec::new();
    for request in REQUESTS {
        let [theirs, ours] = [theirs.call(&words(request)), ours.call(&words(request))].map(|reply| match reply {
            Reply::Array(_) if request.contains("LIST") => sorted(reply),
            reply => reply,
        });
        if theirs != ours {
            differ.push(format!("{request}\nRedis:  {theirs:?}\nLarder: {ours:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Values that both refuse, or take, with the same words.
const PARAMETERS: &[&str] = &[
    "maxmemory-clients 101%",
    "maxmemory-clients -1",
    "maxmemory-clients x",
    "maxmemory-clients 1gb",
    "maxmemory-clients 0",
    "maxmemory -1",
    "timeout -1",
    "timeout 99999999999",
    "timeout x",
    "tcp-keepalive -1",
    "client-query-buffer-limit x",
    "slowlog-log-slower-than -2",
    "maxmemory-samples 0",
    "lfu-log-factor -1",
    "stream-node-max-entries -1",
    "stream-node-max-bytes -1",
    "save x",
    "save 1:-1",
    "save 0:1",
    "save 1",
    "save 3600:1:300:100",
    "save ",
    "client-output-buffer-limit normal:1:2",
    "client-output-buffer-limit x:1:2:3",
    "client-output-buffer-limit normal:x:2:3",
    "client-output-buffer-limit master:1:2:3",
    "client-output-buffer-limit normal:0:0:0",
    "notify-keyspace-events Q",
    "latency-tracking-info-percentiles 101",
    "latency-tracking-info-percentiles x",
    "port x",
    "port 70000",
    "oom-score-adj-values 1",
    "oom-score-adj-values x:2:3",
    "appendonly maybe",
    "hz x",
    "zset-max-listpack-value -1",
    "list-max-listpack-size 99999999999",
    "tracking-table-max-keys -1",
    "active-expire-effort 11",
    "repl-backlog-size 0",
    "busy-reply-threshold -1",
    "lua-time-limit x",
    "maxmemory-policy x",
    "dir /nonexistent",
    "daemonize yes",
    "lazyfree-lazy-user-del x",
    "nosuch x",
];

#[test]
fn values_of_parameters_are_checked_alike() {
    let Some((_judge, _server, [mut theirs, mut ours])) = both() else { return };
    let mut differ = Vec::new();
    for parameter in PARAMETERS {
        let (name, value) = parameter.split_once(' ').unwrap();
        let value = value.replace(':', " ");
        let request = ["CONFIG", "SET", name, &value];
        let (theirs, ours) = (theirs.call(&request), ours.call(&request));
        if theirs != ours {
            differ.push(format!("{parameter}\nRedis:  {theirs:?}\nLarder: {ours:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn commands_are_told_of_alike() {
    let Some((_judge, _server, [mut theirs, mut ours])) = both() else { return };
    let mut names: Vec<_> = parts(ours.call(&["COMMAND", "LIST"])).iter().map(text).collect();
    names.extend(parts(ours.call(&words("COMMAND LIST FILTERBY PATTERN *|*"))).iter().map(text));
    let mut differ = Vec::new();
    let (mut their_infos, our_infos) = (infos(&mut theirs, &names), infos(&mut ours, &names));
    assert!(our_infos.keys().eq(&names.iter().cloned().collect::<BTreeSet<_>>()), "{our_infos:?}\n{names:?}");
    for (name, theirs) in &mut their_infos {
        if FOR_SCRIPTS_SINCE_7_2.contains(&name.as_str()) {
            assert!(remove_flag(theirs, "noscript"), "{name} is for scripts in 7.0 too");
        }
        if *theirs != our_infos[name] && !INFO_DIFFERS.contains(&name.as_str()) {
            differ.push(format!("{name}\nRedis:  {theirs:?}\nLarder: {:?}", our_infos[name]));
        }
    }
    let (their_docs, our_docs) = (arguments(&mut theirs, &names), arguments(&mut ours, &names));
    assert!(our_docs.keys().eq(our_infos.keys()));
    for (name, theirs) in &their_docs {
        if *theirs != our_docs[name] && !INFO_DIFFERS.contains(&name.as_str()) {
            differ.push(format!("{name}\nRedis:  {theirs}\nLarder: {}", our_docs[name]));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The names of fields, by section.
fn fields(client: &mut Client) -> BTreeMap<String, Vec<String>> {
    let (mut sections, mut section) = (BTreeMap::<_, Vec<_>>::new(), String::new());
    for line in text(&client.call(&["INFO", "everything"])).lines() {
        if let Some(name) = line.strip_prefix("# ") {
            name.clone_into(&mut section);
            sections.entry(section.clone()).or_default();
        } else if let Some((name, _)) = line.split_once(':') {
            sections.entry(section.clone()).or_default().push(name.to_owned());
        }
    }
    sections
}

#[test]
fn info_has_the_sections_and_fields_of_redis() {
    let Some((_judge, _server, [mut theirs, mut ours])) = both() else { return };
    for client in [&mut theirs, &mut ours] {
        client.call(&words("SET k v EX 100"));
        client.call(&words("GET k"));
        client.call(&words("LPUSH k v"));
        client.call(&words("NOSUCH"));
        client.call(&words("GET"));
        client.call(&words("CLIENT ID"));
    }
    let (their_sections, our_sections) = (fields(&mut theirs), fields(&mut ours));
    assert!(their_sections.keys().eq(our_sections.keys()));
    for section in ["Commandstats", "Errorstats", "Keyspace", "Replication", "CPU", "Cluster"] {
        let [theirs, ours] = [&their_sections, &our_sections].map(|sections| {
            let mut names = sections[section].clone();
            // Its line is there from the second call on.
            names.retain(|name| !name.contains("cmdstat_info"));
            names.sort();
            names
        });
        assert_eq!(theirs, ours, "{section}");
    }
    let line = |client: &mut Client, name: &str| {
        let all = text(&client.call(&["INFO", "everything"]));
        all.lines().find_map(|line| Some(line.strip_prefix(name)?.to_owned())).unwrap_or_default()
    };
    for (name, ends) in [
        ("cmdstat_get:", ",rejected_calls=1,failed_calls=0"),
        ("cmdstat_lpush:", ",rejected_calls=0,failed_calls=1"),
        ("errorstat_ERR:", "count=2"),
        ("errorstat_WRONGTYPE:", "count=1"),
        ("keyspace_hits:", "1"),
        ("keyspace_misses:", "0"),
    ] {
        for client in [&mut theirs, &mut ours] {
            let line = line(client, name);
            assert!(line.ends_with(ends), "{name}{line}");
        }
    }
    assert!(line(&mut ours, "db0:").starts_with("keys=1,expires=1,avg_ttl=99"));
    assert!(line(&mut ours, "cmdstat_get:").starts_with("calls=1,"));
    for client in [&mut theirs, &mut ours] {
        client.call(&words("CONFIG RESETSTAT"));
        assert_eq!(line(client, "cmdstat_get:"), "");
        assert_eq!(line(client, "errorstat_ERR:"), "");
        assert_eq!(line(client, "keyspace_hits:"), "0");
    }
}
