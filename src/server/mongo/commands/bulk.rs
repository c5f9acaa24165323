//! `bulkWrite`: writes of all kinds to several collections.

use bson::raw::cstr;
use bson::{Document, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::document::{WriteModel, WriteOutcome};
use crate::server::mongo::command::{Call, Command, check_collection, check_database};
use crate::server::mongo::commands::cursors::{batch_size, first_batch};
use crate::server::mongo::commands::write::{
    Change, HINT, WRITE, check_number, delete_model, encode, number, update_model, write_error,
};
use crate::server::mongo::cursors::Cursor;
use crate::server::mongo::failure::{Failure, Result, code};
use crate::server::mongo::fields::{Arguments, Field, Types};

const BULK_WRITE: &[Field] = &[
    Field::new("ops", Types::ARRAY).required(),
    Field::new("nsInfo", Types::ARRAY).required(),
    Field::new("ordered", Types::BOOL),
    Field::new("errorsOnly", Types::BOOL),
    Field::new("bypassDocumentValidation", Types::TRUTH),
    Field::new("let", Types::OBJECT),
    Field::new("cursor", Types::OBJECT),
];

const NAMESPACE: &[Field] =
    &[Field::new("ns", Types::STRING).required(), Field::any("collectionUUID"), Field::any("encryptionInformation")];

const INSERT: &[Field] =
    &[Field::new("insert", Types::INT).required(), Field::new("document", Types::OBJECT).required()];

const UPDATE: &[Field] = &[
    Field::new("update", Types::INT).required(),
    Field::new("filter", Types::OBJECT).required(),
    Field::any("updateMods").required(),
    Field::new("multi", Types::BOOL),
    Field::new("upsert", Types::BOOL),
    Field::new("arrayFilters", Types::ARRAY),
    Field::new("constants", Types::OBJECT),
    Field::new("sort", Types::OBJECT),
    Field::new("collation", Types::OBJECT),
    HINT,
];

const DELETE: &[Field] = &[
    Field::new("delete", Types::INT).required(),
    Field::new("filter", Types::OBJECT).required(),
    Field::new("multi", Types::BOOL),
    Field::new("collation", Types::OBJECT),
    HINT,
];

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "bulkWrite",
    aliases: &[],
    flags: WRITE.union(crate::server::mongo::command::Flags::ADMIN),
    fields: BULK_WRITE,
    help: "Writes of all kinds to several collections.",
    run: bulk_write,
}];

/// A write, and the place of its collection among those that the command names.
struct Write {
    target: usize,
    model: WriteModel,
}

/// What a command has done so far.
#[derive(Default)]
struct Totals {
    errors: u64,
    inserted: u64,
    matched: u64,
    modified: u64,
    upserted: u64,
    deleted: u64,
}

fn bulk_write(call: &Call<'_>) -> Result<RawDocumentBuf> {
    let size = batch_size(call, u64::MAX)?;
    let targets = call.arguments.documents("nsInfo")?;
    let targets = targets.into_iter().map(target).collect::<Result<Vec<_>>>()?;
    let variables = call.arguments.decoded("let")?.unwrap_or_default();
    let operations = call.arguments.documents("ops")?;
    check_number(operations.len())?;
    let writes = operations.into_iter().map(|operation| write(operation, targets.len(), &variables));
    let writes = writes.collect::<Result<Vec<_>>>()?;
    let (totals, replies) = run(call, &targets, writes)?;
    let cursor =
        Cursor::new(Box::new(replies.into_iter().map(Ok)), None, "admin.$cmd.bulkWrite".to_owned(), call.session);
    let mut reply = first_batch(call, cursor, size, false)?;
    for (name, count) in [
        (cstr!("nErrors"), totals.errors),
        (cstr!("nInserted"), totals.inserted),
        (cstr!("nMatched"), totals.matched),
        (cstr!("nModified"), totals.modified),
        (cstr!("nUpserted"), totals.upserted),
        (cstr!("nDeleted"), totals.deleted),
    ] {
        reply.append(name, number(count));
    }
    Ok(reply)
}

/// Makes the writes, those to one collection that stand side by side together.
fn run(call: &Call<'_>, targets: &[(&str, &str)], writes: Vec<Write>) -> Result<(Totals, Vec<RawDocumentBuf>)> {
    let is_ordered = call.arguments.truth("ordered").unwrap_or(true);
    let only_errors = call.arguments.truth("errorsOnly") == Some(true);
    let (mut totals, mut replies, mut place) = (Totals::default(), Vec::new(), 0);
    let mut writes = writes.into_iter().peekable();
    while let Some(first) = writes.next() {
        let target = first.target;
        let mut models = vec![first.model];
        while let Some(next) = writes.next_if(|next| next.target == target) {
            models.push(next.model);
        }
        let Some((database, name)) = targets.get(target) else { break };
        let database = call.door.store.database_unsettled(database, call.commit);
        let bypasses = call.arguments.truth("bypassDocumentValidation") == Some(true);
        let collection = database.collection::<RawDocumentBuf>(name).bypass_document_validation(bypasses);
        let done = collection.bulk_write(models).ordered(is_ordered).run()?;
        for outcome in &done.writes {
            let reply = totals.reply(place, outcome)?;
            if !only_errors || matches!(outcome, WriteOutcome::Failed(_)) {
                replies.push(reply);
            }
            place += 1;
        }
        if is_ordered && totals.errors > 0 {
            break;
        }
    }
    Ok((totals, replies))
}

impl Totals {
    /// Counts what became of the write at `place`, and returns what is told of it.
    fn reply(&mut self, place: usize, outcome: &WriteOutcome) -> Result<RawDocumentBuf> {
        let index = number(place as u64);
        Ok(match outcome {
            WriteOutcome::Inserted(_) => {
                self.inserted += 1;
                rawdoc! { "ok": 1.0, "idx": index, "n": 1 }
            }
            WriteOutcome::Updated(done) => {
                self.matched += done.matched;
                self.modified += done.modified;
                let is_upsert = done.upserted_id.is_some();
                let n = number(done.matched + u64::from(is_upsert));
                let mut reply = rawdoc! { "ok": 1.0, "idx": index, "n": n, "nModified": number(done.modified) };
                if let Some(id) = done.upserted_id.clone() {
                    self.upserted += 1;
                    let id =
                        RawBson::try_from(id).map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))?;
                    reply.append(cstr!("upserted"), rawdoc! { "_id": id });
                }
                reply
            }
            WriteOutcome::Deleted(deleted) => {
                self.deleted += deleted;
                rawdoc! { "ok": 1.0, "idx": index, "n": number(*deleted) }
            }
            WriteOutcome::Failed(error) => {
                self.errors += 1;
                let mut reply = rawdoc! { "ok": 0.0, "idx": index, "n": 0 };
                let about: Document =
                    write_error(place, error).into_iter().filter(|(name, _)| name != "index").collect();
                for (name, value) in encode(&about)?.iter().flatten() {
                    reply.append(name, value);
                }
                reply
            }
            _ => rawdoc! { "ok": 0.0, "idx": index, "n": 0 },
        })
    }
}

/// The collection that an element of `nsInfo` names: its database and its own name.
fn target(document: &RawDocument) -> Result<(&str, &str)> {
    let fields = Arguments::within("bulkWrite.nsInfo", NAMESPACE, document)?;
    if fields.get("collectionUUID").or(fields.get("encryptionInformation")).is_some() {
        let message = "bulkWrite with collectionUUID or encryptionInformation is not supported";
        return Err(Failure::new(code::NOT_IMPLEMENTED, message));
    }
    let namespace = match document.get("ns") {
        Ok(Some(RawBsonRef::String(namespace))) => namespace,
        _ => "",
    };
    let Some((database, name)) = namespace.split_once('.') else {
        return Err(Failure::new(
            code::INVALID_NAMESPACE,
            format!("Invalid namespace specified for bulkWrite: '{namespace}'"),
        ));
    };
    check_database(database)?;
    check_collection(database, name)?;
    Ok((database, name))
}

fn write(operation: &RawDocument, targets: usize, variables: &Document) -> Result<Write> {
    let name = operation.iter().next().and_then(std::result::Result::ok).map_or("", |(name, _)| name.as_str());
    let (fields, model) = match name {
        "insert" => {
            let fields = Arguments::within("bulkWrite.ops.insert", INSERT, operation)?;
            let document = fields.document("document").map(ToOwned::to_owned).unwrap_or_default();
            (fields, WriteModel::insert_raw(document))
        }
        "update" => {
            let fields = Arguments::within("bulkWrite.ops.update", UPDATE, operation)?;
            let mods = fields.get("updateMods").unwrap_or(RawBsonRef::Null);
            let change = Change::parse("bulkWrite.ops.update.updateMods", mods)?;
            let filter = fields.decoded("filter")?.unwrap_or_default();
            let is_of_many = fields.truth("multi") == Some(true);
            let model = update_model(&fields, filter, change, is_of_many, variables)?;
            (fields, model)
        }
        "delete" => {
            let fields = Arguments::within("bulkWrite.ops.delete", DELETE, operation)?;
            let filter = fields.decoded("filter")?.unwrap_or_default();
            let is_of_one = fields.truth("multi") != Some(true);
            let model = delete_model(&fields, filter, is_of_one, variables)?;
            (fields, model)
        }
        _ => {
            let message = "BSON field 'bulkWrite.ops' has an element that is no insert, update or delete";
            return Err(Failure::new(code::FAILED_TO_PARSE, message));
        }
    };
    let target = fields.integer(name).and_then(|target| usize::try_from(target).ok());
    let target = target
        .filter(|target| *target < targets)
        .ok_or_else(|| Failure::new(code::BAD_VALUE, "BulkWrite ops entry has an invalid nsInfo index."))?;
    Ok(Write { target, model })
}
