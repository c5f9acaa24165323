//! The engine in memory: one persistent tree under one lock.
//!
//! # Cost
//! `snapshot` and `fork` are O(1), `get` and each change O(log n). `count` and `nth` walk the range.

use std::borrow::Cow;
use std::sync::Arc;

use imbl::OrdMap;

use crate::engine::local::{Local, State};
use crate::engine::tree::Tree;
use crate::engine::{
    Change, Changes, CommitNumber, Cursor, Direction, Durability, Engine, EngineStats, Entry, Key, KeyRange, Reads,
    Snapshot, Ticket, Value,
};
use crate::error::Result;

/// Entries a cursor takes from the tree at once, at first and at most.
const CHUNK_ENTRIES: (usize, usize) = (4, 64);

/// Keeps everything in memory, and loses it when dropped.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, MemoryEngine};
/// let engine = MemoryEngine::new();
/// let before = engine.snapshot()?;
/// let changes = Changes::putting(b"a", b"1");
/// engine.commit(&changes, None, Durability::None)?.wait()?;
/// assert!(before.get(b"a")?.is_none());
/// assert_eq!(engine.snapshot()?.get(b"a")?.as_deref(), Some(&b"1"[..]));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryEngine(Local<TreeSnapshot>);

/// The entries after a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct TreeSnapshot {
    tree: Tree,
    commit: CommitNumber,
}

impl TreeSnapshot {
    pub(super) fn new(tree: Tree, commit: CommitNumber) -> Self {
        Self { tree, commit }
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) fn into_tree(self) -> Tree {
        self.tree
    }

    pub(super) fn apply(&mut self, changes: &Changes, number: CommitNumber) {
        State::apply(self, changes, number);
    }
}

impl MemoryEngine {
    /// An empty engine.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine};
    /// assert_eq!(MemoryEngine::new().stats()?.entries, Some(0));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts from what `snapshot` shows.
    pub(super) fn from_snapshot(snapshot: &TreeSnapshot) -> Self {
        Self(Local::new(snapshot.clone()))
    }
}

impl Engine for MemoryEngine {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        self.0.snapshot()
    }

    fn begin(&self) -> Result<Arc<dyn Snapshot>> {
        self.0.begin()
    }

    fn commit(&self, changes: &Changes, reads: Option<&Reads>, _durability: Durability) -> Result<Ticket> {
        self.0.commit(changes, reads)
    }

    fn is_persistent(&self) -> bool {
        false
    }

    fn fork(&self) -> Result<Arc<dyn Engine>> {
        Ok(Arc::new(Self(Local::new(self.0.state()?))))
    }

    fn sync(&self) -> Result<()> {
        self.0.state().map(drop)
    }

    fn stats(&self) -> Result<EngineStats> {
        let tree = self.0.state()?;
        Ok(EngineStats { commit: tree.commit, entries: Some(tree.tree.len()), ..EngineStats::default() })
    }

    fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}

impl State for TreeSnapshot {
    fn apply(&mut self, changes: &Changes, number: CommitNumber) {
        for (key, change) in changes.iter() {
            match change {
                Change::Put(value) => self.tree.put(key, value),
                Change::Remove => self.tree.remove(key),
            }
        }
        self.commit = number;
    }
}

impl Snapshot for TreeSnapshot {
    fn commit(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(self.tree.entries.get(key).map(|value| Cow::Borrowed(&**value)))
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        Ok(Box::new(TreeCursor::new(self.tree.entries.clone(), range.clone(), direction)))
    }
}

/// A cursor that owns a clone of a persistent tree and takes entries from it in growing chunks.
#[derive(Debug)]
pub(super) struct TreeCursor<V: Clone> {
    tree: OrdMap<Key, V>,
    /// What the chunks taken so far have left.
    rest: KeyRange,
    direction: Direction,
    chunk: std::vec::IntoIter<(Key, V)>,
    chunk_entries: usize,
    current: Option<(Key, V)>,
}

impl<V: Clone> TreeCursor<V> {
    pub(super) fn new(tree: OrdMap<Key, V>, range: KeyRange, direction: Direction) -> Self {
        let chunk = Vec::new().into_iter();
        Self { tree, rest: range, direction, chunk, chunk_entries: CHUNK_ENTRIES.0, current: None }
    }

    /// Steps to the next entry and lends it.
    pub(super) fn step(&mut self) -> Option<&(Key, V)> {
        if self.chunk.as_slice().is_empty() {
            self.refill();
        }
        self.current = self.chunk.next();
        self.current.as_ref()
    }

    fn refill(&mut self) {
        use std::ops::Bound;
        if self.rest.is_empty() {
            return;
        }
        let entries = self.tree.range::<_, [u8]>(&self.rest);
        let owned = |(key, value): (&Key, &V)| (key.clone(), value.clone());
        let chunk: Vec<_> = match self.direction {
            Direction::Forward => entries.take(self.chunk_entries).map(owned).collect(),
            Direction::Backward => entries.rev().take(self.chunk_entries).map(owned).collect(),
        };
        let everything = KeyRange::new(Bound::Unbounded, Bound::Excluded(Key::default()));
        let rest = std::mem::replace(&mut self.rest, everything);
        if let Some((last, _)) = chunk.last().filter(|_| chunk.len() == self.chunk_entries) {
            let edge = Bound::Excluded(last.clone());
            self.rest = match self.direction {
                Direction::Forward => rest.clamp(edge, Bound::Unbounded),
                Direction::Backward => rest.clamp(Bound::Unbounded, edge),
            };
        }
        self.chunk_entries = (self.chunk_entries * 2).min(CHUNK_ENTRIES.1);
        self.chunk = chunk.into_iter();
    }
}

impl Cursor for TreeCursor<Value> {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        Ok(self.step().map(|(key, value)| (&**key, &**value)))
    }
}
