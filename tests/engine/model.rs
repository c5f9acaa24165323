//! Random runs on every engine, compared with a `BTreeMap` per snapshot.
//!
//! Keys are few and short, so that overwrites, removals and conflicts are common; they are made of the bytes at the ends of
//! the alphabet, where orders and prefixes go wrong.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use larder::Error;
use larder::engine::{Change, Changes, Direction, Durability, Engine, Key, KeyRange, Reads, Snapshot};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::{Bed, entries};

/// An operation on one of the engines of a run, which are the first one and its forks.
#[derive(Clone, Debug)]
enum Op {
    Commit {
        on: Index,
        batch: Batch,
        durability: Durability,
    },
    /// Commits without waiting; the next operation of another kind may or may not see it.
    CommitLater {
        on: Index,
        batch: Batch,
    },
    Keep {
        on: Index,
    },
    Drop {
        snapshot: Index,
    },
    Fork {
        on: Index,
    },
    Begin {
        on: Index,
        keys: Vec<Vec<u8>>,
        ranges: Vec<KeyRange>,
    },
    CommitBegun {
        begun: Index,
        batch: Batch,
    },
    Sync {
        on: Index,
    },
    Get {
        snapshot: Index,
        key: Vec<u8>,
    },
    Scan {
        snapshot: Index,
        range: KeyRange,
    },
    Nth {
        snapshot: Index,
        range: KeyRange,
        n: u64,
    },
}

type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0u8), Just(1), Just(0xfe), Just(0xff)], 1..4)
}

fn batch() -> impl Strategy<Value = Batch> {
    let value = prop_oneof![3 => vec(any::<u8>(), 0..3), 1 => vec(any::<u8>(), 200)];
    vec((key(), proptest::option::weighted(0.7, value)), 0..6)
}

fn range() -> impl Strategy<Value = KeyRange> {
    let bound = || {
        let key = prop_oneof![1 => Just(Vec::new()), 9 => key()];
        (0..3, key).prop_map(|(kind, key)| match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(Key::from(key)),
            _ => Bound::Excluded(Key::from(key)),
        })
    };
    prop_oneof![
        3 => (bound(), bound()).prop_map(|(start, end)| KeyRange::new(start, end)),
        1 => key().prop_map(|key| KeyRange::prefix(&key)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<Index>;
    let durability = prop_oneof![Just(Durability::Sync), Just(Durability::None)];
    prop_oneof![
        6 => (index(), batch(), durability).prop_map(|(on, batch, durability)| Op::Commit { on, batch, durability }),
        3 => (index(), batch()).prop_map(|(on, batch)| Op::CommitLater { on, batch }),
        2 => index().prop_map(|on| Op::Keep { on }),
        1 => index().prop_map(|snapshot| Op::Drop { snapshot }),
        1 => index().prop_map(|on| Op::Fork { on }),
        2 => (index(), vec(key(), 0..3), vec(range(), 0..2))
            .prop_map(|(on, keys, ranges)| Op::Begin { on, keys, ranges }),
        2 => (index(), batch()).prop_map(|(begun, batch)| Op::CommitBegun { begun, batch }),
        1 => index().prop_map(|on| Op::Sync { on }),
        3 => (index(), key()).prop_map(|(snapshot, key)| Op::Get { snapshot, key }),
        4 => (index(), range()).prop_map(|(snapshot, range)| Op::Scan { snapshot, range }),
        3 => (index(), range(), 0u64..8).prop_map(|(snapshot, range, n)| Op::Nth { snapshot, range, n }),
    ]
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// An engine beside what it should hold.
struct Subject {
    engine: Arc<dyn Engine>,
    /// After the last commit.
    map: Map,
    commit: u64,
    /// The keys that each commit changed.
    log: Vec<(u64, Vec<Vec<u8>>)>,
}

impl Subject {
    fn fork(&self) -> Self {
        let engine = self.engine.fork().unwrap();
        Self { engine, map: self.map.clone(), commit: self.commit, log: self.log.clone() }
    }

    fn apply(&mut self, changes: &Changes) {
        for (key, change) in changes.iter() {
            match change {
                Change::Put(value) => self.map.insert(key.to_vec(), value.to_vec()),
                Change::Remove => self.map.remove(key),
            };
        }
        if !changes.is_empty() {
            self.commit += 1;
            self.log.push((self.commit, changes.iter().map(|(key, _)| key.to_vec()).collect()));
        }
    }

    /// Waits for everything, so that readers see what the model holds.
    fn settle(&self) {
        self.engine.commit(&Changes::new(), None, Durability::Sync).unwrap().wait().unwrap();
    }
}

/// A snapshot beside what it should show, for ever.
struct Kept {
    snapshot: Arc<dyn Snapshot>,
    map: Map,
    commit: u64,
}

/// An optimistic transaction that has read.
struct Begun {
    subject: usize,
    snapshot: Arc<dyn Snapshot>,
    reads: Reads,
}

fn changes(batch: &Batch) -> Changes {
    batch.iter().map(|(key, value)| (key, value.as_deref())).collect()
}

fn check_scan(kept: &Kept, range: &KeyRange) {
    let inside = kept.map.iter().filter(|(key, _)| range.contains(key));
    let mut expected: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(kept.snapshot.count(range).unwrap(), expected.len() as u64, "{range:?}");
    for direction in [Direction::Forward, Direction::Backward] {
        assert_eq!(entries(&*kept.snapshot, range, direction), expected, "{range:?}");
        let first = kept.snapshot.first(range, direction).unwrap().map(|(key, value)| (key.to_vec(), value.to_vec()));
        assert_eq!(first.as_ref(), expected.first(), "{range:?}");
        assert_eq!(kept.snapshot.is_empty(range).unwrap(), expected.is_empty(), "{range:?}");
        expected.reverse();
    }
}

fn check_nth(kept: &Kept, range: &KeyRange, n: u64) {
    let inside = kept.map.iter().filter(|(key, _)| range.contains(key));
    let expected = inside.map(|(key, value)| (key.clone(), value.clone())).nth(usize::try_from(n).unwrap());
    let found = kept.snapshot.nth(range, n).unwrap();
    assert_eq!(found.map(|(key, value)| (key.to_vec(), value.to_vec())), expected, "{n} of {range:?}");
}

/// Runs `ops` on an empty engine, with its last state checked at the end.
fn run(bed: &Bed, ops: &[Op]) {
    let first = Subject { engine: Arc::clone(&bed.engine), map: Map::new(), commit: 0, log: Vec::new() };
    let mut run = Run { subjects: vec![first], kept: Vec::new(), begun: Vec::new() };
    for op in ops {
        run.step(op);
    }
    for subject in 0..run.subjects.len() {
        run.keep(subject);
    }
    for kept in &run.kept {
        assert_eq!(kept.snapshot.commit().0, kept.commit);
        check_scan(kept, &KeyRange::all());
    }
}

struct Run {
    subjects: Vec<Subject>,
    kept: Vec<Kept>,
    begun: Vec<Begun>,
}

impl Run {
    fn step(&mut self, op: &Op) {
        let on = |index: &Index| index.index(self.subjects.len());
        match op {
            Op::Commit { on: index, batch, durability } => {
                let subject = on(index);
                self.commit(subject, batch, *durability).wait().unwrap();
                self.keep(subject);
                check_scan(&self.kept.pop().unwrap(), &KeyRange::all());
            }
            Op::CommitLater { on: index, batch } => {
                let subject = on(index);
                let _later = self.commit(subject, batch, Durability::Sync);
                let Subject { engine, map, commit, .. } = &self.subjects[subject];
                let latest = Kept { snapshot: engine.latest().unwrap(), map: map.clone(), commit: *commit };
                assert_eq!(latest.snapshot.commit().0, latest.commit);
                check_scan(&latest, &KeyRange::all());
            }
            Op::Keep { on: index } => self.keep(on(index)),
            Op::Drop { snapshot } if !self.kept.is_empty() => {
                self.kept.swap_remove(snapshot.index(self.kept.len()));
            }
            Op::Fork { on: index } => {
                let subject = &self.subjects[on(index)];
                subject.settle();
                let fork = subject.fork();
                self.subjects.push(fork);
            }
            Op::Begin { on: index, keys, ranges } => self.begin(on(index), keys, ranges),
            Op::CommitBegun { begun, batch } if !self.begun.is_empty() => {
                let begun = self.begun.swap_remove(begun.index(self.begun.len()));
                self.commit_begun(&begun, batch);
            }
            Op::Sync { on: index } => self.subjects[on(index)].engine.sync().unwrap(),
            Op::Get { snapshot, key } if !self.kept.is_empty() => {
                let kept = &self.kept[snapshot.index(self.kept.len())];
                assert_eq!(kept.snapshot.get(key).unwrap().as_deref(), kept.map.get(key).map(|value| &**value));
            }
            Op::Scan { snapshot, range } if !self.kept.is_empty() => {
                check_scan(&self.kept[snapshot.index(self.kept.len())], range);
            }
            Op::Nth { snapshot, range, n } if !self.kept.is_empty() => {
                check_nth(&self.kept[snapshot.index(self.kept.len())], range, *n);
            }
            Op::Drop { .. } | Op::CommitBegun { .. } | Op::Get { .. } | Op::Scan { .. } | Op::Nth { .. } => {}
        }
    }

    fn commit(&mut self, subject: usize, batch: &Batch, durability: Durability) -> larder::engine::Ticket {
        let subject = &mut self.subjects[subject];
        let changes = changes(batch);
        let ticket = subject.engine.commit(&changes, None, durability).unwrap();
        subject.apply(&changes);
        assert_eq!(ticket.number().0, subject.commit);
        ticket
    }

    fn keep(&mut self, subject: usize) {
        let subject = &self.subjects[subject];
        subject.settle();
        let snapshot = subject.engine.snapshot().unwrap();
        self.kept.push(Kept { snapshot, map: subject.map.clone(), commit: subject.commit });
    }

    /// Begins at whatever the engine shows, which may be before commits that nobody has waited for.
    fn begin(&mut self, subject: usize, keys: &[Vec<u8>], ranges: &[KeyRange]) {
        let snapshot = self.subjects[subject].engine.begin().unwrap();
        let mut reads = Reads::at(snapshot.commit());
        for key in keys {
            reads.add_key(key);
        }
        for range in ranges {
            reads.add_range(range.clone());
        }
        self.begun.push(Begun { subject, snapshot, reads });
    }

    fn commit_begun(&mut self, begun: &Begun, batch: &Batch) {
        let subject = &mut self.subjects[begun.subject];
        let changes = changes(batch);
        let since = subject.log.iter().filter(|(number, _)| *number > begun.snapshot.commit().0);
        let stale: Vec<_> = since.flat_map(|(_, keys)| keys).filter(|key| begun.reads.contains(key)).collect();
        match subject.engine.commit(&changes, Some(&begun.reads), Durability::Sync) {
            Ok(ticket) => {
                assert!(stale.is_empty(), "{stale:02x?} changed since {:?}", begun.snapshot.commit());
                subject.apply(&changes);
                assert_eq!(ticket.number().0, subject.commit);
            }
            Err(Error::Conflict { key, .. }) => assert!(stale.contains(&&key), "{key:02x?} is not one of {stale:02x?}"),
            Err(error) => panic!("{error}"),
        }
    }
}

proptest! {
    #[test]
    fn memory_agrees_with_a_map(ops in vec(op(), 1..60)) {
        run(&crate::memory(), &ops);
    }

    #[test]
    fn overlay_agrees_with_a_map(ops in vec(op(), 1..60)) {
        run(&crate::overlay(), &ops);
    }
}

proptest! {
    // Fewer runs, because each creates a directory and syncs it.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn durable_agrees_with_a_map(ops in vec(op(), 1..60)) {
        run(&crate::durable_bed(), &ops);
    }
}

#[cfg(feature = "fjall")]
proptest! {
    // Fewer runs, because each creates a directory and syncs it.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fjall_agrees_with_a_map(ops in vec(op(), 1..60)) {
        run(&crate::fjall_bed(), &ops);
    }
}

#[cfg(feature = "sled")]
proptest! {
    // Fewer runs, because each creates a directory and syncs it.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sled_agrees_with_a_map(ops in vec(op(), 1..60)) {
        run(&crate::sled_bed(), &ops);
    }
}
