//! Many changes at once, in the order of their keys: a descent for each leaf that they fall into, not for each of them.

use std::sync::Arc;

use crate::engine::tree::inner::{Inner, Kids, Made};
use crate::engine::tree::leaf::Leaf;
use crate::engine::tree::{Node, Stored, Tree};

/// Changes in the order of their keys, each key once, of which the first `done` are made.
pub(super) struct Batch<F> {
    nth: F,
    done: usize,
}

impl<'c, F: Fn(usize) -> Option<(&'c [u8], Stored<'c>)>> Batch<F> {
    fn next(&self) -> Option<(&'c [u8], Stored<'c>)> {
        (self.nth)(self.done)
    }

    fn is_below(&self, at: usize, upper: &[u8]) -> bool {
        (self.nth)(at).is_some_and(|(key, _)| key < upper)
    }

    /// Where those of the next changes end that have keys below `upper`. Most fall elsewhere: a few steps, and then by halves.
    fn end_below(&self, upper: &[u8]) -> usize {
        let (mut low, mut step) = (self.done, 1);
        while self.is_below(low + step - 1, upper) {
            low += step;
            step *= 2;
        }
        let mut high = low + step - 1;
        while low < high {
            let middle = low.midpoint(high);
            if self.is_below(middle, upper) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl<const L: usize, const I: usize> Tree<L, I> {
    /// Makes the changes that `nth` returns, in the order of their keys and each key once; a removal takes the entry
    /// away.
    ///
    /// # Cost
    /// A descent for each leaf that they fall into, and O(1) for each change.
    pub(crate) fn make_sorted<'c>(&mut self, nth: impl Fn(usize) -> Option<(&'c [u8], Stored<'c>)>) {
        let mut batch = Batch { nth, done: 0 };
        while let Some((mut key, mut value)) = batch.next() {
            // What is not there must not cost copies of nodes.
            if matches!(value, Stored::Removed) && self.get(key).is_none() {
                batch.done += 1;
                continue;
            }
            let made = match &mut self.root {
                Some(Node::Leaf(leaf)) => make_in_leaf(leaf, usize::MAX, &mut batch),
                Some(Node::Inner(inner)) => make_in_inner(inner, usize::MAX, &mut batch),
                None => Made { is_stopped: true, ..Made::default() },
            };
            self.len = self.len.wrapping_add_signed(made.entries);
            self.bytes = self.bytes.wrapping_add_signed(made.bytes);
            if !made.is_stopped {
                continue;
            }
            if let Some(next) = batch.next() {
                (key, value) = next;
            }
            batch.done += 1;
            match value {
                Stored::Removed => self.remove(key),
                Stored::Bytes(_) | Stored::Large(_) => {
                    self.insert(key, value);
                }
            }
        }
    }
}

/// Makes the changes up to the one at `end`, all of which are below the node.
fn make_in_inner<'c, const L: usize, const I: usize>(
    inner: &mut Arc<Inner<L, I>>,
    end: usize,
    batch: &mut Batch<impl Fn(usize) -> Option<(&'c [u8], Stored<'c>)>>,
) -> Made {
    let mut made = Made::default();
    while batch.done < end
        && !made.is_stopped
        && let Some((key, _)) = batch.next()
    {
        made.add(Arc::make_mut(inner).make_below(key, |kids, at, upper| {
            let end = upper.map_or(end, |upper| batch.end_below(upper));
            match kids {
                Kids::Leaves(kids) => kids.get_mut(at).map(|leaf| make_in_leaf(leaf, end, batch)),
                Kids::Inners(kids) => kids.get_mut(at).map(|inner| make_in_inner(inner, end, batch)),
            }
        }));
    }
    made
}

/// As [`make_in_inner`].
fn make_in_leaf<'c, const L: usize>(
    leaf: &mut Arc<Leaf<L>>,
    end: usize,
    batch: &mut Batch<impl Fn(usize) -> Option<(&'c [u8], Stored<'c>)>>,
) -> Made {
    let mut made = Made::default();
    // As above.
    while batch.done < end
        && let Some((key, Stored::Removed)) = batch.next()
        && leaf.get(key).is_none()
    {
        batch.done += 1;
    }
    if batch.done >= end {
        return made;
    }
    let Some((key, value)) = batch.next() else { return made };
    if Arc::get_mut(leaf).is_none() {
        let is_worth_it = end - batch.done > leaf.copied_for() && leaf.is_place_for(key, value);
        *leaf = Arc::new(if is_worth_it { leaf.copy_whole() } else { Leaf::clone(leaf) });
    }
    let leaf = Arc::make_mut(leaf);
    while batch.done < end
        && let Some((key, value)) = batch.next()
    {
        let Ok(old) = leaf.make(key, value) else {
            made.is_stopped = true;
            break;
        };
        batch.done += 1;
        let key_bytes = key.len() as u64;
        let gone = old.map(|old| key_bytes + old as u64);
        let come = match value {
            Stored::Removed => None,
            Stored::Bytes(_) | Stored::Large(_) => Some(key_bytes + value.bytes() as u64),
        };
        made.entries += i64::from(come.is_some()) - i64::from(gone.is_some());
        made.bytes = made.bytes.wrapping_add_unsigned(come.unwrap_or(0)).wrapping_sub_unsigned(gone.unwrap_or(0));
    }
    made
}
