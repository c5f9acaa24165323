//! What a transaction has written and not yet committed.
//!
//! Changes are kept in one buffer, in the order in which they were made, with a table of hashes when they are many; in order of
//! the keys when somebody asks for that; and in a *draft* of the state they lead to when there are so many, or they are read so
//! often together with what lies below, that it is cheaper to have it. `docs/changes.md` has what each is worth.

mod buffer;
mod draft;
mod index;
mod prefixes;
mod runs;

use std::sync::{Arc, OnceLock};

use crate::engine::tree::{self, Found, INLINE_VALUE_BYTES_MAX, Stored, Tree};
use crate::engine::{Direction, KeyRange};
use crate::error::Result;
use crate::limits;
use buffer::{Buffer, BufferCursor, BufferIter};
pub use draft::Draft;

/// More changes than this, or more bytes, are made to a draft where one is asked for.
///
/// It is also what a commit may do while readers wait, where no snapshot holds the state: about a millisecond.
const CHANGES_BUFFERED_MAX: usize = 4_096;

/// In the order of their keys more changes take no longer, as long as they fall into this many leaves.
const CHANGES_IN_ORDER_MAX: usize = 4 * CHANGES_BUFFERED_MAX;

/// Entries of a leaf, at the least as a rule.
const LEAF_ENTRIES: u64 = 64;

/// From this many changes on they are made in the order of their keys.
const CHANGES_SORTED_MIN: usize = 512;

/// Bytes of buffered keys and values; large values are shared, and cost nothing to hand on.
const BYTES_BUFFERED_MAX: usize = 2 << 20;

/// Entries of a leaf and children of an inner node: small, because there are few.
const LEAF: usize = 32;
const INNER: usize = 16;

/// Changes by key, in a tree where a removal is an entry, too.
type Sorted = Tree<LEAF, INNER>;

/// Buffered changes: for each key, the last of what was done to it.
///
/// # Cost
/// O(1) for a change and for looking one up; the first time that many are read in order O(n log n), and from then on O(log n)
/// for a change. A clone copies them.
///
/// # Examples
/// ```
/// use larder::engine::{Change, Changes, Durability, Engine, MemoryEngine};
/// let mut changes = Changes::new();
/// changes.put(b"a", b"1");
/// changes.remove(b"b");
/// assert_eq!(changes.get(b"b"), Some(Change::Remove));
/// let engine = MemoryEngine::new();
/// engine.commit(&changes, None, Durability::None)?.wait()?;
/// assert_eq!(engine.stats()?.entries, Some(1));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Changes {
    kept: Kept,
    /// What the state they are laid over becomes by them, from when it was asked for; nothing where that cannot be had.
    draft: OnceLock<Option<Box<Draft>>>,
    /// Whether some key or value was ever one that no engine could keep: a commit need not look at all of them to know.
    may_exceed: bool,
}

#[derive(Clone, Debug)]
enum Kept {
    Buffer(Buffer),
    /// Cloned in O(1), for changes that are added to for long, or while a cursor walks them; and where hashes fail.
    Tree(Sorted),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Buffer(Buffer::default())
    }
}

impl Clone for Changes {
    /// The changes alone: a copy may be laid over another state than its original's draft began with.
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), draft: OnceLock::new(), may_exceed: self.may_exceed }
    }
}

impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Changes {}

/// What a commit does to one key.
///
/// # Examples
/// ```
/// use larder::engine::{Change, Changes};
/// assert_eq!(Changes::putting(b"a", b"1").get(b"a"), Some(Change::Put(b"1")));
/// assert_eq!(Changes::removing(b"a").get(b"a"), Some(Change::Remove));
/// assert_eq!(Changes::new().get(b"a"), None, "it is left as it is");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The key gets this value.
    Put(&'a [u8]),
    /// The key is gone, if it was there.
    Remove,
}

impl<'a> Change<'a> {
    /// The value that is put.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::Change;
    /// assert_eq!(Change::Put(b"1").value(), Some(&b"1"[..]));
    /// assert_eq!(Change::Remove.value(), None);
    /// ```
    #[must_use]
    pub fn value(self) -> Option<&'a [u8]> {
        match self {
            Self::Put(value) => Some(value),
            Self::Remove => None,
        }
    }

    fn of(found: Found<'a>) -> Self {
        found.value().map_or(Self::Remove, Self::Put)
    }
}

impl Changes {
    /// No changes.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::engine::Changes::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts one value and changes nothing else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::putting(b"a", b"1").len(), 1);
    /// ```
    #[must_use]
    pub fn putting(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let mut changes = Self::new();
        changes.put(key, value);
        changes
    }

    /// Removes one key and changes nothing else.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::removing(b"a").len(), 1);
    /// ```
    #[must_use]
    pub fn removing(key: impl AsRef<[u8]>) -> Self {
        let mut changes = Self::new();
        changes.remove(key);
        changes
    }

    /// Puts `value` at `key`, whatever was to become of it before.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Change, Changes};
    /// let mut changes = Changes::removing(b"a");
    /// changes.put(b"a", b"1");
    /// assert_eq!(changes.get(b"a"), Some(Change::Put(b"1")));
    /// ```
    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.change(key.as_ref(), Change::Put(value.as_ref()), |_| ());
    }

    /// Removes `key`, whatever was to become of it before.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Change, Changes};
    /// let mut changes = Changes::putting(b"a", b"1");
    /// changes.remove(b"a");
    /// assert_eq!(changes.get(b"a"), Some(Change::Remove));
    /// ```
    pub fn remove(&mut self, key: impl AsRef<[u8]>) {
        self.change(key.as_ref(), Change::Remove, |_| ());
    }

    /// No changes, to be cloned in O(1) however many there will be.
    pub(super) fn layer() -> Self {
        Self { kept: Kept::Tree(Sorted::default()), ..Self::default() }
    }

    /// Sets what becomes of `key`, and calls `before` with what was to become of it until now.
    pub(crate) fn change(&mut self, key: &[u8], change: Change<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        match change {
            Change::Put(value) if value.len() > INLINE_VALUE_BYTES_MAX => {
                self.set(key, Stored::Large(&value.into()), before);
            }
            Change::Put(value) => self.set(key, Stored::Bytes(value), before),
            Change::Remove => self.set(key, Stored::Removed, before),
        }
    }

    /// As [`Changes::change`] with [`Change::Put`], of a large value that is kept as it is, and not copied.
    pub(crate) fn put_shared(&mut self, key: &[u8], value: &Arc<[u8]>, before: impl FnOnce(Option<Change<'_>>)) {
        if value.len() > INLINE_VALUE_BYTES_MAX {
            self.set(key, Stored::Large(value), before);
        } else {
            self.set(key, Stored::Bytes(value), before);
        }
    }

    /// As [`Changes::change`] with [`Change::Put`], of a key that was not changed before, so that it need not be looked for.
    pub(crate) fn put_new(&mut self, key: &[u8], value: &[u8], before: impl FnOnce(Option<Change<'_>>)) {
        if value.len() > INLINE_VALUE_BYTES_MAX {
            self.set_known(key, Stored::Large(&value.into()), true, before);
        } else {
            self.set_known(key, Stored::Bytes(value), true, before);
        }
    }

    #[inline]
    fn set(&mut self, key: &[u8], value: Stored<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        self.set_known(key, value, false, before);
    }

    /// Sets what becomes of `key`, which may be known to be a new one.
    #[inline]
    fn set_known(&mut self, key: &[u8], value: Stored<'_>, is_new: bool, before: impl FnOnce(Option<Change<'_>>)) {
        self.may_exceed |= key.is_empty()
            || key.len() > limits::ENGINE_KEY_BYTES_MAX
            || value.bytes() > limits::ENGINE_VALUE_BYTES_MAX;
        if let Kept::Buffer(buffer) = &self.kept
            && (buffer.is_crowded() || !buffer.has_room(key, value))
        {
            self.kept = Kept::Tree(buffer.to_sorted());
        }
        let draft = self.draft.get_mut().and_then(Option::as_deref_mut);
        let is_new_in_draft = draft.is_some_and(|draft| {
            if let Kept::Buffer(buffer) = &mut self.kept {
                buffer.forget_order();
            }
            draft.set(key, value)
        });
        match &mut self.kept {
            Kept::Buffer(buffer) if is_new || is_new_in_draft => buffer.set_new(key, value, before),
            Kept::Buffer(buffer) => buffer.set(key, value, before),
            Kept::Tree(tree) => {
                before(tree.get(key).map(Change::of));
                tree.insert(key, value);
            }
        }
    }

    /// Leaves `key` as it is in the store.
    ///
    /// # Examples
    /// ```
    /// let mut changes = larder::engine::Changes::removing(b"a");
    /// changes.forget(b"a");
    /// assert!(changes.is_empty());
    /// ```
    pub fn forget(&mut self, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        match &mut self.kept {
            Kept::Buffer(buffer) => buffer.forget(key),
            Kept::Tree(tree) => tree.remove(key),
        }
        if let Some(draft) = self.draft.get_mut().and_then(Option::as_deref_mut) {
            draft.forget(key);
        }
    }

    /// Adds what was done after these changes.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Change, Changes};
    /// let mut changes = Changes::putting(b"a", b"1");
    /// changes.append(&Changes::removing(b"a"));
    /// assert_eq!(changes.get(b"a"), Some(Change::Remove));
    /// ```
    pub fn append(&mut self, later: &Self) {
        for (key, found) in later.found() {
            self.set(key, found.stored(), |_| ());
        }
    }

    /// What becomes of `key`; `None` when it is left as it is.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Change, Changes};
    /// assert_eq!(Changes::putting(b"a", b"1").get(b"a"), Some(Change::Put(b"1")));
    /// ```
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Change<'_>> {
        let found = match &self.kept {
            Kept::Buffer(buffer) => buffer.get(key),
            Kept::Tree(tree) => tree.get(key),
        };
        found.map(Change::of)
    }

    /// How many keys change.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::removing(b"a").len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.kept {
            Kept::Buffer(buffer) => buffer.len(),
            Kept::Tree(tree) => usize::try_from(tree.len()).unwrap_or(usize::MAX),
        }
    }

    /// Whether nothing changes.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::engine::Changes::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a commit has to look whether each key and value is one that an engine can keep.
    #[inline]
    pub(super) fn may_exceed(&self) -> bool {
        self.may_exceed
    }

    /// Bytes of the keys, and of the values that are put.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::putting(b"key", b"value").bytes(), 8);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.kept {
            Kept::Buffer(buffer) => buffer.size(),
            Kept::Tree(tree) => usize::try_from(tree.bytes()).unwrap_or(usize::MAX),
        }
    }

    /// Every change, lowest key first.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Change, Changes};
    /// let changes = Changes::putting(b"a", b"1");
    /// assert!(changes.iter().eq([(&b"a"[..], Change::Put(b"1"))]));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Change<'_>)> {
        let changes = match &self.kept {
            Kept::Buffer(buffer) => match buffer.sorted_before() {
                Some(sorted) => ChangesIter::Tree(sorted.iter(&KeyRange::ALL)),
                None => ChangesIter::Buffer(buffer.in_order()),
            },
            Kept::Tree(tree) => ChangesIter::Tree(tree.iter(&KeyRange::ALL)),
        };
        changes.map(|(key, found)| (key, Change::of(found)))
    }

    /// The changes of keys in `range`, lowest key first.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, KeyRange};
    /// assert_eq!(Changes::putting(b"a", b"1").range(&KeyRange::prefix(b"b")).count(), 0);
    /// ```
    pub fn range<'a>(&'a self, range: &'a KeyRange) -> impl Iterator<Item = (&'a [u8], Change<'a>)> {
        let changes = match (&self.kept, self.sorted()) {
            (Kept::Buffer(buffer), None) => ChangesIter::Buffer(buffer.range(range)),
            (Kept::Buffer(_), Some(tree)) | (Kept::Tree(tree), _) => ChangesIter::Tree(tree.iter(range)),
        };
        changes.map(|(key, found)| (key, Change::of(found)))
    }

    /// Calls `take` with every change, in any order, until it fails.
    #[inline]
    pub(super) fn try_each(&self, mut take: impl FnMut(&[u8], Change<'_>) -> Result<()>) -> Result<()> {
        match &self.kept {
            Kept::Buffer(buffer) => buffer.each().try_for_each(|(key, found)| take(key, Change::of(found))),
            Kept::Tree(tree) => tree.iter(&KeyRange::ALL).try_for_each(|(key, found)| take(key, Change::of(found))),
        }
    }

    /// Every change, in any order.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&[u8], Change<'_>)> {
        self.found().map(|(key, found)| (key, Change::of(found)))
    }

    fn found(&self) -> impl Iterator<Item = (&[u8], Found<'_>)> {
        let (buffer, tree) = match &self.kept {
            Kept::Buffer(buffer) => (Some(buffer), None),
            Kept::Tree(tree) => (None, Some(tree)),
        };
        buffer.into_iter().flat_map(Buffer::each).chain(tree.into_iter().flat_map(|tree| tree.iter(&KeyRange::ALL)))
    }

    /// The changes in order, unless they are so few that it costs nothing to make their order each time.
    fn sorted(&self) -> Option<&Sorted> {
        match &self.kept {
            Kept::Buffer(buffer) if buffer.is_small() => None,
            Kept::Buffer(buffer) => buffer.sorted(),
            Kept::Tree(tree) => Some(tree),
        }
    }

    /// Whether it is sure, without looking at them, that no changed key is in `range`.
    pub(super) fn excludes(&self, range: &KeyRange) -> bool {
        match (&self.kept, range.as_prefix()) {
            (Kept::Buffer(buffer), Some(prefix)) => buffer.excludes(prefix),
            _ => false,
        }
    }

    /// How many changes there are of keys in `range`.
    pub(super) fn count(&self, range: &KeyRange) -> usize {
        match (&self.kept, self.sorted()) {
            (Kept::Buffer(buffer), None) => buffer.count(range),
            (Kept::Buffer(_), Some(tree)) | (Kept::Tree(tree), _) => {
                usize::try_from(tree.count(range)).unwrap_or(usize::MAX)
            }
        }
    }

    /// A cursor over the changes in `range` that stays as it is; `None` where it is known that there are none.
    ///
    /// # Cost
    /// A copy of few changes, or O(log n).
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> Option<ChangesCursor> {
        match (&self.kept, self.sorted()) {
            (Kept::Buffer(buffer), None) => buffer.cursor(range, direction).map(ChangesCursor::Buffer),
            (Kept::Buffer(_), Some(tree)) | (Kept::Tree(tree), _) => {
                Some(ChangesCursor::Tree(tree::TreeCursor::new(tree, range, direction)))
            }
        }
    }

    /// The same changes for a reader that lives on while more are made, without a draft.
    ///
    /// # Cost
    /// A copy of few changes, or O(1) after the first.
    pub(super) fn fork(&self) -> Self {
        let kept = match (&self.kept, self.sorted()) {
            (Kept::Buffer(buffer), None) => Kept::Buffer(buffer.clone()),
            (Kept::Buffer(_), Some(tree)) | (Kept::Tree(tree), _) => Kept::Tree(tree.clone()),
        };
        Self { kept, draft: OnceLock::new(), may_exceed: self.may_exceed }
    }

    /// The state that the changes lead to, if somebody has had it made.
    pub(super) fn draft(&self) -> Option<&Draft> {
        self.draft.get()?.as_deref()
    }

    /// Makes the changes to `draft`, and each that follows.
    pub(super) fn start_draft(&self, draft: impl FnOnce() -> Option<Draft>) -> Option<&Draft> {
        let start = || {
            let mut draft = draft()?;
            self.make_to(draft.tree_mut());
            Some(Box::new(draft))
        };
        self.draft.get_or_init(start).as_deref()
    }

    /// Whether there are more than reads should be merged with; asked until there was an attempt at a draft.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        !self.is_quick() && self.draft.get().is_none()
    }

    /// Whether all of `commits` together are few enough to be made while readers wait.
    pub(super) fn are_quick<'a>(commits: impl Iterator<Item = &'a Self>) -> bool {
        let (mut len, mut bytes) = (0, 0);
        for changes in commits {
            len += changes.len();
            bytes += changes.buffered_bytes();
        }
        len <= CHANGES_BUFFERED_MAX && bytes <= BYTES_BUFFERED_MAX
    }

    /// Whether they are few enough to be made while readers wait.
    pub(super) fn is_quick(&self) -> bool {
        self.len() <= CHANGES_BUFFERED_MAX && self.buffered_bytes() <= BYTES_BUFFERED_MAX
    }

    /// Bytes of keys and values, those of large values not counted, where that is known.
    fn buffered_bytes(&self) -> usize {
        match &self.kept {
            Kept::Buffer(buffer) => buffer.buffered_bytes(),
            Kept::Tree(_) => self.bytes(),
        }
    }

    /// Whether to make the changes to `tree` takes so little that readers of it may wait meanwhile.
    pub(super) fn is_quick_on(&self, tree: &Tree) -> bool {
        let in_order = || {
            self.len() <= CHANGES_IN_ORDER_MAX
                && tree.len() / LEAF_ENTRIES <= CHANGES_BUFFERED_MAX as u64
                && matches!(&self.kept, Kept::Buffer(buffer) if buffer.buffered_bytes() <= BYTES_BUFFERED_MAX)
        };
        self.is_quick() || in_order() || self.draft().is_some_and(|draft| draft.follows(tree))
    }

    /// Makes the order of many changes, which otherwise a commit does while others wait for it.
    pub(super) fn prepare(&self) {
        if let Kept::Buffer(buffer) = &self.kept
            && buffer.len() >= CHANGES_SORTED_MIN
        {
            buffer.order_of_all();
        }
    }

    /// Makes the changes to `tree`, which takes over large values as they are, or becomes what a draft that began with it has come to.
    pub(super) fn apply_to(&self, tree: &mut Tree) {
        match self.draft() {
            Some(draft) if draft.follows(tree) => *tree = draft.tree().clone(),
            _ => self.make_to(tree),
        }
    }

    /// Makes the changes to `tree`: few in the order in which they were made, for what a model writes is mostly near what it wrote
    /// before; many in the order of their keys (`docs/changes.md`).
    fn make_to(&self, tree: &mut Tree) {
        if let Kept::Buffer(buffer) = &self.kept
            && buffer.len() >= CHANGES_SORTED_MIN
            && let Some(order) = buffer.order_of_all()
        {
            return tree.make_sorted(|n| {
                let (key, found) = buffer.at(*order.get(n)?)?;
                Some((key, found.stored()))
            });
        }
        self.each_for(|key, value| {
            draft::set(tree, key, value);
        });
    }

    /// Calls `take` with every change, in the order in which they were made where that is known.
    fn each_for(&self, mut take: impl FnMut(&[u8], Stored<'_>)) {
        match &self.kept {
            Kept::Buffer(buffer) => buffer.each().for_each(|(key, found)| take(key, found.stored())),
            Kept::Tree(tree) => tree.iter(&KeyRange::ALL).for_each(|(key, found)| take(key, found.stored())),
        }
    }
}

impl<K: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(K, Option<V>)> for Changes {
    /// Later changes of the same key win; `None` removes it.
    fn from_iter<I: IntoIterator<Item = (K, Option<V>)>>(entries: I) -> Self {
        let mut changes = Self::new();
        for (key, value) in entries {
            match value {
                Some(value) => changes.put(key, value),
                None => changes.remove(key),
            }
        }
        changes
    }
}

/// Changes by reference.
enum ChangesIter<'a> {
    Buffer(BufferIter<'a>),
    Tree(tree::Iter<'a, LEAF, INNER>),
}

impl<'a> Iterator for ChangesIter<'a> {
    type Item = (&'a [u8], Found<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Buffer(buffer) => buffer.next(),
            Self::Tree(tree) => tree.next(),
        }
    }
}

/// Walks over changes and lends each until the next step.
#[derive(Debug)]
pub(super) enum ChangesCursor {
    Buffer(BufferCursor),
    Tree(tree::TreeCursor<LEAF, INNER>),
}

impl ChangesCursor {
    /// Steps to the next change; `None` at the end, and from then on.
    pub(super) fn step(&mut self) -> Option<(&[u8], Change<'_>)> {
        let step = match self {
            Self::Buffer(buffer) => buffer.step(),
            Self::Tree(tree) => tree.step(),
        };
        step.map(|(key, found)| (key, Change::of(found)))
    }
}

#[cfg(test)]
mod tests;
