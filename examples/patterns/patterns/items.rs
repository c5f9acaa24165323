//! Pattern 7: events in one item table, found by customer and, through an index, by type and day.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::civil::Date;
use larder::item::{GlobalIndex, Item, ScalarAttributeType, TableSchema, WriteRequest, key};
use larder::{Error, ItemTable, ManualClock, Result, Scope, Store};

use super::Progress;
use crate::purchases::Purchase;

/// The table.
pub(crate) const TABLE: &str = "Events";

/// Writes of one batch.
const BATCH: usize = 25;

/// Times the rest of a batch is tried again.
const RETRIES: u32 = 8;

/// First wait before the rest of a batch is tried again; each further wait is twice as long.
const BACKOFF: Duration = Duration::from_millis(50);

/// Creates the table: customers' events by time, and `GSI1` by type and day.
pub(crate) fn create_table(store: &Store) -> Result<()> {
    let by_type = GlobalIndex::new("GSI1", "GSI1PK", ScalarAttributeType::S).sort_key("GSI1SK", ScalarAttributeType::S);
    store.item_table(TABLE).create_if_absent(
        TableSchema::new("PK", ScalarAttributeType::S).sort_key("SK", ScalarAttributeType::S).global_index(by_type),
    )
}

/// Partition and sort key of a purchase.
pub(crate) fn event_key(purchase: &Purchase) -> (String, String) {
    (format!("USER#{}", purchase.user_id), format!("EVENT#{}#{:06}", purchase.iso_time(), purchase.row))
}

/// A purchase as an item.
pub(crate) fn event_item(purchase: &Purchase) -> Item {
    let (partition, sort) = event_key(purchase);
    Item::new()
        .with("PK", partition)
        .with("SK", sort)
        .with("GSI1PK", "TYPE#purchase")
        .with("GSI1SK", format!("DATE#{}", purchase.day))
        .with("cents", purchase.cents)
        .with("cds", i64::from(purchase.cds))
}

/// What it took to write the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchReport {
    /// Items written.
    pub(crate) items: u64,
    /// Calls made.
    pub(crate) calls: u64,
    /// Writes that came back unprocessed and were sent again.
    pub(crate) unprocessed: u64,
}

/// Writes every purchase in batches of 25, on a table that leaves some of each batch unprocessed.
///
/// Writing an item again changes nothing, so that a run that was stopped simply writes all of them.
pub(crate) fn load(
    store: &Store,
    clock: &ManualClock,
    purchases: &[Purchase],
    progress: Progress<'_>,
) -> Result<BatchReport> {
    create_table(store)?;
    // A busy table: every tenth write it is offered has to be sent again.
    let offered = AtomicU64::new(0);
    let admit = move |_: &str, _: usize| offered.fetch_add(1, Ordering::Relaxed) % 10 != 9;
    store.items().admit_batches(Some(Arc::new(admit)))?;
    let table = store.item_table(TABLE);
    let mut report = BatchReport::default();
    for batch in purchases.chunks(BATCH) {
        let requests = batch.iter().map(|purchase| WriteRequest::put(event_item(purchase))).collect();
        write_batch(&table, requests, |wait| clock.advance(wait), &mut report)?;
        report.items += batch.len() as u64;
        progress(report.items);
    }
    store.items().admit_batches(None)?;
    Ok(report)
}

/// Sends a batch, and what comes back unprocessed again after waits that grow exponentially.
fn write_batch(
    table: &ItemTable,
    mut requests: Vec<WriteRequest>,
    wait: impl Fn(Duration),
    report: &mut BatchReport,
) -> Result<()> {
    for attempt in 0..=RETRIES {
        report.calls += 1;
        requests = table.batch_write(requests)?.unprocessed;
        if requests.is_empty() {
            return Ok(());
        }
        report.unprocessed += requests.len() as u64;
        wait(BACKOFF * 2u32.pow(attempt));
    }
    Err(Error::application(format!("{} writes are still unprocessed after {RETRIES} retries", requests.len())))
}

/// The newest events of a customer, newest first, at most `limit`.
pub(crate) fn newest_of_user<S: Scope>(table: &ItemTable<S>, user_id: &str, limit: u64) -> Result<Vec<Item>> {
    let of_user = key("PK").eq(format!("USER#{user_id}")).and(key("SK").begins_with("EVENT#"));
    table.query(of_user).reverse().limit(limit).to_vec()
}

/// Every event of a type on a day.
pub(crate) fn of_type_on<S: Scope>(table: &ItemTable<S>, event_type: &str, day: Date) -> Result<Vec<Item>> {
    let on_day = key("GSI1PK").eq(format!("TYPE#{event_type}")).and(key("GSI1SK").eq(format!("DATE#{day}")));
    table.query(on_day).index("GSI1").to_vec()
}
