//! The engine in memory, and forks of it, agree with a `BTreeMap` whatever the order of calls.
//!
//! Keys are at most three bytes long, so that overwrites and removals of what is there are common, and bounds fall on keys.

#![no_main]

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use larder::engine::{Changes, Direction, Durability, Engine, Key, KeyRange, MemoryEngine, OverlayEngine, Snapshot};
use libfuzzer_sys::fuzz_target;

#[derive(Debug)]
struct ShortKey(Vec<u8>);

impl<'a> Arbitrary<'a> for ShortKey {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let length = bytes.int_in_range(1..=3)?;
        Ok(Self(bytes.bytes(length)?.to_vec()))
    }
}

#[derive(Arbitrary, Debug)]
enum Op {
    Commit(Vec<(ShortKey, Option<u8>)>),
    /// Goes on with a fork of the engine's own kind.
    Fork,
    /// Goes on with an overlay over the engine.
    Overlay,
    Keep,
    Get(ShortKey),
    Scan {
        start: Bound<ShortKey>,
        end: Bound<ShortKey>,
        n: u8,
    },
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

fn entries(snapshot: &dyn Snapshot, range: &KeyRange, direction: Direction) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut cursor = snapshot.range(range, direction).unwrap();
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.push((key.to_vec(), value.to_vec()));
    }
    entries
}

fn check(snapshot: &dyn Snapshot, map: &Map, range: &KeyRange, n: u8) {
    let inside = map.iter().filter(|(key, _)| range.contains(key));
    let mut expected: Vec<_> = inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(snapshot.count(range).unwrap(), expected.len() as u64);
    let nth = snapshot.nth(range, n.into()).unwrap();
    assert_eq!(nth.map(|(key, value)| (key.to_vec(), value.to_vec())).as_ref(), expected.get(usize::from(n)));
    assert_eq!(entries(snapshot, range, Direction::Forward), expected);
    expected.reverse();
    assert_eq!(entries(snapshot, range, Direction::Backward), expected);
}

fuzz_target!(|ops: Vec<Op>| {
    let mut engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let mut map = Map::new();
    let mut kept = Vec::new();
    for op in ops {
        match op {
            Op::Commit(batch) => {
                let mut changes = Changes::new();
                for (ShortKey(key), value) in batch {
                    if let Some(value) = value {
                        changes.put(&key, [value]);
                        map.insert(key, vec![value]);
                    } else {
                        changes.remove(&key);
                        map.remove(&key);
                    }
                }
                engine.commit(&changes, None, Durability::None).unwrap().wait().unwrap();
            }
            Op::Fork => engine = engine.fork().unwrap(),
            Op::Overlay => engine = Arc::new(OverlayEngine::new(engine.snapshot().unwrap())),
            Op::Keep => kept.push((engine.snapshot().unwrap(), map.clone())),
            Op::Get(ShortKey(key)) => {
                let snapshot = engine.snapshot().unwrap();
                assert_eq!(snapshot.get(&key).unwrap().as_deref(), map.get(&key).map(|value| &**value));
            }
            Op::Scan { start, end, n } => {
                let bound = |bound: Bound<ShortKey>| bound.map(|ShortKey(key)| Key::from(key));
                check(&*engine.snapshot().unwrap(), &map, &KeyRange::new(bound(start), bound(end)), n);
            }
        }
    }
    kept.push((engine.snapshot().unwrap(), map));
    for (snapshot, map) in &kept {
        check(&**snapshot, map, &KeyRange::all(), 0);
    }
});
