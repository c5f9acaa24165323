//! How long a statement of CQL takes to parse, and a query to be parsed, planned and run, beside the same query when it is prepared.
//!
//! ```sh
//! cargo bench --bench cql
//! ```

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use larder::internals::cql;
use larder::wide_column::CqlValue;

const STATEMENTS: [(&str, &str); 4] = [
    ("select by key", "SELECT event_type, data FROM analytics.events_by_day WHERE date = ? AND event_time = ?"),
    (
        "select a page",
        "SELECT user_id, event_type, data, writetime(data) AS written FROM analytics.events_by_day \
         WHERE date = '2026-03-01' AND event_time >= ? AND event_time < ? ORDER BY event_time DESC LIMIT 100",
    ),
    (
        "insert",
        "INSERT INTO analytics.events_by_day (date, event_time, user_id, event_type, data) \
         VALUES ('2026-03-01', 1772323200000, 123e4567-e89b-42d3-a456-426614174000, 'click', {'page': '/a', 'ms': '12'}) \
         USING TTL 86400",
    ),
    (
        "create table",
        "CREATE TABLE IF NOT EXISTS analytics.events_by_day (date date, event_time timestamp, user_id uuid, \
         event_type text, data frozen<map<text, text>>, PRIMARY KEY ((date), event_time, user_id)) \
         WITH CLUSTERING ORDER BY (event_time DESC, user_id ASC) AND default_time_to_live = 86400",
    ),
];

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("cql/parse");
    for (name, text) in STATEMENTS {
        group.bench_function(name, |b| b.iter(|| black_box(cql::markers(black_box(text)))));
    }
    group.finish();
}

/// What a row costs that is asked for by its key: as a text, and prepared. The difference is parsing and planning.
fn select(c: &mut Criterion) {
    let (_, text) = STATEMENTS[0];
    let session = larder::Store::in_memory().cql();
    for statement in [
        "CREATE KEYSPACE analytics WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE analytics.events_by_day (date date, event_time timestamp, event_type text, data text, \
         PRIMARY KEY (date, event_time)) WITH CLUSTERING ORDER BY (event_time DESC)",
    ] {
        session.execute(statement, ()).unwrap();
    }
    let insert =
        "INSERT INTO analytics.events_by_day (date, event_time, event_type, data) VALUES (?, ?, 'click', 'some text')";
    let insert = session.prepare(insert).unwrap();
    let key = |n: i64| (CqlValue::date_from_days_since_epoch(1), CqlValue::Timestamp(n));
    (0..1_000).for_each(|n| drop(session.execute(&insert, key(n)).unwrap()));
    let prepared = session.prepare(text).unwrap();
    let mut group = c.benchmark_group("cql/select by key");
    group.bench_function("text", |b| b.iter(|| black_box(session.query(black_box(text), key(500)).unwrap())));
    group.bench_function("prepared", |b| b.iter(|| black_box(session.query(&prepared, key(500)).unwrap())));
    group.finish();
}

criterion_group!(benches, parse, select);
criterion_main!(benches);
