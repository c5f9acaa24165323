//! What a transaction has written and not yet committed.
//!
//! Most transactions write little. Up to 256 small changes are kept in one buffer, which costs one allocation for the first
//! eight; more, or larger ones, in a tree. `docs/tree.md` has what that is worth.

mod few;

use crate::engine::tree::{self, Found, INLINE_VALUE_BYTES_MAX, Stored, Tree};
use crate::engine::{Direction, KeyRange};
use few::{Few, FewCursor, FewIter};

/// Entries of a leaf and children of an inner node: small, because there are few.
const LEAF: usize = 32;
const INNER: usize = 16;

/// Buffered changes, sorted by key: for each key, the last of what was done to it.
///
/// Clones cost O(1), or a copy of at most 16 KiB, and do not change with the original, so that a cursor over a running
/// transaction owns what it walks.
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
    /// All changes while there are few, and then none.
    few: Few,
    many: Option<Tree<LEAF, INNER>>,
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

    fn stored(self) -> Stored<'a> {
        self.value().map_or(Stored::Removed, Stored::Bytes)
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

    /// Sets what becomes of `key`, and tells `before` what was to become of it until now.
    pub(crate) fn change(&mut self, key: &[u8], change: Change<'_>, before: impl FnOnce(Option<Change<'_>>)) {
        let value = change.value();
        let value_bytes = value.map_or(0, <[u8]>::len);
        if self.many.is_none()
            && value_bytes <= INLINE_VALUE_BYTES_MAX
            && self.few.has_room(key.len().saturating_add(value_bytes))
        {
            return self.few.set(key, change, before);
        }
        before(self.get(key));
        match value {
            Some(value) => self.tree_mut().put(key, value),
            None => self.tree_mut().insert(key, Stored::Removed),
        }
    }

    /// The changes as a tree, from now on.
    fn tree_mut(&mut self) -> &mut Tree<LEAF, INNER> {
        let few = std::mem::take(&mut self.few);
        self.many.get_or_insert_with(|| {
            let mut tree = Tree::default();
            for (key, change) in few.each() {
                tree.insert(key, change.stored());
            }
            tree
        })
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
        match &mut self.many {
            None => self.few.forget(key.as_ref()),
            Some(tree) => tree.remove(key.as_ref()),
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
        if self.is_empty() {
            *self = later.clone();
            return;
        }
        match &later.many {
            None => {
                for (key, change) in later.few.each() {
                    match change {
                        Change::Put(value) => self.put(key, value),
                        Change::Remove => self.remove(key),
                    }
                }
            }
            Some(later) => {
                let tree = self.tree_mut();
                for (key, found) in later.iter(&KeyRange::ALL) {
                    tree.insert(key, found.stored());
                }
            }
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
        match &self.many {
            None => self.few.get(key),
            Some(tree) => tree.get(key).map(Change::of),
        }
    }

    /// How many keys change.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::removing(b"a").len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.many {
            None => self.few.len(),
            Some(tree) => usize::try_from(tree.len()).unwrap_or(usize::MAX),
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

    /// Bytes of the keys, and of the values that are put.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::engine::Changes::putting(b"key", b"value").bytes(), 8);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.many {
            None => self.few.bytes(),
            Some(tree) => usize::try_from(tree.bytes()).unwrap_or(usize::MAX),
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
        match &self.many {
            None => ChangesIter::Few(self.few.range(range)),
            Some(tree) => ChangesIter::Many(tree.iter(range)),
        }
    }

    /// Every change, in any order.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&[u8], Change<'_>)> {
        let (few, many) = (self.few.each(), self.many.iter().flat_map(|tree| tree.iter(&KeyRange::ALL)));
        few.chain(many.map(|(key, found)| (key, Change::of(found))))
    }

    /// A cursor that owns an O(1) copy of the changes.
    pub(super) fn cursor(&self, range: &KeyRange, direction: Direction) -> ChangesCursor {
        match &self.many {
            None => ChangesCursor::Few(self.few.cursor(range, direction)),
            Some(tree) => ChangesCursor::Many(tree::TreeCursor::new(tree, range, direction)),
        }
    }

    /// Makes the changes to `tree`, which takes over large values as they are.
    pub(super) fn apply_to<const L: usize, const I: usize>(&self, tree: &mut Tree<L, I>) {
        match &self.many {
            None => {
                for (key, change) in self.few.each() {
                    match change {
                        Change::Put(value) => tree.insert(key, Stored::Bytes(value)),
                        Change::Remove => tree.remove(key),
                    }
                }
            }
            Some(changes) => {
                for (key, found) in changes.iter(&KeyRange::ALL) {
                    match found {
                        Found::Removed => tree.remove(key),
                        Found::Bytes(_) | Found::Large(_) => tree.insert(key, found.stored()),
                    }
                }
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

/// The changes of a range, by reference.
enum ChangesIter<'a> {
    Few(FewIter<'a>),
    Many(tree::Iter<'a, LEAF, INNER>),
}

impl<'a> Iterator for ChangesIter<'a> {
    type Item = (&'a [u8], Change<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(few) => few.next(),
            Self::Many(many) => many.next().map(|(key, found)| (key, Change::of(found))),
        }
    }
}

/// Walks over changes and lends each until the next step.
#[derive(Debug)]
pub(super) enum ChangesCursor {
    Few(FewCursor),
    Many(tree::TreeCursor<LEAF, INNER>),
}

impl ChangesCursor {
    /// Steps to the next change; `None` at the end, and from then on.
    pub(super) fn step(&mut self) -> Option<(&[u8], Change<'_>)> {
        match self {
            Self::Few(few) => few.step(),
            Self::Many(many) => many.step().map(|(key, found)| (key, Change::of(found))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::Key;
    use proptest::prelude::*;
    use std::ops::Bound;

    type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

    #[derive(Clone, Debug)]
    enum Op {
        Set(Vec<u8>, Option<Vec<u8>>),
        Forget(Vec<u8>),
        Append(Model),
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![20 => prop::collection::vec(0..4u8, 1..3), 1 => Just(vec![7; 3_000])]
    }

    fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
        // Some that leave no room, some that lie beside a leaf.
        let length = prop_oneof![8 => 0..200usize, 1 => Just(900), 1 => Just(5_000)];
        prop::option::weighted(0.8, (any::<u8>(), length).prop_map(|(byte, length)| vec![byte; length]))
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (key(), value()).prop_map(|(key, value)| Op::Set(key, value)),
            2 => key().prop_map(Op::Forget),
            1 => prop::collection::btree_map(key(), value(), 0..12).prop_map(Op::Append),
        ]
    }

    fn list<'a>(changes: impl Iterator<Item = (&'a [u8], Change<'a>)>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        changes.map(|(key, change)| (key.to_vec(), change.value().map(<[u8]>::to_vec))).collect()
    }

    proptest! {
        #[test]
        fn changes_are_a_map_however_they_are_kept(ops in prop::collection::vec(op(), 0..14), from in key(), to in key()) {
            let (mut changes, mut model) = (Changes::new(), Model::new());
            for op in ops {
                match op {
                    Op::Set(key, value) => {
                        match &value {
                            Some(value) => changes.put(&key, value),
                            None => changes.remove(&key),
                        }
                        model.insert(key, value);
                    }
                    Op::Forget(key) => {
                        changes.forget(&key);
                        model.remove(&key);
                    }
                    Op::Append(later) => {
                        changes.append(&later.clone().into_iter().collect());
                        model.extend(later);
                    }
                }
            }
            let expected: Vec<_> = model.clone().into_iter().collect();
            prop_assert_eq!(list(changes.iter()), expected);
            prop_assert_eq!((changes.len(), changes.is_empty()), (model.len(), model.is_empty()));
            let bytes = model.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum::<usize>();
            prop_assert_eq!(changes.bytes(), bytes);
            for key in model.keys().chain([&from]) {
                let found = changes.get(key).map(|change| change.value().map(<[u8]>::to_vec));
                prop_assert_eq!(found, model.get(key).cloned());
            }
            let range = KeyRange::new(Bound::Excluded(Key::from(&*from)), Bound::Included(Key::from(&*to)));
            let mut expected: Vec<_> = model.clone().into_iter().filter(|(key, _)| range.contains(key)).collect();
            prop_assert_eq!(list(changes.range(&range)), expected.clone());
            for direction in [Direction::Forward, Direction::Backward] {
                let (mut cursor, mut walked) = (changes.cursor(&range, direction), Vec::new());
                while let Some((key, change)) = cursor.step() {
                    walked.push((key.to_vec(), change.value().map(<[u8]>::to_vec)));
                }
                prop_assert_eq!(&walked, &expected);
                prop_assert!(cursor.step().is_none());
                expected.reverse();
            }
        }
    }
}
