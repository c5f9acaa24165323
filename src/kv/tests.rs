//! Random operations against a slow model, with the invariants of the module header checked after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use proptest::prelude::*;

use super::layout::{Elements, decode_score};
use super::record::{Head, Kind};
use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::encoding::owner;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, InvalidKind, Result};
use crate::txn::{Scope, View, WriteScope};
use crate::{Store, expiry};

/// Keys and members are one byte, of which few are used, so that they meet.
#[derive(Clone, Debug)]
enum Op {
    Get(u8),
    Exists(u8),
    Ttl(u8),
    Keys,
    Set(u8, &'static str),
    SetWithTtl(u8, &'static str, u64),
    IncrBy(u8, i64),
    Expire(u8, u64),
    ExpireAt(u8, i64),
    Persist(u8),
    Delete(u8),
    Add(u8, u8, f64),
    Increment(u8, u8, f64),
    Remove(u8, u8),
    Score(u8, u8),
    Rank(u8, u8),
    ReverseRank(u8, u8),
    Len(u8),
    Range(u8, i64, i64),
    ReverseRange(u8, i64, i64),
    ByScore(u8, (Bound<f64>, Bound<f64>), bool, u64, u64),
    CountByScore(u8, (Bound<f64>, Bound<f64>)),
}

/// What happens between two looks at the invariants.
#[derive(Clone, Debug)]
enum Step {
    Alone(Op),
    Transaction { ops: Vec<Op>, commit: bool },
    Optimistic { ops: Vec<Op>, commit: bool },
    Advance(u64),
    Sweep,
}

/// Runs `op` and shows how it ended; times are in milliseconds.
fn run<S: WriteScope>(kv: &Kv<S>, op: &Op) -> String {
    let ttl = |millis: &u64| Duration::from_millis(*millis);
    let set = |key: &u8| kv.sorted_set([*key]);
    match op {
        Op::Get(k) => show(kv.get([*k])),
        Op::Exists(k) => show(kv.exists([*k])),
        Op::Ttl(k) => show(kv.ttl([*k])),
        Op::Keys => show(kv.keys_matching("[^\u{1}]")),
        Op::Set(k, v) => show(kv.set([*k], v)),
        Op::SetWithTtl(k, v, t) => show(kv.set_with_ttl([*k], v, ttl(t))),
        Op::IncrBy(k, by) => show(kv.increment([*k], *by)),
        Op::Expire(k, t) => show(kv.expire([*k], ttl(t))),
        Op::ExpireAt(k, at) => show(kv.expire_at([*k], Timestamp::from_millis(*at))),
        Op::Persist(k) => show(kv.persist([*k])),
        Op::Delete(k) => show(kv.remove([*k])),
        Op::Add(k, m, s) => show(set(k).add([*m], *s)),
        Op::Increment(k, m, s) => show(set(k).increment([*m], *s)),
        Op::Remove(k, m) => show(set(k).remove([*m])),
        Op::Score(k, m) => show(set(k).score([*m])),
        Op::Rank(k, m) => show(set(k).rank([*m])),
        Op::ReverseRank(k, m) => show(set(k).reverse_rank([*m])),
        Op::Len(k) => show(set(k).len()),
        Op::Range(k, start, stop) => show(set(k).range(*start, *stop)),
        Op::ReverseRange(k, start, stop) => show(set(k).reverse_range(*start, *stop)),
        Op::ByScore(k, bounds, reverse, offset, limit) => {
            let set = set(k);
            let query = set.by_score(*bounds).offset(*offset).limit(*limit);
            show(if *reverse { query.reverse() } else { query }.entries())
        }
        Op::CountByScore(k, bounds) => show(set(k).count_by_score(*bounds)),
    }
}

fn show<T: Debug>(outcome: Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(Error::WrongType { .. }) => "wrong type".to_owned(),
        Err(Error::Invalid { kind, .. }) => format!("{kind:?}"),
        Err(other) => panic!("{other}"),
    }
}

#[derive(Clone, Debug)]
enum Held {
    Text(Vec<u8>),
    Set(BTreeMap<u8, f64>),
}

/// Obviously right: everything in one map, sorted when asked for, expired before each operation.
#[derive(Clone, Debug, Default)]
struct Model {
    now: i64,
    keys: BTreeMap<u8, (Held, Option<i64>)>,
}

const WRONG_TYPE: &str = "wrong type";

fn invalid(kind: InvalidKind) -> String {
    format!("{kind:?}")
}

impl Model {
    fn run(&mut self, op: &Op) -> String {
        let now = self.now;
        self.keys.retain(|_, (_, deadline)| deadline.is_none_or(|deadline| now < deadline));
        self.answer(op).unwrap_or_else(|error| error)
    }

    fn text(&self, key: u8) -> Result<Option<Vec<u8>>, String> {
        match self.keys.get(&key) {
            Some((Held::Text(text), _)) => Ok(Some(text.clone())),
            Some(_) => Err(WRONG_TYPE.to_owned()),
            None => Ok(None),
        }
    }

    /// Members by score, then bytes.
    fn sorted(&self, key: u8) -> Result<Vec<(Vec<u8>, f64)>, String> {
        match self.keys.get(&key) {
            Some((Held::Set(set), _)) => {
                let mut members: Vec<_> = set.iter().map(|(member, score)| (vec![*member], *score)).collect();
                members.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then(a.0.cmp(&b.0)));
                Ok(members)
            }
            Some(_) => Err(WRONG_TYPE.to_owned()),
            None => Ok(Vec::new()),
        }
    }

    fn score(&self, key: u8, member: u8) -> Result<Option<f64>, String> {
        Ok(self.sorted(key)?.iter().find(|(m, _)| *m == [member]).map(|(_, score)| *score))
    }

    fn put_score(&mut self, key: u8, member: u8, score: f64) {
        let (held, _) = self.keys.entry(key).or_insert((Held::Set(BTreeMap::new()), None));
        let Held::Set(set) = held else { unreachable!("checked before") };
        set.insert(member, score + 0.0);
    }

    fn set_deadline(&mut self, key: u8, deadline: i64) -> bool {
        match self.keys.get_mut(&key) {
            None => false,
            Some((_, old)) => {
                *old = Some(deadline);
                if deadline <= self.now {
                    self.keys.remove(&key);
                }
                true
            }
        }
    }

    fn answer(&mut self, op: &Op) -> Result<String, String> {
        let value_error = || invalid(InvalidKind::Value);
        Ok(match op {
            Op::Get(k) => format!("{:?}", self.text(*k)?),
            Op::Exists(k) => format!("{:?}", self.keys.contains_key(k)),
            Op::Ttl(k) => match self.keys.get(k) {
                None => "Missing".to_owned(),
                Some((_, None)) => "Persistent".to_owned(),
                Some((_, Some(deadline))) => {
                    format!("Expires({:?})", Duration::from_millis((deadline - self.now).unsigned_abs()))
                }
            },
            Op::Keys => format!("{:?}", self.keys.keys().filter(|k| **k != 1).map(|k| vec![*k]).collect::<Vec<_>>()),
            Op::Set(k, v) => {
                self.keys.insert(*k, (Held::Text(v.as_bytes().to_vec()), None));
                "()".to_owned()
            }
            Op::SetWithTtl(_, _, 0) => return Err(value_error()),
            Op::SetWithTtl(k, v, t) => {
                self.keys.insert(*k, (Held::Text(v.as_bytes().to_vec()), Some(self.now + t.cast_signed())));
                "()".to_owned()
            }
            Op::IncrBy(k, by) => {
                let text = self.text(*k)?.unwrap_or_else(|| b"0".to_vec());
                let number: i64 =
                    std::str::from_utf8(&text).unwrap().parse().map_err(|_| invalid(InvalidKind::Type))?;
                let sum = number.checked_add(*by).ok_or_else(|| invalid(InvalidKind::Overflow))?;
                let deadline = self.keys.get(k).and_then(|(_, deadline)| *deadline);
                self.keys.insert(*k, (Held::Text(sum.to_string().into_bytes()), deadline));
                format!("{sum}")
            }
            Op::Expire(k, t) => format!("{:?}", self.set_deadline(*k, self.now + t.cast_signed())),
            Op::ExpireAt(k, at) => format!("{:?}", self.set_deadline(*k, *at)),
            Op::Persist(k) => {
                let deadline = self.keys.get_mut(k).and_then(|(_, deadline)| deadline.take());
                format!("{:?}", deadline.is_some())
            }
            Op::Delete(k) => format!("{:?}", self.keys.remove(k).is_some()),
            Op::Add(k, m, s) => {
                let before = self.score(*k, *m)?;
                if s.is_nan() {
                    return Err(value_error());
                }
                self.put_score(*k, *m, *s);
                format!("{:?}", before.is_none())
            }
            Op::Increment(_, _, by) if by.is_nan() => return Err(value_error()),
            Op::Increment(k, m, by) => {
                let sum = self.score(*k, *m)?.unwrap_or(0.0) + by + 0.0;
                if sum.is_nan() {
                    return Err(value_error());
                }
                self.put_score(*k, *m, sum);
                format!("{sum:?}")
            }
            Op::Remove(k, m) => {
                let before = self.score(*k, *m)?;
                if let Some((Held::Set(set), _)) = self.keys.get_mut(k) {
                    set.remove(m);
                    if set.is_empty() {
                        self.keys.remove(k);
                    }
                }
                format!("{:?}", before.is_some())
            }
            Op::Score(k, m) => format!("{:?}", self.score(*k, *m)?),
            Op::Rank(k, m) => {
                let sorted = self.sorted(*k)?;
                format!("{:?}", sorted.iter().position(|(member, _)| *member == [*m]))
            }
            Op::ReverseRank(k, m) => {
                let sorted = self.sorted(*k)?;
                format!("{:?}", sorted.iter().rev().position(|(member, _)| *member == [*m]))
            }
            Op::Len(k) => format!("{:?}", self.sorted(*k)?.len()),
            Op::Range(k, start, stop) => format!("{:?}", by_rank(&self.sorted(*k)?, *start, *stop)),
            Op::ReverseRange(k, start, stop) => {
                let mut sorted = self.sorted(*k)?;
                sorted.reverse();
                format!("{:?}", by_rank(&sorted, *start, *stop))
            }
            Op::ByScore(k, bounds, reverse, offset, limit) => {
                if has_nan(bounds) {
                    return Err(value_error());
                }
                let mut sorted = self.sorted(*k)?;
                sorted.retain(|(_, score)| bounds.contains(score));
                if *reverse {
                    sorted.reverse();
                }
                let offset = usize::try_from(*offset).unwrap();
                let limit = usize::try_from(*limit).unwrap();
                format!("{:?}", sorted.into_iter().skip(offset).take(limit).collect::<Vec<_>>())
            }
            Op::CountByScore(k, bounds) => {
                if has_nan(bounds) {
                    return Err(value_error());
                }
                format!("{:?}", self.sorted(*k)?.iter().filter(|(_, score)| bounds.contains(score)).count())
            }
        })
    }
}

fn by_rank(sorted: &[(Vec<u8>, f64)], start: i64, stop: i64) -> Vec<(Vec<u8>, f64)> {
    let len = i64::try_from(sorted.len()).unwrap();
    let absolute = |rank: i64| if rank < 0 { rank + len } else { rank };
    let ranks = absolute(start)..=absolute(stop);
    (0..len).zip(sorted).filter(|(rank, _)| ranks.contains(rank)).map(|(_, entry)| entry.clone()).collect()
}

fn has_nan((start, end): &(Bound<f64>, Bound<f64>)) -> bool {
    [start, end].into_iter().any(|bound| matches!(bound, Bound::Included(s) | Bound::Excluded(s) if s.is_nan()))
}

/// How many entries there are, but for the end of the block of storage ids, which stays.
pub(super) fn entries(store: &Store) -> u64 {
    let kv = store.kv();
    let counted = kv.scope.read(kv.operation("check"), |view| {
        Ok(view.count(&KeyRange::all())? - view.count(&KeyRange::prefix(&[owner::TRANSACTIONS]))?)
    });
    counted.unwrap()
}

/// Asserts the invariants of the module header over everything that is stored.
fn check_invariants(kv: &Kv) {
    let outcome = kv.scope.read(kv.operation("check"), |view| {
        let mut in_heads = BTreeSet::new();
        let mut in_elements = BTreeSet::new();
        let mut cursor = view.range(&KeyRange::prefix(&[owner::KEYS]), Direction::Forward)?;
        while let Some((key, record)) = cursor.next()? {
            let (head, _) = Head::decode(record)?;
            in_heads.extend(head.deadline.map(|deadline| (deadline, key.to_vec())));
            if head.kind == Kind::SortedSet {
                let members = check_elements(view, &head.require_elements()?)?;
                assert!(!members.is_empty(), "an empty sorted set has a head");
                in_elements.extend(members);
            }
        }
        let every_deadline = Timestamp::from_micros(i64::MAX);
        let indexed = expiry::due(view, every_deadline, Bound::Unbounded, usize::MAX)?;
        let indexed = indexed.into_iter().map(|(_, deadline, target)| (deadline, target));
        assert_eq!(indexed.collect::<BTreeSet<_>>(), in_heads, "index and heads disagree on deadlines");
        let elements = view.count(&KeyRange::prefix(&[owner::KEY_ELEMENTS]))?;
        assert_eq!(elements, in_elements.len() as u64, "elements without a head");
        Ok(())
    });
    outcome.unwrap();
}

/// The element keys of one sorted set, each member with its position.
fn check_elements(view: &View, set: &Elements) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    let mut cursor = view.range(&set.positions(), Direction::Forward)?;
    while let Some((position, value)) = cursor.next()? {
        let (score, member) = set.read_position(position, value)?;
        let stored = view.get(&set.member(member))?.expect("a position without its member");
        assert_eq!(decode_score(&stored)?.to_bits(), score.to_bits());
        keys.extend([position.to_vec(), set.member(member).into_vec()]);
    }
    assert_eq!(view.count(&set.all())?, keys.len() as u64, "a member without its position");
    Ok(keys)
}

fn key() -> impl Strategy<Value = u8> {
    0u8..3
}

fn member() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), Just(1), Just(7), Just(0xff)]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.5, f64::INFINITY, f64::NEG_INFINITY]),
        1 => Just(f64::NAN),
    ]
}

fn bounds() -> impl Strategy<Value = (Bound<f64>, Bound<f64>)> {
    let bound =
        || prop_oneof![Just(Bound::Unbounded), score().prop_map(Bound::Included), score().prop_map(Bound::Excluded)];
    (bound(), bound())
}

fn op() -> impl Strategy<Value = Op> {
    let text = || prop::sample::select(vec!["", "x", "7", "9223372036854775807"]);
    let rank = || -5i64..5;
    prop_oneof![
        1 => key().prop_map(Op::Get),
        1 => key().prop_map(Op::Exists),
        1 => key().prop_map(Op::Ttl),
        1 => Just(Op::Keys),
        1 => (key(), text()).prop_map(|(k, v)| Op::Set(k, v)),
        1 => (key(), text(), 0u64..4).prop_map(|(k, v, t)| Op::SetWithTtl(k, v, t)),
        1 => (key(), -1i64..3).prop_map(|(k, by)| Op::IncrBy(k, by)),
        2 => (key(), 0u64..4).prop_map(|(k, t)| Op::Expire(k, t)),
        1 => (key(), -2i64..9).prop_map(|(k, at)| Op::ExpireAt(k, at)),
        1 => key().prop_map(Op::Persist),
        1 => key().prop_map(Op::Delete),
        5 => (key(), member(), score()).prop_map(|(k, m, s)| Op::Add(k, m, s)),
        2 => (key(), member(), score()).prop_map(|(k, m, s)| Op::Increment(k, m, s)),
        3 => (key(), member()).prop_map(|(k, m)| Op::Remove(k, m)),
        1 => (key(), member()).prop_map(|(k, m)| Op::Score(k, m)),
        1 => (key(), member()).prop_map(|(k, m)| Op::Rank(k, m)),
        1 => (key(), member()).prop_map(|(k, m)| Op::ReverseRank(k, m)),
        1 => key().prop_map(Op::Len),
        1 => (key(), rank(), rank()).prop_map(|(k, a, b)| Op::Range(k, a, b)),
        1 => (key(), rank(), rank()).prop_map(|(k, a, b)| Op::ReverseRange(k, a, b)),
        1 => (key(), bounds(), any::<bool>(), 0u64..3, 0u64..4).prop_map(|(k, b, r, o, l)| Op::ByScore(k, b, r, o, l)),
        1 => (key(), bounds()).prop_map(|(k, b)| Op::CountByScore(k, b)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let ops = || prop::collection::vec(op(), 1..6);
    prop_oneof![
        8 => op().prop_map(Step::Alone),
        2 => (ops(), any::<bool>()).prop_map(|(ops, commit)| Step::Transaction { ops, commit }),
        1 => (ops(), any::<bool>()).prop_map(|(ops, commit)| Step::Optimistic { ops, commit }),
        3 => (0u64..3).prop_map(Step::Advance),
        1 => Just(Step::Sweep),
    ]
}

/// Runs `ops` in a transaction against a copy of the model, and keeps the copy when the transaction is committed.
fn run_together<S: WriteScope>(kv: &Kv<S>, ops: &[Op], model: &Model) -> Model {
    let mut model = model.clone();
    for op in ops {
        assert_eq!(run(kv, op), model.run(op), "{op:?} in a transaction");
    }
    model
}

fn take_step(store: &Store, clock: &ManualClock, model: &mut Model, step: &Step) {
    match step {
        Step::Alone(op) => assert_eq!(run(&store.kv(), op), model.run(op), "{op:?}"),
        Step::Transaction { ops, commit } => {
            let mut after = None;
            let outcome = store.transaction(|tx| {
                after = Some(run_together(&tx.kv(), ops, model));
                if *commit { Ok(()) } else { Err(Error::application("rolled back")) }
            });
            assert_eq!(outcome.is_ok(), *commit);
            *model = after.filter(|_| *commit).unwrap_or_else(|| model.clone());
        }
        Step::Optimistic { ops, commit } => {
            let tx = store.begin().unwrap();
            let after = run_together(&tx.kv(), ops, model);
            if *commit {
                tx.commit().unwrap();
                *model = after;
            }
        }
        Step::Advance(millis) => {
            clock.advance(Duration::from_millis(*millis));
            model.now += millis.cast_signed();
        }
        Step::Sweep => {
            store.sweep_expired().unwrap();
            let now = store.now();
            let left = store
                .kv()
                .scope
                .read(store.kv().operation("check"), |view| expiry::due(view, now, Bound::Unbounded, 1));
            assert!(left.unwrap().is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    // SEM: KV-EXP-2, KV-EXP-3, KV-EXP-5, KV-EXP-6, KV-EXP-7, KV-STR-1, KV-STR-3, KV-Z-1, KV-Z-4, KV-Z-5, KV-Z-7
    #[test]
    fn a_keyspace_agrees_with_a_map_that_forgets_at_deadlines(steps in prop::collection::vec(step(), 1..60)) {
        let clock = ManualClock::default();
        let store = Store::builder().clock(clock.clone()).in_memory();
        let mut model = Model::default();
        for step in &steps {
            take_step(&store, &clock, &mut model, step);
            check_invariants(&store.kv());
        }
        let snapshot = store.snapshot().unwrap();
        let kept = snapshot.kv().keys_matching("*").unwrap();
        for key in &kept {
            prop_assert!(store.kv().remove(key).unwrap());
        }
        clock.advance(Duration::from_secs(1));
        store.sweep_expired().unwrap();
        prop_assert_eq!(entries(&store), 0);
    }
}

mod collections {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use crate::kv::Kind;
    use crate::{Error, Store};

    #[derive(Clone, Debug)]
    enum Op {
        Set(u8, u8),
        SetIfAbsent(u8, u8),
        Remove(u8),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            (0..6u8, any::<u8>()).prop_map(|(field, value)| Op::Set(field, value)),
            (0..6u8, any::<u8>()).prop_map(|(field, value)| Op::SetIfAbsent(field, value)),
            (0..6u8).prop_map(Op::Remove),
        ]
    }

    proptest! {
        #[test]
        fn a_hash_is_a_map_and_a_set_is_a_set(ops in prop::collection::vec(op(), 1..40), after in 0..6u8) {
            let store = Store::in_memory();
            let (hash, set) = (store.kv().hash("hash"), store.kv().unsorted_set("set"));
            let (mut map, mut members) = (BTreeMap::<Vec<u8>, Vec<u8>>::new(), BTreeSet::<Vec<u8>>::new());
            for op in ops {
                match op {
                    Op::Set(field, value) => {
                        prop_assert_eq!(hash.set([field], [value]).unwrap(), map.insert(vec![field], vec![value]).is_none());
                        prop_assert_eq!(set.add([field]).unwrap(), members.insert(vec![field]));
                    }
                    Op::SetIfAbsent(field, value) => {
                        let is_new = !map.contains_key(&vec![field]);
                        prop_assert_eq!(hash.set_if_absent([field], [value]).unwrap(), is_new);
                        map.entry(vec![field]).or_insert_with(|| vec![value]);
                    }
                    Op::Remove(field) => {
                        prop_assert_eq!(hash.remove([field]).unwrap(), map.remove(&vec![field]).is_some());
                        prop_assert_eq!(set.remove([field]).unwrap(), members.remove(&vec![field]));
                    }
                }
                prop_assert_eq!(hash.entries().unwrap(), map.clone().into_iter().collect::<Vec<_>>());
                prop_assert_eq!(set.members().unwrap(), members.iter().cloned().collect::<Vec<_>>());
                prop_assert_eq!((hash.len().unwrap(), set.len().unwrap()), (map.len() as u64, members.len() as u64));
                prop_assert_eq!((hash.is_empty().unwrap(), set.is_empty().unwrap()), (map.is_empty(), members.is_empty()));
                let rest: Vec<_> = map.clone().into_iter().filter(|(field, _)| *field > vec![after]).take(2).collect();
                prop_assert_eq!(hash.entries_after(Some(&[after]), 2).unwrap(), rest);
                prop_assert_eq!(set.nth(1).unwrap(), members.iter().nth(1).cloned());
                prop_assert_eq!(hash.nth(1).unwrap(), map.clone().into_iter().nth(1));
                prop_assert_eq!(hash.get([after]).unwrap(), map.get(&vec![after]).cloned());
                prop_assert_eq!(set.contains([after]).unwrap(), members.contains(&vec![after]));
            }
        }
    }

    // SEM: KV-EXP-6, KV-STR-4
    #[test]
    fn a_renamed_or_copied_key_takes_everything_along() {
        let store = Store::in_memory();
        let (kv, other) = (store.kv(), store.kv_named("1"));
        kv.hash("h").set_many([("a", "1"), ("b", "2")]).unwrap();
        kv.expire("h", std::time::Duration::from_mins(1)).unwrap();
        kv.sorted_set("z").add("m", 1.5).unwrap();
        kv.set("target", "gone").unwrap();
        let deadline = kv.deadline("h").unwrap();
        assert!(deadline.is_some());
        assert!(kv.rename("h", "target").unwrap());
        assert_eq!((kv.deadline("target").unwrap(), kv.exists("h").unwrap()), (deadline, false));
        assert_eq!(kv.hash("target").len().unwrap(), 2);
        assert!(kv.hash("h").is_empty().unwrap());
        assert!(kv.copy_if_absent("z", &other, "z").unwrap() && !kv.copy_if_absent("z", &other, "z").unwrap());
        assert!(!kv.copy("z", &kv, "z").unwrap(), "a key is no copy of itself");
        kv.remove("z").unwrap();
        assert_eq!(other.sorted_set("z").score("m").unwrap(), Some(1.5));
        assert_eq!(other.sorted_set("z").rank("m").unwrap(), Some(0));
        assert!(kv.rename("target", "target").unwrap() && !kv.rename("missing", "target").unwrap());
        assert_eq!(kv.keys_after(None, 10).unwrap(), [(b"target".to_vec(), Kind::Hash)]);
        assert_eq!((kv.clear().unwrap(), kv.len().unwrap(), other.len().unwrap()), (1, 0, 1));
        other.clear().unwrap();
        assert_eq!(super::entries(&store), 0, "nothing is left behind, deadlines neither");
    }

    // SEM: KV-STR-3
    #[test]
    fn every_kind_refuses_the_others_operations() {
        let kv = Store::in_memory().kv();
        kv.set("string", "1").unwrap();
        kv.list("list").push(crate::kv::End::Back, ["1"]).unwrap();
        let refused = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::WrongType { .. })));
        for key in ["string", "list"] {
            refused(kv.hash(key).set("f", "v").map(drop));
            refused(kv.hash(key).len().map(drop));
            refused(kv.unsorted_set(key).add("m").map(drop));
            refused(kv.sorted_set(key).add("m", 1.0).map(drop));
        }
        refused(kv.append("list", "x").map(drop));
        refused(kv.get_range("list", 0, 1).map(drop));
        refused(kv.increment_float("list", 1.0).map(drop));
        refused(kv.get_and_remove("list").map(drop));
        refused(kv.list("string").pop(crate::kv::End::Back).map(drop));
    }
}

proptest! {
    #[test]
    fn keyspaces_that_are_swapped_hold_what_the_other_held(
        here in prop::collection::btree_set((0..6u8, 0..6u8), 0..8),
        there in prop::collection::btree_set((0..6u8, 0..6u8), 0..8),
        is_in_transaction: bool,
    ) {
        let clock = ManualClock::at(Timestamp::from_seconds(1));
        let store = Store::builder().clock(clock.clone()).in_memory();
        let fill = |name: &str, keys: &BTreeSet<(u8, u8)>| {
            let kv = store.kv_named(name);
            for (kind, key) in keys {
                let (key, value) = ([*kind, *key], [name.as_bytes(), &[*key]].concat());
                match kind {
                    0 => kv.set(key, value).unwrap(),
                    1 => drop(kv.hash(key).set(&value, "v").unwrap()),
                    2 => drop(kv.list(key).push(End::Back, ["a", name]).unwrap()),
                    3 => drop(kv.unsorted_set(key).add(value).unwrap()),
                    4 => drop(kv.sorted_set(key).add(value, 1.5).unwrap()),
                    _ => kv.set_with_ttl(key, value, Duration::from_secs(u64::from(key[1]) + 1)).unwrap(),
                }
            }
        };
        let all = |name: &str| {
            let kv = store.kv_named(name);
            let keys = kv.keys_matching("*").unwrap();
            keys.into_iter().map(|key| (kv.dump(&key).unwrap(), kv.ttl(&key).unwrap(), key)).collect::<Vec<_>>()
        };
        fill("a", &here);
        fill("b", &there);
        let expected = (all("b"), all("a"));
        if is_in_transaction {
            store.transaction(|tx| tx.kv_named("a").swap(&tx.kv_named("b"))).unwrap();
        } else {
            store.kv_named("a").swap(&store.kv_named("b")).unwrap();
        }
        prop_assert_eq!((all("a"), all("b")), expected);
        clock.advance(Duration::from_secs(9));
        store.sweep_expired().unwrap();
        let left = here.iter().chain(&there).filter(|(kind, _)| *kind < 5).count();
        prop_assert_eq!(all("a").len() + all("b").len(), left);
    }
}
