//! What changed keys begin with.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use rustc_hash::FxHasher;

/// Hashes of a number of first bytes of each key: enough to know that no key begins with something.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    length: usize,
    hashes: HashSet<u64, BuildHasherDefault<FxHasher>>,
}

impl Prefixes {
    /// Of no keys yet, which are looked for by what has `length` bytes.
    pub(super) fn of_length(length: usize) -> Self {
        Self { length, hashes: HashSet::default() }
    }

    pub(super) fn add(&mut self, key: &[u8]) {
        if let Some(prefix) = key.get(..self.length) {
            self.hashes.insert(hash(prefix));
        }
    }

    /// Whether it is sure that no key begins with `prefix`.
    pub(super) fn excludes(&self, prefix: &[u8]) -> bool {
        prefix.get(..self.length).is_some_and(|prefix| !self.hashes.contains(&hash(prefix)))
    }
}

fn hash(prefix: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(prefix);
    hasher.finish()
}
