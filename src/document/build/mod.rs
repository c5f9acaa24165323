//! Building the index of a collection that has documents: at once when they are few, else by a job.
//!
//! # Invariants
//! 1. An index whose definition says that it is being built has a job under its prefix ([`job`]), and the other way round.
//! 2. It has all entries of the records up to the place of its job and of those written since, and no entry of anything else.

use std::sync::Arc;

use bson::RawDocument;

use crate::catalog::fill::{self, Filling};
use crate::catalog::job::{self, Allowance};
use crate::catalog::{self, Entry, Kind};
use crate::document::layout;
use crate::document::maintain::Records;
use crate::document::pattern::Keys;
use crate::document::raw::corrupt;
use crate::document::schema::{Index, Namespace, Schema};
use crate::error::Result;
use crate::txn::{View, Writer};

/// What jobs do about the indexes of collections.
pub(crate) const FILLING: Filling = Filling { fill, abandon };

/// Makes the entries of `index`, which is new in `entry`: all, if the allowance has room for them, else the first, and leaves a
/// job for the others. Returns whether that is all.
///
/// # Errors
/// As [`Records::insert`].
pub(super) fn begin(
    writer: &mut Writer,
    namespace: &Namespace,
    entry: &mut Entry<Schema>,
    index: &Index,
    allowance: &mut Allowance,
) -> Result<bool> {
    namespace.update(writer, entry)?;
    let mut place = Vec::new();
    if step(writer, namespace, entry, index, &mut place, allowance)? {
        return Ok(true);
    }
    entry.record.set_building(index.id, true);
    namespace.update(writer, entry)?;
    job::fill_later(writer, &layout::index_prefix(entry.storage, index.id), place)?;
    Ok(false)
}

fn fill(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let Some((namespace, entry, id)) = find(writer, target)? else { return Ok(true) };
    let Some(index) = entry.record.index_of_id(id).filter(|index| index.building) else { return Ok(true) };
    if !step(writer, &namespace, &entry, index, place, allowance)? {
        return Ok(false);
    }
    if let Some(stored) = namespace.get(writer)? {
        let mut complete = stored.as_ref().clone();
        complete.record.set_building(id, false);
        namespace.update(writer, &complete)?;
    }
    Ok(true)
}

fn abandon(writer: &mut Writer, target: &[u8]) -> Result<()> {
    if let Some((namespace, mut entry, id)) = find(writer, target)? {
        entry.record.indexes.retain(|index| index.id != id);
        namespace.update(writer, &entry)?;
        job::remove(writer, &layout::index_arrays_prefix(entry.storage, id))?;
    }
    job::remove(writer, target)
}

/// Makes entries of `index` for the records after `place`. Returns whether those are all.
fn step(
    writer: &mut Writer,
    namespace: &Namespace,
    entry: &Entry<Schema>,
    index: &Index,
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    let entry = &Arc::new(entry.clone());
    let mut arrays = Keys::default();
    let source = layout::records_prefix(entry.storage);
    let is_all = fill::over(writer, &source, place, allowance, |writer, key, value, allowance| {
        let (id, document) = (layout::record_id(key)?, RawDocument::from_bytes(value).map_err(corrupt)?);
        let keys = index.keys_of(document)?;
        arrays.multikey |= keys.multikey;
        for path in &keys.array_paths {
            if let Err(place) = arrays.array_paths.binary_search(path) {
                arrays.array_paths.insert(place, path.clone());
            }
        }
        // One entry is counted with its record.
        keys.encoded.iter().skip(1).for_each(|key| allowance.spend(key, &[]));
        Records::new(writer, namespace, entry).index_one(index, id, document, &keys)
    })?;
    Records::new(writer, namespace, entry).note_arrays(index, &arrays, 0)?;
    Ok(is_all)
}

/// The collection of the index whose entries begin with `target`, and the number of the index.
fn find(view: &View, target: &[u8]) -> Result<Option<(Namespace, Entry<Schema>, u32)>> {
    let (collection, id) = layout::index_of(target)?;
    let Some((database, name, _)) = catalog::find::<Schema>(view, Kind::Collection, collection)? else {
        return Ok(None);
    };
    let namespace = Namespace::new(&database, &name);
    Ok(namespace.get(view)?.map(|entry| (namespace, entry.as_ref().clone(), id)))
}

#[cfg(test)]
mod tests;
