//! Random operations against slow models, each tried in a transaction that is rolled back before it is done for good, and
//! single cases.

mod cases;
mod entries;
mod groups;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use proptest::prelude::*;

use super::layout::Bounds;
use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::engine::{Direction, KeyRange};
use crate::{InTransaction, Store, limits};

fn at(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn show<T: Debug>(outcome: Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error @ (Error::Invalid { kind: InvalidKind::Value, .. } | Error::NotFound { .. })) => error.to_string(),
        Err(other) => panic!("{other}"),
    }
}

fn store_at(millis: i64) -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(millis));
    (Store::builder().clock(clock.clone()).in_memory(), clock)
}

/// Runs an operation in a transaction that is rolled back, then for good, and returns what both came to.
fn twice(
    store: &Store,
    tried: impl Fn(&Stream<InTransaction<'_>>) -> String,
    done: impl Fn(&Stream) -> String,
) -> String {
    let mut outcome = String::new();
    let rolled_back = store.transaction(|tx| {
        outcome = tried(&tx.kv().stream("s"));
        Err::<(), _>(Error::application("rolled back"))
    });
    assert!(rolled_back.is_err());
    assert_eq!(done(&store.kv().stream("s")), outcome);
    outcome
}

fn values(entries: &[Entry]) -> Vec<(StreamId, u8)> {
    let value = |entry: &Entry| {
        assert_eq!((entry.fields.len(), &entry.fields[0].0[..]), (1, &b"v"[..]));
        entry.fields[0].1[0]
    };
    entries.iter().map(|entry| (entry.id, value(entry))).collect()
}

fn cut<T>(mut items: Vec<T>, count: Option<u64>) -> Vec<T> {
    items.truncate(count.map_or(usize::MAX, |count| usize::try_from(count).unwrap()));
    items
}

fn id() -> impl Strategy<Value = StreamId> {
    let seq = || prop_oneof![12 => 0u64..3, 1 => Just(u64::MAX)];
    prop_oneof![
        20 => (0u64..6, seq()).prop_map(|(ms, seq)| at(ms, seq)),
        1 => Just(StreamId::MIN),
        1 => Just(StreamId::MAX),
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let bound = || prop_oneof![Just(Bound::Unbounded), id().prop_map(Bound::Included), id().prop_map(Bound::Excluded)];
    (bound(), bound())
}

fn count() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(0u64..4)
}
