//! What a transaction costs by itself, beside the bare commit of its engine.
//!
//! On disk each is measured without syncs and with them; what a sync costs is the medium's.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use larder::Store;
use larder::engine::{Changes, Durability, Engine, Key, MemoryEngine, Reads};

const VALUE: [u8; 150] = [7; 150];

/// A name, an engine, the durability to use it with, and the directory it may need.
type Subject = (&'static str, Arc<dyn Engine>, Durability, Option<tempfile::TempDir>);

/// An empty engine of every kind.
fn engines() -> Vec<Subject> {
    #[cfg_attr(not(feature = "fjall"), expect(unused_mut, reason = "nothing is added"))]
    let mut engines: Vec<Subject> = vec![("memory", Arc::new(MemoryEngine::new()), Durability::None, None)];
    #[cfg(feature = "fjall")]
    for (name, durability) in [("fjall", Durability::None), ("fjall_synced", Durability::Sync)] {
        let dir = tempfile::tempdir().unwrap();
        let engine = larder::engine::fjall::FjallEngine::open(dir.path()).unwrap();
        engines.push((name, Arc::new(engine), durability, Some(dir)));
    }
    engines
}

/// `keys` puts of 24-byte keys that no earlier round has put.
fn put(round: u64, keys: u64) -> Changes {
    let key = |n| Key::from(format!("event:{:018}", round * keys + n).into_bytes());
    (0..keys).map(|n| (key(n), Some(VALUE))).collect()
}

fn transaction(c: &mut Criterion) {
    let mut group = c.benchmark_group("transaction");
    for (name, engine, durability, _dir) in engines() {
        let store = Store::builder().durability(durability).engine(engine).unwrap();
        group.bench_function(BenchmarkId::new("empty", name), |b| {
            b.iter(|| store.transaction(|tx| Ok::<_, larder::Error>(size_of_val(black_box(tx)))).unwrap());
        });
        group.bench_function(BenchmarkId::new("begin_and_commit", name), |b| {
            b.iter(|| black_box(store.begin().unwrap()).commit().unwrap());
        });
    }
    group.finish();
}

fn commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit");
    for (name, engine, durability, _dir) in engines() {
        for keys in [1, 10] {
            let mut rounds = 0..;
            group.bench_function(BenchmarkId::new(format!("puts_{keys}"), name), |b| {
                b.iter(|| {
                    let changes = put(rounds.next().unwrap(), keys);
                    engine.commit(black_box(&changes), None, durability).unwrap().wait().unwrap();
                });
            });
        }
        let mut rounds = 0..;
        group.bench_function(BenchmarkId::new("checked_put", name), |b| {
            b.iter(|| {
                let changes = put(rounds.next().unwrap(), 1);
                let base = engine.begin().unwrap();
                let mut reads = Reads::at(base.commit());
                for (key, _) in changes.iter() {
                    reads.add_key(key);
                }
                engine.commit(black_box(&changes), Some(&reads), durability).unwrap().wait().unwrap();
            });
        });
        // A pipeline: every commit is ordered before the first is waited for, so that all share one sync.
        let mut rounds = 0..;
        group.bench_function(BenchmarkId::new("pipeline_of_16", name), |b| {
            b.iter(|| {
                let mut commit = || engine.commit(&put(rounds.next().unwrap(), 1), None, durability).unwrap();
                let tickets: [_; 16] = std::array::from_fn(|_| commit());
                for ticket in &tickets {
                    ticket.wait().unwrap();
                }
            });
        });
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
    targets = transaction, commit
}
criterion_main!(benches);
