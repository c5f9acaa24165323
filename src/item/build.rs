//! Building a global index of a table that has items: at once when they are few, else by a job.
//!
//! # Invariants
//! 1. An index whose definition says that it is being built has a job under its prefix ([`job`]), and the other way
//!    round.
//! 2. It has an entry for each item that it can hold, of the items up to the place of its job and of those written
//!    since. An item that was stored before the index was defined, and whose key attributes the index cannot hold, has
//!    none.

use std::sync::Arc;

use crate::catalog::fill::{self, Filled, Filling};
use crate::catalog::job::{self, Allowance};
use crate::catalog::{self, Entry, Kind};
use crate::error::{Error, Result};
use crate::item::schema::{GlobalIndex, IndexRecord, IndexStatus, TableRecord};
use crate::item::target::Target;
use crate::item::{layout, record};
use crate::txn::{View, Writer};

/// What jobs do about the indexes of item tables.
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
    /// What its entries begin with, by which its job is known.
    pub(super) entries: Vec<u8>,
    /// It was not there before.
    pub(super) is_new: bool,
    pub(super) is_complete: bool,
}

/// Adds `index` to the table, unless it is there, and fills it as far as the allowance goes.
pub(super) fn add(writer: &mut Writer, target: &Target, new: GlobalIndex, allowance: &mut Allowance) -> Result<Added> {
    let (mut table, name) = (target.definition(writer)?.as_ref().clone(), new.name().to_owned());
    let added = table.record.add(new)?;
    let is_new = added.is_some();
    let (index, is_complete) = if let Some(added) = added {
        let is_complete = begin(writer, target, &mut table, &added, allowance)?;
        (added, is_complete)
    } else {
        let there = index(&table.record, &name)?;
        (there.clone(), !there.is_building)
    };
    Ok(Added { entries: layout::prefix(table.storage, Some(&index)), is_new, is_complete })
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

/// Removes the index `name`, and returns whether there was one.
pub(super) fn remove(writer: &mut Writer, target: &Target, name: &str) -> Result<bool> {
    let mut table = target.definition(writer)?.as_ref().clone();
    let Some(index) = table.record.index_named(name).cloned() else { return Ok(false) };
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
    Ok(if index.is_building { IndexStatus::Creating } else { IndexStatus::Active })
}

fn index<'t>(table: &'t TableRecord, name: &str) -> Result<&'t IndexRecord> {
    table.index_named(name).ok_or_else(|| Error::NotFound { what: "index", name: name.to_owned() })
}

fn fill(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let Some((name, mut table, id)) = find(writer, target)? else { return Ok(true) };
    let Some(index) = table.record.index_of_id(id).filter(|index| index.is_building).cloned() else { return Ok(true) };
    if !step(writer, &table, &index, place, allowance)? {
        return Ok(false);
    }
    table.record.set_building(id, false);
    name.update(writer, &table)?;
    Ok(true)
}

fn abandon(writer: &mut Writer, target: &[u8]) -> Result<()> {
    if let Some((name, mut table, id)) = find(writer, target)? {
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
    fill::over(writer, &items, place, allowance, |writer, _, value, allowance| {
        let item = record::decode(value)?;
        if let Some(entry) = layout::key_of_stored(table.storage, &table.record.keys, index, &item) {
            allowance.spend(&entry, &[]);
            writer.put(entry, &[][..])?;
        }
        Ok(())
    })
}

/// A table, its definition, and the number of one of its indexes.
type Found = (Arc<Target>, Entry<TableRecord>, u32);

/// The table of the index whose entries begin with `target`, and the number of the index.
fn find(view: &View, target: &[u8]) -> Result<Option<Found>> {
    let (storage, id) = layout::index_of(target)?;
    let found = catalog::find::<TableRecord>(view, Kind::ItemTable, storage)?;
    let Some((_, name, _)) = found else { return Ok(None) };
    let target = Target::new(&name);
    let table = target.definition(view)?.as_ref().clone();
    Ok(Some((target, table, id)))
}
