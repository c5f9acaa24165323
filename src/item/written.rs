//! What a write did: what return values, capacities, metrics and streams are made of.

use crate::error::Result;
use crate::item::record::RecordRef;

/// For whom an item is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Whoever asks.
    Client,
    /// Nobody: its time has come.
    Expiry,
}

/// What a write did.
#[derive(Debug)]
pub(super) struct Written {
    /// The record before, if there was an item.
    pub(super) old: Option<Vec<u8>>,
    /// The record now, if there is an item.
    pub(super) new: Option<Vec<u8>>,
    /// What changed in each index, in their order.
    pub(super) indexes: Vec<IndexDelta>,
}

/// What a write did to one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexDelta {
    pub(super) id: u32,
    /// Whether it had an entry of the item, and whether it has one.
    pub(super) had: bool,
    pub(super) has: bool,
    pub(super) change: EntryChange,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryChange {
    /// There is none, or it is as it was.
    None,
    /// It was made, removed, or shows something else.
    One,
    /// It was removed in one place and made in another.
    Moved,
}

impl Written {
    /// Whether the item is another than it was.
    pub(super) fn is_change(&self) -> bool {
        self.old != self.new
    }

    /// The size of the item before; 0 when there was none.
    pub(super) fn old_size(&self) -> Result<usize> {
        size(self.old.as_deref())
    }

    /// The size of the item now; 0 when there is none.
    pub(super) fn new_size(&self) -> Result<usize> {
        size(self.new.as_deref())
    }
}

fn size(record: Option<&[u8]>) -> Result<usize> {
    record.map_or(Ok(0), |record| RecordRef::new(record)?.size_bytes())
}
