//! How transactions run on a store, and how what they amount to is committed.

use std::sync::Arc;

use crate::engine::{Changes, CommitNumber, Durability, Reads, Snapshot, Ticket};
use crate::error::{Error, Result};
use crate::limits;
use crate::txn::core::Core;
use crate::txn::isolation::Isolation;
use crate::txn::leases::{Ends, Taken};
use crate::txn::record::Record;
use crate::txn::settler::{Settling, Unsettled};
use crate::txn::start::Start;
use crate::txn::turns::{Turn, Turns};
use crate::txn::view::{View, Writer};

impl Core {
    /// The last acknowledged commit's state, refused inside this thread's own exclusive transaction.
    pub(crate) fn view(self: &Arc<Self>) -> Result<View> {
        self.refuse_nesting()?;
        Ok(View::new(Arc::clone(self), self.engine().snapshot()?, None))
    }

    /// Runs `body` with the turn to write, and commits what it wrote.
    ///
    /// On an engine that others write to as well, `body` runs again when its commit conflicts.
    #[cfg(test)]
    pub(crate) fn exclusive<R, E: From<Error>>(
        self: &Arc<Self>,
        body: impl FnMut(Writer) -> Result<(R, Writer), E>,
    ) -> Result<R, E> {
        self.exclusive_pending(body)?.settle()
    }

    /// As [`Core::exclusive`], without waiting for what it did to become durable.
    pub(crate) fn exclusive_pending<R, E>(
        self: &Arc<Self>,
        body: impl FnMut(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        self.attempts(Turns::take, self.handing_over(body))
    }

    /// As [`Core::exclusive`], for `body` that leaves the writer where it is: that is a few hundred bytes, which a single operation would
    /// copy several times.
    pub(super) fn exclusive_in_place<R, E: From<Error>>(
        self: &Arc<Self>,
        mut body: impl FnMut(&mut Writer) -> Result<R, E>,
    ) -> Result<R, E> {
        let run = |start: Start| {
            let mut writer = start.writer();
            let value = body(&mut writer)?;
            Ok((value, self.commit(writer)))
        };
        self.attempts(Turns::take, run)?.settle()
    }

    /// As [`Core::exclusive_pending`], for a later step of what is done in several: whoever waits for the turn has it before, and
    /// after.
    pub(crate) fn exclusive_after_others<R, E>(
        self: &Arc<Self>,
        body: impl FnMut(Writer) -> Result<(R, Writer), E>,
    ) -> Result<Attempted<R, E>> {
        self.attempts(Turns::take_after_others, self.handing_over(body))
    }

    /// As [`Core::exclusive_once`], again and again when the commit conflicts, on an engine that others write to as well.
    pub(crate) fn exclusive_retrying<R, E>(
        self: &Arc<Self>,
        body: impl FnMut(Start) -> Result<(R, Result<Ticket>), E>,
    ) -> Result<Attempted<R, E>> {
        self.attempts(Turns::take, body)
    }

    /// `body`, and then the commit of the writer that it gives back.
    fn handing_over<'a, R, E>(
        self: &'a Arc<Self>,
        mut body: impl FnMut(Writer) -> Result<(R, Writer), E> + 'a,
    ) -> impl FnMut(Start) -> Result<(R, Result<Ticket>), E> + 'a {
        move |start| {
            let (value, writer) = body(start.writer())?;
            Ok((value, self.commit(writer)))
        }
    }

    /// Calls `run`, which commits, with a turn that `take` gives, and again when its commit conflicts.
    fn attempts<R, E>(
        self: &Arc<Self>,
        take: impl for<'t> Fn(&'t Turns) -> Turn<'t>,
        mut run: impl FnMut(Start) -> Result<(R, Result<Ticket>), E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        let mut attempt = 1;
        loop {
            match self.attempt_again(take(self.turns()), attempt, &mut run) {
                Err(error) if error.is_retryable() && attempt < limits::TRANSACTION_ATTEMPTS_MAX => attempt += 1,
                attempted => return attempted,
            }
        }
    }

    /// Runs `body` once with the turn to write. It makes its writer and ends with the [`commit`](Core::commit) of it, so that this
    /// stays in one place.
    ///
    /// # Errors
    /// Those of `body`; [`Error::Conflict`] on an engine that others write to as well.
    pub(crate) fn exclusive_once<R, E>(
        self: &Arc<Self>,
        body: impl FnOnce(Start) -> Result<(R, Result<Ticket>), E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        self.attempt(self.turns().take(), body)
    }

    /// As [`Core::exclusive_once`], with a turn that was taken before.
    ///
    /// # Errors
    /// Why nothing was committed, unless that is an error of `body`: that one is in what is returned, since it depends
    /// on a state that has to be durable first.
    pub(crate) fn attempt<R, E>(
        self: &Arc<Self>,
        turn: Turn<'_>,
        body: impl FnOnce(Start) -> Result<(R, Result<Ticket>), E>,
    ) -> Result<Attempted<R, E>> {
        self.attempt_again(turn, 1, body)
    }

    /// Calls `run`, which commits, for the `attempt`th time, counted from 1.
    #[inline]
    fn attempt_again<R, E>(
        self: &Arc<Self>,
        turn: Turn<'_>,
        attempt: u32,
        run: impl FnOnce(Start) -> Result<(R, Result<Ticket>), E>,
    ) -> Result<Attempted<R, E>> {
        let (base, tracked) = self.exclusive_base()?;
        let seen = base.commit();
        let start = Start { core: Arc::clone(self), base, tracked, attempt };
        let (outcome, ticket) = match run(start) {
            Ok((value, ticket)) => (Ok(value), ticket?),
            Err(error) => (Err(error), self.ticket_of(seen)?),
        };
        drop(turn);
        Ok(Attempted { outcome, pending: self.pending(ticket) })
    }

    /// Runs `body`, which only reads, on the newest state, beside whoever has the turn to write. What it returns
    /// depends on commits that may not be durable yet, as with [`Core::attempt`].
    #[cfg(feature = "server")]
    pub(crate) fn read_latest<R, E>(
        self: &Arc<Self>,
        body: impl FnOnce(Start) -> Result<R, E>,
    ) -> Result<Attempted<R, E>> {
        self.refuse_nesting()?;
        let base = self.engine().latest()?;
        let seen = base.commit();
        let outcome = body(Start { core: Arc::clone(self), base, tracked: None, attempt: 1 });
        Ok(Attempted { outcome, pending: self.pending(self.ticket_of(seen)?) })
    }

    /// Starts an optimistic transaction.
    #[inline]
    pub(crate) fn begin(self: &Arc<Self>, isolation: Isolation) -> Result<Start> {
        self.refuse_nesting()?;
        Ok(Start { core: Arc::clone(self), base: self.engine().begin()?, tracked: Some(isolation), attempt: 1 })
    }

    /// The turn to commit an optimistic transaction, for which the thread waits.
    ///
    /// # Errors
    /// [`Error::NestedTransaction`] inside an exclusive transaction of this thread.
    pub(crate) fn turn_to_commit(&self) -> Result<Turn<'_>> {
        self.refuse_nesting()?;
        Ok(self.turns().take())
    }

    #[inline]
    pub(crate) fn pending(self: &Arc<Self>, ticket: Ticket) -> Pending {
        Pending { core: Arc::clone(self), ticket }
    }

    /// Whether nothing in `reads` was changed since they were made. The caller has the turn to write.
    pub(crate) fn is_unchanged(&self, reads: &Reads) -> Result<bool> {
        match self.engine().commit(&Changes::new(), Some(reads), Durability::None) {
            Ok(_) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a transaction with the turn to write reads, and whether that is checked at its commit.
    fn exclusive_base(&self) -> Result<(Arc<dyn Snapshot>, Option<Isolation>)> {
        if self.engine().is_shared() {
            return Ok((self.engine().begin()?, Some(Isolation::Serializable)));
        }
        Ok((self.engine().latest()?, None))
    }

    /// As [`Core::commit`] where nothing was written, and `None` where something was: the writer stays where it is.
    ///
    /// A transaction that wrote nothing has seen one snapshot, and so needs no check.
    #[inline]
    pub(crate) fn commit_unchanged(&self, writer: &mut Writer) -> Option<Result<Ticket>> {
        let is_unchanged = writer.view.overlay.changes.is_empty();
        // Messages alone need no disk: they can be published by a store that cannot write any more.
        (is_unchanged && (writer.notes.is_empty() || writer.tracked.is_none())).then(|| {
            let record = writer.record.take();
            let ticket = match self.ticket_of(writer.commit()) {
                Ok(ticket) => ticket,
                Err(error) => {
                    end(record, Err(&error));
                    return Err(error);
                }
            };
            self.count_operations(writer.operations);
            if !writer.notes.is_empty() {
                self.queue_notes(writer.notes.take(), ticket.number());
            }
            end(record, Ok(ticket.number()));
            Ok(ticket)
        })
    }

    /// Hands the transaction to the engine and queues its notes. The caller has the turn.
    pub(crate) fn commit(self: &Arc<Self>, mut writer: Writer) -> Result<Ticket> {
        if let Some(ticket) = self.commit_unchanged(&mut writer) {
            return ticket;
        }
        // What is not needed any more is taken out of the writer, which stays where it is: it is long to copy.
        let (mut record, tracked) = (writer.record.take(), writer.tracked.take());
        let (reads, isolation) = tracked.unzip();
        let changes = &mut writer.view.overlay.changes;
        if let Some(record) = &mut record {
            record.changes(changes.len(), changes.bytes());
        }
        if let (Some(Isolation::Snapshot), Some(reads)) = (isolation, &reads) {
            let mut reads = reads.lock();
            changes.each().for_each(|(key, _)| reads.add_key(key));
        }
        let ends = writer.taken.any().then(|| self.put_ends(writer.taken, changes));
        let changes_catalogue = writer.changes_catalogue();
        // An optimistic transaction's snapshot is held while its reads are checked. Any other is let go first: an engine
        // in memory changes in place what no snapshot shares.
        let held = reads.is_some().then_some(writer.view.overlay.base);
        let outcome = {
            let reads = reads.as_ref().map(|reads| reads.lock());
            let changes = writer.view.overlay.changes;
            let commit = || self.engine().commit_owned(changes, reads.as_deref(), self.durability());
            if changes_catalogue { self.changing_catalogue(commit) } else { commit() }
        };
        let ticket = match outcome {
            Ok(ticket) => ticket,
            Err(error) => {
                let error = self.name_conflict(error, held.as_ref());
                end(record, Err(&error));
                return Err(error);
            }
        };
        drop(held);
        end(record, Ok(ticket.number()));
        if let Some(ends) = ends {
            self.leases().note_stored(ends);
        }
        self.count_operations(writer.operations);
        self.queue_notes(writer.notes.take(), ticket.number());
        if let Some(at) = writer.wake_at {
            self.wake_background(at);
        }
        Ok(ticket)
    }

    /// Adds the ends of leases to `changes` that a commit has to store which holds numbers of them.
    fn put_ends(&self, taken: Taken, changes: &mut Changes) -> Ends {
        let ends = self.leases().to_store(taken);
        for (sequence, end) in ends.each() {
            changes.put(sequence.key(), sequence.encode(end));
        }
        ends
    }

    /// Names in a conflict what was changed, as it was in the snapshot that the transaction read.
    fn name_conflict(self: &Arc<Self>, error: Error, read: Option<&Arc<dyn Snapshot>>) -> Error {
        match (error, read) {
            (Error::Conflict { key, what }, Some(read)) => {
                let view = View::new(Arc::clone(self), Arc::clone(read), None);
                let what = view.models().and_then(|models| (models.describe)(&view, &key)).unwrap_or(what);
                Error::Conflict { key, what }
            }
            (error, _) => error,
        }
    }

    /// Runs `commit`, which changes the catalogue, with no epoch for anybody meanwhile. The caller has the turn.
    fn changing_catalogue(&self, commit: impl FnOnce() -> Result<Ticket>) -> Result<Ticket> {
        if self.engine().is_shared() {
            return commit();
        }
        self.epochs().begin_change();
        let outcome = commit();
        match &outcome {
            Ok(ticket) => self.epochs().end_change(ticket.number()),
            // What was refused changed nothing; what failed has been ordered, perhaps. Without a result, as when the store
            // is closed, there are no epochs any more.
            Err(_) => {
                if let Ok(latest) = self.engine().latest() {
                    self.epochs().end_change(latest.commit());
                }
            }
        }
        outcome
    }

    /// A ticket for what was read of the newest state, which may not be durable yet. Without the turn it may be one for
    /// a later commit.
    ///
    /// What it returns, an error too, is of that state; a reader after it must not be shown an earlier one.
    fn ticket_of(&self, seen: CommitNumber) -> Result<Ticket> {
        if seen <= self.engine().snapshot()?.commit() {
            return Ok(Ticket::settled(seen));
        }
        self.engine().commit(&Changes::new(), None, self.durability())
    }
}

fn end(record: Option<Box<Record>>, outcome: Result<CommitNumber, &Error>) {
    if let Some(record) = record {
        record.end(outcome);
    }
}

/// A transaction that has ended. Nobody learns what came of it before it has settled.
#[derive(Debug)]
#[must_use = "a commit is acknowledged when it has settled"]
pub(crate) struct Attempted<R, E> {
    /// What its body returned.
    pub(crate) outcome: Result<R, E>,
    pub(crate) pending: Pending,
}

impl<R, E: From<Error>> Attempted<R, E> {
    /// Waits until what it did, or what its error depends on, is durable.
    pub(crate) fn settle(self) -> Result<R, E> {
        self.pending.settle()?;
        self.outcome
    }
}

/// A commit that is ordered and may still have to become durable, and its notes.
#[derive(Clone, Debug)]
#[must_use = "a commit is acknowledged when it has settled"]
pub(crate) struct Pending {
    core: Arc<Core>,
    ticket: Ticket,
}

impl Pending {
    /// Whether [`Pending::settle`] will not have to wait.
    pub(crate) fn is_durable(&self) -> bool {
        self.ticket.is_settled()
    }

    /// Its place in the order of all commits.
    pub(crate) fn number(&self) -> CommitNumber {
        self.ticket.number()
    }

    /// Waits until the commit is durable, and releases its notes.
    pub(crate) fn settle(&self) -> Result<()> {
        self.core.settle(&self.ticket)
    }

    /// Leaves that to the store's own thread.
    pub(crate) fn settle_later(&self) -> Settling {
        self.core.settler().settle(Box::new(self.clone()))
    }
}

impl Unsettled for Pending {
    fn settle(&self) -> Result<()> {
        Self::settle(self)
    }

    fn engine(&self) -> &'static str {
        self.core.engine().name()
    }
}
