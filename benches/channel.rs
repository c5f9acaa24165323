//! Publishing to subscribers that keep up.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use larder::{Store, Subscriber};

const PAYLOAD: [u8; 100] = [b'x'; 100];

/// Messages between two times at which the queues are emptied, outside of what is measured.
const ROUND: usize = 100;

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("channel/publish_100");
    for subscribers in [0, 1, 100] {
        let store = Store::in_memory();
        let inboxes: Vec<Subscriber> =
            (0..subscribers).map(|_| store.subscribe("orders").expect("subscribe")).collect();
        group.bench_with_input(BenchmarkId::from_parameter(subscribers), &store, |b, store| {
            b.iter_batched(
                || inboxes.iter().for_each(empty),
                |()| {
                    for _ in 0..ROUND {
                        black_box(store.publish("orders", black_box(PAYLOAD)).expect("publish"));
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn publish_and_receive(c: &mut Criterion) {
    let store = Store::in_memory();
    let inbox = store.subscribe("orders").expect("subscribe");
    c.bench_function("channel/publish_and_receive", |b| {
        b.iter(|| {
            store.publish("orders", black_box(PAYLOAD)).expect("publish");
            black_box(inbox.recv().expect("message"))
        });
    });
}

fn empty(inbox: &Subscriber) {
    while inbox.try_recv().expect("connected").is_some() {}
}

criterion_group!(benches, publish, publish_and_receive);
criterion_main!(benches);
