//! Documents: inserts that keep indexes, lookups, ranges, updates and groups, in memory.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use larder::bson::{Document, doc};
use larder::{Collection, Store};

const USERS: i64 = 100;

fn event(n: i64) -> Document {
    doc! { "_id": n, "user_id": n % USERS, "timestamp": n, "kind": "page_view", "path": "/products/17", "amount": n % 7 }
}

/// A collection of `documents` events, indexed by user and time and by kind.
fn filled(documents: i64) -> Collection<Document> {
    let events = Store::in_memory().collection::<Document>("events");
    events.create_index(doc! { "user_id": 1, "timestamp": -1 }).expect("an index");
    events.create_index(doc! { "kind": 1 }).expect("an index");
    events.insert_many((0..documents).map(event)).expect("documents");
    events
}

fn insert(c: &mut Criterion) {
    c.bench_function("document/insert_100_with_two_indexes", |b| {
        let store = Store::in_memory();
        let seeded = store.collection::<Document>("events");
        seeded.create_index(doc! { "user_id": 1, "timestamp": -1 }).expect("an index");
        seeded.create_index(doc! { "kind": 1 }).expect("an index");
        let setup = || store.fork().expect("a fork").collection::<Document>("events");
        let documents: Vec<_> = (0..100).map(event).collect();
        b.iter_batched(
            setup,
            |events| {
                for document in &documents {
                    events.insert_one(black_box(document)).expect("an insert");
                }
                events
            },
            BatchSize::SmallInput,
        );
    });
}

fn find(c: &mut Criterion) {
    let mut group = c.benchmark_group("document/find");
    for documents in [1_000, 100_000] {
        let events = filled(documents);
        group.bench_with_input(BenchmarkId::new("by_id", documents), &events, |b, events| {
            b.iter(|| black_box(events.find_one(doc! { "_id": black_box(documents / 2) })));
        });
        group.bench_with_input(BenchmarkId::new("by_index_prefix_latest_10", documents), &events, |b, events| {
            let filter = doc! { "user_id": 7 };
            b.iter(|| black_box(events.find(filter.clone()).sort(doc! { "timestamp": -1 }).limit(10).to_vec()));
        });
        group.bench_with_input(BenchmarkId::new("range_of_100", documents), &events, |b, events| {
            let from = documents / 2;
            let filter = doc! { "_id": { "$gte": from, "$lt": from + 100 } };
            b.iter(|| black_box(events.find(filter.clone()).to_vec()));
        });
    }
    group.finish();
}

fn update(c: &mut Criterion) {
    let events = filled(10_000);
    c.bench_function("document/update_inc/10000", |b| {
        b.iter(|| events.update_one(doc! { "_id": black_box(5_000i64) }, doc! { "$inc": { "amount": 1 } }));
    });
}

fn aggregate(c: &mut Criterion) {
    let events = filled(10_000);
    let pipeline = [
        doc! { "$match": { "timestamp": { "$gte": 1_000 } } },
        doc! { "$group": { "_id": "$user_id", "total": { "$sum": "$amount" } } },
        doc! { "$sort": { "total": -1 } },
        doc! { "$limit": 10 },
    ];
    c.bench_function("document/aggregate_group/10000", |b| {
        b.iter(|| black_box(events.aggregate(pipeline.clone()).expect("a pipeline").count()));
    });
}

criterion_group!(benches, insert, find, update, aggregate);
criterion_main!(benches);
