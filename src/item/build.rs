//! Building a global index of a table that has items, and giving items their deadlines: at once when they are few, else
//! by a job.
//!
//! # Invariants
//! 1. An index whose definition says that it is being built has a job under its prefix ([`job`]), and the other way
//!    round. The same is so for a TTL attribute that is being switched on, and the table's deadlines.
//! 2. A table that is being filled before it has a name has such a job where its details will be. Whoever fills it has
//!    claimed that; when nobody has, it is done by removing what is stored for the table.
//! 3. An index has an entry for each item that it can hold, of the items up to the place of its job and of those written
//!    since. An item that was stored before the index was defined, and whose key attributes the index cannot hold, has
//!    none.

use std::sync::Arc;

use crate::catalog::Entry;
use crate::catalog::fill::{self, Filled, Filling};
use crate::catalog::job::{self, Allowance};
use crate::error::{Error, Result};
use crate::item::definition::{IndexRecord, TableRecord};
use crate::item::layout::{EntryKey, Part};
use crate::item::record::RecordRef;
use crate::item::request::IndexStatus;
use crate::item::schema::GlobalIndex;
use crate::item::state::Tables;
use crate::item::target::Target;
use crate::item::{RequestFault, covering, deadline, layout};
use crate::txn::{View, Writer};

/// What jobs do about the indexes and deadlines of item tables.
pub(crate) const FILLING: Filling = Filling { fill, abandon };

/// Makes the entries of `index`, which is new in `table`: all, if the allowance has room for them, else the first, and leaves a
/// job for the others. Returns whether that is all.
fn begin(
    writer: &mut Writer,
    target: &Target,
    table: &mut Entry<TableRecord>,
    index: &IndexRecord,
    allowance: &mut Allowance,
) -> Result<bool> {
    let mut place = Vec::new();
    let is_complete = step(writer, table, index, &mut place, allowance)?;
    if !is_complete {
        table.record.set_building(index.id, true);
        job::fill_later(writer, &layout::prefix(table.storage, Some(index)), place)?;
    }
    target.update(writer, table)?;
    Ok(is_complete)
}

/// An index that a table is to have.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) id: u32,
    /// What its entries begin with, by which its job is known.
    pub(super) entries: Vec<u8>,
    pub(super) is_complete: bool,
}

/// Adds `index`, whose name is free, to the table, and fills it as far as the allowance goes.
pub(super) fn add(writer: &mut Writer, target: &Target, new: GlobalIndex, allowance: &mut Allowance) -> Result<Added> {
    let mut table = target.definition(writer)?.as_ref().clone();
    let index = table.record.add(new);
    let is_complete = begin(writer, target, &mut table, &index, allowance)?;
    Ok(Added { id: index.id, entries: layout::prefix(table.storage, Some(&index)), is_complete })
}

/// The index `name` as it is in the table, for who would add it.
pub(super) fn there(view: &View, target: &Target, new: &GlobalIndex) -> Result<Option<Added>> {
    let table = target.definition(view)?;
    let Some(index) = table.record.index_named(new.name()) else { return Ok(None) };
    // In the one form that equal indexes share.
    let mut scratch = table.record.clone();
    scratch.indexes.clear();
    let asked = scratch.add(new.clone());
    if index.is_local() || index.as_global() != asked.as_global() {
        return Err(Error::AlreadyExists { what: "index", name: new.name().to_owned() });
    }
    let entries = layout::prefix(table.storage, Some(index));
    Ok(Some(Added { id: index.id, entries, is_complete: !index.is_building }))
}

/// Does a step of filling the index `name` within the transaction of `writer`; returns whether there is more to do.
pub(super) fn advance(writer: &mut Writer, target: &Target, name: &str, allowance: &mut Allowance) -> Result<bool> {
    let table = target.definition(writer)?;
    let index = index(&table.record, name)?;
    let target = layout::prefix(table.storage, Some(index));
    let Some(job) = job::get(writer, &target)?.filter(|_| index.is_building) else { return Ok(false) };
    match fill::step(writer, &target, job, FILLING, allowance)? {
        Filled::More => Ok(true),
        Filled::Done => Ok(false),
        Filled::Refused(error) => Err(error),
    }
}

/// Removes the global index `name`, and returns whether there was one.
pub(super) fn remove(writer: &mut Writer, target: &Target, name: &str) -> Result<bool> {
    let mut table = target.definition(writer)?.as_ref().clone();
    let Some(index) = table.record.index_named(name).filter(|index| !index.is_local()).cloned() else {
        return Ok(false);
    };
    table.record.indexes.retain(|other| other.id != index.id);
    target.update(writer, &table)?;
    let entries = layout::prefix(table.storage, Some(&index));
    job::cancel(writer, &entries)?;
    job::remove(writer, &entries)?;
    Ok(true)
}

/// Whether the index `name` can be queried.
pub(super) fn status(view: &View, target: &Target, name: &str) -> Result<IndexStatus> {
    let table = target.definition(view)?;
    let index = index(&table.record, name)?;
    let is_being_made = table.record.is_being_made(index, || view.now());
    Ok(if is_being_made { IndexStatus::Creating } else { IndexStatus::Active })
}

fn index<'t>(table: &'t TableRecord, name: &str) -> Result<&'t IndexRecord> {
    table.index_named(name).ok_or_else(|| RequestFault::NoSuchIndex(name.to_owned()).into_error())
}

fn fill(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let Some((name, mut table, part)) = find(writer, target)? else {
        return match layout::part_of(target)? {
            (storage, Part::Details) => job::step(writer, &layout::table_prefix(storage), place, allowance),
            _ => Ok(true),
        };
    };
    match part {
        Part::Index(id) => {
            let building = table.record.index_of_id(id).filter(|index| index.is_building).cloned();
            let Some(index) = building else { return Ok(true) };
            if !step(writer, &table, &index, place, allowance)? {
                return Ok(false);
            }
            table.record.set_building(id, false);
        }
        Part::Deadlines => {
            let Some(ttl) = table.record.ttl.clone().filter(|ttl| ttl.is_enabling) else { return Ok(true) };
            if !deadline::step(writer, &table, &ttl.attribute, place, allowance)? {
                return Ok(false);
            }
            if let Some(ttl) = &mut table.record.ttl {
                ttl.is_enabling = false;
            }
        }
        _ => return Err(Error::corrupt("job", "its target is nothing of an item table that is filled")),
    }
    name.update(writer, &table)?;
    Ok(true)
}

fn abandon(writer: &mut Writer, target: &[u8]) -> Result<()> {
    if let Some((name, mut table, Part::Index(id))) = find(writer, target)? {
        table.record.indexes.retain(|index| index.id != id);
        name.update(writer, &table)?;
    }
    job::remove(writer, target)
}

/// Makes entries of `index` for the items after `place`. Returns whether those are all.
fn step(
    writer: &mut Writer,
    table: &Entry<TableRecord>,
    index: &IndexRecord,
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<bool> {
    let items = layout::prefix(table.storage, None);
    fill::over(writer, &items, place, allowance, |writer, key, record, allowance| {
        if let EntryKey::At(entry) = layout::entry_key(table.storage, index, &RecordRef::new(record)?, key)? {
            let shown = covering::Shown::of(&table.record.keys, index, record)?;
            allowance.spend(&entry, shown.value());
            writer.put(entry, shown.value())?;
        }
        Ok(())
    })
}

/// A table, its definition, and what of it is filled.
type Found = (Arc<Target>, Entry<TableRecord>, Part);

/// The table that the job for `target` is about, and what of it.
fn find(view: &View, target: &[u8]) -> Result<Option<Found>> {
    let (storage, part) = layout::part_of(target)?;
    let found = view.state::<Tables>().of_storage(view, storage)?;
    Ok(found.map(|(target, table)| (target, table.as_ref().clone(), part)))
}
