//! Names that items have in common.

use crate::item::Text;

/// How many names are kept, and how long those may be: enough for most items, and little memory whatever they are like.
const NAMES_KEPT_MAX: usize = 64;
const KEPT_NAME_BYTES_MAX: usize = 64;

/// The names of the attributes of the item that was decoded last. Those of the next one are mostly the same: they are
/// copied then, and neither checked nor made again.
///
/// # Invariants
/// The names ascend.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<Text>);

impl Names {
    /// The name in the place `at`, if it is these `bytes`.
    pub(super) fn get(&self, at: usize, bytes: &[u8]) -> Option<&Text> {
        self.0.get(at).filter(|name| name.as_bytes() == bytes)
    }

    /// Keeps `name`, which is in the place `at` and behind the names before it; what was from there on is forgotten.
    pub(super) fn set(&mut self, at: usize, name: &Text) {
        self.0.truncate(at);
        if self.0.len() == at && at < NAMES_KEPT_MAX && name.len() <= KEPT_NAME_BYTES_MAX {
            self.0.push(name.clone());
        }
    }
}
