//! Keys beside the engine below them, and the Redis door beside a real redis-server.
//!
//! ```sh
//! cargo bench --features redis --bench redis           # all of it: about ten minutes
//! cargo bench --features redis --bench redis -- door   # one part
//! ```
//! The parts are `keys`, `sets`, `loopback`, `door`, `loops`, `sync`, `memory` and `soak`; all but the first two need `redis-server`, and two
//! of them `redis-benchmark`, and say so when it is not there; `loops` are scripts, and need the feature `lua`. Each figure is a median of rounds, with the rounds of what is
//! compared one after the other.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark stops at the first error")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

#[expect(dead_code, reason = "not all of it is needed here")]
mod data;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Bound;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use data::Data;
use larder::Store;
use larder::engine::{Changes, Direction, Durability, Engine, Key, KeyRange, MemoryEngine};
use larder::kv::EvictionPolicy;
use larder::server::redis::{RedisOptions, RedisServer};

const PARTS: [&str; 8] = ["keys", "sets", "loopback", "door", "loops", "sync", "memory", "soak"];
const KEYS: usize = 1_000_000;
const ROUNDS: usize = 9;

/// Calls in one round.
const CALLS: usize = 50_000;

fn main() {
    let mut parts: Vec<String> = Vec::new();
    for argument in std::env::args().skip(1).filter(|argument| argument != "--bench") {
        if !PARTS.contains(&&*argument) {
            // Not a failure, so that all benchmarks can be run with arguments of criterion's.
            eprintln!("redis: measures nothing for `{argument}`; its arguments are {PARTS:?}");
            return;
        }
        parts.push(argument);
    }
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);
    let mut report = Report::new();
    // First: memory that another part has given back would be used again.
    if is_wanted("memory") {
        memory(&mut report);
    }
    if is_wanted("keys") {
        keys(&mut report);
    }
    if is_wanted("sets") {
        sets(&mut report);
    }
    if is_wanted("loopback") {
        loopback(&mut report);
    }
    if is_wanted("door") {
        door(&mut report);
    }
    if is_wanted("loops") {
        loops(&mut report);
    }
    if is_wanted("sync") {
        sync(&mut report);
    }
    if is_wanted("soak") {
        soak(&mut report);
    }
    println!("{}", report.table);
}

/// Nanoseconds of one of `CALLS` calls.
fn time(mut call: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    for n in 0..CALLS {
        call(n);
    }
    start.elapsed().as_nanos() as f64 / CALLS as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap()
}

/// The medians of two that take turns.
fn compare(mut ours: impl FnMut(usize) -> f64, mut theirs: impl FnMut(usize) -> f64) -> (f64, f64) {
    let (ours, theirs) = (0..ROUNDS).map(|round| (ours(round), theirs(round))).unzip();
    (median(ours), median(theirs))
}

/// An engine with entries, and what is asked of it.
struct Below {
    engine: MemoryEngine,
    data: Data,
}

impl Below {
    fn new() -> Self {
        let (engine, mut data) = (MemoryEngine::new(), Data::new(1));
        for _ in 0..KEYS {
            let (key, value) = (data.key(), data.value());
            engine.commit(&Changes::putting(key, value), None, Durability::None).unwrap().wait().unwrap();
        }
        Self { engine, data }
    }

    fn get(&mut self) -> f64 {
        let keys: Vec<_> = (0..CALLS).map(|_| self.data.old_key()).collect();
        time(|n| {
            black_box(self.engine.snapshot().unwrap().get(&keys[n]).unwrap());
        })
    }

    fn insert(&mut self) -> f64 {
        let new: Vec<_> = (0..CALLS).map(|_| (self.data.key(), self.data.value())).collect();
        time(|n| {
            let (key, value) = &new[n];
            self.engine.commit(&Changes::putting(key, value), None, Durability::None).unwrap().wait().unwrap();
        })
    }

    fn scan_of_10(&mut self) -> f64 {
        let keys: Vec<_> = (0..CALLS).map(|_| self.data.old_key()).collect();
        time(|n| {
            let range = KeyRange::new(Bound::Included(Key::from(&keys[n][..])), Bound::Unbounded);
            let mut cursor = self.engine.snapshot().unwrap().range(&range, Direction::Forward).unwrap();
            for _ in 0..10 {
                black_box(cursor.next().unwrap());
            }
        })
    }
}

/// Strings and counters at a million keys, against the engine with as many entries.
fn keys(report: &mut Report) {
    let mut below = Below::new();
    let (kv, mut data) = (Store::in_memory().kv(), Data::new(2));
    for _ in 0..KEYS {
        let (key, value) = (data.key(), data.value());
        kv.set(key, value).unwrap();
    }
    let (ours, theirs) = compare(
        |_| {
            let keys: Vec<_> = (0..CALLS).map(|_| data.old_key()).collect();
            time(|n| {
                black_box(kv.get(keys[n]).unwrap());
            })
        },
        |_| below.get(),
    );
    report.as_fast("`get` of a key that is there vs the engine's", ours, theirs, 0.7);
    let (ours, theirs) = compare(
        |_| {
            let new: Vec<_> = (0..CALLS).map(|_| (data.key(), data.value())).collect();
            time(|n| kv.set(new[n].0, new[n].1).unwrap())
        },
        |_| below.insert(),
    );
    report.as_fast("`set` of a new key vs the engine's insert", ours, theirs, 0.6);
    let (ours, theirs) = compare(
        |_| {
            time(|n| {
                black_box(kv.increment(format!("counter:{}", n % 1_000), 1).unwrap());
            })
        },
        |_| below.insert(),
    );
    report.as_fast("`increment` vs the engine's insert", ours, theirs, 0.6);
}

/// Sorted sets of a million members, against the engine with as many entries.
fn sets(report: &mut Report) {
    let mut below = Below::new();
    let (store, mut data) = (Store::in_memory(), Data::new(3));
    let set = store.kv().sorted_set("board");
    for n in 0..KEYS {
        set.add(data.key(), (n.wrapping_mul(7_919) % KEYS) as f64).unwrap();
    }
    let (ours, theirs) = compare(
        |round| {
            let new: Vec<_> = (0..CALLS).map(|_| data.key()).collect();
            time(|n| {
                black_box(set.add(new[n], ((n * 31 + round) % KEYS) as f64).unwrap());
            })
        },
        |_| below.insert(),
    );
    report.as_fast("sorted set: add of a new member vs insert", ours, theirs, 0.3);
    let (ours, theirs) = compare(
        |round| {
            let old: Vec<_> = (0..CALLS).map(|_| data.old_key()).collect();
            time(|n| {
                black_box(set.add(old[n], ((n * 17 + round * 7) % KEYS) as f64 + 0.5).unwrap());
            })
        },
        |_| below.insert(),
    );
    report.as_fast("sorted set: change of a score vs insert", ours, theirs, 0.25);
    let (ours, theirs) = compare(
        |_| {
            let old: Vec<_> = (0..CALLS).map(|_| data.old_key()).collect();
            time(|n| {
                black_box(set.rank(old[n]).unwrap());
            })
        },
        |_| below.get(),
    );
    report.as_fast("sorted set: rank vs get", ours, theirs, 0.4);
    let (ours, theirs) = compare(
        |_| {
            time(|_| {
                black_box(set.top(10).unwrap());
            })
        },
        |_| below.scan_of_10(),
    );
    report.as_fast("sorted set: top 10 vs scan of 10", ours, theirs, 0.5);
}

/// The same calls in the process and, one after the other, to a server on loopback.
fn loopback(report: &mut Report) {
    let Some(server) = Rival::start(&[]) else { return };
    let mut client = Client::connect(server.port);
    let kv = Store::in_memory().kv();
    let mut data = Data::new(4);
    let entries: Vec<_> = (0..CALLS).map(|_| (data.key().map(|byte| byte | 1), data.value())).collect();
    let (ours, theirs) = compare(
        |_| time(|n| kv.set(entries[n].0, entries[n].1).unwrap()),
        |_| time(|n| client.call(&[b"SET", &entries[n].0, &entries[n].1])),
    );
    report.as_fast("in process: `set` vs a call to redis-server", ours, theirs, 20.0);
    let (ours, theirs) = compare(
        |_| {
            time(|n| {
                black_box(kv.get(entries[n].0).unwrap());
            })
        },
        |_| time(|n| client.call(&[b"GET", &entries[n].0])),
    );
    report.as_fast("in process: `get` vs a call to redis-server", ours, theirs, 20.0);
}

/// `redis-benchmark` against the door and against redis-server, both in memory: as it is, with the same key, member or field in every
/// request, and with random ones.
fn door(report: &mut Report) {
    let tests = ["SET", "GET", "INCR", "LPUSH", "LPOP", "SADD", "HSET", "ZADD", "PUBLISH", "MSET"];
    for (kind, is_random) in [("same key", false), ("random keys", true)] {
        let Some(server) = Rival::start(&[]) else { return };
        let store = Store::in_memory();
        let door = RedisServer::start(&store, &RedisOptions::default()).unwrap();
        for pipeline in [1, 16] {
            for test in tests {
                let (ours, theirs): (Vec<_>, Vec<_>) = (0..5)
                    .map(|_| {
                        let requests = if pipeline == 1 { 100_000 } else { 400_000 };
                        let ours = requests_per_second(
                            door.address().socket_addr().unwrap().port(),
                            test,
                            pipeline,
                            requests,
                            is_random,
                        );
                        (ours, requests_per_second(server.port, test, pipeline, requests, is_random))
                    })
                    .unzip();
                let (ours, theirs) = (median(ours), median(theirs));
                report.add(
                    &format!("door, {kind}: {test} -c 50 -P {pipeline}"),
                    format!("{:.0} k/s", ours / 1e3),
                    format!("{:.0} k/s", theirs / 1e3),
                    ours / theirs,
                    1.0,
                );
            }
        }
    }
}

/// Turns of a loop in one script: what fills the database, and the loop, whose `n` is given.
const LOOPS: [(&str, &str, &str); 10] = [
    ("XADD MAXLEN 1000", "", "redis.call('XADD', 'k', 'MAXLEN', '1000', '*', 'a', i)"),
    ("SPOP", "redis.call('SADD', 'k', 'member' .. i)", "redis.call('SPOP', 'k')"),
    (
        "SRANDMEMBER, SREM",
        "redis.call('SADD', 'k', 'member' .. i)",
        "redis.call('SREM', 'k', redis.call('SRANDMEMBER', 'k'))",
    ),
    ("RANDOMKEY, DEL", "redis.call('SET', 'key' .. i, i)", "redis.call('DEL', redis.call('RANDOMKEY'))"),
    ("LREM 1", "redis.call('RPUSH', 'k', 'x')", "redis.call('LREM', 'k', 1, 'x')"),
    ("ZPOPMIN", "redis.call('ZADD', 'k', i * 7919 % n, 'member' .. i)", "redis.call('ZPOPMIN', 'k')"),
    (
        "ZREMRANGEBYSCORE, ZADD",
        "",
        "redis.call('ZREMRANGEBYSCORE', 'k', '-inf', i - 100) redis.call('ZADD', 'k', i, 'member' .. i)",
    ),
    ("LPUSH, LTRIM 100", "", "redis.call('LPUSH', 'k', i) redis.call('LTRIM', 'k', 0, 99)"),
    (
        "SCAN, DEL",
        "redis.call('SET', 'key' .. i, i)",
        "local found = redis.call('SCAN', '0')[2][1] if found then redis.call('DEL', found) end",
    ),
    (
        "ZADD, ZREMRANGEBYRANK",
        "",
        "redis.call('ZADD', 'k', i, 'member' .. i) redis.call('ZREMRANGEBYRANK', 'k', 0, -101)",
    ),
];

/// Scripts that remove and read again, as one transaction each, by the time of the processor.
fn loops(report: &mut Report) {
    if !cfg!(feature = "lua") {
        println!("skipped: scripts need the feature `lua`");
        return;
    }
    let Some(server) = Rival::start(&[]) else { return };
    let store = Store::in_memory();
    let door = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (mut here, mut there) =
        (Client::connect(door.address().socket_addr().unwrap().port()), Client::connect(server.port));
    let measure = |client: &mut Client, process: u32, fill: &str, turn: &str, turns: u32| {
        let script = |body: &str| format!("local n = tonumber(ARGV[1]) for i = 1, n do {body} end");
        let turns_of = turns.to_string();
        client.call(&[b"FLUSHALL"]);
        client.call(&[b"EVAL", script(fill).as_bytes(), b"0", turns_of.as_bytes()]);
        let start = cpu_ns(process);
        client.call(&[b"EVAL", script(turn).as_bytes(), b"0", turns_of.as_bytes()]);
        (cpu_ns(process) - start) / f64::from(turns)
    };
    for (name, fill, turn) in LOOPS {
        for turns in [1_500, 3_000, 6_000] {
            let (ours, theirs): (Vec<_>, Vec<_>) = (0..5)
                .map(|_| {
                    let ours = measure(&mut here, std::process::id(), fill, turn, turns);
                    (ours, measure(&mut there, server.process.id(), fill, turn, turns))
                })
                .unzip();
            report.as_fast(&format!("script, {turns} turns: {name}"), median(ours), median(theirs), 0.33);
        }
    }
}

/// Nanoseconds that the threads of a process have had a processor for. They are at rest, or it is not up to date.
fn cpu_ns(process: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let time = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        stat.split_whitespace().next().and_then(|time| time.parse::<f64>().ok()).unwrap_or(0.0)
    };
    threads.filter_map(Result::ok).map(time).sum()
}

/// Synced commits of the door against redis-server with `appendfsync always`.
fn sync(report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redis");
    std::fs::create_dir(&path).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let Some(server) = Rival::start(&["--appendonly", "yes", "--appendfsync", "always", "--dir", &path]) else {
        return;
    };
    let store = Store::open(dir.path().join("larder")).unwrap();
    let door = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let (ours, theirs): (Vec<_>, Vec<_>) = (0..7)
        .map(|_| {
            let ours = requests_per_second(door.address().socket_addr().unwrap().port(), "SET", 1, 20_000, true);
            (ours, requests_per_second(server.port, "SET", 1, 20_000, true))
        })
        .unzip();
    let (ours, theirs) = (median(ours), median(theirs));
    report.add(
        "door, synced: SET -c 50 -P 1",
        format!("{:.1} k/s", ours / 1e3),
        format!("{:.1} k/s", theirs / 1e3),
        ours / theirs,
        1.0,
    );
}

/// Resident memory for a million small keys: this process's growth against that of redis-server.
fn memory(report: &mut Report) {
    let Some(server) = Rival::start(&[]) else { return };
    let mut client = Client::connect(server.port);
    let before = resident_bytes(server.process.id());
    for n in 0..KEYS {
        client.send(&[b"SET", format!("{n:016}").as_bytes(), format!("{n:016}").as_bytes()]);
        if n % 1_000 == 999 {
            (0..1_000).for_each(|_| client.receive());
        }
    }
    let theirs = (resident_bytes(server.process.id()) - before) / KEYS as f64;
    let before = resident_bytes(std::process::id());
    let kv = Store::in_memory().kv();
    for n in 0..KEYS {
        kv.set(format!("{n:016}"), format!("{n:016}")).unwrap();
    }
    let ours = (resident_bytes(std::process::id()) - before) / KEYS as f64;
    let ratio = ours / theirs;
    report.row(
        "memory of a key of 16 bytes with 16",
        format!("{ours:.0} B"),
        format!("{theirs:.0} B"),
        ratio,
        "≤ 1.5",
        ratio <= 1.5,
    );
    drop(kv);
}

/// Writes that expire and are evicted at once, and a set of 100,000 members made and removed again and again: resident memory has
/// to stay where it was after a quarter of the time, which is a minute or `LARDER_SOAK_SECONDS`.
fn soak(report: &mut Report) {
    let seconds = std::env::var("LARDER_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let store = Store::in_memory();
    store.set_memory_budget(Some(64 << 20), EvictionPolicy::VolatileLru).unwrap();
    let door = RedisServer::start(&store, &RedisOptions::default()).unwrap();
    let port = door.address().socket_addr().unwrap().port().to_string();
    let mut command = Command::new("redis-benchmark");
    command.args(["-p", &port, "-c", "50", "-P", "16", "-n", "1000000000", "-r", "1000000", "-q"]);
    command.args(["SET", "key:__rand_int__", &"x".repeat(200), "EX", "5"]);
    let Ok(mut load) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        println!("skipped: there is no redis-benchmark to write");
        return;
    };
    let (mut resident, mut removed) = (Vec::new(), 0_u32);
    let set = store.kv().unsorted_set("large");
    for _ in 0..seconds {
        let second = Instant::now();
        // The budget is used up: whoever comes at the wrong moment is refused, and goes on with the next part.
        for part in 0..100 {
            let _ = set.add_many((0..1_000).map(|n| format!("{part:03}:{n:03}")));
        }
        removed += u32::from(store.kv().remove("large").unwrap());
        std::thread::sleep(Duration::from_secs(1).saturating_sub(second.elapsed()));
        resident.push(resident_bytes(std::process::id()));
    }
    load.kill().unwrap();
    load.wait().unwrap();
    let largest = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let (early, late) = (largest(&resident[seconds / 4..seconds / 2]), largest(&resident[seconds / 2..]));
    let stats = store.key_stats();
    println!("soak: {seconds} s, {} requests, {removed} sets removed, {stats:?}", door.metrics().requests);
    assert!(stats.expired > 0 && stats.evicted > 0, "it has to expire and to evict: {stats:?}");
    let ratio = late / early;
    let what = "soak: largest resident memory, second half vs second quarter";
    report.row(what, format!("{:.0} MB", late / 1e6), format!("{:.0} MB", early / 1e6), ratio, "≤ 1.1", ratio <= 1.1);
}

fn resident_bytes(process: u32) -> f64 {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(f64::NAN) * 4096.0
}

/// What `redis-benchmark` says.
fn requests_per_second(port: u16, test: &str, pipeline: u32, requests: u32, is_random: bool) -> f64 {
    let mut command = Command::new("redis-benchmark");
    command.args([
        "-p",
        &port.to_string(),
        "-c",
        "50",
        "-n",
        &requests.to_string(),
        "-P",
        &pipeline.to_string(),
        "--csv",
    ]);
    if test == "PUBLISH" {
        command.args(["PUBLISH", "channel", "xxx"]);
    } else {
        command.args(["-t", test]);
        if is_random {
            command.args(["-r", "100000"]);
        }
    }
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = output.lines().rfind(|line| !line.starts_with("\"test\"") && line.contains("\",\"")).unwrap();
    line.split("\",\"").nth(1).unwrap().parse().unwrap()
}

/// A redis-server that is compared with.
struct Rival {
    process: Child,
    port: u16,
}

impl Rival {
    /// Starts it without persistence; `None`, with a word about it, when it is not installed.
    fn start(options: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]).args(options);
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("skipped: there is no redis-server to compare with");
            return None;
        };
        let rival = Self { process, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(rival);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("skipped: redis-server does not answer");
        None
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that waits for each reply, which is a line, or a line and a string.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn call(&mut self, words: &[&[u8]]) {
        self.send(words);
        self.receive();
    }

    fn send(&mut self, words: &[&[u8]]) {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            write!(request, "${}\r\n", word.len()).unwrap();
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request).unwrap();
    }

    fn receive(&mut self) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(!line.starts_with('-'), "{line}");
        if let Some(len) = line.strip_prefix('$').and_then(|len| len.trim_end().parse::<usize>().ok()) {
            let mut value = vec![0; len + 2];
            std::io::Read::read_exact(&mut self.0, &mut value).unwrap();
            black_box(value);
        }
    }
}

/// The table that is printed in the end.
struct Report {
    table: Table,
}

impl Report {
    fn new() -> Self {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["what", "Larder", "against", "ratio", "bar", ""]);
        Self { table }
    }

    /// Two times in nanoseconds, of which ours may be longer by the bar.
    fn as_fast(&mut self, what: &str, ours: f64, theirs: f64, bar: f64) {
        self.add(what, format!("{ours:.0} ns"), format!("{theirs:.0} ns"), theirs / ours, bar);
    }

    fn add(&mut self, what: &str, ours: String, theirs: String, ratio: f64, bar: f64) {
        self.row(what, ours, theirs, ratio, &format!("≥ {bar}"), ratio >= bar);
    }

    fn row(&mut self, what: &str, ours: String, theirs: String, ratio: f64, bar: &str, is_met: bool) {
        let met = if is_met { "met" } else { "not met" };
        println!("{what}: {ours}; {theirs}; {ratio:.2}, {met}");
        self.table.add_row([what.to_owned(), ours, theirs, format!("{ratio:.2}"), bar.to_owned(), met.to_owned()]);
    }
}
