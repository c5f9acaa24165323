//! The one way in which items change.
//!
//! Whatever puts, updates or deletes an item, for whomever, ends here: the record that is stored is taken from what was
//! there, and entries of indexes, the deadline and the record of the stream follow from the two records.

use crate::catalog::Entry;
use crate::error::{Error, Result};
use crate::item::definition::{IndexRecord, TableRecord};
use crate::item::layout::{self, EntryKey};
use crate::item::record::RecordRef;
use crate::item::written::{EntryChange, IndexDelta, Origin, Written};
use crate::item::{covering, deadline, stream};
use crate::txn::Writer;

/// The entries that the indexes of a table have for an item.
#[derive(Debug)]
pub(super) struct Entries(Vec<Option<Vec<u8>>>);

impl Entries {
    /// Those of an item that is to be stored with `record` at `key`.
    ///
    /// # Errors
    /// The fault of a key attribute that an index cannot hold.
    pub(super) fn of_new(table: &Entry<TableRecord>, record: &[u8], key: &[u8]) -> Result<Self> {
        Self::of(table, record, key, |unfit| Err(*unfit))
    }

    /// Those of an item that is stored: an index that is younger has none for it when it cannot hold it.
    fn of_stored(table: &Entry<TableRecord>, record: &[u8], key: &[u8]) -> Result<Self> {
        Self::of(table, record, key, |_| Ok(None))
    }

    fn of(
        table: &Entry<TableRecord>,
        record: &[u8],
        key: &[u8],
        unfit: impl Fn(Box<Error>) -> Result<Option<Vec<u8>>>,
    ) -> Result<Self> {
        if table.record.indexes.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let record = RecordRef::new(record)?;
        let entry = |index| match layout::entry_key(table.storage, index, &record, key)? {
            EntryKey::At(entry) => Ok(Some(entry)),
            EntryKey::Absent => Ok(None),
            EntryKey::Unfit(error) => unfit(error),
        };
        table.record.indexes.iter().map(entry).collect::<Result<_>>().map(Self)
    }
}

/// What is stored at `key` becomes `new`, with its index `entries`; nothing when that is `None`. `old` is what is there.
pub(super) fn apply(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    key: &[u8],
    old: Option<Vec<u8>>,
    new: Option<(Vec<u8>, Entries)>,
    origin: Origin,
) -> Result<Written> {
    let old_entries = match &old {
        Some(record) => Entries::of_stored(table, record, key)?.0,
        None => Vec::new(),
    };
    let (new, new_entries) = match new {
        Some((record, Entries(entries))) => (Some(record), entries),
        None => (None, Vec::new()),
    };
    let mut written = Written { old, new, indexes: Vec::with_capacity(table.record.indexes.len()) };
    for (place, index) in table.record.indexes.iter().enumerate() {
        let entries = (entry_at(&old_entries, place), entry_at(&new_entries, place));
        let delta = apply_to_index(writer, table, index, entries, &written)?;
        written.indexes.push(delta);
    }
    deadline::apply(writer, table, key, &written)?;
    if written.is_change() {
        match &written.new {
            Some(record) => writer.put(key, record)?,
            None => writer.remove(key),
        }
        stream::append(writer, table, key, &written, origin)?;
    }
    Ok(written)
}

fn entry_at(entries: &[Option<Vec<u8>>], place: usize) -> Option<&[u8]> {
    entries.get(place)?.as_deref()
}

fn apply_to_index(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    index: &IndexRecord,
    (old, new): (Option<&[u8]>, Option<&[u8]>),
    written: &Written,
) -> Result<IndexDelta> {
    let (of_old, of_new) = (
        shown(table, index, old.is_some(), written.old.as_deref())?,
        shown(table, index, new.is_some(), written.new.as_deref())?,
    );
    let change = match (old, new) {
        (None, None) => EntryChange::None,
        (Some(old), Some(new)) if old != new => EntryChange::Moved,
        (Some(_), Some(_)) if of_old == of_new => EntryChange::None,
        _ => EntryChange::One,
    };
    if let Some(old) = old.filter(|old| Some(*old) != new) {
        writer.remove(old);
    }
    // An index that is being built may lack an entry that it should have.
    if let (Some(new), Some(shown)) = (new, &of_new)
        && (old != Some(new) || index.is_building || (index.is_covering() && of_old.as_ref() != Some(shown)))
    {
        writer.put(new, shown.value())?;
    }
    Ok(IndexDelta { id: index.id, had: old.is_some(), has: new.is_some(), change })
}

/// What `index` shows of the item of `record`, if it has an entry for it.
fn shown<'r>(
    table: &Entry<TableRecord>,
    index: &IndexRecord,
    has_entry: bool,
    record: Option<&'r [u8]>,
) -> Result<Option<covering::Shown<'r>>> {
    match record {
        Some(record) if has_entry => covering::Shown::of(&table.record.keys, index, record).map(Some),
        _ => Ok(None),
    }
}
