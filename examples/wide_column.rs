//! Rows: a wide-column table with a partition for each sensor and day, newest reading first, and times to live.
//!
//! ```text
//! cargo run --release --example wide_column
//! ```

use larder::Store;
use larder::wide_column::{CqlType, CqlValue, Order, TableSchema, WriteOptions};

fn main() -> larder::Result<()> {
    let store = Store::in_memory();
    let readings = store.wide_table("home", "readings");
    readings.create(
        TableSchema::new()
            .partition_key("sensor", CqlType::Text)
            .partition_key("day", CqlType::Date)
            .clustering("second", CqlType::Int, Order::Descending)
            .column("celsius", CqlType::Double),
    )?;
    let today = CqlValue::date_from_days_since_epoch(19_844);

    let insert = readings.prepare_insert(&["sensor", "day", "second", "celsius"])?;
    for (second, celsius) in [(0, 19.5), (60, 19.75), (120, 20.25)] {
        insert.execute(("attic", today.clone(), second, celsius))?;
    }
    // This one is gone after an hour.
    let row = [("sensor", "attic".into()), ("day", today.clone()), ("second", 180.into()), ("celsius", 35.0.into())];
    readings.insert_with(&row, WriteOptions::default().ttl_seconds(3_600))?;

    for row in readings.select(("attic", today)).range("second", 60..).limit(2).run()? {
        let row = row?;
        if let (Some(CqlValue::Int(second)), Some(CqlValue::Double(celsius))) = (row.get("second"), row.get("celsius"))
        {
            println!("{celsius} °C at second {second}");
        }
    }
    Ok(())
}
