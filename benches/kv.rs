//! Keys and sorted sets of a store in memory.

use std::hint::black_box;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime};
use larder::kv::SortedSet;
use larder::{Kv, Store};

/// How many keys a keyspace, and how many members a sorted set, holds before anything is measured.
const SIZES: [u32; 2] = [10_000, 100_000];

/// Keys that are asked for in turn, spread over all of them.
const PROBES: u32 = 1_009;

fn name(number: u32) -> String {
    format!("user:{number:08}")
}

fn probes(size: u32) -> Vec<String> {
    (0..PROBES).map(|probe| name(probe.wrapping_mul(7_919) % size)).collect()
}

fn filled_keys(size: u32) -> Kv {
    let store = Store::in_memory();
    store.transaction(|tx| (0..size).try_for_each(|n| tx.kv().set(name(n), n.to_string()))).expect("seed");
    store.kv()
}

fn filled_set(size: u32) -> SortedSet {
    let store = Store::in_memory();
    store
        .transaction(|tx| {
            let board = tx.kv().sorted_set("board");
            (0..size).try_for_each(|n| board.add(name(n), f64::from(n.wrapping_mul(7_919) % size)).map(drop))
        })
        .expect("seed");
    store.kv().sorted_set("board")
}

/// Measures `routine` on `input`, with the probes as its argument in turn.
fn measure<I>(group: &mut BenchmarkGroup<'_, WallTime>, size: u32, input: &I, mut routine: impl FnMut(&I, &str)) {
    let probes = probes(size);
    let mut turn = probes.iter().cycle();
    group.bench_with_input(BenchmarkId::from_parameter(size), input, |b, input| {
        b.iter(|| routine(input, black_box(turn.next().map_or("", String::as_str))));
    });
}

/// Calls a method, and makes sure that its answer is computed.
macro_rules! routine {
    ($handle:ty, |$on:ident, $name:ident| $call:expr) => {
        (|$on, $name| {
            black_box($call.expect("succeeds"));
        }) as fn(&$handle, &str)
    };
}

fn strings(c: &mut Criterion) {
    for (verb, routine) in [
        ("get", routine!(Kv, |kv, key| kv.get(key))),
        ("set", routine!(Kv, |kv, key| kv.set(key, "7"))),
        ("increment", routine!(Kv, |kv, key| kv.increment(key, 1))),
    ] {
        let mut group = c.benchmark_group(format!("kv/{verb}"));
        for size in SIZES {
            measure(&mut group, size, &filled_keys(size), routine);
        }
        group.finish();
    }
}

fn sorted_sets(c: &mut Criterion) {
    for (verb, routine) in [
        ("increment", routine!(SortedSet, |set, member| set.increment(member, 1.0))),
        ("score", routine!(SortedSet, |set, member| set.score(member))),
        ("rank", routine!(SortedSet, |set, member| set.rank(member))),
        ("top10", routine!(SortedSet, |set, _member| set.top(10))),
    ] {
        let mut group = c.benchmark_group(format!("sorted_set/{verb}"));
        for size in SIZES {
            measure(&mut group, size, &filled_set(size), routine);
        }
        group.finish();
    }
}

fn add(c: &mut Criterion) {
    let mut group = c.benchmark_group("sorted_set/add");
    for size in SIZES {
        let mut score = 0.0;
        measure(&mut group, size, &filled_set(size), |set, member| {
            // Another score each time: one that stays is not written.
            score += 1.0;
            black_box(set.add(member, score).expect("add"));
        });
    }
    group.finish();
}

criterion_group!(benches, strings, sorted_sets, add);
criterion_main!(benches);
