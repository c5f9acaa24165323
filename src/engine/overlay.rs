//! Changes in memory over a snapshot: what a running transaction sees, and what a fork of any engine is made of.
//!
//! # Cost
//! A `get` is one lookup in each layer. Where w changes fall into a range, `count` asks the snapshot for its count and for
//! each of their keys, and `nth` for the counts of up to w + 1 ranges that do not overlap. So that this is not paid again and
//! again, the changes are made to a draft of the snapshot's state, where that can be had, once as much was paid as it costs;
//! from then on each read is one of a tree.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::engine::changes::ChangesCursor;
use crate::engine::local::{Local, State};
use crate::engine::memory::{TreeSnapshot, first, nth, seek};
use crate::engine::tree::{Found, TreeCursor};
use crate::engine::{
    Change, Changes, CommitNumber, Cursor, Direction, Draft, Durability, Engine, EngineStats, Entry, Key, KeyRange,
    LentEntry, Reads, Snapshot, Ticket, Value,
};
use crate::error::Result;

/// No more changes than this are ever worth a draft for the sake of reads.
const CHANGES_MERGED_MAX: usize = 16;

/// How often each change may be merged into what a range, a count or an nth entry returns before a draft is cheaper.
const MERGES_PER_CHANGE: usize = 2;

/// A snapshot with changes laid over it.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Engine, KeyRange, MemoryEngine, Overlay, Snapshot};
/// let mut changes = Changes::new();
/// changes.put(b"b", b"2");
/// let overlay = Overlay::new(MemoryEngine::new().snapshot()?, changes);
/// assert_eq!(overlay.count(&KeyRange::all())?, 1);
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Overlay {
    pub(crate) base: Arc<dyn Snapshot>,
    pub(crate) changes: Changes,
    commit: CommitNumber,
    merged: Merged,
}

/// What a range is read from.
enum Layers<'a> {
    /// The draft, which has everything.
    Draft(&'a Draft),
    /// The snapshot: nothing in the range was changed.
    Base,
    /// Both layers, one merged with the other.
    Both,
}

/// How many changes reads have been merged with so far: those of the overlay, and of what was forked from it. It is made when there are
/// many changes.
#[derive(Clone, Debug, Default)]
struct Merged(OnceLock<Arc<AtomicUsize>>);

impl Merged {
    fn count(&self) -> &AtomicUsize {
        self.0.get_or_init(Arc::default)
    }
}

impl Overlay {
    /// Lays `changes` over `base`.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Engine, MemoryEngine, Overlay, Snapshot};
    /// let changes = Changes::putting(b"a", b"1");
    /// let overlay = Overlay::new(MemoryEngine::new().snapshot()?, changes);
    /// assert_eq!(overlay.get(b"a")?.as_deref(), Some(&b"1"[..]));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn new(base: Arc<dyn Snapshot>, changes: Changes) -> Self {
        let commit = base.commit();
        Self { base, changes, commit, merged: Merged::default() }
    }

    /// Shows the same as the state after `commit`.
    #[cfg(any(feature = "fjall", feature = "sled"))]
    pub(super) fn at(self, commit: CommitNumber) -> Self {
        Self { commit, ..self }
    }

    /// The changes laid over the snapshot.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, Engine, MemoryEngine, Overlay};
    /// let removal = Changes::removing(b"a");
    /// let overlay = Overlay::new(MemoryEngine::new().snapshot()?, removal.clone());
    /// assert_eq!(overlay.changes(), &removal);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The snapshot below the changes.
    pub(crate) fn base(&self) -> &Arc<dyn Snapshot> {
        &self.base
    }

    /// The changes laid over the snapshot, to take some of them back.
    pub(crate) fn changes_mut(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// As [`Changes::change`].
    #[inline]
    pub(crate) fn change(&mut self, key: &[u8], change: Change<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        self.changes.change(key, change, before);
    }

    /// As [`Changes::put_new`].
    pub(crate) fn put_new(&mut self, key: &[u8], value: &[u8], before: impl FnOnce(Option<Change<'_>>)) {
        self.changes.put_new(key, value, before);
    }

    /// As [`Changes::put_shared`].
    pub(crate) fn put_shared(&mut self, key: &[u8], value: &Arc<[u8]>, before: impl FnOnce(Option<Change<'_>>)) {
        self.changes.put_shared(key, value, before);
    }

    /// Begins a draft of the state when there are many changes, so that a commit that finds the state as it was has nothing left
    /// to do.
    pub(crate) fn draft_when_large(&self) {
        if self.changes.is_large() {
            self.changes.start_draft(|| self.base.draft());
        }
    }

    /// The same for a reader that lives on while more changes are made. O(1), or a copy of few changes.
    ///
    /// With a draft, the changes are no longer distinguished from what was there before.
    pub(crate) fn fork(&self) -> Self {
        self.draft_when_large();
        if self.changes.len() > CHANGES_MERGED_MAX && self.merges_cost_a_draft(0) {
            self.changes.start_draft(|| self.base.draft());
        }
        match self.changes.draft() {
            Some(draft) => Self::new(Arc::new(TreeSnapshot::new(draft.tree().clone(), self.commit)), Changes::new()),
            None => Self {
                base: Arc::clone(&self.base),
                changes: self.changes.fork(),
                commit: self.commit,
                merged: self.merged.clone(),
            },
        }
    }

    /// What there is to read `range` from.
    fn layers(&self, range: &KeyRange) -> Layers<'_> {
        if let Some(draft) = self.changes.draft() {
            return Layers::Draft(draft);
        }
        if self.changes.len() <= CHANGES_MERGED_MAX {
            return if self.changes.is_empty() { Layers::Base } else { Layers::Both };
        }
        // Such as is asked for each entry of a unique index: nearly always in vain.
        if self.changes.excludes(range) {
            return Layers::Base;
        }
        if self.changes.is_large()
            && let Some(draft) = self.changes.start_draft(|| self.base.draft())
        {
            return Layers::Draft(draft);
        }
        let inside = self.changes.count(range);
        if inside == 0 {
            return Layers::Base;
        }
        if !self.merges_cost_a_draft(inside) {
            return Layers::Both;
        }
        self.changes.start_draft(|| self.base.draft()).map_or(Layers::Both, Layers::Draft)
    }

    /// Counts `more` merges, and returns whether a draft would have been cheaper than all there have been.
    fn merges_cost_a_draft(&self, more: usize) -> bool {
        let merged = self.merged.count().fetch_add(more, Ordering::Relaxed) + more;
        merged > self.changes.len() * MERGES_PER_CHANGE
    }

    /// How one change alters the number of entries: a put of a new key adds one, a removal of a present one takes one.
    fn effect(&self, key: &[u8], change: Change<'_>) -> Result<i64> {
        let before = self.base.get(key)?.is_some();
        Ok(i64::from(change.value().is_some()) - i64::from(before))
    }
}

impl Snapshot for Overlay {
    fn commit(&self) -> CommitNumber {
        self.commit
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.base.bytes()?.saturating_add(self.changes.bytes() as u64))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        if let Some(draft) = self.changes.draft() {
            return Ok(draft.tree().get(key).and_then(Found::value).map(Cow::Borrowed));
        }
        match self.changes.get(key) {
            Some(change) => Ok(change.value().map(Cow::Borrowed)),
            None => self.base.get(key),
        }
    }

    fn range(&self, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        let layers = self.layers(range);
        if let Layers::Draft(draft) = layers {
            return Ok(Box::new(TreeCursor::new(draft.tree(), range, direction)));
        }
        let base = self.base.range(range, direction)?;
        if matches!(layers, Layers::Base) {
            return Ok(base);
        }
        let Some(changes) = self.changes.cursor(range, direction) else { return Ok(base) };
        Ok(Box::new(MergeCursor::new(base, changes, direction)))
    }

    fn is_empty(&self, range: &KeyRange) -> Result<bool> {
        match self.layers(range) {
            Layers::Draft(draft) => Ok(draft.tree().is_empty(range)),
            Layers::Base => self.base.is_empty(range),
            Layers::Both => Ok(self.first(range, Direction::Forward)?.is_none()),
        }
    }

    fn first(&self, range: &KeyRange, direction: Direction) -> Result<Option<(Key, Value)>> {
        match self.layers(range) {
            Layers::Draft(draft) => Ok(first(draft.tree(), range, direction)),
            Layers::Base => self.base.first(range, direction),
            Layers::Both => {
                let Some(changes) = self.changes.cursor(range, direction) else {
                    return self.base.first(range, direction);
                };
                let mut cursor = MergeCursor::new(self.base.range(range, direction)?, changes, direction);
                Ok(cursor.next()?.map(|(key, value)| (Key::from(key), Value::from(value))))
            }
        }
    }

    fn seek(&self, key: &[u8]) -> Result<Option<LentEntry<'_>>> {
        if let Some(draft) = self.changes.draft() {
            return Ok(seek(draft.tree(), key));
        }
        if self.changes.is_empty() {
            return self.base.seek(key);
        }
        let range = KeyRange::all().clamp(Bound::Included(Key::from(key)), Bound::Unbounded);
        let first = self.first(&range, Direction::Forward)?;
        Ok(first.map(|(key, value)| (Cow::Owned(key.to_vec()), Cow::Owned(value.to_vec()))))
    }

    fn count(&self, range: &KeyRange) -> Result<u64> {
        match self.layers(range) {
            Layers::Draft(draft) => return Ok(draft.tree().count(range)),
            Layers::Base => return self.base.count(range),
            Layers::Both => {}
        }
        let mut count = self.base.count(range)?;
        for (key, change) in self.changes.range(range) {
            count = count.saturating_add_signed(self.effect(key, change)?);
        }
        Ok(count)
    }

    fn nth(&self, range: &KeyRange, n: u64) -> Result<Option<(Key, Value)>> {
        match self.layers(range) {
            Layers::Draft(draft) => return Ok(nth(draft.tree(), range, n)),
            Layers::Base => return self.base.nth(range, n),
            Layers::Both => {}
        }
        // Steps from change to change; the snapshot's own counts bridge the gaps between them.
        let (mut left, mut rest) = (n, range.clone());
        for (key, change) in self.changes.range(range) {
            let key = Key::from(key);
            let gap = rest.clone().clamp(Bound::Unbounded, Bound::Excluded(key.clone()));
            let in_gap = self.base.count(&gap)?;
            if left < in_gap {
                return self.base.nth(&gap, left);
            }
            left -= in_gap;
            if let Change::Put(value) = change {
                if left == 0 {
                    return Ok(Some((key, value.into())));
                }
                left -= 1;
            }
            rest = rest.clamp(Bound::Excluded(key), Bound::Unbounded);
        }
        self.base.nth(&rest, left)
    }
}

/// Walks snapshot and changes side by side; a change hides the snapshot's entry of the same key.
#[derive(Debug)]
struct MergeCursor {
    base: Box<dyn Cursor>,
    changes: ChangesCursor,
    direction: Direction,
    base_entry: Option<(Key, Vec<u8>)>,
    change: Option<(Key, Option<Value>)>,
    /// Which side the last step lent, and so has to move before the next.
    lend: Lend,
    primed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lend {
    Neither,
    Base,
    Change,
    /// The change, and the entry it hides.
    Both,
}

impl MergeCursor {
    fn new(base: Box<dyn Cursor>, changes: ChangesCursor, direction: Direction) -> Self {
        Self { base, changes, direction, base_entry: None, change: None, lend: Lend::Neither, primed: false }
    }

    fn move_base(&mut self) -> Result<()> {
        self.base_entry = self.base.next()?.map(|(key, value)| (Key::from(key), value.to_vec()));
        Ok(())
    }

    fn move_change(&mut self) {
        self.change = self.changes.step().map(|(key, change)| (Key::from(key), change.value().map(Value::from)));
    }

    fn choose(&self) -> Lend {
        match (&self.base_entry, &self.change) {
            (None, None) => Lend::Neither,
            (Some(_), None) => Lend::Base,
            (None, Some(_)) => Lend::Change,
            (Some((base, _)), Some((change, _))) => {
                let order = match self.direction {
                    Direction::Forward => base.cmp(change),
                    Direction::Backward => change.cmp(base),
                };
                match order {
                    std::cmp::Ordering::Less => Lend::Base,
                    std::cmp::Ordering::Equal => Lend::Both,
                    std::cmp::Ordering::Greater => Lend::Change,
                }
            }
        }
    }
}

impl Cursor for MergeCursor {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        if !self.primed {
            self.move_base()?;
            self.move_change();
            self.primed = true;
        }
        loop {
            match self.lend {
                Lend::Neither => {}
                Lend::Base => self.move_base()?,
                Lend::Change => self.move_change(),
                Lend::Both => {
                    self.move_base()?;
                    self.move_change();
                }
            }
            self.lend = self.choose();
            let removed = matches!(self.change, Some((_, None)));
            if !(removed && matches!(self.lend, Lend::Change | Lend::Both)) {
                break;
            }
        }
        Ok(match self.lend {
            Lend::Neither => None,
            Lend::Base => self.base_entry.as_ref().map(|(key, value)| (&**key, &**value)),
            Lend::Change | Lend::Both => {
                self.change.as_ref().and_then(|(key, value)| Some((&**key, value.as_deref()?)))
            }
        })
    }
}

/// A fork of any engine: its writes stay in memory, over a snapshot of the original.
///
/// # Examples
/// ```
/// use larder::engine::{Changes, Durability, Engine, MemoryEngine, OverlayEngine};
/// let original = MemoryEngine::new();
/// let fork = OverlayEngine::new(original.snapshot()?);
/// fork.commit(&Changes::putting(b"a", b"1"), None, Durability::None)?.wait()?;
/// assert!(fork.snapshot()?.get(b"a")?.is_some());
/// assert!(original.snapshot()?.get(b"a")?.is_none());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug)]
pub struct OverlayEngine(Local<Overlay>);

impl OverlayEngine {
    /// Starts from what `base` shows.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Engine, MemoryEngine, OverlayEngine};
    /// let base = MemoryEngine::new().snapshot()?;
    /// assert_eq!(OverlayEngine::new(base.clone()).snapshot()?.commit(), base.commit());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn new(base: Arc<dyn Snapshot>) -> Self {
        Self(Local::new(Overlay::new(base, Changes::layer())))
    }
}

impl Engine for OverlayEngine {
    fn name(&self) -> &'static str {
        "overlay"
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
        Ok(Arc::new(Self(Local::new(Overlay::clone(&*self.0.state()?)))))
    }

    fn sync(&self) -> Result<()> {
        self.0.state().map(drop)
    }

    fn stats(&self) -> Result<EngineStats> {
        Ok(EngineStats { commit: self.0.state()?.commit, entries: None, ..EngineStats::default() })
    }

    fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}

impl State for Overlay {
    fn is_quick(&self, changes: &Changes) -> bool {
        changes.is_quick()
    }

    fn apply(&mut self, changes: &Changes, number: CommitNumber) {
        self.changes.append(changes);
        self.commit = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MemoryEngine;

    #[test]
    fn readers_that_were_forked_count_together_what_they_have_merged() {
        let changes = (0..100u8).map(|n| ([n], Some([n]))).collect();
        let overlay = Overlay::new(MemoryEngine::new().snapshot().unwrap(), changes);
        let has_draft = |_: &usize| {
            let reader = overlay.fork();
            assert_eq!(reader.first(&KeyRange::all(), Direction::Backward).unwrap().unwrap().0.as_ref(), [99]);
            overlay.changes.draft().is_some()
        };
        assert_eq!((0..10).find(has_draft), Some(MERGES_PER_CHANGE + 1), "each has merged all changes once");
    }
}
