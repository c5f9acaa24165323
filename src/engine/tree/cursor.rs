//! Walks over entries in order: one that owns what it walks over and lends, and one that borrows.

use std::ops::Bound;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::engine::tree::inner::{Inner, Kids};
use crate::engine::tree::key::TreeKey;
use crate::engine::tree::leaf::Leaf;
use crate::engine::tree::{Found, Node, Tree};
use crate::engine::{Cursor, Direction, Entry, Key, KeyRange};
use crate::error::Result;

/// Levels above the leaves that need no allocation.
const LEVELS: usize = 4;

/// Walks over a tree that it shares, and lends each entry until the next step.
#[derive(Debug)]
pub(crate) struct TreeCursor<const L: usize = 128, const I: usize = 64> {
    /// The nodes above the leaf, and which of their children the way goes through.
    path: SmallVec<[(Arc<Inner<L, I>>, usize); LEVELS]>,
    /// `None` at the end.
    leaf: Option<Arc<Leaf<L>>>,
    /// The places in the leaf that are left.
    from: usize,
    to: usize,
    direction: Direction,
    /// Where the way ends.
    bound: Bound<Key>,
    /// The key that is lent, where the leaf has it in parts.
    key: Vec<u8>,
    /// The number of the stem of the leaf that `key` begins with; 0 if it begins with none.
    stem: usize,
}

impl<const L: usize, const I: usize> TreeCursor<L, I> {
    /// A cursor over the entries of `range`, from the end that `direction` starts from.
    pub(crate) fn new(tree: &Tree<L, I>, range: &KeyRange, direction: Direction) -> Self {
        let (first, bound) = match direction {
            Direction::Forward => (range.start(), range.end()),
            Direction::Backward => (range.end(), range.start()),
        };
        let (path, bound) = (SmallVec::new(), bound.clone());
        let mut cursor = Self { path, leaf: None, from: 0, to: 0, direction, bound, key: Vec::new(), stem: 0 };
        if let Some(root) = tree.root.as_ref().filter(|_| !range.is_empty()) {
            cursor.descend(root.clone(), Some(first));
        }
        cursor
    }

    /// The next entry, or `None` at the end, and from then on.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<(&[u8], Found<'_>)> {
        while self.from == self.to {
            if !self.next_leaf() {
                return None;
            }
        }
        let at = match self.direction {
            Direction::Forward => {
                self.from += 1;
                self.from - 1
            }
            Direction::Backward => {
                self.to -= 1;
                self.to
            }
        };
        let (key, found) = self.leaf.as_ref()?.found(at);
        if key.number == 0 {
            return Some((key.rest, found));
        }
        if key.number == self.stem {
            self.key.truncate(key.stem.len());
        } else {
            self.stem = key.number;
            self.key.clear();
            self.key.extend_from_slice(key.stem);
        }
        self.key.extend_from_slice(key.rest);
        Some((&self.key, found))
    }

    /// Goes down from `node`, along `first` where there is one, else along the edge that the direction starts from.
    fn descend(&mut self, mut node: Node<L, I>, first: Option<&Bound<Key>>) {
        loop {
            match node {
                Node::Inner(inner) => {
                    let at = match (first, self.direction) {
                        (Some(Bound::Included(key) | Bound::Excluded(key)), _) => inner.find(key),
                        (_, Direction::Forward) => 0,
                        (_, Direction::Backward) => inner.len() - 1,
                    };
                    node = inner.kid(at);
                    self.path.push((inner, at));
                }
                Node::Leaf(leaf) => {
                    self.enter(leaf, first);
                    return;
                }
            }
        }
    }

    /// Takes the places of a leaf between `first` and the bound.
    fn enter(&mut self, leaf: Arc<Leaf<L>>, first: Option<&Bound<Key>>) {
        // The place of the key, or behind it. Only a key between those of the leaf can be searched for in it.
        let place = |key: &Key, behind: bool| {
            let is_above = leaf.len() > 0 && leaf.key(leaf.len() - 1).compare(key, 0).is_lt();
            if is_above {
                return leaf.len();
            }
            if leaf.len() == 0 || leaf.key(0).compare(key, 0).is_gt() {
                return 0;
            }
            match leaf.search(key) {
                Ok(at) => at + usize::from(behind),
                Err(at) => at,
            }
        };
        let lower = |bound: &Bound<Key>| match bound {
            Bound::Unbounded => 0,
            Bound::Included(key) => place(key, false),
            Bound::Excluded(key) => place(key, true),
        };
        let upper = |bound: &Bound<Key>| match bound {
            Bound::Unbounded => leaf.len(),
            Bound::Included(key) => place(key, true),
            Bound::Excluded(key) => place(key, false),
        };
        (self.from, self.to) = match self.direction {
            Direction::Forward => (first.map_or(0, lower), upper(&self.bound)),
            Direction::Backward => (lower(&self.bound), first.map_or(leaf.len(), upper)),
        };
        let passed_bound = match self.direction {
            Direction::Forward => self.to < leaf.len(),
            Direction::Backward => self.from > 0,
        };
        if passed_bound {
            self.path.clear();
        }
        self.from = self.from.min(self.to);
        (self.leaf, self.stem) = (Some(leaf), 0);
    }

    /// Goes to the leaf beside this one. `false` when the way has ended.
    fn next_leaf(&mut self) -> bool {
        while let Some((inner, at)) = self.path.pop() {
            let next = match self.direction {
                Direction::Forward => Some(at + 1).filter(|next| *next < inner.len()),
                Direction::Backward => at.checked_sub(1),
            };
            if let Some(next) = next {
                let node = inner.kid(next);
                self.path.push((inner, next));
                self.descend(node, None);
                return true;
            }
        }
        self.leaf = None;
        (self.from, self.to) = (0, 0);
        false
    }
}

impl<const L: usize, const I: usize> Cursor for TreeCursor<L, I> {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        Ok(self.step().and_then(|(key, found)| Some((key, found.value()?))))
    }
}

/// Walks over a tree that it borrows, whose leaves have keys in one part, lowest key first.
#[derive(Debug)]
pub(crate) struct Iter<'a, const L: usize, const I: usize> {
    path: SmallVec<[(&'a Inner<L, I>, usize); LEVELS]>,
    leaf: Option<&'a Leaf<L>>,
    at: usize,
    end: &'a Bound<Key>,
}

impl<'a, const L: usize, const I: usize> Iter<'a, L, I> {
    pub(super) fn new(tree: &'a Tree<L, I>, range: &'a KeyRange) -> Self {
        const { assert!(!Leaf::<L>::HAS_STEMS, "keys are lent as they are in a leaf") }
        let mut iter = Self { path: SmallVec::new(), leaf: None, at: 0, end: range.end() };
        let Some(root) = tree.root.as_ref().filter(|_| !range.is_empty()) else { return iter };
        let leaf = match root {
            Node::Leaf(leaf) => Some(&**leaf),
            Node::Inner(inner) => iter.descend(inner, |inner| match range.start() {
                Bound::Included(key) | Bound::Excluded(key) => inner.find(key),
                Bound::Unbounded => 0,
            }),
        };
        if let Some(leaf) = leaf {
            iter.at = match range.start() {
                Bound::Unbounded => 0,
                Bound::Included(key) => leaf.search(key).unwrap_or_else(|at| at),
                Bound::Excluded(key) => leaf.search(key).map_or_else(|at| at, |at| at + 1),
            };
        }
        iter.leaf = leaf;
        iter
    }

    /// Goes down to a leaf, each time to the child that `choose` names.
    fn descend(&mut self, inner: &'a Inner<L, I>, choose: impl Fn(&Inner<L, I>) -> usize) -> Option<&'a Leaf<L>> {
        let mut inner = inner;
        loop {
            let at = choose(inner);
            self.path.push((inner, at));
            match &inner.kids {
                Kids::Leaves(kids) => return kids.get(at).map(|leaf| &**leaf),
                Kids::Inners(kids) => inner = kids.get(at)?,
            }
        }
    }

    fn next_leaf(&mut self) -> Option<&'a Leaf<L>> {
        while let Some((inner, at)) = self.path.pop() {
            if at + 1 == inner.len() {
                continue;
            }
            self.path.push((inner, at + 1));
            return match &inner.kids {
                Kids::Leaves(kids) => kids.get(at + 1).map(|leaf| &**leaf),
                Kids::Inners(kids) => self.descend(kids.get(at + 1)?, |_| 0),
            };
        }
        None
    }
}

impl<'a, const L: usize, const I: usize> Iterator for Iter<'a, L, I> {
    type Item = (&'a [u8], Found<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.at >= self.leaf?.len() {
            self.leaf = self.next_leaf();
            self.at = 0;
        }
        let (TreeKey { rest: key, .. }, found) = self.leaf?.found(self.at);
        self.at += 1;
        let is_inside = match self.end {
            Bound::Unbounded => true,
            Bound::Included(end) => key <= &**end,
            Bound::Excluded(end) => key < &**end,
        };
        if is_inside {
            return Some((key, found));
        }
        self.leaf = None;
        self.path.clear();
        None
    }
}
