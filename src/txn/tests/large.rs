//! Transactions of any size, with reads between their writes, agree with a map on every kind of engine.

use super::*;
use crate::engine::OverlayEngine;
use crate::engine::durable::DurableEngine;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// What one operation writes.
#[derive(Clone, Debug)]
enum Write {
    Put(u16, u16),
    /// So many keys from one on, in no order.
    PutRun(u16, u16),
    Remove(u16),
    RemoveRun(u16, u16),
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Write>),
    /// An operation that fails at its end.
    Fail(Vec<Write>),
    /// Reads in every way there is.
    Look(KeyRange, u64),
    /// Opens a cursor, and a view for a reader that lives on, and looks at them when the transaction has ended.
    Open(KeyRange),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Commit,
    /// Nobody waits for it before the next one has begun.
    CommitLater,
    RollBack,
    /// Begun before another commit, which changes what it has not read.
    Optimistic,
}

fn key(n: u16) -> Vec<u8> {
    format!("key:{:05}", u32::from(n) * 7_919 % 10_007).into_bytes()
}

fn value(n: u16) -> Vec<u8> {
    // Some lie beside a leaf.
    vec![n.to_be_bytes()[1]; usize::from(n % 50) * if n.is_multiple_of(17) { 60 } else { 1 }]
}

fn write() -> impl Strategy<Value = Write> {
    let (n, count) = (|| 0..400u16, prop_oneof![8 => 0..40u16, 2 => 200..600u16, 1 => 4_000..5_000u16]);
    prop_oneof![
        4 => (n(), n()).prop_map(|(key, value)| Write::Put(key, value)),
        2 => (n(), count).prop_map(|(from, count)| Write::PutRun(from, count)),
        4 => n().prop_map(Write::Remove),
        2 => (n(), 0..300u16).prop_map(|(from, count)| Write::RemoveRun(from, count)),
    ]
}

fn some_range() -> impl Strategy<Value = KeyRange> {
    let bound = || {
        prop_oneof![
            Just(Bound::Unbounded),
            (0..400u16).prop_map(|n| Bound::Included(Key::from(key(n)))),
            (0..400u16).prop_map(|n| Bound::Excluded(Key::from(key(n)))),
        ]
    };
    (bound(), bound()).prop_map(|(start, end)| KeyRange::new(start, end))
}

fn step() -> impl Strategy<Value = Step> {
    let writes = || prop::collection::vec(write(), 1..5);
    prop_oneof![
        4 => writes().prop_map(Step::Write),
        2 => writes().prop_map(Step::Fail),
        4 => (some_range(), 0..200u64).prop_map(|(range, n)| Step::Look(range, n)),
        2 => some_range().prop_map(Step::Open),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Commit),
        2 => Just(Ending::CommitLater),
        1 => Just(Ending::RollBack),
        2 => Just(Ending::Optimistic),
    ]
}

fn do_write(writer: &mut Writer, write: &Write) -> Result<()> {
    match write {
        Write::Put(n, seed) => writer.put(key(*n), value(*seed)),
        Write::PutRun(from, count) => (*from..*from + *count).try_for_each(|n| writer.put(key(n), value(n))),
        Write::Remove(n) => {
            writer.remove(key(*n));
            Ok(())
        }
        Write::RemoveRun(from, count) => {
            for n in *from..*from + *count {
                writer.remove(key(n));
            }
            Ok(())
        }
    }
}

fn model_write(model: &mut Model, write: &Write) {
    match write {
        Write::Put(n, seed) => drop(model.insert(key(*n), value(*seed))),
        Write::PutRun(from, count) => model.extend((*from..*from + *count).map(|n| (key(n), value(n)))),
        Write::Remove(n) => drop(model.remove(&key(*n))),
        Write::RemoveRun(from, count) => {
            for n in *from..*from + *count {
                model.remove(&key(n));
            }
        }
    }
}

fn rest_of(mut cursor: Cursor) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.push((key.to_vec(), value.to_vec()));
    }
    entries
}

fn look(view: &View, model: &Model, range: &KeyRange, n: u64) {
    let inside = model.iter().filter(|(key, _)| range.contains(key));
    let mut expected: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(view.count(range).unwrap(), expected.len() as u64, "{range:?}");
    let nth = view.nth(range, n).unwrap().map(|(key, value)| (key.to_vec(), value.to_vec()));
    assert!(nth.as_ref() == expected.get(usize::try_from(n).unwrap()), "{n} of {range:?}");
    for direction in [Direction::Forward, Direction::Backward] {
        let first = view.first(range, direction).unwrap().map(|(key, value)| (key.to_vec(), value.to_vec()));
        assert!(first.as_ref() == expected.first(), "the first of {range:?}, {direction:?}");
        assert!(rest_of(view.range(range, direction).unwrap()) == expected, "{range:?}, {direction:?}");
        expected.reverse();
    }
    for n in (0..400).step_by(37) {
        assert!(view.get(&key(n)).unwrap().as_deref() == model.get(&key(n)).map(Vec::as_slice), "{n}");
    }
}

/// What a reader has kept, and what it has to show.
struct Kept {
    view: View,
    cursor: Cursor,
    range: KeyRange,
    model: Model,
}

/// Does the steps of one transaction in `tx` and `model`.
fn do_steps(tx: InTransaction<'_>, steps: &[Step], model: &mut Model, kept: &mut Vec<Kept>) -> Result<()> {
    for step in steps {
        match step {
            Step::Write(writes) => {
                tx.write(op(), |writer| writes.iter().try_for_each(|write| do_write(writer, write)))?;
                for write in writes {
                    model_write(model, write);
                }
            }
            Step::Fail(writes) => {
                let failed: Result<()> = tx.write(op(), |writer| {
                    writes.iter().try_for_each(|write| do_write(writer, write))?;
                    Err(refusal())
                });
                assert!(failed.is_err());
            }
            Step::Look(range, n) => tx.read(op(), |view| {
                look(view, model, range, *n);
                Ok(())
            })?,
            Step::Open(range) => tx.read(op(), |view| {
                let (cursor, range) = (view.range(range, Direction::Forward)?, range.clone());
                kept.push(Kept { view: view.fork(), cursor, range, model: model.clone() });
                Ok(())
            })?,
        }
    }
    Ok(())
}

fn run(core: &Arc<Core>, transactions: &[(Ending, Vec<Step>)]) {
    let (mut model, mut kept, mut pending) = (Model::new(), Vec::new(), Vec::new());
    for (number, (ending, steps)) in transactions.iter().enumerate() {
        let mut after = model.clone();
        if *ending == Ending::Optimistic {
            for pending in std::mem::take(&mut pending) {
                Pending::settle(&pending).unwrap();
            }
            let running = Running::new(core.begin(Isolation::Serializable).unwrap());
            do_steps(InTransaction::new(&running), steps, &mut after, &mut kept).unwrap();
            let other = format!("other:{number}");
            put(&AutoCommit::new(Arc::clone(core)), &other, "1").unwrap();
            model.insert(other.clone().into_bytes(), b"1".to_vec());
            match commit(core, running) {
                Ok(()) => {
                    after.insert(other.into_bytes(), b"1".to_vec());
                    model = after;
                }
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
            continue;
        }
        let outcome = core.exclusive_pending(|writer| {
            let running = Running::of(writer);
            do_steps(InTransaction::new(&running), steps, &mut after, &mut kept)?;
            if *ending == Ending::RollBack { Err(refusal()) } else { Ok(((), running.into_writer())) }
        });
        let Attempted { outcome, pending: commit } = outcome.unwrap();
        if outcome.is_err() {
            assert_eq!(*ending, Ending::RollBack);
            commit.settle().unwrap();
            continue;
        }
        model = after;
        if *ending == Ending::CommitLater {
            pending.push(commit);
        } else {
            commit.settle().unwrap();
            look(&core.view().unwrap(), &model, &KeyRange::all(), 3);
        }
    }
    drop(pending);
    let look_at_all = |view: &View| {
        look(view, &model, &KeyRange::all(), 7);
        Ok(())
    };
    transaction(core, |tx| tx.read(op(), look_at_all)).unwrap();
    for Kept { view, cursor, range, model } in kept {
        let inside = model.iter().filter(|(key, _)| range.contains(key));
        let inside: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
        assert!(rest_of(cursor) == inside, "a cursor shows what there was when it was opened");
        look(&view, &model, &range, 5);
    }
    core.engine().check().unwrap();
}

fn transactions() -> impl Strategy<Value = Vec<(Ending, Vec<Step>)>> {
    prop::collection::vec((ending(), prop::collection::vec(step(), 1..8)), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn transactions_in_memory_agree_with_a_map(transactions in transactions()) {
        run(&core(), &transactions);
    }

    #[test]
    fn transactions_of_a_fork_without_drafts_agree_with_a_map(transactions in transactions()) {
        run(&core_on(OverlayEngine::new(MemoryEngine::new().snapshot().unwrap())), &transactions);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn transactions_on_disk_agree_with_a_map(transactions in transactions()) {
        let dir = tempfile::tempdir().unwrap();
        let model = {
            let engine = Arc::new(DurableEngine::open(dir.path()).unwrap());
            let core = Core::new(engine.clone(), Arc::new(ManualClock::default()), Durability::Sync);
            run(&core, &transactions);
            let entries = rest_of(core.view().unwrap().range(&KeyRange::all(), Direction::Forward).unwrap());
            engine.close().unwrap();
            entries
        };
        let core = core_on(DurableEngine::open(dir.path()).unwrap());
        let entries = rest_of(core.view().unwrap().range(&KeyRange::all(), Direction::Forward).unwrap());
        prop_assert!(entries == model, "the log has what the draft had");
    }
}

/// What a transaction removed costs its later reads nothing: a thousand times more work would show here as minutes.
#[test]
fn a_loop_that_removes_the_first_and_looks_for_the_next_is_linear() {
    const ENTRIES: u16 = 30_000;
    let core = core();
    let place = |n: u16| n.to_be_bytes();
    transaction(&core, |tx| {
        for n in 0..ENTRIES {
            tx.write(op(), |writer| writer.put(place(n), b"1"))?;
        }
        for n in 0..ENTRIES {
            tx.write(op(), |writer| {
                let first = writer.first(&KeyRange::all(), Direction::Forward)?;
                assert_eq!(first.map(|(key, _)| key), Some(Key::from(&place(n)[..])));
                assert_eq!(writer.count(&KeyRange::all())?, u64::from(ENTRIES - n));
                writer.remove(place(n));
                Ok(())
            })?;
        }
        Ok(())
    })
    .unwrap();
}
