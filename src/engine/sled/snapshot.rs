//! Reading sled's one state as it was after a commit.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::sled::shared::Shared;
use crate::engine::sled::undo::Old;
use crate::engine::{CommitNumber, Cursor, Direction, Entry, Key, KeyRange, Snapshot};
use crate::error::Result;

/// Entries that a cursor fetches at once.
const CHUNK: usize = 256;

/// The entries after one commit.
///
/// While it lives, what later commits change is kept for it, and the directory stays locked.
pub(super) struct SledSnapshot {
    shared: Arc<Shared>,
    commit: CommitNumber,
}

impl SledSnapshot {
    /// The state after `commit`, which is the last one, or that of a snapshot that is open.
    pub(super) fn new(shared: &Arc<Shared>, commit: CommitNumber) -> Self {
        shared.undo.open(commit);
        Self { shared: Arc::clone(shared), commit }
    }
}

impl fmt::Debug for SledSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledSnapshot").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl Drop for SledSnapshot {
    fn drop(&mut self) {
        self.shared.undo.close(self.commit);
    }
}

impl Snapshot for SledSnapshot {
    fn commit(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        // The empty key holds the store's own entry, which is not one of its user's.
        if key.is_empty() {
            return Ok(None);
        }
        // In this order: what changes after sled was read is noted before it changes.
        let newest = self.shared.get(key)?;
        let value = self.shared.undo.get(key, self.commit).unwrap_or(newest);
        Ok(value.map(|value| Cow::Owned(value.to_vec())))
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        let start = match range.start() {
            Bound::Unbounded => Bound::Excluded(Key::default()),
            Bound::Included(key) if key.is_empty() => Bound::Excluded(Key::default()),
            start => start.clone(),
        };
        let rest = KeyRange::new(start, range.end().clone());
        let snapshot = Self::new(&self.shared, self.commit);
        Ok(Box::new(SledCursor { snapshot, rest, direction, chunk: VecDeque::new(), current: None }))
    }
}

/// Walks over the entries of a snapshot of its own, a chunk at a time.
#[derive(Debug)]
struct SledCursor {
    snapshot: SledSnapshot,
    /// What comes after the chunk; empty at the end.
    rest: KeyRange,
    direction: Direction,
    chunk: VecDeque<(Key, sled::IVec)>,
    current: Option<(Key, sled::IVec)>,
}

impl SledCursor {
    /// Fetches the next entries of `rest`, perhaps none of many.
    fn fetch(&mut self) -> Result<()> {
        // sled's iterators may see halves of batches. What they see of a commit that is not the snapshot's is put right by
        // what was noted before that commit.
        let newest = self.snapshot.shared.range(&self.rest, self.direction, CHUNK)?;
        let end_of_newest = newest.last().filter(|_| newest.len() == CHUNK).map(|(key, _)| key.clone());
        let seen = match &end_of_newest {
            Some(last) => self.up_to(last),
            None => self.rest.clone(),
        };
        let (old, end_of_old) = self.snapshot.shared.undo.range(&seen, self.direction, self.snapshot.commit, CHUNK);
        let end = end_of_old.or(end_of_newest);
        let seen = end.as_ref().map_or(seen, |last| self.up_to(last));
        self.chunk = merge(newest.into_iter().filter(|(key, _)| seen.contains(key)), old, self.direction);
        self.rest = match end {
            None => KeyRange::new(Bound::Unbounded, Bound::Excluded(Key::default())),
            Some(last) => match self.direction {
                Direction::Forward => self.rest.clone().clamp(Bound::Excluded(last), Bound::Unbounded),
                Direction::Backward => self.rest.clone().clamp(Bound::Unbounded, Bound::Excluded(last)),
            },
        };
        Ok(())
    }

    /// The part of `rest` up to `last`, and that.
    fn up_to(&self, last: &Key) -> KeyRange {
        let last = Bound::Included(last.clone());
        match self.direction {
            Direction::Forward => self.rest.clone().clamp(Bound::Unbounded, last),
            Direction::Backward => self.rest.clone().clamp(last, Bound::Unbounded),
        }
    }
}

impl Cursor for SledCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        while self.chunk.is_empty() && !self.rest.is_empty() {
            self.fetch()?;
        }
        self.current = self.chunk.pop_front();
        Ok(self.current.as_ref().map(|(key, value)| (&**key, &**value)))
    }
}

/// Entries of sled, with the old ones in their place where there are such. Both go in `direction`.
fn merge(
    newest: impl Iterator<Item = (Key, sled::IVec)>,
    old: Vec<(Key, Old)>,
    direction: Direction,
) -> VecDeque<(Key, sled::IVec)> {
    let mut merged = VecDeque::new();
    let mut old = old.into_iter().peekable();
    let comes_first = |a: &Key, b: &Key| match direction {
        Direction::Forward => a < b,
        Direction::Backward => a > b,
    };
    for (key, value) in newest {
        while let Some((key, old)) = old.next_if(|(old, _)| comes_first(old, &key)) {
            merged.extend(old.map(|value| (key, value)));
        }
        match old.next_if(|(old, _)| *old == key) {
            Some((_, old)) => merged.extend(old.map(|value| (key, value))),
            None => merged.push_back((key, value)),
        }
    }
    merged.extend(old.filter_map(|(key, old)| Some((key, old?))));
    merged
}
