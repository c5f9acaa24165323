//! Shards: which records of a stream belong together.
//!
//! A stream has as many shards at a time as the service has partitions for what the table declares: each has the items
//! of an equal part of all hashes. Every four hours each is closed and has one child, of the same part. So what shards
//! there are follows from when the stream was switched on, and nothing is stored of them.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::item::definition::StreamRecord;
use crate::item::request::Shard;
use crate::item::{Fault, RequestFault};

/// How long a shard takes records.
const SHARD_MICROS: i64 = 4 * 3_600 * 1_000_000;

/// How long records are kept.
pub(super) const KEPT_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// What sequence numbers are counted from: they have 21 digits then, whatever the clock says.
const NUMBER_BASE: i128 = 400_000_000_000_000_000_000;

/// Begins the name of every shard.
const SHARD_ID: &str = "shardId-";

/// A stream, and when it was switched off.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    pub(super) stream: StreamRecord,
    pub(super) until: Option<i64>,
}

/// A shard: a part of all hashes, and the numbers that its records may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) start: i64,
    /// The first number that is not one of it.
    pub(super) end: i64,
    /// Whether it may still take records.
    pub(super) is_open: bool,
}

impl Part {
    pub(super) fn id(&self) -> String {
        format!("{SHARD_ID}{:020}-{:08x}", i128::from(self.start) + NUMBER_BASE / 10, self.number)
    }
}

/// The part of all hashes, of so many, that `hash` is in.
pub(super) fn part_of(hash: u32, parts: u32) -> u32 {
    u32::try_from((u64::from(hash) * u64::from(parts.max(1))) >> 32).unwrap_or(0)
}

/// A sequence number as it is shown.
pub(super) fn show(number: i64) -> String {
    (NUMBER_BASE + i128::from(number)).to_string()
}

/// The number that is shown so.
///
/// # Errors
/// For what is shown of no record.
pub(super) fn parse(text: &str) -> Result<i64> {
    let number = text.parse::<i128>().ok().and_then(|number| i64::try_from(number - NUMBER_BASE).ok());
    number.ok_or_else(|| RequestFault::other(format!("Invalid SequenceNumber: {text}")))
}

impl Lifetime {
    /// Every shard that has records, or may get some, at `now`: the parts of one generation after the other, oldest first.
    pub(super) fn parts(&self, now: Timestamp) -> Vec<Part> {
        let horizon = now.as_micros().saturating_sub(KEPT_MICROS);
        let mut start = self.stream.since;
        let end = self.until.unwrap_or(i64::MAX);
        // Those before are past; where the first begins is kept, so that names do not change.
        let skipped = generation(horizon);
        if generation(start) < skipped {
            start = skipped.saturating_mul(SHARD_MICROS);
        }
        let mut parts = Vec::new();
        while start < end && (start <= now.as_micros() || parts.is_empty()) {
            let next = generation(start).saturating_add(1).saturating_mul(SHARD_MICROS);
            // The next number is never before the clock: a generation takes records until the clock is behind it.
            let is_open = self.until.is_none() && now.as_micros() < next;
            parts.extend((0..self.stream.shards).map(|number| Part { number, start, end: next.min(end), is_open }));
            start = next;
        }
        parts
    }

    /// The shard named `id`.
    ///
    /// # Errors
    /// When there is none, or none any more.
    pub(super) fn part_named(&self, id: &str, now: Timestamp) -> Result<Part> {
        let found = self.parts(now).into_iter().find(|part| part.id() == id);
        found.ok_or_else(|| not_found(id))
    }

    /// What is said of `part`.
    pub(super) fn describe(&self, part: Part) -> Shard {
        let parent = (part.start > self.stream.since).then(|| {
            let before = part.start.saturating_sub(SHARD_MICROS).max(self.stream.since);
            Part { start: before, ..part }.id()
        });
        Shard {
            shard_id: part.id(),
            starting_sequence_number: show(part.start),
            ending_sequence_number: (!part.is_open).then(|| show(part.end.saturating_sub(1))),
            parent_shard_id: parent,
        }
    }
}

fn generation(number: i64) -> i64 {
    number.div_euclid(SHARD_MICROS)
}

fn not_found(id: &str) -> Error {
    let resource = Some(format!("Shard does not exist: {id}"));
    Fault::ResourceNotFound { resource }.into_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * 1_000_000;

    fn stream(since: i64, shards: u32) -> Lifetime {
        Lifetime { stream: StreamRecord { id: 1, view: 0, since, shards }, until: None }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(hours * HOUR)
    }

    #[test] // SEM: ITM-STR-1
    fn shards_follow_each_other_without_a_gap_and_name_their_parents() {
        let stream = stream(3 * HOUR, 2);
        let parts = stream.parts(at(9));
        let described: Vec<_> = parts.iter().map(|part| stream.describe(*part)).collect();
        assert_eq!(
            parts.iter().map(|part| (part.number, part.start / HOUR, part.is_open)).collect::<Vec<_>>(),
            [(0, 3, false), (1, 3, false), (0, 4, false), (1, 4, false), (0, 8, true), (1, 8, true),]
        );
        assert_eq!(described[0].parent_shard_id, None);
        assert_eq!(described[3].parent_shard_id.as_ref(), Some(&described[1].shard_id));
        assert_eq!(described[4].parent_shard_id.as_ref(), Some(&described[2].shard_id));
        assert!(described.iter().all(|shard| shard.shard_id.len() >= 28 && shard.starting_sequence_number.len() >= 21));
        assert!(described[4].ending_sequence_number.is_none() && described[3].ending_sequence_number.is_some());
        for (one, next) in parts.iter().zip(parts.iter().skip(2)) {
            assert_eq!(one.end, next.start);
        }
    }

    #[test] // SEM: ITM-STR-1
    fn a_shard_is_there_as_long_as_one_of_its_records_may_be() {
        let stream = stream(0, 1);
        let first = stream.parts(at(0))[0].id();
        assert!(stream.part_named(&first, at(27)).is_ok());
        assert!(stream.part_named(&first, at(28)).is_err(), "its last record would be a day old");
        assert!(stream.parts(at(1_000)).len() <= 7);
        let closed = Lifetime { until: Some(HOUR), ..stream };
        assert!(closed.parts(at(2)).iter().all(|part| !part.is_open && part.end == HOUR));
    }

    #[test]
    fn every_hash_has_one_part_and_numbers_come_back() {
        assert_eq!([0, u32::MAX / 2, u32::MAX / 2 + 1, u32::MAX].map(|hash| part_of(hash, 2)), [0, 0, 1, 1]);
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(parse(&show(number)).unwrap(), number);
            assert!(show(number).len() >= 21);
        }
        assert!(parse("").is_err() && parse("7").is_err() && parse("x").is_err());
    }
}
