//! What a reader walks over: the entries of a table, or the rows that those of an index name.

use std::ops::Bound;

use crate::encoding::owner::WIDE_ROWS;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::txn::{Cursor, View};
use crate::wide_column::index;
use crate::wide_column::read::plan::IndexLookup;
use crate::wide_column::schema::Definition;

/// Bytes of a key that say whose it is, before the token.
const TABLE_BYTES: usize = 5;

/// The entries that an index has under one value, in the order of the table.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// What the keys of the table begin with.
    table: [u8; TABLE_BYTES],
    /// What the entries begin with.
    value: Vec<u8>,
}

impl Named {
    pub(super) fn new(table: &Definition, lookup: &IndexLookup) -> Result<Self> {
        let mut own = [WIDE_ROWS, 0, 0, 0, 0];
        for (place, byte) in own.iter_mut().skip(1).zip(table.storage.to_be_bytes()) {
            *place = byte;
        }
        Ok(Self { table: own, value: index::prefix(&table.record, lookup.index, &lookup.value)? })
    }

    /// The entries that name keys of the table within a range.
    fn range(&self, keys: &KeyRange) -> KeyRange {
        // A bound before or behind the whole table has no token.
        let entry = |bound: &Bound<Key>| match bound {
            Bound::Included(key) => self.entry(key).map_or(Bound::Unbounded, Bound::Included),
            Bound::Excluded(key) => self.entry(key).map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded => Bound::Unbounded,
        };
        KeyRange::prefix(&self.value).clamp(entry(keys.start()), entry(keys.end()))
    }

    fn entry(&self, key: &[u8]) -> Option<Key> {
        let rest = key.get(TABLE_BYTES..).filter(|rest| !rest.is_empty())?;
        Some(Key::from([&self.value, rest].concat()))
    }

    /// The key of the table that an entry names.
    fn put_key(&self, entry: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.table);
        out.extend_from_slice(entry.get(self.value.len()..).unwrap_or_default());
    }

    /// The first key of the table within a range that has an entry.
    pub(super) fn first(&self, view: &View, keys: &KeyRange) -> Result<Option<Vec<u8>>> {
        let Some((entry, _)) = view.first(&self.range(keys), Direction::Forward)? else { return Ok(None) };
        let mut key = Vec::with_capacity(entry.len());
        self.put_key(&entry, &mut key);
        Ok(Some(key))
    }
}

/// A walk over entries of a table.
#[derive(Debug)]
pub(super) struct Entries {
    cursor: Cursor,
    named: Option<Named>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Entries {
    /// Those within a range of the table's keys, or those of them that an index names.
    pub(super) fn open(view: &View, keys: &KeyRange, named: Option<&Named>, direction: Direction) -> Result<Self> {
        let cursor = match named {
            None => view.range(keys, direction)?,
            Some(named) => view.range(&named.range(keys), direction)?,
        };
        Ok(Self { cursor, named: named.cloned(), key: Vec::new(), value: Vec::new() })
    }

    /// The next key of the table, and what is stored there.
    pub(super) fn next(&mut self, view: &View) -> Result<Option<(&[u8], &[u8])>> {
        let Some(named) = &self.named else { return self.cursor.next() };
        while let Some((entry, _)) = self.cursor.next()? {
            named.put_key(entry, &mut self.key);
            if let Some(value) = view.get(&self.key)? {
                self.value.clear();
                self.value.extend_from_slice(&value);
                return Ok(Some((&self.key, &self.value)));
            }
        }
        Ok(None)
    }
}
