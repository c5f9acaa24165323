//! The counted copy-on-write B+tree: an ordered map of byte strings, cloned in O(1).
//!
//! Nodes are shared by reference counts. A change copies the nodes on its way that a clone still holds, and changes the
//! others in place. Every inner node knows how many entries are below each child. `docs/tree.md` has the layout, and what
//! was measured.
//!
//! # Invariants
//! 1. Keys ascend strictly; each is between the separators around its leaf.
//! 2. All leaves are equally deep. No node but a root has fewer than a quarter of its places in use *and* a neighbour that it
//!    could be one node with.
//! 3. The count beside a child is that of the entries below it.
//! 4. What a clone shows never changes.
//!
//! # Cost
//! `get`, `put`, `remove`, `rank`, `count` and `nth` are O(log n), `clone` and `len` O(1). A cursor costs one descent and two
//! references for each level, and then nothing but the entries it passes. Dropping the last tree that holds a node frees
//! it: whoever drops a tree does so outside of locks.

mod batch;
mod build;
mod cursor;
pub(in crate::engine) mod heads;
mod inner;
mod key;
mod leaf;

use std::ops::Bound;
use std::sync::Arc;

pub(crate) use build::Builder;
pub(crate) use cursor::{Iter, TreeCursor};

use crate::engine::{Key, KeyRange};
use heads::Bounds;
use inner::{Child, Inner, Kids};
pub(in crate::engine) use key::TreeKey;
pub(in crate::engine) use leaf::INLINE_VALUE_BYTES_MAX;
use leaf::{ChangesNodes, Leaf};

/// A map from byte strings to byte strings, with up to `L` entries in a leaf and `I` children below an inner node.
#[derive(Clone, Debug)]
pub(crate) struct Tree<const L: usize = 128, const I: usize = 64> {
    /// `None` when there are no entries.
    root: Option<Node<L, I>>,
    len: u64,
    /// Bytes of all keys and values.
    bytes: u64,
}

impl<const L: usize, const I: usize> Default for Tree<L, I> {
    fn default() -> Self {
        Self { root: None, len: 0, bytes: 0 }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Node<const L: usize, const I: usize> {
    Leaf(Arc<Leaf<L>>),
    Inner(Arc<Inner<L, I>>),
}

/// What is put at a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored<'a> {
    /// A value of few bytes, which are copied.
    Bytes(&'a [u8]),
    /// A large one, which is shared.
    Large(&'a Arc<[u8]>),
    /// The removal of the key from what lies below, in a tree of changes.
    Removed,
}

/// What is at a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    Bytes(&'a [u8]),
    Large(&'a Arc<[u8]>),
    Removed,
}

impl<'a> Stored<'a> {
    /// The bytes that go into the leaf.
    pub(in crate::engine) fn inline(self) -> &'a [u8] {
        match self {
            Self::Bytes(value) => value,
            Self::Large(_) | Self::Removed => &[],
        }
    }

    pub(in crate::engine) fn bytes(self) -> usize {
        match self {
            Self::Bytes(value) => value.len(),
            Self::Large(value) => value.len(),
            Self::Removed => 0,
        }
    }
}

impl<'a> Found<'a> {
    /// The value, unless it is a removal.
    #[inline]
    pub(crate) fn value(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(value) => Some(value),
            Self::Large(value) => Some(value),
            Self::Removed => None,
        }
    }

    /// The same, to be put into another tree.
    pub(crate) fn stored(self) -> Stored<'a> {
        match self {
            Self::Bytes(value) => Stored::Bytes(value),
            Self::Large(value) => Stored::Large(value),
            Self::Removed => Stored::Removed,
        }
    }

    pub(in crate::engine) fn bytes(self) -> usize {
        self.stored().bytes()
    }
}

impl<const L: usize, const I: usize> Node<L, I> {
    fn entries(&self) -> u64 {
        match self {
            Self::Leaf(leaf) => leaf.entries(),
            Self::Inner(inner) => inner.entries(),
        }
    }

    /// Every invariant below. Returns entries, bytes of keys and values, and height.
    fn check(&self, bounds: Bounds<'_>) -> Result<(u64, u64, usize), String> {
        match self {
            Self::Leaf(leaf) => Ok((leaf.entries(), leaf.check(bounds)?, 1)),
            Self::Inner(inner) => inner.check(bounds),
        }
    }
}

impl<const L: usize, const I: usize> Tree<L, I> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether both have the same root, and so the same entries. Trees with the same entries may have others.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (None, None) => true,
            (Some(Node::Leaf(one)), Some(Node::Leaf(two))) => Arc::ptr_eq(one, two),
            (Some(Node::Inner(one)), Some(Node::Inner(two))) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// What is at `key`.
    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Option<Found<'_>> {
        let mut inner = match self.root.as_ref()? {
            Node::Leaf(leaf) => return leaf.get(key),
            Node::Inner(inner) => inner,
        };
        loop {
            let at = inner.find(key);
            match &inner.kids {
                Kids::Leaves(kids) => return kids.get(at)?.get(key),
                Kids::Inners(kids) => inner = kids.get(at)?,
            }
        }
    }

    /// The first entry whose key is `key` or above it.
    pub(crate) fn seek(&self, key: &[u8]) -> Option<(TreeKey<'_>, Found<'_>)> {
        let mut node = Reached::of(self.root.as_ref()?);
        // The nearest node behind the way down: where the entry is when the leaf ends before `key`.
        let mut behind = None;
        loop {
            match node {
                Reached::Inner(inner) => {
                    let at = inner.find(key);
                    if at + 1 < inner.len() {
                        behind = Some(Reached::below(inner, at + 1));
                    }
                    node = Reached::below(inner, at);
                }
                Reached::Leaf(leaf) => {
                    let (Ok(at) | Err(at)) = leaf.search(key);
                    if at < leaf.len() {
                        return Some(leaf.found(at));
                    }
                    // A leaf may be empty that has no neighbour below the same node, and so may the one behind that.
                    return behind?.first().or_else(|| self.nth(self.rank(key, false)));
                }
            }
        }
    }

    /// Puts a value at `key`.
    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) {
        if value.len() > INLINE_VALUE_BYTES_MAX {
            self.insert(key, Stored::Large(&Arc::from(value)));
        } else {
            self.insert(key, Stored::Bytes(value));
        }
    }

    /// Puts what another tree holds at `key`, and returns whether nothing was there. A large value is shared.
    pub(crate) fn insert(&mut self, key: &[u8], value: Stored<'_>) -> bool {
        let made = match &mut self.root {
            // What is put with a mark of its removal is no removal here.
            Some(Node::Inner(inner)) if !matches!(value, Stored::Removed) => Arc::make_mut(inner).make(key, value),
            _ => Err(ChangesNodes),
        };
        let old = made.unwrap_or_else(|ChangesNodes| self.insert_with_split(key, value));
        self.bytes += value.bytes() as u64;
        if let Some(old) = old {
            self.bytes -= old as u64;
        } else {
            self.len += 1;
            self.bytes += key.len() as u64;
        }
        old.is_none()
    }

    /// As [`Tree::insert`], where nodes may have to be made. Returns the bytes of the value that was there.
    fn insert_with_split(&mut self, key: &[u8], value: Stored<'_>) -> Option<usize> {
        let Some(root) = &mut self.root else {
            let mut leaf = Leaf::default();
            leaf.insert(key, value, Bounds::ALL);
            self.root = Some(Node::Leaf(Arc::new(leaf)));
            return None;
        };
        let (old, split) = match root {
            Node::Leaf(leaf) => {
                let inserted = Arc::make_mut(leaf).insert(key, value, Bounds::ALL);
                (inserted.old, inserted.split.map(|(between, right)| (between, Node::Leaf(right))))
            }
            Node::Inner(inner) => {
                let inserted = Arc::make_mut(inner).insert(key, value, Bounds::ALL);
                (inserted.old, inserted.split.map(|(between, right)| (between, Node::Inner(right))))
            }
        };
        if let Some((between, right)) = split {
            let mut above = Inner::of(root.clone());
            above.insert_child(1, &between, right);
            *root = Node::Inner(Arc::new(above));
        }
        old
    }

    /// Removes the entry at `key`, if there is one.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        // Looked up first: what is not there must not cost copies of nodes.
        if self.get(key).is_none() {
            return;
        }
        let removed = match &mut self.root {
            Some(Node::Leaf(leaf)) => Arc::make_mut(leaf).remove(key),
            Some(Node::Inner(inner)) => Arc::make_mut(inner).remove(key),
            None => None,
        };
        let Some(value) = removed else { return };
        self.len -= 1;
        self.bytes -= (key.len() + value) as u64;
        if self.len == 0 {
            self.root = None;
        }
        while let Some(Node::Inner(inner)) = &self.root
            && inner.len() == 1
        {
            self.root = Some(inner.kid(0));
        }
    }

    /// How many entries have keys below `key`; with `inclusive`, or equal to it.
    pub(crate) fn rank(&self, key: &[u8], inclusive: bool) -> u64 {
        let Some(root) = &self.root else { return 0 };
        let (mut before, mut node) = (0, Reached::of(root));
        while let Reached::Inner(inner) = node {
            let at = inner.find(key);
            before += inner.before(at);
            node = Reached::below(inner, at);
        }
        before + node.rank(key, inclusive)
    }

    /// How many entries `range` holds.
    pub(crate) fn count(&self, range: &KeyRange) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let (start, end) = match (range.start(), range.end()) {
            (Bound::Unbounded, Bound::Unbounded) => return self.len,
            (Bound::Unbounded, Bound::Included(end)) => return self.rank(end, true),
            (Bound::Unbounded, Bound::Excluded(end)) => return self.rank(end, false),
            (Bound::Included(start), Bound::Unbounded) => return self.len - self.rank(start, false),
            (Bound::Excluded(start), Bound::Unbounded) => return self.len - self.rank(start, true),
            (Bound::Included(start), end) => ((start, false), end),
            (Bound::Excluded(start), end) => ((start, true), end),
        };
        let end = match end {
            Bound::Included(end) => (end, true),
            Bound::Excluded(end) => (end, false),
            Bound::Unbounded => return 0,
        };
        // Both ways down are walked side by side, so that they wait for memory at the same time.
        let Some(root) = &self.root else { return 0 };
        let (mut low, mut high) = (Reached::of(root), Reached::of(root));
        let (mut before_low, mut before_high) = (0, 0);
        while let (Reached::Inner(below_low), Reached::Inner(below_high)) = (low, high) {
            let (at_low, at_high) = (below_low.find(start.0), below_high.find(end.0));
            before_low += below_low.before(at_low);
            before_high += below_high.before(at_high);
            (low, high) = (Reached::below(below_low, at_low), Reached::below(below_high, at_high));
        }
        before_low += low.rank(start.0, start.1);
        before_high += high.rank(end.0, end.1);
        before_high.saturating_sub(before_low)
    }

    /// The entry that has `n` before it.
    pub(crate) fn nth(&self, n: u64) -> Option<(TreeKey<'_>, Found<'_>)> {
        if n >= self.len {
            return None;
        }
        let (mut node, mut left) = (Reached::of(self.root.as_ref()?), n);
        loop {
            match node {
                Reached::Leaf(leaf) => return Some(leaf.found(usize::try_from(left).ok()?)),
                Reached::Inner(inner) => {
                    let (at, rest) = inner.find_nth(left);
                    (node, left) = (Reached::below(inner, at), rest);
                }
            }
        }
    }

    /// The first entry from `start` on.
    pub(crate) fn first(&self, start: &Bound<Key>) -> Option<(TreeKey<'_>, Found<'_>)> {
        match start {
            Bound::Included(key) => self.seek(key),
            Bound::Excluded(key) => self.nth(self.rank(key, true)),
            Bound::Unbounded => self.nth(0),
        }
    }

    /// Whether `range` holds nothing.
    pub(crate) fn is_empty(&self, range: &KeyRange) -> bool {
        let Some((first, _)) = self.first(range.start()).filter(|_| !range.is_empty()) else { return true };
        match range.end() {
            Bound::Included(end) => first.compare(end, 0).is_gt(),
            Bound::Excluded(end) => first.compare(end, 0).is_ge(),
            Bound::Unbounded => false,
        }
    }

    /// Every entry of `range`, lowest key first, of a tree whose leaves are small.
    pub(crate) fn iter<'a>(&'a self, range: &'a KeyRange) -> Iter<'a, L, I> {
        Iter::new(self, range)
    }

    /// Every invariant of the tree; an error says which is broken.
    ///
    /// # Cost
    /// O(n).
    pub(crate) fn check(&self) -> Result<(), String> {
        let found = match &self.root {
            None => (0, 0, 0),
            Some(root) => root.check(Bounds::ALL)?,
        };
        if (found.0, found.1) != (self.len, self.bytes) {
            return Err(format!("{} entries of {} bytes, not {} of {}", found.0, found.1, self.len, self.bytes));
        }
        Ok(())
    }
}

/// A node on the way down.
#[derive(Clone, Copy)]
enum Reached<'a, const L: usize, const I: usize> {
    Leaf(&'a Leaf<L>),
    Inner(&'a Inner<L, I>),
}

impl<'a, const L: usize, const I: usize> Reached<'a, L, I> {
    fn of(node: &'a Node<L, I>) -> Self {
        match node {
            Node::Leaf(leaf) => Self::Leaf(leaf),
            Node::Inner(inner) => Self::Inner(inner),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the place comes from a search of the node")]
    fn below(inner: &'a Inner<L, I>, at: usize) -> Self {
        match &inner.kids {
            Kids::Leaves(kids) => Self::Leaf(&kids[at]),
            Kids::Inners(kids) => Self::Inner(&kids[at]),
        }
    }

    /// The first entry below it.
    fn first(mut self) -> Option<(TreeKey<'a>, Found<'a>)> {
        loop {
            match self {
                Self::Inner(inner) => self = Self::below(inner, 0),
                Self::Leaf(leaf) => return (leaf.len() > 0).then(|| leaf.found(0)),
            }
        }
    }

    /// How many entries of a leaf have keys below `key`; with `inclusive`, or equal to it.
    fn rank(self, key: &[u8], inclusive: bool) -> u64 {
        let Self::Leaf(leaf) = self else { return 0 };
        match leaf.search(key) {
            Ok(at) => at as u64 + u64::from(inclusive),
            Err(at) => at as u64,
        }
    }
}

#[cfg(test)]
mod tests;
