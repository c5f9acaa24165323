//! Forks: time and identifiers of their own, and what both are good for, test cases in parallel threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::time::Duration;

use larder::bson::{Bson, doc};
use larder::{Document, ManualClock, Store, SystemClock, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn seeded() -> Store {
    Store::builder().clock(ManualClock::at(START)).seed(1).in_memory()
}

fn insert(store: &Store) -> Bson {
    store.collection::<Document>("people").insert_one(&doc! { "name": "ann" }).unwrap().inserted_id
}

#[test]
fn a_fork_on_a_manual_clock_has_one_of_its_own_at_the_same_moment() {
    let store = seeded();
    store.kv().set_with_ttl("session", "ann", Duration::from_mins(1)).unwrap();
    let (one, two) = (store.fork().unwrap(), store.fork().unwrap());
    assert_eq!([one.now(), two.now()], [START; 2]);
    one.manual_clock().unwrap().advance(Duration::from_mins(1));
    let there = [&store, &one, &two].map(|store| store.kv().exists("session").unwrap());
    assert_eq!(there, [true, false, true]);
    let of_fork = one.fork().unwrap();
    assert_eq!(of_fork.now(), one.now());
    store.manual_clock().unwrap().set(Timestamp::from_seconds(5));
    assert_eq!(of_fork.now(), START.saturating_add(Duration::from_mins(1)));
}

#[test]
fn a_fork_reads_the_clock_it_is_given() {
    let store = Store::in_memory();
    let clock = ManualClock::at(START);
    let fork = store.fork_with_clock(clock.clone()).unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(fork.now().as_seconds(), START.as_seconds() + 1);
    assert!(store.manual_clock().is_none() && fork.manual_clock().is_some());
    assert!(seeded().fork_with_clock(SystemClock).unwrap().manual_clock().is_none());
    assert!(store.fork().unwrap().manual_clock().is_none(), "there is one time for all");
}

#[test]
fn stores_and_forks_of_one_moment_never_make_the_same_identifier() {
    let clock = ManualClock::at(START);
    let stores: Vec<_> = (0..50).map(|_| Store::builder().clock(clock.clone()).in_memory()).collect();
    let forks: Vec<_> = stores.iter().flat_map(|store| [store.fork().unwrap(), store.fork().unwrap()]).collect();
    let of_forks: Vec<_> = forks.iter().map(|fork| fork.fork().unwrap()).collect();
    let all: Vec<_> = stores.iter().chain(&forks).chain(&of_forks).collect();
    let ids: HashSet<_> = (0..20).flat_map(|_| all.iter().map(|store| insert(store).to_string())).collect();
    assert_eq!(ids.len(), 20 * all.len());
    // Forks of a store with a seed, likewise.
    let seeded = seeded();
    let family =
        [seeded.clone(), seeded.fork().unwrap(), seeded.fork().unwrap(), seeded.fork().unwrap().fork().unwrap()];
    let ids: HashSet<_> = (0..20).flat_map(|_| family.iter().map(|store| insert(store).to_string())).collect();
    assert_eq!(ids.len(), 20 * family.len());
}

#[test]
fn with_the_same_seed_a_run_makes_the_same_identifiers_and_so_do_its_forks() {
    let run = || {
        let store = seeded();
        let first = insert(&store);
        let (one, two) = (store.fork().unwrap(), store.fork().unwrap());
        [first, insert(&one), insert(&two), insert(&store), insert(&store.fork_with_seed(9).unwrap())]
    };
    assert_eq!(run(), run());
    let other = Store::builder().clock(ManualClock::at(START)).seed(2).in_memory();
    assert_ne!(insert(&other), run()[0]);
}

#[test]
fn a_store_that_is_opened_again_with_its_seed_goes_on_with_other_identifiers() {
    let run = || {
        let directory = tempfile::tempdir().unwrap();
        let open = || Store::builder().clock(ManualClock::at(START)).seed(1).open(directory.path()).unwrap();
        let ids: Vec<_> = (0..6).map(|_| insert(&open())).collect();
        assert_eq!(ids.iter().map(Bson::to_string).collect::<HashSet<_>>().len(), ids.len());
        ids
    };
    assert_eq!(run(), run());
}

#[test]
fn identifiers_of_one_second_ascend() {
    let store = seeded();
    let ids: Vec<_> = (0..100).map(|_| insert(&store).as_object_id().unwrap()).collect();
    assert!(ids.is_sorted());
}

/// One step of a case.
#[derive(Clone, Debug)]
enum Step {
    Set(u8, u64),
    Expire(u8, u64),
    Increment(u8),
    Insert(u8),
    Wait(u64),
    Sweep,
    Fork,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4u8, 1..20u64).prop_map(|(key, seconds)| Step::Set(key, seconds)),
        (0..4u8, 1..20u64).prop_map(|(key, seconds)| Step::Expire(key, seconds)),
        (0..4u8).prop_map(Step::Increment),
        (0..4u8).prop_map(Step::Insert),
        (1..10u64).prop_map(Step::Wait),
        Just(Step::Sweep),
        Just(Step::Fork),
    ]
}

/// Runs a case on a fork, and tells everything that can be seen of it.
fn run(seed: &Store, number: u64, steps: &[Step]) -> Vec<String> {
    let mut case = seed.fork_with_seed(number).unwrap();
    let mut shown = Vec::new();
    for step in steps {
        let kv = case.kv();
        shown.push(match step {
            Step::Set(key, seconds) => {
                format!("{:?}", kv.set_with_ttl([*key], "1", Duration::from_secs(*seconds)).is_ok())
            }
            Step::Expire(key, seconds) => format!("{:?}", kv.expire([*key], Duration::from_secs(*seconds)).unwrap()),
            Step::Increment(key) => format!("{:?}", kv.increment([*key], 1).unwrap()),
            Step::Insert(name) => {
                let people = case.collection::<Document>("people");
                let inserted = people.insert_one(&doc! { "name": i32::from(*name) }).unwrap().inserted_id;
                format!("{inserted} of {}", people.count_documents(doc! {}).unwrap())
            }
            Step::Wait(seconds) => {
                case.manual_clock().unwrap().advance(Duration::from_secs(*seconds));
                format!("{:?}", case.now())
            }
            Step::Sweep => case.sweep_expired().unwrap().to_string(),
            Step::Fork => {
                case = case.fork().unwrap();
                format!("{:?}", case.now())
            }
        });
        let values: Vec<_> = (0..4u8).map(|key| case.kv().get([key]).unwrap()).collect();
        shown.push(format!("{values:?}"));
    }
    shown
}

#[test]
fn a_thousand_cases_in_four_threads_agree_with_one_thread() {
    const CASES: usize = 1_000;
    const THREADS: usize = 4;
    let seed = seeded();
    for key in 0..4u8 {
        seed.kv().set_with_ttl([key], "0", Duration::from_secs(5 + u64::from(key))).unwrap();
    }
    insert(&seed);
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec(step(), 1..20);
    let cases: Vec<_> = (0..CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let numbered: Vec<_> = (0u64..).zip(&cases).collect();
    let alone: Vec<_> = numbered.iter().map(|(number, steps)| run(&seed, *number, steps)).collect();
    let together: Vec<_> = std::thread::scope(|threads| {
        let chunks: Vec<_> = numbered
            .chunks(CASES / THREADS)
            .map(|chunk| {
                threads.spawn(|| chunk.iter().map(|(number, steps)| run(&seed, *number, steps)).collect::<Vec<_>>())
            })
            .collect();
        chunks.into_iter().flat_map(|chunk| chunk.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
    assert_eq!(seed.now(), START, "the seed's time has not moved");
    assert_eq!(seed.kv().get([0]).unwrap().as_deref(), Some(&b"0"[..]));
}

// SEM: WID-LWW-3
#[test]
fn times_of_writes_go_on_in_a_fork_behind_all_that_its_store_gave_out() {
    use larder::wide_column::{CqlType, TableSchema};
    let store = seeded();
    let schema = TableSchema::new().partition_key("id", CqlType::Int).column("n", CqlType::Int);
    store.wide_table("shop", "rows").create(schema).unwrap();
    let write = |store: &Store, id: i32| {
        let rows = store.wide_table("shop", "rows");
        rows.insert(&[("id", id.into()), ("n", 1.into())]).unwrap();
        rows.select((id,)).to_vec().unwrap().remove(0).write_time("n").unwrap()
    };
    let first = write(&store, 1);
    assert_eq!(write(&store.fork().unwrap(), 2), first + 1, "the clock stands");
    assert_eq!(write(&store, 1), first + 1, "and the store itself goes on as if there were no fork");
    let behind = ManualClock::at(Timestamp::from_seconds(START.as_seconds() - 60));
    assert!(write(&store.fork_with_clock(behind).unwrap(), 2) > first + 1);
}
