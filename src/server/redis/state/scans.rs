//! Where scans have come to.

use std::collections::{BTreeMap, VecDeque};

use crate::limits;

/// Where scans have come to. A cursor is a number to a client, and a key to the store: keys move when others come and
/// go.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    after: BTreeMap<u64, Vec<u8>>,
    order: VecDeque<u64>,
    last: u64,
}

impl Scans {
    /// The key after which the scan of a cursor goes on.
    pub(crate) fn get(&self, cursor: u64) -> Option<Vec<u8>> {
        self.after.get(&cursor).cloned()
    }

    /// A cursor for going on after `key`.
    pub(crate) fn insert(&mut self, key: Vec<u8>) -> u64 {
        self.last += 1;
        self.after.insert(self.last, key);
        self.order.push_back(self.last);
        if self.order.len() > limits::SCAN_CURSORS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.after.remove(&oldest);
        }
        self.last
    }
}
