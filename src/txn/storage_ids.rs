//! Numbers under which things are stored, each given out once.
//!
//! They are counted in memory, beside the transactions. What is stored is the end of the block that is being given out: a
//! commit that holds a number past it moves it on, so that one commit in [`limits::STORAGE_ID_BLOCK`] numbers has an entry more.
//! What is left of a block when the store is closed, and what rolled back, is not given out again.

use crate::error::{Error, Result};
use crate::limits;

/// The numbers of one open store.
#[derive(Debug, Default)]
pub(super) struct StorageIds {
    block: Option<Block>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    last: u64,
    /// The last number of the stored block.
    stored: u64,
}

impl StorageIds {
    /// The next number. `stored` tells the end of the block that an earlier run stored.
    pub(super) fn next(&mut self, stored: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let block = match &mut self.block {
            Some(block) => block,
            none => {
                let end = stored()?;
                none.insert(Block { last: end, stored: end })
            }
        };
        block.last = block.last.checked_add(1).ok_or(Error::LimitExceeded {
            limit: "storage ids",
            max: u64::MAX,
            found: u64::MAX,
        })?;
        Ok(block.last)
    }

    /// What a commit with numbers of these has to store, unless it is stored.
    pub(super) fn to_store(&self) -> Option<u64> {
        let block = self.block.filter(|block| block.last > block.stored)?;
        Some(block.last.saturating_add(limits::STORAGE_ID_BLOCK))
    }

    /// A commit has stored `end`.
    pub(super) fn note_stored(&mut self, end: u64) {
        if let Some(block) = &mut self.block {
            block.stored = block.stored.max(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_out_once_and_a_block_is_stored_once() {
        let mut ids = StorageIds::default();
        assert_eq!(ids.to_store(), None);
        assert_eq!(ids.next(|| Ok(0)).unwrap(), 1);
        assert_eq!(ids.next(|| panic!("it is known")).unwrap(), 2);
        let end = ids.to_store().unwrap();
        assert_eq!(end, 2 + limits::STORAGE_ID_BLOCK);
        assert_eq!(ids.to_store(), Some(end), "the commit that was to store it failed");
        ids.note_stored(end);
        for _ in 0..limits::STORAGE_ID_BLOCK {
            ids.next(|| panic!("it is known")).unwrap();
            assert_eq!(ids.to_store(), None);
        }
        ids.next(|| panic!("it is known")).unwrap();
        assert!(ids.to_store() > Some(end));
        assert_eq!(StorageIds::default().next(|| Ok(end)).unwrap(), end + 1, "after it was opened again");
    }
}
