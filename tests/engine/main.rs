//! What every storage engine has to do, run on each of them.
//!
//! `contract` holds one named test per rule, `model` compares random runs with a `BTreeMap`, `concurrency` reads beside
//! writers, `killed` kills processes that write, `descriptors` has one use up its files; `durable`, and `adapted` with `fjall` and `sled`, are about what only an engine
//! on disk can do: be opened, refused, damaged, copied and opened again.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

#[cfg(any(feature = "fjall", feature = "sled"))]
mod adapted;
mod concurrency;
mod contract;
#[cfg(unix)]
mod descriptors;
mod durable;
#[cfg(feature = "fjall")]
mod fjall;
#[cfg(feature = "fjall")]
mod fjall_memory;
mod killed;
mod model;
#[cfg(feature = "sled")]
mod sled;

use std::ops::Bound;
use std::sync::Arc;

use larder::engine::{
    Changes, CommitNumber, Direction, Durability, Engine, Key, KeyRange, MemoryEngine, OverlayEngine, Snapshot,
};
use tempfile::TempDir;

/// An empty engine, and the directory it may need.
struct Bed {
    engine: Arc<dyn Engine>,
    _dir: TempDir,
}

/// An empty engine of every kind.
fn beds() -> Vec<Bed> {
    vec![
        memory(),
        overlay(),
        durable_bed(),
        #[cfg(feature = "fjall")]
        fjall_bed(),
        #[cfg(feature = "sled")]
        sled_bed(),
    ]
}

fn bed(open: impl FnOnce(&TempDir) -> Arc<dyn Engine>) -> Bed {
    let dir = tempfile::tempdir().unwrap();
    Bed { engine: open(&dir), _dir: dir }
}

fn memory() -> Bed {
    bed(|_| Arc::new(MemoryEngine::new()))
}

fn overlay() -> Bed {
    bed(|_| Arc::new(OverlayEngine::new(MemoryEngine::new().snapshot().unwrap())))
}

fn durable_bed() -> Bed {
    bed(|dir| Arc::new(larder::engine::durable::DurableEngine::open(dir.path()).unwrap()))
}

#[cfg(feature = "fjall")]
fn fjall_bed() -> Bed {
    bed(|dir| Arc::new(larder::engine::fjall::FjallEngine::open(dir.path()).unwrap()))
}

#[cfg(feature = "sled")]
fn sled_bed() -> Bed {
    bed(|dir| Arc::new(larder::engine::sled::SledEngine::open(dir.path()).unwrap()))
}

/// Runs `test` on an empty engine of every kind.
fn on_every_engine(test: impl Fn(&dyn Engine)) {
    for bed in beds() {
        println!("on {}", bed.engine.name());
        test(&*bed.engine);
    }
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn key(bytes: impl AsRef<[u8]>) -> Key {
    Key::from(bytes.as_ref())
}

/// Changes that put a value at some keys and remove the others.
fn changes<'a>(entries: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Changes {
    entries.into_iter().collect()
}

/// Commits `changes` with the default durability and waits for it.
fn commit(engine: &dyn Engine, changes: &Changes) -> CommitNumber {
    let ticket = engine.commit(changes, None, Durability::Sync).unwrap();
    ticket.wait().unwrap();
    ticket.number()
}

fn put(engine: &dyn Engine, name: &str, value: &str) -> CommitNumber {
    commit(engine, &changes([(name, Some(value))]))
}

fn get(snapshot: &dyn Snapshot, name: &str) -> Option<String> {
    snapshot.get(name.as_bytes()).unwrap().map(|value| String::from_utf8(value.into_owned()).unwrap())
}

fn entries(snapshot: &dyn Snapshot, range: &KeyRange, direction: Direction) -> Entries {
    let mut cursor = snapshot.range(range, direction).unwrap();
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.push((key.to_vec(), value.to_vec()));
    }
    assert!(cursor.next().unwrap().is_none(), "a cursor that has ended stays at its end");
    entries
}

/// All keys of `range`, as text.
fn names(snapshot: &dyn Snapshot, range: &KeyRange, direction: Direction) -> Vec<String> {
    let entries = entries(snapshot, range, direction);
    entries.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

fn range(start: Bound<&str>, end: Bound<&str>) -> KeyRange {
    KeyRange::new(start.map(key), end.map(key))
}
