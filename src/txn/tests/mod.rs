mod handing_over;
mod large;
mod settling;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::encoding::owner::Slot;
use crate::engine::{
    self, Changes, CommitNumber, Direction, Durability, Engine, EngineStats, Key, KeyRange, MemoryEngine, Reads, Ticket,
};
use crate::error::{Error, InvalidKind, Result};

fn core_on(engine: impl Engine + 'static) -> Arc<Core> {
    Core::new(Arc::new(engine), Arc::new(ManualClock::default()), Durability::None)
}

fn core() -> Arc<Core> {
    core_on(MemoryEngine::new())
}

fn op() -> Operation<'static> {
    Operation::new("test", "test", "")
}

fn put<S: WriteScope>(scope: &S, key: &str, value: &str) -> Result<()> {
    scope.write(op(), |writer| writer.put(key.as_bytes(), value.as_bytes()))
}

fn get<S: Scope>(scope: &S, key: &str) -> Result<Option<String>> {
    let text = |value: std::borrow::Cow<'_, [u8]>| String::from_utf8_lossy(&value).into_owned();
    scope.read(op(), |view| Ok(view.get(key.as_bytes())?.map(text)))
}

/// Runs `body` as the store runs a transaction.
fn transaction<R>(core: &Arc<Core>, mut body: impl FnMut(&InTransaction<'_>) -> Result<R>) -> Result<R> {
    core.exclusive(|writer| {
        let running = Running::of(writer);
        let value = body(&InTransaction::new(&running))?;
        Ok((value, running.into_writer()))
    })
}

fn refusal() -> Error {
    Error::invalid(InvalidKind::Value, "refused")
}

#[test]
fn an_error_rolls_the_transaction_back() {
    let core = core();
    let outcome: Result<()> = transaction(&core, |tx| {
        put(tx, "a", "1")?;
        assert_eq!(get(tx, "a")?.as_deref(), Some("1"), "a transaction reads its own writes");
        Err(refusal())
    });
    assert!(outcome.is_err());
    assert_eq!(get(&AutoCommit::new(core), "a").unwrap(), None);
}

#[test]
fn a_panic_rolls_the_transaction_back_and_leaves_the_store_usable() {
    let core = core();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        transaction(&core, |tx| -> Result<()> {
            put(tx, "a", "1")?;
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    let store = AutoCommit::new(core);
    assert_eq!(get(&store, "a").unwrap(), None);
    put(&store, "a", "2").unwrap();
    assert_eq!(get(&store, "a").unwrap().as_deref(), Some("2"));
}

#[test]
fn a_failing_operation_is_undone_alone() {
    let core = core();
    let released = Arc::new(Mutex::new(Vec::new()));
    transaction(&core, |tx| {
        put(tx, "kept", "1")?;
        put(tx, "both", "before")?;
        let failed: Result<()> = tx.write(op(), |writer| {
            writer.put(&b"both"[..], &b"after"[..])?;
            writer.remove(&b"kept"[..]);
            writer.put(&b"lost"[..], &b"1"[..])?;
            writer.put(&b"both"[..], &b"again"[..])?;
            writer.note(Slot::Test, Noted(1, Arc::clone(&released)));
            Err(refusal())
        });
        assert!(failed.is_err());
        put(tx, "later", "1")
    })
    .unwrap();
    let store = AutoCommit::new(core);
    let now = ["kept", "both", "lost", "later"].map(|key| get(&store, key).unwrap());
    assert_eq!(now.map(Option::unwrap_or_default), ["1", "before", "", "1"]);
    assert!(released.lock().is_empty());
}

#[test]
fn a_panicking_operation_is_undone_even_when_the_panic_is_caught() {
    let core = core();
    transaction(&core, |tx| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            tx.write(op(), |writer| -> Result<()> {
                writer.put(&b"lost"[..], &b"1"[..])?;
                panic!("inside an operation");
            })
        }));
        assert!(panicked.is_err());
        put(tx, "kept", "1")
    })
    .unwrap();
    let store = AutoCommit::new(core);
    assert_eq!(get(&store, "lost").unwrap(), None);
    assert!(get(&store, "kept").unwrap().is_some());
}

#[test]
fn the_stores_own_handle_inside_a_transaction_is_refused_on_this_thread_only() {
    let core = core();
    let store = AutoCommit::new(Arc::clone(&core));
    transaction(&core, |tx| {
        assert!(matches!(put(&store, "a", "1"), Err(Error::NestedTransaction)));
        assert!(matches!(get(&store, "a"), Err(Error::NestedTransaction)));
        assert!(matches!(core.begin(Isolation::Serializable).map(drop), Err(Error::NestedTransaction)));
        assert!(matches!(transaction(&core, |_| Ok(())), Err(Error::NestedTransaction)));
        // Another thread's read does not wait for the transaction.
        let elsewhere = std::thread::scope(|threads| threads.spawn(|| get(&store, "a")).join().unwrap());
        assert_eq!(elsewhere?, None);
        put(tx, "a", "2")
    })
    .unwrap();
    assert_eq!(get(&store, "a").unwrap().as_deref(), Some("2"));
}

#[test]
fn a_cursor_opened_in_a_transaction_keeps_what_it_was_opened_on() {
    let core = core();
    transaction(&core, |tx| {
        for key in ["a", "b", "c"] {
            put(tx, key, "old")?;
        }
        let mut cursor = tx.read(op(), |view| view.range(&KeyRange::all(), Direction::Forward))?;
        tx.write(op(), |writer| writer.remove_range(&KeyRange::all()))?;
        put(tx, "d", "new")?;
        let mut seen = Vec::new();
        while let Some((key, _)) = cursor.next()? {
            seen.push(key.to_vec());
        }
        assert_eq!(seen, [b"a", b"b", b"c"]);
        Ok(())
    })
    .unwrap();
}

/// Commits an optimistic transaction.
fn commit(core: &Arc<Core>, running: Running) -> Result<()> {
    let turn = core.turn_to_commit()?;
    let ticket = core.commit(running.into_writer())?;
    drop(turn);
    core.pending(ticket).settle()
}

/// Commits `body` as an optimistic transaction, with `meanwhile` committed by somebody else before it.
fn optimistic(
    core: &Arc<Core>,
    body: impl Fn(&InTransaction<'_>) -> Result<()>,
    meanwhile: impl Fn(&AutoCommit) -> Result<()>,
) -> Result<()> {
    let running = Running::new(core.begin(Isolation::Serializable)?);
    body(&InTransaction::new(&running))?;
    meanwhile(&AutoCommit::new(Arc::clone(core)))?;
    commit(core, running)
}

#[test]
fn an_optimistic_transaction_conflicts_on_a_key_it_read_and_no_other() {
    let read_a = |tx: &InTransaction<'_>| get(tx, "a").and_then(|_| put(tx, "b", "1"));
    let core = core();
    assert!(
        matches!(optimistic(&core, read_a, |store| put(store, "a", "1")), Err(Error::Conflict { key, .. }) if key == b"a")
    );
    assert_eq!(get(&AutoCommit::new(Arc::clone(&core)), "b").unwrap(), None, "nothing of it was written");
    optimistic(&core, read_a, |store| put(store, "c", "1")).unwrap();
    let write_then_read = |tx: &InTransaction<'_>| put(tx, "b", "2").and_then(|()| get(tx, "b").map(drop));
    optimistic(&core, write_then_read, |store| put(store, "b", "3")).expect("it read only what it wrote itself");
}

#[test]
fn an_optimistic_transaction_conflicts_on_ranges_and_phantoms_it_could_have_seen() {
    let count = |tx: &InTransaction<'_>| {
        tx.read(op(), |view| view.count(&KeyRange::prefix(b"k")))?;
        put(tx, "out", "1")
    };
    let core = core();
    assert!(optimistic(&core, count, |store| put(store, "k1", "phantom")).unwrap_err().is_retryable());
    optimistic(&core, count, |store| put(store, "l", "outside")).unwrap();
}

#[test]
fn a_cursor_counts_as_read_only_as_far_as_it_went() {
    let core = core();
    let store = AutoCommit::new(Arc::clone(&core));
    for key in ["k1", "k3", "k5"] {
        put(&store, key, "1").unwrap();
    }
    let first = |direction: Direction| {
        move |tx: &InTransaction<'_>| {
            tx.read(op(), |view| view.first(&KeyRange::prefix(b"k"), direction))?;
            put(tx, "out", "1")
        }
    };
    let touch = |key: &'static str| move |store: &AutoCommit| put(store, key, "2");
    optimistic(&core, first(Direction::Forward), touch("k3")).unwrap();
    optimistic(&core, first(Direction::Forward), touch("k2")).unwrap();
    assert!(optimistic(&core, first(Direction::Forward), touch("k0")).is_err(), "would have been the first");
    optimistic(&core, first(Direction::Backward), touch("k4")).unwrap();
    assert!(optimistic(&core, first(Direction::Backward), touch("k5")).is_err());
}

#[test]
fn a_transaction_that_only_read_never_conflicts() {
    optimistic(&core(), |tx| get(tx, "a").map(drop), |store| put(store, "a", "1")).unwrap();
}

/// Notes its number when it is released.
#[derive(Debug)]
struct Noted(u32, Arc<Mutex<Vec<(CommitNumber, u32)>>>);

impl Note for Noted {
    fn release(self: Box<Self>, _: &States, commit: CommitNumber, _woken: &mut Vec<std::task::Waker>) {
        self.1.lock().push((commit, self.0));
    }
}

#[test]
fn notes_are_released_after_the_commit_in_order_and_never_without_it() {
    let core = core();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let note = |number| Noted(number, Arc::clone(&notes));
    transaction(&core, |tx| {
        put(tx, "a", "1")?;
        tx.write(op(), |writer| {
            writer.note(Slot::Test, note(1));
            writer.note(Slot::Test, note(2));
            Ok(())
        })?;
        assert!(notes.lock().is_empty(), "not before the commit");
        Ok(())
    })
    .unwrap();
    let _: Result<()> = transaction(&core, |tx| {
        tx.write(op(), |writer| {
            writer.note(Slot::Test, note(3));
            Ok(())
        })?;
        Err(refusal())
    });
    let conflict = optimistic(
        &core,
        |tx| {
            get(tx, "a")?;
            tx.write(op(), |writer| {
                writer.note(Slot::Test, note(4));
                writer.put(&b"b"[..], &b""[..])
            })
        },
        |store| put(store, "a", "2"),
    );
    assert!(conflict.is_err());
    assert_eq!(*notes.lock(), [(CommitNumber(1), 1), (CommitNumber(1), 2)]);
}

#[test]
fn sequences_never_repeat_even_over_a_roll_back() {
    let core = core();
    let next = |scope: &dyn Fn() -> Result<u64>| scope().unwrap();
    let store = AutoCommit::new(Arc::clone(&core));
    let draw = || store.write(op(), |writer| writer.next_in_sequence(b"ids", |_| Ok(10)));
    assert_eq!([next(&draw), next(&draw)], [10, 11]);
    let _: Result<()> = transaction(&core, |tx| {
        assert_eq!(tx.write(op(), |writer| writer.next_in_sequence(b"ids", |_| Ok(0)))?, 12);
        Err(refusal())
    });
    assert_eq!(next(&draw), 13);
}

#[test]
fn a_sequence_begins_behind_what_the_transaction_has_removed() {
    let core = core();
    AutoCommit::new(Arc::clone(&core)).write(op(), |writer| writer.put(b"7", b"")).unwrap();
    let behind = |view: &View, last: &[u8]| Ok(if view.get(last)?.is_some() { 8 } else { 1 });
    let _: Result<()> = transaction(&core, |tx| {
        tx.write(op(), |writer| {
            writer.remove(b"7");
            assert_eq!(writer.next_in_sequence(b"ids", |view| behind(view, b"7"))?, 8);
            writer.put(b"9", b"")?;
            assert_eq!(writer.next_in_sequence(b"others", |view| behind(view, b"9"))?, 8, "or has written");
            Ok(())
        })?;
        Err(refusal())
    });
    let next = AutoCommit::new(core).write(op(), |writer| writer.next_in_sequence(b"ids", |_| Ok(1)));
    assert_eq!(next.unwrap(), 9);
}

/// Takes a unique time and writes it down, as a model does.
fn take_time<S: WriteScope>(scope: &S) -> i64 {
    let take = |writer: &mut Writer| {
        let micros = writer.unique_micros()?;
        writer.put(&b"written at"[..], &micros.to_be_bytes()[..]).map(|()| micros)
    };
    scope.write(op(), take).unwrap()
}

// SEM: WID-LWW-3
#[test]
fn unique_times_go_on_over_forks_and_reopening_on_a_clock_that_stands_or_went_back() {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let at = |engine: &Arc<dyn Engine>, seconds| {
        let clock = ManualClock::at(Timestamp::from_seconds(seconds));
        Core::new(Arc::clone(engine), Arc::new(clock), Durability::None)
    };
    let core = at(&engine, 10);
    let first = take_time(&AutoCommit::new(Arc::clone(&core)));
    assert_eq!(first, 10_000_000);
    let fork = take_time(&AutoCommit::new(at(&engine.fork().unwrap(), 10)));
    assert!(fork > first);

    // The later of two times is committed before the earlier one.
    let (early, late) = (
        Running::new(core.begin(Isolation::Serializable).unwrap()),
        Running::new(core.begin(Isolation::Serializable).unwrap()),
    );
    let times = [&early, &late].map(|running| take_time(&InTransaction::new(running)));
    assert!(first < times[0] && times[0] < times[1]);
    commit(&core, late).unwrap();
    commit(&core, early).unwrap();
    let reopened = take_time(&AutoCommit::new(at(&engine, 5)));
    assert!(reopened > times[1]);
}

// SEM: WID-LWW-3
#[test]
fn few_commits_have_the_end_of_a_lease_as_an_entry_more() {
    let clock = ManualClock::default();
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let core = Core::new(Arc::clone(&engine), Arc::new(clock.clone()), Durability::None);
    let end = || engine.latest().unwrap().get(&[2, 1]).unwrap().map(std::borrow::Cow::into_owned);
    let mut ends = std::collections::BTreeSet::new();
    for _ in 0..100 {
        take_time(&AutoCommit::new(Arc::clone(&core)));
        ends.insert(end().unwrap());
        clock.advance(std::time::Duration::from_millis(100));
    }
    assert!((5..=11).contains(&ends.len()), "{} ends in ten seconds", ends.len());
    // What a transaction that rolled back took is given out to nobody else, and stored by nobody.
    let before = end();
    let _: Result<()> = transaction(&core, |tx| {
        tx.write(op(), |writer| writer.next_leased(Sequence::Times, 1_000_000_000))?;
        Err(refusal())
    });
    put(&AutoCommit::new(Arc::clone(&core)), "k", "v").unwrap();
    assert_eq!(end(), before);
    assert!(take_time(&AutoCommit::new(core)) > 1_000_000_000);
    assert!(end() > before);
}

#[test]
fn one_operation_sees_one_moment_and_the_next_another() {
    let clock = ManualClock::default();
    let core = Core::new(Arc::new(MemoryEngine::new()), Arc::new(clock.clone()), Durability::None);
    transaction(&core, |tx| {
        for expected in [5, 10] {
            clock.set(Timestamp::from_seconds(expected));
            tx.write(op(), |writer| {
                let (before, fork) = (writer.now(), writer.fork());
                clock.advance(std::time::Duration::from_secs(1));
                assert_eq!(before.as_seconds(), expected);
                assert_eq!(
                    (writer.now(), fork.now()),
                    (before, before),
                    "what outlives the operation keeps its moment"
                );
                Ok(())
            })?;
        }
        Ok(())
    })
    .unwrap();
}

/// An engine that others write to as well: its commits conflict `conflicts` times before they pass.
#[derive(Debug)]
struct SharedEngine {
    inner: MemoryEngine,
    conflicts: AtomicU32,
}

impl Engine for SharedEngine {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn snapshot(&self) -> Result<Arc<dyn engine::Snapshot>> {
        self.inner.snapshot()
    }

    fn begin(&self) -> Result<Arc<dyn engine::Snapshot>> {
        self.inner.begin()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, durability: Durability) -> Result<Ticket> {
        assert!(reads.is_some(), "a shared engine is always told what was read");
        let step = |left: u32| left.checked_sub(1);
        if self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_ok() {
            return Err(Error::conflict(*b"elsewhere"));
        }
        self.inner.commit(changes, reads, durability)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_persistent(&self) -> bool {
        false
    }

    fn sync(&self) -> Result<()> {
        self.inner.sync()
    }

    fn stats(&self) -> Result<EngineStats> {
        self.inner.stats()
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }
}

#[test]
fn on_a_shared_engine_a_transaction_that_conflicts_runs_again_from_fresh_reads() {
    let core = core_on(SharedEngine { inner: MemoryEngine::new(), conflicts: AtomicU32::new(2) });
    let mut runs = 0;
    transaction(&core, |tx| {
        runs += 1;
        assert_eq!(get(tx, "a")?, None, "the failed runs left nothing");
        put(tx, "a", "1")
    })
    .unwrap();
    assert_eq!(runs, 3);
}

#[test]
fn on_a_shared_engine_a_body_that_runs_once_returns_its_conflict() {
    let engine = SharedEngine { inner: MemoryEngine::new(), conflicts: AtomicU32::new(1) };
    let store = crate::Store::builder().engine(Arc::new(engine)).unwrap();
    let moved = String::from("moved out");
    let mut runs = 0;
    let once = store.transaction(|tx| {
        runs += 1;
        tx.kv().set("k", "v").map(|()| moved)
    });
    assert!(once.unwrap_err().is_retryable() && runs == 1);
    assert!(store.kv().get("k").unwrap().is_none());
    store.transaction_retrying(|tx| tx.kv().set("k", "v")).unwrap();
    assert!(store.kv().exists("k").unwrap());
}

#[test]
fn on_a_shared_engine_an_awaited_body_returns_its_conflict() {
    let engine = SharedEngine { inner: MemoryEngine::new(), conflicts: AtomicU32::new(1) };
    let store = crate::Store::builder().engine(Arc::new(engine)).unwrap();
    let set = || futures_lite::future::block_on(store.transaction_async(|tx| tx.kv().set("k", "v")));
    assert!(set().unwrap_err().is_retryable());
    set().unwrap();
}

#[test]
fn a_conflict_that_never_ends_is_returned() {
    let core = core_on(SharedEngine { inner: MemoryEngine::new(), conflicts: AtomicU32::new(u32::MAX) });
    let mut runs = 0;
    let outcome = transaction(&core, |tx| {
        runs += 1;
        put(tx, "a", "1")
    });
    assert!(outcome.unwrap_err().is_retryable());
    assert_eq!(runs, crate::limits::TRANSACTION_ATTEMPTS_MAX);
}

/// One step of an optimistic transaction over few keys.
#[derive(Clone, Debug)]
enum Step {
    /// Puts the number of keys between two keys, plus one.
    Count(u8, u8, u8),
    /// Copies one key's value to another, adding one.
    Copy(u8, u8),
    Remove(u8),
    /// Copies the first value at or after a key to another key.
    First(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0u8..6;
    prop_oneof![
        (key(), key(), key()).prop_map(|(a, b, c)| Step::Count(a, b, c)),
        (key(), key()).prop_map(|(a, b)| Step::Copy(a, b)),
        key().prop_map(Step::Remove),
        (key(), key()).prop_map(|(a, b)| Step::First(a, b)),
    ]
}

fn range(low: u8, high: u8) -> KeyRange {
    KeyRange::new(Bound::Included(Key::from(vec![low])), Bound::Included(Key::from(vec![high])))
}

fn run_step(writer: &mut Writer, step: &Step) -> Result<()> {
    match step {
        Step::Count(low, high, to) => {
            let count = u8::try_from(writer.count(&range(*low, *high))?).unwrap();
            writer.put(vec![*to], vec![count + 1])
        }
        Step::Copy(from, to) => {
            let value = writer.get(&[*from])?.map_or(0, |value| value[0]);
            writer.put(vec![*to], vec![value.wrapping_add(1)])
        }
        Step::Remove(key) => {
            writer.remove(vec![*key]);
            Ok(())
        }
        Step::First(from, to) => {
            let first = writer.first(&range(*from, u8::MAX), Direction::Forward)?;
            writer.put(vec![*to], vec![first.map_or(0, |(_, value)| value[0])])
        }
    }
}

fn model_step(model: &mut BTreeMap<u8, u8>, step: &Step) {
    match step {
        Step::Count(low, high, to) => {
            let count = model.keys().filter(|key| (low..=high).contains(key)).count();
            model.insert(*to, u8::try_from(count).unwrap() + 1);
        }
        Step::Copy(from, to) => {
            let value = model.get(from).copied().unwrap_or(0);
            model.insert(*to, value.wrapping_add(1));
        }
        Step::Remove(key) => {
            model.remove(key);
        }
        Step::First(from, to) => {
            let first = model.range(from..).next().map_or(0, |(_, value)| *value);
            model.insert(*to, first);
        }
    }
}

proptest! {
    /// Three optimistic transactions run their steps in turns; those that commit must have the same effect as running
    /// one after the other in the order of their commits.
    #[test]
    fn committed_optimistic_transactions_are_serial(
        scripts in prop::collection::vec(prop::collection::vec(step(), 1..6), 3),
        commit_order in Just([0usize, 1, 2]).prop_shuffle(),
    ) {
        let core = core();
        let store = AutoCommit::new(Arc::clone(&core));
        let mut model = BTreeMap::from([(1u8, 1u8), (3, 3)]);
        for (key, value) in &model {
            store.write(op(), |writer| writer.put(vec![*key], vec![*value])).unwrap();
        }
        let mut running: Vec<_> = scripts.iter().map(|_| Some(Running::new(core.begin(Isolation::Serializable).unwrap()))).collect();
        for turn in 0..6 {
            for (script, running) in scripts.iter().zip(&running) {
                if let (Some(step), Some(running)) = (script.get(turn), running) {
                    InTransaction::new(running).write(op(), |writer| run_step(writer, step)).unwrap();
                }
            }
        }
        for index in commit_order {
            let running = running[index].take().unwrap();
            match commit(&core, running) {
                Ok(()) => scripts[index].iter().for_each(|step| model_step(&mut model, step)),
                Err(error) => prop_assert!(error.is_retryable()),
            }
        }
        let mut stored = BTreeMap::new();
        let mut cursor = store.read(op(), |view| view.range(&KeyRange::all(), Direction::Forward)).unwrap();
        while let Some((key, value)) = cursor.next().unwrap() {
            stored.insert(key[0], value[0]);
        }
        prop_assert_eq!(stored, model);
    }
}

#[test]
fn what_is_more_than_a_commit_takes_is_refused_by_the_operation_that_writes_it() {
    let max = 10_000;
    let (engine, clock) = (Arc::new(MemoryEngine::new()), Arc::new(ManualClock::default()));
    let core = Core::with_commits_of(engine, clock, Durability::None, max);
    let operation = || Operation::new("kv", "set", "");
    let put =
        |scope: &InTransaction<'_>, key: &str| scope.write(operation(), |writer| writer.put(key, vec![b'x'; 1_000]));
    let running = Running::new(core.begin(Isolation::Serializable).unwrap());
    let scope = InTransaction::new(&running);
    let taken = (0..20).take_while(|n| put(&scope, &format!("key{n}")).is_ok()).count();
    assert_eq!(taken, 9, "with what a log adds to each");
    let refused = put(&scope, "more").unwrap_err();
    assert!(matches!(refused, Error::LimitExceeded { limit: "commit bytes", max: 10_000, found } if found > 10_000));
    // The same keys again are no more, and what is removed is little.
    (0..100).for_each(|_| put(&scope, "key3").unwrap());
    scope
        .write(operation(), |writer| {
            writer.remove("key5");
            Ok(())
        })
        .unwrap();
    put(&scope, "more").unwrap();
    // Removals count too, when the operation ends.
    let long = |n: usize| format!("{n:0>1000}");
    let removed = scope.write(operation(), |writer| {
        (0..20).for_each(|n| writer.remove(long(n)));
        Ok(())
    });
    assert!(matches!(removed, Err(Error::LimitExceeded { .. })), "{removed:?}");
    commit(&core, running).unwrap();
    let view = core.view().unwrap();
    assert_eq!(view.count(&KeyRange::all()).unwrap(), 9);
    assert!(view.get(b"key5").unwrap().is_none() && view.get(b"more").unwrap().is_some());
    // The same for an operation that is its own transaction.
    let alone = AutoCommit::new(Arc::clone(&core))
        .write(operation(), |writer| (0..20).try_for_each(|n| writer.put(long(n), [b'x'; 1_000])));
    assert!(matches!(alone, Err(Error::LimitExceeded { .. })), "{alone:?}");
}
