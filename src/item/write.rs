//! Changing an item and the index entries that belong to it.

use crate::catalog::Entry;
use crate::error::Result;
use crate::item::schema::TableRecord;
use crate::item::{Item, Key, layout, record};
use crate::txn::Writer;

/// One item's change, checked against the table and ready to be written.
pub(super) struct Change {
    key: Vec<u8>,
    /// What is to be stored; `None` removes the item.
    new: Option<Stored>,
}

struct Stored {
    record: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

impl Change {
    /// Puts `item`, which has passed [`Item::check`], in the place of what has its key.
    ///
    /// # Errors
    /// Why the table cannot hold the item.
    pub(super) fn put(table: &Entry<TableRecord>, item: &Item) -> Result<Self> {
        let key = layout::key_of_item(table.storage, &table.record.keys, item)?;
        let entries = layout::keys_of_entries(table.storage, &table.record, item)?;
        Ok(Self { key, new: Some(Stored { record: record::encode(item)?, entries }) })
    }

    /// Removes the item with `key`, if there is one.
    ///
    /// # Errors
    /// Why the table cannot have such a key.
    pub(super) fn delete(table: &Entry<TableRecord>, key: &Key) -> Result<Self> {
        Ok(Self { key: layout::item_key(table.storage, &table.record.keys, key)?, new: None })
    }

    /// The stored key of the item.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Writes the change and returns the item as it was.
    pub(super) fn apply(self, writer: &mut Writer, table: &Entry<TableRecord>) -> Result<Option<Item>> {
        let old = writer.get(&self.key)?.map(|bytes| record::decode(&bytes)).transpose()?;
        let old_entries = match &old {
            Some(item) => {
                let key = |index| layout::key_of_stored(table.storage, &table.record.keys, index, item);
                table.record.indexes.iter().filter_map(key).collect()
            }
            None => Vec::new(),
        };
        let new_entries = self.new.as_ref().map_or(&[][..], |new| &new.entries);
        for entry in old_entries.iter().filter(|entry| !new_entries.contains(entry)) {
            writer.remove(entry);
        }
        // An index that is being built may lack an entry that it should have.
        let is_whole = table.record.indexes.iter().all(|index| !index.is_building);
        for entry in new_entries.iter().filter(|entry| !(is_whole && old_entries.contains(entry))) {
            writer.put(entry, &[][..])?;
        }
        match self.new {
            Some(new) => writer.put(self.key, new.record)?,
            None if old.is_some() => writer.remove(self.key),
            None => {}
        }
        Ok(old)
    }
}
