//! Hears what others than a door's clients do to keys.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::kv::Bell;

/// Hears what others do to keys.
#[derive(Debug, Default)]
pub(super) struct Ears {
    heads: Mutex<BTreeSet<Vec<u8>>>,
    pub(super) heard: Notify,
}

impl Bell for Ears {
    fn ring(&self, head: &[u8]) {
        self.heads.lock().insert(head.to_vec());
        self.heard.notify_one();
    }
}

impl Ears {
    /// The keys that something happened to.
    pub(super) fn take(&self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut *self.heads.lock()).into_iter().map(Vec::into_boxed_slice).collect()
    }
}
