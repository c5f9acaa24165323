//! The patterns, one file per kind of store. Each function works on an open store and returns what it found, so that
//! the program can print it and a test can check it.

pub(crate) mod cache;
pub(crate) mod channel;
pub(crate) mod events;
pub(crate) mod items;
pub(crate) mod leaderboard;
pub(crate) mod time_series;
pub(crate) mod together;

use larder::{Kv, Result, Store, Transaction};

use crate::purchases::Purchase;

/// Called after each purchase with how many are done.
pub(crate) type Progress<'a> = &'a dyn Fn(u64);

/// A customer and an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    /// The customer.
    pub(crate) user_id: String,
    /// All the customer paid.
    pub(crate) cents: i64,
}

/// Runs `each` on every purchase, one transaction each, and goes on where an earlier run was stopped.
///
/// How far a pass has come is a key that is written in the same transaction as the purchase: whatever stops the
/// program, each purchase counts exactly once. Returns how many purchases this run worked on.
pub(crate) fn pass(
    store: &Store,
    name: &str,
    purchases: &[Purchase],
    progress: Progress<'_>,
    each: impl Fn(&Transaction, &Purchase) -> Result<()>,
) -> Result<u64> {
    let key = format!("progress:{name}");
    let done = progress_of(&store.kv(), &key)?;
    let mut worked = 0;
    for purchase in purchases.iter().filter(|purchase| purchase.row > done) {
        store.transaction(|tx| {
            each(tx, purchase)?;
            tx.kv().set(&key, purchase.row.to_string())
        })?;
        worked += 1;
        progress(purchase.row);
    }
    Ok(worked)
}

/// The row that the last purchase done has; 0 before the first.
fn progress_of(kv: &Kv, key: &str) -> Result<u64> {
    Ok(kv.increment(key, 0)?.try_into().unwrap_or(0))
}
