//! A tree of several levels, and forks and snapshots of it, agree with a `BTreeMap`.
//!
//! A node has up to 128 entries, which single changes seldom fill. So the changes here come by the hundred: runs of keys
//! are put, ranges and every n-th key are removed, and values are of any length on both sides of where they leave the node.

#![no_main]

use std::ops::Bound;
use std::sync::Arc;

use arbitrary::Arbitrary;
use larder::engine::{Changes, Direction, Durability, Engine, Key, KeyRange, MemoryEngine, Snapshot};
use larder_fuzz::Map;
use libfuzzer_sys::fuzz_target;

/// Changes one input makes, so that none takes long.
const CHANGES_MAX: usize = 20_000;

#[derive(Arbitrary, Debug)]
struct Run {
    shape: Shape,
    start: u16,
    step: u8,
    count: u16,
}

/// How a number becomes a key.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Shape {
    /// Two bytes.
    Short,
    /// The same many bytes before all of them.
    Prefix(u8),
    /// Many bytes after it.
    Suffix(u8),
    /// A run of zeros: keys that are the beginnings of others.
    Nested,
    /// As text, so that lengths differ.
    Text,
}

impl Shape {
    fn key(self, number: u16) -> Vec<u8> {
        match self {
            Self::Short => number.to_be_bytes().to_vec(),
            Self::Prefix(length) => [&vec![7; length.into()], &number.to_be_bytes()[..]].concat(),
            Self::Suffix(length) => [&number.to_be_bytes()[..], &vec![7; length.into()]].concat(),
            Self::Nested => vec![0; usize::from(number % 700) + 1],
            Self::Text => number.to_string().into_bytes(),
        }
    }
}

impl Run {
    fn keys(&self) -> impl Iterator<Item = Vec<u8>> {
        let step = u16::from(self.step).max(1);
        (0..self.count % 4_000).map(move |n| self.shape.key(self.start.wrapping_add(n.wrapping_mul(step))))
    }
}

#[derive(Arbitrary, Debug)]
enum Op {
    /// In one commit.
    Put {
        run: Run,
        byte: u8,
        value_bytes: u16,
    },
    /// In one commit for each.
    PutSingly {
        run: Run,
        byte: u8,
        value_bytes: u16,
    },
    Remove(Run),
    RemoveRange {
        shape: Shape,
        from: u16,
        to: u16,
    },
    RemoveEvery(u8),
    Keep,
    Drop(u8),
    /// Goes on with a fork; the engine that it is of goes on to be held.
    Fork,
    Look {
        shape: Shape,
        from: u16,
        to: u16,
        n: u16,
    },
}

fn commit(engine: &dyn Engine, changes: &Changes) {
    engine.commit(changes, None, Durability::None).unwrap().wait().unwrap();
}

/// Values of one commit together are to stay small enough.
fn value(byte: u8, value_bytes: u16, nth: usize) -> Vec<u8> {
    let length = if nth % 64 == 0 { value_bytes } else { value_bytes % 512 };
    vec![byte; length.into()]
}

fn look(snapshot: &dyn Snapshot, map: &Map, range: &KeyRange, n: u64) {
    let inside = || map.iter().filter(|(key, _)| range.contains(key));
    let count = inside().count();
    assert_eq!(snapshot.count(range).unwrap(), count as u64);
    let nth = snapshot.nth(range, n).unwrap();
    let expected = usize::try_from(n).ok().and_then(|n| inside().nth(n));
    assert_eq!(
        nth.as_ref().map(|(key, value)| (&key[..], &value[..])),
        expected.map(|(key, value)| (&key[..], &value[..]))
    );
    for direction in [Direction::Forward, Direction::Backward] {
        let mut cursor = snapshot.range(range, direction).unwrap();
        let mut expected: Box<dyn Iterator<Item = _>> = match direction {
            Direction::Forward => Box::new(inside()),
            Direction::Backward => Box::new(map.iter().rev().filter(|(key, _)| range.contains(key))),
        };
        while let Some((key, value)) = cursor.next().unwrap() {
            assert_eq!(Some((key, value)), expected.next().map(|(key, value)| (&key[..], &value[..])));
        }
        assert!(expected.next().is_none());
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let mut engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let mut map = Map::new();
    let (mut kept, mut engines) = (Vec::new(), Vec::new());
    let mut left = CHANGES_MAX;
    for op in ops.into_iter().take(40) {
        let mut changes = Changes::new();
        match op {
            Op::Put { run, byte, value_bytes } => {
                for (nth, key) in run.keys().take(left).enumerate() {
                    let value = value(byte, value_bytes, nth);
                    changes.put(&key, value.clone());
                    map.insert(key, value);
                }
            }
            Op::PutSingly { run, byte, value_bytes } => {
                for (nth, key) in run.keys().take(left).enumerate() {
                    let value = value(byte, value_bytes, nth);
                    commit(&*engine, &Changes::putting(key.clone(), value.clone()));
                    map.insert(key, value);
                    left -= 1;
                }
            }
            Op::Remove(run) => run.keys().take(left).for_each(|key| changes.remove(&key)),
            Op::RemoveRange { shape, from, to } => {
                let range = shape.key(from)..shape.key(to);
                map.keys().filter(|key| range.contains(*key)).for_each(|key| changes.remove(key));
            }
            Op::RemoveEvery(n) => {
                map.keys().step_by(usize::from(n).max(1)).for_each(|key| changes.remove(key));
            }
            Op::Keep => kept.push((engine.snapshot().unwrap(), map.clone())),
            Op::Drop(at) => {
                if !kept.is_empty() {
                    kept.swap_remove(usize::from(at) % kept.len());
                }
            }
            Op::Fork => {
                let fork = engine.fork().unwrap();
                engines.push((std::mem::replace(&mut engine, fork), map.clone()));
            }
            Op::Look { shape, from, to, n } => {
                let [from, to] = [from, to].map(|number| Key::from(shape.key(number)));
                let range = KeyRange::new(Bound::Included(from), Bound::Excluded(to));
                look(&*engine.snapshot().unwrap(), &map, &range, n.into());
            }
        }
        for (key, change) in changes.iter() {
            if change.value().is_none() {
                map.remove(key);
            }
        }
        left = left.saturating_sub(changes.len());
        commit(&*engine, &changes);
    }
    kept.push((engine.snapshot().unwrap(), map));
    kept.extend(engines.into_iter().map(|(engine, map)| (engine.snapshot().unwrap(), map)));
    for (snapshot, map) in &kept {
        look(&**snapshot, map, &KeyRange::all(), map.len() as u64 / 2);
        for key in map.keys().step_by(97) {
            assert_eq!(snapshot.get(key).unwrap().as_deref(), map.get(key).map(|value| &**value));
        }
    }
});
