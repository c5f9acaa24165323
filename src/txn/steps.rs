//! Operations on many things, in steps of bounded size.
//!
//! On the store, an operation that changes many documents is several commits, between which other writers have their turns: nobody
//! waits for all of it. In a transaction it is one step. How large a step is, [`Room`] says.
//!
//! # Invariants
//! 1. What fits into one step is one commit.
//! 2. When a step fails, what came before it stays, and so does what the step itself had done before it failed; the error says how
//!    much that is ([`Error::Partial`]). It does not depend on how the work happened to be cut into steps.
//! 3. Steps become durable in their order. The operation returns, with an error too, when what it did is durable.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits;
use crate::txn::commit::Pending;
use crate::txn::core::Core;
use crate::txn::meter::Meter;
use crate::txn::operation::Operation;
use crate::txn::view::Writer;

/// How much a step may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(unnameable_types, reason = "public for the sealed methods of `Scope`, and named by nobody outside")]
pub enum Room {
    /// Whatever there is to change.
    Unbounded,
    /// This many entries, and about this many bytes.
    Step {
        /// Entries.
        entries: usize,
        /// Bytes of their keys and values.
        bytes: usize,
    },
}

impl Room {
    /// For a step on the store.
    const OF_STEP: Self = Self::Step { entries: limits::JOB_STEP_ENTRIES_MAX, bytes: limits::JOB_STEP_BYTES_MAX };

    /// Whether the step ends here, with what `writer` has changed so far.
    pub(crate) fn is_spent(self, writer: &Writer) -> bool {
        match self {
            Self::Unbounded => false,
            Self::Step { entries, bytes } => {
                let (changed, of_bytes) = writer.size();
                changed >= entries || of_bytes >= bytes
            }
        }
    }
}

/// An operation that can be done in steps.
#[expect(unnameable_types, reason = "public for the sealed methods of `Scope`, and named by nobody outside")]
pub trait Steps {
    /// What one step did.
    type Done;

    /// Does as much as there is room for, but at least one thing, unless there is none. It may run more than once before it is
    /// committed; only the last run counts.
    ///
    /// # Errors
    /// Why something could not be done. What came before it can be done alone, by [`Steps::shorten`].
    fn step(&mut self, writer: &mut Writer, room: Room) -> Result<Self::Done>;

    /// What a step did is committed. Prepares the next step, outside of the turn to write, and returns whether there is one.
    fn committed(&mut self, done: Self::Done) -> Result<bool>;

    /// After a step failed: has the next one do no more than what went well in it. Returns whether that is anything.
    fn shorten(&mut self) -> bool;

    /// How much was committed.
    fn count(&self) -> u64;
}

/// Runs `steps` on the store, each in a commit of its own.
pub(super) fn run(core: &Arc<Core>, operation: &Operation<'_>, meter: &Meter, steps: &mut impl Steps) -> Result<()> {
    let (last, outcome) = run_unsettled(core, operation, meter, steps);
    // The last commit comes after all others.
    last.as_ref().map_or(Ok(()), Pending::settle)?;
    outcome
}

/// As [`run`], without waiting for the last commit, which is returned.
pub(super) fn run_unsettled(
    core: &Arc<Core>,
    operation: &Operation<'_>,
    meter: &Meter,
    steps: &mut impl Steps,
) -> (Option<Pending>, Result<()>) {
    let (mut last, mut failure) = (None, None);
    loop {
        let outcome = step(core, operation, meter, steps, last.is_some());
        let error = match outcome {
            Ok((done, pending)) => {
                last = Some(pending);
                match steps.committed(done) {
                    _ if failure.is_some() => break,
                    Ok(true) => continue,
                    Ok(false) => break,
                    Err(error) => error,
                }
            }
            Err(Failed::Step(error)) if failure.is_none() && steps.shorten() => {
                failure = Some(error);
                continue;
            }
            // What failed in the shorter run came before the first failure.
            Err(Failed::Step(_)) if failure.is_some() && steps.shorten() => continue,
            Err(Failed::Step(error) | Failed::Commit(error)) => error,
        };
        failure.get_or_insert(error);
        break;
    }
    let outcome = match failure {
        Some(error) if steps.count() > 0 => Err(Error::Partial { done: steps.count(), error: Box::new(error) }),
        Some(error) => Err(error),
        None => Ok(()),
    };
    (last, outcome)
}

/// Why a step was not committed.
enum Failed {
    /// Because of what it was to do.
    Step(Error),
    /// Because of the store.
    Commit(Error),
}

fn step<S: Steps>(
    core: &Arc<Core>,
    operation: &Operation<'_>,
    meter: &Meter,
    steps: &mut S,
    is_later: bool,
) -> Result<(S::Done, Pending), Failed> {
    let body = |mut writer: Writer| {
        writer.set_meter(meter);
        let done = writer.run(operation, &mut |writer: &mut Writer| steps.step(writer, Room::OF_STEP))?;
        Ok::<_, Error>((done, writer))
    };
    let attempted = if is_later { core.exclusive_after_others(body) } else { core.exclusive_pending(body) };
    let attempted = attempted.map_err(Failed::Commit)?;
    match attempted.outcome {
        Ok(done) => Ok((done, attempted.pending)),
        Err(error) => {
            // It depends on a state that has to be durable first.
            attempted.pending.settle().map_err(Failed::Commit)?;
            Err(Failed::Step(error))
        }
    }
}
