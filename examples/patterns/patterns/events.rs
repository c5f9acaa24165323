//! Patterns 1 and 2: events as documents, and the aggregation over them.

use larder::bson::{self, doc};
use larder::{Collection, Result, Store, Timestamp, WriteScope};
use serde::{Deserialize, Serialize};

use super::{Progress, Total, pass};
use crate::purchases::Purchase;

/// Times an insert is tried before its error is given up on.
const TRIES: u32 = 3;

/// A purchase as it is stored.
#[expect(clippy::struct_field_names, reason = "the fields are named as they are stored")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// `{user_id}_{timestamp}`: the same customer's second purchase at one time is a duplicate.
    #[serde(rename = "_id")]
    pub(crate) id: String,
    /// The customer.
    pub(crate) user_id: String,
    /// When it happened.
    pub(crate) timestamp: bson::DateTime,
    /// What happened: `purchase`.
    pub(crate) event_type: String,
    /// Whole cents: exact in every sum.
    pub(crate) amount_cents: i64,
    /// CDs bought.
    pub(crate) cds: i32,
    /// When it was stored.
    pub(crate) created_at: bson::DateTime,
}

impl Event {
    /// The event of `purchase`, stored at `now`.
    pub(crate) fn new(purchase: &Purchase, now: Timestamp) -> Self {
        Self {
            id: format!("{}_{}", purchase.user_id, purchase.iso_time()),
            user_id: purchase.user_id.clone(),
            timestamp: bson::DateTime::from_millis(purchase.time().as_millis()),
            event_type: "purchase".to_owned(),
            amount_cents: purchase.cents,
            cds: purchase.cds,
            created_at: bson::DateTime::from_millis(now.as_millis()),
        }
    }
}

/// Creates the indexes the queries below are served by.
pub(crate) fn create_indexes(store: &Store) -> Result<()> {
    let events = store.collection::<Event>("events");
    events.create_index(doc! { "user_id": 1, "timestamp": -1 })?;
    events.create_index(doc! { "event_type": 1 })?;
    Ok(())
}

/// Stores `event`; `false` when it is already there.
pub(crate) fn insert_event<S: WriteScope>(events: &Collection<Event, S>, event: &Event) -> Result<bool> {
    let mut tried = 1;
    loop {
        match events.insert_one(event) {
            Ok(_) => return Ok(true),
            Err(error) if error.is_duplicate_key() => return Ok(false),
            Err(error) if error.is_retryable() && tried < TRIES => tried += 1,
            Err(error) => return Err(error),
        }
    }
}

/// How many events are stored, of how many purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// Purchases this run worked on; fewer than all when an earlier run had begun.
    pub(crate) worked: u64,
    /// Events in the collection.
    pub(crate) accepted: u64,
    /// Purchases refused as duplicates, by all runs.
    pub(crate) duplicates: u64,
}

/// Pattern 1: stores every purchase as an event.
pub(crate) fn load(store: &Store, purchases: &[Purchase], progress: Progress<'_>) -> Result<Loaded> {
    create_indexes(store)?;
    let worked = pass(store, "events", purchases, progress, |tx, purchase| {
        insert_event(&tx.collection("events"), &Event::new(purchase, store.now())).map(drop)
    })?;
    let accepted = count(store)?;
    Ok(Loaded { worked, accepted, duplicates: purchases.len() as u64 - accepted })
}

/// How many events are stored.
pub(crate) fn count(store: &Store) -> Result<u64> {
    store.collection::<Event>("events").count_documents(doc! {})
}

/// A customer's line of the aggregation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    /// The customer.
    #[serde(rename = "_id")]
    pub(crate) user_id: String,
    /// All the customer paid.
    pub(crate) total_cents: i64,
    /// How often the customer bought.
    pub(crate) count: i64,
}

impl From<Customer> for Total {
    fn from(customer: Customer) -> Self {
        Self { user_id: customer.user_id, cents: customer.total_cents }
    }
}

/// Pattern 2: the customers who paid most since `since`, at most `limit` of them; equal totals by id.
pub(crate) fn top_customers(store: &Store, since: Timestamp, limit: i64) -> Result<Vec<Customer>> {
    let since = bson::DateTime::from_millis(since.as_millis());
    let pipeline = [
        doc! { "$match": { "event_type": "purchase", "timestamp": { "$gte": since } } },
        doc! { "$group": { "_id": "$user_id", "total_cents": { "$sum": "$amount_cents" }, "count": { "$sum": 1 } } },
        doc! { "$sort": { "total_cents": -1, "_id": 1 } },
        doc! { "$limit": limit },
    ];
    let documents = store.collection::<Event>("events").aggregate(pipeline)?;
    documents.map(|document| customer(&document?)).collect()
}

/// How many customers bought since `since`.
pub(crate) fn customers_since(store: &Store, since: Timestamp) -> Result<u64> {
    let since = bson::DateTime::from_millis(since.as_millis());
    let pipeline = [
        doc! { "$match": { "event_type": "purchase", "timestamp": { "$gte": since } } },
        doc! { "$group": { "_id": "$user_id" } },
        doc! { "$count": "customers" },
    ];
    let counted = store.collection::<Event>("events").aggregate(pipeline)?.next().transpose()?;
    let customers = counted.and_then(|document| document.get("customers").and_then(integer));
    Ok(customers.and_then(|customers| customers.try_into().ok()).unwrap_or(0))
}

/// One customer's events, newest first: served by the index on (`user_id`, `timestamp` descending).
pub(crate) fn newest_of_user(store: &Store, user_id: &str, limit: u64) -> Result<Vec<Event>> {
    store.collection("events").find(doc! { "user_id": user_id }).sort(doc! { "timestamp": -1 }).limit(limit).to_vec()
}

fn customer(document: &bson::Document) -> Result<Customer> {
    let number = |field| document.get(field).and_then(integer).ok_or_else(|| unexpected(document));
    Ok(Customer {
        user_id: document.get_str("_id").map_err(|_| unexpected(document))?.to_owned(),
        total_cents: number("total_cents")?,
        count: number("count")?,
    })
}

/// An integer of either width: a sum begins as 32 bits and widens when it has to.
fn integer(value: &bson::Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

fn unexpected(document: &bson::Document) -> larder::Error {
    larder::Error::application(format!("the aggregation answered {document}"))
}
