//! Bulk writes: many writes, each with its own outcome.
//!
//! # Invariants
//! 1. On the store a write that is refused is undone alone, and those before it stay. In a transaction all of them are one
//!    operation: one that is refused undoes the others.
//! 2. Only what a request can cause is an outcome of a write. A failure of the store, and a conflict, ends the bulk write.

use std::sync::Arc;

use bson::{Document, RawDocument};

use crate::document::bulk::{EachMatch, Tally};
use crate::document::code::Code;
use crate::document::collection::UpdateResult;
use crate::document::collection::many;
use crate::document::collection::modify::{Modification, One};
use crate::document::collection::options::UpdateOptions;
use crate::document::collection::outcome::{BulkWriteResult, WriteOutcome};
use crate::document::collection::write_model::{Model, WriteModel};
use crate::document::insert::Insertions;
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
        run(&self.scope, &self.namespace, Writes::Models(&self.models), self.ordered)
    }
}

/// Writes to be done one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writes<'a> {
    Models(&'a [WriteModel]),
    /// Insertions alone.
    Documents(&'a [&'a RawDocument]),
}

/// One of them.
enum Write<'a> {
    Insert(&'a RawDocument),
    Other(&'a Model),
}

impl<'a> Writes<'a> {
    fn get(self, place: usize) -> Option<Write<'a>> {
        match self {
            Self::Models(models) => models.get(place).map(|model| match model.model() {
                Model::Insert(document) => Write::Insert(document),
                other => Write::Other(other),
            }),
            Self::Documents(documents) => documents.get(place).map(|document| Write::Insert(document)),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Models(models) => models.len(),
            Self::Documents(documents) => documents.len(),
        }
    }
}

impl Write<'_> {
    /// Whether it is about any number of documents.
    fn is_many(&self) -> bool {
        matches!(self, Self::Other(Model::UpdateMany(..) | Model::DeleteMany(..)))
    }
}

/// Does `writes` as [`BulkWrite::run`] says.
///
/// # Errors
/// As [`BulkWrite::run`].
pub(super) fn run<S: WriteScope>(
    scope: &S,
    namespace: &Namespace,
    writes: Writes<'_>,
    ordered: bool,
) -> Result<BulkWriteResult> {
    if scope.auto_commit().is_none() {
        return in_a_transaction(scope, namespace, writes);
    }
    let mut each = WriteEach { namespace, writes, ordered, outcomes: Vec::with_capacity(writes.len()), committed: 0 };
    loop {
        scope.write_steps(operation(namespace), &mut each)?;
        let Some(Write::Other(model)) = each.pending() else { break };
        let outcome = many(scope, namespace, model);
        each.add(outcome?);
    }
    Ok(BulkWriteResult { writes: each.outcomes })
}

fn in_a_transaction<S: WriteScope>(scope: &S, namespace: &Namespace, writes: Writes<'_>) -> Result<BulkWriteResult> {
    let (mut outcomes, mut refused) = (Vec::new(), false);
    let written = scope.write(operation(namespace), |writer| {
        outcomes.clear();
        refused = false;
        while let Some(model) = writes.get(outcomes.len()) {
            match write(writer, namespace, &model) {
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

/// A write of many documents, in commits of its own.
fn many<S: WriteScope>(scope: &S, namespace: &Namespace, model: &Model) -> Result<WriteOutcome> {
    let steps = |each: &mut EachMatch<'_>| scope.write_steps(operation(namespace), each);
    outcome(match model {
        Model::UpdateMany(filter, update, options) => {
            many::update(namespace, filter, update, options, steps).and_then(|tally| {
                let Some(upsert) = upsert_of(&tally, filter, update, options) else { return Ok(updated(&tally)) };
                scope.write(operation(namespace), |writer| one(writer, namespace, &upsert))
            })
        }
        Model::DeleteMany(filter, options) => {
            many::remove(namespace, filter, options, steps).map(|tally| WriteOutcome::Deleted(tally.changed))
        }
        _ => scope.write(operation(namespace), |writer| write(writer, namespace, &Write::Other(model))),
    })
}

fn operation(namespace: &Namespace) -> Operation<'_> {
    namespace.operation("bulk_write")
}

/// The writes of a bulk write on the store.
struct WriteEach<'a> {
    namespace: &'a Namespace,
    writes: Writes<'a>,
    ordered: bool,
    /// What became of the writes that are committed, and then of those of the running step.
    outcomes: Vec<WriteOutcome>,
    committed: usize,
}

impl<'a> WriteEach<'a> {
    /// The next write, unless all are done or one was refused that ends them.
    fn pending(&self) -> Option<Write<'a>> {
        let is_over = self.ordered && matches!(self.outcomes.last(), Some(WriteOutcome::Failed(_)));
        if is_over { None } else { self.writes.get(self.outcomes.len()) }
    }

    /// Whether the step has more to do.
    fn has_more(&self) -> bool {
        self.pending().is_some_and(|write| !write.is_many())
    }

    fn add(&mut self, outcome: WriteOutcome) {
        self.outcomes.push(outcome);
        self.committed = self.outcomes.len();
    }

    /// Does the insertions that come next, up to one that is refused. Returns whether the step ends there.
    fn insert(&mut self, writer: &mut Writer, room: Room) -> Result<bool> {
        let mut mark = writer.mark();
        let mut insertions = match Insertions::begin(writer, self.namespace) {
            Ok(insertions) => insertions,
            Err(error) => {
                self.outcomes.push(outcome(Err(error))?);
                writer.undo_to(mark);
                return Ok(room.is_spent(writer));
            }
        };
        while let Some(Write::Insert(document)) = self.pending() {
            let inserted = stored::check(document).and_then(|()| insertions.insert(document));
            let outcome = outcome(inserted.map(WriteOutcome::Inserted))?;
            let is_refused = matches!(outcome, WriteOutcome::Failed(_));
            self.outcomes.push(outcome);
            let writer = insertions.writer();
            if is_refused {
                writer.undo_to(mark);
            }
            let is_spent = room.is_spent(writer);
            if is_refused || is_spent {
                return Ok(is_spent);
            }
            mark = writer.mark();
        }
        Ok(false)
    }
}

impl Steps for WriteEach<'_> {
    /// Whether there are more writes of one document.
    type Done = bool;

    fn step(&mut self, writer: &mut Writer, room: Room) -> Result<bool> {
        self.outcomes.truncate(self.committed);
        while let Some(next) = self.pending().filter(|write| !write.is_many()) {
            if let Write::Insert(_) = next {
                if self.insert(writer, room)? {
                    return Ok(self.has_more());
                }
                continue;
            }
            let mark = writer.mark();
            let outcome = outcome(write(writer, self.namespace, &next))?;
            if matches!(outcome, WriteOutcome::Failed(_)) {
                writer.undo_to(mark);
            }
            self.outcomes.push(outcome);
            if room.is_spent(writer) {
                return Ok(self.has_more());
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
fn write(writer: &mut Writer, namespace: &Namespace, write: &Write<'_>) -> Result<WriteOutcome> {
    let model = match write {
        Write::Insert(document) => return insert(writer, namespace, document),
        Write::Other(model) => model,
    };
    match model {
        Model::Insert(document) => insert(writer, namespace, document),
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

fn insert(writer: &mut Writer, namespace: &Namespace, document: &RawDocument) -> Result<WriteOutcome> {
    stored::check(document)?;
    Insertions::begin(writer, namespace)?.insert(document).map(WriteOutcome::Inserted)
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
