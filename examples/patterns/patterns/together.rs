//! Pattern 9: one purchase in every model, in one transaction.

use jiff::ToSpan;
use larder::bson::doc;
use larder::{Error, Result, Store, Timestamp, Transaction};

use super::cache::profile_key;
use super::channel::{CHANNEL, LargePurchase};
use super::events::{Event, insert_event};
use super::{items, leaderboard, time_series};
use crate::purchases::Purchase;

/// Writes the document, the item and the row, drops the cached profile, raises the score and publishes. `false` when the
/// event is already stored; then nothing else happens either.
pub(crate) fn record(tx: &Transaction, store: &Store, purchase: &Purchase) -> Result<bool> {
    if !insert_event(&tx.collection("events"), &Event::new(purchase, store.now()))? {
        return Ok(false);
    }
    tx.kv().remove(profile_key(&purchase.user_id))?;
    leaderboard::add(&tx.kv().sorted_set(leaderboard::KEY), purchase)?;
    tx.item_table(items::TABLE).put(&items::event_item(purchase))?;
    time_series::prepare(&tx.wide_table(time_series::KEYSPACE, time_series::TABLE))?
        .execute(time_series::row_values(purchase))?;
    if let Some(large) = LargePurchase::of(purchase) {
        tx.publish(CHANNEL, large.to_json()?)?;
    }
    Ok(true)
}

/// Takes back what [`record`] wrote, in every model and at once.
pub(crate) fn erase(tx: &Transaction, purchase: &Purchase) -> Result<()> {
    let id = Event::new(purchase, Timestamp::default()).id;
    tx.collection::<Event>("events").delete_one(doc! { "_id": id })?;
    tx.kv().remove(profile_key(&purchase.user_id))?;
    tx.kv().sorted_set(leaderboard::KEY).remove(&purchase.user_id)?;
    tx.item_table(items::TABLE).delete(items::event_key(purchase))?;
    let rows = tx.wide_table(time_series::KEYSPACE, time_series::TABLE);
    rows.delete_row(time_series::row_key(purchase))
}

/// What all models show of one purchase.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trace {
    /// Events with its id.
    pub(crate) events: u64,
    /// The cached profile of its customer.
    pub(crate) profile: Option<Vec<u8>>,
    /// Score of its customer.
    pub(crate) score: Option<f64>,
    /// Items with its key.
    pub(crate) items: usize,
    /// Rows of its day.
    pub(crate) rows: usize,
}

/// Looks the purchase up in every model, at one moment.
pub(crate) fn trace(store: &Store, purchase: &Purchase) -> Result<Trace> {
    let now = store.snapshot()?;
    let id = Event::new(purchase, store.now()).id;
    let item = items::event_item(purchase);
    let of_user = items::newest_of_user(&now.item_table(items::TABLE), &purchase.user_id, u64::MAX)?;
    Ok(Trace {
        events: now.collection::<Event>("events").count_documents(doc! { "_id": id })?,
        profile: now.kv().get(profile_key(&purchase.user_id))?,
        score: now.kv().sorted_set(leaderboard::KEY).score(&purchase.user_id)?,
        items: of_user.iter().filter(|stored| stored.get("SK") == item.get("SK")).count(),
        rows: time_series::on_day(&now.wide_table(time_series::KEYSPACE, time_series::TABLE), purchase.day)?.len(),
    })
}

/// What happened to the two purchases of [`run`].
#[derive(Debug)]
pub(crate) struct TogetherReport {
    /// Before anything.
    pub(crate) before: Trace,
    /// After the transaction that failed in the middle.
    pub(crate) after_failure: Trace,
    /// After the one that went through.
    pub(crate) after_success: Trace,
    /// Messages received of the first and of the second.
    pub(crate) messages: (usize, usize),
}

/// Records a purchase in a transaction that fails after every model was written, and then in one that does not.
///
/// The purchase is of a customer of its own, the day after the log ends, and is erased in the end: the log's own numbers
/// stay what they are.
pub(crate) fn run(store: &Store, purchases: &[Purchase]) -> Result<TogetherReport> {
    let purchase = &Purchase {
        row: purchases.len() as u64 + 1,
        user_id: "one-more".to_owned(),
        day: purchases.iter().map(|purchase| purchase.day).max().unwrap_or_default().saturating_add(1.day()),
        cds: 9,
        cents: 14_950,
    };
    // An earlier run may have been stopped before its end.
    store.transaction(|tx| erase(tx, purchase))?;
    store.kv().set(profile_key(&purchase.user_id), "cached")?;
    let inbox = store.subscribe(CHANNEL)?;
    let received = || -> Result<usize> {
        let mut count = 0;
        while inbox.try_recv().map_err(Error::application)?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    let before = trace(store, purchase)?;
    let failed: Result<()> = store.transaction(|tx| {
        record(tx, store, purchase)?;
        Err(Error::application("the payment was declined"))
    });
    if failed.is_ok() {
        return Err(Error::application("the declined purchase was committed"));
    }
    let (after_failure, first) = (trace(store, purchase)?, received()?);
    store.transaction(|tx| record(tx, store, purchase))?;
    let (after_success, second) = (trace(store, purchase)?, received()?);
    store.transaction(|tx| erase(tx, purchase))?;
    Ok(TogetherReport { before, after_failure, after_success, messages: (first, second) })
}
