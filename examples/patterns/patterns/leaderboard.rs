//! Pattern 5: a leaderboard.

use larder::{Result, SortedSet, Store, WriteScope};

use super::{Progress, Total, pass};
use crate::purchases::Purchase;

/// The sorted set.
pub(crate) const KEY: &str = "leaderboard";

/// Adds a purchase to its customer's score. Scores are cents: whole numbers, exact far beyond any customer's total.
pub(crate) fn add<S: WriteScope>(leaderboard: &SortedSet<S>, purchase: &Purchase) -> Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "cents of one purchase are far below 2^53")]
    leaderboard.increment(&purchase.user_id, purchase.cents as f64).map(drop)
}

/// Adds every purchase, duplicates of a day too, and returns how many this run added.
pub(crate) fn load(store: &Store, purchases: &[Purchase], progress: Progress<'_>) -> Result<u64> {
    pass(store, "leaderboard", purchases, progress, |tx, purchase| add(&tx.kv().sorted_set(KEY), purchase))
}

/// The best `n` customers, best first.
pub(crate) fn top(store: &Store, n: u64) -> Result<Vec<Total>> {
    let best = store.kv().sorted_set(KEY).top(n)?;
    Ok(best.into_iter().map(|(member, score)| total(&member, score)).collect())
}

/// Place of a customer, from 1.
pub(crate) fn place(store: &Store, user_id: &str) -> Result<Option<u64>> {
    Ok(store.kv().sorted_set(KEY).reverse_rank(user_id)?.map(|rank| rank + 1))
}

#[expect(clippy::cast_possible_truncation, reason = "scores are whole cents")]
fn total(member: &[u8], score: f64) -> Total {
    Total { user_id: String::from_utf8_lossy(member).into_owned(), cents: score as i64 }
}
