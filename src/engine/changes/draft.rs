//! A state with changes made to it that nobody else sees yet.

use crate::engine::tree::{Stored, Tree};

/// What a snapshot's state becomes by a transaction that is still running: a private copy that shares all nodes which the
/// transaction has not touched.
///
/// [`Snapshot::draft`](crate::engine::Snapshot::draft) has one where the state is a tree in memory.
///
/// # Examples
/// ```
/// use larder::engine::{Draft, Engine, MemoryEngine};
/// let draft: Option<Draft> = MemoryEngine::new().snapshot()?.draft();
/// assert!(draft.is_some());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draft {
    /// The state it started from. Held, so that nobody changes it in place: whoever has the same root has the same state.
    base: Tree,
    tree: Tree,
}

impl Draft {
    /// A copy of `base` to go on from. O(1).
    pub(in crate::engine) fn of(base: &Tree) -> Self {
        Self { base: base.clone(), tree: base.clone() }
    }

    /// The state with the changes.
    pub(in crate::engine) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The same, to make changes to it.
    pub(super) fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// Whether it started from what is now in `tree`, and so has what `tree` is to become.
    pub(super) fn follows(&self, tree: &Tree) -> bool {
        self.base.is_same(tree)
    }

    /// Makes one change, and returns whether it put a key that was not there.
    pub(super) fn set(&mut self, key: &[u8], value: Stored<'_>) -> bool {
        set(&mut self.tree, key, value)
    }

    /// Puts `key` back as it was at first.
    pub(super) fn forget(&mut self, key: &[u8]) {
        match self.base.get(key) {
            Some(found) => {
                self.tree.insert(key, found.stored());
            }
            None => self.tree.remove(key),
        }
    }
}

/// Makes one change to a state, and returns whether it put a key that was not there.
pub(super) fn set<const L: usize, const I: usize>(tree: &mut Tree<L, I>, key: &[u8], value: Stored<'_>) -> bool {
    match value {
        Stored::Removed => {
            tree.remove(key);
            false
        }
        Stored::Bytes(_) | Stored::Large(_) => tree.insert(key, value),
    }
}
