//! Pattern 6: large purchases on a channel.

use std::thread;

use larder::{Error, Result, Store};
use serde::{Deserialize, Serialize};

use crate::purchases::Purchase;

/// Purchases above this many cents are published.
pub(crate) const LARGE_CENTS: i64 = 10_000;

/// The channel.
pub(crate) const CHANNEL: &str = "purchases:large";

/// The payload that ends the subscriber's loop.
const END: &[u8] = b"end";

/// A large purchase as it is published: JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LargePurchase {
    /// Place in the log.
    pub(crate) row: u64,
    /// The customer.
    pub(crate) user_id: String,
    /// What it cost.
    pub(crate) cents: i64,
}

impl LargePurchase {
    /// The message about `purchase`, or `None` when it is not large.
    pub(crate) fn of(purchase: &Purchase) -> Option<Self> {
        let Purchase { row, user_id, cents, .. } = purchase;
        (*cents > LARGE_CENTS).then(|| Self { row: *row, user_id: user_id.clone(), cents: *cents })
    }

    /// The message as JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(Error::application)
    }
}

/// What was sent and what arrived.
#[derive(Debug)]
pub(crate) struct ChannelReport {
    /// Messages in the order of their commits.
    pub(crate) published: Vec<LargePurchase>,
    /// Messages in the order they were received.
    pub(crate) received: Vec<LargePurchase>,
}

/// Publishes every large purchase while a thread receives them.
pub(crate) fn run(store: &Store, purchases: &[Purchase]) -> Result<ChannelReport> {
    let inbox = store.subscribe(CHANNEL)?;
    let subscriber = thread::spawn(move || -> Result<Vec<LargePurchase>> {
        let mut received = Vec::new();
        for message in inbox {
            let message = message.map_err(Error::application)?;
            if message.payload() == END {
                break;
            }
            received.push(serde_json::from_slice(message.payload()).map_err(Error::application)?);
        }
        Ok(received)
    });
    let published: Vec<_> = purchases.iter().filter_map(LargePurchase::of).collect();
    for large in &published {
        store.publish(CHANNEL, large.to_json()?)?;
    }
    store.publish(CHANNEL, END)?;
    let received = subscriber.join().map_err(|_| Error::application("the subscriber panicked"))??;
    Ok(ChannelReport { published, received })
}
