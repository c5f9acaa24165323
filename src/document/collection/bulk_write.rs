//! Bulk writes: many writes, each with its own outcome.
//!
//! # Invariants
//! 1. On the store a write that is refused is undone alone, and those before it stay. In a transaction all of them are one
//!    operation: one that is refused undoes the others.
//! 2. Only what a request can cause is an outcome of a write. A failure of the store, and a conflict, ends the bulk write.

use std::sync::Arc;

use bson::Document;

use crate::document::bulk::{EachMatch, Tally};
use crate::document::code::Code;
use crate::document::collection::UpdateResult;
use crate::document::collection::many;
use crate::document::collection::modify::{self, Modification, One};
use crate::document::collection::options::UpdateOptions;
use crate::document::collection::outcome::{BulkWriteResult, WriteOutcome};
use crate::document::collection::write_model::{Model, WriteModel};
use crate::document::schema::Namespace;
use crate::document::stored;
use crate::document::update::UpdateModifications;
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
        outcome(match model.model() {
            Model::UpdateMany(filter, update, options) => {
                let steps = |each: &mut EachMatch<'_>| self.scope.write_steps(self.operation(), each);
                many::update(&self.namespace, filter, update, options, steps).and_then(|tally| {
                    let Some(upsert) = upsert_of(&tally, filter, update, options) else { return Ok(updated(&tally)) };
                    self.scope.write(self.operation(), |writer| one(writer, &self.namespace, &upsert))
                })
            }
            Model::DeleteMany(filter, options) => {
                let steps = |each: &mut EachMatch<'_>| self.scope.write_steps(self.operation(), each);
                many::remove(&self.namespace, filter, options, steps).map(|tally| WriteOutcome::Deleted(tally.changed))
            }
            _ => self.scope.write(self.operation(), |writer| write(writer, &self.namespace, model)),
        })
    }

    fn in_a_transaction(&self) -> Result<BulkWriteResult> {
        let (mut outcomes, mut refused) = (Vec::new(), false);
        let written = self.scope.write(self.operation(), |writer| {
            outcomes.clear();
            refused = false;
            for model in &self.models {
                match write(writer, &self.namespace, model) {
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
            for outcome in &mut *outcomes {
                *outcome = WriteOutcome::Undone;
            }
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
            let outcome = outcome(write(writer, self.namespace, model))?;
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

/// Does one write, one of many documents in the same commit.
fn write(writer: &mut Writer, namespace: &Namespace, model: &WriteModel) -> Result<WriteOutcome> {
    match model.model() {
        Model::Insert(document) => {
            stored::check(document)?;
            modify::insert(writer, namespace, document).map(WriteOutcome::Inserted)
        }
        Model::UpdateOne(filter, update, options) => {
            // Nothing is copied before it is known not to be nested too deeply.
            stored::check_values(filter)?;
            update.documents().iter().try_for_each(stored::check_values)?;
            one(writer, namespace, &of_one(filter, Modification::Update(update.clone()), options))
        }
        Model::Replace(filter, replacement, options) => {
            stored::check(replacement)?;
            stored::check_values(filter)?;
            one(writer, namespace, &of_one(filter, Modification::replacement(replacement.clone())?, options))
        }
        Model::DeleteOne(filter, options) => {
            stored::check_values(filter)?;
            let delete = of_one(filter, Modification::Delete, &options.clone().of_one());
            Ok(WriteOutcome::Deleted(delete.prepare()?.run(writer, namespace)?.matched()))
        }
        Model::UpdateMany(filter, update, options) => {
            let tally = many::update(namespace, filter, update, options, |each| at_once(writer, each))?;
            match upsert_of(&tally, filter, update, options) {
                Some(upsert) => one(writer, namespace, &upsert),
                None => Ok(updated(&tally)),
            }
        }
        Model::DeleteMany(filter, options) => {
            let tally = many::remove(namespace, filter, options, |each| at_once(writer, each))?;
            Ok(WriteOutcome::Deleted(tally.changed))
        }
    }
}

fn of_one(filter: &Document, modification: Modification, options: &UpdateOptions) -> One {
    One { filter: filter.clone(), modification, options: options.clone(), sort: None }
}

/// The upsert that an update of many documents becomes when none matched.
fn upsert_of(tally: &Tally, filter: &Document, update: &UpdateModifications, options: &UpdateOptions) -> Option<One> {
    let is_wanted = tally.matched == 0 && options.upsert;
    is_wanted.then(|| of_one(filter, Modification::Update(update.clone()), options))
}

fn one(writer: &mut Writer, namespace: &Namespace, one: &One) -> Result<WriteOutcome> {
    Ok(WriteOutcome::Updated(one.prepare()?.run(writer, namespace)?.result()))
}

/// Does all the steps of a write in one.
fn at_once(writer: &mut Writer, steps: &mut impl Steps) -> Result<()> {
    let done = steps.step(writer, Room::Unbounded)?;
    steps.committed(done).map(drop)
}

fn updated(tally: &Tally) -> WriteOutcome {
    WriteOutcome::Updated(UpdateResult { matched: tally.matched, modified: tally.changed, upserted_id: None })
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
