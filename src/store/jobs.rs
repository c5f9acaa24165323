//! Working off the jobs that transactions left behind, one commit of bounded size after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::job::{self, Allowance, Job, Work};
use crate::encoding::owner;
use crate::error::{Error, Result};
use crate::txn::{Core, Writer};
use crate::{kv, wide_column};

/// Works on every job, a step of each in turn, until none is left, or `stop` says so; returns how many entries were removed.
///
/// # Errors
/// That of the first job that failed; the others are done all the same. The failed one stays and is tried again the next time.
pub(super) fn run(core: &Arc<Core>, stop: impl Fn() -> bool) -> Result<u64> {
    let (mut removed, mut failed, mut failure) = (0, BTreeSet::new(), None);
    loop {
        let (mut after, mut has_worked) = (None, false);
        while !stop()
            && let Some((target, outcome)) = core.exclusive(|writer| step_after(writer, after.as_deref(), &failed))?
        {
            match outcome {
                Ok(entries) => {
                    removed += entries;
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
            return failure.map_or(Ok(removed), Err);
        }
    }
}

/// Removes of what was dropped as much as one step may, for a writer that needs room.
pub(super) fn reclaim(writer: &mut Writer) -> Result<(u64, bool)> {
    let (mut after, mut allowance) = (None, Allowance::of_step());
    while let Some((target, job)) = job::next(writer, after.as_deref())? {
        if allowance.is_spent() {
            return Ok((allowance.freed(), true));
        }
        match work(writer, &target, job, &mut allowance) {
            Ok(true) => {}
            Ok(false) => return Ok((allowance.freed(), true)),
            // It is told of by who works the jobs off, and is none of this writer's business.
            Err(error) => tracing::debug!(%error, "a job failed while room was made"),
        }
        after = Some(target);
    }
    Ok((allowance.freed(), false))
}

/// What became of a step of the job for a target.
type Stepped = Option<(Vec<u8>, Result<u64>)>;

/// A step of the first job whose target is after `after` and not among those that `failed`.
fn step_after(mut writer: Writer, after: Option<&[u8]>, failed: &BTreeSet<Vec<u8>>) -> Result<(Stepped, Writer)> {
    let mut next = job::next(&writer, after)?;
    while let Some((target, _)) = next.as_ref().filter(|(target, _)| failed.contains(target)) {
        next = job::next(&writer, Some(target))?;
    }
    let Some((target, job)) = next else { return Ok((None, writer)) };
    let (mark, mut allowance) = (writer.mark(), Allowance::of_step());
    let outcome = work(&mut writer, &target, job, &mut allowance);
    if outcome.is_err() {
        writer.undo_to(mark);
    }
    Ok((Some((target, outcome.map(|_| allowance.removed()))), writer))
}

/// Does of a job what the allowance has room for, and keeps where it got to. Returns whether it is done.
fn work(writer: &mut Writer, target: &[u8], mut job: Job, allowance: &mut Allowance) -> Result<bool> {
    let place = &mut job.place;
    let is_done = match (job.work, target.first()) {
        (Work::Remove, Some(&(owner::DOCUMENTS | owner::ITEMS | owner::KEY_ELEMENTS))) => {
            job::step(writer, target, place, allowance)?
        }
        (Work::Remove, Some(&owner::KEYS)) => kv::reclaim(writer, target, place, allowance)?,
        (Work::Remove, Some(&owner::WIDE_ROWS)) => wide_column::reclaim(writer, target, place, allowance)?,
        (Work::Remove, other) => {
            return Err(Error::corrupt("job", format!("its target belongs to no model: {other:02x?}")));
        }
    };
    if is_done {
        job::finish(writer, target);
    } else {
        job::put(writer, target, &job)?;
    }
    Ok(is_done)
}
