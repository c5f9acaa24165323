//! What an index shows of an item, and keeps with its entry unless that is everything.

use std::borrow::Cow;

use crate::error::Result;
use crate::item::definition::IndexRecord;
use crate::item::record::{self, RecordRef};
use crate::item::schema::KeySchema;

/// What an index shows of an item: its record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    record: Cow<'a, [u8]>,
    is_all: bool,
}

impl<'a> Shown<'a> {
    /// What `index` of a table with `keys` shows of the item of `record`.
    pub(super) fn of(keys: &KeySchema, index: &IndexRecord, record: &'a [u8]) -> Result<Self> {
        if !index.is_covering() {
            return Ok(Self { record: Cow::Borrowed(record), is_all: true });
        }
        let shown = RecordRef::new(record)?.retain(|name| index.shows(keys, name))?;
        Ok(Self { record: Cow::Owned(shown), is_all: false })
    }

    /// The value of the index's entry.
    pub(super) fn value(&self) -> &[u8] {
        if self.is_all { &[] } else { &self.record }
    }

    /// What it counts as.
    pub(super) fn size_bytes(&self) -> Result<usize> {
        record::RecordRef::new(&self.record)?.size_bytes()
    }
}
