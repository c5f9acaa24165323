//! The engine in memory: one counted tree under one lock.
//!
//! # Cost
//! `snapshot` and `fork` are O(1); `get`, `count`, `nth` and each change O(log n).

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::local::{Local, State};
use crate::engine::tree::{Found, Tree, TreeCursor, TreeKey};
use crate::engine::{
    Changes, CommitNumber, Cursor, Direction, Draft, Durability, Engine, EngineStats, Key, KeyRange, LentEntry, Reads,
    Snapshot, Ticket, Value,
};
use crate::error::Result;

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

    /// As [`State::is_quick`].
    pub(super) fn is_quick(&self, changes: &Changes) -> bool {
        State::is_quick(self, changes)
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
        Ok(Arc::new(Self::from_snapshot(&*self.0.state()?)))
    }

    fn sync(&self) -> Result<()> {
        self.0.state().map(drop)
    }

    fn stats(&self) -> Result<EngineStats> {
        let tree = self.0.state()?;
        Ok(EngineStats {
            commit: tree.commit,
            entries: Some(tree.tree.len()),
            bytes: Some(tree.tree.bytes()),
            ..EngineStats::default()
        })
    }

    fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}

impl State for TreeSnapshot {
    fn is_quick(&self, changes: &Changes) -> bool {
        changes.is_quick_on(&self.tree)
    }

    fn apply(&mut self, changes: &Changes, number: CommitNumber) {
        changes.apply_to(&mut self.tree);
        self.commit = number;
    }
}

impl Snapshot for TreeSnapshot {
    fn commit(&self) -> CommitNumber {
        self.commit
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.tree.bytes())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(self.tree.get(key).and_then(Found::value).map(Cow::Borrowed))
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        Ok(Box::new(TreeCursor::new(&self.tree, range, direction)))
    }

    fn count(&self, range: &KeyRange) -> Result<u64> {
        Ok(self.tree.count(range))
    }

    fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        Ok(nth(&self.tree, range, n))
    }

    fn is_empty(&self, range: &KeyRange) -> Result<bool> {
        Ok(self.tree.is_empty(range))
    }

    fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        Ok(first(&self.tree, range, direction))
    }

    fn seek(&self, key: &[u8]) -> Result<Option<LentEntry<'_>>> {
        Ok(seek(&self.tree, key))
    }

    fn draft(&self) -> Option<Draft> {
        Some(Draft::of(&self.tree))
    }
}

/// The first entry whose key is `key` or above it.
pub(super) fn seek<'t>(tree: &'t Tree, key: &[u8]) -> Option<LentEntry<'t>> {
    let (key, found) = tree.seek(key)?;
    Some((key.whole(), Cow::Borrowed(found.value()?)))
}

/// The entry of `range` that has `n` entries of it before it.
pub(super) fn nth(tree: &Tree, range: &KeyRange, n: u64) -> Option<(Key, Value)> {
    let before = match range.start() {
        Bound::Unbounded => 0,
        Bound::Included(start) => tree.rank(start, false),
        Bound::Excluded(start) => tree.rank(start, true),
    };
    owned(tree.nth(before.saturating_add(n))?, range)
}

/// An entry, if `range` has it.
fn owned((key, found): (TreeKey<'_>, Found<'_>), range: &KeyRange) -> Option<(Key, Value)> {
    let key = key.whole();
    let value = found.value().filter(|_| range.contains(&key))?;
    Some((Key::from(&*key), value.into()))
}

/// The entry at the end of `range` that `direction` starts from.
pub(super) fn first(tree: &Tree, range: &KeyRange, direction: Direction) -> Option<(Key, Value)> {
    let entry = match direction {
        // One descent, and no way back up is kept.
        Direction::Forward => tree.first(range.start()),
        Direction::Backward => {
            let up_to = match range.end() {
                Bound::Unbounded => tree.len(),
                Bound::Included(end) => tree.rank(end, true),
                Bound::Excluded(end) => tree.rank(end, false),
            };
            tree.nth(up_to.checked_sub(1)?)
        }
    };
    owned(entry?, range)
}
