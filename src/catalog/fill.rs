//! Filling an index that is added to a table with something in it, in commits of bounded size.
//!
//! A model enters the index in the definition of the table, marked as being built, and leaves a job in the same
//! transaction ([`job::fill_later`]). From then on whoever writes to the table maintains the index, and nobody reads
//! it. Steps of the job go over what the table has, make what entries are missing, and keep the place they got to. The
//! step that comes to the end takes the mark away, and the index is there.
//!
//! # Invariants
//! 1. An index that is being built has all entries of what is stored up to the place of its job, and of what was
//!    written since it was defined. So a step makes entries that may be there already, and a writer removes entries
//!    that may not be.
//! 2. The end of the job and the change of the definition are one commit; so are its failure, and the removal of the
//!    index.
//!
//! # Who does it
//! The background thread or [`Store::run_jobs`](crate::Store::run_jobs), unless somebody waits for the index: then that
//! thread does it ([`run`]), and gets the error. It has claimed the job, so that no other thread gets it instead.

use std::sync::Arc;

use crate::catalog::job::{self, Allowance, Job, Work};
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, Result};
use crate::txn::{Core, Writer};

/// What a model does about its indexes that are being built. One for each leading byte of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    /// Makes entries from the place on, most easily by [`over`]. When it returns that nothing is missing any more, it has changed
    /// the definition, too. An index that is not being built, or has been dropped, misses nothing.
    pub(crate) fill: fn(&mut Writer, target: &[u8], place: &mut Vec<u8>, allowance: &mut Allowance) -> Result<bool>,
    /// Takes the index out of the definition, and leaves its entries to be removed.
    pub(crate) abandon: fn(&mut Writer, target: &[u8]) -> Result<()>,
}

/// What became of a step.
#[derive(Debug)]
pub(crate) enum Filled {
    /// There is more to do.
    More,
    /// The index is complete, or dropped.
    Done,
    /// What is stored cannot be indexed so; the index has been taken away again.
    Refused(Error),
}

/// Does a step of the job for `target`, in the transaction of `writer`, which has made no changes before.
///
/// # Errors
/// What may be gone when the step is tried again. It has to be undone.
pub(crate) fn step(
    writer: &mut Writer,
    target: &[u8],
    mut job: Job,
    filling: Filling,
    allowance: &mut Allowance,
) -> Result<Filled> {
    let mark = writer.mark();
    match (filling.fill)(writer, target, &mut job.place, allowance) {
        Ok(true) => {
            job::finish(writer, target);
            Ok(Filled::Done)
        }
        Ok(false) => {
            job::put(writer, target, &job)?;
            Ok(Filled::More)
        }
        Err(error) if is_refusal(&error) => {
            writer.undo_to(mark);
            job::finish(writer, target);
            (filling.abandon)(writer, target)?;
            Ok(Filled::Refused(error))
        }
        Err(error) => Err(error),
    }
}

/// Whether what is stored is the reason, and not how it is stored or read.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::DuplicateKey { .. } | Error::Invalid { .. } | Error::LimitExceeded { .. })
}

/// Does the job for `target` to its end, a commit for each step, between which others have their turns. The caller has claimed
/// the target (`Core::claims`).
///
/// # Errors
/// Why the index was taken away again; what else may go wrong leaves the job for later.
pub(crate) fn run(core: &Arc<Core>, target: &[u8], filling: Filling) -> Result<()> {
    loop {
        let attempted = core.exclusive_after_others(|mut writer: Writer| {
            let filled = match job::get(&writer, target)?.filter(|job| job.work == Work::Fill) {
                Some(job) => step(&mut writer, target, job, filling, &mut Allowance::of_step())?,
                None => Filled::Done,
            };
            Ok::<_, Error>((filled, writer))
        })?;
        match attempted.outcome {
            Ok(Filled::More) => {}
            Ok(Filled::Done) => return attempted.pending.settle(),
            Ok(Filled::Refused(error)) | Err(error) => {
                attempted.pending.settle()?;
                return Err(error);
            }
        }
    }
}

/// Calls `body` for what is stored below `source` after `place`, until it comes to the end or the allowance is spent; returns
/// whether it is the end.
pub(crate) fn over(
    writer: &mut Writer,
    source: &[u8],
    place: &mut Vec<u8>,
    allowance: &mut Allowance,
    mut body: impl FnMut(&mut Writer, &[u8], &[u8], &mut Allowance) -> Result<()>,
) -> Result<bool> {
    let rest: KeyRange = job::rest(source, place);
    let mut cursor = writer.range(&rest, Direction::Forward)?;
    while !allowance.is_spent() {
        let Some((key, value)) = cursor.next()? else { return Ok(true) };
        allowance.spend(key, value);
        body(writer, key, value, allowance)?;
        place.clear();
        place.extend_from_slice(key);
    }
    Ok(false)
}
