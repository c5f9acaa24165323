//! Wide-column tables: prepared inserts, queries of one partition, batches, deletion of partitions.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use larder::wide_column::{CqlType, CqlValue, Order, PreparedInsert, TableSchema};
use larder::{ManualClock, Store, WideTable};

/// Rows of the partition that queries read.
const PARTITION_ROWS: i64 = 100;

/// Statements of a batch.
const BATCH_STATEMENTS: i64 = 25;

fn events(store: &Store) -> (WideTable, PreparedInsert) {
    let table = store.wide_table("analytics", "events_by_day");
    let schema = TableSchema::new()
        .partition_key("date", CqlType::Date)
        .clustering("event_time", CqlType::Timestamp, Order::Descending)
        .clustering("user_id", CqlType::Text, Order::Ascending)
        .column("event_type", CqlType::Text)
        .column("data", CqlType::Text);
    table.create(schema).expect("the schema is valid");
    let insert = table.prepare_insert(&["date", "event_time", "user_id", "event_type", "data"]).expect("known columns");
    (table, insert)
}

fn row(day: i32, millis: i64) -> (CqlValue, CqlValue, &'static str, &'static str, &'static str) {
    let (date, time) = (CqlValue::date_from_days_since_epoch(day), CqlValue::Timestamp(millis));
    (date, time, "user-0042", "click", r#"{"page":"/checkout","ms":183}"#)
}

fn filled() -> (WideTable, CqlValue) {
    let (table, insert) = events(&Store::in_memory());
    for day in 0..10 {
        (0..PARTITION_ROWS).for_each(|millis| insert.execute(row(day, millis)).expect("a valid row"));
    }
    (table, CqlValue::date_from_days_since_epoch(5))
}

fn writes(c: &mut Criterion) {
    let mut group = c.benchmark_group("wide_column");
    let store = Store::in_memory();
    let (_, insert) = events(&store);
    let mut millis = 0;
    group.bench_function("insert_prepared", |b| {
        b.iter(|| {
            millis += 1;
            insert.execute(black_box(row(1, millis))).expect("a valid row");
        });
    });
    group.bench_function(format!("batch/{BATCH_STATEMENTS}"), |b| {
        let batch = || {
            let mut batch = store.wide_batch();
            for _ in 0..BATCH_STATEMENTS {
                millis += 1;
                batch.insert(&insert, row(2, millis)).expect("a valid row");
            }
            batch
        };
        b.iter_batched(batch, |batch| batch.execute().expect("the table is there"), BatchSize::SmallInput);
    });
    group.finish();
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("wide_column");
    let (table, day) = filled();
    group.bench_function(format!("select_partition/{PARTITION_ROWS}"), |b| {
        b.iter(|| black_box(table.select((black_box(day.clone()),)).to_vec().expect("the table is there")));
    });
    group.bench_function("select_range/10", |b| {
        b.iter(|| {
            let range = CqlValue::Timestamp(40)..CqlValue::Timestamp(50);
            black_box(
                table.select((black_box(day.clone()),)).range("event_time", range).to_vec().expect("a valid range"),
            )
        });
    });
    group.finish();
}

/// A partition that is deleted, of a row and of many; the rows of the latter are left to a job.
fn delete_partition(c: &mut Criterion) {
    let mut group = c.benchmark_group("wide_column/delete_partition");
    for rows in [1, 100, 100_000] {
        let store = Store::builder().clock(ManualClock::default()).in_memory();
        let (_, insert) = events(&store);
        let fill = |tx: &larder::Transaction| {
            let mut batch = tx.wide_batch();
            for millis in 0..rows {
                batch.insert(&insert, row(1, millis))?;
                if batch.len() == 10_000 {
                    std::mem::replace(&mut batch, tx.wide_batch()).execute()?;
                }
            }
            batch.execute()
        };
        store.transaction(fill).expect("valid rows");
        let day = || CqlValue::date_from_days_since_epoch(1);
        // Each time of a fork, so that the partition is there.
        let fork = || {
            let fork = store.fork().expect("the store is open");
            let table = fork.wide_table("analytics", "events_by_day");
            table.schema().expect("the table is there");
            (fork, table)
        };
        let delete = |(fork, table): (Store, WideTable)| {
            table.delete_partition((day(),)).expect("the table is there");
            (fork, table)
        };
        group.bench_function(rows.to_string(), |b| b.iter_batched(fork, delete, BatchSize::SmallInput));
    }
    group.finish();
}

criterion_group!(benches, writes, reads, delete_partition);
criterion_main!(benches);
