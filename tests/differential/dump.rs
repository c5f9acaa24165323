//! Dumps of a real redis-server are restored here and read the same, and the other way round.
//!
//! `LARDER_DIFFERENTIAL_DUMPS` says how many keys to carry, `LARDER_DIFFERENTIAL_SEED` with which to begin.

use std::collections::BTreeSet;

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::judge::{Client, Judge, Random, Reply, number};

const DUMPS: u64 = 1_000;

/// Bytes of a member or value: numbers of all sizes, short and long text, text that compresses well, and not at all.
fn bytes(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0..4 => random.below(300).to_string().into_bytes(),
        4 => format!("-{}", random.below(100_000)).into_bytes(),
        5 => random.below(usize::MAX / 2).to_string().into_bytes(),
        6 => format!("{}.5", random.below(100)).into_bytes(),
        7 => vec![b'a'; random.below(3_000)],
        8 => format!("to be or not to be {} ", random.below(3)).repeat(random.below(40)).into_bytes(),
        9 => (0..random.below(200)).map(|_| u8::try_from(random.below(256)).unwrap()).collect(),
        10 => Vec::new(),
        _ => vec![b'x', u8::try_from(random.below(256)).unwrap()],
    }
}

/// How many elements: mostly few, so that the compact forms are met, but also more than they hold.
fn count(random: &mut Random) -> usize {
    match random.below(10) {
        0 => 100 + random.below(600),
        1 => 60 + random.below(100),
        _ => 1 + random.below(20),
    }
}

type Words = Vec<Vec<u8>>;

fn words(text: &str) -> Words {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Commands that make the key `k`.
fn commands(random: &mut Random) -> Vec<Words> {
    let count = count(random);
    let many = |random: &mut Random, start: &str, part: &dyn Fn(&mut Random) -> Words| {
        (0..count).map(|_| [words(start), part(random)].concat()).collect()
    };
    match random.below(7) {
        0 => vec![[words("SET k"), vec![bytes(random)]].concat()],
        1 => many(random, "RPUSH k", &|random| vec![bytes(random)]),
        2 => many(random, "SADD k", &|random| vec![bytes(random)]),
        3 => {
            let end = [100, 100_000, usize::MAX / 2][random.below(3)];
            many(random, "SADD k", &|random| vec![random.below(end).to_string().into_bytes()])
        }
        4 => many(random, "HSET k", &|random| vec![bytes(random), bytes(random)]),
        5 => many(random, "ZADD k", &|random| {
            // Such that 17 digits are the shortest ones, without an exponent (SEM: KV-Z-4).
            let score = ["1", "-2", "2.5", "inf", "-inf", "1e15", "0.125"][random.below(7)];
            vec![score.as_bytes().to_vec(), bytes(random)]
        }),
        _ => stream(random, count),
    }
}

/// Commands that make a stream with gaps, deleted entries, and groups that are part of the way.
fn stream(random: &mut Random, count: usize) -> Vec<Words> {
    let mut commands = Vec::new();
    for at in 0..count {
        let mut add = words(&format!("XADD k {}-{}", 1 + at / 3, 1 + at % 3));
        for name in ["one", "two"].iter().take(1 + random.below(2)) {
            add.extend([name.as_bytes().to_vec(), bytes(random)]);
        }
        commands.push(add);
    }
    for _ in 0..random.below(count.min(6)) {
        commands.push(words(&format!("XDEL k {}-1", 1 + random.below(count) / 3)));
    }
    for group in 0..random.below(3) {
        commands.push(words(&format!("XGROUP CREATE k g{group} {}", ["0", "$", "1-2"][random.below(3)])));
        commands.push(words(&format!("XGROUP CREATECONSUMER k g{group} idle")));
        for consumer in 0..random.below(3) {
            let some = 1 + random.below(9);
            commands.push(words(&format!("XREADGROUP GROUP g{group} c{consumer} COUNT {some} STREAMS k >")));
        }
        commands.push(words(&format!("XACK k g{group} 1-1 2-1")));
    }
    if random.below(4) == 0 {
        commands.push(words("XTRIM k MAXLEN 2"));
    }
    commands
}

fn text(reply: Reply) -> Vec<u8> {
    match reply {
        Reply::Text(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Everything that is at a key.
fn read(client: &mut Client, key: &str) -> Vec<Reply> {
    let kind = client.call(&words(&format!("TYPE {key}")));
    let ask = match &kind {
        Reply::Text(kind) => match &**kind {
            b"string" => format!("GET {key}"),
            b"list" => format!("LRANGE {key} 0 -1"),
            b"set" => format!("SMEMBERS {key}"),
            b"hash" => format!("HGETALL {key}"),
            b"zset" => format!("ZRANGE {key} 0 -1 WITHSCORES"),
            b"stream" => format!("XRANGE {key} - +"),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let value = match client.call(&words(&ask)) {
        Reply::Array(mut members) if ask.starts_with("SMEMBERS") => {
            members.sort();
            Reply::Array(members)
        }
        Reply::Array(parts) if ask.starts_with("HGETALL") => {
            let mut pairs: Vec<_> = parts.chunks(2).map(<[Reply]>::to_vec).collect();
            pairs.sort();
            Reply::Array(pairs.concat())
        }
        value => value,
    };
    vec![kind, value, client.call(&words(&format!("PEXPIRETIME {key}")))]
}

/// What a stream is besides its entries, without how the server has laid it out.
fn stream_info(client: &mut Client, key: &str) -> Vec<Reply> {
    let Reply::Array(info) = client.call(&words(&format!("XINFO STREAM {key} FULL COUNT 0"))) else { panic!("{key}") };
    let is_layout = |name: &Reply| matches!(name, Reply::Text(name) if name.starts_with(b"radix-tree"));
    info.chunks(2).filter(|pair| !is_layout(&pair[0])).map(<[Reply]>::to_vec).collect::<Vec<_>>().concat()
}

fn restore(client: &mut Client, key: &str, ttl: &str, dump: Vec<u8>) -> Reply {
    client.call(&[words(&format!("RESTORE {key} {ttl}")), vec![dump], words("ABSTTL")].concat())
}

#[test]
fn keys_are_carried_between_the_servers() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (mut theirs, mut ours) =
        (Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port()));
    let ok = Reply::Text(b"OK".to_vec());
    let first = number("LARDER_DIFFERENTIAL_SEED", 1);
    let dumps = number("LARDER_DIFFERENTIAL_DUMPS", DUMPS);
    let mut types = BTreeSet::new();
    for seed in first..first + dumps {
        let mut random = Random(seed);
        // Lists have nodes of one long value each, half of the time.
        let threshold = ["100b", "0"][random.below(2)];
        theirs.call(&words(&format!("DEBUG QUICKLIST-PACKED-THRESHOLD {threshold}")));
        for command in commands(&mut random) {
            if let Reply::Error(error) = theirs.call(&command) {
                panic!("seed {seed}: {error}");
            }
        }
        let ttl = ["0", "99999999999000"][random.below(2)];
        let dump = text(theirs.call(&words("DUMP k")));
        types.insert(dump[0]);
        assert_eq!(restore(&mut ours, "k", ttl, dump.clone()), ok, "seed {seed}: {dump:02x?}");
        let again = text(ours.call(&words("DUMP k")));
        assert_eq!(restore(&mut theirs, "again", ttl, again.clone()), ok, "seed {seed}: {again:02x?}");
        let carried = read(&mut theirs, "again");
        theirs.call(&words(&format!("PEXPIREAT k {}", if ttl == "0" { "99999999999999" } else { ttl })));
        if ttl == "0" {
            theirs.call(&words("PERSIST k"));
        }
        assert_eq!(carried, read(&mut theirs, "k"), "seed {seed}");
        if carried[0] == Reply::Text(b"stream".to_vec()) {
            assert_eq!(stream_info(&mut theirs, "again"), stream_info(&mut theirs, "k"), "seed {seed}");
            let there = match &carried[1] {
                Reply::Array(entries) => entries.len() as u64,
                other => panic!("{other:?}"),
            };
            assert_eq!(store.kv().stream("k").len().unwrap(), there, "seed {seed}");
        } else {
            let here = read(&mut ours, "k");
            if let (Reply::Array(here), Reply::Array(there)) = (&here[1], &carried[1]) {
                let differing: Vec<_> = here.iter().zip(there).filter(|(here, there)| here != there).take(4).collect();
                assert!(differing.is_empty(), "seed {seed}: {differing:?}");
            }
            assert_eq!(here, carried, "seed {seed}");
        }
        for client in [&mut theirs, &mut ours] {
            client.call(&words("FLUSHALL"));
        }
    }
    // A string, and plain and compact forms of the others, as 7.0 has them.
    let expected = BTreeSet::from([0x00, 0x02, 0x04, 0x05, 0x0b, 0x10, 0x11, 0x12, 0x13]);
    assert!(dumps < DUMPS || types.is_superset(&expected), "{types:?}");
}

#[test]
fn a_restore_is_refused_in_the_same_words() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (mut theirs, mut ours) =
        (Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port()));
    for client in [&mut theirs, &mut ours] {
        client.call(&words("SET there x"));
        client.call(&words("SET k v"));
    }
    // The version of 7.0, which the two have in common.
    let good = text(ours.call(&words("DUMP k")));
    let mut spoilt = good.clone();
    spoilt[2] ^= 1;
    let bad = [&b"\x00\xc5\x01"[..], &[10, 0]].concat();
    for (key, ttl, dump, options) in [
        ("there", "0", &good, ""),
        ("there", "-1", &good, ""),
        ("there", "0", &good, "REPLACE"),
        ("new", "-1", &good, ""),
        ("new", "x", &good, ""),
        ("new", "0", &spoilt, ""),
        ("new", "0", &bad, ""),
        ("new", "0", &Vec::new(), ""),
        ("new", "0", &good, "NOSUCH"),
        ("new", "0", &good, "IDLETIME"),
        ("new", "0", &good, "IDLETIME -1"),
        ("new", "0", &good, "IDLETIME x"),
        ("new", "0", &good, "FREQ 256"),
        ("new", "0", &good, "FREQ 1 IDLETIME 1"),
        ("idle", "0", &good, "IDLETIME 1000"),
        ("idle", "0", &good, "FREQ 7 REPLACE"),
        ("new", "1", &good, "ABSTTL"),
        ("there", "1", &good, "ABSTTL REPLACE"),
        ("there", "100000", &good, "REPLACE"),
        ("there", "0", &good, "replace absttl"),
    ] {
        let mut request = [words(&format!("RESTORE {key} {ttl}")), vec![dump.clone()]].concat();
        request.extend(words(options).into_iter().filter(|word| !word.is_empty()));
        assert_eq!(ours.call(&request), theirs.call(&request), "RESTORE {key} {ttl} … {options}");
        let exists = words(&format!("EXISTS {key}"));
        assert_eq!(ours.call(&exists), theirs.call(&exists), "RESTORE {key} {ttl} … {options}");
    }
    assert_eq!(ours.call(&words("DUMP none")), Reply::Nil);
    let refused = ours.call(&words("MIGRATE h 1 k 0 1"));
    assert!(matches!(&refused, Reply::Error(error) if error.contains("not supported")), "{refused:?}");
}

#[test]
fn a_key_is_restored_as_used_as_it_was() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    for port in [judge.port, server.address().socket_addr().unwrap().port()] {
        let mut client = Client::connect(port);
        client.call(&words("SET k v"));
        let Reply::Text(dump) = client.call(&words("DUMP k")) else { panic!("no dump") };
        for (policy, option, about) in [("lru", "IDLETIME 1000", "IDLETIME"), ("lfu", "FREQ 77", "FREQ")] {
            client.call(&words(&format!("CONFIG SET maxmemory-policy allkeys-{policy}")));
            let restore = [words("RESTORE k 0"), vec![dump.clone()], words(option), words("REPLACE")].concat();
            client.call(&restore);
            let used = client.call(&words(&format!("OBJECT {about} k")));
            let Reply::Integer(used) = used else { panic!("{used:?}") };
            // Redis counts idle time in steps of its own; a frequency may have fallen by one.
            assert!((990..1100).contains(&used) || (76..=77).contains(&used), "{option}: {used}");
        }
    }
}
