//! The Redis door beside a real redis-server.
//!
//! `LARDER_DIFFERENTIAL_COMMANDS` says how many commands to compare, `LARDER_DIFFERENTIAL_SEED` with which to begin. A
//! difference is printed with the seed and the commands of the same keys that came before it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use larder::Store;
use larder::server::redis::{RedisOptions, RedisServer};

use crate::forms::request;

/// Commands that are compared unless it is said otherwise.
const COMMANDS: u64 = 20_000;

/// After so many the keyspaces are compared and emptied.
const COMMANDS_PER_ROUND: u64 = 500;

/// A redis-server of the test's own.
pub(crate) struct Judge {
    process: Child,
    pub(crate) port: u16,
}

impl Judge {
    /// Starts it; `None` when there is none on this machine.
    pub(crate) fn start() -> Option<Self> {
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let judge = Self { process, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(judge);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("redis-server was started and does not listen");
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A reply, whatever the order of what has none.
#[derive(Clone, Debug, PartialEq, PartialOrd, Eq, Ord)]
pub(crate) enum Reply {
    Nil,
    Integer(i64),
    Text(Vec<u8>),
    Error(String),
    Array(Vec<Reply>),
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn call(&mut self, words: &[String]) -> Reply {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            write!(request, "${}\r\n{word}\r\n", word.len()).unwrap();
        }
        self.0.get_mut().write_all(&request).unwrap();
        self.read()
    }

    fn read(&mut self) -> Reply {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let (kind, text) = line.trim_end().split_at(1);
        match kind {
            "+" => Reply::Text(text.into()),
            "-" => Reply::Error(text.into()),
            ":" => Reply::Integer(text.parse().unwrap()),
            "$" | "*" if text == "-1" => Reply::Nil,
            "$" => {
                let mut bytes = vec![0; text.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut bytes).unwrap();
                bytes.truncate(bytes.len() - 2);
                Reply::Text(bytes)
            }
            "*" => Reply::Array((0..text.parse().unwrap()).map(|_| self.read()).collect()),
            _ => panic!("{line:?}"),
        }
    }
}

/// Numbers without order (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Sorts what has no order: members of a set, fields of a hash with their values.
fn normal(name: &str, reply: Reply) -> Reply {
    let Reply::Array(mut parts) = reply else { return reply };
    match name {
        "KEYS" | "SMEMBERS" | "SUNION" | "SINTER" | "SDIFF" | "HKEYS" | "HVALS" | "SPOP" => parts.sort(),
        "HGETALL" => {
            let mut pairs: Vec<_> = parts.chunks(2).map(<[Reply]>::to_vec).collect();
            pairs.sort();
            parts = pairs.concat();
        }
        _ => {}
    }
    Reply::Array(parts)
}

/// What is known to differ, and why.
fn is_excused(words: &[String], theirs: &Reply, ours: &Reply) -> bool {
    match (&*words[0], theirs, ours) {
        // The two are asked one after the other, and a second may pass between them.
        ("TTL" | "EXPIRETIME", Reply::Integer(theirs), Reply::Integer(ours)) => theirs.abs_diff(*ours) <= 1,
        // A list keeps the encoding that it had when it was larger, and so does a set after a removal. A request with two
        // mistakes is refused for either; and 7.2 has other words for some of them than 7.0.
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
                    Reply::Error(_) => Reply::Error(String::new()),
                    _ if ["OBJECT", "TTL", "EXPIRETIME"].contains(&name.as_str()) => Reply::Nil,
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
            for key in ["k1", "k2", "k3", "k4", "k5", "k6", "c1", "c2", "f1", "hmax", "lex"] {
                let kind = self.ours.call(&words(&format!("TYPE {key}")));
                self.compare(&words(&format!("TYPE {key}")));
                let Reply::Text(kind) = kind else { panic!("{kind:?}") };
                let dump = match &*kind {
                    b"string" => format!("GET {key}"),
                    b"hash" => format!("HGETALL {key}"),
                    b"list" => format!("LRANGE {key} 0 -1"),
                    b"set" => format!("SMEMBERS {key}"),
                    b"zset" => format!("ZRANGE {key} 0 -1 WITHSCORES"),
                    _ => continue,
                };
                self.compare(&words(&dump));
                self.compare(&words(&format!("EXPIRETIME {key}")));
            }
        }
        self.compare(&words("FLUSHALL"));
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn the_door_answers_as_a_redis_server_does() {
    let Some(judge) = Judge::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let store = Store::in_memory();
    let server = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let rounds = number("LARDER_DIFFERENTIAL_COMMANDS", COMMANDS).div_ceil(COMMANDS_PER_ROUND);
    let first = number("LARDER_DIFFERENTIAL_SEED", 1);
    for seed in first..first + rounds {
        let (theirs, ours) = (Client::connect(judge.port), Client::connect(server.address().port()));
        let mut pair = Pair { theirs, ours, log: Vec::new(), queued: Vec::new(), seed };
        let mut random = Random(seed);
        for _ in 0..COMMANDS_PER_ROUND {
            pair.compare(&request(&mut random, seed));
        }
        pair.compare_keyspaces();
    }
}
