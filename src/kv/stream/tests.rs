//! Random operations against slow models, each tried in a transaction that is rolled back before it is done for good.

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

// --- entries ---

#[derive(Clone, Debug)]
enum Op {
    Add { id: NewId, value: u8, only_existing: bool, trim: Option<TrimBy> },
    Trim(TrimBy),
    Delete(Vec<StreamId>),
    SetId(StreamId, Option<u64>, Option<StreamId>),
    Range(Bounds, Option<u64>, bool),
    ReadAfter(StreamId, Option<u64>),
    Info,
}

#[derive(Clone, Debug)]
enum TrimBy {
    Len(u64, Option<u64>),
    Id(StreamId, Option<u64>),
    Unfit,
}

impl TrimBy {
    fn trim(&self) -> Trim {
        let (trim, limit) = match self {
            Self::Len(len, limit) => (Trim::max_len(*len), limit),
            Self::Id(id, limit) => (Trim::min_id(*id), limit),
            Self::Unfit => return Trim::max_len(0).limit(1),
        };
        limit.map_or(trim, |limit| trim.approximate().limit(limit))
    }
}

fn run<S: WriteScope>(stream: &Stream<S>, op: &Op) -> String {
    match op {
        Op::Add { id, value, only_existing, trim } => {
            let mut options = AddOptions::default();
            if *only_existing {
                options = options.only_existing();
            }
            if let Some(trim) = trim {
                options = options.trim(trim.trim());
            }
            show(stream.add_with(*id, [(b"v", [*value])], &options))
        }
        Op::Trim(trim) => show(stream.trim(trim.trim())),
        Op::Delete(ids) => show(stream.remove(ids)),
        Op::SetId(last, added, max_deleted) => show(stream.set_id(*last, *added, *max_deleted)),
        Op::Range(bounds, count, false) => show(stream.range(*bounds, *count).map(|entries| values(&entries))),
        Op::Range(bounds, count, true) => show(stream.reverse_range(*bounds, *count).map(|entries| values(&entries))),
        Op::ReadAfter(id, count) => show(stream.read_after(*id, *count).map(|entries| values(&entries))),
        Op::Info => show(stream.info().map(|info| {
            let edges = [info.first_entry, info.last_entry].map(|entry| values(entry.as_slice()));
            (info.len, info.last_id, info.max_deleted_id, info.entries_added, info.first_id, info.groups, edges)
        })),
    }
}

fn values(entries: &[Entry]) -> Vec<(StreamId, u8)> {
    let value = |entry: &Entry| {
        assert_eq!((entry.fields.len(), &entry.fields[0].0[..]), (1, &b"v"[..]));
        entry.fields[0].1[0]
    };
    entries.iter().map(|entry| (entry.id, value(entry))).collect()
}

/// Obviously right: all entries in a map.
#[derive(Clone, Debug, Default)]
struct Model {
    there: bool,
    entries: BTreeMap<StreamId, u8>,
    last: StreamId,
    max_deleted: StreamId,
    added: u64,
}

impl Model {
    fn run(&mut self, op: &Op, now: u64) -> String {
        self.answer(op, now).unwrap_or_else(ToOwned::to_owned)
    }

    fn answer(&mut self, op: &Op, now: u64) -> Result<String, &'static str> {
        Ok(match op {
            Op::Add { id, value, only_existing, trim } => {
                if matches!(trim, Some(TrimBy::Unfit)) {
                    return Err("syntax error, LIMIT cannot be used without the special ~ option");
                }
                if *id == NewId::Exact(StreamId::MIN) {
                    return Err("The ID specified in XADD must be greater than 0-0");
                }
                if *only_existing && !self.there {
                    return Ok("None".to_owned());
                }
                let id = self.choose(*id, now)?;
                self.entries.insert(id, *value);
                (self.there, self.last, self.added) = (true, id, self.added + 1);
                if let Some(trim) = trim {
                    self.trim(trim);
                }
                format!("{:?}", Some(id))
            }
            Op::Trim(TrimBy::Unfit) => return Err("syntax error, LIMIT cannot be used without the special ~ option"),
            Op::Trim(trim) => format!("{}", self.trim(trim)),
            Op::Delete(ids) => {
                let gone: Vec<_> = ids.iter().filter(|id| self.entries.remove(id).is_some()).collect();
                self.max_deleted = gone.iter().fold(self.max_deleted, |max, id| max.max(**id));
                format!("{}", gone.len())
            }
            Op::SetId(last, added, max_deleted) => {
                let top = self.entries.keys().next_back();
                if max_deleted.is_some_and(|max_deleted| *last < max_deleted) {
                    return Err("The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
                }
                if !self.there {
                    return Err("no stream named \"s\"");
                }
                if *last < self.max_deleted {
                    return Err("The ID specified in XSETID is smaller than current max_deleted_entry_id");
                }
                if top.is_some_and(|top| last < top) {
                    return Err("The ID specified in XSETID is smaller than the target stream top item");
                }
                if added.is_some_and(|added| added < self.entries.len() as u64) {
                    return Err("The entries_added specified in XSETID is smaller than the target stream length");
                }
                (self.last, self.added) = (*last, added.unwrap_or(self.added));
                if let Some(max_deleted) = max_deleted.filter(|max_deleted| *max_deleted > at(0, 0)) {
                    self.max_deleted = max_deleted;
                }
                "()".to_owned()
            }
            Op::Range(bounds, count, reverse) => {
                if bounds.0 == Bound::Excluded(StreamId::MAX) {
                    return Err("invalid start ID for the interval");
                }
                if bounds.1 == Bound::Excluded(StreamId::MIN) {
                    return Err("invalid end ID for the interval");
                }
                let mut found = self.within(*bounds);
                if *reverse {
                    found.reverse();
                }
                format!("{:?}", cut(found, *count))
            }
            Op::ReadAfter(id, count) => {
                format!("{:?}", cut(self.within((Bound::Excluded(*id), Bound::Unbounded)), *count))
            }
            Op::Info if !self.there => return Err("no stream named \"s\""),
            Op::Info => {
                let all = self.within((Bound::Unbounded, Bound::Unbounded));
                let first = all.first().map_or(StreamId::MIN, |(id, _)| *id);
                let edges = [all.first(), all.last()].map(|entry| entry.copied().into_iter().collect::<Vec<_>>());
                format!("{:?}", (all.len(), self.last, self.max_deleted, self.added, first, 0, edges))
            }
        })
    }

    fn within(&self, bounds: Bounds) -> Vec<(StreamId, u8)> {
        self.entries.iter().filter(|(id, _)| bounds.contains(id)).map(|(id, value)| (*id, *value)).collect()
    }

    fn choose(&self, id: NewId, now: u64) -> Result<StreamId, &'static str> {
        if self.last == StreamId::MAX {
            return Err("The stream has exhausted the last possible ID, unable to add more items");
        }
        let chosen = match id {
            NewId::Exact(id) => id,
            NewId::Auto if now > self.last.ms => at(now, 0),
            NewId::Auto if self.last.seq == u64::MAX => at(self.last.ms + 1, 0),
            NewId::Auto => at(self.last.ms, self.last.seq + 1),
            NewId::At(ms) if ms == self.last.ms && self.last.seq < u64::MAX => at(ms, self.last.seq + 1),
            NewId::At(ms) => at(ms, 0),
        };
        if chosen <= self.last {
            return Err("The ID specified in XADD is equal or smaller than the target stream top item");
        }
        Ok(chosen)
    }

    fn trim(&mut self, trim: &TrimBy) -> u64 {
        let mut removed = 0;
        while let Some(first) = self.entries.keys().next().copied() {
            let (over, limit) = match trim {
                TrimBy::Len(len, limit) => (self.entries.len() as u64 > *len, limit),
                TrimBy::Id(id, limit) => (first < *id, limit),
                TrimBy::Unfit => unreachable!("refused before"),
            };
            if !over || limit.is_some_and(|limit| limit > 0 && removed == limit) {
                break;
            }
            self.entries.remove(&first);
            removed += 1;
        }
        removed
    }
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

fn op() -> impl Strategy<Value = Op> {
    let trim = || {
        prop_oneof![
            4 => (0u64..5, count()).prop_map(|(len, limit)| TrimBy::Len(len, limit)),
            4 => (id(), count()).prop_map(|(id, limit)| TrimBy::Id(id, limit)),
            1 => Just(TrimBy::Unfit),
        ]
    };
    let new_id =
        prop_oneof![4 => Just(NewId::Auto), 3 => (0u64..6).prop_map(NewId::At), 3 => id().prop_map(NewId::Exact)];
    let added = prop::option::weighted(0.3, trim());
    prop_oneof![
        10 => (new_id, any::<u8>(), any::<bool>(), added)
            .prop_map(|(id, value, only_existing, trim)| Op::Add { id, value, only_existing, trim }),
        2 => trim().prop_map(Op::Trim),
        3 => prop::collection::vec(id(), 1..4).prop_map(Op::Delete),
        1 => (id(), prop::option::of(0u64..9), prop::option::of(id())).prop_map(|(a, b, c)| Op::SetId(a, b, c)),
        4 => (bounds(), count(), any::<bool>()).prop_map(|(b, c, r)| Op::Range(b, c, r)),
        2 => (id(), count()).prop_map(|(id, count)| Op::ReadAfter(id, count)),
        2 => Just(Op::Info),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_stream_agrees_with_a_map(steps in prop::collection::vec((op(), 0u64..2), 1..50)) {
        let (store, clock) = store_at(0);
        let (mut model, mut now) = (Model::default(), 0);
        for (op, passed) in &steps {
            clock.advance(Duration::from_millis(*passed));
            now += passed;
            let expected = model.run(op, now);
            let outcome = twice(&store, |stream| run(stream, op), |stream| run(stream, op));
            prop_assert_eq!(outcome, expected, "{:?}", op);
            let stream = store.kv().stream("s");
            prop_assert_eq!(stream.len().unwrap(), model.entries.len() as u64);
            prop_assert_eq!(stream.last_id().unwrap(), model.last);
            prop_assert_eq!(store.kv().exists("s").unwrap(), model.there);
        }
        prop_assert_eq!(store.kv().remove("s").unwrap(), model.there);
        prop_assert_eq!(crate::kv::tests::entries(&store), 0);
    }
}

// --- groups ---

/// Consumers are one byte, of which two are used. Times are in milliseconds.
#[derive(Clone, Debug)]
enum Work {
    Add,
    DeleteNth(usize),
    TrimTo(u64),
    Read(u8, Option<u64>, bool),
    Again(u8, StreamId, Option<u64>),
    Acknowledge(Vec<StreamId>),
    Claim { consumer: u8, min_idle: u64, ids: Vec<StreamId>, force: bool, idle: Option<u64>, deliveries: Option<u64> },
    ClaimIds { consumer: u8, min_idle: u64, ids: Vec<StreamId>, force: bool, last_id: Option<StreamId> },
    AutoClaim(u8, u64, StreamId, u64, bool),
    Pending { bounds: Bounds, consumer: Option<u8>, min_idle: u64, limit: u64 },
    SetId(StreamId),
    CreateConsumer(u8),
    DeleteConsumer(u8),
    Renew,
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn work<S: WriteScope>(stream: &Stream<S>, work: &Work) -> String {
    let group = stream.group("g");
    let ids = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    match work {
        Work::Add => show(stream.add(NewId::Auto, [("a", "1")]).map(|_| ())),
        Work::DeleteNth(n) => {
            let all = stream.range(.., None).unwrap();
            show(stream.remove(all.get(*n).map(|entry| entry.id).as_slice()))
        }
        Work::TrimTo(len) => show(stream.trim(Trim::max_len(*len))),
        Work::Read(consumer, count, true) => show(group.read([*consumer], *count).map(ids)),
        Work::Read(consumer, count, false) => show(group.read_acknowledged([*consumer], *count).map(ids)),
        Work::Again(consumer, after, count) => show(
            group
                .read_again([*consumer], *after, *count)
                .map(|entries| entries.into_iter().map(|(id, fields)| (id, fields.is_some())).collect::<Vec<_>>()),
        ),
        Work::Acknowledge(ids) => show(group.acknowledge(ids)),
        Work::Claim { consumer, min_idle, ids: claimed, force, idle, deliveries } => {
            let mut options = ClaimOptions::default();
            options = if *force { options.force() } else { options };
            options = idle.map_or(options.clone(), |idle| options.idle(millis(idle)));
            options = deliveries.map_or(options.clone(), |deliveries| options.deliveries(deliveries));
            show(group.claim([*consumer], millis(*min_idle), claimed, &options).map(ids))
        }
        Work::ClaimIds { consumer, min_idle, ids, force, last_id } => {
            let mut options = ClaimOptions::default();
            options = if *force { options.force() } else { options };
            options = last_id.map_or(options.clone(), |id| options.last_id(id));
            show(group.claim_ids([*consumer], millis(*min_idle), ids, &options))
        }
        Work::AutoClaim(consumer, min_idle, start, count, true) => {
            let outcome = group.auto_claim_ids([*consumer], millis(*min_idle), *start, *count);
            show(outcome.map(|outcome| (outcome.next, outcome.claimed, outcome.deleted)))
        }
        Work::AutoClaim(consumer, min_idle, start, count, false) => {
            let outcome = group.auto_claim([*consumer], millis(*min_idle), *start, *count);
            show(outcome.map(|outcome| (outcome.next, ids(outcome.claimed), outcome.deleted)))
        }
        Work::Pending { bounds, consumer, min_idle, limit } => {
            let mut query = group.pending_entries(*bounds).idle(millis(*min_idle)).limit(*limit);
            query = consumer.map_or(query.clone(), |consumer| query.consumer([consumer]));
            show(query.entries().map(|found| found.iter().map(plain).collect::<Vec<_>>()))
        }
        Work::SetId(id) => show(group.set_id(*id, None)),
        Work::CreateConsumer(consumer) => show(group.create_consumer([*consumer])),
        Work::DeleteConsumer(consumer) => show(group.remove_consumer([*consumer])),
        Work::Renew => show(group.remove().and_then(|_| group.create(StreamId::MIN))),
    }
}

/// Id, consumer, milliseconds idle, deliveries.
fn plain(entry: &PendingEntry) -> (StreamId, u8, u128, u64) {
    (entry.id, entry.consumer[0], entry.idle.as_millis(), entry.deliveries)
}

/// Obviously right: what is pending in one map, walked over for everything.
#[derive(Clone, Debug, Default)]
struct GroupModel {
    now: u64,
    ids: Vec<StreamId>,
    last_added: StreamId,
    last: StreamId,
    /// Consumer, time of delivery, deliveries.
    pending: BTreeMap<StreamId, (u8, u64, u64)>,
    /// Times seen and active.
    consumers: BTreeMap<u8, (u64, Option<u64>)>,
    /// Whether lag can be unknown: an entry was deleted by name, or the group was set to an id.
    uncounted: bool,
    /// Whether the counter is wrong: as in the original, a claim that moves the group leaves it as it is.
    stale: bool,
}

impl GroupModel {
    fn see(&mut self, consumer: u8, active: bool) {
        let (seen, last_active) = self.consumers.entry(consumer).or_default();
        *seen = self.now;
        if active {
            *last_active = Some(self.now);
        }
    }

    fn take(&mut self, id: StreamId, consumer: u8, min_idle: u64, at: u64, deliveries: Option<u64>, more: u64) -> bool {
        let before = self.pending.get(&id).copied();
        if before.is_some_and(|(_, delivered, _)| self.now - delivered < min_idle) {
            return false;
        }
        let counted = before.map_or(1, |(_, _, deliveries)| deliveries) + more;
        self.pending.insert(id, (consumer, at, deliveries.unwrap_or(counted)));
        true
    }

    fn claim(
        &mut self,
        ids: &[StreamId],
        force: bool,
        mut take: impl FnMut(&mut Self, StreamId) -> bool,
    ) -> Vec<StreamId> {
        let mut claimed = Vec::new();
        for id in ids {
            if !self.ids.contains(id) {
                self.pending.remove(id);
            } else if (force || self.pending.contains_key(id)) && take(self, *id) {
                claimed.push(*id);
            }
        }
        claimed
    }

    fn run(&mut self, work: &Work) -> String {
        match work {
            Work::Add => {
                let next = self.last_added.next().unwrap();
                self.last_added = if self.now > self.last_added.ms { at(self.now, 0) } else { next };
                self.ids.push(self.last_added);
                "()".to_owned()
            }
            Work::DeleteNth(n) => {
                let there = *n < self.ids.len();
                if there {
                    self.ids.remove(*n);
                    self.uncounted = true;
                }
                format!("{}", u8::from(there))
            }
            Work::TrimTo(len) => {
                let excess = self.ids.len().saturating_sub(usize::try_from(*len).unwrap());
                self.ids.drain(..excess);
                format!("{excess}")
            }
            Work::Read(consumer, count, keep) => {
                let new = cut(self.ids.iter().copied().filter(|id| *id > self.last).collect(), *count);
                for id in &new {
                    self.last = *id;
                    if *keep {
                        self.pending.insert(*id, (*consumer, self.now, 1));
                    }
                }
                self.see(*consumer, *keep && !new.is_empty());
                format!("{new:?}")
            }
            Work::Again(consumer, after, count) => {
                let mine = self.pending.iter().filter(|(id, (owner, ..))| *id > after && owner == consumer);
                let mine = cut(mine.map(|(id, _)| (*id, self.ids.contains(id))).collect(), *count);
                for (id, _) in mine.iter().filter(|(_, there)| *there) {
                    let (_, delivered, deliveries) = self.pending.get_mut(id).unwrap();
                    (*delivered, *deliveries) = (self.now, *deliveries + 1);
                }
                self.see(*consumer, false);
                format!("{mine:?}")
            }
            Work::Acknowledge(ids) => {
                format!("{}", ids.iter().filter(|id| self.pending.remove(id).is_some()).count())
            }
            Work::Claim { consumer, min_idle, ids, force, idle, deliveries } => {
                let at = idle.and_then(|idle| self.now.checked_sub(idle)).unwrap_or(self.now);
                let claimed =
                    self.claim(ids, *force, |model, id| model.take(id, *consumer, *min_idle, at, *deliveries, 1));
                self.see(*consumer, !claimed.is_empty());
                format!("{claimed:?}")
            }
            Work::ClaimIds { consumer, min_idle, ids, force, last_id } => {
                if let Some(last) = last_id.filter(|last| *last > self.last) {
                    self.last = last;
                    self.stale = true;
                }
                let now = self.now;
                let claimed = self.claim(ids, *force, |model, id| model.take(id, *consumer, *min_idle, now, None, 0));
                self.see(*consumer, !claimed.is_empty());
                format!("{claimed:?}")
            }
            Work::AutoClaim(consumer, min_idle, start, count, just_ids) => {
                self.auto_claim(*consumer, *min_idle, *start, *count, u64::from(!just_ids))
            }
            Work::Pending { bounds, consumer, min_idle, limit } => self.pending(*bounds, *consumer, *min_idle, *limit),
            Work::SetId(id) => {
                self.last = *id;
                (self.uncounted, self.stale) = (true, false);
                "()".to_owned()
            }
            Work::CreateConsumer(consumer) => {
                let new = !self.consumers.contains_key(consumer);
                if new {
                    self.see(*consumer, false);
                }
                format!("{new}")
            }
            Work::DeleteConsumer(consumer) => {
                self.consumers.remove(consumer);
                let before = self.pending.len();
                self.pending.retain(|_, (owner, ..)| owner != consumer);
                format!("{}", before - self.pending.len())
            }
            Work::Renew => {
                self.pending.clear();
                self.consumers.clear();
                self.last = StreamId::MIN;
                self.stale = false;
                "()".to_owned()
            }
        }
    }

    fn auto_claim(&mut self, consumer: u8, min_idle: u64, start: StreamId, count: u64, more: u64) -> String {
        if count == 0 {
            return "COUNT must be > 0".to_owned();
        }
        let (mut next, mut claimed, mut deleted) = (StreamId::MIN, Vec::new(), Vec::new());
        let all: Vec<_> = self.pending.range(start..).map(|(id, _)| *id).collect();
        for (looked_at, id) in all.into_iter().enumerate() {
            if (claimed.len() + deleted.len()) as u64 == count || looked_at as u64 == 10 * count {
                next = id;
                break;
            }
            if !self.ids.contains(&id) {
                self.pending.remove(&id);
                deleted.push(id);
            } else if self.take(id, consumer, min_idle, self.now, None, more) {
                claimed.push(id);
            }
        }
        self.see(consumer, !claimed.is_empty());
        format!("{:?}", (next, claimed, deleted))
    }

    fn pending(&self, bounds: Bounds, consumer: Option<u8>, min_idle: u64, limit: u64) -> String {
        if bounds.0 == Bound::Excluded(StreamId::MAX) {
            return "invalid start ID for the interval".to_owned();
        }
        if bounds.1 == Bound::Excluded(StreamId::MIN) {
            return "invalid end ID for the interval".to_owned();
        }
        let found = self.all_pending().into_iter().filter(|(id, owner, idle, _)| {
            bounds.contains(id) && consumer.is_none_or(|c| c == *owner) && *idle >= u128::from(min_idle)
        });
        format!("{:?}", cut(found.collect(), Some(limit)))
    }

    fn all_pending(&self) -> Vec<(StreamId, u8, u128, u64)> {
        let idle = |delivered: u64| u128::from(self.now - delivered);
        self.pending.iter().map(|(id, (owner, at, deliveries))| (*id, *owner, idle(*at), *deliveries)).collect()
    }

    fn owned(&self, consumer: u8) -> u64 {
        self.pending.values().filter(|(owner, ..)| *owner == consumer).count() as u64
    }

    fn consumers(&self) -> Vec<ConsumerInfo> {
        let ago = |at: u64| millis(self.now - at);
        let info = |(name, (seen, active)): (&u8, &(u64, Option<u64>))| ConsumerInfo {
            name: vec![*name],
            pending: self.owned(*name),
            idle: ago(*seen),
            inactive: active.map(ago),
        };
        self.consumers.iter().map(info).collect()
    }

    /// Asserts that the group is what the model says, and the invariants of the module header.
    fn check(&self, stream: &Stream) {
        let group = stream.group("g");
        let found = group.pending_entries(..).entries().unwrap();
        assert_eq!(found.iter().map(plain).collect::<Vec<_>>(), self.all_pending());
        assert_eq!(group.consumers().unwrap(), self.consumers());
        let summary = PendingSummary {
            count: self.pending.len() as u64,
            first: self.pending.keys().next().copied(),
            last: self.pending.keys().next_back().copied(),
            consumers: self.consumers.keys().map(|c| (vec![*c], self.owned(*c))).filter(|(_, n)| *n > 0).collect(),
        };
        assert_eq!(group.pending().unwrap(), summary);
        let info = stream.groups().unwrap().pop().unwrap();
        assert_eq!((info.last_delivered_id, info.pending), (self.last, summary.count));
        assert_eq!(info.consumers, self.consumers.len() as u64);
        let left = self.ids.iter().filter(|id| **id > self.last).count() as u64;
        assert!(
            self.stale || info.lag == i64::try_from(left).ok() || (self.uncounted && info.lag.is_none()),
            "{left} left, but {info:?}"
        );
        self.check_elements(stream);
    }

    fn check_elements(&self, stream: &Stream) {
        let outcome = stream.read("check", |view, elements, _| {
            let group = group::elements_of(view, elements, b"g")?;
            let mut cursor = view.range(&KeyRange::prefix(group.all()[2]), Direction::Forward)?;
            let mut owned = Vec::new();
            while let Some((key, _)) = cursor.next()? {
                let id = layout::id_of(key)?;
                assert_eq!(key, &*group.owned(&[self.pending[&id].0], id)?);
                owned.push(id);
            }
            owned.sort();
            assert!(owned.iter().eq(self.pending.keys()), "{owned:?}");
            let elements = view.count(&elements.all())?;
            let expected = 1 + self.ids.len() + self.consumers.len() + 2 * self.pending.len();
            assert_eq!(elements, expected as u64);
            Ok(())
        });
        outcome.unwrap();
    }
}

fn some_work() -> impl Strategy<Value = Work> {
    let consumer = || 0u8..2;
    let id = || (1u64..8, 0u64..3).prop_map(|(ms, seq)| at(ms, seq));
    let ids = || prop::collection::vec(id(), 1..8);
    let idle = || 0u64..4;
    prop_oneof![
        8 => Just(Work::Add),
        2 => (0usize..6).prop_map(Work::DeleteNth),
        1 => (0u64..6).prop_map(Work::TrimTo),
        6 => (consumer(), count(), prop::bool::weighted(0.8)).prop_map(|(c, n, keep)| Work::Read(c, n, keep)),
        2 => (consumer(), id(), count()).prop_map(|(c, id, n)| Work::Again(c, id, n)),
        2 => ids().prop_map(Work::Acknowledge),
        3 => (consumer(), idle(), ids(), any::<bool>(), prop::option::of(0u64..9), count()).prop_map(
            |(consumer, min_idle, ids, force, idle, deliveries)|
                Work::Claim { consumer, min_idle, ids, force, idle, deliveries }),
        2 => (consumer(), idle(), ids(), any::<bool>(), prop::option::weighted(0.2, id())).prop_map(
            |(consumer, min_idle, ids, force, last_id)| Work::ClaimIds { consumer, min_idle, ids, force, last_id }),
        3 => (consumer(), idle(), id(), 0u64..4, any::<bool>())
            .prop_map(|(c, idle, id, n, ids)| Work::AutoClaim(c, idle, id, n, ids)),
        2 => (bounds(), prop::option::of(consumer()), idle(), 0u64..5).prop_map(
            |(bounds, consumer, min_idle, limit)| Work::Pending { bounds, consumer, min_idle, limit }),
        1 => id().prop_map(Work::SetId),
        1 => consumer().prop_map(Work::CreateConsumer),
        1 => consumer().prop_map(Work::DeleteConsumer),
        1 => Just(Work::Renew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_group_agrees_with_a_map_of_what_is_pending(steps in prop::collection::vec((some_work(), 0u64..3), 1..50)) {
        let (store, clock) = store_at(1);
        store.kv().stream("s").group("g").create_with(StreamId::MIN, GroupOptions::default().make_stream()).unwrap();
        let mut model = GroupModel { now: 1, ..GroupModel::default() };
        for (next, passed) in &steps {
            let passed = passed.saturating_sub(1);
            clock.advance(millis(passed));
            model.now += passed;
            let expected = model.run(next);
            let outcome = twice(&store, |stream| work(stream, next), |stream| work(stream, next));
            prop_assert_eq!(outcome, expected, "{:?}", next);
            model.check(&store.kv().stream("s"));
        }
        prop_assert!(store.kv().remove("s").unwrap());
        prop_assert_eq!(crate::kv::tests::entries(&store), 0);
    }
}

// --- cases ---

#[test]
fn what_is_missing_is_named_by_kind_and_name() {
    fn missing<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (&'static str, String) {
        match outcome {
            Err(Error::NotFound { what, name }) => (what, name),
            other => panic!("{other:?}"),
        }
    }
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    let group = stream.group("g");
    let outcomes = || {
        [
            missing(group.set_id(Start::End, None)),
            missing(group.create_consumer("c")),
            missing(group.remove_consumer("c")),
            missing(group.consumers()),
            missing(group.read("c", None)),
            missing(group.pending()),
            missing(group.pending_entries(..).entries()),
            missing(group.claim("c", Duration::ZERO, [], &ClaimOptions::default())),
            missing(group.auto_claim("c", Duration::ZERO, StreamId::MIN, 1)),
        ]
    };
    let no_stream = ("stream", "s".to_owned());
    assert!(outcomes().iter().all(|outcome| *outcome == no_stream), "{:?}", outcomes());
    for outcome in [missing(group.create(Start::End)), missing(group.remove()), missing(stream.groups())] {
        assert_eq!(outcome, no_stream);
    }
    assert_eq!(group.acknowledge([at(1, 0)]).unwrap(), 0);
    assert!(!store.kv().exists("s").unwrap(), "a refusal makes no key");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    assert!(outcomes().iter().all(|outcome| *outcome == ("consumer group", "g".to_owned())), "{:?}", outcomes());
    assert!(!group.remove().unwrap());
    group.create(Start::End).unwrap();
    assert!(matches!(
        group.create(Start::End),
        Err(Error::AlreadyExists { what: "consumer group", name }) if name == "g"
    ));
}

#[test]
fn a_key_holds_one_kind() {
    let kv = Store::in_memory().kv();
    kv.set("k", "text").unwrap();
    let wrong = |error: Error| matches!(error, Error::WrongType { expected: "stream", found: "string", .. });
    assert!(wrong(kv.stream("k").add(NewId::Auto, [("a", "1")]).unwrap_err()));
    assert!(wrong(kv.stream("k").len().unwrap_err()));
    assert!(wrong(kv.stream("k").group("g").create(Start::End).unwrap_err()));
    assert!(wrong(kv.stream("k").group("g").acknowledge([]).unwrap_err()));
    kv.stream("s").add(NewId::Auto, [("a", "1")]).unwrap();
    assert!(matches!(kv.sorted_set("s").len(), Err(Error::WrongType { found: "stream", .. })));
    assert!(matches!(kv.get("s"), Err(Error::WrongType { found: "stream", .. })));
}

#[test]
fn a_stream_is_replaced_and_expires_with_all_that_is_in_it() {
    let (store, clock) = store_at(1);
    let kv = store.kv();
    let fill = || {
        kv.stream("s").add(NewId::Auto, [("a", "1")]).unwrap();
        kv.stream("s").group("g").create(StreamId::MIN).unwrap();
        kv.stream("s").group("g").read("c", None).unwrap();
    };
    fill();
    kv.set("s", "text").unwrap();
    assert_eq!(crate::kv::tests::entries(&store), 1);
    kv.remove("s").unwrap();
    fill();
    kv.expire("s", millis(5)).unwrap();
    kv.stream("s").add(NewId::Auto, [("a", "2")]).unwrap();
    assert!(matches!(kv.ttl("s").unwrap(), crate::kv::Ttl::Expires(left) if left == millis(5)), "adding keeps it");
    clock.advance(millis(5));
    assert_eq!((kv.stream("s").len().unwrap(), kv.stream("s").last_id().unwrap()), (0, StreamId::MIN));
    assert!(kv.stream("s").group("g").pending().is_err());
    assert_eq!(kv.stream("s").add(at(1, 0), [("a", "3")]).unwrap(), at(1, 0), "the last id is forgotten");
    assert_eq!(crate::kv::tests::entries(&store), 2);
}

#[test]
fn a_group_knows_its_lag_again_when_it_is_past_the_gap() {
    let stream = Store::in_memory().kv().stream("s");
    for ms in 1..=5 {
        stream.add(at(ms, 0), [("a", "1")]).unwrap();
    }
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    let counters = || {
        let info = stream.groups().unwrap().pop().unwrap();
        (info.entries_read, info.lag)
    };
    assert_eq!(counters(), (None, Some(5)));
    group.read("c", Some(2)).unwrap();
    assert_eq!(counters(), (Some(2), Some(3)));
    stream.remove([at(4, 0)]).unwrap();
    assert_eq!(counters(), (Some(2), None), "one of those to come is gone");
    group.read("c", Some(1)).unwrap();
    assert_eq!(counters(), (None, None));
    group.read("c", Some(1)).unwrap();
    assert_eq!(counters(), (Some(5), Some(0)));
    stream.add(at(6, 0), [("a", "1")]).unwrap();
    assert_eq!(counters(), (Some(5), Some(1)));
    group.set_id(at(3, 0), Some(3)).unwrap();
    assert_eq!(counters(), (Some(3), None));
}

#[test]
fn lag_is_negative_when_more_is_said_to_be_read_than_there_is() {
    let stream = Store::in_memory().kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create_with(Start::After(at(1, 0)), GroupOptions::default().entries_read(7)).unwrap();
    let info = stream.groups().unwrap().pop().unwrap();
    assert_eq!((info.entries_read, info.lag), (Some(7), Some(-6)));
}

#[test]
fn fields_keep_their_order_and_may_repeat() {
    let stream = Store::in_memory().kv().stream("s");
    let fields = [("b", "1"), ("a", ""), ("b", "2"), ("", "3")];
    stream.add(at(1, 0), fields).unwrap();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let expected: Fields = fields.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
    assert_eq!(stream.range(.., None).unwrap(), [Entry { id: at(1, 0), fields: expected }]);
    let none: [(&str, &str); 0] = [];
    assert!(stream.add(at(2, 0), none).is_err());
}

#[test]
fn an_entry_of_one_stream_is_not_in_another() {
    let kv = Store::in_memory().kv();
    for key in [&b"s"[..], b"s\0", b"", b"\0"] {
        kv.stream(key).add(at(1, 0), [(key, key)]).unwrap();
        kv.stream(key).group(key).create(StreamId::MIN).unwrap();
    }
    for key in [&b"s"[..], b"s\0", b"", b"\0"] {
        assert_eq!(kv.stream(key).range(.., None).unwrap()[0].fields, [(key.to_vec(), key.to_vec())]);
        assert_eq!(kv.stream(key).groups().unwrap().len(), 1);
    }
}

#[test]
fn names_are_limited() {
    let stream = Store::in_memory().kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    let long = vec![b'x'; limits::GROUP_NAME_BYTES_MAX + 1];
    let too_long = |error: Error| matches!(error, Error::LimitExceeded { .. });
    assert!(too_long(stream.group(&long).create(Start::End).unwrap_err()));
    assert!(too_long(stream.group(&long).pending().unwrap_err()));
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    assert!(too_long(group.read(&long, None).unwrap_err()));
    assert!(too_long(group.create_consumer(&long).unwrap_err()));
    assert!(too_long(group.claim(&long, Duration::ZERO, [], &ClaimOptions::default()).unwrap_err()));
    assert!(too_long(group.auto_claim(&long, Duration::ZERO, StreamId::MIN, 1).unwrap_err()));
    assert!(too_long(group.pending_entries(..).consumer(&long).entries().unwrap_err()));
    let longest = &long[1..];
    let deepest = stream.group(longest);
    deepest.create(StreamId::MIN).unwrap();
    assert_eq!(deepest.read(longest, None).unwrap().len(), 1);
    assert_eq!(deepest.remove_consumer(longest).unwrap(), 1);
}

#[test]
fn a_claim_counts_time_as_it_is_told() {
    let (store, _) = store_at(1_000);
    let stream = store.kv().stream("s");
    let id = stream.add(NewId::Auto, [("a", "1")]).unwrap();
    let group = stream.group("g");
    group.create(StreamId::MIN).unwrap();
    let time = |ms| ClaimOptions::default().force().time(Timestamp::from_millis(ms));
    for (options, idle) in [
        (time(400), 600),
        (time(1_001), 0),
        (time(-1), 0),
        (ClaimOptions::default().idle(millis(1_000)), 1_000),
        (ClaimOptions::default().idle(millis(1_001)), 0),
        (ClaimOptions::default().idle(Duration::MAX), 0),
    ] {
        assert_eq!(group.claim_ids("c", Duration::ZERO, [id], &options).unwrap(), [id]);
        assert_eq!(group.pending_entries(..).entries().unwrap()[0].idle, millis(idle), "{options:?}");
    }
}

#[test]
fn an_automatic_claim_looks_at_ten_entries_for_each_it_may_take() {
    let (store, clock) = store_at(1);
    let stream = store.kv().stream("s");
    let group = stream.group("g");
    group.create_with(StreamId::MIN, GroupOptions::default().make_stream()).unwrap();
    for ms in 1..=30 {
        stream.add(at(ms, 0), [("a", "1")]).unwrap();
    }
    group.read("c", None).unwrap();
    clock.advance(millis(10));
    group.read_again("c", StreamId::MIN, Some(15)).unwrap();
    let outcome = group.auto_claim_ids("d", millis(1), StreamId::MIN, 1).unwrap();
    assert_eq!((outcome.next, outcome.claimed), (at(11, 0), vec![]));
    let outcome = group.auto_claim_ids("d", millis(1), outcome.next, 1).unwrap();
    assert_eq!((outcome.next, outcome.claimed), (at(17, 0), vec![at(16, 0)]));
}

#[test]
fn a_snapshot_reads_a_stream_as_it_was() {
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    let snapshot = store.snapshot().unwrap();
    stream.group("g").read("c", None).unwrap();
    stream.trim(Trim::max_len(0)).unwrap();
    let before = snapshot.kv().stream("s");
    assert_eq!((before.len().unwrap(), before.group("g").pending().unwrap().count), (1, 0));
}

#[test]
fn readers_of_one_group_conflict() {
    let store = Store::in_memory();
    let stream = store.kv().stream("s");
    stream.add(at(1, 0), [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    let (one, two) = (store.begin().unwrap(), store.begin().unwrap());
    assert_eq!(one.kv().stream("s").group("g").read("c", None).unwrap().len(), 1);
    assert_eq!(two.kv().stream("s").group("g").read("d", None).unwrap().len(), 1);
    one.commit().unwrap();
    assert!(two.commit().unwrap_err().is_retryable(), "an entry is delivered once");
}

#[test]
fn every_element_is_below_its_stream() {
    let (store, _) = store_at(1);
    let stream = store.kv().stream("s");
    stream.add(NewId::Auto, [("a", "1")]).unwrap();
    stream.group("g").create(StreamId::MIN).unwrap();
    stream.group("g").read("c", None).unwrap();
    let found = stream.read("check", |view, elements, _| {
        let everything = view.count(&KeyRange::all())?;
        Ok((everything, view.count(&elements.all())?))
    });
    assert_eq!(found.unwrap(), Some((7, 5)), "the block of ids; head; entry, group, consumer, pending and owned");
}
