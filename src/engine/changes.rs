//! What a transaction has written and not yet committed.

use crate::engine::{Direction, Key, KeyRange, TreeCursor, Value};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    changes: imbl::OrdMap<Key, Option<Value>>,
}

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

    fn of(change: Option<&'a Value>) -> Self {
        change.map_or(Self::Remove, |value| Self::Put(value))
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
        self.changes.insert(Key::from(key.as_ref()), Some(value.as_ref().into()));
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
        self.changes.insert(Key::from(key.as_ref()), None);
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
        self.changes.remove(key.as_ref());
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
        self.changes.extend(later.changes.iter().map(|(key, change)| (key.clone(), change.clone())));
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
        self.changes.get(key).map(|change| Change::of(change.as_ref()))
    }

    /// How many keys change.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::removing(b"a").len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing changes.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::engine::Changes::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Bytes of the keys, and of the values that are put.
    ///
    /// # Cost
    /// O(n).
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::putting(b"key", b"value").bytes(), 8);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        let size = |(key, change): (&[u8], Change<'_>)| key.len() + change.value().map_or(0, <[u8]>::len);
        self.iter().map(size).fold(0, usize::saturating_add)
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
        self.changes.iter().map(|(key, change)| (&**key, Change::of(change.as_ref())))
    }

    /// The changes of keys in `range`, lowest key first.
    ///
    /// # Examples
    /// ```
    /// use larder::engine::{Changes, KeyRange};
    /// assert_eq!(Changes::putting(b"a", b"1").range(&KeyRange::prefix(b"b")).count(), 0);
    /// ```
    pub fn range<'a>(&'a self, range: &'a KeyRange) -> impl Iterator<Item = (&'a [u8], Change<'a>)> {
        let changes = (!range.is_empty()).then(|| self.changes.range::<_, [u8]>(range));
        changes.into_iter().flatten().map(|(key, change)| (&**key, Change::of(change.as_ref())))
    }

    /// A cursor that owns an O(1) copy of the changes.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> ChangesCursor {
        ChangesCursor(TreeCursor::new(self.changes.clone(), range.clone(), direction))
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
pub(super) struct ChangesCursor(TreeCursor<Option<Value>>);

impl ChangesCursor {
    /// Steps to the next change; `None` at the end, and from then on.
    pub(super) fn step(&mut self) -> Option<(&[u8], Change<'_>)> {
        self.0.step().map(|(key, change)| (&**key, Change::of(change.as_ref())))
    }
}
