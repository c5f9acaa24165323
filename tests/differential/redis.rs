//! The Redis door beside a real redis-server.
//!
//! `LARDER_DIFFERENTIAL_COMMANDS` says how many commands to compare, `LARDER_DIFFERENTIAL_SEED` with which to begin, and
//! `LARDER_DIFFERENTIAL_FAMILY` of which family they are for the most part, instead of each in turn. A
//! difference is printed with the seed and the commands of the same keys that came before it.

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::forms;
use crate::judge::{Client, Judge, Random, Reply, number};

/// Commands that are compared unless it is said otherwise.
const COMMANDS: u64 = 20_000;

/// After so many the keyspaces are compared and emptied.
const COMMANDS_PER_ROUND: u64 = 500;

/// Names in `XINFO` of what depends on the time, of what only a radix tree has, and of what only 7.2 answers. What a group
/// has read, and has not, is told here as by later versions: 7.0 loses count when entries are trimmed before they are read.
const PASSING: [&str; 8] =
    ["idle", "inactive", "seen-time", "active-time", "entries-read", "lag", "radix-tree-keys", "radix-tree-nodes"];

/// Takes the times out of what is said of streams.
fn timeless(reply: Reply) -> Reply {
    let Reply::Array(parts) = reply else { return reply };
    let parts = match &*parts {
        // A pending entry: of its age it is left whether it is an hour.
        [id @ Reply::Text(_), consumer @ Reply::Text(_), Reply::Integer(age), count @ Reply::Integer(_)] => {
            vec![id.clone(), consumer.clone(), Reply::Integer(i64::from(*age >= 3_600_000)), count.clone()]
        }
        [id @ Reply::Text(_), Reply::Integer(_), count @ Reply::Integer(_)] => vec![id.clone(), count.clone()],
        [Reply::Text(name), ..] if name == b"name" || name == b"length" => {
            let is_passing = |pair: &&[Reply]| match pair {
                [Reply::Text(name), Reply::Integer(_)] if name == b"consumers" => true,
                [Reply::Text(name), _] => PASSING.iter().any(|passing| passing.as_bytes() == name),
                _ => false,
            };
            parts.chunks(2).filter(|pair| !is_passing(pair)).flatten().cloned().map(timeless).collect()
        }
        _ => parts.into_iter().map(timeless).filter(|part| !is_idle(part)).collect(),
    };
    Reply::Array(parts)
}

/// Whether it is a consumer for whom nothing is pending: 7.2 makes one also where 7.0 has nothing to give it.
fn is_idle(part: &Reply) -> bool {
    let Reply::Array(part) = part else { return false };
    match &**part {
        [_, _, Reply::Text(name), Reply::Integer(0)] | [_, _, Reply::Text(name), Reply::Integer(0), _, _] => {
            name == b"pel-count" || name == b"pending"
        }
        _ => false,
    }
}

/// Sorts what has no order: members of a set, fields of a hash with their values. Takes out times.
fn normal(name: &str, reply: Reply) -> Reply {
    if name == "XINFO" || name == "XPENDING" {
        return timeless(reply);
    }
    let Reply::Array(mut parts) = reply else { return reply };
    match name {
        "KEYS" | "SMEMBERS" | "SUNION" | "SINTER" | "SDIFF" | "HKEYS" | "HVALS" | "SPOP" => parts.sort(),
        "HGETALL" => {
            let mut pairs: Vec<_> = parts.chunks(2).map(<[Reply]>::to_vec).collect();
            pairs.sort();
            parts = pairs.concat();
        }
        "ZRANGE" => parts = parts.into_iter().map(shortest).collect(),
        _ => {}
    }
    Reply::Array(parts)
}

/// A score in the fewest digits that tell it from others, where 7.0 has 17 (SEM: KV-Z-4).
fn shortest(reply: Reply) -> Reply {
    let Reply::Text(text) = &reply else { return reply };
    let number =
        std::str::from_utf8(text).ok().filter(|text| text.len() > 15).and_then(|text| text.parse::<f64>().ok());
    number.map_or(reply, |number| Reply::Text(number.to_string().into_bytes()))
}

/// What is known to differ, and why.
fn is_excused(words: &[String], theirs: &Reply, ours: &Reply) -> bool {
    match (&*words[0], theirs, ours) {
        // The two are asked one after the other, and a second may pass between them.
        ("TTL" | "EXPIRETIME", Reply::Integer(theirs), Reply::Integer(ours)) => theirs.abs_diff(*ours) <= 1,
        // It may be there already, as above.
        ("XGROUP", Reply::Integer(_), Reply::Integer(_)) => words[1] == "CREATECONSUMER",
        // A list keeps the encoding that it had when it was larger, and so does a set after a removal. A request with two
        // mistakes is refused for either; and 7.2 has other words for some of them than 7.0.
        // Redis takes an overflow of an earlier number for one of a number that it sorts by.
        ("SORT" | "SORT_RO", Reply::Error(text), _) if text.contains("converted into double") => true,
        ("OBJECT", ..) | (_, Reply::Error(_), Reply::Error(_)) => true,
        _ => false,
    }
}

struct Pair {
    theirs: Client,
    ours: Client,
    log: Vec<String>,
    /// The names of commands that wait for `EXEC`, by which their replies are sorted.
    queued: Vec<String>,
    seed: u64,
}

impl Pair {
    fn compare(&mut self, words: &[String]) {
        let (theirs, ours) = (self.theirs.call(words), self.ours.call(words));
        let name = words[0].to_uppercase();
        let (theirs, ours) = (self.sorted(&name, theirs), self.sorted(&name, ours));
        self.log.push(format!("{words:?} -> {ours:?}"));
        if theirs == Reply::Text(b"QUEUED".to_vec()) {
            self.queued.push(name);
        } else if name == "EXEC" || name == "DISCARD" {
            self.queued.clear();
        }
        assert!(
            theirs == ours || is_excused(words, &theirs, &ours),
            "seed {}: {words:?}\nRedis:  {theirs:?}\nLarder: {ours:?}\nbefore that:\n{}",
            self.seed,
            self.log[self.log.len().saturating_sub(40)..].join("\n"),
        );
    }

    fn sorted(&self, name: &str, reply: Reply) -> Reply {
        match reply {
            Reply::Array(parts) if name == "EXEC" => {
                let part = |(part, name): (Reply, &String)| match normal(name, part) {
                    _ if ["OBJECT", "TTL", "EXPIRETIME", "XGROUP", "SORT", "SORT_RO"].contains(&name.as_str()) => {
                        Reply::Nil
                    }
                    Reply::Error(_) => Reply::Error(String::new()),
                    part => part,
                };
                Reply::Array(parts.into_iter().zip(&self.queued).map(part).collect())
            }
            reply => normal(name, reply),
        }
    }

    /// Compares everything that there is, and removes it.
    fn compare_keyspaces(&mut self) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for database in ["1", "0"] {
            // A transaction may be open; both refuse to discard none.
            self.compare(&words("DISCARD"));
            self.compare(&words(&format!("SELECT {database}")));
            self.compare(&words("KEYS *"));
            for key in [
                "k1", "k2", "k3", "k4", "k5", "k6", "c1", "c2", "f1", "hmax", "lex", "p1", "p2", "p3", "h1", "h2", "h3",
            ] {
                let kind = self.ours.call(&words(&format!("TYPE {key}")));
                self.compare(&words(&format!("TYPE {key}")));
                let Reply::Text(kind) = kind else { panic!("{kind:?}") };
                let dump = match &*kind {
                    b"string" => format!("GET {key}"),
                    b"hash" => format!("HGETALL {key}"),
                    b"list" => format!("LRANGE {key} 0 -1"),
                    b"set" => format!("SMEMBERS {key}"),
                    b"zset" => format!("ZRANGE {key} 0 -1 WITHSCORES"),
                    b"stream" => format!("XINFO STREAM {key} FULL COUNT 0"),
                    _ => continue,
                };
                self.compare(&words(&dump));
                self.compare(&words(&format!("EXPIRETIME {key}")));
            }
        }
        self.compare(&words("FLUSHALL"));
    }
}

#[test]
fn the_door_answers_as_a_redis_server_does() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    // What is trimmed approximately are whole nodes; those of the judge have one entry, too.
    Client::connect(server.address().socket_addr().unwrap().port()).call(&[
        "CONFIG",
        "SET",
        "stream-node-max-entries",
        "1",
    ]);
    let rounds = number("LARDER_DIFFERENTIAL_COMMANDS", COMMANDS).div_ceil(COMMANDS_PER_ROUND);
    let first = number("LARDER_DIFFERENTIAL_SEED", 1);
    let families = forms::families();
    for seed in first..first + rounds {
        let family = families[usize::try_from(seed).unwrap() % families.len()];
        let (theirs, ours) =
            (Client::connect(judge.port), Client::connect(server.address().socket_addr().unwrap().port()));
        let mut pair = Pair { theirs, ours, log: Vec::new(), queued: Vec::new(), seed };
        let mut random = Random(seed);
        for _ in 0..COMMANDS_PER_ROUND {
            pair.compare(&forms::request(&mut random, family));
        }
        pair.compare_keyspaces();
    }
}
