//! Documents that expire: removed by going through the dates of the indexes that say for how long they are kept.
//!
//! There is no deadline for each document: what is due is a range of the index, whatever the index says now. So changing the time costs
//! nothing. Of several dates in an array the earliest is the one that comes first.

use std::sync::Arc;
use std::time::Duration;

use bson::RawDocument;
use parking_lot::Mutex;

use crate::catalog::{self, Entry, Kind};
use crate::clock::Timestamp;
use crate::document::layout;
use crate::document::maintain::Records;
use crate::document::planner;
use crate::document::raw::corrupt;
use crate::document::schema::{Index, Namespace, Schema};
use crate::encoding::ordered::Reader;
use crate::encoding::owner::Slot;
use crate::engine::Direction;
use crate::error::Result;
use crate::limits;
use crate::txn::{State, View, Writer};

/// How long a document that was inserted past its time may stay unseen.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Removes documents that are past their time, as many as one commit should. Returns how many, and whether there may be more.
///
/// # Errors
/// What a removal returns.
pub(crate) fn sweep(writer: &mut Writer) -> Result<(u64, bool)> {
    let (now, mut removed) = (writer.now(), 0);
    for (database, name, entry) in expiring(writer)?.iter() {
        let namespace = Namespace::new(database, name);
        for index in &entry.record.indexes {
            let Some(last) = last_due(index, now) else { continue };
            let range = planner::dates_until(entry.storage, index, last)?;
            let mut cursor = writer.range(&range, Direction::Forward)?;
            while let Some((key, _)) = cursor.next()? {
                let (id, record) = (layout::record_id(key)?, layout::record(entry.storage, layout::record_id(key)?));
                // Another date of it may have been met before.
                let Some(document) = writer.get(&record)?.map(std::borrow::Cow::into_owned) else { continue };
                let document = RawDocument::from_bytes(&document).map_err(corrupt)?;
                Records::new(writer, &namespace, entry).remove(id, document)?;
                removed += 1;
                let (entries, bytes) = writer.size();
                if entries >= limits::JOB_STEP_ENTRIES_MAX || bytes >= limits::JOB_STEP_BYTES_MAX {
                    return Ok((removed, true));
                }
            }
        }
    }
    Ok((removed, false))
}

/// When to look for documents that are past their time; `None` when no index says so.
///
/// # Errors
/// [`Error::Corruption`](crate::Error::Corruption) when what is stored does not decode.
pub(crate) fn next_sweep(view: &View) -> Result<Option<Timestamp>> {
    let at_last = view.now().saturating_add(LOOK_AGAIN_AFTER);
    let mut next = None;
    for (_, _, entry) in expiring(view)?.iter() {
        for index in &entry.record.indexes {
            let Some(seconds) = index.expire_after else { continue };
            let due = if index.building { None } else { first_date(view, entry.storage, index)? };
            let due = due.map(|date| Timestamp::from_millis(date).saturating_add(Duration::from_secs(seconds.into())));
            let due = due.map_or(at_last, |due| due.min(at_last));
            next = Some(next.map_or(due, |next: Timestamp| next.min(due)));
        }
    }
    Ok(next)
}

/// The last date of which a document is past its time at `now`; `None` when the index keeps all, or has not all entries yet.
fn last_due(index: &Index, now: Timestamp) -> Option<i64> {
    let seconds = index.expire_after.filter(|_| !index.building)?;
    Some(now.as_millis().saturating_sub(i64::from(seconds).saturating_mul(1_000)))
}

/// The earliest date in the index.
fn first_date(view: &View, storage: u32, index: &Index) -> Result<Option<i64>> {
    let descending = index.pattern.fields().first().is_some_and(|field| field.descending);
    let range = planner::dates_until(storage, index, i64::MAX)?;
    let direction = if descending { Direction::Backward } else { Direction::Forward };
    let Some((key, _)) = view.first(&range, direction)? else { return Ok(None) };
    let mut reader = Reader::new(layout::entry_fields(&layout::index_prefix(storage, index.id), &key)?);
    reader.set_descending(descending);
    reader.u8()?;
    reader.i64().map(Some)
}

/// The collections of a store that have such indexes, as they were when somebody looked. Most stores have none, and the background
/// thread asks often.
#[derive(Debug, Default)]
struct Known(Mutex<Option<(u64, Arc<Collections>)>>);

/// Database, name and definition.
type Collections = Vec<(String, String, Arc<Entry<Schema>>)>;

impl State for Known {
    const SLOT: Slot = Slot::Documents;
}

/// Every collection that has an index which says for how long documents are kept.
fn expiring(view: &View) -> Result<Arc<Collections>> {
    let (epoch, known) = (view.epoch(), view.state::<Known>());
    if let Some((_, found)) = known.0.lock().as_ref().filter(|(of, _)| Some(*of) == epoch) {
        return Ok(Arc::clone(found));
    }
    let mut found = Vec::new();
    for database in catalog::namespaces(view, Kind::Collection)? {
        for (name, entry) in catalog::list::<Schema>(view, Kind::Collection, &database)? {
            if entry.record.indexes.iter().any(|index| index.expire_after.is_some()) {
                found.push((database.clone(), name, Arc::new(entry)));
            }
        }
    }
    let found = Arc::new(found);
    if let Some(epoch) = epoch {
        *known.0.lock() = Some((epoch, Arc::clone(&found)));
    }
    Ok(found)
}
