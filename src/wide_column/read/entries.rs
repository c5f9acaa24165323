//! What a reader walks over: the entries of a table, or the rows that those of an index name.

use std::ops::Bound;
use std::sync::Arc;

use crate::encoding::owner::WIDE_ROWS;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::limits;
use crate::txn::{Cursor, View};
use crate::wide_column::index::{self, Sought};
use crate::wide_column::read::plan::IndexLookup;
use crate::wide_column::schema::Definition;

/// Bytes of a key that say whose it is, before the token.
const TABLE_BYTES: usize = 5;

/// Keys of a table that an index names, in the order of the table.
#[derive(Clone, Debug)]
pub(super) enum Named {
    /// Those under one value: what the keys of the table begin with, and what the entries do.
    Value { table: [u8; TABLE_BYTES], value: Vec<u8> },
    /// Those under a range of values, which come in another order and have been gathered.
    Gathered(Arc<[Vec<u8>]>),
}

impl Named {
    /// Those that are sought, of keys within a range; `None` when they are too many to be gathered.
    pub(super) fn new(view: &View, table: &Definition, lookup: &IndexLookup, keys: &KeyRange) -> Result<Option<Self>> {
        let mut own = [WIDE_ROWS, 0, 0, 0, 0];
        for (place, byte) in own.iter_mut().skip(1).zip(table.storage.to_be_bytes()) {
            *place = byte;
        }
        let range = index::sought(&table.record, lookup.index, &lookup.sought)?;
        match (&lookup.sought, range.start()) {
            (Sought::Range(..), _) => gathered(view, own, &range, keys),
            (_, Bound::Included(value)) => Ok(Some(Self::Value { table: own, value: value.to_vec() })),
            _ => Ok(None),
        }
    }

    /// The first key of the table within a range.
    pub(super) fn first(&self, view: &View, keys: &KeyRange) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Value { table, value } => {
                let found = view.first(&in_index(value, keys), Direction::Forward)?;
                Ok(found.map(|(entry, _)| named(*table, entry.get(value.len()..).unwrap_or_default())))
            }
            Self::Gathered(all) => {
                let at = all.partition_point(|key| is_before(key, keys.start()));
                Ok(all.get(at).filter(|key| keys.contains(key)).cloned())
            }
        }
    }
}

/// The keys within a range that entries of an index name, in order.
fn gathered(view: &View, table: [u8; TABLE_BYTES], entries: &KeyRange, keys: &KeyRange) -> Result<Option<Named>> {
    let mut found = Vec::new();
    let mut left = limits::WIDE_INDEX_GATHERED_BYTES_MAX;
    if entries.is_empty() {
        return Ok(Some(Named::Gathered(Arc::from(found))));
    }
    let mut cursor = view.range(entries, Direction::Forward)?;
    while let Some((entry, _)) = cursor.next()? {
        let key = named(table, index::row_of(entry)?);
        if !keys.contains(&key) {
            continue;
        }
        let Some(rest) = left.checked_sub(key.len() + size_of::<Vec<u8>>()) else { return Ok(None) };
        left = rest;
        found.push(key);
    }
    found.sort_unstable();
    Ok(Some(Named::Gathered(found.into())))
}

fn named(table: [u8; TABLE_BYTES], row: &[u8]) -> Vec<u8> {
    [&table, row].concat()
}

/// The entries under a value that name keys within a range.
fn in_index(value: &[u8], keys: &KeyRange) -> KeyRange {
    // A bound before or behind the whole table has no token.
    let entry = |key: &Key| {
        let rest = key.get(TABLE_BYTES..).filter(|rest| !rest.is_empty())?;
        Some(Key::from([value, rest].concat()))
    };
    let bound = |bound: &Bound<Key>| match bound {
        Bound::Included(key) => entry(key).map_or(Bound::Unbounded, Bound::Included),
        Bound::Excluded(key) => entry(key).map_or(Bound::Unbounded, Bound::Excluded),
        Bound::Unbounded => Bound::Unbounded,
    };
    KeyRange::prefix(value).clamp(bound(keys.start()), bound(keys.end()))
}

fn is_before(key: &[u8], start: &Bound<Key>) -> bool {
    match start {
        Bound::Included(start) => *key < start[..],
        Bound::Excluded(start) => *key <= start[..],
        Bound::Unbounded => false,
    }
}

/// A walk over entries of a table.
#[derive(Debug)]
pub(super) struct Entries {
    from: From,
    key: Vec<u8>,
    value: Vec<u8>,
}

#[derive(Debug)]
enum From {
    Table(Cursor),
    Index { table: [u8; TABLE_BYTES], value_bytes: usize, cursor: Cursor },
    Gathered { all: Arc<[Vec<u8>]>, next: usize, keys: KeyRange },
}

impl Entries {
    /// Those within a range of the table's keys, or those of them that an index names. What was gathered comes forwards.
    pub(super) fn open(view: &View, keys: &KeyRange, named: Option<&Named>, direction: Direction) -> Result<Self> {
        let from = match named {
            None => From::Table(view.range(keys, direction)?),
            Some(Named::Value { table, value }) => {
                let cursor = view.range(&in_index(value, keys), direction)?;
                From::Index { table: *table, value_bytes: value.len(), cursor }
            }
            Some(Named::Gathered(all)) => {
                let next = all.partition_point(|key| is_before(key, keys.start()));
                From::Gathered { all: Arc::clone(all), next, keys: keys.clone() }
            }
        };
        Ok(Self { from, key: Vec::new(), value: Vec::new() })
    }

    /// The next key of the table, and what is stored there.
    #[inline]
    pub(super) fn next(&mut self, view: &View) -> Result<Option<(&[u8], &[u8])>> {
        match self.from {
            From::Table(ref mut cursor) => cursor.next(),
            _ => self.next_named(view),
        }
    }

    /// As [`next`](Self::next), of keys that an index names.
    fn next_named(&mut self, view: &View) -> Result<Option<(&[u8], &[u8])>> {
        loop {
            match &mut self.from {
                From::Table(_) => return Ok(None),
                From::Index { table, value_bytes, cursor } => {
                    let Some((entry, _)) = cursor.next()? else { return Ok(None) };
                    self.key.clear();
                    self.key.extend_from_slice(table);
                    self.key.extend_from_slice(entry.get(*value_bytes..).unwrap_or_default());
                }
                From::Gathered { all, next, keys } => {
                    let Some(key) = all.get(*next).filter(|key| keys.contains(key)) else { return Ok(None) };
                    *next += 1;
                    self.key.clear();
                    self.key.extend_from_slice(key);
                }
            }
            if let Some(value) = view.get(&self.key)? {
                self.value.clear();
                self.value.extend_from_slice(&value);
                return Ok(Some((&self.key, &self.value)));
            }
        }
    }
}
