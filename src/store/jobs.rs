//! Working off the jobs that transactions left behind, one commit of bounded size after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::fill::{self, Filled, Filling};
use crate::catalog::job::{self, Allowance, Job, Work};
use crate::encoding::owner;
use crate::error::{Error, Result};
use crate::txn::{Attempted, Core, View, Writer};
use crate::{document, item, kv, wide_column};

/// Works on every job, a step of each in turn, until none is left, or `stop` says so; returns how many entries were
/// removed, or read and made into entries of indexes. Jobs that a thread waits for are left to it.
///
/// # Errors
/// That of the first job that failed; the others are done all the same. The failed one stays and is tried again the
/// next time, unless it was to fill an index that cannot be.
pub(super) fn run(core: &Arc<Core>, stop: impl Fn() -> bool) -> Result<u64> {
    let (mut done, mut failed, mut failure) = (0, BTreeSet::new(), None);
    loop {
        let (mut after, mut has_worked) = (None, false);
        while !stop() {
            let attempted: Attempted<_, Error> =
                core.exclusive_after_others(|writer| step_after(core, writer, after.as_deref(), &failed))?;
            let Some((target, outcome)) = attempted.settle()? else { break };
            match outcome {
                Ok(entries) => {
                    done += entries;
                    has_worked = true;
                }
                Err(error) => {
                    tracing::warn!(%error, target = ?crate::engine::Key::from(&*target), "a job failed and is left for later");
                    failure.get_or_insert(error);
                    failed.insert(target.clone());
                }
            }
            after = Some(target);
        }
        if !has_worked {
            return failure.map_or(Ok(done), Err);
        }
    }
}

/// Removes of what was dropped as much as one step may, for a writer that needs room.
pub(super) fn reclaim(writer: &mut Writer) -> Result<(u64, bool)> {
    let (mut after, mut allowance) = (None, Allowance::of_step());
    while let Some((target, job)) = job::next(writer, after.as_deref())? {
        if job.work != Work::Remove {
            after = Some(target);
            continue;
        }
        if allowance.is_spent() {
            return Ok((allowance.freed(), true));
        }
        match work(writer, &target, job, &mut allowance) {
            Ok(true) => {}
            Ok(false) => return Ok((allowance.freed(), true)),
            // Whoever works the jobs off reports it; it is not this writer's business.
            Err(error) => tracing::debug!(%error, "a job failed while room was made"),
        }
        after = Some(target);
    }
    Ok((allowance.freed(), false))
}

/// Whether there are jobs that no thread waits for.
pub(super) fn are_left(core: &Core, view: &View) -> Result<bool> {
    Ok(unclaimed(core, view, None, &BTreeSet::new())?.is_some())
}

/// What became of a step of the job for a target.
type Stepped = Option<(Vec<u8>, Result<u64>)>;

/// A step of the first job whose target is after `after` and not among those that `failed`.
fn step_after(
    core: &Core,
    mut writer: Writer,
    after: Option<&[u8]>,
    failed: &BTreeSet<Vec<u8>>,
) -> Result<(Stepped, Writer)> {
    let Some((target, job)) = unclaimed(core, &writer, after, failed)? else { return Ok((None, writer)) };
    let (mark, mut allowance) = (writer.mark(), Allowance::of_step());
    let outcome = match job.work {
        Work::Remove | Work::Tidy => work(&mut writer, &target, job, &mut allowance).map(|_| None),
        Work::Fill => filling(&target).and_then(|filling| {
            let filled = fill::step(&mut writer, &target, job, filling, &mut allowance)?;
            Ok(if let Filled::Refused(error) = filled { Some(error) } else { None })
        }),
    };
    if outcome.is_err() {
        writer.undo_to(mark);
    }
    let outcome = outcome.and_then(|refused| refused.map_or(Ok(allowance.done()), Err));
    Ok((Some((target, outcome)), writer))
}

/// The first job whose target is after `after`, not among those that `failed`, and not claimed.
fn unclaimed(
    core: &Core,
    view: &View,
    after: Option<&[u8]>,
    failed: &BTreeSet<Vec<u8>>,
) -> Result<Option<(Vec<u8>, Job)>> {
    let mut next = job::next(view, after)?;
    while let Some((target, _)) = next.as_ref()
        && (failed.contains(target) || core.claims().is_claimed(target))
    {
        next = job::next(view, Some(target))?;
    }
    Ok(next)
}

/// Does of a job that removes or tidies what the allowance has room for, and keeps where it got to. Returns whether that is all.
fn work(writer: &mut Writer, target: &[u8], mut job: Job, allowance: &mut Allowance) -> Result<bool> {
    let place = &mut job.place;
    let is_done = match (job.work, target.first()) {
        (Work::Remove, Some(&(owner::DOCUMENTS | owner::ITEMS | owner::KEY_ELEMENTS | owner::WIDE_INDEXES))) => {
            job::step(writer, target, place, allowance)?
        }
        (Work::Remove, Some(&owner::KEYS)) => kv::reclaim(writer, target, place, allowance)?,
        (Work::Remove, Some(&owner::WIDE_ROWS)) => wide_column::reclaim(writer, target, place, allowance)?,
        (Work::Tidy, Some(&owner::WIDE_ROWS)) => wide_column::tidy(writer, target, place, allowance)?,
        (_, other) => return Err(of_no_model(other)),
    };
    if is_done {
        job::finish(writer, target);
    } else {
        job::put(writer, target, &job)?;
    }
    Ok(is_done)
}

/// How the model that owns `target` fills its indexes.
fn filling(target: &[u8]) -> Result<Filling> {
    match target.first() {
        Some(&owner::DOCUMENTS) => Ok(document::FILLING),
        Some(&owner::ITEMS) => Ok(item::FILLING),
        other => Err(of_no_model(other)),
    }
}

fn of_no_model(owner: Option<&u8>) -> Error {
    Error::corrupt("job", format!("its target belongs to no model that does it: {owner:02x?}"))
}
