//! Iterators of shards, as the text that a client keeps.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::item::{Fault, RequestFault};

/// How long an iterator can be used.
const LIFETIME_MICROS: i64 = 15 * 60 * 1_000_000;

/// A place in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardIterator {
    pub(super) stream_arn: String,
    pub(super) shard_id: String,
    /// The number from which to go on.
    pub(super) next: i64,
}

impl ShardIterator {
    /// The text of it, given out at `now`.
    pub(super) fn show(&self, now: Timestamp) -> String {
        let Self { stream_arn, shard_id, next } = self;
        format!("{stream_arn}|{shard_id}|{next}|{}", now.as_micros().saturating_add(LIFETIME_MICROS))
    }

    /// The iterator of a text that is used at `now`.
    ///
    /// # Errors
    /// For what is none, and for one that is too old.
    pub(super) fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let mut parts = text.splitn(4, '|');
        let (arn, shard) = (parts.next(), parts.next());
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let (next, end) = (number(), number());
        let (Some(arn), Some(shard), Some(next), Some(end)) = (arn, shard, next, end) else { return Err(invalid()) };
        if end < now.as_micros() {
            return Err(Fault::ExpiredIterator.into_error());
        }
        Ok(Self { stream_arn: arn.to_owned(), shard_id: shard.to_owned(), next })
    }
}

fn invalid() -> Error {
    RequestFault::other("Invalid ShardIterator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // SEM: ITM-STR-1
    fn an_iterator_can_be_used_for_fifteen_minutes() {
        let at = |minutes: i64| Timestamp::from_seconds(minutes * 60);
        let iterator = ShardIterator { stream_arn: "a:b/c".into(), shard_id: "s".into(), next: -5 };
        let text = iterator.show(at(1));
        assert_eq!(ShardIterator::parse(&text, at(16)).unwrap(), iterator);
        let late = ShardIterator::parse(&text, Timestamp::from_micros(at(16).as_micros() + 1)).unwrap_err();
        assert_eq!(late.item_fault(), Some(&Fault::ExpiredIterator));
        for wrong in ["", "a", "a|b|c|d", "a|b|1", "€|||"] {
            assert!(ShardIterator::parse(wrong, at(0)).is_err(), "{wrong}");
        }
    }
}
