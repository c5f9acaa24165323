//! Reading through fjall's snapshots.

use std::borrow::Cow;
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{Iter, Keyspace, KvPair, Readable};

use crate::engine::fjall::failure;
use crate::engine::{CommitNumber, Cursor, Direction, Entry, KeyRange, Snapshot};
use crate::error::Result;
use crate::limits::ENGINE_KEY_BYTES_MAX;

/// The entries after one commit.
///
/// The handle of the keyspace keeps the files open, and the directory locked, after the engine is closed.
pub(super) struct FjallSnapshot {
    snapshot: fjall::Snapshot,
    entries: Keyspace,
    commit: CommitNumber,
    path: Arc<PathBuf>,
}

impl FjallSnapshot {
    /// `snapshot` ends with `commit`.
    pub(super) fn new(snapshot: fjall::Snapshot, entries: Keyspace, commit: CommitNumber, path: Arc<PathBuf>) -> Self {
        Self { snapshot, entries, commit, path }
    }
}

impl fmt::Debug for FjallSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallSnapshot").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl Snapshot for FjallSnapshot {
    fn commit(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        // Keys that cannot be stored are not there; fjall would panic over them.
        if key.is_empty() || key.len() > ENGINE_KEY_BYTES_MAX {
            return Ok(None);
        }
        let value = self.snapshot.get(&self.entries, key).map_err(|error| read_error(&self.path, error))?;
        Ok(value.map(|value| Cow::Owned(value.to_vec())))
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        let iter = storable_bounds(range).map(|bounds| self.snapshot.range::<&[u8], _>(&self.entries, bounds));
        Ok(Box::new(FjallCursor { iter, direction, current: None, path: Arc::clone(&self.path) }))
    }
}

/// Walks over the entries of one fjall snapshot, which its iterator keeps alive.
struct FjallCursor {
    /// `None` once the end is reached.
    iter: Option<Iter>,
    direction: Direction,
    current: Option<KvPair>,
    path: Arc<PathBuf>,
}

impl fmt::Debug for FjallCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallCursor").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl Cursor for FjallCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let guard = self.iter.as_mut().and_then(|iter| match self.direction {
            Direction::Forward => iter.next(),
            Direction::Backward => iter.next_back(),
        });
        let Some(guard) = guard else {
            self.iter = None;
            return Ok(None);
        };
        let entry = guard.into_inner().map_err(|error| read_error(&self.path, error))?;
        let (key, value) = self.current.insert(entry);
        Ok(Some((key, value)))
    }
}

fn read_error(path: &Path, error: fjall::Error) -> crate::error::Error {
    failure::convert("read", path, error)
}

/// Where a range starts and ends.
type Bounds<K> = (Bound<K>, Bound<K>);

/// The bounds of `range` in terms of keys that can be stored, or `None` when it holds none of those.
///
/// fjall panics over empty and over-long keys, and over bounds in the wrong order.
fn storable_bounds(range: &KeyRange) -> Option<Bounds<&[u8]>> {
    let start = match range.start() {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(key) | Bound::Excluded(key) if key.is_empty() => Bound::Unbounded,
        // A storable key is above an over-long one exactly when it is above what of that could be stored.
        Bound::Included(key) | Bound::Excluded(key) if key.len() > ENGINE_KEY_BYTES_MAX => {
            Bound::Excluded(key.get(..ENGINE_KEY_BYTES_MAX)?)
        }
        Bound::Included(key) => Bound::Included(&**key),
        Bound::Excluded(key) => Bound::Excluded(&**key),
    };
    let end = match range.end() {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(key) | Bound::Excluded(key) if key.is_empty() => return None,
        Bound::Included(key) | Bound::Excluded(key) if key.len() > ENGINE_KEY_BYTES_MAX => {
            Bound::Included(key.get(..ENGINE_KEY_BYTES_MAX)?)
        }
        Bound::Included(key) => Bound::Included(&**key),
        Bound::Excluded(key) => Bound::Excluded(&**key),
    };
    let in_order = match (&start, &end) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Included(start), Bound::Included(end)) => start <= end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => start < end,
    };
    in_order.then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Key;

    fn bounds(start: Bound<&[u8]>, end: Bound<&[u8]>) -> Option<Bounds<Vec<u8>>> {
        let range = KeyRange::new(start.map(Key::from), end.map(Key::from));
        storable_bounds(&range).map(|(start, end)| (start.map(<[u8]>::to_vec), end.map(<[u8]>::to_vec)))
    }

    #[test]
    fn bounds_that_cannot_be_stored_are_moved_to_some_that_can() {
        let long = vec![7; ENGINE_KEY_BYTES_MAX + 1];
        let cut = vec![7; ENGINE_KEY_BYTES_MAX];
        let moved = bounds(Bound::Included(&[]), Bound::Excluded(&long));
        assert_eq!(moved, Some((Bound::Unbounded, Bound::Included(cut.clone()))));
        let moved = bounds(Bound::Included(&long), Bound::Unbounded);
        assert_eq!(moved, Some((Bound::Excluded(cut), Bound::Unbounded)));
        assert_eq!(bounds(Bound::Included(&long), Bound::Included(&long)), None);
        assert_eq!(bounds(Bound::Unbounded, Bound::Included(&[])), None);
        assert_eq!(bounds(Bound::Excluded(b"a"), Bound::Included(b"a")), None);
    }
}
