//! A tree of entries that come in order: full nodes, each made once.

use std::sync::Arc;

use crate::engine::tree::heads::Bounds;
use crate::engine::tree::inner::Inner;
use crate::engine::tree::key::separator;
use crate::engine::tree::leaf::{INLINE_VALUE_BYTES_MAX, Leaf};
use crate::engine::tree::{Node, Stored, Tree};

/// Makes a tree of entries in ascending order.
///
/// # Cost
/// O(1) for each entry.
#[derive(Debug)]
pub(crate) struct Builder<const L: usize = 128, const I: usize = 64> {
    leaf: Leaf<L>,
    /// The leaves that are finished, each with the separator before it. That of the first is empty.
    leaves: Vec<(Vec<u8>, Node<L, I>)>,
    /// The separator before `leaf`.
    lower: Vec<u8>,
    len: u64,
    bytes: u64,
}

impl<const L: usize, const I: usize> Builder<L, I> {
    /// No entries yet.
    pub(crate) fn new() -> Self {
        Self { leaf: Leaf::default(), leaves: Vec::new(), lower: Vec::new(), len: 0, bytes: 0 }
    }

    /// Adds an entry whose key is above all before it.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) {
        let (is_large, bytes) = (value.len() > INLINE_VALUE_BYTES_MAX, key.len() + value.len());
        if !self.leaf.has_room(if is_large { key.len() } else { bytes }) {
            let between = separator(self.leaf.key(self.leaf.len() - 1), key.into());
            self.finish_leaf(Some(&between));
            self.lower = between;
        }
        if is_large {
            self.leaf.push_sorted(key, Stored::Large(&Arc::from(value)));
        } else {
            self.leaf.push_sorted(key, Stored::Bytes(value));
        }
        self.len += 1;
        self.bytes += bytes as u64;
    }

    /// The tree of all entries.
    pub(crate) fn finish(mut self) -> Tree<L, I> {
        if self.len == 0 {
            return Tree::default();
        }
        self.finish_leaf(None);
        let mut level = self.leaves;
        while level.len() > 1 {
            level = parents(level);
        }
        Tree { root: level.pop().map(|(_, root)| root), len: self.len, bytes: self.bytes }
    }

    fn finish_leaf(&mut self, upper: Option<&[u8]>) {
        let mut leaf = std::mem::take(&mut self.leaf);
        leaf.finish(Bounds { lower: (!self.leaves.is_empty()).then_some(&*self.lower), upper });
        self.leaves.push((std::mem::take(&mut self.lower), Node::Leaf(Arc::new(leaf))));
    }
}

/// The level above: as many children to each node as evenly as can be.
fn parents<const L: usize, const I: usize>(level: Vec<(Vec<u8>, Node<L, I>)>) -> Vec<(Vec<u8>, Node<L, I>)> {
    let nodes = level.len().div_ceil(I);
    let sizes = (0..nodes).map(|node| level.len() * (node + 1) / nodes - level.len() * node / nodes);
    let sizes: Vec<_> = sizes.collect();
    let mut children = level.into_iter().peekable();
    let mut above: Vec<(Vec<u8>, Node<L, I>)> = Vec::with_capacity(nodes);
    for size in sizes {
        let Some((lower, first)) = children.next() else { break };
        let mut inner = Inner::of(first);
        for (separator, child) in children.by_ref().take(size - 1) {
            inner.insert_child(inner.len(), &separator, child);
        }
        let upper = children.peek().map(|(upper, _)| &**upper);
        let bounds = Bounds { lower: (!above.is_empty()).then_some(&*lower), upper };
        inner.set_sure(bounds.shared());
        above.push((lower, Node::Inner(Arc::new(inner))));
    }
    above
}
