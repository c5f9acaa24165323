//! How often wide-column tables allocate.
//!
//! ```sh
//! cd benches/rivals && cargo test --release --test wide_column_allocations
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use larder::wide_column::{CqlType, CqlValue, Order, TableSchema};
use larder::{Store, WideTable};
use serde::Deserialize;

/// Counts what the thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is the system's allocator's; counting touches no memory that is allocated.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of one turn, of many.
fn each(turns: i64, mut turn: impl FnMut(i64)) -> f64 {
    turn(0);
    let before = COUNT.get();
    (1..=turns).for_each(&mut turn);
    (COUNT.get() - before) as f64 / turns as f64
}

fn table() -> WideTable {
    let table = Store::in_memory().wide_table("analytics", "events");
    let schema = TableSchema::new()
        .partition_key("day", CqlType::Date)
        .clustering("at", CqlType::Timestamp, Order::Descending)
        .clustering("user", CqlType::Text, Order::Ascending)
        .column("kind", CqlType::Text)
        .column("data", CqlType::Text)
        .column("n", CqlType::Bigint);
    table.create(schema).unwrap();
    table
}

#[test]
fn allocations_are_few() {
    let table = table();
    let insert = table.prepare_insert(&["day", "at", "user", "kind", "data", "n"]).unwrap();
    let day = || CqlValue::date_from_days_since_epoch(1);
    // Three of them are the caller's texts.
    let inserts = each(1_000, |n| {
        insert.execute((day(), CqlValue::Timestamp(n), "user-0042", "page_view", "{\"page\":\"/\"}", n)).unwrap();
    });
    let mut bytes = Vec::with_capacity(1 << 20);
    let get = table.prepare_get(&["kind", "data", "n"]).unwrap();
    // One of them is the caller's text.
    let points = each(1_000, |n| {
        bytes.clear();
        assert!(get.to_protocol((day(), CqlValue::Timestamp(n), "user-0042"), &mut bytes).unwrap());
    });
    let mut rows = 0;
    let slices = each(100, |_| {
        rows = 0;
        let query = table.select((day(),)).columns(["kind", "data", "n"]).limit(1_000);
        query
            .for_each(|row| {
                #[derive(Deserialize)]
                struct Event<'a> {
                    kind: &'a str,
                    n: i64,
                }
                let event: Event<'_> = row.to()?;
                assert!(event.kind == "page_view" && event.n >= 0);
                rows += 1;
                Ok(())
            })
            .unwrap();
    });
    assert_eq!(rows, 1_000);
    let row = slices / f64::from(rows);
    println!("a prepared insert {inserts:.1}; a select by the whole key {points:.1}; a row that is borrowed {row:.3}");
    assert!(inserts <= 12.0, "{inserts}");
    assert!(points <= 6.0, "{points}");
    assert!(row <= 1.0, "{row}");
}
