//! Writing: insert, update, delete.
//!
//! The writes of a command are made in transactions of at most [`MONGO_STEP_WRITES_MAX`](limits::MONGO_STEP_WRITES_MAX), between which
//! others read and write. Each write is made or refused for itself; what was refused is listed by its place.

use bson::{Bson, Document, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::Collection;
use crate::error::Error;
use crate::limits;
use crate::server::mongo::command::{Call, Command, Flags};
use crate::server::mongo::failure::{Failure, Result, code, is_of_one_write};
use crate::server::mongo::fields::{Field, Types, decode, integer_of, wrong_type};
use crate::txn::InTransaction;

const INSERT: &[Field] = &[
    Field::new("documents", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("bypassDocumentValidation", Types::TRUTH),
];

const DELETE: &[Field] = &[
    Field::new("deletes", Types::ARRAY).required(),
    Field::new("ordered", Types::TRUTH),
    Field::new("let", Types::OBJECT),
];

pub(super) const WRITE: Flags = Flags::WRITES.union(Flags::RETRYABLE);

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "insert", aliases: &[], flags: WRITE, fields: INSERT, help: "Inserts documents.", run: insert },
    Command {
        name: "delete",
        aliases: &[],
        flags: WRITE,
        fields: DELETE,
        help: "Removes documents that match filters.",
        run: delete,
    },
];

/// What the writes of one command have done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Documents that were inserted, found or removed.
    pub(super) affected: u64,
    /// Documents that an update has changed.
    pub(super) modified: u64,
    /// Of updates that inserted a document: their places, and its `_id`.
    pub(super) upserted: Vec<(i32, Bson)>,
    pub(super) errors: Vec<Document>,
}

impl Tally {
    fn of(affected: u64) -> Self {
        Self { affected, ..Self::default() }
    }

    /// Adds what one write at `place` did.
    fn add(&mut self, place: i32, one: Self) {
        self.affected += one.affected;
        self.modified += one.modified;
        self.upserted.extend(one.upserted.into_iter().map(|(_, id)| (place, id)));
    }

    /// Adds what later writes did.
    fn extend(&mut self, later: Self) {
        self.affected += later.affected;
        self.modified += later.modified;
        self.upserted.extend(later.upserted);
        self.errors.extend(later.errors);
    }
}

pub(super) type Handle<'t> = Collection<RawDocumentBuf, InTransaction<'t>>;

/// Makes each of `writes`, in order, and returns what has become of them.
///
/// # Errors
/// What is about no single write, such as a store that cannot be written to.
pub(super) fn each<W>(
    call: &Call<'_>,
    name: &str,
    writes: &[W],
    write: impl Fn(&Handle<'_>, &W) -> Result<Tally, WriteError>,
) -> Result<Tally> {
    let is_ordered = call.arguments.truth("ordered").unwrap_or(true);
    let mut tally = Tally::default();
    for (step, writes) in writes.chunks(limits::MONGO_STEP_WRITES_MAX).enumerate() {
        let first = step * limits::MONGO_STEP_WRITES_MAX;
        let made = call.write(|tx| {
            let handle = tx.database(call.database).collection::<RawDocumentBuf>(name);
            let mut tally = Tally::default();
            for (at, one) in writes.iter().enumerate() {
                let place = i32::try_from(first + at).unwrap_or(i32::MAX);
                let failure = match write(&handle, one) {
                    Ok(made) => {
                        tally.add(place, made);
                        continue;
                    }
                    Err(WriteError::Of(failure)) => failure,
                    Err(WriteError::Store(error)) if is_of_one_write(&error) => Failure::from(error),
                    Err(WriteError::Store(error)) => return Err(error),
                };
                tally.errors.push(failure.write_error(place));
                if is_ordered {
                    break;
                }
            }
            Ok(tally)
        })?;
        tally.extend(made);
        if is_ordered && !tally.errors.is_empty() {
            break;
        }
    }
    Ok(tally)
}

/// Why a write was not made.
pub(super) enum WriteError {
    /// It is wrong by itself.
    Of(Failure),
    Store(Error),
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Of(failure)
    }
}

/// Checks how many writes a command has.
pub(super) fn check_number<W>(writes: &[W]) -> Result<()> {
    let max = limits::MONGO_BATCH_WRITES_MAX;
    if writes.is_empty() || writes.len() > max {
        let found = writes.len();
        let message = format!("Write batch sizes must be between 1 and {max}. Got {found} operations.");
        return Err(Failure::new(code::INVALID_LENGTH, message));
    }
    Ok(())
}

/// The reply to a command that writes.
pub(super) fn reply(tally: &Tally) -> Result<RawDocumentBuf> {
    let mut reply = rawdoc! { "n": i32::try_from(tally.affected).unwrap_or(i32::MAX) };
    if !tally.errors.is_empty() {
        let mut errors = RawArrayBuf::new();
        for error in &tally.errors {
            let error = RawDocumentBuf::try_from(error);
            errors.push(error.map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?);
        }
        reply.append(bson::raw::cstr!("writeErrors"), errors);
    }
    Ok(reply)
}

fn insert(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    let documents = call.arguments.documents("documents")?;
    check_number(&documents)?;
    let tally = each(call, name, &documents, |handle, document| {
        handle.insert_one(&(*document).to_owned())?;
        Ok(Tally::of(1))
    })?;
    reply(&tally)
}

fn delete(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let name = call.collection()?;
    call.refuse(&["let"])?;
    let deletes = call.arguments.documents("deletes")?;
    check_number(&deletes)?;
    let deletes = deletes.into_iter().map(Delete::parse).collect::<Result<Vec<_>>>()?;
    let tally = each(call, name, &deletes, |handle, delete| {
        let filter = decode(delete.filter)?;
        Ok(Tally::of(if delete.is_of_one { handle.delete_one(filter)? } else { handle.delete_many(filter)? }))
    })?;
    reply(&tally)
}

/// One of the removals of a command.
struct Delete<'a> {
    filter: &'a RawDocument,
    is_of_one: bool,
}

impl<'a> Delete<'a> {
    fn parse(statement: &'a RawDocument) -> Result<Self> {
        let (mut filter, mut limit) = (None, None);
        for element in statement {
            let (name, value) = element.map_err(|error| Failure::new(code::FAILED_TO_PARSE, error.to_string()))?;
            match (name.as_str(), value) {
                ("q", RawBsonRef::Document(value)) => filter = Some(value),
                ("q", value) => return Err(wrong_type("delete.deletes.q", value, Types::OBJECT)),
                ("limit", value) => limit = integer_of(value),
                ("collation" | "hint", _) => {
                    let message = format!("the option '{name}' of a delete is not supported");
                    return Err(Failure::new(code::NOT_IMPLEMENTED, message));
                }
                (name, _) => {
                    let message = format!("BSON field 'delete.deletes.{name}' is an unknown field.");
                    return Err(Failure::new(code::UNKNOWN_FIELD, message));
                }
            }
        }
        let missing = |name: &str| {
            let message = format!("BSON field 'delete.deletes.{name}' is missing but a required field");
            Failure::new(code::MISSING_FIELD, message)
        };
        let is_of_one = match limit.ok_or_else(|| missing("limit"))? {
            0 => false,
            1 => true,
            other => {
                let message = format!("The limit field in delete objects must be 0 or 1. Got {other}");
                return Err(Failure::new(code::FAILED_TO_PARSE, message));
            }
        };
        Ok(Self { filter: filter.ok_or_else(|| missing("q"))?, is_of_one })
    }
}
