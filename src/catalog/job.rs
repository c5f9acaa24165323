//! Jobs: what a transaction left to be done later, in commits of bounded size.
//!
//! Dropping something large takes its name away and leaves a job for what is stored. An index that is added to a large
//! table is entered in its definition as being built, with a job that fills it (`fill`). The store's background thread
//! works the jobs off, or [`Store::run_jobs`](crate::Store::run_jobs); `docs/jobs.md` has all of it.
//!
//! # Storage
//! | bytes | field  | encoding                                                                |
//! |-------|--------|-------------------------------------------------------------------------|
//! | 1     | owner  | `0x01`                                                                  |
//! | 1     | kind   | `0x06`                                                                  |
//! | 1..   | target | raw: what every key begins with that is to be removed, or made          |
//!
//! The value is a [`Job`] as a catalogue record.
//!
//! # Invariants
//! 1. A job is added in the transaction that takes away the last way to what it removes, so that nothing is removed
//!    that can be read and nothing stays that cannot.
//! 2. Targets have storage ids in them, which are never given out again: nobody writes below the target of a job that
//!    removes.
//! 3. A step and the place it got to are one commit. A step that is done twice removes nothing twice.
//! 4. A job that tidies changes nothing that can be seen: a writer below its target acts as if it were not there.
//! 5. A job that fills an index is there for as long as the definition of the index says that it is being built.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::catalog::record;
use crate::encoding::owner::CATALOGUE;
use crate::engine::{Direction, Key, KeyRange};
use crate::error::Result;
use crate::limits;
use crate::txn::{View, Writer};

const KIND: u8 = 0x06;

/// What is to be done about a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// The key after which to go on; empty at first.
    pub(crate) place: Vec<u8>,
}

/// Kinds of work. Their order is stored: a new one goes to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Remove every entry whose key begins with the target, and what belongs to it.
    Remove,
    /// Make the entries of the index whose keys begin with the target, for what was stored before the index was defined.
    Fill,
    /// Bring every entry whose key begins with the target to the form that says no more than can be seen of it.
    Tidy,
}

/// How much one commit may still do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    entries: usize,
    bytes: usize,
    freed: u64,
    done: u64,
}

impl Allowance {
    /// For one step of a job.
    pub(crate) fn of_step() -> Self {
        Self { entries: limits::JOB_STEP_ENTRIES_MAX, bytes: limits::JOB_STEP_BYTES_MAX, freed: 0, done: 0 }
    }

    /// For a transaction that has to do all of it.
    pub(crate) fn unbounded() -> Self {
        Self { entries: usize::MAX, bytes: usize::MAX, freed: 0, done: 0 }
    }

    /// For this many entries.
    #[cfg(test)]
    pub(crate) fn of(entries: usize) -> Self {
        Self { entries, ..Self::unbounded() }
    }

    /// Whether nothing more should be done in this commit.
    pub(crate) fn is_spent(&self) -> bool {
        self.entries == 0 || self.bytes == 0
    }

    /// Notes that an entry was removed, or read and made into entries of an index.
    pub(crate) fn spend(&mut self, key: &[u8], value: &[u8]) {
        let bytes = key.len().saturating_add(value.len());
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.freed = self.freed.saturating_add(bytes as u64);
        self.done += 1;
    }

    /// The bytes of what was removed.
    pub(crate) fn freed(&self) -> u64 {
        self.freed
    }

    /// How many entries were removed, or read and made into entries of an index.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }
}

/// Leaves everything whose key begins with `target` to be removed later.
pub(crate) fn remove_later(writer: &mut Writer, target: &[u8]) -> Result<()> {
    put(writer, target, &Job { work: Work::Remove, place: Vec::new() })?;
    let now = writer.now();
    writer.wake_at(now);
    Ok(())
}

/// Removes everything whose key begins with `target`: at once when that is little, else later. For entries that nothing else
/// belongs to.
pub(crate) fn remove(writer: &mut Writer, target: &[u8]) -> Result<()> {
    match few(writer, &KeyRange::prefix(target))? {
        Some(keys) => keys.into_iter().for_each(|key| writer.remove(key)),
        None => remove_later(writer, target)?,
    }
    Ok(())
}

/// Leaves the index whose entries begin with `target` to be filled later, from what comes after `place` in its table.
pub(crate) fn fill_later(writer: &mut Writer, target: &[u8], place: Vec<u8>) -> Result<()> {
    put(writer, target, &Job { work: Work::Fill, place })?;
    let now = writer.now();
    writer.wake_at(now);
    Ok(())
}

/// Leaves what is stored below `target` to be rewritten later without what cannot be seen any more.
pub(crate) fn tidy_later(writer: &mut Writer, target: &[u8]) -> Result<()> {
    put(writer, target, &Job { work: Work::Tidy, place: Vec::new() })?;
    let now = writer.now();
    writer.wake_at(now);
    Ok(())
}

/// Ends all jobs whose targets begin with `target`, because it is dropped.
pub(crate) fn cancel(writer: &mut Writer, target: &[u8]) -> Result<()> {
    writer.remove_range(&KeyRange::prefix(&key(target))).map(drop)
}

/// The job for `target`.
pub(crate) fn get(view: &View, target: &[u8]) -> Result<Option<Job>> {
    view.get(&key(target))?.map(|value| record::decode(&value)).transpose()
}

/// The keys of `range` when they are so few that they are removed at once.
pub(crate) fn few(view: &View, range: &KeyRange) -> Result<Option<Vec<Key>>> {
    let mut cursor = view.range(range, Direction::Forward)?;
    let mut keys = Vec::new();
    while let Some((key, _)) = cursor.next()? {
        if keys.len() == limits::REMOVED_AT_ONCE_MAX {
            return Ok(None);
        }
        keys.push(Key::from(key));
    }
    Ok(Some(keys))
}

/// Removes entries whose keys begin with `target` and that nothing else belongs to, from `place` on, until there are none or
/// the allowance is spent. Returns whether there are none.
pub(crate) fn step(writer: &mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool> {
    let mut cursor = writer.range(&rest(target, place), Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else { return Ok(true) };
        allowance.spend(key, value);
        place.clear();
        place.extend_from_slice(key);
        writer.remove(key);
    }
    Ok(false)
}

/// What begins with `target` and comes after `place`. An engine whose removed entries are stepped over would walk over all of
/// them with every step, if it began at the target.
pub(crate) fn rest(target: &[u8], place: &[u8]) -> KeyRange {
    let after = if place.is_empty() { Bound::Unbounded } else { Bound::Excluded(Key::from(place)) };
    KeyRange::prefix(target).clamp(after, Bound::Unbounded)
}

/// The first job whose target comes after `after`.
pub(crate) fn next(view: &View, after: Option<&[u8]>) -> Result<Option<(Vec<u8>, Job)>> {
    let after = after.map_or(Bound::Unbounded, |target| Bound::Excluded(Key::from(key(target))));
    let found = view.first(&all().clamp(after, Bound::Unbounded), Direction::Forward)?;
    found.map(|(key, value)| Ok((key.get(2..).unwrap_or_default().to_vec(), record::decode(&value)?))).transpose()
}

/// How many jobs there are.
pub(crate) fn count(view: &View) -> Result<u64> {
    view.count(&all())
}

/// Keeps where a job got to.
pub(crate) fn put(writer: &mut Writer, target: &[u8], job: &Job) -> Result<()> {
    let mut value = Vec::new();
    record::encode(job, &mut value)?;
    writer.put(key(target), value)
}

/// A job is done.
pub(crate) fn finish(writer: &mut Writer, target: &[u8]) {
    writer.remove(key(target));
}

/// Whether a job is kept at `key`.
pub(super) fn is_key(key: &[u8]) -> bool {
    key.starts_with(&[CATALOGUE, KIND])
}

fn all() -> KeyRange {
    KeyRange::prefix(&[CATALOGUE, KIND])
}

fn key(target: &[u8]) -> Vec<u8> {
    let mut key = vec![CATALOGUE, KIND];
    key.extend_from_slice(target);
    key
}
