//! What a transaction has written and not yet committed.

use crate::engine::tree::{self, Found, Stored, Tree};
use crate::engine::{Direction, KeyRange};

/// Entries of a leaf and children of an inner node: small, because most transactions write little.
const LEAF: usize = 32;
const INNER: usize = 16;

/// Buffered changes, sorted by key: for each key, the last of what was done to it.
///
/// Clones cost O(1) and do not change with the original, so that a cursor over a running transaction owns what it walks.
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
#[derive(Clone, Debug, Default)]
pub struct Changes {
    tree: Tree<LEAF, INNER>,
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
        self.tree.put(key.as_ref(), value.as_ref());
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
        self.tree.insert(key.as_ref(), Stored::Removed);
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
        self.tree.remove(key.as_ref());
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
        if self.is_empty() {
            *self = later.clone();
            return;
        }
        for (key, found) in later.tree.iter(&KeyRange::ALL) {
            self.tree.insert(key, found.stored());
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
        self.tree.get(key).map(Change::of)
    }

    /// How many keys change.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::removing(b"a").len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.tree.len()).unwrap_or(usize::MAX)
    }

    /// Whether nothing changes.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::engine::Changes::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.len() == 0
    }

    /// Bytes of the keys, and of the values that are put.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::putting(b"key", b"value").bytes(), 8);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        usize::try_from(self.tree.bytes()).unwrap_or(usize::MAX)
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
        self.range(&KeyRange::ALL)
    }

    /// The changes of keys in `range`, lowest key first.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, KeyRange};
    /// assert_eq!(Changes::putting(b"a", b"1").range(&KeyRange::prefix(b"b")).count(), 0);
    /// ```
    pub fn range<'a>(&'a self, range: &'a KeyRange) -> impl Iterator<Item = (&'a [u8], Change<'a>)> {
        self.tree.iter(range).map(|(key, found)| (key, Change::of(found)))
    }

    /// A cursor that owns an O(1) copy of the changes.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> ChangesCursor {
        ChangesCursor(tree::TreeCursor::new(&self.tree, range, direction))
    }

    /// Makes the changes to `tree`, which takes over large values as they are.
    pub(super) fn apply_to<const L: usize, const I: usize>(&self, tree: &mut Tree<L, I>) {
        for (key, found) in self.tree.iter(&KeyRange::ALL) {
            match found {
                Found::Removed => tree.remove(key),
                Found::Bytes(_) | Found::Large(_) => tree.insert(key, found.stored()),
            }
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

/// Walks over changes and lends each until the next step.
#[derive(Debug)]
pub(super) struct ChangesCursor(tree::TreeCursor<LEAF, INNER>);

impl ChangesCursor {
    /// Steps to the next change; `None` at the end, and from then on.
    pub(super) fn step(&mut self) -> Option<(&[u8], Change<'_>)> {
        self.0.step().map(|(key, found)| (key, Change::of(found)))
    }
}
