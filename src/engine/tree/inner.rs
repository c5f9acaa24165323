//! An inner node: children, the separators between them, and how many entries are below each.

#![expect(
    clippy::indexing_slicing,
    reason = "places come from searches of the same node, and its arrays have room for them"
)]

use std::cmp::Ordering;
use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::engine::tree::heads::{
    Bounds, HEAD_BYTES, common, count_separators_below, head, left_out, partition_point, side,
};
use crate::engine::tree::leaf::{ChangesNodes, Inserted, Leaf};
use crate::engine::tree::{Node, Stored};

/// What came of several changes below a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    /// How many entries more there are.
    pub(super) entries: i64,
    /// Bytes of keys and values.
    pub(super) bytes: i64,
    /// Whether the next change may split or merge nodes, and so is to be made by itself.
    pub(super) is_stopped: bool,
}

impl Made {
    pub(super) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.is_stopped = other.is_stopped;
    }
}

/// Up to `I` children, which are all leaves or all inner nodes.
#[derive(Clone, Debug)]
pub(crate) struct Inner<const L: usize, const I: usize> {
    /// Bytes that every key that may come here begins with.
    sure: usize,
    /// Bytes that every separator begins with, and that heads leave out: those that are sure, or more (`left_out`).
    skip: usize,
    pub(super) kids: Kids<L, I>,
    /// The separators' bytes.
    bytes: Vec<u8>,
    /// Heads of the separators, each at the place of the child after it. The first child has none, and 0.
    heads: [u64; I],
    /// The eight bytes of the separators after those of their heads.
    next_heads: [u64; I],
    /// Where in `bytes` each separator is.
    slots: [(u32, u32); I],
    counts: [u64; I],
}

#[derive(Clone, Debug)]
pub(super) enum Kids<const L: usize, const I: usize> {
    Leaves(ArrayVec<Arc<Leaf<L>>, I>),
    Inners(ArrayVec<Arc<Inner<L, I>>, I>),
}

/// A node as its parent sees it.
pub(super) trait Child: Clone {
    fn entries(&self) -> u64;
    fn insert(&mut self, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> Inserted<Self>;
    fn remove(&mut self, key: &[u8]) -> Option<usize>;
    /// Whether it has so little in it that it should be merged with a neighbour.
    fn is_small(&self) -> bool;
    fn is_empty(&self) -> bool;
    fn can_merge(&self, right: &Self) -> bool;
    /// Takes in everything of the node after it, which `separator` divides them from.
    fn merge(&mut self, separator: &[u8], right: &Self);
}

impl<const L: usize> Child for Leaf<L> {
    fn entries(&self) -> u64 {
        self.len() as u64
    }

    fn insert(&mut self, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> Inserted<Self> {
        self.insert(key, value, bounds)
    }

    fn remove(&mut self, key: &[u8]) -> Option<usize> {
        self.remove(key)
    }

    fn is_small(&self) -> bool {
        self.len() < L / 4
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn can_merge(&self, right: &Self) -> bool {
        self.can_merge(right)
    }

    fn merge(&mut self, _separator: &[u8], right: &Self) {
        self.merge(right);
    }
}

impl<const L: usize, const I: usize> Child for Inner<L, I> {
    fn entries(&self) -> u64 {
        self.counts[..self.len()].iter().sum()
    }

    fn insert(&mut self, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> Inserted<Self> {
        let at = self.find(key);
        let len = self.len();
        let upper = (at + 1 < len).then(|| separator_of(&self.bytes, &self.slots, at + 1));
        let lower = (at > 0).then(|| separator_of(&self.bytes, &self.slots, at));
        let below = Bounds { lower: lower.or(bounds.lower), upper: upper.or(bounds.upper) };
        let (old, split) = match &mut self.kids {
            Kids::Leaves(kids) => insert_below(&mut kids[at], key, value, below).into_node(Node::Leaf),
            Kids::Inners(kids) => insert_below(&mut kids[at], key, value, below).into_node(Node::Inner),
        };
        match split {
            None => {
                self.counts[at] += u64::from(old.is_none());
                Inserted { old, split: None }
            }
            Some((separator, right)) => {
                self.counts[at] += u64::from(old.is_none());
                self.counts[at] -= right.entries();
                let split = if len < I {
                    self.insert_child(at + 1, &separator, right);
                    None
                } else {
                    // At the end, the others stay as they are: loads in order of the keys fill nodes.
                    let middle = if at + 1 == len { len - 1 } else { len / 2 };
                    let (between, mut other) = self.split(middle, bounds);
                    if at < middle {
                        self.insert_child(at + 1, &separator, right);
                    } else {
                        other.insert_child(at + 1 - middle, &separator, right);
                    }
                    Some((between, Arc::new(other)))
                };
                Inserted { old, split }
            }
        }
    }

    fn remove(&mut self, key: &[u8]) -> Option<usize> {
        let at = self.find(key);
        let merged = match &mut self.kids {
            Kids::Leaves(kids) => remove_below(kids, at, key, &self.bytes, &self.slots)?,
            Kids::Inners(kids) => remove_below(kids, at, key, &self.bytes, &self.slots)?,
        };
        self.counts[at] -= 1;
        if let Some(left) = merged.with {
            self.counts[left] += self.counts[left + 1];
            self.remove_child(left + 1);
        }
        Some(merged.old)
    }

    fn is_small(&self) -> bool {
        self.len() < I / 4
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn can_merge(&self, right: &Self) -> bool {
        self.len() + right.len() <= (I * 3 / 4).max(2)
    }

    fn merge(&mut self, separator: &[u8], right: &Self) {
        self.set_sure(self.sure.min(right.sure));
        for at in 0..right.len() {
            let before = if at == 0 { separator } else { right.separator(at) };
            self.insert_child(self.len(), before, right.kid(at));
        }
    }
}

/// A removal from a child.
struct Removed {
    old: usize,
    /// The place of the left one of two children that are one now.
    with: Option<usize>,
}

fn insert_below<C: Child>(kid: &mut Arc<C>, key: &[u8], value: Stored<'_>, bounds: Bounds<'_>) -> Inserted<C> {
    Arc::make_mut(kid).insert(key, value, bounds)
}

impl<T> Inserted<T> {
    fn into_node<N>(self, node: impl FnOnce(Arc<T>) -> N) -> (Option<usize>, Option<(Vec<u8>, N)>) {
        (self.old, self.split.map(|(separator, right)| (separator, node(right))))
    }
}

/// Removes `key` below the child at `at`, and merges that with a neighbour when too little is left in it. The child behind
/// the two is then still in its place, and to be taken out.
fn remove_below<C: Child, const I: usize>(
    kids: &mut ArrayVec<Arc<C>, I>,
    at: usize,
    key: &[u8],
    bytes: &[u8],
    slots: &[(u32, u32); I],
) -> Option<Removed> {
    let kid = Arc::make_mut(&mut kids[at]);
    let old = kid.remove(key)?;
    if !kid.is_small() {
        return Some(Removed { old, with: None });
    }
    let pairs = [at.checked_sub(1), (at + 1 < kids.len()).then_some(at)];
    let with = pairs.into_iter().flatten().find(|left| {
        let (left, right) = (&kids[*left], &kids[*left + 1]);
        left.can_merge(right) || left.is_empty() || right.is_empty()
    });
    if let Some(left) = with {
        let right = Arc::clone(&kids[left + 1]);
        Arc::make_mut(&mut kids[left]).merge(separator_of(bytes, slots, left + 1), &right);
    }
    Some(Removed { old, with })
}

fn separator_of<'a, const I: usize>(bytes: &'a [u8], slots: &[(u32, u32); I], at: usize) -> &'a [u8] {
    let (start, length) = slots[at];
    &bytes[start as usize..][..length as usize]
}

impl<const L: usize, const I: usize> Inner<L, I> {
    /// A node of one child.
    pub(super) fn of(first: Node<L, I>) -> Self {
        let counts = std::array::from_fn(|at| if at == 0 { first.entries() } else { 0 });
        let kids = match first {
            Node::Leaf(leaf) => Kids::Leaves(std::iter::once(leaf).collect()),
            Node::Inner(inner) => Kids::Inners(std::iter::once(inner).collect()),
        };
        let mut heads = [u64::MAX; I];
        heads[0] = 0;
        Self { sure: 0, skip: 0, kids, bytes: Vec::new(), heads, next_heads: [0; I], slots: [(0, 0); I], counts }
    }

    pub(super) fn len(&self) -> usize {
        match &self.kids {
            Kids::Leaves(kids) => kids.len(),
            Kids::Inners(kids) => kids.len(),
        }
    }

    pub(super) fn kid(&self, at: usize) -> Node<L, I> {
        match &self.kids {
            Kids::Leaves(kids) => Node::Leaf(Arc::clone(&kids[at])),
            Kids::Inners(kids) => Node::Inner(Arc::clone(&kids[at])),
        }
    }

    /// The separator before the child at `at`, which is not the first.
    pub(super) fn separator(&self, at: usize) -> &[u8] {
        separator_of(&self.bytes, &self.slots, at)
    }

    /// The bounds of the child at `at` of a node with `bounds`.
    pub(super) fn bounds_of<'a>(&'a self, at: usize, bounds: Bounds<'a>) -> Bounds<'a> {
        let lower = (at > 0).then(|| self.separator(at)).or(bounds.lower);
        let upper = (at + 1 < self.len()).then(|| self.separator(at + 1)).or(bounds.upper);
        Bounds { lower, upper }
    }

    /// The child that `key` is below.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> usize {
        let len = self.len();
        if self.skip > self.sure {
            match side(key, &self.separator(1)[..self.skip], self.sure) {
                Ordering::Less => return 0,
                Ordering::Equal => {}
                Ordering::Greater => return len - 1,
            }
        }
        let first = head(key, self.skip);
        // Loads in order of the keys go to the last child.
        if self.heads[len - 1] < first {
            return len - 1;
        }
        // The first child's head is 0 and never above.
        let at = count_separators_below(&self.heads, first).max(1);
        if at < len && self.heads[at] == first { self.find_among_equal(at, first, key) } else { at - 1 }
    }

    /// As [`Inner::find`], where the heads from `at` on are that of `key`, `first`. Keys of several kinds differ early, so that heads tell
    /// the kinds apart, and then late, which the next bytes do.
    #[inline(never)]
    fn find_among_equal(&self, at: usize, first: u64, key: &[u8]) -> usize {
        let (heads, next_heads) = (&self.heads[at..self.len()], &self.next_heads[at..self.len()]);
        let next = head(key, self.skip + HEAD_BYTES);
        // Those with other heads are behind the ones with the same.
        let is_before = |place: usize| heads[place] == first && next_heads[place] < next;
        let is_up_to = |place: usize| heads[place] == first && next_heads[place] <= next;
        let start = partition_point(0..heads.len(), is_before);
        if !(start < heads.len() && is_up_to(start)) {
            return at + start - 1;
        }
        let end = partition_point(start..heads.len(), is_up_to);
        at + partition_point(start..end, |place| self.separator(at + place) <= key) - 1
    }

    /// Makes one change below the node that leaves all nodes as they are but for what is in them, and returns the bytes
    /// of the value that was there; most changes are such, and need no bounds of the nodes on the way.
    pub(super) fn make(&mut self, key: &[u8], value: Stored<'_>) -> Result<Option<usize>, ChangesNodes> {
        let at = self.find(key);
        let old = match &mut self.kids {
            Kids::Leaves(kids) => Arc::make_mut(&mut kids[at]).make(key, value)?,
            Kids::Inners(kids) => Arc::make_mut(&mut kids[at]).make(key, value)?,
        };
        self.counts[at] += u64::from(old.is_none());
        Ok(old)
    }

    /// Calls `change` for the child that `key` is below, whose keys are all below the separator that it is given, if
    /// there is one, and counts what came of it.
    pub(super) fn make_below(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Kids<L, I>, usize, Option<&[u8]>) -> Option<Made>,
    ) -> Made {
        let at = self.find(key);
        let upper = (at + 1 < self.len()).then(|| separator_of(&self.bytes, &self.slots, at + 1));
        let made = change(&mut self.kids, at, upper).unwrap_or_default();
        self.counts[at] = self.counts[at].wrapping_add_signed(made.entries);
        made
    }

    /// Entries below the children before `at`.
    #[inline]
    pub(super) fn before(&self, at: usize) -> u64 {
        self.counts[..at].iter().sum()
    }

    /// The child with the entry that has `n` before it, and how many of those are in it.
    pub(super) fn find_nth(&self, n: u64) -> (usize, u64) {
        let (mut at, mut left) = (0, n);
        while at + 1 < self.len() && left >= self.counts[at] {
            left -= self.counts[at];
            at += 1;
        }
        (at, left)
    }

    /// Puts a child behind `separator`.
    pub(super) fn insert_child(&mut self, at: usize, separator: &[u8], child: Node<L, I>) {
        let len = self.len();
        if len > 1 {
            let shared = common(self.separator(1), separator);
            let skip = left_out(self.sure, shared);
            if skip < self.skip || (len == 2 && skip > self.skip) {
                self.skip = skip;
                self.renew_separators();
            }
        }
        self.heads.copy_within(at..len, at + 1);
        self.next_heads.copy_within(at..len, at + 1);
        self.slots.copy_within(at..len, at + 1);
        self.counts.copy_within(at..len, at + 1);
        self.heads[at] = head(separator, self.skip);
        self.next_heads[at] = head(separator, self.skip + HEAD_BYTES);
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.slots[at] = (start, u32::try_from(separator.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(separator);
        self.counts[at] = child.entries();
        match (&mut self.kids, child) {
            (Kids::Leaves(kids), Node::Leaf(leaf)) => kids.insert(at, leaf),
            (Kids::Inners(kids), Node::Inner(inner)) => kids.insert(at, inner),
            (Kids::Leaves(_), Node::Inner(_)) | (Kids::Inners(_), Node::Leaf(_)) => {
                debug_assert!(false, "a tree has the same height everywhere");
            }
        }
    }

    /// Takes out a child that is not the first, with the separator before it.
    fn remove_child(&mut self, at: usize) {
        let len = self.len();
        match &mut self.kids {
            Kids::Leaves(kids) => drop(kids.remove(at)),
            Kids::Inners(kids) => drop(kids.remove(at)),
        }
        self.heads.copy_within(at + 1..len, at);
        self.next_heads.copy_within(at + 1..len, at);
        self.slots.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        self.heads[len - 1] = u64::MAX;
        self.counts[len - 1] = 0;
        self.fit_separators();
    }

    /// Splits off the children from `middle` on. Returns the separator before them.
    fn split(&mut self, middle: usize, bounds: Bounds<'_>) -> (Vec<u8>, Self) {
        let (len, between) = (self.len(), self.separator(middle).to_vec());
        let mut right = Self::of(self.kid(middle));
        right.set_sure(bounds.above(&between).shared());
        for at in middle + 1..len {
            right.insert_child(at - middle, self.separator(at), self.kid(at));
        }
        match &mut self.kids {
            Kids::Leaves(kids) => kids.truncate(middle),
            Kids::Inners(kids) => kids.truncate(middle),
        }
        self.heads[middle..].fill(u64::MAX);
        self.counts[middle..].fill(0);
        self.sure = bounds.below(&between).shared();
        self.fit_separators();
        (between, right)
    }

    /// Sets how many bytes every key that may come here begins with.
    pub(super) fn set_sure(&mut self, sure: usize) {
        if self.sure != sure {
            self.sure = sure;
            self.fit_separators();
        }
    }

    /// Leaves out of the heads what all separators share.
    fn fit_separators(&mut self) {
        let last = self.len() - 1;
        let shared = if last > 1 { common(self.separator(1), self.separator(last)) } else { 0 };
        self.skip = left_out(self.sure, shared);
        self.renew_separators();
    }

    /// Packs the separators again and takes their heads.
    fn renew_separators(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for at in 1..self.len() {
            let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(separator_of(&self.bytes, &self.slots, at));
            self.slots[at].0 = start;
            self.heads[at] = head(&bytes[start as usize..], self.skip);
            self.next_heads[at] = head(&bytes[start as usize..], self.skip + HEAD_BYTES);
        }
        self.bytes = bytes;
    }

    /// Every invariant of the node and of those below it. Returns entries, bytes of keys and values, and height.
    pub(super) fn check(&self, bounds: Bounds<'_>) -> Result<(u64, u64, usize), String> {
        let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("inner node: {what}")) };
        let len = self.len();
        ensure(len > 0, "no children")?;
        ensure(self.heads[0] == 0 && self.heads[len..].iter().all(|head| *head == u64::MAX), "heads not in use")?;
        let (mut entries, mut bytes, mut heights) = (0, 0, Vec::new());
        for at in 0..len {
            let below = self.bounds_of(at, bounds);
            if at > 0 {
                let separator = self.separator(at);
                let heads = (head(separator, self.skip), head(separator, self.skip + HEAD_BYTES));
                ensure((self.heads[at], self.next_heads[at]) == heads, "a head is not its separator's")?;
                ensure(
                    below.lower.is_none_or(|lower| below.upper.is_none_or(|upper| lower < upper)),
                    "separators out of order",
                )?;
                ensure(common(self.separator(1), separator) >= self.skip, "a separator has not the prefix")?;
            }
            let found = self.kid(at).check(below)?;
            ensure(found.0 == self.counts[at], "a count is wrong")?;
            entries += found.0;
            bytes += found.1;
            heights.push(found.2);
        }
        ensure(self.sure <= bounds.shared(), "the prefix is longer than that of the bounds")?;
        ensure(self.skip == self.sure || self.skip == left_out(self.sure, self.skip), "what heads leave out")?;
        ensure(heights.windows(2).all(|pair| pair[0] == pair[1]), "children of different heights")?;
        Ok((entries, bytes, heights[0] + 1))
    }
}
