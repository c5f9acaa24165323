//! Bulk writes: many writes, each with its own outcome.
//!
//! # Invariants
//! 1. On the store a write that is refused is undone alone, and those before it stay. In a transaction all of them are one
//!    operation: one that is refused undoes the others.
//! 2. Only what a request can cause is an outcome of a write. A failure of the store, and a conflict, ends the bulk write.

use std::sync::Arc;

use crate::document::bulk::model::{Compiled, WriteModel};
use crate::document::bulk::modify;
use crate::document::bulk::outcome::{BulkWriteResult, UpdateResult, WriteOutcome};
use crate::document::bulk::{Action, EachMatch, Tally};
use crate::document::code::Code;
use crate::document::schema::Namespace;
use crate::error::{Error, Result};
use crate::txn::{AutoCommit, Operation, Room, Steps, WriteScope, Writer};

/// Writes that have not run yet. Given by [`Collection::bulk_write`](crate::Collection::bulk_write).
///
/// # Examples
/// See [`BulkWriteResult`].
#[derive(Debug)]
#[must_use = "a bulk write does nothing until it is run"]
pub struct BulkWrite<S = AutoCommit> {
    scope: S,
    namespace: Arc<Namespace>,
    models: Vec<WriteModel>,
    ordered: bool,
}

impl<S: WriteScope> BulkWrite<S> {
    pub(in crate::document) fn new(scope: S, namespace: Arc<Namespace>, models: Vec<WriteModel>) -> Self {
        Self { scope, namespace, models, ordered: true }
    }

    /// Whether the first write that is refused ends it, which is the default. Otherwise the others are tried too.
    ///
    /// # Examples
    /// See [`BulkWriteResult`].
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// Does the writes, in their order, and returns what became of each that was tried.
    ///
    /// On the store they are one commit, or several between which others write, when there are many; each write is atomic,
    /// except that one of many documents can be several commits as well. In a transaction they are one operation: the first that is
    /// refused undoes those before it ([`WriteOutcome::Undone`]), and the transaction goes on.
    ///
    /// # Errors
    /// What no write causes: a conflict, a failure of the store. What was committed before stays; then the error is in an
    /// [`Error::Partial`].
    ///
    /// # Examples
    /// See [`BulkWriteResult`].
    pub fn run(self) -> Result<BulkWriteResult> {
        if self.scope.auto_commit().is_some() { self.on_the_store() } else { self.in_a_transaction() }
    }

    fn on_the_store(&self) -> Result<BulkWriteResult> {
        let mut each = WriteEach::new(&self.namespace, &self.models, self.ordered);
        loop {
            self.scope.write_steps(self.operation(), &mut each)?;
            let Some(model) = each.pending() else { break };
            let outcome = self.many(model);
            each.add(outcome?);
        }
        Ok(BulkWriteResult { writes: each.outcomes })
    }

    /// A write of many documents, in commits of its own.
    fn many(&self, model: &WriteModel) -> Result<WriteOutcome> {
        outcome(model.compile().and_then(|compiled| match compiled {
            Compiled::ModifyMany(modify) => self.each(Action::Modify(&modify)).map(updated),
            Compiled::DeleteMany(selection) => self.each(Action::Remove(&selection)).map(deleted),
            one => self.scope.write(self.operation(), |writer| write(writer, &self.namespace, &one)),
        }))
    }

    fn each(&self, action: Action<'_>) -> Result<Tally> {
        let mut each = EachMatch::new(&self.namespace, action);
        self.scope.write_steps(self.operation(), &mut each)?;
        Ok(each.into_tally())
    }

    fn in_a_transaction(&self) -> Result<BulkWriteResult> {
        let (mut outcomes, mut refused) = (Vec::new(), false);
        let written = self.scope.write(self.operation(), |writer| {
            outcomes.clear();
            refused = false;
            for model in &self.models {
                match model.compile().and_then(|compiled| write(writer, &self.namespace, &compiled)) {
                    Ok(outcome) => outcomes.push(outcome),
                    Err(error) => {
                        refused = is_of_request(&error);
                        return Err(error);
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = written {
            if !refused {
                return Err(error);
            }
            outcomes.iter_mut().for_each(|outcome| *outcome = WriteOutcome::Undone);
            outcomes.push(WriteOutcome::Failed(error));
        }
        Ok(BulkWriteResult { writes: outcomes })
    }

    fn operation(&self) -> Operation<'_> {
        self.namespace.operation("bulk_write")
    }
}

/// The writes of a bulk write on the store.
struct WriteEach<'a> {
    namespace: &'a Namespace,
    models: &'a [WriteModel],
    ordered: bool,
    /// What became of the writes that are committed, and then of those of the running step.
    outcomes: Vec<WriteOutcome>,
    committed: usize,
}

impl<'a> WriteEach<'a> {
    fn new(namespace: &'a Namespace, models: &'a [WriteModel], ordered: bool) -> Self {
        Self { namespace, models, ordered, outcomes: Vec::new(), committed: 0 }
    }

    /// The next write, unless all are done or one was refused that ends them.
    fn pending(&self) -> Option<&'a WriteModel> {
        let is_over = self.ordered && matches!(self.outcomes.last(), Some(WriteOutcome::Failed(_)));
        if is_over { None } else { self.models.get(self.outcomes.len()) }
    }

    fn add(&mut self, outcome: WriteOutcome) {
        self.outcomes.push(outcome);
        self.committed = self.outcomes.len();
    }
}

impl Steps for WriteEach<'_> {
    /// Whether there are more writes of one document.
    type Done = bool;

    fn step(&mut self, writer: &mut Writer, room: Room) -> Result<bool> {
        self.outcomes.truncate(self.committed);
        while let Some(model) = self.pending().filter(|model| !model.is_many()) {
            let mark = writer.mark();
            let outcome = outcome(model.compile().and_then(|compiled| write(writer, self.namespace, &compiled)))?;
            if matches!(outcome, WriteOutcome::Failed(_)) {
                writer.undo_to(mark);
            }
            self.outcomes.push(outcome);
            if room.is_spent(writer) {
                return Ok(self.pending().is_some_and(|model| !model.is_many()));
            }
        }
        Ok(false)
    }

    fn committed(&mut self, has_more: bool) -> Result<bool> {
        self.committed = self.outcomes.len();
        Ok(has_more)
    }

    /// What ends a step is not the fault of one of its writes.
    fn shorten(&mut self) -> bool {
        self.outcomes.truncate(self.committed);
        false
    }

    fn count(&self) -> u64 {
        self.committed as u64
    }
}

/// Does one write, of many documents too.
fn write(writer: &mut Writer, namespace: &Namespace, write: &Compiled<'_>) -> Result<WriteOutcome> {
    Ok(match write {
        Compiled::Insert(document) => WriteOutcome::Inserted(modify::insert(writer, namespace, document)?.0),
        Compiled::Modify(modify) => WriteOutcome::Updated(modify.first(writer, namespace)?.into()),
        Compiled::ModifyMany(modify) => updated(all(writer, namespace, Action::Modify(modify))?),
        Compiled::Delete(selection) => {
            WriteOutcome::Deleted(modify::remove_first(selection, writer, namespace)?.is_some().into())
        }
        Compiled::DeleteMany(selection) => deleted(all(writer, namespace, Action::Remove(selection))?),
    })
}

fn all(writer: &mut Writer, namespace: &Namespace, action: Action<'_>) -> Result<Tally> {
    let mut each = EachMatch::new(namespace, action);
    let done = each.step(writer, Room::Unbounded)?;
    each.committed(done)?;
    Ok(each.into_tally())
}

fn updated(tally: Tally) -> WriteOutcome {
    let Tally { matched, changed, upserted_id } = tally;
    WriteOutcome::Updated(UpdateResult { matched, modified: changed, upserted_id })
}

fn deleted(tally: Tally) -> WriteOutcome {
    WriteOutcome::Deleted(tally.changed)
}

/// What a request causes as an outcome of its write; anything else is an error of all of them.
fn outcome(written: Result<WriteOutcome>) -> Result<WriteOutcome> {
    match written {
        Err(error) if is_of_request(&error) => Ok(WriteOutcome::Failed(error)),
        written => written,
    }
}

fn is_of_request(error: &Error) -> bool {
    !error.cause().is_retryable() && Code::of(error).is_some()
}
