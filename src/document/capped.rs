//! Capped collections: what they hold, and trimming.
//!
//! Documents and their bytes are counted under a key of the collection, which every insert, removal and change of a size replaces:
//! two transactions that do so conflict. In exchange an insert finds out in O(log n) whether something has to go.
//!
//! # Source
//! MongoDB manual, Capped Collections.

use crate::document::layout;
use crate::document::schema::Capped;
use crate::error::{Error, Result};
use crate::txn::{View, Writer};

/// What a capped collection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) documents: u64,
    pub(super) bytes: u64,
}

impl Held {
    /// What the collection whose storage is `collection` holds.
    ///
    /// # Errors
    /// [`Error::Corruption`] when that does not decode.
    pub(super) fn read(view: &View, collection: u32) -> Result<Self> {
        let Some(bytes) = view.get(&layout::held(collection))? else { return Ok(Self::default()) };
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).ok();
        let (documents, bytes) = bytes.split_at_checked(size_of::<u64>()).unwrap_or((&[], &[]));
        let held = number(documents).zip(number(bytes));
        held.map(|(documents, bytes)| Self { documents, bytes })
            .ok_or_else(|| Error::corrupt("capped collection", "what it holds is not said in sixteen bytes"))
    }

    pub(super) fn write(self, writer: &mut Writer, collection: u32) -> Result<()> {
        let mut value = self.documents.to_be_bytes().to_vec();
        value.extend_from_slice(&self.bytes.to_be_bytes());
        writer.put(layout::held(collection), value)
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.documents = self.documents.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    pub(super) fn remove(&mut self, bytes: usize) {
        self.documents = self.documents.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// Whether it is more than the collection may hold.
    pub(super) fn exceeds(self, capped: Capped) -> bool {
        let max = capped.max.and_then(|max| u64::try_from(max).ok()).filter(|max| *max > 0);
        self.bytes > size(capped) || max.is_some_and(|max| self.documents > max)
    }
}

fn size(capped: Capped) -> u64 {
    u64::try_from(capped.size).unwrap_or(0)
}
