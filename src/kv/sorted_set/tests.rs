//! Sorted sets against a map that is sorted whenever it is asked.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use proptest::prelude::*;

use super::*;
use crate::Store;
use crate::kv::{Condition, End};

type Model = BTreeMap<Vec<u8>, f64>;
type Members = Vec<Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Add(Entries, Option<bool>, Option<bool>),
    Increment(Vec<u8>, f64, Option<bool>, Option<bool>),
    Remove(Members),
    Pop(bool, u64),
    RemoveRange(Query),
    CopyRange(Query),
    Look(Query, Members),
}

/// Bounds, whether backwards, offset and limit.
#[derive(Clone, Debug)]
struct Query {
    bounds: query::Bounds,
    is_reverse: bool,
    offset: u64,
    limit: u64,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, b'a', 0xff]), 0..3)
}

fn members() -> impl Strategy<Value = Members> {
    prop::collection::vec(member(), 0..4)
}

/// Few of them, so that they tie.
fn score() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.0, -0.0, 1.0, -1.5, f64::INFINITY, f64::NEG_INFINITY])
}

fn bounds<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = (Bound<T>, Bound<T>)> {
    let bound = move || {
        let value = value.clone();
        prop_oneof![Just(Bound::Unbounded), value.clone().prop_map(Bound::Included), value.prop_map(Bound::Excluded)]
    };
    (bound(), bound())
}

fn query() -> impl Strategy<Value = Query> {
    let scores = prop::sample::select(vec![0.0, -0.0, 1.0, -1.5, f64::INFINITY, f64::NEG_INFINITY]);
    let names = prop::sample::select(vec![vec![], vec![0], vec![b'a'], vec![b'a', 0], vec![0xff]]);
    let bounds = prop_oneof![
        (-6i64..6, -6i64..6).prop_map(|(start, stop)| query::Bounds::Rank(start, stop)),
        bounds(scores).prop_map(query::Bounds::Score),
        bounds(names).prop_map(query::Bounds::Lex),
    ];
    let limit = prop_oneof![Just(u64::MAX), 0u64..4];
    (bounds, any::<bool>(), 0u64..3, limit).prop_map(|(bounds, is_reverse, offset, limit)| Query {
        bounds,
        is_reverse,
        offset,
        limit,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let flags = || (any::<Option<bool>>(), any::<Option<bool>>());
    let entries = prop::collection::vec((member(), score()), 1..4);
    prop_oneof![
        5 => (entries, flags()).prop_map(|(entries, (present, greater))| Op::Add(entries, present, greater)),
        2 => (member(), score(), flags()).prop_map(|(m, by, (present, greater))| Op::Increment(m, by, present, greater)),
        1 => members().prop_map(Op::Remove),
        1 => (any::<bool>(), 0u64..3).prop_map(|(is_max, count)| Op::Pop(is_max, count)),
        1 => query().prop_map(Op::RemoveRange),
        1 => query().prop_map(Op::CopyRange),
        4 => (query(), members()).prop_map(|(query, members)| Op::Look(query, members)),
    ]
}

fn options(present: Option<bool>, greater: Option<bool>) -> AddOptions {
    let options = match present {
        None => AddOptions::default(),
        Some(true) => AddOptions::default().on(Condition::Present),
        Some(false) => AddOptions::default().on(Condition::Absent),
    };
    match greater {
        None => options,
        Some(true) => options.only(ScoreChange::Greater),
        Some(false) => options.only(ScoreChange::Less),
    }
}

/// What `ZADD` makes of a score, as the command reference has it.
fn allowed(before: Option<f64>, wanted: f64, present: Option<bool>, greater: Option<bool>) -> bool {
    match before {
        None => present != Some(true),
        Some(before) => {
            present != Some(false)
                && greater.is_none_or(|greater| if greater { wanted > before } else { wanted < before })
        }
    }
}

fn sorted(model: &Model) -> Entries {
    let mut entries: Entries = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    entries.sort_by(|(m, a), (n, b)| a.partial_cmp(b).unwrap().then(m.cmp(n)));
    entries
}

/// The members that a query is for.
fn selected(model: &Model, query: &Query) -> Entries {
    let mut entries = sorted(model);
    if query.is_reverse {
        entries.reverse();
    }
    let len = i64::try_from(entries.len()).unwrap();
    let chosen: Entries = match &query.bounds {
        query::Bounds::Rank(start, stop) => {
            let absolute = |rank: i64| if rank < 0 { rank + len } else { rank };
            let ranks = absolute(*start)..=absolute(*stop);
            (0..).zip(entries).filter(|(rank, _)| ranks.contains(rank)).map(|(_, entry)| entry).collect()
        }
        query::Bounds::Score(bounds) => entries.into_iter().filter(|(_, score)| bounds.contains(score)).collect(),
        query::Bounds::Lex((start, end)) => {
            let is_from_start = |(member, _): &(Vec<u8>, f64)| (start.clone(), Bound::Unbounded).contains(member);
            let is_to_end = |(member, _): &(Vec<u8>, f64)| (Bound::Unbounded, end.clone()).contains(member);
            let of_lowest = if query.is_reverse { entries.last() } else { entries.first() };
            let of_highest = if query.is_reverse { entries.first() } else { entries.last() };
            if !of_lowest.is_some_and(is_to_end) || !of_highest.is_some_and(is_from_start) {
                return Entries::new();
            }
            if query.is_reverse {
                entries.into_iter().skip_while(|entry| !is_to_end(entry)).take_while(is_from_start).collect()
            } else {
                entries.into_iter().skip_while(|entry| !is_from_start(entry)).take_while(is_to_end).collect()
            }
        }
    };
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    chosen.into_iter().skip(usize::try_from(query.offset).unwrap()).take(limit).collect()
}

fn asked(set: &SortedSet, query: &Query) -> RangeQuery {
    let asked = RangeQuery::new(set, query.bounds.clone()).offset(query.offset).limit(query.limit);
    if query.is_reverse { asked.reverse() } else { asked }
}

/// Entries by their bits, so that zeros are told apart.
fn bits(entries: &Entries) -> Vec<(Vec<u8>, u64)> {
    entries.iter().map(|(member, score)| (member.clone(), score.to_bits())).collect()
}

fn take(set: &SortedSet, model: &mut Model, op: &Op) {
    match op {
        Op::Add(entries, present, greater) => {
            let mut expected = Added::default();
            for (member, score) in entries {
                let before = model.get(member).copied();
                if allowed(before, *score, *present, *greater) {
                    expected.added += u64::from(before.is_none());
                    expected.changed +=
                        u64::from(before.is_some_and(|before| before.partial_cmp(score) != Some(Ordering::Equal)));
                    model.insert(member.clone(), score + 0.0);
                }
            }
            assert_eq!(set.add_many(entries.clone(), options(*present, *greater)).unwrap(), expected);
        }
        Op::Increment(member, by, present, greater) => {
            let before = model.get(member).copied();
            let sum = before.unwrap_or(0.0) + by + 0.0;
            let outcome = set.increment_if(member, *by, options(*present, *greater));
            if sum.is_nan() {
                assert!(outcome.is_err());
                return;
            }
            let is_allowed = allowed(before, sum, *present, *greater);
            assert_eq!(outcome.unwrap(), is_allowed.then_some(sum));
            if is_allowed {
                model.insert(member.clone(), sum);
            }
        }
        Op::Remove(members) => {
            let expected = members.iter().filter(|member| model.remove(*member).is_some()).count();
            assert_eq!(set.remove_many(members).unwrap(), expected as u64);
        }
        Op::Pop(is_max, count) => {
            let query = Query { bounds: query::Bounds::Rank(0, -1), is_reverse: *is_max, offset: 0, limit: *count };
            let expected = selected(model, &query);
            model.retain(|member, _| expected.iter().all(|(gone, _)| gone != member));
            let end = if *is_max { End::Back } else { End::Front };
            let popped = match count {
                1 => set.pop(end).unwrap().into_iter().collect(),
                _ => set.pop_many(end, *count).unwrap(),
            };
            assert_eq!(bits(&popped), bits(&expected));
        }
        Op::RemoveRange(query) => {
            let expected = selected(model, query);
            model.retain(|member, _| expected.iter().all(|(gone, _)| gone != member));
            assert_eq!(asked(set, query).remove().unwrap(), expected.len() as u64);
        }
        Op::CopyRange(query) => {
            let expected = selected(model, query);
            assert_eq!(asked(set, query).copy_to("copy").unwrap(), expected.len() as u64);
            let copy = set.kv.sorted_set("copy");
            assert_eq!(copy.range(0, -1).unwrap(), sorted(&expected.into_iter().collect()));
            assert_eq!(copy.is_empty().unwrap(), !set.kv.exists("copy").unwrap());
        }
        Op::Look(query, members) => {
            let expected = selected(model, query);
            assert_eq!(bits(&asked(set, query).entries().unwrap()), bits(&expected));
            assert_eq!(asked(set, query).count().unwrap(), expected.len() as u64);
            let scores: Vec<_> = members.iter().map(|member| model.get(member).copied()).collect();
            assert_eq!(set.scores(members).unwrap(), scores);
            look_at_ranks(set, &sorted(model), members);
        }
    }
}

fn look_at_ranks(set: &SortedSet, sorted: &Entries, members: &Members) {
    for member in members {
        let rank = sorted.iter().position(|(other, _)| other == member);
        let ranked =
            |rank: usize| (rank as u64, sorted[sorted.iter().position(|(other, _)| other == member).unwrap()].1);
        assert_eq!(set.rank_with_score(member, Direction::Forward).unwrap(), rank.map(ranked));
        let behind = rank.map(|rank| sorted.len() - 1 - rank);
        assert_eq!(set.rank_with_score(member, Direction::Backward).unwrap(), behind.map(ranked));
    }
    let len = sorted.len() as u64;
    let picked: Vec<_> = [0, 2, 2].iter().filter_map(|n| sorted.get(*n).cloned()).collect();
    assert_eq!(set.nths([0, 2, len + 1, 2]).unwrap(), picked);
    assert_eq!((set.len().unwrap(), set.nth(len).unwrap()), (len, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    // SEM: KV-Z-1, KV-Z-2, KV-Z-4, KV-Z-5, KV-Z-6, KV-Z-7, KV-Z-8
    #[test]
    fn a_sorted_set_is_a_map_that_is_sorted_when_asked(ops in prop::collection::vec(op(), 1..40)) {
        let set = Store::in_memory().kv().sorted_set("set");
        let mut model = Model::new();
        for op in &ops {
            take(&set, &mut model, op);
            prop_assert_eq!(bits(&set.range(0, -1).unwrap()), bits(&sorted(&model)));
            prop_assert_eq!(set.kv.exists("set").unwrap(), !model.is_empty());
        }
    }

    // SEM: KV-Z-5
    #[test]
    fn members_of_one_score_are_a_range_of_bytes(members in prop::collection::btree_set(member(), 0..6), score in score(), query in query()) {
        let set = Store::in_memory().kv().sorted_set("set");
        let model: Model = members.into_iter().map(|member| (member, score + 0.0)).collect();
        set.add_many(model.clone(), AddOptions::default()).unwrap();
        prop_assert_eq!(asked(&set, &query).count().unwrap(), selected(&model, &query).len() as u64);
        prop_assert_eq!(asked(&set, &query).entries().unwrap(), selected(&model, &query));
        let removed = asked(&set, &query).remove().unwrap();
        prop_assert_eq!(set.len().unwrap() + removed, model.len() as u64);
    }

    // SEM: KV-Z-8
    #[test]
    fn combinations_are_those_of_maps(
        sources in prop::collection::vec((prop::collection::btree_map(member(), score(), 0..5), any::<bool>()), 1..4),
        weight in prop::sample::select(vec![1.0, 2.0, 0.5]),
        aggregate in prop::sample::select(vec![Aggregate::Sum, Aggregate::Min, Aggregate::Max]),
        limit in 0u64..4,
    ) {
        let kv = Store::in_memory().kv();
        let mut maps = Vec::<Model>::new();
        for (n, (source, is_plain)) in sources.iter().enumerate() {
            let key = [u8::try_from(n).unwrap()];
            if *is_plain {
                kv.unsorted_set(key).add_many(source.keys()).unwrap();
            } else {
                kv.sorted_set(key).add_many(source.clone(), AddOptions::default()).unwrap();
            }
            let weighted = |score: f64| weight * if *is_plain { 1.0 } else { score };
            maps.push(source.iter().map(|(member, score)| (member.clone(), weighted(*score))).collect());
        }
        let keys = || (0..u8::try_from(sources.len()).unwrap()).map(|key| [key]);
        let scores = |member: &Vec<u8>| maps.iter().filter_map(|map| map.get(member).copied()).collect::<Vec<_>>();
        let all: std::collections::BTreeSet<_> = maps.iter().flat_map(Model::keys).cloned().collect();
        // Sums of the few scores depend on the order only when infinities cancel each other.
        let both = |a: f64, b: f64| match aggregate {
            Aggregate::Sum => a + b,
            Aggregate::Min => a.min(b),
            Aggregate::Max => a.max(b),
        };
        let union: Model = all.iter().map(|m| (m.clone(), scores(m).into_iter().reduce(both).unwrap())).collect();
        prop_assume!(union.values().all(|score| !score.is_nan()));
        let weights = || vec![weight; sources.len()];
        let found = kv.union(keys()).weights(weights()).aggregate(aggregate).entries().unwrap();
        prop_assert_eq!(&found, &sorted(&union));
        let common: Model = union.iter().filter(|(m, _)| scores(m).len() == maps.len()).map(|(m, s)| (m.clone(), *s)).collect();
        let intersection = kv.intersection(keys()).weights(weights()).aggregate(aggregate);
        prop_assert_eq!(intersection.entries().unwrap(), sorted(&common));
        prop_assert_eq!(intersection.count(Some(limit)).unwrap(), limit.min(common.len() as u64));
        let only: Vec<_> = maps[0].keys().filter(|m| maps.iter().skip(1).all(|map| !map.contains_key(*m))).cloned().collect();
        let difference = kv.difference(keys()).entries().unwrap();
        prop_assert_eq!(difference.into_iter().map(|(member, _)| member).collect::<std::collections::BTreeSet<_>>(), only.into_iter().collect());
        // It may take the place of a source.
        prop_assert_eq!(intersection.store_at([0]).unwrap(), common.len() as u64);
        prop_assert_eq!(kv.sorted_set([0]).range(0, -1).unwrap(), sorted(&common));
        prop_assert_eq!(kv.exists([0]).unwrap(), !common.is_empty());
    }
}

// SEM: KV-Z-8
#[test]
fn infinities_of_both_signs_cancel_and_weights_have_to_fit() {
    let kv = Store::in_memory().kv();
    kv.sorted_set("a").add("m", f64::INFINITY).unwrap();
    kv.sorted_set("b").add("m", f64::NEG_INFINITY).unwrap();
    assert_eq!(kv.union(["a", "b"]).entries().unwrap(), [(b"m".to_vec(), 0.0)]);
    assert_eq!(kv.union(["a"]).weights([0.0]).entries().unwrap(), [(b"m".to_vec(), 0.0)]);
    kv.sorted_set("c").add("m", 2.0).unwrap();
    let of_two = |which: Combination, aggregate| which.weights([2.0, 0.0]).aggregate(aggregate).entries().unwrap()[0].1;
    assert_eq!(of_two(kv.union(["c", "a"]), Aggregate::Sum).to_bits(), 4.0f64.to_bits());
    assert_eq!(of_two(kv.intersection(["c", "a"]), Aggregate::Sum).to_bits(), 0.0f64.to_bits());
    assert_eq!(of_two(kv.intersection(["c", "a"]), Aggregate::Min).to_bits(), 4.0f64.to_bits());
    assert!(kv.union(["a", "b"]).weights([1.0]).entries().is_err());
    assert!(kv.union(["a"]).weights([f64::NAN]).entries().is_err());
    kv.set("text", "x").unwrap();
    assert!(matches!(kv.union(["a", "text"]).store_at("a"), Err(Error::WrongType { .. })));
    assert_eq!(kv.sorted_set("a").len().unwrap(), 1);
}
