//! What every model keeps to: nesting is bounded, a snapshot has one moment, a budget is one of the whole store, an operation that
//! fails leaves nothing behind, errors say what they are about, and a closed store lets everybody go.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod budget;
mod closing;
mod errors;
mod moments;
mod nesting;

use larder::item::{GlobalIndex, ItemTable, ScalarAttributeType, TableSchema};
use larder::wide_column::{self, CqlType, Order, WideTable};
use larder::{ManualClock, Store};

/// A store in memory, and its clock.
fn store() -> (Store, ManualClock) {
    let clock = ManualClock::default();
    clock.advance(std::time::Duration::from_hours(1));
    (Store::builder().clock(clock.clone()).in_memory(), clock)
}

/// An item table with a global index.
fn item_table(store: &Store) -> ItemTable {
    let table = store.item_table("Events");
    let index = GlobalIndex::new("by_kind", "kind", ScalarAttributeType::S);
    table
        .create(
            TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::N).global_index(index),
        )
        .unwrap();
    table
}

/// A wide-column table.
fn wide_table(store: &Store) -> WideTable {
    let table = store.wide_table("shop", "events");
    let schema = wide_column::TableSchema::new();
    let schema = schema.partition_key("id", CqlType::Int).clustering("at", CqlType::Bigint, Order::Ascending);
    table.create(schema.column("name", CqlType::Text)).unwrap();
    table
}
