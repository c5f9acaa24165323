//! The engines side by side, and beside a `BTreeMap` under a lock, which can neither snapshot nor fork.
//!
//! Keys have 24 bytes, values 150. Engines on disk write with `Durability::None`: what a sync costs is the medium's, and
//! `transactions` measures it.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use larder::engine::{
    Changes, Cursor, Direction, Durability, Engine, Key, KeyRange, MemoryEngine, OverlayEngine, Value,
};
use parking_lot::RwLock;

const SIZES: [u64; 2] = [10_000, 100_000];
const VALUE: [u8; 150] = [7; 150];
const SCAN_ENTRIES: usize = 100;

type Map = RwLock<BTreeMap<Vec<u8>, Value>>;

/// The key of place `n`, in 24 bytes.
fn key(n: u64) -> Vec<u8> {
    format!("event:{n:018}").into_bytes()
}

fn put(keys: impl IntoIterator<Item = u64>) -> Changes {
    keys.into_iter().map(|n| (key(n), Some(VALUE))).collect()
}

/// Places below `size` in an order without locality, over and over.
fn places(size: u64) -> impl Iterator<Item = u64> {
    // Full period, because the sizes share no factor with the step.
    (0..).map(move |n: u64| n.wrapping_mul(2_654_435_761) % size)
}

fn filled_map(size: u64) -> Map {
    RwLock::new((0..size).map(|n| (key(n), VALUE[..].into())).collect())
}

fn fill(engine: Arc<dyn Engine>, size: u64) -> Arc<dyn Engine> {
    engine.commit(&put(0..size), None, Durability::None).unwrap().wait().unwrap();
    engine
}

/// An engine of every kind that holds `size` entries.
fn filled_engines(size: u64) -> Vec<(Arc<dyn Engine>, Option<tempfile::TempDir>)> {
    let memory = fill(Arc::new(MemoryEngine::new()), size);
    // A fork that has overwritten a tenth of what it started from.
    let overlay: Arc<dyn Engine> = Arc::new(OverlayEngine::new(memory.snapshot().unwrap()));
    let tenth = put(places(size).take(usize::try_from(size / 10).unwrap()));
    overlay.commit(&tenth, None, Durability::None).unwrap().wait().unwrap();
    #[cfg_attr(not(feature = "fjall"), expect(unused_mut, reason = "nothing is added"))]
    let mut engines = vec![(memory, None), (overlay, None)];
    #[cfg(feature = "fjall")]
    {
        let dir = tempfile::tempdir().unwrap();
        let fjall = larder::engine::fjall::FjallEngine::open(dir.path()).unwrap();
        engines.push((fill(Arc::new(fjall), size), Some(dir)));
    }
    engines
}

/// Runs `engine_op` on every engine and `map_op` on the rival, each with places to work on, at every size.
fn compare(
    c: &mut Criterion,
    name: &str,
    engine_op: impl Fn(&dyn Engine, &mut dyn Iterator<Item = u64>),
    map_op: impl Fn(&Map, &mut dyn Iterator<Item = u64>),
) {
    let mut group = c.benchmark_group(format!("engine/{name}"));
    for size in SIZES {
        on_engines(&mut group, size, &engine_op);
        let (map, mut places) = (filled_map(size), places(size));
        group.bench_function(BenchmarkId::new("btreemap", size), |b| b.iter(|| map_op(&map, &mut places)));
    }
    group.finish();
}

fn on_engines(
    group: &mut BenchmarkGroup<'_, WallTime>,
    size: u64,
    op: impl Fn(&dyn Engine, &mut dyn Iterator<Item = u64>),
) {
    for (engine, _dir) in filled_engines(size) {
        let mut places = places(size);
        let id = BenchmarkId::new(engine.name(), size);
        group.bench_function(id, |b| b.iter(|| op(&*engine, &mut places)));
    }
}

fn commit(engine: &dyn Engine, changes: &Changes) {
    engine.commit(black_box(changes), None, Durability::None).unwrap().wait().unwrap();
}

fn next(places: &mut dyn Iterator<Item = u64>) -> u64 {
    places.next().unwrap()
}

fn get(c: &mut Criterion) {
    let on_engine = |engine: &dyn Engine, places: &mut dyn Iterator<Item = u64>| {
        let snapshot = engine.snapshot().unwrap();
        assert!(black_box(snapshot.get(&key(next(places))).unwrap()).is_some());
    };
    compare(c, "get", on_engine, |map, places| {
        assert!(black_box(map.read().get(&key(next(places))).cloned()).is_some());
    });
}

/// Writes `keys` entries in one commit: neighbours that are there already, or in no order ones that are `fresh`.
fn write(c: &mut Criterion, name: &str, keys: u64, fresh: bool) {
    let scatter = |n: u64| (1 << 40) + n.wrapping_mul(2_654_435_761) % (1 << 36);
    let place = move |n: u64, copy: u64| if fresh { scatter(n + copy) } else { n + copy };
    let on_engine = |engine: &dyn Engine, places: &mut dyn Iterator<Item = u64>| {
        let number = if fresh { engine.latest().unwrap().commit().0 } else { next(places) };
        commit(engine, &put((0..keys).map(|copy| place(number, copy))));
    };
    compare(c, name, on_engine, |map, places| {
        let mut map = map.write();
        let number = if fresh { map.len() as u64 } else { next(places) };
        for copy in 0..keys {
            map.insert(key(place(number, copy)), VALUE[..].into());
        }
    });
}

fn writes(c: &mut Criterion) {
    write(c, "insert", 1, true);
    write(c, "overwrite", 1, false);
    write(c, "batch_of_4", 4, false);
}

fn drain(mut cursor: Box<dyn Cursor>) {
    for _ in 0..SCAN_ENTRIES {
        if black_box(cursor.next().unwrap()).is_none() {
            return;
        }
    }
}

fn scans(c: &mut Criterion) {
    for (name, direction) in [("scan_100_forward", Direction::Forward), ("scan_100_backward", Direction::Backward)] {
        let on_engine = |engine: &dyn Engine, places: &mut dyn Iterator<Item = u64>| {
            let edge = Bound::Included(Key::from(key(next(places))));
            let range = match direction {
                Direction::Forward => KeyRange::new(edge, Bound::Unbounded),
                Direction::Backward => KeyRange::new(Bound::Unbounded, edge),
            };
            drain(engine.snapshot().unwrap().range(&range, direction).unwrap());
        };
        compare(c, name, on_engine, |map, places| {
            let (map, edge) = (map.read(), key(next(places)));
            let walk = |entry: (&Vec<u8>, &Value)| {
                black_box(entry);
            };
            match direction {
                Direction::Forward => map.range(edge..).take(SCAN_ENTRIES).for_each(walk),
                Direction::Backward => map.range(..=edge).rev().take(SCAN_ENTRIES).for_each(walk),
            }
        });
    }
}

/// The tenth of the entries whose keys are in the middle.
fn tenth(size: u64) -> (Vec<u8>, Vec<u8>) {
    (key(size / 2), key(size / 2 + size / 10))
}

fn counts(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine/count_a_tenth");
    for size in SIZES {
        let (start, end) = tenth(size);
        let range = KeyRange::new(Bound::Included(Key::from(&start)), Bound::Excluded(Key::from(&end)));
        on_engines(&mut group, size, |engine, _| {
            assert_eq!(black_box(engine.snapshot().unwrap().count(&range).unwrap()), size / 10);
        });
        let map = filled_map(size);
        group.bench_function(BenchmarkId::new("btreemap", size), |b| {
            b.iter(|| black_box(map.read().range(start.clone()..end.clone()).count()));
        });
    }
    group.finish();
    let mut group = c.benchmark_group("engine/nth_of_a_tenth");
    for size in SIZES {
        let (start, end) = tenth(size);
        let range = KeyRange::new(Bound::Included(Key::from(&start)), Bound::Excluded(Key::from(&end)));
        on_engines(&mut group, size, |engine, _| {
            assert!(black_box(engine.snapshot().unwrap().nth(&range, size / 20).unwrap()).is_some());
        });
        let (map, n) = (filled_map(size), usize::try_from(size / 20).unwrap());
        group.bench_function(BenchmarkId::new("btreemap", size), |b| {
            b.iter(|| black_box(map.read().range(start.clone()..end.clone()).nth(n).is_some()));
        });
    }
    group.finish();
}

/// A snapshot and a fork; the rival has to be cloned for either.
fn copies(c: &mut Criterion) {
    let on_engine = |engine: &dyn Engine, _: &mut dyn Iterator<Item = u64>| drop(black_box(engine.snapshot().unwrap()));
    compare(c, "snapshot", on_engine, |map, _| drop(black_box(map.read().clone())));
    let mut group = c.benchmark_group("engine/fork");
    for size in SIZES {
        on_engines(&mut group, size, |engine, _| drop(black_box(engine.fork().unwrap())));
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = get, writes, scans, counts, copies
}
criterion_main!(benches);
