//! The memory engine against maps under a lock: a million random keys of 24 bytes with values of 150.
//!
//! Every row of a group runs in one process on the same data; ratios between them are what counts. The engine is used as a
//! store uses it, through [`Engine`]: a read takes a snapshot each time, a write builds its changes and commits them. The
//! rivals are [`BTreeMap`] and `imbl::OrdMap` (with keys inline), each under a `parking_lot::RwLock` that is taken each time.
//!
//! `LARDER_BENCH_ENTRIES=10000000` runs everything at that size. The resident memory of each is measured first, in a process
//! of its own.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]
#![allow(clippy::cast_precision_loss, reason = "it prints ratios")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Bound;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use larder::Store;
use larder::engine::{Changes, Direction, Durability, Engine, Key, KeyRange, MemoryEngine};
use parking_lot::RwLock;
use smallvec::SmallVec;

const VALUE_BYTES: usize = 150;
const SCAN_ENTRIES: usize = 100;
/// Writes between two snapshots, where snapshots are taken.
const WRITES_PER_SNAPSHOT: u64 = 1_000;

type BareKey = [u8; 24];
type BareValue = [u8; VALUE_BYTES];

/// Says in a child process whose memory to measure.
const MEMORY_OF: &str = "LARDER_BENCH_MEMORY_OF";

fn entries() -> u64 {
    std::env::var("LARDER_BENCH_ENTRIES").map_or(1_000_000, |text| text.parse().unwrap())
}

/// Numbers without order (splitmix64).
fn mix(n: u64) -> u64 {
    let mixed = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Seven bytes that all keys share, one of sixteen collections, and sixteen random bytes.
fn key(n: u64) -> BareKey {
    let mut key = *b"\x10larder.................";
    key[7..].fill(0);
    key[7] = mix(n).to_be_bytes()[0] % 16;
    key[8..16].copy_from_slice(&mix(n + 1).to_be_bytes());
    key[16..].copy_from_slice(&mix(n + 2).to_be_bytes());
    key
}

fn sequential_key(n: u64) -> BareKey {
    let mut key = key(0);
    key[16..].copy_from_slice(&n.to_be_bytes());
    key
}

/// Values, made once so that none is made in what is timed.
static VALUES: LazyLock<Vec<BareValue>> = LazyLock::new(|| {
    (0..4_096).map(|n| std::array::from_fn(|at| mix(n * 19 + at as u64 / 8).to_be_bytes()[at % 8])).collect()
});

fn value(n: u64) -> &'static BareValue {
    &VALUES[usize::try_from(mix(n) % 4_096).unwrap()]
}

/// What is compared. `get` touches the first and the last byte of the value.
trait Rival: Sync {
    fn name(&self) -> &'static str;
    fn empty() -> Self
    where
        Self: Sized;
    fn put(&self, entries: &[(BareKey, &BareValue)]);
    fn get(&self, key: &BareKey) -> u8;
    fn scan(&self, from: &BareKey, direction: Direction) -> usize;
    /// Takes a snapshot and keeps it until the next.
    fn keep_snapshot(&self, kept: &mut Option<Box<dyn std::any::Any>>);
}

fn ends(value: &[u8]) -> u8 {
    value[0] ^ value[value.len() - 1]
}

impl Rival for MemoryEngine {
    fn name(&self) -> &'static str {
        "larder"
    }

    fn empty() -> Self {
        Self::new()
    }

    fn put(&self, entries: &[(BareKey, &BareValue)]) {
        let mut changes = Changes::new();
        for (key, value) in entries {
            changes.put(key, value);
        }
        self.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
    }

    fn get(&self, key: &BareKey) -> u8 {
        ends(&self.snapshot().unwrap().get(key).unwrap().unwrap())
    }

    fn scan(&self, from: &BareKey, direction: Direction) -> usize {
        let edge = Bound::Included(Key::from(&from[..]));
        let range = match direction {
            Direction::Forward => KeyRange::new(edge, Bound::Unbounded),
            Direction::Backward => KeyRange::new(Bound::Unbounded, edge),
        };
        let mut cursor = self.snapshot().unwrap().range(&range, direction).unwrap();
        let mut seen = 0;
        for _ in 0..SCAN_ENTRIES {
            let Some((key, value)) = cursor.next().unwrap() else { break };
            black_box(key[23] ^ ends(value));
            seen += 1;
        }
        seen
    }

    fn keep_snapshot(&self, kept: &mut Option<Box<dyn std::any::Any>>) {
        *kept = Some(Box::new(self.snapshot().unwrap()));
    }
}

impl Rival for RwLock<BTreeMap<Vec<u8>, Vec<u8>>> {
    fn name(&self) -> &'static str {
        "btreemap"
    }

    fn empty() -> Self {
        Self::default()
    }

    fn put(&self, entries: &[(BareKey, &BareValue)]) {
        let mut map = self.write();
        for (key, value) in entries {
            map.insert(key.to_vec(), value.to_vec());
        }
    }

    fn get(&self, key: &BareKey) -> u8 {
        ends(&self.read()[&key[..]])
    }

    fn scan(&self, from: &BareKey, direction: Direction) -> usize {
        let map = self.read();
        let look = |(key, value): (&Vec<u8>, &Vec<u8>)| {
            black_box(key[23] ^ ends(value));
        };
        match direction {
            Direction::Forward => map.range(from.to_vec()..).take(SCAN_ENTRIES).map(look).count(),
            Direction::Backward => map.range(..=from.to_vec()).rev().take(SCAN_ENTRIES).map(look).count(),
        }
    }

    fn keep_snapshot(&self, _kept: &mut Option<Box<dyn std::any::Any>>) {}
}

type Imbl = RwLock<imbl::OrdMap<SmallVec<[u8; 32]>, Arc<[u8]>>>;

impl Rival for Imbl {
    fn name(&self) -> &'static str {
        "imbl"
    }

    fn empty() -> Self {
        Self::default()
    }

    fn put(&self, entries: &[(BareKey, &BareValue)]) {
        let mut map = self.write();
        for (key, value) in entries {
            map.insert(SmallVec::from_slice(key), Arc::from(&value[..]));
        }
    }

    fn get(&self, key: &BareKey) -> u8 {
        ends(&self.read()[&SmallVec::from_slice(key)])
    }

    fn scan(&self, from: &BareKey, direction: Direction) -> usize {
        let (map, from) = (self.read(), SmallVec::<[u8; 32]>::from_slice(from));
        let look = |(key, value): (&SmallVec<[u8; 32]>, &Arc<[u8]>)| {
            black_box(key[23] ^ ends(value));
        };
        match direction {
            Direction::Forward => map.range(from..).take(SCAN_ENTRIES).map(look).count(),
            Direction::Backward => map.range(..=from).rev().take(SCAN_ENTRIES).map(look).count(),
        }
    }

    fn keep_snapshot(&self, kept: &mut Option<Box<dyn std::any::Any>>) {
        *kept = Some(Box::new(self.read().clone()));
    }
}

fn filled<R: Rival>(size: u64) -> R {
    let rival = R::empty();
    (0..size).for_each(|n| rival.put(&[(key(n), value(n))]));
    rival
}

fn rivals(size: u64) -> [Box<dyn Rival>; 3] {
    [
        Box::new(filled::<MemoryEngine>(size)),
        Box::new(filled::<RwLock<BTreeMap<_, _>>>(size)),
        Box::new(filled::<Imbl>(size)),
    ]
}

/// Times `op` for each of `rivals` in one group, with a number that never comes again.
fn compare(c: &mut Criterion, name: &str, rivals: &[Box<dyn Rival>], op: impl Fn(&dyn Rival, u64)) {
    let mut group = c.benchmark_group(name);
    for rival in rivals {
        let mut n = 0;
        group.bench_function(rival.name(), |b| {
            b.iter(|| {
                n += 1;
                op(&**rival, n);
            });
        });
    }
    group.finish();
}

fn reads(c: &mut Criterion, rivals: &[Box<dyn Rival>]) {
    let size = entries();
    compare(c, "get", rivals, |rival, n| {
        black_box(rival.get(&key(mix(n) % size)));
    });
    for direction in [Direction::Forward, Direction::Backward] {
        let name = format!("scan_100_{direction:?}").to_lowercase();
        compare(c, &name, rivals, |rival, n| {
            black_box(rival.scan(&key(mix(n) % size), direction));
        });
    }
}

fn overwrites(c: &mut Criterion, rivals: &[Box<dyn Rival>]) {
    let size = entries();
    compare(c, "overwrite", rivals, |rival, n| rival.put(&[(key(mix(n) % size), value(n))]));
}

/// Puts entries that are new each time, `BATCH` at a time.
fn growth<R: Rival, const BATCH: usize>(c: &mut Criterion, with_snapshots: bool) {
    let (size, batch) = (entries(), BATCH as u64);
    let name = if BATCH == 1 { "insert".to_owned() } else { format!("batch_of_{BATCH}") };
    let mut group = c.benchmark_group(if with_snapshots { format!("with_snapshots/{name}") } else { name });
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(4));
    // What is faster must not have to work on a larger map: one that has grown by a tenth is replaced.
    let rounds = size / 10 / batch;
    let (mut map, mut done, mut kept) = (R::empty(), rounds, None);
    group.bench_function(map.name(), |b| {
        b.iter_custom(|iterations| {
            let (mut took, mut left) = (Duration::ZERO, iterations);
            while left > 0 {
                if done == rounds {
                    kept = None;
                    (map, done) = (filled(size), 0);
                }
                let until = rounds.min(done + left);
                left -= until - done;
                let start = Instant::now();
                for round in done..until {
                    if with_snapshots && round % WRITES_PER_SNAPSHOT == 0 {
                        map.keep_snapshot(&mut kept);
                    }
                    let put = |at| (key((1 << 40) + round * batch + at as u64), value(round));
                    map.put(&std::array::from_fn::<_, BATCH, _>(put));
                }
                took += start.elapsed();
                done = until;
            }
            took
        });
    });
    group.finish();
}

fn fills(c: &mut Criterion) {
    let size = entries();
    let mut group = c.benchmark_group("fill");
    group.sample_size(10);
    fill::<MemoryEngine>(&mut group, size);
    fill::<RwLock<BTreeMap<_, _>>>(&mut group, size);
    fill::<Imbl>(&mut group, size);
    group.finish();
}

fn fill<R: Rival>(group: &mut BenchmarkGroup<'_, WallTime>, size: u64) {
    for (order, key) in [("random", key as fn(u64) -> BareKey), ("in_order", sequential_key)] {
        group.bench_function(format!("{order}/{}", R::empty().name()), |b| {
            b.iter_custom(|iterations| {
                // Criterion asks for so many insertions; whole fills are timed and scaled.
                let map = R::empty();
                let start = Instant::now();
                for n in 0..size {
                    map.put(&[(key(n), value(n))]);
                }
                let took = start.elapsed();
                drop(map);
                took.mul_f64(iterations as f64 / size as f64)
            });
        });
    }
}

fn counts(c: &mut Criterion) {
    let size = entries();
    let engine = filled::<MemoryEngine>(size);
    let snapshot = engine.snapshot().unwrap();
    let mut group = c.benchmark_group("counts");
    let mut n = 0;
    let mut next = move || {
        n += 1;
        Key::from(&key(mix(n) % size)[..])
    };
    group.bench_function("get", |b| b.iter(|| black_box(ends(&snapshot.get(&next()).unwrap().unwrap()))));
    group.bench_function("rank", |b| {
        b.iter(|| black_box(snapshot.count(&KeyRange::new(Bound::Unbounded, Bound::Excluded(next()))).unwrap()));
    });
    group.bench_function("count", |b| {
        b.iter(|| {
            let (a, b) = (next(), next());
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            black_box(snapshot.count(&KeyRange::new(Bound::Included(low), Bound::Excluded(high))).unwrap())
        });
    });
    group.bench_function("nth", |b| {
        let mut n = 0;
        b.iter(|| {
            n += 1;
            black_box(snapshot.nth(&KeyRange::all(), mix(n) % size).unwrap())
        });
    });
    group.finish();
    drop(snapshot);
    threads(c, &engine);
    copies(c, &engine, size);
    copies(c, &filled::<MemoryEngine>(10_000), 10_000);
}

/// What one get costs while one and while two threads read.
fn threads(c: &mut Criterion, engine: &MemoryEngine) {
    let size = entries();
    let mut group = c.benchmark_group("threads");
    for (name, is_held) in [("snapshot_held", true), ("snapshot_each_time", false)] {
        for threads in [1, 2] {
            group.bench_function(format!("{name}/{threads}"), |b| {
                b.iter_custom(|iterations| {
                    let start = Instant::now();
                    std::thread::scope(|scope| {
                        for thread in 0..threads {
                            scope.spawn(move || {
                                let held = engine.snapshot().unwrap();
                                for n in 0..iterations {
                                    let key = key(mix(n + (thread << 40)) % size);
                                    let byte = if is_held {
                                        ends(&held.get(&key).unwrap().unwrap())
                                    } else {
                                        Rival::get(engine, &key)
                                    };
                                    black_box(byte);
                                }
                            });
                        }
                    });
                    // Of all the gets of all threads, one.
                    start.elapsed() / u32::try_from(threads).unwrap()
                });
            });
        }
    }
    group.finish();
}

fn copies(c: &mut Criterion, engine: &MemoryEngine, size: u64) {
    let mut group = c.benchmark_group("copies");
    group.bench_function(format!("snapshot/{size}"), |b| b.iter(|| drop(black_box(engine.snapshot().unwrap()))));
    group.bench_function(format!("fork/{size}"), |b| b.iter(|| drop(black_box(engine.fork().unwrap()))));
    group.bench_function("store_made_and_dropped", |b| b.iter(|| drop(black_box(Store::in_memory()))));
    group.finish();
}

/// Resident bytes of this process.
fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

/// In a child process: fills what `name` says and prints how much memory that took.
fn measure_memory(name: &str) {
    let before = resident_bytes().unwrap();
    let rival: Box<dyn Rival> = match name {
        "larder" => Box::new(filled::<MemoryEngine>(entries())),
        "btreemap" => Box::new(filled::<RwLock<BTreeMap<_, _>>>(entries())),
        _ => Box::new(filled::<Imbl>(entries())),
    };
    let raw = entries() * (24 + VALUE_BYTES as u64);
    let grown = resident_bytes().unwrap() - before;
    println!("memory/{name}: {:.3} times keys and values", grown as f64 / raw as f64);
    drop(rival);
}

fn main() {
    if let Ok(name) = std::env::var(MEMORY_OF) {
        return measure_memory(&name);
    }
    if resident_bytes().is_some() && std::env::args().any(|argument| argument == "--bench") {
        for name in ["larder", "btreemap", "imbl"] {
            let child = Command::new(std::env::current_exe().unwrap()).env(MEMORY_OF, name).status();
            assert!(child.unwrap().success());
        }
    }
    let settings = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    let mut c = settings.configure_from_args();
    counts(&mut c);
    let rivals = rivals(entries());
    reads(&mut c, &rivals);
    overwrites(&mut c, &rivals);
    drop(rivals);
    for with_snapshots in [false, true] {
        growth::<MemoryEngine, 1>(&mut c, with_snapshots);
        growth::<RwLock<BTreeMap<_, _>>, 1>(&mut c, with_snapshots);
        growth::<Imbl, 1>(&mut c, with_snapshots);
        growth::<MemoryEngine, 4>(&mut c, with_snapshots);
        growth::<RwLock<BTreeMap<_, _>>, 4>(&mut c, with_snapshots);
        growth::<Imbl, 4>(&mut c, with_snapshots);
    }
    fills(&mut c);
    c.final_summary();
}
