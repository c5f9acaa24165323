//! Pattern 8: a time series, one partition a day.

use jiff::civil::Date;
use larder::wide_column::{CqlType, CqlValue, Order, PreparedInsert, Row, TableSchema};
use larder::{Result, Scope, Store, WideTable, WriteScope};

use super::{Progress, pass};
use crate::purchases::{Purchase, days_since_epoch};

/// Keyspace and table.
pub(crate) const KEYSPACE: &str = "analytics";
/// The table.
pub(crate) const TABLE: &str = "events_by_day";

const COLUMNS: [&str; 5] = ["date", "event_time", "user_id", "event_type", "data"];

/// Creates the table: partitioned by day, newest first within it, then by customer.
pub(crate) fn create_table(store: &Store) -> Result<()> {
    store.wide_table(KEYSPACE, TABLE).create(
        TableSchema::new()
            .partition_key("date", CqlType::Date)
            .clustering("event_time", CqlType::Timestamp, Order::Descending)
            .clustering("user_id", CqlType::Text, Order::Ascending)
            .column("event_type", CqlType::Text)
            .column("data", CqlType::Text),
    )
}

/// The insert, prepared once and executed for each purchase.
pub(crate) fn prepare<S: WriteScope>(table: &WideTable<S>) -> Result<PreparedInsert<S>> {
    table.prepare_insert(&COLUMNS)
}

/// The key of a purchase's row: partition, then clustering columns.
pub(crate) fn row_key(purchase: &Purchase) -> [CqlValue; 3] {
    let [date, event_time, user_id, ..] = row_values(purchase);
    [date, event_time, user_id]
}

/// The values of a purchase's row, in the order of the prepared columns.
pub(crate) fn row_values(purchase: &Purchase) -> [CqlValue; 5] {
    [
        CqlValue::date_from_days_since_epoch(days_since_epoch(purchase.day)),
        CqlValue::Timestamp(purchase.time().as_millis()),
        CqlValue::from(purchase.user_id.as_str()),
        CqlValue::from("purchase"),
        CqlValue::from(format!(r#"{{"cents":{},"cds":{}}}"#, purchase.cents, purchase.cds)),
    ]
}

/// Writes a row for every purchase and returns how many this run wrote. A second purchase of a customer on one day
/// overwrites the first: rows are upserted.
pub(crate) fn load(store: &Store, purchases: &[Purchase], progress: Progress<'_>) -> Result<u64> {
    create_table(store)?;
    pass(store, "time_series", purchases, progress, |tx, purchase| {
        prepare(&tx.wide_table(KEYSPACE, TABLE))?.execute(row_values(purchase))
    })
}

/// The rows of one day, newest first.
pub(crate) fn on_day<S: Scope>(table: &WideTable<S>, day: Date) -> Result<Vec<Row>> {
    table.select([CqlValue::date_from_days_since_epoch(days_since_epoch(day))]).to_vec()
}

/// Writes `purchases` as one batch: all of them or none.
pub(crate) fn write_batch(store: &Store, purchases: &[Purchase]) -> Result<()> {
    let insert = prepare(&store.wide_table(KEYSPACE, TABLE))?;
    let mut batch = store.wide_batch();
    for purchase in purchases {
        batch.insert(&insert, row_values(purchase))?;
    }
    batch.execute()
}
