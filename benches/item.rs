//! Item tables: writes with one global index, reads by key, newest items of a partition, batches.
//!
//! `cargo bench --bench item`

#![expect(clippy::unwrap_used, reason = "a benchmark whose setup fails has nothing to measure")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, WriteRequest, key};
use larder::{ItemTable, Store};

/// Sort keys of one user; there are ten users.
const EVENTS_OF_USER: usize = 1_000;

/// Stored items at the start of each measurement.
const SIZES: [usize; 2] = [1_000, 10_000];

fn item(n: usize) -> Item {
    Item::new()
        .with("PK", format!("USER#{}", n / EVENTS_OF_USER))
        .with("SK", format!("EVENT#{:08}", n % EVENTS_OF_USER))
        .with("GSI1PK", format!("KIND#{}", n % 16))
        .with("GSI1SK", format!("{n:08}"))
        .with("amount", u32::try_from(n).unwrap())
        .with("note", "x".repeat(100))
}

/// A table with one global index over all attributes, holding `items`.
fn filled(items: usize) -> ItemTable {
    let table = Store::in_memory().item_table("Events");
    let index = GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S).sort_key("GSI1SK", ScalarAttributeType::S);
    table
        .create(
            TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S).global_index(index),
        )
        .unwrap();
    for n in 0..items {
        table.put(&item(n)).unwrap();
    }
    table
}

fn put(c: &mut Criterion) {
    let mut group = c.benchmark_group("item/put_with_one_index");
    for size in SIZES {
        let table = filled(size);
        // Every put replaces an item and moves its index entry.
        let items: Vec<Item> = (0..size).flat_map(|n| ["a", "b"].map(|at| item(n).with("GSI1SK", at))).collect();
        let mut next = items.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| table.put(black_box(next.next().unwrap())).unwrap());
        });
    }
    group.finish();
}

fn get(c: &mut Criterion) {
    let mut group = c.benchmark_group("item/get");
    for size in SIZES {
        let (table, probe) = (filled(size), item(size / 2));
        let text = |name: &str| probe.get(name).unwrap().as_s().unwrap();
        let key = larder::item::Key::from((text("PK"), text("SK")));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| table.get(black_box(&key)).unwrap());
        });
    }
    group.finish();
}

fn query_newest_100(c: &mut Criterion) {
    let mut group = c.benchmark_group("item/query_newest_100");
    for size in SIZES {
        let table = filled(size);
        let of_user = table.query(key("PK").eq("USER#0").and(key("SK").begins_with("EVENT#"))).reverse().limit(100);
        group.bench_function(BenchmarkId::new("table", size), |b| {
            b.iter(|| black_box(&of_user).clone().to_vec().unwrap());
        });
        let of_kind = table.query(key("GSI1PK").eq("KIND#3")).index("GSI1").reverse().limit(100);
        group.bench_function(BenchmarkId::new("index", size), |b| {
            b.iter(|| black_box(&of_kind).clone().to_vec().unwrap());
        });
    }
    group.finish();
}

fn batch_write_25(c: &mut Criterion) {
    let mut group = c.benchmark_group("item/batch_write_25");
    for size in SIZES {
        let table = filled(size);
        let batch: Vec<WriteRequest> = (0..25).map(|n| WriteRequest::put(item(n * 7))).collect();
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| table.batch_write(black_box(batch.clone())).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, put, get, query_newest_100, batch_write_25);
criterion_main!(benches);
